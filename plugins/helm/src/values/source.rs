//! Where values come from, in the order in which they win.

use super::{Table, merge, read_values};
use crate::{Error, strvals};

/// A values file, or a file that a value is read from.
#[derive(Clone, Debug)]
pub struct ValuesFile {
    /// How messages call it.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Where values come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// A values file.
    File(ValuesFile),
    /// `--set`
    Set(String),
    /// `--set-string`
    SetString(String),
    /// `--set-json`
    SetJson(String),
    /// `--set-literal`
    SetLiteral(String),
    /// `--set-file`, with the contents of the files that it may name.
    SetFile(String, Vec<ValuesFile>),
}

/// Lays sources over each other; later ones win.
///
/// # Errors
/// In the original's words, with the file or the flag.
pub fn merge_sources(sources: &[Source]) -> Result<Table, Error> {
    let mut values = Table::new();
    for source in sources {
        match source {
            Source::File(file) => {
                let table = read_values(&file.content)
                    .map_err(|error| Error::new(format!("failed to parse {}: {error}", file.name)))?;
                merge(&mut values, table);
            }
            Source::Set(text) => strvals::set(text, &mut values)?,
            Source::SetString(text) => strvals::set_string(text, &mut values)?,
            Source::SetJson(text) => strvals::set_json(text, &mut values)?,
            Source::SetLiteral(text) => strvals::set_literal(text, &mut values)?,
            Source::SetFile(text, files) => {
                let read = |name: &str| match files.iter().find(|file| file.name == name) {
                    Some(file) => Ok(file.content.clone()),
                    None => Err(Error::new(format!("open {name}: no such file or directory"))),
                };
                strvals::set_file(text, &mut values, &read)?;
            }
        }
    }
    Ok(values)
}
