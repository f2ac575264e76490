//! Escapes and classes of a regular expression, as this library reads them. Pure.

use super::{Letters, Member, Work};

impl Work {
    /// What an escape means inside and outside of classes alike.
    pub(super) fn escape(&mut self, letter: char) -> Result<Member, String> {
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

    pub(super) fn class(&mut self) -> Result<(), String> {
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
        let mut ahead = self.rest.ahead();
        let (dash, high) = (ahead.next(), ahead.next());
        if dash != Some('-') || matches!(high, Some(']') | None) {
            return Ok(());
        }
        drop(ahead);
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
                let name: String = self.rest.ahead().skip(1).take_while(|c| *c != ':').collect();
                let plain = name.strip_prefix('^').unwrap_or(&name);
                let ends = self.rest.ahead().nth(name.chars().count().saturating_add(2));
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
pub(super) fn code(letter: char) -> String {
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
