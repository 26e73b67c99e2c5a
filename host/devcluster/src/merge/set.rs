use super::path::PathElement;
use sluice_schema::Node;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A set of paths. A path may be a member without those below it, and the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    pub(super) members: BTreeSet<PathElement>,
    pub(super) children: BTreeMap<PathElement, FieldSet>,
}

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.children.values().all(Self::is_empty)
    }

    pub(super) fn insert(&mut self, path: &[PathElement]) {
        match path {
            [] => {}
            [last] => drop(self.members.insert(last.clone())),
            [first, rest @ ..] => match self.children.get_mut(first) {
                Some(child) => child.insert(rest),
                None => self.children.entry(first.clone()).or_default().insert(rest),
            },
        }
    }

    pub(super) fn has(&self, element: &PathElement) -> bool {
        self.members.contains(element)
    }

    pub(super) fn below(&self, element: &PathElement) -> Option<&Self> {
        self.children.get(element).filter(|child| !child.is_empty())
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut out = self.clone();
        out.absorb(other);
        out
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        for member in &other.members {
            if !self.members.contains(member) {
                self.members.insert(member.clone());
            }
        }
        for (element, child) in &other.children {
            match self.children.get_mut(element) {
                Some(own) => own.absorb(child),
                None => drop(self.children.insert(element.clone(), child.clone())),
            }
        }
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        let mut out = Self {
            members: self.members.intersection(&other.members).cloned().collect(),
            ..Self::default()
        };
        for (element, child) in &self.children {
            if let Some(theirs) = other.children.get(element) {
                let common = child.intersection(theirs);
                if !common.is_empty() {
                    out.children.insert(element.clone(), common);
                }
            }
        }
        out
    }

    /// The paths that `other` does not have; what lies below a path of `other` stays.
    pub(super) fn difference(&self, other: &Self) -> Self {
        let mut out = Self {
            members: self.members.difference(&other.members).cloned().collect(),
            ..Self::default()
        };
        for (element, child) in &self.children {
            let left = match other.children.get(element) {
                Some(theirs) => child.difference(theirs),
                None => child.clone(),
            };
            if !left.is_empty() {
                out.children.insert(element.clone(), left);
            }
        }
        out
    }

    /// Takes out a path and everything below it.
    pub(super) fn remove_below(&mut self, path: &[&str]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let element = PathElement::field(*first);
        if rest.is_empty() {
            self.members.remove(&element);
            self.children.remove(&element);
        } else if let Some(child) = self.children.get_mut(&element) {
            child.remove_below(rest);
            if child.is_empty() {
                self.children.remove(&element);
            }
        }
    }

    /// Keeps only one top-level field and what lies below it.
    pub(super) fn keep_only(&mut self, field: &str) {
        let element = PathElement::field(field);
        self.members.retain(|member| *member == element);
        self.children.retain(|member, _| *member == element);
    }

    /// The set with every named field that has paths below it as a member of its own.
    pub(super) fn with_named_fields(&self, node: &Node) -> Self {
        let mut out = Self {
            members: self.members.clone(),
            ..Self::default()
        };
        for (element, child) in &self.children {
            let below: Option<&Arc<Node>> = match element {
                PathElement::Field(name) => {
                    if node.has_named_field(name) {
                        out.members.insert(element.clone());
                    }
                    node.field(name)
                }
                PathElement::Key(_) => node.items.as_ref(),
                _ => None,
            };
            let child = match below {
                Some(node) => child.with_named_fields(node),
                None => child.with_named_fields(super::shape::deduced()),
            };
            out.children.insert(element.clone(), child);
        }
        out
    }

    /// Every path as text, `.spec.replicas`, members before what lies below them.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    fn collect(&self, prefix: &str, out: &mut Vec<String>) {
        out.extend(self.members.iter().map(|member| format!("{prefix}{member}")));
        for (element, child) in &self.children {
            child.collect(&format!("{prefix}{element}"), out);
        }
    }
}
