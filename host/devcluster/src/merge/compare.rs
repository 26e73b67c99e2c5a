use super::path::PathElement;
use super::set::FieldSet;
use super::shape::{self, Shape};
use serde_json::{Map, Value};
use sluice_schema::Node;
use std::collections::BTreeMap;

/// What is different between two values, as sets of paths.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) removed: FieldSet,
    pub(super) modified: FieldSet,
    pub(super) added: FieldSet,
}

/// Compares two values of one schema.
pub(super) fn compare(node: &Node, old: &Value, new: &Value) -> Comparison {
    let mut walk = Walk {
        path: Vec::new(),
        found: Comparison::default(),
    };
    walk.visit(node, Some(old), Some(new));
    walk.found
}

struct Walk {
    path: Vec<PathElement>,
    found: Comparison,
}

impl Walk {
    fn visit(&mut self, node: &Node, old: Option<&Value>, new: Option<&Value>) {
        if old == new {
            return;
        }
        let mut is_leaf = false;
        let shapes = (
            old.map(|old| shape::shape(node, old)),
            new.map(|new| shape::shape(node, new)),
        );
        match shapes {
            (Some(was), Some(is))
                if was != is && !old.is_some_and(Value::is_null) && !new.is_some_and(Value::is_null) =>
            {
                // the value changed its nature: what was below it is gone, what is below it is new
                is_leaf = self.descend(was, node, old, None) | self.descend(is, node, None, new);
                if is_leaf {
                    self.found.modified.insert(&self.path);
                }
            }
            (_, Some(shape)) | (Some(shape), None) => {
                let shape = match (shapes.0, new) {
                    (Some(was), Some(Value::Null)) => was,
                    _ => shape,
                };
                is_leaf = self.descend(shape, node, old, new);
                if is_leaf {
                    match (old, new) {
                        (None, _) => self.found.added.insert(&self.path),
                        (_, None) => self.found.removed.insert(&self.path),
                        _ => self.found.modified.insert(&self.path),
                    }
                }
            }
            (None, None) => {}
        }
        if !is_leaf {
            match (old, new) {
                (None, Some(_)) => self.found.added.insert(&self.path),
                (Some(_), None) => self.found.removed.insert(&self.path),
                _ => {}
            }
        }
    }

    /// Goes below a list or a mapping; says whether the value is a leaf instead.
    fn descend(&mut self, shape: Shape, node: &Node, old: Option<&Value>, new: Option<&Value>) -> bool {
        match shape {
            Shape::Scalar | Shape::AtomicList | Shape::AtomicMap => true,
            Shape::List => {
                let items =
                    |value: Option<&'_ Value>| value.and_then(Value::as_array).is_none_or(Vec::is_empty);
                if items(old) && items(new) {
                    return true;
                }
                self.list(node, old, new);
                false
            }
            Shape::Map => {
                let empty =
                    |value: Option<&'_ Value>| value.and_then(Value::as_object).is_none_or(Map::is_empty);
                if empty(old) && empty(new) {
                    return true;
                }
                self.map(node, old, new);
                false
            }
        }
    }

    fn step(&mut self, element: PathElement, node: &Node, old: Option<&Value>, new: Option<&Value>) {
        self.path.push(element);
        self.visit(node, old, new);
        self.path.pop();
    }

    fn map(&mut self, node: &Node, old: Option<&Value>, new: Option<&Value>) {
        let (old, new) = (old.and_then(Value::as_object), new.and_then(Value::as_object));
        for (name, was) in old.into_iter().flatten() {
            if let Some(field) = shape::field(node, name) {
                let is = new.and_then(|new| new.get(name));
                self.step(PathElement::Field(name.clone()), field, Some(was), is);
            }
        }
        for (name, is) in new.into_iter().flatten() {
            if old.is_some_and(|old| old.contains_key(name)) {
                continue;
            }
            if let Some(field) = shape::field(node, name) {
                self.step(PathElement::Field(name.clone()), field, None, Some(is));
            }
        }
    }

    fn list(&mut self, node: &Node, old: Option<&Value>, new: Option<&Value>) {
        let (old, new) = (by_element(node, old), by_element(node, new));
        let elements = old
            .keys()
            .chain(new.keys().filter(|element| !old.contains_key(*element)));
        for element in elements {
            let was = old.get(element).map(Vec::as_slice).unwrap_or_default();
            let is = new.get(element).map(Vec::as_slice).unwrap_or_default();
            self.duplicates(node, element, was, is);
        }
    }

    /// Items that appear more than once under one key are compared as one value.
    fn duplicates(&mut self, node: &Node, element: &PathElement, was: &[&Value], is: &[&Value]) {
        let item = shape::item(node);
        let mut path = self.path.clone();
        path.push(element.clone());
        match (was, is) {
            ([] | [_], [] | [_]) => {
                self.step(element.clone(), item, was.first().copied(), is.first().copied())
            }
            ([_, _, ..], [_, _, ..]) => {
                if was != is {
                    self.found.modified.insert(&path);
                }
            }
            ([_, _, ..], _) => {
                if let Some(is) = is.first() {
                    self.step(element.clone(), item, None, Some(is));
                }
                self.found.removed.insert(&path);
            }
            (_, [_, _, ..]) => {
                if let Some(was) = was.first() {
                    self.step(element.clone(), item, Some(was), None);
                }
                self.found.added.insert(&path);
            }
        }
    }
}

fn by_element<'v>(node: &Node, list: Option<&'v Value>) -> BTreeMap<PathElement, Vec<&'v Value>> {
    let mut found: BTreeMap<PathElement, Vec<&Value>> = BTreeMap::new();
    for item in list.and_then(Value::as_array).into_iter().flatten() {
        if let Ok(element) = shape::element(node, item) {
            found.entry(element).or_default().push(item);
        }
    }
    found
}
