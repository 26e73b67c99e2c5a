//! From files to a chart, by Helm's rules.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sluice_artifact::{Tree, TreeError, unpack};

use super::{
    ARCHIVED_FILE_SIZE_MAX, Chart, FILES_MAX, File, LEVELS_MAX, Limits, UNPACKED_SIZE_MAX,
    ignore::Rules,
    metadata::{Lock, Metadata},
    path::join,
    values,
};

const CHART_FILE: &str = "Chart.yaml";
const REQUIREMENTS: &str = "requirements.yaml";
/// UTF-8's byte order mark.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The chart in an archive.
pub(super) fn archive(bytes: &[u8]) -> Result<Chart, String> {
    load(unpacked(bytes)?, 0)
}

/// What the `Chart.yaml` in an archive says. Its other files may be of any size.
pub(super) fn archive_metadata(bytes: &[u8], limits: Limits) -> Result<Metadata, String> {
    let mut metadata = None;
    visit(bytes, |root, name, data| {
        if name != CHART_FILE && name != REQUIREMENTS {
            return Ok(());
        }
        let limit = limits.file_size_max;
        if data.len() as u64 > limit {
            return Err(format!(
                "size of '{root}/{name}' exceeds '{limit}' bytes limit (--helm-chart-file-max-size)"
            ));
        }
        read_metadata(metadata.get_or_insert_default(), name, &data)
    })?;
    metadata.ok_or_else(|| format!("no '{CHART_FILE}' found"))
}

/// What the `Chart.yaml` of a directory says. A path of a file means an archive.
pub(super) fn source_metadata(tree: &dyn Tree, path: &str, limits: Limits) -> Result<Metadata, String> {
    if is_file(tree, path) {
        return archive_metadata(&read_archive(tree, path, limits)?, limits);
    }
    if tree.read_dir(path).is_err() {
        return Err(format!("stat {path}: no such file or directory"));
    }
    let mut metadata = Metadata::default();
    let chart = read(tree, &join(path, CHART_FILE))?;
    read_metadata(&mut metadata, CHART_FILE, &chart)?;
    let requirements = join(path, REQUIREMENTS);
    if is_file(tree, &requirements) {
        let requirements = read(tree, &requirements)?;
        let limit = limits.file_size_max;
        if requirements.len() as u64 > limit {
            return Err(format!(
                "size of '{REQUIREMENTS}' exceeds '{limit}' bytes limit (--helm-chart-file-max-size)"
            ));
        }
        read_metadata(&mut metadata, REQUIREMENTS, &requirements)?;
    } else if tree.read_dir(&requirements).is_ok() {
        return Err(format!("'{REQUIREMENTS}' is a directory"));
    }
    Ok(metadata)
}

/// Reads `Chart.yaml` or `requirements.yaml` over what is there.
fn read_metadata(metadata: &mut Metadata, name: &str, text: &[u8]) -> Result<(), String> {
    metadata
        .read_over(without_mark(text))
        .map_err(|error| format!("cannot load '{name}': {error}"))?;
    metadata.default_api_version();
    Ok(())
}

/// The archive at a path of a source.
pub(super) fn read_archive(tree: &dyn Tree, path: &str, limits: Limits) -> Result<Vec<u8>, String> {
    let bytes = read(tree, path)?;
    let (file, limit) = (path.rsplit('/').next().unwrap_or(path), limits.chart_size_max);
    match bytes.len() as u64 > limit {
        true => Err(format!(
            "size of chart '{file}' exceeds '{limit}' bytes limit (--helm-chart-max-size)"
        )),
        false => Ok(bytes),
    }
}

/// The chart in a directory, or in an archive, of a source.
pub(super) fn source(tree: &dyn Tree, path: &str, limits: Limits) -> Result<Chart, String> {
    if is_file(tree, path) {
        // an archive that cannot be opened Flux calls so, and no more
        return match unpacked(&read_archive(tree, path, limits)?) {
            Ok(files) => load(files, 0),
            Err(error) => Err(format!("unable to load chart archive: {error}")),
        };
    }
    let shown = format!("{}/", path.trim_end_matches('/'));
    let failed = |error: String| format!("failed to load files from {shown}: {error}");
    let rules = match tree.read(&join(path, ".helmignore")) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(_) => String::new(),
    };
    let rules =
        Rules::read(&rules).map_err(|error| format!("cannot load ignore rules for chart: {error}"))?;
    let mut entries = tree.walk(path).map_err(|error| failed(error.to_string()))?;
    entries.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    let (mut files, mut budget) = (Vec::new(), Budget::default());
    for entry in entries {
        let name = entry
            .path
            .strip_prefix(path.trim_end_matches('/'))
            .unwrap_or(&entry.path);
        let name = name.trim_start_matches('/').to_owned();
        if rules.ignores(&name) {
            continue;
        }
        let (size, limit) = (entry.size, limits.file_size_max);
        if size > limit {
            return Err(failed(format!(
                "cannot load file {name} as file size ({size}) exceeds limit ({limit}) (--helm-chart-file-max-size)"
            )));
        }
        budget.take(size).map_err(failed)?;
        let data = tree
            .read(&entry.path)
            .map_err(|error| failed(error.to_string()))?;
        let data = without_mark(&data).to_vec();
        files.push(File { name, data });
    }
    load(files, 0).map_err(|error| format!("failed to load chart from {shown}: {error}"))
}

pub(super) fn is_file(tree: &dyn Tree, path: &str) -> bool {
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    let directory = if directory.is_empty() { "/" } else { directory };
    let entries = tree.read_dir(directory).unwrap_or_default();
    let mut entries = entries.iter();
    let found = entries.find(|entry| entry.path.rsplit('/').next() == Some(name));
    found.is_some_and(|entry| entry.entry_type == sluice_artifact::EntryType::File)
}

fn read(tree: &dyn Tree, path: &str) -> Result<Vec<u8>, String> {
    let bytes = tree.read(path).map_err(|error| match error {
        TreeError::NotFound => format!("open {path}: no such file or directory"),
        error => format!("open {path}: {error}"),
    })?;
    Ok(bytes.to_vec())
}

/// What a chart's files may cost together.
#[derive(Default)]
struct Budget {
    bytes: u64,
    files: usize,
}

impl Budget {
    fn take(&mut self, size: u64) -> Result<(), String> {
        self.bytes += size;
        self.files += 1;
        if self.bytes > UNPACKED_SIZE_MAX {
            return Err(format!(
                "chart exceeds maximum decompressed size of {UNPACKED_SIZE_MAX} bytes"
            ));
        }
        if self.files > FILES_MAX {
            return Err(format!("chart holds more than {FILES_MAX} files"));
        }
        Ok(())
    }
}

/// The files of an archive by their path in the chart.
fn unpacked(bytes: &[u8]) -> Result<Vec<File>, String> {
    let mut files = Vec::new();
    visit(bytes, |root, name, data| {
        if data.len() as u64 > ARCHIVED_FILE_SIZE_MAX {
            return Err(format!(
                "decompressed chart file \"{root}/{name}\" is larger than the maximum file size {ARCHIVED_FILE_SIZE_MAX}"
            ));
        }
        let data = without_mark(&data).to_vec();
        files.push(File {
            name: name.to_owned(),
            data,
        });
        Ok(())
    })?;
    match files.is_empty() {
        true => Err("no files in chart archive".to_owned()),
        false => Ok(files),
    }
}

/// Shows the files of an archive to `visitor`: the folder of the chart, the path in it, the content. Links and devices are
/// left out; no path leads out.
fn visit(
    bytes: &[u8],
    mut visitor: impl FnMut(&str, &str, Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    struct Refused(String);
    impl From<unpack::Error> for Refused {
        fn from(error: unpack::Error) -> Self {
            Self(refusal(&error))
        }
    }
    let bounds = unpack::Limits {
        unpacked_size_max: UNPACKED_SIZE_MAX,
        entries_max: FILES_MAX,
        file_size_max: UNPACKED_SIZE_MAX,
    };
    let visited = unpack::visit(bytes, &bounds, unpack::Special::Dropped, |found| {
        let Some(data) = found.content else {
            return Ok(());
        };
        let path = found.path.trim_start_matches('/');
        let (root, name) = path.split_once('/').ok_or_else(|| {
            Refused(format!(
                "chart illegally contains content outside the base directory: \"{}\"",
                path.escape_debug()
            ))
        })?;
        visitor(root, name, data).map_err(Refused)
    });
    visited.map_err(|Refused(problem)| match broken(bytes) {
        Some(words) => format!("{words} (the archive is none, or is cut short: {problem})"),
        None => problem,
    })
}

/// What Go says of bytes that do not even begin as an archive does.
fn broken(bytes: &[u8]) -> Option<&'static str> {
    /// Of gzip (RFC 1952 2.3).
    const HEADER_SIZE: usize = 10;
    match bytes {
        [] => Some("EOF"),
        bytes if bytes.len() < HEADER_SIZE => Some("unexpected EOF"),
        bytes if !bytes.starts_with(b"\x1f\x8b\x08") => Some("gzip: invalid header"),
        _ => None,
    }
}

/// Helm's words for what makes an archive unacceptable, and ours.
fn refusal(error: &unpack::Error) -> String {
    match error {
        unpack::Error::TooLarge {
            knob: "file_size_max" | "unpacked_size_max",
            limit,
            ..
        } => format!("decompressed chart is larger than the maximum size {limit}"),
        unpack::Error::Hostile { name, .. } if name.split(['/', '\\']).any(|part| part == "..") => {
            format!("chart illegally references parent directory ({error})")
        }
        unpack::Error::Hostile { name, .. } if name.starts_with('/') => {
            format!("chart illegally contains absolute paths ({error})")
        }
        unpack::Error::Unreadable(cause) if cause.kind() == std::io::ErrorKind::UnexpectedEof => {
            format!("unexpected EOF ({error})")
        }
        error => error.to_string(),
    }
}

fn load(files: Vec<File>, level: usize) -> Result<Chart, String> {
    if level > LEVELS_MAX {
        return Err(format!("subcharts nest deeper than {LEVELS_MAX} levels"));
    }
    let mut chart = Chart::default();
    let mut has_metadata = false;
    for file in files.iter().filter(|file| file.name == CHART_FILE) {
        has_metadata = true;
        let read = chart.metadata.read_over(&file.data);
        read.map_err(|error| format!("cannot load {CHART_FILE}: {error}"))?;
        chart.metadata.default_api_version();
    }
    let mut subcharts: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        sort_in(&mut chart, &mut subcharts, &mut has_metadata, file)?;
    }
    if !has_metadata {
        return Err(format!("{CHART_FILE} file is missing"));
    }
    chart.metadata.validate()?;
    // in order of name, where Helm has none: equal charts give equal packages
    for (name, files) in subcharts {
        if !name.starts_with(['_', '.']) {
            let parent = chart.metadata.name();
            let subchart = load_subchart(&name, files, level + 1)
                .map_err(|error| format!("error unpacking subchart {name} in {parent}: {error}"))?;
            chart.subcharts.push(subchart);
        }
    }
    Ok(chart)
}

fn sort_in(
    chart: &mut Chart,
    subcharts: &mut BTreeMap<String, Vec<File>>,
    has_metadata: &mut bool,
    mut file: File,
) -> Result<(), String> {
    let is_first_kind = chart.metadata.is_first_kind();
    let cannot = |error: String| format!("cannot load {}: {error}", file.name);
    match file.name.as_str() {
        CHART_FILE => {}
        "Chart.lock" => chart.lock = Some(Lock::read(&file.data).map_err(cannot)?),
        "values.yaml" => {
            let documents = read_documents(&file.data);
            documents.map_err(|error| cannot(format!("cannot unmarshal yaml document: {error}")))?;
            chart.values = Some(file.data);
        }
        "values.schema.json" => chart.schema = Some(file.data),
        REQUIREMENTS => {
            *has_metadata = true;
            chart.metadata.read_over(&file.data).map_err(cannot)?;
            if is_first_kind {
                chart.files.push(file);
            }
        }
        "requirements.lock" => {
            *has_metadata = true;
            chart.lock = Some(Lock::read(&file.data).map_err(cannot)?);
            if is_first_kind {
                chart.files.push(file);
            }
        }
        name if name.starts_with("templates/") => chart.templates.push(file),
        name => match name.strip_prefix("charts/") {
            Some(below) if !below.ends_with(".prov") => {
                let subchart = below.split('/').next().unwrap_or_default().to_owned();
                file.name = below.to_owned();
                subcharts.entry(subchart).or_default().push(file);
            }
            _ => chart.files.push(file),
        },
    }
    Ok(())
}

fn load_subchart(name: &str, files: Vec<File>, level: usize) -> Result<Chart, String> {
    if name.ends_with(".tgz") {
        let file = files.into_iter().next().filter(|file| file.name == name);
        let file = file.ok_or_else(|| format!("expected {name}, got a file below it"))?;
        return load(unpacked(&file.data)?, level);
    }
    let strip = |file: File| {
        let (_, name) = file.name.split_once('/')?;
        let name = name.to_owned();
        Some(File { name, ..file })
    };
    load(files.into_iter().filter_map(strip).collect(), level)
}

/// The documents of a values file, merged: they are split at lines that begin with `---`.
pub(super) fn read_documents(text: &[u8]) -> Result<Map<String, Value>, String> {
    let mut values = Map::new();
    let mut start = 0;
    let mut at = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b"---") && at > start {
            values::merge(
                &mut values,
                values::read(text.get(start..at).unwrap_or_default())?,
            );
            start = at;
        }
        at += line.len();
    }
    values::merge(&mut values, values::read(text.get(start..).unwrap_or_default())?);
    Ok(values)
}

fn without_mark(data: &[u8]) -> &[u8] {
    data.strip_prefix(MARK).unwrap_or(data)
}
