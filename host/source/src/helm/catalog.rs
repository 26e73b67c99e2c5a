//! Where in a stored index each chart is: an index is read once, and of it no more is kept than names and places.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader},
    sync::{Arc, Mutex, PoisonError},
};

use sluice_artifact::{ArtifactPath, Digest, Store, store, store::StoredFile};
use sluice_event::metrics;

use super::{ChartVersion, index::HEAD};

/// Why the versions of a chart could not be read from a stored index.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The index does not name the chart.
    #[error("no chart name found")]
    NoChart,
    /// The stored index is gone or damaged: the repository is fetched again.
    #[error("failed to load index: {0}")]
    Store(#[from] store::Error),
    /// The stored index is none of ours.
    #[error("failed to load index: {0}")]
    Unreadable(String),
}

/// Where the versions of a chart are: a part of the file, and its digest.
struct Place {
    offset: u64,
    length: usize,
    digest: Digest,
}

type Catalog = HashMap<String, Place>;
/// Held while the index is read, so that fifty charts of one index read it once.
type Slot = Arc<Mutex<Option<Arc<Catalog>>>>;

/// The stored indexes that were read, by digest. Clones share them.
#[derive(Clone, Default)]
pub struct Catalogs(Arc<Mutex<VecDeque<(Digest, Slot)>>>);

/// Indexes whose charts are remembered: a large one has some thousand names, half a megabyte.
const CATALOGS_MAX: usize = 64;

impl Catalogs {
    /// The versions of a chart in the index that is stored at `path`. Blocks.
    ///
    /// # Errors
    /// See [`CatalogError`].
    pub fn versions(
        &self,
        store: &Store,
        path: &ArtifactPath,
        chart: &str,
    ) -> Result<Vec<ChartVersion>, CatalogError> {
        let artifact = store
            .artifact(path)
            .ok_or_else(|| store::Error::NotFound(path.clone()))?;
        let slot = self.slot(artifact.digest);
        let catalog = {
            let mut held = slot.lock().unwrap_or_else(PoisonError::into_inner);
            metrics::index_asked(path.namespace(), path.name(), held.is_some());
            match &*held {
                Some(catalog) => Arc::clone(catalog),
                None => Arc::clone(held.insert(Arc::new(scan(store.open_file(path)?)?))),
            }
        };
        let place = catalog.get(chart).ok_or(CatalogError::NoChart)?;
        let json = store
            .open_file(path)?
            .part(place.offset, place.length, &place.digest)?;
        serde_json::from_slice(&json).map_err(|error| CatalogError::Unreadable(error.to_string()))
    }

    fn slot(&self, digest: Digest) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = slots.iter().find(|(known, _)| *known == digest) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        slots.push_back((digest, Arc::clone(&slot)));
        while slots.len() > CATALOGS_MAX {
            slots.pop_front();
        }
        slot
    }
}

/// Finds the charts of a stored index: after the first line each line is one, until a line that ends them.
fn scan(file: StoredFile) -> Result<Catalog, CatalogError> {
    let unreadable = |error: std::io::Error| CatalogError::Unreadable(error.to_string());
    let mut file = BufReader::with_capacity(256 << 10, file);
    let mut catalog = Catalog::new();
    let (mut line, mut offset) = (Vec::new(), 0u64);
    let mut is_first = true;
    loop {
        line.clear();
        let length = file.read_until(b'\n', &mut line).map_err(unreadable)?;
        if length == 0 {
            return Ok(catalog);
        }
        if std::mem::take(&mut is_first) {
            if line.strip_suffix(b"\n") != Some(HEAD) && !line.starts_with(HEAD) {
                let text = "it is none that this controller has written";
                return Err(CatalogError::Unreadable(text.to_owned()));
            }
        } else if line.first() == Some(&b'"') {
            let (name, at) = name(&line)?;
            let value = line.get(at..).unwrap_or_default().trim_ascii_end();
            let value = value.strip_suffix(b",").unwrap_or(value);
            let place = Place {
                offset: offset + at as u64,
                length: value.len(),
                digest: Digest::of(value),
            };
            catalog.insert(name, place);
        }
        offset += length as u64;
    }
}

/// The key of a line, and where its value begins.
fn name(line: &[u8]) -> Result<(String, usize), CatalogError> {
    let unreadable = |text: &str| CatalogError::Unreadable(text.to_owned());
    let mut values = serde_json::Deserializer::from_slice(line).into_iter::<String>();
    let name = values
        .next()
        .ok_or_else(|| unreadable("a chart without a name"))?;
    let name = name.map_err(|error| unreadable(&error.to_string()))?;
    let at = values.byte_offset();
    match line.get(at) {
        Some(b':') => Ok((name, at + 1)),
        _ => Err(unreadable("a chart without versions")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::helm::read_index;
    use std::io::Cursor;

    #[test]
    fn a_chart_is_found_without_the_others_and_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path(), store::Limits::default()).unwrap();
        let index = "apiVersion: v1\nentries:\n  \"a \\\"b\\\"\":\n  - {name: a, version: 1.0.0}\n  shop:\n  - name: shop\n    version: 1.0.0\n    description: \"two\\nlines\"\n    urls: [x.tgz]\n  empty: []\n";
        let mut json = Vec::new();
        read_index(Cursor::new(index), 4096, None, &mut json).unwrap();
        let path: ArtifactPath = "helmrepository/a/b/index-1.yaml".parse().unwrap();
        let mut draft = store.draft();
        let blob = draft.blob_from(&mut Cursor::new(&json)).unwrap();
        draft.commit_file(&path, "sha256:1", blob).unwrap();
        let catalogs = Catalogs::default();
        let names = |chart: &str| {
            let found = catalogs.versions(&store, &path, chart)?;
            Ok(found.iter().map(|v| v.name.clone()).collect::<Vec<_>>())
        };
        let names = |chart: &str| -> Result<Vec<String>, String> {
            names(chart).map_err(|error: CatalogError| error.to_string())
        };
        assert_eq!(names("shop"), Ok(vec!["shop".to_owned()]));
        assert_eq!(names("a \"b\""), Ok(vec!["a".to_owned()]));
        assert_eq!(names("empty"), Ok(vec![]));
        assert_eq!(names("apiVersion"), Err("no chart name found".to_owned()));
        assert_eq!(catalogs.0.lock().unwrap().len(), 1);

        // one flipped bit on the disk: an error, and the artifact is missing from then on
        let segment = folder.path().join("segments/0.seg");
        let segment = if segment.exists() {
            segment
        } else {
            folder.path().join("segments/1.seg")
        };
        let mut bytes = std::fs::read(&segment).unwrap();
        let at = bytes.windows(5).rposition(|window| window == b"x.tgz").unwrap();
        bytes[at] = b'y';
        std::fs::write(&segment, &bytes).unwrap();
        let damaged = names("shop").unwrap_err();
        assert!(damaged.contains("is damaged"), "{damaged}");
        assert_eq!(store.artifact(&path), None);
    }
}
