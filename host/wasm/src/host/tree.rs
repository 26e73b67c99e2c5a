use super::CONTRACT_VERSION;
use crate::bindings::sluice::host::tree as wire;
use crate::state::CallState;
use sluice_artifact::{Entry, EntryType, Question, TreeError};
use std::sync::Arc;
use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

/// The call that asks.
type Call<'a> = StoreContextMut<'a, CallState>;

/// Where the artifact lies in the guest's tree.
const ROOT: &str = "/source";

/// Offers the interface. Written by hand, as the functions that wasmtime generates take a file's bytes as a `Vec`: these are
/// lowered from where the tree keeps them, and a large file is not copied once more.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    let mut tree = linker.instance(&format!("sluice:host/tree@{CONTRACT_VERSION}"))?;
    tree.func_wrap("read", |mut call: Call<'_>, (path,): (String,)| {
        let call = call.data_mut();
        call.count_host_call()?;
        Ok((call.read_one(&path)?,))
    })?;
    tree.func_wrap("read-many", |mut call: Call<'_>, (paths,): (Vec<String>,)| {
        let call = call.data_mut();
        let contents = paths.iter().map(|path| {
            call.count_host_call()?;
            call.read_one(path)
        });
        Ok((contents.collect::<wasmtime::Result<Vec<_>>>()?,))
    })?;
    tree.func_wrap("read-dir", |mut call: Call<'_>, (path,): (String,)| {
        let call = call.data_mut();
        call.count_host_call()?;
        if path == "/" {
            return Ok((Ok(vec![wire::Entry {
                path: ROOT.to_owned(),
                size: 0,
                entry_type: wire::EntryType::Directory,
            }]),));
        }
        Ok((call.list(Question::ReadDir, &path)?,))
    })?;
    tree.func_wrap("walk", |mut call: Call<'_>, (path,): (String,)| {
        let call = call.data_mut();
        call.count_host_call()?;
        Ok((call.list(Question::Walk, if path == "/" { ROOT } else { &path })?,))
    })
}

impl CallState {
    /// Remembers what is asked. A guest may ask with paths of megabytes, each of them another.
    fn ask(&mut self, question: Question, path: &str) -> wasmtime::Result<()> {
        self.count_tree_bytes(path.len() as u64)?;
        self.recorder.asked(question, path);
        Ok(())
    }

    fn read_one(&mut self, path: &str) -> wasmtime::Result<Result<Arc<[u8]>, wire::TreeError>> {
        let path = match within(path) {
            Ok(path) => path,
            Err(error) => return Ok(Err(to_wire(error))),
        };
        self.ask(Question::Read, path)?;
        let bytes = match self.inputs.tree.read(path) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(to_wire(error))),
        };
        if bytes.len() as u64 > self.limits.file_bytes {
            return Ok(Err(wire::TreeError::TooLarge(self.limits.file_bytes)));
        }
        self.count_tree_bytes(bytes.len() as u64)?;
        Ok(Ok(bytes))
    }

    fn list(
        &mut self,
        question: Question,
        path: &str,
    ) -> wasmtime::Result<Result<Vec<wire::Entry>, wire::TreeError>> {
        let path = match within(path) {
            Ok(path) => path,
            Err(error) => return Ok(Err(to_wire(error))),
        };
        self.ask(question, path)?;
        let answer = match question {
            Question::Walk => self.inputs.tree.walk(path),
            Question::ReadDir | Question::Read => self.inputs.tree.read_dir(path),
        };
        let entries = match answer {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(to_wire(error))),
        };
        // 32 bytes stand for what an entry takes beside its path
        self.count_tree_bytes(entries.iter().map(|entry| entry.path.len() as u64 + 32).sum())?;
        Ok(Ok(entries.iter().map(entry_to_wire).collect()))
    }
}

/// The artifact's path of a path of the guest. What is not normal is refused here, whatever the tree would say.
fn within(path: &str) -> Result<&str, TreeError> {
    let inner = path.strip_prefix('/').ok_or(TreeError::InvalidPath)?;
    if inner.contains('\0') || inner.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(TreeError::InvalidPath);
    }
    match path.strip_prefix(ROOT) {
        Some("") => Ok("/"),
        Some(rest) if rest.starts_with('/') => Ok(rest),
        _ => Err(TreeError::NotFound),
    }
}

fn entry_to_wire(entry: &Entry) -> wire::Entry {
    let entry_type = match entry.entry_type {
        EntryType::File => wire::EntryType::File,
        EntryType::Directory => wire::EntryType::Directory,
    };
    let path = format!("{ROOT}{}", if entry.path == "/" { "" } else { &entry.path });
    wire::Entry {
        path,
        size: entry.size,
        entry_type,
    }
}

fn to_wire(error: TreeError) -> wire::TreeError {
    match error {
        TreeError::NotFound => wire::TreeError::NotFound,
        TreeError::NotAFile => wire::TreeError::NotAFile,
        TreeError::NotADirectory => wire::TreeError::NotADirectory,
        TreeError::InvalidPath => wire::TreeError::InvalidPath,
        TreeError::TooLarge(limit) => wire::TreeError::TooLarge(limit),
        TreeError::Other(words) => wire::TreeError::Other(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_normal_paths_below_the_root_reach_the_tree() {
        for (path, expected) in [
            ("/source", Ok("/")),
            ("/source/a/b.yaml", Ok("/a/b.yaml")),
            ("/sourcery", Err(TreeError::NotFound)),
            ("/chart/x", Err(TreeError::NotFound)),
            ("source/a", Err(TreeError::InvalidPath)),
            ("/source/../etc/passwd", Err(TreeError::InvalidPath)),
            ("/source/./a", Err(TreeError::InvalidPath)),
            ("/source//a", Err(TreeError::InvalidPath)),
            ("/source/a/", Err(TreeError::InvalidPath)),
            ("/source/a\0b", Err(TreeError::InvalidPath)),
            ("", Err(TreeError::InvalidPath)),
            ("/", Err(TreeError::InvalidPath)),
        ] {
            assert_eq!(within(path), expected, "{path:?}");
        }
    }
}
