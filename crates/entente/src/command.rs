//! Commands: what an officer can ask of a node, at the keyboard or through the officer's door.
//!
//! A command carries contents, never paths, so that it means the same on both sides of the door.

use crate::failure::Failure;
use model::ids::{AgencyId, AgreementId, Digest, RecordId};
use model::request::{Consent, StandingOrder};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A command.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Who this node is, what it holds, what waits.
    Status,
    /// Adopt a vocabulary.
    Vocabulary {
        /// The document.
        document: String,
    },
    /// Pin a partner's member document.
    MemberAdd {
        /// The signed document.
        document: String,
        /// The fingerprint the officers compared by another channel.
        fingerprint: Digest,
    },
    /// List pinned members.
    MemberList,
    /// This node's own member document.
    MemberExport,
    /// Give a partner's TAXII client a new access token.
    MemberToken {
        /// The partner.
        agency: AgencyId,
    },
    /// Say how what a partner posts is regarded.
    MemberAppraise {
        /// The partner.
        agency: AgencyId,
        /// The marking that counts where a posted object carries none.
        floor: model::marking::Tlp,
        /// The grade of the poster, if it is given one.
        grade: Option<model::grading::Grade>,
    },
    /// Adopt an agreement.
    AgreementAdd {
        /// The document.
        document: String,
    },
    /// Sign an adopted agreement for this node's party.
    AgreementSign {
        /// The agreement.
        agreement: AgreementId,
    },
    /// Store a party's signature.
    AgreementSignature {
        /// The signed document.
        document: String,
    },
    /// List adopted agreements.
    AgreementList,
    /// Show one.
    AgreementShow {
        /// The agreement.
        agreement: AgreementId,
    },
    /// What a new version would change, with stored records as examples.
    AgreementDiff {
        /// The new document.
        document: String,
        /// The earlier document; absent for the adopted one.
        against: Option<String>,
    },
    /// Give a standing order.
    OrderAdd {
        /// The order.
        order: StandingOrder,
    },
    /// Withdraw a standing order.
    OrderRemove {
        /// The order.
        order: StandingOrder,
    },
    /// List standing orders.
    OrderList,
    /// Store a portion of records read from a file.
    Import {
        /// The format they were read from.
        format: String,
        /// The officer.
        officer: String,
        /// The marking that counts where a record carries none.
        floor: Option<model::marking::Tlp>,
        /// The records, each in its own bytes.
        records: Vec<String>,
    },
    /// Explain the decision on one record for one recipient.
    Explain {
        /// The record.
        record: RecordId,
        /// To whom, for what, on what grounds.
        order: StandingOrder,
    },
    /// Release records to one recipient.
    Share {
        /// The records.
        records: Vec<RecordId>,
        /// To whom, for what, on what grounds.
        order: StandingOrder,
        /// Only say what would happen.
        dry_run: bool,
    },
    /// Which records may a recipient have?
    Audience {
        /// To whom, for what, on what grounds.
        order: StandingOrder,
        /// How many to name.
        limit: usize,
    },
    /// Take a record back.
    Recall {
        /// The record.
        record: RecordId,
        /// Why.
        reason: String,
    },
    /// Permit a holder to pass a record of this node on.
    Consent {
        /// The consent.
        consent: Consent,
    },
    /// List records held.
    List {
        /// Only this type.
        kind: Option<String>,
        /// How many.
        limit: usize,
    },
    /// Show one record: what it is, who gave it, under which article, what may be done with it.
    Show {
        /// The record.
        record: RecordId,
    },
    /// What waits for partners and what they answered.
    Outbox,
    /// Check the whole log.
    LogVerify,
    /// Show entries.
    LogShow {
        /// From this index.
        from: u64,
        /// How many.
        limit: u64,
    },
    /// Prove one entry.
    LogProve {
        /// Its index.
        index: u64,
    },
    /// The newest checkpoint seen of each partner's log.
    LogSeen,
    /// Whether a checkpoint of this node's log, as somebody saw it, is a prefix of it today.
    LogAgainst {
        /// The signed checkpoint.
        checkpoint: String,
    },
    /// Delete what has reached the end of its retention.
    Tick,
}

/// The answer to a command: the same in words and for machines.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answer {
    /// In words, for a terminal.
    pub text: String,
    /// For machines.
    pub json: Value,
    /// Whether the rules refused what was asked.
    #[serde(default)]
    pub refused: bool,
}

impl Answer {
    /// An answer.
    pub fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, refused: false }
    }
}

/// The outcome of a command.
pub type Outcome = Result<Answer, Failure>;
