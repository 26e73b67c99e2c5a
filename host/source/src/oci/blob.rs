//! Contents by digest.

use std::io::{Read, Seek};

use tempfile::SpooledTempFile;

use super::{Cause, Descriptor, Repository, digest::Hasher, repository::Question};
use crate::{
    disk_refusal,
    http::Failure,
    spool::{self, Spool},
};

/// Contents up to this size are kept in memory while they arrive.
const IN_MEMORY_MAX: usize = 1 << 20;

impl Repository {
    /// A small content, as a whole: a config, a signature.
    pub(crate) async fn blob(&self, descriptor: &Descriptor, limit: u64) -> Result<Vec<u8>, Cause> {
        let file = self.spooled(descriptor, limit, "blob_size_max").await?;
        whole(file).await
    }

    /// A layer: on disk, unless it is small.
    pub(super) async fn layer(&self, descriptor: &Descriptor) -> Result<SpooledTempFile, Cause> {
        let limit = self.fetcher.shared.limits.layer_size_max;
        self.spooled(descriptor, limit, "layer_size_max").await
    }

    /// Writes a content to a file without a name while it is hashed. What has not its digest is never given out.
    async fn spooled(
        &self,
        descriptor: &Descriptor,
        limit: u64,
        knob: &'static str,
    ) -> Result<SpooledTempFile, Cause> {
        let limits = self.fetcher.shared.limits;
        let question = Question::get(format!("blobs/{}", descriptor.digest));
        let failed = |failure| match self.address() {
            Ok(address) => {
                let path = format!("/v2/{}/blobs/{}", self.name().repository(), descriptor.digest);
                let url = address.join(&path).unwrap_or(address);
                self.failed(&question.method, &url, failure)
            }
            Err(cause) => cause,
        };
        if descriptor.size > limit {
            let what = "the layer";
            return Err(failed(Failure::TooLarge { what, limit, knob }));
        }
        let mut reply = self.get(&question).await?;
        let patience = std::time::Duration::from_secs(descriptor.size / limits.slowest_rate.max(1));
        reply.extend(self.timeout() + patience);
        let disk = |error: std::io::Error| Cause::Disk(disk_refusal(&error));
        let file = tempfile::spooled_tempfile_in(IN_MEMORY_MAX, &self.fetcher.shared.spool);
        let mut spool = Spool::new(file, IN_MEMORY_MAX);
        let mut hasher = Hasher::new(descriptor.digest.algorithm());
        let mut size = 0u64;
        while let Some(chunk) = reply.chunk().await.map_err(failed)? {
            size += chunk.len() as u64;
            if size > descriptor.size {
                break;
            }
            hasher.update(&chunk);
            spool.write(&chunk).await.map_err(disk)?;
        }
        let found = hasher.finish();
        if size != descriptor.size || found != descriptor.digest {
            let (wanted, expected) = (descriptor.size, &descriptor.digest);
            return Err(Cause::Content(if size == wanted {
                format!(
                    "error verifying sha256 checksum after reading {size} bytes; got \"{found}\", want \"{expected}\""
                )
            } else {
                let than = if size > wanted { "more" } else { "fewer" };
                format!(
                    "error verifying size; the registry sent {than} bytes than the {wanted} of \"{expected}\""
                )
            }));
        }
        let mut file = spool.finish().await.map_err(disk)?;
        file.rewind().map_err(disk)?;
        Ok(file)
    }
}

/// All of a content that may be on disk.
pub(super) async fn whole(mut file: SpooledTempFile) -> Result<Vec<u8>, Cause> {
    let read = move || {
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        Ok(content)
    };
    let read = spool::blocking("reading what was downloaded", read).await;
    read.map_err(|error| Cause::Disk(disk_refusal(&error)))
}
