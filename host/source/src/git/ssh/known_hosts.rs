//! Whose server a host name is: the `known_hosts` of a Secret, read as OpenSSH reads it (compat/source.md 5.3; N23).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use russh::keys::{
    Algorithm, HashAlg, PublicKey, PublicKeyOrCertificate,
    ssh_key::{Certificate, certificate::CertType, public::KeyData},
};

/// Lines that are looked at: a Secret holds a megabyte.
const LINES_MAX: usize = 10_000;

/// The lines of the file.
#[derive(Clone, Debug)]
pub(crate) struct KnownHosts(Vec<Line>);

#[derive(Clone, Debug)]
struct Line {
    marker: Marker,
    hosts: Hosts,
    key: KeyData,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Marker {
    None,
    Authority,
    Revoked,
}

#[derive(Clone, Debug)]
enum Hosts {
    Patterns(Vec<Pattern>),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

#[derive(Clone, Debug)]
struct Pattern {
    is_negated: bool,
    host: String,
    port: u16,
}

/// Why a server is not the one it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// Nobody said whose key this host has; the offered one.
    Unknown(String),
    /// The host has other keys; the offered one.
    Mismatch(String),
    /// The key was withdrawn.
    Revoked(String),
    /// A certificate that does not hold; why.
    BadCertificate(String),
}

impl Stranger {
    /// Flux's words, and what to do.
    pub(crate) fn explain(&self) -> (String, String) {
        let (text, hint) = match self {
            Stranger::Unknown(key) => (
                "knownhosts: key is unknown",
                format!(
                    "the server has key {key}; add its line of ssh-keyscan to 'known_hosts' if that is its key"
                ),
            ),
            Stranger::Mismatch(key) => (
                "knownhosts: key mismatch",
                format!(
                    "the server has key {key}, not one that 'known_hosts' names: somebody may be in between"
                ),
            ),
            Stranger::Revoked(key) => (
                "knownhosts: key is revoked",
                format!("'known_hosts' says that {key} is not to be trusted any more"),
            ),
            Stranger::BadCertificate(why) => (
                "ssh: certificate is not trusted",
                format!("the certificate of the server does not hold: {why}"),
            ),
        };
        (text.to_owned(), hint)
    }
}

/// What is known of one host.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    host: String,
    keys: Vec<KeyData>,
    authorities: Vec<KeyData>,
    revoked: Vec<KeyData>,
}

impl KnownHosts {
    /// Reads the file. A line that cannot be read spoils it: what was meant by it is not known.
    pub(crate) fn parse(text: &str) -> Result<KnownHosts, String> {
        let lines = text.lines().enumerate();
        let lines = lines.map(|(number, line)| (number + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let lines = lines.map(|(number, line)| {
            if number > LINES_MAX {
                return Err(format!("it has more than {LINES_MAX} lines"));
            }
            Line::parse(line).map_err(|problem| format!("line {number}: {problem}"))
        });
        lines.collect::<Result<_, _>>().map(KnownHosts)
    }

    /// What is known of a host at a port.
    pub(crate) fn of(&self, host: &str, port: u16) -> Known {
        let host = host.to_ascii_lowercase();
        let keys = |marker: Marker| {
            let lines = self.0.iter().filter(|line| line.marker == marker);
            let lines = lines.filter(|line| marker == Marker::Revoked || line.hosts.match_(&host, port));
            lines.map(|line| line.key.clone()).collect()
        };
        Known {
            keys: keys(Marker::None),
            authorities: keys(Marker::Authority),
            revoked: keys(Marker::Revoked),
            host: host.clone(),
        }
    }
}

impl Line {
    fn parse(line: &str) -> Result<Line, String> {
        let mut words = line.split_whitespace();
        let mut first = words.next().unwrap_or_default();
        let marker = match first {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            other if other.starts_with('@') => {
                return Err(format!("unknown marker '{}'", other.escape_debug()));
            }
            _ => Marker::None,
        };
        if marker != Marker::None {
            first = words.next().unwrap_or_default();
        }
        let (Some(algorithm), Some(key)) = (words.next(), words.next()) else {
            return Err("it is not 'host key-type key'".to_owned());
        };
        let key = PublicKey::from_openssh(&format!("{algorithm} {key}"));
        let key = key.map_err(|error| format!("its key cannot be read: {error}"))?;
        Ok(Line {
            marker,
            hosts: Hosts::parse(first)?,
            key: key.key_data().clone(),
        })
    }
}

impl Hosts {
    fn parse(text: &str) -> Result<Hosts, String> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            let patterns = text.split(',').map(Pattern::parse);
            return Ok(Hosts::Patterns(patterns.collect::<Result<_, _>>()?));
        };
        let decode = |text: &str| {
            STANDARD
                .decode(text)
                .map_err(|_| "its hashed host cannot be read".to_owned())
        };
        let (salt, hash) = hashed.split_once('|').ok_or("its hashed host has no hash")?;
        Ok(Hosts::Hashed {
            salt: decode(salt)?,
            hash: decode(hash)?,
        })
    }

    fn match_(&self, host: &str, port: u16) -> bool {
        match self {
            Hosts::Hashed { salt, hash } => {
                let name = match port {
                    22 => host.to_owned(),
                    port => format!("[{host}]:{port}"),
                };
                let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, salt);
                hmac::verify(&key, name.as_bytes(), hash).is_ok()
            }
            Hosts::Patterns(patterns) => {
                let matching = |is_negated: bool| {
                    let mut patterns = patterns
                        .iter()
                        .filter(move |pattern| pattern.is_negated == is_negated);
                    patterns.any(|pattern| {
                        pattern.port == port && is_match(pattern.host.as_bytes(), host.as_bytes())
                    })
                };
                matching(false) && !matching(true)
            }
        }
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Pattern, String> {
        let (is_negated, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.rsplit_once("]:")) {
            Some((host, port)) => (host, port.parse().map_err(|_| format!("'{port}' is no port"))?),
            None => (text, 22),
        };
        if host.is_empty() || host.starts_with('|') {
            return Err("it names no host".to_owned());
        }
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_ascii_lowercase();
        Ok(Pattern {
            is_negated,
            host,
            port,
        })
    }
}

/// `*` stands for any text, `?` for one letter. Takes no longer than the product of both lengths.
fn is_match(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(letter) = text.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, from));
                at += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == letter => (at, from) = (at + 1, from + 1),
            _ => match retry {
                Some((after, began)) => {
                    (at, from) = (after, began + 1);
                    retry = Some((after, began + 1));
                }
                None => return false,
            },
        }
    }
    pattern
        .get(at..)
        .unwrap_or_default()
        .iter()
        .all(|letter| *letter == b'*')
}

impl Known {
    /// The algorithms by which the host can prove itself: those of its keys, SHA-1 never. None where nothing is known.
    pub(crate) fn algorithms(&self) -> Option<Vec<Algorithm>> {
        (!self.keys.is_empty()).then(|| self.keys.iter().flat_map(|key| safe(key.algorithm())).collect())
    }

    /// Whether the host may come with a certificate.
    pub(crate) fn has_authority(&self) -> bool {
        !self.authorities.is_empty()
    }

    /// Whether this is the host's key. `now` is in seconds since 1970.
    pub(crate) fn check(&self, offered: &PublicKeyOrCertificate, now: u64) -> Result<(), Stranger> {
        let key = offered.public_key();
        let shown = format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256));
        if self.revoked.contains(key.key_data()) {
            return Err(Stranger::Revoked(shown));
        }
        if let Some(certificate) = offered.certificate() {
            return self.check_certificate(certificate, now);
        }
        if self.keys.contains(key.key_data()) {
            return Ok(());
        }
        match self.keys.is_empty() {
            true => Err(Stranger::Unknown(shown)),
            false => Err(Stranger::Mismatch(shown)),
        }
    }

    fn check_certificate(&self, certificate: &Certificate, now: u64) -> Result<(), Stranger> {
        let bad = |why: String| Err(Stranger::BadCertificate(why));
        let authority = certificate.signature_key();
        if self.revoked.contains(authority) {
            return Err(Stranger::Revoked(format!(
                "authority {}",
                authority.fingerprint(HashAlg::Sha256)
            )));
        }
        if !self.authorities.contains(authority) {
            let shown = authority.fingerprint(HashAlg::Sha256);
            return bad(format!(
                "it is of authority {shown}, which known_hosts does not name for this host"
            ));
        }
        if certificate.cert_type() != CertType::Host {
            return bad("it is not one of a host".to_owned());
        }
        if let Algorithm::Rsa { hash: None } | Algorithm::Dsa = certificate.signature().algorithm() {
            return bad("its signature is of a broken digest".to_owned());
        }
        let principals = certificate.valid_principals();
        if !principals
            .iter()
            .any(|name| is_match(name.to_ascii_lowercase().as_bytes(), self.host.as_bytes()))
        {
            return bad(format!("it is not for host '{}'", self.host));
        }
        if !certificate.critical_options().is_empty() {
            return bad("it has critical options".to_owned());
        }
        let trusted = [authority.fingerprint(HashAlg::Sha256)];
        match certificate.validate_at(now, &trusted) {
            Ok(()) => Ok(()),
            Err(error) => bad(error.to_string()),
        }
    }
}

/// The algorithms of a kind of key that may be used.
pub(super) fn safe(algorithm: Algorithm) -> Vec<Algorithm> {
    match algorithm {
        Algorithm::Rsa { .. } => [HashAlg::Sha512, HashAlg::Sha256]
            .map(|hash| Algorithm::Rsa { hash: Some(hash) })
            .to_vec(),
        Algorithm::Dsa => Vec::new(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAlylJeRDWg5EMSVIMCGMxGFIwmD6oYWsLVqVyu2BwZj";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFBVJ8iZ2sUL5G2ikbd0E0gbXMwZKRtc9oEvTTHvjMKq";

    fn key(text: &str) -> PublicKeyOrCertificate {
        PublicKey::from_openssh(text).unwrap().into()
    }

    /// What a file says of key A at a host.
    fn said(file: &str, host: &str, port: u16) -> &'static str {
        match KnownHosts::parse(file).unwrap().of(host, port).check(&key(A), 0) {
            Ok(()) => "known",
            Err(Stranger::Unknown(_)) => "unknown",
            Err(Stranger::Mismatch(_)) => "mismatch",
            Err(Stranger::Revoked(_)) => "revoked",
            Err(Stranger::BadCertificate(_)) => "bad certificate",
        }
    }

    #[test]
    fn hosts_are_known_as_openssh_knows_them() {
        for (hosts, host, port, expected) in [
            ("git.example.com", "git.example.com", 22, "known"),
            ("git.example.com", "GIT.example.com", 22, "known"),
            ("git.example.com", "git.example.com", 2222, "unknown"),
            ("[git.example.com]:2222", "git.example.com", 2222, "known"),
            ("[git.example.com]:2222", "git.example.com", 22, "unknown"),
            ("other,git.example.com,10.0.0.1", "git.example.com", 22, "known"),
            ("*.example.com", "git.example.com", 22, "known"),
            ("*.example.com", "example.com", 22, "unknown"),
            ("*.example.com,!git.example.com", "git.example.com", 22, "unknown"),
            ("!git.example.com", "other", 22, "unknown"),
            ("gi?.example.com", "git.example.com", 22, "known"),
            ("[*.example.com]:2222", "git.example.com", 2222, "known"),
            ("*", "git.example.com", 2222, "unknown"),
            ("[2001:db8::1]:2222", "2001:db8::1", 2222, "known"),
            ("2001:db8::1", "2001:db8::1", 22, "known"),
            ("", "git.example.com", 22, ""),
        ] {
            if hosts.is_empty() {
                assert!(KnownHosts::parse(" ssh-ed25519 x").is_err());
                continue;
            }
            assert_eq!(
                said(&format!("# note\n\n{hosts} {A} comment\n"), host, port),
                expected,
                "{hosts} {host}"
            );
        }
        // ssh-keygen -H
        let hash = |name: &str| {
            let salt = [7; 20];
            let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
            let hash = hmac::sign(&key, name.as_bytes());
            format!("|1|{}|{} {A}", STANDARD.encode(salt), STANDARD.encode(hash))
        };
        assert_eq!(said(&hash("git.example.com"), "git.example.com", 22), "known");
        assert_eq!(said(&hash("git.example.com"), "git.example.com", 2222), "unknown");
        assert_eq!(
            said(&hash("[git.example.com]:2222"), "git.example.com", 2222),
            "known"
        );
        assert_eq!(said(&hash("other"), "git.example.com", 22), "unknown");
    }

    #[test]
    fn another_key_and_a_revoked_one_are_refused() {
        assert_eq!(said(&format!("host {B}"), "host", 22), "mismatch");
        assert_eq!(said(&format!("host {B}\nhost {A}"), "host", 22), "known");
        assert_eq!(said(&format!("host {A}\n@revoked * {A}"), "host", 22), "revoked");
        assert_eq!(
            said(&format!("host {A}\n@revoked elsewhere {A}"), "host", 22),
            "revoked"
        );
        assert_eq!(said(&format!("@cert-authority host {A}"), "host", 22), "unknown");
        for bad in [
            "host",
            "host ssh-ed25519",
            "host ssh-ed25519 AAAA",
            "@what host x y",
            "|1|x host",
            "[host]:x a b",
        ] {
            let file = format!("host {A}\n{bad}");
            assert!(
                KnownHosts::parse(&file).unwrap_err().starts_with("line 2: "),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_pattern_costs_no_more_than_its_length_times_the_text() {
        let pattern = "*a".repeat(200);
        assert!(!is_match(pattern.as_bytes(), "b".repeat(5000).as_bytes()));
        assert!(is_match(b"a*b*c", b"aXXbYYbZZc") && !is_match(b"a*b*c", b"aXXbYYbZZ"));
        assert!(is_match(b"***", b"") && is_match(b"", b"") && !is_match(b"?", b""));
    }
}
