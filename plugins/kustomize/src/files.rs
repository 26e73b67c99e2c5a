//! The tree that a build reads, and who may read what of it.
//!
//! Paths are absolute and virtual: `/a/b`, without empty parts, `.` or `..`.

use std::rc::Rc;

use crate::error::{Class, Error, Result};

/// What a path of the tree is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File,
    /// A directory.
    Directory,
}

/// A read-only tree. Symbolic links, where there are any, are followed by the tree; one that leads out of it is missing.
pub trait Files {
    /// What is at `path`; none where nothing is.
    fn kind(&self, path: &str) -> Option<FileKind>;

    /// The bytes of a file.
    ///
    /// # Errors
    /// A reason in words.
    fn read(&self, path: &str) -> std::result::Result<Vec<u8>, String>;

    /// The path with symbolic links resolved. A tree without links answers with the path itself.
    fn canonical(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Which files a kustomization may read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoadRestrictor {
    /// Files in or below its own directory (bases may be anywhere).
    #[default]
    RootOnly,
    /// Every file of the tree: what Flux uses, with the artifact as the tree.
    None,
}

/// Removes `.`, `..` and empty parts; `..` at the root stays at the root.
pub(crate) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `path` seen from `root`, cleaned.
pub(crate) fn join(root: &str, path: &str) -> String {
    clean(&format!("{root}/{path}"))
}

/// Joins relative paths for display, as `filepath.Join` does: `../a` stays relative.
pub(crate) fn join_relative(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// Whether `path` is `root` or below it.
pub(crate) fn is_below(path: &str, root: &str) -> bool {
    root == "/" || path == root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/'))
}

/// The last part of a path.
pub(crate) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether the original would fetch this over the network.
pub(crate) fn is_remote(path: &str) -> bool {
    let schemes = [
        "http://", "https://", "ssh://", "git://", "git::", "gh:", "git@", "file://",
    ];
    schemes.iter().any(|s| path.starts_with(s))
        || path.starts_with("github.com/")
        || path.starts_with("github.com:")
        || path.split_once('@').is_some_and(|(user, rest)| {
            !user.contains('/') && rest.split('/').next().is_some_and(|host| host.contains(':'))
        })
}

fn refuse_remote(path: &str) -> Error {
    Error::of(
        Class::Refused,
        format!("'{path}' is remote; a render has no network"),
    )
    .help("copy it into the repository, or make it a source of its own and refer to that")
}

/// Reads on behalf of one kustomization.
#[derive(Clone)]
pub(crate) struct Loader<'a> {
    files: &'a dyn Files,
    restrictor: LoadRestrictor,
    root: String,
    referrer: Option<Rc<Loader<'a>>>,
    depth: usize,
}

impl<'a> Loader<'a> {
    /// A loader for the directory that a build starts in.
    pub(crate) fn at(files: &'a dyn Files, path: &str, restrictor: LoadRestrictor) -> Result<Self> {
        if is_remote(path) {
            return Err(refuse_remote(path));
        }
        let root = confirm_directory(files, &clean(path))?;
        Ok(Self {
            files,
            restrictor,
            root,
            referrer: None,
            depth: 0,
        })
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// How many kustomizations lead here.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// A loader for a directory that this kustomization names.
    pub(crate) fn child(self: &Rc<Self>, path: &str) -> Result<Rc<Self>> {
        if path.is_empty() {
            return Err(Error::new("new root cannot be empty"));
        }
        if is_remote(path) {
            return Err(refuse_remote(path));
        }
        if path.starts_with('/') {
            return Err(
                Error::of(Class::Refused, format!("new root '{path}' cannot be absolute"))
                    .help("name bases relative to the kustomization"),
            );
        }
        if path.contains('\0') || self.leaves_tree(path) {
            return Err(Error::of(
                Class::Refused,
                format!("'{}' leads out of the tree", path.escape_debug()),
            )
            .help("keep bases inside the repository"));
        }
        let root = confirm_directory(self.files, &join(&self.root, path))?;
        let mut visited = Some(self);
        while let Some(loader) = visited {
            if is_below(&loader.root, &root) {
                return Err(Error::new(format!(
                    "cycle detected: candidate root '{root}' contains visited root '{}'",
                    loader.root
                ))
                .help("a kustomization cannot include itself or a directory above it"));
            }
            visited = loader.referrer.as_ref();
        }
        Ok(Rc::new(Self {
            files: self.files,
            restrictor: self.restrictor,
            root,
            referrer: Some(Rc::clone(self)),
            depth: self.depth + 1,
        }))
    }

    /// Whether a relative path climbs above the root of the tree.
    fn leaves_tree(&self, path: &str) -> bool {
        let mut level = self.root.split('/').filter(|p| !p.is_empty()).count() as i64;
        path.split('/').any(|part| {
            match part {
                "" | "." => {}
                ".." => level -= 1,
                _ => level += 1,
            }
            level < 0
        })
    }

    /// The absolute path of a file that this kustomization names.
    pub(crate) fn resolve(&self, path: &str) -> String {
        if path.starts_with('/') {
            clean(path)
        } else {
            join(&self.root, path)
        }
    }

    /// The bytes of a file that this kustomization names.
    pub(crate) fn load(&self, path: &str) -> Result<Vec<u8>> {
        if path.starts_with("http://") || path.starts_with("https://") {
            return Err(refuse_remote(path));
        }
        if path.contains('\0') || (!path.starts_with('/') && self.leaves_tree(path)) {
            return Err(Error::of(
                Class::Refused,
                format!("'{}' leads out of the tree", path.escape_debug()),
            )
            .help("keep the file inside the repository"));
        }
        let full = self.resolve(path);
        match self.restrictor {
            LoadRestrictor::RootOnly => {
                confirm_exists(self.files, &full)?;
                let real = self.files.canonical(&full);
                if self.files.kind(&real) == Some(FileKind::Directory) {
                    return Err(Error::new(format!("'{full}' must resolve to a file")));
                }
                if !is_below(&real, &self.root) {
                    let message = format!("security; file '{full}' is not in or below '{}'", self.root);
                    return Err(Error::of(Class::Refused, message)
                        .help("move the file below the kustomization, make it a base, or lift the restriction (--load-restrictor LoadRestrictionsNone)"));
                }
                self.read(&real)
            }
            LoadRestrictor::None => match self.files.kind(&full) {
                None => Err(Error::new(format!("open {full}: no such file or directory"))),
                Some(FileKind::Directory) => Err(Error::new(format!("read {full}: is a directory"))),
                Some(FileKind::File) => self.read(&full),
            },
        }
    }

    fn read(&self, path: &str) -> Result<Vec<u8>> {
        self.files
            .read(path)
            .map_err(|why| Error::new(format!("open {path}: {why}")))
    }
}

/// Fails as the original does where a path leads nowhere.
fn confirm_exists(files: &dyn Files, path: &str) -> Result<()> {
    if files.kind(path).is_some() {
        return Ok(());
    }
    let mut missing = String::new();
    for part in path.split('/').filter(|p| !p.is_empty()) {
        let next = format!("{missing}/{part}");
        match files.kind(&next) {
            None => {
                missing = next;
                break;
            }
            Some(FileKind::File) if next != path => {
                return Err(Error::new(format!(
                    "evalsymlink failure on '{path}' : lstat {next}/: not a directory"
                )));
            }
            Some(_) => missing = next,
        }
    }
    Err(Error::new(format!(
        "evalsymlink failure on '{path}' : lstat {missing}: no such file or directory"
    )))
}

fn confirm_directory(files: &dyn Files, path: &str) -> Result<String> {
    confirm_exists(files, path)
        .map_err(|e| e.wrap("not a valid directory").wrap("must build at directory"))?;
    match files.kind(path) {
        Some(FileKind::Directory) => Ok(clean(&files.canonical(path))),
        _ => Err(Error::new(format!(
            "must build at directory: '{path}': file is not directory"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(clean("/a/./b//../c/"), "/a/c");
        assert_eq!(clean("/../.."), "/");
        assert_eq!(join_relative("a/b", "../../../c"), "../c");
        assert!(
            is_below("/a/b", "/a") && is_below("/a", "/a") && !is_below("/ab", "/a") && is_below("/x", "/")
        );
        assert!(
            is_remote("github.com/x/y?ref=1")
                && is_remote("git@github.com:x/y")
                && !is_remote("../base@v1/x")
        );
    }
}
