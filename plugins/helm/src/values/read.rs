//! Values files: one or several YAML documents, merged in order.

use std::{borrow::Cow, rc::Rc};

use sluice_yaml::{
    Node, ParseOptions, Resolved, Resolver, ScalarStyle, Value as Yaml, parse_document, to_json,
};

use super::{Data, Table, merge};
use crate::{Error, Str};

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
    for document in documents(&ended) {
        let table = read_table(document?)
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
    let read = match plain(&document.root) {
        Some(read) => read,
        None => Data::from_json(to_json(&document.root, Resolver::V2).map_err(|error| wrong(&error))?),
    };
    match read {
        Data::Null => Ok(Table::new()),
        Data::Table(table) => Ok(table),
        other => Err(Error::new(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go value of type map[string]interface {{}}",
            json_type(&other)
        ))),
    }
}

/// The same as by way of JSON, which nearly all texts can do without: none where a merge, a key that is no text, or something
/// that is wrong is in the tree.
pub(crate) fn plain(node: &Node) -> Option<Data> {
    Some(match &node.value {
        Yaml::Scalar(..) => match Resolver::V2.resolve(node).ok()? {
            Resolved::Null => Data::Null,
            Resolved::Bool(value) => Data::Bool(value),
            Resolved::Int(value) => Data::Float(value as f64),
            Resolved::Uint(value) => Data::Float(value as f64),
            Resolved::Float(value) => Data::Float(Some(value).filter(|value| value.is_finite())?),
            Resolved::String(text) => Data::Text(text.as_ref().into()),
            Resolved::Timestamp(text) => Data::Text(text.into()),
        },
        Yaml::Sequence(items, _) => {
            let items: Option<Vec<Data>> = items.iter().map(plain).collect();
            Data::List(Rc::new(items?))
        }
        Yaml::Mapping(entries, _) => {
            let entries = entries
                .iter()
                .map(|(key, value)| Some((plain_key(key)?, plain(value)?)));
            Data::Table(entries.collect::<Option<Table>>()?)
        }
        Yaml::Alias(_) => return None,
    })
}

fn plain_key(key: &Node) -> Option<Str> {
    let text = key.text().filter(|_| key.tag().is_none())?;
    let is_text = key.scalar_style() != Some(ScalarStyle::Plain)
        || text != "<<" && matches!(Resolver::V2.resolve_plain(text), Resolved::String(_));
    is_text.then(|| text.into())
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
/// A mistake there comes last: it is told after those in the documents before.
fn documents(text: &[u8]) -> Vec<Result<&[u8], Error>> {
    const SEPARATOR: &[u8] = b"---";
    let mut documents = Vec::new();
    let mut start = 0;
    let first = text.starts_with(SEPARATOR).then_some(0);
    let others = memchr::memmem::find_iter(text, b"\n---").map(|at| at + 1);
    for at in first.into_iter().chain(others) {
        let line = text.get(at..).unwrap_or_default();
        let line = memchr::memchr(b'\n', line).map_or(line, |end| line.get(..=end).unwrap_or_default());
        let rest = String::from_utf8_lossy(line.get(SEPARATOR.len()..).unwrap_or_default());
        let rest = rest.trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            documents.push(Err(Error::new(format!(
                "error reading yaml document: invalid Yaml document separator: {rest}"
            ))));
            return documents;
        }
        if at > start {
            documents.extend(text.get(start..at).map(Ok));
            start = at + line.len();
        } else {
            // the first separator belongs to the document that it opens
            start = at;
        }
    }
    if text.len() > start {
        documents.extend(text.get(start..).map(Ok));
    }
    documents
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(text: &str) -> Node {
        let document = parse_document(text, &ParseOptions::new(Resolver::V2)).unwrap();
        document.unwrap().root
    }

    #[test]
    fn what_is_plain_is_read_as_by_way_of_json() {
        for text in [
            "{}",
            "[a, [], {b: ~}]",
            "a: 1\nb: 18446744073709551615\nc: -9223372036854775808\nd: 9007199254740993",
            "a: 1.5\nb: -0.0\nc: 1e300\nd: 0x1F\ne: 1_000\nf: 0o17\ng: 017\nh: 1:30",
            "a: yes\nb: 'yes'\nc: \nd: null\ne: \"\"\nf: 2001-01-01\ng: on",
            "a: 1\nb: 2\na: {c: 3, d: 4, c: 5}\nb: last",
            "'1': a\n\"true\": b\n'<<': c\né: d\na b: e",
            "a: &x {b: 1}\nc: *x\nd: !!str 1\ne: !!float 1\nf: !!binary aGk=\ng: !mine z",
            "a: |\n  a text\n  of two lines\nb: >-\n  that is\n  longer than what fits in place",
        ] {
            let root = root(text);
            let json = to_json(&root, Resolver::V2).unwrap();
            assert_eq!(plain(&root), Some(Data::from_json(json)), "{text}");
        }
    }

    #[test]
    fn documents_are_split_at_lines() {
        let split = |text: &'static str| {
            let documents = documents(text.as_bytes()).into_iter();
            let texts = documents.map(|document| document.map(String::from_utf8_lossy));
            texts.collect::<Result<Vec<_>, Error>>()
        };
        let rows: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("a: 1", &["a: 1"]),
            ("---\na: 1\n", &["---\na: 1\n"]),
            ("a: 1\n---\nb: 2\n", &["a: 1\n", "b: 2\n"]),
            ("---\na: 1\n--- # c\nb: 2\n---", &["---\na: 1\n", "b: 2\n"]),
            ("\n---\n---\n\n---\nb: 2", &["\n", "---\n\n", "b: 2"]),
            ("---\n---\n", &["---\n"]),
            ("a: ---\n ---\n", &["a: ---\n ---\n"]),
        ];
        for (text, expected) in rows {
            assert_eq!(split(text).unwrap(), expected, "{text:?}");
        }
        assert!(
            split("a: 1\n--- b")
                .unwrap_err()
                .to_string()
                .ends_with("separator: b")
        );
        assert!(split("----").unwrap_err().to_string().ends_with("separator: -"));
    }

    #[test]
    fn what_is_not_plain_is_left_to_the_library() {
        for text in [
            "a: &x {b: 1}\n<<: *x",
            "1: a",
            "yes: a",
            "? ~\n: a",
            "? [a]\n: b",
            "!!str a: b",
            "a: .nan",
            "a: [-.inf]",
            "a: !!int b",
        ] {
            assert_eq!(plain(&root(text)), None, "{text}");
        }
    }
}
