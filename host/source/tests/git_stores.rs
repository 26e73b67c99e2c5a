//! What is kept of remotes, and for how long; who serves in their place.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use sluice_api::Disposition;
use sluice_event::Redacted;
use sluice_source::{
    Addresses, Credentials, GitFetcher, GitRequest, Limits, Mirror, Outcome, Served, fetch::LocalAccess,
};
use sluice_testkit::{
    canned::Canned,
    git_server::{Access, Fault, GitServer, Repository, git_is_present},
};

use crate::support::{Scene, branch};

/// The names of the stores that are there.
fn stores(scene: &Scene) -> Vec<String> {
    let entries = fs::read_dir(scene.home.path().join("git")).unwrap().flatten();
    entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect()
}

#[tokio::test]
async fn tokens_of_one_identity_share_a_store() {
    if !git_is_present("git tokens") {
        return;
    }
    let scene = Scene::new();
    for token in ["one", "two", "three"] {
        let commit = scene.repository.commit([("a", token)], token);
        scene.server.require(Access::Bearer(token.to_owned()));
        let with = |identity| GitRequest {
            credentials: Credentials::Bearer(Redacted::new(token.to_owned())),
            identity,
            ..scene.request()
        };
        let fetched = scene.fetched(with(Some([7; 32]))).await;
        assert_eq!(fetched.commit(), commit);
    }
    assert_eq!(
        stores(&scene).len(),
        1,
        "the difference is brought, not all again"
    );
    // somebody else is somebody else
    let other = GitRequest {
        credentials: Credentials::Bearer(Redacted::new("three".to_owned())),
        identity: Some([8; 32]),
        ..scene.request()
    };
    scene.fetched(other).await;
    assert_eq!(stores(&scene).len(), 2);
}

#[tokio::test]
async fn what_nobody_asks_for_any_more_goes() {
    if !git_is_present("git leftovers") {
        return;
    }
    let limits = Limits {
        idle_slot_age_max: Duration::ZERO,
        unused_store_age_max: Duration::ZERO,
        ..Limits::default()
    };
    let scene = Scene::with(GitServer::start, limits);
    scene.repository.commit([("a", "1")], "one");
    Repository::init(&scene.root.path().join("other")).commit([("b", "1")], "one");
    let shop = scene.fetched(scene.request()).await;
    let before = stores(&scene);
    let other = GitRequest {
        url: scene.server.url("other"),
        ..scene.request()
    };
    scene.fetched(other).await;
    let after = stores(&scene);
    assert_eq!((before.len(), after.len()), (1, 1));
    assert_ne!(before, after);
    // and comes again, as something new
    let again = scene.fetched(scene.request()).await;
    assert_eq!(again.revision, shop.revision);
    scene.archived(&again, None);
}

/// How many packs each store has.
fn packs(scene: &Scene) -> Vec<usize> {
    let root = scene.home.path().join("git");
    let below = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect()
    };
    let stores = below(&root).into_iter().flat_map(|slot| below(&slot));
    let counts = stores.map(|store| {
        let files = below(&store.join("objects/pack")).into_iter();
        files
            .filter(|file| file.extension().is_some_and(|extension| extension == "pack"))
            .count()
    });
    counts.filter(|count| *count > 0).collect()
}

/// Each fetch leaves a pack, and an object is looked for in all of them.
#[tokio::test]
async fn a_store_of_many_packs_is_followed_by_a_new_one() {
    if !git_is_present("git packs without end") {
        return;
    }
    let scene = Scene::new();
    for number in 0..40 {
        let text = number.to_string();
        let commit = scene.repository.commit([("a", text.as_str())], &text);
        let fetched = scene.fetched(scene.request()).await;
        assert_eq!(fetched.commit(), commit);
        assert_eq!(scene.archived(&fetched, None), ["/a"]);
        let packs = packs(&scene);
        assert!(
            !packs.is_empty() && packs.iter().all(|count| *count <= 32),
            "{number}: {packs:?}"
        );
    }
}

/// A scene, and a mirror of its repository.
fn mirrored() -> (Scene, GitServer) {
    let scene = Scene::new();
    scene.repository.commit([("a", "1")], "one");
    let mirror = GitServer::start(scene.root.path());
    (scene, mirror)
}

async fn ask(
    scene: &Scene,
    request: GitRequest,
    mirrors: &[String],
) -> Result<(String, Option<Mirror>), String> {
    let served = scene.fetcher.fetch_anywhere(request, mirrors).await;
    let Served { outcome, mirror } = served.map_err(|error| error.to_string())?;
    let revision = match outcome {
        Outcome::Fetched(fetched) => fetched.revision.to_string(),
        Outcome::Unchanged(revision) => format!("unchanged {revision}"),
    };
    Ok((revision, mirror))
}

#[tokio::test]
async fn a_mirror_serves_where_the_remote_cannot_be_reached() {
    if !git_is_present("git mirrors") {
        return;
    }
    let (scene, mirror) = mirrored();
    let dead = "http://127.0.0.1:9/shop".to_owned();
    let mirrors = [dead, mirror.url("shop"), scene.server.url("never-asked")];
    let request = || GitRequest {
        credentials: Credentials::Basic {
            username: "git".to_owned(),
            password: Redacted::new("s3cr3t".to_owned()),
        },
        identity: Some([7; 32]),
        ..scene.request()
    };
    let (own, none) = ask(&scene, request(), &mirrors).await.unwrap();
    assert_eq!(none, None);
    assert!(
        mirror.take_seen().is_empty(),
        "nobody asks a mirror of what answers"
    );

    scene.server.misbehave(Fault::Status(503));
    let (revision, served) = ask(&scene, request(), &mirrors).await.unwrap();
    let served = served.unwrap();
    assert_eq!((revision, served.url), (own.clone(), mirror.url("shop")));
    assert!(served.cause.contains("status code: 503"), "{}", served.cause);
    let seen = mirror.take_seen();
    assert!(
        !seen.is_empty() && seen.iter().all(|seen| seen.authorization.is_none()),
        "credentials are the remote's alone: {seen:?}"
    );
    // the mirror has what is stored
    let known = GitRequest {
        last_revision: Some(own.clone()),
        ..request()
    };
    let (revision, _) = ask(&scene, known, &mirrors).await.unwrap();
    assert_eq!(revision, format!("unchanged {own}"));
    // credentials that the user gave to the mirror are the mirror's
    mirror.require(Access::Basic("me".to_owned(), "own".to_owned()));
    let with_login = mirror.url("shop").replace("://", "://me:own@");
    let (_, served) = ask(&scene, request(), &[with_login]).await.unwrap();
    assert_eq!(served.unwrap().url, mirror.url("shop"));

    // no mirror serves: all of them are named, and no password
    let error = ask(&scene, request(), &mirrors).await.unwrap_err();
    for part in [
        "status code: 503",
        "nor does its mirror serve it: unable to clone 'http://127.0.0.1:9/shop'",
        "the server answered 401 Unauthorized",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!error.contains("s3cr3t"), "{error}");
}

#[tokio::test]
async fn a_mirror_is_not_asked_where_the_remote_has_answered() {
    if !git_is_present("git mirrors") {
        return;
    }
    let (scene, mirror) = mirrored();
    let mirrors = [mirror.url("shop")];
    let absent = GitRequest {
        reference: branch("nope"),
        ..scene.request()
    };
    let error = ask(&scene, absent, &mirrors).await.unwrap_err();
    assert!(error.contains("couldn't find remote ref"), "{error}");
    for status in [401, 403, 404] {
        scene.server.misbehave(Fault::Status(status));
        let error = ask(&scene, scene.request(), &mirrors).await.unwrap_err();
        assert!(error.contains(&status.to_string()), "{error}");
    }
    assert!(mirror.take_seen().is_empty());
}

#[tokio::test]
async fn a_mirror_is_guarded_as_every_other_machine() {
    if !git_is_present("git mirrors") {
        return;
    }
    let (scene, mirror) = mirrored();
    let guarded = GitFetcher::new(
        &scene.home.path().join("guarded"),
        Limits::default(),
        LocalAccess::Denied,
        Addresses::guarded(vec![], &[]).unwrap(),
    );
    let request = GitRequest {
        url: "http://127.0.0.1:9/shop".to_owned(),
        ..scene.request()
    };
    let mirrors = [mirror.url("shop"), "file:///etc".to_owned()];
    let error = guarded
        .unwrap()
        .fetch_anywhere(request, &mirrors)
        .await
        .unwrap_err();
    let error = error.to_string();
    assert_eq!(
        error.matches("connection refused by policy").count(),
        2,
        "{error}"
    );
    assert!(error.contains("file URLs are for `sluice dev` only"), "{error}");
    assert!(mirror.take_seen().is_empty());
}

#[tokio::test]
async fn how_long_a_server_wants_to_be_left_alone_is_known() {
    let (scene, server) = (Scene::new(), Canned::start());
    for (status, header, expected) in [
        (429, "60", Some(60)),
        (403, "60", Some(60)),
        (503, "7", Some(7)),
        (429, "soon", None),
        (404, "60", None),
    ] {
        server.answer_with("GET /shop/info/refs", status, &[("Retry-After", header)], "");
        let request = GitRequest {
            url: format!("{}shop", server.base()),
            ..scene.request()
        };
        let error = scene.fetch(request).await.unwrap_err();
        assert_eq!(error.retry_after(), expected.map(Duration::from_secs), "{error}");
        if let Some(expected) = expected {
            let told = format!("to be asked again after {expected} s");
            assert!(error.to_string().contains(&told), "{error}");
        }
    }
    // GitHub says no time, and that nothing is left
    server.answer_with("GET /shop/info/refs", 403, &[("X-RateLimit-Remaining", "0")], "");
    let request = GitRequest {
        url: format!("{}shop", server.base()),
        ..scene.request()
    };
    let error = scene.fetch(request).await.unwrap_err().to_string();
    assert!(error.contains("it must be asked less often"), "{error}");
}
