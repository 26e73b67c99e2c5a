//! `buildMetadata`: annotations that say where an object came from, and what changed it.

use sluice_yaml::Node;

use crate::{Text, error::Result, fields, files::join_relative, object::Object, output};

/// Where an object came from.
pub(crate) const ORIGIN: &str = "config.kubernetes.io/origin";

/// What changed it.
pub(crate) const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// The directory that is being built, relative to where the build started. Kept only where `buildMetadata` asks for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    path: String,
}

impl Trace {
    /// The trace of a path below this one.
    pub(crate) fn join(&self, path: &str) -> Self {
        Self {
            path: join_relative(&self.path, path),
        }
    }

    /// The annotation of an object that a file holds.
    pub(crate) fn of_file(&self, path: &str) -> Text {
        output::source_text(&Node::map([(
            "path",
            Node::string(join_relative(&self.path, path)),
        )]))
        .into()
    }

    /// The annotation for what a built-in generator made or a built-in transformer changed.
    pub(crate) fn of_builtin(&self, kind: &str, file_name: &str) -> Text {
        let file = join_relative(&self.path, file_name);
        configured(&file, &[("apiVersion", "builtin"), ("kind", kind)])
    }
}

fn configured(file: &str, by: &[(&str, &str)]) -> Text {
    let by = by
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(k, v)| (*k, Node::string(*v)));
    output::source_text(&Node::map([
        ("configuredIn", Node::string(file)),
        ("configuredBy", Node::map(by)),
    ]))
    .into()
}

/// The annotation for what a plugin's configuration made or changed; none where its own origin is unknown.
pub(crate) fn of_plugin(config: &Object) -> Option<Text> {
    let origin = config.annotation(ORIGIN)?;
    let path = crate::read::document_v2(origin.as_bytes(), ORIGIN)
        .ok()?
        .get("path")
        .map(fields::shared)?;
    let (name, namespace) = (config.name(), config.namespace());
    let by = [
        ("apiVersion", config.api_version()),
        ("kind", config.kind()),
        ("name", &name),
        ("namespace", &namespace),
    ];
    Some(configured(&path, &by))
}

/// Notes a transformer on an object: its origin where there is none, else one more transformation.
pub(crate) fn note_transformer(object: &mut Object, by: &Text) -> Result<()> {
    if object.annotation(ORIGIN).is_none() {
        return object.set_annotation(ORIGIN, by);
    }
    let mut all = object
        .annotation(TRANSFORMATIONS)
        .map(String::from)
        .unwrap_or_default();
    for (number, line) in by.lines().enumerate() {
        all.push_str(if number == 0 { "- " } else { "  " });
        all.push_str(line);
        all.push('\n');
    }
    object.set_annotation(TRANSFORMATIONS, &all.into())
}
