//! Which error comes first, and what is none: as Go's reader and scanner have it (seen with Helm 4.3).
#![allow(clippy::unwrap_used)]

use sluice_yaml::{Limits, ParseOptions, Resolver, decode_text, parse_document, to_json};

fn of_bytes(bytes: &[u8]) -> String {
    decode_text(bytes, &Limits::default()).unwrap_err().to_string()
}

#[test]
fn octets_are_looked_at_in_the_order_of_gos_reader() {
    for (bytes, expected) in [
        (&b"a: \xff"[..], "yaml: invalid leading UTF-8 octet"),
        (b"a: \x80", "yaml: invalid leading UTF-8 octet"),
        (b"a: caf\xe9", "yaml: incomplete UTF-8 octet sequence"),
        (b"a: caf\xe9\nb: 1", "yaml: invalid trailing UTF-8 octet"),
        (b"a: \xc0\xaf", "yaml: invalid length of a UTF-8 sequence"),
        (b"a: \xe0\x80\xaf", "yaml: invalid length of a UTF-8 sequence"),
        (b"a: \xed\xa0\x80", "yaml: invalid Unicode character"),
        (b"a: \xf4\x90\x80\x80", "yaml: invalid Unicode character"),
        (b"a: \x01\xff", "yaml: control characters are not allowed"),
        (b"a: \xff\x01", "yaml: invalid leading UTF-8 octet"),
    ] {
        assert_eq!(of_bytes(bytes), expected, "{}", bytes.escape_ascii());
    }
}

fn read(text: &str) -> Result<(), String> {
    let read = parse_document(text, &ParseOptions::new(Resolver::V2));
    read.map(drop).map_err(|error| error.to_string())
}

#[test]
fn an_open_bracket_at_the_end_was_to_be_a_key() {
    let error = "yaml: line 3: could not find expected ':'".to_owned();
    assert_eq!(read("a: 1\n{{ x }"), Err(error.clone()));
    assert_eq!(read("a: 1\n[x"), Err(error));
}

#[test]
fn what_follows_the_end_of_a_document_is_nobodys() {
    for text in ["a: 1\n... - b", "a: 1\n...\n%", "a: 1\n...\n\tb"] {
        assert_eq!(read(text), Ok(()), "{text}");
    }
}

#[test]
fn what_is_forbidden_is_told_when_its_piece_is_read() {
    let read = |text: String| match parse_document(text, &ParseOptions::new(Resolver::V2)) {
        Ok(_) => "read".to_owned(),
        Err(error) => error.to_string(),
    };
    let (forbidden, syntax) = (
        "yaml: control characters are not allowed",
        "yaml: line 1: did not find expected node content",
    );
    let fill = |count: usize| "#".repeat(count);
    for (text, expected) in [
        (format!("a: [\n}}{}\x01", fill(300)), forbidden),
        (format!("a: [\n}}{}\x01", fill(600)), syntax),
        (format!("a: 1\n---\n{}\x01", fill(400)), forbidden),
        (format!("a: 1\n---\n{}\x01", fill(600)), "read"),
        (format!("a: 1\n{}\x01", fill(600)), forbidden),
        (format!("{}\n}}\n{}\x01", fill(507), fill(500)), syntax),
        (format!("{}\n}}\n{}\x01", fill(508), fill(500)), forbidden),
    ] {
        assert_eq!(read(text.clone()), expected, "{text}");
    }
}

#[test]
fn what_a_later_key_replaces_is_decoded_too() {
    let read = |text: &str| {
        let document = parse_document(text, &ParseOptions::new(Resolver::V2))
            .unwrap()
            .unwrap();
        let json = to_json(&document.root, Resolver::V2);
        json.map(|json| json.to_string())
            .map_err(|error| error.to_string())
    };
    for (text, expected) in [
        (
            "a: !!float on\na: 1",
            Err("yaml: cannot decode !!bool `on` as a !!float"),
        ),
        (
            "<<: {a: !!int x}\na: 1",
            Err("yaml: cannot decode !!str `x` as a !!int"),
        ),
        ("a: {~: 1}\na: 1", Ok(r#"{"a":1}"#)),
        (
            "~: 1e3",
            Err("unsupported map key of type: %!s(<nil>), key: <nil>, value: 1000"),
        ),
        (
            "{b, a}: 1",
            Err(
                r#"yaml: invalid map key: map[interface {}]interface {}{"a":interface {}(nil), "b":interface {}(nil)}"#,
            ),
        ),
    ] {
        assert_eq!(
            read(text),
            expected.map(str::to_owned).map_err(str::to_owned),
            "{text}"
        );
    }
}
