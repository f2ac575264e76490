//! Signed documents: one form for members, manifests, receipts, recalls, consents and signatures.
//!
//! A document is a C2SP signed note whose text is two lines: `entente/<kind>/v1` and the canonical
//! JSON of its body. Pure. SOURCE: c2sp.org/signed-note v1.0.0; RFC 8785.

use crate::canonical::to_canonical;
use crate::json::parse_strict;
use crypto::hash::sha256;
use crypto::note::Note;
use crypto::sign::Signer;
use crypto::vkey::VerifierKey;
use model::ids::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What a document is; the word is part of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DocumentKind {
    /// A member document.
    Member,
    /// A party's signature on an agreement.
    AgreementSignature,
    /// The outside of a shipment.
    Manifest,
    /// A word on a shipment or a consent.
    Receipt,
    /// A recall.
    Recall,
    /// A word on a recall.
    RecallReceipt,
    /// A consent.
    Consent,
    /// Word to an originator that its records were passed on.
    ReleaseNotice,
}

impl DocumentKind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Member,
        Self::AgreementSignature,
        Self::Manifest,
        Self::Receipt,
        Self::Recall,
        Self::RecallReceipt,
        Self::Consent,
        Self::ReleaseNotice,
    ];

    /// The word on the first line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::AgreementSignature => "agreement-signature",
            Self::Manifest => "manifest",
            Self::Receipt => "receipt",
            Self::Recall => "recall",
            Self::RecallReceipt => "recall-receipt",
            Self::Consent => "consent",
            Self::ReleaseNotice => "release-notice",
        }
    }

    fn head(self) -> String {
        format!("entente/{}/v1", self.word())
    }
}

/// Why a document is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// Not a signed note, or no valid signature by the expected key.
    #[error("the signed document is not acceptable: {0}")]
    Note(#[from] crypto::note::NoteError),
    /// The first line names no kind known here.
    #[error("the first line `{0}` is not a document kind of version 1")]
    Kind(String),
    /// Another kind than expected.
    #[error("the document is a {found}, a {wanted} was expected")]
    OtherKind {
        /// The kind expected.
        wanted: &'static str,
        /// The kind found.
        found: &'static str,
    },
    /// Not two lines.
    #[error("the document text is not two lines")]
    Lines,
    /// The body is not JSON of the expected shape.
    #[error("the body of the {kind} is not acceptable: {message}")]
    Body {
        /// The kind.
        kind: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The body is not in canonical form, so its digest would not be its identity.
    #[error("the body of the {0} is not in canonical form (RFC 8785)")]
    NotCanonical(&'static str),
}

impl DocumentError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Note(error) => error.help(),
            Self::Kind(_) | Self::OtherKind { .. } => "send the document to the door it is for",
            Self::Lines | Self::Body { .. } | Self::NotCanonical(_) => {
                "have the sender write the document anew with its own node"
            }
        }
    }
}

/// A document read but not yet believed.
#[derive(Debug, Clone)]
pub struct Unverified {
    kind: DocumentKind,
    note: Note,
    body: serde_json::Value,
    digest: Digest,
}

impl Unverified {
    /// Reads a document; its signatures are not checked.
    ///
    /// # Errors
    /// [`DocumentError`] names what does not fit.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let note = Note::parse(bytes)?;
        let text = note.text().strip_suffix('\n').ok_or(DocumentError::Lines)?;
        let (head, line) = text.split_once('\n').ok_or(DocumentError::Lines)?;
        let kind = DocumentKind::ALL
            .into_iter()
            .find(|kind| kind.head() == head)
            .ok_or_else(|| DocumentError::Kind(head.chars().take(80).collect()))?;
        let word = kind.word();
        let body = parse_strict(line.as_bytes())
            .map_err(|e| DocumentError::Body { kind: word, message: e.to_string() })?;
        let canonical = to_canonical(&body)
            .map_err(|e| DocumentError::Body { kind: word, message: e.to_string() })?;
        if canonical != line.as_bytes() {
            return Err(DocumentError::NotCanonical(word));
        }
        let digest = sha256(note.text().as_bytes());
        Ok(Self { kind, note, body, digest })
    }

    /// What it says it is.
    #[must_use]
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// SHA-256 of the signed text: the document's identity.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// A member of the body, to find the key to check with; not to be believed otherwise.
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.body.get(name).and_then(serde_json::Value::as_str)
    }

    /// A member of a member of the body; not to be believed otherwise.
    #[must_use]
    pub fn nested_claim(&self, outer: &str, inner: &str) -> Option<&str> {
        self.body.get(outer)?.get(inner).and_then(serde_json::Value::as_str)
    }

    /// The body, once the signature by `key` has been checked.
    ///
    /// # Errors
    /// Another kind, a signature that does not verify, or a body of another shape.
    pub fn open<T: DeserializeOwned>(
        &self,
        kind: DocumentKind,
        key: &VerifierKey,
    ) -> Result<T, DocumentError> {
        if self.kind != kind {
            return Err(DocumentError::OtherKind { wanted: kind.word(), found: self.kind.word() });
        }
        self.note.verify(std::slice::from_ref(key))?;
        serde_json::from_value(self.body.clone())
            .map_err(|e| DocumentError::Body { kind: kind.word(), message: e.to_string() })
    }
}

/// A document signed here.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The bytes to keep and to send.
    pub bytes: Vec<u8>,
    /// SHA-256 of the signed text.
    pub digest: Digest,
}

/// Signs a body.
///
/// # Errors
/// The body cannot be written canonically, or the note would be too long.
pub fn sign<T: Serialize>(
    kind: DocumentKind,
    body: &T,
    signer: &dyn Signer,
) -> Result<Signed, DocumentError> {
    let wrong = |message: String| DocumentError::Body { kind: kind.word(), message };
    let value = serde_json::to_value(body).map_err(|e| wrong(e.to_string()))?;
    let canonical = to_canonical(&value).map_err(|e| wrong(e.to_string()))?;
    let line = String::from_utf8(canonical).map_err(|e| wrong(e.to_string()))?;
    let text = format!("{}\n{line}\n", kind.head());
    let note = Note::sign(&text, &[signer])?;
    Ok(Signed { digest: sha256(text.as_bytes()), bytes: note.to_string().into_bytes() })
}
