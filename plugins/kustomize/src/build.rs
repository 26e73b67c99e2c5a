//! A build: what is asked, what comes out, and what is done once, at the top.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use sluice_yaml::Node;

use crate::{
    config::Config,
    error::{Error, Result},
    fields,
    files::{Files, LoadRestrictor, Loader},
    gather::{Gathered, Target},
    kustomization::{FieldSpec, Map, SortOptions},
    metadata::{self, Trace},
    names,
    object::{Object, Source},
    objects::Objects,
    output, read,
    schema::Schema,
    sort,
    transform::{Place, labels::PairsTransformer},
    vars,
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
    /// Whether a schema file always adds to the built-in schema, as in Flux; else it takes its place where it comes first.
    pub adds_schema_files: bool,
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
        let mut json = String::new();
        sluice_yaml::write_json(&self.node, fields::OBJECTS, &mut json).map_err(|e| self.explain(&e))?;
        Ok(json)
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
    pub(crate) files: &'a dyn Files,
    pub(crate) limits: Limits,
    warnings: RefCell<Vec<String>>,
    /// How many kustomizations were read.
    pub(crate) read: Cell<usize>,
    /// The built-in rules.
    pub(crate) builtin: Rc<Config>,
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
        schema: Schema::new(options.adds_schema_files),
        files,
        limits: options.limits.clone(),
        warnings: RefCell::default(),
        read: Cell::new(0),
        builtin: Rc::new(Config::builtin()),
    };
    let loader = Rc::new(Loader::at(files, path, options.load_restrictor)?);
    let mut target = Target::load(loader, &session)?;
    target.set_schema(&session, true)?;
    if !target.kustomization.build_metadata.is_empty() {
        target.trace = Some(Trace::default());
    }
    let wanted = target.kustomization.build_metadata.clone();
    let sort_options = target.kustomization.sort_options.clone();
    let mut gathered = target.gather(Gathered::empty(), &session)?;
    session.schema.check()?;
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
    session.schema.check()?;
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
    let (mut node, source) = (object.node, object.source);
    output::settle_flow_nulls(&mut node, false);
    let at = sluice_yaml::Position {
        line: source.line,
        column: 0,
    };
    let node = output::settle_text(node).map_err(|e| e.at(&source.file, at))?;
    Ok(Rendered { node, source })
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
    gathered.objects.append(kept, &session.schema)
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
