//! What evaluating an expression may cost at most. CEL always ends, but loops in loops over a large object may take days.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr, LiteralValue};

/// Steps that one evaluation may take: seconds at the worst. Checks of conditions take hundreds.
pub(crate) const STEPS_MAX: f64 = 2e7;

/// Operators whose value is no list, map or text.
const SCALAR: &[&str] = &[
    "!_",
    "-_",
    "@in",
    "_!=_",
    "_%_",
    "_&&_",
    "_*_",
    "_-_",
    "_/_",
    "_<=_",
    "_<_",
    "_==_",
    "_>=_",
    "_>_",
    "_||_",
    "size",
    "@not_strictly_false",
];

/// An estimate from above.
#[derive(Clone, Copy)]
struct Cost {
    /// Steps to evaluate it.
    steps: f64,
    /// Items of the value, should somebody walk it.
    size: f64,
}

/// The steps an expression takes when no list, map or text of its variables has more than `size` items or characters.
pub(crate) fn steps(expr: &IdedExpr, size: usize) -> f64 {
    #[allow(clippy::cast_precision_loss)] // an estimate
    estimate(expr, size.max(1) as f64).steps
}

fn estimate(expr: &IdedExpr, size: f64) -> Cost {
    match &expr.expr {
        Expr::Unspecified => Cost {
            steps: 1.0,
            size: 1.0,
        },
        Expr::Literal(LiteralValue::String(text)) => Cost {
            steps: 1.0,
            size: len(text.inner().len()),
        },
        Expr::Literal(_) => Cost {
            steps: 1.0,
            size: 1.0,
        },
        // what a loop has gathered so far grows by what each round adds
        Expr::Ident(name) if name.starts_with('@') => Cost {
            steps: 1.0,
            size: 0.0,
        },
        Expr::Ident(_) => Cost { steps: 1.0, size },
        Expr::Select(select) => Cost {
            steps: estimate(&select.operand, size).steps + 1.0,
            size,
        },
        Expr::Call(call) => {
            let parts = call.target.iter().map(|target| &**target).chain(&call.args);
            let all = sum(parts.clone().map(|part| estimate(part, size)), 1.0);
            let of_branches = || {
                parts
                    .map(|part| estimate(part, size).size)
                    .skip(1)
                    .fold(0.0, f64::max)
            };
            match call.func_name.as_str() {
                "_?_:_" => Cost {
                    size: of_branches(),
                    ..all
                },
                name if SCALAR.contains(&name) => Cost { size: 0.0, ..all },
                _ => all,
            }
        }
        // what lies in an item is walked by another loop, whose variable counts as large
        Expr::List(list) => Cost {
            size: len(list.elements.len()),
            ..sum(list.elements.iter().map(|element| estimate(element, size)), 1.0)
        },
        Expr::Map(map) => sum(
            map.entries.iter().map(|entry| of_entry(&entry.expr, size)),
            len(map.entries.len()),
        ),
        Expr::Struct(fields) => sum(
            fields.entries.iter().map(|entry| of_entry(&entry.expr, size)),
            len(fields.entries.len()),
        ),
        Expr::Comprehension(comprehension) => {
            let of = |part: &IdedExpr| estimate(part, size);
            let (range, start, result) = (
                of(&comprehension.iter_range),
                of(&comprehension.accu_init),
                of(&comprehension.result),
            );
            let (condition, round) = (of(&comprehension.loop_cond), of(&comprehension.loop_step));
            let rounds = range.size.max(1.0);
            let gathered = if matches!(comprehension.accu_init.expr, Expr::List(_) | Expr::Map(_)) {
                round.size.max(1.0)
            } else {
                0.0
            };
            Cost {
                steps: range.steps
                    + start.steps
                    + result.steps
                    + rounds * (condition.steps + round.steps + 1.0),
                size: (rounds * gathered).max(1.0),
            }
        }
    }
}

fn of_entry(entry: &EntryExpr, size: f64) -> Cost {
    match entry {
        EntryExpr::StructField(field) => estimate(&field.value, size),
        EntryExpr::MapEntry(entry) => sum([estimate(&entry.key, size), estimate(&entry.value, size)], 0.0),
    }
}

/// Parts together; `own` steps and items come from the whole.
fn sum(parts: impl IntoIterator<Item = Cost>, own: f64) -> Cost {
    parts.into_iter().fold(
        Cost {
            steps: own.max(1.0),
            size: own,
        },
        |all, part| Cost {
            steps: all.steps + part.steps,
            size: all.size + part.size,
        },
    )
}

#[allow(clippy::cast_precision_loss)] // an estimate
fn len(items: usize) -> f64 {
    items as f64
}
