//! Putting an artifact into a registry, in the format of `flux push artifact` (compat/source.md 6.8).

use std::collections::BTreeMap;

use bytes::Bytes;
use reqwest::{
    Method, StatusCode, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
};
use serde_json::json;

use super::{
    Cause, ContentDigest, Descriptor, Manifest, Repository,
    manifest::media_type,
    repository::{Question, Target},
    resolve::is_tag,
    session::Access,
};
use crate::http::is_same_origin;

/// What to push.
#[derive(Clone, Debug)]
pub struct Push {
    /// The layer.
    pub content: Bytes,
    /// What the layer is.
    pub media_type: String,
    /// Digest of the layer before it was compressed; its own where it is not.
    pub diff_id: ContentDigest,
    /// RFC 3339, of the config and the annotation.
    pub created: String,
    /// The annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

impl Repository {
    /// Pushes an artifact under a tag; answers with the digest of its manifest.
    pub async fn push(&self, tag: &str, push: &Push) -> Result<ContentDigest, Cause> {
        let layer = self.put_blob(push.content.clone(), &push.media_type).await?;
        let config = json!({
            "created": push.created, "architecture": "", "os": "", "config": {},
            "rootfs": { "type": "layers", "diff_ids": [push.diff_id.to_string()] },
        });
        let config = self
            .put_blob(config.to_string().into(), media_type::FLUX_CONFIG)
            .await?;
        let manifest = Manifest {
            schema_version: 2,
            media_type: media_type::MANIFEST.to_owned(),
            artifact_type: None,
            config: Some(config),
            layers: vec![layer],
            subject: None,
            annotations: push.annotations.clone(),
        };
        let bytes = serde_json::to_vec(&manifest).map_err(|error| Cause::Content(error.to_string()))?;
        self.put_manifest(tag, bytes.into(), media_type::MANIFEST).await
    }

    /// Gives an artifact one more tag.
    pub async fn tag(&self, reference: &str, tag: &str) -> Result<ContentDigest, Cause> {
        let question = Question::manifest(reference);
        let reply = self.get(&question).await?;
        let content_type = reply.header("content-type").map(str::to_owned);
        let limit = self.fetcher.shared.limits.manifest_size_max;
        let address = self.address()?;
        let bytes = reply.bytes("the manifest", limit, "manifest_size_max").await;
        let bytes = bytes.map_err(|failure| self.failed(&question.method, &address, failure))?;
        let content_type = content_type.unwrap_or_else(|| media_type::MANIFEST.to_owned());
        self.put_manifest(tag, bytes.into(), &content_type).await
    }

    async fn put_manifest(
        &self,
        tag: &str,
        bytes: Bytes,
        content_type: &str,
    ) -> Result<ContentDigest, Cause> {
        if !is_tag(tag) {
            return Err(Cause::Wish(format!("'{tag}' is no tag")));
        }
        let digest = ContentDigest::of(&bytes);
        let content_type = HeaderValue::from_str(content_type)
            .map_err(|_| Cause::Content("the media type cannot be sent".to_owned()))?;
        let question = Question {
            method: Method::PUT,
            target: Target::Path(format!("manifests/{tag}")),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
            body: Some(bytes),
            access: Access::Push,
        };
        self.get(&question).await?;
        Ok(digest)
    }

    /// Uploads a content, unless the registry has it.
    async fn put_blob(&self, content: Bytes, media_type: &str) -> Result<Descriptor, Cause> {
        let digest = ContentDigest::of(&content);
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            size: content.len() as u64,
            annotations: BTreeMap::new(),
            artifact_type: None,
            platform: None,
            digest: digest.clone(),
        };
        let mut look = Question::get(format!("blobs/{digest}"));
        look.method = Method::HEAD;
        look.access = Access::Push;
        if self.ask(&look).await?.status() == StatusCode::OK {
            return Ok(descriptor);
        }
        let start = Question {
            method: Method::POST,
            target: Target::Path("blobs/uploads/".to_owned()),
            headers: HeaderMap::new(),
            body: Some(Bytes::new()),
            access: Access::Push,
        };
        let started = self.get(&start).await?;
        let mut url = self.upload_url(started.header(LOCATION.as_str()))?;
        url.query_pairs_mut().append_pair("digest", &digest.to_string());
        let octets = HeaderValue::from_static("application/octet-stream");
        let finish = Question {
            method: Method::PUT,
            target: Target::Url(url),
            headers: HeaderMap::from_iter([(CONTENT_TYPE, octets)]),
            body: Some(content),
            access: Access::Push,
        };
        self.get(&finish).await?;
        Ok(descriptor)
    }

    /// Where an upload goes on: credentials and content go to the registry's own origin only (N24).
    fn upload_url(&self, location: Option<&str>) -> Result<Url, Cause> {
        let address = self.address()?;
        let url = location.and_then(|location| address.join(location).ok());
        let url =
            url.ok_or_else(|| Cause::Content("the registry does not say where to upload".to_owned()))?;
        if is_same_origin(&url, &address) {
            Ok(url)
        } else {
            let host = url.host_str().unwrap_or_default();
            Err(Cause::Content(format!(
                "the registry wants the upload sent to another server, '{host}'; refused"
            )))
        }
    }
}
