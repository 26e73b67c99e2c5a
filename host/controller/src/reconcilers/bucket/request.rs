//! From a Bucket and its Secrets to a request (compat/source.md 9.2).

use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble, read_as, secret};
use crate::reconcilers::workload;
use serde_json::Value;
use sluice_api::source::{BucketProvider, BucketSts, StsProvider};
use sluice_api::{Bucket, reason};
use sluice_event::Redacted;
use sluice_source::bucket::{
    Access, AzureClient, AzureIdentity, AzureProof, BucketRequest, GcpIdentity, S3Identity, ServiceAccount,
    Sts,
};
use sluice_source::credential::cloud::Clouds;
use sluice_source::{Proxy, SecretData, Tls, Transport};

pub(super) async fn of(pass: &Pass<'_, Bucket>, clouds: &Clouds) -> Result<BucketRequest, Trouble> {
    let spec = &pass.object.spec;
    check(pass)?;
    let login = match &spec.secret_ref {
        None => None,
        Some(reference) => {
            let name = &reference.name;
            let data = read(pass, name, "failed to get secret").await?;
            Some((name.as_str(), data))
        }
    };
    let login = login.as_ref().map(|(name, data)| (*name, data));
    let proxy = spec.proxy_secret_ref.as_ref();
    let proxy = read_as(pass.run, proxy, "failed to get proxy URL", Proxy::from_secret).await?;
    let is_s3 = matches!(spec.provider, BucketProvider::Generic | BucketProvider::Aws);
    let tls = spec.cert_secret_ref.as_ref().filter(|_| is_s3 && !spec.insecure);
    let tls = read_as(pass.run, tls, "failed to get TLS config", Tls::from_secret).await?;
    let access = match spec.provider {
        BucketProvider::Generic | BucketProvider::Aws => s3(pass, login, proxy.as_ref()).await?,
        BucketProvider::Gcp => Access::Gcp(match login {
            None => GcpIdentity::Own,
            Some(login) => {
                let key = field(login, "serviceaccount", "'serviceaccount'")?;
                GcpIdentity::Account(service_account(login.0, key.reveal())?)
            }
        }),
        BucketProvider::Azure => Access::Azure {
            endpoint: spec.endpoint.clone(),
            identity: login.map_or(Ok(AzureIdentity::Own), azure)?,
        },
    };
    let clouds = if login.is_some() || spec.provider == BucketProvider::Generic {
        clouds.clone()
    } else {
        let clouds = workload::clouds_of(pass.run, clouds, spec.service_account_name.as_deref()).await;
        clouds.map_err(|cause| Trouble::refused(format!("failed to get credential: {cause}")))?
    };
    Ok(BucketRequest {
        name: spec.bucket_name.clone(),
        access,
        clouds,
        prefix: spec.prefix.clone(),
        ignore: spec.ignore.clone(),
        transport: Transport {
            tls: tls.unwrap_or_default(),
            proxy,
            ..Transport::default()
        },
        timeout: spec.timeout.get(),
    })
}

/// What no Secret can mend.
fn check(pass: &Pass<'_, Bucket>) -> Result<(), Trouble> {
    let spec = &pass.object.spec;
    workload::allow(pass.run, spec.service_account_name.as_deref()).map_err(Trouble::fetch)?;
    let Some(sts) = &spec.sts else {
        return Ok(());
    };
    let problem = match (spec.provider, sts.provider) {
        (BucketProvider::Gcp, _) => "STS configuration is not supported for 'gcp' bucket provider",
        (BucketProvider::Azure, _) => "STS configuration is not supported for 'azure' bucket provider",
        (BucketProvider::Aws, StsProvider::Ldap) => {
            "STS provider 'ldap' is not supported for 'aws' bucket provider"
        }
        (BucketProvider::Generic, StsProvider::Aws) => {
            "STS provider 'aws' is not supported for 'generic' bucket provider"
        }
        (BucketProvider::Aws, StsProvider::Aws) if !is_token_service(&sts.endpoint) => {
            return Err(Trouble::refused(format!(
                "AWS authentication failed: invalid STS endpoint: '{}'. must match {TOKEN_SERVICE}",
                sts.endpoint
            )));
        }
        (BucketProvider::Aws, StsProvider::Aws) | (BucketProvider::Generic, StsProvider::Ldap) => {
            return Ok(());
        }
    };
    let failure = Failure::stall(reason::INVALID_STS_CONFIGURATION, problem);
    Err(Trouble::fetch(failure))
}

/// How Flux says what a token service is called.
const TOKEN_SERVICE: &str = r"^https://(.+\.)?sts(-fips)?(\.[^.]+)?(\.vpce)?\.amazonaws\.com$";

/// `https://[…]sts[-fips][.region][.vpce].amazonaws.com`: the controller's web identity goes nowhere else.
fn is_token_service(endpoint: &str) -> bool {
    let Some(host) = endpoint.strip_prefix("https://") else {
        return false;
    };
    let Some(labels) = host.strip_suffix(".amazonaws.com") else {
        return false;
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let labels: Vec<&str> = labels.split('.').collect();
    let service = labels
        .iter()
        .rposition(|label| matches!(*label, "sts" | "sts-fips"));
    let after = service.map(|at| labels.len() - at - 1);
    labels.iter().all(|label| is_label(label))
        && match after {
            Some(0 | 1) => true,
            Some(2) => labels.last() == Some(&"vpce"),
            _ => false,
        }
}

async fn read(pass: &Pass<'_, Bucket>, name: &str, failed: &str) -> Result<SecretData, Trouble> {
    let read = secret(pass.run, name).await;
    read.map_err(|cause| Trouble::refused(format!("{failed} '{}': {cause}", pass.run.beside(name))))
}

/// A Secret by its name.
type Login<'a> = (&'a str, &'a SecretData);

fn text(data: &SecretData, key: &str) -> Option<String> {
    let value = String::from_utf8(data.get(key)?.clone()).ok()?;
    Some(value.trim().to_owned())
}

fn given(data: &SecretData, key: &str) -> Option<String> {
    text(data, key).filter(|value| !value.is_empty())
}

/// A field that must be there; its value may be empty.
fn field((name, data): Login<'_>, key: &str, required: &str) -> Result<Redacted<String>, Trouble> {
    text(data, key).map(Redacted::new).ok_or_else(|| {
        Trouble::refused(format!(
            "invalid '{name}' secret data: required fields {required}"
        ))
    })
}

async fn s3(
    pass: &Pass<'_, Bucket>,
    login: Option<Login<'_>>,
    proxy: Option<&Proxy>,
) -> Result<Access, Trouble> {
    let spec = &pass.object.spec;
    let identity = match (login, &spec.sts) {
        (Some(login), _) => {
            let required = "'accesskey' and 'secretkey'";
            let id = field(login, "accesskey", required)?;
            let secret = field(login, "secretkey", required)?;
            match id.reveal().is_empty() || secret.reveal().is_empty() {
                true => S3Identity::Anonymous,
                false => S3Identity::Key(id.reveal().clone(), secret),
            }
        }
        (None, sts) if spec.provider == BucketProvider::Aws => {
            S3Identity::Role(sts.as_ref().map(|sts| sts.endpoint.clone()))
        }
        (None, Some(sts)) => S3Identity::Ldap(Box::new(directory(pass, sts, proxy).await?)),
        (None, None) => S3Identity::Anonymous,
    };
    Ok(Access::S3 {
        endpoint: spec.endpoint.clone(),
        region: spec.region.clone().filter(|region| !region.is_empty()),
        is_plain: spec.insecure,
        identity,
    })
}

/// A key of Google's: other kinds of its credentials name files, programs and servers to ask.
fn service_account(secret: &str, json: &str) -> Result<ServiceAccount, Trouble> {
    let invalid = |problem: &str| Trouble::refused(format!("invalid '{secret}' secret data: {problem}"));
    let value: Value =
        serde_json::from_str(json).map_err(|_| invalid("failed to parse 'serviceaccount' as JSON"))?;
    if value.get("type").and_then(Value::as_str) != Some("service_account") {
        return Err(invalid(
            "'serviceaccount' must contain a service account key with 'type' set to 'service_account'",
        ));
    }
    ServiceAccount::parse(json).map_err(|problem| {
        Trouble::refused(format!(
            "failed to create Google credentials from secret: {problem}"
        ))
    })
}

/// What a Secret says we are to Microsoft's store: the first that is whole, in Flux's order.
fn azure((name, data): Login<'_>) -> Result<AzureIdentity, Trouble> {
    let get = |key: &str| given(data, key);
    let authority = get("authorityHost");
    let client = |tenant, client, proof| {
        AzureIdentity::Client(Box::new(AzureClient {
            tenant,
            client,
            proof,
            authority: authority.clone(),
        }))
    };
    if let Some((tenant, id)) = get("tenantId").zip(get("clientId")) {
        if let Some(secret) = get("clientSecret") {
            return Ok(client(tenant, id, AzureProof::Secret(Redacted::new(secret))));
        }
        if let Some(pem) = get("clientCertificate") {
            if get("clientCertificatePassword").is_some() {
                return Err(Trouble::refused(format!(
                    "invalid '{name}' secret data: a 'clientCertificate' with a password is not supported: decrypt its key, and remove 'clientCertificatePassword'"
                )));
            }
            let sends_chain = get("clientCertificateSendChain");
            let sends_chain =
                sends_chain.is_some_and(|text| text == "1" || text.eq_ignore_ascii_case("true"));
            let pem = Redacted::new(pem);
            return Ok(client(tenant, id, AzureProof::Certificate { pem, sends_chain }));
        }
    }
    if let Some(id) = get("clientId") {
        return Ok(AzureIdentity::Managed(id));
    }
    if let Some(key) = get("accountKey") {
        return Ok(AzureIdentity::AccountKey(Redacted::new(key)));
    }
    if let Some(sas) = get("sasKey") {
        return Ok(AzureIdentity::Sas(Redacted::new(sas)));
    }
    if authority.is_some() {
        return Ok(AzureIdentity::Own);
    }
    Err(Trouble::refused(format!(
        "invalid '{name}' secret data: requires a 'clientId' or 'accountKey' field, a combination of 'tenantId', 'clientId' and 'clientSecret', or 'tenantId', 'clientId' and 'clientCertificate'"
    )))
}

/// The token service of `spec.sts`.
async fn directory(pass: &Pass<'_, Bucket>, sts: &BucketSts, proxy: Option<&Proxy>) -> Result<Sts, Trouble> {
    let tls = sts.cert_secret_ref.as_ref();
    let tls = read_as(pass.run, tls, "failed to get STS TLS config", Tls::from_secret).await?;
    let (username, password) = match &sts.secret_ref {
        None => (String::new(), String::new()),
        Some(reference) => {
            let data = read(pass, &reference.name, "failed to get STS secret").await?;
            let both = given(&data, "username").zip(given(&data, "password"));
            both.ok_or_else(|| {
                let name = &reference.name;
                Trouble::refused(format!(
                    "invalid '{name}' secret data for 'ldap' STS provider: required fields username, password"
                ))
            })?
        }
    };
    Ok(Sts {
        endpoint: sts.endpoint.clone(),
        username,
        password: Redacted::new(password),
        transport: Transport {
            tls: tls.unwrap_or_default(),
            proxy: proxy.cloned(),
            ..Transport::default()
        },
    })
}

#[cfg(test)]
mod tests {
    use super::is_token_service;

    #[test]
    fn only_amazons_token_services_get_the_controllers_identity() {
        for endpoint in [
            "https://sts.amazonaws.com",
            "https://sts.eu-west-1.amazonaws.com",
            "https://sts-fips.us-east-1.amazonaws.com",
            "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com",
        ] {
            assert!(is_token_service(endpoint), "{endpoint}");
        }
        for endpoint in [
            "http://sts.amazonaws.com",
            "https://sts.amazonaws.com.evil.example",
            "https://evil.example/sts.amazonaws.com",
            "https://user@sts.amazonaws.com",
            "https://s3.eu-west-1.amazonaws.com",
            "https://sts.a.b.amazonaws.com",
            "https://sts.amazonaws.com/",
        ] {
            assert!(!is_token_service(endpoint), "{endpoint}");
        }
    }
}
