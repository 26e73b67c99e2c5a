//! From what a spec asks for to a commit and a revision.

use gix::ObjectId;
use sluice_artifact::Revision;
use sluice_semver::Range;

use super::remote::RemoteRef;
use crate::{fetch::Error, reference::Strategy};

/// A candidate: what it will be called, what to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The part of the revision before `@`.
    pub(crate) label: Option<String>,
    /// The commit, as far as the server says.
    pub(crate) commit: ObjectId,
    /// The object to ask for.
    pub(crate) wanted: ObjectId,
    /// The name of the tag that leads there, where it is one.
    pub(crate) tag: Option<String>,
}

impl Target {
    pub(crate) fn revision(&self) -> Revision {
        Revision::git(self.label.as_deref(), &self.commit.to_string())
    }
}

/// The prefixes of the names that a strategy needs to know.
pub(crate) fn prefixes(strategy: &Strategy) -> Vec<String> {
    match strategy {
        Strategy::Commit { name, .. } => vec![name.clone().unwrap_or_else(|| "refs/heads/".to_owned())],
        Strategy::Name { name, .. } => vec![name.clone()],
        Strategy::Tag(tag) => vec![format!("refs/tags/{tag}")],
        Strategy::Semver(_) => vec!["refs/tags/".to_owned()],
        Strategy::Branch(branch) => vec![format!("refs/heads/{branch}")],
    }
}

/// Whether a strategy names the commit itself, so that no server needs to be asked what it means.
pub(crate) fn fixed(strategy: &Strategy) -> Option<Target> {
    match strategy {
        Strategy::Commit { commit, label, .. } => Some(Target {
            label: label.clone(),
            commit: *commit,
            wanted: *commit,
            tag: None,
        }),
        _ => None,
    }
}

/// The candidates among `refs`: one, but for versions of equal precedence. None where the name is not there.
pub(crate) fn resolve(strategy: &Strategy, refs: &[RemoteRef]) -> Result<Vec<Target>, Error> {
    let named = |name: &str, label: &str| -> Vec<Target> {
        let found = refs.iter().filter(|found| found.name == name);
        found.map(|found| target(Some(label.to_owned()), found)).collect()
    };
    Ok(match strategy {
        Strategy::Commit { .. } => fixed(strategy).into_iter().collect(),
        // `HEAD` is no name: its revision is the bare hash.
        Strategy::Name { name, .. } if name == "HEAD" => {
            let found = refs.iter().filter(|found| found.name == "HEAD");
            found.map(|found| target(None, found)).collect()
        }
        Strategy::Name { name, label } => named(name, label),
        Strategy::Tag(tag) => named(&format!("refs/tags/{tag}"), tag),
        Strategy::Branch(branch) => named(&format!("refs/heads/{branch}"), branch),
        Strategy::Semver(range) => newest(range, refs)?,
    })
}

fn target(label: Option<String>, found: &RemoteRef) -> Target {
    Target {
        label,
        commit: found.commit,
        wanted: found.wanted,
        tag: found.name.strip_prefix("refs/tags/").map(str::to_owned),
    }
}

fn newest(range: &str, refs: &[RemoteRef]) -> Result<Vec<Target>, Error> {
    // Flux reads no range as any version; the library it uses does not.
    let any_or_range = if range.trim().is_empty() { "*" } else { range };
    let parsed = Range::parse(any_or_range).map_err(|error| Error::InvalidReference {
        text: format!("semver parse error: {error}"),
        hint: "correct spec.ref.semver, e.g. '>=1.0.0 <2.0.0'".to_owned(),
    })?;
    let tags = || {
        refs.iter()
            .filter_map(|found| Some((found.name.strip_prefix("refs/tags/")?, found)))
    };
    let newest = parsed.newest(tags().map(|(tag, _)| tag));
    let targets = newest.iter().flat_map(|version| {
        let same = tags().filter(|(tag, _)| *tag == version.original());
        same.map(|(tag, found)| target(Some(tag.to_owned()), found))
    });
    Ok(targets.collect())
}

/// Flux's words for a name that is not there, and what there is instead.
pub(crate) fn missing(strategy: &Strategy, all: &[RemoteRef], url: &str) -> Error {
    let (text, prefix, asked) = match strategy {
        Strategy::Branch(_) if all.is_empty() => return Error::Empty { url: url.to_owned() },
        Strategy::Tag(_) | Strategy::Semver(_) if all.is_empty() => {
            return Error::NotFound {
                text: format!("unable to clone: remote repository is empty: git repository: '{url}'"),
                hint: "push a commit and a tag".to_owned(),
            };
        }
        Strategy::Name { .. } if all.is_empty() => {
            return Error::NotFound {
                text: format!("unable to list remote for '{url}': remote repository is empty"),
                hint: "push a commit".to_owned(),
            };
        }
        Strategy::Branch(branch) => {
            let text = format!("unable to clone '{url}': couldn't find remote ref \"refs/heads/{branch}\"");
            (text, "refs/heads/", branch.as_str())
        }
        Strategy::Tag(tag) => {
            let text = format!("unable to clone '{url}': couldn't find remote ref \"refs/tags/{tag}\"");
            (text, "refs/tags/", tag.as_str())
        }
        Strategy::Semver(range) => (format!("no match found for semver: {range}"), "refs/tags/", ""),
        Strategy::Name { label, .. } => (
            format!("unable to resolve ref '{label}' to a specific commit"),
            "refs/",
            label.as_str(),
        ),
        Strategy::Commit { commit, .. } => (
            format!("unable to resolve commit object for '{commit}': object not found"),
            "",
            "",
        ),
    };
    Error::NotFound {
        text,
        hint: alternatives(all, prefix, asked),
    }
}

/// How many names a message lists.
const SHOWN_MAX: usize = 5;

/// The names there are, the most similar ones first.
fn alternatives(all: &[RemoteRef], prefix: &str, asked: &str) -> String {
    if prefix.is_empty() {
        return "check spec.ref.commit; the server must be willing to give it".to_owned();
    }
    let asked = asked.strip_prefix(prefix).unwrap_or(asked);
    let mut names: Vec<&str> = all
        .iter()
        .filter_map(|found| found.name.strip_prefix(prefix))
        // no name of a reference has any, and a message has one line
        .filter(|name| !name.contains(char::is_control))
        .collect();
    names.sort_by_key(|name| (std::cmp::Reverse(common_prefix(name, asked)), *name));
    let what = match prefix {
        "refs/heads/" => "branches",
        "refs/tags/" => "tags",
        _ => "references",
    };
    if names.is_empty() {
        return format!("the remote has no {what}");
    }
    let more = if names.len() > SHOWN_MAX { " …" } else { "" };
    let shown: Vec<&str> = names.into_iter().take(SHOWN_MAX).collect();
    format!("the remote has these {what}: {}{more}", shown.join(", "))
}

fn common_prefix(one: &str, other: &str) -> usize {
    one.chars()
        .zip(other.chars())
        .take_while(|(a, b)| a.eq_ignore_ascii_case(b))
        .count()
}
