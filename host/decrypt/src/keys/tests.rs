//! Key services against emulations on this machine: what is asked, what is sent nowhere, what an answer means.

use super::aws::{Aws, Credentials};
use super::azure::Azure;
use super::gcp::Gcp;
use super::vault::Vault;
use super::{Allowed, KeyService, Keyring, ServiceAccountTokens, VaultLogins, http};
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use zeroize::Zeroizing;

const DATA_KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
/// An RSA key of this test alone.
const RSA_KEY: &str = include_str!("../../tests/keys/rsa.pem");

/// What a service was sent: path, headers, body.
type Sent = Arc<Mutex<Vec<(String, BTreeMap<String, String>, String)>>>;

async fn serve(
    answer: impl Fn(&str, &BTreeMap<String, String>, &str) -> (u16, Value) + Clone + Send + Sync + 'static,
) -> (String, Sent) {
    // one TLS provider for the process, as the binary installs it
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let sent = Sent::default();
    let kept = sent.clone();
    let app = axum::Router::new().fallback(move |request: Request| {
        let (answer, kept) = (answer.clone(), kept.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let headers = parts
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
            let headers: BTreeMap<_, _> = headers.collect();
            let path = parts.uri.to_string();
            let (status, json) = answer(&path, &headers, &body);
            kept.lock().unwrap().push((path, headers, body));
            let response: Response =
                (StatusCode::from_u16(status).unwrap(), json.to_string()).into_response();
            response
        }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    (address, sent)
}

async fn ask(service: &dyn KeyService, key: &MasterKey) -> Result<DataKey, KeyError> {
    service.decrypt(key).expect("it is a key of this service").await
}

fn vault_key(address: &str) -> MasterKey {
    MasterKey::Vault {
        address: address.to_owned(),
        engine: "sops".to_owned(),
        name: "first".to_owned(),
        enc: "vault:v1:abc".to_owned(),
    }
}

#[tokio::test]
async fn vault_is_asked_with_its_token() {
    let (address, sent) = serve(
        |_, headers, _| match headers.get("x-vault-token").map(String::as_str) {
            Some("s.right") => (200, json!({"data": {"plaintext": STANDARD.encode(DATA_KEY)}})),
            _ => (403, json!({"errors": ["permission denied"]})),
        },
    )
    .await;
    let client = http::client().unwrap();
    let key = ask(
        &Vault::with_token(client.clone(), "s.right"),
        &vault_key(&address),
    )
    .await
    .unwrap();
    assert_eq!(key.as_slice(), DATA_KEY);
    let (path, _, body) = sent.lock().unwrap()[0].clone();
    assert_eq!(
        (path.as_str(), body.as_str()),
        ("/v1/sops/decrypt/first", r#"{"ciphertext":"vault:v1:abc"}"#)
    );
    let refusal = ask(&Vault::with_token(client, "s.wrong"), &vault_key(&address))
        .await
        .unwrap_err();
    assert_eq!(
        refusal.message,
        format!("Vault '{address}' answered 403 Forbidden: permission denied")
    );
    assert!(!refusal.is_transient);
}

struct Account(&'static str);

impl ServiceAccountTokens for Account {
    fn token<'a>(&'a self, audience: &'a str) -> BoxFuture<'a, Result<Zeroizing<String>, KeyError>> {
        let claims = json!({"sub": self.0, "aud": audience}).to_string();
        async move {
            Ok(Zeroizing::new(format!(
                "e30.{}.sig",
                URL_SAFE_NO_PAD.encode(claims)
            )))
        }
        .boxed()
    }
}

#[tokio::test]
async fn vault_is_logged_in_to_only_where_the_administrator_said_so() {
    let (address, sent) =
        serve(
            |path, headers, _| match (path, headers.get("x-vault-token").map(String::as_str)) {
                ("/v1/auth/kubernetes/login", None) => (200, json!({"auth": {"client_token": "s.login"}})),
                (_, Some("s.login")) => (200, json!({"data": {"plaintext": STANDARD.encode(DATA_KEY)}})),
                _ => (403, json!({})),
            },
        )
        .await;
    let text = format!("instances:\n- address: {address}\n  loginPath: auth/kubernetes/login\n");
    let logins = VaultLogins::parse("flux-system/vault", &text).unwrap();
    let vault = Vault::with_login(
        http::client().unwrap(),
        logins,
        Arc::new(Account("system:serviceaccount:apps:decrypt")),
    );
    for _ in 0..2 {
        assert_eq!(
            ask(&vault, &vault_key(&address)).await.unwrap().as_slice(),
            DATA_KEY
        );
    }
    let logged_in = sent
        .lock()
        .unwrap()
        .iter()
        .filter(|(path, ..)| path.ends_with("login"))
        .count();
    assert_eq!(logged_in, 1, "a login serves the whole reconcile");
    let body: Value = serde_json::from_str(&sent.lock().unwrap()[0].2).unwrap();
    assert_eq!(body.get("role"), Some(&json!("apps_decrypt")));
    let refusal = ask(&vault, &vault_key("http://127.0.0.1:1")).await.unwrap_err();
    assert_eq!(
        refusal.message,
        "no Vault login path configured for address 'http://127.0.0.1:1' in ConfigMap 'flux-system/vault'"
    );
}

#[tokio::test]
async fn logins_that_cannot_be_read_matter_to_keys_of_vault_alone() {
    let (address, _) =
        serve(|_, _, _| (200, json!({"data": {"plaintext": STANDARD.encode(DATA_KEY)}}))).await;
    let mut keyring = Keyring::new();
    keyring.has_no_vault_logins(KeyError::transient("failed to get Vault ConfigMap"));
    let refusal = keyring.decrypt(&vault_key(&address)).await.unwrap_err();
    assert!(
        refusal.is_transient && refusal.message == "failed to get Vault ConfigMap",
        "{refusal:?}"
    );
    let age = MasterKey::Age {
        recipient: "age1".to_owned(),
        enc: String::new(),
    };
    let refusal = keyring.decrypt(&age).await.unwrap_err();
    assert!(refusal.message.starts_with("no age identity: "), "{refusal:?}");
    // a token of the Secret comes before
    let mut keyring = Keyring::new();
    let token = BTreeMap::from([("sops.vault-token".to_owned(), b"s.right".to_vec().into())]);
    keyring.import(&token, Allowed::All).unwrap();
    keyring.has_no_vault_logins(KeyError::transient("failed to get Vault ConfigMap"));
    let key = keyring.decrypt(&vault_key(&address)).await.unwrap();
    assert_eq!(key.as_slice(), DATA_KEY);
}

#[tokio::test]
async fn a_redirect_does_not_take_the_token_elsewhere() {
    let (elsewhere, stolen) = serve(|_, _, _| (200, json!({}))).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let app = axum::Router::new().fallback(move || {
        let to = elsewhere.clone();
        async move { (StatusCode::TEMPORARY_REDIRECT, [("location", to)]) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    let vault = Vault::with_token(http::client().unwrap(), "s.canary");
    let refusal = ask(&vault, &vault_key(&address)).await.unwrap_err();
    assert!(refusal.message.contains("307"), "{refusal}");
    assert!(stolen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_answer_is_given_up() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let vault = Vault::with_token(http::client().unwrap(), "s.canary");
    let failure = ask(&vault, &vault_key(&address)).await.unwrap_err();
    assert!(failure.is_transient);
    assert_eq!(
        failure.message,
        format!("Vault '{address}' is not reached: no answer within 10s")
    );
}

#[tokio::test]
async fn a_broken_service_is_asked_again_later_and_a_refusal_is_not() {
    for (status, is_transient) in [(500, true), (503, true), (429, true), (400, false), (404, false)] {
        let (address, _) = serve(move |_, _, _| (status, json!({"errors": ["why"]}))).await;
        let vault = Vault::with_token(http::client().unwrap(), "s.canary");
        let failure = ask(&vault, &vault_key(&address)).await.unwrap_err();
        assert_eq!(failure.is_transient, is_transient, "{status}");
        assert!(!failure.message.contains("s.canary"));
    }
}

#[test]
fn addresses_of_the_node_itself_are_refused() {
    for address in [
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://0.0.0.0:8200",
        "http://metadata.google.internal/",
        "ftp://vault.example",
        "file:///etc/passwd",
        "https://user:password@vault.example",
        "vault",
    ] {
        assert!(http::checked(address).is_err(), "{address}");
    }
    assert!(http::checked("https://vault.example:8200").is_ok());
}

/// A name is as good as what it resolves to. A number is a name that needs no server for that.
#[tokio::test]
async fn names_of_addresses_of_the_node_itself_are_refused() {
    use reqwest::dns::Resolve as _;
    let refused = http::Names.resolve("2852039166".parse().unwrap()).await;
    let told = refused.map(drop).unwrap_err().to_string();
    assert_eq!(
        told,
        "'2852039166' is at 169.254.169.254, which is a service of the node itself"
    );
    assert!(http::Names.resolve("localhost".parse().unwrap()).await.is_ok());
}

fn aws_key(role: &str) -> MasterKey {
    MasterKey::Aws {
        arn: "arn:aws:kms:eu-west-1:123456789012:key/abc".to_owned(),
        role: role.to_owned(),
        context: BTreeMap::from([("app".to_owned(), "web".to_owned())]),
        enc: "AQIDAHg=".to_owned(),
    }
}

#[tokio::test]
async fn aws_is_asked_signed_and_in_the_region_of_the_key() {
    let (address, sent) = serve(|_, headers, body| {
        if body.starts_with("Action=AssumeRole") {
            let credentials =
                json!({"AccessKeyId": "ROLE", "SecretAccessKey": "s", "SessionToken": "session"});
            return (
                200,
                json!({"AssumeRoleResponse": {"AssumeRoleResult": {"Credentials": credentials}}}),
            );
        }
        match headers.get("authorization") {
            Some(text) if text.starts_with("AWS4-HMAC-SHA256 ") => {
                (200, json!({"Plaintext": STANDARD.encode(DATA_KEY)}))
            }
            _ => (400, json!({"__type": "MissingAuthenticationTokenException"})),
        }
    })
    .await;
    let credentials = "aws_access_key_id: AKID\naws_secret_access_key: canary\n";
    let aws = Aws::new(http::client().unwrap(), Credentials::parse(credentials).unwrap()).at(&address);
    assert_eq!(ask(&aws, &aws_key("")).await.unwrap().as_slice(), DATA_KEY);
    {
        let sent = sent.lock().unwrap();
        let (_, headers, body) = &sent[0];
        assert!(
            headers["authorization"].contains("Credential=AKID/")
                && headers["authorization"].contains("/eu-west-1/kms/aws4_request")
        );
        assert_eq!(headers["x-amz-target"], "TrentService.Decrypt");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            body,
            json!({"CiphertextBlob": "AQIDAHg=", "EncryptionContext": {"app": "web"}})
        );
    }
    assert_eq!(
        ask(&aws, &aws_key("arn:aws:iam::123456789012:role/sops"))
            .await
            .unwrap()
            .as_slice(),
        DATA_KEY
    );
    let (_, headers, _) = sent.lock().unwrap()[2].clone();
    assert!(headers["authorization"].contains("Credential=ROLE/"));
    assert_eq!(headers["x-amz-security-token"], "session");
    assert!(Credentials::parse("aws_access_key_id: AKID\n").is_err());
}

fn service_account(token_uri: &str) -> String {
    json!({"type": "service_account", "client_email": "sops@p.iam", "private_key_id": "k1", "private_key": RSA_KEY,
        "token_uri": token_uri})
    .to_string()
}

#[tokio::test]
async fn google_is_asked_as_the_service_account() {
    let (address, sent) =
        serve(
            |path, headers, _| match (path, headers.get("authorization").map(String::as_str)) {
                ("/token", _) => (200, json!({"access_token": "ya29.t"})),
                (_, Some("Bearer ya29.t")) => (200, json!({"plaintext": STANDARD.encode(DATA_KEY)})),
                _ => (401, json!({"error": {"message": "who are you"}})),
            },
        )
        .await;
    let credentials = service_account(&format!("{address}/token"));
    let gcp = Gcp::new(http::client().unwrap(), credentials.as_bytes())
        .unwrap()
        .at(&address);
    let key = |resource: &str| MasterKey::Gcp {
        resource_id: resource.to_owned(),
        enc: "Q2k=".to_owned(),
    };
    let resource = "projects/p/locations/global/keyRings/r/cryptoKeys/k";
    assert_eq!(ask(&gcp, &key(resource)).await.unwrap().as_slice(), DATA_KEY);
    let (_, _, form) = sent.lock().unwrap()[0].clone();
    let assertion = form.split("assertion=").nth(1).unwrap();
    let claims = URL_SAFE_NO_PAD
        .decode(assertion.split('.').nth(1).unwrap())
        .unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["iss"], "sops@p.iam");
    assert_eq!(sent.lock().unwrap()[1].0, format!("/v1/{resource}:decrypt"));
    for odd in ["projects/p/../../v1/other", "x", "projects/p?x=y"] {
        assert!(
            ask(&gcp, &key(odd))
                .await
                .unwrap_err()
                .message
                .starts_with("no valid resource ID"),
            "{odd}"
        );
    }
    let external =
        json!({"type": "external_account", "credential_source": {"executable": {"command": "sh"}}})
            .to_string();
    assert!(Gcp::new(http::client().unwrap(), external.as_bytes()).is_err());
}

fn azure_key(vault_url: &str) -> MasterKey {
    MasterKey::Azure {
        vault_url: vault_url.to_owned(),
        name: "sops".to_owned(),
        version: "0a1b".to_owned(),
        enc: "abc".to_owned(),
    }
}

#[tokio::test]
async fn azure_is_asked_as_the_application_and_nobody_else_gets_its_token() {
    let (address, sent) =
        serve(
            |path, headers, _| match (path, headers.get("authorization").map(String::as_str)) {
                ("/t1/oauth2/v2.0/token", _) => (200, json!({"access_token": "eyJ"})),
                (_, Some("Bearer eyJ")) => (200, json!({"value": URL_SAFE_NO_PAD.encode(DATA_KEY)})),
                _ => (401, json!({"error": {"message": "who are you"}})),
            },
        )
        .await;
    let certificate = json!({"tenantId": "t1", "clientId": "c1", "authorityHost": address,
        "clientCertificate": format!("{RSA_KEY}-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n")});
    let principals = [
        format!("tenant: t1\nappId: c1\npassword: canary\nauthorityHost: {address}\n"),
        certificate.to_string(),
    ];
    for principal in principals {
        let azure = Azure::new(http::client().unwrap(), principal.as_bytes())
            .unwrap()
            .at(&address);
        let before = sent.lock().unwrap().len();
        let key = ask(&azure, &azure_key("https://one.vault.azure.net"))
            .await
            .unwrap();
        assert_eq!(key.as_slice(), DATA_KEY);
        assert_eq!(
            sent.lock().unwrap()[before + 1].0,
            "/keys/sops/0a1b/decrypt?api-version=7.4"
        );
        for odd in [
            "https://vault.azure.net.evil.example",
            "http://one.vault.azure.net",
            "https://evil.example/.vault.azure.net",
        ] {
            let refusal = ask(&azure, &azure_key(odd)).await.unwrap_err();
            assert!(
                refusal.message.contains("no token is sent to it"),
                "{odd}: {refusal}"
            );
        }
    }
    assert!(
        Azure::new(http::client().unwrap(), b"clientId: c1\n").is_err(),
        "a managed identity of the node"
    );
}

#[test]
fn a_config_of_powershell_is_read() {
    let text = "tenantId: t\nclientId: c\nclientSecret: s\n";
    let mut wide = vec![0xff, 0xfe];
    wide.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let _ = rustls::crypto::ring::default_provider().install_default();
    assert!(Azure::new(http::client().unwrap(), &wide).is_ok());
}

#[test]
fn secrets_are_read_as_flux_names_their_keys() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let import = |name: &str, value: &str, allowed: Allowed| {
        let mut keyring = Keyring::new();
        let imported = keyring.import(
            &BTreeMap::from([(name.to_owned(), value.as_bytes().to_vec().into())]),
            allowed,
        );
        (imported, keyring.services.len())
    };
    let all = |name: &str, value: &str| import(name, value, Allowed::All);
    assert_eq!(all("sops.vault-token", " s.t\n"), (Ok(()), 1));
    assert_eq!(
        all("sops.aws-kms", "aws_access_key_id: a\naws_secret_access_key: b"),
        (Ok(()), 1)
    );
    assert_eq!(
        all("sops.gcp-kms", &service_account("https://oauth2.example/token")),
        (Ok(()), 1)
    );
    assert_eq!(
        all("sops.azure-kv", "tenantId: t\nclientId: c\nclientSecret: s"),
        (Ok(()), 1)
    );
    assert_eq!(
        all("other", "AGE-SECRET-KEY-1"),
        (Ok(()), 0),
        "other keys do not count"
    );
    assert_eq!(import("sops.vault-token", "s.t", Allowed::AgeOnly), (Ok(()), 0));
    for (name, value) in [
        ("identity.agekey", "AGE-SECRET-KEY-1CANARY"),
        ("sops.azure-kv", "clientId: CANARY"),
    ] {
        let (refusal, _) = all(name, value);
        let (key, why) = refusal.unwrap_err();
        assert_eq!(key, name);
        assert!(!why.contains("CANARY"), "{why}");
    }
    let plugin = all("identity.agekey", "AGE-PLUGIN-YUBIKEY-1QGSQQQQ")
        .0
        .unwrap_err()
        .1;
    assert!(plugin.contains("age plugins are programs"), "{plugin}");
}

#[tokio::test]
async fn what_is_not_supported_says_what_to_do() {
    let mut keyring = Keyring::new();
    for (line, why) in [
        (
            "AGE-SECRET-KEY-PQ-1CANARY",
            "post-quantum identities are not supported",
        ),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "SSH keys are not supported",
        ),
    ] {
        let data = BTreeMap::from([("identity.agekey".to_owned(), line.as_bytes().to_vec().into())]);
        let (_, refusal) = keyring.import(&data, Allowed::All).unwrap_err();
        assert!(refusal.contains(why) && !refusal.contains("CANARY"), "{refusal}");
    }
}

/// Private keys that gpg made, and what it encrypted to them: `tests/keys/pgp.sh` says how.
#[tokio::test]
async fn pgp_keys_open_what_gpg_sealed_for_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/keys");
    let read = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let master = |enc: String| MasterKey::Pgp {
        fingerprint: "FBC7".to_owned(),
        enc,
    };
    let names = ["rsa", "curve", "p256"];
    let keyring = |names: &[&str]| {
        let entries = names.iter().map(|name| {
            (
                format!("{name}.asc"),
                Zeroizing::new(read(&format!("pgp-{name}.asc")).into_bytes()),
            )
        });
        let mut keyring = Keyring::new();
        keyring.import(&entries.collect(), Allowed::All).unwrap();
        keyring
    };
    let all = keyring(&names);
    for name in names {
        let key = all
            .decrypt(&master(read(&format!("pgp-{name}.message"))))
            .await
            .unwrap();
        assert_eq!(&**key, b"0123456789abcdef0123456789abcdef", "{name}");
        let alone = keyring(&[name]);
        for other in names.iter().filter(|other| **other != name) {
            let refusal = alone
                .decrypt(&master(read(&format!("pgp-{other}.message"))))
                .await
                .unwrap_err();
            let flux = "could not decrypt data key with PGP key FBC7: ";
            assert!(refusal.message.starts_with(flux), "{refusal}");
        }
    }
    let bomb = all.decrypt(&master(read("pgp-bomb.message"))).await.unwrap_err();
    assert!(bomb.message.contains("data_key_size_max"), "{bomb}");
    let message = read("pgp-rsa.message");
    let cut: String = message.lines().take(6).map(|line| format!("{line}\n")).collect();
    for damaged in [cut, String::new(), message.replacen('A', "B", 1)] {
        assert!(all.decrypt(&master(damaged)).await.is_err());
    }
    let nobody = Keyring::new().decrypt(&master(message)).await.unwrap_err();
    assert!(
        nobody.message.contains("no PGP private key: add one as *.asc"),
        "{nobody}"
    );
    for value in [
        "CANARY",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nCANARY\n-----END PGP PRIVATE KEY BLOCK-----",
    ] {
        let data = BTreeMap::from([("key.asc".to_owned(), value.as_bytes().to_vec().into())]);
        let (_, refusal) = Keyring::new().import(&data, Allowed::All).unwrap_err();
        assert!(!refusal.contains("CANARY"), "{refusal}");
    }
}
