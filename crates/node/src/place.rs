//! Rows of collections that partners write, of postings' statuses and of appraisals.

use crate::Body;
use crate::apply::{Applier, referrer_key};
use crate::error::NodeError;
use crate::listing::{Entry, Listing};
use crate::tables::{self, Table, key, pair, placed_in, placed_key, prefix, put};
use model::custody::Custody;
use model::ids::{AgencyId, RecordId, StatusId};
use model::posting::{Collection, Placed, PostStatus};
use model::request::Grounds;
use model::time::Timestamp;
use protocol::PostingChange;
use store::Snapshot;
use wire::stix::SpecVersion;

impl Applier<'_> {
    /// Writes a change that a posting or a takedown wants.
    pub(crate) fn posting(&mut self, change: PostingChange) -> Result<(), NodeError> {
        match change {
            PostingChange::Place(collection, placed) => self.place(&collection, placed),
            PostingChange::Displace(collection, placed) => {
                self.displace(&collection, &placed);
                Ok(())
            }
            PostingChange::DropVersion { custody, newest } => self.drop_version(&custody, &newest),
            PostingChange::Status { partner, status } => {
                let end = tables::status_end_key(status.until, &partner, &status.id);
                put(self.batch, end, "status", &(&partner, &status.id))?;
                put(self.batch, tables::status_key(&partner, &status.id), "status", &status)
            }
            PostingChange::DropStatus { partner, status } => self.drop_status(&partner, &status),
            PostingChange::Appraise { partner, appraisal } => {
                let row = key(Table::Appraisal, &[partner.as_str().as_bytes()]);
                put(self.batch, row, "appraisal", &appraisal)
            }
        }
    }

    fn place(&mut self, collection: &Collection, mut placed: Placed) -> Result<(), NodeError> {
        self.next_instant()?;
        placed.added_at = self.added_at;
        let bytes = serde_json::to_vec(&placed).map_err(|e| NodeError::damaged("collection", e))?;
        self.batch.put(placed_key(collection, &placed), bytes);
        self.touched.insert(placed.record.clone());
        Listing::of(collection).add(self.batch, &entry(&placed))
    }

    fn displace(&mut self, collection: &Collection, placed: &Placed) {
        self.touched.insert(placed.record.clone());
        Listing::of(collection).remove(self.batch, &entry(placed));
        self.batch.delete(placed_key(collection, placed));
    }

    /// Takes every version of an assertion out of every collection.
    pub(crate) fn displace_all(&mut self, custody: &Custody) -> Result<(), NodeError> {
        for (at, placed) in placements(self.snapshot, &custody.id, &custody.originator)? {
            self.displace(&at, &placed);
        }
        Ok(())
    }

    fn drop_version(&mut self, custody: &Custody, newest: &str) -> Result<(), NodeError> {
        let row = tables::holding_key(custody);
        let Some(bytes) = self.snapshot.get(&row)? else { return Ok(()) };
        let (_, content) = tables::unpack(&bytes)?;
        let body = Body::parse(content).map_err(|e| NodeError::damaged("holding", e))?;
        for target in body.references() {
            self.batch.delete(referrer_key(target.as_bytes(), custody));
        }
        self.batch.delete(row);
        self.batch.put(pair(Table::Newest, &custody.id, &custody.originator), newest.as_bytes());
        self.refer_again(custody)
    }

    /// References of the versions that stay: they share their index rows with the one that went.
    fn refer_again(&mut self, gone: &Custody) -> Result<(), NodeError> {
        let parts = [gone.id.as_str(), gone.originator.as_str()].map(str::as_bytes);
        let mut rows = Vec::new();
        self.snapshot.scan(&prefix(Table::Holding, &parts), &mut |row, bytes| {
            rows.push((row.to_vec(), bytes.to_vec()));
            true
        })?;
        for (row, bytes) in rows {
            if self.batch.operation(&row) == Some(&store::Operation::Delete) {
                continue;
            }
            let (custody, content) = tables::unpack(&bytes)?;
            let body = Body::parse(content).map_err(|e| NodeError::damaged("holding", e))?;
            for target in body.references() {
                self.batch.put(referrer_key(target.as_bytes(), &custody), Vec::new());
            }
        }
        Ok(())
    }

    fn drop_status(&mut self, partner: &AgencyId, id: &StatusId) -> Result<(), NodeError> {
        let row = tables::status_key(partner, id);
        if let Some(status) = tables::read::<PostStatus>(self.snapshot, &row, "status")? {
            self.batch.delete(tables::status_end_key(status.until, partner, id));
        }
        self.batch.delete(row);
        Ok(())
    }
}

/// The row of a version in its collection; its poster's permission is the order it goes under.
fn entry(placed: &Placed) -> Entry {
    let older = placed.spec == crate::pages::spec_name(SpecVersion::V20);
    Entry {
        added_at: placed.added_at,
        record: placed.record.clone(),
        originator: placed.partner.clone(),
        version: placed.version.clone(),
        spec: if older { SpecVersion::V20 } else { SpecVersion::V21 },
        purpose: String::new(),
        grounds: Grounds::default(),
    }
}

/// Whether anything stands in a collection that partners write.
pub(crate) fn any(snapshot: &dyn Snapshot) -> Result<bool, NodeError> {
    let mut any = false;
    snapshot.scan(&key(Table::Placed, &[]), &mut |_, _| {
        any = true;
        false
    })?;
    Ok(any)
}

/// Where versions of an assertion stand.
pub(crate) fn placements(
    snapshot: &dyn Snapshot,
    id: &RecordId,
    originator: &AgencyId,
) -> Result<Vec<(Collection, Placed)>, NodeError> {
    let parts = [id.as_str(), originator.as_str()].map(str::as_bytes);
    let rows = &prefix(Table::Placed, &parts);
    let (mut out, mut failure) = (Vec::new(), None);
    snapshot.scan(rows, &mut |row, bytes| {
        match (placed_in(row), tables::parse::<Placed>(bytes, "collection")) {
            (Some(collection), Ok(placed)) => out.push((collection, placed)),
            (None, Ok(_)) => failure = Some(NodeError::damaged("collection", "a key is cut off")),
            (_, Err(error)) => failure = Some(error),
        }
        failure.is_none()
    })?;
    failure.map_or(Ok(out), Err)
}

/// The custodies of held versions under a prefix.
pub(crate) fn custodies(snapshot: &dyn Snapshot, rows: &[u8]) -> Result<Vec<Custody>, NodeError> {
    let (mut out, mut failure) = (Vec::new(), None);
    snapshot.scan(rows, &mut |_, bytes| {
        match tables::unpack(bytes) {
            Ok((custody, _)) => out.push(custody),
            Err(error) => failure = Some(error),
        }
        failure.is_none()
    })?;
    failure.map_or(Ok(out), Err)
}

/// LIMIT: statuses dropped at one tick; the rest goes at the next.
const STATUSES_MAX: usize = 10_000;

/// Status resources whose end has passed.
pub(crate) fn statuses_due(
    snapshot: &dyn Snapshot,
    now: Timestamp,
) -> Result<Vec<(AgencyId, StatusId)>, NodeError> {
    let end = tables::instant(now);
    let (mut out, mut failure) = (Vec::new(), None);
    snapshot.scan(&key(Table::StatusEnd, &[]), &mut |row, bytes| {
        if row.get(1..9).is_none_or(|at| *at >= end[..]) {
            return false;
        }
        match tables::parse(bytes, "status") {
            Ok(found) => out.push(found),
            Err(error) => failure = Some(error),
        }
        failure.is_none() && out.len() < STATUSES_MAX
    })?;
    failure.map_or(Ok(out), Err)
}
