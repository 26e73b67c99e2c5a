//! The parts of `vars`.

use sluice_yaml::Node;

use super::decode::{Decoder, Field};
use crate::{Text, error::Result, id::Gvk};

/// An entry of `vars`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) name: Text,
    pub(crate) gvk: Gvk,
    pub(crate) object_name: Text,
    pub(crate) namespace: Text,
    pub(crate) field_path: Text,
    /// Without what `apiVersion` says.
    written: Gvk,
}

impl Var {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut var = Self::default();
        let mut api_version = Text::default();
        d.object(
            node,
            field,
            "Var",
            &["name", "objref", "fieldref"],
            |name, node, field, _| {
                match name {
                    "name" => var.name = d.text(node, field)?,
                    "fieldref" => d.object(
                        node,
                        field,
                        "FieldSelector",
                        &["fieldPath"],
                        |_, node, field, _| {
                            var.field_path = d.text(node, field)?;
                            Ok(())
                        },
                    )?,
                    _ => {
                        const NAMES: &[&str] =
                            &["apiVersion", "group", "version", "kind", "name", "namespace"];
                        d.object(node, field, "Target", NAMES, |name, node, field, _| {
                            let text = d.text(node, field)?;
                            match name {
                                "apiVersion" => api_version = text,
                                "group" => var.gvk.group = text,
                                "version" => var.gvk.version = text,
                                "kind" => var.gvk.kind = text,
                                "name" => var.object_name = text,
                                _ => var.namespace = text,
                            }
                            Ok(())
                        })?;
                    }
                }
                Ok(())
            },
        )?;
        var.written = var.gvk.clone();
        if !api_version.is_empty() {
            match api_version.split('/').collect::<Vec<_>>().as_slice() {
                [version] => var.gvk.version = Text::from(*version),
                [group, version] => {
                    var.gvk.group = Text::from(*group);
                    var.gvk.version = Text::from(*version);
                }
                _ => {}
            }
        }
        Ok(var)
    }

    /// The field: the object's name where none is written.
    pub(crate) fn path(&self) -> &str {
        match self.field_path.as_str() {
            "" => "metadata.name",
            path => path,
        }
    }

    /// As the original's messages print it, with this path.
    pub(crate) fn display(&self, path: &str) -> String {
        format!("{{{} {} {{{path}}}}}", self.name, self.gvk)
    }

    /// The same before any defaults.
    pub(crate) fn display_as_written(&self) -> String {
        format!("{{{} {} {{{}}}}}", self.name, self.written, self.field_path)
    }
}
