//! Generators, transformers and validators: those of the fields, and those configured by objects.

use std::rc::Rc;

use super::{Gathered, Target};
use crate::{
    Text,
    build::Session,
    error::{Context as _, Error, Result},
    fields,
    generate::{self, Generated},
    kustomization::Spot,
    metadata,
    object::Object,
    objects::Objects,
    output,
    plugin::{self, Plugin},
    read,
    schema::Schema,
    transform::Transformer,
};
use sluice_yaml::Node;

impl<'a> Target<'a> {
    pub(super) fn run_generators(&mut self, gathered: &mut Gathered, session: &Session<'a>) -> Result<()> {
        if let Some(chart) = self.kustomization.helm_charts.first() {
            let config = output::yaml_text(&Node::map([("name", fields::string_node(chart.value.clone()))]));
            return Err(plugin::refuse_helm().at(&self.file, chart.at).wrap(format!(
                "trouble configuring builtin HelmChartInflationGenerator with config: `\n{config}`"
            )));
        }
        let entries = std::mem::take(&mut self.kustomization.generators);
        let configs = self
            .plugin_configs(&entries, "generator", session)
            .wrap(|| "loading generator plugins".into())?;
        // all are configured before the first makes anything, so that a wrong configuration is told first
        let mut generators = Vec::new();
        for config in configs.iter() {
            let loaded = plugin::load(config, &self.loader, session)
                .wrap(|| "failed to load generator".into())
                .wrap(|| "loading generator plugins".into())?;
            let Plugin::Generator(generator) = loaded else {
                return Err(Error::new(format!(
                    "loading generator plugins: failed to load generator: plugin {} not a generator",
                    config.original_id(&session.schema)
                ))
                .at(&config.source.file, config.position())
                .help("list it under `transformers:`"));
            };
            generators.push((config, generator));
        }
        let k = &self.kustomization;
        let args = k.config_map_generator.iter().map(|a| (Generated::ConfigMap, a));
        for (what, args) in args.chain(k.secret_generator.iter().map(|a| (Generated::Secret, a))) {
            let mut args = args.clone();
            args.options = crate::kustomization::GeneratorOptions::over(
                args.options.as_ref(),
                k.generator_options.as_ref(),
            );
            let mut object = generate::generate(what, &args, &self.loader, &self.file)?;
            if let Some(trace) = &self.trace {
                object.set_annotation(
                    metadata::ORIGIN,
                    &trace.of_builtin(&format!("{}Generator", what.kind()), self.file_name),
                )?;
            }
            generate::absorb(&mut gathered.objects, object, &session.schema).wrap(|| {
                format!(
                    "merging from generator &{{{}Generator {}}}",
                    what.kind(),
                    args.name
                )
            })?;
        }
        for (config, generator) in generators {
            let mut object = generator.generate(config, &self.loader)?;
            if let (Some(origin), None) = (metadata::of_plugin(config), object.annotation(metadata::ORIGIN)) {
                object.set_annotation(metadata::ORIGIN, &origin)?;
            }
            generate::absorb(&mut gathered.objects, object, &session.schema)
                .wrap(|| format!("merging from generator &{{{} {}}}", config.kind(), config.name()))?;
        }
        Ok(())
    }

    /// The objects that `generators`, `transformers` or `validators` name: written in the entry, in files, or built.
    fn plugin_configs(
        &mut self,
        entries: &[Spot<Text>],
        role: &str,
        session: &Session<'a>,
    ) -> Result<Objects> {
        let mut gathered = Gathered::empty();
        let mut paths = Vec::new();
        for entry in entries {
            let inline = read::objects(entry.value.as_bytes(), &self.file).and_then(|objects| {
                let mut unique = Objects::default();
                unique.append(objects, &session.schema)?;
                Ok(unique.into_vec())
            });
            let Ok(mut inline) = inline else {
                paths.push(entry.clone());
                continue;
            };
            for object in &mut inline {
                object.source.line += entry.at.line;
                if let Some(trace) = &self.trace {
                    object.set_annotation(metadata::ORIGIN, &trace.of_file(self.file_name))?;
                }
            }
            gathered
                .objects
                .append(inline, &session.schema)
                .wrap(|| format!("configuring external {role}"))?;
        }
        self.gather_resources(&mut gathered, &paths, session)?;
        Ok(gathered.objects)
    }

    pub(super) fn run_transformers(&mut self, gathered: &mut Gathered, session: &Session<'a>) -> Result<()> {
        let config = Rc::clone(&gathered.config);
        let mut all: Vec<(Transformer, Option<Text>)> = Vec::new();
        for (kind, transformer) in self.builtin_transformers(&config)? {
            let origin = self.trace.as_ref().map(|t| t.of_builtin(kind, self.file_name));
            all.push((transformer, origin));
        }
        let entries = std::mem::take(&mut self.kustomization.transformers);
        let configs = self.plugin_configs(&entries, "transformer", session)?;
        for config in configs.iter() {
            all.push((
                self.load_transformer(config, session)?,
                metadata::of_plugin(config),
            ));
        }
        for (transformer, origin) in &all {
            transformer
                .apply(&mut gathered.objects, session)
                .in_file(&self.file)?;
            if let Some(origin) = origin {
                for at in 0..gathered.objects.len() {
                    gathered.objects.modify(at, &session.schema, |object| {
                        metadata::note_transformer(object, origin)
                    })?;
                }
            }
            gathered.objects.drop_empty();
        }
        Ok(())
    }

    fn load_transformer(&self, config: &Object, session: &Session<'_>) -> Result<Transformer> {
        match plugin::load(config, &self.loader, session)? {
            Plugin::Transformer(transformer) => Ok(transformer),
            Plugin::Generator(_) => Err(Error::new(format!(
                "plugin {} not a transformer",
                config.original_id(&session.schema)
            ))
            .at(&config.source.file, config.position())
            .help("list it under `generators:`")),
        }
    }

    /// Validators are transformers that must not change anything.
    pub(super) fn run_validators(&mut self, gathered: &mut Gathered, session: &Session<'a>) -> Result<()> {
        let entries = std::mem::take(&mut self.kustomization.validators);
        if entries.is_empty() {
            return Ok(());
        }
        let configs = self.plugin_configs(&entries, "transformer", session)?;
        for config in configs.iter() {
            let transformer = self.load_transformer(config, session)?;
            let before: Vec<Object> = gathered.objects.iter().cloned().collect();
            transformer.apply(&mut gathered.objects, session)?;
            if let Some(difference) = difference(&before, &mut gathered.objects, &session.schema) {
                return Err(Error::new(difference)
                    .wrap("validator shouldn't modify the resource map")
                    .at(&config.source.file, config.position())
                    .help("list it under `transformers:` if it is meant to change objects"));
            }
        }
        Ok(())
    }
}

/// The first thing that a validator changed.
fn difference(before: &[Object], after: &mut Objects, schema: &Schema) -> Option<String> {
    if before.len() != after.len() {
        return Some(format!(
            "lists have different number of entries: {} and {}",
            before.len(),
            after.len()
        ));
    }
    for object in before {
        let id = object.id(schema);
        let Some(now) = after.with_id(&id, schema).first().and_then(|at| after.get(*at)) else {
            return Some(format!("id in self missing from other; id: {id}"));
        };
        let now = without_validated_by(&now.node);
        if now != object.node {
            return Some(format!(
                "nodes unequal: \n -- {},\n -- {}",
                output::json(&object.node),
                output::json(&now)
            ));
        }
    }
    None
}

/// An object without the label by which a validator may say that it was there.
fn without_validated_by(node: &Node) -> Node {
    let mut node = node.clone();
    let metadata = node.get_mut("metadata");
    if let Some(metadata) = metadata
        && let Some(labels) = metadata.get_mut("labels")
        && labels.remove("validated-by").is_some()
        && labels.entries().is_empty()
    {
        metadata.remove("labels");
    }
    node
}
