//! One file a story.

pub mod classes;
pub mod cli_view;
pub mod cluster_scoped;
pub mod controls;
pub mod definition_and_object;
pub mod deletion;
pub mod deletion_policy;
pub mod dependencies;
pub mod drift;
pub mod events;
pub mod expressions;
pub mod fight;
pub mod handover;
pub mod health;
pub mod history;
pub mod ignore;
pub mod immutable;
pub mod install;
pub mod malformed;
pub mod namespace_and_content;
pub mod passing_jobs;
pub mod protected;
pub mod prune;
pub mod quota;
pub mod remote_cluster;
pub mod rename;
pub mod retry;
pub mod rollback;
pub mod root_causes;
pub mod served_versions;
pub mod shards;
pub mod shared;
pub mod supersede;
pub mod suspend;
pub mod tenant;
pub mod upgrade;
pub mod variables;
pub mod version_dropped;
pub mod webhook_denies;
pub mod webhook_mutates;

mod prelude {
    pub(super) use serde_json::{Value, json};
    pub(super) use sluice_testkit::webhook::Webhook;
    pub(super) use sluice_testkit::world::{
        CM, DEPLOYMENT, GIT, KS, NAMESPACE, SECRET, World, condition, config_map, inventory, text,
    };

    /// Puts the configuration of a webhook in force: until the API server asks it.
    pub(super) async fn asked_for(world: &World, webhook: &Webhook, configuration: Value) {
        world.put(configuration).await;
        let mut times = 0;
        world
            .until("the webhook is asked", async || {
                times += 1;
                world.put(config_map("probe", &times.to_string())).await;
                (webhook.asked() > 0).then_some(())
            })
            .await;
        world.delete(CM, "probe").await;
    }

    /// A kind in two versions, the older of which its definition may cease to serve.
    pub(super) struct Lamps {
        group: String,
        old: String,
        current: String,
    }

    impl Lamps {
        /// Defines them, in a group of this world's own: a real server is shared.
        pub(super) async fn new(world: &World) -> Self {
            let group = format!("{}.example.com", world.namespace);
            let lamps = Self {
                old: format!("{group}/v1beta1"),
                current: format!("{group}/v1"),
                group,
            };
            world.put(lamps.definition(true)).await;
            for kind in [lamps.old(), lamps.current()] {
                world
                    .until("the kind is served", async || world.list(kind, "").await)
                    .await;
            }
            lamps
        }

        /// apiVersion and kind in the version that is not stored.
        pub(super) fn old(&self) -> (&str, &str) {
            (&self.old, "Lamp")
        }

        /// The same in the one that stays.
        pub(super) fn current(&self) -> (&str, &str) {
            (&self.current, "Lamp")
        }

        /// From now on the older version is not served.
        pub(super) async fn drop_old(&self, world: &World) {
            world.put(self.definition(false)).await;
            world
                .until("the old version is not served", async || {
                    world.list(self.old(), "").await.is_none().then_some(())
                })
                .await;
        }

        fn definition(&self, is_old_served: bool) -> Value {
            let version = |name: &str, is_served: bool| {
                json!({
                    "name": name, "served": is_served, "storage": name == "v1",
                    "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
                })
            };
            json!({
                "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "metadata": { "name": format!("lamps.{}", self.group) },
                "spec": {
                    "group": self.group, "scope": "Namespaced",
                    "names": { "kind": "Lamp", "plural": "lamps", "singular": "lamp" },
                    "versions": [version("v1", true), version("v1beta1", is_old_served)],
                },
            })
        }
    }

    /// A lamp that is on, as a file has it; `kind`: apiVersion and kind.
    pub(super) fn lamp((api_version, kind): (&str, &str), name: &str) -> Value {
        json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name }, "spec": { "is": "on" } })
    }

    /// A Deployment of one Pod.
    pub(super) fn deployment(name: &str, image: &str) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
            "spec": {
                "selector": { "matchLabels": { "app": name } },
                "template": {
                    "metadata": { "labels": { "app": name } },
                    "spec": { "containers": [{ "name": "main", "image": image }] },
                },
            },
        })
    }
}
