//! On whose behalf a call is made.

use crate::{Finding, ObjectId};
use std::cell::RefCell;

/// On whose behalf a call is made. It says nothing that changes with every commit, so that answers can be kept.
#[derive(Debug)]
pub struct Context {
    /// The Kustomization, HelmRelease … being reconciled.
    pub subject: ObjectId,
    /// The version of the cluster: `v1.34.1`.
    pub kube_version: String,
    /// What the cluster serves: `apps/v1` and `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
    /// Room for what the contract forgot. Names that a plugin does not know are ignored.
    pub labels: Vec<(String, String)>,
    findings: RefCell<Vec<Finding>>,
}

impl Context {
    /// A context as the host makes it.
    pub fn new(
        subject: ObjectId,
        kube_version: String,
        api_versions: Vec<String>,
        labels: Vec<(String, String)>,
    ) -> Self {
        Self {
            subject,
            kube_version,
            api_versions,
            labels,
            findings: RefCell::default(),
        }
    }

    /// Says something about the input without failing: a warning, a remark.
    pub fn report(&self, finding: Finding) {
        self.findings.borrow_mut().push(finding);
    }

    /// What was reported, in order.
    pub fn into_findings(self) -> Vec<Finding> {
        self.findings.into_inner()
    }
}
