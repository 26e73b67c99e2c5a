//! Dates and times: the four layouts that Go's libraries try.

/// The time as RFC 3339 with the fraction it needs, if the text is one.
pub(super) fn parse(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.iter().take_while(|b| b.is_ascii_digit()).count() != 4 || bytes.get(4) != Some(&b'-') {
        return None;
    }
    let mut rest = Rest(text.get(5..)?);
    let year: u32 = text.get(..4)?.parse().ok()?;
    let month = rest.number()?;
    rest.expect('-')?;
    let day = rest.number()?;
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let separator = rest.0.chars().next()?;
    rest.0 = rest.0.get(separator.len_utf8()..)?;
    if !matches!(separator, 'T' | 't' | ' ') {
        return None;
    }
    let (hour, minute, second) = (
        rest.number()?,
        rest.expect(':').and_then(|()| rest.number())?,
        rest.expect(':').and_then(|()| rest.number())?,
    );
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = if separator == ' ' {
        "Z".to_owned()
    } else {
        rest.zone()?
    };
    rest.0
        .is_empty()
        .then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    /// One digit or two.
    fn number(&mut self) -> Option<u32> {
        let length = self.0.bytes().take(2).take_while(u8::is_ascii_digit).count();
        let value = self.0.get(..length)?.parse().ok()?;
        self.0 = self.0.get(length..)?;
        Some(value)
    }

    fn expect(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    /// `.` or `,` and digits, of which nine count; zeros at the end vanish.
    fn fraction(&mut self) -> String {
        let digits = match self.0.strip_prefix(['.', ',']) {
            Some(rest) => rest.bytes().take_while(u8::is_ascii_digit).count(),
            None => 0,
        };
        if digits == 0 {
            return String::new();
        }
        let shown = self
            .0
            .get(1..=digits.min(9))
            .unwrap_or_default()
            .trim_end_matches('0')
            .to_owned();
        self.0 = self.0.get(digits + 1..).unwrap_or_default();
        if shown.is_empty() {
            shown
        } else {
            format!(".{shown}")
        }
    }

    /// `Z`, or hours and minutes with a sign; an offset of nothing is `Z`.
    fn zone(&mut self) -> Option<String> {
        if let Some(rest) = self.0.strip_prefix('Z') {
            self.0 = rest;
            return Some("Z".into());
        }
        let zone = self.0.get(..6)?;
        let (hours, minutes) = (zone.get(1..3)?, zone.get(4..6)?);
        let digits = hours.bytes().chain(minutes.bytes()).all(|b| b.is_ascii_digit());
        if !zone.starts_with(['+', '-'])
            || zone.get(3..4) != Some(":")
            || !digits
            || hours > "24"
            || minutes > "60"
        {
            return None;
        }
        self.0 = self.0.get(6..)?;
        Some(if hours == "00" && minutes == "00" {
            "Z".into()
        } else {
            zone.into()
        })
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}
