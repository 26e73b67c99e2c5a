//! What computes for long, and where.

/// The work panicked. What its message quotes is not told: it may be what a Secret holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("ended unexpectedly")]
pub(super) struct Broken;

/// Computes where nobody waits for the thread. What is short is computed at once: a thread costs more.
///
/// # Errors
/// It panicked on its thread.
pub(super) async fn aside<T: Send + 'static>(
    is_long: bool,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Broken> {
    match is_long {
        true => elsewhere(work).await,
        false => Ok(work()),
    }
}

/// Does on a thread of its own what blocks or computes for long.
///
/// # Errors
/// It panicked there.
pub(super) async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Broken> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn only_what_is_long_has_another_thread() {
        let here = thread::current().id();
        let on = || thread::current().id();
        assert_eq!(aside(false, on).await, Ok(here));
        assert_ne!(aside(true, on).await, Ok(here));
        let panics: fn() = || panic!("hunter2");
        let broken = aside(true, panics).await.unwrap_err();
        assert_eq!(broken.to_string(), "ended unexpectedly");
    }
}
