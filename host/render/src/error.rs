use sluice_api::{Blame, Disposition, Next, Reason, reason};
use sluice_wasm::LoadError;

/// Why a build failed. The texts begin as Flux's do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `spec.path` names nothing in the artifact.
    #[error("kustomization path not found: stat {path}: {cause}")]
    PathNotFound {
        /// The path in the artifact.
        path: String,
        /// What is there instead.
        cause: String,
    },
    /// The kustomization file could not be made or merged.
    #[error("{0}")]
    Generate(String),
    /// The renderer failed, by its own words or by misbehaving.
    #[error("kustomize build failed: {0}")]
    Build(sluice_wasm::Error),
    /// The chart renderer failed, by its own words or by misbehaving.
    #[error("{0}")]
    Chart(sluice_wasm::Error),
    /// A transformer failed. Substitution says in its text what it was doing.
    #[error("{0}")]
    Transform(sluice_wasm::Error),
    /// A plugin of ours could not be loaded.
    #[error("{0}")]
    Load(#[from] LoadError),
}

impl Disposition for Error {
    fn reason(&self) -> Reason {
        match self {
            Self::PathNotFound { .. } => reason::ARTIFACT_FAILED,
            _ => reason::BUILD_FAILED,
        }
    }

    /// Flux tries a failed build again at its retry interval, whatever the cause.
    fn next(&self) -> Next {
        match self {
            Self::Build(error) | Self::Chart(error) | Self::Transform(error) if error.is_transient() => {
                Next::BackOff
            }
            _ => Next::Retry,
        }
    }

    /// A plugin that answers that it failed speaks about its input; one that traps speaks about itself.
    fn blame(&self) -> Blame {
        match self {
            Self::PathNotFound { .. } | Self::Generate(_) => Blame::User,
            Self::Build(sluice_wasm::Error::Failed { .. })
            | Self::Chart(sluice_wasm::Error::Failed { .. })
            | Self::Transform(sluice_wasm::Error::Failed { .. }) => Blame::User,
            Self::Build(error) | Self::Chart(error) | Self::Transform(error) => match error.blame() {
                sluice_wasm::Blame::Host => Blame::Host,
                sluice_wasm::Blame::Guest => Blame::Guest,
            },
            Self::Load(_) => Blame::Host,
        }
    }
}
