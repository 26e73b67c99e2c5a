//! From a folder to a layer, as `flux push artifact` makes it (compat: source, section 6.8).

use anyhow::{Context, Result, bail};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use sluice_source::ignore::{self, Rules};
use sluice_source::oci::ContentDigest;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A compressed archive, and the digest of what was compressed.
pub(super) struct Layer {
    pub(super) content: Vec<u8>,
    pub(super) diff_id: ContentDigest,
}

/// Largest archive that is made in memory, in bytes before compression.
const SIZE_MAX: u64 = 1 << 30;

/// Archives a file, or a directory without what `patterns` exclude.
/// Symbolic links are left out; where `follow` is set, what they lead to inside the folder is put in their place.
pub(super) fn of_path(path: &Path, patterns: &[String], follow: bool) -> Result<Layer> {
    let metadata = std::fs::metadata(path)?;
    let mut archive = tar::Builder::new(Vec::new());
    if metadata.is_dir() {
        let root = std::fs::canonicalize(path)?;
        let mut folder = Folder {
            root: &root,
            rules: Rules::only(ignore::parse(&patterns.join("\n"), &[])),
            follow,
            size: 0,
        };
        append_directory(&mut archive, ".", metadata.permissions().mode())?;
        folder.append(&mut archive, &root, &mut Vec::new())?;
    } else {
        let name = path
            .file_name()
            .context("the path names no file")?
            .to_string_lossy()
            .into_owned();
        let content = std::fs::read(path)?;
        append_file(&mut archive, &name, metadata.permissions().mode(), &content)?;
    }
    compress(archive)
}

/// Archives what a stream gives, as a file of this name.
pub(super) fn of_stream(name: &str, stream: impl Read) -> Result<Layer> {
    let mut content = Vec::new();
    stream.take(SIZE_MAX + 1).read_to_end(&mut content)?;
    if content.len() as u64 > SIZE_MAX {
        bail!("standard input has more than {SIZE_MAX} bytes: push a directory or a file");
    }
    let mut archive = tar::Builder::new(Vec::new());
    append_file(&mut archive, name, 0o600, &content)?;
    compress(archive)
}

fn compress(archive: tar::Builder<Vec<u8>>) -> Result<Layer> {
    let bytes = archive.into_inner()?;
    let diff_id = ContentDigest::of(&bytes);
    // no time, no name, an unknown system: as Go's writer does, and the same for the same files
    let encoder: GzEncoder<Vec<u8>> = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::default());
    let mut encoder = encoder;
    encoder.write_all(&bytes)?;
    Ok(Layer {
        content: encoder.finish()?,
        diff_id,
    })
}

/// What `flux push artifact` leaves out where nothing is said.
pub(super) fn usual() -> Vec<String> {
    let lines = ignore::VCS.iter().chain(ignore::EXTENSIONS);
    lines.map(|&line| line.to_owned()).collect()
}

struct Folder<'a> {
    root: &'a Path,
    rules: Rules,
    follow: bool,
    size: u64,
}

impl Folder<'_> {
    fn append(
        &mut self,
        archive: &mut tar::Builder<Vec<u8>>,
        here: &Path,
        names: &mut Vec<String>,
    ) -> Result<()> {
        if names.len() > 200 {
            bail!(
                "'{}' is too deep: a symbolic link may lead back up",
                here.display()
            );
        }
        for (name, path) in children(here)? {
            names.push(name);
            let mut metadata = std::fs::symlink_metadata(&path)?;
            if metadata.is_symlink() && self.follow {
                let target = std::fs::canonicalize(&path)?;
                if !target.starts_with(self.root) {
                    bail!(
                        "'{}' leads out of the folder, to '{}'",
                        path.display(),
                        target.display()
                    );
                }
                metadata = std::fs::metadata(&path)?;
            }
            let parts: Vec<&str> = names.iter().map(String::as_str).collect();
            let is_excluded = self.rules.excludes(&parts, metadata.is_dir());
            let (shown, mode) = (names.join("/"), metadata.permissions().mode());
            if metadata.is_dir() {
                if !is_excluded {
                    append_directory(archive, &shown, mode)?;
                }
                self.append(archive, &path, names)?;
            } else if metadata.is_file() && !is_excluded {
                self.size += metadata.len();
                if self.size > SIZE_MAX {
                    bail!("the files are more than {SIZE_MAX} bytes; exclude some with --ignore-paths");
                }
                let content = std::fs::read(&path)?;
                append_file(archive, &shown, mode, &content)?;
            }
            names.pop();
        }
        Ok(())
    }
}

fn children(folder: &Path) -> Result<Vec<(String, std::path::PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read '{}'", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| anyhow::anyhow!("'{}' is no UTF-8", name.to_string_lossy()))?;
        found.push((name, entry.path()));
    }
    found.sort();
    Ok(found)
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode & 0o7777);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn append_directory(archive: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32) -> Result<()> {
    let mut header = header(tar::EntryType::Directory, mode, 0);
    Ok(archive.append_data(&mut header, name, std::io::empty())?)
}

fn append_file(archive: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32, content: &[u8]) -> Result<()> {
    let mut header = header(tar::EntryType::Regular, mode, content.len() as u64);
    Ok(archive.append_data(&mut header, name, content)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_same_files_give_the_same_layer_without_what_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (path, text) in [
            ("a.yaml", "a"),
            (".git/config", "x"),
            ("logo.png", "x"),
            ("sub/b.yaml", "b"),
            ("sub/c.txt", "c"),
        ] {
            fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
            fs::write(root.join(path), text).unwrap();
        }
        std::os::unix::fs::symlink("a.yaml", root.join("link.yaml")).unwrap();
        let names = |layer: &Layer| {
            let unpacked =
                sluice_artifact::unpack::unpack(&*layer.content, &sluice_artifact::unpack::Limits::default())
                    .unwrap();
            let files = sluice_artifact::Tree::walk(&unpacked, "/").unwrap();
            files.into_iter().map(|entry| entry.path).collect::<Vec<_>>()
        };
        let one = of_path(root, &usual(), false).unwrap();
        assert_eq!(names(&one), ["/a.yaml", "/sub/b.yaml", "/sub/c.txt"]);
        assert_eq!(of_path(root, &usual(), false).unwrap().content, one.content);
        assert_eq!(
            names(&of_path(root, &["*.txt".to_owned(), ".git/".to_owned()], false).unwrap()),
            ["/a.yaml", "/logo.png", "/sub/b.yaml"]
        );
        assert_eq!(
            names(&of_path(root, &usual(), true).unwrap()),
            ["/a.yaml", "/link.yaml", "/sub/b.yaml", "/sub/c.txt"]
        );
        assert_eq!(
            names(&of_path(&root.join("a.yaml"), &[], false).unwrap()),
            ["/a.yaml"]
        );
        std::os::unix::fs::symlink("/etc/passwd", root.join("out")).unwrap();
        assert!(
            of_path(root, &usual(), true)
                .err()
                .unwrap()
                .to_string()
                .contains("leads out of the folder")
        );
        assert!(of_path(&root.join("nope"), &[], false).is_err());
    }
}
