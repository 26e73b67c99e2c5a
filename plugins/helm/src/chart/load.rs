//! From files to charts.

use std::{cell::OnceCell, cmp::Ordering, collections::BTreeMap, rc::Rc};

use serde_json::Value as Json;

use super::{
    Chart, Dependency, File, Rules,
    archive::{self, GZIP_MAGIC},
    metadata::{objects, read_object, text_field},
};
use crate::{Error, Str, go::time, values::read_values};

/// How deep subcharts may nest. Umbrellas of umbrellas have four levels; a hostile archive of archives has as many as it likes.
const LEVELS_MAX: usize = 32;

/// A directory with a chart, read-only.
pub trait Tree {
    /// All regular files below it, with their paths in it.
    ///
    /// # Errors
    /// It cannot be read.
    fn walk(&self) -> Result<Vec<Entry>, Error>;

    /// The bytes of files, in the order asked.
    ///
    /// # Errors
    /// One of them cannot be read.
    fn read(&self, names: &[&str]) -> Result<Vec<Vec<u8>>, Error>;
}

/// A file of a [`Tree`].
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path: `templates/service.yaml`.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A file with its bytes.
#[derive(Clone, Debug)]
pub struct LoadedFile {
    /// Its path in the chart.
    pub name: String,
    /// Its bytes, without a byte order mark.
    pub data: Str,
}

/// Whether a file could not be read when somebody looked at it: it is empty then, and the render fails with this.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unreadable(Rc<OnceCell<Error>>);

impl Unreadable {
    /// # Errors
    /// The first that came up.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.0.get().cloned().map_or(Ok(()), Err)
    }
}

/// Loads the chart of a directory. Its `.helmignore` counts, for its subcharts too; theirs do not.
/// What only templates may look at is read when they do: definitions of resources are most of many a chart.
///
/// # Errors
/// In the original's words, with the file.
pub fn load_tree(tree: &Rc<dyn Tree>) -> Result<Chart, Error> {
    let mut entries = tree.walk()?;
    if !entries.iter().any(|entry| entry.name == METADATA) {
        return Err(Error::new(format!(
            "unable to detect chart at {METADATA}: open {METADATA}: no such file or directory"
        )));
    }
    tree.read(&[METADATA])?
        .iter()
        .try_for_each(|text| check_version(text))?;
    let has_rules = entries.iter().any(|entry| entry.name == ".helmignore");
    let rules = if has_rules {
        tree.read(&[".helmignore"])?
    } else {
        Vec::new()
    };
    let rules = Rules::read(
        &rules
            .first()
            .map_or("".into(), |text| String::from_utf8_lossy(text)),
    )?;
    let mut directories = BTreeMap::new();
    entries.retain(|entry| !is_ignored(&rules, &entry.name, &mut directories));
    entries.sort_by(|a, b| in_walk_order(&a.name, &b.name));
    let mut budget = archive::ARCHIVE_BYTES_MAX;
    for Entry { name, size } in &entries {
        budget = budget.checked_sub(*size).ok_or_else(|| {
            Error::new(format!(
                "error reading {name}: chart exceeds maximum decompressed size of {} bytes",
                archive::ARCHIVE_BYTES_MAX
            ))
        })?;
    }
    let mut contents = Vec::with_capacity(entries.len());
    for names in batches(entries.iter().filter(|entry| !is_read_later(&entry.name))) {
        contents.extend(tree.read(&names)?);
    }
    let mut contents = contents.into_iter();
    let unreadable = Unreadable::default();
    let file = |Entry { name, .. }| {
        let data = if is_read_later(&name) {
            later(Rc::clone(tree), &name, unreadable.clone())
        } else {
            Str::from(unmarked(contents.next().unwrap_or_default()))
        };
        LoadedFile { name, data }
    };
    let files = entries.into_iter().map(file).collect();
    let mut chart = load_files(files, 0)?;
    chart.unreadable = unreadable;
    Ok(chart)
}

/// How many bytes of files are asked for at once: all of them stand in the host's memory until they stand in ours.
const READ_AT_ONCE: u64 = 256 << 10;

/// The names of files that are read together.
fn batches<'a>(entries: impl Iterator<Item = &'a Entry>) -> Vec<Vec<&'a str>> {
    let mut batches: Vec<Vec<&str>> = Vec::new();
    let mut bytes = 0;
    for Entry { name, size } in entries {
        bytes += size;
        match batches.last_mut() {
            Some(batch) if bytes <= READ_AT_ONCE => batch.push(name),
            _ => {
                bytes = *size;
                batches.push(vec![name]);
            }
        }
    }
    batches
}

/// A file of a tree, read when somebody looks at it.
fn later(tree: Rc<dyn Tree>, name: &str, unreadable: Unreadable) -> Str {
    let name = name.to_owned();
    Str::later(move || match tree.read(&[&name]) {
        Ok(mut contents) => unmarked(contents.pop().unwrap_or_default()),
        Err(error) => {
            // of several the first is told
            let _ = unreadable.0.set(error);
            Vec::new()
        }
    })
}

/// Whether a file says nothing about its chart, or the subchart that it is part of.
fn is_read_later(name: &str) -> bool {
    let mut name = name;
    while let Some(below) = name.strip_prefix("charts/") {
        match below.split_once('/') {
            Some((_, rest)) => name = rest,
            None => return false,
        }
    }
    let says_something = [METADATA, LOCK, VALUES, SCHEMA, REQUIREMENTS, REQUIREMENTS_LOCK];
    !says_something.contains(&name) && !name.starts_with(TEMPLATES)
}

/// Loads the chart of a `.tgz` archive.
///
/// # Errors
/// As [`load_tree`].
pub fn load_archive(bytes: &[u8]) -> Result<Chart, Error> {
    let files = archive::unpack(bytes).map_err(|error| {
        Error::new(match bytes.starts_with(&GZIP_MAGIC) {
            false => {
                "stream does not appear to be a valid chart file (details: gzip: invalid header)".to_owned()
            }
            true => format!("unable to load chart archive: {error}"),
        })
    })?;
    let Some(metadata) = files.iter().find(|file| file.name == METADATA) else {
        return Err(Error::new("unable to detect chart version, no Chart.yaml found"));
    };
    check_version(metadata.data.as_bytes())?;
    load_files(files, 0)
}

/// The file that says what a chart is.
const METADATA: &str = "Chart.yaml";
const LOCK: &str = "Chart.lock";
const VALUES: &str = "values.yaml";
const SCHEMA: &str = "values.schema.json";
/// The dependencies of old charts.
const REQUIREMENTS: &str = "requirements.yaml";
const REQUIREMENTS_LOCK: &str = "requirements.lock";
const TEMPLATES: &str = "templates/";

/// Whether a chart is of a version that is known: asked of the outermost one alone, before all else.
fn check_version(text: &[u8]) -> Result<(), Error> {
    let cannot = |error: Error| Error::new(format!("cannot load Chart.yaml: {error}"));
    let fields = read_object(text, "loader.chartBase").map_err(cannot)?;
    let mut version = String::new();
    for (key, value) in fields.iter().flatten() {
        if key.eq_ignore_ascii_case("apiVersion") {
            text_field(value, &mut version, || "chartBase.apiVersion".to_owned()).map_err(cannot)?;
        }
    }
    match version.as_str() {
        "" | "v1" | "v2" => Ok(()),
        _ => Err(Error::new("unsupported chart version")),
    }
}

/// Ignored itself, or in a directory that is.
fn is_ignored(rules: &Rules, name: &str, directories: &mut BTreeMap<String, bool>) -> bool {
    let in_ignored_directory = name.match_indices('/').any(|(at, _)| {
        let directory = name.get(..at).unwrap_or_default();
        if let Some(known) = directories.get(directory) {
            return *known;
        }
        let ignored = rules.ignores(directory, true);
        directories.insert(directory.to_owned(), ignored);
        ignored
    });
    in_ignored_directory || rules.ignores(name, false)
}

/// A directory's entries by name, each directory's content in its place.
fn in_walk_order(a: &str, b: &str) -> Ordering {
    a.split('/').cmp(b.split('/'))
}

fn load_files(files: Vec<LoadedFile>, level: usize) -> Result<Chart, Error> {
    if level > LEVELS_MAX {
        return Err(Error::new(format!(
            "subcharts nest deeper than {LEVELS_MAX} levels"
        )));
    }
    let mut chart = Chart::default();
    let mut has_metadata = false;
    for file in files.iter().filter(|file| file.name == METADATA) {
        has_metadata = true;
        chart
            .metadata
            .read_into(file.data.as_bytes())
            .map_err(|error| Error::new(format!("cannot load Chart.yaml: {error}")))?;
        if chart.metadata.api_version.is_empty() {
            "v1".clone_into(&mut chart.metadata.api_version);
        }
    }
    let mut parts = Parts::default();
    for file in files {
        sort_in(&mut chart, &mut parts, &mut has_metadata, file)?;
    }
    if !has_metadata {
        return Err(Error::new("Chart.yaml file is missing"));
    }
    chart.metadata.validate()?;
    chart.templates = Rc::new(parts.templates);
    chart.files = Rc::new(parts.files);
    for (name, files) in parts.subcharts {
        if name.starts_with(['_', '.']) {
            continue;
        }
        let subchart = load_subchart(&name, files, level + 1, chart.name())?;
        chart.dependencies.push(subchart);
    }
    Ok(chart)
}

#[derive(Default)]
struct Parts {
    templates: Vec<File>,
    files: Vec<File>,
    subcharts: BTreeMap<String, Vec<LoadedFile>>,
}

fn sort_in(
    chart: &mut Chart,
    parts: &mut Parts,
    has_metadata: &mut bool,
    mut file: LoadedFile,
) -> Result<(), Error> {
    let is_v1 = |chart: &Chart| chart.metadata.api_version == "v1";
    let cannot = |error: Error| Error::new(format!("cannot load {}: {error}", file.name));
    match file.name.as_str() {
        METADATA => {}
        LOCK => check_lock(file.data.as_bytes()).map_err(cannot)?,
        VALUES => chart.values = read_values(file.data.as_bytes()).map_err(cannot)?,
        SCHEMA => chart.schema = Some(file.data),
        REQUIREMENTS => {
            *has_metadata = true;
            chart.metadata.read_into(file.data.as_bytes()).map_err(cannot)?;
            if is_v1(chart) {
                parts.files.push(file.into());
            }
        }
        REQUIREMENTS_LOCK => {
            *has_metadata = true;
            check_lock(file.data.as_bytes()).map_err(cannot)?;
            if is_v1(chart) {
                parts.files.push(file.into());
            }
        }
        name if name.starts_with(TEMPLATES) => parts.templates.push(file.into()),
        name => match name.strip_prefix("charts/") {
            Some(_) if name.ends_with(".prov") => parts.files.push(file.into()),
            Some(below) => {
                let subchart = below.split('/').next().unwrap_or_default().to_owned();
                file.name = below.to_owned();
                parts.subcharts.entry(subchart).or_default().push(file);
            }
            None => parts.files.push(file.into()),
        },
    }
    Ok(())
}

/// Loads one entry of `charts/`.
fn load_subchart(name: &str, files: Vec<LoadedFile>, level: usize, parent: &str) -> Result<Chart, Error> {
    let loaded = if name.ends_with(".tgz") {
        let first = files.first();
        let (found, data) = first.map_or(("", &[][..]), |file| (file.name.as_str(), file.data.as_bytes()));
        if found != name {
            return Err(Error::new(format!(
                "error unpacking subchart tar in {parent}: expected {name}, got {found}"
            )));
        }
        archive::unpack(data).and_then(|files| load_files(files, level))
    } else {
        let strip = |file: LoadedFile| {
            let (_, name) = file.name.split_once('/')?;
            Some(LoadedFile {
                name: name.to_owned(),
                data: file.data,
            })
        };
        load_files(files.into_iter().filter_map(strip).collect(), level)
    };
    loaded.map_err(|error| Error::new(format!("error unpacking subchart {name} in {parent}: {error}")))
}

/// A lock says nothing that a render needs, but a broken one is a broken chart.
fn check_lock(text: &[u8]) -> Result<(), Error> {
    let Some(fields) = read_object(text, "v2.Lock")? else {
        return Ok(());
    };
    for (key, value) in &fields {
        match key.to_ascii_lowercase().as_str() {
            "dependencies" => {
                let at = || "Lock.dependencies".to_owned();
                objects(value, &mut Vec::new(), at, "Dependency", Dependency::read_into)?;
            }
            "digest" => text_field(value, &mut String::new(), || "Lock.digest".to_owned())?,
            "generated" => check_time(value)
                .map_err(|why| Error::new(format!("error unmarshaling JSON: while decoding JSON: {why}")))?,
            _ => {}
        }
    }
    Ok(())
}

/// How Go writes times in JSON.
const RFC_3339: &[u8] = b"2006-01-02T15:04:05Z07:00";

/// A time as Go's JSON decoder takes it.
fn check_time(value: &Json) -> Result<(), String> {
    match value {
        Json::Null => Ok(()),
        Json::String(text) => time::parse(RFC_3339, text.as_bytes()).map(drop),
        _ => Err("Time.UnmarshalJSON: input is not a JSON string".to_owned()),
    }
}

/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The bytes without a byte order mark.
pub(super) fn unmarked(mut data: Vec<u8>) -> Vec<u8> {
    if data.starts_with(MARK) {
        data.drain(..MARK.len());
    }
    data
}

impl From<LoadedFile> for File {
    fn from(file: LoadedFile) -> Self {
        Self {
            name: file.name.into(),
            data: file.data,
        }
    }
}
