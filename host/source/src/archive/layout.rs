//! The files that become an artifact as one tree: those of the commit, with its submodules and included artifacts in it.

use std::collections::BTreeMap;

use gix::ObjectId;
use sluice_artifact::{
    StoreTree,
    store::{BlobId, DirectoryId, EntryContent},
};

use super::{Error, names_of};
use crate::{
    GitTree,
    git::tree::{self, Node},
};

/// A directory: what it is made of, and what was put into it.
#[derive(Clone, Copy)]
pub(super) struct Dir<'a> {
    pub(super) base: Base<'a>,
    grafts: Option<&'a Grafts>,
}

#[derive(Clone, Copy)]
pub(super) enum Base<'a> {
    /// Of a commit.
    Git(&'a GitTree, ObjectId),
    /// Of an artifact.
    Stored(&'a StoreTree, DirectoryId),
    /// It is there for what is in it only.
    Nothing,
}

/// What is in a directory.
#[derive(Clone, Copy)]
pub(super) enum Item<'a> {
    File(File<'a>),
    Directory(Dir<'a>),
    /// A submodule that was not fetched: an empty directory.
    Submodule,
}

#[derive(Clone, Copy)]
pub(super) enum File<'a> {
    Git {
        tree: &'a GitTree,
        id: ObjectId,
        is_executable: bool,
    },
    Stored {
        tree: &'a StoreTree,
        blob: BlobId,
        size: u64,
        is_executable: bool,
    },
}

/// What was put where.
#[derive(Default)]
pub(super) struct Grafts {
    mount: Option<Mount>,
    below: BTreeMap<String, Grafts>,
}

/// What can be put into a tree.
pub(super) enum Mount {
    /// The files of a submodule's commit.
    Git(GitTree),
    /// A part of an artifact.
    Stored(StoreTree, EntryContent),
}

impl<'a> Dir<'a> {
    pub(super) fn root(tree: &'a GitTree, grafts: &'a Grafts) -> Dir<'a> {
        Dir {
            base: Base::Git(tree, tree.root()),
            grafts: Some(grafts),
        }
    }

    /// Whether something was put into it or below it.
    pub(super) fn has_grafts(&self) -> bool {
        self.grafts.is_some_and(|grafts| !grafts.below.is_empty())
    }

    pub(super) fn is_git(&self) -> bool {
        matches!(self.base, Base::Git(..))
    }

    /// What is in it, sorted by name. `path` is for messages.
    pub(super) fn items(&self, path: &str) -> Result<Vec<(String, Item<'a>)>, Error> {
        let mut items: Vec<(String, Item<'a>)> = match self.base {
            Base::Git(tree, id) => {
                let nodes = tree.nodes(id, path)?;
                nodes
                    .iter()
                    .map(|(name, node)| (name.clone(), Item::of_node(tree, node)))
                    .collect()
            }
            Base::Stored(tree, id) => {
                let entries = tree.entries(id)?;
                entries
                    .iter()
                    .map(|entry| (entry.name.clone(), Item::of_entry(tree, &entry.content)))
                    .collect()
            }
            Base::Nothing => Vec::new(),
        };
        let Some(grafts) = self.grafts.filter(|grafts| !grafts.below.is_empty()) else {
            return Ok(items);
        };
        for (name, item) in &mut items {
            if let Some(graft) = grafts.below.get(name.as_str()) {
                *item = graft.over(Some(*item));
            }
        }
        let known = items.len();
        for (name, graft) in &grafts.below {
            let is_known = items.iter().take(known).any(|(other, _)| other == name);
            if !is_known {
                items.push((name.clone(), graft.over(None)));
            }
        }
        items.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Ok(items)
    }

    fn item(&self, name: &str, path: &str) -> Result<Option<Item<'a>>, Error> {
        let items = self.items(path)?;
        Ok(items
            .into_iter()
            .find(|(other, _)| other == name)
            .map(|(_, item)| item))
    }
}

impl<'a> Item<'a> {
    fn of_node(tree: &'a GitTree, node: &Node) -> Item<'a> {
        match *node {
            Node::File { id, is_executable } => Item::File(File::Git {
                tree,
                id,
                is_executable,
            }),
            Node::Directory(id) => Item::Directory(Dir {
                base: Base::Git(tree, id),
                grafts: None,
            }),
            Node::Submodule(_) => Item::Submodule,
        }
    }

    fn of_entry(tree: &'a StoreTree, content: &EntryContent) -> Item<'a> {
        match *content {
            EntryContent::File {
                blob,
                size,
                is_executable,
            } => Item::File(File::Stored {
                tree,
                blob,
                size,
                is_executable,
            }),
            EntryContent::Directory { directory, .. } => Item::Directory(Dir {
                base: Base::Stored(tree, directory),
                grafts: None,
            }),
        }
    }
}

impl Grafts {
    /// Puts the files of a commit where a submodule is.
    pub(super) fn add_submodule(&mut self, path: &str, tree: GitTree) {
        self.place(&names_of(path)).mount = Some(Mount::Git(tree));
    }

    /// Puts something where nothing is yet; as a rename would, whose words an error has.
    pub(super) fn add(&mut self, tree: &GitTree, path: &[String], mount: Mount) -> Result<(), Error> {
        let is_file = matches!(mount, Mount::Stored(_, EntryContent::File { .. }));
        let taken = |text: &str| Err(Error::Taken(text.to_owned()));
        let mut here = Item::Directory(Dir::root(tree, self));
        for (depth, name) in path.iter().enumerate() {
            let dir = match here {
                Item::Directory(dir) => dir,
                Item::Submodule => break,
                Item::File(_) => return taken("not a directory"),
            };
            let above = path.get(..depth).unwrap_or_default().join("/");
            match dir.item(name, &above)? {
                Some(found) => here = found,
                None => {
                    here = Item::Submodule;
                    break;
                }
            }
        }
        match (here, is_file) {
            (Item::Submodule, _) | (Item::File(_), true) => {}
            (Item::Directory(_), false) => return taken("directory not empty"),
            (Item::Directory(_), true) => return taken("file exists"),
            (Item::File(_), false) => return taken("not a directory"),
        }
        self.place(path).mount = Some(mount);
        Ok(())
    }

    fn place(&mut self, path: &[String]) -> &mut Grafts {
        path.iter()
            .fold(self, |grafts, name| grafts.below.entry(name.clone()).or_default())
    }

    /// What is seen where this was put over something.
    fn over<'a>(&'a self, base: Option<Item<'a>>) -> Item<'a> {
        let dir = |base| {
            Item::Directory(Dir {
                base,
                grafts: Some(self),
            })
        };
        match (&self.mount, base) {
            (Some(Mount::Git(tree)), _) => dir(Base::Git(tree, tree.root())),
            (Some(Mount::Stored(tree, content)), _) => match Item::of_entry(tree, content) {
                Item::Directory(found) => dir(found.base),
                file => file,
            },
            (None, Some(Item::Directory(found))) => dir(found.base),
            (None, Some(Item::File(file))) => Item::File(file),
            (None, Some(Item::Submodule) | None) => dir(Base::Nothing),
        }
    }

    /// The trees of submodules, for when one turns out to be damaged.
    pub(super) fn distrust(&self) {
        if let Some(Mount::Git(tree)) = &self.mount {
            tree.distrust();
        }
        self.below.values().for_each(Grafts::distrust);
    }
}

impl File<'_> {
    pub(super) fn size(&self) -> Result<u64, tree::Error> {
        match self {
            File::Git { tree, id, .. } => tree.size(*id),
            File::Stored { size, .. } => Ok(*size),
        }
    }

    pub(super) fn content(&self) -> Result<Vec<u8>, Error> {
        match self {
            File::Git { tree, id, .. } => Ok(tree.content(*id)?),
            File::Stored { tree, blob, .. } => Ok(tree.content(*blob)?),
        }
    }
}
