use sluice_artifact::{AnswerDigest, Entry, Question, Tree, TreeError};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A tree that remembers what was asked of it. For our own reading; guests are recorded by the sandbox.
pub(crate) struct Recording<'a> {
    tree: &'a dyn Tree,
    asked: RefCell<BTreeSet<(Question, String)>>,
}

impl<'a> Recording<'a> {
    pub(crate) fn new(tree: &'a dyn Tree) -> Self {
        Self {
            tree,
            asked: RefCell::default(),
        }
    }

    pub(crate) fn into_asked(self) -> BTreeSet<(Question, String)> {
        self.asked.into_inner()
    }

    fn asked(&self, question: Question, path: &str) {
        self.asked.borrow_mut().insert((question, path.to_owned()));
    }

    pub(crate) fn read(&self, path: &str) -> Result<Arc<[u8]>, TreeError> {
        self.asked(Question::Read, path);
        self.tree.read(path)
    }

    pub(crate) fn read_dir(&self, path: &str) -> Result<Vec<Entry>, TreeError> {
        self.asked(Question::ReadDir, path);
        self.tree.read_dir(path)
    }
}

/// What was asked, with the digests of the answers that `tree` gives.
pub(crate) fn digests(
    tree: &dyn Tree,
    asked: impl IntoIterator<Item = (Question, String)>,
) -> Vec<(Question, String, AnswerDigest)> {
    let digest = |(question, path): (Question, String)| {
        let digest = tree.answer_digest(question, &path);
        (question, path, digest)
    };
    asked.into_iter().map(digest).collect()
}
