//! Git: the protocol, the object store, trees.

pub(crate) mod conversation;
pub(crate) mod http;
pub(crate) mod local;
pub(crate) mod objects;
pub(crate) mod pack;
pub(crate) mod remote;
pub(crate) mod resolve;
pub(crate) mod signed;
pub(crate) mod ssh;
pub(crate) mod submodules;
pub(crate) mod tree;
