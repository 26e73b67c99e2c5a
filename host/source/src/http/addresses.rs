//! Which machines a source may name (N21): what a tenant writes into a URL must not reach what only the cluster may ask.
//!
//! Names are resolved here and the connection is made to the very addresses that were looked at, so that a name whose
//! answer changes between look and use (DNS rebinding) gains nothing. Every redirect is looked at anew.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use sluice_api::{canonical_address as canonical, is_node_address};

/// Which addresses may be asked.
#[derive(Clone, Debug)]
pub struct Addresses(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    is_open: bool,
    allowed: Vec<Network>,
    denied: Vec<IpAddr>,
}

impl Addresses {
    /// Every address: for development and for tests, where servers run on this machine.
    pub fn any() -> Addresses {
        Addresses(Arc::new(Rules {
            is_open: true,
            allowed: Vec::new(),
            denied: Vec::new(),
        }))
    }

    /// All but this machine, link-local ones, metadata services, and `denied` (the API server's).
    /// `allowed` networks are allowed in spite of that: `--source-allowed-addresses`.
    pub fn guarded(denied: Vec<IpAddr>, allowed: &[String]) -> Result<Addresses, InvalidNetwork> {
        let allowed = allowed.iter().map(|text| Network::parse(text));
        Ok(Addresses(Arc::new(Rules {
            is_open: false,
            allowed: allowed.collect::<Result<_, _>>()?,
            denied,
        })))
    }

    fn allows(&self, address: IpAddr) -> bool {
        let rules = &self.0;
        let address = canonical(address);
        rules.is_open
            || rules.allowed.iter().any(|network| network.contains(address))
            || !(is_ours_alone(address)
                || is_node_address(address)
                || rules.denied.iter().any(|denied| canonical(*denied) == address))
    }

    /// Refuses a URL that names an address which may not be asked; names are looked at when they are resolved.
    ///
    /// # Errors
    /// The refusal, for whoever wrote the URL.
    pub fn check(&self, url: &Url) -> Result<(), String> {
        let address = match url.host() {
            Some(url::Host::Ipv4(address)) => IpAddr::V4(address),
            Some(url::Host::Ipv6(address)) => IpAddr::V6(address),
            // schemes that are none of the web's, as socks5, keep addresses as they were written
            Some(url::Host::Domain(name)) => match name.parse() {
                Ok(address) => address,
                Err(_) => return Ok(()),
            },
            None => return Ok(()),
        };
        match self.allows(address) {
            true => Ok(()),
            false => Err(refusal(&address.to_string(), address)),
        }
    }

    /// The addresses of a host, a name or an address, that may be asked.
    pub(crate) async fn lookup(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        let found = tokio::net::lookup_host((host, port)).await;
        let found: Vec<SocketAddr> = found
            .map_err(|error| format!("lookup {host}: {error}"))?
            .collect();
        let allowed = found.iter().copied().filter(|found| self.allows(found.ip()));
        let allowed: Vec<SocketAddr> = allowed.collect();
        match (allowed.is_empty(), found.first()) {
            (true, Some(refused)) => Err(refusal(host, refused.ip())),
            _ => Ok(allowed),
        }
    }
}

/// This machine, no machine in particular, or everybody.
fn is_ours_alone(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback() || v4.is_broadcast() || v4.is_multicast() || v4.octets().first() == Some(&0)
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_multicast(),
    }
}

fn refusal(host: &str, address: IpAddr) -> String {
    let named = if host == address.to_string() {
        format!("address {address}")
    } else {
        format!("address {address} of host '{host}'")
    };
    format!(
        "connection refused by policy: {named} is one that sources may not ask (allow it with --source-allowed-addresses)"
    )
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let rules = self.clone();
        Box::pin(async move {
            let allowed = rules.lookup(name.as_str(), 0).await?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is neither an IP address nor a network such as 10.0.0.0/8")]
pub struct InvalidNetwork(String);

#[derive(Clone, Copy, Debug)]
struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    fn parse(text: &str) -> Result<Network, InvalidNetwork> {
        let invalid = || InvalidNetwork(text.to_owned());
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = canonical(address.parse().map_err(|_| invalid())?);
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.parse().map_err(|_| invalid())?,
            None => most,
        };
        if prefix > most {
            return Err(invalid());
        }
        Ok(Network { address, prefix })
    }

    fn contains(&self, address: IpAddr) -> bool {
        let (own, other, bits) = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => (u32::from(own).into(), u32::from(other).into(), 32),
            (IpAddr::V6(own), IpAddr::V6(other)) => (u128::from(own), u128::from(other), 128),
            _ => return false,
        };
        let shift = bits - u32::from(self.prefix);
        let head = |value: u128| value.checked_shr(shift).unwrap_or(0);
        head(own) == head(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_nobody_else_may_ask_are_refused_unless_allowed() {
        let api_server = "10.96.0.1".parse().unwrap();
        let guarded = Addresses::guarded(vec![api_server], &[]).unwrap();
        for refused in [
            "http://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:5000/",
            "http://127.1/",
            "http://2130706433/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:169.254.169.254]/",
            "http://[64:ff9b::a9fe:a9fe]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://168.63.129.16/",
            "https://10.96.0.1/",
            "https://[::ffff:10.96.0.1]/",
        ] {
            let url = Url::parse(refused).unwrap();
            let text = guarded.check(&url).unwrap_err();
            assert!(text.contains("--source-allowed-addresses"), "{refused}: {text}");
            assert_eq!(Addresses::any().check(&url), Ok(()), "{refused}");
        }
        for allowed in [
            "https://10.0.0.7/",
            "https://192.168.1.1/",
            "https://1.1.1.1/",
            "https://host/",
        ] {
            assert_eq!(guarded.check(&Url::parse(allowed).unwrap()), Ok(()), "{allowed}");
        }
        let allowed = ["127.0.0.0/8".to_owned(), "10.96.0.1".to_owned()];
        let open = Addresses::guarded(vec![api_server], &allowed).unwrap();
        for url in ["http://127.0.0.1/", "https://10.96.0.1/"] {
            assert_eq!(open.check(&Url::parse(url).unwrap()), Ok(()), "{url}");
        }
        assert!(
            open.check(&Url::parse("http://169.254.169.254/").unwrap())
                .is_err()
        );
        for text in ["localhost", "10.0.0.0/33", "10.0.0.0/x", ""] {
            assert_eq!(
                Addresses::guarded(vec![], &[text.to_owned()]).unwrap_err(),
                InvalidNetwork(text.to_owned())
            );
        }
    }

    #[tokio::test]
    async fn a_name_is_refused_by_what_it_resolves_to() {
        let resolve = |rules: Addresses| async move {
            let found = rules.resolve("localhost".parse().unwrap()).await;
            found.map(Iterator::count).map_err(|error| error.to_string())
        };
        let refused = resolve(Addresses::guarded(vec![], &[]).unwrap())
            .await
            .unwrap_err();
        assert!(refused.contains("of host 'localhost'"), "{refused}");
        assert!(resolve(Addresses::any()).await.unwrap() > 0);
    }
}
