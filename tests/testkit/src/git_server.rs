//! A Git server for tests: `git http-backend` behind an HTTP server that can misbehave.
//!
//! Tests may start `git`; the product never does.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod authority;
mod faults;
mod repository;

use std::{
    collections::HashMap,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

pub use authority::Authority;
pub use faults::Fault;
pub use repository::Repository;

/// One request that the server got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// `GET` or `POST`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The header, where there was one.
    pub authorization: Option<String>,
}

/// Who may read.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// Everybody.
    #[default]
    Open,
    /// One user with one password.
    Basic(String, String),
    /// Whoever has the token.
    Bearer(String),
}

#[derive(Default)]
struct Shared {
    access: Access,
    fault: Fault,
    seen: Vec<Seen>,
}

/// A running server; it stops when dropped.
pub struct GitServer {
    address: SocketAddr,
    scheme: &'static str,
    shared: Arc<Mutex<Shared>>,
    stopping: Arc<AtomicBool>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GitServer {
    /// Serves the repositories below `root` over http.
    pub fn start(root: &Path) -> GitServer {
        GitServer::serve(root.to_owned(), None)
    }

    /// Serves them over https, with a certificate of `authority` for `localhost`.
    pub fn start_tls(root: &Path, authority: &Authority) -> GitServer {
        GitServer::serve(root.to_owned(), Some(authority.server_config(None)))
    }

    /// As [`GitServer::start_tls`], asking for a client certificate of the same authority.
    pub fn start_mutual_tls(root: &Path, authority: &Authority) -> GitServer {
        GitServer::serve(root.to_owned(), Some(authority.server_config(Some(authority))))
    }

    fn serve(root: PathBuf, tls: Option<Arc<rustls::ServerConfig>>) -> GitServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let server = GitServer {
            address,
            scheme,
            shared: Arc::default(),
            stopping: Arc::default(),
        };
        let (shared, stopping) = (Arc::clone(&server.shared), Arc::clone(&server.stopping));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let (root, tls, shared) = (root.clone(), tls.clone(), Arc::clone(&shared));
                std::thread::spawn(move || {
                    // A client that goes away is part of many tests.
                    let _gone: io::Result<()> = converse(stream, tls, &root, &shared);
                });
            }
        });
        server
    }

    /// The URL of a repository below the root.
    pub fn url(&self, repository: &str) -> String {
        format!("{}://localhost:{}/{repository}", self.scheme, self.address.port())
    }

    /// Who may read from now on.
    pub fn require(&self, access: Access) {
        lock(&self.shared).access = access;
    }

    /// How to misbehave from now on.
    pub fn misbehave(&self, fault: Fault) {
        lock(&self.shared).fault = fault;
    }

    /// What was asked since this was called last.
    pub fn take_seen(&self) -> Vec<Seen> {
        std::mem::take(&mut lock(&self.shared).seen)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Relaxed);
        drop(TcpStream::connect(self.address)); // wakes the listener
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn converse(
    stream: TcpStream,
    tls: Option<Arc<rustls::ServerConfig>>,
    root: &Path,
    shared: &Mutex<Shared>,
) -> io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
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
        let (access, fault) = {
            let mut shared = lock(shared);
            shared.seen.push(request.seen());
            (shared.access.clone(), shared.fault.clone())
        };
        let response = if request.is_allowed(&access) {
            backend(root, &request)?
        } else {
            Response::unauthorized()
        };
        faults::answer(&fault, &request, response, stream.get_mut(), &waiter)?;
    }
    Ok(())
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
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

    fn seen(&self) -> Seen {
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

    fn is_allowed(&self, access: &Access) -> bool {
        let given = self.headers.get("authorization").map(String::as_str);
        match access {
            Access::Open => true,
            Access::Basic(user, password) => {
                let expected = repository::base64(&format!("{user}:{password}"));
                given == Some(&format!("Basic {expected}"))
            }
            Access::Bearer(token) => given == Some(&format!("Bearer {token}")),
        }
    }
}

struct Response {
    status: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Response {
    fn new(status: &str, body: &[u8]) -> Response {
        Response {
            status: status.to_owned(),
            headers: Vec::new(),
            body: body.to_vec(),
        }
    }

    fn unauthorized() -> Response {
        let mut response = Response::new("401 Unauthorized", b"");
        response
            .headers
            .push(("WWW-Authenticate".to_owned(), "Basic realm=\"test\"".to_owned()));
        response
    }

    fn head(&self, length: Option<usize>) -> String {
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

/// Asks `git http-backend`, the reference of the protocol.
fn backend(root: &Path, request: &Request) -> io::Result<Response> {
    let header = |name: &str| request.headers.get(name).cloned().unwrap_or_default();
    let mut git = repository::git_command(root)
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = git.stdin.take().expect("stdin is piped");
    let body = request.body.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&body));
    let output = git.wait_with_output()?.stdout;
    let _closed_early = writer.join();
    let end = output
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or(output.len());
    let (head, body) = output.split_at(end);
    let mut response = Response::new("200 OK", body.get(4..).unwrap_or_default());
    for line in String::from_utf8_lossy(head).lines() {
        match line.split_once(": ") {
            Some(("Status", status)) => response.status = status.to_owned(),
            Some((name, value)) => response.headers.push((name.to_owned(), value.to_owned())),
            None => {}
        }
    }
    Ok(response)
}

/// Whether `git` can be started here; a loud line where not.
#[allow(clippy::print_stderr)]
pub fn git_is_present(what: &str) -> bool {
    let is_present = Command::new("git")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !is_present {
        eprintln!("SKIPPED: {what}: git is not installed");
    }
    is_present
}
