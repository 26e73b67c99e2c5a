//! A repository on this machine, read in process: for development only.

use std::{path::Path, sync::Arc};

use super::{objects::ObjectStore, remote::RemoteRef};

/// A repository that is neither ours nor remote. Its work tree is not looked at: what counts is committed.
pub(crate) struct LocalRepository {
    repository: gix::Repository,
    objects: Arc<ObjectStore>,
}

impl LocalRepository {
    /// Opens the repository at `path`: a work tree, its `.git`, or a bare repository.
    ///
    /// Nothing of the user's or the system's configuration is read, no hook and no helper can run.
    pub(crate) fn open(path: &Path, object_size_max: u64) -> Result<LocalRepository, String> {
        let repository =
            gix::open_opts(path, gix::open::Options::isolated()).map_err(|error| error.to_string())?;
        let objects = ObjectStore::foreign(&repository.common_dir().join("objects"), object_size_max)
            .map_err(|error| error.to_string())?;
        Ok(LocalRepository {
            repository,
            objects: Arc::new(objects),
        })
    }

    pub(crate) fn objects(&self) -> Arc<ObjectStore> {
        Arc::clone(&self.objects)
    }

    /// The branch that is checked out, where there is one.
    pub(crate) fn head_branch(&self) -> Option<String> {
        let name = self.repository.head_name().ok()??;
        Some(name.shorten().to_string())
    }

    /// All references, and HEAD.
    pub(crate) fn list(&self) -> Result<Vec<RemoteRef>, String> {
        let text = |error: gix::Error| error.to_string();
        let platform = self.repository.references().map_err(text)?;
        let mut refs = Vec::new();
        for reference in platform.all().map_err(text)?.flatten() {
            let mut reference = reference;
            let name = reference.name().as_bstr().to_string();
            let Some(wanted) = reference.target().try_id().map(ToOwned::to_owned) else {
                continue;
            };
            // A reference to nothing is as good as none.
            let Ok(commit) = reference.peel_to_id() else {
                continue;
            };
            refs.push(RemoteRef {
                name,
                commit: commit.detach(),
                wanted,
            });
        }
        if let Ok(head) = self.repository.head_id() {
            let commit = head.detach();
            refs.push(RemoteRef {
                name: "HEAD".to_owned(),
                commit,
                wanted: commit,
            });
        }
        Ok(refs)
    }
}
