//! Gives comments to the nodes they stand at: above, behind, below.
//!
//! Done after reading and only on request, so that it costs nothing else anything. Comments inside flow collections are not
//! kept apart: they become comments of what is around, as far as it can carry them; those that stay in flow nodes are not printed by [`crate::emit_v3`].

use std::collections::VecDeque;

use crate::{CollectionStyle, Node, ScalarStyle, Text, Value};

/// A comment as the scanner met it: from `#` to the end of the line.
#[derive(Debug)]
pub(crate) struct Comment {
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// Whether nothing stands before it.
    pub(crate) is_alone: bool,
    pub(crate) text: Text,
}

/// Moves all comments before line `until` into the tree.
pub(crate) fn attach(root: &mut Node, comments: &mut VecDeque<Comment>, until: u32) {
    walk(root, comments, until, 0);
    // what stands right below the last entry belongs to it, and the rest to the document
    let mut end = last_line(root);
    if let Some(foot) = take(comments, |comment| {
        let is_below = comment.line < until && comment.line <= end.saturating_add(1);
        end = end.max(comment.line);
        is_below
    }) {
        let last = match &mut root.value {
            Value::Mapping(entries, _) => entries.last_mut().map(|(key, _)| key),
            Value::Sequence(items, _) => items.last_mut(),
            Value::Scalar(..) | Value::Alias(_) => None,
        };
        let place = match last {
            Some(last) => last,
            None => root,
        };
        add(&mut place.comments_mut().foot, &foot.text);
    }
    if let Some(foot) = take(comments, |comment| comment.line < until) {
        add(&mut root.comments_mut().foot, &foot.text);
    }
}

/// The line on which a node ends, where it can be told; none of what is not written.
fn last_line(node: &Node) -> u32 {
    let line = node.position.line;
    match &node.value {
        Value::Sequence(items, _) => items
            .last()
            .map_or(line, |item| last_line(item) + foot_lines(item)),
        Value::Mapping(entries, _) => entries
            .last()
            .map_or(line, |(key, value)| last_line(value) + foot_lines(key)),
        Value::Scalar(text, ScalarStyle::Plain) if text.is_empty() => 0,
        Value::Scalar(text, ScalarStyle::Literal | ScalarStyle::Folded) => {
            let lines = text.trim_end_matches('\n').lines().count();
            line + u32::try_from(lines).unwrap_or_default()
        }
        Value::Scalar(..) | Value::Alias(_) => line,
    }
}

fn foot_lines(node: &Node) -> u32 {
    let lines = node
        .comments()
        .map_or(0, |comments| comments.foot.lines().count());
    u32::try_from(lines).unwrap_or_default()
}

/// `until` is the line of the next node outside, `outer` the column of the entry around.
fn walk(node: &mut Node, comments: &mut VecDeque<Comment>, until: u32, outer: u32) {
    match &mut node.value {
        Value::Sequence(items, _) => {
            let lines: Vec<u32> = items
                .iter()
                .skip(1)
                .map(|item| item.position.line)
                .chain([until])
                .collect();
            let mut column = outer;
            let mut above = Above::first(outer);
            for (item, next) in items.iter_mut().zip(&lines) {
                take_head(item, comments, above);
                column = item.position.column.saturating_sub(2).max(outer);
                walk(item, comments, *next, column);
                above = Above::node(item);
            }
            if let Some(last) = items.last_mut() {
                take_foot(last, comments, until, column.max(outer));
            }
        }
        Value::Mapping(entries, _) => {
            let lines: Vec<u32> = entries
                .iter()
                .skip(1)
                .map(|(key, _)| key.position.line)
                .chain([until])
                .collect();
            let mut above = Above::first(outer);
            for ((key, value), next) in entries.iter_mut().zip(&lines) {
                take_head(key, comments, above);
                let column = key.position.column;
                let is_block = matches!(
                    value.value,
                    Value::Sequence(_, CollectionStyle::Block) | Value::Mapping(_, CollectionStyle::Block)
                );
                if !is_block {
                    walk(value, comments, *next, column);
                    take_line(value, comments, key.position.line);
                } else {
                    take_line(key, comments, key.position.line);
                    walk(value, comments, *next, column);
                }
                above = Above::node(value);
            }
            // below the document's own entries, see `attach`
            if let Some((key, _)) = entries.last_mut().filter(|_| outer > 0) {
                take_foot(key, comments, until, outer);
            }
        }
        Value::Scalar(..) | Value::Alias(_) => {
            let line = node.position.line;
            take_line(node, comments, line);
        }
    }
}

/// What stands above an entry.
#[derive(Clone, Copy)]
enum Above {
    /// Nothing: it is the first of the document.
    Nothing,
    /// A text whose comments stand in the lines below this one.
    Text(u32),
    /// Something to which no comment below it belongs.
    Other,
}

impl Above {
    fn first(outer: u32) -> Self {
        if outer == 0 { Self::Nothing } else { Self::Other }
    }

    fn node(node: &Node) -> Self {
        match &node.value {
            Value::Sequence(items, CollectionStyle::Block) => items.last().map_or(Self::Other, Self::node),
            Value::Mapping(entries, CollectionStyle::Block) => {
                entries.last().map_or(Self::Other, |(_, value)| Self::node(value))
            }
            Value::Scalar(text, ScalarStyle::Plain) if text.is_empty() => Self::Other,
            Value::Scalar(_, ScalarStyle::Plain | ScalarStyle::Literal | ScalarStyle::Folded) => {
                Self::Text(last_line(node))
            }
            _ => Self::Other,
        }
    }
}

/// Lines above a node, with the empty lines between them; an empty line below them stays where they belong to what is above.
fn take_head(node: &mut Node, comments: &mut VecDeque<Comment>, above: Above) {
    let line = node.position.line;
    let Some(found) = take(comments, |comment| comment.line < line) else {
        return;
    };
    let mut head = found.text;
    let has_space = match above {
        Above::Nothing => true,
        Above::Text(end) => found.block == end + 1,
        Above::Other => false,
    };
    if has_space && line > found.last + 1 {
        head.push_str("\n\n"); // an empty line below, which `lines()` counts
    }
    node.comments_mut().head = head.into();
}

fn take_line(node: &mut Node, comments: &mut VecDeque<Comment>, line: u32) {
    if let Some(comment) = comments.pop_front_if(|comment| !comment.is_alone && comment.line == line) {
        node.comments_mut().line = comment.text;
    }
}

/// Lines below the last entry of a block, indented deeper than what is around it.
fn take_foot(node: &mut Node, comments: &mut VecDeque<Comment>, until: u32, outer: u32) {
    if let Some(foot) = take(comments, |comment| {
        comment.is_alone && comment.line < until && comment.column > outer
    }) {
        add(&mut node.comments_mut().foot, &foot.text);
    }
}

fn add(to: &mut Text, more: &str) {
    *to = if to.is_empty() {
        more.into()
    } else {
        format!("{to}\n{more}").into()
    };
}

/// Comments in a row.
struct Taken {
    text: String,
    /// Where the last block begins and ends: the lines without an empty one between them.
    block: u32,
    last: u32,
}

/// The comments at the front that pass, with an empty line where lines are missing.
fn take(comments: &mut VecDeque<Comment>, mut passes: impl FnMut(&Comment) -> bool) -> Option<Taken> {
    let first = comments.pop_front_if(|comment| passes(comment))?;
    let mut taken = Taken {
        text: first.text.as_str().to_owned(),
        block: first.line,
        last: first.line,
    };
    while let Some(comment) = comments.pop_front_if(|comment| passes(comment)) {
        taken.text.push('\n');
        if comment.line > taken.last + 1 {
            taken.text.push('\n');
            taken.block = comment.line;
        }
        taken.text.push_str(&comment.text);
        taken.last = comment.line;
    }
    Some(taken)
}
