use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// The pattern Flux's CRDs put on interval-like fields.
pub(crate) const INTERVAL_PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$";
/// The pattern Flux's CRDs put on the timeouts of sources: no hours.
pub(crate) const TIMEOUT_PATTERN: &str = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$";

/// Nanoseconds that Go's `time.Duration` can hold, about 292 years.
const NANOSECONDS_MAX: u128 = i64::MAX as u128;

/// A duration as Go writes and reads it: `1m0s`, `1.5h`, `1.234567s`. Never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(pub std::time::Duration);

/// The text is not a duration that Go would read, is negative, or is too long for Go.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("time: invalid duration {0:?}: write numbers with units ms, s, m or h, such as 30s, 5m or 1h30m")]
pub struct InvalidDuration(pub String);

impl Duration {
    /// So many seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    /// The same for the rest of Rust.
    pub const fn get(self) -> std::time::Duration {
        self.0
    }
}

impl From<std::time::Duration> for Duration {
    fn from(duration: std::time::Duration) -> Self {
        Self(duration)
    }
}

impl From<Duration> for std::time::Duration {
    fn from(duration: Duration) -> Self {
        duration.0
    }
}

impl FromStr for Duration {
    type Err = InvalidDuration;

    fn from_str(text: &str) -> Result<Self, InvalidDuration> {
        parse(text).ok_or_else(|| InvalidDuration(text.chars().take(64).collect()))
    }
}

/// Go's `ParseDuration`, without negative results.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::default());
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (nanoseconds, after) = parse_term(rest)?;
        total = total.checked_add(nanoseconds)?;
        rest = after;
    }
    (total <= NANOSECONDS_MAX).then(|| {
        let (seconds, below) = (total / 1_000_000_000, total % 1_000_000_000);
        Duration(std::time::Duration::new(seconds as u64, below as u32))
    })
}

/// One number with its unit, and what follows it.
fn parse_term(text: &str) -> Option<(u128, &str)> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (whole, mut rest) = text.split_at(digits(text));
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(digits(after));
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (unit, rest) = rest.split_at(
        rest.find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(rest.len()),
    );
    let unit = unit_in_nanoseconds(unit)?;
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    Some((
        whole
            .checked_mul(unit)?
            .checked_add(fraction_of(fraction, unit))?,
        rest,
    ))
}

fn unit_in_nanoseconds(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Digits after the point, cut where they cease to matter: an hour has 13 digits of nanoseconds.
fn fraction_of(digits: &str, unit: u128) -> u128 {
    let (value, scale) = digits
        .bytes()
        .take(18)
        .fold((0u128, 1u128), |(value, scale), digit| {
            (value * 10 + u128::from(digit - b'0'), scale * 10)
        });
    value * unit / scale
}

/// Go's `Duration.String`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, below) = (self.0.as_secs(), self.0.subsec_nanos());
        if seconds == 0 {
            return match below {
                0 => f.write_str("0s"),
                1..1_000 => write!(f, "{below}ns"),
                1_000..1_000_000 => write!(f, "{}µs", Decimal(u64::from(below), 3)),
                _ => write!(f, "{}ms", Decimal(u64::from(below), 6)),
            };
        }
        let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
        if hours > 0 {
            write!(f, "{hours}h")?;
        }
        if hours > 0 || minutes > 0 {
            write!(f, "{minutes}m")?;
        }
        write!(
            f,
            "{}s",
            Decimal(seconds % 60 * 1_000_000_000 + u64::from(below), 9)
        )
    }
}

/// A number that counts units of 10^-places, written without trailing zeros.
struct Decimal(u64, u32);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10u64.pow(self.1);
        write!(f, "{}", self.0 / scale)?;
        let fraction = format!("{:0places$}", self.0 % scale, places = self.1 as usize);
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() {
            Ok(())
        } else {
            write!(f, ".{fraction}")
        }
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_and_writes_as_go_does() {
        for (text, expected) in [
            ("0", "0s"),
            ("30s", "30s"),
            ("60s", "1m0s"),
            ("5m", "5m0s"),
            ("1h", "1h0m0s"),
            ("1h30m", "1h30m0s"),
            ("1.5h", "1h30m0s"),
            ("1.234567s", "1.234567s"),
            ("0.5ms", "500µs"),
            ("1500ms", "1.5s"),
            ("12ns", "12ns"),
            (".5s", "500ms"),
            ("1.s", "1s"),
            ("2540400h10m10.000000000s", "2540400h10m10s"),
            ("0.3333333333333333333h", "20m0s"),
        ] {
            let duration: Duration = text.parse().unwrap();
            // Go rounds the last one up by its use of floats; a nanosecond less is what the digits say.
            let got = duration.to_string();
            assert!(
                got == expected || text.starts_with("0.333") && got == "19m59.999999999s",
                "{text} -> {got}"
            );
        }
    }

    #[test]
    fn refuses_what_is_no_duration() {
        for text in [
            "",
            "1",
            "s",
            ".s",
            "-1s",
            "1e999h",
            "9999999999h",
            "1d",
            "1s ",
            " 1s",
            "1m-1s",
            "3000000h",
            "٣s",
        ] {
            assert!(text.parse::<Duration>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn survives_a_round_trip(seconds in 0u64..9_000_000_000, below in 0u32..1_000_000_000) {
            let duration = Duration(std::time::Duration::new(seconds, below));
            prop_assert_eq!(duration.to_string().parse::<Duration>().unwrap(), duration);
        }

        #[test]
        fn never_panics(text in "\\PC{0,24}") {
            let _ = text.parse::<Duration>();
        }
    }
}
