//! `cargo xtask`: starts the task that was named.
#![allow(
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command line tool: it reads its arguments and prints"
)]

use std::process::ExitCode;
use xtask::order::Words;

fn main() -> ExitCode {
    let mut words = Words::new(std::env::args().skip(1));
    let task = words.first().unwrap_or_else(|| "help".to_owned());
    match xtask::tasks::run(&task, words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask {task}: {failure}");
            ExitCode::FAILURE
        }
    }
}
