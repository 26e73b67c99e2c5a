//! What one call has: its limits, its tree, its log.

use crate::hollow::Hollow;
use crate::limits::{Limit, Limits};
use crate::recorder::Recorder;
use crate::roles::Inputs;
use std::fmt;
use std::sync::Arc;
use wasmtime::ResourceLimiter;

/// The state of one call: made for it, dropped after it.
pub(crate) struct CallState {
    pub(crate) plugin: Arc<str>,
    pub(crate) inputs: Inputs,
    pub(crate) recorder: Recorder,
    pub(crate) log: crate::host::log::Log,
    /// None for guests that import no WASI.
    pub(crate) hollow: Option<Hollow>,
    pub(crate) usage: Usage,
    pub(crate) limits: Limits,
}

/// What a call used, to be shown beside its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Linear memory at the end, which is its peak, in bytes.
    pub memory: u64,
    /// Bytes read from the tree.
    pub tree_bytes: u64,
    /// Calls into the host.
    pub host_calls: u64,
    /// Table entries.
    pub table_elements: u64,
}

impl CallState {
    /// Counts one call into the host. Every import of ours begins with this.
    pub(crate) fn count_host_call(&mut self) -> wasmtime::Result<()> {
        self.usage.host_calls += 1;
        check(self.usage.host_calls <= self.limits.host_calls, Limit::HostCalls)
    }

    /// Counts bytes on their way from the tree to the guest.
    pub(crate) fn count_tree_bytes(&mut self, count: u64) -> wasmtime::Result<()> {
        self.usage.tree_bytes = self.usage.tree_bytes.saturating_add(count);
        check(self.usage.tree_bytes <= self.limits.tree_bytes, Limit::TreeBytes)
    }
}

/// A limit was reached: travels as a trap to the edge of the call and becomes [`crate::Error::LimitReached`] there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitHit(pub(crate) Limit);

impl std::error::Error for LimitHit {}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limits.{} is reached", self.0.knob())
    }
}

fn check(is_within: bool, limit: Limit) -> wasmtime::Result<()> {
    if is_within {
        Ok(())
    } else {
        Err(wasmtime::Error::new(LimitHit(limit)))
    }
}

/// All memories (and all tables) of a component share one allowance: a component may hold many instances.
impl ResourceLimiter for CallState {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.usage.memory = self
            .usage
            .memory
            .saturating_add(desired.saturating_sub(current) as u64);
        check(self.usage.memory <= self.limits.memory, Limit::Memory).map(|()| true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        self.usage.table_elements = self
            .usage
            .table_elements
            .saturating_add(desired.saturating_sub(current) as u64);
        check(
            self.usage.table_elements <= self.limits.table_elements,
            Limit::TableElements,
        )
        .map(|()| true)
    }

    fn instances(&self) -> usize {
        self.limits.instances as usize
    }

    fn tables(&self) -> usize {
        self.limits.instances as usize
    }

    fn memories(&self) -> usize {
        self.limits.instances as usize
    }
}
