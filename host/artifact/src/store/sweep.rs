//! Dropping contents that nothing needs, while artifacts are read and written.
//!
//! ```text
//! roots (records, trees that are read) ─▶ mark, without the lock ─▶ segments nobody needs   ─▶ removed
//!                                                                 segments needed in part ─▶ written anew, together
//! ```
//!
//! What drafts count on is held by segment, so that a store that is always being written to is swept all the same.

use std::{
    io::{self, Write},
    sync::PoisonError,
    time::{Duration, Instant},
};

use super::{
    Error, Store,
    draft::{sync_directory, temporary},
    mark::Mark,
    segment::{self, Location, MAGIC, Reader},
};
use crate::Digest;

/// A segment less than half of which is needed is written again, unless it is this small (bytes).
const SMALL: u64 = 1 << 20;
/// So many small segments are written together: each costs a scan at the start, and a file.
const SMALL_MAX: usize = 32;
/// A sweep begins when so many times its duration have passed since the last one: it costs a tenth of a core at most.
const PAUSE_FACTOR: u32 = 9;

/// When was swept, and whether somebody waits for it.
#[derive(Default)]
pub(crate) struct Sweeps {
    is_awaited: bool,
    next: Option<Instant>,
}

impl Store {
    /// Asks for a sweep: after how long [`Store::sweep`] is to be called, none where somebody else is about to.
    pub fn ask_for_sweep(&self) -> Option<Duration> {
        let mut sweeps = self.inner.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut sweeps.is_awaited, true) {
            return None;
        }
        let now = Instant::now();
        Some(
            sweeps
                .next
                .map_or(Duration::ZERO, |next| next.duration_since(now)),
        )
    }

    /// Drops contents that neither a record, nor a tree that is read, nor a draft needs. Reads every directory of the store:
    /// blocks for a while, and others do not wait for it.
    ///
    /// # Errors
    /// The disk does not answer, or has no room for what is written anew.
    pub fn sweep(&self) -> Result<(), Error> {
        let _one_at_a_time = self.inner.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let sweeps = || self.inner.sweeps.lock().unwrap_or_else(PoisonError::into_inner);
        sweeps().is_awaited = false;
        let begun = Instant::now();
        let swept = self.mark_and_drop();
        self.state().end_sweep();
        let ended = Instant::now();
        sweeps().next = ended.checked_add(ended.duration_since(begun).saturating_mul(PAUSE_FACTOR));
        swept
    }

    fn mark_and_drop(&self) -> Result<(), Error> {
        let (roots, segments, losses) = {
            let mut state = self.state();
            (state.begin_sweep(), state.segments.clone(), state.losses)
        };
        let mut mark = Mark::new(&self.inner);
        for (path, content) in roots {
            // A damaged tree keeps what of it can still be found; it is fetched again soon.
            // A disk that does not answer is no time to delete.
            let is_whole = mark.content(content)?;
            if let Some(path) = path.filter(|_| is_whole) {
                self.state().was_whole(&path, losses);
            }
        }
        let (mut dead, mut sparse, mut small) = (Vec::new(), Vec::new(), Vec::new());
        for (number, size) in segments {
            match mark.needed().get(&number) {
                None => dead.push(number),
                Some(_) if size <= SMALL => small.push(number),
                Some(needed) if *needed < size / 2 => sparse.push(number),
                Some(_) => {}
            }
        }
        if small.len() >= SMALL_MAX {
            sparse.append(&mut small);
        }
        let failed = Error::storage("collect garbage in the artifact store");
        let gone: Vec<u64> = {
            let mut state = self.state();
            dead.retain(|number| !state.is_held(*number));
            for number in &dead {
                state.segments.remove(number);
            }
            dead
        };
        self.unlink(gone).map_err(&failed)?;
        let moved = self.rewrite(sparse, &mark).map_err(&failed)?;
        self.unlink(moved).map_err(&failed)
    }

    /// Removes the files of segments that the store does not know any more.
    fn unlink(&self, gone: Vec<u64>) -> io::Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        self.state().drop_unplaced();
        let mut failed = Ok(());
        for number in gone {
            match self.inner.root.remove_file(segment::path(number)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => failed = Err(error),
                _ => {}
            }
            // not before: somebody might open it again
            self.inner.segments.close(number);
        }
        failed
    }

    /// Copies what is needed of some segments to a new one. Answers with those that are not needed any more.
    fn rewrite(&self, mut numbers: Vec<u64>, mark: &Mark<'_>) -> io::Result<Vec<u64>> {
        {
            let state = self.state();
            numbers.retain(|number| !state.is_held(*number));
        }
        if numbers.is_empty() {
            return Ok(numbers);
        }
        let (name, file) = temporary(self)?;
        let written = self.copy(&numbers, mark, io::BufWriter::new(file));
        let placed = written.and_then(|moves| match moves {
            Some(moves) => self.put_in_place(&name, &numbers, moves),
            None => Ok(false),
        });
        if matches!(placed, Ok(true)) {
            return Ok(numbers);
        }
        // What cannot be removed now goes when the store is opened next.
        let _left_behind: io::Result<()> = self.inner.root.remove_file(&name);
        placed.map(|_| Vec::new())
    }

    /// Writes what is needed of some segments to `file`; none where something of it turned out damaged.
    fn copy(
        &self,
        numbers: &[u64],
        mark: &Mark<'_>,
        mut file: io::BufWriter<cap_std::fs::File>,
    ) -> io::Result<Option<Vec<Move>>> {
        file.write_all(MAGIC)?;
        let mut end = MAGIC.len() as u64;
        let mut moves = Vec::new();
        for number in numbers {
            let old = self.inner.segments.get(&self.inner.root, *number)?;
            let mut contents = segment::scan(*number, &old)?;
            {
                let state = self.state();
                contents.retain(|(digest, from)| mark.has(digest) && state.place(digest) == Some(*from));
            }
            for (digest, from) in contents {
                let content = &mut Reader::new(std::sync::Arc::clone(&old), from);
                match segment::append_from(&mut file, &mut end, (&digest, from.length), content)? {
                    Ok(offset) => moves.push(Move { digest, from, offset }),
                    Err(_) => {
                        self.inner.lose(&digest, from);
                        return Ok(None);
                    }
                }
            }
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        Ok(Some(moves))
    }

    /// Makes a copy the place of its contents; false where a draft began to count on the old one meanwhile.
    fn put_in_place(&self, name: &str, old: &[u64], moves: Vec<Move>) -> io::Result<bool> {
        let root = &self.inner.root;
        let number = self.state().number_segment();
        let path = segment::path(number);
        root.rename(name, root, &path)?;
        sync_directory(root, "segments")?;
        let mut state = self.state();
        if old.iter().any(|number| state.is_held(*number)) {
            drop(state);
            root.remove_file(&path)?;
            return Ok(false);
        }
        let mut size = 0;
        for Move { digest, from, offset } in moves {
            size += from.length;
            if state.place(&digest) == Some(from) {
                let location = Location {
                    segment: number,
                    offset,
                    length: from.length,
                };
                state.contents.insert(digest, location);
            }
        }
        state.segments.insert(number, size);
        for number in old {
            state.segments.remove(number);
        }
        Ok(true)
    }
}

/// A content on its way to another segment.
struct Move {
    digest: Digest,
    from: Location,
    offset: u64,
}
