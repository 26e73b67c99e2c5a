//! Inputs that are accepted, small and of every shape that the readers know.

use flate2::{Compression, write::ZlibEncoder};
use sluice_artifact::archive::TarWriter;
use sluice_source::fuzzing;
use std::io::Write as _;

/// Kinds of objects in a pack, as its format numbers them.
const COMMIT: u8 = 1;
const TREE: u8 = 2;
const BLOB: u8 = 3;
const TAG: u8 = 4;
const OFFSET_DELTA: u8 = 6;

/// The names of the objects below, as Git gives them.
const BLOB_ID: &str = "ce013625030ba8dba906f756967f9e9ca394464a";
const TREE_ID: &str = "9fbac661424a5e1e7fb9c1a6a516b58fc701f2f0";
const COMMIT_ID: &str = "9dd9fe8f45a84db38240485b5ffd114d783f9903";

const HELLO: &[u8] = b"hello\n";

fn tree() -> Vec<u8> {
    let mut tree = b"100644 greeting\0".to_vec();
    tree.extend(hex::decode(BLOB_ID).unwrap());
    tree
}

fn commit() -> Vec<u8> {
    format!("tree {TREE_ID}\nauthor A <a@b> 1700000000 +0000\ncommitter A <a@b> 1700000000 +0000\n\nfirst\n")
        .into_bytes()
}

/// One object of a pack: its kind and size, what it stands on, its compressed content.
fn packed(kind: u8, base: &[u8], content: &[u8]) -> Vec<u8> {
    let mut size = content.len();
    let more = |left: usize| if left > 0 { 0x80 } else { 0 };
    let mut entry = vec![more(size >> 4) | kind << 4 | (size & 15) as u8];
    size >>= 4;
    while size > 0 {
        entry.push(more(size >> 7) | (size & 127) as u8);
        size >>= 7;
    }
    entry.extend(base);
    let mut zlib = ZlibEncoder::new(entry, Compression::best());
    zlib.write_all(content).unwrap();
    zlib.finish().unwrap()
}

/// A pack without its checksum.
fn pack(entries: &[Vec<u8>]) -> Vec<u8> {
    let count = u32::try_from(entries.len()).unwrap();
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend(count.to_be_bytes());
    pack.extend(entries.concat());
    pack
}

/// A commit with one file.
fn first_commit() -> Vec<u8> {
    pack(&[
        packed(COMMIT, &[], &commit()),
        packed(TREE, &[], &tree()),
        packed(BLOB, &[], HELLO),
    ])
}

pub(crate) fn packs() -> Vec<Vec<u8>> {
    let tag = format!("object {BLOB_ID}\ntype blob\ntag v1\ntagger A <a@b> 1700000000 +0000\n\nsigned\n");
    // six bytes become eleven: copy all, insert five
    let delta = b"\x06\x0b\x90\x06\x05world";
    let blob = packed(BLOB, &[], HELLO);
    let distance = u8::try_from(blob.len()).unwrap();
    vec![
        first_commit(),
        pack(&[packed(TAG, &[], tag.as_bytes())]),
        pack(&[blob, packed(OFFSET_DELTA, &[distance], delta)]),
    ]
}

fn line(text: &[u8]) -> Vec<u8> {
    [format!("{:04x}", text.len() + 4).as_bytes(), text].concat()
}

pub(crate) fn conversations() -> Vec<Vec<u8>> {
    let flush = b"0000".to_vec();
    let greeting = [
        line(b"version 2\n"),
        line(b"agent=git/2.50\n"),
        line(b"ls-refs=unborn\n"),
        line(b"fetch=shallow\n"),
        line(b"object-format=sha1\n"),
        flush.clone(),
    ];
    let id = COMMIT_ID;
    let references = [line(format!("{id} refs/heads/main\n").as_bytes()), flush.clone()];
    let pack = fuzzing::sealed(&first_commit()).unwrap();
    let answer = [
        line(b"shallow-info\n"),
        line(format!("shallow {id}\n").as_bytes()),
        b"0001".to_vec(),
        line(b"packfile\n"),
        line(b"\x02counting objects\n"),
        line(&[b"\x01", pack.as_slice()].concat()),
        flush,
    ];
    vec![[greeting.concat(), references.concat(), answer.concat()].concat()]
}

pub(crate) fn archives() -> Vec<Vec<u8>> {
    let mut ours = TarWriter::new(Vec::new());
    ours.file("kustomization.yaml", 0o600, b"resources: [a/b.yaml]\n")
        .unwrap();
    ours.file("a/b.yaml", 0o600, b"").unwrap();
    for name in ["long".repeat(40), "broken\n".repeat(40)] {
        ours.file(&format!("{name}/b"), 0o700, HELLO).unwrap();
    }
    vec![ours.finish().unwrap(), gnu_archive()]
}

/// With a directory, a long name as GNU tar writes it, and a link.
fn gnu_archive() -> Vec<u8> {
    let mut gnu = tar::Builder::new(Vec::new());
    let header = |kind: tar::EntryType, size: usize| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size as u64);
        header.set_mode(0o755);
        header
    };
    let mut directory = header(tar::EntryType::Directory, 0);
    gnu.append_data(&mut directory, "d/", &[][..]).unwrap();
    let mut file = header(tar::EntryType::Regular, HELLO.len());
    gnu.append_data(&mut file, "n".repeat(120), HELLO).unwrap();
    let mut link = header(tar::EntryType::Symlink, 0);
    gnu.append_link(&mut link, "link", "d").unwrap();
    gnu.into_inner().unwrap()
}

pub(crate) fn indexes() -> Vec<Vec<u8>> {
    let blocks = r#"# a comment
apiVersion: v1
entries:
  nginx:
  - name: nginx
    version: 1.10.0
    description: |
      two lines
    dependencies:
    - {name: b, version: ">=1", repository: "https://example.com"}
    urls: [nginx-1.10.0.tgz]
    digest: 0123
    created: "2026-01-01T00:00:00Z"
  - name: nginx
    version: 1.9.0
  "b b":
    - {name: b, version: v2, type: library}
  c: []
generated: "2026-01-01T00:00:00Z"
"#;
    let json =
        r#"{"apiVersion":"v1","other":1,"entries":{"a":[{"name":"a","version":"1.0.0","own":1.5e3},null]}}"#;
    let flow = "apiVersion: v1\nentries: {a: [{name: a, version: 1.0.0}]}";
    [blocks, json, flow].map(|text| text.as_bytes().to_vec()).into()
}

pub(crate) fn manifests() -> Vec<Vec<u8>> {
    let digest = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";
    let layer = format!(r#"{{"mediaType":"m","digest":"{digest}","size":1,"annotations":{{"a":"b"}}}}"#);
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{layer},"layers":[{layer}],"subject":{layer},"annotations":null}}"#
    );
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"digest":"{digest}","size":7,"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#
    );
    [manifest, index].map(String::into_bytes).into()
}
