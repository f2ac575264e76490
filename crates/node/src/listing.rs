//! Collections as rows: what is listed, in which order, and where a record stands in the list.
//!
//! A collection is a name of whole parts (a partner's is its agency). Each row names a record and
//! the order it was offered under; the content stays where it is held. An index row leads from a
//! record to its places, so that no look-up reads the list. Reading through the gate:
//! [`crate::pages`].
//!
//! INVARIANT: row and index row are written and deleted in one batch.
//! INVARIANT: within one collection `added_at` is unique and grows with every row added.

use crate::error::NodeError;
use crate::tables::{self, Table, prefix};
use model::ids::{AgencyId, RecordId};
use model::posting::Collection;
use model::request::Grounds;
use model::time::Timestamp;
use store::{Batch, Snapshot};
use wire::stix::SpecVersion;

/// The form of the rows written now.
const FORM: u8 = 1;
const FLAG_V20: u8 = 1;
const FLAG_DATED: u8 = 2;
/// LIMIT: places of one record in one collection that are looked at: purposes, versions.
pub const PLACES_MAX: usize = 1_000;

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// The record as it is held when it is read: its newest version.
    Newest,
    /// Exactly the version the row names, of exactly its originator.
    Version,
}

/// One collection: where its rows and its index begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    rows: Vec<u8>,
    index: Vec<u8>,
    holds: Holds,
    posted: Option<Collection>,
}

impl Listing {
    /// The collection of this name. Parts are whole identifiers; none contains a zero byte.
    #[must_use]
    pub fn named(parts: &[&str], holds: Holds) -> Self {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
        let (rows, index) = (prefix(Table::Collection, &parts), prefix(Table::Listed, &parts));
        Self { rows, index, holds, posted: None }
    }

    /// What was released to a partner.
    #[must_use]
    pub fn of_partner(partner: &AgencyId) -> Self {
        Self::named(&[partner.as_str()], Holds::Newest)
    }

    /// A collection as partners' clients see it.
    #[must_use]
    pub fn of(collection: &Collection) -> Self {
        // INVARIANT: no agency begins with a slash, so that no name is another's beginning.
        let parts = match collection {
            Collection::Outbox(partner) => return Self::of_partner(partner),
            Collection::Inbox(partner) => ["/inbox", partner.as_str()],
            Collection::Community(agreement) => ["/community", agreement.as_str()],
        };
        let posted = Some(collection.clone());
        Self { posted, ..Self::named(&parts, Holds::Version) }
    }

    /// The collection, where partners write it.
    #[must_use]
    pub fn posted(&self) -> Option<&Collection> {
        self.posted.as_ref()
    }

    /// What its rows stand for.
    #[must_use]
    pub fn holds(&self) -> Holds {
        self.holds
    }

    /// The prefix of its rows.
    #[must_use]
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }

    /// The row added at this instant.
    #[must_use]
    pub fn row(&self, at: Timestamp) -> Vec<u8> {
        [&self.rows[..], &tables::instant(at)].concat()
    }

    /// The first row after this instant, or of all.
    #[must_use]
    pub fn start(&self, after: Option<Timestamp>) -> Vec<u8> {
        let Some(at) = after else { return self.rows.clone() };
        let place = u64::from_be_bytes(tables::instant(at)).saturating_add(1);
        [&self.rows[..], &place.to_be_bytes()].concat()
    }

    fn index_prefix(&self, record: &str) -> Vec<u8> {
        [&self.index[..], record.as_bytes(), &[0]].concat()
    }

    /// Adds a row and its index row.
    ///
    /// # Errors
    /// The row cannot be written.
    pub fn add(&self, batch: &mut Batch, entry: &Entry) -> Result<(), NodeError> {
        batch.put(self.row(entry.added_at), entry.pack()?);
        let place = tables::instant(entry.added_at);
        batch.put([&self.index_prefix(entry.record.as_str())[..], &place].concat(), Vec::new());
        Ok(())
    }

    /// Removes a row and its index row.
    pub fn remove(&self, batch: &mut Batch, entry: &Entry) {
        batch.delete(self.row(entry.added_at));
        let place = tables::instant(entry.added_at);
        batch.delete([&self.index_prefix(entry.record.as_str())[..], &place].concat());
    }

    /// When each row of this record was added, oldest first. Cost: one look at the index.
    ///
    /// # Errors
    /// The store failed or an index row is damaged.
    pub fn places(
        &self,
        snapshot: &dyn Snapshot,
        record: &str,
    ) -> Result<Vec<Timestamp>, NodeError> {
        let (rows, mut out, mut failure) = (self.index_prefix(record), Vec::new(), None);
        snapshot.scan(&rows, &mut |row, _| {
            match row.strip_prefix(&rows[..]).map(added_at) {
                Some(Ok(at)) => out.push(at),
                Some(Err(error)) => failure = Some(error),
                None => {}
            }
            failure.is_none() && out.len() < PLACES_MAX
        })?;
        failure.map_or(Ok(out), Err)
    }

    /// The rows of one record, oldest first. Cost: the index and one read a row.
    ///
    /// # Errors
    /// The store failed or a row is damaged.
    pub fn entries(
        &self,
        snapshot: &dyn Snapshot,
        record: &RecordId,
    ) -> Result<Vec<Entry>, NodeError> {
        let mut out = Vec::new();
        for at in self.places(snapshot, record.as_str())? {
            let missing = || NodeError::damaged("collection", format!("`{record}` is not listed"));
            let bytes = snapshot.get(&self.row(at))?.ok_or_else(missing)?;
            out.push(Entry::read(&bytes, at)?);
        }
        Ok(out)
    }

    /// The instant in the key of one of its rows.
    pub(crate) fn place_of(&self, row: &[u8]) -> Result<Timestamp, NodeError> {
        added_at(row.strip_prefix(&self.rows[..]).unwrap_or_default())
    }
}

fn added_at(place: &[u8]) -> Result<Timestamp, NodeError> {
    let wrong = || NodeError::damaged("collection", "a key does not end in an instant");
    let place = <[u8; 8]>::try_from(place).map_err(|_| wrong())?;
    let micros = i128::from(u64::from_be_bytes(place)).saturating_add(i128::from(i64::MIN));
    i64::try_from(micros).ok().and_then(|m| Timestamp::from_micros(m).ok()).ok_or_else(wrong)
}

/// One row of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When it was added: strictly increasing.
    pub added_at: Timestamp,
    /// The record.
    pub record: RecordId,
    /// Whose assertion of it.
    pub originator: AgencyId,
    /// The version that was listed.
    pub version: String,
    /// The version of STIX it was listed in.
    pub spec: SpecVersion,
    /// What it may be used for.
    pub purpose: String,
    /// The grounds it went on, to decide again at every read.
    pub grounds: Grounds,
}

impl Entry {
    fn pack(&self) -> Result<Vec<u8>, NodeError> {
        let order = serde_json::to_vec(&(&self.purpose, &self.grounds))
            .map_err(|e| NodeError::damaged("collection", e))?;
        let mut flags = 0_u8;
        if self.spec == SpecVersion::V20 {
            flags |= FLAG_V20;
        }
        if version_stem(&self.version).parse::<Timestamp>().is_ok() {
            flags |= FLAG_DATED;
        }
        let mut out = vec![FORM, flags];
        for part in [self.record.as_str(), self.originator.as_str(), &self.version] {
            let size =
                u16::try_from(part.len()).map_err(|e| NodeError::damaged("collection", e))?;
            out.extend_from_slice(&size.to_be_bytes());
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(&order);
        Ok(out)
    }

    /// Reads a row.
    ///
    /// # Errors
    /// The row is damaged.
    pub fn read(bytes: &[u8], added_at: Timestamp) -> Result<Self, NodeError> {
        let head = Head::read(bytes)?;
        let (purpose, grounds) = tables::parse(head.order, "collection")?;
        Ok(Self {
            added_at,
            record: id(head.record)?,
            originator: id(head.originator)?,
            version: head.version.to_owned(),
            spec: head.spec,
            purpose,
            grounds,
        })
    }
}

fn id<T: std::str::FromStr<Err = model::ids::IdError>>(text: &str) -> Result<T, NodeError> {
    text.parse().map_err(|e| NodeError::damaged("collection", e))
}

/// A row as it lies in the store, without copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head<'a> {
    pub(crate) record: &'a str,
    pub(crate) originator: &'a str,
    pub(crate) version: &'a str,
    pub(crate) spec: SpecVersion,
    /// Whether the version is an instant, so that STIX and TAXII know it as one.
    pub(crate) dated: bool,
    /// Purpose and grounds, as JSON: equal bytes are equal orders.
    pub(crate) order: &'a [u8],
}

impl<'a> Head<'a> {
    pub(crate) fn read(bytes: &'a [u8]) -> Result<Self, NodeError> {
        let wrong = || NodeError::damaged("collection", "the row is not of this form");
        let ([form, flags], mut rest) = bytes.split_first_chunk::<2>().ok_or_else(wrong)?;
        if *form != FORM {
            return Err(wrong());
        }
        let mut part = || {
            let (size, after) = rest.split_first_chunk::<2>()?;
            let (text, after) = after.split_at_checked(u16::from_be_bytes(*size).into())?;
            rest = after;
            std::str::from_utf8(text).ok()
        };
        let (record, originator, version) = (part(), part(), part());
        let older = flags & FLAG_V20 != 0;
        Ok(Self {
            record: record.ok_or_else(wrong)?,
            originator: originator.ok_or_else(wrong)?,
            version: version.ok_or_else(wrong)?,
            spec: if older { SpecVersion::V20 } else { SpecVersion::V21 },
            dated: flags & FLAG_DATED != 0,
            order: rest,
        })
    }

    /// The STIX type: what stands before the two hyphens of the identifier.
    pub(crate) fn kind(&self) -> &'a str {
        kind_of(self.record)
    }
}

/// A version without the mark of a differing copy of it.
#[must_use]
pub fn version_stem(version: &str) -> &str {
    version.split_once('~').map_or(version, |(stem, _)| stem)
}

/// The STIX type an identifier names.
#[must_use]
pub fn kind_of(id: &str) -> &str {
    id.split_once("--").map_or(id, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: i64, version: &str) -> Entry {
        Entry {
            added_at: Timestamp::from_micros(at).unwrap(),
            record: "indicator--6c1d1a5c-0000-4000-8000-000000000001".parse().unwrap(),
            originator: "xa.police.ct".parse().unwrap(),
            version: version.to_owned(),
            spec: SpecVersion::V20,
            purpose: "ct.investigation".to_owned(),
            grounds: Grounds { offence: Some("financing".to_owned()), ..Grounds::default() },
        }
    }

    #[test]
    fn rows_come_back_and_the_index_leads_to_them() {
        let listing = Listing::named(&["inbox", "xb"], Holds::Version);
        let mut store = store::memory::Memory::new();
        let (one, two) = (entry(-5, "2026-01-01T00:00:00.000Z"), entry(7, "sha256:00"));
        let mut batch = Batch::new();
        listing.add(&mut batch, &one).unwrap();
        listing.add(&mut batch, &two).unwrap();
        store::Store::commit(&mut store, batch).unwrap();
        let snapshot = store::Store::snapshot(&store).unwrap();
        assert_eq!(listing.entries(&*snapshot, &one.record).unwrap(), [one.clone(), two.clone()]);
        let head = one.pack().unwrap();
        let head = Head::read(&head).unwrap();
        assert!(head.dated && head.kind() == "indicator" && head.spec == SpecVersion::V20);
        assert!(!Head::read(&two.pack().unwrap()).unwrap().dated);
        assert!(listing.row(one.added_at) < listing.start(Some(one.added_at)));
        assert_eq!(listing.start(Some(entry(6, "x").added_at)), listing.row(two.added_at));
        let other = Listing::named(&["inbox", "x"], Holds::Version);
        assert!(other.entries(&*snapshot, &one.record).unwrap().is_empty());
    }

    #[test]
    fn a_cut_or_foreign_row_is_damage() {
        let whole = entry(1, "v").pack().unwrap();
        let order = Head::read(&whole).unwrap().order.len();
        for end in 0..whole.len() - order {
            assert!(Head::read(&whole[..end]).is_err(), "{end}");
        }
        assert!(Head::read(b"{\"terms\":{}}").is_err());
        assert!(Entry::read(&whole[..whole.len() - 1], entry(1, "v").added_at).is_err());
    }
}
