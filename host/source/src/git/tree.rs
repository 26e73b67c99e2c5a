//! The files of a commit, read from the object store.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use gix::{
    ObjectId,
    objs::{Kind, TreeRefIter, tree::EntryKind},
    validate::path::component,
};
use sha2::{Digest as _, Sha256};
use sluice_artifact::{
    AnswerDigest, Entry, EntryType, Question, Tree, TreeError,
    answer::{self, Below, Child},
    check_path, join_path,
};

use super::objects::{ObjectStore, ReadError};

/// Why the files of a commit cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An object is missing or damaged: fetching everything anew may mend it.
    #[error("{0}")]
    Lost(String),
    /// An object is not what it must be, or too large.
    #[error("{0}")]
    Invalid(String),
    /// A tree holds what no honest tree holds.
    #[error("directory '{directory}' of the commit is refused: entry '{name}' {problem}")]
    Hostile {
        /// Path of the directory.
        directory: String,
        /// The entry's name, escaped.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A limit was reached.
    #[error("the commit is refused: {what} exceeds the limit of {limit} ({knob})")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// The limit.
        limit: u64,
        /// Its name.
        knob: &'static str,
    },
}

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Error {
        match error {
            ReadError::Missing(_) | ReadError::Damaged { .. } => Error::Lost(error.to_string()),
            ReadError::WrongKind { .. } | ReadError::TooLarge { .. } => Error::Invalid(error.to_string()),
        }
    }
}

/// What an entry of a Git tree is to us. Symbolic links are left out, as artifacts leave them out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File {
        id: ObjectId,
        is_executable: bool,
    },
    Directory(ObjectId),
    /// A submodule: the empty directory that a checkout without submodules has.
    Submodule(ObjectId),
}

pub(crate) type Nodes = Arc<[(String, Node)]>;

/// What the files of one commit may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeLimits {
    /// Deepest directory: names of 255 bytes would otherwise nest as far as a pack allows.
    pub depth_max: usize,
    /// Most files and directories; a few small trees can claim billions.
    pub entries_max: usize,
}

impl Default for TreeLimits {
    fn default() -> TreeLimits {
        TreeLimits {
            depth_max: 128,
            entries_max: 500_000,
        }
    }
}

impl TreeLimits {
    pub(crate) fn refuse_deep(self, depth: usize) -> Result<(), Error> {
        refuse("its depth", depth, self.depth_max, "depth_max")
    }

    pub(crate) fn refuse_many(self, entries: usize) -> Result<(), Error> {
        refuse("its number of files", entries, self.entries_max, "entries_max")
    }
}

fn refuse(what: &'static str, found: usize, max: usize, knob: &'static str) -> Result<(), Error> {
    let limit = max as u64;
    if found > max {
        Err(Error::TooLarge { what, limit, knob })
    } else {
        Ok(())
    }
}

/// Remembered directories and files before a memo starts anew.
const MEMO_MAX: usize = 100_000;

/// What is known of objects; shared by all trees of a remote.
#[derive(Default)]
pub(crate) struct Memo {
    nodes: Mutex<HashMap<ObjectId, Nodes>>,
    walks: Mutex<HashMap<ObjectId, AnswerDigest>>,
    contents: Mutex<HashMap<ObjectId, [u8; 32]>>,
}

fn recall<K: std::hash::Hash + Eq, V: Clone>(memo: &Mutex<HashMap<K, V>>, key: &K) -> Option<V> {
    memo.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(key)
        .cloned()
}

fn remember<K: std::hash::Hash + Eq, V>(memo: &Mutex<HashMap<K, V>>, key: K, value: V) {
    let mut memo = memo.lock().unwrap_or_else(PoisonError::into_inner);
    if memo.len() >= MEMO_MAX {
        memo.clear();
    }
    memo.insert(key, value);
}

/// A commit's files as a [`Tree`].
#[derive(Clone)]
pub struct GitTree {
    objects: Arc<ObjectStore>,
    root: ObjectId,
    memo: Arc<Memo>,
    limits: TreeLimits,
}

impl GitTree {
    pub(crate) fn new(
        objects: Arc<ObjectStore>,
        root: ObjectId,
        memo: Arc<Memo>,
        limits: TreeLimits,
    ) -> GitTree {
        GitTree {
            objects,
            root,
            memo,
            limits,
        }
    }

    pub(crate) fn root(&self) -> ObjectId {
        self.root
    }

    pub(crate) fn objects(&self) -> &ObjectStore {
        &self.objects
    }

    pub(crate) fn limits(&self) -> TreeLimits {
        self.limits
    }

    /// Objects turned out missing or damaged: the next fetch brings everything anew.
    pub(crate) fn distrust(&self) {
        self.objects.retire();
    }

    /// The usable entries of a directory, sorted by name. `path` is for messages.
    pub(crate) fn nodes(&self, id: ObjectId, path: &str) -> Result<Nodes, Error> {
        if let Some(nodes) = recall(&self.memo.nodes, &id) {
            return Ok(nodes);
        }
        let content = self.objects.read(id, Kind::Tree)?;
        let nodes: Nodes = parse(id, &content, path)?.into();
        remember(&self.memo.nodes, id, Arc::clone(&nodes));
        Ok(nodes)
    }

    pub(crate) fn content(&self, id: ObjectId) -> Result<Vec<u8>, Error> {
        Ok(self.objects.read(id, Kind::Blob)?)
    }

    pub(crate) fn size(&self, id: ObjectId) -> Result<u64, Error> {
        Ok(self.objects.size(id)?)
    }

    fn find(&self, path: &str) -> Result<Node, TreeError> {
        check_path(path)?;
        let mut node = Node::Directory(self.root);
        let mut above = String::from("/");
        for name in path.split('/').filter(|name| !name.is_empty()) {
            let Node::Directory(id) = node else {
                return Err(TreeError::NotFound);
            };
            let nodes = self.nodes(id, &above).map_err(tree_error)?;
            let at = nodes.binary_search_by(|(other, _)| other.as_str().cmp(name));
            let found = at.ok().and_then(|at| nodes.get(at)).ok_or(TreeError::NotFound)?;
            node = found.1;
            above = join_path(&above, name);
        }
        Ok(node)
    }

    fn directory(&self, path: &str) -> Result<Nodes, TreeError> {
        match self.find(path)? {
            Node::Directory(id) => self.nodes(id, path).map_err(tree_error),
            Node::Submodule(_) => Ok(Arc::from([])),
            Node::File { .. } => Err(TreeError::NotADirectory),
        }
    }

    fn child<'a>(&self, name: &'a str, node: &Node) -> Result<Child<'a>, TreeError> {
        Ok(match node {
            Node::File { id, .. } => {
                let size = self.size(*id).map_err(tree_error)?;
                Child {
                    name,
                    size,
                    entry_type: EntryType::File,
                }
            }
            Node::Directory(_) | Node::Submodule(_) => Child {
                name,
                size: 0,
                entry_type: EntryType::Directory,
            },
        })
    }

    fn walk_into(
        &self,
        nodes: &Nodes,
        path: &str,
        depth: usize,
        files: &mut Vec<Entry>,
    ) -> Result<(), TreeError> {
        self.limits.refuse_deep(depth).map_err(tree_error)?;
        for (name, node) in nodes.iter() {
            let path = join_path(path, name);
            match node {
                Node::File { id, .. } => {
                    let size = self.size(*id).map_err(tree_error)?;
                    files.push(Entry {
                        path,
                        size,
                        entry_type: EntryType::File,
                    });
                    self.limits.refuse_many(files.len()).map_err(tree_error)?;
                }
                Node::Directory(id) => {
                    let below = self.nodes(*id, &path).map_err(tree_error)?;
                    self.walk_into(&below, &path, depth + 1, files)?;
                }
                Node::Submodule(_) => {}
            }
        }
        Ok(())
    }

    fn walk_digest(&self, id: ObjectId, path: &str, depth: usize) -> Result<AnswerDigest, TreeError> {
        if let Some(digest) = recall(&self.memo.walks, &id) {
            return Ok(digest);
        }
        self.limits.refuse_deep(depth).map_err(tree_error)?;
        let nodes = self.nodes(id, path).map_err(tree_error)?;
        let mut children = Vec::with_capacity(nodes.len());
        for (name, node) in nodes.iter() {
            children.push((
                name.as_str(),
                match node {
                    Node::File { id, .. } => Below::File(self.size(*id).map_err(tree_error)?),
                    Node::Directory(id) => {
                        Below::Directory(self.walk_digest(*id, &join_path(path, name), depth + 1)?)
                    }
                    Node::Submodule(_) => Below::Directory(answer::empty_walk()),
                },
            ));
        }
        let digest = answer::walk(children);
        remember(&self.memo.walks, id, digest);
        Ok(digest)
    }

    fn read_digest(&self, path: &str) -> Result<AnswerDigest, TreeError> {
        let Node::File { id, .. } = self.find(path)? else {
            return Err(TreeError::NotAFile);
        };
        if let Some(content) = recall(&self.memo.contents, &id) {
            return Ok(answer::read_hashed(content));
        }
        let content: [u8; 32] = Sha256::digest(self.content(id).map_err(tree_error)?).into();
        remember(&self.memo.contents, id, content);
        Ok(answer::read_hashed(content))
    }

    fn read_dir_digest(&self, path: &str) -> Result<AnswerDigest, TreeError> {
        let nodes = self.directory(path)?;
        let children: Result<Vec<_>, _> = nodes.iter().map(|(name, node)| self.child(name, node)).collect();
        Ok(answer::read_dir(children?))
    }
}

/// Reads a tree object as an enemy would have written it.
fn parse(id: ObjectId, content: &[u8], directory: &str) -> Result<Vec<(String, Node)>, Error> {
    let mut nodes = Vec::new();
    let mut names = HashSet::new();
    for entry in TreeRefIter::from_bytes(content, gix::hash::Kind::Sha1) {
        let entry =
            entry.map_err(|error| Error::Invalid(format!("object {id} is not a valid tree: {error}")))?;
        let hostile = |problem: String| {
            let name = entry.filename.to_string().escape_debug().to_string();
            Error::Hostile {
                directory: directory.to_owned(),
                name,
                problem,
            }
        };
        if !names.insert(entry.filename) {
            return Err(hostile("appears twice".to_owned()));
        }
        // Windows' device names are ordinary names here; what hides a `.git` on other systems is not.
        let rules = component::Options {
            protect_windows: false,
            ..component::Options::default()
        };
        let kind = entry.mode.kind();
        let mode = (kind == EntryKind::Link).then_some(component::Mode::Symlink);
        gix::validate::path::component(entry.filename, mode, rules)
            .map_err(|error| hostile(format!("has a name that is not allowed: {error}")))?;
        let Ok(name) = std::str::from_utf8(entry.filename) else {
            continue; // paths of a tree are UTF-8
        };
        if name.contains(['\0', '\\']) {
            return Err(hostile(
                "has a name that is not allowed: it holds a backslash".to_owned(),
            ));
        }
        let oid = entry.oid.to_owned();
        let node = match kind {
            EntryKind::Blob => Node::File {
                id: oid,
                is_executable: false,
            },
            EntryKind::BlobExecutable => Node::File {
                id: oid,
                is_executable: true,
            },
            EntryKind::Tree => Node::Directory(oid),
            EntryKind::Commit => Node::Submodule(oid),
            EntryKind::Link => continue,
        };
        nodes.push((name.to_owned(), node));
    }
    // Git sorts directories as if their names ended in a slash.
    nodes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    Ok(nodes)
}

impl Tree for GitTree {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
        match self.find(path)? {
            Node::File { id, .. } => Ok(self.content(id).map_err(tree_error)?.into()),
            Node::Directory(_) | Node::Submodule(_) => Err(TreeError::NotAFile),
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let nodes = self.directory(path)?;
        let entry = |(name, node): &(String, Node)| {
            let Child { size, entry_type, .. } = self.child(name, node)?;
            Ok(Entry {
                path: join_path(path, name),
                size,
                entry_type,
            })
        };
        nodes.iter().map(entry).collect()
    }

    fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let mut files = Vec::new();
        self.walk_into(&self.directory(path)?, path, 0, &mut files)?;
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Costs no file read where the object was met before: digests are remembered by object id.
    fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
        let digest = match question {
            Question::Read => self.read_digest(path),
            Question::ReadDir => self.read_dir_digest(path),
            Question::Walk => match self.find(path) {
                Ok(Node::Directory(id)) => self.walk_digest(id, path, 0),
                Ok(Node::Submodule(_)) => Ok(answer::empty_walk()),
                Ok(Node::File { .. }) => Err(TreeError::NotADirectory),
                Err(failure) => Err(failure),
            },
        };
        digest.unwrap_or_else(|failure| answer::error(&failure))
    }
}

fn tree_error(error: Error) -> TreeError {
    TreeError::Other(error.to_string())
}
