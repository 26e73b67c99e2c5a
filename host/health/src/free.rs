//! Which variables an expression reads from outside.

use cel::IdedExpr;
use cel::common::ast::{EntryExpr, Expr};
use std::collections::BTreeSet;

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

/// Adds the names that `expr` reads and does not bind itself.
pub(crate) fn collect<'e>(expr: &'e IdedExpr, bound: &mut Vec<&'e str>, free: &mut BTreeSet<&'e str>) {
    match &expr.expr {
        Expr::Unspecified | Expr::Literal(_) => {}
        Expr::Ident(name) => {
            let is_own =
                name.starts_with('@') || bound.contains(&name.as_str()) || NAMES.contains(&name.as_str());
            if !is_own {
                free.insert(name);
            }
        }
        Expr::Select(select) => collect(&select.operand, bound, free),
        Expr::Call(call) => {
            let parts = call.target.iter().map(|target| &**target).chain(&call.args);
            parts.for_each(|part| collect(part, bound, free));
        }
        Expr::List(list) => list
            .elements
            .iter()
            .for_each(|element| collect(element, bound, free)),
        Expr::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| of_entry(&entry.expr, bound, free)),
        Expr::Struct(fields) => fields
            .entries
            .iter()
            .for_each(|entry| of_entry(&entry.expr, bound, free)),
        Expr::Comprehension(comprehension) => {
            collect(&comprehension.iter_range, bound, free);
            collect(&comprehension.accu_init, bound, free);
            let before = bound.len();
            bound.extend([comprehension.iter_var.as_str(), comprehension.accu_var.as_str()]);
            bound.extend(comprehension.iter_var2.as_deref());
            for part in [
                &comprehension.loop_cond,
                &comprehension.loop_step,
                &comprehension.result,
            ] {
                collect(part, bound, free);
            }
            bound.truncate(before);
        }
    }
}

fn of_entry<'e>(entry: &'e EntryExpr, bound: &mut Vec<&'e str>, free: &mut BTreeSet<&'e str>) {
    match entry {
        EntryExpr::StructField(field) => collect(&field.value, bound, free),
        EntryExpr::MapEntry(entry) => {
            collect(&entry.key, bound, free);
            collect(&entry.value, bound, free);
        }
    }
}
