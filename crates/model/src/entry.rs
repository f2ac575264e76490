//! Entries of the transparency log: what happened, without what it was about. Pure.
//!
//! SOURCE: docs/reference/log.md. A leaf carries a public header and salted commitments only.

use crate::ids::{AgencyId, AgreementId, Digest};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an entry records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// The node began.
    Genesis,
    /// A member document was pinned or renewed.
    Member,
    /// A partner's client was given access.
    Access,
    /// A vocabulary was adopted.
    Vocabulary,
    /// An agreement was adopted.
    Agreement,
    /// A party's signature on an agreement was stored.
    Signature,
    /// A standing order was given or withdrawn.
    Order,
    /// A consent was given or received.
    Consent,
    /// Records were imported.
    Import,
    /// A record was released.
    Release,
    /// A shipment was sealed for a partner.
    Dispatch,
    /// A release was refused.
    Refusal,
    /// Records arrived from a partner.
    Arrival,
    /// A receipt was taken in.
    Receipt,
    /// A record was recalled by us.
    Recall,
    /// A recall by a partner was honoured.
    Recalled,
    /// A partner confirmed a recall.
    RecallReceipt,
    /// A record was deleted at the end of its retention.
    Expiry,
    /// Somebody looked something up.
    Query,
    /// A partner's client posted records.
    Post,
    /// A partner's client took back what it had posted.
    Takedown,
    /// An officer said how a partner's postings are regarded.
    Appraisal,
    /// A message was given up because its partner refuses it, or an officer sends it again.
    Undelivered,
    /// An originator is told, or would have to be, that its records were passed on by us.
    Notice,
    /// A holder told us that it passed records of ours on.
    Noticed,
    /// An officer linked two records as one subject, or took that back.
    SameAs,
    /// An officer set up, changed or removed a feed.
    Feed,
    /// Records were read from a feed.
    Pull,
}

/// An entry before its commitments are made: `sealed` values never reach the log in clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// What happened.
    pub kind: EntryKind,
    /// Agreements it rests on.
    pub agreements: BTreeSet<AgreementId>,
    /// Purpose stated.
    pub purpose: Option<String>,
    /// The other side, if any.
    pub partner: Option<AgencyId>,
    /// How many records it is about.
    pub count: u64,
    /// Field → value, to be committed to with a fresh salt each.
    pub sealed: BTreeMap<String, String>,
}

impl Draft {
    /// A draft of this kind about `count` records.
    #[must_use]
    pub fn new(kind: EntryKind, count: u64) -> Self {
        Self {
            kind,
            agreements: BTreeSet::new(),
            purpose: None,
            partner: None,
            count,
            sealed: BTreeMap::new(),
        }
    }

    /// Adds a value to commit to.
    #[must_use]
    pub fn seal(mut self, field: &str, value: impl ToString) -> Self {
        self.sealed.insert(field.to_owned(), value.to_string());
        self
    }

    /// Names the other side.
    #[must_use]
    pub fn with(mut self, partner: &AgencyId) -> Self {
        self.partner = Some(partner.clone());
        self
    }

    /// Names the purpose.
    #[must_use]
    pub fn purpose(mut self, purpose: &str) -> Self {
        self.purpose = Some(purpose.to_owned());
        self
    }

    /// Names agreements.
    #[must_use]
    pub fn under<'a>(mut self, agreements: impl IntoIterator<Item = &'a AgreementId>) -> Self {
        self.agreements.extend(agreements.into_iter().cloned());
        self
    }
}

/// An entry as it stands in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What happened.
    pub kind: EntryKind,
    /// When, by the node's clock.
    pub at: Timestamp,
    /// Agreements it rests on.
    #[serde(skip_serializing_if = "BTreeSet::is_empty", default)]
    pub agreements: BTreeSet<AgreementId>,
    /// Purpose stated.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub purpose: Option<String>,
    /// The other side.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub partner: Option<AgencyId>,
    /// How many records it is about.
    pub count: u64,
    /// Field → salted commitment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub commitments: BTreeMap<String, Digest>,
}
