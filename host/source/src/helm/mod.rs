//! Repositories of Helm charts, and charts (compat/source.md 7 and 8).
//!
//! ```text
//! HelmRequest ─▶ ChartRepository ─fetch─▶ FetchedIndex ─store─▶ Artifact: one JSON file ─Catalogs─▶ versions of a chart
//!                      └──download─▶ archive ─▶ chart: load, merge values, add subcharts, package
//! ```
//!
//! **Invariant:** an index is read chart by chart: what is held at once is one chart's versions.
//! **Invariant:** credentials stay with the repository's origin, unless the user says otherwise.
//! **Invariant:** equal charts are packaged into equal bytes.

mod catalog;
mod download;
mod error;
mod index;
mod repository;
mod version;

pub mod chart;

pub use catalog::{CatalogError, Catalogs};
pub use download::DownloadError;
pub use error::Error;
pub use index::{Indexed, read as read_index};
pub use repository::{ChartRepository, FetchedIndex, HelmFetcher, HelmLimits, HelmRequest, Look};
pub use version::{ChartVersion, is_exact, pick, pick_tag};
