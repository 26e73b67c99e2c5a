//! Every suite of the sources in one program: linking it is what costs.

mod archive;
mod cloud;
mod git;
mod git_packs;
mod git_references;
mod git_signatures;
mod git_ssh;
mod git_stores;
mod git_submodules;
mod github_app;
mod guarded;
mod interop;
mod oci;
mod proxy;
mod support;
mod verify;
