use super::*;
use crate::cluster::{KubeCluster, RetryPolicy};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A server on a free port, and a client for it.
async fn server() -> (TcpListener, Direct) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/prefix", listener.local_addr().unwrap());
    let mut config = Config::new(url.parse().unwrap());
    config.auth_info.token = Some("secret-token".to_owned().into());
    let direct = Direct::new(&config).unwrap().unwrap();
    (listener, direct)
}

/// An answer without a body.
const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

fn request(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

/// Reads one request without a body.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        text.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(text).unwrap()
}

async fn write(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let (listener, direct) = server().await;
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let asked = read(&mut stream).await;
        assert!(asked.starts_with("GET /prefix/a?x=y HTTP/1.1\r\n"), "{asked}");
        assert!(
            asked.contains("authorization: Bearer secret-token\r\n"),
            "{asked}"
        );
        let host = format!("host: {}\r\n", listener.local_addr().unwrap());
        assert!(asked.contains(&host), "{asked}");
        write(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none").await;
        read(&mut stream).await;
        // in pieces, and without a length known before
        write(
            &mut stream,
            "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ntw\r\n",
        )
        .await;
        tokio::task::yield_now().await;
        write(&mut stream, "1\r\no\r\n0\r\n\r\n").await;
        stream
    };
    let ask = async {
        let first = direct.ask(request("/a?x=y")).await.unwrap();
        assert_eq!((first.status().as_u16(), &first.body()[..]), (200, &b"one"[..]));
        let second = direct.ask(request("/b")).await.unwrap();
        assert_eq!((second.status().as_u16(), &second.body()[..]), (404, &b"two"[..]));
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn what_the_server_closed_is_replaced() {
    let (listener, direct) = server().await;
    let serve = async {
        for head in ["", "Connection: close\r\n", ""] {
            let (mut stream, _) = listener.accept().await.unwrap();
            read(&mut stream).await;
            let text = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: 2\r\n\r\nok");
            write(&mut stream, &text).await;
            stream.shutdown().await.unwrap();
            // until the client has closed too
            let _rest = stream.read(&mut [0; 8]).await;
        }
    };
    let ask = async {
        for _ in 0..3 {
            let answer = direct.ask(request("/")).await.unwrap();
            assert_eq!(answer.body(), "ok");
        }
    };
    tokio::select! {
        () = ask => {}
        () = async { serve.await; std::future::pending().await } => {}
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_not_asked_for_again() {
    let (listener, direct) = server().await;
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbroken").await;
    };
    let (answer, ()) = tokio::join!(direct.ask(request("/")), serve);
    answer.unwrap_err();
    // the next one goes over a new connection
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await;
        write(&mut stream, EMPTY).await;
        stream
    };
    let (answer, _stream) = tokio::join!(direct.ask(request("/")), serve);
    assert_eq!(answer.unwrap().body(), "");
}

#[tokio::test]
async fn who_stops_waiting_closes_the_connection() {
    let (listener, direct) = server().await;
    let mut asking = Box::pin(direct.ask(request("/")));
    let mut accepted = Box::pin(async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await;
        stream
    });
    let mut stream = tokio::select! {
        _ = &mut asking => panic!("nobody answered"),
        stream = &mut accepted => stream,
    };
    drop(asking);
    assert_eq!(stream.read(&mut [0; 8]).await.unwrap(), 0, "closed");
}

#[tokio::test]
async fn what_the_server_closed_does_not_stay_open() {
    let (listener, direct) = server().await;
    let accept = async || {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await;
        stream
    };
    let mut held = Box::pin(direct.ask(request("/")));
    let mut newer = tokio::select! {
        _ = &mut held => panic!("nobody answered"),
        stream = accept() => stream,
    };
    let serve = async {
        let mut stream = accept().await;
        write(&mut stream, EMPTY).await;
        stream
    };
    let (answer, mut older) = tokio::join!(direct.ask(request("/")), serve);
    answer.unwrap();
    write(&mut newer, EMPTY).await;
    held.await.unwrap();
    // now both wait for work, and the one that would be taken last is closed
    older.shutdown().await.unwrap();
    let serve = async {
        read(&mut newer).await;
        write(&mut newer, EMPTY).await;
    };
    let (answer, ()) = tokio::join!(direct.ask(request("/")), serve);
    answer.unwrap();
    assert_eq!(older.read(&mut [0; 8]).await.unwrap(), 0, "closed here too");
}

#[tokio::test]
async fn an_endless_answer_ends() {
    let (listener, direct) = server().await;
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await;
        write(
            &mut stream,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .await;
        let piece = format!("100000\r\n{}\r\n", "x".repeat(1 << 20));
        while stream.write_all(piece.as_bytes()).await.is_ok() {}
    };
    let ask = async {
        let error = direct.ask(request("/a")).await.unwrap_err();
        assert_eq!(error.to_string(), "length limit exceeded");
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn a_list_that_is_never_answered_fails() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config::new(
        format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap(),
    );
    let retry = RetryPolicy {
        silence: std::time::Duration::from_millis(50),
        ..RetryPolicy::default()
    };
    let cluster = KubeCluster::connect(config, retry).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        read(&mut stream).await;
        stream
    };
    let (_stream, answer) = tokio::join!(
        serve,
        cluster
            .client()
            .request_text(http::Request::get("/api/v1/configmaps").body(Vec::new()).unwrap())
    );
    assert!(
        matches!(answer, Err(kube::Error::HyperError(_) | kube::Error::Service(_))),
        "{answer:?}"
    );
}
