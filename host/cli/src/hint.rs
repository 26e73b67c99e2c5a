//! From an error to what the user can do about it.

use crate::connect;
use crate::kinds::{self, NotServed};
use crate::local::Below;
use crate::tell::Several;
use kube::config::KubeconfigError;
use kube::runtime::watcher;
use sluice_apply::cluster::RequestError;
use std::error::Error;

const NOT_INSTALLED: &str = "the custom resources are not installed: `sluice install --registry REGISTRY`";
const NOT_REACHED: &str =
    "is the API server running? `sluice dev` starts one on this machine; --kubeconfig chooses another";
const NO_KUBECONFIG: &str = "--kubeconfig or KUBECONFIG names the file, --context one of its contexts; `sluice dev` starts a cluster on this machine";

/// A remedy, where one is known that the message does not name itself.
pub(crate) fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(several) = error.downcast_ref::<Several>() {
        return several.failures().iter().find_map(hint);
    }
    error
        .chain()
        .find_map(|cause| match cause.downcast_ref::<Below>() {
            Some(below) => Some(below.hint()),
            None => of_cluster(cause).map(|remedy| placed(remedy, connect::server())),
        })
}

/// A remedy that names the API server, where it is about one that cannot be reached.
fn placed(remedy: &str, server: Option<&str>) -> String {
    match server {
        Some(server) if remedy == NOT_REACHED => {
            remedy.replacen("the API server", &format!("the API server at {server}"), 1)
        }
        _ => remedy.to_owned(),
    }
}

/// What to do about an API server's answer.
fn of_cluster(cause: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(not_served) = cause.downcast_ref::<NotServed>() {
        return kinds::is_ours(not_served.kind()).then_some(NOT_INSTALLED);
    }
    if cause.is::<KubeconfigError>() {
        return Some(NO_KUBECONFIG);
    }
    match cause.downcast_ref() {
        Some(RequestError::NoMatch { api_version, kind })
            if api_version.contains(".toolkit.fluxcd.io/") && kinds::is_ours(kind) =>
        {
            return Some(NOT_INSTALLED);
        }
        Some(RequestError::Refused { code, .. }) => return refused(*code),
        Some(RequestError::Transport(_)) => return Some(NOT_REACHED),
        _ => {}
    }
    let kube = match cause.downcast_ref() {
        Some(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) => error,
        _ => cause.downcast_ref::<kube::Error>()?,
    };
    match kube {
        kube::Error::Api(status) => refused(status.code),
        kube::Error::HyperError(_) | kube::Error::Service(_) => Some(NOT_REACHED),
        _ => None,
    }
}

/// What to do about an answer of this code.
fn refused(code: u16) -> Option<&'static str> {
    match code {
        401 => Some("the API server does not know this identity: check the credentials in the kubeconfig"),
        403 => {
            Some("this identity may not do that: check its roles, or choose another with --as or --context")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_named() {
        assert_eq!(
            placed(NOT_REACHED, Some("https://10.0.0.1:6443")),
            "is the API server at https://10.0.0.1:6443 running? `sluice dev` starts one on this machine; --kubeconfig chooses another"
        );
        assert_eq!(placed(NOT_INSTALLED, Some("https://10.0.0.1")), NOT_INSTALLED);
    }

    #[test]
    fn what_is_asked_like_a_controller_is_helped_with_too() {
        let refused = |code: u16| {
            let error = RequestError::Refused {
                code,
                reason: String::new(),
                message: "no".to_owned(),
                causes: Vec::new(),
                retry_after: None,
            };
            hint(&anyhow::Error::new(error).context("cluster info unavailable"))
        };
        assert!(refused(403).unwrap().contains("check its roles"));
        assert!(refused(401).unwrap().contains("check the credentials"));
        assert_eq!(refused(500), None);
        let unserved = |api_version: &str, kind: &str| {
            let (kind, api_version) = (kind.to_owned(), api_version.to_owned());
            hint(&RequestError::NoMatch { kind, api_version }.into())
        };
        let ours = unserved("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
        assert_eq!(ours.as_deref(), Some(NOT_INSTALLED));
        // of what is not installed with us nobody says that it is
        assert_eq!(unserved("helm.toolkit.fluxcd.io/v2", "HelmRelease"), None);
    }
}
