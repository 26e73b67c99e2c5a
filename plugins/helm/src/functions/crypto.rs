//! Passwords, keys, certificates and AES. All randomness comes from the render's seed.

mod certificates;
mod password;

use aes::{
    Aes256,
    cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};

use super::{Call, Functions, random::Random};
use crate::{
    Error, Str,
    go::{
        base::{decode_base64, encode_base64},
        x509::PrivateKey,
    },
};

/// bcrypt's default cost: 2^10 rounds.
const BCRYPT_COST: u32 = 10;
/// bcrypt looks at no more of a password.
const BCRYPT_LENGTH_MAX: usize = 72;
const AES_BLOCK: usize = 16;

pub(super) fn register(functions: &mut Functions) {
    certificates::register(functions);
    password::register(functions);
    functions.add_with_call("bcrypt", |call: &Call<'_>, password: Str| bcrypt(call, &password));
    functions.add_with_call("htpasswd", |call: &Call<'_>, user: Str, password: Str| {
        if user.as_bytes().contains(&b':') {
            return Str::from(format!("invalid username: {user}"));
        }
        Str::from([user.as_bytes(), b":", bcrypt(call, &password).as_bytes()].concat())
    });
    functions.add_with_call("genPrivateKey", |call: &Call<'_>, kind: Str| {
        let mut random = Random::of(call);
        match &*kind.to_str() {
            "" | "rsa" => PrivateKey::rsa(&mut random, 4096).to_pem(),
            "dsa" => PrivateKey::dsa(&mut random).to_pem(),
            "ecdsa" => PrivateKey::ecdsa(&mut random).to_pem(),
            "ed25519" => PrivateKey::ed25519(&mut random).to_pem(),
            other => format!("Unknown type {other}"),
        }
    });
    functions.add_with_call("encryptAES", encrypt);
    functions.add("decryptAES", decrypt);
}

fn bcrypt(call: &Call<'_>, password: &Str) -> String {
    if password.len() > BCRYPT_LENGTH_MAX {
        return "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes".to_owned();
    }
    let mut salt = [0; 16];
    Random::of(call).fill(&mut salt);
    // a zero ends the password where there is room for it
    let mut key = password.as_bytes().to_vec();
    key.push(0);
    key.truncate(BCRYPT_LENGTH_MAX);
    let hash = bcrypt::bcrypt(BCRYPT_COST, salt, &key);
    let hash = hash.get(..23).unwrap_or_default();
    format!(
        "$2a${BCRYPT_COST:02}${}{}",
        bcrypt_letters(&salt),
        bcrypt_letters(hash)
    )
}

/// base64 with bcrypt's own alphabet and without padding.
fn bcrypt_letters(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut letters = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, index| {
            bits << 8 | u32::from(group.get(index).copied().unwrap_or(0))
        });
        for place in 0..=group.len() {
            let index = usize::try_from(bits >> (18 - 6 * place) & 63).unwrap_or(0);
            letters.push(ALPHABET.get(index).copied().map_or('.', char::from));
        }
    }
    letters
}

/// The first 32 bytes of the password, filled up with zeros.
fn cipher(password: &Str) -> Aes256 {
    let mut key = [0; 32];
    key.iter_mut()
        .zip(password.as_bytes())
        .for_each(|(byte, given)| *byte = *given);
    Aes256::new(&key.into())
}

fn xor(block: &mut [u8; AES_BLOCK], other: &[u8]) {
    block
        .iter_mut()
        .zip(other)
        .for_each(|(byte, other)| *byte ^= other);
}

/// AES-256 in CBC mode, the random first block before the text.
fn encrypt(call: &Call<'_>, password: Str, plain: Str) -> String {
    if plain.is_empty() {
        return String::new();
    }
    let cipher = cipher(&password);
    let padding = AES_BLOCK - plain.len() % AES_BLOCK;
    let mut padded = plain.as_bytes().to_vec();
    padded.extend(std::iter::repeat_n(u8::try_from(padding).unwrap_or(0), padding));
    let mut previous = [0; AES_BLOCK];
    Random::of(call).fill(&mut previous);
    let mut out = previous.to_vec();
    for chunk in padded.chunks(AES_BLOCK) {
        xor(&mut previous, chunk);
        let mut block = previous.into();
        cipher.encrypt_block(&mut block);
        previous = block.into();
        out.extend_from_slice(&previous);
    }
    encode_base64(&out)
}

fn decrypt(password: Str, encrypted: Str) -> Result<Str, Error> {
    if encrypted.is_empty() {
        return Ok(Str::default());
    }
    let bytes = decode_base64(encrypted.as_bytes()).map_err(Error::new)?;
    let out_of_range = |what: String| Error::new(format!("runtime error: {what}"));
    let Some((first, rest)) = bytes.split_at_checked(AES_BLOCK) else {
        // Go's buffer has room for whole groups of letters
        let capacity = encrypted.len() / 4 * 3;
        return Err(out_of_range(format!(
            "slice bounds out of range [:16] with capacity {capacity}"
        )));
    };
    if rest.len() % AES_BLOCK != 0 {
        return Err(Error::new("crypto/cipher: input not full blocks"));
    }
    let cipher = cipher(&password);
    let mut previous = first;
    let mut out = Vec::with_capacity(rest.len());
    for chunk in rest.chunks(AES_BLOCK) {
        let mut plain = [0; AES_BLOCK];
        xor(&mut plain, chunk);
        let mut block = plain.into();
        cipher.decrypt_block(&mut block);
        let mut plain: [u8; AES_BLOCK] = block.into();
        xor(&mut plain, previous);
        out.extend_from_slice(&plain);
        previous = chunk;
    }
    let padding = out.last().map(|last| usize::from(*last));
    let padding = padding.ok_or_else(|| out_of_range("index out of range [-1]".to_owned()))?;
    let length = out.len().checked_sub(padding);
    let length = length.ok_or_else(|| {
        let end = i64::try_from(out.len()).unwrap_or(0) - i64::try_from(padding).unwrap_or(0);
        out_of_range(format!("slice bounds out of range [:{end}]"))
    })?;
    out.truncate(length);
    Ok(out.into())
}
