//! The peer link, without a network: takes in a partner's message and makes the signed answer.

use crate::error::NodeError;
use crate::handle::{Beside, Node};
use crate::identity::{KnownKeys, log_origin};
use crate::log;
use crate::tables::{self, Table, key};
use crypto::checkpoint::SignedCheckpoint;
use crypto::entropy::Entropy;
use crypto::merkle::verify_consistency;
use model::event::Event;
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::release::{AgreementSignature, RecallNotice, RecallReceipt, Receipt, ReleaseNotice};
use model::request::Consent;
use model::time::Timestamp;
use model::verified::{Verified, Voucher};
use protocol::Reply;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Snapshot;
use wire::document::{DocumentError, DocumentKind, Unverified, sign};
use wire::envelope::{Envelope, Giver, LogProof, open};

/// A message between nodes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Releases, sealed.
    Shipment(Box<Envelope>),
    /// A signed document.
    Note(String),
}

impl Message {
    /// A signed document's bytes as a message.
    ///
    /// # Errors
    /// The bytes are not text.
    pub fn note(bytes: Vec<u8>) -> Result<Self, NodeError> {
        String::from_utf8(bytes).map(Self::Note).map_err(NodeError::seal)
    }
}

/// A pinned member.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn member(snapshot: &dyn Snapshot, agency: &AgencyId) -> Result<Option<Member>, NodeError> {
    tables::read(snapshot, &key(Table::Member, &[agency.as_str().as_bytes()]), "member")
}

const ASK: &str = "exchange member documents and try again";

fn refuse(error: impl ToString) -> NodeError {
    NodeError::message(error, "have the sender make the message anew")
}

fn document_error(error: DocumentError) -> NodeError {
    let help = error.help();
    NodeError::message(error, help)
}

impl Node {
    /// Takes in a partner's message; the answer is a signed document for the partner to keep.
    ///
    /// # Errors
    /// The message does not hold, its sender is not pinned, or the event is denied.
    pub fn receive(
        &mut self,
        message: &Message,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<String, NodeError> {
        match message {
            Message::Shipment(envelope) => self.take_shipment(envelope, now, entropy),
            Message::Note(text) => self.take_note(text, now, entropy),
        }
    }

    fn keys_of(&self, document: &Unverified, field: &str) -> Result<(AgencyId, Keys), NodeError> {
        let unknown = |who: &str| {
            NodeError::message(format!("the sender `{who}` is not a pinned member here"), ASK)
        };
        let claimed = document.claim(field).unwrap_or("?");
        let agency: AgencyId = claimed.parse().map_err(|_| unknown(claimed))?;
        let member = self.member(&agency)?.ok_or_else(|| unknown(claimed))?;
        let keys = KnownKeys::of(&member)?;
        Ok((agency, Keys { member, keys }))
    }

    fn take_shipment(
        &mut self,
        envelope: &Envelope,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<String, NodeError> {
        let document = Unverified::parse(envelope.manifest.as_bytes()).map_err(document_error)?;
        let (agency, known) = self.keys_of(&document, "giver")?;
        known.in_force(now)?;
        let origin = log_origin(&agency);
        let giver = Giver { release: &known.keys.release, log: &known.keys.log, origin: &origin };
        let own = self.agency().clone();
        let opened = open(envelope, &own, &self.identity().secrets.seal, &giver).map_err(refuse)?;
        let proof = envelope.proof.as_ref().ok_or_else(|| refuse("no log proof"))?;
        let beside = self.witness(&agency, &opened.checkpoint, proof, &known.keys)?;
        let event = Event::Receive(opened.shipment);
        let voucher = known.voucher(&agency);
        let handled =
            self.handle_beside(Verified::vouch(event, voucher, now), beside, now, entropy)?;
        self.answer(&handled.reply, document.digest(), &agency, now)
    }

    /// Checks that the giver's log only grew since this node last saw it.
    fn witness(
        &self,
        agency: &AgencyId,
        newest: &SignedCheckpoint,
        proof: &LogProof,
        keys: &KnownKeys,
    ) -> Result<Beside, NodeError> {
        let row = key(Table::Witness, &[agency.as_str().as_bytes()]);
        let fresh = newest.checkpoint();
        let seen = self.snapshot()?.get(&row)?;
        if let Some(bytes) = seen {
            let origin = log_origin(agency);
            let stored = SignedCheckpoint::open(&bytes, &origin, &keys.log)
                .map_err(|e| NodeError::damaged("witness", e))?;
            let old = stored.checkpoint();
            let split = || NodeError::SplitView { origin: origin.clone(), size: old.size() };
            if fresh.size() == old.size() {
                return if fresh.root() == old.root() { Ok(Vec::new()) } else { Err(split()) };
            }
            if fresh.size() < old.size() || proof.since != old.size() {
                return Err(NodeError::Conflict { size: old.size() });
            }
            let (a, b) = (old.root(), fresh.root());
            verify_consistency(old.size(), fresh.size(), &proof.consistency, &a, &b)
                .map_err(|_| split())?;
        }
        Ok(vec![(row, Some(proof.checkpoint.clone().into_bytes()))])
    }

    fn take_note(
        &mut self,
        text: &str,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<String, NodeError> {
        let document = Unverified::parse(text.as_bytes()).map_err(document_error)?;
        let (event, agency, voucher) = self.open_note(&document, now)?;
        let handled = self.handle(Verified::vouch(event, voucher, now), now, entropy)?;
        self.answer(&handled.reply, document.digest(), &agency, now)
    }

    fn open_note(
        &self,
        document: &Unverified,
        now: Timestamp,
    ) -> Result<(Event<crate::Body>, AgencyId, Voucher), NodeError> {
        let kind = document.kind();
        let field = match kind {
            DocumentKind::Recall | DocumentKind::Manifest | DocumentKind::ReleaseNotice => "giver",
            DocumentKind::RecallReceipt => "holder",
            DocumentKind::Receipt => "recipient",
            DocumentKind::Consent => "originator",
            DocumentKind::AgreementSignature | DocumentKind::Member => "agency",
        };
        let (agency, known) = self.keys_of(document, field)?;
        known.in_force(now)?;
        let release = &known.keys.release;
        let event = match kind {
            DocumentKind::Recall => Event::Recalled(
                document.open::<RecallNotice>(kind, release).map_err(document_error)?,
                document.digest(),
            ),
            DocumentKind::RecallReceipt => Event::RecallDone(
                document.open::<RecallReceipt>(kind, release).map_err(document_error)?,
            ),
            DocumentKind::Receipt => {
                Event::Acknowledge(document.open::<Receipt>(kind, release).map_err(document_error)?)
            }
            DocumentKind::Consent => {
                Event::Permit(document.open::<Consent>(kind, release).map_err(document_error)?)
            }
            DocumentKind::ReleaseNotice => Event::Notified(
                document.open::<ReleaseNotice>(kind, release).map_err(document_error)?,
                document.digest(),
            ),
            DocumentKind::AgreementSignature => Event::Sign(
                document.open::<AgreementSignature>(kind, release).map_err(document_error)?,
            ),
            DocumentKind::Manifest | DocumentKind::Member => {
                let text = format!("a {} is not taken as a note here", kind.word());
                return Err(NodeError::message(text, "send it to the door it is for"));
            }
        };
        let voucher = known.voucher(&agency);
        Ok((event, agency, voucher))
    }

    /// The signed answer to a message.
    fn answer(
        &self,
        reply: &Reply,
        message: Digest,
        giver: &AgencyId,
        now: Timestamp,
    ) -> Result<String, NodeError> {
        let signer = &self.identity().secrets.release;
        let signed = match reply {
            Reply::RecallReceipt(receipt) => sign(DocumentKind::RecallReceipt, receipt, signer),
            Reply::Receipt(receipt) => sign(DocumentKind::Receipt, receipt, signer),
            Reply::Done
            | Reply::Unchanged
            | Reply::Ingested { .. }
            | Reply::Shared(_)
            | Reply::Recalling(_)
            | Reply::Posted(_)
            | Reply::TakenDown(_)
            | Reply::Expired(_)
            | Reply::Refused { .. } => {
                let receipt = Receipt {
                    manifest: message,
                    giver: giver.clone(),
                    recipient: self.agency().clone(),
                    at: now,
                    records: BTreeMap::new(),
                };
                sign(DocumentKind::Receipt, &receipt, signer)
            }
        };
        let signed = signed.map_err(NodeError::seal)?;
        String::from_utf8(signed.bytes).map_err(NodeError::seal)
    }

    /// Takes in a partner's answer to a message of ours.
    ///
    /// # Errors
    /// The answer does not hold or is denied.
    pub fn answered(
        &mut self,
        text: &str,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<(), NodeError> {
        let document = Unverified::parse(text.as_bytes()).map_err(document_error)?;
        let (event, _, voucher) = self.open_note(&document, now)?;
        if !matches!(event, Event::Acknowledge(_) | Event::RecallDone(_)) {
            return Err(refuse("the answer is neither a receipt nor a recall receipt"));
        }
        self.handle(Verified::vouch(event, voucher, now), now, entropy).map(|_| ())
    }

    /// Notes that a partner's door refused a message of ours; whether it was given up for it.
    ///
    /// # Errors
    /// The store failed.
    pub fn refused(
        &mut self,
        (partner, message): (&AgencyId, &Digest),
        (status, code): (u16, Option<String>),
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<bool, NodeError> {
        let (partner, message) = (partner.clone(), *message);
        let event = Event::Refused { partner, message, status, code };
        let handled = self.own(event, now, entropy)?;
        Ok(matches!(handled.reply, Reply::Refused { given_up: true }))
    }

    /// Remembers how much of this log a partner has seen, so that the next proof starts there.
    ///
    /// # Errors
    /// The store failed.
    pub fn seen_by(&mut self, partner: &AgencyId, size: u64) -> Result<(), NodeError> {
        let own = log::frontier(&*self.snapshot()?)?.size();
        if size > own {
            let text = format!("`{partner}` claims to have seen {size} of {own} log entries");
            return Err(NodeError::message(text, "ask the partner to check its store"));
        }
        let row = key(Table::Seen, &[partner.as_str().as_bytes()]);
        self.note(row, size.to_string().into_bytes())
    }
}

struct Keys {
    member: Member,
    keys: KnownKeys,
}

impl Keys {
    fn in_force(&self, now: Timestamp) -> Result<(), NodeError> {
        if self.member.valid_until <= now {
            let text = format!(
                "the member document of `{}` ended at {}",
                self.member.agency, self.member.valid_until
            );
            return Err(NodeError::message(text, "exchange the present member document"));
        }
        Ok(())
    }

    fn voucher(&self, agency: &AgencyId) -> Voucher {
        Voucher::Signature { agency: agency.clone(), key: self.keys.release.name().to_owned() }
    }
}
