//! The two questions that are asked of a Git server: which references, and which objects.

use std::{
    num::NonZeroU32,
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use gix::{
    ObjectId,
    progress::Discard,
    protocol::{
        self, Handshake,
        fetch::{self, Arguments, Negotiate, Response, Shallow, Tags, negotiate},
        handshake::Ref,
    },
};
use gix_transport::{Protocol, Service, client::blocking_io::Transport, client::git::ConnectMode};

use sluice_artifact::store::remedy;

use super::{conversation::Conversation, http::Connection, objects::ObjectStore, pack::receive, ssh};
use crate::{fetch::Limits, http::Failure};

/// A reference that a server has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteRef {
    /// `refs/heads/main`.
    pub(crate) name: String,
    /// The commit: what an annotated tag names.
    pub(crate) commit: ObjectId,
    /// The object to ask for: the tag where there is one, which every server gives.
    pub(crate) wanted: ObjectId,
}

/// Why a conversation failed.
#[derive(Clone, Debug)]
pub(crate) enum Error {
    /// HTTP, time, bytes.
    Http(Failure),
    /// No connection over SSH.
    Ssh(ssh::Error),
    /// What a server said to its user, and then no more.
    Said(String),
    /// The server speaks Git and says no, or does not speak Git.
    Server(String),
    /// What it sent cannot be used.
    BadPack(String),
    /// Our own disk.
    Disk(String),
}

/// A conversation with one server.
pub(crate) struct Remote {
    transport: Box<dyn Transport>,
    conversation: Arc<Conversation>,
    handshake: Handshake,
    limits: Limits,
    deadline: Instant,
}

fn agent() -> (&'static str, Option<String>) {
    (
        "agent",
        Some(protocol::agent(concat!("sluice/", env!("CARGO_PKG_VERSION")))),
    )
}

impl Remote {
    /// Says hello over HTTP.
    pub(crate) fn over_http(
        connection: Connection,
        conversation: Arc<Conversation>,
        url: gix::Url,
        limits: Limits,
        deadline: Instant,
    ) -> Result<Remote, Error> {
        use gix_transport::client::blocking_io::http::Transport;
        let transport = Transport::new_http(connection, url, Protocol::V2, false);
        Remote::greet(Box::new(transport), conversation, limits, deadline)
    }

    /// Says hello over SSH, by `connect`.
    pub(crate) fn over_ssh(
        path: &str,
        connect: impl FnOnce() -> Result<ssh::Pipes, ssh::Error>,
        conversation: Arc<Conversation>,
        limits: Limits,
        deadline: Instant,
    ) -> Result<Remote, Error> {
        use gix_transport::client::git::blocking_io::Connection;
        conversation.allow("the greeting", limits.refs_size_max, "refs_size_max");
        let (read, write) = connect().map_err(Error::Ssh)?;
        let (version, mode, host) = (Protocol::V2, ConnectMode::Process, None::<(&str, _)>);
        let transport = Connection::new(read, write, version, path, host, mode, false);
        Remote::greet(Box::new(transport), conversation, limits, deadline)
    }

    /// Says hello over what carries the conversation.
    pub(crate) fn greet(
        mut transport: Box<dyn Transport>,
        conversation: Arc<Conversation>,
        limits: Limits,
        deadline: Instant,
    ) -> Result<Remote, Error> {
        conversation.allow("the list of references", limits.refs_size_max, "refs_size_max");
        let refuse = |_| Ok(None); // credentials travel in our own headers; nobody is asked for any
        let greeting = protocol::handshake(
            &mut transport,
            Service::UploadPack,
            refuse,
            Vec::new(),
            &mut Discard,
        );
        let handshake = greeting.map_err(|error| explain(&conversation, &error))?;
        Ok(Remote {
            transport,
            conversation,
            handshake,
            limits,
            deadline,
        })
    }

    /// The references whose names begin with one of `prefixes`; all where there is none.
    pub(crate) fn list(&mut self, prefixes: &[String]) -> Result<Vec<RemoteRef>, Error> {
        let found = match &self.handshake.refs {
            // A server of the first protocol tells everything at once.
            Some(refs) => refs.clone(),
            None => {
                let mut wanted = protocol::ls_refs::RefPrefixes::new();
                wanted.extend(prefixes.iter().map(|prefix| prefix.as_str().into()));
                let wanted = (!prefixes.is_empty()).then_some(wanted);
                let command = protocol::LsRefsCommand::new(wanted, &self.handshake.capabilities, agent());
                let answer = command.invoke_blocking(&mut self.transport, &mut Discard, false);
                answer.map_err(|error| explain(&self.conversation, &error))?
            }
        };
        Ok(found.into_iter().filter_map(remote_ref).collect())
    }

    /// Whether the server can leave history out. One that cannot gives all of it.
    fn knows_shallow(&self) -> bool {
        let known = &self.handshake.capabilities;
        let fetch = known.capability("fetch");
        known.contains("shallow") || fetch.is_some_and(|fetch| fetch.supports("shallow").unwrap_or(false))
    }

    /// Brings objects into the store: those of `wants` that it lacks.
    pub(crate) fn fetch(
        &mut self,
        store: &ObjectStore,
        wants: &[ObjectId],
        depth: Depth,
    ) -> Result<(), Error> {
        self.conversation
            .allow("the pack", self.limits.pack_size_max, "pack_size_max");
        let shallow = match depth {
            Depth::One if self.knows_shallow() => Shallow::DepthAtRemote(NonZeroU32::MIN),
            Depth::One | Depth::Full => Shallow::NoChange,
        };
        let mut wishes = Wishes {
            wants: wants.to_vec(),
            haves: store.tips(),
        };
        let watchdog = Watchdog::start(self.deadline);
        let limits = self.limits;
        let mut bad_pack = None;
        let result = protocol::fetch(
            &mut wishes,
            |pack, _, interrupt| {
                let received = receive(pack, store, limits, interrupt);
                received
                    .map(|()| true)
                    .inspect_err(|error| bad_pack = Some(innermost(error)))
            },
            Discard,
            &watchdog.interrupt,
            fetch::Context {
                handshake: &mut self.handshake,
                transport: &mut self.transport,
                user_agent: agent(),
                trace_packetlines: false,
            },
            fetch::Options {
                shallow_file: store.shallow_file(),
                shallow: &shallow,
                tags: Tags::None,
                reject_shallow_remote: false,
            },
        );
        match result {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Error::Server("the server sent nothing".to_owned())),
            Err(error) => Err(match (explain(&self.conversation, &error), bad_pack) {
                (Error::Http(failure), _) => Error::Http(failure),
                _ if watchdog.interrupt.load(Ordering::Relaxed) => Error::Http(Failure::TimedOut),
                (_, Some(text)) => Error::BadPack(text),
                (other, None) => other,
            }),
        }
    }
}

/// How much history is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    One,
    Full,
}

fn remote_ref(found: Ref) -> Option<RemoteRef> {
    let (name, commit, wanted) = match found {
        Ref::Peeled {
            full_ref_name,
            tag,
            object,
        } => (full_ref_name, object, tag),
        Ref::Direct {
            full_ref_name,
            object,
        } => (full_ref_name, object, object),
        Ref::Symbolic {
            full_ref_name,
            tag,
            object,
            ..
        } => (full_ref_name, object, tag.unwrap_or(object)),
        Ref::Unborn { .. } => return None,
    };
    // A name that is not UTF-8 cannot be asked for in a spec.
    Some(RemoteRef {
        name: String::from_utf8(name.into()).ok()?,
        commit,
        wanted,
    })
}

/// What to ask for and what we have: one round, then the pack.
struct Wishes {
    wants: Vec<ObjectId>,
    haves: Vec<ObjectId>,
}

impl Negotiate for Wishes {
    fn mark_complete_and_common_ref(&mut self) -> gix::Result<negotiate::Action> {
        Ok(negotiate::Action::MustNegotiate {
            remote_ref_target_known: Vec::new(),
        })
    }

    fn add_wants(&mut self, arguments: &mut Arguments, _known: &[bool]) -> bool {
        self.wants.iter().for_each(|want| arguments.want(want));
        !self.wants.is_empty()
    }

    fn one_round(
        &mut self,
        _state: &mut negotiate::one_round::State,
        arguments: &mut Arguments,
        _previous: Option<&Response>,
    ) -> gix::Result<(negotiate::Round, bool)> {
        self.haves.iter().for_each(|have| arguments.have(have));
        let round = negotiate::Round {
            haves_sent: self.haves.len(),
            in_vain: 0,
            haves_to_send: 0,
            previous_response_had_at_least_one_in_common: false,
        };
        Ok((round, true))
    }
}

fn explain(conversation: &Conversation, error: &gix::Error) -> Error {
    match conversation.failure() {
        Some(failure) => Error::Http(failure),
        None if conversation.is_over() => Error::Http(Failure::TimedOut),
        None => {
            if let Some(said) = conversation.said() {
                return Error::Said(said);
            }
            let refused = error.downcast_any_ref::<std::io::Error>().filter(|error| {
                use std::io::ErrorKind::PermissionDenied;
                error.kind() == PermissionDenied || !remedy(error).is_empty()
            });
            match refused {
                Some(refused) => Error::Disk(innermost(error) + remedy(refused)),
                None => Error::Server(innermost(error)),
            }
        }
    }
}

/// The outermost and the innermost text: what was done, and why it failed.
fn innermost(error: &gix::Error) -> String {
    let outer = error.to_string();
    let mut inner = outer.clone();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !text.is_empty() {
            inner = text;
        }
        next = cause.source();
    }
    if inner == outer || outer.is_empty() {
        inner
    } else {
        format!("{outer}: {inner}")
    }
}

/// Raises a flag at the deadline, for work that reads no socket.
struct Watchdog {
    interrupt: Arc<AtomicBool>,
    done: Arc<(Mutex<bool>, Condvar)>,
}

impl Watchdog {
    fn start(deadline: Instant) -> Watchdog {
        let watchdog = Watchdog {
            interrupt: Arc::default(),
            done: Arc::default(),
        };
        let (interrupt, done) = (Arc::clone(&watchdog.interrupt), Arc::clone(&watchdog.done));
        std::thread::spawn(move || {
            let (is_done, changed) = &*done;
            let mut is_done = is_done.lock().unwrap_or_else(PoisonError::into_inner);
            while !*is_done {
                let left = deadline.saturating_duration_since(Instant::now());
                if left == Duration::ZERO {
                    interrupt.store(true, Ordering::Relaxed);
                    return;
                }
                is_done = changed
                    .wait_timeout(is_done, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        });
        watchdog
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        *self.done.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.done.1.notify_all();
    }
}
