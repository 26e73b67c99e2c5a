//! `namespace`: sets it on objects, on role bindings' subjects, in webhooks and API services, and renames Namespaces.

use std::collections::HashMap;

use sluice_yaml::Node;

use super::Place;
use crate::{
    Text,
    build::Session,
    error::{Context as _, Error, Result},
    fields::{self, Kind},
    id::Key,
    kustomization::FieldSpec,
    object::Object,
    objects::Objects,
};

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those named `default`.
    #[default]
    Default,
    /// All service accounts.
    ServiceAccounts,
    /// None.
    None,
}

/// A configured NamespaceTransformer.
#[derive(Clone, Debug)]
pub(crate) struct NamespaceTransformer {
    pub(crate) namespace: Text,
    pub(crate) places: Vec<Place>,
    pub(crate) unset_only: bool,
    pub(crate) subjects: Subjects,
}

const METADATA_NAMESPACE: &str = "metadata/namespace";

impl NamespaceTransformer {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let mut counts: HashMap<Key, usize> = HashMap::new();
        for object in objects.iter() {
            *counts.entry(object.id(&session.schema).key()).or_default() += 1;
        }
        for at in 0..objects.len() {
            let Some(object) = objects.get(at) else { continue };
            let is_helm = object
                .annotation("internal.config.kubernetes.io/helm-generated")
                .as_deref()
                == Some("true");
            if fields::is_nil_or_empty(&object.node) || is_helm {
                continue;
            }
            let before = object.id(&session.schema).key();
            objects.modify(at, &session.schema, |object| {
                object.store_previous_id(&session.schema)?;
                self.set(object, session)
            })?;
            let Some(object) = objects.get(at) else { continue };
            let id = object.id(&session.schema);
            if let Some(count) = counts.get_mut(&before) {
                *count -= 1;
            }
            let count = counts.entry(id.key()).or_default();
            *count += 1;
            if *count != 1 {
                let (place, file) = (object.position(), object.source.file.clone());
                let same = objects.with_id(&id, &session.schema);
                let all: Vec<&Object> = same.iter().filter_map(|i| objects.get(*i)).collect();
                let texts: Vec<String> = all.iter().map(|o| crate::output::json(&o.node)).collect();
                let places: Vec<String> = all
                    .iter()
                    .map(|o| format!("{}:{}", o.source.file, o.source.line))
                    .collect();
                return Err(Error::new(format!(
                    "namespace transformation produces ID conflict: [{}]",
                    texts.join(" ")
                ))
                .about(&id)
                .at(&file, place)
                .help(format!(
                    "{} would both be {id}; rename one of them",
                    places.join(" and ")
                )));
            }
        }
        Ok(())
    }

    /// Sets the namespace in one object, without remembering the one before.
    pub(crate) fn set(&self, object: &mut Object, session: &Session<'_>) -> Result<()> {
        let own = Place::new(&FieldSpec::new(METADATA_NAMESPACE, true));
        let gvk = object.gvk();
        let is_core = object.api_version() == "v1";
        let is_binding = is_role_binding(&gvk.kind);
        // what says null in words counts as set, and stays null
        let is_null_in_words = |field: &Node| field.is_null() && !fields::raw(field).is_empty();
        let is_kept = self.unset_only
            && object
                .node
                .get_path(&["metadata", "namespace"])
                .is_some_and(is_null_in_words);
        if !session.schema.is_cluster_scoped(&gvk) && !is_kept {
            own.visit(object, &gvk, Some(Kind::Scalar), &mut |field| {
                self.set_scalar(field)
            })?;
        }
        if is_binding {
            self.set_subjects(object)
                .map_err(|e| e.at(&object.source.file, object.position()))?;
        }
        for place in &self.places {
            let path = place.spec.path.as_str();
            let is_handled = path == METADATA_NAMESPACE
                || (!is_core && path == "metadata/name")
                || (is_binding && is_role_binding(&place.spec.gvk.kind) && path == "subjects/namespace");
            if !is_handled {
                place
                    .visit(object, &gvk, Some(Kind::Scalar), &mut |field| {
                        self.set_scalar(field)
                    })
                    .map_err(|e| {
                        if e.text().contains("wrong node kind") {
                            e.wrap("namespace field specs must target scalar nodes")
                        } else {
                            e.wrap("namespace transformation failed")
                        }
                    })?;
            }
        }
        Ok(())
    }

    fn set_scalar(&self, field: &mut Node) -> Result<()> {
        if self.unset_only && !fields::is_nil_or_empty(field) && !fields::value(field).is_empty() {
            return Ok(());
        }
        fields::expect_kind(field, Kind::Scalar)?;
        fields::assign_string(field, &self.namespace);
        Ok(())
    }

    fn set_subjects(&self, object: &mut Object) -> Result<()> {
        let (field, wanted) = match self.subjects {
            Subjects::None => return Ok(()),
            Subjects::Default => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
        };
        let Some(subjects) = object.node.get_mut("subjects").filter(|s| !s.is_null()) else {
            return Ok(());
        };
        fields::expect_kind(subjects, Kind::Sequence)?;
        for subject in subjects.items_mut().into_iter().flatten() {
            fields::expect_kind(subject, Kind::Mapping)
                .wrap(|| "setting namespace on (cluster)role binding subjects".into())?;
            if subject.get(field).is_some_and(|v| fields::value(v) == wanted) {
                self.set_scalar(subject.get_or_insert_with("namespace", || Node::plain("")))?;
            }
        }
        Ok(())
    }
}

fn is_role_binding(kind: &str) -> bool {
    matches!(kind, "RoleBinding" | "ClusterRoleBinding")
}
