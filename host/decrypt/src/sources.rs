//! The files of an artifact that are decrypted before it is built, and those whose MAC is looked at (compat/kustomize.md 9.3).
//!
//! Secret generators and patches need their files in clear text. What `resources` names stays encrypted while it is built and
//! is decrypted afterwards ([`crate::object()`]); its MAC can only be verified here, where the file is as it was written.

use crate::file::{FILE_BYTES_MAX, Mac, open};
use crate::sops::{self, Format};
use crate::{Error, Keyring};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sluice_artifact::{Entry, EntryType, Tree, TreeError, join_path};
use sluice_yaml::{Limits, Node, ParseOptions, Resolver};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

/// The names of a kustomization file.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Fields that name other kustomizations, or files with objects.
const RESOURCE_FIELDS: [&str; 3] = ["resources", "bases", "components"];

/// What was found in a tree.
#[derive(Default)]
pub struct Decrypted {
    /// Files in clear text, by absolute path: to be laid over the tree.
    pub files: BTreeMap<String, Zeroizing<Vec<u8>>>,
    /// What verified files vouch for.
    pub vouched: Vouched,
    /// The values in those files that were encrypted.
    secrets: Vec<Zeroizing<String>>,
}

impl Decrypted {
    /// A text of somebody who saw the files, without what was encrypted in them: a message may quote its input.
    pub fn redact(&self, text: &str) -> String {
        redacted(text, self.secrets.iter().map(|secret| secret.as_str()))
    }
}

/// Shorter texts are no secrets, and would be found everywhere.
const SECRET_CHARACTERS_MIN: usize = 4;

/// A text without these secrets: as they are, line by line, escaped, and in base64.
pub fn redacted<'s>(text: &str, secrets: impl Iterator<Item = &'s str>) -> String {
    let lines = secrets.flat_map(|secret| std::iter::once(secret).chain(secret.lines()));
    let mut lines: Vec<&str> = lines
        .map(str::trim)
        .filter(|line| line.chars().count() >= SECRET_CHARACTERS_MIN)
        .collect();
    // the longest first: one may be a part of another
    lines.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
    lines.dedup();
    let mut text = text.to_owned();
    for line in lines {
        let escaped = line.escape_debug().to_string();
        // what stands in place of one could be another, and is not to be replaced twice
        let escaped = (escaped != line).then_some(escaped);
        let shapes = [line.to_owned(), STANDARD.encode(line)];
        for shape in shapes.into_iter().chain(escaped) {
            if text.contains(&shape) {
                text = text.replace(&shape, "[redacted]");
            }
        }
    }
    text
}

/// MACs that were verified, each with the encrypted values it was verified over.
#[derive(Debug, Default)]
pub struct Vouched(BTreeMap<String, BTreeSet<String>>);

impl Vouched {
    /// Whether a verified file carries this MAC, and holds all these encrypted values.
    pub(crate) fn holds(&self, mac: &str, ciphertexts: &BTreeSet<&str>) -> bool {
        self.0
            .get(mac)
            .is_some_and(|known| ciphertexts.iter().all(|text| known.contains(*text)))
    }
}

/// Most bytes of encrypted files together: what is built of them could not be applied, and all of them are held in clear text.
const SEALED_BYTES_MAX: u64 = 64 << 20;

/// Most nodes of a kustomization: the renderer could not hold more.
const NODES_MAX: usize = 2_000_000;

/// Decrypts what the kustomization in `directory` needs in clear text, following `resources` and `components` inside of
/// the tree. `tree` already has the kustomization file that is built.
///
/// Reads and computes for as long as the files make it, and waits between: call it on a thread that may block.
///
/// # Errors
/// See [`Error`]; a message names the file.
pub async fn sources(
    keyring: &Keyring,
    tree: &dyn Tree,
    directory: &str,
    mac: Mac,
) -> Result<Decrypted, Error> {
    let mut walk = Walk {
        keyring,
        tree,
        mac,
        decrypted: Decrypted::default(),
        seen: BTreeSet::new(),
        listed: BTreeMap::new(),
        looked: BTreeSet::new(),
        verified: BTreeSet::new(),
        sealed_bytes: 0,
    };
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        if walk.seen.insert(directory.clone()) {
            // whoever waits may lose patience here too
            tokio::task::yield_now().await;
            walk.kustomization(&directory, &mut waiting).await?;
        }
    }
    Ok(walk.decrypted)
}

struct Walk<'w> {
    keyring: &'w Keyring,
    tree: &'w dyn Tree,
    mac: Mac,
    decrypted: Decrypted,
    /// Directories whose kustomization was read.
    seen: BTreeSet<String>,
    /// What is in directories.
    listed: BTreeMap<String, Vec<Entry>>,
    /// Files that were looked at, to be decrypted as files of this format: a kustomization may name one as often as it likes.
    looked: BTreeSet<(String, Format)>,
    /// Those that were looked at for their MAC.
    verified: BTreeSet<String>,
    /// What was decrypted so far, as it was encrypted.
    sealed_bytes: u64,
}

impl Walk<'_> {
    async fn kustomization(&mut self, directory: &str, waiting: &mut Vec<String>) -> Result<(), Error> {
        let Some(root) = self.read(directory)? else {
            // what a directory without kustomization means is for the build to say
            return Ok(());
        };
        for generator in list(&root, "secretGenerator") {
            let files = texts(generator, "files").chain(single(generator, "file"));
            for reference in files {
                let (key, path) = reference.split_once('=').unwrap_or((reference, reference));
                self.decrypt(directory, path, Format::of_path(key)).await?;
            }
            let envs = texts(generator, "envs").chain(single(generator, "env"));
            for path in envs {
                let format = match Format::of_path(path) {
                    Format::Binary => Format::Dotenv,
                    format => format,
                };
                self.decrypt(directory, path, format).await?;
            }
        }
        for patch in list(&root, "patches") {
            if let Some(path) = patch
                .get("path")
                .and_then(Node::text)
                .filter(|path| !path.contains("://"))
            {
                self.decrypt(directory, path, Format::of_path(path)).await?;
            }
        }
        let resources = RESOURCE_FIELDS.iter().flat_map(|field| texts(&root, field));
        for reference in resources.chain(texts(&root, "patchesStrategicMerge")) {
            let Some(path) = resolve(directory, reference) else {
                continue;
            };
            match self.entry(&path) {
                Some((EntryType::Directory, _)) => waiting.push(path),
                Some((EntryType::File, size)) => self.verify(path, size).await?,
                // what is missing, remote or inline is for the build to judge
                None => {}
            }
        }
        Ok(())
    }

    /// What is at a path, and its size: files that are not decrypted are not read.
    fn entry(&mut self, path: &str) -> Option<(EntryType, u64)> {
        let (directory, name) = path.rsplit_once('/')?;
        if name.is_empty() {
            return Some((EntryType::Directory, 0));
        }
        let directory = if directory.is_empty() { "/" } else { directory };
        if !self.listed.contains_key(directory) {
            let listed = self.tree.read_dir(directory).unwrap_or_default();
            self.listed.insert(directory.to_owned(), listed);
        }
        let listed = self.listed.get(directory)?;
        let place = listed.binary_search_by(|entry| entry.path.as_str().cmp(path));
        let entry = listed.get(place.ok()?)?;
        Some((entry.entry_type, entry.size))
    }

    /// The kustomization file of a directory; none where it has none.
    fn read(&self, directory: &str) -> Result<Option<Node>, Error> {
        for name in FILE_NAMES {
            let path = join_path(directory, name);
            let bytes = match self.tree.read(&path) {
                Ok(bytes) => bytes,
                Err(TreeError::NotFound | TreeError::NotAFile) => continue,
                Err(error) => return Err(Error::Source(format!("{}: {error}", shown(&path)))),
            };
            let options = ParseOptions {
                limits: Limits {
                    nodes: NODES_MAX,
                    ..Limits::default()
                },
                ..ParseOptions::new(Resolver::V2)
            };
            let document = sluice_yaml::parse_document(&bytes, &options);
            let document = document.map_err(|error| Error::Source(format!("{}: {error}", shown(&path))))?;
            return Ok(document.map(|document| document.root));
        }
        Ok(None)
    }

    async fn decrypt(&mut self, directory: &str, reference: &str, format: Format) -> Result<(), Error> {
        let Some(path) = resolve(directory, reference) else {
            return Ok(());
        };
        if self.decrypted.files.contains_key(&path) || !self.looked.insert((path.clone(), format)) {
            return Ok(());
        }
        let Some((EntryType::File, size)) = self.entry(&path) else {
            return Ok(());
        };
        let at = |cause: Error| cause.at(shown(&path));
        if size > FILE_BYTES_MAX {
            let limit = FILE_BYTES_MAX;
            return Err(at(Error::TooLarge { size, limit }));
        }
        let Ok(bytes) = self.tree.read(&path) else {
            return Ok(());
        };
        if !format.is_in(&bytes) {
            return Ok(());
        }
        self.count(size)?;
        let (opened, _) = open(self.keyring, &bytes, format, self.mac, shown(&path))
            .await
            .map_err(at)?;
        let plain = sops::emit(&opened.branches, format, format).map_err(at)?;
        self.decrypted.secrets.extend(opened.secrets);
        self.decrypted.files.insert(path, Zeroizing::new(plain));
        Ok(())
    }

    /// A file whose objects are decrypted after the build: here its MAC is verified, what it says is dropped.
    async fn verify(&mut self, path: String, size: u64) -> Result<(), Error> {
        let format = match Format::of_path(&path) {
            Format::Json => Format::Json,
            _ => Format::Yaml,
        };
        let is_wanted = self.mac == Mac::Verified && size <= FILE_BYTES_MAX;
        if !is_wanted || !self.verified.insert(path.clone()) {
            return Ok(());
        }
        let Some(bytes) = self.tree.read(&path).ok().filter(|bytes| format.is_in(bytes)) else {
            return Ok(());
        };
        self.count(size)?;
        // an object may ask to stay encrypted, or hold an encrypted file as text: only what opens can vouch
        let Ok((opened, mac)) = open(self.keyring, &bytes, format, Mac::Ignored, shown(&path)).await else {
            return Ok(());
        };
        if opened.is_intact {
            self.decrypted
                .vouched
                .0
                .entry(mac)
                .or_default()
                .extend(opened.ciphertexts);
        }
        Ok(())
    }

    fn count(&mut self, size: u64) -> Result<(), Error> {
        self.sealed_bytes = self.sealed_bytes.saturating_add(size);
        let limit = SEALED_BYTES_MAX;
        match self.sealed_bytes > limit {
            true => Err(Error::TooMuch { limit }),
            false => Ok(()),
        }
    }
}

fn list<'n>(root: &'n Node, field: &str) -> &'n [Node] {
    root.get(field).map_or(&[], Node::items)
}

fn texts<'n>(root: &'n Node, field: &str) -> impl Iterator<Item = &'n str> {
    list(root, field).iter().filter_map(Node::text)
}

fn single<'n>(root: &'n Node, field: &str) -> Option<&'n str> {
    root.get(field).and_then(Node::text)
}

/// A path of the tree; none for what leads out of it or is no path at all.
fn resolve(directory: &str, reference: &str) -> Option<String> {
    if reference.contains(['\n', '\0']) || reference.contains("://") || reference.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in reference.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

fn shown(path: &str) -> &str {
    path.trim_start_matches('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Allowed;
    use sluice_artifact::{AnswerDigest, MemoryTree, Question};
    use std::sync::{Arc, Mutex};

    /// A tree that remembers which files were read.
    struct Noted {
        tree: MemoryTree,
        read: Mutex<Vec<String>>,
    }

    impl Noted {
        fn new(files: &[(&str, &[u8])]) -> Self {
            let tree = files.iter().map(|(path, content)| (*path, *content)).collect();
            let read = Mutex::default();
            Self { tree, read }
        }

        fn times(&self, path: &str) -> usize {
            let read = self.read.lock().unwrap();
            read.iter().filter(|read| *read == path).count()
        }
    }

    impl Tree for Noted {
        fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
            self.read.lock().unwrap().push(path.to_owned());
            self.tree.read(path)
        }

        fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            self.tree.read_dir(path)
        }

        fn walk(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
            self.tree.walk(path)
        }

        fn answer_digest(&self, question: Question, path: &str) -> AnswerDigest {
            self.tree.answer_digest(question, path)
        }
    }

    const SECRET: &[u8] = include_bytes!("../tests/fixtures/encrypted/secret.yaml");

    fn keyring() -> Keyring {
        let key = include_bytes!("../tests/fixtures/age.agekey").to_vec().into();
        let mut keyring = Keyring::new();
        let data = BTreeMap::from([("identity.agekey".to_owned(), key)]);
        keyring.import(&data, Allowed::All).unwrap();
        keyring
    }

    /// A kustomization costs no more than the files that it names, however often it names them.
    #[tokio::test]
    async fn a_file_is_read_once_and_one_that_is_too_large_never() {
        let names = "- secret.yaml\n- large.yaml\n- ./plain.yaml\n- base\n- ../missing.yaml\n".repeat(100);
        let generator = "  - plain.yaml\n".repeat(100);
        let kustomization = format!("resources:\n{names}secretGenerator:\n- name: a\n  files:\n{generator}");
        let large = vec![b'a'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1];
        let tree = Noted::new(&[
            ("/apps/kustomization.yaml", kustomization.as_bytes()),
            ("/apps/secret.yaml", SECRET),
            ("/apps/large.yaml", large.as_slice()),
            ("/apps/plain.yaml", "a: 1\n".as_bytes()),
            (
                "/apps/base/kustomization.yaml",
                "resources: [../secret.yaml]\n".as_bytes(),
            ),
        ]);
        let found = sources(&keyring(), &tree, "/apps", Mac::Verified).await.unwrap();
        assert!(found.files.is_empty());
        assert_eq!(found.vouched.0.len(), 1);
        // once as a resource, once as what a Secret is made of
        let expected = [
            ("secret", 1),
            ("large", 0),
            ("plain", 2),
            ("base/kustomization", 1),
        ];
        for (name, times) in expected {
            assert_eq!(tree.times(&format!("/apps/{name}.yaml")), times, "{name}");
        }
        // where MACs do not count, nothing is to be verified
        let tree = Noted::new(&[
            ("/kustomization.yaml", "resources: [secret.yaml]\n".as_bytes()),
            ("/secret.yaml", SECRET),
        ]);
        sources(&keyring(), &tree, "/", Mac::Ignored).await.unwrap();
        assert_eq!(tree.times("/secret.yaml"), 0);
    }

    #[tokio::test]
    async fn what_is_too_large_to_be_decrypted_is_refused_as_in_flux() {
        let large = vec![b'a'; usize::try_from(FILE_BYTES_MAX).unwrap() + 1];
        let kustomization = "secretGenerator: [{name: a, files: [large.txt]}]\n";
        let tree = Noted::new(&[
            ("/kustomization.yaml", kustomization.as_bytes()),
            ("/large.txt", large.as_slice()),
        ]);
        let refusal = sources(&keyring(), &tree, "/", Mac::Verified).await.err();
        assert_eq!(
            refusal.unwrap().to_string(),
            "large.txt: cannot decrypt file with size (5242881 bytes) exceeding limit (5242880)"
        );
        assert_eq!(tree.times("/large.txt"), 0);
    }

    /// All that is decrypted is held: many files of a size that is allowed are too much together.
    #[tokio::test]
    async fn encrypted_files_together_are_bounded() {
        // one that looks encrypted, and is no YAML
        let mut sealed = b"} mac: ENC[".to_vec();
        sealed.resize(usize::try_from(FILE_BYTES_MAX).unwrap(), b' ');
        let names: Vec<String> = (0..13).map(|number| format!("/{number}.yaml")).collect();
        let list: String = names.iter().map(|name| format!("- .{name}\n")).collect();
        let kustomization = format!("resources:\n{list}");
        let mut files: Vec<(&str, &[u8])> = vec![("/kustomization.yaml", kustomization.as_bytes())];
        files.extend(names.iter().map(|name| (name.as_str(), sealed.as_slice())));
        let tree = Noted::new(&files);
        let refusal = sources(&keyring(), &tree, "/", Mac::Verified).await.err();
        assert_eq!(
            refusal.unwrap().to_string(),
            "cannot decrypt files with more than 67108864 bytes together (sealed_bytes_max): divide them among Kustomizations"
        );
    }

    #[test]
    fn a_secret_that_stands_there_very_often_is_looked_for_once() {
        let secret = "redacted\n".repeat(200_000);
        let text = redacted("it says redacted", std::iter::once(secret.as_str()));
        assert_eq!(text, "it says [redacted]");
    }
}
