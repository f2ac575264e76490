//! The encoding of a table: guessed for a survey, stated when it is read. Pure.
//!
//! SOURCE: Unicode 15 (byte order marks); WHATWG Encoding, table windows-1252.

use serde::Deserialize;
use std::io::{self, Read};

/// How bytes are letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) enum Encoding {
    #[serde(rename = "utf-8")]
    Utf8,
    #[serde(rename = "utf-16le")]
    Utf16Le,
    #[serde(rename = "utf-16be")]
    Utf16Be,
    #[serde(rename = "latin-1")]
    Latin1,
    #[serde(rename = "windows-1252")]
    Windows1252,
}

/// Letters of windows-1252 for the bytes 0x80 to 0x9F; 0 where there is none.
const WINDOWS: [u32; 32] = [
    0x20AC, 0, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039,
    0x0152, 0, 0x017D, 0, 0, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC,
    0x2122, 0x0161, 0x203A, 0x0153, 0, 0x017E, 0x0178,
];

impl Encoding {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Latin1 => "latin-1",
            Self::Windows1252 => "windows-1252",
        }
    }

    /// The likeliest encoding of the beginning of a file.
    pub(super) fn guess(bytes: &[u8]) -> Self {
        if bytes.starts_with(&[0xFF, 0xFE]) {
            return Self::Utf16Le;
        }
        if bytes.starts_with(&[0xFE, 0xFF]) {
            return Self::Utf16Be;
        }
        match std::str::from_utf8(bytes) {
            Ok(_) => Self::Utf8,
            // WHY: a beginning may end inside a letter.
            Err(error) if error.error_len().is_none() => Self::Utf8,
            Err(_) if bytes.iter().any(|byte| (0x80..=0x9F).contains(byte)) => Self::Windows1252,
            Err(_) => Self::Latin1,
        }
    }
}

fn torn(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_owned())
}

/// Bytes in UTF-8, whatever they were. Memory: one small buffer.
pub(super) struct Letters<R> {
    inner: R,
    encoding: Encoding,
    ready: Vec<u8>,
    given: usize,
    rest: Vec<u8>,
    high: Option<u16>,
    at_start: bool,
}

impl<R: Read> Letters<R> {
    pub(super) fn new(inner: R, encoding: Encoding) -> Self {
        Self {
            inner,
            encoding,
            ready: Vec::new(),
            given: 0,
            rest: Vec::new(),
            high: None,
            at_start: true,
        }
    }

    /// Reads on; false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        let mut buffer = [0_u8; 8192];
        let mut length = self.inner.read(&mut buffer)?;
        // WHY: a reader may give one byte at a time, and a byte order mark has up to three.
        while self.at_start && length > 0 && length < 4 {
            let more = self.inner.read(buffer.get_mut(length..).unwrap_or_default())?;
            if more == 0 {
                break;
            }
            length = length.saturating_add(more);
        }
        let read = buffer.get(..length).unwrap_or_default();
        self.ready.clear();
        self.given = 0;
        if length == 0 {
            if !self.rest.is_empty() || self.high.is_some() {
                return Err(torn("the file ends inside a letter of UTF-16"));
            }
            return Ok(false);
        }
        match self.encoding {
            Encoding::Utf8 => self.ready.extend_from_slice(read),
            Encoding::Latin1 => read.iter().for_each(|byte| push(&mut self.ready, (*byte).into())),
            Encoding::Windows1252 => {
                for byte in read {
                    let at = usize::from(byte.wrapping_sub(0x80));
                    let letter = match WINDOWS.get(at) {
                        Some(0) => {
                            let reason = format!("the byte 0x{byte:02X} is no windows-1252");
                            return Err(torn(&reason));
                        }
                        Some(letter) => {
                            char::from_u32(*letter).unwrap_or(char::REPLACEMENT_CHARACTER)
                        }
                        None => (*byte).into(),
                    };
                    push(&mut self.ready, letter);
                }
            }
            Encoding::Utf16Le | Encoding::Utf16Be => self.units(read)?,
        }
        if self.at_start {
            self.skip_mark();
        }
        Ok(true)
    }

    /// Passes over the byte order mark.
    fn skip_mark(&mut self) {
        const MARK: &[u8] = "\u{FEFF}".as_bytes();
        if self.ready.starts_with(MARK) {
            self.given = MARK.len();
        }
        self.at_start = false;
    }

    fn units(&mut self, read: &[u8]) -> io::Result<()> {
        self.rest.extend_from_slice(read);
        let whole = self.rest.len() & !1;
        let bytes: Vec<u8> = self.rest.drain(..whole).collect();
        for pair in bytes.chunks_exact(2) {
            let Ok(pair) = <[u8; 2]>::try_from(pair) else { continue };
            let unit = match self.encoding {
                Encoding::Utf16Be => u16::from_be_bytes(pair),
                Encoding::Utf8 | Encoding::Utf16Le | Encoding::Latin1 | Encoding::Windows1252 => {
                    u16::from_le_bytes(pair)
                }
            };
            let lone = || torn("half a letter of UTF-16 stands alone");
            match (self.high.take(), unit) {
                (None, 0xD800..=0xDBFF) => self.high = Some(unit),
                (high, _) => {
                    let units = high.into_iter().chain([unit]);
                    for letter in char::decode_utf16(units) {
                        push(&mut self.ready, letter.map_err(|_| lone())?);
                    }
                }
            }
        }
        Ok(())
    }
}

fn push(out: &mut Vec<u8>, letter: char) {
    out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

impl<R: Read> Read for Letters<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let waiting = self.ready.get(self.given..).unwrap_or_default();
            if !waiting.is_empty() {
                let length = waiting.len().min(buffer.len());
                let (from, to) = (waiting.get(..length), buffer.get_mut(..length));
                if let (Some(from), Some(to)) = (from, to) {
                    to.copy_from_slice(from);
                }
                self.given = self.given.saturating_add(length);
                return Ok(length);
            }
            if !self.fill()? {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_come_out_whatever_they_were_written_in() {
        let text = "id;Ort\r\n1;Köln 🚢 €\n";
        let utf16: Vec<u8> =
            std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(Encoding::guess(&utf16), Encoding::Utf16Be);
        let read = |bytes: &[u8]| {
            let mut out = String::new();
            Letters::new(bytes, Encoding::guess(bytes)).read_to_string(&mut out).map(|_| out)
        };
        assert_eq!(read(&utf16).unwrap(), text);
        assert_eq!(read(format!("\u{FEFF}{text}").as_bytes()).unwrap(), text);
        assert_eq!(read(b"K\xF6ln").unwrap(), "Köln");
        assert_eq!(read(b"5 \x80").unwrap(), "5 €");
        assert!(read(b"\x81 \xF6").is_err(), "no letter at all");
        assert!(read(&utf16[..utf16.len() - 1]).is_err(), "torn");
    }
}
