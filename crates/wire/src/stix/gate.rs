//! What the gate and the store ask of an object: redaction, references, record type. Pure.

use super::EXTENSION_ID;
use super::StixObject;
use super::fields::{is_individual, record_type};
use super::withhold::WithholdProblem;
use serde_json::Value;
use std::collections::BTreeSet;

impl policy::release::Content for StixObject {
    type Error = WithholdProblem;

    fn without(&self, pointers: &[&str]) -> Result<Self, Self::Error> {
        self.withhold(pointers)
    }

    fn size_bytes(&self) -> usize {
        self.raw().len()
    }
}

impl StixObject {
    /// The identifiers it rests on: all it refers to apart from its markings and its creator.
    /// For indexing, so nothing is refused here.
    ///
    /// WHY: a record does not rest on whoever wrote it; were it so, taking back an identity would
    /// taint all that this identity ever wrote.
    #[must_use]
    pub fn references(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        collect(self.value(), &mut found);
        found
    }

    /// The vocabulary type: the extension's where it may say so, else by the STIX type.
    #[must_use]
    pub fn record_type(&self) -> &str {
        let Value::Object(map) = self.value() else { return self.kind() };
        let plain = record_type(self.kind(), map);
        let stated = map
            .get("extensions")
            .and_then(|all| all.get(EXTENSION_ID))
            .and_then(|own| own.get("record_type"))
            .and_then(Value::as_str);
        stated.filter(|_| !is_individual(map)).unwrap_or(plain)
    }
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match key.as_str() {
                    "object_marking_refs" | "granular_markings" | "created_by_ref" => {}
                    key if key.ends_with("_ref") => {
                        found.extend(value.as_str().map(str::to_ascii_lowercase));
                    }
                    key if key.ends_with("_refs") => {
                        let items = value.as_array().into_iter().flatten();
                        found.extend(items.filter_map(Value::as_str).map(str::to_ascii_lowercase));
                    }
                    _ => collect(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
