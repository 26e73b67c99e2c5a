//! The host's log: [`crate::trace!`], [`crate::debug!`], [`crate::info!`], [`crate::warn!`], [`crate::error!`].
//!
//! ```
//! sluice_sdk::info!("{} objects labeled", 3);
//! sluice_sdk::warn!(field = ".spec.replicas", object = "web"; "replicas is ignored");
//! ```

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Bytes and steps.
    Trace,
    /// Decisions.
    Debug,
    /// Something changed.
    Info,
    /// Degraded, but it goes on.
    Warn,
    /// A person must act.
    Error,
}

/// Writes one line. The macros are shorter.
#[cfg(target_arch = "wasm32")]
pub fn write(level: Level, message: &str, fields: &[(String, String)]) {
    use crate::bindings::renderer::sluice::host::log;
    let level = match level {
        Level::Trace => log::Level::Trace,
        Level::Debug => log::Level::Debug,
        Level::Info => log::Level::Info,
        Level::Warn => log::Level::Warn,
        Level::Error => log::Level::Error,
    };
    log::log(level, message, fields);
}

/// Writes one line. The macros are shorter. Natively lines are kept: see [`crate::testing::log`].
#[cfg(not(target_arch = "wasm32"))]
pub fn write(level: Level, message: &str, fields: &[(String, String)]) {
    fake::LINES.with_borrow_mut(|lines| {
        lines.push(Line {
            level,
            message: message.to_owned(),
            fields: fields.to_vec(),
        })
    });
}

/// One line, as the native fake keeps it.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How much it matters.
    pub level: Level,
    /// The message.
    pub message: String,
    /// Its fields.
    pub fields: Vec<(String, String)>,
}

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod fake {
    use super::Line;
    use std::cell::RefCell;

    thread_local! {
        pub(crate) static LINES: RefCell<Vec<Line>> = const { RefCell::new(Vec::new()) };
    }
}

/// Sends panics to the host's log, which pairs them with the trap that follows. `export!` calls it first thing.
#[cfg(target_arch = "wasm32")]
pub(crate) fn install_panic_hook() {
    use std::sync::Once;
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let payload = panic.payload();
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            let place = panic
                .location()
                .map(|place| format!("{}:{}", place.file(), place.line()));
            let fields = [("panic".to_owned(), place.unwrap_or_default())];
            write(
                Level::Error,
                &text.unwrap_or_else(|| "a panic without words".to_owned()),
                &fields,
            );
        }));
    });
}

/// Writes a line at a level: `log_at!(Info, key = value; "format {}", argument)`.
#[doc(hidden)]
#[macro_export]
macro_rules! log_at {
    ($level:ident, $($key:ident = $value:expr),+ ; $($message:tt)+) => {
        $crate::log::write(
            $crate::log::Level::$level,
            &format!($($message)+),
            &[$((stringify!($key).to_owned(), $value.to_string())),+],
        )
    };
    ($level:ident, $($message:tt)+) => {
        $crate::log::write($crate::log::Level::$level, &format!($($message)+), &[])
    };
}

/// Bytes and steps.
#[macro_export]
macro_rules! trace { ($($line:tt)+) => { $crate::log_at!(Trace, $($line)+) } }
/// Decisions.
#[macro_export]
macro_rules! debug { ($($line:tt)+) => { $crate::log_at!(Debug, $($line)+) } }
/// Something changed.
#[macro_export]
macro_rules! info { ($($line:tt)+) => { $crate::log_at!(Info, $($line)+) } }
/// Degraded, but it goes on.
#[macro_export]
macro_rules! warn { ($($line:tt)+) => { $crate::log_at!(Warn, $($line)+) } }
/// A person must act.
#[macro_export]
macro_rules! error { ($($line:tt)+) => { $crate::log_at!(Error, $($line)+) } }
