//! One story under one choice of faults, from beginning to end.

use crate::judge::{Judge, NAMESPACE, number};
use crate::kit::Kit;
use crate::process::Processes;
use crate::script::{Goal, Script, Step};
use crate::wire::{Crash, Network, Weather};
use kube::Client;
use serde_json::{Value, json};
use sluice_apply::cluster::{
    Chance, Cluster, Identity, KubeCluster, Patch, PatchOptions, Preconditions, RequestError, RetryPolicy,
};
use sluice_devcluster::{Config, DevCluster};
use sluice_object::{GroupVersionKind, ObjectId};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often is looked whether something has come true.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Once the faults stop, everything must come true within this time (I1).
const CONVERGES_WITHIN: Duration = Duration::from_secs(30 * 60);
/// While there are faults.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);
/// What is at rest stays so for this long: several intervals and a full verification pass (I8).
const QUIET: Duration = Duration::from_secs(65 * 60);
/// In most schedules: an interval and a half. A quiet hour costs more than all that happened before.
const QUIET_SHORT: Duration = Duration::from_secs(15 * 60);
/// One of so many schedules has the long one.
const QUIET_SHARE: u64 = 8;

/// What goes wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) profile: Profile,
    pub(crate) crashes: Vec<Crash>,
    pub(crate) is_traced: bool,
}

/// A kind of weather.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Nothing goes wrong by chance.
    #[default]
    Calm,
    /// Requests are refused, reset, and their answers lost (R8, R9, R10).
    Requests,
    /// etcd, webhooks, rights and plugins refuse, one by one and for a while (R11, R12, R13, R21).
    Refusals,
    /// Requests and watches are late; watches repeat themselves (R4, R7).
    Late,
    /// Watches end, freeze, and history is forgotten (R4, R5, R6).
    Watches,
    /// Processes die at any time (R1), and the machine sleeps (R23).
    Deaths,
    /// All of it.
    Storm,
    /// Two processes elect a leader while one is cut off, or dies (R24, R25).
    Leaders,
}

impl Profile {
    pub(crate) fn of(seed: u64) -> Self {
        let chosen = Chance::seeded(seed).bits() as usize % Self::BY_CHANCE.len();
        Self::BY_CHANCE.get(chosen).copied().unwrap_or_default()
    }

    const BY_CHANCE: [Self; 7] = [
        Self::Requests,
        Self::Refusals,
        Self::Late,
        Self::Watches,
        Self::Deaths,
        Self::Storm,
        Self::Leaders,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Requests => "requests",
            Self::Refusals => "refusals",
            Self::Late => "late",
            Self::Watches => "watches",
            Self::Deaths => "deaths",
            Self::Storm => "storm",
            Self::Leaders => "leaders",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::BY_CHANCE
            .into_iter()
            .chain([Self::Calm])
            .find(|profile| profile.name() == name)
    }

    fn weather(self) -> Weather {
        let late_max = Duration::from_secs(3);
        let calm = Weather {
            late_max,
            ..Weather::default()
        };
        match self {
            Self::Calm | Self::Deaths => calm,
            Self::Requests => Weather {
                refused: 80,
                lost: 40,
                reset: 40,
                ..calm
            },
            Self::Refusals => Weather {
                denied: 80,
                plugin: 200,
                ..calm
            },
            Self::Late => Weather {
                late: 300,
                watch: 300,
                ..calm
            },
            Self::Watches => Weather {
                watch: 200,
                frozen: 40,
                ..calm
            },
            Self::Storm => Weather {
                refused: 40,
                denied: 10,
                plugin: 50,
                lost: 20,
                reset: 20,
                late: 100,
                watch: 100,
                frozen: 10,
                ..calm
            },
            Self::Leaders => Weather { late: 50, ..calm },
        }
    }

    /// What may happen at any time, besides.
    fn mishaps(self) -> &'static [Mishap] {
        match self {
            Self::Calm | Self::Requests | Self::Late => &[],
            Self::Refusals => &[Mishap::Outage],
            Self::Watches => &[Mishap::DropWatches, Mishap::Compact],
            Self::Deaths => &[Mishap::Kill, Mishap::Sleep],
            Self::Storm => &[
                Mishap::DropWatches,
                Mishap::Compact,
                Mishap::Kill,
                Mishap::Sleep,
                Mishap::Cut,
            ],
            Self::Leaders => &[Mishap::Kill, Mishap::Cut, Mishap::StealLease],
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Mishap {
    Kill,
    Cut,
    Outage,
    Sleep,
    DropWatches,
    Compact,
    StealLease,
}

/// How it went.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<String>,
    /// Requests of the processes, watches aside.
    pub(crate) requests: usize,
    /// Those of them until the story came true.
    pub(crate) requests_told: usize,
    pub(crate) digest: u64,
    pub(crate) trace: Vec<String>,
}

/// Runs a story.
pub(crate) fn run(kit: &Kit, script: &Script, plan: &Plan) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(async { Stage::new(kit, script, plan).tell().await }),
        Err(error) => Outcome {
            violations: vec![format!("no runtime: {error}")],
            requests: 0,
            requests_told: 0,
            digest: 0,
            trace: Vec::new(),
        },
    }
}

struct Stage<'a> {
    kit: &'a Kit,
    script: &'a Script,
    plan: &'a Plan,
    server: Arc<DevCluster>,
    network: Arc<Network>,
    user: KubeCluster,
    processes: Arc<Processes>,
    commits: BTreeMap<&'static str, u64>,
    /// UIDs and resource versions of what Flux had applied: resource and name.
    handed: BTreeMap<(String, String), (String, String)>,
}

impl<'a> Stage<'a> {
    fn new(kit: &'a Kit, script: &'a Script, plan: &'a Plan) -> Self {
        let config = Config {
            simulate_workloads: script.has_workloads,
            ..Config::default()
        };
        let server = Arc::new(DevCluster::in_process(&config));
        let chance = Chance::seeded(plan.seed ^ 0x5eed);
        let network = Network::new(
            server.service(),
            chance,
            Judge::new(server.clone()),
            plan.is_traced,
        );
        let client = Client::new(server.service(), NAMESPACE);
        let user = KubeCluster::new(client, RetryPolicy::default()).with_chance(Chance::seeded(plan.seed));
        let elects_leader = plan.profile == Profile::Leaders;
        let processes = Processes::new(kit, network.clone(), plan.seed, elects_leader);
        Self {
            kit,
            script,
            plan,
            server,
            network,
            user,
            processes,
            commits: BTreeMap::new(),
            handed: BTreeMap::new(),
        }
    }

    async fn tell(mut self) -> Outcome {
        let told = self.steps().await;
        let requests_told = self.network.requests();
        let told = match told {
            Ok(()) => self.rest().await,
            failed => failed,
        };
        let mut violations = self.network.judge().violations().to_vec();
        violations.extend(told.err());
        Outcome {
            violations,
            requests: self.network.requests(),
            requests_told,
            digest: self.network.digest(),
            trace: self.network.trace(),
        }
    }

    async fn steps(&mut self) -> Result<(), String> {
        self.prepare()
            .await
            .map_err(|error| format!("the server cannot be prepared: {error}"))?;
        for crash in &self.plan.crashes {
            self.network.add_crash(*crash);
        }
        self.network.set_weather(self.plan.profile.weather());
        let processes = if self.plan.profile == Profile::Leaders {
            2
        } else {
            1
        };
        for _ in 0..processes {
            tokio::spawn(self.processes.clone().keep_one());
        }
        let mishaps = tokio::spawn(mishaps(
            self.plan.profile.mishaps(),
            Chance::seeded(self.plan.seed ^ 0xbad),
            self.server.clone(),
            self.user.clone(),
            self.processes.clone(),
            self.network.clone(),
        ));
        let script = self.script;
        for step in &script.steps {
            self.network.note(|| format!("step {step:?}"));
            self.step(step).await?;
        }
        mishaps.abort();
        self.network.set_weather(Weather::default());
        self.network.set_outage(false);
        for wire in self.processes.running() {
            wire.cut(false);
        }
        self.until(script.goals(), CONVERGES_WITHIN)
            .await
            .map_err(|error| format!("I1: {error}"))
    }

    /// Nothing happens any more: no write (I8), and nothing grows (I10).
    async fn rest(&self) -> Result<(), String> {
        // what was under way comes to its end
        tokio::time::sleep(Duration::from_secs(5 * 60)).await;
        let metrics = tokio::runtime::Handle::current().metrics();
        let (writes, tasks) = (self.network.judge().writes(), metrics.num_alive_tasks());
        self.network.note(|| "quiet from here on".to_owned());
        tokio::time::sleep(self.quiet()).await;
        self.until(self.script.goals(), Duration::ZERO)
            .await
            .map_err(|error| format!("I1, later: {error}"))?;
        let written = self.network.judge().writes() - writes;
        if written > 0 {
            return Err(format!("I8: {written} writes although nothing happens"));
        }
        let grown = metrics.num_alive_tasks().saturating_sub(tasks);
        if grown > 0 {
            return Err(format!("I10: {grown} tasks more than an hour ago"));
        }
        Ok(())
    }

    fn quiet(&self) -> Duration {
        let nth = match self.plan.crashes.first() {
            Some(crash) => crash.request as u64,
            None => Chance::seeded(self.plan.seed ^ 0x9e57).bits(),
        };
        if nth.is_multiple_of(QUIET_SHARE) {
            QUIET
        } else {
            QUIET_SHORT
        }
    }

    async fn prepare(&self) -> Result<(), RequestError> {
        for definition in &self.kit.definitions {
            self.put("user", definition.clone()).await?;
        }
        let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": NAMESPACE } });
        self.put("user", namespace).await
    }

    async fn step(&mut self, step: &Step) -> Result<(), String> {
        let done = match step {
            Step::Commit(source, _) => {
                let count = self.commits.entry(source).or_default();
                *count += 1;
                let count = *count;
                self.offer(source, count).await
            }
            Step::Rewind(source, number) => {
                self.network.judge().rewound(*number);
                self.offer(source, *number).await
            }
            Step::Put(object) => self.put("user", object.clone()).await,
            Step::Flux(objects) => self.applied_by_flux(objects).await,
            Step::Edit(api_version, kind, name, patch) => {
                let id = id(api_version, kind, NAMESPACE, name);
                self.merge("kubectl-edit", &id, patch.clone(), None).await
            }
            Step::Status(api_version, kind, name, status) => {
                let id = id(api_version, kind, NAMESPACE, name);
                let patch = json!({ "status": status });
                self.merge("its-controller", &id, patch, Some("status")).await
            }
            Step::Delete(api_version, kind, name) => {
                let namespace = match *kind {
                    "CustomResourceDefinition" => "",
                    _ => NAMESPACE,
                };
                let id = id(api_version, kind, namespace, name);
                self.user
                    .delete(&Identity::AsController, &id, Preconditions::default())
                    .await
                    .map(drop)
            }
            Step::Wait(time) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Step::Until(goals) => return self.until(goals, PATIENCE).await,
        };
        match done {
            // what is edited may just be gone
            Err(error) if error.is_not_found() => Ok(()),
            done => done.map_err(|error| format!("{step:?}: {error}")),
        }
    }

    /// The source has this of its revisions.
    async fn offer(&self, source: &'static str, number: u64) -> Result<(), RequestError> {
        let artifact = self.kit.artifact(self.script.name, source, number);
        let object = json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
            "metadata": { "name": source, "namespace": NAMESPACE }, "spec": { "interval": "1h", "url": "https://sim.invalid/src.git" },
        });
        self.put("user", object).await?;
        let id = id("source.toolkit.fluxcd.io/v1", "GitRepository", NAMESPACE, source);
        self.merge(
            "source-controller",
            &id,
            json!({ "status": { "artifact": artifact } }),
            Some("status"),
        )
        .await
    }

    /// Flux's controller has applied these for the Kustomization `apps`, at the source's first revision.
    async fn applied_by_flux(&mut self, objects: &[Value]) -> Result<(), RequestError> {
        let labels = json!({ "metadata": { "namespace": NAMESPACE, "labels": {
            "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE,
        } } });
        let mut entries = Vec::new();
        for object in objects {
            let mut object = object.clone();
            sluice_object::merge(&mut object, labels.clone());
            let name = text(&object, "/metadata/name");
            self.put("kustomize-controller", object).await?;
            entries.push(json!({ "id": format!("{NAMESPACE}_{name}__ConfigMap"), "v": "v1" }));
            if let Some(made) = self.server.object("/configmaps", NAMESPACE, &name) {
                self.handed
                    .insert(("/configmaps".to_owned(), name), identity(&made));
            }
        }
        let status = json!({ "status": {
            "inventory": { "entries": entries }, "observedGeneration": 1,
            "lastAppliedRevision": "main@sha1:r1", "lastAttemptedRevision": "main@sha1:r1",
        } });
        let id = id(
            "kustomize.toolkit.fluxcd.io/v1",
            "Kustomization",
            NAMESPACE,
            "apps",
        );
        self.merge("gotk-kustomize-controller", &id, status, Some("status"))
            .await
    }

    async fn put(&self, manager: &str, object: Value) -> Result<(), RequestError> {
        let id = id(
            &text(&object, "/apiVersion"),
            &text(&object, "/kind"),
            &text(&object, "/metadata/namespace"),
            &text(&object, "/metadata/name"),
        );
        let options = PatchOptions {
            manager,
            ..PatchOptions::default()
        };
        self.user
            .patch(&Identity::AsController, &id, Patch::Apply(object), options)
            .await
            .map(drop)
    }

    async fn merge(
        &self,
        manager: &str,
        id: &ObjectId,
        patch: Value,
        subresource: Option<&str>,
    ) -> Result<(), RequestError> {
        let options = PatchOptions {
            manager,
            subresource,
            ..PatchOptions::default()
        };
        self.user
            .patch(&Identity::AsController, id, Patch::Merge(patch), options)
            .await
            .map(drop)
    }

    async fn until(&self, goals: &[Goal], patience: Duration) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        loop {
            let missed: Vec<String> = goals.iter().filter_map(|goal| self.missed(goal)).collect();
            if missed.is_empty() {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(format!("not within {patience:?}: {}", missed.join("; ")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// What is not as a goal says.
    fn missed(&self, goal: &Goal) -> Option<String> {
        let kustomizations = "kustomize.toolkit.fluxcd.io/kustomizations";
        match goal {
            Goal::Ready(name, revision) => {
                let Some(ks) = self.server.object(kustomizations, NAMESPACE, name) else {
                    return Some(format!("{name} is not there"));
                };
                let ready = ready(&ks);
                let applied = ks
                    .pointer("/status/lastAppliedRevision")
                    .and_then(Value::as_str)
                    .map_or(0, number);
                let is_observed =
                    ks.pointer("/status/observedGeneration") == ks.pointer("/metadata/generation");
                let is_it = ready.0 == "True" && applied == *revision && is_observed;
                (!is_it).then(|| format!("{name} is not ready at r{revision} but {ready:?}, applied r{applied}, observed {is_observed}"))
            }
            Goal::Failed(name, reason) => {
                let ks = self
                    .server
                    .object(kustomizations, NAMESPACE, name)
                    .unwrap_or_default();
                let ready = ready(&ks);
                (ready.0 != "False" || ready.1 != *reason)
                    .then(|| format!("{name} has not failed with {reason} but {ready:?}"))
            }
            Goal::Value(name, value) => {
                let object = self.server.object("/configmaps", NAMESPACE, name);
                let found = object
                    .as_ref()
                    .and_then(|object| object.pointer("/data/key")?.as_str());
                (found != Some(value)).then(|| format!("ConfigMap {name} is {found:?}, not {value:?}"))
            }
            Goal::OneOf(name, values) => {
                let object = self.server.object("/configmaps", NAMESPACE, name);
                let found = object
                    .as_ref()
                    .and_then(|object| object.pointer("/data/key")?.as_str());
                let is_one = found.is_some_and(|found| values.contains(&found));
                (!is_one).then(|| format!("ConfigMap {name} is {found:?}, not one of {values:?}"))
            }
            Goal::Told(name, at_most) => {
                let told = self.network.judge().told(name);
                (told > *at_most).then(|| format!("{name} has told {told} events, not {at_most} at most"))
            }
            Goal::AsHanded(resource, name) => {
                let object = self.server.object(resource, NAMESPACE, name);
                let key = ((*resource).to_owned(), (*name).to_owned());
                let (now, before) = (object.as_deref().map(identity), self.handed.get(&key));
                (now.as_ref() != before || now.is_none())
                    .then(|| format!("{resource} {name} was {before:?}, is {now:?}"))
            }
            Goal::Absent(resource, name) => self
                .any(resource, name)
                .then(|| format!("{resource} {name} is there")),
            Goal::Present(resource, name) => {
                (!self.any(resource, name)).then(|| format!("{resource} {name} is not there"))
            }
        }
    }

    fn any(&self, resource: &str, name: &str) -> bool {
        [NAMESPACE, ""]
            .iter()
            .any(|namespace| self.server.object(resource, namespace, name).is_some())
    }
}

fn text(object: &Value, pointer: &str) -> String {
    sluice_testkit::world::text(object, pointer).unwrap_or_default()
}

/// UID and resource version.
fn identity(object: &Value) -> (String, String) {
    (
        text(object, "/metadata/uid"),
        text(object, "/metadata/resourceVersion"),
    )
}

fn ready(ks: &Value) -> (String, String, String) {
    sluice_testkit::world::condition(ks, "Ready")
}

fn id(api_version: &str, kind: &str, namespace: &str, name: &str) -> ObjectId {
    ObjectId {
        gvk: GroupVersionKind::new(api_version, kind),
        namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
        name: name.to_owned(),
    }
}

/// Lets something happen every now and then, until it is aborted.
async fn mishaps(
    kinds: &'static [Mishap],
    chance: Chance,
    server: Arc<DevCluster>,
    user: KubeCluster,
    processes: Arc<Processes>,
    network: Arc<Network>,
) {
    // a process needs some time in peace to get anywhere: what happens gets rarer
    let mut pause = 2.0;
    while !kinds.is_empty() {
        tokio::time::sleep(Duration::from_secs_f64(pause * chance.share())).await;
        pause *= 1.5;
        let Some(mishap) = kinds.get(chance.bits() as usize % kinds.len()) else {
            return;
        };
        let running = processes.running();
        let one = running
            .get(chance.bits() as usize % running.len().max(1))
            .cloned();
        match mishap {
            Mishap::Kill => one.iter().for_each(|wire| wire.kill()),
            Mishap::Cut => {
                let Some(wire) = one else { continue };
                wire.cut(true);
                tokio::time::sleep(Duration::from_secs_f64(60.0 * chance.share())).await;
                wire.cut(false);
            }
            Mishap::Outage => {
                network.set_outage(true);
                tokio::time::sleep(Duration::from_secs_f64(60.0 * chance.share())).await;
                network.set_outage(false);
            }
            // nothing runs for ten minutes, then everything is due at once
            Mishap::Sleep => tokio::time::advance(Duration::from_secs(600)).await,
            Mishap::DropWatches => server.drop_watches(None),
            Mishap::Compact => server.compact(),
            Mishap::StealLease => {
                let id = id(
                    "coordination.k8s.io/v1",
                    "Lease",
                    NAMESPACE,
                    "kustomize-controller-leader-election",
                );
                let options = PatchOptions {
                    manager: "thief",
                    ..PatchOptions::default()
                };
                let patch = Patch::Merge(json!({ "spec": { "holderIdentity": "thief" } }));
                // there may be none yet
                let _stolen = user.patch(&Identity::AsController, &id, patch, options).await;
            }
        }
    }
}
