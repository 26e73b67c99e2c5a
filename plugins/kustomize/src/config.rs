//! Where each transformer acts: the defaults, and what `configurations` and `crds` add.

use std::{collections::HashSet, fmt, rc::Rc};

use sluice_schema::kustomize as builtin;
use sluice_yaml::{Node, Resolver};

use crate::{
    Text,
    error::{Context as _, Error, Result},
    fields,
    id::Gvk,
    kustomization::{Decoder, Field, FieldSpec},
    sort::kind_rank,
};

/// The fields that hold names of objects of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NameReference {
    pub(crate) target: Gvk,
    pub(crate) referrers: Vec<FieldSpec>,
}

/// A transformer configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Config {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_reference: Vec<NameReference>,
    pub(crate) var_reference: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
}

const FIELDS: &[&str] = &[
    "namePrefix",
    "nameSuffix",
    "namespace",
    "commonLabels",
    "labels",
    "templateLabels",
    "commonAnnotations",
    "nameReference",
    "varReference",
    "images",
    "replicas",
];

impl Config {
    /// What the original has built in.
    pub(crate) fn builtin() -> Self {
        let spec = |s: &builtin::FieldSpec| FieldSpec {
            gvk: Gvk {
                group: Text::new_static(s.group),
                version: Text::new_static(s.version),
                kind: Text::new_static(s.kind),
            },
            path: Text::new_static(s.path),
            create: s.create,
        };
        let specs = |list: &'static [builtin::FieldSpec]| list.iter().map(spec).collect::<Vec<_>>();
        Self {
            name_prefix: specs(builtin::NAME_PREFIX),
            name_suffix: specs(builtin::NAME_SUFFIX),
            namespace: specs(builtin::NAMESPACE),
            common_labels: specs(builtin::COMMON_LABELS),
            labels: Vec::new(),
            template_labels: specs(builtin::TEMPLATE_LABELS),
            common_annotations: specs(builtin::COMMON_ANNOTATIONS),
            name_reference: builtin::NAME_REFERENCES
                .iter()
                .map(|n| NameReference {
                    target: Gvk {
                        group: Text::new_static(n.group),
                        version: Text::new_static(n.version),
                        kind: Text::new_static(n.kind),
                    },
                    referrers: specs(n.referrers),
                })
                .collect(),
            var_reference: specs(builtin::VAR_REFERENCE),
            images: specs(builtin::IMAGES),
            replicas: specs(builtin::REPLICAS),
        }
    }

    /// A file that `configurations` names.
    pub(crate) fn decode(document: &Node, file: &str) -> Result<Self> {
        let d = Decoder {
            file,
            strict: true,
            lenient_text: true,
        };
        let mut config = Self::default();
        let top = Field::top("TransformerConfig");
        d.object(
            document,
            top,
            "TransformerConfig",
            FIELDS,
            |name, node, field, _| {
                if name == "nameReference" {
                    config.name_reference =
                        d.list(node, field, "builtinconfig.NameBackReferences", |node, field| {
                            decode_reference(&d, node, field)
                        })?;
                    return Ok(());
                }
                let specs = FieldSpec::decode_list(&d, node, field)?;
                match name {
                    "namePrefix" => config.name_prefix = specs,
                    "nameSuffix" => config.name_suffix = specs,
                    "namespace" => config.namespace = specs,
                    "commonLabels" => config.common_labels = specs,
                    "labels" => config.labels = specs,
                    "templateLabels" => config.template_labels = specs,
                    "commonAnnotations" => config.common_annotations = specs,
                    "varReference" => config.var_reference = specs,
                    "images" => config.images = specs,
                    _ => config.replicas = specs,
                }
                Ok(())
            },
        )
        .map_err(|e| e.reword(|text| format!("error unmarshaling JSON: while decoding JSON: {text}")))?;
        config.sort();
        Ok(config)
    }

    /// Both configurations together.
    pub(crate) fn merge(&self, other: &Self) -> Result<Self> {
        let mut merged = self.clone();
        let join = |own: &mut Vec<FieldSpec>, more: &[FieldSpec], name: &str| {
            merge_specs(own, more).wrap(|| format!("failed to merge {name} fieldSpec"))
        };
        join(&mut merged.name_prefix, &other.name_prefix, "NamePrefix")?;
        join(&mut merged.name_suffix, &other.name_suffix, "NameSuffix")?;
        join(&mut merged.namespace, &other.namespace, "NameSpace")?;
        join(
            &mut merged.common_annotations,
            &other.common_annotations,
            "CommonAnnotations",
        )?;
        join(&mut merged.common_labels, &other.common_labels, "CommonLabels")?;
        join(&mut merged.labels, &other.labels, "Labels")?;
        join(
            &mut merged.template_labels,
            &other.template_labels,
            "TemplateLabels",
        )?;
        join(&mut merged.var_reference, &other.var_reference, "VarReference")?;
        for reference in &other.name_reference {
            merged
                .add_reference(reference)
                .wrap(|| "failed to merge NameReference fieldSpec".into())?;
        }
        join(&mut merged.images, &other.images, "Images")?;
        join(&mut merged.replicas, &other.replicas, "Replicas")?;
        merged.sort();
        Ok(merged)
    }

    pub(crate) fn add_reference(&mut self, reference: &NameReference) -> Result<()> {
        match self
            .name_reference
            .iter_mut()
            .find(|r| r.target == reference.target)
        {
            Some(known) => merge_specs(&mut known.referrers, &reference.referrers),
            None => {
                self.name_reference.push(reference.clone());
                Ok(())
            }
        }
    }

    fn sort(&mut self) {
        let lists = [
            &mut self.name_prefix,
            &mut self.name_suffix,
            &mut self.namespace,
            &mut self.common_labels,
            &mut self.labels,
            &mut self.template_labels,
            &mut self.common_annotations,
            &mut self.var_reference,
            &mut self.images,
            &mut self.replicas,
        ];
        for list in lists {
            list.sort_by_cached_key(|s| (kind_rank(&s.gvk.kind), s.gvk.sort_text()));
        }
        self.name_reference
            .sort_by_cached_key(|r| (kind_rank(&r.target.kind), r.target.sort_text()));
    }
}

/// As Go prints it where a merge fails.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let specs = |list: &[FieldSpec], between: &str| {
            let list: Vec<String> = list
                .iter()
                .map(|spec| format!("{}:{}:{}", spec.gvk, spec.create, spec.path))
                .collect();
            list.join(between)
        };
        f.write_str("&{")?;
        for list in [
            &self.name_prefix,
            &self.name_suffix,
            &self.namespace,
            &self.common_labels,
            &self.labels,
            &self.template_labels,
            &self.common_annotations,
        ] {
            write!(f, "[{}] ", specs(list, " "))?;
        }
        let references: Vec<String> = self
            .name_reference
            .iter()
            .map(|name| format!("{}:  (\n{}\n)", name.target, specs(&name.referrers, "\n")))
            .collect();
        write!(f, "[{}]", references.join(" "))?;
        for list in [&self.var_reference, &self.images, &self.replicas] {
            write!(f, " [{}]", specs(list, " "))?;
        }
        f.write_str("}")
    }
}

/// Merges shared configurations; the common case, where both are the same, costs nothing.
pub(crate) fn merge_shared(own: &Rc<Config>, other: &Rc<Config>) -> Result<Rc<Config>> {
    if Rc::ptr_eq(own, other) {
        Ok(Rc::clone(own))
    } else {
        Ok(Rc::new(own.merge(other)?))
    }
}

/// Adds the places that are not covered yet.
pub(crate) fn merge_specs(own: &mut Vec<FieldSpec>, more: &[FieldSpec]) -> Result<()> {
    more.iter().try_for_each(|spec| merge_spec(own, spec))
}

/// Adds one place unless it is covered.
pub(crate) fn merge_spec(own: &mut Vec<FieldSpec>, spec: &FieldSpec) -> Result<()> {
    match own
        .iter()
        .find(|s| s.path == spec.path && s.gvk.is_selected(&spec.gvk))
    {
        Some(known) if known.create != spec.create => Err(Error::new("conflicting fieldspecs")
            .on_field(spec.path.as_str())
            .help(format!(
                "`create` is {} elsewhere for {}",
                known.create, spec.path
            ))),
        Some(_) => Ok(()),
        None => {
            own.push(spec.clone());
            Ok(())
        }
    }
}

fn decode_reference(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<NameReference> {
    let mut reference = NameReference {
        target: Gvk::default(),
        referrers: Vec::new(),
    };
    d.object(
        node,
        field,
        "NameBackReferences",
        &["group", "version", "kind", "fieldSpecs"],
        |name, node, field, _| {
            match name {
                "group" => reference.target.group = d.text(node, field)?,
                "version" => reference.target.version = d.text(node, field)?,
                "kind" => reference.target.kind = d.text(node, field)?,
                _ => reference.referrers = FieldSpec::decode_list(d, node, field)?,
            }
            Ok(())
        },
    )?;
    Ok(reference)
}

/// Refuses a file that holds something else than definitions by name.
pub(crate) fn check_crds(document: &Node, file: &str) -> Result<()> {
    if !document.is_mapping() && !document.is_null() {
        let found = if document.is_sequence() { "array" } else { "string" };
        return Err(Error::new(format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type accumulator.nameToApiMap"
        ))
        .at(file, document.position));
    }
    for (_, definition) in document.entries() {
        if !definition.is_mapping() && !definition.is_null() {
            let found = if definition.is_sequence() {
                "array"
            } else {
                "string"
            };
            return Err(Error::new(format!(
                "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {found} into Go value of type accumulator.OpenAPIDefinition"
            ))
            .at(file, definition.position)
            .help("crds: lists OpenAPI definitions, `name: {Schema: …}`, as JSON or YAML; a CustomResourceDefinition belongs under resources:"));
        }
    }
    Ok(())
}

/// Refuses a schema in JSON that has a key twice. Beside the schemas the last one counts.
pub(crate) fn check_crd_keys(document: &Node, file: &str) -> Result<()> {
    let schemas = document
        .entries()
        .iter()
        .flat_map(|(_, definition)| definition.entries());
    for (name, schema) in schemas {
        if fields::raw(name).eq_ignore_ascii_case("schema")
            && let Some(key) = repeated_key(schema)
        {
            return Err(Error::new(format!(
                "json: cannot unmarshal Go value of type spec.Schema: json: duplicate name {} in object",
                crate::go::quote(fields::raw(key))
            ))
            .at(file, key.position)
            .help("the key stands twice in this object; remove one of them"));
        }
    }
    Ok(())
}

/// The first key below a node that stands there for the second time.
fn repeated_key(node: &Node) -> Option<&Node> {
    let mut known = HashSet::new();
    let in_items = node.items().iter().find_map(repeated_key);
    in_items.or_else(|| {
        node.entries().iter().find_map(|(key, value)| {
            let is_new = known.insert(fields::raw(key));
            if is_new { repeated_key(value) } else { Some(key) }
        })
    })
}

/// What the OpenAPI definitions of a `crds` file say about names, labels and annotations.
pub(crate) fn from_crds(document: &Node) -> Result<Config> {
    let mut config = Config::default();
    let mut definitions: Vec<(&str, &Node)> = document
        .entries()
        .iter()
        .map(|(k, v)| (fields::raw(k), v))
        .collect();
    definitions.sort_by_key(|(name, _)| *name);
    for (name, definition) in definitions {
        let Some(properties) = properties(definition) else {
            continue;
        };
        if ["kind", "apiVersion", "metadata"]
            .iter()
            .all(|p| properties.get(p).is_some())
        {
            let gvk = Gvk {
                kind: name.rsplit('.').next().unwrap_or(name).into(),
                ..Gvk::default()
            };
            let mut found = Config::default();
            add_crd(&mut found, &gvk, document, name, &mut Vec::new())?;
            config = config.merge(&found)?;
        }
    }
    Ok(config)
}

fn properties(definition: &Node) -> Option<&Node> {
    definition
        .get_path(&["Schema", "properties"])
        .or_else(|| definition.get_path(&["schema", "properties"]))
}

/// How deep definitions may refer to each other: real ones stay below ten.
const CRD_DEPTH_MAX: usize = 32;

fn add_crd(config: &mut Config, gvk: &Gvk, all: &Node, name: &str, path: &mut Vec<String>) -> Result<()> {
    if path.len() > CRD_DEPTH_MAX {
        return Err(Error::of(
            crate::Class::Limit,
            format!("definition {name} refers to itself, or more than {CRD_DEPTH_MAX} levels deep"),
        ));
    }
    let Some(definition) = all.get(name) else {
        return Ok(());
    };
    for (key, property) in properties(definition).map(Node::entries).unwrap_or_default() {
        path.push(fields::raw(key).to_owned());
        let text = |name: &str| {
            property
                .get(name)
                .filter(|v| v.is_string(Resolver::V2))
                .map(fields::shared)
        };
        let spec = || FieldSpec {
            gvk: gvk.clone(),
            path: path.join("/").into(),
            create: false,
        };
        if text("x-kubernetes-annotation").is_some() {
            merge_spec(&mut config.common_annotations, &spec())?;
        }
        if text("x-kubernetes-label-selector").is_some() {
            merge_spec(&mut config.common_labels, &spec())?;
        }
        if text("x-kubernetes-identity").is_some() {
            merge_spec(&mut config.name_prefix, &spec())?;
        }
        if let (Some(version), Some(kind)) = (
            text("x-kubernetes-object-ref-api-version"),
            text("x-kubernetes-object-ref-kind"),
        ) {
            let key = text("x-kubernetes-object-ref-name-key").unwrap_or_else(|| Text::new_static("name"));
            let referrer = FieldSpec {
                gvk: gvk.clone(),
                path: format!("{}/{key}", path.join("/")).into(),
                create: false,
            };
            config.add_reference(&NameReference {
                target: Gvk {
                    version,
                    kind,
                    ..Gvk::default()
                },
                referrers: vec![referrer],
            })?;
        }
        if let Some(reference) = text("$ref") {
            add_crd(config, gvk, all, &reference, path)?;
        }
        path.pop();
    }
    Ok(())
}
