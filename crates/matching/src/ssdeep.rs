//! ssdeep digests: their likeness, and the pieces by which like ones are found. Pure.
//!
//! SOURCE: J. Kornblum, "Identifying almost identical files using context triggered piecewise
//! hashing", Digital Investigation 3S (2006); scores as PyPI `ppdeep` gives them.
//!
//! INVARIANT: two different digests with a likeness above 0 share a [`Ssdeep::pieces`] entry, so
//! that looking pieces up finds every like digest.

use std::collections::BTreeSet;
use std::fmt;

/// LIMIT: characters of each half.
const HALF_MAX: usize = 64;
/// Characters two digests must share in a row to be like at all.
const PIECE: usize = 7;
/// Characters of one kind in a row that say something.
const RUN_MAX: usize = 3;
/// The smallest block.
const BLOCK_MIN: u64 = 3;
/// LIMIT: doublings of the smallest block.
const LEVEL_MAX: u8 = 31;
/// Above this level a block is so long that small overlaps count in full.
const LEVEL_FULL: u8 = 4;

/// A digest, with runs of more than three equal characters shortened, as every comparison does.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ssdeep {
    level: u8,
    one: Vec<u8>,
    two: Vec<u8>,
}

/// Seven characters in a row and the size of the blocks they stand for.
pub type Piece = (u8, u64);

impl Ssdeep {
    /// Reads `block:half:half`; a file name after a comma is passed over.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.split(',').next()?;
        let mut parts = text.split(':');
        let (block, one, two) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || !block.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let block: u64 = block.parse().ok()?;
        let level = (0..=LEVEL_MAX).find(|level| BLOCK_MIN << level == block)?;
        let half = |text: &str| {
            let fits = text.len() <= HALF_MAX && text.bytes().all(|b| six_bits(b).is_some());
            fits.then(|| shortened(text.as_bytes()))
        };
        let (one, two) = (half(one)?, half(two)?);
        (!one.is_empty()).then_some(Self { level, one, two })
    }

    /// How alike two digests are, from 0 to 100. Cost: two edit distances of at most 64 characters.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> u8 {
        if self == other {
            return 100;
        }
        let doubled = |level: u8| level.saturating_add(1);
        if self.level == other.level {
            let one = score(&self.one, &other.one, self.level);
            return one.max(score(&self.two, &other.two, doubled(self.level)));
        }
        if doubled(self.level) == other.level {
            return score(&self.two, &other.one, other.level);
        }
        if doubled(other.level) == self.level {
            return score(&self.one, &other.two, self.level);
        }
        0
    }

    /// What a like digest shares at least one of; at most 116.
    #[must_use]
    pub fn pieces(&self) -> BTreeSet<Piece> {
        let halves = [(self.level, &self.one), (self.level.saturating_add(1), &self.two)];
        halves
            .iter()
            .flat_map(|(level, half)| half.windows(PIECE).map(|piece| (*level, packed(piece))))
            .collect()
    }
}

impl fmt::Display for Ssdeep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let half = |half: &[u8]| half.iter().copied().map(char::from).collect::<String>();
        write!(f, "{}:{}:{}", BLOCK_MIN << self.level, half(&self.one), half(&self.two))
    }
}

fn six_bits(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte.wrapping_sub(b'A'),
        b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
        b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

fn packed(piece: &[u8]) -> u64 {
    piece.iter().fold(0, |all, byte| all << 6 | u64::from(six_bits(*byte).unwrap_or(0)))
}

fn shortened(text: &[u8]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for byte in text {
        let run = out.iter().rev().take_while(|before| *before == byte).count();
        if run < RUN_MAX {
            out.push(*byte);
        }
    }
    out
}

fn score(a: &[u8], b: &[u8], level: u8) -> u8 {
    let pieces: BTreeSet<&[u8]> = a.windows(PIECE).collect();
    if !b.windows(PIECE).any(|piece| pieces.contains(piece)) {
        return 0;
    }
    let whole = HALF_MAX;
    let both = a.len().saturating_add(b.len());
    let apart = distance(a, b).saturating_mul(whole).checked_div(both).unwrap_or(whole);
    let apart = apart.saturating_mul(100).checked_div(whole).unwrap_or(100);
    let alike = 100_usize.saturating_sub(apart);
    let short = a.len().min(b.len());
    // WHY: of a small file a short overlap says little.
    let most = if level >= LEVEL_FULL { 100 } else { short.saturating_mul(1 << level) };
    u8::try_from(alike.min(most)).unwrap_or(100)
}

/// Insertions, deletions and replacements cost 1 each.
/// WHY: as `ppdeep` counts, which the vectors are made with; the C program may weigh a replacement
/// higher and then gives a lower score.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (at, here) in a.iter().enumerate() {
        let mut diagonal = at;
        let mut left = at.saturating_add(1);
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, there) in row.iter_mut().skip(1).zip(b) {
            let replaced = diagonal.saturating_add(if here == there { 0 } else { 1 });
            let best = replaced.min(left.saturating_add(1)).min(cell.saturating_add(1));
            diagonal = *cell;
            *cell = best;
            left = best;
        }
    }
    row.last().copied().unwrap_or(0)
}
