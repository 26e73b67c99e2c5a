//! What evaluating an expression may cost at most (N14). CEL always ends, but loops in loops over a large object may take
//! days, and texts put into texts all memory there is.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue};
use serde_json::Value;

/// Steps that one evaluation may take: seconds at the worst. Checks of conditions take hundreds.
const STEPS_MAX: f64 = 2e7;
/// Bytes that one value may have: many times the largest object that a cluster takes.
const WEIGHT_MAX: f64 = 64e6;
/// Loops within loops.
const DEPTH_MAX: usize = 8;
/// Bytes of a value besides its text.
const ITEM: f64 = 32.0;
/// Bytes that are copied, compared or searched in one step.
const STEP: f64 = 64.0;
/// Steps to make a machine of a regular expression: it is made anew each time.
const PATTERN_STEPS: f64 = 10_000.0;

/// Operators that give a number or a truth value, whatever they look at.
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
    "matches",
    "size",
    "@not_strictly_false",
];
/// Operators that do not walk what they are given.
const QUICK: &[&str] = &[
    "!_",
    "_&&_",
    "_||_",
    "_?_:_",
    "_[_]",
    "_[?_]",
    "_?._",
    "size",
    "@not_strictly_false",
];
/// Functions that compare every part of one argument with every part of another.
const SQUARE: &[&str] = &[
    "indexOf",
    "lastIndexOf",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "distinct",
];

/// Functions whose target and arguments are texts, but for numbers.
const OF_TEXTS: &[&str] = &[
    "charAt",
    "contains",
    "endsWith",
    "indexOf",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "replace",
    "reverse",
    "split",
    "startsWith",
    "substring",
    "trim",
    "upperAscii",
];

/// An estimate from above.
#[derive(Clone, Copy, Default)]
struct Cost {
    /// Steps to evaluate it.
    steps: f64,
    /// Items of the value, should somebody walk it.
    size: f64,
    /// Bytes of the value.
    weight: f64,
}

impl Cost {
    fn of(size: f64, weight: f64) -> Self {
        Self {
            steps: 1.0,
            size,
            weight,
        }
    }
}

/// Bytes of a variable.
pub(crate) fn weight(value: &Value) -> f64 {
    ITEM + match value {
        Value::String(text) => len(text.len()),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| ITEM + len(key.len()) + weight(value))
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0.0,
    }
}

/// Bytes of the longest text of a variable.
pub(crate) fn longest(value: &Value) -> f64 {
    match value {
        Value::String(text) => len(text.len()),
        Value::Array(items) => items.iter().map(longest).fold(0.0, f64::max),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| longest(value).max(len(key.len())))
            .fold(0.0, f64::max),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0.0,
    }
}

/// How large the variables are, each of which may be any of them.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// Items or characters of the largest list, map or text.
    pub(crate) size: usize,
    /// Bytes of the largest variable.
    pub(crate) weight: f64,
    /// Bytes of the longest text.
    pub(crate) text: f64,
}

/// Refuses an expression that may take too long or too much.
///
/// # Errors
/// Which limit it may reach, and what to do.
pub(crate) fn check(expr: &IdedExpr, sizes: Sizes) -> Result<(), String> {
    let mut estimator = Estimator {
        size: len(sizes.size.max(1)),
        weight: sizes.weight,
        text: sizes.text,
        loops: Vec::new(),
        peak: 0.0,
    };
    let steps = estimator.estimate(expr).steps;
    if steps.is_nan() || steps > STEPS_MAX {
        return Err(format!(
            "it may take {steps:.0} steps, more than {STEPS_MAX:.0}: nest fewer loops, or look at smaller parts"
        ));
    }
    let peak = estimator.peak;
    if peak.is_nan() || peak > WEIGHT_MAX {
        return Err(format!(
            "it may make {peak:.0} bytes, more than {WEIGHT_MAX:.0}: put fewer texts and lists together"
        ));
    }
    Ok(())
}

/// Parts within parts: each costs stack wherever the expression is walked. As in CEL for Go.
pub(crate) const LEVELS_MAX: usize = 250;

/// Whether parts nest deeper than [`LEVELS_MAX`]. Takes no stack itself.
pub(crate) fn is_deep(expr: &IdedExpr) -> bool {
    let mut open = vec![(expr, 1)];
    while let Some((expr, level)) = open.pop() {
        if level > LEVELS_MAX {
            return true;
        }
        let mut add = |part| open.push((part, level + 1));
        match &expr.expr {
            Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => {}
            Expr::Select(select) => add(&select.operand),
            Expr::Call(call) => {
                call.target.iter().for_each(|target| add(target));
                call.args.iter().for_each(add);
            }
            Expr::List(list) => list.elements.iter().for_each(add),
            Expr::Map(map) => map
                .entries
                .iter()
                .for_each(|entry| parts_of(&entry.expr).for_each(&mut add)),
            Expr::Struct(fields) => fields
                .entries
                .iter()
                .for_each(|entry| parts_of(&entry.expr).for_each(&mut add)),
            Expr::Comprehension(comprehension) => {
                add(&comprehension.iter_range);
                add(&comprehension.accu_init);
                add(&comprehension.loop_cond);
                add(&comprehension.loop_step);
                add(&comprehension.result);
            }
        }
    }
    false
}

fn parts_of(entry: &EntryExpr) -> impl Iterator<Item = &IdedExpr> {
    let (key, value) = match entry {
        EntryExpr::StructField(field) => (None, &field.value),
        EntryExpr::MapEntry(entry) => (Some(&entry.key), &entry.value),
    };
    key.into_iter().chain(std::iter::once(value))
}

struct Estimator<'e> {
    /// Items of the largest list or map of the variables.
    size: f64,
    /// Bytes of the largest variable.
    weight: f64,
    /// Bytes of its longest text.
    text: f64,
    /// Variables of loops that are open, with the bytes of what they are bound to.
    loops: Vec<(&'e str, f64)>,
    /// Bytes of the largest value so far.
    peak: f64,
}

impl<'e> Estimator<'e> {
    fn estimate(&mut self, expr: &'e IdedExpr) -> Cost {
        let cost = match &expr.expr {
            Expr::Literal(LiteralValue::String(text)) => {
                let length = len(text.inner().len());
                Cost::of(length, ITEM + length)
            }
            Expr::Literal(LiteralValue::Bytes(bytes)) => Cost::of(1.0, ITEM + len(bytes.inner().len())),
            Expr::Unspecified | Expr::Literal(_) => Cost::of(1.0, ITEM),
            // what a loop has gathered so far grows by what each round adds
            Expr::Ident(name) if name.starts_with('@') => Cost::of(0.0, 0.0),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => {
                let operand = self.estimate(&select.operand);
                match select.test {
                    true => Cost {
                        steps: operand.steps + 1.0,
                        ..Cost::of(1.0, ITEM)
                    },
                    false => Cost {
                        steps: operand.steps + 1.0,
                        size: self.size.max(operand.size),
                        ..operand
                    },
                }
            }
            Expr::Call(call) => self.call(call),
            // what lies in an item is walked by another loop, whose variable counts as large
            Expr::List(list) => Cost {
                size: len(list.elements.len()),
                ..self.sum(&list.elements)
            },
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(fields) => self.entries(fields.entries.iter().map(|entry| &entry.expr)),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
        };
        self.peak = self.peak.max(cost.weight);
        cost
    }

    fn variable(&self, name: &str) -> Cost {
        let bound = self.loops.iter().rfind(|(known, _)| *known == name);
        let weight = bound.map_or(self.weight, |(_, weight)| *weight);
        // a list that the expression made may have more items than any of the variables
        let grown = (weight - self.weight) / ITEM;
        Cost::of(self.size.max(grown), weight)
    }

    fn call(&mut self, call: &'e CallExpr) -> Cost {
        let parts = call.target.iter().map(|target| &**target).chain(&call.args);
        let name = call.func_name.as_str();
        let of_text = OF_TEXTS.contains(&name);
        let parts = parts.map(|part| {
            let cost = self.estimate(part);
            // what is no text is refused by the function
            match of_text && self.is_read(part) {
                true => Cost {
                    weight: cost.weight.min(ITEM + self.text),
                    ..cost
                },
                false => cost,
            }
        });
        let costs: Vec<Cost> = parts.collect();
        let all = together(&costs, 1.0);
        let weight_of = |nth: usize| costs.get(nth).map_or(0.0, |cost| cost.weight);
        let product = weight_of(0) * weight_of(1).max(weight_of(0) * f64::from(u8::from(costs.len() == 1)));
        let looked_at = match name {
            _ if QUICK.contains(&name) => 0.0,
            _ if SQUARE.contains(&name) => product / STEP,
            "matches" => PATTERN_STEPS + weight_of(0) * (1.0 + weight_of(1) / 16.0) / 16.0,
            _ => all.weight / STEP,
        };
        let steps = all.steps + looked_at;
        let largest = |of: fn(&Cost) -> f64, from: usize| costs.iter().skip(from).map(of).fold(0.0, f64::max);
        match name {
            _ if SCALAR.contains(&name) => Cost {
                steps,
                size: 0.0,
                weight: ITEM,
            },
            "_?_:_" => Cost {
                steps,
                size: largest(|cost| cost.size, 1),
                weight: largest(|cost| cost.weight, 1),
            },
            "_[_]" | "_[?_]" | "_?._" => Cost {
                steps,
                weight: weight_of(0),
                ..all
            },
            "replace" => {
                let weight = (weight_of(0) + 1.0) * growth(call.args.first(), weight_of(2) - ITEM);
                Cost {
                    steps: steps + weight / STEP,
                    weight,
                    ..all
                }
            }
            // as many pieces as there are characters
            "split" => Cost {
                steps,
                weight: all.weight * ITEM,
                ..all
            },
            "join" => Cost {
                steps,
                weight: weight_of(0) * (1.0 + weight_of(1) / ITEM),
                ..all
            },
            "strings.quote" | "base64.encode" | "format" => Cost {
                steps,
                weight: all.weight * 6.0,
                ..all
            },
            _ => Cost { steps, ..all },
        }
    }

    /// Whether it is a field of the variables, as it is there.
    fn is_read(&self, expr: &IdedExpr) -> bool {
        match &expr.expr {
            Expr::Ident(name) => !name.starts_with('@') && !self.loops.iter().any(|(known, _)| known == name),
            Expr::Select(select) => self.is_read(&select.operand),
            Expr::Call(call) => match (call.func_name.as_str(), call.args.as_slice()) {
                ("_[_]", [of, _]) => self.is_read(of),
                _ => false,
            },
            _ => false,
        }
    }

    /// A loop: all that the items weigh together may be in one of them, and what rounds cost grows no slower than that.
    fn comprehension(&mut self, comprehension: &'e ComprehensionExpr) -> Cost {
        let range = self.estimate(&comprehension.iter_range);
        let start = self.estimate(&comprehension.accu_init);
        if self.loops.len() >= 2 * DEPTH_MAX {
            return Cost {
                steps: f64::INFINITY,
                ..Cost::default()
            };
        }
        let open = self.loops.len();
        let second = comprehension.iter_var2.as_deref().unwrap_or_default();
        let mut round = |weight: f64| {
            self.loops.truncate(open);
            self.loops.push((&comprehension.iter_var, weight));
            self.loops.push((second, weight));
            let (condition, step) = (
                self.estimate(&comprehension.loop_cond),
                self.estimate(&comprehension.loop_step),
            );
            Cost {
                steps: condition.steps + step.steps + 1.0,
                ..step
            }
        };
        let (heavy, light) = (round(range.weight), round(0.0));
        self.loops.truncate(open);
        let result = self.estimate(&comprehension.result);
        let rounds = range.size.max(1.0);
        let is_gathering = matches!(comprehension.accu_init.expr, Expr::List(_) | Expr::Map(_));
        let gathered = f64::from(u8::from(is_gathering));
        Cost {
            steps: range.steps + start.steps + result.steps + heavy.steps + (rounds - 1.0) * light.steps,
            size: (rounds * gathered * heavy.size.max(1.0)).max(1.0),
            weight: ITEM + gathered * (heavy.weight + (rounds - 1.0) * light.weight),
        }
    }

    fn sum(&mut self, parts: &'e [IdedExpr]) -> Cost {
        let costs: Vec<Cost> = parts.iter().map(|part| self.estimate(part)).collect();
        together(&costs, 1.0)
    }

    fn entries(&mut self, entries: impl ExactSizeIterator<Item = &'e EntryExpr>) -> Cost {
        let own = len(entries.len());
        let parts = entries.flat_map(parts_of);
        let costs: Vec<Cost> = parts.map(|part| self.estimate(part)).collect();
        together(&costs, own)
    }
}

/// How often a text may be as long when a part of it is replaced by one of `length` bytes: nothing stands between all signs.
fn growth(old: Option<&IdedExpr>, length: f64) -> f64 {
    let length = length.max(0.0);
    match old.map(|old| &old.expr) {
        Some(Expr::Literal(LiteralValue::String(old))) if !old.inner().is_empty() => {
            (length / len(old.inner().len())).max(1.0)
        }
        _ => 1.0 + length,
    }
}

/// Parts together; `own` steps and items come from the whole.
fn together(parts: &[Cost], own: f64) -> Cost {
    let whole = Cost {
        steps: own.max(1.0),
        size: own,
        weight: ITEM,
    };
    parts.iter().fold(whole, |all, part| Cost {
        steps: all.steps + part.steps,
        size: all.size + part.size,
        weight: all.weight + part.weight,
    })
}

#[allow(clippy::cast_precision_loss)] // an estimate
fn len(items: usize) -> f64 {
    items as f64
}
