use super::combine::combine;
use super::compare::{Comparison, compare};
use super::managers::{Managers, Writer};
use super::remove::remove;
use super::set::FieldSet;
use super::to_set::to_set;
use serde_json::Value;
use sluice_schema::Node;

/// Fields whose changes through one endpoint are undone by the server, and so are owned by nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignore {
    Nothing,
    /// The object's own endpoint of a kind with a status subresource.
    Status,
    /// The status endpoint of a built-in kind.
    SpecAndLabels,
    /// The status endpoint of a custom kind.
    AllButStatus,
}

impl Ignore {
    fn filter(self, set: &mut FieldSet) {
        match self {
            Self::Nothing => {}
            Self::Status => set.remove_below(&["status"]),
            Self::SpecAndLabels => {
                set.remove_below(&["spec"]);
                set.remove_below(&["metadata", "labels"]);
            }
            Self::AllButStatus => set.keep_only("status"),
        }
    }
}

/// A field that somebody else owns and the apply would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conflict {
    pub(crate) writer: Writer,
    pub(crate) path: String,
}

/// Metadata that the server writes is owned by nobody.
fn strip(set: &mut FieldSet) {
    for path in [&["apiVersion"][..], &["kind"]] {
        set.remove_below(path);
    }
    for field in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        set.remove_below(&["metadata", field]);
    }
    let metadata = super::PathElement::field("metadata");
    set.members.remove(&metadata);
}

/// A write that says what the whole object is: `writer` comes to own what it changed, everybody else loses it.
pub(crate) fn update(
    node: &Node,
    live: &Value,
    new: &Value,
    managers: &mut Managers,
    writer: &Writer,
    ignore: Ignore,
    now: &str,
) {
    let found = compared(node, live, new, ignore);
    let mut own = found.modified.union(&found.added);
    strip(&mut own);
    let lost = own.union(&found.removed);
    managers.take_away(&lost, None);
    if !own.is_empty() {
        managers.add(writer, &own, now);
    }
}

/// Server-side apply: merges `config` into `live`, drops what `writer` applied before and no longer says, and moves ownership.
///
/// Gives none where the object stays as it is (ownership may still have changed).
pub(crate) fn apply(
    node: &Node,
    live: &Value,
    config: &Value,
    managers: &mut Managers,
    writer: &Writer,
    ignore: Ignore,
    force: bool,
) -> Result<Option<Value>, Vec<Conflict>> {
    let merged = combine(node, Some(live), Some(config)).unwrap_or_default();
    let mut set = to_set(node, config);
    ignore.filter(&mut set);
    let last = managers.replace_applied(writer, set.clone());
    let new = match last {
        Some(last) if !last.is_empty() => prune(node, merged, managers, &last, &set),
        _ => merged,
    };
    let found = compared(node, live, &new, ignore);
    let taken = found.modified.union(&found.added);
    let conflicts = managers.owned_by_others(&taken, writer);
    if !force && !conflicts.is_empty() {
        return Err(conflicts);
    }
    managers.take_away(&taken.union(&found.removed), Some(writer));
    managers.strip(writer, strip);
    Ok(if new == *live { None } else { Some(new) })
}

fn compared(node: &Node, old: &Value, new: &Value, ignore: Ignore) -> Comparison {
    let mut found = compare(node, old, new);
    for set in [&mut found.removed, &mut found.modified, &mut found.added] {
        ignore.filter(set);
    }
    found
}

/// Takes out what was applied last time, is not applied now, and nobody else owns.
fn prune(node: &Node, merged: Value, managers: &Managers, last: &FieldSet, now: &FieldSet) -> Value {
    let last = last.with_named_fields(node);
    if last.difference(&now.with_named_fields(node)).is_empty() {
        return merged;
    }
    let merged_set = to_set(node, &merged).with_named_fields(node);
    let pruned = remove(node, &merged, &last);
    // what others own, or what is applied now, comes back …
    let kept = to_set(node, &pruned)
        .with_named_fields(node)
        .union(&managers.union().with_named_fields(node));
    let pruned = remove(node, &merged, &merged_set.difference(&kept));
    // … and so does what nobody owns but lay below what was removed
    let pruned_set = to_set(node, &pruned).with_named_fields(node);
    remove(
        node,
        &merged,
        &merged_set.difference(&pruned_set).intersection(&last),
    )
}
