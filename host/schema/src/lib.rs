//! Compiled tables of the built-in Kubernetes kinds.
