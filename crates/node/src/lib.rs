//! Loads facts, steps, commits and hands out the outbox; holds no rule.
//!
//! One writer: [`Node`]. Every state change, sealed message and log entry of a step is one commit
//! (law 3); nothing leaves that is not in the log. Time and chance are parameters.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod access;
pub mod apply;
mod error;
pub mod facts;
mod handle;
pub mod identity;
pub mod log;
pub mod outbox;
pub mod peer;
mod place;
pub mod query;
pub mod shelf;
pub mod tables;

pub use crypto::entropy::Entropy;
pub use error::NodeError;
pub use handle::{Handled, Node};
pub use identity::Identity;
pub use protocol::{Party, Reply, Rules, Shared};
/// The content of records: STIX 2.1 objects in their originator's bytes.
pub type Body = wire::stix::StixObject;

/// SHA-256 of a record's content bytes.
#[must_use]
pub fn content_digest(body: &Body) -> model::ids::Digest {
    crypto::hash::sha256(body.raw())
}
