//! The transformers that the fields of a kustomization stand for, in the original's order.

use super::Target;
use crate::{
    config::{self, Config},
    error::{Context as _, Error, Result},
    fields,
    kustomization::FieldSpec,
    output, plugin,
    transform::{
        Place, Transformer,
        images::ImageTransformer,
        labels::PairsTransformer,
        namespace::{NamespaceTransformer, Subjects},
        patches::{self, Json6902Transformer, PatchTransformer, StrategicMerge},
        prefix_suffix::{Affix, End},
        replicas::ReplicaTransformer,
    },
};
use sluice_yaml::Node;

impl<'a> Target<'a> {
    /// The transformers that the fields of the kustomization stand for, in the original's order.
    pub(super) fn builtin_transformers(&self, config: &Config) -> Result<Vec<(&'static str, Transformer)>> {
        let k = &self.kustomization;
        let (loader, file) = (&*self.loader, self.file.as_str());
        let trouble = |kind: &'static str, config: String| {
            move |e: Error| {
                e.wrap(format!(
                    "trouble configuring builtin {kind} with config: `\n{config}`"
                ))
            }
        };
        let mut all = Vec::new();
        if !k.patches_strategic_merge.is_empty() {
            const KIND: &str = "PatchStrategicMergeTransformer";
            let paths = Node::sequence(
                k.patches_strategic_merge
                    .iter()
                    .map(|p| fields::string_node(p.value.clone()))
                    .collect(),
            );
            let shown = output::yaml_text(&Node::map([("paths", paths)]));
            let t = StrategicMerge::load(loader, &k.patches_strategic_merge, "", file)
                .map_err(trouble(KIND, shown))?;
            all.push((KIND, Transformer::StrategicMerge(t)));
        }
        for patch in &k.patches {
            const KIND: &str = "PatchTransformer";
            let shown = || patches::config_text(patch, "patch");
            let t =
                PatchTransformer::load(loader, patch, file, &shown).map_err(|e| trouble(KIND, shown())(e))?;
            all.push((KIND, Transformer::Patch(Box::new(t))));
        }
        if !k.namespace.is_empty() {
            let t = NamespaceTransformer {
                namespace: k.namespace.clone(),
                places: Place::all(&config.namespace),
                unset_only: false,
                subjects: Subjects::Default,
            };
            all.push(("NamespaceTransformer", Transformer::Namespace(t)));
        }
        if !k.name_prefix.is_empty() {
            let t = Affix {
                end: End::Prefix,
                text: k.name_prefix.clone(),
                places: Place::all(&config.name_prefix),
            };
            all.push(("PrefixTransformer", Transformer::Prefix(t)));
        }
        if !k.name_suffix.is_empty() {
            let t = Affix {
                end: End::Suffix,
                text: k.name_suffix.clone(),
                places: Place::all(&config.name_suffix),
            };
            all.push(("SuffixTransformer", Transformer::Suffix(t)));
        }
        all.extend(
            self.label_transformers(config)?
                .into_iter()
                .map(|t| ("LabelTransformer", Transformer::Labels(t))),
        );
        if !k.common_annotations.is_empty() {
            let t = PairsTransformer {
                pairs: k.common_annotations.clone(),
                places: Place::all(&config.common_annotations),
            };
            all.push(("AnnotationsTransformer", Transformer::Annotations(t)));
        }
        for patch in &k.patches_json6902 {
            const KIND: &str = "PatchJson6902Transformer";
            let t = Json6902Transformer::load(loader, patch, file)
                .map_err(|e| trouble(KIND, patches::config_text(patch, "jsonOp"))(e))?;
            all.push((KIND, Transformer::Json6902(Box::new(t))));
        }
        for replica in &k.replicas {
            let t = ReplicaTransformer {
                replica: replica.clone(),
                places: Place::all(&config.replicas),
            };
            all.push(("ReplicaCountTransformer", Transformer::Replicas(t)));
        }
        for image in &k.images {
            let t = ImageTransformer::new(image, Place::all(&config.images));
            all.push(("ImageTagTransformer", Transformer::Image(t)));
        }
        if !k.replacements.is_empty() {
            const KIND: &str = "ReplacementTransformer";
            let t = plugin::load_replacements(&k.replacements, loader, file)
                .map_err(|e| trouble(KIND, plugin::replacements_text(&k.replacements))(e))?;
            all.push((KIND, Transformer::Replacements(t)));
        }
        Ok(all)
    }

    fn label_transformers(&self, config: &Config) -> Result<Vec<PairsTransformer>> {
        let k = &self.kustomization;
        if k.labels.is_empty() && k.common_labels.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for label in &k.labels {
            let mut specs = label.fields.clone();
            let merged = |result: Result<()>| {
                result
                    .wrap(|| "failed to merge labels".into())
                    .in_file(&self.file)
            };
            merged(config::merge_specs(&mut specs, &config.labels))?;
            if label.include_selectors {
                merged(config::merge_specs(&mut specs, &config.common_labels))?;
            } else {
                if label.include_templates {
                    config::merge_specs(&mut specs, &config.template_labels)
                        .wrap(|| "failed to merge template fieldSpec".into())
                        .in_file(&self.file)?;
                }
                let own = FieldSpec::new("metadata/labels", true);
                merged(config::merge_spec(&mut specs, &own))?;
            }
            all.push(PairsTransformer {
                pairs: label.pairs.clone(),
                places: Place::all(&specs),
            });
        }
        all.push(PairsTransformer {
            pairs: k.common_labels.clone(),
            places: Place::all(&config.common_labels),
        });
        Ok(all)
    }
}
