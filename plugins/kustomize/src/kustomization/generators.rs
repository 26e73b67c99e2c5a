//! The parts of `configMapGenerator`, `secretGenerator` and `generatorOptions`.

use sluice_yaml::{Node, Position};

use super::decode::{Decoder, Field, Map};
use crate::{Text, error::Result};

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
        // the original moves it where it reads a kustomization, and forgets it in the configuration of a plugin
        if d.strict && !env.is_empty() {
            args.envs.push(env);
        }
        Ok(args)
    }
}
