//! Why a chart could not be had: Flux's reasons and words (compat/source.md 8.7).

use sluice_api::{Blame, Disposition, Next, Reason, reason};

/// Which step failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildReason {
    /// The chart is not there, or is none.
    Reference,
    /// It does not come.
    Pull,
    /// Its version cannot take metadata.
    MetadataPatch,
    /// Its values files cannot be merged.
    ValuesFiles,
    /// A subchart cannot be had.
    Dependency,
    /// It cannot be packaged.
    Package,
    /// Its signature is not good.
    Verification,
}

/// A chart could not be had. The text is the message of the condition.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {text}", reason.summary())]
pub struct BuildError {
    /// Which step failed.
    pub reason: BuildReason,
    /// Why.
    pub text: String,
}

impl BuildReason {
    fn summary(self) -> &'static str {
        match self {
            BuildReason::Reference => "invalid chart reference",
            BuildReason::Pull => "chart pull error",
            BuildReason::MetadataPatch => "chart metadata patch error",
            BuildReason::ValuesFiles => "values files merge error",
            BuildReason::Dependency => "dependency build error",
            BuildReason::Package => "chart package error",
            BuildReason::Verification => "chart verification error",
        }
    }

    /// The error of this step.
    pub fn because(self, cause: impl std::fmt::Display) -> BuildError {
        BuildError {
            reason: self,
            text: cause.to_string(),
        }
    }
}

impl Disposition for BuildError {
    fn reason(&self) -> Reason {
        match self.reason {
            BuildReason::Reference => reason::INVALID_CHART_REFERENCE,
            BuildReason::Pull => reason::CHART_PULL_ERROR,
            BuildReason::MetadataPatch => reason::METADATA_PATCH_ERROR,
            BuildReason::ValuesFiles => reason::VALUES_FILES_ERROR,
            BuildReason::Dependency => reason::DEPENDENCY_BUILD_ERROR,
            BuildReason::Package => reason::CHART_PACKAGE_ERROR,
            BuildReason::Verification => reason::CHART_VERIFICATION_ERROR,
        }
    }

    fn next(&self) -> Next {
        match self.reason {
            BuildReason::Reference | BuildReason::MetadataPatch | BuildReason::ValuesFiles => Next::Stall,
            BuildReason::Pull | BuildReason::Dependency => Next::BackOff,
            BuildReason::Package | BuildReason::Verification => Next::Retry,
        }
    }

    fn blame(&self) -> Blame {
        match self.reason {
            BuildReason::Reference | BuildReason::MetadataPatch | BuildReason::ValuesFiles => Blame::User,
            BuildReason::Pull
            | BuildReason::Dependency
            | BuildReason::Package
            | BuildReason::Verification => Blame::Upstream,
        }
    }
}
