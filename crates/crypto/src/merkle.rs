//! The log tree: leaf and node hashes, and the checks of every kind of proof. Pure.
//!
//! SOURCE: RFC 6962 section 2.1, RFC 9162 section 2.1 (proof checks),
//! draft-ietf-plants-merkle-tree-certs section 4 (subtrees).
//!
//! Cost: a check hashes at most twice per proof element; a proof has at most 64.

use crate::Digest;
use crate::hash::{sha256, sha256_parts};

/// LIMIT: a proof in a tree of less than 2^63 leaves never has more elements.
pub const PROOF_HASHES_MAX: usize = 64;

/// LIMIT: the largest tree, so that sizes fit the signed integers other implementations use.
pub const TREE_SIZE_MAX: u64 = i64::MAX as u64;

/// Why a proof was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The leaf is not in a tree of that size.
    #[error("leaf {index} is outside a tree of {size} leaves")]
    IndexOutside {
        /// Leaf asked about.
        index: u64,
        /// Leaves in the tree.
        size: u64,
    },
    /// The old tree is larger than the new one.
    #[error("a tree of {old} leaves cannot be a beginning of one of {new}")]
    SizeBackwards {
        /// Leaves in the old tree.
        old: u64,
        /// Leaves in the new tree.
        new: u64,
    },
    /// Every tree begins with the empty one, so such a proof says nothing.
    #[error("a proof from the empty tree says nothing")]
    FromEmpty,
    /// The range is not a subtree of any log tree.
    #[error("leaves {start} to {end} are not a subtree")]
    NotASubtree {
        /// First leaf of the range.
        start: u64,
        /// One past the last leaf.
        end: u64,
    },
    /// Too few or too many hashes.
    #[error("a proof of {got} hashes has the wrong length")]
    Length {
        /// Hashes in the proof.
        got: usize,
    },
    /// The proof leads to another root than the one claimed.
    #[error("the proof leads to another root")]
    RootMismatch,
}

/// Root of the tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    sha256(&[])
}

/// Hash of a leaf: SHA-256(0x00 || entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    sha256_parts(&[&[0x00], entry])
}

/// Hash of an inner node: SHA-256(0x01 || left || right). Cost: two compressions.
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    sha256_parts(&[&[0x01], &left.0, &right.0])
}

/// Root over leaf hashes. Cost: one node hash per leaf, no allocation beyond 64 peaks.
pub fn root(leaves: &[Digest]) -> Digest {
    let mut stack: Vec<(u32, Digest)> = Vec::with_capacity(PROOF_HASHES_MAX);
    for leaf in leaves {
        let mut level = 0_u32;
        let mut hash = *leaf;
        while let Some((_, left)) = stack.pop_if(|(peak, _)| *peak == level) {
            hash = node_hash(&left, &hash);
            level = level.saturating_add(1);
        }
        stack.push((level, hash));
    }
    fold_peaks(stack.iter().map(|(_, hash)| hash))
}

/// Joins the roots of complete subtrees, leftmost first, into one root.
pub(crate) fn fold_peaks<'a>(peaks: impl DoubleEndedIterator<Item = &'a Digest>) -> Digest {
    peaks
        .rev()
        .fold(None, |right: Option<Digest>, left| match right {
            None => Some(*left),
            Some(right) => Some(node_hash(left, &right)),
        })
        .unwrap_or_else(empty_root)
}

/// Checks that the leaf hash `leaf` stands at `index` of the tree of `size` leaves with `root`.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Digest,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutside { index, size });
    }
    let wrong_length = ProofError::Length { got: proof.len() };
    let (mut at, mut last, mut hash) = (index, size.wrapping_sub(1), *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(wrong_length);
        }
        if at & 1 == 1 || at == last {
            hash = node_hash(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(wrong_length);
    }
    if hash == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}

/// Checks that the tree of `new` leaves with `new_root` begins with the tree of `old` leaves with
/// `old_root`.
///
/// WHY: a proof from size 0 is refused, as in transparency-dev/merkle: it would bind nothing.
/// Whoever has seen nothing yet (a witness at size 0) handles that before asking.
pub fn verify_consistency(
    old: u64,
    new: u64,
    proof: &[Digest],
    old_root: &Digest,
    new_root: &Digest,
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::SizeBackwards { old, new });
    }
    if old == new {
        let wrong_length = ProofError::Length { got: proof.len() };
        let same = old_root == new_root && (old != 0 || *old_root == empty_root());
        return match (proof.is_empty(), same) {
            (true, true) => Ok(()),
            (true, false) => Err(ProofError::RootMismatch),
            (false, _) => Err(wrong_length),
        };
    }
    if old == 0 {
        return Err(ProofError::FromEmpty);
    }
    chain_subtree(Range { start: 0, end: old, size: new }, proof, old_root, new_root)
}

/// Checks that the leaf stands at `index` of the subtree over leaves `start..end` with root `root`.
pub fn verify_subtree_inclusion(
    index: u64,
    range: std::ops::Range<u64>,
    leaf: &Digest,
    proof: &[Digest],
    root: &Digest,
) -> Result<(), ProofError> {
    let (start, end) = (range.start, range.end);
    if !is_subtree(start, end) || start == end {
        return Err(ProofError::NotASubtree { start, end });
    }
    if index < start || index >= end {
        return Err(ProofError::IndexOutside { index, size: end });
    }
    verify_inclusion(index.wrapping_sub(start), end.wrapping_sub(start), leaf, proof, root)
}

/// Checks that the tree of `size` leaves with `root` contains the subtree over `range` with
/// `subtree_root`. The empty range is part of every tree and takes an empty proof.
pub fn verify_subtree_consistency(
    range: std::ops::Range<u64>,
    size: u64,
    proof: &[Digest],
    subtree_root: &Digest,
    root: &Digest,
) -> Result<(), ProofError> {
    let (start, end) = (range.start, range.end);
    if end > size {
        return Err(ProofError::SizeBackwards { old: end, new: size });
    }
    if !is_subtree(start, end) {
        return Err(ProofError::NotASubtree { start, end });
    }
    if start < end {
        return chain_subtree(Range { start, end, size }, proof, subtree_root, root);
    }
    match (proof.is_empty(), *subtree_root == empty_root()) {
        (true, true) => Ok(()),
        (true, false) => Err(ProofError::RootMismatch),
        (false, _) => Err(ProofError::Length { got: proof.len() }),
    }
}

/// Whether `start..end` is empty or starts at a multiple of the next power of two of its length.
fn is_subtree(start: u64, end: u64) -> bool {
    let aligned = |length: u64| match length.checked_next_power_of_two() {
        Some(power) => start & power.wrapping_sub(1) == 0,
        None => start == 0,
    };
    end.checked_sub(start).is_some_and(aligned)
}

/// A non-empty subtree within a tree.
struct Range {
    start: u64,
    end: u64,
    size: u64,
}

/// Walks a subtree consistency proof upwards, rebuilding both roots.
fn chain_subtree(
    range: Range,
    proof: &[Digest],
    subtree_root: &Digest,
    root: &Digest,
) -> Result<(), ProofError> {
    let wrong_length = ProofError::Length { got: proof.len() };
    let mut first = range.start;
    let mut last = range.end.wrapping_sub(1);
    let mut edge = range.size.wrapping_sub(1);
    let whole = last == edge;
    while first != last && (whole || last & 1 == 1) {
        (first, last, edge) = (first >> 1, last >> 1, edge >> 1);
    }
    let (seed, rest) = if first == last {
        (subtree_root, proof)
    } else {
        proof.split_first().ok_or(wrong_length)?
    };
    let (mut small, mut large) = (*seed, *seed);
    for sibling in rest {
        if edge == 0 {
            return Err(wrong_length);
        }
        if last & 1 == 1 || last == edge {
            if first < last {
                small = node_hash(sibling, &small);
            }
            large = node_hash(sibling, &large);
            while last & 1 == 0 && last != 0 {
                (first, last, edge) = (first >> 1, last >> 1, edge >> 1);
            }
        } else {
            large = node_hash(&large, sibling);
        }
        (first, last, edge) = (first >> 1, last >> 1, edge >> 1);
    }
    if edge != 0 {
        return Err(wrong_length);
    }
    if small == *subtree_root && large == *root { Ok(()) } else { Err(ProofError::RootMismatch) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hex_encode;

    #[test]
    fn the_empty_tree_and_the_first_leaf_match_rfc_6962() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex_encode(&root(&[]).0), empty);
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        assert_eq!(hex_encode(&leaf_hash(b"").0), leaf);
        assert_eq!(root(&[leaf_hash(b"")]), leaf_hash(b""));
    }

    #[test]
    fn three_leaves_split_at_the_largest_power_of_two() {
        let [a, b, c] = [leaf_hash(b"a"), leaf_hash(b"b"), leaf_hash(b"c")];
        let ab = node_hash(&a, &b);
        let abc = node_hash(&ab, &c);
        assert_eq!(root(&[a, b, c]), abc);
        assert_eq!(verify_inclusion(2, 3, &c, &[ab], &abc), Ok(()));
        assert_eq!(verify_inclusion(0, 3, &a, &[b, c], &abc), Ok(()));
        assert_eq!(verify_inclusion(0, 3, &a, &[b], &abc), Err(ProofError::Length { got: 1 }));
        assert_eq!(verify_consistency(2, 3, &[c], &ab, &abc), Ok(()));
        assert_eq!(verify_consistency(2, 3, &[a], &ab, &abc), Err(ProofError::RootMismatch));
        assert_eq!(verify_consistency(0, 3, &[], &empty_root(), &abc), Err(ProofError::FromEmpty));
    }
}
