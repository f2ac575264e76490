//! Verifier keys: a name, an algorithm and a public key in one line of text. Pure.
//!
//! `name+keyid+base64(type || key)`, where keyid is the first four bytes of
//! SHA-256(name || "\n" || type || key) in hexadecimal.
//!
//! SOURCE: c2sp.org/signed-note v1.0.0, c2sp.org/tlog-cosignature v1.0.1.

use crate::hash::{base64_decode, base64_encode, excerpt, hex_decode, hex_encode, sha256_parts};
use crate::sign::{PublicKey, SIGNATURE_BYTES, SignError, Signature};
use std::fmt;
use std::str::FromStr;
use zeroize::Zeroizing;

/// LIMIT: bytes of a key name.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// What a key may sign; part of its identity, so a key of one kind never speaks for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// Signs the text of a note (type 0x01).
    Note,
    /// Cosigns checkpoints with the time it saw them, `cosignature/v1` (type 0x04).
    Cosignature,
}

impl KeyKind {
    /// The signature type byte of the specification.
    pub fn type_byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    /// The kind with that type byte. Type 0x06 (ML-DSA-44) is reserved and not yet spoken.
    pub fn from_type_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Note),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// The short identifier of a key; it finds a key and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_encode(&self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Why a key text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Empty, too long, or holding a space, a plus or a control character.
    #[error("`{0}` is not a key name")]
    Name(String),
    /// Not `name+keyid+base64`.
    #[error("`{0}` is not a key of the form name+keyid+base64")]
    Form(String),
    /// A signature type this program does not speak.
    #[error("key `{name}` has the unknown type {type_byte}")]
    Type {
        /// Name in the key.
        name: String,
        /// Type byte in the key.
        type_byte: u8,
    },
    /// The short identifier does not belong to the name and key beside it.
    #[error("key `{0}` carries the identifier of another key")]
    Id(String),
    /// The point is no usable Ed25519 public key.
    #[error("key `{0}` holds no usable public key")]
    Point(String),
}

impl KeyError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Name(_) => "use a name such as xa.example/log, without spaces or plus signs",
            Self::Form(_) => "copy the whole key line as its owner published it",
            Self::Type { .. } => "ask the owner for an Ed25519 key of type 1 or 4",
            Self::Id(_) => "the line was altered or mistyped; fetch it again from its owner",
            Self::Point(_) => "ask the owner to generate a new key",
        }
    }
}

/// Checks a key name against the note format.
pub fn check_key_name(name: &str) -> Result<(), KeyError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > KEY_NAME_BYTES_MAX || name.contains(bad) {
        return Err(KeyError::Name(excerpt(name)));
    }
    Ok(())
}

/// The identifier of a key: SHA-256(name || "\n" || type || key), first four bytes.
pub(crate) fn key_id(name: &str, kind: KeyKind, key: &[u8; 32]) -> KeyId {
    let digest = sha256_parts(&[name.as_bytes(), b"\n", &[kind.type_byte()], key]);
    let [a, b, c, d, ..] = digest.0;
    KeyId([a, b, c, d])
}

/// The parts of a key text; the key bytes may be secret and are wiped.
pub(crate) struct SplitKey<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: KeyId,
    pub(crate) type_byte: u8,
    pub(crate) key: Zeroizing<[u8; 32]>,
}

/// Splits `name+keyid+base64(type || 32 bytes)` and checks all but the bytes' meaning.
pub(crate) fn split_key(text: &str) -> Result<SplitKey<'_>, KeyError> {
    let form = || KeyError::Form(excerpt(text));
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(form());
    };
    check_key_name(name)?;
    let id = hex_decode(id).ok().and_then(|id| id.try_into().ok()).ok_or_else(form)?;
    let bytes = Zeroizing::new(base64_decode(key).map_err(|_| form())?);
    let (type_byte, key) = bytes.split_first().ok_or_else(form)?;
    let key = Zeroizing::new(key.try_into().map_err(|_| form())?);
    Ok(SplitKey { name, id: KeyId(id), type_byte: *type_byte, key })
}

/// A public key with the name and kind it signs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    id: KeyId,
    key: PublicKey,
}

impl VerifierKey {
    /// Binds a public key to a name and a kind.
    pub fn new(name: &str, kind: KeyKind, key: PublicKey) -> Result<Self, KeyError> {
        check_key_name(name)?;
        let id = key_id(name, kind, &key.to_bytes());
        Ok(Self { name: name.to_owned(), kind, id, key })
    }

    /// The name the key signs under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the key may sign.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The short identifier.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The Ed25519 key.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Checks the signature bytes of a note line over the note's text. For a cosignature the answer
    /// is the time the cosigner states, in seconds since 1970; for a note signature nothing.
    pub(crate) fn verify_line(&self, text: &str, bytes: &[u8]) -> Result<Option<u64>, SignError> {
        match self.kind {
            KeyKind::Note => {
                let signature: &Signature = bytes.try_into().map_err(|_| SignError::Bad)?;
                self.key.verify(text.as_bytes(), signature).map(|()| None)
            }
            KeyKind::Cosignature => {
                let (time, rest) = bytes.split_first_chunk::<8>().ok_or(SignError::Bad)?;
                let signature: &Signature = rest.try_into().map_err(|_| SignError::Bad)?;
                let time = u64::from_be_bytes(*time);
                let message = cosignature_message(time, text).ok_or(SignError::Bad)?;
                self.key.verify(message.as_bytes(), signature).map(|()| Some(time))
            }
        }
    }
}

/// The text a cosigner signs; `None` where the time exceeds 2^63 - 1.
pub(crate) fn cosignature_message(time: u64, text: &str) -> Option<String> {
    i64::try_from(time).ok()?;
    Some(format!("cosignature/v1\ntime {time}\n{text}"))
}

/// Length of the timestamped signature of a cosignature line.
pub(crate) const COSIGNATURE_BYTES: usize = SIGNATURE_BYTES + 8;

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![self.kind.type_byte()];
        bytes.extend_from_slice(&self.key.to_bytes());
        write!(f, "{}+{}+{}", self.name, self.id, base64_encode(&bytes))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let SplitKey { name, id, type_byte, key } = split_key(text)?;
        let unknown = || KeyError::Type { name: excerpt(name), type_byte };
        let kind = KeyKind::from_type_byte(type_byte).ok_or_else(unknown)?;
        if key_id(name, kind, &key) != id {
            return Err(KeyError::Id(excerpt(name)));
        }
        let key = PublicKey::from_bytes(&key).map_err(|_| KeyError::Point(excerpt(name)))?;
        Ok(Self { name: name.to_owned(), kind, id, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn the_published_key_round_trips() {
        let key: VerifierKey = VKEY.parse().unwrap();
        assert_eq!(key.to_string(), VKEY);
        assert_eq!((key.name(), key.kind()), ("example.com/foo", KeyKind::Note));
    }

    #[test]
    fn an_altered_key_says_what_is_wrong() {
        let with = |from: &str, to: &str| VKEY.replace(from, to).parse::<VerifierKey>();
        assert!(matches!(with("530d", "530e"), Err(KeyError::Id(_))));
        assert!(matches!(with("foo", "fop"), Err(KeyError::Id(_))));
        assert!(matches!(with("+Ae", "+Be"), Err(KeyError::Type { type_byte: 5, .. })));
        assert!(matches!(with("530d903a", "530D903A"), Err(KeyError::Form(_))));
        assert!(matches!(with("example", "exa mple"), Err(KeyError::Name(_))));
        assert!(matches!("a".parse::<VerifierKey>(), Err(KeyError::Form(_))));
        assert!(check_key_name(&"a".repeat(256)).is_err() && check_key_name("").is_err());
    }
}
