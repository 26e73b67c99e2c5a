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
    /// All of them only where there is a closure.
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
        if self.has_room() {
            self.asked.insert((question, path.to_owned()));
        }
    }

    pub(crate) fn looked_up(&mut self, id: ObjectId, answer: AnswerDigest) {
        if self.has_room() {
            self.lookups.push((id, answer));
        }
    }

    fn has_room(&mut self) -> bool {
        let entries = self.asked.len() as u64 + self.lookups.len() as u64;
        self.overflowed |= entries >= self.entries_max;
        !self.overflowed
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

#[cfg(test)]
mod tests {
    use super::*;
    use sluice_artifact::MemoryTree;
    use sluice_object::GroupVersionKind;

    #[test]
    fn no_more_is_remembered_than_allowed_and_then_nothing_follows_from_it() {
        let id = |name: usize| ObjectId {
            gvk: GroupVersionKind::new("v1", "ConfigMap"),
            namespace: None,
            name: name.to_string(),
        };
        let mut recorder = Recorder::new(3);
        recorder.asked(Question::Read, "/a");
        (0..2).for_each(|name| recorder.looked_up(id(name), [0; 32]));
        assert!(!recorder.overflowed);
        recorder.looked_up(id(2), [0; 32]);
        assert_eq!(recorder.lookups.len(), 2);
        assert_eq!(recorder.closure(&MemoryTree::new()), None);
    }
}
