//! One call: a fresh instance, its limits, and what becomes of everything that can go wrong.

use crate::engine::STACK_BYTES;
use crate::error::Error;
use crate::hollow::Hollow;
use crate::host::log::{Log, PANIC_FIELD};
use crate::limits::Limit;
use crate::plugin::Plugin;
use crate::recorder::Recorder;
use crate::roles::{Answer, Inputs, Trace};
use crate::state::{CallState, LimitHit, Usage};
use std::panic::{AssertUnwindSafe, catch_unwind};
use wasmtime::component::Instance;
use wasmtime::{Store, Trap};
use wasmtime_wasi::I32Exit;

/// Calls a guest in an instance of its own. Whatever the guest does, this returns, and the host is as it was.
pub(crate) fn call<T>(
    plugin: &Plugin,
    inputs: Inputs,
    run: impl FnOnce(&mut Store<CallState>, &Instance) -> wasmtime::Result<T>,
) -> Result<Answer<T>, Error> {
    // a guest runs on the stack of its caller, which may have less than a guest may use: then the call has one of its own
    stacker::maybe_grow(DEEP, THREAD_STACK_BYTES, || call_here(plugin, inputs, run))
}

/// What a call may need: the guest's part, and that of the host functions which it calls at its deepest.
const DEEP: usize = STACK_BYTES + (1 << 20);

/// A thread with such a stack runs calls as they come. On others each call takes a stack of its own, at the cost of some system
/// calls. Memory of a stack is taken as it is touched.
pub const THREAD_STACK_BYTES: usize = DEEP + (1 << 20);

fn call_here<T>(
    plugin: &Plugin,
    inputs: Inputs,
    run: impl FnOnce(&mut Store<CallState>, &Instance) -> wasmtime::Result<T>,
) -> Result<Answer<T>, Error> {
    let engine = plugin.engine();
    let limits = plugin.limits();
    let (_running, ticks) = engine.begin_call(limits.time);
    let mut store = Store::new(engine.wasmtime(), fresh_state(plugin, inputs));
    store.limiter(|state| state);
    store.set_epoch_deadline(ticks);
    store.epoch_deadline_trap();
    store.set_hostcall_fuel(usize::try_from(limits.output_bytes).unwrap_or(usize::MAX));
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let instance = plugin.pre().instantiate(&mut store)?;
        run(&mut store, &instance)
    }));
    let mut state = store.into_data();
    drain_output(&mut state);
    match outcome {
        Ok(Ok(value)) => Ok(Answer {
            value,
            trace: trace(state),
        }),
        Ok(Err(error)) => Err(explain(plugin, &state, &error)),
        // what the panic says may quote a Secret
        Err(_) => Err(Error::HostFailed {
            plugin: plugin.name().to_owned(),
            what: "it ended unexpectedly".to_owned(),
        }),
    }
}

fn fresh_state(plugin: &Plugin, inputs: Inputs) -> CallState {
    let limits = plugin.limits().clone();
    CallState {
        plugin: plugin.shared_name(),
        inputs,
        recorder: Recorder::new(limits.closure_entries),
        log: Log::default(),
        hollow: plugin.wants_wasi().then(|| Hollow::new(&limits)),
        usage: Usage::default(),
        limits,
    }
}

/// What a guest with WASI wrote to standard output and error goes to its log. A Rust guest says there why it panicked:
/// `thread … panicked at PLACE:`, and the reason on the next line.
fn drain_output(state: &mut CallState) {
    let Some(mut hollow) = state.hollow.take() else {
        return;
    };
    let mut lines = hollow.take_output().into_iter().peekable();
    while let Some(mut line) = lines.next() {
        if let Some((_, place)) = line.message.split_once(" panicked at ") {
            let reason = lines.peek().map(|next| next.message.as_str()).unwrap_or_default();
            line.fields
                .push((PANIC_FIELD.to_owned(), place.trim_end_matches(':').to_owned()));
            line.message = reason.to_owned();
        }
        state.log.write(&state.plugin, &state.limits, line);
    }
}

fn trace(mut state: CallState) -> Trace {
    let revision_asked = state.recorder.revision_asked;
    let lookups = std::mem::take(&mut state.recorder.lookups);
    let closure = state.recorder.closure(&*state.inputs.tree);
    Trace {
        closure,
        revision_asked,
        lookups,
        usage: state.usage,
        log: state.log.lines,
        log_dropped: state.log.dropped,
    }
}

/// Turns what wasmtime says into what a user can act on. The backtrace goes to the debug log only.
fn explain(plugin: &Plugin, state: &CallState, error: &wasmtime::Error) -> Error {
    let name = plugin.name().to_owned();
    tracing::debug!(target: "sluice_plugin", plugin = name, "{error:?}");
    if let Some(limit) = limit_hit(error) {
        return Error::LimitReached {
            plugin: name,
            limit,
            allowed: plugin.limits().amount(limit),
        };
    }
    let root = error.root_cause().to_string();
    if error.is::<wasmtime::PoolConcurrencyLimitError>() {
        return Error::HostFailed {
            plugin: name,
            what: root,
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return Error::PluginTrapped {
            plugin: name,
            panic: state.log.panic.clone(),
            trap: trap_text(*trap),
        };
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        let trap = format!("it exited with status {}", exit.0);
        return Error::PluginTrapped {
            plugin: name,
            panic: state.log.panic.clone(),
            trap,
        };
    }
    // what is left is the canonical ABI refusing what the guest passed: a bad string, pointer, list or case
    Error::MalformedAnswer {
        plugin: name,
        what: root,
    }
}

fn limit_hit(error: &wasmtime::Error) -> Option<Limit> {
    if let Some(LimitHit(limit)) = error.downcast_ref::<LimitHit>() {
        return Some(*limit);
    }
    if let Some(Trap::Interrupt) = error.downcast_ref::<Trap>() {
        return Some(Limit::Time);
    }
    // wasmtime keeps these types to itself, so their texts must do; a test pins each
    let text = error.root_cause().to_string();
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        return Some(Limit::OutputBytes);
    }
    if text.starts_with("resource limit exceeded: ") {
        return Some(Limit::Instances);
    }
    (text == "resource table has no free keys").then_some(Limit::Handles)
}

fn trap_text(trap: Trap) -> String {
    match trap {
        Trap::StackOverflow => {
            "its call stack is exhausted: recursion without an end, or too deep".to_owned()
        }
        Trap::MemoryOutOfBounds => {
            "it touched memory that it does not have: recursion without an end, or a wild pointer".to_owned()
        }
        Trap::UnreachableCodeReached => "it reached code that it says is unreachable".to_owned(),
        other => other.to_string(),
    }
}
