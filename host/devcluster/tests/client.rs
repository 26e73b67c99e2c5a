//! What a client library sees: the server driven through kube-rs.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::large_futures
)] // a test may fail loudly

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{ConfigMap, Event, Namespace, Pod, Secret};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams,
    PostParams, PropagationPolicy, WatchEvent, WatchParams,
};
use kube::runtime::wait::{await_condition, conditions};
use kube::{Client, Config as ClientConfig};
use serde_json::{Value, json};
use sluice_devcluster::{Config, DevCluster, Effect, Fault};
use std::time::Duration;

/// How long anything may take before a test is lost; nothing waits for it when all is well.
const PATIENCE: Duration = Duration::from_secs(20);

async fn start(config: Config) -> (DevCluster, Client) {
    let cluster = DevCluster::start(config).await.unwrap();
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&cluster.kubeconfig()).unwrap();
    let config = ClientConfig::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    let client = Client::try_from(config).unwrap();
    (cluster, client)
}

fn plain() -> Config {
    Config {
        tls: false,
        ..Config::default()
    }
}

fn object<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn config_map(name: &str) -> ConfigMap {
    object(json!({"metadata": {"name": name, "labels": {"app": name}}, "data": {"k": "v"}}))
}

fn workload(kind: &str, name: &str, extra: Value) -> Value {
    let mut value = json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name, "annotations": extra},
        "spec": {"selector": {"matchLabels": {"app": name}}, "serviceName": name,
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "registry.example/c:1"}]}}}});
    if kind != "StatefulSet" {
        value["spec"].as_object_mut().unwrap().remove("serviceName");
    }
    value
}

async fn soon<F: Future<Output = T>, T>(future: F) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("not within the patience of the tests")
}

#[tokio::test]
async fn objects_are_made_read_changed_and_deleted() {
    let (cluster, client) = start(Config::default()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let made = maps
        .create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap();
    assert!(made.metadata.uid.is_some() && made.metadata.resource_version.is_some());
    let twice = maps
        .create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap_err();
    let kube::Error::Api(twice) = twice else {
        panic!("an API error")
    };
    assert_eq!(
        (twice.code, twice.reason.as_str(), twice.message.as_str()),
        (409, "AlreadyExists", "configmaps \"a\" already exists")
    );
    let mut stale = made.clone();
    let patch = Patch::Merge(json!({"data": {"k": "w", "m": null}}));
    let patched = maps.patch("a", &PatchParams::default(), &patch).await.unwrap();
    assert_eq!(patched.data.unwrap()["k"], "w");
    stale.data.as_mut().unwrap().insert("x".into(), "y".into());
    let conflict = maps
        .replace("a", &PostParams::default(), &stale)
        .await
        .unwrap_err();
    assert!(conflict.to_string().contains("the object has been modified"));
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    assert!(maps.get_opt("a").await.unwrap().is_none());
    cluster.shutdown().await;
}

#[tokio::test]
async fn lists_come_in_pages_and_by_selector() {
    let (_cluster, client) = start(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    for name in ["a", "b", "c", "d", "e"] {
        maps.create(&PostParams::default(), &config_map(name))
            .await
            .unwrap();
    }
    let first = maps.list(&ListParams::default().limit(2)).await.unwrap();
    assert_eq!(first.items.len(), 2);
    assert_eq!(first.metadata.remaining_item_count, Some(3));
    // a page is of the time of the first one
    maps.delete("d", &DeleteParams::default()).await.unwrap();
    let next = maps
        .list(
            &ListParams::default()
                .limit(9)
                .continue_token(&first.metadata.continue_.unwrap()),
        )
        .await
        .unwrap();
    let names: Vec<_> = next
        .items
        .iter()
        .map(|map| map.metadata.name.clone().unwrap())
        .collect();
    assert_eq!(names, ["c", "d", "e"]);
    let chosen = maps
        .list(&ListParams::default().labels("app in (a, e),app!=e"))
        .await
        .unwrap();
    assert_eq!(chosen.items.len(), 1);
    let chosen = maps
        .list(&ListParams::default().fields("metadata.name=e"))
        .await
        .unwrap();
    assert_eq!(chosen.items.len(), 1);
    assert_eq!(
        maps.list_metadata(&ListParams::default())
            .await
            .unwrap()
            .items
            .len(),
        4
    );
}

#[tokio::test]
async fn a_watch_sees_every_change_once_and_in_order() {
    let (cluster, client) = start(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let made = maps
        .create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap();
    let version = made.metadata.resource_version.unwrap();
    maps.patch(
        "a",
        &PatchParams::default(),
        &Patch::Merge(json!({"data": {"k": "w"}})),
    )
    .await
    .unwrap();
    let events = maps.watch(&WatchParams::default(), &version).await.unwrap();
    let mut events = events.boxed();
    maps.delete("a", &DeleteParams::default()).await.unwrap();
    let first = soon(events.try_next()).await.unwrap().unwrap();
    assert!(matches!(first, WatchEvent::Modified(map) if map.data.as_ref().unwrap()["k"] == "w"));
    let second = soon(events.try_next()).await.unwrap().unwrap();
    assert!(matches!(second, WatchEvent::Deleted(_)));
    // a server that restarts ends its watches; one that forgot says so
    cluster.drop_watches(None);
    assert!(soon(events.try_next()).await.unwrap().is_none());
    cluster.compact();
    let mut events = maps
        .watch(&WatchParams::default(), &version)
        .await
        .unwrap()
        .boxed();
    let gone = soon(events.try_next()).await.unwrap().unwrap();
    assert!(matches!(gone, WatchEvent::Error(status) if status.code == 410));
}

#[tokio::test]
async fn a_streaming_list_ends_with_a_bookmark() {
    let (_cluster, client) = start(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    maps.create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap();
    let params = WatchParams::default().initial_events();
    let mut events = maps.watch(&params, "0").await.unwrap().boxed();
    assert!(matches!(
        soon(events.try_next()).await.unwrap().unwrap(),
        WatchEvent::Added(_)
    ));
    let WatchEvent::Bookmark(bookmark) = soon(events.try_next()).await.unwrap().unwrap() else {
        panic!("a bookmark ends the list")
    };
    assert_eq!(bookmark.metadata.annotations["k8s.io/initial-events-end"], "true");
}

#[tokio::test]
async fn an_apply_conflicts_and_is_forced() {
    let (_cluster, client) = start(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let body = |value: &str| {
        Patch::Apply(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": value}}),
        )
    };
    maps.patch("a", &PatchParams::apply("one"), &body("1"))
        .await
        .unwrap();
    let refused = maps
        .patch("a", &PatchParams::apply("two"), &body("2"))
        .await
        .unwrap_err();
    let kube::Error::Api(status) = refused else {
        panic!("an API error")
    };
    assert_eq!(
        status.message,
        "Apply failed with 1 conflict: conflict with \"one\": .data.k"
    );
    assert_eq!(status.details.unwrap().causes[0].field, ".data.k");
    let dry = maps
        .patch("a", &PatchParams::apply("two").force().dry_run(), &body("2"))
        .await
        .unwrap();
    assert_eq!(dry.data.unwrap()["k"], "2");
    assert_eq!(maps.get("a").await.unwrap().data.unwrap()["k"], "1");
    let before = maps.get("a").await.unwrap().metadata.resource_version;
    let same = maps
        .patch("a", &PatchParams::apply("one"), &body("1"))
        .await
        .unwrap();
    assert_eq!(
        same.metadata.resource_version, before,
        "nothing changed, so nothing is written"
    );
}

#[tokio::test]
async fn a_definition_serves_validates_defaults_and_prunes() {
    let (_cluster, client) = start(plain()).await;
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {
            "size": {"type": "integer", "maximum": 9}, "color": {"type": "string", "default": "red"}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}});
    let definition: CustomResourceDefinition = object(json!({"metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}}));
    definitions
        .create(&PostParams::default(), &definition)
        .await
        .unwrap();
    soon(await_condition(
        definitions.clone(),
        "widgets.example.com",
        conditions::is_crd_established(),
    ))
    .await
    .unwrap();
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"));
    let widgets: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
    let widget = |spec: Value| {
        object::<DynamicObject>(
            json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec}),
        )
    };
    let refused = widgets
        .create(&PostParams::default(), &widget(json!({"size": 10})))
        .await
        .unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("spec.size in body should be less than or equal to 9"),
        "{refused}"
    );
    let made = widgets
        .create(&PostParams::default(), &widget(json!({"size": 1, "unknown": 2})))
        .await
        .unwrap();
    assert_eq!(made.data["spec"], json!({"size": 1, "color": "red"}));
    assert_eq!(made.metadata.generation, Some(1));
    let status = Patch::Merge(json!({"spec": {"size": 5}, "status": {"phase": "Done"}}));
    let changed = widgets
        .patch_status("a", &PatchParams::default(), &status)
        .await
        .unwrap();
    assert_eq!(
        changed.data,
        json!({"spec": {"size": 1, "color": "red"}, "status": {"phase": "Done"}})
    );
    assert_eq!(changed.metadata.generation, Some(1));
    let discovery = kube::discovery::Discovery::new(client)
        .run_aggregated()
        .await
        .unwrap();
    assert!(
        discovery
            .resolve_gvk(&GroupVersionKind::gvk("example.com", "v1", "Widget"))
            .is_some()
    );
    assert!(
        discovery
            .resolve_gvk(&GroupVersionKind::gvk("apps", "v1", "Deployment"))
            .is_some()
    );
    // the definition takes its objects along
    definitions
        .delete("widgets.example.com", &DeleteParams::default())
        .await
        .unwrap();
    let uid = definitions
        .get_opt("widgets.example.com")
        .await
        .unwrap()
        .and_then(|found| found.metadata.uid);
    if let Some(uid) = uid {
        soon(await_condition(
            definitions,
            "widgets.example.com",
            conditions::is_deleted(&uid),
        ))
        .await
        .unwrap();
    }
    assert!(widgets.get("a").await.is_err());
}

#[tokio::test]
async fn a_namespace_takes_its_content_along() {
    let (_cluster, client) = start(plain()).await;
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let made = namespaces
        .create(
            &PostParams::default(),
            &object(json!({"metadata": {"name": "n"}})),
        )
        .await
        .unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(client, "n");
    maps.create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap();
    namespaces.delete("n", &DeleteParams::default()).await.unwrap();
    soon(await_condition(
        namespaces,
        "n",
        conditions::is_deleted(&made.metadata.uid.unwrap()),
    ))
    .await
    .unwrap();
    let refused = maps
        .create(&PostParams::default(), &config_map("b"))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("namespaces \"n\" not found"));
}

#[tokio::test]
async fn dependents_follow_their_owner_or_are_orphaned() {
    let (_cluster, client) = start(plain()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let own = |name: &str, owner: &ConfigMap| {
        let mut map = config_map(name);
        map.metadata.owner_references = Some(vec![object(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "name": owner.metadata.name, "uid": owner.metadata.uid, "blockOwnerDeletion": true}))]);
        map
    };
    for (policy, survives) in [
        (PropagationPolicy::Background, false),
        (PropagationPolicy::Foreground, false),
        (PropagationPolicy::Orphan, true),
    ] {
        let owner = maps
            .create(&PostParams::default(), &config_map("owner"))
            .await
            .unwrap();
        let dependent = maps
            .create(&PostParams::default(), &own("dependent", &owner))
            .await
            .unwrap();
        let params = DeleteParams {
            propagation_policy: Some(policy),
            ..DeleteParams::default()
        };
        maps.delete("owner", &params).await.unwrap();
        soon(await_condition(
            maps.clone(),
            "owner",
            conditions::is_deleted(&owner.metadata.uid.unwrap()),
        ))
        .await
        .unwrap();
        if survives {
            assert!(
                maps.get("dependent")
                    .await
                    .unwrap()
                    .metadata
                    .owner_references
                    .is_none()
            );
        } else {
            soon(await_condition(
                maps.clone(),
                "dependent",
                conditions::is_deleted(&dependent.metadata.uid.unwrap()),
            ))
            .await
            .unwrap();
        }
    }
}

#[tokio::test]
async fn workloads_become_ready() {
    let (_cluster, client) = start(plain()).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    deployments
        .create(
            &PostParams::default(),
            &object(workload("Deployment", "web", json!({}))),
        )
        .await
        .unwrap();
    soon(await_condition(
        deployments.clone(),
        "web",
        conditions::is_deployment_completed(),
    ))
    .await
    .unwrap();
    let patch = Patch::Strategic(
        json!({"spec": {"replicas": 2, "template": {"spec": {"containers": [{"name": "c", "image": "registry.example/c:2"}]}}}}),
    );
    deployments
        .patch("web", &PatchParams::default(), &patch)
        .await
        .unwrap();
    let rolled = |found: Option<&Deployment>| {
        found
            .and_then(|found| found.status.as_ref())
            .is_some_and(|status| {
                status.updated_replicas == Some(2)
                    && status.available_replicas == Some(2)
                    && status.replicas == Some(2)
            })
    };
    soon(await_condition(deployments, "web", rolled)).await.unwrap();
    let sets: Api<StatefulSet> = Api::namespaced(client.clone(), "default");
    sets.create(
        &PostParams::default(),
        &object(workload("StatefulSet", "db", json!({}))),
    )
    .await
    .unwrap();
    let ready = |found: Option<&StatefulSet>| {
        found
            .and_then(|found| found.status.as_ref())
            .is_some_and(|status| status.ready_replicas == Some(1))
    };
    soon(await_condition(sets, "db", ready)).await.unwrap();
    let daemons: Api<DaemonSet> = Api::namespaced(client.clone(), "default");
    daemons
        .create(
            &PostParams::default(),
            &object(workload("DaemonSet", "agent", json!({}))),
        )
        .await
        .unwrap();
    let ready = |found: Option<&DaemonSet>| {
        found
            .and_then(|found| found.status.as_ref())
            .is_some_and(|status| status.number_ready == 1)
    };
    soon(await_condition(daemons, "agent", ready)).await.unwrap();
    let jobs: Api<Job> = Api::namespaced(client, "default");
    let job = json!({"metadata": {"name": "once"}, "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "c"}]}}}});
    jobs.create(&PostParams::default(), &object(job)).await.unwrap();
    soon(await_condition(jobs, "once", conditions::is_job_completed()))
        .await
        .unwrap();
}

#[tokio::test]
async fn workloads_fail_on_request() {
    let (_cluster, client) = start(plain()).await;
    let deployments: Api<Deployment> = Api::namespaced(client.clone(), "default");
    let pods: Api<Pod> = Api::namespaced(client.clone(), "default");
    let events: Api<Event> = Api::namespaced(client, "default");
    for (fate, reason) in [("image-pull", "ImagePullBackOff"), ("crash", "CrashLoopBackOff")] {
        let annotations = json!({"devcluster.sluice.dev/ready": fate});
        deployments
            .create(
                &PostParams::default(),
                &object(workload("Deployment", fate, annotations)),
            )
            .await
            .unwrap();
        let waiting = |found: Option<&Deployment>| {
            found
                .and_then(|found| found.status.as_ref())
                .is_some_and(|status| status.unavailable_replicas == Some(1) && status.replicas == Some(1))
        };
        soon(await_condition(deployments.clone(), fate, waiting))
            .await
            .unwrap();
        let params = ListParams::default().labels(&format!("app={fate}"));
        let mut found = pods.list(&params).await.unwrap().items;
        let name = found.remove(0).metadata.name.unwrap();
        let stuck = move |found: Option<&Pod>| {
            let status = found
                .and_then(|found| found.status.as_ref())
                .and_then(|status| status.container_statuses.as_ref());
            let waiting =
                status.and_then(|statuses| statuses[0].state.as_ref()?.waiting.as_ref()?.reason.clone());
            waiting.as_deref() == Some(reason)
        };
        soon(await_condition(pods.clone(), &name, stuck)).await.unwrap();
    }
    let reasons = events.list(&ListParams::default()).await.unwrap();
    assert!(
        reasons
            .items
            .iter()
            .any(|event| event.reason.as_deref() == Some("BackOff"))
    );
}

#[tokio::test]
async fn faults_strike_and_requests_are_counted() {
    let (cluster, client) = start(Config {
        audit: true,
        ..plain()
    })
    .await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    cluster
        .faults()
        .add(Fault::once("create", "configmaps", Effect::Answer(500)));
    assert!(
        maps.create(&PostParams::default(), &config_map("a"))
            .await
            .is_err()
    );
    maps.create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap();
    cluster
        .faults()
        .add(Fault::once("patch", "configmaps", Effect::Answer(409)));
    let patch = Patch::Merge(json!({"data": {"k": "w"}}));
    let refused = maps
        .patch("a", &PatchParams::default(), &patch)
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("the object has been modified"));
    cluster
        .faults()
        .add(Fault::once("", "configmaps", Effect::LoseAnswer));
    assert!(maps.get("a").await.is_err());
    let seen: Vec<_> = cluster
        .requests()
        .into_iter()
        .map(|request| (request.verb, request.resource, request.code))
        .collect();
    let row = |verb: &str, code| (verb.to_owned(), "configmaps".to_owned(), code);
    assert_eq!(
        seen,
        [
            row("create", 500),
            row("create", 201),
            row("patch", 409),
            row("get", 200)
        ]
    );
}

#[tokio::test]
async fn roles_decide_where_they_are_asked() {
    let (cluster, client) = start(Config {
        authorization: sluice_devcluster::Authorization::Rbac,
        ..plain()
    })
    .await;
    let roles = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"]}]});
    let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "app", "namespace": "default"}]});
    for (kind, body) in [("Role", roles), ("RoleBinding", binding)] {
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("rbac.authorization.k8s.io", "v1", kind));
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
        api.create(&PostParams::default(), &object(body)).await.unwrap();
    }
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&cluster.kubeconfig()).unwrap();
    let mut config = ClientConfig::from_custom_kubeconfig(kubeconfig, &Default::default())
        .await
        .unwrap();
    config.auth_info.impersonate = Some("system:serviceaccount:default:app".to_owned());
    let limited = Client::try_from(config).unwrap();
    let maps: Api<ConfigMap> = Api::namespaced(limited.clone(), "default");
    maps.list(&ListParams::default()).await.unwrap();
    let refused = maps
        .create(&PostParams::default(), &config_map("a"))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("configmaps is forbidden: User \"system:serviceaccount:default:app\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"default\""), "{refused}");
    let secrets: Api<Secret> = Api::namespaced(limited, "default");
    assert!(secrets.list(&ListParams::default()).await.is_err());
}

#[tokio::test]
async fn a_request_without_the_token_is_refused() {
    let (cluster, _client) = start(plain()).await;
    let config = ClientConfig::new(cluster.url.parse().unwrap());
    let maps: Api<ConfigMap> = Api::namespaced(Client::try_from(config).unwrap(), "default");
    let refused = maps.list(&ListParams::default()).await.unwrap_err();
    assert!(refused.to_string().contains("Unauthorized"), "{refused}");
}

#[tokio::test]
async fn state_survives_a_restart_and_a_torn_line() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config {
        data_dir: Some(folder.path().to_owned()),
        ..plain()
    };
    let (cluster, client) = start(config()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    let made = maps
        .create(&PostParams::default(), &config_map("kept"))
        .await
        .unwrap();
    maps.create(&PostParams::default(), &config_map("gone"))
        .await
        .unwrap();
    maps.delete("gone", &DeleteParams::default()).await.unwrap();
    let revision = cluster.revision();
    cluster.shutdown().await;
    let log = folder.path().join("changes.jsonl");
    let mut text = std::fs::read(&log).unwrap();
    // within an `é`
    text.extend_from_slice(b"{\"rv\":9999,\"table\":\"/configmaps\",\"put\":{\"data\":{\"k\":\"\xc3");
    std::fs::write(&log, text).unwrap();
    let (cluster, client) = start(config()).await;
    let maps: Api<ConfigMap> = Api::namespaced(client, "default");
    assert_eq!(maps.get("kept").await.unwrap().metadata.uid, made.metadata.uid);
    assert!(maps.get_opt("gone").await.unwrap().is_none());
    assert!(cluster.revision() >= revision, "versions never go back");
    // what happened meanwhile is not known any more: whoever followed must list again
    let version = made.metadata.resource_version.unwrap();
    let events = maps.watch(&WatchParams::default(), &version).await.unwrap();
    let mut events = events.boxed();
    let gone = soon(events.try_next()).await.unwrap().unwrap();
    assert!(matches!(gone, WatchEvent::Error(status) if status.code == 410));
}
