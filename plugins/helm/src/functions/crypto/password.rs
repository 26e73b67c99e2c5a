//! `derivePassword`: the Master Password algorithm.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::super::{Functions, Uint32};
use crate::{Error, Str};

const SEED: &[u8] = b"com.lyndir.masterpassword";

/// Kinds of passwords; each template's letters stand for classes of characters.
const TEMPLATES: [(&str, &[&str]); 6] = [
    ("maximum", &["anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"]),
    (
        "long",
        &[
            "CvcvnoCvcvCvcv",
            "CvcvCvcvnoCvcv",
            "CvcvCvcvCvcvno",
            "CvccnoCvcvCvcv",
            "CvccCvcvnoCvcv",
            "CvccCvcvCvcvno",
            "CvcvnoCvccCvcv",
            "CvcvCvccnoCvcv",
            "CvcvCvccCvcvno",
            "CvcvnoCvcvCvcc",
            "CvcvCvcvnoCvcc",
            "CvcvCvcvCvccno",
            "CvccnoCvccCvcv",
            "CvccCvccnoCvcv",
            "CvccCvccCvcvno",
            "CvcvnoCvccCvcc",
            "CvcvCvccnoCvcc",
            "CvcvCvccCvccno",
            "CvccnoCvcvCvcc",
            "CvccCvcvnoCvcc",
            "CvccCvcvCvccno",
        ],
    ),
    ("medium", &["CvcnoCvc", "CvcCvcno"]),
    ("short", &["Cvcn"]),
    ("basic", &["aaanaaan", "aannaaan", "aaannaaa"]),
    ("pin", &["nnnn"]),
];

fn characters(class: char) -> &'static [u8] {
    match class {
        'V' => b"AEIOU",
        'C' => b"BCDFGHJKLMNPQRSTVWXYZ",
        'v' => b"aeiou",
        'c' => b"bcdfghjklmnpqrstvwxyz",
        'A' => b"AEIOUBCDFGHJKLMNPQRSTVWXYZ",
        'a' => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz",
        'n' => b"0123456789",
        'o' => b"@&%?,=[]_:-+*$#!'^~;()/.",
        _ => b"AEIOUaeiouBCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz0123456789!@#$%^&*()",
    }
}

pub(super) fn register(functions: &mut Functions) {
    functions.add("derivePassword", derive);
}

/// `func derivePassword(counter uint32, passwordType, password, user, site string) string`
fn derive(counter: Uint32, kind: Str, password: Str, user: Str, site: Str) -> Result<String, Error> {
    let Some((_, templates)) = TEMPLATES.iter().find(|(name, _)| kind == *name) else {
        return Ok(format!("cannot find password template {kind}"));
    };
    let failed = |what: &dyn std::fmt::Display| Error::new(format!("failed to derive password: {what}"));
    let length = |text: &Str| u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes();
    let salt = [SEED, &length(&user), user.as_bytes()].concat();
    let parameters = scrypt::Params::new(15, 8, 2).map_err(|error| failed(&error))?;
    let mut key = [0; 64];
    scrypt::scrypt(password.as_bytes(), &salt, &parameters, &mut key).map_err(|error| failed(&error))?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|error| failed(&error))?;
    mac.update(&[SEED, &length(&site), site.as_bytes(), &counter.0.to_be_bytes()].concat());
    let seed = mac.finalize().into_bytes();
    let (first, rest) = seed.split_first().ok_or_else(|| failed(&"no seed"))?;
    let template = templates
        .get(usize::from(*first) % templates.len())
        .copied()
        .unwrap_or_default();
    let derived = template.chars().zip(rest).map(|(class, byte)| {
        let characters = characters(class);
        characters
            .get(usize::from(*byte) % characters.len())
            .copied()
            .map_or('?', char::from)
    });
    Ok(derived.collect())
}
