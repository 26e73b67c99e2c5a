//! What the programs of others push, we read, and what we push, they read: over the registry of go-containerregistry, and over a
//! store of objects that looks at signatures.
//!
//! Each is built with Go once, at a fixed version. What takes minutes (helm, cosign, versitygw) is skipped, loudly, unless
//! `SLUICE_BUILD_TOOLS=1` is set or it was built before.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::support::{oci, paths};

use std::{fs, path::PathBuf, process::Command, time::Duration};

use jiff::Timestamp;
use sluice_artifact::{Artifact, ArtifactPath, Store, Tree as _, store::Limits as StoreLimits, unpack};
use sluice_event::Redacted;
use sluice_source::{
    Addresses, BucketFetcher, OciFetcher, Transport,
    bucket::{Access, BucketLimits, BucketRequest, S3Identity},
    credential::cloud::{CloudEndpoints, CloudEnvironment, Clouds},
    oci::{ContentDigest, Layer, LayerOperation, OciLimits, OciReference, Repository, media_type},
    verify::{Cosign, Notation, PublicKey, Verdict},
};
use sluice_testkit::registry::{Entry, RealRegistry, tgz};
use sluice_testkit::storage::RealStorage;
use sluice_testkit::tools::program;

/// A registry, one program that talks with it, and us.
struct Scene {
    registry: RealRegistry,
    program: PathBuf,
    repository: Repository,
    store: Store,
    home: tempfile::TempDir,
}

impl Scene {
    /// None, after a loud line, where the program cannot be had.
    fn with(name: &str) -> Option<Scene> {
        let what = format!("artifacts of {name}");
        let registry = RealRegistry::start(&what)?;
        let program = program(name, &what)?;
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join("store")).unwrap();
        fs::create_dir(home.path().join("work")).unwrap();
        let fetcher = OciFetcher::new(
            &home.path().join("layers"),
            OciLimits::default(),
            Addresses::any(),
        );
        let request = oci::request(&format!("oci://{}/org/app", registry.host()));
        Some(Scene {
            repository: fetcher.unwrap().repository(&request).unwrap(),
            store: Store::open(&home.path().join("store"), StoreLimits::default()).unwrap(),
            registry,
            program,
            home,
        })
    }

    /// The folder that the program works in.
    fn work(&self) -> PathBuf {
        self.home.path().join("work")
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let file = self.work().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }

    /// `localhost:<port>/org/app`.
    fn name(&self) -> String {
        format!("{}/org/app", self.registry.host())
    }

    /// Runs the program; what it says, trimmed.
    fn run(&self, args: &[&str]) -> String {
        let output = Command::new(&self.program)
            .args(args)
            .current_dir(self.work())
            // settings, keys and caches of these programs stay here
            .env("HOME", self.work())
            .env("XDG_CONFIG_HOME", self.work().join("config"))
            .env("XDG_CACHE_HOME", self.work().join("cache"))
            .env("COSIGN_PASSWORD", "")
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {error}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn push(&self, tag: &str, text: &str) -> ContentDigest {
        self.repository.push(tag, &oci::push(text)).await.unwrap()
    }

    async fn fetch(&self, wanted: &OciReference, layer: &str, operation: LayerOperation) -> Artifact {
        let url = format!("oci://{}", self.name());
        let layer = Layer {
            media_type: Some(layer.to_owned()).filter(|layer| !layer.is_empty()),
        };
        let pulled = oci::pull(&self.repository, &url, wanted, &layer).await;
        let (pulled, path) = pulled.unwrap();
        pulled.store(operation, None, &self.store, &path).unwrap()
    }

    fn files(&self, artifact: &Artifact) -> Vec<String> {
        paths(&self.store.tree(&artifact.path).unwrap())
    }
}

fn semver(range: &str) -> OciReference {
    OciReference {
        semver: Some(range.to_owned()),
        ..OciReference::default()
    }
}

#[tokio::test]
async fn crane() {
    let Some(scene) = Scene::with("crane") else { return };
    let digest = scene.push("1.0.0", "a: 1").await;
    let name = scene.name();
    assert_eq!(
        scene.run(&["digest", &format!("{name}:1.0.0")]),
        digest.to_string()
    );
    scene.run(&["validate", "--remote", &format!("{name}:1.0.0")]);
    scene.write("layer.tar.gz", tgz(&[Entry::file("b.yaml", "b: 2")]));
    let newer = format!("{name}:1.1.0");
    scene.run(&["append", "--oci-empty-base", "-f", "layer.tar.gz", "-t", &newer]);
    let artifact = scene.fetch(&semver("1.x"), "", LayerOperation::Extract).await;
    assert!(
        artifact.revision.starts_with("1.1.0@sha256:"),
        "{}",
        artifact.revision
    );
    assert_eq!(scene.files(&artifact), ["/b.yaml"]);
    scene.repository.tag("1.1.0", "stable").await.unwrap();
    assert_eq!(scene.run(&["ls", &name]), "1.0.0\n1.1.0\nstable");
}

#[tokio::test]
async fn oras() {
    let Some(scene) = Scene::with("oras") else { return };
    let digest = scene.push("1.0.0", "a: 1").await;
    let name = scene.name();
    let ours = scene.run(&["resolve", "--plain-http", &format!("{name}:1.0.0")]);
    assert_eq!(ours, digest.to_string());
    let manifest = scene.run(&["manifest", "fetch", "--plain-http", &format!("{name}:1.0.0")]);
    assert!(manifest.contains(media_type::FLUX_CONFIG), "{manifest}");
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let layer = manifest["layers"][0]["digest"].as_str().unwrap();
    scene.run(&[
        "blob",
        "fetch",
        "--plain-http",
        "--output",
        "ours.tar.gz",
        &format!("{name}@{layer}"),
    ]);
    let ours = fs::File::open(scene.work().join("ours.tar.gz")).unwrap();
    let ours = unpack::unpack(ours, &unpack::Limits::default()).unwrap();
    assert_eq!(&*ours.read("/a.yaml").unwrap(), b"a: 1");
    scene.write("files/b.yaml", "b: 2");
    scene.write("files.tar.gz", tgz(&[Entry::file("b.yaml", "b: 2")]));
    scene.run(&[
        "push",
        "--plain-http",
        "--artifact-type",
        "application/x.files",
        "--annotation",
        "org.opencontainers.image.revision=main",
        &format!("{name}:1.1.0"),
        &format!("files.tar.gz:{}", media_type::FLUX_CONTENT),
    ]);
    let artifact = scene
        .fetch(&semver("1.x"), media_type::FLUX_CONTENT, LayerOperation::Extract)
        .await;
    assert!(
        artifact.revision.starts_with("1.1.0@sha256:"),
        "{}",
        artifact.revision
    );
    assert_eq!(scene.files(&artifact), ["/b.yaml"]);
    // a folder becomes a layer by itself
    let folder = format!("{name}:2.0.0");
    scene.run(&["push", "--plain-http", &folder, "files/"]);
    let artifact = scene.fetch(&semver("2.x"), "", LayerOperation::Extract).await;
    assert_eq!(scene.files(&artifact), ["/files/b.yaml"]);
    assert_eq!(
        scene.repository.tags().await.unwrap(),
        ["1.0.0", "1.1.0", "2.0.0"]
    );
}

#[tokio::test]
async fn helm() {
    let Some(scene) = Scene::with("helm") else { return };
    scene.write("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.2.3\n");
    scene.write("app/templates/a.yaml", "a: 1\n");
    scene.run(&["package", "app"]);
    let target = format!("oci://{}/org", scene.registry.host());
    scene.run(&["push", "--plain-http", "app-1.2.3.tgz", &target]);
    let packaged = fs::read(scene.work().join("app-1.2.3.tgz")).unwrap();
    let artifact = scene
        .fetch(&semver("1.x"), media_type::HELM_CHART, LayerOperation::Copy)
        .await;
    assert_eq!(
        artifact.digest.to_string(),
        ContentDigest::of(&packaged).to_string(),
        "byte for byte"
    );
    assert!(
        artifact.revision.starts_with("1.2.3@sha256:"),
        "{}",
        artifact.revision
    );
    // as a chart, too
    let artifact = scene.fetch(&semver("1.x"), "", LayerOperation::Extract).await;
    assert_eq!(
        scene.files(&artifact),
        ["/app/Chart.yaml", "/app/templates/a.yaml"]
    );
}

#[tokio::test]
async fn cosign() {
    let Some(scene) = Scene::with("cosign") else {
        return;
    };
    scene.run(&["generate-key-pair"]);
    let pem = fs::read(scene.work().join("cosign.pub")).unwrap();
    let by = Cosign::Keyed(vec![PublicKey::from_pem(&pem).unwrap()]);
    for (tag, is_bundle) in [("1.0.0", false), ("2.0.0", true)] {
        let digest = scene.push(tag, tag).await;
        by.verify(&scene.repository, &digest).await.unwrap_err();
        scene.run(&[
            "sign",
            "--key",
            "cosign.key",
            "--yes",
            "--allow-http-registry",
            "--use-signing-config=false",
            "--tlog-upload=false",
            &format!("--new-bundle-format={is_bundle}"),
            &format!("{}@{digest}", scene.name()),
        ]);
        by.verify(&scene.repository, &digest).await.unwrap();
    }
}

#[tokio::test]
async fn notation() {
    let Some(scene) = Scene::with("notation") else {
        return;
    };
    let policy = br#"{ "version": "1.0", "trustPolicies": [{ "name": "p", "registryScopes": ["*"],
        "signatureVerification": { "level": "strict" }, "trustStores": ["ca:shop"], "trustedIdentities": ["*"] }] }"#;
    let forms = ["p256", "p384", "p521"].map(|curve| [(curve, "jws"), (curve, "cose")]);
    for (curve, format) in forms.into_iter().flatten() {
        scene.run(&["cert", ".", curve]);
        let certificate = fs::read(scene.work().join("ca.crt")).unwrap();
        let by = Notation::new(policy, &[certificate]).unwrap();
        let what = format!("{curve}-{format}");
        let digest = scene.push(&what, &what).await;
        let now = Timestamp::now();
        by.verify(&scene.repository, &digest, now).await.unwrap_err();
        let reference = format!("{}@{digest}", scene.name());
        scene.run(&["sign", ".", format, &reference]);
        let verdict = by.verify(&scene.repository, &digest, Timestamp::now()).await;
        assert_eq!(verdict.unwrap(), Verdict::Verified, "{what}");
    }
}

#[tokio::test]
async fn versitygw() {
    let Some(storage) = RealStorage::start("a bucket in a store of others") else {
        return;
    };
    let files = [
        ("a.yaml", "/a.yaml", "a: 1"),
        ("apps/b%20c%26d%2B%C3%A9.yaml", "/apps/b c&d+é.yaml", "b"),
        ("docs/x", "/docs/x", "not wanted"),
    ];
    for (key, _, content) in files {
        storage.put(key, content);
    }
    let home = tempfile::tempdir().unwrap();
    let folder = |name: &str| {
        let folder = home.path().join(name);
        fs::create_dir(&folder).unwrap();
        folder
    };
    let fetcher = BucketFetcher::new(&folder("objects"), BucketLimits::default(), Addresses::any()).unwrap();
    let store = Store::open(&folder("store"), StoreLimits::default()).unwrap();
    let bucket = |secret: &str, prefix: Option<&str>| {
        let request = BucketRequest {
            name: "shop".to_owned(),
            access: Access::S3 {
                endpoint: storage.endpoint().to_owned(),
                region: None,
                is_plain: true,
                identity: S3Identity::Key(storage.key().0.to_owned(), Redacted::new(secret.to_owned())),
            },
            clouds: Clouds::new(
                CloudEnvironment::read(|_| None),
                CloudEndpoints::default(),
                1,
                Duration::from_secs(60),
            )
            .unwrap(),
            prefix: prefix.map(str::to_owned),
            ignore: Some("docs/".to_owned()),
            transport: Transport::default(),
            timeout: Duration::from_secs(60),
        };
        fetcher.bucket(&request).unwrap()
    };
    let secret = storage.key().1;
    let index = bucket(secret, None).index().await.unwrap();
    let revision = index.revision();
    let downloaded = bucket(secret, None).download(index).await.unwrap();
    let path = ArtifactPath::new("Bucket", "default", "shop", "first.tar.gz").unwrap();
    let artifact = downloaded.store(&store, &path).unwrap();
    let tree = store.tree(&artifact.path).unwrap();
    assert_eq!(paths(&tree), ["/a.yaml", "/apps/b c&d+é.yaml"]);
    for (_, path, content) in files.iter().take(2) {
        assert_eq!(&*tree.read(path).unwrap(), content.as_bytes());
    }
    // what is looked at again is the same, and what changed is seen by its etag
    assert_eq!(bucket(secret, None).index().await.unwrap().revision(), revision);
    storage.put("a.yaml", "a: 2");
    assert_ne!(bucket(secret, None).index().await.unwrap().revision(), revision);
    assert_eq!(bucket(secret, Some("apps/")).index().await.unwrap().objects(), 1);
    let refused = bucket("another", None).index().await.unwrap_err().to_string();
    assert!(refused.contains("SignatureDoesNotMatch"), "{refused}");
}
