//! The engine on disk: a log-structured merge tree (fjall) in one directory. Not pure.
//!
//! Decides: nothing about content. A commit is written to a journal, flushed to the disk, and only
//! then seen; tables are built from it by the engine's own threads. Two checks are ours: a lock on
//! the directory, and a chain that proves on opening that no batch is missing or out of order
//! (`chain`).
//!
//! Layout of the directory: `lock`, held while the store is open, and `engine-1/`, the engine's
//! files.
//! SOURCE: docs/decisions/0002-embedded-engine.md.

mod chain;
mod open;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use std::{error, io, thread};

use fjall::{Database, Keyspace, PersistMode, Readable};

use crate::{Batch, Error, Operation, Reader, Result, Snapshot, Store, Visit, prefix_end};

/// First byte of every key of the chain.
const CHAIN: u8 = 0;
/// First byte of every key of the caller.
const CALLER: u8 = 1;
/// First byte past the caller's keys.
const PAST_CALLER: u8 = 2;

/// LIMIT: write buffers waiting to become tables before a commit waits for the engine.
const BUFFERS_WAITING_MAX: usize = 1;
/// LIMIT: fresh tables waiting to be merged before a commit waits for the engine.
const TABLES_WAITING_MAX: usize = 20;
/// How long a commit sleeps before it asks again whether the engine has caught up.
const WAIT: Duration = Duration::from_millis(1);

/// A store in one directory, held by one process at a time.
pub struct Embedded {
    shared: Arc<Shared>,
    /// How many batches have been committed; the number of the last one.
    head: u64,
    /// Set when a write failed; nothing more is written until the store is opened again.
    stopped: Option<Stop>,
}

#[derive(Clone, Copy)]
enum Stop {
    Full,
    Broken,
}

struct Shared {
    database: Database,
    keyspace: Keyspace,
    place: PathBuf,
    // INVARIANT: dropped last, so that no other process opens the directory before the engine
    // closed it.
    _lock: File,
}

struct Frozen<'s> {
    snapshot: fjall::Snapshot,
    shared: &'s Shared,
}

impl Embedded {
    /// Opens the store in the directory `place`, or makes an empty one there.
    ///
    /// # Errors
    /// `Busy` when another process or another part of this one holds it, `Corrupt` when its files
    /// are damaged, `Full` or `Io` when the operating system refuses.
    pub fn open(place: &Path) -> Result<Self> {
        let shared = open::open(place)?;
        let head = chain::head(&shared)?;
        Ok(Self { shared: Arc::new(shared), head, stopped: None })
    }

    /// Waits until the engine has room, so that a commit never waits inside the engine itself.
    /// WHY: there it would wait for ever if the engine's threads stopped on a full disk.
    fn wait_for_room(&self) -> std::result::Result<(), fjall::Error> {
        let keyspace = &self.shared.keyspace;
        while keyspace.sealed_memtable_count() > BUFFERS_WAITING_MAX
            || keyspace.l0_table_count() > TABLES_WAITING_MAX
        {
            // Fails once the engine has stopped; flushes nothing otherwise.
            self.shared.database.persist(PersistMode::Buffer)?;
            #[allow(clippy::disallowed_methods, reason = "waits for the engine's own threads")]
            thread::sleep(WAIT);
        }
        Ok(())
    }

    fn write(&self, batch: Batch, number: u64) -> std::result::Result<(), fjall::Error> {
        self.wait_for_room()?;
        let keyspace = &self.shared.keyspace;
        let mut writes = self.shared.database.batch().durability(Some(PersistMode::SyncData));
        chain::link(&mut writes, keyspace, number);
        for (key, operation) in batch.into_operations() {
            let key = inner_key(&key);
            match operation {
                Operation::Put(value) => writes.insert(keyspace, key, value),
                Operation::Delete => writes.remove(keyspace, key),
            }
        }
        writes.commit()
    }

    fn stop(&self, failed: fjall::Error) -> (Stop, Error) {
        let shared = &self.shared;
        if matches!(failed, fjall::Error::Poisoned) {
            // One of the engine's threads failed and kept the cause to itself: find it out again.
            return match open::probe(&shared.place) {
                Err(full @ Error::Full { .. }) => (Stop::Full, full),
                Err(_) | Ok(()) => (Stop::Broken, stopped(&shared.place, Stop::Broken)),
            };
        }
        let error = shared.error("write a batch", &failed);
        let stop = if matches!(error, Error::Full { .. }) { Stop::Full } else { Stop::Broken };
        (stop, error)
    }
}

impl Store for Embedded {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        self.shared.snapshot()
    }

    /// As the trait says; and after `Full`, `Corrupt` or `Io` the store reads but writes no more
    /// until it is opened again. A batch whose own flush failed may then be found whole, never in
    /// part.
    fn commit(&mut self, batch: Batch) -> Result<()> {
        batch.check()?;
        if let Some(stop) = self.stopped {
            return Err(stopped(&self.shared.place, stop));
        }
        if batch.is_empty() {
            return Ok(());
        }
        let number = self.head.saturating_add(1);
        if let Err(failed) = self.write(batch, number) {
            let (stop, error) = self.stop(failed);
            self.stopped = Some(stop);
            return Err(error);
        }
        self.head = number;
        Ok(())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        let shared: Arc<Shared> = Arc::clone(&self.shared);
        shared
    }
}

impl Reader for Shared {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(Frozen { snapshot: self.database.snapshot(), shared: self }))
    }
}

impl Shared {
    fn error(&self, action: &'static str, failed: &fjall::Error) -> Error {
        sort(&self.place, action, failed)
    }
}

impl Frozen<'_> {
    fn range(&self, from: Vec<u8>, to: Vec<u8>) -> Option<fjall::Iter> {
        (from < to).then(|| self.snapshot.range(&self.shared.keyspace, from..to))
    }

    fn walk(&self, found: impl Iterator<Item = fjall::Guard>, visit: &mut Visit<'_>) -> Result<()> {
        for guard in found {
            let (key, value) =
                guard.into_inner().map_err(|failed| self.shared.error("scan", &failed))?;
            let Some((_, key)) = key.split_first() else { continue };
            if !visit(key, &value) {
                break;
            }
        }
        Ok(())
    }
}

impl Snapshot for Frozen<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let found = self
            .snapshot
            .get(&self.shared.keyspace, inner_key(key))
            .map_err(|failed| self.shared.error("read a key", &failed))?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let from = inner_key(start.max(prefix));
        self.range(from, inner_end(prefix)).map_or(Ok(()), |found| self.walk(found, visit))
    }

    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()> {
        let stop = inner_end(prefix);
        let to = end.map_or_else(|| stop.clone(), |end| inner_key(end).min(stop.clone()));
        self.range(inner_key(prefix), to).map_or(Ok(()), |found| self.walk(found.rev(), visit))
    }
}

fn inner_key(key: &[u8]) -> Vec<u8> {
    let mut inner = Vec::with_capacity(key.len().saturating_add(1));
    inner.push(CALLER);
    inner.extend_from_slice(key);
    inner
}

fn inner_end(prefix: &[u8]) -> Vec<u8> {
    prefix_end(prefix).map_or_else(|| vec![PAST_CALLER], |end| inner_key(&end))
}

fn stopped(place: &Path, stop: Stop) -> Error {
    let source = "an earlier write failed; the store writes again once it is opened again";
    match stop {
        Stop::Full => Error::Full {
            place: place.to_path_buf(),
            source: io::Error::new(io::ErrorKind::StorageFull, source),
        },
        Stop::Broken => Error::Io {
            place: place.to_path_buf(),
            action: "write after a failed write",
            source: io::Error::other(source),
        },
    }
}

/// Sorts an error of the engine: what the operating system said wherever it lies in the chain of
/// causes, a lock, and everything else is damage.
fn sort(place: &Path, action: &'static str, failed: &fjall::Error) -> Error {
    let mut cause: Option<&(dyn error::Error + 'static)> = Some(failed);
    while let Some(found) = cause {
        if let Some(said) = found.downcast_ref::<io::Error>() {
            let code = said.raw_os_error().map(io::Error::from_raw_os_error);
            let copy = code.unwrap_or_else(|| io::Error::new(said.kind(), said.to_string()));
            return Error::from_io(place, action, copy);
        }
        cause = found.source();
    }
    let place = place.to_path_buf();
    if matches!(failed, fjall::Error::Locked) {
        return Error::Busy { place };
    }
    Error::Corrupt { place, cause: format!("while trying to {action}: {failed}") }
}
