//! The roles as plain Rust: what callers see, whatever version of the contract a guest speaks.

mod chart_renderer;
mod renderer;
mod transformer;
mod wire;

pub use chart_renderer::{
    Chart, ChartRelease, ChartRenderer, ChartRequest, CrdFile, Detail, Hook, Manifest, ValuesFile,
    ValuesSource,
};
pub use renderer::{RenderRequest, Rendered, Renderer};
pub use transformer::{TransformRequest, Transformed, Transformer};

use crate::host::log::LogLine;
use crate::recorder::Closure;
use crate::state::Usage;
use sha2::{Digest, Sha256};
use sluice_artifact::{AnswerDigest, Entry, Question, Tree, TreeError};
use sluice_object::ObjectId;
use std::fmt;
use std::sync::Arc;

/// What a component can be. Found in its exports, never declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Files to objects: [`Renderer`].
    Renderer,
    /// Objects to objects: [`Transformer`].
    Transformer,
    /// Charts to manifests: [`ChartRenderer`].
    ChartRenderer,
}

impl Role {
    /// Every role of this host.
    pub const ALL: [Self; 3] = [Self::Renderer, Self::Transformer, Self::ChartRenderer];

    /// The interface that a component of this role exports.
    pub(crate) fn export(self) -> &'static str {
        match self {
            Self::Renderer => "sluice:render/renderer@0.1.0",
            Self::Transformer => "sluice:transform/transformer@0.1.0",
            Self::ChartRenderer => "sluice:chart/chart-renderer@0.1.0",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Renderer => "renderer",
            Self::Transformer => "transformer",
            Self::ChartRenderer => "chart renderer",
        })
    }
}

/// On whose behalf a call is made. Part of the memo key: no clock, no secret, nothing that changes with every commit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Context {
    /// The object being reconciled.
    pub subject: ObjectId,
    /// The version of the cluster: `v1.34.1`.
    pub kube_version: String,
    /// What the cluster serves: `apps/v1` and `apps/v1/Deployment`.
    pub api_versions: Vec<String>,
    /// Room for what the contract forgot.
    pub labels: Vec<(String, String)>,
}

/// What a guest may look at: read by it, recorded by us.
#[derive(Clone)]
pub struct Inputs {
    /// The artifact; the guest sees its root as `/source`.
    pub tree: Arc<dyn Tree>,
    /// The artifact's revision.
    pub revision: String,
    /// The cluster, read with the identity of the call's subject; none where there is none: a lookup then finds nothing.
    pub cluster: Option<Arc<dyn Cluster>>,
}

/// Objects of a cluster, as one identity may read them.
pub trait Cluster: Send + Sync {
    /// The object as JSON, or with an empty name the list of the kind; none where there is no such object.
    ///
    /// # Errors
    /// In words: the cluster did not answer, or refused.
    fn lookup(&self, id: &ObjectId) -> Result<Option<Vec<u8>>, String>;
}

/// What an answer of a [`Cluster`] is remembered by. A refusal is an input too: the result is another one once it is lifted.
pub fn lookup_digest(answer: &Result<Option<Vec<u8>>, String>) -> AnswerDigest {
    match answer {
        Ok(Some(body)) => Sha256::digest(body).into(),
        Ok(None) => [0; 32],
        Err(_) => [0xff; 32],
    }
}

impl Inputs {
    /// For roles that look at nothing.
    pub fn none() -> Self {
        Self {
            tree: Arc::new(Nothing),
            revision: String::new(),
            cluster: None,
        }
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The subject must not go on.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Info,
}

/// One thing that a plugin has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A sentence without a final period.
    pub message: String,
    /// A stable name, kebab-case.
    pub code: Option<String>,
    /// The object it is about.
    pub object: Option<ObjectId>,
    /// The field it is about.
    pub field: Option<String>,
    /// The file it is about.
    pub file: Option<String>,
    /// The line of that file, from 1.
    pub line: Option<u32>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// An answer, and what the call left behind.
#[derive(Clone, Debug)]
pub struct Answer<T> {
    /// What was asked for.
    pub value: T,
    /// What it depends on, what it used, what it logged.
    pub trace: Trace,
}

/// What a call left behind.
#[derive(Clone, Debug)]
pub struct Trace {
    /// What the guest read; none when it asked more than `limits.closureEntries`, so that nobody keeps the answer.
    pub closure: Option<Closure>,
    /// Whether the guest asked for the revision: the answer then holds for that revision only.
    pub revision_asked: bool,
    /// What it looked up in the cluster, with digests of the answers.
    pub lookups: Vec<(ObjectId, AnswerDigest)>,
    /// What it used of its limits.
    pub usage: Usage,
    /// What it logged, within its limits.
    pub log: Vec<LogLine>,
    /// How many lines it logged beyond them.
    pub log_dropped: u64,
}

/// The tree of calls that have none.
struct Nothing;

impl Tree for Nothing {
    fn read(&self, _: &str) -> Result<Arc<[u8]>, TreeError> {
        Err(TreeError::NotFound)
    }

    fn read_dir(&self, _: &str) -> Result<Vec<Entry>, TreeError> {
        Err(TreeError::NotFound)
    }

    fn walk(&self, _: &str) -> Result<Vec<Entry>, TreeError> {
        Err(TreeError::NotFound)
    }

    fn answer_digest(&self, _: Question, _: &str) -> AnswerDigest {
        [0; 32]
    }
}
