//! `kustomize.toolkit.fluxcd.io`: the Kustomization.

mod effective;
mod kustomization;
mod spec;
mod status;

pub use kustomization::Kustomization;
pub use spec::{
    BuildMetadata, CommonMetadata, CustomHealthCheck, Decryption, DecryptionProvider, DeletionPolicy,
    DependencyReference, Fields, IgnoreRule, Image, Json6902Patch, KubeConfigReference, KustomizationSpec,
    Patch, PostBuild, Selector, SourceKind, SourceReference, SubstituteKind, SubstituteReference,
    SubstituteStrategy,
};
pub use status::{Inventory, KustomizationStatus, ResourceRef};
