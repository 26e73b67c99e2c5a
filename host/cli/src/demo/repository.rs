//! A Git repository of the demo's own, written in process: no `git` is needed.

use anyhow::{Context, Result};
use gix::objs::tree::EntryKind;
use std::collections::BTreeMap;
use std::path::Path;

/// Files by path.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// A repository with one branch, `main`.
pub(super) struct Repository {
    git: gix::Repository,
    files: Files,
}

impl Repository {
    /// An empty repository in an empty folder.
    pub(super) fn create(path: &Path) -> Result<Self> {
        let git = gix::init_bare(path)
            .with_context(|| format!("cannot make a Git repository in {}", path.display()))?;
        std::fs::write(path.join("HEAD"), "ref: refs/heads/main\n")?;
        Ok(Self {
            git,
            files: Files::new(),
        })
    }

    /// Commits these files over those that are there; answers the commit's id.
    pub(super) fn commit(&mut self, message: &str, changed: Files) -> Result<String> {
        self.files.extend(changed);
        let mut tree = self
            .git
            .edit_tree(gix::ObjectId::empty_tree(gix::hash::Kind::Sha1))?;
        for (path, bytes) in &self.files {
            tree.upsert(path.as_str(), EntryKind::Blob, self.git.write_blob(bytes)?)?;
        }
        let tree = tree.write()?;
        let parent = self
            .git
            .try_find_reference("refs/heads/main")?
            .map(|branch| branch.id().detach());
        let who = gix::actor::SignatureRef {
            name: "Sluice demo".into(),
            email: "demo@example.com".into(),
            time: "0 +0000",
        };
        let now = format!("{} +0000", jiff::Timestamp::now().as_second());
        let who = gix::actor::SignatureRef { time: &now, ..who };
        Ok(self
            .git
            .commit_as(who, who, "refs/heads/main", message, tree, parent)?
            .to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_commit_keeps_the_files_of_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let mut repository = Repository::create(folder.path()).unwrap();
        repository
            .commit("one", Files::from([("a/b.yaml".to_owned(), b"x".to_vec())]))
            .unwrap();
        let id = repository
            .commit("two", Files::from([("c.yaml".to_owned(), b"y".to_vec())]))
            .unwrap();
        let commit = repository.git.head_commit().unwrap();
        assert_eq!(commit.id().to_string(), id);
        assert_eq!(commit.parent_ids().count(), 1);
        let tree = commit.tree().unwrap();
        assert!(tree.lookup_entry_by_path("a/b.yaml").unwrap().is_some());
        assert!(tree.lookup_entry_by_path("c.yaml").unwrap().is_some());
    }
}
