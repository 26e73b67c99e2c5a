//! The private key of a Secret.

use russh::keys::{Algorithm, PrivateKey, decode_secret_key, ssh_key::Kdf};

use crate::{SshIdentity, credential::is_encrypted};

/// Rounds of bcrypt that a key may cost: `ssh-keygen` asks for 16 or 24.
const ROUNDS_MAX: u32 = 256;

/// Reads the private key: of OpenSSH's own form, or in the older PEM forms of RSA and ECDSA keys.
pub(super) fn private_key(identity: &SshIdentity) -> Result<PrivateKey, String> {
    let text = identity.key.reveal().trim();
    let passphrase = identity
        .passphrase
        .as_ref()
        .map(|passphrase| passphrase.reveal().as_str());
    let key = match form(text)? {
        Form::OpenSsh => open_ssh(text, passphrase)?,
        // a passphrase that nothing needs is passed over, as in Flux
        Form::Pem => decode_secret_key(text, passphrase.filter(|_| is_encrypted(text)))
            .map_err(|_| unreadable(text))?,
    };
    match key.algorithm() {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } | Algorithm::Rsa { .. } => Ok(key),
        other => Err(format!(
            "keys of type {other} are not supported; use an ed25519 key"
        )),
    }
}

enum Form {
    OpenSsh,
    Pem,
}

fn form(text: &str) -> Result<Form, String> {
    let begins = |kind: &str| text.starts_with(&format!("-----BEGIN {kind}PRIVATE KEY-----"));
    if begins("OPENSSH ") {
        Ok(Form::OpenSsh)
    } else if begins("RSA ") || begins("EC ") || begins("") {
        Ok(Form::Pem)
    } else if begins("ENCRYPTED ") {
        Err("a key encrypted in this form is not supported; rewrite it with ssh-keygen -p".to_owned())
    } else {
        Err("it is no private key (the content of a file like ~/.ssh/id_ed25519, not of its .pub)".to_owned())
    }
}

fn open_ssh(text: &str, passphrase: Option<&str>) -> Result<PrivateKey, String> {
    let key = PrivateKey::from_openssh(text).map_err(|_| "it cannot be read".to_owned())?;
    if !key.is_encrypted() {
        return Ok(key);
    }
    if let Kdf::Bcrypt { rounds, .. } = key.kdf()
        && *rounds > ROUNDS_MAX
    {
        return Err(format!(
            "its passphrase costs {rounds} rounds, more than the limit of {ROUNDS_MAX} (rounds_max)"
        ));
    }
    key.decrypt(passphrase.unwrap_or_default())
        .map_err(|_| unreadable(text))
}

/// What may be said of a key that does not open: nothing of its content.
fn unreadable(text: &str) -> String {
    match is_encrypted(text) {
        true => "it cannot be decrypted; check 'password', or rewrite it with ssh-keygen -p".to_owned(),
        false => "it cannot be read".to_owned(),
    }
}
