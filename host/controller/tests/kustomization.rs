//! Stories of a Kustomization on an API server.

use futures::future::BoxFuture;
use serde_json::json;
use sluice_api::Kustomization;
use sluice_controller::error_policy::Failure;
use sluice_controller::reconcilers::kustomization::render::build_spec;
use sluice_controller::reconcilers::kustomization::{Render, RenderRequest, Rendered};
use sluice_devcluster::DevCluster;
use sluice_testkit::world::{CM, DEPLOYMENT, Files, KS, World, condition, config_map};
use std::sync::Arc;

/// A server of its own for each story: requests can be counted, and faults harm nobody else.
async fn server() -> (DevCluster, kube::Config) {
    let config = sluice_devcluster::Config {
        audit: true,
        ..sluice_devcluster::Config::default()
    };
    let server = DevCluster::start(config).await.unwrap();
    let config = server.client_config().await.unwrap();
    (server, config)
}

macro_rules! story {
    ($name:ident, $world:ident, $body:block) => {
        story!($name, _server, $world, $body);
    };
    ($name:ident, $server:ident, $world:ident, $body:block) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let ($server, config) = server().await;
            #[allow(unused_mut)]
            let mut $world = World::connected(config).await;
            $body
            $world.stop().await;
        }
    };
}

fn data(object: Option<serde_json::Value>) -> Option<String> {
    object?.pointer("/data/key")?.as_str().map(str::to_owned)
}

story!(install_upgrade_and_prune, world, {
    world.start().await;
    world
        .kustomization("apps", json!({ "targetNamespace": world.namespace }))
        .await;
    world
        .commit(
            "a",
            &[
                ("a.json", in_ns(&world, "one", "1")),
                ("b.json", in_ns(&world, "two", "1")),
            ],
        )
        .await;
    let ks = world.ready("apps", "a").await;
    let ids: Vec<&str> = ks
        .pointer("/status/inventory/entries")
        .unwrap()
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        [
            format!("{}_one__ConfigMap", world.namespace),
            format!("{}_two__ConfigMap", world.namespace)
        ]
    );
    let one = world.get(CM, "one").await.unwrap();
    assert_eq!(
        one.pointer("/metadata/labels/kustomize.toolkit.fluxcd.io~1name")
            .unwrap(),
        "apps"
    );
    assert_eq!(
        one.pointer("/metadata/managedFields/0/manager").unwrap(),
        "kustomize-controller"
    );
    assert_eq!(
        ks.pointer("/metadata/finalizers").unwrap(),
        &json!(["finalizers.fluxcd.io"])
    );
    assert_eq!(
        ks.pointer("/status/observedGeneration"),
        ks.pointer("/metadata/generation")
    );

    world.commit("b", &[("a.json", in_ns(&world, "one", "2"))]).await;
    world.ready("apps", "b").await;
    assert_eq!(data(world.get(CM, "one").await), Some("2".into()));
    assert_eq!(world.get(CM, "two").await, None, "pruned");
});

story!(drift_is_undone, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    world
        .edit(
            CM,
            "one",
            json!({ "data": { "key": "edited", "other": "added" } }),
        )
        .await;
    world
        .until("the edit is undone", async || {
            let object = world.get(CM, "one").await?;
            (object["data"] == json!({ "key": "1" })).then_some(())
        })
        .await;
    world.delete(CM, "one").await;
    world
        .until("the object is back", async || data(world.get(CM, "one").await))
        .await;
});

story!(managers_move_to_the_desired_version_behind_a_gate, world, {
    let namespace = world.namespace.clone();
    let scaler = |version: &str, most: usize| {
        json!({
            "apiVersion": format!("autoscaling/{version}"), "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": "web", "namespace": namespace },
            "spec": {
                "maxReplicas": most,
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            },
        })
    };
    world.put(scaler("v1", 3)).await;
    world.kustomization("apps", json!({})).await;
    for (revision, most, is_open, expected) in [
        ("a", 4, false, ["autoscaling/v1", "autoscaling/v2"]),
        ("b", 5, true, ["autoscaling/v2"; 2]),
    ] {
        let gate = ("MigrateAPIVersion".to_owned(), is_open);
        world
            .start_with(|config| config.feature_gates.extend([gate]))
            .await;
        world.commit(revision, &[("a.json", scaler("v2", most))]).await;
        world.ready("apps", revision).await;
        let kind = ("autoscaling/v2", "HorizontalPodAutoscaler");
        let live = world.get(kind, "web").await.unwrap();
        assert_eq!(live["spec"]["maxReplicas"], most);
        let managers = live["metadata"]["managedFields"].as_array().unwrap();
        let mut versions: Vec<_> = managers.iter().map(|entry| &entry["apiVersion"]).collect();
        versions.sort_by_key(|version| version.as_str());
        assert_eq!(versions, expected, "{managers:?}");
    }
});

story!(managers_move_before_the_dry_run_that_needs_it, server, world, {
    let namespace = world.namespace.clone();
    let scaler = |name: &str, most: usize| {
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": name, "namespace": namespace, "annotations": { "kustomize.toolkit.fluxcd.io/ssa": "Merge" } },
            "spec": {
                "maxReplicas": most,
                "scaleTargetRef": { "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" },
            },
        })
    };
    for name in ["one", "two"] {
        let mut old = scaler(name, 3);
        old["apiVersion"] = json!("autoscaling/v1");
        world.put(old).await;
    }
    let gate = ("MigrateAPIVersion".to_owned(), true);
    world
        .start_with(|config| config.feature_gates.extend([gate]))
        .await;
    world.kustomization("apps", json!({})).await;
    let files = [("a.json", scaler("one", 4)), ("b.json", scaler("two", 4))];
    let before = server.requests().len();
    world.commit("a", &files).await;
    world.ready("apps", "a").await;
    let asked = server.requests();
    let verbs: Vec<&str> = asked[before..]
        .iter()
        .filter(|request| request.resource.starts_with("horizontalpodautoscalers") && request.name == "one")
        .map(|request| request.verb.as_str())
        .filter(|verb| ["patch", "apply"].contains(verb))
        .collect();
    assert_eq!(verbs, ["patch", "apply", "apply"], "moved, dry-run, applied");
});

story!(a_broken_build_keeps_the_last_good_state, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    world.commit("b", &[("a.json", json!("{ not json"))]).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(message.contains("a.json: yaml: line 1"), "{message}");
    let ks = world.ks("apps").await;
    assert_eq!(ks.pointer("/status/lastAppliedRevision").unwrap(), "main@sha1:a");
    assert_eq!(condition(&ks, "Reconciling").1, "ProgressingWithRetry");
    assert_eq!(data(world.get(CM, "one").await), Some("1".into()));
});

story!(who_waits_for_a_lease_is_not_ready, server, world, {
    const LEASE: (&str, &str) = ("coordination.k8s.io/v1", "Lease");
    let name = "kustomize-controller-leader-election";
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string();
    let spec = json!({ "holderIdentity": "another", "leaseDurationSeconds": 3600, "renewTime": now });
    world
        .put(json!({ "apiVersion": LEASE.0, "kind": LEASE.1, "metadata": { "name": name }, "spec": spec }))
        .await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    world
        .start_with(|config| {
            config.enable_leader_election = true;
            config.lease.retry = std::time::Duration::from_millis(50);
            config.health_addr = Some(address);
        })
        .await;
    let probe = async |path: &str| {
        let answer = reqwest::get(format!("http://{address}/{path}")).await;
        Some(answer.ok()?.status().is_success())
    };
    let mut tries = 0;
    world
        .until("it waits", async || {
            let asked = server.requests();
            tries += asked
                .iter()
                .filter(|request| request.resource.contains("lease"))
                .count();
            (tries >= 3).then_some(())
        })
        .await;
    assert_eq!(probe("healthz").await, Some(true));
    assert_eq!(probe("readyz").await, Some(false));
    world.delete(LEASE, name).await;
    world
        .until("it is ready", async || probe("readyz").await.filter(|is| *is))
        .await;
});

story!(dependencies_wake_their_dependents, world, {
    world.start().await;
    world
        .kustomization("second", json!({ "dependsOn": [{ "name": "first" }] }))
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let message = world.failed("second", "DependencyNotReady").await;
    assert!(
        message.starts_with(&format!("dependency '{}/first' not found: ", world.namespace)),
        "{message}"
    );
    world.kustomization("first", json!({})).await;
    world.ready("second", "a").await;
});

story!(who_waits_still_hears_of_what_it_reads, server, world, {
    world.start().await;
    let values = |value: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "values" }, "stringData": { "key": value } });
    world.put(values("1")).await;
    let good = || [("two.json", in_ns(&world, "two", "1"))];
    world.commit_to("other", "a", &good()).await;
    world
        .kustomization("first", json!({ "sourceRef": { "name": "other" } }))
        .await;
    let from = json!({ "substituteFrom": [{ "kind": "Secret", "name": "values" }] });
    world
        .kustomization(
            "second",
            json!({ "dependsOn": [{ "name": "first" }], "postBuild": from }),
        )
        .await;
    world
        .commit("a", &[("one.json", in_ns(&world, "one", "${key}"))])
        .await;
    world.ready("second", "a").await;
    assert_eq!(data(world.get(CM, "one").await), Some("1".into()));

    let bad = [("two.json", json!("{ not json"))];
    world.commit_to("other", "b", &bad).await;
    world.failed("first", "BuildFailed").await;
    world
        .commit("b", &[("one.json", in_ns(&world, "one", "${key}-b"))])
        .await;
    world.failed("second", "DependencyNotReady").await;
    server.requests();
    world.commit_to("other", "c", &good()).await;
    world.ready("second", "b").await;
    world.put(values("2")).await;
    world
        .until("the change is heard of", async || {
            (data(world.get(CM, "one").await)? == "2-b").then_some(())
        })
        .await;
    let asked = server.requests();
    let lists = asked
        .iter()
        .filter(|request| request.verb == "list" && request.resource == "secrets");
    assert_eq!(lists.count(), 0, "its watch has gone on");
});

story!(suspend_and_resume, world, {
    world.start().await;
    world.kustomization("apps", json!({ "suspend": true })).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world
        .until("the finalizer is there", async || {
            world.ks("apps").await.pointer("/metadata/finalizers").cloned()
        })
        .await;
    world.kustomization("apps", json!({ "suspend": false })).await;
    world.ready("apps", "a").await;
});

story!(deletion_prunes, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    world.delete(KS, "apps").await;
    world
        .until("the Kustomization is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.get(CM, "one").await, None);
});

story!(an_unreadable_object_suffers_alone, world, {
    world.start().await;
    // the schema of the CRD accepts what no clock can count
    world
        .kustomization("bad", json!({ "interval": "99999999999h" }))
        .await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    let message = world.failed("bad", "InvalidSpec").await;
    assert!(message.contains("spec.interval: "), "{message}");
    assert!(message.contains("99999999999h"), "{message}");
});

story!(a_bad_ignore_rule_writes_nothing, world, {
    world.start().await;
    let ignore = json!([{ "paths": ["/data"], "target": { "kind": "(" } }]);
    world.kustomization("apps", json!({ "ignore": ignore })).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let message = world.failed("apps", "InvalidSpec").await;
    assert!(
        message.starts_with("invalid spec.ignore[0].target.kind: "),
        "{message}"
    );
    assert_eq!(world.ks("apps").await.pointer("/status/inventory"), None);
    assert_eq!(world.get(CM, "one").await, None);
});

/// Renders as ever, but not before it is allowed to where the name says so.
struct Held(Files, tokio::sync::Semaphore);

impl Render for Held {
    fn render<'a>(&'a self, wanted: RenderRequest<'a>) -> BoxFuture<'a, Result<Rendered, Failure>> {
        Box::pin(async move {
            if wanted.ks.metadata.name.as_deref().unwrap().starts_with("busy") {
                self.1.acquire().await.unwrap().forget();
            }
            self.0.render(wanted).await
        })
    }
}

story!(an_object_made_anew_is_another_one, world, {
    let held = Arc::new(Held(Files::default(), tokio::sync::Semaphore::new(0)));
    world.renderer = Some(held.clone());
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    // while all workers are busy nobody sees that there was none for a moment
    for name in ["busy-1", "busy-2", "busy-3", "busy-4"] {
        world.kustomization(name, json!({ "path": "./nowhere" })).await;
        world
            .until("it has begun", async || {
                world.ks(name).await.pointer("/metadata/finalizers").cloned()
            })
            .await;
    }
    world
        .edit(KS, "apps", json!({ "metadata": { "finalizers": null } }))
        .await;
    world.delete(KS, "apps").await;
    world.kustomization("apps", json!({})).await;
    held.1.add_permits(1000);
    let ks = world.ready("apps", "a").await;
    assert_eq!(
        ks.pointer("/metadata/finalizers").unwrap(),
        &json!(["finalizers.fluxcd.io"])
    );
    assert_eq!(
        ks.pointer("/status/inventory/entries")
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        1
    );
});

story!(an_empty_text_is_none, world, {
    world.start().await;
    world.kustomization("first", json!({})).await;
    let source = json!({ "kind": "GitRepository", "name": "src", "namespace": "" });
    let dependency = json!({ "name": "first", "namespace": "", "readyExpr": "" });
    let spec = json!({ "sourceRef": source, "dependsOn": [dependency], "serviceAccountName": "" });
    world.kustomization("second", spec).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("second", "a").await;
});

story!(missing_variables_are_told_of_the_first_object, world, {
    world.start().await;
    let from = json!({ "substituteFrom": [{ "kind": "ConfigMap", "name": "none" }] });
    world.kustomization("apps", json!({ "postBuild": from })).await;
    world
        .commit("a", &[("a.json", in_ns(&world, "one", "${key}"))])
        .await;
    let message = world.failed("apps", "BuildFailed").await;
    assert_eq!(
        message,
        "post build failed for 'ConfigMap.v1.[noGrp]/one': substitute from 'ConfigMap/none' error: configmaps \"none\" not found"
    );
    let ks = world.ks("apps").await;
    assert_eq!(ks["status"]["lastAttemptedRevision"], "main@sha1:a");
    let (_, reason, message) = condition(&ks, "Reconciling");
    assert_eq!(reason, "ProgressingWithRetry");
    assert!(
        message.starts_with("Building manifests for revision main@sha1:a with a timeout of "),
        "{message}"
    );
    // as in Flux, building comes first
    world.commit("b", &[("a.json", json!("{ not json"))]).await;
    let broken = async || {
        let (_, _, message) = condition(&world.ks("apps").await, "Ready");
        message.starts_with("kustomize build failed: ").then_some(())
    };
    world.until("the build is told of", broken).await;
});

story!(variables_together_are_bounded, world, {
    world.start().await;
    world.put(config_map("large", &"a".repeat(900_000))).await;
    let from = vec![json!({ "kind": "ConfigMap", "name": "large" }); 20];
    world
        .kustomization("apps", json!({ "postBuild": { "substituteFrom": from } }))
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(message.contains("(variables_size_max)"), "{message}");
});

story!(patches_of_before_are_kept, world, {
    let object = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1beta2", "kind": "Kustomization", "metadata": { "name": "old" },
        "spec": {
            "interval": "1h", "prune": true, "sourceRef": { "kind": "GitRepository", "name": "src" },
            "patchesStrategicMerge": [{ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "one" }, "data": { "a": "b" } }],
            "patchesJson6902": [{
                "patch": [{ "op": "remove", "path": "/data/c" }], "target": { "kind": "ConfigMap", "name": "one" },
            }],
        },
    });
    world.put(object.clone()).await;
    let kept = world.ks("old").await;
    let ks: Kustomization = sluice_api::decode(&kept).unwrap();
    let build = serde_json::to_value(build_spec(&ks.spec)).unwrap();
    assert_eq!(
        build["patches_strategic_merge"],
        object["spec"]["patchesStrategicMerge"]
    );
    assert_eq!(build["patches_json6902"], object["spec"]["patchesJson6902"]);
});

fn in_ns(world: &World, name: &str, value: &str) -> serde_json::Value {
    let mut object = config_map(name, value);
    object["metadata"]["namespace"] = json!(world.namespace);
    object
}

/// The same first story on the real API server.
/// What a server was asked, watches and discovery aside: `verb resource`, with how often.
fn asked(server: &DevCluster) -> std::collections::BTreeMap<String, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for request in server.requests() {
        let is_noise = matches!(request.verb.as_str(), "watch" | "list")
            || request.resource.starts_with('/')
            || request.resource.contains("lease")
            || !request.user_agent.starts_with("sluice") && request.user_agent.starts_with("test");
        if !is_noise {
            let verb = if request.is_dry_run {
                format!("{} (dry run)", request.verb)
            } else {
                request.verb.clone()
            };
            *counts.entry(format!("{verb} {}", request.resource)).or_default() += 1;
        }
    }
    counts
}

/// Events are told a moment after the status that they tell of.
async fn finished(world: &World, count: usize) {
    let told = world.until("the event is there", async || {
        let events = world.events("apps").await;
        let finished = events
            .iter()
            .filter(|event| event.contains("Reconciliation finished"));
        (finished.count() == count).then_some(())
    });
    told.await;
}

story!(what_has_not_changed_costs_nothing, server, world, {
    world.start().await;
    world.kustomization("apps", json!({ "interval": "1s" })).await;
    world
        .commit(
            "a",
            &[
                ("a.json", in_ns(&world, "one", "1")),
                ("b.json", in_ns(&world, "two", "1")),
            ],
        )
        .await;
    world.ready("apps", "a").await;
    finished(&world, 1).await;
    let renders = world.files.renders();
    server.requests();
    // three intervals pass: this is the one thing only time can show
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert_eq!(asked(&server), [].into(), "an interval pass asks nothing (B3)");
    assert_eq!(world.files.renders(), renders, "and renders nothing");

    let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "now" } } });
    world.edit(KS, "apps", patch).await;
    world
        .until("the request is answered", async || {
            let ks = world.ks("apps").await;
            (ks.pointer("/status/lastHandledReconcileAt")? == "now").then_some(())
        })
        .await;
    finished(&world, 2).await;
    let ks = world.ks("apps").await;
    let total = ks.pointer("/status/history/0/totalReconciliations").unwrap();
    assert!(total.as_i64().unwrap() > 2, "the intervals are counted: {total}");
    let mut asked = asked(&server);
    asked.retain(|what, _| !what.starts_with("get"));
    let expected = [
        ("create events".to_owned(), 1),
        ("patch kustomizations.kustomize.toolkit.fluxcd.io".to_owned(), 1),
        (
            "patch kustomizations.kustomize.toolkit.fluxcd.io/status".to_owned(),
            1,
        ),
    ];
    assert_eq!(
        asked,
        expected.into(),
        "one status write and one event (B2); the first patch is the test's own"
    );
});

story!(drift_costs_a_look_and_a_write, server, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world
        .commit(
            "a",
            &[
                ("a.json", in_ns(&world, "one", "1")),
                ("b.json", in_ns(&world, "two", "1")),
            ],
        )
        .await;
    world.ready("apps", "a").await;
    use sluice_apply::cluster::{Cluster as _, Identity, Patch, PatchOptions};
    let options = PatchOptions {
        manager: "somebody",
        ..Default::default()
    };
    // not ours, and no manager whose fields Flux takes over: nothing to put back, nothing to look at
    let note = Patch::Merge(json!({ "metadata": { "annotations": { "a": "b" } } }));
    let two = world.id_of(CM, "two");
    world
        .cluster
        .patch(&Identity::AsController, &two, note, options)
        .await
        .unwrap();
    server.requests();
    let edit = Patch::Merge(json!({ "data": { "key": "edited" } }));
    let id = world.id_of(CM, "one");
    world
        .cluster
        .patch(&Identity::AsController, &id, edit, options)
        .await
        .unwrap();
    world
        .until("the edit is undone", async || {
            (data(world.get(CM, "one").await)? == "1").then_some(())
        })
        .await;
    let asked = asked(&server);
    assert_eq!(asked.get("apply configmaps"), Some(&1), "{asked:?}");
    assert_eq!(asked.get("apply (dry run) configmaps"), None, "{asked:?}");
});

story!(one_bad_object_does_not_leave_half_a_stage, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    let bad = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "Bad_Name", "namespace": world.namespace },
    });
    world
        .commit("a", &[("a.json", in_ns(&world, "one", "1")), ("b.json", bad)])
        .await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    assert!(
        message.contains("Bad_Name dry-run failed (Invalid): "),
        "{message}"
    );
    assert!(message.contains("(b.json:1)"), "{message}");
    assert_eq!(
        world.get(CM, "one").await,
        None,
        "nothing of the stage was written"
    );
    let ks = world.ks("apps").await;
    let entries = ks
        .pointer("/status/inventory/entries")
        .and_then(|entries| entries.as_array())
        .unwrap();
    assert_eq!(
        entries.len(),
        2,
        "what would have been made is in the inventory all the same"
    );
});

story!(faults_of_the_api_server_heal, server, world, {
    use sluice_devcluster::{Effect, Fault};
    world.start().await;
    for (verb, code) in [("apply", 500), ("apply", 409), ("apply", 429), ("apply", 503)] {
        server
            .faults()
            .add(Fault::once(verb, "configmaps", Effect::Answer(code)));
    }
    server
        .faults()
        .add(Fault::once("apply", "configmaps", Effect::LoseAnswer));
    server.faults().add(Fault::once(
        "patch",
        "kustomizations.kustomize.toolkit.fluxcd.io/status",
        Effect::Answer(500),
    ));
    world
        .kustomization("apps", json!({ "retryInterval": "1s" }))
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    assert_eq!(data(world.get(CM, "one").await), Some("1".into()));
});

story!(watches_that_end_are_taken_up_again, server, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    server.drop_watches(None);
    server.compact();
    world.commit("b", &[("a.json", in_ns(&world, "one", "2"))]).await;
    world.ready("apps", "b").await;
    world
        .edit(CM, "one", json!({ "data": { "key": "edited" } }))
        .await;
    world
        .until("the edit is undone", async || {
            (data(world.get(CM, "one").await)? == "2").then_some(())
        })
        .await;
});

fn deployment(world: &World, name: &str, annotations: serde_json::Value) -> serde_json::Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": world.namespace, "annotations": annotations },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": {
                "metadata": { "labels": { "app": name }, },
                "spec": { "containers": [{ "name": "main", "image": "example.com/app:1" }] },
            },
        },
    })
}

story!(health_is_awaited_by_watch, server, world, {
    world.start().await;
    world.kustomization("apps", json!({ "wait": true })).await;
    world
        .commit(
            "a",
            &[
                ("a.json", deployment(&world, "web", json!({}))),
                ("b.json", in_ns(&world, "one", "1")),
            ],
        )
        .await;
    let ks = world.ready("apps", "a").await;
    assert_eq!(condition(&ks, "Healthy").1, "Succeeded");
    server.requests();
    let patch = json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "now" } } });
    world.edit(KS, "apps", patch).await;
    world
        .until("the request is answered", async || {
            let ks = world.ks("apps").await;
            (ks.pointer("/status/lastHandledReconcileAt")? == "now").then_some(())
        })
        .await;
    // the watch of Deployments may begin only now: it is no write
    let is_read = |what: &str| ["get", "list", "watch"].iter().any(|verb| what.starts_with(verb));
    let asked = asked(&server);
    assert!(
        !asked
            .keys()
            .any(|what| what.contains("deployments") && !is_read(what)),
        "{asked:?}"
    );
});

story!(a_new_revision_supersedes_a_health_check, world, {
    world.start().await;
    world
        .kustomization("apps", json!({ "wait": true, "timeout": "10m" }))
        .await;
    let mut stuck = deployment(&world, "web", json!({ "devcluster.sluice.dev/ready": "false" }));
    world.commit("a", &[("a.json", stuck.clone())]).await;
    world
        .until("the Deployment is there", async || {
            world.get(("apps/v1", "Deployment"), "web").await
        })
        .await;
    stuck["metadata"]["annotations"] = json!({});
    world.commit("b", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "b").await;
});

story!(a_restart_finds_everything_as_it_was, server, world, {
    world.start().await;
    world.kustomization("apps", json!({})).await;
    world
        .commit(
            "a",
            &[
                ("a.json", in_ns(&world, "one", "1")),
                ("b.json", in_ns(&world, "two", "1")),
            ],
        )
        .await;
    world.ready("apps", "a").await;
    let before = world.get(CM, "one").await.unwrap();
    world.stop().await;
    world
        .edit(
            CM,
            "two",
            json!({ "data": { "key": "edited while nobody looked" } }),
        )
        .await;
    server.requests();
    world.start().await;
    world
        .until("the edit is undone", async || {
            (data(world.get(CM, "two").await)? == "1").then_some(())
        })
        .await;
    assert_eq!(
        world.get(CM, "one").await.unwrap(),
        before,
        "what had not moved was not written"
    );
});

story!(variables_come_from_config_maps_and_wake, world, {
    world.start().await;
    let mut vars = config_map("vars", "1");
    vars["metadata"]["labels"] = json!({ "reconcile.fluxcd.io/watch": "Enabled" });
    world.put(vars.clone()).await;
    world
        .kustomization(
            "apps",
            json!({ "postBuild": { "substituteFrom": [
            { "kind": "ConfigMap", "name": "vars" }, { "kind": "Secret", "name": "none", "optional": true },
        ] } }),
        )
        .await;
    world
        .commit("a", &[("a.json", in_ns(&world, "one", "${key}"))])
        .await;
    world.ready("apps", "a").await;
    assert_eq!(data(world.get(CM, "one").await), Some("1".into()));
    vars["data"]["key"] = json!("2");
    world.put(vars).await;
    world
        .until("the new value is there", async || {
            (data(world.get(CM, "one").await)? == "2").then_some(())
        })
        .await;
});

story!(tenants_act_in_their_own_name, server, world, {
    world.start().await;
    world
        .kustomization("apps", json!({ "serviceAccountName": "deployer" }))
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    let user = format!("system:serviceaccount:{}:deployer", world.namespace);
    let requests = server.requests();
    let writes: Vec<_> = requests
        .iter()
        .filter(|request| request.resource == "configmaps" && request.verb == "apply")
        .collect();
    assert!(
        !writes.is_empty() && writes.iter().all(|request| request.user == user),
        "{writes:?}"
    );
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_health_names_the_object_and_its_cause() {
    // nobody but this test says how the Deployment is
    let config = sluice_devcluster::Config {
        simulate_workloads: false,
        ..sluice_devcluster::Config::default()
    };
    let server = DevCluster::start(config).await.unwrap();
    let config = server.client_config().await.unwrap();
    let mut world = World::connected(config).await;
    world.start().await;
    world.kustomization("apps", json!({ "wait": true })).await;
    let broken = deployment(&world, "web", json!({ "devcluster.sluice.dev/ready": "false" }));
    // Flux fails a Deployment once its progress deadline is over
    world.commit("a", &[("a.json", broken)]).await;
    world
        .until("the Deployment is there", async || {
            world.get(("apps/v1", "Deployment"), "web").await
        })
        .await;
    let status = json!({ "observedGeneration": 1, "conditions": [{
        "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "no progress",
        "lastTransitionTime": "2026-01-01T00:00:00Z", "lastUpdateTime": "2026-01-01T00:00:00Z",
    }] });
    world.report(DEPLOYMENT, "web", status).await;
    let message = world.failed("apps", "HealthCheckFailed").await;
    let expected = format!(
        "failed early due to stalled resources: [Deployment/{}/web status: 'Failed']",
        world.namespace
    );
    assert!(
        message.starts_with("health check failed after ") && message.contains(&expected),
        "{message}"
    );
    let ks = world.ks("apps").await;
    assert_eq!(condition(&ks, "Healthy").1, "HealthCheckFailed");
    assert_eq!(
        ks.pointer("/status/history/0/lastReconciledStatus").unwrap(),
        "HealthCheckFailed"
    );
    world.stop().await;
}
