//! B4 and B5: a commit.

use super::install::Floor;
use super::{QUIET, Since};
use crate::progress::say;
use crate::report::{Row, ratio, seconds};
use crate::wishes::names;
use crate::world::World;

/// B4.
pub(super) async fn all_directories(world: &mut World, floor: Floor) -> anyhow::Result<Row> {
    say("B4: one field changed for all");
    let revision = world.repository.change(0..world.count, "yellow")?;
    let since = Since::now(world).await?;
    let took = world.land(&revision, names(world.count)).await?;
    let spent = since.until_now(world).await?;
    let times = took.as_secs_f64() / floor.create.as_secs_f64();
    Ok(
        Row::new("B4", format!("one field changed for all {}", world.count))
            .figure(format!("{} = {} floor", seconds(took), ratio(took, floor.create)))
            .bar("≤ 3 × floor", times <= 3.0)
            .counts(spent.applied() == world.count && spent.renders == world.count)
            .value(times)
            .note(format!(
                "{} the floor of applying only what changed ({}); {}",
                ratio(took, floor.update),
                seconds(floor.update),
                spent.note()
            )),
    )
}

/// B5.
pub(super) async fn one_directory(world: &mut World) -> anyhow::Result<Row> {
    say("B5: one directory changed");
    let middle = world.count / 2;
    let revision = world.repository.change(middle..middle + 1, "red")?;
    let since = Since::now(world).await?;
    let took = world.land(&revision, names(world.count)).await?;
    tokio::time::sleep(QUIET).await;
    let spent = since.until_now(world).await?;
    let (applied, status) = (spent.applied(), spent.status_writes());
    Ok(
        Row::new("B5", format!("one directory of {} changed", world.count))
            .figure(format!(
                "{} renders, {applied} applied, {status} status writes",
                spent.renders
            ))
            .bar("1 render, 1 object applied, one status write each", true)
            .counts(applied == 1 && spent.renders == 1 && status == world.count)
            .value(took.as_secs_f64())
            .note(format!("{}; {}", seconds(took), spent.note())),
    )
}
