//! Cosign: keyed and keyless, signatures of its second and third generation.

use jiff::Timestamp;
use regex::bytes::Regex;

use super::{
    Error, PublicKey, TrustedRoot,
    bundle::{BUNDLE, Candidate, SIMPLE_SIGNING},
    certificate::Certificate,
};
use crate::oci::{Cause, ContentDigest, Repository, compile_filter};

/// Who must have signed.
#[derive(Clone, Debug)]
pub enum Cosign {
    /// Whoever has one of these keys. The log is not asked, as in Flux.
    Keyed(Vec<PublicKey>),
    /// Somebody with one of these identities, anybody where none is given; by the word of this root.
    Keyless {
        /// Whom to believe.
        root: Box<TrustedRoot>,
        /// Any of these.
        identities: Vec<Identity>,
    },
}

/// An identity, by regular expressions that may match anywhere, read as RE2 reads them.
#[derive(Clone, Debug)]
pub struct Identity {
    issuer: Regex,
    subject: Regex,
}

impl Identity {
    /// Reads the two expressions.
    pub fn new(issuer: &str, subject: &str) -> Result<Identity, Error> {
        let compile = |text: &str| {
            compile_filter(text)
                .map_err(|error| Error::Material(format!("malformed matchOIDCIdentity: {error}")))
        };
        Ok(Identity {
            issuer: compile(issuer)?,
            subject: compile(subject)?,
        })
    }
}

impl Cosign {
    /// Finds a good signature of `digest` in the repository.
    ///
    /// # Errors
    /// Where there is none, saying why each that was there is not good.
    pub async fn verify(&self, repository: &Repository, digest: &ContentDigest) -> Result<(), Error> {
        let reference = format!("{}@{digest}", repository.name());
        let found = candidates(repository, digest).await?;
        if found.is_empty() {
            return Err(Error::NotVerified(format!(
                "no matching signatures were found for '{reference}': it has none (sign it: cosign sign {reference})"
            )));
        }
        let mut problems = Vec::new();
        for candidate in found {
            let judged = candidate.and_then(|candidate| self.judge(&candidate, digest));
            match judged {
                Ok(()) => return Ok(()),
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        problems.truncate(PROBLEMS_MAX);
        let problems = problems.join("; ");
        Err(Error::NotVerified(format!(
            "no matching signatures were found for '{reference}': {problems}"
        )))
    }

    fn judge(&self, candidate: &Candidate, digest: &ContentDigest) -> Result<(), String> {
        if !candidate.is_about(digest) {
            return Err("a signature is about another artifact".to_owned());
        }
        match self {
            Cosign::Keyed(keys) => {
                let is_signed = keys
                    .iter()
                    .any(|key| key.verifies(&candidate.message, &candidate.signature));
                is_signed
                    .then_some(())
                    .ok_or_else(|| "none of the given keys made the signature".to_owned())
            }
            Cosign::Keyless { root, identities } => judge_keyless(candidate, root, identities),
        }
    }
}

/// Different problems that a message names.
const PROBLEMS_MAX: usize = 5;

fn judge_keyless(candidate: &Candidate, root: &TrustedRoot, identities: &[Identity]) -> Result<(), String> {
    let certificate = candidate
        .certificate
        .as_ref()
        .ok_or("a signature was made with a key, and none is given")?;
    if !certificate.verifies(&candidate.message, &candidate.signature) {
        return Err("the certificate's key did not make the signature".to_owned());
    }
    let mut times = Vec::new();
    for timestamp in &candidate.timestamps {
        times.extend(root.time(timestamp, &candidate.signature)?);
    }
    times.extend(logged(candidate, certificate, root, &times)?);
    if times.is_empty() {
        return Err("the time of the signature is not known".to_owned());
    }
    for time in times {
        certificate.check(root, time)?;
    }
    let named = certificate.named()?;
    let issuer = named.issuer.unwrap_or_default();
    let is_known = |identity: &Identity| {
        identity.issuer.is_match(issuer.as_bytes())
            && named
                .subjects
                .iter()
                .any(|subject| identity.subject.is_match(subject.as_bytes()))
    };
    if identities.is_empty() || identities.iter().any(is_known) {
        Ok(())
    } else {
        let subjects = named.subjects.join(", ");
        Err(format!(
            "none of the expected identities matched what was in the certificate, got subjects [{subjects}] with issuer {issuer}"
        ))
    }
}

/// The time that a log of the root says for this signature, which it must have; none where it is one that says no times.
fn logged(
    candidate: &Candidate,
    certificate: &Certificate,
    root: &TrustedRoot,
    stamped: &[Timestamp],
) -> Result<Option<Timestamp>, String> {
    let mut problem = "a signature is in no transparency log".to_owned();
    for entry in &candidate.entries {
        let about = entry.is_about(
            &candidate.message,
            &candidate.logged,
            &candidate.signature,
            certificate.der(),
        );
        match about.and_then(|()| entry.check(root, stamped)) {
            Ok(time) => return Ok(time),
            Err(error) => problem = error,
        }
    }
    Err(problem)
}

/// All signatures of an artifact, bundles first. Those that cannot be read are errors of their own.
async fn candidates(
    repository: &Repository,
    digest: &ContentDigest,
) -> Result<Vec<Result<Candidate, String>>, Cause> {
    let mut found = Vec::new();
    let limit = repository.signatures_max();
    let bundles = repository.referrers(digest, BUNDLE).await?;
    if !bundles.is_empty() {
        let manifest = repository.manifest_of(digest).await?;
        for descriptor in bundles.iter().take(limit) {
            for (_, content) in repository.contents(&descriptor.digest, &[BUNDLE]).await? {
                found.push(Candidate::of_bundle(&content, &manifest));
            }
        }
    }
    let tag = format!("{}-{}.sig", digest.algorithm().as_str(), digest.hex());
    for (layer, content) in repository.contents_of_tag(&tag, SIMPLE_SIGNING).await? {
        if found.len() >= limit {
            break;
        }
        let annotation = |key: &str| layer.annotations.get(key).cloned();
        found.push(Candidate::of_simple_signing(content, annotation));
    }
    Ok(found)
}
