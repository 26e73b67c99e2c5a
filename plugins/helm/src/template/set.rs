//! Trees by name.

use std::{collections::HashMap, fmt, rc::Rc};

use super::{ast::List, parser};
use crate::{Error, Str, functions::Functions};

/// A source that was read.
#[derive(Debug)]
pub(super) struct Source {
    /// What positions call it.
    pub name: Str,
    pub text: Str,
}

impl Source {
    /// `name:line:column` of a byte: lines from 1, columns in bytes from 0, as Go counts them.
    pub(super) fn location(&self, position: u32) -> String {
        let before = self.text.as_bytes().get(..position as usize).unwrap_or_default();
        let line = 1 + memchr::memchr_iter(b'\n', before).count();
        let column = before.len() - memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
        format!("{}:{line}:{column}", self.name)
    }
}

/// A template: what was read under one name.
#[derive(Debug)]
pub struct Tree {
    pub(super) name: Str,
    pub(super) source: Rc<Source>,
    pub(super) root: List,
}

/// Templates by name. A set is read once and used for any number of renders.
#[derive(Clone, Default)]
pub struct Set {
    trees: HashMap<Str, Rc<Tree>>,
}

impl Set {
    /// Reads a source. What it defines replaces what had the same name, unless it is empty.
    ///
    /// # Errors
    /// In Go's words: `template: NAME:LINE: …`.
    pub fn add(
        &mut self,
        name: impl Into<Str>,
        source: impl Into<Str>,
        functions: &'static Functions,
    ) -> Result<(), Error> {
        for tree in parser::parse(name, source, functions)? {
            self.insert(tree);
        }
        Ok(())
    }

    pub(super) fn insert(&mut self, tree: Rc<Tree>) {
        if tree.root.is_empty() && self.trees.contains_key(&tree.name) {
            return;
        }
        self.trees.insert(tree.name.clone(), tree);
    }

    /// The template of a name.
    pub fn get(&self, name: &[u8]) -> Option<&Rc<Tree>> {
        self.trees.get(name)
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.trees.keys()).finish()
    }
}
