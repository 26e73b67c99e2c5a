//! The parts of `replacements`.

use sluice_yaml::{Node, Position};

use super::decode::{Decoder, Field};
use super::types::decode_selector;
use crate::{Text, error::Result, fields, selector::SelectorArgs};

/// `options` of a replacement's source or target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldOptions {
    pub(crate) delimiter: Text,
    pub(crate) index: i64,
    pub(crate) create: bool,
}

fn decode_field_options(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<FieldOptions> {
    let mut options = FieldOptions::default();
    d.object(
        node,
        field,
        "FieldOptions",
        &["delimiter", "index", "encoding", "create"],
        |name, node, field, _| {
            match name {
                "delimiter" => options.delimiter = d.text(node, field)?,
                "index" => options.index = d.int(node, field, "int")?,
                "create" => options.create = d.flag(node, field)?,
                // The original reads `encoding` and does nothing with it.
                _ => drop(d.text(node, field)?),
            }
            Ok(())
        },
    )?;
    Ok(options)
}

/// `source` of a replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplacementSource {
    pub(crate) object: SelectorArgs,
    pub(crate) field_path: Text,
    pub(crate) options: Option<FieldOptions>,
}

/// One of the `targets` of a replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReplacementTarget {
    pub(crate) select: Option<SelectorArgs>,
    pub(crate) reject: Vec<SelectorArgs>,
    pub(crate) field_paths: Vec<Text>,
    pub(crate) options: Option<FieldOptions>,
}

impl ReplacementTarget {
    fn to_node(&self) -> Node {
        let mut node = Node::mapping(Vec::new());
        if let Some(select) = &self.select {
            node.set("select", select.to_node());
        }
        if !self.reject.is_empty() {
            let reject = self.reject.iter().map(SelectorArgs::to_node).collect();
            node.set("reject", Node::sequence(reject));
        }
        if !self.field_paths.is_empty() {
            let paths = self
                .field_paths
                .iter()
                .cloned()
                .map(fields::string_node)
                .collect();
            node.set("fieldPaths", Node::sequence(paths));
        }
        set_options(&mut node, self.options.as_ref());
        node
    }
}

fn set_text(node: &mut Node, name: &str, text: &Text) {
    if !text.is_empty() {
        node.set(name, fields::string_node(text.clone()));
    }
}

fn set_options(node: &mut Node, options: Option<&FieldOptions>) {
    let Some(options) = options else { return };
    let mut shown = Node::mapping(Vec::new());
    set_text(&mut shown, "delimiter", &options.delimiter);
    if options.index != 0 {
        shown.set("index", Node::int(options.index));
    }
    if options.create {
        shown.set("create", Node::bool(true));
    }
    node.set("options", shown);
}

/// An entry of `replacements`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Replacement {
    pub(crate) path: Text,
    pub(crate) source: Option<ReplacementSource>,
    pub(crate) source_value: Option<Text>,
    pub(crate) targets: Option<Vec<ReplacementTarget>>,
    pub(crate) at: Position,
}

impl Replacement {
    /// As the original prints it in messages: nothing of what is empty.
    pub(crate) fn to_node(&self) -> Node {
        let mut node = Node::mapping(Vec::new());
        set_text(&mut node, "path", &self.path);
        if let Some(value) = &self.source_value {
            node.set("sourceValue", fields::string_node(value.clone()));
        }
        if let Some(source) = &self.source {
            let mut source_node = source.object.to_node();
            set_text(&mut source_node, "fieldPath", &source.field_path);
            set_options(&mut source_node, source.options.as_ref());
            node.set("source", source_node);
        }
        let targets = self.targets.iter().flatten().map(ReplacementTarget::to_node);
        let targets: Vec<Node> = targets.collect();
        if !targets.is_empty() {
            node.set("targets", Node::sequence(targets));
        }
        node
    }

    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        Self::decode_as("ReplacementField", d, node, field)
    }

    /// One that stands in a file of its own.
    pub(crate) fn decode_from_file(d: &Decoder<'_>, node: &Node) -> Result<Self> {
        Self::decode_as("Replacement", d, node, Field::top("Replacement"))
    }

    fn decode_as(go_type: &str, d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut replacement = Self {
            at: node.position,
            ..Self::default()
        };
        d.object(
            node,
            field,
            go_type,
            &["path", "source", "targets", "sourceValue"],
            |name, node, field, _| {
                match name {
                    "path" => replacement.path = d.text(node, field)?,
                    "source" => replacement.source = Some(decode_source(d, node, field)?),
                    "sourceValue" => replacement.source_value = Some(d.text(node, field)?),
                    _ => {
                        let targets = d.list(node, field, "*types.TargetSelector", |node, field| {
                            decode_target(d, node, field)
                        })?;
                        // an empty list is none in a kustomization, which the original prints for its transformer
                        replacement.targets = Some(targets).filter(|t| !(d.strict && t.is_empty()));
                    }
                }
                Ok(())
            },
        )?;
        Ok(replacement)
    }
}

fn decode_source(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<ReplacementSource> {
    const NAMES: &[&str] = &[
        "group",
        "version",
        "kind",
        "name",
        "namespace",
        "fieldPath",
        "options",
    ];
    let mut source = ReplacementSource::default();
    d.object(node, field, "SourceSelector", NAMES, |name, node, field, _| {
        match name {
            "group" => source.object.group = d.text(node, field)?,
            "version" => source.object.version = d.text(node, field)?,
            "kind" => source.object.kind = d.text(node, field)?,
            "name" => source.object.name = d.text(node, field)?,
            "namespace" => source.object.namespace = d.text(node, field)?,
            "fieldPath" => source.field_path = d.text(node, field)?,
            _ => source.options = Some(decode_field_options(d, node, field)?),
        }
        Ok(())
    })?;
    Ok(source)
}

fn decode_target(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<ReplacementTarget> {
    let mut target = ReplacementTarget::default();
    d.object(
        node,
        field,
        "TargetSelector",
        &["select", "reject", "fieldPaths", "options"],
        |name, node, field, _| {
            match name {
                "select" => target.select = Some(decode_selector(d, node, field)?),
                "reject" => {
                    target.reject = d.list(node, field, "*types.Selector", |node, field| {
                        decode_selector(d, node, field)
                    })?
                }
                "fieldPaths" => target.field_paths = d.texts(node, field)?,
                _ => target.options = Some(decode_field_options(d, node, field)?),
            }
            Ok(())
        },
    )?;
    Ok(target)
}
