//! `patches`, `patchesStrategicMerge`, `patchesJson6902`: reading patches, and putting them on objects.

mod json;
mod target;

use std::rc::Rc;

use sluice_yaml::{Node, Position};

use self::{
    json::{apply_json, json_as_yaml},
    target::{Target, check_unique, put_on, put_on_selected},
};
use super::json6902::{self, Operation};
use crate::{
    Text,
    build::Session,
    error::{Class, Error, Result},
    fields,
    files::Loader,
    kustomization::{Patch, Spot},
    object::Object,
    objects::Objects,
    output, read,
    selector::SelectorArgs,
};

pub(crate) use json::Json6902Transformer;

/// A patch that says what it changes, or the part of one that a target names.
#[derive(Clone, Debug)]
pub(crate) struct StrategicMerge {
    patches: Rc<Vec<Object>>,
}

/// An entry of `patches`.
#[derive(Clone, Debug)]
pub(crate) struct PatchTransformer {
    content: Content,
    target: Option<Target>,
    /// How messages name it: `[path: "p.yaml"]`.
    source: String,
    file: Text,
    at: Position,
}

#[derive(Clone, Debug)]
enum Content {
    Nothing,
    Merge(Rc<Vec<Object>>),
    Json(Rc<Vec<Operation>>),
}

impl StrategicMerge {
    /// Reads `patchesStrategicMerge`: each entry is a file or a patch itself.
    pub(crate) fn load(loader: &Loader<'_>, paths: &[Spot<Text>], inline: &str, file: &str) -> Result<Self> {
        if paths.is_empty() && inline.is_empty() {
            return Err(Error::new("empty file path and empty patch content"));
        }
        let mut patches = Vec::new();
        for path in paths {
            match read::objects(path.value.as_bytes(), file) {
                Ok(mut inline) => {
                    for patch in &mut inline {
                        patch.source.line += path.at.line;
                    }
                    patches.append(&mut inline);
                }
                Err(_) => {
                    patches.append(&mut load_objects(loader, &path.value).map_err(|e| e.at(file, path.at))?)
                }
            }
        }
        if !inline.is_empty() {
            patches.append(&mut read::objects(inline.as_bytes(), file)?);
        }
        if patches.is_empty() {
            let files: Vec<&str> = paths.iter().map(|p| p.value.as_str()).collect();
            return Err(Error::new(format!(
                "patch appears to be empty; files=[{}], Patch={inline}",
                files.join(" ")
            ))
            .in_file(file));
        }
        Ok(Self {
            patches: Rc::new(patches),
        })
    }

    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        for patch in self.patches.iter() {
            let id = patch.original_id(&session.schema);
            let at = objects
                .only_with_any_id(&id, &session.schema)
                .map_err(|e| e.at(&patch.source.file, patch.position()).about(&id))?;
            put_on_selected(patch, objects, at, &session.schema)?;
            objects.drop_empty();
        }
        Ok(())
    }
}

fn load_objects(loader: &Loader<'_>, path: &str) -> Result<Vec<Object>> {
    let bytes = loader.load(path)?;
    let full = loader.resolve(path);
    read::objects(&bytes, &full).map_err(|e| name_file(e, path))
}

/// Adds the file's name to the message, as the original does for YAML that cannot be read.
pub(crate) fn name_file(error: Error, path: &str) -> Error {
    if error.class() == Class::Malformed {
        error.reword(|text| format!("{text} in File: {path}"))
    } else {
        error
    }
}

impl PatchTransformer {
    /// Reads the patch. `shown` gives the configuration for messages.
    pub(crate) fn load(
        loader: &Loader<'_>,
        patch: &Patch,
        file: &str,
        shown: &dyn Fn() -> String,
    ) -> Result<Self> {
        let text = patch.patch.trim();
        let (text, source, origin, lines) = match (text.is_empty(), patch.path.is_empty()) {
            (true, true) => {
                return Err(
                    Error::new(format!("must specify one of patch and path in\n{}", shown()))
                        .at(file, patch.at),
                );
            }
            (false, false) => {
                return Err(Error::new(format!(
                    "patch and path can't be set at the same time\n{}",
                    shown()
                ))
                .at(file, patch.at));
            }
            (false, true) => (
                text.as_bytes().to_vec(),
                format!("[patch: {}]", crate::go::quote(text)),
                Text::from(file),
                patch.text_at.line,
            ),
            (true, false) => {
                let bytes = loader.load(&patch.path).map_err(|e| {
                    e.wrap(format!("failed to get the patch file from path({})", patch.path))
                        .at(file, patch.at)
                })?;
                (
                    bytes,
                    format!("[path: {}]", crate::go::quote(&patch.path)),
                    loader.resolve(&patch.path).into(),
                    0,
                )
            }
        };
        let content = parse(&text, &origin, &source, lines)?;
        if let (Content::Merge(patches), Some(options)) = (&content, patch.options) {
            let mut patches = patches.as_ref().clone();
            for object in &mut patches {
                object.allow_name_change |= options.allow_name_change;
                object.allow_kind_change |= options.allow_kind_change;
                if object.allow_name_change || object.allow_kind_change {
                    // The original notes the flags in annotations, and so makes strings of the others.
                    object.set_annotations(object.annotations())?;
                }
            }
            return Ok(Self::with(
                Content::Merge(Rc::new(patches)),
                patch,
                source,
                origin,
                file,
            ));
        }
        Ok(Self::with(content, patch, source, origin, file))
    }

    fn with(content: Content, patch: &Patch, source: String, origin: Text, file: &str) -> Self {
        let target = patch
            .target
            .as_ref()
            .map(|args| Target::new(args, file, patch.at));
        Self {
            content,
            target,
            source,
            file: origin,
            at: patch.at,
        }
    }

    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        match &self.content {
            Content::Nothing => Ok(()),
            Content::Merge(patches) => self.merge(patches, objects, session),
            Content::Json(operations) => self.patch_json(operations, objects, session),
        }
    }

    fn merge(&self, patches: &[Object], objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        let schema = &session.schema;
        if let Some(target) = &self.target {
            let [patch] = patches else {
                return Err(Error::new(format!(
                    "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: {}",
                    self.source
                ))
                .in_file(&self.file)
                .help("give each patch an entry of its own, or leave the target out"));
            };
            let selected = target.select(objects, schema).map_err(|e| {
                e.wrap(format!(
                    "unable to find patch target {} in `resources`",
                    crate::go::quote(&describe(&target.args))
                ))
                .in_file(&self.file)
            })?;
            for at in selected {
                put_on_selected(patch, objects, at, schema)?;
            }
            objects.drop_empty();
            return if patch.allow_name_change || patch.allow_kind_change {
                check_unique(objects, schema)
            } else {
                Ok(())
            };
        }
        for patch in patches {
            let id = patch.original_id(schema);
            let at = objects.only_with_any_id(&id, schema).map_err(|e| {
                e.wrap(format!(
                    "no resource matches strategic merge patch {}",
                    crate::go::quote(&id.to_string())
                ))
                .at(&patch.source.file, patch.position())
                .about(&id)
            })?;
            put_on(patch, objects, at, schema)?;
        }
        Ok(())
    }

    fn patch_json(
        &self,
        operations: &[Operation],
        objects: &mut Objects,
        session: &Session<'_>,
    ) -> Result<()> {
        let Some(target) = &self.target else {
            return Err(
                Error::new(format!("must specify a target for JSON patch {}", self.source))
                    .in_file(&self.file)
                    .help("add `target:` with the kind and the name of the object"),
            );
        };
        for at in target.select(objects, &session.schema)? {
            objects.modify(at, &session.schema, |object| {
                object.store_previous_id(&session.schema)?;
                apply_json(object, operations, &self.file, self.at)
            })?;
        }
        Ok(())
    }
}

/// Reads the text of a patch: objects to merge, or a list of operations.
fn parse(text: &[u8], file: &str, source: &str, lines_before: u32) -> Result<Content> {
    let merge = read::objects(text, file);
    let json = || {
        if text.is_empty() {
            return Err(Error::new("empty json patch operations"));
        }
        read::document_v2(&json_as_yaml(text)?, file).and_then(|document| json6902::decode(&document))
    };
    match merge {
        Ok(patches) if patches.is_empty() => Ok(Content::Nothing),
        Ok(mut patches) => {
            for patch in &mut patches {
                patch.source.line += lines_before;
            }
            Ok(Content::Merge(Rc::new(patches)))
        }
        Err(why) => match json() {
            Ok(operations) => Ok(Content::Json(Rc::new(operations))),
            Err(other) => {
                let reason = if text.trim_ascii_start().starts_with(b"[")
                    || text.trim_ascii_start().starts_with(b"-")
                {
                    other
                } else {
                    why
                };
                let (place, cause) = (reason.place().cloned(), reason.text().to_owned());
                let error = Error::new(format!("unable to parse SM or JSON patch from {source}"));
                let error = match place {
                    Some(place) => error.at(&place.file, place.position),
                    None => error.in_file(file),
                };
                Err(error.help(cause))
            }
        },
    }
}

fn describe(args: &SelectorArgs) -> String {
    format!("{}:a={}:l={}", args.id(), args.annotations, args.labels)
}

/// The configuration of a patch as the original's messages show it.
pub(crate) fn config_text(patch: &Patch, text_field: &str) -> String {
    let mut config = Node::mapping(Vec::new());
    let mut set = |name: &str, text: &Text| {
        if !text.is_empty() {
            config.set(name, fields::string_node(text.clone()));
        }
    };
    set("path", &patch.path);
    set(text_field, &patch.patch);
    if let Some(target) = &patch.target {
        config.set("target", target.to_node());
    }
    if let Some(options) = patch.options {
        let mut node = Node::mapping(Vec::new());
        for (name, flag) in [
            ("allowNameChange", options.allow_name_change),
            ("allowKindChange", options.allow_kind_change),
        ] {
            if flag {
                node.set(name, Node::bool(true));
            }
        }
        config.set("options", node);
    }
    output::yaml_text(&config)
}
