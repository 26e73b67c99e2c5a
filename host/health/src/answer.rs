//! The type of an expression's answer, as cel-go's checker tells it where fields of objects may be anything.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue};

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
    ("type", "type"),
    ("uint", "uint"),
    ("upperAscii", "string"),
];

/// Name of the type: `bool`, `string`, …; `dyn` where it depends on the objects.
pub(crate) fn type_of(expr: &IdedExpr) -> &'static str {
    match &expr.expr {
        Expr::Literal(literal) => of_literal(literal),
        Expr::Select(select) if select.test => "bool",
        Expr::Call(call) => of_call(call),
        Expr::List(_) => "list",
        Expr::Map(_) | Expr::Struct(_) => "map",
        // `all` and `exists` gather a bool and answer with it, `map` and `filter` a list
        Expr::Comprehension(comprehension) => match &comprehension.result.expr {
            Expr::Ident(name) if *name == comprehension.accu_var => type_of(&comprehension.accu_init),
            _ => type_of(&comprehension.result),
        },
        Expr::Unspecified | Expr::Ident(_) | Expr::Select(_) => "dyn",
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

fn of_call(call: &CallExpr) -> &'static str {
    let argument = |number: usize| call.args.get(number).map_or("dyn", type_of);
    match call.func_name.as_str() {
        name if YES_OR_NO.contains(&name) => "bool",
        "_?_:_" if argument(1) == argument(2) => argument(1),
        "_+_" | "_-_" | "_*_" | "_/_" | "_%_" if argument(0) == argument(1) => argument(0),
        "-_" => argument(0),
        // an optional that holds anything answers as its alternative is
        "orValue" => argument(0),
        name => match &call.target {
            // functions of a library are read as calls on its name
            Some(target) => match &target.expr {
                Expr::Ident(library) => {
                    of_name(&format!("{library}.{name}")).unwrap_or_else(|| of_name(name).unwrap_or("dyn"))
                }
                _ => of_name(name).unwrap_or("dyn"),
            },
            None => of_name(name).unwrap_or("dyn"),
        },
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
    use crate::Expression;

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
            ("dep.?a.orValue(false)", "bool"),
            ("true", "bool"),
            ("dep.a", "dyn"),
            ("dep['a']", "dyn"),
            ("dep.a == 1 ? true : dep.b", "dyn"),
            ("dep.a.size()", "int"),
            ("1 + 1", "int"),
            ("'yes'", "string"),
            ("dep.a.map(x, x)", "list"),
            ("dep.a.lowerAscii()", "string"),
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
