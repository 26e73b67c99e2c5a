//! The rows of the cost table (design/engine.md section 4) that need a cluster.

use crate::api::Api;
use crate::audit;
use crate::report::{Row, ms, ratio, seconds};
use crate::repository::objects;
use crate::world::World;
use anyhow::Context as _;
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// The counter of renders, and the label of those that really ran a component.
const RENDERS: (&str, &str) = ("sluice_render_total", "=\"rendered\"");
/// How long is listened for what must not come.
const QUIET: Duration = Duration::from_secs(3);
/// The interval of the Kustomizations: B3 waits for one to pass.
const INTERVAL: Duration = Duration::from_secs(60);

/// What one run at one size gave.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) rows: Vec<Row>,
    pub(crate) install: Duration,
    /// Resident memory once all is quiet, KiB.
    pub(crate) resident: u64,
}

/// The floor: every object, one server-side apply each, nothing else.
async fn floor(api: &Api, count: usize, color: &str) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let objects: Vec<(String, Value)> = (0..count)
        .flat_map(|index| objects(index, "floor", color))
        .collect();
    api.each(objects, async |api, objects, index| {
        let (path, object) = objects.get(index).context("invariant: the index is in range")?;
        api.apply(path, object).await.map(|_applied| ())
    })
    .await?;
    Ok(started.elapsed())
}

/// Runs the cases named in `wanted` (all where empty) with `count` Kustomizations.
pub(crate) async fn measure(sluice: &Path, count: usize, wanted: &[String]) -> anyhow::Result<Measured> {
    let wants = |id: &str| wanted.is_empty() || wanted.iter().any(|name| name.eq_ignore_ascii_case(id));
    let mut world = World::start(sluice, count).await?;
    let mut rows = Vec::new();
    let create = floor(&world.api, count, "blue").await?;
    let update = floor(&world.api, count, "green").await?;
    world.audit.since()?;

    let before = world.cpu()?;
    let install = world.install(&format!("{}s", INTERVAL.as_secs())).await?;
    let cpu = world.cpu()?.saturating_sub(before);
    let asked = world.audit.since()?;
    rows.push(
        Row::new("B1", format!("install {count}, all Ready"))
            .figure(format!(
                "{} = {} floor ({})",
                seconds(install),
                ratio(install, create),
                seconds(create)
            ))
            .bar("≤ 4 × floor", install.as_secs_f64() <= 4.0 * create.as_secs_f64())
            .note(format!("CPU {}; {}", seconds(cpu), audit::text(&asked))),
    );
    settle(&mut world).await?;

    if wants("B2") {
        rows.push(asked_again(&mut world).await?);
    }
    if wants("B3") {
        rows.push(interval_passes(&mut world).await?);
    }
    if wants("B5") {
        rows.push(one_directory(&mut world).await?);
    }
    if wants("B4") {
        rows.push(all_directories(&mut world, create, update).await?);
    }
    if wants("B6") {
        rows.push(drift(&mut world).await?);
    }
    settle(&mut world).await?;
    let (resident, peak) = world.memory()?;
    rows.push(
        Row::new("B7", format!("peak resident memory at {count}"))
            .figure(format!("{} MiB", peak / 1024))
            .bar("≤ 150 MiB", peak <= 150 * 1024)
            .note(format!("now {} MiB", resident / 1024)),
    );
    Ok(Measured {
        rows,
        install,
        resident,
    })
}

/// Waits until the controller asks for nothing any more.
async fn settle(world: &mut World) -> anyhow::Result<()> {
    for _ in 0..20 {
        tokio::time::sleep(QUIET).await;
        if world.audit.since()?.is_empty() {
            return Ok(());
        }
    }
    Ok(())
}

async fn asked_again(world: &mut World) -> anyhow::Result<Row> {
    let (cpu, renders) = (world.cpu()?, world.metric(RENDERS.0, RENDERS.1).await);
    let took = world.ask_all("bench-1").await?;
    tokio::time::sleep(QUIET).await;
    let cpu = world.cpu()?.saturating_sub(cpu);
    let asked = world.audit.since()?;
    let status = audit::sum(&asked, |what| {
        audit::is_write(what) && what.ends_with("kustomizations/status")
    });
    let events = audit::sum(&asked, |what| audit::is_write(what) && what.ends_with(" events"));
    let dry = audit::sum(&asked, |what| what.starts_with("dry run"));
    let each = cpu / u32::try_from(world.count)?;
    let other = audit::sum(&asked, audit::is_write) - status - events;
    let holds = status <= world.count
        && events <= world.count
        && dry == 0
        && other == 0
        && each <= Duration::from_millis(1);
    Ok(
        Row::new("B2", "all asked to reconcile, nothing changed".to_owned())
            .figure(format!(
                "{status} status writes, {events} events, {dry} dry runs, {} CPU each",
                ms(each)
            ))
            .bar("≤ 1 status write, ≤ 1 event, 0 dry runs, ≤ 1 ms CPU each", holds)
            .note(format!(
                "{}; renders {}; {}",
                seconds(took),
                grown(world, renders).await,
                audit::text(&asked)
            )),
    )
}

/// By how much the render counter grew since it was `before`.
async fn grown(world: &World, before: Option<f64>) -> String {
    match (before, world.metric(RENDERS.0, RENDERS.1).await) {
        (before, Some(after)) => format!("{}", after - before.unwrap_or(0.0)),
        _ => "not counted".to_owned(),
    }
}

async fn interval_passes(world: &mut World) -> anyhow::Result<Row> {
    let renders = world.metric(RENDERS.0, RENDERS.1).await;
    let cpu = world.cpu()?;
    world.audit.since()?;
    // One interval, its jitter, and a little.
    tokio::time::sleep(INTERVAL + INTERVAL / 10 + QUIET).await;
    let asked = world.audit.since()?;
    let renders = grown(world, renders).await;
    let requests: usize = asked.values().sum();
    let cpu = world.cpu()?.saturating_sub(cpu);
    Ok(
        Row::new("B3", format!("an interval of {} passes", seconds(INTERVAL)))
            .figure(format!("{requests} requests, {renders} renders"))
            .bar(
                "0 API requests, 0 renders",
                requests == 0 && matches!(renders.as_str(), "0" | "not counted"),
            )
            .note(format!("CPU {}; {}", ms(cpu), audit::text(&asked))),
    )
}

async fn one_directory(world: &mut World) -> anyhow::Result<Row> {
    let revision = world.repository.change_one(world.count / 2, "red")?;
    let renders = world.metric(RENDERS.0, RENDERS.1).await;
    let cpu = world.cpu()?;
    world.audit.since()?;
    let took = world.land(&revision).await?;
    tokio::time::sleep(QUIET).await;
    let cpu = world.cpu()?.saturating_sub(cpu);
    let asked = world.audit.since()?;
    let renders = grown(world, renders).await;
    let applied = audit::sum(&asked, |what| {
        audit::is_write(what)
            && ["configmaps", "services", "serviceaccounts"]
                .iter()
                .any(|kind| what.ends_with(kind))
    });
    let status = audit::sum(&asked, |what| {
        audit::is_write(what) && what.ends_with("kustomizations/status")
    });
    let holds = applied == 1 && matches!(renders.as_str(), "1" | "not counted") && status <= world.count + 1;
    Ok(
        Row::new("B5", format!("one directory of {} changed", world.count))
            .figure(format!(
                "{renders} renders, {applied} applied, {status} status writes"
            ))
            .bar("1 render, 1 object applied, one status write each", holds)
            .note(format!(
                "{}; CPU {}; {}",
                seconds(took),
                ms(cpu),
                audit::text(&asked)
            )),
    )
}

async fn all_directories(world: &mut World, create: Duration, update: Duration) -> anyhow::Result<Row> {
    let revision = world.repository.change_all("yellow")?;
    let cpu = world.cpu()?;
    world.audit.since()?;
    let took = world.land(&revision).await?;
    let cpu = world.cpu()?.saturating_sub(cpu);
    let asked = world.audit.since()?;
    Ok(
        Row::new("B4", format!("one field changed for all {}", world.count))
            .figure(format!("{} = {} floor", seconds(took), ratio(took, create)))
            .bar("≤ 3 × floor", took.as_secs_f64() <= 3.0 * create.as_secs_f64())
            .note(format!(
                "{} the floor of applying all again ({}); CPU {}; {}",
                ratio(took, update),
                seconds(update),
                seconds(cpu),
                audit::text(&asked)
            )),
    )
}

async fn drift(world: &mut World) -> anyhow::Result<Row> {
    let mut times = Vec::new();
    for sample in 0..7 {
        times.push(world.drift(sample * world.count / 7).await?);
    }
    times.sort_unstable();
    let worst = times.last().copied().unwrap_or_default();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    Ok(
        Row::new("B6", format!("one object of {} edited by hand", world.count * 3))
            .figure(format!(
                "undone in {} (median of 7), {} worst",
                ms(middle),
                ms(worst)
            ))
            .bar("≤ 1 s", worst <= Duration::from_secs(1)),
    )
}

/// B8 from two sizes.
pub(crate) fn growth(small: (usize, &Measured), large: (usize, &Measured)) -> Row {
    let times = large.1.install.as_secs_f64() / small.1.install.as_secs_f64();
    let factor = (large.0 as f64 / small.0 as f64) * 1.1;
    let slope = large.1.resident.saturating_sub(small.1.resident) as f64 / (large.0 - small.0) as f64;
    Row::new("B8", format!("growth from {} to {}", small.0, large.0))
        .figure(format!("time {times:.1} ×, {slope:.0} KiB a Kustomization"))
        .bar(
            &format!("time ≤ {factor:.0} ×, ≤ 60 KiB a Kustomization"),
            times <= factor && slope <= 60.0,
        )
}
