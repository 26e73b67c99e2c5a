//! Format strings.

use super::printer::{Flags, Printer};
use crate::{Value, go::quote::decode_rune};

/// Go's limit for widths and precisions.
const SIZE_MAX: usize = 1_000_000;

/// The room that is made for an argument: most are parts of names.
const ARGUMENT_BYTES: usize = 16;

/// `fmt.Sprintf`: verbs, flags, widths, precisions, argument numbers, and Go's reports of what does not fit.
pub fn sprintf(format: &[u8], arguments: &[Value]) -> Vec<u8> {
    let mut state = State {
        format,
        position: 0,
        arguments,
        argument: 0,
        is_reordered: false,
        is_number_good: true,
    };
    let mut printer = Printer {
        out: Vec::with_capacity(format.len() + ARGUMENT_BYTES * arguments.len()),
        ..Printer::default()
    };
    while let Some(percent) = memchr::memchr(b'%', state.rest()) {
        printer
            .out
            .extend_from_slice(state.rest().get(..percent).unwrap_or_default());
        state.position += percent + 1;
        if state.verb(&mut printer).is_none() {
            break;
        }
    }
    printer.out.extend_from_slice(state.rest());
    state.report_extra(&mut printer);
    printer.out
}

struct State<'a> {
    format: &'a [u8],
    position: usize,
    arguments: &'a [Value],
    /// The next argument.
    argument: usize,
    /// Whether an argument was named by its number.
    is_reordered: bool,
    /// Whether the numbers of this verb make sense.
    is_number_good: bool,
}

impl<'a> State<'a> {
    fn rest(&self) -> &'a [u8] {
        self.format.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.format.get(self.position).copied()
    }

    fn accept(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.position += usize::from(is_next);
        is_next
    }

    /// What follows a `%`; none where the format ends in it.
    fn verb(&mut self, printer: &mut Printer) -> Option<()> {
        printer.flags = self.flags();
        self.is_number_good = true;
        let mut after_number = self.argument_number();
        if self.accept(b'*') {
            self.width_argument(printer);
            after_number = false;
        } else {
            printer.flags.width = self.number();
            if after_number && printer.flags.width.is_some() {
                self.is_number_good = false;
            }
        }
        // a dot at the very end is a verb
        if self.peek() == Some(b'.') && self.position + 1 < self.format.len() {
            self.position += 1;
            if after_number {
                self.is_number_good = false;
            }
            after_number = self.argument_number();
            if self.accept(b'*') {
                self.precision_argument(printer);
                after_number = false;
            } else {
                printer.flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !after_number {
            self.argument_number();
        }
        let Some((verb, size)) = decode_rune(self.rest()) else {
            printer.push("%!(NOVERB)");
            return None;
        };
        self.position += size;
        self.print(verb, printer);
        Some(())
    }

    fn print(&mut self, verb: char, printer: &mut Printer) {
        let argument = self.arguments.get(self.argument);
        match argument {
            _ if verb == '%' => printer.out.push(b'%'),
            _ if !self.is_number_good => report(verb, "BADINDEX", printer),
            None => report(verb, "MISSING", printer),
            Some(argument) => {
                if matches!(verb, 'v' | 'w') {
                    let flags = &mut printer.flags;
                    flags.sharp_v = std::mem::take(&mut flags.sharp);
                    flags.plus_v = std::mem::take(&mut flags.plus);
                }
                printer.argument(argument, verb);
                self.argument += 1;
            }
        }
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(byte) = self.peek() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.position += 1;
        }
        flags
    }

    /// Digits. A number that is too large ends the format.
    fn number(&mut self) -> Option<usize> {
        let mut number = None;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            let value = number.unwrap_or(0);
            if value > SIZE_MAX {
                self.position = self.format.len();
                return None;
            }
            number = Some(value * 10 + usize::from(byte - b'0'));
            self.position += 1;
        }
        number
    }

    /// `[3]`: the argument to take next. Whether there was one.
    fn argument_number(&mut self) -> bool {
        if self.peek() != Some(b'[') {
            return false;
        }
        self.is_reordered = true;
        let inner = self.rest().get(1..).unwrap_or_default();
        // Go wants at least one character between the brackets before it looks for the second
        let Some(end) = inner
            .iter()
            .position(|byte| *byte == b']')
            .filter(|_| inner.len() >= 2)
        else {
            self.position += 1;
            self.is_number_good = false;
            return false;
        };
        let text = inner
            .get(..end)
            .and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or_default();
        let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        self.position += end + 2;
        let number = text
            .parse::<usize>()
            .ok()
            .filter(|number| is_digits && *number <= 10 * SIZE_MAX + 9);
        match number {
            Some(number) if (1..=self.arguments.len()).contains(&number) => {
                self.argument = number - 1;
                true
            }
            number => {
                self.is_number_good = false;
                number.is_some()
            }
        }
    }

    /// The next argument as a size, if it is an integer of a sane size.
    fn size_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.argument)?;
        self.argument += 1;
        let limit = i64::try_from(SIZE_MAX).unwrap_or(i64::MAX);
        match argument {
            Value::Int(_, value) => Some(*value),
            Value::Uint(_, value) => i64::try_from(*value).ok(),
            _ => None,
        }
        .filter(|value| (-limit..=limit).contains(value))
    }

    fn width_argument(&mut self, printer: &mut Printer) {
        let size = self.size_argument();
        if size.is_none() {
            printer.push("%!(BADWIDTH)");
        }
        if size.is_some_and(|size| size < 0) {
            printer.flags.minus = true;
            printer.flags.zero = false;
        }
        printer.flags.width = size.and_then(|size| usize::try_from(size.unsigned_abs()).ok());
    }

    fn precision_argument(&mut self, printer: &mut Printer) {
        let size = self.size_argument().and_then(|size| usize::try_from(size).ok());
        if size.is_none() {
            printer.push("%!(BADPREC)");
        }
        printer.flags.precision = size;
    }

    /// Arguments that no verb took.
    fn report_extra(&self, printer: &mut Printer) {
        let extra = self.arguments.get(self.argument..).unwrap_or_default();
        if self.is_reordered || extra.is_empty() {
            return;
        }
        printer.flags = Flags::default();
        printer.push("%!(EXTRA ");
        for (index, argument) in extra.iter().enumerate() {
            if index > 0 {
                printer.push(", ");
            }
            if !argument.is_nil() {
                printer.push(&argument.type_name());
                printer.out.push(b'=');
            }
            printer.argument(argument, 'v');
        }
        printer.out.push(b')');
    }
}

fn report(verb: char, what: &str, printer: &mut Printer) {
    printer.push("%!");
    printer.push_char(verb);
    printer.push("(");
    printer.push(what);
    printer.push(")");
}
