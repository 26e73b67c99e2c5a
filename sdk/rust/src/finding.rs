use crate::{Object, ObjectId};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The subject must not go on.
    Error,
    /// Somebody should look at it.
    Warning,
    /// Good to know.
    Info,
}

/// One thing that a plugin has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A sentence without a final period.
    pub message: String,
    /// A stable name, kebab-case: `image-not-pinned`.
    pub code: Option<String>,
    /// The object it is about.
    pub object: Option<ObjectId>,
    /// The field it is about: `.spec.template.spec.containers[0].image`.
    pub field: Option<String>,
    /// The file it is about.
    pub file: Option<String>,
    /// The line of that file, from 1.
    pub line: Option<u32>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Finding {
    /// A finding with a message and nothing else.
    pub fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            code: None,
            object: None,
            field: None,
            file: None,
            line: None,
            hint: None,
        }
    }

    /// The same finding about `object`, with the file and line that it came from.
    pub fn about(mut self, object: &Object) -> Self {
        self.object = Some(object.id());
        self.file = object.origin().map(|origin| origin.path.clone());
        self.line = object.origin().map(|origin| origin.line);
        self
    }
}
