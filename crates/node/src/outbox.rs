//! The outbox: sealed messages that wait for their partner's answer, their log proofs, and those
//! that were given up.

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
use model::release::RecallNotice;
use model::request::StandingOrder;
use model::time::Timestamp;
use protocol::{GivenUp, Outgoing, Refusals};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use store::Snapshot;
use wire::document::{DocumentKind, Signed, sign};
use wire::envelope::{Envelope, LogProof, MANIFEST_FIELD, Outside, seal};

pub use protocol::Subject;

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

/// A waiting message without its bytes: what lists and checks need of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// To whom.
    pub recipient: AgencyId,
    /// Digest of the signed document.
    pub digest: Digest,
    /// What it is about.
    pub subject: Subject,
    /// When it was sealed.
    pub queued_at: Timestamp,
}

/// Every message waiting, by partner, without their bytes.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn outlines(snapshot: &dyn Snapshot) -> Result<Vec<Outline>, NodeError> {
    tables::read_all(snapshot, &key(Table::Outbox, &[]), "outbox")
}

/// Partners for whom something waits. Cost: one look a partner.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn partners(snapshot: &dyn Snapshot) -> Result<BTreeSet<AgencyId>, NodeError> {
    agencies(snapshot, Table::Outbox)
}

/// The agencies that the keys of a table begin with. Cost: one look an agency.
pub(crate) fn agencies(
    snapshot: &dyn Snapshot,
    table: Table,
) -> Result<BTreeSet<AgencyId>, NodeError> {
    let (all, mut out) = (key(table, &[]), BTreeSet::new());
    let mut start = all.clone();
    loop {
        let mut found = None;
        snapshot.scan_from(&all, &start, &mut |row, _| {
            found = Some(row.to_vec());
            false
        })?;
        let Some(row) = found else { return Ok(out) };
        let name = row.get(1..).unwrap_or_default().split(|byte| *byte == 0).next();
        let name = String::from_utf8_lossy(name.unwrap_or_default()).into_owned();
        // WHY: one is the byte after the zero that ends the name: past every row of the agency.
        start = [all.as_slice(), name.as_bytes(), &[1]].concat();
        out.insert(name.parse().map_err(|e: model::ids::IdError| NodeError::damaged("agency", e))?);
    }
}

/// LIMIT: messages in one page.
pub const PAGE_MESSAGES_MAX: usize = 64;
/// LIMIT: bytes of a page after which it takes no further message.
pub const PAGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A page of what waits for a partner, oldest first, with each message's place in the lane.
///
/// `after` is exclusive. An empty page is the end. Memory: [`PAGE_BYTES_MAX`] and one message.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn page(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
    after: Option<u64>,
) -> Result<Vec<(u64, Waiting)>, NodeError> {
    let rows = prefix(Table::Outbox, &[partner.as_str().as_bytes()]);
    let first = after.map_or(0, |after| after.saturating_add(1));
    let (mut found, mut failure, mut bytes) = (Vec::new(), None, 0_usize);
    snapshot.scan_from(&rows, &row(partner, first), &mut |row, value| {
        bytes = bytes.saturating_add(value.len());
        match (place(row), tables::parse::<Waiting>(value, "outbox")) {
            (Ok(place), Ok(message)) => found.push((place, message)),
            (Err(error), _) | (_, Err(error)) => failure = Some(error),
        }
        failure.is_none() && found.len() < PAGE_MESSAGES_MAX && bytes < PAGE_BYTES_MAX
    })?;
    failure.map_or(Ok(found), Err)
}

fn place(row: &[u8]) -> Result<u64, NodeError> {
    let cut = || NodeError::damaged("outbox", "a key ends early");
    let digits = row.last_chunk::<8>().ok_or_else(cut)?;
    Ok(u64::from_be_bytes(*digits))
}

/// Whether a message still waits for its partner. Cost: one look.
///
/// # Errors
/// The store failed.
pub fn waits(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
    digest: &Digest,
) -> Result<bool, NodeError> {
    Ok(snapshot.get(&message_key(Table::Place, partner, digest))?.is_some())
}

/// The row of a waiting message.
pub(crate) fn row_of(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
    digest: &Digest,
) -> Result<Option<Vec<u8>>, NodeError> {
    let place: Option<u64> =
        tables::read(snapshot, &message_key(Table::Place, partner, digest), "place")?;
    Ok(place.map(|place| row(partner, place)))
}

/// The key of a row about one message to one partner.
pub(crate) fn message_key(table: Table, partner: &AgencyId, digest: &Digest) -> Vec<u8> {
    key(table, &[partner.as_str().as_bytes(), &digest.0])
}

/// The key of the count of messages to a partner given up since it last answered.
pub(crate) fn row_key(partner: &AgencyId) -> Vec<u8> {
    key(Table::Counter, &[b"given up", partner.as_str().as_bytes()])
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// What it is.
    #[serde(flatten)]
    pub outline: Outline,
    /// When and why it was given up.
    pub given_up: GivenUp,
    /// The message itself, unless it is a shipment: that is decided on anew.
    pub message: Option<Message>,
}

/// Messages given up, by partner.
///
/// # Errors
/// The store failed or a row is damaged.
pub fn undelivered(snapshot: &dyn Snapshot) -> Result<Vec<Undelivered>, NodeError> {
    tables::read_all(snapshot, &key(Table::Undelivered, &[]), "undelivered")
}

/// How often a waiting message was refused, and what its partner's door said last.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn refusals(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
    digest: &Digest,
) -> Result<Option<Refusals>, NodeError> {
    tables::read(snapshot, &message_key(Table::Refusal, partner, digest), "refusal")
}

/// What a sealed message is about; a shipment's log entry is not known yet.
pub(crate) enum About {
    Shipment { order: StandingOrder, records: Vec<RecordId> },
    Other(Subject),
}

/// A sealed message before its rows are written.
pub(crate) struct Sealed {
    pub(crate) recipient: AgencyId,
    pub(crate) digest: Digest,
    pub(crate) about: About,
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
        Outgoing::Shipment { recipient, order, agreements, releases } => {
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
            let records = releases.into_iter().map(|(terms, _)| terms.record).collect();
            let about = About::Shipment { order, records };
            Ok(Sealed { recipient, digest, about, message, entry: Some(entry) })
        }
        Outgoing::Recall(notice) => {
            let signed = sign(DocumentKind::Recall, &notice, signer).map_err(NodeError::seal)?;
            let RecallNotice { record, originator, cause, recipient, .. } = notice;
            noted(recipient, signed, Subject::Recall { record, originator, cause })
        }
        Outgoing::Consent { recipient, consent } => {
            let signed = sign(DocumentKind::Consent, &consent, signer).map_err(NodeError::seal)?;
            noted(recipient, signed, Subject::Consent)
        }
        Outgoing::Notice(notice) => {
            let kind = DocumentKind::ReleaseNotice;
            let signed = sign(kind, &notice, signer).map_err(NodeError::seal)?;
            let records = notice.records.into_keys().collect();
            noted(notice.originator, signed, Subject::Notice { records })
        }
    }
}

fn noted(recipient: AgencyId, signed: Signed, subject: Subject) -> Result<Sealed, NodeError> {
    let (digest, message) = (signed.digest, Message::note(signed.bytes)?);
    Ok(Sealed { recipient, digest, about: About::Other(subject), message, entry: None })
}

impl Sealed {
    /// The row of the outbox.
    pub(crate) fn waiting(self, entry: u64, queued_at: Timestamp) -> Waiting {
        let subject = match self.about {
            About::Shipment { order, records } => Subject::Shipment { entry, order, records },
            About::Other(subject) => subject,
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
        (Message::Shipment(envelope), Subject::Shipment { entry, .. }) => {
            let proof = Some(prove(snapshot, *entry, &waiting.recipient)?);
            Ok(Message::Shipment(Box::new(Envelope { proof, ..(**envelope).clone() })))
        }
        (
            Message::Shipment(_) | Message::Note(_),
            Subject::Shipment { .. }
            | Subject::Recall { .. }
            | Subject::Consent
            | Subject::Notice { .. },
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
