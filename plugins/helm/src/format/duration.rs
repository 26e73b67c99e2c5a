//! `time.Duration` as text.

use std::fmt::Write;

/// A duration of nanoseconds as its `String` method prints it: `1h0m0.5s`, `1.5ms`, `0s`.
pub fn duration(nanoseconds: i64) -> String {
    let mut text = String::new();
    if nanoseconds < 0 {
        text.push('-');
    }
    let rest = nanoseconds.unsigned_abs();
    let (unit, name) = match rest {
        0 => return "0s".to_owned(),
        1..1_000 => (1, "ns"),
        1_000..1_000_000 => (1_000, "µs"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = rest / unit;
    let fraction = rest % unit;
    let written = if unit < 1_000_000_000 {
        write!(text, "{whole}")
    } else {
        let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
        match (hours, minutes) {
            (0, 0) => write!(text, "{seconds}"),
            (0, _) => write!(text, "{minutes}m{seconds}"),
            _ => write!(text, "{hours}h{minutes}m{seconds}"),
        }
    };
    written.expect("invariant: writing to a string cannot fail");
    if fraction > 0 {
        let width = unit.ilog10() as usize;
        let digits = format!("{fraction:0width$}");
        text.push('.');
        text.push_str(digits.trim_end_matches('0'));
    }
    text + name
}
