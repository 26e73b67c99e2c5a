//! Stories of `spec.decryption`, with the real renderer and files that sops wrote.

#[allow(dead_code)] // shared with other stories, which use more of it
mod world;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::config::Kubeconfig;
use serde_json::{Value, json};
use sluice_controller::reconcilers::kustomization::Plugins;
use sluice_devcluster::DevCluster;
use sluice_render::{Memo, Render};
use sluice_wasm::{Engine, Limits, Pool, builtin};
use std::path::PathBuf;
use std::sync::Arc;
use world::World;

const SECRET: (&str, &str) = ("v1", "Secret");
const GENERATOR: &str = "secretGenerator:\n- name: generated\n  files: [token=values.bin]\n\
                         generatorOptions:\n  disableNameSuffixHash: true\n";

fn fixture(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../decrypt/tests/fixtures")
        .join(name);
    std::fs::read(path).unwrap()
}

fn text(name: &str) -> Value {
    String::from_utf8(fixture(name)).unwrap().into()
}

fn plugins() -> Plugins {
    let engine = Engine::get().unwrap();
    let load = |name| builtin::load(engine, name, Limits::default()).unwrap();
    let (renderer, substitute) = (
        load("kustomize").renderer().unwrap(),
        load("substitute").transformer().unwrap(),
    );
    let render = Render::new(renderer, substitute, Memo::default());
    Plugins::new(Arc::new(render), Pool::default(), "v1.35.0".to_owned())
}

async fn world() -> (DevCluster, World) {
    let server = DevCluster::start(sluice_devcluster::Config::default())
        .await
        .unwrap();
    let mut world = World::new(Kubeconfig::from_yaml(&server.kubeconfig()).unwrap()).await;
    world.renderer = Some(Arc::new(plugins()));
    world.start().await;
    for (name, key) in [("ours", "age.agekey"), ("theirs", "other.agekey")] {
        let data = json!({"identity.agekey": text(key)});
        world
            .put(
                json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}),
            )
            .await;
    }
    (server, world)
}

async fn commit(world: &World, revision: &str, kustomization: &str) {
    world
        .commit(
            revision,
            &[
                ("kustomization.yaml", kustomization.into()),
                ("secret.yaml", text("secret.yaml")),
                ("values.bin", text("values.bin")),
            ],
        )
        .await;
}

fn with_keys(world: &World, secret: &str) -> Value {
    json!({"decryption": {"provider": "sops", "secretRef": {"name": secret}}, "targetNamespace": world.namespace})
}

/// Nothing that people read has a key or a decrypted value in it.
async fn nothing_is_told(world: &World) {
    let told = format!("{} {:?}", world.ks("apps").await, world.events("apps").await);
    for secret in ["AGE-SECRET-KEY", "canary"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_generators_and_objects_are_applied_decrypted() {
    let (_server, mut world) = world().await;
    commit(&world, "a", &format!("resources: [secret.yaml]\n{GENERATOR}")).await;
    world.kustomization("apps", with_keys(&world, "ours")).await;
    world.ready("apps", "a").await;
    let generated = world.get(SECRET, "generated").await.unwrap();
    assert_eq!(
        generated.pointer("/data/token"),
        Some(&json!(STANDARD.encode(fixture("plain.values.bin"))))
    );
    let object = world.get(SECRET, "encrypted").await.unwrap();
    assert_eq!(
        object.pointer("/data/password"),
        Some(&json!(STANDARD.encode("canary-object")))
    );
    assert_eq!(object.get("sops"), None);
    nothing_is_told(&world).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_key_of_somebody_else_nothing_is_applied() {
    let (_server, mut world) = world().await;
    commit(&world, "a", &format!("resources: [secret.yaml]\n{GENERATOR}")).await;
    world.kustomization("apps", with_keys(&world, "theirs")).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(
        message.starts_with("error decrypting sources: values.bin: cannot get sops data key: "),
        "{message}"
    );
    nothing_is_told(&world).await;
    // the same where only an object is encrypted
    commit(&world, "b", "resources: [secret.yaml]\n").await;
    world
        .until("the object is refused", async || {
            let message = world.failed("apps", "BuildFailed").await;
            message
                .starts_with("decryption failed for '/v1, Kind=Secret/encrypted': ")
                .then_some(())
        })
        .await;
    for name in ["generated", "encrypted"] {
        assert_eq!(world.get(SECRET, name).await, None, "{name}");
    }
    nothing_is_told(&world).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_file_is_refused_unless_the_administrator_allows_it() {
    let (_server, mut world) = world().await;
    let edited = text("secret.yaml")
        .as_str()
        .unwrap()
        .replace("type: Opaque", "type: Edited");
    let files = [
        ("kustomization.yaml", json!("resources: [secret.yaml]\n")),
        ("secret.yaml", edited.into()),
    ];
    world.commit("a", &files).await;
    world.kustomization("apps", with_keys(&world, "ours")).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(message.contains("the MAC does not match"), "{message}");
    assert_eq!(world.get(SECRET, "encrypted").await, None);
    world.start_with(|config| config.sops_verify_mac = false).await;
    world.ready("apps", "a").await;
    assert!(world.get(SECRET, "encrypted").await.is_some());
    nothing_is_told(&world).await;
    world.stop().await;
}

/// R36: a key service that is away changes nothing in the cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_key_service_is_away_what_was_applied_stays() {
    let (_server, mut world) = world().await;
    commit(&world, "a", "resources: [secret.yaml]\n").await;
    world.kustomization("apps", with_keys(&world, "ours")).await;
    world.ready("apps", "a").await;
    let before = world.get(SECRET, "encrypted").await.unwrap();
    let options = sluice_yaml::ParseOptions::new(sluice_yaml::Resolver::V2);
    let document = sluice_yaml::parse_document(fixture("secret.yaml"), &options).unwrap();
    let mut sealed = sluice_yaml::to_json(&document.unwrap().root, sluice_yaml::Resolver::V2).unwrap();
    let away = json!({"vault_address": "http://127.0.0.1:1", "engine_path": "sops", "key_name": "first",
        "created_at": "2026-01-01T00:00:00Z", "enc": "vault:v1:abc"});
    sealed["sops"]["hc_vault"] = json!([away]);
    sealed["sops"]["age"] = json!([]);
    let token = json!({"sops.vault-token": "canary-token"});
    world
        .put(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "ours"}, "stringData": token}))
        .await;
    let files = [
        ("kustomization.yaml", json!("resources: [secret.json]\n")),
        ("secret.json", sealed),
    ];
    world.commit("b", &files).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(
        message.contains("Vault 'http://127.0.0.1:1' is not reached"),
        "{message}"
    );
    assert_eq!(world.get(SECRET, "encrypted").await.unwrap(), before);
    nothing_is_told(&world).await;
    world.stop().await;
}
