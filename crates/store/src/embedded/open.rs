//! Opening: the lock, a first start that a crash cannot leave half done, and recovery. Not pure.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions};

use super::{Shared, sort};
use crate::{Error, Result};

const LOCK: &str = "lock";
const ENGINE: &str = "engine-1";
const UNFINISHED: &str = "engine-unfinished";
const PROBE: &str = "probe";
const KEYSPACE: &str = "store";

/// LIMIT: the cache of blocks read from disk.
const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// LIMIT: one write buffer; a few of them wait at most. Small: memory stays flat and opening is
/// quick.
const BUFFER_BYTES: u64 = 24 * 1024 * 1024;
/// Values from this size lie apart from the keys, so that merging tables does not copy them again.
const VALUE_APART_BYTES: u32 = 512;
/// The engine's own threads. WHY one: with two, one of them spins for as long as the other merges
/// tables (it takes each request to merge and puts it back), a tenth of all work while importing.
const ENGINE_THREADS: usize = 1;
/// What is written to find out whether the disk is full: one write buffer, in this many pieces.
const PROBE_PIECES: usize = 16;
const PROBE_PIECE_BYTES: usize = 1024 * 1024;

/// Opens the directory `place`; makes the store there when there is none.
pub(super) fn open(place: &Path) -> Result<Shared> {
    fs::create_dir_all(place).map_err(|said| Error::from_io(place, "make its directory", said))?;
    let lock = hold(place)?;
    let engine = place.join(ENGINE);
    let present = engine
        .try_exists()
        .map_err(|said| Error::from_io(place, "look into its directory", said))?;
    if !present {
        create(place, &engine)?;
    }
    let (database, keyspace) = engine_open(place, &engine)?;
    Ok(Shared { database, keyspace, place: place.to_path_buf(), _lock: lock })
}

fn hold(place: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    let lock = options
        .create(true)
        .truncate(false)
        .write(true)
        .open(place.join(LOCK))
        .map_err(|said| Error::from_io(place, "open its lock", said))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { place: place.to_path_buf() }),
        Err(TryLockError::Error(said)) => Err(Error::from_io(place, "lock itself", said)),
    }
}

/// Makes an empty engine beside the place where it belongs and moves it there in one step.
/// WHY: the engine cannot open what is left when its own first start is cut short.
fn create(place: &Path, engine: &Path) -> Result<()> {
    let unfinished = place.join(UNFINISHED);
    let failed = |said| Error::from_io(place, "make itself", said);
    if unfinished.try_exists().map_err(failed)? {
        fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    let (database, keyspace) = engine_open(place, &unfinished)?;
    drop(keyspace);
    drop(database);
    fs::rename(&unfinished, engine).map_err(failed)?;
    let mut options = OpenOptions::new();
    let directory = options.read(true).open(place).map_err(failed)?;
    directory.sync_all().map_err(failed)
}

fn engine_open(place: &Path, engine: &Path) -> Result<(Database, Keyspace)> {
    // WHY: damaged files make the engine's assertions fire; that is damage, not a fault of the
    // caller.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = Database::builder(engine)
            .cache_size(CACHE_BYTES)
            .worker_threads(ENGINE_THREADS)
            .open()?;
        let keyspace = database.keyspace(KEYSPACE, keyspace_options)?;
        Ok((database, keyspace))
    }));
    match opened {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(failed)) => Err(sort(place, "open", &failed)),
        Err(_) => Err(Error::Corrupt {
            place: place.to_path_buf(),
            cause: "the engine could not make sense of its files".to_string(),
        }),
    }
}

fn keyspace_options() -> KeyspaceCreateOptions {
    let apart = KvSeparationOptions::default().separation_threshold(VALUE_APART_BYTES);
    KeyspaceCreateOptions::default().max_memtable_size(BUFFER_BYTES).with_kv_separation(Some(apart))
}

/// Writes and removes a small file, to learn whether the disk is full.
pub(super) fn probe(place: &Path) -> Result<()> {
    let file = place.join(PROBE);
    let written = write_probe(&file);
    let removed = fs::remove_file(&file);
    written.and(removed).map_err(|said| Error::from_io(place, "write a probe", said))
}

fn write_probe(file: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    let mut probe = options.create(true).truncate(true).write(true).open(file)?;
    let piece = vec![0; PROBE_PIECE_BYTES];
    for _ in 0..PROBE_PIECES {
        probe.write_all(&piece)?;
    }
    probe.sync_all()
}
