//! One attribute of an event as one record: an indicator where it is for detection and can be said
//! as a pattern, observed data where it can be seen, else `x-misp-attribute`. Pure.
//!
//! WHY observed data holds its observables inside: an observable's id is its content, so that two
//! events with two audiences would be two markings of one record.

use super::draft::{Draft, part_id};
use super::event::{Fault, Frame};
use super::members::{flag, seconds, text, uuid};
use super::pattern;
use super::tags::{self, Seal};
use super::types::{Form, form};
use model::time::Timestamp;
use serde_json::{Map, Value, json};

/// Members an attribute's record says in a place of their own.
const SAID: &[&str] = &[
    "uuid",
    "type",
    "category",
    "value",
    "value1",
    "value2",
    "to_ids",
    "timestamp",
    "comment",
    "deleted",
    "Tag",
    "AttributeTag",
    "Galaxy",
    "Sighting",
];
/// The member that keeps what a number in a system was written with.
pub(super) const PREFIX_FIELD: &str = "misp.value_prefix";
/// The subject of a statement about a person nobody described.
pub(super) const SUBJECT_UNKNOWN: &str = "unknown";

/// The forms an attribute can take.
enum Said {
    Indicator { pattern: String, language: &'static str },
    Observed(Value),
    Vulnerability,
    Kept,
}

/// The value, also where it comes in two halves.
pub(super) fn value(map: &Map<String, Value>) -> Option<String> {
    if let Some(value) = text(map, "value") {
        return Some(value);
    }
    let first = text(map, "value1")?;
    Some(match text(map, "value2") {
        Some(second) => format!("{first}|{second}"),
        None => first,
    })
}

/// Object paths and literals of a value; nothing where the parts do not fit the type.
pub(super) fn comparisons(kind: &str, value: &str) -> Option<Vec<(String, String)>> {
    let (paths, address): (&[&str], bool) = match form(kind) {
        Form::Paths(paths) => (paths, false),
        Form::Address(after) => (after, true),
        Form::System => {
            let number = value.trim_start_matches(['A', 'S', 'a', 's']);
            return pattern::is_number(number)
                .then(|| vec![("autonomous-system:number".to_owned(), number.to_owned())]);
        }
        Form::Language(_) | Form::Vulnerability | Form::Account | Form::Person(_) | Form::Other => {
            return None;
        }
    };
    let wanted = paths.len().saturating_add(usize::from(address));
    let parts: Vec<&str> = value.splitn(wanted, '|').collect();
    if parts.len() != wanted || parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let first = match parts.first() {
        Some(part) if address && part.contains(':') => Some("ipv6-addr:value"),
        Some(_) if address => Some("ipv4-addr:value"),
        Some(_) | None => None,
    };
    let all = first.into_iter().chain(paths.iter().copied());
    Some(all.zip(parts).map(|(path, part)| (path.to_owned(), part.to_owned())).collect())
}

fn said(kind: &str, value: &str, to_ids: bool) -> Said {
    if form(kind) == Form::Vulnerability {
        return Said::Vulnerability;
    }
    if let (Form::Language(language), true) = (form(kind), to_ids) {
        return Said::Indicator { pattern: value.to_owned(), language };
    }
    let Some(comparisons) = comparisons(kind, value) else { return Said::Kept };
    if to_ids {
        let pairs = comparisons.iter().map(|(path, value)| (path.as_str(), value.as_str()));
        let mut pattern = pattern::write(pairs);
        if form(kind) == Form::System {
            pattern = pattern.replace('\'', "");
        }
        // INVARIANT: a pattern says exactly the value, or the value is kept as it is.
        if pattern::read(&pattern).as_ref() != Some(&comparisons) {
            return Said::Kept;
        }
        return Said::Indicator { pattern, language: "stix" };
    }
    observable(&comparisons).map_or(Said::Kept, Said::Observed)
}

/// One observable of comparisons that all speak of the same plain object.
fn observable(comparisons: &[(String, String)]) -> Option<Value> {
    let mut object = Map::new();
    for (path, value) in comparisons {
        let (kind, property) = path.split_once(':')?;
        let known = object.entry("type").or_insert_with(|| json!(kind));
        if known.as_str() != Some(kind) || property.contains(['[', '*']) {
            return None;
        }
        match property.split_once('.') {
            None if property == "number" => {
                object.insert(property.to_owned(), json!(value.parse::<u32>().ok()?));
            }
            None => {
                object.insert(property.to_owned(), json!(value));
            }
            Some(("hashes", algorithm)) => {
                let hashes = object.entry("hashes").or_insert_with(|| json!({}));
                hashes.as_object_mut()?.insert(algorithm.replace('\'', ""), json!(value));
            }
            Some(_) => return None,
        }
    }
    let plain = [
        "autonomous-system",
        "domain-name",
        "email-addr",
        "file",
        "ipv4-addr",
        "ipv6-addr",
        "mac-addr",
        "mutex",
        "url",
        "windows-registry-key",
        "x509-certificate",
    ];
    plain.contains(&object.get("type")?.as_str()?).then_some(Value::Object(object))
}

/// The identifier an attribute's record will have.
pub(super) fn record_id(map: &Map<String, Value>, event: &str) -> String {
    let kind = text(map, "type").unwrap_or_default();
    let said = value(map).map(|value| said(&kind, &value, flag(map, "to_ids")));
    let kind = match said {
        Some(Said::Indicator { .. }) => "indicator",
        Some(Said::Observed(_)) => "observed-data",
        Some(Said::Vulnerability) => "vulnerability",
        Some(Said::Kept) | None => "x-misp-attribute",
    };
    part_id(kind, map, event)
}

/// The attribute as a draft with its seal.
pub(super) fn convert(map: &Map<String, Value>, frame: &Frame<'_>) -> Result<(Draft, Seal), Fault> {
    let kind = text(map, "type")
        .ok_or_else(|| Fault::new("/type", "the attribute has no type", "state its MISP type"))?;
    let value = value(map)
        .ok_or_else(|| Fault::new("/value", "the attribute has no value", "state its value"))?;
    check_uuid(map)?;
    let modified = seconds(map, "timestamp").unwrap_or(frame.modified);
    let mut draft = Draft::new(record_id(map, &frame.event), frame.created, modified);
    let tags = tags::read(map);
    let own = Seal { reach: frame.audiences.reach(map), ..tags.seal.clone() };
    let seal = frame.seal.and(&own);
    draft.concealed = seal.reach.is_nobody() && !frame.seal.reach.is_nobody();
    draft.tags(tags);
    if flag(map, "deleted") {
        draft.own("revoked", json!(true));
    }
    let comment = text(map, "comment");
    match said(&kind, &value, flag(map, "to_ids")) {
        Said::Indicator { pattern, language } => {
            let from = instant(map, "first_seen").unwrap_or(modified);
            draft.own("pattern", json!(pattern));
            draft.own("pattern_type", json!(language));
            draft.own("valid_from", json!(from.to_string()));
            describe(&mut draft, comment);
            system_prefix(&mut draft, &kind, &value);
        }
        Said::Observed(observable) => {
            let from = instant(map, "first_seen").unwrap_or(modified);
            let until = instant(map, "last_seen").unwrap_or(from).max(from);
            draft.own("first_observed", json!(from.to_string()));
            draft.own("last_observed", json!(until.to_string()));
            draft.own("number_observed", json!(1));
            draft.own("objects", json!({ "0": observable }));
            if let Some(comment) = comment {
                draft.field("misp.comment", json!(comment));
            }
            system_prefix(&mut draft, &kind, &value);
        }
        Said::Vulnerability => {
            draft.own("name", json!(value));
            describe(&mut draft, comment);
        }
        Said::Kept => {
            kept(&mut draft, &kind, value);
            describe(&mut draft, comment);
        }
    }
    draft.field("misp.type", json!(kind));
    if let Some(category) = text(map, "category") {
        draft.field("misp.category", json!(category));
    }
    draft.field("misp.to_ids", json!(flag(map, "to_ids")));
    draft.keep(map, SAID);
    Ok((draft, seal))
}

fn describe(draft: &mut Draft, comment: Option<String>) {
    if let Some(comment) = comment {
        draft.own("description", json!(comment));
    }
}

fn system_prefix(draft: &mut Draft, kind: &str, value: &str) {
    if form(kind) == Form::System {
        let number = value.trim_start_matches(['A', 'S', 'a', 's']);
        let prefix = value.strip_suffix(number).unwrap_or_default();
        if !prefix.is_empty() {
            draft.field(PREFIX_FIELD, json!(prefix));
        }
    }
}

/// A value STIX has no place for: in the field the rules know it by.
fn kept(draft: &mut Draft, kind: &str, value: String) {
    match form(kind) {
        Form::Account => {
            draft.record_type = Some("account");
            draft.field("account.identifier", json!(value));
            draft.field("account.type", json!(kind));
        }
        Form::Person(field) => {
            draft.record_type = Some(model::record::KIND_PERSON);
            draft.subject = Some(SUBJECT_UNKNOWN);
            draft.field(field, json!(value));
        }
        Form::Paths(_)
        | Form::Address(_)
        | Form::System
        | Form::Language(_)
        | Form::Vulnerability
        | Form::Other => draft.own("x_misp_value", json!(value)),
    }
}

/// INVARIANT: a stated UUID is one, or the part is refused: it would come back as another record.
pub(super) fn check_uuid(map: &Map<String, Value>) -> Result<(), Fault> {
    match map.get("uuid").filter(|value| !value.is_null()) {
        None => Ok(()),
        Some(Value::String(text)) if uuid(text).is_some() => Ok(()),
        Some(other) => {
            let shown: String = other.to_string().chars().take(60).collect();
            let reason = format!("`{shown}` is not a UUID");
            Err(Fault::new("/uuid", &reason, "take the UUID MISP gave it, or leave it out"))
        }
    }
}

/// An instant MISP writes with any offset.
pub(super) fn instant(map: &Map<String, Value>, key: &str) -> Option<Timestamp> {
    text(map, key)?.parse().ok()
}
