//! Numbers: sprig's arithmetic on `int64`, on floats by way of decimals, and ranges of integers.

use super::{
    Call, Functions, Int, Rest, cast,
    limits::{NUMBERS_MAX, too_many},
    random::Random,
};
use crate::{
    Error, List, Str, Value, format,
    go::{decimal::Decimal, number::parse_int},
    value::CollectionType,
};

pub(super) fn register(functions: &mut Functions) {
    integers(functions);
    floats(functions);
    conversions(functions);
    functions.add("until", |Int(count): Int| {
        range(0, count, if count < 0 { -1 } else { 1 }).map(ints)
    });
    functions.add("untilStep", |Int(start): Int, Int(stop): Int, Int(step): Int| {
        range(start, stop, step).map(ints)
    });
    functions.add("seq", seq);
    functions.add_with_call("randInt", |call: &Call<'_>, Int(min): Int, Int(max): Int| {
        let width = u64::try_from(max.wrapping_sub(min))
            .ok()
            .filter(|width| *width > 0);
        let width = width.ok_or_else(|| Error::new("invalid argument to Intn"))?;
        let random = Random::of(call).below(width);
        Ok::<_, Error>(Int(min.wrapping_add(i64::try_from(random).unwrap_or(0))))
    });
}

fn integers(functions: &mut Functions) {
    functions.add("add1", |value: Value| cast::to_int(&value).wrapping_add(1));
    functions.add("add", |values: Rest<Value>| {
        values.0.iter().map(cast::to_int).fold(0, i64::wrapping_add)
    });
    functions.add("sub", |one: Value, other: Value| {
        cast::to_int(&one).wrapping_sub(cast::to_int(&other))
    });
    functions.add("mul", |first: Value, values: Rest<Value>| {
        values
            .0
            .iter()
            .map(cast::to_int)
            .fold(cast::to_int(&first), i64::wrapping_mul)
    });
    let by_zero = || Error::new("runtime error: integer divide by zero");
    functions.add("div", move |one: Value, other: Value| {
        match cast::to_int(&other) {
            0 => Err(by_zero()),
            other => Ok(cast::to_int(&one).wrapping_div(other)),
        }
    });
    functions.add("mod", move |one: Value, other: Value| {
        match cast::to_int(&other) {
            0 => Err(by_zero()),
            other => Ok(cast::to_int(&one).wrapping_rem(other)),
        }
    });
    for name in ["max", "biggest"] {
        functions.add(name, |first: Value, values: Rest<Value>| {
            values
                .0
                .iter()
                .map(cast::to_int)
                .fold(cast::to_int(&first), i64::max)
        });
    }
    functions.add("min", |first: Value, values: Rest<Value>| {
        values
            .0
            .iter()
            .map(cast::to_int)
            .fold(cast::to_int(&first), i64::min)
    });
}

fn floats(functions: &mut Functions) {
    functions.add("add1f", |value: Value| {
        decimals(cast::to_float(&value), &[Value::int(1)], |a, b| Ok(a.add(b)))
    });
    functions.add("addf", |values: Rest<Value>| {
        decimals(0.0, &values.0, |a, b| Ok(a.add(b)))
    });
    functions.add("subf", |first: Value, values: Rest<Value>| {
        decimals(cast::to_float(&first), &values.0, |a, b| Ok(a.sub(b)))
    });
    functions.add("mulf", |first: Value, values: Rest<Value>| {
        decimals(cast::to_float(&first), &values.0, |a, b| Ok(a.mul(b)))
    });
    functions.add("divf", |first: Value, values: Rest<Value>| {
        decimals(cast::to_float(&first), &values.0, Decimal::div)
    });
    functions.add("maxf", |first: Value, values: Rest<Value>| {
        values
            .0
            .iter()
            .map(cast::to_float)
            .fold(cast::to_float(&first), max)
    });
    functions.add("minf", |first: Value, values: Rest<Value>| {
        values
            .0
            .iter()
            .map(cast::to_float)
            .fold(cast::to_float(&first), |a, b| -max(-a, -b))
    });
    functions.add("ceil", |value: Value| cast::to_float(&value).ceil());
    functions.add("floor", |value: Value| cast::to_float(&value).floor());
    functions.add("round", |value: Value, Int(places): Int, at: Rest<f64>| {
        round(
            cast::to_float(&value),
            places,
            at.0.first().copied().unwrap_or(0.5),
        )
    });
}

fn conversions(functions: &mut Functions) {
    functions.add("atoi", |text: Str| Int(cast::parse_int_anyway(text.as_bytes())));
    functions.add("int", |value: Value| Int(cast::to_int(&value)));
    functions.add("int64", |value: Value| cast::to_int(&value));
    functions.add("float64", |value: Value| cast::to_float(&value));
    functions.add("toDecimal", |value: Value| {
        parse_int(&format::text(&value), 8).unwrap_or(0)
    });
}

/// Sums and products without the errors of binary fractions.
fn decimals(
    first: f64,
    values: &[Value],
    operation: impl Fn(&Decimal, &Decimal) -> Result<Decimal, String>,
) -> Result<f64, Error> {
    let mut total = Decimal::from_float(first).map_err(Error::new)?;
    for value in values {
        let value = Decimal::from_float(cast::to_float(value)).map_err(Error::new)?;
        total = operation(&total, &value).map_err(Error::new)?;
    }
    Ok(total.to_float())
}

/// `math.Max`: infinity before NaN before all else, and 0 above -0.
fn max(one: f64, other: f64) -> f64 {
    if one == f64::INFINITY || other == f64::INFINITY {
        f64::INFINITY
    } else if one.is_nan() || other.is_nan() {
        f64::NAN
    } else if one == 0.0 && other == 0.0 {
        if one.is_sign_negative() { other } else { one }
    } else {
        one.max(other)
    }
}

fn round(value: f64, places: i64, at: f64) -> f64 {
    let power = power_of_ten(places);
    let digit = power * value;
    let rounded = if digit.fract() >= at {
        digit.ceil()
    } else {
        digit.floor()
    };
    rounded / power
}

/// `math.Pow(10, exponent)`, which squares and multiplies mantissas.
fn power_of_ten(exponent: i64) -> f64 {
    let (mut mantissa, mut binary) = (1.0_f64, 0_i64);
    let (mut factor, mut factor_binary) = (0.625_f64, 4_i64);
    let mut rest = exponent.unsigned_abs();
    while rest != 0 {
        if !(-(1 << 12)..=1 << 12).contains(&factor_binary) {
            binary += factor_binary;
            break;
        }
        if rest & 1 == 1 {
            mantissa *= factor;
            binary += factor_binary;
        }
        factor *= factor;
        factor_binary <<= 1;
        if factor < 0.5 {
            factor += factor;
            factor_binary -= 1;
        }
        rest >>= 1;
    }
    if exponent < 0 {
        (mantissa, binary) = (1.0 / mantissa, -binary);
    }
    let binary = i32::try_from(binary.clamp(-4200, 4200)).unwrap_or(0);
    // in two steps: one alone may be out of range where the product is not
    mantissa * 2f64.powi(binary / 2) * 2f64.powi(binary - binary / 2)
}

/// `untilStep`: from `start` on as long as `stop` is not reached.
fn range(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, Error> {
    let mut numbers = Vec::new();
    if (stop < start && step >= 0) || (stop >= start && step <= 0) {
        return Ok(numbers);
    }
    let mut next = Some(start);
    while let Some(number) = next.filter(|number| if step > 0 { *number < stop } else { *number > stop }) {
        if numbers.len() >= NUMBERS_MAX {
            return Err(too_many());
        }
        numbers.push(number);
        next = number.checked_add(step);
    }
    Ok(numbers)
}

fn ints(numbers: Vec<i64>) -> List {
    List::of_type(CollectionType::INT, numbers.into_iter().map(Value::int).collect())
}

/// `func seq(params ...int) string`: as the shell's, with blanks between.
fn seq(parameters: Rest<Int>) -> Result<String, Error> {
    let numbers = match *parameters.0.as_slice() {
        [Int(end)] => {
            let step = if end < 1 { -1 } else { 1 };
            range(1, end.wrapping_add(step), step)?
        }
        [Int(start), Int(end)] => {
            let step = if end < start { -1 } else { 1 };
            range(start, end.wrapping_add(step), step)?
        }
        [Int(start), Int(step), Int(end)] if end >= start || step <= 0 => {
            let past = if end < start { -1 } else { 1 };
            range(start, end.wrapping_add(past), step)?
        }
        _ => Vec::new(),
    };
    Ok(numbers.iter().map(i64::to_string).collect::<Vec<_>>().join(" "))
}
