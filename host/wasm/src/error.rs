//! Why a component was refused, and why a call failed.

use crate::limits::{Amount, Limit};
use crate::roles::{Finding, Role};
use std::fmt;

/// Whose fault a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blame {
    /// Ours.
    Host,
    /// The plugin's, or what the plugin says about its input.
    Guest,
}

/// What a guest says when it fails on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// CamelCase; becomes the reason of the Ready condition.
    pub reason: String,
    /// What failed, where, and why.
    pub message: String,
    /// Details, if there are more than one.
    pub findings: Vec<Finding>,
}

/// Why a call failed. None of these harms the host or another call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The guest answered that it failed.
    Failed {
        /// The plugin.
        plugin: String,
        /// In its words.
        report: Report,
        /// Whether the same input may work later.
        is_transient: bool,
    },
    /// The guest stopped in the middle: a panic, an illegal memory access, too deep a recursion.
    PluginTrapped {
        /// The plugin.
        plugin: String,
        /// What it said last, if it said that it panics.
        panic: Option<String>,
        /// What the machine says.
        trap: String,
    },
    /// The guest used up one of its limits.
    LimitReached {
        /// The plugin.
        plugin: String,
        /// The limit.
        limit: Limit,
        /// What it allows.
        allowed: Amount,
    },
    /// The guest's answer breaks the contract.
    MalformedAnswer {
        /// The plugin.
        plugin: String,
        /// How.
        what: String,
    },
    /// Too many calls wait already.
    Busy {
        /// How many may wait.
        queue_length: usize,
    },
    /// Something of ours broke while it served the guest.
    HostFailed {
        /// The plugin.
        plugin: String,
        /// What broke.
        what: String,
    },
}

impl Error {
    /// Whose fault it is.
    pub fn blame(&self) -> Blame {
        match self {
            Self::Busy { .. } | Self::HostFailed { .. } => Blame::Host,
            _ => Blame::Guest,
        }
    }

    /// Whether the same call may work later. What the guest did by itself it will do again.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Failed { is_transient, .. } => *is_transient,
            Self::Busy { .. } | Self::HostFailed { .. } => true,
            // time depends on the machine's load; the rest is a function of the input
            Self::LimitReached { limit, .. } => *limit == Limit::Time,
            Self::PluginTrapped { .. } | Self::MalformedAnswer { .. } => false,
        }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { report, .. } => f.write_str(&report.message),
            Self::PluginTrapped {
                plugin,
                panic: Some(panic),
                ..
            } => {
                write!(
                    f,
                    "plugin {plugin} panicked: {panic}; this is a bug in the plugin"
                )
            }
            Self::PluginTrapped {
                plugin,
                panic: None,
                trap,
            } => {
                write!(f, "plugin {plugin} stopped: {trap}; this is a bug in the plugin")
            }
            Self::LimitReached {
                plugin,
                limit,
                allowed,
            } => write!(
                f,
                "plugin {plugin} {} than limits.{} allows ({allowed}); no flag raises it: give it less to do, as by dividing a Kustomization into several",
                limit.deed(),
                limit.knob()
            ),
            Self::MalformedAnswer { plugin, what } => {
                write!(
                    f,
                    "plugin {plugin} gave a malformed answer: {what}; this is a bug in the plugin"
                )
            }
            Self::Busy { queue_length } => {
                write!(
                    f,
                    "{queue_length} plugin calls wait already; this one is tried again later"
                )
            }
            Self::HostFailed { plugin, what } => write!(
                f,
                "serving plugin {plugin} failed: {what}; this is a bug in sluice"
            ),
        }
    }
}

/// Why a component was not loaded. Every text says what it wants, what there is, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The bytes are no component.
    #[error("Plugin/{plugin}: {what}")]
    NotAComponent {
        /// The plugin.
        plugin: String,
        /// What the bytes are, and what to do.
        what: String,
    },
    /// It is larger than a plugin may be.
    #[error("Plugin/{plugin}: the component has {size} bytes, more than the {allowed} that are allowed")]
    TooLarge {
        /// The plugin.
        plugin: String,
        /// Its size in bytes.
        size: u64,
        /// What is allowed, in bytes.
        allowed: u64,
    },
    /// It passes strings in an encoding other than UTF-8.
    #[error(
        "Plugin/{plugin}: passes strings as {encoding}; only UTF-8 is accepted. Build it with a toolchain that uses the string encoding utf8"
    )]
    ForeignEncoding {
        /// The plugin.
        plugin: String,
        /// Which encoding.
        encoding: &'static str,
    },
    /// It imports something that it does not get.
    #[error("Plugin/{plugin}: imports {import}, {why}")]
    ForbiddenImport {
        /// The plugin.
        plugin: String,
        /// What it imports.
        import: String,
        /// Why not, and what to do; goes on after a comma.
        why: String,
    },
    /// Its imports have the right names and the wrong types.
    #[error(
        "Plugin/{plugin}: its imports do not fit this host: {what}. Rebuild it with the sluice-sdk of this release, or take the wit files from it"
    )]
    PluginIncompatible {
        /// The plugin.
        plugin: String,
        /// What differs.
        what: String,
    },
    /// It says that it needs a newer host.
    #[error(
        "Plugin/{plugin}: needs sluice {wanted} or newer, this is {offered}. Upgrade sluice, or use an older version of the plugin"
    )]
    NeedsNewerHost {
        /// The plugin.
        plugin: String,
        /// The oldest host that it runs on.
        wanted: String,
        /// This host.
        offered: String,
    },
    /// It exports none of the roles that this host knows.
    #[error("Plugin/{plugin}: exports no role that this host knows ({known}); it exports {exports}")]
    NoRole {
        /// The plugin.
        plugin: String,
        /// The roles of this host.
        known: String,
        /// What it exports.
        exports: String,
    },
    /// It does not export the role that is wanted of it.
    #[error("Plugin/{plugin}: is no {wanted}; it exports {exports}")]
    OtherRole {
        /// The plugin.
        plugin: String,
        /// The role wanted.
        wanted: Role,
        /// The roles that it has.
        exports: String,
    },
    /// Code compiled ahead of time that this process cannot run.
    #[error(
        "Plugin/{plugin}: the code compiled ahead of time does not fit this host: {what}. Run `cargo xtask plugins` and build again"
    )]
    StalePrecompiled {
        /// The plugin.
        plugin: String,
        /// What does not fit.
        what: String,
    },
}
