use crate::runtime::LeaseTimes;
use sluice_object::GroupKind;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

/// The feature gates of Flux's source-controller and kustomize-controller, in Flux's names.
pub mod gates {
    /// `readyExpr` of a dependency is asked beside its health, not in place of it.
    pub const ADDITIVE_READY_EXPRESSIONS: &str = "AdditiveCELDependencyCheck";
    /// ExternalArtifacts are sources.
    pub const EXTERNAL_ARTIFACT: &str = "ExternalArtifact";
    /// Entries of managers move to the version that is applied.
    pub const MIGRATE_API_VERSION: &str = "MigrateAPIVersion";
    /// No event asks for another commit status after a pass that changed nothing.
    pub const NO_COMMIT_STATUS: &str = "DisableCommitStatusEvent";
    /// ConfigMaps and Secrets that are named are not watched.
    pub const NO_CONFIG_WATCHERS: &str = "DisableConfigWatchers";
    /// A health check goes on although an object has failed.
    pub const NO_FAIL_FAST: &str = "DisableFailFastBehavior";
    /// Identities that belong to objects.
    pub const OBJECT_IDENTITY: &str = "ObjectLevelWorkloadIdentity";
    /// A variable that nobody sets is an error.
    pub const STRICT_SUBSTITUTION: &str = "StrictPostBuildSubstitutions";

    /// All that may be named: those above, and those that change nothing here.
    pub const KNOWN: [&str; 13] = [
        ADDITIVE_READY_EXPRESSIONS,
        EXTERNAL_ARTIFACT,
        MIGRATE_API_VERSION,
        NO_COMMIT_STATUS,
        NO_CONFIG_WATCHERS,
        NO_FAIL_FAST,
        OBJECT_IDENTITY,
        STRICT_SUBSTITUTION,
        "CacheSecretsAndConfigMaps",
        "CancelHealthCheckOnNewRevision",
        "DirectSourceFetch",
        "DisableStatusPollerCache",
        "GroupChangeLog",
    ];
}

/// Everything that can be set, named after Flux's flags (compat/kustomize.md section 12, compat/cli.md section 21).
#[derive(Clone, Debug)]
pub struct ControllerConfig {
    /// `--concurrent`: Kustomizations worked on at once. Waiting ones do not count.
    pub concurrent: usize,
    /// `--concurrent` of the sources.
    pub concurrent_sources: usize,
    /// `--concurrent-ssa`: requests of one Kustomization at once.
    pub concurrent_ssa: usize,
    /// `--requeue-dependency`: safety net for objects that wait for a source or a dependency; events wake them before.
    pub requeue_dependency: Duration,
    /// `--interval-jitter-percentage`.
    pub interval_jitter_percentage: u8,
    /// `--min-retry-delay`: first delay after an error that may heal by itself.
    pub min_retry_delay: Duration,
    /// `--max-retry-delay`.
    pub max_retry_delay: Duration,
    /// `--no-cross-namespace-refs`.
    pub no_cross_namespace_refs: bool,
    /// `--default-service-account`.
    pub default_service_account: Option<String>,
    /// `--default-decryption-service-account`: whose tokens Vault is logged in to with.
    pub default_decryption_service_account: Option<String>,
    /// `--default-kubeconfig-service-account`: whose tokens remote clusters get.
    pub default_kubeconfig_service_account: Option<String>,
    /// Whether referenced Secrets and ConfigMaps are read in the tenant's name, as in the locked profile. Flux reads them
    /// in its own.
    pub read_references_as_tenant: bool,
    /// `--insecure-kubeconfig-tls`: kubeconfigs may switch the verification of TLS off.
    pub insecure_kubeconfig_tls: bool,
    /// `--sops-age-secret`: a Secret in `runtime_namespace` with age identities for those who name none.
    pub sops_age_secret: Option<String>,
    /// `--sops-vault-configmap`: a ConfigMap in `runtime_namespace` with the Vault servers that may be logged in to.
    pub sops_vault_config_map: Option<String>,
    /// `--sops-verify-mac`: whether the MAC of a SOPS file counts. Flux ignores it.
    pub sops_verify_mac: bool,
    /// `--prune-guard`: whether a prune that looks like an accident waits for approval.
    pub prune_guard: bool,
    /// `--override-manager`: field managers whose fields are taken over.
    pub override_managers: Vec<String>,
    /// `--custom-apply-stage-kinds`: applied between classes and the rest.
    pub custom_apply_stage_kinds: Vec<GroupKind>,
    /// `--watch-all-namespaces`; false: only `runtime_namespace`.
    pub watch_all_namespaces: bool,
    /// `--watch-label-selector`: sharding.
    pub watch_label_selector: Option<String>,
    /// `--watch-configs-label-selector`.
    pub watch_configs_label_selector: String,
    /// `--enable-leader-election`.
    pub enable_leader_election: bool,
    /// How long a leader leads without renewing.
    pub lease: LeaseTimes,
    /// Namespace of this process: `RUNTIME_NAMESPACE`.
    pub runtime_namespace: String,
    /// `--events-addr`: where the notification-controller listens, none for Kubernetes Events only.
    pub events_addr: Option<String>,
    /// `--metrics-addr`, none switches the endpoint off.
    pub metrics_addr: Option<SocketAddr>,
    /// `--health-addr`, none switches the endpoint off.
    pub health_addr: Option<SocketAddr>,
    /// `--feature-gates`, Flux's names.
    pub feature_gates: BTreeMap<String, bool>,
    /// How often everything is looked at anew although no watch told of a change. The safety net under the watches.
    pub full_verification_interval: Duration,
    /// How long a stopping process waits for work that has begun.
    pub graceful_shutdown_timeout: Duration,
    /// The content of `--sigstore-trusted-root`: whom keyless signatures are checked against where the object names no root.
    pub trusted_root: Option<std::sync::Arc<[u8]>>,
    /// Whether to wait while Flux's own controllers hold their Leases. Off in `sluice dev`, where there are none.
    pub await_flux_leases: bool,
}

impl Default for ControllerConfig {
    fn default() -> Self {
        Self {
            concurrent: 4,
            concurrent_sources: 2,
            concurrent_ssa: 4,
            requeue_dependency: Duration::from_secs(30),
            interval_jitter_percentage: 5,
            min_retry_delay: Duration::from_millis(750),
            max_retry_delay: Duration::from_secs(15 * 60),
            no_cross_namespace_refs: false,
            default_service_account: None,
            default_decryption_service_account: None,
            default_kubeconfig_service_account: None,
            read_references_as_tenant: false,
            insecure_kubeconfig_tls: false,
            sops_age_secret: None,
            sops_vault_config_map: None,
            sops_verify_mac: true,
            prune_guard: true,
            override_managers: Vec::new(),
            custom_apply_stage_kinds: Vec::new(),
            watch_all_namespaces: true,
            watch_label_selector: None,
            watch_configs_label_selector: "reconcile.fluxcd.io/watch=Enabled".to_owned(),
            enable_leader_election: false,
            lease: LeaseTimes::default(),
            runtime_namespace: "flux-system".to_owned(),
            events_addr: None,
            metrics_addr: None,
            health_addr: None,
            feature_gates: BTreeMap::new(),
            full_verification_interval: Duration::from_secs(3600),
            graceful_shutdown_timeout: Duration::from_secs(30),
            trusted_root: None,
            await_flux_leases: true,
        }
    }
}

impl ControllerConfig {
    /// Whether a feature gate of [`gates`] is on. Defaults are Flux 2.9's.
    pub fn gate(&self, name: &str) -> bool {
        let default = name == gates::STRICT_SUBSTITUTION;
        self.feature_gates.get(name).copied().unwrap_or(default)
    }
}
