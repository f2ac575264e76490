//! The frozen facts one step may read. Pure: the caller answers from one snapshot.

use crate::Rules;
use crate::effects::{Offered, Refusals, Subject};
use model::agreement::Agreement;
use model::custody::{Custody, Tombstone};
use model::ids::{AgencyId, AgreementId, Digest, RecordId, StatusId};
use model::member::Member;
use model::posting::{Appraisal, Collection, Placed};
use model::record::Record;
use model::release::{AgreementSignature, Receipt, ReleaseNotice};
use model::request::{Consent, StandingOrder};
use model::same_as::SameAs;
use model::time::Timestamp;
use policy::release::Content;
use std::collections::BTreeSet;

/// The snapshot could not be read; the text says what and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(pub String);

/// A record held: its view for the rules, what binds it, and its content.
#[derive(Debug, Clone)]
pub struct Held<B> {
    /// The view, with custody's caveats, limits and recall merged in.
    pub record: Record,
    /// What binds it.
    pub custody: Custody,
    /// The content.
    pub body: B,
}

/// What a step may know. Every answer comes from the same instant.
pub trait Facts {
    /// The content of a record.
    type Body: Content + Clone;

    /// The agency that runs this node.
    fn own_agency(&self) -> &AgencyId;
    /// The compiled agreements in which a party counts as signed only if its signature is stored.
    ///
    /// # Errors
    /// [`Fault`] when no vocabulary has been adopted or the store cannot be read.
    fn rules(&self) -> Result<&Rules, Fault>;
    /// A record held; the own assertion first where several originators assert the same id.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn held(&self, id: &RecordId) -> Result<Option<Held<Self::Body>>, Fault>;
    /// The custody of one originator's assertion, newest version.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn custody(&self, id: &RecordId, originator: &AgencyId) -> Result<Option<Custody>, Fault>;
    /// The content digest of one version of an assertion, if that version is held.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn version(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        version: &str,
    ) -> Result<Option<Digest>, Fault>;
    /// Records of this node's own origination, in id order.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn own_records(&self) -> Result<Vec<RecordId>, Fault>;
    /// Records that refer to this one.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn referrers(&self, id: &RecordId) -> Result<Vec<Custody>, Fault>;
    /// Links of a record to others about the same subject.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn same_as(&self, id: &RecordId) -> Result<Vec<SameAs>, Fault>;
    /// What stays of a deleted or recalled assertion.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn tombstone(&self, id: &RecordId, originator: &AgencyId) -> Result<Option<Tombstone>, Fault>;
    /// What stays of an assertion that this giver withdrew.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn withdrawn(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        giver: &AgencyId,
    ) -> Result<Option<Tombstone>, Fault>;
    /// Custodies whose retention has ended at `now`.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn due(&self, now: Timestamp) -> Result<Vec<Custody>, Fault>;
    /// A pinned member.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn member(&self, agency: &AgencyId) -> Result<Option<Member>, Fault>;
    /// An adopted agreement, newest version, as its document says.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn agreement(&self, id: &AgreementId) -> Result<Option<Agreement>, Fault>;
    /// Signatures stored for an agreement.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn signatures(&self, id: &AgreementId) -> Result<Vec<AgreementSignature>, Fault>;
    /// The standing orders.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn orders(&self) -> Result<Vec<StandingOrder>, Fault>;
    /// Consents of this originator for this recipient.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn consents(&self, originator: &AgencyId, recipient: &AgencyId) -> Result<Vec<Consent>, Fault>;
    /// What was last offered of this assertion to this recipient, purpose by purpose.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn offered(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        recipient: &AgencyId,
    ) -> Result<Vec<Offered>, Fault>;
    /// Everyone this assertion is offered to by this node now.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn recipients(&self, id: &RecordId, originator: &AgencyId) -> Result<Vec<AgencyId>, Fault>;
    /// Everyone this assertion was ever released to by this node, withdrawn since or not.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn ever(&self, id: &RecordId, originator: &AgencyId) -> Result<Vec<AgencyId>, Fault>;
    /// The receipt this node gave for a manifest, if it received it before.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn receipt_given(&self, manifest: &Digest) -> Result<Option<Receipt>, Fault>;
    /// Whether a message of this digest to this partner awaits its answer, given up or not.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn awaits(&self, message: &Digest, partner: &AgencyId) -> Result<bool, Fault>;
    /// One version of one originator's assertion.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn assertion(
        &self,
        id: &RecordId,
        originator: &AgencyId,
        version: &str,
    ) -> Result<Option<Held<Self::Body>>, Fault>;
    /// The custodies of every version of an assertion, in no order of time.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn versions(&self, id: &RecordId, originator: &AgencyId) -> Result<Vec<Custody>, Fault>;
    /// Where versions of an assertion stand in collections that partners write.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn placements(
        &self,
        id: &RecordId,
        originator: &AgencyId,
    ) -> Result<Vec<(Collection, Placed)>, Fault>;
    /// How an officer wants a partner's postings regarded, where one said so.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn appraisal(&self, partner: &AgencyId) -> Result<Option<Appraisal>, Fault>;
    /// Whether this is the credential a partner's client was given last.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn admits(&self, partner: &AgencyId, credential: &Digest) -> Result<bool, Fault>;
    /// Status resources that need not be kept any longer at `now`.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn statuses_due(&self, now: Timestamp) -> Result<Vec<(AgencyId, StatusId)>, Fault>;
    /// A message in the outbox: what it is about and how often it was refused.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn waits(
        &self,
        message: &Digest,
        partner: &AgencyId,
    ) -> Result<Option<(Subject, Option<Refusals>)>, Fault>;
    /// A message that was given up: what it is about.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn undelivered(&self, message: &Digest, partner: &AgencyId) -> Result<Option<Subject>, Fault>;
    /// Messages to this partner given up since it last answered one.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn given_up_in_a_row(&self, partner: &AgencyId) -> Result<u64, Fault>;
    /// A feed, with how far it was read.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn feed(&self, name: &model::feed::FeedName) -> Result<Option<model::feed::Feed>, Fault>;
    /// How many feeds there are.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn feeds_count(&self) -> Result<usize, Fault>;
    /// Originators that are owed notices.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn creditors(&self) -> Result<BTreeSet<AgencyId>, Fault>;
    /// Notices that an originator is owed, at most `limit`.
    ///
    /// # Errors
    /// [`Fault`] when the store cannot be read.
    fn owed(&self, originator: &AgencyId, limit: usize) -> Result<Vec<ReleaseNotice>, Fault>;
}
