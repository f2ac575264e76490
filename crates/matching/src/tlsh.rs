//! TLSH digests: their distance, and the bands by which near ones are found. Pure.
//!
//! SOURCE: J. Oliver, C. Cheng, Y. Chen, "TLSH: a locality sensitive hash", CTC 2013; distances as
//! the reference program gives them (128 buckets, one byte of checksum, length counted).
//!
//! INVARIANT: digests at a distance of at most [`COMPLETE`] share a probed band, so that looking
//! bands up finds every one of them.

use crate::normal::unhex;
use std::fmt;

/// Bytes of a digest: checksum, length, two ratios in one byte, 128 quarters of two bits.
const BYTES: usize = 35;
/// Bands of the body, of two bytes each.
pub const BANDS: u8 = 16;
/// The greatest distance up to which the bands find everything: 16 bands, in one of which less
/// than two quarters may differ by one step each.
pub const COMPLETE: u32 = 31;
/// What one step too many in length or ratio costs.
const STEP: u32 = 12;
/// What a quarter at the other end costs.
const FAR: u32 = 6;

/// A digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tlsh([u8; BYTES]);

impl Tlsh {
    /// Reads 70 hexadecimal digits, with `T1` before them or without.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = match text.len() {
            72 => text.strip_prefix("T1").or_else(|| text.strip_prefix("t1"))?,
            _ => text,
        };
        if digits.len() != 70 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        unhex(digits)?.try_into().ok().map(Self)
    }

    /// How far two digests are apart: 0 for the same, about 30 for versions of one file, above 200
    /// for files that have nothing in common.
    #[must_use]
    pub fn distance(&self, other: &Self) -> u32 {
        let ([sum_a, length_a, ratio_a, body_a @ ..], [sum_b, length_b, ratio_b, body_b @ ..]) =
            (self.0, other.0);
        // WHY: the digits of the first three bytes are written in reverse.
        let (length_a, length_b) = (length_a.rotate_left(4), length_b.rotate_left(4));
        let length = around(length_a, length_b, 256);
        let length = if length <= 1 { length } else { length.saturating_mul(STEP) };
        let ratio = |a: u8, b: u8| match around(a, b, 16) {
            near @ 0..=1 => near,
            far => far.saturating_sub(1).saturating_mul(STEP),
        };
        let ratios =
            ratio(ratio_a >> 4, ratio_b >> 4).saturating_add(ratio(ratio_a & 15, ratio_b & 15));
        let checksum = u32::from(sum_a != sum_b);
        let body = body_a.iter().zip(body_b).map(|(a, b)| quarters(*a, b));
        body.fold(length.saturating_add(ratios).saturating_add(checksum), u32::saturating_add)
    }

    /// Its bands, each with its number.
    pub fn bands(&self) -> impl Iterator<Item = (u8, [u8; 2])> + '_ {
        let body = self.0.get(3..).unwrap_or_default();
        (0..BANDS).zip(body.chunks_exact(2).filter_map(|pair| pair.try_into().ok()))
    }

    /// Its bands and those one step away in one quarter: at most 17 for each band.
    pub fn probes(&self) -> impl Iterator<Item = (u8, [u8; 2])> + '_ {
        self.bands().flat_map(|(number, band)| {
            let whole = u16::from_be_bytes(band);
            let steps = (0..8_u32).flat_map(move |at| {
                let shift = at.saturating_mul(2);
                let quarter = whole >> shift & 3;
                let with = move |q: u16| whole & !(3 << shift) | q << shift;
                let down = quarter.checked_sub(1).map(with);
                let up = (quarter < 3).then(|| with(quarter.saturating_add(1)));
                down.into_iter().chain(up)
            });
            std::iter::once(whole).chain(steps).map(move |near| (number, near.to_be_bytes()))
        })
    }
}

impl fmt::Display for Tlsh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("T1")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// The shorter way round a ring.
fn around(a: u8, b: u8, ring: u32) -> u32 {
    let straight = u32::from(a.abs_diff(b));
    straight.min(ring.saturating_sub(straight))
}

fn quarters(a: u8, b: u8) -> u32 {
    (0..4_u32)
        .map(|at| {
            let shift = at.saturating_mul(2);
            match (a >> shift & 3).abs_diff(b >> shift & 3) {
                3 => FAR,
                near => u32::from(near),
            }
        })
        .fold(0, u32::saturating_add)
}
