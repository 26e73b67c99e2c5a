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
