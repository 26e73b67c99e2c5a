//! Values and numbers as text: Go's `fmt` and `strconv`.

mod float;
mod printer;
mod printf;

use crate::{Value, value::IntType};

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
        Value::Str(text) => out.extend_from_slice(text.as_bytes()),
        // without flags there is nothing to a number but its digits
        Value::Float(number) => out.extend_from_slice(float(*number).as_bytes()),
        Value::Int(IntType::Int | IntType::Int32 | IntType::Int64, number) => {
            out.extend_from_slice(number.to_string().as_bytes());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_the_printer_prints_them() {
        let floats = [
            0.0,
            -0.0,
            1.0,
            -80.0,
            1e6,
            1.5,
            -1e-7,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
        ];
        let ints = [0, 1, -1, i64::MIN, i64::MAX];
        let types = [
            IntType::Int,
            IntType::Int32,
            IntType::Int64,
            IntType::Duration,
            IntType::Month,
        ];
        let ints = types
            .into_iter()
            .flat_map(|int_type| ints.map(|int| Value::Int(int_type, int)));
        for value in floats.into_iter().map(Value::Float).chain(ints) {
            let mut printer = Printer::default();
            printer.argument(&value, 'v');
            assert_eq!(text(&value), printer.out, "{value:?}");
        }
    }
}
