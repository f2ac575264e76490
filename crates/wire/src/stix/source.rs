//! Cuts a stream into JSON values without holding more than one of them. No meaning, only brackets.

use crate::limits;
use crate::stix::Place;
use std::io::Read;

/// LIMIT: bytes read from the input at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// LIMIT: brackets open at once before the input is given up.
const OPEN_MAX: usize = 100_000;

/// Why the stream cannot be cut further.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Torn {
    #[error("reading failed: {0}")]
    Read(String),
    #[error("the input ends in the middle of a value")]
    End,
    #[error("a closing bracket does not match the open one")]
    Bracket,
    #[error("more than {OPEN_MAX} brackets are open at once")]
    Depth,
}

/// One value of the stream, by offsets in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

/// A stream with the bytes that are still needed.
pub(crate) struct Source<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Index in `buffer` of the next byte.
    at: usize,
    /// Index in `buffer` below which nothing is needed any more; absent while nothing is held.
    held: Option<usize>,
    /// Bytes of the stream before `buffer`.
    gone: u64,
    /// A place already counted, and its index in `buffer`.
    counted: (usize, u64, u64),
    ended: bool,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(inner: R) -> Self {
        let counted = (0, 1, 1);
        Self { inner, buffer: Vec::new(), at: 0, held: None, gone: 0, counted, ended: false }
    }

    /// Offset of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.gone.saturating_add(self.at as u64)
    }

    /// Line and column of the next byte.
    pub(crate) fn place(&mut self) -> Place {
        let (from, mut line, mut column) = self.counted;
        let passed = self.buffer.get(from..self.at).unwrap_or_default();
        let lines = memchr::memchr_iter(b'\n', passed).count() as u64;
        if lines > 0 {
            line = line.saturating_add(lines);
            column = 1;
        }
        let tail = memchr::memrchr(b'\n', passed).map_or(0, |at| at.saturating_add(1));
        column = column.saturating_add(passed.len().saturating_sub(tail) as u64);
        self.counted = (self.at, line, column);
        Place { offset: self.offset(), line, column, pointer: String::new() }
    }

    /// Keeps every byte from here on until [`Source::release`].
    pub(crate) fn hold(&mut self) {
        self.held = Some(self.at);
    }

    pub(crate) fn release(&mut self) {
        self.held = None;
    }

    /// The bytes of a span, or nothing if they were not kept.
    pub(crate) fn bytes(&self, span: Span) -> Option<&[u8]> {
        let index = |offset: u64| usize::try_from(offset.checked_sub(self.gone)?).ok();
        self.buffer.get(index(span.start)?..index(span.end)?)
    }

    /// Reads on; false at the end of the stream. Drops what nobody holds.
    fn fill(&mut self) -> Result<bool, Torn> {
        if self.ended {
            return Ok(false);
        }
        self.place();
        if self.held.is_some_and(|h| self.at.saturating_sub(h) > limits::OBJECT_BYTES_MAX) {
            self.held = None;
        }
        let keep = self.held.unwrap_or(self.at).min(self.at);
        self.buffer.drain(..keep);
        self.gone = self.gone.saturating_add(keep as u64);
        self.at = self.at.saturating_sub(keep);
        self.counted.0 = self.counted.0.saturating_sub(keep);
        self.held = self.held.map(|_| 0);
        let before = self.buffer.len();
        let mut chunk = self.inner.by_ref().take(CHUNK_BYTES as u64);
        chunk.read_to_end(&mut self.buffer).map_err(|e| Torn::Read(e.to_string()))?;
        self.ended = self.buffer.len().saturating_sub(before) < CHUNK_BYTES;
        Ok(self.buffer.len() > before)
    }

    pub(crate) fn peek(&mut self) -> Result<Option<u8>, Torn> {
        loop {
            if let Some(byte) = self.buffer.get(self.at) {
                return Ok(Some(*byte));
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    pub(crate) fn step(&mut self) {
        self.at = self.at.saturating_add(1).min(self.buffer.len());
    }

    /// The next byte that is not white space, which is not consumed.
    pub(crate) fn after_white(&mut self) -> Result<Option<u8>, Torn> {
        while let Some(byte) = self.peek()? {
            if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(Some(byte));
            }
            self.step();
        }
        Ok(None)
    }

    /// Passes over one value that begins at the next byte.
    pub(crate) fn value(&mut self) -> Result<Span, Torn> {
        let start = self.offset();
        let own = self.held.is_none();
        if own {
            self.hold();
        }
        let outcome = self.pass_value();
        // WHY: releasing does not drop bytes; the span stays readable until the next read.
        if own {
            self.release();
        }
        outcome.map(|()| Span { start, end: self.offset() })
    }

    fn pass_value(&mut self) -> Result<(), Torn> {
        match self.peek()? {
            None => Err(Torn::End),
            Some(b'"') => self.pass_string(),
            Some(b'{' | b'[') => self.pass_brackets(),
            Some(_) => self.pass_scalar(),
        }
    }

    fn pass_scalar(&mut self) -> Result<(), Torn> {
        // A stray delimiter is a value of its own, so that reading always moves on.
        self.step();
        while let Some(byte) = self.peek()? {
            if matches!(byte, b',' | b']' | b'}' | b' ' | b'\n' | b'\r' | b'\t') {
                return Ok(());
            }
            self.step();
        }
        Ok(())
    }

    fn pass_string(&mut self) -> Result<(), Torn> {
        self.step();
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.buffer.len();
                if !self.fill()? {
                    return Err(Torn::End);
                }
                continue;
            };
            let escape = rest.get(found) == Some(&b'\\');
            self.at = self.at.saturating_add(found).saturating_add(1);
            if !escape {
                return Ok(());
            }
            if self.peek()?.is_none() {
                return Err(Torn::End);
            }
            self.step();
        }
    }

    /// Passes over what is left of an object whose opening brace is behind.
    pub(crate) fn rest_of_object(&mut self) -> Result<(), Torn> {
        self.pass_open(vec![b'}'])
    }

    fn pass_brackets(&mut self) -> Result<(), Torn> {
        self.pass_open(Vec::with_capacity(16))
    }

    fn pass_open(&mut self, mut open: Vec<u8>) -> Result<(), Torn> {
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let token = |b: &u8| matches!(b, b'"' | b'{' | b'}' | b'[' | b']');
            let Some(found) = rest.iter().position(token) else {
                self.at = self.buffer.len();
                if !self.fill()? {
                    return Err(Torn::End);
                }
                continue;
            };
            let byte = rest.get(found).copied();
            self.at = self.at.saturating_add(found);
            match byte {
                Some(b'"') => {
                    self.pass_string()?;
                    continue;
                }
                Some(b'{') => open.push(b'}'),
                Some(b'[') => open.push(b']'),
                close => {
                    if open.pop() != close {
                        return Err(Torn::Bracket);
                    }
                }
            }
            self.step();
            if open.is_empty() {
                return Ok(());
            }
            if open.len() > OPEN_MAX {
                return Err(Torn::Depth);
            }
        }
    }
}
