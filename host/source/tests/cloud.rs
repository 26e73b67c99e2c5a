//! Clouds give credentials for their own registries and for no others; an emulator stands in for their services.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::support::rsa_key;
use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde_json::json;
use sluice_api::{Disposition as _, reason};
use sluice_event::Redacted;
use sluice_source::{
    Addresses, BucketFetcher, Credentials, Proxy, Transport,
    bucket::{Access, BucketLimits, BucketRequest, S3Identity},
    credential::Error,
    credential::cloud::{Account, Cloud, CloudEndpoints, CloudEnvironment, Clouds, Cluster},
};
use sluice_testkit::{canned::Canned, storage::Storage};

fn clouds(emulator: &Canned, variables: &[(&str, &str)]) -> Clouds {
    let variables: HashMap<String, String> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let environment = CloudEnvironment::read(|name| variables.get(name).cloned());
    let endpoints = CloudEndpoints {
        emulator: Some(emulator.base().parse().unwrap()),
    };
    Clouds::new(environment, endpoints, 10, Duration::from_secs(3600)).unwrap()
}

async fn login(clouds: &Clouds, cloud: Cloud, repository: &str) -> Result<String, String> {
    match clouds.registry(cloud).credentials(repository).await {
        Ok(Credentials::Basic { username, password }) => Ok(format!("{username}:{}", password.reveal())),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

/// `AWS:password` in base64.
const ECR: &str =
    r#"{"authorizationData":[{"authorizationToken":"QVdTOnBhc3N3b3Jk","expiresAt":4102444800.0}]}"#;
const ECR_HOST: &str = "api.ecr.eu-west-1.amazonaws.com";
const ECR_REPOSITORY: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app";

#[tokio::test]
async fn amazon_by_web_identity() {
    let (emulator, folder) = (Canned::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("token");
    std::fs::write(&file, "the.web.token\n").unwrap();
    let variables = [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/puller"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let clouds = clouds(&emulator, &variables);
    let assumed = r#"{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":
        {"AccessKeyId":"AKID","SecretAccessKey":"s3cr3t","SessionToken":"session"}}}}"#;
    emulator.answer("POST /sts.eu-west-1.amazonaws.com/", 200, assumed);
    emulator.answer(&format!("POST /{ECR_HOST}/"), 200, ECR);
    assert_eq!(
        login(&clouds, Cloud::Aws, ECR_REPOSITORY).await.unwrap(),
        "AWS:password"
    );
    let asked = emulator.take_asked();
    assert_eq!(asked.len(), 2);
    assert!(
        asked[0].body.contains("WebIdentityToken=the.web.token"),
        "{}",
        asked[0].body
    );
    let header = |name: &str| asked[1].headers.get(name).cloned().unwrap_or_default();
    assert!(
        header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=AKID/"),
        "{}",
        header("authorization")
    );
    assert!(header("authorization").contains("/eu-west-1/ecr/aws4_request, SignedHeaders="));
    assert_eq!(header("x-amz-security-token"), "session");
    assert_eq!(
        header("x-amz-target"),
        "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken"
    );
    assert!(!format!("{asked:?}").contains("s3cr3t"));
    // kept while it lasts
    login(&clouds, Cloud::Aws, ECR_REPOSITORY).await.unwrap();
    assert_eq!(emulator.take_asked().len(), 0);
}

#[tokio::test]
async fn a_bucket_is_read_by_the_token_service_of_our_own_region() {
    let (emulator, storage) = (Canned::start(), Storage::start());
    storage.put("shop", "a", "1");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "the.web.token\n").unwrap();
    let role = [
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let fetcher = BucketFetcher::new(folder.path(), BucketLimits::default(), Addresses::any()).unwrap();
    let list = async |environment: &[(&str, &str)], region: Option<&str>| {
        let request = BucketRequest {
            name: "shop".to_owned(),
            access: Access::S3 {
                endpoint: storage.host(),
                region: region.map(str::to_owned),
                is_plain: true,
                identity: S3Identity::Role(None),
            },
            clouds: clouds(&emulator, &[&role[..], environment].concat()),
            prefix: None,
            ignore: None,
            transport: Transport::default(),
            timeout: Duration::from_secs(60),
        };
        fetcher.bucket(&request).unwrap().index().await
    };
    let failed = list(&[], None).await.unwrap_err();
    assert_eq!(failed.reason(), reason::AUTHENTICATION_FAILED);
    let text = failed.to_string();
    assert!(
        text.starts_with("AWS authentication failed: Security Token Service: "),
        "{text}"
    );
    emulator.take_asked();
    let here = ("AWS_REGION", "eu-central-1");
    for (environment, region, expected) in [
        (vec![here], None, "eu-central-1"),
        (vec![("AWS_DEFAULT_REGION", "eu-west-3")], None, "eu-west-3"),
        // what the object says goes for both
        (vec![here], Some("us-west-2"), "us-west-2"),
        (vec![], None, "us-east-1"),
    ] {
        emulator.answer(
            &format!("POST /sts.{expected}.amazonaws.com/"),
            200,
            r#"{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":
            {"AccessKeyId":"AKID","SecretAccessKey":"s3cr3t","SessionToken":"session"}}}}"#,
        );
        assert_eq!(list(&environment, region).await.unwrap().objects(), 1);
        let asked = emulator.take_asked();
        assert_eq!(asked[0].target, format!("/sts.{expected}.amazonaws.com/"));
    }
}

#[tokio::test]
async fn services_are_asked_through_the_proxy_and_the_machine_is_not() {
    let (emulator, between) = (Canned::start(), Canned::start());
    // a proxy is asked for whole addresses
    between.answer(&format!("POST {}{ECR_HOST}/", emulator.base()), 200, ECR);
    let given = r#"{"AccessKeyId":"AGENT","SecretAccessKey":"x","Token":"t"}"#;
    emulator.answer("GET /169.254.170.2/v2/credentials", 200, given);
    let variables = [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials")];
    let proxy = Proxy {
        address: between.base(),
        credentials: Some(("me".to_owned(), Redacted::new("secret".to_owned()))),
    };
    let guarded = Addresses::guarded(vec![], &[]).unwrap();
    let refused = clouds(&emulator, &variables).through(Some(&proxy), &guarded);
    let through = clouds(&emulator, &variables).through(Some(&proxy), &Addresses::any());
    login(&through.unwrap(), Cloud::Aws, ECR_REPOSITORY)
        .await
        .unwrap();
    let asked = between.take_asked();
    assert_eq!(asked.len(), 1, "the registry, and not the pod's agent");
    assert_eq!(asked[0].headers["proxy-authorization"], "Basic bWU6c2VjcmV0");
    assert_eq!(emulator.take_asked().len(), 1);
    // the name of a proxy is looked at when it is asked
    let refused = login(&refused.unwrap(), Cloud::Aws, ECR_REPOSITORY)
        .await
        .unwrap_err();
    assert!(refused.contains("one that sources may not ask"), "{refused}");
    assert!(between.take_asked().is_empty());
}

#[tokio::test]
async fn amazon_by_key_by_agent_and_by_machine() {
    let emulator = Canned::start();
    emulator.answer(&format!("POST /{ECR_HOST}/"), 200, ECR);
    let by_key = clouds(
        &emulator,
        &[("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "x")],
    );
    login(&by_key, Cloud::Aws, ECR_REPOSITORY).await.unwrap();

    let given = r#"{"AccessKeyId":"AGENT","SecretAccessKey":"x","Token":"t"}"#;
    emulator.answer("GET /169.254.170.2/v2/credentials", 200, given);
    let by_agent = clouds(
        &emulator,
        &[("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials")],
    );
    login(&by_agent, Cloud::Aws, ECR_REPOSITORY).await.unwrap();

    emulator.answer("PUT /169.254.169.254/latest/api/token", 200, "imds");
    emulator.answer(
        "GET /169.254.169.254/latest/meta-data/iam/security-credentials/",
        200,
        "node-role",
    );
    emulator.answer(
        "GET /169.254.169.254/latest/meta-data/iam/security-credentials/node-role",
        200,
        given,
    );
    let by_machine = clouds(&emulator, &[]);
    emulator.take_asked();
    login(&by_machine, Cloud::Aws, ECR_REPOSITORY).await.unwrap();
    let asked = emulator.take_asked();
    assert_eq!(asked[1].headers["x-aws-ec2-metadata-token"], "imds");
    let public = r#"{"authorizationData":{"authorizationToken":"QVdTOnB1YmxpYw=="}}"#;
    emulator.answer("POST /api.ecr-public.us-east-1.amazonaws.com/", 200, public);
    assert_eq!(
        login(&by_machine, Cloud::Aws, "public.ecr.aws/x/y")
            .await
            .unwrap(),
        "AWS:public"
    );
    // a role with a path in its name is none
    emulator.answer(
        "GET /169.254.169.254/latest/meta-data/iam/security-credentials/",
        200,
        "../../x",
    );
    let error = login(&clouds(&emulator, &[]), Cloud::Aws, ECR_REPOSITORY)
        .await
        .unwrap_err();
    assert_eq!(error, "the machine's metadata service: the machine has no role");
}

#[tokio::test]
async fn microsoft_by_federated_token_and_by_machine() {
    let (emulator, folder) = (Canned::start(), tempfile::tempdir().unwrap());
    let file = folder.path().join("token");
    std::fs::write(&file, "federated").unwrap();
    let federated = clouds(
        &emulator,
        &[
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ],
    );
    emulator.answer(
        "POST /login.microsoftonline.com/tenant/oauth2/v2.0/token",
        200,
        r#"{"access_token":"entra"}"#,
    );
    emulator.answer(
        "POST /shop.azurecr.io/oauth2/exchange",
        200,
        r#"{"refresh_token":"refresh"}"#,
    );
    let user = "00000000-0000-0000-0000-000000000000";
    assert_eq!(
        login(&federated, Cloud::Azure, "shop.azurecr.io/app")
            .await
            .unwrap(),
        format!("{user}:refresh")
    );
    let asked = emulator.take_asked();
    assert!(
        asked[0].body.contains("client_assertion=federated"),
        "{}",
        asked[0].body
    );
    assert!(
        asked[1]
            .body
            .contains("service=shop.azurecr.io&access_token=entra"),
        "{}",
        asked[1].body
    );
    emulator.answer(
        "GET /169.254.169.254/metadata/identity/oauth2/token",
        200,
        r#"{"access_token":"imds"}"#,
    );
    login(&clouds(&emulator, &[]), Cloud::Azure, "shop.azurecr.io/app")
        .await
        .unwrap();
    assert_eq!(emulator.take_asked()[0].headers["metadata"], "true");
}

#[tokio::test]
async fn microsoft_by_an_applications_secret() {
    let emulator = Canned::start();
    let clouds = clouds(
        &emulator,
        &[
            ("AZURE_TENANT_ID", "tenant"),
            ("AZURE_CLIENT_ID", "client"),
            ("AZURE_CLIENT_SECRET", "s3cr3t"),
        ],
    );
    let token = "POST /login.microsoftonline.com/tenant/oauth2/v2.0/token";
    emulator.answer(token, 200, r#"{"access_token":"entra"}"#);
    let exchange = "POST /shop.azurecr.io/oauth2/exchange";
    emulator.answer(exchange, 200, r#"{"refresh_token":"refresh"}"#);
    let given = login(&clouds, Cloud::Azure, "shop.azurecr.io/app").await.unwrap();
    assert!(given.ends_with(":refresh"), "{given}");
    let body = &emulator.take_asked()[0].body;
    assert!(
        body.contains("client_id=client&") && body.contains("&client_secret=s3cr3t"),
        "{body}"
    );
}

#[tokio::test]
async fn amazon_by_a_profile() {
    let (emulator, folder) = (Canned::start(), tempfile::tempdir().unwrap());
    std::fs::create_dir(folder.path().join(".aws")).unwrap();
    let keys = "[work]\naws_access_key_id = WORK\naws_secret_access_key = x\n";
    std::fs::write(folder.path().join(".aws/credentials"), keys).unwrap();
    let home = ("HOME", folder.path().to_str().unwrap());
    emulator.answer(&format!("POST /{ECR_HOST}/"), 200, ECR);
    let named = clouds(&emulator, &[home, ("AWS_PROFILE", "work")]);
    login(&named, Cloud::Aws, ECR_REPOSITORY).await.unwrap();
    let authorization = &emulator.take_asked()[0].headers["authorization"];
    assert!(authorization.contains("Credential=WORK/"), "{authorization}");
    let missing = clouds(&emulator, &[home, ("AWS_PROFILE", "play")]);
    let error = login(&missing, Cloud::Aws, ECR_REPOSITORY).await.unwrap_err();
    assert!(
        error.contains("profile 'play', which AWS_PROFILE names"),
        "{error}"
    );
    // nobody named one, and there is none: the machine is asked
    let error = login(&clouds(&emulator, &[home]), Cloud::Aws, ECR_REPOSITORY).await;
    let error = error.unwrap_err();
    assert!(error.starts_with("the machine's metadata service"), "{error}");
}

#[tokio::test]
async fn google_by_files() {
    let (emulator, folder) = (Canned::start(), tempfile::tempdir().unwrap());
    let place = folder.path().join("credentials.json");
    let subject = folder.path().join("subject");
    let by = async |json: serde_json::Value| {
        std::fs::write(&place, json.to_string()).unwrap();
        let clouds = clouds(
            &emulator,
            &[("GOOGLE_APPLICATION_CREDENTIALS", place.to_str().unwrap())],
        );
        let given = login(&clouds, Cloud::Gcp, "europe-docker.pkg.dev/shop/app").await;
        let bodies: Vec<String> = emulator
            .take_asked()
            .into_iter()
            .map(|asked| asked.body)
            .collect();
        (given, bodies)
    };
    let token = r#"{"access_token":"ya29","expires_in":3600}"#;
    for service in ["oauth2", "sts"] {
        let path = if service == "sts" { "v1/token" } else { "token" };
        emulator.answer(&format!("POST /{service}.googleapis.com/{path}"), 200, token);
    }
    let expected = Ok("oauth2accesstoken:ya29".to_owned());

    let account = json!({
        "type": "service_account", "client_email": "puller@shop.iam.gserviceaccount.com",
        "private_key": rsa_key(), "token_uri": "https://oauth2.googleapis.com/token",
    });
    let (given, bodies) = by(account.clone()).await;
    assert_eq!(given, expected);
    assert!(bodies[0].contains("jwt-bearer&assertion=ey"), "{bodies:?}");

    let person = json!({
        "type": "authorized_user", "client_id": "id", "client_secret": "s3cr3t", "refresh_token": "refresh",
    });
    let (given, bodies) = by(person.clone()).await;
    assert_eq!(given, expected);
    let form = "grant_type=refresh_token&client_id=id&client_secret=s3cr3t&refresh_token=refresh";
    assert_eq!(bodies, [form]);
    // as gcloud leaves it
    let gcloud = folder.path().join(".config/gcloud");
    std::fs::create_dir_all(&gcloud).unwrap();
    std::fs::write(
        gcloud.join("application_default_credentials.json"),
        person.to_string(),
    )
    .unwrap();
    let home = clouds(&emulator, &[("HOME", folder.path().to_str().unwrap())]);
    let given = login(&home, Cloud::Gcp, "europe-docker.pkg.dev/shop/app").await;
    assert_eq!(given, expected);
    emulator.take_asked();

    let act = "iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/puller@shop.iam.gserviceaccount.com:generateAccessToken";
    emulator.answer(&format!("POST /{act}"), 200, r#"{"accessToken": "puller"}"#);
    let federated = |source: serde_json::Value| {
        json!({
            "type": "external_account", "audience": "//iam.googleapis.com/x", "token_url": "https://sts.googleapis.com/v1/token",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "credential_source": source,
            "service_account_impersonation_url": format!("https://{act}"),
        })
    };
    std::fs::write(&subject, "the.token\n").unwrap();
    let (given, bodies) = by(federated(json!({ "file": subject }))).await;
    assert_eq!(given, Ok("oauth2accesstoken:puller".to_owned()));
    assert!(bodies[0].ends_with("&subject_token=the.token"), "{bodies:?}");
    let format = json!({ "type": "json", "subject_token_field_name": "id" });
    std::fs::write(&subject, r#"{"id": "inner"}"#).unwrap();
    let (given, bodies) = by(federated(json!({ "file": subject, "format": format }))).await;
    assert_eq!(given, Ok("oauth2accesstoken:puller".to_owned()));
    assert!(bodies[0].ends_with("&subject_token=inner"), "{bodies:?}");

    let mut plain = account;
    plain["token_uri"] = "http://oauth2.googleapis.com/token".into();
    for (file, expected) in [
        (
            federated(json!({ "url": "http://169.254.169.254/" })),
            "only 'file' is supported",
        ),
        (
            json!({ "type": "gdch_service_account" }),
            "no credentials of a service_account",
        ),
        (plain, "a key is shown over https only"),
    ] {
        let (given, bodies) = by(file).await;
        let error = given.unwrap_err();
        assert!(error.contains(expected) && !error.contains("PRIVATE"), "{error}");
        assert_eq!(bodies.len(), 0, "nobody is asked");
    }
}

#[tokio::test]
async fn google_by_machine() {
    let emulator = Canned::start();
    let path = "/metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token";
    emulator.answer(
        &format!("GET {path}"),
        200,
        r#"{"access_token":"ya29","expires_in":3600}"#,
    );
    let clouds = clouds(&emulator, &[]);
    let user = "oauth2accesstoken:ya29";
    assert_eq!(
        login(&clouds, Cloud::Gcp, "europe-docker.pkg.dev/shop/app")
            .await
            .unwrap(),
        user
    );
    assert_eq!(emulator.take_asked()[0].headers["metadata-flavor"], "Google");
}

#[tokio::test]
async fn no_token_is_asked_for_a_registry_that_is_not_the_clouds() {
    let emulator = Canned::start();
    let clouds = clouds(&emulator, &[]);
    for (cloud, host, expected) in [
        (
            Cloud::Aws,
            "evil.example/app",
            "invalid AWS registry: 'evil.example'. must match",
        ),
        (
            Cloud::Azure,
            "azurecr.io.evil.example/app",
            "invalid Azure registry: 'azurecr.io.evil.example'. must match",
        ),
        (
            Cloud::Azure,
            "a/b.azurecr.io",
            "invalid Azure registry: 'a'. must match",
        ),
        (
            Cloud::Gcp,
            "gcr.io.evil.example/app",
            "invalid GCP registry: 'gcr.io.evil.example'. must match",
        ),
    ] {
        let error = login(&clouds, cloud, host).await.unwrap_err();
        assert!(error.starts_with(expected), "{error}");
    }
    assert_eq!(emulator.take_asked().len(), 0);
    // what fails is said without what was sent or answered
    emulator.answer("PUT /169.254.169.254/latest/api/token", 500, "a secret text");
    let error = login(&clouds, Cloud::Aws, ECR_REPOSITORY).await.unwrap_err();
    assert_eq!(
        error,
        "the machine's metadata service: unexpected status code 500"
    );
}

const ARN: &str = "arn:aws:eks:eu-west-1:123456789012:cluster/prod";
/// `-----CA-----` in base64.
const CA: &str = "LS0tLS1DQS0tLS0t";

fn cluster<'a>(name: &'a str, address: &'a str, ca: &'a str) -> Cluster<'a> {
    Cluster { name, address, ca }
}

#[tokio::test]
async fn a_cluster_of_amazon_takes_a_signed_question_as_a_token() {
    let emulator = Canned::start();
    let variables = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "s3cr3t")];
    let clouds = clouds(&emulator, &variables);
    let described = format!(
        r#"{{"cluster": {{"endpoint": "https://ABC.gr7.eu-west-1.eks.amazonaws.com", "certificateAuthority": {{"data": "{CA}"}}}}}}"#
    );
    emulator.answer("GET /eks.eu-west-1.amazonaws.com/clusters/prod", 200, &described);
    let access = clouds.cluster(Cloud::Aws, cluster(ARN, "", "")).await.unwrap();
    assert_eq!(access.address, "https://ABC.gr7.eu-west-1.eks.amazonaws.com");
    assert_eq!(access.ca, "-----CA-----");
    assert_eq!(access.lifetime, Duration::from_secs(900));
    let token = access.token.reveal().strip_prefix("k8s-aws-v1.").unwrap();
    let url = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, token).unwrap();
    let url = String::from_utf8(url).unwrap();
    assert!(
        url.starts_with("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15&"),
        "{url}"
    );
    assert!(
        url.contains("&X-Amz-SignedHeaders=host%3Bx-k8s-aws-id&X-Amz-Signature="),
        "{url}"
    );
    let asked = emulator.take_asked();
    let signed = &asked[0].headers["authorization"];
    assert!(
        signed.contains("/eu-west-1/eks/aws4_request, SignedHeaders="),
        "{signed}"
    );
    // with everything said, nobody is asked
    let access = clouds
        .cluster(Cloud::Aws, cluster(ARN, "one.example", "CA"))
        .await
        .unwrap();
    assert_eq!(
        (access.address.as_str(), access.ca.as_str()),
        ("one.example", "CA")
    );
    assert_eq!(emulator.take_asked().len(), 0);
    let error = clouds
        .cluster(Cloud::Aws, cluster("prod", "", ""))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("invalid EKS cluster ARN: 'prod'. must match arn:aws:eks:")
    );
}

#[tokio::test]
async fn a_cluster_of_google_takes_the_workloads_token() {
    let emulator = Canned::start();
    let clouds = clouds(&emulator, &[]);
    emulator.answer(
        "GET /metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
        200,
        r#"{"access_token": "ya29", "expires_in": 1800, "token_type": "Bearer"}"#,
    );
    let name = "projects/p/locations/europe-west1/clusters/prod";
    let described =
        format!(r#"{{"endpoint": "203.0.113.7", "masterAuth": {{"clusterCaCertificate": "{CA}"}}}}"#);
    emulator.answer(
        &format!("GET /container.googleapis.com/v1/{name}"),
        200,
        &described,
    );
    let access = clouds.cluster(Cloud::Gcp, cluster(name, "", "")).await.unwrap();
    assert_eq!(
        (access.address.as_str(), access.ca.as_str()),
        ("203.0.113.7", "-----CA-----")
    );
    assert_eq!(
        (access.token.reveal().as_str(), access.lifetime),
        ("ya29", Duration::from_secs(1800))
    );
    assert_eq!(emulator.take_asked()[1].headers["authorization"], "Bearer ya29");
    // what the user says wins
    let access = clouds
        .cluster(Cloud::Gcp, cluster(name, "dns.example", ""))
        .await
        .unwrap();
    assert_eq!(
        (access.address.as_str(), access.ca.as_str()),
        ("dns.example", "-----CA-----")
    );
    emulator.take_asked();
    let odd = "projects/p/locations/../clusters/prod";
    let error = clouds
        .cluster(Cloud::Gcp, cluster(odd, "", ""))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with(&format!("invalid GKE cluster ID: '{odd}'"))
    );
    assert_eq!(emulator.take_asked().len(), 1, "the token only");
}

#[tokio::test]
async fn a_cluster_of_microsoft_is_found_among_its_kubeconfigs() {
    let emulator = Canned::start();
    let clouds = clouds(&emulator, &[]);
    emulator.answer(
        "GET /169.254.169.254/metadata/identity/oauth2/token",
        200,
        r#"{"access_token": "imds"}"#,
    );
    let id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/prod";
    let at = |question: &str| format!("/management.azure.com{id}{question}");
    emulator.answer(
        &format!("GET {}", at("")),
        200,
        r#"{"properties": {"aadProfile": {"managed": true}}}"#,
    );
    let kubeconfig = |server: &str| {
        let text = format!(
            "clusters:\n- name: prod\n  cluster:\n    server: {server}\n    certificate-authority-data: {CA}\n"
        );
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, text)
    };
    let listed = format!(
        r#"{{"kubeconfigs": [{{"name": "a", "value": "{}"}}, {{"name": "b", "value": "{}"}}]}}"#,
        kubeconfig("https://public.azmk8s.io:443"),
        kubeconfig("https://private.example:443"),
    );
    emulator.answer(
        &format!("POST {}", at("/listClusterUserCredential")),
        200,
        &listed,
    );
    let access = clouds.cluster(Cloud::Azure, cluster(id, "", "")).await.unwrap();
    assert_eq!(access.address, "https://public.azmk8s.io:443");
    assert_eq!(
        (access.ca.as_str(), access.token.reveal().as_str()),
        ("-----CA-----", "imds")
    );
    let asked = emulator.take_asked();
    let aks = "&resource=6dae42f8-4368-4678-94ff-3960e28e3630";
    assert!(asked[0].target.ends_with(aks), "{asked:?}");
    let management = "&resource=https%3A%2F%2Fmanagement.azure.com%2F";
    assert!(asked[1].target.ends_with(management), "{asked:?}");
    assert!(
        asked[3]
            .target
            .ends_with("/listClusterUserCredential?api-version=2024-05-01")
    );
    assert_eq!(asked[3].headers["authorization"], "Bearer imds");
    let access = clouds
        .cluster(Cloud::Azure, cluster(id, "private.example", ""))
        .await
        .unwrap();
    assert_eq!(access.address, "private.example");
    let error = clouds
        .cluster(Cloud::Azure, cluster(id, "other.example", ""))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "no kubeconfig found for AKS cluster {id} matching the specified address 'other.example'. cluster addresses: \
             ['https://public.azmk8s.io:443', 'https://private.example:443']"
        )
    );
    emulator.answer(&format!("GET {}", at("")), 200, r#"{"properties": {}}"#);
    let error = clouds
        .cluster(Cloud::Azure, cluster(id, "", ""))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("does not have Microsoft Entra ID integration enabled"),
        "{error}"
    );
}

/// A service account that says for whom its token was made.
#[derive(Debug)]
struct Deployer(&'static [(&'static str, &'static str)]);

impl Account for Deployer {
    fn place(&self) -> (&str, &str) {
        ("apps", "deployer")
    }

    fn annotation(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| *value)
    }

    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Redacted<String>, Error>> {
        Box::pin(async move { Ok(Redacted::new(format!("for {audience}"))) })
    }
}

fn as_account(clouds: &Clouds, annotations: &'static [(&'static str, &'static str)]) -> Clouds {
    clouds.as_account(Arc::new(Deployer(annotations)))
}

#[tokio::test]
async fn an_account_is_a_role_of_amazon() {
    const ROLE: &[(&str, &str)] = &[(
        "eks.amazonaws.com/role-arn",
        "arn:aws:iam::123456789012:role/deployer",
    )];
    let emulator = Canned::start();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "OWN"),
        ("AWS_SECRET_ACCESS_KEY", "own-secret"),
    ];
    let own = clouds(&emulator, &variables);
    let assumed = r#"{"AssumeRoleWithWebIdentityResponse":{"AssumeRoleWithWebIdentityResult":{"Credentials":
        {"AccessKeyId":"ASSUMED","SecretAccessKey":"s3cr3t","SessionToken":"session"}}}}"#;
    emulator.answer("POST /sts.eu-west-1.amazonaws.com/", 200, assumed);
    emulator.answer(&format!("POST /{ECR_HOST}/"), 200, ECR);
    login(&own, Cloud::Aws, ECR_REPOSITORY).await.unwrap();
    assert!(emulator.take_asked()[0].headers["authorization"].contains("Credential=OWN/"));
    // what is kept for the controller is not given to the account
    let account = as_account(&own, ROLE);
    login(&account, Cloud::Aws, ECR_REPOSITORY).await.unwrap();
    let asked = emulator.take_asked();
    assert!(
        asked[0]
            .body
            .contains("RoleSessionName=deployer.apps.eu-west-1.fluxcd.io"),
        "{}",
        asked[0].body
    );
    assert!(
        asked[0].body.contains("WebIdentityToken=for+sts.amazonaws.com"),
        "{}",
        asked[0].body
    );
    assert!(asked[1].headers["authorization"].contains("Credential=ASSUMED/"));
    assert_ne!(
        own.registry(Cloud::Aws).identity(),
        account.registry(Cloud::Aws).identity()
    );
    let nobody = as_account(
        &own,
        &[("eks.amazonaws.com/role-arn", "arn:aws:iam::x:role/deployer")],
    );
    let error = login(&nobody, Cloud::Aws, ECR_REPOSITORY).await.unwrap_err();
    assert_eq!(
        error,
        "service account 'apps/deployer': invalid eks.amazonaws.com/role-arn annotation: 'arn:aws:iam::x:role/deployer'. \
         must match arn:aws:iam::<account>:role/<name>"
    );
    assert_eq!(emulator.take_asked().len(), 0);
}

#[tokio::test]
async fn an_account_is_an_application_of_microsoft() {
    let emulator = Canned::start();
    let own = clouds(&emulator, &[]);
    emulator.answer(
        "POST /login.microsoftonline.com/tenant-1/oauth2/v2.0/token",
        200,
        r#"{"access_token": "entra"}"#,
    );
    emulator.answer(
        "POST /shop.azurecr.io/oauth2/exchange",
        200,
        r#"{"refresh_token": "acr"}"#,
    );
    let account = as_account(
        &own,
        &[
            ("azure.workload.identity/client-id", "client-1"),
            ("azure.workload.identity/tenant-id", "tenant-1"),
        ],
    );
    let given = login(&account, Cloud::Azure, "shop.azurecr.io/app")
        .await
        .unwrap();
    assert!(given.ends_with(":acr"), "{given}");
    let asked = emulator.take_asked();
    let body = &asked[0].body;
    assert!(
        body.contains("client_id=client-1")
            && body.contains("client_assertion=for+api%3A%2F%2FAzureADTokenExchange"),
        "{body}"
    );
    let account = as_account(&own, &[("azure.workload.identity/tenant-id", "../tenant")]);
    let error = login(&account, Cloud::Azure, "shop.azurecr.io/app")
        .await
        .unwrap_err();
    assert!(
        error.contains("invalid azure.workload.identity/tenant-id annotation: '../tenant'"),
        "{error}"
    );
}

#[tokio::test]
async fn an_account_is_trusted_by_google_and_may_act_as_one_of_its() {
    let emulator = Canned::start();
    let own = clouds(&emulator, &[]);
    let metadata = "GET /metadata.google.internal/computeMetadata/v1";
    emulator.answer(&format!("{metadata}/project/project-id"), 200, "shop");
    emulator.answer(
        &format!("{metadata}/instance/attributes/cluster-location"),
        200,
        "europe-west1",
    );
    emulator.answer(
        &format!("{metadata}/instance/attributes/cluster-name"),
        200,
        "prod",
    );
    let exchanged = r#"{"access_token": "federated", "expires_in": 3600}"#;
    emulator.answer("POST /sts.googleapis.com/v1/token", 200, exchanged);
    let account = as_account(&own, &[]);
    let given = login(&account, Cloud::Gcp, "europe-docker.pkg.dev/shop/app")
        .await
        .unwrap();
    assert_eq!(given, "oauth2accesstoken:federated");
    let body = &emulator.take_asked()[3].body;
    assert!(body.contains("subject_token=for+shop.svc.id.goog"), "{body}");
    let audience = "audience=identitynamespace%3Ashop.svc.id.goog%3Ahttps%3A%2F%2Fcontainer.googleapis.com%2Fv1%2Fprojects%2Fshop\
                    %2Flocations%2Feurope-west1%2Fclusters%2Fprod&";
    assert!(body.contains(audience), "{body}");

    let act = "POST /iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/puller@shop.iam.gserviceaccount.com:generateAccessToken";
    emulator.answer(
        act,
        200,
        r#"{"accessToken": "puller", "expireTime": "2026-01-01T00:00:00Z"}"#,
    );
    let account = as_account(
        &own,
        &[
            (
                "iam.gke.io/gcp-service-account",
                "puller@shop.iam.gserviceaccount.com",
            ),
            (
                "gcp.auth.fluxcd.io/workload-identity-provider",
                "projects/1/locations/global/workloadIdentityPools/pool/providers/here",
            ),
        ],
    );
    let given = login(&account, Cloud::Gcp, "europe-docker.pkg.dev/shop/app")
        .await
        .unwrap();
    assert_eq!(given, "oauth2accesstoken:puller");
    let asked = emulator.take_asked();
    let audience = "%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations%2Fglobal%2FworkloadIdentityPools%2Fpool%2Fproviders%2Fhere";
    let body = &asked[0].body;
    assert!(
        body.contains(&format!("subject_token=for+{audience}"))
            && body.contains(&format!("audience={audience}")),
        "{body}"
    );
    assert_eq!(asked[1].headers["authorization"], "Bearer federated");
    let account = as_account(&own, &[("iam.gke.io/gcp-service-account", "x@y/../z")]);
    let error = login(&account, Cloud::Gcp, "europe-docker.pkg.dev/shop/app")
        .await
        .unwrap_err();
    assert!(
        error.contains("invalid iam.gke.io/gcp-service-account annotation: 'x@y/../z'"),
        "{error}"
    );
    assert_eq!(emulator.take_asked().len(), 0);
}
