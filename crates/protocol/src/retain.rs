//! The clock: what has reached the end of its retention is deleted and logged, and notices that
//! are owed go out once they can. Pure.

use crate::change::{PostingChange, RecordChange};
use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use crate::notice;
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
        effects.change(RecordChange::Delete { custody: Box::new(custody), tombstone });
    }
    for (partner, status) in facts.statuses_due(now)? {
        effects.change(PostingChange::DropStatus { partner, status });
    }
    notice::settle(facts, &mut effects)?;
    effects.reply = Reply::Expired(gone);
    Ok(effects)
}
