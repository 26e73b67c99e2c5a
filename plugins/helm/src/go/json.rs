//! `encoding/json`: reading with Go's messages, writing in Go's form.

mod decode;
mod encode;
pub(crate) mod grammar;

pub(crate) use decode::{Decoded, decode};
pub(crate) use encode::{encode, indent};
