//! Floating point numbers as Go prints them.
#![allow(clippy::unwrap_used)]

use sluice_yaml::{format_float, format_json_float, shortest_scientific};

/// A number, as YAML and as JSON.
fn check(number: &str, yaml: &str, json: &str) {
    let value: f64 = number.parse().unwrap();
    assert_eq!(
        (format_float(value).as_str(), format_json_float(value).as_str()),
        (yaml, json)
    );
}

#[test]
fn of_two_texts_as_near_the_even_one() {
    check("1.00000762939453125", "1.0000076293945312", "1.0000076293945312");
    check(
        "1495215512322232.25",
        "1.4952155123222322e+15",
        "1495215512322232.2",
    );
    check(
        "1495215512322232.75",
        "1.4952155123222328e+15",
        "1495215512322232.8",
    );
    check(
        "-17592186044416.0625",
        "-1.7592186044416062e+13",
        "-17592186044416.062",
    );
    let value: f64 = "659755540676494.25".parse().unwrap();
    assert_eq!(shortest_scientific(value), "6.597555406764942e14");
}

#[test]
fn no_more_digits_than_needed() {
    check("0.1", "0.1", "0.1");
    check(
        "0.30000000000000004",
        "0.30000000000000004",
        "0.30000000000000004",
    );
    check("5e-324", "5e-324", "5e-324");
    check("-1e21", "-1e+21", "-1e+21");
    check("123456789.0", "1.23456789e+08", "123456789");
}
