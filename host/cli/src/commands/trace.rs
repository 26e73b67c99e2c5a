//! `sluice trace`: who made an object, from which source in which revision (compat: cli, section 10).

use super::within;
use crate::args::Global;
use crate::installed;
use crate::kinds::{self, Kind};
use crate::subject::required;
use crate::tell::{self, Several};
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{APIResource, APIResourceList};
use serde_json::Value;
use sluice_api::meta;
use sluice_apply::cluster::{Cluster, Identity, KubeCluster};
use sluice_object::{GroupVersionKind, ObjectId};

#[derive(Args, Debug)]
pub(crate) struct Trace {
    /// Objects, as KIND/NAME … or KIND NAME …; with --kind and --api-version the NAME of one
    #[arg(value_name = "OBJECT")]
    objects: Vec<String>,
    /// The kind of the object, with --api-version
    #[arg(long, default_value = "", hide_default_value = true, value_name = "KIND")]
    kind: String,
    /// The API version of the object, with --kind
    #[arg(long, default_value = "", hide_default_value = true, value_name = "VERSION")]
    api_version: String,
}

/// Owners of owners that are looked at.
const OWNERS_MAX: usize = 10;

/// Groups asked about their kinds at once.
const CONCURRENCY: usize = 8;

pub(crate) async fn run(trace: &Trace, global: &Global) -> Result<()> {
    within(global.timeout, Box::pin(trace_all(trace, global))).await
}

async fn trace_all(trace: &Trace, global: &Global) -> Result<()> {
    let wanted = match trace.is_explicit() {
        true => trace.explicit()?,
        false => written(&trace.objects)?,
    };
    let cluster = global.connect.api_server().await?;
    let tracing = Tracing {
        cluster: &cluster,
        namespace: &global.namespace,
    };
    let objects = tracing.objects(trace, &wanted).await?;
    let mut failures = Vec::new();
    for (number, (kind, object)) in objects.iter().enumerate() {
        if number > 0 {
            tell::print("---\n")?;
        }
        match tracing.report(kind, object).await {
            Ok(report) => tell::print(&report)?,
            Err(error) => {
                let (name, namespace) = (installed::name(object), installed::namespace(object));
                let what = format!("failed to trace {kind}/{name} in namespace {namespace}");
                failures.push(error.context(what));
            }
        }
    }
    Several::of(failures).map_or(Ok(()), Err)
}

impl Trace {
    fn is_explicit(&self) -> bool {
        !self.kind.is_empty() || !self.api_version.is_empty()
    }

    /// The one object whose kind is said by flags.
    fn explicit(&self) -> Result<Vec<(&str, &str)>> {
        let name = self.objects.first().context("object name is required")?;
        ensure!(!self.kind.is_empty(), "object kind is required (--kind)");
        ensure!(
            !self.api_version.is_empty(),
            "object apiVersion is required (--api-version)"
        );
        Ok(vec![(self.kind.as_str(), name.as_str())])
    }
}

/// Kinds and names, as `kubectl` takes them.
fn written(objects: &[String]) -> Result<Vec<(&str, &str)>> {
    let one = |object: &String| {
        let parts = object.split_once('/');
        parts.is_some_and(|(kind, name)| !kind.is_empty() && !name.is_empty() && !name.contains('/'))
    };
    match objects {
        [_, ..] if objects.iter().all(one) => Ok(objects
            .iter()
            .filter_map(|object| object.split_once('/'))
            .collect()),
        [kind, names @ ..] if !names.is_empty() && !objects.iter().any(|object| object.contains('/')) => {
            Ok(names.iter().map(|name| (kind.as_str(), name.as_str())).collect())
        }
        _ => bail!("either `<resource>/<name>` or `<resource> <name>` is required as an argument"),
    }
}

struct Tracing<'a> {
    cluster: &'a KubeCluster,
    namespace: &'a str,
}

/// The name of a Kustomization or a HelmRelease.
#[derive(Debug, PartialEq, Eq)]
struct Maker {
    namespace: String,
    name: String,
}

impl Tracing<'_> {
    /// The objects that are asked for, each with its kind as it is told.
    async fn objects(&self, trace: &Trace, wanted: &[(&str, &str)]) -> Result<Vec<(String, Value)>> {
        let mut objects = Vec::new();
        let lists = match trace.is_explicit() {
            true => self.kinds_of(&trace.api_version).await.map(|list| vec![list]),
            false => self.all_kinds().await,
        };
        let lists = match lists {
            Err(kube::Error::Api(status)) if trace.is_explicit() && status.code == 404 => Vec::new(),
            lists => lists?,
        };
        for (written, name) in wanted {
            let found = match trace.is_explicit() {
                true => {
                    let found = lists.iter().find_map(|list| of_kind(list, written));
                    found.with_context(|| {
                        let version = &trace.api_version;
                        format!("failed to find object: no matches for kind \"{written}\" in version \"{version}\"")
                    })?
                }
                false => by_any_name(&lists, written)
                    .with_context(|| format!("the server doesn't have a resource type \"{written}\""))?,
            };
            let object = self.object(&found, name).await?;
            let told = match trace.is_explicit() {
                true => (*written).to_owned(),
                false => found.gvk.kind,
            };
            objects.push((told, object));
        }
        Ok(objects)
    }

    async fn object(&self, kind: &Served, name: &str) -> Result<Value> {
        let id = ObjectId {
            gvk: kind.gvk.clone(),
            namespace: Some(self.namespace.to_owned()),
            name: name.to_owned(),
        };
        let found = self.cluster.get(&Identity::AsController, &id).await;
        let found = found.context("failed to find object")?;
        found.with_context(|| {
            let group = match kind.gvk.group.as_str() {
                "" => String::new(),
                group => format!(".{group}"),
            };
            format!(
                "failed to find object: {}{group} \"{name}\" not found",
                kind.plural
            )
        })
    }

    async fn kinds_of(&self, api_version: &str) -> kube::Result<APIResourceList> {
        let client = self.cluster.client();
        match api_version.contains('/') {
            true => client.list_api_group_resources(api_version).await,
            false => client.list_core_api_resources(api_version).await,
        }
    }

    /// The kinds of all groups, in the server's order, each in the version that its group prefers.
    async fn all_kinds(&self) -> kube::Result<Vec<APIResourceList>> {
        let groups = self.cluster.client().list_api_groups().await?.groups;
        let mut versions = vec!["v1".to_owned()];
        versions.extend(
            groups
                .into_iter()
                .filter_map(|group| Some(group.preferred_version?.group_version)),
        );
        let lists = stream::iter(versions)
            .map(|version| async move {
                match self.kinds_of(&version).await {
                    // what serves one group may be down: that is no matter of the others
                    Err(kube::Error::Api(_)) => Ok(None),
                    list => list.map(Some),
                }
            })
            .buffered(CONCURRENCY);
        let lists: Vec<Option<APIResourceList>> = lists.try_collect().await?;
        Ok(lists.into_iter().flatten().collect())
    }

    /// Everything that is known of where an object comes from.
    async fn report(&self, kind: &str, object: &Value) -> Result<String> {
        if let Some(maker) = self.maker(object, meta::KUSTOMIZE_GROUP).await {
            return self.kustomization(kind, object, &maker).await;
        }
        if let Some(maker) = self.maker(object, meta::HELM_GROUP).await {
            return self.release(kind, object, &maker).await;
        }
        bail!("object not managed by Flux")
    }

    /// Who made an object, or one of its owners, by the labels of a group.
    async fn maker(&self, object: &Value, group: &str) -> Option<Maker> {
        let mut level = vec![object.clone()];
        for _ in 0..OWNERS_MAX {
            if let Some(maker) = level.iter().find_map(|object| managed_by(object, group)) {
                return Some(maker);
            }
            let mut owners = Vec::new();
            for id in level.iter().flat_map(owners_of) {
                // who may not see an owner sees the rest
                let owner = self.cluster.get(&Identity::AsController, &id).await;
                owners.extend(owner.ok().flatten());
            }
            level = owners;
        }
        None
    }

    async fn required(&self, kind: Kind, what: &str, namespace: &str, name: &str) -> Result<Value> {
        let id = kind.id(namespace, name);
        let found = required(self.cluster, kind, &id).await;
        found.with_context(|| format!("failed to find {what}"))
    }

    async fn kustomization(&self, kind: &str, object: &Value, maker: &Maker) -> Result<String> {
        let ks = self
            .required(
                kinds::KUSTOMIZATION,
                "kustomization",
                &maker.namespace,
                &maker.name,
            )
            .await?;
        let mut report = Report::new(17);
        report.object(kind, object);
        report.head("Kustomization", &ks);
        report.line_if("Target", text(&ks, "/spec/targetNamespace"));
        report.line("Path", text(&ks, "/spec/path"));
        report.line("Revision", text(&ks, "/status/lastAppliedRevision"));
        report.ready(&ks, false);
        match self.source(&ks, "/spec/sourceRef").await? {
            Some(Source::Git(repository)) => report.git_repository(&repository),
            Some(Source::Oci(repository)) => report.oci_repository(&repository, true),
            Some(Source::External(artifact)) => report.external_artifact(&artifact, true),
            Some(Source::Helm(_)) | None => {}
        }
        Ok(report.text)
    }

    async fn release(&self, kind: &str, object: &Value, maker: &Maker) -> Result<String> {
        let hr = self
            .required(kinds::HELM_RELEASE, "HelmRelease", &maker.namespace, &maker.name)
            .await?;
        let mut report = Report::new(16);
        report.object(kind, object);
        report.head("HelmRelease", &hr);
        report.line_if("Target", text(&hr, "/spec/targetNamespace"));
        report.line("Revision", text(&hr, "/status/lastAttemptedRevision"));
        report.ready(&hr, false);
        if let Some((namespace, name)) = text(&hr, "/status/helmChart").split_once('/') {
            let chart = self
                .required(kinds::HELM_CHART, "HelmChart", namespace, name)
                .await?;
            report.helm_chart(&chart);
        }
        let reference = match hr.pointer("/spec/chart").is_some_and(|chart| !chart.is_null()) {
            true => "/spec/chart/spec/sourceRef",
            false => "/spec/chartRef",
        };
        match self.source(&hr, reference).await? {
            Some(Source::Helm(repository)) => report.helm_repository(&repository),
            Some(Source::Git(repository)) => {
                // the columns of Flux
                report.width = 15;
                report.git_repository(&repository);
            }
            Some(Source::Oci(repository)) => {
                report.width = 17;
                report.oci_repository(&repository, false);
            }
            Some(Source::External(artifact)) => {
                report.width = 17;
                report.external_artifact(&artifact, false);
            }
            None => {}
        }
        Ok(report.text)
    }

    /// The source that an object names, where it is of a kind that is told.
    async fn source(&self, object: &Value, reference: &str) -> Result<Option<Source>> {
        let part = |field: &str| text(object, &format!("{reference}/{field}"));
        let namespace = match part("namespace") {
            "" => installed::namespace(object),
            namespace => namespace,
        };
        let name = part("name");
        let get = async |kind: Kind| self.required(kind, kind.kind, namespace, name).await;
        Ok(match part("kind") {
            "GitRepository" => Some(Source::Git(get(kinds::GIT_REPOSITORY).await?)),
            "OCIRepository" => Some(Source::Oci(get(kinds::OCI_REPOSITORY).await?)),
            "HelmRepository" => Some(Source::Helm(get(kinds::HELM_REPOSITORY).await?)),
            "ExternalArtifact" => {
                let artifact = get(kinds::EXTERNAL_ARTIFACT).await?;
                if artifact.pointer("/spec/sourceRef").is_none() {
                    return Err(anyhow!(
                        "ExternalArtifact {namespace}/{name} is missing spec.sourceRef"
                    ));
                }
                Some(Source::External(artifact))
            }
            _ => None,
        })
    }
}

/// Where something comes from.
enum Source {
    Git(Value),
    Oci(Value),
    Helm(Value),
    External(Value),
}

/// A kind that the API server serves.
#[derive(Debug)]
struct Served {
    gvk: GroupVersionKind,
    plural: String,
}

/// The kinds of a list that are no parts of others.
fn served(list: &APIResourceList) -> impl Iterator<Item = &APIResource> {
    list.resources
        .iter()
        .filter(|resource| !resource.name.contains('/'))
}

fn as_served(list: &APIResourceList, resource: &APIResource) -> Served {
    Served {
        gvk: GroupVersionKind::new(&list.group_version, &resource.kind),
        plural: resource.name.clone(),
    }
}

/// A kind of a list, whose case does not count.
fn of_kind(list: &APIResourceList, kind: &str) -> Option<Served> {
    let resource = served(list).find(|resource| resource.kind.eq_ignore_ascii_case(kind))?;
    Some(as_served(list, resource))
}

/// A kind as people write it: `deployment`, `deploy`, `deployments.apps`, `deployments.v1.apps`.
fn by_any_name(lists: &[APIResourceList], written: &str) -> Option<Served> {
    let written = written.to_lowercase();
    let (name, of) = written.split_once('.').unwrap_or((written.as_str(), ""));
    let mut found = lists
        .iter()
        .flat_map(|list| served(list).map(move |resource| (list, resource)));
    let (list, resource) = found.find(|(list, resource)| {
        let (group, version) = list
            .group_version
            .split_once('/')
            .unwrap_or(("", list.group_version.as_str()));
        let is_of_group = of.is_empty() || of == group || of == format!("{version}.{group}");
        let mut short = resource.short_names.iter().flatten();
        let is_named = resource.name == name
            || resource.singular_name == name
            || resource.kind.eq_ignore_ascii_case(name)
            || short.any(|short| short == name);
        is_of_group && is_named
    })?;
    Some(as_served(list, resource))
}

/// Who made an object, as its labels of a group say.
fn managed_by(object: &Value, group: &str) -> Option<Maker> {
    let label = |name: &str| installed::label(object, &format!("{group}/{name}"));
    let name = label("name").filter(|name| !name.is_empty())?.to_owned();
    let namespace = label("namespace").unwrap_or_default().to_owned();
    Some(Maker { namespace, name })
}

fn owners_of(object: &Value) -> Vec<ObjectId> {
    let references = object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array);
    let namespace = Some(installed::namespace(object)).filter(|namespace| !namespace.is_empty());
    let id = |reference: &Value| ObjectId {
        gvk: GroupVersionKind::new(text(reference, "/apiVersion"), text(reference, "/kind")),
        namespace: namespace.map(str::to_owned),
        name: text(reference, "/name").to_owned(),
    };
    references.into_iter().flatten().map(id).collect()
}

/// A text of an object, empty where there is none.
fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// What is printed of one object.
struct Report {
    text: String,
    /// Where values begin.
    width: usize,
}

impl Report {
    fn new(width: usize) -> Self {
        // Flux begins with an empty line
        Self {
            text: "\n".to_owned(),
            width,
        }
    }

    fn line(&mut self, label: &str, value: &str) {
        let (label, width) = (format!("{label}:"), self.width);
        self.text.push_str(&format!("{label:<width$}{value}\n"));
    }

    fn line_if(&mut self, label: &str, value: &str) {
        if !value.is_empty() {
            self.line(label, value);
        }
    }

    fn object(&mut self, kind: &str, object: &Value) {
        self.line("Object", &format!("{kind}/{}", installed::name(object)));
        self.line_if("Namespace", installed::namespace(object));
        self.line("Status", "Managed by Flux");
    }

    fn head(&mut self, kind: &str, object: &Value) {
        self.text.push_str("---\n");
        self.line(kind, installed::name(object));
        self.line("Namespace", installed::namespace(object));
    }

    /// When an object was reconciled last, and what came of it.
    fn ready(&mut self, object: &Value, tells_failure: bool) {
        let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
        let mut conditions = conditions.into_iter().flatten();
        let Some(ready) = conditions.find(|condition| text(condition, "/type") == "Ready") else {
            self.line("Status", "Unknown");
            return;
        };
        let what = match tells_failure && text(ready, "/status") == "False" {
            true => "Last reconciliation failed at",
            false => "Last reconciled at",
        };
        let when = local(text(ready, "/lastTransitionTime"), TimeZone::try_system().ok());
        self.line("Status", &format!("{what} {when}"));
        self.line("Message", text(ready, "/message"));
    }

    /// The first of these fields that the reference of a source has.
    fn reference(&mut self, source: &Value, fields: &[(&str, &str)]) {
        for (field, label) in fields {
            let value = text(source, &format!("/spec/ref/{field}"));
            if !value.is_empty() {
                self.line(label, value);
                return;
            }
        }
    }

    fn revision(&mut self, source: &Value) {
        if source.pointer("/status/artifact").is_some() {
            self.line("Revision", text(source, "/status/artifact/revision"));
        }
    }

    /// What an artifact was made from.
    fn origin(&mut self, source: &Value) {
        let metadata = source.pointer("/status/artifact/metadata");
        for (label, key) in [
            ("Origin Revision", meta::OCI_REVISION),
            ("Origin Source", meta::OCI_SOURCE),
        ] {
            let value = metadata.and_then(|metadata| metadata.get(key)?.as_str());
            self.line_if(label, value.unwrap_or_default());
        }
    }

    fn git_repository(&mut self, repository: &Value) {
        self.head("GitRepository", repository);
        self.line("URL", text(repository, "/spec/url"));
        self.reference(
            repository,
            &[("tag", "Tag"), ("semver", "Tag"), ("branch", "Branch")],
        );
        self.revision(repository);
        self.ready(repository, true);
    }

    fn oci_repository(&mut self, repository: &Value, with_origin: bool) {
        self.head("OCIRepository", repository);
        self.line("URL", text(repository, "/spec/url"));
        self.reference(
            repository,
            &[("tag", "Tag"), ("semver", "Tag"), ("digest", "Digest")],
        );
        self.revision(repository);
        if with_origin {
            self.origin(repository);
        }
        self.ready(repository, true);
    }

    fn external_artifact(&mut self, artifact: &Value, with_origin: bool) {
        self.head("ExternalArtifact", artifact);
        let part = |field: &str| text(artifact, &format!("/spec/sourceRef/{field}"));
        let source = format!("{}/{}/{}", part("kind"), part("namespace"), part("name"));
        self.line("Source", &source);
        self.revision(artifact);
        if with_origin {
            self.origin(artifact);
        }
        self.ready(artifact, true);
    }

    fn helm_chart(&mut self, chart: &Value) {
        self.head("HelmChart", chart);
        self.line("Chart", text(chart, "/spec/chart"));
        self.line("Version", text(chart, "/spec/version"));
        self.revision(chart);
        self.ready(chart, false);
    }

    fn helm_repository(&mut self, repository: &Value) {
        self.head("HelmRepository", repository);
        self.line("URL", text(repository, "/spec/url"));
        self.revision(repository);
        self.ready(repository, false);
    }
}

/// A time as Go tells it, in the time of this machine.
fn local(time: &str, zone: Option<TimeZone>) -> String {
    let Ok(timestamp) = time.parse::<Timestamp>() else {
        return time.to_owned();
    };
    let zoned = timestamp.to_zoned(zone.unwrap_or(TimeZone::UTC));
    let told = jiff::fmt::strtime::format("%Y-%m-%d %H:%M:%S %z %Z", &zoned);
    told.unwrap_or_else(|_| time.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn objects_are_named_as_kubectl_takes_them() {
        let read = |line: &str| {
            let objects: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            match written(&objects) {
                Ok(pairs) => pairs
                    .iter()
                    .map(|(kind, name)| format!("{kind}:{name}"))
                    .collect::<Vec<_>>()
                    .join(" "),
                Err(error) => error.to_string(),
            }
        };
        assert_eq!(read("deployment my-app"), "deployment:my-app");
        assert_eq!(read("pod/redis-0 cm/redis"), "pod:redis-0 cm:redis");
        assert_eq!(read("pod a b"), "pod:a pod:b");
        for wrong in ["", "pod", "pod/", "/a", "pod/a b", "a pod/b", "a/b/c"] {
            assert!(
                read(wrong).starts_with("either `<resource>/<name>` or"),
                "{wrong}"
            );
        }
    }

    fn lists() -> Vec<APIResourceList> {
        let resource = |name: &str, singular: &str, kind: &str, short: &[&str]| json!({"name": name, "singularName": singular, "kind": kind, "namespaced": true, "shortNames": short, "verbs": ["get"]});
        let list = |version: &str, resources: Value| json!({"groupVersion": version, "resources": resources});
        let lists = json!([
            list(
                "v1",
                json!([
                    resource("pods/log", "", "Pod", &[]),
                    resource("pods", "pod", "Pod", &["po"]),
                    resource("events", "event", "Event", &["ev"])
                ])
            ),
            list(
                "apps/v1",
                json!([resource("deployments", "deployment", "Deployment", &["deploy"])])
            ),
            list(
                "events.k8s.io/v1",
                json!([resource("events", "event", "Event", &["ev"])])
            ),
        ]);
        serde_json::from_value(lists).unwrap()
    }

    #[test]
    fn kinds_have_many_names() {
        let lists = lists();
        let find = |written: &str| {
            let found = by_any_name(&lists, written)?;
            Some(format!("{} {}", found.gvk.api_version(), found.plural))
        };
        for (written, expected) in [
            ("deployment", Some("apps/v1 deployments")),
            ("Deployments", Some("apps/v1 deployments")),
            ("deploy", Some("apps/v1 deployments")),
            ("deployments.apps", Some("apps/v1 deployments")),
            ("deployments.v1.apps", Some("apps/v1 deployments")),
            ("deployments.extensions", None),
            ("po", Some("v1 pods")),
            ("events", Some("v1 events")),
            ("ev.events.k8s.io", Some("events.k8s.io/v1 events")),
            ("lamp", None),
        ] {
            assert_eq!(find(written).as_deref(), expected, "{written}");
        }
        let [core, ..] = &lists[..] else {
            panic!("there are lists")
        };
        assert_eq!(of_kind(core, "pod").unwrap().plural, "pods");
        assert!(of_kind(core, "pods").is_none());
    }

    #[test]
    fn times_are_told_as_go_tells_them() {
        let zone = |hours: i8| Some(TimeZone::fixed(jiff::tz::offset(hours)));
        assert_eq!(
            local("2021-07-16T15:42:20Z", None),
            "2021-07-16 15:42:20 +0000 UTC"
        );
        assert!(local("2021-07-16T15:42:20Z", zone(2)).starts_with("2021-07-16 17:42:20 +0200 "));
        assert_eq!(local("some day", None), "some day");
    }

    #[test]
    fn a_source_is_told_with_what_it_was_made_from() {
        let repository = json!({"metadata": {"name": "flux-system", "namespace": "flux-system"},
            "spec": {"url": "oci://ghcr.io/example/repo", "ref": {"semver": "1.x", "tag": "1.2.3"}},
            "status": {"artifact": {"revision": "sha256:dbdb1097", "metadata": {
                "org.opencontainers.image.revision": "6.1.6@sha1:450796dd",
                "org.opencontainers.image.source": "https://github.com/stefanprodan/podinfo.git"}},
                "conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "some day", "message": "no"}]}});
        let mut report = Report::new(17);
        report.oci_repository(&repository, true);
        report.external_artifact(
            &json!({"metadata": {"name": "app", "namespace": "team"}, "spec": {"sourceRef": {"kind": "ArtifactGenerator", "namespace": "team", "name": "parts"}}}),
            true,
        );
        expect![[r"

            ---
            OCIRepository:   flux-system
            Namespace:       flux-system
            URL:             oci://ghcr.io/example/repo
            Tag:             1.2.3
            Revision:        sha256:dbdb1097
            Origin Revision: 6.1.6@sha1:450796dd
            Origin Source:   https://github.com/stefanprodan/podinfo.git
            Status:          Last reconciliation failed at some day
            Message:         no
            ---
            ExternalArtifact:app
            Namespace:       team
            Source:          ArtifactGenerator/team/parts
            Status:          Unknown
        "]]
        .assert_eq(&report.text);
    }
}
