//! What a document may cost. Every bound has a name; none can be exceeded silently.

use std::fmt;

/// Bounds on one call of [`crate::parse_documents`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of input. Default 128 MiB: Kubernetes refuses objects far below it, Helm indexes reach 25 MB.
    pub bytes: usize,
    /// Nested collections. Default 500: real schemas stay below 80, and a recursive walk of this depth fits the stack of a guest.
    pub depth: usize,
    /// Nodes of all documents together, after aliases are expanded. Default 10 million: a 12 MB build has one million.
    pub nodes: usize,
    /// Bytes of text that expanded aliases add. Default 64 MiB.
    pub alias_bytes: usize,
    /// Documents in one stream. Default 100 000.
    pub documents: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 128 << 20,
            depth: 500,
            nodes: 10_000_000,
            alias_bytes: 64 << 20,
            documents: 100_000,
        }
    }
}

/// The name of a bound in [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`Limits::bytes`]
    Bytes,
    /// [`Limits::depth`]
    Depth,
    /// [`Limits::nodes`]
    Nodes,
    /// [`Limits::alias_bytes`]
    AliasBytes,
    /// [`Limits::documents`]
    Documents,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Depth => "depth",
            Self::Nodes => "nodes",
            Self::AliasBytes => "alias_bytes",
            Self::Documents => "documents",
        })
    }
}
