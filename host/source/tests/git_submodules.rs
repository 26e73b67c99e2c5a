//! Submodules: whoever may push writes their URLs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::support::Scene;
use expect_test::expect;
use sluice_event::Redacted;
use sluice_source::{Credentials, GitRequest};
use sluice_testkit::git_server::{Access, GitServer, Repository, git_is_present};
use tempfile::TempDir;

fn recursive(scene: &Scene) -> GitRequest {
    GitRequest {
        recurse_submodules: true,
        ..scene.request()
    }
}

/// Commits a submodule without having it: at a path, of a URL, at a commit.
fn add(repository: &Repository, path: &str, url: &str, commit: &str) -> String {
    let key = format!("submodule.{path}");
    repository.git(&["config", "--file", ".gitmodules", &format!("{key}.path"), path]);
    repository.git(&["config", "--file", ".gitmodules", &format!("{key}.url"), url]);
    repository.git(&["add", ".gitmodules"]);
    repository.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{commit},{path}"),
    ]);
    repository.git(&["commit", "--quiet", "--message", "a submodule"]);
    repository.git(&["rev-parse", "HEAD"])
}

#[tokio::test]
async fn submodules_of_submodules_are_where_the_commit_has_them() {
    if !git_is_present("submodules") {
        return;
    }
    let scene = Scene::new();
    let inner = Repository::init(&scene.root.path().join("inner"));
    let pinned = inner.commit(
        [("i.yaml", "i: 1"), (".sourceignore", "*.txt"), ("i.txt", "i")],
        "inner",
    );
    inner.commit([("i.yaml", "i: 2")], "later");
    let outer = Repository::init(&scene.root.path().join("outer"));
    outer.commit([("o.yaml", "o: 1")], "outer");
    let outer_commit = add(&outer, "deep/inner", "../inner", &pinned);
    scene
        .repository
        .commit([("a.yaml", "a: 1"), ("a.txt", "a")], "one");
    add(
        &scene.repository,
        "modules/outer",
        &scene.server.url("outer"),
        &outer_commit,
    );
    let fetched = scene.fetched(recursive(&scene)).await;
    assert_eq!(
        scene.archived(&fetched, None),
        [
            "/a.txt",
            "/a.yaml",
            "/modules/outer/deep/inner/.sourceignore",
            "/modules/outer/deep/inner/i.yaml",
            "/modules/outer/o.yaml",
        ]
    );
    let artifact = scene.archive(&fetched, None).unwrap();
    let tree = scene.store.tree(&artifact.path).unwrap();
    let content = sluice_artifact::Tree::read(&tree, "/modules/outer/deep/inner/i.yaml").unwrap();
    assert_eq!(&*content, b"i: 1", "the commit that is pinned, not the newest");
    let without = scene.fetched(scene.request()).await;
    assert_eq!(scene.archived(&without, None), ["/a.txt", "/a.yaml"]);
}

/// N24.
#[tokio::test]
async fn credentials_go_to_their_own_server_only() {
    if !git_is_present("credentials of submodules") {
        return;
    }
    let scene = Scene::new();
    let elsewhere = TempDir::new().unwrap();
    let other = Repository::init(&elsewhere.path().join("lib"));
    let lib = other.commit([("l", "1")], "lib");
    let beside = Repository::init(&scene.root.path().join("beside"));
    let beside_commit = beside.commit([("b", "1")], "beside");
    let stranger = GitServer::start(elsewhere.path());
    scene.repository.commit([("a", "1")], "one");
    add(&scene.repository, "lib", &stranger.url("lib"), &lib);
    add(&scene.repository, "beside", "../beside", &beside_commit);
    scene
        .server
        .require(Access::Basic("git".to_owned(), "token".to_owned()));
    let credentials = Credentials::Basic {
        username: "git".to_owned(),
        password: Redacted::new("token".to_owned()),
    };
    let fetched = scene
        .fetched(GitRequest {
            credentials,
            ..recursive(&scene)
        })
        .await;
    assert_eq!(scene.archived(&fetched, None), ["/a", "/beside/b", "/lib/l"]);
    let seen = stranger.take_seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|seen| seen.authorization.is_none()),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_url_names_no_file_and_no_command() {
    if !git_is_present("URLs of submodules") {
        return;
    }
    let scene = Scene::new();
    let canary = scene.root.path().join("canary");
    let commit = scene.repository.commit([("a", "1")], "one");
    let mut lines = String::new();
    let here = format!("file://{}", scene.repository.directory().display());
    let ext = format!("ext::sh -c touch% {}", canary.display());
    for url in [
        here.as_str(),
        ext.as_str(),
        "/etc",
        "../../../x",
        "--upload-pack=touch /tmp/x",
        "ssh://-oProxyCommand=touch/x",
        "git://localhost/x",
        "https://user:canary-password@localhost:1/x",
    ] {
        add(&scene.repository, "sub", url, &commit);
        let text = scene.failure(recursive(&scene)).await;
        assert!(!text.contains("canary-password"), "{text}");
        let text = text.replace(&scene.root.path().display().to_string(), "ROOT");
        lines.push_str(&format!("{text}\n"));
    }
    assert!(!canary.exists());
    expect![[r#"
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://git.example/shop': scheme 'file' of its URL is not supported; use http, https or ssh (see .gitmodules)
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://git.example/shop': its URL 'ext::sh -c touch% ROOT/canary' names no server (see .gitmodules)
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://git.example/shop': its URL '/etc' names no server (see .gitmodules)
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://git.example/shop': its URL '../../../x' leads above the root of the server (see .gitmodules)
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://git.example/shop': its URL '--upload-pack=touch /tmp/x' is refused (see .gitmodules)
        failed to checkout and determine revision: submodule 'sub': failed to parse url 'ssh://-oProxyCommand=touch/x': it has no host, or one with characters that no host has
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://git.example/shop': scheme 'git' of its URL is not supported; use http, https or ssh (see .gitmodules)
        failed to checkout and determine revision: submodule 'sub': unable to clone 'https://localhost:1/x': Connection refused (os error 111) (the server is asked again with growing delay)
    "#]].assert_eq(&lines);
}

#[tokio::test]
async fn what_is_missing_or_endless_is_said() {
    if !git_is_present("odd submodules") {
        return;
    }
    let scene = Scene::new();
    let one = scene.repository.commit(
        [
            ("a", "1"),
            (
                ".gitmodules",
                "[submodule \"x\"]\n\tpath = nowhere\n\turl = ../x\n",
            ),
        ],
        "one",
    );
    let fetched = scene.fetched(recursive(&scene)).await;
    assert_eq!(
        scene.archived(&fetched, None),
        ["/a"],
        "named, but not in the commit"
    );
    let mut lines = String::new();
    add(&scene.repository, "sub", "../shop", &"1".repeat(40));
    lines.push_str(&format!(
        "no commit: {}\n",
        scene.failure(recursive(&scene)).await
    ));
    scene.repository.git(&["reset", "--quiet", "--hard", &one]);
    scene
        .repository
        .commit([(".gitmodules", "[submodule \"x\"\n")], "broken");
    lines.push_str(&format!(
        "no config: {}\n",
        scene.failure(recursive(&scene)).await
    ));
    scene.repository.git(&["reset", "--quiet", "--hard", &one]);
    let mut last = one;
    for _ in 0..12 {
        last = add(&scene.repository, "self", "../shop", &last);
    }
    lines.push_str(&format!("too deep: {}\n", scene.failure(recursive(&scene)).await));
    expect![[r#"
        no commit: failed to checkout and determine revision: submodule 'sub': unable to resolve commit object for '1111111111111111111111111111111111111111': object not found (check spec.ref.commit; the server must be willing to give it)
        no config: failed to checkout and determine revision: unable to clone 'https://git.example/shop': .gitmodules cannot be read: Got an unexpected token on line 1 while trying to parse a section header: '[submodule' ... (5 characters omitted) (see .gitmodules)
        too deep: failed to checkout and determine revision: submodule 'self/self/self/self/self/self/self/self/self/self/self': unable to clone 'https://git.example/shop': submodules nest deeper than the limit of 10 (depth_max) (see .gitmodules)
    "#]].assert_eq(&lines);
}
