//! Calls from asynchronous code: a bounded number runs, a bounded number waits.

use crate::Error;
use std::sync::Arc;
use std::thread::available_parallelism;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Runs guests on threads that may block, so that none of them holds up the asynchronous ones.
#[derive(Clone, Debug)]
pub struct Pool {
    running: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    queue_length: usize,
}

/// How many calls may wait for a core. Each holds a request in memory; more than this is an overload to be said aloud.
pub const QUEUE_LENGTH_DEFAULT: usize = 4096;

impl Default for Pool {
    /// As many calls at once as there are cores: guests only compute.
    fn default() -> Self {
        Self::new(
            available_parallelism().map_or(1, usize::from),
            QUEUE_LENGTH_DEFAULT,
        )
    }
}

impl Pool {
    /// `running_max` calls run, `queue_length` wait; the next is refused with [`Error::Busy`].
    pub fn new(running_max: usize, queue_length: usize) -> Self {
        Self {
            running: Arc::new(Semaphore::new(running_max.max(1))),
            queue: Arc::new(Semaphore::new(queue_length + running_max.max(1))),
            queue_length,
        }
    }

    /// Runs `call` when a core is free. Dropping the future before that withdraws the call; after that the call runs to
    /// its end, at the latest its limit on time, and keeps its place until then.
    pub async fn run<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let busy = || Error::Busy {
            queue_length: self.queue_length,
        };
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(|_| busy())?;
        let permit = Arc::clone(&self.running)
            .acquire_owned()
            .await
            .map_err(|_| busy())?;
        let task = spawn_blocking(move || {
            let _held_until_done = (place, permit);
            call()
        });
        // what its panic says may quote a Secret
        task.await.unwrap_or_else(|_| {
            Err(Error::HostFailed {
                plugin: "of this call".to_owned(),
                what: "it ended unexpectedly".to_owned(),
            })
        })
    }
}
