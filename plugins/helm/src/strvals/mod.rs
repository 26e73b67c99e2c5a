//! `--set` and its relatives: `name=value`, `outer.inner=value`, `list[0]=value`, `name={a,b}`.
//!
//! **Invariant:** no text makes this panic; [`INDEX_MAX`] and [`LEVEL_MAX`] bound what a short text can build.

mod parser;
mod surrogates;

pub use parser::{INDEX_MAX, LEVEL_MAX};

use serde_json::Value as Json;

use crate::{
    Error,
    values::{Data, Table, merge},
};

/// Where the values of `--set-file` come from: the content of the file of that name, which need not be text.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, Error>;

/// `--set`: `true`, `false`, `null` and integers are what they look like, the rest is text.
///
/// # Errors
/// In the original's words. What was set before the mistake stays set.
pub fn set(text: &str, into: &mut Table) -> Result<(), Error> {
    parser::parse(text, into, parser::Mode::Typed).map_err(|error| failed("--set data", &error))
}

/// `--set-string`: every value is text.
///
/// # Errors
/// As [`set`].
pub fn set_string(text: &str, into: &mut Table) -> Result<(), Error> {
    parser::parse(text, into, parser::Mode::Text).map_err(|error| failed("--set-string data", &error))
}

/// `--set-file`: every value is the content of the file that it names.
///
/// # Errors
/// As [`set`], and those of `read`.
pub fn set_file(text: &str, into: &mut Table, read: ReadFile<'_>) -> Result<(), Error> {
    parser::parse(text, into, parser::Mode::File(read)).map_err(|error| failed("--set-file data", &error))
}

/// `--set-json`: every value is JSON; a text that begins with `{` is merged whole.
///
/// # Errors
/// As [`set`].
pub fn set_json(text: &str, into: &mut Table) -> Result<(), Error> {
    let trimmed = text.trim();
    if !trimmed.starts_with('{') {
        return parser::parse(text, into, parser::Mode::Json)
            .map_err(|_| Error::new(format!("failed parsing --set-json data {text}")));
    }
    match serde_json::from_str::<Json>(&surrogates::mended(trimmed)).map(Data::from_json) {
        Ok(Data::Table(table)) => {
            merge(into, table);
            Ok(())
        }
        _ => Err(Error::new(format!("failed parsing --set-json data JSON: {text}"))),
    }
}

/// `--set-literal`: one path, and everything behind its `=` is the value.
///
/// # Errors
/// As [`set`].
pub fn set_literal(text: &str, into: &mut Table) -> Result<(), Error> {
    parser::parse(text, into, parser::Mode::Literal).map_err(|error| failed("--set-literal data", &error))
}

fn failed(what: &str, error: &Error) -> Error {
    Error::new(format!("failed parsing {what}: {error}"))
}
