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
