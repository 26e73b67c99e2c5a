//! Bringing the objects of a bucket, and making them an artifact.

use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
};

use futures::{StreamExt, TryStreamExt};
use sluice_artifact::{Artifact, ArtifactPath, Store};
use tempfile::SpooledTempFile;
use tokio::time::Instant;

use super::{Bucket, Error, Index, StoreError, remote::Problem};
use crate::{
    disk_refusal,
    folder::{self, Folder},
    ignore::IGNORE_FILE,
    spool::{self, Spool},
};

/// The objects of a bucket, in a file without a name.
#[derive(Debug)]
pub struct Downloaded {
    /// Of what came: an object that changed meanwhile counts as it came, one that vanished not at all.
    pub revision: String,
    objects: usize,
    /// Where in the file each object is.
    parts: Vec<(String, u64, u64)>,
    file: File,
}

impl Bucket {
    /// Brings the objects of an index.
    ///
    /// # Errors
    /// [`Error::Object`], [`Error::Disk`].
    pub async fn download(&self, mut index: Index) -> Result<Downloaded, Error> {
        let deadline = Instant::now() + self.timeout;
        let disk = |error: std::io::Error| Error::Disk {
            bucket: self.name.clone(),
            cause: disk_refusal(&error),
        };
        let mut file = tempfile::tempfile_in(&self.spool).map_err(disk)?;
        let (mut parts, mut offset) = (Vec::with_capacity(index.objects.len()), 0u64);
        let wanted: Vec<String> = index.objects.keys().cloned().collect();
        let coming = futures::stream::iter(wanted).map(async |key| {
            let object = self.object(&key, deadline).await?;
            Ok::<_, Error>((key, object))
        });
        let mut coming = coming.buffer_unordered(self.limits.concurrent_max);
        while let Some((key, object)) = coming.try_next().await? {
            let Some((etag, mut content)) = object else {
                index.objects.remove(&key);
                continue;
            };
            let append = move || Ok((io::copy(&mut content, &mut file)?, file));
            let size;
            (size, file) = spool::blocking("keeping what was downloaded", append)
                .await
                .map_err(disk)?;
            index.objects.insert(key.clone(), (etag, size));
            parts.push((key, offset, size));
            offset += size;
        }
        let (revision, objects) = (index.revision(), index.objects());
        if let Some(text) = index.ignore_file {
            parts.push((IGNORE_FILE.to_owned(), offset, text.len() as u64));
            let append = move || file.write_all(&text).map(|()| file);
            file = spool::blocking("keeping what was downloaded", append)
                .await
                .map_err(disk)?;
        }
        parts.sort();
        Ok(Downloaded {
            objects,
            revision,
            parts,
            file,
        })
    }

    /// An object with its etag, from its beginning; none where it vanished.
    async fn object(&self, key: &str, deadline: Instant) -> Result<Option<(String, SpooledTempFile)>, Error> {
        match self.try_object(key, deadline).await {
            Ok(object) => Ok(Some(object)),
            Err(Problem::Missing) => {
                let bucket = &self.name;
                tracing::info!("indexed object '{key}' disappeared from '{bucket}' bucket");
                Ok(None)
            }
            Err(Problem::Disk(error)) => Err(Error::Disk {
                bucket: self.name.clone(),
                cause: disk_refusal(&error),
            }),
            Err(problem) => Err(Error::Object {
                bucket: self.name.clone(),
                key: key.to_owned(),
                after: problem.retry_after(),
                cause: problem.to_string(),
            }),
        }
    }
}

impl Bucket {
    async fn try_object(&self, key: &str, deadline: Instant) -> Result<(String, SpooledTempFile), Problem> {
        let in_memory_max = self.limits.in_memory_max;
        let content = tempfile::spooled_tempfile_in(in_memory_max, &self.spool);
        let mut content = Spool::new(content, in_memory_max);
        let limit = self.limits.object_size_max;
        let etag = self.remote.get(key, limit, deadline, &mut content).await?;
        let mut content = content.finish().await.map_err(Problem::Disk)?;
        content.rewind().map_err(Problem::Disk)?;
        Ok((etag, content))
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
        let disk = |error: std::io::Error| StoreError::Disk(disk_refusal(&error));
        let mut draft = store.draft();
        let mut root = Folder::default();
        for (key, offset, size) in &self.parts {
            let mut content = Vec::with_capacity(usize::try_from(*size).unwrap_or_default());
            self.file.seek(SeekFrom::Start(*offset)).map_err(disk)?;
            (&self.file).take(*size).read_to_end(&mut content).map_err(disk)?;
            let file = folder::File {
                blob: draft.blob(&content)?,
                size: *size,
                is_executable: false,
            };
            root.add(&format!("/{key}"), file)
                .map_err(|at| StoreError::Clash(at.0.trim_start_matches('/').to_owned()))?;
        }
        let root = root.build(&mut draft)?;
        Ok(draft.commit(path, &self.revision, root)?)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        Addresses, BucketFetcher, Transport,
        bucket::{Access, BucketLimits, BucketRequest, S3Identity},
        credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds},
    };
    use sluice_testkit::storage::Storage;

    #[tokio::test]
    async fn of_an_object_no_more_is_held_than_allowed_whatever_the_list_says() {
        let (storage, spool) = (Storage::start(), tempfile::tempdir().unwrap());
        storage.put("shop", "a.yaml", "0123456789");
        let hour = Duration::from_secs(3600);
        let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
        let request = BucketRequest {
            name: "shop".to_owned(),
            access: Access::S3 {
                endpoint: storage.host(),
                region: None,
                is_plain: true,
                identity: S3Identity::Anonymous,
            },
            clouds: Clouds::new(environment, endpoints, 1, hour).unwrap(),
            prefix: None,
            ignore: None,
            transport: Transport::default(),
            timeout: hour,
        };
        for (in_memory_max, is_on_disk) in [(4, true), (100, false)] {
            let limits = BucketLimits {
                in_memory_max,
                ..BucketLimits::default()
            };
            let fetcher = BucketFetcher::new(spool.path(), limits, Addresses::any()).unwrap();
            let bucket = fetcher.bucket(&request).unwrap();
            let object = bucket.object("a.yaml", Instant::now() + hour).await.unwrap();
            let (_, mut content) = object.unwrap();
            assert_eq!(content.is_rolled(), is_on_disk);
            let mut text = String::new();
            content.read_to_string(&mut text).unwrap();
            assert_eq!(text, "0123456789");
            // the list says one byte
            let mut index = bucket.index().await.unwrap();
            index.objects.values_mut().for_each(|(_, size)| *size = 1);
            let downloaded = bucket.download(index).await.unwrap();
            assert_eq!(downloaded.parts, [("a.yaml".to_owned(), 0, 10)]);
        }
    }
}
