//! `time.Time`: a moment in a zone, Go's layouts, and what its methods tell.

mod layout;
mod parse;
mod print;
mod zone;

pub(crate) use parse::parse;
pub(crate) use zone::Zone;

use super::duration::SECOND;

const SECONDS_PER_DAY: i64 = 86_400;
/// Seconds from year 1 to 1970: Go's zero time is the start of year 1.
const YEAR_ONE: i64 = -62_135_596_800;

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(crate) const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// A moment, and the zone it is told in.
#[derive(Clone, Debug)]
pub(crate) struct Time {
    /// Seconds since 1970 in UTC.
    pub(crate) seconds: i64,
    pub(crate) nanoseconds: i64,
    pub(crate) zone: Zone,
}

/// A date of the proleptic Gregorian calendar and a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
    /// From Sunday, 0.
    pub(crate) weekday: i64,
    /// From 1.
    pub(crate) year_day: i64,
}

impl Time {
    /// A moment in UTC.
    pub(crate) fn unix(seconds: i64, nanoseconds: i64) -> Self {
        Time {
            seconds: seconds.wrapping_add(nanoseconds.div_euclid(SECOND)),
            nanoseconds: nanoseconds.rem_euclid(SECOND),
            zone: Zone::Utc,
        }
    }

    /// Go's zero value.
    pub(crate) fn zero() -> Self {
        Time::unix(YEAR_ONE, 0)
    }

    pub(crate) fn is_zero(&self) -> bool {
        self.seconds == YEAR_ONE && self.nanoseconds == 0
    }

    pub(crate) fn in_zone(&self, zone: Zone) -> Self {
        Time { zone, ..self.clone() }
    }

    pub(crate) fn add(&self, duration: i64) -> Self {
        Time {
            zone: self.zone.clone(),
            ..Time::unix(
                self.seconds.wrapping_add(duration.div_euclid(SECOND)),
                self.nanoseconds + duration.rem_euclid(SECOND),
            )
        }
    }

    /// The duration since another time, within what a duration can hold.
    pub(crate) fn since(&self, other: &Time) -> i64 {
        let nanoseconds = (i128::from(self.seconds) - i128::from(other.seconds)) * i128::from(SECOND)
            + i128::from(self.nanoseconds - other.nanoseconds);
        i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
    }

    /// The same time of day some years, months and days later; what overflows a month runs into the next.
    pub(crate) fn add_date(&self, years: i64, months: i64, days: i64) -> Self {
        let civil = self.civil();
        let (year, month) = normalized(civil.year + years, civil.month + months);
        let day = days_from_civil(year, month, 1) + civil.day - 1 + days;
        let seconds = day * SECONDS_PER_DAY + civil.hour * 3600 + civil.minute * 60 + civil.second;
        Time {
            seconds: seconds - self.zone.offset_at_local(seconds),
            ..self.clone()
        }
    }

    /// Date and time of day in the zone.
    pub(crate) fn civil(&self) -> Civil {
        civil(self.seconds.saturating_add(self.zone.at(self.seconds).0))
    }

    /// Down to a multiple of a duration since the start of year 1.
    pub(crate) fn truncate(&self, multiple: i64) -> Self {
        self.add(-self.rest(multiple))
    }

    /// To the nearest multiple of a duration since the start of year 1, halves up.
    pub(crate) fn round(&self, multiple: i64) -> Self {
        let rest = self.rest(multiple);
        if rest < multiple - rest || multiple <= 0 {
            self.add(-rest)
        } else {
            self.add(multiple - rest)
        }
    }

    /// What is over a multiple of a duration since the start of year 1.
    fn rest(&self, multiple: i64) -> i64 {
        if multiple <= 0 {
            return 0;
        }
        let nanoseconds = (i128::from(self.seconds) - i128::from(YEAR_ONE)) * i128::from(SECOND)
            + i128::from(self.nanoseconds);
        i64::try_from(nanoseconds.rem_euclid(i128::from(multiple))).unwrap_or(0)
    }

    /// As `encoding/json` writes it; no year outside 0 to 9999.
    pub(crate) fn to_json_text(&self) -> Result<String, String> {
        self.marshalled("MarshalJSON")
    }

    /// RFC 3339 for a `Marshal…` method, which its error names; no year outside 0 to 9999.
    pub(crate) fn marshalled(&self, method: &str) -> Result<String, String> {
        if !(0..=9999).contains(&self.civil().year) {
            return Err(format!("Time.{method}: year outside of range [0,9999]"));
        }
        Ok(self.to_rfc3339())
    }

    /// With as many digits of the fraction as it takes.
    pub(crate) fn to_rfc3339(&self) -> String {
        self.format(b"2006-01-02T15:04:05.999999999Z07:00")
    }

    /// As `%#v` prints it.
    pub(crate) fn go_text(&self) -> String {
        let civil = self.civil();
        let month = usize::try_from(civil.month - 1).ok();
        let month = month.and_then(|month| MONTHS.get(month)).unwrap_or(&"January");
        let zone = match &self.zone {
            Zone::Utc => "time.UTC".to_owned(),
            Zone::Local => "time.Local".to_owned(),
            zone => format!("time.Location({})", quote(zone.name().as_bytes())),
        };
        format!(
            "time.Date({}, time.{month}, {}, {}, {}, {}, {}, {zone})",
            civil.year, civil.day, civil.hour, civil.minute, civil.second, self.nanoseconds
        )
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        (self.seconds, self.nanoseconds) == (other.seconds, other.nanoseconds)
    }
}

fn normalized(year: i64, month: i64) -> (i64, i64) {
    let months = month - 1;
    (year + months.div_euclid(12), months.rem_euclid(12) + 1)
}

/// Days since 1970 of a date; the day may lie outside the month.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // years begin in March, so that the leap day is the last
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Where Go's calendar begins, in March 292277022400 years before year 0. What lies before it counts as the end of the calendar.
const CALENDAR_START: i64 = -9_223_372_028_741_760_000;

/// Date and time of day of seconds since 1970, as the clocks of a zone show them.
fn civil(seconds: i64) -> Civil {
    let day = i128::from(SECONDS_PER_DAY);
    let turn = if seconds < CALENDAR_START { 1 << 64 } else { 0 };
    let shown = i128::from(seconds) + turn;
    let days = i64::try_from(shown.div_euclid(day)).unwrap_or(i64::MAX / SECONDS_PER_DAY);
    let of_day = i64::try_from(shown.rem_euclid(day)).unwrap_or(0);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month,
        day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
        hour: of_day / 3600,
        minute: of_day / 60 % 60,
        second: of_day % 60,
        weekday: (days + 4).rem_euclid(7),
        year_day: days - days_from_civil(year, 1, 1) + 1,
    }
}

pub(crate) fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in(month: i64, year: i64) -> i64 {
    let (next_year, next_month) = normalized(year, month + 1);
    days_from_civil(next_year, next_month, 1) - days_from_civil(year, month, 1)
}

/// In quotes, as messages of package `time` have it: everything that is not ASCII as bytes.
pub(crate) fn quote(text: &[u8]) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for byte in text {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(*byte));
            }
            b' '..=0x7F => out.push(char::from(*byte)),
            byte => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}
