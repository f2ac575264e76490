//! Values in the fields of Entente's extension, by the words of a field's name. Pure.
//!
//! A field is looked at if one word of its name, or of a key below it, says what it holds: the
//! last such word counts, so that `person.document.number` is a document's number.

use super::{DEPTH_MAX, Stated, Take};
use model::value::ValueKind::{self, *};
use serde_json::Value;
use std::borrow::Cow;

/// Words of names and what they say.
const WORDS: [(&str, ValueKind); 34] = [
    ("account_number", Iban),
    ("bic_account", Iban),
    ("btc", Wallet),
    ("call_sign", CallSign),
    ("callsign", CallSign),
    ("document", Document),
    ("domain", Domain),
    ("email", Email),
    ("e_mail", Email),
    ("handle", Account),
    ("hostname", Domain),
    ("iban", Iban),
    ("id_card", Document),
    ("identity_card", Document),
    ("identifier", Account),
    ("imei", Device),
    ("imo", Imo),
    ("imsi", Device),
    ("ip", Ipv4),
    ("ip_address", Ipv4),
    ("login", Account),
    ("mac", Mac),
    ("mmsi", Mmsi),
    ("msisdn", Phone),
    ("national_id", Document),
    ("passport", Document),
    ("phone", Phone),
    ("telephone", Phone),
    ("mobile", Phone),
    ("url", Url),
    ("username", Account),
    ("user_name", Account),
    ("wallet", Wallet),
    ("website", Url),
];

/// Keys below a document that hold its number; the rest describe it.
const NUMBERS: [&str; 4] = ["number", "id", "value", "no"];

fn said(name: &str) -> Option<ValueKind> {
    let last = name.rsplit('.').next().unwrap_or(name).to_lowercase();
    let word = last.trim_end_matches('s');
    WORDS.iter().find(|(known, _)| *known == word || *known == last).map(|(_, kind)| *kind)
}

pub(super) fn of_field<'a>(name: &'a str, value: &'a Value, take: &mut Take<'_, 'a>) {
    walk((name, said(name)), value, DEPTH_MAX, take);
}

fn walk<'a>(
    (field, kind): (&'a str, Option<ValueKind>),
    value: &'a Value,
    depth: usize,
    take: &mut Take<'_, 'a>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::String(text) => {
            if let Some(kind) = kind {
                take(Stated { kind, text: Cow::Borrowed(text), field });
            }
        }
        Value::Array(items) => items.iter().for_each(|i| walk((field, kind), i, depth, take)),
        Value::Object(map) => {
            for (key, below) in map {
                let own = said(key);
                // WHY: of the parts of a document only its number names it.
                let number = NUMBERS.contains(&key.to_lowercase().as_str());
                let kind = own.or(kind.filter(|_| number));
                walk((field, kind), below, depth, take);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
