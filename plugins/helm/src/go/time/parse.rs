//! `time.Parse`.

use super::{
    DAYS, MONTHS, Time, Zone, days_from_civil, days_in, is_leap,
    layout::{Offset, Part, next_part},
    quote,
};
use crate::go::duration::SECOND;

/// What was found so far.
#[derive(Debug, Default)]
struct Found {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanoseconds: i64,
    is_pm: Option<bool>,
    is_utc: bool,
    offset: Option<i64>,
    zone_name: String,
}

/// Why a part does not fit.
enum Misfit {
    /// It is not what the layout says.
    Bad,
    /// It is, but no such thing exists: `month`.
    Range(&'static str),
}

/// A text of which the front is taken off.
struct Input<'a>(&'a [u8]);

/// Reads a time by a layout; without a zone it is UTC.
///
/// # Errors
/// Go's text.
pub(crate) fn parse(layout: &[u8], text: &[u8]) -> Result<Time, String> {
    let mut found = Found::default();
    let mut input = Input(text);
    let mut rest = layout;
    let cannot = |value: &[u8], part: &[u8]| {
        let (text, layout) = (quote(text), quote(layout));
        format!(
            "parsing time {text} as {layout}: cannot parse {} as {}",
            quote(value),
            quote(part)
        )
    };
    let wrong = |what: &str| format!("parsing time {}: {what}", quote(text));
    loop {
        let (prefix, part, suffix) = next_part(rest);
        let written = rest
            .get(prefix.len()..rest.len() - suffix.len())
            .unwrap_or_default();
        if !input.skip(prefix) {
            return Err(cannot(input.0, prefix));
        }
        let Some(part) = part else {
            if !input.0.is_empty() {
                return Err(wrong(&format!("extra text: {}", quote(input.0))));
            }
            break;
        };
        let before = input.0;
        let next_is_fraction = matches!(next_part(suffix), (_, Some(Part::Fraction { .. }), _));
        match found.take(part, &mut input, next_is_fraction) {
            Ok(()) => {}
            Err(Misfit::Range(what)) => return Err(wrong(&format!("{what} out of range"))),
            Err(Misfit::Bad) => return Err(cannot(before, written)),
        }
        rest = suffix;
    }
    found.time().map_err(wrong)
}

impl<'a> Input<'a> {
    /// Takes the layout's own text; blanks stand for any number of blanks.
    fn skip(&mut self, mut prefix: &[u8]) -> bool {
        while let Some(first) = prefix.first() {
            if *first == b' ' {
                if self.0.first().is_some_and(|byte| *byte != b' ') {
                    return false;
                }
                prefix = trim_blanks(prefix);
                self.0 = trim_blanks(self.0);
                continue;
            }
            match self.0.strip_prefix(&[*first]) {
                Some(rest) => self.0 = rest,
                None => return false,
            }
            prefix = prefix.get(1..).unwrap_or_default();
        }
        true
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Misfit> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Misfit::Bad)?;
        self.0 = rest;
        Ok(taken)
    }

    fn is_digit(&self, at: usize) -> bool {
        self.0.get(at).is_some_and(u8::is_ascii_digit)
    }

    /// One or two digits, or two where it must be two.
    fn number(&mut self, is_fixed: bool) -> Result<i64, Misfit> {
        match (self.is_digit(0), self.is_digit(1)) {
            (true, true) => number(self.take(2)?),
            (true, false) if !is_fixed => number(self.take(1)?),
            _ => Err(Misfit::Bad),
        }
    }

    /// Up to three digits.
    fn number3(&mut self, is_fixed: bool) -> Result<i64, Misfit> {
        let length = (0..3).take_while(|at| self.is_digit(*at)).count();
        if length == 0 || is_fixed && length != 3 {
            return Err(Misfit::Bad);
        }
        number(self.take(length)?)
    }

    /// One of the names, or of their first letters, in any case.
    fn name(&mut self, names: &[&str], length: usize) -> Result<i64, Misfit> {
        for (index, name) in names.iter().enumerate() {
            let name = name.as_bytes();
            let name = name.get(..length.min(name.len())).unwrap_or_default();
            if self
                .0
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
            {
                self.take(name.len())?;
                return i64::try_from(index).map_err(|_| Misfit::Bad);
            }
        }
        Err(Misfit::Bad)
    }

    fn blank(&mut self) {
        self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
    }

    /// A separator and digits.
    fn fraction(&mut self, length: usize) -> Result<i64, Misfit> {
        let taken = self.take(length)?;
        let digits = match taken.split_first() {
            Some((b'.' | b',', digits)) => digits,
            _ => return Err(Misfit::Bad),
        };
        let digits = digits.get(..9).unwrap_or(digits);
        let scale = 10_i64.pow(u32::try_from(9 - digits.len()).unwrap_or(0));
        // a sign takes the place of a digit, and alone it is zero
        let value = match digits {
            [b'+' | b'-'] => 0,
            digits => number(digits)?,
        };
        if value < 0 {
            return Err(Misfit::Range("fractional second"));
        }
        Ok(value * scale)
    }
}

/// Without blanks at the start; other white space stays.
fn trim_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| **byte == b' ').count();
    text.get(blanks..).unwrap_or_default()
}

fn number(digits: &[u8]) -> Result<i64, Misfit> {
    let text = std::str::from_utf8(digits).map_err(|_| Misfit::Bad)?;
    text.parse().map_err(|_| Misfit::Bad)
}

fn within(value: i64, range: std::ops::RangeInclusive<i64>, what: &'static str) -> Result<i64, Misfit> {
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(Misfit::Range(what))
    }
}

impl Found {
    fn take(&mut self, part: Part, input: &mut Input<'_>, next_is_fraction: bool) -> Result<(), Misfit> {
        match part {
            Part::Year => {
                let year = number(input.take(2)?)?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
            }
            Part::LongYear if !input.is_digit(0) => return Err(Misfit::Bad),
            Part::LongYear => self.year = number(input.take(4)?)?,
            Part::Month => self.month = Some(input.name(&MONTHS, 3)? + 1),
            Part::LongMonth => self.month = Some(input.name(&MONTHS, usize::MAX)? + 1),
            Part::NumMonth | Part::ZeroMonth => {
                let month = input.number(part == Part::ZeroMonth)?;
                self.month = Some(within(month, 1..=12, "month")?);
            }
            Part::Weekday => {
                input.name(&DAYS, 3)?;
            }
            Part::LongWeekday => {
                input.name(&DAYS, usize::MAX)?;
            }
            Part::Day | Part::UnderDay | Part::ZeroDay => {
                if part == Part::UnderDay {
                    input.blank();
                }
                self.day = Some(input.number(part == Part::ZeroDay)?);
            }
            Part::UnderYearDay | Part::ZeroYearDay => {
                if part == Part::UnderYearDay {
                    input.blank();
                    input.blank();
                }
                self.year_day = Some(input.number3(part == Part::ZeroYearDay)?);
            }
            Part::Hour => self.hour = within(input.number(false)?, 0..=23, "hour")?,
            Part::Hour12 | Part::ZeroHour12 => {
                self.hour = within(input.number(part == Part::ZeroHour12)?, 0..=12, "hour")?;
            }
            Part::Minute | Part::ZeroMinute => {
                self.minute = within(input.number(part == Part::ZeroMinute)?, 0..=59, "minute")?;
            }
            Part::Second | Part::ZeroSecond => {
                self.second = within(input.number(part == Part::ZeroSecond)?, 0..=59, "second")?;
                // a fraction is read where the layout has none
                if matches!(input.0, [b'.' | b',', digit, ..] if digit.is_ascii_digit()) && !next_is_fraction
                {
                    self.fraction(input)?;
                }
            }
            Part::UpperPm | Part::LowerPm => {
                let (pm, am): (&[u8], &[u8]) = match part {
                    Part::UpperPm => (b"PM", b"AM"),
                    _ => (b"pm", b"am"),
                };
                let written = input.take(2)?;
                if written != pm && written != am {
                    return Err(Misfit::Bad);
                }
                self.is_pm = Some(self.is_pm == Some(true) || written == pm);
            }
            Part::Offset(true, _) if input.0.starts_with(b"Z") => {
                input.take(1)?;
                self.is_utc = true;
            }
            Part::Offset(_, style) => self.offset = Some(offset(input, style)?),
            Part::ZoneName if input.0.starts_with(b"UTC") => {
                input.take(3)?;
                self.is_utc = true;
            }
            Part::ZoneName => {
                let length = zone_name(input.0).ok_or(Misfit::Bad)?;
                self.zone_name = String::from_utf8_lossy(input.take(length)?).into_owned();
            }
            Part::Fraction {
                digits, trims: false, ..
            } => self.nanoseconds = input.fraction(digits + 1)?,
            Part::Fraction { .. } => {
                if matches!(input.0, [b'.' | b',', digit, ..] if digit.is_ascii_digit()) {
                    self.fraction(input)?;
                }
            }
        }
        Ok(())
    }

    /// A separator and all digits that follow.
    fn fraction(&mut self, input: &mut Input<'_>) -> Result<(), Misfit> {
        let digits = input
            .0
            .iter()
            .skip(1)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.nanoseconds = input.fraction(digits + 1)?;
        Ok(())
    }

    fn time(mut self) -> Result<Time, &'static str> {
        match self.is_pm {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(year_day) = self.year_day {
            self.place_in_year(year_day)?;
        }
        let month = self.month.unwrap_or(1);
        let day = self.day.unwrap_or(1);
        if day < 1 || day > days_in(month, self.year) {
            return Err("day out of range");
        }
        let days = days_from_civil(self.year, month, day);
        let seconds = days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second;
        let utc = Time::unix(seconds, self.nanoseconds % SECOND);
        let at = |offset: i64, zone: Zone| Time {
            seconds: seconds - offset,
            zone,
            ..utc.clone()
        };
        if self.is_utc || self.zone_name == "UTC" {
            return Ok(utc);
        }
        Ok(match self.offset {
            None | Some(0) if self.zone_name.is_empty() => utc.in_zone(Zone::Local),
            Some(offset) => at(offset, Zone::Fixed(self.zone_name.into(), offset)),
            None => {
                // an unknown abbreviation is a zone without an offset; GMT+3 tells its own
                let hours = self
                    .zone_name
                    .strip_prefix("GMT")
                    .and_then(|hours| hours.parse().ok());
                let offset = hours.unwrap_or(0) * 3600;
                Time {
                    zone: Zone::Fixed(self.zone_name.into(), offset),
                    ..utc
                }
            }
        })
    }

    fn place_in_year(&mut self, year_day: i64) -> Result<(), &'static str> {
        if year_day < 1 || year_day > 365 + i64::from(is_leap(self.year)) {
            return Err("day-of-year out of range");
        }
        let start = days_from_civil(self.year, 1, 1);
        let date = super::civil((start + year_day - 1) * 86_400);
        if self.month.is_some_and(|month| month != date.month) {
            return Err("day-of-year does not match month");
        }
        if self.day.is_some_and(|day| day != date.day) {
            return Err("day-of-year does not match day");
        }
        (self.month, self.day) = (Some(date.month), Some(date.day));
        Ok(())
    }
}

fn offset(input: &mut Input<'_>, style: Offset) -> Result<i64, Misfit> {
    let length = match style {
        Offset::Hours => 3,
        Offset::Minutes => 5,
        Offset::ColonMinutes => 6,
        Offset::Seconds => 7,
        Offset::ColonSeconds => 9,
    };
    let written = input.take(length)?;
    let is_colon = |at: usize| written.get(at) == Some(&b':');
    let places: &[usize] = match style {
        Offset::Hours => &[1],
        Offset::Minutes => &[1, 3],
        Offset::ColonMinutes if is_colon(3) => &[1, 4],
        Offset::Seconds => &[1, 3, 5],
        Offset::ColonSeconds if is_colon(3) && is_colon(6) => &[1, 4, 7],
        Offset::ColonMinutes | Offset::ColonSeconds => return Err(Misfit::Bad),
    };
    let mut numbers = [0; 3];
    let mut is_bad = false;
    for (number, at) in numbers.iter_mut().zip(places) {
        match Input(written.get(*at..at + 2).unwrap_or_default()).number(true) {
            Ok(two) => *number = two,
            Err(_) => {
                is_bad = true;
                break;
            }
        }
    }
    let [hours, minutes, seconds] = numbers;
    // what is too large is told before what is no number, and the smallest unit first
    within(seconds, 0..=60, "time zone offset second")?;
    within(minutes, 0..=60, "time zone offset minute")?;
    within(hours, 0..=24, "time zone offset hour")?;
    if is_bad {
        return Err(Misfit::Bad);
    }
    let offset = (hours * 60 + minutes) * 60 + seconds;
    match written.first() {
        Some(b'+') => Ok(offset),
        Some(b'-') => Ok(-offset),
        _ => Err(Misfit::Bad),
    }
}

/// The length of an abbreviation of a zone.
fn zone_name(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(3 + signed_hours(rest));
    }
    if matches!(text, [b'+' | b'-', _, _, ..]) {
        return Some(signed_hours(text)).filter(|length| *length > 0);
    }
    let uppers = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase())
        .count();
    match uppers {
        3 => Some(3),
        4 if text.get(3) == Some(&b'T') || text.starts_with(b"WITA") => Some(4),
        5 if text.get(4) == Some(&b'T') => Some(5),
        _ => None,
    }
}

/// The length of `+3` or `-11`; 0 where it is none, or too large.
fn signed_hours(text: &[u8]) -> usize {
    let Some((b'+' | b'-', rest)) = text.split_first() else {
        return 0;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    match number(rest.get(..digits).unwrap_or_default()) {
        Ok(0..=23) => digits + 1,
        _ => 0,
    }
}
