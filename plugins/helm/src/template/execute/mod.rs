//! Trees with a value to text.

mod call;
mod evaluate;
mod field;
mod state;
mod walk;

use std::{cell::Cell, cell::RefCell, collections::HashMap, rc::Rc};

use super::{
    parser,
    set::{Set, Tree},
};
use crate::{
    Error, Str, Value,
    functions::{Environment, Functions, Templates},
    go::quote,
};
use state::State;

/// How often a template may include itself, through others or not, before Helm stops it.
pub const INCLUDE_MAX: usize = 1000;

/// How deep templates may call each other altogether. Go has a gigabyte of stack for this; a guest has a few megabytes.
pub const CALL_DEPTH_MAX: usize = 2500;

/// Where the output of a template begins to grow: names, labels and selectors are not longer.
const OUTPUT_BYTES: usize = 128;

/// The name of the set in messages, and of what `tpl` reads: Helm's.
const SET_NAME: &str = "gotpl";

/// What a missing key of a map is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// The zero value of the map's element type: nil for most. Helm's default.
    #[default]
    Zero,
    /// An error: Helm's strict mode.
    Error,
}

/// One render: what its templates share.
pub struct Render<'r> {
    set: &'r Set,
    functions: &'static Functions,
    environment: &'r Environment,
    missing_key: MissingKey,
    /// The names of the templates that include each other, from the outermost.
    included: RefCell<Vec<Str>>,
    depth: Cell<usize>,
    /// What `tpl` has read, by source.
    read: RefCell<HashMap<Str, Rc<[Rc<Tree>]>>>,
}

impl<'r> Render<'r> {
    /// Of a set, with what comes from outside.
    pub fn new(
        set: &'r Set,
        functions: &'static Functions,
        environment: &'r Environment,
        missing_key: MissingKey,
    ) -> Self {
        Self {
            set,
            functions,
            environment,
            missing_key,
            included: RefCell::default(),
            depth: Cell::new(0),
            read: RefCell::default(),
        }
    }

    /// Executes a template of the set.
    ///
    /// # Errors
    /// In Go's words.
    pub fn execute(&self, name: &str, data: &Value) -> Result<Vec<u8>, Error> {
        Scope {
            render: self,
            trees: &[],
            outer: None,
        }
        .execute_template(name.as_bytes(), data)
    }

    /// Goes into a template; `leave` goes out of it.
    fn enter(&self) -> Result<(), String> {
        let depth = self.depth.get() + 1;
        if depth > CALL_DEPTH_MAX {
            return Err(format!("exceeded maximum template depth ({CALL_DEPTH_MAX})"));
        }
        self.depth.set(depth);
        Ok(())
    }

    fn leave(&self) {
        self.depth.set(self.depth.get() - 1);
    }

    fn begin_include(&self, name: &Str) -> Result<(), Error> {
        let mut included = self.included.borrow_mut();
        // among so few none can be there too often, so that most includes need not count
        if included.len() > INCLUDE_MAX
            && included.iter().filter(|other| *other == name).count() > INCLUDE_MAX
        {
            return Err(Error::new(format!(
                "rendering template has a nested reference name: {name}: unable to execute template"
            )));
        }
        included.push(name.clone());
        Ok(())
    }

    fn read(&self, source: &Str) -> Result<Rc<[Rc<Tree>]>, Error> {
        if let Some(trees) = self.read.borrow().get(source) {
            return Ok(Rc::clone(trees));
        }
        let trees: Rc<[Rc<Tree>]> = parser::parse(SET_NAME, source.clone(), self.functions)?.into();
        self.read.borrow_mut().insert(source.clone(), Rc::clone(&trees));
        Ok(trees)
    }
}

/// The templates that can be seen: those of the set, and in front of them what each `tpl` around defines.
struct Scope<'a> {
    render: &'a Render<'a>,
    trees: &'a [Rc<Tree>],
    outer: Option<&'a Scope<'a>>,
}

impl<'a> Scope<'a> {
    fn get(&self, name: &[u8]) -> Option<&Tree> {
        let mut scope = Some(self);
        while let Some(current) = scope {
            // an empty definition replaces none that exists
            let own = current.trees.iter().find(|tree| tree.name.as_bytes() == name);
            if let Some(tree) = own
                && (!tree.root.is_empty() || current.outer.is_none_or(|outer| outer.get(name).is_none()))
            {
                return Some(tree);
            }
            scope = current.outer;
        }
        self.render.set.get(name).map(|tree| &**tree)
    }

    fn execute_template(&self, name: &[u8], data: &Value) -> Result<Vec<u8>, Error> {
        let tree = self.get(name).ok_or_else(|| {
            Error::new(format!(
                "template: no template {} associated with template {}",
                quote::quote(name),
                quote::quote(SET_NAME.as_bytes())
            ))
        })?;
        self.execute(tree, data)
    }

    fn execute(&self, tree: &Tree, data: &Value) -> Result<Vec<u8>, Error> {
        let mut out = Vec::with_capacity(OUTPUT_BYTES);
        self.render
            .enter()
            .map_err(|message| Error::execution(format!("template: {}: {message}", tree.name), None))?;
        let data = if data.is_nil() { &Value::Invalid } else { data };
        State::new(self, tree, data, &mut out).run(data)?;
        self.render.leave();
        Ok(out)
    }
}

impl Templates for Scope<'_> {
    fn include(&self, name: &Str, data: &Value) -> Result<Str, Error> {
        self.render.begin_include(name)?;
        let text = self.execute_template(name.as_bytes(), data)?;
        self.render.included.borrow_mut().pop();
        Ok(text.into())
    }

    fn tpl(&self, source: &Str, data: &Value) -> Result<Str, Error> {
        if memchr::memmem::find(source.as_bytes(), b"{{").is_none() {
            return Ok(without_no_value(source.clone()));
        }
        let quoted = || quote::quote(source.as_bytes());
        let trees = self
            .render
            .read(source)
            .map_err(|error| Error::wrap(format!("cannot parse template {}: ", quoted()), error))?;
        let Some(tree) = trees.last() else {
            return Ok(Str::default());
        };
        let scope = Scope {
            render: self.render,
            trees: &trees,
            outer: Some(self),
        };
        let text = scope.execute(tree, data).map_err(|error| {
            Error::wrap(
                format!("error during tpl function execution for {}: ", quoted()),
                error,
            )
        })?;
        Ok(without_no_value(text.into()))
    }
}

/// Helm removes what Go prints for nothing, wherever it comes from.
pub(crate) fn without_no_value(text: Str) -> Str {
    const NO_VALUE: &[u8] = b"<no value>";
    let bytes = text.as_bytes();
    if memchr::memmem::find(bytes, NO_VALUE).is_none() {
        return text;
    }
    let mut kept = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memmem::find(rest, NO_VALUE) {
        kept.extend_from_slice(rest.get(..at).unwrap_or_default());
        rest = rest.get(at + NO_VALUE.len()..).unwrap_or_default();
    }
    kept.extend_from_slice(rest);
    kept.into()
}
