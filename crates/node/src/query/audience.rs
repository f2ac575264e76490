//! What one recipient may have of everything held: counted whole, named as far as asked. Reads
//! only; what is told passed the gate's own decision.

use super::{custodies, would_share};
use crate::error::NodeError;
use crate::facts::Facts;
use crate::view::Effort;
use model::decision::Outcome;
use model::ids::RecordId;
use model::request::StandingOrder;
use model::time::Timestamp;
use protocol::Shared;
use serde::Serialize;

/// Records decided on from the store in one go.
const BATCH: usize = 512;

/// Outcomes, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Records that go whole.
    pub released: u64,
    /// Records of which a part goes.
    pub redacted: u64,
    /// Records of which only a hit is told.
    pub hit_only: u64,
    /// Records of which nothing goes.
    pub refused: u64,
}

impl Tally {
    /// Counts one more outcome.
    pub fn count(&mut self, outcome: Outcome) {
        let place = match outcome {
            Outcome::Release => &mut self.released,
            Outcome::Redact => &mut self.redacted,
            Outcome::HitOnly => &mut self.hit_only,
            Outcome::Refuse => &mut self.refused,
        };
        *place = place.saturating_add(1);
    }

    /// Everything decided on.
    #[must_use]
    pub fn total(&self) -> u64 {
        let parts = [self.redacted, self.hit_only, self.refused];
        parts.into_iter().fold(self.released, u64::saturating_add)
    }
}

/// What a recipient may have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Everything held, by outcome.
    pub tally: Tally,
    /// The first of what is not refused, by id.
    pub named: Vec<Shared>,
}

impl Audience {
    /// Counts an outcome and names the record, while fewer than the limit are named.
    pub(crate) fn add(
        &mut self,
        (outcome, limit): (Outcome, usize),
        name: impl FnOnce() -> Option<Shared>,
    ) {
        self.tally.count(outcome);
        if outcome != Outcome::Refuse && self.named.len() < limit {
            self.named.extend(name());
        }
    }
}

/// What a recipient may have of everything held; `limit` records are named. Cost: with the node's
/// view, one verdict a shape and a look-up a record; else one decision a record. Memory: what is
/// named.
///
/// LIMIT: from the view, whether the content can be cut is not tried; it is at release.
///
/// # Errors
/// The store failed.
pub fn audience(
    facts: &Facts<'_>,
    order: &StandingOrder,
    (limit, now): (usize, Timestamp),
) -> Result<Audience, NodeError> {
    if let Some(view) = &facts.view
        && let Some(state) = view.at(facts, Effort::Whole)?
    {
        return crate::view::audience(facts, &state, order, (limit, now));
    }
    let (mut out, mut batch) = (Audience::default(), Vec::with_capacity(BATCH));
    let mut failure = None;
    custodies(facts.snapshot, &mut |custody| {
        if batch.last() == Some(&custody.id) {
            return true;
        }
        if batch.len() >= BATCH {
            failure = decide(facts, order, (limit, now), (&mut batch, &mut out)).err();
        }
        batch.push(custody.id);
        failure.is_none()
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    decide(facts, order, (limit, now), (&mut batch, &mut out))?;
    Ok(out)
}

/// Decides on a batch from the store, with everything the gate looks at, and empties it.
fn decide(
    facts: &Facts<'_>,
    order: &StandingOrder,
    (limit, now): (usize, Timestamp),
    (batch, out): (&mut Vec<RecordId>, &mut Audience),
) -> Result<(), NodeError> {
    for shared in would_share(facts, batch, order, now)? {
        out.add((shared.outcome, limit), || Some(shared));
    }
    batch.clear();
    Ok(())
}
