//! What a guest read: the closure of a result.

use sluice_artifact::{AnswerDigest, Question, Tree};
use sluice_object::ObjectId;
use std::collections::BTreeSet;

/// Everything a result depends on in the artifact: each question that was asked, and the digest of its answer.
///
/// **Invariant:** a tree that gives the same digests for the same questions gives the same result.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Closure {
    /// The questions in order, with the digests of their answers.
    pub reads: Vec<(Question, String, AnswerDigest)>,
}

impl Closure {
    /// Whether `tree` gives the answers that were recorded. Costs digest comparisons, and stops at the first difference.
    pub fn holds_in(&self, tree: &dyn Tree) -> bool {
        self.reads
            .iter()
            .all(|(question, path, digest)| tree.answer_digest(*question, path) == *digest)
    }
}

/// Remembers the questions of one call.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    asked: BTreeSet<(Question, String)>,
    entries_max: u64,
    overflowed: bool,
    pub(crate) revision_asked: bool,
    pub(crate) lookups: Vec<(ObjectId, AnswerDigest)>,
}

impl Recorder {
    pub(crate) fn new(entries_max: u64) -> Self {
        Self {
            entries_max,
            ..Self::default()
        }
    }

    pub(crate) fn asked(&mut self, question: Question, path: &str) {
        if self.asked.len() as u64 >= self.entries_max {
            self.overflowed = true;
            return;
        }
        self.asked.insert((question, path.to_owned()));
    }

    /// The closure; none when more was asked than may be remembered.
    pub(crate) fn closure(self, tree: &dyn Tree) -> Option<Closure> {
        if self.overflowed {
            return None;
        }
        let digest = |(question, path): (Question, String)| {
            let digest = tree.answer_digest(question, &path);
            (question, path, digest)
        };
        Some(Closure {
            reads: self.asked.into_iter().map(digest).collect(),
        })
    }
}
