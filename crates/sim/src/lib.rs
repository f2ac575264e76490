//! Many nodes, one thread, one seed: the checkers of the house.
//!
//! The nodes are the real ones: `protocol`, `node`, `wire`, `policy` and `crypto` unchanged, over
//! stores in memory. Only what lies outside a node is simulated: the network, the disk, the clock,
//! the officers and the liars. Everything follows from one seed; nothing here reads a clock, the
//! environment or chance. Checkers look at every commit and after every event.
#![cfg_attr(
    test,
    allow(
        clippy::arithmetic_side_effects,
        clippy::string_slice,
        reason = "tests may stop at the first surprise"
    )
)]

pub mod agreements;
mod carry;
pub mod chance;
pub mod checkers;
pub mod clock;
pub mod disk;
mod error;
mod fate;
pub mod liar;
pub mod life;
pub mod network;
pub mod records;
mod rest;
mod rows;
pub mod scenario;
pub mod truth;
pub mod watch;
pub mod world;

pub use error::SimError;
