//! From rendered files to manifests and hooks: split, sorted, read as far as Helm reads them.

mod head;
mod order;
mod split;

pub use split::split;

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value as Json};
use sluice_yaml::{Limits, decode_text};

use crate::{Failure, Place, Warnings};
use head::{Head, Misfit};

/// One document of one rendered file, or one file of `crds/`.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The template's path: `chart/templates/service.yaml`.
    pub path: String,
    /// The text, as it was rendered.
    pub text: String,
    /// Its kind; empty for comments.
    pub kind: String,
    /// The object, where it was asked for; none for comments.
    pub object: Option<Object>,
}

/// An object as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What names it: `apiVersion`, `kind` and `metadata`.
    pub head: JsonMap<String, Json>,
    /// All of it.
    pub json: String,
}

/// A manifest that is applied at a moment in a release's life.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// The manifest.
    pub manifest: Manifest,
    /// When: `pre-install`, `post-upgrade`, `test` …
    pub events: Vec<String>,
    /// Hooks of one event are run by weight.
    pub weight: i64,
    /// When it is deleted: `before-hook-creation`, `hook-succeeded`, `hook-failed`; others as they are spelled.
    pub delete_policies: Vec<String>,
    /// When its logs are shown: `hook-succeeded`, `hook-failed`; others as they are spelled.
    pub output_log_policies: Vec<String>,
}

/// Rendered files, sorted out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sorted {
    /// What is installed, in the order of installation.
    pub manifests: Vec<Manifest>,
    /// What is run beside it, by kind.
    pub hooks: Vec<Hook>,
    /// What is told of documents that are left out.
    pub warnings: Warnings,
}

/// Splits rendered files into documents and sorts them by kind; equal kinds stay in the order of files and documents.
/// `with_objects` keeps what was read of them.
///
/// # Errors
/// A document that is no YAML, or no object, with its file.
pub fn sort(files: BTreeMap<String, Vec<u8>>, with_objects: bool) -> Result<Sorted, Failure> {
    let mut sorted = Sorted::default();
    for (path, content) in files {
        if path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
            continue;
        }
        let (text, rest) = text_of(&content);
        let mut documents: Vec<_> = split(text).collect();
        // the last one goes on in what is no text
        let broken = rest.map(|rest| documents.pop().map_or(rest, |(at, _)| at));
        for (at, document) in documents {
            let head = Head::read(document).map_err(|misfit| failure(&path, text, at, &misfit))?;
            place(&mut sorted, &path, document, head, with_objects);
        }
        if let Some(at) = broken {
            let document = content.get(at..).unwrap_or_default();
            let read = decode_text(document, &Limits::default());
            read.map_err(|error| failure(&path, text, at, &error.into()))?;
        }
    }
    sorted
        .manifests
        .sort_by_cached_key(|manifest| order::place(&manifest.kind));
    sorted
        .hooks
        .sort_by_cached_key(|hook| order::place(&hook.manifest.kind));
    Ok(sorted)
}

/// The text that a rendered file begins with, and where what is no text follows: templates can cut characters in two.
fn text_of(content: &[u8]) -> (&str, Option<usize>) {
    match str::from_utf8(content) {
        Ok(text) => (text, None),
        Err(error) => {
            let end = error.valid_up_to();
            let text = content.get(..end).and_then(|text| str::from_utf8(text).ok());
            (text.unwrap_or_default(), Some(end))
        }
    }
}

/// The place is in the rendered text: its lines are counted there, not in the template.
fn failure(path: &str, content: &str, at: usize, misfit: &Misfit) -> Failure {
    let before = content.get(..at).unwrap_or_default().matches('\n').count();
    let line = misfit.position.line as usize;
    let shown = content
        .lines()
        .nth((before + line).saturating_sub(1))
        .unwrap_or_default();
    let hint = if line > 0 {
        format!(
            "line {} of what the template renders to is `{}`",
            before + line,
            shown.trim_end()
        )
    } else {
        let what = if misfit.is_of_a_field() {
            "has a field of the wrong type, of those that every manifest is read for: apiVersion, kind, metadata.name, metadata.annotations"
        } else {
            "is no object"
        };
        format!(
            "the document at line {} of what the template renders to {what}",
            before + 1
        )
    };
    Failure::new(format!("YAML parse error on {path}: {misfit}"))
        .at(Place {
            file: path.to_owned(),
            line: 0,
            column: 0,
        })
        .with_hint(hint)
}

fn place(sorted: &mut Sorted, path: &str, text: &str, head: Head, with_objects: bool) {
    let manifest = Manifest {
        path: path.to_owned(),
        text: text.to_owned(),
        kind: head.kind,
        object: head.object.filter(|_| with_objects),
    };
    let Some(events) = head.annotations.get("helm.sh/hook") else {
        sorted.manifests.push(manifest);
        return;
    };
    // an event that nobody knows takes the whole document away
    let Some(types) = words(events).map(event).collect() else {
        return sorted.warnings.add(format!(
            "skipping unknown hooks hookTypes={events}: a document of {path} is left out"
        ));
    };
    let policies = |annotation: &str| {
        head.annotations
            .get(annotation)
            .map_or(Vec::new(), |text| words(text).collect())
    };
    let weight = head
        .annotations
        .get("helm.sh/hook-weight")
        .and_then(|text| text.parse().ok());
    sorted.hooks.push(Hook {
        manifest,
        events: types,
        weight: weight.unwrap_or(0),
        delete_policies: policies("helm.sh/hook-delete-policy"),
        output_log_policies: policies("helm.sh/hook-output-log-policy"),
    });
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(',').map(|word| word.trim().to_lowercase())
}

fn event(word: String) -> Option<String> {
    match word.as_str() {
        "pre-install" | "post-install" | "pre-delete" | "post-delete" | "pre-upgrade" | "post-upgrade"
        | "pre-rollback" | "post-rollback" | "test" => Some(word),
        "test-success" => Some("test".to_owned()),
        _ => None,
    }
}
