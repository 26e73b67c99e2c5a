//! Charts: what their files say, and which of their subcharts take part.

mod archive;
mod dependencies;
mod ignore;
mod load;
mod metadata;
mod version;

use std::rc::Rc;

pub use archive::{ARCHIVE_BYTES_MAX, unpack};
pub use dependencies::process_dependencies;
pub use ignore::{Rules, matches};
use load::Unreadable;
pub use load::{Entry, Tree, load_archive, load_tree};
pub(crate) use metadata::scalar_text;
pub use metadata::{Dependency, ImportValues, Maintainer, Metadata};
pub(crate) use version::is_compatible;

use crate::{Error, Str, values::Table};

/// A chart with its subcharts. Clones share the contents of the files.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// `Chart.yaml`.
    pub metadata: Metadata,
    /// What lies below `templates/`, in the order of the directory.
    pub templates: Rc<Vec<File>>,
    /// All other files but values, schema and subcharts, in the order of the directory.
    pub files: Rc<Vec<File>>,
    /// `values.yaml`.
    pub values: Table,
    /// `values.schema.json`.
    pub schema: Option<Str>,
    /// The subcharts: those that `Chart.yaml` does not name first, then the others in its order.
    pub dependencies: Vec<Chart>,
    /// The path that its subcharts take for its own, where it is a copy: that of the chart it was copied from.
    pub former_path: Option<Rc<str>>,
    /// Whether one of its files could not be read.
    pub(crate) unreadable: Unreadable,
}

/// A file of a chart.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path in the chart: `templates/deployment.yaml`.
    pub name: Rc<str>,
    /// Its bytes, without a byte order mark.
    pub data: Str,
}

impl Chart {
    /// Its name, or the alias under which its parent knows it.
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Whether it only lends its definitions to others.
    pub fn is_library(&self) -> bool {
        self.metadata.chart_type.eq_ignore_ascii_case("library")
    }

    /// Whether it may be installed by itself.
    ///
    /// # Errors
    /// It is a library, or of a type that nobody knows.
    pub fn check_installable(&self) -> Result<(), Error> {
        match self.metadata.chart_type.as_str() {
            "" | "application" => Ok(()),
            other => Err(Error::new(format!("{other} charts are not installable"))),
        }
    }

    /// Whether every dependency that `Chart.yaml` names is there.
    ///
    /// # Errors
    /// Names those that are not.
    pub fn check_dependencies(&self) -> Result<(), Error> {
        let is_there = |dependency: &&Dependency| {
            self.dependencies
                .iter()
                .any(|chart| chart.name() == dependency.name)
        };
        let missing: Vec<&str> = self
            .metadata
            .dependencies
            .iter()
            .filter(|dependency| !is_there(dependency))
            .map(|dependency| dependency.name.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::new(format!(
            "an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}",
            missing.join(", ")
        )))
    }

    /// The path of a subchart of this chart, which itself lies at `path`.
    pub(crate) fn path_of(&self, subchart: &Self, path: &str) -> String {
        let above = self.former_path.as_deref().unwrap_or(path);
        format!("{above}/charts/{}", subchart.name())
    }

    /// The files of `crds/` with their full paths, this chart's first, then those of its subcharts.
    pub fn crds(&self) -> Vec<(String, &File)> {
        let mut crds = Vec::new();
        self.collect_crds(self.name(), &mut crds);
        crds
    }

    fn collect_crds<'a>(&'a self, path: &str, crds: &mut Vec<(String, &'a File)>) {
        let is_manifest = |name: &str| {
            name.rsplit_once('.').is_some_and(|(_, ending)| {
                ["yaml", "yml", "json"]
                    .iter()
                    .any(|e| ending.eq_ignore_ascii_case(e))
            })
        };
        let mine = self
            .files
            .iter()
            .filter(|file| file.name.starts_with("crds/") && is_manifest(&file.name));
        crds.extend(mine.map(|file| (format!("{path}/{}", file.name), file)));
        for chart in &self.dependencies {
            chart.collect_crds(&self.path_of(chart, path), crds);
        }
    }
}
