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
    /// Shared by equal sources.
    pub(super) root: Rc<List>,
}

/// Templates by name. A set is read once and used for any number of renders.
#[derive(Clone, Default)]
pub struct Set {
    trees: HashMap<Str, Rc<Tree>>,
    /// What was read from each source, its own tree last, by the length of the source.
    read: HashMap<usize, Vec<Vec<Rc<Tree>>>>,
    sources_parsed: usize,
}

impl Set {
    /// Reads a source. What it defines replaces what had the same name, unless it is empty. A source that was read before, under
    /// another name, is not parsed again: charts bring the same library chart once for each of their subcharts.
    ///
    /// # Errors
    /// In Go's words: `template: NAME:LINE: …`.
    pub fn add(
        &mut self,
        name: impl Into<Str>,
        source: impl Into<Str>,
        functions: &'static Functions,
    ) -> Result<(), Error> {
        let (name, source) = (name.into(), source.into());
        let trees = match self.read_before(&name, &source) {
            Some(trees) => trees,
            None => {
                let trees = parser::parse(name.clone(), source.clone(), functions)?;
                self.sources_parsed += 1;
                if trees.last().is_some_and(|own| own.name == name) {
                    self.read.entry(source.len()).or_default().push(trees.clone());
                }
                trees
            }
        };
        trees.into_iter().for_each(|tree| self.insert(tree));
        Ok(())
    }

    /// The trees of an equal source, as if they were read from this one; none where it defines a template of this name.
    fn read_before(&self, name: &Str, text: &Str) -> Option<Vec<Rc<Tree>>> {
        let same_length = self.read.get(&text.len())?;
        let is_same = |trees: &&Vec<Rc<Tree>>| trees.last().is_some_and(|own| own.source.text == *text);
        let (own, defined) = same_length.iter().find(is_same)?.split_last()?;
        if defined.iter().any(|tree| tree.name == *name) {
            return None;
        }
        let source = Rc::new(Source {
            name: name.clone(),
            text: own.source.text.clone(),
        });
        let shared = |name: &Str, tree: &Tree| {
            Rc::new(Tree {
                name: name.clone(),
                source: Rc::clone(&source),
                root: Rc::clone(&tree.root),
            })
        };
        let mut trees: Vec<Rc<Tree>> = defined.iter().map(|tree| shared(&tree.name, tree)).collect();
        trees.push(shared(name, own));
        Some(trees)
    }

    /// How many sources were parsed: fewer than were read where some are equal.
    pub fn sources_parsed(&self) -> usize {
        self.sources_parsed
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
