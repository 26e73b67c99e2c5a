//! The fields that a target's path matches, and making those that are missing.

use sluice_yaml::{CollectionStyle, Node, ScalarStyle, Value};

use super::text::match_in_text;
use crate::{
    Text,
    error::{Error, Result},
    fields::{self, Kind},
    output, pattern,
};

/// Where it failed: finding the fields, or setting one.
pub(super) enum Stop {
    Find(Error),
    Set(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Find(error)
    }
}

/// A field that a replacement has just made has no type of its own.
pub(super) fn is_fresh(field: &Node) -> bool {
    field.tag() == Some(FRESH)
}

const FRESH: &str = "!fresh";

fn fresh(kind: Kind) -> Node {
    match kind {
        Kind::Sequence => Node::new(Value::Sequence(Vec::new(), CollectionStyle::Block)),
        Kind::Mapping => Node::new(Value::Mapping(Vec::new(), CollectionStyle::Block)),
        Kind::Scalar => {
            let mut node = Node::new(Value::Scalar(Text::default(), ScalarStyle::Plain));
            node.set_tag(Some(Text::new_static(FRESH)));
            node
        }
    }
}

fn kind_of_next(next: Option<&String>, last: Kind) -> Kind {
    match next {
        None => last,
        Some(part) if fields::is_list_index(part) || fields::as_index(part).is_some() => Kind::Sequence,
        Some(part) if part.is_empty() => last,
        Some(_) => Kind::Mapping,
    }
}

/// The numbers of the entries and items that lead from an object to a node in it.
pub(super) type Way = Vec<usize>;

/// What stands at the end of a way.
pub(super) fn follow<'a>(object: &'a mut Node, way: &[usize]) -> Option<&'a mut Node> {
    let mut current = object;
    for at in way {
        current = match &mut current.value {
            Value::Mapping(entries, _) => entries.get_mut(*at).map(|(_, value)| value)?,
            Value::Sequence(items, _) => items.get_mut(*at)?,
            Value::Scalar(..) | Value::Alias(_) => return None,
        };
    }
    Some(current)
}

/// The way to the one node that [`fields::lookup`] finds under a path.
pub(super) fn way_to(object: &Node, path: &[String]) -> Option<Way> {
    let mut way = Way::new();
    let mut current = object;
    for part in path {
        let found = fields::lookup(current, std::slice::from_ref(part)).ok()??;
        if std::ptr::eq(found, current) {
            continue;
        }
        let is_found = |node: &Node| std::ptr::eq(node, found);
        way.push(match &current.value {
            Value::Mapping(entries, _) => entries.iter().position(|(_, value)| is_found(value))?,
            Value::Sequence(items, _) => items.iter().position(is_found)?,
            Value::Scalar(..) | Value::Alias(_) => return None,
        });
        current = found;
    }
    Some(way)
}

/// Begins the anchors by which fields are found again; no document and no build has such.
const MARK: &str = "\0way ";

/// The ways to the fields that a path matches, as [`match_path`] comes to them, but for those that no object holds; `see` is
/// called with each of either kind.
pub(super) fn ways_to(
    object: &mut Node,
    path: &[String],
    create: Option<Kind>,
    see: &mut dyn FnMut(&Node) -> Result<()>,
) -> Result<Vec<Way>, Stop> {
    let mut anchors = Vec::new();
    match_path(object, path, create, &mut |field| {
        see(field)?;
        let anchor = field.anchor().map(Text::from);
        field.set_anchor(Some(format!("{MARK}{}", anchors.len()).into()));
        anchors.push(anchor);
        Ok(())
    })?;
    let mut ways = vec![None; anchors.len()];
    take_marks(object, &mut Way::new(), &mut anchors, &mut ways);
    Ok(ways.into_iter().flatten().collect())
}

/// Notes where the marks are, and puts the anchors back.
fn take_marks(node: &mut Node, way: &mut Way, anchors: &mut [Option<Text>], ways: &mut [Option<Way>]) {
    let number = node.anchor().and_then(|anchor| anchor.strip_prefix(MARK));
    let number: Option<usize> = number.and_then(|number| number.parse().ok());
    if let Some(number) = number
        && let (Some(anchor), Some(found)) = (anchors.get_mut(number), ways.get_mut(number))
    {
        node.set_anchor(anchor.take());
        *found = Some(way.clone());
        // a field that is matched holds no other
        return;
    }
    let children: Vec<&mut Node> = match &mut node.value {
        Value::Mapping(entries, _) => entries.iter_mut().map(|(_, value)| value).collect(),
        Value::Sequence(items, _) => items.iter_mut().collect(),
        Value::Scalar(..) | Value::Alias(_) => Vec::new(),
    };
    for (at, child) in children.into_iter().enumerate() {
        way.push(at);
        take_marks(child, way, anchors, ways);
        way.pop();
    }
}

/// Calls `set` on every field that a path matches; `create` makes what is missing.
pub(super) fn match_path(
    node: &mut Node,
    path: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<(), Stop> {
    let Some((part, rest)) = path.split_first() else {
        return set(node).map_err(Stop::Set);
    };
    if let Some(index) = fields::as_index(part) {
        return match_index(node, index, rest, create, set);
    }
    if fields::is_list_index(part) {
        return match_elements(node, part, rest, create, set);
    }
    if part.is_empty() {
        // the original looks for a scalar here
        return Ok(fields::expect_kind(node, Kind::Scalar)?);
    }
    if part == "*" {
        fields::expect_kind(node, Kind::Sequence)?;
        return node
            .items_mut()
            .into_iter()
            .flatten()
            .try_for_each(|item| match_path(item, rest, create, set));
    }
    if node.is_null() {
        // what is made below null is lost in the original
        return match create {
            Some(_) => match_path(&mut Node::mapping(Vec::new()), path, create, set),
            None => Ok(()),
        };
    }
    fields::expect_kind(node, Kind::Mapping)?;
    if node.get(part).is_none() {
        let (Some(last), Some(entries)) = (create, node.entries_mut()) else {
            return Ok(());
        };
        entries.push((
            Node::plain(part.as_str()),
            fresh(kind_of_next(rest.first(), last)),
        ));
    }
    let Some(field) = node.get_mut(part) else {
        return Ok(());
    };
    if field.is_scalar() && !rest.is_empty() && !is_fresh(field) {
        return match_in_text(field, rest, create, set);
    }
    match_path(field, rest, create, set)
}

fn match_index(
    node: &mut Node,
    index: usize,
    rest: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<(), Stop> {
    fields::expect_kind(node, Kind::Sequence)?;
    if node.is_null() && create.is_some() {
        // lost, as above
        return match_index(&mut Node::sequence(Vec::new()), index, rest, create, set);
    }
    let Some(items) = node.items_mut() else {
        return Err(Error::new(format!("index {index} specified but only 0 elements found")).into());
    };
    if let (true, Some(last)) = (items.len() == index, create) {
        items.push(fresh(kind_of_next(rest.first(), last)));
    }
    let count = items.len();
    match items.get_mut(index) {
        Some(item) => match_path(item, rest, create, set),
        None => Err(Error::new(format!("index {index} specified but only {count} elements found")).into()),
    }
}

fn match_elements(
    node: &mut Node,
    part: &str,
    rest: &[String],
    create: Option<Kind>,
    set: &mut dyn FnMut(&mut Node) -> Result<()>,
) -> Result<(), Stop> {
    let (name, wanted) = fields::split_list_index(part)?;
    fields::expect_kind(node, Kind::Sequence)?;
    let pattern = pattern::unanchored(wanted)?;
    let is_match = |item: &Node| {
        let field = if name.is_empty() {
            Some(item)
        } else {
            item.get(name)
        };
        field.is_some_and(|f| pattern.is_match(output::source_text(f).trim()))
    };
    // In the original a match without the rest of the path counts as none.
    let mut found = false;
    for item in node
        .items_mut()
        .into_iter()
        .flatten()
        .filter(|item| is_match(item))
    {
        match_path(
            item,
            if name.is_empty() { &[] } else { rest },
            create,
            &mut |field| {
                found = true;
                set(field)
            },
        )?;
    }
    if found || create.is_none() {
        return Ok(());
    }
    let element = if name.is_empty() {
        Node::plain(wanted)
    } else {
        Node::mapping(vec![(Node::plain(name), Node::plain(wanted))])
    };
    let Some(items) = node.items_mut() else {
        return Ok(());
    };
    items.push(element);
    match items.last_mut().filter(|item| is_match(item)) {
        Some(item) if name.is_empty() => {
            fields::forget_type(item);
            match_path(item, &[], create, set)
        }
        Some(item) => {
            if let Some(field) = item.get_mut(name) {
                fields::forget_type(field);
            }
            match_path(item, rest, create, set)
        }
        None => Ok(()),
    }
}
