//! Helm's engine: which templates a chart has, in which order they are read, and how their failures are told.
//!
//! [`Templates::read`] once for a chart; [`Templates::render`] as often as there are values.

use std::cmp::Reverse;

use crate::{
    Error, Map, Str, Value,
    functions::{self, Environment, MESSAGE_END, MESSAGE_START},
    objects,
    template::{MissingKey, Render, Set},
};

/// A file under `templates/` of a chart or of one of its dependencies.
#[derive(Clone, Debug)]
pub struct File {
    /// The path from above the root chart: `chart/charts/sub/templates/a.yaml`.
    pub path: String,
    /// What is in it.
    pub source: Str,
}

/// All templates of a chart and its dependencies, read.
#[derive(Debug)]
pub struct Templates {
    set: Set,
    /// The paths in the order in which Helm reads and renders them.
    paths: Vec<String>,
}

/// What the templates of one chart get.
#[derive(Clone, Debug)]
pub struct Scope {
    /// `.`: `.Values`, `.Chart`, `.Files` and the rest. `.Template` is set for each file.
    pub data: Map,
    /// `.Template.BasePath`: the chart's path and `/templates`.
    pub base_path: String,
}

impl Templates {
    /// Reads the files: the deepest first, those of a depth from the last to the first, so that what stands higher up replaces
    /// what it redefines.
    ///
    /// # Errors
    /// `parse error at (FILE:LINE): …`
    pub fn read(mut files: Vec<File>) -> Result<Self, Error> {
        files.sort_by_cached_key(|file| {
            let depth = file.path.bytes().filter(|byte| *byte == b'/').count();
            Reverse((depth, file.path.clone()))
        });
        let mut set = Set::default();
        for file in &files {
            set.add(file.path.as_str(), file.source.clone(), functions::all())
                .map_err(|error| parse_error(&file.path, &error))?;
        }
        Ok(Self {
            set,
            paths: files.into_iter().map(|file| file.path).collect(),
        })
    }

    /// Renders every file that is no partial; `scope` finds what a path's chart gives to its templates.
    ///
    /// # Errors
    /// The first failure, as Helm tells it.
    pub fn render<'s>(
        &self,
        environment: &Environment,
        missing_key: MissingKey,
        scope: impl Fn(&str) -> Option<&'s Scope>,
    ) -> Result<Vec<(String, Str)>, Error> {
        let render = Render::new(&self.set, functions::all(), environment, missing_key);
        let mut rendered = Vec::new();
        for path in &self.paths {
            let base = path.rsplit('/').next().unwrap_or(path);
            if base.starts_with('_') {
                continue;
            }
            let Some(scope) = scope(path) else {
                continue;
            };
            let template: Map = [("Name", path.as_str()), ("BasePath", scope.base_path.as_str())]
                .into_iter()
                .collect();
            scope.data.set("Template", objects::values(&template));
            let data = Value::Map(objects::values(&scope.data));
            let text = render
                .execute(path, &data)
                .map_err(|error| execution_error(path, error))?;
            rendered.push((path.clone(), crate::template::without_no_value(text.into())));
        }
        Ok(rendered)
    }
}

/// `parse error at (FILE:LINE): MESSAGE`: of the original's text, which colons take apart, the last part.
fn parse_error(path: &str, error: &Error) -> Error {
    let text = error.to_string();
    let parts: Vec<&str> = text.split(": ").collect();
    match parts.as_slice() {
        [_, location, .., message] => Error::new(format!("parse error at ({location}): {message}")),
        [_, location] => Error::new(format!("parse error at ({location}): {location}")),
        _ => Error::new(format!("parse error in ({path}): {text}")),
    }
}

/// How Helm tells a failure: the message alone for `fail` and `required`; one block for each template on the way where the
/// innermost failure is a template's own; else the original's line.
fn execution_error(path: &str, error: Error) -> Error {
    if !error.is_execution() {
        return error;
    }
    let text = error.to_string();
    let mut parts = text.splitn(3, ": ");
    let (Some(_), Some(location), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return Error::new(format!("execution error in ({path}): {text}"));
    };
    if let Some(message) = marked_message(rest) {
        return Error::new(format!("execution error at ({location}): {message}"));
    }
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut start = 0;
    for failure in error.chain() {
        let Some(block) = text.get(start..).and_then(Block::read) else {
            return Error::new(text);
        };
        if blocks.last() != Some(&block) {
            blocks.push(block);
        }
        start += failure.message().len();
    }
    let told: String = blocks.iter().map(ToString::to_string).collect();
    Error::new(told.trim())
}

/// What `fail` or `required` said, wherever it ended up.
fn marked_message(text: &str) -> Option<&str> {
    let start = text.find(MESSAGE_START)? + MESSAGE_START.len();
    let end = text.rfind(MESSAGE_END)?;
    text.get(start..end)
}

/// One failure of a chain, taken apart.
#[derive(PartialEq, Eq)]
struct Block<'t> {
    location: &'t str,
    executing: Option<(&'t str, &'t str)>,
    message: &'t str,
}

impl<'t> Block<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let rest = text.strip_prefix("template: ")?;
        if rest.starts_with("no template ") {
            return Some(Self {
                location: "",
                executing: None,
                message: text,
            });
        }
        Self::read_executing(rest).or_else(|| Self::read_simple(rest))
    }

    /// `LOCATION: executing "NAME" at <NODE>: MESSAGE`
    fn read_executing(rest: &'t str) -> Option<Self> {
        let (location, rest) = rest.split_once(": executing ")?;
        let (name, rest) = rest.strip_prefix('"')?.split_once('"')?;
        let (node, message) = rest.strip_prefix(" at <")?.split_once(">: ")?;
        Some(Self {
            location,
            executing: Some((name, node)),
            message: without_next(message),
        })
    }

    /// `NAME: MESSAGE`
    fn read_simple(rest: &'t str) -> Option<Self> {
        let (location, message) = rest.rsplit_once(": ")?;
        Some(Self {
            location,
            executing: None,
            message: without_next(message),
        })
    }
}

/// A message without the failure that it quotes.
fn without_next(message: &str) -> &str {
    message
        .split_once(" template:")
        .map_or(message, |(message, _)| message)
}

impl std::fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.location.is_empty() {
            write!(f, "{}\n  ", self.location)?;
        }
        if let Some((name, node)) = self.executing {
            write!(f, "executing \"{name}\" at <{node}>:\n    ")?;
        }
        if self.message.is_empty() {
            Ok(())
        } else {
            writeln!(f, "{}", self.message)
        }
    }
}
