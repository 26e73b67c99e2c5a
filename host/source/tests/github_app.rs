//! A GitHub App's key becomes a token; a prepared server stands in for GitHub.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use crate::support::rsa_key;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use expect_test::expect;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use sluice_source::{
    Addresses, Credentials, SecretData, Transport,
    credential::{
        GitHubApp,
        cloud::{Cloud, CloudEndpoints, CloudEnvironment, Clouds},
    },
};
use sluice_testkit::canned::Canned;

fn secret(github: &Canned, entries: &[(&str, &str)]) -> SecretData {
    let base = github.base();
    let usual = [
        ("githubAppID", "42"),
        ("githubAppPrivateKey", rsa_key()),
        ("githubAppBaseURL", base.as_str()),
    ];
    let all = usual.iter().chain(entries).filter(|(_, value)| !value.is_empty());
    all.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
        .collect()
}

fn clouds() -> Clouds {
    let (environment, endpoints) = (CloudEnvironment::default(), CloudEndpoints::default());
    Clouds::new(environment, endpoints, 10, Duration::from_secs(3600)).unwrap()
}

async fn ask(clouds: &Clouds, data: &SecretData) -> Result<String, String> {
    let app = GitHubApp::from_secret(data)
        .unwrap()
        .map_err(|error| error.to_string())?;
    match clouds
        .github(&app, &Transport::default(), &Addresses::any())
        .await
    {
        Ok(Credentials::Basic { username, password }) => Ok(format!("{username}:{}", password.reveal())),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.to_string()),
    }
}

const GIVEN: &str = r#"{"token":"ghs_token","expires_at":"2099-01-01T00:00:00Z"}"#;

#[tokio::test]
async fn an_installation_gives_a_token_that_is_kept() {
    let (github, clouds) = (Canned::start(), clouds());
    github.answer("POST /app/installations/7/access_tokens", 201, GIVEN);
    let data = secret(&github, &[("githubAppInstallationID", "7")]);
    assert_eq!(ask(&clouds, &data).await.unwrap(), "x-access-token:ghs_token");
    let asked = github.take_asked();
    let token = asked[0].headers["authorization"].strip_prefix("Bearer ").unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let der = {
        let body: String = rsa_key()
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .collect();
        base64::engine::general_purpose::STANDARD.decode(body).unwrap()
    };
    let pair = RsaKeyPair::from_pkcs8(&der).unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public().as_ref());
    public
        .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    let claims = URL_SAFE_NO_PAD
        .decode(message.split_once('.').unwrap().1)
        .unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "42");
    assert_eq!(
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
        150
    );
    ask(&clouds, &data).await.unwrap();
    assert_eq!(github.take_asked().len(), 0, "kept while it lasts");
    // another key, another token: nobody gets what was given to somebody else
    let other = secret(
        &github,
        &[("githubAppInstallationID", "7"), ("githubAppID", "43")],
    );
    ask(&clouds, &other).await.unwrap();
    assert_eq!(github.take_asked().len(), 1);
}

#[tokio::test]
async fn an_owner_is_an_organisation_or_a_user() {
    let github = Canned::start();
    github.answer("GET /users/ada/installation", 200, r#"{"id":9}"#);
    github.answer("POST /app/installations/9/access_tokens", 201, GIVEN);
    let data = secret(&github, &[("githubAppInstallationOwner", "ada")]);
    assert_eq!(ask(&clouds(), &data).await.unwrap(), "x-access-token:ghs_token");
    let asked: Vec<String> = github
        .take_asked()
        .into_iter()
        .map(|asked| asked.target)
        .collect();
    assert_eq!(
        asked,
        [
            "/orgs/ada/installation",
            "/users/ada/installation",
            "/app/installations/9/access_tokens"
        ]
    );
}

#[tokio::test]
async fn what_is_wrong_is_said_without_the_key() {
    let github = Canned::start();
    github.answer("POST /app/installations/1/access_tokens", 401, "{}");
    github.answer("POST /app/installations/2/access_tokens", 201, "nonsense");
    let mut lines = String::new();
    for (what, entries) in [
        ("no installation", vec![]),
        (
            "two",
            vec![
                ("githubAppInstallationID", "1"),
                ("githubAppInstallationOwner", "ada"),
            ],
        ),
        ("no number", vec![("githubAppInstallationID", "x")]),
        ("no owner's name", vec![("githubAppInstallationOwner", "../app")]),
        ("nobody", vec![("githubAppInstallationOwner", "nobody")]),
        (
            "no key",
            vec![
                ("githubAppInstallationID", "1"),
                ("githubAppPrivateKey", "canary"),
            ],
        ),
        (
            "no URL",
            vec![
                ("githubAppInstallationID", "1"),
                ("githubAppBaseURL", "file:///x"),
            ],
        ),
        ("refused", vec![("githubAppInstallationID", "1")]),
        ("nonsense", vec![("githubAppInstallationID", "2")]),
        ("unknown", vec![("githubAppInstallationID", "3")]),
    ] {
        let text = ask(&clouds(), &secret(&github, &entries)).await.unwrap_err();
        assert!(!text.contains("canary"), "{text}");
        lines.push_str(&format!("{what}: {text}\n"));
    }
    expect![[r#"
        no installation: github app data: one of 'githubAppInstallationID' and 'githubAppInstallationOwner' is required
        two: github app data: only one of 'githubAppInstallationID' and 'githubAppInstallationOwner' may be set
        no number: github app data: 'githubAppInstallationID' is no number
        no owner's name: github app data: 'githubAppInstallationOwner' is no name of an owner
        nobody: GitHub: this app is not installed at 'nobody'
        no key: github app data: 'githubAppPrivateKey' is no RSA key in PEM that can be used
        no URL: github app data: 'githubAppBaseURL' is no http or https URL
        refused: GitHub: UNAUTHORIZED: authentication required (check the credentials: they are missing, wrong or expired)
        nonsense: GitHub: the answer cannot be read
        unknown: GitHub: there is no installation 3 of this app
    "#]].assert_eq(&lines);
    assert!(GitHubApp::from_secret(&SecretData::new()).is_none());
}

#[tokio::test]
async fn how_long_github_wants_to_be_left_alone_is_kept() {
    let github = Canned::start();
    let question = "POST /app/installations/1/access_tokens";
    let data = secret(&github, &[("githubAppInstallationID", "1")]);
    let app = GitHubApp::from_secret(&data).unwrap().unwrap();
    for (status, headers, seconds) in [
        (403, vec![("retry-after", "60")], Some(60)),
        (429, vec![("retry-after", "7")], Some(7)),
        (503, vec![("retry-after", "5")], Some(5)),
        (403, vec![("x-ratelimit-remaining", "0")], None),
        (401, vec![], None),
    ] {
        github.answer_with(question, status, &headers, "{}");
        let (transport, addresses) = (Transport::default(), Addresses::any());
        let refusal = clouds().github(&app, &transport, &addresses).await.unwrap_err();
        let expected = seconds.map(Duration::from_secs);
        assert_eq!(refusal.retry_after(), expected, "{status}: {refusal}");
        let said = format!("to be asked again after {} s", seconds.unwrap_or_default());
        assert_eq!(
            refusal.to_string().contains(&said),
            seconds.is_some(),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn the_identity_of_a_cloud_goes_to_its_own_git_servers_only() {
    let emulator = Canned::start();
    let variables = [
        ("AWS_ACCESS_KEY_ID", "AKID"),
        ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
        ("AWS_SESSION_TOKEN", "session"),
    ];
    let environment = CloudEnvironment::read(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    });
    let endpoints = CloudEndpoints {
        emulator: Some(emulator.base().parse().unwrap()),
    };
    let clouds = Clouds::new(environment, endpoints, 10, Duration::from_secs(3600)).unwrap();
    let url = "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/shop";
    let Credentials::Basic { username, password } = clouds.git(Cloud::Aws, url).await.unwrap() else {
        panic!("a user and a password")
    };
    assert_eq!(username, "AKID%session");
    let (time, signature) = password.reveal().split_once('Z').unwrap();
    assert!(time.len() == 15 && signature.len() == 64 && !password.reveal().contains("s3cr3t"));

    emulator.answer(
        "GET /169.254.169.254/metadata/identity/oauth2/token",
        200,
        r#"{"access_token":"devops"}"#,
    );
    let url = "https://dev.azure.com/org/project/_git/shop";
    let Credentials::Bearer(token) = clouds.git(Cloud::Azure, url).await.unwrap() else {
        panic!("a token")
    };
    assert_eq!(token.reveal(), "devops");
    let asked = emulator.take_asked();
    assert!(
        asked[0]
            .target
            .ends_with("&resource=499b84ac-1321-427f-aa17-267ca6975798"),
        "{asked:?}"
    );
    for (cloud, url) in [
        (Cloud::Azure, "https://dev.azure.com.evil.example/x"),
        (Cloud::Azure, "https://evil.example/dev.azure.com"),
        (Cloud::Azure, "http://dev.azure.com/x"),
        (Cloud::Azure, "https://dev.azure.com:8443/x"),
        (Cloud::Azure, "https://evil.example#.visualstudio.com"),
        (Cloud::Aws, "https://github.com/x/y"),
        (Cloud::Aws, "ssh://git-codecommit.eu-west-1.amazonaws.com/x"),
    ] {
        assert!(clouds.git(cloud, url).await.is_err(), "{url}");
    }
    assert_eq!(emulator.take_asked().len(), 0);
}
