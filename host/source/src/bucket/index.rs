//! What is in a bucket: keys and etags, and the revision that they make (compat/source.md 9.3).

use std::{collections::BTreeMap, sync::Arc};

use sha2::{Digest as _, Sha256};
use tokio::time::Instant;

use super::{
    Bucket, Error,
    remote::{Listed, Problem},
};
use crate::{
    http::Failure,
    ignore::{self, IGNORE_FILE, IGNORE_FILE_SIZE_MAX, PATTERNS_MAX, Rules},
    spool::{Spool, blocking},
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
        let rules = Arc::new(self.rules(index.ignore_file.as_deref())?);
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
            let (listed, known) = (page.objects, Arc::clone(&rules));
            let kept = blocking("matching the list with spec.ignore", move || {
                Ok(kept(listed, &known, deadline))
            })
            .await
            .map_err(|error| self.not_listed(Problem::Disk(error)))?;
            for Listed { key, etag, size } in kept.map_err(|problem| self.not_listed(problem))? {
                index.objects.insert(key, (etag, size));
            }
            let limit = self.limits.objects_max;
            if index.objects.len() > limit {
                return Err(self.not_listed(format!(
                    "more than {limit} objects (objects_max): narrow spec.prefix or spec.ignore"
                )));
            }
            if page.next.is_none() {
                return self.bounded(index).await;
            }
            if page.next == after {
                return Err(self.not_listed("the list leads to itself".to_owned()));
            }
            after = page.next;
        }
    }

    /// The same index, unless its files lie in too many folders: each of those is held like a file.
    async fn bounded(&self, index: Index) -> Result<Index, Error> {
        let counted = blocking("counting the folders", move || {
            let folders = folders(index.objects.keys().map(String::as_str));
            Ok((index, folders))
        });
        let (index, folders) = counted
            .await
            .map_err(|error| self.not_listed(Problem::Disk(error)))?;
        let limit = self.limits.objects_max;
        if folders > limit {
            return Err(self.not_listed(format!(
                "more than {limit} folders (objects_max): narrow spec.prefix or spec.ignore"
            )));
        }
        Ok(index)
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

/// What of a page becomes files. Each key is tried with each pattern, which can take long: it ends with the time there is.
fn kept(listed: Vec<Listed>, rules: &Rules, deadline: Instant) -> Result<Vec<Listed>, Problem> {
    let mut kept = Vec::with_capacity(listed.len());
    for object in listed {
        if Instant::now() >= deadline {
            return Err(Failure::TimedOut.into());
        }
        let key = &object.key;
        // consoles make objects whose keys end in a slash, to show folders
        if key == IGNORE_FILE || key.ends_with('/') {
            continue;
        }
        let path: Vec<&str> = key.split('/').collect();
        if !rules.excludes(&path, false) {
            check(key)?;
            kept.push(object);
        }
    }
    Ok(kept)
}

/// How many folders there are, of keys in order.
fn folders<'k>(keys: impl Iterator<Item = &'k str>) -> usize {
    let (mut number, mut before) = (0, "");
    for key in keys {
        let parts = key.split('/');
        let shared = parts
            .clone()
            .zip(before.split('/'))
            .take_while(|(part, other)| part == other);
        number += (parts.count() - 1).saturating_sub(shared.count());
        before = key;
    }
    number
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn folders_that_only_keys_name_are_counted() {
        let count = |keys: &[&str]| folders(keys.iter().copied());
        assert_eq!(count(&["a", "b"]), 0);
        assert_eq!(count(&["a/b/c", "a/b/d", "a/b/e/f", "a/g", "b/b/c"]), 5);
        // in order of keys, `-` comes before `/`
        assert_eq!(count(&["a-b/c", "a/b", "a/c"]), 2);
    }

    #[tokio::test]
    async fn patterns_are_tried_as_long_as_there_is_time() {
        let listed = || {
            let key = "a/b.yaml".to_owned();
            vec![Listed {
                key,
                ..Listed::default()
            }]
        };
        let rules = Rules::only(ignore::parse("*.txt", &[]));
        let now = Instant::now();
        let kept_all = kept(listed(), &rules, now + Duration::from_secs(3600)).unwrap();
        assert_eq!(kept_all.len(), 1);
        let refusal = kept(listed(), &rules, now).err().unwrap().to_string();
        assert!(refusal.starts_with("context deadline exceeded"), "{refusal}");
    }
}
