//! The table that is printed and the JSON that is kept.

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

/// One row of the cost table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    id: &'static str,
    work: String,
    figure: String,
    bar: String,
    holds: bool,
    note: String,
}

impl Row {
    pub(crate) fn new(id: &'static str, work: String) -> Self {
        Self {
            id,
            work,
            figure: String::new(),
            bar: String::new(),
            holds: true,
            note: String::new(),
        }
    }

    pub(crate) fn figure(self, figure: String) -> Self {
        Self { figure, ..self }
    }

    pub(crate) fn bar(self, bar: &str, holds: bool) -> Self {
        Self {
            bar: bar.to_owned(),
            holds,
            ..self
        }
    }

    pub(crate) fn note(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// For `--json`.
    pub(crate) fn json(&self) -> Value {
        json!({"id": self.id, "work": self.work, "figure": self.figure, "bar": self.bar, "holds": self.holds, "note": self.note})
    }
}

/// A Markdown table, and what was seen beside the figures below it.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| | id | work | measured | bar |\n|---|---|---|---|---|\n");
    for row in rows {
        let mark = if row.holds { "✔" } else { "✗" };
        let _infallible = writeln!(
            text,
            "| {mark} | {} | {} | {} | {} |",
            row.id, row.work, row.figure, row.bar
        );
    }
    text.push('\n');
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        let _infallible = writeln!(text, "{}: {}", row.id, row.note);
    }
    text
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

pub(crate) fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

pub(crate) fn ratio(time: Duration, floor: Duration) -> String {
    format!("{:.1} ×", time.as_secs_f64() / floor.as_secs_f64())
}
