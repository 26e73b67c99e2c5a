//! From a folder to a layer, as `flux push artifact` makes it (compat: source, section 6.8).

use anyhow::{Context, Result, ensure};
use flate2::{Compression, GzBuilder, write::GzEncoder};
use sluice_source::ignore::{self, Rules};
use sluice_source::oci::ContentDigest;
use std::fs::{self, Metadata};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A compressed archive, and the digest of what was compressed.
pub(super) struct Layer {
    pub(super) content: Vec<u8>,
    pub(super) diff_id: ContentDigest,
}

/// Largest archive that is made in memory, in bytes before compression.
const SIZE_MAX: u64 = 1 << 30;
/// Most files and folders that are looked at where links are followed: folders with links to each other have paths without
/// number.
const FOLLOWED_MAX: usize = 1_000_000;
/// Deepest folder: whoever walks it needs a stack.
const DEPTH_MAX: usize = 200;
/// The name in the archive of what comes on standard input.
const STDIN_NAME: &str = "stdin.yaml";

/// A symbolic link that leads nowhere.
#[derive(Debug)]
struct Unresolved {
    link: PathBuf,
    cause: std::io::Error,
}

impl std::fmt::Display for Unresolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let link = self.link.display();
        write!(f, "resolving symlinks failed: resolving symlink {link}")
    }
}

impl std::error::Error for Unresolved {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// What could not be done for this error. In Flux links are resolved before anything else is begun, and it says so.
pub(super) fn failing(error: anyhow::Error, what: &'static str) -> anyhow::Error {
    match error.is::<Unresolved>() {
        true => error,
        false => error.context(what),
    }
}

/// Archives a file, or a directory without what `patterns` exclude.
/// Symbolic links are left out; where `follow` is set, what they lead to is put in their place, wherever it lies.
pub(super) fn of_path(path: &Path, patterns: &[String], follow: bool) -> Result<Layer> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return of_directory(path, patterns, follow.then_some(FOLLOWED_MAX));
    }
    let name = path.file_name().context("the path names no file")?;
    let content = read(fs::File::open(path)?, SIZE_MAX)?;
    let mut archive = tar::Builder::new(Vec::new());
    let (name, mode) = (name.to_string_lossy(), metadata.permissions().mode());
    append_file(&mut archive, &name, mode, &content)?;
    compress(archive)
}

/// The same of a directory. Where links are followed, `followed_max` files and folders are looked at.
fn of_directory(path: &Path, patterns: &[String], followed_max: Option<usize>) -> Result<Layer> {
    let root = fs::canonicalize(path)?;
    let metadata = fs::metadata(&root)?;
    let mut folder = Folder {
        archive: tar::Builder::new(Vec::new()),
        rules: Rules::only(ignore::parse(&patterns.join("\n"), &[])),
        followed_max,
        seen: 0,
        above: Vec::new(),
        names: Vec::new(),
    };
    append_directory(&mut folder.archive, ".", metadata.permissions().mode())?;
    folder.descend(root)?;
    compress(folder.archive)
}

/// Archives what comes on standard input, as a file of its own; line breaks at its end are cut off, as in Flux.
pub(super) fn of_stdin(stream: impl Read) -> Result<Layer> {
    let mut content = read(stream, SIZE_MAX)?;
    ensure!(
        content.len() as u64 <= SIZE_MAX,
        "standard input has more than {SIZE_MAX} bytes: name a directory or a file"
    );
    let is_break = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let end = content.iter().rposition(|byte| !is_break(byte));
    content.truncate(end.map_or(0, |last| last + 1));
    let mut archive = tar::Builder::new(Vec::new());
    append_file(&mut archive, STDIN_NAME, 0o600, &content)?;
    compress(archive)
}

/// Reads no more than it takes to see that it is too much: what a file says of its size need not be true.
fn read(file: impl Read, size_max: u64) -> std::io::Result<Vec<u8>> {
    let mut content = Vec::new();
    file.take(size_max + 1).read_to_end(&mut content)?;
    Ok(content)
}

/// The bytes of an archive so far.
fn size(archive: &tar::Builder<Vec<u8>>) -> Result<u64> {
    let size = archive.get_ref().len() as u64;
    ensure!(
        size <= SIZE_MAX,
        "the files are more than {SIZE_MAX} bytes; exclude some with --ignore-paths"
    );
    Ok(size)
}

fn compress(archive: tar::Builder<Vec<u8>>) -> Result<Layer> {
    size(&archive)?;
    let bytes = archive.into_inner()?;
    let diff_id = ContentDigest::of(&bytes);
    // no time, no name, an unknown system: as Go's writer does, and the same for the same files
    let encoder: GzEncoder<Vec<u8>> = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(Vec::new(), Compression::default());
    let mut encoder = encoder;
    encoder.write_all(&bytes)?;
    Ok(Layer {
        content: encoder.finish()?,
        diff_id,
    })
}

/// What `flux push artifact` leaves out where nothing is said.
pub(super) fn usual() -> Vec<String> {
    let lines = ignore::VCS.iter().chain(ignore::EXTENSIONS);
    lines.map(|&line| line.to_owned()).collect()
}

/// A directory while it is archived.
struct Folder {
    archive: tar::Builder<Vec<u8>>,
    rules: Rules,
    /// How much is looked at where links are followed; none where they are left out.
    followed_max: Option<usize>,
    seen: usize,
    /// The directories that lead to where we are, without links.
    above: Vec<PathBuf>,
    /// The names that lead there, as they are archived.
    names: Vec<String>,
}

impl Folder {
    /// Archives what is in a directory, whose path has no links.
    fn descend(&mut self, here: PathBuf) -> Result<()> {
        ensure!(
            self.names.len() <= DEPTH_MAX,
            "'{}' is too deep: more than {DEPTH_MAX} folders lie in each other",
            self.names.join("/")
        );
        // a link that leads back up is an empty folder, as in Flux
        if self.above.contains(&here) {
            return Ok(());
        }
        let found = children(&here)?;
        self.above.push(here);
        for (name, path) in found {
            self.names.push(name);
            self.append(path)?;
            self.names.pop();
        }
        self.above.pop();
        Ok(())
    }

    fn append(&mut self, path: PathBuf) -> Result<()> {
        let left = SIZE_MAX - size(&self.archive)?;
        let (path, metadata) = self.resolve(path)?;
        let parts: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let is_excluded = self.rules.excludes(&parts, metadata.is_dir());
        let (shown, mode) = (self.names.join("/"), metadata.permissions().mode());
        if metadata.is_dir() {
            if !is_excluded {
                append_directory(&mut self.archive, &shown, mode)?;
            }
            self.descend(path)?;
        } else if metadata.is_file() && !is_excluded {
            let unreadable = || format!("cannot read '{}'", path.display());
            let file = fs::File::open(&path).with_context(unreadable)?;
            let content = read(file, left).with_context(unreadable)?;
            append_file(&mut self.archive, &shown, mode, &content)?;
        }
        Ok(())
    }

    /// What stands at a path: the link itself, or where links are followed what it leads to.
    fn resolve(&mut self, path: PathBuf) -> Result<(PathBuf, Metadata)> {
        let metadata = fs::symlink_metadata(&path)?;
        let Some(followed_max) = self.followed_max else {
            return Ok((path, metadata));
        };
        self.seen += 1;
        ensure!(
            self.seen <= followed_max,
            "symbolic links lead to more than {followed_max} files and folders, lastly to '{}'; leave --resolve-symlinks out, or links to folders with links",
            path.display()
        );
        if !metadata.is_symlink() {
            return Ok((path, metadata));
        }
        let unresolved = |cause| Unresolved {
            link: path.clone(),
            cause,
        };
        let target = fs::canonicalize(&path).map_err(unresolved)?;
        let metadata = fs::metadata(&target)?;
        Ok((target, metadata))
    }
}

fn children(folder: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read '{}'", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name().into_string();
        let name = name.map_err(|name| anyhow::anyhow!("'{}' is no UTF-8", name.to_string_lossy()))?;
        found.push((name, entry.path()));
    }
    found.sort();
    Ok(found)
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode & 0o7777);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

fn append_directory(archive: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32) -> Result<()> {
    let mut header = header(tar::EntryType::Directory, mode, 0);
    Ok(archive.append_data(&mut header, name, std::io::empty())?)
}

fn append_file(archive: &mut tar::Builder<Vec<u8>>, name: &str, mode: u32, content: &[u8]) -> Result<()> {
    let mut header = header(tar::EntryType::Regular, mode, content.len() as u64);
    Ok(archive.append_data(&mut header, name, content)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_artifact::unpack::{Limits, unpack};
    use sluice_artifact::{MemoryTree, Tree};
    use std::os::unix::fs::symlink;

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn unpacked(layer: &Layer) -> MemoryTree {
        unpack(&*layer.content, &Limits::default()).unwrap()
    }

    fn names(layer: &Layer) -> Vec<String> {
        let files = unpacked(layer).walk("/").unwrap();
        files.into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn the_same_files_give_the_same_layer_without_what_is_ignored() {
        let folder = folder(&[
            ("a.yaml", "a"),
            (".git/config", "x"),
            ("logo.png", "x"),
            ("sub/b.yaml", "b"),
            ("sub/c.txt", "c"),
        ]);
        let root = folder.path();
        symlink("a.yaml", root.join("link.yaml")).unwrap();
        let one = of_path(root, &usual(), false).unwrap();
        assert_eq!(names(&one), ["/a.yaml", "/sub/b.yaml", "/sub/c.txt"]);
        assert_eq!(of_path(root, &usual(), false).unwrap().content, one.content);
        assert_eq!(
            names(&of_path(root, &["*.txt".to_owned(), ".git/".to_owned()], false).unwrap()),
            ["/a.yaml", "/logo.png", "/sub/b.yaml"]
        );
        assert_eq!(
            names(&of_path(root, &usual(), true).unwrap()),
            ["/a.yaml", "/link.yaml", "/sub/b.yaml", "/sub/c.txt"]
        );
        assert_eq!(
            names(&of_path(&root.join("a.yaml"), &[], false).unwrap()),
            ["/a.yaml"]
        );
        assert!(of_path(&root.join("nope"), &[], false).is_err());
    }

    #[test]
    fn links_are_followed_wherever_they_lead_and_end_where_they_lead_back() {
        let (files, links) = (
            folder(&[("store/a.yaml", "a"), ("store/sub/b.yaml", "b")]),
            folder(&[("own.yaml", "own")]),
        );
        let (store, root) = (files.path().join("store"), links.path());
        symlink(store.join("a.yaml"), root.join("a.yaml")).unwrap();
        // two ways to one folder, which leads back to itself and to where we came from
        symlink(&store, root.join("one")).unwrap();
        symlink(&store, root.join("two")).unwrap();
        symlink(&store, store.join("sub/up")).unwrap();
        symlink(root, root.join("self")).unwrap();
        assert_eq!(names(&of_path(root, &[], false).unwrap()), ["/own.yaml"]);
        let followed = of_path(root, &[], true).unwrap();
        assert_eq!(
            names(&followed),
            [
                "/a.yaml",
                "/one/a.yaml",
                "/one/sub/b.yaml",
                "/own.yaml",
                "/two/a.yaml",
                "/two/sub/b.yaml",
            ]
        );
        let tree = unpacked(&followed);
        assert_eq!(&*tree.read("/two/sub/b.yaml").unwrap(), b"b");
        // as in Flux, an end is an empty folder
        assert!(tree.read_dir("/one/sub/up").unwrap().is_empty());
        // the names that they have here are those that are ignored
        let ignored = of_path(root, &["two/".to_owned(), "b.yaml".to_owned()], true).unwrap();
        assert_eq!(names(&ignored), ["/a.yaml", "/one/a.yaml", "/own.yaml"]);
    }

    #[test]
    fn links_that_lead_nowhere_or_everywhere_are_refused() {
        let broken = folder(&[]);
        symlink("nowhere", broken.path().join("link")).unwrap();
        let error = of_path(broken.path(), &[], true).err().unwrap();
        let told = crate::tell::whole(failing(error, "what was done").as_ref());
        assert!(
            told.starts_with("resolving symlinks failed: resolving symlink ") && told.contains("/link: "),
            "{told}"
        );
        // each folder has two links to the next: the paths are too many, the folders few
        let many = folder(&[]);
        for depth in 0..16 {
            let (here, next) = (format!("{depth}"), format!("{}", depth + 1));
            fs::create_dir(many.path().join(&here)).unwrap();
            for link in ["a", "b"] {
                symlink(Path::new("..").join(&next), many.path().join(&here).join(link)).unwrap();
            }
        }
        fs::create_dir(many.path().join("16")).unwrap();
        let told = of_directory(many.path(), &[], Some(1000))
            .err()
            .unwrap()
            .to_string();
        assert!(
            told.starts_with("symbolic links lead to more than 1000 files and folders"),
            "{told}"
        );
    }

    #[test]
    fn standard_input_ends_before_its_last_line_breaks() {
        for (given, expected) in [
            ("a: 1\n\nb: 2\r\n\n", "a: 1\n\nb: 2"),
            ("\n", ""),
            ("a: 1", "a: 1"),
        ] {
            let tree = unpacked(&of_stdin(given.as_bytes()).unwrap());
            assert_eq!(&*tree.read("/stdin.yaml").unwrap(), expected.as_bytes());
        }
    }
}
