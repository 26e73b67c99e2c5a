//! Notation: envelopes, certificates of a trust store, a trust policy (compat/source.md 6.6; notaryproject specifications).
//!
//! What an envelope says is read by `envelope`, of the two forms there are by `jws` and `cose`; here it is judged.

mod cose;
mod envelope;
mod jws;

use envelope::{MEDIA_TYPES, Signed, Target};
use jiff::Timestamp;
use rustls_pki_types::{CertificateDer, pem::PemObject};
use webpki::EndEntityCert;

use super::{
    Error,
    policy::{Action, Level, Policy, Statement, StoreKind, VerifyTimestamp},
    revocation::{Chain, Revocation},
    timestamp::Token,
    x509,
};
use crate::oci::{ContentDigest, Repository};

/// The type of the manifests that hold signatures.
const SIGNATURE: &str = "application/vnd.cncf.notary.signature";
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
        let policy = Policy::parse(policy)?;
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
            policy,
            certificates: ders,
        })
    }

    /// Finds a signature of `digest` that the policy accepts: of the first three, as in Flux. `now` is the time that
    /// certificates must be valid at.
    pub async fn verify(
        &self,
        repository: &Repository,
        digest: &ContentDigest,
        now: Timestamp,
    ) -> Result<Verdict, Error> {
        let reference = format!("{}@{digest}", repository.name());
        let statement = self
            .policy
            .statement(&repository.name().to_string(), &reference)?;
        if statement.level == Level::Skip {
            return Ok(Verdict::Ignored);
        }
        let (media_type, size) = repository.media_type_and_size(digest).await?;
        let artifact = Target {
            media_type,
            digest: digest.to_string(),
            size,
        };
        let (mut attempts, mut problems) = (0, Vec::new());
        let revocation = Revocation::new(repository.elsewhere().map_err(Error::Material)?, now);
        for descriptor in repository
            .referrers(digest, SIGNATURE)
            .await?
            .iter()
            .take(ATTEMPTS_MAX)
        {
            let max = repository.signatures_max();
            let envelopes = repository.contents(&descriptor.digest, &MEDIA_TYPES, max).await?;
            attempts += 1;
            let failed = |problem: String| {
                format!(
                    "failed to verify signature with digest {}, {problem}",
                    descriptor.digest
                )
            };
            if envelopes.is_empty() {
                let types = MEDIA_TYPES.join(" or ");
                problems.push(failed(format!("it holds no envelope of type {types}")));
            }
            for (layer, envelope) in envelopes {
                let judging = async {
                    let signed = Signed::read(&layer.media_type, &envelope)?;
                    self.judge(&signed, &artifact, statement, &revocation, now).await
                };
                match judging.await {
                    Ok(verdict) => return Ok(verdict),
                    Err(problem) => problems.push(failed(problem)),
                }
            }
        }
        let summary = match attempts {
            0 => format!(
                "no signature is associated with \"{reference}\", make sure the artifact was signed successfully"
            ),
            ATTEMPTS_MAX => format!(
                "signature evaluation stopped. The configured limit of {ATTEMPTS_MAX} signatures to verify per artifact exceeded"
            ),
            _ => "signature verification failed".to_owned(),
        };
        problems.insert(0, summary);
        Err(Error::NotVerified(problems.join("\n")))
    }

    /// Integrity is never up for discussion; the rest is as the policy has it.
    async fn judge(
        &self,
        signed: &Signed,
        artifact: &Target,
        statement: &Statement,
        revocation: &Revocation,
        now: Timestamp,
    ) -> Result<Verdict, String> {
        if signed.target != *artifact {
            let what = match signed.target.digest == artifact.digest {
                true => "the signature says that the artifact has another media type or size",
                false => "the signature is about another artifact",
            };
            return Err(format!("content descriptor mismatch ({what})"));
        }
        let actions = statement.actions();
        let is_authentic = weigh(actions.authenticity, self.authentic(signed, statement, now))?;
        let unexpired = match signed.expiry.filter(|expiry| *expiry <= now) {
            None => Ok(()),
            Some(expiry) => Err(format!("digital signature has expired on {:?}", dated(expiry))),
        };
        weigh(actions.expiry, unexpired)?;
        let timely = self.timely(signed, statement, revocation, now);
        weigh(actions.timestamp, timely.await)?;
        // where strangers' certificates send us nobody goes
        if is_authentic {
            let chain = Chain {
                certificates: &signed.chain,
                known: &self.certificates,
                purpose: "signing",
                signed_at: signed.authentic_time,
            };
            weigh_revocation(actions.revocation, revocation, &chain).await?;
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
        let (kind, store) = match signed.authentic_time {
            None => (StoreKind::Authority, "ca"),
            Some(_) => (StoreKind::SigningAuthority, "signingAuthority"),
        };
        if self.certificates.is_empty() || !statement.has_store(kind) {
            return Err(format!(
                "no trusted certificates are found to verify authenticity (the trust policy names no trust store {store}:NAME)"
            ));
        }
        if !self.certificates.contains(leaf) {
            self.chained(leaf, signed, now)?;
        }
        let subject = x509::parts(leaf)?.attributes();
        statement.trusts(&subject, &x509::shown(&subject))
    }

    /// All certificates were valid when it was signed: by the word of the authority that signed, by the timestamp where the
    /// policy has a trust store for those, else they must be so now (notaryproject, trust-store-trust-policy, authentic
    /// timestamp).
    async fn timely(
        &self,
        signed: &Signed,
        statement: &Statement,
        revocation: &Revocation,
        now: Timestamp,
    ) -> Result<(), String> {
        if let Some(time) = signed.authentic_time {
            return signed.chain.iter().try_for_each(|der| signed_at(der, time));
        }
        let mut is_asked = statement.has_store(StoreKind::Timestamps);
        if statement.verify_timestamp == VerifyTimestamp::AfterCertExpiry {
            let is_old = |der: &Vec<u8>| x509::parts(der).is_ok_and(|parts| parts.not_after < now);
            is_asked &= signed.chain.iter().any(is_old);
        }
        if !is_asked {
            return signed.chain.iter().try_for_each(|der| valid(der, now));
        }
        let timestamp = signed
            .timestamp
            .as_deref()
            .ok_or("no timestamp countersignature was found in the signature envelope")?;
        // what is given to sign with is no root of anything (trust store, `tsa`)
        let is_root = |der: &&Vec<u8>| x509::parts(der).is_ok_and(|parts| parts.issuer == parts.subject);
        let roots: Vec<Vec<u8>> = self.certificates.iter().filter(is_root).cloned().collect();
        let moment = Token::read(timestamp)?.verify(&signed.signature, &roots, &[])?;
        // who says when it was could have been revoked too
        let chain = Chain {
            certificates: &moment.chain,
            known: &roots,
            purpose: "timestamping",
            signed_at: None,
        };
        weigh_revocation(statement.actions().revocation, revocation, &chain).await?;
        signed.chain.iter().try_for_each(|der| {
            let parts = x509::parts(der)?;
            let time = moment.time;
            if moment.earliest < parts.not_before {
                return Err(format!(
                    "timestamp can be before {} (it is of {time})",
                    from(&parts)
                ));
            }
            if parts.not_after < moment.latest {
                return Err(format!(
                    "timestamp can be after {} (it is of {time})",
                    until(&parts)
                ));
            }
            Ok(())
        })
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
            .map_err(|error| {
                format!(
                    "the signature's certificate chain does not contain any trusted certificate ({error})"
                )
            })
    }
}

/// Whether a check passed. One that failed without being insisted on is told to the log.
fn weigh(action: Action, checked: Result<(), String>) -> Result<bool, String> {
    match checked {
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

/// Of all checks this one alone is not made where it is skipped.
async fn weigh_revocation(action: Action, revocation: &Revocation, chain: &Chain<'_>) -> Result<(), String> {
    match action {
        Action::Skip => Ok(()),
        action => weigh(action, revocation.check(chain).await).map(drop),
    }
}

/// Whether a certificate is valid now.
fn valid(der: &[u8], now: Timestamp) -> Result<(), String> {
    let parts = x509::parts(der)?;
    if now < parts.not_before {
        return Err(format!("verification time is before {}", from(&parts)));
    }
    if parts.not_after < now {
        return Err(format!("verification time is after {}", until(&parts)));
    }
    Ok(())
}

/// Whether a certificate was valid when an authority signed by it.
fn signed_at(der: &[u8], time: Timestamp) -> Result<(), String> {
    let parts = x509::parts(der)?;
    match parts.is_valid_at(time) {
        true => Ok(()),
        false => Err(format!(
            "certificate {:?} was not valid when the digital signature was produced at {:?}",
            x509::shown(&parts.attributes()),
            dated(time)
        )),
    }
}

fn from(parts: &x509::Parts<'_>) -> String {
    format!(
        "certificate {:?} validity period, it will be valid from {:?}",
        x509::shown(&parts.attributes()),
        dated(parts.not_before)
    )
}

fn until(parts: &x509::Parts<'_>) -> String {
    format!(
        "certificate {:?} validity period, it was expired at {:?}",
        x509::shown(&parts.attributes()),
        dated(parts.not_after)
    )
}

/// As messages show a time (Go's `RFC1123Z`).
fn dated(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S %z").to_string()
}
