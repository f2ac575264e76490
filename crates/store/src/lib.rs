//! Keeps ordered bytes; a batch is all or nothing; understands none of it.
//!
//! Decides: what a store promises. One writer commits batches; any number of readers hold
//! snapshots, on any thread, and none waits for another. Engines: [`memory`] and [`embedded`]. Not
//! pure: the embedded engine touches the directory it is handed, and nothing else.
//!
//! INVARIANT: a batch is seen whole or not at all, by readers and after a crash.
//! INVARIANT: a snapshot never changes; it shows exactly the batches committed before it was taken.
//! INVARIANT: keys ascend in byte order, everywhere and in every engine.

mod batch;
#[cfg(feature = "conformance")]
pub mod conformance;
pub mod embedded;
mod error;
pub mod limits;
pub mod memory;

use std::sync::Arc;

pub use batch::{Batch, Operation};
pub use error::{Error, Kind, Limit, Result};

/// The one writer: takes snapshots and commits batches.
pub trait Store: Send {
    /// Freezes the present state; O(1), and later commits do not change it.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;

    /// Writes the whole batch or nothing. Once this returns `Ok` the batch survives a power cut.
    ///
    /// # Errors
    /// `Limit` when the batch breaks a limit, `Full` when the disk is full, `Corrupt` or `Io`
    /// otherwise; after any of them no part of the batch is seen.
    fn commit(&mut self, batch: Batch) -> Result<()>;

    /// A handle other threads may keep to take snapshots of their own while this writer commits.
    fn reader(&self) -> Arc<dyn Reader>;
}

/// Takes snapshots from any thread; keeps the store open for as long as it lives.
pub trait Reader: Send + Sync {
    /// Freezes the present state; O(1), and later commits do not change it.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>>;
}

/// What a scan hands each key and value to; it returns `false` to stop the scan.
pub type Visit<'v> = dyn FnMut(&[u8], &[u8]) -> bool + 'v;

/// A frozen view of the store.
pub trait Snapshot: Send {
    /// The value under `key`, or `None`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>>;

    /// Visits the keys that begin with `prefix` and are at or after `start`, in ascending byte
    /// order, until `visit` returns `false`. Reaching `start` costs O(log n).
    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()>;

    /// Visits the keys that begin with `prefix` and are strictly before `end` (`None`: no end), in
    /// descending byte order, until `visit` returns `false`. Reaching `end` costs O(log n).
    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()>;

    /// Visits the keys that begin with `prefix` in ascending byte order until `visit` returns
    /// `false`.
    fn scan(&self, prefix: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.scan_from(prefix, prefix, visit)
    }

    /// The greatest key that begins with `prefix`, and its value.
    fn last(&self, prefix: &[u8]) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
        let mut found = None;
        self.scan_back(prefix, None, &mut |key, value| {
            found = Some((key.to_vec(), value.to_vec()));
            false
        })?;
        Ok(found)
    }
}

/// The least key that is greater than every key beginning with `prefix`; `None` when there is none
/// (the empty prefix, or one of 0xff bytes only).
pub fn prefix_end(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if let Some(next) = last.checked_add(1) {
            end.push(next);
            return Some(end);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::prefix_end;

    #[test]
    fn prefix_end_steps_over_0xff() {
        assert_eq!(prefix_end(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(prefix_end(&[1, 0xff]), Some(vec![2]));
        assert_eq!(prefix_end(&[0xff, 0xff]), None);
        assert_eq!(prefix_end(b""), None);
    }
}
