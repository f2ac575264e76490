//! C2SP tlog-tiles: which tiles a tree has, where they are published, what is in them. Pure.
//!
//! A tile is 256 hashes of one level in eight; a client that fetches tiles can build every proof
//! itself. Entries travel in bundles of 256. Cost of a tile: 256 reads, no hashing.
//!
//! SOURCE: c2sp.org/tlog-tiles v0.1.0.

use crate::Digest;
use crate::merkle::node_hash;
use crate::prove::{Hashes, ProveError};
use std::fmt;
use std::str::FromStr;

/// LIMIT: hashes in a full tile, entries in a full bundle.
pub const TILE_WIDTH: u16 = 256;

/// LIMIT: bytes of one log entry, so that its length fits the two bytes of the bundle format.
pub const ENTRY_BYTES_MAX: usize = 65_535;

/// LIMIT: highest tile level a tree of 2^63 leaves can have.
const TILE_LEVEL_MAX: u8 = 7;

/// Why a tile or bundle was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TileError {
    /// Not a tile path in its one canonical spelling.
    #[error("`{0}` is not a tile path")]
    Path(String),
    /// A tile is a whole number of hashes, 1 to 256.
    #[error("a tile of {0} bytes does not hold 1 to 256 hashes")]
    TileLength(usize),
    /// An entry is longer than a bundle can carry.
    #[error("entry {index} of the bundle has {size_bytes} bytes; at most 65535 fit")]
    EntryTooLong {
        /// Place of the entry in the bundle.
        index: usize,
        /// Its length.
        size_bytes: usize,
    },
    /// More entries than a bundle can carry, or none.
    #[error("a bundle holds 1 to 256 entries, not {0}")]
    BundleCount(usize),
    /// The bundle ends in the middle of an entry.
    #[error("the bundle ends inside entry {0}")]
    BundleTruncated(usize),
    /// A hash the tile needs is not stored.
    #[error(transparent)]
    Missing(#[from] ProveError),
}

/// What a tile path points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of tile level 0 to 7 (tree level eight times that).
    Hashes(u8),
    /// Log entries.
    Entries,
}

/// The place of a tile: `tile/1/x001/234.p/7`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// Hashes of a level, or entries.
    pub kind: TileKind,
    /// Place within the level.
    pub index: u64,
    /// Width of a partial tile; `None` is a full one.
    pub partial: Option<u8>,
}

impl TilePath {
    /// Number of hashes or entries: 1 to 256.
    pub fn width(&self) -> u16 {
        self.partial.map_or(TILE_WIDTH, u16::from)
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Hashes(level) => write!(f, "tile/{level}/")?,
            TileKind::Entries => write!(f, "tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        self.partial.map_or(Ok(()), |width| write!(f, ".p/{width}"))
    }
}

impl FromStr for TilePath {
    type Err = TileError;

    /// INVARIANT: accepts exactly what `Display` writes, so a path has one spelling.
    fn from_str(text: &str) -> Result<Self, TileError> {
        let refuse = || TileError::Path(crate::hash::excerpt(text));
        let path = parse_path(text).ok_or_else(refuse)?;
        if path.to_string() == text { Ok(path) } else { Err(refuse()) }
    }
}

/// Reads a tile path; the caller checks that it was canonical.
fn parse_path(text: &str) -> Option<TilePath> {
    // LIMIT: the longest index is seven groups.
    let text = text.strip_prefix("tile/").filter(|rest| rest.len() <= 64)?;
    let (level, place) = text.split_once('/')?;
    let kind = match level {
        "entries" => TileKind::Entries,
        digits => TileKind::Hashes(digits.parse().ok().filter(|level| *level <= TILE_LEVEL_MAX)?),
    };
    let (place, partial) = match place.split_once(".p/") {
        None => (place, None),
        Some((place, width)) => (place, Some(width.parse().ok().filter(|width| *width > 0)?)),
    };
    let mut index = 0_u64;
    for group in place.split('/') {
        let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(digits)?;
    }
    Some(TilePath { kind, index, partial })
}

/// Paths of the tiles and bundles that a tree of `new` leaves has and one of `old` had not, lowest
/// level first. Publish them before the checkpoint of `new`. Count: about 1.004 per 256 leaves.
pub fn new_tiles(old: u64, new: u64) -> Vec<TilePath> {
    let mut paths = Vec::new();
    for level in 0..=TILE_LEVEL_MAX {
        let shift = u32::from(level).saturating_mul(8);
        let (had, has) = (old.unbounded_shr(shift), new.unbounded_shr(shift));
        if has <= had {
            break;
        }
        for index in (had >> 8)..=(has >> 8) {
            let partial = (index == has >> 8).then_some(has.to_le_bytes()[0]);
            if partial == Some(0) {
                continue;
            }
            paths.push(TilePath { kind: TileKind::Hashes(level), index, partial });
            if level == 0 {
                paths.push(TilePath { kind: TileKind::Entries, index, partial });
            }
        }
    }
    paths
}

/// Bytes of a hash tile, from stored hashes. A path to entries is refused as a missing tile path.
pub fn tile_bytes(hashes: &dyn Hashes, path: &TilePath) -> Result<Vec<u8>, TileError> {
    let TileKind::Hashes(tile_level) = path.kind else {
        return Err(TileError::Path(path.to_string()));
    };
    let level = tile_level.saturating_mul(8);
    let refuse = || TileError::Path(path.to_string());
    let first = path.index.checked_mul(256).filter(|_| path.width() > 0).ok_or_else(refuse)?;
    let mut bytes = Vec::with_capacity(usize::from(path.width()).saturating_mul(32));
    for offset in 0..u64::from(path.width()) {
        let index = first.saturating_add(offset);
        let hash = hashes.hash(level, index).ok_or(ProveError::Missing { level, index })?;
        bytes.extend_from_slice(&hash.0);
    }
    Ok(bytes)
}

/// The hashes in a tile.
pub fn parse_tile(bytes: &[u8]) -> Result<Vec<Digest>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let count_fits = (1..=usize::from(TILE_WIDTH)).contains(&hashes.len());
    if !rest.is_empty() || !count_fits {
        return Err(TileError::TileLength(bytes.len()));
    }
    Ok(hashes.iter().map(|hash| Digest(*hash)).collect())
}

/// Writes entries as a bundle: each preceded by its length as big-endian u16.
pub fn encode_bundle<E: AsRef<[u8]>>(entries: &[E]) -> Result<Vec<u8>, TileError> {
    if !(1..=usize::from(TILE_WIDTH)).contains(&entries.len()) {
        return Err(TileError::BundleCount(entries.len()));
    }
    let mut bytes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let entry = entry.as_ref();
        let too_long = |_| TileError::EntryTooLong { index, size_bytes: entry.len() };
        let length = u16::try_from(entry.len()).map_err(too_long)?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle, borrowed.
pub fn decode_bundle(bytes: &[u8]) -> Result<Vec<&[u8]>, TileError> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let truncated = TileError::BundleTruncated(entries.len());
        let next = rest.split_first_chunk::<2>().and_then(|(length, tail)| {
            tail.split_at_checked(usize::from(u16::from_be_bytes(*length)))
        });
        let (entry, tail) = next.ok_or(truncated)?;
        entries.push(entry);
        if entries.len() > usize::from(TILE_WIDTH) {
            return Err(TileError::BundleCount(entries.len()));
        }
        rest = tail;
    }
    if entries.is_empty() { Err(TileError::BundleCount(0)) } else { Ok(entries) }
}

/// Reads tree hashes out of fetched tiles, so that a client can build proofs of a log it follows.
///
/// The closure is asked for the tile that a tree of `size` leaves has, and answers with its bytes.
/// A proof asks for the same few tiles again and again: let the closure keep them.
/// Nothing read this way is proved until the root it leads to equals a checkpoint's.
pub struct TileHashes<F> {
    size: u64,
    fetch: F,
}

impl<F: Fn(&TilePath) -> Option<Vec<u8>>> TileHashes<F> {
    /// A reader for the tiles of a tree of `size` leaves.
    pub fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch }
    }

    /// The path of tile `index` of `tile_level` in this tree, if the tree has one.
    fn path(&self, tile_level: u8, index: u64) -> Option<TilePath> {
        let nodes = self.size.unbounded_shr(u32::from(tile_level).saturating_mul(8));
        let held = nodes.saturating_sub(index.checked_mul(256)?);
        let partial = match held {
            0 => return None,
            1..=255 => Some(held.to_le_bytes()[0]),
            256.. => None,
        };
        Some(TilePath { kind: TileKind::Hashes(tile_level), index, partial })
    }
}

impl<F: Fn(&TilePath) -> Option<Vec<u8>>> Hashes for TileHashes<F> {
    fn hash(&self, level: u8, index: u64) -> Option<Digest> {
        let (tile_level, height) = (level / 8, u32::from(level % 8));
        let first = index.checked_shl(height)?;
        let path = self.path(tile_level, first / 256)?;
        let hashes = parse_tile(&(self.fetch)(&path)?).ok()?;
        if hashes.len() != usize::from(path.width()) {
            return None;
        }
        let from = usize::try_from(first % 256).ok()?;
        let to = from.checked_add(1_usize.wrapping_shl(height))?;
        let mut row = hashes.get(from..to)?.to_vec();
        for _ in 0..height {
            let (pairs, _) = row.as_chunks::<2>();
            row = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
        }
        row.first().copied()
    }
}

impl<F> fmt::Debug for TileHashes<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TileHashes").field("size", &self.size).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_spelling() {
        let good =
            ["tile/0/000", "tile/1/x001/x234/067", "tile/entries/x001/234.p/5", "tile/7/999"];
        for text in good {
            assert_eq!(text.parse::<TilePath>().unwrap().to_string(), text);
        }
        let bad = [
            "",
            "tile",
            "tile/0",
            "tile/0/0",
            "tile/0/0000",
            "tile/8/000",
            "tile/00/000",
            "tile/0/x000/001",
            "tile/0/001/002",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/+01",
            "tile/0/000.p/5/",
            "/tile/0/000",
            "tile/entries/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/x01/234",
            "tile/-1/000",
        ];
        for text in bad {
            assert!(text.parse::<TilePath>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_the_specification_counts() {
        let paths = new_tiles(0, 70_000);
        let of = |kind| paths.iter().filter(move |p| p.kind == kind);
        assert_eq!(of(TileKind::Hashes(0)).filter(|p| p.partial.is_none()).count(), 273);
        assert_eq!(of(TileKind::Hashes(0)).filter_map(|p| p.partial).collect::<Vec<_>>(), [112]);
        assert_eq!(
            of(TileKind::Hashes(1)).map(|p| p.partial).collect::<Vec<_>>(),
            [None, Some(17)]
        );
        assert_eq!(of(TileKind::Hashes(2)).map(|p| p.partial).collect::<Vec<_>>(), [Some(1)]);
        assert_eq!(of(TileKind::Entries).count(), 274);
        assert!(new_tiles(5, 5).is_empty());
        let next: Vec<String> = new_tiles(255, 256).iter().map(ToString::to_string).collect();
        assert_eq!(next, ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]);
    }

    #[test]
    fn bundles_round_trip_and_refuse_what_does_not_fit() {
        let entries: [&[u8]; 3] = [b"one", b"", b"three"];
        let bytes = encode_bundle(&entries).unwrap();
        assert_eq!(decode_bundle(&bytes).unwrap(), entries);
        assert!(decode_bundle(&bytes[..bytes.len() - 1]).is_err() && decode_bundle(&[]).is_err());
        assert!(decode_bundle(&[0; 514]).is_err() && decode_bundle(&[0; 512]).is_ok());
        assert!(encode_bundle(&[vec![0; 65_536]]).is_err() && encode_bundle::<&[u8]>(&[]).is_err());
        assert!(parse_tile(&[0; 33]).is_err() && parse_tile(&[]).is_err());
    }
}
