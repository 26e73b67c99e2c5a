//! `replicas`.

use sluice_yaml::Node;

use super::Place;
use crate::{
    build::Session,
    error::{Error, Result},
    fields::{self, Kind},
    kustomization::Replica,
    objects::Objects,
};

/// A configured ReplicaCountTransformer.
#[derive(Clone, Debug)]
pub(crate) struct ReplicaTransformer {
    pub(crate) replica: Replica,
    pub(crate) places: Vec<Place>,
}

impl ReplicaTransformer {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        let named = objects.with_any_name(&self.replica.name, &session.schema);
        let mut is_found = false;
        for place in &self.places {
            for &at in &named {
                let Some(object) = objects.get(at) else { continue };
                let mut ids = object.previous_ids();
                ids.push(object.id(&session.schema));
                let fits = ids
                    .iter()
                    .any(|id| id.name == self.replica.name && id.gvk.is_selected(&place.spec.gvk));
                if !fits || fields::is_nil_or_empty(&object.node) {
                    continue;
                }
                is_found = true;
                objects.modify(at, &session.schema, |object| {
                    let gvk = object.gvk();
                    place.visit(object, &gvk, Some(Kind::Scalar), &mut |field| {
                        fields::expect_kind(field, Kind::Scalar)?;
                        fields::assign(field, Node::int(self.replica.count));
                        Ok(())
                    })
                })?;
            }
        }
        if is_found {
            return Ok(());
        }
        let kinds: Vec<String> = self.places.iter().map(|p| p.spec.gvk.to_string()).collect();
        let error = Error::new(format!(
            "resource with name {} does not match a config with the following GVK [{}]",
            self.replica.name,
            kinds.join(" ")
        ));
        let scalable = ["Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"];
        let names: Vec<_> = objects
            .iter()
            .filter(|o| scalable.contains(&o.kind()))
            .map(|o| o.name())
            .collect();
        Err(match crate::nearest::nearest(&self.replica.name, names.iter().map(|n| n.as_str())) {
            Some(near) => error.help(format!("did you mean {near}?")),
            None => error.help("`replicas` names a Deployment, StatefulSet, ReplicaSet or ReplicationController of this build"),
        })
    }
}
