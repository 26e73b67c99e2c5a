//! B11: a process starts with everything cached.

use crate::progress::say;
use crate::report::{Row, seconds};
use crate::wishes::{handled, names};
use crate::world::World;
use std::time::{Duration, Instant};

/// B11: from the start of the process to the first answered reconcile.
pub(super) async fn restart(world: &mut World) -> anyhow::Result<Row> {
    say("B11: the controller is killed and started again");
    world.stop_controller();
    let token = "after-restart";
    world.ask(token).await?;
    let started = Instant::now();
    world.start_controller()?;
    let mut first = None;
    let done = |object: &serde_json::Value| handled(object) == Some(token);
    let all = names(world.count);
    world
        .until(crate::wishes::KUSTOMIZATIONS, Duration::from_secs(60), |object| {
            let is_done = done(object);
            first = first.or_else(|| is_done.then(|| started.elapsed()));
            is_done
        })
        .await?;
    world.all(all, done).await?;
    let first = first.unwrap_or_default();
    Ok(Row::new(
        "B11",
        format!("process start to first reconcile, {} there", world.count),
    )
    .figure(seconds(first))
    .bar("≤ 1 s", first <= Duration::from_secs(1))
    .value(first.as_secs_f64())
    .note(format!("all reconciled after {}", seconds(started.elapsed()))))
}
