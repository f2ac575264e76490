//! What can go wrong in the simulator itself; a broken rule is a violation, not an error.

/// The simulation could not go on.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A node failed in a way no officer, partner or crash explains.
    #[error("node `{agency}` failed: {message}")]
    Node {
        /// The node's agency.
        agency: String,
        /// What it said.
        message: String,
    },
    /// The simulator built something the house does not accept.
    #[error("the simulator made something unusable: {0}")]
    Unusable(String),
}

impl SimError {
    pub(crate) fn unusable(message: impl ToString) -> Self {
        Self::Unusable(message.to_string())
    }
}
