//! Entries of a kustomization file that are to be looked past.

use super::clean;
use crate::error::Error;
use crate::ignore::Ignore;
use crate::recording::Recording;
use serde_json::{Map, Value};

/// The fields whose entries Flux filters.
const FILTERED: [&str; 3] = ["resources", "components", "crds"];

/// Drops the entries that `ignore` excludes. As in Flux, an entry that names nothing is an error here already.
pub(super) fn drop_ignored(
    fields: &mut Map<String, Value>,
    path: &str,
    reader: &Recording<'_>,
    ignore: &Ignore,
) -> Result<(), Error> {
    for field in FILTERED {
        let Some(Value::Array(entries)) = fields.get_mut(field) else {
            continue;
        };
        let mut missing = None;
        entries.retain(|entry| {
            let Some(entry) = entry.as_str().filter(|entry| !is_url(entry)) else {
                return true;
            };
            let full = clean(&format!("{path}/{entry}"));
            let is_directory = reader.read_dir(&full).is_ok();
            if !is_directory && reader.read(&full).is_err() {
                missing.get_or_insert(full);
                return true;
            }
            !ignore.is_ignored(&full, is_directory)
        });
        if let Some(full) = missing {
            return Err(Error::Generate(format!(
                "lstat {full}: no such file or directory; correct the entry of `{field}:` in {path}, or add the file"
            )));
        }
    }
    Ok(())
}

fn is_url(entry: &str) -> bool {
    let scheme = entry.split_once(':').map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    })
}
