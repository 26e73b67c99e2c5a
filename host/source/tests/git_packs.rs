//! Packs that a hostile server makes: each is refused by name or by limit, nothing of it is kept, and an honest one is taken
//! after it (N32, N33, R15).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::{fs, io::Write as _};

use crate::support::{Scene, paths};
use expect_test::expect;
use flate2::{Compression, write::ZlibEncoder};
use gix::{ObjectId, hash::Kind, objs};
use sluice_artifact::Tree as _;
use sluice_source::{GitRequest, Limits, Outcome};
use sluice_testkit::git_server::{Fault, GitServer, git_is_present};

const MIB: usize = 1 << 20;

/// What an object of a pack is.
enum Object {
    Whole(objs::Kind, Vec<u8>),
    /// On the object this many before it.
    Delta(usize, Vec<u8>),
    /// On the object of this name.
    Named(ObjectId, Vec<u8>),
}
use Object::{Delta, Named, Whole};

fn blob(content: &[u8]) -> Object {
    Whole(objs::Kind::Blob, content.to_vec())
}

fn id(kind: objs::Kind, content: &[u8]) -> ObjectId {
    objs::compute_hash(Kind::Sha1, kind, content).unwrap()
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(content).unwrap();
    zlib.finish().unwrap()
}

/// Kind and size at the beginning of an object.
fn head(kind: u8, mut size: usize) -> Vec<u8> {
    let more = |left: usize| if left > 0 { 0x80 } else { 0 };
    let mut head = vec![more(size >> 4) | kind << 4 | (size & 15) as u8];
    size >>= 4;
    while size > 0 {
        head.push(more(size >> 7) | (size & 127) as u8);
        size >>= 7;
    }
    head
}

/// How far back the base of a delta is.
fn distance(mut bytes: usize) -> Vec<u8> {
    let mut digits = vec![(bytes & 127) as u8];
    while bytes > 127 {
        bytes = (bytes >> 7) - 1;
        digits.push(0x80 | (bytes & 127) as u8);
    }
    digits.reverse();
    digits
}

/// A size as deltas write it.
fn number(mut size: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    while size > 127 {
        digits.push(0x80 | (size & 127) as u8);
        size >>= 7;
    }
    digits.push(size as u8);
    digits
}

/// A delta that copies the first `length` bytes of its base, and says that the result has `said`.
fn copies(base: usize, length: usize, said: u64, more: &[u8]) -> Vec<u8> {
    let mut delta = [number(base as u64), number(said)].concat();
    if length > 0 {
        let bytes = (length as u32).to_le_bytes();
        delta.extend([0xf0, bytes[0], bytes[1], bytes[2]]);
    }
    if !more.is_empty() {
        delta.push(more.len() as u8);
        delta.extend(more);
    }
    delta
}

/// The same base with another end: what a version of a large file is to the one before.
fn other_end(size: usize, end: &[u8]) -> Vec<u8> {
    copies(size, size - end.len(), size as u64, end)
}

/// A pack with its checksum.
fn pack(objects: &[Object]) -> Vec<u8> {
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend((objects.len() as u32).to_be_bytes());
    let mut offsets = Vec::new();
    for object in objects {
        let offset = pack.len();
        match object {
            Whole(kind, content) => {
                let kind = match kind {
                    objs::Kind::Commit => 1,
                    objs::Kind::Tree => 2,
                    objs::Kind::Blob => 3,
                    objs::Kind::Tag => 4,
                };
                pack.extend([head(kind, content.len()), deflated(content)].concat());
            }
            Delta(back, delta) => {
                let base = offsets.len().checked_sub(*back).map(|at| offsets[at]);
                // what is before the first lies before the pack
                let back = base.map_or(offset + 1, |base: usize| offset - base);
                pack.extend([head(6, delta.len()), distance(back), deflated(delta)].concat());
            }
            Named(base, delta) => {
                pack.extend([&head(7, delta.len()), base.as_slice(), &deflated(delta)].concat());
            }
        }
        offsets.push(offset);
    }
    sealed(pack)
}

fn sealed(mut pack: Vec<u8>) -> Vec<u8> {
    let mut hasher = gix::hash::hasher(Kind::Sha1);
    hasher.update(&pack);
    pack.extend(hasher.try_finalize().unwrap().as_slice());
    pack
}

/// One object whose head says something else than is true.
fn lying(kind: u8, said: usize, compressed: &[u8]) -> Vec<u8> {
    sealed(
        [
            b"PACK\0\0\0\x02\0\0\0\x01",
            head(kind, said).as_slice(),
            compressed,
        ]
        .concat(),
    )
}

/// Bytes that no compression makes smaller.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(next).collect()
}

/// A chain of versions of `size` bytes; a second one stands on each, so that none can be let go of while the chain is
/// followed.
fn caterpillar(size: usize, length: usize) -> Vec<Object> {
    let mut objects = vec![blob(&vec![0; size])];
    for number in 0..length {
        objects.push(Delta(1, other_end(size, format!("a{number}").as_bytes())));
        objects.push(Delta(2, other_end(size, format!("b{number}").as_bytes())));
    }
    objects
}

/// The same by names, where the server knows no distances.
fn named_chain(size: usize, length: usize) -> Vec<Object> {
    let mut content = vec![0; size];
    let mut objects = vec![blob(&content)];
    for number in 0..length {
        let base = id(objs::Kind::Blob, &content);
        let end = format!("c{number}").into_bytes();
        objects.push(Named(base, other_end(size, &end)));
        content[size - end.len()..].copy_from_slice(&end);
    }
    objects
}

fn limits() -> Limits {
    Limits {
        object_size_max: MIB as u64,
        delta_chain_size_max: 32 * MIB as u64,
        ..Limits::default()
    }
}

#[tokio::test]
async fn no_pack_costs_more_than_its_limits_and_none_that_is_wrong_is_kept() {
    if !git_is_present("hostile packs") {
        return;
    }
    let scene = Scene::with(GitServer::start, limits());
    scene.repository.commit([("a", "1")], "one");
    let (two, ten) = (blob(b"two"), 10 * MIB);
    let deep = |length: usize| {
        let mut objects = vec![blob(b"0123456789")];
        let version = |number: usize| Delta(1, other_end(10, format!("{number:08}").as_bytes()));
        objects.extend((0..length).map(version));
        objects
    };
    let rows: Vec<(&str, Vec<u8>)> = vec![
        (
            "a base that is nowhere",
            pack(&[Named(id(objs::Kind::Blob, b"?"), other_end(3, b"x"))]),
        ),
        ("a base before the pack", pack(&[Delta(1, other_end(3, b"x"))])),
        ("less than it says", lying(3, 5, &deflated(b"1234"))),
        ("more than it says", lying(3, 5, &deflated(&vec![0; ten]))),
        ("no zlib", lying(3, 5, b"not compressed at all")),
        ("an object that is too large", pack(&[blob(&vec![0; MIB + 1])])),
        ("one that does not compress", pack(&[blob(&noise(2 * MIB))])),
        (
            "a size that nothing has",
            lying(3, usize::MAX >> 4, &deflated(b"x")),
        ),
        (
            "a delta of another base",
            pack(&[two, Delta(1, other_end(4, b"x"))]),
        ),
        (
            "a copy from behind the base",
            pack(&[blob(b"abc"), Delta(1, copies(3, 9, 9, b""))]),
        ),
        (
            "a delta that makes too much",
            pack(&[blob(b"abc"), Delta(1, copies(3, 3, 1 << 40, b""))]),
        ),
        (
            "a delta that makes less than it says",
            pack(&[blob(b"abc"), Delta(1, copies(3, 3, 5, b""))]),
        ),
        (
            "a delta without sizes",
            pack(&[blob(b"abc"), Delta(1, vec![0xff; 30])]),
        ),
        ("an empty delta", pack(&[blob(b"abc"), Delta(1, Vec::new())])),
        (
            "versions that are all needed at once",
            pack(&caterpillar(MIB, 40)),
        ),
        ("the same by name", pack(&named_chain(MIB, 40))),
        ("a chain without end", pack(&deep(4_200))),
        ("a chain", pack(&deep(4_000))),
    ];
    let mut outcomes = String::new();
    for (what, pack) in rows {
        assert!(pack.len() < 4 * MIB, "{what}: a small pack");
        scene.server.misbehave(Fault::Pack(pack));
        let text = scene.failure(scene.request()).await;
        let text = text.split_once("shop': ").map_or(text.as_str(), |(_, text)| text);
        let text = regex_of_hashes(text);
        outcomes += &format!(
            "{what}: {}\n",
            text.trim_end_matches(" (nothing of it was kept; the last good artifact stays)")
        );
    }
    expect![[r#"
        a base that is nowhere: The ref-delta base object <hash> could not be found
        a base before the pack: 12 is not a valid offset for pack offset 13
        less than it says: pack is incomplete: it was decompressed into 4 bytes but 5 bytes where expected.
        more than it says: pack is incomplete: it was decompressed into 10485760 bytes but 5 bytes where expected.
        no zlib: An IO operation failed while streaming an entry: Invalid input data
        an object that is too large: an object of the pack has 1048577 bytes, more than the limit of 1048576 (object_size_max)
        one that does not compress: An IO operation failed while streaming an entry: an object of the pack exceeds the limit of 1048576 bytes (object_size_max)
        a size that nothing has: pack is incomplete: it was decompressed into 1 bytes but 1152921504606846975 bytes where expected.
        a delta of another base: Corrupt delta data: delta base size does not match base object size
        a copy from behind the base: Corrupt delta data: delta copy range exceeds base object size
        a delta that makes too much: objects of the pack that stand on each other have 1099511631886 bytes, more than the limit of 33554432 (delta_chain_size_max)
        a delta that makes less than it says: Corrupt delta data: delta instructions produced fewer bytes than promised
        a delta without sizes: Corrupt delta data: delta header size uses more bits than fit into u64
        an empty delta: Corrupt delta data: delta header size is truncated
        versions that are all needed at once: objects of the pack that stand on each other have 33681832 bytes, more than the limit of 33554432 (delta_chain_size_max)
        the same by name: objects of the pack that stand on each other have 33681832 bytes, more than the limit of 33554432 (delta_chain_size_max)
        a chain without end: objects of the pack stand on each other 4096 deep, deeper than the limit of 4095 (delta_depth_max)
        a chain: the server did not send what it announced: object <hash> is missing
    "#]].assert_eq(&outcomes);
    scene.server.misbehave(Fault::None);
    assert_eq!(paths(&scene.fetched(scene.request()).await.tree), ["/a"]);
}

fn regex_of_hashes(text: &str) -> String {
    let hash = regex::Regex::new("[0-9a-f]{40}").unwrap();
    hash.replace_all(text, "<hash>").into_owned()
}

#[tokio::test]
async fn honest_chains_are_resolved_and_half_a_pack_of_a_dead_process_goes() {
    if !git_is_present("chains of deltas") {
        return;
    }
    let scene = Scene::with(GitServer::start, limits());
    scene.repository.commit([("a", "1")], "one");
    scene.fetched(scene.request()).await;
    // a commit of three files that stand on each other, and one that stands on what is here already
    let size = 1000;
    let first = vec![b'x'; size];
    let version = |end: &str| [&first[..size - end.len()], end.as_bytes()].concat();
    let (second, third, fourth) = (version("2"), version("3"), b"1 and more".to_vec());
    let files = [("b", &first), ("c", &second), ("d", &third), ("e", &fourth)];
    for (name, content) in files {
        fs::write(scene.repository.directory().join(name), content).unwrap();
    }
    let commit = scene.repository.commit([], "two");
    let object = |name: &str, kind| {
        let content = scene.repository.git(&["cat-file", kind, name]);
        content.into_bytes()
    };
    let commit_bytes = [object("HEAD", "commit"), b"\n".to_vec()].concat();
    let mut tree = Vec::new();
    for line in scene.repository.git(&["ls-tree", "HEAD"]).lines() {
        let (head, name) = line.split_once('\t').unwrap();
        let hash = head.split(' ').nth(2).unwrap();
        tree.extend(sluice_testkit::git_server::Repository::raw_entry(
            "100644",
            name.as_bytes(),
            hash,
        ));
    }
    let on_what_is_here = Named(id(objs::Kind::Blob, b"1"), copies(1, 1, 10, b" and more"));
    let objects = [
        Whole(objs::Kind::Commit, commit_bytes),
        Whole(objs::Kind::Tree, tree),
        blob(&first),
        Delta(1, other_end(size, b"2")),
        Delta(1, other_end(size, b"3")),
        on_what_is_here,
    ];
    scene.server.misbehave(Fault::Pack(pack(&objects)));
    // the process before this one died while it wrote
    let stores = scene.home.path().join("git");
    let store = fs::read_dir(stores).unwrap().flatten().next().unwrap().path();
    let store = fs::read_dir(store)
        .unwrap()
        .flatten()
        .find(|entry| entry.path().is_dir());
    let leftover = store.unwrap().path().join("objects/pack/tmp_half");
    fs::write(&leftover, "PACK").unwrap();
    let Ok(Outcome::Fetched(fetched)) = scene.fetch(GitRequest { ..scene.request() }).await else {
        panic!("must be fetched")
    };
    assert_eq!(fetched.commit(), commit);
    for (name, content) in files {
        assert_eq!(
            &*fetched.tree.read(&format!("/{name}")).unwrap(),
            content.as_slice(),
            "{name}"
        );
    }
    assert!(!leftover.exists());
}
