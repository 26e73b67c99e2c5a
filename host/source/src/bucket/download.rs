//! Bringing the objects of a bucket, and making them an artifact.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::Arc,
};

use futures::{StreamExt, TryStreamExt};
use sluice_artifact::{Artifact, ArtifactPath, Store};
use tokio::{sync::Semaphore, time::Instant};

use super::{Bucket, Error, Index, StoreError, remote::Problem};
use crate::{
    folder::{self, Folder},
    ignore::{IGNORE_FILE, Rules},
};

/// The objects of a bucket, in a file without a name.
#[derive(Debug)]
pub struct Downloaded {
    /// Of what came: an object that changed meanwhile counts as it came, one that vanished not at all.
    pub revision: String,
    objects: usize,
    /// Where in the file each object is.
    parts: Vec<(String, u64, usize)>,
    file: File,
}

/// Bytes that one permit of the semaphore stands for.
const PERMIT: u64 = 1 << 20;

impl Bucket {
    /// Brings the objects of an index.
    ///
    /// # Errors
    /// [`Error::Object`], [`Error::Disk`].
    pub async fn download(&self, mut index: Index) -> Result<Downloaded, Error> {
        let deadline = Instant::now() + self.timeout;
        let disk = |error: std::io::Error| Error::Disk {
            bucket: self.name.clone(),
            cause: error.to_string(),
        };
        let mut file = tempfile::tempfile_in(&self.spool).map_err(disk)?;
        let (mut parts, mut offset) = (Vec::with_capacity(index.objects.len()), 0u64);
        let permits = u32::try_from(self.limits.in_flight_max.div_ceil(PERMIT)).unwrap_or(u32::MAX);
        let room = Arc::new(Semaphore::new(permits as usize));
        let wanted: Vec<(String, u64)> = index
            .objects
            .iter()
            .map(|(key, (_, size))| (key.clone(), *size))
            .collect();
        let coming = futures::stream::iter(wanted).map(|(key, size)| {
            let room = Arc::clone(&room);
            async move {
                let needed = u32::try_from(size.div_ceil(PERMIT))
                    .unwrap_or(u32::MAX)
                    .clamp(1, permits);
                let permit = room.acquire_many_owned(needed).await;
                let object = self.object(&key, deadline).await?;
                Ok::<_, Error>((key, object, permit))
            }
        });
        let mut coming = coming.buffer_unordered(self.limits.concurrent_max);
        while let Some((key, object, _permit)) = coming.try_next().await? {
            let Some((etag, bytes)) = object else {
                index.objects.remove(&key);
                continue;
            };
            let size = bytes.len();
            file.write_all(&bytes).map_err(disk)?;
            index.objects.insert(key.clone(), (etag, size as u64));
            parts.push((key, offset, size));
            offset += size as u64;
        }
        let (revision, objects) = (index.revision(), index.objects());
        if let Some(text) = index.ignore_file {
            file.write_all(&text).map_err(disk)?;
            parts.push((IGNORE_FILE.to_owned(), offset, text.len()));
        }
        parts.sort();
        Ok(Downloaded {
            objects,
            revision,
            parts,
            file,
        })
    }

    /// An object with its etag; none where it vanished.
    async fn object(&self, key: &str, deadline: Instant) -> Result<Option<(String, Vec<u8>)>, Error> {
        match self.remote.get(key, self.limits.object_size_max, deadline).await {
            Ok(object) => Ok(Some(object)),
            Err(Problem::Missing) => Ok(None),
            Err(Problem::Other(cause)) => Err(Error::Object {
                bucket: self.name.clone(),
                key: key.to_owned(),
                cause,
            }),
        }
    }
}

impl Downloaded {
    /// How many objects came.
    pub fn objects(&self) -> usize {
        self.objects
    }

    /// Puts the files into the store. Blocks; the artifact is visible when this returns.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn store(mut self, store: &Store, path: &ArtifactPath) -> Result<Artifact, StoreError> {
        let disk = |error: std::io::Error| StoreError::Disk(error.to_string());
        let mut draft = store.draft();
        let mut root = Folder::default();
        for (key, offset, size) in &self.parts {
            let mut content = vec![0; *size];
            self.file.seek(SeekFrom::Start(*offset)).map_err(disk)?;
            self.file.read_exact(&mut content).map_err(disk)?;
            let file = folder::File {
                blob: draft.blob(&content)?,
                size: *size as u64,
                is_executable: false,
            };
            root.add(&format!("/{key}"), file)
                .map_err(|at| StoreError::Clash(at.0.trim_start_matches('/').to_owned()))?;
        }
        let rules = Rules::only(Vec::new());
        let root = root.build(&rules, &mut draft)?;
        Ok(draft.commit(path, &self.revision, root)?)
    }
}
