//! What is told of a panic: where, not what it says. Its words quote what it worked on, and that may be a Secret.

use std::panic::PanicHookInfo;

/// Takes the place of Rust's own hook, unless somebody who looks for a bug has set `RUST_BACKTRACE`. While there is no log,
/// `print` tells it.
pub(crate) fn install(print: fn(&str)) {
    if std::env::var_os("RUST_BACKTRACE").is_none_or(|style| style == "0") {
        std::panic::set_hook(Box::new(move |panic| tell(panic, print)));
    }
}

fn tell(panic: &PanicHookInfo<'_>, print: fn(&str)) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or_default();
    if tracing::dispatcher::has_been_set() {
        tracing::error!(place = %place, thread, "a thread panicked, which is a bug; RUST_BACKTRACE=1 shows its words");
    } else {
        print(&format!(
            "thread {thread:?} panicked at {place}, which is a bug; RUST_BACKTRACE=1 shows its words"
        ));
    }
}
