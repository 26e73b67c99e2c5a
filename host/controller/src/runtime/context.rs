//! What every reconciler works with.

use super::references::References;
use super::remote::{Remote, Remotes};
use super::schedule::{Park, RetryDelays, Schedule, Topic, Wake, Wakes};
use super::shard::{self, Shard};
use super::store::Store;
use super::{Key, Kind, watch};
use crate::ControllerConfig;
use futures::future::{BoxFuture, FutureExt as _};
use jiff::Timestamp;
use serde_json::Value;
use sluice_apply::cluster::{Chance, Cluster, KubeCluster};
use sluice_apply::live::{Live, Moved};
use sluice_event::{EVENT_METADATA_PREFIX, ObjectEvent, Severity, Sinks, Subject, metrics};
use sluice_object::{GroupVersionKind, ObjectId};
use std::collections::{BTreeMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// One kind's reconcile loop. Everything that can wait is expressed by the returned [`Park`], never by sleeping.
pub trait Reconciler: Send + Sync {
    /// The kind it reconciles.
    fn kind(&self) -> &'static Kind;
    /// Brings one object one step further. It must not fail: errors become conditions, events and a [`Park`].
    fn reconcile<'a>(&'a self, run: &'a Run) -> BoxFuture<'a, Park>;
}

/// The runtime as reconcilers see it. One a process.
pub struct Context {
    /// What was set.
    pub config: ControllerConfig,
    /// The API server.
    pub cluster: Arc<dyn Cluster>,
    /// The API server's version, `v1.36.3`.
    pub kube_version: String,
    /// The custom resources as last seen.
    pub store: Store,
    /// The applied objects as last seen.
    pub live: Arc<Live<Arc<Key>>>,
    pub(super) remotes: Remotes,
    pub(super) shard: Shard,
    pub(crate) kube: KubeCluster,
    pub(super) schedule: Mutex<Schedule>,
    pub(super) work: Notify,
    /// Told whenever nothing is ready for a worker.
    pub(super) rest: Notify,
    pub(super) shutdown: CancellationToken,
    pub(crate) turn: CancellationToken,
    pub(super) references: References,
    /// Objects whose last write had an unknown outcome.
    pub(super) unsure: Mutex<HashSet<Key>>,
    /// Whose turn it is to get a finalizer that nothing waits for.
    pub(super) finalizers: Semaphore,
    sinks: Sinks,
    instance: Arc<str>,
    /// The start of this process and the reconciles since: together unique within the cluster's logs.
    started: u64,
    reconciles: AtomicU64,
}

impl Context {
    /// A context over an API server of this version; `kinds` are those that will be reconciled.
    ///
    /// # Errors
    /// One of the label selectors is none.
    pub fn new(
        config: ControllerConfig,
        kube: KubeCluster,
        kube_version: String,
        sinks: Sinks,
        kinds: &[(&'static Kind, usize)],
        shutdown: CancellationToken,
    ) -> Result<Arc<Self>, String> {
        let shard = Shard::parse(config.watch_label_selector.as_deref())?;
        // the API server reads it, but only when the process has long been started
        shard::selector(
            "--watch-configs-label-selector",
            &config.watch_configs_label_selector,
        )?;
        let retry = RetryDelays {
            min: config.min_retry_delay,
            max: config.max_retry_delay,
        };
        let limits = kinds.iter().map(|(kind, limit)| (kind.kind, *limit));
        let schedule = Schedule::new(limits, retry, Instant::now());
        let instance = std::env::var("HOSTNAME").unwrap_or_else(|_| "sluice".to_owned());
        let references = References::new(config.watch_all_namespaces, shutdown.clone());
        let started = kube.chance().bits();
        Ok(Arc::new(Self {
            config,
            cluster: Arc::new(kube.clone()),
            kube_version,
            store: Store::default(),
            live: Arc::default(),
            remotes: Remotes::default(),
            shard,
            kube,
            schedule: Mutex::new(schedule),
            work: Notify::new(),
            rest: Notify::new(),
            shutdown,
            turn: CancellationToken::new(),
            references,
            unsure: Mutex::default(),
            finalizers: Semaphore::new(1),
            sinks,
            instance: instance.into(),
            started,
            reconciles: AtomicU64::new(0),
        }))
    }

    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        let mut schedule = self.schedule.lock().unwrap_or_else(PoisonError::into_inner);
        schedule.tick(Instant::now());
        schedule
    }

    /// Cancelled when it is this process's turn to work: it holds its Leases, or waits for nobody.
    pub fn turn(&self) -> CancellationToken {
        self.turn.clone()
    }

    /// Changes the schedule and lets the workers look at it.
    pub(super) fn reschedule(&self, change: impl FnOnce(&mut Schedule)) {
        change(&mut self.schedule());
        self.work.notify_one();
    }

    /// Returns when nothing is ready for a worker.
    pub(super) async fn quiet(&self) {
        loop {
            let rest = self.rest.notified();
            if self.schedule().counts().0 == 0 {
                return;
            }
            rest.await;
        }
    }

    /// Makes an object run: something that it made is not as it left it.
    pub(crate) fn wake(&self, key: &Key) {
        self.reschedule(|schedule| schedule.wake(key, Wake::Signal));
    }

    /// Something was seen of an applied object: its owner runs if that means anything to it.
    pub(crate) fn moved(&self, moved: Moved<Arc<Key>>) {
        match moved {
            Moved::Nothing => {}
            Moved::Drifted(owner) => self.reschedule(|schedule| schedule.wake(&owner, Wake::Drift)),
            Moved::Health(owner) => self.reschedule(|schedule| schedule.wake(&owner, Wake::Health)),
        }
    }

    /// An object ran, and is parked. Of one that is gone, or somebody else's by now, nothing is kept.
    pub(super) fn parked(self: &Arc<Self>, key: &Key, park: Park) {
        if park == Park::Gone {
            self.forget(key);
        }
        let (now, jitter) = (Instant::now(), self.chance().share());
        let mut has_abandoned = false;
        self.reschedule(|schedule| {
            schedule.done(key, park, now, jitter);
            has_abandoned = schedule.take_abandoned();
        });
        if has_abandoned {
            self.end_references();
        }
    }

    fn forget(&self, key: &Key) {
        metrics::forget_object(key.kind, &key.namespace, &key.name);
        if key.kind != super::KUSTOMIZATION.kind {
            return;
        }
        let owner = Arc::new(key.clone());
        let mut moved = self.live.forget_all(&owner);
        for remote in self.remotes.all() {
            moved.extend(remote.live.forget_all(&owner));
        }
        moved.into_iter().for_each(|moved| self.moved(moved));
    }

    /// Makes sure that objects of this kind which carry our owner label are watched from now on.
    pub(super) fn watch_applied(self: &Arc<Self>, gvk: &GroupVersionKind) {
        if self.live.claim_watch(&gvk.group_kind()) {
            let place = watch::Place {
                kube: self.kube.clone(),
                live: self.live.clone(),
                stop: self.shutdown.clone(),
            };
            self.spawn(watch::applied(self.clone(), place, gvk.clone()));
        }
    }

    /// Where everything that is spread gets its spread from.
    pub(crate) fn chance(&self) -> &Chance {
        self.kube.chance()
    }

    /// An id for the logs of one reconcile, in the shape of a UUID.
    pub(super) fn reconcile_id(&self) -> String {
        let count = self.reconciles.fetch_add(1, Ordering::Relaxed);
        let (high, low) = ((self.started >> 32) as u32, self.started & 0xffff);
        format!("{high:08x}-{low:04x}-4000-8000-{count:012x}")
    }

    /// Name of this process, the pod's in a cluster.
    pub(crate) fn instance(&self) -> &str {
        &self.instance
    }

    /// Runs a task of the runtime in the background; it ends by itself at shutdown. One that panics ends the process: what it
    /// did, nobody would do any more.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            if AssertUnwindSafe(task).catch_unwind().await.is_err() {
                tracing::error!("a task of the controller panicked; it stops, so that it starts again whole");
                shutdown.cancel();
            }
        });
    }

    /// Tells users something about an object: a Kubernetes Event, and a notification.
    /// `metadata` keys are complete, `kustomize.toolkit.fluxcd.io/revision`.
    pub(crate) fn tell(
        &self,
        kind: &'static Kind,
        object: &Value,
        severity: Severity,
        reason: &str,
        message: &str,
        metadata: BTreeMap<String, String>,
    ) {
        self.sinks.record(ObjectEvent {
            subject: subject(object),
            severity,
            reason: reason.to_owned(),
            message: message.to_owned(),
            metadata,
            timestamp: Timestamp::now(),
            controller: kind.component,
            instance: self.instance.clone(),
        });
    }
}

/// One run of one object.
pub struct Run {
    /// The object's name.
    pub key: Key,
    /// Why it runs.
    pub wakes: Wakes,
    /// The object as last seen; none where it is gone.
    pub object: Option<Arc<Value>>,
    /// The runtime.
    pub cx: Arc<Context>,
    /// The cluster that its objects are in; none where they are in this one.
    pub remote: Option<Arc<Remote>>,
}

impl Run {
    /// Wakes this object when there is news of `topic`, from now until the end of its next run that reads all it needs. Call it
    /// before reading.
    pub(crate) fn subscribe(&self, topic: Topic) {
        self.cx.schedule().subscribe(&self.key, topic);
    }

    /// This run ends before it has read all that it needs: what woke this object before goes on waking it.
    pub(crate) fn keep_subscriptions(&self) {
        self.cx.schedule().keep(&self.key);
    }

    /// `namespace/name` of an object beside this one, for messages.
    pub(crate) fn beside(&self, name: &str) -> String {
        format!("{}/{name}", self.key.namespace)
    }

    /// An interval, spread by `--interval-jitter-percentage` to both sides.
    pub(crate) fn spread(&self, interval: Duration) -> Duration {
        let percentage = f64::from(self.cx.config.interval_jitter_percentage.min(100)) / 100.0;
        // a year is as good as for ever, and no clock overflows
        let interval = interval.clamp(Duration::from_millis(100), Duration::from_secs(365 * 24 * 3600));
        interval.mul_f64(1.0 + percentage * (2.0 * self.cx.chance().share() - 1.0))
    }

    /// Whether a newer wish came since this run began: stop at the next safe point, the object runs again at once.
    pub(crate) fn is_superseded(&self) -> bool {
        self.cx.schedule().is_superseded(&self.key)
    }
}

/// How an object is named towards the API server.
pub(crate) fn object_id(kind: &Kind, key: &Key) -> ObjectId {
    ObjectId {
        gvk: GroupVersionKind {
            group: kind.group.to_owned(),
            version: kind.version.to_owned(),
            kind: kind.kind.to_owned(),
        },
        namespace: Some(key.namespace.to_string()),
        name: key.name.to_string(),
    }
}

fn subject(object: &Value) -> Subject {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let annotations = object
        .pointer("/metadata/annotations")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    Subject {
        api_version: text("/apiVersion"),
        kind: text("/kind"),
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        uid: text("/metadata/uid"),
        resource_version: text("/metadata/resourceVersion"),
        annotations: annotations
            .filter(|(key, _)| key.starts_with(EVENT_METADATA_PREFIX))
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect(),
    }
}

/// A context for tests, on an API server of its own, that reconciles Kustomizations.
#[cfg(test)]
pub(super) fn embedded() -> (Arc<Context>, sluice_devcluster::DevCluster) {
    let server = sluice_devcluster::DevCluster::in_process(&sluice_devcluster::Config::default());
    let client = kube::Client::new(server.service(), "default");
    let cluster = KubeCluster::new(client, sluice_apply::cluster::RetryPolicy::default());
    let (config, kinds) = (ControllerConfig::default(), [(&super::KUSTOMIZATION, 1)]);
    let (sinks, shutdown) = (Sinks::new(Vec::new()), CancellationToken::new());
    let cx = Context::new(config, cluster, String::new(), sinks, &kinds, shutdown);
    (cx.unwrap(), server)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::KUSTOMIZATION;
    use sluice_apply::live::{Seen, Verified};

    #[tokio::test]
    async fn nothing_is_kept_of_an_object_that_is_gone() {
        let (cx, _server) = embedded();
        let key = Key::new(KUSTOMIZATION.kind, "ns", "apps");
        let id = ObjectId {
            gvk: GroupVersionKind::new("v1", "ConfigMap"),
            namespace: Some("ns".to_owned()),
            name: "one".to_owned(),
        };
        let verified = Verified {
            desired: [1; 16],
            is_skipped: false,
            is_passing: false,
        };
        let seen = Seen {
            fingerprint: [1; 16],
            ownership: [1; 16],
            version: 1,
        };
        let run = |park| {
            cx.reschedule(|schedule| schedule.wake(&key, Wake::Changed));
            assert!(cx.schedule().next().is_some());
            cx.live.verified(&id, &Arc::new(key.clone()), verified, seen);
            cx.parked(&key, park);
        };
        run(Park::For(None));
        assert_eq!(
            (cx.live.last_desired(&id), cx.schedule().counts()),
            (Some([1; 16]), (0, 1))
        );
        run(Park::Gone);
        assert_eq!(
            (cx.live.last_desired(&id), cx.schedule().counts()),
            (None, (0, 0))
        );
    }

    #[tokio::test]
    async fn a_selector_that_is_none_is_told_of_at_the_start() {
        let (cx, _server) = embedded();
        let refused = |change: fn(&mut ControllerConfig)| {
            let (mut config, kube) = (ControllerConfig::default(), cx.kube.clone());
            change(&mut config);
            let version = cx.kube_version.clone();
            let shutdown = CancellationToken::new();
            let made = Context::new(config, kube, version, Sinks::default(), &[], shutdown);
            made.map(drop).unwrap_err()
        };
        let own = refused(|config| config.watch_label_selector = Some("a b".to_owned()));
        assert!(
            own.starts_with("--watch-label-selector: `a b` is none of "),
            "{own}"
        );
        let configs = refused(|config| config.watch_configs_label_selector = "a=b,".to_owned());
        assert!(
            configs.ends_with("found '', expected: identifier after ','"),
            "{configs}"
        );
    }

    /// `--interval-jitter-percentage`.
    #[tokio::test]
    async fn intervals_are_spread_to_both_sides_and_no_further() {
        let (cx, _server) = embedded();
        let run = Run {
            key: Key::new(KUSTOMIZATION.kind, "ns", "apps"),
            wakes: Wakes::default(),
            object: None,
            cx,
            remote: None,
        };
        let interval = Duration::from_secs(100);
        let spread: Vec<Duration> = (0..200).map(|_| run.spread(interval)).collect();
        let (least, most) = (Duration::from_secs(95), Duration::from_secs(105));
        assert!(spread.iter().all(|found| (least..=most).contains(found)));
        let early = spread.iter().filter(|found| **found < interval).count();
        assert!((1..200).contains(&early), "{early} of 200 come earlier");
        // what is no interval holds no worker, and what is for ever overflows no clock
        assert!(run.spread(Duration::ZERO) >= Duration::from_millis(95));
        assert!(run.spread(Duration::MAX) <= Duration::from_secs(366 * 24 * 3600 * 2));
    }
}
