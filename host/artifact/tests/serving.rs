//! The HTTP face, asked over a socket.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::net::SocketAddr;
use std::time::Duration;

use expect_test::expect;
use sluice_artifact::{
    Artifact, Digest, Store, serve,
    store::{DirectoryEntry, EntryContent, Limits},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Head and body of the answer; both empty where the connection breaks before there is a head.
async fn ask(address: SocketAddr, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request}\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return (String::new(), Vec::new());
    };
    (
        String::from_utf8_lossy(&bytes[..end]).into_owned(),
        bytes[end + 4..].to_vec(),
    )
}

fn put(store: &Store) -> Artifact {
    let mut draft = store.draft();
    let content = vec![b'x'; 1 << 20];
    let blob = draft.blob(&content).unwrap();
    let file = EntryContent::File {
        blob,
        size: content.len() as u64,
        is_executable: false,
    };
    let root = draft
        .directory(vec![DirectoryEntry {
            name: "a".to_owned(),
            content: file,
        }])
        .unwrap();
    draft
        .commit(
            &"gitrepository/ns/shop/aa.tar.gz".parse().unwrap(),
            "main@sha1:aa",
            root,
        )
        .unwrap()
}

#[tokio::test]
async fn known_artifacts_are_served_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Limits::default()).unwrap();
    let artifact = put(&store);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(serve::serve(
        listener,
        store.clone(),
        serve::Limits::default(),
        async {
            stopped.await.ok();
        },
    ));

    let url = "/gitrepository/ns/shop/aa.tar.gz";
    let (head, body) = ask(address, &format!("GET {url} HTTP/1.1")).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(
        (Digest::of(&body), body.len() as u64),
        (artifact.digest, artifact.size)
    );
    assert!(head.contains(&format!("etag: \"{}\"", artifact.digest)), "{head}");
    let modified = head
        .lines()
        .find_map(|line| line.strip_prefix("last-modified: "))
        .unwrap()
        .to_owned();

    let mut transcript = String::new();
    for request in [
        "GET / HTTP/1.1".to_owned(),
        format!("HEAD {url} HTTP/1.1"),
        format!("GET {url} HTTP/1.1\r\nif-none-match: \"{}\"", artifact.digest),
        format!("GET {url} HTTP/1.1\r\nif-none-match: \"other\""),
        format!("GET {url} HTTP/1.1\r\nif-modified-since: {modified}"),
        format!("POST {url} HTTP/1.1"),
        "GET /gitrepository/ns/shop/bb.tar.gz HTTP/1.1".to_owned(),
        "GET /gitrepository/ns/shop HTTP/1.1".to_owned(),
        "GET /segments/0.seg HTTP/1.1".to_owned(),
        "GET /artifacts/gitrepository/ns/shop/aa.tar.gz.json HTTP/1.1".to_owned(),
        "GET /gitrepository/ns/shop/..%2f..%2f..%2fsegments%2f0.seg HTTP/1.1".to_owned(),
        "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1".to_owned(),
    ] {
        let (head, body) = ask(address, &request).await;
        let request = request
            .replace(&artifact.digest.to_string(), "DIGEST")
            .replace(&modified, "MODIFIED");
        let line = head.lines().next().unwrap_or_default();
        transcript += &format!("{request:?} -> {line}, {} bytes\n", body.len().min(100));
    }
    expect![[r#"
        "GET / HTTP/1.1" -> HTTP/1.1 200 OK, 17 bytes
        "HEAD /gitrepository/ns/shop/aa.tar.gz HTTP/1.1" -> HTTP/1.1 200 OK, 0 bytes
        "GET /gitrepository/ns/shop/aa.tar.gz HTTP/1.1\r\nif-none-match: \"DIGEST\"" -> HTTP/1.1 304 Not Modified, 0 bytes
        "GET /gitrepository/ns/shop/aa.tar.gz HTTP/1.1\r\nif-none-match: \"other\"" -> HTTP/1.1 200 OK, 100 bytes
        "GET /gitrepository/ns/shop/aa.tar.gz HTTP/1.1\r\nif-modified-since: MODIFIED" -> HTTP/1.1 304 Not Modified, 0 bytes
        "POST /gitrepository/ns/shop/aa.tar.gz HTTP/1.1" -> HTTP/1.1 405 Method Not Allowed, 0 bytes
        "GET /gitrepository/ns/shop/bb.tar.gz HTTP/1.1" -> HTTP/1.1 404 Not Found, 0 bytes
        "GET /gitrepository/ns/shop HTTP/1.1" -> HTTP/1.1 404 Not Found, 0 bytes
        "GET /segments/0.seg HTTP/1.1" -> HTTP/1.1 404 Not Found, 0 bytes
        "GET /artifacts/gitrepository/ns/shop/aa.tar.gz.json HTTP/1.1" -> HTTP/1.1 404 Not Found, 0 bytes
        "GET /gitrepository/ns/shop/..%2f..%2f..%2fsegments%2f0.seg HTTP/1.1" -> HTTP/1.1 404 Not Found, 0 bytes
        "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1" -> HTTP/1.1 404 Not Found, 0 bytes
    "#]].assert_eq(&transcript);

    // A damaged content: the connection breaks, no wrong bytes pass as right ones.
    let segment = directory.path().join("segments/0.seg");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let (_, body) = ask(address, &format!("GET {url} HTTP/1.1")).await;
    assert!((body.len() as u64) < artifact.size);
    let (head, _) = ask(address, &format!("GET {url} HTTP/1.1")).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");

    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

/// A file that fits into no buffer on the way.
fn put_large(store: &Store) -> Artifact {
    let mut draft = store.draft();
    let blob = draft.blob(&vec![b'x'; 32 << 20]).unwrap();
    draft
        .commit_file(&"bucket/ns/large/aa".parse().unwrap(), "sha256:aa", blob)
        .unwrap()
}

async fn ask_and_do_not_read(address: SocketAddr, artifact: &Artifact) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", artifact.path);
    stream.write_all(request.as_bytes()).await.unwrap();
    // it is being answered
    stream.read_exact(&mut [0; 12]).await.unwrap();
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_read_keeps_nobody_waiting() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Limits::default()).unwrap();
    let (small, large) = (put(&store), put_large(&store));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let limits = serve::Limits {
        concurrent_archives_max: 1,
        stall_max: Duration::from_millis(100),
        grace: Duration::ZERO,
        ..serve::Limits::default()
    };
    let stop_it = async {
        stopped.await.ok();
    };
    let server = tokio::spawn(serve::serve(listener, store, limits, stop_it));
    let idle = [
        ask_and_do_not_read(address, &large).await,
        ask_and_do_not_read(address, &large).await,
    ];
    let (head, body) = ask(address, &format!("GET /{} HTTP/1.1", small.path)).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert_eq!(Digest::of(&body), small.digest);
    // nor does it keep the process from ending
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waited_long_enough_is_told_to_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Limits::default()).unwrap();
    let (small, large) = (put(&store), put_large(&store));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = serve::Limits {
        concurrent_archives_max: 1,
        wait_max: Duration::ZERO,
        ..serve::Limits::default()
    };
    let server = tokio::spawn(serve::serve(listener, store, limits, std::future::pending()));
    let idle = ask_and_do_not_read(address, &large).await;
    let (head, _) = ask(address, &format!("GET /{} HTTP/1.1", small.path)).await;
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    assert!(head.contains("retry-after: 5"), "{head}");
    drop(idle);
    server.abort();
}
