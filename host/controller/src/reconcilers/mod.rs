//! One file a kind; each reads as the floor plan.

pub mod gitrepository;
pub mod kustomization;
