use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sluice_object::{InvalidObject, Object};

/// Where a CustomResourceDefinition says which authority its conversion webhook is trusted by.
const BUNDLE: [&str; 5] = ["spec", "conversion", "webhook", "clientConfig", "caBundle"];
/// First byte of a certificate: a DER sequence.
const SEQUENCE: u8 = 0x30;

/// Takes the bundle of a definition's conversion webhook out where no certificate is in it, as Flux does. Many manifests have a
/// placeholder there (`Cg==`, a line break) until something in the cluster puts the real one in; an API server refuses it.
pub(crate) fn without_placeholder(object: &mut Object) -> Result<(), InvalidObject> {
    let gvk = object.gvk();
    let is_definition =
        gvk.group == "apiextensions.k8s.io" && gvk.kind.eq_ignore_ascii_case("CustomResourceDefinition");
    if !is_definition || object.text(&BUNDLE).is_none_or(is_bundle) {
        return Ok(());
    }
    object.edit(|body| {
        let spec = body.get_mut("spec");
        if let Some(Value::Object(client)) =
            spec.and_then(|spec| spec.pointer_mut("/conversion/webhook/clientConfig"))
        {
            client.remove("caBundle");
        }
    })
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
