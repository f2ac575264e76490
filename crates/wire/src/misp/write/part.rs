//! The parts of an event, each from its record: what `attribute`, `object` and `galaxy` read. Pure.

use super::super::attribute::{PREFIX_FIELD, comparisons};
use super::super::members::{list, text};
use super::super::pattern;
use super::super::types::{Form, form, kind_of_paths};
use super::seal::restore;
use super::{MICROS, Row, uuid_of};
use crate::stix::WITHHELD;
use model::time::Timestamp;
use serde_json::{Map, Value, json};

/// The host of a withheld address, as `stix::withhold` writes it.
const WITHHELD_NAME: &str = "withheld.invalid";

/// Type, value and whether it is for detection.
pub(super) struct Said {
    kind: String,
    value: String,
    to_ids: bool,
}

pub(super) fn is_revoked(row: &Row<'_>) -> bool {
    row.own.get("revoked") == Some(&Value::Bool(true))
}

/// What a record says as an attribute; nothing where MISP has no form for it.
pub(super) fn attribute_value(row: &Row<'_>) -> Option<Said> {
    let said = match text(row.fields, "misp.type") {
        Some(kind) => read_before(row, &kind),
        None => other(row),
    }?;
    // INVARIANT: what was withheld is not handed out as a value to detect.
    (!said.value.contains(WITHHELD) && !said.value.contains(WITHHELD_NAME)).then_some(said)
}

/// The value of an attribute that was read from MISP.
fn read_before(row: &Row<'_>, kind: &str) -> Option<Said> {
    let value = match row.object.kind() {
        "indicator" => {
            let pattern = text(row.own, "pattern")?;
            match form(kind) {
                Form::Language(_) => pattern,
                Form::Paths(_)
                | Form::Address(_)
                | Form::System
                | Form::Vulnerability
                | Form::Account
                | Form::Person(_)
                | Form::Other => joined(row, pattern::read(&pattern)?),
            }
        }
        "observed-data" => observed(row, kind)?,
        "vulnerability" => text(row.own, "name")?,
        "x-misp-attribute" => match form(kind) {
            Form::Account => text(row.fields, "account.identifier")?,
            Form::Person(field) => text(row.fields, field)?,
            Form::Paths(_)
            | Form::Address(_)
            | Form::System
            | Form::Language(_)
            | Form::Vulnerability
            | Form::Other => text(row.own, "x_misp_value")?,
        },
        _ => return None,
    };
    let to_ids = row.fields.get("misp.to_ids") == Some(&Value::Bool(true));
    Some(Said { kind: kind.to_owned(), value, to_ids })
}

fn joined(row: &Row<'_>, comparisons: Vec<(String, String)>) -> String {
    let values: Vec<String> = comparisons.into_iter().map(|(_, value)| value).collect();
    let prefix = text(row.fields, PREFIX_FIELD).unwrap_or_default();
    format!("{prefix}{}", values.join("|"))
}

/// The values of the one observable inside, in the order of the type's paths.
fn observed(row: &Row<'_>, kind: &str) -> Option<String> {
    let observable = row.own.get("objects")?.get("0")?.as_object()?;
    let of = text(observable, "type")?;
    let address = format!("{of}:value");
    let paths: Vec<&str> = match form(kind) {
        Form::Paths(paths) => paths.to_vec(),
        Form::Address([]) => vec![address.as_str()],
        Form::System => vec!["autonomous-system:number"],
        Form::Address(_)
        | Form::Language(_)
        | Form::Vulnerability
        | Form::Account
        | Form::Person(_)
        | Form::Other => return None,
    };
    let found = paths.iter().map(|path| Some(((*path).to_owned(), at(observable, path)?)));
    found.collect::<Option<Vec<_>>>().map(|found| joined(row, found))
}

/// The value at an object path of a plain observable.
fn at(observable: &Map<String, Value>, path: &str) -> Option<String> {
    let (kind, property) = path.split_once(':')?;
    if text(observable, "type")? != kind {
        return None;
    }
    match property.split_once('.') {
        None => text(observable, property),
        Some(("hashes", algorithm)) => {
            let hashes = observable.get("hashes")?.as_object()?;
            text(hashes, &algorithm.replace('\'', ""))
        }
        Some(_) => None,
    }
}

/// STIX that never was in MISP, where it says what an attribute can say.
fn other(row: &Row<'_>) -> Option<Said> {
    let said =
        |kind: &str, value: String, to_ids| Some(Said { kind: kind.to_owned(), value, to_ids });
    match row.object.kind() {
        "indicator" => {
            let pattern = text(row.own, "pattern")?;
            match text(row.own, "pattern_type").as_deref() {
                Some(kind @ ("yara" | "sigma" | "snort" | "suricata")) => said(kind, pattern, true),
                Some("stix") => {
                    let (kind, value) = simple(&pattern).unwrap_or(("stix2-pattern", pattern));
                    said(kind, value, true)
                }
                Some(_) | None => None,
            }
        }
        "vulnerability" => said("vulnerability", text(row.own, "name")?, false),
        "ipv4-addr" | "ipv6-addr" => said("ip-dst", text(row.own, "value")?, false),
        kind @ ("domain-name" | "url" | "email-addr" | "mac-addr") => {
            let kind = kind_of_paths(&[&format!("{kind}:value")])?;
            said(kind, text(row.own, "value")?, false)
        }
        _ => None,
    }
}

/// A pattern that says exactly one value of one type.
fn simple(text: &str) -> Option<(&'static str, String)> {
    let read = pattern::read(text)?;
    let paths: Vec<&str> = read.iter().map(|(path, _)| path.as_str()).collect();
    let kind = match paths.as_slice() {
        ["ipv4-addr:value" | "ipv6-addr:value"] => "ip-dst",
        paths => kind_of_paths(paths)?,
    };
    let values: Vec<&str> = read.iter().map(|(_, value)| value.as_str()).collect();
    let value = values.join("|");
    // INVARIANT: reading the attribute gives the same comparisons.
    (comparisons(kind, &value).as_ref() == Some(&read)).then_some((kind, value))
}

/// The usual category of a type that came without one.
fn category(kind: &str) -> &'static str {
    match kind {
        "vulnerability" | "yara" | "sigma" => "Payload installation",
        "stix2-pattern" => "External analysis",
        _ if kind.contains("md5") || kind.contains("sha") || kind.contains("filename") => {
            "Payload delivery"
        }
        _ => "Network activity",
    }
}

pub(super) fn attribute(row: &Row<'_>) -> Option<Map<String, Value>> {
    let said = attribute_value(row)?;
    let stated = text(row.fields, "misp.category");
    let category = stated.unwrap_or_else(|| category(&said.kind).to_owned());
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
    put("uuid", json!(row.uuid()));
    put("type", json!(said.kind));
    if row.fields.contains_key("misp.category") || !row.fields.contains_key("misp.type") {
        put("category", json!(category));
    }
    put("to_ids", json!(said.to_ids));
    put("value", json!(said.value));
    put("timestamp", json!(row.seconds()));
    let comment = text(row.fields, "misp.comment").or_else(|| text(row.own, "description"));
    if let Some(comment) = comment {
        put("comment", json!(comment));
    }
    if is_revoked(row) {
        put("deleted", json!(true));
    }
    restore(row, &mut map, &["type", "category", "to_ids", "comment", "value_prefix", "Galaxy"]);
    Some(map)
}

pub(super) fn object(row: &Row<'_>) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("uuid".to_owned(), json!(row.uuid()));
    map.insert("timestamp".to_owned(), json!(row.seconds()));
    if is_revoked(row) {
        map.insert("deleted".to_owned(), json!(true));
    }
    restore(row, &mut map, &["attributes"]);
    let mut attributes = Vec::new();
    for kept in list(row.fields, "misp.attributes").iter().filter_map(Value::as_object) {
        // WHY: a row whose value was withheld says nothing without it.
        let Some(value) = value_at(row, kept) else { continue };
        let mut attribute = kept.clone();
        attribute.remove("at");
        if row.distribution == super::Distribution::Organisation {
            attribute.remove("SharingGroup");
            attribute.remove("sharing_group_id");
            attribute.insert("distribution".to_owned(), json!("5"));
        }
        attribute.insert("value".to_owned(), json!(value));
        attributes.push(Value::Object(attribute));
    }
    super::push(&mut map, "Attribute", attributes);
    map
}

fn value_at<'a>(row: &Row<'a>, kept: &Map<String, Value>) -> Option<&'a str> {
    let at = kept.get("at")?.as_array()?;
    let name = at.first()?.as_str()?;
    let index = usize::try_from(at.get(1)?.as_u64()?).ok()?;
    let value = row.fields.get(name)?.as_array()?.get(index)?.as_str()?;
    (!value.contains(WITHHELD)).then_some(value)
}

pub(super) fn event_report(row: &Row<'_>) -> Map<String, Value> {
    let mut map = Map::new();
    let name = text(row.own, "abstract").unwrap_or_default();
    let content = text(row.own, "content").unwrap_or_default();
    map.insert("uuid".to_owned(), json!(row.uuid()));
    map.insert("name".to_owned(), json!(name));
    map.insert("content".to_owned(), json!(content));
    map.insert("timestamp".to_owned(), json!(row.seconds()));
    if is_revoked(row) {
        map.insert("deleted".to_owned(), json!(true));
    }
    restore(row, &mut map, &["event_report", "sighting"]);
    map
}

/// What a sighting, or an opinion or note that is one, is of.
pub(super) fn sighted<'a>(row: &Row<'a>) -> Option<&'a str> {
    let of = match row.object.kind() {
        "sighting" => row.own.get("sighting_of_ref")?,
        "opinion" | "note" => row.own.get("object_refs")?.get(0)?,
        _ => return None,
    };
    of.as_str()
}

pub(super) fn sighting(row: &Row<'_>) -> Option<Map<String, Value>> {
    let mut map = Map::new();
    map.insert("uuid".to_owned(), json!(row.uuid()));
    let seen = text(row.own, "first_seen").and_then(|seen| seen.parse::<Timestamp>().ok());
    let at = seen.or_else(|| row.object.modified())?.micros().div_euclid(MICROS);
    map.insert("date_sighting".to_owned(), json!(at.to_string()));
    let kind = row.fields.get("misp.sighting")?;
    map.insert("type".to_owned(), json!(kind.to_string()));
    restore(row, &mut map, &["sighting"]);
    Some(map)
}

pub(super) fn reference(row: &Row<'_>, source: &str) -> Map<String, Value> {
    let mut map = Map::new();
    let mut put = |key: &str, value: Value| map.insert(key.to_owned(), value);
    let target = text(row.own, "target_ref").unwrap_or_default();
    let whole = target.starts_with("x-misp-object--") || target.starts_with("identity--");
    put("uuid", json!(row.uuid()));
    put("object_uuid", json!(uuid_of(source)));
    put("referenced_uuid", json!(uuid_of(&target)));
    put("referenced_type", json!(if whole { "1" } else { "0" }));
    put("relationship_type", json!(text(row.own, "relationship_type")));
    put("timestamp", json!(row.seconds()));
    if let Some(comment) = text(row.own, "description") {
        put("comment", json!(comment));
    }
    if is_revoked(row) {
        put("deleted", json!(true));
    }
    restore(row, &mut map, &["object_reference"]);
    map
}

pub(super) fn cluster(row: &Row<'_>) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("uuid".to_owned(), json!(row.uuid()));
    map.insert("value".to_owned(), json!(text(row.own, "name")));
    if let Some(description) = text(row.own, "description") {
        map.insert("description".to_owned(), json!(description));
    }
    restore(row, &mut map, &[]);
    map
}
