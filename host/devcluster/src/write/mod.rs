//! How a write comes to land: read, default, own, prepare, validate, store.

pub(crate) mod check;
pub(crate) mod create;
pub(crate) mod defaults;
pub(crate) mod delete;
pub(crate) mod owners;
pub(crate) mod rules;
pub(crate) mod strategy;
pub(crate) mod structural;
pub(crate) mod typed;
pub(crate) mod update;

use crate::cluster::Cluster;
use crate::kinds::Kind;
use crate::request::{FieldValidation, WriteOptions};
use crate::status::{Named, Result, Status, qualified};
use serde_json::Value;
use std::sync::Arc;

/// One write request: what is addressed, and how.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) kind: Arc<Kind>,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
    pub(crate) options: WriteOptions,
}

/// What a write answers.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) object: Arc<Value>,
    pub(crate) is_new: bool,
    /// Texts for `Warning` headers.
    pub(crate) warnings: Vec<String>,
}

impl Write {
    pub(crate) fn named(&self) -> Named<'_> {
        Named {
            group: &self.kind.group,
            resource: &self.kind.plural,
            name: &self.name,
        }
    }

    /// Asks admission about an object that is about to be written.
    fn admit(&self, cluster: &Cluster, object: &mut Value) -> Result<()> {
        let resource = qualified(&self.kind.plural, &self.kind.group);
        let name = crate::meta::name(object).to_owned();
        cluster.faults.review(&resource, &name, object)
    }

    pub(crate) fn invalid(&self, name: &str, causes: Vec<crate::status::Cause>) -> Status {
        Status::invalid(&self.kind.group, &self.kind.kind, name, causes)
    }
}

/// Checks that a body is of the kind that the path names.
fn check_identity(write: &Write, body: &mut Value) -> Result<()> {
    let (version, kind) = (write.kind.api_version(), &write.kind.kind);
    let Value::Object(map) = body else {
        let hex: String = body
            .to_string()
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let got = if body.is_array() { "array" } else { "value" };
        return Err(Status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: json: cannot unmarshal {got} into Go value of type struct {{ APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string \"json:\\\"kind,omitempty\\\"\" }} ({hex})"
        )));
    };
    let text = |key: &str| {
        map.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (sent_version, sent_kind) = (text("apiVersion"), text("kind"));
    if write.kind.custom.is_some() && (sent_version.is_empty() || sent_kind.is_empty()) && !map.is_empty() {
        let missing = if sent_kind.is_empty() {
            "Kind"
        } else {
            "apiVersion"
        };
        return Err(Status::bad_request(format!(
            "Object '{missing}' is missing in '{}'",
            Value::Object(map.clone())
        )));
    }
    if !sent_version.is_empty() && sent_version != version {
        return Err(Status::bad_request(if write.kind.custom.is_some() {
            format!(
                "the API version in the data ({sent_version}) does not match the expected API version ({version})"
            )
        } else {
            format!(
                "{kind} in version \"{}\" cannot be handled as a {kind}: no kind \"{sent_kind}\" is registered for version \"{sent_version}\" in scheme \"pkg/runtime/scheme.go:111\"",
                write.kind.version
            )
        }));
    }
    if !sent_kind.is_empty() && sent_kind != *kind {
        return Err(Status::bad_request(format!(
            "{sent_kind} in version \"{0}\" cannot be handled as a {kind}: converting ({0}.{sent_kind}) to ({1}.{kind}): unknown conversion",
            write.kind.version,
            if write.kind.group.is_empty() {
                "core"
            } else {
                write.kind.group.split('.').next().unwrap_or_default()
            }
        )));
    }
    map.insert("apiVersion".to_owned(), version.into());
    map.insert("kind".to_owned(), kind.clone().into());
    Ok(())
}

/// What a patch left behind, read as a body is; a strict reader blames the patch.
pub(crate) fn read_patched(
    write: &Write,
    body: &mut Value,
    shown: &str,
    warnings: &mut Vec<String>,
) -> Result<()> {
    let quiet = Write {
        options: WriteOptions {
            field_validation: FieldValidation::Ignore,
            ..write.options.clone()
        },
        ..write.clone()
    };
    if write.options.field_validation == FieldValidation::Ignore {
        return read(&quiet, body, warnings);
    }
    let mut found = Vec::new();
    let noisy = Write {
        options: WriteOptions {
            field_validation: FieldValidation::Warn,
            ..quiet.options.clone()
        },
        ..quiet
    };
    let blame = |why: &str| {
        let message = format!("Invalid value: \"{}\": {why}", shown.replace('"', "\\\""));
        Status::invalid(
            "",
            "",
            "",
            vec![crate::status::Cause::new("FieldValueInvalid", message, "patch")],
        )
    };
    read(&noisy, body, &mut found).map_err(|status| {
        match status.message.split_once("cannot be handled as a ") {
            Some((_, why)) => {
                let why = why.split_once(": ").map_or(why, |(_, why)| why);
                // a strategic merge patch is decoded by other code, which names the type alone
                let of_type = why.rsplit_once(" of type ").filter(|_| shown.starts_with("map["));
                match of_type {
                    Some((_, name)) => blame(&format!("unrecognized type: {name}")),
                    None => blame(why),
                }
            }
            None => status,
        }
    })?;
    if write.options.field_validation == FieldValidation::Strict && !found.is_empty() {
        return Err(blame(&format!("strict decoding error: {}", found.join(", "))));
    }
    warnings.extend(found);
    Ok(())
}

/// Reads a body as the server's types would: unknown fields are dropped and reported, defaults filled in.
pub(crate) fn read(write: &Write, body: &mut Value, warnings: &mut Vec<String>) -> Result<()> {
    check_identity(write, body)?;
    let kind = &write.kind;
    let unknown = if kind.custom.is_some() {
        let unknown = structural::prune(&kind.schema, body);
        structural::drop_nulls(&kind.schema, body);
        defaults::from_schema(&kind.schema, body);
        unknown
    } else {
        let found = typed::read(&kind.schema, body);
        if let Some(why) = found.mistyped {
            return Err(Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: {why}",
                kind.kind, kind.version, kind.kind
            )));
        }
        defaults::from_schema(&kind.schema, body);
        strategy::normalize(kind, body);
        defaults::built_in(&kind.group, &kind.kind, body);
        typed::forget_empty(&kind.schema, body);
        typed::round_trip(body).map_err(|why| {
            Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: {why}",
                kind.kind, kind.version, kind.kind
            ))
        })?;
        found.unknown
    };
    let texts: Vec<String> = unknown
        .iter()
        .map(|path| format!("unknown field \"{path}\""))
        .collect();
    match write.options.field_validation {
        FieldValidation::Strict if !texts.is_empty() => {
            let texts = texts.join(", ");
            Err(Status::bad_request(format!(
                "{} in version \"{}\" cannot be handled as a {}: strict decoding error: {texts}",
                kind.kind, kind.version, kind.kind
            )))
        }
        FieldValidation::Warn => {
            warnings.extend(texts);
            Ok(())
        }
        _ => Ok(()),
    }
}

/// All validation of an object that is about to be stored; `old` is none for a create.
pub(crate) fn validate(write: &Write, old: Option<&Value>, new: &Value) -> Result<()> {
    let kind = &write.kind;
    let mut causes = Vec::new();
    let found = check::metadata(kind, new);
    match old {
        None => causes.extend(found),
        Some(old) => {
            // the real server checks an update's metadata four times, and its changes twice
            causes.extend((0..4).flat_map(|_| found.iter().cloned()));
            let changes = check::metadata_update(old, new);
            causes.extend((0..2).flat_map(|_| changes.iter().cloned()));
        }
    }
    if kind.custom.is_some() {
        let found = match write.subresource.as_str() {
            "status" => structural::validate_status(&kind.schema, new),
            _ => structural::validate(&kind.schema, new),
        };
        // rules are not asked about values that miss the shape they count on
        const BLOCKING: [&str; 5] = [
            "FieldValueNotSupported",
            "FieldValueRequired",
            "FieldValueTooLong",
            "FieldValueTooMany",
            "FieldValueTypeInvalid",
        ];
        if !found
            .iter()
            .any(|cause| BLOCKING.contains(&cause.reason.as_str()))
        {
            causes.extend(found);
            causes.extend(rules::validate(&kind.schema, new, old));
        } else {
            causes.extend(found);
            let message = "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation";
            causes.push(crate::status::Cause::new("FieldValueInvalid", message, "<nil>"));
        }
    } else {
        causes.extend(check::built_in(kind, new));
    }
    if let Some(old) = old {
        causes.extend(strategy::immutable(kind, old, new));
    }
    if causes.is_empty() {
        Ok(())
    } else {
        Err(write.invalid(crate::meta::name(new), causes))
    }
}
