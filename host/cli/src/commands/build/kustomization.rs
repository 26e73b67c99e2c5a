//! `sluice build kustomization`: what a Flux Kustomization makes of a local directory (compat: cli, section 11).

use super::{Place, declared, ignored, masked, print, tell_findings};
use crate::args::Global;
use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use declared::Cluster;
use serde_json::{Map, Value, json};
use sluice_api::Kustomization as Declared;
use sluice_api::kustomize::{CommonMetadata, SubstituteStrategy};
use sluice_api::meta::{OWNER_NAME, OWNER_NAMESPACE};
use sluice_controller::reconcilers::kustomization::render::build_spec;
use sluice_object::{GroupVersionKind, ObjectId, flatten};
use sluice_render::{Build, Memo, PostBuild, Render};
use sluice_wasm::{Context, Engine, Limits, builtin};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub(crate) struct Kustomization {
    /// Name of the Kustomization
    name: String,
    /// Path to the manifests location
    #[arg(long, value_name = "DIR")]
    path: PathBuf,
    /// Path to the Flux Kustomization YAML file; without it the Kustomization is read from the cluster
    #[arg(long, value_name = "FILE")]
    kustomization_file: Option<PathBuf>,
    /// Build without a cluster: variables from ConfigMaps and Secrets are left out
    #[arg(long)]
    dry_run: bool,
    /// Paths to ignore, in .gitignore format
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// Fail where a variable without a default is not among the inputs
    #[arg(long)]
    strict_substitute: bool,
    /// Build the Kustomizations that are found too
    #[arg(short, long)]
    recursive: bool,
    /// Directories of the sources for --recursive: Kind/namespace/name=path
    #[arg(long, value_name = "SOURCE=DIR", value_delimiter = ',', value_parser = local_source)]
    local_sources: Vec<(String, PathBuf)>,
    /// Nothing is ever written into the directory; taken for compatibility
    #[arg(long)]
    in_memory_build: bool,
    /// What the build may see; without it the enclosing Git work tree, else the file system
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
}

/// How many Kustomizations one recursive build follows: a tree of a real cluster has hundreds.
const KUSTOMIZATIONS_MAX: usize = 10_000;

fn local_source(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((source, path)) => Ok((source.to_owned(), path.into())),
        None => Err(format!("{text} must be formatted as key=value")),
    }
}

pub(crate) async fn run(asked: Kustomization, global: &Global) -> Result<()> {
    let is_directory = asked.path.is_dir();
    ensure!(
        is_directory,
        "invalid resource path \"{}\": it is no directory",
        asked.path.display()
    );
    ensure!(
        !asked.dry_run || asked.kustomization_file.is_some(),
        "dry-run mode requires a kustomization file: add --kustomization-file"
    );
    if let Some(file) = &asked.kustomization_file {
        ensure!(
            file.is_file(),
            "invalid kustomization file \"{}\": it is no file",
            file.display()
        );
    }
    let cluster = match asked.dry_run {
        true => None,
        false => Some(Cluster(global.connect.client().await?)),
    };
    let top = top(&asked, cluster.as_ref(), &global.namespace).await?;
    let builder = Builder::new(&asked, cluster)?;
    let objects = builder.build_all(top, &asked.path).await?;
    print(&yaml(&objects))
}

/// The Kustomization of the command line: the file wins, but unless it is a dry run the cluster must have it too, as in Flux.
async fn top(asked: &Kustomization, cluster: Option<&Cluster>, namespace: &str) -> Result<Declared> {
    let what = || "failed to get kustomization object";
    let live = match cluster {
        None => None,
        Some(cluster) => match cluster
            .kustomization(namespace, &asked.name)
            .await
            .context(what())?
        {
            Some(live) => Some(live),
            None => bail!(
                "{}: kustomizations.{} \"{}\" not found; --dry-run with --kustomization-file builds without a cluster",
                what(),
                declared::GROUP,
                asked.name
            ),
        },
    };
    match (&asked.kustomization_file, live) {
        (Some(file), _) => declared::in_file(file, namespace, &asked.name).context(what()),
        (None, Some(live)) => Ok(live),
        (None, None) => bail!("kustomization file is required for dry-run"),
    }
}

/// Documents as Flux prints them: a separator after each.
fn yaml(objects: &[Value]) -> String {
    objects
        .iter()
        .map(|object| sluice_yaml::emit_v2(object) + "---\n")
        .collect()
}

struct Builder<'a> {
    asked: &'a Kustomization,
    cluster: Option<Cluster>,
    render: Render,
    sources: BTreeMap<&'a str, &'a Path>,
}

impl<'a> Builder<'a> {
    fn new(asked: &'a Kustomization, cluster: Option<Cluster>) -> Result<Self> {
        let engine = Engine::get().map_err(anyhow::Error::msg)?;
        let renderer = builtin::load(engine, "kustomize", Limits::default())?.renderer()?;
        let substitute = builtin::load(engine, "substitute", Limits::default())?.transformer()?;
        let sources = asked
            .local_sources
            .iter()
            .map(|(source, path)| (source.as_str(), path.as_path()));
        Ok(Self {
            asked,
            cluster,
            render: Render::new(renderer, substitute, Memo::default()),
            sources: sources.collect(),
        })
    }

    /// The objects of a Kustomization, and with `--recursive` of those that it makes, breadth first, each once.
    async fn build_all(&self, top: Declared, directory: &Path) -> Result<Vec<Value>> {
        let mut built = BTreeSet::from([name_of(&top)]);
        let mut waiting = VecDeque::from([(top, directory.to_owned())]);
        let mut all = Vec::new();
        while let Some((declared, directory)) = waiting.pop_front() {
            let objects = self.build(&declared, &directory).await?;
            if self.asked.recursive {
                for object in objects.iter().filter(|object| declared::is_kustomization(object)) {
                    let next = self.found(object.clone()).await?;
                    if built.insert(name_of(&next)) {
                        ensure!(
                            built.len() <= KUSTOMIZATIONS_MAX,
                            "more than {KUSTOMIZATIONS_MAX} Kustomizations lead to each other"
                        );
                        let directory = self.directory(&next)?;
                        waiting.push_back((next, directory));
                    }
                }
            }
            all.extend(objects);
        }
        Ok(all)
    }

    /// A Kustomization that was built: as the cluster has it, else as it was built.
    async fn found(&self, object: Value) -> Result<Declared> {
        let declared = declared::from_value(object).context("failed to convert to kustomization")?;
        let Some(cluster) = &self.cluster else {
            return Ok(declared);
        };
        let (namespace, name) = name_of(&declared);
        let live = cluster.kustomization(&namespace, &name).await;
        Ok(live
            .context("failed to get kustomization object")?
            .unwrap_or(declared))
    }

    /// Where the source of a Kustomization lies on this machine.
    fn directory(&self, declared: &Declared) -> Result<PathBuf> {
        let (namespace, name) = name_of(declared);
        let source = &declared.spec.source_ref;
        let of = source.namespace.as_deref().unwrap_or(&namespace);
        let key = match of {
            "" => format!("{}/{}", source.kind.as_str(), source.name),
            of => format!("{}/{of}/{}", source.kind.as_str(), source.name),
        };
        let Some(path) = self.sources.get(key.as_str()) else {
            bail!("cannot get local path for {key} of kustomization {name}; add --local-sources {key}=DIR");
        };
        let below = declared.spec.path.as_deref().unwrap_or_default();
        Ok(path.join(below.trim_start_matches('/')))
    }

    async fn build(&self, declared: &Declared, directory: &Path) -> Result<Vec<Value>> {
        let (namespace, name) = name_of(declared);
        let place = Place::find(directory, self.asked.root.as_deref())?;
        let ignore = ignored::rules(&*place.tree, &place.path, &self.asked.ignore_paths)?;
        let spec = sluice_render::BuildSpec {
            path: place.path,
            ..build_spec(&declared.spec)
        };
        let post_build = self.post_build(declared, &namespace).await?;
        let context = context(&namespace, &name);
        let build = Build {
            spec: &spec,
            ignore: Some(&ignore),
            post_build: post_build.as_ref(),
            context: &context,
            tree: place.tree,
            revision: "",
        };
        let rendered = self.render.build(&build)?;
        tell_findings(&rendered.findings);
        let mut objects = Vec::new();
        for object in &rendered.manifests.objects {
            let mut body = object.body().clone();
            put(
                &mut body,
                "labels",
                [(OWNER_NAME, &name), (OWNER_NAMESPACE, &namespace)],
            );
            let id = object.id();
            masked::mask(&mut body).with_context(|| format!("Secret {}", id.name))?;
            // a kustomization file is no object of a cluster
            if object.gvk().group != "kustomize.config.k8s.io" {
                objects.extend(flatten(Value::Object(body)));
            }
        }
        if let Some(common) = &declared.spec.common_metadata {
            objects
                .iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(|body| set_common(body, common));
        }
        Ok(objects)
    }

    async fn post_build(&self, declared: &Declared, namespace: &str) -> Result<Option<PostBuild>> {
        let Some(post_build) = &declared.spec.post_build else {
            return Ok(None);
        };
        let mut vars = match &self.cluster {
            Some(cluster) => cluster.variables(namespace, &post_build.substitute_from).await?,
            None => BTreeMap::new(),
        };
        vars.extend(post_build.substitute.clone());
        for value in vars.values_mut() {
            // Flux takes every line break out of every value
            value.retain(|character| character != '\n');
        }
        Ok(Some(PostBuild {
            vars,
            strict: self.asked.strict_substitute,
            always: post_build.substitute_strategy == Some(SubstituteStrategy::Always),
        }))
    }
}

fn name_of(declared: &Declared) -> (String, String) {
    let metadata = &declared.metadata;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    (text(&metadata.namespace), text(&metadata.name))
}

fn set_common(body: &mut Map<String, Value>, common: &CommonMetadata) {
    for (place, pairs) in [("labels", &common.labels), ("annotations", &common.annotations)] {
        if !pairs.is_empty() {
            put(
                body,
                place,
                pairs.iter().map(|(key, value)| (key.as_str(), value)),
            );
        }
    }
}

/// Sets labels or annotations.
fn put<'p>(
    body: &mut Map<String, Value>,
    place: &str,
    pairs: impl IntoIterator<Item = (&'p str, &'p String)>,
) {
    let mut map = body;
    for field in ["metadata", place] {
        let inner = map.entry(field).or_insert_with(|| json!({}));
        if !inner.is_object() {
            *inner = json!({});
        }
        let Some(inner) = inner.as_object_mut() else {
            return;
        };
        map = inner;
    }
    map.extend(
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), json!(value))),
    );
}

fn context(namespace: &str, name: &str) -> Context {
    let gvk = GroupVersionKind::new("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
    Context {
        subject: ObjectId {
            gvk,
            namespace: Some(namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
            name: name.to_owned(),
        },
        kube_version: String::new(),
        api_versions: vec![],
        labels: vec![],
    }
}
