use crate::metrics::{WordLabels, metrics, seconds};
use std::time::Duration;
use tracing::{debug, error};

/// A renderer ran and gave objects.
pub struct RenderSucceeded<'a> {
    /// Name of the plugin.
    pub plugin: &'a str,
    /// How many objects it gave.
    pub objects: usize,
    /// How long it took, instantiation included.
    pub duration: Duration,
}

impl RenderSucceeded<'_> {
    /// Logs at debug and records the duration.
    pub fn emit(self) {
        metrics()
            .renders
            .get_or_create(&WordLabels { word: "rendered" })
            .inc();
        metrics().render_seconds.observe(seconds(self.duration));
        debug!(plugin = self.plugin, objects = self.objects, duration = ?self.duration, "rendered");
    }
}

/// Nothing that the render reads has changed: its result was remembered.
pub struct RenderRemembered<'a> {
    /// Name of the plugin.
    pub plugin: &'a str,
}

impl RenderRemembered<'_> {
    /// Logs at debug and counts.
    pub fn emit(self) {
        metrics()
            .renders
            .get_or_create(&WordLabels { word: "remembered" })
            .inc();
        debug!(plugin = self.plugin, "nothing the render reads has changed");
    }
}

/// A renderer refused its input or misbehaved.
pub struct RenderFailed<'a> {
    /// Name of the plugin.
    pub plugin: &'a str,
    /// Whose fault: `user`, `guest`, `host` or `upstream`.
    pub blame: &'a str,
    /// What failed, with cause and remedy.
    pub error: &'a str,
}

impl RenderFailed<'_> {
    /// Logs at error and counts.
    pub fn emit(self) {
        metrics()
            .renders
            .get_or_create(&WordLabels { word: "failed" })
            .inc();
        error!(
            plugin = self.plugin,
            blame = self.blame,
            error = self.error,
            "render failed"
        );
    }
}
