//! `labels`, `commonLabels`, `commonAnnotations`: pairs set in every place of a list.

use super::Place;
use crate::{
    build::Session,
    error::Result,
    fields::{self, Kind},
    kustomization::Map,
    object::Object,
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
            objects.modify(at, &session.schema, |object| self.set(object))?;
        }
        Ok(())
    }

    fn set(&self, object: &mut Object) -> Result<()> {
        let gvk = object.gvk();
        let marks = object.new_marks(self.pairs.len());
        let mut added = vec![0_usize; marks.len()];
        for place in &self.places {
            place.visit(object, &gvk, Some(Kind::Mapping), &mut |field| {
                for ((key, value), (mark, count)) in self.pairs.iter().zip(marks.iter().zip(&mut added)) {
                    if key.is_empty() {
                        return Err(fields::wrong_kind(field, Kind::Scalar)
                            .help("a label or annotation needs a name"));
                    }
                    if let Some(new) = fields::set_string(field, key, value)? {
                        new.set_anchor(Some(mark.clone()));
                        *count += 1;
                    }
                }
                Ok(())
            })?;
        }
        for ((value, mark), count) in self.pairs.values().zip(marks).zip(added) {
            if count > 1 {
                object.share(mark, value);
            }
        }
        Ok(())
    }
}
