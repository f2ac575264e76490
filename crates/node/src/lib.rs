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
mod compiled;
mod error;
pub mod export;
pub mod facts;
pub mod feed;
mod handle;
pub mod identity;
pub mod listing;
pub mod log;
pub mod outbox;
pub mod pages;
pub mod peer;
mod place;
pub mod published;
pub mod query;
pub mod shelf;
pub mod tables;
mod undelivered;
mod view;

pub use compiled::Compiled;
pub use crypto::entropy::Entropy;
pub use error::NodeError;
pub use handle::{Handled, Node};
pub use identity::Identity;
pub use protocol::{POSTED_MAX, Party, Reply, Rules, Shared};
pub use view::View;

/// The content of records: STIX 2.1 objects in their originator's bytes.
pub type Body = wire::stix::StixObject;

/// SHA-256 of a record's content bytes.
#[must_use]
pub fn content_digest(body: &Body) -> model::ids::Digest {
    crypto::hash::sha256(body.raw())
}
