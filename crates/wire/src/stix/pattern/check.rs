//! What is wrong with a pattern beyond its grammar: hashes, and remarks on what never matches.
//! Pure.
//!
//! SOURCE: STIX 2.1 section 10.6 (hash algorithms); the checks of OASIS stix2-patterns.

use super::compile;
use super::lex::{PatternFault, short};
use super::syntax::{Comparison, Constant, Node, Operator, Path, Qualifier, Step};
use crate::json::position;
use std::collections::BTreeSet;
use std::fmt;

/// A remark on a pattern that follows the grammar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What is doubtful.
    pub text: String,
    /// Line, from 1; 0 for the pattern as a whole.
    pub line: u64,
    /// Column in bytes, from 1; 0 for the pattern as a whole.
    pub column: u64,
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line > 0 {
            write!(f, "line {} column {}: ", self.line, self.column)?;
        }
        f.write_str(&self.text)
    }
}

/// Lengths of a hash in hexadecimal digits.
const HASHES: [(&str, &[usize]); 12] = [
    ("MD5", &[32]),
    ("MD6", &[32, 40, 56, 64, 96, 128]),
    ("RIPEMD160", &[40]),
    ("SHA1", &[40]),
    ("SHA224", &[56]),
    ("SHA256", &[64]),
    ("SHA384", &[96]),
    ("SHA512", &[128]),
    ("SHA3224", &[56]),
    ("SHA3256", &[64]),
    ("SHA3384", &[96]),
    ("SHA3512", &[128]),
];

/// Why a value compared with a hash can be none.
pub(super) fn hash_fault(path: &Path, operator: &Operator) -> Option<PatternFault> {
    let is_hashes = |step: &Step| matches!(step, Step::Key(key) if key == "hashes");
    let Some(Step::Key(name)) = path.steps.last() else { return None };
    if !path.steps.iter().any(is_hashes) {
        return None;
    }
    let plain = name.to_uppercase().replace(['-', '\''], "");
    let bad = |constant: &&Constant| !is_hash(&plain, constant);
    let wrong = match operator {
        Operator::Equal(constant) | Operator::NotEqual(constant) => Some(constant).filter(bad),
        Operator::In(set) => set.iter().find(bad),
        Operator::Order(..)
        | Operator::Like(_)
        | Operator::Matches(_)
        | Operator::IsSubset(_)
        | Operator::IsSuperset(_)
        | Operator::Exists => None,
    }?;
    Some(PatternFault::Hash { name: name.clone(), value: short(&wrong.to_string()) })
}

fn is_hash(name: &str, constant: &Constant) -> bool {
    let text = match constant {
        Constant::Text(text) => text.clone(),
        Constant::Whole(_)
        | Constant::Fraction(_)
        | Constant::Flag(_)
        | Constant::Bytes(_)
        | Constant::Time(..) => constant.to_string(),
    };
    match name {
        "WHIRLPOOL" => is_hex(&text, &[128]),
        "SSDEEP" => {
            let letter = |c: char| c.is_ascii_alphanumeric() || "/+:.".contains(c);
            (1..=128).contains(&text.len()) && text.chars().all(letter)
        }
        _ => match HASHES.iter().find(|(known, _)| *known == name) {
            Some((_, lengths)) => is_hex(&text, lengths),
            None => true,
        },
    }
}

fn is_hex(text: &str, lengths: &[usize]) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Remarks on a pattern.
pub(super) fn remarks(root: &Node, text: &str) -> Vec<Remark> {
    let at = |offset: usize, words: String| {
        let (line, column) = position(text.as_bytes(), offset);
        Remark { text: words, line, column }
    };
    let mut found = Vec::new();
    if let Err((fault, offset)) = compile::compile(root) {
        found.push(at(offset, format!("cannot be evaluated: {fault}")));
    }
    never(root, &mut |words, offset| match offset {
        Some(offset) => found.push(at(offset, words)),
        None => found.push(Remark { text: words, line: 0, column: 0 }),
    });
    found
}

/// Expressions that can never match.
fn never(node: &Node, say: &mut dyn FnMut(String, Option<usize>)) {
    match node {
        Node::Simple(comparison) => two_kinds(comparison, say),
        Node::And(parts) | Node::Or(parts) | Node::FollowedBy(parts) => {
            parts.iter().for_each(|part| never(part, say));
        }
        Node::Qualified(inner, qualifier) => {
            if let Qualifier::StartStop(start, stop) = qualifier
                && start.at.zip(stop.at).is_some_and(|(start, stop)| start >= stop)
            {
                let words = "never matches: STOP is not after START".to_owned();
                say(words, Some(stop.place));
            }
            never(inner, say);
        }
    }
}

/// `AND` asks all of one observable, which has one type; an empty list holds nothing.
fn two_kinds(comparison: &Comparison, say: &mut dyn FnMut(String, Option<usize>)) {
    match comparison {
        Comparison::Test(test) => {
            if matches!(&test.operator, Operator::In(set) if set.is_empty() && !test.negated) {
                say("never matches: the list is empty".to_owned(), Some(test.place));
            }
        }
        Comparison::Or(parts) => parts.iter().for_each(|part| two_kinds(part, say)),
        Comparison::And(parts) => {
            let mut all: Option<BTreeSet<&str>> = None;
            let mut place = None;
            for part in parts {
                let mut kinds = BTreeSet::new();
                part.each_test(&mut |test| {
                    kinds.insert(test.path.kind.as_str());
                    place = Some(test.place);
                });
                all = Some(match all {
                    Some(known) => known.intersection(&kinds).copied().collect(),
                    None => kinds,
                });
            }
            if all.is_some_and(|kinds| kinds.is_empty()) {
                let words = "never matches: one observable has one type; put the other type in \
                             an observation expression of its own";
                say(words.to_owned(), place);
            }
            parts.iter().for_each(|part| two_kinds(part, say));
        }
    }
}
