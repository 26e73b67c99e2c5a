//! Symbolic links in a chart's directory. Helm follows them wherever they lead, and fails where it cannot. What the renderer sees
//! ends at the root of its tree, where a link that leads out is not there: that must not be passed over in silence.

use crate::local::Place;
use crate::tell::Original;
use rustix::io::Errno;
use sluice_artifact::Tree;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Directories in each other; links can make any number of them.
const DEPTH_MAX: usize = 100;

/// Refuses what a chart's directory holds and the renderer would not see.
///
/// # Errors
/// A link that leads nowhere or where the tree ends, and what is neither file nor directory: in Helm's words.
pub(super) fn check(chart: &Path, place: &Place) -> Result<(), Original> {
    match chart.canonicalize() {
        Ok(folder) if folder.is_dir() => below(&folder, &place.path, &*place.tree, 0),
        _ => Ok(()),
    }
}

fn below(folder: &Path, inner: &str, tree: &dyn Tree, depth: usize) -> Result<(), Original> {
    let unread = |error: io::Error| Original::new(format!("open {}: {error}", folder.display()));
    if depth > DEPTH_MAX {
        return Err(Original::new(format!(
            "{}: more than {DEPTH_MAX} directories in each other",
            folder.display()
        )));
    }
    let mut entries = fs::read_dir(folder)
        .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
        .map_err(unread)?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (here, kind) = (entry.path(), entry.file_type().map_err(unread)?);
        let inner = format!("{}/{}", inner.trim_end_matches('/'), entry.file_name().display());
        if kind.is_dir() {
            below(&here, &inner, tree, depth + 1)?;
        } else if kind.is_symlink() {
            let target = here.canonicalize().map_err(|error| unresolved(&here, &error))?;
            if folder.starts_with(&target) {
                return Err(
                    Original::new(format!("{}: the link leads back up", here.display()))
                        .with_hint("a chart that holds itself has no end: remove the link"),
                );
            }
            if tree.read_dir(&inner).is_err() && tree.read(&inner).is_err() {
                return Err(Original::new(format!(
                    "{}: the link leads to {}, which the renderer does not see",
                    here.display(),
                    target.display()
                ))
                .with_hint("put what it leads to into the chart, or make it a relative link within the Git work tree"));
            }
            if target.is_dir() {
                below(&target, &inner, tree, depth + 1)?;
            }
        } else if !kind.is_file() {
            return Err(Original::new(format!(
                "cannot load irregular file {} as it has file mode type bits set",
                here.display()
            )));
        }
    }
    Ok(())
}

/// Helm's words for a link that leads nowhere.
fn unresolved(link: &Path, error: &io::Error) -> Original {
    let why = match (error.kind(), fs::read_link(link)) {
        (io::ErrorKind::NotFound, Ok(target)) => {
            let from = link.parent().unwrap_or(link);
            let missing = first_missing(&from.join(target));
            format!("lstat {}: no such file or directory", missing.display())
        }
        _ if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            "EvalSymlinks: too many links".to_owned()
        }
        _ => error.to_string(),
    };
    Original::new(format!("error evaluating symlink {}: {why}", link.display()))
}

/// The first part of a path that is not there.
fn first_missing(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(found.pop()),
            Component::CurDir => {}
            part => found.push(part),
        }
        if fs::symlink_metadata(&found).is_err() {
            break;
        }
    }
    found
}
