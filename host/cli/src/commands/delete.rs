//! `sluice delete`: deletes an object (compat: cli, section 8).

use super::within;
use crate::args::Global;
use crate::confirm::confirm_or_abort;
use crate::subject::{self, OfKind};
use crate::tell;
use anyhow::{Result, bail};
use clap::Args;
use kube::api::DeleteParams;

#[derive(Args, Debug)]
pub(crate) struct Delete {
    /// The name of the object
    #[arg(value_parser = crate::args::name)]
    name: Option<String>,
    /// Do not ask whether it shall be deleted
    #[arg(short, long)]
    silent: bool,
}

pub(crate) async fn run(delete: OfKind<Delete>, global: &Global) -> Result<()> {
    let (kind, Delete { name, silent }) = delete.split();
    let human = kind.human();
    let Some(name) = name else {
        bail!("{human} name is required");
    };
    let api = subject::api(&global.connect.client().await?, kind, global);
    // nobody is asked about what is not there
    within(global.timeout, async {
        api.get(&name).await.map_err(|error| kind.explain(error))
    })
    .await?;
    if !silent {
        confirm_or_abort(&format!("Are you sure you want to delete this {human}"))?;
    }
    let namespace = &global.namespace;
    tell::action(&format!("deleting {human} {name} in {namespace} namespace"));
    within(global.timeout, async {
        let _deleted = api.delete(&name, &DeleteParams::default()).await?;
        Ok(())
    })
    .await?;
    tell::success(&format!("{human} deleted"));
    Ok(())
}
