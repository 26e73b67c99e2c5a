//! Which commit a spec asks for.

use crate::fetch::Error;

/// `spec.ref` of a GitRepository; empty fields count as absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reference {
    /// A branch.
    pub branch: Option<String>,
    /// A tag.
    pub tag: Option<String>,
    /// A range of versions; the newest tag in it.
    pub semver: Option<String>,
    /// A full reference name.
    pub name: Option<String>,
    /// A commit.
    pub commit: Option<String>,
}

/// Flux's default.
const DEFAULT_BRANCH: &str = "master";

/// How a reference is resolved. The order of precedence is that of Flux's code, not of its documentation:
/// commit, name, tag, semver, branch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Strategy {
    Commit {
        commit: gix::ObjectId,
        label: Option<String>,
        name: Option<String>,
    },
    Name {
        label: String,
        name: String,
    },
    Tag(String),
    Semver(String),
    Branch(String),
}

impl Reference {
    /// Whether a list of the remote's references tells what it means, so that Flux compares before it clones. A commit, and
    /// the newest version of a range, it clones in each pass.
    pub fn is_compared(&self) -> bool {
        matches!(
            self.strategy(),
            Ok(Strategy::Name { .. } | Strategy::Tag(_) | Strategy::Branch(_))
        )
    }

    pub(crate) fn strategy(&self) -> Result<Strategy, Error> {
        let field = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        let (branch, name) = (field(&self.branch), field(&self.name));
        if let Some(name) = &name
            && (name.starts_with('/') || name.ends_with('/'))
        {
            let text = format!("ref {name} is invalid; Git refs cannot begin or end with a slash '/'");
            return Err(Error::InvalidReference {
                text,
                hint: "correct spec.ref.name".to_owned(),
            });
        }
        if let Some(commit) = field(&self.commit) {
            let id = gix::ObjectId::from_hex(commit.to_lowercase().as_bytes());
            let id = id.map_err(|_| Error::InvalidReference {
                text: format!("unable to resolve commit object for '{commit}': object not found"),
                hint: "spec.ref.commit must be a full SHA-1 of 40 hex digits".to_owned(),
            })?;
            let full_name = match (&name, &branch) {
                (Some(name), _) => Some(peeled(name).to_owned()),
                (None, Some(branch)) => Some(format!("refs/heads/{branch}")),
                (None, None) => None,
            };
            return Ok(Strategy::Commit {
                commit: id,
                label: name.or(branch),
                name: full_name,
            });
        }
        Ok(if let Some(label) = name {
            Strategy::Name {
                name: peeled(&label).to_owned(),
                label,
            }
        } else if let Some(tag) = field(&self.tag) {
            Strategy::Tag(tag)
        } else if let Some(range) = field(&self.semver) {
            Strategy::Semver(range)
        } else {
            Strategy::Branch(branch.unwrap_or_else(|| DEFAULT_BRANCH.to_owned()))
        })
    }
}

/// `refs/tags/v1^{}` names the commit of an annotated tag, which is what we ask for anyway.
fn peeled(name: &str) -> &str {
    name.strip_suffix("^{}").unwrap_or(name)
}
