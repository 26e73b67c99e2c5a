//! Leader election by Lease, with Flux's names and times, so that ours and Flux's own controllers exclude each other.
//!
//! **Invariant:** writing stops before the lease can expire: the renew deadline is shorter than the lease, and who loses
//! it is fenced off at once. **Invariant:** the lease is given back only after the last write.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sluice_apply::cluster::{Cluster, Identity, Patch, PatchOptions, RequestError};
use sluice_event::events::{LeaseAcquired, LeaseAwaited, LeaseLost};
use sluice_object::{GroupVersionKind, ObjectId};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The times of a Lease. The defaults are Flux's.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTimes {
    /// `--leader-election-lease-duration`: how long a lease holds without being renewed.
    pub lease: Duration,
    /// `--leader-election-renew-deadline`: a leader that could not renew for so long stops. Shorter than the lease.
    pub renew_deadline: Duration,
    /// `--leader-election-retry-period`: how often is tried.
    pub retry: Duration,
}

impl Default for LeaseTimes {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(35),
            renew_deadline: Duration::from_secs(30),
            retry: Duration::from_secs(5),
        }
    }
}

impl LeaseTimes {
    /// Refuses times with which two leaders could write at once.
    ///
    /// # Errors
    /// What must be longer than what.
    pub fn check(self) -> Result<Self, String> {
        if self.lease <= self.renew_deadline {
            return Err(
                "--leader-election-lease-duration must be longer than --leader-election-renew-deadline"
                    .to_owned(),
            );
        }
        if self.renew_deadline <= self.retry || self.retry.is_zero() {
            return Err("--leader-election-renew-deadline must be longer than --leader-election-retry-period, and that longer than 0".to_owned());
        }
        Ok(self)
    }
}

/// Who writes Leases.
const MANAGER: &str = "sluice-leader-election";

/// Flux's id: `<controller>-leader-election`, with the first 8 hex digits of the selector's sha256 when sharded.
pub(crate) fn lease_name(component: &str, selector: Option<&str>) -> String {
    match selector.filter(|selector| !selector.is_empty()) {
        None => format!("{component}-leader-election"),
        Some(selector) => {
            let digest = hex::encode(Sha256::digest(selector.as_bytes()));
            format!(
                "{component}-leader-election-{}",
                digest.get(..8).unwrap_or_default()
            )
        }
    }
}

/// One Lease and who we are.
#[derive(Clone)]
pub(crate) struct Lease {
    cluster: Arc<dyn Cluster>,
    id: ObjectId,
    identity: String,
    times: LeaseTimes,
}

/// The Leases that this process holds.
pub(crate) struct Leadership {
    finished: CancellationToken,
    held: TaskTracker,
    lose: Arc<dyn Fn() + Send + Sync>,
}

/// Giving a lease back is a courtesy: it is not worth more than this.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);

impl Leadership {
    /// Holds nothing yet. `lose` is called at once when a lease is lost: a process that no longer leads must not write.
    pub(crate) fn new(lose: impl Fn() + Send + Sync + 'static) -> Self {
        Self {
            finished: CancellationToken::new(),
            held: TaskTracker::new(),
            lose: Arc::new(lose),
        }
    }

    /// Gives all leases back. Nothing may be written afterwards.
    pub(crate) async fn release(self) {
        self.finished.cancel();
        self.held.close();
        let _late = tokio::time::timeout(RELEASE_TIMEOUT, self.held.wait()).await;
    }
}

/// A Lease as it was read.
struct Held {
    holder: String,
    renew_time: String,
    duration: Duration,
    transitions: i64,
    version: Value,
}

impl Held {
    /// `unsaid`: how long a Lease holds that does not say it.
    fn of(lease: &Value, unsaid: Duration) -> Self {
        let text = |pointer: &str| {
            lease
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let number = |pointer: &str| lease.pointer(pointer).and_then(Value::as_i64);
        Self {
            holder: text("/spec/holderIdentity"),
            renew_time: text("/spec/renewTime"),
            duration: number("/spec/leaseDurationSeconds")
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map_or(unsaid, Duration::from_secs),
            transitions: number("/spec/leaseTransitions").unwrap_or(0),
            version: lease
                .pointer("/metadata/resourceVersion")
                .cloned()
                .unwrap_or_default(),
        }
    }
}

impl Lease {
    pub(crate) fn new(
        cluster: Arc<dyn Cluster>,
        namespace: &str,
        name: String,
        identity: String,
        times: LeaseTimes,
    ) -> Self {
        let gvk = GroupVersionKind::new("coordination.k8s.io/v1", "Lease");
        Self {
            cluster,
            id: ObjectId {
                gvk,
                namespace: Some(namespace.to_owned()),
                name,
            },
            identity,
            times,
        }
    }

    fn name(&self) -> String {
        format!(
            "{}/{}",
            self.id.namespace.as_deref().unwrap_or_default(),
            self.id.name
        )
    }

    async fn read(&self) -> Result<Option<Held>, RequestError> {
        let Some(lease) = self.cluster.get(&Identity::AsController, &self.id).await? else {
            return Ok(None);
        };
        Ok(Some(Held::of(&lease, self.times.lease)))
    }

    async fn write(&self, known: Option<&Held>) -> Result<(), RequestError> {
        let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let mut spec = json!({
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self.times.lease.as_secs().max(1),
            "renewTime": now,
        });
        let is_ours = known.is_some_and(|held| held.holder == self.identity);
        if let (false, Some(map)) = (is_ours, spec.as_object_mut()) {
            map.insert("acquireTime".to_owned(), now.into());
            map.insert(
                "leaseTransitions".to_owned(),
                known.map_or(0, |held| held.transitions + 1).into(),
            );
        }
        match known {
            None => {
                let body = json!({
                    "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
                    "metadata": { "name": self.id.name, "namespace": self.id.namespace }, "spec": spec,
                });
                self.cluster
                    .create(&Identity::AsController, &self.id, body)
                    .await
                    .map(drop)
            }
            Some(held) => {
                self.patch(json!({ "metadata": { "resourceVersion": held.version }, "spec": spec }))
                    .await
            }
        }
    }

    async fn patch(&self, patch: Value) -> Result<(), RequestError> {
        let options = PatchOptions {
            manager: MANAGER,
            ..PatchOptions::default()
        };
        self.cluster
            .patch(&Identity::AsController, &self.id, Patch::Merge(patch), options)
            .await
            .map(drop)
    }

    /// Waits until this process leads, then keeps leading in the background until `leadership` ends. False where the
    /// process is to end first.
    pub(crate) async fn lead(self, shutdown: &CancellationToken, leadership: &Leadership) -> bool {
        let mut watcher = LeaseWatcher::default();
        let renewed = loop {
            // the others count from when it was written, which is before we hear of it
            let asked = Instant::now();
            match self.attempt(&mut watcher, shutdown).await {
                Ok(true) if asked.elapsed() < self.times.retry => break asked,
                // heard of so late that it may be somebody else's by now
                Ok(true) => continue,
                Ok(false) => {}
                // nothing is lost that was never held
                Err(error) => tracing::warn!(%error, "lease {} not acquired, trying again", self.name()),
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return false,
                () = tokio::time::sleep(self.times.retry) => {}
            }
        };
        LeaseAcquired { lease: &self.name() }.emit();
        let (finished, lose) = (leadership.finished.clone(), leadership.lose.clone());
        leadership.held.spawn(self.keep(renewed, finished, lose));
        true
    }

    /// Whether the lease is ours now. Who is to end does not wait for what it says; what is being written is waited for, so that
    /// nobody holds it unknowingly.
    async fn attempt(
        &self,
        watcher: &mut LeaseWatcher,
        shutdown: &CancellationToken,
    ) -> Result<bool, RequestError> {
        let Some(held) = shutdown.run_until_cancelled(self.read()).await else {
            return Ok(false);
        };
        let held = held?;
        if let Some(held) = &held
            && held.holder != self.identity
            && watcher.is_alive(held)
        {
            if watcher.is_new_holder(held) {
                LeaseAwaited {
                    lease: &self.name(),
                    holder: &held.holder,
                }
                .emit();
            }
            return Ok(false);
        }
        match self.write(held.as_ref()).await {
            Ok(()) => Ok(true),
            // somebody else was quicker
            Err(error) if error.code() == 409 => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives it up, unless it is somebody else's by now.
    async fn release(&self) {
        let released = async {
            match self.read().await? {
                Some(held) if held.holder == self.identity => {
                    let spec = json!({ "holderIdentity": "", "leaseDurationSeconds": 1 });
                    self.patch(json!({ "metadata": { "resourceVersion": held.version }, "spec": spec }))
                        .await
                }
                _ => Ok(()),
            }
        };
        if let Err(error) = released.await {
            tracing::debug!(%error, "lease {} not released, it expires by itself", self.name());
        }
    }

    /// `renewed`: when it was written last, or a little before.
    async fn keep(
        self,
        mut renewed: Instant,
        finished: CancellationToken,
        lose: Arc<dyn Fn() + Send + Sync>,
    ) {
        let mut next = renewed + self.times.retry;
        loop {
            tokio::select! {
                biased;
                () = finished.cancelled() => {
                    // released, so that the next leader need not wait for it to expire
                    return self.release().await;
                }
                () = tokio::time::sleep_until(next) => {}
            }
            let asked = Instant::now();
            let renewal = async {
                match self.read().await? {
                    Some(held) if held.holder == self.identity => {
                        self.write(Some(&held)).await.map(|()| None)
                    }
                    other => Ok(Some(lost(other.as_ref()))),
                }
            };
            let deadline = self.times.renew_deadline;
            let left = deadline.saturating_sub(renewed.elapsed());
            let error = match tokio::time::timeout(left, renewal).await {
                Ok(Ok(None)) => {
                    renewed = asked;
                    next = asked + self.times.retry;
                    continue;
                }
                Ok(Ok(Some(lost))) => lost,
                Ok(Err(error)) if renewed.elapsed() < deadline => {
                    tracing::debug!(%error, "lease not renewed, trying again");
                    next = Instant::now() + self.times.retry;
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("not renewed within {deadline:?}"),
            };
            LeaseLost {
                lease: &self.name(),
                error: &error,
            }
            .emit();
            return lose();
        }
    }

    /// Waits while somebody else holds and renews this Lease: Flux's own controller on the afternoon of switching.
    pub(crate) async fn await_release(&self, shutdown: &CancellationToken) {
        let mut watcher = LeaseWatcher::default();
        loop {
            let Some(read) = shutdown.run_until_cancelled(self.read()).await else {
                return;
            };
            let held = match read {
                Ok(Some(held)) => held,
                // nobody ever led here, or we may not know
                Ok(None) => return,
                Err(error) if error.is_not_found() || error.code() == 403 => return,
                // not to know whether somebody leads is no reason to begin
                Err(error) => {
                    tracing::warn!(lease = self.name(), %error, "the lease cannot be read, trying again");
                    tokio::select! {
                        biased;
                        () = shutdown.cancelled() => return,
                        () = tokio::time::sleep(self.times.retry) => continue,
                    }
                }
            };
            if held.holder.is_empty() || held.holder == self.identity || !watcher.is_alive(&held) {
                return;
            }
            if watcher.is_new_holder(&held) {
                LeaseAwaited {
                    lease: &self.name(),
                    holder: &held.holder,
                }
                .emit();
            }
            tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(self.times.retry) => {}
            }
        }
    }
}

/// How a Lease was lost that is not ours any more.
fn lost(found: Option<&Held>) -> String {
    match found {
        None => "it was deleted".to_owned(),
        Some(held) if held.holder.is_empty() => "it was given back".to_owned(),
        Some(held) => format!("{} holds it", held.holder),
    }
}

/// Judges whether the holder of one Lease is alive by our own clock: its clock may be wrong.
#[derive(Debug, Default)]
pub struct LeaseWatcher {
    renew_time: String,
    since: Option<Instant>,
    holder: String,
}

impl LeaseWatcher {
    /// Who holds the Lease, none where nobody does who is alive. To be asked again and again: a Lease that is not renewed runs
    /// out.
    pub fn holder(&mut self, lease: &Value) -> Option<String> {
        let held = Held::of(lease, LeaseTimes::default().lease);
        self.is_alive(&held).then_some(held.holder)
    }

    fn is_alive(&mut self, held: &Held) -> bool {
        if held.holder.is_empty() {
            return false;
        }
        if self.since.is_none() && is_long_gone(held) {
            return false;
        }
        if self.since.is_none() || held.renew_time != self.renew_time {
            self.renew_time.clone_from(&held.renew_time);
            self.since = Some(Instant::now());
        }
        self.since.is_some_and(|since| since.elapsed() < held.duration)
    }

    fn is_new_holder(&mut self, held: &Held) -> bool {
        let is_new = self.holder != held.holder;
        self.holder.clone_from(&held.holder);
        is_new
    }
}

/// Whether the lease ended so long ago that no clock is wrong enough to make up for it.
fn is_long_gone(held: &Held) -> bool {
    let Ok(renewed) = held.renew_time.parse::<Timestamp>() else {
        return held.renew_time.is_empty();
    };
    let age = Timestamp::now().duration_since(renewed);
    age.as_secs() > 10 * 60 + i64::try_from(held.duration.as_secs()).unwrap_or(i64::MAX - 600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::context::embedded;
    use sluice_devcluster::{Effect, Fault};

    const LEASE: Duration = Duration::from_secs(35);

    #[test]
    fn times_that_let_two_write_at_once_are_refused() {
        let seconds = Duration::from_secs;
        let times = |lease, renew_deadline, retry| LeaseTimes {
            lease: seconds(lease),
            renew_deadline: seconds(renew_deadline),
            retry: seconds(retry),
        };
        assert!(LeaseTimes::default().check().is_ok());
        assert!(times(30, 30, 5).check().is_err());
        assert!(times(30, 5, 5).check().is_err());
        assert!(times(30, 5, 0).check().is_err());
    }

    #[test]
    fn names_are_flux_s() {
        assert_eq!(
            lease_name("kustomize-controller", None),
            "kustomize-controller-leader-election"
        );
        assert_eq!(
            lease_name("kustomize-controller", Some("sharding.fluxcd.io/key=shard1")).len(),
            "kustomize-controller-leader-election-01234567".len()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_to_end_does_not_wait_for_an_answer() {
        let (cx, server) = embedded();
        let late = Effect::Delay(Duration::from_secs(3600));
        let fault = Fault::once("get", "leases.coordination.k8s.io", late);
        server.faults().add(fault);
        let name = lease_name("kustomize-controller", None);
        let lease = Lease::new(
            cx.cluster.clone(),
            "default",
            name,
            "me".to_owned(),
            LeaseTimes::default(),
        );
        let (shutdown, leadership) = (CancellationToken::new(), Leadership::new(|| {}));
        let begun = Instant::now();
        let ends = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            shutdown.cancel();
        };
        let (leads, ()) = tokio::join!(lease.lead(&shutdown, &leadership), ends);
        assert!(!leads && begun.elapsed() < Duration::from_secs(10));
    }

    fn held(renew_time: String) -> Held {
        Held {
            holder: "other".into(),
            renew_time,
            duration: LEASE,
            transitions: 0,
            version: Value::Null,
        }
    }

    #[test]
    fn who_lost_a_lease_says_how() {
        let mut found = held(String::new());
        assert_eq!(lost(None), "it was deleted");
        assert_eq!(lost(Some(&found)), "other holds it");
        found.holder.clear();
        assert_eq!(lost(Some(&found)), "it was given back");
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_is_judged_by_our_own_clock() {
        let now = Timestamp::now().to_string();
        let mut watcher = LeaseWatcher::default();
        assert!(watcher.is_alive(&held(now.clone())));
        tokio::time::advance(LEASE).await;
        assert!(
            !watcher.is_alive(&held(now.clone())),
            "not renewed for as long as it lasts"
        );
        assert!(
            watcher.is_alive(&held("2020-01-01T00:00:00Z".into())),
            "renewed, whatever its clock says"
        );
        assert!(
            !LeaseWatcher::default().is_alive(&held("2020-01-01T00:00:00Z".into())),
            "long gone"
        );
    }
}
