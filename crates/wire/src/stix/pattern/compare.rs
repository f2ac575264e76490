//! Compares a value of an observation with a constant. Pure.
//!
//! SOURCE: STIX 2.1 sections 9.2 and 9.6. Values of types that cannot be compared are unequal and
//! have no order; numbers compare exactly, whole or not.

use super::address::Network;
use super::compile::Ask;
use super::path::Found;
use super::syntax::{Constant, Order};
use model::time::Timestamp;
use serde_json::{Number, Value};
use std::cmp::Ordering;
use unicode_normalization::UnicodeNormalization;

/// Whether a value answers what is asked; `NOT` turns the answer of values that can be compared.
pub(super) fn answers(found: &Found<'_>, ask: &Ask, negated: bool) -> bool {
    match ask {
        Ask::Equal(constant) => equal(found, constant) != negated,
        Ask::NotEqual(constant) => equal(found, constant) == negated,
        Ask::In(set) => set.iter().any(|constant| equal(found, constant)) != negated,
        Ask::Order(order, constant) => match compare(found, constant) {
            Compared::Never => false,
            Compared::Unsuitable => negated,
            Compared::Ordered(ordering) => holds(*order, ordering) != negated,
        },
        Ask::Like(like) => is_like(found, like) != negated,
        Ask::Matches(expression) => {
            let matched = match found {
                Found::Json(Value::String(text)) => expression.in_text(text),
                Found::Bytes(bytes) => expression.in_bytes(bytes),
                Found::Json(_) | Found::Objects(_) => false,
            };
            matched != negated
        }
        Ask::IsSubset(network) => {
            let inside = network_of(found).is_some_and(|found| found.within(*network));
            inside != negated
        }
        Ask::IsSuperset(network) => {
            let around = network_of(found).is_some_and(|found| network.within(found));
            around != negated
        }
        Ask::Exists => true,
    }
}

fn network_of(found: &Found<'_>) -> Option<Network> {
    match found {
        Found::Json(Value::String(text)) => Network::parse(text),
        Found::Json(_) | Found::Objects(_) | Found::Bytes(_) => None,
    }
}

fn holds(order: Order, ordering: Ordering) -> bool {
    match order {
        Order::Less => ordering.is_lt(),
        Order::LessOrEqual => ordering.is_le(),
        Order::Greater => ordering.is_gt(),
        Order::GreaterOrEqual => ordering.is_ge(),
    }
}

/// The order of a value and a constant.
enum Compared {
    /// Their types have no order.
    Never,
    /// The text has letters that no byte is.
    Unsuitable,
    Ordered(Ordering),
}

fn equal(found: &Found<'_>, constant: &Constant) -> bool {
    if let (Found::Json(Value::Bool(value)), Constant::Flag(flag)) = (found, constant) {
        return value == flag;
    }
    matches!(compare(found, constant), Compared::Ordered(Ordering::Equal))
}

fn compare(found: &Found<'_>, constant: &Constant) -> Compared {
    let ordered = |ordering: Option<Ordering>| ordering.map_or(Compared::Never, Compared::Ordered);
    match (found, constant) {
        (Found::Json(Value::Number(value)), Constant::Whole(_) | Constant::Fraction(_)) => {
            ordered(numbers(value, constant))
        }
        (Found::Json(Value::String(value)), Constant::Text(text)) => {
            Compared::Ordered(value.as_str().cmp(text))
        }
        (Found::Json(Value::String(value)), Constant::Time(_, Some(at))) => {
            ordered(time(value).map(|value| value.cmp(at)))
        }
        (Found::Json(Value::String(value)), Constant::Bytes(bytes)) => {
            latin(value).map_or(Compared::Unsuitable, |value| Compared::Ordered(value.cmp(bytes)))
        }
        (Found::Bytes(value), Constant::Bytes(bytes)) => Compared::Ordered(value.cmp(bytes)),
        (Found::Bytes(value), Constant::Text(text)) => {
            latin(text).map_or(Compared::Unsuitable, |text| Compared::Ordered(value.cmp(&text)))
        }
        (Found::Json(_) | Found::Objects(_) | Found::Bytes(_), _) => Compared::Never,
    }
}

fn time(text: &str) -> Option<Timestamp> {
    super::super::check::instant(text)
}

/// The bytes of a text whose letters all are bytes.
fn latin(text: &str) -> Option<Vec<u8>> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

fn numbers(value: &Number, constant: &Constant) -> Option<Ordering> {
    let whole = value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from));
    match (whole, constant) {
        (Some(value), Constant::Whole(number)) => Some(value.cmp(number)),
        (Some(value), Constant::Fraction(number)) => mixed(value, *number),
        (None, Constant::Whole(number)) => mixed(*number, value.as_f64()?).map(Ordering::reverse),
        (None, Constant::Fraction(number)) => value.as_f64()?.partial_cmp(number),
        (_, Constant::Flag(_) | Constant::Text(_) | Constant::Bytes(_) | Constant::Time(..)) => {
            None
        }
    }
}

/// A whole number against a fraction, exactly.
fn mixed(whole: i128, fraction: f64) -> Option<Ordering> {
    /// 2 to the power of 120: beyond it no whole number of a document lies.
    const BEYOND: f64 = 1.329_227_995_784_916e36;
    if fraction.is_nan() {
        return None;
    }
    if fraction.abs() >= BEYOND {
        return Some(if fraction > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let floor = fraction.floor();
    // In range by the test above, and whole by `floor`.
    let part = floor as i128;
    Some(whole.cmp(&part).then(if fraction > floor { Ordering::Less } else { Ordering::Equal }))
}

/// A `LIKE` pattern, in letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Like {
    parts: Vec<Part>,
    /// Whether every letter of it could be a byte.
    narrow: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    One(char),
    Any,
    Many,
}

impl Like {
    pub(super) fn new(text: &str) -> Self {
        let part = |letter| match letter {
            '%' => Part::Many,
            '_' => Part::Any,
            other => Part::One(other),
        };
        let narrow = text.chars().all(|letter| u32::from(letter) < 256);
        Self { parts: text.nfc().map(part).collect(), narrow }
    }

    /// Cost: the two lengths multiplied, at most.
    fn fits(&self, text: &str) -> bool {
        let text: Vec<char> = text.nfc().collect();
        let (mut at, mut part) = (0_usize, 0_usize);
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            match (self.parts.get(part), text.get(at)) {
                (Some(Part::Many), _) => {
                    retry = Some((part, at));
                    part = part.saturating_add(1);
                    continue;
                }
                (Some(Part::Any), Some(_)) => {}
                (Some(Part::One(wanted)), Some(letter)) if wanted == letter => {}
                _ => {
                    let Some((many, from)) = retry else { return false };
                    let from = from.saturating_add(1);
                    retry = Some((many, from));
                    (part, at) = (many.saturating_add(1), from);
                    continue;
                }
            }
            part = part.saturating_add(1);
            at = at.saturating_add(1);
        }
        self.parts.iter().skip(part).all(|part| *part == Part::Many)
    }
}

fn is_like(found: &Found<'_>, like: &Like) -> bool {
    match found {
        Found::Json(Value::String(text)) => like.fits(text),
        Found::Bytes(bytes) if like.narrow => {
            std::str::from_utf8(bytes).is_ok_and(|text| like.fits(text))
        }
        Found::Json(_) | Found::Objects(_) | Found::Bytes(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_and_numbers_are_exact() {
        let like = |pattern: &str, text: &str| Like::new(pattern).fits(text);
        assert!(like("%a_c%", "xxabcxx") && like("", "") && like("%%", "") && like("_", "é"));
        assert!(!like("a", "ab") && !like("_", "") && !like("a%b", "ac") && like("a%b", "acbb"));
        assert!(like("%\n%", "a\nb") && !like("A", "a"));
        assert_eq!(mixed(9_007_199_254_740_993, 9_007_199_254_740_992.0), Some(Ordering::Greater));
        assert_eq!(mixed(1, 1.5), Some(Ordering::Less));
        assert_eq!(mixed(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(mixed(5, f64::INFINITY), Some(Ordering::Less));
    }
}
