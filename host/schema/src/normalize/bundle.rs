//! By which authority a definition's conversion webhook is trusted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Where in its spec a definition has it.
const CLIENT: &str = "/conversion/webhook/clientConfig";
/// First byte of a certificate: a DER sequence.
const SEQUENCE: u8 = 0x30;

/// Takes the bundle of a definition's conversion webhook out where no certificate is in it. Many manifests have a placeholder
/// there (`Cg==`, a line break) until something in the cluster puts the real one in; an API server refuses it.
pub(super) fn drop_placeholder(definition: &mut Map<String, Value>) {
    let spec = definition.get_mut("spec");
    let Some(Value::Object(client)) = spec.and_then(|spec| spec.pointer_mut(CLIENT)) else {
        return;
    };
    let bundle = client.get("caBundle").and_then(Value::as_str);
    if bundle.is_some_and(|bundle| !is_bundle(bundle)) {
        client.remove("caBundle");
    }
}

/// Whether the API server can read a certificate out of it. None at all is fine with it, too.
fn is_bundle(encoded: &str) -> bool {
    // Go passes over line breaks
    let encoded: String = encoded.split(['\r', '\n']).collect();
    let Ok(pem) = STANDARD.decode(encoded) else {
        return false;
    };
    pem.is_empty() || has_certificate(&String::from_utf8_lossy(&pem))
}

fn has_certificate(pem: &str) -> bool {
    pem.split("-----BEGIN CERTIFICATE-----").skip(1).any(|rest| {
        let block = rest.split_once("-----END CERTIFICATE-----");
        let body = block.map(|(body, _)| body.split_whitespace().collect::<String>());
        let certificate = body.and_then(|body| STANDARD.decode(body).ok());
        certificate.is_some_and(|bytes| bytes.first() == Some(&SEQUENCE))
    })
}
