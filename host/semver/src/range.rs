//! Ranges of versions.

use std::cmp::Ordering;

use crate::{
    Error, Version,
    error::{ALTERNATIVES_MAX, RANGE_LENGTH_MAX},
    scan::{Numbers, Parts, Scanner},
    version::compare_prereleases,
};

/// A range of versions: `>=1.2 <2 || ^3.1.0-0`.
#[derive(Clone, Debug)]
pub struct Range {
    alternatives: Vec<Vec<Comparison>>,
}

impl Range {
    /// Reads a range.
    ///
    /// # Errors
    /// Where the text is no range or too long a one.
    pub fn parse(text: &str) -> Result<Range, Error> {
        if text.len() > RANGE_LENGTH_MAX {
            return Err(Error::RangeTooLong);
        }
        let spelled_out = spell_out(text);
        let alternatives: Vec<&str> = spelled_out.split("||").collect();
        if alternatives.len() > ALTERNATIVES_MAX {
            return Err(Error::TooManyAlternatives);
        }
        let alternatives = alternatives
            .into_iter()
            .map(comparisons)
            .collect::<Result<_, _>>()?;
        Ok(Range { alternatives })
    }

    /// Whether a version lies in the range.
    ///
    /// A prerelease does only where an alternative names one itself: `>=1.0.0-0`.
    pub fn contains(&self, version: &Version) -> bool {
        self.alternatives.iter().any(|comparisons| {
            let admits_prereleases = comparisons
                .iter()
                .any(|comparison| comparison.version.is_prerelease());
            (admits_prereleases || !version.is_prerelease())
                && comparisons.iter().all(|comparison| comparison.admits(version))
        })
    }

    /// The tags in the range with the highest precedence, several where they differ in metadata only.
    pub fn newest<'a>(&self, tags: impl IntoIterator<Item = &'a str>) -> Vec<Version> {
        let mut newest: Vec<Version> = Vec::new();
        let versions = tags.into_iter().filter_map(|tag| Version::parse_tag(tag).ok());
        for version in versions.filter(|version| self.contains(version)) {
            match newest
                .first()
                .map_or(Ordering::Greater, |best| version.precedence(best))
            {
                Ordering::Greater => newest = vec![version],
                Ordering::Equal => newest.push(version),
                Ordering::Less => {}
            }
        }
        newest
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    /// None or `=`: the version itself, or what a wildcard leaves open.
    Same,
    Different,
    Greater,
    Less,
    GreaterOrSame,
    LessOrSame,
    Tilde,
    Caret,
}

/// Where a version of a range is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Nothing,
    Everything,
    Minor,
    Patch,
}

#[derive(Clone, Debug)]
struct Comparison {
    operator: Operator,
    version: Version,
    open: Open,
}

/// `1.2 - 1.4` as `>= 1.2, <= 1.4`, wherever it stands.
fn spell_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut scanner = Scanner::new(text);
    loop {
        let before = scanner;
        if let Some((low, high)) = hyphen(&mut scanner) {
            out.push_str(&format!(">= {low}, <= {high} "));
            continue;
        }
        scanner = before;
        let rest = scanner.rest();
        if !scanner.advance() {
            return out;
        }
        out.push_str(rest.strip_suffix(scanner.rest()).unwrap_or_default());
    }
}

fn hyphen<'a>(scanner: &mut Scanner<'a>) -> Option<(&'a str, &'a str)> {
    scanner.skip_blanks();
    let low = scanner.parts(Numbers::Wildcards)?;
    if !scanner.skip_blanks() {
        return None;
    }
    scanner.take(&["-"])?;
    if !scanner.skip_blanks() {
        return None;
    }
    let high = scanner.parts(Numbers::Wildcards)?;
    scanner.skip_blanks();
    Some((low.text, high.text))
}

/// The comparisons of one alternative: at least one, with blanks or a comma between them.
fn comparisons(text: &str) -> Result<Vec<Comparison>, Error> {
    let improper = || Error::InvalidRange(text.to_owned());
    let mut scanner = Scanner::new(text);
    scanner.skip_blanks();
    let mut found = Vec::new();
    loop {
        let operator = operator(&mut scanner);
        scanner.skip_blanks();
        let parts = scanner.parts(Numbers::Wildcards).ok_or_else(improper)?;
        found.push((operator, parts));
        let is_separate = scanner.skip_blanks();
        let is_separate = scanner.take(&[","]).is_some() || is_separate;
        scanner.skip_blanks();
        if scanner.is_at_end() && !text.trim_end().ends_with(',') {
            break;
        }
        if !is_separate {
            return Err(improper());
        }
    }
    found
        .into_iter()
        .map(|(operator, parts)| comparison(operator, &parts))
        .collect()
}

fn operator(scanner: &mut Scanner<'_>) -> Operator {
    const TEXTS: [&str; 11] = [">=", "=>", "<=", "=<", "!=", "~>", "=", ">", "<", "~", "^"];
    match scanner.take(&TEXTS) {
        Some("!=") => Operator::Different,
        Some(">") => Operator::Greater,
        Some("<") => Operator::Less,
        Some(">=" | "=>") => Operator::GreaterOrSame,
        Some("<=" | "=<") => Operator::LessOrSame,
        Some("~" | "~>") => Operator::Tilde,
        Some("^") => Operator::Caret,
        _ => Operator::Same,
    }
}

fn comparison(operator: Operator, parts: &Parts<'_>) -> Result<Comparison, Error> {
    let is_open = |part: &str| matches!(part, "" | "x" | "X" | "*");
    let Parts {
        major,
        minor,
        patch,
        prerelease,
        ..
    } = parts;
    let suffix = if prerelease.is_empty() {
        String::new()
    } else {
        format!("-{prerelease}")
    };
    let (open, text) = if is_open(major) {
        (Open::Everything, format!("0.0.0{suffix}"))
    } else if is_open(minor) {
        (Open::Minor, format!("{major}.0.0{suffix}"))
    } else if is_open(patch) {
        (Open::Patch, format!("{major}.{minor}.0{suffix}"))
    } else {
        (Open::Nothing, parts.text.to_owned())
    };
    let version = Version::parse(&text).map_err(|_| Error::InvalidBound)?;
    Ok(Comparison {
        operator,
        version,
        open,
    })
}

impl Comparison {
    fn admits(&self, version: &Version) -> bool {
        let order = version.precedence(&self.version);
        let bound = &self.version;
        match self.operator {
            Operator::Same if self.open == Open::Nothing => order.is_eq(),
            Operator::Same | Operator::Tilde => self.tilde(version),
            Operator::Different => self.different(version),
            Operator::Less => order.is_lt(),
            Operator::GreaterOrSame => order.is_ge(),
            Operator::Greater => match self.open {
                Open::Nothing | Open::Everything => order.is_gt(),
                Open::Minor => version.major > bound.major,
                Open::Patch => (version.major, version.minor) > (bound.major, bound.minor),
            },
            Operator::LessOrSame => match self.open {
                Open::Nothing => order.is_le(),
                Open::Minor => version.major <= bound.major,
                Open::Everything | Open::Patch => {
                    (version.major, version.minor) <= (bound.major, bound.minor)
                        || version.major < bound.major
                }
            },
            Operator::Caret => self.caret(version),
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let bound = &self.version;
        if version.precedence(bound).is_lt() {
            return false;
        }
        let is_zero = (bound.major, bound.minor, bound.patch) == (0, 0, 0);
        if is_zero && !matches!(self.open, Open::Minor | Open::Patch) {
            return true;
        }
        version.major == bound.major && (version.minor == bound.minor || self.open == Open::Minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let bound = &self.version;
        if version.precedence(bound).is_lt() {
            return false;
        }
        if bound.major > 0 || self.open == Open::Minor {
            return version.major == bound.major;
        }
        if version.major > bound.major {
            return false;
        }
        if bound.minor > 0 || self.open == Open::Patch {
            return version.minor == bound.minor;
        }
        version.minor == 0 && version.patch == bound.patch
    }

    fn different(&self, version: &Version) -> bool {
        let bound = &self.version;
        match self.open {
            Open::Nothing | Open::Everything => version.precedence(bound).is_ne(),
            Open::Minor => version.major != bound.major,
            Open::Patch => {
                (version.major, version.minor) != (bound.major, bound.minor)
                    || compare_prereleases(&version.prerelease, &bound.prerelease).is_ne()
            }
        }
    }
}
