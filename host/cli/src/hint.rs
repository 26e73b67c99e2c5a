//! From an error to what the user can do about it.

/// A remedy, where one is known that the message does not name itself.
pub(crate) fn hint(error: &anyhow::Error) -> Option<&'static str> {
    error.chain().find_map(|cause| {
        let kube = cause.downcast_ref::<kube::Error>()?;
        match kube {
            kube::Error::Api(status) if status.code == 404 && status.message.contains("could not find the requested resource") => {
                Some("the custom resources are not installed: `sluice install --export | kubectl apply --server-side -f -`")
            }
            kube::Error::Api(status) if status.code == 403 => Some("this identity may not do that: check its roles, or choose another with --as or --context"),
            kube::Error::Api(status) if status.code == 401 => Some("the API server does not know this identity: check the credentials in the kubeconfig"),
            kube::Error::HyperError(_) | kube::Error::Service(_) => Some("is the API server running? `sluice dev` starts one on this machine; --kubeconfig chooses another"),
            _ => None,
        }
    })
}
