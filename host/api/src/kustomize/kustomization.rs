use super::{KustomizationSpec, KustomizationStatus};
use crate::kind::custom_resource;
use crate::meta::KUSTOMIZE_GROUP;

custom_resource! {
    /// One directory of a source, rendered and applied to a cluster, and kept as it is in the source.
    Kustomization, KustomizationSpec, KustomizationStatus, KUSTOMIZE_GROUP, "v1", "Kustomization", "kustomizations"
}
