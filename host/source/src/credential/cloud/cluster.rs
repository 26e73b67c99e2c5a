//! Clusters of clouds: where one answers, whom it trusts, and a token of this controller for it (compat/kustomize.md 10).
//!
//! ```text
//! the cloud's name of the cluster ─▶ its description: address, CA ─▶ access
//! the controller's own identity ───▶ a token for it ────────────────┘
//! ```

use std::time::Duration;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use jiff::Timestamp;
use reqwest::{
    Method,
    header::{CONTENT_LENGTH, HeaderValue},
};
use serde::Deserialize;
use serde_json::Value;
use sluice_event::Redacted;
use sluice_yaml::{ParseOptions, Resolver};

use super::{
    Cloud, Clouds, IDENTITY_LIFETIME,
    aws::suffix_of,
    bearer,
    signature::{Scope, presign, sign},
};
use crate::{credential::Error, http::Request};

/// What a user says of a cluster; empty where nothing is said.
#[derive(Clone, Copy, Debug)]
pub struct Cluster<'a> {
    /// The cloud's name of it: an ARN, an Azure resource ID, `projects/…/locations/…/clusters/…`.
    pub name: &'a str,
    /// Where it answers. With `ca`, the cloud is not asked for a description.
    pub address: &'a str,
    /// The certificates it is trusted by, PEM.
    pub ca: &'a str,
}

/// How a cluster is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterAccess {
    /// A host or a URL.
    pub address: String,
    /// The certificates it is trusted by, PEM; empty for those of everybody.
    pub ca: String,
    /// A bearer token.
    pub token: Redacted<String>,
    /// How long the token is good for, from when it was asked for.
    pub lifetime: Duration,
}

/// How long EKS takes a signed question in the place of a token.
const EKS_TOKEN_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// The servers of AKS, as Microsoft Entra names them.
const AKS: &str = "6dae42f8-4368-4678-94ff-3960e28e3630";
/// The version of the API of AKS that is asked.
const AKS_API: &str = "api-version=2024-05-01";

impl Clouds {
    /// How a cluster is reached as who asks. Nothing is kept here.
    ///
    /// # Errors
    /// Where the name is none, or the cloud does not say.
    pub async fn cluster(&self, cloud: Cloud, cluster: Cluster<'_>) -> Result<ClusterAccess, Error> {
        match cloud {
            Cloud::Aws => self.eks(cluster).await,
            Cloud::Azure => self.aks(cluster).await,
            Cloud::Gcp => self.gke(cluster).await,
        }
    }

    async fn eks(&self, cluster: Cluster<'_>) -> Result<ClusterAccess, Error> {
        let (region, name) = eks_name(cluster.name)?;
        let suffix = suffix_of(region);
        let key = self.aws_key(region, None).await?;
        let mut place = Place::of(cluster);
        if place.is_wanting() {
            let shared = &self.shared;
            let mut request = shared.get(&format!("https://eks.{region}.{suffix}/clusters/{name}"), &[])?;
            let scope = Scope {
                service: "eks",
                region,
                time: Timestamp::now(),
            };
            sign(&key, &scope, ("GET", &request.url), &mut request.headers, b"")?;
            request.authorization = request.headers.remove("authorization");
            let described: EksDescribed = self.ask("Elastic Kubernetes Service", request).await?;
            let described = described.cluster;
            place.fill(&described.endpoint, &described.certificate_authority.data)?;
        }
        let scope = Scope {
            service: "sts",
            region,
            time: Timestamp::now(),
        };
        let headers = [("x-k8s-aws-id", name)];
        let question = [("Action", "GetCallerIdentity"), ("Version", "2011-06-15")];
        let host = format!("sts.{region}.{suffix}");
        let url = presign(&key, &scope, &host, &headers, &question, EKS_TOKEN_LIFETIME);
        let token = format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url));
        Ok(place.with(token, EKS_TOKEN_LIFETIME))
    }

    async fn gke(&self, cluster: Cluster<'_>) -> Result<ClusterAccess, Error> {
        let (token, lifetime) = self.gcp_token().await?;
        let mut place = Place::of(cluster);
        if place.is_wanting() {
            check_gke_name(cluster.name)?;
            let address = format!("https://container.googleapis.com/v1/{}", cluster.name);
            let mut request = self.shared.get(&address, &[])?;
            request.authorization = Some(bearer(&token)?);
            let described: GkeDescribed = self.ask("Google Kubernetes Engine", request).await?;
            place.fill(&described.endpoint, &described.master_auth.cluster_ca_certificate)?;
        }
        Ok(place.with(token, lifetime))
    }

    async fn aks(&self, cluster: Cluster<'_>) -> Result<ClusterAccess, Error> {
        let shared = &self.shared;
        let token = self.azure_token(AKS, None).await?;
        let mut place = Place::of(cluster);
        if place.is_wanting() {
            check_aks_name(cluster.name)?;
            let management = self.azure_management();
            let authorization = bearer(&self.azure_token(management, None).await?)?;
            let address = format!("{management}{}", cluster.name.trim_start_matches('/'));
            let ask = |question: &str| -> Result<Request, Error> {
                let mut request = shared.get(&format!("{address}{question}?{AKS_API}"), &[])?;
                request.authorization = Some(authorization.clone());
                Ok(request)
            };
            let described: AksDescribed = self.ask("Azure Kubernetes Service", ask("")?).await?;
            if described.properties.aad_profile.is_none() {
                return Err(Error(format!(
                    "AKS cluster {} does not have Microsoft Entra ID integration enabled",
                    cluster.name
                )));
            }
            let mut request = ask("/listClusterUserCredential")?;
            request.method = Method::POST;
            request
                .headers
                .insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
            let listed: AksKubeconfigs = self.ask("Azure Kubernetes Service", request).await?;
            let (server, ca) = listed.choose(cluster)?;
            place.fill(&server, &ca)?;
        }
        Ok(place.with(token, IDENTITY_LIFETIME))
    }
}

/// Where a cluster is, as far as it is known.
struct Place {
    address: String,
    ca: String,
}

impl Place {
    fn of(cluster: Cluster<'_>) -> Self {
        Self {
            address: cluster.address.to_owned(),
            ca: cluster.ca.to_owned(),
        }
    }

    fn is_wanting(&self) -> bool {
        self.address.is_empty() || self.ca.is_empty()
    }

    /// What the user did not say is as the cloud says; its certificates are PEM in base64.
    fn fill(&mut self, address: &str, ca: &str) -> Result<(), Error> {
        if self.address.is_empty() {
            self.address = address.to_owned();
        }
        if self.ca.is_empty() {
            let pem = STANDARD
                .decode(ca)
                .ok()
                .and_then(|pem| String::from_utf8(pem).ok());
            self.ca = pem.ok_or_else(|| {
                Error("the cluster's description holds no certificate of its authority".to_owned())
            })?;
        }
        Ok(())
    }

    fn with(self, token: String, lifetime: Duration) -> ClusterAccess {
        ClusterAccess {
            address: self.address,
            ca: self.ca,
            token: Redacted::new(token),
            lifetime,
        }
    }
}

/// Names become parts of a path: nothing in one may end it or lead out of it.
fn is_segment(text: &str, length_max: usize) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:()".contains(&byte);
    (1..=length_max).contains(&text.len()) && text.bytes().all(is_plain) && text != "." && text != ".."
}

/// The region and the name of a cluster of EKS.
fn eks_name(arn: &str) -> Result<(&str, &str), Error> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    if let ["arn", partition, "eks", region, account, cluster] = parts.as_slice()
        && partition.starts_with("aws")
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !account.is_empty()
        && let Some(name) = cluster.strip_prefix("cluster/")
        && is_segment(name, 200)
        && is_segment(region, 100)
    {
        return Ok((region, name));
    }
    Err(Error(format!(
        "invalid EKS cluster ARN: '{arn}'. must match arn:aws:eks:<region>:<account>:cluster/<name>"
    )))
}

fn check_gke_name(name: &str) -> Result<(), Error> {
    let parts: Vec<&str> = name.split('/').collect();
    if let ["projects", project, "locations", location, "clusters", cluster] = parts.as_slice()
        && [project, location, cluster]
            .iter()
            .all(|part| is_segment(part, 200))
    {
        return Ok(());
    }
    Err(Error(format!(
        "invalid GKE cluster ID: '{name}'. must match projects/<project>/locations/<location>/clusters/<name>"
    )))
}

fn check_aks_name(id: &str) -> Result<(), Error> {
    let parts: Vec<&str> = id.split('/').collect();
    if let [
        "",
        subscriptions,
        subscription,
        groups,
        group,
        providers,
        provider,
        kind,
        cluster,
    ] = parts.as_slice()
        && subscriptions.eq_ignore_ascii_case("subscriptions")
        && groups.eq_ignore_ascii_case("resourceGroups")
        && providers.eq_ignore_ascii_case("providers")
        && provider.eq_ignore_ascii_case("Microsoft.ContainerService")
        && kind.eq_ignore_ascii_case("managedClusters")
        && subscription.len() == 36
        && [subscription, group, cluster]
            .iter()
            .all(|part| is_segment(part, 200))
    {
        return Ok(());
    }
    Err(Error(format!(
        "invalid AKS cluster ID: '{id}'. must match \
         /subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ContainerService/managedClusters/<name>"
    )))
}

#[derive(Deserialize)]
struct EksDescribed {
    cluster: EksCluster,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct EksCluster {
    endpoint: String,
    certificate_authority: EksAuthority,
}

#[derive(Deserialize)]
struct EksAuthority {
    data: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GkeDescribed {
    endpoint: String,
    master_auth: GkeAuth,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GkeAuth {
    cluster_ca_certificate: String,
}

#[derive(Deserialize)]
struct AksDescribed {
    properties: AksProperties,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AksProperties {
    aad_profile: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct AksKubeconfigs {
    kubeconfigs: Vec<AksKubeconfig>,
}

#[derive(Deserialize)]
struct AksKubeconfig {
    value: String,
}

impl AksKubeconfigs {
    /// Server and certificates (base64) of the kubeconfig for the address the user gave, of the first where none is given.
    fn choose(&self, cluster: Cluster<'_>) -> Result<(String, String), Error> {
        let mut addresses = Vec::new();
        for kubeconfig in &self.kubeconfigs {
            let (server, ca) = aks_place(&kubeconfig.value).ok_or_else(|| {
                Error(format!(
                    "a kubeconfig of AKS cluster {} cannot be read",
                    cluster.name
                ))
            })?;
            if cluster.address.is_empty() || same_server(cluster.address, &server) {
                return Ok((server, ca));
            }
            addresses.push(format!("'{server}'"));
        }
        Err(Error(match addresses.is_empty() {
            true => format!("no kubeconfig found for AKS cluster {}", cluster.name),
            false => format!(
                "no kubeconfig found for AKS cluster {} matching the specified address '{}'. cluster addresses: [{}]",
                cluster.name,
                cluster.address,
                addresses.join(", ")
            ),
        }))
    }
}

/// Server and certificates of a kubeconfig in base64.
fn aks_place(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let document = sluice_yaml::parse_document(&text, &ParseOptions::new(Resolver::V2)).ok()??;
    let kubeconfig: Value = sluice_yaml::to_json(&document.root, Resolver::V2).ok()?;
    let cluster = kubeconfig.pointer("/clusters/0/cluster")?;
    let text = |key: &str| cluster.get(key).and_then(Value::as_str).map(str::to_owned);
    Some((
        text("server")?,
        text("certificate-authority-data").unwrap_or_default(),
    ))
}

fn same_server(one: &str, other: &str) -> bool {
    let place = |address: &str| {
        let address = address.strip_prefix("https://").unwrap_or(address);
        let address = address.trim_end_matches('/').to_ascii_lowercase();
        address.strip_suffix(":443").map(str::to_owned).unwrap_or(address)
    };
    place(one) == place(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        assert_eq!(
            eks_name("arn:aws-cn:eks:cn-north-1:123456789012:cluster/prod").unwrap(),
            ("cn-north-1", "prod")
        );
        for arn in [
            "",
            "prod",
            "arn:aws:eks:eu-west-1:123456789012:nodegroup/prod",
            "arn:aws:eks:eu-west-1:123456789012:cluster/../prod",
            "arn:aws:eks:eu-west-1:123456789012:cluster/..",
            "arn:aws:eks:eu-west-1/x:123456789012:cluster/prod",
            "arn:aws:eks:eu-west-1:12x:cluster/prod",
            "arn:aws:eks:eu-west-1::cluster/prod",
        ] {
            let error = eks_name(arn).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("invalid EKS cluster ARN: '{arn}'")),
                "{error}"
            );
        }
        check_gke_name("projects/example.com:p/locations/europe-west1/clusters/prod").unwrap();
        for name in [
            "",
            "projects/p/locations/l/clusters/",
            "projects/p/locations/../clusters/c",
            "projects/p/locations/l/clusters/c?x=1",
            "projects/p/locations/l/clusters/c/nodePools/n",
        ] {
            check_gke_name(name).unwrap_err();
        }
        let id = "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/g/providers/Microsoft.ContainerService/managedClusters/c";
        check_aks_name(id).unwrap();
        for id in [
            "",
            &id[1..],
            &format!("{id}/x"),
            &format!("{id}?x"),
            &id.replace("/g/", "/../"),
        ] {
            check_aks_name(id).unwrap_err();
        }
    }

    #[test]
    fn servers_are_the_same_with_and_without_what_goes_without_saying() {
        for other in [
            "https://One.example",
            "one.example:443",
            "https://one.example:443/",
        ] {
            assert!(same_server("one.example", other), "{other}");
        }
        assert!(!same_server("one.example", "one.example:6443"));
    }
}
