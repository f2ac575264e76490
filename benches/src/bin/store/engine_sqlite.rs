//! SQLite behind the store's trait: one table, write-ahead log, full synchronisation.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use store::{Batch, Error, Operation, Reader, Result, Snapshot, Store, Visit};

/// One SQLite table; every snapshot opens a connection of its own.
pub struct Sqlite {
    connection: Connection,
    file: PathBuf,
}

struct Connections {
    file: PathBuf,
}

struct Frozen {
    connection: Connection,
}

fn failed(cause: impl std::fmt::Display) -> Error {
    Error::Corrupt { place: "sqlite".into(), cause: cause.to_string() }
}

fn connect(file: &Path) -> Result<Connection> {
    let connection = Connection::open(file).map_err(failed)?;
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536; \
             PRAGMA wal_autocheckpoint = 10000;",
        )
        .map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(connection)
}

impl Sqlite {
    /// Opens or creates the database.
    pub fn open(place: &Path) -> Result<Self> {
        std::fs::create_dir_all(place).map_err(failed)?;
        let file = place.join("store.sqlite");
        let connection = connect(&file)?;
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS store (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID",
            )
            .map_err(failed)?;
        Ok(Self { connection, file })
    }
}

impl Reader for Connections {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let connection = connect(&self.file)?;
        connection.execute_batch("BEGIN").map_err(failed)?;
        connection
            .query_row("SELECT 1 FROM store LIMIT 1", [], |_| Ok(()))
            .optional()
            .map_err(failed)?;
        Ok(Box::new(Frozen { connection }))
    }
}

impl Store for Sqlite {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        let connection = connect(&self.file)?;
        connection.execute_batch("BEGIN").map_err(failed)?;
        Ok(Box::new(Frozen { connection }))
    }

    fn commit(&mut self, batch: Batch) -> Result<()> {
        batch.check()?;
        let write = self.connection.transaction().map_err(failed)?;
        for (key, operation) in batch.operations() {
            match operation {
                Operation::Put(value) => write
                    .prepare_cached("INSERT OR REPLACE INTO store VALUES (?1, ?2)")
                    .and_then(|mut put| put.execute(params![key, value])),
                Operation::Delete => write
                    .prepare_cached("DELETE FROM store WHERE k = ?1")
                    .and_then(|mut delete| delete.execute(params![key])),
            }
            .map_err(failed)?;
        }
        write.commit().map_err(failed)
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::new(Connections { file: self.file.clone() })
    }
}

impl Frozen {
    fn walk(&self, sql: &str, bound: &[u8], prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let mut rows = statement.query(params![bound]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let key = row.get_ref(0).map_err(failed)?.as_blob().map_err(failed)?;
            let value = row.get_ref(1).map_err(failed)?.as_blob().map_err(failed)?;
            if !key.starts_with(prefix) || !visit(key, value) {
                break;
            }
        }
        Ok(())
    }
}

impl Snapshot for Frozen {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.connection
            .prepare_cached("SELECT v FROM store WHERE k = ?1")
            .and_then(|mut get| get.query_row(params![key], |row| row.get(0)).optional())
            .map_err(failed)
    }

    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let sql = "SELECT k, v FROM store WHERE k >= ?1 ORDER BY k";
        self.walk(sql, start.max(prefix), prefix, visit)
    }

    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()> {
        let stop = store::prefix_end(prefix);
        let stop = match (end, stop.as_deref()) {
            (Some(end), Some(stop)) => Some(end.min(stop)),
            (end, stop) => end.or(stop),
        };
        match stop {
            Some(stop) => {
                let sql = "SELECT k, v FROM store WHERE k < ?1 ORDER BY k DESC";
                self.walk(sql, stop, prefix, visit)
            }
            None => {
                let sql = "SELECT k, v FROM store WHERE k >= ?1 ORDER BY k DESC";
                self.walk(sql, prefix, prefix, visit)
            }
        }
    }
}
