//! One argument with one verb, under flags.

use super::float::float_with;
use crate::{
    List, Map, Str, Value,
    go::{
        quote::{can_backquote, first_runes, quote, quote_rune, quote_to_ascii, runes},
        unicode::is_print,
    },
    value::{Complex, DEPTH_MAX, IntType, Kind, Object},
};

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub plus: bool,
    pub minus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%+v`
    pub plus_v: bool,
    /// `%#v`
    pub sharp_v: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
}

#[derive(Default)]
pub(super) struct Printer {
    pub out: Vec<u8>,
    pub flags: Flags,
    /// While a bad verb is reported, `String` methods are not asked.
    pub is_reporting: bool,
}

const NIL: &str = "<nil>";

impl Printer {
    pub(super) fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn push_char(&mut self, character: char) {
        self.push(character.encode_utf8(&mut [0; 4]));
    }

    fn padding(&mut self, count: usize) {
        let byte = if self.flags.zero && !self.flags.minus {
            b'0'
        } else {
            b' '
        };
        self.out.resize(self.out.len() + count, byte);
    }

    /// Adds a text, filled up to the width.
    pub(super) fn pad(&mut self, text: &[u8]) {
        let Some(width) = self.flags.width.filter(|width| *width > 0) else {
            self.out.extend_from_slice(text);
            return;
        };
        let missing = width.saturating_sub(runes(text).count());
        if self.flags.minus {
            self.out.extend_from_slice(text);
            self.padding(missing);
        } else {
            self.padding(missing);
            self.out.extend_from_slice(text);
        }
    }

    /// The same, with spaces whatever the flags.
    fn pad_with_spaces(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }

    /// An argument of `Printf`.
    pub(super) fn argument(&mut self, value: &Value, verb: char) {
        match (value, verb) {
            (Value::Invalid | Value::Nil, 'T' | 'v') => self.pad(NIL.as_bytes()),
            // nothing in a template is an error that could be wrapped
            (_, 'w') if !value.is_nil() && !matches!(value, Value::Bytes(_)) => self.bad_verb(value, verb),
            (_, 'T') => self.string(value.type_name().as_bytes(), 's', value),
            (Value::List(_) | Value::Map(_) | Value::Bytes(_), 'p') => self.push("0xc000000000"),
            (Value::Bytes(bytes), _) => self.bytes(bytes, "[]byte", verb, value),
            _ => self.value(value, verb, 0),
        }
    }

    fn value(&mut self, value: &Value, verb: char, depth: usize) {
        if depth > DEPTH_MAX {
            // the original never comes back from a map that holds itself
            self.push("...");
            return;
        }
        match value {
            Value::Invalid | Value::Nil if depth > 0 && self.flags.sharp_v => self.push("interface {}(nil)"),
            Value::Invalid | Value::Nil if depth > 0 => self.push(NIL),
            Value::Invalid | Value::Nil => self.bad_verb(value, verb),
            Value::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(value, verb),
            },
            Value::Int(int_type, number) => self.int(*int_type, *number, value, verb),
            Value::Uint(_, number) => self.integer(*number, false, false, verb, value),
            Value::Float(number) => self.float(*number, verb, value),
            Value::Str(text) => self.string(text.as_bytes(), verb, value),
            Value::Bytes(bytes) if matches!(verb, 's' | 'q' | 'x' | 'X') => {
                self.bytes(bytes, "[]uint8", verb, value);
            }
            Value::Bytes(bytes) => self.list(&bytes_as_list(bytes), "[]uint8", verb, depth),
            Value::List(list) => self.list(list, &list.type_name(), verb, depth),
            Value::Map(map) => self.map(map, verb, depth),
            Value::Object(object) => self.object(&**object, value, verb, depth),
        }
    }

    /// A verb that the type does not know.
    fn bad_verb(&mut self, value: &Value, verb: char) {
        let was_reporting = std::mem::replace(&mut self.is_reporting, true);
        self.push("%!");
        self.push_char(verb);
        self.out.push(b'(');
        if value.is_nil() {
            self.push(NIL);
        } else {
            self.push(&value.type_name());
            self.out.push(b'=');
            self.argument(value, 'v');
        }
        self.out.push(b')');
        self.is_reporting = was_reporting;
    }

    /// What a `String` method says is printed like a string.
    fn takes_text(&self, verb: char) -> bool {
        !self.is_reporting && !self.flags.sharp_v && matches!(verb, 'v' | 's' | 'x' | 'X' | 'q')
    }

    fn int(&mut self, int_type: IntType, number: i64, value: &Value, verb: char) {
        match int_type.text(number).filter(|_| self.takes_text(verb)) {
            Some(text) => self.string(text.as_bytes(), verb, value),
            None => self.integer(number.unsigned_abs(), number < 0, true, verb, value),
        }
    }

    fn integer(&mut self, size: u64, is_negative: bool, is_signed: bool, verb: char, value: &Value) {
        // as an unsigned number of 64 bits, which is what characters are made of
        let bits = if is_negative { size.wrapping_neg() } else { size };
        let character = u32::try_from(bits)
            .ok()
            .and_then(char::from_u32)
            .unwrap_or('\u{FFFD}');
        match verb {
            'v' if self.flags.sharp_v && !is_signed => {
                let sharp = std::mem::replace(&mut self.flags.sharp, true);
                self.digits(size, false, 16, verb);
                self.flags.sharp = sharp;
            }
            'v' | 'd' => self.digits(size, is_negative, 10, verb),
            'b' => self.digits(size, is_negative, 2, verb),
            'o' | 'O' => self.digits(size, is_negative, 8, verb),
            'x' | 'X' => self.digits(size, is_negative, 16, verb),
            'c' => self.pad(character.encode_utf8(&mut [0; 4]).as_bytes()),
            'q' => self.pad(quote_rune(character, self.flags.plus).as_bytes()),
            'U' => self.unicode(bits),
            _ => self.bad_verb(value, verb),
        }
    }

    fn digits(&mut self, size: u64, is_negative: bool, base: u32, verb: char) {
        let has_sign = is_negative || self.flags.plus || self.flags.space;
        let precision = match (self.flags.precision, self.flags.width) {
            (Some(0), width) if size == 0 => {
                return self.pad_with_spaces(&vec![b' '; width.unwrap_or(0)]);
            }
            (Some(precision), _) => precision,
            (None, Some(width)) if self.flags.zero && !self.flags.minus => {
                width - usize::from(has_sign && width > 0)
            }
            _ => 0,
        };
        let digits = match base {
            2 => format!("{size:b}"),
            8 => format!("{size:o}"),
            16 if verb == 'X' => format!("{size:X}"),
            16 => format!("{size:x}"),
            _ => size.to_string(),
        };
        let mut text = String::new();
        if is_negative {
            text.push('-');
        } else if self.flags.plus {
            text.push('+');
        } else if self.flags.space {
            text.push(' ');
        }
        if verb == 'O' {
            text.push_str("0o");
        }
        let zeros = "0".repeat(precision.saturating_sub(digits.len()));
        let filled = zeros + &digits;
        if self.flags.sharp {
            text.push_str(match base {
                2 => "0b",
                8 if !filled.starts_with('0') => "0",
                16 if verb == 'X' => "0X",
                16 => "0x",
                _ => "",
            });
        }
        text.push_str(&filled);
        self.pad_with_spaces(text.as_bytes());
    }

    fn unicode(&mut self, code: u64) {
        let precision = self.flags.precision.unwrap_or(4).max(4);
        let digits = format!("{code:X}");
        let zeros = "0".repeat(precision.saturating_sub(digits.len()));
        let mut text = format!("U+{zeros}{digits}");
        let character = u32::try_from(code).ok().and_then(char::from_u32);
        if let Some(character) = character.filter(|character| self.flags.sharp && is_print(*character)) {
            text.push_str(&format!(" '{character}'"));
        }
        self.pad_with_spaces(text.as_bytes());
    }

    fn float(&mut self, number: f64, verb: char, value: &Value) {
        let (format, precision) = match verb {
            'v' | 'g' => (b'g', None),
            'G' => (b'G', None),
            'b' => (b'b', None),
            'x' => (b'x', None),
            'X' => (b'X', None),
            'f' | 'F' => (b'f', Some(6)),
            'e' => (b'e', Some(6)),
            'E' => (b'E', Some(6)),
            _ => return self.bad_verb(value, verb),
        };
        let precision = self.flags.precision.or(precision);
        let text = float_with(number, format, precision);
        let (sign, digits) = match text.split_at_checked(1) {
            Some(("-", digits)) => ('-', digits),
            Some(("+", digits)) => ('+', digits),
            _ => ('+', text.as_str()),
        };
        let shown_sign = if sign == '+' && self.flags.space && !self.flags.plus {
            ' '
        } else {
            sign
        };
        if !number.is_finite() {
            let is_sign_shown = self.flags.plus
                || self.flags.space
                || (!number.is_nan() && sign == '-')
                || number.is_infinite() && number > 0.0;
            let text = if is_sign_shown {
                format!("{shown_sign}{digits}")
            } else {
                digits.to_owned()
            };
            return self.pad_with_spaces(text.as_bytes());
        }
        let digits = if self.flags.sharp && format != b'b' {
            with_point(digits, format, precision)
        } else {
            digits.to_owned()
        };
        if shown_sign == '+' && !self.flags.plus {
            return self.pad(digits.as_bytes());
        }
        let width = self.flags.width.unwrap_or(0);
        if self.flags.zero && !self.flags.minus && width > digits.len() + 1 {
            self.push_char(shown_sign);
            self.padding(width - digits.len() - 1);
            return self.push(&digits);
        }
        self.pad(format!("{shown_sign}{digits}").as_bytes());
    }

    /// Both halves as floats, the second always with its sign.
    fn complex(&mut self, number: &Complex, verb: char, value: &Value) {
        if !matches!(verb, 'v' | 'b' | 'g' | 'G' | 'x' | 'X' | 'f' | 'F' | 'e' | 'E') {
            return self.bad_verb(value, verb);
        }
        self.out.push(b'(');
        self.float(number.real, verb, value);
        let plus = std::mem::replace(&mut self.flags.plus, true);
        self.float(number.imaginary, verb, value);
        self.flags.plus = plus;
        self.push("i)");
    }

    fn string(&mut self, text: &[u8], verb: char, value: &Value) {
        let precision = self.flags.precision;
        let cut = precision.map_or(text, |count| first_runes(text, count));
        match verb {
            'v' if !self.flags.sharp_v => self.pad(cut),
            's' => self.pad(cut),
            'v' | 'q' => self.quoted(cut),
            'x' | 'X' => self.hexadecimal(text, verb == 'X'),
            _ => self.bad_verb(value, verb),
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        if self.flags.sharp && can_backquote(text) {
            self.pad(&[b"`", text, b"`"].concat());
        } else if self.flags.plus {
            self.pad(quote_to_ascii(text).as_bytes());
        } else {
            self.pad(quote(text).as_bytes());
        }
    }

    fn hexadecimal(&mut self, text: &[u8], is_upper: bool) {
        let length = self
            .flags
            .precision
            .map_or(text.len(), |precision| precision.min(text.len()));
        let prefix = if is_upper { "0X" } else { "0x" };
        let mut shown = String::with_capacity(2 * length);
        for (index, byte) in text.iter().take(length).enumerate() {
            if index > 0 && self.flags.space {
                shown.push(' ');
            }
            if self.flags.sharp && (index == 0 || self.flags.space) {
                shown.push_str(prefix);
            }
            shown.push_str(&if is_upper {
                format!("{byte:02X}")
            } else {
                format!("{byte:02x}")
            });
        }
        self.pad(shown.as_bytes());
    }

    fn bytes(&mut self, bytes: &Str, type_name: &str, verb: char, value: &Value) {
        match verb {
            'v' | 'd' => self.list(&bytes_as_list(bytes), type_name, verb, 0),
            's' => {
                let cut = self
                    .flags
                    .precision
                    .map_or(bytes.as_bytes(), |count| first_runes(bytes.as_bytes(), count));
                self.pad(cut);
            }
            'x' | 'X' | 'q' => self.string(bytes.as_bytes(), verb, value),
            _ => self.list(&bytes_as_list(bytes), type_name, verb, 0),
        }
    }

    fn list(&mut self, list: &List, type_name: &str, verb: char, depth: usize) {
        let (open, separator, close) = if self.flags.sharp_v {
            self.push(type_name);
            if list.is_nil() {
                return self.push("(nil)");
            }
            ("{", ", ", "}")
        } else {
            ("[", " ", "]")
        };
        self.push(open);
        for (index, item) in list.items().iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            self.value(item, verb, depth + 1);
        }
        self.push(close);
    }

    fn map(&mut self, map: &Map, verb: char, depth: usize) {
        let (open, separator, close) = if self.flags.sharp_v {
            self.push(&map.type_name());
            if map.is_nil() {
                return self.push("(nil)");
            }
            ("{", ", ", "}")
        } else {
            ("map[", " ", "]")
        };
        self.push(open);
        for (index, (key, value)) in map.entries().iter().enumerate() {
            if index > 0 {
                self.push(separator);
            }
            self.value(&Value::Str(key.clone()), verb, depth + 1);
            self.out.push(b':');
            self.value(value, verb, depth + 1);
        }
        self.push(close);
    }

    fn object(&mut self, object: &dyn Object, value: &Value, verb: char, depth: usize) {
        if let Some(number) = value.as_object() {
            return self.complex(number, verb, value);
        }
        if let Some(text) = object
            .go_text()
            .filter(|_| self.flags.sharp_v && !self.is_reporting)
        {
            return self.string(text.as_bytes(), 's', value);
        }
        if let Some(text) = object.text().filter(|_| self.takes_text(verb)) {
            return self.string(text.as_bytes(), verb, value);
        }
        if object.kind() == Kind::Pointer {
            if depth > 0 {
                return self.push("0xc000000000");
            }
            self.out.push(b'&');
        }
        if self.flags.sharp_v {
            self.push(object.type_name().trim_start_matches('*'));
        }
        self.out.push(b'{');
        for (index, name) in object.fields().iter().enumerate() {
            if index > 0 {
                self.push(if self.flags.sharp_v { ", " } else { " " });
            }
            if self.flags.plus_v || self.flags.sharp_v {
                self.push(name);
                self.out.push(b':');
            }
            self.value(&object.field(name).unwrap_or_default(), verb, depth + 1);
        }
        self.out.push(b'}');
    }
}

fn bytes_as_list(bytes: &Str) -> List {
    bytes
        .as_bytes()
        .iter()
        .map(|byte| Value::Uint(crate::value::UintType::Uint8, (*byte).into()))
        .collect()
}

/// The `#` flag: always a decimal point, and the zeros that `%g` leaves out.
fn with_point(text: &str, format: u8, precision: Option<usize>) -> String {
    let is_hexadecimal = matches!(format, b'x' | b'X');
    let marks: &[char] = if is_hexadecimal { &['p', 'P'] } else { &['e', 'E'] };
    let (number, tail) = text.split_at(text.find(marks).unwrap_or(text.len()));
    let wanted = match format {
        b'g' | b'G' | b'x' => precision.unwrap_or(6),
        _ => 0,
    };
    let significant = number
        .chars()
        .filter(|character| *character != '.')
        .skip_while(|character| *character == '0')
        .count();
    let mut shown = number.to_owned();
    let mut missing = wanted.saturating_sub(significant);
    if !number.contains('.') {
        if number == "0" {
            missing = missing.saturating_sub(1);
        }
        shown.push('.');
    }
    shown.extend(std::iter::repeat_n('0', missing));
    shown + tail
}
