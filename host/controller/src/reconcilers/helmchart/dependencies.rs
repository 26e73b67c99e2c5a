//! Subcharts from repositories: those of the HelmRepositories in the chart's namespace, with their credentials; other
//! addresses without any (compat/source.md 8.5).

use super::Services;
use super::origin::stored;
use super::place::{Index, Place};
use crate::reconcilers::source::{Pass, Trouble};
use crate::runtime::{HELM_REPOSITORY, Run};
use serde_json::Value;
use sluice_api::source::{HelmRepositorySpec, RegistryProvider};
use sluice_api::{HelmChart, HelmRepository, decode};
use sluice_source::helm::chart::{BuildError, BuildReason, Dependency, normalize_url};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version and archive of each dependency.
type Archives = Vec<(String, Vec<u8>)>;

pub(super) async fn bring(
    pass: &mut Pass<'_, HelmChart>,
    services: &Services,
    wanted: &[Dependency],
) -> Result<Result<Archives, BuildError>, Trouble> {
    let mut places: BTreeMap<String, Place> = BTreeMap::new();
    let mut archives = Archives::new();
    for dependency in wanted {
        let work = one(pass.run, services, &mut places, dependency);
        match pass.patiently(work).await? {
            Ok(archive) => archives.push(archive),
            Err(cause) => {
                let name = dependency.known_as();
                let text = format!("failed to add remote dependency '{name}': {cause}");
                return Ok(Err(BuildReason::Dependency.because(text)));
            }
        }
    }
    Ok(Ok(archives))
}

async fn one(
    run: &Run,
    services: &Services,
    places: &mut BTreeMap<String, Place>,
    dependency: &Dependency,
) -> Result<(String, Vec<u8>), String> {
    let Dependency {
        name,
        version,
        repository,
        ..
    } = dependency;
    let url = address(repository)?;
    let place = match places.get_mut(&url) {
        Some(place) => place,
        None => {
            let found = place(run, services, &url).await?;
            places.entry(url).or_insert(found)
        }
    };
    let found = place.version(services, name, version).await.map_err(|problem| {
        let cause = problem.text;
        format!("failed to get chart '{name}' version '{version}' from '{repository}': {cause}")
    })?;
    let archive = place.bring(services, &found).await.map_err(|problem| {
        let cause = problem.text;
        format!("chart download of version '{}' failed: {cause}", found.version)
    })?;
    Ok((found.version, archive))
}

/// The address of a repository as addresses are compared.
fn address(repository: &str) -> Result<String, String> {
    let (scheme, rest) = repository.split_once("://").unwrap_or(("", repository));
    if ["http", "https", "oci"]
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
    {
        return normalize_url(repository);
    }
    let what = match repository.starts_with('@') {
        true => "aliased repository dependency is not supported",
        false => "invalid dependency repository URL",
    };
    // as Flux shows it: only what begins with a scheme and no slashes gets none at its end
    let shown = match scheme.is_empty() && rest.contains(':') {
        true => repository.to_owned(),
        false => format!("{}/", repository.trim_end_matches('/')),
    };
    Err(format!("{what}: {shown} (write the address of the repository)"))
}

/// The place at an address: that of the first HelmRepository of the namespace that has it, or the address itself.
async fn place(run: &Run, services: &Services, url: &str) -> Result<Place, String> {
    let failed = |cause: String| format!("failed to get chart repository for URL '{url}': {cause}");
    let (spec, index) = match find(run, url) {
        None => (anonymous(url), Index::Remote),
        Some((spec, object)) => {
            let stored = stored(&object, &services.store).await;
            (
                spec,
                stored.map_or(Index::Remote, |(path, _)| Index::Stored(path)),
            )
        }
    };
    let place = Place::of(run, services, &spec, index).await;
    place.map_err(|failure| failed(failure.message))
}

fn find(run: &Run, url: &str) -> Option<(HelmRepositorySpec, Arc<Value>)> {
    let keys = run.cx.store.keys(HELM_REPOSITORY.kind).into_iter();
    keys.filter(|key| key.namespace == run.key.namespace)
        .find_map(|key| {
            let object = run.cx.store.get(&key)?;
            let repository: HelmRepository = decode(&object).ok()?;
            (normalize_url(&repository.spec.url).ok()? == url).then_some((repository.spec, object))
        })
}

/// A repository that no object speaks of.
fn anonymous(url: &str) -> HelmRepositorySpec {
    HelmRepositorySpec {
        url: url.to_owned(),
        secret_ref: None,
        cert_secret_ref: None,
        pass_credentials: false,
        interval: None,
        insecure: false,
        timeout: None,
        suspend: false,
        access_from: None,
        type_: None,
        provider: RegistryProvider::Generic,
    }
}
