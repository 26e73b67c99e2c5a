//! What objects say about how they are applied: `ssa`, `reconcile` and `prune`, as label or annotation, in any case.

use super::prelude::*;

fn says(name: &str, value: &str, (place, key, word): (&str, &str, &str)) -> Value {
    let mut object = config_map(name, value);
    object["metadata"][place] = json!({ format!("kustomize.toolkit.fluxcd.io/{key}"): word });
    object
}

const MERGE: (&str, &str, &str) = ("annotations", "ssa", "Merge");
const ONCE: (&str, &str, &str) = ("labels", "ssa", "ifnotpresent");
const IGNORE: (&str, &str, &str) = ("annotations", "ssa", "Ignore");
const OFF: (&str, &str, &str) = ("labels", "reconcile", "Disabled");

pub async fn tell(world: &mut World) {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    for name in ["ignored", "off"] {
        world.put(config_map(name, "theirs")).await;
    }
    let files = |value: &str| {
        [
            ("a.json", config_map("plain", value)),
            ("b.json", says("merged", value, MERGE)),
            ("c.json", says("once", value, ONCE)),
            ("d.json", says("ignored", value, IGNORE)),
            ("e.json", says("off", value, OFF)),
        ]
    };
    world.commit("a", &files("1")).await;
    let ks = world.ready("apps", "a").await;
    let named = |name: &str| format!("{}_{name}__ConfigMap", world.namespace);
    assert_eq!(
        inventory(&ks),
        ["ignored", "merged", "off", "once", "plain"].map(named),
        "skipped ones are in it too"
    );

    // what kubectl adds goes from `plain`, and stays in `merged`; what we own is put back in both
    for name in ["plain", "merged"] {
        world
            .edit(CM, name, json!({ "data": { "key": "edited", "more": "added" } }))
            .await;
        world
            .until("the edit is undone", async || {
                (world.value(name).await? == "1").then_some(())
            })
            .await;
    }
    let more = async |name: &str| text(&world.get(CM, name).await.unwrap(), "/data/more");
    world
        .until("what was added is gone", async || {
            more("plain").await.is_none().then_some(())
        })
        .await;
    assert_eq!(more("merged").await.as_deref(), Some("added"));

    world.commit("b", &files("2")).await;
    world.ready("apps", "b").await;
    for (name, value) in [
        ("plain", "2"),
        ("merged", "2"),
        ("once", "1"),
        ("ignored", "theirs"),
        ("off", "theirs"),
    ] {
        assert_eq!(world.value(name).await.as_deref(), Some(value), "{name}");
    }

    // created once is still ours to prune; what was never ours is not
    world.commit("c", &[]).await;
    world.ready("apps", "c").await;
    for (name, stays) in [
        ("plain", false),
        ("merged", false),
        ("once", false),
        ("ignored", true),
        ("off", true),
    ] {
        assert_eq!(world.get(CM, name).await.is_some(), stays, "{name}");
    }
}
