//! What a HelmChart says when it fails: whole texts, which are Flux's with a remedy behind them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::helmchart::{offer_git, repository, spec, world};
use crate::sources::{World, changed, condition};
use serde_json::{Value, json};
use sluice_testkit::registry::Registry;

/// Waits until Ready says exactly this, and looks at the condition that it comes from.
async fn says(world: &World, spec: Value, (type_, reason): (&str, &str), message: &str) -> Value {
    world.put_source(spec).await;
    let object = world
        .until(message, async || {
            let object = world.get().await?;
            (condition(&object, "Ready").2 == message).then_some(object)
        })
        .await;
    let status = if type_ == "SourceVerified" {
        "False"
    } else {
        "True"
    };
    let expected = (status.to_owned(), reason.to_owned(), message.to_owned());
    assert_eq!(condition(&object, type_), expected);
    assert_eq!(condition(&object, "Ready").1, reason);
    object
}

const CHART: &str = "apiVersion: v2\nname: web\nversion: 0.1.0\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_among_files() {
    let mut world = world().await;
    world.start().await;
    let depends = |on: &str| format!("{CHART}dependencies: [{on}]\n");
    let charts = [
        ("name", "apiVersion: v2\nname: [web]\nversion: 0.1.0\n".to_owned()),
        ("version", "name: web\nversion: one\n".to_owned()),
        (
            "alias",
            depends("{name: db, version: 1.x, repository: \"@stable\"}"),
        ),
        (
            "place",
            depends("{name: db, version: 1.x, repository: stable/db}"),
        ),
        (
            "absent",
            depends("{name: db, version: 1.x, repository: \"file://../db\"}"),
        ),
        (
            "range",
            depends("{name: lib, version: 2.x, repository: \"file://../lib\"}"),
        ),
        ("ignore", CHART.to_owned()),
        ("schema", CHART.to_owned()),
        ("values", CHART.to_owned()),
        ("lib", "name: lib\nversion: 1.0.0\n".to_owned()),
    ];
    let charts: Vec<(String, String)> = charts
        .into_iter()
        .map(|(name, text)| (format!("{name}/Chart.yaml"), text))
        .collect();
    let mut files: Vec<(&str, &str)> = charts
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
        .collect();
    files.extend([
        ("ignore/.helmignore", "a/**\n"),
        ("schema/values.schema.json", "{"),
        ("values/values.yaml", "- 1\n"),
        ("list.yaml", "- 1\n"),
        ("ok.yaml", "a: 1\n"),
        ("broken.yaml", "a: [1\n"),
    ]);
    let revision = "main@sha1:0123456789abcdef0123456789abcdef01234567";
    offer_git(&world, "repo", revision, &files).await;
    let stalled = ("FetchFailed", "InvalidChartReference");
    let values = ("BuildFailed", "ValuesFilesError");
    let subchart = ("BuildFailed", "DependencyBuildError");
    let package = ("BuildFailed", "ChartPackageError");
    let list = "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type map[string]interface {} (a values file is a table of values)";
    for (chart, files, failure, message) in [
        (
            "name",
            json!([]),
            stalled,
            "invalid chart reference: cannot load 'Chart.yaml': error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go struct field Metadata.name of type string".to_owned(),
        ),
        (
            "version",
            json!([]),
            stalled,
            "invalid chart reference: validation: chart.metadata.version \"one\" is invalid".to_owned(),
        ),
        (
            "lib",
            json!(["none.yaml"]),
            values,
            "values files merge error: no values file found at path '/none.yaml' (reference 'none.yaml')".to_owned(),
        ),
        (
            "lib",
            json!(["list.yaml"]),
            values,
            format!("values files merge error: unmarshaling values from 'list.yaml' failed: {list}"),
        ),
        (
            "lib",
            json!(["ok.yaml"]),
            values,
            "values files merge error: failed to locate values file: values.yaml".to_owned(),
        ),
        (
            "alias",
            json!([]),
            subchart,
            "dependency build error: failed to add remote dependency 'db': aliased repository dependency is not supported: @stable/ (write the address of the repository)".to_owned(),
        ),
        (
            "place",
            json!([]),
            subchart,
            "dependency build error: failed to add remote dependency 'db': invalid dependency repository URL: stable/db/ (write the address of the repository)".to_owned(),
        ),
        (
            "absent",
            json!([]),
            subchart,
            "dependency build error: failed to add local dependency 'db': no chart found at '/db' (reference 'file://../db')".to_owned(),
        ),
        (
            "range",
            json!([]),
            subchart,
            "dependency build error: failed to add local dependency 'lib': can't get a valid version for constraint '2.x'".to_owned(),
        ),
        (
            "ignore",
            json!([]),
            package,
            "chart package error: cannot load ignore rules for chart: double-star (**) syntax is not supported".to_owned(),
        ),
        (
            "schema",
            json!([]),
            package,
            "chart package error: failed to package chart: invalid JSON in values.schema.json".to_owned(),
        ),
        (
            "values",
            json!([]),
            package,
            format!("chart package error: failed to load chart from /values/: cannot load values.yaml: cannot unmarshal yaml document: {list}"),
        ),
    ] {
        let source = json!({ "kind": "GitRepository", "name": "repo" });
        let git = json!({ "chart": chart, "sourceRef": source, "valuesFiles": files });
        let object = says(&world, spec(git), failure, &message).await;
        let is_final = failure == stalled || failure == values;
        assert_eq!(condition(&object, "Stalled").0 == "True", is_final, "{message}");
        let event = format!("Warning {}: {message}", failure.1);
        world.told(&[event]).await;
    }

    // a revision that is no part of a version
    offer_git(
        &world,
        "odd",
        "main@sha1:not_a_hash",
        &[("lib/Chart.yaml", "name: lib\nversion: 1.0.0\n")],
    )
    .await;
    let of = |name: &str| {
        let source = json!({ "kind": "GitRepository", "name": name });
        spec(json!({ "chart": "lib", "sourceRef": source, "reconcileStrategy": "Revision" }))
    };
    let message =
        "chart metadata patch error: failed to set SemVer metadata on chart version: invalid metadata string";
    let object = says(&world, of("odd"), ("BuildFailed", "MetadataPatchError"), message).await;
    assert_eq!(condition(&object, "Stalled").0, "True");
    world
        .told(&[format!("Warning MetadataPatchError: {message}")])
        .await;

    // a source that has nothing yet is awaited
    let bare = json!({ "interval": "1h", "url": "https://git.example/org/repo" });
    let kind = ("source.toolkit.fluxcd.io/v1", "GitRepository");
    let metadata = json!({ "name": "bare" });
    world
        .put(json!({ "apiVersion": kind.0, "kind": kind.1, "metadata": metadata, "spec": bare }))
        .await;
    let message = "no artifact available for GitRepository source 'bare'";
    let object = says(&world, of("bare"), ("FetchFailed", "NoSourceArtifact"), message).await;
    assert_eq!(condition(&object, "Reconciling").0, "True");
    world.told(&[format!("Normal NoSourceArtifact: {message}")]).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chart_in_a_registry() {
    let (mut world, registry) = (world().await, Registry::start());
    registry.push_layers("org/shop", "v1.0.0", &[("application/octet-stream", b"x")]);
    world.start().await;
    let url = registry.url("org");
    repository(
        &world,
        "charts",
        json!({ "type": "oci", "url": url, "insecure": true }),
    )
    .await;
    let message = format!(
        "chart pull error: failed to get chart version for remote reference: could not get tags for \"shop\": unable to locate any tags in provided repository: {url}/shop"
    );
    says(
        &world,
        spec(json!({})),
        ("FetchFailed", "ChartPullError"),
        &message,
    )
    .await;

    let cosign = json!({ "provider": "cosign", "secretRef": { "name": "keys" } });
    let notation = json!({ "provider": "notation", "secretRef": { "name": "keys" } });
    let nobody = json!({ "provider": "notation" });
    let none = json!({ "other": "x" });
    let refused = |provider: &str, cause: &str| {
        format!("failed to verify the signature using provider '{provider}': {cause}")
    };
    for (data, verify, provider, cause) in [
        (
            &none,
            &nobody,
            "notation",
            "verification secret cannot be empty: 'shop'",
        ),
        (
            &none,
            &cosign,
            "cosign",
            "no public keys found in secret 'default/keys' (a key's name must end in .pub)",
        ),
        (
            &none,
            &notation,
            "notation",
            "'trustpolicy.json' not found in secret 'default/keys'",
        ),
        (
            &json!({ "trustpolicy.json": "{}" }),
            &notation,
            "notation",
            "no certificates found in secret 'default/keys'",
        ),
        (
            &json!({ "trustpolicy.json": "[]", "a.pem": "x" }),
            &notation,
            "notation",
            "error occurred while parsing trustpolicy.json: json: cannot unmarshal array into Go value of type trustpolicy.Document",
        ),
        (
            &json!({ "trustpolicy.json": "{}", "a.pem": "x" }),
            &notation,
            "notation",
            "trust policy document has empty version, version must be specified",
        ),
    ] {
        world.put_secret("keys", data.clone()).await;
        let verified = changed(spec(json!({ "version": "1.0.0" })), &json!({ "verify": verify }));
        let message = refused(provider, cause);
        says(
            &world,
            verified,
            ("SourceVerified", "VerificationError"),
            &message,
        )
        .await;
        world.request(cause).await;
    }
    // a registry that is none
    let url_of_none = "https://charts.example/x";
    repository(&world, "none", json!({ "type": "oci", "url": url_of_none })).await;
    let problem = format!("failed to construct Helm client: invalid OCI registry URL: {url_of_none}/");
    let source = json!({ "kind": "HelmRepository", "name": "none" });
    let object = says(
        &world,
        spec(json!({ "sourceRef": source })),
        ("FetchFailed", "Unknown"),
        &format!("unknown build error: {problem}"),
    )
    .await;
    let stalled = ("True".to_owned(), "Failed".to_owned(), problem.clone());
    assert_eq!(condition(&object, "Stalled"), stalled);
    world.told(&[format!("Warning Failed: {problem}")]).await;
    // who we are to the registry
    let login = json!({ "type": "oci", "url": url, "insecure": true, "secretRef": { "name": "login" } });
    for (data, problem) in [
        (
            json!({ "username": "me" }),
            "failed to detect authentication methods: secret 'default/login': malformed basic auth - has 'username' but missing 'password'",
        ),
        (
            json!({ "username": "me", "password": "" }),
            "failed to configure OCI registry authentication: invalid 'login' secret data: required fields 'username' and 'password'",
        ),
    ] {
        world.put_secret("login", data).await;
        repository(&world, "charts", login.clone()).await;
        let message = format!("unknown build error: {problem}");
        let plain = spec(json!({ "version": "1.0.0" }));
        says(&world, plain, ("FetchFailed", "Unknown"), &message).await;
        let event = format!("Warning AuthenticationFailed: {problem}");
        world.told(&[event]).await;
        world.request(problem).await;
    }
    world.stop().await;
}
