//! What the program answers when it does not do what was asked: code, message, help, exit status.

use node::{NodeError, Party};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who erred; decides the exit status and the HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The person at the keyboard, or the file they gave.
    Input,
    /// The rules refuse.
    Refused,
    /// A partner's node or message.
    Partner,
    /// This node: store, disk, network, set-up.
    Node,
}

/// A failure to report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// A stable word for machines.
    pub code: String,
    /// Who erred.
    pub fault: Fault,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

impl Failure {
    /// The input is wrong.
    pub fn input(code: &str, message: impl ToString, help: &str) -> Self {
        Self::new(Fault::Input, code, message, help)
    }

    /// The node is not able to.
    pub fn node(code: &str, message: impl ToString, help: &str) -> Self {
        Self::new(Fault::Node, code, message, help)
    }

    fn new(fault: Fault, code: &str, message: impl ToString, help: &str) -> Self {
        Self { code: code.to_owned(), fault, message: message.to_string(), help: help.to_owned() }
    }

    /// The exit status: 1 refused, 2 input, 3 partner, 4 node.
    #[must_use]
    pub fn exit_status(&self) -> u8 {
        match self.fault {
            Fault::Refused => 1,
            Fault::Input => 2,
            Fault::Partner => 3,
            Fault::Node => 4,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message)
    }
}

impl std::error::Error for Failure {}

impl From<NodeError> for Failure {
    fn from(error: NodeError) -> Self {
        let fault = match error.party() {
            Party::Officer => Fault::Input,
            Party::Partner => Fault::Partner,
            Party::Node => Fault::Node,
        };
        Self::new(fault, error.code(), &error, &error.help())
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        NodeError::from(error).into()
    }
}
