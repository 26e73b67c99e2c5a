//! Why a pass did not come to its end, and which condition says so.

use crate::error_policy::Failure;
use sluice_api::conditions::{FETCH_FAILED, SOURCE_VERIFIED, STALLED, STORAGE_OPERATION_FAILED};
use sluice_api::{Disposition, Reason, reason};
use sluice_apply::cluster::RequestError;

/// Why a pass did not come to its end.
pub(in crate::reconcilers) enum Trouble {
    /// Something failed; which condition says so.
    Failed {
        condition: &'static str,
        failure: Failure,
    },
    /// Something failed that conditions call unknown: events and `Stalled` name it (compat/source.md 8.7).
    Unknown(Failure),
    /// A newer wish came.
    Superseded,
    /// The status could not be written.
    NotWritten(RequestError),
}

impl Trouble {
    /// The failure of a stage, under the condition that its reason belongs to.
    pub(in crate::reconcilers) fn of(error: &(impl Disposition + std::fmt::Display)) -> Self {
        Self::Failed {
            condition: condition_of(error.reason()),
            failure: Failure::of(error),
        }
    }

    /// The source cannot be fetched.
    pub(in crate::reconcilers) fn fetch(failure: Failure) -> Self {
        Self::Failed {
            condition: FETCH_FAILED,
            failure,
        }
    }

    /// What we are to the remote cannot be read, or is no good.
    pub(in crate::reconcilers) fn refused(message: String) -> Self {
        Self::fetch(Failure::retry(reason::AUTHENTICATION_FAILED, message))
    }

    /// The artifact cannot be stored.
    pub(in crate::reconcilers) fn storage(failure: Failure) -> Self {
        Self::Failed {
            condition: STORAGE_OPERATION_FAILED,
            failure,
        }
    }

    /// What the user must change, said by `Stalled` alone.
    pub(in crate::reconcilers) fn stalled(failure: Failure) -> Self {
        Self::Failed {
            condition: STALLED,
            failure,
        }
    }
}

/// compat/source.md 2.8.
fn condition_of(reason: Reason) -> &'static str {
    match reason {
        reason::DIRECTORY_CREATION_FAILED
        | reason::STAT_OPERATION_FAILED
        | reason::INVALID_PATH
        | reason::ARCHIVE_OPERATION_FAILED
        | reason::COPY_FAILURE => STORAGE_OPERATION_FAILED,
        reason::VERIFICATION_ERROR
        | reason::INVALID_VERIFICATION_MODE
        | reason::INVALID_GIT_OBJECT
        | reason::INVALID_TAG_SIGNATURE
        | reason::INVALID_COMMIT_SIGNATURE => SOURCE_VERIFIED,
        _ => FETCH_FAILED,
    }
}
