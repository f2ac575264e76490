//! The log as files that anybody can check: which there are, what is in them, and the check.
//!
//! The file `checkpoint` is the signed note; `tile/L/N` holds 256 hashes of a level, and
//! `tile/entries/N` holds 256 entries. A full file never changes. Cost of a file: 256 reads.
//!
//! SOURCE: c2sp.org/tlog-tiles v0.1.0.

use crate::error::NodeError;
use crate::identity::{KnownKeys, log_origin};
use crate::log::{self, Against, StoredHashes};
use crate::tables;
use crypto::checkpoint::SignedCheckpoint;
use crypto::frontier::Frontier;
use crypto::merkle::leaf_hash;
use crypto::tiles::{TileKind, TilePath, decode_bundle, encode_bundle, parse_tile, tile_bytes};
use model::entry::Entry;
use model::ids::Digest;
use model::member::Member;
use serde::Serialize;
use std::collections::BTreeMap;
use store::Snapshot;

/// The name of the file with the signed checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// What a file of the log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Hashes: they say nothing about any entry.
    Hashes,
    /// Entries: who dealt with whom, when, and how much. For the partner concerned and auditors.
    Entries,
}

/// What a path of the log holds; nothing for what is not a path in its one spelling.
#[must_use]
pub fn holds(path: &str) -> Option<Holds> {
    if path == CHECKPOINT {
        return Some(Holds::Hashes);
    }
    Some(match path.parse::<TilePath>().ok()?.kind {
        TileKind::Hashes(_) => Holds::Hashes,
        TileKind::Entries => Holds::Entries,
    })
}

/// Paths of the files a log of `size` entries consists of, apart from the checkpoint.
#[must_use]
pub fn paths(size: u64) -> Vec<String> {
    crypto::tiles::new_tiles(0, size).iter().map(ToString::to_string).collect()
}

/// The bytes of one file; nothing where the log has not grown so far.
///
/// # Errors
/// The store failed, or an entry is longer than a file can carry.
pub fn file(snapshot: &dyn Snapshot, path: &str) -> Result<Option<Vec<u8>>, NodeError> {
    if path == CHECKPOINT {
        return Ok(log::checkpoint(snapshot)?.map(String::into_bytes));
    }
    let Ok(path) = path.parse::<TilePath>() else { return Ok(None) };
    match path.kind {
        TileKind::Hashes(_) => Ok(tile_bytes(&StoredHashes(snapshot), &path).ok()),
        TileKind::Entries => bundle(snapshot, &path),
    }
}

fn bundle(snapshot: &dyn Snapshot, path: &TilePath) -> Result<Option<Vec<u8>>, NodeError> {
    let Some(first) = path.index.checked_mul(256) else { return Ok(None) };
    let mut entries = Vec::with_capacity(usize::from(path.width()));
    for offset in 0..u64::from(path.width()) {
        match log::leaf(snapshot, first.saturating_add(offset))? {
            Some(entry) => entries.push(entry),
            None => return Ok(None),
        }
    }
    encode_bundle(&entries).map(Some).map_err(|e| NodeError::damaged("log", e))
}

/// What the check of a published log found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The agency whose log it is.
    pub agency: String,
    /// Entries.
    pub size: u64,
    /// The root, signed and recomputed.
    pub root: Digest,
    /// Entries by kind; empty where only hashes were published.
    pub kinds: BTreeMap<String, u64>,
    /// How an earlier checkpoint stands to this log, where one was given.
    #[serde(skip)]
    pub earlier: Option<Against>,
}

/// Reads files of a published log by their paths; the error says why a file cannot be read.
pub type Files<'a> = dyn Fn(&str) -> Result<Option<Vec<u8>>, String> + 'a;

/// Checks a published log with nothing but its files and the member document of its agency: the
/// signature, every entry against its tile, the root, and that an earlier checkpoint is a prefix.
///
/// Cost: one hash an entry; memory for one file.
///
/// # Errors
/// A file is missing or damaged, or the files do not give the signed root: which, and why.
pub fn check(
    files: &Files<'_>,
    member: &Member,
    earlier: Option<&str>,
) -> Result<Checked, NodeError> {
    let keys = KnownKeys::of(member)?;
    let origin = log_origin(&member.agency);
    let open = |bytes: &[u8]| {
        SignedCheckpoint::open(bytes, &origin, &keys.log).map_err(|e| wrong(CHECKPOINT, &e))
    };
    let signed = open(&required(files, CHECKPOINT)?)?;
    let stated = signed.checkpoint();
    let earlier = earlier.map(|text| open(text.as_bytes())).transpose()?;
    let mut rebuilt = Rebuilt { edge: Frontier::new(), kinds: BTreeMap::new(), met: None };
    let wanted = earlier.as_ref().map(|c| (c.checkpoint().size(), c.checkpoint().root()));
    for path in crypto::tiles::new_tiles(0, stated.size()) {
        if path.kind == TileKind::Hashes(0) {
            rebuilt.add(files, &path, wanted)?;
        }
    }
    if rebuilt.edge.size() != stated.size() || rebuilt.edge.root() != stated.root() {
        return Err(wrong(CHECKPOINT, &"the files do not give the signed root"));
    }
    let earlier = wanted.map(|(size, root)| {
        let empty = size == 0 && Frontier::new().root() == root;
        Against { size, holds: empty || rebuilt.met == Some(true) }
    });
    Ok(Checked {
        agency: member.agency.to_string(),
        size: stated.size(),
        root: stated.root(),
        kinds: rebuilt.kinds,
        earlier,
    })
}

/// The tree as it grows out of the files.
struct Rebuilt {
    edge: Frontier,
    kinds: BTreeMap<String, u64>,
    /// Whether the root was that of the earlier checkpoint when its size was reached.
    met: Option<bool>,
}

impl Rebuilt {
    fn add(
        &mut self,
        files: &Files<'_>,
        path: &TilePath,
        earlier: Option<(u64, Digest)>,
    ) -> Result<(), NodeError> {
        let name = path.to_string();
        let hashes = parse_tile(&required(files, &name)?).map_err(|e| wrong(&name, &e))?;
        if hashes.len() != usize::from(path.width()) {
            return Err(wrong(&name, &"it has another width than its name says"));
        }
        self.entries(files, path, &hashes)?;
        for hash in hashes {
            self.edge.append(&[hash]).map_err(|e| wrong(&name, &e))?;
            if let Some((size, root)) = earlier
                && self.edge.size() == size
            {
                self.met = Some(self.edge.root() == root);
            }
        }
        Ok(())
    }

    /// Holds the entries against their hashes, where they were published.
    fn entries(
        &mut self,
        files: &Files<'_>,
        path: &TilePath,
        hashes: &[Digest],
    ) -> Result<(), NodeError> {
        let name = TilePath { kind: TileKind::Entries, ..*path }.to_string();
        let Some(bytes) = files(&name).map_err(|e| wrong(&name, &e))? else {
            return if self.kinds.is_empty() {
                Ok(())
            } else {
                Err(wrong(&name, &"it is missing, though earlier entries are there"))
            };
        };
        if self.kinds.is_empty() && path.index > 0 {
            return Err(wrong(&name, &"it is there, though earlier entries are missing"));
        }
        let entries = decode_bundle(&bytes).map_err(|e| wrong(&name, &e))?;
        let fits = |(bytes, hash): (&&[u8], &Digest)| leaf_hash(bytes) == *hash;
        if entries.len() != hashes.len() || !entries.iter().zip(hashes).all(fits) {
            return Err(wrong(&name, &"its entries do not have the hashes of their tile"));
        }
        for bytes in entries {
            let entry: Entry = tables::parse(bytes, "entry").map_err(|e| wrong(&name, &e))?;
            let seen: &mut u64 = self.kinds.entry(log::kind_word(entry.kind)?).or_default();
            *seen = seen.saturating_add(1);
        }
        Ok(())
    }
}

fn required(files: &Files<'_>, path: &str) -> Result<Vec<u8>, NodeError> {
    files(path).map_err(|e| wrong(path, &e))?.ok_or_else(|| wrong(path, &"it is missing"))
}

fn wrong(path: &str, why: &dyn std::fmt::Display) -> NodeError {
    let help = "fetch the files again; if it stays so, keep them as evidence and ask the agency";
    NodeError::message(format!("`{path}`: {why}"), help)
}
