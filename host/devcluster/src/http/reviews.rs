use super::serve::Asked;
use super::{Answer, body, json};
use crate::access;
use crate::kinds::Kind;
use crate::meta;
use crate::request::Target;
use crate::status::Result;
use serde_json::{Value, json as object};

/// Answers questions about access: nothing is stored. None for every other resource.
pub(super) fn answer(asked: &Asked, kind: &Kind, bytes: &[u8]) -> Result<Option<Answer>> {
    if kind.custom.is_some() || asked.verb != "create" || !kind.group.starts_with("auth") {
        return Ok(None);
    }
    let is_access = kind.plural.ends_with("accessreviews");
    let mut review = body::decode(bytes, &asked.content_type, &kind.kind)?.value;
    let map = meta::as_map(&mut review);
    map.insert("kind".to_owned(), kind.kind.clone().into());
    map.insert("apiVersion".to_owned(), kind.api_version().into());
    map.entry("metadata").or_insert_with(|| object!({}));
    let attributes = ["resourceAttributes", "nonResourceAttributes"];
    let given = attributes
        .iter()
        .filter(|field| {
            review
                .pointer(&format!("/spec/{field}"))
                .is_some_and(|value| !value.is_null())
        })
        .count();
    if is_access && given != 1 {
        let message = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified";
        let cause = crate::status::Cause::new("FieldValueInvalid", message, "spec.resourceAttributes");
        return Err(crate::status::Status::invalid(
            "authorization.k8s.io",
            "",
            "",
            vec![cause],
        ));
    }
    let status = match kind.plural.as_str() {
        "selfsubjectaccessreviews" => access_status(asked, &asked.user, &review),
        "subjectaccessreviews" | "localsubjectaccessreviews" => {
            access_status(asked, &subject(&review), &review)
        }
        "selfsubjectreviews" => {
            let mut user = object!({"username": asked.user.name, "groups": asked.user.groups});
            if !asked.user.uid.is_empty() {
                meta::as_map(&mut user).insert("uid".to_owned(), asked.user.uid.clone().into());
            }
            object!({"userInfo": user})
        }
        "selfsubjectrulesreviews" => object!({"incomplete": false,
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}),
        "tokenreviews" => token_status(asked, &review),
        _ => return Ok(None),
    };
    meta::as_map(&mut review).insert("status".to_owned(), status);
    Ok(Some(json(201, &review)))
}

fn subject(review: &Value) -> super::User {
    let text = |pointer: &str| {
        review
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let groups = review.pointer("/spec/groups").and_then(Value::as_array);
    super::User {
        name: text("/spec/user"),
        groups: groups
            .map(|groups| {
                groups
                    .iter()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect()
            })
            .unwrap_or_default(),
        uid: text("/spec/uid"),
        ..super::User::default()
    }
}

fn access_status(asked: &Asked, user: &super::User, review: &Value) -> Value {
    let text = |key: &str| {
        let pointer = format!("/spec/resourceAttributes/{key}");
        review
            .pointer(&pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let target = Target {
        group: text("group"),
        version: text("version"),
        resource: text("resource"),
        namespace: text("namespace"),
        name: text("name"),
        subresource: text("subresource"),
        is_watch_path: false,
    };
    match access::check(
        &asked.face.cluster,
        asked.face.authorization,
        user,
        &text("verb"),
        &target,
    ) {
        Ok(()) => object!({"allowed": true}),
        Err(_) => object!({"allowed": false}),
    }
}

fn token_status(asked: &Asked, review: &Value) -> Value {
    let token = review
        .pointer("/spec/token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if asked.face.token.as_deref() == Some(token) {
        let admin = super::User::admin();
        object!({"authenticated": true, "user": {"username": admin.name, "groups": admin.groups}})
    } else {
        object!({"user": {}, "error": "invalid bearer token"})
    }
}
