//! Members of MISP's JSON, which writes numbers and flags as texts and as themselves. Pure.

use model::time::Timestamp;
use serde_json::{Map, Value};

/// The first second MISP's `timestamp` may name, for what states no time at all.
const EPOCH_MICROS: i64 = 0;

/// A text or number member as text; nothing for other forms and for the empty text.
pub(super) fn text(map: &Map<String, Value>, key: &str) -> Option<String> {
    match map.get(key)? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A whole number, written as one or as a text.
pub(super) fn whole(map: &Map<String, Value>, key: &str) -> Option<i64> {
    text(map, key)?.trim().parse().ok()
}

/// A flag, written as true, 1, "1" or "true".
pub(super) fn flag(map: &Map<String, Value>, key: &str) -> bool {
    match map.get(key) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_i64() == Some(1),
        Some(Value::String(text)) => text == "1" || text.eq_ignore_ascii_case("true"),
        Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => false,
    }
}

/// A list member; MISP leaves empty ones out.
pub(super) fn list<'a>(map: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    map.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// A UUID of any version, in lower case.
pub(super) fn uuid(text: &str) -> Option<String> {
    let form = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let good = text.len() == 36 && text.bytes().enumerate().all(form);
    good.then(|| text.to_ascii_lowercase())
}

/// An instant MISP writes as seconds since 1970.
pub(super) fn seconds(map: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    let seconds = whole(map, key)?;
    Timestamp::from_micros(seconds.checked_mul(1_000_000)?).ok()
}

/// A day such as 2026-03-01, at its beginning.
pub(super) fn day(map: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    let text = text(map, key)?;
    let day = text.get(..10)?;
    format!("{day}T00:00:00Z").parse().ok()
}

/// The beginning of 1970.
pub(super) fn epoch() -> Option<Timestamp> {
    Timestamp::from_micros(EPOCH_MICROS).ok()
}

/// Whether a member says nothing: null, an empty text, list or object.
pub(super) fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The first characters of a text, for messages.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}
