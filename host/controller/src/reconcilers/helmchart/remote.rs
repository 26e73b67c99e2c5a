//! A chart of a HelmRepository (compat/source.md 8.3, 8.8).

use super::place::{Index, Place, Problem, ProblemKind};
use super::{Services, blocking, recipe, trouble};
use crate::error_policy::Failure;
use crate::reconcilers::helmrepository::request;
use crate::reconcilers::source::{Pass, Trouble, Verifier, provider_of};
use sluice_api::source::{HelmRepositorySpec, HelmRepositoryType, Verification};
use sluice_api::{HelmChart, reason};
use sluice_artifact::ArtifactPath;
use sluice_source::helm::ChartVersion;
use sluice_source::helm::chart::{BuildError, BuildReason, Built, Recipe, from_archive, normalize_url};
use sluice_source::oci::{Repository, Resolved};
use sluice_source::verify::Verdict;
use std::time::Duration;

pub(super) async fn build(
    pass: &mut Pass<'_, HelmChart>,
    services: &Services,
    spec: Box<HelmRepositorySpec>,
    index: Option<ArtifactPath>,
) -> Result<Built, Trouble> {
    let is_registry = spec.type_ == Some(HelmRepositoryType::Oci);
    if is_registry && !spec.url.starts_with("oci://") {
        let url = normalize_url(&spec.url).unwrap_or_else(|_| spec.url.clone());
        let message = format!("failed to construct Helm client: invalid OCI registry URL: {url}");
        return Err(Trouble::Unknown(Failure::stall(reason::FAILED, message)));
    }
    let index = index.map_or(Index::Remote, Index::Stored);
    let mut place = Place::of(pass.run, services, &spec, index)
        .await
        .map_err(Trouble::Unknown)?;
    let chart = pass.object.spec.chart.clone();
    let wish = pass.object.spec.version.clone();
    let verifier = verifier(pass, is_registry).await?;
    check_name(&chart).map_err(|text| trouble(pass, &BuildReason::Reference.because(text)))?;
    let found = pass.patiently(place.version(services, &chart, &wish)).await?;
    let version = found.map_err(|problem| {
        let problem = problem.prefixed("failed to get chart version for remote reference");
        of_problem(pass, problem)
    })?;
    let verified = match verifier {
        None => None,
        Some(verifier) => {
            let timeout = request::timeout(&spec);
            Some(verify(pass, services, &place, timeout, &version, &verifier).await?)
        }
    };
    let is_signed = matches!(verified, Some((_, _, Verdict::Verified)));
    let recipe = Recipe {
        signed_as: is_signed.then(|| version.version.clone()),
        ..recipe(pass, None)
    };
    // an index may list a chart under another name than its own
    let chart = version.name.clone();
    let looked = recipe.look(&chart, &version.version);
    let full = match looked.map_err(|error| trouble(pass, &error))? {
        Ok(built) => {
            say_verified(pass, verified.as_ref(), &built.version);
            return Ok(built);
        }
        Err(full) => full,
    };
    let archive = match &verified {
        // the very bytes whose signature was looked at
        Some((repository, resolved, _)) => {
            let pulling = place.pull(services, &version, repository, resolved);
            pass.patiently(pulling).await?
        }
        None => pass.patiently(place.bring(services, &version)).await?,
    };
    let archive = archive.map_err(|problem| {
        let problem = problem.prefixed("failed to download chart for remote reference");
        of_problem(pass, problem)
    })?;
    let limits = services.limits();
    let work = move || from_archive(archive, (&chart, full), &recipe, limits);
    let built = blocking(pass, work).await?;
    say_verified(pass, verified.as_ref(), &built.version);
    Ok(built)
}

/// A name that can be one in a repository: Flux's pattern, `^([-a-z0-9]+/?\.?)+$`, without the time that it may take.
fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("no name set for remote chart reference".to_owned());
    }
    let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let mut rest = name;
    while !rest.is_empty() {
        let after = rest.trim_start_matches(is_letter);
        if after.len() == rest.len() {
            return Err(format!(
                "invalid chart name '{name}': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)"
            ));
        }
        let after = after.strip_prefix('/').unwrap_or(after);
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    Ok(())
}

/// What a problem of a place means for the chart.
fn of_problem(pass: &mut Pass<'_, HelmChart>, problem: Problem) -> Trouble {
    let reason = match problem.kind {
        ProblemKind::Reference => BuildReason::Reference,
        ProblemKind::Authentication | ProblemKind::External => BuildReason::Pull,
    };
    let error = reason.because(&problem.text);
    if problem.kind == ProblemKind::Authentication {
        let message = format!("failed to authenticate with the Helm repository: {error}");
        return Trouble::Unknown(Failure::retry(reason::AUTHENTICATION_FAILED, message));
    }
    let mut trouble = trouble(pass, &error);
    if let Trouble::Failed { failure, .. } = &mut trouble {
        *failure = failure.clone().left_alone(problem.after);
    }
    trouble
}

/// Who looks at signatures, where the chart asks for it.
async fn verifier(pass: &mut Pass<'_, HelmChart>, is_registry: bool) -> Result<Option<Verifier>, Trouble> {
    let Some(wanted) = pass.object.spec.verification.clone().map(Verification::from) else {
        return Ok(None);
    };
    if !is_registry {
        let error: BuildError = BuildReason::Verification.because(
            "not implemented (only charts of a HelmRepository of type oci can be verified: remove spec.verify or use one)",
        );
        return Err(trouble(pass, &error));
    }
    let verifier = Verifier::of(pass.run, &wanted, &pass.run.key.name).await;
    verifier.map(Some).map_err(|error| {
        let provider = provider_of(&wanted);
        let message = format!("failed to verify the signature using provider '{provider}': {error}");
        pass.report.unverified(&message);
        Trouble::Unknown(Failure::retry(reason::VERIFICATION_ERROR, message))
    })
}

/// What was verified, and how that ended.
type Verified = (Repository, Resolved, Verdict);

async fn verify(
    pass: &mut Pass<'_, HelmChart>,
    services: &Services,
    place: &Place,
    timeout: Duration,
    version: &ChartVersion,
    verifier: &Verifier,
) -> Result<Verified, Trouble> {
    let failed = |text: String| BuildReason::Verification.because(text);
    let resolved = pass.patiently(place.resolve(services, version)).await?;
    let (repository, resolved) = match resolved {
        Ok(resolved) => resolved,
        Err(problem) => {
            let at = version.urls.first().map_or("", String::as_str);
            let text = format!("failed to resolve digest for '{at}': {}", problem.text);
            return Err(trouble(pass, &failed(text)));
        }
    };
    // what is verified is what its digest names, whatever the tag says meanwhile
    let pinned = format!("oci://{}@{}", repository.name(), resolved.digest);
    match verifier
        .check(pass, &repository, &resolved.digest, timeout)
        .await?
    {
        Ok(verdict) => Ok((repository, resolved, verdict)),
        Err(cause) => {
            let text = format!("failed to verify {pinned}: {cause}");
            Err(trouble(pass, &failed(text)))
        }
    }
}

fn say_verified(pass: &mut Pass<'_, HelmChart>, verified: Option<&Verified>, version: &str) {
    match verified {
        Some((_, _, Verdict::Verified)) => {
            let message = format!("verified signature of version {version}");
            pass.report.verified(Some(&message));
        }
        // the policy lets it pass: then nothing is said of it
        Some((_, _, Verdict::Ignored)) | None => pass.report.verified(None),
    }
}

#[cfg(test)]
mod tests {
    use super::check_name;

    /// What source-controller takes for names.
    #[test]
    fn names_of_charts() {
        for name in [
            "nginx",
            "org/sub-charts/a.b",
            "a-1",
            "nginx/",
            "a/b",
            "a/.b",
            "a.b",
            "a.",
            "a/.",
            "-a",
            "a.-",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in [
            "", "Nginx", "a_b", "../a", "a/../b", "a//b", "a..b", ".a", "/a", "a?b", "a b", "a./b", "a/./b",
        ] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
