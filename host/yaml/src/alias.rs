//! Puts copies in the place of aliases, within bounds.

use std::collections::HashMap;

use crate::{Error, Limit, Limits, Node, Text, Value};

/// Go's bounds on the share of nodes that may come from aliases, falling from 99 % to 10 %.
const RATIO_FALLS_FROM: f64 = 400_000.0;
const RATIO_FALLS_TO: f64 = 4_000_000.0;

/// The tree without aliases and anchors. `nodes` counts what the stream has cost so far.
pub(crate) fn expand(root: Node, has_alias: bool, limits: &Limits, nodes: &mut usize) -> Result<Node, Error> {
    if !has_alias {
        let mut root = root;
        drop_anchors(&mut root);
        return Ok(root);
    }
    let mut targets = HashMap::new();
    bind(&root, &mut HashMap::new(), &mut targets);
    let mut expansion = Expansion {
        targets,
        open: Vec::new(),
        limits,
        nodes,
        decoded: 1,
        from_alias: 0,
        bytes: 0,
    };
    expansion.copy(&root)
}

fn drop_anchors(node: &mut Node) {
    node.set_anchor(None);
    match &mut node.value {
        Value::Sequence(items, _) => items.iter_mut().for_each(drop_anchors),
        Value::Mapping(entries, _) => entries.iter_mut().for_each(|(key, value)| {
            drop_anchors(key);
            drop_anchors(value);
        }),
        Value::Scalar(..) | Value::Alias(_) => {}
    }
}

/// Which node each alias means: the last one of that name before it.
fn bind<'a>(
    node: &'a Node,
    names: &mut HashMap<&'a str, &'a Node>,
    targets: &mut HashMap<*const Node, &'a Node>,
) {
    if let Some(name) = node.anchor() {
        names.insert(name, node);
    }
    match &node.value {
        Value::Alias(name) => {
            if let Some(target) = names.get(name.as_str()) {
                targets.insert(std::ptr::from_ref(node), target);
            }
        }
        Value::Sequence(items, _) => items.iter().for_each(|item| bind(item, names, targets)),
        Value::Mapping(entries, _) => entries.iter().for_each(|(key, value)| {
            bind(key, names, targets);
            bind(value, names, targets);
        }),
        Value::Scalar(..) => {}
    }
}

struct Expansion<'a, 'n> {
    targets: HashMap<*const Node, &'a Node>,
    open: Vec<*const Node>,
    limits: &'n Limits,
    nodes: &'n mut usize,
    decoded: usize,
    from_alias: usize,
    bytes: usize,
}

impl<'a> Expansion<'a, '_> {
    fn copy(&mut self, node: &'a Node) -> Result<Node, Error> {
        self.count(node)?;
        let value = match &node.value {
            Value::Alias(name) => return self.copy_target(node, name),
            Value::Scalar(text, style) => Value::Scalar(text.clone(), *style),
            Value::Sequence(items, style) => Value::Sequence(
                items
                    .iter()
                    .map(|item| self.copy(item))
                    .collect::<Result<_, _>>()?,
                *style,
            ),
            Value::Mapping(entries, style) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok((self.copy(key)?, self.copy(value)?)));
                Value::Mapping(entries.collect::<Result<_, Error>>()?, *style)
            }
        };
        let mut copy = Node::new(value).at(node.position);
        if let Some(tag) = node.tag() {
            copy.set_tag(Some(tag.into()));
        }
        Ok(copy)
    }

    fn copy_target(&mut self, alias: &'a Node, name: &Text) -> Result<Node, Error> {
        let address = std::ptr::from_ref(alias);
        let Some(target) = self.targets.get(&address).copied() else {
            return Err(Error::Decode {
                message: format!("yaml: unknown anchor '{name}' referenced"),
                position: alias.position,
            });
        };
        if self.open.contains(&address) {
            return Err(Error::Decode {
                message: format!("yaml: anchor '{name}' value contains itself"),
                position: alias.position,
            });
        }
        if self.open.len() >= self.limits.depth {
            return Err(Error::Limit {
                limit: Limit::Depth,
                max: self.limits.depth,
                position: alias.position,
            });
        }
        self.open.push(address);
        let copy = self.copy(target);
        self.open.pop();
        copy
    }

    #[allow(clippy::cast_precision_loss)] // a share, not an amount
    fn count(&mut self, node: &Node) -> Result<(), Error> {
        self.decoded += 1;
        if self.open.is_empty() {
            return Ok(());
        }
        self.from_alias += 1;
        *self.nodes += 1;
        self.bytes += node.text().map_or(0, str::len);
        let decoded = self.decoded as f64;
        let allowed = match decoded {
            few if few <= RATIO_FALLS_FROM => 0.99,
            many if many >= RATIO_FALLS_TO => 0.10,
            some => 0.99 - 0.89 * (some - RATIO_FALLS_FROM) / (RATIO_FALLS_TO - RATIO_FALLS_FROM),
        };
        if self.from_alias > 100 && self.decoded > 1000 && self.from_alias as f64 / decoded > allowed {
            return Err(Error::Decode {
                message: "yaml: document contains excessive aliasing".into(),
                position: node.position,
            });
        }
        if *self.nodes > self.limits.nodes {
            return Err(Error::Limit {
                limit: Limit::Nodes,
                max: self.limits.nodes,
                position: node.position,
            });
        }
        if self.bytes > self.limits.alias_bytes {
            return Err(Error::Limit {
                limit: Limit::AliasBytes,
                max: self.limits.alias_bytes,
                position: node.position,
            });
        }
        Ok(())
    }
}
