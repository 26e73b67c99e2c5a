//! Every kind of tree gives the same answers, and the same digests for them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{collections::BTreeMap, fs, sync::Arc};

use proptest::prelude::*;
use sluice_artifact::{
    LocalTree, MemoryTree, Overlay, Question, Store, Tree, TreeError, answer,
    store::{DirectoryEntry, DirectoryId, Draft, EntryContent, Limits},
};

type Files = BTreeMap<String, Vec<u8>>;

/// Few names, so that paths meet: `a`, `a-b` and `a/b` sort differently as paths and by directory.
fn files() -> impl Strategy<Value = Files> {
    let name = prop::sample::select(vec!["a", "b", "a-b", "a.", "Z", "é"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|names| format!("/{}", names.join("/")));
    prop::collection::btree_map(path, prop::collection::vec(any::<u8>(), 0..8), 0..8)
        .prop_map(without_clashes)
}

fn without_clashes(files: Files) -> Files {
    let is_directory = |path: &str| files.keys().any(|other| other.starts_with(&format!("{path}/")));
    files
        .iter()
        .filter(|(path, _)| !is_directory(path))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn memory(files: &Files) -> MemoryTree {
    files
        .iter()
        .map(|(path, content)| (path, content.clone()))
        .collect()
}

fn stored(draft: &mut Draft, tree: &MemoryTree, path: &str) -> DirectoryId {
    let mut entries = Vec::new();
    for entry in tree.read_dir(path).unwrap() {
        let name = entry.path.rsplit('/').next().unwrap().to_owned();
        let content = match tree.read(&entry.path) {
            Ok(content) => {
                let blob = draft.blob(&content).unwrap();
                EntryContent::File {
                    blob,
                    size: content.len() as u64,
                    is_executable: false,
                }
            }
            Err(_) => EntryContent::Directory {
                directory: stored(draft, tree, &entry.path),
                is_listed: true,
            },
        };
        entries.push(DirectoryEntry { name, content });
    }
    draft.directory(entries).unwrap()
}

fn questions(files: &Files) -> Vec<String> {
    let mut paths: Vec<String> = ["/", "/none", "/a/none", "", "x", "/a/", "/..", "//"]
        .map(str::to_owned)
        .into();
    for path in files.keys() {
        let mut above = path.as_str();
        paths.push(format!("{path}/below"));
        while !above.is_empty() {
            paths.push(above.to_owned());
            above = above.rsplit_once('/').unwrap().0;
        }
    }
    paths
}

fn assert_same(kind: &str, tree: &dyn Tree, reference: &dyn Tree, paths: &[String]) {
    for path in paths {
        let read = tree.read(path);
        let (list, walk) = (tree.read_dir(path), tree.walk(path));
        assert_eq!(read, reference.read(path), "{kind}: read {path}");
        assert_eq!(list, reference.read_dir(path), "{kind}: read_dir {path}");
        assert_eq!(walk, reference.walk(path), "{kind}: walk {path}");
        for (question, digest) in [
            (Question::Read, answer::of_read(&read)),
            (Question::ReadDir, answer::of_read_dir(&list)),
            (Question::Walk, answer::of_walk(path, &walk)),
        ] {
            assert_eq!(
                tree.answer_digest(question, path),
                digest,
                "{kind}: {question:?} {path}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn all_kinds_agree(files in files(), top in files()) {
        let reference = memory(&files);
        let paths = questions(&files);
        assert_same("memory", &reference, &reference, &paths);

        let directory = tempfile::tempdir().unwrap();
        for (path, content) in &files {
            let path = directory.path().join(&path[1..]);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        assert_same("local", &LocalTree::open(directory.path(), Default::default()).unwrap(), &reference, &paths);

        let home = tempfile::tempdir().unwrap();
        let store = Store::open(home.path(), Limits::default()).unwrap();
        let mut draft = store.draft();
        let root = stored(&mut draft, &reference, "/");
        let artifact = draft.commit(&"k/n/m/f".parse().unwrap(), "sha1:aa", root).unwrap();
        let tree = store.tree(&artifact.path).unwrap();
        assert_same("store", &tree, &reference, &paths);

        let mut bytes = Vec::new();
        store.write_archive(&artifact.path, &mut bytes).unwrap();
        let unpacked = sluice_artifact::unpack::unpack(&bytes[..], &Default::default()).unwrap();
        assert_same("unpacked", &unpacked, &reference, &paths);

        // An overlay is the base without what the top hides, and the top.
        let hidden = |path: &str| top.keys().any(|over| path == over
            || path.starts_with(&format!("{over}/")) || over.starts_with(&format!("{path}/")));
        let mut merged: Files = files.iter().filter(|(path, _)| !hidden(path)).map(|(k, v)| (k.clone(), v.clone())).collect();
        merged.extend(top.clone());
        let kept_directories: Vec<String> = reference_directories(&files);
        let mut expected = memory(&merged);
        for directory in kept_directories {
            // A directory that the top emptied stays, unless a file took its place.
            let _clash = expected.add_directory(&directory);
        }
        let overlay = Overlay::new(Arc::new(tree), top.iter().map(|(k, v)| (k, v.clone()))).unwrap();
        let mut paths = questions(&merged);
        paths.extend(questions(&files));
        assert_same("overlay", &overlay, &expected, &paths);
    }
}

fn reference_directories(files: &Files) -> Vec<String> {
    let mut directories = Vec::new();
    for path in files.keys() {
        let mut above = path.as_str();
        while let Some((directory, _)) = above.rsplit_once('/') {
            if !directory.is_empty() {
                directories.push(directory.to_owned());
            }
            above = directory;
        }
    }
    directories.sort();
    directories
}

/// A tree of text files.
fn tree<const N: usize>(files: [(&str, &str); N]) -> MemoryTree {
    files
        .into_iter()
        .map(|(path, content)| (path, content.as_bytes()))
        .collect()
}

#[test]
fn digests_differ_where_answers_do() {
    let one = tree([("/a/x", "1"), ("/b", "22")]);
    let digest = |tree: &MemoryTree, question, path| tree.answer_digest(question, path);
    for (what, other, question, path) in [
        (
            "content",
            tree([("/a/x", "2"), ("/b", "22")]),
            Question::Read,
            "/a/x",
        ),
        (
            "name",
            tree([("/a/y", "1"), ("/b", "22")]),
            Question::ReadDir,
            "/a",
        ),
        ("depth", tree([("/a", "1"), ("/b", "22")]), Question::Walk, "/"),
        ("size", tree([("/a/x", "11"), ("/b", "22")]), Question::Walk, "/"),
        ("absence", tree([("/b", "22")]), Question::Read, "/a/x"),
    ] {
        assert_ne!(
            digest(&one, question, path),
            digest(&other, question, path),
            "{what}"
        );
    }
    let same_names = tree([("/a/x", "2"), ("/b", "33")]);
    assert_eq!(
        digest(&one, Question::Walk, "/"),
        digest(&same_names, Question::Walk, "/"),
        "a walk reads no file"
    );
    assert_eq!(one.read("/a"), Err(TreeError::NotAFile));
}
