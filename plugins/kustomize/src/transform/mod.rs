//! What changes objects: one file a transformer.

pub(crate) mod images;
pub(crate) mod json6902;
pub(crate) mod labels;
pub(crate) mod merge;
pub(crate) mod namespace;
pub(crate) mod patches;
mod place;
pub(crate) mod prefix_suffix;
pub(crate) mod replacements;
pub(crate) mod replicas;
pub(crate) mod values;

pub(crate) use self::place::Place;
use crate::{build::Session, error::Result, objects::Objects};

/// A configured transformer, from a field of the kustomization or from a `transformers:` entry.
#[derive(Clone, Debug)]
pub(crate) enum Transformer {
    StrategicMerge(patches::StrategicMerge),
    Patch(Box<patches::PatchTransformer>),
    Json6902(Box<patches::Json6902Transformer>),
    Namespace(namespace::NamespaceTransformer),
    Prefix(prefix_suffix::Affix),
    Suffix(prefix_suffix::Affix),
    Labels(labels::PairsTransformer),
    Annotations(labels::PairsTransformer),
    Replicas(replicas::ReplicaTransformer),
    Image(images::ImageTransformer),
    Replacements(replacements::ReplacementTransformer),
    Values(values::ValueAddTransformer),
    Hash,
    Several(Vec<Transformer>),
}

impl Transformer {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        match self {
            Self::StrategicMerge(t) => t.apply(objects, session),
            Self::Patch(t) => t.apply(objects, session),
            Self::Json6902(t) => t.apply(objects, session),
            Self::Namespace(t) => t.apply(objects, session),
            Self::Prefix(t) | Self::Suffix(t) => t.apply(objects, session),
            Self::Labels(t) | Self::Annotations(t) => t.apply(objects, session),
            Self::Replicas(t) => t.apply(objects, session),
            Self::Image(t) => t.apply(objects, session),
            Self::Replacements(t) => t.apply(objects, session),
            Self::Values(t) => t.apply(objects, session),
            Self::Hash => crate::hash::add_hashes(objects, session),
            Self::Several(list) => list.iter().try_for_each(|t| t.apply(objects, session)),
        }
    }
}
