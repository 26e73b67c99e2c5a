//! The root cause: from an unhealthy object down to its children, pods, containers and events (pains P23).

mod events;
mod object;
mod pod;
#[cfg(test)]
mod tests;

use crate::look::{items, subject, text};
use serde_json::Value;
use std::fmt;

/// How many owners lie between an object and its pods: CronJob, Job, Pod; Deployment, ReplicaSet, Pod.
const DEPTH_MAX: usize = 4;
/// Longest detail in bytes: a condition holds 32768 and names many objects.
const DETAIL_BYTES_MAX: usize = 400;

/// What lies around an unhealthy object. Nothing need be there: the less, the vaguer the cause.
#[derive(Clone, Copy, Debug, Default)]
pub struct Around<'v> {
    /// ReplicaSets, Jobs, Pods, PersistentVolumeClaims … of its namespace.
    pub objects: &'v [Value],
    /// Events of its namespace, core or `events.k8s.io`.
    pub events: &'v [Value],
}

/// Why an object is not healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Where the cause lies: `Pod/apps/web-1 container "web"`.
    pub subject: String,
    /// One word: `ImagePullBackOff`, `FailedScheduling`.
    pub reason: String,
    /// What Kubernetes says.
    pub detail: String,
    /// What to do, where that is known.
    pub remedy: Option<&'static str>,
}

/// `Pod/apps/web-1 container "web": ImagePullBackOff: …; check the image's name …`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.reason)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        match self.remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

impl Cause {
    fn new(subject: String, reason: &str, detail: &str) -> Self {
        let line = detail.split_whitespace().collect::<Vec<_>>().join(" ");
        let detail = sluice_api::conditions::truncate(&line, DETAIL_BYTES_MAX);
        Self {
            subject,
            reason: reason.to_owned(),
            detail,
            remedy: None,
        }
    }

    fn with_remedy(mut self, remedy: Option<&'static str>) -> Self {
        self.remedy = remedy;
        self
    }
}

/// The cause that lies deepest: a container's before its pod's, that before its set's, conditions before events.
pub fn cause(object: &Value, around: Around<'_>) -> Option<Cause> {
    walk(object, around, DEPTH_MAX)
}

fn walk(object: &Value, around: Around<'_>, depth: usize) -> Option<Cause> {
    if let Some(terminating) = object::terminating(object) {
        return Some(terminating);
    }
    if text(object, "/kind") == "Pod" {
        return pod::cause(object, around);
    }
    if depth > 0 {
        // the newest child first: it is of the newest revision
        let mut children: Vec<&Value> = around
            .objects
            .iter()
            .filter(|child| is_owned(child, object))
            .collect();
        children.sort_by_key(|child| std::cmp::Reverse(text(child, "/metadata/creationTimestamp")));
        let deep = children
            .into_iter()
            .find_map(|child| walk(child, around, depth - 1));
        if deep.is_some() {
            return deep;
        }
    }
    object::failed_condition(object)
        .or_else(|| events::warning(object, around.events))
        .or_else(|| object::waiting_condition(object))
}

fn is_owned(child: &Value, owner: &Value) -> bool {
    let uid = text(owner, "/metadata/uid");
    !uid.is_empty()
        && items(child, "/metadata/ownerReferences").any(|reference| text(reference, "/uid") == uid)
}

fn of(object: &Value, reason: &str, detail: &str) -> Cause {
    Cause::new(subject(object), reason, detail)
}
