//! `replacements`: a value of one object, or a text, copied into fields of others.

mod path;
mod text;

use self::{
    path::{Stop, Way, follow, is_fresh, match_path, way_to, ways_to},
    text::set_in_text,
};
use sluice_yaml::Node;

use crate::{
    Text,
    build::Session,
    error::{Error, Result},
    fields,
    id::Id,
    kustomization::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget},
    object::{Object, unshare},
    objects::Objects,
    selector::{Selector, SelectorArgs},
    size,
};

/// A configured ReplacementTransformer.
#[derive(Clone, Debug)]
pub(crate) struct ReplacementTransformer {
    pub(crate) replacements: Vec<Replacement>,
    /// The file that each comes from.
    pub(crate) files: Vec<Text>,
}

const DEFAULT_PATH: &str = "metadata.name";
/// Bytes of a text that cannot double anything soon: objects that get it are not measured.
const SHORT_MAX: usize = 4096;

impl ReplacementTransformer {
    pub(crate) fn apply(&self, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
        for (replacement, file) in self.replacements.iter().zip(&self.files) {
            apply_one(replacement, objects, session).map_err(|e| e.at(file, replacement.at))?;
        }
        Ok(())
    }
}

fn apply_one(replacement: &Replacement, objects: &mut Objects, session: &Session<'_>) -> Result<()> {
    let Some(targets) = &replacement.targets else {
        return Err(incomplete());
    };
    let mut value = match (&replacement.source, &replacement.source_value) {
        (None, None) => return Err(incomplete()),
        (Some(_), Some(_)) => {
            return Err(Error::new("value and resource selectors are mutually exclusive")
                .help("keep either source or sourceValue"));
        }
        (None, Some(text)) => Value {
            node: Node::plain(text.clone()),
            from: None,
        },
        (Some(source), None) => source_value(source, objects)?,
    };
    targets
        .iter()
        .try_for_each(|target| put_into(&mut value, target, objects, session))
}

/// What is copied.
struct Value {
    node: Node,
    /// The object that this stands in and the way to it; none where it is a part of what stands there, or stands nowhere any more.
    from: Option<(usize, Way)>,
}

impl Value {
    /// Reads it again where it was a target itself: the original copies from the place, not from what stood there first.
    fn refresh(&mut self, at: usize, object: &mut Node) {
        if let Some((from, way)) = &self.from
            && *from == at
            && let Some(found) = follow(object, way)
        {
            self.node = copy(found);
        }
    }

    /// Copies it to another place of the object that it stands in.
    fn copy_within(
        &mut self,
        object: &mut Node,
        at: usize,
        way: &[usize],
        options: Option<&FieldOptions>,
    ) -> Result<()> {
        let own = self.from.as_ref().map(|(_, own)| own.clone());
        let is_inside = own
            .as_ref()
            .is_some_and(|own| own.len() < way.len() && way.starts_with(own));
        // a scalar gets no part of a list or a map, only an empty text
        let grows = is_inside && follow(object, way).is_some_and(|field| !field.is_scalar());
        if grows {
            // it holds the field, and what was set in others of its fields before
            self.refresh(at, object);
        }
        if let Some(field) = follow(object, way) {
            set_value(field, &self.node, options)?;
        }
        if own.as_deref() == Some(way) {
            self.refresh(at, object);
        } else if own.is_some_and(|own| own.starts_with(way)) {
            // it stood in what was replaced, and stays what it was
            self.from = None;
        }
        if grows { size::check(object) } else { Ok(()) }
    }
}

fn copy(value: &Node) -> Node {
    let mut copy = value.clone();
    unshare(&mut copy);
    copy
}

fn incomplete() -> Error {
    Error::new("replacements must specify a source and at least one target")
}

/// The identities by which replacements pick an object, without regard to scope.
fn ids(object: &Object) -> Vec<Id> {
    std::iter::once(object.written_id())
        .chain(object.previous_ids())
        .collect()
}

fn describe(source: &ReplacementSource) -> String {
    let mut text = source.object.id().to_string();
    if !source.field_path.is_empty() {
        text.push(':');
        text.push_str(&source.field_path);
    }
    match &source.options {
        Some(o) if !o.delimiter.is_empty() || o.create => {
            format!("{text}:{}({}), create={}", o.delimiter, o.index, o.create)
        }
        _ => text,
    }
}

fn source_value(source: &ReplacementSource, objects: &Objects) -> Result<Value> {
    let wanted = source.object.id();
    let mut matches = objects
        .iter()
        .enumerate()
        .filter(|(_, o)| ids(o).iter().any(|id| id.is_selected_by(&wanted)));
    let Some((at, object)) = matches.next() else {
        let error = Error::new(format!("nothing selected by {}", describe(source)));
        let names: Vec<Text> = objects
            .iter()
            .filter(|o| wanted.gvk.kind.is_empty() || o.kind() == wanted.gvk.kind)
            .map(Object::name)
            .collect();
        return Err(match crate::nearest::nearest(&wanted.name, names.iter().map(Text::as_str)) {
            Some(near) => error.help(format!("did you mean {} {near}?", wanted.gvk.kind)),
            None => error.help("the source of a replacement must be an object of this build; its names are exact, not patterns"),
        });
    };
    if let Some((_, other)) = matches.next() {
        return Err(
            Error::new(format!("multiple matches for selector {}", describe(source))).help(format!(
                "{}:{} and {}:{} both match; add a name or a namespace",
                object.source.file, object.source.line, other.source.file, other.source.line
            )),
        );
    }
    let path = if source.field_path.is_empty() {
        DEFAULT_PATH
    } else {
        &source.field_path
    };
    let parts = fields::split_path_with_brackets(path, '.');
    let found = fields::lookup(&object.node, &parts).map_err(|e| {
        e.wrap("error looking up replacement source")
            .on_field(path)
            .about(wanted.to_string())
    })?;
    let Some(value) = found.filter(|n| !fields::is_nil_or_empty(n)) else {
        return Err(Error::new(format!(
            "fieldPath `{path}` is missing for replacement source {wanted}"
        ))
        .on_field(path)
        .help(format!(
            "the object is in {}:{}",
            object.source.file, object.source.line
        )));
    };
    match source.options.as_ref().filter(|o| !o.delimiter.is_empty()) {
        Some(options) => Ok(Value {
            node: refine(options, value)?,
            from: None,
        }),
        None => Ok(Value {
            node: copy(value),
            from: way_to(&object.node, &parts).map(|way| (at, way)),
        }),
    }
}

/// The part of a source that `delimiter` and `index` ask for.
fn refine(options: &FieldOptions, value: &Node) -> Result<Node> {
    if !value.is_scalar() {
        return Err(only_scalars());
    }
    let text = fields::value(value);
    let part = usize::try_from(options.index)
        .ok()
        .and_then(|i| text.split(options.delimiter.as_str()).nth(i));
    let Some(part) = part else {
        return Err(Error::new(format!(
            "options.index {} is out of bounds for value {text}",
            options.index
        )));
    };
    let mut refined = copy(value);
    fields::assign_text(&mut refined, &part.into());
    Ok(refined)
}

fn only_scalars() -> Error {
    Error::new("delimiter option can only be used with scalar nodes")
}

fn put_into(
    value: &mut Value,
    target: &ReplacementTarget,
    objects: &mut Objects,
    session: &Session<'_>,
) -> Result<()> {
    let Some(select) = &target.select else {
        return Err(Error::new("target must specify resources to select"));
    };
    let compile =
        |args: &SelectorArgs| Selector::new(args).map_err(|e| e.wrap("error creating target selector"));
    let selector = compile(select)?;
    let rejects = target
        .reject
        .iter()
        .map(|r| Ok((r, compile(r)?)))
        .collect::<Result<Vec<_>>>()?;
    let default = [Text::new_static(DEFAULT_PATH)];
    let paths = if target.field_paths.is_empty() {
        &default[..]
    } else {
        &target.field_paths
    };
    let is_long = value.node.text().is_none_or(|text| text.len() > SHORT_MAX);
    let can_grow = has_delimiter(target.options.as_ref()) || is_long;
    // the original looks at labels and annotations before all else: a selector of them that cannot be read is an error
    // whatever the kinds are
    let are_readable = selector.is_readable() && rejects.iter().all(|(_, reject)| reject.is_readable());
    for at in 0..objects.len() {
        let Some(object) = objects.get(at) else { continue };
        let is_of_kind = selector.matches_gvk(&object.gvk()) || object.was_renamed();
        if are_readable && !is_of_kind {
            continue;
        }
        if !selector.matches_metadata(object)? || rejects_metadata(&rejects, object)? || !is_of_kind {
            continue;
        }
        let ids = ids(object);
        let is_rejected = rejects
            .iter()
            .any(|(args, reject)| !args.has_no_id() && ids.iter().any(|id| reject.matches_id(id)));
        if is_rejected || !ids.iter().any(|id| selector.matches_id(id)) {
            continue;
        }
        objects.modify(at, &session.schema, |object| {
            let id = object.written_id();
            paths.iter().try_for_each(|path| {
                copy_to(&mut object.node, at, value, path, target.options.as_ref())
                    .and_then(|()| {
                        if can_grow {
                            size::check(&object.node)
                        } else {
                            Ok(())
                        }
                    })
                    .map_err(|e| e.on_field(path.as_str()).about(&id))
            })
        })?;
    }
    Ok(())
}

fn rejects_metadata(rejects: &[(&SelectorArgs, Selector)], object: &Object) -> Result<bool> {
    for (args, reject) in rejects {
        if !(args.annotations.is_empty() && args.labels.is_empty()) && reject.matches_metadata(object)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies a value to where a path leads in the object at an index.
fn copy_to(
    object: &mut Node,
    at: usize,
    value: &mut Value,
    path: &str,
    options: Option<&FieldOptions>,
) -> Result<()> {
    let create = options
        .is_some_and(|o| o.create)
        .then(|| fields::kind(&value.node));
    let parts = fields::split_path_with_brackets(path, '.');
    if set_in_text(object, &value.node, &parts, create).is_some() {
        value.refresh(at, object);
        return Ok(());
    }
    let failed = || {
        let verb = if create.is_some() {
            "find or create"
        } else {
            "find"
        };
        Error::new(format!(
            "unable to {verb} field {} in replacement target",
            crate::go::quote(path)
        ))
    };
    let mut count = 0;
    // a whole text that is copied to its own place changes nothing
    let may_change = !value.node.is_scalar() || has_delimiter(options);
    let is_own = may_change && value.from.as_ref().is_some_and(|(from, _)| *from == at);
    let matched = if is_own {
        let ways = ways_to(object, &parts, create, &mut |field| {
            count += 1;
            if has_delimiter(options) && !field.is_scalar() {
                return Err(only_scalars());
            }
            Ok(())
        });
        ways.and_then(|ways| {
            ways.iter()
                .try_for_each(|way| value.copy_within(object, at, way, options))
                .map_err(Stop::Set)
        })
    } else {
        match_path(object, &parts, create, &mut |field| {
            count += 1;
            set_value(field, &value.node, options)
        })
    };
    match matched {
        Err(Stop::Set(error)) => Err(error),
        Err(Stop::Find(error)) => Err(error.reword(|text| format!("{}: {text}", failed().text()))),
        Ok(()) if count == 0 => Err(failed().help("options.create: true makes missing fields")),
        Ok(()) => {
            if is_own {
                value.refresh(at, object);
            }
            Ok(())
        }
    }
}

fn has_delimiter(options: Option<&FieldOptions>) -> bool {
    options.is_some_and(|options| !options.delimiter.is_empty())
}

fn set_value(field: &mut Node, value: &Node, options: Option<&FieldOptions>) -> Result<()> {
    let mut text = fields::shared(value);
    if let Some(options) = options.filter(|o| !o.delimiter.is_empty()) {
        if !field.is_scalar() {
            return Err(only_scalars());
        }
        let old = fields::shared(field);
        let mut parts: Vec<&str> = old.split(options.delimiter.as_str()).collect();
        // a sourceValue may be the word `null`
        let new = fields::raw(value);
        match usize::try_from(options.index) {
            Err(_) => parts.insert(0, new),
            Ok(at) => match parts.get_mut(at) {
                Some(part) => *part = new,
                None => parts.push(new),
            },
        }
        text = parts.join(&options.delimiter).into();
    }
    if field.is_scalar() {
        if is_fresh(field) {
            fields::assign_untyped(field, &text)
        } else {
            fields::assign_text(field, &text)
        }
    } else {
        let position = field.position;
        let mut new = value.clone();
        if new.is_scalar() && text != fields::raw(&new) {
            fields::assign_text(&mut new, &text);
        }
        *field = new.at(position);
    }
    Ok(())
}
