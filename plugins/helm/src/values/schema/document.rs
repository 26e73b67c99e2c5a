//! A schema document: its draft, its references, its patterns, checked before anything is evaluated.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use serde_json::{Map as JsonMap, Value as Json};

use crate::go::regexp::Regexp;

/// How deep schemas and values may nest while they are checked (N26). Real schemas stay below 60.
pub(super) const DEPTH_MAX: usize = 300;

/// Where the library says that the schema lies.
pub(super) const LOCATION: &str = "file:///values.schema.json";

/// A schema, ready to be evaluated.
pub(super) struct Document<'a> {
    root: &'a Json,
    /// 4, 6, 7, 2019 or 2020.
    pub(super) draft: u16,
    /// Schemas by `$id` and `$anchor`, as references spell them.
    named: HashMap<String, &'a Json>,
    /// The schemas that were checked, by where they are in memory: references lead to them again and again.
    checked: RefCell<HashSet<*const Json>>,
    /// Where references lead, and where that is: not all of it lies below keywords.
    referred: RefCell<Vec<(&'a Json, String)>>,
}

/// Where a reference leads.
pub(super) enum Target<'a> {
    Schema(&'a Json),
    /// A `urn:` that nobody knows accepts everything.
    Anything,
}

/// Keywords with one schema.
const ONE: [&str; 13] = [
    "additionalProperties",
    "additionalItems",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "contains",
    "not",
    "if",
    "then",
    "else",
    "items",
    "contentSchema",
    "default-schema",
];

/// Keywords with schemas by name.
const BY_NAME: [&str; 6] = [
    "properties",
    "patternProperties",
    "definitions",
    "$defs",
    "dependentSchemas",
    "dependencies",
];

/// Keywords with a list of schemas.
const LISTS: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];

impl<'a> Document<'a> {
    pub(super) fn new(root: &'a Json) -> Result<Self, String> {
        let draft = match root.get("$schema") {
            None => 2020,
            Some(Json::String(uri)) => draft(uri)?,
            Some(_) => return Err(format!("invalid $schema in {LOCATION:?}: not a string")),
        };
        let mut document = Self {
            root,
            draft,
            named: HashMap::new(),
            checked: RefCell::default(),
            referred: RefCell::default(),
        };
        document.collect(root, "", 0)?;
        document.check(root, "", 0)?;
        loop {
            let Some((schema, place)) = document.referred.borrow_mut().pop() else {
                return Ok(document);
            };
            document.check(schema, &place, 0)?;
        }
    }

    pub(super) fn root(&self) -> &'a Json {
        self.root
    }

    fn collect(&mut self, schema: &'a Json, base: &str, depth: usize) -> Result<(), String> {
        too_deep(depth)?;
        let Json::Object(keywords) = schema else {
            return Ok(());
        };
        let mut base = base.to_owned();
        let id = keywords
            .get(if self.draft == 4 { "id" } else { "$id" })
            .and_then(Json::as_str);
        if let Some(id) = id {
            match id.strip_prefix('#') {
                Some(_) => drop(self.named.insert(format!("{base}{id}"), schema)),
                None => {
                    base = resolve(&base, id.trim_end_matches('#'));
                    self.named.insert(base.clone(), schema);
                }
            }
        }
        for anchor in ["$anchor", "$dynamicAnchor"] {
            if let Some(name) = keywords.get(anchor).and_then(Json::as_str) {
                self.named.insert(format!("{base}#{name}"), schema);
                self.named.entry(format!("#{name}")).or_insert(schema);
            }
        }
        for child in children(keywords) {
            self.collect(child, &base, depth + 1)?;
        }
        Ok(())
    }

    /// References lead somewhere, patterns are some, types are known: else the schema is refused whole, as by the library.
    fn check(&self, schema: &Json, place: &str, depth: usize) -> Result<(), String> {
        too_deep(depth)?;
        if !self.checked.borrow_mut().insert(std::ptr::from_ref(schema)) {
            return Ok(());
        }
        let keywords = match schema {
            Json::Object(keywords) => keywords,
            Json::Bool(_) => return Ok(()),
            _ => {
                return Err(self.invalid(&format!(
                    "- at '{place}': got {}, want boolean or object",
                    kind(schema)
                )));
            }
        };
        for reference in ["$ref", "$dynamicRef"] {
            if let Some(uri) = keywords.get(reference).and_then(Json::as_str)
                && let Target::Schema(target) = self.target(uri)?
            {
                let place = uri.trim_start_matches('#').to_owned();
                self.referred.borrow_mut().push((target, place));
            }
        }
        if let Some(pattern) = keywords.get("pattern").and_then(Json::as_str) {
            self.compile(pattern, &format!("{place}/pattern"))?;
        }
        if let Some(Json::Object(patterns)) = keywords.get("patternProperties") {
            for pattern in patterns.keys() {
                self.compile(pattern, &format!("{place}/patternProperties"))?;
            }
        }
        self.check_types(keywords, place)?;
        for (name, child) in named_children(keywords) {
            self.check(child, &format!("{place}/{name}"), depth + 1)?;
        }
        Ok(())
    }

    fn check_types(&self, keywords: &JsonMap<String, Json>, place: &str) -> Result<(), String> {
        let names: Vec<&Json> = match keywords.get("type") {
            None => return Ok(()),
            Some(Json::Array(names)) => names.iter().collect(),
            Some(name) => vec![name],
        };
        let is_known = |name: &&Json| name.as_str().is_some_and(|name| TYPES.contains(&name));
        match names.iter().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(_) => {
                let known = TYPES.map(|name| format!("'{name}'")).join(", ");
                Err(self.invalid(&format!(
                    "- at '{place}/type': 'anyOf' failed\n  - at '{place}/type': value must be one of {known}\n  - at '{place}/type': got string, want array"
                )))
            }
        }
    }

    fn invalid(&self, why: &str) -> String {
        let meta = match self.draft {
            4 => "http://json-schema.org/draft-04/schema#",
            6 => "http://json-schema.org/draft-06/schema#",
            7 => "http://json-schema.org/draft-07/schema#",
            2019 => "https://json-schema.org/draft/2019-09/schema#",
            _ => "https://json-schema.org/draft/2020-12/schema#",
        };
        format!(
            "\"{LOCATION}#\" is not valid against metaschema: jsonschema validation failed with '{meta}'\n{why}"
        )
    }

    fn compile(&self, pattern: &str, place: &str) -> Result<(), String> {
        Regexp::compile(pattern).map(drop).map_err(|why| {
            self.invalid(&format!(
                "- at '{place}': {} is not valid regex: {why}",
                super::problem::quoted(pattern)
            ))
        })
    }

    pub(super) fn matches(&self, pattern: &str, text: &str) -> bool {
        Regexp::compile(pattern).is_ok_and(|pattern| pattern.is_match(text.as_bytes()))
    }

    /// Where a reference leads. Only into this document.
    pub(super) fn target(&self, uri: &str) -> Result<Target<'a>, String> {
        if uri == "#" || uri.is_empty() {
            return Ok(Target::Schema(self.root));
        }
        if uri.starts_with("urn:") && !self.named.contains_key(uri) {
            return Ok(Target::Anything);
        }
        let (document, fragment) = uri.split_once('#').unwrap_or((uri, ""));
        let base = if document.is_empty() {
            Some(self.root)
        } else {
            let suffix = format!("/{document}");
            let known = |(name, schema): (&String, &&'a Json)| {
                (name == document || name.ends_with(&suffix)).then_some(*schema)
            };
            self.named.iter().find_map(known)
        };
        let Some(base) = base else {
            return Err(format!(
                "failing loading {document:?}: remote schemas are not loaded: put the schema into \"$defs\" of values.schema.json"
            ));
        };
        if fragment.is_empty() {
            return Ok(Target::Schema(base));
        }
        if !fragment.starts_with('/') {
            let anchor = format!("#{fragment}");
            let found = self
                .named
                .get(&format!("{document}{anchor}"))
                .or_else(|| self.named.get(&anchor));
            return found.map(|schema| Target::Schema(schema)).ok_or_else(|| {
                format!(
                    "anchor in {:?} not found in schema {:?}",
                    format!("{LOCATION}#{fragment}"),
                    format!("{LOCATION}#")
                )
            });
        }
        let pointer = percent_decoded(fragment);
        base.pointer(&pointer)
            .map(Target::Schema)
            .ok_or_else(|| format!("json-pointer in {:?} not found", format!("{LOCATION}#{fragment}")))
    }
}

/// The names of types, in the order of the meta-schema.
pub(super) const TYPES: [&str; 7] = [
    "array", "boolean", "integer", "null", "number", "object", "string",
];

/// The type of a value: a number is a number, be it an integer or not.
pub(super) fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

pub(super) fn too_deep(depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err(format!("the schema nests deeper than {DEPTH_MAX} levels"));
    }
    Ok(())
}

fn draft(uri: &str) -> Result<u16, String> {
    let name = uri.trim_end_matches('#');
    let name = name
        .strip_prefix("http://")
        .or_else(|| name.strip_prefix("https://"))
        .unwrap_or(name);
    match name {
        "json-schema.org/schema" | "json-schema.org/draft/2020-12/schema" => Ok(2020),
        "json-schema.org/draft/2019-09/schema" => Ok(2019),
        "json-schema.org/draft-07/schema" => Ok(7),
        "json-schema.org/draft-06/schema" => Ok(6),
        "json-schema.org/draft-04/schema" => Ok(4),
        _ => Err(format!(
            "failing loading {uri:?}: remote schemas are not loaded: \"$schema\" must name a draft from 4 to 2020-12"
        )),
    }
}

fn children(keywords: &JsonMap<String, Json>) -> impl Iterator<Item = &Json> {
    named_children(keywords).map(|(_, child)| child)
}

/// The schemas inside of a schema, with where they are.
fn named_children(keywords: &JsonMap<String, Json>) -> impl Iterator<Item = (String, &Json)> {
    let is_schema = |value: &&Json| value.is_object() || value.is_boolean();
    let one = ONE.iter().filter_map(move |name| {
        let child = keywords.get(*name).filter(is_schema)?;
        Some(((*name).to_owned(), child))
    });
    let by_name = BY_NAME.iter().flat_map(move |name| {
        let schemas = keywords
            .get(*name)
            .and_then(Json::as_object)
            .into_iter()
            .flatten();
        schemas
            .filter(|(_, child)| !child.is_array())
            .map(move |(key, child)| (format!("{name}/{key}"), child))
    });
    let lists = LISTS.iter().flat_map(move |name| {
        let schemas = keywords.get(*name).and_then(Json::as_array).into_iter().flatten();
        schemas
            .enumerate()
            .map(move |(index, child)| (format!("{name}/{index}"), child))
    });
    one.chain(by_name).chain(lists)
}

/// An `$id` against the one above it, as far as documents in one file need it.
fn resolve(base: &str, id: &str) -> String {
    if base.is_empty() || id.contains("://") || id.starts_with("urn:") {
        return id.to_owned();
    }
    let directory = base.rsplit_once('/').map_or("", |(directory, _)| directory);
    format!("{directory}/{}", id.trim_start_matches("./"))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        let escaped = match (byte, tail) {
            (b'%', [high, low, ..]) => [*high, *low]
                .iter()
                .map(|digit| {
                    char::from(*digit)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                })
                .collect::<Option<Vec<u8>>>(),
            _ => None,
        };
        match escaped.as_deref() {
            Some([high, low]) => {
                bytes.push(high << 4 | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*byte);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
