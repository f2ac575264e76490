//! A record as the rules see it: labels and field names, not the content. Pure.
//!
//! The content itself stays in the originator's bytes (law 4); `wire` derives this view from them.

use crate::grading::Grade;
use crate::ids::{AgencyId, RecordId};
use crate::marking::Marks;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Where the neutrality review of a record stands (INTERPOL Constitution Art 3, RPD Art 34).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Neutrality {
    /// Nothing in the record calls for a review.
    #[default]
    NotRequired,
    /// The review is open; the record does not leave.
    Pending,
    /// The review cleared the record.
    Cleared,
    /// The review failed; the record does not leave.
    Failed,
    /// Another state objects; recorded and visible, not a stop by itself.
    Contested,
}

/// Facts about a record that stop processing whatever the agreements say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Stops {
    /// Its originator took it back.
    pub recalled: bool,
    /// Its existence is protected: an answer must equal "no match".
    pub concealed: bool,
    /// Obtained by torture or another obvious violation of human rights.
    pub tainted: bool,
    /// Contested or restricted: kept, not used (LED Art 16(3)).
    pub restricted: bool,
    /// May leave only with the originator's advance permission for this release.
    pub orcon: bool,
}

/// One record, as the rules see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Identifier, global.
    pub id: RecordId,
    /// Vocabulary type: `indicator`, `person`, `event`, `report`, `account` …
    pub kind: String,
    /// The agency whose record it is; never changes.
    pub originator: AgencyId,
    /// Field name → JSON pointers (RFC 6901) of the content that carries it.
    pub fields: BTreeMap<String, Vec<String>>,
    /// Other records it points to → JSON pointers of those references.
    pub refs: BTreeMap<RecordId, Vec<String>>,
    /// Markings of the whole record.
    pub marks: Marks,
    /// Markings of single fields; they only tighten.
    pub field_marks: BTreeMap<String, Marks>,
    /// Category of the data subject: `none`, `suspect`, `victim` … (LED Art 6).
    pub subject: String,
    /// Grade of source and information, if any was given.
    pub grade: Option<Grade>,
    /// Handling codes, such as Europol's `H1`.
    pub handling: BTreeSet<String>,
    /// Caveats the record already carries.
    pub caveats: BTreeSet<String>,
    /// Flags such as `expression_only` or `ordre_public`.
    pub flags: BTreeSet<String>,
    /// The group it concerns, if any.
    pub group: Option<String>,
    /// The operation it belongs to, if any.
    pub operation: Option<String>,
    /// Neutrality review.
    pub neutrality: Neutrality,
    /// Stops.
    pub stops: Stops,
    /// No longer valid from this instant on.
    pub valid_until: Option<Timestamp>,
    /// The provider's own limit on how long a recipient may keep it.
    pub provider_limit: Option<Timestamp>,
}

impl Record {
    /// A record with nothing but its identity: unmarked, no fields, subject `none`.
    #[must_use]
    pub fn new(id: RecordId, kind: &str, originator: AgencyId) -> Self {
        Self {
            id,
            kind: kind.to_owned(),
            originator,
            fields: BTreeMap::new(),
            refs: BTreeMap::new(),
            marks: Marks::default(),
            field_marks: BTreeMap::new(),
            subject: SUBJECT_NONE.to_owned(),
            grade: None,
            handling: BTreeSet::new(),
            caveats: BTreeSet::new(),
            flags: BTreeSet::new(),
            group: None,
            operation: None,
            neutrality: Neutrality::NotRequired,
            stops: Stops::default(),
            valid_until: None,
            provider_limit: None,
        }
    }

    /// Whether it is personal data: of type person, or about a data subject.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.kind == KIND_PERSON || self.subject != SUBJECT_NONE
    }
}

/// The data-subject category of a record about nobody.
pub const SUBJECT_NONE: &str = "none";
/// The vocabulary type of records on persons.
pub const KIND_PERSON: &str = "person";
