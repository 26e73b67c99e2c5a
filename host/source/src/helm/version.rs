//! The versions of a chart, and which of them a wish means (compat/source.md 8.3).

use std::cmp::Ordering;

use jiff::Timestamp;
use serde::Deserialize;
use sluice_semver::{Range, Version};

/// One version of a chart, as an index has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ChartVersion {
    /// Of the chart.
    #[serde(default)]
    pub name: String,
    /// As it was written: `v1.2.3`, `1.2.3+build`.
    #[serde(default)]
    pub version: String,
    /// Where it is, absolute or below the repository; the first one counts.
    #[serde(default)]
    pub urls: Vec<String>,
    /// sha256 of the archive, with or without the algorithm's name; empty where the index does not say.
    #[serde(default)]
    pub digest: String,
    /// When it was made; what cannot be read is as if it were not there.
    #[serde(default)]
    pub created: Option<String>,
}

impl ChartVersion {
    fn created(&self) -> Option<Timestamp> {
        self.created.as_ref()?.parse().ok()
    }
}

/// The version of an index that is meant: this very one, or the newest in a range; the newest stable one where the wish is
/// empty or `*`.
///
/// # Errors
/// In Helm's words: the chart has no versions, none matches, the wish is no range.
pub fn pick<'a>(name: &str, versions: &'a [ChartVersion], wish: &str) -> Result<&'a ChartVersion, String> {
    if versions.is_empty() {
        return Err("no chart version found".to_owned());
    }
    if let Some(exact) = versions
        .iter()
        .find(|version| !wish.is_empty() && version.version == wish)
    {
        return Ok(exact);
    }
    let range = range(wish)?;
    let candidates = versions.iter().filter_map(|version| {
        let parsed = Version::parse_tag(&version.version).ok()?;
        range.contains(&parsed).then_some((parsed, version))
    });
    let newest = candidates.reduce(|best, other| {
        let order = other.0.precedence(&best.0);
        // versions that differ in metadata only: the one that was made last, else the last one, as Flux's sort leaves them
        match order.then_with(|| other.1.created().cmp(&best.1.created())) {
            Ordering::Greater | Ordering::Equal => other,
            Ordering::Less => best,
        }
    });
    newest
        .map(|(_, version)| version)
        .ok_or_else(|| format!("no '{name}' chart with version matching '{wish}' found"))
}

/// The tag of a registry that is meant; `+` stands in for the `_` of tags. `name` of the chart and `at`, where it is, are
/// for messages.
///
/// # Errors
/// No tag is a version, none matches, the wish is no range.
pub fn pick_tag((name, at): (&str, &str), tags: &[String], wish: &str) -> Result<String, String> {
    let versions: Vec<String> = tags
        .iter()
        .map(|tag| tag.replace('_', "+"))
        .filter(|version| is_strict(version))
        .collect();
    if versions.is_empty() {
        return Err(format!(
            "could not get tags for {name:?}: unable to locate any tags in provided repository: {at}"
        ));
    }
    if !wish.is_empty() && versions.iter().any(|version| version == wish) {
        return Ok(wish.to_owned());
    }
    let newest = range(wish)?.newest(versions.iter().map(String::as_str));
    newest
        .first()
        .map(|version| version.original().to_owned())
        .ok_or_else(|| format!("could not locate a version matching provided version string {wish}"))
}

/// Whether the wish names one version, so that nothing has to be looked up: it has all three numbers.
pub fn is_exact(wish: &str) -> bool {
    Version::parse_tag(wish).is_ok()
}

fn range(wish: &str) -> Result<Range, String> {
    let text = if wish.is_empty() { "*" } else { wish };
    Range::parse(text).map_err(|error| error.to_string())
}

/// As SemVer itself has it: three numbers, no `v`, no leading zeros.
fn is_strict(text: &str) -> bool {
    let Ok(version) = Version::parse_tag(text) else {
        return false;
    };
    let numbers = format!("{}.{}.{}", version.major(), version.minor(), version.patch());
    text.strip_prefix(&numbers)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '+']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(list: &[&str]) -> Vec<ChartVersion> {
        let version = |text: &&str| {
            let (version, created) = text.split_once('@').unwrap_or((text, ""));
            ChartVersion {
                version: version.to_owned(),
                created: Some(created.to_owned()),
                ..ChartVersion::default()
            }
        };
        list.iter().map(version).collect()
    }

    #[test]
    fn versions_are_picked_as_helm_picks_them() {
        let all = versions(&[
            "2.0.0-rc.1",
            "1.10.0",
            "1.9.0+a@2026-01-01T00:00:00Z",
            "1.9.0+b@2026-03-01T00:00:00Z",
            "1.9.0+c@2026-02-01T00:00:00Z",
            "v1.8.0",
            "1.7",
        ]);
        for (wish, expected) in [
            ("", "1.10.0"),
            ("*", "1.10.0"),
            (">=2.0.0-0", "2.0.0-rc.1"),
            ("2.0.0-rc.1", "2.0.0-rc.1"),
            ("1.9.0", "1.9.0+b"),
            ("1.9.0+a", "1.9.0+a"),
            ("~1.8", "v1.8.0"),
            ("1.8.0", "v1.8.0"),
            ("1.7", "1.7"),
            ("<1.8", "no 'shop' chart with version matching '<1.8' found"),
            ("3.x", "no 'shop' chart with version matching '3.x' found"),
            ("one", "improper constraint: \"one\""),
        ] {
            let found = pick("shop", &all, wish).map(|version| version.version.clone());
            assert_eq!(found.unwrap_or_else(|error| error), expected, "{wish:?}");
        }
        assert_eq!(pick("shop", &[], "*").unwrap_err(), "no chart version found");
    }

    /// What source-controller picks of the same lists.
    #[test]
    fn of_equal_versions_the_one_that_was_made_last_is_picked_else_the_last() {
        for (list, wish, expected) in [
            (
                &[
                    "1.0.0+a@2020-01-01T00:00:00Z",
                    "1.0.0+b@2021-01-01T00:00:00Z",
                    "1.0.0+c@2020-06-01T00:00:00Z",
                ][..],
                "1.0.0",
                "1.0.0+b",
            ),
            (&["1.0.0+a", "1.0.0+b", "1.0.0+c"], "*", "1.0.0+c"),
            (&["1.0.0", "v1.0.0"], "*", "v1.0.0"),
            (
                &["1.0.0+a@2020-01-01T00:00:00Z", "1.0.0+b@2020-01-01T00:00:00Z"],
                "*",
                "1.0.0+b",
            ),
            (
                &[
                    "1.0.0+a@2020-01-01T00:00:00+02:00",
                    "1.0.0+b@2020-01-01T00:00:00Z",
                    "1.0.0+c",
                ],
                "*",
                "1.0.0+b",
            ),
        ] {
            let all = versions(list);
            assert_eq!(pick("shop", &all, wish).unwrap().version, expected, "{list:?}");
        }
    }

    /// What source-controller says of the same wishes.
    #[test]
    fn wishes_are_read_as_flux_reads_them() {
        let all = versions(&[
            "2.0.0-rc.1",
            "1.10.0",
            "1.9.0",
            "v1.8.0",
            "1.7",
            "1.6.0+x",
            "1.6.0+y",
            "1.5.0-beta.2",
            "1.5.0-beta.10",
            "0.9.9",
            "10.0.0-0",
        ]);
        for (wish, expected) in [
            ("x", "1.10.0"),
            ("1.X", "1.10.0"),
            ("^v1", "1.10.0"),
            ("~>1.9", "1.9.0"),
            (" 1.9.0 ", "1.9.0"),
            ("=1.9.0", "1.9.0"),
            ("1.2 - 1.9", "1.9.0"),
            (">=1, <1.9", "v1.8.0"),
            ("!=1.10.0", "1.9.0"),
            ("1.x || 2.x", "1.10.0"),
            ("*-0", "10.0.0-0"),
            (">0.0.0-0", "10.0.0-0"),
            ("^1.5.0-beta", "1.10.0"),
            (">1.5.0-0 <1.6.0-0", "1.5.0-beta.10"),
            ("1.6.0", "1.6.0+y"),
            (
                "1.5.0-beta.x",
                "no 'shop' chart with version matching '1.5.0-beta.x' found",
            ),
            ("==1.9.0", "improper constraint: \"==1.9.0\""),
            ("1.9.0.0", "improper constraint: \"1.9.0.0\""),
            ("latest", "improper constraint: \"latest\""),
            ("1.9.0 || one", "improper constraint: \" one\""),
            ("^", "improper constraint: \"^\""),
            ("1..2", "improper constraint: \"1..2\""),
        ] {
            let found = pick("shop", &all, wish).map(|version| version.version.clone());
            assert_eq!(found.unwrap_or_else(|error| error), expected, "{wish:?}");
        }
    }

    const PLACE: (&str, &str) = ("shop", "oci://h/shop");

    #[test]
    fn tags_are_strict_versions() {
        let tags = [
            "1.0.0",
            "v1.5.0",
            "1.2.0_build.1",
            "1.3",
            "01.4.0",
            "2.0.0-rc.1",
            "latest",
        ];
        let tags: Vec<String> = tags.map(str::to_owned).to_vec();
        for (wish, expected) in [
            ("", "1.2.0+build.1"),
            ("*", "1.2.0+build.1"),
            ("1.x", "1.2.0+build.1"),
            (">1-0", "2.0.0-rc.1"),
            ("1.0", "1.0.0"),
            (
                "3",
                "could not locate a version matching provided version string 3",
            ),
        ] {
            assert_eq!(
                pick_tag(PLACE, &tags, wish).unwrap_or_else(|error| error),
                expected,
                "{wish:?}"
            );
        }
        assert_eq!(
            pick_tag(PLACE, &["latest".to_owned()], "*").unwrap_err(),
            "could not get tags for \"shop\": unable to locate any tags in provided repository: oci://h/shop"
        );
        assert!(is_exact("1.0.0") && is_exact("v1.0.0") && !is_exact("1.0") && !is_exact("1.0.x"));
    }
}
