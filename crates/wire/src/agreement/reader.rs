//! Typed access to TOML tables that notes every problem instead of stopping at the first. Pure.

use super::Problem;
use crate::limits::PROBLEMS_MAX;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// LIMIT: most words in one list.
const LIST_MAX: usize = 10_000;

/// Problems gathered so far, and where lines begin.
pub(super) struct Reader {
    /// Where each line after the first begins.
    starts: Vec<usize>,
    problems: Vec<Problem>,
    uncounted: usize,
}

/// One table of the document.
pub(super) struct Section<'a> {
    table: &'a DeTable<'a>,
    path: String,
    /// Byte offset at which it begins.
    pub(super) at: usize,
}

impl<'a> Section<'a> {
    pub(super) fn new(table: &'a DeTable<'a>, path: String, at: usize) -> Self {
        Self { table, path, at }
    }

    /// Whether the key is written at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The full path of a key.
    pub(super) fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn value(&self, key: &str) -> Option<(usize, &'a DeValue<'a>)> {
        let value: &'a Spanned<DeValue<'a>> = self.table.get(key)?;
        Some((value.span().start, value.get_ref()))
    }
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = ends.map(|(at, _)| at.saturating_add(1)).collect();
        Self { starts, problems: Vec::new(), uncounted: 0 }
    }

    /// The line of a byte offset, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_add(1)
    }

    pub(super) fn report(&mut self, at: usize, key: &str, message: String, cure: &str) {
        if self.problems.len() >= PROBLEMS_MAX {
            self.uncounted = self.uncounted.saturating_add(1);
            return;
        }
        self.problems.push(Problem::new(self.line(at), key, message, cure));
    }

    pub(super) fn missing(&mut self, section: &Section<'_>, key: &str) {
        let cure = format!("add `{key}`");
        self.report(section.at, &section.path_of(key), "is missing".to_owned(), &cure);
    }

    /// All problems, by line.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        if self.uncounted > 0 {
            let message = format!("{} more problems are not listed", self.uncounted);
            self.problems.push(Problem::new(usize::MAX, "", message, "correct those above first"));
        }
        self.problems.sort_by_key(|problem| problem.line);
        self.problems
    }

    fn wrong_type(
        &mut self,
        section: &Section<'_>,
        key: &str,
        at: usize,
        (found, want): (&str, &str),
    ) {
        let message = format!("is {found} where {want} is required");
        self.report(at, &section.path_of(key), message, &format!("write {want}"));
    }

    fn text<'a>(&mut self, section: &Section<'a>, key: &str) -> Option<(usize, &'a str)> {
        let (at, value) = section.value(key)?;
        match value {
            DeValue::String(text) => Some((at, text.as_ref())),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => {
                self.wrong_type(section, key, at, (value.type_str(), "a text in quotes"));
                None
            }
        }
    }

    /// A text that must be there and not be empty.
    pub(super) fn required<'a>(
        &mut self,
        section: &mut Section<'a>,
        key: &str,
    ) -> Option<(usize, &'a str)> {
        if !section.has(key) {
            self.missing(section, key);
            return None;
        }
        let (at, text) = self.text(section, key)?;
        if text.trim().is_empty() {
            let path = section.path_of(key);
            self.report(at, &path, "is empty".to_owned(), "write what it is");
            return None;
        }
        Some((at, text))
    }

    /// A value with its own syntax; TOML instants count as their text.
    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
    ) -> Option<T> {
        let (at, value) = section.value(key)?;
        let text = match value {
            DeValue::Datetime(instant) => instant.to_string(),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => self.text(section, key)?.1.to_owned(),
        };
        self.parse(section, key, at, &text)
    }

    fn parse<T: FromStr<Err: Display>>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        at: usize,
        text: &str,
    ) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                let message = error.to_string();
                self.report(at, &section.path_of(key), message, "correct the value");
                None
            }
        }
    }

    pub(super) fn required_parsed<T: FromStr<Err: Display>>(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
    ) -> Option<T> {
        if !section.has(key) {
            self.missing(section, key);
        }
        self.parsed(section, key)
    }

    /// A list of texts; writing one twice is a problem.
    fn list<'a>(&mut self, section: &Section<'a>, key: &str) -> Option<Vec<(usize, &'a str)>> {
        let (at, value) = section.value(key)?;
        let Some(array) = value.as_array().filter(|array| array.len() <= LIST_MAX) else {
            self.wrong_type(section, key, at, (value.type_str(), "a list of at most 10000 texts"));
            return None;
        };
        let mut seen = BTreeSet::new();
        let mut out = Vec::with_capacity(array.len());
        for entry in array.iter() {
            let at = entry.span().start;
            match entry.get_ref().as_str() {
                Some(word) if !seen.insert(word) => {
                    let message = format!("`{word}` is listed twice");
                    self.report(at, &section.path_of(key), message, "list it once");
                }
                Some(word) => out.push((at, word)),
                None => {
                    let found = entry.get_ref().type_str();
                    self.wrong_type(section, key, at, (found, "a list of texts"));
                }
            }
        }
        Some(out)
    }

    /// A list of words of the vocabulary, none of them empty.
    pub(super) fn words(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
    ) -> Option<BTreeSet<String>> {
        let list = self.list(section, key)?;
        for (at, _) in list.iter().filter(|(_, word)| word.trim().is_empty()) {
            let path = section.path_of(key);
            self.report(*at, &path, "holds an empty word".to_owned(), "remove it");
        }
        Some(list.into_iter().map(|(_, word)| word.to_owned()).collect())
    }

    /// A list of values with their own syntax.
    pub(super) fn parsed_list<T: FromStr<Err: Display> + Ord>(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
    ) -> Option<BTreeSet<T>> {
        let list = self.list(section, key)?;
        Some(list.into_iter().filter_map(|(at, w)| self.parse(section, key, at, w)).collect())
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let (at, word) = self.text(section, key)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word) {
            return Some(*value);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let shown: String = word.chars().take(80).collect();
        let message = format!("`{shown}` is not one of {}", names.join(", "));
        self.report(at, &section.path_of(key), message, &suggestion(word, &names));
        None
    }

    pub(super) fn required_choice<T: Copy>(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
        choices: &[(&str, T)],
    ) -> Option<T> {
        if !section.has(key) {
            self.missing(section, key);
        }
        self.choice(section, key, choices)
    }

    pub(super) fn flag(&mut self, section: &mut Section<'_>, key: &str) -> Option<bool> {
        let (at, value) = section.value(key)?;
        let flag = value.as_bool();
        if flag.is_none() {
            self.wrong_type(section, key, at, (value.type_str(), "true or false"));
        }
        flag
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &mut self,
        section: &mut Section<'_>,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let (at, value) = section.value(key)?;
        let number = value
            .as_integer()
            .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok());
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            let want = format!("a whole number from {} to {}", range.start(), range.end());
            let found = match value.as_integer() {
                Some(number) => format!("`{}`", number.as_str()),
                None => value.type_str().to_owned(),
            };
            self.wrong_type(section, key, at, (&found, &want));
        }
        number
    }

    /// A table inside this one.
    pub(super) fn section<'a>(
        &mut self,
        parent: &mut Section<'a>,
        key: &str,
        required: bool,
    ) -> Option<Section<'a>> {
        let Some((at, value)) = parent.value(key) else {
            if required {
                self.missing(parent, key);
            }
            return None;
        };
        match value.as_table() {
            Some(table) => Some(Section::new(table, parent.path_of(key), at)),
            None => {
                let want = format!("a table [{}]", parent.path_of(key));
                self.wrong_type(parent, key, at, (value.type_str(), &want));
                None
            }
        }
    }

    /// A list of tables inside this one.
    pub(super) fn sections<'a>(
        &mut self,
        parent: &mut Section<'a>,
        key: &str,
        max: usize,
    ) -> Vec<Section<'a>> {
        let Some((at, value)) = parent.value(key) else { return Vec::new() };
        let want = format!("a list of at most {max} tables [[{}]]", parent.path_of(key));
        let Some(array) = value.as_array().filter(|array| array.len() <= max) else {
            self.wrong_type(parent, key, at, (value.type_str(), &want));
            return Vec::new();
        };
        let mut out = Vec::with_capacity(array.len());
        for (number, entry) in array.iter().enumerate() {
            let (at, entry) = (entry.span().start, entry.get_ref());
            match entry.as_table() {
                Some(table) => {
                    let path = format!("{}[{}]", parent.path_of(key), number.saturating_add(1));
                    out.push(Section::new(table, path, at));
                }
                None => self.wrong_type(parent, key, at, (entry.type_str(), &want)),
            }
        }
        out
    }

    /// Reports every key of the table that is not among `known`.
    pub(super) fn finish(&mut self, section: &Section<'_>, known: &[&str]) {
        for key in section.table.keys() {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let shown: String = name.chars().take(80).collect();
                let path = section.path_of(&shown);
                let cure = suggestion(name, known);
                self.report(key.span().start, &path, "is not known here".to_owned(), &cure);
            }
        }
    }
}

/// The nearest word, as advice.
pub(crate) fn suggestion(word: &str, known: &[&str]) -> String {
    let nearest = known.iter().min_by_key(|candidate| distance(word, candidate));
    match nearest.filter(|n| distance(word, n) <= word.len().max(3) / 2) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("use one of {}", known.join(", ")),
    }
}

/// Edits between two words (Levenshtein), on at most 64 characters of each.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.chars().take(64).enumerate() {
        let mut left = i.saturating_add(1);
        let mut diagonal = i;
        for (b, slot) in other.iter().zip(row.iter_mut().skip(1)) {
            let above = *slot;
            let replaced = diagonal.saturating_add(usize::from(a != *b));
            left = replaced.min(above.saturating_add(1)).min(left.saturating_add(1));
            diagonal = above;
            *slot = left;
        }
        if let Some(first) = row.first_mut() {
            *first = i.saturating_add(1);
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(suggestion("redcated", &["hit_only", "redacted"]), "did you mean `redacted`?");
        assert!(suggestion("zzzzzzzz", &["full", "redacted"]).starts_with("use one of"));
    }
}
