//! A tree held in memory.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    answer::{self, Below, Child},
    tree::{AnswerDigest, Entry, EntryType, Question, Tree, TreeError, check_path, join_path, parts},
};

/// Files in memory: for tests, for unpacked archives.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    root: Directory,
}

#[derive(Clone, Debug, Default)]
struct Directory {
    children: BTreeMap<String, Node>,
}

#[derive(Clone, Debug)]
enum Node {
    File { content: Arc<[u8]>, is_executable: bool },
    Directory(Directory),
}

/// Why a file or directory could not be added to a [`MemoryTree`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddError {
    /// The path is not absolute and normal.
    #[error("invalid path")]
    InvalidPath,
    /// A file stands where a directory is needed, or the other way round.
    #[error("is both a file and a directory")]
    Clash,
}

impl MemoryTree {
    /// An empty tree.
    pub fn new() -> MemoryTree {
        MemoryTree::default()
    }

    /// Adds or replaces a file; its directories come with it.
    pub fn add_file(
        &mut self,
        path: &str,
        content: impl Into<Arc<[u8]>>,
        is_executable: bool,
    ) -> Result<(), AddError> {
        check_path(path).map_err(|_| AddError::InvalidPath)?;
        let (directory, name) = path.rsplit_once('/').ok_or(AddError::InvalidPath)?;
        if name.is_empty() {
            return Err(AddError::InvalidPath);
        }
        let children = &mut self.make_directory(directory)?.children;
        if matches!(children.get(name), Some(Node::Directory(_))) {
            return Err(AddError::Clash);
        }
        children.insert(
            name.to_owned(),
            Node::File {
                content: content.into(),
                is_executable,
            },
        );
        Ok(())
    }

    /// Adds a directory, empty if it was not there.
    pub fn add_directory(&mut self, path: &str) -> Result<(), AddError> {
        check_path(path).map_err(|_| AddError::InvalidPath)?;
        self.make_directory(path).map(|_| ())
    }

    /// Whether the file at `path` has an executable bit.
    pub fn is_executable(&self, path: &str) -> bool {
        matches!(self.node(path), Ok(Found::File(_, true)))
    }

    fn make_directory(&mut self, path: &str) -> Result<&mut Directory, AddError> {
        let mut directory = &mut self.root;
        for name in parts(path) {
            let node = directory
                .children
                .entry(name.to_owned())
                .or_insert_with(|| Node::Directory(Directory::default()));
            match node {
                Node::Directory(next) => directory = next,
                Node::File { .. } => return Err(AddError::Clash),
            }
        }
        Ok(directory)
    }

    fn node(&self, path: &str) -> Result<Found<'_>, TreeError> {
        check_path(path)?;
        let mut found = Found::Directory(&self.root);
        for name in parts(path) {
            let Found::Directory(directory) = found else {
                return Err(TreeError::NotFound);
            };
            found = match directory.children.get(name) {
                None => return Err(TreeError::NotFound),
                Some(Node::File {
                    content,
                    is_executable,
                }) => Found::File(content, *is_executable),
                Some(Node::Directory(next)) => Found::Directory(next),
            };
        }
        Ok(found)
    }

    fn directory(&self, path: &str) -> Result<&Directory, TreeError> {
        match self.node(path)? {
            Found::Directory(directory) => Ok(directory),
            Found::File(..) => Err(TreeError::NotADirectory),
        }
    }
}

enum Found<'a> {
    File(&'a Arc<[u8]>, bool),
    Directory(&'a Directory),
}

impl Node {
    fn child<'a>(&self, name: &'a str) -> Child<'a> {
        match self {
            Node::File { content, .. } => Child {
                name,
                size: content.len() as u64,
                entry_type: EntryType::File,
            },
            Node::Directory(_) => Child {
                name,
                size: 0,
                entry_type: EntryType::Directory,
            },
        }
    }
}

fn walk(directory: &Directory, path: &str, entries: &mut Vec<Entry>) {
    for (name, node) in &directory.children {
        let path = join_path(path, name);
        match node {
            Node::File { content, .. } => {
                entries.push(Entry {
                    path,
                    size: content.len() as u64,
                    entry_type: EntryType::File,
                });
            }
            Node::Directory(below) => walk(below, &path, entries),
        }
    }
}

fn walk_digest(directory: &Directory) -> AnswerDigest {
    answer::walk(directory.children.iter().map(|(name, node)| {
        (
            name.as_str(),
            match node {
                Node::File { content, .. } => Below::File(content.len() as u64),
                Node::Directory(below) => Below::Directory(walk_digest(below)),
            },
        )
    }))
}

impl Tree for MemoryTree {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
        match self.node(path)? {
            Found::File(content, _) => Ok(Arc::clone(content)),
            Found::Directory(_) => Err(TreeError::NotAFile),
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let directory = self.directory(path)?;
        Ok(directory
            .children
            .iter()
            .map(|(name, node)| {
                let Child { size, entry_type, .. } = node.child(name);
                Entry {
                    path: join_path(path, name),
                    size,
                    entry_type,
                }
            })
            .collect())
    }

    fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let mut entries = Vec::new();
        walk(self.directory(path)?, path, &mut entries);
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
        match question {
            Question::Read => answer::of_read(&self.read(path)),
            Question::ReadDir => match self.directory(path) {
                Ok(directory) => {
                    answer::read_dir(directory.children.iter().map(|(name, node)| node.child(name)))
                }
                Err(failure) => answer::error(&failure),
            },
            Question::Walk => match self.directory(path) {
                Ok(directory) => walk_digest(directory),
                Err(failure) => answer::error(&failure),
            },
        }
    }
}

impl<P: AsRef<str>, B: Into<Arc<[u8]>>, const N: usize> From<[(P, B); N]> for MemoryTree {
    fn from(files: [(P, B); N]) -> MemoryTree {
        files.into_iter().collect()
    }
}

/// Later files win; a path that is not absolute and normal, or that clashes with a directory, is left out.
impl<P: AsRef<str>, B: Into<Arc<[u8]>>> FromIterator<(P, B)> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = (P, B)>>(files: I) -> MemoryTree {
        let mut tree = MemoryTree::new();
        for (path, content) in files {
            let _refused: Result<(), AddError> = tree.add_file(path.as_ref(), content, false);
        }
        tree
    }
}
