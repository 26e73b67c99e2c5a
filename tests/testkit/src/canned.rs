//! A server that gives prepared answers and remembers what it was asked: clouds, token services.
#![allow(clippy::missing_panics_doc, clippy::expect_used)]

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::http_server::{Listener, Response};

/// One request, whole.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// By lower-case name.
    pub headers: HashMap<String, String>,
    /// As text.
    pub body: String,
}

#[derive(Clone, Default)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

#[derive(Default)]
struct Shared {
    answers: BTreeMap<String, Answer>,
    asked: Vec<Asked>,
}

/// A running server; it stops when dropped.
pub struct Canned {
    listener: Listener,
    shared: Arc<Mutex<Shared>>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Canned {
    /// Serves over http; what has no answer gets 404.
    pub fn start() -> Canned {
        let shared = Arc::<Mutex<Shared>>::default();
        let own = Arc::clone(&shared);
        let listener = Listener::start(None, move |request, stream, _| {
            let response = {
                let mut shared = lock(&own);
                shared.asked.push(Asked {
                    method: request.method.clone(),
                    target: request.seen().target,
                    headers: request.headers.clone(),
                    body: String::from_utf8_lossy(&request.body).into_owned(),
                });
                let answer = shared
                    .answers
                    .get(&format!("{} {}", request.method, request.path));
                let answer = answer.cloned().unwrap_or(Answer {
                    status: 404,
                    ..Answer::default()
                });
                let mut response = Response::new(&format!("{} Canned", answer.status), &answer.body);
                response.headers.extend(answer.headers);
                response
            };
            response.send(stream)
        });
        Canned { listener, shared }
    }

    /// `http://localhost:<port>/`.
    pub fn base(&self) -> String {
        format!("{}/", self.listener.base())
    }

    /// Answers `GET /path` like this from now on.
    pub fn answer(&self, question: &str, status: u16, body: &str) {
        self.answer_with(question, status, &[], body);
    }

    /// The same with headers.
    pub fn answer_with(&self, question: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        self.answer_bytes(question, status, headers, body.as_bytes());
    }

    /// The same with a body that is no text.
    pub fn answer_bytes(&self, question: &str, status: u16, headers: &[(&str, &str)], body: &[u8]) {
        let headers = headers.iter();
        let answer = Answer {
            status,
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.to_vec(),
        };
        lock(&self.shared).answers.insert(question.to_owned(), answer);
    }

    /// What was asked since this was called last.
    pub fn take_asked(&self) -> Vec<Asked> {
        std::mem::take(&mut lock(&self.shared).asked)
    }
}
