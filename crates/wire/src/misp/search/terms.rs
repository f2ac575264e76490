//! The words of one filter: any of these, all of those, none of the others. Pure.

use super::{SearchProblem, VALUES_MAX, wrong};
use serde_json::Value;

/// The words of a filter, in lower case; `%` at an end stands for anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Terms {
    any: Vec<String>,
    all: Vec<String>,
    none: Vec<String>,
}

impl Terms {
    /// Reads a word, a list of words (`!` before one excludes it), or `{"OR", "AND", "NOT"}`;
    /// `split` separates words within one.
    pub(super) fn read(
        name: &str,
        value: &Value,
        split: Option<char>,
    ) -> Result<Self, SearchProblem> {
        let mut terms = Self::default();
        if let Value::Object(parts) = value {
            for (part, words) in parts {
                let words = words_of(name, words, None)?;
                match part.to_ascii_uppercase().as_str() {
                    "OR" => terms.any.extend(words),
                    "AND" => terms.all.extend(words),
                    "NOT" => terms.none.extend(words),
                    _ => return Err(wrong(name, "an object with other members than OR, AND, NOT")),
                }
            }
        } else {
            for word in words_of(name, value, split)? {
                match word.strip_prefix('!') {
                    Some(word) => terms.none.push(word.to_owned()),
                    None => terms.any.push(word),
                }
            }
        }
        let count = terms.any.len().saturating_add(terms.all.len());
        match count.saturating_add(terms.none.len()) {
            0 => Err(wrong(name, "without a word in it")),
            VALUES_MAX.. => Err(wrong(name, "10000 values or more")),
            _ => Ok(terms),
        }
    }

    /// Whether something with these texts is meant.
    pub(super) fn takes(&self, texts: &[String]) -> bool {
        let texts: Vec<String> = texts.iter().map(|text| text.to_lowercase()).collect();
        let has = |word: &String| texts.iter().any(|text| fits(word, text));
        (self.any.is_empty() || self.any.iter().any(has))
            && self.all.iter().all(has)
            && !self.none.iter().any(has)
    }
}

fn words_of(name: &str, value: &Value, split: Option<char>) -> Result<Vec<String>, SearchProblem> {
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut words = Vec::new();
    for one in all {
        let word = match one {
            Value::String(word) => word.to_lowercase(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
                return Err(wrong(name, "a value that is no text"));
            }
        };
        match split {
            Some(split) => words.extend(word.split(split).map(str::to_owned)),
            None => words.push(word),
        }
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

fn fits(word: &str, text: &str) -> bool {
    match (word.strip_prefix('%'), word.strip_suffix('%')) {
        (Some(_), Some(_)) => text.contains(word.trim_matches('%')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => text == word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_are_any_all_or_none() {
        let read = |value: Value| Terms::read("tags", &value, Some('|')).unwrap();
        let has = |texts: &[&str], terms: &Terms| {
            terms.takes(&texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>())
        };
        let pull = read(json!("tlp:green|TLP:amber|!noforn"));
        assert!(has(&["tlp:amber"], &pull) && has(&["x", "TLP:GREEN"], &pull));
        assert!(!has(&["tlp:amber", "noforn"], &pull) && !has(&["tlp:red"], &pull));
        assert!(!has(&[], &pull));
        let complex = read(json!({"AND": ["a", "b%"], "NOT": ["%c%"]}));
        assert!(has(&["a", "bee"], &complex));
        assert!(!has(&["a"], &complex) && !has(&["a", "b", "xcx"], &complex));
        for bad in [json!([]), json!(""), json!({"XOR": ["a"]}), json!([true]), json!([["a"]])] {
            assert!(Terms::read("tags", &bad, None).is_err(), "{bad}");
        }
    }
}
