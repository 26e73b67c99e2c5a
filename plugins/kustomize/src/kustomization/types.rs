//! The parts of a kustomization file: one type a field, each with its decoder.

use sluice_yaml::{Node, Position};

use super::decode::{Decoder, Field, Map};
use crate::{Text, error::Result, id::Gvk, selector::SelectorArgs};

/// One place in the objects of one kind: `path`, `kind`, `create` …
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    pub(crate) gvk: Gvk,
    pub(crate) path: Text,
    pub(crate) create: bool,
}

impl FieldSpec {
    pub(crate) fn new(path: &str, create: bool) -> Self {
        Self {
            path: path.into(),
            create,
            ..Self::default()
        }
    }

    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut spec = Self::default();
        d.object(
            node,
            field,
            "FieldSpec",
            &["group", "version", "kind", "path", "create"],
            |name, node, field, _| {
                match name {
                    "group" => spec.gvk.group = d.text(node, field)?,
                    "version" => spec.gvk.version = d.text(node, field)?,
                    "kind" => spec.gvk.kind = d.text(node, field)?,
                    "path" => spec.path = d.text(node, field)?,
                    _ => spec.create = d.flag(node, field)?,
                }
                Ok(())
            },
        )?;
        Ok(spec)
    }

    pub(crate) fn decode_list(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Vec<Self>> {
        d.list(node, field, "types.FieldSpec", |node, field| {
            Self::decode(d, node, field)
        })
    }
}

/// An entry of `labels`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Label {
    pub(crate) pairs: Map,
    pub(crate) include_selectors: bool,
    pub(crate) include_templates: bool,
    pub(crate) fields: Vec<FieldSpec>,
}

impl Label {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut label = Self::default();
        d.object(
            node,
            field,
            "Label",
            &["pairs", "includeSelectors", "includeTemplates", "fields"],
            |name, node, field, _| {
                match name {
                    "pairs" => label.pairs = d.map(node, field)?,
                    "includeSelectors" => label.include_selectors = d.flag(node, field)?,
                    "includeTemplates" => label.include_templates = d.flag(node, field)?,
                    _ => label.fields = FieldSpec::decode_list(d, node, field)?,
                }
                Ok(())
            },
        )?;
        Ok(label)
    }
}

/// `allowNameChange`, `allowKindChange`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PatchOptions {
    pub(crate) allow_name_change: bool,
    pub(crate) allow_kind_change: bool,
}

/// An entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Patch {
    pub(crate) path: Text,
    pub(crate) patch: Text,
    pub(crate) target: Option<SelectorArgs>,
    pub(crate) options: Option<PatchOptions>,
    /// Where the entry is, and where the text of `patch` starts.
    pub(crate) at: Position,
    pub(crate) text_at: Position,
}

impl Patch {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut patch = Self {
            at: node.position,
            ..Self::default()
        };
        d.object(
            node,
            field,
            "Patch",
            &["path", "patch", "target", "options"],
            |name, node, field, _| {
                match name {
                    "path" => patch.path = d.text(node, field)?,
                    "patch" => {
                        patch.patch = d.text(node, field)?;
                        patch.text_at = node.position;
                    }
                    "target" => patch.target = Some(decode_selector(d, node, field)?),
                    _ => patch.options = Some(decode_patch_options(d, node, field)?),
                }
                Ok(())
            },
        )?;
        Ok(patch)
    }
}

pub(crate) fn decode_patch_options(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<PatchOptions> {
    let mut options = PatchOptions::default();
    d.object(
        node,
        field,
        "PatchArgs",
        &["allowNameChange", "allowKindChange"],
        |name, node, field, _| {
            let flag = d.flag(node, field)?;
            match name {
                "allowNameChange" => options.allow_name_change = flag,
                _ => options.allow_kind_change = flag,
            }
            Ok(())
        },
    )?;
    Ok(options)
}

pub(crate) fn decode_selector(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<SelectorArgs> {
    const NAMES: &[&str] = &[
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "annotationSelector",
        "labelSelector",
    ];
    let mut selector = SelectorArgs::default();
    d.object(node, field, "Selector", NAMES, |name, node, field, _| {
        let text = d.text(node, field)?;
        match name {
            "group" => selector.group = text,
            "version" => selector.version = text,
            "kind" => selector.kind = text,
            "name" => selector.name = text,
            "namespace" => selector.namespace = text,
            "annotationSelector" => selector.annotations = text,
            _ => selector.labels = text,
        }
        Ok(())
    })?;
    Ok(selector)
}

/// An entry of `images`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Image {
    pub(crate) name: Text,
    pub(crate) new_name: Text,
    pub(crate) tag_suffix: Text,
    pub(crate) new_tag: Text,
    pub(crate) digest: Text,
}

impl Image {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut image = Self::default();
        d.object(
            node,
            field,
            "Image",
            &["name", "newName", "tagSuffix", "newTag", "digest"],
            |name, node, field, _| {
                let text = d.text(node, field)?;
                match name {
                    "name" => image.name = text,
                    "newName" => image.new_name = text,
                    "tagSuffix" => image.tag_suffix = text,
                    "newTag" => image.new_tag = text,
                    _ => image.digest = text,
                }
                Ok(())
            },
        )?;
        Ok(image)
    }
}

/// An entry of `replicas`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Replica {
    pub(crate) name: Text,
    pub(crate) count: i64,
}

impl Replica {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut replica = Self::default();
        d.object(
            node,
            field,
            "Replica",
            &["name", "count"],
            |name, node, field, _| {
                match name {
                    "name" => replica.name = d.text(node, field)?,
                    _ => replica.count = d.int(node, field, "int64")?,
                }
                Ok(())
            },
        )?;
        Ok(replica)
    }
}

/// `sortOptions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SortOptions {
    pub(crate) order: Text,
    /// The lists of `legacySortOptions`: first, last.
    pub(crate) legacy: Option<(Vec<Text>, Vec<Text>)>,
}

impl SortOptions {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut options = Self::default();
        d.object(
            node,
            field,
            "SortOptions",
            &["order", "legacySortOptions"],
            |name, node, field, _| {
                if name == "order" {
                    options.order = d.text(node, field)?;
                    return Ok(());
                }
                let (mut first, mut last) = (Vec::new(), Vec::new());
                d.object(
                    node,
                    field,
                    "LegacySortOptions",
                    &["orderFirst", "orderLast"],
                    |name, node, field, _| {
                        let kinds = d.texts(node, field)?;
                        if name == "orderFirst" {
                            first = kinds
                        } else {
                            last = kinds
                        }
                        Ok(())
                    },
                )?;
                options.legacy = Some((first, last));
                Ok(())
            },
        )?;
        Ok(options)
    }
}
