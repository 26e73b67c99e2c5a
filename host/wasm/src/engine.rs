//! The one engine of a process, and the clock that ends calls.

use crate::hollow;
use crate::host;
use crate::limits::Limits;
use crate::state::CallState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::Duration;
use wasmtime::component::{HasSelf, Linker};

/// How often running guests look at the clock. A limit on time is kept to within one tick.
const TICK: Duration = Duration::from_millis(10);

/// The stack of a guest's own calls, in bytes; beyond it the guest traps. One value for the process, as the engine wants it.
/// Helm lets a template include itself 1000 times, and each time is a dozen calls.
pub(crate) const STACK_BYTES: usize = 16 << 20;

/// Compiles, links and times components. There is one per process: [`Engine::get`].
pub struct Engine {
    wasmtime: wasmtime::Engine,
    linker: Linker<CallState>,
    ticker: Ticker,
}

impl Engine {
    /// The engine of this process. The error says what of this machine does not allow one.
    pub fn get() -> Result<&'static Arc<Self>, String> {
        static ENGINE: OnceLock<Result<Arc<Engine>, String>> = OnceLock::new();
        let engine = ENGINE.get_or_init(|| Self::new().map(Arc::new).map_err(|error| format!("{error:#}")));
        engine.as_ref().map_err(Clone::clone)
    }

    fn new() -> wasmtime::Result<Self> {
        let mut pooled = config()?;
        pooled.allocation_strategy(pool());
        // a pool takes addresses, not memory; where those are rationed (`ulimit -v`), each call maps what it needs
        let wasmtime = wasmtime::Engine::new(&pooled).or_else(|_| wasmtime::Engine::new(&config()?))?;
        let linker = linker(&wasmtime)?;
        let ticker = Ticker::start(wasmtime.clone())?;
        Ok(Self {
            wasmtime,
            linker,
            ticker,
        })
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.wasmtime
    }

    pub(crate) fn linker(&self) -> &Linker<CallState> {
        &self.linker
    }

    /// Makes the clock run until the guard is dropped, and says after how many ticks `time` has passed.
    pub(crate) fn begin_call(&self, time: Duration) -> (Running<'_>, u64) {
        let ticks = time.as_millis().div_ceil(TICK.as_millis());
        (
            self.ticker.begin(),
            u64::try_from(ticks)
                .unwrap_or(u64::MAX / 2)
                .clamp(1, u64::MAX / 2),
        )
    }
}

/// What the compiler and the runtime must agree on: code compiled ahead of time runs only under the same settings.
fn config() -> wasmtime::Result<wasmtime::Config> {
    let mut config = wasmtime::Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        // equal inputs give equal bytes on every machine
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .max_wasm_stack(STACK_BYTES)
        // no call runs on such a stack, but it may not be smaller
        .async_stack_size(STACK_BYTES + (1 << 20));
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    config.with_custom_code_memory(Some(crate::in_place::code_memory()));
    Ok(config)
}

/// How many memories one component may have; one of one Rust crate has one.
const MEMORIES_PER_CALL: u32 = 4;
/// How many tables one component may have; one of one Rust crate has one or two.
const TABLES_PER_CALL: u32 = 8;
/// How large a table may be: more than the limits of a call allow, which say it better.
const TABLE_ELEMENTS: usize = 1 << 20;
/// How much of a memory stays mapped after a call, zeroed: what a small render touches. Nothing but idle memory speaks against more.
const KEPT_BYTES: usize = 1 << 20;

/// Where instances live. Mapping and unmapping a memory, and the first touch of each of its pages, cost more than a small
/// render does; a place of the pool is mapped once, and is made what it was after each call.
fn pool() -> wasmtime::PoolingAllocationConfig {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let cores = u32::try_from(cores).unwrap_or(u32::MAX);
    // as many calls run as there are cores (see `Pool`), and some that nobody queued
    let calls = cores.clamp(8, 256) * 4;
    let instances = u32::try_from(Limits::default().instances).unwrap_or(u32::MAX);
    let mut pool = wasmtime::PoolingAllocationConfig::new();
    pool.total_component_instances(calls)
        .total_core_instances(calls.saturating_mul(instances))
        // almost all have one: 64 of 4 GiB fit where a process has 39 bits of addresses
        .total_memories(calls * 2)
        .total_tables(calls * TABLES_PER_CALL)
        // no call runs on a stack of the pool
        .total_stacks(1)
        .max_memories_per_component(MEMORIES_PER_CALL)
        .max_tables_per_component(TABLES_PER_CALL)
        .table_elements(TABLE_ELEMENTS)
        .max_unused_warm_slots(cores.max(2))
        .linear_memory_keep_resident(KEPT_BYTES)
        .table_keep_resident(KEPT_BYTES)
        // only what was written is zeroed, where the kernel (Linux 6.7) tells
        .pagemap_scan(wasmtime::Enabled::Auto);
    pool
}

/// Compiles a component ahead of time, for the oldest processor of this machine's architecture,
/// so that code made on a new machine runs on an old one. Used by `cargo xtask plugins`.
pub fn precompile(component: &[u8]) -> Result<Vec<u8>, String> {
    let compile = || {
        let mut config = config()?;
        config.target(BASELINE_TARGET)?;
        wasmtime::Engine::new(&config)?.precompile_component(component)
    };
    compile().map_err(|error: wasmtime::Error| format!("{error:#}"))
}

/// Naming a target keeps the compiler from using what the machine at hand has beyond the baseline.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
const BASELINE_TARGET: &str = "x86_64-unknown-linux-gnu";
#[cfg(all(target_arch = "aarch64", target_os = "linux"))]
const BASELINE_TARGET: &str = "aarch64-unknown-linux-gnu";
#[cfg(all(target_arch = "x86_64", target_os = "macos"))]
const BASELINE_TARGET: &str = "x86_64-apple-darwin";
#[cfg(all(target_arch = "aarch64", target_os = "macos"))]
const BASELINE_TARGET: &str = "aarch64-apple-darwin";

fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<CallState>> {
    use crate::bindings::sluice;
    let mut linker = Linker::new(engine);
    sluice::types::objects::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    sluice::types::results::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    host::tree::link(&mut linker)?;
    sluice::host::revision::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    sluice::host::log::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    sluice::chart::lookup::add_to_linker::<_, HasSelf<CallState>>(&mut linker, |state| state)?;
    hollow::link(&mut linker)?;
    Ok(linker)
}

impl crate::bindings::sluice::types::objects::Host for CallState {}
impl crate::bindings::sluice::types::results::Host for CallState {}

/// Advances the engine's epoch every [`TICK`] while calls run, and sleeps while none does.
struct Ticker {
    running: Arc<AtomicU64>,
    thread: Thread,
}

impl Ticker {
    fn start(engine: wasmtime::Engine) -> std::io::Result<Self> {
        let running = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&running);
        let thread = thread::Builder::new()
            .name("plugin-clock".to_owned())
            .spawn(move || {
                loop {
                    if seen.load(Ordering::SeqCst) == 0 {
                        thread::park();
                    } else {
                        thread::park_timeout(TICK);
                        engine.increment_epoch();
                    }
                }
            })?;
        Ok(Self {
            running,
            thread: thread.thread().clone(),
        })
    }

    fn begin(&self) -> Running<'_> {
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running { ticker: self }
    }
}

/// A running call: while it lives the clock ticks.
pub(crate) struct Running<'a> {
    ticker: &'a Ticker,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.ticker.running.fetch_sub(1, Ordering::SeqCst);
    }
}
