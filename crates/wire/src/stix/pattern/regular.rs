//! Regular expressions of `MATCHES`: PCRE as far as it can be matched in linear time. Pure.
//!
//! A pattern comes from anybody, so an expression must not cost more than the text is long. What
//! means another thing here than in PCRE is rewritten; what cannot be had in linear time (looking
//! around, back references, recursion, possessive quantifiers) is refused by name.
//! SOURCE: STIX 2.1 section 9.6 (`MATCHES`); pcre2pattern(3).

use regex::{Regex, RegexBuilder, bytes};
use unicode_normalization::UnicodeNormalization;

/// LIMIT: regular expressions in one pattern.
pub const REGULARS_MAX: usize = 256;
/// LIMIT: longest regular expression, in bytes.
const REGULAR_BYTES_MAX: usize = 64 * 1024;
/// LIMIT: memory of one compiled expression, in bytes.
const COMPILED_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: deepest nesting.
const NEST_MAX: u32 = 100;

/// An expression for texts and for bytes.
#[derive(Debug, Clone)]
pub(super) struct Regular {
    text: Regex,
    /// Nothing if it holds letters that no byte is.
    bytes: Option<bytes::Regex>,
}

impl Regular {
    /// Prepares an expression.
    ///
    /// # Errors
    /// Why it cannot be evaluated, in words.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        if pattern.len() > REGULAR_BYTES_MAX {
            return Err(format!("{} bytes are more than {REGULAR_BYTES_MAX}", pattern.len()));
        }
        let pattern: String = pattern.nfc().collect();
        let text = RegexBuilder::new(&translate(&pattern, Letters::Text)?)
            .size_limit(COMPILED_BYTES_MAX)
            .nest_limit(NEST_MAX)
            .build()
            .map_err(|error| reason(&error))?;
        let narrow = pattern.chars().all(|c| u32::from(c) < 256);
        let bytes = if narrow { translate(&pattern, Letters::Bytes).ok() } else { None };
        let bytes = bytes.and_then(|pattern| {
            let mut builder = bytes::RegexBuilder::new(&pattern);
            builder.unicode(false).size_limit(COMPILED_BYTES_MAX).nest_limit(NEST_MAX);
            builder.build().ok()
        });
        Ok(Self { text, bytes })
    }

    pub(super) fn in_text(&self, text: &str) -> bool {
        if text.is_ascii() {
            return self.text.is_match(text);
        }
        self.text.is_match(&text.nfc().collect::<String>())
    }

    pub(super) fn in_bytes(&self, content: &[u8]) -> bool {
        self.bytes.as_ref().is_some_and(|expression| expression.is_match(content))
    }
}

/// The last line of the library's message, which says the reason without the picture above it.
fn reason(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return format!("it needs more than {COMPILED_BYTES_MAX} bytes of memory");
    }
    let words = error.to_string();
    let last = words.lines().last().unwrap_or_default();
    last.trim_start_matches("error: ").to_owned()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    Text,
    Bytes,
}

/// Flags that change how the text of the expression reads.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    multi_line: bool,
    verbose: bool,
}

/// The expression as this library reads it.
fn translate(pattern: &str, letters: Letters) -> Result<String, String> {
    let mut work = Work {
        rest: pattern.chars().collect::<Vec<_>>().into_iter().peekable(),
        out: String::with_capacity(pattern.len().saturating_mul(2)),
        letters,
        flags: vec![Flags::default()],
    };
    while let Some(letter) = work.rest.next() {
        work.outside(letter)?;
    }
    Ok(work.out)
}

struct Work {
    rest: std::iter::Peekable<std::vec::IntoIter<char>>,
    out: String,
    letters: Letters,
    /// One for each open group.
    flags: Vec<Flags>,
}

/// One member of a class.
enum Member {
    One(char),
    /// Text that stands for several.
    Many(String),
}

const CANNOT_LOOK: &str = "looking ahead or behind cannot be done in linear time";
const CANNOT_REFER: &str = "back references and recursion cannot be done in linear time";
const CANNOT_HOLD: &str = "possessive quantifiers and atomic groups cannot be done in linear time";

impl Work {
    fn flags(&self) -> Flags {
        self.flags.last().copied().unwrap_or_default()
    }

    fn peek(&mut self) -> Option<char> {
        self.rest.peek().copied()
    }

    fn accept(&mut self, letter: char) -> bool {
        self.rest.next_if_eq(&letter).is_some()
    }

    /// A letter that stands for itself.
    fn literal(&mut self, letter: char) {
        let plain = letter.is_ascii_alphanumeric() || letter == '_';
        if plain || (self.letters == Letters::Text && !letter.is_ascii()) {
            self.out.push(letter);
        } else {
            self.out.push_str(&code(letter));
        }
    }

    fn outside(&mut self, letter: char) -> Result<(), String> {
        match letter {
            '\\' => self.escape_outside(),
            '[' => self.class(),
            '(' => self.group(),
            ')' => {
                if self.flags.len() > 1 {
                    self.flags.pop();
                }
                self.out.push(')');
                Ok(())
            }
            '$' if self.flags().multi_line => {
                self.out.push('$');
                Ok(())
            }
            '$' => {
                // WHY: in PCRE the end is also before a line feed that ends the text.
                self.out.push_str("(?:\\n?\\z)");
                Ok(())
            }
            '{' => self.braces(),
            '*' | '+' | '?' => {
                self.out.push(letter);
                self.not_possessive()
            }
            '.' | '^' | '|' => {
                self.out.push(letter);
                Ok(())
            }
            '#' if self.flags().verbose => {
                while self.rest.next_if(|c| *c != '\n').is_some() {}
                Ok(())
            }
            white if self.flags().verbose && white.is_whitespace() => Ok(()),
            other => {
                self.literal(other);
                Ok(())
            }
        }
    }

    fn not_possessive(&mut self) -> Result<(), String> {
        if self.peek() == Some('+') {
            return Err(CANNOT_HOLD.to_owned());
        }
        if self.accept('?') {
            self.out.push('?');
        }
        Ok(())
    }

    /// A repetition, or a brace that stands for itself.
    fn braces(&mut self) -> Result<(), String> {
        let ahead: String = self.rest.clone().take_while(|c| *c != '}').take(22).collect();
        let closed = self.rest.clone().nth(ahead.chars().count()) == Some('}');
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (least, most) = ahead.split_once(',').unwrap_or((&ahead, ""));
        if !(closed && !least.is_empty() && digits(least) && digits(most)) {
            self.literal('{');
            return Ok(());
        }
        self.out.push('{');
        self.out.push_str(&ahead);
        self.out.push('}');
        for _ in 0..=ahead.len() {
            self.rest.next();
        }
        self.not_possessive()
    }

    fn group(&mut self) -> Result<(), String> {
        if self.peek() == Some('*') {
            return Err("control verbs `(*…)` are not known here".to_owned());
        }
        if !self.accept('?') {
            self.flags.push(self.flags());
            self.out.push_str("(?:");
            return Ok(());
        }
        match self.rest.next() {
            Some(':') => self.open(),
            Some('#') => {
                while self.rest.next_if(|c| *c != ')').is_some() {}
                self.rest.next();
                Ok(())
            }
            Some('=' | '!') => Err(CANNOT_LOOK.to_owned()),
            Some('>') => Err(CANNOT_HOLD.to_owned()),
            Some('P') => match self.rest.next() {
                Some('<') => self.named('>'),
                _ => Err(CANNOT_REFER.to_owned()),
            },
            Some('\'') => self.named('\''),
            Some('<') => match self.peek() {
                Some('=' | '!') => Err(CANNOT_LOOK.to_owned()),
                _ => self.named('>'),
            },
            Some(letter) if letter.is_ascii_digit() || "R&+(".contains(letter) => {
                Err(CANNOT_REFER.to_owned())
            }
            Some(letter) => self.inline(letter),
            None => Err("it ends inside a group".to_owned()),
        }
    }

    fn open(&mut self) -> Result<(), String> {
        self.flags.push(self.flags());
        self.out.push_str("(?:");
        Ok(())
    }

    /// A named group; nothing here asks for its name.
    fn named(&mut self, end: char) -> Result<(), String> {
        while self.rest.next_if(|c| *c != end).is_some() {}
        if self.rest.next().is_none() {
            return Err("the name of a group does not end".to_owned());
        }
        self.open()
    }

    /// Flags such as `(?i)` or `(?i-s:`.
    fn inline(&mut self, first: char) -> Result<(), String> {
        let (mut flags, mut text, mut on) = (self.flags(), String::new(), true);
        let mut letter = Some(first);
        loop {
            match letter {
                Some('-') if on => on = false,
                Some('i' | 's' | 'U') => {}
                Some('m') => flags.multi_line = on,
                Some('x') => flags.verbose = on,
                Some(end @ (')' | ':')) => {
                    let text = text.trim_end_matches('-');
                    if !(text.is_empty() && end == ')') {
                        self.out.push_str(&format!("(?{text}{end}"));
                    }
                    if end == ':' {
                        self.flags.push(flags);
                    } else if let Some(own) = self.flags.last_mut() {
                        *own = flags;
                    }
                    return Ok(());
                }
                Some(other) => return Err(format!("`(?{other}` is not known here")),
                None => return Err("it ends inside a group".to_owned()),
            }
            text.extend(letter.filter(|c| *c != 'x'));
            letter = self.rest.next();
        }
    }

    fn escape_outside(&mut self) -> Result<(), String> {
        let Some(letter) = self.rest.next() else {
            return Err("it ends with a backslash".to_owned());
        };
        match letter {
            'b' | 'B' | 'A' | 'z' => {
                self.out.push('\\');
                self.out.push(letter);
            }
            'Z' => self.out.push_str("(?:\\n?\\z)"),
            'R' if self.letters == Letters::Text => {
                self.out.push_str("(?:\\r\\n|[\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}])");
            }
            'R' => self.out.push_str("(?:\\r\\n|[\\n\\x0B\\f\\r\\x85])"),
            'N' if self.peek() != Some('{') => self.out.push_str("[^\\n]"),
            '1'..='9' | 'g' | 'k' => return Err(CANNOT_REFER.to_owned()),
            'Q' => self.quoted(),
            'E' => {}
            'K' | 'G' | 'X' | 'C' => return Err(format!("`\\{letter}` is not known here")),
            _ => match self.escape(letter)? {
                Member::One(one) => self.literal(one),
                Member::Many(many) => self.out.push_str(&format!("[{many}]")),
            },
        }
        Ok(())
    }

    fn quoted(&mut self) {
        while let Some(letter) = self.rest.next() {
            if letter == '\\' && self.accept('E') {
                return;
            }
            self.literal(letter);
        }
    }

    /// What an escape means inside and outside of classes alike.
    fn escape(&mut self, letter: char) -> Result<Member, String> {
        let wide = self.letters == Letters::Text;
        let many = |text: &str| Ok(Member::Many(text.to_owned()));
        match letter {
            'd' | 'D' | 'w' | 'W' | 's' | 'S' => Ok(Member::Many(format!("\\{letter}"))),
            'h' if wide => many("\\t\\p{Zs}"),
            'h' => many("\\t\\x20\\xA0"),
            'v' if wide => many("\\n\\x0B\\f\\r\\x{85}\\x{2028}\\x{2029}"),
            'v' => many("\\n\\x0B\\f\\r\\x85"),
            'n' => Ok(Member::One('\n')),
            'r' => Ok(Member::One('\r')),
            't' => Ok(Member::One('\t')),
            'f' => Ok(Member::One('\u{c}')),
            'a' => Ok(Member::One('\u{7}')),
            'e' => Ok(Member::One('\u{1b}')),
            'p' | 'P' => self.property(letter),
            'x' => self.hexadecimal(),
            '0'..='7' => Ok(Member::One(self.octal(letter))),
            'c' => match self.rest.next().filter(char::is_ascii) {
                Some(key) => Ok(Member::One(control(key))),
                None => Err("`\\c` needs an ASCII letter".to_owned()),
            },
            other if other.is_ascii_alphanumeric() => Err(format!("`\\{other}` is not known here")),
            other => Ok(Member::One(other)),
        }
    }

    fn property(&mut self, letter: char) -> Result<Member, String> {
        let mut text = format!("\\{letter}");
        if self.accept('{') {
            if self.accept('^') {
                text = if letter == 'p' { "\\P".to_owned() } else { "\\p".to_owned() };
            }
            text.push('{');
            while let Some(next) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                text.push(next);
            }
            if !self.accept('}') {
                return Err("a property does not end with `}`".to_owned());
            }
            text.push('}');
            return Ok(Member::Many(text));
        }
        match self.rest.next_if(char::is_ascii_alphabetic) {
            Some(next) => Ok(Member::Many(format!("{text}{{{next}}}"))),
            None => Err("a property is missing after `\\p`".to_owned()),
        }
    }

    fn hexadecimal(&mut self) -> Result<Member, String> {
        let braced = self.accept('{');
        let most = if braced { 6 } else { 2 };
        let mut digits = String::new();
        while digits.len() < most {
            let Some(digit) = self.rest.next_if(char::is_ascii_hexdigit) else { break };
            digits.push(digit);
        }
        if braced && !self.accept('}') {
            return Err("a code does not end with `}`".to_owned());
        }
        let number = u32::from_str_radix(&digits, 16).unwrap_or(0);
        char::from_u32(number).map(Member::One).ok_or_else(|| format!("`{digits}` is no character"))
    }

    fn octal(&mut self, first: char) -> char {
        let mut number = first.to_digit(8).unwrap_or(0);
        for _ in 0..2 {
            let Some(digit) = self.rest.next_if(|c| c.is_digit(8)) else { break };
            number = number.saturating_mul(8).saturating_add(digit.to_digit(8).unwrap_or(0));
        }
        char::from_u32(number).unwrap_or('\0')
    }

    fn class(&mut self) -> Result<(), String> {
        let negated = self.accept('^');
        self.out.push_str(if negated { "[^" } else { "[" });
        let mut first = true;
        loop {
            let Some(letter) = self.rest.next() else {
                return Err("a class does not end with `]`".to_owned());
            };
            if letter == ']' && !first {
                self.out.push(']');
                return Ok(());
            }
            first = false;
            match self.member(letter)? {
                Member::Many(many) => self.out.push_str(&many),
                Member::One(low) => self.range(low)?,
            }
        }
    }

    /// A letter of a class, or a range that begins with it.
    fn range(&mut self, low: char) -> Result<(), String> {
        self.out.push_str(&code(low));
        let mut ahead = self.rest.clone();
        if ahead.next() != Some('-') || matches!(ahead.next(), Some(']') | None) {
            return Ok(());
        }
        self.rest.next();
        let Some(letter) = self.rest.next() else { return Ok(()) };
        match self.member(letter)? {
            Member::One(high) => {
                self.out.push('-');
                self.out.push_str(&code(high));
            }
            Member::Many(many) => {
                self.out.push_str(&code('-'));
                self.out.push_str(&many);
            }
        }
        Ok(())
    }

    fn member(&mut self, letter: char) -> Result<Member, String> {
        match (letter, self.peek()) {
            ('[', Some(':')) => {
                let name: String = self.rest.clone().skip(1).take_while(|c| *c != ':').collect();
                let plain = name.strip_prefix('^').unwrap_or(&name);
                let ends = self.rest.clone().nth(name.chars().count().saturating_add(2));
                if plain.bytes().all(|b| b.is_ascii_lowercase()) && ends == Some(']') {
                    for _ in 0..name.len().saturating_add(3) {
                        self.rest.next();
                    }
                    return Ok(Member::Many(format!("[:{name}:]")));
                }
                Ok(Member::One('['))
            }
            ('[', Some('.' | '=')) => Err("collating elements are not known here".to_owned()),
            ('\\', _) => match self.rest.next() {
                Some('b') => Ok(Member::One('\u{8}')),
                Some(next) => self.escape(next),
                None => Err("it ends with a backslash".to_owned()),
            },
            _ => Ok(Member::One(letter)),
        }
    }
}

/// A letter by its number, which no flag and no class reads otherwise.
fn code(letter: char) -> String {
    // WHY: with two digits it is a byte where bytes are matched; in braces never.
    match u8::try_from(u32::from(letter)) {
        Ok(byte) => format!("\\x{byte:02X}"),
        Err(_) => format!("\\x{{{:X}}}", u32::from(letter)),
    }
}

/// The control character of a key.
fn control(key: char) -> char {
    let number = u32::from(key.to_ascii_uppercase()) ^ 64;
    char::from_u32(number).unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pcre_means_here_what_it_means_there() {
        for (pattern, text, want) in [
            (r"a$", "a\n", true),
            (r"a$", "a\nb", false),
            (r"(?m)a$", "a\nb", true),
            (r"a\Z", "a\n", true),
            (r"^\<x\>$", "<x>", true),
            (r"[a[b]", "[", true),
            (r"[a&&b]", "&", true),
            (r"[--/]", ".", true),
            (r"[]a]", "]", true),
            (r"a{,2}", "a{,2}", true),
            (r"x{foo}", "x{foo}", true),
            (r"\e\cA\x1\061", "\u{1b}\u{1}\u{1}1", true),
            (r"\Qa.b\E.", "a.bc", true),
            (r"(?x) a # b", "a", true),
            (r"(?x)[ ]", " ", true),
            (r"(?<n>a)(?P<m>b)(?'o'c)(?#d)", "abc", true),
            (r"[[:alpha:]]+\h", "ab ", true),
            (r"\p{^L}", "1", true),
            ("caf\u{e9}", "cafe\u{301}", true),
        ] {
            assert_eq!(Regular::new(pattern).unwrap().in_text(text), want, "{pattern}");
        }
        let bytes = Regular::new(r"\xd4\xc3[\xb2-\xff]").unwrap();
        assert!(bytes.in_bytes(&[0, 0xd4, 0xc3, 0xb3]) && !bytes.in_bytes(&[0xd4, 0xc3]));
        assert!(Regular::new("\u{e9}").unwrap().in_bytes(&[0xe9]));
        for bad in [
            r"(?=a)",
            r"(?!a)",
            r"(?<=a)",
            r"(?<!a)",
            r"(a)\1",
            r"(?P=a)",
            r"(?R)",
            r"(?1)",
            r"a++",
            r"a{2}+",
            r"(?>a)",
            r"\K",
            r"(*UTF8)",
            r"(?(1)a)",
            "(",
            "[a",
            "a\\",
            r"(?a)",
            r"\y",
            r"(\w{100}){100}",
        ] {
            assert!(Regular::new(bad).is_err_and(|words| !words.is_empty()), "{bad}");
        }
    }
}
