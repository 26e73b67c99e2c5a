//! What is wrong with an expression, and where, as cel-go prints it.

use cel::ParseErrors;

/// Mistakes with their places.
#[derive(Default)]
pub(crate) struct Issues(Vec<Issue>);

struct Issue {
    /// From 1.
    line: usize,
    /// In characters, from 0.
    column: usize,
    message: String,
}

/// So many are told; what follows the first is seldom of its own.
const ISSUES_MAX: usize = 10;

impl Issues {
    pub(crate) fn of(errors: &ParseErrors) -> Self {
        let number = |number: isize| usize::try_from(number).unwrap_or(0);
        let issues = errors.errors.iter().map(|error| Issue {
            line: number(error.pos.0),
            column: number(error.pos.1).saturating_sub(1),
            message: without_operators(&error.msg),
        });
        let mut issues: Vec<Issue> = issues.collect();
        // the CEL crate's reader tells of parts that a mistake left empty too
        let is_own = |issue: &Issue| {
            !["Incomplete `", "No `"]
                .iter()
                .any(|own| issue.message.starts_with(own))
        };
        if issues.iter().any(is_own) {
            issues.retain(is_own);
        }
        Self(issues)
    }

    /// A mistake at a byte of the expression.
    pub(crate) fn add(&mut self, text: &str, offset: u32, message: String) {
        let before = text.get(..offset as usize).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        self.0.push(Issue {
            line: before.matches('\n').count() + 1,
            column: line.chars().count(),
            message,
        });
        self.0.sort_by_key(|issue| (issue.line, issue.column));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each with its line of `text` and a sign below its place.
    pub(crate) fn told(&self, text: &str) -> String {
        let told = self.0.iter().take(ISSUES_MAX).map(|issue| issue.told(text));
        told.collect::<Vec<_>>().join("\n")
    }
}

/// What could go on behind a whole expression: cel-go does not list it where it lists what must come.
const OPERATORS: [&str; 18] = [
    "'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'", "'&&'", "'||'", "'['", "'.'", "'-'", "'?'", "'+'",
    "'*'", "'/'", "'%'", "'('",
];

fn without_operators(message: &str) -> String {
    let Some((before, list)) = message.split_once(" expecting {") else {
        return message.to_owned();
    };
    let all: Vec<&str> = list.trim_end_matches('}').split(", ").collect();
    if !all.contains(&"'=='") {
        return message.to_owned();
    }
    let left: Vec<&str> = all
        .into_iter()
        .filter(|token| !OPERATORS.contains(token))
        .collect();
    match left.as_slice() {
        [one] => format!("{before} expecting {one}"),
        several => format!("{before} expecting {{{}}}", several.join(", ")),
    }
}

impl Issue {
    fn told(&self, text: &str) -> String {
        let mut told = format!(
            "ERROR: <input>:{}:{}: {}",
            self.line,
            self.column + 1,
            self.message
        );
        let Some(line) = self.line.checked_sub(1).and_then(|nth| text.split('\n').nth(nth)) else {
            return told;
        };
        let line = line.replace('\t', " ");
        told.push_str("\n | ");
        told.push_str(&line);
        told.push_str("\n | ");
        // wide signs below what is no ASCII
        let mut chars = line.chars();
        for _ in 0..self.column {
            match chars.next() {
                Some(char) => told.push(if char.is_ascii() { '.' } else { '．' }),
                None => break,
            }
        }
        told.push(if chars.next().is_none_or(|char| char.is_ascii()) {
            '^'
        } else {
            '＾'
        });
        told
    }
}
