//! Tables: what `kubectl get` prints.

mod builtin;
mod path;
mod recorded;

use crate::http::metadata_of as http_metadata;
use crate::kinds::Kind;
use crate::meta;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What a row carries beside its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Included {
    Metadata,
    Object,
    Nothing,
}

/// One column of a table.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) format: String,
    pub(crate) description: String,
    pub(crate) priority: i64,
}

const NAME: &str = "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a client to request the generation of an appropriate name automatically. Name is primarily intended for creation idempotence and configuration definition. Cannot be updated. More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names";
const AGE: &str = "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata";

/// The objects as a `Table`. `included` says what rows carry of their object.
pub(crate) fn of(kind: &Kind, items: &[&Value], list_meta: &Value, included: Included) -> Value {
    let now = Timestamp::now();
    let columns = columns(kind);
    let rows: Vec<Value> = items
        .iter()
        .map(|item| {
            let mut row = json!({"cells": cells(kind, item, now)});
            let shown = match included {
                Included::Metadata => http_metadata(item),
                Included::Object => (*item).clone(),
                Included::Nothing => Value::Null,
            };
            meta::as_map(&mut row).insert("object".to_owned(), shown);
            row
        })
        .collect();
    let definitions: Vec<Value> = columns
        .iter()
        .map(|column| {
            json!({"name": column.name, "type": column.kind, "format": column.format,
            "description": column.description, "priority": column.priority})
        })
        .collect();
    json!({"kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": list_meta, "columnDefinitions": definitions, "rows": rows})
}

fn column(name: &str, kind: &str, format: &str, description: &str, priority: i64) -> Column {
    Column {
        name: name.to_owned(),
        kind: kind.to_owned(),
        format: format.to_owned(),
        description: description.to_owned(),
        priority,
    }
}

fn columns(kind: &Kind) -> Vec<Column> {
    let mut columns = vec![column("Name", "string", "name", NAME, 0)];
    match &kind.custom {
        Some(custom) if custom.columns.is_empty() => columns.push(column("Age", "date", "", AGE, 0)),
        Some(custom) => columns.extend(custom.columns.iter().map(|own| {
            let description = match own.description.as_str() {
                "" if own.path == ".metadata.creationTimestamp" => AGE.to_owned(),
                "" => format!(
                    "Custom resource definition column (in JSONPath format): {}",
                    own.path
                ),
                own => own.to_owned(),
            };
            column(&own.name, &own.kind, &own.format, &description, own.priority)
        })),
        None => match recorded::columns(kind).filter(|_| builtin::has_cells(kind)) {
            Some(own) => return own,
            None => columns.push(column("Age", "string", "", AGE, 0)),
        },
    }
    columns
}

fn cells(kind: &Kind, item: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![Value::from(meta::name(item))];
    match &kind.custom {
        Some(custom) if custom.columns.is_empty() => {
            cells.push(age(meta::text(item, "creationTimestamp"), now))
        }
        Some(custom) => cells.extend(
            custom
                .columns
                .iter()
                .map(|own| custom_cell(&own.kind, path::find(item, &own.path), now)),
        ),
        None => match builtin::cells(kind, item, now) {
            // an Event's name is not its first column
            Some(own) if kind.kind == "Event" => return own,
            Some(own) => cells.extend(own),
            None => cells.push(age(meta::text(item, "creationTimestamp"), now)),
        },
    }
    cells
}

fn custom_cell(kind: &str, found: Vec<&Value>, now: Timestamp) -> Value {
    let Some(first) = found.first() else {
        return Value::Null;
    };
    match (kind, first) {
        ("date", Value::String(text)) => age(text, now),
        ("integer", Value::Number(number)) => number.as_i64().map_or(Value::Null, Value::from),
        ("number", number @ Value::Number(_)) => (*number).clone(),
        ("boolean", flag @ Value::Bool(_)) => (*flag).clone(),
        ("string", value) => {
            let texts: Vec<String> = match value {
                Value::Array(items) => items.iter().map(plain).collect(),
                _ => found.iter().map(|value| plain(value)).collect(),
            };
            match value {
                Value::Array(_) => Value::String(value.to_string()),
                _ => Value::String(texts.join(",")),
            }
        }
        _ => Value::Null,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// How long ago, as `kubectl` says it: `5s`, `3m10s`, `2d3h`.
pub(crate) fn age(text: &str, now: Timestamp) -> Value {
    let Ok(then) = text.parse::<Timestamp>() else {
        return Value::from(if text.is_empty() { "<unknown>" } else { "<invalid>" });
    };
    Value::String(human_duration(now.as_second() - then.as_second()))
}

/// Some seconds as Kubernetes prints them in tables: `119s`, `3m10s`, `2d3h` (apimachinery, `duration.HumanDuration`).
pub fn human_duration(seconds: i64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let with = |whole: i64, unit: &str, rest: i64, small: &str| {
        if rest == 0 {
            format!("{whole}{unit}")
        } else {
            format!("{whole}{unit}{rest}{small}")
        }
    };
    match seconds {
        ..-1 => "<invalid>".to_owned(),
        -1..0 => "0s".to_owned(),
        0..120 => format!("{seconds}s"),
        120..600 => with(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => with(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => with(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        63_072_000..252_288_000 => with(days / 365, "y", days % 365, "d"),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;

    #[test]
    fn ages_are_written_as_kubernetes_writes_them() {
        for (seconds, expected) in [
            (-5, "<invalid>"),
            (-1, "0s"),
            (119, "119s"),
            (120, "2m"),
            (190, "3m10s"),
            (10 * MINUTE + 5, "10m"),
            (3 * HOUR - 1, "179m"),
            (3 * HOUR, "3h"),
            (7 * HOUR + 5 * MINUTE, "7h5m"),
            (8 * HOUR + 5 * MINUTE, "8h"),
            (2 * DAY, "2d"),
            (2 * DAY + 3 * HOUR, "2d3h"),
            (8 * DAY + 3 * HOUR, "8d"),
            (2 * YEAR + DAY, "2y1d"),
            (9 * YEAR, "9y"),
        ] {
            assert_eq!(human_duration(seconds), expected, "{seconds}");
        }
    }
}
