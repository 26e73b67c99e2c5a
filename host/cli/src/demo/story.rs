//! What happens in the cluster, told by its own watches: nothing here knows the controller.

use super::view::{Health, View};
use crate::changes::changes;
use crate::dev::NAMESPACE;
use crate::kinds::{self, condition, text};
use anyhow::{Context, Result, bail};
use futures::stream::{BoxStream, SelectAll, StreamExt};
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use kube::runtime::watcher;
use serde_json::{Value, json};
use sluice_api::meta::REQUESTED_AT;
use std::collections::BTreeMap;

/// The Deployment that somebody edits.
const EDITED: &str = "web";
/// Where the sample's services are.
const SHOP: &str = "shop";

/// Workloads by subject, each with its generation and its image.
pub(super) type Workloads = BTreeMap<String, (i64, String)>;

/// One change that a watch saw.
struct Seen {
    subject: String,
    object: DynamicObject,
}

/// The watches, and what they saw last.
pub(super) struct Story {
    client: kube::Client,
    watches: SelectAll<BoxStream<'static, watcher::Result<Seen>>>,
    last: BTreeMap<String, DynamicObject>,
}

impl Story {
    /// Begins to watch sources, Kustomizations, workloads and events.
    pub(super) fn begin(client: kube::Client) -> Self {
        let mut watches = SelectAll::new();
        for resource in resources() {
            let kind = resource.kind.clone();
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            watches.push(
                changes(api, watcher::Config::default())
                    .filter_map(move |change| {
                        let seen = change.map(|change| {
                            (!change.is_gone).then(|| Seen {
                                subject: subject(&kind, &change.object),
                                object: change.object,
                            })
                        });
                        std::future::ready(seen.transpose())
                    })
                    .boxed(),
            );
        }
        Self {
            client,
            watches,
            last: BTreeMap::new(),
        }
    }

    /// Shows changes until every Kustomization is Ready, at `commit` where one is given.
    pub(super) async fn until_ready(&mut self, view: &mut View, commit: Option<&str>) -> Result<()> {
        while let Some(seen) = self.watches.next().await {
            self.show(view, seen?);
            if self.is_ready(commit) {
                return Ok(());
            }
        }
        bail!("the API server ended the watches")
    }

    /// What there is of workloads now.
    pub(super) fn workloads(&self) -> Workloads {
        let workloads = self.last.iter().filter(|(subject, _)| is_workload(subject));
        workloads
            .map(|(subject, object)| {
                let image = text(object, "/spec/template/spec/containers/0/image").unwrap_or_default();
                (
                    subject.clone(),
                    (object.metadata.generation.unwrap_or_default(), image.to_owned()),
                )
            })
            .collect()
    }

    /// One sentence on which workloads are not as they were.
    pub(super) fn changes_since(&self, before: &Workloads) -> String {
        let now = self.workloads();
        let changed: Vec<_> = now
            .iter()
            .filter(|(subject, state)| before.get(*subject) != Some(*state))
            .map(|(subject, (_, image))| {
                format!("{subject} runs {}", image.rsplit('/').next().unwrap_or(image))
            })
            .collect();
        format!(
            "✔ changed: {}; untouched: {} of {} workloads",
            changed.join(", "),
            now.len() - changed.len(),
            now.len()
        )
    }

    /// Asks for a look at the repository now, as a webhook would.
    pub(super) async fn ask_for_fetch(&self) -> Result<()> {
        let sources: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), NAMESPACE, &kinds::GIT_REPOSITORY.api());
        let asked = json!({"metadata": {"annotations": {REQUESTED_AT: jiff::Timestamp::now().to_string()}}});
        sources
            .patch(NAMESPACE, &PatchParams::default(), &Patch::Merge(asked))
            .await?;
        Ok(())
    }

    /// Changes a Deployment as a person with `kubectl edit` would, and waits until it is as Git says again.
    pub(super) async fn edit_and_watch(&mut self, view: &mut View) -> Result<()> {
        let subject = format!("Deployment/{SHOP}/{EDITED}");
        let wanted = image(
            self.last
                .get(&subject)
                .with_context(|| format!("{subject} was never seen"))?,
        );
        let deployments: Api<DynamicObject> = Api::namespaced_with(
            self.client.clone(),
            SHOP,
            &resource("apps", "Deployment", "deployments"),
        );
        let edit = json!({"spec": {"replicas": 1, "template": {"spec": {"containers": [{"name": EDITED, "image": "somebody/else:latest"}]}}}});
        let edited = deployments
            .patch(
                EDITED,
                &PatchParams {
                    field_manager: Some("kubectl-edit".to_owned()),
                    ..PatchParams::default()
                },
                &Patch::Strategic(edit),
            )
            .await?;
        view.line(&format!(
            "{subject}: somebody sets the image {} and 1 replica",
            image(&edited)
        ));
        while let Some(seen) = self.watches.next().await {
            let seen = seen?;
            let is_newer = seen.object.metadata.generation > edited.metadata.generation;
            let is_undone = seen.subject == subject && is_newer && image(&seen.object) == wanted;
            self.show(view, seen);
            if is_undone {
                view.line(&format!(
                    "✔ undone after {} ms: {subject} runs {wanted} again",
                    view.elapsed().as_millis()
                ));
                return Ok(());
            }
        }
        bail!("the API server ended the watches")
    }

    fn show(&mut self, view: &mut View, seen: Seen) {
        match seen.subject.split_once('/') {
            Some(("Event", _)) => {
                if let Some(line) = told(&seen.object) {
                    view.line(&line);
                }
                return;
            }
            Some(("GitRepository" | "Kustomization", _)) => {
                let (status, message) =
                    condition(&seen.object, "Ready").unwrap_or(("Unknown", "waiting to be reconciled"));
                let message = progress(&seen.object).unwrap_or(message);
                let health = match status {
                    "True" => Health::Ready,
                    "False" => Health::Failed,
                    _ => Health::Working,
                };
                view.object(&seen.subject, health, &crate::table::shorten(message));
            }
            _ => {
                let (health, text) = replicas(&seen.object);
                view.object(&seen.subject, health, &text);
            }
        }
        self.last.insert(seen.subject, seen.object);
    }

    fn is_ready(&self, commit: Option<&str>) -> bool {
        let mut kustomizations = self
            .last
            .iter()
            .filter(|(subject, _)| subject.starts_with("Kustomization/"))
            .peekable();
        let has_root = self
            .last
            .contains_key(&format!("Kustomization/{NAMESPACE}/{NAMESPACE}"));
        // the root is Ready after those that it makes are there: none of them can be missing
        has_root
            && kustomizations.all(|(_, object)| {
                let applied = text(object, "/status/lastAppliedRevision").unwrap_or_default();
                condition(object, "Ready").is_some_and(|(status, _)| status == "True")
                    && commit.is_none_or(|commit| applied.ends_with(commit))
            })
    }
}

fn resources() -> [ApiResource; 5] {
    [
        kinds::GIT_REPOSITORY.api(),
        kinds::KUSTOMIZATION.api(),
        resource("apps", "Deployment", "deployments"),
        resource("apps", "StatefulSet", "statefulsets"),
        resource("", "Event", "events"),
    ]
}

fn resource(group: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version = if group.is_empty() {
        "v1".to_owned()
    } else {
        format!("{group}/v1")
    };
    ApiResource {
        group: group.to_owned(),
        version: "v1".to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

fn subject(kind: &str, object: &DynamicObject) -> String {
    let meta = &object.metadata;
    format!(
        "{kind}/{}/{}",
        meta.namespace.as_deref().unwrap_or_default(),
        meta.name.as_deref().unwrap_or_default()
    )
}

fn is_workload(subject: &str) -> bool {
    subject.starts_with("Deployment/") || subject.starts_with("StatefulSet/")
}

fn image(object: &DynamicObject) -> String {
    text(object, "/spec/template/spec/containers/0/image")
        .unwrap_or_default()
        .to_owned()
}

/// The step that a reconciliation is at.
fn progress(object: &DynamicObject) -> Option<&str> {
    condition(object, "Reconciling")
        .filter(|(status, _)| *status == "True")
        .map(|(_, message)| message)
}

/// How far a workload is: `2/3 ready`, and while Pods of an older template are there, `1/3 updated, 3 ready`.
fn replicas(object: &DynamicObject) -> (Health, String) {
    let number = |pointer: &str| object.data.pointer(pointer).and_then(Value::as_i64);
    let count = |field: &str| number(&format!("/status/{field}")).unwrap_or(0);
    let wanted = number("/spec/replicas").unwrap_or(1);
    let (ready, updated, there) = (
        count("readyReplicas"),
        count("updatedReplicas"),
        count("replicas"),
    );
    let is_observed = number("/status/observedGeneration") == object.metadata.generation;
    let is_rolling = !is_observed || updated < there;
    let text = match (is_rolling && there > 0, there > wanted) {
        (true, _) => format!(
            "{}/{wanted} updated, {ready} ready",
            if is_observed { updated } else { 0 }
        ),
        (false, true) => format!("{there} there, {wanted} wanted"),
        (false, false) => format!("{ready}/{wanted} ready"),
    };
    let is_done = is_observed && ready == wanted && updated == wanted && there == wanted;
    (if is_done { Health::Ready } else { Health::Working }, text)
}

/// An event of the controller in one line; events of workloads are not the story.
fn told(event: &DynamicObject) -> Option<String> {
    let kind = text(event, "/involvedObject/kind")
        .filter(|kind| matches!(*kind, "GitRepository" | "Kustomization"))?;
    let name = text(event, "/involvedObject/name")?;
    let message = crate::table::shorten(text(event, "/message")?);
    let mut lines = message.lines();
    let first = lines.next()?.to_owned();
    let more = match lines.count() {
        0 => String::new(),
        more => format!(" … and {more} more"),
    };
    Some(format!("  {kind}/{name}: {first}{more}"))
}
