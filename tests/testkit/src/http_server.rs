//! An HTTP server for tests, small enough to misbehave in any way.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]
// the registry misbehaves in most of these ways
#![cfg_attr(not(feature = "registry"), allow(dead_code))]

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// One request that a server got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header, where there was one.
    pub authorization: Option<String>,
}

/// A server on a free port of this machine; it stops when dropped.
pub(crate) struct Listener {
    address: SocketAddr,
    scheme: &'static str,
    stopping: Arc<AtomicBool>,
}

impl Listener {
    /// Answers each request with `handle`, which also has the socket below the stream.
    pub(crate) fn start(
        tls: Option<Arc<rustls::ServerConfig>>,
        handle: impl Fn(&Request, &mut dyn Stream, &TcpStream) -> io::Result<()> + Send + Sync + 'static,
    ) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let server = Listener {
            address: listener.local_addr().expect("a bound listener has an address"),
            scheme: if tls.is_some() { "https" } else { "http" },
            stopping: Arc::default(),
        };
        let (stopping, handle) = (Arc::clone(&server.stopping), Arc::new(handle));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (tls, handle) = (tls.clone(), Arc::clone(&handle));
                std::thread::spawn(move || {
                    // A client that goes away is part of many tests.
                    let _gone: io::Result<()> = converse(stream, tls, &*handle);
                });
            }
        });
        server
    }

    /// `http://localhost:<port>`.
    pub(crate) fn base(&self) -> String {
        format!("{}://{}", self.scheme, self.host())
    }

    /// `localhost:<port>`.
    pub(crate) fn host(&self) -> String {
        format!("localhost:{}", self.address.port())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address)); // wakes the listener
    }
}

pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn converse(
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    handle: &dyn Fn(&Request, &mut dyn Stream, &TcpStream) -> io::Result<()>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    // a head and a body are two writes, and the second would wait until the first is acknowledged
    stream.set_nodelay(true)?;
    let waiter = stream.try_clone()?;
    let stream: Box<dyn Stream> = match tls {
        None => Box::new(stream),
        Some(config) => {
            let connection = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
            Box::new(rustls::StreamOwned::new(connection, stream))
        }
    };
    let mut stream = BufReader::new(stream);
    while let Some(request) = Request::read(&mut stream)? {
        handle(&request, stream.get_mut(), &waiter)?;
    }
    Ok(())
}

/// A request, read whole.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    fn read(stream: &mut impl BufRead) -> io::Result<Option<Request>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_whitespace();
        let method = words.next().unwrap_or_default().to_owned();
        let target = words.next().unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else {
                break;
            };
            headers.insert(name.to_lowercase(), value.trim().to_owned());
        }
        let length = headers
            .get("content-length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        stream.read_exact(&mut body)?;
        Ok(Some(Request {
            method,
            path,
            query,
            headers,
            body,
        }))
    }

    pub(crate) fn seen(&self) -> Seen {
        let target = if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        };
        Seen {
            method: self.method.clone(),
            target,
            authorization: self.headers.get("authorization").cloned(),
        }
    }
}

/// How long a byte takes that is sent slowly.
const SLOW_PACE: Duration = Duration::from_millis(5);

/// An answer.
pub(crate) struct Response {
    pub(crate) status: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn new(status: &str, body: &[u8]) -> Response {
        Response {
            status: status.to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
        }
    }

    pub(crate) fn unauthorized(challenge: &str) -> Response {
        let mut response = Response::new("401 Unauthorized", b"");
        response
            .headers
            .push(("WWW-Authenticate".to_owned(), challenge.to_owned()));
        response
    }

    /// Sends it, its length announced.
    pub(crate) fn send(&self, stream: &mut dyn Stream) -> io::Result<()> {
        stream.write_all(self.head(Some(self.body.len())).as_bytes())?;
        stream.write_all(&self.body)?;
        stream.flush()
    }

    /// Announces the whole, sends this many bytes of it and closes the connection.
    pub(crate) fn send_cut(&self, length: usize, stream: &mut dyn Stream) -> io::Result<()> {
        stream.write_all(self.head(Some(self.body.len())).as_bytes())?;
        stream.write_all(self.body.get(..length).unwrap_or(&self.body))?;
        stream.flush()?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Sends it byte by byte.
    pub(crate) fn send_slowly(&self, stream: &mut dyn Stream, socket: &TcpStream) -> io::Result<()> {
        stream.write_all(self.head(Some(self.body.len())).as_bytes())?;
        for byte in &self.body {
            stream.write_all(std::slice::from_ref(byte))?;
            stream.flush()?;
            wait(socket, SLOW_PACE)?;
        }
        Ok(())
    }

    pub(crate) fn head(&self, length: Option<usize>) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let length = length
            .map(|length| format!("Content-Length: {length}\r\n"))
            .unwrap_or_default();
        format!("HTTP/1.1 {}\r\n{headers}{length}\r\n", self.status)
    }
}

/// The header of user and password.
pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}")))
}

/// Enough of base64 for a header.
pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for chunk in bytes.as_ref().chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            encoded.push(if at > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    encoded
}

/// Sends the same again until the client has enough.
pub(crate) fn forever(stream: &mut dyn Stream, chunk: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(chunk)?;
    }
}

/// Holds the connection until the client closes it.
pub(crate) fn hang(socket: &TcpStream) -> io::Result<()> {
    socket.set_read_timeout(None)?;
    let mut socket = socket;
    while socket.read(&mut [0; 64])? > 0 {}
    Err(io::ErrorKind::ConnectionAborted.into())
}

/// Waits without sleeping: nothing more is to be read while a response is awaited.
fn wait(socket: &TcpStream, time: Duration) -> io::Result<()> {
    socket.set_read_timeout(Some(time))?;
    match socket.peek(&mut [0; 1]) {
        Ok(0) => Err(io::ErrorKind::ConnectionAborted.into()),
        _ => Ok(()),
    }
}
