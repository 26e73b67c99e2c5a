//! `sluice create secret git`.

use super::{given, said};
use crate::commands::create::Common;
use crate::commands::create::credentials::{Credentials, read};
use crate::commands::create::source::scheme_and_host;
use crate::tell;
use anyhow::{Context as _, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use sluice_source::{SshKeyKind, SshKeyPair, scan_host_key};
use std::path::PathBuf;

/// Where SSH servers listen.
const SSH_PORT: u16 = 22;

/// Larger keys take minutes to make.
const RSA_BITS_MAX: usize = 8192;

#[derive(Args, Debug)]
pub(crate) struct Git {
    #[command(flatten)]
    pub(super) common: Common,
    /// The address: http, https or ssh
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The user, over http
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// The password, or that of the private key
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<String>,
    /// A token in place of a user, over http
    #[arg(long, value_name = "TOKEN")]
    bearer_token: Option<String>,
    /// Whose certificates the server's is checked against, in PEM
    #[arg(long, value_name = "FILE")]
    ca_crt_file: Option<PathBuf>,
    /// The private key, over ssh; one is made where none is given
    #[arg(long, value_name = "FILE")]
    private_key_file: Option<PathBuf>,
    /// The server's keys, as OpenSSH's known_hosts; the server is asked where none are given
    #[arg(long, value_name = "FILE")]
    known_hosts_file: Option<PathBuf>,
    /// What kind of key is made
    #[arg(long, default_value = "ecdsa", value_name = "NAME")]
    ssh_key_algorithm: Algorithm,
    /// How large one of RSA is, a multiple of 8
    #[arg(long, default_value = "2048", value_parser = rsa_bits, value_name = "BITS")]
    ssh_rsa_bits: usize,
    /// The curve of one of ECDSA
    #[arg(long, default_value = "p384", value_name = "NAME")]
    ssh_ecdsa_curve: Curve,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Algorithm {
    Rsa,
    Ecdsa,
    Ed25519,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Curve {
    P256,
    P384,
    P521,
}

fn rsa_bits(text: &str) -> Result<usize, String> {
    let bits: usize = text.parse().map_err(|_| "it is no number".to_owned())?;
    match bits.is_multiple_of(8) && (1024..=RSA_BITS_MAX).contains(&bits) {
        true => Ok(bits),
        false => Err(format!("it must be a multiple of 8 from 1024 to {RSA_BITS_MAX}")),
    }
}

impl Git {
    pub(super) async fn secret(&self) -> Result<Credentials> {
        let name = self.common.name()?;
        let url = said(&self.url).context("url is required")?;
        // asked before anything is made
        self.common.labels()?;
        let (scheme, host) = scheme_and_host(url);
        let mut secret = Credentials::untyped(name.to_owned());
        match scheme {
            "ssh" => self.add_key(&mut secret, host).await?,
            "http" | "https" => self.add_login(&mut secret)?,
            _ => bail!("git URL scheme '{scheme}' not supported, can be: ssh, http and https"),
        }
        Ok(secret)
    }

    fn add_login(&self, secret: &mut Credentials) -> Result<()> {
        let user = said(&self.username).zip(said(&self.password));
        let token = said(&self.bearer_token);
        match (user, token) {
            (None, None) => {
                bail!("for Git over HTTP/S the username and password, or a bearer token is required")
            }
            (Some(_), Some(_)) => bail!("user credentials and bearer token cannot be used together"),
            (Some((username, password)), None) => {
                secret.say("username", username);
                secret.say("password", password);
            }
            (None, Some(token)) => secret.say("bearerToken", token),
        }
        if let Some(file) = given(&self.ca_crt_file) {
            secret.say("ca.crt", read(file, "unable to read TLS CA file")?);
        }
        Ok(())
    }

    async fn add_key(&self, secret: &mut Credentials, host: &str) -> Result<()> {
        let password = said(&self.password);
        let pair = match given(&self.private_key_file) {
            Some(file) => {
                let text = read(file, "failed to open private key file")?;
                SshKeyPair::of(text, password)
                    .map_err(|why| anyhow!("private key {} cannot be used: {why}", file.display()))?
            }
            None => SshKeyPair::generate(self.kind())
                .map_err(|why| anyhow!("key pair generation failed, error: {why}"))?,
        };
        let known_hosts = match given(&self.known_hosts_file) {
            Some(file) => read(file, "unable to read known hosts file")?,
            None => scanned(host).await?,
        };
        if !self.common.export {
            tell::generate(&format!("deploy key: {}", pair.public.trim_end()));
        }
        secret.say("identity", pair.private.reveal().clone());
        secret.say("identity.pub", pair.public);
        secret.say("known_hosts", known_hosts.trim());
        if let Some(password) = password {
            secret.say("password", password);
        }
        Ok(())
    }

    fn kind(&self) -> SshKeyKind {
        match (self.ssh_key_algorithm, self.ssh_ecdsa_curve) {
            (Algorithm::Rsa, _) => SshKeyKind::Rsa(self.ssh_rsa_bits),
            (Algorithm::Ed25519, _) => SshKeyKind::Ed25519,
            (Algorithm::Ecdsa, Curve::P256) => SshKeyKind::EcdsaP256,
            (Algorithm::Ecdsa, Curve::P384) => SshKeyKind::EcdsaP384,
            (Algorithm::Ecdsa, Curve::P521) => SshKeyKind::EcdsaP521,
        }
    }
}

/// The key that the server says it has.
async fn scanned(authority: &str) -> Result<String> {
    let Some((host, port)) = host_and_port(authority) else {
        bail!("git URL parse failed: it has no host that can be asked");
    };
    let line = Box::pin(scan_host_key(host, port)).await;
    line.map_err(|why| {
        anyhow!(
            "SSH key scan for host {host}:{port} failed, error: {why}; --known-hosts-file gives the server's keys where \
             it cannot be asked"
        )
    })
}

/// The host without brackets, and where it listens.
fn host_and_port(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => match authority.find(':') {
            Some(colon) => authority.split_at(colon),
            None => (authority, ""),
        },
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None => SSH_PORT,
    };
    (!host.is_empty()).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_listen_somewhere() {
        for (authority, expected) in [
            ("example.com", Some(("example.com", 22))),
            ("example.com:2222", Some(("example.com", 2222))),
            ("[::1]:2222", Some(("::1", 2222))),
            ("[::1]", Some(("::1", 22))),
            ("example.com:team", None),
            ("", None),
        ] {
            assert_eq!(host_and_port(authority), expected, "{authority}");
        }
    }

    #[test]
    fn sizes_of_rsa_are_multiples_of_eight() {
        assert_eq!(rsa_bits("4096"), Ok(4096));
        for wrong in ["2047", "8", "a", "65536"] {
            assert!(rsa_bits(wrong).is_err(), "{wrong}");
        }
    }
}
