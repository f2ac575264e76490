//! Rust text with comments and literals blanked out, so that rules see code only. Pure.

/// Code of one file, line by line, and where its unit tests begin.
pub struct Code {
    /// The lines, as long as the original ones (counted in characters).
    pub lines: Vec<String>,
    /// Index of the first line of the `#[cfg(test)]` module at the foot.
    pub tests_from: usize,
}

impl Code {
    /// Blanks out comments, strings and character literals.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let lines: Vec<String> = blank(text).lines().map(str::to_owned).collect();
        let tests_from = lines
            .iter()
            .enumerate()
            .position(|(at, line)| {
                let next = lines.get(at.saturating_add(1)).map_or("", |next| next.trim_start());
                line.trim() == "#[cfg(test)]" && (next.starts_with("mod ") || next.starts_with('#'))
            })
            .unwrap_or(lines.len());
        Self { lines, tests_from }
    }

    /// Line numbers (from 1) with their words: identifiers, keywords and numbers.
    pub fn words(&self) -> impl Iterator<Item = (usize, Vec<&str>)> {
        self.lines.iter().enumerate().map(|(at, line)| (at.saturating_add(1), words(line)))
    }

    /// Whether the line of this number (from 1) belongs to the unit tests at the foot.
    #[must_use]
    pub fn is_test(&self, line: usize) -> bool {
        line > self.tests_from
    }
}

/// The words of one line of code.
#[must_use]
pub fn words(line: &str) -> Vec<&str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect()
}

#[derive(Clone, Copy)]
enum State {
    Code,
    Line,
    Block(u32),
    Text,
    Raw(usize),
    Letter,
}

fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\n');
    let mut out = String::with_capacity(text.len());
    let (mut state, mut index) = (State::Code, 0_usize);
    while index < chars.len() {
        let (here, next) = (at(index), at(index.saturating_add(1)));
        let (becomes, taken) = match state {
            State::Code => from_code(&chars, index),
            State::Line => (if here == '\n' { State::Code } else { State::Line }, 1),
            State::Block(depth) => match (here, next) {
                ('/', '*') => (State::Block(depth.saturating_add(1)), 2),
                ('*', '/') if depth <= 1 => (State::Code, 2),
                ('*', '/') => (State::Block(depth.saturating_sub(1)), 2),
                _ => (state, 1),
            },
            State::Text | State::Letter if here == '\\' => (state, 2),
            State::Text => (if here == '"' { State::Code } else { state }, 1),
            State::Letter => (if here == '\'' { State::Code } else { state }, 1),
            State::Raw(hashes) => {
                let closes =
                    here == '"' && (1..=hashes).all(|step| at(index.saturating_add(step)) == '#');
                if closes { (State::Code, hashes.saturating_add(1)) } else { (state, 1) }
            }
        };
        let plain = matches!((state, becomes), (State::Code, State::Code));
        for step in 0..taken {
            let c = at(index.saturating_add(step));
            if index.saturating_add(step) < chars.len() {
                out.push(if plain || c == '\n' { c } else { ' ' });
            }
        }
        (state, index) = (becomes, index.saturating_add(taken));
    }
    out
}

/// What begins at `index` of plain code, and how many characters begin it.
fn from_code(chars: &[char], index: usize) -> (State, usize) {
    let at = |index: usize| chars.get(index).copied().unwrap_or('\n');
    let next = at(index.saturating_add(1));
    match at(index) {
        '/' if next == '/' => (State::Line, 2),
        '/' if next == '*' => (State::Block(1), 2),
        '"' => {
            let before: Vec<char> =
                chars.get(..index).unwrap_or_default().iter().rev().take(20).copied().collect();
            let hashes = before.iter().take_while(|c| **c == '#').count();
            let raw = before.get(hashes) == Some(&'r')
                && before
                    .get(hashes.saturating_add(1))
                    .is_none_or(|c| !c.is_alphanumeric() && *c != '_' || *c == 'b' || *c == 'c');
            if raw { (State::Raw(hashes), 1) } else { (State::Text, 1) }
        }
        '\'' if next == '\\' || at(index.saturating_add(2)) == '\'' => (State::Letter, 1),
        _ => (State::Code, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked_and_code_stays() {
        let code =
            Code::of("let a = \"fn x\"; // fn y\nfn z<'a>(c: char) { c == '\"' } /* fn w */\n");
        let words: Vec<&str> = code.words().flat_map(|(_, words)| words).collect();
        assert_eq!(words, ["let", "a", "fn", "z", "a", "c", "char", "c"]);
    }

    #[test]
    fn raw_strings_and_escapes_end_where_they_end() {
        let code = Code::of("f(r#\"a \" b\"#, \"c \\\" d\", '\\'', b'x') + g");
        assert_eq!(words(&code.lines[0]), ["f", "r", "b", "g"]);
    }

    #[test]
    fn unit_tests_at_the_foot_are_known() {
        let code = Code::of("fn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n");
        assert!(!code.is_test(1));
        assert!(code.is_test(4));
    }
}
