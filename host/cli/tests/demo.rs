//! What the demo leaves running goes on working.
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use crate::support::{Running, until};
use std::path::Path;

#[tokio::test]
async fn a_kept_demo_keeps_its_repository() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Running::start(folder.path(), "demo", &["demo", "--keep"]);
    demo.says("ctrl-c stops everything").await;
    let line = demo.says("git clone ").await;
    let repository = Path::new(line.split_whitespace().nth(2).unwrap());
    assert!(repository.join("HEAD").is_file(), "{line}");
    demo.terminate();
    until("the demo ends", || demo.has_ended(), || demo.log()).await;
    assert!(!repository.exists(), "{line}");
}
