//! Chance that repeats: one seed, one sequence. Pure.
//!
//! SOURCE: SplitMix64 (Steele, Lea, Flood 2014). Good enough to choose events and to draw the
//! throw-away keys of fictional states; no secret outside a simulation is drawn from it.

use crypto::entropy::Entropy;

/// A seeded sequence of numbers.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent sequence under the same seed.
    #[must_use]
    pub fn named(seed: u64, name: &str) -> Self {
        let digest = crypto::hash::sha256_parts(&[&seed.to_be_bytes(), name.as_bytes()]);
        let first = digest.0.first_chunk::<8>().map_or(seed, |part| u64::from_be_bytes(*part));
        Self(first)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 where the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let drawn = self.number().checked_rem(limit).unwrap_or(0);
        usize::try_from(drawn).unwrap_or(0)
    }

    /// True in this many cases of a hundred.
    pub fn often(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.saturating_sub(low).saturating_add(1);
        let drawn = self.below(usize::try_from(span).unwrap_or(1));
        low.saturating_add(i64::try_from(drawn).unwrap_or(0))
    }

    /// Some of a list, each with this chance in a hundred, in order.
    pub fn some<T: Clone>(&mut self, list: &[T], percent: usize) -> Vec<T> {
        list.iter().filter(|_| self.often(percent)).cloned().collect()
    }
}

impl Entropy for Chance {
    fn fill(&mut self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let bytes = self.number().to_le_bytes();
            for (slot, byte) in chunk.iter_mut().zip(bytes) {
                *slot = byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_sequence() {
        let (mut a, mut b) = (Chance::named(7, "x"), Chance::named(7, "x"));
        let (mut one, mut other) = ([0_u8; 13], [0_u8; 13]);
        a.fill(&mut one);
        b.fill(&mut other);
        assert_eq!(one, other);
        assert_ne!(Chance::named(7, "x").number(), Chance::named(7, "y").number());
        assert!((0..100).all(|_| a.below(3) < 3 && (2..=4).contains(&a.between(2, 4))));
        assert_eq!(a.below(0), 0);
    }
}
