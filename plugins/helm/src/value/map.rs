//! Go's maps with string keys: shared, and changed in place by `set`, `unset` and `merge`.

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

use super::{CollectionType, Str, Value};

/// The entries at one moment, sorted by the bytes of their keys.
pub type Entries = Rc<BTreeMap<Str, Value>>;

/// A map. Clones are the same map: what one sees the other sees. Keys are sorted by bytes, as Go sorts them to range and to print.
#[derive(Clone)]
pub struct Map(Rc<Inner>);

struct Inner {
    // behind a second counter, so that who walks over the entries holds on to them while a template changes the map
    entries: RefCell<Entries>,
    map_type: CollectionType,
    is_nil: bool,
}

impl Map {
    /// An empty `map[string]interface {}`
    pub fn new() -> Self {
        Self::of_type(CollectionType::ANY, BTreeMap::new())
    }

    /// A map of another type.
    pub fn of_type(map_type: CollectionType, entries: BTreeMap<Str, Value>) -> Self {
        Self(Rc::new(Inner {
            entries: RefCell::new(Rc::new(entries)),
            map_type,
            is_nil: false,
        }))
    }

    /// A nil map: empty, but `null` in JSON.
    pub fn nil(map_type: CollectionType) -> Self {
        Self(Rc::new(Inner {
            entries: RefCell::default(),
            map_type,
            is_nil: true,
        }))
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.0.entries.borrow().get(key.as_ref()).cloned()
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.0.entries.borrow().contains_key(key.as_ref())
    }

    /// Sets a key, in all clones.
    pub fn set(&self, key: impl Into<Str>, value: impl Into<Value>) {
        let old = Rc::make_mut(&mut self.0.entries.borrow_mut()).insert(key.into(), value.into());
        drop(old);
    }

    /// Removes a key, in all clones.
    pub fn remove(&self, key: impl AsRef<[u8]>) {
        let old = Rc::make_mut(&mut self.0.entries.borrow_mut()).remove(key.as_ref());
        drop(old);
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries as they are now, sorted by key. Later changes of the map do not show in them.
    pub fn entries(&self) -> Entries {
        Rc::clone(&self.0.entries.borrow())
    }

    /// The map's type.
    pub fn map_type(&self) -> CollectionType {
        self.0.map_type
    }

    /// Whether it is a nil map.
    pub fn is_nil(&self) -> bool {
        self.0.is_nil
    }

    /// The type's name, as `%T` prints it.
    pub fn type_name(&self) -> String {
        match self.0.map_type.named {
            Some(named) => named.name.to_owned(),
            None => format!("map[string]{}", self.0.map_type.element.name()),
        }
    }

    /// Whether both are the same map.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let entries = entries.into_iter().map(|(key, value)| (key.into(), value.into()));
        Self::of_type(CollectionType::ANY, entries.collect())
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.entries().iter()).finish()
    }
}
