//! What all kinds of sources have in common (compat/source.md 2): one frame, and what it offers to a kind.
//!
//! ```text
//! finalizer ─▶ suspended? ─▶ storage ─▶ SourceKind::attempt ─▶ conditions, events, status ─▶ Park
//! ```
//!
//! A further kind is one file beside this folder that implements [`SourceKind`], and says nothing but what is its own:
//! what it asks of whom, and what its artifact is made of.

mod frame;
mod pass;
mod report;
mod secrets;
mod signature;
mod storage;
mod trouble;
mod upkeep;

pub use frame::SourceReconciler;
pub(super) use pass::Pass;
pub(super) use secrets::{Missing, read_as, secret, service_account, values};
pub(super) use signature::{Verifier, provider_of};
use storage::Shelf;
pub(super) use trouble::Trouble;

use crate::runtime::Kind;
use sluice_api::source::{RegistryProvider, Source};
use sluice_api::{Reason, reason};
use sluice_artifact::store;
use sluice_source::credential::cloud::Cloud;

/// What the flags of Flux's source-controller set.
#[derive(Clone, Debug)]
pub struct SourceSettings {
    /// `--storage-adv-addr`: host and port, or a prefix with a scheme, of the URLs of artifacts.
    pub advertised_address: String,
    /// `--artifact-retention-ttl` and `--artifact-retention-records`.
    pub retention: store::Retention,
}

/// Whose registry `spec.provider` says it is; none for one that no cloud knows us at.
pub(super) fn registry_cloud(provider: RegistryProvider) -> Option<Cloud> {
    match provider {
        RegistryProvider::Generic => None,
        RegistryProvider::Aws => Some(Cloud::Aws),
        RegistryProvider::Azure => Some(Cloud::Azure),
        RegistryProvider::Gcp => Some(Cloud::Gcp),
    }
}

/// How a pass ended well.
pub(super) enum Done {
    /// The remote has what is stored.
    Unchanged {
        /// What an event says of the end of failures.
        told: String,
        /// What those hear who asked for the pass.
        trace: (Reason, String),
    },
    /// Something was fetched and is the artifact now.
    Stored {
        /// What an event says of it.
        told: String,
    },
}

impl Done {
    /// The remote has what is stored, in the words that most kinds have for it.
    pub(super) fn up_to_date(told: String, revision: &str) -> Self {
        let trace = (reason::ARTIFACT_UP_TO_DATE, up_to_date(revision));
        Self::Unchanged { told, trace }
    }
}

fn up_to_date(revision: &str) -> String {
    format!("artifact up-to-date with remote revision: '{revision}'")
}

/// What one kind of source does that no other does.
pub(super) trait SourceKind: Send + Sync + 'static {
    /// The custom resource.
    type Object: Source;

    /// The same for the runtime.
    const KIND: &'static Kind;

    /// The file that always leads to the newest artifact, whose URL is `status.url`.
    const LATEST: Option<&'static str>;

    /// Whether the object is no more than an address for others: nothing is fetched, and nothing said of it.
    fn is_static(_object: &Self::Object) -> bool {
        false
    }

    /// What `ArtifactInStorage`, and so Ready, says of an artifact of this revision.
    fn stored(revision: &str) -> String;

    /// Looks at the remote and, where it has something new, makes it the artifact ([`Pass::store`]).
    fn attempt(
        &self,
        pass: &mut Pass<'_, Self::Object>,
    ) -> impl Future<Output = Result<Done, Trouble>> + Send;
}
