use crate::drift::is_drifted;
use crate::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Value, json};
use sluice_api::kustomize::{CommonMetadata, IgnoreRule, ResourceRef, Selector};
use sluice_api::meta;
use sluice_object::{Manifests, Object, ObjectId, Origin, Stage, inventory};
use std::collections::BTreeMap;

fn owner() -> Owner {
    Owner {
        name: "apps".into(),
        namespace: "flux-system".into(),
    }
}

fn object(api_version: &str, kind: &str, name: &str, rest: Value) -> Object {
    let mut value =
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": "a" } });
    sluice_object::merge(&mut value, rest);
    Object::new(value).unwrap()
}

fn id(text: &str) -> ObjectId {
    inventory::decode(text, "v1").unwrap()
}

fn prepared(objects: Vec<Object>, policy: &Policy) -> Result<Vec<StagedObjects>, PrepareError> {
    prepare(&Manifests { objects }, &owner(), policy)
}

// ---- prepare

#[test]
fn objects_are_labeled_normalized_and_staged() {
    let objects = vec![
        object(
            "apps/v1",
            "Deployment",
            "web",
            json!({ "spec": { "replicas": 0, "typo": 1,
            "template": { "spec": { "containers": [{ "name": "web", "ports": [{ "containerPort": 80 }] }] } } }, "status": { "x": 1 } }),
        ),
        object(
            "v1",
            "Secret",
            "s",
            json!({ "data": { "a": "YQ==" }, "stringData": { "a": "b", "c": "d" } }),
        ),
        object(
            "v1",
            "ConfigMapList",
            "l",
            json!({ "items": [
            { "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c", "namespace": "a" } }] }),
        ),
        object("kustomize.config.k8s.io/v1beta1", "Kustomization", "k", json!({})),
        object("storage.k8s.io/v1", "StorageClass", "fast", json!({})),
        object("v1", "Namespace", "a", json!({})),
    ];
    let policy = Policy {
        common_metadata: Some(CommonMetadata {
            labels: BTreeMap::from([
                ("team".into(), "x".into()),
                (meta::OWNER_NAME.into(), "other".into()),
            ]),
            annotations: BTreeMap::from([("note".into(), "y".into())]),
        }),
        ..Policy::default()
    };
    let stages = prepared(objects, &policy).unwrap();
    let names = |stage: &StagedObjects| {
        let names: Vec<_> = stage
            .objects
            .iter()
            .map(|object| object.id().to_string())
            .collect();
        format!("{:?}: {}", stage.stage, names.join(" "))
    };
    assert_eq!(
        stages.iter().map(names).collect::<Vec<_>>(),
        [
            "Definitions: Namespace/a/a",
            "Classes: StorageClass/a/fast",
            "Rest: ConfigMap/a/c Secret/a/s Deployment/a/web"
        ]
    );
    assert_eq!(stages[2].stage, Stage::Rest);
    let [_, secret, deployment] = stages[2].objects.as_slice() else {
        panic!()
    };
    assert_eq!(secret.body()["data"], json!({ "a": "Yg==", "c": "ZA==" }));
    let body = Value::Object(deployment.body().clone());
    assert_eq!(
        body["metadata"]["labels"],
        json!({
            "kustomize.toolkit.fluxcd.io/name": "other",
            "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            "team": "x",
        })
    );
    assert_eq!(body["metadata"]["annotations"], json!({ "note": "y" }));
    assert_eq!(body.pointer("/metadata/creationTimestamp"), Some(&Value::Null));
    assert_eq!(
        body.pointer("/spec/template/spec/containers/0/ports/0/protocol"),
        Some(&json!("TCP"))
    );
    assert_eq!((body.pointer("/spec/typo"), body.get("status")), (None, None));
}

#[test]
fn what_cannot_be_applied_is_refused_with_its_place() {
    let at = |line| {
        Some(Origin {
            path: "app/secret.yaml".into(),
            index: 0,
            line,
        })
    };
    let check = |objects: Vec<Object>, expected: Expect| {
        expected.assert_eq(&prepared(objects, &Policy::default()).unwrap_err().to_string());
    };
    let sops = object("v1", "Secret", "s", json!({ "sops": { "mac": "x" } })).with_origin(at(3));
    check(
        vec![sops],
        expect![
            "Secret/a/s is SOPS encrypted, configuring decryption is required for this secret to be reconciled (app/secret.yaml:3)"
        ],
    );
    let twice = |line| object("v1", "ConfigMap", "c", json!({})).with_origin(at(line));
    check(
        vec![twice(1), twice(9)],
        expect![
            "ConfigMap/a/c is rendered twice (app/secret.yaml:1) and (app/secret.yaml:9); rename or remove one of them"
        ],
    );
    check(
        vec![object("v1", "List", "l", json!({ "items": [{ "kind": "ConfigMap" }] })).with_origin(at(2))],
        expect![
            "failed to decode Kubernetes apiVersion, kind and name from: List/a/l: apiVersion is missing or not a string (app/secret.yaml:2)"
        ],
    );
    check(
        vec![object(
            "v1",
            "List",
            "l",
            json!({ "items": [{ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": 1 } }] }),
        )],
        expect![
            "failed to decode Kubernetes apiVersion, kind and name from: List/a/l: metadata.name is missing or not a string"
        ],
    );
    let thing = |api_version: &str| object(api_version, "Thing", "t", json!({}));
    let stages = prepared(vec![thing("acme.io/v1"), thing("acme.io/v2")], &Policy::default()).unwrap();
    let versions: Vec<_> = stages[0]
        .objects
        .iter()
        .map(|object| object.gvk().version.as_str())
        .collect();
    assert_eq!(versions, ["v2"]);
    let kept = object(
        "v1",
        "Secret",
        "s",
        json!({ "sops": {}, "metadata": { "annotations": { meta::DECRYPT: "Disabled" } } }),
    );
    assert!(prepared(vec![kept], &Policy::default()).is_ok());
}

#[test]
fn what_kubernetes_could_not_name_is_left_out_as_in_flux() {
    let rendered = [
        json!({ "kind": "ConfigMap", "metadata": { "name": "no-version" } }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": 123 } }),
        json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "generateName": "job-" } }),
        json!({ "apiVersion": "v1", "kind": "List", "items": null }),
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "a" } }),
    ];
    let objects = rendered
        .into_iter()
        .map(|value| Object::new(value).unwrap())
        .collect();
    let stages = prepared(objects, &Policy::default()).unwrap();
    let names: Vec<_> = stages[0]
        .objects
        .iter()
        .map(|object| object.id().name.as_str())
        .collect();
    assert_eq!((stages.len(), names), (1, vec!["a"]));
}

// ---- controls and comparing

fn with(key: &str, value: &str) -> Value {
    json!({ "metadata": { "annotations": { key: value } } })
}

#[test]
fn objects_say_how_they_are_applied() {
    let applied = (false, false);
    let left_alone = (true, false);
    for (desired, live, expected) in [
        (json!({}), None, applied),
        (json!({}), Some(json!({})), applied),
        (with(meta::RECONCILE, "Disabled"), None, left_alone),
        (json!({}), Some(with(meta::RECONCILE, "disabled")), left_alone),
        (with(meta::RECONCILE, "enabled"), Some(json!({})), applied),
        (with(meta::SSA, "ignore"), None, left_alone),
        (
            json!({}),
            Some(json!({ "metadata": { "labels": { meta::SSA: "Ignore" } } })),
            left_alone,
        ),
        (with(meta::SSA, "IfNotPresent"), None, (false, true)),
        (json!({}), Some(with(meta::SSA, "IfNotPresent")), applied),
        (with(meta::SSA, "Merge"), Some(json!({})), applied),
    ] {
        let text = format!("{desired} {live:?}");
        let desired = object("v1", "ConfigMap", "c", desired);
        let says = (is_left_alone(&desired, live.as_ref()), is_created_only(&desired));
        assert_eq!(says, expected, "{text}");
    }
}

fn live() -> Value {
    json!({ "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "c", "namespace": "a", "resourceVersion": "1", "labels": { "a": "1" } }, "data": { "x": "1" }, "status": { "y": 1 } })
}

#[test]
fn drift_is_what_users_wrote_down() {
    for (change, expected) in [
        (json!({}), false),
        (
            json!({ "metadata": { "resourceVersion": "2", "finalizers": ["x"], "ownerReferences": [{}], "annotations": {} } }),
            false,
        ),
        (json!({ "status": { "y": 2 } }), false),
        (json!({ "metadata": { "labels": { "a": "2" } } }), true),
        (json!({ "metadata": { "annotations": { "b": "1" } } }), true),
        (json!({ "data": { "x": "2" } }), true),
        (json!({ "immutable": true }), true),
        (json!({ "metadata": { "resourceVersion": null } }), false),
    ] {
        let mut dry_run = live();
        sluice_object::merge(&mut dry_run, change.clone());
        assert_eq!(is_drifted(&live(), &dry_run), expected, "{change}");
    }
    let mut created = live();
    created["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("resourceVersion");
    assert!(is_drifted(&live(), &created));
    let autoscaler = |metrics: Value| json!({ "kind": "HorizontalPodAutoscaler", "metadata": { "resourceVersion": "1" }, "spec": { "metrics": metrics } });
    assert!(!is_drifted(
        &autoscaler(json!([{ "a": 1 }, { "a": 1 }])),
        &autoscaler(json!([{ "a": 1 }]))
    ));
    // as many as an object can hold: each compared with all others would not come to an end
    let metrics: Vec<Value> = (0..50_000).map(|number| json!({ "a": number })).collect();
    let doubled: Vec<&Value> = metrics.iter().chain(&metrics).collect();
    assert!(!is_drifted(
        &autoscaler(json!(doubled)),
        &autoscaler(json!(metrics))
    ));
}

#[test]
fn comparing_gives_flux_words() {
    let desired = object("v1", "ConfigMap", "c", json!({ "data": { "x": "2" } }));
    let rules = IgnoreRules::default();
    let action =
        |live: Option<&Value>, dry_run: &Value, taken| compare(&desired, live, dry_run, &rules, taken).action;
    let mut changed = live();
    changed["data"]["x"] = json!("2");
    assert_eq!(action(None, &changed, false), Action::Created);
    assert_eq!(action(Some(&live()), &live(), false), Action::Unchanged);
    assert_eq!(action(Some(&live()), &live(), true), Action::Configured);
    assert_eq!(action(Some(&live()), &changed, false), Action::Configured);
}

#[test]
fn refusals_of_what_cannot_be_changed_in_place() {
    for (code, reason, message, expected) in [
        (422, "Invalid", "", true),
        (409, "Conflict", "", true),
        (400, "BadRequest", "spec.x: field is immutable", true),
        (403, "Forbidden", "changing an immutable field is denied", true),
        (403, "Forbidden", "the field is\nimmutable", true),
        (403, "Forbidden", "Immutable field", false),
        (500, "InternalError", "boom", false),
        // webhooks choose both
        (403, "Invalid", "", true),
        (400, "Conflict", "", true),
        (422, "", "", true),
        (409, "out of my hands", "", true),
        (422, "Forbidden", "", false),
        (409, "AlreadyExists", "configmaps \"c\" already exists", false),
    ] {
        assert_eq!(
            is_immutable(code, reason, message),
            expected,
            "{code} {reason} {message}"
        );
    }
}

// ---- ignore

fn rule(paths: &[&str], kind: Option<&str>) -> IgnoreRule {
    let target = kind.map(|kind| Selector {
        kind: Some(kind.into()),
        ..Selector::default()
    });
    IgnoreRule {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        target,
    }
}

#[test]
fn ignored_fields_are_left_to_their_managers() {
    let rules = IgnoreRules::compile(&[rule(&["/spec/replicas", "/spec/paused"], Some("Deploy.*"))]).unwrap();
    let live = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "w", "resourceVersion": "1", "managedFields": [
        { "manager": "scaler", "operation": "Apply", "fieldsV1": { "f:spec": { "f:replicas": {} } } }] },
        "spec": { "replicas": 5, "paused": true, "other": 1 } });
    let mut dry_run = live.clone();
    dry_run["spec"] = json!({ "replicas": 2, "paused": false, "other": 1 });
    let desired = object(
        "apps/v1",
        "Deployment",
        "w",
        json!({ "spec": { "replicas": 2, "paused": false, "other": 1 } }),
    );
    let compared = compare(&desired, Some(&live), &dry_run, &rules, false);
    assert_eq!(compared.action, Action::Unchanged, "only ignored fields drifted");
    dry_run["spec"]["other"] = json!(2);
    let compared = compare(&desired, Some(&live), &dry_run, &rules, false);
    assert_eq!(compared.action, Action::Configured);
    assert_eq!(
        compared.body.unwrap()["spec"],
        json!({ "paused": true, "other": 1 }),
        "one left to its manager, one kept as it is"
    );
    let created = compare(&desired, None, &dry_run, &rules, false);
    assert_eq!(created.body, None, "not when it is made");
}

#[test]
fn ignore_rules_select_and_collapse() {
    let paths = |rules: &[IgnoreRule]| {
        let rules = IgnoreRules::compile(rules).unwrap();
        rules
            .paths_for(&live())
            .iter()
            .map(|path| path.join("/"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        paths(&[rule(&["/a"], None), rule(&["/b"], None)]),
        "b",
        "rules without a target collapse into the last"
    );
    assert_eq!(
        paths(&[
            rule(&["/a"], Some("ConfigMap")),
            rule(&["/b"], Some("ConfigMap")),
            rule(&["/c"], None)
        ]),
        "a b c",
        "those with equal targets do not"
    );
    assert_eq!(
        paths(&[rule(&["/a"], Some("ConfigMap")), rule(&["/b"], Some("Secret"))]),
        "a"
    );
    assert_eq!(paths(&[rule(&["/a"], Some("Config"))]), "", "anchored");
    let check = |rule: IgnoreRule, expected: Expect| {
        expected.assert_eq(&IgnoreRules::compile(&[rule]).unwrap_err().to_string());
    };
    check(
        rule(&["spec/x"], None),
        expect![[
            r#"invalid spec.ignore[0].paths: invalid JSON pointer "spec/x": it must be empty or begin with "/", as /spec/replicas does"#
        ]],
    );
    let target = Selector {
        label_selector: Some("a b".into()),
        ..Selector::default()
    };
    check(
        IgnoreRule {
            paths: vec![],
            target: Some(target),
        },
        expect![[
            r#"invalid spec.ignore[0].target.labelSelector: "a b" is no condition of a selector: unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt: write app=web, app!=web, app in (a, b), app or !app"#
        ]],
    );
    assert!(IgnoreRules::compile(&[rule(&["/a"], Some("("))]).is_err());
    // a dot is any character, with an expression around it and without
    for (kind, expected) in [("Config.ap", "a"), ("Config.Map", ""), ("Conf.g(Map)?", "a")] {
        assert_eq!(paths(&[rule(&["/a"], Some(kind))]), expected, "{kind}");
    }
}

/// N14: all rules are made ready in each pass, and tried with each object.
#[test]
fn ignore_rules_are_bounded() {
    let refused = |rules: &[IgnoreRule]| IgnoreRules::compile(rules).unwrap_err().to_string();
    let kinds = |count: usize, kind: &str| -> Vec<IgnoreRule> {
        let rules = (0..count).map(|number| rule(&["/a"], Some(format!("{kind}{number}").as_str())));
        rules.collect()
    };
    assert!(IgnoreRules::compile(&kinds(500, "Kind")).is_ok());
    let many = expect![
        "invalid spec.ignore[500].paths: more than 500 rules (rules_max), or 500 paths together (paths_max): divide the objects among Kustomizations"
    ];
    many.assert_eq(&refused(&kinds(501, "Kind")));
    assert!(refused(&[rule(&["/a"; 501], None)]).contains("(paths_max)"));
    let slow = expect![
        "invalid spec.ignore[100].target: more than 100 expressions together (expressions_max): write names out, or divide the objects among Kustomizations"
    ];
    slow.assert_eq(&refused(&kinds(101, "Kind.*")));
    let refusal = refused(&[rule(&["/a"], Some("(\\w{50}){50}"))]);
    assert!(refusal.contains("size limit"), "{refusal}");
}

/// N14: what a tenant writes must not take the memory or the time of all.
#[test]
fn no_pattern_of_an_ignore_rule_takes_for_ever() {
    let mut object = live();
    object["kind"] = json!("a".repeat(30_000));
    for pattern in ["(a+)+", "(a|aa)+", "(a|a?)+", "(.*)*"] {
        for (end, expected) in [("", 1), ("b", 0)] {
            let pattern = format!("{pattern}{end}");
            let rules = IgnoreRules::compile(&[rule(&["/a"], Some(&pattern))]).unwrap();
            assert_eq!(rules.paths_for(&object).len(), expected, "{pattern}");
        }
    }
    let large = rule(&["/a"], Some("((((a{1000}){1000}){1000}){1000})"));
    let refusal = IgnoreRules::compile(&[large]).unwrap_err();
    assert_eq!(refusal.field, "target.kind");
}

// ---- takeover

#[test]
fn fields_of_earlier_tools_become_ours() {
    let entry = |manager: &str, operation: &str, field: &str| json!({ "manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": { "f:data": { field: {} } } });
    let status =
        json!({ "manager": "kubectl", "operation": "Update", "subresource": "status", "fieldsV1": {} });
    let live = json!({ "metadata": {
        "resourceVersion": "7",
        "annotations": { meta::LAST_APPLIED_CONFIGURATION: "{}", meta::LEGACY_CHECKSUM: "x", meta::FLUX1_CHECKSUM: "x", "keep": "x" },
        "labels": { meta::FLUX1_GC_MARK: "x" },
        "managedFields": [
            entry("kubectl-edit", "Update", "f:b"),
            entry("kustomize-controller", "Apply", "f:a"),
            entry("kustomize-controller", "Update", "f:e"),
            entry("hpa", "Update", "f:c"),
            entry("flux-client-side-apply", "Apply", "f:d"),
            status,
        ],
    } });
    let desired = object("v1", "ConfigMap", "c", json!({}));
    let mut ours = entry("kustomize-controller", "Apply", "f:a");
    ours["fieldsV1"]["f:data"] = json!({ "f:a": {}, "f:b": {}, "f:e": {} });
    let expected = json!([
        { "op": "remove", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration" },
        { "op": "remove", "path": "/metadata/annotations/kustomize.toolkit.fluxcd.io~1checksum" },
        { "op": "remove", "path": "/metadata/annotations/fluxcd.io~1sync-checksum" },
        { "op": "remove", "path": "/metadata/labels/fluxcd.io~1sync-gc-mark" },
        { "op": "replace", "path": "/metadata/managedFields", "value": [
            entry("hpa", "Update", "f:c"), entry("flux-client-side-apply", "Apply", "f:d"), status, ours] },
        { "op": "replace", "path": "/metadata/resourceVersion", "value": "7" },
    ]);
    assert_eq!(takeover(&desired, &live, &Takeover::default()), Some(expected));
    assert_eq!(
        takeover(
            &object("v1", "ConfigMap", "c", with(meta::SSA, "Merge")),
            &live,
            &Takeover::default()
        ),
        None
    );
    let only = |manager: &str, operation| json!({ "metadata": { "managedFields": [entry(manager, operation, "f:a")] } });
    for (manager, operation, overridden, expected) in [
        ("kustomize-controller", "Apply", "", false),
        ("before-first-apply", "Update", "", true),
        ("helm", "Update", "", false),
        ("helm", "Update", "he", true),
        ("kustomize-controller", "Apply", "kustomize", false),
    ] {
        let rules = Takeover {
            override_managers: vec![overridden.to_owned()],
            ..Takeover::default()
        };
        let patch = takeover(&desired, &only(manager, operation), &rules);
        assert_eq!(patch.is_some(), expected, "{manager} {operation} {overridden}");
    }
}

#[test]
fn managers_move_to_the_desired_version_where_that_is_asked_for() {
    let entry = |version: &str, manager: &str| json!({ "apiVersion": version, "manager": manager, "operation": "Update" });
    let live = json!({ "metadata": { "resourceVersion": "1", "managedFields": [entry("v1beta1", "hpa"), entry("v1", "kubectl")] } });
    let desired = object("v1", "ConfigMap", "c", json!({}));
    assert_eq!(migration(&desired, &live, &Takeover::default()), None);
    let rules = Takeover {
        migrates_api_version: true,
        ..Takeover::default()
    };
    let merging = object(
        "v1",
        "ConfigMap",
        "c",
        json!({ "metadata": { "annotations": { meta::SSA: "Merge" } } }),
    );
    for desired in [&desired, &merging] {
        assert_eq!(
            migration(desired, &live, &rules),
            Some(json!([
                { "op": "replace", "path": "/metadata/managedFields", "value": [entry("v1", "hpa"), entry("v1", "kubectl")] },
                { "op": "replace", "path": "/metadata/resourceVersion", "value": "1" },
            ]))
        );
    }
    let settled = json!({ "metadata": { "managedFields": [entry("v1", "hpa")] } });
    assert_eq!(migration(&desired, &settled, &rules), None);
}

#[test]
fn a_status_write_does_not_move_the_fingerprint() {
    let at = |version: &str, managers: Value, time: &str| {
        let mut object = json!({ "metadata": { "uid": "u", "generation": 1, "resourceVersion": version, "managedFields": managers }, "status": time });
        for entry in object["metadata"]["managedFields"].as_array_mut().unwrap() {
            entry["time"] = json!(time);
        }
        fingerprint_bytes(&object)
    };
    let spec =
        json!({ "manager": "kustomize-controller", "operation": "Apply", "fieldsV1": { "f:spec": {} } });
    let status =
        json!({ "manager": "kubelet", "operation": "Update", "subresource": "status", "fieldsV1": {} });
    let edit = json!({ "manager": "kubectl-edit", "operation": "Update", "fieldsV1": {} });
    assert_eq!(at("1", json!([spec]), "a"), at("2", json!([spec, status]), "b"));
    assert_ne!(at("1", json!([spec]), "a"), at("1", json!([spec, edit]), "a"));
    let plain =
        |version: &str| fingerprint_bytes(&json!({ "metadata": { "uid": "u", "resourceVersion": version } }));
    assert_ne!(
        plain("1"),
        plain("2"),
        "a kind without generations tells by its version"
    );
}

// ---- prune

fn entries_of(ids: &str) -> Vec<ResourceRef> {
    ids.split_whitespace()
        .map(|id| ResourceRef {
            id: id.into(),
            v: "v1".into(),
        })
        .collect()
}

#[test]
fn stale_is_what_is_no_longer_rendered_in_reverse_order() {
    let old = entries_of("_a__Namespace a_c__ConfigMap a_w_apps_Deployment a_s__Service");
    let mut new = entries_of("a_c__ConfigMap");
    new[0].v = "v2".into();
    let names: Vec<_> = stale(&new, &old).iter().map(ToString::to_string).collect();
    assert_eq!(names, ["Deployment/a/w", "Service/a/s", "Namespace/a"]);
    assert_eq!(union(&new, &old).len(), 4);
    assert_eq!(union(&new, &old)[0].v, "v2");
    assert_eq!(survivors(&new, [&id("a_s__Service")]).len(), 2);
    assert!(stale(&old, &old).is_empty());
    assert!(stale(&[], &entries_of("nonsense")).is_empty());
}

#[test]
fn only_owned_objects_are_pruned() {
    let live = |name: &str, annotations: Value| json!({ "metadata": { "labels": { meta::OWNER_NAME: name, meta::OWNER_NAMESPACE: "flux-system" }, "annotations": annotations } });
    for (live, expected) in [
        (live("apps", json!({})), true),
        (live("other", json!({})), false),
        (json!({ "metadata": {} }), false),
        (live("apps", json!({ meta::PRUNE: "Disabled" })), false),
        (live("apps", json!({ meta::RECONCILE: "disabled" })), false),
        (live("apps", json!({ meta::SSA: "Ignore" })), false),
        (live("apps", json!({ meta::SSA: "IfNotPresent" })), true),
    ] {
        assert_eq!(is_prunable(&live, &owner()), expected, "{live}");
    }
}

#[test]
fn the_audit_refuses_what_must_never_happen() {
    const CRD: &str =
        "_kustomizations.kustomize.toolkit.fluxcd.io_apiextensions.k8s.io_CustomResourceDefinition";
    let inventory =
        entries_of("a_c__ConfigMap _flux-system__Namespace _kube-system__Namespace _a__Namespace");
    let check = |applied: &str, deleted: &str, target: Option<&str>, expected: &[Violation]| {
        let audited = Audited {
            inventory: &inventory,
            own_namespace: "flux-system",
            target_namespace: target,
        };
        let deleted: Vec<ObjectId> = deleted.split_whitespace().map(id).collect();
        let found = audit(&entries_of(applied), &deleted, &audited);
        assert_eq!(found, expected, "{applied} {deleted:?} {target:?}");
    };
    let not_owned = |text: &str| Violation::NotOwned(id(text));
    let twice = |text: &str| Violation::Twice(id(text));
    let renamed = |from: &str| Violation::Renamed {
        from: id(from),
        to: id("_tenant__Namespace"),
    };
    check("a_other__ConfigMap", "a_c__ConfigMap _a__Namespace", None, &[]);
    check("", "a_other__ConfigMap", None, &[not_owned("a_other__ConfigMap")]);
    check(
        "a_c__ConfigMap a_c__ConfigMap",
        "",
        None,
        &[twice("a_c__ConfigMap")],
    );
    check(
        "a_c__ConfigMap",
        "a_c__ConfigMap",
        None,
        &[twice("a_c__ConfigMap")],
    );
    // a Namespace that targetNamespace renames shows as a new one in the place of the old
    let made = "_tenant__Namespace";
    check(
        made,
        "_flux-system__Namespace",
        Some("tenant"),
        &[renamed("_flux-system__Namespace")],
    );
    check(
        made,
        "_kube-system__Namespace",
        Some("tenant"),
        &[renamed("_kube-system__Namespace")],
    );
    check(made, "_a__Namespace", Some("tenant"), &[]);
    check(made, "_flux-system__Namespace", None, &[]);
    check("_a__Namespace", "_flux-system__Namespace", Some("a"), &[]);

    assert!(is_protected(&id(CRD), "flux-system"));
    assert!(is_protected(&id("_flux-system__Namespace"), "flux-system"));
    assert!(!is_protected(&id("_flux-system__Namespace"), "sluice-system"));
    assert!(!is_protected(&id("a_flux-system__ConfigMap"), "flux-system"));
    assert_eq!(spared(&[]), None);
    let text = spared(&[id("_flux-system__Namespace"), id(CRD)]).unwrap();
    assert!(
        text.starts_with(
            "refusing to delete Namespace/flux-system, CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io: \
             protected objects are never deleted; add them to the source again, or "
        ),
        "{text}"
    );
}

#[test]
fn a_job_that_asks_for_it_passes() {
    let spec = |seconds: Value| json!({ "spec": { "ttlSecondsAfterFinished": seconds } });
    for (api_version, kind, rest, expected) in [
        ("batch/v1", "Job", spec(json!(0)), true),
        ("batch/v1", "Job", spec(json!(null)), false),
        ("batch/v1", "Job", json!({}), false),
        ("example.com/v1", "Job", spec(json!(0)), false),
    ] {
        let object = object(api_version, kind, "j", rest);
        assert_eq!(is_passing(&object), expected, "{object:?}");
    }
}

#[test]
fn a_large_prune_waits_for_approval() {
    for (stale, total, approved, expected) in [
        (9, 9, None, true),
        (10, 20, None, true),
        (11, 20, None, false),
        (10, 10, None, false),
        (10, 10, Some("main@sha1:a"), true),
        (10, 10, Some("main@sha1:b"), false),
        (500, 2000, None, true),
    ] {
        let stale_ids: Vec<ObjectId> = (0..stale).map(|n| id(&format!("a_c{n}__ConfigMap"))).collect();
        assert_eq!(
            guard(&stale_ids, total, "main@sha1:a", approved).is_ok(),
            expected,
            "{stale} of {total} {approved:?}"
        );
    }
    let ids: Vec<ObjectId> = (0..22).map(|n| id(&format!("a_c{n}__ConfigMap"))).collect();
    let message = guard(&ids, 23, "main@sha1:a", None).unwrap_err().to_string();
    assert!(
        message.starts_with("pruning 22 of 23 objects is held: ConfigMap/a/c0, ConfigMap/a/c1, "),
        "{message}"
    );
    assert!(
        message.contains("ConfigMap/a/c19, and 2 more. The render lost more than half"),
        "{message}"
    );
    assert!(
        message.ends_with("sluice.dev/approve-prune=main@sha1:a, or switch the guard off with sluice.dev/prune-guard=disabled"),
        "{message}"
    );
}

// ---- diff

#[test]
fn differences_show_and_secrets_do_not() {
    let before = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s", "uid": "u", "resourceVersion": "1",
        "annotations": { meta::LAST_APPLIED_CONFIGURATION: "c2VjcmV0" } }, "data": { "same": "c2VjcmV0", "new": "c2VjcmV0", "gone": "c2VjcmV0" } });
    let mut after = before.clone();
    after["data"] = json!({ "same": "c2VjcmV0", "new": "c2VjcmV0Mg==", "more": "c2VjcmV0" });
    let text = diff("Secret/a/s", Some(&before), Some(&after));
    assert!(!text.contains("c2VjcmV0"), "{text}");
    expect![[r#"
        --- a/Secret/a/s
        +++ b/Secret/a/s
        @@ -1,7 +1,7 @@
         apiVersion: v1
         data:
        -  gone: '*****'
        -  new: '***** (before)'
        +  more: '*****'
        +  new: '***** (after)'
           same: '*****'
         kind: Secret
         metadata:
    "#]]
    .assert_eq(&text);
    assert_eq!(diff("x", Some(&before), Some(&before)), "");
    let odd = json!({ "apiVersion": "v1", "kind": "Secret", "data": "c2VjcmV0" });
    assert!(!diff("x", None, Some(&odd)).contains("c2VjcmV0"));
}

// ---- laws

fn any_object() -> impl Strategy<Value = Object> {
    let kinds = prop::sample::select(vec![
        "v1 ConfigMap",
        "v1 Namespace",
        "apps/v1 Deployment",
        "acme.io/v1 Thing",
        "acme.io/v1 FooClass",
    ]);
    (kinds, "[a-c]", 0u8..3, "[a-z]{0,3}").prop_map(|(kind, name, replicas, label)| {
        let (api_version, kind) = kind.split_once(' ').unwrap();
        object(
            api_version,
            kind,
            &name,
            json!({ "metadata": { "labels": { "l": label } }, "spec": { "replicas": replicas } }),
        )
    })
}

proptest! {
    #[test]
    fn equal_inputs_give_equal_stages_and_order_does_not_matter(objects in prop::collection::vec(any_object(), 0..12)) {
        let mut unique: BTreeMap<String, Object> = BTreeMap::new();
        objects.into_iter().for_each(|object| { unique.insert(inventory::encode(object.id()), object); });
        let forward: Vec<Object> = unique.values().cloned().collect();
        let backward: Vec<Object> = unique.values().rev().cloned().collect();
        let (a, b) = (prepared(forward, &Policy::default()).unwrap(), prepared(backward, &Policy::default()).unwrap());
        prop_assert_eq!(&a, &b);
        // what is prepared is prepared: doing it again changes nothing
        let again: Vec<Object> = a.iter().flat_map(|staged| staged.objects.clone()).collect();
        prop_assert_eq!(&prepared(again, &Policy::default()).unwrap(), &a);
        // an object that is as it should be is left as it is
        for object in a.iter().flat_map(|staged| &staged.objects) {
            let mut live = Value::Object(object.body().clone());
            live["metadata"]["resourceVersion"] = json!("1");
            let compared = compare(object, Some(&live), &live, &IgnoreRules::default(), false);
            prop_assert_eq!(compared.action, Action::Unchanged);
        }
    }

    #[test]
    fn nothing_outside_the_inventory_is_ever_stale(old in prop::collection::vec("[a-b]_[a-d]__ConfigMap", 0..8), new in prop::collection::vec("[a-b]_[a-d]__ConfigMap", 0..8)) {
        let (old, new) = (entries_of(&old.join(" ")), entries_of(&new.join(" ")));
        for id in stale(&new, &old) {
            let entry = entry(&id);
            prop_assert!(old.contains(&entry) && !new.contains(&entry));
        }
        let union = union(&new, &old);
        prop_assert!(old.iter().chain(&new).all(|entry| union.contains(entry)));
    }
}
