//! Grades of source and information. Pure; a grade is kept as written and only compared.
//!
//! SOURCE: Europol 4x4 (Reg. 2016/794 Art 29); Admiralty A-F, 1-6.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text that is not a grade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a grade such as A1, B2 or X4")]
pub struct GradeError(String);

/// A source letter and an information digit, such as `B2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Grade {
    source: u8,
    information: u8,
}

impl Grade {
    /// What an ungraded record counts as (Europol Art 29(4)): X4.
    pub const UNASSESSED: Self = Self { source: b'X', information: b'4' };

    /// Whether both the letter and the digit are at least as good as those of `floor`.
    #[must_use]
    pub fn at_least(self, floor: Self) -> bool {
        self.source <= floor.source && self.information <= floor.information
    }

    /// The worse letter with the worse digit of two.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        Self {
            source: self.source.max(other.source),
            information: self.information.max(other.information),
        }
    }

    /// Source letter and information digit, as ASCII bytes; smaller is better.
    #[must_use]
    pub fn parts(self) -> (u8, u8) {
        (self.source, self.information)
    }
}

impl FromStr for Grade {
    type Err = GradeError;
    fn from_str(text: &str) -> Result<Self, GradeError> {
        match text.as_bytes() {
            [source @ (b'A'..=b'F' | b'X'), information @ b'1'..=b'6'] => {
                Ok(Self { source: *source, information: *information })
            }
            _ => Err(GradeError(text.chars().take(20).collect())),
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", char::from(self.source), char::from(self.information))
    }
}

impl TryFrom<String> for Grade {
    type Error = GradeError;
    fn try_from(text: String) -> Result<Self, GradeError> {
        text.parse()
    }
}

impl From<Grade> for String {
    fn from(grade: Grade) -> String {
        grade.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_must_be_good_enough() {
        let floor: Grade = "B2".parse().unwrap();
        assert!("A1".parse::<Grade>().unwrap().at_least(floor));
        assert!(!"A3".parse::<Grade>().unwrap().at_least(floor));
        assert!(!"C1".parse::<Grade>().unwrap().at_least(floor));
        assert!(!Grade::UNASSESSED.at_least(floor));
        assert!("Z9".parse::<Grade>().is_err());
    }
}
