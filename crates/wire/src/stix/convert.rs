//! What becomes of entries of other formats: STIX objects with ids that never change. Pure.
//!
//! SOURCE: RFC 9562 section 5.5 (UUID version 5).

use super::extension::EXTENSION_ID;
use super::object::{ObjectProblem, StixObject};
use model::time::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// The namespace of all identifiers made here: 5be1f0a4-93c7-4d52-8e0b-6f7a21c4d9e8.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x5be1_f0a4_93c7_4d52_8e0b_6f7a_21c4_d9e8);

/// TLP:CLEAR in TLP 2.0, for what is public already.
pub const TLP_CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";

/// The STIX identifier of the entry `key` of `source`: the same on every node and every day.
#[must_use]
pub fn deterministic_id(kind: &str, source: &str, key: &str) -> String {
    // WHY: the separator cannot occur in a source's name, so two pairs never meet.
    let name = format!("{source}\u{0}{key}");
    format!("{kind}--{}", Uuid::new_v5(&NAMESPACE, name.as_bytes()))
}

/// An object in the making.
pub(crate) struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    /// Properties of its own.
    pub(crate) own: Map<String, Value>,
    pub(crate) record_type: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) fields: Map<String, Value>,
}

impl Draft {
    /// The object, marked TLP:CLEAR, with its fields in Entente's extension.
    pub(crate) fn finish(self) -> Result<StixObject, ObjectProblem> {
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(self.kind));
        object.insert("spec_version".to_owned(), json!("2.1"));
        object.insert("id".to_owned(), json!(self.id));
        object.insert("created".to_owned(), json!(self.created.to_string()));
        object.insert("modified".to_owned(), json!(self.modified.to_string()));
        object.extend(self.own);
        object.insert("object_marking_refs".to_owned(), json!([TLP_CLEAR]));
        let extension = json!({
            "extension_type": "property-extension",
            "record_type": self.record_type,
            "subject": self.subject,
            "fields": self.fields,
        });
        object.insert("extensions".to_owned(), json!({ EXTENSION_ID: extension }));
        StixObject::parse(Value::Object(object).to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_entry_has_the_same_id_everywhere() {
        let id = deterministic_id("identity", "un-sc-list", "QDi.001");
        assert_eq!(id, deterministic_id("identity", "un-sc-list", "QDi.001"));
        assert_ne!(id, deterministic_id("identity", "un-sc-list", "QDi.002"));
        assert_eq!(id.get(24..25), Some("5"), "version 5 in {id}");
    }
}
