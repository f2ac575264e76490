//! The engine that forgets: an ordered map in memory, for tests and the simulator. Pure.
//!
//! A snapshot shares the map (O(1)); a commit changes the map in place when no snapshot holds it,
//! and otherwise changes a copy.
//! WHY: a persistent map would make a commit under a held snapshot cheap too, at the price of a
//! dependency and slower reads; a node takes its snapshot, decides, drops it and then commits.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Batch, Operation, Reader, Result, Snapshot, Store, Visit, prefix_end};

type Map = BTreeMap<Vec<u8>, Arc<[u8]>>;

/// A store in memory; its content ends with it and its readers.
#[derive(Debug, Default)]
pub struct Memory {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    map: Mutex<Arc<Map>>,
}

struct Frozen {
    map: Arc<Map>,
}

impl Memory {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Arc<Map>> {
        // WHY: nothing between lock and unlock can stop half-way with the map changed in part:
        // `commit` checks the batch first, and inserting or removing a key does not fail.
        self.map.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn freeze(&self) -> Frozen {
        Frozen { map: Arc::clone(&self.lock()) }
    }
}

impl Reader for Shared {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(self.freeze()))
    }
}

impl Store for Memory {
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>> {
        Ok(Box::new(self.shared.freeze()))
    }

    fn commit(&mut self, batch: Batch) -> Result<()> {
        batch.check()?;
        let mut shared = self.shared.lock();
        let map = Arc::make_mut(&mut shared);
        for (key, operation) in batch.into_operations() {
            match operation {
                Operation::Put(value) => map.insert(key, value.into()),
                Operation::Delete => map.remove(&key),
            };
        }
        Ok(())
    }

    fn reader(&self) -> Arc<dyn Reader> {
        let shared: Arc<Shared> = Arc::clone(&self.shared);
        shared
    }
}

impl Snapshot for Frozen {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.map.get(key).map(|value| value.to_vec()))
    }

    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        let from = Bound::Included(start.max(prefix));
        for (key, value) in self.map.range::<[u8], _>((from, Bound::Unbounded)) {
            if !key.starts_with(prefix) || !visit(key, value) {
                break;
            }
        }
        Ok(())
    }

    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()> {
        let stop = prefix_end(prefix);
        let to = match (end, stop.as_deref()) {
            (Some(end), Some(stop)) => Bound::Excluded(end.min(stop)),
            (Some(end), None) => Bound::Excluded(end),
            (None, Some(stop)) => Bound::Excluded(stop),
            (None, None) => Bound::Unbounded,
        };
        for (key, value) in self.map.range::<[u8], _>((Bound::Unbounded, to)).rev() {
            if !key.starts_with(prefix) || !visit(key, value) {
                break;
            }
        }
        Ok(())
    }
}
