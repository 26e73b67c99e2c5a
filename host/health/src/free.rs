//! Which variables an expression reads from outside.

use cel::common::ast::{EntryExpr, Expr, LiteralValue};
use cel::{Context, IdedExpr, Value};
use std::ops::ControlFlow;

/// Names that are no variables although they are read as such: types, and what functions are called on.
const NAMES: &[&str] = &[
    "base64",
    "bool",
    "bytes",
    "double",
    "duration",
    "dyn",
    "google",
    "int",
    "list",
    "map",
    "null_type",
    "optional",
    "optional_type",
    "sets",
    "string",
    "strings",
    "timestamp",
    "type",
    "uint",
];

/// Flux's functions: the standard ones, and those of its libraries of strings, sets, encoders and optional values.
const FUNCTIONS: &[&str] = &[
    "base64.decode",
    "base64.encode",
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "first",
    "format",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "hasValue",
    "indexOf",
    "int",
    "join",
    "last",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "optional.none",
    "optional.of",
    "optional.ofNonZeroValue",
    "optional.unwrap",
    "or",
    "orValue",
    "replace",
    "reverse",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "size",
    "split",
    "startsWith",
    "string",
    "strings.quote",
    "substring",
    "timestamp",
    "trim",
    "type",
    "uint",
    "unwrapOpt",
    "upperAscii",
    "value",
];

/// The variables besides `known` that `expr` reads and does not bind itself, and the functions it calls that are none of
/// Flux's, in the order of reading, with where they are.
pub(crate) fn unknown<'e>(expr: &'e IdedExpr, known: &[&str]) -> Vec<(&'e str, u64)> {
    let mut all = Vec::new();
    let _: ControlFlow<()> = walk(expr, &mut Vec::new(), &mut |part, bound| {
        match &part.expr {
            Expr::Ident(name) if is_variable(name, bound) && !known.contains(&name.as_str()) => {
                all.push((name.as_str(), part.id));
            }
            Expr::Call(call) if call.func_name.starts_with(|char: char| char.is_alphabetic()) => {
                let name = call.func_name.as_str();
                // functions of a library are read as calls on its name
                let is_in_library = matches!(call.target.as_deref(), Some(IdedExpr { expr: Expr::Ident(library), .. })
                    if FUNCTIONS.contains(&format!("{library}.{name}").as_str()));
                if !is_in_library && !FUNCTIONS.contains(&name) {
                    all.push((name, part.id));
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    all
}

/// Shows every part of an expression.
pub(crate) fn each<'e>(expr: &'e IdedExpr, show: &mut dyn FnMut(&'e IdedExpr)) {
    let _: ControlFlow<()> = walk(expr, &mut Vec::new(), &mut |part, _| {
        show(part);
        ControlFlow::Continue(())
    });
}

/// How the variable `name` is first read, as far down as the fields have names: `status.conditions`.
pub(crate) fn path(expr: &IdedExpr, name: &str) -> Option<String> {
    let found = walk(expr, &mut Vec::new(), &mut |part, bound| match spell(part) {
        Some(spelled) if spelled.root == name && is_variable(name, bound) => ControlFlow::Break(spelled.path),
        _ => ControlFlow::Continue(()),
    });
    found.break_value()
}

/// The first field that is asked of a value that has none: a text, a number, nothing. Of what a loop looks at, the only one.
pub(crate) fn bare_field(expr: &IdedExpr, context: &Context<'_, '_>) -> Option<String> {
    let mut of_loops: Vec<&str> = Vec::new();
    let found = walk(expr, &mut Vec::new(), &mut |part, bound| {
        let is_bare = |of| Value::resolve_val(of, context).is_ok_and(|value| value.as_indexer().is_none());
        match &part.expr {
            Expr::Select(select) => match spell(part) {
                Some(spelled) if !is_variable(spelled.root, bound) => of_loops.push(&select.field),
                _ if is_bare(&select.operand) => return ControlFlow::Break(select.field.clone()),
                _ => {}
            },
            Expr::Call(call) => {
                if let ("_[_]", [of, index]) = (call.func_name.as_str(), call.args.as_slice())
                    && bound.is_empty()
                    && is_bare(of)
                    && let Some(key) = key(index, context)
                {
                    return ControlFlow::Break(key);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    of_loops.sort_unstable();
    of_loops.dedup();
    found.break_value().or_else(|| match of_loops.as_slice() {
        [only] => Some((*only).to_owned()),
        _ => None,
    })
}

/// A key as it is told.
fn key(index: &IdedExpr, context: &Context<'_, '_>) -> Option<String> {
    match Value::resolve(index, context).ok()? {
        Value::String(name) => Some(name.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// Whether what a function is called on is the name of its library.
pub(crate) fn is_library(expr: &IdedExpr) -> bool {
    matches!(&expr.expr, Expr::Ident(name) if NAMES.contains(&name.as_str()))
}

/// Whether it is a field of a variable, however it is read.
pub(crate) fn is_path(expr: &IdedExpr) -> bool {
    spell(expr).is_some()
}

/// Whether it is an operator, or a function of Flux.
pub(crate) fn is_function(name: &str) -> bool {
    !name.starts_with(|char: char| char.is_alphabetic()) || FUNCTIONS.contains(&name)
}

fn is_variable(name: &str, bound: &[&str]) -> bool {
    !name.starts_with('@') && !bound.contains(&name) && !NAMES.contains(&name)
}

/// A variable and the fields that are read of it.
struct Spelled<'e> {
    root: &'e str,
    path: String,
    /// Whether an index that is no name came in between: what follows is not told.
    is_cut: bool,
}

fn spell(expr: &IdedExpr) -> Option<Spelled<'_>> {
    let (of, field) = match &expr.expr {
        Expr::Ident(name) => {
            return Some(Spelled {
                root: name,
                path: name.clone(),
                is_cut: false,
            });
        }
        Expr::Select(select) => (&*select.operand, Some(select.field.as_str())),
        Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
            ("_[_]" | "_[?_]" | "_?._" | "@has", [of, index]) => match &index.expr {
                Expr::Literal(LiteralValue::String(name)) => (of, Some(name.inner())),
                _ => (of, None),
            },
            _ => return None,
        },
        _ => return None,
    };
    let mut spelled = spell(of)?;
    match field {
        Some(field) if !spelled.is_cut => {
            spelled.path.push('.');
            spelled.path.push_str(field);
        }
        _ => spelled.is_cut = true,
    }
    Some(spelled)
}

type Visit<'v, 'e, T> = &'v mut dyn FnMut(&'e IdedExpr, &[&'e str]) -> ControlFlow<T>;

/// Shows every part with the names that are bound there, outer parts before inner ones.
fn walk<'e, T>(expr: &'e IdedExpr, bound: &mut Vec<&'e str>, visit: Visit<'_, 'e, T>) -> ControlFlow<T> {
    visit(expr, bound)?;
    match &expr.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
        Expr::Select(select) => walk(&select.operand, bound, visit)?,
        Expr::Call(call) => {
            for part in call.target.iter().map(|target| &**target).chain(&call.args) {
                walk(part, bound, visit)?;
            }
        }
        Expr::List(list) => {
            for element in &list.elements {
                walk(element, bound, visit)?;
            }
        }
        Expr::Map(map) => {
            for entry in &map.entries {
                of_entry(&entry.expr, bound, visit)?;
            }
        }
        Expr::Struct(fields) => {
            for entry in &fields.entries {
                of_entry(&entry.expr, bound, visit)?;
            }
        }
        Expr::Comprehension(comprehension) => {
            walk(&comprehension.iter_range, bound, visit)?;
            walk(&comprehension.accu_init, bound, visit)?;
            let before = bound.len();
            bound.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
            bound.extend(comprehension.iter_var2.as_deref());
            for part in [
                &comprehension.loop_cond,
                &comprehension.loop_step,
                &comprehension.result,
            ] {
                walk(part, bound, visit)?;
            }
            bound.truncate(before);
        }
    }
    ControlFlow::Continue(())
}

fn of_entry<'e, T>(
    entry: &'e EntryExpr,
    bound: &mut Vec<&'e str>,
    visit: Visit<'_, 'e, T>,
) -> ControlFlow<T> {
    match entry {
        EntryExpr::StructField(field) => walk(&field.value, bound, visit),
        EntryExpr::MapEntry(entry) => {
            walk(&entry.key, bound, visit)?;
            walk(&entry.value, bound, visit)
        }
    }
}
