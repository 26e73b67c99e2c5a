//! What is in a bucket: keys and etags, and the revision that they make (compat/source.md 9.3).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{
    Bucket, Error,
    remote::{Listed, Problem},
};
use crate::{
    ignore::{self, IGNORE_FILE, IGNORE_FILE_SIZE_MAX, PATTERNS_MAX, Rules},
    spool::Spool,
};

/// The objects of a bucket that become files.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// By key: etag and size.
    pub(super) objects: BTreeMap<String, (String, u64)>,
    /// `.sourceignore` of the bucket, which is a file of the artifact but no part of the revision.
    pub(super) ignore_file: Option<Vec<u8>>,
}

impl Index {
    /// How many objects there are.
    pub fn objects(&self) -> usize {
        self.objects.len()
    }

    /// `sha256:<hex>` of all keys with their etags, in order.
    pub fn revision(&self) -> String {
        let mut hash = Sha256::new();
        for (key, (etag, _)) in &self.objects {
            hash.update(format!("{key} {etag}\n"));
        }
        format!("sha256:{}", hex::encode(hash.finalize()))
    }
}

impl Bucket {
    /// Lists the bucket, without what is ignored.
    ///
    /// # Errors
    /// [`Error::Unknown`], [`Error::NoBucket`], [`Error::Index`]: also where a key is no path of a file, or there are too many.
    pub async fn index(&self) -> Result<Index, Error> {
        let deadline = Instant::now() + self.timeout;
        let mut index = Index {
            ignore_file: self.ignore_file(deadline).await?,
            ..Index::default()
        };
        let rules = self.rules(index.ignore_file.as_deref())?;
        let mut after: Option<String> = None;
        loop {
            let page = self
                .remote
                .page(self.prefix.as_deref(), after.as_deref(), deadline)
                .await;
            let page = page.map_err(|problem| match problem {
                Problem::Missing => Error::NoBucket(self.name.clone()),
                problem => self.not_listed(problem),
            })?;
            for Listed { key, etag, size } in page.objects {
                // consoles make objects whose keys end in a slash, to show folders
                if key == IGNORE_FILE || key.ends_with('/') {
                    continue;
                }
                let path: Vec<&str> = key.split('/').collect();
                if !rules.excludes(&path, false) {
                    check(&key).map_err(|problem| self.not_listed(problem))?;
                    index.objects.insert(key, (etag, size));
                }
            }
            let limit = self.limits.objects_max;
            if index.objects.len() > limit {
                return Err(self.not_listed(format!(
                    "more than {limit} objects (objects_max): narrow spec.prefix or spec.ignore"
                )));
            }
            if page.next.is_none() {
                return Ok(index);
            }
            if page.next == after {
                return Err(self.not_listed("the list leads to itself".to_owned()));
            }
            after = page.next;
        }
    }

    fn not_listed(&self, problem: impl Into<Problem>) -> Error {
        let problem = problem.into();
        Error::Index {
            bucket: self.name.clone(),
            after: problem.retry_after(),
            cause: problem.to_string(),
        }
    }

    async fn ignore_file(&self, deadline: Instant) -> Result<Option<Vec<u8>>, Error> {
        let limit = IGNORE_FILE_SIZE_MAX;
        let mut text = Spool::new(Vec::new(), usize::MAX);
        match self.remote.get(IGNORE_FILE, limit, deadline, &mut text).await {
            Ok(_) => {
                let whole = text.finish().await;
                whole
                    .map(Some)
                    .map_err(|error| self.not_listed(Problem::Disk(error)))
            }
            Err(Problem::Missing) => Ok(None),
            Err(Problem::Identity(problem)) => Err(Error::Unusable(problem)),
            // the first question of all: what fails here would have failed Flux's question for the bucket
            Err(problem) => {
                let mut cause = problem.to_string();
                // what Microsoft's store says to those who may not look whether there is one
                if cause.starts_with("AuthenticationFailed") {
                    cause = format!(
                        "the specified bucket name may be incorrect, nonexistent, or the caller might lack sufficient permissions to access it: {cause}"
                    );
                }
                Err(Error::Unknown {
                    bucket: self.name.clone(),
                    after: problem.retry_after(),
                    cause,
                })
            }
        }
    }

    /// The user's rules alone: a bucket has no others.
    fn rules(&self, ignore_file: Option<&[u8]>) -> Result<Rules, Error> {
        let own = String::from_utf8_lossy(ignore_file.unwrap_or_default());
        let mut patterns = ignore::parse(&own, &[]);
        patterns.extend(ignore::parse(self.ignore.as_deref().unwrap_or_default(), &[]));
        let number = patterns.len();
        if number > PATTERNS_MAX {
            return Err(self.not_listed(format!(
                "{number} patterns are more than the limit of {PATTERNS_MAX} (patterns_max)"
            )));
        }
        Ok(Rules::only(patterns))
    }
}

/// The deepest folder of a file.
const DEPTH_MAX: usize = 200;

/// A key that can be the path of a file (N10).
fn check(key: &str) -> Result<(), String> {
    let shown = key.escape_debug();
    let is_text = !key.contains('\\') && !key.chars().any(char::is_control);
    let mut parts = key.split('/');
    if !is_text || parts.any(|part| matches!(part, "" | "." | "..")) {
        return Err(format!(
            "the key '{shown}' is no path of a file: rename the object"
        ));
    }
    if key.split('/').count() > DEPTH_MAX {
        return Err(format!(
            "the key '{shown}' is deeper than {DEPTH_MAX} folders: rename the object"
        ));
    }
    Ok(())
}
