//! Digests of answers, the same on every kind of tree.
//!
//! Each digest is sha256 over a tag and a canonical form in which paths are relative to the question:
//! a file is its content's sha256, a directory its names, types and sizes,
//! a walk the same recursively, so that a tree that keeps one digest a directory answers without walking.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::tree::{AnswerDigest, Entry, EntryType, TreeError, parts};

/// The digest of a file's bytes as an answer to `Read`.
pub fn read(content: &[u8]) -> AnswerDigest {
    read_hashed(Sha256::digest(content).into())
}

/// As [`read`], for one who knows the sha256 of the content already.
pub fn read_hashed(content_sha256: [u8; 32]) -> AnswerDigest {
    tagged(b"read\0", |hash| hash.update(content_sha256))
}

/// The digest of an error, whatever the question was.
pub fn error(error: &TreeError) -> AnswerDigest {
    tagged(b"error\0", |hash| match error {
        TreeError::NotFound => hash.update([1]),
        TreeError::NotAFile => hash.update([2]),
        TreeError::NotADirectory => hash.update([3]),
        TreeError::InvalidPath => hash.update([4]),
        TreeError::TooLarge(limit) => {
            hash.update([5]);
            hash.update(limit.to_le_bytes());
        }
        TreeError::Other(text) => {
            hash.update([6]);
            hash.update(text);
        }
    })
}

/// One child of a directory, for [`read_dir`].
#[derive(Clone, Copy, Debug)]
pub struct Child<'a> {
    /// The name in its directory.
    pub name: &'a str,
    /// Size in bytes; 0 for directories.
    pub size: u64,
    /// File or directory.
    pub entry_type: EntryType,
}

/// The digest of a directory's entries. `children` are sorted by name.
pub fn read_dir<'a>(children: impl IntoIterator<Item = Child<'a>>) -> AnswerDigest {
    tagged(b"dir\0", |hash| {
        for child in children {
            hash.update([match child.entry_type {
                EntryType::File => b'f',
                EntryType::Directory => b'd',
            }]);
            name(hash, child.name);
            hash.update(child.size.to_le_bytes());
        }
    })
}

/// One child of a directory, for [`walk`].
#[derive(Clone, Copy, Debug)]
pub enum Below {
    /// A file and its size in bytes.
    File(u64),
    /// A directory and the digest of the walk below it.
    Directory(AnswerDigest),
}

/// The digest of a walk. `children` are sorted by name; directories without a file below are left out.
pub fn walk<'a>(children: impl IntoIterator<Item = (&'a str, Below)>) -> AnswerDigest {
    let empty = empty_walk();
    tagged(b"walk\0", |hash| {
        for (child, below) in children {
            match below {
                Below::File(size) => {
                    hash.update(b"f");
                    name(hash, child);
                    hash.update(size.to_le_bytes());
                }
                Below::Directory(digest) if digest == empty => {}
                Below::Directory(digest) => {
                    hash.update(b"d");
                    name(hash, child);
                    hash.update(digest);
                }
            }
        }
    })
}

/// The digest of a walk that found nothing.
pub fn empty_walk() -> AnswerDigest {
    tagged(b"walk\0", |_| ())
}

/// The digest of any answer to `Read`.
pub fn of_read<B: AsRef<[u8]>>(answer: &Result<B, TreeError>) -> AnswerDigest {
    match answer {
        Ok(content) => read(content.as_ref()),
        Err(failure) => error(failure),
    }
}

/// The digest of any answer to `ReadDir`.
pub fn of_read_dir(answer: &Result<Vec<Entry>, TreeError>) -> AnswerDigest {
    match answer {
        Err(failure) => error(failure),
        Ok(entries) => {
            let mut children: Vec<Child<'_>> = entries
                .iter()
                .filter_map(|entry| {
                    let name = entry.path.rsplit('/').next()?;
                    Some(Child {
                        name,
                        size: entry.size,
                        entry_type: entry.entry_type,
                    })
                })
                .collect();
            children.sort_unstable_by_key(|child| child.name);
            read_dir(children)
        }
    }
}

/// The digest of any answer to `Walk` of `path`.
pub fn of_walk(path: &str, answer: &Result<Vec<Entry>, TreeError>) -> AnswerDigest {
    #[derive(Default)]
    struct Node<'a> {
        files: BTreeMap<&'a str, u64>,
        directories: BTreeMap<&'a str, Node<'a>>,
    }
    fn digest(node: &Node<'_>) -> AnswerDigest {
        let files = node.files.iter().map(|(name, size)| (*name, Below::File(*size)));
        let directories = node
            .directories
            .iter()
            .map(|(name, node)| (*name, Below::Directory(digest(node))));
        let mut children: Vec<_> = files.chain(directories).collect();
        children.sort_unstable_by_key(|(name, _)| *name);
        walk(children)
    }
    match answer {
        Err(failure) => error(failure),
        Ok(entries) => {
            let mut root = Node::default();
            for entry in entries {
                let relative = entry.path.strip_prefix(path).unwrap_or(&entry.path);
                let mut names: Vec<&str> = parts(relative).collect();
                let Some(file) = names.pop() else { continue };
                let directory = names
                    .into_iter()
                    .fold(&mut root, |node, name| node.directories.entry(name).or_default());
                directory.files.insert(file, entry.size);
            }
            digest(&root)
        }
    }
}

fn name(hash: &mut Sha256, name: &str) {
    hash.update((name.len() as u64).to_le_bytes());
    hash.update(name);
}

fn tagged(tag: &[u8], feed: impl FnOnce(&mut Sha256)) -> AnswerDigest {
    let mut hash = Sha256::new();
    hash.update(b"sluice-answer-1 ");
    hash.update(tag);
    feed(&mut hash);
    hash.finalize().into()
}
