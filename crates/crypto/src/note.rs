//! Signed notes: a text and the signature lines under it. Pure.
//!
//! Everything a member signs (directory, agreement, manifest, checkpoint) is a note. The text means
//! nothing until [`Note::verify`] has answered.
//!
//! SOURCE: c2sp.org/signed-note v1.0.0.

use crate::hash::{base64_decode, base64_encode, excerpt};
use crate::sign::Signer;
use crate::vkey::{KeyId, KeyKind, VerifierKey, check_key_name};
use std::fmt;
use std::str::FromStr;

/// LIMIT: bytes of a whole note.
pub const NOTE_BYTES_MAX: usize = 1_048_576;

/// LIMIT: signature lines of a note (the specification asks for at least 16).
pub const NOTE_SIGNATURES_MAX: usize = 64;

/// LIMIT: bytes of one signature (ML-DSA-87 has 4,627).
const SIGNATURE_LINE_BYTES_MAX: usize = 8_192;

/// What begins a signature line: em dash and space.
const SIGNATURE_MARK: &str = "— ";

/// Why a note was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// LIMIT: [`NOTE_BYTES_MAX`].
    #[error("a note of {0} bytes is too long")]
    TooLong(usize),
    /// The bytes are not UTF-8.
    #[error("the note is not UTF-8")]
    NotUtf8,
    /// A control character other than the newline.
    #[error("the note holds the control character {0:#04x}")]
    Control(u32),
    /// The text does not end with a newline.
    #[error("the text of the note does not end with a newline")]
    Unterminated,
    /// No blank line with signatures after it.
    #[error("the note has no signatures")]
    Unsigned,
    /// A line below the text that is not a signature line.
    #[error("`{0}` is not a signature line")]
    SignatureLine(String),
    /// LIMIT: [`NOTE_SIGNATURES_MAX`].
    #[error("the note has more than 64 signatures")]
    TooManySignatures,
    /// A signature claims to be by a known key and is not.
    #[error("the signature by `{0}` does not verify")]
    BadSignature(String),
    /// None of the signatures is by a known key.
    #[error("no known key signed the note")]
    NoKnownSignature,
    /// A key of this kind cannot make this kind of signature.
    #[error("key `{0}` is not of the kind that makes this signature")]
    KeyKind(String),
}

impl NoteError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::TooLong(_) | Self::TooManySignatures => "send a shorter note",
            Self::NotUtf8 | Self::Control(_) | Self::Unterminated => {
                "write the text as UTF-8 lines, each ended by a newline"
            }
            Self::Unsigned | Self::SignatureLine(_) => "send the note complete and unaltered",
            Self::BadSignature(_) => {
                "the text was altered or signed by another key; ask the signer"
            }
            Self::NoKnownSignature => "add the key of the signer to the directory, if you trust it",
            Self::KeyKind(_) => "use a note key for notes and a cosignature key for cosignatures",
        }
    }
}

/// One line under a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: KeyId,
    bytes: Vec<u8>,
}

impl NoteSignature {
    /// A line with the signature `bytes` by `key`.
    pub(crate) fn new(key: &VerifierKey, bytes: Vec<u8>) -> Self {
        Self { name: key.name().to_owned(), id: key.id(), bytes }
    }

    /// Name the signature claims; proves nothing.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Key identifier the signature claims; proves nothing.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Whether this line claims to be by `key`.
    pub fn claims(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == key.name()
    }

    /// Checks this line over `text` with the key it claims; answers the time of a cosignature.
    pub fn verify(&self, text: &str, key: &VerifierKey) -> Result<Option<u64>, NoteError> {
        if !self.claims(key) {
            return Err(NoteError::NoKnownSignature);
        }
        let bad = |_| NoteError::BadSignature(key.name().to_owned());
        key.verify_line(text, &self.bytes).map_err(bad)
    }

    /// Bytes of the written line with its newline, at most.
    fn size_bytes(&self) -> usize {
        let encoded = self.bytes.len().saturating_add(8).saturating_mul(4) / 3;
        encoded.saturating_add(self.name.len()).saturating_add(8)
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [self.id.0.as_slice(), &self.bytes].concat();
        write!(f, "{SIGNATURE_MARK}{} {}", self.name, base64_encode(&bytes))
    }
}

impl FromStr for NoteSignature {
    type Err = NoteError;

    fn from_str(line: &str) -> Result<Self, NoteError> {
        let parse = || {
            let (name, text) = line.strip_prefix(SIGNATURE_MARK)?.split_once(' ')?;
            check_key_name(name).ok()?;
            let bytes = base64_decode(text).ok()?;
            let (id, rest) = bytes.split_first_chunk::<4>()?;
            let fits = (1..=SIGNATURE_LINE_BYTES_MAX).contains(&rest.len());
            let signature = Self { name: name.to_owned(), id: KeyId(*id), bytes: rest.to_vec() };
            fits.then_some(signature)
        };
        parse().ok_or_else(|| NoteError::SignatureLine(excerpt(line)))
    }
}

/// One signature that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endorsement {
    /// The key that signed.
    pub key: VerifierKey,
    /// For a cosignature, the time it states in seconds since 1970.
    pub time: Option<u64>,
}

/// A text with signatures, of which nothing is known until they are verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Signs a text with each of the given note keys.
    pub fn sign(text: &str, signers: &[&dyn Signer]) -> Result<Self, NoteError> {
        check_text(text)?;
        let mut note = Self { text: text.to_owned(), signatures: Vec::new() };
        for signer in signers {
            let key = signer.verifier_key();
            if key.kind() != KeyKind::Note {
                return Err(NoteError::KeyKind(key.name().to_owned()));
            }
            note.add(NoteSignature::new(key, signer.sign(text.as_bytes()).to_vec()))?;
        }
        if note.signatures.is_empty() { Err(NoteError::Unsigned) } else { Ok(note) }
    }

    /// Reads a note. Nothing is verified.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(bytes.len()));
        }
        let all = std::str::from_utf8(bytes).map_err(|_| NoteError::NotUtf8)?;
        let (text, lines) = all.rsplit_once("\n\n").ok_or(NoteError::Unsigned)?;
        let text = format!("{text}\n");
        check_text(&text)?;
        check_characters(lines)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Unsigned)?;
        let mut signatures = Vec::new();
        for line in lines.split('\n') {
            if signatures.len() >= NOTE_SIGNATURES_MAX {
                return Err(NoteError::TooManySignatures);
            }
            signatures.push(line.parse()?);
        }
        Ok(Self { text, signatures })
    }

    /// The text, ending with a newline; not to be believed before [`Note::verify`].
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signature lines, in order.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds a signature line, unless it is there already.
    pub fn add(&mut self, signature: NoteSignature) -> Result<(), NoteError> {
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= NOTE_SIGNATURES_MAX {
            return Err(NoteError::TooManySignatures);
        }
        let lines = self.signatures.iter().chain([&signature]).map(NoteSignature::size_bytes);
        let size_bytes = lines.fold(self.text.len(), usize::saturating_add);
        if size_bytes > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong(size_bytes));
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Checks every signature by one of `keys` and answers who signed, each key once, in the order
    /// of the lines.
    ///
    /// INVARIANT: signatures by unknown keys are ignored; one bad signature by a known key refuses
    /// the whole note; no signature by a known key refuses it too. Cost: one strict verification,
    /// about 35 us, for each line by a known key.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<Endorsement>, NoteError> {
        let mut found: Vec<Endorsement> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| line.claims(key)) {
                let time = line.verify(&self.text, key)?;
                if !found.iter().any(|known| known.key == *key) {
                    found.push(Endorsement { key: key.clone(), time });
                }
            }
        }
        if found.is_empty() { Err(NoteError::NoKnownSignature) } else { Ok(found) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// A note text: within the limit, newline at the end, no control characters.
fn check_text(text: &str) -> Result<(), NoteError> {
    if text.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong(text.len()));
    }
    check_characters(text)?;
    if text.ends_with('\n') { Ok(()) } else { Err(NoteError::Unterminated) }
}

/// Refuses control characters below U+0020 other than the newline.
fn check_characters(text: &str) -> Result<(), NoteError> {
    let control = text.bytes().find(|byte| *byte < 0x20 && *byte != b'\n');
    control.map_or(Ok(()), |byte| Err(NoteError::Control(u32::from(byte))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::SigningKey;

    fn key(name: &str, seed: u8) -> SigningKey {
        SigningKey::from_seed(name, KeyKind::Note, &[seed; 32]).unwrap()
    }

    #[test]
    fn a_note_with_blank_lines_and_two_signatures_round_trips() {
        let (a, b) = (key("xa", 1), key("xb", 2));
        let note = Note::sign("one\n\ntwo\n\n", &[&a, &b]).unwrap();
        let back = Note::parse(note.to_string().as_bytes()).unwrap();
        assert_eq!(back, note);
        let keys = [b.verifier_key().clone(), a.verifier_key().clone()];
        let names: Vec<String> =
            back.verify(&keys).unwrap().iter().map(|e| e.key.name().to_owned()).collect();
        assert_eq!(names, ["xa", "xb"]);
        assert_eq!(back.verify(&[]), Err(NoteError::NoKnownSignature));
        let stranger = key("xa", 3);
        let unknown = back.verify(&[stranger.verifier_key().clone()]);
        assert_eq!(unknown, Err(NoteError::NoKnownSignature));
    }

    #[test]
    fn one_bad_signature_by_a_known_key_refuses_the_note() {
        let (a, b) = (key("xa", 1), key("xb", 2));
        let mut note = Note::sign("text\n", &[&a]).unwrap();
        note.add(NoteSignature::new(b.verifier_key(), vec![0; 64])).unwrap();
        let keys = [a.verifier_key().clone(), b.verifier_key().clone()];
        assert_eq!(note.verify(&keys), Err(NoteError::BadSignature("xb".into())));
        assert_eq!(note.verify(&keys[..1]).unwrap().len(), 1);
    }

    #[test]
    fn malformed_notes_are_refused_by_kind() {
        use NoteError as E;
        let line = "— xa AAAAAAE=\n";
        let refuse = |text: &str| Note::parse(text.as_bytes()).unwrap_err();
        assert_eq!(refuse("text\n"), E::Unsigned);
        assert_eq!(refuse("text\n\n— xa AAAAAAE="), E::Unsigned);
        assert_eq!(refuse(&format!("te\rxt\n\n{line}")), E::Control(13));
        for bad in
            ["- xa AAAAAAE=", "— xa  AAAAAAE=", "— x+a AAAAAAE=", "— xa AAAAAA==", "— xa AAAAAAF="]
        {
            assert!(matches!(refuse(&format!("t\n\n{bad}\n")), E::SignatureLine(_)), "{bad}");
        }
        assert_eq!(refuse(&format!("t\n\n{}", line.repeat(65))), E::TooManySignatures);
        assert!(Note::parse(format!("t\n\n{}", line.repeat(64)).as_bytes()).is_ok());
        assert_eq!(Note::parse(&vec![b'a'; NOTE_BYTES_MAX + 1]), Err(E::TooLong(1_048_577)));
        assert_eq!(Note::parse(b"\xff\n\n"), Err(E::NotUtf8));
        assert_eq!(Note::sign("text", &[&key("xa", 1)]), Err(E::Unterminated));
        assert_eq!(Note::sign("text\n", &[]), Err(E::Unsigned));
    }
}
