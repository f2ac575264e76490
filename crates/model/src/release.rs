//! The messages of sharing: manifest, receipt, recall. Pure.

use crate::custody::Deletion;
use crate::decision::Outcome;
use crate::ids::{AgencyId, AgreementId, ArticleRef, Digest, RecordId};
use crate::time::{Period, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The outside of a shipment, signed: everything a carrier may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The agency that gives.
    pub giver: AgencyId,
    /// The agency that receives.
    pub recipient: AgencyId,
    /// The agreements the releases rest on, with the digests of their documents.
    pub agreements: BTreeMap<AgreementId, Digest>,
    /// How many releases it carries.
    pub count: u64,
    /// When it was sealed.
    pub sealed_at: Timestamp,
    /// Distinguishes shipments of the same instant: digest over the sealed items.
    pub items: Digest,
    /// SHA-256 of the ciphertext.
    pub body: Digest,
    /// Size of the ciphertext.
    pub body_bytes: u64,
    /// The content key, wrapped for the recipient (base64).
    pub wrapped_key: String,
}

/// The terms of one released record, sealed together with its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The record.
    pub record: RecordId,
    /// Its vocabulary type.
    pub kind: String,
    /// Its version.
    pub version: String,
    /// Whose record it is.
    pub originator: AgencyId,
    /// Whole, redacted or a hit.
    pub outcome: Outcome,
    /// The purpose it may be used for.
    pub purpose: String,
    /// The articles it goes under.
    pub basis: BTreeSet<ArticleRef>,
    /// Caveats.
    pub caveats: BTreeSet<String>,
    /// Obligations.
    pub obligations: BTreeSet<String>,
    /// The recipient must have deleted it by then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retention_until: Option<Timestamp>,
    /// When further data on it are due.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub deadline: Option<Period>,
}

/// What the recipient did with one record of a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Reception {
    /// Stored.
    Stored,
    /// Already held in this version on the same terms.
    Unchanged,
    /// Not taken, with the reason.
    Rejected {
        /// Why.
        reason: String,
    },
}

/// The recipient's signed word on a shipment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Digest of the signed manifest.
    pub manifest: Digest,
    /// Who gave.
    pub giver: AgencyId,
    /// Who received.
    pub recipient: AgencyId,
    /// When.
    pub at: Timestamp,
    /// Record → what was done.
    pub records: BTreeMap<RecordId, Reception>,
}

/// An originator, or a holder on its behalf, takes a record back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallNotice {
    /// The record.
    pub record: RecordId,
    /// Whose record it is.
    pub originator: AgencyId,
    /// Who sends this notice.
    pub giver: AgencyId,
    /// Who must act.
    pub recipient: AgencyId,
    /// Taken back for good by its originator, or no longer shared by the giver.
    pub cause: Deletion,
    /// Why, as far as it may be told.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The recipient must have acted by then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub complete_by: Option<Timestamp>,
    /// What happens to products built on it.
    pub derived: crate::agreement::Derived,
}

/// The holder's signed word on a recall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecallReceipt {
    /// Digest of the signed notice it answers.
    pub notice: Digest,
    /// The record.
    pub record: RecordId,
    /// Whose record it is.
    pub originator: AgencyId,
    /// Who acted.
    pub holder: AgencyId,
    /// To whom this answers.
    pub giver: AgencyId,
    /// When.
    pub at: Timestamp,
    /// Whether a copy was held and deleted, or none was held.
    pub deleted: Option<Deletion>,
    /// Products flagged or deleted because they rest on it.
    pub derived: BTreeSet<RecordId>,
    /// Onward holders told.
    pub passed_to: BTreeSet<AgencyId>,
}

/// A holder tells an originator that it passed records of it on, under articles that oblige it to.
///
/// SOURCE: docs/reference/decisions.md, section 13. It says what the obligation asks for and
/// nothing else: which records went how far, to whom, under which article, when and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseNotice {
    /// Whose records they are: who is told.
    pub originator: AgencyId,
    /// The holder that passed them on: who tells.
    pub giver: AgencyId,
    /// Who received them.
    pub recipient: AgencyId,
    /// What for.
    pub purpose: String,
    /// When.
    pub at: Timestamp,
    /// Record → what went, under what.
    pub records: BTreeMap<RecordId, PassedOn>,
}

/// One record of a release notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PassedOn {
    /// The version that went.
    pub version: String,
    /// Whole, redacted or a hit.
    pub outcome: Outcome,
    /// The articles that let it go and oblige to the notice.
    pub articles: BTreeSet<ArticleRef>,
    /// Why: of the facts these articles demand, those a named officer stated.
    pub facts: BTreeSet<String>,
}

/// A party's signature on one version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementSignature {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its version.
    pub version: u32,
    /// The digest of the document signed.
    pub digest: Digest,
    /// The party that signs.
    pub party: crate::ids::PartyId,
    /// The agency whose key signs for it.
    pub agency: AgencyId,
    /// When.
    pub at: Timestamp,
}
