use super::accept::{View, view};
use super::body::{self, Decoded};
use super::serve::Asked;
use super::{Answer, bytes_answer, json, reads, reviews, subresources, warn, watch};
use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::patch::PatchKind;
use crate::request::{FieldValidation, Target, WriteOptions};
use crate::selector::Selector;
use crate::status::{Named, Result, Status};
use crate::table;
use crate::write::delete::{DeleteOptions, Deleted, delete, delete_collection};
use crate::write::{Write, Written, create, update};
use axum::body::Body;
use serde_json::{Value, json as object};
use std::sync::Arc;

/// Answers a request for objects.
pub(super) async fn answer(asked: &Asked, body: Body) -> Result<Answer> {
    let target = &asked.target;
    let cluster = &asked.face.cluster;
    let Some(kind) = cluster
        .kinds
        .find(&target.group, &target.version, &target.resource)
    else {
        return unknown(cluster, target);
    };
    if !kind.is_namespaced && !target.namespace.is_empty() {
        return unknown(cluster, target);
    }
    let bytes = axum::body::to_bytes(body, body::BODY_BYTES_MAX)
        .await
        .map_err(|_| {
            Status::new(
                413,
                "RequestEntityTooLarge",
                format!("Request entity too large: limit is {}", body::BODY_BYTES_MAX),
            )
        })?;
    if let Some(answer) = reviews::answer(asked, &kind, &bytes)? {
        return Ok(answer);
    }
    check_verb(asked, &kind)?;
    if !target.subresource.is_empty() && target.subresource != "status" {
        return subresources::answer(asked, &kind, &bytes);
    }
    let answer = match asked.verb {
        "get" => reads::get(asked, &kind),
        "list" => reads::list(asked, &kind),
        "watch" => watch::answer(asked, &kind),
        "delete" | "deletecollection" => removal(asked, &kind, &bytes),
        _ => write(asked, &kind, &bytes),
    }?;
    let deprecated = kind.custom.as_ref().and_then(|custom| custom.deprecation.clone());
    Ok(warn(answer, deprecated.as_slice()))
}

/// A built-in group says that it has no such resource; other paths lead nowhere.
fn unknown(cluster: &Cluster, target: &Target) -> Result<Answer> {
    let is_custom = cluster
        .kinds
        .custom()
        .iter()
        .any(|kind| kind.group == target.group);
    let groups = sluice_schema::current::group_versions();
    let is_built_in = groups
        .into_iter()
        .any(|name| name.split_once('/').map_or("", |(group, _)| group) == target.group);
    if is_built_in && !is_custom {
        return Err(Status::no_such_resource());
    }
    Ok(bytes_answer(
        404,
        "text/plain; charset=utf-8",
        "404 page not found\n",
    ))
}

fn check_verb(asked: &Asked, kind: &Kind) -> Result<()> {
    let target = &asked.target;
    let verb = if asked.verb == "apply" {
        "patch"
    } else {
        asked.verb
    };
    let verbs = match target.subresource.split('/').next().unwrap_or_default() {
        "" => &kind.verbs,
        subresource => match kind.subresources.iter().find(|known| known.name == subresource) {
            Some(known) => &known.verbs,
            None => {
                return Err(Status::not_found(&Named {
                    group: &kind.group,
                    resource: &kind.plural,
                    name: &target.name,
                }));
            }
        },
    };
    // the verb of a collection and of an object may be the same word
    let fits = match verb {
        "create" => target.name.is_empty() || !target.subresource.is_empty(),
        "update" | "patch" => !target.name.is_empty(),
        _ => true,
    };
    if fits && verbs.iter().any(|known| known == verb) {
        Ok(())
    } else {
        Err(Status::method_not_allowed())
    }
}

/// The write that a request asks for, and its body.
pub(super) fn read_write(
    asked: &Asked,
    kind: &Arc<Kind>,
    bytes: &[u8],
) -> Result<(Write, Value, Vec<String>)> {
    let target = &asked.target;
    let is_patch = matches!(asked.verb, "patch" | "apply");
    if is_patch && PatchKind::of(&asked.content_type).is_none() {
        return Err(Status::unsupported_patch());
    }
    let options = WriteOptions::read(&asked.query, &asked.user_agent, asked.verb)?;
    let mut namespace = target.namespace.clone();
    let Decoded { value, duplicates } = body::decode(bytes, &asked.content_type, &kind.kind)?;
    if kind.is_namespaced && namespace.is_empty() {
        return Err(Status::method_not_allowed());
    }
    if !kind.is_namespaced {
        namespace.clear();
    }
    let mut warnings = Vec::new();
    let texts: Vec<String> = duplicates
        .iter()
        .map(|path| format!("duplicate field \"{path}\""))
        .collect();
    match options.field_validation {
        FieldValidation::Strict if !texts.is_empty() => {
            return Err(Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {}",
                kind.kind,
                kind.version,
                kind.kind,
                texts.join(", ")
            )));
        }
        FieldValidation::Warn => warnings.extend(texts),
        _ => {}
    }
    let write = Write {
        kind: kind.clone(),
        namespace,
        name: target.name.clone(),
        subresource: target.subresource.clone(),
        options,
    };
    Ok((write, value, warnings))
}

fn write(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let view = view(&asked.accept)?;
    let (write, body, mut warnings) = read_write(asked, kind, bytes)?;
    let cluster = &asked.face.cluster;
    let written = match asked.verb {
        "create" => create::create(cluster, &write, body),
        "update" => update::replace(cluster, &write, body),
        "apply" => update::apply(cluster, &write, &body),
        _ => match PatchKind::of(&asked.content_type) {
            Some(how) => update::patch(cluster, &write, how, &body),
            None => Err(Status::unsupported_patch()),
        },
    }?;
    let Written {
        object,
        is_new,
        warnings: found,
    } = written;
    warnings.extend(found);
    let code = if is_new { 201 } else { 200 };
    Ok(warn(show(asked, view, kind, code, &object)?, &warnings))
}

/// An object in the form that was asked for.
pub(super) fn show(asked: &Asked, view: View, kind: &Kind, code: u16, object: &Value) -> Result<Answer> {
    Ok(match view {
        View::Full => json(code, object),
        View::Metadata => json(code, &reads::metadata_of(object)),
        View::Table => {
            let meta = object!({"resourceVersion": crate::meta::resource_version(object)});
            json(
                code,
                &table::of(
                    kind,
                    std::slice::from_ref(&object),
                    &meta,
                    reads::included(asked)?,
                ),
            )
        }
    })
}

fn removal(asked: &Asked, kind: &Arc<Kind>, bytes: &[u8]) -> Result<Answer> {
    let target = &asked.target;
    let sent = if bytes.is_empty() {
        Value::Null
    } else {
        body::decode(bytes, &asked.content_type, "DeleteOptions")?.value
    };
    let mut options = DeleteOptions::read(&sent);
    options.is_dry_run |= asked.query.text("dryRun") == "All";
    if let Some(grace) = asked.query.number("gracePeriodSeconds") {
        options.grace_period = Some(i64::try_from(grace).unwrap_or(i64::MAX));
    }
    if !asked.query.text("propagationPolicy").is_empty() {
        options.propagation = Some(asked.query.text("propagationPolicy").to_owned());
    }
    let write = Write {
        kind: kind.clone(),
        namespace: if kind.is_namespaced {
            target.namespace.clone()
        } else {
            String::new()
        },
        name: target.name.clone(),
        subresource: String::new(),
        options: WriteOptions {
            is_dry_run: options.is_dry_run,
            ..WriteOptions::default()
        },
    };
    let cluster = &asked.face.cluster;
    if asked.verb == "deletecollection" {
        let selector = Selector::parse(
            kind,
            asked.query.text("labelSelector"),
            asked.query.text("fieldSelector"),
        )?;
        let revision = cluster.store.revision();
        let deleted = delete_collection(cluster, &write, &selector, &options)?;
        let items: Vec<&Value> = deleted.iter().map(|object| &**object).collect();
        return Ok(json(
            200,
            &reads::full_list(kind, &items, &object!({"resourceVersion": revision.to_string()})),
        ));
    }
    match delete(cluster, &write, &options)? {
        Deleted::Marked(object) => Ok(json(200, &object)),
        Deleted::Gone(status) => Ok(json(200, &status)),
    }
}
