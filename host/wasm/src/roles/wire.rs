//! Between the wire types and ours. What comes from a guest is checked here and nowhere else.

use super::{Answer, Context, Finding, Severity};
use crate::Error;
use crate::bindings::sluice::types::{objects as o, results as r};
use crate::error::Report;
use serde_json::Value;
use sluice_object::{Object, ObjectId, Origin};

/// A part of an answer, or what is wrong with it.
pub(super) type Converted<T> = Result<T, String>;

/// Checks the answer of a guest and turns it into ours.
pub(super) fn answer<W, T>(
    plugin: &str,
    answer: Answer<Result<W, r::Failure>>,
    convert: impl FnOnce(W) -> Converted<T>,
) -> Result<Answer<T>, Error> {
    match answer.value {
        Ok(value) => match convert(value) {
            Ok(value) => Ok(Answer {
                value,
                trace: answer.trace,
            }),
            Err(what) => Err(Error::MalformedAnswer {
                plugin: plugin.to_owned(),
                what,
            }),
        },
        Err(failure) => {
            let (report, is_transient) = match failure {
                r::Failure::Terminal(report) => (report, false),
                r::Failure::Transient(report) => (report, true),
            };
            let report = Report {
                reason: report.reason,
                message: report.message,
                findings: findings(report.findings),
            };
            Err(Error::Failed {
                plugin: plugin.to_owned(),
                report,
                is_transient,
            })
        }
    }
}

pub(super) fn config(config: &Value) -> Vec<u8> {
    if config.is_null() {
        b"{}".to_vec()
    } else {
        config.to_string().into_bytes()
    }
}

pub(super) fn context(context: &Context) -> o::Context {
    o::Context {
        subject: object_id(&context.subject),
        kube_version: context.kube_version.clone(),
        api_versions: context.api_versions.clone(),
        labels: context.labels.clone(),
    }
}

pub(super) fn object(object: &Object) -> o::Object {
    let body =
        serde_json::to_vec(object.body()).expect("invariant: a JSON map with string keys can be written");
    let origin = object.origin().map(|origin| o::Origin {
        path: origin.path.clone(),
        index: origin.index,
        line: origin.line,
    });
    o::Object {
        id: object_id(object.id()),
        body,
        origin,
    }
}

fn object_id(id: &ObjectId) -> o::ObjectId {
    o::ObjectId {
        api_version: id.gvk.api_version(),
        kind: id.gvk.kind.clone(),
        namespace: id.namespace.clone(),
        name: id.name.clone(),
    }
}

/// Every object of an answer must be JSON, a Kubernetes object, and the one that it says it is.
pub(super) fn objects(objects: Vec<o::Object>) -> Converted<Vec<Object>> {
    let mut ours = Vec::with_capacity(objects.len());
    each_object(objects, &mut |object| ours.push(object))?;
    Ok(ours)
}

/// [`objects`], one after another: the text of each is dropped when it was read.
pub(super) fn each_object(objects: Vec<o::Object>, take: &mut dyn FnMut(Object)) -> Converted<()> {
    for (index, wire) in objects.into_iter().enumerate() {
        take(one_object(index, wire)?);
    }
    Ok(())
}

fn one_object(index: usize, wire: o::Object) -> Converted<Object> {
    let said = format!("object {index} ({} {})", wire.id.kind, wire.id.name);
    if let Err(error) = std::str::from_utf8(&wire.body) {
        return Err(format!(
            "{said}: its body is not UTF-8 at byte {}",
            error.valid_up_to()
        ));
    }
    let value: Value = serde_json::from_slice(&wire.body)
        .map_err(|error| format!("{said}: its body is not JSON: {error}"))?;
    let object = Object::new(value).map_err(|error| format!("{said}: {error}"))?;
    if object_id(object.id()) != wire.id {
        let id = object.id();
        return Err(format!(
            "{said}: its body says that it is {} {id}",
            id.gvk.api_version()
        ));
    }
    let origin = wire.origin.map(|origin| Origin {
        path: origin.path,
        index: origin.index,
        line: origin.line,
    });
    Ok(object.with_origin(origin))
}

pub(super) fn findings(findings: Vec<r::Finding>) -> Vec<Finding> {
    findings.into_iter().map(finding).collect()
}

fn finding(wire: r::Finding) -> Finding {
    let severity = match wire.severity {
        r::Severity::Error => Severity::Error,
        r::Severity::Warning => Severity::Warning,
        r::Severity::Info => Severity::Info,
    };
    let object = wire.object.map(|id| ObjectId {
        gvk: sluice_object::GroupVersionKind::new(&id.api_version, &id.kind),
        namespace: id.namespace,
        name: id.name,
    });
    Finding {
        severity,
        message: wire.message,
        code: wire.code,
        object,
        field: wire.field,
        file: wire.file,
        line: wire.line,
        hint: wire.hint,
    }
}
