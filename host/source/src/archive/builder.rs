//! Putting a tree into the store, bottom up.

use sha2::{Digest as _, Sha256};
use sluice_artifact::store::{BlobId, DirectoryEntry, Draft, EntryContent};

use super::{
    Built, Error, Memo,
    layout::{Base, Dir, File, Item},
    lock, remember, shown,
};
use crate::{Sparse, TreeLimits, ignore::Trial};

pub(super) struct Builder<'a> {
    pub(super) memo: &'a Memo,
    pub(super) limits: TreeLimits,
    pub(super) trial: Trial,
    pub(super) sparse: &'a Sparse,
    pub(super) fingerprint: [u8; 32],
    pub(super) draft: Draft,
    pub(super) entries: usize,
}

impl Builder<'_> {
    pub(super) fn build(&mut self, dir: Dir<'_>, names: &mut Vec<String>) -> Result<Built, Error> {
        self.limits.refuse_deep(names.len())?;
        let key = self.key(dir, names);
        let known = key.and_then(|key| lock(&self.memo.directories).get(&key).copied());
        if let Some(built) = known.filter(|built| self.draft.has_directory(built.directory)) {
            self.count(built.entries)?;
            return Ok(built);
        }
        let before = self.entries;
        let items = dir.items(&shown(names))?;
        let is_checked_out = matches!(dir.base, Base::Git(..));
        let mut entries = Vec::with_capacity(items.len());
        for (name, item) in items {
            self.count(1)?;
            names.push(name.clone());
            if let Some(content) = self.entry(item, names, is_checked_out)? {
                entries.push(DirectoryEntry { name, content });
            }
            names.pop();
        }
        let directory = self.draft.directory(entries)?;
        let built = Built {
            directory,
            entries: self.entries - before,
        };
        if let Some(key) = key {
            remember(&self.memo.directories, key, built);
        }
        Ok(built)
    }

    /// `is_checked_out`: whether it is of the commit itself, of which a sparse checkout may take a part.
    fn entry(
        &mut self,
        item: Item<'_>,
        names: &mut Vec<String>,
        is_checked_out: bool,
    ) -> Result<Option<EntryContent>, Error> {
        let joined = names.join("/");
        let is_selected = |takes: bool| takes || !is_checked_out;
        let is_taken = match item {
            Item::File(File::Stored { .. }) => true,
            Item::File(_) | Item::Submodule => is_selected(self.sparse.takes(&joined)),
            Item::Directory(dir) => {
                dir.has_grafts() || is_selected(self.sparse.reaches(&joined)) || !dir.is_git()
            }
        };
        if !is_taken {
            return Ok(None);
        }
        // a directory that only leads to something selected is not there for itself
        let is_way = !is_selected(self.sparse.takes(&format!("{joined}/")));
        let path: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_excluded = self.trial.excludes(&path, !matches!(item, Item::File(_)))?;
        Ok(match item {
            Item::File(_) | Item::Submodule if is_excluded => None,
            Item::File(file) => Some(self.file(file)?),
            Item::Submodule => {
                let directory = self.draft.directory(Vec::new())?;
                Some(EntryContent::Directory {
                    directory,
                    is_listed: true,
                })
            }
            // An excluded directory is still looked into: a later pattern may include a file of it again.
            Item::Directory(dir) => {
                let built = self.build(dir, names)?;
                let is_empty =
                    (is_excluded || is_way) && built.directory == self.draft.directory(Vec::new())?;
                (!is_empty).then_some(EntryContent::Directory {
                    directory: built.directory,
                    is_listed: !is_excluded,
                })
            }
        })
    }

    fn file(&mut self, file: File<'_>) -> Result<EntryContent, Error> {
        let ((blob, size), is_executable) = match file {
            File::Git { is_executable, .. } => (self.blob(file)?, is_executable),
            File::Stored {
                blob,
                size,
                is_executable,
                ..
            } => ((blob, size), is_executable),
        };
        Ok(EntryContent::File {
            blob,
            size,
            is_executable,
        })
    }

    fn blob(&mut self, file: File<'_>) -> Result<(BlobId, u64), Error> {
        let id = match file {
            File::Git { id, .. } => Some(id),
            File::Stored { .. } => None,
        };
        let known = id.and_then(|id| lock(&self.memo.blobs).get(&id).copied());
        if let Some(blob) = known.filter(|(blob, _)| self.draft.has_blob(*blob)) {
            return Ok(blob);
        }
        let content = file.content()?;
        let blob = (self.draft.blob(&content)?, content.len() as u64);
        if let Some(id) = id {
            remember(&self.memo.blobs, id, blob);
        }
        Ok(blob)
    }

    /// The rules speak of whole paths, so a directory's result depends on where it is. None where it cannot be said in
    /// short what it is made of.
    fn key(&self, dir: Dir<'_>, names: &[String]) -> Option<[u8; 32]> {
        let mut hash = Sha256::new();
        hash.update(self.fingerprint);
        match dir.base {
            _ if dir.has_grafts() => return None,
            Base::Git(_, id) => hash.update(id.as_slice()),
            Base::Stored(_, id) => hash.update(format!("{id:?}")),
            Base::Nothing => return None,
        }
        hash.update(shown(names));
        Some(hash.finalize().into())
    }

    fn count(&mut self, entries: usize) -> Result<(), Error> {
        self.entries += entries;
        Ok(self.limits.refuse_many(self.entries)?)
    }
}
