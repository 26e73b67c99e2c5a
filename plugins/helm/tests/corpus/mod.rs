//! Where the shared corpus is, unpacked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder with the unpacked corpus; none where the archive or the programs to unpack it are missing.
pub(crate) fn folder() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let shared =
        std::env::var_os("SLUICE_SHARED").map_or_else(|| repository.join("../shared"), PathBuf::from);
    let archive = shared.join("corpus/helm-shared.tar.zst");
    let size = fs::metadata(&archive).ok()?.len();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("helm-corpus-{size}"));
    if target.join("done").exists() {
        return Some(target);
    }
    fs::create_dir_all(&target).ok()?;
    let tar = target.join("corpus.tar");
    let mut zstd = Command::new("zstd");
    let unpacked = zstd
        .args(["-dqf", "--long=27"])
        .arg(&archive)
        .arg("-o")
        .arg(&tar)
        .status()
        .ok()?
        .success()
        && Command::new("tar")
            .arg("-xf")
            .arg(&tar)
            .arg("-C")
            .arg(&target)
            .status()
            .ok()?
            .success();
    fs::remove_file(&tar).ok()?;
    if !unpacked {
        return None;
    }
    fs::write(target.join("done"), "").ok()?;
    Some(target)
}
