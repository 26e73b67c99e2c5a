//! The API of a recent Kubernetes server: which resources it serves and the schema of each kind.
//!
//! Generated from the server's own OpenAPI and discovery documents; a group version is unpacked when it is first asked for.

mod embedded;
mod table;

pub use table::{Resource, Subresource, Table};

use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;
use std::sync::OnceLock;

/// The release that the tables were recorded from.
pub const KUBERNETES_VERSION: &str = embedded::VERSION;

struct Embedded {
    group_version: &'static str,
    table: &'static [u8],
    document: &'static [u8],
}

/// The group versions, in the server's order of preference: `v1`, `apps/v1` …
pub fn group_versions() -> impl Iterator<Item = &'static str> {
    embedded::TABLES.iter().map(|row| row.group_version)
}

/// The table of one group version, none if the server does not serve it.
pub fn table(group_version: &str) -> Option<&'static Table> {
    static PARSED: [OnceLock<Table>; embedded::TABLES.len()] =
        [const { OnceLock::new() }; embedded::TABLES.len()];
    let index = embedded::TABLES
        .iter()
        .position(|row| row.group_version == group_version)?;
    let (row, slot) = (embedded::TABLES.get(index)?, PARSED.get(index)?);
    Some(slot.get_or_init(|| Table::parse(&unpack(row.table))))
}

/// The resource whose objects have this `apiVersion` and `kind`.
pub fn resource_of(api_version: &str, kind: &str) -> Option<&'static Resource> {
    table(api_version)?
        .resources
        .iter()
        .find(|resource| resource.kind == kind)
}

/// The OpenAPI v3 document of one group version as the server gave it, gzip-compressed JSON.
pub fn openapi_document(group_version: &str) -> Option<&'static [u8]> {
    embedded::TABLES
        .iter()
        .find(|row| row.group_version == group_version)
        .map(|row| row.document)
}

/// The aggregated discovery documents: `{"api": …, "apis": …}`.
pub fn discovery() -> Value {
    unpack(embedded::DISCOVERY)
}

fn unpack(bytes: &[u8]) -> Value {
    let mut text = Vec::new();
    let read = GzDecoder::new(bytes).read_to_end(&mut text);
    let value = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
    value.expect("invariant: embedded tables are gzip-compressed JSON, written by codegen")
}
