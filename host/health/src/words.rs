//! Why an expression has no answer, in cel-go's words. The CEL crate's own print whole values, of Secrets among them.

use crate::free;
use cel::common::ast::Expr;
use cel::common::types::Kind;
use cel::{Context, ExecutionError, IdedExpr, OverloadError, Value};

/// Functions that cel-go does not name when they get what they do not take.
const UNNAMED: [&str; 4] = ["contains", "endsWith", "matches", "startsWith"];
/// Functions that read a text as another type.
const CONVERSIONS: [(&str, &str); 6] = [
    ("bool", "bool"),
    ("double", "double"),
    ("duration", "google.protobuf.Duration"),
    ("int", "int"),
    ("timestamp", "google.protobuf.Timestamp"),
    ("uint", "uint"),
];

/// Types that have no order.
const UNORDERED: [&str; 4] = ["list", "map", "null_type", "type"];

/// What is said of an error of `expr`.
pub(crate) fn of(expr: &IdedExpr, context: &Context<'_, '_>, error: ExecutionError) -> String {
    let (expr, error) = first(expr, context, error, LEVELS_MAX);
    match &error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::UndeclaredReference(name) => match free::path(expr, name) {
            Some(path) => format!("no such attribute(s): {}", path.trim_start_matches('.')),
            None => of_unknown(expr, context),
        },
        ExecutionError::IndexOutOfBounds(Value::Int(index)) => format!("index out of bounds: {index}"),
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(_, Value::UInt(_), _) => "unsigned integer overflow".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        ExecutionError::FunctionError { function, message } => of_function(function, message),
        ExecutionError::NoSuchOverload(overload) => of_overload(expr, context, overload),
        ExecutionError::UnsupportedBinaryOperator(name, left, _) => of_arithmetic(name, left),
        ExecutionError::UnexpectedType { got, want } if want == "iterable" => {
            format!("got '{}', expected iterable type", go_type(got))
        }
        // which types do not fit is seen in the expression
        _ => of_unknown(expr, context),
    }
}

/// How deep conditions within conditions are looked through: each level is evaluated once more.
const LEVELS_MAX: usize = 8;

/// The part that fails first when they are looked at from left to right, as cel-go does, and its error.
fn first<'e>(
    expr: &'e IdedExpr,
    context: &Context<'_, '_>,
    error: ExecutionError,
    levels: usize,
) -> (&'e IdedExpr, ExecutionError) {
    let (Expr::Call(call), Some(levels)) = (&expr.expr, levels.checked_sub(1)) else {
        return (expr, error);
    };
    // it is told how the variable is read, not only its name
    if free::is_path(expr) {
        return (expr, error);
    }
    let name = call.func_name.as_str();
    let parts = match (name, call.args.as_slice()) {
        ("_?_:_", [condition, yes, no]) => match Value::resolve(condition, context) {
            Ok(Value::Bool(true)) => vec![yes],
            Ok(Value::Bool(false)) => vec![no],
            _ => vec![condition],
        },
        _ => {
            let target = call.target.iter().map(|target| &**target);
            let target = target.filter(|target| !free::is_library(target));
            target.chain(&call.args).collect()
        }
    };
    for part in parts {
        match Value::resolve_val(part, context) {
            Err(error) => return first(part, context, error, levels),
            // the other side is not asked then
            Ok(value) if matches!(name, "_&&_" | "_||_") && value.get_type().kind() != Kind::Boolean => {
                return (expr, ExecutionError::no_such_overload(name, Vec::new()));
            }
            Ok(_) => {}
        }
    }
    (expr, error)
}

/// What is said of a call that no function is there for: cel-go names it, but on values with functions of their own.
fn of_unknown(expr: &IdedExpr, context: &Context<'_, '_>) -> String {
    if let Expr::Call(call) = &expr.expr
        && !free::is_function(&call.func_name)
        && let Some(of) = call.target.as_deref().or_else(|| call.args.first())
        && let Ok(value) = Value::resolve(of, context)
        && !has_functions(&value)
    {
        return format!("no such overload: {}", call.func_name);
    }
    "no such overload".to_owned()
}

fn has_functions(value: &Value) -> bool {
    !matches!(
        value,
        Value::Bool(_)
            | Value::Bytes(_)
            | Value::Float(_)
            | Value::Int(_)
            | Value::List(_)
            | Value::Map(_)
            | Value::Null
            | Value::UInt(_)
    )
}

/// How the type is called in cel-go's own code.
fn go_type(name: &str) -> &str {
    match name {
        "bool" => "types.Bool",
        "double" => "types.Double",
        "int" => "types.Int",
        "null_type" => "types.Null",
        "string" => "types.String",
        name => name,
    }
}

fn of_function(function: &str, message: &str) -> String {
    if let Some((_, place)) = message.split_once(", offset ") {
        return format!(
            "illegal base64 data at input byte {}",
            place.trim_end_matches('.')
        );
    }
    let is_range = ["overflow", "range"].iter().any(|word| message.contains(word));
    let conversion = CONVERSIONS
        .iter()
        .find(|(name, _)| *name == function && !is_range);
    match conversion {
        Some((_, type_)) => format!("type conversion error from 'string' to '{type_}'"),
        None => message.chars().take(200).collect(),
    }
}

/// cel-go names an operator that the value on the left has not, but for values with functions of their own.
fn of_arithmetic(name: &str, left: &Value) -> String {
    let (operator, is_known) = match name {
        "add" => ("_+_", matches!(left, Value::Bytes(_) | Value::List(_))),
        "sub" => ("_-_", false),
        "mul" => ("_*_", false),
        "div" => ("_/_", false),
        "rem" => ("_%_", false),
        _ => return "no such overload".to_owned(),
    };
    let is_number = match left {
        Value::Int(_) | Value::UInt(_) => true,
        Value::Float(_) => name != "rem",
        _ => false,
    };
    match is_known || is_number || has_functions(left) {
        true => "no such overload".to_owned(),
        false => format!("no such overload: {operator}"),
    }
}

fn of_overload(expr: &IdedExpr, context: &Context<'_, '_>, overload: &OverloadError) -> String {
    let types = overload.argument_types();
    match (overload.function(), types) {
        ("_._" | "_[_]", [list, index]) if list == "list" => {
            format!("unsupported index type '{index}' in list")
        }
        // a field of what has none
        ("_._" | "_[_]", _) => match free::bare_field(expr, context) {
            Some(field) => format!("no such key: {field}"),
            None => "no such overload".to_owned(),
        },
        (operator @ ("_<_" | "_<=_" | "_>_" | "_>=_"), [left, _]) if UNORDERED.contains(&left.as_str()) => {
            format!("no such overload: {operator}")
        }
        ("size", _) => "no such overload: size".to_owned(),
        (name, _) if name.starts_with(|char: char| char.is_ascii_lowercase()) && !UNNAMED.contains(&name) => {
            format!("no such overload: {name}({})", types.join(", "))
        }
        _ => "no such overload".to_owned(),
    }
}
