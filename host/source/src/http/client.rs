//! Making clients: trust, identity, proxy, addresses.

use std::{
    num::NonZeroUsize,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use clru::CLruCache;
use reqwest::{Client, ClientBuilder, Url, redirect::Policy};
use sha2::{Digest as _, Sha256};

use super::{Addresses, innermost};
use crate::{Proxy, Tls};

/// How long to wait for a connection before the deadline itself; a dead host should not eat the whole timeout.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a connection is kept for the next request.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a client is used. Its connections are kept as long as they are busy: who moves a name to another machine and
/// leaves the old one running would not be followed otherwise.
const AGE_MAX: Duration = Duration::from_secs(300);

/// Idle connections of Git to one host: about as many fetches go on at once.
const IDLE_PER_HOST_MAX: usize = 4;

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
        check_proxy(proxy, addresses)?;
        let mut all = reqwest::Proxy::all(&proxy.address).map_err(|error| innermost(&error))?;
        if let Some((username, password)) = &proxy.credentials {
            all = all.basic_auth(username, password.reveal());
        }
        builder = builder.proxy(all);
    }
    Ok(builder)
}

/// A proxy's name is looked at when it is resolved, as every other; its address, where it is written as one, only here.
fn check_proxy(proxy: &Proxy, addresses: &Addresses) -> Result<(), String> {
    let url =
        Url::parse(&proxy.address).map_err(|error| format!("the proxy's address is no URL: {error}"))?;
    addresses
        .check(&url)
        .map_err(|refusal| format!("proxy: {refusal}"))
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
    let builder = builder(transport, addresses)?.pool_max_idle_per_host(IDLE_PER_HOST_MAX);
    reqwest::blocking::ClientBuilder::from(builder)
        .timeout(None)
        .build()
        .map_err(|error| innermost(&error))
}

/// Clients by the way they go: whoever goes the same way shares connections, threads and the system's certificates.
pub(crate) struct Clients<C> {
    /// With when each was made.
    made: Mutex<CLruCache<[u8; 32], (Instant, C)>>,
    age_max: Duration,
}

impl<C: Clone> Clients<C> {
    /// Keeps at most `max`, but one at least: those that were used last, and each for some minutes. Who has one keeps it.
    pub(crate) fn new(max: usize) -> Clients<C> {
        Clients::lasting(max, AGE_MAX)
    }

    fn lasting(max: usize, age_max: Duration) -> Clients<C> {
        let max = NonZeroUsize::new(max).unwrap_or(NonZeroUsize::MIN);
        Clients {
            made: Mutex::new(CLruCache::new(max)),
            age_max,
        }
    }

    /// The client that goes this way, made by `make` if there is none, or none that is young.
    pub(crate) fn get(
        &self,
        transport: &Transport,
        make: impl FnOnce(&Transport) -> Result<C, String>,
    ) -> Result<C, String> {
        let way = transport.fingerprint();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, client)) = made.get(&way)
            && since.elapsed() < self.age_max
        {
            return Ok(client.clone());
        }
        let client = make(transport)?;
        let old = made.put(way, (Instant::now(), client.clone()));
        drop(made);
        // that of Git ends its thread where nobody else has it, and waits for it: here, and not with all who ask
        drop(old);
        Ok(client)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(address: &str) -> Transport {
        let proxy = Proxy {
            address: address.to_owned(),
            credentials: None,
        };
        Transport {
            proxy: Some(proxy),
            ..Transport::default()
        }
    }

    #[test]
    fn a_proxy_is_guarded_as_every_other_machine() {
        let guarded = Addresses::guarded(vec!["10.96.0.1".parse().unwrap()], &[]).unwrap();
        for address in [
            "http://127.0.0.1:3128",
            "https://169.254.169.254",
            "socks5://127.0.0.1:1080",
            "socks5://[::1]:1080",
            "socks5://[::ffff:127.0.0.1]",
            "http://user:pass@127.1:3128",
            "http://10.96.0.1:443",
        ] {
            for refused in [
                client(&through(address), &guarded).map(drop),
                blocking_client(&through(address), &guarded).map(drop),
            ] {
                let text = refused.unwrap_err();
                assert!(
                    text.starts_with("proxy: connection refused by policy: address "),
                    "{address}: {text}"
                );
            }
            client(&through(address), &Addresses::any()).unwrap();
        }
        for address in ["http://10.0.0.7:3128", "socks5://proxy.example:1080"] {
            client(&through(address), &guarded).unwrap();
        }
    }

    #[test]
    fn one_client_goes_one_way_and_the_oldest_goes() {
        let clients = Clients::new(2);
        let ask = |proxy: &str, made: usize| clients.get(&through(proxy), |_| Ok(made)).unwrap();
        assert_eq!((ask("http://a", 1), ask("http://b", 2)), (1, 2));
        assert_eq!((ask("http://a", 3), ask("http://b", 3)), (1, 2));
        assert_eq!(ask("http://a", 3), 1);
        assert_eq!(ask("http://c", 4), 4, "in place of b, which was used longest ago");
        assert_eq!((ask("http://a", 5), ask("http://b", 5)), (1, 5));
        let failed = clients.get(&through("http://d"), |_| Err("no".to_owned()));
        assert_eq!(failed, Err("no".to_owned()));
        assert_eq!(ask("http://d", 6), 6, "a failure is not kept");
    }

    #[test]
    fn a_client_that_is_old_makes_room_for_one_that_looks_names_up_again() {
        let clients = Clients::lasting(2, Duration::ZERO);
        let ask = |made: usize| clients.get(&Transport::default(), |_| Ok(made));
        assert_eq!((ask(1), ask(2)), (Ok(1), Ok(2)));
        let failed = clients.get(&Transport::default(), |_| Err("no".to_owned()));
        assert_eq!(failed, Err("no".to_owned()));
        assert_eq!(ask(3), Ok(3));
    }
}
