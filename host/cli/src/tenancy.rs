//! Flags of `sluice controller` about who may do what: identities, secrets, other clusters, large prunes.

use anyhow::{Result, bail};
use clap::{ArgAction, Args, ValueEnum};
use sluice_controller::{ControllerConfig, gates};

/// How much a tenant is trusted (compat: kustomize, section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    /// As Flux by default: references may lead to other namespaces, and who names no account acts as the controller
    Flux,
    /// Nobody acts as the controller: needs --default-service-account, implies --no-cross-namespace-refs, and Secrets and
    /// ConfigMaps that an object refers to are read in its own account's name
    Locked,
}

impl Profile {
    /// As the flag takes it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Flux => "flux",
            Self::Locked => "locked",
        }
    }
}

/// Whether large prunes wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PruneGuard {
    /// A prune of ten or more objects that are more than half of what is owned waits for approval
    On,
    /// Every prune passes, as in Flux
    Off,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Tenancy")]
pub(crate) struct Tenancy {
    /// How much tenants are trusted
    #[arg(long, value_enum, default_value = "flux")]
    pub(crate) profile: Profile,
    /// Refuse references to other namespaces
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    no_cross_namespace_refs: bool,
    /// Act as this service account where an object names none
    #[arg(long, value_name = "NAME")]
    default_service_account: Option<String>,
    /// Log in to Vault as this service account where an object names none; needs ObjectLevelWorkloadIdentity
    #[arg(long, value_name = "NAME")]
    default_decryption_service_account: Option<String>,
    /// Authenticate to remote clusters as this service account where a ConfigMap names none; needs ObjectLevelWorkloadIdentity
    #[arg(long, value_name = "NAME")]
    default_kubeconfig_service_account: Option<String>,
    /// Accepted: no program is ever started for a kubeconfig, whatever this says
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    insecure_kubeconfig_exec: bool,
    /// Let kubeconfigs switch the verification of TLS off
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = false, action = ArgAction::Set, value_name = "BOOL")]
    insecure_kubeconfig_tls: bool,
    /// Secret in the controller's namespace with age identities for objects whose decryption names no Secret
    #[arg(long, value_name = "NAME")]
    sops_age_secret: Option<String>,
    /// ConfigMap in the controller's namespace with the Vault servers that service accounts may log in to
    #[arg(long = "sops-vault-configmap", value_name = "NAME")]
    sops_vault_config_map: Option<String>,
    /// Refuse SOPS files that were changed after they were encrypted; Flux does not look
    #[arg(long, default_missing_value = "true", num_args = 0..=1, require_equals = true, default_value_t = true, action = ArgAction::Set, value_name = "BOOL")]
    sops_verify_mac: bool,
    /// Whether a prune that looks like an accident waits for approval
    #[arg(long, value_enum, default_value = "on")]
    prune_guard: PruneGuard,
}

/// An empty value is none, as with Flux's flags.
fn name(given: Option<String>) -> Option<String> {
    given.filter(|name| !name.is_empty())
}

impl Tenancy {
    /// Sets what these flags say. Feature gates must be set before.
    ///
    /// # Errors
    /// Flags that do not go together.
    pub(crate) fn set(self, config: &mut ControllerConfig) -> Result<()> {
        let is_locked = self.profile == Profile::Locked;
        config.no_cross_namespace_refs = self.no_cross_namespace_refs || is_locked;
        config.read_references_as_tenant = is_locked;
        config.default_service_account = name(self.default_service_account);
        if is_locked && config.default_service_account.is_none() {
            bail!(
                "--profile=locked needs --default-service-account: nobody may act as the controller. `default` is an account \
                 that every namespace has, and that may do nothing until it is granted something"
            );
        }
        config.default_decryption_service_account = name(self.default_decryption_service_account);
        config.default_kubeconfig_service_account = name(self.default_kubeconfig_service_account);
        let is_object_level = config.gate(gates::OBJECT_IDENTITY);
        for (flag, given) in [
            (
                "--default-decryption-service-account",
                &config.default_decryption_service_account,
            ),
            (
                "--default-kubeconfig-service-account",
                &config.default_kubeconfig_service_account,
            ),
        ] {
            if given.is_some() && !is_object_level {
                bail!("{flag} needs --feature-gates={}=true", gates::OBJECT_IDENTITY);
            }
        }
        if self.insecure_kubeconfig_exec {
            crate::tell::warning(
                "--insecure-kubeconfig-exec is accepted and does nothing: no program is ever started for a kubeconfig",
            );
        }
        config.insecure_kubeconfig_tls = self.insecure_kubeconfig_tls;
        config.sops_age_secret = name(self.sops_age_secret);
        config.sops_vault_config_map = name(self.sops_vault_config_map);
        config.sops_verify_mac = self.sops_verify_mac;
        config.prune_guard = self.prune_guard == PruneGuard::On;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        tenancy: Tenancy,
    }

    fn set(flags: &[&str]) -> Result<ControllerConfig> {
        let line = Line::try_parse_from(std::iter::once(&"sluice").chain(flags))?;
        let mut config = ControllerConfig::default();
        line.tenancy.set(&mut config)?;
        Ok(config)
    }

    #[test]
    fn the_default_is_flux_and_the_locked_profile_needs_an_account() {
        let flux = set(&[]).unwrap();
        assert!(
            !flux.no_cross_namespace_refs
                && !flux.read_references_as_tenant
                && flux.prune_guard
                && flux.sops_verify_mac
        );
        let refusal = set(&["--profile=locked"]).unwrap_err().to_string();
        assert!(refusal.contains("needs --default-service-account"), "{refusal}");
        assert!(set(&["--profile=locked", "--default-service-account="]).is_err());
        let locked = set(&["--profile=locked", "--default-service-account=default"]).unwrap();
        assert!(locked.no_cross_namespace_refs && locked.read_references_as_tenant);
    }

    #[test]
    fn what_flux_accepts_is_accepted() {
        let config = set(&[
            "--insecure-kubeconfig-exec",
            "--insecure-kubeconfig-tls=true",
            "--sops-age-secret=sops-age",
            "--sops-vault-configmap=vault",
            "--sops-verify-mac=false",
            "--prune-guard=off",
        ])
        .unwrap();
        assert!(config.insecure_kubeconfig_tls && !config.sops_verify_mac && !config.prune_guard);
        assert_eq!(config.sops_vault_config_map.as_deref(), Some("vault"));
        assert!(
            set(&["--default-kubeconfig-service-account=x"]).is_err(),
            "its gate is off"
        );
    }
}
