//! `sluice get`: tables as `flux get` prints them (compat: cli, section 9).

use crate::args::Global;
use crate::changes::changes;
use crate::kinds::{self, Kind, condition, is_suspended, text};
use crate::table;
use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use futures::TryStreamExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::runtime::watcher;
use std::pin::pin;

#[derive(Subcommand, Debug)]
pub(crate) enum Get {
    /// Sources
    #[command(subcommand, visible_alias = "source")]
    Sources(Sources),
    /// Kustomizations
    #[command(visible_aliases = ["kustomization", "ks"])]
    Kustomizations(Which),
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
    status_selector: Option<String>,
    /// Show the source of each object
    #[arg(long)]
    show_source: bool,
}

pub(crate) async fn run(get: Get, global: &Global) -> Result<()> {
    match get {
        Get::Sources(Sources::Git(which)) => one(kinds::GIT_REPOSITORY, &which, global).await,
        Get::Sources(Sources::Oci(which)) => one(kinds::OCI_REPOSITORY, &which, global).await,
        Get::Sources(Sources::Bucket(which)) => one(kinds::BUCKET, &which, global).await,
        Get::Sources(Sources::Helm(which)) => one(kinds::HELM_REPOSITORY, &which, global).await,
        Get::Sources(Sources::Chart(which)) => one(kinds::HELM_CHART, &which, global).await,
        Get::Sources(Sources::All(which)) => all(kinds::SOURCES, &which, global).await,
        Get::Kustomizations(which) => one(kinds::KUSTOMIZATION, &which, global).await,
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
    let api = api(kind, which, global).await?;
    if which.watch {
        return watch(kind, api, which).await;
    }
    let objects = list(&api, which).await?;
    if objects.is_empty() {
        let scope = if which.all_namespaces {
            "any".to_owned()
        } else {
            format!("\"{}\"", global.namespace)
        };
        match &which.name {
            Some(name) => bail!("{} object '{name}' not found in {scope} namespace", kind.kind),
            None => bail!("no {} objects found in {scope} namespace", kind.kind),
        }
    }
    print!("{}", show(kind, &objects, which, false));
    Ok(())
}

/// Several kinds, one table each; a kind that is not installed is passed over.
async fn all(every: &[Kind], which: &Which, global: &Global) -> Result<()> {
    let mut found = false;
    for kind in every {
        let objects = match list(&api(*kind, which, global).await?, which).await {
            Ok(objects) => objects,
            Err(kube::Error::Api(status)) if status.code == 404 => continue,
            Err(error) => return Err(error.into()),
        };
        if !objects.is_empty() {
            found = true;
            println!("{}", show(*kind, &objects, which, true));
        }
    }
    if !found {
        let scope = if which.all_namespaces {
            "any".to_owned()
        } else {
            format!("\"{}\"", global.namespace)
        };
        bail!("no objects found in {scope} namespace");
    }
    Ok(())
}

async fn api(kind: Kind, which: &Which, global: &Global) -> Result<Api<DynamicObject>> {
    let client = global.connect.client().await?;
    Ok(if which.all_namespaces {
        Api::all_with(client, &kind.api())
    } else {
        Api::namespaced_with(client, &global.namespace, &kind.api())
    })
}

async fn list(api: &Api<DynamicObject>, which: &Which) -> kube::Result<Vec<DynamicObject>> {
    let mut params = ListParams::default();
    if let Some(selector) = &which.label_selector {
        params = params.labels(selector);
    }
    if let Some(name) = &which.name {
        params = params.fields(&format!("metadata.name={name}"));
    }
    let objects = api.list(&params).await?.items;
    Ok(objects
        .into_iter()
        .filter(|object| selected(object, which.status_selector.as_deref()))
        .collect())
}

/// `type=status` and `type!=status`, both without regard to case; a missing condition never equals.
fn selected(object: &DynamicObject, selector: Option<&str>) -> bool {
    let Some(selector) = selector else { return true };
    let (of, wanted, equal) = match selector.split_once("!=") {
        Some((of, wanted)) => (of, wanted, false),
        None => match selector.split_once('=') {
            Some((of, wanted)) => (of, wanted, true),
            None => return true,
        },
    };
    let mut letters = of.chars();
    let titled: String = letters
        .next()
        .map(|c| c.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect();
    let status = condition(object, &titled).map(|(status, _)| status);
    status.is_some_and(|status| status.eq_ignore_ascii_case(wanted)) == equal
}

async fn watch(kind: Kind, api: Api<DynamicObject>, which: &Which) -> Result<()> {
    let mut config = watcher::Config::default();
    config.label_selector.clone_from(&which.label_selector);
    config.field_selector = which.name.as_ref().map(|name| format!("metadata.name={name}"));
    let mut changes = pin!(changes(api, config));
    let mut first = !which.no_header;
    while let Some(object) = changes.try_next().await? {
        if selected(&object, which.status_selector.as_deref()) {
            let heading = std::mem::take(&mut first);
            print!(
                "{}",
                table::render(&heading_of(which), &[row(kind, &object, which, false)], heading)
            );
        }
    }
    Ok(())
}

fn show(kind: Kind, objects: &[DynamicObject], which: &Which, with_kind: bool) -> String {
    let rows: Vec<_> = objects
        .iter()
        .map(|object| row(kind, object, which, with_kind))
        .collect();
    table::render(&heading_of(which), &rows, !which.no_header)
}

fn heading_of(which: &Which) -> Vec<&'static str> {
    let mut heading = vec![];
    if which.all_namespaces {
        heading.push("NAMESPACE");
    }
    heading.push("NAME");
    if which.show_source {
        heading.push("SOURCE");
    }
    heading.extend(["REVISION", "SUSPENDED", "READY", "MESSAGE"]);
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
        row.push(source(object));
    }
    let revision =
        text(object, "/status/artifact/revision").or_else(|| text(object, "/status/lastAppliedRevision"));
    let revision = revision.unwrap_or_default();
    row.push(if kind.kind == "HelmChart" {
        revision.to_owned()
    } else {
        table::shorten(revision)
    });
    row.push(if is_suspended(object) { "True" } else { "False" }.to_owned());
    let (ready, message) = condition(object, "Ready").unwrap_or(("False", "waiting to be reconciled"));
    row.extend([ready.to_owned(), table::shorten(message)]);
    row
}

fn source(object: &DynamicObject) -> String {
    let own = object.metadata.namespace.clone().unwrap_or_default();
    match (
        text(object, "/spec/sourceRef/kind"),
        text(object, "/spec/sourceRef/name"),
    ) {
        (Some(kind), Some(name)) => {
            format!(
                "{kind}/{}/{name}",
                text(object, "/spec/sourceRef/namespace").unwrap_or(&own)
            )
        }
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
    fn status_selectors() {
        let ready =
            object(json!({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}));
        let new = object(json!({"metadata": {}}));
        for (selector, of_ready, of_new) in [
            ("ready=true", true, false),
            ("Ready!=True", false, true),
            ("stalled=true", false, false),
        ] {
            assert_eq!(
                (selected(&ready, Some(selector)), selected(&new, Some(selector))),
                (of_ready, of_new),
                "{selector}"
            );
        }
    }
}
