//! Strict JSON: one reading only, or a refusal that says where and why. Pure.
//!
//! Refused: duplicate keys, bytes after the value, a byte order mark, anything that is not UTF-8,
//! lone surrogates, numbers beyond a double, nesting deeper than [`limits::DEPTH_MAX`].
//! SOURCE: RFC 8259; RFC 7493 (I-JSON) for duplicate keys; RFC 6901 for pointers.

mod cut;
mod read;
pub(crate) mod scan;

use crate::limits;
use serde_json::Value;
use std::fmt;

pub use cut::{CutProblem, remove, remove_raw};
pub(crate) use cut::{Edit, Plan, apply_raw};

/// Why bytes are not strict JSON.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Not UTF-8.
    #[error("the bytes are not UTF-8")]
    Encoding,
    /// Begins with a byte order mark.
    #[error("the text begins with a byte order mark")]
    Mark,
    /// More bytes than [`limits::OBJECT_BYTES_MAX`].
    #[error("{0} bytes are more than {max}", max = limits::OBJECT_BYTES_MAX)]
    Size(usize),
    /// The text ends inside a value.
    #[error("the text ends in the middle of a value")]
    End,
    /// Another token was due.
    #[error("{0} is missing here")]
    Expected(&'static str),
    /// The same key twice in one object.
    #[error("the key `{0}` occurs twice")]
    Duplicate(String),
    /// Nested deeper than [`limits::DEPTH_MAX`].
    #[error("nested deeper than {max} levels", max = limits::DEPTH_MAX)]
    Depth,
    /// More members or elements than [`limits::MEMBERS_MAX`].
    #[error("more than {max} members in one place", max = limits::MEMBERS_MAX)]
    Members,
    /// Not a number, or beyond the range of a double.
    #[error("`{0}` is not a number JSON can carry")]
    Number(String),
    /// A broken escape sequence or a lone surrogate.
    #[error("a broken escape sequence")]
    Escape,
    /// A raw control character inside a string.
    #[error("a control character inside a string")]
    Control,
    /// Bytes after the end of the value.
    #[error("there is more text after the value")]
    Trailing,
}

/// A refusal with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonProblem {
    /// What is wrong.
    pub reason: Reason,
    /// Byte offset of the fault.
    pub offset: usize,
    /// Line of the fault, from 1.
    pub line: u64,
    /// Column of the fault in bytes, from 1.
    pub column: u64,
    /// RFC 6901 pointer of the value that is at fault; empty for the whole text.
    pub pointer: String,
}

impl JsonProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match &self.reason {
            Reason::Encoding | Reason::Mark => "save the file as UTF-8 without a byte order mark",
            Reason::Size(_) | Reason::Depth | Reason::Members => "split it into smaller objects",
            Reason::Duplicate(_) => "keep one of the two; readers disagree on which one counts",
            Reason::Number(_) => "write the number as a string, or within the range of a double",
            Reason::End => "the text was cut off; ask the sender for it again",
            Reason::Expected(_) | Reason::Escape | Reason::Control | Reason::Trailing => {
                "correct the syntax at this place, or ask the sender to"
            }
        }
    }
}

impl fmt::Display for JsonProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}: {}", self.line, self.column, self.reason)?;
        if self.pointer.is_empty() { Ok(()) } else { write!(f, " (at `{}`)", self.pointer) }
    }
}

impl std::error::Error for JsonProblem {}

/// Reads one JSON value from all of `bytes`. Cost: one pass.
///
/// # Errors
/// The first departure from strict JSON, with its place.
pub fn parse_strict(bytes: &[u8]) -> Result<Value, JsonProblem> {
    read::parse(bytes)
}

/// One token of a pointer with `~` and `/` escaped (RFC 6901 section 3).
#[must_use]
pub fn escape(token: &str) -> String {
    if token.contains(['~', '/']) {
        token.replace('~', "~0").replace('/', "~1")
    } else {
        token.to_owned()
    }
}

/// The unescaped tokens of a pointer, or nothing if it is not one.
pub(crate) fn tokens(pointer: &str) -> Option<Vec<String>> {
    if pointer.is_empty() {
        return Some(Vec::new());
    }
    let unescape = |token: &str| token.replace("~1", "/").replace("~0", "~");
    Some(pointer.strip_prefix('/')?.split('/').map(unescape).collect())
}

/// Line and column (in bytes), both from 1, of an offset.
pub(crate) fn position(bytes: &[u8], offset: usize) -> (u64, u64) {
    let before = bytes.get(..offset).unwrap_or(bytes);
    let lines = before.iter().filter(|b| **b == b'\n').count() as u64;
    let column = before.iter().rev().take_while(|b| **b != b'\n').count() as u64;
    (lines.saturating_add(1), column.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_what_is_strict() {
        let text = br#" {"a":[1,-2,3.5e2,true,false,null,"\u00e9\n\ud83d\ude00"],"b":{}} "#;
        let want = json!({"a": [1, -2, 350.0, true, false, null, "é\n😀"], "b": {}});
        assert_eq!(parse_strict(text).unwrap(), want);
    }

    #[test]
    fn refuses_with_place_and_pointer() {
        let problem = parse_strict(b"{\"a\":[{\"b\":1,\n\"b\":2}]}").unwrap_err();
        assert_eq!(problem.reason, Reason::Duplicate("b".into()));
        assert_eq!((problem.line, problem.column), (2, 1));
        assert_eq!(problem.pointer, "/a/0/b");
    }

    #[test]
    fn pointers_escape_both_ways() {
        assert_eq!(escape("a/b~c"), "a~1b~0c");
        assert_eq!(tokens("/a~1b~0c/0").unwrap(), ["a/b~c", "0"]);
        assert!(tokens("a").is_none());
    }
}
