use super::*;

/// The variables of every row.
fn variables() -> Variables {
    let all = [
        ("v", "value"),
        ("empty", ""),
        ("n", "-2"),
        ("path", "/usr/local/bin"),
        ("name", "hELLO"),
        ("q", "\""),
        ("uml", "äb"),
        ("x", "a/b/a"),
    ];
    all.into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn check(template: &str, undefined: Undefined, expected: Result<&str, &str>) {
    let result = expand(template, &variables(), undefined).map_err(|error| error.to_string());
    assert_eq!(result.as_deref().map_err(String::as_str), expected, "{template}");
}

/// Every row of `compat/kustomize.md` 5.6.1, and what lies between the rows.
#[test]
fn expressions_become_what_flux_makes_of_them() {
    let not_set = Err("variable not set (strict mode): \"missing\"");
    for (template, expected) in [
        ("", Ok("")),
        ("no expression", Ok("no expression")),
        ("${v}", Ok("value")),
        ("a${v}b${v}c", Ok("avaluebvaluec")),
        ("${missing}", not_set),
        ("$v $(v) {{ $x }} $", Ok("$v $(v) {{ $x }} $")),
        // escapes
        ("pa$$word", Ok("pa$word")),
        ("$$$$", Ok("$$")),
        ("$$${v}", Ok("$value")),
        ("$${v:=x}", Ok("${v:=x}")),
        ("a$${v}", Ok("a${v}")),
        // defaults
        ("${v:-d}${v:=d}${v=d}", Ok("valuevaluevalue")),
        ("${missing:-d}${missing:=d}${missing=d}", Ok("ddd")),
        ("${empty:-d}${empty:=d}${empty=d}", Ok("ddd")),
        ("${v:+d}${v:?d}", Ok("valuevalue")),
        ("${missing:+d}${missing:?d}", Ok("dd")),
        ("${missing:=}", Ok("")),
        ("${missing:=a${v}b}", Ok("avalueb")),
        ("${missing:=a}b}", Ok("ab}")),
        ("${missing:=a$$b}", Ok("a$$b")),
        ("${missing:=${v}}", Ok("value")),
        ("${v:=${missing}}", not_set),
        ("${missing:=${empty:=${v}}}", Ok("value")),
        ("${missing:=${missing}}", not_set),
        ("${missing:=x} ${missing}", not_set),
        // what is no expression
        ("${v-d}", Err("missing closing brace")),
        ("${v+d}", Err("missing closing brace")),
        ("${v?d}", Err("missing closing brace")),
        ("${v.x}", Err("missing closing brace")),
        ("${v", Err("missing closing brace")),
        ("${v-d", Err("missing closing brace")),
        ("${}", Err("unable to parse variable name")),
        ("${ v }", Err("unable to parse variable name")),
        ("${{ x }}", Err("unable to parse variable name")),
        ("${", Err("unable to parse variable name")),
        ("${1abc}", Err("variable not set (strict mode): \"1abc\"")),
        ("${v:=d", Err("unable to parse substitution within function")),
        // length and substrings, in bytes
        ("${#v}", Ok("5")),
        ("${#uml}", Ok("3")),
        ("${#empty}", Ok("0")),
        ("${#missing}", not_set),
        ("${#}", Err("bad substitution")),
        ("${v:1}", Ok("alue")),
        ("${v:1:2}", Ok("al")),
        ("${v:9}", Ok("")),
        ("${v:9:1}", Ok("")),
        ("${v:1:99}", Ok("alue")),
        ("${v:0:0}", Ok("")),
        ("${v:-3}", Ok("value")),
        ("${v: -3}", Ok("value")),
        ("${v:${n}}", Ok("ue")),
        ("${v:${n}:1}", Ok("u")),
        ("${v:x}", Ok("value")),
        ("${v:1:x}", Ok("value")),
        ("${v:}", Err("unable to parse substitution within function")),
        ("${v:1:}", Err("unable to parse substitution within function")),
        ("${v:", Err("bad substitution")),
        ("${v:é}", Err("bad substitution")),
        ("${v:1é}", Ok("value")),
        ("${v:1:-1}", Ok("alu")),
        ("${v:2:-1}", Ok("lu")),
        ("${v:2:-3}", Ok("")),
        ("${v:2:-4}", Ok("")),
        ("${v:9:-1}", Ok("")),
        ("${v:0:-99}", Ok("")),
        ("${v:${n}:-1}", Ok("u")),
        ("${uml:1}", Err("the value of \"uml\" is cut inside a character")),
        // case
        ("${name^}${name^^}", Ok("HELLOHELLO")),
        ("${name,}${name,,}", Ok("hELLOhello")),
        ("${missing^^}", not_set),
        ("${name^^x}", Err("bad substitution")),
        // prefixes and suffixes
        ("${path#*/}", Ok("usr/local/bin")),
        ("${path##*/}", Ok("bin")),
        ("${path%/*}", Ok("/usr/local")),
        ("${path%%/*}", Ok("")),
        ("${path#/usr}", Ok("/local/bin")),
        ("${path#nothing}", Ok("/usr/local/bin")),
        ("${path#[}", Ok("/usr/local/bin")),
        ("${path#/[a-z]??}", Ok("/local/bin")),
        ("${path#}", Err("unable to parse substitution within function")),
        ("${path#a${v}}", Err("bad substitution")),
        ("${path%${v}}", Ok("/usr/local/bin")),
        // replacements
        ("${x/a/c}", Ok("c/b/a")),
        ("${x//a/c}", Ok("c/b/c")),
        ("${x/#a/c}", Ok("c/b/a")),
        ("${x/%a/c}", Ok("a/b/c")),
        ("${x/#b/c}${x/%b/c}", Ok("a/b/aa/b/a")),
        ("${v/b}", Err("bad substitution")),
        ("${v/b} and /x}", Ok("value")),
        ("${x/a/}", Ok("/b/a")),
        ("${x//a/}", Ok("/b/")),
        ("${x/#a/}", Ok("a/b/a")),
        ("${x/a//c}", Ok("c/b/a")),
        (r"${x/\//-}", Ok("a-b/a")),
        (r"${x//\//\\}", Ok(r"a\b\a")),
        ("${x/a/$$}", Ok("$/b/a")),
        ("${x/a/${v}}", Ok("value/b/a")),
        ("${x/a/c${v}}", Err("bad substitution")),
        // a NUL ends it all
        ("a\0${", Ok("a")),
        ("${q}1${q}", Ok("\"1\"")),
    ] {
        check(template, Undefined::Fails, expected);
    }
}

#[test]
fn without_strict_mode_what_is_undefined_is_empty() {
    for (template, expected) in [
        ("a${missing}b", Ok("ab")),
        ("${#missing}", Ok("0")),
        ("${missing:=d}", Ok("d")),
        ("${v:=${missing}}", Ok("value")),
        ("${missing", Err("missing closing brace")),
    ] {
        check(template, Undefined::IsEmpty, expected);
    }
}

#[test]
fn what_would_exhaust_memory_or_stack_is_refused() {
    let nested = |depth: usize| format!("{}x{}", "${missing:=".repeat(depth), "}".repeat(depth));
    check(&nested(100), Undefined::Fails, Ok("x"));
    check(
        &nested(100_000),
        Undefined::Fails,
        Err("expressions are nested more than 100 deep"),
    );
    let long: Variables = [("long".to_owned(), "x".repeat(1 << 20))].into();
    let error = expand(&"${long}".repeat(5), &long, Undefined::Fails).unwrap_err();
    assert_eq!(error.to_string(), "the result has more than 4194304 bytes");
}
