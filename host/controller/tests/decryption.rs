//! Stories of `spec.decryption`, with the real renderer and files that sops wrote.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_controller::reconcilers::kustomization::Plugins;
use sluice_devcluster::DevCluster;
use sluice_render::{Memo, Render};
use sluice_testkit::world::{CM, World, condition};
use sluice_wasm::{Engine, Limits, Pool, builtin};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use tracing_subscriber::prelude::*;

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

fn renderer() -> Arc<Render> {
    let engine = Engine::get().unwrap();
    let load = |name| builtin::load(engine, name, Limits::default()).unwrap();
    let (renderer, substitute) = (
        load("kustomize").renderer().unwrap(),
        load("substitute").transformer().unwrap(),
    );
    Arc::new(Render::new(renderer, substitute, Memo::default()))
}

/// Everything that anybody in this process logs, at every level.
pub(crate) fn log() -> &'static Mutex<Vec<u8>> {
    static LOG: OnceLock<Mutex<Vec<u8>>> = OnceLock::new();
    LOG.get_or_init(|| {
        let layer = sluice_event::log::FluxJson::new(|| Line);
        tracing_subscriber::registry().with(layer).init();
        Mutex::default()
    })
}

struct Line;

impl std::io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        log().lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The world, with what its renderer remembers.
struct Story {
    world: World,
    render: Arc<Render>,
    _server: DevCluster,
}

impl Story {
    async fn begin() -> Self {
        log();
        let server = DevCluster::start(sluice_devcluster::Config::default())
            .await
            .unwrap();
        let mut world = World::connected(server.client_config().await.unwrap()).await;
        let render = renderer();
        let plugins = Plugins::new(render.clone(), Pool::default(), "v1.35.0".to_owned());
        world.renderer = Some(Arc::new(plugins));
        world.start().await;
        let story = Self {
            world,
            render,
            _server: server,
        };
        for (name, key) in [("ours", "age.agekey"), ("theirs", "other.agekey")] {
            story
                .key_secret(name, json!({"identity.agekey": text(key)}))
                .await;
        }
        story
    }

    async fn key_secret(&self, name: &str, data: Value) {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        self.world.put(secret).await;
    }

    /// N8: nothing that people read, nothing that is kept and nothing on disk has a key or a decrypted value in it.
    async fn nothing_is_told(&self) {
        let world = &self.world;
        let mut places = vec![
            ("status", world.ks("apps").await.to_string()),
            ("events", format!("{:?}", world.events("apps").await)),
            ("memo", format!("{:?}", self.render.memo())),
            (
                "log",
                String::from_utf8_lossy(&log().lock().unwrap()).into_owned(),
            ),
        ];
        assert!(places[3].1.contains("\"name\":\"apps\""), "the log is seen");
        read_all(world.folder(), &mut places);
        for (place, told) in places {
            for secret in [
                "AGE-SECRET-KEY",
                "PGP PRIVATE KEY",
                "canary",
                "4711471147",
                &STANDARD.encode("canary-object"),
            ] {
                let at = told.find(secret);
                let around = at.and_then(|at| told.get(at.saturating_sub(300)..(at + 60).min(told.len())));
                assert!(at.is_none(), "{secret} in {place}: {around:?}");
            }
        }
    }
}

/// The files below, as text.
fn read_all(folder: &Path, places: &mut Vec<(&'static str, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, places);
        } else if let Ok(bytes) = std::fs::read(&path) {
            places.push(("disk", String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
}

async fn commit(world: &World, revision: &str, kustomization: &str) {
    world
        .commit(
            revision,
            &[
                ("kustomization.yaml", kustomization.into()),
                ("secret.yaml", text("encrypted/secret.yaml")),
                ("pgp-secret.yaml", text("encrypted/pgp-secret.yaml")),
                ("values.bin", text("encrypted/values.bin")),
            ],
        )
        .await;
}

fn with_keys(world: &World, secret: &str) -> Value {
    json!({"decryption": {"provider": "sops", "secretRef": {"name": secret}}, "targetNamespace": world.namespace})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_of_generators_and_objects_are_applied_decrypted() {
    let mut story = Story::begin().await;
    let world = &story.world;
    let keys = json!({"identity.agekey": text("age.agekey"), "somebody.asc": text("../keys/pgp-curve.asc")});
    story.key_secret("both", keys).await;
    commit(
        world,
        "a",
        &format!("resources: [secret.yaml, pgp-secret.yaml]\n{GENERATOR}"),
    )
    .await;
    world.kustomization("apps", with_keys(world, "both")).await;
    world.ready("apps", "a").await;
    let generated = world.get(SECRET, "generated").await.unwrap();
    assert_eq!(
        generated.pointer("/data/token"),
        Some(&json!(STANDARD.encode(fixture("decrypted/values.bin"))))
    );
    for (name, value) in [("encrypted", "canary-object"), ("encrypted-pgp", "canary-pgp")] {
        let object = world.get(SECRET, name).await.unwrap();
        assert_eq!(
            object.pointer("/data/password"),
            Some(&json!(STANDARD.encode(value)))
        );
        assert_eq!(object.get("sops"), None);
    }
    story.nothing_is_told().await;
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_key_of_somebody_else_nothing_is_applied() {
    let mut story = Story::begin().await;
    let world = &story.world;
    commit(world, "a", &format!("resources: [secret.yaml]\n{GENERATOR}")).await;
    world.kustomization("apps", with_keys(world, "theirs")).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(
        message.starts_with("error decrypting sources: values.bin: cannot get sops data key: "),
        "{message}"
    );
    story.nothing_is_told().await;
    // the same where only an object is encrypted
    commit(world, "b", "resources: [secret.yaml]\n").await;
    world
        .until("the object is refused", async || {
            let message = world.failed("apps", "BuildFailed").await;
            message
                .starts_with("decryption failed for 'Secret.v1.[noGrp]/encrypted': ")
                .then_some(())
        })
        .await;
    for name in ["generated", "encrypted"] {
        assert_eq!(world.get(SECRET, name).await, None, "{name}");
    }
    story.nothing_is_told().await;
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_file_is_refused_unless_the_administrator_allows_it() {
    let mut story = Story::begin().await;
    let world = &story.world;
    let edited = text("encrypted/secret.yaml")
        .as_str()
        .unwrap()
        .replace("type: Opaque", "type: Edited");
    let files = [
        ("kustomization.yaml", json!("resources: [secret.yaml]\n")),
        ("secret.yaml", edited.into()),
    ];
    world.commit("a", &files).await;
    world.kustomization("apps", with_keys(world, "ours")).await;
    let message = world.failed("apps", "BuildFailed").await;
    assert!(message.contains("the MAC does not match"), "{message}");
    assert_eq!(world.get(SECRET, "encrypted").await, None);
    story
        .world
        .start_with(|config| config.sops_verify_mac = false)
        .await;
    let world = &story.world;
    world.ready("apps", "a").await;
    assert!(world.get(SECRET, "encrypted").await.is_some());
    story.nothing_is_told().await;
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_is_asked_to_decrypt_is_not_applied() {
    let mut story = Story::begin().await;
    let world = &story.world;
    commit(world, "a", "resources: [secret.yaml]\n").await;
    world.kustomization("apps", json!({})).await;
    let message = world.failed("apps", "ReconciliationFailed").await;
    let expected = format!(
        "Secret/{}/encrypted is SOPS encrypted, configuring decryption is required for this secret to be reconciled",
        world.namespace
    );
    assert!(
        message.starts_with(&expected) && message.contains("secret.yaml"),
        "{message}"
    );
    assert_eq!(world.get(SECRET, "encrypted").await, None);
    story.nothing_is_told().await;
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logins_to_vault_that_are_not_there_keep_nobody_who_needs_none() {
    let mut story = Story::begin().await;
    story
        .world
        .start_with(|config| config.sops_vault_config_map = Some("nowhere".to_owned()))
        .await;
    let world = &story.world;
    commit(world, "a", "resources: [secret.yaml]\n").await;
    world.kustomization("apps", with_keys(world, "ours")).await;
    world.ready("apps", "a").await;
    assert!(world.get(SECRET, "encrypted").await.is_some());
    story.nothing_is_told().await;
    story.world.stop().await;
}

/// R36: a key service that is away changes nothing in the cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_key_service_is_away_what_was_applied_stays() {
    let mut story = Story::begin().await;
    let world = &story.world;
    commit(world, "a", "resources: [secret.yaml]\n").await;
    world.kustomization("apps", with_keys(world, "ours")).await;
    world.ready("apps", "a").await;
    let before = world.get(SECRET, "encrypted").await.unwrap();
    let options = sluice_yaml::ParseOptions::new(sluice_yaml::Resolver::V2);
    let document = sluice_yaml::parse_document(fixture("encrypted/secret.yaml"), &options).unwrap();
    let mut sealed = sluice_yaml::to_json(&document.unwrap().root, sluice_yaml::Resolver::V2).unwrap();
    let away = json!({"vault_address": "http://127.0.0.1:1", "engine_path": "sops", "key_name": "first",
        "created_at": "2026-01-01T00:00:00Z", "enc": "vault:v1:abc"});
    sealed["sops"]["hc_vault"] = json!([away]);
    sealed["sops"]["age"] = json!([]);
    story
        .key_secret("ours", json!({"sops.vault-token": "canary-token"}))
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
    story.nothing_is_told().await;
    story.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_and_env_files_are_decrypted_before_and_values_substituted_after() {
    let mut story = Story::begin().await;
    let world = &story.world;
    let kustomization = "resources: [map.yaml, undefined.yaml]\npatches: [{path: patch.yaml}]\n\
        secretGenerator: [{name: generated, envs: [generated.env]}]\n\
        generatorOptions: {disableNameSuffixHash: true}\n";
    let files = [
        ("generated.env", text("encrypted/generated.env")),
        ("kustomization.yaml", kustomization.into()),
        (
            "map.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: patched}\n".into(),
        ),
        ("patch.yaml", text("encrypted/patch.yaml")),
        ("undefined.yaml", text("encrypted/undefined.yaml")),
    ];
    world.commit("a", &files).await;
    let mut spec = with_keys(world, "ours");
    spec["postBuild"] = json!({"substitute": {"undefined": "defined"}});
    world.kustomization("apps", spec).await;
    world.ready("apps", "a").await;
    let data = async |kind: (&str, &str), name: &str| {
        let object = world.get(kind, name).await.unwrap();
        object["data"].clone()
    };
    assert_eq!(data(CM, "patched").await, json!({"key": "canary-patch"}));
    assert_eq!(
        data(SECRET, "generated").await,
        json!({"TOKEN": STANDARD.encode("canary-env"), "PIN": STANDARD.encode("4711471147")})
    );
    assert_eq!(
        data(SECRET, "undefined").await,
        json!({"password": STANDARD.encode("canary-${kept}"), "url": STANDARD.encode("canary-defined"),
            "other": STANDARD.encode("canary-other")})
    );
    story.nothing_is_told().await;
    story.world.stop().await;
}

/// A file that does not decrypt.
struct Refused {
    case: &'static str,
    files: Vec<(&'static str, Value)>,
    secret: &'static str,
    begins: &'static str,
    says: &'static str,
}

fn refused(
    case: &'static str,
    secret: &'static str,
    files: Vec<(&'static str, Value)>,
    begins: &'static str,
    says: &'static str,
) -> Refused {
    Refused {
        case,
        files,
        secret,
        begins,
        says,
    }
}

fn one_object(file: Value) -> Vec<(&'static str, Value)> {
    vec![
        ("kustomization.yaml", "resources: [secret.yaml]\n".into()),
        ("secret.yaml", file),
    ]
}

fn refusals() -> Vec<Refused> {
    const OBJECT: &str = "decryption failed for 'Secret.v1.[noGrp]/encrypted': failed to decrypt and format ";
    const IMPORT: &str = "failed to import 'identity.agekey' data from sops decryption Secret '";
    let sealed = || text("encrypted/secret.yaml");
    let edit = |from: &str, to: &str| {
        let text = sealed().as_str().unwrap().to_owned();
        let edited = text.replace(from, to);
        assert_ne!(text, edited);
        Value::from(edited)
    };
    let with = |kustomization: &str, name: &'static str| {
        let file = text(&format!("encrypted/{name}"));
        vec![("kustomization.yaml", kustomization.into()), (name, file)]
    };
    vec![
        refused(
            "no Secret",
            "nobody",
            one_object(sealed()),
            "secrets \"nobody\" not found",
            "",
        ),
        refused(
            "a Secret without keys",
            "empty",
            one_object(sealed()),
            OBJECT,
            "no age identity: add one as *.agekey",
        ),
        refused(
            "somebody else's key",
            "theirs",
            one_object(sealed()),
            OBJECT,
            "cannot get sops data key: ",
        ),
        refused(
            "no key at all",
            "garbled",
            one_object(sealed()),
            IMPORT,
            "malformed secret key",
        ),
        refused(
            "a plugin",
            "plugin",
            one_object(sealed()),
            IMPORT,
            "age plugins are programs, and none is ever started",
        ),
        refused(
            "a key of SSH",
            "ssh",
            one_object(sealed()),
            IMPORT,
            "SSH keys are not supported: use an identity of age-keygen",
        ),
        refused(
            "a post-quantum key",
            "pq",
            one_object(sealed()),
            IMPORT,
            "encrypt to an X25519 recipient too",
        ),
        refused(
            "a PGP key that is not there",
            "ours",
            one_object(text("refused/pgp.yaml")),
            OBJECT,
            "no PGP private key: add one as *.asc",
        ),
        refused(
            "a value of elsewhere",
            "ours",
            one_object(edit("data:BmYP", "data:AmYP")),
            OBJECT,
            "message authentication failed",
        ),
        refused(
            "an edited file",
            "ours",
            one_object(edit("Opaque", "Edited")),
            OBJECT,
            "--sops-verify-mac=false",
        ),
        refused(
            "a file without MAC",
            "ours",
            one_object(edit("mac: ENC", "mac: \"ENC\" #")),
            OBJECT,
            "the MAC does not match",
        ),
        refused(
            "no patch",
            "ours",
            with("patches: [{path: no-patch.yaml}]\n", "no-patch.yaml"),
            "kustomize build failed: ",
            "",
        ),
        refused(
            "no objects",
            "ours",
            with("resources: [no-patch.yaml]\n", "no-patch.yaml"),
            "kustomize build failed: ",
            "",
        ),
        refused(
            "no variable",
            "ours",
            with("resources: [undefined.yaml]\n", "undefined.yaml"),
            "post build failed",
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_decrypt_is_refused_with_a_remedy_and_nothing_is_applied() {
    let mut story = Story::begin().await;
    for (name, identity) in [
        ("garbled", "AGE-SECRET-KEY-1CANARY"),
        ("plugin", "AGE-PLUGIN-CANARY-1QQ"),
        ("ssh", "-----BEGIN OPENSSH PRIVATE KEY-----"),
        ("pq", "AGE-SECRET-KEY-PQ-1CANARY"),
    ] {
        story.key_secret(name, json!({"identity.agekey": identity})).await;
    }
    story.key_secret("empty", json!({})).await;
    story
        .world
        .start_with(|config| {
            config
                .feature_gates
                .insert("StrictPostBuildSubstitutions".to_owned(), true);
        })
        .await;
    let world = &story.world;
    for (index, refused) in refusals().into_iter().enumerate() {
        world.commit(&format!("r{index}"), &refused.files).await;
        let mut spec = with_keys(world, refused.secret);
        spec["postBuild"] = json!({"substitute": {"other": "x"}});
        world.kustomization("apps", spec).await;
        let mut last = String::new();
        let revision = format!("main@sha1:r{index}");
        let what = format!("{} is refused", refused.case);
        let look = async || {
            let ks = world.ks("apps").await;
            let (status, reason, message) = condition(&ks, "Ready");
            last = format!("{} {reason} {message}", ks["status"]["lastAttemptedRevision"]);
            (status == "False"
                && reason == "BuildFailed"
                && message.starts_with(refused.begins)
                && message.contains(refused.says))
            .then_some(())
        };
        let seen = tokio::time::timeout(std::time::Duration::from_secs(20), world.until(&what, look)).await;
        assert!(seen.is_ok(), "{what} at {revision}: {last}");
        for name in ["encrypted", "undefined"] {
            assert_eq!(world.get(SECRET, name).await, None, "{what}");
        }
        story.nothing_is_told().await;
    }
    story.world.stop().await;
}
