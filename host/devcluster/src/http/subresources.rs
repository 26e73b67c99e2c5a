use super::objects::read_write;
use super::serve::Asked;
use super::{Answer, body, bytes_answer, json, reads};
use crate::kinds::Kind;
use crate::meta;
use crate::patch::{PatchKind, patched};
use crate::request::WriteOptions;
use crate::status::{Result, Status};
use crate::store::{Expect, revision_of};
use crate::write::delete::{DeleteOptions, delete};
use crate::write::{Write, update};
use serde_json::{Value, json as object};
use std::sync::Arc;

/// Answers requests for `scale`, `finalize`, `binding`, `eviction`, `log`, `token` …
pub(super) fn answer(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let name = asked
        .target
        .subresource
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    match name.as_str() {
        "scale" => scale(asked, kind, bytes),
        "finalize" => finalize(asked, kind, bytes),
        "binding" => bind(asked, kind, bytes),
        "eviction" => evict(asked, kind),
        "log" => {
            reads::stored(asked, kind)?;
            Ok(bytes_answer(200, "text/plain", ""))
        }
        "token" => token(asked, kind, bytes),
        // resize, ephemeralcontainers and approval change the object itself
        "resize" | "ephemeralcontainers" | "approval" => whole(asked, kind, bytes),
        _ => Err(Status::no_such_resource()),
    }
}

fn whole(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let cluster = &asked.face.cluster;
    if asked.verb == "get" {
        return Ok(json(200, &kind.present(&reads::stored(asked, kind)?)));
    }
    let (write, sent, _) = read_write(asked, kind, bytes)?;
    let written = match PatchKind::of(&asked.content_type) {
        Some(how) if asked.verb == "patch" => update::patch(cluster, &write, how, &sent)?,
        _ => update::replace(cluster, &write, sent)?,
    };
    Ok(json(200, &written.object))
}

fn scale(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let found = kind.present(&reads::stored(asked, kind)?);
    let now = scale_of(kind, &found);
    if asked.verb == "get" {
        return Ok(json(200, &now));
    }
    let sent = body::decode(bytes, &asked.content_type, &kind.kind)?.value;
    let wanted = match PatchKind::of(&asked.content_type) {
        Some(how) if asked.verb != "update" => {
            patched(how, crate::kinds::object_meta_schema().as_ref(), &now, sent)?
        }
        _ => sent,
    };
    let replicas = wanted
        .pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    if replicas < 0 {
        let cause = crate::status::Cause::new(
            "FieldValueInvalid",
            format!("Invalid value: {replicas}: must be greater than or equal to 0"),
            "spec.replicas",
        );
        return Err(Status::invalid(
            "autoscaling",
            "Scale",
            &asked.target.name,
            vec![cause],
        ));
    }
    let sent_version = meta::resource_version(&wanted);
    let options = WriteOptions::read(&asked.query, &asked.user_agent, "update")?;
    let write = Write {
        kind: kind.clone(),
        namespace: asked.target.namespace.clone(),
        name: asked.target.name.clone(),
        subresource: "scale".to_owned(),
        options,
    };
    let mut change = object!({});
    set_path(&mut change, &spec_path(kind), replicas.into());
    if !sent_version.is_empty() && sent_version != meta::resource_version(&now) {
        return Err(Status::modified(&write.named()));
    }
    let written = update::patch(&asked.face.cluster, &write, PatchKind::Merge, &change)?;
    Ok(json(200, &scale_of(kind, &written.object)))
}

fn spec_path(kind: &Kind) -> String {
    let scale = kind.custom.as_ref().and_then(|custom| custom.scale.as_ref());
    scale.map_or_else(
        || ".spec.replicas".to_owned(),
        |scale| scale.spec_replicas.clone(),
    )
}

fn at<'v>(object: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.')
        .filter(|part| !part.is_empty())
        .try_fold(object, |value, part| value.get(part))
}

fn set_path(object: &mut Value, path: &str, value: Value) {
    let mut parts: Vec<&str> = path.split('.').filter(|part| !part.is_empty()).collect();
    let Some(last) = parts.pop() else { return };
    let mut map = meta::as_map(object);
    for part in parts {
        map = meta::as_map(map.entry(part).or_insert_with(|| object!({})));
    }
    map.insert(last.to_owned(), value);
}

fn scale_of(kind: &Kind, found: &Value) -> Value {
    let custom = kind.custom.as_ref().and_then(|custom| custom.scale.as_ref());
    let status_path = custom.map_or(".status.replicas", |scale| scale.status_replicas.as_str());
    let selector = match custom {
        Some(scale) => scale
            .label_selector
            .as_deref()
            .and_then(|path| at(found, path))
            .and_then(Value::as_str)
            .map(str::to_owned),
        None => found
            .pointer("/spec/selector/matchLabels")
            .and_then(Value::as_object)
            .map(|labels| {
                let pairs: Vec<String> = labels
                    .iter()
                    .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
                    .collect();
                pairs.join(",")
            }),
    };
    let mut scale = object!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": meta::name(found), "namespace": meta::namespace(found), "uid": meta::uid(found),
            "resourceVersion": meta::resource_version(found), "creationTimestamp": meta::text(found, "creationTimestamp")},
        "spec": {"replicas": at(found, &spec_path(kind)).cloned().unwrap_or_else(|| 0.into())},
        "status": {"replicas": at(found, status_path).cloned().unwrap_or_else(|| 0.into())}});
    if let Some(selector) = selector {
        meta::field_mut(&mut scale, "status").insert("selector".to_owned(), selector.into());
    }
    scale
}

/// PUT of a namespace's finalizers; the last one gone lets the namespace go.
fn finalize(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let cluster = &asked.face.cluster;
    let (write, sent, _) = read_write(asked, kind, bytes)?;
    let written = update::replace(cluster, &write, sent)?.object;
    let is_last = written
        .pointer("/spec/finalizers")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty);
    if is_last && meta::is_deleted(&written) && meta::finalizers(&written).is_empty() {
        let _ = cluster.remove(kind, &crate::store::Key::of(&written), revision_of(&written));
    }
    Ok(json(200, &written))
}

fn bind(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let sent = body::decode(bytes, &asked.content_type, &kind.kind)?.value;
    let node = sent.pointer("/target/name").cloned().unwrap_or_default();
    let stored = reads::stored(asked, kind)?;
    let mut new = (*stored).clone();
    meta::field_mut(&mut new, "spec").insert("nodeName".to_owned(), node);
    let named = crate::status::Named {
        group: "",
        resource: "pods",
        name: &asked.target.name,
    };
    asked
        .face
        .cluster
        .put(kind, new, &Expect::Revision(revision_of(&stored)))
        .map_err(|_| Status::modified(&named))?;
    Ok(json(
        201,
        &object!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

fn evict(asked: &Asked, kind: &Arc<Kind>) -> Result<Answer> {
    let write = Write {
        kind: kind.clone(),
        namespace: asked.target.namespace.clone(),
        name: asked.target.name.clone(),
        subresource: String::new(),
        options: WriteOptions::default(),
    };
    delete(&asked.face.cluster, &write, &DeleteOptions::default())?;
    Ok(json(
        201,
        &object!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// A token that says whose it is; this server takes none but its own.
fn token(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let stored = reads::stored(asked, kind)?;
    let mut request = body::decode(bytes, &asked.content_type, &kind.kind)?.value;
    let account = format!(
        "system:serviceaccount:{}:{}",
        meta::namespace(&stored),
        meta::name(&stored)
    );
    let map = meta::as_map(&mut request);
    map.extend([
        ("kind".to_owned(), "TokenRequest".into()),
        ("apiVersion".to_owned(), "authentication.k8s.io/v1".into()),
    ]);
    let token = format!("devcluster.{account}.{}", meta::new_uid());
    map.insert(
        "status".to_owned(),
        object!({"token": token, "expirationTimestamp": meta::now_plus(3600)}),
    );
    Ok(json(201, &request))
}
