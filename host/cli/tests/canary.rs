//! N8, N18: the built controller at its most talkative, with a secret in every place where one can be, and most things going
//! wrong. Nothing that people read, and nothing that it serves or keeps, has one of them in it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // helpers of tests fail as tests do

use crate::support::{Reached, Running};
use serde_json::{Value, json};
use sluice_testkit::git_server::{Access, GitServer, Repository, git_is_present};
use sluice_testkit::registry::{self, Registry};
use sluice_testkit::world::{self, GIT, KS, SECRET};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

/// What is planted: where, and the text.
const PLANTED: [(&str, &str); 13] = [
    ("a Git password", "canary-git-password"),
    ("a Git password that is refused", "canary-git-refused"),
    ("a Git token", "canary-git-token"),
    ("a password in a URL", "canary-git-url"),
    ("a registry's password", "canary-registry"),
    ("a chart repository's password", "canary-charts"),
    ("a client key that is none", "canary-client-key"),
    ("a kubeconfig's token", "canary-kubeconfig"),
    ("a kubeconfig that is no YAML", "canary-kubeconfig-broken"),
    ("a variable", "canary-variable"),
    ("an age key", "AGE-SECRET-KEY-"),
    ("a value that sops encrypted", "canary-object"),
    ("a live Secret that somebody edited", "canary-live"),
];

fn planted(what: &str) -> &'static str {
    PLANTED
        .iter()
        .find(|(place, _)| *place == what)
        .unwrap_or_else(|| panic!("{what} is not planted"))
        .1
}

const FILES: [(&str, &str); 8] = [
    (
        "good/kustomization.yaml",
        "resources: [secret.yaml, encrypted.yaml]\n",
    ),
    (
        "good/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: good}\nstringData: {password: \"${variable}\"}\n",
    ),
    // a number that is none: the API server names the value
    (
        "number/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: number}\nspec: {replicas: \"${variable}\"}\n",
    ),
    // it is not YAML once the variable is in it
    (
        "syntax/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: syntax}\ndata: {key: ${bracket}}\n",
    ),
    // it is not base64
    (
        "base64/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: base64}\ndata: {key: \"${variable}\"}\n",
    ),
    // a Secret that cannot be changed
    (
        "immutable/secret.yaml",
        "apiVersion: v1\nkind: Secret\nmetadata: {name: immutable}\nimmutable: true\nstringData: {password: \"${variable}\"}\n",
    ),
    (
        "remote/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: remote}\n",
    ),
    ("sealed/.keep", ""),
];

/// The cluster, and the servers that sources are fetched from.
struct Scene {
    reached: Reached,
    git: GitServer,
    registry: Registry,
}

impl Scene {
    async fn set() -> Self {
        let reached = Reached::start().await;
        let served = reached.world.folder().join("served");
        let repository = Repository::init(&served.join("apps"));
        let encrypted = fixture("encrypted/secret.yaml");
        let sealed = [
            ("good/encrypted.yaml", encrypted.as_str()),
            ("sealed/secret.yaml", &encrypted),
        ];
        repository.commit(FILES.into_iter().chain(sealed), "first");
        let git = GitServer::start(&served);
        git.require(Access::Basic(
            "git".to_owned(),
            planted("a Git password").to_owned(),
        ));
        let registry = Registry::start();
        registry.push("apps", "1.0.0", &[("map.yaml", "a: b\n")]);
        let password = planted("a registry's password").to_owned();
        registry.require(registry::Access::Basic("puller".to_owned(), password));
        Self {
            reached,
            git,
            registry,
        }
    }

    async fn secret(&self, name: &str, data: Value) {
        let secret =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data});
        self.reached.world.put(secret).await;
    }

    async fn source(&self, kind: &str, name: &str, spec: Value) {
        let mut object = json!({"apiVersion": GIT.0, "kind": kind, "metadata": {"name": name}, "spec": {"interval": "1h"}});
        sluice_object::merge(&mut object, json!({ "spec": spec }));
        self.reached.world.put(object).await;
    }

    async fn sources(&self) {
        let password = planted("a Git password");
        let url = self.git.url("apps/.git");
        self.secret("git", json!({"username": "git", "password": password}))
            .await;
        let refused = planted("a Git password that is refused");
        self.secret("git-refused", json!({"username": "git", "password": refused}))
            .await;
        self.secret("git-token", json!({"bearerToken": planted("a Git token")}))
            .await;
        let (authority, key) = ("no certificate", planted("a client key that is none"));
        self.secret(
            "no-key",
            json!({"ca.crt": authority, "tls.crt": "no certificate", "tls.key": key}),
        )
        .await;
        for (name, secret) in [
            ("src", "git"),
            ("refused", "git-refused"),
            ("token", "git-token"),
            ("key", "no-key"),
        ] {
            let spec = json!({"url": url, "secretRef": {"name": secret}, "ref": {"branch": "main"}});
            self.source("GitRepository", name, spec).await;
        }
        let inside = url.replace(
            "http://",
            &format!("http://git:{}@", planted("a password in a URL")),
        );
        self.source("GitRepository", "inside", json!({"url": inside}))
            .await;
        let auths = json!({"auths": {self.registry.host(): {"username": "puller", "password": planted("a registry's password")}}});
        self.reached.world
            .put(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "registry"}, "type": "kubernetes.io/dockerconfigjson",
                "stringData": {".dockerconfigjson": auths.to_string()}}))
            .await;
        let spec = json!({"url": self.registry.url("apps"), "insecure": true, "secretRef": {"name": "registry"}, "ref": {"tag": "1.0.0"}});
        self.source("OCIRepository", "pulled", spec).await;
        let password = planted("a chart repository's password");
        self.secret("charts", json!({"username": "charts", "password": password}))
            .await;
        let base = self.git.url("nowhere");
        self.source(
            "HelmRepository",
            "charts",
            json!({"url": base, "secretRef": {"name": "charts"}}),
        )
        .await;
    }

    async fn kustomizations(&self) {
        let variable = planted("a variable");
        self.secret(
            "variables",
            json!({"variable": variable, "bracket": format!("{variable}: [\"")}),
        )
        .await;
        self.secret("keys", json!({"age.agekey": fixture("age.agekey")}))
            .await;
        let broken = fixture("age.agekey")
            .to_lowercase()
            .replace("age-secret-key-1", "AGE-SECRET-KEY-1X");
        self.secret("broken-keys", json!({"age.agekey": broken})).await;
        let token = planted("a kubeconfig's token");
        let kubeconfig = json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
            "users": [{"name": "u", "user": {"token": token}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}]});
        self.secret("remote", json!({"value": kubeconfig.to_string()}))
            .await;
        let broken = planted("a kubeconfig that is no YAML");
        self.secret(
            "remote-broken",
            json!({"value": format!("users: [{{token: {broken}]")}),
        )
        .await;

        let variables = json!({"substituteFrom": [{"kind": "Secret", "name": "variables"}]});
        let put = |name: &'static str, more: Value| {
            let mut spec = json!({"path": name, "timeout": "2s", "postBuild": variables});
            sluice_object::merge(&mut spec, more);
            self.reached.world.kustomization(name, spec)
        };
        let keys = |name: &str| json!({"decryption": {"provider": "sops", "secretRef": {"name": name}}});
        put("good", keys("keys")).await;
        put("sealed", keys("broken-keys")).await;
        for name in ["number", "syntax", "base64", "immutable"] {
            put(name, json!({})).await;
        }
        put("remote", json!({"kubeConfig": {"secretRef": {"name": "remote"}}})).await;
        let broken = json!({"path": "remote", "kubeConfig": {"secretRef": {"name": "remote-broken"}}});
        put("remote-broken", broken).await;
    }

    /// Waits until everything has had its say: how many of a kind are Ready, and how many are not.
    async fn told(&self, kind: (&str, &str), ready: usize, failed: usize) {
        let what = format!("{ready} {} ready, {failed} not", kind.1);
        let found = self.reached.world.until(&what, async || {
            let objects = self.reached.world.list(kind, "").await?;
            let is = |object: &Value, status: &str| {
                let (found, reason, _) = world::condition(object, "Ready");
                found == status && reason != "Progressing"
            };
            let count = |status: &str| objects.iter().filter(|object| is(object, status)).count();
            (count("True") == ready && count("False") == failed).then_some(())
        });
        found.await;
    }
}

fn fixture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../decrypt/tests/fixtures");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

/// The files below.
fn read_all(folder: &Path, places: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, places);
        } else if let Ok(bytes) = std::fs::read(&path) {
            places.push((
                path.display().to_string(),
                String::from_utf8_lossy(&bytes).into_owned(),
            ));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_ever_told() {
    if !git_is_present("a controller that has secrets") {
        return;
    }
    let scene = Scene::set().await;
    let folder = tempfile::tempdir().unwrap();
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    scene.sources().await;
    scene.kustomizations().await;
    let storage = folder.path().join("storage");
    let controller = Running::start(
        folder.path(),
        "controller",
        &[
            "controller",
            &format!("--kubeconfig={}", scene.reached.kubeconfig.display()),
            &format!("--storage-path={}", storage.display()),
            &format!("--metrics-addr={metrics}"),
            "--storage-addr=127.0.0.1:0",
            "--health-addr=127.0.0.1:0",
            "--source-allowed-addresses=127.0.0.0/8",
            "--log-level=trace",
        ],
    );
    scene.told(GIT, 1, 4).await;
    scene.told((GIT.0, "OCIRepository"), 1, 0).await;
    scene.told((GIT.0, "HelmRepository"), 0, 1).await;
    scene.told(KS, 2, 6).await;

    // somebody edits a live Secret: it is put back, and nobody is told what it was
    let edit = json!({"stringData": {"password": planted("a live Secret that somebody edited")}});
    scene.reached.world.edit(SECRET, "good", edit).await;
    let put_back = scene.reached.world.until("the edit is undone", async || {
        let secret = scene.reached.world.get(SECRET, "good").await?;
        let password = secret.pointer("/data/password")?.as_str()?.to_owned();
        (password == encoded(planted("a variable"))).then_some(())
    });
    put_back.await;
    // and another revision of a Secret that cannot be changed
    let more = json!({"stringData": {"variable": "canary-variable-two"}});
    scene.reached.world.edit(SECRET, "variables", more).await;
    scene.told(KS, 1, 7).await;

    let mut places = vec![("log".to_owned(), controller.log())];
    assert!(
        places[0].1.contains(r#""level":"trace""#),
        "it says all it has to say"
    );
    for kind in ["GitRepository", "OCIRepository", "HelmRepository"] {
        for object in scene.reached.world.list((GIT.0, kind), "").await.unwrap() {
            places.push((format!("status of {kind}"), object["status"].to_string()));
        }
    }
    for object in scene.reached.world.list(KS, "").await.unwrap() {
        places.push((
            format!("{}", object["metadata"]["name"]),
            object["status"].to_string(),
        ));
    }
    let events = scene.reached.world.list(("v1", "Event"), "").await.unwrap();
    assert!(events.len() > 10, "{} events", events.len());
    places.extend(events.iter().map(|event| ("event".to_owned(), event.to_string())));
    let scraped = scrape(metrics);
    assert!(scraped.contains("gotk_reconcile_duration_seconds"), "{scraped}");
    places.push(("metrics".to_owned(), scraped));
    read_all(&storage, &mut places);

    let mut leaks = Vec::new();
    for (place, text) in &places {
        for (what, secret) in PLANTED {
            for hidden in [secret.to_owned(), encoded(secret)] {
                if let Some(at) = text.find(&hidden) {
                    let around = text.get(at.saturating_sub(400)..(at + 80).min(text.len()));
                    leaks.push(format!("{what} is in {place}: {around:?}"));
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// What a Prometheus would read.
fn scrape(metrics: SocketAddr) -> String {
    let mut stream = TcpStream::connect(metrics).unwrap();
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: metrics\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// As `data` of Secrets has it.
fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
