//! Entries of `generators`, `transformers` and `validators`: the built-in ones, configured by an object.

mod generators;
mod replacements;
mod transformers;

pub(crate) use self::generators::Generator;
pub(crate) use self::replacements::{load_replacements, replacements_text};

use sluice_yaml::{Node, ScalarStyle, Value};

use crate::{
    build::Session,
    error::{Class, Error, Result},
    fields::{self, OBJECTS},
    files::Loader,
    generate::Generated,
    kustomization::{Decoder, Field},
    object::Object,
    output,
    transform::{
        Transformer,
        patches::{Json6902Transformer, PatchTransformer},
        prefix_suffix::End,
    },
};

/// A configured plugin.
#[derive(Debug)]
pub(crate) enum Plugin {
    Transformer(Transformer),
    Generator(Box<Generator>),
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
    sluice_yaml::emit_v2_node(&config.node, OBJECTS)
        .map_err(|e| Error::new(format!("marshalling yaml from res {id}: {e}")).at(&file, at))?;
    let mut node = config.node.clone();
    output::settle_blocks(&mut node)?;
    output::normalize(&mut node)?;
    quote_strings(&mut node);
    let loaded = Config {
        node: &node,
        loader,
        file: &file,
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
        Value::Mapping(entries, _) => entries.iter_mut().for_each(|(key, value)| {
            quote_strings(key);
            quote_strings(value);
        }),
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
        d.object(
            self.node,
            Field::top("Plugin"),
            "Plugin",
            names,
            |name, node, field, _| visit(&d, name, node, field),
        )
        .map_err(decoding)
    }

    fn load(&self, kind: &str) -> Result<Option<Plugin>> {
        let generator = |generator| Ok(Some(Plugin::Generator(Box::new(generator))));
        let transformer = match kind {
            "AnnotationsTransformer" => Transformer::Annotations(self.pairs(&["annotations", "fieldSpecs"])?),
            "LabelTransformer" => Transformer::Labels(self.pairs(&["labels", "fieldSpecs"])?),
            "ConfigMapGenerator" => return generator(self.generator(Generated::ConfigMap)?),
            "SecretGenerator" => return generator(self.generator(Generated::Secret)?),
            "IAMPolicyGenerator" => return generator(self.iam_policy()?),
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
                &|| output::yaml_text(&self.config.node),
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
}

/// In the original's words, where a value has the wrong type.
fn decoding(error: Error) -> Error {
    if error.text().starts_with("json:") {
        error.wrap("error unmarshaling JSON: while decoding JSON")
    } else {
        error
    }
}

pub(crate) fn refuse_helm() -> Error {
    Error::of(Class::Refused, "must specify --enable-helm")
        .help("charts are not inflated here; use a HelmRelease, or commit what `helm template` prints")
}
