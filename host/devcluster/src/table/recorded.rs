use super::Column;
use crate::kinds::Kind;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::io::Read;
use std::sync::OnceLock;

/// The columns of the built-in kinds as a real server gave them, gzip-compressed JSON by `apiVersion resource`.
const COLUMNS: &[u8] = include_bytes!("../../data/columns.json.gz");

/// The recorded columns of a built-in kind.
pub(super) fn columns(kind: &Kind) -> Option<Vec<Column>> {
    static PARSED: OnceLock<Value> = OnceLock::new();
    let recorded = PARSED.get_or_init(|| {
        let mut text = Vec::new();
        let read = GzDecoder::new(COLUMNS).read_to_end(&mut text);
        let parsed = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
        parsed.expect("invariant: the embedded columns are gzip-compressed JSON")
    });
    let columns = recorded
        .get(format!("{} {}", kind.api_version(), kind.plural))?
        .as_array()?;
    let read = |column: &Value| {
        let text = |key: &str| {
            column
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        Column {
            name: text("name"),
            kind: text("type"),
            format: text("format"),
            description: text("description"),
            priority: column.get("priority").and_then(Value::as_i64).unwrap_or_default(),
        }
    };
    Some(columns.iter().map(read).collect())
}
