//! On whose behalf a chart is rendered: the release, and the cluster that it goes to.

pub use crate::objects::KubeVersion;
use crate::{Error, Value, go::quote::quote, objects};

/// `.Release`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Release {
    /// Its name: at most 53 characters, a DNS name.
    pub name: String,
    /// The namespace that it goes to.
    pub namespace: String,
    /// 1 for the first installation.
    pub revision: u32,
    /// Whether it is there already.
    pub is_upgrade: bool,
}

/// The longest name of a release: names of objects are made of it.
const NAME_MAX: usize = 53;

impl Release {
    /// Whether the name is allowed.
    ///
    /// # Errors
    /// In the original's words.
    pub fn check_name(&self) -> Result<(), Error> {
        let name = &self.name;
        let fail = |why: &str| {
            Err(Error::new(format!(
                "release name check failed: release name {}: {why}",
                quote(name.as_bytes())
            )))
        };
        if name.is_empty() {
            return fail("no name provided");
        }
        let is_edge =
            |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let is_label = |label: &str| {
            let bytes = label.as_bytes();
            let is_inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
            is_edge(bytes.first().copied()) && is_edge(bytes.last().copied()) && bytes.iter().all(is_inner)
        };
        if name.len() > NAME_MAX || !name.split('.').all(is_label) {
            return fail(
                "invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53",
            );
        }
        Ok(())
    }
}

/// `.Capabilities`.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The version of the cluster.
    pub kube_version: KubeVersion,
    /// What it serves: `apps/v1`, `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
}

impl KubeVersion {
    /// Reads a version: two or more numbers, and anything behind them.
    ///
    /// # Errors
    /// In the original's words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fail = |why: String| Err(Error::new(format!("invalid kube version '{text}': {why}")));
        let shown = quote(text.as_bytes());
        let trimmed = text.trim_start();
        let digits = trimmed.strip_prefix('v').unwrap_or(trimmed);
        let end = digits
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(digits.len());
        let numbers = digits.get(..end).unwrap_or_default();
        let parts: Vec<&str> = numbers.split('.').take_while(|part| !part.is_empty()).collect();
        match parts.first() {
            None => return fail(format!("could not parse {shown} as version")),
            Some(_) if parts.len() < 2 => return fail(format!("illegal version string {shown}")),
            Some(first) if first.starts_with('0') && *first != "0" => {
                return fail(format!(
                    "illegal zero-prefixed version component \"{first}\" in {shown}"
                ));
            }
            Some(_) => {}
        }
        let mut normalized = Vec::new();
        for part in parts {
            match part.parse::<u64>() {
                Ok(number) => normalized.push(number.to_string()),
                Err(_) => {
                    return fail(format!(
                        "illegal non-numeric version component \"{part}\" in {shown}: strconv.ParseUint: parsing \"{part}\": value out of range"
                    ));
                }
            }
        }
        let number = |index: usize| normalized.get(index).cloned().unwrap_or_default();
        Ok(Self {
            version: if text.starts_with('v') {
                text.to_owned()
            } else {
                format!("v{text}")
            },
            normalized: format!("v{}", normalized.join(".")),
            major: number(0),
            minor: number(1),
        })
    }
}

impl Default for Capabilities {
    /// Of a render without a cluster: the version and the groups of the Kubernetes client that Helm 4.3 is built with.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion {
                version: "v1.37.0".to_owned(),
                normalized: "v1.37.0".to_owned(),
                major: "1".to_owned(),
                minor: "37".to_owned(),
            },
            api_versions: API_VERSIONS.iter().map(|version| (*version).to_owned()).collect(),
        }
    }
}

impl Capabilities {
    /// As templates see it.
    pub(crate) fn to_value(&self) -> Value {
        let api_versions = self.api_versions.iter().map(String::as_str);
        Value::object(objects::Capabilities::new(
            self.kube_version.clone(),
            api_versions,
            objects::HelmVersion::default(),
        ))
    }
}

/// The groups of Kubernetes' client library 0.37, in its order.
const API_VERSIONS: [&str; 57] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];
