//! The shared corpus of real builds, where it is present: the same objects in the same order, and errors in the same words.
//!
//! `SLUICE_SHARED` names the folder (default `../shared` beside the repository); the archive is unpacked once, with `zstd` and `tar`,
//! below the target directory.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests fail as tests do"
)]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::tree::Memory;
use serde_json::Value;
use sluice_plugin_kustomize::{Files, LoadRestrictor, Options, Reorder, build};

/// The folder with the unpacked corpus; none where the archive or the programs to unpack it are missing.
fn corpus() -> Option<PathBuf> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.parent()?;
    let shared =
        std::env::var_os("SLUICE_SHARED").map_or_else(|| repository.join("../shared"), PathBuf::from);
    let archive = shared.join("corpus/kustomize-shared.tar.zst");
    let size = fs::metadata(&archive).ok()?.len();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("kustomize-corpus-{size}"));
    if !target.join("done").exists() {
        fs::create_dir_all(&target).ok()?;
        let tar = target.join("corpus.tar");
        let unpacked = Command::new("zstd")
            .args(["-dqf"])
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
    }
    Some(target)
}

fn cases(folder: &Path, found: &mut Vec<PathBuf>) {
    if folder.join("meta.json").is_file() {
        found.push(folder.to_owned());
        return;
    }
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            cases(&path, found);
        }
    }
}

/// The words that the comparison script counts.
fn words(text: &str) -> BTreeSet<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_.{}/-".contains(c);
    let mut words: BTreeSet<&str> = text.split(|c| !is_word(c)).filter(|w| w.len() >= 3).collect();
    words.remove("Error");
    words
}

fn run(files: &dyn Files, path: &str, options: &Options) -> Result<String, String> {
    build(files, path, options)
        .and_then(|built| built.to_yaml())
        .map_err(|error| error.to_string())
}

fn judge(case: &Path) -> Result<(), String> {
    let meta: Value = serde_json::from_str(&fs::read_to_string(case.join("meta.json")).unwrap()).unwrap();
    let files = Memory::read(&case.join("input"));
    let opts: Vec<&str> = meta["opts"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let has = |flag: &str| opts.contains(&flag);
    let options = Options {
        reorder: if has("none") {
            Reorder::None
        } else if has("legacy") {
            Reorder::Legacy
        } else {
            Reorder::Unspecified
        },
        load_restrictor: if has("LoadRestrictionsNone") {
            LoadRestrictor::None
        } else {
            LoadRestrictor::RootOnly
        },
        add_managed_by_label: has("--enable-managedby-label"),
        ..Options::default()
    };
    let path = format!(
        "/{}",
        meta["path"].as_str().unwrap_or(".").trim_start_matches("./")
    );
    let result = run(&files, &path, &options);
    if meta["expect"] == "error" {
        let expected = fs::read_to_string(case.join("expected.err"))
            .unwrap()
            .replace("{INPUT}", "");
        let Err(text) = result else {
            return Err("an error was expected".into());
        };
        let (expected, got) = (words(&expected), words(&text));
        let common = expected.intersection(&got).count();
        return if common * 4 >= expected.len() {
            Ok(())
        } else {
            Err(format!("another error: {text}"))
        };
    }
    let expected = fs::read_to_string(case.join("expected.yaml")).unwrap();
    let text = result?;
    if text != expected {
        return Err("the output differs".into());
    }
    let Some(order) = meta["reorder_none"]["order"].as_array() else {
        return Ok(());
    };
    let documents: Vec<&str> = expected
        .split_inclusive('\n')
        .fold(vec![], |mut all: Vec<(usize, usize)>, line| {
            let at = line.as_ptr() as usize - expected.as_ptr() as usize;
            match all.last_mut() {
                Some(last) if line != "---\n" => last.1 = at + line.len(),
                _ => all.push((if line == "---\n" { at + 4 } else { at }, at + line.len())),
            }
            all
        })
        .into_iter()
        .map(|(from, to)| &expected[from..to])
        .collect();
    let wanted: Vec<&str> = order
        .iter()
        .map(|i| documents[i.as_u64().unwrap() as usize])
        .collect();
    let unsorted = run(
        &files,
        &path,
        &Options {
            reorder: Reorder::None,
            ..options
        },
    )?;
    if unsorted == wanted.join("---\n") {
        Ok(())
    } else {
        Err("the order without sorting differs".into())
    }
}

#[test]
fn every_case_of_the_corpus_passes() {
    let Some(corpus) = corpus() else {
        eprintln!("SKIPPED: the shared Kustomize corpus is not here (set SLUICE_SHARED)");
        return;
    };
    let mut found = Vec::new();
    cases(&corpus, &mut found);
    found.sort();
    let failed: Vec<String> = found
        .iter()
        .filter_map(|case| judge(case).err().map(|why| format!("{}: {why}", case.display())))
        .collect();
    assert!(found.len() >= 900, "only {} cases found", found.len());
    assert!(
        failed.is_empty(),
        "{} of {} failed:\n{}",
        failed.len(),
        found.len(),
        failed.join("\n")
    );
}
