//! The table of Go types, parsed once.

use sluice_object::GroupVersionKind;
use std::collections::HashMap;
use std::sync::LazyLock;

/// How a value is decoded and encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Bool,
    Int32,
    Int64,
    Float,
    Bytes,
    Quantity,
    Time,
    MicroTime,
    IntOrString,
    Raw,
    Struct(usize),
    Pointer(Box<Shape>),
    List(Box<Shape>),
    Map(Box<Shape>),
}

/// When a field is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Omit {
    Never,
    Empty,
    Zero,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) omit: Omit,
    pub(super) shape: Shape,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    structs: Vec<Vec<Field>>,
    kinds: HashMap<GroupVersionKind, usize>,
}

impl Table {
    pub(super) fn kind(&self, gvk: &GroupVersionKind) -> Option<usize> {
        self.kinds.get(gvk).copied()
    }

    /// The fields of a struct; the table names no struct it does not hold.
    pub(super) fn fields(&self, number: usize) -> &[Field] {
        self.structs.get(number).map_or(&[], Vec::as_slice)
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> (usize, usize) {
        (self.structs.len(), self.kinds.len())
    }
}

pub(super) fn table() -> &'static Table {
    static TABLE: LazyLock<Table> = LazyLock::new(|| {
        parse(include_str!("table.txt")).expect("invariant: table.txt is generated, and read by a test")
    });
    &TABLE
}

fn parse(text: &str) -> Option<Table> {
    let mut table = Table::default();
    for line in text.lines() {
        let mut words = line.split(' ');
        match words.next()? {
            "-" => table.structs.push(words.map(field).collect::<Option<_>>()?),
            number => {
                let gvk = GroupVersionKind::new(words.next()?, words.next()?);
                table.kinds.insert(gvk, number.parse().ok()?);
            }
        }
    }
    Some(table)
}

fn field(word: &str) -> Option<Field> {
    let at = word.find([':', '?', '!'])?;
    let (name, rest) = word.split_at_checked(at)?;
    let mut letters = rest.chars();
    let omit = match letters.next()? {
        '?' => Omit::Empty,
        '!' => Omit::Zero,
        _ => Omit::Never,
    };
    Some(Field {
        name: name.to_owned(),
        omit,
        shape: shape(letters.as_str())?,
    })
}

fn shape(text: &str) -> Option<Shape> {
    let mut letters = text.chars();
    let first = letters.next()?;
    let rest = letters.as_str();
    let of = || shape(rest).map(Box::new);
    Some(match first {
        's' => Shape::Text,
        'b' => Shape::Bool,
        'i' => Shape::Int32,
        'l' => Shape::Int64,
        'f' => Shape::Float,
        'y' => Shape::Bytes,
        'q' => Shape::Quantity,
        't' => Shape::Time,
        'u' => Shape::MicroTime,
        'x' => Shape::IntOrString,
        'r' => Shape::Raw,
        '@' => Shape::Struct(rest.parse().ok()?),
        '*' => Shape::Pointer(of()?),
        '[' => Shape::List(of()?),
        '{' => Shape::Map(of()?),
        _ => return None,
    })
}
