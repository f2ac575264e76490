//! fjall behind the store's trait: a log-structured merge tree with a journal.

use std::path::Path;
use std::sync::Arc;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode, Readable};
use store::{Batch, Error, Operation, Reader, Result, Snapshot, Store, Visit};

/// One fjall keyspace.
#[derive(Clone)]
pub struct Fjall {
    database: Database,
    keyspace: Keyspace,
}

struct Frozen {
    snapshot: fjall::Snapshot,
    keyspace: Keyspace,
}

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Corrupt { place: "fjall".into(), cause: cause.to_string() }
}

impl Fjall {
    /// Opens or creates the database.
    pub fn open(place: &Path) -> Result<Self> {
        let database = Database::builder(place).open().map_err(failed)?;
        let keyspace =
            database.keyspace("store", KeyspaceCreateOptions::default).map_err(failed)?;
        Ok(Self { database, keyspace })
    }
}

impl Reader for Fjall {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let snapshot = self.database.snapshot();
        Ok(Box::new(Frozen { snapshot, keyspace: self.keyspace.clone() }))
    }
}

impl Store for Fjall {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Reader::snapshot(self)
    }

    fn commit(&mut self, batch: Batch) -> Result<()> {
        batch.check()?;
        let mut writes = self.database.batch().durability(Some(PersistMode::SyncData));
        for (key, operation) in batch.into_operations() {
            match operation {
                Operation::Put(value) => writes.insert(&self.keyspace, key, value),
                Operation::Delete => writes.remove(&self.keyspace, key),
            }
        }
        writes.commit().map_err(failed)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.clone())
    }
}

impl Snapshot for Frozen {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let found = self.snapshot.get(&self.keyspace, key).map_err(failed)?;
        Ok(found.map(|value| value.to_vec()))
    }

    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        for guard in self.snapshot.range(&self.keyspace, start.max(prefix)..) {
            let (key, value) = guard.into_inner().map_err(failed)?;
            if !key.starts_with(prefix) || !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }

    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()> {
        for guard in self.snapshot.prefix(&self.keyspace, prefix).rev() {
            let (key, value) = guard.into_inner().map_err(failed)?;
            if end.is_some_and(|end| key.as_ref() >= end) {
                continue;
            }
            if !visit(&key, &value) {
                break;
            }
        }
        Ok(())
    }
}
