//! The log of a guest: bounded, and never an error for the guest.

use crate::bindings::sluice::host::log::{Host, Level as WireLevel};
use crate::limits::Limits;
use crate::state::CallState;
use tracing::Level;

/// A field of this name marks the line in which a guest says that it panics; its value says where.
pub(crate) const PANIC_FIELD: &str = "panic";

/// One line of a guest's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// The message.
    pub message: String,
    /// Its fields, in the guest's order.
    pub fields: Vec<(String, String)>,
}

/// What a guest logged in one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    pub(crate) lines: Vec<LogLine>,
    pub(crate) dropped: u64,
    pub(crate) panic: Option<String>,
    bytes: u64,
}

impl Log {
    /// Keeps a line and passes it on to the host's log, within the limits.
    pub(crate) fn write(&mut self, plugin: &str, limits: &Limits, line: LogLine) {
        if let Some((_, place)) = line.fields.iter().find(|(name, _)| name == PANIC_FIELD) {
            self.panic = Some(bounded(if place.is_empty() {
                line.message.clone()
            } else {
                format!("{} at {place}", line.message)
            }));
        }
        let size = line
            .fields
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum::<usize>()
            + line.message.len();
        self.bytes = self.bytes.saturating_add(size as u64);
        if self.lines.len() as u64 >= limits.log_lines || self.bytes > limits.log_bytes {
            self.dropped += 1;
            return;
        }
        emit(plugin, &line);
        self.lines.push(line);
    }
}

/// The longest panic text that is shown, in bytes: it becomes part of a condition's message.
const PANIC_TEXT_MAX: usize = 1024;

fn bounded(mut text: String) -> String {
    if text.len() > PANIC_TEXT_MAX {
        text.truncate(text.floor_char_boundary(PANIC_TEXT_MAX));
        text.push('…');
    }
    text
}

fn emit(plugin: &str, line: &LogLine) {
    let fields = &line.fields;
    match line.level {
        Level::ERROR => tracing::error!(target: "sluice_plugin", plugin, ?fields, "{}", line.message),
        Level::WARN => tracing::warn!(target: "sluice_plugin", plugin, ?fields, "{}", line.message),
        Level::INFO => tracing::info!(target: "sluice_plugin", plugin, ?fields, "{}", line.message),
        Level::DEBUG => tracing::debug!(target: "sluice_plugin", plugin, ?fields, "{}", line.message),
        _ => tracing::trace!(target: "sluice_plugin", plugin, ?fields, "{}", line.message),
    }
}

impl Host for CallState {
    fn log(
        &mut self,
        level: WireLevel,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        self.count_host_call()?;
        let level = match level {
            WireLevel::Trace => Level::TRACE,
            WireLevel::Debug => Level::DEBUG,
            WireLevel::Info => Level::INFO,
            WireLevel::Warn => Level::WARN,
            WireLevel::Error => Level::ERROR,
        };
        self.log.write(
            &self.plugin,
            &self.limits,
            LogLine {
                level,
                message,
                fields,
            },
        );
        Ok(())
    }
}
