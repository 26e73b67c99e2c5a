/// In whose name a request is made. It is part of every signature, so that nothing of a tenant is touched under the
/// controller's own name by oversight (field/reliability.md I9).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// The controller's own account.
    AsController,
    /// A service account of the tenant, by impersonation.
    AsTenant {
        /// Namespace of the service account.
        namespace: String,
        /// Its name.
        service_account: String,
    },
}

impl Identity {
    /// The user name to impersonate, none for the controller itself.
    pub fn user(&self) -> Option<String> {
        match self {
            Self::AsController => None,
            Self::AsTenant {
                namespace,
                service_account,
            } => Some(format!("system:serviceaccount:{namespace}:{service_account}")),
        }
    }
}
