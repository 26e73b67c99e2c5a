//! B9 and B10: what waits, and for whom.

use super::Wanted;
use crate::progress::say;
use crate::report::{Row, median, ms, seconds};
use crate::repository::{name, never_ready};
use crate::wishes::{has, is_ready, kustomization, names};
use crate::world::World;
use serde_json::json;
use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

/// Kustomizations in the chain of B10.
const CHAIN: usize = 10;
/// Commits a median is taken of.
const SAMPLES: usize = 5;
/// Long enough not to pass while it is measured.
const INTERVAL: Duration = Duration::from_secs(3600);

/// Measures the wanted ones of B9 (with `parked` Kustomizations that never become ready) and B10.
pub(crate) async fn measure(
    sluice: &Path,
    parked: usize,
    wanted: &Wanted,
    rows: &mut Vec<Row>,
) -> anyhow::Result<()> {
    let mut world = World::start(sluice, 1 + CHAIN).await?;
    say("one healthy Kustomization alone: commit to Ready");
    world
        .create(vec![kustomization(&name(0), INTERVAL, &json!({}))], is_ready)
        .await?;
    let alone = commits(&world, 0..1, "alone").await?;
    if wanted.has("B10") {
        rows.push(chain(&world, alone).await?);
    }
    if wanted.has("B9") {
        rows.push(beside_parked(&mut world, parked, alone).await?);
    }
    Ok(())
}

/// The median time from asking the source to look until these Kustomizations are Ready with a commit that changes them.
/// Each commit comes when all is parked again.
async fn commits(world: &World, indices: std::ops::Range<usize>, color: &str) -> anyhow::Result<Duration> {
    let names: HashSet<String> = indices.clone().map(name).collect();
    let mut times = Vec::new();
    for sample in 0..SAMPLES {
        world.until_parked().await?;
        let revision = world
            .repository
            .change(indices.clone(), &format!("{color}-{sample}"))?;
        times.push(world.land(&revision, names.clone()).await?);
    }
    Ok(median(times).0)
}

/// B10: each of ten waits for the one before.
async fn chain(world: &World, alone: Duration) -> anyhow::Result<Row> {
    say(&format!("B10: a chain of {CHAIN} dependsOn"));
    let links = (1..=CHAIN).map(|index| {
        let depends_on = match index {
            1 => json!({}),
            _ => json!({"dependsOn": [{"name": name(index - 1)}]}),
        };
        kustomization(&name(index), INTERVAL, &depends_on)
    });
    world.create(links.collect(), is_ready).await?;
    let took = commits(world, 1..CHAIN + 1, "chained").await?;
    let bar = alone * u32::try_from(CHAIN)? + Duration::from_secs(1);
    Ok(
        Row::new("B10", format!("a chain of {CHAIN} dependsOn, one commit"))
            .figure(format!("{} ({} alone)", ms(took), ms(alone)))
            .bar(
                &format!("≤ {CHAIN} × alone + 1 s ({})", seconds(bar)),
                took <= bar,
            )
            .value(took.as_secs_f64()),
    )
}

/// B9: the same healthy commit while others wait for what never comes.
async fn beside_parked(world: &mut World, parked: usize, alone: Duration) -> anyhow::Result<Row> {
    say(&format!("B9: {parked} Kustomizations that never become ready"));
    let stuck: Vec<String> = (0..parked).map(|index| format!("stuck-{index:04}")).collect();
    for name in &stuck {
        world.repository.write(name, &[never_ready(name)])?;
    }
    let revision = world.repository.commit("what never becomes ready")?;
    world.land(&revision, names(1)).await?;
    let patient = json!({"timeout": "1h"});
    let objects = stuck.iter().map(|name| kustomization(name, INTERVAL, &patient));
    world
        .create(objects.collect(), |object| {
            has(object, "Reconciling", "True") && has(object, "Healthy", "Unknown")
        })
        .await?;
    let beside = commits(world, 0..1, "beside").await?;
    let times = beside.as_secs_f64() / alone.as_secs_f64();
    Ok(
        Row::new("B9", format!("one commit beside {parked} that are never ready"))
            .figure(format!(
                "{times:.1} × alone ({}, {} alone)",
                ms(beside),
                ms(alone)
            ))
            .bar("≤ 2 × alone", times <= 2.0)
            .value(times),
    )
}
