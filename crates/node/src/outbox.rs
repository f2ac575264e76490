//! The outbox: sealed messages that wait for their partner's answer, and their log proofs.

use crate::Body;
use crate::error::NodeError;
use crate::identity::{Identity, KnownKeys};
use crate::log;
use crate::peer::Message;
use crate::tables::{self, Table, key, numbered_under, prefix};
use crypto::entropy::Entropy;
use model::entry::{Draft, EntryKind};
use model::ids::{AgencyId, Digest, RecordId};
use model::member::Member;
use model::time::Timestamp;
use protocol::Outgoing;
use serde::{Deserialize, Serialize};
use store::Snapshot;
use wire::document::{DocumentKind, sign};
use wire::envelope::{Envelope, LogProof, MANIFEST_FIELD, Outside, seal};

/// What a message is about, for the sender only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Subject {
    /// A shipment, logged at this index.
    Shipment {
        /// Index of its dispatch entry.
        entry: u64,
    },
    /// A recall of this record.
    Recall {
        /// The record.
        record: RecordId,
    },
    /// A consent.
    Consent,
}

/// A message that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// To whom.
    pub recipient: AgencyId,
    /// Digest of the signed document.
    pub digest: Digest,
    /// What it is about.
    pub subject: Subject,
    /// When it was sealed.
    pub queued_at: Timestamp,
    /// The message; a shipment's log proof is added when it is sent.
    pub message: Message,
}

/// Messages waiting for a partner, oldest first.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn waiting(snapshot: &dyn Snapshot, partner: &AgencyId) -> Result<Vec<Waiting>, NodeError> {
    let rows = prefix(Table::Outbox, &[partner.as_str().as_bytes()]);
    tables::read_all(snapshot, &rows, "outbox")
}

/// Every message waiting, by partner.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn all_waiting(snapshot: &dyn Snapshot) -> Result<Vec<Waiting>, NodeError> {
    tables::read_all(snapshot, &key(Table::Outbox, &[]), "outbox")
}

/// The first message to a partner that fits, with its row.
pub(crate) fn find(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
    fits: impl Fn(&Waiting) -> bool,
) -> Result<Option<(Vec<u8>, Waiting)>, NodeError> {
    let rows = prefix(Table::Outbox, &[partner.as_str().as_bytes()]);
    let (mut found, mut failure) = (None, None);
    snapshot.scan(&rows, &mut |row, bytes| {
        match tables::parse::<Waiting>(bytes, "outbox") {
            Ok(message) if fits(&message) => found = Some((row.to_vec(), message)),
            Ok(_) => {}
            Err(error) => failure = Some(error),
        }
        found.is_none() && failure.is_none()
    })?;
    failure.map_or(Ok(found), Err)
}

/// A sealed message before its rows are written.
pub(crate) struct Sealed {
    pub(crate) recipient: AgencyId,
    pub(crate) digest: Digest,
    pub(crate) subject: Option<RecordId>,
    pub(crate) message: Message,
    /// The dispatch entry of a shipment.
    pub(crate) entry: Option<Draft>,
}

/// Seals and signs one outgoing message.
pub(crate) fn seal_one(
    outgoing: Outgoing<Body>,
    identity: &Identity,
    member: impl Fn(&AgencyId) -> Result<Option<Member>, NodeError>,
    now: Timestamp,
    entropy: &mut dyn Entropy,
) -> Result<Sealed, NodeError> {
    let signer = &identity.secrets.release;
    match outgoing {
        Outgoing::Shipment { recipient, agreements, releases } => {
            let known = member(&recipient)?
                .ok_or_else(|| NodeError::seal(format!("`{recipient}` is not a pinned member")))?;
            let keys = KnownKeys::of(&known)?;
            let outside = Outside {
                giver: identity.member.agency.clone(),
                recipient: recipient.clone(),
                agreements: agreements.clone(),
                sealed_at: now,
            };
            let (envelope, digest) =
                seal(outside, &releases, &keys.seal, signer, entropy).map_err(NodeError::seal)?;
            let count = u64::try_from(releases.len()).map_err(NodeError::seal)?;
            let entry = Draft::new(EntryKind::Dispatch, count)
                .with(&recipient)
                .under(agreements.keys())
                .seal(MANIFEST_FIELD, digest);
            let message = Message::Shipment(Box::new(envelope));
            Ok(Sealed { recipient, digest, subject: None, message, entry: Some(entry) })
        }
        Outgoing::Recall(notice) => {
            let signed = sign(DocumentKind::Recall, &notice, signer).map_err(NodeError::seal)?;
            let (recipient, subject) = (notice.recipient, Some(notice.record));
            let message = Message::note(signed.bytes)?;
            Ok(Sealed { recipient, digest: signed.digest, subject, message, entry: None })
        }
        Outgoing::Consent { recipient, consent } => {
            let signed = sign(DocumentKind::Consent, &consent, signer).map_err(NodeError::seal)?;
            let message = Message::note(signed.bytes)?;
            Ok(Sealed { recipient, digest: signed.digest, subject: None, message, entry: None })
        }
    }
}

impl Sealed {
    /// The row of the outbox.
    pub(crate) fn waiting(self, entry: Option<u64>, queued_at: Timestamp) -> Waiting {
        let subject = match (entry, self.subject) {
            (Some(entry), _) => Subject::Shipment { entry },
            (None, Some(record)) => Subject::Recall { record },
            (None, None) => Subject::Consent,
        };
        Waiting {
            recipient: self.recipient,
            digest: self.digest,
            subject,
            queued_at,
            message: self.message,
        }
    }
}

/// The key of an outbox row.
pub(crate) fn row(recipient: &AgencyId, sequence: u64) -> Vec<u8> {
    numbered_under(Table::Outbox, recipient, sequence)
}

/// The message ready to send: a shipment gets its log proof against the newest checkpoint.
///
/// # Errors
/// The store failed or the log lacks the entry.
pub fn ready(snapshot: &dyn Snapshot, waiting: &Waiting) -> Result<Message, NodeError> {
    match (&waiting.message, &waiting.subject) {
        (Message::Shipment(envelope), Subject::Shipment { entry }) => {
            let proof = Some(prove(snapshot, *entry, &waiting.recipient)?);
            Ok(Message::Shipment(Box::new(Envelope { proof, ..(**envelope).clone() })))
        }
        (
            Message::Shipment(_) | Message::Note(_),
            Subject::Shipment { .. } | Subject::Recall { .. } | Subject::Consent,
        ) => Ok(waiting.message.clone()),
    }
}

fn prove(snapshot: &dyn Snapshot, index: u64, partner: &AgencyId) -> Result<LogProof, NodeError> {
    let missing = || NodeError::damaged("log", format!("entry {index} is missing"));
    let size = log::frontier(snapshot)?.size();
    let entry = log::leaf(snapshot, index)?.ok_or_else(missing)?;
    let openings = log::openings(snapshot, index)?.unwrap_or_default();
    let salt = openings.get(MANIFEST_FIELD).ok_or_else(missing)?.salt.clone();
    let since = seen(snapshot, partner)?;
    Ok(LogProof {
        entry: String::from_utf8(entry).map_err(|e| NodeError::damaged("log", e))?,
        salt,
        index,
        path: log::inclusion(snapshot, index, size)?,
        checkpoint: log::checkpoint(snapshot)?.ok_or_else(missing)?,
        since,
        consistency: log::consistency(snapshot, since, size)?,
    })
}

/// The size of this node's log that a partner is known to have seen.
fn seen(snapshot: &dyn Snapshot, partner: &AgencyId) -> Result<u64, NodeError> {
    let row = key(Table::Seen, &[partner.as_str().as_bytes()]);
    Ok(tables::read(snapshot, &row, "seen")?.unwrap_or(0))
}
