//! The parser and the executor under nonsense: whatever the source, there is an answer, and soon.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use sluice_plugin_helm::{
    Map, Value,
    functions::{self, Environment, Timestamp},
    template::{CALL_DEPTH_MAX, DEPTH_MAX, MissingKey, Render, Set},
};

/// Pieces that mean something next to each other, and some that do not.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{-",
    "-}}",
    " ",
    "\n",
    "(",
    ")",
    "|",
    ".",
    ".a",
    ".a.b",
    "$",
    "$x",
    ":=",
    "=",
    ",",
    "if",
    "else",
    "end",
    "range",
    "with",
    "define",
    "template",
    "block",
    "break",
    "continue",
    "nil",
    "true",
    "1",
    "-1",
    "1.5",
    "0x",
    "'a'",
    "'",
    "\"a\"",
    "\"",
    "`",
    "/*",
    "*/",
    "print",
    "printf",
    "and",
    "or",
    "not",
    "eq",
    "lt",
    "index",
    "len",
    "nope",
    "é",
    "\u{2028}",
    "{{if .a}}",
    "{{else}}",
    "{{end}}",
    "{{range .l}}",
    "{{define \"a\"}}",
    "{{template \"a\" .}}",
    "{{break}}",
    "{{/* c */}}",
];

/// Not random: the same sources in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % limit
    }
}

fn execute(source: &[u8]) -> Result<Vec<u8>, String> {
    let mut set = Set::default();
    set.add("t", source, functions::all())
        .map_err(|error| error.to_string())?;
    let environment = Environment::new(Timestamp::default(), [0; 32]);
    let render = Render::new(&set, functions::all(), &environment, MissingKey::Zero);
    let data: Map = [
        ("a", Value::int(1)),
        (
            "l",
            Value::List([Value::int(1), Value::Nil].into_iter().collect()),
        ),
    ]
    .into_iter()
    .collect();
    render
        .execute("t", &Value::Map(data))
        .map_err(|error| error.to_string())
}

/// On a stack of the size that guests have.
fn in_guest_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(16 << 20)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn nonsense_has_an_answer() {
    in_guest_stack(|| {
        let mut numbers = Numbers(0x5EED);
        let mut rendered = 0;
        for _ in 0..20_000 {
            let length = 1 + numbers.below(12);
            let source: String = (0..length).map(|_| PIECES[numbers.below(PIECES.len())]).collect();
            rendered += usize::from(execute(source.as_bytes()).is_ok());
            // every prefix, cut anywhere
            let cut = numbers.below(source.len() + 1);
            let _ = execute(&source.as_bytes()[..cut]);
        }
        assert!(rendered > 100, "only {rendered} of the sources mean something");
    });
}

#[test]
fn nesting_is_bounded() {
    in_guest_stack(|| {
        let parentheses = format!(
            "{{{{{}1{}}}}}",
            "(".repeat(DEPTH_MAX + 1),
            ")".repeat(DEPTH_MAX + 1)
        );
        assert_eq!(
            execute(parentheses.as_bytes()).unwrap_err(),
            "template: t:1: max expression depth exceeded"
        );
        let branches = "{{if true}}".repeat(DEPTH_MAX + 1);
        assert_eq!(
            execute(branches.as_bytes()).unwrap_err(),
            "template: t:1: max expression depth exceeded"
        );
        let depth = DEPTH_MAX - 2;
        let deep = format!("{}x{}", "{{if true}}".repeat(depth), "{{end}}".repeat(depth));
        assert_eq!(execute(deep.as_bytes()).unwrap(), b"x");
    });
}

#[test]
fn templates_that_call_themselves_stop() {
    in_guest_stack(|| {
        let error = execute(br#"{{define "a"}}{{template "a" .}}{{end}}{{template "a" .}}"#).unwrap_err();
        let wanted = format!("exceeded maximum template depth ({CALL_DEPTH_MAX})");
        assert!(error.ends_with(&wanted), "{error}");
        let error = execute(br#"{{define "a"}}{{include "a" .}}{{end}}{{include "a" .}}"#).unwrap_err();
        let wanted = "rendering template has a nested reference name: a: unable to execute template";
        assert!(error.ends_with(wanted), "{error}");
    });
}

/// An umbrella has the same library chart below each of its parts.
#[test]
fn equal_sources_are_parsed_once() {
    let library =
        "{{ define \"lib.name\" }}{{ .Name }}{{ end }}{{ define \"lib.bad\" }}\n{{ .Name.x.y }}{{ end }}";
    let mut set = Set::default();
    for part in 0..120 {
        let name = format!("umbrella/charts/part-{part}/charts/lib/templates/_lib.tpl");
        set.add(name, library, functions::all()).unwrap();
    }
    let own = "{{ define \"umbrella/templates/_lib.tpl\" }}{{ end }}";
    for name in ["a.tpl", "umbrella/templates/_lib.tpl"] {
        set.add(name, own, functions::all()).unwrap();
    }
    assert_eq!(
        set.sources_parsed(),
        3,
        "one that defines a template of its own name is read by itself"
    );
    // and each still tells its own place: the last one read
    let environment = Environment::new(Timestamp::default(), [0; 32]);
    let render = Render::new(&set, functions::all(), &environment, MissingKey::Zero);
    let data = Value::Map([("Name", "web")].into_iter().collect());
    assert_eq!(render.execute("lib.name", &data).unwrap(), b"web");
    let error = render.execute("lib.bad", &data).unwrap_err().to_string();
    assert!(
        error.starts_with("template: umbrella/charts/part-119/charts/lib/templates/_lib.tpl:2:"),
        "{error}"
    );
}
