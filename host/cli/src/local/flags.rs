//! What commands that render a local directory are told of it.

use super::{Directory, LocalSource, local_source};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct Flags {
    /// Paths to ignore, in .gitignore format
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// Take the Kustomizations that are found too
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Directories of the sources for --recursive: Kind/namespace/name=path
    #[arg(long, value_name = "SOURCE=DIR", value_delimiter = ',', value_parser = local_source)]
    pub(crate) local_sources: Vec<LocalSource>,
    /// Nothing is ever written into the directory; taken for compatibility
    #[arg(long)]
    in_memory_build: bool,
    /// What the build may see; without it the enclosing Git work tree, else the file system
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

impl Flags {
    /// A directory in the place of a `spec.path`.
    pub(crate) fn directory<'a>(&'a self, path: &'a Path) -> Directory<'a> {
        Directory {
            path,
            root: self.root.as_deref(),
            ignore_paths: &self.ignore_paths,
        }
    }
}
