//! Values and numbers as text: Go's `fmt` and `strconv`.

mod float;
mod printer;
mod printf;

use crate::{Value, value::append};

pub use float::{float, float_with};
pub use printf::sprintf;

use printer::Printer;

/// `fmt.Sprint`: spaces only between arguments that are both no strings.
pub fn sprint(arguments: &[Value]) -> Vec<u8> {
    let mut printer = Printer::default();
    let mut was_string = true;
    for argument in arguments {
        let is_string = matches!(argument, Value::Str(_));
        if !is_string && !was_string {
            printer.out.push(b' ');
        }
        printer.argument(argument, 'v');
        was_string = is_string;
    }
    printer.out
}

/// `fmt.Sprintln`: spaces between all arguments, and a newline.
pub fn sprintln(arguments: &[Value]) -> Vec<u8> {
    let mut printer = Printer::default();
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            printer.out.push(b' ');
        }
        printer.argument(argument, 'v');
    }
    printer.out.push(b'\n');
    printer.out
}

/// One value as `%v` prints it.
pub fn text(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(value, &mut out);
    out
}

/// One value as `%v` prints it, or what it points at.
pub fn pointee(value: &Value) -> Vec<u8> {
    let text = text(value);
    match (value, text.strip_prefix(b"&")) {
        (Value::Object(_), Some(pointee)) => pointee.to_vec(),
        _ => text,
    }
}

/// Adds one value as `%v` prints it.
pub fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Str(text) => append(out, text.as_bytes()),
        value => {
            let mut printer = Printer {
                out: std::mem::take(out),
                ..Printer::default()
            };
            printer.argument(value, 'v');
            *out = printer.out;
        }
    }
}
