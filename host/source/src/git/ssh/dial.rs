//! The way to the server: straight, or through a proxy by HTTP's `CONNECT` or SOCKS 5 (compat/source.md 11.3).

use super::{Error, SshPlace};
use crate::{
    Proxy,
    http::{Addresses, innermost},
};
use base64::Engine as _;
use http::{HeaderValue, Uri};
use hyper_util::client::{
    legacy::connect::proxy::{SocksV5, Tunnel},
    proxy::matcher::Matcher,
};
use hyper_util::rt::TokioIo;
use std::{
    env,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower_service::Service;

/// How long one address is tried: a dead one should not eat the whole timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Connects to the host, through `proxy` or else through what `ALL_PROXY` and `NO_PROXY` of the environment name.
pub(super) async fn dial(
    place: &SshPlace,
    proxy: Option<&Proxy>,
    addresses: &Addresses,
) -> Result<TcpStream, Error> {
    let unusable = || Error::Transport(format!("host '{}' cannot be asked through a proxy", place.host));
    // the scheme only says that it is not plain HTTP, for which the environment may name another proxy
    let target = Uri::try_from(format!("https://{}/", authority(place))).map_err(|_| unusable())?;
    match proxy.map(Way::given).or_else(|| Way::of_environment(&target)) {
        None => straight(&place.host, place.port, addresses).await,
        Some(way) => way.connect(target, addresses).await,
    }
}

fn authority(place: &SshPlace) -> String {
    match place.host.contains(':') {
        true => format!("[{}]:{}", place.host, place.port),
        false => format!("{}:{}", place.host, place.port),
    }
}

/// A proxy, and as whom it is asked.
struct Way {
    address: String,
    login: Option<(String, String)>,
}

impl Way {
    fn given(proxy: &Proxy) -> Self {
        let login = proxy.credentials.as_ref();
        Self {
            address: proxy.address.clone(),
            login: login.map(|(user, password)| (user.clone(), password.reveal().clone())),
        }
    }

    fn of_environment(target: &Uri) -> Option<Self> {
        let variable = |upper: &str, lower: &str| env::var(upper).or_else(|_| env::var(lower));
        let all = variable("ALL_PROXY", "all_proxy").ok()?;
        let except = variable("NO_PROXY", "no_proxy").unwrap_or_default();
        let found = Matcher::builder().all(all).no(except).build().intercept(target)?;
        let raw = found.raw_auth();
        let basic = || decoded(found.basic_auth()?);
        Some(Self {
            address: found.uri().to_string(),
            login: raw
                .map(|(user, password)| (user.to_owned(), password.to_owned()))
                .or_else(basic),
        })
    }

    async fn connect(self, target: Uri, addresses: &Addresses) -> Result<TcpStream, Error> {
        let invalid = |problem: &str| Error::Identity(format!("proxy address '{}' {problem}", self.address));
        let proxy = Uri::try_from(&self.address).map_err(|error| invalid(&format!("is no URL: {error}")))?;
        let refused = |error: &dyn std::error::Error| {
            Error::Transport(format!("proxy '{}': {}", self.address, innermost(error)))
        };
        let straight = Straight(addresses.clone());
        match proxy.scheme_str() {
            Some("http") => {
                let mut tunnel = Tunnel::new(proxy, straight);
                if let Some((user, password)) = &self.login {
                    let encoded =
                        base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
                    let header = HeaderValue::try_from(format!("Basic {encoded}"));
                    tunnel = tunnel.with_auth(header.map_err(|error| refused(&error))?);
                }
                let connected = tunnel.call(target).await;
                connected.map(Handshake::done).map_err(|error| refused(&error))
            }
            Some("socks5" | "socks5h") => {
                let mut socks = SocksV5::new(proxy, straight);
                if let Some((user, password)) = self.login.clone() {
                    socks = socks.with_auth(user, password);
                }
                let connected = socks.call(target).await;
                connected.map(Handshake::done).map_err(|error| refused(&error))
            }
            _ => Err(invalid(
                "cannot be used for ssh: use http:// or socks5://, or an https URL of the repository",
            )),
        }
    }
}

/// User and password of a `Basic` header.
fn decoded(header: &HeaderValue) -> Option<(String, String)> {
    let encoded = header.to_str().ok()?.strip_prefix("Basic ")?;
    let text = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Connects to a proxy.
#[derive(Clone)]
struct Straight(Addresses);

impl Service<Uri> for Straight {
    type Response = TokioIo<Handshake>;
    type Error = String;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, String>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, proxy: Uri) -> Self::Future {
        let addresses = self.0.clone();
        Box::pin(async move {
            let usual = match proxy.scheme_str() {
                Some("http") => 80,
                _ => 1080,
            };
            let host = proxy.host().unwrap_or_default();
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let port = proxy.port_u16().unwrap_or(usual);
            let connected = straight(host, port, &addresses).await;
            connected.map(Handshake::begun).map_err(|error| match error {
                Error::Transport(text) => text,
                _ => "connecting takes too long".to_owned(),
            })
        })
    }
}

/// A connection that gives one byte at a time: an SSH server speaks first, and what is read behind the proxy's answer is lost.
struct Handshake(TcpStream);

impl Handshake {
    fn begun(socket: TcpStream) -> TokioIo<Self> {
        TokioIo::new(Self(socket))
    }

    fn done(io: TokioIo<Self>) -> TcpStream {
        io.into_inner().0
    }
}

impl AsyncRead for Handshake {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut byte = [0];
        let mut one = ReadBuf::new(&mut byte);
        let read = Pin::new(&mut self.0).poll_read(cx, &mut one);
        buffer.put_slice(one.filled());
        read
    }
}

impl AsyncWrite for Handshake {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Connects to one of the addresses of the host that may be asked.
async fn straight(host: &str, port: u16, addresses: &Addresses) -> Result<TcpStream, Error> {
    let found = addresses.lookup(host, port).await.map_err(Error::Transport)?;
    let mut failure = Error::Transport(format!("no address of host '{host}' is known"));
    for address in found {
        match connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Error> {
    let connecting = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let socket = connecting.map_err(|_| Error::TimedOut)?;
    let socket = socket.map_err(|error| Error::Transport(format!("dial tcp {address}: {error}")))?;
    // without it a small request waits for an answer to the one before
    socket
        .set_nodelay(true)
        .map_err(|error| Error::Transport(error.to_string()))?;
    Ok(socket)
}
