//! Version ranges as Flux and Helm understand them (the rules of Masterminds/semver 3, compat/source.md section 15).

use std::{cmp::Ordering, sync::LazyLock};

use regex::Regex;

/// Longest range, in bytes, and most alternatives of it: limits of the original.
const RANGE_LENGTH_MAX: usize = 512;
const ALTERNATIVES_MAX: usize = 32;
/// Longest version, in bytes.
const VERSION_LENGTH_MAX: usize = 256;

/// A version, read loosely: `v1`, `1.2` and leading zeros are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    major: u64,
    minor: u64,
    patch: u64,
    prerelease: String,
    metadata: String,
    original: String,
}

/// Why a text is no version or no range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Not a version.
    #[error("invalid semantic version")]
    InvalidVersion,
    /// Not a range.
    #[error("improper constraint: {0}")]
    InvalidRange(String),
    /// Longer than anybody needs.
    #[error("constraint is too long or has too many alternatives")]
    TooLong,
}

const SUFFIX: &str = r"(-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?";
const OPERATOR: &str = "(>=|=>|<=|=<|!=|~>|[=><~^]|)";

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("invariant: the patterns of this module are constants that compile")
}

static VERSION: LazyLock<Regex> =
    LazyLock::new(|| regex(&format!(r"^v?([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]+))?{SUFFIX}$")));
/// A version in a range, where parts may be wildcards.
static PARTIAL: LazyLock<String> =
    LazyLock::new(|| format!(r"v?([0-9xX*]+)(?:\.([0-9xX*]+))?(?:\.([0-9xX*]+))?{SUFFIX}"));
static HYPHEN: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"\s*({0})\s+-\s+({0})\s*", *PARTIAL)));
static COMPARISON: LazyLock<Regex> = LazyLock::new(|| regex(&format!(r"{OPERATOR}\s*({})", *PARTIAL)));
static ALTERNATIVE: LazyLock<Regex> = LazyLock::new(|| {
    regex(&format!(
        r"^\s*{OPERATOR}\s*{0}\s*(?:(?:\s+|,\s*){OPERATOR}\s*{0}\s*)*$",
        *PARTIAL
    ))
});

impl Version {
    /// Reads a version loosely.
    pub fn parse(text: &str) -> Result<Version, Error> {
        if text.len() > VERSION_LENGTH_MAX {
            return Err(Error::InvalidVersion);
        }
        let found = VERSION.captures(text).ok_or(Error::InvalidVersion)?;
        let number = |group: usize| match found.get(group) {
            Some(digits) => digits.as_str().parse::<u64>().map_err(|_| Error::InvalidVersion),
            None => Ok(0),
        };
        let part = |group: usize| found.get(group).map_or("", |part| part.as_str()).to_owned();
        let prerelease = part(5);
        let has_leading_zero = |part: &str| {
            part.len() > 1 && part.starts_with('0') && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if prerelease.split('.').any(has_leading_zero) {
            return Err(Error::InvalidVersion);
        }
        Ok(Version {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            prerelease,
            metadata: part(6),
            original: text.to_owned(),
        })
    }

    /// Reads a tag as Flux does: loosely, but with all three parts.
    pub fn parse_tag(text: &str) -> Result<Version, Error> {
        if text.splitn(3, '.').count() < 3 {
            return Err(Error::InvalidVersion);
        }
        Version::parse(text)
    }

    /// The text that was read, `v` and all.
    pub fn original(&self) -> &str {
        &self.original
    }

    /// Whether it is a prerelease.
    pub fn is_prerelease(&self) -> bool {
        !self.prerelease.is_empty()
    }

    /// What follows `+`; it counts in no comparison.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The order of precedence; versions that differ in metadata only are equal in it.
    pub fn precedence(&self, other: &Version) -> Ordering {
        let numbers = |version: &Version| (version.major, version.minor, version.patch);
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| compare_prereleases(&self.prerelease, &other.prerelease))
    }
}

fn compare_prereleases(one: &str, other: &str) -> Ordering {
    match (one.is_empty(), other.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let (mut ones, mut others) = (one.split('.'), other.split('.'));
    loop {
        let order = match (ones.next(), others.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(one), Some(other)) => match (one.parse::<u64>(), other.parse::<u64>()) {
                (Ok(one), Ok(other)) => one.cmp(&other),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => one.cmp(other),
            },
        };
        if order.is_ne() {
            return order;
        }
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

/// A range of versions: `>=1.2 <2 || ^3.1.0-0`.
#[derive(Clone, Debug)]
pub struct Range {
    alternatives: Vec<Vec<Comparison>>,
}

impl Range {
    /// Reads a range.
    pub fn parse(text: &str) -> Result<Range, Error> {
        if text.len() > RANGE_LENGTH_MAX {
            return Err(Error::TooLong);
        }
        let spelled_out = HYPHEN.replace_all(text, |found: &regex::Captures<'_>| {
            // Groups: the whole partial, then its five parts, then the second partial.
            let bound = |group: usize| found.get(group).map_or("", |bound| bound.as_str());
            format!(">= {}, <= {}", bound(1), bound(8))
        });
        let alternatives: Vec<&str> = spelled_out.split("||").collect();
        if alternatives.len() > ALTERNATIVES_MAX {
            return Err(Error::TooLong);
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

fn comparisons(text: &str) -> Result<Vec<Comparison>, Error> {
    let text = if text.trim().is_empty() { "*" } else { text };
    if !ALTERNATIVE.is_match(text) {
        return Err(Error::InvalidRange(text.to_owned()));
    }
    COMPARISON
        .captures_iter(text)
        .map(|found| comparison(&found))
        .collect()
}

fn comparison(found: &regex::Captures<'_>) -> Result<Comparison, Error> {
    let group = |number: usize| found.get(number).map_or("", |group| group.as_str());
    let operator = match group(1) {
        "!=" => Operator::Different,
        ">" => Operator::Greater,
        "<" => Operator::Less,
        ">=" | "=>" => Operator::GreaterOrSame,
        "<=" | "=<" => Operator::LessOrSame,
        "~" | "~>" => Operator::Tilde,
        "^" => Operator::Caret,
        _ => Operator::Same,
    };
    let is_open = |part: &str| matches!(part, "" | "x" | "X" | "*");
    let (major, minor, patch, suffix) = (group(3), group(4), group(5), group(6));
    let (open, text) = if is_open(major) {
        (Open::Everything, format!("0.0.0{suffix}"))
    } else if is_open(minor) {
        (Open::Minor, format!("{major}.0.0{suffix}"))
    } else if is_open(patch) {
        (Open::Patch, format!("{major}.{minor}.0{suffix}"))
    } else {
        (Open::Nothing, group(2).to_owned())
    };
    let version = Version::parse(&text).map_err(|_| Error::InvalidRange(group(0).to_owned()))?;
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

#[cfg(test)]
mod tests;
