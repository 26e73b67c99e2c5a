//! Values files: what is merged into a chart's own values (compat/source.md 8.4).

use serde_json::{Map, Value};
use sluice_yaml::{ParseOptions, Resolver, emit_v2, parse_document, to_json};

use super::{Chart, metadata::mismatch, path::clean};

/// The chart's own values file.
pub(super) const VALUES: &str = "values.yaml";

/// The values of one file.
pub(super) fn read(text: &[u8]) -> Result<Map<String, Value>, String> {
    let wrong = |error: sluice_yaml::Error| format!("error converting YAML to JSON: {error}");
    let Some(document) = parse_document(text, &ParseOptions::new(Resolver::V2)).map_err(wrong)? else {
        return Ok(Map::new());
    };
    match to_json(&document.root, Resolver::V2).map_err(wrong)? {
        Value::Null => Ok(Map::new()),
        Value::Object(values) => Ok(values),
        other => Err(format!(
            "{} (a values file is a table of values)",
            mismatch(&other, "", "map[string]interface {}")
        )),
    }
}

/// Puts `over` over `values`: tables are merged, all else is replaced, null is a value.
pub(super) fn merge(values: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(over)) => merge(below, over),
            (_, value) => drop(values.insert(key, value)),
        }
    }
}

/// Whether a list of values files asks for anything: one of `values.yaml` alone does not.
pub(super) fn asks_for_merge(files: &[String]) -> bool {
    match files {
        [] => false,
        [only] => clean(only) != VALUES,
        _ => true,
    }
}

/// What was merged, and of which files.
#[derive(Debug, Default)]
pub(super) struct Merged {
    pub(super) values: Map<String, Value>,
    pub(super) files: Vec<String>,
}

/// Merges the files that `read_file` gives; none where one is missing.
pub(super) fn merge_files(
    files: &[String],
    ignore_missing: bool,
    mut read_file: impl FnMut(&str) -> Result<Map<String, Value>, Missing>,
) -> Result<Merged, String> {
    let mut merged = Merged::default();
    for file in files {
        match read_file(file) {
            Ok(values) => {
                merge(&mut merged.values, values);
                merged.files.push(file.clone());
            }
            Err(Missing::Absent(_)) if ignore_missing => {}
            Err(Missing::Absent(text) | Missing::Unreadable(text)) => return Err(text),
        }
    }
    Ok(merged)
}

/// Why a values file gives nothing.
pub(super) enum Missing {
    /// It is not there.
    Absent(String),
    /// It is there.
    Unreadable(String),
}

impl Chart {
    /// The values of the chart's own files, merged.
    pub(super) fn merge_own(&self, files: &[String], ignore_missing: bool) -> Result<Merged, String> {
        merge_files(files, ignore_missing, |file| {
            let name = clean(file);
            if name == VALUES {
                let own = self.values.as_deref().unwrap_or_default();
                return super::load::read_documents(own).map_err(Missing::Unreadable);
            }
            let found = self.files.iter().find(|found| found.name == name);
            let found =
                found.ok_or_else(|| Missing::Absent(format!("no values file found at path '{file}'")))?;
            read(&found.data).map_err(|cause| {
                Missing::Unreadable(format!("unmarshaling values from '{file}' failed: {cause}"))
            })
        })
    }

    /// Replaces the chart's values; whether they differ from what was there.
    pub(super) fn overwrite_values(&mut self, values: Map<String, Value>) -> Result<bool, String> {
        let new = match values.is_empty() {
            true => Vec::new(),
            false => emit_v2(&Value::Object(values)).into_bytes(),
        };
        let own = self.values.as_mut();
        let own = own.ok_or_else(|| format!("failed to locate values file: {VALUES}"))?;
        // as in Flux, which takes nothing for something else than an empty file
        if *own == new && !new.is_empty() {
            return Ok(false);
        }
        *own = new;
        Ok(true)
    }
}
