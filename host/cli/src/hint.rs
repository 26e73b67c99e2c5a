//! From an error to what the user can do about it.

use crate::kinds::NotServed;
use crate::local::Below;
use crate::tell::Several;
use kube::runtime::watcher;
use sluice_apply::cluster::RequestError;
use std::error::Error;

const NOT_INSTALLED: &str = "the custom resources are not installed: `sluice install --registry REGISTRY`";
const NOT_REACHED: &str =
    "is the API server running? `sluice dev` starts one on this machine; --kubeconfig chooses another";

/// A remedy, where one is known that the message does not name itself.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(several) = error.downcast_ref::<Several>() {
        return several.failures().iter().find_map(hint);
    }
    error
        .chain()
        .find_map(|cause| match cause.downcast_ref::<Below>() {
            Some(below) => Some(below.hint()),
            None => of_cluster(cause).map(str::to_owned),
        })
}

/// What to do about an API server's answer.
fn of_cluster(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(not_served) = cause.downcast_ref::<NotServed>() {
        return not_served.is_ours().then_some(NOT_INSTALLED);
    }
    match cause.downcast_ref() {
        Some(RequestError::NoMatch { api_version, .. }) if api_version.contains(".toolkit.fluxcd.io/") => {
            return Some(NOT_INSTALLED);
        }
        Some(RequestError::Transport(_)) => return Some(NOT_REACHED),
        _ => {}
    }
    let kube = match cause.downcast_ref() {
        Some(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) => error,
        _ => cause.downcast_ref::<kube::Error>()?,
    };
    match kube {
        kube::Error::Api(status) if status.code == 403 => {
            Some("this identity may not do that: check its roles, or choose another with --as or --context")
        }
        kube::Error::Api(status) if status.code == 401 => {
            Some("the API server does not know this identity: check the credentials in the kubeconfig")
        }
        kube::Error::HyperError(_) | kube::Error::Service(_) => Some(NOT_REACHED),
        _ => None,
    }
}
