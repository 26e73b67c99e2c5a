//! References that are many, move, or have names that no reference has (R16, N31); servers without shallow clones.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;

use crate::support::{Scene, branch, paths};
use sluice_artifact::Tree as _;
use sluice_source::{GitRequest, Outcome, Reference};
use sluice_testkit::git_server::{Fault, git_is_present};

fn tag(name: &str) -> Reference {
    Reference {
        tag: Some(name.to_owned()),
        ..Reference::default()
    }
}

fn semver(range: &str) -> Reference {
    Reference {
        semver: Some(range.to_owned()),
        ..Reference::default()
    }
}

#[tokio::test]
async fn a_hundred_thousand_references_are_one_list() {
    if !git_is_present("many git references") {
        return;
    }
    let scene = Scene::new();
    let one = scene.repository.commit([("a", "1")], "one");
    let mut packed = String::from("# pack-refs with: peeled fully-peeled sorted \n");
    for number in 0..50_000 {
        packed += &format!("{one} refs/heads/b{number:05}\n");
    }
    for number in 0..50_000 {
        packed += &format!("{one} refs/tags/1.0.{number:05}\n");
    }
    fs::write(scene.repository.directory().join(".git/packed-refs"), packed).unwrap();
    for protocol in ["2", "0"] {
        scene.repository.git(&["config", "protocol.version", protocol]);
        for (reference, expected) in [
            (branch("main"), "main@"),
            (branch("b49999"), "b49999@"),
            (semver("1.x"), "1.0.49999@"),
        ] {
            let request = GitRequest {
                reference,
                ..scene.request()
            };
            let fetched = scene.fetched(request).await;
            let revision = fetched.revision.to_string();
            assert_eq!(revision, format!("{expected}sha1:{one}"), "protocol {protocol}");
        }
        let request = GitRequest {
            reference: branch("b5"),
            ..scene.request()
        };
        let text = scene.failure(request).await;
        assert!(
            text.contains("the remote has these branches: b00000, b00001, "),
            "{text}"
        );
        assert!(text.len() < 400, "{text}");
    }
}

#[tokio::test]
async fn a_tag_that_moves_is_followed() {
    if !git_is_present("moved git tags") {
        return;
    }
    let scene = Scene::new();
    let commits = [
        scene.repository.commit([("a", "1")], "one"),
        scene.repository.commit([("a", "2")], "two"),
        scene.repository.commit([("a", "3")], "three"),
    ];
    let mut last_revision = None;
    // without an object of its own, with one, and back to what was there before
    for (commit, annotation) in [
        (&commits[0], vec![]),
        (&commits[1], vec!["--annotate", "--message", "release"]),
        (&commits[2], vec![]),
        (&commits[0], vec!["--annotate", "--message", "again"]),
    ] {
        let mut arguments = vec!["tag", "--force"];
        arguments.extend(annotation);
        arguments.extend(["1.0.0", commit.as_str()]);
        scene.repository.git(&arguments);
        for reference in [tag("1.0.0"), semver("1.x")] {
            let request = GitRequest {
                reference,
                last_revision: last_revision.clone(),
                ..scene.request()
            };
            let fetched = scene.fetched(request).await;
            assert_eq!(fetched.revision.to_string(), format!("1.0.0@sha1:{commit}"));
        }
        last_revision = Some(format!("1.0.0@sha1:{commit}"));
        let again = GitRequest {
            reference: tag("1.0.0"),
            last_revision: last_revision.clone(),
            ..scene.request()
        };
        assert!(matches!(scene.fetch(again).await, Ok(Outcome::Unchanged(_))));
    }
}

#[tokio::test]
async fn what_fails_is_what_flux_does_first() {
    if !git_is_present("steps of a git fetch") {
        return;
    }
    let scene = Scene::new();
    let commit = Reference {
        commit: Some(scene.repository.commit([("a", "1")], "one")),
        ..Reference::default()
    };
    let name = Reference {
        name: Some("refs/heads/main".to_owned()),
        ..Reference::default()
    };
    scene.server.misbehave(Fault::Status(500));
    for (reference, stored, step) in [
        (branch("main"), None, "unable to clone 'https"),
        (
            branch("main"),
            Some("main@sha1:1"),
            "unable to list remote for 'https",
        ),
        (tag("v1"), Some("v1@sha1:1"), "unable to list remote for 'https"),
        (name, None, "unable to list remote for 'https"),
        (semver("1.x"), Some("1.0.0@sha1:1"), "unable to clone 'https"),
        (commit, Some("sha1:1"), "unable to clone 'https"),
    ] {
        let request = GitRequest {
            reference: reference.clone(),
            last_revision: stored.map(str::to_owned),
            ..scene.request()
        };
        let text = scene.failure(request).await;
        assert!(text.contains(step), "{reference:?}: {text}");
    }
}

#[tokio::test]
async fn names_that_lead_elsewhere_lead_nowhere() {
    if !git_is_present("hostile git references") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "one");
    for hostile in [
        "refs/../../main",
        "refs/heads/ma\u{1b}[",
        "refs/heads/..//",
        "refs/heads/ma\r\r",
    ] {
        let fault = Fault::ReplaceInRefs("refs/heads/main".to_owned(), hostile.to_owned());
        scene.server.misbehave(fault);
        let text = scene.failure(scene.request()).await;
        assert!(!text.contains(char::is_control), "{hostile:?}: {text:?}");
    }
    assert_eq!(
        fs::read_dir(scene.home.path()).unwrap().count(),
        2,
        "nothing beside the stores"
    );
    scene.server.misbehave(Fault::None);
    scene.fetched(scene.request()).await;
}

#[tokio::test]
async fn a_server_that_knows_no_shallow_clones_gives_all() {
    if !git_is_present("git servers without shallow clones") {
        return;
    }
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "one");
    let two = scene.repository.commit([("a", "2")], "two");
    // of the same length as what it is in the place of
    let fault = Fault::ReplaceInRefs("fetch=shallow".to_owned(), "fetch=shouted".to_owned());
    scene.server.misbehave(fault);
    let fetched = scene.fetched(scene.request()).await;
    assert_eq!(fetched.commit(), two);
    assert_eq!(paths(&fetched.tree), ["/a"]);
    assert_eq!(&*fetched.tree.read("/a").unwrap(), b"2");
}
