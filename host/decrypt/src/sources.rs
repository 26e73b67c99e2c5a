//! The files of an artifact that are decrypted before it is built, and those whose MAC is looked at (compat/kustomize.md 9.3).
//!
//! Secret generators and patches need their files in clear text. What `resources` names stays encrypted while it is built and
//! is decrypted afterwards ([`crate::object()`]); its MAC can only be verified here, where the file is as it was written.

use crate::file::{Mac, open};
use crate::sops::{self, Format};
use crate::{Error, Keyring};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sluice_artifact::{Tree, TreeError, join_path};
use sluice_yaml::{Node, ParseOptions, Resolver};
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
    lines.sort_by_key(|line| std::cmp::Reverse(line.len()));
    let mut text = text.to_owned();
    for line in lines {
        for shape in [
            line.to_owned(),
            STANDARD.encode(line),
            line.escape_debug().to_string(),
        ] {
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

/// Decrypts what the kustomization in `directory` needs in clear text, following `resources` and `components` inside of
/// the tree. `tree` already has the kustomization file that is built.
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
        verified: BTreeSet::new(),
    };
    let mut waiting = vec![directory.to_owned()];
    while let Some(directory) = waiting.pop() {
        if walk.seen.insert(directory.clone()) {
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
    seen: BTreeSet<String>,
    verified: BTreeSet<String>,
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
            match self.tree.read(&path) {
                Ok(bytes) => self.verify(&path, &bytes).await?,
                Err(TreeError::NotAFile) => waiting.push(path),
                // what is missing, remote or inline is for the build to judge
                Err(_) => {}
            }
        }
        Ok(())
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
            let document = sluice_yaml::parse_document(&bytes, &ParseOptions::new(Resolver::V2));
            let document = document.map_err(|error| Error::Source(format!("{}: {error}", shown(&path))))?;
            return Ok(document.map(|document| document.root));
        }
        Ok(None)
    }

    async fn decrypt(&mut self, directory: &str, reference: &str, format: Format) -> Result<(), Error> {
        let Some(path) = resolve(directory, reference) else {
            return Ok(());
        };
        if self.decrypted.files.contains_key(&path) {
            return Ok(());
        }
        let Ok(bytes) = self.tree.read(&path) else {
            return Ok(());
        };
        if !format.is_in(&bytes) {
            return Ok(());
        }
        let at = |cause: Error| cause.at(shown(&path));
        let (opened, _) = open(self.keyring, &bytes, format, self.mac, shown(&path))
            .await
            .map_err(at)?;
        let plain = sops::emit(&opened.branches, format, format).map_err(at)?;
        self.decrypted.secrets.extend(opened.secrets);
        self.decrypted.files.insert(path, Zeroizing::new(plain));
        Ok(())
    }

    /// A file whose objects are decrypted after the build: here its MAC is verified, what it says is dropped.
    async fn verify(&mut self, path: &str, bytes: &[u8]) -> Result<(), Error> {
        let format = match Format::of_path(path) {
            Format::Json => Format::Json,
            _ => Format::Yaml,
        };
        if self.mac == Mac::Ignored || !format.is_in(bytes) || !self.verified.insert(path.to_owned()) {
            return Ok(());
        }
        // an object may ask to stay encrypted, or hold an encrypted file as text: only what opens can vouch
        let Ok((opened, mac)) = open(self.keyring, bytes, format, Mac::Ignored, shown(path)).await else {
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
