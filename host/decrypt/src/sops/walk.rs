//! Decrypting a whole tree, and the MAC over its values in order.

use super::cipher::{Plain, decrypt};
use super::dotenv::flat_text;
use super::rules::Compiled;
use super::tree::{Branch, Comment, Entry, Item, Node, SecretText};
use super::{DataKey, Sealed};
use sha2::{Digest, Sha512};

/// Hashed first where the MAC covers encrypted values only (the sha256 of `sops`), so that the two MACs always differ.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b, 0x0b,
    0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// A decrypted file.
pub(crate) struct Opened {
    /// Its documents.
    pub(crate) branches: Vec<Branch>,
    /// The values as they were encrypted, in order.
    pub(crate) ciphertexts: Vec<String>,
    /// What of them is text or a number, in clear, and comments.
    pub(crate) secrets: Vec<SecretText>,
    /// Whether the MAC that the file carries is that of what it holds.
    pub(crate) is_intact: bool,
}

/// Decrypts all values.
///
/// # Errors
/// In the words of SOPS, never with a value.
pub(crate) fn open(sealed: &Sealed, key: &DataKey) -> Result<Opened, String> {
    let metadata = &sealed.metadata;
    let mut walk = Walk {
        key,
        rule: Compiled::new(&metadata.rule)?,
        is_only_encrypted: metadata.is_mac_only_encrypted,
        hash: Sha512::new(),
        path: Vec::new(),
        named_keys: 0,
        levels: Vec::new(),
        named_comments: 0,
        ciphertexts: Vec::new(),
        secrets: Vec::new(),
    };
    if walk.is_only_encrypted {
        walk.hash.update(ONLY_ENCRYPTED);
    }
    let mut branches = Vec::with_capacity(sealed.branches.len());
    for branch in &sealed.branches {
        branches.push(
            walk.branch(branch)
                .map_err(|cause| format!("Error walking tree: {cause}"))?,
        );
    }
    let found = hex::encode_upper(walk.hash.finalize());
    let kept = match decrypt(&metadata.mac, key, &metadata.last_modified) {
        Ok(Plain::Node(Node::Text(text))) => Some(text),
        _ => None,
    };
    Ok(Opened {
        branches,
        ciphertexts: walk.ciphertexts,
        secrets: walk.secrets,
        is_intact: kept.is_some_and(|kept| *kept == found),
    })
}

struct Walk<'k> {
    key: &'k DataKey,
    rule: Compiled,
    is_only_encrypted: bool,
    hash: Sha512,
    path: Vec<String>,
    /// How many keys of the path the rule is about.
    named_keys: usize,
    /// How many comments in force the rule is about, those before the entry at hand, of each level.
    levels: Vec<usize>,
    /// The same on all levels.
    named_comments: usize,
    ciphertexts: Vec<String>,
    secrets: Vec<SecretText>,
}

impl Walk<'_> {
    fn branch(&mut self, branch: &Branch) -> Result<Branch, String> {
        self.levels.push(0);
        let mut out = Branch::with_capacity(branch.len());
        for entry in branch {
            out.push(match entry {
                Entry::Comment(comment) => Entry::Comment(self.comment(comment)?),
                Entry::Pair(key, node) => {
                    self.path.push(key.clone());
                    let is_named = usize::from(self.rule.names_key(key));
                    self.named_keys += is_named;
                    let node = match self.node(node)? {
                        Plain::Node(node) => node,
                        Plain::Comment(text) => Node::text(text),
                    };
                    self.named_keys -= is_named;
                    self.path.pop();
                    self.forget_comments();
                    Entry::Pair(key.clone(), node)
                }
            });
        }
        self.forget_comments();
        self.levels.pop();
        Ok(out)
    }

    fn list(&mut self, items: &[Item]) -> Result<Vec<Item>, String> {
        self.levels.push(0);
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            out.push(match item {
                Item::Comment(comment) => Item::Comment(self.comment(comment)?),
                Item::Node(node) => {
                    let plain = self.node(node)?;
                    self.forget_comments();
                    match plain {
                        Plain::Node(node) => Item::Node(node),
                        // SOPS writes an encrypted comment of a list as an item
                        Plain::Comment(text) => Item::Comment(Comment {
                            text,
                            is_inline: false,
                        }),
                    }
                }
            });
        }
        self.forget_comments();
        self.levels.pop();
        Ok(out)
    }

    fn forget_comments(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            self.named_comments -= std::mem::take(level);
        }
    }

    /// Whether what stands here is encrypted, but for what a comment's own text says of it.
    fn is_encrypted(&self, own: usize) -> bool {
        let is_named = self.named_keys > 0 || self.named_comments > own;
        self.rule.is_encrypted(is_named)
    }

    fn comment(&mut self, comment: &Comment) -> Result<Comment, String> {
        let is_named = self.rule.names_comment(&comment.text);
        self.named_comments += usize::from(is_named);
        if let Some(level) = self.levels.last_mut() {
            *level += usize::from(is_named);
        }
        let own = usize::from(is_named && !self.rule.holds_for_its_comment());
        if !self.is_encrypted(own) {
            return Ok(comment.clone());
        }
        let text = match decrypt(&comment.text, self.key, &self.additional_data()) {
            // SOPS forgets where it stood
            Ok(Plain::Comment(text)) => {
                self.secrets.push(text.clone().into());
                return Ok(Comment {
                    text,
                    is_inline: false,
                });
            }
            Ok(Plain::Node(Node::Text(text))) => text.to_string(),
            Ok(Plain::Node(_)) => {
                return Err("walkValue of Comment should be either Comment or string".to_owned());
            }
            // one that does not decrypt was never encrypted
            Err(_) => comment.text.clone(),
        };
        Ok(Comment { text, ..*comment })
    }

    fn node(&mut self, node: &Node) -> Result<Plain, String> {
        let leaf = match node {
            Node::Map(branch) => return self.branch(branch).map(|branch| Plain::Node(Node::Map(branch))),
            Node::List(items) => return self.list(items).map(|items| Plain::Node(Node::List(items))),
            Node::Null => return Ok(Plain::Node(Node::Null)),
            leaf => leaf,
        };
        let is_encrypted = self.is_encrypted(0);
        let plain = if is_encrypted {
            self.decrypt(leaf)?
        } else {
            Plain::Node(leaf.clone())
        };
        if !self.is_only_encrypted || is_encrypted {
            match &plain {
                Plain::Node(node) => self.hash.update(&*node.mac_bytes().unwrap_or_default()),
                Plain::Comment(text) => self.hash.update(text),
            }
        }
        Ok(plain)
    }

    fn decrypt(&mut self, leaf: &Node) -> Result<Plain, String> {
        let Node::Text(text) = leaf else {
            return Err(format!(
                "Expected encrypted value as string, but got {}",
                go_type(leaf)
            ));
        };
        let plain = decrypt(text, self.key, &self.additional_data())
            .map_err(|cause| format!("Could not decrypt value: {cause}"))?;
        self.ciphertexts.push(text.to_string());
        match &plain {
            Plain::Node(Node::Text(text)) => self.secrets.push(text.clone()),
            Plain::Node(node @ (Node::Int(_) | Node::Float(_))) => self.secrets.extend(flat_text(node)),
            Plain::Node(_) => {}
            Plain::Comment(text) => self.secrets.push(text.clone().into()),
        }
        Ok(plain)
    }

    fn additional_data(&self) -> String {
        let mut data = self.path.join(":");
        data.push(':');
        data
    }
}

fn go_type(node: &Node) -> &'static str {
    match node {
        Node::Bool(_) => "bool",
        Node::Int(_) => "int",
        Node::Float(_) => "float64",
        Node::Time(_) => "time.Time",
        _ => "string",
    }
}
