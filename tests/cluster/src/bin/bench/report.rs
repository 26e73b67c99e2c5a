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
    counts_hold: bool,
    value: Option<f64>,
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
            counts_hold: true,
            value: None,
            note: String::new(),
        }
    }

    /// What was measured, for people.
    pub(crate) fn figure(self, figure: String) -> Self {
        Self { figure, ..self }
    }

    /// The bar, and whether it is reached.
    pub(crate) fn bar(self, bar: &str, holds: bool) -> Self {
        Self {
            bar: bar.to_owned(),
            holds,
            ..self
        }
    }

    /// The part of the bar that counts requests, renders or writes: true on any machine, however busy.
    pub(crate) fn counts(self, counts_hold: bool) -> Self {
        Self { counts_hold, ..self }
    }

    /// The one number by which this row is compared with another commit; less is better.
    pub(crate) fn value(self, value: f64) -> Self {
        Self {
            value: Some(value),
            ..self
        }
    }

    pub(crate) fn note(self, note: String) -> Self {
        Self { note, ..self }
    }

    /// Whether everything that is counted is as it must be.
    pub(crate) fn counts_hold(&self) -> bool {
        self.counts_hold
    }

    /// `B2: …` for a failure.
    pub(crate) fn failure(&self) -> String {
        format!(
            "{} ({}): {}, bar {}; {}",
            self.id, self.work, self.figure, self.bar, self.note
        )
    }

    /// For `--json`.
    pub(crate) fn json(&self) -> Value {
        let holds = self.holds && self.counts_hold;
        json!({"id": self.id, "work": self.work, "figure": self.figure, "bar": self.bar, "holds": holds, "value": self.value, "note": self.note})
    }
}

/// A Markdown table, and what was seen beside the figures below it. `before` are the rows of another commit.
pub(crate) fn table(rows: &[Row], before: Option<&[Row]>) -> String {
    let mut text = String::from("| | id | work | measured | bar |");
    text.push_str(if before.is_some() {
        " before | now ÷ before |\n"
    } else {
        "\n"
    });
    text.push_str("|---|---|---|---|---|");
    text.push_str(if before.is_some() { "---|---|\n" } else { "\n" });
    for row in rows {
        let mark = if row.holds && row.counts_hold {
            "✔"
        } else {
            "✗"
        };
        let _infallible = write!(
            text,
            "| {mark} | {} | {} | {} | {} |",
            row.id, row.work, row.figure, row.bar
        );
        if let Some(before) = before {
            let other = before
                .iter()
                .find(|other| (other.id, &other.work) == (row.id, &row.work));
            let ratio = other.and_then(|other| Some(row.value? / other.value?));
            let _infallible = write!(
                text,
                " {} | {} |",
                other.map_or("–", |other| &other.figure),
                ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}"))
            );
        }
        text.push('\n');
    }
    text.push('\n');
    for row in rows.iter().filter(|row| !row.note.is_empty()) {
        let _infallible = writeln!(text, "{} {}: {}", row.id, row.work, row.note);
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

/// The middle one, and the worst.
pub(crate) fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    (middle, times.last().copied().unwrap_or_default())
}
