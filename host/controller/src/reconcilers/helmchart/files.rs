//! A chart among the files of a GitRepository or a Bucket (compat/source.md 8.5).

use super::{Services, blocking, dependencies, recipe, trouble};
use crate::error_policy::Failure;
use crate::reconcilers::source::{Pass, Trouble};
use sluice_api::{HelmChart, reason};
use sluice_artifact::ArtifactPath;
use sluice_source::helm::chart::{Built, Local, from_source};

pub(super) async fn build(
    pass: &mut Pass<'_, HelmChart>,
    services: &Services,
    path: ArtifactPath,
    revision: Option<String>,
) -> Result<Built, Trouble> {
    let tree = services.store.tree(&path).map_err(|error| {
        let message = format!("failed to open source artifact: {error}");
        Trouble::Unknown(Failure::retry(reason::FAILED, message))
    })?;
    let recipe = recipe(pass, revision);
    let (chart, limits) = (pass.object.spec.chart.clone(), services.limits());
    let work = move || from_source(&tree, &chart, &recipe, limits);
    let open = match blocking(pass, work).await? {
        Local::Built(built) => return Ok(built),
        Local::Open(open) => open,
    };
    let archives = dependencies::bring(pass, services, &open.wanted).await?;
    let archives = archives.map_err(|error| trouble(pass, &error))?;
    blocking(pass, move || open.close(archives)).await
}
