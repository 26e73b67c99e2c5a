//! Subcharts that a chart names and does not bring along (compat/source.md 8.5).

use sluice_artifact::Tree;
use sluice_semver::{Range, Version};

use super::{
    Chart, Limits,
    load::{self, is_file},
    metadata::Dependency,
    path::join,
};
use crate::git::ssh::percent_decode;

impl Chart {
    /// Those that are named and not there; the lock counts where there is one. As in Flux nothing is missing where there are
    /// as many charts as names.
    pub(super) fn missing(&self) -> Vec<Dependency> {
        let wanted = match &self.lock {
            Some(lock) => lock.dependencies(),
            None => self.metadata.dependencies(),
        };
        if wanted.len() == self.subcharts.len() {
            return Vec::new();
        }
        let is_missing = |wanted: &Dependency| {
            let mut charts = self.subcharts.iter();
            charts.all(|chart| chart.metadata.name() != wanted.known_as())
        };
        let missing = wanted.into_iter().filter(is_missing);
        // a lock knows no aliases: what it names twice is one chart, the one that it names last
        let mut named: Vec<Dependency> = Vec::new();
        for dependency in missing {
            named.retain(|other| other.known_as() != dependency.known_as());
            named.push(dependency);
        }
        named
    }

    /// Adds a subchart under the name by which its parent knows it.
    pub(super) fn add(&mut self, mut subchart: Chart, dependency: &Dependency) {
        if !dependency.alias.is_empty() {
            subchart.metadata.set("name", &dependency.alias);
        }
        self.subcharts.push(subchart);
    }
}

/// Whether a subchart lies in the same source.
pub(super) fn is_local(dependency: &Dependency) -> bool {
    dependency.repository.is_empty() || dependency.repository.starts_with("file://")
}

/// What of a `file://` address is a path: all of it, for Flux takes the host for its first part.
fn address_path(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    percent_decode(address)
}

/// The chart of a local dependency of the chart at `path`. No path leads out of the source.
pub(super) fn local(
    tree: &dyn Tree,
    path: &str,
    dependency: &Dependency,
    limits: Limits,
) -> Result<Chart, String> {
    let Dependency {
        name,
        version,
        repository,
        ..
    } = dependency;
    let at = match repository.strip_prefix("file://") {
        None => join(path, &format!("charts/{name}")),
        Some(address) => join(path, &address_path(address)),
    };
    if !is_file(tree, &at) && tree.read_dir(&at).is_err() {
        return Err(format!("no chart found at '{at}' (reference '{repository}')"));
    }
    let range = Range::parse(version)
        .map_err(|error| format!("invalid version/constraint format '{version}': {error}"))?;
    let chart = load::source(tree, &at, limits)
        .map_err(|error| format!("failed to load chart from '{at}' (reference '{repository}'): {error}"))?;
    let found = Version::parse(chart.metadata.version()).map_err(|error| error.to_string())?;
    if !range.contains(&found) {
        return Err(format!("can't get a valid version for constraint '{version}'"));
    }
    Ok(chart)
}
