//! Go's maps with string keys: shared, and changed in place by `set`, `unset` and `merge`.

use std::{cell::RefCell, collections::BTreeMap, fmt, rc::Rc};

use super::{CollectionType, Str, Value};

/// The entries at one moment, sorted by the bytes of their keys.
pub type Entries = Rc<BTreeMap<Str, Value>>;

/// A map. Clones are the same map: what one sees the other sees. Keys are sorted by bytes, as Go sorts them to range and to print.
#[derive(Clone)]
pub struct Map(Rc<Inner>);

struct Inner {
    storage: Storage,
    map_type: CollectionType,
    is_nil: bool,
}

enum Storage {
    // behind a second counter, so that who walks over the entries holds on to them while a template changes the map
    Own(RefCell<Entries>),
    /// Those of another map.
    Shared(Map),
}

impl Map {
    /// An empty `map[string]interface {}`
    pub fn new() -> Self {
        Self::of_type(CollectionType::ANY, BTreeMap::new())
    }

    /// A map of another type.
    pub fn of_type(map_type: CollectionType, entries: BTreeMap<Str, Value>) -> Self {
        Self(Rc::new(Inner {
            storage: Storage::Own(RefCell::new(Rc::new(entries))),
            map_type,
            is_nil: false,
        }))
    }

    /// The same map under another type: what one sees the other sees. Go converts so where it passes a named map on.
    #[must_use]
    pub fn with_type(&self, map_type: CollectionType) -> Self {
        if self.0.map_type == map_type {
            return self.clone();
        }
        let storage = Storage::Shared(self.owner().clone());
        Self(Rc::new(Inner {
            storage,
            map_type,
            is_nil: self.0.is_nil,
        }))
    }

    fn owner(&self) -> &Self {
        match &self.0.storage {
            Storage::Own(_) => self,
            Storage::Shared(owner) => owner.owner(),
        }
    }

    fn cell(&self) -> &RefCell<Entries> {
        match &self.0.storage {
            Storage::Own(entries) => entries,
            Storage::Shared(owner) => owner.cell(),
        }
    }

    /// A nil map: empty, but `null` in JSON.
    pub fn nil(map_type: CollectionType) -> Self {
        Self(Rc::new(Inner {
            storage: Storage::Own(RefCell::default()),
            map_type,
            is_nil: true,
        }))
    }

    /// The value of a key.
    pub fn get(&self, key: impl AsRef<[u8]>) -> Option<Value> {
        self.cell().borrow().get(key.as_ref()).cloned()
    }

    /// Whether there is such a key.
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.cell().borrow().contains_key(key.as_ref())
    }

    /// Sets a key, in all clones.
    pub fn set(&self, key: impl Into<Str>, value: impl Into<Value>) {
        let old = Rc::make_mut(&mut self.cell().borrow_mut()).insert(key.into(), value.into());
        drop(old);
    }

    /// Removes a key, in all clones.
    pub fn remove(&self, key: impl AsRef<[u8]>) {
        let old = Rc::make_mut(&mut self.cell().borrow_mut()).remove(key.as_ref());
        drop(old);
    }

    /// How many entries.
    pub fn len(&self) -> usize {
        self.cell().borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries as they are now, sorted by key. Later changes of the map do not show in them.
    pub fn entries(&self) -> Entries {
        Rc::clone(&self.cell().borrow())
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
        Rc::ptr_eq(&self.owner().0, &other.owner().0)
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
