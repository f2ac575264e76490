//! A batch: the puts and deletes that happen together. Pure.
//!
//! INVARIANT: a batch holds one operation a key, the last one given, in ascending key order.

use std::collections::BTreeMap;

use crate::error::{Error, Limit, Result};
use crate::limits;

/// What a batch does with one key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Operation {
    /// Write this value, over any there was.
    Put(Vec<u8>),
    /// Remove the key; nothing happens when it is absent.
    Delete,
}

impl Operation {
    fn size_bytes(&self) -> usize {
        match self {
            Self::Put(value) => value.len(),
            Self::Delete => 0,
        }
    }
}

/// Puts and deletes that are committed together or not at all. A later operation on a key replaces
/// an earlier one; limits are checked on commit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Batch {
    operations: BTreeMap<Vec<u8>, Operation>,
    size_bytes: usize,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes `value` under `key` when committed.
    pub fn put(&mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.set(key.into(), Operation::Put(value.into()));
    }

    /// Removes `key` when committed.
    pub fn delete(&mut self, key: impl Into<Vec<u8>>) {
        self.set(key.into(), Operation::Delete);
    }

    /// Takes over the operations of `later`, which win where both name a key.
    pub fn append(&mut self, later: Batch) {
        for (key, operation) in later.operations {
            self.set(key, operation);
        }
    }

    /// What the batch does with `key`, if anything.
    pub fn operation(&self, key: &[u8]) -> Option<&Operation> {
        self.operations.get(key)
    }

    /// The operations in ascending key order.
    pub fn operations(&self) -> impl Iterator<Item = (&[u8], &Operation)> {
        self.operations.iter().map(|(key, operation)| (key.as_slice(), operation))
    }

    /// How many keys the batch touches.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether the batch touches no key.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Keys and values together, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.size_bytes
    }

    /// Checks the batch against [`limits`](crate::limits); every engine asks this before it writes.
    ///
    /// # Errors
    /// `Limit` names the limit that is broken.
    pub fn check(&self) -> Result<()> {
        within(Limit::BatchOperations, self.len(), limits::BATCH_OPERATIONS_MAX)?;
        within(Limit::BatchBytes, self.size_bytes, limits::BATCH_BYTES_MAX)?;
        for (key, operation) in &self.operations {
            if key.is_empty() {
                return Err(Error::Limit { limit: Limit::KeyEmpty, max: 1, found: 0 });
            }
            within(Limit::KeyBytes, key.len(), limits::KEY_BYTES_MAX)?;
            within(Limit::ValueBytes, operation.size_bytes(), limits::VALUE_BYTES_MAX)?;
        }
        Ok(())
    }

    /// Gives the operations away in ascending key order.
    pub fn into_operations(self) -> impl Iterator<Item = (Vec<u8>, Operation)> {
        self.operations.into_iter()
    }

    fn set(&mut self, key: Vec<u8>, operation: Operation) {
        let key_bytes = key.len();
        let added = key_bytes.saturating_add(operation.size_bytes());
        let replaced = self.operations.insert(key, operation);
        let removed = replaced.map_or(0, |old| key_bytes.saturating_add(old.size_bytes()));
        self.size_bytes = self.size_bytes.saturating_add(added).saturating_sub(removed);
    }
}

fn within(limit: Limit, found: usize, max: usize) -> Result<()> {
    if found > max { Err(Error::Limit { limit, max, found }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_operation_on_a_key_wins_and_the_size_follows() {
        let mut batch = Batch::new();
        batch.put("b", "12345");
        batch.put("a", "1");
        batch.put("b", "12");
        batch.delete("a");
        assert_eq!(batch.len(), 2);
        assert_eq!(batch.size_bytes(), 4);
        let order: Vec<_> = batch.operations().map(|(key, _)| key.to_vec()).collect();
        assert_eq!(order, [b"a".to_vec(), b"b".to_vec()]);
        let mut later = Batch::new();
        later.delete("b");
        batch.append(later);
        assert_eq!(batch.operation(b"b"), Some(&Operation::Delete));
        assert_eq!(batch.size_bytes(), 2);
    }
}
