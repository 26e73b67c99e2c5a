//! Which artifact: digest before semver before tag before `latest` (compat/source.md 6.3, 6.4).

use std::time::Instant;

use regex::bytes::{Regex, RegexBuilder};
use reqwest::{Method, StatusCode};

use super::{Cause, ContentDigest, Error, Repository, manifest::media_type, repository::Question};
use crate::{disk_refusal, http::Failure, spool::blocking};
use sluice_semver::{Range, Version};

/// Which artifact is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OciReference {
    /// This digest; nobody is asked.
    pub digest: Option<String>,
    /// The newest tag in this range.
    pub semver: Option<String>,
    /// What tags must match before the range is looked at.
    pub semver_filter: Option<String>,
    /// This tag.
    pub tag: Option<String>,
}

/// Which artifact it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// `<tag>@sha256:<hex>`, or the digest alone where it was given.
    pub revision: String,
    /// By what it is pulled.
    pub digest: ContentDigest,
    /// `host/repository:tag` or `host/repository@digest`, for messages.
    pub reference: String,
    /// The tag, where a range picked it by its version.
    pub picked: Option<String>,
    /// What was found when the tag was looked up, if its manifest came along.
    pub(super) manifest: Option<(Vec<u8>, Option<String>)>,
}

/// The tag where nothing is said.
const LATEST: &str = "latest";
/// Longest pattern, and most bytes of its compiled form: a pattern is the user's own.
const FILTER_LENGTH_MAX: usize = 4096;
const FILTER_SIZE_MAX: usize = 1 << 20;

impl Repository {
    /// Finds out which artifact is meant. `has_stored`: whether there is one to compare with, so that its manifest is
    /// probably not needed.
    pub async fn resolve(
        &self,
        url: &str,
        wanted: &OciReference,
        layer_media_type: Option<&str>,
        has_stored: bool,
    ) -> Result<Resolved, Error> {
        if let Some(digest) = &wanted.digest {
            let digest: ContentDigest = digest.parse().map_err(|error: super::InvalidContentDigest| {
                Error::Digest(Cause::Wish(error.to_string()))
            })?;
            return Ok(Resolved {
                revision: digest.to_string(),
                reference: format!("{}@{digest}", self.name()),
                digest,
                picked: None,
                manifest: None,
            });
        }
        let tag = match (&wanted.semver, &wanted.tag) {
            (Some(range), _) => {
                let filter = wanted
                    .semver_filter
                    .as_deref()
                    .filter(|filter| !filter.is_empty());
                self.newest_tag(range, filter, layer_media_type)
                    .await
                    .map_err(|cause| Error::Tag {
                        url: url.to_owned(),
                        cause,
                    })?
            }
            (None, Some(tag)) => tag.clone(),
            (None, None) => LATEST.to_owned(),
        };
        if !is_tag(&tag) {
            let problem = format!("'{tag}' is no tag: it must match [A-Za-z0-9_][A-Za-z0-9._-]{{0,127}}");
            return Err(Error::Digest(Cause::Wish(problem)));
        }
        let (digest, manifest) = self.look_up(&tag, has_stored).await.map_err(Error::Digest)?;
        Ok(Resolved {
            revision: format!("{tag}@{digest}"),
            reference: format!("{}:{tag}", self.name()),
            digest,
            picked: wanted.semver.as_ref().map(|_| tag),
            manifest,
        })
    }

    /// The digest of a tag: by HEAD where it is probably known already, else by the manifest itself.
    async fn look_up(
        &self,
        tag: &str,
        has_stored: bool,
    ) -> Result<(ContentDigest, Option<(Vec<u8>, Option<String>)>), Cause> {
        if has_stored {
            let mut question = Question::manifest(tag);
            question.method = Method::HEAD;
            let reply = self.ask(&question).await?;
            if reply.status() == StatusCode::OK
                && let Some(digest) = reply.header("docker-content-digest")
                && let Ok(digest) = digest.parse()
            {
                return Ok((digest, None));
            }
        }
        // a registry that does not answer HEAD well, or something that a GET says better
        let (bytes, content_type, digest) = self.manifest_answer(tag, None).await?;
        Ok((digest, Some((bytes, content_type))))
    }

    async fn newest_tag(
        &self,
        range: &str,
        filter: Option<&str>,
        layer_media_type: Option<&str>,
    ) -> Result<String, Cause> {
        let parsed = Range::parse(range)
            .map_err(|error| Cause::Wish(format!("semver '{range}' parse error: {error}")))?;
        let filter = filter.map(compile).transpose().map_err(Cause::Wish)?;
        let tags = self.tags().await?;
        let deadline = Instant::now() + self.timeout();
        let media_type = layer_media_type.map(str::to_owned);
        // each tag is tried with the expression, which can take long: aside, and as long as there is time
        let picked = blocking("choosing a tag", move || {
            let tags = in_time(tags.iter().map(String::as_str), deadline);
            let newest = newest(tags, &parsed, filter.as_ref(), media_type.as_deref());
            Ok((newest, Instant::now() < deadline))
        });
        match picked.await {
            Ok((Some(tag), true)) => Ok(tag),
            Ok((None, true)) => Err(Cause::Wish(format!("no match found for semver: {range}"))),
            Ok((_, false)) => Err(self.failed(&Method::GET, &self.address()?, Failure::TimedOut)),
            Err(error) => Err(Cause::Disk(disk_refusal(&error))),
        }
    }
}

/// The tags until the time is over.
fn in_time<'a>(tags: impl Iterator<Item = &'a str>, deadline: Instant) -> impl Iterator<Item = &'a str> {
    tags.take_while(move |_| Instant::now() < deadline)
}

/// The newest of these tags in the range. Helm writes `+` as `_`, which no tag may hold otherwise.
fn newest<'a>(
    tags: impl Iterator<Item = &'a str>,
    range: &Range,
    filter: Option<&Regex>,
    layer_media_type: Option<&str>,
) -> Option<String> {
    let is_helm = layer_media_type == Some(media_type::HELM_CHART);
    let mut best: Option<(Version, &str)> = None;
    for tag in tags.filter(|tag| filter.is_none_or(|filter| filter.is_match(tag.as_bytes()))) {
        let text = if is_helm {
            tag.replace('_', "+")
        } else {
            tag.to_owned()
        };
        let Ok(version) = Version::parse_tag(&text) else {
            continue;
        };
        if range.contains(&version)
            && best
                .as_ref()
                .is_none_or(|(best, _)| version.precedence(best).is_gt())
        {
            best = Some((version, tag));
        }
    }
    best.map(|(_, tag)| tag.to_owned())
}

/// A filter of tags, read as RE2 reads it: classes are ASCII, the match may be anywhere, time is linear, `\Q…\E` quotes.
///
/// # Errors
/// What is wrong with it.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    compile_within(pattern, FILTER_SIZE_MAX)
}

/// The same, with less room for what is made of it.
pub(crate) fn compile_within(pattern: &str, size_max: usize) -> Result<Regex, String> {
    let invalid = |problem: &str| format!("error parsing regexp: {problem}: `{pattern}`");
    if pattern.len() > FILTER_LENGTH_MAX {
        return Err(invalid("it is too long"));
    }
    let mut unquoted = String::new();
    for (number, piece) in pattern.split("\\Q").enumerate() {
        match piece.split_once("\\E") {
            _ if number == 0 => unquoted.push_str(piece),
            Some((quoted, rest)) => {
                unquoted.push_str(&regex::escape(quoted));
                unquoted.push_str(rest);
            }
            None => unquoted.push_str(&regex::escape(piece)),
        }
    }
    RegexBuilder::new(&unquoted)
        .unicode(false)
        .size_limit(size_max)
        .build()
        .map_err(|error| {
            // the library draws the pattern and an arrow first; a condition has one line for all
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            invalid(last.trim_start_matches("error: "))
        })
}

/// The distribution spec's grammar of tags.
pub(super) fn is_tag(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_first = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.len() <= 128
        && bytes.next().is_some_and(is_first)
        && bytes.all(|byte| is_first(byte) || matches!(byte, b'.' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_tag_of_a_range_by_filter() {
        let tags = [
            "6.1.4",
            "6.1.5-beta.1",
            "6.1.6",
            "v6.2.0",
            "6.2.0-rc.1",
            "latest",
            "6.3.0_build.1",
            "6.1.6-amd64",
            "1.0",
        ];
        let pick = |range: &str, filter: Option<&str>, media_type: Option<&str>| {
            let filter = filter.map(|filter| compile(filter).unwrap());
            let range = Range::parse(range).unwrap();
            newest(tags.into_iter(), &range, filter.as_ref(), media_type).unwrap_or_default()
        };
        assert_eq!(pick("6.1.x", None, None), "6.1.6");
        assert_eq!(pick(">= 6.1.x-0", Some(".*-rc.*"), None), "6.2.0-rc.1");
        assert_eq!(pick(">= 6", None, None), "v6.2.0");
        assert_eq!(pick(">= 6", None, Some(media_type::HELM_CHART)), "6.3.0_build.1");
        assert_eq!(pick(">= 7", None, None), "");
        assert_eq!(pick(">= 6.0.0-0", Some(r"\Q.6-\E"), None), "6.1.6-amd64");
    }

    #[test]
    fn tags_are_tried_as_long_as_there_is_time() {
        let (tags, now) = (["1.0.0"], Instant::now());
        let later = now + std::time::Duration::from_secs(3600);
        assert_eq!(in_time(tags.into_iter(), later).count(), 1);
        assert_eq!(in_time(tags.into_iter(), now).count(), 0);
    }

    #[test]
    fn patterns_are_bounded() {
        assert_eq!(
            compile("(a").unwrap_err(),
            "error parsing regexp: unclosed group: `(a`"
        );
        assert!(
            compile(&"a".repeat(5000))
                .unwrap_err()
                .starts_with("error parsing regexp: it is too long: `a")
        );
        assert!(
            compile("((a{100}){100}){100}")
                .unwrap_err()
                .contains("size limit")
        );
        assert!(
            !compile(r"^\d$").unwrap().is_match("٣".as_bytes()),
            "ASCII digits only"
        );
    }

    #[test]
    fn tags_never_hold_a_path() {
        for (tag, is) in [
            ("v1.0", true),
            ("_x", true),
            ("", false),
            ("../x", false),
            ("-x", false),
            ("a/b", false),
            ("a?b", false),
        ] {
            assert_eq!(is_tag(tag), is, "{tag}");
        }
        assert!(!is_tag(&"a".repeat(129)));
    }
}
