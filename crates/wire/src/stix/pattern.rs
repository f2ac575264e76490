//! STIX patterns: read, checked, and matched against observations. Pure.
//!
//! `lex` and `parse` are the grammar, `syntax` what they build, `remarks` what is valid but
//! doubtful; `compile` prepares the comparisons, `observe` reads observed-data, `search` finds
//! which observations fit together.
//! SOURCE: STIX 2.1 section 9 and its ANTLR grammar; where the text is silent, the public checker
//! and matcher of OASIS (docs/reference/patterns.md lists every difference).

mod address;
mod check;
mod compare;
mod compile;
mod lex;
mod observe;
mod parse;
mod path;
mod regular;
mod search;
mod syntax;

pub use check::Remark;
pub use compile::Matcher;
pub use lex::{PatternFault, PatternProblem};
pub use observe::{Observation, ObservationProblem, observations};
pub use search::{Binding, Match, SearchProblem};

use std::collections::BTreeSet;
use std::fmt;
use syntax::Node;

/// LIMIT: longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// LIMIT: deepest nesting of brackets.
pub const PATTERN_DEPTH_MAX: usize = 64;
/// LIMIT: comparisons in one pattern.
pub const COMPARISONS_MAX: usize = 20_000;
/// LIMIT: steps of one object path.
pub const PATH_STEPS_MAX: usize = 64;

/// A pattern that follows the grammar.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    root: Node,
    text: String,
}

impl Pattern {
    /// Reads a pattern. Cost: one pass.
    ///
    /// # Errors
    /// The first departure from the grammar, with its place; a hash that is none; two qualifiers
    /// of one kind on one observation expression; more than the limits allow.
    pub fn parse(text: &str) -> Result<Self, PatternProblem> {
        Ok(Self { root: parse::parse(text)?, text: text.to_owned() })
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The types of observables it speaks of.
    #[must_use]
    pub fn kinds(&self) -> BTreeSet<&str> {
        let mut kinds = BTreeSet::new();
        self.root.each_test(&mut |test, _| {
            kinds.insert(test.path.kind.as_str());
        });
        kinds
    }

    /// How many comparisons it makes.
    #[must_use]
    pub fn comparisons(&self) -> usize {
        let mut count: usize = 0;
        self.root.each_test(&mut |_, _| count = count.saturating_add(1));
        count
    }

    /// What is valid and yet can never match, or cannot be evaluated.
    #[must_use]
    pub fn remarks(&self) -> Vec<Remark> {
        check::remarks(&self.root, &self.text)
    }
}

impl fmt::Display for Pattern {
    /// The pattern in one spelling: white space, comments and needless brackets gone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.root, f)
    }
}
