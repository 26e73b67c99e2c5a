//! What a function may look at besides its arguments.

use std::cell::Cell;

use sha2::{Digest, Sha256};

use crate::{Error, Str, Value};

/// A moment: seconds and nanoseconds since 1970-01-01 00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// Seconds.
    pub seconds: i64,
    /// Nanoseconds, below a thousand million.
    pub nanoseconds: u32,
}

/// How `lookup` asks the cluster.
pub trait Lookup {
    /// The object, or with an empty name the list of objects; an empty map where there is none.
    ///
    /// # Errors
    /// The cluster did not answer, or refused.
    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Result<Value, Error>;
}

/// What comes into a render from outside besides chart and values. Equal environments give equal renders.
pub struct Environment {
    /// What `now` answers.
    pub now: Timestamp,
    /// Where all randomness comes from: `randAlphaNum`, `uuidv4`, `genCA` …
    seed: [u8; 32],
    /// How much of it was used.
    blocks: Cell<u64>,
    /// The cluster; none where `lookup` shall find nothing.
    pub cluster: Option<Box<dyn Lookup>>,
    /// Helm's lint mode: what `required` and `fail` stop at is let through.
    pub is_lint: bool,
}

impl Environment {
    /// Without a cluster.
    pub fn new(now: Timestamp, seed: [u8; 32]) -> Self {
        Self {
            now,
            seed,
            blocks: Cell::new(0),
            cluster: None,
            is_lint: false,
        }
    }

    /// Random bytes: the next of the seed's stream (SHA-256 of seed and counter).
    pub fn random(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(32) {
            let block = self.blocks.get();
            self.blocks.set(block.wrapping_add(1));
            let digest = Sha256::new()
                .chain_update(self.seed)
                .chain_update(block.to_be_bytes())
                .finalize();
            for (byte, random) in chunk.iter_mut().zip(digest) {
                *byte = random;
            }
        }
    }
}

/// What `include` and `tpl` need of the executor.
pub(crate) trait Templates {
    /// Executes a template by name.
    fn include(&self, name: &Str, data: &Value) -> Result<Str, Error>;
    /// Executes a source.
    fn tpl(&self, source: &Str, data: &Value) -> Result<Str, Error>;
}

/// One call of a function.
pub struct Call<'a> {
    /// What comes from outside.
    pub environment: &'a Environment,
    templates: Option<&'a dyn Templates>,
}

impl<'a> Call<'a> {
    /// A call outside of any template: there is nothing to include. For tests.
    pub fn new(environment: &'a Environment) -> Self {
        Self {
            environment,
            templates: None,
        }
    }

    pub(crate) fn inside(environment: &'a Environment, templates: &'a dyn Templates) -> Self {
        Self {
            environment,
            templates: Some(templates),
        }
    }

    pub(super) fn templates(&self) -> Result<&'a dyn Templates, Error> {
        self.templates
            .ok_or_else(|| Error::new("there are no templates here"))
    }
}
