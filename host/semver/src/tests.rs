//! Rows held to the original.

use super::*;

fn admitted(range: &str, versions: &str) -> String {
    let range = match Range::parse(range) {
        Ok(range) => range,
        Err(error) => return error.to_string(),
    };
    let admitted = versions
        .split(' ')
        .filter(|version| range.contains(&Version::parse(version).unwrap()));
    admitted.collect::<Vec<_>>().join(" ")
}

#[test]
fn ranges_admit_what_masterminds_does() {
    let mut wrong = String::new();
    for (range, versions, expected) in [
        ("", "1.0.0", "improper constraint: \"\""),
        ("1 - 2 3", "1.5.0", ""),
        ("1 2", "1.5.0", ""),
        ("1,", "1.5.0", "improper constraint: \"1,\""),
        ("1 ,2", "1.5.0", ""),
        ("1.x|2.0", "1.5.0", "constraint parser error"),
        ("*", "0.0.1 1.0.0 1.0.0-a", "0.0.1 1.0.0"),
        ("x", "0.0.1 1.0.0", "0.0.1 1.0.0"),
        (">=1.0.0", "0.9.0 1.0.0 2.0.0 2.0.0-rc.1", "1.0.0 2.0.0"),
        (
            ">=1.0.0-0",
            "0.9.0 1.0.0-a 1.0.0 2.0.0-rc.1",
            "1.0.0-a 1.0.0 2.0.0-rc.1",
        ),
        ("1.2", "1.1.9 1.2.0 1.2.9 1.3.0", "1.2.0 1.2.9"),
        ("1", "0.9.0 1.0.0 1.9.0 2.0.0", "1.0.0 1.9.0"),
        ("1.x.x", "0.9.0 1.0.0 1.9.0 2.0.0", "1.0.0 1.9.0"),
        (">11", "11.0.0 11.9.9 12.0.0", "12.0.0"),
        (">11.1", "11.1.9 11.2.0 12.0.0", "11.2.0 12.0.0"),
        ("<=11", "11.9.9 12.0.0 10.1.0", "11.9.9 10.1.0"),
        ("<=11.1", "11.1.9 11.2.0 10.9.0", "11.1.9 10.9.0"),
        ("~1.2.3", "1.2.2 1.2.3 1.2.9 1.3.0", "1.2.3 1.2.9"),
        ("~1", "1.0.0 1.9.0 2.0.0", "1.0.0 1.9.0"),
        ("~>1.2", "1.2.0 1.2.9 1.3.0", "1.2.0 1.2.9"),
        ("~0.0.0", "0.0.0 5.0.0", "0.0.0 5.0.0"),
        ("^1.2.3", "1.2.2 1.2.3 1.9.0 2.0.0", "1.2.3 1.9.0"),
        ("^0.2.3", "0.2.2 0.2.3 0.2.9 0.3.0 1.0.0", "0.2.3 0.2.9"),
        ("^0.0.3", "0.0.2 0.0.3 0.0.4", "0.0.3"),
        ("^0.0", "0.0.3 0.1.0", "0.0.3"),
        ("^0", "0.0.3 0.9.0 1.0.0", "0.0.3 0.9.0"),
        ("!=1.2.3", "1.2.3 1.2.4", "1.2.4"),
        ("!=1.2", "1.2.3 1.3.0 2.0.0", "1.3.0 2.0.0"),
        ("!=1", "1.2.3 2.0.0", "2.0.0"),
        ("=1.2.3", "1.2.3 1.2.4 1.2.3+build", "1.2.3 1.2.3+build"),
        ("1.2 - 2.3", "1.1.0 1.2.0 2.3.9 2.4.0", "1.2.0 2.3.9"),
        ("1.2.3 - 1.2.5 || >=3", "1.2.4 2.0.0 3.1.0", "1.2.4 3.1.0"),
        (">1, <2", "1.0.0 1.5.0 2.0.0", ""),
        (">=1 <2", "1.0.0 1.5.0 2.0.0", "1.0.0 1.5.0"),
        (">=1,<2", "1.0.0 1.5.0 2.0.0", "1.0.0 1.5.0"),
        ("=>1.0.0", "0.9.0 1.0.0", "1.0.0"),
        ("=<1.0.0", "0.9.0 1.0.0 1.1.0", "0.9.0 1.0.0"),
        ("v1.2.3", "1.2.3 v1.2.3", "1.2.3 v1.2.3"),
        (
            ">= 1.0.0-beta.2",
            "1.0.0-beta.1 1.0.0-beta.10 1.0.0-beta.2 1.0.0",
            "1.0.0-beta.10 1.0.0-beta.2 1.0.0",
        ),
        ("1.0.0 foo", "1.0.0", "improper constraint: \"1.0.0 foo\""),
        ("1.0.0>2", "1.0.0", "improper constraint: \"1.0.0>2\""),
        ("not", "1.0.0", "improper constraint: \"not\""),
    ] {
        let found = admitted(range, versions);
        if found != expected {
            wrong += &format!("{range:?}: expected {expected:?}, found {found:?}\n");
        }
    }
    assert_eq!(wrong, "");
    assert_eq!(
        Range::parse(&">=1 ".repeat(200)).unwrap_err(),
        Error::RangeTooLong
    );
}

#[test]
fn tags_need_three_parts_and_the_newest_wins() {
    for (tag, is_version) in [
        ("1.2.3", true),
        ("v1.2.3", true),
        ("v2025.02.03", true),
        ("v1.0", false),
        ("1.2-5", false),
        ("1.2.3.4", false),
        ("1.2.3-01", false),
        ("release", false),
        ("1.2.99999999999999999999", false),
    ] {
        assert_eq!(Version::parse_tag(tag).is_ok(), is_version, "{tag}");
    }
    let newest = |range: &str| {
        let tags = [
            "v0.9.0",
            "1.0.0",
            "1.10.0",
            "v1.9.0",
            "1.10.0+b2",
            "2.0.0-rc1",
            "latest",
        ];
        let newest = Range::parse(range).unwrap().newest(tags);
        newest
            .iter()
            .map(|version| version.original().to_owned())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(newest("1.x"), "1.10.0 1.10.0+b2");
    assert_eq!(newest(">=1.0.0-0"), "2.0.0-rc1");
    assert_eq!(newest("<1"), "v0.9.0");
    assert_eq!(newest(">5"), "");
}

/// Answers of Masterminds/semver 3.5.0.
#[test]
fn odd_ranges_are_read_as_the_original_reads_them() {
    let versions = "0.0.0 0.0.1 0.1.0 0.2.3-a 1.0.0 1.2 v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x 1.9.9 2.0.0 2.0.0-0 11.1.3 \
                    1.25.3-gke.100 18446744073709551615.0.0";
    let mut wrong = String::new();
    for (range, expected) in [
        ("", "improper constraint: \"\""),
        (" ", "improper constraint: \" \""),
        (
            "*",
            "0.0.0 0.0.1 0.1.0 1.0.0 1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0",
        ),
        ("1 - 2 3", ""),
        (">1.2 - 2", "improper constraint: \">>= 1.2, <= 2 \""),
        ("1.x|2.0", "constraint parser error"),
        ("1,", "improper constraint: \"1,\""),
        (",1", "improper constraint: \",1\""),
        ("1 , 2", ""),
        ("1 ,", "improper constraint: \"1 ,\""),
        ("1,,2", "improper constraint: \"1,,2\""),
        ("||", "improper constraint: \"\""),
        ("1||", "improper constraint: \"\""),
        ("1 || || 2", "improper constraint: \" \""),
        (">= 1.2.3-", "improper constraint: \">= 1.2.3-\""),
        ("1.2.3.4", "improper constraint: \"1.2.3.4\""),
        ("=1.2.3+meta", "v1.2.3"),
        (
            ">1.2.3-beta",
            "v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x 1.9.9 2.0.0 2.0.0-0 11.1.3 1.25.3-gke.100 18446744073709551615.0.0",
        ),
        (
            "^1.2.3-beta.2",
            "v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x 1.9.9 1.25.3-gke.100",
        ),
        (
            "~0.0.0",
            "0.0.0 0.0.1 0.1.0 1.0.0 1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0",
        ),
        ("~0", "0.0.0 0.0.1 0.1.0"),
        ("^0.0.x", "0.0.0 0.0.1"),
        ("^*", "0.0.0"),
        (
            "!=*",
            "0.0.1 0.1.0 1.0.0 1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0",
        ),
        ("!=1.x", "0.0.0 0.0.1 0.1.0 2.0.0 11.1.3 18446744073709551615.0.0"),
        (
            ">*",
            "0.0.1 0.1.0 1.0.0 1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0",
        ),
        ("<*", ""),
        ("<=*", "0.0.0 0.0.1"),
        ("<=1.x.3", "0.0.0 0.0.1 0.1.0 1.0.0 1.2 v1.2.3 1.9.9"),
        (">=v1.2", "1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0"),
        (
            ">= v1.2-0",
            "1.2 v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x 1.9.9 2.0.0 2.0.0-0 11.1.3 1.25.3-gke.100 18446744073709551615.0.0",
        ),
        ("^ 1", "1.0.0 1.2 v1.2.3 1.9.9"),
        ("~ > 1", "improper constraint: \"~ > 1\""),
        ("> = 1", "improper constraint: \"> = 1\""),
        (
            "=>1",
            "1.0.0 1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0",
        ),
        ("==1", "improper constraint: \"==1\""),
        ("1.2.X", "1.2 v1.2.3"),
        ("1.*.*", "1.0.0 1.2 v1.2.3 1.9.9"),
        (
            "x.1",
            "0.0.0 0.0.1 0.1.0 1.0.0 1.2 v1.2.3 1.9.9 2.0.0 11.1.3 18446744073709551615.0.0",
        ),
        ("xx", "constraint parser error"),
        ("1.xx", "constraint parser error"),
        ("01.02.03", "v1.2.3"),
        ("1.2.3-01", "constraint parser error"),
        ("99999999999999999999999", "constraint parser error"),
        (
            ">=1.0.0-0 <2.0.0-0",
            "1.0.0 1.2 v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x 1.9.9 1.25.3-gke.100",
        ),
        ("1.2.3 - 1.9.9 || >11", "v1.2.3 1.9.9 18446744073709551615.0.0"),
        ("1.2 -2.0", "improper constraint: \"1.2 -2.0\""),
        ("1.2-2.0", "1.2 v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x"),
        (
            "1-2",
            "1.0.0 1.2 v1.2.3 1.2.3-beta.2 1.2.3-beta.10+x 1.9.9 1.25.3-gke.100",
        ),
        (
            ">=1.19-0",
            "2.0.0 2.0.0-0 11.1.3 1.25.3-gke.100 18446744073709551615.0.0",
        ),
        ("é", "improper constraint: \"é\""),
        ("1 é", "improper constraint: \"1 é\""),
        (">=1.2.3 \\n", "improper constraint: \">=1.2.3 \\\\n\""),
        ("\t>1\t<2\t", ""),
    ] {
        let found = admitted(range, versions);
        if found != expected {
            wrong += &format!("{range:?}: expected {expected:?}, found {found:?}\n");
        }
    }
    assert_eq!(wrong, "");
}

/// Answers of Masterminds/semver 3.5.0: the version printed, its prerelease and its metadata.
#[test]
fn odd_versions_are_read_as_the_original_reads_them() {
    for (text, expected) in [
        ("1", "1.0.0||"),
        ("v1.2", "1.2.0||"),
        ("V1", "invalid semantic version"),
        ("1.2.3.4", "invalid semantic version"),
        ("01.2", "1.2.0||"),
        ("1.2.3-01", "version segment starts with 0"),
        ("1.2.3-a..b", "invalid semantic version"),
        ("1.2.3+a_b", "invalid semantic version"),
        ("1.2.3-", "invalid semantic version"),
        (
            "99999999999999999999999",
            "error parsing version segment: strconv.ParseUint: parsing \"99999999999999999999999\": value out of range",
        ),
        (
            "1.99999999999999999999999",
            "error parsing version segment: strconv.ParseUint: parsing \"99999999999999999999999\": value out of range",
        ),
        ("", "invalid semantic version"),
        (" 1", "invalid semantic version"),
        ("1.", "invalid semantic version"),
        ("1.2.3-é", "invalid semantic version"),
    ] {
        let found = match Version::parse(text) {
            Ok(version) => format!("{version}|{}|{}", version.prerelease(), version.metadata()),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text:?}");
    }
}
