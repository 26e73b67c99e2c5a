//! `sluice resume`: switches the reconciliation of objects on again, and waits for it (compat: cli, section 8).

use super::until;
use crate::args::{Global, switch};
use crate::kinds::{Kind, is_suspended};
use crate::subject::{self, Chosen, Names, OfKind};
use crate::target::{Target, done};
use crate::tell;
use anyhow::{Context as _, Result, bail};
use clap::{ArgAction, Args};
use kube::ResourceExt as _;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use serde_json::json;
use tokio::time::Instant;

#[derive(Args, Debug)]
pub(crate) struct Resume {
    #[command(flatten)]
    names: Names,
    /// Wait for the reconciliation; where it is not said, one object is waited for and several are not
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, value_parser = switch, action = ArgAction::Set, value_name = "BOOL")]
    wait: Option<bool>,
}

pub(crate) async fn run(resume: OfKind<Resume>, global: &Global) -> Result<()> {
    let (kind, Resume { names, wait }) = resume.split();
    let is_waited_for = wait.unwrap_or(names.count() == 1);
    let chosen = names.chosen(kind)?;
    let client = global.connect.client().await?;
    let api = subject::api(&client, kind, global);
    let deadline = Instant::now() + global.timeout;
    let resumed = until(deadline, resume_chosen(kind, &api, chosen, &global.namespace)).await?;
    if !is_waited_for {
        return Ok(());
    }
    let waits = resumed.into_iter().map(|name| {
        let target = Target {
            client: client.clone(),
            kind,
            namespace: global.namespace.clone(),
            name,
        };
        async move {
            tell::waiting(&format!("waiting for {} reconciliation", kind.kind));
            let end = target.reconciled(deadline).await;
            (target.name, end.map(|object| done(kind, &object)))
        }
    });
    let mut ends = futures::future::join_all(waits).await;
    ends.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut failed = 0;
    for (name, end) in ends {
        let kind = kind.kind;
        match end {
            Ok(done) => {
                tell::success(&format!("{kind} {name} reconciliation completed"));
                tell::success(&done);
            }
            Err(error) => {
                failed += 1;
                let why = tell::whole(error.as_ref());
                tell::failure(&format!("{kind} {name} reconciliation failed: {why}"));
            }
        }
    }
    if failed > 0 {
        bail!("reconciliation failed for {failed} {}(s)", kind.kind);
    }
    Ok(())
}

/// Resumes what was chosen: the names of what there is of it.
async fn resume_chosen(
    kind: Kind,
    api: &Api<DynamicObject>,
    chosen: Chosen,
    namespace: &str,
) -> Result<Vec<String>> {
    let named = match chosen {
        Chosen::Named(named) => named,
        Chosen::All => {
            let found = resume_found(kind, api, None, namespace).await;
            let resumed = found
                .map_err(|error| kind.explain(error))
                .context("failed patching objects")?;
            if resumed.is_empty() {
                let kind = kind.kind;
                tell::failure(&format!("no {kind} objects found in {namespace} namespace"));
            }
            return Ok(resumed);
        }
    };
    let mut resumed = Vec::new();
    for name in &named {
        let found = resume_found(kind, api, Some(name), namespace).await;
        let found = found.map_err(|error| kind.explain(error))?;
        if found.is_empty() {
            let kind = kind.kind;
            tell::failure(&format!(
                "{kind} object '{name}' not found in {namespace} namespace"
            ));
        }
        resumed.extend(found);
    }
    Ok(resumed)
}

/// Resumes the object of that name, or all; their names.
async fn resume_found(
    kind: Kind,
    api: &Api<DynamicObject>,
    name: Option<&str>,
    namespace: &str,
) -> kube::Result<Vec<String>> {
    let human = kind.human();
    let mut resumed = Vec::new();
    for object in subject::list(api, name, None).await? {
        let name = object.name_any();
        tell::action(&format!("resuming {human} {name} in {namespace} namespace"));
        // a flag that is off is absent, and an object that is not suspended stays as it is
        let patch = match is_suspended(&object) {
            true => json!({"spec": {"suspend": null}}),
            false => json!({}),
        };
        api.patch(&name, &PatchParams::default(), &Patch::Merge(patch))
            .await?;
        tell::success(&format!("{human} resumed"));
        resumed.push(name);
    }
    Ok(resumed)
}
