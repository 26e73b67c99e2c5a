//! Validation that the server's code does beyond schemas: names, labels, and the rules of built-in kinds that people trip over.

mod kinds;
mod metadata;

pub(crate) use kinds::built_in;
pub(crate) use metadata::{metadata, metadata_update};

use regex::Regex;
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

const DNS_LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

/// Whether `text` fits one of the patterns of this module, which are compiled once.
fn is_match(pattern: &'static str, text: &str) -> bool {
    static COMPILED: OnceLock<Mutex<HashMap<&'static str, Regex>>> = OnceLock::new();
    let mut compiled = COMPILED
        .get_or_init(Default::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let regex = compiled.entry(pattern).or_insert_with(|| {
        Regex::new(pattern).expect("invariant: the patterns of this module are literals that compile")
    });
    regex.is_match(text)
}
