//! Go's layouts: the reference time, written the way a time shall be.

/// A piece of a layout that stands for a part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekday,
    Weekday,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    ZoneName,
    /// An offset: whether UTC is `Z`, and how it is written.
    Offset(bool, Offset),
    /// So many digits of a fraction, its separator, and whether zeros at the end go.
    Fraction {
        digits: usize,
        separator: u8,
        trims: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    /// `07`
    Hours,
    /// `0700`
    Minutes,
    /// `07:00`
    ColonMinutes,
    /// `070000`
    Seconds,
    /// `07:00:00`
    ColonSeconds,
}

const OFFSETS: [(&[u8], Offset); 5] = [
    (b"070000", Offset::Seconds),
    (b"07:00:00", Offset::ColonSeconds),
    (b"0700", Offset::Minutes),
    (b"07:00", Offset::ColonMinutes),
    (b"07", Offset::Hours),
];

/// The text before the first part of a layout, the part, and what follows it.
pub(super) fn next_part(layout: &[u8]) -> (&[u8], Option<Part>, &[u8]) {
    for at in 0..layout.len() {
        let rest = layout.get(at..).unwrap_or_default();
        if let Some((skipped, part, length)) = part_at(rest) {
            let prefix = layout.get(..at + skipped).unwrap_or_default();
            return (
                prefix,
                Some(part),
                rest.get(skipped + length..).unwrap_or_default(),
            );
        }
    }
    (layout, None, b"")
}

/// The part a text starts with: bytes before it that are text, the part, its length.
fn part_at(text: &[u8]) -> Option<(usize, Part, usize)> {
    let found = |part, length| Some((0, part, length));
    let starts_with = |prefix: &[u8]| text.starts_with(prefix);
    let is_lower_at = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    match text.first()? {
        b'J' if starts_with(b"January") => found(Part::LongMonth, 7),
        b'J' if starts_with(b"Jan") && !is_lower_at(3) => found(Part::Month, 3),
        b'M' if starts_with(b"Monday") => found(Part::LongWeekday, 6),
        b'M' if starts_with(b"Mon") && !is_lower_at(3) => found(Part::Weekday, 3),
        b'M' if starts_with(b"MST") => found(Part::ZoneName, 3),
        b'0' if starts_with(b"002") => found(Part::ZeroYearDay, 3),
        b'0' => {
            let part = match text.get(1)? {
                b'1' => Part::ZeroMonth,
                b'2' => Part::ZeroDay,
                b'3' => Part::ZeroHour12,
                b'4' => Part::ZeroMinute,
                b'5' => Part::ZeroSecond,
                b'6' => Part::Year,
                _ => return None,
            };
            found(part, 2)
        }
        b'1' if starts_with(b"15") => found(Part::Hour, 2),
        b'1' => found(Part::NumMonth, 1),
        b'2' if starts_with(b"2006") => found(Part::LongYear, 4),
        b'2' => found(Part::Day, 1),
        b'_' if starts_with(b"_2006") => Some((1, Part::LongYear, 4)),
        b'_' if starts_with(b"_2") => found(Part::UnderDay, 2),
        b'_' if starts_with(b"__2") => found(Part::UnderYearDay, 3),
        b'3' => found(Part::Hour12, 1),
        b'4' => found(Part::Minute, 1),
        b'5' => found(Part::Second, 1),
        b'P' if starts_with(b"PM") => found(Part::UpperPm, 2),
        b'p' if starts_with(b"pm") => found(Part::LowerPm, 2),
        sign @ (b'-' | b'Z') => {
            let rest = text.get(1..)?;
            let (written, offset) = OFFSETS.iter().find(|(written, _)| rest.starts_with(written))?;
            found(Part::Offset(*sign == b'Z', *offset), written.len() + 1)
        }
        separator @ (b'.' | b',') => fraction(*separator, text.get(1..)?),
        _ => None,
    }
}

/// `.000` or `.999`, where no other digit follows.
fn fraction(separator: u8, text: &[u8]) -> Option<(usize, Part, usize)> {
    let digit = *text.first().filter(|byte| matches!(byte, b'0' | b'9'))?;
    let digits = text.iter().take_while(|byte| **byte == digit).count();
    if text.get(digits).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let part = Part::Fraction {
        digits,
        separator,
        trims: digit == b'9',
    };
    Some((0, part, digits + 1))
}
