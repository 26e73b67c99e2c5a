//! One value: `ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]`, its path as additional data.

use super::tree::{Node, Time};
use aes_gcm::aead::consts::{U12, U16, U32};
use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::aes::Aes256;
use aes_gcm::{AesGcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// The key of one file's values: 32 bytes, wiped when dropped.
pub type DataKey = Zeroizing<Vec<u8>>;

/// What a value was before it was encrypted.
pub(super) enum Plain {
    /// A value.
    Node(Node),
    /// A comment.
    Comment(String),
}

/// Shown instead of a value in an error: the value may be a secret that was never encrypted.
const REDACTED: &str = "<redacted>";

/// Decrypts one value. An empty text is stored as it is.
///
/// # Errors
/// What is wrong, in the words of SOPS and without the value.
pub(super) fn decrypt(value: &str, key: &[u8], path: &str) -> Result<Plain, String> {
    if value.is_empty() {
        return Ok(Plain::Node(Node::text("")));
    }
    let parts =
        parse(value).ok_or_else(|| format!("Input string {REDACTED} does not match sops' data format"))?;
    let decode = |what: &str, text: &str| {
        STANDARD
            .decode(text)
            .map_err(|_| format!("Error base64-decoding {what}: illegal base64 data"))
    };
    let (mut data, iv, tag) = (
        decode("data", parts.data)?,
        decode("iv", parts.iv)?,
        decode("tag", parts.tag)?,
    );
    data.extend_from_slice(&tag);
    let bytes = open(key, &iv, &data, path.as_bytes())?;
    typed(parts.kind, &bytes)
}

struct Parts<'a> {
    data: &'a str,
    iv: &'a str,
    tag: &'a str,
    kind: &'a str,
}

fn parse(value: &str) -> Option<Parts<'_>> {
    // comments of INI are several lines: what stands below an encrypted one is dropped, as SOPS does
    let value = value.lines().next()?;
    let rest = value.strip_prefix("ENC[AES256_GCM,data:")?;
    let rest = rest.get(..rest.rfind(']')?)?;
    let (rest, kind) = rest.rsplit_once(",type:")?;
    let (rest, tag) = rest.rsplit_once(",tag:")?;
    let (data, iv) = rest.rsplit_once(",iv:")?;
    let is_full = [data, iv, tag, kind].iter().all(|part| !part.is_empty());
    is_full.then_some(Parts { data, iv, tag, kind })
}

fn open(key: &[u8], iv: &[u8], data: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
    let payload = Payload { msg: data, aad };
    let wrong_key = |_| format!("crypto/aes: invalid key size {}", key.len());
    // SOPS takes 32 bytes; its first releases, and other writers, took 12 or 16
    let opened = match iv.len() {
        32 => AesGcm::<Aes256, U32>::new_from_slice(key)
            .map_err(wrong_key)?
            .decrypt(Nonce::<U32>::from_slice(iv), payload),
        16 => AesGcm::<Aes256, U16>::new_from_slice(key)
            .map_err(wrong_key)?
            .decrypt(Nonce::<U16>::from_slice(iv), payload),
        12 => AesGcm::<Aes256, U12>::new_from_slice(key)
            .map_err(wrong_key)?
            .decrypt(Nonce::<U12>::from_slice(iv), payload),
        size => return Err(format!("Could not decrypt with AES_GCM: an iv of {size} bytes")),
    };
    opened
        .map(Zeroizing::new)
        .map_err(|_| "Could not decrypt with AES_GCM: cipher: message authentication failed".to_owned())
}

fn typed(kind: &str, bytes: &[u8]) -> Result<Plain, String> {
    let text = || String::from_utf8_lossy(bytes).into_owned();
    let odd = |what: &str| format!("the decrypted value {REDACTED} is no {what}");
    let node = match kind {
        "str" | "bytes" => Node::of_bytes(bytes),
        "int" => Node::Int(text().parse().map_err(|_| odd("int"))?),
        "float" => Node::Float(text().parse().map_err(|_| odd("float"))?),
        "bool" => match bytes {
            b"1" | b"t" | b"T" | b"TRUE" | b"true" | b"True" => Node::Bool(true),
            b"0" | b"f" | b"F" | b"FALSE" | b"false" | b"False" => Node::Bool(false),
            _ => return Err(odd("bool")),
        },
        "time" => Node::Time(Time::parse(&text()).ok_or_else(|| odd("time"))?.full),
        "comment" => return Ok(Plain::Comment(text())),
        other => return Err(format!("Unknown datatype: {other}")),
    };
    Ok(Plain::Node(node))
}
