//! The rows of the cost table (design/engine.md section 4) that need a cluster.
//!
//! B1 to B8 and B11 share one installation of N Kustomizations; B9 and B10 have a world of their own, so have B17 and
//! B18, and so has B19.

mod commit;
mod install;
mod queue;
mod restart;
mod sources;
mod steady;

pub(crate) use install::growth;
pub(crate) use queue::measure as measure_queue;
pub(crate) use sources::measure as measure_sources;

use crate::audit;
use crate::report::{Row, ms};
use crate::world::World;
use std::path::Path;
use std::time::Duration;

/// The counter of renders, and the label of those that really ran a component.
const RENDERS: (&str, &str) = ("sluice_render_total", "=\"rendered\"");
/// How long is listened for what must not come.
const QUIET: Duration = Duration::from_secs(3);

/// Which cases are measured.
#[derive(Clone, Debug)]
pub(crate) struct Wanted(Vec<String>);

impl Wanted {
    /// All where `ids` is empty.
    pub(crate) fn new(ids: Vec<String>) -> Self {
        Self(ids)
    }

    pub(crate) fn has(&self, id: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|wanted| wanted.eq_ignore_ascii_case(id))
    }

    fn has_any(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.has(id))
    }

    /// Whether anything asks for the installation of N Kustomizations.
    pub(crate) fn needs_install(&self) -> bool {
        self.has_any(&["B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B11"])
    }

    /// Whether B9 or B10 is asked for.
    pub(crate) fn needs_queue(&self) -> bool {
        self.has_any(&["B9", "B10"])
    }

    /// Whether B17, B18 or B19 is asked for.
    pub(crate) fn needs_sources(&self) -> bool {
        self.has_any(&["B17", "B18", "B19"])
    }
}

/// What one run at one size gave.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) count: usize,
    install: Duration,
    /// Resident memory once all is quiet, KiB.
    resident: u64,
}

/// Runs the wanted cases with `count` Kustomizations whose interval is `interval`.
pub(crate) async fn measure(
    sluice: &Path,
    count: usize,
    interval: Duration,
    wanted: &Wanted,
    rows: &mut Vec<Row>,
) -> anyhow::Result<Measured> {
    let mut world = World::start(sluice, count).await?;
    let floor = install::floor(&world).await?;
    world.audit.since()?;
    let (row, took) = install::install(&mut world, interval, floor).await?;
    rows.push(row);
    settle(&mut world).await?;
    if wanted.has("B2") {
        rows.push(steady::asked_again(&mut world).await?);
    }
    if wanted.has("B3") {
        rows.push(steady::interval_passes(&mut world, interval).await?);
    }
    if wanted.has("B4") {
        rows.push(commit::all_directories(&mut world, floor).await?);
        settle(&mut world).await?;
    }
    if wanted.has("B5") {
        rows.push(commit::one_directory(&mut world).await?);
    }
    if wanted.has("B6") {
        rows.push(steady::drift(&mut world).await?);
    }
    settle(&mut world).await?;
    let (resident, peak) = world.memory()?;
    if wanted.has("B7") {
        rows.push(install::memory(count, resident, peak));
    }
    if wanted.has("B11") {
        rows.push(restart::restart(&mut world).await?);
    }
    Ok(Measured {
        count,
        install: took,
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
    anyhow::bail!("the controller does not come to rest: {}", world.last_words())
}

/// What was asked of the API server, rendered and computed since this was made.
struct Since {
    cpu: Duration,
    renders: f64,
}

/// The difference.
struct Spent {
    cpu: Duration,
    renders: usize,
    asked: audit::Counts,
}

impl Since {
    async fn now(world: &mut World) -> anyhow::Result<Self> {
        world.audit.since()?;
        Ok(Self {
            cpu: world.cpu()?,
            renders: world.metric(RENDERS.0, RENDERS.1).await?,
        })
    }

    async fn until_now(self, world: &mut World) -> anyhow::Result<Spent> {
        let renders = world.metric(RENDERS.0, RENDERS.1).await? - self.renders;
        Ok(Spent {
            cpu: world.cpu()?.saturating_sub(self.cpu),
            renders: renders as usize,
            asked: world.audit.since()?,
        })
    }
}

impl Spent {
    fn status_writes(&self) -> usize {
        audit::sum(&self.asked, |what| {
            audit::is_write(what) && what.ends_with("kustomizations/status")
        })
    }

    fn events(&self) -> usize {
        audit::sum(&self.asked, |what| {
            audit::is_write(what) && what.ends_with(" events")
        })
    }

    fn dry_runs(&self) -> usize {
        audit::sum(&self.asked, |what| what.starts_with("dry run"))
    }

    fn applied(&self) -> usize {
        audit::sum(&self.asked, |what| {
            audit::is_write(what)
                && ["configmaps", "services", "serviceaccounts"]
                    .iter()
                    .any(|kind| what.ends_with(kind))
        })
    }

    /// `CPU 3.2 ms; 1 renders; 3 patch configmaps`.
    fn note(&self) -> String {
        format!(
            "CPU {}; {} renders; {}",
            ms(self.cpu),
            self.renders,
            audit::text(&self.asked)
        )
    }
}
