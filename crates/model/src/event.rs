//! What can happen to a node: the events of `protocol`. Pure.

use crate::agreement::Agreement;
use crate::custody::Holding;
use crate::ids::{AgencyId, Digest, RecordId};
use crate::member::Member;
use crate::release::{
    AgreementSignature, RecallNotice, RecallReceipt, Receipt, ReleaseNotice, Terms,
};
use crate::request::{Consent, StandingOrder};
use crate::vocabulary::Vocabulary;

/// A shipment opened and checked: terms and content of each release.
#[derive(Debug, Clone)]
pub struct Shipment<B> {
    /// Who gave it.
    pub giver: AgencyId,
    /// Digest of the signed manifest.
    pub manifest: Digest,
    /// When the giver sealed it, by its clock.
    pub sealed_at: crate::time::Timestamp,
    /// The agreements the giver rests it on.
    pub agreements: std::collections::BTreeMap<crate::ids::AgreementId, Digest>,
    /// The releases; a hit carries no content, else the content and its digest.
    pub releases: Vec<(Terms, Option<(B, Digest)>)>,
}

/// Whether a link is made or taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Linking {
    /// It is made.
    Link,
    /// It is taken back.
    Unlink,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event<B> {
    /// The node begins with its own member document.
    Begin(Box<Member>),
    /// An officer pins a partner's member document, or its successor arrives.
    Enrol(Box<Member>),
    /// An officer adopts the vocabulary decisions look things up in.
    Adopt(Box<Vocabulary>),
    /// An officer adds an agreement; the document's bytes go beside it.
    Agree {
        /// The agreement as read.
        agreement: Box<Agreement>,
        /// Its document, byte for byte.
        document: Vec<u8>,
    },
    /// A party's signature on an agreement arrives.
    Sign(AgreementSignature),
    /// An officer gives a standing order.
    Order(StandingOrder),
    /// An officer withdraws a standing order.
    Withdraw(StandingOrder),
    /// An originator's consent arrives or is given.
    Permit(Consent),
    /// Records were read from a local file by an officer.
    Ingest(Vec<Holding<B>>),
    /// Offer these records under this order; the follow-up of `Ingest`, or an officer's request.
    Share {
        /// The records.
        records: Vec<RecordId>,
        /// To whom, for what, on what grounds.
        order: StandingOrder,
    },
    /// An officer takes records out for a partner in a file: as [`Event::Share`], by hand.
    HandOver {
        /// The records.
        records: Vec<RecordId>,
        /// To whom, for what, on what grounds.
        order: StandingOrder,
    },
    /// A partner's shipment arrived.
    Receive(Shipment<B>),
    /// A partner's receipt arrived.
    Acknowledge(Receipt),
    /// An officer takes a record of this node back.
    Recall {
        /// The record.
        record: RecordId,
        /// Why.
        reason: String,
    },
    /// A partner takes a record back: its notice, and the digest of the signed document.
    Recalled(RecallNotice, Digest),
    /// A partner confirms a recall.
    RecallDone(RecallReceipt),
    /// A holder passed records of this node on; the digest is that of its signed document.
    Notified(ReleaseNotice, Digest),
    /// A partner's door refused a message of ours; nobody signs a refusal.
    Refused {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
        /// The HTTP status.
        status: u16,
        /// The code in the answer, where it carried one.
        code: Option<String>,
    },
    /// An officer gives a waiting message up.
    GiveUp {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
    },
    /// An officer has a message that was given up sent again.
    Again {
        /// The partner.
        partner: AgencyId,
        /// Digest of the message.
        message: Digest,
    },
    /// An officer gives a partner's client a new access token, by its digest.
    Access {
        /// The partner.
        partner: AgencyId,
        /// SHA-256 of the token.
        token: Digest,
    },
    /// A partner's client posts objects to a collection.
    Post(Box<crate::posting::Posting<B>>),
    /// A partner's client takes back what it posted.
    TakeDown(crate::posting::Takedown),
    /// An officer says how what a partner posts is regarded.
    Appraise {
        /// The partner.
        partner: AgencyId,
        /// The officer's word.
        appraisal: crate::posting::Appraisal,
    },
    /// Somebody read something: an officer, or a partner its collection.
    Read {
        /// Who.
        reader: String,
        /// The partner, where it is one.
        partner: Option<AgencyId>,
        /// What was asked, in words.
        query: String,
        /// How many records were shown.
        count: u64,
    },
    /// An officer says that two records are about one subject, or takes that back.
    SameAs {
        /// One record.
        one: RecordId,
        /// The other.
        other: RecordId,
        /// Which of the two.
        linking: Linking,
        /// Why.
        reason: String,
    },
    /// An officer sets up a feed or changes it; how far it was read stays.
    FeedSet(Box<crate::feed::Feed>),
    /// An officer removes a feed; what it brought stays.
    FeedDrop(crate::feed::FeedName),
    /// A feed was asked.
    Pull(Box<crate::feed::Pulled<B>>),
    /// Time passed.
    Tick,
}
