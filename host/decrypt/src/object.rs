//! Built objects: whole documents that carry SOPS metadata, and values of Secrets that are encrypted files.

use crate::file::{Mac, file};
use crate::sops::{self, Format};
use crate::{Error, Keyring, Vouched};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_api::meta;
use std::collections::BTreeSet;
use zeroize::Zeroizing;

/// Whether an object asks to stay encrypted.
fn is_disabled(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    annotations
        .and_then(|annotations| annotations.get(meta::DECRYPT)?.as_str())
        .is_some_and(|value| value.eq_ignore_ascii_case(meta::DISABLED))
}

/// Decrypts an object in place. The answer: whether anything in it was encrypted.
///
/// The MAC of a whole document covers the file it was read from; building changes the object since. So it counts where one
/// of the files that [`crate::sources()`] verified carries it and holds every encrypted value that the object has.
///
/// # Errors
/// See [`Error`].
pub async fn object(
    keyring: &Keyring,
    object: &mut Value,
    vouched: &Vouched,
    mac: Mac,
) -> Result<bool, Error> {
    if is_disabled(object) {
        return Ok(false);
    }
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (kind, name) = (
        text("/kind"),
        format!("{}/{}", text("/metadata/namespace"), text("/metadata/name")),
    );
    if object
        .pointer("/sops/mac")
        .and_then(Value::as_str)
        .is_some_and(|mac| !mac.is_empty())
    {
        let decrypted = whole(keyring, object, vouched, mac, &name)
            .await
            .map_err(|cause| cause.at(format!("failed to decrypt and format '{name}' {kind} data")))?;
        *object = decrypted;
        return Ok(true);
    }
    if kind != "Secret" {
        return Ok(false);
    }
    let Some(Value::Object(data)) = object.get_mut("data") else {
        return Ok(false);
    };
    let mut is_any = false;
    for (key, value) in data.iter_mut() {
        // what is no base64 is refused by the API server, with better words
        let Some(Ok(bytes)) = value.as_str().map(|text| STANDARD.decode(text)) else {
            continue;
        };
        let Some(format) = Format::detect(&bytes) else {
            continue;
        };
        let output = Format::of_path(key);
        let plain = file(
            keyring,
            &bytes,
            (format, output),
            mac,
            &format!("'{key}' of Secret {name}"),
        )
        .await
        .map_err(|cause| {
            cause.at(format!(
                "failed to decrypt and format '{name}' Secret field '{key}'"
            ))
        })?;
        *value = Value::from(STANDARD.encode(&*plain));
        is_any = true;
    }
    Ok(is_any)
}

async fn whole(
    keyring: &Keyring,
    object: &Value,
    vouched: &Vouched,
    mac: Mac,
    name: &str,
) -> Result<Value, Error> {
    let text = object.to_string();
    let sealed = sops::load(text.as_bytes(), Format::Json)?;
    let key = keyring.data_key(&sealed.metadata).await.map_err(Error::DataKey)?;
    let opened = sops::open(&sealed, &key).map_err(Error::Tree)?;
    if mac == Mac::Verified && !opened.is_intact {
        let held: BTreeSet<&str> = opened.ciphertexts.iter().map(String::as_str).collect();
        if !vouched.holds(&sealed.metadata.mac, &held) {
            return Err(Error::Mac(format!("the source of '{name}'")));
        }
    }
    let plain = Zeroizing::new(sops::emit(&opened.branches, Format::Json, Format::Json)?);
    serde_json::from_slice(&plain).map_err(|_| Error::Emit {
        input: Format::Json,
        output: Format::Json,
        cause: "what was decrypted cannot be read as JSON".to_owned(),
    })
}
