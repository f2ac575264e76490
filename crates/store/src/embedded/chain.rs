//! The chain: proof on opening that every batch is there, in order. Not pure (reads the store).
//!
//! The engine checks what each batch in its journal contains, but not the number that orders the
//! batches, and it drops the rest of a journal file after a damaged place. So batch n also writes
//! the key n and deletes the key n - 1, below the caller's keys: exactly one such key is ever seen.
//! A lost or displaced batch leaves two. What the chain cannot tell from a batch that was never
//! acknowledged is damage that takes the newest batches and nothing else; what is then found is a
//! prefix of the batches.
//!
//! INVARIANT: an empty store has no chain key; any other has one, the number of its last batch.

use fjall::{Keyspace, OwnedWriteBatch, Readable};

use super::{CALLER, CHAIN, PAST_CALLER, Shared};
use crate::{Error, Result};

fn key(number: u64) -> Vec<u8> {
    let mut key = vec![CHAIN];
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Adds the link of batch `number` to what is about to be written.
pub(super) fn link(writes: &mut OwnedWriteBatch, keyspace: &Keyspace, number: u64) {
    writes.insert(keyspace, key(number), Vec::new());
    if let Some(before) = number.checked_sub(1).filter(|before| *before > 0) {
        writes.remove(keyspace, key(before));
    }
}

/// The number of the last batch, 0 when there is none.
///
/// # Errors
/// `Corrupt` when the chain shows that batches are missing or out of order.
pub(super) fn head(shared: &Shared) -> Result<u64> {
    let damaged =
        |cause: &str| Err(Error::Corrupt { place: shared.place.clone(), cause: cause.to_string() });
    let snapshot = shared.database.snapshot();
    let mut numbers = Vec::new();
    for guard in snapshot.range(&shared.keyspace, vec![CHAIN]..vec![CALLER]).take(2) {
        let found = guard.key().map_err(|failed| shared.error("read its chain", &failed))?;
        let digits = found.split_first().and_then(|(_, digits)| digits.try_into().ok());
        match digits {
            Some(digits) => numbers.push(u64::from_be_bytes(digits)),
            None => return damaged("its chain holds a key that is no number"),
        }
    }
    match numbers.as_slice() {
        [number] => Ok(*number),
        [] => {
            let mut callers = snapshot.range(&shared.keyspace, vec![CALLER]..vec![PAST_CALLER]);
            let empty = callers.next().is_none();
            if empty { Ok(0) } else { damaged("its chain is gone") }
        }
        [first, ..] => damaged(&format!("a batch after batch {first} is missing or out of order")),
    }
}
