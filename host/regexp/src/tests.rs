//! What Go's regexp says of each.

use crate::translate;

const PROGRAM_SIZE_MAX: usize = 10 << 20;

#[test]
fn patterns_match_what_go_matches() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (r"^v1\.2$", &["v1.2"], &["v1x2", "v1.2\n"]),
        (r"(?m)^a$", &["b\na\nb"], &["ab"]),
        (r"^\w+$", &["data", "a_1"], &["ключ", "é", "a b"]),
        (r"^[\W]+$", &["ключ", "-"], &["a"]),
        (r"^[^\w-]$", &["é"], &["a", "-"]),
        (r"^\d+\w*?$", &["12", "1a"], &["٣", "a1"]),
        (r"^\D$", &["٣"], &["3"]),
        (r"\s", &["a b", "a\tb"], &["a\u{a0}b", "a\u{b}b"]),
        (r"\bdata\b", &["my-data", "édata"], &["database"]),
        (r"^a\bö", &["aö"], &["ao"]),
        (r"\Bata", &["data"], &["éata"]),
        (r"^\Qa.b\E+$", &["a.b", "a.bb"], &["axb"]),
        (r"\Q[", &["["], &["a"]),
        (r"x{", &["x{"], &["x"]),
        (r"^a{2,3}b{,2}c{x}$", &["aab{,2}c{x}"], &["aabbc{x}"]),
        (r"^a{2}$", &["aa"], &["a{2}"]),
        (r"\<a\>", &["<a>"], &["a"]),
        (r"^\101[\102]\0?$", &["AB"], &["101"]),
        (r"^[[a&&b~~c]+$", &["[", "&", "~b"], &["d"]),
        (r"^[--a]$", &["-", "A"], &["b"]),
        (r"^[\d-x]+$", &["1-x"], &["a"]),
        (r"^[]a]$", &["]"], &["b"]),
        (r"^[[:alpha:]~]$", &["a", "~"], &["é", ":"]),
        (r"^[[:alpha:][:^digit:]]+$", &["a"], &["1"]),
        (r"^\p{^L}$", &["1"], &["é"]),
        (r"^\p{Lu}{2}[\x{61}]$", &["ÄÖa"], &["äöa", "Äa"]),
        (r"^(data|stringData)$", &["data", "stringData"], &["metadata"]),
        (r"(?i)k", &["K", "\u{212a}"], &["c"]),
        (r"^a(?i)+b$", &["aaB"], &["Ab", "b"]),
        (r"^(?i)a(?P<x>b)(?:c)(?-i)d$", &["ABCd"], &["ABCD"]),
    ];
    for (pattern, yes, no) in cases {
        let regex = translate(pattern).unwrap().compile(PROGRAM_SIZE_MAX).unwrap();
        for text in *yes {
            assert!(regex.is_match(text), "{pattern} {text}");
        }
        for text in *no {
            assert!(!regex.is_match(text), "{pattern} {text}");
        }
    }
}

#[test]
fn what_go_cannot_read_is_refused_in_its_words() {
    for (pattern, why) in [
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("|*", "missing argument to repetition operator: `*`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a{3,2}", "invalid repeat count: `{3,2}`"),
        ("(a{100}){100}", "invalid repeat count: `{100}`"),
        ("(?x) a", "invalid or unsupported Perl syntax: `(?x`"),
        ("^(?!data)", "invalid or unsupported Perl syntax: `(?!`"),
        ("(?P<a b>c)", "invalid named capture: `(?P<a b>`"),
        ("(a", "missing closing ): `(a`"),
        ("a)", "unexpected ): `a)`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\E", r"invalid escape sequence: `\E`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"\", "trailing backslash at end of expression: ``"),
        (r"[\", "trailing backslash at end of expression: ``"),
        ("[a", "missing closing ]: `[a`"),
        ("[[:", "missing closing ]: `[[:`"),
        ("[b-a]", "invalid character class range: `b-a`"),
        ("[[:word]:]", "invalid character class range: `[:word]:]`"),
        (r"\p{Nobody}", r"invalid character class range: `\p{Nobody}`"),
    ] {
        let told = translate(pattern).unwrap_err().to_string();
        assert_eq!(told, format!("error parsing regexp: {why}"), "{pattern}");
    }
}

#[test]
fn what_is_too_large_or_too_deep_is_refused_in_its_words() {
    let deep = format!("{}{}", "(".repeat(1001), ")".repeat(1001));
    for (pattern, why) in [
        (r"\pL{1000}", "expression too large"),
        (&deep, "expression nests too deeply"),
    ] {
        let told = translate(pattern).unwrap().compile(1 << 10).unwrap_err();
        assert_eq!(
            told.to_string(),
            format!("error parsing regexp: {why}: `{pattern}`")
        );
    }
}

#[test]
fn only_a_count_has_a_remedy() {
    assert!(translate("a{1001}").unwrap_err().remedy().is_some());
    assert!(translate("(a").unwrap_err().remedy().is_none());
}

#[test]
fn groups_keep_their_names() {
    let names = translate("(a)(?P<x>b)(?:c)(?<y>d)").unwrap().names;
    assert_eq!(names, ["", "", "x", "y"]);
}
