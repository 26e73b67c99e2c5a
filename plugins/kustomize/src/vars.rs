//! `vars`: values of objects put where `$(NAME)` stands.

use std::collections::BTreeMap;

use sluice_yaml::{Node, Resolved, ScalarStyle, Value};

use crate::{
    Text,
    build::Session,
    error::{Error, Result},
    fields::{self, OBJECTS},
    id::Id,
    kustomization::{FieldSpec, Var},
    objects::Objects,
    transform::Place,
};

/// The variables of a build, by name.
pub(crate) type Vars = BTreeMap<Text, Var>;

/// Adds the variables of one kustomization, and notes on objects which of them they hold.
pub(crate) fn record(
    vars: &mut Vars,
    incoming: &[Var],
    objects: &mut Objects,
    session: &Session<'_>,
) -> Result<()> {
    for var in incoming {
        let wanted = Id {
            gvk: var.gvk.clone(),
            name: var.object_name.clone(),
            namespace: var.namespace.clone(),
            cluster_scoped: false,
        };
        let fits = |id: &Id| {
            if wanted.namespace.is_empty() {
                id.same_name(&wanted)
            } else {
                *id == wanted
            }
        };
        let named = objects.with_any_name(&var.object_name, &session.schema);
        let matched: Vec<usize> = named
            .into_iter()
            .filter(|at| {
                objects.get(*at).is_some_and(|o| {
                    !fields::is_nil_or_empty(&o.node)
                        && (fits(&o.id(&session.schema)) || o.previous_ids().iter().any(&fits))
                })
            })
            .collect();
        if matched.len() > 1 {
            return Err(Error::new(format!(
                "found {} resId matches for var {} (unable to disambiguate)",
                matched.len(),
                var.display(var.path())
            ))
            .help("name the namespace of the object in objref"));
        }
        for at in matched {
            objects.modify(at, &session.schema, |object| {
                object.variables.push(var.name.clone());
                Ok(())
            })?;
        }
    }
    incoming.iter().try_for_each(|var| add(vars, var))
}

/// Adds one variable.
pub(crate) fn add(vars: &mut Vars, var: &Var) -> Result<()> {
    match vars.insert(var.name.clone(), var.clone()) {
        None => Ok(()),
        Some(_) => Err(Error::new(format!("var '{}' already encountered", var.name))
            .help("every variable is declared once in a build")),
    }
}

/// Replaces all variables.
pub(crate) fn resolve(
    objects: &mut Objects,
    vars: &Vars,
    specs: &[FieldSpec],
    session: &Session<'_>,
) -> Result<()> {
    if vars.is_empty() {
        return Ok(());
    }
    let mut values = BTreeMap::new();
    for var in vars.values() {
        values.insert(var.name.clone(), value_of(var, objects)?);
    }
    let mut used: BTreeMap<Text, bool> = values.keys().map(|name| (name.clone(), false)).collect();
    let places = Place::all(specs);
    for at in 0..objects.len() {
        objects.modify(at, &session.schema, |object| {
            let gvk = object.gvk();
            places.iter().try_for_each(|place| {
                place.visit(object, &gvk, None, &mut |field| expand(field, &values, &mut used))
            })
        })?;
    }
    let unused: Vec<&str> = used
        .iter()
        .filter(|(_, used)| !**used)
        .map(|(name, _)| name.as_str())
        .collect();
    if !unused.is_empty() {
        session.warn(format!(
            "well-defined vars that were never replaced: {}",
            unused.join(",")
        ));
    }
    Ok(())
}

/// What a variable stands for; none for collections, which are left alone.
fn value_of(var: &Var, objects: &Objects) -> Result<Option<Node>> {
    let Some(object) = objects.iter().find(|o| o.variables.contains(&var.name)) else {
        return Err(Error::new(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            var.display(var.path())
        ))
        .help("objref must name an object of this build"));
    };
    let path = slice_indexes(&fields::split_path_with_brackets(var.path(), '.'));
    let missing = || {
        Error::new(format!(
            "field specified in var '{}' not found in corresponding resource",
            var.display(var.path())
        ))
        .on_field(var.path())
        .about(format!("{} {}", object.kind(), object.name()))
    };
    let found = fields::lookup(&object.node, &path)
        .ok()
        .flatten()
        .ok_or_else(missing)?;
    if fields::is_untyped(found) {
        return Ok(Some(fields::string_node(fields::shared(found))));
    }
    if let Ok(Resolved::Int(_) | Resolved::Uint(_)) = OBJECTS.resolve(found) {
        // whole numbers are read as decimal ones, however YAML reads them
        let number = fields::raw(found).parse().map_err(|_| {
            missing().help(format!(
                "quote it, or write it as a decimal number: {}",
                fields::raw(found)
            ))
        })?;
        return Ok(Some(Node::int(number)));
    }
    Ok(found.is_scalar().then(|| found.clone()))
}

/// `ports[0]` becomes `ports`, `0`.
fn slice_indexes(parts: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for part in parts {
        let index = part
            .strip_suffix(']')
            .and_then(|p| p.rsplit_once('['))
            .filter(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        match index {
            Some((name, index)) => {
                if !name.is_empty() {
                    out.push(name.to_owned());
                }
                out.push(index.to_owned());
            }
            None => out.push(part.clone()),
        }
    }
    out
}

type Values = BTreeMap<Text, Option<Node>>;

fn expand(field: &mut Node, values: &Values, used: &mut BTreeMap<Text, bool>) -> Result<()> {
    if fields::is_written_null(field) {
        return Ok(());
    }
    match &mut field.value {
        Value::Mapping(entries, _) => {
            for (key, value) in entries {
                if !fields::is_string(key) {
                    let tag = OBJECTS
                        .resolve(key)
                        .map(|r| crate::output::tag_of(&r))
                        .unwrap_or("!!str");
                    return Err(Error::new(format!(
                        "invalid map key: value='{}', tag='{tag}'",
                        fields::raw(key)
                    )));
                }
                if is_text(value) {
                    expand_scalar(value, values, used);
                }
            }
            Ok(())
        }
        Value::Sequence(items, _) => {
            for item in items {
                if !is_text(item) {
                    return Err(Error::new("invalid value type expect a string"));
                }
                expand_scalar(item, values, used);
            }
            Ok(())
        }
        _ => {
            if is_text(field) {
                expand_scalar(field, values, used);
            }
            Ok(())
        }
    }
}

/// What has no type of its own is text for variables, whatever it looks like.
fn is_text(node: &Node) -> bool {
    fields::is_string(node) || (node.is_scalar() && fields::is_untyped(node))
}

fn expand_scalar(field: &mut Node, values: &Values, used: &mut BTreeMap<Text, bool>) {
    let position = field.position;
    let text = fields::shared(field);
    // a block is none any more in the original, and what had no type is a string, whether or not a variable stands in it
    let is_block = matches!(
        field.scalar_style(),
        Some(ScalarStyle::Folded | ScalarStyle::Literal)
    );
    let changes = is_block || fields::is_untyped(field);
    if !changes && !text.contains('$') {
        return;
    }
    let new = match replace(&text, values, used) {
        Expanded::Text(new) if !changes && new == text.as_str() => return,
        Expanded::Text(new) => fields::string_node(new),
        Expanded::Value(node) => typed(&node),
    };
    *field = new.at(position);
}

/// The value with its own type, without its style.
fn typed(node: &Node) -> Node {
    match OBJECTS.resolve(node) {
        Ok(Resolved::Int(value)) => Node::int(value),
        Ok(Resolved::Bool(value)) => Node::bool(value),
        Ok(Resolved::Float(value)) => Node::plain(crate::go::float_text(value)),
        _ => fields::string_node(fields::shared(node)),
    }
}

enum Expanded {
    Text(String),
    Value(Node),
}

fn replace(text: &str, values: &Values, used: &mut BTreeMap<Text, bool>) -> Expanded {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if let Some(next) = after.strip_prefix('$') {
            out.push('$');
            rest = next;
        } else if let Some((name, next)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
            match values.get(name) {
                Some(Some(value)) => {
                    if let Some(used) = used.get_mut(name) {
                        *used = true;
                    }
                    if before.is_empty() && next.is_empty() && out.is_empty() {
                        return Expanded::Value(value.clone());
                    }
                    out.push_str(&plain_text(value));
                }
                _ => {
                    out.push_str("$(");
                    out.push_str(name);
                    out.push(')');
                }
            }
            rest = next;
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Expanded::Text(out)
}

/// A value within other text.
fn plain_text(value: &Node) -> String {
    match OBJECTS.resolve(value) {
        Ok(Resolved::Int(value)) => value.to_string(),
        Ok(Resolved::Bool(value)) => value.to_string(),
        Ok(Resolved::Float(value)) => crate::go::shortest(value),
        _ => fields::raw(value).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let values: Values = [
            ("A".into(), Some(Node::string("a"))),
            ("N".into(), Some(Node::int(3))),
        ]
        .into();
        let mut used = BTreeMap::new();
        let mut run = |text: &str| match replace(text, &values, &mut used) {
            Expanded::Text(text) => text,
            Expanded::Value(node) => format!("={}", fields::raw(&node)),
        };
        assert_eq!(run("$(A)"), "=a");
        assert_eq!(run("x$(N)y"), "x3y");
        assert_eq!(run("$$(A)"), "$(A)");
        assert_eq!(run("$(B)-$(A"), "$(B)-$(A");
        assert_eq!(run("$x"), "$x");
    }
}
