//! What goes on beside reading and writing: sweeps, turns, damage.

use std::{io, thread};

use super::*;
use crate::store::error::Error as StoreError;

fn files(directory: &Path, below: &str) -> usize {
    fs::read_dir(directory.join(below)).unwrap().count()
}

#[test]
fn what_is_written_when_the_turn_is_over_comes_to_nothing() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let path: ArtifactPath = "gitrepository/a/b/1".parse().unwrap();
    let (writer, turn) = store.turn();
    let mut draft = writer.draft();
    let root = add(&mut draft, BTreeMap::from([("v".to_owned(), "1")]));
    // the object goes while its artifact is written
    drop(turn);
    assert_eq!(store.remove_object("GitRepository", "a", "b").unwrap(), 0);
    check(
        &draft.blob(b"more").unwrap_err().to_string(),
        expect!["the artifact is not wanted any more: its object is gone, or has changed"],
    );
    let error = draft.commit(&path, "main@sha1:aa", root).unwrap_err();
    assert!(matches!(error, StoreError::Unwanted), "{error}");
    assert_eq!((store.artifacts(), store.newest(&path)), (vec![], None));
    store.sweep().unwrap();
    check(&disk(directory.path()), expect![[""]]);

    // in its turn it is written, and after it it stays
    let (writer, turn) = store.turn();
    let artifact = put(&writer, "gitrepository/a/b/1", SHOP);
    drop(turn);
    assert_eq!(store.artifact(&path), Some(artifact));
}

#[test]
fn a_store_that_is_written_to_without_end_is_swept() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let old = put(
        &store,
        "gitrepository/a/b/1",
        &[("same", "used again"), ("v", "1")],
    );
    let other = put(&store, "gitrepository/a/c/1", &[("v", "of another")]);
    let mut draft = store.draft();
    let blob = draft.blob(b"used again").unwrap();
    store.forget(&old.path).unwrap();
    store.forget(&other.path).unwrap();
    store.sweep().unwrap();
    check(
        &disk(directory.path()),
        expect!["segments/0.seg"], // the draft counts on it, and on nothing else
    );
    let path = "gitrepository/a/b/2".parse().unwrap();
    draft.commit_file(&path, "main@sha1:bb", blob).unwrap();
    store.sweep().unwrap();
    assert_eq!(store.file(&path).unwrap(), b"used again");
    store.forget(&path).unwrap();
    store.sweep().unwrap();
    check(&disk(directory.path()), expect![[""]]);
}

#[test]
fn whoever_asks_for_a_sweep_first_makes_it() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    assert!(store.ask_for_sweep().is_some());
    assert_eq!(store.ask_for_sweep(), None, "somebody is about to");
    store.sweep().unwrap();
    assert!(store.ask_for_sweep().is_some());
}

#[cfg(unix)]
#[test]
fn nobody_waits_for_a_sweep_that_waits_for_the_disk() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let slow = put(&store, "gitrepository/a/slow/1", &[("v", "slow")]);
    let quick = put(&store, "gitrepository/a/quick/1", &[("v", "quick")]);
    // a segment that cannot be opened before somebody writes to it
    let segment = directory.path().join("segments/0.seg");
    let aside = directory.path().join("aside");
    fs::rename(&segment, &aside).unwrap();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &segment, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    store.inner.segments.close(0);
    let sweeping = thread::spawn({
        let store = store.clone();
        move || store.sweep()
    });
    assert_eq!(store.artifact(&slow.path), Some(slow));
    assert_eq!(archive(&store, &quick).len() as u64, quick.size);
    let new = put(&store, "gitrepository/a/quick/2", &[("v", "new")]);
    store.forget(&quick.path).unwrap();
    drop(fs::OpenOptions::new().write(true).open(&segment).unwrap());
    let error = sweeping.join().unwrap().unwrap_err().to_string();
    assert!(
        error.starts_with("unable to read from the artifact store: "),
        "{error}"
    );

    // a disk that does not answer has lost nothing
    fs::rename(&aside, &segment).unwrap();
    store.inner.segments.close(0);
    store.sweep().unwrap();
    let left: Vec<String> = store
        .artifacts()
        .iter()
        .map(|left| left.path.to_string())
        .collect();
    assert_eq!(left, ["gitrepository/a/quick/2", "gitrepository/a/slow/1"]);
    assert_eq!(archive(&store, &new).len() as u64, new.size);
}

#[test]
fn few_files_are_open_and_small_segments_are_put_together() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let artifacts: Vec<Artifact> = (0..100)
        .map(|number| {
            let content = number.to_string();
            put(&store, &format!("bucket/a/{number}/1"), &[("v", &content)])
        })
        .collect();
    let readable = |store: &Store| {
        for (number, artifact) in artifacts.iter().enumerate() {
            let read = store.tree(&artifact.path).unwrap().read("/v").unwrap();
            assert_eq!(*read, *number.to_string().as_bytes());
            assert_eq!(archive(store, artifact).len() as u64, artifact.size);
        }
    };
    readable(&store);
    assert_eq!(files(directory.path(), "segments"), 100);
    assert!(store.inner.segments.count() <= 64);
    let tree = store.tree(&artifacts[7].path).unwrap();
    store.sweep().unwrap();
    assert_eq!(files(directory.path(), "segments"), 1);
    assert_eq!(tree.read("/v").unwrap()[..], *b"7");
    readable(&store);
    readable(&super::store(directory.path()));
}

/// Its room on the disk is given back only when nobody has it open.
#[test]
fn a_segment_that_a_sweep_removes_is_not_kept_open_for_others() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    put(&store, "gitrepository/a/b/1", &[("v", "1")]);
    let digest = Digest::of(b"1");
    let location = store.state().find(&digest).unwrap();
    // a reader has looked it up when a sweep forgets the segment, and opens it before its file goes
    store.state().segments.remove(&location.segment);
    store.inner.segments.close(location.segment);
    let (file, _) = store.inner.open_at(&digest, location).unwrap();
    assert_eq!(store.inner.segments.count(), 0);
    // it reads to the end all the same
    let read = crate::store::segment::read(&file, location, &digest);
    assert_eq!(read.unwrap().unwrap(), b"1");
}

#[test]
fn damage_is_told_and_named_until_it_is_mended() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let artifact = put(&store, "gitrepository/a/b/1", SHOP);
    let good = put(&store, "gitrepository/a/c/1", &[("v", "1")]);
    let mut losses = store.losses();
    assert!(!losses.has_changed().unwrap());
    let segment = directory.path().join("segments/0.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let at = bytes.windows(4).position(|window| window == b"b: 1").unwrap();
    bytes[at] ^= 1;
    fs::write(&segment, bytes).unwrap();
    store.write_archive(&artifact.path, &mut Vec::new()).unwrap_err();
    assert!(losses.has_changed().unwrap());
    losses.mark_unchanged();
    assert_eq!(
        store.damaged("gitrepository"),
        std::slice::from_ref(&artifact.path)
    );
    assert_eq!(store.look(&artifact.path), Look::Damaged(artifact.clone()));
    assert_eq!(store.look(&good.path), Look::Whole(good));
    put(&store, "gitrepository/a/b/1", SHOP);
    assert_eq!(store.damaged("gitrepository"), []);
    store.forget(&artifact.path).unwrap();
    assert_eq!(store.look(&artifact.path), Look::Nothing);
    assert!(!losses.has_changed().unwrap());
}

#[test]
fn a_segment_that_is_gone_is_a_loss() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let artifact = put(&store, "gitrepository/a/b/1", SHOP);
    store.inner.segments.close(0);
    fs::remove_file(directory.path().join("segments/0.seg")).unwrap();
    let tree = store.tree(&artifact.path).unwrap();
    tree.read("/z").unwrap_err();
    assert_eq!(store.look(&artifact.path), Look::Damaged(artifact));
}

#[test]
fn an_archive_that_is_made_otherwise_today_is_made_again() {
    let directory = TempDir::new().unwrap();
    let artifact = put(&store(directory.path()), "gitrepository/a/b/1", SHOP);
    let record = directory.path().join("artifacts/gitrepository/a/b/1.json");
    let other = Digest::of(b"as another compressor makes it").to_string();
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace(&artifact.digest.to_string(), &other)).unwrap();
    let store = store(directory.path());
    let losses = store.losses();
    let error = store.write_archive(&artifact.path, &mut Vec::new()).unwrap_err();
    assert!(error.is_loss(), "{error}");
    assert!(losses.has_changed().unwrap());
    assert_eq!(
        store.damaged("gitrepository"),
        std::slice::from_ref(&artifact.path)
    );
    assert_eq!(store.artifact(&artifact.path), None);
    put(&store, "gitrepository/a/b/1", SHOP);
    assert!(store.artifact(&artifact.path).is_some());
    archive(&store, &artifact);
}

#[test]
fn what_the_system_refuses_is_named_with_its_remedy() {
    let shown = |number| StoreError::storage("write")(io::Error::from_raw_os_error(number)).to_string();
    check(
        &[2, 24, 23, 28, 30].map(shown).join("\n"),
        expect![[r#"
            unable to write: No such file or directory (os error 2)
            unable to write: Too many open files (os error 24) (raise the limit of open files of this process: ulimit -n)
            unable to write: Too many open files in system (os error 23) (raise the limit of open files of the machine: fs.file-max)
            unable to write: No space left on device (os error 28) (enlarge the volume of --storage-path)
            unable to write: Read-only file system (os error 30) (the volume of --storage-path must be writable)"#]],
    );
}

#[test]
fn the_longest_name_can_be_stored_and_a_longer_one_is_refused() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let name = "n".repeat(250);
    put(&store, &format!("helmchart/a/b/{name}"), SHOP);
    let error = ArtifactPath::new("HelmChart", "a", "b", &format!("{name}n")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is longer than 250 bytes: choose a shorter name"),
        "{error}"
    );
}
