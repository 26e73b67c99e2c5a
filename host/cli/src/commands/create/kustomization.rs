//! `sluice create kustomization`.

use super::{Common, named, said, written};
use crate::args::{Global, duration, switch};
use crate::commands::until;
use crate::kinds;
use crate::target::done;
use crate::tell;
use anyhow::{Result, bail};
use clap::{ArgAction, Args};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Args, Debug)]
pub(crate) struct New {
    #[command(flatten)]
    common: Common,
    /// The source: OCIRepository, GitRepository or Bucket, a GitRepository where no kind is said
    #[arg(long, value_name = "[KIND/]NAME[.NAMESPACE]")]
    source: Option<String>,
    /// Directory of the source
    #[arg(long, default_value = "./", value_name = "DIR")]
    path: String,
    /// Delete what is not in the source any more
    #[arg(long)]
    prune: bool,
    /// Wait for everything that was applied to be healthy
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = switch, action = ArgAction::Set, value_name = "BOOL")]
    wait: Option<bool>,
    /// Wait for these objects to be healthy, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "KIND/NAME.NAMESPACE")]
    health_check: Vec<String>,
    /// How long that may take
    #[arg(long, default_value = "2m", value_parser = duration, value_name = "DURATION")]
    health_check_timeout: Duration,
    /// Accepted and not looked at: everything is validated
    #[arg(long, hide = true, value_name = "HOW")]
    validation: Option<String>,
    /// Kustomizations that must be ready before, may be repeated
    #[arg(long, value_delimiter = ',', value_name = "[NAMESPACE/]NAME")]
    depends_on: Vec<String>,
    /// The service account to act as
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// How files are encrypted
    #[arg(long, value_parser = ["sops"], value_name = "FORMAT")]
    decryption_provider: Option<String>,
    /// The Secret with the keys
    #[arg(long, value_name = "NAME")]
    decryption_secret: Option<String>,
    /// The namespace of all objects, in place of their own
    #[arg(long, value_name = "NAME")]
    target_namespace: Option<String>,
    /// The Secret with the kubeconfig of another cluster
    #[arg(long, value_name = "NAME")]
    kubeconfig_secret_ref: Option<String>,
    /// How long to wait after a failure
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    retry_interval: Option<Duration>,
}

pub(super) async fn run(new: &New, global: &Global) -> Result<()> {
    new.common.name()?;
    let Some(source) = said(&new.source) else {
        bail!("source is required");
    };
    let source = source_of(source)?;
    if new.validation.is_some() {
        tell::warning("--validation is not used any more: everything is validated");
    }
    if !new.common.export {
        tell::generate("generating Kustomization");
    }
    let object = new
        .common
        .object(kinds::KUSTOMIZATION, new.spec(&source)?, global)?;
    if new.common.export {
        return object.print();
    }
    let deadline = Instant::now() + global.timeout;
    let client = global.connect.client().await?;
    tell::action("applying Kustomization");
    let applied = until(deadline, object.apply(&client, global)).await?;
    tell::success(&format!("Kustomization {applied}"));
    tell::waiting("waiting for Kustomization reconciliation");
    let ready = object.reconciled(&client, deadline).await?;
    tell::success(&format!("Kustomization {} is ready", object.name));
    tell::success(&done(kinds::KUSTOMIZATION, &ready));
    Ok(())
}

impl New {
    fn spec(&self, source: &Value) -> Result<Value> {
        let is_waiting = self.wait == Some(true);
        // what waits for everything waits for these too
        let checks: Vec<Value> = match is_waiting {
            true => vec![],
            false => self
                .health_check
                .iter()
                .map(|check| health_check(check))
                .collect::<Result<_>>()?,
        };
        let depends_on: Vec<Value> = self.depends_on.iter().map(|on| dependency(on)).collect();
        let has_timeout = is_waiting || !checks.is_empty();
        let decryption = self.decryption_provider.as_ref();
        let kubeconfig = named(&self.kubeconfig_secret_ref);
        let retry_interval = self.retry_interval.filter(|interval| !interval.is_zero());
        Ok(json!({
            "interval": written(self.common.interval),
            "path": relative(&self.path),
            "prune": self.prune,
            "sourceRef": source,
            "targetNamespace": said(&self.target_namespace),
            "dependsOn": (!depends_on.is_empty()).then_some(depends_on),
            "kubeConfig": kubeconfig.map(|secret| json!({ "secretRef": secret })),
            "healthChecks": (!checks.is_empty()).then_some(checks),
            "timeout": has_timeout.then(|| written(self.health_check_timeout)),
            "wait": is_waiting.then_some(true),
            "serviceAccountName": said(&self.service_account),
            "decryption": decryption.map(|provider| {
                json!({ "provider": provider, "secretRef": named(&self.decryption_secret) })
            }),
            "retryInterval": retry_interval.map(written),
        }))
    }
}

const SOURCES: [&str; 3] = ["OCIRepository", "GitRepository", "Bucket"];

/// `[Kind/]name[.namespace]`.
fn source_of(text: &str) -> Result<Value> {
    let (kind, name) = match text.split_once('/') {
        Some((kind, name)) if !name.contains('/') => (kind, name),
        _ => ("", text),
    };
    let (name, namespace) = match name.rsplit_once('.') {
        Some((name, namespace)) => (name, Some(namespace).filter(|namespace| !namespace.is_empty())),
        None => (name, None),
    };
    if name.is_empty() {
        bail!("no name given for source of kind '{kind}'");
    }
    if kind.is_empty() && SOURCES.contains(&name) {
        bail!("no kind specified for source '{name}'");
    }
    let asked = match kind {
        "" => "GitRepository",
        kind => kind,
    };
    let Some(kind) = SOURCES.iter().find(|kind| kind.eq_ignore_ascii_case(asked)) else {
        bail!(
            "source kind '{asked}' is not supported, must be one of: {}",
            SOURCES.join(", ")
        );
    };
    Ok(json!({ "kind": kind, "name": name, "namespace": namespace }))
}

/// A path below the source's root, wherever it leads.
fn relative(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.trim().split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("./{}", parts.join("/"))
}

/// `kind/name.namespace`.
fn health_check(text: &str) -> Result<Value> {
    let parts: Vec<&str> = text.split('/').collect();
    let [kind, name] = parts.as_slice() else {
        bail!(
            "invalid health check '{text}' must be in the format 'kind/name.namespace' [{}]",
            parts.join(" ")
        );
    };
    let api_version = match *kind {
        "Deployment" | "DaemonSet" | "StatefulSet" => None,
        "HelmRelease" => Some("helm.toolkit.fluxcd.io/v2"),
        kind => bail!(
            "invalid health check kind '{kind}' can be HelmRelease, Deployment, DaemonSet or StatefulSet"
        ),
    };
    let name: Vec<&str> = name.split('.').collect();
    let [name, namespace] = name.as_slice() else {
        bail!("invalid health check '{text}' must be in the format 'kind/name.namespace'");
    };
    Ok(json!({ "apiVersion": api_version, "kind": kind, "name": name, "namespace": namespace }))
}

/// `[namespace/]name`, with `@` and an expression that says when it is ready.
fn dependency(text: &str) -> Value {
    let (name, ready_expr) = match text.split_once('@') {
        Some((name, expression)) => (name, Some(expression)),
        None => (text, None),
    };
    let (namespace, name) = match name.split_once('/') {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, name),
    };
    json!({ "name": name, "namespace": namespace, "readyExpr": ready_expr })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(read: Result<Value>) -> String {
        match read {
            Ok(value) => value.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn sources_may_have_kind_and_namespace() {
        for (text, expected) in [
            (
                "apps",
                r#"{"kind":"GitRepository","name":"apps","namespace":null}"#,
            ),
            (
                "bucket/a.b.team",
                r#"{"kind":"Bucket","name":"a.b","namespace":"team"}"#,
            ),
            ("Bucket", "no kind specified for source 'Bucket'"),
            ("Bucket/", "no name given for source of kind 'Bucket'"),
            (
                "HelmChart/a",
                "source kind 'HelmChart' is not supported, must be one of: OCIRepository, GitRepository, Bucket",
            ),
        ] {
            assert_eq!(told(source_of(text)), expected, "{text}");
        }
    }

    #[test]
    fn paths_stay_below_the_root() {
        for (path, expected) in [
            ("./", "./"),
            ("", "./"),
            ("apps//web/", "./apps/web"),
            ("../../apps/../infra", "./infra"),
            ("/apps", "./apps"),
        ] {
            assert_eq!(relative(path), expected, "{path}");
        }
    }

    #[test]
    fn health_checks_name_one_object() {
        for (text, expected) in [
            (
                "Deployment/web.team",
                r#"{"apiVersion":null,"kind":"Deployment","name":"web","namespace":"team"}"#,
            ),
            (
                "Deployment/web",
                "invalid health check 'Deployment/web' must be in the format 'kind/name.namespace'",
            ),
            (
                "web",
                "invalid health check 'web' must be in the format 'kind/name.namespace' [web]",
            ),
            (
                "Pod/web.team",
                "invalid health check kind 'Pod' can be HelmRelease, Deployment, DaemonSet or StatefulSet",
            ),
        ] {
            assert_eq!(told(health_check(text)), expected, "{text}");
        }
    }
}
