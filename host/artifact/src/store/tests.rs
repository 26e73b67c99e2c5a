use std::{collections::BTreeMap, fs, io::Read, path::Path};

use expect_test::{Expect, expect};
use flate2::read::GzDecoder;
use tempfile::TempDir;

use super::*;
use crate::{Digest, Tree, tree::EntryType};

mod large;
mod upkeep;

type Files<'a> = &'a [(&'a str, &'a str)];

fn store(directory: &Path) -> Store {
    Store::open(directory, Limits::default()).unwrap()
}

/// Stores `files` (relative paths; an executable one ends in `*`) and returns the artifact.
fn put(store: &Store, path: &str, files: Files<'_>) -> Artifact {
    let mut draft = store.draft();
    let root = add(
        &mut draft,
        files
            .iter()
            .map(|(path, content)| ((*path).to_owned(), *content))
            .collect(),
    );
    draft
        .commit(&path.parse().unwrap(), "main@sha1:aa", root)
        .unwrap()
}

fn add(draft: &mut Draft, files: BTreeMap<String, &str>) -> DirectoryId {
    let mut directories: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
    let mut entries = Vec::new();
    for (path, content) in files {
        match path.split_once('/') {
            Some((directory, rest)) => {
                directories
                    .entry(directory.to_owned())
                    .or_default()
                    .insert(rest.to_owned(), content);
            }
            None => entries.push(DirectoryEntry {
                name: path.trim_end_matches('*').to_owned(),
                content: EntryContent::File {
                    blob: draft.blob(content.as_bytes()).unwrap(),
                    size: content.len() as u64,
                    is_executable: path.ends_with('*'),
                },
            }),
        }
    }
    for (name, files) in directories {
        let directory = add(draft, files);
        entries.push(DirectoryEntry {
            name,
            content: EntryContent::Directory {
                directory,
                is_listed: true,
            },
        });
    }
    draft.directory(entries).unwrap()
}

fn archive(store: &Store, artifact: &Artifact) -> Vec<u8> {
    let mut bytes = Vec::new();
    store.write_archive(&artifact.path, &mut bytes).unwrap();
    bytes
}

fn disk(directory: &Path) -> String {
    let mut lines = Vec::new();
    let mut stack = vec![directory.to_owned()];
    while let Some(next) = stack.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else {
                lines.push(path.strip_prefix(directory).unwrap().display().to_string());
            }
        }
    }
    lines.sort();
    lines.join("\n")
}

fn check(actual: &str, expected: Expect) {
    expected.assert_eq(actual);
}

const SHOP: Files<'static> = &[
    ("a.yaml", "a: 1"),
    ("apps/b.yaml", "b: 1"),
    ("apps/run.sh*", "#!"),
    ("apps-x/c", ""),
    ("z", "zz"),
];

#[test]
fn the_archive_is_as_flux_makes_it_and_stable() {
    let (one, two) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (first, second) = (store(one.path()), store(two.path()));
    let artifact = put(&first, "gitrepository/flux-system/shop/aa.tar.gz", SHOP);
    let bytes = archive(&first, &artifact);
    assert_eq!(
        (artifact.digest, artifact.size),
        (Digest::of(&bytes), bytes.len() as u64)
    );
    let again = put(&second, "gitrepository/other/shop/bb.tar.gz", SHOP);
    assert_eq!(again.digest, artifact.digest);
    assert_eq!(
        &bytes[..10],
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255],
        "gzip header as Go writes it"
    );

    let mut unpacked = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(&unpacked[257..265], b"ustar\x0000");
    assert_eq!(
        &unpacked[unpacked.len() - 1024..],
        [0; 1024],
        "two zero blocks and no padding"
    );
    assert_eq!(&unpacked[154..156], b"\0 ", "the sum ends as Go ends it");
    let listing: String = tar::Archive::new(&unpacked[..])
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            format!(
                "{:o} {:?} {}:{} {} {} {:?}\n",
                header.mode().unwrap(),
                header.entry_type(),
                header.uid().unwrap(),
                header.gid().unwrap(),
                header.mtime().unwrap(),
                header.size().unwrap(),
                entry.path().unwrap()
            )
        })
        .collect();
    check(
        &listing,
        expect![[r#"
            750 Directory 0:0 0 0 "."
            600 Regular 0:0 0 4 "a.yaml"
            750 Directory 0:0 0 0 "apps"
            600 Regular 0:0 0 4 "apps/b.yaml"
            700 Regular 0:0 0 2 "apps/run.sh"
            750 Directory 0:0 0 0 "apps-x"
            600 Regular 0:0 0 0 "apps-x/c"
            600 Regular 0:0 0 2 "z"
        "#]],
    );
}

#[test]
fn long_and_foreign_names_survive() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let deep = format!("{}/{}/x.yaml", "d".repeat(90), "e".repeat(90));
    let longest = format!("{}/{}", "d".repeat(120), "f".repeat(200));
    for length in [99, 100, 101, 255] {
        let name = "n".repeat(length);
        let artifact = put(
            &store,
            "gitrepository/a/b/c.tar.gz",
            &[(&name, "1"), ("größe.yaml", "2"), (&deep, "3"), (&longest, "4")],
        );
        let tree = crate::unpack::unpack(&archive(&store, &artifact)[..], &crate::unpack::Limits::default())
            .unwrap();
        let mut expected = vec![
            format!("/{name}"),
            "/größe.yaml".to_owned(),
            format!("/{deep}"),
            format!("/{longest}"),
        ];
        expected.sort();
        let found: Vec<String> = tree
            .walk("/")
            .unwrap()
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn revisions_share_what_did_not_change() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let size = || -> u64 {
        let entries = fs::read_dir(directory.path().join("segments")).unwrap();
        entries
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum()
    };
    let big = "x".repeat(100_000);
    put(
        &store,
        "gitrepository/a/b/1.tar.gz",
        &[("same/big", &big), ("v", "1")],
    );
    let first = size();
    put(
        &store,
        "gitrepository/a/b/2.tar.gz",
        &[("same/big", &big), ("v", "2")],
    );
    assert!(
        size() - first < 1_000,
        "the second revision added {} bytes",
        size() - first
    );
    put(
        &store,
        "gitrepository/c/d/1.tar.gz",
        &[("same/big", &big), ("v", "2")],
    );
    assert_eq!(
        fs::read_dir(directory.path().join("segments")).unwrap().count(),
        2,
        "nothing new, no segment"
    );
}

#[test]
fn everything_is_there_after_a_restart() {
    let directory = TempDir::new().unwrap();
    let artifact = put(&store(directory.path()), "gitrepository/a/b/1.tar.gz", SHOP);
    fs::write(directory.path().join("tmp/77"), "half-written").unwrap();
    let reopened = store(directory.path());
    assert_eq!(reopened.artifact(&artifact.path), Some(artifact.clone()));
    assert_eq!(reopened.artifacts(), [artifact.clone()]);
    assert_eq!(
        &*reopened
            .tree(&artifact.path)
            .unwrap()
            .read("/apps/b.yaml")
            .unwrap(),
        b"b: 1"
    );
    check(
        &disk(directory.path()),
        expect![[r#"
            artifacts/gitrepository/a/b/1.tar.gz.json
            segments/0.seg"#]],
    );
}

/// R18.
#[test]
fn what_a_crash_left_goes_and_half_segments_are_no_artifacts() {
    let directory = TempDir::new().unwrap();
    let artifact = put(&store(directory.path()), "gitrepository/a/b/1.tar.gz", SHOP);
    // Published contents without a record: the process died between the two renames.
    fs::remove_file(directory.path().join("artifacts/gitrepository/a/b/1.tar.gz.json")).unwrap();
    let reopened = store(directory.path());
    assert_eq!(reopened.artifact(&artifact.path), None);
    check(&disk(directory.path()), expect![[""]]);
    // A segment cut short, as a broken disk leaves it.
    let artifact = put(&reopened, "gitrepository/a/b/1.tar.gz", SHOP);
    let segment = directory.path().join("segments/1.seg");
    let mut bytes = fs::read(&segment).unwrap();
    bytes.truncate(bytes.len() / 2);
    fs::write(&segment, bytes).unwrap();
    drop(reopened);
    assert_eq!(
        store(directory.path()).artifact(&artifact.path),
        None,
        "an incomplete artifact is none"
    );
    // A record that cannot be read.
    fs::write(
        directory.path().join("artifacts/gitrepository/a/b/1.tar.gz.json"),
        "{",
    )
    .unwrap();
    assert_eq!(store(directory.path()).artifacts(), []);
}

/// R19.
#[test]
fn what_cannot_be_read_is_absent_and_the_rest_is_served() {
    let directory = TempDir::new().unwrap();
    let artifact = put(&store(directory.path()), "gitrepository/a/b/1", SHOP);
    // opens like a file, and cannot be read
    fs::create_dir(directory.path().join("segments/7.seg")).unwrap();
    let reopened = store(directory.path());
    assert_eq!(reopened.artifact(&artifact.path), Some(artifact));
    put(&reopened, "gitrepository/a/b/2", &[("v", "2")]);
    check(
        &disk(directory.path()),
        expect![[r#"
            artifacts/gitrepository/a/b/1.json
            artifacts/gitrepository/a/b/2.json
            segments/0.seg
            segments/8.seg"#]],
    );
}

/// R19.
#[test]
fn a_flipped_bit_is_found_on_reading_and_mended_by_storing_again() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let artifact = put(&store, "gitrepository/a/b/1.tar.gz", SHOP);
    let segment = directory.path().join("segments/0.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(4).position(|window| window == b"b: 1").unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    assert!(
        store.artifact(&artifact.path).is_some(),
        "not noticed before it is read"
    );
    let tree = store.tree(&artifact.path).unwrap();
    let error = tree.read("/apps/b.yaml").unwrap_err().to_string();
    assert!(
        error.starts_with("content in the artifact store is damaged: expected sha256:"),
        "{error}"
    );
    assert!(
        store
            .write_archive(&artifact.path, &mut Vec::new())
            .unwrap_err()
            .is_loss()
    );
    assert_eq!(store.artifact(&artifact.path), None, "from now on it is missing");
    let again = put(&store, "gitrepository/a/b/1.tar.gz", SHOP);
    assert_eq!(again.digest, artifact.digest);
    assert_eq!(
        &*store.tree(&again.path).unwrap().read("/apps/b.yaml").unwrap(),
        b"b: 1"
    );
}

#[test]
fn retention_is_as_fluxs_flags_say() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let remaining = |store: &Store| -> Vec<String> {
        store
            .artifacts()
            .into_iter()
            .map(|artifact| artifact.path.file().to_owned())
            .collect()
    };
    let current: ArtifactPath = "gitrepository/a/b/5".parse().unwrap();
    for file in 1..=5 {
        put(
            &store,
            &format!("gitrepository/a/b/{file}"),
            &[("v", &file.to_string())],
        );
    }
    put(&store, "gitrepository/a/other/1", &[("v", "other")]);
    let now = jiff::Timestamp::now();
    let young = Retention {
        ttl: std::time::Duration::from_secs(3600),
        records: 3,
    };
    assert_eq!(store.collect(&current, young, now).unwrap(), 2);
    assert_eq!(remaining(&store), ["3", "4", "5", "1"]);
    let later = now + std::time::Duration::from_secs(61);
    assert_eq!(store.collect(&current, Retention::default(), later).unwrap(), 2);
    assert_eq!(remaining(&store), ["5", "1"], "the current one never goes");
    assert_eq!(store.remove_object("GitRepository", "a", "b").unwrap(), 1);
    store.sweep().unwrap();
    check(
        &disk(directory.path()),
        expect![[r#"
            artifacts/gitrepository/a/other/1.json
            segments/5.seg"#]],
    );
    assert_eq!(store.remove_object("GitRepository", "a", "b").unwrap(), 0);
}

#[test]
fn a_tree_in_use_outlives_its_artifact_and_large_segments_shrink() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let (big, small) = ("x".repeat(3 << 20), "y".repeat(1000));
    let first = put(&store, "gitrepository/a/b/1", &[("big", &big), ("small", &small)]);
    let second = put(&store, "gitrepository/a/b/2", &[("small", &small)]);
    let tree = store.tree(&first.path).unwrap();
    store.forget(&first.path).unwrap();
    store.sweep().unwrap();
    assert_eq!(tree.read("/big").unwrap().len(), big.len());
    drop(tree);
    store.sweep().unwrap();
    let left: u64 = fs::read_dir(directory.path().join("segments"))
        .unwrap()
        .map(|e| e.unwrap().metadata().unwrap().len())
        .sum();
    assert!(left < 10_000, "{left} bytes left");
    assert_eq!(
        &*store.tree(&second.path).unwrap().read("/small").unwrap(),
        small.as_bytes()
    );
    assert_eq!(
        Store::open(directory.path(), Limits::default())
            .unwrap()
            .artifacts(),
        [second]
    );
}

#[test]
fn limits_have_names_and_a_refused_draft_leaves_nothing() {
    let directory = TempDir::new().unwrap();
    let limits = Limits {
        file_size_max: 10,
        artifact_size_max: 100,
    };
    let store = Store::open(directory.path(), limits).unwrap();
    let mut draft = store.draft();
    check(
        &draft.blob(&[0; 11]).unwrap_err().to_string(),
        expect!["a file of 11 bytes is larger than the limit of 10 bytes (file_size_max)"],
    );
    let error = (0..20_u8).find_map(|byte| draft.blob(&[byte; 10]).err()).unwrap();
    check(
        &error.to_string(),
        expect!["the artifact is larger than the limit of 100 bytes (artifact_size_max)"],
    );
    drop(draft);
    check(&disk(directory.path()), expect![[""]]);
}

/// R19.
#[test]
fn a_disk_that_refuses_is_an_error_and_the_last_good_artifact_stays() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let good = put(&store, "gitrepository/a/b/1", SHOP);
    fs::remove_dir_all(directory.path().join("tmp")).unwrap();
    let mut draft = store.draft();
    check(
        &draft.blob(b"new").unwrap_err().to_string(),
        expect!["unable to write to the artifact store: No such file or directory (os error 2)"],
    );
    drop(draft);
    assert_eq!(store.artifact(&good.path), Some(good));
}

#[test]
fn paths_and_urls_are_as_flux_writes_them() {
    let path = ArtifactPath::new("GitRepository", "flux-system", "shop", "aa.tar.gz").unwrap();
    check(
        &["source.svc.", "http://x:80", "https://x/y/"]
            .map(|address| path.url(address))
            .join("\n"),
        expect![[r#"
            http://source.svc./gitrepository/flux-system/shop/aa.tar.gz
            http://x:80/gitrepository/flux-system/shop/aa.tar.gz
            https://x/y/gitrepository/flux-system/shop/aa.tar.gz"#]],
    );
    for text in [
        "",
        "a/b/c",
        "a/b/c/d/e",
        "a/../c/d",
        "a/b//d",
        "a/b/c/.d",
        "a/b/c\\x/d",
    ] {
        assert!(text.parse::<ArtifactPath>().is_err(), "{text}");
    }
}

#[test]
fn an_unlisted_directory_has_no_entry_but_its_files_do() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let mut draft = store.draft();
    let blob = draft.blob(b"1").unwrap();
    let file = DirectoryEntry {
        name: "kept".to_owned(),
        content: EntryContent::File {
            blob,
            size: 1,
            is_executable: false,
        },
    };
    let below = draft.directory(vec![file]).unwrap();
    let ignored = DirectoryEntry {
        name: "ignored".to_owned(),
        content: EntryContent::Directory {
            directory: below,
            is_listed: false,
        },
    };
    let root = draft.directory(vec![ignored]).unwrap();
    let artifact = draft
        .commit(&"k/n/m/f".parse().unwrap(), "sha1:aa", root)
        .unwrap();
    let bytes = archive(&store, &artifact);
    let names: Vec<String> = tar::Archive::new(GzDecoder::new(&bytes[..]))
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().path().unwrap().display().to_string())
        .collect();
    assert_eq!(names, [".", "ignored/kept"]);
    let entries = store.tree(&artifact.path).unwrap().read_dir("/").unwrap();
    assert_eq!(entries[0].entry_type, EntryType::Directory);
}
