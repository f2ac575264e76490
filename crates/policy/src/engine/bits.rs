//! Fixed-width bit sets: membership, union and difference in a few instructions. Pure.

/// A set of numbers below `64 * N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bits<const N: usize>([u64; N]);

impl<const N: usize> Bits<N> {
    /// The empty set.
    pub const EMPTY: Self = Self([0; N]);

    /// Adds `id`; a number outside the width is not added (the compiler refuses such tables).
    pub(crate) fn insert(&mut self, id: u32) {
        if let Some(word) = self.0.get_mut((id >> 6) as usize) {
            *word |= 1_u64.wrapping_shl(id & 63);
        }
    }

    /// Whether `id` is in the set.
    #[must_use]
    pub fn contains(&self, id: u32) -> bool {
        self.0.get((id >> 6) as usize).is_some_and(|w| w.wrapping_shr(id & 63) & 1 == 1)
    }

    /// Whether nothing is in the set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|w| *w == 0)
    }

    /// How many are in the set.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.0.iter().fold(0, |n, w| n.saturating_add(w.count_ones()))
    }

    /// Whether the two share a member.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= b;
        }
    }

    pub(crate) fn keep(&mut self, other: &Self) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a &= b;
        }
    }

    pub(crate) fn add_all_but(&mut self, other: &Self) {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a |= !b;
        }
    }

    pub(crate) fn minus(mut self, other: &Self) -> Self {
        for (a, b) in self.0.iter_mut().zip(&other.0) {
            *a &= !b;
        }
        self
    }

    pub(crate) fn union(mut self, other: &Self) -> Self {
        self.add(other);
        self
    }

    /// The members, smallest first.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0_u32..).zip(&self.0).flat_map(|(n, word)| {
            (0_u32..64).filter(move |b| word.wrapping_shr(*b) & 1 == 1).map(move |b| (n << 6) | b)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_come_back_in_order_and_out_of_range_is_absent() {
        let mut bits = Bits::<4>::EMPTY;
        for id in [200, 3, 64, 255, 999] {
            bits.insert(id);
        }
        assert_eq!(bits.iter().collect::<Vec<_>>(), [3, 64, 200, 255]);
        assert!(!bits.contains(999) && !bits.contains(u32::MAX) && bits.contains(64));
        assert_eq!(bits.count(), 4);
    }

    #[test]
    fn everything_outside_an_allow_list_is_added() {
        let (mut out, mut allowed) = (Bits::<1>::EMPTY, Bits::<1>::EMPTY);
        allowed.insert(5);
        out.add_all_but(&allowed);
        assert_eq!(out.count(), 63);
        assert!(!out.contains(5) && out.meets(&allowed.union(&out)));
        assert!(out.minus(&out).is_empty());
    }
}
