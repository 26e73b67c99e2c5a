//! The kustomization file: its fields, and the original's automatic fixes.
//!
//! A field added to Kustomize goes into [`Kustomization`] and, where it has parts, into `types.rs` or a file of its own.

mod decode;
mod generators;
mod helm;
mod replacements;
mod types;
mod vars;

use sluice_yaml::Node;

pub(crate) use self::{
    decode::{Decoder, Field, Map, Spot},
    generators::{GeneratorArgs, GeneratorOptions},
    replacements::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget},
    types::{FieldSpec, Image, Label, Patch, Replica, SortOptions, decode_patch_options, decode_selector},
    vars::Var,
};
use crate::{
    Text,
    error::{Error, Result},
    fields, output,
};

/// The names a kustomization file may have.
pub(crate) const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const KIND: &str = "Kustomization";
const COMPONENT: &str = "Component";

/// A kustomization file after the automatic fixes: `bases` are resources, `imageTags` are images, `env` is in `envs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kustomization {
    pub(crate) api_version: Text,
    pub(crate) kind: Text,
    pub(crate) openapi: Map,
    pub(crate) name_prefix: Text,
    pub(crate) name_suffix: Text,
    pub(crate) namespace: Text,
    pub(crate) common_labels: Map,
    pub(crate) labels: Vec<Label>,
    pub(crate) common_annotations: Map,
    pub(crate) patches_strategic_merge: Vec<Spot<Text>>,
    pub(crate) patches_json6902: Vec<Patch>,
    pub(crate) patches: Vec<Patch>,
    pub(crate) images: Vec<Image>,
    pub(crate) replacements: Vec<Replacement>,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) vars: Vec<Var>,
    pub(crate) sort_options: Option<SortOptions>,
    pub(crate) resources: Vec<Spot<Text>>,
    pub(crate) components: Vec<Spot<Text>>,
    pub(crate) crds: Vec<Spot<Text>>,
    pub(crate) config_map_generator: Vec<GeneratorArgs>,
    pub(crate) secret_generator: Vec<GeneratorArgs>,
    pub(crate) helm_charts: Vec<Spot<Text>>,
    pub(crate) generator_options: Option<GeneratorOptions>,
    pub(crate) configurations: Vec<Spot<Text>>,
    pub(crate) generators: Vec<Spot<Text>>,
    pub(crate) transformers: Vec<Spot<Text>>,
    pub(crate) validators: Vec<Spot<Text>>,
    pub(crate) build_metadata: Vec<Text>,
    /// Deprecated fields, as lines of text.
    pub(crate) warnings: Vec<String>,
    /// Resources and images under their old names, until they are with the others.
    bases: Vec<Spot<Text>>,
    image_tags: Vec<Image>,
}

const FIELDS: &[&str] = &[
    "kind",
    "apiVersion",
    "metadata",
    "openapi",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "images",
    "imageTags",
    "replacements",
    "replicas",
    "vars",
    "sortOptions",
    "resources",
    "components",
    "crds",
    "bases",
    "configMapGenerator",
    "secretGenerator",
    "helmGlobals",
    "helmCharts",
    "helmChartInflationGenerator",
    "generatorOptions",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "buildMetadata",
];

/// Deprecated fields in the order of the original's warnings: what to use instead, and whether the fix is experimental.
const DEPRECATED: [(&str, &str, &str); 6] = [
    ("bases", "resources", ""),
    ("commonLabels", "labels", ""),
    ("imageTags", "images", ""),
    ("patchesJson6902", "patches", ""),
    ("patchesStrategicMerge", "patches", ""),
    ("vars", "replacements", "[EXPERIMENTAL] "),
];

impl Kustomization {
    /// Reads and fixes a kustomization file.
    pub(crate) fn decode(document: &Node, file: &str, directory: &str) -> Result<Self> {
        let d = Decoder {
            file,
            strict: true,
            lenient_text: false,
        };
        let mut k = Self::default();
        let mut deprecated = [false; DEPRECATED.len()];
        let mut is_empty = true;
        let mut unprintable = None;
        let top = Field::top(KIND);
        d.object(document, top, KIND, FIELDS, |name, node, field, _| {
            for (flag, (field, ..)) in deprecated.iter_mut().zip(DEPRECATED) {
                *flag |= field == name;
            }
            is_empty &= says_nothing(name, node);
            if let (Some(plugin), Some(at)) = (plugin_of(name), output::find_control(node)) {
                let text = format!("builtin {plugin} marshal: yaml: control characters are not allowed");
                unprintable.get_or_insert(Error::new(text).at(file, at).on_field(name));
            }
            k.take(&d, name, node, field)
        })
        .map_err(|e| e.wrap("invalid Kustomization"))?;
        if let Some(error) = unprintable {
            return Err(error.help("remove the character; YAML forbids it"));
        }
        k.warnings = warnings(&deprecated);
        k.resources.append(&mut k.bases);
        k.images.append(&mut k.image_tags);
        if is_empty {
            return Err(Error::new("kustomization.yaml is empty")
                .in_file(file)
                .help("list something under `resources:`, or remove the directory from the kustomization that names it"));
        }
        k.check_type(document, file, directory)?;
        Ok(k)
    }

    /// Takes one of its fields.
    fn take(&mut self, d: &Decoder<'_>, name: &str, node: &Node, field: Field<'_>) -> Result<()> {
        match name {
            "kind" => self.kind = d.text(node, field)?,
            "apiVersion" => self.api_version = d.text(node, field)?,
            "metadata" => check_metadata(d, node, field)?,
            "openapi" => self.openapi = d.map(node, field)?,
            "namePrefix" => self.name_prefix = d.text(node, field)?,
            "nameSuffix" => self.name_suffix = d.text(node, field)?,
            "namespace" => self.namespace = d.text(node, field)?,
            "commonLabels" => self.common_labels = d.map(node, field)?,
            "labels" => self.labels = d.list(node, field, "types.Label", |n, f| Label::decode(d, n, f))?,
            "commonAnnotations" => self.common_annotations = d.map(node, field)?,
            "patchesStrategicMerge" => {
                self.patches_strategic_merge = d.spots_of(node, field, "types.PatchStrategicMerge")?;
            }
            "patchesJson6902" => {
                self.patches_json6902 = d.list(node, field, "types.Patch", |n, f| Patch::decode(d, n, f))?
            }
            "patches" => self.patches = d.list(node, field, "types.Patch", |n, f| Patch::decode(d, n, f))?,
            "images" => self.images = d.list(node, field, "types.Image", |n, f| Image::decode(d, n, f))?,
            "imageTags" => {
                self.image_tags = d.list(node, field, "types.Image", |n, f| Image::decode(d, n, f))?
            }
            "replacements" => {
                self.replacements = d.list(node, field, "types.ReplacementField", |n, f| {
                    Replacement::decode(d, n, f)
                })?;
            }
            "replicas" => {
                self.replicas = d.list(node, field, "types.Replica", |n, f| Replica::decode(d, n, f))?
            }
            "vars" => self.vars = d.list(node, field, "types.Var", |n, f| Var::decode(d, n, f))?,
            "sortOptions" => self.sort_options = Some(SortOptions::decode(d, node, field)?),
            "resources" => self.resources = d.spots(node, field)?,
            "components" => self.components = d.spots(node, field)?,
            "crds" => self.crds = d.spots(node, field)?,
            "bases" => self.bases = d.spots(node, field)?,
            "configMapGenerator" => {
                self.config_map_generator = d.list(node, field, "types.ConfigMapArgs", |n, f| {
                    GeneratorArgs::decode(d, n, f, false)
                })?;
            }
            "secretGenerator" => {
                self.secret_generator = d.list(node, field, "types.SecretArgs", |n, f| {
                    GeneratorArgs::decode(d, n, f, true)
                })?;
            }
            "helmGlobals" => helm::check_globals(d, node, field)?,
            "helmCharts" => self.helm_charts.extend(helm::charts(d, node, field)?),
            "helmChartInflationGenerator" => self.helm_charts.extend(helm::chart_args(d, node, field)?),
            "generatorOptions" => self.generator_options = Some(GeneratorOptions::decode(d, node, field)?),
            "configurations" => self.configurations = d.spots(node, field)?,
            "generators" => self.generators = d.spots(node, field)?,
            "transformers" => self.transformers = d.spots(node, field)?,
            "validators" => self.validators = d.spots(node, field)?,
            _ => self.build_metadata = d.texts(node, field)?,
        }
        Ok(())
    }

    /// Sets the defaults of apiVersion and kind, and refuses others.
    fn check_type(&mut self, document: &Node, file: &str, directory: &str) -> Result<()> {
        if self.kind.is_empty() {
            self.kind = Text::new_static(KIND);
        }
        let wanted = if self.is_component() {
            "kustomize.config.k8s.io/v1alpha1"
        } else {
            "kustomize.config.k8s.io/v1beta1"
        };
        let mut problems = Vec::new();
        let mut at = document.position;
        if self.kind != KIND && self.kind != COMPONENT {
            problems.push(format!("kind should be {KIND} or {COMPONENT}"));
            at = document.key("kind").map_or(at, |k| k.position);
        }
        if self.api_version.is_empty() {
            self.api_version = Text::new_static(wanted);
        } else if self.api_version != wanted {
            problems.push(format!("apiVersion for {} should be {wanted}", self.kind));
            at = document.key("apiVersion").map_or(at, |k| k.position);
        }
        if problems.is_empty() {
            return Ok(());
        }
        Err(Error::new(format!(
            "Failed to read kustomization file under {directory}:\n{}",
            problems.join("\n")
        ))
        .at(file, at))
    }

    pub(crate) fn is_component(&self) -> bool {
        self.kind == COMPONENT
    }
}

/// Whether the original cannot tell a field from one that is missing.
fn says_nothing(name: &str, node: &Node) -> bool {
    let is_moved = matches!(name, "bases" | "imageTags" | "helmChartInflationGenerator");
    matches!(name, "kind" | "apiVersion")
        || (node.is_scalar() && fields::raw(node).is_empty())
        || (is_moved && node.items().is_empty())
}

/// The original configures its plugins with YAML that it prints: what cannot be printed fails there.
fn plugin_of(field: &str) -> Option<&'static str> {
    Some(match field {
        "configMapGenerator" => "ConfigMapGenerator",
        "secretGenerator" => "SecretGenerator",
        "patchesStrategicMerge" => "PatchStrategicMergeTransformer",
        "patches" => "PatchTransformer",
        "namespace" => "NamespaceTransformer",
        "namePrefix" => "PrefixTransformer",
        "nameSuffix" => "SuffixTransformer",
        "labels" | "commonLabels" => "LabelTransformer",
        "commonAnnotations" => "AnnotationsTransformer",
        "patchesJson6902" => "PatchJson6902Transformer",
        "replicas" => "ReplicaCountTransformer",
        "images" | "imageTags" => "ImageTagTransformer",
        "replacements" => "ReplacementTransformer",
        _ => return None,
    })
}

fn check_metadata(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<()> {
    d.object(
        node,
        field,
        "ObjectMeta",
        &["name", "namespace", "labels", "annotations"],
        |name, node, field, _| {
            match name {
                "name" | "namespace" => drop(d.text(node, field)?),
                _ => drop(d.map(node, field)?),
            }
            Ok(())
        },
    )
}

fn warnings(deprecated: &[bool]) -> Vec<String> {
    let used = deprecated.iter().zip(DEPRECATED).filter(|(used, _)| **used);
    used.map(|(_, (old, new, note))| {
        format!(
            "# Warning: '{old}' is deprecated. Please use '{new}' instead. {note}Run 'kustomize edit fix' to update your Kustomization automatically."
        )
    })
    .collect()
}
