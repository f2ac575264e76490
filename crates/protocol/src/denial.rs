//! Why an event was not carried out, and who can mend it. Pure.

use crate::facts::Fault;

/// Who erred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// The local officer: the input can be corrected.
    Officer,
    /// The partner: its message is wrong.
    Partner,
    /// This node: its store or set-up.
    Node,
}

/// An event that changed nothing, with its cause and cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Denial {
    /// A stable word for machines.
    pub code: &'static str,
    /// Who erred.
    pub party: Party,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Denial {
    /// The officer's input does not fit.
    #[must_use]
    pub fn officer(code: &'static str, message: String, help: &str) -> Self {
        Self { code, party: Party::Officer, message, help: help.to_owned() }
    }

    /// The partner's message does not fit.
    #[must_use]
    pub fn partner(code: &'static str, message: String, help: &str) -> Self {
        Self { code, party: Party::Partner, message, help: help.to_owned() }
    }

    /// This node is not ready.
    #[must_use]
    pub fn node(code: &'static str, message: String, help: &str) -> Self {
        Self { code, party: Party::Node, message, help: help.to_owned() }
    }
}

impl From<Fault> for Denial {
    fn from(fault: Fault) -> Self {
        Self::node("store_unreadable", fault.0, "check the disk and run `entente log verify`")
    }
}
