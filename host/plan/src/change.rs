use sluice_object::ObjectId;
use std::fmt;

/// Flux's words for what becomes of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// It is made.
    Created,
    /// It is changed.
    Configured,
    /// It is as it should be.
    Unchanged,
    /// It is deleted, or gone already.
    Deleted,
    /// It is left alone, as its labels or annotations ask.
    Skipped,
}

impl Action {
    /// As Flux prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Configured => "configured",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
            Self::Skipped => "skipped",
        }
    }

    /// Whether something is written.
    pub const fn is_change(self) -> bool {
        matches!(self, Self::Created | Self::Configured | Self::Deleted)
    }
}

/// What becomes of one object. Printed as a line of Flux's change set: `Deployment/apps/web configured`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The object.
    pub id: ObjectId,
    /// What becomes of it.
    pub action: Action,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.action.as_str())
    }
}

/// The message of the event about changes: a line for each object that is written. None where there is none.
pub fn event_message<'c>(changes: impl IntoIterator<Item = &'c Change>) -> Option<String> {
    let lines: Vec<String> = changes
        .into_iter()
        .filter(|change| change.action.is_change())
        .map(ToString::to_string)
        .collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
