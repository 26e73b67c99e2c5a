//! Fetching a Git repository: look, and bring what is new.

mod error;
mod mirrors;
mod place;
mod run;
mod submodules;

use std::{
    collections::HashMap,
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};

use gix::{ObjectId, objs::Kind};
use reqwest::blocking::Client;
use sha2::{Digest as _, Sha256};
use sluice_artifact::Revision;
use tokio::sync::{Mutex as Turn, Semaphore};

pub use error::Error;
pub use mirrors::{Mirror, Served};
use place::Place;
use run::Found;

use crate::{
    Addresses, Credentials, GitTree, Proxy, Reference, SshIdentity, Tls, archive,
    git::{
        objects::{CommitFacts, TagFacts},
        signed::{self, Signed},
        ssh::SshAlgorithms,
        tree::{Memo, TreeLimits},
    },
    http::Clients,
    reference::Strategy,
};

/// What servers and repositories may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Bytes of a list of references: a hundred thousand take about six million.
    pub refs_size_max: u64,
    /// Bytes of one pack.
    pub pack_size_max: u64,
    /// Objects of one pack: the index holds each in memory while it is made.
    pub pack_objects_max: u32,
    /// Bytes of one object after decompression, and of one delta's result: what a bomb inflates to.
    pub object_size_max: u64,
    /// Bytes of objects that stand on each other in a pack, as deltas: so much may be held while they are resolved.
    pub delta_chain_size_max: u64,
    /// What the files of one commit may cost.
    pub tree: TreeLimits,
    /// Threads that resolve one pack.
    pub threads_max: usize,
    /// Fetches at the same time, over all remotes.
    pub concurrent_max: usize,
    /// Git stores that were not used for this long are removed: their sources are gone, or ask as somebody else.
    pub unused_store_age_max: Duration,
    /// What is remembered of a remote that nobody asked for in this time is forgotten; its store stays.
    pub idle_slot_age_max: Duration,
    /// Clients with certificates or proxies of their own, before the oldest are forgotten; each has a thread.
    pub clients_max: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            refs_size_max: 64 << 20,
            pack_size_max: 2 << 30,
            pack_objects_max: 5_000_000,
            object_size_max: 100 << 20,
            delta_chain_size_max: 1 << 30,
            tree: TreeLimits::default(),
            threads_max: 2,
            concurrent_max: 4,
            unused_store_age_max: Duration::from_secs(2 * 24 * 3600),
            idle_slot_age_max: Duration::from_secs(3600),
            clients_max: 64,
        }
    }
}

/// Whether repositories on this machine may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalAccess {
    /// In a cluster: the controller's files are nobody's source.
    Denied,
    /// In development: `file://` URLs and plain directories are repositories.
    Allowed,
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct GitRequest {
    /// `http://`, `https://` or `ssh://`; in development `file://` or a path too.
    pub url: String,
    /// Which commit.
    pub reference: Reference,
    /// Who we are over HTTP.
    pub credentials: Credentials,
    /// Whose credentials these are, where somebody renews them: equal for all tokens of one identity.
    pub identity: Option<[u8; 32]>,
    /// Who we are over SSH, and whom we trust.
    pub ssh: Option<SshIdentity>,
    /// Whom we trust over HTTPS.
    pub tls: Tls,
    /// The way to go; the environment's proxy where none.
    pub proxy: Option<Proxy>,
    /// How long all of it may take.
    pub timeout: Duration,
    /// The revision that is stored already: if the remote still has it, nothing is brought.
    pub last_revision: Option<String>,
    /// Whether submodules are fetched too.
    pub recurse_submodules: bool,
}

/// What a look at a remote found.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The remote still has `last_revision`.
    Unchanged(Revision),
    /// The files of the commit can be read.
    Fetched(Fetched),
}

/// A commit that is here.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// `main@sha1:…`.
    pub revision: Revision,
    /// First line of the commit's message.
    pub subject: String,
    /// The files.
    pub tree: GitTree,
    tag: Option<TagFacts>,
    /// Where submodules are, and their files.
    pub(crate) submodules: Vec<(String, GitTree)>,
    pub(crate) memo: Arc<archive::Memo>,
}

impl Fetched {
    /// The commit in hex.
    pub fn commit(&self) -> &str {
        self.revision.digest()
    }

    /// The tag that the commit was asked for by.
    pub(crate) fn tag(&self) -> Option<&TagFacts> {
        self.tag.as_ref()
    }

    /// The commit as it was signed.
    pub(crate) fn signed_commit(&self) -> Result<Signed, signed::Error> {
        let id = ObjectId::from_hex(self.commit().as_bytes());
        let id = id.map_err(|error| signed::Error::Ambiguous(error.to_string()))?;
        signed::commit(&self.tree.objects().read(id, Kind::Commit)?)
    }

    /// A tag as it was signed, if it leads to the commit: what a server says of that is not believed.
    pub(crate) fn signed_tag(&self, id: ObjectId) -> Result<Signed, signed::Error> {
        let objects = self.tree.objects();
        let (commit, _) = objects.commit(id)?;
        if ObjectId::from_hex(self.commit().as_bytes()).ok() != Some(commit) {
            let text = format!("it is a tag of commit {commit}, not of {}", self.commit());
            return Err(signed::Error::Ambiguous(text));
        }
        signed::tag(&objects.read(id, Kind::Tag)?)
    }
}

/// Fetches Git repositories. Sources with the same remote and credentials share one store and one look.
#[derive(Clone)]
pub struct GitFetcher {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    limits: Limits,
    local: LocalAccess,
    addresses: Addresses,
    algorithms: SshAlgorithms,
    permits: Arc<Semaphore>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    clients: Arc<Clients<Client>>,
    /// When unused stores were removed last.
    swept: Mutex<Instant>,
}

/// What is kept of one remote.
pub(crate) struct Slot {
    directory: PathBuf,
    /// One fetch at a time.
    turn: Arc<Turn<()>>,
    /// What was found last, for those who waited meanwhile.
    recent: Mutex<HashMap<Strategy, Recent>>,
    pub(crate) trees: Arc<Memo>,
    pub(crate) artifacts: Arc<archive::Memo>,
    pub(crate) clients: Arc<Clients<Client>>,
    /// When somebody asked last.
    used: Mutex<Instant>,
    pub(crate) addresses: Addresses,
    pub(crate) algorithms: SshAlgorithms,
}

#[derive(Clone)]
struct Recent {
    started: Instant,
    result: Result<Found, Error>,
}

/// How often unused stores are looked for.
const SWEEP_INTERVAL: Duration = Duration::from_secs(3600);
/// How long an answer is kept for those who wait for it.
const RECENT_AGE_MAX: Duration = Duration::from_secs(60);

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl GitFetcher {
    /// Keeps Git objects below `root`, which is created where it is missing; asks only `addresses`.
    pub fn new(
        root: &Path,
        limits: Limits,
        local: LocalAccess,
        addresses: Addresses,
    ) -> io::Result<GitFetcher> {
        GitFetcher::with_algorithms(root, limits, local, addresses, SshAlgorithms::default())
    }

    /// As [`GitFetcher::new`], with a choice of what is offered to SSH servers.
    pub fn with_algorithms(
        root: &Path,
        limits: Limits,
        local: LocalAccess,
        addresses: Addresses,
        algorithms: SshAlgorithms,
    ) -> io::Result<GitFetcher> {
        fs::create_dir_all(root)?;
        let permits = Arc::new(Semaphore::new(limits.concurrent_max));
        let inner = Inner {
            root: root.to_owned(),
            limits,
            local,
            addresses,
            algorithms,
            permits,
            slots: Mutex::default(),
            clients: Arc::new(Clients::new(limits.clients_max)),
            swept: Mutex::new(Instant::now()),
        };
        inner.remove_unused()?;
        remove_superseded(root)?;
        Ok(GitFetcher {
            inner: Arc::new(inner),
        })
    }

    /// Looks at the remote and brings the commit that `request` asks for, unless it is the one it names as stored.
    ///
    /// Those who ask for the same thing while it is being fetched get the same answer.
    pub async fn fetch(&self, request: GitRequest) -> Result<Outcome, Error> {
        let mut outcome = self.fetch_one(request.clone()).await?;
        if let Outcome::Fetched(fetched) = &mut outcome
            && request.recurse_submodules
        {
            self.recurse(&request, fetched).await?;
        }
        Ok(outcome)
    }

    /// Which machines are asked.
    pub fn addresses(&self) -> &Addresses {
        &self.inner.addresses
    }

    async fn fetch_one(&self, request: GitRequest) -> Result<Outcome, Error> {
        let asked = Instant::now();
        let place = Place::of(&request, self.inner.local)?;
        let strategy = request.reference.strategy()?;
        let slot = self.slot(&place, &request);
        let turn = Arc::clone(&slot.turn).lock_owned().await;
        let answered = lock(&slot.recent)
            .get(&strategy)
            .filter(|recent| recent.started >= asked)
            .cloned();
        if let Some(Recent { result, .. }) = answered
            && let Some(outcome) = shared(result, request.last_revision.as_deref(), &slot.artifacts)
        {
            return outcome;
        }
        let permit = Arc::clone(&self.inner.permits).acquire_owned().await;
        // An answer serves those who asked before its look began: whoever was woken together with us asks first.
        tokio::task::yield_now().await;
        let (memo, inner) = (Arc::clone(&slot.artifacts), Arc::clone(&self.inner));
        let work = tokio::task::spawn_blocking(move || {
            // Both are held until the work is done, even if nobody waits for it any more.
            let _held = (turn, permit);
            let started = Instant::now();
            let result = run::run(&place, &request, &strategy, &slot, inner.limits);
            let mut recent = lock(&slot.recent);
            // Only those who wait now can use it: what is older holds trees, and so stores, for nobody.
            recent.retain(|_, recent| started.duration_since(recent.started) < RECENT_AGE_MAX);
            recent.insert(
                strategy,
                Recent {
                    started,
                    result: result.clone(),
                },
            );
            drop(recent);
            inner.sweep();
            result
        });
        // what its panic says may quote a credential
        let found = work
            .await
            .map_err(|_| Error::Internal("fetching ended unexpectedly".to_owned()))??;
        Ok(outcome(found, &memo))
    }

    fn slot(&self, place: &Place, request: &GitRequest) -> Arc<Slot> {
        let (key, now) = (key(place, request), Instant::now());
        let idle_max = self.inner.limits.idle_slot_age_max;
        let mut slots = lock(&self.inner.slots);
        slots.retain(|known, slot| {
            let is_recent = now.duration_since(*lock(&slot.used)) < idle_max;
            *known == key || is_recent || Arc::strong_count(slot) > 1
        });
        let slot = slots.entry(key.clone()).or_insert_with(|| {
            Arc::new(Slot {
                directory: self.inner.root.join(key),
                turn: Arc::default(),
                recent: Mutex::default(),
                trees: Arc::default(),
                artifacts: Arc::default(),
                clients: Arc::clone(&self.inner.clients),
                used: Mutex::new(now),
                addresses: self.inner.addresses.clone(),
                algorithms: self.inner.algorithms.clone(),
            })
        });
        *lock(&slot.used) = now;
        Arc::clone(slot)
    }
}

impl Inner {
    /// Now and then, removes what nobody uses any more.
    fn sweep(&self) {
        {
            let mut swept = lock(&self.swept);
            if swept.elapsed() < SWEEP_INTERVAL.min(self.limits.unused_store_age_max) {
                return;
            }
            *swept = Instant::now();
        }
        if let Err(error) = self.remove_unused() {
            tracing::warn!(%error, "Git stores that nobody uses are not removed, trying again");
        }
    }

    /// Removes stores that no source asked for in a long time: sources go, credentials change.
    fn remove_unused(&self) -> io::Result<()> {
        let (now, age_max) = (SystemTime::now(), self.limits.unused_store_age_max);
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            let used = fs::metadata(entry.path().join("used")).and_then(|metadata| metadata.modified());
            let age = used.ok().and_then(|used| now.duration_since(used).ok());
            if age.is_none_or(|age| age >= age_max) && entry.file_type()?.is_dir() {
                self.remove(&entry.file_name())?;
            }
        }
        Ok(())
    }

    /// Removes a store, unless somebody has begun to use it.
    fn remove(&self, name: &OsStr) -> io::Result<()> {
        let mut aside = name.to_owned();
        aside.push(".removed");
        let aside = self.root.join(aside);
        {
            let slots = lock(&self.slots);
            if name.to_str().is_some_and(|name| slots.contains_key(name)) {
                return Ok(());
            }
            // whoever comes now begins a new one while this one goes
            fs::rename(self.root.join(name), &aside)?;
        }
        fs::remove_dir_all(aside)
    }
}

fn outcome(found: Found, memo: &Arc<archive::Memo>) -> Outcome {
    match found {
        Found::Listed(revision) => Outcome::Unchanged(revision),
        Found::Brought {
            revision,
            facts: CommitFacts { subject, .. },
            tree,
            tag,
        } => Outcome::Fetched(Fetched {
            revision,
            subject,
            tree,
            tag,
            submodules: Vec::new(),
            memo: Arc::clone(memo),
        }),
    }
}

/// What somebody else's answer means to one who has stored `last`; None where it does not help.
fn shared(
    result: Result<Found, Error>,
    last: Option<&str>,
    memo: &Arc<archive::Memo>,
) -> Option<Result<Outcome, Error>> {
    match result {
        Err(error) => Some(Err(error)),
        Ok(Found::Listed(revision) | Found::Brought { revision, .. })
            if last == Some(revision.to_string().as_str()) =>
        {
            Some(Ok(Outcome::Unchanged(revision)))
        }
        Ok(Found::Listed(_)) => None,
        Ok(brought) => Some(Ok(outcome(brought, memo))),
    }
}

/// Equal for requests that may share a store: the same remote, asked as the same person in the same way.
fn key(place: &Place, request: &GitRequest) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(place.text().as_bytes());
    let identity = request.identity;
    part(&identity.unwrap_or_else(|| place.credentials(request).fingerprint()));
    part(&request.ssh.as_ref().map_or([0; 32], SshIdentity::fingerprint));
    part(request.tls.ca.as_deref().unwrap_or_default());
    if let Some((certificate, key)) = &request.tls.identity {
        part(certificate);
        part(key.reveal());
    }
    if let Some(Proxy { address, credentials }) = &request.proxy {
        part(address.as_bytes());
        if let Some((username, password)) = credentials {
            part(username.as_bytes());
            part(password.reveal().as_bytes());
        }
    }
    hex::encode(hash.finalize())
}

/// Removes all stores of each remote but the newest: a crash may have left the one that was being replaced.
fn remove_superseded(root: &Path) -> io::Result<()> {
    for slot in fs::read_dir(root)?.flatten() {
        let entries = fs::read_dir(slot.path()).into_iter().flatten().flatten();
        let mut numbers: Vec<u64> = entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers.pop();
        numbers
            .into_iter()
            .try_for_each(|number| fs::remove_dir_all(slot.path().join(number.to_string())))?;
    }
    Ok(())
}

impl std::fmt::Debug for GitTree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GitTree({})", self.root())
    }
}
