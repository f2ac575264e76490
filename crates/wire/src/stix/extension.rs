//! Entente's property extension: what STIX has no place for. Pure.
//!
//! INVARIANT: an unknown key or a wrong type in it is an unknown marking, which means refuse;
//! nothing in it is ever passed over.

use super::check::instant;
use super::marks::Terms;
use model::grading::Grade;
use model::marking::{Classification, Tlp};
use model::record::Neutrality;
use model::time::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The key of the extension inside `extensions`.
pub const EXTENSION_ID: &str = "extension-definition--a8e2d1f0-5c3b-4e7a-9d64-1b2f7c90e6a3";

/// LIMIT: longest field name, record type, subject, code or flag, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// The extension as read, with everything in it that nobody here understands.
#[derive(Debug, Clone, Default)]
pub(super) struct Extension {
    pub(super) record_type: Option<String>,
    pub(super) subject: Option<String>,
    pub(super) grade: Option<Grade>,
    pub(super) handling: BTreeSet<String>,
    pub(super) caveats: BTreeSet<String>,
    pub(super) flags: BTreeSet<String>,
    pub(super) group: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) neutrality: Neutrality,
    pub(super) terms: Terms,
    pub(super) orcon: bool,
    pub(super) conceal: bool,
    pub(super) tainted: bool,
    pub(super) restricted: bool,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) provider_limit: Option<Timestamp>,
    pub(super) fields: Vec<String>,
    pub(super) field_marks: BTreeMap<String, Terms>,
    pub(super) unresolved: Vec<String>,
}

/// Reads the extension of an object.
pub(super) fn read_extension(content: &Value) -> Extension {
    let mut read = Extension::default();
    let Value::Object(map) = content else {
        read.unresolved.push(format!("{EXTENSION_ID} is not an object"));
        return read;
    };
    for (key, value) in map {
        if read.take(key, value).is_none() {
            read.unresolved.push(format!("{EXTENSION_ID}: `{}`", shorten(key)));
        }
    }
    read
}

/// Reads the terms of an Entente marking definition.
pub(super) fn read_terms(map: &Map<String, Value>) -> Result<Terms, String> {
    let mut terms = Terms::default();
    for (key, value) in map {
        if key == "extension_type" && is_property_extension(value) {
            continue;
        }
        terms.take(key, value).ok_or_else(|| shorten(key))?;
    }
    Ok(terms)
}

fn is_property_extension(value: &Value) -> bool {
    value.as_str() == Some("property-extension")
}

fn shorten(text: &str) -> String {
    text.chars().take(80).collect()
}

/// A value of the model in its own JSON form.
fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn name(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = !text.trim().is_empty() && text.len() <= NAME_BYTES_MAX;
    (good && !text.chars().any(char::is_control)).then(|| text.to_owned())
}

pub(super) fn names(value: &Value) -> Option<BTreeSet<String>> {
    value.as_array()?.iter().map(name).collect()
}

pub(super) fn time(value: &Value) -> Option<Timestamp> {
    instant(value.as_str()?)
}

/// Only the label as the model writes it, in lower case.
fn tlp(value: &Value) -> Option<Tlp> {
    Tlp::parse(value.as_str()?)
}

fn class(value: &Value) -> Option<Classification> {
    let map = value.as_object()?;
    let (scheme, label) = (name(map.get("scheme")?)?, name(map.get("label")?)?);
    (map.len() == 2).then_some(Classification { scheme, label })
}

impl Terms {
    /// Takes one key; nothing if it is none of these or has the wrong type.
    fn take(&mut self, key: &str, value: &Value) -> Option<()> {
        match key {
            "class" => self.class = Some(class(value)?),
            "tlp" => self.tlp = Some(tlp(value)?),
            "tlp_recipients" => self.tlp_recipients = Some(typed(value)?),
            "noforn" => self.noforn = value.as_bool()?,
            "rel_to" => self.rel_to = Some(typed(value)?),
            "orcon" => self.orcon = value.as_bool()?,
            "caveats" => self.caveats = names(value)?,
            "handling" => self.handling = names(value)?,
            "provider_limit" => self.provider_limit = Some(time(value)?),
            _ => return None,
        }
        Some(())
    }
}

impl Extension {
    fn take(&mut self, key: &str, value: &Value) -> Option<()> {
        match key {
            "extension_type" => return is_property_extension(value).then_some(()),
            "record_type" => self.record_type = Some(name(value)?),
            "subject" => self.subject = Some(name(value)?),
            "grade" => self.grade = Some(value.as_str()?.parse().ok()?),
            "handling" => self.handling = names(value)?,
            "caveats" => self.caveats = names(value)?,
            "flags" => self.flags = names(value)?,
            "group" => self.group = Some(name(value)?),
            "operation" => self.operation = Some(name(value)?),
            "neutrality" => self.neutrality = typed(value)?,
            "orcon" => self.orcon = value.as_bool()?,
            "conceal" => self.conceal = value.as_bool()?,
            "tainted" => self.tainted = value.as_bool()?,
            "restricted" => self.restricted = value.as_bool()?,
            "valid_until" => self.valid_until = Some(time(value)?),
            "provider_limit" => self.provider_limit = Some(time(value)?),
            "fields" => return self.take_fields(value),
            "field_marks" => return self.take_field_marks(value),
            _ => return self.terms.take(key, value),
        }
        Some(())
    }

    fn take_fields(&mut self, value: &Value) -> Option<()> {
        let fields: Option<Vec<_>> = value.as_object()?.keys().map(|k| field_name(k)).collect();
        self.fields = fields?;
        Some(())
    }

    fn take_field_marks(&mut self, value: &Value) -> Option<()> {
        for (field, marks) in value.as_object()? {
            let terms = read_terms(marks.as_object()?).ok()?;
            self.field_marks.insert(field_name(field)?, terms);
        }
        Some(())
    }
}

fn field_name(key: &str) -> Option<String> {
    let good = !key.is_empty() && key.len() <= NAME_BYTES_MAX;
    (good && !key.chars().any(|c| c.is_whitespace() || c.is_control())).then(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_understood_is_never_passed_over() {
        let good = json!({"extension_type": "property-extension", "grade": "B2", "tlp": "red",
            "rel_to": ["XA"], "class": {"scheme": "EU", "label": "SECRET UE/EU SECRET"},
            "fields": {"person.dob": "1970"}, "field_marks": {"person.dob": {"noforn": true}}});
        let read = read_extension(&good);
        assert!(read.unresolved.is_empty(), "{:?}", read.unresolved);
        assert_eq!(read.fields, ["person.dob"]);
        for bad in [
            json!({"grade": "Z9"}),
            json!({"colour": "red"}),
            json!({"orcon": "yes"}),
            json!({"rel_to": "XA"}),
            json!({"field_marks": {"a": {"loud": true}}}),
            json!({"class": {"scheme": "EU"}}),
            json!([]),
            json!({"extension_type": "new-sdo"}),
        ] {
            assert_eq!(read_extension(&bad).unresolved.len(), 1, "{bad}");
        }
    }
}
