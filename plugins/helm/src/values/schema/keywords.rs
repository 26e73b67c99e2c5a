//! Which keywords have schemas in them.

use super::{
    json::{Fields, Json},
    location::escape,
};

/// The keywords of a schema. Some thirty are asked for, and most schemas have three: nearly all others are known to be missing
/// without being looked for.
#[derive(Clone, Copy)]
pub(super) struct Keywords<'a> {
    fields: &'a Fields,
    present: u64,
}

impl<'a> Keywords<'a> {
    /// `present` is what [`present`] says of the fields.
    pub(super) fn new(fields: &'a Fields, present: u64) -> Self {
        Self { fields, present }
    }

    #[inline]
    pub(super) fn get(self, name: &str) -> Option<&'a Json> {
        if self.present & bit(name) == 0 {
            return None;
        }
        self.fields.get(name)
    }

    /// As [`is_replaced`].
    pub(super) fn is_replaced(self, draft: u16) -> bool {
        self.present & bit("$ref") != 0 && is_replaced(self.fields, draft)
    }
}

/// The bits of all names.
pub(super) fn present(fields: &Fields) -> u64 {
    fields.keys().fold(0, |present, name| present | bit(name))
}

/// One of 64 for each name, chosen so that few of the known keywords share one.
#[inline]
fn bit(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let [first, last] = [bytes.first(), bytes.last()].map(|byte| usize::from(byte.copied().unwrap_or(0)));
    1 << (name.len().wrapping_mul(13).wrapping_add(first + 17 * last) % 64)
}

/// What a keyword has in it.
#[derive(Clone, Copy, PartialEq)]
enum Holds {
    One,
    List,
    ByName,
    /// `true` and `false` are no schemas there.
    Additional,
}

/// A keyword, from which draft on schemas in it may have addresses, and the drafts in which it is a rule.
type Keyword = (&'static str, Holds, u16, std::ops::RangeInclusive<u16>);

/// There is no such draft.
const NEVER: std::ops::RangeInclusive<u16> = 0..=0;

const KEYWORDS: [Keyword; 23] = [
    ("definitions", Holds::ByName, 4, NEVER),
    ("$defs", Holds::ByName, 2019, NEVER),
    ("contentSchema", Holds::One, 2019, NEVER),
    ("allOf", Holds::List, 4, 4..=2020),
    ("anyOf", Holds::List, 4, 4..=2020),
    ("oneOf", Holds::List, 4, 4..=2020),
    ("not", Holds::One, 4, 4..=2020),
    ("items", Holds::One, 4, 4..=2020),
    ("items", Holds::List, 4, 4..=2019),
    ("additionalItems", Holds::Additional, 4, 4..=2019),
    ("properties", Holds::ByName, 4, 4..=2020),
    ("patternProperties", Holds::ByName, 4, 4..=2020),
    ("additionalProperties", Holds::Additional, 4, 4..=2020),
    ("dependencies", Holds::ByName, 4, 4..=2020),
    ("contains", Holds::One, 6, 6..=2020),
    ("propertyNames", Holds::One, 6, 6..=2020),
    ("if", Holds::One, 7, 7..=2020),
    ("then", Holds::One, 7, 7..=2020),
    ("else", Holds::One, 7, 7..=2020),
    ("dependentSchemas", Holds::ByName, 2019, 2019..=2020),
    ("unevaluatedItems", Holds::One, 2019, 2019..=2020),
    ("unevaluatedProperties", Holds::One, 2019, 2019..=2020),
    ("prefixItems", Holds::List, 2020, 2020..=2020),
];

/// The schemas in a schema that may have addresses and anchors, with the pointers to them from it.
pub(super) fn within(keywords: &Fields, draft: u16) -> Vec<(String, &Json)> {
    let present = present(keywords);
    let known = KEYWORDS
        .iter()
        .filter(|(name, _, since, _)| present & bit(name) != 0 && *since <= draft);
    known
        .flat_map(|(name, holds, ..)| held(keywords, name, *holds))
        .collect()
}

/// The schemas in a schema that are rules.
pub(super) fn evaluated(keywords: &Fields, draft: u16) -> Vec<(String, &Json)> {
    let (present, is_replaced) = (present(keywords), is_replaced(keywords, draft));
    let rules = KEYWORDS.iter().filter(|(name, _, since, drafts)| {
        present & bit(name) != 0
            && drafts.contains(&draft)
            && !(is_replaced && *since == 4)
            && applies(keywords, name)
    });
    rules
        .flat_map(|(name, holds, ..)| held(keywords, name, *holds))
        .collect()
}

/// Some rules count only beside others: nothing else is looked at in them, not even where they lead.
fn applies(keywords: &Fields, name: &str) -> bool {
    let may_be = |outcome: bool| match keywords.get("if") {
        None => false,
        Some(Json::Bool(always)) => *always == outcome,
        Some(_) => true,
    };
    match name {
        "then" => may_be(true),
        "else" => may_be(false),
        "additionalItems" => matches!(keywords.get("items"), Some(Json::Array(_))),
        _ => true,
    }
}

/// Before 2019-09 most of what stands beside `$ref` does not count.
pub(super) fn is_replaced(keywords: &Fields, draft: u16) -> bool {
    draft < 2019 && matches!(keywords.get("$ref"), Some(Json::String(_)))
}

fn held<'a>(keywords: &'a Fields, name: &str, holds: Holds) -> Vec<(String, &'a Json)> {
    let at = |key: &str| format!("/{name}/{}", escape(key));
    match (keywords.get(name), holds) {
        (Some(Json::Array(items)), Holds::List) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| (at(&index.to_string()), item))
                .collect()
        }
        (Some(Json::Object(fields)), Holds::ByName) => {
            let schemas = fields.iter().filter(|(_, schema)| schema.as_array().is_none());
            schemas.map(|(key, schema)| (at(key), schema)).collect()
        }
        (Some(Json::Array(_)), Holds::One) => Vec::new(),
        (Some(Json::Bool(_)), Holds::Additional) | (None, _) | (_, Holds::List | Holds::ByName) => Vec::new(),
        (Some(schema), Holds::One | Holds::Additional) => vec![(format!("/{name}"), schema)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found() {
        let names = KEYWORDS.map(|(name, ..)| name);
        for name in names.into_iter().chain(["", "x", "$ref", "type", "unknown"]) {
            let one = Fields::from([(name.to_owned(), Json::Null)]);
            let keywords = Keywords::new(&one, present(&one));
            assert_eq!(keywords.get(name), Some(&Json::Null), "{name}");
            let mut others = names.iter().filter(|other| **other != name);
            assert!(others.all(|other| keywords.get(other).is_none()), "{name}");
        }
    }
}
