//! Charts: loading them from archives and from the files of a source, and packaging them (compat/source.md 8.4, 8.5).
//!
//! ```text
//! archive ─┐                       values files   subcharts
//!          ├─▶ load ─▶ Chart ─▶ overwrite_values ─▶ add ─▶ package ─▶ .tgz
//! tree ────┘
//! ```
//!
//! What templates mean is no matter here: a chart is files, and a few words about them.

mod build;
mod dependencies;
mod error;
mod ignore;
mod load;
mod metadata;
mod package;
mod path;
mod values;

pub use build::{Built, Local, Open, Recipe, Stored, from_archive, from_source};
pub use error::{BuildError, BuildReason};
pub use metadata::{Dependency, Metadata};
pub use path::normalize_url;

/// A chart with its subcharts, ready to be packaged.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// `Chart.yaml`.
    pub(super) metadata: Metadata,
    /// `Chart.lock`, or `requirements.lock` of charts of the first kind.
    lock: Option<metadata::Lock>,
    /// `values.yaml` as it is written.
    values: Option<Vec<u8>>,
    /// `values.schema.json` as it is written.
    schema: Option<Vec<u8>>,
    /// What lies below `templates/`.
    templates: Vec<File>,
    /// All other files.
    files: Vec<File>,
    /// The charts of `charts/`.
    subcharts: Vec<Chart>,
}

/// A file of a chart.
#[derive(Clone, Debug)]
struct File {
    /// Its path in the chart.
    name: String,
    data: Vec<u8>,
}

/// What a chart may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of an archive: `--helm-chart-max-size`.
    pub chart_size_max: u64,
    /// Bytes of one file of a directory, and of what is read of an archive that stays as it is:
    /// `--helm-chart-file-max-size`.
    pub file_size_max: u64,
}

/// Bytes of all files of a chart: as much as Helm takes.
const UNPACKED_SIZE_MAX: u64 = 100 << 20;
/// Bytes of one file of an archive: as much as Helm takes, whatever is allowed of a directory's files.
const ARCHIVED_FILE_SIZE_MAX: u64 = 5 << 20;
/// How many files a chart may hold. The largest of the public charts have 2 000.
const FILES_MAX: usize = 100_000;
/// How deep subcharts may nest. Umbrellas of umbrellas have four levels.
const LEVELS_MAX: usize = 32;

#[cfg(test)]
mod tests;
