//! Directories of an artifact that is made of files in any order.

use std::collections::BTreeMap;

use sluice_artifact::store::{self, BlobId, DirectoryEntry, DirectoryId, Draft, EntryContent};

use crate::ignore::{OutOfTime, Trial};

/// A directory, whose files are in a draft already.
#[derive(Default)]
pub(crate) struct Folder {
    children: BTreeMap<String, Child>,
    /// It is there only for what is in it.
    is_excluded: bool,
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

    /// Takes out what the rules exclude; an excluded directory stays where something of it is included again.
    ///
    /// # Errors
    /// There is no time to try all of them.
    pub(crate) fn leave_out(&mut self, trial: &mut Trial) -> Result<(), OutOfTime> {
        leave_out(self, trial, &mut Vec::new())
    }

    /// Puts the directories into the draft.
    pub(crate) fn build(&self, draft: &mut Draft) -> Result<DirectoryId, store::Error> {
        let mut entries = Vec::with_capacity(self.children.len());
        for (name, child) in &self.children {
            let content = match child {
                Child::File(file) => EntryContent::File {
                    blob: file.blob,
                    size: file.size,
                    is_executable: file.is_executable,
                },
                Child::Folder(below) => {
                    let directory = below.build(draft)?;
                    if below.is_excluded && directory == draft.directory(Vec::new())? {
                        continue;
                    }
                    EntryContent::Directory {
                        directory,
                        is_listed: !below.is_excluded,
                    }
                }
            };
            let name = name.clone();
            entries.push(DirectoryEntry { name, content });
        }
        draft.directory(entries)
    }
}

fn leave_out(folder: &mut Folder, trial: &mut Trial, names: &mut Vec<String>) -> Result<(), OutOfTime> {
    let mut excluded = Vec::new();
    for (name, child) in &mut folder.children {
        names.push(name.clone());
        let path: Vec<&str> = names.iter().map(String::as_str).collect();
        let is_excluded = trial.excludes(&path, matches!(child, Child::Folder(_)))?;
        match child {
            Child::File(_) if is_excluded => excluded.push(name.clone()),
            Child::File(_) => {}
            Child::Folder(below) => {
                below.is_excluded = is_excluded;
                leave_out(below, trial, names)?;
            }
        }
        names.pop();
    }
    for name in excluded {
        folder.children.remove(&name);
    }
    Ok(())
}
