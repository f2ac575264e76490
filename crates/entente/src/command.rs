//! Commands: what an officer can ask of a node, at the keyboard or through the officer's door.
//!
//! A command carries contents, never paths, so that it means the same on both sides of the door.

use crate::failure::Failure;
use model::ids::{AgencyId, AgreementId, Digest, RecordId};
use model::request::{Consent, StandingOrder};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

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
        /// Which of them, by their number from 0, were made here of STIX 2.0.
        #[serde(default)]
        upgraded: std::collections::BTreeSet<usize>,
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
    /// A portion of records for a file that an officer takes out.
    Export {
        /// The format of the file.
        format: String,
        /// To whom, for what, on what grounds; absent for the officer's own copy.
        #[serde(default)]
        order: Option<StandingOrder>,
        /// These records; absent for all that are held.
        #[serde(default)]
        records: Option<Vec<RecordId>>,
        /// Only this type.
        #[serde(default)]
        kind: Option<String>,
        /// Only records after this one; the portion before names it as `next`.
        #[serde(default)]
        after: Option<RecordId>,
        /// Of an own copy: every version held, not only the newest.
        #[serde(default)]
        every_version: bool,
        /// Only say what would go.
        #[serde(default)]
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
    /// Say that two records are about one subject, or take that back.
    SameAs {
        /// One record.
        one: RecordId,
        /// The other.
        other: RecordId,
        /// Which of the two.
        linking: model::event::Linking,
        /// Why.
        reason: String,
    },
    /// The records that links make one subject.
    SameAsShow {
        /// One of them.
        record: RecordId,
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
        /// Only records whose id comes after this one; the page before names it as `next`.
        #[serde(default)]
        after: Option<RecordId>,
    },
    /// Show one record: what it is, who gave it, under which article, what may be done with it.
    Show {
        /// The record.
        record: RecordId,
    },
    /// What waits for partners, what was given up, and what they answered.
    Outbox,
    /// Send what was given up again.
    DeliverAgain {
        /// The message; absent for all of them.
        #[serde(default)]
        message: Option<Digest>,
    },
    /// Give a waiting message up, so that those behind it go on.
    DeliverGiveUp {
        /// The message.
        message: Digest,
    },
    /// Word that holders gave of this node's records passed on, and that this node gave or owes.
    Notices {
        /// How many of each.
        limit: usize,
    },
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
    /// Files of the log as it is published, by their paths.
    LogFiles {
        /// The paths.
        paths: Vec<String>,
    },
    /// Set a feed up, or change how it is regarded and read.
    FeedSet {
        /// The feed; how far it was read is not taken from here.
        feed: Box<model::feed::Feed>,
    },
    /// List feeds.
    FeedList,
    /// Show one: how far it was read, what came, what was worked around.
    FeedShow {
        /// The feed.
        feed: model::feed::FeedName,
    },
    /// Forget a feed; what it brought stays.
    FeedRemove {
        /// The feed.
        feed: model::feed::FeedName,
    },
    /// Pause a feed, or let it go on.
    FeedRunning {
        /// The feed.
        feed: model::feed::FeedName,
        /// Which of the two.
        running: model::feed::Running,
    },
    /// Have the running node read a feed at once.
    FeedDue {
        /// The feed.
        feed: model::feed::FeedName,
    },
    /// Delete what has reached the end of its retention.
    Tick,
}

impl Command {
    /// Reads a command from JSON; what it does not know is refused.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let command: Self = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let Named { command: name } = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        // WHY: serde overlooks further members of a command that can stand without any.
        if let Ok(bare) = serde_json::from_value::<Self>(json!({"command": name}))
            && let Ok(Value::Object(own)) = serde_json::to_value(&bare)
        {
            let members: BTreeMap<String, IgnoredAny> =
                serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
            if let Some(unknown) = members.keys().find(|member| !own.contains_key(*member)) {
                return Err(format!(
                    "unknown field `{unknown}`: the command `{name}` has none such"
                ));
            }
        }
        Ok(command)
    }
}

/// The name of a command; its other members are not looked at.
#[derive(Deserialize)]
struct Named {
    command: String,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_command_does_not_know_is_refused_also_where_it_has_no_members() {
        for known in [
            r#"{"command":"status"}"#,
            r#"{"command":"deliver_again"}"#,
            r#"{"command":"deliver_again","message":null}"#,
            r#"{"command":"list","kind":null,"limit":1}"#,
            r#"{"command":"list","kind":"report","limit":1,"after":"report--1"}"#,
        ] {
            Command::read(known.as_bytes()).unwrap();
        }
        for (unknown, word) in [
            (r#"{"command":"status","extra":1}"#, "`extra`"),
            (r#"{"extra":{"a":[1]},"command":"tick"}"#, "`extra`"),
            (r#"{"command":"outbox","limit":1}"#, "`limit`"),
            (r#"{"command":"deliver_again","all":true}"#, "`all`"),
            (r#"{"command":"log_prove","index":0,"extra":1}"#, "`extra`"),
            (r#"{"command":"status","command":"status"}"#, "duplicate"),
            (
                r#"{"command":"order_add","order":{"recipient":"xb","purpose":"p","fact":[]}}"#,
                "`fact`",
            ),
            (
                r#"{"command":"order_add","order":{"recipient":"x","purpose":"p",
                    "grounds":{"offense":"financing"}}}"#,
                "`offense`",
            ),
        ] {
            let error = Command::read(unknown.as_bytes()).unwrap_err();
            assert!(error.contains(word), "{unknown}: {error}");
        }
    }
}
