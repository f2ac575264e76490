//! The typed tables: every key and value of the node, in one place.
//!
//! A key is one table letter and parts separated by a zero byte; identifiers cannot contain one.
//! Values are JSON, except where content bytes follow. Cost: one key per row, O(log n).

use crate::error::NodeError;
use model::custody::Custody;
use model::ids::{AgencyId, Digest, RecordId, StatusId};
use model::posting::{Collection, Placed};
use model::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Batch, Snapshot};

/// The tables, by their letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Table {
    /// Adopted agreements: id → document bytes.
    Agreement = b'a',
    /// Access: partner → digest of its client's token.
    Access = b'A',
    /// Checkpoint: the newest signed note.
    Checkpoint = b'C',
    /// Consents: originator, recipient, digest → consent.
    Consent = b'c',
    /// Retention: due instant, id, originator → nothing.
    Due = b'd',
    /// Log entries: index → leaf bytes.
    Entry = b'e',
    /// Log hashes: level, index → hash.
    Hash = b'E',
    /// Where a collection lists a record: its name, record, added instant → nothing.
    Listed = b'l',
    /// What a collection lists: its name, added instant → record, version, purpose and grounds.
    Collection = b'F',
    /// What was offered: record, originator, recipient, purpose → terms.
    Offered = b'f',
    /// Where an assertion ever went: record, originator, recipient → nothing.
    Went = b'p',
    /// Receipts given: manifest → receipt.
    ReceiptGiven = b'g',
    /// Records held: id, originator, version → custody and content.
    Holding = b'h',
    /// Hits received: giver, record → terms.
    Hit = b'H',
    /// Receipts taken: manifest → receipt.
    ReceiptTaken = b'k',
    /// Recall receipts: record, holder → receipt.
    RecallTaken = b'K',
    /// The log's edge.
    Frontier = b'L',
    /// Members: agency → member.
    Member = b'm',
    /// Where an object stands: object, poster, collection, version → what stands there.
    Placed = b'P',
    /// Status resources of postings: partner, id → status.
    Status = b'b',
    /// Their ends: instant, partner, id → nothing.
    StatusEnd = b'U',
    /// How a partner's postings are regarded: partner → appraisal.
    Appraisal = b'y',
    /// Feeds: name → feed, with how far it was read.
    Feed = b'Y',
    /// Standing orders: digest → order.
    Order = b'O',
    /// Follow-up events: sequence → event.
    Queue = b'Q',
    /// Referrers: target, id, originator → nothing.
    Referrer = b'r',
    /// Signatures: agreement, party, digest → signature.
    Signature = b's',
    /// Links between records, from either end: record, other record → link.
    SameAs = b'=',
    /// Salts and values behind commitments: index → fields.
    Salt = b'S',
    /// Tombstones: id, originator, and for a withdrawal its giver → tombstone.
    Tombstone = b't',
    /// The vocabulary.
    Vocabulary = b'v',
    /// Newest checkpoint seen of a partner: agency → note.
    Witness = b'w',
    /// Size of our log a partner has seen: agency → size.
    Seen = b'W',
    /// Newest version held: id, originator → version.
    Newest = b'n',
    /// Outbox: recipient, sequence → message.
    Outbox = b'x',
    /// Place in the outbox: recipient, digest → sequence.
    Place = b'X',
    /// Refusals of a waiting message: recipient, digest → count.
    Refusal = b'R',
    /// Messages given up: recipient, digest → message and reason.
    Undelivered = b'u',
    /// Notices given to originators: originator, record first named, recipient, instant → notice.
    NoticeGiven = b'N',
    /// Notices owed to originators not pinned: as above.
    NoticeOwed = b'o',
    /// Notices received as originator: instant, digest of the document → notice.
    NoticeTaken = b'T',
    /// Counters.
    Counter = b'z',
}

/// A key: the table's letter and its parts.
#[must_use]
pub fn key(table: Table, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![table as u8];
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(0);
        }
        out.extend_from_slice(part);
    }
    out
}

/// The prefix of all keys that begin with these whole parts.
#[must_use]
pub fn prefix(table: Table, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = key(table, parts);
    if !parts.is_empty() {
        out.push(0);
    }
    out
}

/// The key of a held version.
#[must_use]
pub fn holding_key(custody: &Custody) -> Vec<u8> {
    let (id, originator) = (custody.id.as_str(), custody.originator.as_str());
    key(Table::Holding, &[id.as_bytes(), originator.as_bytes(), custody.version.as_bytes()])
}

/// The key of an instant in microseconds, ordered by time (instants before 1970 sort first).
#[must_use]
pub fn instant(at: Timestamp) -> [u8; 8] {
    let shifted = i128::from(at.micros()).saturating_sub(i128::from(i64::MIN));
    u64::try_from(shifted).unwrap_or(u64::MAX).to_be_bytes()
}

/// The key row of a retention limit.
#[must_use]
pub fn due_key(at: Timestamp, custody: &Custody) -> Vec<u8> {
    let (id, originator) = (custody.id.as_str(), custody.originator.as_str());
    key(Table::Due, &[&instant(at), id.as_bytes(), originator.as_bytes()])
}

/// The key of a pair of identifiers.
#[must_use]
pub fn pair(table: Table, id: &RecordId, agency: &AgencyId) -> Vec<u8> {
    key(table, &[id.as_str().as_bytes(), agency.as_str().as_bytes()])
}

/// The key of a numbered row.
#[must_use]
pub fn numbered(table: Table, number: u64) -> Vec<u8> {
    key(table, &[&number.to_be_bytes()])
}

/// The key of a numbered row under an agency.
#[must_use]
pub fn numbered_under(table: Table, agency: &AgencyId, number: u64) -> Vec<u8> {
    key(table, &[agency.as_str().as_bytes(), &number.to_be_bytes()])
}

/// How a collection stands in keys: a letter and what it is of.
fn shelf_name(collection: &Collection) -> [&[u8]; 2] {
    match collection {
        Collection::Outbox(partner) => [b"o", partner.as_str().as_bytes()],
        Collection::Inbox(partner) => [b"i", partner.as_str().as_bytes()],
        Collection::Community(agreement) => [b"c", agreement.as_str().as_bytes()],
    }
}

/// The key that finds a place by what stands there.
#[must_use]
pub fn placed_key(collection: &Collection, placed: &Placed) -> Vec<u8> {
    let [letter, of] = shelf_name(collection);
    let (id, partner) = (placed.record.as_str(), placed.partner.as_str());
    let parts = [id.as_bytes(), partner.as_bytes(), letter, of, placed.version.as_bytes()];
    key(Table::Placed, &parts)
}

/// The collection a key of [`Table::Placed`] names.
#[must_use]
pub fn placed_in(row: &[u8]) -> Option<Collection> {
    let mut parts = row.split(|byte| *byte == 0).skip(2);
    let (letter, of) = (parts.next()?, std::str::from_utf8(parts.next()?).ok()?);
    match letter {
        b"o" => Some(Collection::Outbox(of.parse().ok()?)),
        b"i" => Some(Collection::Inbox(of.parse().ok()?)),
        b"c" => Some(Collection::Community(of.parse().ok()?)),
        _other => None,
    }
}

/// The key of a status resource.
#[must_use]
pub fn status_key(partner: &AgencyId, id: &StatusId) -> Vec<u8> {
    key(Table::Status, &[partner.as_str().as_bytes(), id.as_str().as_bytes()])
}

/// The key that finds a status resource by its end.
#[must_use]
pub fn status_end_key(until: Timestamp, partner: &AgencyId, id: &StatusId) -> Vec<u8> {
    let parts = [&instant(until)[..], partner.as_str().as_bytes(), id.as_str().as_bytes()];
    key(Table::StatusEnd, &parts)
}

/// The key of a digest.
#[must_use]
pub fn digest_key(table: Table, digest: &Digest) -> Vec<u8> {
    key(table, &[&digest.0])
}

/// Writes a value as JSON.
///
/// # Errors
/// The value cannot be written.
pub fn put<T: Serialize>(
    batch: &mut Batch,
    key: Vec<u8>,
    name: &'static str,
    value: &T,
) -> Result<(), NodeError> {
    let bytes = serde_json::to_vec(value).map_err(|e| NodeError::damaged(name, e))?;
    batch.put(key, bytes);
    Ok(())
}

/// Reads a JSON value.
///
/// # Errors
/// The store failed, or what is stored is not of this shape.
pub fn read<T: DeserializeOwned>(
    snapshot: &dyn Snapshot,
    key: &[u8],
    name: &'static str,
) -> Result<Option<T>, NodeError> {
    match snapshot.get(key)? {
        Some(bytes) => parse(&bytes, name).map(Some),
        None => Ok(None),
    }
}

/// Parses a stored JSON value.
///
/// # Errors
/// What is stored is not of this shape.
pub fn parse<T: DeserializeOwned>(bytes: &[u8], name: &'static str) -> Result<T, NodeError> {
    serde_json::from_slice(bytes).map_err(|e| NodeError::damaged(name, e))
}

/// Reads every JSON value under a prefix, in key order.
///
/// # Errors
/// The store failed, or a stored value is not of this shape.
pub fn read_all<T: DeserializeOwned>(
    snapshot: &dyn Snapshot,
    prefix: &[u8],
    name: &'static str,
) -> Result<Vec<T>, NodeError> {
    let mut out = Vec::new();
    let mut failure = None;
    snapshot.scan(prefix, &mut |_, bytes| match parse(bytes, name) {
        Ok(value) => {
            out.push(value);
            true
        }
        Err(error) => {
            failure = Some(error);
            false
        }
    })?;
    failure.map_or(Ok(out), Err)
}

/// A held record as stored: custody, then the content's own bytes.
///
/// # Errors
/// The custody cannot be written.
pub fn pack(custody: &Custody, content: &[u8]) -> Result<Vec<u8>, NodeError> {
    let head = serde_json::to_vec(custody).map_err(|e| NodeError::damaged("holding", e))?;
    let size = u32::try_from(head.len()).map_err(|e| NodeError::damaged("holding", e))?;
    let mut out = Vec::with_capacity(head.len().saturating_add(content.len()).saturating_add(4));
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(&head);
    out.extend_from_slice(content);
    Ok(out)
}

/// The content of a stored record, without reading its custody.
///
/// # Errors
/// What is stored is damaged.
pub fn content(bytes: &[u8]) -> Result<&[u8], NodeError> {
    let cut = || NodeError::damaged("holding", "it ends early");
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let size = usize::try_from(u32::from_be_bytes(*size)).map_err(|_| cut())?;
    Ok(rest.split_at_checked(size).ok_or_else(cut)?.1)
}

/// Splits a stored record into custody and content.
///
/// # Errors
/// What is stored is damaged.
pub fn unpack(bytes: &[u8]) -> Result<(Custody, &[u8]), NodeError> {
    let cut = || NodeError::damaged("holding", "it ends early");
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let size = usize::try_from(u32::from_be_bytes(*size)).map_err(|_| cut())?;
    let (head, content) = rest.split_at_checked(size).ok_or_else(cut)?;
    Ok((parse(head, "holding")?, content))
}
