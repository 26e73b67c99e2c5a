use super::set::FieldSet;
use super::update::Conflict;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// More entries of updates than this are folded together, oldest first, as the real server does.
const UPDATE_MANAGERS_MAX: usize = 10;

/// How a field was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// Who writes: the identity of a `managedFields` entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Writer {
    pub(crate) operation: Operation,
    pub(crate) manager: String,
    /// The version that was written; for an apply it may change and is no part of the identity.
    pub(crate) api_version: String,
    pub(crate) subresource: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    operation: Operation,
    manager: String,
    api_version: String,
    subresource: String,
}

impl Writer {
    fn identity(&self) -> Identity {
        Identity {
            operation: self.operation,
            manager: self.manager.clone(),
            api_version: if self.operation == Operation::Apply {
                String::new()
            } else {
                self.api_version.clone()
            },
            subresource: self.subresource.clone(),
        }
    }

    /// As conflicts name it: `"kubectl" with subresource "status" using apps/v1`.
    pub(crate) fn describe(&self) -> String {
        let mut text = format!("\"{}\"", self.manager);
        if !self.subresource.is_empty() {
            text.push_str(&format!(" with subresource \"{}\"", self.subresource));
        }
        if self.operation == Operation::Update {
            text.push_str(&format!(" using {}", self.api_version));
        }
        text
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    writer: Writer,
    time: Option<String>,
    set: FieldSet,
}

/// All owners of an object's fields: what `metadata.managedFields` holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Managers {
    entries: BTreeMap<Identity, Entry>,
}

impl Managers {
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads `metadata.managedFields`; none where an entry is not what it should be.
    pub(crate) fn read(entries: &[Value]) -> Option<Self> {
        let mut managers = Self::default();
        for entry in entries {
            let text = |key: &str| {
                entry
                    .get(key)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            let operation = match text("operation").as_str() {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            };
            let writer = Writer {
                operation,
                manager: text("manager"),
                api_version: text("apiVersion"),
                subresource: text("subresource"),
            };
            let set = FieldSet::from_fields_v1(entry.get("fieldsV1").unwrap_or(&json!({})))?;
            let time = entry.get("time").and_then(Value::as_str).map(str::to_owned);
            managers
                .entries
                .insert(writer.identity(), Entry { writer, time, set });
        }
        Some(managers)
    }

    /// As `metadata.managedFields`: applies first, then by time and name.
    pub(crate) fn write(&self) -> Vec<Value> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by(|a, b| {
            let key = |entry: &Entry| {
                (
                    entry.writer.operation,
                    entry.time.clone().unwrap_or_default(),
                    entry.writer.manager.clone(),
                )
            };
            key(a)
                .cmp(&key(b))
                .then_with(|| a.writer.api_version.cmp(&b.writer.api_version))
                .then_with(|| a.writer.subresource.cmp(&b.writer.subresource))
        });
        entries.into_iter().map(Entry::to_json).collect()
    }

    /// Everything that anybody owns.
    pub(super) fn union(&self) -> FieldSet {
        let mut all = FieldSet::default();
        for entry in self.entries.values() {
            all.absorb(&entry.set);
        }
        all
    }

    /// Takes paths away from everybody but `except`; who has nothing left is forgotten.
    pub(super) fn take_away(&mut self, set: &FieldSet, except: Option<&Writer>) {
        let except = except.map(Writer::identity);
        if !set.is_empty() {
            for (identity, entry) in &mut self.entries {
                if Some(identity) != except.as_ref() {
                    entry.set = entry.set.difference(set);
                }
            }
        }
        self.entries.retain(|_, entry| !entry.set.is_empty());
    }

    /// Lets `writer` own `set` beside what it owns.
    pub(super) fn add(&mut self, writer: &Writer, set: &FieldSet, now: &str) {
        let entry = self.entries.entry(writer.identity()).or_insert_with(|| Entry {
            writer: writer.clone(),
            time: None,
            set: FieldSet::default(),
        });
        entry.set.absorb(set);
        entry.time = Some(now.to_owned()).filter(|now| !now.is_empty());
    }

    /// Sets what `writer` applies; gives what it applied before.
    pub(super) fn replace_applied(&mut self, writer: &Writer, set: FieldSet) -> Option<FieldSet> {
        let identity = writer.identity();
        let time = self.entries.get(&identity).and_then(|entry| entry.time.clone());
        let entry = Entry {
            writer: writer.clone(),
            time,
            set,
        };
        self.entries.insert(identity, entry).map(|entry| entry.set)
    }

    pub(super) fn strip(&mut self, writer: &Writer, strip: impl Fn(&mut FieldSet)) {
        let identity = writer.identity();
        if let Some(entry) = self.entries.get_mut(&identity) {
            strip(&mut entry.set);
            if entry.set.is_empty() {
                self.entries.remove(&identity);
            }
        }
    }

    /// The paths of `set` that somebody other than `writer` owns.
    pub(super) fn owned_by_others(&self, set: &FieldSet, writer: &Writer) -> Vec<Conflict> {
        let own = writer.identity();
        let others = self.entries.iter().filter(|(identity, _)| **identity != own);
        others
            .flat_map(|(_, entry)| {
                let paths = entry.set.intersection(set).paths();
                paths.into_iter().map(|path| Conflict {
                    writer: entry.writer.clone(),
                    path,
                })
            })
            .collect()
    }

    /// Notes when `writer` last changed something.
    pub(crate) fn touch(&mut self, writer: &Writer, now: &str) {
        if let Some(entry) = self.entries.get_mut(&writer.identity()) {
            entry.time = Some(now.to_owned());
        }
    }

    /// Folds the oldest updates of a version into `ancient-changes` where there are too many.
    pub(crate) fn cap(&mut self) {
        let mut updates: Vec<Identity> = self
            .entries
            .keys()
            .filter(|identity| identity.operation == Operation::Update)
            .cloned()
            .collect();
        if updates.len() <= UPDATE_MANAGERS_MAX {
            return;
        }
        updates.sort_by_key(|identity| {
            (
                self.entries
                    .get(identity)
                    .and_then(|entry| entry.time.clone())
                    .unwrap_or_default(),
                identity.clone(),
            )
        });
        let mut count = updates.len();
        let mut buckets: Vec<Identity> = Vec::new();
        for identity in updates {
            if count <= UPDATE_MANAGERS_MAX {
                break;
            }
            let Some(entry) = self.entries.remove(&identity) else {
                continue;
            };
            let writer = Writer {
                operation: Operation::Update,
                manager: "ancient-changes".to_owned(),
                api_version: entry.writer.api_version.clone(),
                subresource: String::new(),
            };
            let bucket = writer.identity();
            if buckets.contains(&bucket) {
                count -= 1;
            } else {
                buckets.push(bucket);
            }
            self.add(&writer, &entry.set, entry.time.as_deref().unwrap_or_default());
        }
    }
}

impl Entry {
    fn to_json(&self) -> Value {
        let mut entry = Map::new();
        entry.insert("manager".to_owned(), self.writer.manager.clone().into());
        entry.insert("operation".to_owned(), self.writer.operation.as_str().into());
        entry.insert("apiVersion".to_owned(), self.writer.api_version.clone().into());
        if let Some(time) = &self.time {
            entry.insert("time".to_owned(), time.clone().into());
        }
        entry.insert("fieldsType".to_owned(), "FieldsV1".into());
        entry.insert("fieldsV1".to_owned(), self.set.to_fields_v1());
        if !self.writer.subresource.is_empty() {
            entry.insert("subresource".to_owned(), self.writer.subresource.clone().into());
        }
        Value::Object(entry)
    }
}
