//! What is written is read the same.
#![allow(clippy::unwrap_used)]

use flate2::Compression;
use flate2::write::GzEncoder;
use sluice_artifact::Tree as _;
use sluice_artifact::archive::TarWriter;
use sluice_artifact::unpack::{Limits, unpack};

#[test]
fn names_of_every_kind_are_read_back() {
    let long = "n".repeat(120);
    let names = [
        "a".to_owned(),
        "line\nbreak".to_owned(),
        format!("{long}/{long}"),
        format!("{long}/\n{long}"),
        format!("\n/7 path=x\n{long}"),
        format!("ä\n/{long}"),
        "ö\n".to_owned(),
    ];
    let mut tar = TarWriter::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for name in &names {
        tar.file(name, 0o644, name.as_bytes()).unwrap();
    }
    let archive = tar.finish().unwrap().finish().unwrap();
    let tree = unpack(archive.as_slice(), &Limits::default()).unwrap();
    assert_eq!(tree.walk("/").unwrap().len(), names.len());
    for name in &names {
        let content = tree.read(&format!("/{name}"));
        assert_eq!(&*content.unwrap(), name.as_bytes(), "{name:?}");
    }
}
