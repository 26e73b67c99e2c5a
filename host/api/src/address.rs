use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Addresses that only speak to machines of a cloud, beside the link-local ones.
const METADATA_SERVICES: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)), // Alibaba Cloud
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),   // Azure's wire server
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),     // Oracle Cloud
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), // Amazon over IPv6
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), // Google over IPv6
];

/// Whether a host that a user names, as it stands in a URL, is none at all or a service of the node itself: the addresses of
/// [`is_node_address`] and the names of the cloud's metadata service. Other names are looked at when they are resolved.
pub fn is_node_service(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    match host.parse::<IpAddr>() {
        Ok(address) => is_node_address(address),
        Err(_) => matches!(host.as_str(), "" | "metadata" | "metadata.google.internal"),
    }
}

/// Whether an address is one of the node itself: link-local ones, metadata services of clouds, or none in particular. Who asks
/// them is taken for the node (field/security.md N21).
pub fn is_node_address(address: IpAddr) -> bool {
    let address = canonical(address);
    let is_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_unicast_link_local() || v6.is_unspecified(),
    };
    is_local || METADATA_SERVICES.contains(&address)
}

/// The addresses of a name that a user gives, none of which may be the node's own. Asked where the connection is made, so that
/// a name whose answer changes between look and use (DNS rebinding) gains nothing.
///
/// # Errors
/// `'NAME' is at ADDRESS, which is a service of the node itself`.
pub fn none_of_the_node(
    name: &str,
    found: impl Iterator<Item = SocketAddr>,
) -> Result<std::vec::IntoIter<SocketAddr>, String> {
    let found: Vec<SocketAddr> = found.collect();
    match found.iter().find(|found| is_node_address(found.ip())) {
        Some(refused) => Err(format!(
            "'{name}' is at {}, which is a service of the node itself",
            refused.ip()
        )),
        None => Ok(found.into_iter()),
    }
}

/// An IPv4 address in IPv6 clothes is that IPv4 address: `::ffff:127.0.0.1`, `64:ff9b::7f00:1`.
pub fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    match v6.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::is_node_service;

    #[test]
    fn services_of_the_node_are_known_in_every_spelling() {
        for host in [
            "",
            "169.254.169.254",
            "0.0.0.0",
            "[::]",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
            "[::ffff:0.0.0.0]",
            "[64:ff9b::a9fe:a9fe]",
            "100.100.100.200",
            "[fd00:ec2::254]",
            "Metadata",
            "METADATA.google.internal",
        ] {
            assert!(is_node_service(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "127.0.0.1",
            "[2001:db8::1]",
            "vault.example.com",
            "metadata.example.com",
        ] {
            assert!(!is_node_service(host), "{host}");
        }
    }
}
