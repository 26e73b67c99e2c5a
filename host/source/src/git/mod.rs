//! Git: the protocol, the object store, trees.

pub(crate) mod http;
pub(crate) mod local;
pub(crate) mod objects;
pub(crate) mod remote;
pub(crate) mod resolve;
pub(crate) mod tree;
