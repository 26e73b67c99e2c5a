//! Where a local directory lies, and how much around it a build may see.

use anyhow::{Context as _, Result, bail};
use sluice_artifact::{LocalLimits, LocalTree, Tree};
use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A directory to build, and the tree around it that the build may see.
pub(crate) struct Place {
    /// The tree.
    pub(crate) tree: Arc<dyn Tree>,
    /// The directory in it, absolute: `/apps/web`.
    pub(crate) path: String,
    /// Where the tree begins.
    pub(crate) root: PathBuf,
}

impl Place {
    /// Bases may lie beside the directory, so the tree is more than the directory itself: `root`, else the enclosing Git
    /// work tree, else the file system.
    pub(crate) fn find(directory: &Path, root: Option<&Path>) -> Result<Self> {
        let directory = directory
            .canonicalize()
            .with_context(|| format!("'{}' is no directory that can be read", directory.display()))?;
        let root = match root {
            Some(root) => root
                .canonicalize()
                .with_context(|| format!("--root {} cannot be read", root.display()))?,
            None => {
                let work_tree = directory.ancestors().find(|folder| folder.join(".git").exists());
                let top = work_tree.or_else(|| directory.ancestors().last());
                top.unwrap_or(&directory).to_owned()
            }
        };
        let Ok(below) = directory.strip_prefix(&root) else {
            bail!(
                "{} lies outside of --root {}",
                directory.display(),
                root.display()
            );
        };
        let path = format!(
            "/{}",
            below.to_str().context("the directory's path is not UTF-8")?
        );
        let tree = LocalTree::open(&root, LocalLimits::default())
            .with_context(|| format!("cannot open {}", root.display()))?;
        Ok(Self {
            tree: Arc::new(tree),
            path,
            root,
        })
    }
}

/// An error that names files by their paths in a tree.
#[derive(Debug)]
pub(crate) struct Below {
    root: PathBuf,
    error: anyhow::Error,
}

impl Below {
    /// Remembers where the tree begins, unless its paths are those of the file system.
    pub(crate) fn root(root: &Path, error: impl Into<anyhow::Error>) -> anyhow::Error {
        match root.parent() {
            None => error.into(),
            Some(_) => anyhow::Error::new(Self {
                root: root.to_owned(),
                error: error.into(),
            }),
        }
    }

    /// How its paths are to be read.
    pub(crate) fn hint(&self) -> String {
        format!("paths begin at {}", self.root.display())
    }
}

impl fmt::Display for Below {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Below {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let error: &(dyn Error + 'static) = self.error.as_ref();
        error.source()
    }
}
