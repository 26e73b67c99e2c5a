use super::*;
use expect_test::expect;
use std::io::Cursor;

fn shown(index: &str) -> String {
    let mut json = Vec::new();
    match read(Cursor::new(index.as_bytes()), 4096, None, &mut json) {
        // each chart stands on a line of its own
        Ok(_) => String::from_utf8(json).unwrap().replace('\n', ""),
        Err(error) => error.to_string(),
    }
}

/// The words of every such error, which the rows leave out.
const WORDS: &str = "failed to load Helm repository from index YAML: failed to load index: ";

#[test]
fn an_index_becomes_json_newest_first_without_what_helm_refuses() {
    let written = "\
# a comment
apiVersion: v1
entries: # charts
  nginx:
  - name: nginx
    version: 1.9.0
    urls: [nginx-1.9.0.tgz]
  - name: nginx
    version: 1.10.0
    description: |
      two lines
    apiVersion: v2
    appVersion: 1.5
  - name: nginx
    version: not-a-version
  - name: ../nginx
    version: 1.0.0
  -
  \"b b\":
    - {name: b, version: v2, type: library}

  c: []
generated: \"2026-01-01T00:00:00Z\"
";
    expect![[r#"{"entries":{"nginx":[{"apiVersion":"v2","appVersion":"1.5","description":"two lines\n","name":"nginx","version":"1.10.0"},{"apiVersion":"v1","name":"nginx","urls":["nginx-1.9.0.tgz"],"version":"1.9.0"}],"b b":[{"apiVersion":"v1","name":"b","type":"library","version":"v2"}],"c":[]},"apiVersion":"v1","generated":"2026-01-01T00:00:00Z"}"#]]
        .assert_eq(&shown(written));
    // the same on one line, and as JSON
    let json =
        r#"{"apiVersion":"v1","other":1,"entries":{"a":[{"name":"a","version":"1.0.0","own":1},null]}}"#;
    let found =
        r#"{"entries":{"a":[{"apiVersion":"v1","name":"a","own":1,"version":"1.0.0"}]},"apiVersion":"v1"}"#;
    assert_eq!(shown(json), found);
    assert_eq!(
        shown("apiVersion: v1\nentries: {a: [{name: a, version: 1.0.0}]}"),
        found.replace(r#""own":1,"#, "")
    );
    assert_eq!(
        shown("apiVersion: v1\nentries: {}"),
        r#"{"entries":{},"apiVersion":"v1"}"#
    );
    assert_eq!(
        shown("apiVersion: v1\nentries:\n"),
        r#"{"entries":{},"apiVersion":"v1"}"#
    );
}

/// One bad time spoils the whole index in Flux.
#[test]
fn a_version_whose_time_cannot_be_read_is_one_without() {
    for created in ["yesterday", "\"2026-13-01T00:00:00Z\"", "7", "null"] {
        let index = format!(
            "apiVersion: v1\nentries:\n  a:\n  - {{name: a, version: 1.0.0, created: {created}}}\n  - {{name: a, version: 1.0.0+b, created: \"2026-01-01T00:00:00Z\"}}\n"
        );
        let mut json = Vec::new();
        read(Cursor::new(index), 4096, None, &mut json).unwrap();
        let index: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let versions = index.pointer("/entries/a").unwrap().clone();
        let versions: Vec<crate::helm::ChartVersion> = serde_json::from_value(versions).unwrap();
        let picked = crate::helm::pick("a", &versions, "*").unwrap();
        assert_eq!(
            (versions.len(), picked.version.as_str()),
            (2, "1.0.0+b"),
            "{created}"
        );
    }
}

#[test]
fn what_cannot_be_read_in_one_way_is_refused() {
    let large = format!(
        "apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    description: {}\n",
        "x".repeat(5000)
    );
    let bomb = format!(
        "apiVersion: v1\nentries:\n  a: &a [{}]\n  b: [*a,*a]\n",
        "x,".repeat(100)
    );
    let rows = [
        "",
        "  \n\n",
        "entries: {}\n",
        "apiVersion: v1\nextra: 1\n",
        "apiVersion: v1\napiVersion: v2\n",
        "apiVersion: v1\nentries:\n  a: []\n  a: []\n",
        "apiVersion: v1\nentries:\n  a: []\nentries:\n  a: []\n",
        "apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    own: 1\n",
        "apiVersion: v1\nentries:\n    a: []\n  b: []\n",
        "apiVersion: v1\nentries:\n  - a\n",
        "apiVersion: v1\nentries:\n  a: 1\n",
        "apiVersion: v1\nentries:\n  a:\n  - b\n",
        "apiVersion: v1\nentries:\n  a:\n  - name: \"x\n",
        "- a\n",
        "{\"apiVersion\":",
        "{\"apiVersion\":\"v1\"} x",
        "apiVersion: v1\nentries: 3\n",
        large.as_str(),
        bomb.as_str(),
    ];
    let shown = rows.map(|row| {
        let short: String = row.chars().take(70).collect();
        format!("{short:?}\n  {}\n", shown(row).replace(WORDS, ""))
    });
    expect![[r#"
        ""
          empty index.yaml file
        "  \n\n"
          empty index.yaml file
        "entries: {}\n"
          no API version specified
        "apiVersion: v1\nextra: 1\n"
          error unmarshaling JSON: while decoding JSON: json: unknown field "extra"
        "apiVersion: v1\napiVersion: v2\n"
          error converting YAML to JSON: yaml: unmarshal errors:
          line 2: key "apiVersion" already set in map (counted from line 1 of index.yaml)
        "apiVersion: v1\nentries:\n  a: []\n  a: []\n"
          error unmarshaling JSON: key "a" already set in map
        "apiVersion: v1\nentries:\n  a: []\nentries:\n  a: []\n"
          error converting YAML to JSON: yaml: line 4: key "entries" already set in map
        "apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    own: 1"
          error unmarshaling JSON: while decoding JSON: json: unknown field "own" (chart "a")
        "apiVersion: v1\nentries:\n    a: []\n  b: []\n"
          error converting YAML to JSON: yaml: line 4: did not find expected key
        "apiVersion: v1\nentries:\n  - a\n"
          error converting YAML to JSON: yaml: line 3: did not find expected key
        "apiVersion: v1\nentries:\n  a: 1\n"
          error unmarshaling JSON: the versions of chart "a" are no list
        "apiVersion: v1\nentries:\n  a:\n  - b\n"
          error unmarshaling JSON: a version of chart "a" is no object
        "apiVersion: v1\nentries:\n  a:\n  - name: \"x\n"
          error converting YAML to JSON: yaml: line 3: found unexpected end of stream (counted from line 3 of index.yaml)
        "- a\n"
          error unmarshaling JSON: the index is no object
        "{\"apiVersion\":"
          EOF while parsing a value at line 1 column 14
        "{\"apiVersion\":\"v1\"} x"
          trailing characters at line 1 column 21
        "apiVersion: v1\nentries: 3\n"
          error unmarshaling JSON: 'entries' is no object
        "apiVersion: v1\nentries:\n  a:\n  - name: a\n    version: 1.0.0\n    descri"
          the versions of one chart exceed the limit of 4096 bytes (chart_versions_size_max)
        "apiVersion: v1\nentries:\n  a: &a [x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x,x"
          error unmarshaling JSON: a version of chart "a" is no object
    "#]]
    .assert_eq(&shown.concat());
}

#[test]
fn what_one_chart_costs_is_bounded_whichever_way_it_is_written() {
    let refused = |index: &str| {
        let read = read(
            Cursor::new(index.as_bytes()),
            32 << 20,
            None,
            &mut std::io::sink(),
        );
        read.unwrap_err().to_string().replace(WORDS, "")
    };
    // bytes: of each chart, not of all
    let version = format!(
        r#"{{"name":"a","version":"1.0.0","description":"{}"}}"#,
        "[".repeat(3000)
    );
    let two = format!(r#"{{"apiVersion":"v1","entries":{{"a":[{version}],"b":[{version}]}}}}"#);
    assert!(shown(&two).contains(r#""b":["#), "{}", shown(&two));
    let large = format!(r#"{{"apiVersion":"v1","entries":{{"a":[{version},{version}]}}}}"#);
    let field = format!(r#"{{"apiVersion":"v1","annotations":[{version},{version}]}}"#);
    for large in [large, field] {
        let said = shown(&large).replace(WORDS, "");
        let limit = "the versions of one chart exceed the limit of 4096 bytes (chart_versions_size_max)";
        assert!(said.starts_with(limit), "{said}");
    }
    // values: two bytes of text each
    let values = "[],".repeat(VALUES_MAX);
    let json = "the versions of one chart hold more than 500000 values (values_max)";
    for entry in [format!("[{values}[]]"), format!(r#"[{{"own":[{values}[]]}}]"#)] {
        let index = format!(r#"{{"apiVersion":"v1","entries":{{"a":{entry}}}}}"#);
        let said = refused(&index);
        assert!(said.starts_with(json) || said.contains("is no object"), "{said}");
    }
    for entries in [
        format!("\n  a: [{values}[]]\n"),
        format!(" {{a: [{values}[]]}}\n"),
    ] {
        let said = refused(&format!("apiVersion: v1\nentries:{entries}"));
        assert!(said.contains("500000"), "{said}");
    }
    // names
    let names: String = (0..CHARTS_MAX)
        .map(|number| format!(r#""{number}":[],"#))
        .collect();
    let index = format!(r#"{{"apiVersion":"v1","entries":{{{names}"z":[]}}}}"#);
    assert!(refused(&index).starts_with("more than 100000 charts (charts_max)"));
}

#[test]
fn of_other_charts_nothing_is_kept() {
    let json =
        r#"{"entries":{"a":[{"name":"a","version":"1.0.0"}],"b":[1],"c":7},"apiVersion":"v1","x":[[]]}"#;
    let mut output = Vec::new();
    let indexed = read(Cursor::new(json), 4096, Some("a"), &mut output).unwrap();
    assert_eq!((indexed.charts, indexed.versions), (1, 1));
    assert!(String::from_utf8(output).unwrap().contains(r#""a":[{"#));
}

/// N13.
#[test]
fn a_large_index_is_read_without_being_held() {
    let mut index = b"apiVersion: v1\nentries:\n".to_vec();
    for chart in 0..2000 {
        writeln!(index, "  chart-{chart}:").unwrap();
        for version in 0..20 {
            writeln!(index, "  - name: chart-{chart}\n    version: 1.{version}.0\n    urls:\n    - chart-{chart}-1.{version}.0.tgz").unwrap();
        }
    }
    let mut json = Vec::new();
    let indexed = read(Cursor::new(index), 1 << 20, None, &mut json).unwrap();
    assert_eq!((indexed.charts, indexed.versions), (2000, 40_000));
    let read: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(read.pointer("/entries/chart-7/0/version").unwrap(), "1.19.0");
}

proptest::proptest! {
    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..300)) {
        let _any = read(Cursor::new(&bytes), 100, None, &mut Vec::new());
        let mut index = b"apiVersion: v1\nentries:\n  a:\n  - name: a\n".to_vec();
        index.extend(&bytes);
        let _any = read(Cursor::new(&index), 100, None, &mut Vec::new());
    }
}
