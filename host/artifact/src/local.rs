//! A directory of this machine as a tree: for `sluice build` and for development, never in a cluster.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io::{self, Read},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, Metadata, MetadataExt},
};

use crate::{
    answer,
    tree::{AnswerDigest, Entry, EntryType, Question, Tree, TreeError, check_path, join_path},
};

/// What a [`LocalTree`] refuses to read.
#[derive(Clone, Copy, Debug)]
pub struct LocalLimits {
    /// Largest file, in bytes: one file must not fill the memory.
    pub file_size_max: u64,
    /// Most entries of one walk: a link into a home directory must not be walked for minutes.
    pub entries_max: usize,
}

impl Default for LocalLimits {
    fn default() -> LocalLimits {
        LocalLimits {
            file_size_max: 100 << 20,
            entries_max: 200_000,
        }
    }
}

/// How many bytes of files are kept for who reads them again. Most files are read once, and all of a large build's would
/// stand beside what is made of them.
const KEPT_BYTES: usize = 256 << 10;

/// What was answered to who read a file.
#[derive(Default)]
struct Reads {
    /// By path: how the file stood, or why it could not be read.
    answers: HashMap<String, Result<Stamp, TreeError>>,
    /// The last ones, of no more than [`KEPT_BYTES`] together.
    kept: VecDeque<(String, Arc<[u8]>)>,
    kept_bytes: usize,
}

impl Reads {
    fn keep(&mut self, path: &str, content: &Arc<[u8]>) {
        if content.len() > KEPT_BYTES {
            return;
        }
        self.kept_bytes += content.len();
        self.kept.push_back((path.to_owned(), Arc::clone(content)));
        while self.kept_bytes > KEPT_BYTES {
            let oldest = self.kept.pop_front();
            self.kept_bytes -= oldest.map_or(0, |(_, content)| content.len());
        }
    }
}

/// What changes when a file is written to or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds of the last change of its content, then of anything about it.
    changed: [(i64, i64); 2],
}

impl From<&Metadata> for Stamp {
    fn from(metadata: &Metadata) -> Stamp {
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            changed: [
                (metadata.mtime(), metadata.mtime_nsec()),
                (metadata.ctime(), metadata.ctime_nsec()),
            ],
        }
    }
}

/// Answers by question and path.
type Lists = HashMap<(Question, String), Result<Vec<Entry>, TreeError>>;

/// A directory, opened once. Symbolic links are followed inside it and refused where they lead out.
///
/// **Invariant:** what was answered once is answered again, or it is an error: a file that changes while it is being read
/// never gives two contents.
pub struct LocalTree {
    root: Dir,
    limits: LocalLimits,
    reads: Mutex<Reads>,
    lists: Mutex<Lists>,
}

impl LocalTree {
    /// Opens the directory at `path`.
    pub fn open(path: &Path, limits: LocalLimits) -> io::Result<LocalTree> {
        Ok(LocalTree::new(
            Dir::open_ambient_dir(path, ambient_authority())?,
            limits,
        ))
    }

    /// The tree of an open directory.
    pub fn new(root: Dir, limits: LocalLimits) -> LocalTree {
        LocalTree {
            root,
            limits,
            reads: Mutex::default(),
            lists: Mutex::default(),
        }
    }

    fn metadata(&self, path: &str) -> Result<Metadata, TreeError> {
        check_path(path)?;
        self.root.metadata(relative(path)).map_err(tree_error)
    }

    fn read_now(&self, path: &str) -> Result<(Stamp, Arc<[u8]>), TreeError> {
        let metadata = self.metadata(path)?;
        if metadata.is_dir() {
            return Err(TreeError::NotAFile);
        }
        if !metadata.is_file() {
            return Err(TreeError::NotFound); // a socket, a pipe, a device: opening one may hang
        }
        let limit = self.limits.file_size_max;
        if metadata.len() > limit {
            return Err(TreeError::TooLarge(limit));
        }
        let file = self.root.open(relative(path)).map_err(tree_error)?;
        // of what is open, before its first byte: what is written later shows
        let stamp = Stamp::from(&file.metadata().map_err(tree_error)?);
        // room for all of it at once, and for the look behind its end
        let mut content = Vec::with_capacity(usize::try_from(metadata.len()).map_or(0, |size| size + 1));
        file.take(limit + 1)
            .read_to_end(&mut content)
            .map_err(tree_error)?;
        if content.len() as u64 > limit {
            Err(TreeError::TooLarge(limit))
        } else {
            Ok((stamp, content.into()))
        }
    }

    /// Reads a file that was read before and is not kept: it must stand as it did.
    fn read_again(&self, path: &str, before: Stamp) -> Result<Arc<[u8]>, TreeError> {
        match self.read_now(path) {
            Ok((stamp, content)) if stamp == before => Ok(content),
            _ => Err(TreeError::Other(
                "it changed while it was being read; try again".to_owned(),
            )),
        }
    }

    fn read_dir_now(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        if !self.metadata(path)?.is_dir() {
            return Err(TreeError::NotADirectory);
        }
        let mut entries = BTreeMap::new();
        for found in self.root.read_dir(relative(path)).map_err(tree_error)? {
            let Ok(name) = found.map_err(tree_error)?.file_name().into_string() else {
                continue; // paths of a tree are UTF-8
            };
            let path = join_path(path, &name);
            // A link that leads nowhere or out of the root is as absent as one that the artifact never had.
            let Ok(metadata) = self.root.metadata(relative(&path)) else {
                continue;
            };
            let (size, entry_type) = if metadata.is_dir() {
                (0, EntryType::Directory)
            } else if metadata.is_file() {
                (metadata.len(), EntryType::File)
            } else {
                continue;
            };
            entries.insert(
                name,
                Entry {
                    path,
                    size,
                    entry_type,
                },
            );
        }
        Ok(entries.into_values().collect())
    }

    fn walk_now(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        let mut files = Vec::new();
        self.walk_into(path, &mut Vec::new(), &mut files)?;
        files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// `above` holds device and inode of each directory on the way down: a link back up ends the way.
    fn walk_into(
        &self,
        path: &str,
        above: &mut Vec<(u64, u64)>,
        files: &mut Vec<Entry>,
    ) -> Result<(), TreeError> {
        let metadata = self.metadata(path)?;
        let here = (metadata.dev(), metadata.ino());
        if above.contains(&here) {
            return Ok(());
        }
        above.push(here);
        for entry in self.list(Question::ReadDir, path)? {
            match entry.entry_type {
                EntryType::File => files.push(entry),
                EntryType::Directory => self.walk_into(&entry.path, above, files)?,
            }
            if files.len() > self.limits.entries_max {
                return Err(TreeError::Other(format!(
                    "more than {} files (limit entries_max)",
                    self.limits.entries_max
                )));
            }
        }
        above.pop();
        Ok(())
    }

    fn list(&self, question: Question, path: &str) -> Result<Vec<Entry>, TreeError> {
        let key = (question, path.to_owned());
        let known = self
            .lists
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&key)
            .cloned();
        known.unwrap_or_else(|| {
            let answer = match question {
                Question::Walk => self.walk_now(path),
                Question::ReadDir | Question::Read => self.read_dir_now(path),
            };
            let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
            lists.entry(key).or_insert(answer).clone()
        })
    }
}

impl Tree for LocalTree {
    fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
        let mut reads = self.reads.lock().unwrap_or_else(PoisonError::into_inner);
        let content = match reads.answers.get(path) {
            Some(Err(error)) => return Err(error.clone()),
            Some(Ok(stamp)) => {
                if let Some((_, content)) = reads.kept.iter().find(|(kept, _)| kept == path) {
                    return Ok(Arc::clone(content));
                }
                self.read_again(path, *stamp)?
            }
            None => {
                let answer = self.read_now(path);
                let stamp = answer.as_ref().map(|(stamp, _)| *stamp);
                reads
                    .answers
                    .insert(path.to_owned(), stamp.map_err(TreeError::clone));
                answer?.1
            }
        };
        reads.keep(path, &content);
        Ok(content)
    }

    fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        self.list(Question::ReadDir, path)
    }

    fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        self.list(Question::Walk, path)
    }

    fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
        match question {
            Question::Read => answer::of_read(&self.read(path)),
            Question::ReadDir => answer::of_read_dir(&self.read_dir(path)),
            Question::Walk => answer::of_walk(path, &self.walk(path)),
        }
    }
}

fn relative(path: &str) -> &str {
    match path.trim_start_matches('/') {
        "" => ".",
        path => path,
    }
}

fn tree_error(error: io::Error) -> TreeError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => TreeError::NotFound,
        // cap-std says so of links that lead out, the kernel of files we may not read: the text tells which.
        _ => TreeError::Other(error.to_string()),
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use expect_test::expect;

    use super::*;

    #[test]
    fn follows_links_inside_and_refuses_those_that_lead_out() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("secret"), "s").unwrap();
        let root = outer.path().join("root");
        fs::create_dir_all(root.join("base/deep")).unwrap();
        fs::write(root.join("base/deep/a.yaml"), "a: 1").unwrap();
        for (target, link) in [
            ("base", "alias"),
            ("base/deep/a.yaml", "a.yaml"),
            ("../secret", "out"),
            ("/proc/self/environ", "environ"),
            ("..", "up"),
            ("nowhere", "dangling"),
            ("loop2", "loop1"),
            ("loop1", "loop2"),
            ("..", "base/deep/parent"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        let tree = LocalTree::open(&root, LocalLimits::default()).unwrap();
        let read = |path: &str| match tree.read(path) {
            Ok(content) => format!("{path}: {:?}\n", String::from_utf8_lossy(&content)),
            Err(error) => format!("{path}: error: {error}\n"),
        };
        let answers: String = [
            "/a.yaml",
            "/alias/deep/a.yaml",
            "/out",
            "/environ",
            "/up/secret",
            "/dangling",
            "/loop1",
            "/base",
            "/a.yaml/x",
            "/../secret",
            "a.yaml",
        ]
        .map(read)
        .concat();
        expect![[r#"
            /a.yaml: "a: 1"
            /alias/deep/a.yaml: "a: 1"
            /out: error: a path led outside of the filesystem
            /environ: error: a path led outside of the filesystem
            /up/secret: error: a path led outside of the filesystem
            /dangling: error: no such file or directory
            /loop1: error: Too many levels of symbolic links (os error 40)
            /base: error: is a directory
            /a.yaml/x: error: no such file or directory
            /../secret: error: invalid path
            a.yaml: error: invalid path
        "#]]
        .assert_eq(&answers);
        let walk: Vec<String> = tree
            .walk("/")
            .unwrap()
            .into_iter()
            .map(|entry| entry.path)
            .collect();
        assert_eq!(walk, ["/a.yaml", "/alias/deep/a.yaml", "/base/deep/a.yaml"]);
        fs::write(root.join("base/deep/a.yaml"), "a: 2").unwrap();
        assert_eq!(&*tree.read("/a.yaml").unwrap(), b"a: 1", "answers never change");
    }

    #[test]
    fn what_is_not_kept_is_read_again_and_refused_when_it_changed() {
        let root = tempfile::tempdir().unwrap();
        let large = vec![b'a'; KEPT_BYTES / 2];
        for name in ["a", "b", "c"] {
            fs::write(root.path().join(name), &large).unwrap();
        }
        fs::write(root.path().join("huge"), vec![b'a'; KEPT_BYTES + 1]).unwrap();
        let tree = LocalTree::open(root.path(), LocalLimits::default()).unwrap();
        for path in ["/a", "/b", "/c", "/huge", "/a"] {
            assert!(tree.read(path).is_ok(), "{path}");
        }
        let reads = tree.reads.lock().unwrap();
        let kept: Vec<_> = reads.kept.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!((kept, reads.kept_bytes), (vec!["/c", "/a"], KEPT_BYTES));
        drop(reads);
        fs::write(root.path().join("a"), "other").unwrap();
        fs::write(root.path().join("b"), "other").unwrap();
        assert_eq!(&*tree.read("/a").unwrap(), large, "it is kept");
        let error = tree.read("/b").unwrap_err().to_string();
        assert_eq!(error, "it changed while it was being read; try again");
    }
}
