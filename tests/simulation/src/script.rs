//! The stories of the simulation: what users do, and what must be true in the end whatever goes wrong on the way.

use crate::judge::NAMESPACE;
use serde_json::{Value, json};
use std::time::Duration;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The source has new files: the next revision, `r1`, `r2` …
    Commit(&'static str, Vec<Value>),
    /// The source goes back to this number of its revisions.
    Rewind(&'static str, u64),
    /// Somebody creates or changes an object.
    Put(Value),
    /// Flux's controller has applied these ConfigMaps for the Kustomization `apps`, at `r1`.
    Flux(Vec<Value>),
    /// A controller says how its object is: apiVersion, kind, name, status.
    Status(&'static str, &'static str, &'static str, Value),
    /// Somebody edits an object with `kubectl`: apiVersion, kind, name, merge patch.
    Edit(&'static str, &'static str, &'static str, Value),
    /// Somebody deletes an object.
    Delete(&'static str, &'static str, &'static str),
    /// Time passes.
    Wait(Duration),
    /// Until all of this is true.
    Until(Vec<Goal>),
}

/// What must come true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    /// The Kustomization is Ready at this number of its source's revisions, and has observed its generation.
    Ready(&'static str, u64),
    /// A ConfigMap has this value.
    Value(&'static str, &'static str),
    /// A ConfigMap has one of these values.
    OneOf(&'static str, Vec<&'static str>),
    /// Nobody has written to this object since Flux did: resource and name.
    AsHanded(&'static str, &'static str),
    /// There were no more events of this object.
    Told(&'static str, usize),
    /// There is no such object: resource and name.
    Absent(&'static str, &'static str),
    /// There is: resource and name.
    Present(&'static str, &'static str),
    /// Ready is False for this reason.
    Failed(&'static str, &'static str),
}

/// A story.
pub(crate) struct Script {
    pub(crate) name: &'static str,
    pub(crate) steps: Vec<Step>,
    /// Whether Deployments become ready by themselves.
    pub(crate) has_workloads: bool,
}

impl Script {
    /// What must be true in the end.
    pub(crate) fn goals(&self) -> &[Goal] {
        match self.steps.last() {
            Some(Step::Until(goals)) => goals,
            _ => &[],
        }
    }
}

const KS: &str = "kustomize.toolkit.fluxcd.io/v1";

fn cm(name: &str, value: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": { "key": value } })
}

fn ks(name: &str, spec: Value) -> Step {
    let mut object = json!({
        "apiVersion": KS, "kind": "Kustomization", "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": {
            "interval": "10m", "retryInterval": "1m", "timeout": "2m", "prune": true, "targetNamespace": NAMESPACE,
            "sourceRef": { "kind": "GitRepository", "name": "src" },
        },
    });
    sluice_object::merge(&mut object, json!({ "spec": spec }));
    Step::Put(object)
}

fn commit(files: Vec<Value>) -> Step {
    Step::Commit("src", files)
}

fn deployment(name: &str, ready: &str, label: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": { "app": label } },
            "template": {
                "metadata": { "labels": { "app": label }, "annotations": { "devcluster.sluice.dev/ready": ready } },
                "spec": { "containers": [{ "name": "main", "image": "example.com/app:1" }] },
            },
        },
    })
}

fn definition() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": { "name": "lamps.example.com" },
        "spec": {
            "group": "example.com", "scope": "Namespaced", "names": { "kind": "Lamp", "plural": "lamps", "singular": "lamp" },
            "versions": [{ "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } } }],
        },
    })
}

fn lamp(is: &str) -> Value {
    json!({ "apiVersion": "example.com/v1", "kind": "Lamp", "metadata": { "name": "desk" }, "spec": { "is": is } })
}

fn namespaced(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object
}

fn annotated(mut object: Value, key: &str, value: &str) -> Value {
    object["metadata"]["annotations"] = json!({ format!("kustomize.toolkit.fluxcd.io/{key}"): value });
    object
}

fn script(name: &'static str, steps: Vec<Step>) -> Script {
    Script {
        name,
        steps,
        has_workloads: false,
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Script> {
    let mut all = basics();
    all.extend(relations());
    all.extend(lifecycles());
    all.extend(troubles());
    all
}

const CMS: &str = "/configmaps";

/// One Kustomization, and what is done to its objects.
fn basics() -> Vec<Script> {
    use Goal::{Absent, Ready, Value as Has};
    use Step::{Delete, Edit, Until};
    vec![
        script(
            "install",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1"), cm("two", "1"), cm("three", "1")]),
                Until(vec![
                    Ready("apps", 1),
                    Has("one", "1"),
                    Has("two", "1"),
                    Has("three", "1"),
                ]),
            ],
        ),
        script(
            "upgrade",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1"), cm("two", "1")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![cm("one", "2"), cm("two", "1"), cm("three", "1")]),
                commit(vec![cm("one", "3"), cm("two", "1"), cm("three", "1")]),
                Until(vec![
                    Ready("apps", 3),
                    Has("one", "3"),
                    Has("two", "1"),
                    Has("three", "1"),
                ]),
            ],
        ),
        script(
            "prune",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1"), cm("two", "1"), cm("three", "1")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![cm("one", "1")]),
                Until(vec![
                    Ready("apps", 2),
                    Has("one", "1"),
                    Absent(CMS, "two"),
                    Absent(CMS, "three"),
                ]),
            ],
        ),
        script(
            "rename",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("old", "1"), cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![cm("new", "1"), cm("one", "1")]),
                Until(vec![Ready("apps", 2), Has("new", "1"), Absent(CMS, "old")]),
            ],
        ),
        script(
            "revert",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                commit(vec![cm("one", "2"), cm("extra", "1")]),
                Until(vec![Ready("apps", 2)]),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 3), Has("one", "1"), Absent(CMS, "extra")]),
            ],
        ),
        script(
            "drift",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1"), cm("two", "1")]),
                Until(vec![Ready("apps", 1)]),
                Edit("v1", "ConfigMap", "one", json!({ "data": { "key": "edited" } })),
                Until(vec![Has("one", "1")]),
                Delete("v1", "ConfigMap", "two"),
                Until(vec![Ready("apps", 1), Has("one", "1"), Has("two", "1")]),
            ],
        ),
        script(
            "recreated by others",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1"), cm("theirs", "1")]),
                Until(vec![Ready("apps", 1)]),
                // the same name, another UID: whoever is quicker has it, and nothing else is ever deleted
                Delete("v1", "ConfigMap", "theirs"),
                Step::Put(namespaced(cm("theirs", "foreign"), NAMESPACE)),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 2), Has("one", "1")]),
            ],
        ),
        script(
            "created once",
            vec![
                ks("apps", json!({})),
                commit(vec![
                    annotated(cm("once", "1"), "ssa", "IfNotPresent"),
                    cm("one", "1"),
                ]),
                Until(vec![Ready("apps", 1)]),
                Edit("v1", "ConfigMap", "once", json!({ "data": { "key": "mine" } })),
                commit(vec![
                    annotated(cm("once", "2"), "ssa", "IfNotPresent"),
                    cm("one", "2"),
                ]),
                Until(vec![Ready("apps", 2), Has("one", "2"), Has("once", "mine")]),
            ],
        ),
        script(
            "broken, then mended",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![cm("one", "2"), cm("Bad_Name", "1")]),
                Until(vec![
                    Goal::Failed("apps", "ReconciliationFailed"),
                    Has("one", "1"),
                ]),
                commit(vec![cm("one", "3")]),
                Until(vec![Ready("apps", 3), Has("one", "3")]),
            ],
        ),
        script(
            "forced",
            vec![
                ks("apps", json!({ "force": true })),
                commit(vec![deployment("web", "now", "a")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![deployment("web", "now", "b")]),
                Until(vec![Ready("apps", 2), Goal::Present("apps/deployments", "web")]),
            ],
        ),
    ]
}

/// A specification that waits for others, and whose objects are called as it is.
fn after(others: &[&str], who: &str) -> Value {
    let others: Vec<Value> = others.iter().map(|name| json!({ "name": name })).collect();
    json!({ "dependsOn": others, "postBuild": { "substitute": { "who": who } } })
}

/// Several Kustomizations, sources and what they read.
fn relations() -> Vec<Script> {
    use Goal::{Absent, Ready, Value as Has};
    use Step::{Delete, Put, Until};
    let account = |kind: &str, api: &str, rest: Value| {
        let mut object = json!({ "apiVersion": api, "kind": kind, "metadata": { "name": "tenant", "namespace": NAMESPACE } });
        sluice_object::merge(&mut object, rest);
        Put(object)
    };
    vec![
        script(
            "dependencies",
            vec![
                ks("third", after(&["second"], "third")),
                ks("second", after(&["first"], "second")),
                commit(vec![cm("${who}", "1")]),
                ks("first", after(&[], "first")),
                Until(vec![Ready("third", 1), Has("third", "1")]),
                commit(vec![cm("${who}", "2")]),
                Until(vec![
                    Ready("first", 2),
                    Ready("second", 2),
                    Ready("third", 2),
                    Has("first", "2"),
                    Has("third", "2"),
                ]),
            ],
        ),
        script(
            "variables",
            vec![
                Put(
                    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "vars", "namespace": NAMESPACE },
                "stringData": { "secret": crate::judge::SECRET_TEXT } }),
                ),
                Put(namespaced(cm("settings", "1"), NAMESPACE)),
                ks(
                    "apps",
                    json!({ "postBuild": { "substituteFrom": [
                { "kind": "ConfigMap", "name": "settings" }, { "kind": "Secret", "name": "vars" }] } }),
                ),
                commit(vec![
                    cm("one", "${key}"),
                    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "made" }, "stringData": { "s": "${secret}" } }),
                ]),
                Until(vec![Ready("apps", 1), Has("one", "1")]),
                Put(namespaced(cm("settings", "2"), NAMESPACE)),
                Until(vec![Has("one", "2")]),
                Put(namespaced(cm("settings", "3"), NAMESPACE)),
                Until(vec![
                    Ready("apps", 1),
                    Has("one", "3"),
                    Goal::Present("/secrets", "made"),
                ]),
            ],
        ),
        script(
            "two owners",
            vec![
                ks("first", json!({})),
                Step::Commit("src", vec![cm("shared", "1"), cm("one", "1")]),
                Until(vec![Ready("first", 1)]),
                // the object moves: the new owner relabels it before the old one prunes
                ks(
                    "second",
                    json!({ "sourceRef": { "kind": "GitRepository", "name": "other" } }),
                ),
                Step::Commit("other", vec![cm("shared", "2")]),
                Until(vec![Ready("second", 1)]),
                Step::Commit("src", vec![cm("one", "2")]),
                Until(vec![
                    Ready("first", 2),
                    Ready("second", 1),
                    Has("shared", "2"),
                    Has("one", "2"),
                ]),
            ],
        ),
        script(
            "a tenant",
            vec![
                account("ServiceAccount", "v1", json!({})),
                ks("apps", json!({ "serviceAccountName": "tenant" })),
                commit(vec![cm("tenant-one", "1"), cm("tenant-two", "1")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![cm("tenant-one", "2")]),
                Until(vec![
                    Ready("apps", 2),
                    Has("tenant-one", "2"),
                    Absent(CMS, "tenant-two"),
                ]),
                Delete("v1", "ServiceAccount", "tenant"),
                Delete(KS, "Kustomization", "apps"),
                Until(vec![
                    Absent("kustomize.toolkit.fluxcd.io/kustomizations", "apps"),
                    Has("tenant-one", "2"),
                ]),
            ],
        ),
        script(
            "namespace and content",
            vec![
                ks("apps", json!({})),
                commit(vec![
                    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } }),
                    namespaced(cm("one", "1"), "shop"),
                    cm("two", "1"),
                ]),
                Until(vec![
                    Ready("apps", 1),
                    Has("two", "1"),
                    Goal::Present("/namespaces", "shop"),
                ]),
            ],
        ),
        script(
            "definition and object",
            vec![
                ks("apps", json!({ "wait": true })),
                commit(vec![definition(), lamp("on")]),
                Until(vec![Ready("apps", 1), Goal::Present("example.com/lamps", "desk")]),
                commit(vec![definition(), lamp("off")]),
                Until(vec![Ready("apps", 2)]),
                commit(vec![cm("one", "1")]),
                Until(vec![
                    Ready("apps", 3),
                    Absent("example.com/lamps", "desk"),
                    Absent(
                        "apiextensions.k8s.io/customresourcedefinitions",
                        "lamps.example.com",
                    ),
                ]),
            ],
        ),
    ]
}

/// Health, suspension, the end of Kustomizations.
fn lifecycles() -> Vec<Script> {
    use Goal::{Absent, Ready, Value as Has};
    use Step::{Delete, Edit, Until, Wait};
    let seconds = Duration::from_secs;
    let gone = Absent("kustomize.toolkit.fluxcd.io/kustomizations", "apps");
    let with_workloads = |name, steps| Script {
        has_workloads: true,
        ..script(name, steps)
    };
    vec![
        with_workloads(
            "health",
            vec![
                ks("apps", json!({ "wait": true })),
                commit(vec![deployment("web", "20s", "web"), cm("one", "1")]),
                Until(vec![Ready("apps", 1), Has("one", "1")]),
            ],
        ),
        with_workloads(
            "superseded health",
            vec![
                ks("apps", json!({ "wait": true, "timeout": "9m" })),
                commit(vec![deployment("web", "never", "web")]),
                Wait(seconds(7)),
                commit(vec![deployment("web", "never", "web"), cm("one", "1")]),
                Wait(seconds(1)),
                commit(vec![cm("one", "2")]),
                Until(vec![
                    Ready("apps", 3),
                    Has("one", "2"),
                    Absent("apps/deployments", "web"),
                ]),
            ],
        ),
        with_workloads(
            "unhealthy, then mended",
            vec![
                ks("apps", json!({ "wait": true, "timeout": "30s" })),
                commit(vec![deployment("web", "crash", "web")]),
                Until(vec![Goal::Failed("apps", "HealthCheckFailed")]),
                commit(vec![deployment("web", "now", "web")]),
                Until(vec![Ready("apps", 2)]),
            ],
        ),
        script(
            "suspended",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                ks("apps", json!({ "suspend": true })),
                Wait(seconds(60)),
                commit(vec![cm("one", "2")]),
                ks("apps", json!({ "suspend": false })),
                Until(vec![Ready("apps", 2), Has("one", "2")]),
            ],
        ),
        script(
            "asked for",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                Edit(
                    KS,
                    "Kustomization",
                    "apps",
                    json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "1" } } }),
                ),
                Wait(seconds(1)),
                Edit(
                    KS,
                    "Kustomization",
                    "apps",
                    json!({ "metadata": { "annotations": { "reconcile.fluxcd.io/requestedAt": "2" } } }),
                ),
                Until(vec![Ready("apps", 1), Has("one", "1")]),
            ],
        ),
        script(
            "deleted",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1"), cm("two", "1")]),
                Until(vec![Ready("apps", 1)]),
                Delete(KS, "Kustomization", "apps"),
                Until(vec![gone.clone(), Absent(CMS, "one"), Absent(CMS, "two")]),
            ],
        ),
        script(
            "deleted and waited for",
            vec![
                ks("apps", json!({ "deletionPolicy": "WaitForTermination" })),
                commit(vec![
                    cm("one", "1"),
                    annotated(cm("kept", "1"), "prune", "disabled"),
                ]),
                Until(vec![Ready("apps", 1)]),
                Delete(KS, "Kustomization", "apps"),
                Until(vec![gone.clone(), Absent(CMS, "one"), Has("kept", "1")]),
            ],
        ),
        script(
            "deleted and made anew",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                Delete(KS, "Kustomization", "apps"),
                Until(vec![gone]),
                ks("apps", json!({})),
                commit(vec![cm("one", "2")]),
                Until(vec![Ready("apps", 2), Has("one", "2")]),
            ],
        ),
        script(
            "other path",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                ks("apps", json!({ "commonMetadata": { "labels": { "team": "a" } } })),
                ks("apps", json!({ "commonMetadata": { "labels": { "team": "b" } } })),
                Until(vec![Ready("apps", 1), Has("one", "1")]),
            ],
        ),
    ]
}

/// A Secret whose values sops encrypted for the key in `age.agekey`.
fn encrypted() -> Value {
    let text = include_str!("../../../host/decrypt/tests/fixtures/encrypted/secret.yaml");
    let documents = sluice_yaml::parse_documents(text, &sluice_yaml::ParseOptions::default());
    let document = documents.ok().and_then(|documents| documents.into_iter().next());
    let object =
        document.and_then(|document| sluice_yaml::to_json(&document.root, sluice_yaml::Resolver::V3).ok());
    namespaced(object.unwrap_or_default(), NAMESPACE)
}

/// The Secret that `spec.decryption` names, with this key in it.
fn key_secret(key: &str) -> Step {
    Step::Put(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "keys", "namespace": NAMESPACE },
        "stringData": { "identity.agekey": key },
    }))
}

/// What goes wrong in the world outside.
fn troubles() -> Vec<Script> {
    use Goal::{Absent, AsHanded, Failed, OneOf, Present, Ready, Told, Value as Has};
    use Step::{Delete, Edit, Flux, Put, Rewind, Status, Until, Wait};
    let second = Duration::from_secs(1);
    let edit = || Edit("v1", "ConfigMap", "one", json!({ "data": { "key": "edited" } }));
    let is_up = |is: bool| {
        let (count, condition) = (usize::from(is), if is { "True" } else { "False" });
        let status = json!({
            "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": count, "availableReplicas": count,
            "conditions": [
                { "type": "Available", "status": condition },
                { "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" },
            ],
        });
        Status("apps/v1", "Deployment", "web", status)
    };
    let mut flapping = vec![
        // that it moved is looked at when its interval is over
        ks("apps", json!({ "wait": true, "interval": "2m" })),
        commit(vec![deployment("web", "never", "web")]),
        Until(vec![Present("apps/deployments", "web")]),
    ];
    for number in 0..40 {
        flapping.extend([is_up(number % 2 == 0), Wait(second)]);
    }
    flapping.extend([is_up(true), Until(vec![Ready("apps", 1), Told("apps", 30)])]);
    let mut fought = vec![
        ks("apps", json!({})),
        commit(vec![cm("one", "1"), cm("two", "1")]),
        Until(vec![Ready("apps", 1)]),
    ];
    for _ in 0..12 {
        fought.extend([edit(), Wait(second * 5)]);
    }
    fought.push(Until(vec![
        Ready("apps", 1),
        Has("one", "1"),
        Has("two", "1"),
        Told("apps", 40),
    ]));
    let sources = "gitrepositories.source.toolkit.fluxcd.io";
    let definition = sluice_api::crd::all()
        .into_iter()
        .find(|definition| definition["metadata"]["name"] == sources);
    vec![
        // R26
        script(
            "handed over by Flux",
            vec![
                ks("apps", json!({ "suspend": true })),
                commit(vec![cm("one", "1"), cm("two", "1")]),
                Flux(vec![cm("one", "1"), cm("two", "1")]),
                ks("apps", json!({ "suspend": false })),
                Until(vec![Ready("apps", 1), AsHanded(CMS, "one"), AsHanded(CMS, "two")]),
                commit(vec![cm("one", "2")]),
                Until(vec![Ready("apps", 2), Has("one", "2"), Absent(CMS, "two")]),
            ],
        ),
        // R31
        script(
            "definition of the sources gone",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                Delete(
                    "apiextensions.k8s.io/v1",
                    "CustomResourceDefinition",
                    "gitrepositories.source.toolkit.fluxcd.io",
                ),
                Until(vec![Absent("source.toolkit.fluxcd.io/gitrepositories", "src")]),
                edit(),
                Wait(second * 90),
                Put(definition.unwrap_or_default()),
                commit(vec![cm("one", "2")]),
                Until(vec![Ready("apps", 2), Has("one", "2")]),
            ],
        ),
        // R32
        script(
            "back to an older revision",
            vec![
                ks("apps", json!({})),
                commit(vec![cm("one", "1")]),
                Until(vec![Ready("apps", 1)]),
                commit(vec![cm("one", "2"), cm("extra", "1")]),
                Until(vec![Ready("apps", 2)]),
                Rewind("src", 1),
                Until(vec![Ready("apps", 1), Has("one", "1"), Absent(CMS, "extra")]),
            ],
        ),
        // R33
        script(
            "two want it",
            vec![
                // who lost it hears of that when its interval is over
                ks("first", json!({ "interval": "2m" })),
                ks(
                    "second",
                    json!({ "interval": "2m", "sourceRef": { "kind": "GitRepository", "name": "other" } }),
                ),
                Step::Commit("src", vec![cm("one", "1"), cm("mine", "1")]),
                Step::Commit("other", vec![cm("one", "2"), cm("theirs", "1")]),
                Until(vec![Ready("first", 1), Ready("second", 1)]),
                edit(),
                Until(vec![
                    Ready("first", 1),
                    Ready("second", 1),
                    OneOf("one", vec!["1", "2"]),
                    Has("mine", "1"),
                    Has("theirs", "1"),
                ]),
            ],
        ),
        script("fought over", fought),
        // R34
        script("flapping health", flapping),
        // R36
        script(
            "keys of somebody else",
            vec![
                key_secret(include_str!("../../../host/decrypt/tests/fixtures/age.agekey")),
                ks(
                    "apps",
                    json!({ "decryption": { "provider": "sops", "secretRef": { "name": "keys" } } }),
                ),
                commit(vec![encrypted(), cm("one", "1")]),
                Until(vec![
                    Ready("apps", 1),
                    Has("one", "1"),
                    Present("/secrets", "encrypted"),
                ]),
                key_secret(include_str!("../../../host/decrypt/tests/fixtures/other.agekey")),
                commit(vec![encrypted(), cm("one", "2")]),
                Until(vec![
                    Failed("apps", "BuildFailed"),
                    Has("one", "1"),
                    Present("/secrets", "encrypted"),
                ]),
                Delete("v1", "Secret", "keys"),
                Wait(second * 90),
                key_secret(include_str!("../../../host/decrypt/tests/fixtures/age.agekey")),
                Until(vec![
                    Ready("apps", 2),
                    Has("one", "2"),
                    Present("/secrets", "encrypted"),
                ]),
            ],
        ),
    ]
}
