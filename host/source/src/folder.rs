//! Directories of an artifact that is made of files in any order.

use std::collections::BTreeMap;

use sluice_artifact::store::{self, BlobId, DirectoryEntry, DirectoryId, Draft, EntryContent};

use crate::ignore::Rules;

/// A directory, whose files are in a draft already.
#[derive(Default)]
pub(crate) struct Folder {
    children: BTreeMap<String, Child>,
}

enum Child {
    File(File),
    Folder(Folder),
}

/// A file.
#[derive(Clone, Copy)]
pub(crate) struct File {
    pub(crate) blob: BlobId,
    pub(crate) size: u64,
    pub(crate) is_executable: bool,
}

/// What is at this path is both a file and a directory, or too deep.
#[derive(Debug)]
pub(crate) struct Clash(pub(crate) String);

/// Deepest directory: deeper ones are nobody's files.
const DEPTH_MAX: usize = 200;

impl Folder {
    /// The directory at a path, made where it is missing.
    pub(crate) fn folder(&mut self, path: &str) -> Result<&mut Folder, Clash> {
        let mut folder = self;
        for (depth, name) in path.split('/').filter(|name| !name.is_empty()).enumerate() {
            let child = folder.children.entry(name.to_owned());
            let child = child.or_insert_with(|| Child::Folder(Folder::default()));
            folder = match child {
                Child::Folder(folder) if depth < DEPTH_MAX => folder,
                Child::Folder(_) | Child::File(_) => return Err(Clash(path.to_owned())),
            };
        }
        Ok(folder)
    }

    /// Puts a file at an absolute path.
    pub(crate) fn add(&mut self, path: &str, file: File) -> Result<(), Clash> {
        let (directory, name) = path.rsplit_once('/').ok_or_else(|| Clash(path.to_owned()))?;
        let folder = self.folder(directory)?;
        if name.is_empty() || matches!(folder.children.get(name), Some(Child::Folder(_))) {
            return Err(Clash(path.to_owned()));
        }
        folder.children.insert(name.to_owned(), Child::File(file));
        Ok(())
    }

    /// Puts the directories into the draft, without what the rules exclude; an excluded one stays where something of it is
    /// included again.
    pub(crate) fn build(&self, rules: &Rules, draft: &mut Draft) -> Result<DirectoryId, store::Error> {
        build(self, rules, &mut Vec::new(), draft)
    }
}

/// Bottom up.
fn build(
    folder: &Folder,
    rules: &Rules,
    names: &mut Vec<String>,
    draft: &mut Draft,
) -> Result<DirectoryId, store::Error> {
    let mut entries = Vec::with_capacity(folder.children.len());
    for (name, child) in &folder.children {
        names.push(name.clone());
        let path: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_excluded = rules.excludes(&path, matches!(child, Child::Folder(_)));
        let content = match child {
            Child::File(_) if is_excluded => None,
            Child::File(file) => Some(EntryContent::File {
                blob: file.blob,
                size: file.size,
                is_executable: file.is_executable,
            }),
            Child::Folder(below) => {
                let directory = build(below, rules, names, draft)?;
                let is_empty = is_excluded && directory == draft.directory(Vec::new())?;
                (!is_empty).then_some(EntryContent::Directory {
                    directory,
                    is_listed: !is_excluded,
                })
            }
        };
        names.pop();
        if let Some(content) = content {
            let name = name.clone();
            entries.push(DirectoryEntry { name, content });
        }
    }
    draft.directory(entries)
}
