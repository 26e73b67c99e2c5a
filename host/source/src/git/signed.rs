//! What of a commit or a tag was signed, and by what (N34: exactly what is used is what was signed).
//!
//! Git puts the signature of a commit into its header `gpgsig`, that of a tag behind its message; what was signed is the
//! object without it. Programs differ in how they read an object that says a thing twice, so such an object is refused.

use gix::objs::{CommitRefIter, TagRefIter};

use super::objects::ReadError;

/// An object as it was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Signed {
    /// The object without its signature.
    pub(crate) payload: Vec<u8>,
    /// The signature as it stands there, in armor. None where there is none.
    pub(crate) signature: Option<Vec<u8>>,
    /// What a tag calls itself; None for a commit.
    pub(crate) name: Option<String>,
}

/// Why an object cannot be taken apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0}")]
    Read(#[from] ReadError),
    #[error("the object can be read in more than one way: {0}")]
    Ambiguous(String),
}

const SHA1: gix::hash::Kind = gix::hash::Kind::Sha1;

/// Takes a commit apart.
pub(crate) fn commit(content: &[u8]) -> Result<Signed, Error> {
    let names = header_names(content)?;
    let parents = names.iter().skip(1).take_while(|name| *name == "parent").count();
    let rest: Vec<&str> = names.iter().skip(1 + parents).map(String::as_str).collect();
    let is_in_order = names.first().is_some_and(|name| name == "tree")
        && matches!(rest.as_slice(), ["author", "committer", ..]);
    if !is_in_order {
        return Err(Error::Ambiguous(
            "its headers are not those of a commit".to_owned(),
        ));
    }
    for name in rest.iter().skip(2) {
        let is_signature = *name == "gpgsig" && rest.iter().filter(|other| **other == "gpgsig").count() == 1;
        if !(is_signature || matches!(*name, "encoding" | "mergetag") || is_harmless(name)) {
            return Err(Error::Ambiguous(format!(
                "it has an odd header '{}'",
                name.escape_debug()
            )));
        }
    }
    let parts = CommitRefIter::signature(content, SHA1);
    let parts = parts.map_err(|error| Error::Ambiguous(error.to_string()))?;
    Ok(match parts {
        Some((signature, payload)) => Signed {
            payload: payload.to_bstring().into(),
            signature: Some(signature.to_vec()),
            name: None,
        },
        None => Signed {
            payload: content.to_vec(),
            signature: None,
            name: None,
        },
    })
}

/// Takes a tag apart.
pub(crate) fn tag(content: &[u8]) -> Result<Signed, Error> {
    let names = header_names(content)?;
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if !matches!(
        names.as_slice(),
        ["object", "type", "tag"] | ["object", "type", "tag", "tagger"]
    ) {
        return Err(Error::Ambiguous("its headers are not those of a tag".to_owned()));
    }
    let tag = gix::objs::TagRef::from_bytes(content, SHA1);
    let tag = tag.map_err(|error| Error::Ambiguous(error.to_string()))?;
    let name = Some(tag.name.to_string());
    Ok(match TagRefIter::signature(content) {
        Some((signature, payload)) => Signed {
            payload: payload.to_bstring().into(),
            signature: Some(signature.data.to_vec()),
            name,
        },
        None => Signed {
            payload: content.to_vec(),
            signature: None,
            name,
        },
    })
}

/// Headers that change nothing of what a commit is; other programs keep their notes in some of them.
fn is_harmless(name: &str) -> bool {
    !matches!(
        name,
        "tree"
            | "parent"
            | "author"
            | "committer"
            | "gpgsig"
            | "gpgsig-sha256"
            | "object"
            | "type"
            | "tag"
            | "tagger"
    )
}

/// The names of the headers in their order; lines that continue one are passed over.
fn header_names(content: &[u8]) -> Result<Vec<String>, Error> {
    let ambiguous = |text: &str| Err(Error::Ambiguous(text.to_owned()));
    let mut names = Vec::new();
    let mut rest = content;
    loop {
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return ambiguous("its headers do not end");
        };
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        match line.first() {
            None => return Ok(names),
            Some(b' ') if names.is_empty() => return ambiguous("its first line continues nothing"),
            Some(b' ') => {}
            Some(_) if line.contains(&0) || line.contains(&b'\r') => {
                return ambiguous("a header holds a control character");
            }
            Some(_) => {
                let name = line.split(|byte| *byte == b' ').next().unwrap_or_default();
                match std::str::from_utf8(name) {
                    Ok(name) if name.bytes().all(|byte| byte.is_ascii_graphic()) => {
                        names.push(name.to_owned())
                    }
                    _ => return ambiguous("the name of a header is not plain text"),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
    const PEOPLE: &str = "author A <a@b.c> 1700000000 +0000\ncommitter A <a@b.c> 1700000000 +0000\n";
    const SIGNATURE: &str = "gpgsig -----BEGIN SSH SIGNATURE-----\n U1NIU0lH\n -----END SSH SIGNATURE-----\n";

    #[test]
    fn a_commit_is_its_payload_and_its_signature() {
        let signed = commit(format!("{TREE}{PEOPLE}{SIGNATURE}\nsubject\n").as_bytes()).unwrap();
        assert_eq!(signed.payload, format!("{TREE}{PEOPLE}\nsubject\n").into_bytes());
        let signature = String::from_utf8(signed.signature.unwrap()).unwrap();
        assert_eq!(
            signature.trim_end(),
            "-----BEGIN SSH SIGNATURE-----\nU1NIU0lH\n-----END SSH SIGNATURE-----"
        );
        let unsigned = commit(format!("{TREE}{PEOPLE}encoding latin1\n\nsubject\n").as_bytes()).unwrap();
        assert_eq!(unsigned.signature, None);
    }

    #[test]
    fn a_tag_is_its_payload_and_its_signature() {
        let head = "object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\ntype commit\ntag v1\ntagger A <a@b.c> 1700000000 +0000\n\nrelease\n";
        let armor = "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n-----END PGP SIGNATURE-----\n";
        let signed = tag(format!("{head}{armor}").as_bytes()).unwrap();
        assert_eq!(
            (signed.payload, signed.name.as_deref()),
            (head.as_bytes().to_vec(), Some("v1"))
        );
        assert_eq!(signed.signature.as_deref(), Some(armor.as_bytes()));
        assert_eq!(tag(head.as_bytes()).unwrap().signature, None);
        let twice = head.replace("tag v1\n", "tag v1\ntag v2\n");
        assert!(matches!(tag(twice.as_bytes()), Err(Error::Ambiguous(_))));
    }

    #[test]
    fn what_says_a_thing_twice_is_refused() {
        let other = TREE.replace('4', "5");
        for (what, content) in [
            (
                "two trees",
                format!("{TREE}{other}{PEOPLE}{SIGNATURE}\nsubject\n"),
            ),
            (
                "a late tree",
                format!("{TREE}{PEOPLE}{other}{SIGNATURE}\nsubject\n"),
            ),
            (
                "two authors",
                format!("{TREE}{PEOPLE}{PEOPLE}{SIGNATURE}\nsubject\n"),
            ),
            (
                "two signatures",
                format!("{TREE}{PEOPLE}{SIGNATURE}{SIGNATURE}\nsubject\n"),
            ),
            (
                "a signature of another kind",
                format!("{TREE}{PEOPLE}{SIGNATURE}gpgsig-sha256 x\n\nsubject\n"),
            ),
            (
                "a signature first",
                format!("{SIGNATURE}{TREE}{PEOPLE}\nsubject\n"),
            ),
            (
                "a zero byte",
                format!("{TREE}{PEOPLE}note a\0b\n{SIGNATURE}\nsubject\n"),
            ),
            ("no end", format!("{TREE}{PEOPLE}{SIGNATURE}")),
            (
                "a continued nothing",
                format!(" {TREE}{PEOPLE}{SIGNATURE}\nsubject\n"),
            ),
            ("nothing", String::new()),
        ] {
            assert!(
                matches!(commit(content.as_bytes()), Err(Error::Ambiguous(_))),
                "{what}: {:?}",
                commit(content.as_bytes())
            );
        }
    }
}
