//! The parts of a kustomization file: one type a field, each with its decoder.

use sluice_yaml::{Node, Position};

use super::decode::{Decoder, Field, Map, Spot};
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
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        let mut replacement = Self {
            at: node.position,
            ..Self::default()
        };
        d.object(
            node,
            field,
            "ReplacementField",
            &["path", "source", "targets", "sourceValue"],
            |name, node, field, _| {
                match name {
                    "path" => replacement.path = d.text(node, field)?,
                    "source" => replacement.source = Some(decode_source(d, node, field)?),
                    "sourceValue" => replacement.source_value = Some(d.text(node, field)?),
                    _ => {
                        replacement.targets =
                            Some(d.list(node, field, "*types.TargetSelector", |node, field| {
                                decode_target(d, node, field)
                            })?);
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

/// An entry of `vars`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Var {
    pub(crate) name: Text,
    pub(crate) gvk: Gvk,
    pub(crate) object_name: Text,
    pub(crate) namespace: Text,
    pub(crate) field_path: Text,
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
}

/// `generatorOptions`, and `options` of one generator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GeneratorOptions {
    pub(crate) labels: Map,
    pub(crate) annotations: Map,
    pub(crate) disable_name_suffix_hash: bool,
    pub(crate) immutable: bool,
}

impl GeneratorOptions {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Self> {
        const NAMES: &[&str] = &["labels", "annotations", "disableNameSuffixHash", "immutable"];
        let mut options = Self::default();
        d.object(node, field, "GeneratorOptions", NAMES, |name, node, field, _| {
            match name {
                "labels" => options.labels = d.map(node, field)?,
                "annotations" => options.annotations = d.map(node, field)?,
                "disableNameSuffixHash" => options.disable_name_suffix_hash = d.flag(node, field)?,
                _ => options.immutable = d.flag(node, field)?,
            }
            Ok(())
        })?;
        Ok(options)
    }

    /// These options over the kustomization's: maps are joined, flags once set stay set.
    pub(crate) fn over(local: Option<&Self>, global: Option<&Self>) -> Option<Self> {
        let Some(global) = global else {
            return local.cloned();
        };
        let mut merged = local.cloned().unwrap_or_default();
        for (own, other) in [
            (&mut merged.labels, &global.labels),
            (&mut merged.annotations, &global.annotations),
        ] {
            for (key, value) in other {
                own.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        merged.disable_name_suffix_hash |= global.disable_name_suffix_hash;
        merged.immutable |= global.immutable;
        Some(merged)
    }
}

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct GeneratorArgs {
    pub(crate) name: Text,
    pub(crate) namespace: Text,
    pub(crate) behavior: Text,
    pub(crate) literals: Vec<Text>,
    pub(crate) files: Vec<Text>,
    pub(crate) envs: Vec<Text>,
    pub(crate) options: Option<GeneratorOptions>,
    /// Secrets only.
    pub(crate) secret_type: Text,
    pub(crate) at: Position,
}

impl GeneratorArgs {
    pub(crate) fn decode(d: &Decoder<'_>, node: &Node, field: Field<'_>, is_secret: bool) -> Result<Self> {
        const CONFIG_MAP: &[&str] = &[
            "name",
            "namespace",
            "behavior",
            "literals",
            "files",
            "envs",
            "env",
            "options",
        ];
        const SECRET: &[&str] = &[
            "name",
            "namespace",
            "behavior",
            "literals",
            "files",
            "envs",
            "env",
            "options",
            "type",
        ];
        let (go_type, names) = if is_secret {
            ("SecretArgs", SECRET)
        } else {
            ("ConfigMapArgs", CONFIG_MAP)
        };
        let mut args = Self {
            at: node.position,
            ..Self::default()
        };
        let mut env = Text::default();
        d.object(node, field, go_type, names, |name, node, field, _| {
            match name {
                "name" => args.name = d.text(node, field)?,
                "namespace" => args.namespace = d.text(node, field)?,
                "behavior" => args.behavior = d.text(node, field)?,
                "literals" => args.literals = d.texts(node, field)?,
                "files" => args.files = d.texts(node, field)?,
                "envs" => args.envs = d.texts(node, field)?,
                "env" => env = d.text(node, field)?,
                "options" => args.options = Some(GeneratorOptions::decode(d, node, field)?),
                _ => args.secret_type = d.text(node, field)?,
            }
            Ok(())
        })?;
        if !env.is_empty() {
            args.envs.push(env);
        }
        Ok(args)
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

/// Names of Helm charts: enough to refuse them.
pub(crate) fn decode_helm(node: &Node) -> Vec<Spot<Text>> {
    let name = |chart: &Node| {
        ["name", "chartName"]
            .iter()
            .find_map(|n| chart.get(n))
            .map(crate::fields::shared)
            .unwrap_or_default()
    };
    node.items()
        .iter()
        .map(|chart| Spot {
            value: name(chart),
            at: chart.position,
        })
        .collect()
}
