//! What a serving node tells its operator: one line an occurrence, on the standard error stream.
//!
//! A line names codes, partners and addresses; never a record, a content or a token.
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "the operator reads a serving node's lines here"
)]

use std::fmt::Display;
use std::io::Write as _;

/// LIMIT: characters of a line's text.
const TEXT_CHARS_MAX: usize = 500;

/// Writes one line with the present in UTC.
pub fn line(code: &str, text: &dyn Display) {
    let at = crate::edge::now().map_or_else(|_| "-".to_owned(), |at| at.to_string());
    let text: String = text
        .to_string()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(TEXT_CHARS_MAX)
        .collect();
    eprintln!("{at} {code}: {text}");
}

/// Writes that the program is ready: to the operator, and to whoever reads its output.
pub fn ready(text: &str) {
    // WHY: a reader that has gone away is no reason not to serve.
    let _gone = writeln!(std::io::stdout(), "{text}");
    line("ready", &text);
}
