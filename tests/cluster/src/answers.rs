//! The committed answers, and what differs from them.

use anyhow::Context as _;
use serde_json::Value;
use similar::TextDiff;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Where requests and answers lie: `tests/cluster/requests`, `tests/cluster/answers`.
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The committed answers of a scenario.
pub fn read(scenario: &str) -> anyhow::Result<Vec<Value>> {
    let path = folder("answers").join(format!("{scenario}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    Ok(serde_json::from_str(&text)?)
}

/// Commits the answers of a scenario: one a line-broken JSON document, so that a change is readable.
pub fn write(scenario: &str, answers: &[Value]) -> anyhow::Result<()> {
    let path = folder("answers").join(format!("{scenario}.json"));
    std::fs::create_dir_all(folder("answers"))?;
    std::fs::write(&path, serde_json::to_string_pretty(answers)? + "\n")
        .with_context(|| path.display().to_string())
}

/// How many answers differ, and how: a unified diff for each (`-` recorded, `+` given).
pub fn compare(recorded: &[Value], given: &[Value]) -> (usize, String) {
    let (mut differing, mut text) = (0, String::new());
    let nothing = Value::Null;
    for index in 0..recorded.len().max(given.len()) {
        let (old, new) = (
            recorded.get(index).unwrap_or(&nothing),
            given.get(index).unwrap_or(&nothing),
        );
        if old == new {
            continue;
        }
        differing += 1;
        let line = old
            .get("request")
            .or(new.get("request"))
            .and_then(Value::as_str)
            .unwrap_or("?");
        let _infallible = writeln!(text, "── step {}: {line}", index + 1);
        let (old, new) = (format!("{old:#}"), format!("{new:#}"));
        for hunk in TextDiff::from_lines(&old, &new)
            .unified_diff()
            .context_radius(2)
            .iter_hunks()
        {
            for line in hunk.to_string().lines() {
                let _infallible = writeln!(text, "{}", cut(line));
            }
        }
    }
    (differing, text)
}

/// Lines of messages can be very long.
fn cut(line: &str) -> String {
    const WIDTH_MAX: usize = 240;
    match line.char_indices().nth(WIDTH_MAX) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or(line)),
        None => line.to_owned(),
    }
}
