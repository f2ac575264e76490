//! redb behind the store's trait: a copy-on-write B-tree in one file.

use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadOnlyTable, ReadableDatabase, TableDefinition};
use store::{Batch, Error, Operation, Reader, Result, Snapshot, Store, Visit, prefix_end};

const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("store");

/// One redb table.
#[derive(Clone)]
pub struct Redb {
    database: Arc<Database>,
}

struct Frozen {
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Corrupt { place: "redb".into(), cause: cause.to_string() }
}

impl Redb {
    /// Opens or creates the database.
    pub fn open(place: &Path) -> Result<Self> {
        let mut builder = Database::builder();
        builder.set_cache_size(64 * 1024 * 1024);
        std::fs::create_dir_all(place).map_err(failed)?;
        let database = builder.create(place.join("store.redb")).map_err(failed)?;
        let write = database.begin_write().map_err(failed)?;
        write.open_table(TABLE).map_err(failed)?;
        write.commit().map_err(failed)?;
        Ok(Self { database: Arc::new(database) })
    }
}

impl Reader for Redb {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let read = self.database.begin_read().map_err(failed)?;
        Ok(Box::new(Frozen { table: read.open_table(TABLE).map_err(failed)? }))
    }
}

impl Store for Redb {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Reader::snapshot(self)
    }

    fn commit(&mut self, batch: Batch) -> Result<()> {
        batch.check()?;
        let mut write = self.database.begin_write().map_err(failed)?;
        write.set_quick_repair(true);
        {
            let mut table = write.open_table(TABLE).map_err(failed)?;
            for (key, operation) in batch.operations() {
                match operation {
                    Operation::Put(value) => {
                        table.insert(key, value.as_slice()).map_err(failed)?;
                    }
                    Operation::Delete => {
                        table.remove(key).map_err(failed)?;
                    }
                }
            }
        }
        write.commit().map_err(failed)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(self.clone())
    }
}

impl Snapshot for Frozen {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let found = self.table.get(key).map_err(failed)?;
        Ok(found.map(|value| value.value().to_vec()))
    }

    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        for found in self.table.range::<&[u8]>(start.max(prefix)..).map_err(failed)? {
            let (key, value) = found.map_err(failed)?;
            if !key.value().starts_with(prefix) || !visit(key.value(), value.value()) {
                break;
            }
        }
        Ok(())
    }

    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()> {
        let stop = prefix_end(prefix);
        let stop = match (end, stop.as_deref()) {
            (Some(end), Some(stop)) => Some(end.min(stop)),
            (end, stop) => end.or(stop),
        };
        let range = match stop {
            Some(stop) => self.table.range::<&[u8]>(..stop),
            None => self.table.range::<&[u8]>(..),
        };
        for found in range.map_err(failed)?.rev() {
            let (key, value) = found.map_err(failed)?;
            if !key.value().starts_with(prefix) || !visit(key.value(), value.value()) {
                break;
            }
        }
        Ok(())
    }
}
