//! Archives that attack whoever unpacks them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::io::{Read, Write};

use expect_test::expect;
use flate2::{Compression, write::GzEncoder};
use sluice_artifact::{
    Tree,
    unpack::{Error, Limits, Special, unpack, visit},
};
use tar::{EntryType, Header};

/// One raw entry: the name goes into the header as it is.
fn entry(kind: EntryType, name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
    }
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend(content);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn pax(record: &str) -> Vec<u8> {
    let length = record.len() + 4;
    entry(EntryType::XHeader, "x", format!("{length} {record}\n").as_bytes())
}

fn gzip(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    parts.iter().for_each(|part| encoder.write_all(part).unwrap());
    encoder.write_all(&[0; 1024]).unwrap();
    encoder.finish().unwrap()
}

fn outcome(archive: &[u8], limits: &Limits) -> String {
    match unpack(archive, limits) {
        Ok(tree) => tree
            .walk("/")
            .unwrap()
            .iter()
            .map(|file| format!("{} ", file.path))
            .collect(),
        Err(error) => error.to_string(),
    }
}

/// N12.
#[test]
fn hostile_archives_are_refused_or_disarmed() {
    let file = |name: &str| entry(EntryType::Regular, name, b"x");
    let rows: Vec<(&str, Vec<Vec<u8>>)> = vec![
        (
            "honest",
            vec![entry(EntryType::Directory, "./", b""), file("./a/b"), file("c")],
        ),
        ("parent", vec![file("../evil")]),
        ("inner parent", vec![file("a/../../evil")]),
        ("absolute", vec![file("/etc/evil")]),
        ("backslash", vec![file("..\\evil")]),
        ("symlink", vec![entry(EntryType::Symlink, "link", b""), file("a")]),
        (
            "symlink then through it",
            vec![entry(EntryType::Symlink, "link", b""), file("link/a")],
        ),
        ("hard link", vec![entry(EntryType::Link, "hard", b""), file("a")]),
        (
            "devices",
            vec![
                entry(EntryType::Char, "tty", b""),
                entry(EntryType::Fifo, "pipe", b""),
                file("a"),
            ],
        ),
        ("file and directory", vec![file("a"), file("a/b")]),
        ("directory and file", vec![file("a/b"), file("a")]),
        (
            "pax size that hides an entry",
            vec![pax("size=0"), entry(EntryType::Regular, "a", &file("smuggled"))],
        ),
        ("pax path", vec![pax("path=../up"), file("a")]),
        ("sparse", vec![pax("GNU.sparse.major=1"), file("a")]),
    ];
    let limits = Limits::default();
    let outcomes: String = rows
        .iter()
        .map(|(name, parts)| format!("{name}: {}\n", outcome(&gzip(parts), &limits)))
        .collect();
    expect![[r#"
        honest: /a/b /c 
        parent: the archive is refused: entry '../evil' leads out of the archive
        inner parent: the archive is refused: entry 'a/../../evil' leads out of the archive
        absolute: the archive is refused: entry '/etc/evil' leads out of the archive
        backslash: the archive is refused: entry '..\\evil' leads out of the archive
        symlink: /a 
        symlink then through it: /link/a 
        hard link: /a 
        devices: /a 
        file and directory: the archive is refused: entry 'a/b' is both a file and a directory
        directory and file: the archive is refused: entry 'a' is both a file and a directory
        pax size that hides an entry: the archive is refused: entry 'a' has two different sizes
        pax path: the archive is refused: entry '../up' leads out of the archive
        sparse: the archive is refused: entry 'a' is a sparse file
    "#]]
    .assert_eq(&outcomes);
}

#[test]
fn damaged_archives_are_errors() {
    let good = gzip(&[entry(EntryType::Regular, "a", &[7; 5000])]);
    for length in (0..good.len()).step_by(7) {
        assert!(
            unpack(&good[..length], &Limits::default()).is_err(),
            "cut at {length}"
        );
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        let _no_panic = unpack(&bytes[..], &Limits::default());
    }
    assert!(unpack(&b"not an archive"[..], &Limits::default()).is_err());
}

/// N13.
#[test]
fn bombs_hit_a_named_limit() {
    // Ten gigabytes of zeros, made as they are read.
    let mut header = entry(EntryType::Regular, "zeros", b"");
    header.truncate(512);
    let mut tar_header = Header::from_byte_slice(&header).clone();
    tar_header.set_size(10 << 30);
    tar_header.set_cksum();
    let bomb = tar_header.as_bytes().chain(std::io::repeat(0).take(10 << 30));
    let limits = Limits {
        unpacked_size_max: 1 << 20,
        file_size_max: u64::MAX,
        entries_max: 10,
    };
    let zipped = flate2::read::GzEncoder::new(bomb, Compression::fast());
    let too_many: Vec<Vec<u8>> = (0..11)
        .map(|n| entry(EntryType::Directory, &n.to_string(), b""))
        .collect();
    let outcomes = [
        unpack(zipped, &limits).unwrap_err().to_string(),
        outcome(&gzip(&too_many), &limits),
        outcome(
            &gzip(&[entry(EntryType::Regular, "a", b"123")]),
            &Limits {
                file_size_max: 2,
                ..limits
            },
        ),
    ];
    expect![[r#"
        the archive is refused: its unpacked size exceeds the limit of 1048576 (unpacked_size_max)
        the archive is refused: its number of entries exceeds the limit of 10 (entries_max)
        the archive is refused: a file's size exceeds the limit of 2 (file_size_max)"#]]
    .assert_eq(&outcomes.join("\n"));
}

/// N13: what is said of an entry is held before anybody can look at it, and so are the directories that only a name has.
#[test]
fn names_hit_a_named_limit() {
    let limits = Limits::default();
    let long = |kind: EntryType, name: &str| {
        let file = entry(EntryType::Regular, "short", b"x");
        gzip(&[entry(kind, "long", name.as_bytes()), file])
    };
    let endless = "a".repeat(5 << 20);
    let said = "what is said of an entry exceeds the limit of 4194304 (headers_size_max)";
    for kind in [EntryType::GNULongName, EntryType::GNULongLink, EntryType::XHeader] {
        let refusal = outcome(&long(kind, &endless), &limits);
        assert!(refusal.contains(said), "{kind:?}: {refusal}");
    }
    // a name may be as long as what can be unpacked, and no longer
    assert_eq!(
        outcome(
            &long(EntryType::GNULongName, &format!("{}b", "a/".repeat(200))),
            &limits
        ),
        format!("/{}b ", "a/".repeat(200))
    );
    for name in [format!("{}b", "a/".repeat(201)), "a".repeat(4097)] {
        let refusal = outcome(&long(EntryType::GNULongName, &name), &limits);
        assert!(
            refusal.contains("is longer or deeper than paths can be"),
            "{refusal}"
        );
        assert!(refusal.len() < 400, "{refusal}");
    }
    // thirty files in 48 directories each
    let deep: Vec<Vec<u8>> = (10..40)
        .map(|root| entry(EntryType::Regular, &format!("{root}/{}b", "a/".repeat(47)), b""))
        .collect();
    let few = |entries_max| Limits {
        entries_max,
        ..limits
    };
    assert_eq!(
        outcome(&gzip(&deep), &few(30 * 49 - 1)),
        "the archive is refused: its number of entries exceeds the limit of 1469 (entries_max)"
    );
    assert!(outcome(&gzip(&deep), &few(30 * 49)).starts_with("/10/a/"));
    // a directory that has an entry of its own is counted once, with a slash at its end or, as Flux writes it, without
    for directory in ["a/", "a"] {
        let listed = [
            entry(EntryType::Directory, directory, b""),
            entry(EntryType::Regular, "a/b", b""),
        ];
        assert_eq!(outcome(&gzip(&listed), &few(2)), "/a/b ", "{directory}");
        // one that is there again and again is not
        let again = [&listed[..1], &listed[..]].concat();
        let refusal = outcome(&gzip(&again), &few(2));
        assert!(refusal.contains("(entries_max)"), "{directory}: {refusal}");
    }
}

#[test]
fn a_global_header_is_no_entry() {
    let comment = b"52 comment=0123456789abcdef0123456789abcdef01234567\n";
    let header = entry(EntryType::XGlobalHeader, "pax_global_header", comment);
    let archive = gzip(&[header, entry(EntryType::Regular, "a", b"x")]);
    let mut paths = Vec::new();
    let seen = visit::<Error>(
        archive.as_slice(),
        &Limits::default(),
        Special::Refused,
        |found| {
            paths.push(found.path);
            Ok(())
        },
    );
    assert!(seen.is_ok(), "{seen:?}");
    assert_eq!(paths, ["/a"]);
}
