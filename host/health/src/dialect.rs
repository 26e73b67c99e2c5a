//! Where cel-go answers otherwise than the CEL crate: the calls that are put in place of the crate's, and what cel-go
//! refuses before it looks at an object.

use crate::issue::Issues;
use cel::common::ast::{
    CallExpr, ComprehensionExpr, EntryExpr, Expr, IdedExpr, ListExpr, LiteralValue, SourceInfo,
};
use cel::common::types::{CelBool, CelDouble, CelInt, CelOptional, CelString, DYN_TYPE, Kind, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{Context, DeclarationError, Env, ExecutionError, Value};
use sluice_regexp::translate;
use std::sync::LazyLock;

type Arguments<'b, 'v> = Vec<CowVal<'b, 'v>>;
type Answer<'b, 'v> = Result<CowVal<'b, 'v>, ExecutionError>;

/// The largest program of one pattern, in bytes.
const PROGRAM_SIZE_MAX: usize = 10 << 20;

/// What is called in the place of which function with so many arguments, the target among them. No expression can name it.
const INSTEAD: [(&str, usize, &str); 9] = [
    ("bool", 1, "@bool"),
    ("duration", 1, "@duration"),
    ("indexOf", 3, "@indexOf"),
    ("lastIndexOf", 3, "@lastIndexOf"),
    ("matches", 2, "@matches"),
    ("string", 1, "@string"),
    ("timestamp", 1, "@timestamp"),
    ("uint", 1, "@uint"),
    ("@in", 2, "@within"),
];
/// Functions that are called on nothing; in cel-go `x.int()` is `int(x)`.
const GLOBAL: [&str; 10] = [
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "int",
    "string",
    "timestamp",
    "type",
    "uint",
];
/// Functions that are called on a value; in cel-go `contains(x, y)` is `x.contains(y)`.
const MEMBER: [&str; 3] = ["contains", "endsWith", "startsWith"];
/// Functions that make one type of another. cel-go calls them early where what they get is written in the expression.
const CONVERSIONS: [&str; 12] = [
    "@bool",
    "@duration",
    "@string",
    "@timestamp",
    "@uint",
    "bool",
    "bytes",
    "double",
    "dyn",
    "int",
    "string",
    "timestamp",
];

/// The standard functions, which the ones here fall back on.
static STANDARD: LazyLock<Env> = LazyLock::new(Env::stdlib);

/// Adds the functions of this file.
pub(crate) fn extension(env: &mut Env) -> Result<(), DeclarationError> {
    // the last entry for a key counts
    env.set_error_on_duplicate_map_keys(false);
    env.add_overload("@bool", "go_bool", vec![DYN_TYPE], to_bool)?;
    env.add_overload("@duration", "go_duration", vec![DYN_TYPE], to_duration)?;
    env.add_overload("@has", "go_has", vec![DYN_TYPE, STRING_TYPE], has)?;
    env.add_overload("@string", "go_string", vec![DYN_TYPE], to_string)?;
    env.add_overload("@timestamp", "go_timestamp", vec![DYN_TYPE], to_timestamp)?;
    env.add_overload("@uint", "go_uint", vec![DYN_TYPE], to_uint)?;
    env.add_overload("@within", "go_in", vec![DYN_TYPE, DYN_TYPE], within)?;
    let three = || vec![DYN_TYPE, DYN_TYPE, DYN_TYPE];
    env.add_overload("@indexOf", "go_index_of", three(), index_of)?;
    env.add_overload("@lastIndexOf", "go_last_index_of", three(), last_index_of)?;
    env.add_overload("@matches", "go_matches", vec![DYN_TYPE, DYN_TYPE], matches)?;
    env.add_overload("@isThere", "go_is_there", vec![DYN_TYPE], is_there)?;
    env.add_overload("@inner", "go_inner", vec![DYN_TYPE], inner)
}

/// Puts the calls of this file into an expression.
pub(crate) fn adapt(expr: &mut IdedExpr) {
    match &mut expr.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Select(select) => {
            adapt(&mut select.operand);
            if select.test && !is_optional(&select.operand) {
                let field = LiteralValue::String(CelString::from(select.field.clone()));
                let field = IdedExpr {
                    id: expr.id,
                    expr: Expr::Literal(field),
                };
                expr.expr = Expr::Call(CallExpr {
                    func_name: "@has".to_owned(),
                    target: None,
                    args: vec![std::mem::take(&mut *select.operand), field],
                });
            }
        }
        Expr::Call(call) => {
            call.target.iter_mut().for_each(|target| adapt(target));
            call.args.iter_mut().for_each(adapt);
            match (
                call.func_name.as_str(),
                call.target.take(),
                call.args.as_mut_slice(),
            ) {
                (name @ ("or" | "orValue"), Some(target), [other]) => {
                    let is_inner = name == "orValue";
                    expr.expr = or(expr.id, *target, std::mem::take(other), is_inner);
                }
                (_, target, _) => {
                    call.target = target;
                    rename(call);
                }
            }
        }
        Expr::List(list) => list.elements.iter_mut().for_each(adapt),
        Expr::Map(map) => map
            .entries
            .iter_mut()
            .for_each(|entry| adapt_entry(&mut entry.expr)),
        Expr::Struct(fields) => fields
            .entries
            .iter_mut()
            .for_each(|entry| adapt_entry(&mut entry.expr)),
        Expr::Comprehension(comprehension) => {
            adapt(&mut comprehension.iter_range);
            adapt(&mut comprehension.accu_init);
            adapt(&mut comprehension.loop_cond);
            adapt(&mut comprehension.loop_step);
            adapt(&mut comprehension.result);
        }
    }
}

fn adapt_entry(entry: &mut EntryExpr) {
    match entry {
        EntryExpr::StructField(field) => adapt(&mut field.value),
        EntryExpr::MapEntry(entry) => {
            adapt(&mut entry.key);
            adapt(&mut entry.value);
        }
    }
}

fn rename(call: &mut CallExpr) {
    let name = call.func_name.as_str();
    let parts = call.args.len() + usize::from(call.target.is_some());
    let own = INSTEAD
        .iter()
        .find(|(of, count, _)| *of == name && *count == parts)
        .map(|(_, _, own)| (*own).to_owned());
    if own.is_some() || GLOBAL.contains(&name) {
        call.args.splice(0..0, call.target.take().map(|target| *target));
    } else if MEMBER.contains(&name) && call.target.is_none() && parts == 2 {
        call.target = Some(Box::new(call.args.remove(0)));
    }
    if let Some(own) = own {
        call.func_name = own;
    }
}

/// `target.or(other)`, or `orValue`, that looks at `other` only where it is needed.
fn or(id: u64, target: IdedExpr, other: IdedExpr, is_inner: bool) -> Expr {
    let part = |expr: Expr| IdedExpr { id, expr };
    let name = "@optional";
    let it = || part(Expr::Ident(name.to_owned()));
    let call = |name: &str, args: Vec<IdedExpr>| {
        Expr::Call(CallExpr {
            func_name: name.to_owned(),
            target: None,
            args,
        })
    };
    let is_there = part(call("@isThere", vec![it()]));
    let there = if is_inner {
        part(call("@inner", vec![it()]))
    } else {
        it()
    };
    // a loop of no rounds gives its first value a name
    Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: part(Expr::List(ListExpr::default())),
        iter_var: "@none".to_owned(),
        iter_var2: None,
        accu_var: name.to_owned(),
        accu_init: target,
        loop_cond: part(Expr::Literal(LiteralValue::Boolean(CelBool::from(false)))),
        loop_step: it(),
        result: part(call("_?_:_", vec![is_there, there, other])),
    }))
}

/// Whether its value is an optional one, as far as it is written.
fn is_optional(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Select(select) => is_optional(&select.operand),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            ("_?._" | "_[?_]", _) => true,
            ("_[_]", [of, _]) => is_optional(of),
            ("@has", _) => false,
            _ => call.target.is_some(),
        },
        Expr::Comprehension(_) => true,
        _ => false,
    }
}

/// What cannot be done with any object: it is told when the expression is read.
pub(crate) fn refused(expr: &IdedExpr, text: &str, places: &SourceInfo, env: &Context<'_, '_>) -> Issues {
    let mut issues = Issues::default();
    crate::free::each(expr, &mut |part| {
        let message = match &part.expr {
            Expr::Struct(new) if new.type_name.starts_with("google.protobuf.") => {
                "messages cannot be made: write the value itself, or call timestamp or duration".to_owned()
            }
            Expr::Struct(new) => format!("unknown type: {}", new.type_name),
            Expr::Call(call) => match refused_call(part, call, env) {
                Some(message) => message,
                None => return,
            },
            _ => return,
        };
        issues.add(text, places.offset_for(part.id).unwrap_or_default().0, message);
    });
    issues
}

fn refused_call(expr: &IdedExpr, call: &CallExpr, env: &Context<'_, '_>) -> Option<String> {
    match (call.func_name.as_str(), &call.target, call.args.as_slice()) {
        (name, None, []) => Some(format!("no such overload: {name}()")),
        ("@matches", _, [_, pattern]) => match &pattern.expr {
            Expr::Literal(LiteralValue::String(pattern)) => {
                let pattern = pattern.inner();
                let made = translate(pattern).and_then(|read| match may_be_large(pattern) {
                    true => Ok(()), // what may be large is not made in vain
                    false => read.compile(PROGRAM_SIZE_MAX).map(drop),
                });
                made.err().map(|error| no_pattern(&error))
            }
            _ => None,
        },
        (name, None, [argument]) if CONVERSIONS.contains(&name) && is_constant(argument) => {
            let error = Value::resolve(expr, env).err()?;
            let told = crate::words::of(expr, env, error);
            Some(match name {
                "@duration" => format!("{told}; write it as '1h30m' or '10s'"),
                "@timestamp" => format!("{told}; write it as '2006-01-02T15:04:05Z'"),
                _ => told,
            })
        }
        _ => None,
    }
}

/// Whether it is written out, or made of what is.
fn is_constant(expr: &IdedExpr) -> bool {
    match &expr.expr {
        Expr::Literal(_) => true,
        Expr::List(list) => list.elements.iter().all(is_constant),
        Expr::Map(map) => map.entries.iter().all(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => is_constant(&entry.key) && is_constant(&entry.value),
            EntryExpr::StructField(_) => false,
        }),
        Expr::Call(call) => {
            CONVERSIONS.contains(&call.func_name.as_str())
                && call.args.len() == 1
                && call.args.iter().all(is_constant)
        }
        _ => false,
    }
}

/// The standard function of this name.
fn standard<'b, 'v>(name: &str, arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    match STANDARD.find_overload(name, &arguments) {
        Some(function) => function(arguments),
        None => Err(unfit(name, &arguments)),
    }
}

fn unfit(name: &str, arguments: &Arguments<'_, '_>) -> ExecutionError {
    let types = arguments
        .iter()
        .map(|argument| argument.get_type().name().to_owned());
    ExecutionError::no_such_overload(name, types.collect())
}

fn text<'a>(arguments: &'a Arguments<'_, '_>, nth: usize) -> Option<&'a str> {
    let argument = arguments.get(nth)?.downcast_ref::<CelString<'_>>()?;
    Some(argument.inner())
}

fn with_text<'b, 'v>(name: &str, text: String) -> Answer<'b, 'v> {
    standard(name, vec![CowVal::owned(CelString::from(text))])
}

fn optional<'a, 'v>(arguments: &'a Arguments<'_, 'v>) -> Option<&'a CelOptional<'v>> {
    arguments.first()?.downcast_ref::<CelOptional<'v>>()
}

/// What is no optional value is there.
fn is_there<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let is_there = optional(&arguments).is_none_or(|optional| optional.option().is_some());
    Ok(CowVal::owned(CelBool::from(is_there)))
}

fn inner<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    if let Some(value) = optional(&arguments).and_then(CelOptional::option) {
        return Ok(CowVal::Owned(value.clone_as_boxed()));
    }
    let mut arguments = arguments.into_iter();
    arguments
        .next()
        .ok_or_else(|| ExecutionError::invalid_argument_count(1, 0))
}

/// What is no map has no fields, as far as `has` is asked. The crate calls that an error.
fn has<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let [of, field] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let has = match (of.get_type().kind(), of.as_container()) {
        (Kind::Map, Some(map)) => map.contains(field.as_ref())?,
        _ if of.as_indexer().is_none() => false,
        _ => return Err(unfit("_._", &arguments)),
    };
    Ok(CowVal::owned(CelBool::from(has)))
}

/// What cannot be a key is in no map. The crate calls that an error.
fn within<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let [item, of] = arguments.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(2, arguments.len()));
    };
    let Some(container) = of.as_container() else {
        return Err(unfit("@in", &arguments));
    };
    let is_in = match container.contains(item.as_ref()) {
        Err(_) if of.get_type().kind() == Kind::Map => false,
        result => result?,
    };
    Ok(CowVal::owned(CelBool::from(is_in)))
}

fn to_bool<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    match text(&arguments, 0) {
        Some("T") => Ok(CowVal::owned(CelBool::from(true))),
        Some("F") => Ok(CowVal::owned(CelBool::from(false))),
        _ => standard("bool", arguments),
    }
}

fn to_uint<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    match text(&arguments, 0) {
        Some(text) if text.starts_with('+') => Err(ExecutionError::function_error(
            "uint",
            "a sign before what has none",
        )),
        _ => standard("uint", arguments),
    }
}

/// Both signs for a millionth are read.
fn to_duration<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    match text(&arguments, 0) {
        Some(text) if text.contains(['\u{b5}', '\u{3bc}']) => {
            let text = text.replace(['\u{b5}', '\u{3bc}'], "u");
            with_text("duration", text)
        }
        _ => standard("duration", arguments),
    }
}

/// RFC 3339 as Go reads it: in capitals, with no leap second, and with a comma if need be.
fn to_timestamp<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let Some(text) = text(&arguments, 0) else {
        return standard("timestamp", arguments);
    };
    if text.contains(['t', 'z', ' ']) || text.get(17..19) == Some("60") {
        return Err(ExecutionError::function_error(
            "timestamp",
            "not as RFC 3339 has it",
        ));
    }
    let is_utc = text.ends_with('Z');
    let timestamp = with_text("timestamp", text.replace(',', "."))?;
    if is_utc {
        return Ok(timestamp);
    }
    // its hours are told in UTC, as its text is
    let text = standard("string", vec![timestamp])?;
    standard("timestamp", vec![text])
}

fn to_string<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let double = arguments
        .first()
        .and_then(|argument| argument.downcast_ref::<CelDouble>());
    match double.map(|double| go_double(*double.inner())) {
        Some(text) => Ok(CowVal::owned(CelString::from(text))),
        None => standard("string", arguments),
    }
}

/// As Go prints a double: with an exponent from a million on, and below a ten thousandth.
fn go_double(double: f64) -> String {
    if double.is_nan() {
        return "NaN".to_owned();
    }
    if double.is_infinite() {
        return if double > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{double:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        _ => double.to_string(),
    }
}

fn index_of<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    from("indexOf", arguments, |chars, part, start| {
        let starts = start..(chars.len() + 1).saturating_sub(part.len());
        starts.into_iter().find(|start| is_at(chars, part, *start))
    })
}

fn last_index_of<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    from("lastIndexOf", arguments, |chars, part, start| {
        let last = chars.len().checked_sub(part.len())?.min(start);
        (0..=last).rev().find(|start| is_at(chars, part, *start))
    })
}

fn is_at(chars: &[char], part: &[char], start: usize) -> bool {
    chars.get(start..start + part.len()) == Some(part)
}

/// Where `find` finds one text in another from a place on: nowhere behind its end, which the crate calls an error.
fn from<'b, 'v>(
    name: &str,
    arguments: Arguments<'b, 'v>,
    find: impl Fn(&[char], &[char], usize) -> Option<usize>,
) -> Answer<'b, 'v> {
    let start = arguments
        .get(2)
        .and_then(|argument| argument.downcast_ref::<CelInt>());
    let (Some(of), Some(part), Some(start)) = (text(&arguments, 0), text(&arguments, 1), start) else {
        return Err(unfit(name, &arguments));
    };
    let start = *start.inner();
    let Ok(first) = usize::try_from(start) else {
        return Err(ExecutionError::function_error(
            name,
            format!("index out of range: {start}"),
        ));
    };
    let (chars, part): (Vec<char>, Vec<char>) = (of.chars().collect(), part.chars().collect());
    let found = match part.is_empty() {
        true => Some(first),
        false if first >= chars.len() => None,
        false => find(&chars, &part, first),
    };
    let found = found.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1);
    Ok(CowVal::owned(CelInt::from(found)))
}

/// Patterns are written as in Go.
fn matches<'b, 'v>(arguments: Arguments<'b, 'v>) -> Answer<'b, 'v> {
    let (Some(of), Some(pattern)) = (text(&arguments, 0), text(&arguments, 1)) else {
        return Err(unfit("matches", &arguments));
    };
    let regex = translate(pattern)
        .and_then(|read| read.compile(PROGRAM_SIZE_MAX))
        .map_err(|error| ExecutionError::function_error("matches", no_pattern(&error)))?;
    Ok(CowVal::owned(CelBool::from(regex.is_match(of))))
}

/// Whether the pattern may be large although it is short: it counts, or has a class of Unicode.
fn may_be_large(pattern: &str) -> bool {
    ["{", "\\p", "\\P"].iter().any(|sign| pattern.contains(sign))
}

fn no_pattern(error: &sluice_regexp::Error) -> String {
    match error.remedy() {
        Some(remedy) => format!("{error}; {remedy}"),
        None => error.to_string(),
    }
}
