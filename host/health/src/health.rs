/// kstatus' word for the health of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It is as it should be.
    Current,
    /// It is on its way.
    InProgress,
    /// It has failed and will not get better by itself.
    Failed,
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
    /// Nobody can say.
    Unknown,
}

impl Status {
    /// As Flux prints it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress => "InProgress",
            Self::Failed => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown => "Unknown",
        }
    }
}

/// The health of one object, and a few words on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The word.
    pub status: Status,
    /// Why; may be empty.
    pub message: String,
}

impl Health {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }

    pub(crate) fn current(message: impl Into<String>) -> Self {
        Self::new(Status::Current, message)
    }

    pub(crate) fn in_progress(message: impl Into<String>) -> Self {
        Self::new(Status::InProgress, message)
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Status::Failed, message)
    }

    /// The health of an object that is not there.
    pub fn not_found() -> Self {
        Self::new(Status::NotFound, "")
    }

    /// The health of an object that could not be read.
    pub fn unknown(error: impl Into<String>) -> Self {
        Self::new(Status::Unknown, error)
    }

    /// Whether the object is as it should be.
    pub fn is_current(&self) -> bool {
        self.status == Status::Current
    }
}
