//! WASI with nothing behind it, for guests whose toolchain imports it whether they use it or not.
//!
//! No directory is opened, there is no variable and no argument, sockets refuse every call, standard output goes to
//! the log, both clocks stand still, randomness comes from a fixed seed, and a sleep returns at once.
//!
//! **Invariant:** nothing in here tells a guest anything about the machine, the time, or another call.

use crate::host::log::LogLine;
use crate::limits::{Limit, Limits};
use crate::state::{CallState, LimitHit};
use bytes::Bytes;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncWrite, empty};
use tracing::Level;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::bindings::clocks::monotonic_clock;
use wasmtime_wasi::p2::{DynPollable, OutputStream, Pollable, StreamResult, subscribe};
use wasmtime_wasi::{
    Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxView, WasiView, async_trait,
};

/// 2020-01-01T00:00:00Z, where both clocks stand: late enough for certificates and zip files, and visibly not now.
const FROZEN_TIME: Duration = Duration::from_secs(1_577_836_800);

/// What all randomness is made of. Any value does; it must never change, or memoised results would differ from new ones.
const SEED: [u8; 16] = *b"sluice is seeded";

/// The WASI of one call.
pub(crate) struct Hollow {
    ctx: WasiCtx,
    table: ResourceTable,
    output: Output,
}

impl Hollow {
    pub(crate) fn new(limits: &Limits) -> Self {
        let output = Output {
            text: Arc::default(),
            bytes_max: limits.log_bytes,
        };
        let mut builder = WasiCtx::builder();
        builder
            .stdin(empty())
            .stdout(output.clone())
            .stderr(output.clone())
            .wall_clock(Frozen)
            .monotonic_clock(Frozen)
            .secure_random(Deterministic::new(SEED.to_vec()))
            .insecure_random(Deterministic::new(SEED.to_vec()))
            .insecure_random_seed(u128::from_le_bytes(SEED))
            .max_random_size(limits.output_bytes)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(usize::try_from(limits.handles).unwrap_or(usize::MAX));
        Self {
            ctx: builder.build(),
            table,
            output,
        }
    }

    /// What the guest wrote to standard output and error, as log lines.
    pub(crate) fn take_output(&mut self) -> Vec<LogLine> {
        let text = std::mem::take(&mut *self.output.text.lock().unwrap_or_else(PoisonError::into_inner));
        let line = |text: &str| LogLine {
            level: Level::INFO,
            message: text.to_owned(),
            fields: Vec::new(),
        };
        String::from_utf8_lossy(&text)
            .lines()
            .filter(|text| !text.trim().is_empty())
            .map(line)
            .collect()
    }
}

impl WasiView for CallState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let hollow = self
            .hollow
            .as_mut()
            .expect("invariant: a guest that imports WASI is given a hollow one");
        WasiCtxView {
            ctx: &mut hollow.ctx,
            table: &mut hollow.table,
        }
    }
}

/// Links every interface of WASI 0.2 but `wasi:http`, with clocks that do not let a guest wait.
pub(crate) fn link(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    monotonic_clock::add_to_linker::<CallState, Clocks>(linker, |state| StandingClock {
        table: state.ctx().table,
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Frozen;

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_nanos(1)
    }

    fn now(&self) -> Duration {
        FROZEN_TIME
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

struct Clocks;

impl HasData for Clocks {
    type Data<'a> = StandingClock<'a>;
}

/// The monotonic clock: every deadline has passed already.
struct StandingClock<'a> {
    table: &'a mut ResourceTable,
}

impl StandingClock<'_> {
    fn passed(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        let deadline = self
            .table
            .push(Passed)
            .map_err(|_| wasmtime::Error::new(LimitHit(Limit::Handles)))?;
        subscribe(self.table, deadline)
    }
}

impl monotonic_clock::Host for StandingClock<'_> {
    fn now(&mut self) -> wasmtime::Result<u64> {
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.passed()
    }

    fn subscribe_duration(&mut self, _: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.passed()
    }
}

struct Passed;

#[async_trait]
impl Pollable for Passed {
    async fn ready(&mut self) {}
}

/// Standard output and error together; beyond the limit bytes are dropped.
#[derive(Clone)]
struct Output {
    text: Arc<Mutex<Vec<u8>>>,
    bytes_max: u64,
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl Output {
    fn append(&self, bytes: &[u8]) {
        let mut text = self.text.lock().unwrap_or_else(PoisonError::into_inner);
        let room = usize::try_from(self.bytes_max)
            .unwrap_or(usize::MAX)
            .saturating_sub(text.len());
        text.extend(bytes.iter().take(room));
    }
}

impl StdoutStream for Output {
    /// Only asynchronous embedders ask for this one.
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.append(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}
