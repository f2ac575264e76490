//! Members: who a node is, with which keys and where it listens. Pure.

use crate::ids::{AgencyId, PartyId};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The public keys of a member; one key, one role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberKeys {
    /// Signs member documents (verifier key of a signed note).
    pub root: String,
    /// Signs releases, receipts, recalls, consents and agreements.
    pub release: String,
    /// Signs checkpoints of the log.
    pub log: String,
    /// Seals bodies for this member (X-Wing public key, base64).
    pub seal: String,
}

/// One version of a member document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The agency that runs the node.
    pub agency: AgencyId,
    /// The party it acts for.
    pub party: PartyId,
    /// Version, from 1.
    pub version: u32,
    /// Its keys.
    pub keys: MemberKeys,
    /// Where it takes messages, an absolute http(s) address.
    pub endpoint: String,
    /// First instant of validity.
    pub valid_from: Timestamp,
    /// First instant after validity.
    pub valid_until: Timestamp,
}
