//! Archives that readers understand differently (N36): what is accepted is what GNU tar extracts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use flate2::{Compression, write::GzEncoder};
use sluice_artifact::{
    Tree,
    unpack::{Limits, unpack},
};

const USTAR: &[u8; 8] = b"ustar\x0000";
const GNU: &[u8; 8] = b"ustar  \0";

/// A header of 512 bytes, field by field, as no library would write it.
#[derive(Clone)]
struct Raw([u8; 512]);

impl Raw {
    fn new(kind: u8, name: &str, size: usize) -> Raw {
        let raw = Raw([0; 512]).put(0, name.as_bytes()).put(100, b"0000644\0");
        let raw = raw.put(108, b"0000000\0").put(116, b"0000000\0");
        let raw = raw.put(124, format!("{size:011o}\0").as_bytes());
        raw.put(136, b"00000000000\0").put(156, &[kind]).put(257, USTAR)
    }

    fn put(mut self, at: usize, bytes: &[u8]) -> Raw {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// The header with its checksum, and the content in whole blocks.
    fn with(self, content: &[u8]) -> Vec<u8> {
        let mut raw = self.put(148, b"        ");
        let sum: u32 = raw.0.iter().map(|byte| u32::from(*byte)).sum();
        raw = raw.put(148, format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = raw.0.to_vec();
        bytes.extend(content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
        bytes
    }
}

fn entry(kind: u8, name: &str, content: &[u8]) -> Vec<u8> {
    Raw::new(kind, name, content.len()).with(content)
}

fn file(name: &str) -> Vec<u8> {
    entry(b'0', name, name.as_bytes())
}

/// `<length> <key>=<value>\n`.
fn record(key: &str, value: &str) -> String {
    let rest = format!(" {key}={value}\n");
    let length = (1..5)
        .map(|digits| rest.len() + digits)
        .find(|length| length.to_string().len() + rest.len() == *length);
    format!("{}{rest}", length.unwrap())
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let text: String = records.iter().map(|(key, value)| record(key, value)).collect();
    entry(b'x', "pax", text.as_bytes())
}

fn long(name: &str) -> Vec<u8> {
    Raw::new(b'L', "././@LongLink", name.len() + 1)
        .put(257, GNU)
        .with(format!("{name}\0").as_bytes())
}

fn of_all(records: &[(&str, &str)]) -> Vec<u8> {
    let text: String = records.iter().map(|(key, value)| record(key, value)).collect();
    entry(b'g', "all", text.as_bytes())
}

/// Each with a name, its parts, and whether it must be accepted: honest archives look so.
fn corpus() -> Vec<(&'static str, Vec<Vec<u8>>, bool)> {
    let hidden = file("hidden");
    let longer = "long/".repeat(30) + "name";
    let raw = |size: &[u8]| Raw::new(b'0', "a", 5).put(124, size).with(b"12345");
    vec![
        (
            "plain",
            vec![entry(b'5', "d/", b""), file("d/a"), file("b")],
            true,
        ),
        (
            "a name in a record",
            vec![pax(&[("path", &longer)]), file("short")],
            true,
        ),
        ("a long name", vec![long(&longer), file("short")], true),
        (
            "a commit for all",
            vec![of_all(&[("comment", "0123456789abcdef")]), file("a")],
            true,
        ),
        (
            "a directory of the oldest kind",
            vec![entry(0, "d/", b""), file("d/a")],
            true,
        ),
        ("a file of the oldest kind", vec![entry(0, "a", b"a")], true),
        (
            "the size in a record",
            vec![pax(&[("size", "1")]), file("a")],
            true,
        ),
        (
            "a prefix",
            vec![Raw::new(b'0', "a", 1).put(345, b"pre/fix").with(b"a")],
            true,
        ),
        (
            "a size in binary",
            vec![raw(b"\x80\0\0\0\0\0\0\0\0\0\0\x05")],
            true,
        ),
        ("an empty archive", vec![], true),
        (
            "a smaller size in a record",
            vec![pax(&[("size", "0")]), entry(b'0', "a", &hidden)],
            false,
        ),
        (
            "a larger size in a record",
            vec![pax(&[("size", "1024")]), file("a"), hidden.clone(), file("b")],
            false,
        ),
        (
            "two sizes in records",
            vec![pax(&[("size", "1"), ("size", "1024")]), file("a"), hidden.clone()],
            false,
        ),
        (
            "a size that is none",
            vec![pax(&[("size", "-1")]), file("a")],
            false,
        ),
        (
            "a size for all",
            vec![of_all(&[("size", "1024")]), file("a"), hidden.clone()],
            false,
        ),
        (
            "a name for all",
            vec![of_all(&[("path", "other")]), file("a")],
            false,
        ),
        (
            "two names in records",
            vec![pax(&[("path", "one"), ("path", "two")]), file("a")],
            false,
        ),
        (
            "a long name and one in a record",
            vec![long("one"), pax(&[("path", "two")]), file("a")],
            false,
        ),
        (
            "one in a record and a long name",
            vec![pax(&[("path", "two")]), long("one"), file("a")],
            false,
        ),
        ("two long names", vec![long("one"), long("two"), file("a")], false),
        (
            "two sets of records",
            vec![pax(&[("path", "one")]), pax(&[("path", "two")]), file("a")],
            false,
        ),
        (
            "a record in a value",
            vec![entry(b'x', "pax", b"28 comment=x\n13 path=evil\n"), file("a")],
            false,
        ),
        (
            "a record that is too short",
            vec![entry(b'x', "pax", b"9 path=evil\n"), file("a")],
            false,
        ),
        (
            "a record without an end",
            vec![entry(b'x', "pax", b"99 path=evil\n"), file("a")],
            false,
        ),
        (
            "records in the oldest format",
            vec![
                Raw::new(b'x', "pax", 13)
                    .put(257, &[0; 8])
                    .with(b"13 path=evil\n"),
                file("a"),
            ],
            false,
        ),
        (
            "a long name in a foreign format",
            vec![
                Raw::new(b'L', "././@LongLink", 4)
                    .put(257, &[0; 8])
                    .with(b"one\0"),
                file("a"),
            ],
            false,
        ),
        (
            "another version",
            vec![
                Raw::new(b'0', "a", 1)
                    .put(257, b"ustar\x0001")
                    .put(345, b"pre")
                    .with(b"a"),
            ],
            false,
        ),
        (
            "another format",
            vec![
                Raw::new(b'0', "a", 1)
                    .put(257, b"tarball!")
                    .put(345, b"pre")
                    .with(b"a"),
            ],
            false,
        ),
        (
            "a prefix in GNU's format",
            vec![
                Raw::new(b'0', "a", 1)
                    .put(257, GNU)
                    .put(345, b"00000000000")
                    .with(b"a"),
            ],
            false,
        ),
        (
            "a directory with content",
            vec![entry(b'5', "d/", &hidden), file("b")],
            false,
        ),
        (
            "a link with content",
            vec![
                Raw::new(b'2', "link", 512).put(157, b"b").with(&hidden[..512]),
                file("b"),
            ],
            false,
        ),
        (
            "a device with content",
            vec![entry(b'3', "tty", &hidden), file("b")],
            false,
        ),
        (
            "a file named as a directory",
            vec![entry(b'0', "d/", &hidden), file("b")],
            false,
        ),
        (
            "the oldest file named as a directory",
            vec![entry(0, "d/", &hidden), file("b")],
            false,
        ),
        (
            "a contiguous file",
            vec![entry(b'7', "a", b"a"), file("b")],
            false,
        ),
        ("an unknown type", vec![entry(b'Z', "a", b"a"), file("b")], false),
        (
            "the rest of another volume",
            vec![entry(b'M', "a", b"a"), file("b")],
            false,
        ),
        (
            "a directory of a dump",
            vec![entry(b'D', "d/", b"Ya\0\0"), file("b")],
            false,
        ),
        (
            "a sparse file",
            vec![
                pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0")]),
                file("a"),
            ],
            false,
        ),
        (
            "a sparse file by its old type",
            vec![Raw::new(b'S', "a", 1).put(257, GNU).with(b"a")],
            false,
        ),
        ("a size with blanks", vec![raw(b"         5 \0")], false),
        ("a size with more behind it", vec![raw(b"00000000005x")], false),
        (
            "a negative size",
            vec![raw(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfb")],
            false,
        ),
        (
            "a size beyond all",
            vec![raw(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")],
            false,
        ),
        (
            "more behind the end",
            vec![file("a"), vec![0; 1024], file("b")],
            false,
        ),
        (
            "a hole in the middle",
            vec![file("a"), vec![0; 512], file("b")],
            false,
        ),
        (
            "a name with a zero",
            vec![Raw::new(b'0', "a\0b", 1).with(b"a")],
            false,
        ),
        (
            "the same name twice",
            vec![entry(b'0', "a", b"1"), entry(b'0', "a", b"2")],
            false,
        ),
        ("half a block", vec![file("a"), b"rest".to_vec()], false),
    ]
}

type Files = BTreeMap<String, Vec<u8>>;

fn ours(tar: &[u8]) -> Result<Files, String> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(tar).unwrap();
    let archive = encoder.finish().unwrap();
    let tree = unpack(&archive[..], &Limits::default()).map_err(|error| error.to_string())?;
    let entries = tree.walk("/").unwrap();
    let read = |path: String| (path.clone(), tree.read(&path).unwrap().to_vec());
    Ok(entries.into_iter().map(|entry| read(entry.path)).collect())
}

/// What GNU tar makes of an archive; none where it complains.
fn gnus(tar: &[u8]) -> Option<Files> {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new("tar")
        .args(["--extract", "--file=-", "--no-same-owner", "--directory"])
        .arg(folder.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // it may end before it has read everything
    let _ended = child.stdin.take().unwrap().write_all(tar);
    let status = child.wait().unwrap();
    let mut files = Files::new();
    let mut folders = vec![folder.path().to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let path = entry.path();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() {
                let name = path.strip_prefix(folder.path()).unwrap();
                files.insert(format!("/{}", name.display()), std::fs::read(&path).unwrap());
            }
        }
    }
    status.success().then_some(files)
}

fn gnu_tar_is_present() -> bool {
    let version = Command::new("tar").arg("--version").output();
    version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("GNU tar"))
}

#[test]
fn what_is_accepted_is_what_gnu_tar_extracts() {
    let has_gnu = gnu_tar_is_present();
    if !has_gnu {
        eprintln!("SKIPPED: comparing archives with GNU tar: there is none");
    }
    let mut wrong = Vec::new();
    for (name, parts, is_honest) in corpus() {
        let mut tar = parts.concat();
        tar.extend([0; 1024]);
        let ours = ours(&tar);
        match &ours {
            Err(error) if is_honest => wrong.push(format!("{name}: is honest, and refused: {error}")),
            Ok(ours) if has_gnu => {
                let gnus = gnus(&tar);
                if Some(ours) != gnus.as_ref() {
                    wrong.push(format!("{name}: we have {ours:?}, GNU tar has {gnus:?}"));
                }
            }
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
