//! Statements signed with an RSA key (RFC 7515, RFC 7519): who we are to a service that knows the public key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_SHA256, RsaEncoding},
};
use rustls_pki_types::{PrivateKeyDer, pem::PemObject};
use serde_json::{Value, json};

/// `claims` by the first key in `pem`, as `RS256`. None where there is no RSA key that can be used.
pub(crate) fn rs256(claims: &Value, pem: &str) -> Option<String> {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    signed(&header, &RSA_PKCS1_SHA256, claims, pem)
}

/// The same in the way that `header` says and `padding` does.
pub(crate) fn signed(
    header: &Value,
    padding: &'static dyn RsaEncoding,
    claims: &Value,
    pem: &str,
) -> Option<String> {
    // keys come indented out of other files
    let pem: Vec<&str> = pem.lines().map(str::trim).collect();
    let der = PrivateKeyDer::from_pem_slice(pem.join("\n").as_bytes()).ok()?;
    let key = match &der {
        PrivateKeyDer::Pkcs8(der) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => KeyPair::from_der(der.secret_pkcs1_der()),
        _ => return None,
    };
    let key = key.ok()?;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(header), part(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(padding, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .ok()?;
    Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}
