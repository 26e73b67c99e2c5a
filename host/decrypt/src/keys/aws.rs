//! AWS Key Management Service, with static credentials, taking on a role where the file names one.

use super::{KeyService, http};
use crate::KeyError;
use crate::sops::{DataKey, MasterKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::{Client, Url};
use ring::hmac;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// An access key.
#[derive(Clone)]
pub(super) struct Credentials {
    id: String,
    secret: Zeroizing<String>,
    session: Option<Zeroizing<String>>,
}

impl Credentials {
    /// From YAML: `aws_access_key_id`, `aws_secret_access_key`, `aws_session_token`.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let yaml = super::import::yaml(text).map_err(|_| "failed to unmarshal AWS credentials file")?;
        let text = |key: &str| {
            yaml.get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let session = text("aws_session_token");
        let credentials = Self {
            id: text("aws_access_key_id"),
            secret: text("aws_secret_access_key").into(),
            session: (!session.is_empty()).then(|| session.into()),
        };
        if credentials.id.is_empty() || credentials.secret.is_empty() {
            return Err(
                "static credentials are empty: aws_access_key_id and aws_secret_access_key are needed"
                    .to_owned(),
            );
        }
        Ok(credentials)
    }
}

/// Asks AWS.
pub(crate) struct Aws {
    client: Client,
    credentials: Credentials,
    /// Only in tests: all services are here.
    endpoint: Option<String>,
}

/// What a request is signed for.
struct Scope<'s> {
    region: &'s str,
    service: &'s str,
}

impl Aws {
    pub(super) fn new(client: Client, credentials: Credentials) -> Self {
        Self {
            client,
            credentials,
            endpoint: None,
        }
    }

    #[cfg(test)]
    pub(super) fn at(mut self, endpoint: &str) -> Self {
        self.endpoint = Some(endpoint.to_owned());
        self
    }

    async fn open(
        &self,
        arn: &str,
        role: &str,
        context: &BTreeMap<String, String>,
        enc: &str,
    ) -> Result<DataKey, KeyError> {
        let (partition, region) =
            region(arn).ok_or_else(|| KeyError::lasting(format!("no valid ARN found in '{arn}'")))?;
        let assumed;
        let credentials = if role.is_empty() {
            &self.credentials
        } else {
            assumed = self.assume(role, partition, region).await?;
            &assumed
        };
        let mut body = json!({"CiphertextBlob": enc});
        if let Some(map) = body.as_object_mut().filter(|_| !context.is_empty()) {
            map.insert("EncryptionContext".to_owned(), json!(context));
        }
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", "TrentService.Decrypt"),
        ];
        let scope = Scope {
            region,
            service: "kms",
        };
        let answer = self
            .post(credentials, &scope, partition, &headers, body.to_string())
            .await?;
        let odd =
            || KeyError::lasting("failed to decrypt sops data key with AWS KMS: no plaintext in the answer");
        let text = answer.get("Plaintext").and_then(Value::as_str).ok_or_else(odd)?;
        STANDARD.decode(text).map(Zeroizing::new).map_err(|_| odd())
    }

    async fn assume(&self, role: &str, partition: &str, region: &str) -> Result<Credentials, KeyError> {
        let is_role = role.starts_with("arn:aws") && role.contains(":role/");
        if !is_role {
            return Err(KeyError::lasting(format!("'{role}' is no role")));
        }
        let encoded: String = role
            .bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                    char::from(byte).to_string()
                }
                byte => format!("%{byte:02X}"),
            })
            .collect();
        let body = format!("Action=AssumeRole&Version=2011-06-15&RoleSessionName=sops&RoleArn={encoded}");
        let headers = [
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let scope = Scope {
            region,
            service: "sts",
        };
        let answer = self
            .post(&self.credentials, &scope, partition, &headers, body)
            .await?;
        let text = |key: &str| {
            let pointer = format!("/AssumeRoleResponse/AssumeRoleResult/Credentials/{key}");
            answer
                .pointer(&pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        match (text("AccessKeyId"), text("SecretAccessKey"), text("SessionToken")) {
            (Some(id), Some(secret), Some(session)) => Ok(Credentials {
                id,
                secret: secret.into(),
                session: Some(session.into()),
            }),
            _ => Err(KeyError::lasting("AWS STS answered no credentials")),
        }
    }

    async fn post(
        &self,
        credentials: &Credentials,
        scope: &Scope<'_>,
        partition: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Value, KeyError> {
        let domain = if partition == "aws-cn" {
            "amazonaws.com.cn"
        } else {
            "amazonaws.com"
        };
        let url = self
            .endpoint
            .clone()
            .unwrap_or_else(|| format!("https://{}.{}.{domain}/", scope.service, scope.region));
        let url = Url::parse(&url).map_err(|_| KeyError::lasting(format!("'{url}' is no URL")))?;
        let signed = sign(credentials, scope, &url, headers, &body, Timestamp::now());
        let mut request = self.client.post(url).body(body);
        for (name, value) in headers
            .iter()
            .copied()
            .chain(signed.iter().map(|(name, value)| (*name, value.as_str())))
        {
            request = request.header(name, value);
        }
        http::send(request, &format!("AWS {}", scope.service.to_uppercase())).await
    }
}

/// Partition and region of a key. The region becomes part of a host name: only its own letters are taken.
fn region(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.split(':');
    let ("arn", partition, "kms", region, account) = (
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
        parts.next()?,
    ) else {
        return None;
    };
    let key = parts.next()?;
    let is_word = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_key = key.starts_with("key/") || key.starts_with("alias/");
    let is_account = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
    (partition.starts_with("aws") && is_word(partition) && is_word(region) && is_account && is_key)
        .then_some((partition, region))
}

/// Signature Version 4 of a POST: the headers to add.
fn sign(
    credentials: &Credentials,
    scope: &Scope<'_>,
    url: &Url,
    headers: &[(&str, &str)],
    body: &str,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    let day = now.strftime("%Y%m%d").to_string();
    let mut host = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        host = format!("{host}:{port}");
    }
    let mut added = vec![("x-amz-date", time.clone())];
    if let Some(session) = &credentials.session {
        added.push(("x-amz-security-token", session.to_string()));
    }
    let mut all: BTreeMap<&str, &str> = headers.iter().copied().collect();
    all.insert("host", &host);
    all.extend(added.iter().map(|(name, value)| (*name, value.as_str())));
    let names = all.keys().copied().collect::<Vec<_>>().join(";");
    let lines: String = all
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let hash = |text: &str| hex::encode(Sha256::digest(text));
    let canonical = format!("POST\n{}\n\n{lines}\n{names}\n{}", url.path(), hash(body));
    let credential = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{credential}\n{}", hash(&canonical));
    let mac = |key: &[u8], text: &str| hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes());
    let first = Zeroizing::new(format!("AWS4{}", *credentials.secret));
    let key = [day.as_str(), scope.region, scope.service, "aws4_request"]
        .iter()
        .fold(first.as_bytes().to_vec(), |key, text| {
            mac(&key, text).as_ref().to_vec()
        });
    let signature = hex::encode(mac(&key, &to_sign));
    let id = &credentials.id;
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{credential}, SignedHeaders={names}, Signature={signature}"
    );
    added.push(("authorization", authorization));
    added
}

impl KeyService for Aws {
    fn decrypt<'a>(&'a self, key: &'a MasterKey) -> Option<BoxFuture<'a, Result<DataKey, KeyError>>> {
        let MasterKey::Aws {
            arn,
            role,
            context,
            enc,
        } = key
        else {
            return None;
        };
        Some(self.open(arn, role, context, enc).boxed())
    }
}

#[cfg(test)]
mod unit {
    use super::*;

    #[test]
    fn a_request_is_signed_as_the_published_vector() {
        let credentials = Credentials {
            id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned().into(),
            session: None,
        };
        let scope = Scope {
            region: "us-east-1",
            service: "service",
        };
        let url = Url::parse("https://example.amazonaws.com/").unwrap();
        let added = sign(
            &credentials,
            &scope,
            &url,
            &[],
            "",
            "2015-08-30T12:36:00Z".parse().unwrap(),
        );
        let (_, authorization) = added.last().unwrap();
        assert_eq!(
            authorization,
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        );
    }

    #[test]
    fn the_region_comes_from_the_arn_and_is_no_host() {
        let key = "arn:aws-us-gov:kms:us-gov-west-1:123:key/a";
        assert_eq!(region(key), Some(("aws-us-gov", "us-gov-west-1")));
        assert_eq!(region("arn:aws:kms:evil.example/:123:key/a"), None);
        assert_eq!(region("arn:aws:s3:eu-west-1:123:key/a"), None);
        assert_eq!(region("arn:aws:kms:eu-west-1:123:thing/a"), None);
    }
}
