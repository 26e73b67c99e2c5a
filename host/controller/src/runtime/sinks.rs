//! Where events go: into the cluster, and to the notification-controller. Both have bounded queues and never hold a reconcile.

mod correlate;

use correlate::{Correlator, Fate};
use serde_json::{Value, json};
use sluice_apply::cluster::{Cluster, Identity, Patch, PatchOptions, RequestError};
use sluice_event::events::EventDropped;
use sluice_event::{ObjectEvent, Sink};
use sluice_object::{GroupVersionKind, ObjectId};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Events that may wait for a sink; more are dropped and counted.
const QUEUE_EVENTS_MAX: usize = 4096;
/// Lanes to the notification-controller work side by side; events of one object stay in one lane and so in order.
const NOTIFICATION_LANES: usize = 4;
/// Flux's client gives up after so long.
const NOTIFY_TIMEOUT: Duration = Duration::from_secs(5);
/// Flux's client tries so often after the first time. It waits for a second, and each time twice as long.
const NOTIFY_RETRIES: u32 = 4;

fn send(sink: &'static str, queue: &mpsc::Sender<Arc<ObjectEvent>>, event: &Arc<ObjectEvent>) {
    if queue.try_send(event.clone()).is_err() {
        EventDropped {
            sink,
            error: "its queue is full",
        }
        .emit();
    }
}

/// core/v1 Events in the object's namespace, one after another as client-go's recorder sends them: in a storm of work they
/// trickle, and the work has the API server.
pub(crate) struct KubernetesEvents(mpsc::Sender<Arc<ObjectEvent>>);

impl KubernetesEvents {
    /// Starts sending; it ends when the sink is dropped.
    pub(crate) fn start(cluster: Arc<dyn Cluster>) -> Self {
        let (sender, mut receiver) = mpsc::channel::<Arc<ObjectEvent>>(QUEUE_EVENTS_MAX);
        tokio::spawn(async move {
            let mut correlator = Correlator::default();
            while let Some(event) = receiver.recv().await {
                if let Err(error) = tell(&*cluster, &mut correlator, &event).await {
                    EventDropped {
                        sink: "kubernetes",
                        error: &error.to_string(),
                    }
                    .emit();
                }
            }
        });
        Self(sender)
    }
}

async fn tell(
    cluster: &dyn Cluster,
    correlator: &mut Correlator,
    event: &ObjectEvent,
) -> Result<(), RequestError> {
    match correlator.fate(event, Instant::now()) {
        Fate::New => create(cluster, event).await,
        Fate::Again(name, count) => match count_again(cluster, event, name, count).await {
            // events expire
            Err(error) if error.is_not_found() => {
                correlator.starts_over(event);
                create(cluster, event).await
            }
            counted => counted,
        },
        Fate::Dropped => {
            EventDropped {
                sink: "kubernetes",
                error: "its object told too much: 25 events at once, then one in five minutes",
            }
            .emit();
            Ok(())
        }
    }
}

/// The same as an event that is there: its count goes up.
async fn count_again(
    cluster: &dyn Cluster,
    event: &ObjectEvent,
    name: String,
    count: u32,
) -> Result<(), RequestError> {
    let id = id(event.place().0, name);
    let patch = json!({ "count": count, "lastTimestamp": event.told_at() });
    let options = PatchOptions {
        manager: event.controller,
        ..PatchOptions::default()
    };
    cluster
        .patch(&Identity::AsController, &id, Patch::Merge(patch), options)
        .await
        .map(drop)
}

async fn create(cluster: &dyn Cluster, event: &ObjectEvent) -> Result<(), RequestError> {
    let (namespace, name) = event.place();
    let id = id(namespace, name);
    let body = serde_json::to_vec(&event.core_v1())
        .map_err(|error| RequestError::Transport(format!("the event cannot be written: {error}")))?;
    match cluster.record(&Identity::AsController, &id, body).await {
        // the namespace is going away and takes its events with it
        Err(error) if error.is_not_found() || error.code() == 403 => Ok(()),
        recorded => recorded,
    }
}

fn id(namespace: &str, name: String) -> ObjectId {
    ObjectId {
        gvk: GroupVersionKind::new("v1", "Event"),
        namespace: Some(namespace.to_owned()),
        name,
    }
}

impl Sink for KubernetesEvents {
    fn record(&self, event: &Arc<ObjectEvent>) {
        send("kubernetes", &self.0, event);
    }
}

/// JSON to `--events-addr`. A queue for each lane, by the object's name.
pub(crate) struct Notifications(Vec<mpsc::Sender<Arc<ObjectEvent>>>);

impl Notifications {
    /// Starts the lanes.
    ///
    /// # Errors
    /// Where no HTTP client can be made or the address is no URL.
    pub(crate) fn start(address: &str) -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder().timeout(NOTIFY_TIMEOUT).build()?;
        client.post(address).build()?;
        let lanes = (0..NOTIFICATION_LANES).map(|_| {
            let (sender, mut receiver) =
                mpsc::channel::<Arc<ObjectEvent>>(QUEUE_EVENTS_MAX / NOTIFICATION_LANES);
            let (client, address) = (client.clone(), address.to_owned());
            tokio::spawn(async move {
                while let Some(event) = receiver.recv().await {
                    if let Some(body) = event.notification() {
                        post(&client, &address, &body).await;
                    }
                }
            });
            sender
        });
        Ok(Self(lanes.collect()))
    }
}

impl Sink for Notifications {
    fn record(&self, event: &Arc<ObjectEvent>) {
        let mut hasher = DefaultHasher::new();
        (&event.subject.kind, &event.subject.namespace, &event.subject.name).hash(&mut hasher);
        let lane = usize::try_from(hasher.finish() % self.0.len().max(1) as u64).unwrap_or(0);
        if let Some(lane) = self.0.get(lane) {
            send("notification", lane, event);
        }
    }
}

async fn post(client: &reqwest::Client, address: &str, body: &Value) {
    let body = body.to_string();
    for attempt in 0..=NOTIFY_RETRIES {
        let sent = client
            .post(address)
            .header("Content-Type", "application/json")
            .body(body.clone())
            .send()
            .await;
        let error = match sent {
            // 429 means the same event was sent lately, other 4xx that it is not wanted: neither is worth a line
            Ok(response) if !response.status().is_server_error() => return,
            Ok(response) => format!("{address} answered {}", response.status()),
            Err(error) => sluice_event::cause::whole(&error),
        };
        if attempt == NOTIFY_RETRIES {
            return EventDropped {
                sink: "notification",
                error: &error,
            }
            .emit();
        }
        tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
    }
}
