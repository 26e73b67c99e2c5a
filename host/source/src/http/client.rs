//! Making clients: trust, identity, proxy, addresses.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, redirect::Policy};

use sha2::{Digest as _, Sha256};

use super::Addresses;
use crate::{Proxy, Tls};

/// How long to wait for a connection before the deadline itself; a dead host should not eat the whole timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection is kept for the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// The way to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transport {
    /// Whom we trust and as whom we connect.
    pub tls: Tls,
    /// The way to go; the environment's proxy where none.
    pub proxy: Option<Proxy>,
    /// Whether the server's certificate is looked at.
    pub certificates: Certificates,
}

impl Transport {
    /// Equal for equal ways; nothing can be read from it.
    pub(crate) fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        part(self.tls.ca.as_deref().unwrap_or_default());
        if let Some((certificate, key)) = &self.tls.identity {
            part(certificate);
            part(key.reveal());
        }
        part(b"|");
        if let Some(Proxy { address, credentials }) = &self.proxy {
            part(address.as_bytes());
            if let Some((username, password)) = credentials {
                part(username.as_bytes());
                part(password.reveal().as_bytes());
            }
        }
        part(match self.certificates {
            Certificates::Verified => b"verified",
            Certificates::Ignored => b"ignored",
        });
        hash.finalize().into()
    }
}

/// Whether a server's certificate is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Certificates {
    /// It must be good.
    #[default]
    Verified,
    /// It is not looked at: only where the user says `insecure` and names no authority.
    Ignored,
}

/// The text of the last cause: `Connection refused (os error 111)`, `invalid peer certificate: UnknownIssuer`.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    text
}

fn builder(transport: &Transport, addresses: &Addresses) -> Result<ClientBuilder, String> {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // The binary installs it first thing; a test or a library user may not. Losing the race is fine.
        let _lost_race = rustls::crypto::ring::default_provider().install_default();
    }
    let Transport {
        tls,
        proxy,
        certificates,
    } = transport;
    let mut builder = Client::builder()
        .redirect(Policy::none())
        .referer(false)
        .dns_resolver(addresses.clone())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .connect_timeout(CONNECT_TIMEOUT);
    if let Some(pem) = &tls.ca {
        let unreadable = "failed to parse CA certificate";
        let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|_| unreadable)?;
        if certificates.is_empty() {
            return Err(unreadable.to_owned());
        }
        builder = builder.tls_certs_merge(certificates);
    }
    if let Some((certificate, key)) = &tls.identity {
        let pem = [certificate.as_slice(), b"\n", key.reveal()].concat();
        let identity = reqwest::Identity::from_pem(&pem)
            .map_err(|_| "failed to parse TLS certificate and key".to_owned())?;
        builder = builder.identity(identity);
    }
    if *certificates == Certificates::Ignored {
        builder = builder.tls_danger_accept_invalid_certs(true);
    }
    if let Some(proxy) = proxy {
        let mut all = reqwest::Proxy::all(&proxy.address).map_err(|error| innermost(&error))?;
        if let Some((username, password)) = &proxy.credentials {
            all = all.basic_auth(username, password.reveal());
        }
        builder = builder.proxy(all);
    }
    Ok(builder)
}

/// A client for work that waits without a thread.
pub(super) fn client(transport: &Transport, addresses: &Addresses) -> Result<Client, String> {
    builder(transport, addresses)?
        .build()
        .map_err(|error| innermost(&error))
}

/// A client for work on a thread of its own: gix is such.
pub(crate) fn blocking_client(
    transport: &Transport,
    addresses: &Addresses,
) -> Result<reqwest::blocking::Client, String> {
    let builder = builder(transport, addresses)?.pool_max_idle_per_host(1);
    reqwest::blocking::ClientBuilder::from(builder)
        .timeout(None)
        .build()
        .map_err(|error| innermost(&error))
}
