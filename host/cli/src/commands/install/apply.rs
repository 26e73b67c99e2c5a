//! Puts an installation into a cluster, and waits until it works (compat: cli, section 5).

use super::components::OURS;
use super::{Install, remarks};
use crate::args::Global;
use crate::commands::{until, within};
use crate::confirm::confirm;
use crate::installed::{self, Installation};
use crate::tell;
use anyhow::{Context as _, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity, Patch, PatchOptions};
use sluice_health::{Around, cause};
use sluice_object::{Object, ObjectId, sort_for_apply};
use std::time::Duration;
use tokio::time::Instant;

/// Whose fields they are, as those of `flux install`: one installation takes the place of the other.
const MANAGER: &str = "flux";

/// How often is looked whether something is ready.
const EVERY: Duration = Duration::from_millis(500);

/// How long the API server may take to serve new kinds.
const DEFINITIONS_WITHIN: Duration = Duration::from_secs(60);

/// Applies the manifests: definitions and the namespace first, and the rest when they are there.
pub(super) async fn apply(install: &Install, global: &Global, manifests: Vec<Value>) -> Result<()> {
    let namespace = &global.namespace;
    tell::success("manifests build completed");
    tell::action(&format!("installing components in {namespace} namespace"));
    for remark in remarks(install, namespace) {
        tell::warning(&remark);
    }
    let cluster = global.connect.api_server().await?;
    allow(&cluster, install, global).await?;
    // the time that an answer takes does not count
    let deadline = Instant::now() + global.timeout;

    let objects: Result<Vec<Object>, _> = manifests.into_iter().map(Object::new).collect();
    let mut objects = objects.context("install failed")?;
    sort_for_apply(&mut objects);
    let (definitions, others): (Vec<Object>, Vec<Object>) = objects.into_iter().partition(is_first);
    let waited_for: Vec<ObjectId> = definitions.iter().map(|object| object.id().clone()).collect();
    for object in definitions {
        until(deadline, write(&cluster, object, deadline)).await?;
    }
    let within = deadline.min(Instant::now() + DEFINITIONS_WITHIN);
    for id in &waited_for {
        let health = installed::until_current(&cluster, id, EVERY, within).await;
        ensure!(
            health.is_current(),
            "install failed: {id} is not ready: {}: {}",
            health.status.as_str(),
            health.message
        );
    }
    if let Some(secret) = pull_secret(install, namespace) {
        tell::action(&format!(
            "generating image pull secret {}",
            installed::name(&secret)
        ));
        let secret = Object::new(secret).context("install failed")?;
        until(deadline, write(&cluster, secret, deadline)).await?;
    }
    for object in others {
        until(deadline, write(&cluster, object, deadline)).await?;
    }

    tell::waiting("verifying installation");
    let mut components = OURS;
    components.sort_unstable();
    let mut is_ready = true;
    for component in components {
        let id = installed::deployment(namespace, component);
        let health = installed::until_current(&cluster, &id, EVERY, deadline).await;
        is_ready &= installed::tell_deployment(component, &health);
    }
    ensure!(
        is_ready,
        "install failed: not ready within {:?}; `kubectl -n {namespace} get events` and `sluice logs -A --flux-namespace={namespace}` tell more",
        global.timeout
    );
    tell::success("install finished");
    Ok(())
}

/// What must be there before the rest.
fn is_first(object: &Object) -> bool {
    matches!(
        object.gvk().kind.as_str(),
        "Namespace" | "CustomResourceDefinition"
    )
}

/// Asks before anything is put in the place of what others installed, unless told to go on.
async fn allow(cluster: &dyn Cluster, install: &Install, global: &Global) -> Result<()> {
    let namespace = global.namespace.as_str();
    let look = async {
        let found = Installation::find(cluster).await?;
        let there = installed::controllers(cluster, None).await?;
        anyhow::Ok((found, there))
    };
    let looked = within(global.timeout, look).await;
    let (Some(found), there) = looked.context("cluster info unavailable")? else {
        return Ok(());
    };
    if found.is_bootstrapped {
        bail!(
            "this cluster has already been bootstrapped with Flux {}! Please use 'flux bootstrap' to upgrade, or commit what `sluice install --export` prints in the place of gotk-components.yaml",
            found.version
        );
    }
    if install.force {
        return Ok(());
    }
    if let Some(manager) = found.other_manager() {
        tell::line(&format!(
            "Flux {} has been installed on this cluster with {manager}!",
            found.version
        ));
        let question = format!("Are you sure you want to override the {manager} installation? Y/N");
        ensure!(confirm(&question), CANCELLED);
    }
    let of_our_work = there.iter().filter(|one| OURS.contains(&installed::name(one)));
    let (here, elsewhere): (Vec<&Value>, Vec<&Value>) =
        of_our_work.partition(|one| installed::namespace(one) == namespace);
    if !elsewhere.is_empty() {
        let elsewhere: Vec<String> = elsewhere.into_iter().map(installed::full_name).collect();
        tell::line(&format!(
            "controllers of other namespaces do this work already: {}",
            elsewhere.join(", ")
        ));
        let question = "Are you sure you want two of them to work on the same objects";
        ensure!(confirm(question), CANCELLED);
    }
    let replaced: Vec<&Value> = here.into_iter().filter(|one| !installed::is_ours(one)).collect();
    if !replaced.is_empty() {
        tell::line(&format!(
            "Flux's own controllers run in the {namespace} namespace: {}",
            installed::names(replaced)
        ));
        let question = "Are you sure you want to put Sluice in their place";
        ensure!(confirm(question), CANCELLED);
    }
    Ok(())
}

const CANCELLED: &str = "installation cancelled; --force goes on without asking";

/// Applies an object, and prints what became of it.
async fn write(cluster: &dyn Cluster, object: Object, deadline: Instant) -> Result<()> {
    let (identity, id) = (Identity::AsController, object.id().clone());
    let failed = || format!("install failed: {id}");
    let before = before(cluster, &id, deadline).await.with_context(failed)?;
    let options = PatchOptions {
        manager: MANAGER,
        ..PatchOptions::default()
    };
    let patch = Patch::Apply(object.into_value());
    let patched = cluster.patch(&identity, &id, patch, options).await;
    let patched = patched.with_context(failed)?;
    let word = match before {
        Some(before) if version(&before) == version(&patched.object) => "unchanged",
        Some(_) if !patched.is_created => "configured",
        _ => "created",
    };
    tell::print(&format!("{id} {word}\n"))
}

/// What is there before an object is applied. What is being deleted is waited for: it would take along what is applied to it.
async fn before(cluster: &dyn Cluster, id: &ObjectId, deadline: Instant) -> Result<Option<Value>> {
    let mut is_told = false;
    loop {
        let mut found = cluster.get(&Identity::AsController, id).await?;
        let Some(ending) = found.take_if(|found| is_ending(found)) else {
            return Ok(found);
        };
        if !std::mem::replace(&mut is_told, true) {
            tell::waiting(&format!("waiting for {id} to be gone, which is being deleted"));
        }
        let next = Instant::now() + EVERY;
        if next >= deadline {
            let why = cause(&ending, Around::default()).map(|why| why.to_string());
            bail!(
                "context deadline exceeded: it is still being deleted: {}",
                why.unwrap_or_default()
            );
        }
        tokio::time::sleep_until(next).await;
    }
}

fn is_ending(object: &Value) -> bool {
    let since = object.pointer("/metadata/deletionTimestamp");
    since.is_some_and(|since| !since.is_null())
}

fn version(object: &Value) -> Option<&str> {
    object.pointer("/metadata/resourceVersion")?.as_str()
}

/// The Secret that images are pulled with, where its content was given.
fn pull_secret(install: &Install, namespace: &str) -> Option<Value> {
    let name = install.pull_secret()?;
    let credentials = install.accepted.registry_creds()?;
    let (user, password) = credentials.split_once(':')?;
    let mut auths = serde_json::Map::new();
    let auth = json!({"username": user, "password": password, "auth": STANDARD.encode(credentials)});
    auths.insert(install.registry.clone(), auth);
    let config = json!({ "auths": auths }).to_string();
    Some(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
        "type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": STANDARD.encode(config)},
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Cli, Command};
    use clap::Parser as _;

    #[test]
    fn images_are_pulled_with_what_was_given() {
        let read = |flags: &[&str]| {
            let line = ["sluice", "install", "--registry=registry.example.com/sluice"];
            let cli = Cli::try_parse_from(line.iter().chain(flags)).unwrap();
            let Command::Install(install) = cli.command else {
                panic!("another command")
            };
            pull_secret(&install, "team")
        };
        assert_eq!(read(&["--image-pull-secret=pull"]), None);
        let secret = read(&["--image-pull-secret=pull", "--registry-creds=me:hunter2"]).unwrap();
        assert_eq!(secret["metadata"], json!({"name": "pull", "namespace": "team"}));
        let config = secret["data"][".dockerconfigjson"].as_str().unwrap();
        let config: Value = serde_json::from_slice(&STANDARD.decode(config).unwrap()).unwrap();
        let auth = &config["auths"]["registry.example.com/sluice"];
        assert_eq!(auth["username"], "me");
        assert_eq!(auth["auth"], STANDARD.encode("me:hunter2"));
    }
}
