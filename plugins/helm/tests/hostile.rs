//! Charts, values and schemas made to harm: each ends in an error that says why, and soon.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use crate::corpus;

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use sluice_plugin_helm::{
    Warnings,
    chart::{ARCHIVE_BYTES_MAX, Chart, load_archive, load_tree},
    strvals,
    values::{Table, coalesce, read_values, validate},
};
use tar::{Builder, EntryType, Header};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn header(path: &str, size: u64, kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    // the library refuses to write such paths
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_size(size);
    header.set_entry_type(kind);
    header.set_cksum();
    header
}

fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, data) in files {
        let header = header(path, data.len() as u64, EntryType::Regular);
        builder.append(&header, *data).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

const METADATA: (&str, &[u8]) = ("web/Chart.yaml", b"apiVersion: v2\nname: web\nversion: 1.0.0\n");

fn error_of(bytes: &[u8]) -> String {
    load_archive(bytes).unwrap_err().to_string()
}

/// N28.
#[test]
fn paths_out_of_a_chart_are_refused() {
    for (path, why) in [
        (
            "web/../../etc/passwd",
            "chart illegally references parent directory",
        ),
        ("web/a/../../../b", "chart illegally references parent directory"),
        ("web//etc/passwd", "chart illegally contains absolute paths"),
        ("web\\..\\..\\b", "chart illegally references parent directory"),
        ("web/c:/windows", "chart contains illegally named files"),
        (
            "Chart.yaml",
            "chart illegally contains content outside the base directory: \"Chart.yaml\"",
        ),
    ] {
        let error = error_of(&archive(&[METADATA, (path, b"x")]));
        assert_eq!(error, format!("unable to load chart archive: {why}"), "{path}");
    }
}

/// N28.
#[test]
fn names_lead_nowhere() {
    for (name, why) in [
        ("..", "is not allowed"),
        (".", "is not allowed"),
        ("../../etc", "is invalid"),
        ("a/b", "is invalid"),
    ] {
        let metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
        let error = error_of(&archive(&[("web/Chart.yaml", metadata.as_bytes())]));
        let wanted = format!("validation: chart.metadata.name \"{name}\" {why}");
        assert!(error.ends_with(&wanted), "{name}: {error}");
    }
}

#[test]
fn a_directory_that_is_called_an_archive_is_none() {
    assert_eq!(
        error_of(&archive(&[METADATA, ("web/charts/a.tgz/Chart.yaml", b"x")])),
        "error unpacking subchart tar in web: expected a.tgz, got a.tgz/Chart.yaml"
    );
}

#[test]
fn directories_of_the_oldest_archives_are_left_out() {
    let mut directory = header("web/", 0, EntryType::Regular);
    directory.as_old_mut().linkflag = [0];
    directory.set_cksum();
    let mut builder = Builder::new(Vec::new());
    builder.append(&directory, &[][..]).unwrap();
    let data = METADATA.1;
    builder
        .append(&header(METADATA.0, data.len() as u64, EntryType::Regular), data)
        .unwrap();
    let chart = load_archive(&gzip(&builder.into_inner().unwrap())).unwrap();
    assert_eq!(chart.name(), "web");
}

#[test]
fn links_and_devices_lead_nowhere() {
    let mut builder = Builder::new(Vec::new());
    let data = METADATA.1;
    builder
        .append(&header(METADATA.0, data.len() as u64, EntryType::Regular), data)
        .unwrap();
    for (path, kind) in [
        ("web/templates/link.yaml", EntryType::Symlink),
        ("web/templates/hard.yaml", EntryType::Link),
        ("web/templates/device.yaml", EntryType::Char),
    ] {
        let mut header = header(path, 0, kind);
        header.set_link_name("/etc/passwd").unwrap();
        header.set_cksum();
        builder.append(&header, &[][..]).unwrap();
    }
    let chart = load_archive(&gzip(&builder.into_inner().unwrap())).unwrap();
    assert!(chart.templates.iter().all(|file| file.data.is_empty()));
}

/// N26.
#[test]
fn what_unpacks_to_too_much_is_refused() {
    // an entry that is as large as it says
    let mut builder = Builder::new(Vec::new());
    let size = ARCHIVE_BYTES_MAX + 1;
    let zeros = std::io::Read::take(std::io::repeat(0), size);
    builder
        .append(&header("web/big", size, EntryType::Regular), zeros)
        .unwrap();
    let bomb = gzip(&builder.into_inner().unwrap());
    assert!(bomb.len() < 1 << 20);
    let wanted = format!("decompressed chart is larger than the maximum size {ARCHIVE_BYTES_MAX}");
    assert!(error_of(&bomb).ends_with(&wanted), "{}", error_of(&bomb));
    // one that says more than there is
    let mut lying = header("web/big", 1 << 60, EntryType::Regular).as_bytes().to_vec();
    lying.extend([0; 512]);
    assert!(
        error_of(&gzip(&lying)).ends_with(&wanted),
        "{}",
        error_of(&gzip(&lying))
    );
}

#[test]
fn what_is_no_archive_says_so() {
    assert_eq!(
        error_of(b"hello"),
        "stream does not appear to be a valid chart file (details: gzip: invalid header)"
    );
    assert_eq!(
        error_of(&gzip(&[])),
        "unable to load chart archive: no files in chart archive"
    );
    assert_eq!(
        error_of(&archive(&[("web/values.yaml", b"a: 1\n")])),
        "unable to detect chart version, no Chart.yaml found"
    );
    for (subchart, why) in [
        (&b""[..], "EOF"),
        (b"hello", "unexpected EOF"),
        (b"hello, world", "gzip: invalid header"),
    ] {
        let error = error_of(&archive(&[METADATA, ("web/charts/sub.tgz", subchart)]));
        assert_eq!(error, format!("error unpacking subchart sub.tgz in web: {why}"));
    }
    let whole = archive(&[METADATA, ("web/templates/a.yaml", b"kind: A\n")]);
    for end in 0..whole.len() {
        let _ = load_archive(&whole[..end]);
    }
    assert!(load_archive(&whole).is_ok());
}

/// As programs make it that compress in pieces.
#[test]
fn an_archive_may_be_several_gzip_streams() {
    let mut tar = Vec::new();
    let whole = archive(&[METADATA, ("web/templates/a.yaml", b"kind: A\n")]);
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&whole[..]), &mut tar).unwrap();
    let (start, end) = tar.split_at(700);
    let chart = load_archive(&[gzip(start), gzip(end)].concat()).unwrap();
    assert_eq!(chart.templates.len(), 1);
}

/// N26.
#[test]
fn subcharts_do_not_nest_without_an_end() {
    let mut inner = archive(&[METADATA]);
    for _ in 0..40 {
        inner = archive(&[METADATA, ("web/charts/web.tgz", &inner)]);
    }
    let error = error_of(&inner);
    assert!(error.ends_with("subcharts nest deeper than 32 levels"), "{error}");
}

/// N6.
#[test]
fn assignments_do_not_build_what_memory_cannot_hold() {
    let refused = |text: &str| strvals::set(text, &mut Table::new()).unwrap_err().to_string();
    assert_eq!(
        refused("a[9999999999]=1"),
        "failed parsing --set data: index of 9999999999 is greater than maximum supported index of 65536"
    );
    for text in [
        format!("{}=1", vec!["a"; 100_000].join(".")),
        format!("a{}=1", "[0]".repeat(100_000)),
    ] {
        let error = refused(&text);
        assert!(error.len() < 1000 && error.contains("nest"), "{error}");
    }
    // each is small, all of them are not: they share nothing and stay within what one may make
    assert!(strvals::set(&format!("a[65536]={}", "x".repeat(1000)), &mut Table::new()).is_ok());
}

#[test]
fn values_do_not_multiply() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            vec![before; 10].join(", ")
        ));
    }
    let error = read_values(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("excessive aliasing"), "{error}");
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(read_values(deep.as_bytes()).is_err());
}

fn chart_with_schema(schema: &str) -> Chart {
    let files = [
        ("Chart.yaml", METADATA.1),
        ("values.schema.json", schema.as_bytes()),
    ];
    let files = files.map(|(name, data)| (name.to_owned(), data.to_vec()));
    load_tree(&corpus::Memory::tree(files.to_vec())).unwrap()
}

/// N26.
#[test]
fn schemas_end() {
    let deep = format!("{}{{}}{}", "{\"not\": ".repeat(2000), "}".repeat(2000));
    let wide: Vec<String> = (0..200)
        .map(|n| {
            format!(
                "\"d{n}\": {{\"allOf\": [{{\"$ref\": \"#/$defs/d{0}\"}}, {{\"$ref\": \"#/$defs/d{0}\"}}]}}",
                n + 1
            )
        })
        .collect();
    let doubling = format!(
        "{{\"$ref\": \"#/$defs/d0\", \"$defs\": {{{}, \"d200\": {{}}}}}}",
        wide.join(", ")
    );
    for schema in [
        r##"{"$ref": "#"}"##,
        r##"{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}"##,
        r#"{"$ref": "file:///proc/self/environ"}"#,
        r#"{"$ref": "https://example.org/schema.json"}"#,
        r#"{"$schema": "https://example.org/schema.json"}"#,
        r#"{"pattern": "((((a{1,1000}){1,1000}){1,1000}){1,1000})"}"#,
        r#"{"type": 7}"#,
        "[]",
        "{",
        &deep,
        &doubling,
    ] {
        let chart = chart_with_schema(schema);
        let values = coalesce(&chart, &read_values(b"a: 1\n").unwrap(), &mut Warnings::default()).unwrap();
        assert!(validate(&chart, &values).is_err(), "{schema:.80}");
    }
}
