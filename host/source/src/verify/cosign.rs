//! Cosign: keyed and keyless, signatures of its second and third generation.

use jiff::Timestamp;
use regex::bytes::Regex;

use super::{
    Error, PublicKey, TrustedRoot,
    bundle::{BUNDLE, Candidate, SIMPLE_SIGNING},
    certificate::Certificate,
};
use crate::oci::{Cause, ContentDigest, Repository, compile_within};

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

/// Most keys, and most identities, that one artifact is checked against: each with each of its signatures.
const KEYS_MAX: usize = 100;
const IDENTITIES_MAX: usize = 100;
/// Bytes of one expression that is ready to be tried: some 5000 characters that stand for themselves, 32 MiB for all.
const EXPRESSION_SIZE_MAX: usize = 160 << 10;

impl Identity {
    /// Reads the expressions of all, each issuer with its subject.
    ///
    /// # Errors
    /// One cannot be read, or there are too many.
    pub fn all<'t>(
        expressions: impl ExactSizeIterator<Item = (&'t str, &'t str)>,
    ) -> Result<Vec<Identity>, Error> {
        if expressions.len() > IDENTITIES_MAX {
            let problem = format!("more than {IDENTITIES_MAX} entries of matchOIDCIdentity (identities_max)");
            return Err(Error::Material(problem));
        }
        expressions
            .map(|(issuer, subject)| Identity::new(issuer, subject))
            .collect()
    }

    /// Reads the two expressions.
    pub fn new(issuer: &str, subject: &str) -> Result<Identity, Error> {
        let compile = |text: &str| {
            compile_within(text, EXPRESSION_SIZE_MAX)
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
    /// Where there is none, saying why each that was there is not good; where there are too many keys.
    pub async fn verify(&self, repository: &Repository, digest: &ContentDigest) -> Result<(), Error> {
        if let Cosign::Keyed(keys) = self
            && keys.len() > KEYS_MAX
        {
            return Err(Error::Material(format!("more than {KEYS_MAX} keys (keys_max)")));
        }
        let reference = format!("{}@{digest}", repository.name());
        let mut looked = Looked {
            left: repository.signatures_max(),
            problems: Vec::new(),
        };
        if self.finds(repository, digest, &mut looked).await? {
            return Ok(());
        }
        let mut problems = looked.problems;
        if problems.is_empty() {
            return Err(Error::NotVerified(format!(
                "no matching signatures were found for '{reference}': it has none (sign it: cosign sign {reference})"
            )));
        }
        problems.truncate(PROBLEMS_MAX);
        let problems = problems.join("; ");
        Err(Error::NotVerified(format!(
            "no matching signatures were found for '{reference}': {problems}"
        )))
    }

    /// Looks at signatures, bundles first, until one is good; whoever may add to a repository can add any number of others,
    /// of any size, so that no more than those of one manifest are held.
    async fn finds(
        &self,
        repository: &Repository,
        digest: &ContentDigest,
        looked: &mut Looked,
    ) -> Result<bool, Cause> {
        let bundles = repository.referrers(digest, BUNDLE).await?;
        if !bundles.is_empty() {
            let manifest = repository.manifest_of(digest).await?;
            for descriptor in bundles.iter().take(looked.left) {
                let contents = repository.contents(&descriptor.digest, &[BUNDLE], looked.left);
                for (_, content) in contents.await? {
                    take_turns().await;
                    let candidate = Candidate::of_bundle(&content, &manifest);
                    if looked.is_good(candidate.and_then(|candidate| self.judge(&candidate, digest))) {
                        return Ok(true);
                    }
                }
            }
        }
        let tag = format!("{}-{}.sig", digest.algorithm().as_str(), digest.hex());
        let signatures = repository.contents_of_tag(&tag, SIMPLE_SIGNING, looked.left);
        for (layer, content) in signatures.await? {
            take_turns().await;
            let annotation = |key: &str| layer.annotations.get(key).cloned();
            let candidate = Candidate::of_simple_signing(content, annotation);
            if looked.is_good(candidate.and_then(|candidate| self.judge(&candidate, digest))) {
                return Ok(true);
            }
        }
        Ok(false)
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

/// A signature takes some milliseconds with a hundred keys, and there may be a hundred: others are not to wait for all of them.
async fn take_turns() {
    tokio::task::yield_now().await;
}

/// What was looked at so far.
struct Looked {
    /// How many more signatures are.
    left: usize,
    /// Why those were no good.
    problems: Vec<String>,
}

impl Looked {
    fn is_good(&mut self, judged: Result<(), String>) -> bool {
        self.left = self.left.saturating_sub(1);
        if let Err(problem) = &judged
            && !self.problems.contains(problem)
        {
            self.problems.push(problem.clone());
        }
        judged.is_ok()
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
