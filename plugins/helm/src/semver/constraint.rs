use std::{cmp::Ordering, fmt};

use super::version::{Version, compare_prerelease, is_identifier};
use crate::Error;

/// The longest text that is taken for constraints.
const LENGTH_MAX: usize = 512;

/// The most alternatives.
const GROUPS_MAX: usize = 32;

/// What a version is checked against: alternatives (`||`) of constraints that must all hold.
#[derive(Clone, Debug)]
pub struct Constraints(Vec<Vec<Constraint>>);

#[derive(Clone, Debug)]
struct Constraint {
    operator: Operator,
    sign: String,
    version: Version,
    text: String,
    /// A number is missing or an `x`: which one is the first.
    open: Option<Open>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Open {
    Major,
    Minor,
    Patch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterEqual,
    LessEqual,
    Tilde,
    Caret,
}

/// Longer signs first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::GreaterEqual),
    ("=>", Operator::GreaterEqual),
    ("<=", Operator::LessEqual),
    ("=<", Operator::LessEqual),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Constraints {
    /// Reads constraints: `>=1.2, <2 || ~3.1 || 4.x || 1.2 - 1.4`.
    ///
    /// # Errors
    /// In the original's words.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > LENGTH_MAX {
            return Err(Error::new(format!(
                "constraint string is too long (max {LENGTH_MAX} bytes)"
            )));
        }
        let text = without_ranges(text);
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > GROUPS_MAX {
            return Err(Error::new(format!(
                "too many constraint groups (max {GROUPS_MAX})"
            )));
        }
        groups.into_iter().map(group).collect::<Result<_, _>>().map(Self)
    }

    /// Whether a version satisfies them. Prereleases only satisfy alternatives that name one.
    pub fn check(&self, version: &Version) -> bool {
        self.0.iter().any(|group| {
            let with_prereleases = group.iter().any(|one| !one.version.prerelease.is_empty());
            (version.prerelease.is_empty() || with_prereleases) && group.iter().all(|one| one.holds(version))
        })
    }
}

impl fmt::Display for Constraints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.iter().enumerate() {
            let group: Vec<_> = group
                .iter()
                .map(|one| format!("{}{}", one.sign, one.text))
                .collect();
            write!(f, "{}{}", if index > 0 { " || " } else { "" }, group.join(" "))?;
        }
        Ok(())
    }
}

/// `1.2 - 1.4` becomes `>= 1.2, <= 1.4`.
fn without_ranges(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words.contains(&"-") {
        return text.to_owned();
    }
    let mut rewritten: Vec<String> = Vec::new();
    let mut words = words.into_iter().peekable();
    while let Some(word) = words.next() {
        let is_version = |word: &str| loose(word).is_some_and(|(_, rest)| rest.is_empty());
        match (word, rewritten.pop()) {
            ("-", Some(from)) if is_version(&from) && words.peek().is_some_and(|to| is_version(to)) => {
                rewritten.push(format!(">= {from}, <= {}", words.next().unwrap_or_default()));
            }
            (word, before) => {
                rewritten.extend(before);
                rewritten.push(word.to_owned());
            }
        }
    }
    rewritten.join(" ")
}

fn group(text: &str) -> Result<Vec<Constraint>, Error> {
    let improper = || Error::new(format!("improper constraint: {text:?}"));
    let mut rest = text.trim_start();
    let mut constraints = Vec::new();
    loop {
        let (sign, operator) = OPERATORS
            .into_iter()
            .find(|(sign, _)| rest.starts_with(sign))
            .unwrap_or(("", Operator::Equal));
        let version = rest.strip_prefix(sign).unwrap_or(rest).trim_start();
        let (parts, after) = loose(version).ok_or_else(improper)?;
        let spelled = version.strip_suffix(after).unwrap_or(version);
        constraints.push(constraint(operator, sign, spelled, &parts)?);
        let next = after.trim_start();
        if next.is_empty() {
            return Ok(constraints);
        }
        rest = match next.strip_prefix(',') {
            Some(next) => next.trim_start(),
            None if next.len() < after.len() => next,
            None => return Err(improper()),
        };
    }
}

/// The parts of a version in a constraint.
struct Loose<'a> {
    numbers: Vec<&'a str>,
    prerelease: &'a str,
}

/// A version that may have an `x` or `*` for a number, at the start of a text; and what follows it.
fn loose(text: &str) -> Option<(Loose<'_>, &str)> {
    let mut rest = text.strip_prefix('v').unwrap_or(text);
    let mut numbers = Vec::new();
    while numbers.len() < 3 {
        let digits = if numbers.is_empty() {
            rest
        } else {
            match rest.strip_prefix('.') {
                Some(digits) => digits,
                None => break,
            }
        };
        let end = digits
            .find(|c: char| !c.is_ascii_digit() && !"xX*|".contains(c))
            .unwrap_or(digits.len());
        if end == 0 {
            break;
        }
        let (number, after) = digits.split_at_checked(end)?;
        numbers.push(number);
        rest = after;
    }
    if numbers.is_empty() {
        return None;
    }
    let mut prerelease = "";
    for sign in ['-', '+'] {
        let Some(tail) = rest.strip_prefix(sign) else {
            continue;
        };
        let end = tail
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.')
            .unwrap_or(tail.len());
        let (tail, after) = tail.split_at_checked(end)?;
        if !tail.split('.').all(is_identifier) {
            return None;
        }
        if sign == '-' {
            prerelease = tail;
        }
        rest = after;
    }
    Some((Loose { numbers, prerelease }, rest))
}

fn constraint(operator: Operator, sign: &str, text: &str, parts: &Loose<'_>) -> Result<Constraint, Error> {
    let is_open = |index: usize| {
        parts
            .numbers
            .get(index)
            .is_none_or(|number| ["x", "X", "*"].contains(number))
    };
    let open = [Open::Major, Open::Minor, Open::Patch]
        .into_iter()
        .enumerate()
        .find(|(index, _)| is_open(*index));
    let known = open.map_or(3, |(index, _)| index);
    let mut numbers: Vec<&str> = parts.numbers.iter().take(known).copied().collect();
    numbers.resize(3, "0");
    let mut version = numbers.join(".");
    if !parts.prerelease.is_empty() {
        version.push('-');
        version.push_str(parts.prerelease);
    }
    let version = Version::parse(&version).map_err(|_| Error::new("constraint parser error"))?;
    Ok(Constraint {
        operator,
        sign: sign.to_owned(),
        version,
        text: text.to_owned(),
        open: open.map(|(_, open)| open),
    })
}

impl Constraint {
    fn holds(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator {
            Operator::Equal if self.open.is_some() => self.tilde(version, order),
            Operator::Equal => order.is_eq(),
            Operator::NotEqual => self.differs(version, order),
            Operator::Greater => self.greater(version, order),
            Operator::Less => order.is_lt(),
            Operator::GreaterEqual => order.is_ge(),
            Operator::LessEqual => self.less_or_equal(version, order),
            Operator::Tilde => self.tilde(version, order),
            Operator::Caret => self.caret(version, order),
        }
    }

    fn differs(&self, version: &Version, order: Ordering) -> bool {
        let Some(open) = self.open else {
            return order.is_ne();
        };
        if version.major != self.version.major {
            return true;
        }
        match open {
            Open::Minor => false,
            _ if version.minor != self.version.minor => true,
            Open::Patch => compare_prerelease(&version.prerelease, &self.version.prerelease).is_ne(),
            Open::Major if version.patch != self.version.patch => true,
            Open::Major => order.is_ne(),
        }
    }

    fn greater(&self, version: &Version, order: Ordering) -> bool {
        let Some(open) = self.open else {
            return order.is_gt();
        };
        match version.major.cmp(&self.version.major) {
            Ordering::Greater => true,
            Ordering::Less => false,
            Ordering::Equal => match open {
                Open::Minor => false,
                Open::Patch => version.minor > self.version.minor,
                Open::Major => order.is_gt(),
            },
        }
    }

    fn less_or_equal(&self, version: &Version, order: Ordering) -> bool {
        let Some(open) = self.open else {
            return order.is_le();
        };
        match version.major.cmp(&self.version.major) {
            Ordering::Greater => false,
            Ordering::Equal => version.minor <= self.version.minor || open == Open::Minor,
            Ordering::Less => true,
        }
    }

    fn tilde(&self, version: &Version, order: Ordering) -> bool {
        if order.is_lt() {
            return false;
        }
        let is_zero = (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0);
        let (minor_open, patch_open) = (self.open == Some(Open::Minor), self.open == Some(Open::Patch));
        if is_zero && !minor_open && !patch_open {
            return true;
        }
        version.major == self.version.major && (version.minor == self.version.minor || minor_open)
    }

    fn caret(&self, version: &Version, order: Ordering) -> bool {
        if order.is_lt() {
            return false;
        }
        let wanted = &self.version;
        if wanted.major > 0 || self.open == Some(Open::Minor) {
            return version.major == wanted.major;
        }
        if version.major > 0 {
            return false;
        }
        if wanted.minor > 0 || self.open == Some(Open::Patch) {
            return version.minor == wanted.minor;
        }
        version.minor == 0 && version.patch == wanted.patch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_satisfy_constraints_as_in_the_original() {
        for (range, version, expected) in [
            (">=1.2, <2", "1.9.9", true),
            (">=1.2 <2", "2.0.0", false),
            ("1.x", "1.4.0", true),
            ("*", "3.1.4", true),
            ("~1.2.3", "1.3.0", false),
            ("^0.2.3", "0.2.9", true),
            ("^0.2.3", "0.3.0", false),
            ("^0.0.3", "0.0.4", false),
            ("1.2 - 1.4.5", "1.4.5", true),
            ("1.2 - 1.4.5", "1.4.6", false),
            (">=1.20.0", "1.21.0-gke.1", false),
            (">=1.20.0-0", "1.21.0-gke.1", true),
            ("<1 || >=2", "2.1.0", true),
            ("!=1.x", "1.4.0", false),
            (">1.2", "1.2.9", false),
            ("<=1.2", "1.2.9", true),
            ("v1.2.3", "1.2.3+build", true),
        ] {
            let range = Constraints::parse(range).unwrap();
            assert_eq!(
                range.check(&Version::parse(version).unwrap()),
                expected,
                "{range} {version}"
            );
        }
        for wrong in ["", "a", ">1.2<2", ">= ", "1.2.3.4 "] {
            assert!(Constraints::parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
