//! Cuts the list into the bytes of its entries; declarations that could expand are refused. Pure.

use crate::limits;
use crate::stix::Place;
use std::io::{BufRead, BufReader, Read};

/// LIMIT: longest tag, comment or text between entries, in bytes.
const BETWEEN_BYTES_MAX: usize = 64 * 1024;
/// Elements that only contain entries.
const CONTAINERS: [&str; 3] = ["CONSOLIDATED_LIST", "INDIVIDUALS", "ENTITIES"];

/// Why the list cannot be read further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Torn {
    #[error("reading failed: {0}")]
    Read(String),
    #[error("the file ends in the middle of an element")]
    End,
    #[error("the file declares a document type or entities, which are never read")]
    Declaration,
    #[error("the file is not in UTF-8 but in `{0}`")]
    Encoding(String),
    #[error("`{0}` is not the consolidated list of the Security Council")]
    Root(String),
    #[error("text or a tag between two entries is longer than {BETWEEN_BYTES_MAX} bytes")]
    Between,
    #[error("there is text between two entries")]
    Text,
    #[error("the closing tag `{0}` does not match the open one")]
    Close(String),
}

impl Torn {
    pub(super) fn help(&self) -> &'static str {
        match self {
            Self::Encoding(_) => "convert the file to UTF-8, or fetch the official one",
            Self::Declaration => "fetch the official file; it has no such declaration",
            Self::Root(_) => "give the consolidated list XML from scsanctions.un.org",
            Self::Read(_) | Self::End | Self::Between | Self::Text | Self::Close(_) => {
                "the file was damaged or cut off; fetch it again"
            }
        }
    }
}

/// The bytes of one entry from its start tag to its end tag.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    pub(super) place: Place,
    /// Whether it was too large and `bytes` is not all of it.
    pub(super) oversized: bool,
}

/// What comes next.
pub(super) enum Cut {
    Entry(Entry),
    End,
}

pub(super) struct Cutter<R> {
    inner: BufReader<R>,
    offset: u64,
    line: u64,
    open: Vec<String>,
    begun: bool,
}

impl<R: Read> Cutter<R> {
    pub(super) fn new(reader: R) -> Self {
        let inner = BufReader::with_capacity(limits::DOCUMENT_BYTES_MAX.min(256 * 1024), reader);
        Self { inner, offset: 0, line: 1, open: Vec::new(), begun: false }
    }

    pub(super) fn place(&self) -> Place {
        Place { offset: self.offset, line: self.line, column: 0, pointer: String::new() }
    }

    /// Appends up to and with `stop`, at most `most` bytes; false at the end of the file.
    fn until(&mut self, stop: u8, most: usize, out: &mut Vec<u8>) -> Result<bool, Torn> {
        let start = out.len();
        loop {
            let chunk = self.inner.fill_buf().map_err(|e| Torn::Read(e.to_string()))?;
            if chunk.is_empty() {
                return Ok(false);
            }
            let found = chunk.iter().position(|b| *b == stop);
            let taken = found.map_or(chunk.len(), |at| at.saturating_add(1));
            let part = chunk.get(..taken).unwrap_or_default();
            let lines = part.iter().filter(|b| **b == b'\n').count() as u64;
            out.extend_from_slice(part);
            self.inner.consume(taken);
            self.offset = self.offset.saturating_add(taken as u64);
            self.line = self.line.saturating_add(lines);
            if found.is_some() {
                return Ok(true);
            }
            if out.len().saturating_sub(start) > most {
                return Err(Torn::Between);
            }
        }
    }

    /// The next entry, or the end of the list.
    pub(super) fn next(&mut self) -> Result<Cut, Torn> {
        loop {
            let mut text = Vec::new();
            let more = self.until(b'<', BETWEEN_BYTES_MAX, &mut text)?;
            self.check_text(&text)?;
            if !more {
                let done = self.begun && self.open.is_empty();
                return if done { Ok(Cut::End) } else { Err(Torn::End) };
            }
            let mut place = self.place();
            place.offset = place.offset.saturating_sub(1);
            let mut tag = vec![b'<'];
            if !self.until(b'>', BETWEEN_BYTES_MAX, &mut tag)? {
                return Err(Torn::End);
            }
            if let Some(entry) = self.tag(tag, place)? {
                return Ok(Cut::Entry(entry));
            }
        }
    }

    /// Only white space, and a byte order mark at the start, may stand between tags.
    fn check_text(&self, text: &[u8]) -> Result<(), Torn> {
        let start = self.offset == text.len() as u64;
        if start && (text.starts_with(b"\xff\xfe") || text.starts_with(b"\xfe\xff")) {
            return Err(Torn::Encoding("UTF-16".to_owned()));
        }
        let text = text.strip_suffix(b"<").unwrap_or(text);
        let text = if start { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text };
        if text.trim_ascii().is_empty() { Ok(()) } else { Err(Torn::Text) }
    }

    /// Handles one tag outside entries; gives the entry if one begins here.
    fn tag(&mut self, mut tag: Vec<u8>, place: Place) -> Result<Option<Entry>, Torn> {
        if tag.starts_with(b"<!--") {
            while !tag.ends_with(b"-->") || tag.len() < 7 {
                if !self.until(b'>', BETWEEN_BYTES_MAX, &mut tag)? {
                    return Err(Torn::End);
                }
                if tag.len() > BETWEEN_BYTES_MAX {
                    return Err(Torn::Between);
                }
            }
            return Ok(None);
        }
        if tag.starts_with(b"<!") {
            return Err(Torn::Declaration);
        }
        let text = String::from_utf8_lossy(&tag).into_owned();
        if tag.starts_with(b"<?") {
            check_encoding(&text)?;
            return Ok(None);
        }
        let name = name_of(&text);
        if text.starts_with("</") {
            return match self.open.pop() {
                Some(open) if open == name => Ok(None),
                Some(_) | None => Err(Torn::Close(name)),
            };
        }
        let expected_root = self.open.is_empty();
        if expected_root && (self.begun || name != "CONSOLIDATED_LIST") {
            return Err(Torn::Root(name));
        }
        self.begun = true;
        let closed = text.ends_with("/>");
        if CONTAINERS.contains(&name.as_str()) {
            if !closed {
                self.open.push(name);
            }
            return Ok(None);
        }
        let mut entry = Entry { name, bytes: tag, place, oversized: false };
        if !closed {
            self.rest_of(&mut entry)?;
        }
        Ok(Some(entry))
    }

    /// Reads on to the end tag of an entry; of one that is too large only the end is kept.
    fn rest_of(&mut self, entry: &mut Entry) -> Result<(), Torn> {
        let end = format!("</{}>", entry.name).into_bytes();
        loop {
            if !self.until(b'>', usize::MAX, &mut entry.bytes)? {
                return Err(Torn::End);
            }
            if entry.bytes.len() > limits::OBJECT_BYTES_MAX {
                let surplus = entry.bytes.len().saturating_sub(end.len());
                entry.bytes.drain(..surplus);
                entry.oversized = true;
            }
            if entry.bytes.ends_with(&end) {
                return Ok(());
            }
        }
    }
}

/// The name in a tag.
fn name_of(tag: &str) -> String {
    let inner = tag.trim_start_matches(['<', '/']).trim_end_matches(['>', '/']);
    inner.split_whitespace().next().unwrap_or_default().chars().take(80).collect()
}

/// The XML declaration may name UTF-8 and ASCII, which is part of it.
fn check_encoding(declaration: &str) -> Result<(), Torn> {
    let Some((_, after)) = declaration.split_once("encoding") else { return Ok(()) };
    let quoted = after.split(['"', '\'']).nth(1).unwrap_or_default();
    match quoted.to_ascii_lowercase().as_str() {
        "utf-8" | "us-ascii" => Ok(()),
        other => Err(Torn::Encoding(other.chars().take(40).collect())),
    }
}
