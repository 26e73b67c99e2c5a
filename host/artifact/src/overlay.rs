//! A tree with some files replaced or added.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    answer::{self, Below, Child},
    memory::{AddError, MemoryTree},
    tree::{AnswerDigest, Entry, EntryType, Question, Tree, TreeError, check_path},
};

/// `files` over `base`: a kustomization file that was generated, a Secret that was decrypted.
///
/// A file on top hides what the base has at its path; a directory on top merges with the base's.
#[derive(Clone)]
pub struct Overlay {
    base: Arc<dyn Tree>,
    files: MemoryTree,
}

impl Overlay {
    /// Lays `files`, by absolute path, over `base`.
    pub fn new<P: AsRef<str>, B: Into<Arc<[u8]>>>(
        base: Arc<dyn Tree>,
        files: impl IntoIterator<Item = (P, B)>,
    ) -> Result<Overlay, AddError> {
        let mut top = MemoryTree::new();
        for (path, content) in files {
            top.add_file(path.as_ref(), content, false)?;
        }
        Ok(Overlay { base, files: top })
    }

    /// Whether the overlay has nothing to say at `path` or below, and the base answers alone.
    fn is_untouched(&self, path: &str) -> bool {
        matches!(self.files.read_dir(path), Err(TreeError::NotFound)) && !self.is_below_file(path)
    }

    /// Whether a file on top stands where `path` needs a directory.
    fn is_below_file(&self, path: &str) -> bool {
        let mut above = path;
        while let Some((directory, _)) = above.rsplit_once('/') {
            if !directory.is_empty() && self.files.read(directory).is_ok() {
                return true;
            }
            above = directory;
        }
        false
    }

    fn walk_digest(&self, path: &str) -> Result<AnswerDigest, TreeError> {
        if self.is_untouched(path) {
            return Ok(self.base.answer_digest(Question::Walk, path));
        }
        let entries = self.read_dir(path)?;
        let mut children = Vec::with_capacity(entries.len());
        for entry in &entries {
            let name = entry.path.rsplit('/').next().unwrap_or_default();
            children.push((
                name,
                match entry.entry_type {
                    EntryType::File => Below::File(entry.size),
                    EntryType::Directory => Below::Directory(self.walk_digest(&entry.path)?),
                },
            ));
        }
        Ok(answer::walk(children))
    }
}

impl Tree for Overlay {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
        match self.files.read(path) {
            Err(TreeError::NotFound) if self.is_below_file(path) => Err(TreeError::NotFound),
            Err(TreeError::NotFound) => self.base.read(path),
            answer => answer,
        }
    }

    fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        check_path(path)?;
        if self.is_below_file(path) {
            return Err(TreeError::NotFound);
        }
        let top = match self.files.read_dir(path) {
            Err(TreeError::NotFound) => return self.base.read_dir(path),
            answer => answer?,
        };
        let base = match self.base.read_dir(path) {
            Err(TreeError::NotFound | TreeError::NotADirectory) => Vec::new(),
            answer => answer?,
        };
        let merged: BTreeMap<String, Entry> = base
            .into_iter()
            .chain(top)
            .map(|entry| (entry.path.clone(), entry))
            .collect();
        Ok(merged.into_values().collect())
    }

    fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        if self.is_untouched(path) {
            return self.base.walk(path);
        }
        let mut files = Vec::new();
        for entry in self.read_dir(path)? {
            match entry.entry_type {
                EntryType::File => files.push(entry),
                EntryType::Directory => files.extend(self.walk(&entry.path)?),
            }
        }
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
        if self.is_untouched(path) && !matches!(question, Question::Read) {
            return self.base.answer_digest(question, path);
        }
        match question {
            Question::Read => match self.files.read(path) {
                Err(TreeError::NotFound) if !self.is_below_file(path) => {
                    self.base.answer_digest(question, path)
                }
                _ => answer::of_read(&self.read(path)),
            },
            Question::ReadDir => match self.read_dir(path) {
                Ok(entries) => answer::read_dir(entries.iter().map(|entry| Child {
                    name: entry.path.rsplit('/').next().unwrap_or_default(),
                    size: entry.size,
                    entry_type: entry.entry_type,
                })),
                Err(failure) => answer::error(&failure),
            },
            Question::Walk => self
                .walk_digest(path)
                .unwrap_or_else(|failure| answer::error(&failure)),
        }
    }
}
