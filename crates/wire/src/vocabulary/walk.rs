//! Typed access to JSON values that notes every problem with its pointer. Pure.

use super::Problem;
use crate::agreement::suggestion;
use crate::json::escape;
use crate::limits::PROBLEMS_MAX;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// One value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) pointer: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, pointer: String::new() }
    }

    /// The member of this key; absent and null count as nothing.
    pub(crate) fn key(&self, key: &str) -> Option<Self> {
        let value = self.value.get(key).filter(|value| !value.is_null())?;
        Some(self.child(key, value))
    }

    fn child(&self, key: &str, value: &'a Value) -> Self {
        Self { value, pointer: format!("{}/{}", self.pointer, escape(key)) }
    }
}

/// Problems gathered so far.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) problems: Vec<Problem>,
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

impl Walk {
    /// LIMIT: problems beyond [`PROBLEMS_MAX`] are left out.
    pub(crate) fn report(&mut self, pointer: &str, message: String, cure: &str) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem::new(pointer, message, cure));
        }
    }

    fn expected(&mut self, node: &Node<'_>, want: &str) {
        let message = format!("is {} where {want} is required", kind(node.value));
        self.report(&node.pointer, message, &format!("write {want}"));
    }

    pub(crate) fn required<'a>(&mut self, node: &Node<'a>, key: &str) -> Option<Node<'a>> {
        let found = node.key(key);
        if found.is_none() {
            let pointer = format!("{}/{}", node.pointer, escape(key));
            self.report(&pointer, "is missing".to_owned(), &format!("add `{key}`"));
        }
        found
    }

    /// An object as a table; entries that do not read are left out and reported.
    pub(crate) fn table<T>(
        &mut self,
        node: &Node<'_>,
        mut read: impl FnMut(&mut Self, &Node<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let Some(members) = node.value.as_object() else {
            self.expected(node, "an object");
            return None;
        };
        let mut out = BTreeMap::new();
        for (key, value) in members {
            if let Some(read) = read(self, &node.child(key, value)) {
                out.insert(key.clone(), read);
            }
        }
        Some(out)
    }

    pub(crate) fn list<'a>(&mut self, node: &Node<'a>) -> Vec<Node<'a>> {
        let Some(entries) = node.value.as_array() else {
            self.expected(node, "a list");
            return Vec::new();
        };
        let numbered = entries.iter().enumerate();
        numbered.map(|(n, value)| node.child(&n.to_string(), value)).collect()
    }

    pub(crate) fn text(&mut self, node: &Node<'_>) -> Option<String> {
        if node.value.as_str().is_none() {
            self.expected(node, "a text");
        }
        node.value.as_str().map(str::to_owned)
    }

    pub(crate) fn words_in_order(&mut self, node: &Node<'_>) -> Vec<String> {
        let list = self.list(node);
        list.iter().filter_map(|entry| self.text(entry)).collect()
    }

    pub(crate) fn words(&mut self, node: &Node<'_>) -> BTreeSet<String> {
        self.words_in_order(node).into_iter().collect()
    }

    pub(crate) fn flag(&mut self, node: &Node<'_>) -> Option<bool> {
        if node.value.as_bool().is_none() {
            self.expected(node, "true or false");
        }
        node.value.as_bool()
    }

    pub(crate) fn number(&mut self, node: &Node<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let number = node.value.as_u64().and_then(|number| u32::try_from(number).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let want = format!("a whole number from {} to {}", range.start(), range.end());
            self.expected(node, &want);
        }
        number
    }

    /// A text with its own syntax.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&mut self, node: &Node<'_>) -> Option<T> {
        match self.text(node)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.report(&node.pointer, error.to_string(), "correct the value");
                None
            }
        }
    }

    pub(crate) fn parsed_list<T: FromStr<Err: Display> + Ord>(
        &mut self,
        node: &Node<'_>,
    ) -> BTreeSet<T> {
        let list = self.list(node);
        list.iter().filter_map(|entry| self.parsed(entry)).collect()
    }

    /// One of a few words.
    pub(crate) fn choice<T: Copy>(&mut self, node: &Node<'_>, choices: &[(&str, T)]) -> Option<T> {
        let word = self.text(node)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(*value);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let shown: String = word.chars().take(80).collect();
        let message = format!("`{shown}` is not one of {}", names.join(", "));
        self.report(&node.pointer, message, &suggestion(&word, &names));
        None
    }
}
