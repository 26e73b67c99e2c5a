//! Entries of `generators`, `transformers` and `validators`: the built-in ones, configured by an object.

use sluice_yaml::{Node, Resolver, ScalarStyle, Value};

use crate::{
    Text,
    build::Session,
    error::{Class, Context as _, Error, Result},
    fields,
    files::{Loader, base_name},
    generate::{self, Generated},
    kustomization::{
        Decoder, Field, FieldSpec, GeneratorArgs, Image, Patch, Replacement, Replica, Spot,
        decode_patch_options, decode_selector,
    },
    object::{Object, Source},
    output, read,
    selector::Selector,
    transform::{
        Place, Transformer,
        images::ImageTransformer,
        labels::PairsTransformer,
        namespace::{NamespaceTransformer, Subjects},
        patches::{Json6902Transformer, PatchTransformer, StrategicMerge},
        prefix_suffix::{Affix, End},
        replacements::ReplacementTransformer,
        replicas::ReplicaTransformer,
        values::{ValueAddTransformer, ValueTarget},
    },
};

/// A configured plugin.
#[derive(Debug)]
pub(crate) enum Plugin {
    Transformer(Transformer),
    Generator(Box<Object>),
}

/// Configures the built-in plugin that an object describes.
pub(crate) fn load(config: &Object, loader: &Loader<'_>, session: &Session<'_>) -> Result<Plugin> {
    let gvk = config.gvk();
    let id = config.original_id(&session.schema);
    let (file, at) = (config.source.file.clone(), config.position());
    if !(gvk.group.is_empty() && gvk.version == "builtin") {
        return Err(Error::of(Class::Refused, format!("external plugins disabled; unable to load external plugin '{}'", id.gvk.kind))
            .at(&file, at)
            .help("a render runs no programs, containers or Starlark; write a transformer plugin for the host instead"));
    }
    let mut node = config.node.clone();
    output::normalize(&mut node)?;
    quote_strings(&mut node);
    let loaded = Config {
        node: &node,
        loader,
        file: &file,
        session,
        config,
    }
    .load(&gvk.kind);
    loaded
        .map_err(|e| e.at(&file, at).wrap(format!("plugin {id} fails configuration")))?
        .ok_or_else(|| {
            let error = Error::new(format!("unable to load builtin {gvk}")).at(&file, at);
            match crate::nearest::nearest(&gvk.kind, KINDS.iter().copied()) {
                Some(near) => error.help(format!("did you mean {near}?")),
                None => error.help(format!("built in are {}", KINDS.join(", "))),
            }
        })
}

const KINDS: [&str; 17] = [
    "AnnotationsTransformer",
    "ConfigMapGenerator",
    "HashTransformer",
    "IAMPolicyGenerator",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PatchJson6902Transformer",
    "PatchStrategicMergeTransformer",
    "PatchTransformer",
    "PrefixSuffixTransformer",
    "PrefixTransformer",
    "ReplacementTransformer",
    "ReplicaCountTransformer",
    "SecretGenerator",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Configurations are read as YAML 1.1; what is a string in the object must stay one.
fn quote_strings(node: &mut Node) {
    match &mut node.value {
        Value::Mapping(entries, _) => entries.iter_mut().for_each(|(_, value)| quote_strings(value)),
        Value::Sequence(items, _) => items.iter_mut().for_each(quote_strings),
        _ => {
            let is_string = fields::is_string(node);
            if let Value::Scalar(_, style) = &mut node.value
                && is_string
                && *style == ScalarStyle::Plain
            {
                *style = ScalarStyle::DoubleQuoted;
            }
        }
    }
}

struct Config<'a> {
    node: &'a Node,
    loader: &'a Loader<'a>,
    file: &'a str,
    session: &'a Session<'a>,
    config: &'a Object,
}

impl Config<'_> {
    fn decoder(&self) -> Decoder<'_> {
        Decoder {
            file: self.file,
            strict: false,
            lenient_text: true,
        }
    }

    /// Visits the fields that a plugin knows.
    fn fields(
        &self,
        names: &'static [&'static str],
        mut visit: impl FnMut(&Decoder<'_>, &'static str, &Node, Field<'_>) -> Result<()>,
    ) -> Result<()> {
        let d = self.decoder();
        let top = Field {
            owner: "Plugin",
            path: "",
        };
        d.object(self.node, top, "Plugin", names, |name, node, field, _| {
            visit(&d, name, node, field)
        })
        .map_err(|e| {
            if e.text().starts_with("json:") {
                e.wrap("error unmarshaling JSON: while decoding JSON")
            } else {
                e
            }
        })
    }

    fn load(&self, kind: &str) -> Result<Option<Plugin>> {
        let transformer = match kind {
            "AnnotationsTransformer" => Transformer::Annotations(self.pairs(&["annotations", "fieldSpecs"])?),
            "LabelTransformer" => Transformer::Labels(self.pairs(&["labels", "fieldSpecs"])?),
            "ConfigMapGenerator" => return self.generator(Generated::ConfigMap).map(Some),
            "SecretGenerator" => return self.generator(Generated::Secret).map(Some),
            "IAMPolicyGenerator" => return self.iam_policy().map(Some),
            "HelmChartInflationGenerator" => return Err(refuse_helm()),
            "HashTransformer" => Transformer::Hash,
            "ImageTagTransformer" => self.image()?,
            "NamespaceTransformer" => Transformer::Namespace(self.namespace()?),
            "PatchJson6902Transformer" => Transformer::Json6902(Box::new(Json6902Transformer::load(
                self.loader,
                &self.patch("jsonOp")?,
                self.file,
            )?)),
            "PatchTransformer" => Transformer::Patch(Box::new(PatchTransformer::load(
                self.loader,
                &self.patch("patch")?,
                self.file,
            )?)),
            "PatchStrategicMergeTransformer" => self.strategic_merge()?,
            "PrefixTransformer" => Transformer::Prefix(self.affix(End::Prefix)?),
            "SuffixTransformer" => Transformer::Suffix(self.affix(End::Suffix)?),
            "PrefixSuffixTransformer" => Transformer::Several(vec![
                Transformer::Prefix(self.affix(End::Prefix)?),
                Transformer::Suffix(self.affix(End::Suffix)?),
            ]),
            "ReplacementTransformer" => self.replacements()?,
            "ReplicaCountTransformer" => self.replicas()?,
            "ValueAddTransformer" => self.value_add()?,
            _ => return Ok(None),
        };
        Ok(Some(Plugin::Transformer(transformer)))
    }

    fn pairs(&self, names: &'static [&'static str; 2]) -> Result<PairsTransformer> {
        let mut transformer = PairsTransformer {
            pairs: Default::default(),
            places: Vec::new(),
        };
        self.fields(names, |d, name, node, field| {
            match name {
                "fieldSpecs" => transformer.places = Place::all(&FieldSpec::decode_list(d, node, field)?),
                _ => transformer.pairs = d.map(node, field)?,
            }
            Ok(())
        })?;
        Ok(transformer)
    }

    fn affix(&self, end: End) -> Result<Affix> {
        let mut affix = Affix {
            end,
            text: Text::default(),
            places: Vec::new(),
        };
        let mut has_places = false;
        let names: &'static [&'static str] = match end {
            End::Prefix => &["prefix", "fieldSpecs"],
            End::Suffix => &["suffix", "fieldSpecs"],
        };
        self.fields(names, |d, name, node, field| {
            match name {
                "fieldSpecs" => {
                    affix.places = Place::all(&FieldSpec::decode_list(d, node, field)?);
                    has_places = true;
                }
                _ => affix.text = d.text(node, field)?,
            }
            Ok(())
        })?;
        if has_places {
            Ok(affix)
        } else {
            Err(Error::new("fieldSpecs is not expected to be nil"))
        }
    }

    fn image(&self) -> Result<Transformer> {
        let (mut image, mut places) = (Image::default(), Vec::new());
        self.fields(&["imageTag", "fieldSpecs"], |d, name, node, field| {
            match name {
                "imageTag" => image = Image::decode(d, node, field)?,
                _ => places = Place::all(&FieldSpec::decode_list(d, node, field)?),
            }
            Ok(())
        })?;
        Ok(Transformer::Image(ImageTransformer::new(&image, places)?))
    }

    fn namespace(&self) -> Result<NamespaceTransformer> {
        let mut transformer = NamespaceTransformer {
            namespace: Text::default(),
            places: Vec::new(),
            unset_only: false,
            subjects: Subjects::Default,
        };
        let mut mode = Text::default();
        self.fields(
            &["metadata", "fieldSpecs", "unsetOnly", "setRoleBindingSubjects"],
            |d, name, node, field| {
                match name {
                    "metadata" => {
                        let namespace = node.get("namespace").filter(|n| !n.is_null());
                        transformer.namespace = namespace
                            .map(|n| d.text(n, field))
                            .transpose()?
                            .unwrap_or_default();
                    }
                    "fieldSpecs" => transformer.places = Place::all(&FieldSpec::decode_list(d, node, field)?),
                    "unsetOnly" => transformer.unset_only = d.flag(node, field)?,
                    _ => mode = d.text(node, field)?,
                }
                Ok(())
            },
        )
        .wrap(|| "unmarshalling NamespaceTransformer config".into())?;
        transformer.subjects = match mode.as_str() {
            "" | "defaultOnly" => Subjects::Default,
            "allServiceAccounts" => Subjects::ServiceAccounts,
            "none" => Subjects::None,
            other => {
                return Err(Error::new(format!(
                    "invalid value {} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \"allServiceAccounts\"",
                    crate::go::quote(other)
                )));
            }
        };
        Ok(transformer)
    }

    fn patch(&self, text_field: &'static str) -> Result<Patch> {
        let mut patch = Patch {
            at: self.node.position,
            ..Patch::default()
        };
        self.fields(
            &["path", "patch", "jsonOp", "target", "options"],
            |d, name, node, field| {
                match name {
                    "path" => patch.path = d.text(node, field)?,
                    "target" => patch.target = Some(decode_selector(d, node, field)?),
                    "options" => patch.options = Some(decode_patch_options(d, node, field)?),
                    name if name == text_field => {
                        patch.patch = d.text(node, field)?;
                        patch.text_at = node.position;
                    }
                    _ => {}
                }
                Ok(())
            },
        )?;
        Ok(patch)
    }

    fn strategic_merge(&self) -> Result<Transformer> {
        let (mut paths, mut inline) = (Vec::<Spot<Text>>::new(), Text::default());
        self.fields(&["paths", "patches"], |d, name, node, field| {
            match name {
                "paths" => paths = d.spots(node, field)?,
                _ => inline = d.text(node, field)?,
            }
            Ok(())
        })?;
        Ok(Transformer::StrategicMerge(StrategicMerge::load(
            self.loader,
            &paths,
            &inline,
            self.file,
        )?))
    }

    fn replacements(&self) -> Result<Transformer> {
        let mut list = Vec::new();
        self.fields(&["replacements"], |d, _, node, field| {
            list = d.list(node, field, "types.ReplacementField", |node, field| {
                Replacement::decode(d, node, field)
            })?;
            Ok(())
        })?;
        Ok(Transformer::Replacements(load_replacements(
            &list,
            self.loader,
            self.file,
        )?))
    }

    fn replicas(&self) -> Result<Transformer> {
        let (mut replica, mut places) = (Replica::default(), Vec::new());
        self.fields(&["replica", "fieldSpecs"], |d, name, node, field| {
            match name {
                "replica" => replica = Replica::decode(d, node, field)?,
                _ => places = Place::all(&FieldSpec::decode_list(d, node, field)?),
            }
            Ok(())
        })?;
        Ok(Transformer::Replicas(ReplicaTransformer { replica, places }))
    }

    fn value_add(&self) -> Result<Transformer> {
        let (mut value, mut targets, mut path) = (Text::default(), Vec::new(), Text::default());
        self.fields(&["value", "targets", "targetFilePath"], |d, name, node, field| {
            match name {
                "value" => value = d.text(node, field)?.trim().into(),
                "targets" => targets = decode_value_targets(d, node, field)?,
                _ => path = d.text(node, field)?,
            }
            Ok(())
        })?;
        if value.is_empty() {
            value = base_name(self.loader.root()).into();
        }
        if !path.is_empty() {
            let document = read::document_v2(&self.loader.load(&path)?, &self.loader.resolve(&path))?;
            let d = self.decoder();
            let field = Field {
                owner: "Plugin",
                path: "targets",
            };
            if let Some(node) = document.get("targets") {
                targets.append(&mut decode_value_targets(&d, node, field)?);
            }
        }
        if targets.is_empty() {
            return Err(Error::new("must specify at least one target"));
        }
        Ok(Transformer::Values(ValueAddTransformer { value, targets }))
    }

    fn generator(&self, what: Generated) -> Result<Plugin> {
        let d = self.decoder();
        let mut args = GeneratorArgs::decode(
            &d,
            self.node,
            Field {
                owner: what.kind(),
                path: "",
            },
            what == Generated::Secret,
        )?;
        args.at = self.config.position();
        if args.name.is_empty() {
            args.name = self.config.name();
        }
        if args.namespace.is_empty() {
            args.namespace = self.config.namespace();
        }
        Ok(Plugin::Generator(Box::new(generate::generate(
            what,
            &args,
            self.loader,
            self.file,
        )?)))
    }

    fn iam_policy(&self) -> Result<Plugin> {
        let text = |path: &[&str]| self.node.get_path(path).map(fields::shared).unwrap_or_default();
        let cloud = text(&["cloud"]);
        if cloud != "gke" {
            return Err(Error::new(format!("cloud provider {cloud} not supported yet"))
                .help("cloud: gke is the only one"));
        }
        let account = format!(
            "{}@{}.iam.gserviceaccount.com",
            text(&["serviceAccount", "name"]),
            text(&["serviceAccount", "projectId"])
        );
        let mut metadata = Node::map([
            (
                "annotations",
                Node::map([("iam.gke.io/gcp-service-account", fields::string_node(account))]),
            ),
            ("name", Node::plain(text(&["kubernetesService", "name"]))),
        ]);
        let namespace = text(&["kubernetesService", "namespace"]);
        if !namespace.is_empty() {
            metadata.set("namespace", Node::plain(namespace));
        }
        let node = Node::map([
            ("apiVersion", Node::plain("v1")),
            ("kind", Node::plain("ServiceAccount")),
            ("metadata", metadata),
        ]);
        let source = Source {
            file: self.file.into(),
            ..self.config.source.clone()
        };
        let _ = self.session;
        Ok(Plugin::Generator(Box::new(Object::new(node, source))))
    }
}

fn decode_value_targets(d: &Decoder<'_>, node: &Node, field: Field<'_>) -> Result<Vec<ValueTarget>> {
    d.list(node, field, "builtins.Target", |node, field| {
        let mut target = ValueTarget {
            selector: None,
            field_path: Text::default(),
            file_path_position: 0,
        };
        let mut position = 0;
        d.object(
            node,
            field,
            "Target",
            &["selector", "fieldPath", "filePathPosition"],
            |name, node, field, _| {
                match name {
                    "selector" => target.selector = Some(Selector::new(&decode_selector(d, node, field)?)?),
                    "fieldPath" => target.field_path = d.text(node, field)?,
                    _ => position = d.int(node, field, "int")?,
                }
                Ok(())
            },
        )?;
        if target.field_path.is_empty() {
            return Err(Error::new("fieldPath cannot be empty"));
        }
        target.file_path_position = usize::try_from(position).map_err(|_| {
            Error::new(format!(
                "value of FilePathPosition ({position}) cannot be negative"
            ))
        })?;
        Ok(target)
    })
}

/// The files of replacements as the original's messages show them.
pub(crate) fn replacements_text(list: &[Replacement]) -> String {
    let paths = list.iter().filter(|replacement| !replacement.path.is_empty());
    let paths = paths.map(|replacement| Node::map([("path", fields::string_node(replacement.path.clone()))]));
    output::yaml_text(&Node::map([("Replacements", Node::sequence(paths.collect()))]))
}

/// Replacements with those that stand in files of their own.
pub(crate) fn load_replacements(
    list: &[Replacement],
    loader: &Loader<'_>,
    file: &str,
) -> Result<ReplacementTransformer> {
    let mut loaded = ReplacementTransformer {
        replacements: Vec::new(),
        files: Vec::new(),
    };
    for replacement in list {
        if replacement.path.is_empty() {
            loaded.replacements.push(replacement.clone());
            loaded.files.push(file.into());
            continue;
        }
        if replacement.source.is_some() || replacement.targets.as_ref().is_some_and(|t| !t.is_empty()) {
            return Err(
                Error::new("cannot specify both path and inline replacement").at(file, replacement.at)
            );
        }
        let bytes = loader
            .load(&replacement.path)
            .map_err(|e| e.at(file, replacement.at))?;
        let from = loader.resolve(&replacement.path);
        let document = read::document_v2(&bytes, &from)?;
        let d = Decoder {
            file: &from,
            strict: false,
            lenient_text: true,
        };
        let field = Field {
            owner: "Replacement",
            path: "",
        };
        let items: Vec<&Node> = match &document.value {
            Value::Sequence(items, _) => items.iter().collect(),
            Value::Mapping(..) => vec![&document],
            _ => {
                let kind = match Resolver::V2.resolve(&document) {
                    Ok(sluice_yaml::Resolved::Null) => "invalid",
                    _ => "string",
                };
                return Err(Error::new(format!(
                    "unsupported replacement type encountered within replacement path: {kind}"
                ))
                .in_file(&from));
            }
        };
        for item in items {
            loaded.replacements.push(Replacement {
                path: Text::default(),
                ..Replacement::decode(&d, item, field)?
            });
            loaded.files.push(from.as_str().into());
        }
    }
    Ok(loaded)
}

pub(crate) fn refuse_helm() -> Error {
    Error::of(Class::Refused, "must specify --enable-helm")
        .help("charts are not inflated here; use a HelmRelease, or commit what `helm template` prints")
}
