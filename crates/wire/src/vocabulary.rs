//! The vocabulary document: actors, states, acts, groups, labels. Decides nothing. Pure.
//!
//! Strict on every key it uses, blind to the rest (notes, lists for people). All problems are
//! reported at once, each with its JSON pointer.
//!
//! SOURCE: docs/reference/vocabulary.md; RFC 6901 for pointers.

pub(crate) mod walk;

use crate::json;
use crate::limits::DOCUMENT_BYTES_MAX;
use model::vocabulary::{Actor, Group, Offence, Risk, State, Vocabulary};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use walk::{Node, Walk};

const RISKS: [(&str, Risk); 3] =
    [("low", Risk::Low), ("medium", Risk::Medium), ("serious", Risk::Serious)];

/// One thing wrong with a JSON document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pointer}`: {message}")]
pub struct Problem {
    /// JSON pointer of the value concerned; empty for the whole document.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What cures it.
    pub cure: String,
}

impl Problem {
    pub(crate) fn new(pointer: &str, message: String, cure: &str) -> Self {
        Self { pointer: pointer.to_owned(), message, cure: cure.to_owned() }
    }
}

/// Reads JSON strictly, within the limit for documents.
pub(crate) fn open(bytes: &[u8]) -> Result<Value, Problem> {
    if bytes.len() > DOCUMENT_BYTES_MAX {
        let message = format!("{} bytes is longer than {DOCUMENT_BYTES_MAX}", bytes.len());
        return Err(Problem::new("", message, "split the document into several"));
    }
    json::parse_strict(bytes)
        .map_err(|error| Problem::new(&error.pointer, error.to_string(), error.help()))
}

/// Reads a vocabulary. Cost: linear in the document.
///
/// # Errors
/// Every problem found; never empty.
pub fn parse(bytes: &[u8]) -> Result<Vocabulary, Vec<Problem>> {
    let value = open(bytes).map_err(|problem| vec![problem])?;
    let mut walk = Walk::default();
    let root = Node::root(&value);
    let vocabulary = Vocabulary {
        classification: table(&mut walk, &root, "classification", |walk, labels| {
            walk.table(labels, |walk, level| walk.number(level, 0..=4).map(narrow))
        }),
        actors: keyed(&mut walk, &root, "actors", actor),
        states: keyed(&mut walk, &root, "states", state),
        offences: table(&mut walk, &root, "offences", offence),
        catalogue: keyed(&mut walk, &root, "catalogue", |walk, acts| {
            walk.table(acts, |walk, months| walk.number(months, 0..=u32::MAX))
        }),
        groups: table(&mut walk, &root, "groups", |walk, group| {
            let by = walk.required(group, "designated_by").map(|by| walk.words(&by));
            by.map(|designated_by| Group { designated_by })
        }),
        purposes: {
            let list = root.key("purposes").map(|list| walk.words_in_order(&list));
            list.unwrap_or_default()
        },
        special_categories: special_categories(&mut walk, &root),
    };
    if walk.problems.is_empty() { Ok(vocabulary) } else { Err(walk.problems) }
}

/// INVARIANT: the walk has already held `level` to 0..=4.
fn narrow(level: u32) -> u8 {
    u8::try_from(level).unwrap_or(u8::MAX)
}

fn special_categories(walk: &mut Walk, root: &Node<'_>) -> BTreeSet<String> {
    let list = walk.required(root, "special_categories");
    list.map(|list| walk.words(&list)).unwrap_or_default()
}

fn table<T>(
    walk: &mut Walk,
    root: &Node<'_>,
    key: &str,
    read: impl FnMut(&mut Walk, &Node<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let node = walk.required(root, key);
    node.and_then(|node| walk.table(&node, read)).unwrap_or_default()
}

/// A table whose keys have a syntax of their own.
fn keyed<K: std::str::FromStr<Err: std::fmt::Display> + Ord, T>(
    walk: &mut Walk,
    root: &Node<'_>,
    key: &str,
    read: impl FnMut(&mut Walk, &Node<'_>) -> Option<T>,
) -> BTreeMap<K, T> {
    let mut out = BTreeMap::new();
    for (name, value) in table(walk, root, key, read) {
        match name.parse::<K>() {
            Ok(name) => {
                out.insert(name, value);
            }
            Err(error) => {
                let pointer = format!("/{key}/{}", json::escape(&name));
                walk.report(&pointer, error.to_string(), "correct the key");
            }
        }
    }
    out
}

fn actor(walk: &mut Walk, node: &Node<'_>) -> Option<Actor> {
    let state = node.key("state").and_then(|state| walk.parsed(&state));
    let party = node.key("party").and_then(|party| walk.parsed(&party));
    let kind = walk.required(node, "kind").and_then(|kind| walk.text(&kind));
    let cleared = walk.required(node, "cleared_to").and_then(|level| walk.number(&level, 0..=4));
    Some(Actor { state, party, kind: kind?, cleared_to: narrow(cleared?) })
}

fn state(walk: &mut Walk, node: &Node<'_>) -> Option<State> {
    let risk = walk.required(node, "torture_risk").and_then(|r| walk.choice(&r, &RISKS));
    let kept = walk.required(node, "death_penalty_for").map(|list| walk.words(&list));
    Some(State { torture_risk: risk?, death_penalty_for: kept? })
}

fn offence(walk: &mut Walk, node: &Node<'_>) -> Option<Offence> {
    let label = walk.required(node, "label").and_then(|label| walk.text(&label));
    let convention = walk.required(node, "convention").and_then(|flag| walk.flag(&flag));
    let source = walk.required(node, "source").and_then(|source| walk.text(&source));
    Some(Offence { label: label?, convention: convention?, source: source? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_is_reported_with_its_pointer() {
        let text = br#"{"classification":{"EU":{"SECRET":9}},"actors":{"xa.a":{"kind":1,
            "cleared_to":2},"x a":{"state":"XA","kind":"police","cleared_to":1}},
            "states":{"XA":{"torture_risk":"sometimes","death_penalty_for":[]}},
            "offences":{},"catalogue":{"XA":{"bombing":"long"}},"groups":{},
            "special_categories":[]}"#;
        let problems = parse(text).unwrap_err();
        let pointers: Vec<&str> = problems.iter().map(|p| p.pointer.as_str()).collect();
        let expected = [
            "/classification/EU/SECRET",
            "/actors/xa.a/kind",
            "/actors/x a",
            "/states/XA/torture_risk",
            "/catalogue/XA/bombing",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn a_document_that_is_no_object_or_says_a_key_twice_is_refused() {
        assert!(parse(b"[]").is_err());
        assert!(parse(br#"{"actors":{},"actors":{}}"#).is_err());
    }
}
