//! Artifact to manifests through role plugins.
