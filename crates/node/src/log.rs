//! The node's transparency log: entries, hashes, checkpoints and proofs, all rows of its store.
//!
//! SOURCE: RFC 9162, c2sp.org/tlog-tiles. Cost of an append: one hash per leaf and level closed.

use crate::error::NodeError;
use crate::identity::Identity;
use crate::tables::{self, Table, numbered};
use crypto::checkpoint::Checkpoint;
use crypto::entropy::{Entropy, random_array};
use crypto::frontier::Frontier;
use crypto::hash::{commitment, hex_encode};
use crypto::merkle::leaf_hash;
use crypto::prove::{self, Hashes};
use model::entry::{Draft, Entry};
use model::ids::Digest;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::{Batch, Snapshot};

/// A value behind a commitment, kept in the node only; erasing it leaves the log intact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The salt (hexadecimal).
    pub salt: String,
    /// The value.
    pub value: String,
}

/// The openings of one entry.
pub type Openings = BTreeMap<String, Opening>;

/// Reads the log's edge.
///
/// # Errors
/// The store failed or the edge is damaged.
pub fn frontier(snapshot: &dyn Snapshot) -> Result<Frontier, NodeError> {
    match snapshot.get(&tables::key(Table::Frontier, &[]))? {
        Some(bytes) => Frontier::from_bytes(&bytes).map_err(|e| NodeError::damaged("log edge", e)),
        None => Ok(Frontier::new()),
    }
}

/// Writes entries, their hashes and the new checkpoint into a batch.
///
/// # Errors
/// A value cannot be written or the log is full.
pub fn append(
    batch: &mut Batch,
    frontier: &mut Frontier,
    drafts: &[Draft],
    identity: &Identity,
    (now, entropy): (Timestamp, &mut dyn Entropy),
) -> Result<(), NodeError> {
    if drafts.is_empty() {
        return Ok(());
    }
    let mut index = frontier.size();
    let mut leaves = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let (entry, openings) = commit(draft, now, entropy);
        let leaf = leaf_bytes(&entry)?;
        leaves.push(leaf_hash(&leaf));
        batch.put(numbered(Table::Entry, index), leaf);
        if !openings.is_empty() {
            tables::put(batch, numbered(Table::Salt, index), "salt", &openings)?;
        }
        index = index.saturating_add(1);
    }
    let hashes = frontier.append(&leaves).map_err(|e| NodeError::damaged("log edge", e))?;
    for stored in hashes {
        batch.put(hash_key(stored.level, stored.index), stored.hash.0.to_vec());
    }
    batch.put(tables::key(Table::Frontier, &[]), frontier.to_bytes());
    let note = sign(frontier, identity)?;
    batch.put(tables::key(Table::Checkpoint, &[]), note.into_bytes());
    Ok(())
}

fn sign(frontier: &Frontier, identity: &Identity) -> Result<String, NodeError> {
    let checkpoint = Checkpoint::new(&identity.origin(), frontier.size(), frontier.root())
        .map_err(NodeError::seal)?;
    let note = checkpoint.sign(&identity.secrets.log).map_err(NodeError::seal)?;
    Ok(note.to_string())
}

fn commit(draft: &Draft, now: Timestamp, entropy: &mut dyn Entropy) -> (Entry, Openings) {
    let mut openings = Openings::new();
    let mut commitments = BTreeMap::new();
    for (field, value) in &draft.sealed {
        let salt = random_array::<32>(entropy);
        commitments.insert(field.clone(), commitment(field, &salt, value.as_bytes()));
        let opening = Opening { salt: hex_encode(salt.as_slice()), value: value.clone() };
        openings.insert(field.clone(), opening);
    }
    let entry = Entry {
        kind: draft.kind,
        at: now,
        agreements: draft.agreements.clone(),
        purpose: draft.purpose.clone(),
        partner: draft.partner.clone(),
        count: draft.count,
        commitments,
    };
    (entry, openings)
}

fn leaf_bytes(entry: &Entry) -> Result<Vec<u8>, NodeError> {
    let value = serde_json::to_value(entry).map_err(|e| NodeError::damaged("entry", e))?;
    wire::canonical::to_canonical(&value).map_err(|e| NodeError::damaged("entry", e))
}

fn hash_key(level: u8, index: u64) -> Vec<u8> {
    tables::key(Table::Hash, &[&[level], &index.to_be_bytes()])
}

/// The newest signed checkpoint, if anything was logged.
///
/// # Errors
/// The store failed.
pub fn checkpoint(snapshot: &dyn Snapshot) -> Result<Option<String>, NodeError> {
    let Some(bytes) = snapshot.get(&tables::key(Table::Checkpoint, &[]))? else { return Ok(None) };
    String::from_utf8(bytes).map(Some).map_err(|e| NodeError::damaged("checkpoint", e))
}

/// One entry's canonical bytes.
///
/// # Errors
/// The store failed.
pub fn leaf(snapshot: &dyn Snapshot, index: u64) -> Result<Option<Vec<u8>>, NodeError> {
    Ok(snapshot.get(&numbered(Table::Entry, index))?)
}

/// What stands behind an entry's commitments, where it has not been erased.
///
/// # Errors
/// The store failed.
pub fn openings(snapshot: &dyn Snapshot, index: u64) -> Result<Option<Openings>, NodeError> {
    tables::read(snapshot, &numbered(Table::Salt, index), "salt")
}

/// The stored hashes of a log, for proofs and tiles.
pub struct StoredHashes<'a>(pub &'a dyn Snapshot);

impl Hashes for StoredHashes<'_> {
    fn hash(&self, level: u8, index: u64) -> Option<Digest> {
        let bytes = self.0.get(&hash_key(level, index)).ok().flatten()?;
        Some(Digest(bytes.try_into().ok()?))
    }
}

/// The inclusion path of an entry in the tree of `size`.
///
/// # Errors
/// The index is not in the tree, or a hash is missing.
pub fn inclusion(snapshot: &dyn Snapshot, index: u64, size: u64) -> Result<Vec<Digest>, NodeError> {
    prove::inclusion(&StoredHashes(snapshot), index, size)
        .map_err(|e| NodeError::message(e, "ask for an entry that is in the log"))
}

/// The proof that the tree of `old` entries is a prefix of the tree of `new`.
///
/// # Errors
/// The sizes do not fit, or a hash is missing.
pub fn consistency(snapshot: &dyn Snapshot, old: u64, new: u64) -> Result<Vec<Digest>, NodeError> {
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    prove::consistency(&StoredHashes(snapshot), old, new)
        .map_err(|e| NodeError::message(e, "name a size the log has reached"))
}

/// What a full check of the log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Entries.
    pub size: u64,
    /// The root over the entries as they are stored now.
    pub root: Digest,
    /// Entries by kind.
    pub kinds: BTreeMap<String, u64>,
    /// Commitments opened and found true.
    pub opened: u64,
}

/// Recomputes the root from the stored entries and opens every commitment still held.
///
/// # Errors
/// An entry is missing, unreadable, or a commitment or the root does not fit: place and cause.
pub fn audit(snapshot: &dyn Snapshot) -> Result<Audit, NodeError> {
    let edge = frontier(snapshot)?;
    let mut rebuilt = Frontier::new();
    let (mut kinds, mut opened) = (BTreeMap::new(), 0_u64);
    for index in 0..edge.size() {
        let missing = || NodeError::damaged("log", format!("entry {index} is missing"));
        let bytes = leaf(snapshot, index)?.ok_or_else(missing)?;
        rebuilt.append(&[leaf_hash(&bytes)]).map_err(|e| NodeError::damaged("log", e))?;
        let entry: Entry = tables::parse(&bytes, "entry")?;
        opened = opened.saturating_add(open_all(snapshot, index, &entry)?);
        let seen: &mut u64 = kinds.entry(kind_word(entry.kind)?).or_default();
        *seen = seen.saturating_add(1);
    }
    if rebuilt.root() != edge.root() {
        return Err(NodeError::damaged("log", "the entries do not give the signed root"));
    }
    Ok(Audit { size: edge.size(), root: edge.root(), kinds, opened })
}

/// The word an entry's kind is written with.
pub(crate) fn kind_word(kind: model::entry::EntryKind) -> Result<String, NodeError> {
    let value = serde_json::to_value(kind).map_err(|e| NodeError::damaged("log", e))?;
    value.as_str().map(str::to_owned).ok_or_else(|| NodeError::damaged("log", "a kind is no word"))
}

fn open_all(snapshot: &dyn Snapshot, index: u64, entry: &Entry) -> Result<u64, NodeError> {
    let mut count = 0_u64;
    for (field, opening) in openings(snapshot, index)?.unwrap_or_default() {
        let wrong = |what: &str| {
            NodeError::damaged("log", format!("entry {index}, field `{field}`: {what}"))
        };
        let salt = crypto::hash::hex_decode(&opening.salt).map_err(|e| wrong(&e.to_string()))?;
        let salt: [u8; 32] = salt.try_into().map_err(|_| wrong("the salt is not 32 bytes"))?;
        let made = commitment(&field, &salt, opening.value.as_bytes());
        if entry.commitments.get(&field) != Some(&made) {
            return Err(wrong("the value does not fit its commitment"));
        }
        count = count.saturating_add(1);
    }
    Ok(count)
}

/// A checkpoint held against the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Against {
    /// The size it states.
    pub size: u64,
    /// Whether the log of that size has the root it states.
    pub holds: bool,
}

/// Whether a checkpoint signed by this node, as somebody saw it, is a prefix of the log today.
///
/// # Errors
/// The checkpoint is not one of this node's, or the store failed.
pub fn against(
    snapshot: &dyn Snapshot,
    identity: &Identity,
    checkpoint: &str,
) -> Result<Against, NodeError> {
    use crypto::checkpoint::SignedCheckpoint;
    use crypto::sign::Signer;
    let help = "give the checkpoint as the partner holds it";
    let key = identity.secrets.log.verifier_key();
    let signed = SignedCheckpoint::open(checkpoint.as_bytes(), &identity.origin(), key)
        .map_err(|e| NodeError::message(e, help))?;
    let stated = signed.checkpoint();
    let size = stated.size();
    if size > frontier(snapshot)?.size() {
        return Ok(Against { size, holds: false });
    }
    let root =
        prove::root(&StoredHashes(snapshot), size).map_err(|e| NodeError::damaged("log", e))?;
    Ok(Against { size, holds: root == stated.root() })
}
