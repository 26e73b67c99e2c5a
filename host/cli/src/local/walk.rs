//! Kustomizations that make Kustomizations: which is next, and where its files lie on this machine.

use super::name_of;
use anyhow::{Result, bail, ensure};
use sluice_api::Kustomization;
use std::collections::{BTreeSet, VecDeque};
use std::path::{Component, Path, PathBuf};

/// How many Kustomizations one walk follows: a tree of a real cluster has hundreds.
const KUSTOMIZATIONS_MAX: usize = 10_000;

/// The directory of a source: `Kind/namespace/name=path`, as `--local-sources` takes it.
pub(crate) type LocalSource = (String, PathBuf);

/// Reads one.
///
/// # Errors
/// In Flux's words.
pub(crate) fn local_source(text: &str) -> Result<LocalSource, String> {
    match text.split_once('=') {
        Some((source, path)) => Ok((source.to_owned(), path.into())),
        None => Err(format!("{text} must be formatted as key=value")),
    }
}

/// The Kustomizations that were found, each once, and where the files of sources lie.
pub(crate) struct Followed<'a> {
    sources: &'a [LocalSource],
    seen: BTreeSet<(String, String)>,
}

impl<'a> Followed<'a> {
    /// Begins with one.
    pub(crate) fn new(top: &Kustomization, sources: &'a [LocalSource]) -> Self {
        Self {
            sources,
            seen: BTreeSet::from([name_of(top)]),
        }
    }

    /// The directory of one that was found; none where it was found before.
    ///
    /// # Errors
    /// Nobody said where its source lies; there are too many.
    pub(crate) fn find(&mut self, found: &Kustomization) -> Result<Option<PathBuf>> {
        if !self.seen.insert(name_of(found)) {
            return Ok(None);
        }
        ensure!(
            self.seen.len() <= KUSTOMIZATIONS_MAX,
            "more than {KUSTOMIZATIONS_MAX} Kustomizations lead to each other"
        );
        self.directory(found).map(Some)
    }

    /// Where the source of a Kustomization lies on this machine.
    fn directory(&self, declared: &Kustomization) -> Result<PathBuf> {
        let (namespace, name) = name_of(declared);
        let source = &declared.spec.source_ref;
        let of = source.namespace.as_deref().unwrap_or(&namespace);
        let key = match of {
            "" => format!("{}/{}", source.kind.as_str(), source.name),
            of => format!("{}/{of}/{}", source.kind.as_str(), source.name),
        };
        // the last one counts where a source is given twice
        let Some((_, path)) = self.sources.iter().rev().find(|(source, _)| *source == key) else {
            bail!("cannot get local path for {key} of kustomization {name}; add --local-sources {key}=DIR");
        };
        let mut directory = path.clone();
        let below = declared.spec.path.as_deref().unwrap_or_default();
        // `..` ends at the source, as in the controller
        for part in Path::new(below).components() {
            match part {
                Component::Normal(name) => directory.push(name),
                Component::ParentDir if directory != *path => drop(directory.pop()),
                _ => {}
            }
        }
        Ok(directory)
    }
}

/// The Kustomizations that lead to each other, breadth first.
pub(crate) struct Walk<'a> {
    followed: Followed<'a>,
    waiting: VecDeque<(Kustomization, PathBuf)>,
}

impl<'a> Walk<'a> {
    /// Begins with one whose files lie in `directory`.
    pub(crate) fn new(top: Kustomization, directory: PathBuf, sources: &'a [LocalSource]) -> Self {
        Self {
            followed: Followed::new(&top, sources),
            waiting: VecDeque::from([(top, directory)]),
        }
    }

    /// The next one, with its directory.
    pub(crate) fn next(&mut self) -> Option<(Kustomization, PathBuf)> {
        self.waiting.pop_front()
    }

    /// Notes one that was found.
    ///
    /// # Errors
    /// As of [`Followed::find`].
    pub(crate) fn add(&mut self, found: Kustomization) -> Result<()> {
        if let Some(directory) = self.followed.find(&found)? {
            self.waiting.push_back((found, directory));
        }
        Ok(())
    }
}
