//! Entrances for `tests/fuzz`: what is read of strangers, each as a function of its bytes.
//!
//! Every function answers, with an error for what it refuses. What follows from an acceptance is asserted.
#![allow(clippy::panic)] // a broken promise must end the process: that is how it is found

use std::{
    io::{self, Cursor},
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use gix::ObjectId;
use gix_transport::{Protocol, client::git::ConnectMode, client::git::blocking_io::Connection};
use sluice_artifact::{Tree as _, check_path};

use crate::{
    Limits,
    git::{
        conversation::Conversation,
        objects::ObjectStore,
        pack,
        remote::{self, Depth, Remote},
        tree::{GitTree, Memo, TreeLimits},
    },
    oci::manifest,
};

/// Small limits: it is the way to them that is looked at.
fn limits() -> Limits {
    Limits {
        refs_size_max: 1 << 20,
        pack_size_max: 1 << 20,
        pack_objects_max: 1000,
        object_size_max: 1 << 20,
        delta_chain_size_max: 8 << 20,
        tree: TreeLimits {
            depth_max: 16,
            entries_max: 1000,
        },
        threads_max: 1,
        ..Limits::default()
    }
}

/// All that a Git server says in one conversation: its greeting, its references, a pack. Answers with the number of references.
///
/// # Errors
/// What is wrong with it.
pub fn conversation(said: &[u8], directory: &Path) -> Result<usize, String> {
    let limits = limits();
    let store = ObjectStore::open(directory, limits.object_size_max).map_err(|error| error.to_string())?;
    let (read, write) = (Cursor::new(said.to_vec()), io::sink());
    let (mode, host) = (ConnectMode::Process, None::<(&str, _)>);
    let transport = Connection::new(read, write, Protocol::V2, "/repository", host, mode, false);
    let deadline = Instant::now() + Duration::from_secs(60);
    let talk = Conversation::new(deadline);
    let refused = |error: remote::Error| format!("{error:?}");
    let mut remote = Remote::greet(Box::new(transport), talk, limits, deadline).map_err(refused)?;
    let references = remote.list(&[]).map_err(refused)?;
    let wanted: Vec<ObjectId> = references.iter().map(|found| found.wanted).collect();
    remote.fetch(&store, &wanted, Depth::One).map_err(refused)?;
    let store = Arc::new(store);
    wanted.iter().for_each(|id| look(&store, *id));
    Ok(references.len())
}

/// A pack without its checksum, which is added: nothing but the checksum would be looked at. Answers with the number of objects.
///
/// # Errors
/// What is wrong with it.
pub fn pack(bytes: &[u8], directory: &Path) -> Result<usize, String> {
    let limits = limits();
    let store = ObjectStore::open(directory, limits.object_size_max).map_err(|error| error.to_string())?;
    let mut sealed = Cursor::new(sealed(bytes)?);
    pack::receive(&mut sealed, &store, limits, &AtomicBool::new(false)).map_err(|error| error.to_string())?;
    let store = Arc::new(store);
    let objects = store.handle().iter().map_err(|error| error.to_string())?;
    let objects: Vec<ObjectId> = objects.filter_map(Result::ok).collect();
    objects.iter().for_each(|id| look(&store, *id));
    Ok(objects.len())
}

/// A pack with its checksum.
///
/// # Errors
/// It was made to collide with another.
pub fn sealed(pack: &[u8]) -> Result<Vec<u8>, String> {
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(pack);
    let checksum = hasher.try_finalize().map_err(|error| error.to_string())?;
    Ok([pack, checksum.as_bytes()].concat())
}

/// Reads an object as what it may be. No path of a tree leads out of it.
fn look(store: &Arc<ObjectStore>, id: ObjectId) {
    let root = match store.commit(id) {
        Ok((_, facts)) => facts.tree,
        Err(_) => id,
    };
    let tree = GitTree::new(Arc::clone(store), root, Arc::new(Memo::default()), limits().tree);
    for entry in tree.walk("/").unwrap_or_default() {
        assert_eq!(check_path(&entry.path), Ok(()), "a path of a tree");
        let _content = tree.read(&entry.path);
    }
}

/// A manifest or an index of a registry.
///
/// # Errors
/// What is wrong with it.
pub fn manifest(bytes: &[u8]) -> Result<(), String> {
    manifest::parse(bytes, None).map(drop)
}
