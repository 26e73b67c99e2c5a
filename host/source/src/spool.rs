//! Keeping what arrives from a network, without a thread of the runtime that waits for the disk.

use std::io::{self, Write};
use std::mem;

/// Bytes that are gathered for one write: asking for a thread costs as much as writing a few KiB.
const PIECE: usize = 256 << 10;

/// Something that takes what arrives: as long as it keeps it in memory at once, else in pieces, on threads that may block.
#[derive(Debug)]
pub(crate) struct Spool<S> {
    /// None while a thread has it, and for good where whoever waited for that thread went away.
    sink: Option<S>,
    piece: Vec<u8>,
    in_memory: usize,
}

impl<S: Write + Send + 'static> Spool<S> {
    /// Writes to `sink`, which takes its first `in_memory` bytes without touching the disk.
    pub(crate) fn new(sink: S, in_memory: usize) -> Spool<S> {
        Spool {
            sink: Some(sink),
            piece: Vec::new(),
            in_memory,
        }
    }

    /// Takes more.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let (Some(left), Some(sink)) = (self.in_memory.checked_sub(bytes.len()), &mut self.sink) {
            self.in_memory = left;
            return sink.write_all(bytes);
        }
        self.in_memory = 0;
        self.piece.extend_from_slice(bytes);
        match self.piece.len() < PIECE {
            true => Ok(()),
            false => self.flush().await,
        }
    }

    /// All is there; gives back what took it.
    pub(crate) async fn finish(mut self) -> io::Result<S> {
        if !self.piece.is_empty() {
            self.flush().await?;
        }
        self.sink.ok_or_else(lost)
    }

    async fn flush(&mut self) -> io::Result<()> {
        let mut sink = self.sink.take().ok_or_else(lost)?;
        let mut piece = mem::take(&mut self.piece);
        let work = move || {
            sink.write_all(&piece)?;
            piece.clear();
            Ok((sink, piece))
        };
        let (sink, piece) = blocking("writing what arrived", work).await?;
        self.sink = Some(sink);
        self.piece = piece;
        Ok(())
    }
}

fn lost() -> io::Error {
    io::Error::other("writing was given up")
}

/// Does what takes the disk or long, on a thread that may block. Its panic is an error that names it.
pub(crate) async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    // what its panic says may quote what was read
    done.unwrap_or_else(|_| Err(io::Error::other(format!("{what} ended unexpectedly"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use std::thread::{self, ThreadId};

    /// What was written, and by which threads.
    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<(ThreadId, usize)>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut written = self.0.lock().unwrap();
            if written.len() > 3 {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            written.push((thread::current().id(), bytes.len()));
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn only_what_stays_in_memory_is_written_at_once() {
        let sink = Sink::default();
        let mut spool = Spool::new(sink.clone(), 100);
        spool.write(&[0; 60]).await.unwrap();
        spool.write(&[0; 40]).await.unwrap();
        spool.write(&[0; 1]).await.unwrap();
        spool.write(&[0; PIECE]).await.unwrap();
        spool.write(&[0; 7]).await.unwrap();
        spool.finish().await.unwrap();
        let written = sink.0.lock().unwrap().clone();
        let sizes: Vec<usize> = written.iter().map(|(_, size)| *size).collect();
        assert_eq!(sizes, [60, 40, PIECE + 1, 7]);
        let here = thread::current().id();
        let is_here: Vec<bool> = written.iter().map(|(thread, _)| *thread == here).collect();
        assert_eq!(is_here, [true, true, false, false]);
    }

    #[tokio::test]
    async fn a_full_disk_is_told() {
        let mut spool = Spool::new(Sink::default(), 0);
        for _ in 0..4 {
            spool.write(&[0; PIECE]).await.unwrap();
        }
        let error = spool.write(&[0; PIECE]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert!(spool.finish().await.is_err());
    }

    #[tokio::test]
    async fn what_breaks_is_named_and_not_quoted() {
        let panics: fn() -> io::Result<()> = || panic!("hunter2");
        let broken = blocking("reading the list", panics).await.unwrap_err();
        assert_eq!(broken.to_string(), "reading the list ended unexpectedly");
    }

    #[tokio::test]
    async fn what_comes_is_what_went_in() {
        let text: Vec<u8> = (0..3_000_000u32).map(|number| (number % 251) as u8).collect();
        for in_memory in [0, 1000, 10_000_000] {
            let mut spool = Spool::new(Vec::new(), in_memory);
            for chunk in text.chunks(10_007) {
                spool.write(chunk).await.unwrap();
            }
            assert!(spool.finish().await.unwrap() == text, "{in_memory}");
        }
    }
}
