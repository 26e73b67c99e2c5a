//! What of a commit becomes the artifact.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Read,
    process::Command,
    time::Duration,
};

use crate::support::{self, Scene};
use expect_test::expect;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use sluice_artifact::Tree;
use sluice_source::ignore::{Rules, parse};
use sluice_source::{Sparse, archive};
use sluice_testkit::git_server::{Repository, git_is_present};

/// Names and modes of an archive.
fn listing(archive: impl Read) -> Vec<String> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(|entry| {
        let entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        format!("{:o} {name}", entry.header().mode().unwrap())
    });
    entries.collect()
}

/// N10.
#[tokio::test]
async fn a_sparse_checkout_takes_what_begins_alike_and_refuses_what_is_not_there() {
    if !git_is_present("sparse checkout") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit(
        [
            ("README.md", "r"),
            (".sourceignore", "*.yaml"),
            ("charts/a.yaml", "a"),
            ("charts/deep/b.yaml", "b"),
            ("charts/deep/.sourceignore", "b.yaml"),
            ("charts/deep/c.yaml", "c"),
            ("charts2/d.yaml", "d"),
            ("apps/e.yaml", "e"),
        ],
        "one",
    );
    let fetched = scene.fetched(scene.request()).await;
    let row = |paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let selection = archive::Selection {
            ignore: None,
            sparse: Sparse::of(&paths),
            ..archive::Selection::default()
        };
        let path = "gitrepository/ns/shop/sparse.tar.gz".parse().unwrap();
        match archive::store(&fetched, &selection, &scene.store, &path) {
            Ok(artifact) => support::paths(&scene.store.tree(&artifact.path).unwrap()).join(" "),
            Err(error) => error.to_string(),
        }
    };
    // a prefix is a text; files of the root, rules among them, are no part of it
    assert_eq!(
        row(&["charts"]),
        "/charts/a.yaml /charts/deep/.sourceignore /charts/deep/c.yaml /charts2/d.yaml"
    );
    assert_eq!(
        row(&["./charts/deep", "apps/"]),
        "/apps/e.yaml /charts/deep/.sourceignore /charts/deep/c.yaml"
    );
    assert_eq!(row(&["README.md"]), "/README.md");
    assert_eq!(row(&[]), "/.sourceignore /README.md /charts/deep/.sourceignore");
    assert!(row(&["charts", "chart"]).starts_with(
        "failed to sparse checkout directories : sparse checkout dir 'chart' does not exist in repository: "
    ));
    // what lies outside is not looked for, and nothing tells whether it is there (N10)
    let outside = |path: &str| row(&[path]).replace(path, "PATH");
    let unknown = outside("no-such-folder");
    assert!(unknown.contains("'PATH' does not exist"), "{unknown}");
    for path in [
        "../../../../etc",
        "/etc/passwd",
        "../no-such-folder",
        "charts/../apps",
        "charts/deep/../..",
        ".git",
    ] {
        assert_eq!(outside(path), unknown, "{path}");
    }
}

#[tokio::test]
async fn ignore_rules_shape_the_archive_as_in_flux() {
    if !git_is_present("source ignore rules") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit(
        [
            (".gitignore", "x"),
            (".github/workflow.yaml", "x"),
            ("logo.png", "x"),
            ("apps/a.yaml", "a"),
            ("apps/.sourceignore", "/secret\n*.txt\n"),
            ("apps/secret/s.yaml", "s"),
            ("apps/notes.txt", "n"),
            ("apps/deep/notes.txt", "n"),
            ("docs/keep/me.md", "k"),
            ("docs/other.md", "o"),
            ("notes.txt", "n"),
        ],
        "one",
    );
    let rows: [(&str, Option<&str>); 5] = [
        ("nothing", None),
        ("empty", Some("")),
        ("one pattern", Some("docs/")),
        ("all but apps", Some("/*\n!/apps")),
        (
            "a file of an ignored directory",
            Some("docs/\n!docs/keep/me.md\n"),
        ),
    ];
    let mut outcomes = String::new();
    let fetched = scene.fetched(scene.request()).await;
    for (what, ignore) in rows {
        let artifact = scene.archive(&fetched, ignore).unwrap();
        let mut bytes = Vec::new();
        scene.store.write_archive(&artifact.path, &mut bytes).unwrap();
        outcomes += &format!("{what}: {}\n", listing(GzDecoder::new(&bytes[..])).join(", "));
    }
    // Without any ignore file the defaults apply.
    scene.repository.git(&["rm", "--quiet", "apps/.sourceignore"]);
    scene.repository.commit([], "two");
    let fetched = scene.fetched(scene.request()).await;
    outcomes += &format!("defaults: {}\n", scene.archived(&fetched, None).join(", "));
    expect![[r#"
        nothing: 750 ., 750 .github, 600 .github/workflow.yaml, 750 apps, 600 apps/.sourceignore, 600 apps/a.yaml, 750 apps/deep, 750 docs, 750 docs/keep, 600 docs/keep/me.md, 600 docs/other.md, 600 logo.png, 600 notes.txt
        empty: 750 ., 750 .github, 600 .github/workflow.yaml, 750 apps, 600 apps/.sourceignore, 600 apps/a.yaml, 750 apps/deep, 750 docs, 750 docs/keep, 600 docs/keep/me.md, 600 docs/other.md, 600 logo.png, 600 notes.txt
        one pattern: 750 ., 750 .github, 600 .github/workflow.yaml, 750 apps, 600 apps/.sourceignore, 600 apps/a.yaml, 750 apps/deep, 600 logo.png, 600 notes.txt
        all but apps: 750 ., 750 apps, 600 apps/.sourceignore, 600 apps/a.yaml, 750 apps/deep, 600 apps/deep/notes.txt, 600 apps/notes.txt, 750 apps/secret, 600 apps/secret/s.yaml
        a file of an ignored directory: 750 ., 750 .github, 600 .github/workflow.yaml, 750 apps, 600 apps/.sourceignore, 600 apps/a.yaml, 750 apps/deep, 600 docs/keep/me.md, 600 logo.png, 600 notes.txt
        defaults: /apps/a.yaml, /apps/deep/notes.txt, /apps/notes.txt, /apps/secret/s.yaml, /docs/keep/me.md, /docs/other.md, /notes.txt
    "#]].assert_eq(&outcomes);
}

#[tokio::test]
async fn modes_links_and_submodules_are_as_flux_archives_them() {
    if !git_is_present("source archive modes") {
        return;
    }
    let scene = Scene::new();
    scene
        .repository
        .commit([("run.sh", "#!"), ("a.yaml", "a")], "one");
    scene.repository.git(&["update-index", "--chmod=+x", "run.sh"]);
    let link = scene
        .repository
        .git_with_input(&["hash-object", "-w", "--stdin"], b"a.yaml");
    scene.repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("120000,{link},link"),
    ]);
    let module = format!("160000,{},module", "1".repeat(40));
    scene
        .repository
        .git(&["update-index", "--add", "--cacheinfo", &module]);
    scene.repository.git(&["commit", "--quiet", "--message", "modes"]);
    let fetched = scene.fetched(scene.request()).await;
    let artifact = scene.archive(&fetched, None).unwrap();
    let mut bytes = Vec::new();
    scene.store.write_archive(&artifact.path, &mut bytes).unwrap();
    expect!["750 ., 600 a.yaml, 750 module, 700 run.sh"]
        .assert_eq(&listing(GzDecoder::new(&bytes[..])).join(", "));
}

#[tokio::test]
async fn a_commit_that_changes_one_directory_adds_one_directory() {
    if !git_is_present("source archive deltas") {
        return;
    }
    let scene = Scene::new();
    let files: Vec<(String, String)> = (0..200)
        .map(|number| (format!("apps/{number}/a.yaml"), format!("{number}\n").repeat(400)))
        .collect();
    scene.repository.commit(
        files
            .iter()
            .map(|(path, content)| (path.as_str(), content.as_str())),
        "one",
    );
    let size = || -> u64 {
        let segments = fs::read_dir(scene.home.path().join("artifacts/segments")).unwrap();
        segments
            .map(|segment| segment.unwrap().metadata().unwrap().len())
            .sum()
    };
    let one = scene
        .archive(&scene.fetched(scene.request()).await, None)
        .unwrap();
    let before = size();
    scene.repository.commit([("apps/7/a.yaml", "changed")], "two");
    let two = scene
        .archive(&scene.fetched(scene.request()).await, None)
        .unwrap();
    let grown = size() - before;
    // The list of the 200 directories is written anew, and one directory with one file.
    assert!(grown < before / 5, "{grown} of {before} bytes");
    assert_ne!(one.content, two.content);
    scene.repository.git(&["revert", "--no-edit", "HEAD"]);
    let three = scene
        .archive(&scene.fetched(scene.request()).await, None)
        .unwrap();
    assert_eq!(
        (three.content, three.digest),
        (one.content, one.digest),
        "equal files, equal bytes"
    );
}

#[tokio::test]
async fn a_huge_ignore_file_is_refused_by_name() {
    if !git_is_present("source ignore limits") {
        return;
    }
    let scene = Scene::new();
    let lines = "pattern\n".repeat(20_001);
    scene
        .repository
        .commit([("apps/.sourceignore", lines.as_str())], "many");
    let mut outcomes = vec![
        scene
            .archive(&scene.fetched(scene.request()).await, None)
            .unwrap_err()
            .to_string(),
    ];
    let large = "x".repeat(2 << 20);
    scene
        .repository
        .commit([("apps/.sourceignore", large.as_str())], "large");
    outcomes.push(
        scene
            .archive(&scene.fetched(scene.request()).await, None)
            .unwrap_err()
            .to_string(),
    );
    expect![[r#"
        failed to load source ignore patterns from repository: 20001 patterns are more than the limit of 20000 (patterns_max)
        failed to load source ignore patterns from repository: /apps/.sourceignore exceeds the limit of 1048576 bytes (ignore_file_size_max)"#]].assert_eq(&outcomes.join("\n"));
}

/// N14.
#[tokio::test]
async fn patterns_are_tried_with_a_commits_paths_as_long_as_there_is_time() {
    if !git_is_present("time of source ignore patterns") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a.yaml", "a"), ("b.txt", "b")], "one");
    let fetched = scene.fetched(scene.request()).await;
    let path = "gitrepository/ns/shop/timed.tar.gz".parse().unwrap();
    let stored = |time: Duration| {
        let selection = archive::Selection {
            ignore: Some("*.txt".to_owned()),
            ignore_time_max: Some(time),
            ..archive::Selection::default()
        };
        archive::store(&fetched, &selection, &scene.store, &path)
    };
    let refusal = stored(Duration::ZERO).err().unwrap().to_string();
    assert!(
        refusal.starts_with("failed to load source ignore patterns from repository: "),
        "{refusal}"
    );
    let artifact = stored(Duration::from_secs(3600)).unwrap();
    assert_eq!(
        support::paths(&scene.store.tree(&artifact.path).unwrap()),
        ["/a.yaml"]
    );
}

/// Few names and patterns, so that they meet.
fn commits() -> impl Strategy<Value = (BTreeMap<String, String>, Vec<&'static str>)> {
    let name = prop::sample::select(vec!["a", "b", "a-b", "x.txt", "y.yaml", ".git-keep", "z.png"]);
    let path = prop::collection::vec(name, 1..4).prop_map(|names| names.join("/"));
    let files = prop::collection::btree_map(path, "[a-z]{0,5}", 1..10);
    let patterns = vec![
        "a", "/a", "a/", "!a/b", "*.txt", "!x.txt", "a/**", "**/b", "/*", "!/a", "b/*", "!*.yaml",
    ];
    (files, prop::collection::vec(prop::sample::select(patterns), 0..4))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    /// The files of our archive are those of `git archive`, less what the rules exclude.
    #[test]
    fn the_archive_is_git_archive_minus_ignores((files, patterns) in commits()) {
        if !git_is_present("git archive") {
            return Ok(());
        }
        let is_directory = |path: &str| files.keys().any(|other| other.starts_with(&format!("{path}/")));
        let files: BTreeMap<_, _> = files.iter().filter(|(path, _)| !is_directory(path)).collect();
        let scene = Scene::new();
        scene.repository.commit(files.iter().map(|(path, content)| (path.as_str(), content.as_str())), "any");
        let ignore = patterns.join("\n");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let fetched = runtime.block_on(scene.fetched(scene.request()));
        let artifact = scene.archive(&fetched, Some(&ignore)).unwrap();
        let tree = scene.store.tree(&artifact.path).unwrap();
        let ours: BTreeSet<String> = tree.walk("/").unwrap().into_iter().map(|entry| entry.path).collect();
        let git = git_archive(&scene.repository);
        let rules = Rules::new(parse(&ignore, &[]));
        let expected: BTreeSet<String> = git
            .iter()
            .filter(|(path, _)| !rules.excludes(&path.split('/').collect::<Vec<_>>(), false))
            .map(|(path, _)| format!("/{path}"))
            .collect();
        prop_assert_eq!(&ours, &expected);
        for path in &ours {
            prop_assert_eq!(&*tree.read(path).unwrap(), git.get(&path[1..]).unwrap().as_slice());
        }
    }
}

fn git_archive(repository: &Repository) -> BTreeMap<String, Vec<u8>> {
    let output = Command::new("git")
        .args(["archive", "--format=tar", "main"])
        .current_dir(repository.directory())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let mut archive = tar::Archive::new(&output.stdout[..]);
    let entries = archive.entries().unwrap().map(|entry| entry.unwrap());
    let files = entries
        .filter(|entry| entry.header().entry_type().is_file())
        .map(|mut entry| {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.path().unwrap().display().to_string(), content)
        });
    files.collect()
}
