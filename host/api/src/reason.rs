//! Reasons: the CamelCase words of conditions, events and metrics. A bounded set, spelled once.

use std::fmt;

/// Why something is as it is. Made only from the constants of this module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reason(&'static str);

impl Reason {
    /// A reason of a room that knows more of its trade than this one. `name` is CamelCase.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The word itself.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0.to_owned()
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $constant:ident = $text:literal;)*) => {
        $($(#[$doc])* pub const $constant: Reason = Reason($text);)*
        /// Every reason of this module, for documents and dashboards.
        pub const ALL: &[Reason] = &[$($constant),*];
    };
}

reasons! {
    /// It worked.
    SUCCEEDED = "Succeeded";
    /// It failed, and no better word is known.
    FAILED = "Failed";
    /// Work is under way.
    PROGRESSING = "Progressing";
    /// Work failed and will be tried again.
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry";
    /// The object is suspended.
    SUSPENDED = "Suspended";
    /// A dependency is not ready.
    DEPENDENCY_NOT_READY = "DependencyNotReady";
    /// A reference is not allowed.
    ACCESS_DENIED = "AccessDenied";
    /// A feature gate is off.
    FEATURE_GATE_DISABLED = "FeatureGateDisabled";
    /// A CEL expression does not compile.
    INVALID_CEL_EXPRESSION = "InvalidCELExpression";
    /// The spec cannot be read.
    INVALID_SPEC = "InvalidSpec";

    /// The Kustomization is applied, pruned and healthy.
    RECONCILIATION_SUCCEEDED = "ReconciliationSucceeded";
    /// Applying failed.
    RECONCILIATION_FAILED = "ReconciliationFailed";
    /// The source's artifact cannot be had.
    ARTIFACT_FAILED = "ArtifactFailed";
    /// Rendering failed.
    BUILD_FAILED = "BuildFailed";
    /// Pruning failed.
    PRUNE_FAILED = "PruneFailed";
    /// A prune so large that a person must approve it.
    PRUNE_HELD = "PruneHeld";
    /// A health check failed.
    HEALTH_CHECK_FAILED = "HealthCheckFailed";
    /// A newer wish ended the health check.
    HEALTH_CHECK_CANCELED = "HealthCheckCanceled";

    /// A source refreshed what it stores.
    NEW_ARTIFACT = "NewArtifact";
    /// A source met a new revision.
    NEW_REVISION = "NewRevision";
    /// A source looked and found its artifact current.
    ARTIFACT_UP_TO_DATE = "ArtifactUpToDate";
    /// The URL cannot be used.
    URL_INVALID = "URLInvalid";
    /// Credentials are missing or wrong.
    AUTHENTICATION_FAILED = "AuthenticationFailed";
    /// The remote's answer to a Git operation was an error.
    GIT_OPERATION_FAILED = "GitOperationFailed";
    /// The remote has what is stored already; reason of a trace event.
    GIT_OPERATION_SUCCEEDED = "GitOperationSucceeded";
    /// The remote's answer to another kind of operation was an error.
    READ_OPERATION_FAILED = "ReadOperationFailed";
    /// An index of charts cannot be read.
    INDEXATION_FAILED = "IndexationFailed";
    /// An artifact cannot be pulled from its registry.
    OCI_ARTIFACT_PULL_FAILED = "OCIArtifactPullFailed";
    /// What was pulled from a registry holds no usable layer.
    OCI_ARTIFACT_LAYER_OPERATION_FAILED = "OCIArtifactLayerOperationFailed";
    /// A field that a later version understands is set.
    NOT_SUPPORTED = "NotSupported";
    /// The remote has no commit at all.
    EMPTY_GIT_REPOSITORY = "EmptyGitRepository";
    /// An included source is missing.
    NOT_FOUND = "NotFound";
    /// An included source has no artifact.
    NO_ARTIFACT = "NoArtifact";
    /// The set of includes changed.
    INCLUDE_CHANGE = "IncludeChange";
    /// Copying an include failed.
    COPY_FAILURE = "CopyFailure";
    /// A path leads where it may not.
    ILLEGAL_PATH = "IllegalPath";
    /// A path is not what it should be.
    INVALID_PATH = "InvalidPath";
    /// A temporary directory cannot be made.
    DIRECTORY_CREATION_FAILED = "DirectoryCreationFailed";
    /// A file cannot be examined.
    STAT_OPERATION_FAILED = "StatOperationFailed";
    /// An archive cannot be written.
    ARCHIVE_OPERATION_FAILED = "ArchiveOperationFailed";
    /// The ignore rules of a source cannot be read.
    SOURCE_IGNORE_ERROR = "SourceIgnoreError";
    /// A bucket cannot be listed or read.
    BUCKET_OPERATION_FAILED = "BucketOperationFailed";
    /// Who gives temporary credentials cannot do so for this provider.
    INVALID_STS_CONFIGURATION = "InvalidSTSConfiguration";
    /// A chart's source is not there.
    SOURCE_UNAVAILABLE = "SourceUnavailable";
    /// A chart's source has no artifact yet.
    NO_SOURCE_ARTIFACT = "NoSourceArtifact";
    /// A source has another chart.
    NEW_CHART = "NewChart";
    /// A chart is stored as it came.
    CHART_PULL_SUCCEEDED = "ChartPullSucceeded";
    /// A chart was packaged and is stored.
    CHART_PACKAGE_SUCCEEDED = "ChartPackageSucceeded";
    /// Missing subcharts were found.
    RESOLVED_DEPENDENCIES = "ResolvedDependencies";
    /// A chart is not where it should be, or is none.
    INVALID_CHART_REFERENCE = "InvalidChartReference";
    /// A chart does not come.
    CHART_PULL_ERROR = "ChartPullError";
    /// The version of a chart cannot take metadata.
    METADATA_PATCH_ERROR = "MetadataPatchError";
    /// Values files cannot be merged.
    VALUES_FILES_ERROR = "ValuesFilesError";
    /// A subchart cannot be had.
    DEPENDENCY_BUILD_ERROR = "DependencyBuildError";
    /// A chart cannot be packaged.
    CHART_PACKAGE_ERROR = "ChartPackageError";
    /// The signature of a chart is not good.
    CHART_VERIFICATION_ERROR = "ChartVerificationError";
    /// What failed has no name of its own here; the event has it.
    UNKNOWN = "Unknown";
    /// A status write failed.
    PATCH_OPERATION_FAILED = "PatchOperationFailed";
    /// A stored artifact does not match its digest.
    ARTIFACT_VERIFICATION_FAILED = "ArtifactVerificationFailed";
    /// Old artifacts were removed.
    GARBAGE_COLLECTION_SUCCEEDED = "GarbageCollectionSucceeded";
    /// Old artifacts could not be removed.
    GARBAGE_COLLECTION_FAILED = "GarbageCollectionFailed";
    /// The provider of a source is not configured in a usable way.
    INVALID_PROVIDER_CONFIGURATION = "InvalidProviderConfiguration";
    /// A signature does not verify.
    VERIFICATION_ERROR = "VerificationError";
    /// The verification mode is not known.
    INVALID_VERIFICATION_MODE = "InvalidVerificationMode";
    /// A Git object cannot be verified.
    INVALID_GIT_OBJECT = "InvalidGitObject";
    /// The signature of a tag is bad.
    INVALID_TAG_SIGNATURE = "InvalidTagSignature";
    /// The signature of a commit is bad.
    INVALID_COMMIT_SIGNATURE = "InvalidCommitSignature";

    /// A plugin trapped.
    PLUGIN_TRAPPED = "PluginTrapped";
    /// A plugin asked for more memory than it may have.
    PLUGIN_OUT_OF_MEMORY = "PluginOutOfMemory";
    /// A plugin used more time than it may.
    PLUGIN_TIMED_OUT = "PluginTimedOut";
    /// A plugin does not fit the contract.
    PLUGIN_INCOMPATIBLE = "PluginIncompatible";
}
