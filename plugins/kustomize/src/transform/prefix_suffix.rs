//! `namePrefix` and `nameSuffix`.

use super::Place;
use crate::{
    Text,
    build::Session,
    error::Result,
    fields::{self, Kind},
    id::Gvk,
    objects::Objects,
};

/// At which end of the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Prefix,
    Suffix,
}

/// A configured PrefixTransformer or SuffixTransformer.
#[derive(Clone, Debug)]
pub(crate) struct Affix {
    pub(crate) end: End,
    pub(crate) text: Text,
    pub(crate) places: Vec<Place>,
}

/// Kinds whose names mean something outside: they are left alone.
fn keeps_name(gvk: &Gvk) -> bool {
    match gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

impl Affix {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        for at in 0..objects.len() {
            objects.modify(at, &session.schema, |object| {
                let original = object.original_gvk();
                if keeps_name(&original) {
                    return Ok(());
                }
                for place in self.places.iter().filter(|p| original.is_selected(&p.spec.gvk)) {
                    if place.spec.path == "metadata/name" && !self.text.is_empty() {
                        match self.end {
                            End::Prefix => object.prefixes.push(self.text.clone()),
                            End::Suffix => object.suffixes.push(self.text.clone()),
                        }
                        object.store_previous_id(&session.schema)?;
                    }
                    let gvk = object.gvk();
                    place.visit(object, &gvk, Some(Kind::Scalar), &mut |field| {
                        fields::expect_kind(field, Kind::Scalar)?;
                        let name = match self.end {
                            End::Prefix => format!("{}{}", self.text, fields::raw(field)),
                            End::Suffix => format!("{}{}", fields::raw(field), self.text),
                        };
                        fields::assign_untyped(field, &name.into());
                        Ok(())
                    })?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}
