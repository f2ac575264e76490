//! Envelopes: a signed manifest, the sealed body, and the proof that the giver logged it.
//!
//! Pure. SOURCE: docs/reference/envelope.md. The manifest shows a carrier who gives what size to
//! whom under which agreements; record ids, terms and contents are inside the seal.

use crate::document::{DocumentError, DocumentKind, Signed, Unverified, sign};
use crate::limits;
use crate::stix::StixObject;
use crypto::body::{open_body, seal_body};
use crypto::checkpoint::SignedCheckpoint;
use crypto::entropy::Entropy;
use crypto::hash::{base64_decode, base64_encode, commitment, sha256};
use crypto::merkle::{leaf_hash, verify_inclusion};
use crypto::seal::{ContentKey, RecipientPublic, RecipientSecret, unwrap_key, wrap};
use crypto::sign::Signer;
use crypto::vkey::VerifierKey;
use model::entry::{Entry, EntryKind};
use model::event::Shipment;
use model::ids::{AgencyId, AgreementId, Digest};
use model::release::{Manifest, Terms};
use model::time::Timestamp;
use policy::release::Released;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The field of a dispatch entry that commits to the manifest.
pub const MANIFEST_FIELD: &str = "manifest";

/// Where a message stands in the giver's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProof {
    /// The entry's canonical bytes, as text.
    pub entry: String,
    /// The salt of its commitment to the manifest (hexadecimal).
    pub salt: String,
    /// Its index.
    pub index: u64,
    /// The inclusion path up to the checkpoint.
    pub path: Vec<Digest>,
    /// The giver's signed checkpoint.
    pub checkpoint: String,
    /// The size of the giver's log that `consistency` starts from.
    pub since: u64,
    /// Proof that the log of size `since` is a prefix of the checkpoint's.
    pub consistency: Vec<Digest>,
}

/// A shipment on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The signed manifest.
    pub manifest: String,
    /// The sealed body (base64).
    pub body: String,
    /// The proof that it is logged; an envelope without one is refused.
    pub proof: Option<LogProof>,
}

/// Why an envelope is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// The signed manifest does not hold.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The seal does not hold.
    #[error("the sealed body does not open: {0}")]
    Seal(#[from] crypto::seal::SealError),
    /// Something else does not fit.
    #[error("{0}")]
    Unfit(String),
}

fn unfit(text: impl Into<String>) -> EnvelopeError {
    EnvelopeError::Unfit(text.into())
}

/// What an envelope is made of, apart from its releases.
#[derive(Debug, Clone)]
pub struct Outside {
    /// Who gives.
    pub giver: AgencyId,
    /// Who receives.
    pub recipient: AgencyId,
    /// The agreements it rests on.
    pub agreements: BTreeMap<AgreementId, Digest>,
    /// When.
    pub sealed_at: Timestamp,
}

/// Seals releases for one recipient. The log proof is added when the envelope is sent.
///
/// # Errors
/// A limit is exceeded or a value cannot be written.
pub fn seal(
    outside: Outside,
    releases: &[(Terms, Released<StixObject>)],
    to: &RecipientPublic,
    signer: &dyn Signer,
    entropy: &mut dyn Entropy,
) -> Result<(Envelope, Digest), EnvelopeError> {
    let plain = frame(releases)?;
    let items = sha256(&plain);
    let key = ContentKey::generate(entropy);
    let sealed = seal_body(&key, &items.0, &plain, entropy)?;
    let manifest = Manifest {
        giver: outside.giver,
        recipient: outside.recipient,
        agreements: outside.agreements,
        count: u64::try_from(releases.len()).map_err(|e| unfit(e.to_string()))?,
        sealed_at: outside.sealed_at,
        items,
        body: sha256(&sealed),
        body_bytes: u64::try_from(sealed.len()).map_err(|e| unfit(e.to_string()))?,
        wrapped_key: base64_encode(&wrap(to, &items, &key, entropy)?),
    };
    let Signed { bytes, digest } = sign(DocumentKind::Manifest, &manifest, signer)?;
    let manifest = String::from_utf8(bytes).map_err(|e| unfit(e.to_string()))?;
    Ok((Envelope { manifest, body: base64_encode(&sealed), proof: None }, digest))
}

/// Terms and content of each release, length-prefixed.
fn frame(releases: &[(Terms, Released<StixObject>)]) -> Result<Vec<u8>, EnvelopeError> {
    let mut out = Vec::new();
    for (terms, released) in releases {
        let terms = serde_json::to_vec(terms).map_err(|e| unfit(e.to_string()))?;
        let content = released.content().map(StixObject::raw).unwrap_or_default();
        for part in [terms.as_slice(), content] {
            let size = u32::try_from(part.len()).map_err(|e| unfit(e.to_string()))?;
            out.extend_from_slice(&size.to_be_bytes());
            out.extend_from_slice(part);
        }
    }
    Ok(out)
}

/// What the recipient knows of the giver.
pub struct Giver<'a> {
    /// Its release key.
    pub release: &'a VerifierKey,
    /// Its log key.
    pub log: &'a VerifierKey,
    /// The origin line of its log.
    pub origin: &'a str,
}

/// An envelope that holds, opened.
#[derive(Debug)]
pub struct Opened {
    /// The releases.
    pub shipment: Shipment<StixObject>,
    /// The giver's checkpoint it is proved by.
    pub checkpoint: SignedCheckpoint,
}

/// Opens an envelope for `me`: signature, digests, log proof, seal, terms against content.
///
/// # Errors
/// [`EnvelopeError`] names the first thing that does not hold; nothing of it is used then.
pub fn open(
    envelope: &Envelope,
    me: &AgencyId,
    secret: &RecipientSecret,
    giver: &Giver<'_>,
) -> Result<Opened, EnvelopeError> {
    let document = Unverified::parse(envelope.manifest.as_bytes())?;
    let manifest: Manifest = document.open(DocumentKind::Manifest, giver.release)?;
    if manifest.recipient != *me {
        return Err(unfit(format!("the envelope is for `{}`", manifest.recipient)));
    }
    let proof =
        envelope.proof.as_ref().ok_or_else(|| unfit("the envelope carries no log proof"))?;
    let checkpoint = prove(proof, &document.digest(), &manifest, giver)?;
    let sealed = base64_decode(&envelope.body).map_err(|e| unfit(e.to_string()))?;
    if sha256(&sealed) != manifest.body {
        return Err(unfit("the body is not the one the manifest names"));
    }
    let wrapped = base64_decode(&manifest.wrapped_key).map_err(|e| unfit(e.to_string()))?;
    let key = unwrap_key(secret, &manifest.items, &wrapped)?;
    let plain = open_body(&key, &manifest.items.0, &sealed)?;
    if sha256(&plain) != manifest.items {
        return Err(unfit("the content is not the one the manifest commits to"));
    }
    let releases = unframe(&plain)?;
    if u64::try_from(releases.len()).ok() != Some(manifest.count) {
        return Err(unfit("the manifest counts other releases than the body holds"));
    }
    let shipment = Shipment {
        giver: manifest.giver,
        manifest: document.digest(),
        sealed_at: manifest.sealed_at,
        agreements: manifest.agreements,
        releases,
    };
    Ok(Opened { shipment, checkpoint })
}

/// INVARIANT: no disclosure without a log entry.
fn prove(
    proof: &LogProof,
    digest: &Digest,
    manifest: &Manifest,
    giver: &Giver<'_>,
) -> Result<SignedCheckpoint, EnvelopeError> {
    let signed = SignedCheckpoint::open(proof.checkpoint.as_bytes(), giver.origin, giver.log)
        .map_err(|e| unfit(format!("the giver's checkpoint does not hold: {e}")))?;
    let entry: Entry = serde_json::from_str(&proof.entry)
        .map_err(|e| unfit(format!("the log entry is not readable: {e}")))?;
    if entry.kind != EntryKind::Dispatch
        || entry.partner.as_ref() != Some(&manifest.recipient)
        || entry.count != manifest.count
    {
        return Err(unfit("the log entry is not about this shipment"));
    }
    let salt = crypto::hash::hex_decode(&proof.salt).map_err(|e| unfit(e.to_string()))?;
    let salt: [u8; 32] =
        salt.try_into().map_err(|_| unfit("the salt of the log entry is not 32 bytes"))?;
    let committed = commitment(MANIFEST_FIELD, &salt, digest.to_string().as_bytes());
    if entry.commitments.get(MANIFEST_FIELD) != Some(&committed) {
        return Err(unfit("the log entry commits to another manifest"));
    }
    let checkpoint = signed.checkpoint();
    let leaf = leaf_hash(proof.entry.as_bytes());
    verify_inclusion(proof.index, checkpoint.size(), &leaf, &proof.path, &checkpoint.root())
        .map_err(|e| unfit(format!("the log proof does not hold: {e}")))?;
    Ok(signed)
}

type Item = (Terms, Option<(StixObject, Digest)>);

fn unframe(plain: &[u8]) -> Result<Vec<Item>, EnvelopeError> {
    let mut rest = plain;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (terms, after) = part(rest)?;
        let (content, after) = part(after)?;
        rest = after;
        let terms: Terms = serde_json::from_slice(terms).map_err(|e| {
            unfit(format!("the terms of release {} are unreadable: {e}", out.len()))
        })?;
        let content = if content.is_empty() { None } else { Some(checked(&terms, content)?) };
        out.push((terms, content));
    }
    Ok(out)
}

fn checked(terms: &Terms, content: &[u8]) -> Result<(StixObject, Digest), EnvelopeError> {
    let object = StixObject::parse(content)
        .map_err(|e| unfit(format!("the content of `{}` is not acceptable: {e}", terms.record)))?;
    if *object.id() != terms.record {
        return Err(unfit(format!("the content of `{}` is another record", terms.record)));
    }
    Ok((object, sha256(content)))
}

fn part(bytes: &[u8]) -> Result<(&[u8], &[u8]), EnvelopeError> {
    let cut = || unfit("the sealed content ends early");
    let (size, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
    let size = usize::try_from(u32::from_be_bytes(*size)).map_err(|_| cut())?;
    if size > limits::OBJECT_BYTES_MAX {
        return Err(unfit("a part of the sealed content exceeds the limit"));
    }
    rest.split_at_checked(size).ok_or_else(cut)
}
