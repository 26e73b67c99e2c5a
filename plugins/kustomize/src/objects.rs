//! The objects of a build, in order, found by identity without a scan.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::{
    Text,
    error::{Error, Result},
    fields,
    id::Id,
    object::Object,
    schema::Schema,
    selector::Selector,
};

/// Objects in order.
///
/// **Invariant:** where `indexed`, every identity that an object has or had is in the maps. They may hold more: entries are
/// never removed, and what they give is checked.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    list: Vec<Object>,
    /// By a hash of the identity, which the objects have themselves.
    by_id: HashMap<u64, Vec<u32>>,
    by_name: HashMap<Text, Vec<u32>>,
    indexed: bool,
}

fn hash_of(id: &Id) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.key().hash(&mut hasher);
    hasher.finish()
}

impl Objects {
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Object> {
        self.list.iter()
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Object> {
        self.list.get(index)
    }

    pub(crate) fn into_vec(self) -> Vec<Object> {
        self.list
    }

    /// Takes the list, to be given back by [`Objects::replace`].
    pub(crate) fn take(&mut self) -> Vec<Object> {
        self.indexed = false;
        std::mem::take(&mut self.list)
    }

    pub(crate) fn replace(&mut self, list: Vec<Object>) {
        self.indexed = false;
        self.list = list;
    }

    /// Adds an object.
    ///
    /// # Errors
    /// Another one has the same identity.
    pub(crate) fn push(&mut self, object: Object, schema: &Schema) -> Result<()> {
        self.index(schema);
        let id = object.id(schema);
        if let Some(other) = self.with_id(&id, schema).first().and_then(|i| self.list.get(*i)) {
            let (place, first) = (object.position(), &other.source);
            return Err(Error::new(format!(
                "may not add resource with an already registered id: {id}"
            ))
            .at(&object.source.file, place)
            .about(&id)
            .help(format!(
                "the same object is in {}:{}; remove one of them, or rename it",
                first.file, first.line
            )));
        }
        let at = self.list.len();
        self.list.push(object);
        self.note(at, schema);
        Ok(())
    }

    /// Adds all objects of a list, in order.
    pub(crate) fn append(
        &mut self,
        objects: impl IntoIterator<Item = Object>,
        schema: &Schema,
    ) -> Result<()> {
        objects
            .into_iter()
            .try_for_each(|object| self.push(object, schema))
    }

    fn index(&mut self, schema: &Schema) {
        if self.indexed {
            return;
        }
        self.by_id.clear();
        self.by_name.clear();
        self.indexed = true;
        for at in 0..self.list.len() {
            self.note(at, schema);
        }
    }

    /// Records the identities of one object.
    fn note(&mut self, at: usize, schema: &Schema) {
        let Some(object) = self.list.get(at) else { return };
        let index = u32::try_from(at).expect("invariant: the limits allow fewer objects");
        let mut ids = object.previous_ids();
        ids.push(object.id(schema));
        for id in ids {
            let keyed = self.by_id.entry(hash_of(&id)).or_default();
            if !keyed.contains(&index) {
                keyed.push(index);
            }
            let named = self.by_name.entry(id.name).or_default();
            if named.last() != Some(&index) && !named.contains(&index) {
                named.push(index);
            }
        }
    }

    /// Changes one object.
    pub(crate) fn modify<T>(
        &mut self,
        at: usize,
        schema: &Schema,
        change: impl FnOnce(&mut Object) -> Result<T>,
    ) -> Result<T> {
        let Some(object) = self.list.get_mut(at) else {
            return Err(Error::new("no object at this index"));
        };
        let indexed = self.indexed;
        let before = indexed.then(|| (object.identity(), object.generation()));
        let result = change(object);
        object.settle_shared();
        if before.is_some_and(|before| before != (object.identity(), object.generation())) {
            self.note(at, schema);
        }
        result
    }

    /// The objects that have this identity now.
    pub(crate) fn with_id(&mut self, id: &Id, schema: &Schema) -> Vec<usize> {
        self.candidates(id, schema)
            .into_iter()
            .filter(|i| self.list.get(*i).is_some_and(|o| o.id(schema) == *id))
            .collect()
    }

    /// The objects that have or had this identity.
    pub(crate) fn with_any_id(&mut self, id: &Id, schema: &Schema) -> Vec<usize> {
        let matches = |o: &Object| {
            !fields::is_nil_or_empty(&o.node)
                && (o.id(schema) == *id || o.previous_ids().iter().any(|p| p == id))
        };
        self.candidates(id, schema)
            .into_iter()
            .filter(|i| self.list.get(*i).is_some_and(matches))
            .collect()
    }

    fn candidates(&mut self, id: &Id, schema: &Schema) -> Vec<usize> {
        self.index(schema);
        let mut found: Vec<usize> = self
            .by_id
            .get(&hash_of(id))
            .into_iter()
            .flatten()
            .map(|i| *i as usize)
            .collect();
        found.sort_unstable();
        found
    }

    /// The objects that have or had this name.
    pub(crate) fn with_any_name(&mut self, name: &str, schema: &Schema) -> Vec<usize> {
        self.index(schema);
        let mut found: Vec<usize> = self
            .by_name
            .get(name)
            .into_iter()
            .flatten()
            .map(|i| *i as usize)
            .collect();
        found.sort_unstable();
        found
    }

    /// The objects that a selector picks.
    pub(crate) fn select(&mut self, selector: &Selector, schema: &Schema) -> Result<Vec<usize>> {
        let candidates = match selector.literal_name() {
            Some(name) => self.with_any_name(name, schema),
            None => (0..self.list.len()).collect(),
        };
        let mut found = Vec::new();
        for at in candidates {
            if let Some(object) = self.list.get(at)
                && selector.picks(object, schema)?
            {
                found.push(at);
            }
        }
        Ok(found)
    }

    /// The only object that has or had this identity.
    pub(crate) fn only_with_any_id(&mut self, id: &Id, schema: &Schema) -> Result<usize> {
        let found = self.with_any_id(id, schema);
        match found.as_slice() {
            [one] => Ok(*one),
            [] => {
                let near = self.nearest(id, schema);
                let error = Error::new(format!(
                    "no matches for Id {id}; failed to find unique target for patch {id}"
                ));
                Err(near.map_or(error.clone(), |near| error.help(near)))
            }
            many => {
                let places: Vec<String> = many
                    .iter()
                    .filter_map(|i| self.list.get(*i))
                    .map(|o| format!("{} ({}:{})", o.id(schema), o.source.file, o.source.line))
                    .collect();
                Err(Error::new(format!(
                    "multiple matches for Id {id}; failed to find unique target for patch {id}"
                ))
                .help(format!("these match: {}", places.join(", "))))
            }
        }
    }

    /// What somebody who asked for `id` may have meant.
    fn nearest(&mut self, id: &Id, schema: &Schema) -> Option<String> {
        let same_name = self.with_any_name(&id.name, schema);
        if let Some(object) = same_name.first().and_then(|i| self.list.get(*i)) {
            return Some(format!(
                "an object of that name is {} in {}:{}; apiVersion, kind and namespace must agree",
                object.id(schema),
                object.source.file,
                object.source.line
            ));
        }
        let names: Vec<Text> = self
            .list
            .iter()
            .filter(|o| o.kind() == id.gvk.kind)
            .map(Object::name)
            .collect();
        let name = crate::nearest::nearest(&id.name, names.iter().map(Text::as_str))?;
        Some(format!("did you mean {} {name}?", id.gvk.kind))
    }

    /// Drops objects that a patch emptied.
    pub(crate) fn drop_empty(&mut self) {
        let before = self.list.len();
        self.list.retain(|o| !fields::is_nil_or_empty(&o.node));
        self.indexed &= self.list.len() == before;
    }
}
