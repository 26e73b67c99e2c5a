//! Repositories of Helm charts that are an index and files over HTTP (compat/source.md 7.2, 8.3).
//!
//! ```text
//! HelmRequest ─▶ ChartRepository ─fetch─▶ FetchedIndex ─store─▶ Artifact: one JSON file
//! ```
//!
//! **Invariant:** an index is read chart by chart: what is held at once is one chart's versions and what is written.
//! **Invariant:** credentials stay with the repository's origin.

mod error;
mod index;
mod repository;

pub use error::Error;
pub use index::{Indexed, read as read_index};
pub use repository::{ChartRepository, FetchedIndex, HelmFetcher, HelmLimits, HelmRequest, Look};
