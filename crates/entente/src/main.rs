//! The program: command line, HTTP doors, clock, disk and network of one sovereign node.
//!
//! The only crate that reads the clock, asks for randomness, opens paths and talks to a network;
//! it converts at the edge, asks `node`, and converts back.
#![allow(
    clippy::disallowed_methods,
    reason = "this crate is the edge: clock, disk, environment and threads live here"
)]

mod cli;
mod command;
mod commands;
mod courier;
mod edge;
mod failure;
mod feeds;
mod http;
mod place;
mod words;

use std::process::ExitCode;

// WHY: an import is many small allocations; see docs/decisions/0004-allocator.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main()
}
