//! SHA-256, text encodings of bytes, and the salted commitments that make erasure possible. Pure.
//!
//! MD5 is here for one foreign format that is built on it, and protects nothing.
//!
//! SOURCE: FIPS 180-4 (SHA-256), RFC 4648 section 4 (base64, canonical only), house design 3.6.

use crate::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::Digest as _;
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// Domain separator of [`commitment`].
const COMMITMENT_DOMAIN: &[u8] = b"entente/c/v1";

/// Why a text could not be turned into bytes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EncodingError {
    /// Not canonical padded base64.
    #[error("`{0}` is not canonical base64")]
    Base64(String),
    /// Not an even number of lower-case hexadecimal digits.
    #[error("`{0}` is not lower-case hexadecimal")]
    Hex(String),
    /// The bytes are well encoded but of the wrong number.
    #[error("`{text}` encodes {got} bytes where {want} are required")]
    Length {
        /// The beginning of the text as given.
        text: String,
        /// Bytes required.
        want: usize,
        /// Bytes found.
        got: usize,
    },
}

/// SHA-256 of one byte string. Cost: one compression per 64 bytes.
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest(Sha256::digest(bytes).into())
}

/// MD5 as 32 lower-case hexadecimal digits, for formats that index by it.
///
/// WHY: broken as a protection, so no type of digest and nothing of Entente's own uses it.
/// SOURCE: RFC 1321; RFC 6151.
pub fn md5_hex(bytes: &[u8]) -> String {
    hex_encode(&md5::Md5::digest(bytes))
}

/// SHA-256 of the concatenation of `parts`, without copying them.
pub fn sha256_parts(parts: &[&[u8]]) -> Digest {
    let mut state = Sha256::new();
    for part in parts {
        state.update(part);
    }
    Digest(state.finalize().into())
}

/// SHA-256 of bytes that arrive piece by piece.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A hasher that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `bytes` to what was hashed.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything added.
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(..)")
    }
}

/// Commits to one field of a log entry: SHA-256("entente/c/v1" || u64 length of `field` || `field`
/// || `salt` || `value`).
///
/// INVARIANT: `salt` is 32 fresh random bytes kept beside the value only; destroying both leaves a
/// commitment that says nothing, and the log proofs unchanged. Never share a salt between fields.
pub fn commitment(field: &str, salt: &[u8; 32], value: &[u8]) -> Digest {
    let length = (field.len() as u64).to_be_bytes();
    sha256_parts(&[COMMITMENT_DOMAIN, &length, field.as_bytes(), salt, value])
}

/// Compares two byte strings in time that depends on their lengths only.
pub fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// Lower-case hexadecimal of `bytes`.
pub fn hex_encode(bytes: &[u8]) -> String {
    let digit = |nibble: u8| match nibble {
        0..=9 => char::from(nibble | b'0'),
        _ => char::from(nibble.wrapping_sub(10).wrapping_add(b'a')),
    };
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0x0f)]).collect()
}

/// Bytes of a lower-case hexadecimal text.
pub fn hex_decode(text: &str) -> Result<Vec<u8>, EncodingError> {
    let refuse = || EncodingError::Hex(excerpt(text));
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return Err(refuse());
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte & 0x0f),
        b'a'..=b'f' => Some((byte & 0x0f).wrapping_add(9)),
        _ => None,
    };
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? << 4 | digit(pair[1])?);
    pairs.iter().map(byte).collect::<Option<_>>().ok_or_else(refuse)
}

/// Standard padded base64 of `bytes`.
pub fn base64_encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of a standard padded base64 text; whitespace, missing padding and stray bits are refused.
pub fn base64_decode(text: &str) -> Result<Vec<u8>, EncodingError> {
    STANDARD.decode(text).map_err(|_| EncodingError::Base64(excerpt(text)))
}

/// Exactly `N` bytes of a standard padded base64 text.
pub fn base64_decode_array<const N: usize>(text: &str) -> Result<[u8; N], EncodingError> {
    let bytes = base64_decode(text)?;
    let got = bytes.len();
    bytes.try_into().map_err(|_| EncodingError::Length { text: excerpt(text), want: N, got })
}

/// The first 32 characters of an input, for an error message of bounded size.
pub(crate) fn excerpt(text: &str) -> String {
    let mut head: String = text.chars().take(32).collect();
    if head.len() < text.len() {
        head.push('…');
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sha256_of_abc_is_the_published_one() {
        let want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex_encode(&sha256(b"abc").0), want);
        assert_eq!(sha256_parts(&[b"a", b"", b"bc"]), sha256(b"abc"));
        let mut piecewise = Hasher::new();
        piecewise.update(b"ab");
        piecewise.update(b"c");
        assert_eq!(piecewise.finish(), sha256(b"abc"));
    }

    #[test]
    fn a_commitment_separates_field_from_value() {
        let salt = [7; 32];
        assert_ne!(commitment("ab", &salt, b"c"), commitment("a", &salt, b"bc"));
        assert_ne!(commitment("a", &salt, b"c"), commitment("a", &[8; 32], b"c"));
        let bytes = [b"entente/c/v1".as_slice(), &[0, 0, 0, 0, 0, 0, 0, 1], b"a", &salt, b"c"];
        assert_eq!(commitment("a", &salt, b"c"), sha256(&bytes.concat()));
    }

    #[test]
    fn encodings_are_canonical_or_refused() {
        assert_eq!(hex_decode("00ff1a").unwrap(), [0, 255, 26]);
        for bad in ["0", "0F", "zz", "0 "] {
            assert!(hex_decode(bad).is_err(), "{bad}");
        }
        assert_eq!(base64_decode("AAE=").unwrap(), [0, 1]);
        for bad in ["AAE", "AAF=", "AAE=\n", " AAE="] {
            assert!(base64_decode(bad).is_err(), "{bad}");
        }
        assert!(base64_decode_array::<3>("AAE=").is_err());
        assert!(same_bytes(b"ab", b"ab") && !same_bytes(b"ab", b"ac") && !same_bytes(b"a", b"ab"));
    }
}
