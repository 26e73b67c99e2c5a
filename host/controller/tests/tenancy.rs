//! Who may do what: identities, references, other clusters, large prunes.

use base64::Engine as _;
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity};
use sluice_devcluster::DevCluster;
use sluice_source::credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds};
use sluice_testkit::canned::Canned;
use sluice_testkit::world::{CM, KS, World, config_map};
use std::time::Duration;

const SECRET: (&str, &str) = ("v1", "Secret");

async fn server() -> (DevCluster, kube::Config) {
    let config = sluice_devcluster::Config {
        audit: true,
        ..sluice_devcluster::Config::default()
    };
    let server = DevCluster::start(config).await.unwrap();
    let config = server.client_config().await.unwrap();
    (server, config)
}

fn in_ns(world: &World, name: &str, value: &str) -> Value {
    let mut object = config_map(name, value);
    object["metadata"]["namespace"] = json!(world.namespace);
    object
}

fn secret(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data})
}

/// Twelve ConfigMaps, or as many as are left.
fn many(world: &World, count: usize) -> Vec<(String, Value)> {
    (0..count)
        .map(|n| (format!("c{n}.json"), in_ns(world, &format!("c{n}"), "1")))
        .collect()
}

async fn commit_many(world: &World, revision: &str, count: usize) {
    let files = many(world, count);
    let files: Vec<(&str, Value)> = files
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    world.commit(revision, &files).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_prune_is_held_until_it_is_approved() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    world.kustomization("apps", json!({})).await;
    commit_many(&world, "a", 12).await;
    world.ready("apps", "a").await;
    commit_many(&world, "b", 1).await;
    let message = world.failed("apps", "PruneHeld").await;
    assert!(
        message.starts_with("pruning 11 of 12 objects is held: ConfigMap/"),
        "{message}"
    );
    assert!(
        message.contains("sluice.dev/approve-prune=main@sha1:b"),
        "{message}"
    );
    assert!(world.get(CM, "c11").await.is_some(), "nothing was deleted");
    let entries = |ks: &Value| {
        ks.pointer("/status/inventory/entries")
            .and_then(Value::as_array)
            .map(Vec::len)
    };
    assert_eq!(
        entries(&world.ks("apps").await),
        Some(12),
        "what is held is still owned"
    );
    // the approval of another revision is none
    let approve =
        |revision: &str| json!({"metadata": {"annotations": {"sluice.dev/approve-prune": revision}}});
    world.edit(KS, "apps", approve("main@sha1:a")).await;
    world.edit(KS, "apps", approve("main@sha1:b")).await;
    let ks = world.ready("apps", "b").await;
    assert_eq!(entries(&ks), Some(1));
    assert_eq!(world.get(CM, "c11").await, None);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guard_can_be_switched_off_and_never_holds_a_deletion() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    world.kustomization("apps", json!({})).await;
    commit_many(&world, "a", 12).await;
    world.ready("apps", "a").await;
    let off = json!({"metadata": {"annotations": {"sluice.dev/prune-guard": "disabled"}}});
    world.edit(KS, "apps", off).await;
    commit_many(&world, "b", 1).await;
    world.ready("apps", "b").await;
    assert_eq!(world.get(CM, "c11").await, None);
    // for all of them
    let on = json!({"metadata": {"annotations": {"sluice.dev/prune-guard": null}}});
    world.edit(KS, "apps", on).await;
    world.start_with(|config| config.prune_guard = false).await;
    commit_many(&world, "c", 12).await;
    world.ready("apps", "c").await;
    commit_many(&world, "d", 1).await;
    world.ready("apps", "d").await;
    // with the guard on, deleting the Kustomization takes everything
    world.start().await;
    commit_many(&world, "e", 12).await;
    world.ready("apps", "e").await;
    world.delete(KS, "apps").await;
    world
        .until("everything is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(world.get(CM, "c5").await, None);
    world.stop().await;
}

/// N11: a name that is none gives nobody's rights, least of all the controller's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_odd_account_is_refused_and_never_becomes_the_controller() {
    let (server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let odd = [
        " ",
        "a b",
        "other:admin",
        "../kube-system/admin",
        "a\r\nImpersonate-Group: system:masters",
        "Admin",
        "-",
        "a..b",
        "$(touch /tmp/owned)",
        ";id",
    ];
    for (number, account) in odd.into_iter().enumerate() {
        let name = format!("odd{number}");
        world
            .kustomization(&name, json!({"serviceAccountName": account}))
            .await;
        let message = world.failed(&name, "AccessDenied").await;
        assert!(
            message.contains("is no name of a service account"),
            "{account:?}: {message}"
        );
    }
    assert_eq!(world.get(CM, "one").await, None);
    let writes = server
        .requests()
        .into_iter()
        .filter(|request| request.resource == "configmaps" && request.verb != "watch");
    assert_eq!(
        writes
            .filter(|request| request.name == "one" && request.verb != "get")
            .count(),
        0
    );
    world.stop().await;
}

/// Every read and write of a tenant's objects is in the tenant's name, a Namespace with its labels (N22) among them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_tenant_applies_is_asked_in_its_name() {
    let (server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    let tenant = format!("system:serviceaccount:{}:deployer", world.namespace);
    world
        .put(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer"}}))
        .await;
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("{}-team", world.namespace),
        "labels": {"pod-security.kubernetes.io/enforce": "privileged"}}});
    world
        .kustomization("apps", json!({"serviceAccountName": "deployer", "wait": true}))
        .await;
    world
        .commit("a", &[("a.json", in_ns(&world, "one", "1")), ("n.json", home)])
        .await;
    world.ready("apps", "a").await;
    world.commit("b", &[("a.json", in_ns(&world, "one", "2"))]).await;
    world.ready("apps", "b").await;
    let names = ["one".to_owned(), format!("{}-team", world.namespace)];
    let touched: Vec<_> = server
        .requests()
        .into_iter()
        .filter(|request| names.contains(&request.name))
        .collect();
    assert!(
        touched
            .iter()
            .any(|request| request.resource == "namespaces" && request.user == tenant)
    );
    // the test itself asks for none of them
    for request in &touched {
        assert_eq!(request.user, tenant, "{request:?}");
    }
    world.stop().await;
}

/// N17: every reference, another namespace, the flag.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn references_to_other_namespaces() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    // a neighbour has a source and secrets of the names that are asked for
    let other = format!("{}-other", world.namespace);
    world
        .put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}))
        .await;
    for object in [
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": other}, "stringData": {"value": "neighbor-canary"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": other}, "data": {"value": "neighbor-canary"}}),
    ] {
        world.put(object).await;
    }
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let source = |kind: &str| json!({"sourceRef": {"kind": kind, "name": "src", "namespace": other}});
    // what is refused with the flag, and what it says without
    let rows = [
        ("git", source("GitRepository"), "AccessDenied", "ArtifactFailed"),
        ("oci", source("OCIRepository"), "AccessDenied", "ArtifactFailed"),
        ("bucket", source("Bucket"), "AccessDenied", "ArtifactFailed"),
        (
            "external",
            source("ExternalArtifact"),
            "AccessDenied",
            "AccessDenied",
        ),
        // Flux restricts these by their shape: they name no namespace, and the neighbour's are not found
        (
            "subst-secret",
            json!({"postBuild": {"substituteFrom": [{"kind": "Secret", "name": "theirs"}]}}),
            "BuildFailed",
            "BuildFailed",
        ),
        (
            "subst-config",
            json!({"postBuild": {"substituteFrom": [{"kind": "ConfigMap", "name": "theirs"}]}}),
            "BuildFailed",
            "BuildFailed",
        ),
        (
            "decryption",
            json!({"decryption": {"provider": "sops", "secretRef": {"name": "theirs"}}}),
            "BuildFailed",
            "BuildFailed",
        ),
        (
            "kubeconfig",
            json!({"kubeConfig": {"secretRef": {"name": "theirs"}}}),
            "ReconciliationFailed",
            "ReconciliationFailed",
        ),
        (
            "kubeconfig-map",
            json!({"kubeConfig": {"configMapRef": {"name": "theirs"}}}),
            "ReconciliationFailed",
            "ReconciliationFailed",
        ),
        // dependsOn is not restricted, as in Flux
        (
            "depends",
            json!({"dependsOn": [{"name": "theirs", "namespace": other}]}),
            "DependencyNotReady",
            "DependencyNotReady",
        ),
    ];
    for is_restricted in [true, false] {
        world
            .start_with(|config| config.no_cross_namespace_refs = is_restricted)
            .await;
        for (name, spec, with, without) in &rows {
            let name = format!("{name}-{is_restricted}");
            world.kustomization(&name, spec.clone()).await;
            let expected = if is_restricted { with } else { without };
            let message = world.failed(&name, expected).await;
            if *expected == "AccessDenied" && is_restricted {
                assert!(
                    message.ends_with("cross-namespace references have been blocked"),
                    "{message}"
                );
            }
            assert!(
                !message.contains("neighbor-canary"),
                "nothing of the neighbour shows: {message}"
            );
        }
    }
    world.stop().await;
}

/// N17: nothing restricts the namespace of a health check, and so the tenant's rights do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_health_check_elsewhere_is_looked_at_as_the_tenant() {
    let (server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    let other = format!("{}-other", world.namespace);
    for object in [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "theirs", "namespace": other}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer"}}),
    ] {
        world.put(object).await;
    }
    let checks = json!([{"apiVersion": "v1", "kind": "ConfigMap", "name": "theirs", "namespace": other}]);
    let spec = json!({"serviceAccountName": "deployer", "healthChecks": checks});
    world.kustomization("apps", spec).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "a").await;
    let looks = server
        .requests()
        .into_iter()
        .filter(|request| request.name == "theirs" && request.verb == "get");
    let users: Vec<String> = looks.map(|request| request.user).collect();
    let tenant = format!("system:serviceaccount:{}:deployer", world.namespace);
    assert!(
        !users.is_empty() && users.iter().all(|user| *user == tenant),
        "{users:?}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_the_locked_profile_references_are_read_as_the_tenant_and_nobody_is_the_controller() {
    let (server, config) = server().await;
    let mut world = World::connected(config).await;
    world
        .start_with(|config| {
            config.read_references_as_tenant = true;
            config.no_cross_namespace_refs = true;
            config.default_service_account = Some("default".to_owned());
        })
        .await;
    world.put(secret("vars", json!({"who": "me"}))).await;
    world
        .kustomization(
            "apps",
            json!({"postBuild": {"substituteFrom": [{"kind": "Secret", "name": "vars"}]}}),
        )
        .await;
    world
        .commit("a", &[("a.json", in_ns(&world, "one", "${who}"))])
        .await;
    world.ready("apps", "a").await;
    let reads = server
        .requests()
        .into_iter()
        .filter(|request| request.resource == "secrets" && request.name == "vars" && request.verb == "get");
    let users: Vec<String> = reads.map(|request| request.user).collect();
    let tenant = format!("system:serviceaccount:{}:default", world.namespace);
    assert!(
        !users.is_empty() && users.iter().all(|user| *user == tenant),
        "{users:?}"
    );
    world.stop().await;
}

/// A second cluster, and the Secret with its kubeconfig in the first.
async fn elsewhere(world: &World) -> (DevCluster, World) {
    let (remote, config) = server().await;
    let there = World::connected(config).await;
    let home = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": world.namespace}});
    there.put(home).await;
    world
        .put(secret("there", json!({"value": remote.kubeconfig()})))
        .await;
    (remote, there)
}

async fn value_there(world: &World, there: &World, name: &str) -> Option<String> {
    let mut id = there.id_of(CM, name);
    id.namespace = Some(world.namespace.clone());
    let object = there.cluster.get(&Identity::AsController, &id).await.unwrap()?;
    object.pointer("/data/key")?.as_str().map(str::to_owned)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cluster_is_kept_as_this_one() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    let (remote, there) = elsewhere(&world).await;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "deployer", "namespace": world.namespace}});
    there.put(account).await;
    let spec = json!({"kubeConfig": {"secretRef": {"name": "there"}}, "serviceAccountName": "deployer", "wait": true});
    world.kustomization("apps", spec).await;
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
    assert_eq!(value_there(&world, &there, "one").await.as_deref(), Some("1"));
    assert_eq!(world.get(CM, "one").await, None, "nothing lands here");
    // in the name of the account of that cluster
    let tenant = format!("system:serviceaccount:{}:deployer", world.namespace);
    let applied = remote
        .requests()
        .into_iter()
        .filter(|request| request.verb == "apply" && request.resource == "configmaps");
    let users: Vec<String> = applied
        .map(|request| request.user)
        .filter(|user| user != "kubernetes-admin")
        .collect();
    assert!(
        !users.is_empty() && users.iter().all(|user| *user == tenant),
        "{users:?}"
    );
    // drift there is undone by a watch there
    let mut drifted = in_ns(&world, "one", "edited");
    drifted["metadata"]["labels"] = json!({"x": "y"});
    there.put(drifted).await;
    world
        .until("the edit is undone", async || {
            (value_there(&world, &there, "one").await.as_deref() == Some("1")).then_some(())
        })
        .await;
    // pruned and deleted there
    world.commit("b", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("apps", "b").await;
    assert_eq!(value_there(&world, &there, "two").await, None);
    world.delete(KS, "apps").await;
    world
        .until("it is gone", async || {
            world.get(KS, "apps").await.is_none().then_some(())
        })
        .await;
    assert_eq!(value_there(&world, &there, "one").await, None);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kubeconfig_that_asks_too_much_applies_nothing_anywhere() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    let (remote, there) = elsewhere(&world).await;
    let canary = "kubeconfig-canary-7f3a";
    let user =
        json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "args": [canary]}});
    let cluster = remote
        .kubeconfig()
        .lines()
        .find(|line| line.contains("server:"))
        .unwrap()
        .trim()
        .to_owned();
    let server_url = cluster.trim_start_matches("server: ");
    let exec = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "u"}}],
        "clusters": [{"name": "k", "cluster": {"server": server_url}}], "users": [{"name": "u", "user": user}]});
    world
        .put(secret(
            "there",
            json!({"value": "x: [", "exec": exec.to_string()}),
        ))
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let rows = [
        (
            "exec",
            json!({"name": "there", "key": "exec"}),
            "the kubeconfig field 'exec' is refused",
        ),
        (
            "broken",
            json!({"name": "there"}),
            "the kubeconfig is no YAML of a Config",
        ),
        (
            "missing-key",
            json!({"name": "there", "key": "k"}),
            "does not contain a 'k' key with a kubeconfig",
        ),
        (
            "missing",
            json!({"name": "nowhere"}),
            "unable to read KubeConfig secret",
        ),
    ];
    for (name, reference, expected) in rows {
        world
            .kustomization(name, json!({"kubeConfig": {"secretRef": reference}}))
            .await;
        let message = world.failed(name, "ReconciliationFailed").await;
        assert!(message.contains(expected), "{name}: {message}");
        assert!(!message.contains(canary), "{message}");
        let events = world
            .until("the event", async || {
                let events = world.events(name).await.join("\n");
                events.contains("failed to build kube client: ").then_some(events)
            })
            .await;
        assert!(!events.contains(canary), "{events}");
    }
    assert_eq!(world.get(CM, "one").await, None);
    assert_eq!(value_there(&world, &there, "one").await, None);
    world.stop().await;
}

async fn leads_nowhere(world: &World, name: &str, data: Option<Value>, expected: &str) {
    if let Some(data) = data {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data});
        world.put(map).await;
    }
    let spec = json!({"kubeConfig": {"configMapRef": {"name": name}}});
    world.kustomization(name, spec).await;
    let message = world.failed(name, "ReconciliationFailed").await;
    assert!(message.starts_with(expected), "{message}");
    let event = world.told(name, expected).await;
    assert_eq!(
        event,
        format!("ReconciliationFailed: failed to build kube client: {message}")
    );
}

/// Whole texts, which are Flux's; what to do follows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_config_map_that_leads_nowhere_is_told_of() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let no_map = format!(
        "failed to get configmap {}/nowhere: configmaps \"nowhere\" not found",
        world.namespace
    );
    let generic = |address: &str| json!({"provider": "generic", "address": address});
    let mut with_account = generic("one.example");
    with_account["serviceAccountName"] = json!("nobody");
    let rows = [
        ("nowhere", None, no_map.as_str()),
        (
            "other",
            Some(json!({"provider": "other"})),
            "provider 'other' not implemented; ",
        ),
        (
            "no-address",
            Some(json!({"provider": "generic"})),
            "cluster address is required to create a REST config",
        ),
        (
            "http",
            Some(generic("http://one.example")),
            "failed to parse cluster address http://one.example: the Kubernetes API server address \
             'http://one.example' must use https scheme",
        ),
        (
            "gate",
            Some(with_account.clone()),
            "failed to get access token for cluster: ObjectLevelWorkloadIdentity feature gate is not enabled; ",
        ),
    ];
    for (name, data, expected) in rows {
        leads_nowhere(&world, name, data, expected).await;
    }
    let gate = ("ObjectLevelWorkloadIdentity".to_owned(), true);
    world
        .start_with(|config| config.feature_gates.extend([gate]))
        .await;
    let nobody = format!(
        "failed to get access token for cluster: failed to get service account '{}/nobody': serviceaccounts \"nobody\" not found",
        world.namespace
    );
    leads_nowhere(&world, "nobody", Some(with_account), &nobody).await;
    assert_eq!(world.get(CM, "one").await, None);
    world.stop().await;
}

/// R13: the account by which objects were applied, or the way to their cluster, went before their Kustomization.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_can_delete_any_more_is_named_and_stays() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    let (_remote, there) = elsewhere(&world).await;
    world
        .put(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer"}}))
        .await;
    let kubeconfig = json!({"kubeConfig": {"secretRef": {"name": "there"}}});
    world
        .kustomization("here", json!({"serviceAccountName": "deployer"}))
        .await;
    world.kustomization("elsewhere", kubeconfig).await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    world.ready("here", "a").await;
    world.ready("elsewhere", "a").await;
    world.delete(("v1", "ServiceAccount"), "deployer").await;
    world.delete(SECRET, "there").await;
    for name in ["here", "elsewhere"] {
        world.delete(KS, name).await;
        world
            .until("the Kustomization is gone", async || {
                world.get(KS, name).await.is_none().then_some(())
            })
            .await;
        let event = world.told(name, "unable to prune objects").await;
        let expected = format!(": unable to prune objects: \nConfigMap/{}/one", world.namespace);
        assert!(event.ends_with(&expected), "{event}");
    }
    assert!(world.get(CM, "one").await.is_some());
    assert_eq!(value_there(&world, &there, "one").await.as_deref(), Some("1"));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_trusts_our_tokens_needs_no_kubeconfig() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    world.start().await;
    let map = |provider: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": provider},
            "data": {"provider": provider, "address": "one.example"}})
    };
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    for provider in ["aws", "azure", "gcp"] {
        let expected = format!("provider '{provider}': this process has no identity at a cloud");
        world.put(map(provider)).await;
        world
            .kustomization(
                provider,
                json!({"kubeConfig": {"configMapRef": {"name": provider}}}),
            )
            .await;
        let message = world.failed(provider, "InvalidSpec").await;
        assert!(message.contains(&expected), "{message}");
    }
    // the controller of this test is no service account, and its own credentials are lent to nobody
    world.put(map("generic")).await;
    world
        .kustomization(
            "generic",
            json!({"kubeConfig": {"configMapRef": {"name": "generic"}}}),
        )
        .await;
    let message = world.failed("generic", "ReconciliationFailed").await;
    assert!(message.contains("is no service account"), "{message}");
    assert_eq!(world.get(SECRET, "nothing").await, None);
    // and where tenants are not trusted, a token of a controller that is one is not made at all
    world
        .start_with(|config| config.read_references_as_tenant = true)
        .await;
    let spec = json!({"kubeConfig": {"configMapRef": {"name": "generic"}}, "serviceAccountName": "default"});
    world.kustomization("generic", spec).await;
    let message = world.failed("generic", "InvalidSpec").await;
    assert!(
        message
            .contains("provider 'generic': the locked profile lends the controller's own identity to nobody"),
        "{message}"
    );
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_a_cloud_is_reached_as_the_controller_or_an_account_of_the_tenant() {
    let (_server, config) = server().await;
    let mut world = World::connected(config).await;
    let (remote, there) = elsewhere(&world).await;
    let emulator = Canned::start();
    let token = json!({"access_token": remote.token(), "expires_in": 3600});
    emulator.answer(
        "GET /metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
        200,
        &token.to_string(),
    );
    let ca = base64::engine::general_purpose::STANDARD.encode(remote.certificate_authority().unwrap());
    let endpoint = remote.url.trim_start_matches("https://");
    let described = json!({"endpoint": endpoint, "masterAuth": {"clusterCaCertificate": ca}});
    let name = "projects/p/locations/l/clusters/prod";
    emulator.answer(
        &format!("GET /container.googleapis.com/v1/{name}"),
        200,
        &described.to_string(),
    );
    let endpoints = CloudEndpoints {
        emulator: Some(emulator.base().parse().unwrap()),
    };
    let hour = Duration::from_secs(3600);
    world.clouds = Some(Clouds::new(CloudEnvironment::default(), endpoints, 10, hour).unwrap());
    world.start().await;
    world
        .put(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "prod"},
            "data": {"provider": "gcp", "cluster": name}}),
        )
        .await;
    world.commit("a", &[("a.json", in_ns(&world, "one", "1"))]).await;
    let spec = json!({"kubeConfig": {"configMapRef": {"name": "prod"}}, "serviceAccountName": "default"});
    world.kustomization("prod", spec).await;
    world.ready("prod", "a").await;
    assert_eq!(value_there(&world, &there, "one").await.as_deref(), Some("1"));
    assert_eq!(world.get(CM, "one").await, None);
    // one question for the token and one for the description, however often it is reconciled
    world.commit("b", &[("a.json", in_ns(&world, "one", "2"))]).await;
    world.ready("prod", "b").await;
    assert_eq!(value_there(&world, &there, "one").await.as_deref(), Some("2"));
    assert_eq!(emulator.take_asked().len(), 2);

    world
        .start_with(|config| config.read_references_as_tenant = true)
        .await;
    world.commit("c", &[("a.json", in_ns(&world, "one", "3"))]).await;
    let message = world.failed("prod", "InvalidSpec").await;
    assert!(
        message.contains("provider 'gcp': the locked profile lends the controller's own identity to nobody"),
        "{message}"
    );
    assert_eq!(emulator.take_asked().len(), 0);

    // an account of the tenant's namespace, which Google trusts by a provider that the account names
    let provider = "projects/1/locations/global/workloadIdentityPools/pool/providers/here";
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "deployer", "annotations": {"gcp.auth.fluxcd.io/workload-identity-provider": provider}}});
    world.put(account).await;
    emulator.answer("POST /sts.googleapis.com/v1/token", 200, &token.to_string());
    world
        .start_with(|config| {
            config.read_references_as_tenant = true;
            config.default_kubeconfig_service_account = Some("deployer".to_owned());
        })
        .await;
    world.ready("prod", "c").await;
    assert_eq!(value_there(&world, &there, "one").await.as_deref(), Some("3"));
    let asked = emulator.take_asked();
    assert!(
        asked[0].target.ends_with("/sts.googleapis.com/v1/token"),
        "{asked:?}"
    );
    let audience = "audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations";
    assert!(asked[0].body.contains(audience), "{}", asked[0].body);
    world.stop().await;
}
