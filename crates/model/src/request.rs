//! What is asked of the rules: may this recipient have this record, for what, on what facts? Pure.

use crate::ids::{AgencyId, RecordId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An originator's permission for one recipient; each further key narrows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Consent {
    /// Who permits.
    pub originator: AgencyId,
    /// Who may receive.
    pub recipient: AgencyId,
    /// Only this record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<RecordId>,
    /// Only for this purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Only from this instant on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Only before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Only to parties of this agreement and under its articles; no other article counts then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreement: Option<crate::ids::AgreementId>,
}

/// The grounds stated for a release.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grounds {
    /// The act concerned, by neutral code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub offence: Option<String>,
    /// Facts stated by a named person: `human_review`, `match_confirmed` …
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub facts: BTreeSet<String>,
    /// Consents that apply.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
    /// Flags of the case: `political_character` …
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub flags: BTreeSet<String>,
}

/// One question to the rules, apart from the record itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The agency that holds the record and decides.
    pub holder: AgencyId,
    /// The agency that would receive it.
    pub recipient: AgencyId,
    /// The purpose of use.
    pub purpose: String,
    /// The grounds.
    pub grounds: Grounds,
    /// The present.
    pub now: Timestamp,
}

/// A standing order: what is stored is offered to this recipient for this purpose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StandingOrder {
    /// The recipient.
    pub recipient: AgencyId,
    /// The purpose.
    pub purpose: String,
    /// The grounds that hold for every release under it.
    #[serde(default)]
    pub grounds: Grounds,
}
