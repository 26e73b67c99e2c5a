//! How large patches and replacements may make an object: each may copy what those before it made (N14).

use sluice_yaml::{Limits, Node};

use crate::error::{Class, Error, Result};

/// Nodes of one object. The largest definitions have some ten thousand.
const OBJECT_NODES_MAX: usize = 1_000_000;
/// Bytes of text in one object: etcd takes a tenth of it.
const OBJECT_TEXT_MAX: usize = 16 << 20;

/// Refuses an object that was made larger, or deeper than YAML may be.
///
/// # Errors
/// [`Class::Limit`].
pub(crate) fn check(object: &Node) -> Result<()> {
    let depth_max = Limits::default().depth;
    let (mut nodes, mut text) = (0_usize, 0_usize);
    let mut open = vec![(object, 1_usize)];
    while let Some((node, depth)) = open.pop() {
        nodes += 1;
        text = text.saturating_add(node.text().map_or(0, str::len));
        if depth > depth_max {
            return Err(too_large("levels", depth_max));
        }
        if nodes > OBJECT_NODES_MAX {
            return Err(too_large("nodes", OBJECT_NODES_MAX));
        }
        if text > OBJECT_TEXT_MAX {
            return Err(too_large("bytes of text", OBJECT_TEXT_MAX));
        }
        open.extend(node.items().iter().map(|item| (item, depth + 1)));
        let entries = node.entries().iter();
        open.extend(entries.flat_map(|(key, value)| [(key, depth + 1), (value, depth + 1)]));
    }
    Ok(())
}

fn too_large(what: &str, limit: usize) -> Error {
    Error::of(Class::Limit, format!("the object gets more than {limit} {what}"))
        .help("patches and replacements copy what others before them copied")
}
