//! One object in two Kustomizations: it moves from one to the other, or both want it, and then both names are told.

use super::prelude::*;

fn from(source: &str) -> Value {
    json!({ "sourceRef": { "kind": "GitRepository", "name": source } })
}

async fn is(world: &World, value: &str) {
    world
        .until(&format!("the object is {value}"), async || {
            (world.value("shared").await? == value).then_some(())
        })
        .await;
}

/// Somebody edits it, and `by` puts it back. What it tells of that ends its pass: only then may another one write.
async fn put_back(world: &World, by: &str, value: &str) {
    let told = async || {
        let events = world.events(by).await;
        events
            .iter()
            .filter(|event| event.contains("/shared configured"))
            .count()
    };
    let before = told().await;
    world
        .edit(CM, "shared", json!({ "data": { "key": "edited" } }))
        .await;
    is(world, value).await;
    world
        .until("it is told", async || (told().await > before).then_some(()))
        .await;
}

pub async fn tell(world: &mut World) {
    world.start().await;
    let (one, two) = (config_map("shared", "one"), config_map("shared", "two"));
    let own = |name: &str| ("own.json", config_map(name, "1"));
    world.kustomization("one", from("one")).await;
    world.kustomization("two", from("two")).await;
    world
        .commit_to("one", "a", &[("a.json", one.clone()), own("of-one")])
        .await;
    world.ready("one", "a").await;

    // it moves: whoever lets go of it last does not take it along
    world
        .commit_to("two", "a", &[("a.json", two.clone()), own("of-two")])
        .await;
    world.ready("two", "a").await;
    world.commit_to("one", "b", &[own("of-one")]).await;
    world.ready("one", "b").await;
    assert_eq!(world.value("shared").await.as_deref(), Some("two"));
    put_back(world, "two", "two").await;

    // both want it: who brought something new last has it, and the other says so
    world
        .commit_to("one", "c", &[("a.json", one.clone()), own("of-one")])
        .await;
    world.ready("one", "c").await;
    assert_eq!(world.value("shared").await.as_deref(), Some("one"));
    let names = [
        format!("Kustomization/{}/one", world.namespace),
        format!("Kustomization/{}/two", world.namespace),
    ];
    let [first, second] = &names;
    for (revision, another) in [("b", "of-two-b"), ("c", "of-two-c")] {
        world
            .commit_to("two", revision, &[("a.json", two.clone()), own(another)])
            .await;
        let expected = format!(
            "Applied revision: main@sha1:{revision}; ConfigMap/{}/shared is also applied by {first}",
            world.namespace
        );
        world
            .until("Ready names the other", async || {
                (condition(&world.ks("two").await, "Ready").2 == expected).then_some(())
            })
            .await;
        assert_eq!(
            world.value("shared").await.as_deref(),
            Some("one"),
            "they do not write in turns"
        );
    }
    let told = world.events("two").await;
    let told: Vec<&String> = told
        .iter()
        .filter(|event| event.starts_with("ObjectContested: "))
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains(&format!("is applied by {second} and by {first}: ")),
        "{told:?}"
    );
    put_back(world, "one", "one").await;

    // who is asked to reconcile does
    world.asked_to_reconcile("two", "mine").await;
    assert_eq!(world.value("shared").await.as_deref(), Some("two"));
    put_back(world, "two", "two").await;

    // the end of one gives it back to the other
    world.delete(KS, "two").await;
    is(world, "one").await;
    put_back(world, "one", "one").await;
}
