//! `sluice events` against an embedded API server.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::{Reached, Running, SLUICE, until};
use expect_test::expect;
use serde_json::json;
use std::cell::RefCell;
use std::process::{Command, Stdio};

/// What the cluster keeps of a happening.
async fn happened(reached: &Reached, name: &str, of: (&str, &str), of_type: &str, minute: u32) {
    let at = format!("2026-01-01T00:{minute:02}:00Z");
    let event = json!({
        "apiVersion": "v1", "kind": "Event", "metadata": {"name": name},
        "involvedObject": {"kind": of.0, "name": of.1, "namespace": reached.world.namespace},
        "type": of_type, "reason": "Told", "message": format!("{name} happened"),
        "firstTimestamp": at, "lastTimestamp": at, "count": 1,
    });
    reached.world.put(event).await;
}

/// Exit code and what is shown, without how long ago it was.
fn shown(reached: &Reached, args: &[&str]) -> (i32, String) {
    let (code, told) = reached.sluice(&[&["events"][..], args].concat());
    let without_age = |line: &str| match line.split_once('\t') {
        Some((_, rest)) => rest.to_owned(),
        None => line.to_owned(),
    };
    let lines: Vec<String> = told.lines().map(without_age).collect();
    (code, lines.join("\n"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_shown_in_their_order() {
    let reached = Reached::start().await;
    reached.world.kustomization("apps", json!({})).await;
    let (apps, source) = (("Kustomization", "apps"), ("GitRepository", "src"));
    happened(&reached, "a", apps, "Warning", 3).await;
    happened(&reached, "b", source, "Normal", 2).await;
    happened(&reached, "c", ("Kustomization", "infra"), "Normal", 1).await;
    happened(&reached, "d", ("Deployment", "web"), "Normal", 4).await;

    let (code, told) = shown(&reached, &[]);
    expect![[r#"
        TYPE   	REASON	OBJECT             	MESSAGE   	
        Normal 	Told  	Kustomization/infra	c happened	
        Normal 	Told  	GitRepository/src  	b happened	
        Warning	Told  	Kustomization/apps 	a happened	"#]]
    .assert_eq(&told);
    assert_eq!(code, 0);

    for (args, expected) in [
        ("--for kustomization/apps", "b a"),
        ("--for=Kustomization", "c a"),
        ("--for Kustomization/apps --types=warning,normal", "b a"),
        ("--types warning", "a"),
    ] {
        let args: Vec<&str> = ["--no-header"].into_iter().chain(args.split(' ')).collect();
        let (code, told) = shown(&reached, &args);
        let names: Vec<&str> = told
            .lines()
            .filter_map(|line| line.split('\t').nth(3)?.split_once(' '))
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            (code, names.join(" ").as_str()),
            (0, expected),
            "{args:?}: {told}"
        );
    }
    let (_, told) = reached.sluice(&["events", "-A", "--for=GitRepository"]);
    assert!(
        told.starts_with("NAMESPACE") && told.contains("\tLAST SEEN"),
        "{told}"
    );
    assert!(told.lines().nth(1).unwrap().starts_with("NS"), "{told}");

    for (args, expected) in [
        ("--for Bucket", "0 ✗ No events found in NS namespace.\n"),
        ("--for Bucket -A", "0 ✗ No events found.\n"),
        (
            "--for Deployment/web",
            "1 ✗ 'Deployment' is not a recognized Flux kind\n",
        ),
        (
            "--types odd",
            "1 ✗ type 'odd' not supported. Supported types are Normal, Warning\n",
        ),
        (
            "--for Kustomization/nobody",
            "1 ✗ kustomizations.kustomize.toolkit.fluxcd.io \"nobody\" not found\n",
        ),
    ] {
        let args: Vec<&str> = ["events"].into_iter().chain(args.split(' ')).collect();
        let (code, told) = reached.sluice(&args);
        assert_eq!(format!("{code} {told}"), expected, "{args:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_followed() {
    let reached = Reached::start().await;
    happened(&reached, "a", ("Bucket", "src"), "Normal", 1).await;
    let namespace = format!("--namespace={}", reached.world.namespace);
    let kubeconfig = format!("--kubeconfig={}", reached.kubeconfig.display());
    let args = ["events", "--watch", "--for=Bucket/src", &namespace, &kubeconfig];
    let following = Running::start(reached.world.folder(), "events", &args);
    following.says("a happened").await;
    happened(&reached, "b", ("Bucket", "other"), "Normal", 2).await;
    happened(&reached, "c", ("Bucket", "src"), "Normal", 3).await;
    following.says("c happened").await;
    let log = following.log();
    assert!(!log.contains("b happened"), "{log}");
    assert_eq!(log.matches("LAST SEEN").count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_reads_any_more_ends() {
    let reached = Reached::start().await;
    for watch in [&["events", "--watch"][..], &["get", "ks", "--watch"]] {
        let watching = Command::new(SLUICE)
            .args(watch)
            .args(["--namespace", &reached.world.namespace, "--kubeconfig"])
            .arg(&reached.kubeconfig)
            .stdout(Stdio::piped())
            .spawn();
        let watching = RefCell::new(watching.unwrap());
        drop(watching.borrow_mut().stdout.take());
        let [verb, ..] = watch else { panic!("no verb") };
        happened(&reached, verb, ("Kustomization", "apps"), "Normal", 1).await;
        reached.world.kustomization(verb, json!({})).await;
        let ended = || watching.borrow_mut().try_wait().unwrap().is_some();
        until(&format!("the end of {verb}"), ended, String::new).await;
        assert!(watching.borrow_mut().wait().unwrap().success(), "{verb}");
    }
}
