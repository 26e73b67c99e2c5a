//! Go's slices. No function writes into one, so they are shared and never change.

use std::{fmt, rc::Rc};

use super::{CollectionType, Str, Value};

/// A slice: shared, unchanging.
#[derive(Clone)]
pub struct List(Rc<Inner>);

struct Inner {
    items: Vec<Value>,
    list_type: CollectionType,
    is_nil: bool,
}

impl List {
    /// `[]interface {}`
    pub fn new(items: Vec<Value>) -> Self {
        Self::of_type(CollectionType::ANY, items)
    }

    /// `[]string`
    pub fn of_strings<S: Into<Str>>(items: impl IntoIterator<Item = S>) -> Self {
        let items = items.into_iter().map(|item| Value::Str(item.into())).collect();
        Self::of_type(CollectionType::STRING, items)
    }

    /// A list of another type.
    pub fn of_type(list_type: CollectionType, items: Vec<Value>) -> Self {
        Self(Rc::new(Inner {
            items,
            list_type,
            is_nil: false,
        }))
    }

    /// A nil slice: empty, but `null` in JSON.
    pub fn nil(list_type: CollectionType) -> Self {
        Self(Rc::new(Inner {
            items: Vec::new(),
            list_type,
            is_nil: true,
        }))
    }

    /// What it holds.
    pub fn items(&self) -> &[Value] {
        &self.0.items
    }

    /// Its type.
    pub fn list_type(&self) -> CollectionType {
        self.0.list_type
    }

    /// Whether it is a nil slice.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// The type's name, as `%T` prints it.
    pub fn type_name(&self) -> String {
        match self.0.list_type.named {
            Some(named) => named.name.to_owned(),
            None => format!("[]{}", self.0.list_type.element.name()),
        }
    }

    /// Whether both are the same slice.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl FromIterator<Value> for List {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        Self::new(items.into_iter().collect())
    }
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.items()).finish()
    }
}
