//! `.helmignore`: Helm's own dialect, in which the first rule that decides, decides.

use crate::ignore::glob_matches;

/// The rules of a `.helmignore`, and one that always applies.
pub(super) struct Rules(Vec<Rule>);

struct Rule {
    pattern: String,
    /// Ignores what does *not* match.
    is_negated: bool,
    only_directories: bool,
    /// Without a slash the pattern is for the last part of a path alone.
    whole_path: bool,
}

/// Hidden files of `templates/` are never templates.
const ALWAYS: &str = "templates/.?*";

impl Rules {
    /// Reads a `.helmignore`; an empty text for none.
    pub(super) fn read(text: &str) -> Result<Rules, String> {
        let lines = text.trim_start_matches('\u{feff}').lines().chain([ALWAYS]);
        let rules = lines
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Rules(rules.map(Rule::read).collect::<Result<_, _>>()?))
    }

    /// Whether a file of the chart is ignored, by itself or with a directory above it.
    pub(super) fn ignores(&self, path: &str) -> bool {
        let directories = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        directories
            .into_iter()
            .any(|directory| self.decides(directory, true))
            || self.decides(path, false)
    }

    fn decides(&self, path: &str, is_directory: bool) -> bool {
        self.0.iter().any(|rule| rule.ignores(path, is_directory))
    }
}

impl Rule {
    fn read(line: &str) -> Result<Rule, String> {
        if line.contains("**") {
            return Err("double-star (**) syntax is not supported".to_owned());
        }
        if glob_matches(line, "abc").is_none() {
            return Err("syntax error in pattern".to_owned());
        }
        let (is_negated, rule) = line.strip_prefix('!').map_or((false, line), |rule| (true, rule));
        let (only_directories, rule) = rule.strip_suffix('/').map_or((false, rule), |rule| (true, rule));
        let (whole_path, pattern) = match rule.strip_prefix('/') {
            Some(pattern) => (true, pattern),
            None => (rule.contains('/'), rule),
        };
        Ok(Rule {
            pattern: pattern.to_owned(),
            is_negated,
            only_directories,
            whole_path,
        })
    }

    fn ignores(&self, path: &str, is_directory: bool) -> bool {
        let is_match = || match self.whole_path {
            true => path_matches(&self.pattern, path),
            false => glob_matches(&self.pattern, path.rsplit('/').next().unwrap_or(path)).unwrap_or(false),
        };
        let fits_kind = !self.only_directories || is_directory;
        match self.is_negated {
            true => !fits_kind || !is_match(),
            false => fits_kind && is_match(),
        }
    }
}

/// Go's `filepath.Match`, part by part: a star does not cross a slash.
fn path_matches(pattern: &str, path: &str) -> bool {
    let (patterns, parts): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
    patterns.len() == parts.len()
        && std::iter::zip(patterns, parts).all(|(pattern, part)| glob_matches(pattern, part) == Some(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dialect_is_helms() {
        for (rules, path, expected) in [
            ("", "templates/.hidden.yaml", true),
            ("", "templates/a.yaml", false),
            ("*.md", "docs/README.md", true),
            ("docs/", "docs/a/b.txt", true),
            ("docs/", "docs", false),
            ("/a.txt", "b/a.txt", false),
            ("/a.txt", "a.txt", true),
            ("a/*", "a/b/c", true),
            ("a/*.txt", "a/b/c.txt", false),
            ("!*.yaml", "README.md", true),
            ("!*.yaml", "values.yaml", false),
            ("# *.yaml", "values.yaml", false),
            ("[a-c].txt", "b.txt", true),
        ] {
            let rules = Rules::read(rules).unwrap();
            assert_eq!(rules.ignores(path), expected, "{path}");
        }
        for rules in ["a/**", "[a", "a\\"] {
            assert!(Rules::read(rules).is_err(), "{rules}");
        }
    }
}
