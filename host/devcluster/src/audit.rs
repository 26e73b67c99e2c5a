//! A record of requests, for tests that count them.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// One request as the server saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Who asked; the impersonated user where there is one.
    pub user: String,
    /// Who asked on behalf of `user`, empty where nobody did.
    pub impersonator: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `apply`, `delete`, `deletecollection`; lower-case method for other paths.
    pub verb: String,
    /// `deployments.apps/status`, `pods`; the path for requests that name no resource.
    pub resource: String,
    /// The namespace, empty for none.
    pub namespace: String,
    /// The name, empty for collections.
    pub name: String,
    /// Whether nothing was to be stored.
    pub is_dry_run: bool,
    /// The answer's HTTP status.
    pub code: u16,
    /// The `User-Agent` header.
    pub user_agent: String,
}

/// So many requests are remembered; older ones are forgotten.
const REQUESTS_MAX: usize = 100_000;

#[derive(Default)]
pub(crate) struct Audit {
    requests: Mutex<Option<VecDeque<Request>>>,
}

impl Audit {
    pub(crate) fn start(&self) {
        *self.requests.lock().unwrap_or_else(PoisonError::into_inner) = Some(VecDeque::new());
    }

    pub(crate) fn take(&self) -> Vec<Request> {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.as_mut().map(std::mem::take).unwrap_or_default().into()
    }

    pub(crate) fn note(&self, request: impl FnOnce() -> Request) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(requests) = requests.as_mut() {
            if requests.len() >= REQUESTS_MAX {
                requests.pop_front();
            }
            requests.push_back(request());
        }
    }
}
