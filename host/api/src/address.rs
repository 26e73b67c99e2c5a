use std::net::{IpAddr, Ipv4Addr};

/// Whether a host that a user names, as it stands in a URL, is none at all or a service of the node itself: link-local
/// addresses and the names of the cloud's metadata service. Who asks them is taken for the node (field/security.md N21).
pub fn is_node_service(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
    let is_node_v4 = |ip: Ipv4Addr| ip.is_link_local() || ip.is_unspecified();
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => is_node_v4(ip),
        Ok(IpAddr::V6(ip)) => {
            ip.is_unicast_link_local() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some_and(is_node_v4)
        }
        Err(_) => matches!(host.as_str(), "" | "metadata" | "metadata.google.internal"),
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
            "Metadata",
            "METADATA.google.internal",
        ] {
            assert!(is_node_service(host), "{host}");
        }
        for host in [
            "10.0.0.1",
            "[2001:db8::1]",
            "vault.example.com",
            "metadata.example.com",
        ] {
            assert!(!is_node_service(host), "{host}");
        }
    }
}
