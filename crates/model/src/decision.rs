//! The answer of the rules, with every reason. Pure.

use crate::ids::ArticleRef;
use crate::time::{Period, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a recipient gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing.
    Refuse,
    /// Match, reference and contact; every field withheld.
    HitOnly,
    /// The record without the withheld fields.
    Redact,
    /// The whole record.
    Release,
}

/// Why: one code for each test, in the order of testing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Reason {
    /// The originator took the record back.
    Recalled,
    /// The record is no longer valid.
    Expired,
    /// A label or marking reference does not resolve.
    UnknownMarking,
    /// The record's existence is protected.
    Concealed,
    /// Obtained in violation of human rights.
    TaintedSource,
    /// Contested or restricted data.
    RestrictedProcessing,
    /// Personal data to a state with a serious risk of torture.
    HrTortureRisk,
    /// A capital offence there, without assurance.
    HrDeathPenalty,
    /// The neutrality review is open or failed.
    Neutrality,
    /// Not for foreign nationals.
    MarkNoforn,
    /// The recipient's party is not in the REL list.
    MarkRel,
    /// Classified above the recipient's clearance.
    Clearance,
    /// The TLP label does not let it go.
    Tlp,
    /// The originator has not consented.
    OriginatorConsent,
    /// Handling code H1: not in judicial proceedings without permission.
    HandlingH1,
    /// No agreement in force between exactly these agencies.
    NoAgreement,
    /// An article forbids it.
    DenyArticle,
    /// An article matches, a required fact is missing.
    RequirementUnmet,
    /// Only the grade is too low.
    GradeTooLow,
    /// Only the act is not covered.
    OffenceNotCovered,
    /// Only the designation of the group differs.
    DesignationDiverges,
    /// Only the classification or TLP ceiling is exceeded.
    Ceiling,
    /// Only the category of data subject is not covered.
    SubjectNotCovered,
    /// Only the purpose is not covered.
    PurposeNotCovered,
    /// No article comes close.
    NoArticle,
    /// Released whole.
    Granted,
    /// Released without the withheld fields.
    GrantedRedacted,
    /// A hit without fields.
    HitOnly,
}

/// How a refusal is put to the asker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalMode {
    /// With its code and cure.
    Stated,
    /// Exactly as if nothing had been found.
    AsNoMatch,
}

/// The full, explained answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What the recipient gets.
    pub outcome: Outcome,
    /// The first failing test, or the kind of grant.
    pub reason: Reason,
    /// Every failing test, in order; empty for a grant.
    pub failed: Vec<Reason>,
    /// Fields withheld.
    pub redacted_fields: BTreeSet<String>,
    /// Caveats that travel with the record.
    pub caveats: BTreeSet<String>,
    /// The articles that grant.
    pub basis: BTreeSet<ArticleRef>,
    /// The recipient must have deleted it by then.
    pub retention_until: Option<Timestamp>,
    /// Obligations on the parties.
    pub obligations: BTreeSet<String>,
    /// When the answer is due.
    pub deadline: Option<Period>,
    /// Facts that would cure the refusal.
    pub unmet: BTreeSet<String>,
    /// The articles that forbid.
    pub denied_by: BTreeSet<ArticleRef>,
    /// How a refusal is put.
    pub refusal_mode: RefusalMode,
}
