use serde_json::Value;

/// The values that a JSON path of a printer column finds: fields, quoted fields, indexes, `[*]` and `[?(@.a=="b")]`.
pub(super) fn find<'v>(object: &'v Value, path: &str) -> Vec<&'v Value> {
    let mut found = vec![object];
    let mut rest = path;
    while !rest.is_empty() {
        let (step, after) = next(rest);
        rest = after;
        found = found.into_iter().flat_map(|value| take(value, &step)).collect();
    }
    found
}

enum Step {
    Field(String),
    Index(i64),
    All,
    Where(Vec<String>, String),
}

fn next(path: &str) -> (Step, &str) {
    if let Some(inner) = path.strip_prefix('[') {
        let end = closing(inner);
        let (inside, after) = (
            inner.get(..end).unwrap_or_default(),
            inner.get(end + 1..).unwrap_or_default(),
        );
        return (bracket(inside), after);
    }
    let path = path.strip_prefix('.').unwrap_or(path);
    let mut name = String::new();
    let mut letters = path.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '.' | '[' => return (Step::Field(name), path.get(at..).unwrap_or_default()),
            '\\' => name.extend(letters.next().map(|(_, letter)| letter)),
            letter => name.push(letter),
        }
    }
    (Step::Field(name), "")
}

fn closing(text: &str) -> usize {
    let mut quote = None;
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (None, ']') => return at,
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if letter == open => quote = None,
            _ => {}
        }
    }
    text.len()
}

fn bracket(inside: &str) -> Step {
    let inside = inside.trim();
    if inside == "*" {
        return Step::All;
    }
    if let Some(test) = inside.strip_prefix("?(").and_then(|test| test.strip_suffix(')')) {
        let (path, wanted) = test.split_once("==").unwrap_or((test, ""));
        let path = path.trim().trim_start_matches('@');
        let path = path
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        return Step::Where(path, wanted.trim().trim_matches(['"', '\'']).to_owned());
    }
    match inside.parse() {
        Ok(index) => Step::Index(index),
        Err(_) => Step::Field(inside.trim_matches(['"', '\'']).to_owned()),
    }
}

fn take<'v>(value: &'v Value, step: &Step) -> Vec<&'v Value> {
    match step {
        Step::Field(name) if name.is_empty() => vec![value],
        Step::Field(name) => value
            .get(name)
            .filter(|value| !value.is_null())
            .into_iter()
            .collect(),
        Step::Index(index) => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            let at = if *index < 0 {
                items.len().checked_sub(index.unsigned_abs() as usize)
            } else {
                usize::try_from(*index).ok()
            };
            at.and_then(|at| items.get(at)).into_iter().collect()
        }
        Step::All => match value {
            Value::Array(items) => items.iter().collect(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        },
        Step::Where(path, wanted) => {
            let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
            items
                .iter()
                .filter(|item| {
                    let found = path.iter().try_fold(*item, |value, part| value.get(part));
                    found.is_some_and(|found| match found {
                        Value::String(text) => text == wanted,
                        other => {
                            let shown = other.to_string();
                            shown == *wanted
                        }
                    })
                })
                .collect()
        }
    }
}
