//! `sluice events`: the cluster's events of Flux's objects (compat: cli, section 10).

use crate::args::{self, Global};
use crate::changes::{Change, changes};
use crate::kinds::{self, Kind, text};
use crate::target::Target;
use crate::{table, tell};
use anyhow::{Context as _, Result, bail};
use clap::Args;
use futures::TryStreamExt as _;
use futures::stream::select_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, ApiResource, DynamicObject, ListParams};
use kube::runtime::watcher;
use serde_json::Value;
use sluice_devcluster::human_duration;

#[derive(Args, Debug)]
pub(crate) struct Events {
    /// Events of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Leave the heading out
    #[arg(long)]
    no_header: bool,
    /// After listing, go on with every event
    #[arg(short, long)]
    watch: bool,
    /// Only events of a kind, as Kustomization, or of an object and its source, as Kustomization/apps
    #[arg(long = "for", value_name = "KIND[/NAME]")]
    of: Option<String>,
    /// Only events of these types: Normal, Warning
    #[arg(long, value_name = "TYPE", value_delimiter = ',')]
    types: Vec<String>,
}

/// Whose events are shown.
const SHOWN: [Kind; 14] = [
    kinds::KUSTOMIZATION,
    kinds::HELM_RELEASE,
    kinds::ALERT,
    kinds::RECEIVER,
    kinds::PROVIDER,
    kinds::IMAGE_POLICY,
    kinds::HELM_CHART,
    kinds::GIT_REPOSITORY,
    kinds::OCI_REPOSITORY,
    kinds::BUCKET,
    kinds::HELM_REPOSITORY,
    kinds::IMAGE_UPDATE_AUTOMATION,
    kinds::IMAGE_REPOSITORY,
    kinds::ARTIFACT_GENERATOR,
];

/// How many events one question asks for.
const PAGE: u32 = 500;

impl Events {
    /// Whether it goes on until it is stopped.
    pub(crate) fn is_watched(&self) -> bool {
        self.watch
    }

    fn is_selected(&self, event: &DynamicObject) -> bool {
        let of_type = text(event, "/type").unwrap_or_default();
        let is_wanted = |wanted: &String| wanted.eq_ignore_ascii_case(of_type);
        text(event, "/involvedObject/kind").is_some_and(|kind| shown(kind).is_some())
            && (self.types.is_empty() || self.types.iter().any(is_wanted))
    }
}

/// The kind of that name, in any case.
fn shown(kind: &str) -> Option<Kind> {
    SHOWN
        .into_iter()
        .find(|shown| shown.kind.eq_ignore_ascii_case(kind))
}

pub(crate) async fn run(events: &Events, global: &Global) -> Result<()> {
    let known = ["Normal", "Warning"];
    let is_known = |of_type: &&String| known.iter().any(|known| known.eq_ignore_ascii_case(of_type));
    if let Some(unknown) = events.types.iter().find(|of_type| !is_known(of_type)) {
        bail!("type '{unknown}' not supported. Supported types are Normal, Warning");
    }
    let client = global.connect.client().await?;
    let wanted = wanted(events, &client, global).await?;
    let is_elsewhere = |about: &About| about.namespace.as_ref() != Some(&global.namespace);
    let view = View {
        with_namespace: wanted.iter().any(is_elsewhere),
        with_heading: !events.no_header,
    };
    if events.watch {
        return watch(events, &client, &wanted, view).await;
    }
    let mut found = Vec::new();
    for about in &wanted {
        found.extend(list(about, &client).await?);
    }
    found.retain(|event| events.is_selected(event));
    found.sort_by_key(when);
    if found.is_empty() {
        tell::failure(&match events.all_namespaces {
            true => "No events found.".to_owned(),
            false => format!("No events found in {} namespace.", global.namespace),
        });
        return Ok(());
    }
    tell::print(&view.table(&found, Timestamp::now()))
}

/// Events about which objects.
#[derive(Debug, PartialEq, Eq)]
struct About {
    /// Those of one namespace, or of all.
    namespace: Option<String>,
    /// Those of one kind.
    kind: Option<String>,
    /// Those of one name.
    name: Option<String>,
}

impl About {
    fn api(&self, client: &kube::Client) -> Api<DynamicObject> {
        let event = ApiResource::erase::<Event>(&());
        match &self.namespace {
            Some(namespace) => Api::namespaced_with(client.clone(), namespace, &event),
            None => Api::all_with(client.clone(), &event),
        }
    }

    /// The field selector.
    fn fields(&self) -> Option<String> {
        let kind = self.kind.as_ref()?;
        Some(match &self.name {
            Some(name) => format!("involvedObject.kind={kind},involvedObject.name={name}"),
            None => format!("involvedObject.kind={kind}"),
        })
    }
}

/// What is asked for: an object's events stand beside those of what it refers to.
async fn wanted(events: &Events, client: &kube::Client, global: &Global) -> Result<Vec<About>> {
    let namespace = (!events.all_namespaces).then(|| global.namespace.clone());
    let Some(of) = events.of.as_deref().filter(|of| !of.is_empty()) else {
        return Ok(vec![About {
            namespace,
            kind: None,
            name: None,
        }]);
    };
    let (kind, name) = kind_and_name(of);
    if kind.is_empty() {
        bail!("--for selector must be of format <kind>[/<name>]");
    }
    let Some(shown) = shown(kind) else {
        bail!("'{kind}' is not a recognized Flux kind");
    };
    let mut wanted = vec![About {
        namespace,
        kind: Some(shown.kind.to_owned()),
        name: name.map(str::to_owned),
    }];
    if let Some(name) = name
        && refers(shown)
    {
        let target = Target {
            client: client.clone(),
            kind: shown,
            namespace: global.namespace.clone(),
            name: args::name(name).map_err(anyhow::Error::msg)?,
        };
        let object = target.get().await?;
        wanted.extend(references(shown, &object, &target.namespace, name)?);
    }
    Ok(wanted)
}

/// `Kind/name`, or `Kind` alone.
fn kind_and_name(of: &str) -> (&str, Option<&str>) {
    match of.split_once('/') {
        Some(("", kind)) => (kind, None),
        Some((kind, name)) if !name.contains('/') => (kind, Some(name).filter(|name| !name.is_empty())),
        _ => (of, None),
    }
}

/// Whether objects of the kind name others whose events belong to theirs.
fn refers(kind: Kind) -> bool {
    matches!(
        kind.kind,
        "Kustomization" | "HelmRelease" | "HelmChart" | "Alert" | "ImagePolicy"
    )
}

/// What an object refers to.
fn references(kind: Kind, object: &DynamicObject, namespace: &str, name: &str) -> Result<Vec<About>> {
    let has_chart = object.data.pointer("/spec/chartRef").is_none();
    let (field, of_kind) = match kind.kind {
        "Alert" => ("spec.providerRef", Some(kinds::PROVIDER)),
        "ImagePolicy" => ("spec.imageRepositoryRef", Some(kinds::IMAGE_REPOSITORY)),
        "HelmRelease" if has_chart => ("spec.chart.spec.sourceRef", None),
        "HelmRelease" => ("spec.chartRef", None),
        _ => ("spec.sourceRef", None),
    };
    let optional = |part: &str| text(object, &format!("/{}/{part}", field.replace('.', "/")));
    let required = |part: &str| {
        let missing = || format!("field '{field}.{part}' for '{namespace}/{name}' not found");
        optional(part).with_context(missing)
    };
    let of_kind = match of_kind {
        Some(of_kind) => of_kind.kind,
        None => required("kind")?,
    };
    let of_name = required("name")?;
    let of_namespace = match kind.kind {
        // a provider is one of the alert's own namespace
        "Alert" => namespace,
        _ => optional("namespace").unwrap_or(namespace),
    };
    let about = |kind: &str, name: &str| About {
        namespace: Some(of_namespace.to_owned()),
        kind: Some(kind.to_owned()),
        name: Some(name.to_owned()),
    };
    let mut references = vec![about(of_kind, of_name)];
    if kind.kind == kinds::HELM_RELEASE.kind && has_chart {
        references.push(about(kinds::HELM_CHART.kind, &format!("{namespace}-{name}")));
    }
    Ok(references)
}

async fn list(about: &About, client: &kube::Client) -> Result<Vec<DynamicObject>> {
    let api = about.api(client);
    let mut params = ListParams::default().limit(PAGE);
    params.field_selector = about.fields();
    let mut events = Vec::new();
    loop {
        let page = api.list(&params).await.context("error getting events")?;
        events.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(events),
        }
    }
}

async fn watch(events: &Events, client: &kube::Client, wanted: &[About], mut view: View) -> Result<()> {
    let watches = wanted.iter().map(|about| {
        let config = watcher::Config {
            field_selector: about.fields(),
            ..watcher::Config::default()
        };
        Box::pin(changes(about.api(client), config))
    });
    let mut watched = select_all(watches);
    while let Some(Change { object, is_gone }) = watched.try_next().await? {
        if !is_gone && events.is_selected(&object) {
            if !tell::print_on(&view.table(&[object], Timestamp::now()))? {
                break;
            }
            view.with_heading = false;
        }
    }
    Ok(())
}

/// How events are shown.
#[derive(Clone, Copy, Debug)]
struct View {
    with_namespace: bool,
    with_heading: bool,
}

impl View {
    fn table(self, events: &[DynamicObject], now: Timestamp) -> String {
        let mut heading = vec!["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
        if self.with_namespace {
            heading.insert(0, "NAMESPACE");
        }
        let rows: Vec<Vec<String>> = events.iter().map(|event| self.row(event, now)).collect();
        table::render(&heading, &rows, self.with_heading)
    }

    fn row(self, event: &DynamicObject, now: Timestamp) -> Vec<String> {
        let said = |pointer: &str| text(event, pointer).unwrap_or_default();
        let object = format!(
            "{}/{}",
            said("/involvedObject/kind"),
            said("/involvedObject/name")
        );
        let mut row = vec![
            last_seen(event, now),
            said("/type").to_owned(),
            said("/reason").to_owned(),
            object,
            said("/message").to_owned(),
        ];
        if self.with_namespace {
            row.insert(0, event.metadata.namespace.clone().unwrap_or_default());
        }
        row
    }
}

fn time(event: &DynamicObject, pointer: &str) -> Option<Timestamp> {
    text(event, pointer)?.parse().ok()
}

/// When it happened last.
fn when(event: &DynamicObject) -> Option<Timestamp> {
    let times = ["/series/lastObservedTime", "/lastTimestamp", "/eventTime"];
    times.into_iter().find_map(|pointer| time(event, pointer))
}

/// How long ago it happened, and how often.
fn last_seen(event: &DynamicObject, now: Timestamp) -> String {
    let since =
        |pointer: &str| time(event, pointer).map(|then| human_duration(now.as_second() - then.as_second()));
    let unknown = || "<unknown>".to_owned();
    let first = since("/eventTime").or_else(|| since("/firstTimestamp"));
    let first = first.unwrap_or_else(unknown);
    let number = |pointer: &str| event.data.pointer(pointer).and_then(Value::as_i64);
    let (last, count) = match (event.data.get("series"), number("/count")) {
        (Some(series), _) if series.is_object() => (
            "/series/lastObservedTime",
            number("/series/count").unwrap_or_default(),
        ),
        (_, Some(count)) if count > 1 => ("/lastTimestamp", count),
        _ => return first,
    };
    let last = since(last).unwrap_or_else(unknown);
    format!("{last} (x{count} over {first})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn object(value: Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_table_of_events_that_happened_once_and_more_often() {
        let event = |more: Value| {
            let mut event = json!({"metadata": {"name": "a", "namespace": "team"}, "type": "Normal", "reason": "Succeeded",
                "involvedObject": {"kind": "Kustomization", "name": "apps"}, "message": "done"});
            sluice_object::merge(&mut event, more);
            object(event)
        };
        let mut events = [
            event(
                json!({"eventTime": null, "firstTimestamp": "2026-01-01T00:00:00Z",
                "lastTimestamp": "2026-01-01T00:10:00Z", "count": 3}),
            ),
            event(
                json!({"firstTimestamp": "2026-01-01T00:09:00Z", "lastTimestamp": "2026-01-01T00:09:00Z", "count": 1}),
            ),
            event(
                json!({"eventTime": "2026-01-01T00:00:00.000000Z", "type": "Warning",
                "series": {"count": 7, "lastObservedTime": "2026-01-01T00:08:00.000000Z"}}),
            ),
            event(json!({})),
        ];
        events.sort_by_key(when);
        let view = View {
            with_namespace: true,
            with_heading: true,
        };
        expect![[r#"
            NAMESPACE	LAST SEEN        	TYPE   	REASON   	OBJECT            	MESSAGE	
            team     	<unknown>        	Normal 	Succeeded	Kustomization/apps	done   	
            team     	3m (x7 over 11m) 	Warning	Succeeded	Kustomization/apps	done   	
            team     	2m               	Normal 	Succeeded	Kustomization/apps	done   	
            team     	60s (x3 over 11m)	Normal 	Succeeded	Kustomization/apps	done   	
        "#]]
        .assert_eq(&view.table(&events, "2026-01-01T00:11:00Z".parse().unwrap()));
    }

    #[test]
    fn what_objects_refer_to() {
        let references = |kind: Kind, spec: Value| {
            let of = object(json!({"metadata": {}, "spec": spec}));
            match references(kind, &of, "team", "web") {
                Ok(references) => {
                    let told = |about: About| {
                        let part = |part: Option<String>| part.unwrap_or_default();
                        format!(
                            "{}/{}.{}",
                            part(about.kind),
                            part(about.name),
                            part(about.namespace)
                        )
                    };
                    let told: Vec<String> = references.into_iter().map(told).collect();
                    told.join(" ")
                }
                Err(error) => error.to_string(),
            }
        };
        let source = json!({"kind": "Bucket", "name": "b", "namespace": "other"});
        for (kind, spec, expected) in [
            (
                kinds::KUSTOMIZATION,
                json!({"sourceRef": source}),
                "Bucket/b.other",
            ),
            (
                kinds::KUSTOMIZATION,
                json!({"sourceRef": {"kind": "Bucket"}}),
                "field 'spec.sourceRef.name' for 'team/web' not found",
            ),
            (
                kinds::HELM_RELEASE,
                json!({"chart": {"spec": {"sourceRef": source}}}),
                "Bucket/b.other HelmChart/team-web.other",
            ),
            (
                kinds::HELM_RELEASE,
                json!({"chartRef": {"kind": "OCIRepository", "name": "c"}}),
                "OCIRepository/c.team",
            ),
            (
                kinds::ALERT,
                json!({"providerRef": {"name": "chat", "namespace": "other"}}),
                "Provider/chat.team",
            ),
            (
                kinds::IMAGE_POLICY,
                json!({"imageRepositoryRef": {"name": "i"}}),
                "ImageRepository/i.team",
            ),
        ] {
            assert_eq!(references(kind, spec), expected);
        }
    }

    #[test]
    fn a_kind_may_have_a_name() {
        for (of, expected) in [
            ("ks", ("ks", None)),
            ("Bucket/a", ("Bucket", Some("a"))),
            ("Bucket/", ("Bucket", None)),
            ("/Bucket", ("Bucket", None)),
            ("a/b/c", ("a/b/c", None)),
        ] {
            assert_eq!(kind_and_name(of), expected, "{of}");
        }
        assert_eq!(shown("kustomization").unwrap().kind, "Kustomization");
        assert!(shown("Deployment").is_none());
    }
}
