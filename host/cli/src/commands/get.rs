//! `sluice get`: tables as `flux get` prints them (compat: cli, section 9).

use crate::args::Global;
use crate::changes::{Change, changes};
use crate::kinds::{self, Kind, condition, is_suspended, text};
use crate::{subject, table, tell};
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use kube::api::{Api, DynamicObject};
use kube::runtime::watcher;
use std::pin::pin;

#[derive(Subcommand, Debug)]
pub(crate) enum Get {
    /// Sources
    #[command(subcommand, visible_alias = "source")]
    Sources(Sources),
    /// Kustomizations
    #[command(visible_aliases = ["kustomization", "ks"])]
    Kustomizations(OfSource),
    /// Every kind
    All(Which),
}

#[derive(Subcommand, Debug)]
pub(crate) enum Sources {
    /// GitRepositories
    Git(Which),
    /// OCIRepositories
    Oci(Which),
    /// Buckets
    Bucket(Which),
    /// HelmRepositories
    Helm(Which),
    /// HelmCharts
    Chart(Which),
    /// ExternalArtifacts
    External(Which),
    /// Every kind of source
    All(Which),
}

/// Which objects, and how.
#[derive(Args, Debug)]
pub(crate) struct Which {
    /// The name of one object
    name: Option<String>,
    /// Objects of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Leave the heading out
    #[arg(long)]
    no_header: bool,
    /// After listing, go on with every change
    #[arg(short, long)]
    watch: bool,
    /// Only objects with these labels
    #[arg(short = 'l', long, value_name = "SELECTOR")]
    label_selector: Option<String>,
    /// Only objects with a condition, such as ready=false or ready!=true
    #[arg(long, value_name = "TYPE=STATUS")]
    status_selector: Option<StatusSelector>,
    /// Whether the source of each object is shown, see [`OfSource`].
    #[arg(skip)]
    show_source: bool,
}

/// Which objects that have a source, and how.
#[derive(Args, Debug)]
pub(crate) struct OfSource {
    #[command(flatten)]
    which: Which,
    /// Show the source of each object
    #[arg(long)]
    show_source: bool,
}

impl Get {
    /// Whether it goes on until it is stopped.
    pub(crate) fn is_watched(&self) -> bool {
        let (Self::Kustomizations(OfSource { which, .. })
        | Self::All(which)
        | Self::Sources(
            Sources::Git(which)
            | Sources::Oci(which)
            | Sources::Bucket(which)
            | Sources::Helm(which)
            | Sources::Chart(which)
            | Sources::External(which)
            | Sources::All(which),
        )) = self;
        which.watch
    }
}

pub(crate) async fn run(get: Get, global: &Global) -> Result<()> {
    match get {
        Get::Sources(Sources::Git(which)) => one(kinds::GIT_REPOSITORY, &which, global).await,
        Get::Sources(Sources::Oci(which)) => one(kinds::OCI_REPOSITORY, &which, global).await,
        Get::Sources(Sources::Bucket(which)) => one(kinds::BUCKET, &which, global).await,
        Get::Sources(Sources::Helm(which)) => one(kinds::HELM_REPOSITORY, &which, global).await,
        Get::Sources(Sources::Chart(which)) => one(kinds::HELM_CHART, &which, global).await,
        Get::Sources(Sources::External(which)) => one(kinds::EXTERNAL_ARTIFACT, &which, global).await,
        Get::Sources(Sources::All(which)) => all(kinds::SOURCES, &which, global).await,
        Get::Kustomizations(OfSource { which, show_source }) => {
            let which = Which { show_source, ..which };
            one(kinds::KUSTOMIZATION, &which, global).await
        }
        Get::All(which) => {
            let every: Vec<Kind> = kinds::SOURCES
                .iter()
                .copied()
                .chain([kinds::KUSTOMIZATION])
                .collect();
            all(&every, &which, global).await
        }
    }
}

async fn one(kind: Kind, which: &Which, global: &Global) -> Result<()> {
    let api = api(&global.connect.client().await?, kind, which, global);
    if which.watch {
        return watch(kind, api, which).await;
    }
    let objects = list(&api, which).await.map_err(|error| kind.explain(error))?;
    if objects.is_empty() {
        bail!(nothing(kind, which, &global.namespace));
    }
    tell::print(&show(kind, &objects, which, false))
}

/// That there is no such object.
fn nothing(kind: Kind, which: &Which, namespace: &str) -> String {
    let scope = match which.all_namespaces {
        true => "any".to_owned(),
        false => format!("\"{namespace}\""),
    };
    match &which.name {
        Some(name) => format!("{} object '{name}' not found in {scope} namespace", kind.kind),
        None => format!("no {} objects found in {scope} namespace", kind.kind),
    }
}

/// Several kinds, one table each; a kind that is not installed is passed over, one that cannot be read is told.
async fn all(every: &[Kind], which: &Which, global: &Global) -> Result<()> {
    if which.watch {
        bail!("expected a single resource type, but found all");
    }
    // one for all: a credential plugin is started for each
    let client = global.connect.client().await?;
    for kind in every {
        match list(&api(&client, *kind, which, global), which).await {
            Ok(objects) if objects.is_empty() => {
                if which.name.is_some() {
                    tell::failure(&nothing(*kind, which, &global.namespace));
                }
            }
            Ok(objects) => tell::print(&one_of_several(*kind, &objects, which))?,
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(kube::Error::Api(status)) => tell::failure(&status.message),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn api(client: &kube::Client, kind: Kind, which: &Which, global: &Global) -> Api<DynamicObject> {
    let namespace = (!which.all_namespaces).then_some(global.namespace.as_str());
    subject::objects(client, kind, namespace)
}

async fn list(api: &Api<DynamicObject>, which: &Which) -> kube::Result<Vec<DynamicObject>> {
    subject::list(api, which.name.as_deref(), which.label_selector.as_deref()).await
}

/// `type=status` and `type!=status`, both without regard to case; a missing condition never equals.
#[derive(Clone, Debug)]
struct StatusSelector {
    of: String,
    status: String,
    is_equal: bool,
}

impl std::str::FromStr for StatusSelector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let negated = text.split_once("!=").map(|parts| (parts, false));
        let Some(((of, status), is_equal)) = negated.or_else(|| Some((text.split_once('=')?, true))) else {
            return Err(format!(
                "expected status selector in type=status or type!=status format, but found: {text}"
            ));
        };
        Ok(Self {
            of: of.to_owned(),
            status: status.to_owned(),
            is_equal,
        })
    }
}

impl StatusSelector {
    fn selects(&self, kind: Kind, object: &DynamicObject) -> bool {
        let is_static = kinds::is_static(kind, object) && self.of.eq_ignore_ascii_case("Ready");
        let status = match is_static {
            true => Some("True"),
            false => condition(object, &self.of).map(|(status, _)| status),
        };
        status.is_some_and(|status| status.eq_ignore_ascii_case(&self.status)) == self.is_equal
    }
}

/// Status and message of Ready.
fn ready(kind: Kind, object: &DynamicObject) -> (String, String) {
    let (status, message) = match condition(object, "Ready") {
        Some(ready) => ready,
        None if kinds::is_static(kind, object) => ("True", "Helm repository is Ready"),
        None => ("False", "waiting to be reconciled"),
    };
    (status.to_owned(), message.to_owned())
}

async fn watch(kind: Kind, api: Api<DynamicObject>, which: &Which) -> Result<()> {
    let mut config = watcher::Config::default();
    config.label_selector.clone_from(&which.label_selector);
    config.field_selector = which.name.as_ref().map(|name| format!("metadata.name={name}"));
    let mut changes = pin!(changes(api, config));
    let mut first = !which.no_header;
    while let Some(Change { object, is_gone }) = changes.try_next().await? {
        if !is_gone && is_selected(kind, &object, which) {
            let heading = std::mem::take(&mut first);
            let rows = [row(kind, &object, which, false)];
            if !tell::print_on(&table::render(&heading_of(kind, which), &rows, heading))? {
                break;
            }
        }
    }
    Ok(())
}

fn show(kind: Kind, objects: &[DynamicObject], which: &Which, with_kind: bool) -> String {
    let rows: Vec<_> = objects
        .iter()
        .filter(|object| is_selected(kind, object, which))
        .map(|object| row(kind, object, which, with_kind))
        .collect();
    table::render(&heading_of(kind, which), &rows, !which.no_header)
}

/// The table of a kind among others: none where a selector leaves nothing of it.
fn one_of_several(kind: Kind, objects: &[DynamicObject], which: &Which) -> String {
    match objects.iter().any(|object| is_selected(kind, object, which)) {
        true => format!("{}\n", show(kind, objects, which, true)),
        false => String::new(),
    }
}

fn is_selected(kind: Kind, object: &DynamicObject, which: &Which) -> bool {
    let selector = which.status_selector.as_ref();
    selector.is_none_or(|selector| selector.selects(kind, object))
}

/// Whether objects of a kind are made by others: who makes them is shown, and nobody suspends them here.
fn is_external(kind: Kind) -> bool {
    kind.kind == kinds::EXTERNAL_ARTIFACT.kind
}

fn heading_of(kind: Kind, which: &Which) -> Vec<&'static str> {
    let mut heading = vec![];
    if which.all_namespaces {
        heading.push("NAMESPACE");
    }
    heading.push("NAME");
    if which.show_source {
        heading.push("SOURCE");
    }
    let between = match is_external(kind) {
        true => "SOURCE",
        false => "SUSPENDED",
    };
    heading.extend(["REVISION", between, "READY", "MESSAGE"]);
    heading
}

fn row(kind: Kind, object: &DynamicObject, which: &Which, with_kind: bool) -> Vec<String> {
    let name = object.metadata.name.clone().unwrap_or_default();
    let mut row = vec![];
    if which.all_namespaces {
        row.push(object.metadata.namespace.clone().unwrap_or_default());
    }
    row.push(if with_kind {
        format!("{}/{name}", kind.lower())
    } else {
        name
    });
    if which.show_source {
        let own = object.metadata.namespace.as_deref();
        row.push(source(object, own.unwrap_or_default()));
    }
    let revision =
        text(object, "/status/artifact/revision").or_else(|| text(object, "/status/lastAppliedRevision"));
    let revision = revision.unwrap_or_default();
    row.push(if kind.kind == "HelmChart" {
        revision.to_owned()
    } else {
        table::shorten(revision)
    });
    row.push(match (is_external(kind), is_suspended(object)) {
        (true, _) => source(object, ""),
        (false, true) => "True".to_owned(),
        (false, false) => "False".to_owned(),
    });
    let (ready, message) = ready(kind, object);
    row.extend([ready, table::shorten(&message)]);
    row
}

/// The source that an object names; `own` is the namespace of one without.
fn source(object: &DynamicObject, own: &str) -> String {
    let named = |field: &str| text(object, &format!("/spec/sourceRef/{field}"));
    match (named("kind"), named("name")) {
        (Some(kind), Some(name)) => format!("{kind}/{}/{name}", named("namespace").unwrap_or(own)),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn which() -> Which {
        Which {
            name: None,
            all_namespaces: true,
            no_header: false,
            watch: false,
            label_selector: None,
            status_selector: None,
            show_source: false,
        }
    }

    fn object(value: serde_json::Value) -> DynamicObject {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_table_with_a_new_and_a_ready_object() {
        let objects = [
            object(json!({"metadata": {"name": "apps", "namespace": "flux-system"}})),
            object(
                json!({"metadata": {"name": "infra", "namespace": "flux-system"}, "spec": {"suspend": true},
                "status": {"lastAppliedRevision": "main@sha1:696f056df216eea4f9401adbee0ff744d4df390f",
                    "conditions": [{"type": "Ready", "status": "True", "message": "Applied revision: main@sha1:696f056df216eea4f9401adbee0ff744d4df390f"}]}}),
            ),
        ];
        expect![[r#"
            NAMESPACE  	NAME 	REVISION          	SUSPENDED	READY	MESSAGE                             	
            flux-system	apps 	                  	False    	False	waiting to be reconciled            	
            flux-system	infra	main@sha1:696f056d	True     	True 	Applied revision: main@sha1:696f056d	
        "#]]
        .assert_eq(&show(kinds::KUSTOMIZATION, &objects, &which(), false));
    }

    #[test]
    fn what_others_make_is_shown_with_its_maker() {
        let objects = [
            object(json!({"metadata": {"name": "app", "namespace": "team"},
                "spec": {"sourceRef": {"apiVersion": "source.extensions.fluxcd.io/v1beta1", "kind": "ArtifactGenerator",
                    "name": "parts", "namespace": "team"}},
                "status": {"artifact": {"revision": "latest@sha256:35d47c9db0eee6ffe08a404dfb416bee31b2b79eabc3f2eb26749163ce487f52"},
                    "conditions": [{"type": "Ready", "status": "True", "message": "Artifact is ready"}]}})),
            object(json!({"metadata": {"name": "new", "namespace": "team"}})),
        ];
        let mut which = which();
        expect![[r#"
            NAMESPACE	NAME                	REVISION              	SOURCE                      	READY	MESSAGE                 	
            team     	externalartifact/app	latest@sha256:35d47c9d	ArtifactGenerator/team/parts	True 	Artifact is ready       	
            team     	externalartifact/new	                      	                            	False	waiting to be reconciled	

        "#]]
        .assert_eq(&one_of_several(kinds::EXTERNAL_ARTIFACT, &objects, &which));
        which.all_namespaces = false;
        let alone = show(kinds::EXTERNAL_ARTIFACT, &objects, &which, false);
        assert!(alone.starts_with("NAME\tREVISION"), "{alone}");
        assert_eq!(kinds::SOURCES.last().unwrap().kind, "ExternalArtifact");
    }

    #[test]
    fn among_others_a_kind_without_selected_objects_has_no_table() {
        let new = [object(json!({"metadata": {"name": "apps", "namespace": "team"}}))];
        let mut which = which();
        assert_eq!(
            one_of_several(kinds::KUSTOMIZATION, &new, &which).lines().count(),
            3
        );
        which.status_selector = Some("ready=true".parse().unwrap());
        assert_eq!(one_of_several(kinds::KUSTOMIZATION, &new, &which), "");
    }

    #[test]
    fn what_is_not_there_is_told_as_flux_tells_it() {
        let mut which = which();
        let told = |which: &Which| nothing(kinds::BUCKET, which, "team");
        assert_eq!(told(&which), "no Bucket objects found in any namespace");
        which.all_namespaces = false;
        which.name = Some("apps".to_owned());
        assert_eq!(
            told(&which),
            "Bucket object 'apps' not found in \"team\" namespace"
        );
    }

    #[test]
    fn status_selectors() {
        let ready =
            object(json!({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
        let new = object(json!({"metadata": {}}));
        for (selector, of_ready, of_new) in [
            ("ready=true", true, false),
            ("READY=True", true, false),
            ("Ready!=True", false, true),
            ("stalled=true", false, false),
        ] {
            let read: StatusSelector = selector.parse().unwrap();
            let selects = |object| read.selects(kinds::KUSTOMIZATION, object);
            assert_eq!((selects(&ready), selects(&new)), (of_ready, of_new), "{selector}");
        }
        let told = "bogus".parse::<StatusSelector>().unwrap_err();
        assert!(told.ends_with("but found: bogus"), "{told}");
    }

    #[test]
    fn what_only_names_a_registry_is_ready() {
        let repository = object(json!({"metadata": {"name": "a"}, "spec": {"type": "oci"}}));
        let row = row(kinds::HELM_REPOSITORY, &repository, &which(), false);
        assert_eq!(row.last().unwrap(), "Helm repository is Ready");
        let ready: StatusSelector = "ready=true".parse().unwrap();
        assert!(ready.selects(kinds::HELM_REPOSITORY, &repository));
    }
}
