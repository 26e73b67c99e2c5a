//! From what was found to what becomes the artifact: Flux's two builders (compat/source.md 8.3 to 8.6).

use sluice_artifact::Tree;
use sluice_semver::Version;

use super::{
    BuildError, BuildReason, Chart, Dependency, Limits, Metadata, dependencies,
    load::{self, is_file},
    path::{clean, join},
    values::{self, Missing},
};

/// What the user wants of a chart beside itself.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// `spec.valuesFiles`.
    pub values_files: Vec<String>,
    /// `spec.ignoreMissingValuesFiles`.
    pub ignore_missing: bool,
    /// What the version gets as build metadata, of the source's revision.
    pub revision: Option<String>,
    /// The generation of the object: it enters the version where values files are merged.
    pub generation: i64,
    /// The version by which a chart was found whose signature is good: then it must not say that it is an older one.
    pub signed_as: Option<String>,
    /// The artifact that is there, if it will do where name and version are the same.
    pub stored: Option<Stored>,
}

/// A chart that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Of the chart.
    pub name: String,
    /// With metadata.
    pub version: String,
    /// The values files that were merged into it, where that is known.
    pub values_files: Vec<String>,
}

/// A chart that can become the artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Of the chart.
    pub name: String,
    /// With metadata: the revision of the artifact.
    pub version: String,
    /// The values files that were merged.
    pub values_files: Vec<String>,
    /// Whether it was packaged here, or is as it came.
    pub is_packaged: bool,
    /// How many subcharts were found for it.
    pub resolved_dependencies: usize,
    /// The archive; none where what is stored will do.
    pub archive: Option<Vec<u8>>,
}

impl Built {
    /// `packaged 'shop' chart with version '1.0.0+2' and merged values files [a.yaml b.yaml]`.
    pub fn summary(&self) -> String {
        let action = if self.is_packaged { "packaged" } else { "pulled" };
        let values = match self.values_files.as_slice() {
            [] => String::new(),
            files => format!(" and merged values files [{}]", files.join(" ")),
        };
        format!(
            "{action} '{}' chart with version '{}'{values}",
            self.name, self.version
        )
    }
}

impl Recipe {
    /// The values files, where they ask for anything.
    fn merges(&self) -> &[String] {
        match values::asks_for_merge(&self.values_files) {
            true => &self.values_files,
            false => &[],
        }
    }

    /// What the version gets as build metadata.
    fn metadata(&self) -> Option<String> {
        let generation = (!self.merges().is_empty()).then(|| self.generation.to_string());
        match (&self.revision, generation) {
            (Some(revision), Some(generation)) => Some(format!("{revision}.{generation}")),
            (revision, generation) => revision.clone().or(generation),
        }
    }

    /// The version of the artifact.
    ///
    /// # Errors
    /// [`BuildReason::MetadataPatch`].
    fn version(&self, version: &str) -> Result<String, BuildError> {
        let Some(metadata) = self.metadata() else {
            return Ok(version.to_owned());
        };
        let parsed = Version::parse(version).map_err(|error| {
            BuildReason::MetadataPatch.because(format!(
                "failed to parse version from chart metadata as SemVer: {error}"
            ))
        })?;
        let is_part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        if !metadata.split('.').all(is_part) {
            let text = "failed to set SemVer metadata on chart version: invalid metadata string";
            return Err(BuildReason::MetadataPatch.because(text));
        }
        let prerelease = match parsed.prerelease() {
            "" => String::new(),
            prerelease => format!("-{prerelease}"),
        };
        let (major, minor, patch) = (parsed.major(), parsed.minor(), parsed.patch());
        Ok(format!("{major}.{minor}.{patch}{prerelease}+{metadata}"))
    }

    /// Whether a signed chart is no older than the version it was found by (N29).
    fn check_signed(&self, metadata: &Metadata) -> Result<(), BuildError> {
        let Some(wanted) = &self.signed_as else {
            return Ok(());
        };
        crate::verify::check_version(wanted, metadata.version())
            .map_err(|problem| BuildReason::Verification.because(problem))
    }

    /// What is stored, where it is the chart of this name and version.
    fn reuse(&self, name: &str, version: &str, is_packaged: bool) -> Option<Built> {
        let stored = self.stored.as_ref()?;
        let values_files = match stored.values_files.as_slice() {
            [] => self.merges().to_vec(),
            files => files.to_vec(),
        };
        (stored.name == name && stored.version == version).then(|| Built {
            name: name.to_owned(),
            version: version.to_owned(),
            values_files,
            is_packaged,
            resolved_dependencies: 0,
            archive: None,
        })
    }

    /// What a chart of a repository would be, before it is brought: what is stored, or its version.
    ///
    /// # Errors
    /// [`BuildReason::MetadataPatch`].
    pub fn look(&self, name: &str, version: &str) -> Result<Result<Built, String>, BuildError> {
        let version = self.version(version)?;
        Ok(self
            .reuse(name, &version, self.metadata().is_some())
            .ok_or(version))
    }
}

/// A chart of a repository, which came as `archive`; `version` is that of [`Recipe::look`].
///
/// # Errors
/// [`BuildReason::Pull`] where it is none, [`BuildReason::Verification`], [`BuildReason::Package`], [`BuildReason::ValuesFiles`].
pub fn from_archive(
    archive: Vec<u8>,
    (name, version): (&str, String),
    recipe: &Recipe,
    limits: Limits,
) -> Result<Built, BuildError> {
    let mut built = Built {
        name: name.to_owned(),
        version,
        values_files: Vec::new(),
        is_packaged: recipe.metadata().is_some(),
        resolved_dependencies: 0,
        archive: None,
    };
    if !built.is_packaged {
        let pull = |text: String| BuildReason::Pull.because(text);
        let mut metadata = load::archive_metadata(&archive, limits).map_err(|error| {
            pull(format!(
                "failed to load chart metadata from written chart: {error}"
            ))
        })?;
        metadata
            .validate()
            .map_err(|error| pull(format!("failed to validate metadata of written chart: {error}")))?;
        recipe.check_signed(&metadata)?;
        built.archive = Some(archive);
        return Ok(built);
    }
    let mut chart = load::archive(&archive)
        .map_err(|error| BuildReason::Package.because(format!("failed to load downloaded chart: {error}")))?;
    drop(archive);
    recipe.check_signed(&chart.metadata)?;
    chart.metadata.set("version", &built.version);
    let merged = chart
        .merge_own(recipe.merges(), recipe.ignore_missing)
        .map_err(|error| {
            BuildReason::ValuesFiles.because(format!("failed to merge chart values: {error}"))
        })?;
    let overwritten = chart.overwrite_values(merged.values);
    if overwritten.map_err(|error| BuildReason::ValuesFiles.because(error))? {
        built.values_files = merged.files;
    }
    let archive = chart
        .package()
        .map_err(|error| BuildReason::Package.because(error))?;
    built.archive = Some(archive);
    Ok(built)
}

/// A chart of a source's files, on its way.
pub enum Local {
    /// It is whole.
    Built(Built),
    /// Subcharts of repositories are missing.
    Open(Box<Open>),
}

/// A chart of a source's files whose subcharts of repositories are still to be brought.
pub struct Open {
    chart: Chart,
    built: Built,
    /// What to bring, as the chart names it.
    pub wanted: Vec<Dependency>,
}

/// The chart at `spec.chart` of a source's files.
///
/// # Errors
/// See [`BuildReason`].
pub fn from_source(
    tree: &dyn Tree,
    chart: &str,
    recipe: &Recipe,
    limits: Limits,
) -> Result<Local, BuildError> {
    let reference = |error: String| BuildReason::Reference.because(error);
    match chart {
        "" => return Err(reference("no path set for local chart reference".to_owned())),
        chart if chart.starts_with('/') => {
            let text = "local chart reference path is expected to be relative";
            return Err(reference(text.to_owned()));
        }
        _ => {}
    }
    let path = join("/", chart);
    let mut metadata = load::source_metadata(tree, &path, limits).map_err(reference)?;
    metadata.validate().map_err(reference)?;
    let version = recipe.version(metadata.version())?;
    let is_directory = !is_file(tree, &path);
    let is_packaged = is_directory || recipe.metadata().is_some();
    if let Some(built) = recipe.reuse(metadata.name(), &version, is_packaged) {
        return Ok(Local::Built(built));
    }
    let mut built = Built {
        name: metadata.name().to_owned(),
        version,
        values_files: Vec::new(),
        is_packaged,
        resolved_dependencies: 0,
        archive: None,
    };
    if !is_packaged {
        let archive = load::read_archive(tree, &path, limits);
        built.archive = Some(archive.map_err(|error| BuildReason::Pull.because(error))?);
        return Ok(Local::Built(built));
    }
    let merged = merge_source(tree, recipe).map_err(|error| BuildReason::ValuesFiles.because(error))?;
    let package = |error: String| BuildReason::Package.because(error);
    let mut chart = load::source(tree, &path, limits).map_err(package)?;
    chart.metadata.set("version", &built.version);
    if let Some(merged) = merged {
        let overwritten = chart.overwrite_values(merged.values);
        if overwritten.map_err(|error| BuildReason::ValuesFiles.because(error))? {
            built.values_files = merged.files;
        }
    }
    let missing = if is_directory { chart.missing() } else { Vec::new() };
    built.resolved_dependencies = missing.len();
    let (local, remote): (Vec<_>, Vec<_>) = missing.into_iter().partition(dependencies::is_local);
    for dependency in &local {
        let name = dependency.known_as();
        let subchart = dependencies::local(tree, &path, dependency, limits).map_err(|error| {
            BuildReason::Dependency.because(format!("failed to add local dependency '{name}': {error}"))
        })?;
        chart.add(subchart, dependency);
    }
    let open = Open {
        chart,
        built,
        wanted: remote,
    };
    match open.wanted.is_empty() {
        true => open.close(Vec::new()).map(Local::Built),
        false => Ok(Local::Open(Box::new(open))),
    }
}

impl Open {
    /// Packages the chart with the archives of what was wanted, in that order.
    ///
    /// # Errors
    /// [`BuildReason::Dependency`], [`BuildReason::Package`].
    pub fn close(mut self, archives: Vec<(String, Vec<u8>)>) -> Result<Built, BuildError> {
        for (dependency, (version, archive)) in std::iter::zip(&self.wanted, archives) {
            let subchart = load::archive(&archive).map_err(|error| {
                let name = dependency.known_as();
                BuildReason::Dependency.because(format!(
                    "failed to add remote dependency '{name}': failed to load downloaded archive of version '{version}': {error}"
                ))
            })?;
            self.chart.add(subchart, dependency);
        }
        let archive = self.chart.package();
        self.built.archive = Some(archive.map_err(|error| BuildReason::Package.because(error))?);
        Ok(self.built)
    }
}

/// The values files of a source, merged; their paths begin at the source's root, not at the chart.
fn merge_source(tree: &dyn Tree, recipe: &Recipe) -> Result<Option<values::Merged>, String> {
    if recipe.merges().is_empty() {
        return Ok(None);
    }
    let merged = values::merge_files(recipe.merges(), recipe.ignore_missing, |file| {
        let at = join("/", &clean(file));
        if !is_file(tree, &at) {
            let shown = at.trim_end_matches('/');
            let text = format!("no values file found at path '{shown}' (reference '{file}')");
            // below a file nothing can be
            let above = at.match_indices('/').filter_map(|(end, _)| at.get(..end));
            let is_below_file = above.into_iter().any(|above| is_file(tree, above));
            return Err(if tree.read_dir(&at).is_err() && !is_below_file {
                Missing::Absent(text)
            } else {
                Missing::Unreadable(text)
            });
        }
        let text = tree.read(&at).map_err(|error| {
            Missing::Unreadable(format!("could not read values from file '{file}': {error}"))
        })?;
        values::read(&text).map_err(|cause| {
            Missing::Unreadable(format!("unmarshaling values from '{file}' failed: {cause}"))
        })
    });
    merged.map(Some)
}
