//! `sluice check`: whether a cluster can be installed on, and whether what is installed works (compat: cli, section 4).

use super::within;
use crate::args::Global;
use crate::installed::{self, Installation, selector};
use crate::tell;
use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::Value;
use sluice_apply::cluster::{Cluster, Identity, KubeCluster};
use sluice_object::GroupVersionKind;
use sluice_semver::{Range, Version};
use std::process::ExitCode;
use std::time::Duration;
use tokio::time::Instant;

/// The clusters that the Flux whose work is done here runs on.
const KUBERNETES: &str = ">=1.33.0-0";

#[derive(Args, Debug)]
pub(crate) struct Check {
    /// Check only whether the cluster can be installed on
    #[arg(long)]
    pre: bool,
    /// How often is looked whether a controller is ready
    #[arg(long, default_value = "5s", value_parser = crate::args::duration, value_name = "DURATION")]
    poll_interval: Duration,
    /// Accepted: whatever is installed is checked
    #[arg(long, hide = true, value_delimiter = ',', value_name = "NAME")]
    components: Vec<String>,
    /// The same
    #[arg(long, hide = true, value_delimiter = ',', value_name = "NAME")]
    components_extra: Vec<String>,
}

pub(crate) async fn run(check: &Check, global: &Global) -> Result<ExitCode> {
    tell::action("checking prerequisites");
    let deadline = Instant::now() + global.timeout;
    let cluster = global.connect.api_server().await?;
    let mut is_fine = within(global.timeout, kubernetes(&cluster)).await?;
    if check.pre {
        if !is_fine {
            return Ok(ExitCode::FAILURE);
        }
        tell::success("prerequisites checks passed");
        return Ok(ExitCode::SUCCESS);
    }
    tell::action("checking version in cluster");
    is_fine &= version(&cluster).await;
    tell::action("checking controllers");
    let every = check.poll_interval;
    is_fine &= controllers(&cluster, &global.namespace, every, deadline).await;
    tell::action("checking crds");
    is_fine &= definitions(&cluster).await;
    if !is_fine {
        tell::failure("check failed");
        return Ok(ExitCode::FAILURE);
    }
    tell::success("all checks passed");
    Ok(ExitCode::SUCCESS)
}

/// Whether the cluster's version is one that Flux runs on.
async fn kubernetes(cluster: &KubeCluster) -> Result<bool> {
    let said = cluster.client().apiserver_version().await;
    let said = said.context("Kubernetes API call failed")?.git_version;
    match suits(&said) {
        Ok(fine) => tell::success(&fine),
        Err(wrong) => {
            tell::failure(&wrong);
            return Ok(false);
        }
    }
    Ok(true)
}

/// What is told of a version that an API server says it has.
fn suits(said: &str) -> Result<String, String> {
    let undetermined = "Kubernetes version can't be determined";
    let number = said.strip_prefix('v').unwrap_or(said);
    let (Ok(version), Ok(range)) = (Version::parse_tag(number), Range::parse(KUBERNETES)) else {
        return Err(undetermined.to_owned());
    };
    match range.contains(&version) {
        true => Ok(format!("Kubernetes {version} {KUBERNETES}")),
        false => Err(format!("Kubernetes version {said} does not match {KUBERNETES}")),
    }
}

/// Which version is installed, and whether Git has it.
async fn version(cluster: &dyn Cluster) -> bool {
    match Installation::find(cluster).await {
        Ok(Some(installation)) => {
            let distribution = installation.distribution();
            if !distribution.is_empty() {
                tell::success(&format!("distribution: {distribution}"));
            }
            tell::success(&format!("bootstrapped: {}", installation.is_bootstrapped));
            true
        }
        Ok(None) => {
            tell::failure(&format!(
                "checking failed: customresourcedefinitions.apiextensions.k8s.io \"{}\" not found",
                Installation::definition().name
            ));
            false
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> bool {
    tell::failure(&format!("checking failed: {error}"));
    false
}

/// Whether all controllers of a namespace are ready before the time is over.
async fn controllers(cluster: &dyn Cluster, namespace: &str, every: Duration, deadline: Instant) -> bool {
    let deployments = match installed::controllers(cluster, Some(namespace)).await {
        Ok(deployments) if deployments.is_empty() => {
            let selector = selector();
            tell::failure(&format!(
                "no controllers found in the '{namespace}' namespace with the label selector '{selector}'"
            ));
            return false;
        }
        Ok(deployments) => deployments,
        Err(error) => return failed(&error),
    };
    let mut is_fine = true;
    for deployment in &deployments {
        let name = installed::name(deployment);
        let id = installed::deployment(namespace, name);
        let health = installed::until_current(cluster, &id, every, deadline).await;
        is_fine &= installed::tell_deployment(name, &health);
        images(deployment).for_each(tell::action);
    }
    whose(&deployments).iter().for_each(|line| tell::action(line));
    is_fine
}

fn images(deployment: &Value) -> impl Iterator<Item = &str> {
    let containers = deployment
        .pointer("/spec/template/spec/containers")
        .and_then(Value::as_array);
    containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("image")?.as_str())
}

/// Who does which work, where Flux's own controllers do some of it.
fn whose(deployments: &[Value]) -> Option<String> {
    let (ours, others): (Vec<&Value>, Vec<&Value>) = deployments
        .iter()
        .partition(|deployment| installed::is_ours(deployment));
    if others.is_empty() {
        return None;
    }
    let others = installed::names(others);
    Some(match ours.is_empty() {
        true => format!("Flux's own: {others}; none is Sluice's"),
        false => format!("Sluice's: {}; Flux's own: {others}", installed::names(ours)),
    })
}

/// Whether all definitions say in which versions their objects are stored.
async fn definitions(cluster: &dyn Cluster) -> bool {
    let kind = GroupVersionKind::new("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    let selector = selector();
    let listed = cluster
        .list(&Identity::AsController, &kind, None, &selector)
        .await;
    let definitions = match listed {
        Ok(definitions) if definitions.is_empty() => {
            tell::failure(&format!("no crds found with the label selector '{selector}'"));
            return false;
        }
        Ok(definitions) => definitions,
        Err(error) => return failed(&error),
    };
    let mut is_fine = true;
    for definition in &definitions {
        match stored(definition) {
            Ok(stored) => tell::success(&stored),
            Err(wrong) => {
                tell::failure(&wrong);
                is_fine = false;
            }
        }
    }
    is_fine
}

/// A definition and the last version that its objects are stored in.
fn stored(definition: &Value) -> Result<String, String> {
    let name = installed::name(definition);
    let versions = definition
        .pointer("/status/storedVersions")
        .and_then(Value::as_array);
    match versions.and_then(|versions| versions.last()?.as_str()) {
        Some(version) => Ok(format!("{name}/{version}")),
        None => Err(format!("no stored versions for {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_judged_in_the_words_of_flux() {
        for (said, expected) in [
            ("v1.34.1", Ok("Kubernetes 1.34.1 >=1.33.0-0")),
            ("v1.33.0-rc.1", Ok("Kubernetes 1.33.0-rc.1 >=1.33.0-0")),
            (
                "v1.33.5-gke.1080000",
                Ok("Kubernetes 1.33.5-gke.1080000 >=1.33.0-0"),
            ),
            ("v1.35.2+k3s1", Ok("Kubernetes 1.35.2+k3s1 >=1.33.0-0")),
            (
                "v1.32.9",
                Err("Kubernetes version v1.32.9 does not match >=1.33.0-0"),
            ),
            ("", Err("Kubernetes version can't be determined")),
            ("v1.34", Err("Kubernetes version can't be determined")),
        ] {
            let told = suits(said);
            let told = told.as_deref().map_err(String::as_str);
            assert_eq!(told, expected, "{said}");
        }
    }

    #[test]
    fn flux_is_named_where_it_works_beside() {
        let deployment = |name: &str, command: Value| {
            json!({"metadata": {"name": name}, "spec": {"template": {"spec": {"containers": [
                {"image": format!("registry.example.com/{name}:v1"), "command": command}]}}}})
        };
        let ours = deployment("kustomize-controller", json!(["sluice", "controller"]));
        let flux = deployment("helm-controller", json!(null));
        assert_eq!(whose(std::slice::from_ref(&ours)), None);
        assert_eq!(
            whose(&[flux.clone(), ours]).as_deref(),
            Some("Sluice's: kustomize-controller; Flux's own: helm-controller")
        );
        assert_eq!(
            whose(std::slice::from_ref(&flux)).as_deref(),
            Some("Flux's own: helm-controller; none is Sluice's")
        );
        assert_eq!(
            images(&flux).collect::<Vec<_>>(),
            ["registry.example.com/helm-controller:v1"]
        );
    }

    #[test]
    fn a_definition_without_stored_versions_is_wrong() {
        let definition = |status: Value| json!({"metadata": {"name": "x.example.com"}, "status": status});
        let told = stored(&definition(json!({"storedVersions": ["v1beta2", "v1"]})));
        assert_eq!(told.as_deref(), Ok("x.example.com/v1"));
        for status in [json!({"storedVersions": []}), json!({})] {
            let told = stored(&definition(status));
            assert_eq!(told, Err("no stored versions for x.example.com".to_owned()));
        }
    }
}
