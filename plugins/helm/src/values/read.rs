//! Values files: one or several YAML documents, merged in order.

use std::borrow::Cow;

use sluice_yaml::{ParseOptions, Resolver, parse_document, to_json};

use super::{Data, Table, merge};
use crate::Error;

/// Reads a values file. Later documents win over earlier ones.
///
/// # Errors
/// In the original's words: what is no YAML, what is no table, a separator with text behind it.
pub fn read_values(text: &[u8]) -> Result<Table, Error> {
    // the original ends every file with a newline before it reads it: a block of text may be the last thing in it
    let ended = match text.last() {
        None | Some(b'\n') => Cow::Borrowed(text),
        Some(_) => Cow::Owned([text, b"\n"].concat()),
    };
    let mut values = Table::new();
    for document in documents(&ended)? {
        let table = read_table(document)
            .map_err(|error| Error::new(format!("cannot unmarshal yaml document: {error}")))?;
        if values.is_empty() {
            values = table;
        } else {
            merge(&mut values, table);
        }
    }
    Ok(values)
}

fn read_table(document: &[u8]) -> Result<Table, Error> {
    let options = ParseOptions::new(Resolver::V2);
    let Some(document) = parse_document(document, &options).map_err(|error| wrong(&error))? else {
        return Ok(Table::new());
    };
    match Data::from_json(to_json(&document.root, Resolver::V2).map_err(|error| wrong(&error))?) {
        Data::Null => Ok(Table::new()),
        Data::Table(table) => Ok(table),
        other => Err(Error::new(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_type(&other)
        ))),
    }
}

/// The library says in front of its conversion what it was doing.
fn wrong(error: &sluice_yaml::Error) -> Error {
    Error::new(format!("error converting YAML to JSON: {error}"))
}

/// How Go's decoder calls a value.
pub(crate) fn json_type(value: &Data) -> &'static str {
    match value {
        Data::Null => "null",
        Data::Bool(_) => "bool",
        Data::Int(_) | Data::Float(_) => "number",
        Data::Text(_) => "string",
        Data::List(_) => "array",
        Data::Table(_) => "object",
    }
}

/// The documents of a file, as Kubernetes' reader splits it: at lines that begin with `---`, whose rest is a comment at most.
fn documents(text: &[u8]) -> Result<Vec<&[u8]>, Error> {
    let mut documents = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let next = at + line.len();
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = String::from_utf8_lossy(rest);
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err(Error::new(format!(
                    "error reading yaml document: invalid Yaml document separator: {rest}"
                )));
            }
            if at > start {
                documents.extend(text.get(start..at));
                start = next;
            } else {
                // the first separator belongs to the document that it opens
                start = at;
            }
        }
        at = next;
    }
    if at > start {
        documents.extend(text.get(start..at));
    }
    Ok(documents)
}
