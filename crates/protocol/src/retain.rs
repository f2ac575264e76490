//! The clock: what has reached the end of its retention is deleted and logged. Pure.

use crate::denial::Denial;
use crate::effects::{Change, Effects, Reply};
use crate::facts::Facts;
use model::custody::{Deletion, Tombstone};
use model::entry::{Draft, EntryKind};
use model::time::Timestamp;

/// Deletes everything due at `now`, one entry a record.
pub(crate) fn tick<F: Facts>(facts: &F, now: Timestamp) -> Result<Effects<F::Body>, Denial> {
    let mut effects = Effects::default();
    let mut gone = Vec::new();
    for custody in facts.due(now)? {
        let tombstone = Tombstone {
            id: custody.id.clone(),
            originator: custody.originator.clone(),
            cause: Deletion::Expired,
            at: now,
            giver: None,
        };
        let mut entry = Draft::new(EntryKind::Expiry, 1).seal("record", &custody.id);
        entry.partner = Some(custody.originator.clone());
        effects.entries.push(entry);
        gone.push(custody.id.clone());
        effects.changes.push(Change::Delete { custody: Box::new(custody), tombstone });
    }
    for (partner, status) in facts.statuses_due(now)? {
        effects.changes.push(Change::DropStatus { partner, status });
    }
    effects.reply = Reply::Expired(gone);
    Ok(effects)
}
