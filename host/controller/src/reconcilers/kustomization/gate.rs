//! What must hold before anything is rendered: it is allowed, its source has an artifact, its dependencies are ready.

use super::ready_expr;
use crate::ControllerConfig;
use crate::artifacts::ArtifactFacts;
use crate::config::gates;
use crate::error_policy::{Failure, Stopped, Waiting};
use crate::runtime::{
    BUCKET, EXTERNAL_ARTIFACT, GIT_REPOSITORY, KUSTOMIZATION, Key, OCI_REPOSITORY, Run, Topic, object_id,
};
use serde_json::Value;
use sluice_api::kustomize::{DependencyReference, SourceKind};
use sluice_api::{Kustomization, reason};
use sluice_apply::cluster::{Identity, RequestError};
use sluice_event::Severity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Refuses what is not allowed, and what this version cannot do: nothing of a spec is ignored silently.
pub(super) fn allow(ks: &Kustomization, config: &ControllerConfig) -> Result<(), Failure> {
    let (spec, source) = (&ks.spec, &ks.spec.source_ref);
    let decryption = spec.decryption.as_ref();
    if decryption.is_some_and(|decryption| decryption.service_account_name.is_some())
        && !config.gate(gates::OBJECT_IDENTITY)
    {
        let message = "to use spec.decryption.serviceAccountName for decryption authentication please enable the \
            ObjectLevelWorkloadIdentity feature gate in the controller";
        return Err(Failure::stall(reason::FEATURE_GATE_DISABLED, message));
    }
    let own_namespace = ks.metadata.namespace.as_deref().unwrap_or_default();
    let namespace = source.namespace.as_deref().unwrap_or(own_namespace);
    let subject = format!("{}/{namespace}/{}", source.kind.as_str(), source.name);
    let denied =
        |why: &str| Failure::stall(reason::ACCESS_DENIED, format!("can't access '{subject}', {why}"));
    if config.no_cross_namespace_refs && namespace != own_namespace {
        return Err(denied("cross-namespace references have been blocked"));
    }
    if source.kind == SourceKind::ExternalArtifact && !config.gate(gates::EXTERNAL_ARTIFACT) {
        return Err(denied("ExternalArtifact feature gate is disabled"));
    }
    if let Some(name) = named_account(ks).filter(|name| !is_account_name(name)) {
        let message = format!(
            "spec.serviceAccountName {name:?} is no name of a service account: lower case letters, digits, '-' and '.'. \
             Nothing was done in anybody's name"
        );
        return Err(Failure::stall(reason::ACCESS_DENIED, message));
    }
    if config.read_references_as_tenant
        && named_account(ks).is_none()
        && config.default_service_account.is_none()
    {
        let message = "spec.serviceAccountName is required: this controller does nothing in its own name";
        return Err(Failure::stall(reason::ACCESS_DENIED, message));
    }
    Ok(())
}

/// The account that the object names.
fn named_account(ks: &Kustomization) -> Option<&str> {
    ks.spec.service_account_name.as_deref()
}

/// A DNS subdomain, as the API server asks of service accounts: nothing in it can become another header, group or namespace.
fn is_account_name(name: &str) -> bool {
    name.len() <= 253 && sluice_object::label::is_subdomain(name)
}

/// The artifact the source offers. The source is subscribed to first, so that no news of it is missed.
pub(super) fn artifact(run: &Run, ks: &Kustomization) -> Result<ArtifactFacts, Stopped> {
    let reference = &ks.spec.source_ref;
    let kind = match reference.kind {
        SourceKind::GitRepository => &GIT_REPOSITORY,
        SourceKind::OciRepository => &OCI_REPOSITORY,
        SourceKind::Bucket => &BUCKET,
        SourceKind::ExternalArtifact => &EXTERNAL_ARTIFACT,
    };
    let namespace = ks.source_namespace().unwrap_or_default();
    let key = Key::new(kind.kind, namespace, &reference.name);
    run.subscribe(Topic::News(key.clone()));
    let Some(source) = run.cx.store.get(&key) else {
        let message = format!("{}.{} \"{}\" not found", kind.kind, kind.group, reference.name);
        return Err(Waiting {
            reason: reason::ARTIFACT_FAILED,
            message,
            told: None,
            log: format!("Source '{}/{namespace}/{}' not found", kind.kind, reference.name),
            after: ks.spec.retry_interval(),
        }
        .into());
    };
    ArtifactFacts::of(&source).ok_or_else(|| no_artifact(run, "Source artifact not found"))
}

/// The source has no artifact yet: it is looked at again soon.
pub(super) fn no_artifact(run: &Run, what: &str) -> Stopped {
    let after = run.cx.config.requeue_dependency;
    let message = format!("{what}, retrying in {}", sluice_api::Duration(after));
    Waiting {
        reason: reason::ARTIFACT_FAILED,
        log: message.clone(),
        message,
        told: None,
        after,
    }
    .into()
}

/// All dependencies are ready, by the rules of compat/kustomize.md 4.3. What is not ready wakes this object when it moves;
/// what is ready does not: as in Flux, who has what it needs goes on in its own time.
pub(super) async fn dependencies(
    run: &Run,
    ks: &Kustomization,
    artifact: &ArtifactFacts,
) -> Result<(), Stopped> {
    ready_expr::bounded(&ks.spec.depends_on)?;
    for dependency in &ks.spec.depends_on {
        let namespace = dependency
            .namespace
            .as_deref()
            .or(ks.metadata.namespace.as_deref())
            .unwrap_or_default();
        let key = Key::new(KUSTOMIZATION.kind, namespace, &dependency.name);
        if judge_dependency(run, ks, dependency, &key, artifact)
            .await?
            .is_none()
        {
            continue;
        }
        // from here on nothing is missed: it may have moved since it was looked at
        run.subscribe(Topic::News(key.clone()));
        if dependency.ready_expr.is_some() {
            run.subscribe(Topic::Every(key.clone()));
            run.subscribe(Topic::Description(run.key.clone()));
        }
        if let Some(mut message) = judge_dependency(run, ks, dependency, &key, artifact).await? {
            if let Some(cycle) = cycle(run) {
                message.push_str(&format!("; {cycle}"));
            }
            let after = run.cx.config.requeue_dependency;
            let told = format!(
                "Dependencies do not meet ready condition, retrying in {}",
                sluice_api::Duration(after)
            );
            return Err(Waiting {
                reason: reason::DEPENDENCY_NOT_READY,
                log: format!("{told}: {message}"),
                message,
                told: Some((Severity::Info, told)),
                after,
            }
            .into());
        }
    }
    if !ks.spec.depends_on.is_empty() {
        tracing::info!("All dependencies are ready, proceeding with reconciliation");
    }
    Ok(())
}

/// A Kustomization as it is now. Those that no watch of ours shows are asked for.
async fn look(run: &Run, key: &Key) -> Result<Option<Arc<Value>>, RequestError> {
    if let Some(object) = run.cx.store.get(key) {
        return Ok(Some(object));
    }
    let config = &run.cx.config;
    let selector = config.watch_label_selector.as_deref().unwrap_or_default();
    let is_watched =
        selector.is_empty() && (config.watch_all_namespaces || *key.namespace == *config.runtime_namespace);
    if is_watched {
        return Ok(None);
    }
    let id = object_id(&KUSTOMIZATION, key);
    let found = run.cx.cluster.get(&Identity::AsController, &id).await?;
    Ok(found.map(Arc::new))
}

/// The circle in which this Kustomization waits for itself, as far as is known. Flux lets all of it wait for ever.
fn cycle(run: &Run) -> Option<String> {
    let name = |key: &Key| format!("{}/{}", key.namespace, key.name);
    let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut next = vec![run.key.clone()];
    while let Some(key) = next.pop() {
        if nodes.contains_key(&name(&key)) {
            continue;
        }
        let object = run.cx.store.get(&key);
        let dependencies = object
            .as_deref()
            .map(|object| dependencies_of(&key, object))
            .unwrap_or_default();
        nodes.insert(name(&key), dependencies.iter().map(name).collect());
        next.extend(dependencies);
    }
    sluice_plan::dependencies::cycle_of(&nodes, &name(&run.key)).map(|cycle| cycle.to_string())
}

fn dependencies_of(key: &Key, object: &Value) -> Vec<Key> {
    let all = object.pointer("/spec/dependsOn").and_then(Value::as_array);
    let named = all.into_iter().flatten().filter_map(|dependency| {
        let namespace = dependency
            .get("namespace")
            .and_then(Value::as_str)
            .filter(|namespace| !namespace.is_empty())
            .unwrap_or(&key.namespace);
        Some(Key::new(
            KUSTOMIZATION.kind,
            namespace,
            dependency.get("name")?.as_str()?,
        ))
    });
    named.collect()
}

/// Why a dependency is not ready, none where it is.
async fn judge_dependency(
    run: &Run,
    ks: &Kustomization,
    dependency: &DependencyReference,
    key: &Key,
    artifact: &ArtifactFacts,
) -> Result<Option<String>, Failure> {
    let (namespace, name) = (&*key.namespace, &*key.name);
    let subject = format!("dependency '{namespace}/{name}'");
    let object = match look(run, key).await {
        Ok(Some(object)) => object,
        Ok(None) => {
            let not_found = format!(
                "{}.{} \"{name}\" not found",
                KUSTOMIZATION.plural, KUSTOMIZATION.group
            );
            return Ok(Some(format!("{subject} not found: {not_found}")));
        }
        Err(error) => return Ok(Some(format!("{subject} not found: {error}"))),
    };
    if let Some(expression) = &dependency.ready_expr {
        let own = run.cx.store.get(&run.key).or_else(|| run.object.clone());
        let dependency = format!("{namespace}/{name}");
        let judged = ready_expr::evaluate(expression, &dependency, own, object.clone()).await?;
        if judged.is_some() {
            return Ok(judged);
        }
        if !run.cx.config.gate(gates::ADDITIVE_READY_EXPRESSIONS) {
            return Ok(None);
        }
    }
    Ok(not_ready(ks, &subject, namespace, &object, artifact))
}

fn not_ready(
    ks: &Kustomization,
    subject: &str,
    namespace: &str,
    object: &Value,
    artifact: &ArtifactFacts,
) -> Option<String> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
    let mut conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let ready = conditions.rfind(|condition| condition.get("type").and_then(Value::as_str) == Some("Ready"));
    let is_observed = object
        .pointer("/status/observedGeneration")
        .and_then(Value::as_i64)
        == object.pointer("/metadata/generation").and_then(Value::as_i64);
    let is_ready = ready.and_then(|condition| condition.get("status")?.as_str()) == Some("True");
    if !is_observed || !is_ready {
        return Some(format!("{subject} is not ready"));
    }
    let same_source = text("/spec/sourceRef/kind") == Some(ks.spec.source_ref.kind.as_str())
        && text("/spec/sourceRef/name") == Some(ks.spec.source_ref.name.as_str())
        && text("/spec/sourceRef/namespace")
            .filter(|given| !given.is_empty())
            .unwrap_or(namespace)
            == ks.source_namespace().unwrap_or_default();
    let is_current = text("/status/lastAppliedRevision") == Some(artifact.revision.as_str());
    (same_source && !is_current).then(|| format!("{subject} revision is not up to date"))
}

/// In whose name objects are applied.
pub(super) fn identity(ks: &Kustomization, config: &ControllerConfig) -> Identity {
    match named_account(ks).or(config.default_service_account.as_deref()) {
        None => Identity::AsController,
        Some(name) => Identity::AsTenant {
            namespace: ks.metadata.namespace.clone().unwrap_or_default(),
            service_account: name.to_owned(),
        },
    }
}
