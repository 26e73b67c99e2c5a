//! What refers to an artifact: signatures (the distribution spec's referrers, its fallback by tag, cosign's tags).

use super::{
    Cause, ContentDigest, Descriptor, Repository,
    manifest::{self, Parsed, media_type},
    repository::Question,
};
use crate::http::Failure;

impl Repository {
    /// How many signatures of one artifact are looked at.
    pub(crate) fn signatures_max(&self) -> usize {
        self.fetcher.shared.limits.signatures_max
    }

    /// The bytes of a manifest.
    pub(crate) async fn manifest_of(&self, digest: &ContentDigest) -> Result<Vec<u8>, Cause> {
        let (bytes, _, _) = self.manifest_bytes(&digest.to_string(), Some(digest)).await?;
        Ok(bytes)
    }

    /// What the registry says that a manifest is, and its length: what signers of it sign beside its digest.
    pub(crate) async fn media_type_and_size(&self, digest: &ContentDigest) -> Result<(String, u64), Cause> {
        let (bytes, content_type, _) = self.manifest_answer(&digest.to_string(), Some(digest)).await?;
        let media_type = content_type.as_deref().and_then(|said| said.split(';').next());
        let media_type = media_type.unwrap_or_default().trim().to_ascii_lowercase();
        Ok((media_type, bytes.len() as u64))
    }

    /// The manifests that refer to `subject` as this type of artifact.
    pub(crate) async fn referrers(
        &self,
        subject: &ContentDigest,
        artifact_type: &str,
    ) -> Result<Vec<Descriptor>, Cause> {
        let encoded: String = url::form_urlencoded::byte_serialize(artifact_type.as_bytes()).collect();
        let question = Question::get(format!("referrers/{subject}?artifactType={encoded}"));
        let listed = match self.get(&question).await {
            Ok(reply) => {
                let limits = self.fetcher.shared.limits;
                let address = self.address()?;
                let body = reply.bytes(
                    "the list of referrers",
                    limits.manifest_size_max,
                    "manifest_size_max",
                );
                let body = body
                    .await
                    .map_err(|failure| self.failed(&question.method, &address, failure))?;
                manifest::parse(&body, None).ok()
            }
            Err(cause) if is_absent(&cause) => None,
            Err(cause) => return Err(cause),
        };
        let listed = match listed {
            Some(parsed) => Some(parsed),
            // registries that know no referrers: an index under a tag made of the digest
            None => {
                let tag = format!("{}-{}", subject.algorithm().as_str(), subject.hex());
                match self.manifest_bytes(&tag, None).await {
                    Ok((_, parsed, _)) => Some(parsed),
                    Err(cause) if is_absent(&cause) => None,
                    Err(cause) => return Err(cause),
                }
            }
        };
        let Some(Parsed::Index(index)) = listed else {
            return Ok(Vec::new());
        };
        let mut found = Vec::new();
        let mut looked_at = 0;
        for descriptor in index.manifests {
            let is_wanted = match descriptor.artifact_type.as_deref() {
                Some(said) if said != media_type::EMPTY => said == artifact_type,
                // an index by tag is kept by clients, and some write the type of the config there
                _ if looked_at < self.signatures_max() => {
                    looked_at += 1;
                    self.is_of_type(&descriptor.digest, artifact_type).await?
                }
                _ => false,
            };
            if is_wanted {
                found.push(descriptor);
            }
        }
        Ok(found)
    }

    /// Whether a manifest says itself that it is of this type; one that is gone does not.
    async fn is_of_type(&self, digest: &ContentDigest, artifact_type: &str) -> Result<bool, Cause> {
        match self.manifest_bytes(&digest.to_string(), Some(digest)).await {
            Ok((_, Parsed::Manifest(manifest), _)) => {
                Ok(manifest.artifact_type.as_deref() == Some(artifact_type))
            }
            Ok(_) => Ok(false),
            Err(cause) if is_absent(&cause) => Ok(false),
            Err(cause) => Err(cause),
        }
    }

    /// The layers of a manifest that are of one of these media types, with their contents: `max` of them at most.
    pub(crate) async fn contents(
        &self,
        digest: &ContentDigest,
        media_types: &[&str],
        max: usize,
    ) -> Result<Vec<(Descriptor, Vec<u8>)>, Cause> {
        let (_, parsed, _) = self.manifest_bytes(&digest.to_string(), Some(digest)).await?;
        self.layers_of(parsed, media_types, max).await
    }

    /// The same for a tag; nothing where there is no such tag.
    pub(crate) async fn contents_of_tag(
        &self,
        tag: &str,
        media_type: &str,
        max: usize,
    ) -> Result<Vec<(Descriptor, Vec<u8>)>, Cause> {
        match self.manifest_bytes(tag, None).await {
            Ok((_, parsed, _)) => self.layers_of(parsed, &[media_type], max).await,
            Err(cause) if is_absent(&cause) => Ok(Vec::new()),
            Err(cause) => Err(cause),
        }
    }

    async fn layers_of(
        &self,
        parsed: Parsed,
        media_types: &[&str],
        max: usize,
    ) -> Result<Vec<(Descriptor, Vec<u8>)>, Cause> {
        let Parsed::Manifest(manifest) = parsed else {
            return Ok(Vec::new());
        };
        let mut contents = Vec::new();
        let wanted = manifest
            .layers
            .into_iter()
            .filter(|layer| media_types.contains(&layer.media_type.as_str()));
        // all together are held to what one may have
        let mut left = self.fetcher.shared.limits.blob_size_max;
        for layer in wanted.take(max) {
            let content = self.blob(&layer, left).await?;
            left = left.saturating_sub(content.len() as u64);
            contents.push((layer, content));
        }
        Ok(contents)
    }
}

fn is_absent(cause: &Cause) -> bool {
    matches!(cause.failure(), Some(Failure::NotFound | Failure::Gone))
}
