//! Developer tasks: what `cargo xtask` runs, and the tidy rules of the house.
//!
//! An edge: it reads files, starts programs, takes times and prints. Nothing in `crates/` knows it.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command line tool: it prints, reads files, takes times and starts programs"
)]

mod acceptance;
mod demo;
pub mod failure;
pub mod order;
pub mod stage;
pub mod tally;
pub mod tasks;
pub mod tidy;

pub use failure::Failure;
