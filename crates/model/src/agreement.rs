//! Agreements as data: parties, articles and defaults. Pure.
//!
//! SOURCE: agreement document version 1 (docs/reference/agreement.md).

use crate::grading::Grade;
use crate::ids::{AgencyId, AgreementId, Digest, PartyId};
use crate::marking::Tlp;
use crate::time::{Period, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What kind of instrument an agreement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementType {
    /// Between two states.
    Bilateral,
    /// Among the states of a region.
    Regional,
    /// Among the members of a coalition.
    Coalition,
    /// A joint task force with a named operation.
    TaskForce,
    /// Between authorities and companies.
    PublicPrivate,
    /// A treaty on mutual legal assistance.
    MlaTreaty,
}

/// Where an agreement stands in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being negotiated; has no effect.
    Draft,
    /// Binds its signatories within its dates.
    InForce,
    /// Without effect until resumed.
    Suspended,
    /// Ended; survival clauses go on.
    Terminated,
}

/// What a recipient may do with a record towards third parties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Onward {
    /// Never.
    Forbidden,
    /// With the originator's consent, case by case.
    OriginatorConsent,
    /// Standing consent between the signatory agencies of this agreement.
    WithinAgreement,
}

/// How much an allow article lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Match, reference and contact only.
    HitOnly,
    /// The record without the withheld fields.
    Redacted,
    /// The whole record.
    Full,
}

/// Whose designation of a group an article asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DesignationRule {
    /// Both the holder's and the recipient's party designate it, or the UN does.
    BothOrUn,
    /// The provider's party designates it.
    Provider,
    /// No designation needed: the act decides.
    ActOnly,
}

/// A conjunction of finite-domain tests; an absent key is no test, an empty list matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// Record types.
    pub object_types: Option<BTreeSet<String>>,
    /// Purposes of use.
    pub purposes: Option<BTreeSet<String>>,
    /// Acts named by the request.
    pub offences: Option<BTreeSet<String>>,
    /// Categories of data subject.
    pub subjects: Option<BTreeSet<String>>,
    /// At least one of these flags on the record or the request.
    pub flags: Option<BTreeSet<String>>,
    /// Highest normalised classification, 0 to 4.
    pub max_class: Option<u8>,
    /// Strictest TLP label.
    pub max_tlp: Option<Tlp>,
    /// Worst acceptable grade.
    pub min_grade: Option<Grade>,
    /// Least maximum penalty for the act under the recipient's law, in months.
    pub min_penalty_months: Option<u32>,
    /// Designation rule for the group concerned.
    pub designation: Option<DesignationRule>,
}

/// What an article does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Lets records go, up to a level.
    Allow(Level),
    /// Forbids, whatever else allows.
    Deny,
    /// Adds caveats to what goes.
    Oblige,
}

/// One article.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Article {
    /// Its id inside the agreement, such as `4.2`.
    pub id: String,
    /// What it does.
    pub effect: Effect,
    /// Its own words, for people.
    pub text: String,
    /// Fields it withholds.
    pub redact: BTreeSet<String>,
    /// If present, only these fields go.
    pub fields: Option<BTreeSet<String>>,
    /// Facts that must be stated.
    pub requires: BTreeSet<String>,
    /// Caveats it adds.
    pub caveats: BTreeSet<String>,
    /// Obligations it puts on the parties to a release.
    pub obligations: BTreeSet<String>,
    /// Rules it lifts; only `ORIGINATOR_CONSENT` can be lifted.
    pub overrides: BTreeSet<String>,
    /// Only from these parties.
    pub from: Option<BTreeSet<PartyId>>,
    /// Only to these parties.
    pub to: Option<BTreeSet<PartyId>>,
    /// Its own retention period.
    pub retention: Option<Period>,
    /// Time within which the answer is due.
    pub deadline: Option<Period>,
    /// When it applies.
    pub when: When,
}

/// A party with the agencies it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The party.
    pub id: PartyId,
    /// Its agencies by name; an empty list is nobody.
    pub agencies: BTreeSet<AgencyId>,
    /// Whether it has signed.
    pub signed: bool,
}

/// Dates of an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    /// First instant in force.
    pub from: Timestamp,
    /// First instant no longer in force, if it ends.
    pub until: Option<Timestamp>,
    /// Notice for termination.
    pub notice: Option<Period>,
    /// How long caveats, recall and onward rules outlive it.
    pub survival: Option<Period>,
}

/// Rules that hold for every allow article unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// Onward rule.
    pub onward: Onward,
    /// Retention period.
    pub retention: Option<Period>,
    /// Caveats.
    pub caveats: BTreeSet<String>,
}

/// What happens to products built on a recalled record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Derived {
    /// They are deleted too.
    Purge,
    /// They are flagged.
    Flag,
}

/// Terms of a recall.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecallTerms {
    /// Time to acknowledge.
    pub ack: Period,
    /// Time to complete.
    pub complete: Period,
    /// Fate of derived products.
    pub derived: Derived,
}

/// One version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Global name.
    pub id: AgreementId,
    /// Version, from 1.
    pub version: u32,
    /// Digest of the document's bytes: its identity.
    pub digest: Digest,
    /// Kind of instrument.
    pub kind: AgreementType,
    /// Title.
    pub title: String,
    /// Status.
    pub status: Status,
    /// Digest of the signed prose, as written.
    pub text_hash: String,
    /// Dates.
    pub valid: Validity,
    /// Parties.
    pub parties: Vec<Party>,
    /// Legal bases, as references.
    pub legal_basis: Vec<String>,
    /// The operation it is limited to, if any.
    pub operation: Option<String>,
    /// Defaults.
    pub defaults: Defaults,
    /// Agreements whose outcome (never whose denials) it displaces when it grants.
    pub lex_specialis_over: BTreeSet<AgreementId>,
    /// Articles.
    pub articles: Vec<Article>,
    /// Recall terms.
    pub recall: Option<RecallTerms>,
    /// Earlier versions it replaces, as `id@version`.
    pub supersedes: Vec<String>,
}

impl Agreement {
    /// The party that lists this agency, if any.
    #[must_use]
    pub fn party_of(&self, agency: &AgencyId) -> Option<&Party> {
        self.parties.iter().find(|p| p.agencies.contains(agency))
    }

    /// Whether it is in force at `now`: status, and `from <= now < until`.
    #[must_use]
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.status == Status::InForce
            && self.valid.from <= now
            && self.valid.until.is_none_or(|until| now < until)
    }

    /// The article of this id.
    #[must_use]
    pub fn article(&self, id: &str) -> Option<&Article> {
        self.articles.iter().find(|a| a.id == id)
    }
}
