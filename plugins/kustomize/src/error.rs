//! Errors: the original's words first, then where, then what to do.

use std::fmt;

use sluice_yaml::Position;

use crate::Text;

/// What sort of problem it is: what a caller may do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The input says something that cannot be built.
    Input,
    /// A file is not YAML.
    Malformed,
    /// The input asks for what a render may not do: the network, a program, a path out of the tree.
    Refused,
    /// A limit of [`crate::Limits`] was reached.
    Limit,
}

/// A file and a position in it; line 0 where only the file is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Path in the tree.
    pub file: Text,
    /// Line and column.
    pub position: Position,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Position { line: 0, .. } => write!(f, "{}", self.file),
            Position { line, column: 0 } => write!(f, "{}:{line}", self.file),
            Position { line, column } => write!(f, "{}:{line}:{column}", self.file),
        }
    }
}

/// Why a build failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parts {
    class: Class,
    text: String,
    place: Option<Place>,
    object: Option<String>,
    field: Option<String>,
    hint: Option<String>,
}

/// From this many bytes on a message is not wrapped any more.
const TEXT_MAX: usize = 8192;

/// The result of every stage here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A problem of the input, in the original's words.
    pub fn new(text: impl Into<String>) -> Self {
        Self::of(Class::Input, text)
    }

    pub(crate) fn of(class: Class, text: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            class,
            text: text.into(),
            place: None,
            object: None,
            field: None,
            hint: None,
        }))
    }

    /// What sort of problem it is.
    pub fn class(&self) -> Class {
        self.0.class
    }

    /// The message without place and hint: what the original prints.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Where it is.
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The object it is about, as `Deployment.v1.apps/web.shop`.
    pub fn object(&self) -> Option<&str> {
        self.0.object.as_deref()
    }

    /// The path of the field it is about.
    pub fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Puts `prefix: ` before the message.
    pub(crate) fn wrap(self, prefix: impl fmt::Display) -> Self {
        self.reword(|text| format!("{prefix}: {text}"))
    }

    /// Changes the message. What says that a limit was reached stays short, and so does what is long already:
    /// the original quotes messages within messages, which doubles them level by level.
    pub(crate) fn reword(mut self, change: impl FnOnce(&str) -> String) -> Self {
        if self.0.class != Class::Limit && self.0.text.len() < TEXT_MAX {
            self.0.text = change(&self.0.text);
        }
        self
    }

    /// Says where, unless an inner stage said so already.
    pub(crate) fn at(mut self, file: &str, position: Position) -> Self {
        if self
            .0
            .place
            .as_ref()
            .is_none_or(|p| p.position.line == 0 && position.line > 0 && p.file == file)
        {
            self.0.place = Some(Place {
                file: file.into(),
                position,
            });
        }
        self
    }

    /// Says in which file, unless a place is known.
    pub(crate) fn in_file(self, file: &str) -> Self {
        self.at(file, Position::default())
    }

    /// Names the object, unless an inner stage did.
    pub(crate) fn about(mut self, object: impl fmt::Display) -> Self {
        self.0.object.get_or_insert_with(|| object.to_string());
        self
    }

    /// Names the field, unless an inner stage did.
    pub(crate) fn on_field(mut self, field: impl Into<String>) -> Self {
        self.0.field.get_or_insert_with(|| field.into());
        self
    }

    /// Names the field, whatever an inner stage said.
    pub(crate) fn with_field(mut self, field: String) -> Self {
        self.0.field = Some(field);
        self
    }

    /// Says what to do, unless an inner stage did.
    pub(crate) fn help(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.text.trim_end_matches('\n'))?;
        if let Some(place) = &self.0.place {
            write!(f, "\n  at {place}")?;
        }
        if let Some(field) = self.0.field.as_deref().filter(|field| !field.is_empty()) {
            write!(f, "\n  field {field}")?;
        }
        if let Some(object) = &self.0.object {
            write!(f, "\n  object {object}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// Adds context to results.
pub(crate) trait Context<T> {
    fn wrap(self, prefix: impl FnOnce() -> String) -> Result<T>;
    fn in_file(self, file: &str) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn wrap(self, prefix: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| e.wrap(prefix()))
    }

    fn in_file(self, file: &str) -> Result<T> {
        self.map_err(|e| e.in_file(file))
    }
}
