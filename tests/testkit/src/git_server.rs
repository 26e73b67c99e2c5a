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

mod faults;
pub(crate) mod repository;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::http_server::{Listener, Request, Response, basic};

pub use crate::{authority::Authority, http_server::Seen};
pub use faults::Fault;
pub use repository::Repository;

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
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
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
        let shared = Arc::<Mutex<Shared>>::default();
        let own = Arc::clone(&shared);
        let listener = Listener::start(tls, move |request, stream, socket| {
            let (access, fault) = {
                let mut shared = lock(&own);
                shared.seen.push(request.seen());
                (shared.access.clone(), shared.fault.clone())
            };
            let response = if is_allowed(request, &access) {
                backend(&root, request)?
            } else {
                Response::unauthorized("Basic realm=\"test\"")
            };
            faults::answer(&fault, request, response, stream, socket)
        });
        GitServer { listener, shared }
    }

    /// The URL of a repository below the root.
    pub fn url(&self, repository: &str) -> String {
        format!("{}/{repository}", self.listener.base())
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

/// Whether the request carries what `access` asks for.
fn is_allowed(request: &Request, access: &Access) -> bool {
    let given = request.headers.get("authorization").map(String::as_str);
    match access {
        Access::Open => true,
        Access::Basic(user, password) => given == Some(&basic(user, password)),
        Access::Bearer(token) => given == Some(&format!("Bearer {token}")),
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
