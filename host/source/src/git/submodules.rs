//! Which submodules a commit has: their paths, commits and URLs. Only looked at where `spec.recurseSubmodules` says so.
//!
//! `.gitmodules` is written by whoever may push, not by the user of the GitRepository: a URL of it names a server and a
//! path, and no option, command or file of this machine.

use gix::{ObjectId, bstr::ByteSlice as _};
use reqwest::Url;

use super::tree::{Error, GitTree, Node};

/// Largest `.gitmodules` that is read, in bytes.
const FILE_SIZE_MAX: u64 = 1 << 20;
/// Longest URL, in bytes.
const URL_SIZE_MAX: usize = 4096;

/// A submodule that a commit has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Submodule {
    /// `modules/a`.
    pub(crate) path: String,
    /// Its commit.
    pub(crate) commit: ObjectId,
    /// Where it is, as `.gitmodules` says.
    pub(crate) url: String,
}

/// The submodules that `.gitmodules` names and the commit has, by path.
pub(crate) fn list(tree: &GitTree) -> Result<Vec<Submodule>, Error> {
    let nodes = tree.nodes(tree.root(), "/")?;
    let file = nodes.iter().find(|(name, _)| name == ".gitmodules");
    let Some((_, Node::File { id, .. })) = file else {
        return Ok(Vec::new());
    };
    if tree.size(*id)? > FILE_SIZE_MAX {
        return Err(Error::TooLarge {
            what: ".gitmodules",
            limit: FILE_SIZE_MAX,
            knob: "file_size_max",
        });
    }
    let content = tree.content(*id)?;
    let file = gix::config::File::try_from(content.as_bstr())
        .map_err(|error| Error::Invalid(format!(".gitmodules cannot be read: {error}")))?;
    let mut found: Vec<Submodule> = Vec::new();
    for section in file.sections_by_name("submodule").into_iter().flatten() {
        let value = |name: &str| {
            section
                .body()
                .value(name)
                .and_then(|value| String::from_utf8(value.into()).ok())
        };
        let (Some(path), Some(url)) = (value("path"), value("url")) else {
            continue;
        };
        let path = path.trim_matches('/').to_owned();
        // what the commit does not have, Git does not fetch
        let Some(commit) = commit_at(tree, &path)? else {
            continue;
        };
        if found.iter().all(|known| known.path != path) {
            found.push(Submodule { path, commit, url });
        }
    }
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The commit of the submodule at a path.
fn commit_at(tree: &GitTree, path: &str) -> Result<Option<ObjectId>, Error> {
    let mut id = tree.root();
    let mut names = path.split('/').peekable();
    while let Some(name) = names.next() {
        let nodes = tree.nodes(id, path)?;
        let found = nodes
            .iter()
            .find(|(other, _)| other == name)
            .map(|(_, node)| *node);
        match (found, names.peek()) {
            (Some(Node::Submodule(commit)), None) => return Ok(Some(commit)),
            (Some(Node::Directory(below)), Some(_)) => id = below,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// Where a submodule is: an absolute URL over http, https or ssh, from one of those, a relative path or `user@host:path`.
pub(crate) fn resolve(parent: &Url, url: &str) -> Result<Url, String> {
    let shown = || {
        url.chars()
            .take(100)
            .collect::<String>()
            .escape_debug()
            .to_string()
    };
    if url.len() > URL_SIZE_MAX || url.starts_with('-') || url.chars().any(char::is_control) {
        return Err(format!("its URL '{}' is refused", shown()));
    }
    let resolved = if url.starts_with("./") || url.starts_with("../") {
        relative(parent, url)
    } else if url.contains("://") {
        Url::parse(url).map_err(|error| format!("its URL '{}' cannot be read: {error}", redacted(url)))
    } else {
        scp_like(url).ok_or_else(|| format!("its URL '{}' names no server", shown()))
    }?;
    match resolved.scheme() {
        "http" | "https" | "ssh" if resolved.host_str().is_some_and(|host| !host.is_empty()) => Ok(resolved),
        other => Err(format!(
            "scheme '{other}' of its URL is not supported; use http, https or ssh"
        )),
    }
}

fn redacted(url: &str) -> &str {
    if url.contains('@') { "<redacted>" } else { url }
}

/// As Git does it: each `../` takes a part of the parent's path away.
fn relative(parent: &Url, url: &str) -> Result<Url, String> {
    let mut parts: Vec<&str> = parent
        .path()
        .trim_end_matches('/')
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    let mut rest = url;
    loop {
        if let Some(after) = rest.strip_prefix("./") {
            rest = after;
        } else if let Some(after) = rest.strip_prefix("../") {
            if parts.pop().is_none() {
                return Err(format!(
                    "its URL '{}' leads above the root of the server",
                    url.escape_debug()
                ));
            }
            rest = after;
        } else {
            break;
        }
    }
    if rest.split('/').any(|part| part == "..") {
        return Err(format!("its URL '{}' is refused", url.escape_debug()));
    }
    let mut resolved = parent.clone();
    resolved.set_path(&format!(
        "/{}",
        [parts.join("/").as_str(), rest].join("/").trim_start_matches('/')
    ));
    resolved.set_query(None);
    Ok(resolved)
}

/// `git@host:org/repo.git`.
fn scp_like(url: &str) -> Option<Url> {
    let (authority, path) = url.split_once(':')?;
    // `ext::…` names a helper program, not a server
    if authority.contains('/') || authority.is_empty() || path.starts_with(':') {
        return None;
    }
    Url::parse(&format!("ssh://{authority}/{}", path.trim_start_matches('/'))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_submodules_name_servers_only() {
        let row =
            |parent: &str, url: &str| resolve(&Url::parse(parent).unwrap(), url).map(|url| url.to_string());
        let https = "https://git.example.com/org/shop.git";
        for (parent, url, expected) in [
            (https, "../lib.git", "https://git.example.com/org/lib.git"),
            (https, "../../other/lib", "https://git.example.com/other/lib"),
            (https, "./sub", "https://git.example.com/org/shop.git/sub"),
            (
                "ssh://git@host:2222/org/shop",
                "../lib",
                "ssh://git@host:2222/org/lib",
            ),
            (https, "https://elsewhere/x", "https://elsewhere/x"),
            (
                https,
                "git@github.com:org/lib.git",
                "ssh://git@github.com/org/lib.git",
            ),
        ] {
            assert_eq!(row(parent, url), Ok(expected.to_owned()), "{url}");
        }
        for url in [
            "../../../lib",
            "../x/../../y",
            "file:///etc/passwd",
            "/etc/passwd",
            "ext::sh -c touch% /tmp/x",
            "git://host/x",
            "-u./payload",
            "--upload-pack=touch",
            "ssh://",
            "fd::3",
            "host",
            "a\nb:c",
            "https://",
        ] {
            assert!(row(https, url).is_err(), "{url}: {:?}", row(https, url));
        }
    }
}
