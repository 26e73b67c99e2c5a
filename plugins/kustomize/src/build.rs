//! A build: kustomizations are read, their objects gathered and changed, level by level.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use sluice_yaml::Node;

use crate::{
    Text,
    config::{self, Config},
    error::{Class, Context as _, Error, Result},
    fields,
    files::{FileKind, Files, LoadRestrictor, Loader, join},
    generate::{self, Generated},
    kustomization::{FILE_NAMES, FieldSpec, Kustomization, Map, SortOptions, Spot},
    metadata::{self, Trace},
    names,
    object::{Object, Source},
    objects::Objects,
    output,
    plugin::{self, Plugin},
    read,
    schema::Schema,
    sort,
    transform::{
        Place, Transformer,
        images::ImageTransformer,
        labels::PairsTransformer,
        namespace::{NamespaceTransformer, Subjects},
        patches::{self, Json6902Transformer, PatchTransformer, StrategicMerge},
        prefix_suffix::{Affix, End},
        replicas::ReplicaTransformer,
    },
    vars::{self, Vars},
};

/// The order of the output where the kustomization does not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reorder {
    /// The command's default: the legacy order.
    #[default]
    Unspecified,
    /// The legacy order, asked for.
    Legacy,
    /// As found: what Flux does.
    None,
}

/// What a build may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep kustomizations may lead to each other. Default 100: real trees stay below ten.
    pub depth: usize,
    /// How many kustomizations a build may read, each time counted. Default 20 000: bases that include others twice grow exponentially.
    pub kustomizations: usize,
    /// How many objects a build may hold at a time. Default 200 000.
    pub objects: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 100,
            kustomizations: 20_000,
            objects: 200_000,
        }
    }
}

/// How to build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The order of the output.
    pub reorder: Reorder,
    /// Which files a kustomization may read.
    pub load_restrictor: LoadRestrictor,
    /// Whether every object gets the label `app.kubernetes.io/managed-by`.
    pub add_managed_by_label: bool,
    /// What a build may cost.
    pub limits: Limits,
}

/// An object of the result.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The object.
    pub node: Node,
    /// Where it was read or generated.
    pub source: Source,
}

impl Rendered {
    /// The object as canonical JSON: sorted keys, no spaces.
    ///
    /// # Errors
    /// The object has no JSON form: keys that are not text, repeated keys, infinite numbers.
    pub fn to_json(&self) -> Result<String> {
        let json = sluice_yaml::to_json(&self.node, fields::OBJECTS).map_err(|e| self.explain(&e))?;
        Ok(sluice_yaml::go_json_raw(&json))
    }

    fn explain(&self, error: &sluice_yaml::Error) -> Error {
        let mut position = error.position();
        if position.line > 0 {
            position.line += self.source.line.saturating_sub(1);
        }
        output::explain(&self.node, error).at(&self.source.file, position)
    }
}

/// The result of a build.
#[derive(Clone, Debug)]
pub struct Build {
    /// The objects, in order.
    pub objects: Vec<Rendered>,
    /// What the original prints on its error output, line by line.
    pub warnings: Vec<String>,
}

impl Build {
    /// The objects as `kustomize build` prints them.
    ///
    /// # Errors
    /// An object has no JSON form.
    pub fn to_yaml(&self) -> Result<String> {
        let mut out = String::new();
        for (index, object) in self.objects.iter().enumerate() {
            if index > 0 {
                out.push_str("---\n");
            }
            output::write(&object.node, &mut out).map_err(|e| {
                e.at(
                    &object.source.file,
                    sluice_yaml::Position {
                        line: object.source.line,
                        column: 0,
                    },
                )
            })?;
        }
        Ok(out)
    }
}

/// What all stages of one build share.
pub(crate) struct Session<'a> {
    pub(crate) schema: Schema,
    files: &'a dyn Files,
    limits: Limits,
    warnings: RefCell<Vec<String>>,
    read: Cell<usize>,
    builtin: Rc<Config>,
}

impl Session<'_> {
    pub(crate) fn warn(&self, line: String) {
        self.warnings.borrow_mut().push(line);
    }
}

/// Builds the kustomization in the directory `path` of `files`.
///
/// # Errors
/// In the original's words, with place, object and remedy.
pub fn build(files: &dyn Files, path: &str, options: &Options) -> Result<Build> {
    let session = Session {
        schema: Schema::default(),
        files,
        limits: options.limits.clone(),
        warnings: RefCell::default(),
        read: Cell::new(0),
        builtin: Rc::new(Config::builtin()),
    };
    let loader = Rc::new(Loader::at(files, path, options.load_restrictor)?);
    let mut target = Target::load(loader, &session)?;
    set_schema(&target, &session, true)?;
    if !target.kustomization.build_metadata.is_empty() {
        target.trace = Some(Trace::default());
    }
    let wanted = target.kustomization.build_metadata.clone();
    let sort_options = target.kustomization.sort_options.clone();
    let mut gathered = target.gather(Gathered::empty(), &session)?;
    finish(&mut gathered, &session)?;
    order(
        &mut gathered.objects,
        sort_options.as_ref(),
        options.reorder,
        &session,
    )?;
    let asks = |what: &str| wanted.iter().any(|w| w == what);
    if options.add_managed_by_label || asks("managedByLabel") {
        add_managed_by(&mut gathered.objects, &session)?;
    }
    let mut dropped = Vec::new();
    if !asks("originAnnotations") {
        dropped.push(metadata::ORIGIN);
    }
    if !asks("transformerAnnotations") {
        dropped.push(metadata::TRANSFORMATIONS);
    }
    let objects = gathered
        .objects
        .into_vec()
        .into_iter()
        .map(|object| render(object, &dropped))
        .collect::<Result<Vec<_>>>()?;
    Ok(Build {
        objects,
        warnings: session.warnings.into_inner(),
    })
}

/// The version that the label `managed-by` names.
const VERSION: &str = "v5.8.1";

fn add_managed_by(objects: &mut Objects, session: &Session<'_>) -> Result<()> {
    let pairs = Map::from([(
        "app.kubernetes.io/managed-by".into(),
        format!("kustomize-{VERSION}").into(),
    )]);
    PairsTransformer {
        pairs,
        places: Place::all(&[FieldSpec::new("metadata/labels", true)]),
    }
    .apply(objects, session)
}

fn render(mut object: Object, dropped: &[&str]) -> Result<Rendered> {
    object.finish_annotations(dropped)?;
    output::settle_flow_nulls(&mut object.node, false);
    Ok(Rendered {
        node: object.node,
        source: object.source,
    })
}

/// What is done once, at the top: hashes, references, variables, and objects that are not for the cluster.
fn finish(gathered: &mut Gathered, session: &Session<'_>) -> Result<()> {
    crate::hash::add_hashes(&mut gathered.objects, session)?;
    names::fix_references(&mut gathered.objects, &gathered.config.name_reference, session)?;
    vars::resolve(
        &mut gathered.objects,
        &gathered.vars,
        &gathered.config.var_reference,
        session,
    )?;
    let mut list = gathered.objects.take();
    let mut kept = Vec::with_capacity(list.len());
    for object in list.drain(..) {
        if fields::is_nil_or_empty(&object.node) {
            continue;
        }
        read::check_metadata(&object.node).map_err(|e| e.at(&object.source.file, object.position()))?;
        let local = object.annotation("config.kubernetes.io/local-config");
        if local.is_none_or(|value| value == "false") {
            kept.push(object);
        }
    }
    gathered.objects.replace(kept);
    Ok(())
}

fn order(
    objects: &mut Objects,
    options: Option<&SortOptions>,
    reorder: Reorder,
    session: &Session<'_>,
) -> Result<()> {
    let Some(options) = options else {
        if reorder != Reorder::None {
            sort::sort_legacy(objects, &session.schema);
        }
        return Ok(());
    };
    if reorder != Reorder::Unspecified {
        session.warn(
            "Warning: Sorting order is set both in 'kustomization.yaml' ('sortOptions') and in a CLI flag ('--reorder'). Using the kustomization file over the CLI flag.".into(),
        );
    }
    sort::sort(objects, options, &session.schema)
}

fn set_schema(target: &Target<'_>, session: &Session<'_>, is_top: bool) -> Result<()> {
    let openapi = &target.kustomization.openapi;
    let document = match openapi.get("path") {
        None => None,
        Some(path) => {
            let bytes = target.loader.load(path).in_file(&target.file)?;
            Some(
                read::document_v2(&bytes, &target.loader.resolve(path))
                    .map_err(|e| e.wrap("invalid schema file"))?,
            )
        }
    };
    session
        .schema
        .set(
            openapi.get("version").map(Text::as_str),
            document.as_ref(),
            is_top,
        )
        .in_file(&target.file)
}

/// The objects of some kustomizations, and the rules for them.
struct Gathered {
    objects: Objects,
    config: Rc<Config>,
    vars: Vars,
}

impl Gathered {
    fn empty() -> Self {
        Self {
            objects: Objects::default(),
            config: Rc::default(),
            vars: Vars::default(),
        }
    }

    fn merge_config(&mut self, other: &Rc<Config>) -> Result<()> {
        if *self.config == Config::default() {
            self.config = Rc::clone(other);
            return Ok(());
        }
        self.config = config::merge_shared(&self.config, other)?;
        Ok(())
    }

    fn merge(&mut self, other: Gathered, session: &Session<'_>) -> Result<()> {
        self.objects.append(other.objects.into_vec(), &session.schema)?;
        self.merge_config(&other.config)?;
        other
            .vars
            .values()
            .try_for_each(|var| vars::add(&mut self.vars, var))
    }
}

/// One kustomization.
struct Target<'a> {
    loader: Rc<Loader<'a>>,
    kustomization: Kustomization,
    file: String,
    file_name: &'static str,
    trace: Option<Trace>,
}

impl<'a> Target<'a> {
    fn load(loader: Rc<Loader<'a>>, session: &Session<'a>) -> Result<Self> {
        session.read.set(session.read.get() + 1);
        let limits = &session.limits;
        if loader.depth() > limits.depth {
            return Err(Error::of(
                Class::Limit,
                format!(
                    "kustomizations lead to each other more than {} levels deep",
                    limits.depth
                ),
            )
            .in_file(loader.root())
            .help("flatten the tree, or raise the limit `depth`"));
        }
        if session.read.get() > limits.kustomizations {
            return Err(Error::of(Class::Limit, format!("the build reads more than {} kustomizations", limits.kustomizations))
                .in_file(loader.root())
                .help("bases that include each other more than once multiply; raise the limit `kustomizations` if that is meant"));
        }
        let found: Vec<&'static str> = FILE_NAMES
            .into_iter()
            .filter(|name| session.files.kind(&join(loader.root(), name)) == Some(FileKind::File))
            .collect();
        let file_name = match found.as_slice() {
            [one] => *one,
            [] => {
                return Err(Error::new(format!(
                    "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{}'",
                    loader.root()
                ))
                .in_file(loader.root())
                .help("add a kustomization.yaml, or name the files of the directory one by one"));
            }
            many => {
                return Err(Error::new(format!(
                    "Found multiple kustomization files under: {}\n",
                    loader.root()
                ))
                .in_file(loader.root())
                .help(format!("keep one of {}", many.join(", "))));
            }
        };
        let file = join(loader.root(), file_name);
        let bytes = loader.load(file_name)?;
        let document = read::document_v2(&bytes, &file).map_err(|e| e.wrap("invalid Kustomization"))?;
        let kustomization = Kustomization::decode(&document, &file, loader.root())?;
        kustomization
            .warnings
            .iter()
            .for_each(|line| session.warn(line.clone()));
        Ok(Self {
            loader,
            kustomization,
            file,
            file_name,
            trace: None,
        })
    }

    /// Everything this kustomization makes. A component works on what is there already.
    fn gather(&mut self, mut gathered: Gathered, session: &Session<'a>) -> Result<Gathered> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.gather_resources(&mut gathered, &resources, session)
            .wrap(|| "accumulating resources".into())?;
        gathered
            .merge_config(&self.transformer_config(session)?)
            .wrap(|| "merging config".into())?;
        if !self.kustomization.crds.is_empty() {
            gathered
                .merge_config(&Rc::new(self.crd_config()?))
                .wrap(|| "merging CRDs".into())?;
        }
        self.run_generators(&mut gathered, session)?;
        let components = std::mem::take(&mut self.kustomization.components);
        for component in &components {
            gathered = self
                .gather_component(gathered, component, session)
                .map_err(|e| e.at(&self.file, component.at))
                .wrap(|| "accumulating components".into())?;
        }
        self.run_transformers(&mut gathered, session)?;
        self.run_validators(&mut gathered, session)?;
        let vars = std::mem::take(&mut self.kustomization.vars);
        vars::record(&mut gathered.vars, &vars, &mut gathered.objects, session)
            .map_err(|e| {
                let shown: Vec<String> = vars.iter().map(crate::kustomization::Var::display).collect();
                e.wrap(format!("merging vars [{}]", shown.join(" ")))
            })
            .in_file(&self.file)?;
        if gathered.objects.len() > session.limits.objects {
            return Err(Error::of(
                Class::Limit,
                format!("the build holds more than {} objects", session.limits.objects),
            )
            .in_file(&self.file)
            .help("split it into several kustomizations, or raise the limit `objects`"));
        }
        Ok(gathered)
    }

    fn gather_resources(
        &mut self,
        gathered: &mut Gathered,
        paths: &[Spot<Text>],
        session: &Session<'a>,
    ) -> Result<()> {
        for path in paths {
            self.gather_resource(gathered, &path.value, session)
                .map_err(|e| e.at(&self.file, path.at))?;
        }
        Ok(())
    }

    /// A resource is a file or else a directory; if it is neither, both reasons are given.
    fn gather_resource(&mut self, gathered: &mut Gathered, path: &str, session: &Session<'a>) -> Result<()> {
        let Err(not_file) = self.gather_file(gathered, path, session) else {
            return Ok(());
        };
        let loader = match self.loader.child(path) {
            Ok(loader) => loader,
            Err(_) if not_file.class() == Class::Malformed => return Err(not_file),
            Err(not_directory) => return Err(self.explain_missing(not_file, not_directory, path, session)),
        };
        let prefix = format!("accumulation err='{}'", not_file.text());
        let trace = self.trace.as_ref().map(|t| t.join(path));
        self.gather_directory(None, loader, trace, session)
            .and_then(|sub| {
                let root = self.loader.resolve(path);
                gathered
                    .merge(sub, session)
                    .wrap(|| format!("recursed merging from path '{root}'"))
            })
            .map_err(|e| e.wrap(prefix))
    }

    fn explain_missing(
        &self,
        not_file: Error,
        not_directory: Error,
        path: &str,
        session: &Session<'_>,
    ) -> Error {
        let full = self.loader.resolve(path);
        let exists = session.files.kind(&full).is_some();
        let text = format!("accumulation err='{}': {}", not_file.text(), not_directory.text());
        let hint = if exists {
            not_file.hint().or(not_directory.hint())
        } else {
            not_directory.hint()
        };
        let mut error = Error::of(
            if not_directory.class() == Class::Refused {
                Class::Refused
            } else {
                not_file.class()
            },
            text,
        );
        if let (true, Some(place)) = (exists, not_file.place()) {
            error = error.at(&place.file, place.position);
        }
        match hint {
            Some(hint) => error.help(hint),
            None if !exists => error.help(format!(
                "{full} does not exist; correct the path, or add the file to the repository"
            )),
            None => error,
        }
    }

    fn gather_file(&self, gathered: &mut Gathered, path: &str, session: &Session<'_>) -> Result<()> {
        let read = || {
            let bytes = self.loader.load(path)?;
            read::objects(&bytes, &self.loader.resolve(path)).map_err(|e| patches::name_file(e, path))
        };
        let mut objects = read().wrap(|| format!("accumulating resources from '{path}'"))?;
        check_unique(&objects, session).wrap(|| format!("accumulating resources from '{path}'"))?;
        if let Some(trace) = &self.trace {
            let origin = trace.of_file(path);
            objects
                .iter_mut()
                .try_for_each(|object| object.set_annotation(metadata::ORIGIN, &origin))?;
        }
        gathered
            .objects
            .append(objects, &session.schema)
            .wrap(|| format!("merging resources from '{path}'"))
    }

    fn gather_component(
        &mut self,
        gathered: Gathered,
        component: &Spot<Text>,
        session: &Session<'a>,
    ) -> Result<Gathered> {
        let path = &component.value;
        let loader = self
            .loader
            .child(path)
            .map_err(|e| e.reword(|text| format!("loader.New {}", crate::go::quote(text))))?;
        let trace = self.trace.as_ref().map(|t| t.join(path));
        let root = loader.root().to_owned();
        let quoted = |e: Error| e.reword(|text| format!("accumulateDirectory: {}", crate::go::quote(text)));
        let made = self
            .gather_directory(Some(gathered), loader, trace, session)
            .map_err(quoted)?;
        let mut joined = Gathered::empty();
        joined
            .merge(made, session)
            .wrap(|| format!("recursed merging from path '{root}'"))
            .map_err(quoted)?;
        Ok(joined)
    }

    /// The objects of another kustomization; a component gets those gathered so far.
    fn gather_directory(
        &self,
        component_of: Option<Gathered>,
        loader: Rc<Loader<'a>>,
        trace: Option<Trace>,
        session: &Session<'a>,
    ) -> Result<Gathered> {
        let root = loader.root().to_owned();
        let mut target =
            Target::load(loader, session).wrap(|| format!("couldn't make target for path '{root}'"))?;
        target.trace = trace;
        set_schema(&target, session, false)?;
        let kind = &target.kustomization.kind;
        match (component_of.is_some(), target.kustomization.is_component()) {
            (true, false) => {
                return Err(Error::new(format!(
                    "expected kind 'Component' for path '{root}' but got '{kind}'"
                ))
                .help("list it under `resources:`, or make it `kind: Component`"));
            }
            (false, true) => {
                return Err(
                    Error::new(format!("expected kind != 'Component' for path '{root}'"))
                        .help("list it under `components:`"),
                );
            }
            _ => {}
        }
        target
            .gather(component_of.unwrap_or_else(Gathered::empty), session)
            .wrap(|| format!("recursed accumulation of path '{root}'"))
    }

    fn transformer_config(&self, session: &Session<'_>) -> Result<Rc<Config>> {
        if self.kustomization.configurations.is_empty() {
            return Ok(Rc::clone(&session.builtin));
        }
        let mut own = Config::default();
        for path in &self.kustomization.configurations {
            let bytes = self
                .loader
                .load(&path.value)
                .map_err(|e| e.at(&self.file, path.at))?;
            let file = self.loader.resolve(&path.value);
            let document = read::document_v2(&bytes, &file)
                .map_err(|e| e.reword(|text| format!("error converting YAML to JSON: {text}")))?;
            own = own.merge(&Config::decode(&document, &file)?).in_file(&file)?;
        }
        Ok(Rc::new(session.builtin.merge(&own).in_file(&self.file)?))
    }

    fn crd_config(&self) -> Result<Config> {
        let crds = &self.kustomization.crds;
        let mut config = Config::default();
        for path in crds {
            let load = || {
                let bytes = self.loader.load(&path.value)?;
                let file = self.loader.resolve(&path.value);
                let document = read::document_v2(&bytes, &file).map_err(|e| {
                    e.wrap(format!(
                        "unable to parse open API definition from '{}'",
                        path.value
                    ))
                })?;
                config::from_crds(&document).in_file(&file)
            };
            config = load()
                .and_then(|found| config.merge(&found))
                .map_err(|e| e.at(&self.file, path.at))
                .wrap(|| {
                    let names: Vec<&str> = crds.iter().map(|p| p.value.as_str()).collect();
                    format!("loading CRDs [{}]", names.join(" "))
                })?;
        }
        Ok(config)
    }

    fn run_generators(&mut self, gathered: &mut Gathered, session: &Session<'a>) -> Result<()> {
        if let Some(chart) = self.kustomization.helm_charts.first() {
            let config = output::yaml_text(&Node::map([("name", fields::string_node(chart.value.clone()))]));
            return Err(refuse_helm().at(&self.file, chart.at).wrap(format!(
                "trouble configuring builtin HelmChartInflationGenerator with config: `\n{config}`"
            )));
        }
        let entries = std::mem::take(&mut self.kustomization.generators);
        let configs = self.plugin_configs(&entries, session)?;
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
        for config in configs.iter() {
            let loaded = plugin::load(config, &self.loader, session)
                .wrap(|| "failed to load generator".into())
                .wrap(|| "loading generator plugins".into())?;
            let Plugin::Generator(mut object) = loaded else {
                return Err(Error::new(format!(
                    "loading generator plugins: failed to load generator: plugin {} not a generator",
                    config.original_id(&session.schema)
                ))
                .at(&config.source.file, config.position())
                .help("list it under `transformers:`"));
            };
            if let (Some(origin), None) = (metadata::of_plugin(config), object.annotation(metadata::ORIGIN)) {
                object.set_annotation(metadata::ORIGIN, &origin)?;
            }
            generate::absorb(&mut gathered.objects, *object, &session.schema)
                .wrap(|| format!("merging from generator &{{{} {}}}", config.kind(), config.name()))?;
        }
        Ok(())
    }

    /// The objects that `generators`, `transformers` or `validators` name: written in the entry, in files, or built.
    fn plugin_configs(&mut self, entries: &[Spot<Text>], session: &Session<'a>) -> Result<Objects> {
        let mut gathered = Gathered::empty();
        let mut paths = Vec::new();
        for entry in entries {
            let Ok(mut inline) = read::objects(entry.value.as_bytes(), &self.file) else {
                paths.push(entry.clone());
                continue;
            };
            for object in &mut inline {
                object.source.line += entry.at.line;
                if let Some(trace) = &self.trace {
                    object.set_annotation(metadata::ORIGIN, &trace.of_file(self.file_name))?;
                }
            }
            gathered.objects.append(inline, &session.schema)?;
        }
        self.gather_resources(&mut gathered, &paths, session)?;
        Ok(gathered.objects)
    }

    fn run_transformers(&mut self, gathered: &mut Gathered, session: &Session<'a>) -> Result<()> {
        let config = Rc::clone(&gathered.config);
        let mut all: Vec<(Transformer, Option<Text>)> = Vec::new();
        for (kind, transformer) in self.builtin_transformers(&config)? {
            let origin = self.trace.as_ref().map(|t| t.of_builtin(kind, self.file_name));
            all.push((transformer, origin));
        }
        let entries = std::mem::take(&mut self.kustomization.transformers);
        let configs = self.plugin_configs(&entries, session)?;
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

    /// The transformers that the fields of the kustomization stand for, in the original's order.
    fn builtin_transformers(&self, config: &Config) -> Result<Vec<(&'static str, Transformer)>> {
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
            let t = PatchTransformer::load(loader, patch, file)
                .map_err(|e| trouble(KIND, patches::config_text(patch))(e))?;
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
                .map_err(|e| trouble(KIND, patches::config_text(patch))(e))?;
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
            let t = ImageTransformer::new(image, Place::all(&config.images)).in_file(file)?;
            all.push(("ImageTagTransformer", Transformer::Image(t)));
        }
        if !k.replacements.is_empty() {
            all.push((
                "ReplacementTransformer",
                Transformer::Replacements(plugin::load_replacements(&k.replacements, loader, file)?),
            ));
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
            let mut join = || {
                config::merge_specs(&mut specs, &config.labels)?;
                if label.include_selectors {
                    return config::merge_specs(&mut specs, &config.common_labels);
                }
                if label.include_templates {
                    config::merge_specs(&mut specs, &config.template_labels)
                        .wrap(|| "failed to merge template fieldSpec".into())?;
                }
                config::merge_spec(&mut specs, &FieldSpec::new("metadata/labels", true))
            };
            join()
                .wrap(|| "failed to merge labels".into())
                .in_file(&self.file)?;
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

    /// Validators are transformers that must not change anything.
    fn run_validators(&mut self, gathered: &mut Gathered, session: &Session<'a>) -> Result<()> {
        let entries = std::mem::take(&mut self.kustomization.validators);
        if entries.is_empty() {
            return Ok(());
        }
        let configs = self.plugin_configs(&entries, session)?;
        for config in configs.iter() {
            let transformer = self.load_transformer(config, session)?;
            let before: Vec<Node> = gathered.objects.iter().map(|o| o.node.clone()).collect();
            transformer.apply(&mut gathered.objects, session)?;
            let is_same = before.len() == gathered.objects.len()
                && gathered.objects.iter().zip(&before).all(|(o, n)| o.node == *n);
            if !is_same {
                return Err(
                    Error::new("validator shouldn't modify the resource map: nodes unequal")
                        .at(&config.source.file, config.position())
                        .help("list it under `transformers:` if it is meant to change objects"),
                );
            }
        }
        Ok(())
    }
}

/// The objects of one file must differ.
fn check_unique(objects: &[Object], session: &Session<'_>) -> Result<()> {
    let mut seen = std::collections::HashMap::new();
    for object in objects {
        let id = object.id(&session.schema);
        if let Some(line) = seen.insert(id.key(), object.source.line) {
            return Err(Error::new(format!(
                "may not add resource with an already registered id: {id}"
            ))
            .at(&object.source.file, object.position())
            .about(&id)
            .help(format!("the same object is in line {line} of this file")));
        }
    }
    Ok(())
}

pub(crate) fn refuse_helm() -> Error {
    Error::of(Class::Refused, "must specify --enable-helm")
        .help("charts are not inflated here; use a HelmRelease, or commit what `helm template` prints")
}
