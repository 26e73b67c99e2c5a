//! OpenPGP signatures of Git objects, by the rules that GnuPG and Flux's library have for who may sign (compat/source.md 5.6).
//!
//! A signature is good where one key of a given ring made it, and that key
//! - says of itself, by a valid signature of its primary key, that it may sign;
//! - has not been revoked, nor has its primary key; has not expired, nor has the primary key; was there when it signed;
//! - is strong enough: no DSA, no RSA below 2048 bits, no MD5, SHA-1 or RIPEMD-160 of what it signed.

use std::io::Cursor;

use pgp::{
    composed::{Deserializable as _, DetachedSignature, PublicOrSecret, SignedPublicKey, SignedPublicSubKey},
    crypto::hash::HashAlgorithm,
    packet::{PublicKey, Signature, SignatureType, SubpacketData},
    ser::Serialize as _,
    types::{EcdsaPublicParams, KeyDetails, PublicParams, RsaPublicParams, Tag},
};

use super::git::KeyFile;

/// Signatures of one object that are looked at: Git makes one.
const SIGNATURES_MAX: usize = 4;
/// Keys of one ring that are looked at: a Secret holds a megabyte.
const KEYS_MAX: usize = 1000;
/// Smallest modulus of RSA, in bits; one less than 2048, as Flux's library counts.
const RSA_BITS_MIN: u16 = 2047;

/// The key that made `signature` of `payload`: the id of its primary key, 16 hex digits. `now` is in seconds since 1970.
///
/// # Errors
/// Flux's words, and why each key that might have signed is not good.
pub(super) fn verify(
    signature: &[u8],
    payload: &[u8],
    rings: &[KeyFile],
    now: u32,
) -> Result<String, String> {
    let (mut unreadable, mut has_ring, mut causes) = (None, false, Vec::new());
    let signatures = signatures(signature);
    if let Err(problem) = &signatures {
        causes.push(problem.clone());
    }
    for file in rings {
        let keys = match ring(&file.content) {
            Ok(keys) => keys,
            Err(problem) => {
                let text = format!(
                    "unable to read armored key ring: {problem} (key '{}' of the secret)",
                    file.name
                );
                unreadable.get_or_insert(text);
                continue;
            }
        };
        has_ring = true;
        for signature in signatures.iter().flatten() {
            for key in &keys {
                match check(signature, payload, key, now) {
                    Some(Ok(())) => return Ok(id(&key.primary_key)),
                    Some(Err(cause)) => causes.push(format!("key {}: {cause}", id(&key.primary_key))),
                    None if is_said(signature, key) => {
                        causes.push(format!(
                            "key {}: the signature is not one of this object",
                            id(&key.primary_key)
                        ));
                    }
                    None => {}
                }
            }
        }
    }
    match unreadable {
        Some(text) if !has_ring => Err(text),
        _ => {
            let cause = match causes.is_empty() {
                true => issuer(signatures.ok().as_deref().unwrap_or_default()),
                false => causes.join("; "),
            };
            Err(format!(
                "unable to verify payload with any of the given key rings: no matching key ({cause})"
            ))
        }
    }
}

fn signatures(armor: &[u8]) -> Result<Vec<Signature>, String> {
    let (found, _) =
        DetachedSignature::from_armor_many(Cursor::new(armor)).map_err(|error| unreadable(&error))?;
    let found = found.take(SIGNATURES_MAX);
    let read = found.map(|found| {
        found
            .map(|found| found.signature)
            .map_err(|error| unreadable(&error))
    });
    read.collect()
}

fn unreadable(error: &pgp::errors::Error) -> String {
    format!("the signature cannot be read: {error}")
}

/// All keys of a ring. A private one stands for its public half, as in Flux.
fn ring(content: &[u8]) -> Result<Vec<SignedPublicKey>, String> {
    let text = content.trim_ascii();
    let (keys, _) = PublicOrSecret::from_armor_many(Cursor::new(text)).map_err(|error| error.to_string())?;
    let keys = keys.take(KEYS_MAX).map(|key| match key {
        Ok(PublicOrSecret::Public(key)) => Ok(key),
        Ok(PublicOrSecret::Secret(key)) => Ok(key.to_public_key()),
        Err(error) => Err(error.to_string()),
    });
    let keys: Vec<SignedPublicKey> = keys.collect::<Result<_, _>>()?;
    match keys.is_empty() {
        true => Err("it holds no key".to_owned()),
        false => Ok(keys),
    }
}

/// Whether a signature says that it is of this key.
fn is_said(signature: &Signature, key: &SignedPublicKey) -> bool {
    let subkeys = key.public_subkeys.iter().map(|subkey| subkey.key.legacy_key_id());
    let mut ids = subkeys.chain([key.primary_key.legacy_key_id()]);
    ids.any(|id| signature.issuer_key_id().contains(&&id))
}

/// Who says to have signed, for a message.
fn issuer(signatures: &[Signature]) -> String {
    let ids = signatures.iter().flat_map(Signature::issuer_key_id);
    match ids.map(|id| format!("{id}").to_uppercase()).next() {
        Some(id) => format!("it was signed by key {id}; add that key to the Secret if you trust it"),
        None => "the signature does not say whose it is".to_owned(),
    }
}

/// As Go writes it.
fn id(key: &PublicKey) -> String {
    format!("{}", key.legacy_key_id()).to_uppercase()
}

/// None where this key did not sign; else whether it may have.
fn check(
    signature: &Signature,
    payload: &[u8],
    key: &SignedPublicKey,
    now: u32,
) -> Option<Result<(), String>> {
    let is_by = |made: Result<(), pgp::errors::Error>| made.is_ok();
    if is_by(signature.verify(&key.primary_key, payload)) {
        let rules = || {
            let own = self_signature(key, now)?;
            strong(&key.primary_key)?;
            may_sign(own)?;
            good(signature, &key.primary_key, now)
        };
        return Some(rules());
    }
    let subkey = key.public_subkeys.iter();
    let subkey = subkey
        .into_iter()
        .find(|subkey| is_by(signature.verify(&subkey.key, payload)))?;
    let rules = || {
        self_signature(key, now)?;
        strong(&subkey.key)?;
        binding(key, subkey, now)?;
        good(signature, &subkey.key, now)
    };
    Some(rules())
}

/// The newest thing a key says of itself, if it is to be used at all now.
fn self_signature(key: &SignedPublicKey, now: u32) -> Result<&Signature, String> {
    let (primary, details) = (&key.primary_key, &key.details);
    let revoked = details.revocation_signatures.iter();
    if revoked
        .into_iter()
        .any(|found| found.typ() == Some(SignatureType::KeyRevocation) && found.verify_key(primary).is_ok())
    {
        return Err("it is revoked".to_owned());
    }
    let direct = details.direct_signatures.iter();
    let direct =
        direct.filter(|found| found.typ() == Some(SignatureType::Key) && found.verify_key(primary).is_ok());
    let users = details.users.iter().filter_map(|user| {
        let own = user.signatures.iter();
        let own = own.filter(|found| found.verify_certification(primary, Tag::UserId, &user.id).is_ok());
        let newest = own.max_by_key(|found| created(found))?;
        // the last word counts: an identity that was revoked says nothing
        (newest.typ() != Some(SignatureType::CertRevocation)).then_some(newest)
    });
    let usable = direct.chain(users).filter(|found| is_fit(found, now));
    let newest = usable.max_by_key(|found| created(found));
    let newest = newest.ok_or("it has no valid signature of its own that says what it is for")?;
    lives(primary, newest, now)?;
    Ok(newest)
}

/// A subkey signs where its primary key says so, and it says the same of its primary key.
fn binding(key: &SignedPublicKey, subkey: &SignedPublicSubKey, now: u32) -> Result<(), String> {
    let own = subkey.signatures.iter();
    let own: Vec<&Signature> = own
        .filter(|found| found.verify_subkey_binding(&key.primary_key, &subkey.key).is_ok())
        .collect();
    if own
        .iter()
        .any(|found| found.typ() == Some(SignatureType::SubkeyRevocation))
    {
        return Err("the subkey that signed is revoked".to_owned());
    }
    let bindings = own.into_iter().filter(|found| is_fit(found, now));
    let newest = bindings
        .max_by_key(|found| created(found))
        .ok_or("the subkey that signed is not bound to it")?;
    if !newest.key_flags().sign() {
        return Err("the subkey that signed may not sign".to_owned());
    }
    let back = newest.embedded_signature().filter(|back| is_fit(back, now));
    let is_mutual = back.is_some_and(|back| {
        back.verify_primary_key_binding(&subkey.key, &key.primary_key)
            .is_ok()
    });
    if !is_mutual {
        return Err("the subkey that signed does not say that it belongs to it".to_owned());
    }
    lives(&subkey.key, newest, now)
}

fn created(signature: &Signature) -> u32 {
    signature.created().map_or(0, |time| time.as_secs())
}

/// Whether a key's own signature may be used: made, not over, not by a broken digest, nothing of it unknown and critical.
fn is_fit(signature: &Signature, now: u32) -> bool {
    let is_broken = matches!(
        signature.hash_alg(),
        None | Some(HashAlgorithm::None | HashAlgorithm::Md5 | HashAlgorithm::Ripemd160)
    );
    !is_broken && is_current(signature, now) && !has_critical_notation(signature)
}

fn is_current(signature: &Signature, now: u32) -> bool {
    let Some(created) = signature.created() else {
        return false;
    };
    let age = signature
        .signature_expiration_time()
        .map_or(0, |time| time.as_secs());
    created.as_secs() <= now && (age == 0 || u64::from(created.as_secs()) + u64::from(age) > u64::from(now))
}

fn has_critical_notation(signature: &Signature) -> bool {
    let hashed = signature.config().map(|config| config.hashed_subpackets());
    let mut hashed = hashed.into_iter().flatten();
    hashed.any(|found| found.is_critical && matches!(found.data, SubpacketData::Notation(_)))
}

fn lives(key: &impl KeyDetails, says: &Signature, now: u32) -> Result<(), String> {
    let born = u64::from(key.created_at().as_secs());
    let age = says.key_expiration_time().map_or(0, |time| time.as_secs());
    if born > u64::from(now) {
        return Err("the key that signed is not valid yet".to_owned());
    }
    if age != 0 && born + u64::from(age) <= u64::from(now) {
        return Err("the key that signed has expired; add its renewed form to the Secret".to_owned());
    }
    Ok(())
}

/// A primary key that says nothing of what it is for may sign.
fn may_sign(says: &Signature) -> Result<(), String> {
    let hashed = says.config().map(|config| config.hashed_subpackets());
    let mut hashed = hashed.into_iter().flatten();
    let says_something = hashed.any(|found| matches!(found.data, SubpacketData::KeyFlags(_)));
    match says_something && !says.key_flags().sign() {
        true => Err("it may not sign".to_owned()),
        false => Ok(()),
    }
}

fn strong(key: &impl KeyDetails) -> Result<(), String> {
    match key.public_params() {
        PublicParams::RSA(rsa) => match modulus_bits(rsa) {
            bits if bits < RSA_BITS_MIN => Err(format!("its RSA key has {bits} bits, fewer than 2048")),
            _ => Ok(()),
        },
        PublicParams::ECDSA(EcdsaPublicParams::Unsupported { .. }) => {
            Err("its curve is not supported".to_owned())
        }
        PublicParams::ECDSA(_)
        | PublicParams::EdDSALegacy(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_) => Ok(()),
        _ => Err("its algorithm is not accepted".to_owned()),
    }
}

/// Its wire form begins with the number of bits of the modulus (RFC 9580, 3.2).
fn modulus_bits(rsa: &RsaPublicParams) -> u16 {
    let wire = rsa.to_bytes().unwrap_or_default();
    wire.first_chunk().map_or(0, |bits| u16::from_be_bytes(*bits))
}

/// What is asked of the signature of the object itself.
fn good(signature: &Signature, key: &impl KeyDetails, now: u32) -> Result<(), String> {
    if !matches!(signature.typ(), Some(SignatureType::Binary | SignatureType::Text)) {
        return Err("it signed, but no document".to_owned());
    }
    let is_strong = matches!(
        signature.hash_alg(),
        Some(
            HashAlgorithm::Sha224
                | HashAlgorithm::Sha256
                | HashAlgorithm::Sha384
                | HashAlgorithm::Sha512
                | HashAlgorithm::Sha3_256
                | HashAlgorithm::Sha3_512
        )
    );
    if !is_strong {
        let name = signature
            .hash_alg()
            .map(|hash| hash.to_string())
            .unwrap_or_default();
        return Err(format!("the signature is of a broken digest, {name}"));
    }
    if !is_current(signature, now) {
        return Err("the signature has expired or is not valid yet".to_owned());
    }
    if has_critical_notation(signature) {
        return Err("the signature has a critical notation that is not understood".to_owned());
    }
    if created(signature) < key.created_at().as_secs() {
        return Err("the signature is older than the key".to_owned());
    }
    Ok(())
}
