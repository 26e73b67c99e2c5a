//! A Job that goes away by itself when it has done its work is not missed: it counts as ready, and runs again when
//! everything is applied anew, not before.

use super::prelude::*;

const JOB: (&str, &str) = ("batch/v1", "Job");

fn job() -> Value {
    json!({
        "apiVersion": JOB.0, "kind": JOB.1, "metadata": { "name": "migrate" },
        "spec": {
            "ttlSecondsAfterFinished": 0,
            "template": { "spec": {
                "restartPolicy": "Never", "containers": [{ "name": "main", "image": "example.com/migrate:1" }],
            } },
        },
    })
}

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({ "wait": true })).await;
    let files = |value: &str| [("job.json", job()), ("map.json", config_map("one", value))];
    world.commit("a", &files("1")).await;
    passes(world).await;
    world.ready("apps", "a").await;

    // whatever else is looked at meanwhile: it is not made again
    for _ in 0..2 {
        world
            .edit(CM, "one", json!({ "data": { "key": "edited" } }))
            .await;
        world
            .until("the map is put back", async || {
                (world.value("one").await? == "1").then_some(())
            })
            .await;
    }
    assert_eq!(world.get(JOB, "migrate").await, None);

    // as in Flux, a pass that applies everything does
    let ask = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "again" } } });
    world.edit(KS, "apps", ask).await;
    passes(world).await;
    world
        .until("the request is answered", async || {
            let answered = text(&world.ks("apps").await, "/status/lastHandledReconcileAt");
            (answered? == "again").then_some(())
        })
        .await;
    world.commit("b", &files("2")).await;
    passes(world).await;
    world.ready("apps", "b").await;
}

/// The Job is there, has done its work, and is deleted as its time to live says.
async fn passes(world: &World) {
    world
        .until("the Job is made", async || {
            let job = world.get(JOB, "migrate").await?;
            job.pointer("/metadata/deletionTimestamp").is_none().then_some(())
        })
        .await;
    world.delete(JOB, "migrate").await;
    world
        .until("the Job is gone", async || {
            world.get(JOB, "migrate").await.is_none().then_some(())
        })
        .await;
}
