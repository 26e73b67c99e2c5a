//! The schemas of the drafts themselves: each schema has to be valid against that of its draft.
//!
//! The texts in `metaschema/` are those that json-schema.org publishes (see the README there), without remarks such as
//! descriptions and defaults.

use std::sync::OnceLock;

use super::{
    document::Document,
    json::{Json, read},
    location::split,
};

const DRAFTS: [u16; 5] = [4, 6, 7, 2019, 2020];

const TEXTS: [(&str, &str); 19] = [
    ("draft-04/schema", include_str!("metaschema/draft-4.json")),
    ("draft-06/schema", include_str!("metaschema/draft-6.json")),
    ("draft-07/schema", include_str!("metaschema/draft-7.json")),
    ("draft/2019-09/schema", include_str!("metaschema/2019-09.json")),
    (
        "draft/2019-09/meta/core",
        include_str!("metaschema/2019-09-core.json"),
    ),
    (
        "draft/2019-09/meta/applicator",
        include_str!("metaschema/2019-09-applicator.json"),
    ),
    (
        "draft/2019-09/meta/validation",
        include_str!("metaschema/2019-09-validation.json"),
    ),
    (
        "draft/2019-09/meta/meta-data",
        include_str!("metaschema/2019-09-meta-data.json"),
    ),
    (
        "draft/2019-09/meta/format",
        include_str!("metaschema/2019-09-format.json"),
    ),
    (
        "draft/2019-09/meta/content",
        include_str!("metaschema/2019-09-content.json"),
    ),
    ("draft/2020-12/schema", include_str!("metaschema/2020-12.json")),
    (
        "draft/2020-12/meta/core",
        include_str!("metaschema/2020-12-core.json"),
    ),
    (
        "draft/2020-12/meta/applicator",
        include_str!("metaschema/2020-12-applicator.json"),
    ),
    (
        "draft/2020-12/meta/unevaluated",
        include_str!("metaschema/2020-12-unevaluated.json"),
    ),
    (
        "draft/2020-12/meta/validation",
        include_str!("metaschema/2020-12-validation.json"),
    ),
    (
        "draft/2020-12/meta/meta-data",
        include_str!("metaschema/2020-12-meta-data.json"),
    ),
    (
        "draft/2020-12/meta/format-annotation",
        include_str!("metaschema/2020-12-format-annotation.json"),
    ),
    (
        "draft/2020-12/meta/format-assertion",
        include_str!("metaschema/2020-12-format-assertion.json"),
    ),
    (
        "draft/2020-12/meta/content",
        include_str!("metaschema/2020-12-content.json"),
    ),
];

/// What was read of the texts: a chart needs those of one draft, and reads them for one render.
static SCHEMAS: [OnceLock<Json>; TEXTS.len()] = [const { OnceLock::new() }; TEXTS.len()];

static LIBRARIES: [OnceLock<Document<'static>>; DRAFTS.len()] = [const { OnceLock::new() }; DRAFTS.len()];

/// Those of a draft, ready to be evaluated.
pub(super) fn library(draft: u16) -> &'static Document<'static> {
    let (_, library) = DRAFTS
        .iter()
        .zip(&LIBRARIES)
        .find(|(known, _)| **known == draft)
        .expect("invariant: each draft is among DRAFTS");
    library.get_or_init(|| {
        let library = Document::of_metaschema(draft);
        library.expect("invariant: the schemas of a draft refer to each other alone")
    })
}

/// The one with an address.
pub(super) fn find(address: &str) -> Option<&'static Json> {
    let name = match name(address)? {
        "schema" => "draft/2020-12/schema",
        name => name,
    };
    let mut schemas = TEXTS.iter().zip(&SCHEMAS);
    let ((_, text), schema) = schemas.find(|((known, _), _)| *known == name)?;
    let read = || read(text.as_bytes()).expect("invariant: the texts in metaschema/ are JSON");
    Some(schema.get_or_init(read))
}

/// The one of a draft.
pub(super) fn of(draft: u16) -> &'static Json {
    find(address(draft)).expect("invariant: each draft has its schema in metaschema/")
}

pub(super) fn address(draft: u16) -> &'static str {
    match draft {
        4 => "http://json-schema.org/draft-04/schema",
        6 => "http://json-schema.org/draft-06/schema",
        7 => "http://json-schema.org/draft-07/schema",
        2019 => "https://json-schema.org/draft/2019-09/schema",
        _ => "https://json-schema.org/draft/2020-12/schema",
    }
}

/// The draft that `$schema` means, if it names one itself.
pub(super) fn draft(named: &str) -> Option<u16> {
    let (address, fragment) = split(named);
    let text = address
        .strip_prefix("http://")
        .or_else(|| address.strip_prefix("https://"));
    match text.unwrap_or(address).strip_prefix("json-schema.org/")? {
        _ if !fragment.is_empty() => None,
        "schema" | "draft/2020-12/schema" => Some(2020),
        "draft/2019-09/schema" => Some(2019),
        "draft-07/schema" => Some(7),
        "draft-06/schema" => Some(6),
        "draft-04/schema" => Some(4),
        _ => None,
    }
}

fn name(address: &str) -> Option<&str> {
    address
        .strip_prefix("http://json-schema.org/")
        .or_else(|| address.strip_prefix("https://json-schema.org/"))
}
