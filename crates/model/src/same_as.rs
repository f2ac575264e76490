//! Two records about one subject, as a named officer sees it. Pure.
//!
//! WHY: records are never merged: each originator's assertion stays its own, and a link that turns
//! out wrong is taken back without a trace in them.

use crate::ids::RecordId;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A link between two records that an officer holds to be about the same subject.
///
/// INVARIANT: `one` comes before `other`; no record is linked to itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameAs {
    /// The record whose id comes first.
    pub one: RecordId,
    /// The other.
    pub other: RecordId,
    /// Who says so.
    pub officer: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
}

impl SameAs {
    /// The two records in their one order; nothing where they are the same record.
    #[must_use]
    pub fn pair(a: RecordId, b: RecordId) -> Option<(RecordId, RecordId)> {
        match a.cmp(&b) {
            std::cmp::Ordering::Less => Some((a, b)),
            std::cmp::Ordering::Greater => Some((b, a)),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// The record at the other end.
    #[must_use]
    pub fn across(&self, from: &RecordId) -> &RecordId {
        if self.one == *from { &self.other } else { &self.one }
    }
}
