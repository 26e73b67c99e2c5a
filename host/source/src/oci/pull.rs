//! Bringing what was resolved: the manifest, then the one layer that is wanted (compat/source.md 6.4, 6.5).

use super::{
    Cause, ContentDigest, Descriptor, Error, Layer, Manifest, Pulled, Repository, Resolved, blob,
    manifest::{self, Index, Parsed, media_type},
};

impl Repository {
    /// Brings the layer that `layer` selects, checked against its digest.
    pub async fn pull(&self, url: &str, resolved: &Resolved, layer: &Layer) -> Result<Pulled, Error> {
        let failed = |cause: Cause| match cause {
            Cause::Manifest(problem) => Error::Manifest(problem),
            cause => Error::Pull {
                url: url.to_owned(),
                cause,
            },
        };
        let manifest = self.image(resolved).await.map_err(failed)?;
        let descriptor = match &layer.media_type {
            None => manifest
                .layers
                .first()
                .ok_or("no layers found in artifact".to_owned()),
            Some(wanted) => {
                let mut layers = manifest.layers.iter();
                layers
                    .find(|layer| layer.media_type == *wanted)
                    .ok_or_else(|| format!("failed to find layer with media type '{wanted}' in artifact"))
            }
        };
        let descriptor = descriptor.map_err(|text| match manifest.layers.is_empty() {
            true => Error::Layer("no layers found in artifact".to_owned()),
            false => Error::Layer(text),
        })?;
        let content = self.layer(descriptor).await.map_err(Error::Blob)?;
        Ok(Pulled {
            revision: resolved.revision.clone(),
            annotations: manifest.annotations,
            digest: descriptor.digest.clone(),
            content,
            ignore_time_max: self.timeout(),
        })
    }

    /// Brings the archive of a Helm chart, of at most `size_max` bytes.
    pub async fn pull_chart(&self, resolved: &Resolved, size_max: u64) -> Result<Vec<u8>, Cause> {
        let manifest = self.image(resolved).await?;
        let is_chart = |layer: &&Descriptor| {
            [media_type::HELM_CHART, media_type::HELM_CHART_LEGACY].contains(&layer.media_type.as_str())
        };
        let descriptor = manifest.layers.iter().find(is_chart).ok_or_else(|| {
            let wanted = media_type::HELM_CHART;
            Cause::Content(format!(
                "manifest does not contain a layer with mediatype {wanted}"
            ))
        })?;
        if descriptor.size > size_max {
            return Err(Cause::Content(format!(
                "size of chart '{}' exceeds '{size_max}' bytes limit (--helm-chart-max-size)",
                resolved.reference
            )));
        }
        blob::whole(self.layer(descriptor).await?).await
    }

    /// The digest of a tag, and what is said of it.
    pub async fn describe(
        &self,
        tag: &str,
    ) -> Result<(ContentDigest, std::collections::BTreeMap<String, String>), Cause> {
        let (_, parsed, digest) = self.manifest_bytes(tag, None).await?;
        let annotations = match parsed {
            Parsed::Manifest(manifest) => manifest.annotations,
            Parsed::Index(_) => std::collections::BTreeMap::new(),
        };
        Ok((digest, annotations))
    }

    /// What the manifest or index says of itself that has the digest; it stays for [`Repository::pull`].
    pub(crate) async fn annotations(
        &self,
        resolved: &mut Resolved,
    ) -> Result<std::collections::BTreeMap<String, String>, Cause> {
        if resolved.manifest.is_none() {
            let digest = &resolved.digest;
            let (bytes, ..) = self.manifest_bytes(&digest.to_string(), Some(digest)).await?;
            resolved.manifest = Some((bytes, None));
        }
        Ok(match self.top(resolved).await? {
            Parsed::Manifest(manifest) => manifest.annotations,
            Parsed::Index(index) => index.annotations,
        })
    }

    /// What has the digest.
    async fn top(&self, resolved: &Resolved) -> Result<Parsed, Cause> {
        match &resolved.manifest {
            Some((bytes, content_type)) => manifest::parse(bytes, content_type.as_deref())
                .map_err(|problem| Cause::Manifest(format!("{}: {problem}", resolved.digest))),
            None => self.parsed(&resolved.digest).await,
        }
    }

    /// The manifest of an image; of an index, that of its image for linux/amd64.
    async fn image(&self, resolved: &Resolved) -> Result<Manifest, Cause> {
        let index = match self.top(resolved).await? {
            Parsed::Manifest(manifest) => return Ok(*manifest),
            Parsed::Index(index) => index,
        };
        let child = for_our_platform(&index).ok_or_else(|| {
            Cause::Content(format!(
                "no child with platform linux/amd64 in index {}",
                resolved.reference
            ))
        })?;
        match self.parsed(&child).await? {
            Parsed::Manifest(manifest) => Ok(*manifest),
            Parsed::Index(_) => Err(Cause::Content(format!(
                "index {child} within index {}",
                resolved.reference
            ))),
        }
    }

    async fn parsed(&self, digest: &ContentDigest) -> Result<Parsed, Cause> {
        let (_, parsed, _) = self.manifest_bytes(&digest.to_string(), Some(digest)).await?;
        Ok(parsed)
    }
}

/// What says nothing of platforms counts as linux/amd64, as it does for Flux's library.
fn for_our_platform(index: &Index) -> Option<ContentDigest> {
    let is_ours = |os: &str, architecture: &str| os == "linux" && architecture == "amd64";
    let mut manifests = index.manifests.iter();
    let found = manifests.find(|manifest| {
        let platform = manifest.platform.as_ref();
        platform.is_none_or(|platform| is_ours(&platform.os, &platform.architecture))
    });
    Some(found?.digest.clone())
}
