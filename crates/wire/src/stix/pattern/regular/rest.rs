//! The letters of an expression that are still to be read. Pure.

/// Letters, read one by one. WHY: looking ahead copies nothing, however long the expression is.
pub(super) struct Rest {
    letters: Vec<char>,
    at: usize,
}

impl Rest {
    /// All of a text.
    pub(super) fn new(text: &str) -> Self {
        Self { letters: text.chars().collect(), at: 0 }
    }

    /// The next letter, left where it is.
    pub(super) fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    /// The next letter, if it is such a one.
    pub(super) fn next_if(&mut self, test: impl Fn(&char) -> bool) -> Option<char> {
        let letter = self.peek().filter(|letter| test(letter))?;
        self.at = self.at.saturating_add(1);
        Some(letter)
    }

    /// The letters to come, left where they are.
    pub(super) fn ahead(&self) -> impl Iterator<Item = char> + '_ {
        self.letters.get(self.at..).unwrap_or_default().iter().copied()
    }
}

impl Iterator for Rest {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        self.next_if(|_| true)
    }
}
