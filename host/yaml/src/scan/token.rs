//! What the scanner hands to the parser.

use super::cursor::Mark;
use crate::{ScalarStyle, Text};

/// A token and where it lies.
#[derive(Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: Mark,
    pub(crate) end: Mark,
}

/// The kinds of tokens, named as in the YAML 1.1 grammar.
#[derive(Debug)]
pub(crate) enum Kind {
    StreamEnd,
    VersionDirective(u8, u8),
    TagDirective(Box<Tag>),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(Text),
    Anchor(Text),
    Tag(Box<Tag>),
    Scalar(Text, ScalarStyle),
}

/// A tag as written, or a `%TAG` directive: handle and what follows it.
#[derive(Debug)]
pub(crate) struct Tag {
    pub(crate) handle: String,
    pub(crate) suffix: String,
}
