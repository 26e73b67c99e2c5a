//! What the controller asked of the API server, from the server's audit log.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Only the controller's user is logged; the benchmark's own requests and the server's are not.
pub(crate) const POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
"rules": [{"level": "Metadata", "users": ["sluice"]}, {"level": "None"}]}"#;

/// Reads the log piece by piece.
#[derive(Debug)]
pub(crate) struct Audit {
    path: PathBuf,
    offset: u64,
}

/// Requests of one phase by what they were: `patch kustomizations/status`, `dry run configmaps`.
pub(crate) type Counts = BTreeMap<String, usize>;

impl Audit {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            offset: 0,
        }
    }

    /// What was asked since the last call. Watches and the Lease of a leader are not work.
    pub(crate) fn since(&mut self) -> anyhow::Result<Counts> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.offset))?;
        let mut text = String::new();
        self.offset += u64::try_from(file.read_to_string(&mut text)?)?;
        let mut counts = Counts::new();
        for line in text.lines() {
            let Ok(event) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let field = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (verb, resource) = (field("/verb"), field("/objectRef/resource"));
            if verb == "watch" || resource == "leases" {
                continue;
            }
            let verb = if field("/requestURI").contains("dryRun=All") {
                "dry run"
            } else {
                verb
            };
            let part = field("/objectRef/subresource");
            let what = if part.is_empty() {
                resource.to_owned()
            } else {
                format!("{resource}/{part}")
            };
            *counts.entry(format!("{verb} {what}")).or_default() += 1;
        }
        Ok(counts)
    }
}

/// How many requests match.
pub(crate) fn sum(counts: &Counts, matches: impl Fn(&str) -> bool) -> usize {
    counts
        .iter()
        .filter(|(what, _)| matches(what))
        .map(|(_, count)| count)
        .sum()
}

/// Writes and dry runs, not looks.
pub(crate) fn is_write(what: &str) -> bool {
    ["create ", "update ", "patch ", "delete ", "deletecollection "]
        .iter()
        .any(|verb| what.starts_with(verb))
}

/// `3 create events, 300 patch kustomizations/status`.
pub(crate) fn text(counts: &Counts) -> String {
    let parts: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    if parts.is_empty() {
        "no requests".to_owned()
    } else {
        parts.join(", ")
    }
}
