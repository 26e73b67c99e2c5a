//! Requests to registries, and what is pushed and pulled there.

use std::{sync::Arc, time::Duration};

use sluice_artifact::ArtifactPath;
use sluice_source::{
    Credentials, Transport,
    oci::{ContentDigest, Error, Layer, OciReference, OciRequest, Pulled, Push, Repository, media_type},
};
use sluice_testkit::registry::{Entry, gzip, tar};

pub fn request(url: &str) -> OciRequest {
    OciRequest {
        url: url.to_owned(),
        credentials: Arc::new(Credentials::None),
        transport: Transport::default(),
        insecure: false.into(),
        timeout: Duration::from_secs(30),
    }
}

/// One file `a.yaml`, as `sluice push artifact` makes it.
pub fn push(text: &str) -> Push {
    let files = tar(&[Entry::file("a.yaml", text)]);
    Push {
        content: gzip(&files).into(),
        media_type: media_type::FLUX_CONTENT.to_owned(),
        diff_id: ContentDigest::of(&files),
        created: "2026-01-01T00:00:00Z".to_owned(),
        annotations: [(
            "org.opencontainers.image.revision".to_owned(),
            "main@sha1:1".to_owned(),
        )]
        .into(),
    }
}

/// A layer of what is wanted, and where its artifact goes.
pub async fn pull(
    repository: &Repository,
    url: &str,
    wanted: &OciReference,
    layer: &Layer,
) -> Result<(Pulled, ArtifactPath), Error> {
    let resolved = repository.resolve(url, wanted, None, false).await?;
    let pulled = repository.pull(url, &resolved, layer).await?;
    let file = format!("{}.tar.gz", resolved.digest);
    let path = ArtifactPath::new("OCIRepository", "default", "app", &file).unwrap();
    Ok((pulled, path))
}
