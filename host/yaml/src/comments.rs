//! Gives comments to the nodes they stand at: above, behind, below.
//!
//! Done after reading and only on request, so that it costs nothing else anything. Comments inside flow collections are not
//! kept apart: they become comments of what is around, as far as it can carry them; those that stay in flow nodes are not printed by [`crate::emit_v3`].

use std::collections::VecDeque;

use crate::{CollectionStyle, Node, Text, Value};

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
    if let Some(foot) = take(comments, |comment| comment.line < until, u32::MAX) {
        let last = match &mut root.value {
            Value::Mapping(entries, _) => entries.last_mut().map(|(key, _)| key),
            Value::Sequence(items, _) => items.last_mut(),
            Value::Scalar(..) | Value::Alias(_) => None,
        };
        let place = match last {
            Some(last) => last,
            None => root,
        };
        add(&mut place.comments_mut().foot, &foot);
    }
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
            for (item, next) in items.iter_mut().zip(&lines) {
                take_head(item, comments);
                column = item.position.column.saturating_sub(2).max(outer);
                walk(item, comments, *next, column);
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
            for ((key, value), next) in entries.iter_mut().zip(&lines) {
                take_head(key, comments);
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
            }
            if let Some((key, _)) = entries.last_mut() {
                take_foot(key, comments, until, outer);
            }
        }
        Value::Scalar(..) | Value::Alias(_) => {
            let line = node.position.line;
            take_line(node, comments, line);
        }
    }
}

/// Lines above a node, with the empty lines between and after them.
fn take_head(node: &mut Node, comments: &mut VecDeque<Comment>) {
    let line = node.position.line;
    if let Some(head) = take(comments, |comment| comment.line < line, line) {
        node.comments_mut().head = head.into();
    }
}

fn take_line(node: &mut Node, comments: &mut VecDeque<Comment>, line: u32) {
    if let Some(comment) = comments.pop_front_if(|comment| !comment.is_alone && comment.line == line) {
        node.comments_mut().line = comment.text;
    }
}

/// Lines below the last entry of a block, indented deeper than what is around it.
fn take_foot(node: &mut Node, comments: &mut VecDeque<Comment>, until: u32, outer: u32) {
    if let Some(foot) = take(
        comments,
        |comment| comment.is_alone && comment.line < until && comment.column > outer,
        u32::MAX,
    ) {
        add(&mut node.comments_mut().foot, &foot);
    }
}

fn add(to: &mut Text, more: &str) {
    *to = if to.is_empty() {
        more.into()
    } else {
        format!("{to}\n{more}").into()
    };
}

/// The text of the comments at the front that pass. An empty line where lines are missing, up to line `next`.
fn take(
    comments: &mut VecDeque<Comment>,
    mut passes: impl FnMut(&Comment) -> bool,
    next: u32,
) -> Option<String> {
    let mut text = String::new();
    let mut last = None;
    while let Some(comment) = comments.pop_front_if(|comment| passes(comment)) {
        match last {
            Some(line) if comment.line > line + 1 => text.push_str("\n\n"),
            Some(_) => text.push('\n'),
            None => {}
        }
        text.push_str(&comment.text);
        last = Some(comment.line);
    }
    let last = last?;
    if next != u32::MAX && next > last + 1 {
        text.push_str("\n\n"); // an empty line below, which `lines()` counts
    }
    Some(text)
}
