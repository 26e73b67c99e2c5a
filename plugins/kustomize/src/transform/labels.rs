//! `labels`, `commonLabels`, `commonAnnotations`: pairs set in every place of a list.

use super::Place;
use crate::{
    build::Session,
    error::Result,
    fields::{self, Kind},
    kustomization::Map,
    objects::Objects,
};

/// A configured LabelTransformer or AnnotationsTransformer.
#[derive(Clone, Debug)]
pub(crate) struct PairsTransformer {
    pub(crate) pairs: Map,
    pub(crate) places: Vec<Place>,
}

impl PairsTransformer {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        for at in 0..objects.len() {
            objects.modify(at, &session.schema, |object| {
                let gvk = object.gvk();
                self.places.iter().try_for_each(|place| {
                    place.visit(object, &gvk, Some(Kind::Mapping), &mut |field| {
                        self.pairs
                            .iter()
                            .try_for_each(|(key, value)| fields::set_string(field, key, value))
                    })
                })
            })?;
        }
        Ok(())
    }
}
