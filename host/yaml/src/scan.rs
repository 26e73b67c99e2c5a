//! From text to tokens.

mod cursor;
mod property;
mod scalar;
mod scanner;
mod token;

pub(crate) use cursor::Mark;
pub(crate) use scanner::{Scanner, syntax_error};
pub(crate) use token::{Kind, Tag, Token};
