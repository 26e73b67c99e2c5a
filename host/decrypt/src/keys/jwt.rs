//! A signed assertion: RS256 over claims, for token endpoints of Google and Azure.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::Value;
use zeroize::Zeroizing;

/// Signs with an RSA key in PEM, PKCS#8 or PKCS#1.
///
/// # Errors
/// The key cannot be used.
pub(super) fn sign(header: &Value, claims: &Value, key_pem: &str) -> Result<Zeroizing<String>, String> {
    let der = pem(key_pem, "PRIVATE KEY").ok_or("the private key is no PEM")?;
    let pair = RsaKeyPair::from_pkcs8(&der).or_else(|_| RsaKeyPair::from_der(&der));
    let pair = pair.map_err(|_| "the private key is no RSA key that can be used")?;
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        message.as_bytes(),
        &mut signature,
    )
    .map_err(|_| "the private key signs nothing")?;
    Ok(Zeroizing::new(format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(signature)
    )))
}

/// The bytes of the first block whose label ends so.
pub(super) fn pem(text: &str, label: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut lines = text.lines().map(str::trim);
    lines.find(|line| line.starts_with("-----BEGIN ") && line.ends_with(&format!("{label}-----")))?;
    let body: String = lines.take_while(|line| !line.starts_with("-----END ")).collect();
    STANDARD.decode(body).ok().map(Zeroizing::new)
}
