//! `sluice create`: makes objects of flags, or changes them to that, or prints them (compat: cli, section 8).

mod credentials;
mod kustomization;
mod secret;
mod source;
mod tenant;

use crate::args::{Global, duration};
use crate::kinds::Kind;
use crate::subject;
use crate::target::Target;
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};
use sluice_object::label::{key_problems, value_problems};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::Instant;

#[derive(Subcommand, Debug)]
pub(crate) enum Create {
    /// A source
    #[command(subcommand)]
    Source(source::Source),
    /// A Kustomization
    #[command(visible_alias = "ks")]
    Kustomization(Box<kustomization::New>),
    /// A Secret, with what Flux's objects look for
    #[command(subcommand)]
    Secret(secret::Secret),
    /// Namespaces, and an account that may do something there and nowhere else
    Tenant(tenant::Tenant),
}

impl Create {
    /// Whether its `--token` is not that of the API server.
    pub(crate) fn has_own_token(&self) -> bool {
        matches!(self, Self::Secret(secret::Secret::Receiver(_)))
    }
}

pub(crate) async fn run(create: Create, global: &Global) -> Result<()> {
    match create {
        Create::Source(source) => source::run(source, global).await,
        Create::Kustomization(new) => kustomization::run(&new, global).await,
        Create::Secret(secret) => secret::run(&secret, global).await,
        Create::Tenant(tenant) => tenant::run(&tenant, global).await,
    }
}

/// What every object is made with.
#[derive(Args, Debug)]
struct Common {
    /// The name of the object
    name: Option<String>,
    /// How often it is reconciled
    #[arg(long, default_value = "1m", value_parser = duration, value_name = "DURATION")]
    interval: Duration,
    /// Print the object, and make nothing
    #[arg(long)]
    export: bool,
    /// Labels of the object, may be repeated
    #[arg(long = "label", value_delimiter = ',', value_name = "NAME=VALUE")]
    labels: Vec<String>,
}

impl Common {
    fn name(&self) -> Result<&str> {
        let Some(name) = said(&self.name) else {
            bail!("name is required");
        };
        if !is_name(name) {
            bail!(
                "name '{name}' is invalid, it should adhere to standard defined in RFC 1123, the name can only contain \
                 alphanumeric characters or '-'"
            );
        }
        Ok(name)
    }

    fn labels(&self) -> Result<BTreeMap<String, String>> {
        let mut labels = BTreeMap::new();
        for label in &self.labels {
            let parts: Vec<&str> = label.split('=').collect();
            let [name, value] = parts.as_slice() else {
                bail!("invalid label format '{label}', must be key=value");
            };
            if !key_problems(name).is_empty() {
                bail!(
                    "invalid label '{name}': at most 63 letters, digits, '-', '_' and '.', after a domain and '/' if need be"
                );
            }
            if !value_problems(value).is_empty() {
                bail!("invalid label value '{value}': at most 63 letters, digits, '-', '_' and '.'");
            }
            labels.insert((*name).to_owned(), (*value).to_owned());
        }
        Ok(labels)
    }

    /// The object. Members of the spec that are null were not said.
    fn object(&self, kind: Kind, spec: Value, global: &Global) -> Result<Object> {
        Ok(Object {
            kind,
            namespace: global.namespace.clone(),
            name: self.name()?.to_owned(),
            labels: self.labels()?,
            spec: without_absent(spec),
        })
    }
}

/// A text that is there; Go knows no difference between an empty one and none.
fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

/// A path that is there, by the same: `--ca-crt-file=` says nothing.
fn given(file: &Option<PathBuf>) -> Option<&Path> {
    file.as_deref().filter(|file| !file.as_os_str().is_empty())
}

/// A reference to the object of that name, if there is one.
fn named(name: &Option<String>) -> Option<Value> {
    said(name).map(|name| json!({ "name": name }))
}

/// As Go writes it.
fn written(duration: Duration) -> String {
    sluice_api::Duration::from(duration).to_string()
}

/// Two letters or more: that of one is refused by `flux` too.
fn is_name(name: &str) -> bool {
    let is_of_end = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (2..=63).contains(&name.len())
        && name.chars().all(|letter| is_of_end(letter) || letter == '-')
        && name.starts_with(is_of_end)
        && name.ends_with(is_of_end)
}

/// Without the members that are null, at any depth.
fn without_absent(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let there = members.into_iter().filter(|(_, value)| !value.is_null());
            there.map(|(name, value)| (name, without_absent(value))).collect()
        }
        Value::Array(items) => items.into_iter().map(without_absent).collect(),
        value => value,
    }
}

/// An object to be made.
struct Object {
    kind: Kind,
    namespace: String,
    name: String,
    labels: BTreeMap<String, String>,
    spec: Value,
}

impl Object {
    fn written(&self) -> Value {
        let labels = (!self.labels.is_empty()).then_some(&self.labels);
        without_absent(json!({
            "apiVersion": format!("{}/{}", self.kind.group, self.kind.version),
            "kind": self.kind.kind,
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": self.spec,
        }))
    }

    fn print(&self) -> Result<()> {
        super::export::print(&self.written())
    }

    /// Makes it, or changes the one of that name: its spec and its labels are these then, and no others. What was done.
    async fn apply(&self, client: &kube::Client, global: &Global) -> Result<&'static str> {
        let api = subject::api(client, self.kind, global);
        let existing = api.get_opt(&self.name).await;
        let explain = |error: kube::Error| self.kind.explain(error);
        let Some(mut object) = existing.map_err(explain)? else {
            let object = serde_json::from_value(self.written())?;
            let _created = api
                .create(&PostParams::default(), &object)
                .await
                .map_err(explain)?;
            return Ok("created");
        };
        object.metadata.labels = (!self.labels.is_empty()).then(|| self.labels.clone());
        set(&mut object, "spec", self.spec.clone());
        let _updated = api
            .replace(&self.name, &PostParams::default(), &object)
            .await
            .map_err(explain)?;
        Ok("updated")
    }

    /// Waits until it is reconciled as it is now.
    async fn reconciled(&self, client: &kube::Client, deadline: Instant) -> Result<DynamicObject> {
        let target = Target {
            client: client.clone(),
            kind: self.kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        };
        target.reconciled(deadline).await
    }
}

/// Sets a member of an object.
fn set(object: &mut DynamicObject, member: &str, value: Value) {
    if let Some(members) = object.data.as_object_mut() {
        members.insert(member.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_those_of_kubernetes() {
        for (name, expected) in [
            ("apps", true),
            ("a-1", true),
            ("a", false),
            ("Apps", false),
            ("a-", false),
            ("a.b", false),
        ] {
            assert_eq!(is_name(name), expected, "{name}");
        }
        let labels = |label: &str| {
            let common = Common {
                name: None,
                interval: Duration::ZERO,
                export: false,
                labels: vec![label.to_owned()],
            };
            common.labels().map_err(|error| error.to_string())
        };
        for good in ["a=b", "a=", "example.com/A_b=C.d"] {
            assert!(labels(good).is_ok(), "{good}");
        }
        for (bad, expected) in [
            ("a", "invalid label format 'a', must be key=value"),
            ("a=b=c", "invalid label format 'a=b=c', must be key=value"),
            ("-a=b", "invalid label '-a': "),
            ("Example/a=b", "invalid label 'Example/a': "),
            ("a=b c", "invalid label value 'b c': "),
        ] {
            let told = labels(bad).unwrap_err();
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
