//! The values of one object by which records correlate: kind, text as written, and place. Pure.
//!
//! Which property holds which kind is the table here and in `paths`; how values are compared is
//! `matching`'s affair. SOURCE: STIX 2.1 sections 6 (observables), 9 (patterns), 10.2 (hashes).

mod fields;
mod paths;
mod pattern;

use super::extension::EXTENSION_ID;
use super::object::StixObject;
use model::value::ValueKind;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// LIMIT: values taken from one object; a record with more is a list, not a lead.
pub const VALUES_MAX: usize = 1_000;
/// LIMIT: depth below which nothing is looked for.
const DEPTH_MAX: usize = 12;

/// A value as an object states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated<'a> {
    /// What it is said to be.
    pub kind: ValueKind,
    /// As it is written, escapes undone.
    pub text: Cow<'a, str>,
    /// The top-level property, or the field of Entente's extension, that holds it.
    pub field: &'a str,
}

impl StixObject {
    /// Visits the values this object states. The same value may come twice. Cost: one pass over the
    /// parsed object; a type that holds none costs nothing.
    pub fn values<'a>(&'a self, visit: &mut dyn FnMut(Stated<'a>)) {
        let Value::Object(map) = self.value() else { return };
        let mut left = VALUES_MAX;
        let mut counted = |stated: Stated<'a>| {
            if left > 0 {
                left = left.saturating_sub(1);
                visit(stated);
            }
        };
        of_object(self.kind(), map, &mut counted);
        let own = map.get("extensions").and_then(|all| all.get(EXTENSION_ID));
        let fields = own.and_then(|own| own.get("fields")).and_then(Value::as_object);
        for (name, value) in fields.into_iter().flatten() {
            fields::of_field(name, value, &mut counted);
        }
    }
}

/// Takes each value as it is found.
type Take<'t, 'a> = dyn FnMut(Stated<'a>) + 't;

fn of_object<'a>(kind: &str, map: &'a Map<String, Value>, take: &mut Take<'_, 'a>) {
    match kind {
        "indicator" => indicator(map, take),
        "observed-data" => {
            let objects = map.get("objects").and_then(Value::as_object);
            for object in objects.into_iter().flat_map(|all| all.values()) {
                let Some(object) = object.as_object() else { continue };
                let kind = object.get("type").and_then(Value::as_str).unwrap_or_default();
                observable(kind, object, &mut |stated| take(Stated { field: "objects", ..stated }));
            }
        }
        "vulnerability" => {
            text(map, "name", ValueKind::Cve, take);
            for reference in
                map.get("external_references").and_then(Value::as_array).into_iter().flatten()
            {
                let id = reference.get("external_id").and_then(Value::as_str);
                if let Some(text) = id.filter(|id| id.starts_with("CVE-")) {
                    let field = "external_references";
                    take(Stated { kind: ValueKind::Cve, text: Cow::Borrowed(text), field });
                }
            }
        }
        other => observable(other, map, take),
    }
}

fn indicator<'a>(map: &'a Map<String, Value>, take: &mut Take<'_, 'a>) {
    // WHY: without the property the object is of STIX 2.0, which knows one language.
    let language = map.get("pattern_type").and_then(Value::as_str).unwrap_or("stix");
    let Some(source) = map.get("pattern").and_then(Value::as_str) else { return };
    if language == "stix" {
        pattern::comparisons(source, &mut |object, path, text| {
            if let Some(kind) = paths::kind_of(object, path) {
                take(Stated { kind, text, field: "pattern" });
            }
        });
    }
}

/// Observables: each row of the table that fits the type, wherever its path leads.
fn observable<'a>(kind: &str, map: &'a Map<String, Value>, take: &mut Take<'_, 'a>) {
    for row in paths::rows(kind) {
        if let Some((property, value)) = map.get_key_value(row.property) {
            below(value, row.rest, DEPTH_MAX, &mut |text| {
                take(Stated { kind: row.kind, text, field: property });
            });
        }
    }
    for (holder, value) in map {
        match (holder.as_str(), value) {
            ("hashes", Value::Object(all)) => hashes(kind, holder, all, take),
            ("extensions", Value::Object(all)) => {
                for extension in all.values() {
                    nested(kind, holder, extension, DEPTH_MAX, take);
                }
            }
            _ => {}
        }
    }
}

/// Hashes of parts of a file: sections of a program, streams.
fn nested<'a>(
    kind: &str,
    holder: &'a str,
    value: &'a Value,
    depth: usize,
    take: &mut Take<'_, 'a>,
) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Array(items) => {
            items.iter().for_each(|item| nested(kind, holder, item, depth, take));
        }
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), value) {
                    (key, Value::Object(all)) if key.ends_with("hashes") => {
                        hashes(kind, holder, all, take);
                    }
                    ("imphash", Value::String(text)) => {
                        let text = Cow::Borrowed(text.as_str());
                        take(Stated { kind: ValueKind::Md5, text, field: holder });
                    }
                    (_, below) => nested(kind, holder, below, depth, take),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn hashes<'a>(kind: &str, field: &'a str, all: &'a Map<String, Value>, take: &mut Take<'_, 'a>) {
    for (algorithm, value) in all {
        let found = paths::hash_kind(algorithm).map(|hash| paths::of_certificate(kind, hash));
        if let (Some(kind), Some(text)) = (found, value.as_str()) {
            take(Stated { kind, text: Cow::Borrowed(text), field });
        }
    }
}

fn text<'a>(map: &'a Map<String, Value>, key: &str, kind: ValueKind, take: &mut Take<'_, 'a>) {
    if let Some((field, Value::String(text))) = map.get_key_value(key) {
        take(Stated { kind, text: Cow::Borrowed(text), field });
    }
}

/// Texts and numbers at a path below a value; lists are gone through.
fn below<'a>(value: &'a Value, path: &[&str], depth: usize, visit: &mut dyn FnMut(Cow<'a, str>)) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match (value, path.split_first()) {
        (Value::Array(items), _) => {
            items.iter().for_each(|item| below(item, path, depth, visit));
        }
        (Value::Object(map), Some((step, rest))) => {
            if let Some(value) = map.get(*step) {
                below(value, rest, depth, visit);
            }
        }
        (Value::String(text), None) => visit(Cow::Borrowed(text)),
        (Value::Number(number), None) => visit(Cow::Owned(number.to_string())),
        (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_), _)
        | (Value::Object(_), None) => {}
    }
}
