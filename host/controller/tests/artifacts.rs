//! Opening artifacts by their URL: whom it asks, and what it believes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use sluice_artifact::store::{DirectoryEntry, EntryContent, Limits};
use sluice_artifact::{Digest, Store};
use sluice_controller::{ArtifactFacts, Artifacts};
use sluice_source::Addresses;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An archive of one file.
fn archive() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), Limits::default()).unwrap();
    let mut draft = store.draft();
    let entry = DirectoryEntry {
        name: "a.yaml".to_owned(),
        content: EntryContent::File {
            blob: draft.blob(b"a: 1").unwrap(),
            size: 4,
            is_executable: false,
        },
    };
    let root = draft.directory(vec![entry]).unwrap();
    let path = "gitrepository/a/b/c".parse().unwrap();
    draft.commit(&path, "1", root).unwrap();
    let mut archive = Vec::new();
    store.write_archive(&path, &mut archive).unwrap();
    archive
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_url_leads_nowhere_that_sources_may_not_ask() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let archive = archive();
    let digest = Digest::of(&archive).to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let router = Router::new()
        .route(
            "/a.tar.gz",
            get(move || async move {
                count.fetch_add(1, Ordering::Relaxed);
                archive
            }),
        )
        .route(
            "/elsewhere",
            get(|| async { (StatusCode::FOUND, [(header::LOCATION, "/a.tar.gz")]) }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let facts = |url: String| ArtifactFacts {
        path: "externalartifact/a/b/c".to_owned(),
        url,
        revision: "1".to_owned(),
        digest: digest.clone(),
        origin_revision: None,
    };
    let guarded = Addresses::guarded(vec![], &[]).unwrap();
    let artifacts = Artifacts::asking(None, guarded).unwrap();
    for url in [
        format!("http://127.0.0.1:{port}/a.tar.gz"),
        format!("http://localhost:{port}/a.tar.gz"),
    ] {
        let error = artifacts
            .open(&facts(url.clone()))
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("connection refused by policy: address "),
            "{url}: {error}"
        );
        assert!(
            error.starts_with("failed to download archive: "),
            "{url}: {error}"
        );
    }
    let error = artifacts.open(&facts("no url".to_owned())).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "failed to download archive: 'no url': relative URL without a base"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 0);

    let artifacts = Artifacts::new(None).unwrap();
    let sent_on = format!("http://127.0.0.1:{port}/elsewhere");
    let error = artifacts.open(&facts(sent_on.clone())).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!(
            "failed to download archive: {sent_on} leads elsewhere: put the final address into status.artifact.url"
        )
    );
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let facts = facts(format!("http://127.0.0.1:{port}/a.tar.gz"));
    let opened = tokio::join!(artifacts.open(&facts), artifacts.open(&facts));
    for tree in [opened.0, opened.1, artifacts.open(&facts).await] {
        assert_eq!(*tree.ok().unwrap().read("/a.yaml").unwrap(), *b"a: 1");
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1, "it is brought once");
    server.abort();
}
