//! What is told on the side, in the original's words. Nothing of it changes what is rendered.

use std::fmt::{self, Display};

/// Texts in the order in which they came up, each once: values are merged several times. Values are not quoted: they may be
/// secrets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Warnings(Vec<String>);

/// More of them help nobody.
const MAX: usize = 100;

impl Warnings {
    /// Adds a text.
    pub fn add(&mut self, text: String) {
        if self.0.len() < MAX && !self.0.contains(&text) {
            self.0.push(text);
        }
    }

    /// All of them.
    pub fn into_texts(self) -> Vec<String> {
        self.0
    }
}

/// A path in values, made on the way down and written only where there is something to tell.
#[derive(Default)]
pub(crate) struct ValuePath<'a>(Option<(&'a ValuePath<'a>, &'a [u8])>);

impl ValuePath<'_> {
    pub(crate) fn below<'a>(&'a self, key: &'a [u8]) -> ValuePath<'a> {
        ValuePath(Some((self, key)))
    }
}

impl Display for ValuePath<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((above, key)) = self.0 else { return Ok(()) };
        above.fmt(f)?;
        if above.0.is_some() {
            f.write_str(".")?;
        }
        f.write_str(&String::from_utf8_lossy(key))
    }
}
