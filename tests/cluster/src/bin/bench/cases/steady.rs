//! B2, B3 and B6: nothing changed in Git.

use super::{QUIET, Since};
use crate::audit;
use crate::progress::say;
use crate::report::{Row, median, ms, seconds};
use crate::world::World;
use std::time::Duration;

/// B2.
pub(super) async fn asked_again(world: &mut World) -> anyhow::Result<Row> {
    say("B2: all asked to reconcile, nothing changed");
    let since = Since::now(world).await?;
    let took = world.ask_all("bench-1").await?;
    tokio::time::sleep(QUIET).await;
    let spent = since.until_now(world).await?;
    let (status, events, dry) = (spent.status_writes(), spent.events(), spent.dry_runs());
    let other = audit::sum(&spent.asked, audit::is_write) - status - events;
    let each = spent.cpu / u32::try_from(world.count)?;
    Ok(Row::new(
        "B2",
        format!("all {} asked to reconcile, nothing changed", world.count),
    )
    .figure(format!(
        "{status} status writes, {events} events, {dry} dry runs, {} renders, {} CPU each",
        spent.renders,
        ms(each)
    ))
    .bar(
        "≤ 1 status write, ≤ 1 event, 0 dry runs, ≤ 1 ms CPU each",
        each <= Duration::from_millis(1),
    )
    .counts(status <= world.count && events <= world.count && dry == 0 && other == 0 && spent.renders == 0)
    .value(each.as_secs_f64())
    .note(format!("{}; {}", seconds(took), spent.note())))
}

/// B3.
pub(super) async fn interval_passes(world: &mut World, interval: Duration) -> anyhow::Result<Row> {
    say(&format!("B3: an interval of {} passes", seconds(interval)));
    let since = Since::now(world).await?;
    // One interval, its jitter, and a little.
    tokio::time::sleep(interval + interval / 10 + QUIET).await;
    let spent = since.until_now(world).await?;
    let requests: usize = spent.asked.values().sum();
    Ok(
        Row::new("B3", format!("an interval of all {} passes", world.count))
            .figure(format!("{requests} requests, {} renders", spent.renders))
            .bar("0 API requests, 0 renders", true)
            .counts(requests == 0 && spent.renders == 0)
            .value(spent.cpu.as_secs_f64())
            .note(spent.note()),
    )
}

/// B6.
pub(super) async fn drift(world: &mut World) -> anyhow::Result<Row> {
    say("B6: objects edited by hand");
    let mut times = Vec::new();
    for sample in 0..7 {
        times.push(world.drift(sample * world.count / 7).await?);
    }
    let (middle, worst) = median(times);
    Ok(
        Row::new("B6", format!("one object of {} edited by hand", world.count * 3))
            .figure(format!(
                "undone in {} (median of 7), {} worst",
                ms(middle),
                ms(worst)
            ))
            .bar("≤ 1 s", worst <= Duration::from_secs(1))
            .value(middle.as_secs_f64()),
    )
}
