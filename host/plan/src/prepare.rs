use crate::Owner;
use serde_json::{Map, Value};
use sluice_api::kustomize::CommonMetadata;
use sluice_api::meta::{DECRYPT, DISABLED, KUSTOMIZE_CONFIG_GROUP, OWNER_NAME, OWNER_NAMESPACE};
use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_object::{
    GroupKind, InvalidObject, Manifests, Object, ObjectId, Origin, Stage, flatten, sort_for_apply,
};

/// How one Kustomization wants its objects.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// `spec.commonMetadata`.
    pub common_metadata: Option<CommonMetadata>,
    /// `--custom-apply-stage-kinds`.
    pub custom_stage_kinds: Vec<GroupKind>,
}

/// The objects of one stage, in the order they are applied in.
#[derive(Clone, Debug, PartialEq)]
pub struct StagedObjects {
    /// Which stage.
    pub stage: Stage,
    /// As they are sent to the API server.
    pub objects: Vec<Object>,
}

/// Why rendered objects cannot be applied as they are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// A Secret is still encrypted.
    #[error(
        "{id} is SOPS encrypted, configuring decryption is required for this secret to be reconciled{}",
        at(origin)
    )]
    Encrypted {
        /// The Secret.
        id: ObjectId,
        /// Where it comes from.
        origin: Option<Origin>,
    },
    /// An item of a list, or an object after its labels were set, is no Kubernetes object.
    #[error(
        "failed to decode Kubernetes apiVersion, kind and name from: {id}: {cause}{}",
        at(origin)
    )]
    Invalid {
        /// The object, as far as it is known.
        id: ObjectId,
        /// What is wrong.
        cause: InvalidObject,
        /// Where it comes from.
        origin: Option<Origin>,
    },
    /// Two objects have the same name.
    #[error(
        "{id} is rendered twice{}{}; rename or remove one of them",
        at(first),
        and(second)
    )]
    Twice {
        /// The object.
        id: ObjectId,
        /// Where the first comes from.
        first: Option<Origin>,
        /// Where the second comes from.
        second: Option<Origin>,
    },
}

fn at(origin: &Option<Origin>) -> String {
    origin
        .as_ref()
        .map_or_else(String::new, |origin| format!(" ({origin})"))
}

fn and(origin: &Option<Origin>) -> String {
    origin
        .as_ref()
        .map_or_else(String::new, |origin| format!(" and ({origin})"))
}

impl Disposition for PrepareError {
    fn reason(&self) -> Reason {
        match self {
            Self::Encrypted { .. } | Self::Twice { .. } => reason::RECONCILIATION_FAILED,
            Self::Invalid { .. } => reason::BUILD_FAILED,
        }
    }

    fn next(&self) -> Next {
        Next::Retry
    }

    fn blame(&self) -> Blame {
        Blame::User
    }
}

/// Makes of rendered objects what is sent to the API server, in stages and in apply order (compat kustomize 6.1, 6.2):
/// lists opened, Kustomize's own documents dropped, owner labels, Flux's normalization, common metadata. Empty stages
/// are left out.
///
/// # Errors
/// A Secret is still encrypted, an object is none, or two of one version have one name.
pub fn prepare(
    manifests: &Manifests,
    owner: &Owner,
    policy: &Policy,
) -> Result<Vec<StagedObjects>, PrepareError> {
    let mut objects = Vec::with_capacity(manifests.objects.len());
    for object in &manifests.objects {
        for part in open(object)? {
            if part.gvk().group == KUSTOMIZE_CONFIG_GROUP && part.gvk().kind == "Kustomization" {
                continue;
            }
            objects.push(prepare_one(part, owner, policy)?);
        }
    }
    sort_for_apply(&mut objects);
    let mut stages = Stage::ALL.map(|stage| StagedObjects {
        stage,
        objects: Vec::new(),
    });
    for object in without_repetitions(objects)? {
        let stage = Stage::of(object.gvk(), &policy.custom_stage_kinds);
        if let Some(staged) = stages.iter_mut().find(|staged| staged.stage == stage) {
            staged.objects.push(object);
        }
    }
    Ok(stages
        .into_iter()
        .filter(|staged| !staged.objects.is_empty())
        .collect())
}

/// One object in two API versions is applied as the last one says, as it would end up if both were; twice in one
/// version is a mistake.
pub(crate) fn without_repetitions(objects: Vec<Object>) -> Result<Vec<Object>, PrepareError> {
    let mut once: Vec<Object> = Vec::with_capacity(objects.len());
    for object in objects {
        if let Some(last) = once.pop_if(|last| sluice_object::apply_order(last.id(), object.id()).is_eq())
            && last.gvk() == object.gvk()
        {
            let (first, second) = (last.origin().cloned(), object.origin().cloned());
            return Err(PrepareError::Twice {
                id: object.id().clone(),
                first,
                second,
            });
        }
        once.push(object);
    }
    Ok(once)
}

fn open(object: &Object) -> Result<Vec<Object>, PrepareError> {
    if !object.gvk().kind.ends_with("List") || !object.body().get("items").is_some_and(Value::is_array) {
        // what has no apiVersion or no name is no Kubernetes object (compat/kustomize.md section 6.1)
        let is_named = has_text(object.text(&["metadata", "name"]));
        let is_object = is_named && !object.gvk().version.is_empty();
        return Ok(if is_object { vec![object.clone()] } else { vec![] });
    }
    let invalid = |cause| PrepareError::Invalid {
        id: object.id().clone(),
        cause,
        origin: object.origin().cloned(),
    };
    let items = flatten(Value::Object(object.body().clone())).into_iter();
    items
        .map(|item| {
            for (field, place) in [("apiVersion", "/apiVersion"), ("metadata.name", "/metadata/name")] {
                if !has_text(item.pointer(place).and_then(Value::as_str)) {
                    return Err(invalid(InvalidObject::Missing(field)));
                }
            }
            Ok(Object::new(item)
                .map_err(invalid)?
                .with_origin(object.origin().cloned()))
        })
        .collect()
}

fn has_text(field: Option<&str>) -> bool {
    field.is_some_and(|text| !text.is_empty())
}

fn prepare_one(object: Object, owner: &Owner, policy: &Policy) -> Result<Object, PrepareError> {
    let (id, origin) = (object.id().clone(), object.origin().cloned());
    // normalization drops the field that tells
    if is_encrypted(&object) {
        return Err(PrepareError::Encrypted { id, origin });
    }
    let mut value = object.into_value();
    let labels = [
        (OWNER_NAME, owner.name.as_str()),
        (OWNER_NAMESPACE, owner.namespace.as_str()),
    ];
    put(&mut value, "labels", labels);
    let mut value = sluice_schema::normalize::normalize_for_apply(&id.gvk, value);
    if let Some(common) = &policy.common_metadata {
        for (place, map) in [("labels", &common.labels), ("annotations", &common.annotations)] {
            if !map.is_empty() {
                let texts = map.iter().map(|(key, text)| (key.as_str(), text.as_str()));
                put(&mut value, place, texts);
            }
        }
    }
    match Object::new(value) {
        Ok(object) => Ok(object.with_origin(origin)),
        Err(cause) => Err(PrepareError::Invalid { id, cause, origin }),
    }
}

fn is_encrypted(object: &Object) -> bool {
    let is_secret = object.gvk().group.is_empty() && object.gvk().kind == "Secret";
    let decrypt = object.text(&["metadata", "annotations", DECRYPT]);
    is_secret
        && object.body().contains_key("sops")
        && !decrypt.is_some_and(|value| value.eq_ignore_ascii_case(DISABLED))
}

/// Sets keys of a map below `metadata`.
fn put<'t>(object: &mut Value, place: &str, texts: impl IntoIterator<Item = (&'t str, &'t str)>) {
    let Some(Value::Object(metadata)) = object.get_mut("metadata") else {
        return;
    };
    let map = metadata.entry(place).or_insert(Value::Null);
    if !map.is_object() {
        *map = Value::Object(Map::new());
    }
    if let Value::Object(map) = map {
        map.extend(
            texts
                .into_iter()
                .map(|(key, value)| (key.to_owned(), Value::from(value))),
        );
    }
}
