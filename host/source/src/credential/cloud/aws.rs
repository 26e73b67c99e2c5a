//! Amazon: a role by web identity, by the pod's agent, or the machine's; then a login of the registry.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use reqwest::{Method, header::HeaderValue};
use serde::Deserialize;
use sluice_event::Redacted;

use super::{
    Clouds,
    account::{AWS_ROLE, annotated, token_of},
    aws_files, basic, read_token,
    signature::{Key, Scope, sign, sign_git},
};
use crate::{
    credential::{Credentials, Error},
    http::Request,
};

/// Where a registry of Amazon is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Registry {
    region: String,
    /// `amazonaws.com`, and of partitions of their own.
    suffix: String,
    is_public: bool,
}

const SUFFIXES: &[&str] = &[
    "amazonaws.com",
    "amazonaws.com.cn",
    "amazonaws.eu",
    "on.aws",
    "on.amazonwebservices.com.cn",
    "sc2s.sgov.gov",
    "c2s.ic.gov",
    "cloud.adc-e.uk",
    "csp.hci.ic.gov",
];

impl Registry {
    /// `<account>.dkr.ecr[-fips].<region>.amazonaws.com`, `public.ecr.aws`, and what they are called over IPv6.
    pub(super) fn of(host: &str) -> Result<Registry, Error> {
        let invalid = || {
            Error(format!(
                "invalid AWS registry: '{host}'. must match <account>.dkr.ecr.<region>.amazonaws.com or public.ecr.aws"
            ))
        };
        if matches!(host, "public.ecr.aws" | "ecr-public.aws.com") {
            return Ok(Registry {
                region: "us-east-1".to_owned(),
                suffix: "amazonaws.com".to_owned(),
                is_public: true,
            });
        }
        let (account, rest) = host
            .split_once(".dkr.ecr")
            .or_else(|| host.split_once(".dkr-ecr"))
            .ok_or_else(invalid)?;
        let rest = rest.strip_prefix("-fips").unwrap_or(rest);
        let (region, suffix) = rest
            .strip_prefix('.')
            .and_then(|rest| rest.split_once('.'))
            .ok_or_else(invalid)?;
        let is_region = region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let is_account = !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit());
        if is_account && is_region && !region.is_empty() && SUFFIXES.contains(&suffix) {
            // the hosts with both versions of IP are registries only
            let suffix = match suffix {
                "on.aws" => "amazonaws.com",
                "on.amazonwebservices.com.cn" => "amazonaws.com.cn",
                other => other,
            };
            let (region, suffix) = (region.to_owned(), suffix.to_owned());
            let is_public = false;
            return Ok(Registry {
                region,
                suffix,
                is_public,
            });
        }
        Err(invalid())
    }
}

/// How long a login lasts that does not say.
const LIFETIME: Duration = Duration::from_secs(3600);

/// The region and the suffix of a CodeCommit host, `git-codecommit[-fips].<region>.amazonaws.com[.cn]`.
pub(super) fn code_commit(host: &str) -> Result<(&str, &str), Error> {
    let invalid = || Error(format!("invalid AWS CodeCommit Git URL: {host}"));
    let rest = host.strip_prefix("git-codecommit").ok_or_else(invalid)?;
    let rest = rest.strip_prefix("-fips").unwrap_or(rest);
    let rest = rest.strip_prefix('.').ok_or_else(invalid)?;
    let (region, suffix) = rest.split_once('.').ok_or_else(invalid)?;
    let is_region = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_known = !region.is_empty() && region.bytes().all(is_region);
    match is_known && matches!(suffix, "amazonaws.com" | "amazonaws.com.cn") {
        true => Ok((region, suffix)),
        false => Err(invalid()),
    }
}

/// What the hosts of services in a region end with.
pub(super) fn suffix_of(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// The token service of a region.
fn token_service(region: &str) -> Result<String, Error> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if region.is_empty() || !region.bytes().all(is_name) {
        return Err(Error(format!("'{region}' is no region of Amazon")));
    }
    Ok(format!("https://sts.{region}.{}/", suffix_of(region)))
}

/// Whom tokens of service accounts are made for.
const STS_AUDIENCE: &str = "sts.amazonaws.com";
const ROLE_PATTERN: &str = "arn:aws:iam::<account>:role/<name>";

fn is_role(arn: &str) -> bool {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, "iam", "", account, role]
        if partition.starts_with("aws")
            && !account.is_empty() && account.bytes().all(|byte| byte.is_ascii_digit())
            && role.strip_prefix("role/").is_some_and(|name| (1..=200).contains(&name.len())))
}

/// How long CodeCommit takes a signature for.
const SIGNATURE_LIFETIME: Duration = Duration::from_secs(15 * 60);

impl Clouds {
    /// A signature in the place of a password, for one repository of CodeCommit.
    pub(super) async fn aws_git(&self, host: &str, path: &str) -> Result<(Credentials, Duration), Error> {
        let (region, suffix) = code_commit(host)?;
        let key = self
            .aws_key_by(region, &format!("https://sts.{region}.{suffix}/"))
            .await?;
        let scope = Scope {
            service: "codecommit",
            region,
            time: Timestamp::now(),
        };
        let (time, signature) = sign_git(&key, &scope, host, path);
        let user = match &key.token {
            Some(token) => format!("{}%{}", key.id, token.reveal()),
            None => key.id.clone(),
        };
        Ok((basic(&user, &format!("{time}Z{signature}")), SIGNATURE_LIFETIME))
    }

    pub(super) async fn aws_login(&self, host: &str) -> Result<(Credentials, Duration), Error> {
        let registry = Registry::of(host)?;
        let Registry { region, suffix, .. } = &registry;
        let key = self
            .aws_key_by(region, &format!("https://sts.{region}.{suffix}/"))
            .await?;
        let (address, service, target) = match registry.is_public {
            true => (
                format!("https://api.ecr-public.{region}.{suffix}/"),
                "ecr-public",
                "SpencerFrontendService.GetAuthorizationToken",
            ),
            false => (
                format!("https://api.ecr.{region}.{suffix}/"),
                "ecr",
                "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
            ),
        };
        let mut request = Request::new(Method::POST, self.shared.endpoints.url(&address)?);
        let json = HeaderValue::from_static("application/x-amz-json-1.1");
        request.headers.insert("content-type", json);
        request
            .headers
            .insert("x-amz-target", HeaderValue::from_static(target));
        let scope = Scope {
            service,
            region,
            time: Timestamp::now(),
        };
        sign(&key, &scope, ("POST", &request.url), &mut request.headers, b"{}")?;
        request.authorization = request.headers.remove("authorization");
        request.body = Some("{}".into());
        let answer: Answer = self.ask("Elastic Container Registry", request).await?;
        let data = match answer.authorization_data {
            OneOrMany::One(data) => Some(data),
            OneOrMany::Many(data) => data.into_iter().next(),
        };
        let unusable = || Error("Elastic Container Registry: the answer holds no login".to_owned());
        let data = data.ok_or_else(unusable)?;
        let decoded = STANDARD.decode(data.authorization_token).ok();
        let text = decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(unusable)?;
        let (user, password) = text.split_once(':').ok_or_else(unusable)?;
        Ok((basic(user, password), data.expires_at.map_or(LIFETIME, until)))
    }

    /// The key of who asks: an account's by web identity; this process's given, by web identity, of Amazon's files, by the
    /// pod's agent, of the machine.
    async fn aws_key_by(&self, region: &str, sts: &str) -> Result<Key, Error> {
        if let Some(account) = &self.account {
            let role = annotated(&**account, AWS_ROLE, ROLE_PATTERN, is_role)?;
            let token = token_of(&**account, STS_AUDIENCE).await?;
            let (namespace, name) = account.place();
            // what of a session's name is longer is refused
            let session: String = format!("{name}.{namespace}.{region}.fluxcd.io")
                .chars()
                .take(64)
                .collect();
            return self.assume_role(sts, role, &session, token.reveal()).await;
        }
        let environment = &self.shared.environment;
        if let Some((id, secret, token)) = &environment.aws_key {
            let (id, secret, token) = (id.clone(), secret.clone(), token.clone());
            return Ok(Key { id, secret, token });
        }
        if let Some((role, file)) = &environment.aws_role {
            let token = read_token(file).await?;
            return self.assume_role(sts, role, "sluice", &token).await;
        }
        if let Some(key) = aws_files::key(environment).await? {
            return Ok(key);
        }
        if let Some((url, file)) = &environment.aws_container {
            let mut request = self.shared.get(url, &[])?;
            if let Some(file) = file {
                let token = read_token(file).await?;
                let token = HeaderValue::from_str(&token);
                let token = token.map_err(|_| Error("the agent's token cannot be sent".to_owned()))?;
                request.authorization = Some(token);
            }
            return self.ask::<Given>("the pod's agent", request).await.map(Key::from);
        }
        self.machine_key().await
    }

    /// The key of this process for services in a region, by its token service or another one.
    pub(super) async fn aws_key_at(&self, region: &str, sts: Option<&str>) -> Result<Key, Error> {
        let own = token_service(region)?;
        self.aws_key_by(region, sts.unwrap_or(&own)).await
    }

    /// The token service of the region that this process is in, where that is known: of one elsewhere nothing may be heard
    /// here. Accounts of users are roles wherever their objects are.
    pub(crate) fn aws_own_token_service(&self) -> Result<Option<String>, Error> {
        let region = self.shared.environment.aws_region.as_deref();
        let region = region.filter(|_| self.account.is_none());
        region.map(token_service).transpose()
    }

    async fn assume_role(&self, sts: &str, role: &str, session: &str, token: &str) -> Result<Key, Error> {
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token),
        ];
        let mut request = self.shared.post_form(sts, &form)?;
        request
            .headers
            .insert("accept", HeaderValue::from_static("application/json"));
        let answer: Assumed = self.ask("Security Token Service", request).await?;
        Ok(answer.response.result.credentials.into())
    }

    /// The machine's role, by the second version of its metadata service.
    async fn machine_key(&self) -> Result<Key, Error> {
        const BASE: &str = "http://169.254.169.254/latest";
        let what = "the machine's metadata service";
        let mut request = self.shared.get(
            &format!("{BASE}/api/token"),
            &[("x-aws-ec2-metadata-token-ttl-seconds", "300")],
        )?;
        request.method = Method::PUT;
        let token = String::from_utf8_lossy(&self.text(what, request).await?).into_owned();
        let headers = [("x-aws-ec2-metadata-token", token.as_str())];
        let roles = format!("{BASE}/meta-data/iam/security-credentials/");
        let role = self.text(what, self.shared.get(&roles, &headers)?).await?;
        let role = String::from_utf8_lossy(&role)
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let is_name = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
        if role.is_empty() || !role.chars().all(is_name) {
            return Err(Error(format!("{what}: the machine has no role")));
        }
        self.ask::<Given>(what, self.shared.get(&format!("{roles}{role}"), &headers)?)
            .await
            .map(Key::from)
    }
}

fn until(seconds: f64) -> Duration {
    let left = seconds - Timestamp::now().as_second() as f64;
    Duration::try_from_secs_f64(left.clamp(0.0, 43_200.0)).unwrap_or(LIFETIME)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: OneOrMany,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    Many(Vec<Data>),
    One(Data),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    authorization_token: String,
    expires_at: Option<f64>,
}

#[derive(Deserialize)]
struct Assumed {
    #[serde(rename = "AssumeRoleWithWebIdentityResponse")]
    response: AssumedResponse,
}

#[derive(Deserialize)]
struct AssumedResponse {
    #[serde(rename = "AssumeRoleWithWebIdentityResult")]
    result: AssumedResult,
}

#[derive(Deserialize)]
struct AssumedResult {
    #[serde(rename = "Credentials")]
    credentials: Given,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    access_key_id: String,
    secret_access_key: String,
    #[serde(alias = "Token")]
    session_token: Option<String>,
}

impl From<Given> for Key {
    fn from(given: Given) -> Key {
        Key {
            id: given.access_key_id,
            secret: Redacted::new(given.secret_access_key),
            token: given.session_token.map(Redacted::new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_code_commit_are_its_own() {
        for (host, region) in [
            ("git-codecommit.eu-west-1.amazonaws.com", "eu-west-1"),
            ("git-codecommit-fips.us-east-1.amazonaws.com", "us-east-1"),
            ("git-codecommit.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ] {
            assert_eq!(code_commit(host).unwrap().0, region, "{host}");
        }
        for host in [
            "github.com",
            "git-codecommit.eu-west-1.amazonaws.com.evil.example",
            "git-codecommit..amazonaws.com",
            "git-codecommit.a/b.amazonaws.com",
            "xgit-codecommit.eu-west-1.amazonaws.com",
        ] {
            let error = code_commit(host).unwrap_err().to_string();
            assert_eq!(error, format!("invalid AWS CodeCommit Git URL: {host}"));
        }
    }

    #[test]
    fn only_hosts_of_amazon_are_its_registries() {
        for (host, region) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "eu-west-1"),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
            ),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
            ("123456789012.dkr-ecr.us-east-1.on.aws", "us-east-1"),
            (
                "123456789012.dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
                "cn-north-1",
            ),
            ("public.ecr.aws", "us-east-1"),
            ("ecr-public.aws.com", "us-east-1"),
        ] {
            assert_eq!(Registry::of(host).unwrap().region, region, "{host}");
        }
        for host in [
            "ghcr.io",
            "1.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            "x.dkr.ecr.eu-west-1.amazonaws.com",
            "1.dkr.ecr.a/b.amazonaws.com",
            "1.dkr.ecr..amazonaws.com",
            "public.ecr.aws.evil.example",
        ] {
            let error = Registry::of(host).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("invalid AWS registry: '{host}'. must match")),
                "{error}"
            );
        }
    }
}
