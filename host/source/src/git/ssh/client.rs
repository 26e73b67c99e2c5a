//! Connecting, knowing the server, being known to it, starting the command.

use std::{
    io,
    net::{Shutdown, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use russh::{
    AlgorithmKind, Channel, ChannelMsg,
    client::{self, AuthResult, Handle, Msg},
    keys::{HashAlg, PrivateKeyWithHashAlg, PublicKeyOrCertificate},
};

use super::{
    Error, SshAlgorithms, SshPlace,
    dial::dial,
    identity::private_key,
    known_hosts::{Known, KnownHosts, Stranger},
    options::rsa_digest,
};
use crate::{Proxy, SshIdentity, http::Addresses};

/// Bytes that the server may send ahead of what is read.
const WINDOW_SIZE: u32 = 2 << 20;

/// A started command, and the connection it needs.
pub(super) struct Session {
    pub(super) handle: Handle<Server>,
    pub(super) channel: Channel<Msg>,
    pub(super) hangup: Hangup,
}

/// Ends the connection when it goes. russh reads from it in a task of its own, which waits for a silent server for good,
/// whoever gave up meanwhile.
pub(super) struct Hangup(TcpStream);

impl Hangup {
    fn of(socket: tokio::net::TcpStream) -> io::Result<(tokio::net::TcpStream, Hangup)> {
        let socket = socket.into_std()?;
        let hangup = Hangup(socket.try_clone()?);
        Ok((tokio::net::TcpStream::from_std(socket)?, hangup))
    }
}

impl Drop for Hangup {
    fn drop(&mut self) {
        let _closed_already: io::Result<()> = self.0.shutdown(Shutdown::Both);
    }
}

/// What we know of the server, and what we found.
pub(super) struct Server {
    known: Known,
    verdict: Arc<Mutex<Option<Stranger>>>,
}

impl client::Handler for Server {
    type Error = russh::Error;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let checked = self.known.check(offered, now.as_secs());
        let is_known = checked.is_ok();
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = checked.err();
        Ok(is_known)
    }
}

pub(super) async fn open(
    place: &SshPlace,
    identity: &SshIdentity,
    algorithms: &SshAlgorithms,
    proxy: Option<&Proxy>,
    addresses: &Addresses,
) -> Result<Session, Error> {
    let known = KnownHosts::parse(&identity.known_hosts)
        .map_err(|problem| Error::Identity(format!("'known_hosts' cannot be used: {problem}")))?
        .of(&place.host, place.port);
    let key = private_key(identity)
        .map_err(|problem| Error::Identity(format!("'identity' cannot be used: {problem}")))?;
    let config = client::Config {
        client_id: russh::SshId::Standard(concat!("SSH-2.0-sluice_", env!("CARGO_PKG_VERSION")).into()),
        preferred: algorithms.preferred(known.algorithms(), known.has_authority()),
        window_size: WINDOW_SIZE,
        nodelay: true,
        ..client::Config::default()
    };
    let verdict = Arc::<Mutex<Option<Stranger>>>::default();
    let server = Server {
        known,
        verdict: Arc::clone(&verdict),
    };
    let socket = dial(place, proxy, addresses).await?;
    let (socket, hangup) = Hangup::of(socket).map_err(|error| Error::Transport(error.to_string()))?;
    let connected = client::connect_stream(Arc::new(config), socket, server).await;
    let mut handle = connected.map_err(|error| {
        let stranger = verdict.lock().unwrap_or_else(PoisonError::into_inner).take();
        stranger.map_or_else(|| explain(&error), Error::Stranger)
    })?;
    authenticate(&mut handle, place, key).await?;
    let channel = start(&handle, place).await?;
    Ok(Session {
        handle,
        channel,
        hangup,
    })
}

async fn authenticate(
    handle: &mut Handle<Server>,
    place: &SshPlace,
    key: russh::keys::PrivateKey,
) -> Result<(), Error> {
    let shown = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
    let digest = match key.algorithm().is_rsa() {
        true => {
            let accepted = handle
                .best_supported_rsa_hash()
                .await
                .map_err(|error| explain(&error))?;
            Some(rsa_digest(accepted).map_err(Error::NoCommonAlgorithm)?)
        }
        false => None,
    };
    let key = PrivateKeyWithHashAlg::new(Arc::new(key), digest);
    let answer = handle.authenticate_publickey(&place.user, key).await;
    match answer.map_err(|error| explain(&error))? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } => Err(Error::Unauthenticated {
            user: place.user.clone(),
            key: shown,
        }),
    }
}

async fn start(handle: &Handle<Server>, place: &SshPlace) -> Result<Channel<Msg>, Error> {
    let failed = |error: russh::Error| explain(&error);
    let mut channel = handle.channel_open_session().await.map_err(failed)?;
    // a server that does not take it speaks the first version of Git's protocol, which is as good
    channel
        .set_env(false, "GIT_PROTOCOL", "version=2")
        .await
        .map_err(failed)?;
    channel.exec(true, place.command()).await.map_err(failed)?;
    loop {
        match channel.wait().await {
            Some(ChannelMsg::Success) => return Ok(channel),
            Some(ChannelMsg::Failure) => {
                return Err(Error::Refused("the server starts no command for us".to_owned()));
            }
            Some(ChannelMsg::WindowAdjusted { .. }) => {}
            _ => return Err(Error::Transport("the server closed the connection".to_owned())),
        }
    }
}

fn explain(error: &russh::Error) -> Error {
    match error {
        russh::Error::NoCommonAlgo { kind, ours, theirs } => {
            let what = match kind {
                AlgorithmKind::Key => "host key",
                AlgorithmKind::Kex => "key exchange",
                AlgorithmKind::Cipher => "cipher",
                AlgorithmKind::Mac => "MAC",
                AlgorithmKind::Compression => "compression",
            };
            let (ours, theirs) = (ours.join(" "), theirs.join(" "));
            Error::NoCommonAlgorithm(format!(
                "ssh: no common algorithm for {what}; client offered: [{ours}], server offered: [{theirs}]"
            ))
        }
        error => Error::Transport(crate::http::innermost(error)),
    }
}
