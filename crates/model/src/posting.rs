//! Posting: what a partner's client puts into a collection of this node, and what comes of it.
//! Pure.
//!
//! SOURCE: OASIS TAXII 2.1 (collections, status resources); Admiralty code for sources.

use crate::custody::version_order;
use crate::grading::Grade;
use crate::ids::{AgencyId, AgreementId, Digest, RecordId, StatusId};
use crate::marking::Tlp;
use crate::record::Record;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A collection of this node, as partners' clients see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Collection {
    /// What this node released to the partner; it only reads.
    Outbox(AgencyId),
    /// What the partner posts to this node; nobody else sees it.
    Inbox(AgencyId),
    /// What the parties of a multilateral agreement post to each other.
    Community(AgreementId),
}

impl fmt::Display for Collection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outbox(partner) => write!(f, "outbox of {partner}"),
            Self::Inbox(partner) => write!(f, "inbox of {partner}"),
            Self::Community(agreement) => write!(f, "community of {agreement}"),
        }
    }
}

/// What a partner may do with a collection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    /// It may read.
    pub read: bool,
    /// It may post, and take back what it posted.
    pub write: bool,
}

/// One object of a posting, read and viewed.
#[derive(Debug, Clone)]
pub struct Posted<B> {
    /// The view, with the poster as originator.
    pub record: Record,
    /// Its version as written; nothing for an object that states none.
    pub stated: Option<String>,
    /// The version of STIX it follows, such as `2.1`.
    pub spec: String,
    /// Digest of its bytes.
    pub content: Digest,
    /// The content.
    pub body: B,
}

/// What a partner's client posts at once.
#[derive(Debug, Clone)]
pub struct Posting<B> {
    /// Where to.
    pub collection: Collection,
    /// The partner; its voucher is checked.
    pub partner: AgencyId,
    /// The status resource to make.
    pub status: StatusId,
    /// Objects that could be read.
    pub objects: Vec<Posted<B>>,
    /// Entries that are no objects, with the reason.
    pub unfit: Vec<StatusItem>,
}

/// One row of a collection that partners write: which version of whose assertion, and since when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// The object.
    #[serde(rename = "i")]
    pub record: RecordId,
    /// Who posted it.
    #[serde(rename = "p")]
    pub partner: AgencyId,
    /// The version as it is held here.
    #[serde(rename = "v")]
    pub version: String,
    /// The version as written; nothing for an object that states none.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub stated: Option<String>,
    /// The version of STIX it follows.
    #[serde(rename = "f")]
    pub spec: String,
    /// Its STIX type.
    #[serde(rename = "t")]
    pub kind: String,
    /// When it was added: strictly increasing inside a node.
    #[serde(rename = "a")]
    pub added_at: Timestamp,
}

impl Placed {
    /// Whether `version` names this version: the same instant, or the same text. An object that
    /// states no version is named by the instant it was added.
    #[must_use]
    pub fn is_version(&self, version: &str) -> bool {
        let own = self.stated.as_deref();
        let asked = version.parse::<Timestamp>().ok();
        match own {
            Some(own) => own == version || (asked.is_some() && own.parse().ok() == asked),
            None => asked == Some(self.added_at),
        }
    }

    /// The order of two versions of one object: by what they state, then by when they were added.
    #[must_use]
    pub fn order(&self, other: &Self) -> std::cmp::Ordering {
        match (&self.stated, &other.stated) {
            (Some(one), Some(theirs)) => version_order(one, theirs),
            (None, None) | (Some(_), None) | (None, Some(_)) => std::cmp::Ordering::Equal,
        }
        .then(self.added_at.cmp(&other.added_at))
    }
}

/// Which versions of an object are meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pick {
    /// All.
    All,
    /// The earliest.
    First,
    /// The latest.
    Last,
    /// The one of this version.
    At(String),
}

/// A partner takes back what it posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takedown {
    /// From where.
    pub collection: Collection,
    /// The partner; its voucher is checked.
    pub partner: AgencyId,
    /// The object.
    pub record: RecordId,
    /// The versions; an empty set is none.
    pub versions: BTreeSet<Pick>,
    /// Only objects that follow these versions of STIX.
    pub specs: Option<BTreeSet<String>>,
}

/// How this node regards what a partner posts: an officer's word, not the partner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appraisal {
    /// The marking that counts where the content carries none.
    pub floor: Tlp,
    /// The grade that counts where the content carries none, and that no grade of the content's
    /// own betters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grade: Option<Grade>,
}

impl Appraisal {
    /// What counts before an officer has said anything.
    pub const NONE_GIVEN: Self = Self { floor: Tlp::Amber, grade: None };
}

/// What became of one object of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusItem {
    /// The object's identifier as written, or its place in the posting.
    pub id: String,
    /// Its version as written, or the instant of the posting.
    pub version: String,
    /// What there is to say: why it failed, with the cure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of a posting. It was worked on before it was answered, so nothing is pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostStatus {
    /// Its identifier, known to the partner that posted.
    pub id: StatusId,
    /// When it was posted.
    pub at: Timestamp,
    /// Kept at least until then.
    pub until: Timestamp,
    /// Taken, or held already.
    pub successes: Vec<StatusItem>,
    /// Not taken.
    pub failures: Vec<StatusItem>,
    /// Not decided yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pendings: Vec<StatusItem>,
}

impl PostStatus {
    /// Whether everything in it was decided.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.pendings.is_empty()
    }

    /// How many objects it is about.
    #[must_use]
    pub fn total(&self) -> usize {
        let parts = [&self.successes, &self.failures, &self.pendings];
        parts.iter().fold(0, |sum, items| sum.saturating_add(items.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_by_its_instant_however_it_is_written() {
        let mut placed = Placed {
            record: "file--1".parse().unwrap(),
            partner: "xb.police.ct".parse().unwrap(),
            version: "2016-04-06T20:03:48.000Z".to_owned(),
            stated: Some("2016-04-06T20:03:48.000Z".to_owned()),
            spec: "2.1".to_owned(),
            kind: "file".to_owned(),
            added_at: "2026-01-01T00:00:00.000001Z".parse().unwrap(),
        };
        assert!(placed.is_version("2016-04-06T20:03:48Z"));
        assert!(!placed.is_version("2026-01-01T00:00:00.000001Z"));
        placed.stated = None;
        assert!(placed.is_version("2026-01-01T00:00:00.000001Z"));
        assert!(!placed.is_version("all"));
    }
}
