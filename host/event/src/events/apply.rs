use crate::metrics::{WordLabels, metrics};
use tracing::{debug, info, warn};

/// What became of an object, in Flux's words.
pub type ChangeWord = &'static str;

/// A reconcile's objects were applied.
pub struct ObjectsApplied<'a> {
    /// `Kind/namespace/name` and word of each object that was looked at.
    pub changes: &'a [(String, ChangeWord)],
    /// What was applied.
    pub revision: &'a str,
}

impl ObjectsApplied<'_> {
    /// Logs Flux's line with all changes as one map (only where something changed) and counts each word.
    pub fn emit(self) {
        for (_, word) in self.changes {
            metrics().changes.get_or_create(&WordLabels { word }).inc();
        }
        let changed = |word: &str| !matches!(word, "unchanged" | "skipped");
        if !self.changes.iter().any(|(_, word)| changed(word)) {
            return;
        }
        let output: serde_json::Map<String, serde_json::Value> = self
            .changes
            .iter()
            .map(|(subject, word)| (subject.clone(), (*word).into()))
            .collect();
        info!(revision = self.revision, output = %serde_json::Value::Object(output), "server-side apply completed");
    }
}

/// Objects that are no longer wanted were deleted or skipped.
pub struct ObjectsPruned<'a> {
    /// `Kind/namespace/name` and word of each.
    pub changes: &'a [(String, ChangeWord)],
}

impl ObjectsPruned<'_> {
    /// Logs Flux's line and counts each word.
    pub fn emit(self) {
        for (_, word) in self.changes {
            metrics().changes.get_or_create(&WordLabels { word }).inc();
        }
        let lines: Vec<String> = self
            .changes
            .iter()
            .map(|(subject, word)| format!("{subject} {word}"))
            .collect();
        info!("garbage collection completed: {}", lines.join("\n"));
    }
}

/// Objects were known to be as desired; the API server was not asked.
pub struct ObjectVerified {
    /// How many.
    pub count: usize,
}

impl ObjectVerified {
    /// Counts.
    pub fn emit(self) {
        metrics().verified.inc_by(self.count as u64);
        debug!(count = self.count, "objects are as last verified");
    }
}

/// Somebody changed an object and it was put back.
pub struct DriftCorrected<'a> {
    /// `Kind/namespace/name`.
    pub subject: &'a str,
}

impl DriftCorrected<'_> {
    /// Logs at info and counts.
    pub fn emit(self) {
        metrics().drifts.inc();
        info!(object = self.subject, "drift corrected");
    }
}

/// Another field manager keeps changing what we own; corrections are slowed down.
pub struct FieldFightDamped<'a> {
    /// `Kind/namespace/name`.
    pub subject: &'a str,
    /// The other field managers.
    pub managers: &'a str,
    /// How long the next correction waits.
    pub delay: std::time::Duration,
}

impl FieldFightDamped<'_> {
    /// Logs at warn and counts.
    pub fn emit(self) {
        metrics().fights.inc();
        warn!(
            object = self.subject,
            managers = self.managers,
            "another controller keeps changing this object, next correction in {:?}",
            self.delay
        );
    }
}
