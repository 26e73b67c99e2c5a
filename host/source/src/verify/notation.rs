//! Notation: JWS envelopes, certificates of a trust store, a trust policy (compat/source.md 6.6; notaryproject specifications).

use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, pem::PemObject};
use serde::Deserialize;
use webpki::{EndEntityCert, ring as alg};

use super::{
    Error,
    policy::{Action, Level, Policy, Statement},
    x509,
};
use crate::oci::{ContentDigest, Repository};

/// The type of the manifests that hold signatures.
const SIGNATURE: &str = "application/vnd.cncf.notary.signature";
const JWS: &str = "application/jose+json";
const PAYLOAD: &str = "application/vnd.cncf.notary.payload.v1+json";
/// Signatures that are tried, as in Flux.
const ATTEMPTS_MAX: usize = 3;

/// Whom to believe, and how much.
#[derive(Clone, Debug)]
pub struct Notation {
    policy: Policy,
    certificates: Vec<Vec<u8>>,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A signature is good.
    Verified,
    /// The policy does not ask for one, or lets one pass that is nobody's it trusts: nothing is said.
    Ignored,
}

impl Notation {
    /// `trustpolicy.json`, and certificates in PEM or DER, which serve every trust store that the policy names.
    pub fn new(policy: &[u8], certificates: &[Vec<u8>]) -> Result<Notation, Error> {
        let mut ders = Vec::new();
        for bytes in certificates {
            match bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
                true => {
                    let read: Result<Vec<CertificateDer<'_>>, _> =
                        CertificateDer::pem_slice_iter(bytes).collect();
                    let read =
                        read.map_err(|_| Error::Material("a certificate cannot be read".to_owned()))?;
                    ders.extend(read.iter().map(|der| der.to_vec()));
                }
                false => ders.push(bytes.clone()),
            }
        }
        if ders.iter().any(|der| x509::parts(der).is_err()) {
            return Err(Error::Material("a certificate cannot be read".to_owned()));
        }
        Ok(Notation {
            policy: Policy::parse(policy)?,
            certificates: ders,
        })
    }

    /// Finds a signature of `digest` that the policy accepts. `now` is the time that certificates must be valid at.
    pub async fn verify(
        &self,
        repository: &Repository,
        digest: &ContentDigest,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let reference = format!("{}@{digest}", repository.name());
        let statement = self.policy.statement(&repository.name().to_string())?;
        if statement.level == Level::Skip {
            return Ok(Verdict::Ignored);
        }
        let mut problems = Vec::new();
        for descriptor in repository
            .referrers(digest, SIGNATURE)
            .await?
            .iter()
            .take(ATTEMPTS_MAX)
        {
            let envelopes = repository.contents(&descriptor.digest, JWS).await?;
            if envelopes.is_empty() {
                problems.push("only JWS envelopes are supported".to_owned());
            }
            for (_, envelope) in envelopes {
                match self.judge(&envelope, digest, statement, now) {
                    Ok(verdict) => return Ok(verdict),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        Err(Error::NotVerified(if problems.is_empty() {
            format!(
                "no signature is associated with \"{reference}\", make sure the artifact was signed successfully"
            )
        } else {
            format!(
                "signature verification failed for '{reference}': {}",
                problems.join("; ")
            )
        }))
    }

    /// Integrity is never up for discussion; the rest is as the policy has it.
    fn judge(
        &self,
        envelope: &[u8],
        digest: &ContentDigest,
        statement: &Statement,
        now: Timestamp,
    ) -> Result<Verdict, String> {
        let signed = Signed::read(envelope)?;
        if signed.digest != digest.to_string() {
            return Err("the signature is about another artifact".to_owned());
        }
        let actions = statement.actions();
        let is_authentic = weigh(actions.authenticity, || self.authentic(&signed, statement, now))?;
        weigh(actions.expiry, || {
            let is_expired = signed.expiry.is_some_and(|expiry| expiry <= now);
            let expired = || "the signature has expired".to_owned();
            (!is_expired).then_some(()).ok_or_else(expired)
        })?;
        weigh(actions.timestamp, || {
            signed.chain.iter().try_for_each(|der| valid_at(der, now))
        })?;
        // of all checks this one alone is not made where it is skipped
        if actions.revocation != Action::Skip {
            weigh(actions.revocation, || {
                signed.chain.iter().try_for_each(|der| not_revocable(der))
            })?;
        }
        // as in Flux: only who signed decides whether the artifact counts as verified
        Ok(match is_authentic {
            true => Verdict::Verified,
            false => Verdict::Ignored,
        })
    }

    /// The chain ends in a certificate of the trust store, and the signer is one of the policy's.
    fn authentic(&self, signed: &Signed, statement: &Statement, now: Timestamp) -> Result<(), String> {
        let leaf = signed.chain.first().ok_or("the envelope holds no certificate")?;
        if self.certificates.is_empty() {
            return Err("the trust store is empty".to_owned());
        }
        if !self.certificates.contains(leaf) {
            self.chained(leaf, signed, now)?;
        }
        let subject = x509::parts(leaf)?.attributes();
        match statement.trusts(&subject) {
            true => Ok(()),
            false => Err(format!(
                "signing certificate with subject '{}' is not one of the trusted identities",
                shown(&subject)
            )),
        }
    }

    fn chained(&self, leaf: &[u8], signed: &Signed, now: Timestamp) -> Result<(), String> {
        let text = |error: webpki::Error| error.to_string();
        let roots: Vec<CertificateDer<'_>> = self
            .certificates
            .iter()
            .map(|der| der.as_slice().into())
            .collect();
        let anchors: Vec<_> = roots
            .iter()
            .filter_map(|root| webpki::anchor_from_trusted_cert(root).ok())
            .collect();
        let others: Vec<CertificateDer<'_>> = signed
            .chain
            .iter()
            .skip(1)
            .map(|der| der.as_slice().into())
            .collect();
        // whether it is valid now is another question, which the policy weighs on its own
        let parts = x509::parts(leaf)?;
        let at = now.max(parts.not_before).min(parts.not_after).as_second();
        let at = std::time::Duration::from_secs(u64::try_from(at).map_err(|_| "before 1970")?);
        let der = CertificateDer::from(leaf);
        EndEntityCert::try_from(&der)
            .map_err(text)?
            .verify_for_usage(
                super::key::CERTIFICATES,
                &anchors,
                &others,
                rustls_pki_types::UnixTime::since_unix_epoch(at),
                webpki::KeyUsage::required(super::certificate::CODE_SIGNING),
                None,
                None,
            )
            .map(drop)
            .map_err(|error| format!("the signing certificate is not of the trust store: {error}"))
    }
}

/// Whether a check passes. One that fails without being insisted on is told to the log.
fn weigh(action: Action, check: impl FnOnce() -> Result<(), String>) -> Result<bool, String> {
    match check() {
        Ok(()) => Ok(true),
        Err(problem) if action == Action::Enforce => Err(problem),
        Err(problem) => {
            tracing::info!(
                problem,
                "a check of the signature failed that the trust policy does not insist on"
            );
            Ok(false)
        }
    }
}

fn valid_at(der: &[u8], now: Timestamp) -> Result<(), String> {
    let parts = x509::parts(der)?;
    match parts.not_before <= now && now <= parts.not_after {
        true => Ok(()),
        false => Err(format!(
            "certificate with subject '{}' is not valid now",
            shown(&parts.attributes())
        )),
    }
}

fn shown(attributes: &[(String, String)]) -> String {
    let pairs: Vec<String> = attributes
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(", ")
}

/// Nobody is asked whether a certificate was revoked; one whose authority would say so is not believed.
fn not_revocable(der: &[u8]) -> Result<(), String> {
    /// `id-pe-authorityInfoAccess`.
    const AUTHORITY_INFORMATION: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
    /// `id-ce-cRLDistributionPoints`.
    const REVOCATION_LISTS: &[u8] = &[0x55, 0x1d, 0x1f];
    let parts = x509::parts(der)?;
    let names = [AUTHORITY_INFORMATION, REVOCATION_LISTS];
    match names.iter().any(|name| parts.extension(name).is_some()) {
        false => Ok(()),
        true => Err(
            "revocation is not looked up yet: set signatureVerification.override.revocation to skip in the trust policy"
                .to_owned(),
        ),
    }
}

/// An envelope whose signature is good, whoever made it.
struct Signed {
    digest: String,
    chain: Vec<Vec<u8>>,
    expiry: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Envelope {
    payload: String,
    protected: String,
    header: Header,
    signature: String,
}

#[derive(Deserialize)]
struct Header {
    x5c: Vec<String>,
}

#[derive(Deserialize)]
struct Protected {
    alg: String,
    cty: String,
    crit: Vec<String>,
    #[serde(rename = "io.cncf.notary.signingScheme")]
    scheme: String,
    #[serde(rename = "io.cncf.notary.expiry")]
    expiry: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    target_artifact: Target,
}

#[derive(Deserialize)]
struct Target {
    digest: String,
}

/// Certificates of one chain.
const CHAIN_MAX: usize = 10;
/// What an envelope may declare critical; anything else it would be wrong to pass over.
const CRITICAL: [&str; 2] = ["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"];

impl Signed {
    fn read(envelope: &[u8]) -> Result<Signed, String> {
        let odd = |what: &str| format!("the envelope has no usable {what}");
        let envelope: Envelope = serde_json::from_slice(envelope).map_err(|_| odd("form"))?;
        let decode = |text: &str, what: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| odd(what));
        let protected = decode(&envelope.protected, "header")?;
        let protected: Protected = serde_json::from_slice(&protected).map_err(|_| odd("header"))?;
        if protected.cty != PAYLOAD || protected.scheme != "notary.x509" {
            return Err(format!(
                "signing scheme '{}' with content '{}' is not known",
                protected.scheme, protected.cty
            ));
        }
        if let Some(unknown) = protected
            .crit
            .iter()
            .find(|name| !CRITICAL.contains(&name.as_str()))
        {
            return Err(format!("the critical header '{unknown}' is not known"));
        }
        if protected.expiry.is_some() && !protected.crit.iter().any(|name| name == "io.cncf.notary.expiry") {
            return Err("the expiry is not declared critical".to_owned());
        }
        let expiry = protected.expiry.map(|text| text.parse::<Timestamp>()).transpose();
        let expiry = expiry.map_err(|_| odd("expiry"))?;
        if envelope.header.x5c.len() > CHAIN_MAX {
            return Err(format!("the chain has more than {CHAIN_MAX} certificates"));
        }
        let chain = envelope
            .header
            .x5c
            .iter()
            .map(|text| STANDARD.decode(text).map_err(|_| odd("chain")));
        let chain: Vec<Vec<u8>> = chain.collect::<Result<_, _>>()?;
        let leaf = chain.first().ok_or_else(|| odd("chain"))?;
        let message = format!("{}.{}", envelope.protected, envelope.payload);
        let signature = decode(&envelope.signature, "signature")?;
        if !is_signed(leaf, &protected.alg, message.as_bytes(), &signature)? {
            return Err("the envelope's signature is not good".to_owned());
        }
        let payload = decode(&envelope.payload, "payload")?;
        let payload: Payload = serde_json::from_slice(&payload).map_err(|_| odd("payload"))?;
        Ok(Signed {
            digest: payload.target_artifact.digest,
            chain,
            expiry,
        })
    }
}

fn is_signed(leaf: &[u8], name: &str, message: &[u8], signature: &[u8]) -> Result<bool, String> {
    let pss: Option<&dyn SignatureVerificationAlgorithm> = match name {
        "PS256" => Some(alg::RSA_PSS_2048_8192_SHA256_LEGACY_KEY),
        "PS384" => Some(alg::RSA_PSS_2048_8192_SHA384_LEGACY_KEY),
        "PS512" => Some(alg::RSA_PSS_2048_8192_SHA512_LEGACY_KEY),
        _ => None,
    };
    let ecdsa: Option<(&dyn SignatureVerificationAlgorithm, usize)> = match name {
        "ES256" => Some((alg::ECDSA_P256_SHA256, 64)),
        "ES384" => Some((alg::ECDSA_P384_SHA384, 96)),
        _ => None,
    };
    let (algorithm, signature) = match (pss, ecdsa) {
        (Some(algorithm), _) => (algorithm, signature.to_vec()),
        (None, Some((algorithm, length))) if signature.len() == length => (algorithm, der_of(signature)),
        (None, Some(_)) => return Ok(false),
        (None, None) => return Err(format!("signature algorithm '{name}' is not supported")),
    };
    let der = CertificateDer::from(leaf);
    let certificate = EndEntityCert::try_from(&der).map_err(|error| error.to_string())?;
    Ok(certificate
        .verify_signature(algorithm, message, &signature)
        .is_ok())
}

/// JOSE writes the two numbers of an ECDSA signature side by side, X.509 as a sequence of integers.
fn der_of(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |bytes: &[u8]| {
        let start = bytes
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(bytes.len().saturating_sub(1));
        let digits = bytes.get(start..).unwrap_or_default();
        let pad = digits.first().is_some_and(|first| first & 0x80 != 0);
        let mut content = if pad { vec![0] } else { Vec::new() };
        content.extend_from_slice(digits);
        x509::encode(0x02, &content)
    };
    x509::encode(0x30, &[integer(r), integer(s)].concat())
}
