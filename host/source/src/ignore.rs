//! `.sourceignore` and `spec.ignore`: which files of a source become part of its artifact.
//!
//! The dialect is go-git's reading of `.gitignore`, which Flux uses and which differs from git's:
//! a match on any directory above excludes a file, and nothing keeps a later pattern from including it again
//! (compat/source.md section 4).

use std::{
    fmt::{self, Write as _},
    sync::Arc,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};

/// The file with patterns, in any directory.
pub const IGNORE_FILE: &str = ".sourceignore";

/// Longest `.sourceignore` that is read, in bytes: each path is tested against each line.
pub const IGNORE_FILE_SIZE_MAX: u64 = 1 << 20;
/// Most bytes of all `.sourceignore` files of one source that are held before their patterns are read.
pub const IGNORE_FILES_SIZE_MAX: u64 = 8 << 20;
/// Most patterns of one source, for the same reason.
pub const PATTERNS_MAX: usize = 20_000;

/// What is never part of an artifact: version control's own files.
pub const VCS: &[&str] = &[".git/", ".gitignore", ".gitmodules", ".gitattributes"];
/// Files that hold no manifests, by the end of their names.
pub const EXTENSIONS: &[&str] = &[
    "*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip",
];
const OTHERS: &[&str] = &[
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// One line of an ignore file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Directory of the file that the line comes from; the pattern says nothing about paths elsewhere. One for all its lines.
    domain: Arc<[String]>,
    is_inclusion: bool,
    is_directory_only: bool,
    /// One part is tested against every name of a path; several are anchored to the domain.
    parts: Vec<String>,
}

/// Reads patterns, one a line. `domain` are the names of the directory they apply to.
pub fn parse(text: &str, domain: &[&str]) -> Vec<Pattern> {
    let domain = owned(domain);
    text.split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| parse_line(line, &domain))
        .collect()
}

fn owned(domain: &[&str]) -> Arc<[String]> {
    domain.iter().map(|name| (*name).to_owned()).collect()
}

fn parse_line(line: &str, domain: &Arc<[String]>) -> Pattern {
    let (is_inclusion, line) = match line.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let line = if line.ends_with("\\ ") {
        line
    } else {
        line.trim_end_matches(' ')
    };
    let (is_directory_only, line) = match line.strip_suffix('/') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let parts = line.split('/').map(str::to_owned).collect();
    Pattern {
        domain: Arc::clone(domain),
        is_inclusion,
        is_directory_only,
        parts,
    }
}

impl Pattern {
    fn matches(&self, path: &[&str], is_directory: bool) -> bool {
        let Some((above, path)) = path.split_at_checked(self.domain.len()) else {
            return false;
        };
        if path.is_empty() || above.iter().ne(self.domain.iter()) {
            return false;
        }
        match self.parts.as_slice() {
            [name] => self.matches_any_name(name, path, is_directory),
            parts => self.matches_anchored(parts, path, is_directory),
        }
    }

    fn matches_any_name(&self, pattern: &str, path: &[&str], is_directory: bool) -> bool {
        let Some(at) = path.iter().position(|name| name_matches(pattern, name)) else {
            return false;
        };
        let is_last = at + 1 == path.len();
        !(self.is_directory_only && is_last && !is_directory)
    }

    /// Matches where the pattern matches the path or a directory above it.
    fn matches_anchored(&self, parts: &[String], path: &[&str], is_directory: bool) -> bool {
        let mut rest = path;
        let mut is_matched = false;
        let mut may_skip = false;
        for (number, part) in parts.iter().enumerate() {
            match part.as_str() {
                "" => may_skip = false,
                "**" if number + 1 == parts.len() => break,
                "**" => may_skip = true,
                glued if glued.contains("**") => return false,
                part if may_skip => {
                    may_skip = false;
                    match rest.iter().position(|name| name_matches(part, name)) {
                        Some(at) => {
                            is_matched = true;
                            rest = rest.get(at + 1..).unwrap_or_default();
                        }
                        None if rest.is_empty() => return false,
                        None => {
                            is_matched = false;
                            rest = &[];
                        }
                    }
                }
                part => {
                    let Some((name, below)) = rest.split_first() else {
                        return false;
                    };
                    if !name_matches(part, name) {
                        return false;
                    }
                    is_matched = true;
                    rest = below;
                }
            }
        }
        is_matched && !(self.is_directory_only && !is_directory && rest.is_empty())
    }
}

/// All rules of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    patterns: Vec<Pattern>,
}

impl Rules {
    /// The rules for a Git or OCI source: `patterns` are those of its `.sourceignore` files, then those of
    /// `spec.ignore`. Any pattern at all replaces the default lists but for the version control files.
    pub fn new(patterns: Vec<Pattern>) -> Rules {
        let (extensions, others): (&[&str], &[&str]) = match patterns.is_empty() {
            true => (EXTENSIONS, OTHERS),
            false => (&[], &[]),
        };
        let built_in = VCS.iter().chain(extensions).chain(others);
        let domain = owned(&[]);
        let built_in = built_in.map(|line| parse_line(line, &domain));
        Rules {
            patterns: built_in.chain(patterns).collect(),
        }
    }

    /// The rules of Flux's command line for a local directory: `patterns` beside the default lists, which hold in and below
    /// the directory `domain`.
    pub fn beside_defaults(patterns: Vec<Pattern>, domain: &[&str]) -> Rules {
        let domain = owned(domain);
        let built_in = VCS.iter().chain(EXTENSIONS).chain(OTHERS);
        let built_in = built_in.map(|line| parse_line(line, &domain));
        Rules {
            patterns: built_in.chain(patterns).collect(),
        }
    }

    /// These patterns and no others.
    pub fn only(patterns: Vec<Pattern>) -> Rules {
        Rules { patterns }
    }

    /// Whether the file or directory at `path` is left out. The last pattern that matches decides.
    pub fn excludes(&self, path: &[&str], is_directory: bool) -> bool {
        let deciding = self
            .patterns
            .iter()
            .rev()
            .find(|pattern| pattern.matches(path, is_directory));
        deciding.is_some_and(|pattern| !pattern.is_inclusion)
    }

    /// Equal for equal rules, to key what was computed under them.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hashed = Hashed(Sha256::new());
        // a hash takes every text
        let _taken: fmt::Result = write!(hashed, "{:?}", self.patterns);
        hashed.0.finalize().into()
    }
}

/// The patterns of a source cannot be tried with all of its paths in the time there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{patterns} patterns take longer than {}s to be tried with each path (spec.timeout): write fewer of them",
    time.as_secs_f64()
)]
pub struct OutOfTime {
    patterns: usize,
    time: Duration,
}

/// Rules that are tried as long as there is time: each path with each pattern, which takes minutes for many of both. What
/// else is done with the paths does not count.
#[derive(Debug)]
pub(crate) struct Trial {
    rules: Rules,
    time: Option<Duration>,
    spent: Duration,
}

impl Trial {
    /// `time` is none where it may take for ever.
    pub(crate) fn new(rules: Rules, time: Option<Duration>) -> Trial {
        Trial {
            rules,
            time,
            spent: Duration::ZERO,
        }
    }

    /// As [`Rules::excludes`].
    ///
    /// # Errors
    /// The time is over.
    pub(crate) fn excludes(&mut self, path: &[&str], is_directory: bool) -> Result<bool, OutOfTime> {
        if let Some(time) = self.time.filter(|time| self.spent >= *time) {
            return Err(OutOfTime {
                patterns: self.rules.patterns.len(),
                time,
            });
        }
        let started = Instant::now();
        let is_excluded = self.rules.excludes(path, is_directory);
        self.spent += started.elapsed();
        Ok(is_excluded)
    }
}

/// Hashes what is written: patterns with the names of deep directories are longer than they look.
struct Hashed(Sha256);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

/// Go's `filepath.Match` of one name; a malformed pattern matches nothing.
fn name_matches(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?', '[', '\\']) {
        return pattern == name;
    }
    glob_matches(pattern, name).unwrap_or(false)
}

/// The same; none where the pattern is malformed as far as it was read.
pub(crate) fn glob_matches(pattern: &str, name: &str) -> Option<bool> {
    let pattern: Vec<char> = pattern.chars().collect();
    match_from(&pattern, name)
}

/// None where the pattern is malformed.
///
/// A `*` tries each length in turn, but only the last `*` is ever returned to: linear stars, no blow-up. Lengths are of bytes, as
/// in Go: what follows a `*` may begin within a character.
fn match_from(pattern: &[char], name: &str) -> Option<bool> {
    let (mut rest, mut at) = (pattern, 0);
    let mut star: Option<(&[char], usize)> = None;
    loop {
        let step = match rest.split_first() {
            None if at == name.len() => return Some(true),
            None => Step::Fail,
            Some(('*', after)) => {
                star = Some((after, at));
                rest = after;
                continue;
            }
            Some(_) => match_one(rest, Next::of(name, at))?,
        };
        match (step, &mut star) {
            (Step::Ok(after, width), _) => {
                rest = after;
                at += width;
            }
            (Step::Fail, Some((after, from))) if *from < name.len() => {
                *from += 1;
                rest = after;
                at = *from;
            }
            (Step::Fail, _) => return Some(false),
        }
    }
}

enum Step<'a> {
    /// What follows in the pattern, and how many bytes were matched.
    Ok(&'a [char], usize),
    Fail,
}

/// What comes next in a name.
#[derive(Clone, Copy)]
enum Next {
    Character(char),
    /// A byte within a character, which Go reads as this one.
    Broken,
    End,
}

impl Next {
    fn of(name: &str, at: usize) -> Next {
        match name.get(at..).map(|rest| rest.chars().next()) {
            Some(Some(character)) => Next::Character(character),
            Some(None) => Next::End,
            None => Next::Broken,
        }
    }

    fn width(self) -> usize {
        match self {
            Next::Character(character) => character.len_utf8(),
            Next::Broken => 1,
            Next::End => 0,
        }
    }

    /// As classes see it.
    fn character(self) -> Option<char> {
        match self {
            Next::Character(character) => Some(character),
            Next::Broken => Some(char::REPLACEMENT_CHARACTER),
            Next::End => None,
        }
    }

    fn is(self, literal: char) -> bool {
        matches!(self, Next::Character(character) if character == literal)
    }
}

/// Matches one character against the next element of a pattern.
fn match_one(pattern: &[char], next: Next) -> Option<Step<'_>> {
    let (first, after) = pattern.split_first()?;
    let is = |hit: bool, after| match next {
        Next::End => Step::Fail,
        _ if hit => Step::Ok(after, next.width()),
        _ => Step::Fail,
    };
    match first {
        '?' => Some(is(true, after)),
        '[' => {
            let (hit, after) = match_class(after, next.character())?;
            Some(is(hit, after))
        }
        '\\' => {
            let (literal, after) = after.split_first()?;
            Some(is(next.is(*literal), after))
        }
        literal => Some(is(next.is(*literal), after)),
    }
}

fn match_class(mut rest: &[char], character: Option<char>) -> Option<(bool, &[char])> {
    let is_negated = rest.first() == Some(&'^');
    if is_negated {
        rest = rest.get(1..)?;
    }
    let mut is_hit = false;
    let mut is_empty = true;
    loop {
        match rest.split_first()? {
            (']', after) if !is_empty => return Some((is_hit != is_negated, after)),
            _ => {
                let (low, after) = class_character(rest)?;
                let (high, after) = match after.split_first() {
                    Some(('-', after)) => class_character(after)?,
                    _ => (low, after),
                };
                is_hit |= character.is_some_and(|character| (low..=high).contains(&character));
                rest = after;
                is_empty = false;
            }
        }
    }
}

fn class_character(rest: &[char]) -> Option<(char, &[char])> {
    match rest.split_first()? {
        ('-' | ']', _) => None,
        ('\\', after) => after.split_first().map(|(character, after)| (*character, after)),
        (character, after) => Some((*character, after)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_excluded(lines: &str, path: &str) -> bool {
        let names: Vec<&str> = path.trim_end_matches('/').split('/').collect();
        let patterns = parse(lines, &[]);
        let rules = Rules { patterns };
        rules.excludes(&names, path.ends_with('/'))
    }

    #[test]
    fn the_dialect_is_go_gits() {
        let mut wrong = String::new();
        for (lines, path, expected) in [
            ("/*\n!/deploy", "deploy/a.yaml", false),
            ("/*\n!/deploy/", "deploy/a.yaml", false),
            ("/*\n!/deploy/x.yaml", "deploy/x.yaml", false),
            ("/*\n!/deploy/x.yaml", "deploy/y.yaml", true),
            ("foo", "foo/bar", true),
            ("foo/", "foo", false),
            ("foo/", "foo/", true),
            ("foo/", "foo/bar", true),
            ("a/b", "x/a/b", false),
            ("a/b", "a/b/c", true),
            ("**/b", "x/y/b", true),
            ("a/**", "a/", true),
            ("a/**/c", "a/c", true),
            ("a/**/c", "a/x/y/c", true),
            ("**.txt", "d/x.txt", true),
            ("*\n!*.yaml", "a/b.yaml", false),
            ("*\n!a/", "a/b.yaml", false),
            ("a/*", "a/b/c", true),
            ("/", "a", false),
            ("!", "a", false),
            (" foo", "foo", false),
            ("foo\t", "foo", false),
            ("foo  ", "foo", true),
            ("foo\\ ", "foo ", true),
            ("\\!foo", "!foo", true),
            ("\\#foo", "#foo", true),
            ("#foo", "#foo", false),
            ("foo\r", "foo", true),
            ("a/**b", "a/xb", false),
            ("[a", "a", false),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("?.yaml", "a.yaml", true),
            ("*a*b*c", "xaybzc", true),
            ("*a*b*c", "xaybz", false),
            ("*.tar.gz", "d/x.tar.gz", true),
            ("*??", "€", true),
            ("*?[^a]", "😀", true),
            ("*\u{fffd}", "€", false),
        ] {
            if is_excluded(lines, path) != expected {
                wrong += &format!("{lines:?} {path:?}: expected {expected}\n");
            }
        }
        assert_eq!(wrong, "");
    }

    /// What go-git 5.19.1 answers, asked by a program that made 400 000 such questions.
    #[test]
    fn the_answers_are_go_gits() {
        let rows = include_str!("ignore/answers.jsonl").lines();
        let mut wrong = String::new();
        for row in rows {
            let (lines, domain, path, is_directory, expected): (
                String,
                Vec<String>,
                Vec<String>,
                bool,
                bool,
            ) = serde_json::from_str(row).unwrap();
            let domain: Vec<&str> = domain.iter().map(String::as_str).collect();
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            if Rules::only(parse(&lines, &domain)).excludes(&path, is_directory) != expected {
                wrong += &format!("{row}\n");
            }
        }
        assert_eq!(wrong, "");
    }

    #[test]
    fn any_pattern_replaces_the_defaults_but_not_the_vcs_files() {
        let outcomes = |user: &str| {
            let rules = Rules::new(parse(user, &[]));
            [".git/config", "a.jpg", ".github/x", "d/.sops.yaml", "docs"]
                .map(|path| rules.excludes(&path.split('/').collect::<Vec<_>>(), false))
        };
        assert_eq!(outcomes(""), [true, true, true, true, false]);
        assert_eq!(outcomes("# only a comment\n"), [true, true, true, true, false]);
        assert_eq!(outcomes("docs"), [true, false, false, false, true]);
        assert_eq!(outcomes("!.git/"), [false, false, false, false, false]);
    }

    #[test]
    fn nested_files_speak_of_their_own_directory() {
        let rules = Rules::new(parse("/x\ny", &["a", "b"]));
        let excluded = |path: &str| rules.excludes(&path.split('/').collect::<Vec<_>>(), false);
        assert_eq!(
            ["a/b/x", "a/b/c/x", "x", "a/b/c/y", "a/y"].map(excluded),
            [true, false, false, true, false]
        );
    }

    #[test]
    fn patterns_are_tried_as_long_as_there_is_time() {
        let trial = |time| Trial::new(Rules::only(parse("*.txt", &[])), time);
        for time in [None, Some(Duration::from_secs(3600))] {
            let mut trial = trial(time);
            assert_eq!(trial.excludes(&["a.txt"], false), Ok(true));
            assert_eq!(trial.excludes(&["a.yaml"], false), Ok(false));
        }
        let refusal = trial(Some(Duration::ZERO)).excludes(&["a.txt"], false);
        assert_eq!(
            refusal.unwrap_err().to_string(),
            "1 patterns take longer than 0s to be tried with each path (spec.timeout): write fewer of them"
        );
    }

    #[test]
    fn stars_do_not_blow_up() {
        let pattern = "*a".repeat(50) + "b";
        assert!(!name_matches(&pattern, &"a".repeat(5_000)));
    }
}
