//! From tokens to trees: one function for each rule of the grammar.

use std::collections::HashSet;

use crate::scan::{Kind, Mark, Scanner, Tag, Token, syntax_error};
use crate::{
    CollectionStyle, Error, Limit, Limits, Node, Position, Resolver, ScalarStyle, Text, Value, alias, text,
};

/// How to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseOptions {
    /// Whose error messages to give: v2 and v3 differ in the line they name. The trees are the same.
    pub dialect: Resolver,
    /// Keep `*name` and `&name` as written instead of putting copies in their place. For files that are edited.
    pub keep_aliases: bool,
    /// Keep comments ([`Node::comments`]), for files that are edited.
    pub comments: bool,
    /// What the text may cost.
    pub limits: Limits,
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self {
            dialect: Resolver::V3,
            keep_aliases: false,
            comments: false,
            limits: Limits::default(),
        }
    }
}

impl ParseOptions {
    /// Messages as `dialect` gives them, the rest as by default.
    pub fn new(dialect: Resolver) -> Self {
        Self {
            dialect,
            ..Self::default()
        }
    }
}

/// One document of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Its content; null for an empty document.
    pub root: Node,
    /// Where it starts: its `---`, or its first token.
    pub position: Position,
}

/// All documents of a stream. Comments alone are no document; an empty one between markers is.
///
/// # Errors
/// [`Error::Syntax`], [`Error::Decode`] (aliases), [`Error::Limit`].
pub fn parse_documents(text: impl AsRef<[u8]>, options: &ParseOptions) -> Result<Vec<Document>, Error> {
    parse(text.as_ref(), options, |parser| {
        let mut documents = Vec::new();
        while let Some(document) = parser.document()? {
            if documents.len() >= options.limits.documents {
                return Err(Error::Limit {
                    limit: Limit::Documents,
                    max: options.limits.documents,
                    position: document.position,
                });
            }
            documents.push(document);
        }
        Ok(documents)
    })
}

/// The first document; what follows it is not looked at, as Go's `Unmarshal` does.
///
/// # Errors
/// As [`parse_documents`].
pub fn parse_document(text: impl AsRef<[u8]>, options: &ParseOptions) -> Result<Option<Document>, Error> {
    parse(text.as_ref(), options, |parser| parser.document())
}

/// Parses a text. Where it holds something forbidden, Go tells that when it reads the piece in which that stands: what it
/// finds before comes first, and who has read a whole document by then never hears of it.
fn parse<T>(
    bytes: &[u8],
    options: &ParseOptions,
    read: impl FnOnce(&mut Parser<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let error = match text::decode_text(bytes, &options.limits) {
        Ok(text) => return read(&mut Parser::new(&text, options)),
        Err(error @ Error::Syntax { .. }) => error,
        Err(error) => return Err(error),
    };
    let before = text::pieces_before_error(bytes);
    let mut parser = Parser::new(before, options);
    let result = read(&mut parser);
    if parser.scanner.wants_more_than(before.len()) {
        Err(error)
    } else {
        result
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    options: &'a ParseOptions,
    tag_directives: Vec<Tag>,
    anchors: HashSet<Text>,
    has_alias: bool,
    is_first: bool,
    depth: usize,
    nodes: usize,
    /// The items of the sequences that are being read, those of the innermost last: each moves out when it ends, into an
    /// allocation of its size. Most collections are small, and what grows by doubling is half empty.
    items: Vec<Node>,
    /// The entries of the mappings that are being read, likewise.
    entries: Vec<(Node, Node)>,
}

/// What may stand before a node's content.
#[derive(Default)]
struct Properties {
    anchor: Option<Text>,
    tag: Option<Text>,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, options: &'a ParseOptions) -> Self {
        let mut scanner = Scanner::new(text, options.dialect, &options.limits);
        scanner.comments = options.comments.then(std::collections::VecDeque::new);
        Self {
            scanner,
            options,
            tag_directives: Vec::new(),
            anchors: HashSet::new(),
            has_alias: false,
            is_first: true,
            depth: 0,
            nodes: 0,
            items: Vec::new(),
            entries: Vec::new(),
        }
    }

    /// A sequence of the items from `first` on.
    fn sequence(&mut self, first: usize, style: CollectionStyle) -> Value {
        Value::Sequence(self.items.drain(first..).collect(), style)
    }

    /// A mapping of the entries from `first` on.
    fn mapping(&mut self, first: usize, style: CollectionStyle) -> Value {
        Value::Mapping(self.entries.drain(first..).collect(), style)
    }

    // ---- documents

    fn document(&mut self) -> Result<Option<Document>, Error> {
        let implicit = std::mem::replace(&mut self.is_first, false);
        if !implicit {
            while let Kind::DocumentEnd = self.scanner.peek()?.kind {
                self.scanner.take()?;
            }
        }
        self.anchors.clear();
        self.has_alias = false;
        let token = self.scanner.peek()?;
        let position = token.start.position();
        let root = match token.kind {
            Kind::StreamEnd => return Ok(None),
            Kind::VersionDirective(..) | Kind::TagDirective(_) | Kind::DocumentStart => {
                self.explicit_document()?
            }
            _ if !implicit => self.explicit_document()?,
            _ => self.node(true, false)?,
        };
        if let Kind::DocumentEnd = self.scanner.peek()?.kind {
            self.scanner.take()?;
        }
        self.tag_directives.clear();
        let mut root = root;
        // what follows is looked at for the sake of comments alone: whoever reads one document need not like the next
        if self.scanner.comments.is_some() {
            let until = self.scanner.peek()?.start.line + 1;
            if let Some(comments) = &mut self.scanner.comments {
                crate::comments::attach(&mut root, comments, until.max(1));
            }
        }
        let expand = !self.options.keep_aliases && !self.anchors.is_empty();
        let root = if expand {
            alias::expand(root, self.has_alias, &self.options.limits, &mut self.nodes)?
        } else {
            root
        };
        Ok(Some(Document { root, position }))
    }

    fn explicit_document(&mut self) -> Result<Node, Error> {
        let mut has_version = false;
        loop {
            let token = self.scanner.peek()?;
            let mark = token.start;
            match token.kind {
                Kind::VersionDirective(major, minor) => {
                    if has_version {
                        return Err(self.error(None, mark, "found duplicate %YAML directive"));
                    }
                    if (major, minor) != (1, 1) {
                        return Err(self.error(None, mark, "found incompatible YAML document"));
                    }
                    has_version = true;
                    self.scanner.take()?;
                }
                Kind::TagDirective(_) => {
                    if let Kind::TagDirective(tag) = self.scanner.take()?.kind {
                        if self.tag_directives.iter().any(|known| known.handle == tag.handle) {
                            return Err(self.error(None, mark, "found duplicate %TAG directive"));
                        }
                        self.tag_directives.push(*tag);
                    }
                }
                Kind::DocumentStart => break,
                _ => return Err(self.error(None, mark, "did not find expected <document start>")),
            }
        }
        self.scanner.take()?;
        let token = self.scanner.peek()?;
        match token.kind {
            Kind::VersionDirective(..)
            | Kind::TagDirective(_)
            | Kind::DocumentStart
            | Kind::DocumentEnd
            | Kind::StreamEnd => {
                let mark = token.start;
                self.empty(mark)
            }
            _ => self.node(true, false),
        }
    }

    // ---- nodes

    fn node(&mut self, block: bool, indentless: bool) -> Result<Node, Error> {
        if self.depth >= self.options.limits.depth {
            let position = self.scanner.peek()?.start.position();
            return Err(Error::Limit {
                limit: Limit::Depth,
                max: self.options.limits.depth,
                position,
            });
        }
        // most nodes are that and nothing else
        if let Some((text, style, start)) = self.scanner.take_if_scalar()? {
            return self.make(Value::Scalar(text, style), start);
        }
        self.depth += 1;
        let node = self.node_at_depth(block, indentless);
        self.depth -= 1;
        node
    }

    fn node_at_depth(&mut self, block: bool, indentless: bool) -> Result<Node, Error> {
        let start = self.scanner.peek()?.start;
        if let Kind::Alias(_) = self.scanner.peek()?.kind {
            return self.alias();
        }
        let properties = self.properties(start)?;
        let token = self.scanner.peek()?;
        let value = match token.kind {
            Kind::BlockEntry if indentless => self.indentless_sequence()?,
            Kind::Scalar(..) => match self.scanner.take()?.kind {
                Kind::Scalar(text, style) => Value::Scalar(text, style),
                _ => Value::Scalar(Text::default(), ScalarStyle::Plain),
            },
            Kind::FlowSequenceStart => self.flow_sequence()?,
            Kind::FlowMappingStart => self.flow_mapping()?,
            Kind::BlockSequenceStart if block => self.block_sequence()?,
            Kind::BlockMappingStart if block => self.block_mapping()?,
            _ if properties.anchor.is_some() || properties.tag.is_some() => {
                Value::Scalar(Text::default(), ScalarStyle::Plain)
            }
            _ => {
                let mark = token.start;
                return Err(self.error(Some(start), mark, "did not find expected node content"));
            }
        };
        let mut node = self.make(value, start)?;
        if properties.anchor.is_some() {
            node.set_anchor(properties.anchor);
        }
        if properties.tag.is_some() {
            node.set_tag(properties.tag);
        }
        Ok(node)
    }

    fn make(&mut self, value: Value, mark: Mark) -> Result<Node, Error> {
        self.nodes += 1;
        if self.nodes > self.options.limits.nodes {
            return Err(Error::Limit {
                limit: Limit::Nodes,
                max: self.options.limits.nodes,
                position: mark.position(),
            });
        }
        Ok(Node::new(value).at(mark.position()))
    }

    fn empty(&mut self, mark: Mark) -> Result<Node, Error> {
        self.make(Value::Scalar(Text::default(), ScalarStyle::Plain), mark)
    }

    fn alias(&mut self) -> Result<Node, Error> {
        let token = self.scanner.take()?;
        let Kind::Alias(name) = token.kind else {
            return self.empty(token.start);
        };
        if !self.anchors.contains(&name) {
            let message = format!("yaml: unknown anchor '{name}' referenced");
            return Err(Error::Decode {
                message,
                position: token.start.position(),
            });
        }
        self.has_alias = true;
        self.make(Value::Alias(name), token.start)
    }

    fn properties(&mut self, start: Mark) -> Result<Properties, Error> {
        let mut properties = Properties::default();
        loop {
            match self.scanner.peek()?.kind {
                Kind::Anchor(_) if properties.anchor.is_none() => {
                    if let Kind::Anchor(name) = self.scanner.take()?.kind {
                        self.anchors.insert(name.clone());
                        properties.anchor = Some(name);
                    }
                }
                Kind::Tag(_) if properties.tag.is_none() => {
                    let token = self.scanner.take()?;
                    if let Kind::Tag(tag) = &token.kind {
                        properties.tag = Some(self.resolve_tag(tag, start, token.start)?);
                    }
                }
                _ => return Ok(properties),
            }
        }
    }

    /// The tag in full, then in Go's short form.
    fn resolve_tag(&self, tag: &Tag, start: Mark, mark: Mark) -> Result<Text, Error> {
        const CORE: &str = "tag:yaml.org,2002:";
        let prefix = match self
            .tag_directives
            .iter()
            .find(|known| known.handle == tag.handle)
        {
            Some(known) => known.suffix.as_str(),
            None => match tag.handle.as_str() {
                "" => "",
                "!" => "!",
                "!!" => CORE,
                _ => return Err(self.error(Some(start), mark, "found undefined tag handle")),
            },
        };
        let full = format!("{prefix}{}", tag.suffix);
        Ok(match full.strip_prefix(CORE) {
            Some(name) => Text::from(format!("!!{name}")),
            None => Text::from(full),
        })
    }

    // ---- block collections

    fn block_sequence(&mut self) -> Result<Value, Error> {
        let context = self.scanner.take()?.start;
        let first = self.items.len();
        loop {
            let token = self.scanner.take()?;
            match token.kind {
                Kind::BlockEntry => {
                    let is_empty = matches!(self.scanner.peek()?.kind, Kind::BlockEntry | Kind::BlockEnd);
                    let item = if is_empty {
                        self.empty(token.end)?
                    } else {
                        self.node(true, false)?
                    };
                    self.items.push(item);
                }
                Kind::BlockEnd => return Ok(self.sequence(first, CollectionStyle::Block)),
                _ => {
                    return Err(self.error(
                        Some(context),
                        token.start,
                        "did not find expected '-' indicator",
                    ));
                }
            }
        }
    }

    /// A sequence at the column of its key: it has no end of its own.
    fn indentless_sequence(&mut self) -> Result<Value, Error> {
        let first = self.items.len();
        while let Kind::BlockEntry = self.scanner.peek()?.kind {
            let mark = self.scanner.take()?.end;
            let is_empty = matches!(
                self.scanner.peek()?.kind,
                Kind::BlockEntry | Kind::Key | Kind::Value | Kind::BlockEnd
            );
            let item = if is_empty {
                self.empty(mark)?
            } else {
                self.node(true, false)?
            };
            self.items.push(item);
        }
        Ok(self.sequence(first, CollectionStyle::Block))
    }

    fn block_mapping(&mut self) -> Result<Value, Error> {
        let context = self.scanner.take()?.start;
        let first = self.entries.len();
        loop {
            let token = self.scanner.peek()?;
            let (start, end) = (token.start, token.end);
            let key = match token.kind {
                Kind::Key => {
                    self.scanner.take()?;
                    self.block_mapping_part(end)?
                }
                Kind::BlockEnd => {
                    self.scanner.take()?;
                    return Ok(self.mapping(first, CollectionStyle::Block));
                }
                _ => return Err(self.error(Some(context), start, "did not find expected key")),
            };
            let token = self.scanner.peek()?;
            let (start, end) = (token.start, token.end);
            let value = if let Kind::Value = token.kind {
                self.scanner.take()?;
                self.block_mapping_part(end)?
            } else {
                self.empty(start)?
            };
            self.entries.push((key, value));
        }
    }

    fn block_mapping_part(&mut self, mark: Mark) -> Result<Node, Error> {
        match self.scanner.peek()?.kind {
            Kind::Key | Kind::Value | Kind::BlockEnd => self.empty(mark),
            _ => self.node(true, true),
        }
    }

    // ---- flow collections

    fn flow_sequence(&mut self) -> Result<Value, Error> {
        let context = self.scanner.take()?.start;
        let first = self.items.len();
        let mut is_first = true;
        loop {
            if !is_first && !matches!(self.scanner.peek()?.kind, Kind::FlowSequenceEnd) {
                let token = self.scanner.take_if_entry()?;
                if let Err(mark) = token {
                    return Err(self.error(Some(context), mark, "did not find expected ',' or ']'"));
                }
            }
            is_first = false;
            match self.scanner.peek()?.kind {
                Kind::FlowSequenceEnd => {
                    self.scanner.take()?;
                    return Ok(self.sequence(first, CollectionStyle::Flow));
                }
                Kind::Key => {
                    let pair = self.flow_pair()?;
                    self.items.push(pair);
                }
                _ => {
                    let item = self.node(false, false)?;
                    self.items.push(item);
                }
            }
        }
    }

    /// `[key: value]`: a mapping of one entry.
    fn flow_pair(&mut self) -> Result<Node, Error> {
        let start = self.scanner.take()?.start;
        let token = self.scanner.peek()?;
        let end = token.end;
        let key = if matches!(token.kind, Kind::Value | Kind::FlowEntry | Kind::FlowSequenceEnd) {
            self.scanner.take()?; // Go's parser skips the token here, and refuses what follows
            self.empty(end)?
        } else {
            self.node(false, false)?
        };
        let mut mark = self.scanner.peek()?.start;
        let mut is_empty = true;
        if let Kind::Value = self.scanner.peek()?.kind {
            self.scanner.take()?;
            let token = self.scanner.peek()?;
            mark = token.start;
            is_empty = matches!(token.kind, Kind::FlowEntry | Kind::FlowSequenceEnd);
        }
        let value = if is_empty {
            self.empty(mark)?
        } else {
            self.node(false, false)?
        };
        self.make(Value::Mapping(vec![(key, value)], CollectionStyle::Flow), start)
    }

    fn flow_mapping(&mut self) -> Result<Value, Error> {
        let context = self.scanner.take()?.start;
        let first = self.entries.len();
        let mut is_first = true;
        loop {
            if !is_first && !matches!(self.scanner.peek()?.kind, Kind::FlowMappingEnd) {
                let token = self.scanner.take_if_entry()?;
                if let Err(mark) = token {
                    return Err(self.error(Some(context), mark, "did not find expected ',' or '}'"));
                }
            }
            is_first = false;
            match self.scanner.peek()?.kind {
                Kind::FlowMappingEnd => {
                    self.scanner.take()?;
                    return Ok(self.mapping(first, CollectionStyle::Flow));
                }
                Kind::Key => {
                    self.scanner.take()?;
                    let key = self.flow_mapping_part(true)?;
                    let value = if let Kind::Value = self.scanner.peek()?.kind {
                        self.scanner.take()?;
                        self.flow_mapping_part(false)?
                    } else {
                        let mark = self.scanner.peek()?.start;
                        self.empty(mark)?
                    };
                    self.entries.push((key, value));
                }
                _ => {
                    let key = self.node(false, false)?;
                    let mark = self.scanner.peek()?.start;
                    let value = self.empty(mark)?;
                    self.entries.push((key, value));
                }
            }
        }
    }

    fn flow_mapping_part(&mut self, is_key: bool) -> Result<Node, Error> {
        let token = self.scanner.peek()?;
        let mark = token.start;
        match token.kind {
            Kind::FlowEntry | Kind::FlowMappingEnd => self.empty(mark),
            Kind::Value if is_key => self.empty(mark),
            _ => self.node(false, false),
        }
    }

    /// An error of the parser: Go names the line before it, because it counts from zero.
    fn error(&self, context: Option<Mark>, at: Mark, problem: &str) -> Error {
        let context = context.map_or(0, |mark| mark.line);
        let line = match self.options.dialect {
            Resolver::V2 if at.line != 0 => at.line,
            Resolver::V2 => context,
            Resolver::V3 if context != 0 => context,
            Resolver::V3 => at.line,
        };
        syntax_error(line, problem, at)
    }
}

impl Scanner<'_> {
    /// Takes a comma; where there is none, says where one was wanted.
    fn take_if_entry(&mut self) -> Result<Result<Token, Mark>, Error> {
        let token = self.peek()?;
        let mark = token.start;
        if let Kind::FlowEntry = token.kind {
            self.take().map(Ok)
        } else {
            Ok(Err(mark))
        }
    }
}
