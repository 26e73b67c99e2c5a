//! SSH signatures of Git objects, as `ssh-keygen -Y sign -n git` makes them (compat/source.md 5.6).

use russh::keys::{
    PublicKey,
    ssh_key::{Algorithm, HashAlg, SshSig, public::KeyData},
};

use super::git::KeyFile;

/// What Git signs for; a signature made for anything else is none.
const NAMESPACE: &str = "git";
/// Smallest modulus of RSA, in bits.
const RSA_BITS_MIN: u32 = 2048;
/// Keys of one file that are looked at: a Secret holds a megabyte.
const KEYS_MAX: usize = 1000;

/// The key that made `signature` of `payload`: its fingerprint, `SHA256:…`.
///
/// # Errors
/// Flux's words, and why the signature is not good.
pub(super) fn verify(signature: &[u8], payload: &[u8], files: &[KeyFile]) -> Result<String, String> {
    let signature =
        SshSig::from_pem(signature).map_err(|error| format!("unable to unarmor SSH signature: {error}"))?;
    let (mut unreadable, mut has_keys, mut causes) = (None, false, Vec::new());
    for file in files {
        let keys = match keys(&file.content) {
            Ok(keys) => keys,
            Err(problem) => {
                let text = format!(
                    "unable to parse authorized keys: {problem} (key '{}' of the secret)",
                    file.name
                );
                unreadable.get_or_insert(text);
                continue;
            }
        };
        has_keys = true;
        for key in keys.iter().filter(|key| *key == signature.public_key()) {
            match check(key, &signature, payload) {
                Ok(()) => return Ok(key.fingerprint(HashAlg::Sha256).to_string()),
                Err(cause) => causes.push(cause),
            }
        }
    }
    match unreadable {
        Some(text) if !has_keys => Err(text),
        _ => {
            let by = signature.public_key().fingerprint(HashAlg::Sha256);
            let cause = match causes.is_empty() {
                true => format!("it was signed by key {by}; add that key to the Secret if you trust it"),
                false => causes.join("; "),
            };
            Err(format!(
                "unable to verify payload with any of the given authorized keys: no matching key ({cause})"
            ))
        }
    }
}

/// The keys of a file in the form of `authorized_keys`. Options are passed over, as in Flux.
fn keys(content: &[u8]) -> Result<Vec<KeyData>, String> {
    let text = std::str::from_utf8(content).map_err(|_| "it is no text".to_owned())?;
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let keys = lines.take(KEYS_MAX).map(|line| {
        let read = public_key(line)
            .or_else(|error| public_key(after_options(line).unwrap_or_default()).map_err(|_| error));
        let key = read.map_err(|error| format!("unable to parse authorized key: {error}"))?;
        Ok(key.key_data().clone())
    });
    keys.collect()
}

/// Algorithm, key in Base64, and perhaps a comment.
fn public_key(text: &str) -> Result<PublicKey, russh::keys::ssh_key::Error> {
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    PublicKey::from_openssh(&words.join(" "))
}

/// What follows the options of a line: they end at the first space that stands in no quotes.
fn after_options(line: &str) -> Option<&str> {
    let mut is_quoted = false;
    let end = line.find(|letter: char| {
        is_quoted ^= letter == '"';
        letter.is_whitespace() && !is_quoted
    })?;
    line.get(end..)
}

/// Whether this key, which the signature names, made it.
fn check(key: &KeyData, signature: &SshSig, payload: &[u8]) -> Result<(), String> {
    if signature.namespace() != NAMESPACE {
        let namespace = signature.namespace().escape_debug();
        return Err(format!(
            "the signature is for the namespace '{namespace}', not '{NAMESPACE}'"
        ));
    }
    if let Algorithm::Rsa { hash: None } = signature.algorithm() {
        return Err("the signature is of a broken digest, SHA1".to_owned());
    }
    if let KeyData::Rsa(rsa) = key
        && rsa.key_size() < RSA_BITS_MIN
    {
        let bits = rsa.key_size();
        return Err(format!("its RSA key has {bits} bits, fewer than {RSA_BITS_MIN}"));
    }
    let verified = PublicKey::from(key.clone()).verify(NAMESPACE, payload, signature);
    verified.map_err(|_| "the signature is not one of this object".to_owned())
}
