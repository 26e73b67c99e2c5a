//! Who may make artifacts visible.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::{Error, Store};

/// The time in which somebody may make artifacts visible. When it is dropped, what is still being written for it comes to
/// nothing: the object may be gone by then, or a newer artifact be there.
#[must_use = "what is written is given up when this is dropped"]
pub struct Turn {
    store: Store,
    is_over: Arc<AtomicBool>,
}

impl Drop for Turn {
    fn drop(&mut self) {
        // with the lock that records are written under: afterwards there is one, or there never will be
        let _state = self.store.state();
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Store {
    /// The same store for one who may write as long as the turn lasts.
    pub fn turn(&self) -> (Store, Turn) {
        let is_over = Arc::new(AtomicBool::new(false));
        let store = Store {
            inner: Arc::clone(&self.inner),
            is_over: Some(Arc::clone(&is_over)),
        };
        let turn = Turn {
            store: self.clone(),
            is_over,
        };
        (store, turn)
    }

    /// Refuses whose turn is over.
    pub(crate) fn check_turn(&self) -> Result<(), Error> {
        let is_over = self.is_over.as_ref();
        match is_over.is_some_and(|is_over| is_over.load(Ordering::Relaxed)) {
            true => Err(Error::Unwanted),
            false => Ok(()),
        }
    }
}
