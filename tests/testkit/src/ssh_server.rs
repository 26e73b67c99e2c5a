//! An SSH server for tests: `git upload-pack` behind russh's server, which can misbehave; and the real sshd where it is.
//!
//! Tests may start `git` and `sshd`; the product never does.
#![allow(
    clippy::missing_panics_doc,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod sshd;

use std::{
    collections::HashMap,
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{ChildStdin, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use russh::{
    Channel, ChannelId,
    keys::{Algorithm, Certificate, PrivateKey, PublicKey, key::safe_rng},
    server::{self, Auth, ChannelOpenHandle, Config, Msg, Server as _, Session, VerifiedPublicKey},
};
use tokio::{net::TcpListener, runtime::Handle, sync::oneshot};

use crate::git_server::repository::git_command;

pub use russh::keys as ssh_keys;
pub use sshd::Sshd;

/// One way to misbehave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SshFault {
    /// None.
    #[default]
    None,
    /// Starts the command and never answers.
    Hang,
    /// Does not hear which version of Git's protocol is wanted.
    DeafToVersion,
    /// Says this to the user and ends the command.
    Say(String),
    /// Writes without end.
    Endless,
    /// Ends the connection after this many bytes.
    Cut(usize),
}

#[derive(Default)]
struct Shared {
    guests: Vec<PublicKey>,
    fault: SshFault,
    seen: Vec<String>,
}

/// A running server; it stops when dropped.
pub struct SshServer {
    port: u16,
    host_key: PrivateKey,
    shared: Arc<Mutex<Shared>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A new key.
pub fn new_key(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::random(&mut safe_rng(), algorithm).expect("a key")
}

impl SshServer {
    /// Serves the repositories below `root`, with a new ed25519 key.
    pub fn start(root: &Path) -> SshServer {
        SshServer::start_as(root, new_key(Algorithm::Ed25519), Vec::new())
    }

    /// Serves them as the owner of a key, and of certificates for it.
    pub fn start_as(root: &Path, host_key: PrivateKey, certificates: Vec<Certificate>) -> SshServer {
        let shared = Arc::<Mutex<Shared>>::default();
        let (stop, stopped) = oneshot::channel();
        let (tell, told) = std::sync::mpsc::channel();
        let config = Config {
            keys: vec![host_key.clone()],
            certificates,
            auth_rejection_time: Duration::ZERO,
            auth_rejection_time_initial: Some(Duration::ZERO),
            nodelay: true,
            ..Config::default()
        };
        let mut guests = Guests {
            root: root.to_owned(),
            shared: Arc::clone(&shared),
        };
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let socket = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
                tell.send(socket.local_addr().expect("an address").port())
                    .expect("somebody waits");
                let serving = guests.run_on_socket(Arc::new(config), &socket);
                tokio::select! {
                    _ = serving => {}
                    _ = stopped => {}
                }
            });
        });
        SshServer {
            port: told.recv().expect("the server starts"),
            host_key,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// The URL of a repository below the root.
    pub fn url(&self, repository: &str) -> String {
        format!("ssh://git@127.0.0.1:{}/{repository}", self.port)
    }

    /// The port on this machine.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The line of `known_hosts` that names this server.
    pub fn known_hosts(&self) -> String {
        let key = self.host_key.public_key().to_openssh().expect("a public key");
        format!("[127.0.0.1]:{} {key}\n", self.port)
    }

    /// Lets the owner of a key in.
    pub fn let_in(&self, key: &PublicKey) {
        lock(&self.shared).guests.push(key.clone());
    }

    /// How to misbehave from now on.
    pub fn misbehave(&self, fault: SshFault) {
        lock(&self.shared).fault = fault;
    }

    /// What was asked since this was called last: commands, variables, users that were refused.
    pub fn take_seen(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.shared).seen)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

struct Guests {
    root: PathBuf,
    shared: Arc<Mutex<Shared>>,
}

impl server::Server for Guests {
    type Handler = Guest;

    fn new_client(&mut self, _: Option<std::net::SocketAddr>) -> Guest {
        Guest {
            root: self.root.clone(),
            shared: Arc::clone(&self.shared),
            variables: HashMap::new(),
            inputs: HashMap::new(),
        }
    }
}

/// One connection.
struct Guest {
    root: PathBuf,
    shared: Arc<Mutex<Shared>>,
    variables: HashMap<String, String>,
    inputs: HashMap<ChannelId, ChildStdin>,
}

impl server::Handler for Guest {
    type Error = russh::Error;

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let mut shared = lock(&self.shared);
        let is_guest = shared
            .guests
            .iter()
            .any(|guest| guest.key_data() == key.public_key.key_data());
        shared.seen.push(format!("{user} {} {is_guest}", key.algorithm));
        match is_guest {
            true => Ok(Auth::Accept),
            false => Ok(Auth::reject()),
        }
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        reply.accept().await;
        Ok(())
    }

    async fn env_request(
        &mut self,
        _channel: ChannelId,
        name: &str,
        value: &str,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        self.variables.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        command: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let command = String::from_utf8_lossy(command).into_owned();
        let fault = {
            let mut shared = lock(&self.shared);
            shared.seen.push(command.clone());
            shared.fault.clone()
        };
        session.channel_success(channel)?;
        let output = Output {
            runtime: Handle::current(),
            handle: session.handle(),
            channel,
        };
        match fault {
            SshFault::Hang => {}
            SshFault::Say(text) => {
                std::thread::spawn(move || {
                    output.say(text.as_bytes());
                    output.end(128);
                });
            }
            SshFault::Endless => {
                let packet = |line: String| format!("{:04x}{line}", line.len() + 4).into_bytes();
                let hash = "1".repeat(40);
                let first = packet(format!("{hash} HEAD\0agent=test\n"));
                let line = packet(format!("{hash} refs/heads/{}\n", "x".repeat(900)));
                std::thread::spawn(move || {
                    let mut goes_on = output.write(&first);
                    while goes_on {
                        goes_on = output.write(&line);
                    }
                });
            }
            fault => {
                let version = self
                    .variables
                    .get("GIT_PROTOCOL")
                    .filter(|_| fault != SshFault::DeafToVersion);
                let limit = match fault {
                    SshFault::Cut(limit) => limit,
                    _ => usize::MAX,
                };
                if let Some(input) = upload_pack(&self.root, &command, version, output, limit) {
                    self.inputs.insert(channel, input);
                }
            }
        }
        Ok(())
    }

    async fn data(
        &mut self,
        channel: ChannelId,
        data: &[u8],
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        if let Some(input) = self.inputs.get_mut(&channel) {
            let _ended: std::io::Result<()> = input.write_all(data).and_then(|()| input.flush());
        }
        Ok(())
    }

    async fn channel_eof(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), russh::Error> {
        self.inputs.remove(&channel);
        Ok(())
    }
}

/// Where a command writes.
struct Output {
    runtime: Handle,
    handle: server::Handle,
    channel: ChannelId,
}

impl Output {
    fn write(&self, bytes: &[u8]) -> bool {
        let sending = self.handle.data(self.channel, bytes.to_vec());
        self.runtime.block_on(sending).is_ok()
    }

    fn say(&self, bytes: &[u8]) {
        let _gone = self
            .runtime
            .block_on(self.handle.extended_data(self.channel, 1, bytes.to_vec()));
    }

    fn end(&self, status: u32) {
        self.runtime.block_on(async {
            let _gone = self.handle.exit_status_request(self.channel, status).await;
            let _gone = self.handle.eof(self.channel).await;
            let _gone = self.handle.close(self.channel).await;
        });
    }
}

/// Starts `git upload-pack` where the command is that, and lets threads carry what it writes.
fn upload_pack(
    root: &Path,
    command: &str,
    version: Option<&String>,
    output: Output,
    limit: usize,
) -> Option<ChildStdin> {
    let path = command
        .strip_prefix("git-upload-pack '/")
        .and_then(|rest| rest.strip_suffix('\''));
    let Some(path) = path else {
        std::thread::spawn(move || {
            output.say(b"what?\n");
            output.end(127);
        });
        return None;
    };
    let mut git = git_command(root);
    git.arg("upload-pack").arg(root.join(path));
    if let Some(version) = version {
        git.env("GIT_PROTOCOL", version);
    }
    let pipes = git
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("git can be started");
    let input = child.stdin.take();
    let (mut out, mut err) = (
        child.stdout.take().expect("a pipe"),
        child.stderr.take().expect("a pipe"),
    );
    std::thread::spawn(move || {
        let (mut left, mut buffer) = (limit, vec![0; 16 << 10]);
        while let Ok(read) = out.read(&mut buffer)
            && read > 0
        {
            let part = &buffer[..read.min(left)];
            left -= part.len();
            if !output.write(part) || left == 0 {
                break;
            }
        }
        if left == 0 {
            let _ended: std::io::Result<()> = child.kill();
        }
        let mut said = Vec::new();
        let _broken: std::io::Result<usize> = err.read_to_end(&mut said);
        if !said.is_empty() {
            output.say(&said);
        }
        let _killed: std::io::Result<()> = child.kill();
        let status = child.wait().ok().and_then(|status| status.code()).unwrap_or(1);
        output.end(u32::try_from(status).unwrap_or(1));
    });
    input
}
