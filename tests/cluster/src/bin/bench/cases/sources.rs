//! B17 and B18: many sources of one registry, and of one remote.

use super::{Since, Wanted};
use crate::audit;
use crate::progress::say;
use crate::report::{Row, ratio, seconds};
use crate::wishes::{REPOSITORIES, handled, is_ready};
use crate::world::World;
use anyhow::Context as _;
use serde_json::{Value, json};
use sluice_testkit::registry::Registry;
use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

/// The collection of the sources of B17.
const OCI_REPOSITORIES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories";

/// Measures the wanted ones of B17 and B18 with `count` sources.
pub(crate) async fn measure(
    sluice: &Path,
    count: usize,
    wanted: &Wanted,
    rows: &mut Vec<Row>,
) -> anyhow::Result<()> {
    let mut world = World::start(sluice, 1).await?;
    if wanted.has("B17") {
        rows.push(registry(&mut world, count).await?);
    }
    if wanted.has("B18") {
        rows.push(remote(&mut world, count).await?);
    }
    Ok(())
}

/// B17: from the start of the controller until each of many OCIRepositories is Ready, beside a loop that does for each what
/// must be done.
async fn registry(world: &mut World, count: usize) -> anyhow::Result<Row> {
    let registry = Registry::start();
    let artifacts: Vec<Artifact> = (0..count).map(|index| Artifact::push(&registry, index)).collect();
    world.stop_controller();
    let objects: Vec<Value> = (0..count).map(|index| oci_repository(index, &registry)).collect();
    world.create_in(OCI_REPOSITORIES, objects).await?;
    say(&format!(
        "floor: {count} manifests, blobs and status patches over 20 connections"
    ));
    let floor = Instant::now();
    let fetched = world.api.each(artifacts, async |api, artifacts, index| {
        let artifact = artifacts.get(index).context("invariant: the index is in range")?;
        for url in [&artifact.manifest, &artifact.blob] {
            api.client
                .get(url)
                .send()
                .await?
                .error_for_status()?
                .bytes()
                .await?;
        }
        let status = json!({"status": {"observedGeneration": -1}});
        let path = format!("{OCI_REPOSITORIES}/{}/status", name(index));
        api.merge(&path, &status).await.map(|_patched| ())
    });
    fetched.await?;
    let floor = floor.elapsed();
    registry.take_seen();
    world.audit.since()?;
    say(&format!("B17: {count} OCIRepositories of one registry"));
    let started = Instant::now();
    world.start_controller()?;
    world.all_in(OCI_REPOSITORIES, names(count), is_ready).await?;
    let took = started.elapsed();
    let asked = world.audit.since()?;
    let requests = registry.take_seen().len();
    let times = took.as_secs_f64() / floor.as_secs_f64();
    Ok(
        Row::new("B17", format!("{count} OCIRepositories of one registry"))
            .figure(format!(
                "{} = {} a bare loop ({})",
                seconds(took),
                ratio(took, floor),
                seconds(floor)
            ))
            .bar("≤ 2 × a bare loop", times <= 2.0)
            .counts(requests <= 2 * count)
            .value(times)
            .note(format!(
                "{requests} requests to the registry; {}",
                audit::text(&asked)
            )),
    )
}

/// B18: one commit, and many GitRepositories of its remote.
async fn remote(world: &mut World, count: usize) -> anyhow::Result<Row> {
    let url = format!("{}/bench.git", world.git.url);
    let object = |index| {
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": {"name": name(index), "namespace": "flux-system"},
            "spec": {"interval": "1h", "url": url, "ref": {"branch": "main"}}})
    };
    let objects: Vec<Value> = (0..count).map(object).collect();
    world.create_in(REPOSITORIES, objects).await?;
    world.all_in(REPOSITORIES, names(count), is_ready).await?;
    say(&format!(
        "B18: a commit, and {count} GitRepositories of its remote"
    ));
    let revision = world.repository.change(0..1, "many")?;
    let since = Since::now(world).await?;
    world.git.take_asked();
    let started = Instant::now();
    let ask = world.ask_in(REPOSITORIES, (0..count).map(name), "many");
    let have = world.all_in(REPOSITORIES, names(count), |object| {
        let found = object
            .pointer("/status/artifact/revision")
            .and_then(Value::as_str);
        handled(object) == Some("many") && found == Some(&revision) && is_ready(object)
    });
    let (asked, have) = tokio::join!(ask, have);
    asked?;
    have?;
    let took = started.elapsed();
    let spent = since.until_now(world).await?;
    let asked = world.git.take_asked();
    Ok(Row::new(
        "B18",
        format!("a commit for {count} GitRepositories of one remote"),
    )
    .figure(format!("{} packs in {}", asked.packs, seconds(took)))
    .bar("1 pack", true)
    .counts(asked.packs == 1)
    .value(took.as_secs_f64())
    .note(format!("{} lists of references; {}", asked.lists, spent.note())))
}

/// Where what an OCIRepository wants lies.
struct Artifact {
    manifest: String,
    blob: String,
}

impl Artifact {
    fn push(registry: &Registry, index: usize) -> Self {
        let repository = format!("org/app-{index:04}");
        let text = format!("index: {index}\n");
        registry.push(&repository, "v1", &[("a.yaml", &text)]);
        let manifest = registry.manifest(&repository, "v1").unwrap_or_default();
        let layer = manifest.pointer("/layers/0/digest").and_then(Value::as_str);
        let base = format!("{}/v2/{repository}", registry.base());
        Self {
            manifest: format!("{base}/manifests/v1"),
            blob: format!("{base}/blobs/{}", layer.unwrap_or_default()),
        }
    }
}

fn oci_repository(index: usize, registry: &Registry) -> Value {
    json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
        "metadata": {"name": name(index), "namespace": "flux-system"},
        "spec": {"interval": "1h", "insecure": true, "ref": {"tag": "v1"},
            "url": registry.url(&format!("org/app-{index:04}"))}})
}

fn name(index: usize) -> String {
    format!("many-{index:04}")
}

fn names(count: usize) -> HashSet<String> {
    (0..count).map(name).collect()
}
