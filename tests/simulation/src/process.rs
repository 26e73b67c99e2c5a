//! Processes: a reconciler on its wire, and somebody who starts another one when it dies.

use crate::frail::Frail;
use crate::judge::NAMESPACE;
use crate::kit::Kit;
use crate::wire::{Network, Wire};
use kube::Client;
use sluice_apply::cluster::{Chance, KubeCluster, RetryPolicy};
use sluice_controller::reconcilers::kustomization::KustomizationReconciler;
use sluice_controller::runtime::{KUSTOMIZATION, Reconciler};
use sluice_controller::{Artifacts, ControllerConfig, run_on};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long it takes until a dead process is replaced.
const RESTART: Duration = Duration::from_secs(1);

/// All processes of a schedule.
pub(crate) struct Processes {
    network: Arc<Network>,
    artifacts: Artifacts,
    seed: u64,
    elects_leader: bool,
    count: AtomicU32,
    running: Mutex<Vec<Wire>>,
}

impl Processes {
    pub(crate) fn new(kit: &Kit, network: Arc<Network>, seed: u64, elects_leader: bool) -> Arc<Self> {
        Arc::new(Self {
            network,
            artifacts: kit.artifacts.clone(),
            seed,
            elects_leader,
            count: AtomicU32::new(0),
            running: Mutex::default(),
        })
    }

    /// Those that run now.
    pub(crate) fn running(&self) -> Vec<Wire> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(Wire::is_alive);
        running.clone()
    }

    /// Keeps one process running: when it is killed, or ends, another starts.
    pub(crate) async fn keep_one(self: Arc<Self>) {
        loop {
            let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
            let wire = Wire::new(self.network.clone(), number);
            self.running
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(wire.clone());
            self.network.note(|| format!("#{number} starts"));
            let shutdown = CancellationToken::new();
            let mut process = tokio::spawn(self.run(wire.clone(), number, shutdown.clone()));
            tokio::select! {
                biased;
                () = wire.killed() => process.abort(),
                _ = &mut process => wire.kill(),
            }
            shutdown.cancel();
            tokio::time::sleep(RESTART).await;
        }
    }

    fn run(&self, wire: Wire, number: u32, shutdown: CancellationToken) -> impl Future<Output = ()> + use<> {
        let chance = Chance::seeded(self.seed.wrapping_add(u64::from(number) << 32));
        let renderer = Arc::new(Frail::new(wire.network.clone()));
        let client = Client::new(wire, NAMESPACE);
        let cluster = KubeCluster::new(client, RetryPolicy::default()).with_chance(chance);
        let config = ControllerConfig {
            watch_all_namespaces: false,
            runtime_namespace: NAMESPACE.to_owned(),
            await_flux_leases: false,
            enable_leader_election: self.elects_leader,
            ..ControllerConfig::default()
        };
        let artifacts = self.artifacts.clone();
        async move {
            let make = move |_: &_| {
                let reconciler: Arc<dyn Reconciler> =
                    Arc::new(KustomizationReconciler::new(artifacts, renderer));
                Ok(vec![reconciler])
            };
            // how it ends does not matter: another one starts
            let _ended = run_on(
                config,
                cluster,
                vec![(&KUSTOMIZATION, 4)],
                Box::new(make),
                shutdown,
            )
            .await;
        }
    }
}
