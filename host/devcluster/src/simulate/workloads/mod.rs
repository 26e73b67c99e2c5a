//! Workloads that become ready without a node to run on.

use crate::cluster::Cluster;
use crate::store::Change;

/// What becomes ready later.
#[derive(Default)]
pub(crate) struct Later {
    due: std::collections::BTreeMap<tokio::time::Instant, Vec<crate::store::Key>>,
}

impl Later {
    /// Returns when something is due; never where nothing is.
    pub(crate) async fn due(&self) {
        match self.due.first_key_value() {
            Some((at, _)) => tokio::time::sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    pub(crate) fn ripe(&mut self, cluster: &Cluster) {
        let _ = (self.due.pop_first(), cluster);
    }
}

pub(crate) fn look(cluster: &Cluster, change: &Change, later: &mut Later) {
    let _ = (cluster, change, later);
}
