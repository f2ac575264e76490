//! The lexical layer: finds where tokens end, without building values. Pure.

use super::Reason;
use crate::limits;

/// What went wrong at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) reason: Reason,
}

/// A place in a text that is known to be UTF-8.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

/// Whether a string has escape sequences that must be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    None,
    Some,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn fault<T>(&self, reason: Reason) -> Result<T, Fault> {
        Err(Fault { at: self.at, reason })
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(crate) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    pub(crate) fn white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.step(1);
        }
    }

    /// Skips white space and one byte that must be there.
    pub(crate) fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), Fault> {
        self.white();
        match self.peek() {
            Some(found) if found == byte => {
                self.step(1);
                Ok(())
            }
            Some(_) => self.fault(Reason::Expected(name)),
            None => self.fault(Reason::End),
        }
    }

    /// Skips a string whose opening quote is next; the slice lies between the quotes.
    pub(crate) fn string(&mut self) -> Result<(&'a str, Escapes), Fault> {
        self.expect(b'"', "a string")?;
        let start = self.at;
        let mut escapes = Escapes::None;
        loop {
            let rest = self.rest();
            let plain = memchr::memchr2(b'"', b'\\', rest);
            let run = rest.get(..plain.unwrap_or(rest.len())).unwrap_or_default();
            // WHY: a fold over the whole run is done many bytes at a time, a search is not.
            if run.iter().fold(false, |any, byte| any | (*byte < 0x20)) {
                self.step(run.iter().position(|byte| *byte < 0x20).unwrap_or(0));
                return self.fault(Reason::Control);
            }
            self.step(run.len());
            match self.peek() {
                Some(b'"') => {
                    let inner = self.slice(start, self.at);
                    self.step(1);
                    return Ok((inner, escapes));
                }
                Some(b'\\') => {
                    escapes = Escapes::Some;
                    self.step(2);
                }
                Some(_) | None => {
                    // WHY: a backslash at the very end has stepped past it.
                    self.at = self.text.len();
                    return self.fault(Reason::End);
                }
            }
        }
    }

    /// Skips a number; the slice is its text.
    pub(crate) fn number(&mut self) -> Result<&'a str, Fault> {
        let start = self.at;
        let part = |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = self.rest().iter().take_while(|b| part(b)).count();
        self.step(length);
        let text = self.slice(start, self.at);
        if is_number(text.as_bytes()) {
            return Ok(text);
        }
        self.at = start;
        self.fault(Reason::Number(text.chars().take(40).collect()))
    }

    /// Skips a literal.
    pub(crate) fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        if self.rest().starts_with(word.as_bytes()) {
            self.step(word.len());
            return Ok(());
        }
        self.fault(Reason::Expected("a value"))
    }

    /// Skips one value of any kind, checking its grammar but building nothing.
    pub(crate) fn skip(&mut self, depth: usize) -> Result<(), Fault> {
        self.white();
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.skip_members(depth, b'}'),
            Some(b'[') => self.skip_members(depth, b']'),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            Some(b'-' | b'0'..=b'9') => self.number().map(|_| ()),
            Some(_) => self.fault(Reason::Expected("a value")),
            None => self.fault(Reason::End),
        }
    }

    fn skip_members(&mut self, depth: usize, close: u8) -> Result<(), Fault> {
        if depth >= limits::DEPTH_MAX {
            return self.fault(Reason::Depth);
        }
        self.step(1);
        self.white();
        if self.peek() == Some(close) {
            self.step(1);
            return Ok(());
        }
        loop {
            if close == b'}' {
                self.string()?;
                self.expect(b':', "a colon")?;
            }
            self.skip(depth.saturating_add(1))?;
            if self.comma_or(close)? {
                return Ok(());
            }
        }
    }

    /// After a member: skips a comma (false) or the closing bracket (true).
    pub(crate) fn comma_or(&mut self, close: u8) -> Result<bool, Fault> {
        self.white();
        match self.peek() {
            Some(b',') => {
                self.step(1);
                self.white();
                Ok(false)
            }
            Some(found) if found == close => {
                self.step(1);
                Ok(true)
            }
            Some(_) => self.fault(Reason::Expected("a comma or a closing bracket")),
            None => self.fault(Reason::End),
        }
    }
}

/// The number grammar of RFC 8259 section 6.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || (whole > 1 && text.first() == Some(&b'0')) {
        return false;
    }
    let mut rest = text.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or_default();
    }
    if let Some(power) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let power = power.strip_prefix(b"+").or(power.strip_prefix(b"-")).unwrap_or(power);
        let length = digits(power);
        return length > 0 && length == power.len();
    }
    rest.is_empty()
}

/// Resolves the escape sequences of a string's inside; nothing if one is broken.
pub(crate) fn unescape(inner: &str) -> Option<String> {
    let mut out = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let mut chars = escaped.chars();
        let letter = chars.next()?;
        rest = chars.as_str();
        match letter {
            '"' | '\\' | '/' => out.push(letter),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'u' => {
                let (found, after) = code_point(rest)?;
                out.push(found);
                rest = after;
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    Some(out)
}

/// Reads the four digits after `\u`, and the second half of a surrogate pair.
fn code_point(text: &str) -> Option<(char, &str)> {
    let (first, rest) = four_digits(text)?;
    if !(0xd800..0xe000).contains(&first) {
        return Some((char::from_u32(first)?, rest));
    }
    let (second, rest) = four_digits(rest.strip_prefix("\\u")?)?;
    if first >= 0xdc00 || !(0xdc00..0xe000).contains(&second) {
        return None;
    }
    let high = (first & 0x3ff) << 10;
    let code = 0x1_0000_u32.checked_add(high | (second & 0x3ff))?;
    Some((char::from_u32(code)?, rest))
}

fn four_digits(text: &str) -> Option<(u32, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    Some((u32::from_str_radix(digits, 16).ok()?, rest))
}
