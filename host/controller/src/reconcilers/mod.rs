//! One file a kind; each reads as the floor plan. What sources have in common is [`source`].

mod aside;
pub mod bucket;
pub mod gitrepository;
pub mod helmchart;
pub mod helmrepository;
pub mod kustomization;
pub mod ocirepository;
pub mod source;
mod tokens;
mod workload;
