//! What an officer takes out as a file: which records, in portions, and the own copy of each.
//!
//! For a partner the event `HandOver` decides and logs; the own copy passes the gate of the
//! officer's screen. Memory: one portion.

use crate::Body;
use crate::error::NodeError;
use crate::facts::{self, Facts};
use crate::query::custodies_after;
use crate::tables::{self, Table};
use model::custody::{Custody, Deletion};
use model::ids::RecordId;
use model::time::Timestamp;
use protocol::{Held, Released, officer_view_held};
use store::Snapshot;

/// LIMIT: records in one portion.
pub const PORTION_MAX: usize = 500;
/// LIMIT: bytes of content after which a portion of own copies takes no further record.
pub const PORTION_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A part of the records held, in the order of their identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portion {
    /// The records.
    pub records: Vec<RecordId>,
    /// Whether records follow the last of these.
    pub more: bool,
}

/// The next records after one, at most [`PORTION_MAX`]; of one type, where it is named.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn portion(
    snapshot: &dyn Snapshot,
    kind: Option<&str>,
    after: Option<&RecordId>,
) -> Result<Portion, NodeError> {
    let mut portion = Portion { records: Vec::new(), more: false };
    custodies_after(snapshot, after, &mut |custody| {
        let wanted = kind.is_none_or(|kind| kind == custody.kind);
        if !wanted || portion.records.last() == Some(&custody.id) {
            return true;
        }
        if portion.records.len() == PORTION_MAX {
            portion.more = true;
            return false;
        }
        portion.records.push(custody.id);
        true
    })?;
    Ok(portion)
}

/// An own copy of some records.
#[derive(Debug, Default)]
pub struct OwnCopies {
    /// What the gate lets through of what each originator asserts.
    pub copies: Vec<Released<Body>>,
    /// Records the gate does not show this officer, and why.
    pub withheld: Vec<(RecordId, String)>,
    /// Records that only this agency asserts.
    pub ours: Vec<RecordId>,
    /// How many of the records were looked at; the others come with the next portion.
    pub looked_at: usize,
}

fn is_recalled(facts: &Facts<'_>, id: &RecordId) -> Result<bool, NodeError> {
    let stone = protocol::Facts::tombstone(facts, id, facts.own);
    let stone = stone.map_err(|fault| NodeError::damaged("tombstone", fault))?;
    Ok(stone.is_some_and(|stone| stone.cause == Deletion::Recalled))
}

/// Which versions of an assertion an own copy holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// The newest one.
    Newest,
    /// Every version held, such as the STIX 2.0 original of an upgraded object.
    Every,
}

fn versions(
    facts: &Facts<'_>,
    id: &RecordId,
    copies: Copies,
) -> Result<Vec<(Custody, Body)>, NodeError> {
    if copies == Copies::Newest {
        return facts.assertions(id);
    }
    let (mut all, mut failure) = (Vec::new(), None);
    let rows = tables::prefix(Table::Holding, &[id.as_str().as_bytes()]);
    facts.snapshot.scan(&rows, &mut |_, bytes| {
        match facts::opened(bytes) {
            Ok(version) => all.push(version),
            Err(error) => failure = Some(error),
        }
        failure.is_none()
    })?;
    failure.map_or(Ok(all), Err)
}

/// Own copies of these records, as far as [`PORTION_BYTES_MAX`] allows, at least of one.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn own_copies(
    facts: &Facts<'_>,
    (records, copies): (&[RecordId], Copies),
    now: Timestamp,
) -> Result<OwnCopies, NodeError> {
    let (mut out, mut size_bytes) = (OwnCopies::default(), 0_usize);
    for id in records {
        if size_bytes >= PORTION_BYTES_MAX {
            break;
        }
        let versions = versions(facts, id, copies)?;
        if versions.iter().all(|(custody, _)| custody.originator == *facts.own) {
            out.ours.push(id.clone());
        }
        for (custody, body) in versions {
            size_bytes = size_bytes.saturating_add(body.raw().len());
            let mut record = facts.view(&custody, &body)?;
            if custody.originator == *facts.own && record.stops.recalled {
                // WHY: an object this agency itself revoked says so in its bytes and is its own to
                // keep; what it recalled stays where it is.
                record.stops.recalled = is_recalled(facts, id)?;
            }
            match officer_view_held(facts, Held { record, custody, body }, now) {
                Ok(seen) => out.copies.push(seen.released),
                Err(denial) if denial.party == protocol::Party::Officer => {
                    out.withheld.push((id.clone(), denial.to_string()));
                }
                Err(denial) => return Err(denial.into()),
            }
        }
        out.looked_at = out.looked_at.saturating_add(1);
    }
    Ok(out)
}
