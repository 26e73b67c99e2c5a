//! The type of an expression's answer, as cel-go's checker tells it where fields of objects may be anything.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue};
use std::borrow::Cow;

type Name = Cow<'static, str>;

/// What depends on the objects.
const DYN: Name = Cow::Borrowed("dyn");

/// Operators and functions that answer true or false, whatever they are given.
const YES_OR_NO: &[&str] = &[
    "!_",
    "@in",
    "@not_strictly_false",
    "_!=_",
    "_&&_",
    "_<=_",
    "_<_",
    "_==_",
    "_>=_",
    "_>_",
    "_||_",
    "bool",
    "contains",
    "endsWith",
    "hasValue",
    "matches",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "startsWith",
];

/// Functions that answer with a type of their own. What is in no list is `dyn`.
const OTHERS: &[(&str, &str)] = &[
    ("base64.decode", "bytes"),
    ("base64.encode", "string"),
    ("bytes", "bytes"),
    ("charAt", "string"),
    ("double", "double"),
    ("duration", "google.protobuf.Duration"),
    ("format", "string"),
    ("indexOf", "int"),
    ("int", "int"),
    ("join", "string"),
    ("lastIndexOf", "int"),
    ("lowerAscii", "string"),
    ("replace", "string"),
    ("reverse", "string"),
    ("size", "int"),
    ("split", "list(string)"),
    ("string", "string"),
    ("strings.quote", "string"),
    ("substring", "string"),
    ("timestamp", "google.protobuf.Timestamp"),
    ("trim", "string"),
    ("uint", "uint"),
    ("upperAscii", "string"),
];

/// Name of the type: `bool`, `string`, …; `dyn` where it depends on the objects.
pub(crate) fn type_of(expr: &IdedExpr) -> Name {
    match &expr.expr {
        Expr::Literal(literal) => Cow::Borrowed(of_literal(literal)),
        Expr::Select(select) if select.test => Cow::Borrowed("bool"),
        Expr::Call(call) => of_call(call),
        Expr::List(list) => format!("list({})", common(list.elements.iter().map(type_of))).into(),
        Expr::Map(map) => {
            let entries = || {
                map.entries.iter().filter_map(|entry| match &entry.expr {
                    EntryExpr::MapEntry(entry) => Some(entry),
                    EntryExpr::StructField(_) => None,
                })
            };
            let keys = common(entries().map(|entry| type_of(&entry.key)));
            let values = common(entries().map(|entry| type_of(&entry.value)));
            format!("map({keys}, {values})").into()
        }
        Expr::Comprehension(comprehension) => of_loop(comprehension),
        // the objects themselves; what a macro binds may be anything
        Expr::Ident(name) if name == "self" || name == "dep" => Cow::Borrowed("map(string, dyn)"),
        Expr::Unspecified | Expr::Ident(_) | Expr::Select(_) | Expr::Struct(_) => DYN,
    }
}

/// The one type of all of them.
fn common(mut types: impl Iterator<Item = Name>) -> Name {
    let Some(first) = types.next() else { return DYN };
    if types.all(|other| other == first) {
        first
    } else {
        DYN
    }
}

/// `all` and `exists` gather a bool and answer with it, `map` and `filter` a list of what each round adds.
fn of_loop(comprehension: &ComprehensionExpr) -> Name {
    match (&comprehension.result.expr, &comprehension.accu_init.expr) {
        (Expr::Ident(name), Expr::List(_)) if *name == comprehension.accu_var => {
            added(&comprehension.loop_step).map_or(Cow::Borrowed("list(dyn)"), type_of_list)
        }
        (Expr::Ident(name), _) if *name == comprehension.accu_var => type_of(&comprehension.accu_init),
        _ => type_of(&comprehension.result),
    }
}

fn type_of_list(item: &IdedExpr) -> Name {
    format!("list({})", type_of(item)).into()
}

/// The item that a round adds to the list: `list + [item]`, under a condition or not.
fn added(step: &IdedExpr) -> Option<&IdedExpr> {
    let Expr::Call(call) = &step.expr else { return None };
    match (call.func_name.as_str(), call.args.as_slice()) {
        ("_?_:_", [_, step, _]) => added(step),
        ("_+_", [_, addend]) => match &addend.expr {
            Expr::List(list) => list.elements.first(),
            _ => None,
        },
        _ => None,
    }
}

fn of_literal(literal: &LiteralValue) -> &'static str {
    match literal {
        LiteralValue::Boolean(_) => "bool",
        LiteralValue::Bytes(_) => "bytes",
        LiteralValue::Double(_) => "double",
        LiteralValue::Int(_) => "int",
        LiteralValue::Null => "null_type",
        LiteralValue::String(_) => "string",
        LiteralValue::UInt(_) => "uint",
    }
}

fn of_call(call: &CallExpr) -> Name {
    let argument = |number: usize| call.args.get(number).map_or(DYN, type_of);
    let named = |name: &str| of_name(name).map(Cow::Borrowed);
    match call.func_name.as_str() {
        name if YES_OR_NO.contains(&name) => Cow::Borrowed("bool"),
        "_?_:_" => common([argument(1), argument(2)].into_iter()),
        // what may be anything is taken for what the other one is
        "_+_" | "_-_" | "_*_" | "_/_" | "_%_" => match (argument(0), argument(1)) {
            (left, right) if left == right || right == DYN => left,
            (left, right) if left == DYN => right,
            _ => DYN,
        },
        "-_" => argument(0),
        "_?._" | "_[?_]" => Cow::Borrowed("optional_type(dyn)"),
        "type" => format!("type({})", argument(0)).into(),
        name => match &call.target {
            // functions of a library are read as calls on its name
            Some(target) => match &target.expr {
                Expr::Ident(library) => named(&format!("{library}.{name}")).or_else(|| named(name)),
                _ => named(name),
            },
            None => named(name),
        }
        .unwrap_or(DYN),
    }
}

fn of_name(name: &str) -> Option<&'static str> {
    if YES_OR_NO.contains(&name) {
        return Some("bool");
    }
    OTHERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, type_)| *type_)
}

#[cfg(test)]
mod tests {
    use crate::expression::Expression;

    #[test]
    fn answers_have_the_types_that_cel_go_gives_them() {
        let rows = [
            ("dep.a == 1", "bool"),
            ("!dep.a", "bool"),
            ("has(dep.a)", "bool"),
            ("dep.a in [1, 2]", "bool"),
            ("dep.a.all(x, x > 0)", "bool"),
            ("dep.a.exists_one(x, x > 0)", "bool"),
            ("sets.contains(dep.a, [1])", "bool"),
            ("dep.a.startsWith('x')", "bool"),
            ("dep.a == 1 ? true : dep.b > 2", "bool"),
            ("true", "bool"),
            ("dep.a", "dyn"),
            ("dep['a']", "dyn"),
            ("dep.a == 1 ? true : dep.b", "dyn"),
            ("dep.a.size()", "int"),
            ("1 + 1", "int"),
            ("'yes'", "string"),
            ("dep.a.map(x, x)", "list(dyn)"),
            ("dep.a.map(x, x.size() == 1)", "list(bool)"),
            ("dep.a.filter(x, true)", "list(dyn)"),
            ("['a']", "list(string)"),
            ("{'a': 1}", "map(string, int)"),
            ("dep.a.lowerAscii()", "string"),
            ("dep.a + 1", "int"),
            ("dep.a + dep.b", "dyn"),
            ("-dep.a", "dyn"),
            ("dep", "map(string, dyn)"),
            ("dep.?a", "optional_type(dyn)"),
            ("dep.?a.orValue(false)", "dyn"),
            ("dep.?a.hasValue()", "bool"),
            ("type(dep.a)", "type(dyn)"),
            ("null", "null_type"),
        ];
        for (text, expected) in rows {
            assert_eq!(
                Expression::compile(text).unwrap().answer_type(),
                expected,
                "{text}"
            );
        }
    }
}
