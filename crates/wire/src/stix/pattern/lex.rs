//! Cuts a pattern into tokens and says where a fault is. Pure.
//!
//! SOURCE: the lexer rules of STIXPattern.g4 for STIX 2.1; the longest token wins, as in ANTLR.

use super::{COMPARISONS_MAX, PATH_STEPS_MAX, PATTERN_BYTES_MAX, PATTERN_DEPTH_MAX};
use crate::json::position;
use std::fmt;

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternFault {
    /// Longer than [`PATTERN_BYTES_MAX`].
    #[error("{0} bytes are more than {PATTERN_BYTES_MAX}")]
    Size(usize),
    /// Nested deeper than [`PATTERN_DEPTH_MAX`].
    #[error("nested deeper than {PATTERN_DEPTH_MAX} brackets")]
    Depth,
    /// More comparisons than [`COMPARISONS_MAX`].
    #[error("more than {COMPARISONS_MAX} comparisons")]
    Comparisons,
    /// A path longer than [`PATH_STEPS_MAX`].
    #[error("an object path of more than {PATH_STEPS_MAX} steps")]
    Steps,
    /// Something else was due.
    #[error("{wanted} is missing before {found}")]
    Expected {
        /// What was due, in words.
        wanted: &'static str,
        /// What stands there.
        found: String,
    },
    /// A string that does not end.
    #[error("a string that begins here does not end")]
    Open,
    /// A comment that does not end.
    #[error("a comment that begins here does not end")]
    Comment,
    /// A backslash before anything but a quote or a backslash.
    #[error("a backslash in a string stands before `{0}`")]
    Escape(String),
    /// `h''`, `b''` or `t''` around something else.
    #[error("`{found}` is not {wanted}")]
    Constant {
        /// What it should be.
        wanted: &'static str,
        /// The beginning of it.
        found: String,
    },
    /// A hash of the wrong form.
    #[error("`{value}` is not a {name} hash")]
    Hash {
        /// The algorithm as the path names it.
        name: String,
        /// The value.
        value: String,
    },
    /// A date no calendar has; only evaluation asks.
    #[error("`{0}` is in no calendar")]
    Calendar(String),
    /// A number of which there must be some; only evaluation asks.
    #[error("{0} needs a number greater than zero")]
    Zero(&'static str),
    /// A regular expression this node does not evaluate.
    #[error("the regular expression cannot be evaluated: {0}")]
    Regular(String),
    /// Neither an address nor a network.
    #[error("`{0}` is no IPv4 or IPv6 address or network")]
    Address(String),
    /// More regular expressions than `REGULARS_MAX`.
    #[error("more than {max} regular expressions", max = super::regular::REGULARS_MAX)]
    Regulars,
    /// A chain longer than `FOLLOWED_MAX`.
    #[error("more than {max} expressions in a chain of FOLLOWEDBY", max = super::compile::FOLLOWED_MAX)]
    Followed,
    /// Two qualifiers of one kind.
    #[error("{0} stands twice on one observation expression")]
    Twice(&'static str),
}

/// A fault with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternProblem {
    /// What is wrong.
    pub fault: PatternFault,
    /// Byte offset.
    pub offset: usize,
    /// Line, from 1.
    pub line: u64,
    /// Column in bytes, from 1.
    pub column: u64,
}

impl PatternProblem {
    pub(super) fn at(text: &str, offset: usize, fault: PatternFault) -> Self {
        let (line, column) = position(text.as_bytes(), offset);
        Self { fault, offset, line, column }
    }

    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match &self.fault {
            PatternFault::Size(_)
            | PatternFault::Comparisons
            | PatternFault::Regulars
            | PatternFault::Followed => "split the pattern into several indicators",
            PatternFault::Depth | PatternFault::Steps => "write it with fewer levels",
            PatternFault::Expected { .. } => {
                "a pattern looks like [file:name = 'a.exe'] AND [url:value LIKE 'http%']"
            }
            PatternFault::Open => "close the string with ', and write a quote inside it as \\'",
            PatternFault::Comment => "close the comment with */",
            PatternFault::Escape(_) => "in a string write \\\\ for a backslash and \\' for a quote",
            PatternFault::Constant { .. } => "write h'00ff', b'AP8=' or t'2026-11-23T12:00:00Z'",
            PatternFault::Hash { .. } => "correct the hash or the name of its algorithm",
            PatternFault::Calendar(_) => "correct the date",
            PatternFault::Zero(_) => "write a number of at least 1, or leave the qualifier out",
            PatternFault::Regular(_) => {
                "write it without looking around, back references and possessive quantifiers"
            }
            PatternFault::Address(_) => "write it as 198.51.100.0/24 or 2001:db8::/32",
            PatternFault::Twice(_) => "keep one, or put brackets around the inner expression",
        }
    }
}

impl fmt::Display for PatternProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}: {}", self.line, self.column, self.fault)
    }
}

impl std::error::Error for PatternProblem {}

/// One token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Int(&'a str),
    Float(&'a str),
    Hex(&'a str),
    Binary(&'a str),
    Time(&'a str),
    Text(String),
    Flag(bool),
    /// A reserved word.
    Word(&'static str),
    /// An identifier without a hyphen.
    Name(&'a str),
    /// An identifier with one.
    Hyphened(&'a str),
    /// An operator or a bracket.
    Sign(&'static str),
    Stray(char),
    End,
}

impl Token<'_> {
    /// As messages show it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Int(text) | Self::Float(text) | Self::Name(text) | Self::Hyphened(text) => {
                quoted(text)
            }
            Self::Hex(text) | Self::Binary(text) | Self::Time(text) => quoted(text),
            Self::Text(text) => format!("the string {}", quoted(text)),
            Self::Flag(flag) => format!("`{flag}`"),
            Self::Word(word) | Self::Sign(word) => format!("`{word}`"),
            Self::Stray(letter) => format!("`{}`", letter.escape_debug()),
            Self::End => "the end".to_owned(),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", short(text))
}

/// The beginning of a text, for messages.
pub(super) fn short(text: &str) -> String {
    let mut short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}

/// Reserved words, sorted.
const WORDS: [&str; 17] = [
    "AND",
    "EXISTS",
    "FOLLOWEDBY",
    "IN",
    "ISSUBSET",
    "ISSUPERSET",
    "LAST",
    "LIKE",
    "MATCHES",
    "NOT",
    "OR",
    "REPEATS",
    "SECONDS",
    "START",
    "STOP",
    "TIMES",
    "WITHIN",
];
/// Longest first, so that the first that fits is the longest.
const SIGNS: [(&str, &str); 16] = [
    ("==", "="),
    ("!=", "!="),
    ("<>", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    (":", ":"),
    (".", "."),
    (",", ","),
    (")", ")"),
    ("(", "("),
    ("]", "]"),
    ("[", "["),
    ("*", "*"),
];

/// The tokens of a pattern, one at a time.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

type Lexed<'a> = Result<(Token<'a>, usize), PatternProblem>;

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fault(&self, offset: usize, fault: PatternFault) -> PatternProblem {
        PatternProblem::at(self.text, offset, fault)
    }

    /// Takes `length` bytes.
    fn take(&mut self, length: usize) -> &'a str {
        let taken = self.rest().get(..length).unwrap_or_else(|| self.rest());
        self.at = self.at.saturating_add(taken.len());
        taken
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Lexed<'a> {
        self.white()?;
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok((Token::End, start)) };
        if let Some((length, float)) = number(rest) {
            let text = self.take(length);
            return Ok((if float { Token::Float(text) } else { Token::Int(text) }, start));
        }
        if first == '\'' {
            return self.string().map(|text| (Token::Text(text), start));
        }
        if first.is_ascii_alphabetic() || first == '_' {
            return self.word().map(|token| (token, start));
        }
        if let Some((written, sign)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            self.take(written.len());
            return Ok((Token::Sign(sign), start));
        }
        self.take(first.len_utf8());
        Ok((Token::Stray(first), start))
    }

    fn white(&mut self) -> Result<(), PatternProblem> {
        loop {
            let rest = self.rest();
            let start = self.at;
            let trimmed = rest.trim_start();
            if trimmed.len() < rest.len() {
                self.take(rest.len().saturating_sub(trimmed.len()));
            } else if rest.starts_with("//") {
                self.take(rest.find(['\r', '\n']).unwrap_or(rest.len()));
            } else if rest.starts_with("/*") {
                let inner = rest.get(2..).unwrap_or_default();
                let end =
                    inner.find("*/").ok_or_else(|| self.fault(start, PatternFault::Comment))?;
                self.take(end.saturating_add(4));
            } else {
                return Ok(());
            }
        }
    }

    fn string(&mut self) -> Result<String, PatternProblem> {
        let start = self.at;
        self.take(1);
        let mut text = String::new();
        loop {
            let rest = self.rest();
            let stop = rest.find(['\'', '\\']);
            let stop = stop.ok_or_else(|| self.fault(start, PatternFault::Open))?;
            text.push_str(self.take(stop));
            let mut rest = self.rest().chars();
            if rest.next() == Some('\'') {
                self.take(1);
                return Ok(text);
            }
            match rest.next() {
                Some(letter @ ('\'' | '\\')) => {
                    text.push(letter);
                    self.take(2);
                }
                Some(other) => {
                    let fault = PatternFault::Escape(other.escape_debug().to_string());
                    return Err(self.fault(self.at, fault));
                }
                None => return Err(self.fault(start, PatternFault::Open)),
            }
        }
    }

    fn word(&mut self) -> Result<Token<'a>, PatternProblem> {
        let rest = self.rest();
        let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        let length = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let word = rest.get(..length).unwrap_or_default();
        let quote = rest.get(length..).is_some_and(|after| after.starts_with('\''));
        if quote && matches!(word, "h" | "b" | "t") {
            return self.constant();
        }
        self.take(length);
        if word.contains('-') {
            return Ok(Token::Hyphened(word));
        }
        Ok(match word {
            "true" => Token::Flag(true),
            "false" => Token::Flag(false),
            _ => match WORDS.binary_search(&word) {
                Ok(found) => Token::Word(WORDS.get(found).copied().unwrap_or_default()),
                Err(_) => Token::Name(word),
            },
        })
    }

    /// `h'…'`, `b'…'` or `t'…'`.
    fn constant(&mut self) -> Result<Token<'a>, PatternProblem> {
        let start = self.at;
        let kind = self.take(1);
        self.take(1);
        let length = self.rest().find('\'');
        let length = length.ok_or_else(|| self.fault(start, PatternFault::Open))?;
        let inside = self.take(length);
        self.take(1);
        let (good, wanted) = match kind {
            "h" => (is_hex(inside), "pairs of hexadecimal digits"),
            "b" => (is_base64(inside), "Base64 with its padding"),
            _ => (is_time(inside), "a time in UTC with `T` and `Z`"),
        };
        if !good {
            let fault = PatternFault::Constant { wanted, found: short(inside) };
            return Err(self.fault(start, fault));
        }
        Ok(match kind {
            "h" => Token::Hex(inside),
            "b" => Token::Binary(inside),
            _ => Token::Time(inside),
        })
    }
}

/// The length of the number at the beginning, and whether it is a fraction.
fn number(text: &str) -> Option<(usize, bool)> {
    let signed = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = text.len().saturating_sub(signed.len());
    let digits =
        |t: &str| t.len().saturating_sub(t.trim_start_matches(|c: char| c.is_ascii_digit()).len());
    let whole = digits(signed);
    if let Some(after) = signed.get(whole..).and_then(|rest| rest.strip_prefix('.')) {
        let fraction = digits(after);
        if fraction > 0 {
            let length = sign.saturating_add(whole).saturating_add(1).saturating_add(fraction);
            return Some((length, true));
        }
    }
    match (whole, signed.starts_with('0')) {
        (0, _) => None,
        // WHY: the grammar knows no leading zeros; `007` is three numbers, which no rule takes.
        (_, true) => Some((sign.saturating_add(1), false)),
        (_, false) => Some((sign.saturating_add(whole), false)),
    }
}

fn is_hex(text: &str) -> bool {
    text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len().saturating_sub(body.len());
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/');
    !text.is_empty() && text.len().is_multiple_of(4) && padding <= 2 && body.bytes().all(letter)
}

/// The form of a time, as far as the grammar goes; the calendar is a remark's business.
fn is_time(text: &str) -> bool {
    let (Some(seconds), Some(rest)) = (text.get(..19), text.get(19..)) else { return false };
    let form = |(index, byte): (usize, u8)| match index {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    };
    let fraction = |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let rest = match rest.strip_suffix('Z') {
        Some("") => true,
        Some(rest) => rest.strip_prefix('.').is_some_and(fraction),
        None => false,
    };
    let within = |from: usize, until: usize, least: u8, most: u8| {
        let part = seconds.get(from..until).and_then(|part| part.parse::<u8>().ok());
        part.is_some_and(|part| (least..=most).contains(&part))
    };
    rest && seconds.bytes().enumerate().all(form)
        && within(5, 7, 1, 12)
        && within(8, 10, 1, 31)
        && within(11, 13, 0, 23)
        && within(14, 16, 0, 59)
        && within(17, 19, 0, 60)
}
