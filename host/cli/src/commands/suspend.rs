//! `sluice suspend`: switches the reconciliation of objects off (compat: cli, section 8).

use crate::args::Global;
use crate::kinds::Kind;
use crate::subject::{self, Chosen, Names, OfKind};
use crate::tell;
use anyhow::{Result, bail};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;

pub(crate) async fn run(suspend: OfKind<Names>, global: &Global) -> Result<()> {
    let (kind, names) = suspend.split();
    let chosen = names.chosen(kind)?;
    let api = subject::api(&global.connect.client().await?, kind, global);
    let namespace = &global.namespace;
    let named = match chosen {
        Chosen::Named(named) => named,
        Chosen::All => {
            let found = suspend_found(kind, &api, None, namespace).await;
            if found.map_err(|error| kind.explain(error))? == 0 {
                bail!("no objects found");
            }
            return Ok(());
        }
    };
    // as in Flux, one that fails is told and the others go on: the end is a good one then too
    for name in &named {
        match suspend_found(kind, &api, Some(name), namespace).await {
            Ok(0) => tell::failure(&format!(
                "{} {name} not found in {namespace} namespace",
                kind.kind
            )),
            Ok(_) => {}
            Err(error) => {
                let why = tell::whole(kind.explain(error).as_ref());
                let kind = kind.kind;
                tell::failure(&format!(
                    "failed suspending {kind} {name} in {namespace} namespace: {why}"
                ));
            }
        }
    }
    Ok(())
}

/// Suspends the object of that name, or all; how many there are.
async fn suspend_found(
    kind: Kind,
    api: &Api<DynamicObject>,
    name: Option<&str>,
    namespace: &str,
) -> kube::Result<usize> {
    let objects = subject::list(api, name, None).await?;
    let human = kind.human();
    for object in &objects {
        let name = object.name_any();
        tell::action(&format!("suspending {human} {name} in {namespace} namespace"));
        let patch = json!({"spec": {"suspend": true}});
        api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        tell::success(&format!("{human} suspended"));
    }
    Ok(objects.len())
}
