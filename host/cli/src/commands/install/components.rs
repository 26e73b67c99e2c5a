//! Which of Flux's controllers a cluster has: two of them are this program, the others are Flux's own and work beside it.

use anyhow::{Result, bail, ensure};
use clap::Args;

/// Those whose work is done here, by one process.
pub(crate) const OURS: [&str; 2] = ["source-controller", "kustomize-controller"];
/// Those that are Flux's own programs.
pub(crate) const FLUX: [&str; 5] = [
    HELM,
    NOTIFICATION,
    "image-reflector-controller",
    "image-automation-controller",
    WATCHER,
];
/// Acts as the cluster's administrator where a HelmRelease names no account.
pub(super) const HELM: &str = "helm-controller";
const NOTIFICATION: &str = "notification-controller";
const WATCHER: &str = "source-watcher";

#[derive(Args, Debug)]
pub(super) struct Components {
    /// Which of Flux's controllers the cluster has. The first two are this program; others are Flux's own and not printed here:
    /// with notification-controller events go there, with source-watcher its ExternalArtifacts are taken
    #[arg(long, value_delimiter = ',', value_name = "NAME", default_values = OURS)]
    components: Vec<String>,
    /// More of them
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    components_extra: Vec<String>,
}

impl Components {
    /// Those that are named; an empty list names none.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.components.iter().chain(&self.components_extra);
        names.map(String::as_str).filter(|name| !name.is_empty())
    }

    fn has(&self, component: &str) -> bool {
        self.names().any(|name| name == component)
    }

    /// Refuses names that Flux does not know, and what one process cannot leave out.
    pub(super) fn check(&self) -> Result<()> {
        let known = |name: &str| OURS.contains(&name) || FLUX.contains(&name);
        if let Some(name) = self.names().find(|name| !known(name)) {
            bail!("component {name} is not available");
        }
        for component in OURS {
            ensure!(
                self.has(component),
                "--components without {component}: one process does the work of {}; name both",
                OURS.join(" and ")
            );
        }
        Ok(())
    }

    /// Those that are named and not printed, once each.
    pub(super) fn elsewhere(&self) -> Vec<&'static str> {
        FLUX.into_iter().filter(|component| self.has(component)).collect()
    }

    /// Where events go where nothing else is said.
    pub(super) fn events_addr(&self, cluster_domain: &str) -> String {
        match self.has(NOTIFICATION) {
            true => format!("http://{NOTIFICATION}.$(RUNTIME_NAMESPACE).svc.{cluster_domain}./"),
            false => String::new(),
        }
    }

    /// Whether ExternalArtifacts are taken: source-watcher makes them.
    pub(super) fn has_watcher(&self) -> bool {
        self.has(WATCHER)
    }
}
