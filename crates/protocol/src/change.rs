//! Changes of state, by what they change: whoever writes them deals with one kind at a time. Pure
//! values.

use crate::effects::{GivenUp, Offered, Refusals};
use model::agreement::Agreement;
use model::custody::{Custody, Holding, Tombstone};
use model::feed::{Feed, FeedName};
use model::ids::{AgencyId, Digest, RecordId, StatusId};
use model::member::Member;
use model::posting::{Appraisal, Collection, Placed, PostStatus};
use model::release::{AgreementSignature, RecallReceipt, Receipt, ReleaseNotice, Terms};
use model::request::{Consent, StandingOrder};
use model::same_as::SameAs;
use model::vocabulary::Vocabulary;
use policy::release::Released;

/// One change of state.
#[derive(Debug, Clone)]
pub enum Change<B> {
    /// To what is held.
    Record(RecordChange<B>),
    /// To members, rules, orders and consents.
    Rule(RuleChange),
    /// To what a partner is offered.
    Collection(CollectionChange<B>),
    /// To messages and their answers.
    Delivery(DeliveryChange),
    /// To what partners post.
    Posting(PostingChange),
    /// To feeds.
    Feed(FeedChange),
}

/// A change to what is held.
#[derive(Debug, Clone)]
pub enum RecordChange<B> {
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
    /// Keep that two records are about one subject.
    Link(Box<SameAs>),
    /// Forget that they are.
    Unlink {
        /// The record whose id comes first.
        one: RecordId,
        /// The other.
        other: RecordId,
    },
    /// Drop a hit whose record was taken back.
    DropHit {
        /// Who gave it.
        giver: AgencyId,
        /// The record.
        record: RecordId,
    },
}

/// A change to members, rules, orders and consents.
#[derive(Debug, Clone)]
pub enum RuleChange {
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
}

/// A change to what a partner is offered.
#[derive(Debug, Clone)]
pub enum CollectionChange<B> {
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
}

/// A change to messages, their answers, and what originators are told.
#[derive(Debug, Clone)]
pub enum DeliveryChange {
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
    /// Count a refusal of a waiting message.
    Refusal {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
        /// The count, this one included.
        refusals: Refusals,
    },
    /// Take a message out of the outbox and set it aside as undelivered.
    GiveUp {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
        /// Why.
        given_up: GivenUp,
    },
    /// Put a message that was given up at the end of the outbox again.
    SendAgain {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
    },
    /// Drop a message that was given up.
    Drop {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
    },
    /// Keep what an originator is told; it is owed no longer.
    NoticeGiven(ReleaseNotice),
    /// Keep what an originator would have to be told, were it a pinned member.
    NoticeOwed(ReleaseNotice),
    /// Keep what a holder told this node as the originator.
    NoticeTaken {
        /// The notice.
        notice: ReleaseNotice,
        /// Digest of its signed document.
        document: Digest,
    },
}

/// A change to collections that partners write, and to what is told of their postings.
#[derive(Debug, Clone)]
pub enum PostingChange {
    /// Put a version into a collection; the instant it was added is set when it is written.
    Place(Collection, Placed),
    /// Take a version out of a collection.
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

/// A change to a feed.
#[derive(Debug, Clone)]
pub enum FeedChange {
    /// Store it, with how far it was read.
    Set(Box<Feed>),
    /// Forget it.
    Drop(FeedName),
}

impl<B> From<FeedChange> for Change<B> {
    fn from(change: FeedChange) -> Self {
        Self::Feed(change)
    }
}

impl<B> From<PostingChange> for Change<B> {
    fn from(change: PostingChange) -> Self {
        Self::Posting(change)
    }
}

impl<B> From<RecordChange<B>> for Change<B> {
    fn from(change: RecordChange<B>) -> Self {
        Self::Record(change)
    }
}

impl<B> From<RuleChange> for Change<B> {
    fn from(change: RuleChange) -> Self {
        Self::Rule(change)
    }
}

impl<B> From<CollectionChange<B>> for Change<B> {
    fn from(change: CollectionChange<B>) -> Self {
        Self::Collection(change)
    }
}

impl<B> From<DeliveryChange> for Change<B> {
    fn from(change: DeliveryChange) -> Self {
        Self::Delivery(change)
    }
}
