//! The work of one fetch, on a thread that may block.

use std::{
    fs, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use reqwest::Url;
use sluice_artifact::Revision;

use super::{Error, GitRequest, Limits, Slot, error::Circumstances, place::Place};
use crate::{
    Credentials, GitTree, disk_refusal,
    git::{
        conversation::Conversation,
        http::Connection,
        local::LocalRepository,
        objects::{CommitFacts, ObjectStore, PACKS_MAX, RETIRED, TagFacts},
        remote::{self, Depth, Remote},
        resolve::{self, Target},
        ssh::{self, SshPlace},
        tree::TreeLimits,
    },
    http::{self, Transport, shown},
    reference::Strategy,
};

/// What a look found.
#[derive(Clone)]
pub(crate) enum Found {
    /// The remote has what the asker has stored; nothing was brought.
    Listed(Revision),
    /// The commit is here.
    Brought {
        revision: Revision,
        facts: CommitFacts,
        tree: GitTree,
        tag: Option<TagFacts>,
    },
}

/// Looks and brings.
pub(crate) fn run(
    place: &Place,
    request: &GitRequest,
    strategy: &Strategy,
    slot: &Slot,
    limits: Limits,
) -> Result<Found, Error> {
    match place {
        Place::Remote { url, .. } | Place::Ssh { url, .. } => {
            let credentials = place.credentials(request);
            let deadline = Instant::now() + request.timeout;
            RemoteRun {
                place,
                url,
                request,
                strategy,
                slot,
                limits,
                credentials,
                deadline,
            }
            .run()
        }
        Place::Local(path) => {
            let unusable = |problem| Error::InvalidUrl {
                url: path.display().to_string(),
                problem,
            };
            let repository = LocalRepository::open(path, limits.object_size_max).map_err(unusable)?;
            let refs = repository.list().map_err(unusable)?;
            let strategy = match (strategy, repository.head_branch()) {
                // Nothing asked for, in development: the branch that is checked out.
                (Strategy::Branch(_), Some(branch)) if request.reference.branch.is_none() => {
                    Strategy::Branch(branch)
                }
                (strategy, _) => strategy.clone(),
            };
            let targets = resolve::resolve(&strategy, &refs)?;
            if targets.is_empty() {
                return Err(resolve::missing(&strategy, &refs, &place.text()));
            }
            let circumstances = Circumstances {
                url: &place.text(),
                step: "unable to clone",
                credentials: &Credentials::None,
                timeout: request.timeout,
            };
            let found = newest(&repository.objects(), targets, slot, limits.tree)
                .map_err(|error| circumstances.bad_content(error))?;
            Ok(match found {
                Found::Brought { revision, .. } if is_last(request, &revision) => Found::Listed(revision),
                found => found,
            })
        }
    }
}

struct RemoteRun<'a> {
    place: &'a Place,
    url: &'a Url,
    request: &'a GitRequest,
    strategy: &'a Strategy,
    slot: &'a Slot,
    limits: Limits,
    credentials: Credentials,
    deadline: Instant,
}

impl RemoteRun<'_> {
    fn run(&self) -> Result<Found, Error> {
        if let Some(target) = resolve::fixed(self.strategy) {
            return self.fixed(target);
        }
        let mut remote = self.connect()?;
        let list = |remote: &mut Remote, prefixes: &[String]| {
            remote
                .list(prefixes)
                .map_err(|error| self.circumstances(Step::List).explain(error))
        };
        let refs = list(&mut remote, &resolve::prefixes(self.strategy))?;
        let targets = resolve::resolve(self.strategy, &refs)?;
        if targets.is_empty() {
            let all = list(&mut remote, &[])?;
            return Err(resolve::missing(self.strategy, &all, &self.shown()));
        }
        if let [target] = targets.as_slice()
            && self.is_last(&target.revision())
        {
            self.touch();
            return Ok(Found::Listed(target.revision()));
        }
        self.bring(Some(remote), targets)
    }

    /// A commit says itself what it is: where we have it, nobody is asked.
    fn fixed(&self, target: Target) -> Result<Found, Error> {
        if self.is_last(&target.revision()) {
            return Ok(Found::Listed(target.revision()));
        }
        self.bring(None, vec![target])
    }

    fn bring(&self, remote: Option<Remote>, targets: Vec<Target>) -> Result<Found, Error> {
        let mut store = self.store()?;
        let mut tips = store.tips();
        // nothing comes of what we say that we have, and so not of what the disk has lost since
        let is_lost = |target: &Target| tips.contains(&target.commit) && store.commit(target.commit).is_err();
        if targets.iter().any(is_lost) {
            store = self.renew(&store)?;
            tips = store.tips();
        }
        let is_here = |target: &Target| {
            let has_tag = target.tag.is_none() || store.kind(target.wanted).is_some();
            tips.contains(&target.commit) && has_tag && store.commit(target.commit).is_ok()
        };
        let wants: Vec<_> = targets
            .iter()
            .filter(|target| !is_here(target))
            .map(|target| target.wanted)
            .collect();
        let store = if wants.is_empty() {
            store
        } else {
            self.fetch(remote, store, &wants)?
        };
        let found = newest(&store, targets, self.slot, self.limits.tree);
        let found = found.map_err(|text| self.circumstances(Step::Clone).bad_content(text))?;
        self.touch();
        Ok(found)
    }

    /// Fetches into the store. Where that fails for a reason that may lie in the store, once more into a new one.
    fn fetch(
        &self,
        remote: Option<Remote>,
        store: Arc<ObjectStore>,
        wants: &[gix::ObjectId],
    ) -> Result<Arc<ObjectStore>, Error> {
        let explain = |error| self.circumstances(Step::Clone).explain(error);
        let mut remote = match remote {
            Some(remote) => remote,
            None => self.connect()?,
        };
        let store = if store.pack_count() >= PACKS_MAX {
            self.renew(&store)?
        } else {
            store
        };
        let error = match remote.fetch(&store, wants, Depth::One) {
            Ok(()) => return Ok(store),
            Err(error) => error,
        };
        match error {
            remote::Error::BadPack(_) if store.pack_count() > 0 => {
                let store = self.renew(&store)?;
                self.connect()?
                    .fetch(&store, wants, Depth::One)
                    .map_err(explain)?;
                Ok(store)
            }
            // A server may give branches only: then their whole history holds the commit, or nobody does.
            remote::Error::Server(text) if matches!(self.strategy, Strategy::Commit { .. }) => {
                self.fetch_history(&store, wants).map_err(|other| match other {
                    Error::BadContent { .. } => explain(remote::Error::Server(text)),
                    other => other,
                })
            }
            error => Err(explain(error)),
        }
    }

    fn fetch_history(&self, store: &ObjectStore, wants: &[gix::ObjectId]) -> Result<Arc<ObjectStore>, Error> {
        let explain = |error| self.circumstances(Step::Clone).explain(error);
        let store = self.renew(store)?;
        let mut remote = self.connect()?;
        let refs = remote.list(&resolve::prefixes(self.strategy)).map_err(explain)?;
        let branches: Vec<_> = refs.iter().map(|found| found.wanted).collect();
        if !branches.is_empty() {
            remote.fetch(&store, &branches, Depth::Full).map_err(explain)?;
        }
        if wants.iter().all(|want| store.commit(*want).is_ok()) {
            Ok(store)
        } else {
            Err(resolve::missing(self.strategy, &refs, &self.shown()))
        }
    }

    fn connect(&self) -> Result<Remote, Error> {
        let explain = |error| self.circumstances(Step::List).explain(error);
        match self.place {
            Place::Ssh { place, .. } => self.connect_ssh(place)?.map_err(explain),
            Place::Remote { .. } | Place::Local(_) => self.connect_http()?.map_err(explain),
        }
    }

    fn connect_ssh(&self, place: &SshPlace) -> Result<Result<Remote, remote::Error>, Error> {
        let missing = || crate::CredentialsError::MissingSsh("identity");
        let identity = self.request.ssh.as_ref();
        let identity = identity.ok_or_else(|| Error::Credentials(missing().to_string()))?;
        let conversation = Conversation::new(self.deadline);
        let (algorithms, addresses) = (&self.slot.algorithms, &self.slot.addresses);
        let proxy = self.request.proxy.as_ref();
        let connect = || ssh::connect(place, identity, algorithms, proxy, addresses, &conversation);
        Ok(Remote::over_ssh(
            &place.path,
            connect,
            Arc::clone(&conversation),
            self.limits,
            self.deadline,
        ))
    }

    fn connect_http(&self) -> Result<Result<Remote, remote::Error>, Error> {
        let transport = Transport {
            tls: self.request.tls.clone(),
            proxy: self.request.proxy.clone(),
            ..Transport::default()
        };
        let make = |transport: &Transport| http::blocking_client(transport, &self.slot.addresses);
        let client = self.slot.clients.get(&transport, make);
        let client = client.map_err(Error::Credentials)?;
        let conversation = Conversation::new(self.deadline);
        let connection = Connection::new(
            client,
            self.slot.addresses.clone(),
            self.url.clone(),
            &self.credentials,
            Arc::clone(&conversation),
        )
        .map_err(Error::Credentials)?;
        let invalid = |problem: String| Error::InvalidUrl {
            url: self.shown(),
            problem,
        };
        let url =
            gix::url::parse(self.url.as_str().as_bytes()).map_err(|error| invalid(error.to_string()))?;
        Ok(Remote::over_http(
            connection,
            conversation,
            url,
            self.limits,
            self.deadline,
        ))
    }

    fn circumstances(&self, step: Step) -> Circumstances<'_> {
        // Flux looks a name up before it clones, and lists the others only where it has an artifact to compare with.
        let lists_first = match self.strategy {
            Strategy::Name { .. } => true,
            Strategy::Tag(_) | Strategy::Branch(_) => self.request.last_revision.is_some(),
            Strategy::Semver(_) | Strategy::Commit { .. } => false,
        };
        let step = match step {
            Step::List if lists_first => "unable to list remote for",
            Step::List | Step::Clone => "unable to clone",
        };
        let timeout = self.request.timeout;
        Circumstances {
            url: self.url.as_str(),
            step,
            credentials: &self.credentials,
            timeout,
        }
    }

    fn shown(&self) -> String {
        shown(self.url)
    }

    fn is_last(&self, revision: &Revision) -> bool {
        is_last(self.request, revision)
    }

    /// The newest store of the remote: `<slot>/<number>`.
    fn store(&self) -> Result<Arc<ObjectStore>, Error> {
        let stores = fs::read_dir(&self.slot.directory).into_iter().flatten().flatten();
        let usable = stores.filter(|entry| !entry.path().join(RETIRED).exists());
        let newest = usable
            .filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok())
            .max();
        self.open(newest.unwrap_or_else(next_number))
    }

    fn open(&self, number: u64) -> Result<Arc<ObjectStore>, Error> {
        let directory = self.slot.directory.join(number.to_string());
        let store = ObjectStore::open(&directory, self.limits.object_size_max);
        store
            .map(Arc::new)
            .map_err(|error: io::Error| Error::Disk(disk_refusal(&error)))
    }

    /// An empty store in place of `old`, which goes when its last reader does.
    fn renew(&self, old: &ObjectStore) -> Result<Arc<ObjectStore>, Error> {
        let store = self.open(next_number())?;
        old.retire();
        Ok(store)
    }

    /// Marks the store as used, for [`super::remove_unused`]. Failing to costs a fetch after a restart, no more.
    fn touch(&self) {
        let _best_effort: io::Result<()> = fs::create_dir_all(&self.slot.directory)
            .and_then(|()| fs::write(self.slot.directory.join("used"), b""));
    }
}

#[derive(Clone, Copy)]
enum Step {
    List,
    Clone,
}

/// Larger than any number given before, by this process or one before it.
fn next_number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
    let before = LAST.fetch_max(now, Ordering::Relaxed);
    if before < now {
        now
    } else {
        LAST.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Whether the asker has stored this revision.
fn is_last(request: &GitRequest, revision: &Revision) -> bool {
    request.last_revision.as_deref() == Some(revision.to_string().as_str())
}

/// Of versions with equal precedence the one with the newest commit. All targets are in the store.
fn newest(
    store: &Arc<ObjectStore>,
    targets: Vec<Target>,
    slot: &Slot,
    limits: TreeLimits,
) -> Result<Found, String> {
    let mut best: Option<(Target, gix::ObjectId, CommitFacts)> = None;
    for target in targets {
        // The commit may be here already, without the tag that names it today.
        let found = store
            .commit(target.commit)
            .or_else(|_| store.commit(target.wanted));
        let (commit, facts) =
            found.map_err(|error| format!("the server did not send what it announced: {error}"))?;
        if best.as_ref().is_none_or(|(_, _, best)| facts.time > best.time) {
            best = Some((target, commit, facts));
        }
    }
    let (target, commit, facts) = best.ok_or("no commit was found")?;
    // Another fetch then asks for the difference only. Where it cannot be noted, it asks for everything.
    let _best_effort: io::Result<()> = store.add_tip(commit);
    let tag = target.tag.clone().map(|name| {
        let is_object = store.kind(target.wanted) == Some(gix::objs::Kind::Tag);
        let id = is_object.then_some(target.wanted);
        TagFacts { name, id }
    });
    let revision = Target { commit, ..target }.revision();
    let tree = GitTree::new(Arc::clone(store), facts.tree, Arc::clone(&slot.trees), limits);
    Ok(Found::Brought {
        revision,
        facts,
        tree,
        tag,
    })
}
