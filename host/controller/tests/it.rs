//! Every suite of the controller in one program: linking it is what costs.

mod artifacts;
mod bucket;
mod bucket_azure;
mod decryption;
mod externalartifact;
mod gitrepository;
mod helmchart;
mod helmrepository;
mod kustomization;
mod malformed;
mod ocirepository;
mod older_versions;
mod patience;
mod refused;
mod said;
mod said_between;
mod said_charts;
mod said_sources;
mod shards;
mod signatures;
mod sources;
mod storage;
mod tenancy;
