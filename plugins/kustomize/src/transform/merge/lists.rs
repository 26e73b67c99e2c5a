//! Lists that merge: their elements are paired by keys.

use sluice_yaml::Node;

use super::{
    Directive, Other, Outcome, Walker,
    keys::{fill_gaps, has_values, key_values, matches_all, texts_of, valid_keys},
    list_directive, take_style_if_empty,
};
use crate::{
    Text,
    error::Result,
    fields::{self, Kind},
    schema::{MergeKeys, Shape},
};

impl Walker<'_> {
    pub(super) fn walk_list(
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
            // a list that the patch brings whole has its directives in it
            if let Other::Same = other
                && let Some((directive, rest)) = list_directive(base)?
            {
                match directive {
                    Directive::Delete => return Ok(Outcome::Cleared),
                    Directive::Replace | Directive::Merge => *base = rest,
                }
            }
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
    pub(super) fn merge_elements(
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

pub(super) fn is_nothing(node: &Node) -> bool {
    node.is_null() || (node.is_mapping() && node.entries().is_empty())
}
