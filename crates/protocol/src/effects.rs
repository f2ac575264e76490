//! What a step wants done: changes, messages, log entries, follow-ups. Pure values.

use model::agreement::Agreement;
use model::custody::{Custody, Holding, Tombstone};
use model::decision::{Decision, Outcome, Reason};
use model::entry::Draft;
use model::event::Event;
use model::ids::{AgencyId, AgreementId, Digest, RecordId, StatusId};
use model::member::Member;
use model::posting::{Appraisal, Collection, Placed, PostStatus};
use model::release::{AgreementSignature, RecallNotice, RecallReceipt, Receipt, Terms};
use model::request::{Consent, StandingOrder};
use model::vocabulary::Vocabulary;
use policy::release::Released;
use std::collections::{BTreeMap, BTreeSet};

/// What a partner was last offered of a record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offered {
    /// The terms.
    pub terms: Terms,
    /// Digest of the content held, before redaction.
    pub content: Digest,
    /// Fields withheld.
    pub withheld: BTreeSet<String>,
    /// The grounds it went on.
    pub grounds: model::request::Grounds,
    /// Whether the recipient did not take it; the next offer is then made anew.
    #[serde(default)]
    pub rejected: bool,
}

/// One change of state.
#[derive(Debug, Clone)]
pub enum Change<B> {
    /// Hold a record; replaces the custody of the same version.
    Hold(Box<Holding<B>>),
    /// Hold an earlier version beside the newest.
    HoldEarlier(Box<Holding<B>>),
    /// Delete every version of an assertion and leave a tombstone.
    Delete {
        /// What is deleted.
        custody: Box<Custody>,
        /// What stays.
        tombstone: Tombstone,
    },
    /// Leave a tombstone without deleting (an originator keeps what it recalled).
    Entomb(Tombstone),
    /// Flag a product that rests on a recalled record.
    Flag(Box<Custody>),
    /// Keep a hit: terms without content.
    Hit {
        /// Who gave it.
        giver: AgencyId,
        /// The terms.
        terms: Box<Terms>,
    },
    /// Pin a member document.
    Pin(Box<Member>),
    /// Replace the access token of a partner's client.
    Access {
        /// The partner.
        partner: AgencyId,
        /// SHA-256 of the token.
        token: Digest,
    },
    /// Adopt a vocabulary.
    Vocabulary(Box<Vocabulary>),
    /// Adopt an agreement with its document.
    Agreement {
        /// As read.
        agreement: Box<Agreement>,
        /// As written.
        document: Vec<u8>,
    },
    /// Store a signature on an agreement.
    Signature(AgreementSignature),
    /// Store a standing order.
    Order(StandingOrder),
    /// Drop a standing order.
    DropOrder(StandingOrder),
    /// Store a consent.
    Consent(Consent),
    /// Put a release into the partner's collection.
    Offer {
        /// What was offered: duplicate suppression compares it.
        offered: Box<Offered>,
        /// The release.
        released: Box<Released<B>>,
    },
    /// Take a record out of a partner's collection.
    Retract {
        /// The record.
        record: RecordId,
        /// Whose assertion of it.
        originator: AgencyId,
        /// The partner.
        recipient: AgencyId,
        /// Only as offered for this purpose; for every purpose where absent.
        purpose: Option<String>,
    },
    /// A partner did not take a record: what was offered is marked so.
    Rejected {
        /// The record.
        record: RecordId,
        /// The partner.
        recipient: AgencyId,
    },
    /// Drop a hit whose record was taken back.
    DropHit {
        /// Who gave it.
        giver: AgencyId,
        /// The record.
        record: RecordId,
    },
    /// A message was answered: it leaves the outbox.
    Answered {
        /// Digest of the message.
        message: Digest,
        /// The partner.
        partner: AgencyId,
    },
    /// Keep the receipt given for a message, so that a repetition gets the same answer.
    ReceiptGiven(Receipt),
    /// Keep a partner's receipt.
    ReceiptTaken(Receipt),
    /// Keep a partner's word on a recall.
    RecallTaken(RecallReceipt),
    /// Put a version into a collection that partners write; the instant it was added is set when
    /// it is written.
    Place(Collection, Placed),
    /// Take a version out of a collection that partners write.
    Displace(Collection, Placed),
    /// Delete one version of an assertion; another is the newest then.
    DropVersion {
        /// The version.
        custody: Box<Custody>,
        /// The newest of those that stay.
        newest: String,
    },
    /// Keep a status resource.
    Status {
        /// The partner that posted.
        partner: AgencyId,
        /// The status.
        status: PostStatus,
    },
    /// Drop a status resource whose time is over.
    DropStatus {
        /// The partner that posted.
        partner: AgencyId,
        /// Which.
        status: StatusId,
    },
    /// Store how a partner's postings are regarded.
    Appraise {
        /// The partner.
        partner: AgencyId,
        /// The officer's word.
        appraisal: Appraisal,
    },
}

/// A message to seal and send.
#[derive(Debug, Clone)]
pub enum Outgoing<B> {
    /// Releases to one recipient.
    Shipment {
        /// To whom.
        recipient: AgencyId,
        /// The agreements they rest on, with the digests of their documents.
        agreements: BTreeMap<AgreementId, Digest>,
        /// The releases, with their terms.
        releases: Vec<(Terms, Released<B>)>,
    },
    /// A recall.
    Recall(RecallNotice),
    /// A consent, for a holder to act on.
    Consent {
        /// The holder.
        recipient: AgencyId,
        /// The consent.
        consent: Consent,
    },
}

/// The answer to whoever brought the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Reply {
    /// Done; nothing to add.
    #[default]
    Done,
    /// It was so already.
    Unchanged,
    /// What became of records offered.
    Ingested {
        /// Newly stored.
        stored: u64,
        /// Already held in this version.
        unchanged: u64,
        /// Not taken, with the reason.
        refused: Vec<(RecordId, String)>,
    },
    /// What became of records shared.
    Shared(Vec<Shared>),
    /// The signed word for a shipment or a consent.
    Receipt(Receipt),
    /// The signed word for a recall.
    RecallReceipt(RecallReceipt),
    /// Whom a recall was sent to.
    Recalling(BTreeSet<AgencyId>),
    /// What the clock ended.
    Expired(Vec<RecordId>),
    /// What became of a posting.
    Posted(Box<PostStatus>),
    /// How many versions were taken out of a collection.
    TakenDown(usize),
}

/// What became of one record offered to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    /// The record.
    pub record: RecordId,
    /// To whom.
    pub recipient: AgencyId,
    /// What goes.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// Whether it went before on the same terms.
    pub repeated: bool,
    /// The whole decision; dropped where very many records are shared at once.
    pub decision: Option<Box<Decision>>,
}

/// Everything one step wants done, in one commit.
#[derive(Debug, Clone)]
pub struct Effects<B> {
    /// Changes of state, in order.
    pub changes: Vec<Change<B>>,
    /// Messages to seal into the outbox.
    pub outgoing: Vec<Outgoing<B>>,
    /// Log entries, in order.
    pub entries: Vec<Draft>,
    /// Follow-up events.
    pub then: Vec<Event<B>>,
    /// The answer.
    pub reply: Reply,
}

impl<B> Default for Effects<B> {
    fn default() -> Self {
        Self {
            changes: Vec::new(),
            outgoing: Vec::new(),
            entries: Vec::new(),
            then: Vec::new(),
            reply: Reply::Done,
        }
    }
}

impl<B> Effects<B> {
    /// Nothing to do, with this answer.
    #[must_use]
    pub fn reply(reply: Reply) -> Self {
        Self { reply, ..Self::default() }
    }

    /// One change with its entry.
    #[must_use]
    pub fn one(change: Change<B>, entry: Draft) -> Self {
        Self { changes: vec![change], entries: vec![entry], ..Self::default() }
    }
}
