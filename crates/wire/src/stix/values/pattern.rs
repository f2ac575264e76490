//! The equal comparisons of a STIX pattern: object, path and text. Pure.
//!
//! Only what the pattern says must be equal (`=`, `IN`, `ISSUBSET` of a network, `ISSUPERSET`) and
//! does not negate is a value by which records correlate. What cannot be read is passed over: the
//! pattern itself is judged elsewhere. SOURCE: STIX 2.1 section 9.

use std::borrow::Cow;

/// LIMIT: bytes of a pattern that is looked at.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// Takes object type, path and literal.
type Visit<'v, 'a> = dyn FnMut(&'a str, &'a str, Cow<'a, str>) + 'v;

/// Visits (object type, path, literal) of each such comparison.
pub(super) fn comparisons<'a>(pattern: &'a str, visit: &mut Visit<'_, 'a>) {
    if pattern.len() > PATTERN_BYTES_MAX {
        return;
    }
    let mut scan = Scan { text: pattern, at: 0 };
    while let Some((object, path)) = scan.next_path() {
        let Some(operator) = scan.operator() else { continue };
        match operator {
            Operator::One => {
                if let Some(text) = scan.literal() {
                    visit(object, path, text);
                }
            }
            Operator::Set => {
                scan.skip_space();
                if !scan.take(b'(') {
                    continue;
                }
                while let Some(text) = scan.literal() {
                    visit(object, path, text);
                    scan.skip_space();
                    if !scan.take(b',') {
                        break;
                    }
                }
            }
        }
    }
}

enum Operator {
    One,
    Set,
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scan<'a> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn take(&mut self, wanted: u8) -> bool {
        let found = self.byte() == Some(wanted);
        if found {
            self.step();
        }
        found
    }

    fn skip_space(&mut self) {
        while self.byte().is_some_and(|b| b.is_ascii_whitespace()) {
            self.step();
        }
    }

    fn run(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let from = self.at;
        while self.byte().is_some_and(&fits) {
            self.step();
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    /// The next `type:path`; literals on the way are passed over.
    fn next_path(&mut self) -> Option<(&'a str, &'a str)> {
        loop {
            match self.byte()? {
                b'\'' => drop(self.literal()),
                b if b.is_ascii_alphabetic() => {
                    let word = self.run(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                    if self.take(b':') {
                        return Some((word, self.path()));
                    }
                }
                _ => self.step(),
            }
        }
    }

    /// A path: steps, quoted keys and indexes, as they are written.
    fn path(&mut self) -> &'a str {
        let from = self.at;
        loop {
            self.run(|b| b.is_ascii_alphanumeric() || b"-_.[]*".contains(&b));
            // WHY: a quoted key follows a full stop; elsewhere a quotation mark begins a literal.
            let after_stop = self.at.checked_sub(1).and_then(|at| self.text.as_bytes().get(at));
            if self.byte() != Some(b'\'') || !(after_stop == Some(&b'.') || self.at == from) {
                break;
            }
            if self.literal().is_none() {
                break;
            }
        }
        self.text.get(from..self.at).unwrap_or_default()
    }

    fn operator(&mut self) -> Option<Operator> {
        self.skip_space();
        if self.take(b'=') {
            self.take(b'=');
            return Some(Operator::One);
        }
        let word = self.run(|b| b.is_ascii_alphabetic());
        match word.to_ascii_uppercase().as_str() {
            "IN" => Some(Operator::Set),
            "ISSUBSET" | "ISSUPERSET" => Some(Operator::One),
            _ => None,
        }
    }

    /// A text in quotation marks, escapes undone.
    fn literal(&mut self) -> Option<Cow<'a, str>> {
        self.skip_space();
        if !self.take(b'\'') {
            return None;
        }
        let (from, mut escaped) = (self.at, false);
        loop {
            match self.byte()? {
                b'\\' => {
                    escaped = true;
                    self.step();
                    self.step();
                }
                b'\'' => break,
                _ => self.step(),
            }
        }
        let text = self.text.get(from..self.at);
        self.step();
        text.map(|text| if escaped { Cow::Owned(unescaped(text)) } else { Cow::Borrowed(text) })
    }
}

/// A backslash makes the character behind it plain (STIX 2.1 section 9.1).
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str) -> Vec<String> {
        let mut out = Vec::new();
        comparisons(pattern, &mut |o, p, t| out.push(format!("{o}|{p}|{t}")));
        out
    }

    #[test]
    fn equal_comparisons_are_found_and_others_are_not() {
        let pattern = "[ipv4-addr:value = '192.0.2.1' AND file:hashes.'SHA-256'='ab'] OR \
            [url:value IN ('http://a.example/', 'http://b.example/') AND url:value != 'x'] \
            FOLLOWEDBY [file:name LIKE 'a%' OR file:name NOT = 'c' AND \
            network-traffic:dst_ref.value ISSUBSET '198.51.100.0/24'] START t'2026-01-01T00:00:00Z' STOP t'2026-01-02T00:00:00Z'";
        let want = [
            "ipv4-addr|value|192.0.2.1",
            "file|hashes.'SHA-256'|ab",
            "url|value|http://a.example/",
            "url|value|http://b.example/",
            "network-traffic|dst_ref.value|198.51.100.0/24",
        ];
        assert_eq!(found(pattern), want);
    }

    #[test]
    fn a_literal_that_looks_like_a_comparison_is_none() {
        assert_eq!(found("[file:name = 'url:value = ''x']"), ["file|name|url:value = "]);
        assert_eq!(found("[file:name != 'a:b = \\'c\\'']"), Vec::<String>::new());
        assert_eq!(found("[file:name = 'a\\\\b:c = \\'d']"), ["file|name|a\\b:c = 'd"]);
        assert_eq!(found("[file:name = 'unended"), Vec::<String>::new());
        assert_eq!(found("["), Vec::<String>::new());
    }
}
