//! Dates and times. The local zone is UTC, and now is what the render's environment says.

mod object;

pub(crate) use object::TimeObject;

use std::rc::Rc;

use super::{Call, Functions, cast::parse_int_anyway};
use crate::{
    Error, Str, Value,
    go::{
        duration::{self, HOUR, SECOND},
        time::{Time, Zone, parse},
    },
    value::IntType,
};

pub(super) fn register(functions: &mut Functions) {
    functions.add_with_call("now", |call: &Call<'_>| TimeObject::value(now(call)));
    functions.add_with_call("date", |call: &Call<'_>, layout: Str, date: Value| {
        in_zone(call, &layout, &date, "Local")
    });
    for name in ["dateInZone", "date_in_zone"] {
        functions.add_with_call(name, |call: &Call<'_>, layout: Str, date: Value, zone: Str| {
            in_zone(call, &layout, &date, &zone.to_str())
        });
    }
    functions.add_with_call("htmlDate", |call: &Call<'_>, date: Value| {
        in_zone(call, &"2006-01-02".into(), &date, "Local")
    });
    functions.add_with_call("htmlDateInZone", |call: &Call<'_>, date: Value, zone: Str| {
        in_zone(call, &"2006-01-02".into(), &date, &zone.to_str())
    });
    for name in ["dateModify", "date_modify"] {
        functions.add(name, |change: Str, date: Rc<TimeObject>| {
            let duration = duration::parse(change.as_bytes()).unwrap_or(0);
            TimeObject::value(date.0.add(duration))
        });
    }
    for name in ["mustDateModify", "must_date_modify"] {
        functions.add(name, |change: Str, date: Rc<TimeObject>| {
            let duration = duration::parse(change.as_bytes()).map_err(Error::new)?;
            Ok::<_, Error>(TimeObject::value(date.0.add(duration)))
        });
    }
    functions.add("toDate", |layout: Str, text: Str| {
        TimeObject::value(parse(layout.as_bytes(), text.as_bytes()).unwrap_or_else(|_| Time::zero()))
    });
    functions.add("mustToDate", |layout: Str, text: Str| {
        let time = parse(layout.as_bytes(), text.as_bytes()).map_err(Error::new)?;
        Ok::<_, Error>(TimeObject::value(time))
    });
    functions.add("unixEpoch", |date: Rc<TimeObject>| date.0.seconds.to_string());
    functions.add_with_call("ago", |call: &Call<'_>, date: Value| {
        let since = now(call).since(&moment(call, &date));
        duration::format(duration::round(since, SECOND))
    });
    functions.add("duration", |seconds: Value| {
        let seconds = match &seconds {
            Value::Str(text) => parse_int_anyway(text.as_bytes()),
            Value::Int(IntType::Int64, seconds) => *seconds,
            _ => 0,
        };
        duration::format(seconds.wrapping_mul(SECOND))
    });
    functions.add_with_call("durationRound", |call: &Call<'_>, value: Value| {
        let duration = match &value {
            Value::Str(text) => duration::parse(text.as_bytes()).unwrap_or(0),
            Value::Int(IntType::Int64, duration) => *duration,
            value => value
                .as_object::<TimeObject>()
                .map_or(0, |time| now(call).since(&time.0)),
        };
        rounded(duration)
    });
}

fn now(call: &Call<'_>) -> Time {
    let now = call.environment.now;
    Time::unix(now.seconds, i64::from(now.nanoseconds)).in_zone(Zone::Local)
}

/// A time, or seconds since 1970 as an integer; anything else is now.
fn moment(call: &Call<'_>, date: &Value) -> Time {
    match date {
        Value::Int(IntType::Int | IntType::Int32 | IntType::Int64, seconds) => {
            Time::unix(*seconds, 0).in_zone(Zone::Local)
        }
        date => date
            .as_object::<TimeObject>()
            .map_or_else(|| now(call), |time| time.0.clone()),
    }
}

/// An unknown zone is UTC.
fn in_zone(call: &Call<'_>, layout: &Str, date: &Value, zone: &str) -> String {
    let zone = Zone::load(zone).unwrap_or(Zone::Utc);
    moment(call, date).in_zone(zone).format(layout.as_bytes())
}

/// The largest unit alone: `2h`, `3mo`.
fn rounded(duration: i64) -> String {
    const DAY: i64 = 24 * HOUR;
    let size = duration.unsigned_abs();
    let units = [
        (365 * DAY, "y"),
        (30 * DAY, "mo"),
        (DAY, "d"),
        (HOUR, "h"),
        (60 * SECOND, "m"),
        (SECOND, "s"),
    ];
    let fitting = units.iter().find(|(unit, _)| size > unit.unsigned_abs());
    fitting.map_or_else(
        || "0s".to_owned(),
        |(unit, name)| format!("{}{name}", size / unit.unsigned_abs()),
    )
}
