//! `sluice logs`, of an API server whose Pods have something to say.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::SLUICE;
use serde_json::{Value, json};
use sluice_testkit::canned::Canned;
use std::process::Command;

const PODS: &str = "GET /api/v1/namespaces/flux-system/pods";

/// An API server with a controller, and its Pods.
fn server(pods: &[Value]) -> Canned {
    let server = Canned::start();
    let labels = json!({"app": "kustomize-controller"});
    let deployment = json!({"metadata": {"name": "kustomize-controller", "namespace": "flux-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": {"containers": []}}}});
    let list =
        json!({"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": {}, "items": [deployment]});
    server.answer(
        "GET /apis/apps/v1/namespaces/flux-system/deployments",
        200,
        &list.to_string(),
    );
    let list = json!({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": pods});
    server.answer(PODS, 200, &list.to_string());
    server
}

fn pod(name: &str, containers: &[&str]) -> Value {
    let containers: Vec<Value> = containers.iter().map(|name| json!({"name": name})).collect();
    json!({"metadata": {"name": name, "namespace": "flux-system"}, "spec": {"containers": containers, "nodeName": "node"},
        "status": {"phase": "Running"}})
}

/// Exit code, and what is printed and told.
fn logs(server: &Canned, args: &[&str]) -> (i32, String, String) {
    let output = Command::new(SLUICE)
        .args(["logs", "--token=secret", &format!("--server={}", server.base())])
        .args(args)
        .env_remove("KUBECONFIG")
        .env("HOME", "/nowhere")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

const LOG: &str = r#"starting
{"level":"info","ts":"2026-01-01T00:00:00.000Z","msg":"Reconciliation finished","controllerKind":"Kustomization","name":"apps","namespace":"team"}
{"level":"error","ts":"2026-01-01T00:00:01.000Z","msg":"failed","controllerKind":"Kustomization","name":"web","namespace":"flux-system","error":"no"}
"#;

#[test]
fn what_controllers_say_is_printed() {
    let server = server(&[pod("kc-1", &["sidecar", "manager"])]);
    let log = "GET /api/v1/namespaces/flux-system/pods/kc-1/log";
    server.answer(log, 200, LOG);
    let finished = "2026-01-01T00:00:00.000Z info Kustomization/apps.team - Reconciliation finished \n";
    let failed = "2026-01-01T00:00:01.000Z error Kustomization/web.flux-system - failed no\n";
    let (code, printed, told) = logs(&server, &["-A", "--since=2m", "--tail=9"]);
    assert_eq!(
        (code, printed, told.as_str()),
        (0, format!("{finished}{failed}"), "")
    );
    let asked = server.take_asked();
    let of_pods: Vec<&str> = asked
        .iter()
        .map(|asked| asked.target.as_str())
        .filter(|target| target.contains("/pods"))
        .collect();
    let [list, log_asked] = of_pods[..] else {
        panic!("{of_pods:?}")
    };
    assert!(
        list.contains("labelSelector=app%3Dkustomize-controller"),
        "{list}"
    );
    for part in ["container=manager", "sinceSeconds=120", "tailLines=9"] {
        assert!(log_asked.contains(part), "{log_asked}");
    }
    assert!(!log_asked.contains("follow"), "{log_asked}");
    let (code, printed, _) = logs(&server, &["-f", "--name", "web"]);
    assert_eq!((code, printed.as_str()), (0, failed));
    let (_, printed, _) = logs(&server, &["-n", "team", "--level=info"]);
    assert_eq!(printed, finished);

    // what is no line of a log ends it
    server.answer(log, 200, &format!("{{\"level\": oops\n{LOG}"));
    let (code, printed, told) = logs(&server, &["-A"]);
    assert_eq!((code, printed.as_str()), (0, ""));
    assert!(told.starts_with("✗ parse error: "), "{told}");

    let refusal = r#"{"kind":"Status","code":400,"message":"container is waiting to start","reason":"BadRequest","status":"Failure"}"#;
    server.answer(log, 400, refusal);
    let (code, _, told) = logs(&server, &["-A"]);
    assert_eq!(
        (code, told.as_str()),
        (
            1,
            "failed getting logs: container is waiting to start\n✗ failed to collect logs from all Flux pods\n"
        )
    );
}

#[test]
fn a_controller_without_pods_says_nothing() {
    let (code, _, told) = logs(&server(&[]), &[]);
    assert_eq!(
        (code, told.as_str()),
        (1, "✗ no Flux pods found in namespace \"flux-system\"\n")
    );
}
