//! Users with passwords.

use super::files::{Certificates, certificates};
use super::{basic, said};
use crate::commands::create::Common;
use crate::commands::create::credentials::{Credentials, read};
use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::Value;

/// A user with a password.
#[derive(Args, Debug)]
struct Login {
    /// The user
    #[arg(short, long, value_name = "NAME")]
    username: Option<String>,
    /// The password
    #[arg(short, long, value_name = "PASSWORD")]
    password: Option<String>,
}

impl Login {
    fn username(&self) -> Option<&str> {
        said(&self.username)
    }

    fn password(&self) -> Option<&str> {
        said(&self.password)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Helm {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    login: Login,
    #[command(flatten)]
    files: Certificates,
}

impl Helm {
    /// A client certificate, or else a user and a password, either with an authority.
    pub(super) fn secret(&self) -> Result<Credentials> {
        let name = self.common.name()?;
        let (username, password) = (self.login.username(), self.login.password());
        if self.files.has_pair() || username.or(password).is_none() {
            return match self.files.is_empty() {
                // nothing was said: a Secret without data, as with `flux`
                true => Ok(Credentials::untyped(name.to_owned())),
                false => certificates(name, &self.files),
            };
        }
        // it is read first, as by `flux`
        let authority = self.files.authority();
        let authority = authority.map(|file| read(file, "unable to read TLS CA file"));
        let authority = authority.transpose()?;
        let mut secret = basic(name, username, password)?;
        if let Some(authority) = authority {
            secret.say("ca.crt", authority);
        }
        Ok(secret)
    }
}

#[derive(Args, Debug)]
pub(crate) struct Oci {
    #[command(flatten)]
    pub(super) common: Common,
    /// The registry, or a repository of it, as ghcr.io/stefanprodan/charts
    #[arg(long, value_name = "ADDRESS")]
    url: Option<String>,
    #[command(flatten)]
    login: Login,
}

impl Oci {
    pub(super) fn secret(&self) -> Result<Credentials> {
        let name = self.common.name()?;
        let Some(url) = said(&self.url) else {
            bail!("--url is required");
        };
        let Some(username) = self.login.username() else {
            bail!("--username is required");
        };
        let Some(password) = self.login.password() else {
            bail!("--password is required");
        };
        let is_of_address = |letter: char| letter.is_ascii_alphanumeric() || "_-./:@[]".contains(letter);
        if !url.chars().all(is_of_address) {
            bail!("error parsing url: 'could not parse reference: {url}'");
        }
        let mut secret = Credentials::new(name.to_owned(), "kubernetes.io/dockerconfigjson");
        secret.say(".dockerconfigjson", docker_config(url, username, password));
        Ok(secret)
    }
}

/// The file that Docker keeps, byte by byte as Go writes it.
fn docker_config(url: &str, username: &str, password: &str) -> String {
    let auth = STANDARD.encode(format!("{username}:{password}"));
    let (url, username, password, auth) = (quoted(url), quoted(username), quoted(password), quoted(&auth));
    format!(
        "{{\n  \"auths\": {{\n    {url}: {{\n      \"username\": {username},\n      \"password\": {password},\n      \
         \"auth\": {auth}\n    }}\n  }}\n}}"
    )
}

/// A string of JSON as Go writes it, which could stand in HTML.
fn quoted(text: &str) -> String {
    let mut quoted = Value::from(text).to_string();
    for (letter, escaped) in [
        ("&", "\\u0026"),
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("\u{2028}", "\\u2028"),
        ("\u{2029}", "\\u2029"),
    ] {
        quoted = quoted.replace(letter, escaped);
    }
    quoted
}

#[derive(Args, Debug)]
pub(crate) struct Proxy {
    #[command(flatten)]
    pub(super) common: Common,
    /// The proxy's address
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    #[command(flatten)]
    login: Login,
}

impl Proxy {
    pub(super) fn secret(&self) -> Result<Credentials> {
        let name = self.common.name()?;
        let Some(address) = said(&self.address) else {
            bail!("address is required");
        };
        // it may have a password in it, and so is not told
        if address.chars().any(char::is_control) {
            bail!("invalid proxy address: it has characters that no URL has");
        }
        let mut secret = Credentials::new(name.to_owned(), "Opaque");
        secret.say("address", address);
        for (key, value) in [
            ("username", self.login.username()),
            ("password", self.login.password()),
        ] {
            if let Some(value) = value {
                secret.say(key, value);
            }
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dockers_file_is_that_of_go() {
        assert_eq!(
            docker_config("ghcr.io", "me", "a<b>&\"c"),
            "{\n  \"auths\": {\n    \"ghcr.io\": {\n      \"username\": \"me\",\n      \
             \"password\": \"a\\u003cb\\u003e\\u0026\\\"c\",\n      \"auth\": \"bWU6YTxiPiYiYw==\"\n    }\n  }\n}"
        );
    }
}
