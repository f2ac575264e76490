//! Checks one object against what STIX demands. Pure.

use super::object::{ObjectProblem, SpecVersion};
use super::shapes::{Family, Form, Needs, Shape, form_of, required_in_20, shape};
use crate::json::escape;
use model::ids::RecordId;
use model::time::Timestamp;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// LIMIT: longest type name, in bytes (STIX 2.1 section 11.2: 250).
const KIND_BYTES_MAX: usize = 250;

/// What a valid object is known by.
pub(super) struct Checked {
    pub(super) id: RecordId,
    pub(super) kind: String,
    pub(super) spec: SpecVersion,
    pub(super) modified: Option<Timestamp>,
}

/// Checks all that STIX demands of the object.
pub(super) fn check(map: &Map<String, Value>) -> Result<Checked, ObjectProblem> {
    let checker = Checker { map, id: map.get("id").and_then(Value::as_str) };
    let kind = checker.kind()?;
    let id = checker.identifier(kind)?;
    let known = shape(kind);
    let spec = checker.spec(known)?;
    let modified = checker.times(known, spec)?;
    checker.required(kind, known, spec)?;
    checker.forms(known, spec)?;
    checker.lists()?;
    Ok(Checked { id, kind: kind.to_owned(), spec, modified })
}

/// Whether a text is `type--uuid`.
pub(super) fn is_identifier(text: &str) -> bool {
    text.split_once("--").is_some_and(|(kind, uuid)| is_kind(kind) && is_uuid(uuid))
}

/// The one spelling of an identifier.
///
/// WHY: hexadecimal digits are read in either case (RFC 9562 section 4); two spellings of one
/// identifier must not be two records, or a recall would miss the other.
pub(super) fn one_spelling(id: &str) -> Cow<'_, str> {
    if id.bytes().any(|b| b.is_ascii_uppercase()) {
        return Cow::Owned(id.to_ascii_lowercase());
    }
    Cow::Borrowed(id)
}

fn is_kind(kind: &str) -> bool {
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !kind.is_empty() && kind.len() <= KIND_BYTES_MAX && kind.bytes().all(allowed)
}

fn is_uuid(text: &str) -> bool {
    let form = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() == 36 && text.bytes().enumerate().all(form)
}

/// An instant in the only form STIX allows: RFC 3339 in UTC with `Z` (section 3.2).
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let form = text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T');
    if form { text.parse().ok() } else { None }
}

/// The first characters of a value, for messages.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    };
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

struct Checker<'a> {
    map: &'a Map<String, Value>,
    id: Option<&'a str>,
}

impl<'a> Checker<'a> {
    fn wrong(&self, pointer: String, wanted: &'static str, value: &Value) -> ObjectProblem {
        ObjectProblem::Form { id: self.owned_id(), pointer, wanted, found: shown(value) }
    }

    fn missing(&self, property: &str) -> ObjectProblem {
        ObjectProblem::Missing { id: self.owned_id(), property: property.to_owned() }
    }

    fn owned_id(&self) -> Option<String> {
        self.id.map(|id| id.chars().take(300).collect())
    }

    fn must(&self, property: &str) -> Result<&'a Value, ObjectProblem> {
        self.map.get(property).ok_or_else(|| self.missing(property))
    }

    fn kind(&self) -> Result<&'a str, ObjectProblem> {
        let value = self.must("type")?;
        let wanted = "a type name of lower-case letters, digits and hyphens";
        let kind = value.as_str().filter(|k| is_kind(k));
        let kind = kind.ok_or_else(|| self.wrong("/type".into(), wanted, value))?;
        if kind == "bundle" {
            return Err(self.wrong("/type".into(), "an object outside a bundle", value));
        }
        Ok(kind)
    }

    fn identifier(&self, kind: &str) -> Result<RecordId, ObjectProblem> {
        let value = self.must("id")?;
        let wanted = "an identifier of the form type--uuid with this object's type";
        let wrong = || self.wrong("/id".into(), wanted, value);
        let text = value.as_str().ok_or_else(wrong)?;
        let uuid = text.strip_prefix(kind).and_then(|t| t.strip_prefix("--"));
        if !uuid.is_some_and(is_uuid) {
            return Err(wrong());
        }
        one_spelling(text).parse().map_err(|_| wrong())
    }

    /// WHY: 2.1 leaves `spec_version` of observables out freely; elsewhere its absence means 2.0.
    fn spec(&self, known: Option<&Shape>) -> Result<SpecVersion, ObjectProblem> {
        let Some(value) = self.map.get("spec_version") else {
            let observable = match known {
                Some(shape) => shape.family == Family::Observable,
                None => !self.map.contains_key("created"),
            };
            return Ok(if observable { SpecVersion::V21 } else { SpecVersion::V20 });
        };
        match value.as_str() {
            Some("2.1") => Ok(SpecVersion::V21),
            Some("2.0") => Ok(SpecVersion::V20),
            Some(_) | None => Err(self.wrong("/spec_version".into(), "2.1 or 2.0", value)),
        }
    }

    fn time(&self, property: &str) -> Result<Timestamp, ObjectProblem> {
        let value = self.must(property)?;
        let found = value.as_str().and_then(instant);
        found.ok_or_else(|| self.wrong(format!("/{property}"), Form::Time.wanted(), value))
    }

    fn times(
        &self,
        known: Option<&Shape>,
        spec: SpecVersion,
    ) -> Result<Option<Timestamp>, ObjectProblem> {
        let family = known.map(|s| s.family);
        let versioned = match family {
            Some(Family::Versioned) => true,
            Some(Family::Observable) => return Ok(None),
            Some(Family::Marking) => return self.time("created").map(Some),
            None => {
                let dated = |key| self.map.contains_key(key);
                dated("created") || dated("modified") || spec == SpecVersion::V20
            }
        };
        if !versioned {
            return Ok(None);
        }
        let (created, modified) = (self.time("created")?, self.time("modified")?);
        if modified < created {
            return Err(ObjectProblem::Order { id: self.owned_id() });
        }
        Ok(Some(modified))
    }

    fn required(
        &self,
        kind: &str,
        known: Option<&Shape>,
        spec: SpecVersion,
    ) -> Result<(), ObjectProblem> {
        let Some(known) = known else { return Ok(()) };
        let older = if spec == SpecVersion::V20 { required_in_20(kind) } else { None };
        for (property, form) in older.unwrap_or(known.required) {
            let value = self.must(property)?;
            self.form(property, *form, value)?;
        }
        match known.needs {
            Needs::Nothing => Ok(()),
            Needs::OneOf(sets) => {
                let has = |set: &&[&str]| set.iter().all(|p| self.map.contains_key(*p));
                if sets.iter().any(has) {
                    return Ok(());
                }
                let sets: Vec<_> = sets.iter().map(|set| set.join(" with ")).collect();
                Err(self.missing(&sets.join(" or ")))
            }
            Needs::AnyOwn => {
                let own = |key: &String| {
                    !matches!(
                        key.as_str(),
                        "type"
                            | "id"
                            | "spec_version"
                            | "defanged"
                            | "object_marking_refs"
                            | "granular_markings"
                    )
                };
                if self.map.keys().any(own) { Ok(()) } else { Err(self.missing("any of its own")) }
            }
        }
    }

    fn forms(&self, known: Option<&Shape>, spec: SpecVersion) -> Result<(), ObjectProblem> {
        for (property, value) in self.map {
            let form = match property.as_str() {
                "created" | "modified" | "type" | "id" => None,
                "extensions"
                | "labels"
                | "revoked"
                | "lang"
                | "confidence"
                | "created_by_ref"
                | "object_marking_refs" => form_of(property),
                _ if known.is_some() => form_of(property),
                _ => None,
            };
            // WHY: observed-data of 2.0 and custom types may use these names for other things.
            let Some(form) = form else { continue };
            if spec == SpecVersion::V20 && matches!(form, Form::Map) {
                continue;
            }
            self.form(property, form, value)?;
        }
        let confidence = self.map.get("confidence");
        match confidence.filter(|v| v.as_u64().is_none_or(|n| n > 100)) {
            Some(value) => Err(self.wrong("/confidence".into(), "a number from 0 to 100", value)),
            None => Ok(()),
        }
    }

    fn form(&self, property: &str, form: Form, value: &Value) -> Result<(), ObjectProblem> {
        let texts = |test: fn(&str) -> bool| {
            let ok = |v: &Value| v.as_str().is_some_and(test);
            value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(ok))
        };
        let good = match form {
            Form::Text => value.is_string(),
            Form::Time => value.as_str().is_some_and(|t| instant(t).is_some()),
            Form::Flag => value.is_boolean(),
            Form::Whole => value.is_i64() || value.is_u64(),
            Form::Number => value.is_number(),
            Form::Texts => texts(|_| true),
            Form::Id => value.as_str().is_some_and(is_identifier),
            Form::Ids => texts(is_identifier),
            Form::Map => value.as_object().is_some_and(|m| !m.is_empty()),
        };
        if good {
            return Ok(());
        }
        Err(self.wrong(format!("/{}", escape(property)), form.wanted(), value))
    }

    /// External references and granular markings are lists of objects with what they need.
    fn lists(&self) -> Result<(), ObjectProblem> {
        self.each("external_references", "an object with `source_name`", |entry| {
            entry.get("source_name").is_some_and(Value::is_string)
        })?;
        let wanted = "an object with `selectors` and `marking_ref` or `lang`";
        self.each("granular_markings", wanted, |entry| {
            let texts = |list: &Vec<Value>| !list.is_empty() && list.iter().all(Value::is_string);
            let selectors = entry.get("selectors").and_then(Value::as_array).is_some_and(texts);
            let marking = entry.get("marking_ref").and_then(Value::as_str);
            let lang = entry.get("lang").is_some_and(Value::is_string);
            selectors && (marking.is_some_and(is_identifier) || (marking.is_none() && lang))
        })
    }

    fn each(
        &self,
        property: &str,
        wanted: &'static str,
        test: impl Fn(&Value) -> bool,
    ) -> Result<(), ObjectProblem> {
        let Some(value) = self.map.get(property) else { return Ok(()) };
        let Some(list) = value.as_array() else {
            return Err(self.wrong(format!("/{property}"), "a list", value));
        };
        match list.iter().enumerate().find(|(_, entry)| !test(entry)) {
            Some((index, entry)) => Err(self.wrong(format!("/{property}/{index}"), wanted, entry)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_instants_have_one_form() {
        let id = "identity--733c5838-34d9-4fbf-949c-62aba761184c";
        assert!(is_identifier(id) && !is_identifier(&id.to_uppercase()));
        assert_eq!(one_spelling(&id.replace("fbf", "FBF")), id);
        assert!(!is_identifier("identity--733c5838") && !is_identifier("identity"));
        assert!(instant("2016-04-06T20:03:48.000Z").is_some());
        for bad in ["2016-04-06T20:03:48+00:00", "2016-04-06 20:03:48Z", "2016-13-06T20:03:48Z"] {
            assert!(instant(bad).is_none(), "{bad}");
        }
    }
}
