//! Versions that Flux no longer serves and manifests in the wild still name. They are stored as `v1`.
//!
//! Their schema is that of `v1` with the fields it has lost; those are accepted, and dropped when the object is stored,
//! as Flux dropped them. Only the patches of a Kustomization are kept, in `v1` too: without them something else would be
//! applied. The API server warns whoever applies one.

use serde_json::{Map, Value, json};

/// One version of before.
pub(super) struct Older {
    /// `v1beta2`.
    pub(super) name: &'static str,
    /// Fields of the spec that `v1` does not have.
    pub(super) spec: &'static [&'static str],
    /// Fields of the status that `v1` does not have.
    pub(super) status: &'static [&'static str],
    /// What the warning adds.
    pub(super) advice: &'static str,
}

pub(super) const KUSTOMIZATION: &[Older] = &[
    Older {
        name: "v1beta1",
        spec: &["validation"],
        status: &["snapshot"],
        advice: "spec.validation is not kept; use spec.patches for all patches",
    },
    Older {
        name: "v1beta2",
        spec: &["validation"],
        status: &[],
        advice: "spec.validation is not kept; use spec.patches for all patches",
    },
];

pub(super) const GIT_REPOSITORY: &[Older] = &[
    Older {
        name: "v1beta1",
        spec: &["gitImplementation", "accessFrom"],
        status: &["url"],
        advice: "spec.gitImplementation and spec.accessFrom are not kept",
    },
    Older {
        name: "v1beta2",
        spec: &["gitImplementation", "accessFrom"],
        status: &["url", "contentConfigChecksum"],
        advice: "spec.gitImplementation and spec.accessFrom are not kept",
    },
];

pub(super) const HELM_REPOSITORY: &[Older] = &[
    Older {
        name: "v1beta1",
        spec: &[],
        status: &[],
        advice: "the schema is the same",
    },
    Older {
        name: "v1beta2",
        spec: &[],
        status: &[],
        advice: "the schema is the same",
    },
];

pub(super) const HELM_CHART: &[Older] = &[
    Older {
        name: "v1beta1",
        spec: &["valuesFile", "accessFrom"],
        status: &[],
        advice: "spec.valuesFile and spec.accessFrom are not kept: use spec.valuesFiles",
    },
    Older {
        name: "v1beta2",
        spec: &["valuesFile", "accessFrom"],
        status: &[],
        advice: "spec.valuesFile and spec.accessFrom are not kept: use spec.valuesFiles",
    },
];

pub(super) const BUCKET: &[Older] = &[
    Older {
        name: "v1beta1",
        spec: &["accessFrom"],
        status: &[],
        advice: "spec.accessFrom is not kept",
    },
    Older {
        name: "v1beta2",
        spec: &["accessFrom"],
        status: &[],
        advice: "spec.accessFrom is not kept",
    },
];

pub(super) const OCI_REPOSITORY: &[Older] = &[Older {
    name: "v1beta2",
    spec: &[],
    status: &["contentConfigChecksum"],
    advice: "the schema is the same",
}];

/// The version's entry in the CRD, made from that of the stored version.
pub(super) fn version(older: &Older, group: &str, kind: &str, stored: &Value) -> Value {
    let mut version = stored.clone();
    add_fields(
        &mut version,
        "/schema/openAPIV3Schema/properties/spec/properties",
        older.spec,
    );
    add_fields(
        &mut version,
        "/schema/openAPIV3Schema/properties/status/properties",
        older.status,
    );
    let name = older.name;
    let changes = json!({
        "name": name,
        "storage": false,
        "deprecated": true,
        "deprecationWarning": format!("{group}/{name} {kind} is deprecated, use {group}/v1; {}", older.advice),
    });
    if let (Some(version), Value::Object(changes)) = (version.as_object_mut(), changes) {
        version.extend(changes);
    }
    version
}

fn add_fields(version: &mut Value, pointer: &str, names: &[&str]) {
    let Some(properties) = version.pointer_mut(pointer).and_then(Value::as_object_mut) else {
        return;
    };
    properties.extend(
        names
            .iter()
            .map(|name| ((*name).to_owned(), anything()))
            .collect::<Map<_, _>>(),
    );
}

/// A field of any type, kept only as long as the request lasts.
fn anything() -> Value {
    json!({
        "description": "A field of before; accepted, and not kept.",
        "x-kubernetes-preserve-unknown-fields": true,
    })
}
