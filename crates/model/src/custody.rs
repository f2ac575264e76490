//! Custody: how a node came to hold a record and what binds it. Pure.

use crate::ids::{AgencyId, ArticleRef, Digest, RecordId};
use crate::marking::Tlp;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How a record reached this node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Source {
    /// A local officer imported it.
    Import {
        /// The format it was read from.
        format: String,
        /// The officer.
        officer: String,
    },
    /// A partner released it to us.
    Release {
        /// The agency that gave it.
        giver: AgencyId,
        /// The digest of the signed manifest it came with.
        manifest: Digest,
        /// The purpose it was released for, which binds.
        purpose: String,
        /// The articles it was released under.
        basis: BTreeSet<ArticleRef>,
        /// What the giver decided: whole, redacted or a hit.
        outcome: crate::decision::Outcome,
        /// Obligations that came with it.
        obligations: BTreeSet<String>,
    },
    /// A partner's client posted it: the partner's word, unsigned.
    Post {
        /// Where it was posted first.
        collection: crate::posting::Collection,
        /// Digest of the credential the client showed.
        credential: Digest,
        /// The grade an officer gave this poster, at the time.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        grade: Option<crate::grading::Grade>,
    },
    /// This node read it from a feed: an outside source's word, unsigned.
    Feed {
        /// The feed.
        feed: crate::feed::FeedName,
        /// The grade an officer gave the source, at the time.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        grade: Option<crate::grading::Grade>,
        /// Whether this node made it of STIX 2.0.
        #[serde(skip_serializing_if = "std::ops::Not::not", default)]
        upgraded: bool,
    },
}

/// What binds a record held here; caveats only accumulate, retention only shortens (law 8).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Custody {
    /// The record.
    pub id: RecordId,
    /// Its vocabulary type.
    pub kind: String,
    /// Its version as its originator wrote it (STIX `modified`, or the digest of the content).
    pub version: String,
    /// Whose record it is; never changes.
    pub originator: AgencyId,
    /// How it came.
    pub source: Source,
    /// When it was stored here.
    pub stored_at: Timestamp,
    /// Digest of the content bytes.
    pub content: Digest,
    /// Caveats that came with it, on top of those in the content.
    pub caveats: BTreeSet<String>,
    /// It must be gone by then.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub retention_until: Option<Timestamp>,
    /// The marking that counts where the content carries none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub floor: Option<Tlp>,
    /// Products flagged because a record they rest on was recalled.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub flagged: bool,
}

/// A record held: custody and content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding<B> {
    /// What binds it.
    pub custody: Custody,
    /// The content, in the originator's form.
    pub body: B,
}

/// What stays of a record that was deleted: enough to refuse its return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The record.
    pub id: RecordId,
    /// Whose it was.
    pub originator: AgencyId,
    /// Why it went.
    pub cause: Deletion,
    /// When, by the clock of whoever caused it.
    pub at: Timestamp,
    /// Who took it back, where it was taken back.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub giver: Option<AgencyId>,
}

/// The order of two versions of one record: by the instants they state, else by their text.
#[must_use]
pub fn version_order(one: &str, other: &str) -> std::cmp::Ordering {
    match (one.parse::<Timestamp>(), other.parse::<Timestamp>()) {
        (Ok(a), Ok(b)) if a != b => a.cmp(&b),
        (Ok(_) | Err(_), _) => one.cmp(other),
    }
}

/// Why a record was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deletion {
    /// Its originator recalled it: it may not come back.
    Recalled,
    /// Its giver may no longer share it: it may come back with a later release.
    Withdrawn,
    /// Its retention period ended.
    Expired,
}
