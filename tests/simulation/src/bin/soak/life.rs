//! What happens during a soak: commits, drift, faults, in no order.

use crate::Options;
use crate::server::Server;
use crate::usage::Usage;
use anyhow::{Result, ensure};
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use sluice_apply::cluster::Chance;
use sluice_testkit::world::{CM, World, condition};
use std::time::Duration;
use tokio::time::Instant;

/// Sources; each has an equal share of the Kustomizations.
const SOURCES: usize = 8;
/// Objects of each Kustomization.
const OBJECTS: usize = 3;
/// The pause between two things that happen.
const PAUSE: Duration = Duration::from_millis(200);

/// Lives for as long as the options say; measures all the while.
pub(crate) async fn live(options: &Options, mut server: Server) -> Result<Vec<Usage>> {
    let kubeconfig = Kubeconfig::from_yaml(&server.kubeconfig)?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
    let mut world = World::connected(config).await;
    world.start().await;
    let mut revisions = [1u64; SOURCES];
    for source in 0..SOURCES {
        commit(&world, source, 1).await;
    }
    for number in 0..options.count {
        let spec = json!({
            "interval": "30s", "retryInterval": "5s",
            "sourceRef": { "kind": "GitRepository", "name": format!("src-{}", number % SOURCES) },
            "postBuild": { "substitute": { "name": format!("ks-{number}") } },
        });
        world.kustomization(&format!("ks-{number}"), spec).await;
    }
    let chance = Chance::seeded(options.seed);
    let started = Instant::now();
    let mut samples: Vec<Usage> = Vec::new();
    while started.elapsed().as_secs_f64() < options.minutes * 60.0 {
        happens(&world, &mut server, &chance, &mut revisions, options).await?;
        let sampled = samples.last().map_or(Duration::ZERO, |sample| sample.at);
        if samples.is_empty() || started.elapsed() >= sampled + crate::sample_every(options) {
            samples.push(Usage::now(started.elapsed()));
            eprintln!("soak: {}", samples[samples.len() - 1]);
        }
        tokio::time::sleep(PAUSE).await;
    }
    all_is_well(&world, &revisions, options).await?;
    samples.push(Usage::now(started.elapsed()));
    eprintln!("soak: {}, all is well", samples[samples.len() - 1]);
    world.stop().await;
    Ok(samples)
}

async fn commit(world: &World, source: usize, revision: u64) {
    let object = |number: usize| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": format!("${{name}}-{number}") },
            "data": { "key": revision.to_string() },
        })
    };
    let list: Vec<Value> = (0..OBJECTS).map(object).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": list });
    world
        .commit_to(
            &format!("src-{source}"),
            &revision.to_string(),
            &[("all.json", list)],
        )
        .await;
    world.collect(&format!("src-{source}"), &revision.to_string());
}

async fn happens(
    world: &World,
    server: &mut Server,
    chance: &Chance,
    revisions: &mut [u64; SOURCES],
    options: &Options,
) -> Result<()> {
    let dice = |sides: usize| chance.bits() as usize % sides.max(1);
    match dice(100) {
        0..20 => {
            let source = dice(SOURCES);
            revisions[source] += 1;
            commit(world, source, revisions[source]).await;
        }
        20..70 => {
            let name = format!("ks-{}-{}", dice(options.count), dice(OBJECTS));
            if world.get(CM, &name).await.is_some() {
                world
                    .edit(CM, &name, json!({ "data": { "key": "edited" } }))
                    .await;
            }
        }
        // after every one a watch waits longer: so often that it mostly waits would show little
        70 => server.order("drop-watches").await?,
        71 => server.order("compact").await?,
        72..77 => server.order("fail apply 503").await?,
        77..82 => server.order("fail apply 429").await?,
        _ => {}
    }
    Ok(())
}

/// In the end everything is as the last commits say.
async fn all_is_well(world: &World, revisions: &[u64; SOURCES], options: &Options) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(180);
    let mut told = 0;
    loop {
        let mut missed = Vec::new();
        for number in 0..options.count {
            let name = format!("ks-{number}");
            let ready = condition(&world.ks(&name).await, "Ready");
            let expected = format!("Applied revision: main@sha1:{}", revisions[number % SOURCES]);
            let value = world.value(&format!("{name}-0")).await;
            if ready.2 != expected || value != Some(revisions[number % SOURCES].to_string()) {
                missed.push(format!("{name}: {ready:?}, {value:?}"));
            }
        }
        if missed.is_empty() {
            return Ok(());
        }
        ensure!(
            Instant::now() < deadline,
            "{} Kustomizations are not as they should be: {}",
            missed.len(),
            missed[0]
        );
        if missed.len() != told {
            told = missed.len();
            eprintln!("soak: waiting for {told} Kustomizations, such as {}", missed[0]);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
