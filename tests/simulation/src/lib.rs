//! The reconciler under faults: whole stories on the embedded API server, thousands of schedules a minute.
//!
//! ```text
//! seed ─▶ Plan ─▶ schedule: story's steps ─▶ embedded API server ◀─ wire (faults, crashes) ◀─ process, and the next one
//!                                                                    └─▶ judge: invariants, at every request
//! ```
//!
//! Time is paused: nobody waits. Nothing does IO: equal seeds give equal schedules, to the request.
//! Start at [`crash_everywhere`] and [`seeds`]; `cargo xtask test simulation` runs both.
//!
//! **Invariant:** a schedule that fails is replayed by its name.
#![forbid(unsafe_code)]
#![allow(clippy::indexing_slicing)] // a test program: what is wrong in it may end it

mod frail;
mod judge;
mod kit;
mod process;
mod schedule;
mod script;
mod wire;

use anyhow::{Context as _, Result, bail};
use kit::Kit;
use schedule::{Outcome, Plan, Profile};
use script::Script;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use wire::Crash;

/// Names a schedule, so that it can be had again: `seed:4711`, `seed:4711:install:storm`, or `crash:install:17:before`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// Everything is chosen by chance from this number.
    Seed(u64),
    /// What goes wrong is chosen by chance from this number: such a name stays true when stories are added.
    Chosen {
        /// The number.
        seed: u64,
        /// The story.
        story: String,
        /// What kind of things go wrong.
        profile: String,
    },
    /// A calm story whose process dies at one request.
    Crash {
        /// The story.
        story: String,
        /// Which request, from 0.
        request: usize,
        /// After the request was carried out, else before.
        is_after: bool,
    },
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(seed) => write!(f, "seed:{seed}"),
            Self::Chosen { seed, story, profile } => write!(f, "seed:{seed}:{story}:{profile}"),
            Self::Crash {
                story,
                request,
                is_after,
            } => {
                write!(
                    f,
                    "crash:{story}:{request}:{}",
                    if *is_after { "after" } else { "before" }
                )
            }
        }
    }
}

impl FromStr for Name {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            ["seed", seed] => Ok(Self::Seed(seed.parse()?)),
            ["seed", seed, story, profile] => Ok(Self::Chosen {
                seed: seed.parse()?,
                story: (*story).to_owned(),
                profile: (*profile).to_owned(),
            }),
            ["crash", story, request, when @ ("before" | "after")] => Ok(Self::Crash {
                story: (*story).to_owned(),
                request: request.parse()?,
                is_after: *when == "after",
            }),
            _ => bail!("{text:?} names no schedule; `seed:17` and `crash:install:3:before` do"),
        }
    }
}

/// A schedule in which something was wrong.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Which.
    pub name: Name,
    /// What, one line each.
    pub violations: Vec<String>,
    /// What happened, where asked for.
    pub trace: Vec<String>,
}

/// What became of many schedules.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// How many ran.
    pub schedules: usize,
    /// How many requests the processes made in all.
    pub requests: usize,
    /// Those in which something was wrong, sorted by name.
    pub failures: Vec<Failure>,
}

/// Kills the process before and after every request of every story; where `at_most` is less than that, at so many points
/// spread evenly over them.
///
/// # Errors
/// The stories cannot be set up.
pub fn crash_everywhere(at_most: usize, threads: usize) -> Result<Summary> {
    let scripts = script::all();
    let kit = Kit::new(&scripts)?;
    let mut names = Vec::new();
    let mut calm_failures = Vec::new();
    for script in &scripts {
        let calm = schedule::run(
            &kit,
            script,
            &Plan {
                seed: 1,
                ..Plan::default()
            },
        );
        if !calm.violations.is_empty() {
            let name = Name::Crash {
                story: script.name.to_owned(),
                request: usize::MAX,
                is_after: false,
            };
            calm_failures.push(Failure {
                name,
                violations: calm.violations,
                trace: Vec::new(),
            });
            continue;
        }
        for request in 0..calm.requests_told {
            for is_after in [false, true] {
                names.push(Name::Crash {
                    story: script.name.to_owned(),
                    request,
                    is_after,
                });
            }
        }
    }
    // an odd step meets deaths both before and after a request
    let step = names.len().div_ceil(at_most.max(1)) | 1;
    let names: Vec<Name> = names.into_iter().step_by(step).collect();
    let mut summary = run_all(&kit, &scripts, &names, threads);
    summary.schedules += scripts.len();
    summary.failures.splice(0..0, calm_failures);
    Ok(summary)
}

/// Runs a schedule for each seed.
///
/// # Errors
/// The stories cannot be set up.
pub fn seeds(seeds: Range<u64>, threads: usize) -> Result<Summary> {
    let scripts = script::all();
    let kit = Kit::new(&scripts)?;
    let names: Vec<Name> = seeds.map(|seed| chosen(&scripts, seed)).collect();
    Ok(run_all(&kit, &scripts, &names, threads))
}

/// Runs one schedule with its trace, twice: whether both were the same is told too.
///
/// # Errors
/// There is no such story, or the stories cannot be set up.
pub fn replay(name: &Name) -> Result<(Failure, bool)> {
    let scripts = script::all();
    let kit = Kit::new(&scripts)?;
    let first = run_one(&kit, &scripts, name, true)?;
    let second = run_one(&kit, &scripts, name, true)?;
    let is_same = first.digest == second.digest;
    let failure = Failure {
        name: name.clone(),
        violations: first.violations,
        trace: first.trace,
    };
    Ok((failure, is_same))
}

/// What a seed alone stands for today.
fn chosen(scripts: &[Script], seed: u64) -> Name {
    let story = scripts[seed as usize % scripts.len()].name.to_owned();
    let profile = Profile::of(seed).name().to_owned();
    Name::Chosen { seed, story, profile }
}

fn named<'s>(scripts: &'s [Script], story: &str) -> Result<&'s Script> {
    let script = scripts.iter().find(|script| script.name == story);
    script.with_context(|| format!("there is no story {story:?}"))
}

fn run_one(kit: &Kit, scripts: &[Script], name: &Name, is_traced: bool) -> Result<Outcome> {
    match name {
        Name::Seed(seed) => run_one(kit, scripts, &chosen(scripts, *seed), is_traced),
        Name::Chosen { seed, story, profile } => {
            let plan = Plan {
                seed: *seed,
                profile: Profile::named(profile).with_context(|| format!("nothing is called {profile:?}"))?,
                crashes: Vec::new(),
                is_traced,
            };
            Ok(schedule::run(kit, named(scripts, story)?, &plan))
        }
        Name::Crash {
            story,
            request,
            is_after,
        } => {
            let script = named(scripts, story)?;
            let crashes = vec![Crash {
                request: *request,
                is_after: *is_after,
            }];
            Ok(schedule::run(
                kit,
                script,
                &Plan {
                    seed: 1,
                    profile: Profile::Calm,
                    crashes,
                    is_traced,
                },
            ))
        }
    }
}

fn run_all(kit: &Kit, scripts: &[Script], names: &[Name], threads: usize) -> Summary {
    let next = AtomicUsize::new(0);
    let summary = Mutex::new(Summary::default());
    let work = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = run_one(kit, scripts, name, false);
            let mut summary = summary.lock().unwrap_or_else(PoisonError::into_inner);
            summary.schedules += 1;
            let violations = match outcome {
                Ok(outcome) => {
                    summary.requests += outcome.requests;
                    outcome.violations
                }
                Err(error) => vec![error.to_string()],
            };
            if !violations.is_empty() {
                summary.failures.push(Failure {
                    name: name.clone(),
                    violations,
                    trace: Vec::new(),
                });
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(work);
        }
    });
    let mut summary = summary.into_inner().unwrap_or_else(PoisonError::into_inner);
    summary.failures.sort_by_key(|failure| failure.name.to_string());
    summary
}
