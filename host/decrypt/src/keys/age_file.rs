//! An armored age v1 file that holds a data key: header, its MAC, one chunk of payload (age-encryption.org/v1).
//!
//! The primitives are those of ring and x25519-dalek; here is only the order in which the format wants them.

use super::age::Identity;
use crate::sops::DataKey;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};
use zeroize::Zeroizing;

/// First line of a file.
const VERSION: &str = "age-encryption.org/v1";
/// What an X25519 stanza's key is bound to.
const X25519_INFO: &[u8] = b"age-encryption.org/v1/X25519";
/// A data key has 32 bytes, a part of one 33. What is longer than this is none; a file of that size has one chunk.
const ENCRYPTED_BYTES_MAX: usize = 16 << 10;
/// Attempts to open one key, each of a tenth of a millisecond: SOPS writes one stanza a recipient, and a Secret has a few
/// identities.
const ATTEMPTS_MAX: usize = 10_000;
/// A full line of a stanza's body; a shorter one is its last.
const BODY_COLUMNS: usize = 64;
/// Nonce in front of the payload.
const PAYLOAD_NONCE_BYTES: usize = 16;
/// Tag behind what was encrypted.
const TAG_BYTES: usize = 16;
/// The key that stanzas wrap.
const FILE_KEY_BYTES: usize = 16;

struct Stanza<'a> {
    arguments: Vec<&'a str>,
    body: Vec<u8>,
}

/// Decrypts with the first identity that one of the recipients' stanzas was made for.
///
/// # Errors
/// What is wrong with the file, or that no identity is one of its recipients.
pub(super) fn open(armored: &str, identities: &[Identity]) -> Result<DataKey, &'static str> {
    let bytes = dearmor(armored)?;
    let (header, payload) = split(&bytes).ok_or("failed to read header: it does not end")?;
    let (stanzas, covered, mac) = parse(header).ok_or("failed to read header: parsing age header")?;
    let attempts = stanzas.len().saturating_mul(identities.len());
    if attempts > ATTEMPTS_MAX {
        return Err(
            "it has too many recipients for so many identities (attempts_max): keep fewer identities in the Secret, or \
             encrypt the file again with sops, which makes one such message for each recipient",
        );
    }
    let file_key = stanzas
        .iter()
        .flat_map(|stanza| identities.iter().map(move |identity| (stanza, identity)))
        .find_map(|(stanza, identity)| unwrap(stanza, identity))
        .ok_or("no identity matched any of the recipients")?;
    let key = derive(&[], &file_key, b"header").ok_or("the header's key cannot be derived")?;
    hmac::verify(
        &hmac::Key::new(hmac::HMAC_SHA256, &*key),
        covered.as_bytes(),
        &mac,
    )
    .map_err(|_| "bad header MAC")?;
    let (nonce, sealed) = payload
        .split_at_checked(PAYLOAD_NONCE_BYTES)
        .ok_or("failed to read nonce")?;
    let key = derive(nonce, &file_key, b"payload").ok_or("the payload's key cannot be derived")?;
    // counter 0, and the mark of the last chunk
    let mut nonce = [0; 12];
    nonce[11] = 1;
    decrypt(&*key, nonce, sealed).ok_or("failed to decrypt and authenticate payload chunk")
}

fn dearmor(text: &str) -> Result<Vec<u8>, &'static str> {
    if text.len() > ENCRYPTED_BYTES_MAX {
        return Err("it is too long for a data key: encrypt the file again with sops");
    }
    let text = text.trim();
    let body = text
        .strip_prefix("-----BEGIN AGE ENCRYPTED FILE-----")
        .and_then(|text| text.strip_suffix("-----END AGE ENCRYPTED FILE-----"))
        .ok_or("failed to read header: it is not an armored age file")?;
    let body: String = body.lines().map(str::trim).collect();
    STANDARD
        .decode(body)
        .map_err(|_| "invalid armor: illegal base64 data")
}

/// The header with its last line, and what follows.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let mac = bytes.windows(5).position(|window| window == b"\n--- ")? + 1;
    let line = bytes.get(mac..)?.iter().position(|byte| *byte == b'\n')?;
    let (header, payload) = bytes.split_at_checked(mac + line + 1)?;
    Some((std::str::from_utf8(header).ok()?, payload))
}

/// The stanzas, what of the header its MAC covers, and the MAC.
fn parse(header: &str) -> Option<(Vec<Stanza<'_>>, &str, Vec<u8>)> {
    let end = header.rfind("\n--- ")? + 1;
    let mac = header.get(end..)?.strip_prefix("--- ")?.strip_suffix('\n')?;
    let mut lines = header.get(..end)?.strip_suffix('\n')?.split('\n');
    if lines.next()? != VERSION {
        return None;
    }
    let mut stanzas = Vec::new();
    while let Some(line) = lines.next() {
        let arguments: Vec<&str> = line.strip_prefix("-> ")?.split(' ').collect();
        let mut body = String::new();
        loop {
            let line = lines.next()?;
            body.push_str(line);
            if line.len() > BODY_COLUMNS {
                return None;
            }
            if line.len() < BODY_COLUMNS {
                break;
            }
        }
        let body = STANDARD_NO_PAD.decode(body).ok()?;
        stanzas.push(Stanza { arguments, body });
    }
    Some((stanzas, header.get(..end + 3)?, STANDARD_NO_PAD.decode(mac).ok()?))
}

/// The file key, where the stanza was made for this identity.
fn unwrap(stanza: &Stanza<'_>, identity: &Identity) -> Option<Zeroizing<Vec<u8>>> {
    let ["X25519", share] = stanza.arguments.as_slice() else {
        return None;
    };
    let share: [u8; 32] = STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?;
    // of another length it would be the part of an attack that tries many keys at once
    if stanza.body.len() != FILE_KEY_BYTES + TAG_BYTES {
        return None;
    }
    let secret = Zeroizing::new(x25519(**identity, share));
    // a share of low order would make a key that anybody knows
    if *secret == [0; 32] {
        return None;
    }
    let salt = [share, x25519(**identity, X25519_BASEPOINT_BYTES)].concat();
    let key = derive(&salt, &*secret, X25519_INFO)?;
    decrypt(&*key, [0; 12], &stanza.body)
}

fn derive(salt: &[u8], secret: &[u8], info: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let mut key = Zeroizing::new([0; 32]);
    let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(secret);
    let info = [info];
    let expanded = pseudorandom.expand(&info, hkdf::HKDF_SHA256).ok()?;
    expanded.fill(&mut *key).ok()?;
    Some(key)
}

fn decrypt(key: &[u8], nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let opened = key.open_in_place(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes);
    let size = opened.ok()?.len();
    bytes.truncate(size);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armored(stanzas: usize) -> String {
        let share = STANDARD_NO_PAD.encode([9; 32]);
        let mut file = format!("{VERSION}\n");
        for _ in 0..stanzas {
            file.push_str(&format!("-> X25519 {share}\n{share}\n"));
        }
        file.push_str(&format!("--- {share}\n"));
        let body = STANDARD.encode(file);
        format!("-----BEGIN AGE ENCRYPTED FILE-----\n{body}\n-----END AGE ENCRYPTED FILE-----\n")
    }

    #[test]
    fn recipients_times_identities_are_bounded() {
        let identities = |count| vec![Identity::new([7; 32]); count];
        assert_eq!(
            open(&armored(100), &identities(101)).unwrap_err(),
            "it has too many recipients for so many identities (attempts_max): keep fewer identities in the Secret, or encrypt the file again with sops, which makes one such message for each recipient"
        );
        assert_eq!(
            open(&armored(2), &identities(3)).unwrap_err(),
            "no identity matched any of the recipients"
        );
    }
}
