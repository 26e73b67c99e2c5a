//! OCIRepository: credentials → resolve → verify → pull → store (compat/source.md section 6). The rest is the frame's.

mod request;
mod verify;

use super::source::{Done, Pass, SourceKind, SourceReconciler, SourceSettings, Trouble};
use crate::runtime::{Kind, OCI_REPOSITORY};
use sluice_api::source::{LayerSelector, OciRepositorySpec, OciRepositoryStatus};
use sluice_api::{OciRepository, meta};
use sluice_artifact::Store;
use sluice_source::OciFetcher;
use sluice_source::credential::cloud::Clouds;
use sluice_source::oci::{Layer, LayerOperation, OciReference, Resolved};
use std::collections::BTreeMap;

/// What is a registry's own in reconciling a source.
pub struct OciRepositories {
    fetcher: OciFetcher,
    clouds: Clouds,
}

/// Reconciles OCIRepositories.
pub type OciRepositoryReconciler = SourceReconciler<OciRepositories>;

impl OciRepositories {
    /// Fetches with `fetcher` into `store`; `clouds` know who this controller is to the registries of clouds.
    pub fn reconciler(
        fetcher: OciFetcher,
        clouds: Clouds,
        store: Store,
        settings: SourceSettings,
    ) -> OciRepositoryReconciler {
        SourceReconciler::new(Self { fetcher, clouds }, store, settings)
    }
}

impl SourceKind for OciRepositories {
    type Object = OciRepository;
    const KIND: &'static Kind = &OCI_REPOSITORY;
    const LATEST: Option<&'static str> = Some("latest.tar.gz");

    fn stored(revision: &str) -> String {
        format!("stored artifact for digest '{revision}'")
    }

    async fn attempt(&self, pass: &mut Pass<'_, OciRepository>) -> Result<Done, Trouble> {
        let spec = &pass.object.spec;
        let request = request::of(pass, &self.clouds, self.fetcher.addresses()).await?;
        let repository = self
            .fetcher
            .repository(&request)
            .map_err(|error| Trouble::of(&error))?;
        let (wanted, layer) = (reference(spec), layer(spec));
        let has_stored = pass.stored_revision().is_some();
        let resolving = repository.resolve(&spec.url, &wanted, layer.media_type.as_deref(), has_stored);
        let mut resolved = pass.fetch(resolving).await?;
        let is_new = pass.stored_revision() != Some(resolved.revision.as_str());
        if is_new {
            let (revision, reference) = (&resolved.revision, &resolved.reference);
            pass.report
                .outdated(&format!("new revision '{revision}' for '{reference}'"));
        }
        verify::verify(pass, &repository, &mut resolved, is_new).await?;
        if !is_new && is_content_as_observed(&pass.report.status, spec) {
            // the same selector may be written otherwise now
            observe(&mut pass.report.status, spec);
            return Ok(unchanged(pass, &resolved));
        }
        let pulled = pass.fetch(repository.pull(&spec.url, &resolved, &layer)).await?;
        let metadata = pulled.annotations.clone();
        let told = told(&spec.url, &resolved.revision, &metadata);
        let (operation, ignore) = (operation(spec), spec.ignore.clone());
        let write = move |store: &Store, path: &_| pulled.store(operation, ignore.as_deref(), store, path);
        let file = format!("{}.tar.gz", resolved.digest);
        pass.store(&file, metadata, write).await?;
        observe(&mut pass.report.status, spec);
        Ok(Done::Stored { told })
    }
}

fn unchanged(pass: &Pass<'_, OciRepository>, resolved: &Resolved) -> Done {
    let revision = &resolved.revision;
    let artifact = pass.report.status.artifact.as_ref();
    let metadata = artifact
        .map(|artifact| artifact.metadata.clone())
        .unwrap_or_default();
    Done::up_to_date(told(&pass.object.spec.url, revision, &metadata), revision)
}

/// compat/source.md 12.2.
fn told(url: &str, revision: &str, metadata: &BTreeMap<String, String>) -> String {
    let origin = match (metadata.get(meta::OCI_SOURCE), metadata.get(meta::OCI_REVISION)) {
        (Some(source), Some(revision)) => {
            format!(", origin source '{source}', origin revision '{revision}'")
        }
        _ => String::new(),
    };
    format!("stored artifact with revision '{revision}' from '{url}'{origin}")
}

fn reference(spec: &OciRepositorySpec) -> OciReference {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let reference = spec.reference.clone().unwrap_or_default();
    OciReference {
        digest: given(reference.digest),
        semver: given(reference.semver),
        semver_filter: given(reference.semver_filter),
        tag: given(reference.tag),
    }
}

fn layer(spec: &OciRepositorySpec) -> Layer {
    let selector = spec.layer_selector.clone().unwrap_or_default();
    let media_type = selector.media_type.filter(|media_type| !media_type.is_empty());
    Layer { media_type }
}

fn operation(spec: &OciRepositorySpec) -> LayerOperation {
    use sluice_api::source::LayerOperation as Wish;
    match spec
        .layer_selector
        .as_ref()
        .and_then(|selector| selector.operation)
    {
        Some(Wish::Copy) => LayerOperation::Copy,
        Some(Wish::Extract) | None => LayerOperation::Extract,
    }
}

/// Whether the artifact was made with what the spec says of its content: absent and empty rules differ, as in Flux.
fn is_content_as_observed(status: &OciRepositoryStatus, spec: &OciRepositorySpec) -> bool {
    let layers = |selector: &Option<LayerSelector>| {
        let selector = selector.clone().unwrap_or_default();
        (
            selector.media_type.unwrap_or_default(),
            selector.operation.unwrap_or_default(),
        )
    };
    status.artifact.is_some()
        && status.observed_ignore == spec.ignore
        && layers(&status.observed_layer_selector) == layers(&spec.layer_selector)
}

fn observe(status: &mut OciRepositoryStatus, spec: &OciRepositorySpec) {
    status.observed_ignore.clone_from(&spec.ignore);
    status.observed_layer_selector.clone_from(&spec.layer_selector);
}
