//! Strategic merge: the original's walk over a base and a patch, with its oddities.
//!
//! In the original a patch that meets nothing takes the place of the base, and is then merged with itself; that is
//! [`Other::Same`]. The schema says which lists merge, and by which keys; other lists are replaced.

mod keys;
mod lists;

use self::lists::is_nothing;
use sluice_yaml::{CollectionStyle, Node, Value};

use crate::{
    error::{Error, Result},
    fields::{self, Kind},
    schema::{Schema, Shape},
};

/// What became of a node of the base.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It stays, perhaps changed.
    Kept,
    /// Another one takes its place.
    Replaced(Node),
    /// It goes.
    Cleared,
}

/// Merges a patch into an object.
pub(crate) fn merge(base: &mut Node, patch: &Node, schema: &Schema) -> Result<Outcome> {
    Walker { schema }.walk(base, Other::Node(patch), None)
}

/// The patch's side of a pair.
#[derive(Clone, Copy)]
enum Other<'a> {
    Nothing,
    Node(&'a Node),
    /// The very node that is the base.
    Same,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

const DIRECTIVE: &str = "$patch";

struct Walker<'a> {
    schema: &'a Schema,
}

impl Walker<'_> {
    fn walk(&self, base: &mut Node, other: Other<'_>, shape: Option<Shape>) -> Result<Outcome> {
        let patch = match other {
            Other::Node(node) => Some(node),
            Other::Nothing | Other::Same => None,
        };
        let shape = self
            .schema
            .written(base)
            .or_else(|| patch.and_then(|p| self.schema.written(p)))
            .or(shape)
            .or_else(|| self.shape_of(base))
            .or_else(|| patch.and_then(|p| self.shape_of(p)));
        let first = if fields::is_written_null(base) {
            patch.filter(|p| !fields::is_written_null(p))
        } else {
            Some(&*base)
        };
        let Some(kind) = first.map(fields::kind) else {
            return self.walk_mapping(base, other, shape);
        };
        if let Some(patch) = patch {
            fields::expect_kind(patch, kind).map_err(|e| {
                e.help(format!(
                    "line {} of the patch meets something else in the object",
                    patch.position.line
                ))
            })?;
        }
        match kind {
            Kind::Mapping => self.walk_mapping(base, other, shape),
            Kind::Scalar => Ok(replace(patch)),
            Kind::Sequence => match shape.and_then(|s| self.schema.merge_keys(s)) {
                Some(keys) => self.walk_list(base, other, shape, &keys),
                None => Ok(replace(patch)),
            },
        }
    }

    /// A patch that meets nothing.
    fn adopt(&self, patch: &Node, shape: Option<Shape>) -> Result<Option<Node>> {
        if fields::is_written_null(patch) {
            return Ok(None);
        }
        let mut node = patch.clone();
        if patch.is_mapping() {
            match mapping_directive(patch) {
                Ok(Some(Directive::Delete)) => return Ok(None),
                Ok(Some(_)) => drop(node.remove(DIRECTIVE)),
                // Unknown ones are not seen here, as in the original.
                Ok(None) | Err(_) => {}
            }
            let shape = shape.or_else(|| self.shape_of(patch));
            self.walk_fields(&mut node, None, true, shape)?;
            return Ok(Some(node));
        }
        let shape = self.schema.written(patch).or(shape);
        if let (true, Some(shape)) = (patch.is_sequence(), shape)
            && let Some(keys) = self.schema.merge_keys(shape)
        {
            self.merge_elements(&mut node, Other::Same, shape, &keys)?;
        }
        Ok(Some(node))
    }

    /// The schema of a node that says its own kind, such as an object within an object.
    fn shape_of(&self, node: &Node) -> Option<Shape> {
        let text = |field: &str| {
            fields::present(node, field)
                .map(fields::value)
                .filter(|t| !t.is_empty())
        };
        self.schema.of_kind(text("apiVersion")?, text("kind")?)
    }

    fn walk_mapping(&self, base: &mut Node, other: Other<'_>, shape: Option<Shape>) -> Result<Outcome> {
        let patch = match other {
            Other::Node(patch) => patch,
            // An empty null goes, one that was written stays.
            Other::Nothing if base.is_null() => {
                return Ok(if fields::raw(base).is_empty() {
                    Outcome::Cleared
                } else {
                    Outcome::Kept
                });
            }
            Other::Same if base.is_null() => return Ok(Outcome::Cleared),
            Other::Nothing => {
                self.walk_fields(base, None, false, shape)?;
                return Ok(Outcome::Kept);
            }
            Other::Same => {
                let directive = mapping_directive(base)?;
                if directive.is_some() {
                    base.remove(DIRECTIVE);
                }
                if directive == Some(Directive::Delete) {
                    return Ok(Outcome::Cleared);
                }
                self.walk_fields(base, None, true, shape)?;
                return Ok(Outcome::Kept);
            }
        };
        take_style_if_empty(base, patch);
        if base.is_null() {
            return Ok(self
                .adopt(patch, shape)?
                .map_or(Outcome::Cleared, Outcome::Replaced));
        }
        if patch.is_null() {
            return Ok(Outcome::Cleared);
        }
        let directive = mapping_directive(patch)?;
        match directive {
            Some(Directive::Delete) => Ok(Outcome::Cleared),
            Some(Directive::Replace) => Ok(self
                .adopt(patch, shape)?
                .map_or(Outcome::Cleared, Outcome::Replaced)),
            _ => {
                self.walk_fields(base, Some((patch, directive.is_some())), false, shape)?;
                Ok(Outcome::Kept)
            }
        }
    }

    /// The fields of a mapping: those of the base in order, then those that only the patch has.
    fn walk_fields(
        &self,
        base: &mut Node,
        patch: Option<(&Node, bool)>,
        is_same: bool,
        shape: Option<Shape>,
    ) -> Result<()> {
        let field_shape = |name: &str| shape.and_then(|s| self.schema.field(s, name));
        let from_patch = |name: &str| {
            let (patch, elided) = patch?;
            if elided && name == DIRECTIVE {
                None
            } else {
                patch.get(name)
            }
        };
        // a field without a name is the node itself to the original, which has no place for the value there
        if has_unnamed(base) || patch.is_some_and(|(patch, _)| has_unnamed(patch)) {
            fields::expect_kind(base, Kind::Scalar)
                .map_err(|e| e.help("strategic merge wants names of fields that are text, and not empty"))?;
        }
        let Some(entries) = base.entries_mut() else {
            return Ok(());
        };
        let count = entries.len();
        let mut cleared = Vec::new();
        for (at, (key, value)) in entries.iter_mut().enumerate() {
            let name = fields::shared(key);
            let other = match from_patch(&name) {
                Some(patch) => Other::Node(patch),
                None if is_same => Other::Same,
                None => Other::Nothing,
            };
            match self.walk(value, other, field_shape(&name)) {
                // set again, as it is: the original quotes it then; what takes its place has the style that is there
                Ok(Outcome::Kept) => fields::settle_text(value),
                Ok(Outcome::Replaced(new)) => fields::assign(value, new),
                Ok(Outcome::Cleared) => cleared.push(at),
                Err(error) => return Err(within(error, &name)),
            }
        }
        // of a key that stands twice in the patch the first counts
        let mut added: Vec<(Node, Node)> = Vec::new();
        if let Some((patch, elided)) = patch {
            for (key, value) in patch.entries() {
                let name = fields::raw(key);
                let is_new = !(elided && name == DIRECTIVE)
                    && entries.iter().take(count).all(|(k, _)| fields::raw(k) != name)
                    && added.iter().all(|(k, _)| fields::raw(k) != name);
                if is_new
                    && let Some(mut new) = self
                        .adopt(value, field_shape(name))
                        .map_err(|e| within(e, name))?
                {
                    fields::settle_text(&mut new);
                    added.push((key.clone(), new));
                }
            }
        }
        if !cleared.is_empty() {
            let mut at = 0;
            entries.retain(|_| {
                at += 1;
                !cleared.contains(&(at - 1))
            });
        }
        entries.append(&mut added);
        Ok(())
    }
}

/// Whether a key is empty, or no text at all.
fn has_unnamed(mapping: &Node) -> bool {
    mapping
        .entries()
        .iter()
        .any(|(key, _)| fields::raw(key).is_empty())
}

/// What a scalar or a list that does not merge becomes.
fn replace(patch: Option<&Node>) -> Outcome {
    match patch {
        None => Outcome::Kept,
        Some(patch) if fields::is_written_null(patch) => Outcome::Cleared,
        Some(patch) => Outcome::Replaced(patch.clone()),
    }
}

fn take_style_if_empty(base: &mut Node, patch: &Node) {
    let from = match &patch.value {
        Value::Mapping(_, style) | Value::Sequence(_, style) => *style,
        _ => CollectionStyle::Block,
    };
    match &mut base.value {
        Value::Mapping(entries, style) if entries.is_empty() => *style = from,
        Value::Sequence(items, style) if items.is_empty() => *style = from,
        _ => {}
    }
}

fn directive(value: &Node) -> Result<Directive> {
    match fields::raw(value) {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        other => Err(
            Error::new(format!("unknown patch strategy '{other}'")).help(format!(
                "line {}: $patch is one of merge, replace, delete",
                value.position.line
            )),
        ),
    }
}

fn mapping_directive(patch: &Node) -> Result<Option<Directive>> {
    patch.get(DIRECTIVE).map(directive).transpose()
}

/// The directive of a list, an element of its own, and the list without it.
fn list_directive(patch: &Node) -> Result<Option<(Directive, Node)>> {
    let Some(element) = patch.items().iter().find(|item| item.get(DIRECTIVE).is_some()) else {
        return Ok(None);
    };
    let (1, Some(value)) = (element.entries().len(), element.get(DIRECTIVE)) else {
        return Ok(None);
    };
    let directive = directive(value)?;
    let mut rest = patch.clone();
    let text = fields::raw(value);
    if let Some(items) = rest.items_mut() {
        items.retain(|item| !is_nothing(item) && item.get(DIRECTIVE).is_none_or(|v| fields::raw(v) != text));
    }
    Ok(Some((directive, rest)))
}

/// Adds one step to the path of the field that an error is about.
fn within(error: Error, name: &str) -> Error {
    let path = match error.field() {
        Some(inner) => format!("{name}.{inner}"),
        None => name.to_owned(),
    };
    error.with_field(path)
}
