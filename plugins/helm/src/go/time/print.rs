//! `Time.Format` and `Time.String`.

use super::{
    Civil, DAYS, MONTHS, Time,
    layout::{Offset, Part, next_part},
};

impl Time {
    /// Prints by a layout.
    pub(crate) fn format(&self, layout: &[u8]) -> String {
        let civil = self.civil();
        let (offset, abbreviation, _) = self.zone.at(self.seconds);
        let mut out = Vec::with_capacity(layout.len() + 10);
        let mut rest = layout;
        loop {
            let (prefix, part, suffix) = next_part(rest);
            out.extend_from_slice(prefix);
            let Some(part) = part else {
                return String::from_utf8_lossy(&out).into_owned();
            };
            let printed = match part {
                Part::ZoneName if abbreviation.is_empty() => bare_offset(offset),
                Part::ZoneName => abbreviation.clone(),
                Part::Offset(true, _) if offset == 0 => "Z".to_owned(),
                Part::Offset(_, style) => print_offset(offset, style),
                Part::Fraction {
                    digits,
                    separator,
                    trims,
                } => self.fraction(digits, separator, trims),
                part => print(&civil, part),
            };
            out.extend_from_slice(printed.as_bytes());
            rest = suffix;
        }
    }

    /// As `%v` prints it.
    pub(crate) fn text(&self) -> String {
        self.format(b"2006-01-02 15:04:05.999999999 -0700 MST")
    }

    fn fraction(&self, digits: usize, separator: u8, trims: bool) -> String {
        // there are nine, whatever the layout asks for
        let mut fraction = format!("{:09}", self.nanoseconds);
        fraction.truncate(digits);
        if trims {
            fraction.truncate(fraction.trim_end_matches('0').len());
            if fraction.is_empty() {
                return fraction;
            }
        }
        fraction.insert(0, char::from(separator));
        fraction
    }
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index))
        .copied()
        .unwrap_or_default()
}

fn print(civil: &Civil, part: Part) -> String {
    let short = |name: &str| name.get(..3).unwrap_or_default().to_owned();
    let hour12 = (civil.hour + 11) % 12 + 1;
    match part {
        Part::Year => format!("{:02}", civil.year.unsigned_abs() % 100),
        Part::LongYear if civil.year < 0 => format!("-{:04}", -civil.year),
        Part::LongYear => format!("{:04}", civil.year),
        Part::Month => short(name(&MONTHS, civil.month - 1)),
        Part::LongMonth => name(&MONTHS, civil.month - 1).to_owned(),
        Part::NumMonth => civil.month.to_string(),
        Part::ZeroMonth => format!("{:02}", civil.month),
        Part::Weekday => short(name(&DAYS, civil.weekday)),
        Part::LongWeekday => name(&DAYS, civil.weekday).to_owned(),
        Part::Day => civil.day.to_string(),
        Part::UnderDay => format!("{:2}", civil.day),
        Part::ZeroDay => format!("{:02}", civil.day),
        Part::UnderYearDay => format!("{:3}", civil.year_day),
        Part::ZeroYearDay => format!("{:03}", civil.year_day),
        Part::Hour => format!("{:02}", civil.hour),
        Part::Hour12 => hour12.to_string(),
        Part::ZeroHour12 => format!("{hour12:02}"),
        Part::Minute => civil.minute.to_string(),
        Part::ZeroMinute => format!("{:02}", civil.minute),
        Part::Second => civil.second.to_string(),
        Part::ZeroSecond => format!("{:02}", civil.second),
        Part::UpperPm => (if civil.hour >= 12 { "PM" } else { "AM" }).to_owned(),
        Part::LowerPm => (if civil.hour >= 12 { "pm" } else { "am" }).to_owned(),
        Part::ZoneName | Part::Offset(..) | Part::Fraction { .. } => String::new(),
    }
}

fn print_offset(offset: i64, style: Offset) -> String {
    // the sign is that of the minutes; without any, the seconds keep their own
    let (sign, offset) = if offset <= -60 {
        ('-', -offset)
    } else {
        ('+', offset)
    };
    let (hours, minutes, seconds) = (offset / 3600, offset / 60 % 60, offset % 60);
    let own_sign = if seconds < 0 { "-" } else { "" };
    let seconds = format!("{own_sign}{:02}", seconds.abs());
    match style {
        Offset::Hours => format!("{sign}{hours:02}"),
        Offset::Minutes => format!("{sign}{hours:02}{minutes:02}"),
        Offset::ColonMinutes => format!("{sign}{hours:02}:{minutes:02}"),
        Offset::Seconds => format!("{sign}{hours:02}{minutes:02}{seconds}"),
        Offset::ColonSeconds => format!("{sign}{hours:02}:{minutes:02}:{seconds}"),
    }
}

/// For a zone without a name.
fn bare_offset(offset: i64) -> String {
    print_offset(offset, Offset::Minutes)
}
