//! What one call may use. Every limit has a name, a reason and a knob.

use std::fmt;
use std::time::Duration;

/// What one call may use. [`Limits::default`] suits the largest inputs we know of, several times over.
///
/// A field is the knob `limits.<camelCase name>` of a plugin; [`Limits::set`] reads the same names from text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of all instances of the call together, in bytes. 256 MiB: a render of 10 000 objects needs 60.
    pub memory: u64,
    /// Wall-clock time, host calls included. 30 s: the slowest render of the corpora takes 1.
    pub time: Duration,
    /// What the guest may hand to the host in one answer or one call, in bytes. 64 MiB: etcd would not take it.
    pub output_bytes: u64,
    /// What the guest may read from its tree, in bytes, a file read twice counted twice, and what it asks with. 512 MiB: beyond an
    /// artifact's size.
    pub tree_bytes: u64,
    /// The largest single file that a guest may read, in bytes. 64 MiB: such a file is no manifest.
    pub file_bytes: u64,
    /// Calls into the host. 500 000: a file takes one, a log line takes one.
    pub host_calls: u64,
    /// Entries of all tables together. 100 000: function tables of large guests have 10 000.
    pub table_elements: u64,
    /// Core instances. 64: a component of one Rust crate has 3, one with adapters 10.
    pub instances: u64,
    /// Handles to host resources that live at the same time. 1 024: only guests with WASI hold any.
    pub handles: u64,
    /// Log lines kept and passed on; more are dropped and counted. 1 000.
    pub log_lines: u64,
    /// Bytes of log kept and passed on; more are dropped and counted. 256 KiB.
    pub log_bytes: u64,
    /// Questions remembered to know what the result depends on; a call that asks more is not memoised. 200 000.
    pub closure_entries: u64,
}

const MIB: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 256 * MIB,
            time: Duration::from_secs(30),
            output_bytes: 64 * MIB,
            tree_bytes: 512 * MIB,
            file_bytes: 64 * MIB,
            host_calls: 500_000,
            table_elements: 100_000,
            instances: 64,
            handles: 1024,
            log_lines: 1000,
            log_bytes: 256 << 10,
            closure_entries: 200_000,
        }
    }
}

/// A limit whose exhaustion ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::time`].
    Time,
    /// [`Limits::output_bytes`].
    OutputBytes,
    /// [`Limits::tree_bytes`].
    TreeBytes,
    /// [`Limits::host_calls`].
    HostCalls,
    /// [`Limits::table_elements`].
    TableElements,
    /// [`Limits::instances`].
    Instances,
    /// [`Limits::handles`].
    Handles,
}

impl Limit {
    /// The knob, as it is spelled below `limits` of a plugin.
    pub fn knob(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Time => "time",
            Self::OutputBytes => "outputBytes",
            Self::TreeBytes => "treeBytes",
            Self::HostCalls => "hostCalls",
            Self::TableElements => "tableElements",
            Self::Instances => "instances",
            Self::Handles => "handles",
        }
    }

    /// What the guest did, for messages: `used more memory`.
    pub(crate) fn deed(self) -> &'static str {
        match self {
            Self::Memory => "needs more memory",
            Self::Time => "runs longer",
            Self::OutputBytes => "answers with more bytes",
            Self::TreeBytes => "reads more of its tree",
            Self::HostCalls => "calls the host more often",
            Self::TableElements => "needs larger tables",
            Self::Instances => "needs more instances, tables or memories",
            Self::Handles => "holds more handles",
        }
    }
}

/// Why a limit could not be set from text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLimit {
    /// No limit has this name.
    #[error("no limit is called {0:?}; there are {names}", names = Limits::NAMES.join(", "))]
    UnknownName(String),
    /// The value is neither a count, nor a size with `Ki`, `Mi` or `Gi`, nor a duration with `ms`, `s` or `m`.
    #[error("limits.{name}: {value:?} is not {expected}")]
    InvalidValue {
        /// The limit.
        name: String,
        /// What was given.
        value: String,
        /// What it should look like.
        expected: &'static str,
    },
}

impl Limits {
    /// The names that [`Limits::set`] knows.
    pub const NAMES: [&'static str; 12] = [
        "memory",
        "time",
        "outputBytes",
        "treeBytes",
        "fileBytes",
        "hostCalls",
        "tableElements",
        "instances",
        "handles",
        "logLines",
        "logBytes",
        "closureEntries",
    ];

    /// Sets one limit from text, as flags and the `Plugin` object spell it: `memory` to `512Mi`, `time` to `10s`.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidLimit> {
        if name == "time" {
            self.time =
                duration(value).ok_or_else(|| invalid(name, value, "a duration such as 500ms, 10s or 2m"))?;
            return Ok(());
        }
        let field = match name {
            "memory" => &mut self.memory,
            "outputBytes" => &mut self.output_bytes,
            "treeBytes" => &mut self.tree_bytes,
            "fileBytes" => &mut self.file_bytes,
            "hostCalls" => &mut self.host_calls,
            "tableElements" => &mut self.table_elements,
            "instances" => &mut self.instances,
            "handles" => &mut self.handles,
            "logLines" => &mut self.log_lines,
            "logBytes" => &mut self.log_bytes,
            "closureEntries" => &mut self.closure_entries,
            _ => return Err(InvalidLimit::UnknownName(name.to_owned())),
        };
        *field = quantity(value)
            .ok_or_else(|| invalid(name, value, "a count such as 1000 or a size such as 64Mi"))?;
        Ok(())
    }

    /// The allowed amount in the words of a person: `64Mi`, `30s`, `500000`.
    pub(crate) fn amount(&self, limit: Limit) -> Amount {
        match limit {
            Limit::Time => Amount::Time(self.time),
            Limit::Memory => Amount::Count(self.memory),
            Limit::OutputBytes => Amount::Count(self.output_bytes),
            Limit::TreeBytes => Amount::Count(self.tree_bytes),
            Limit::HostCalls => Amount::Count(self.host_calls),
            Limit::TableElements => Amount::Count(self.table_elements),
            Limit::Instances => Amount::Count(self.instances),
            Limit::Handles => Amount::Count(self.handles),
        }
    }
}

/// An allowed amount; shown as [`Limits::set`] reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// A count or a number of bytes.
    Count(u64),
    /// A duration.
    Time(Duration),
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Time(time) => write!(f, "{time:?}"),
            Self::Count(count) if count >= 1 << 30 && count.is_multiple_of(1 << 30) => {
                write!(f, "{}Gi", count >> 30)
            }
            Self::Count(count) if count >= MIB && count.is_multiple_of(MIB) => write!(f, "{}Mi", count >> 20),
            Self::Count(count) if count >= 1 << 10 && count.is_multiple_of(1 << 10) => {
                write!(f, "{}Ki", count >> 10)
            }
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

fn invalid(name: &str, value: &str, expected: &'static str) -> InvalidLimit {
    InvalidLimit::InvalidValue {
        name: name.to_owned(),
        value: value.to_owned(),
        expected,
    }
}

fn quantity(text: &str) -> Option<u64> {
    let (digits, unit) = [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30)]
        .into_iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|digits| (digits, unit)))
        .unwrap_or((text, 1));
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn duration(text: &str) -> Option<Duration> {
    let (digits, unit) = [("ms", 1), ("s", 1000), ("m", 60_000)]
        .into_iter()
        .find_map(|(suffix, unit)| text.strip_suffix(suffix).map(|digits| (digits, unit)))?;
    digits
        .parse::<u64>()
        .ok()?
        .checked_mul(unit)
        .map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_from_text_and_shown_as_read() {
        let mut limits = Limits::default();
        for name in Limits::NAMES {
            limits
                .set(name, if name == "time" { "1500ms" } else { "3Mi" })
                .unwrap();
        }
        assert_eq!(limits.amount(Limit::Memory).to_string(), "3Mi");
        assert_eq!(limits.amount(Limit::Time).to_string(), "1.5s");
        for (name, value, message) in [
            (
                "memory",
                "lots",
                "limits.memory: \"lots\" is not a count such as 1000 or a size such as 64Mi",
            ),
            (
                "time",
                "10",
                "limits.time: \"10\" is not a duration such as 500ms, 10s or 2m",
            ),
            (
                "memory",
                "99999999999Gi",
                "limits.memory: \"99999999999Gi\" is not a count such as 1000 or a size such as 64Mi",
            ),
        ] {
            assert_eq!(limits.set(name, value).unwrap_err().to_string(), message);
        }
        assert!(
            limits
                .set("colour", "1")
                .unwrap_err()
                .to_string()
                .starts_with("no limit is called \"colour\"; there are memory, time")
        );
    }
}
