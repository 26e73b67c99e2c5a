//! What registries hold becomes artifacts: honest ones, faulty ones, hostile ones. Real ones are in `interop.rs`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::support::{
    oci::{pull, push, request},
    paths,
};

use std::{sync::Arc, time::Duration};

use serde_json::json;
use sluice_artifact::{
    Artifact, Store,
    store::{Content, Limits as StoreLimits},
};
use sluice_source::{
    Addresses, DockerConfig, Keychain, OciFetcher, Tls, Transport,
    oci::{Error, Layer, LayerOperation, OciLimits, OciReference, OciRequest, Resolved, media_type},
};
use sluice_testkit::registry::{Access, Authority, Entry, Fault, Registry, digest, gzip, tgz};
use tempfile::TempDir;

struct Scene {
    registry: Registry,
    fetcher: OciFetcher,
    store: Store,
    home: TempDir,
}

fn limits() -> OciLimits {
    OciLimits {
        manifest_size_max: 64 << 10,
        layer_size_max: 4 << 20,
        tags_max: 1000,
        ..OciLimits::default()
    }
}

impl Scene {
    fn new() -> Scene {
        Scene::over(Registry::start())
    }

    fn over(registry: Registry) -> Scene {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("store")).unwrap();
        Scene {
            registry,
            fetcher: OciFetcher::new(&home.path().join("layers"), limits(), Addresses::any()).unwrap(),
            store: Store::open(&home.path().join("store"), StoreLimits::default()).unwrap(),
            home,
        }
    }

    fn request(&self) -> OciRequest {
        request(&self.registry.url("org/app"))
    }

    async fn resolve(&self, request: &OciRequest, wanted: &OciReference) -> Result<Resolved, Error> {
        let repository = self.fetcher.repository(request)?;
        repository.resolve(&request.url, wanted, None, false).await
    }

    async fn fetch(&self, request: &OciRequest, wanted: &OciReference) -> Result<Artifact, String> {
        self.fetch_layer(request, wanted, &Layer::default(), LayerOperation::Extract, None)
            .await
    }

    async fn fetch_layer(
        &self,
        request: &OciRequest,
        wanted: &OciReference,
        layer: &Layer,
        operation: LayerOperation,
        ignore: Option<&str>,
    ) -> Result<Artifact, String> {
        let text = |error: Error| error.to_string();
        let repository = self.fetcher.repository(request).map_err(text)?;
        let (pulled, path) = pull(&repository, &request.url, wanted, layer)
            .await
            .map_err(text)?;
        pulled
            .store(operation, ignore, &self.store, &path)
            .map_err(|error| error.to_string())
    }

    fn files(&self, artifact: &Artifact) -> Vec<String> {
        paths(&self.store.tree(&artifact.path).unwrap())
    }

    /// Nothing of a failed fetch stays behind.
    fn is_clean(&self) -> bool {
        let count = |folder: &str| std::fs::read_dir(self.home.path().join(folder)).unwrap().count();
        count("layers") == 0 && count("store/tmp") == 0
    }
}

fn tag(tag: &str) -> OciReference {
    OciReference {
        tag: Some(tag.to_owned()),
        ..OciReference::default()
    }
}

fn login(host: &str, user: &str, password: &str) -> Arc<Keychain> {
    let config = json!({ "auths": { host: { "username": user, "password": password } } });
    Arc::new(Keychain::new(vec![
        DockerConfig::parse(config.to_string().as_bytes()).unwrap(),
    ]))
}

#[tokio::test]
async fn a_tag_becomes_a_revision_and_a_tree() {
    let scene = Scene::new();
    let digest = scene.registry.push(
        "org/app",
        "v1",
        &[
            ("./a.yaml", "a: 1"),
            ("dir/b.yaml", "b: 1"),
            ("logo.png", "x"),
            (".gitignore", "x"),
        ],
    );
    let artifact = scene.fetch(&scene.request(), &tag("v1")).await.unwrap();
    assert_eq!(artifact.revision, format!("v1@{digest}"));
    assert_eq!(scene.files(&artifact), ["/a.yaml", "/dir/b.yaml"]);
    assert_eq!(
        artifact.path.to_string(),
        format!("ocirepository/default/app/{digest}.tar.gz")
    );
    let asked: Vec<String> = scene
        .registry
        .take_seen()
        .iter()
        .map(|seen| seen.method.clone())
        .collect();
    assert_eq!(asked, ["GET", "GET"], "one manifest, one layer");

    // Nothing new: one HEAD.
    let repository = scene.fetcher.repository(&scene.request()).unwrap();
    let resolved = repository.resolve("", &tag("v1"), None, true).await.unwrap();
    assert_eq!(resolved.revision, artifact.revision);
    let asked: Vec<String> = scene
        .registry
        .take_seen()
        .iter()
        .map(|seen| seen.method.clone())
        .collect();
    assert_eq!(asked, ["HEAD"]);
    // A registry that does not answer HEAD well is asked again.
    scene.registry.misbehave(Fault::NoDigest);
    let resolved = repository.resolve("", &tag("v1"), None, true).await.unwrap();
    assert_eq!(resolved.revision, artifact.revision);
    scene.registry.misbehave(Fault::None);

    // A digest is nobody's question; the revision has no tag.
    scene.registry.take_seen();
    let by_digest = OciReference {
        digest: Some(digest.clone()),
        ..tag("ignored")
    };
    let resolved = scene.resolve(&scene.request(), &by_digest).await.unwrap();
    assert_eq!((resolved.revision, scene.registry.take_seen()), (digest, vec![]));
    assert!(scene.is_clean());
}

#[tokio::test]
async fn semver_takes_the_newest_tag_over_all_pages() {
    let scene = Scene::new();
    for version in ["1.0.0", "1.1.0", "1.2.0-rc.1", "2.0.0", "latest", "1.10.0"] {
        scene.registry.push("org/app", version, &[("a", version)]);
    }
    let by = |semver: &str, filter: Option<&str>| OciReference {
        semver: Some(semver.to_owned()),
        semver_filter: filter.map(str::to_owned),
        ..tag("latest")
    };
    for (wanted, expected) in [
        (by("1.x", None), "1.10.0@"),
        (by(">= 1.0.0-0", Some("-rc")), "1.2.0-rc.1@"),
    ] {
        let resolved = scene.resolve(&scene.request(), &wanted).await.unwrap();
        assert!(resolved.revision.starts_with(expected), "{}", resolved.revision);
    }
    let error = async |wanted| {
        scene
            .resolve(&scene.request(), &wanted)
            .await
            .unwrap_err()
            .to_string()
    };
    let url = scene.registry.url("org/app");
    assert_eq!(
        error(by(">= 3", None)).await,
        format!("failed to determine the artifact tag for '{url}': no match found for semver: >= 3")
    );
    let text = error(by("x y z", None)).await;
    assert!(text.contains("semver 'x y z' parse error: "), "{text}");
    scene.registry.misbehave(Fault::EndlessTags);
    assert!(
        error(by("1.x", None))
            .await
            .contains("leads to another server or to nothing")
    );
    let other = Registry::start();
    scene.registry.misbehave(Fault::TagsElsewhere(other.base()));
    assert!(error(by("1.x", None)).await.contains("leads to another server"));
    assert_eq!(other.take_seen(), []);
}

#[tokio::test]
async fn layers_are_selected_extracted_copied_and_ignored() {
    let scene = Scene::new();
    let chart = tgz(&[Entry::file("chart/Chart.yaml", "name: x")]);
    let files = tgz(&[
        Entry::file("a.yaml", "a"),
        Entry::file("sub/.sourceignore", "*.txt"),
        Entry::file("sub/x.txt", "x"),
        Entry::file("sub/y.yaml", "y"),
        Entry {
            mode: 0o755,
            ..Entry::file("run.sh", "#!")
        },
    ]);
    let helm = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    scene
        .registry
        .push_layers("org/app", "v1", &[("first", &files), (helm, &chart)]);
    let layer = |media_type: &str| Layer {
        media_type: Some(media_type.to_owned()),
    };
    let request = scene.request();
    let artifact = scene
        .fetch_layer(
            &request,
            &tag("v1"),
            &layer("first"),
            LayerOperation::Extract,
            None,
        )
        .await
        .unwrap();
    assert_eq!(
        scene.files(&artifact),
        ["/a.yaml", "/run.sh", "/sub/.sourceignore", "/sub/y.yaml"]
    );
    let artifact = scene
        .fetch_layer(
            &request,
            &tag("v1"),
            &layer("first"),
            LayerOperation::Extract,
            Some("/*\n!/sub"),
        )
        .await
        .unwrap();
    // spec.ignore comes last, and includes again what the file in the directory excludes
    assert_eq!(
        scene.files(&artifact),
        ["/sub/.sourceignore", "/sub/x.txt", "/sub/y.yaml"]
    );
    let artifact = scene
        .fetch_layer(
            &request,
            &tag("v1"),
            &layer(helm),
            LayerOperation::Copy,
            Some("*"),
        )
        .await
        .unwrap();
    assert_eq!(artifact.digest.to_string(), digest(&chart), "byte for byte");
    assert!(matches!(artifact.content, Content::File(_)));
    assert_eq!(scene.store.file(&artifact.path).unwrap(), chart);
    let mut served = Vec::new();
    scene.store.write_archive(&artifact.path, &mut served).unwrap();
    assert_eq!(served, chart);
    // a copy is never held as a whole, so that it may be larger than a file of an artifact
    let small = StoreLimits {
        file_size_max: 10,
        ..StoreLimits::default()
    };
    std::fs::create_dir(scene.home.path().join("small")).unwrap();
    let small = Store::open(&scene.home.path().join("small"), small).unwrap();
    let repository = scene.fetcher.repository(&request).unwrap();
    let (pulled, path) = pull(&repository, &request.url, &tag("v1"), &layer(helm))
        .await
        .unwrap();
    let artifact = pulled.store(LayerOperation::Copy, None, &small, &path).unwrap();
    assert_eq!(artifact.digest.to_string(), digest(&chart));
    let missing = scene
        .fetch_layer(
            &request,
            &tag("v1"),
            &layer("nope"),
            LayerOperation::Extract,
            None,
        )
        .await;
    assert_eq!(
        missing.unwrap_err(),
        "failed to find layer with media type 'nope' in artifact"
    );
    let odd = scene
        .registry
        .add_manifest_bytes("org/app", "odd", media_type::MANIFEST, b"{");
    let unread = scene.fetch(&request, &tag("odd")).await.unwrap_err();
    let expected = format!("failed to parse artifact manifest: {odd}: ");
    assert!(unread.starts_with(&expected), "{unread}");
    scene.registry.push_layers("org/app", "empty", &[]);
    let missing = scene.fetch(&request, &tag("empty")).await;
    assert_eq!(missing.unwrap_err(), "no layers found in artifact");
}

#[tokio::test]
async fn an_index_gives_its_own_digest_and_the_files_for_linux_amd64() {
    let scene = Scene::new();
    let arm = scene.registry.push("org/app", "", &[("arm", "")]);
    let amd = scene.registry.push("org/app", "", &[("amd", "")]);
    let child = |digest: &str, architecture: &str| {
        json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1,
            "platform": { "os": "linux", "architecture": architecture } })
    };
    let index = |children: serde_json::Value| json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": children });
    let both = index(json!([child(&arm, "arm64"), child(&amd, "amd64")]));
    let digest = scene.registry.add_manifest("org/app", "multi", &both);
    let artifact = scene.fetch(&scene.request(), &tag("multi")).await.unwrap();
    assert_eq!(artifact.revision, format!("multi@{digest}"));
    assert_eq!(scene.files(&artifact), ["/amd"]);
    scene
        .registry
        .add_manifest("org/app", "arm", &index(json!([child(&arm, "arm64")])));
    let error = scene.fetch(&scene.request(), &tag("arm")).await.unwrap_err();
    assert!(
        error.contains("no child with platform linux/amd64 in index"),
        "{error}"
    );
}

/// R17.
#[tokio::test]
async fn basic_and_token_logins() {
    let scene = Scene::new();
    scene.registry.push("org/app", "v1", &[("a", "")]);
    let host = scene.registry.host();
    let with = |credentials| OciRequest {
        credentials,
        ..scene.request()
    };
    let good = with(login(&host, "user", "pass"));
    let bad = with(login(&host, "user", "n0t-this"));
    let (user, password) = ("user".to_owned(), "pass".to_owned());
    for access in [
        Access::Basic(user.clone(), password.clone()),
        Access::Token(user, password, None),
    ] {
        scene.registry.require(access.clone());
        scene.fetch(&good, &tag("v1")).await.unwrap();
        scene.registry.take_seen();
        scene.fetch(&good, &tag("v1")).await.unwrap();
        assert_eq!(
            scene.registry.take_seen().len(),
            2,
            "{access:?}: the token is known"
        );
        for request in [&bad, &scene.request()] {
            let error = scene.fetch(request, &tag("v1")).await.unwrap_err();
            assert!(
                error.starts_with("failed to determine artifact digest: GET http://localhost:"),
                "{error}"
            );
            assert!(error.contains("UNAUTHORIZED"), "{error}");
            assert!(!error.contains("pass") && !error.contains("n0t-this"), "{error}");
        }
    }
    // A registry that refuses everybody is not asked for ever.
    scene
        .registry
        .misbehave(Fault::RefuseAll("Basic realm=\"x\"".to_owned()));
    scene.registry.take_seen();
    scene.fetch(&good, &tag("v1")).await.unwrap_err();
    assert!(scene.registry.take_seen().len() <= 4);
}

/// N24.
#[tokio::test]
async fn credentials_never_leave_their_origin() {
    let (scene, thief) = (Scene::new(), Registry::start());
    let host = scene.registry.host();
    scene.registry.push("org/app", "v1", &[("a", "")]);
    let request = OciRequest {
        credentials: login(&host, "user", "pass"),
        ..scene.request()
    };
    let (user, password) = ("user".to_owned(), "pass".to_owned());
    // a token service elsewhere
    let realm = format!("{}/token", thief.base());
    scene
        .registry
        .require(Access::Token(user.clone(), password.clone(), Some(realm)));
    let error = scene.fetch(&request, &tag("v1")).await.unwrap_err();
    assert!(
        error.contains("credentials were not sent to the token service 'localhost'"),
        "{error}"
    );
    // redirects elsewhere, of every kind
    scene.registry.require(Access::Basic(user, password));
    for status in [301, 302, 303, 307, 308] {
        scene
            .registry
            .misbehave(Fault::RedirectBlobs(status, thief.base()));
        scene.fetch(&request, &tag("v1")).await.unwrap_err();
    }
    // an upload elsewhere
    scene
        .registry
        .misbehave(Fault::UploadElsewhere(format!("{}/v2/x", thief.base())));
    let push = push("b");
    let error = scene
        .fetcher
        .repository(&request)
        .unwrap()
        .push("v2", &push)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("wants the upload sent to another server"),
        "{error}"
    );
    let seen = thief.take_seen();
    assert!(seen.len() >= 6, "it was asked: {seen:?}");
    assert!(
        seen.iter()
            .all(|seen| seen.authorization.is_none() && seen.method == "GET"),
        "{seen:?}"
    );
    // and a redirect within one server's storage works
    thief.push("org/app", "v1", &[("a", "")]);
    scene.registry.misbehave(Fault::RedirectBlobs(307, thief.base()));
    scene.fetch(&request, &tag("v1")).await.unwrap();
    scene.registry.misbehave(Fault::RedirectLoop);
    let error = scene.fetch(&request, &tag("v1")).await.unwrap_err();
    assert!(
        error.contains("refused to follow a redirect more than 5 times"),
        "{error}"
    );
}

/// N13, R17.
#[tokio::test]
async fn faulty_and_hostile_registries_fail_and_leave_nothing() {
    let scene = Scene::new();
    let long = "x".repeat(100_000);
    scene
        .registry
        .push("org/app", "v1", &[("a.yaml", "a"), ("long", &long)]);
    let mut request = scene.request();
    for (fault, expected) in [
        (Fault::FlipBlob, "error verifying sha256 checksum after reading"),
        (Fault::FlipManifest, "does not match requested digest"),
        (
            Fault::CutBlob(100),
            "failed to extract the first layer from artifact: GET ",
        ),
        (Fault::ShortBlob(100), "the registry sent fewer bytes"),
        (Fault::EndlessBlob, "the registry sent more bytes"),
        (
            Fault::EndlessManifest,
            "the manifest exceeds the limit of 65536 bytes (manifest_size_max)",
        ),
        (Fault::Status(500), "unexpected status code 500"),
        (Fault::Status(404), "unexpected status code 404"),
        (Fault::Status(410), "unexpected status code 410 Gone"),
        (Fault::RetryAfter(429, 7), "to be asked again after 7 s"),
        (Fault::Status(403), "DENIED"),
    ] {
        scene.registry.misbehave(fault.clone());
        let error = scene.fetch(&request, &tag("v1")).await.unwrap_err();
        assert!(error.contains(expected), "{fault:?}: {error}");
        assert!(scene.is_clean(), "{fault:?}");
        assert_eq!(scene.store.artifacts(), [], "{fault:?}");
    }
    request.timeout = Duration::from_millis(300);
    for fault in [Fault::Hang, Fault::SlowBlob] {
        scene.registry.misbehave(fault.clone());
        let error = scene.fetch(&request, &tag("v1")).await.unwrap_err();
        assert!(error.contains("context deadline exceeded"), "{fault:?}: {error}");
    }
    // the tag moves between look and pull: what was looked up is pulled
    scene.registry.misbehave(Fault::None);
    request.timeout = Duration::from_secs(30);
    let repository = scene.fetcher.repository(&request).unwrap();
    let resolved = repository.resolve("", &tag("v1"), None, true).await.unwrap();
    scene.registry.push("org/app", "v1", &[("other", "")]);
    let pulled = repository.pull("", &resolved, &Layer::default()).await.unwrap();
    assert_eq!(pulled.revision, resolved.revision);
}

#[tokio::test]
async fn hostile_archives_are_refused() {
    use tar::EntryType as T;
    let scene = Scene::new();
    let request = scene.request();
    let zeros = gzip(&vec![0; 64 << 20]);
    let many: Vec<Entry> = (0..100_001)
        .map(|number| Entry::file(&format!("f{number}"), ""))
        .collect();
    let row = async |layer: &[u8]| {
        scene.registry.push_layers("org/app", "bad", &[("m", layer)]);
        match scene.fetch(&request, &tag("bad")).await {
            Ok(artifact) => scene.files(&artifact).join(" "),
            Err(error) => error,
        }
    };
    let refused = "failed to extract layer contents from artifact: the archive is refused: entry";
    for (entries, expected) in [
        (
            vec![Entry::file("../x", "")],
            format!("{refused} '../x' leads out of the archive"),
        ),
        (
            vec![Entry::file("/x", "")],
            format!("{refused} '/x' leads out of the archive"),
        ),
        (
            vec![Entry::file("a\\x", "")],
            format!("{refused} 'a\\\\x' leads out of the archive"),
        ),
        (
            vec![Entry::file("a/../../x", "")],
            format!("{refused} 'a/../../x' leads out of the archive"),
        ),
        (
            vec![Entry::special("p", T::Fifo, "")],
            format!("{refused} 'p' is neither a file nor a directory"),
        ),
        (
            vec![Entry::special("d", T::Char, "")],
            format!("{refused} 'd' is neither a file nor a directory"),
        ),
        (
            vec![
                Entry::special("l", T::Symlink, "/etc/passwd"),
                Entry::special("h", T::Link, "../x"),
                Entry::file("a", ""),
            ],
            "/a".to_owned(),
        ),
        (
            vec![
                Entry::special("l", T::Symlink, "/etc"),
                Entry::file("l/passwd", "mine"),
            ],
            "/l/passwd".to_owned(),
        ),
        (
            vec![Entry::file("a", ""), Entry::file("a/b", "")],
            format!("{refused} 'a' is both a file and a directory, or too deep"),
        ),
    ] {
        assert_eq!(row(&tgz(&entries)).await, expected);
    }
    assert!(
        row(b"not gzip")
            .await
            .contains("failed to extract layer contents from artifact: the archive cannot be read")
    );
    assert!(row(&tgz(&many)).await.contains("entries_max"));
    // of comments alone, which are no patterns
    let comments = format!("# {}\n", "a".repeat(1_000_000));
    let ignoring: Vec<Entry> = (0..9)
        .map(|number| Entry::file(&format!("d{number}/.sourceignore"), &comments))
        .collect();
    assert_eq!(
        row(&tgz(&ignoring)).await,
        "failed to load source ignore patterns from repository: .sourceignore files together exceed the limit of 8388608 bytes (ignore_files_size_max)"
    );
    let whole = tgz(&[Entry::file("a", "text")]);
    assert!(
        row(&whole[..whole.len() - 9])
            .await
            .contains("the archive cannot be read")
    );
    // a bomb: much more after decompression than any honest archive
    let text = row(&zeros).await;
    assert!(!text.contains("error") || text.contains("refused"), "{text}");
    assert!(scene.is_clean());
}

#[tokio::test]
async fn certificates_and_insecure_registries() {
    let authority = Authority::new();
    let scene = Scene::over(Registry::start_tls(&authority));
    scene.registry.push("org/app", "v1", &[("a", "")]);
    let error = scene.fetch(&scene.request(), &tag("v1")).await.unwrap_err();
    assert!(
        error.contains("x509: certificate signed by unknown authority"),
        "{error}"
    );
    assert!(
        error.contains("put the authority's certificate under 'ca.crt'"),
        "{error}"
    );
    let insecure = OciRequest {
        insecure: true.into(),
        ..scene.request()
    };
    scene.fetch(&insecure, &tag("v1")).await.unwrap();
    let ca = Some(authority.pem().into_bytes());
    let tls = Tls { ca, identity: None };
    let trusting = OciRequest {
        transport: Transport {
            tls: tls.clone(),
            ..Transport::default()
        },
        ..scene.request()
    };
    scene.fetch(&trusting, &tag("v1")).await.unwrap();

    let scene = Scene::over(Registry::start_mutual_tls(&authority));
    scene.registry.push("org/app", "v1", &[("a", "")]);
    let trusting = OciRequest {
        url: scene.registry.url("org/app"),
        ..trusting
    };
    scene.fetch(&trusting, &tag("v1")).await.unwrap_err();
    let (certificate, key) = authority.issue("client");
    let identity = Some((certificate.into_bytes(), key.into_bytes().into()));
    let known = OciRequest {
        transport: Transport {
            tls: Tls { identity, ..tls },
            ..Transport::default()
        },
        ..trusting
    };
    scene.fetch(&known, &tag("v1")).await.unwrap();
}

/// N21.
#[tokio::test]
async fn machines_that_sources_may_not_ask_are_not_asked() {
    let scene = Scene::new();
    scene.registry.push("org/app", "v1", &[("a", "")]);
    let guarded = |allowed: &[&str]| {
        let allowed: Vec<String> = allowed.iter().map(|&text| text.to_owned()).collect();
        let addresses = Addresses::guarded(vec![], &allowed).unwrap();
        OciFetcher::new(&scene.home.path().join("layers"), limits(), addresses).unwrap()
    };
    let ask = async |fetcher: OciFetcher, url: String| {
        let request = request(&url);
        let repository = fetcher.repository(&request).unwrap();
        let resolved = repository
            .resolve(&url, &tag("v1"), None, false)
            .await
            .map_err(|error| error.to_string())?;
        repository
            .pull(&url, &resolved, &Layer::default())
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    };
    let port = scene.registry.host().rsplit_once(':').unwrap().1.to_owned();
    for host in [
        scene.registry.host(),
        format!("127.0.0.1:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        "169.254.169.254".to_owned(),
    ] {
        let error = ask(guarded(&[]), format!("oci://{host}/org/app"))
            .await
            .unwrap_err();
        assert!(
            error.contains("is one that sources may not ask"),
            "{host}: {error}"
        );
    }
    assert_eq!(scene.registry.take_seen(), []);
    ask(guarded(&["127.0.0.0/8", "::1"]), scene.registry.url("org/app"))
        .await
        .unwrap();
    // nor by redirect
    scene
        .registry
        .misbehave(Fault::RedirectBlobs(307, "http://169.254.169.254".to_owned()));
    let error = ask(guarded(&["127.0.0.0/8", "::1"]), scene.registry.url("org/app"))
        .await
        .unwrap_err();
    assert!(
        error.contains("address 169.254.169.254 is one that sources may not ask"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_pushed_can_be_pulled_and_tagged() {
    let scene = Scene::new();
    let (user, password) = ("user".to_owned(), "pass".to_owned());
    scene.registry.require(Access::Token(user, password, None));
    let request = OciRequest {
        credentials: login(&scene.registry.host(), "user", "pass"),
        ..scene.request()
    };
    let repository = scene.fetcher.repository(&request).unwrap();
    let digest = repository.push("v1", &push("a: 1")).await.unwrap();
    let artifact = scene.fetch(&request, &tag("v1")).await.unwrap();
    assert_eq!(artifact.revision, format!("v1@{digest}"));
    assert_eq!(scene.files(&artifact), ["/a.yaml"]);
    assert_eq!(repository.tag("v1", "latest").await.unwrap(), digest);
    // what a registry lists and is no tag is nothing that anybody could ask for
    scene.registry.push("org/app", &"x".repeat(129), &[("a", "")]);
    assert_eq!(repository.tags().await.unwrap(), ["latest", "v1"]);
}
