use super::accept::{View, view};
use super::objects::show;
use super::serve::Asked;
use super::{Answer, json};
use crate::kinds::Kind;
use crate::selector::Selector;
use crate::status::{Named, Result, Status};
use crate::store::Key;
use crate::table;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json as object};
use std::sync::Arc;

/// GET of one object.
pub(super) fn get(asked: &Asked, kind: &Kind) -> Result<Answer> {
    let view = view(&asked.accept)?;
    let found = stored(asked, kind)?;
    show(asked, view, kind, 200, &kind.present(&found))
}

/// The stored object that the path names.
pub(super) fn stored(asked: &Asked, kind: &Kind) -> Result<Arc<Value>> {
    let target = &asked.target;
    let namespace = if kind.is_namespaced {
        target.namespace.as_str()
    } else {
        ""
    };
    let key = Key::new(namespace, &target.name);
    let named = Named {
        group: &kind.group,
        resource: &kind.plural,
        name: &target.name,
    };
    asked
        .face
        .cluster
        .store
        .get(&kind.table, &key)
        .ok_or_else(|| Status::not_found(&named))
}

/// The namespace that a collection is limited to, if any.
pub(super) fn scope<'a>(asked: &'a Asked, kind: &Kind) -> Option<&'a str> {
    (kind.is_namespaced && !asked.target.namespace.is_empty()).then_some(asked.target.namespace.as_str())
}

/// The selector of a request; a name in the path of a watch counts as one.
pub(super) fn selector(asked: &Asked, kind: &Kind) -> Result<Selector> {
    let mut fields = asked.query.text("fieldSelector").to_owned();
    if !asked.target.name.is_empty() {
        let comma = if fields.is_empty() { "" } else { "," };
        fields = format!("{fields}{comma}metadata.name={}", asked.target.name);
    }
    Selector::parse(kind, asked.query.text("labelSelector"), &fields)
}

/// GET of a collection.
pub(super) fn list(asked: &Asked, kind: &Kind) -> Result<Answer> {
    let view = view(&asked.accept)?;
    let selector = selector(asked, kind)?;
    let store = &asked.face.cluster.store;
    let limit = asked.query.text("limit");
    if !limit.is_empty() && limit.parse::<i64>().is_err() {
        return Err(Status::bad_request(format!(
            "strconv.ParseInt: parsing \"{limit}\": invalid syntax"
        )));
    }
    check_revision(asked, store.revision())?;
    let from = continued(asked.query.text("continue"))?;
    if from.is_some() && !matches!(asked.query.text("resourceVersion"), "" | "0") {
        return Err(Status::bad_request(
            "specifying resource version is not allowed when using continue",
        ));
    }
    let exact = (asked.query.text("resourceVersionMatch") == "Exact")
        .then(|| asked.query.number("resourceVersion"))
        .flatten();
    let at = from.as_ref().map(|(revision, _)| *revision).or(exact);
    let snapshot = match at {
        Some(at) => store.list_at(&kind.table, scope(asked, kind), at).map_err(|_| {
            Status::expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.")
        })?,
        None => store.list(&kind.table, scope(asked, kind)),
    };
    // a list of any age comes from memory, whole
    let is_any =
        asked.query.text("resourceVersion") == "0" && asked.query.text("resourceVersionMatch") != "Exact";
    let limit = asked
        .query
        .number("limit")
        .filter(|limit| *limit > 0 && !is_any)
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (revision, after) = from.unwrap_or((snapshot.revision, None));
    let shown = snapshot
        .objects
        .iter()
        .filter(|stored| after.as_ref().is_none_or(|after| Key::of(stored) > *after));
    let mut matching = shown
        .map(|stored| kind.present(stored))
        .filter(|object| selector.matches(object));
    let page: Vec<Arc<Value>> = matching.by_ref().take(limit).collect();
    let rest = matching.count();
    let mut meta = object!({"resourceVersion": revision.to_string()});
    if let (Some(last), Some(map), true) = (page.last(), meta.as_object_mut(), rest > 0) {
        map.insert(
            "continue".to_owned(),
            continue_token(revision, &Key::of(last)).into(),
        );
        if selector.is_everything() {
            map.insert("remainingItemCount".to_owned(), rest.into());
        }
    }
    let items: Vec<&Value> = page.iter().map(|object| &**object).collect();
    Ok(match view {
        View::Full => json(200, &full_list(kind, &items, &meta)),
        View::Metadata => json(200, &metadata_list(&items, &meta)),
        View::Table => json(200, &table::of(kind, &items, &meta, included(asked)?)),
    })
}

/// A list at a revision that has not happened is refused as the real server does.
fn check_revision(asked: &Asked, now: u64) -> Result<()> {
    let text = asked.query.text("resourceVersion");
    let matching = asked.query.text("resourceVersionMatch");
    if text.is_empty() && !matching.is_empty() {
        let message = "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided";
        let cause = crate::status::Cause::new("FieldValueForbidden", message, "resourceVersionMatch");
        return Err(Status::invalid("meta.k8s.io", "ListOptions", "", vec![cause]));
    }
    if text.is_empty() || text == "0" {
        return Ok(());
    }
    let Ok(wanted) = text.parse::<u64>() else {
        return Err(Status::bad_request(format!(
            "invalid resource version: resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
        )));
    };
    if wanted > now {
        let mut status = Status::new(
            504,
            "Timeout",
            format!("Too large resource version: {wanted}, current: {now}"),
        );
        let details = status.details.get_or_insert_default();
        details.retry_after_seconds = Some(1);
        details.causes.push(crate::status::Cause::new(
            "ResourceVersionTooLarge",
            "Too large resource version",
            "",
        ));
        return Err(status);
    }
    Ok(())
}

fn continue_token(revision: u64, last: &Key) -> String {
    URL_SAFE_NO_PAD.encode(
        object!({"v": "meta.k8s.io/v1", "rv": revision, "start": [last.namespace, last.name]}).to_string(),
    )
}

fn continued(token: &str) -> Result<Option<(u64, Option<Key>)>> {
    if token.is_empty() {
        return Ok(None);
    }
    let refuse = || {
        Status::bad_request(
            "invalid continue token: continue key is not valid: invalid character 'i' looking for beginning of value",
        )
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| refuse())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| refuse())?;
    let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str);
    let revision = value.get("rv").and_then(Value::as_u64).ok_or_else(refuse)?;
    let (namespace, name) = (
        text("/start/0").ok_or_else(refuse)?,
        text("/start/1").ok_or_else(refuse)?,
    );
    Ok(Some((revision, Some(Key::new(namespace, name)))))
}

pub(super) fn full_list(kind: &Kind, items: &[&Value], meta: &Value) -> Value {
    let items: Vec<Value> = items.iter().map(|item| (*item).clone()).collect();
    let items = if kind.custom.is_some() {
        items
    } else {
        items.into_iter().map(without_type).collect()
    };
    let mut meta = meta.clone();
    if kind.custom.is_some() {
        // lists of untyped objects say it even when it is empty
        crate::meta::as_map(&mut meta)
            .entry("continue")
            .or_insert_with(|| "".into());
    }
    object!({"kind": kind.list_kind, "apiVersion": kind.api_version(), "metadata": meta, "items": items})
}

/// Items of typed lists do not repeat their type.
fn without_type(mut item: Value) -> Value {
    if let Some(map) = item.as_object_mut() {
        map.remove("apiVersion");
        map.remove("kind");
    }
    item
}

pub(crate) fn metadata_of(object: &Value) -> Value {
    object!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object.get("metadata")})
}

fn metadata_list(items: &[&Value], meta: &Value) -> Value {
    let items: Vec<Value> = items.iter().map(|item| metadata_of(item)).collect();
    object!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": meta, "items": items})
}

/// How much of its object a table's row carries.
pub(super) fn included(asked: &Asked) -> Result<table::Included> {
    match asked.query.text("includeObject") {
        "" | "Metadata" => Ok(table::Included::Metadata),
        "Object" => Ok(table::Included::Object),
        "None" => Ok(table::Included::Nothing),
        other => Err(Status::bad_request(format!(
            "Unable to convert to Table as requested: includeObject: Invalid value: \"{other}\": must be 'Metadata', 'Object', 'None', or empty"
        ))),
    }
}
