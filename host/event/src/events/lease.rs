use crate::metrics::{NameLabels, metrics};
use tracing::{info, warn};

/// This process leads.
pub struct LeaseAcquired<'a> {
    /// `namespace/name` of the Lease.
    pub lease: &'a str,
}

impl LeaseAcquired<'_> {
    /// Logs at info and sets the gauge.
    pub fn emit(self) {
        metrics()
            .leader
            .get_or_create(&NameLabels {
                name: self.lease.to_owned(),
            })
            .set(1);
        info!("successfully acquired lease {}", self.lease);
    }
}

/// This process no longer leads; writing has stopped.
pub struct LeaseLost<'a> {
    /// `namespace/name` of the Lease.
    pub lease: &'a str,
    /// Why.
    pub error: &'a str,
}

impl LeaseLost<'_> {
    /// Logs at warn and clears the gauge.
    pub fn emit(self) {
        metrics()
            .leader
            .get_or_create(&NameLabels {
                name: self.lease.to_owned(),
            })
            .set(0);
        warn!(error = self.error, "lost lease {}", self.lease);
    }
}

/// Somebody else leads: another replica, or Flux's own controller.
pub struct LeaseAwaited<'a> {
    /// `namespace/name` of the Lease.
    pub lease: &'a str,
    /// Who holds it.
    pub holder: &'a str,
}

impl LeaseAwaited<'_> {
    /// Logs at info, with what to do where two products meet.
    pub fn emit(self) {
        metrics()
            .leader
            .get_or_create(&NameLabels {
                name: self.lease.to_owned(),
            })
            .set(0);
        info!(
            holder = self.holder,
            "waiting for lease {}: as long as its holder renews it, nothing is reconciled here (where the holder is Flux's controller, scale that down to switch)",
            self.lease
        );
    }
}
