//! The labels and annotations of an object.

use std::collections::HashMap;

use sluice_yaml::Node;

use super::Object;
use crate::{Text, error::Result, fields};

/// Annotations that a build uses for itself; they never reach the output.
const BUILD_ANNOTATIONS: [&str; 19] = [
    "internal.config.kubernetes.io/previousKinds",
    "internal.config.kubernetes.io/previousNames",
    "internal.config.kubernetes.io/prefixes",
    "internal.config.kubernetes.io/suffixes",
    "internal.config.kubernetes.io/previousNamespaces",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/needsHashSuffix",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/seqindent",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "internal.config.kubernetes.io/helm-generated",
];

/// Stands among an object's annotations for what the original keeps there, while a patch is put on it.
const MEMORY: &str = "\0memory";

impl Object {
    fn map_in_metadata(&self, field: &str) -> Vec<(Text, Text)> {
        let entries = self
            .metadata()
            .and_then(|m| m.get(field))
            .map(Node::entries)
            .unwrap_or_default();
        // the original reads them into a map: of a key that stands twice the last value counts
        let mut found: Vec<(Text, Text)> = Vec::with_capacity(entries.len());
        let mut places = HashMap::with_capacity(entries.len());
        for (key, value) in entries {
            let value = fields::shared(value);
            match places.get(fields::raw(key)).and_then(|at| found.get_mut(*at)) {
                Some((_, old)) => *old = value,
                None => {
                    places.insert(fields::raw(key), found.len());
                    found.push((fields::shared(key), value));
                }
            }
        }
        found
    }

    pub(crate) fn labels(&self) -> Vec<(Text, Text)> {
        self.map_in_metadata("labels")
    }

    pub(crate) fn annotations(&self) -> Vec<(Text, Text)> {
        self.map_in_metadata("annotations")
    }

    pub(crate) fn annotation(&self, key: &str) -> Option<Text> {
        self.metadata()?.get("annotations")?.get(key).map(fields::shared)
    }

    fn set_map_in_metadata(&mut self, field: &str, entries: Vec<(Text, Text)>) -> Result<()> {
        if self.node.is_null() {
            return Ok(()); // a patch has emptied it
        }
        let metadata = fields::mapping_field(&mut self.node, "metadata")?;
        metadata.remove(field);
        if !entries.is_empty() && metadata.is_mapping() {
            metadata.set(
                field,
                Node::mapping(
                    entries
                        .into_iter()
                        .map(|(k, v)| (Node::plain(k), fields::string_node(v)))
                        .collect(),
                ),
            );
        }
        Ok(())
    }

    /// Sets all labels, as strings; none removes the field.
    pub(crate) fn set_labels(&mut self, labels: Vec<(Text, Text)>) -> Result<()> {
        self.set_map_in_metadata("labels", labels)
    }

    /// Sets all annotations, as strings; none removes the field.
    pub(crate) fn set_annotations(&mut self, annotations: Vec<(Text, Text)>) -> Result<()> {
        self.set_map_in_metadata("annotations", annotations)
    }

    /// The original remembers in annotations, so that there are some where it remembers anything.
    pub(crate) fn make_annotations_of_memory(&mut self) -> Result<()> {
        if self.has_memory() {
            let metadata = fields::mapping_field(&mut self.node, "metadata")?;
            if metadata.get("annotations").is_none_or(Node::is_null) {
                metadata.set("annotations", Node::mapping(Vec::new()));
            }
        }
        Ok(())
    }

    /// Makes a change that may take all annotations away: the original forgets then what it keeps among them.
    pub(crate) fn risk_annotations<T>(&mut self, change: impl FnOnce(&mut Node) -> Result<T>) -> Result<T> {
        if !self.has_memory() || self.node.is_null() {
            return change(&mut self.node);
        }
        self.make_annotations_of_memory()?;
        let Some(annotations) = self.annotations_mut() else {
            return change(&mut self.node);
        };
        annotations.set(MEMORY, Node::plain("kept"));
        let changed = change(&mut self.node)?;
        let is_kept = self
            .annotations_mut()
            .is_some_and(|annotations| annotations.remove(MEMORY).is_some());
        if !is_kept {
            self.forget();
        } else if self
            .annotations_mut()
            .is_some_and(|annotations| annotations.entries().is_empty())
            && let Some(metadata) = self.node.get_mut("metadata")
        {
            metadata.remove("annotations");
        }
        Ok(changed)
    }

    fn annotations_mut(&mut self) -> Option<&mut Node> {
        let annotations = self.node.get_mut("metadata")?.get_mut("annotations")?;
        annotations.is_mapping().then_some(annotations)
    }

    /// Sets one annotation.
    pub(crate) fn set_annotation(&mut self, key: &str, value: &Text) -> Result<()> {
        let mut annotations = self.annotations();
        match annotations.iter_mut().find(|(k, _)| k == key) {
            Some((_, old)) => *old = value.clone(),
            None => annotations.push((key.into(), value.clone())),
        }
        self.set_annotations(annotations)
    }

    /// Drops the annotations that a build uses for itself and those that the caller names; what is left becomes strings.
    pub(crate) fn finish_annotations(&mut self, also: &[&str]) -> Result<()> {
        let mut annotations = self.annotations();
        annotations.retain(|(k, _)| !BUILD_ANNOTATIONS.contains(&k.as_str()) && !also.contains(&k.as_str()));
        self.set_annotations(annotations)
    }
}
