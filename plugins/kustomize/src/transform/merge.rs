//! Strategic merge: the original's walk over a base and a patch, with its oddities.
//!
//! In the original a patch that meets nothing takes the place of the base, and is then merged with itself; that is
//! [`Other::Same`]. The schema says which lists merge, and by which keys; other lists are replaced.

use sluice_yaml::{CollectionStyle, Node, Value};

use crate::{
    Text,
    error::{Error, Result},
    fields::{self, Kind},
    schema::{MergeKeys, Schema, Shape},
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
        let first = if base.is_null() {
            patch.filter(|p| !p.is_null())
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
        if patch.is_null() {
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
                match mapping_directive(base)? {
                    Some(Directive::Delete) => return Ok(Outcome::Cleared),
                    Some(_) => drop(base.remove(DIRECTIVE)),
                    None => {}
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
                Ok(Outcome::Kept) => {}
                Ok(Outcome::Replaced(new)) => fields::assign(value, new),
                Ok(Outcome::Cleared) => cleared.push(at),
                Err(error) => return Err(within(error, &name)),
            }
        }
        let mut added = Vec::new();
        if let Some((patch, elided)) = patch {
            for (key, value) in patch.entries() {
                let name = fields::raw(key);
                let is_new = !(elided && name == DIRECTIVE)
                    && entries.iter().take(count).all(|(k, _)| fields::raw(k) != name);
                if is_new
                    && let Some(new) = self
                        .adopt(value, field_shape(name))
                        .map_err(|e| within(e, name))?
                {
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

    fn walk_list(
        &self,
        base: &mut Node,
        other: Other<'_>,
        shape: Option<Shape>,
        keys: &MergeKeys,
    ) -> Result<Outcome> {
        let Some(shape) = shape else {
            return Ok(Outcome::Kept);
        };
        let Other::Node(patch) = other else {
            self.merge_elements(base, other, shape, keys)?;
            return Ok(Outcome::Kept);
        };
        take_style_if_empty(base, patch);
        if base.is_null() {
            let mut own = patch.clone();
            self.merge_elements(&mut own, Other::Same, shape, keys)?;
            return Ok(Outcome::Replaced(own));
        }
        if patch.is_null() {
            return Ok(Outcome::Cleared);
        }
        match list_directive(patch)? {
            None => {
                self.merge_elements(base, other, shape, keys)?;
                Ok(Outcome::Kept)
            }
            Some((directive, rest)) => match directive {
                Directive::Delete => Ok(Outcome::Cleared),
                Directive::Replace => {
                    let mut own = rest;
                    self.merge_elements(&mut own, Other::Same, shape, keys)?;
                    Ok(Outcome::Replaced(own))
                }
                Directive::Merge => {
                    self.merge_elements(base, Other::Node(&rest), shape, keys)?;
                    Ok(Outcome::Kept)
                }
            },
        }
    }

    /// Pairs the elements of two lists. Those of the patch come first, then what is left of the base.
    fn merge_elements(
        &self,
        base: &mut Node,
        other: Other<'_>,
        shape: Shape,
        keys: &MergeKeys,
    ) -> Result<()> {
        let patch_items: &[Node] = match other {
            Other::Node(patch) => patch.items(),
            Other::Nothing | Other::Same => &[],
        };
        let element_shape = self.schema.element(shape);
        let single = [Text::default()];
        let (keys, mut wanted): (&[Text], _) = if keys.0.is_empty() {
            (&single, texts_of(patch_items.iter().chain(base.items())))
        } else {
            (
                &keys.0,
                key_values(patch_items.iter().chain(base.items()), &keys.0),
            )
        };
        if wanted.is_empty() {
            return Ok(());
        }
        if keys.len() > 1 {
            fill_gaps(&mut wanted);
        }
        let Some(base_items) = base.items_mut() else {
            return Ok(());
        };
        let mut arena = Elements {
            nodes: std::mem::take(base_items),
        };
        let mut rest: Vec<usize> = (0..arena.nodes.len()).collect();
        let mut merged: Vec<usize> = Vec::new();
        let mut last_keys: Vec<Text> = Vec::new();
        for values in &wanted {
            let (own_keys, own_values) = valid_keys(&wanted, values, keys);
            let (find_keys, find_values) =
                valid_keys(std::slice::from_ref(&own_values), &own_values, &own_keys);
            let in_base = rest
                .iter()
                .copied()
                .find(|i| arena.has(*i, &find_keys, &find_values));
            let in_patch = patch_items
                .iter()
                .find(|n| has_values(n, &find_keys, &find_values));
            let result = match (in_base, in_patch) {
                (Some(at), patch) => {
                    let pair = match (patch, other) {
                        (Some(patch), _) => Other::Node(patch),
                        (None, Other::Same) => Other::Same,
                        (None, _) => Other::Nothing,
                    };
                    match self.walk(arena.get_mut(at), pair, element_shape)? {
                        Outcome::Kept => Some(at),
                        Outcome::Replaced(new) => Some(arena.add(new)),
                        Outcome::Cleared => None,
                    }
                }
                (None, Some(patch)) => self.adopt(patch, element_shape)?.map(|new| arena.add(new)),
                (None, None) => None,
            };
            last_keys.clone_from(&own_keys);
            match result.filter(|at| !is_nothing(arena.get(*at))) {
                None => arena.set(&mut rest, None, &own_keys, &own_values)?,
                Some(at) => {
                    arena.name(at, &own_keys, &own_values)?;
                    arena.set(&mut merged, Some(at), &own_keys, &own_values)?;
                }
            }
        }
        arena.append(&mut merged, &rest, &last_keys)?;
        *base_items = arena.pick(&merged);
        Ok(())
    }
}

/// The elements of both lists while they are paired; lists are lists of indexes.
struct Elements {
    nodes: Vec<Node>,
}

impl Elements {
    fn get(&self, at: usize) -> &Node {
        self.nodes
            .get(at)
            .expect("invariant: indexes come from this arena")
    }

    fn get_mut(&mut self, at: usize) -> &mut Node {
        self.nodes
            .get_mut(at)
            .expect("invariant: indexes come from this arena")
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn has(&self, at: usize, keys: &[Text], values: &[Text]) -> bool {
        has_values(self.get(at), keys, values)
    }

    /// Gives an element the key fields it lacks.
    fn name(&mut self, at: usize, keys: &[Text], values: &[Text]) -> Result<()> {
        let node = self.get_mut(at);
        for (key, value) in keys.iter().zip(values) {
            if value.is_empty() || (node.is_mapping() && node.get(key).is_some()) {
                continue;
            }
            if key.is_empty() {
                fields::expect_kind(node, Kind::Scalar)?;
                fields::assign_untyped(node, value);
            } else {
                fields::expect_kind(node, Kind::Mapping)?;
                fields::set_untyped(node, key, value);
            }
        }
        Ok(())
    }

    /// Puts `element` where an element with these values is, or at the end; without one, removes them.
    fn set(
        &self,
        list: &mut Vec<usize>,
        element: Option<usize>,
        keys: &[Text],
        values: &[Text],
    ) -> Result<()> {
        let by_fields =
            keys.first().is_some_and(|k| !k.is_empty()) && values.first().is_some_and(|v| !v.is_empty());
        let mut kept = Vec::with_capacity(list.len() + 1);
        let mut is_matched = false;
        for &at in list.iter() {
            let node = self.get(at);
            if is_nothing(node) {
                continue;
            }
            if !node.is_mapping() && by_fields {
                kept.push(at);
                continue;
            }
            if !matches_all(node, keys, values)? {
                // Without any value everything goes: so it is in the original.
                if !values.is_empty() {
                    kept.push(at);
                }
                continue;
            }
            is_matched = true;
            kept.extend(element);
        }
        *list = kept;
        if let Some(element) = element
            && !is_matched
            && !self.get(element).is_null()
        {
            list.push(element);
        }
        Ok(())
    }

    /// Puts the elements of `from` into `list`, each at the place of its namesake.
    fn append(&self, list: &mut Vec<usize>, from: &[usize], keys: &[Text]) -> Result<()> {
        for &at in from {
            let node = self.get(at);
            if keys.first().is_none_or(|k| k.is_empty()) {
                self.set(list, Some(at), &[Text::default()], &[fields::shared(node)])?;
                continue;
            }
            let mut values = Vec::new();
            for key in keys {
                fields::expect_kind(node, Kind::Mapping)?;
                match node.get(key) {
                    Some(value) => values.push(fields::shared(value)),
                    None => list.push(at),
                }
            }
            if keys.len() > 1 {
                self.set(list, None, keys, &values)?;
            }
            self.set(list, Some(at), keys, &values)?;
        }
        Ok(())
    }

    fn pick(mut self, list: &[usize]) -> Vec<Node> {
        let mut uses = vec![0_u32; self.nodes.len()];
        for &at in list {
            if let Some(count) = uses.get_mut(at) {
                *count += 1;
            }
        }
        list.iter()
            .map(|&at| {
                if uses.get(at) == Some(&1) {
                    std::mem::take(self.get_mut(at))
                } else {
                    self.get(at).clone()
                }
            })
            .collect()
    }
}

fn is_nothing(node: &Node) -> bool {
    node.is_null() || (node.is_mapping() && node.entries().is_empty())
}

/// Whether an element has these values, every one of them.
fn has_values(node: &Node, keys: &[Text], values: &[Text]) -> bool {
    match keys.first() {
        Some(key) if !key.is_empty() => {
            node.is_mapping()
                && keys.len() == values.len()
                && keys
                    .iter()
                    .zip(values)
                    .all(|(k, v)| node.get(k).is_some_and(|found| fields::raw(found) == v))
        }
        _ => values.first().is_some_and(|v| fields::raw(node) == v),
    }
}

/// As [`has_values`], but an empty value asks only for the field, and missing values for nothing.
fn matches_all(node: &Node, keys: &[Text], values: &[Text]) -> Result<bool> {
    let mut found = false;
    for (at, key) in keys.iter().enumerate() {
        if let Some(value) = values.get(at) {
            found = if key.is_empty() {
                fields::expect_kind(node, Kind::Scalar)?;
                fields::value(node) == value
            } else {
                fields::expect_kind(node, Kind::Mapping)?;
                node.get(key)
                    .is_some_and(|v| value.is_empty() || fields::raw(v) == value)
            };
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(found)
}

/// The texts of scalars, each once.
fn texts_of<'a>(items: impl Iterator<Item = &'a Node>) -> Vec<Vec<Text>> {
    let mut all: Vec<Vec<Text>> = Vec::new();
    for item in items {
        let text = vec![fields::shared(item)];
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// The key values of elements, each combination once; empty where a key is missing.
fn key_values<'a>(items: impl Iterator<Item = &'a Node>, keys: &[Text]) -> Vec<Vec<Text>> {
    let mut all: Vec<Vec<Text>> = Vec::new();
    for item in items {
        let values = keys
            .iter()
            .map(|k| fields::present(item, k).map(fields::shared).unwrap_or_default())
            .collect();
        if !all.contains(&values) {
            all.push(values);
        }
    }
    all
}

/// Lends missing key values from elements that agree in another key.
fn fill_gaps(all: &mut [Vec<Text>]) {
    for i in 0..all.len() {
        for j in 0..all.len() {
            let joined = match (all.get(i), all.get(j)) {
                (Some(a), Some(b)) => join_values(a, b),
                _ => None,
            };
            if let Some(joined) = joined {
                if let Some(slot) = all.get_mut(i) {
                    slot.clone_from(&joined);
                }
                if let Some(slot) = all.get_mut(j) {
                    *slot = joined;
                }
            }
        }
    }
}

fn join_values(a: &[Text], b: &[Text]) -> Option<Vec<Text>> {
    if a.len() != b.len() {
        return None;
    }
    let mut agree = false;
    let mut joined = Vec::with_capacity(a.len());
    for (x, y) in a.iter().zip(b) {
        if x == y {
            agree = true;
        } else if !x.is_empty() && !y.is_empty() {
            return None;
        }
        joined.push(if x.is_empty() { y.clone() } else { x.clone() });
    }
    agree.then_some(joined)
}

/// The keys that some element has, and the values of one element for them.
fn valid_keys(all: &[Vec<Text>], values: &[Text], keys: &[Text]) -> (Vec<Text>, Vec<Text>) {
    let used: Vec<bool> = (0..keys.len())
        .map(|i| all.iter().any(|v| v.get(i).is_some_and(|t| !t.is_empty())))
        .collect();
    if !used.contains(&true) {
        return (keys.to_vec(), values.to_vec());
    }
    let kept = keys
        .iter()
        .zip(&used)
        .filter(|(_, used)| **used)
        .map(|(k, _)| k.clone())
        .collect();
    let kept_values = values
        .iter()
        .enumerate()
        .filter(|(i, v)| !v.is_empty() || used.get(*i) == Some(&true))
        .map(|(_, v)| v.clone())
        .collect();
    (kept, kept_values)
}

/// What a scalar or a list that does not merge becomes.
fn replace(patch: Option<&Node>) -> Outcome {
    match patch {
        None => Outcome::Kept,
        Some(patch) if patch.is_null() => Outcome::Cleared,
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
