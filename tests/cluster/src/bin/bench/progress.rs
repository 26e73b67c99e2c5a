//! What is being done, on standard error, so that nobody watches a silent terminal.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How often a count that grows is told.
const PAUSE: Duration = Duration::from_secs(5);

fn began() -> Instant {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    *BEGAN.get_or_init(Instant::now)
}

/// One line: seconds since the beginning, and what begins now.
pub(crate) fn say(text: &str) {
    eprintln!("  {:>6.1} s  {text}", began().elapsed().as_secs_f64());
}

/// A count on its way to a goal, told every few seconds.
#[derive(Debug)]
pub(crate) struct Count {
    what: String,
    goal: usize,
    told: Instant,
}

impl Count {
    pub(crate) fn new(what: &str, goal: usize) -> Self {
        Self {
            what: what.to_owned(),
            goal,
            told: Instant::now(),
        }
    }

    /// The count is `now`.
    pub(crate) fn at(&mut self, now: usize) {
        if self.told.elapsed() >= PAUSE {
            self.told = Instant::now();
            say(&format!("… {now} of {} {}", self.goal, self.what));
        }
    }
}
