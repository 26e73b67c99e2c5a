//! The format: files as ordered trees, values as AES-256-GCM texts, the MAC over all of them. Pure.

mod cipher;
mod dotenv;
mod format;
mod ini;
mod json;
mod metadata;
mod rules;
mod shamir;
mod tree;
mod walk;
mod yaml;

pub use cipher::DataKey;
pub use format::Format;
pub use metadata::{MasterKey, Metadata};
pub use tree::{Branch, Comment, Entry, Item, Node, SecretText};

pub(crate) use shamir::combine;
pub(crate) use walk::{Opened, open};

use crate::Error;

/// A file as it was read: its documents, and what SOPS keeps beside them.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// One branch a document.
    pub branches: Vec<Branch>,
    /// Keys, rules, MAC.
    pub metadata: Metadata,
}

/// Most values of a file: each takes a hundred bytes where it is encrypted, and some hundred more once it is read.
const VALUES_MAX: usize = 300_000;

/// Reads an encrypted file.
///
/// # Errors
/// [`Error::Load`]: it is not of that format, has too many values, or carries no metadata that can be read.
pub fn load(data: &[u8], format: Format) -> Result<Sealed, Error> {
    let failed = |cause: String| Error::Load { format, cause };
    // YAML is counted where it is read: aliases make many of one
    let separator = match format {
        Format::Yaml => None,
        Format::Json | Format::Binary => Some(b','),
        Format::Dotenv | Format::Ini => Some(b'\n'),
    };
    let values = data.iter().filter(|byte| Some(**byte) == separator).count();
    if values > VALUES_MAX {
        return Err(failed(format!(
            "it has more than {VALUES_MAX} values (values_max): divide it into several files"
        )));
    }
    let branches = match format {
        Format::Yaml => yaml::load(data).map_err(failed)?,
        Format::Json | Format::Binary => vec![json::load(data).map_err(failed)?],
        Format::Dotenv => vec![dotenv::load(data).map_err(failed)?],
        Format::Ini => vec![ini::load(data).map_err(failed)?],
    };
    let (branches, raw) = metadata::extract(branches, format).map_err(failed)?;
    let metadata = Metadata::read(&raw).map_err(failed)?;
    Ok(Sealed { branches, metadata })
}

/// Writes decrypted documents.
///
/// # Errors
/// [`Error::Emit`]: the format cannot hold what is there.
pub fn emit(branches: &[Branch], input: Format, output: Format) -> Result<Vec<u8>, Error> {
    let first = || {
        branches
            .first()
            .ok_or_else(|| "the file holds no document".to_owned())
    };
    let written = match output {
        Format::Yaml => Ok(yaml::emit(branches)),
        Format::Json => first().and_then(json::emit),
        Format::Binary => match branches {
            [branch] => json::emit_binary(branch),
            _ => Err(
                "error emitting binary store: the file has several documents, and must have one".to_owned(),
            ),
        },
        Format::Dotenv => first().and_then(dotenv::emit),
        Format::Ini => ini::emit(&branches.concat()),
    };
    written.map_err(|cause| Error::Emit { input, output, cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_documents_are_sections_of_ini_and_have_no_place_in_a_binary_file() {
        let section = |name: &str| {
            let key = Entry::Pair("a".to_owned(), Node::text("b"));
            let comment = Entry::Comment(Comment {
                text: "  above".to_owned(),
                is_inline: false,
            });
            vec![Entry::Pair(name.to_owned(), Node::Map(vec![comment, key]))]
        };
        let documents = [section("one"), section("two")];
        let ini = emit(&documents, Format::Yaml, Format::Ini).unwrap();
        let expected = "; above\n[one]\na = b\n\n; above\n[two]\na = b\n";
        assert_eq!(String::from_utf8_lossy(&ini), expected);
        let refusal = emit(&documents, Format::Yaml, Format::Binary).unwrap_err();
        assert!(refusal.to_string().contains("several documents"), "{refusal}");
    }

    #[test]
    fn values_of_a_file_are_bounded_in_every_format() {
        let many = |one: &str| one.repeat(VALUES_MAX + 1);
        let laughs: String = (1..8)
            .map(|level| {
                format!(
                    "a{level}: &a{level} [{}]\n",
                    format!("*a{},", level - 1).repeat(10)
                )
            })
            .collect();
        let files = [
            (Format::Json, format!("{{\"a\": [{}1]}}", many("1,"))),
            (Format::Binary, many(",")),
            (Format::Dotenv, many("a=\n")),
            (Format::Ini, many("a=\n")),
            (Format::Yaml, format!("a: [{}]\n", many("1,"))),
            (Format::Yaml, format!("a0: &a0 1\n{laughs}")),
        ];
        for (format, file) in files {
            let refusal = load(file.as_bytes(), format).unwrap_err().to_string();
            let says_so = ["values_max", "nodes", "excessive aliasing"]
                .iter()
                .any(|limit| refusal.contains(limit));
            assert!(says_so, "{format}: {refusal}");
        }
    }
}
