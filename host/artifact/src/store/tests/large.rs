//! Files that are never held in memory.

use std::io;

use super::*;

#[test]
fn a_large_file_is_written_and_read_piece_by_piece_and_damage_ends_it() {
    let directory = TempDir::new().unwrap();
    let store = store(directory.path());
    let path: ArtifactPath = "helmrepository/a/b/index-1.yaml".parse().unwrap();
    let content: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let put = |store: &Store| {
        let mut draft = store.draft();
        let blob = draft.blob_from(&mut io::Cursor::new(&content)).unwrap();
        assert_eq!(
            draft.blob_from(&mut io::Cursor::new(&content)).unwrap(),
            blob,
            "it is there already"
        );
        draft.commit_file(&path, "sha256:1", blob).unwrap()
    };
    let artifact = put(&store);
    assert_eq!(
        (artifact.digest, artifact.size),
        (Digest::of(&content), content.len() as u64)
    );
    let mut read = Vec::new();
    store.open_file(&path).unwrap().read_to_end(&mut read).unwrap();
    assert!(read == content);
    let file = store.open_file(&path).unwrap();
    let part = &content[100..200];
    assert_eq!(file.part(100, 100, &Digest::of(part)).unwrap(), part);
    assert!(store.tree(&path).is_err());

    // one bit, late in the file: whoever reads it to its end is told, whoever serves it too, and then it is missing
    let segment = directory.path().join("segments/0.seg");
    let damage = |at: usize| {
        let mut bytes = fs::read(&segment).unwrap();
        let at = bytes.len() - at;
        bytes[at] ^= 1;
        fs::write(&segment, bytes).unwrap();
    };
    damage(10);
    let error = store
        .open_file(&path)
        .unwrap()
        .read_to_end(&mut Vec::new())
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert_eq!(store.artifact(&path), None);
    assert!(store.write_archive(&path, &mut Vec::new()).unwrap_err().is_loss());
    assert_eq!(put(&store).digest, artifact.digest, "mended by storing it again");
    let mut served = Vec::new();
    store.write_archive(&path, &mut served).unwrap();
    assert!(served == content);

    // a limit, and a file that changes under its reader: nothing of them stays
    let small = Limits {
        artifact_size_max: 100,
        ..Limits::default()
    };
    let other = TempDir::new().unwrap();
    let store = Store::open(other.path(), small).unwrap();
    let mut draft = store.draft();
    let refused = draft.blob_from(&mut io::Cursor::new(&content)).unwrap_err();
    assert!(matches!(refused, Error::TooLarge { .. }));
    drop(draft);
    let mut draft = store.draft();
    let mut changing = Changing(0, io::Cursor::new(b"one".to_vec()));
    assert!(matches!(
        draft.blob_from(&mut changing).unwrap_err(),
        Error::Damaged { .. }
    ));
    drop(draft);
    check(&disk(other.path()), expect![[""]]);
}

/// Is another file each time it is read from its beginning.
struct Changing(u8, io::Cursor<Vec<u8>>);

impl Read for Changing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.1.read(buffer)
    }
}

impl io::Seek for Changing {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0 += 1;
        self.1.get_mut()[0] = self.0;
        self.1.seek(to)
    }
}
