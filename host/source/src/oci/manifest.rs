//! Manifests and indexes, as OCI's image-spec and Docker's registry write them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ContentDigest;

/// Media types of what registries hold.
pub mod media_type {
    /// An image manifest.
    pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    /// A list of manifests.
    pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
    /// Docker's list.
    pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
    /// The empty JSON object, where a manifest needs no config.
    pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
    /// The config of what `flux push artifact` pushes.
    pub const FLUX_CONFIG: &str = "application/vnd.cncf.flux.config.v1+json";
    /// The files of what `flux push artifact` pushes.
    pub const FLUX_CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";
    /// A Helm chart.
    pub const HELM_CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    /// The same in its first years.
    pub const HELM_CHART_LEGACY: &str = "application/tar+gzip";
}

/// What a manifest may be asked for as.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";

/// A reference from one content to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What it is.
    #[serde(default)]
    pub media_type: String,
    /// By what it is found.
    pub digest: ContentDigest,
    /// Its length in bytes.
    pub size: u64,
    /// What is said of it.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "or_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// The kind of artifact, in lists of referrers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// For which machines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

/// For which machines something is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// `linux`.
    #[serde(default)]
    pub os: String,
    /// `amd64`.
    #[serde(default)]
    pub architecture: String,
}

/// What an artifact is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// What this is.
    #[serde(default)]
    pub media_type: String,
    /// The kind of artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// What describes the layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<Descriptor>,
    /// The contents.
    #[serde(default, deserialize_with = "or_empty")]
    pub layers: Vec<Descriptor>,
    /// What this is about: a signature is about what it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// What is said of it.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        deserialize_with = "or_empty"
    )]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Index {
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// `null` is as good as nothing: Go writes it for empty lists.
fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// What a manifest's bytes are.
pub(crate) enum Parsed {
    Manifest(Box<Manifest>),
    Index(Index),
}

/// Reads a manifest or an index. What could be read as both is refused: others would see another artifact.
pub(crate) fn parse(bytes: &[u8], content_type: Option<&str>) -> Result<Parsed, String> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Shape {
        #[serde(default)]
        schema_version: u32,
        media_type: Option<String>,
        manifests: Option<serde::de::IgnoredAny>,
        layers: Option<serde::de::IgnoredAny>,
        config: Option<serde::de::IgnoredAny>,
    }
    let wrong = |error: serde_json::Error| error.to_string();
    let shape: Shape = serde_json::from_slice(bytes).map_err(wrong)?;
    if shape.schema_version != 2 {
        let version = shape.schema_version;
        return Err(format!("schema version {version} is not supported: it must be 2"));
    }
    if shape.manifests.is_some() && (shape.layers.is_some() || shape.config.is_some()) {
        return Err("it is both a manifest and an index".to_owned());
    }
    let content_type = content_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    let said = shape.media_type.as_deref().or(content_type).unwrap_or_default();
    let is_index = matches!(said, media_type::INDEX | media_type::DOCKER_LIST);
    if is_index != shape.manifests.is_some() && shape.media_type.is_some() {
        return Err(format!("it says that it is '{said}' and is not"));
    }
    match shape.manifests {
        Some(_) => serde_json::from_slice(bytes).map(Parsed::Index).map_err(wrong),
        None => serde_json::from_slice(bytes)
            .map(|manifest| Parsed::Manifest(Box::new(manifest)))
            .map_err(wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        let digest = ContentDigest::of(b"x");
        let layer = format!(r#"{{"mediaType":"m","digest":"{digest}","size":1}}"#);
        let error = |text: String| match parse(text.as_bytes(), None) {
            Ok(_) => "read".to_owned(),
            Err(error) => error,
        };
        assert_eq!(
            error(format!(r#"{{"schemaVersion":2,"layers":[{layer}]}}"#)),
            "read"
        );
        assert_eq!(
            error(format!(
                r#"{{"schemaVersion":2,"layers":null,"annotations":null,"config":{layer}}}"#
            )),
            "read"
        );
        assert_eq!(
            error(format!(
                r#"{{"schemaVersion":2,"layers":[{layer}],"manifests":[{layer}]}}"#
            )),
            "it is both a manifest and an index"
        );
        assert_eq!(
            error(format!(
                r#"{{"schemaVersion":2,"mediaType":"{}","manifests":[]}}"#,
                media_type::MANIFEST
            )),
            format!("it says that it is '{}' and is not", media_type::MANIFEST)
        );
        assert_eq!(
            error(r#"{"schemaVersion":1}"#.to_owned()),
            "schema version 1 is not supported: it must be 2"
        );
        let bad = error(r#"{"schemaVersion":2,"layers":[{"digest":"sha256:../../x","size":1}]}"#.to_owned());
        assert!(bad.starts_with("cannot parse digest 'sha256:../../x'"), "{bad}");
        assert!(error(r#"{"schemaVersion":2,"layers":[{"digest":"x","size":-1}]}"#.to_owned()).len() > 5);
        // depth costs nothing: what is not asked for is passed over without recursion
        for open in ["[", r#"{"a":"#, r#"{"layers":["#] {
            assert_ne!(error(open.repeat(100_000)), "read");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0usize..300) {
            let _any = parse(&bytes, None);
            let digest = ContentDigest::of(b"x");
            let whole = format!(r#"{{"schemaVersion":2,"layers":[{{"mediaType":"m","digest":"{digest}","size":1}}],"annotations":{{"a":"b"}}}}"#);
            let mut mutated = whole.into_bytes();
            mutated.truncate(cut);
            mutated.extend(&bytes);
            let _any = parse(&mutated, Some("application/json; charset=utf-8"));
        }
    }
}
