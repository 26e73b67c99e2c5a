//! B17, B18 and B19: many sources of one registry, of one remote, and of one large index.

use super::{Since, Wanted};
use crate::audit;
use crate::progress::say;
use crate::report::{Row, ms, ratio, seconds};
use crate::wishes::{REPOSITORIES, handled, is_ready};
use crate::world::World;
use anyhow::Context as _;
use serde_json::{Value, json};
use sluice_testkit::canned::Canned;
use sluice_testkit::registry::{Entry, Registry, tgz};
use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

/// The collection of the sources of B17.
const OCI_REPOSITORIES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/ocirepositories";

/// The collections of B19.
const HELM_REPOSITORIES: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/helmrepositories";
const HELM_CHARTS: &str = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/helmcharts";
/// Bytes of the index of B19, the versions that each chart has there, and how many of its charts are asked for.
const INDEX_SIZE: usize = 100 << 20;
const VERSIONS: usize = 100;
const CHARTS: usize = 50;

/// Measures the wanted ones of B17, B18 and B19: the first two with `count` sources.
pub(crate) async fn measure(
    sluice: &Path,
    count: usize,
    wanted: &Wanted,
    rows: &mut Vec<Row>,
) -> anyhow::Result<()> {
    if wanted.has("B19") {
        // in a world of its own: what counts is how much memory the controller ever had
        let mut world = World::start(sluice, 1).await?;
        rows.push(index(&mut world).await?);
    }
    if !wanted.has_any(&["B17", "B18"]) {
        return Ok(());
    }
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

/// B19: from the creation of a HelmRepository with a large index, and of HelmCharts of it, until each of them is Ready; and how
/// much memory the whole controller took for it.
async fn index(world: &mut World) -> anyhow::Result<Row> {
    let server = Canned::start();
    let (text, charts) = make_index();
    let size = text.len() >> 20;
    server.answer("GET /charts/index.yaml", 200, &text);
    drop(text);
    let newest = VERSIONS - 1;
    let wanted: Vec<String> = (0..CHARTS)
        .map(|index| format!("chart-{}", index * charts / CHARTS))
        .collect();
    for chart in &wanted {
        let metadata = format!("apiVersion: v2\nname: {chart}\nversion: 1.{newest}.0\n");
        let archive = tgz(&[Entry::file(&format!("{chart}/Chart.yaml"), &metadata)]);
        let file = format!("GET /charts/files/{chart}-1.{newest}.0.tgz");
        server.answer_bytes(&file, 200, &[], &archive);
    }
    let repository = json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": "flux-system"},
        "spec": {"interval": "1h", "url": format!("{}charts", server.base())}});
    let objects = wanted.iter().enumerate().map(|(index, chart)| {
        json!({"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmChart",
            "metadata": {"name": name(index), "namespace": "flux-system"},
            "spec": {"interval": "1h", "chart": chart, "version": "1.x",
                "sourceRef": {"kind": "HelmRepository", "name": "charts"}}})
    });
    let objects: Vec<Value> = objects.collect();
    say(&format!("B19: {CHARTS} HelmCharts of an index of {size} MiB"));
    world.audit.since()?;
    let cpu = world.cpu()?;
    let started = Instant::now();
    world.create_in(HELM_REPOSITORIES, vec![repository]).await?;
    world.create_in(HELM_CHARTS, objects).await?;
    world.all_in(HELM_CHARTS, names(CHARTS), is_ready).await?;
    let took = started.elapsed();
    let cpu = world.cpu()?.saturating_sub(cpu);
    let (_, peak) = world.memory()?;
    let requests = server.take_asked();
    let is_index = |target: &str| target.ends_with("/index.yaml");
    let indexes = requests.iter().filter(|asked| is_index(&asked.target)).count();
    let asked = world.audit.since()?;
    Ok(
        Row::new("B19", format!("{CHARTS} HelmCharts of an index of {size} MiB"))
            .figure(format!("{}, {} MiB", seconds(took), peak >> 10))
            .bar(
                "≤ 10 s, and 256 MiB of the whole process",
                took <= Duration::from_secs(10) && peak <= 256 << 10,
            )
            .counts(indexes == 1 && requests.len() == CHARTS + 1)
            .value(took.as_secs_f64())
            .note(format!(
                "CPU {}; {} requests to the server, {indexes} for the index; {}",
                ms(cpu),
                requests.len(),
                audit::text(&asked)
            )),
    )
}

/// An index as `helm repo index` writes it, and how many charts it has.
fn make_index() -> (String, usize) {
    let mut text = "apiVersion: v1\nentries:\n".to_owned();
    let mut charts = 0;
    while text.len() < INDEX_SIZE {
        text += &format!("  chart-{charts}:\n");
        for version in 0..VERSIONS {
            text += &format!(
                "  - annotations:\n      category: Infrastructure\n      licenses: Apache-2.0\n    apiVersion: v2\n    appVersion: 2.{version}.0\n    created: \"2026-01-01T00:00:00.{version:09}Z\"\n    dependencies:\n    - name: common\n      repository: https://charts.example.com/common\n      tags:\n      - common\n      version: 2.x.x\n    description: A chart that installs number {charts}, and says so in a sentence of usual length, with a comma.\n    home: https://charts.example.com/chart-{charts}\n    icon: https://charts.example.com/chart-{charts}/icon.svg\n    keywords:\n    - chart\n    - number-{charts}\n    maintainers:\n    - email: someone@example.com\n      name: Someone\n    name: chart-{charts}\n    sources:\n    - https://git.example.com/charts/chart-{charts}\n    urls:\n    - files/chart-{charts}-1.{version}.0.tgz\n    version: 1.{version}.0\n"
            );
        }
        charts += 1;
    }
    text += "generated: \"2026-01-01T00:00:00Z\"\n";
    (text, charts)
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
