//! The floor program, B1, B7 and B8.

use super::{Measured, Since};
use crate::progress::say;
use crate::report::{Row, ratio, seconds};
use crate::repository::{name, objects};
use crate::wishes::{is_ready, kustomization};
use crate::world::World;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How long the floor program takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    /// To create all objects.
    pub(super) create: Duration,
    /// To change one field of every third.
    pub(super) update: Duration,
}

/// The floor: the same objects, one server-side apply each, nothing else.
pub(super) async fn floor(world: &World) -> anyhow::Result<Floor> {
    say(&format!(
        "floor: {} objects applied by 20 connections",
        world.count * 3
    ));
    // The first requests of a server that just started are slow for reasons of its own.
    apply_all(world, "warm", "blue", 20.min(world.count), 3).await?;
    Ok(Floor {
        create: apply_all(world, "floor", "blue", world.count, 3).await?,
        update: apply_all(world, "floor", "green", world.count, 1).await?,
    })
}

/// Applies the first `kinds` objects of `count` directories.
async fn apply_all(
    world: &World,
    namespace: &str,
    color: &str,
    count: usize,
    kinds: usize,
) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let objects: Vec<(String, Value)> = (0..count)
        .flat_map(|index| objects(index, namespace, color).into_iter().take(kinds))
        .collect();
    let each = world.api.each(objects, async |api, objects, index| {
        let (path, object) = objects.get(index).context("invariant: the index is in range")?;
        api.apply(path, object).await.map(|_applied| ())
    });
    each.await?;
    Ok(started.elapsed())
}

/// B1, and the time it took.
pub(super) async fn install(
    world: &mut World,
    interval: Duration,
    floor: Floor,
) -> anyhow::Result<(Row, Duration)> {
    say(&format!(
        "B1: {} Kustomizations of 3 objects, until all are Ready",
        world.count
    ));
    let since = Since::now(world).await?;
    let kustomizations = (0..world.count)
        .map(|index| kustomization(&name(index), interval, &json!({})))
        .collect();
    let took = world.create(kustomizations, is_ready).await?;
    let spent = since.until_now(world).await?;
    let times = took.as_secs_f64() / floor.create.as_secs_f64();
    let row = Row::new("B1", format!("install {}, all Ready", world.count))
        .figure(format!(
            "{} = {} floor ({})",
            seconds(took),
            ratio(took, floor.create),
            seconds(floor.create)
        ))
        .bar("≤ 4 × floor", times <= 4.0)
        .counts(spent.applied() == world.count * 3 && spent.renders == world.count)
        .value(times)
        .note(spent.note());
    Ok((row, took))
}

/// B7.
pub(super) fn memory(count: usize, resident: u64, peak: u64) -> Row {
    Row::new("B7", format!("peak resident memory at {count}"))
        .figure(format!("{} MiB", peak / 1024))
        .bar("≤ 150 MiB", peak <= 150 * 1024)
        .value(peak as f64)
        .note(format!("{} MiB at rest", resident / 1024))
}

/// B8 from two sizes.
pub(crate) fn growth(small: &Measured, large: &Measured) -> Row {
    let times = large.install.as_secs_f64() / small.install.as_secs_f64();
    let factor = (large.count as f64 / small.count as f64) * 1.1;
    let slope = large.resident.saturating_sub(small.resident) as f64 / (large.count - small.count) as f64;
    Row::new("B8", format!("growth from {} to {}", small.count, large.count))
        .figure(format!("time {times:.1} ×, {slope:.0} KiB a Kustomization"))
        .bar(
            &format!("time ≤ {factor:.0} ×, ≤ 60 KiB a Kustomization"),
            times <= factor && slope <= 60.0,
        )
        .value(slope)
}
