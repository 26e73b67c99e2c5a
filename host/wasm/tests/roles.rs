//! The roles from end to end, with a plugin that was made with the SDK.

use crate::support::{context, inputs, load};
use expect_test::expect;
use serde_json::{Value, json};
use sluice_object::{GroupVersionKind, Object, ObjectId};
use sluice_wasm::{
    ChartRelease, ChartRequest, Cluster, Detail, Error, Inputs, Limits, Pool, RenderRequest,
    TransformRequest, lookup_digest,
};
use std::sync::Arc;

fn config_map(name: &str) -> Object {
    Object::new(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}})).unwrap()
}

fn transform(config: Value) -> Result<String, Error> {
    let plugin = load("sdk", Limits::default());
    let request = TransformRequest {
        items: vec![config_map("a"), config_map("b")],
        config,
        context: context(),
    };
    let answer = plugin.transformer().unwrap().transform(&request)?;
    let labels: Vec<_> = answer
        .value
        .items
        .iter()
        .map(|o| o.text(&["metadata", "labels", "team"]).unwrap_or("-"))
        .collect();
    let log: Vec<_> = answer
        .trace
        .log
        .iter()
        .map(|line| format!("{} {} {:?}", line.level, line.message, line.fields))
        .collect();
    Ok(format!(
        "{} findings, labels {labels:?}, log {log:?}",
        answer.value.findings.len()
    ))
}

#[test]
fn a_transformer_transforms_reports_and_logs() {
    expect![[r#"2 findings, labels ["web", "web"], log ["INFO 2 objects [(\"team\", \"web\")]"]"#]]
        .assert_eq(&transform(json!({"team": "web"})).unwrap());
}

#[test]
fn a_panic_is_quoted_and_a_wrong_configuration_explained() {
    expect!["plugin sdk panicked: a team has a name at sdk/src/lib.rs:19; this is a bug in the plugin"]
        .assert_eq(&transform(json!({"team": "panic"})).unwrap_err().to_string());
    expect!["configuration: unknown field `taem`, expected `team` at line 1 column 7"]
        .assert_eq(&transform(json!({"taem": "web"})).unwrap_err().to_string());
    expect!["configuration: missing field `team` at line 1 column 2"]
        .assert_eq(&transform(Value::Null).unwrap_err().to_string());
}

#[test]
fn a_renderer_reads_its_tree_and_gives_origins() {
    let plugin = load("sdk", Limits::default());
    let mut tree = sluice_artifact::MemoryTree::new();
    tree.add_file(
        "/apps/a.yaml",
        b"---\nkind: Secret\napiVersion: v1\nmetadata: {name: s}\n".to_vec(),
        false,
    )
    .unwrap();
    let request = RenderRequest {
        path: "/apps".to_owned(),
        config: json!({"team": "web"}),
        context: context(),
    };
    let inputs = Inputs {
        tree: Arc::new(tree),
        ..inputs()
    };
    let answer = plugin.renderer().unwrap().render(&request, inputs).unwrap();
    let object = &answer.value.objects[0];
    expect!["Secret/s from apps/a.yaml:1"].assert_eq(&format!(
        "{} from {}",
        object.id(),
        object.origin().unwrap()
    ));
}

/// A cluster as a tenant may read it: one Secret of its own, and no other.
struct Tenant;

impl Cluster for Tenant {
    fn lookup(&self, id: &ObjectId) -> Result<Option<Vec<u8>>, String> {
        match id.name.as_str() {
            "mine" => Ok(Some(b"{}".to_vec())),
            "gone" => Ok(None),
            name => Err(format!("secrets {name:?} is forbidden")),
        }
    }
}

/// What a chart renderer finds of a Secret of this name, and what is recorded of that.
fn look_up(name: &str, cluster: Option<Arc<dyn Cluster>>) -> Result<String, Error> {
    look_up_within(&Limits::default(), name, cluster)
}

fn look_up_within(limits: &Limits, name: &str, cluster: Option<Arc<dyn Cluster>>) -> Result<String, Error> {
    let request = ChartRequest {
        chart: "/".to_owned(),
        values: Vec::new(),
        release: ChartRelease {
            name: "rel".to_owned(),
            name_template: None,
            namespace: "apps".to_owned(),
            revision: 1,
            is_upgrade: false,
        },
        is_offline: false,
        skip_schema_validation: false,
        include_subchart_notes: false,
        include_crds: true,
        detail: Detail::Notes,
        now: 0,
        seed: Vec::new(),
        config: json!({"team": name}),
        context: context(),
    };
    let inputs = Inputs { cluster, ..inputs() };
    let renderer = load("sdk", limits.clone()).chart_renderer().unwrap();
    let answer = renderer.render(&request, inputs)?;
    let id = ObjectId {
        gvk: GroupVersionKind::new("v1", "Secret"),
        namespace: Some("apps".to_owned()),
        name: name.to_owned(),
    };
    let found = answer.value.notes.unwrap();
    let body = (found != "nothing").then(|| found.clone().into_bytes());
    assert_eq!(answer.trace.lookups, [(id, lookup_digest(&Ok(body)))]);
    Ok(found)
}

/// N20: without a release's identity there is nothing to find; with one, what it may read. Each question is an input.
#[test]
fn a_chart_renderer_looks_up_as_its_release() {
    assert_eq!(look_up("mine", None).unwrap(), "nothing");
    let tenant = || Some(Arc::new(Tenant) as Arc<dyn Cluster>);
    assert_eq!(look_up("mine", tenant()).unwrap(), "{}");
    assert_eq!(look_up("gone", tenant()).unwrap(), "nothing");
    expect![[r#"secrets "other" is forbidden"#]]
        .assert_eq(&look_up("other", tenant()).unwrap_err().to_string());
}

/// N41: what is asked for is remembered, whether it is found or not.
#[test]
fn a_look_up_costs_what_it_is_asked_with() {
    let mut limits = Limits::default();
    limits.set("treeBytes", "1Mi").unwrap();
    assert_eq!(look_up_within(&limits, "mine", None).unwrap(), "nothing");
    let long = "a".repeat(1 << 20);
    expect!["plugin sdk reads more of its tree than limits.treeBytes allows (1Mi); no flag raises it: give it less to do, as by dividing a Kustomization into several"]
        .assert_eq(&look_up_within(&limits, &long, None).unwrap_err().to_string());
}

#[test]
fn a_component_carries_the_schema_of_its_configuration() {
    let plugin = load("sdk", Limits::default());
    // the guests of these tests are not finished as `cargo xtask plugins` finishes ours
    assert_eq!(plugin.metadata().config_schema, None);
}

/// N42 and R21: withdrawn calls give their place back, and a full queue says so.
#[tokio::test]
async fn the_pool_is_bounded() {
    let pool = Pool::new(1, 1);
    let (release, held) = std::sync::mpsc::channel::<()>();
    let first = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(move || Ok(held.recv().is_ok())).await }
    });
    let second = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(|| Ok(true)).await }
    });
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    let third = pool.run(|| Ok(true)).await;
    expect!["1 plugin calls wait already; this one is tried again later"]
        .assert_eq(&third.unwrap_err().to_string());
    second.abort();
    assert!(second.await.is_err_and(|error| error.is_cancelled()));
    let fourth = tokio::spawn({
        let pool = pool.clone();
        async move { pool.run(|| Ok(true)).await }
    });
    release.send(()).unwrap();
    assert!(first.await.unwrap().unwrap() && fourth.await.unwrap().unwrap());
    let panicked: Result<bool, Error> = pool.run(|| unreachable!("hunter2")).await;
    let broken = panicked.unwrap_err();
    assert!(broken.is_transient());
    assert_eq!(
        broken.to_string(),
        "serving plugin of this call failed: it ended unexpectedly; this is a bug in sluice"
    );
}
