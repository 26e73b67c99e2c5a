//! Whether objects are as they should be, and if not, why.
//!
//! ```text
//! object ─▶ Checks::assess: expressions of the user, else kstatus rules ─▶ Health ─▶ verdict(): wait, pass, fail
//!                                                                                └─▶ cause(): pods, events ─▶ root cause
//! ```
//!
//! Start at [`Checks::assess`], then [`verdict()`]. Watching is the controller's; everything here is a function of objects.
//!
//! **Invariant:** this room does no IO and reads no clock: the time is given.
//! **Invariant:** an expression that cannot be evaluated makes its object's health unknown, never current.
//! **Invariant:** an expression is refused, not run, where it may take more than seconds or more memory than objects have.
//! **Invariant:** Flux's text comes first and unchanged; the root cause follows it.
#![forbid(unsafe_code)]

mod health;
mod look;

mod kstatus;

mod answer;
mod cost;
mod dialect;
mod expression;
mod free;
mod issue;
mod sets;
mod words;

mod checks;
mod ready;

mod cause;
mod verdict;

pub use cause::{Around, Cause, cause};
pub use checks::{Checks, InvalidChecks};
pub use expression::{EvaluationFailed, InvalidExpression};
pub use health::{Health, Status};
pub use kstatus::{assess, assess_with_pods, pods_of};
pub use ready::{NotReady, ReadyExpression};
pub use verdict::{Looked, Verdict, verdict};
