//! What can go wrong in a node, and who can mend it.

use protocol::{Denial, Party};

/// Why the node did not do what was asked; nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum NodeError {
    /// The event was not carried out.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(#[from] store::Error),
    /// What is stored cannot be read back.
    #[error("stored `{table}` cannot be read back: {message}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong.
        message: String,
    },
    /// A message could not be sealed or a document not signed.
    #[error("the message could not be made: {0}")]
    Seal(String),
    /// A partner's message does not hold.
    #[error("{message}")]
    Message {
        /// What does not hold.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// The sender's log proof starts elsewhere; it must be made anew from this size.
    #[error("the log proof must start from size {size}")]
    Conflict {
        /// The size of the sender's log known here.
        size: u64,
    },
    /// Two checkpoints of one log that cannot both be true.
    #[error("`{origin}` shows two different logs of size {size}")]
    SplitView {
        /// The log.
        origin: String,
        /// The size.
        size: u64,
    },
    /// LIMIT: a loop that must end did not.
    #[error("more than {0} follow-up events were queued by one event")]
    TooManyFollowUps(usize),
}

impl NodeError {
    /// Who can mend it.
    #[must_use]
    pub fn party(&self) -> Party {
        match self {
            Self::Denied(denial) => denial.party,
            Self::Message { .. } | Self::Conflict { .. } | Self::SplitView { .. } => Party::Partner,
            Self::Store(_) | Self::Damaged { .. } | Self::Seal(_) | Self::TooManyFollowUps(_) => {
                Party::Node
            }
        }
    }

    /// A stable word for machines.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.code,
            Self::Store(error) => match error.kind() {
                store::Kind::Busy => "store_busy",
                store::Kind::Full => "disk_full",
                store::Kind::Corrupt => "store_damaged",
                store::Kind::Limit => "store_limit",
                store::Kind::Io => "store_failed",
            },
            Self::Damaged { .. } => "store_damaged",
            Self::Seal(_) => "seal_failed",
            Self::Message { .. } => "message_refused",
            Self::Conflict { .. } => "log_proof_conflict",
            Self::SplitView { .. } => "split_view",
            Self::TooManyFollowUps(_) => "too_many_follow_ups",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Denied(denial) => denial.help.clone(),
            Self::Store(error) => error.help().to_owned(),
            Self::Damaged { .. } => {
                "restore the store from a backup and run `entente log verify`".to_owned()
            }
            Self::Seal(_) => "check the partner's member document".to_owned(),
            Self::Message { help, .. } => help.clone(),
            Self::Conflict { .. } => {
                "send the message again with a proof from that size".to_owned()
            }
            Self::SplitView { .. } => {
                "keep both checkpoints as evidence and tell every member".to_owned()
            }
            Self::TooManyFollowUps(_) => "report this as a fault".to_owned(),
        }
    }

    pub(crate) fn damaged(table: &'static str, message: impl ToString) -> Self {
        Self::Damaged { table, message: message.to_string() }
    }

    pub(crate) fn seal(message: impl ToString) -> Self {
        Self::Seal(message.to_string())
    }

    pub(crate) fn message(message: impl ToString, help: &str) -> Self {
        Self::Message { message: message.to_string(), help: help.to_owned() }
    }
}
