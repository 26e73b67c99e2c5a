//! One watch, followed until it is no longer wanted, and how often a watch that fails is tried.

use super::Context;
use futures::StreamExt;
use kube::api::Api;
use kube::runtime::watcher::{self, Event};
use serde::de::DeserializeOwned;
use sluice_apply::cluster::Chance;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Tells `on` everything that happens, until `stop`.
pub(super) async fn follow<K>(
    cx: &Context,
    stop: &CancellationToken,
    api: Api<K>,
    config: watcher::Config,
    mut on: impl FnMut(Result<Event<K>, watcher::Error>),
) where
    K: kube::Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let mut again = Again::new(cx.chance().clone());
    let events = kube::runtime::watcher(api, config).take_until(stop.cancelled());
    let mut events = std::pin::pin!(events);
    while let Some(event) = events.next().await {
        let has_failed = event.is_err();
        on(event);
        if has_failed {
            // the next look begins when the stream is asked again; `stop` need not wait for it
            let wait = again.wait(Instant::now());
            let _stopped = tokio::time::timeout(wait, stop.cancelled()).await;
        }
    }
}

/// The first wait after a watch failed; it doubles.
const AGAIN_FIRST: Duration = Duration::from_millis(800);
/// The longest wait: an API server that comes back is not met by everybody at once, nor for long by nobody.
const AGAIN_MAX: Duration = Duration::from_secs(30);
/// A watch that did not fail for so long starts with the first wait again. That a list begins says nothing: one of a kind
/// that is not installed begins every time.
const AGAIN_RESET: Duration = Duration::from_secs(60);

/// How long to wait before a watch that failed is tried again.
#[derive(Debug)]
pub struct Again {
    failures: u32,
    last: Option<Instant>,
    chance: Chance,
}

impl Again {
    /// Nothing has failed yet; `chance` spreads the waits.
    pub fn new(chance: Chance) -> Self {
        Self {
            failures: 0,
            last: None,
            chance,
        }
    }

    /// It failed at `now`.
    pub fn wait(&mut self, now: Instant) -> Duration {
        if self
            .last
            .is_some_and(|last| now.duration_since(last) > AGAIN_RESET)
        {
            self.failures = 0;
        }
        self.last = Some(now);
        let wait = AGAIN_FIRST
            .saturating_mul(1 << self.failures.min(10))
            .min(AGAIN_MAX);
        self.failures += 1;
        wait.mul_f64(0.5 + 0.5 * self.chance.share())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_and_again_is_asked_less_and_less() {
        let (mut again, mut now) = (Again::new(Chance::seeded(1)), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..8 {
            let wait = again.wait(now);
            waits.push(wait);
            now += wait;
        }
        let longest = [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0].map(Duration::from_secs_f64);
        for (wait, longest) in waits.iter().zip(longest) {
            assert!(*wait >= longest / 2 && *wait <= longest, "{waits:?}");
        }
        now += AGAIN_RESET;
        assert!(again.wait(now) <= AGAIN_FIRST, "it worked meanwhile");
    }
}
