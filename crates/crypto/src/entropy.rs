//! Where chance comes in: one trait, handed down by the edge. Pure.
//!
//! INVARIANT: this crate never asks the operating system for randomness; whoever calls decides.

use hpke::rand_core::{TryCryptoRng, TryRng};
use std::convert::Infallible;
use zeroize::Zeroizing;

/// A source of secret, uniformly random bytes.
///
/// The edge implements it over the operating system and stops the program when that fails, so
/// `fill` has no error; a simulation implements it from its seed.
pub trait Entropy {
    /// Fills `out` completely with fresh random bytes.
    fn fill(&mut self, out: &mut [u8]);
}

/// Draws `N` random bytes; wiped when dropped.
pub fn random_array<const N: usize>(entropy: &mut dyn Entropy) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0_u8; N]);
    entropy.fill(out.as_mut_slice());
    out
}

/// Lets a library that wants a `rand_core` generator draw from [`Entropy`].
pub(crate) struct LibraryRng<'a>(pub(crate) &'a mut dyn Entropy);

impl TryRng for LibraryRng<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut word = [0_u8; 4];
        self.0.fill(&mut word);
        Ok(u32::from_le_bytes(word))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut word = [0_u8; 8];
        self.0.fill(&mut word);
        Ok(u64::from_le_bytes(word))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(out);
        Ok(())
    }
}

impl TryCryptoRng for LibraryRng<'_> {}

#[cfg(test)]
pub(crate) mod seeded {
    use super::Entropy;
    use crate::hash::sha256_parts;

    /// Reproducible bytes for unit tests: SHA-256 of seed and counter.
    pub(crate) struct Seeded(pub(crate) u64, pub(crate) u64);

    impl Entropy for Seeded {
        fn fill(&mut self, out: &mut [u8]) {
            for chunk in out.chunks_mut(32) {
                let block = sha256_parts(&[&self.0.to_be_bytes(), &self.1.to_be_bytes()]);
                self.1 += 1;
                chunk.copy_from_slice(&block.0[..chunk.len()]);
            }
        }
    }
}
