//! What a step wants done: changes, messages, log entries, follow-ups. Pure values.

use crate::change::Change;
use model::decision::{Decision, Outcome, Reason};
use model::entry::Draft;
use model::event::Event;
use model::ids::{AgencyId, AgreementId, Digest, RecordId};
use model::posting::PostStatus;
use model::release::{RecallNotice, RecallReceipt, Receipt, ReleaseNotice, Terms};
use model::request::{Consent, StandingOrder};
use model::time::Timestamp;
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

/// What a message in the outbox is about, for its sender only.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Subject {
    /// A shipment, logged at this index.
    Shipment {
        /// Index of its dispatch entry.
        entry: u64,
        /// The order its records went under, to offer them anew if it is given up.
        order: StandingOrder,
        /// Its records.
        records: Vec<RecordId>,
    },
    /// A recall of this record.
    Recall {
        /// The record.
        record: RecordId,
        /// Whose record it is.
        originator: AgencyId,
        /// Taken back for good, or no longer shared.
        cause: model::custody::Deletion,
    },
    /// A consent.
    Consent,
    /// Word to an originator that these records were passed on.
    Notice {
        /// The records.
        records: Vec<RecordId>,
    },
}

/// How often a partner's door refused a message that waits for it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Refusals {
    /// How often.
    pub count: u32,
    /// Since when.
    pub since: Timestamp,
    /// What it said last: status and code.
    pub last: String,
}

/// Why a message was given up.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct GivenUp {
    /// When.
    pub at: Timestamp,
    /// Why, in words.
    pub reason: String,
}

/// A message to seal and send.
#[derive(Debug, Clone)]
pub enum Outgoing<B> {
    /// Releases to one recipient.
    Shipment {
        /// To whom.
        recipient: AgencyId,
        /// The order they go under, without grounds that only an originator can give.
        order: StandingOrder,
        /// The agreements they rest on, with the digests of their documents.
        agreements: BTreeMap<AgreementId, Digest>,
        /// The releases, with their terms.
        releases: Vec<(Terms, Released<B>)>,
    },
    /// Releases to one recipient in a file that an officer carries; nothing waits in the outbox.
    File(Vec<(Terms, Released<B>)>),
    /// A recall.
    Recall(RecallNotice),
    /// A consent, for a holder to act on.
    Consent {
        /// The holder.
        recipient: AgencyId,
        /// The consent.
        consent: Consent,
    },
    /// Word to an originator that its records were passed on.
    Notice(ReleaseNotice),
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
    /// A partner's refusal is noted.
    Refused {
        /// Whether the message was given up for it.
        given_up: bool,
    },
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
    /// What keeps it here although the rules would let it go.
    pub hindrance: Option<String>,
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
    pub fn one(change: impl Into<Change<B>>, entry: Draft) -> Self {
        Self { changes: vec![change.into()], entries: vec![entry], ..Self::default() }
    }

    /// Wants one more change.
    pub fn change(&mut self, change: impl Into<Change<B>>) {
        self.changes.push(change.into());
    }
}
