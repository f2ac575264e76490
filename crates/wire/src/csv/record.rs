//! A record in the making, with the marking of its map or row. Pure.

use super::map::Map;
use crate::stix::{EXTENSION_ID, ObjectProblem, StixObject};
use model::grading::Grade;
use model::marking::Tlp;
use model::time::Timestamp;
use serde_json::{Map as Members, Value, json};

/// What restricts one record.
pub(super) struct Limits {
    pub(super) tlp: Tlp,
    pub(super) grade: Option<Grade>,
    pub(super) retention: Option<Timestamp>,
}

/// A record in the making.
pub(super) struct Draft {
    pub(super) kind: &'static str,
    pub(super) id: String,
    pub(super) record_type: Option<&'static str>,
    pub(super) subject: String,
    pub(super) own: Members<String, Value>,
    pub(super) fields: Members<String, Value>,
}

impl Draft {
    pub(super) fn finish(self, map: &Map, limits: &Limits) -> Result<StixObject, ObjectProblem> {
        let mut object = Members::new();
        let at = map.at.to_string();
        for (key, text) in [
            ("type", self.kind),
            ("spec_version", "2.1"),
            ("id", &self.id),
            ("created", &at),
            ("modified", &at),
        ] {
            object.insert(key.to_owned(), json!(text));
        }
        object.extend(self.own);
        object.insert("object_marking_refs".to_owned(), json!([tlp_marking(limits.tlp)]));
        let mut extension = Members::new();
        let mut say = |key: &str, value: Value| extension.insert(key.to_owned(), value);
        say("extension_type", json!("property-extension"));
        if let Some(record_type) = self.record_type {
            say("record_type", json!(record_type));
        }
        say("subject", json!(self.subject));
        if limits.tlp == Tlp::Red && !map.marking.recipients.is_empty() {
            say("tlp", json!("red"));
            say("tlp_recipients", json!(map.marking.recipients));
        }
        if let Some(parties) = &map.marking.rel_to {
            say("rel_to", json!(parties));
        }
        if !map.marking.caveats.is_empty() {
            say("caveats", json!(map.marking.caveats));
        }
        for (key, flag) in [("noforn", map.marking.noforn), ("orcon", map.marking.orcon)] {
            if flag {
                say(key, json!(true));
            }
        }
        if let Some(grade) = limits.grade {
            say("grade", json!(grade));
        }
        if let Some(until) = limits.retention {
            say("provider_limit", json!(until.to_string()));
        }
        say("fields", Value::Object(self.fields));
        object.insert("extensions".to_owned(), json!({ EXTENSION_ID: extension }));
        StixObject::parse(Value::Object(object).to_string().as_bytes())
    }
}

/// The TLP 2.0 marking of a label. SOURCE: STIX 2.1 extension of FIRST TLP 2.0.
fn tlp_marking(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        Tlp::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_label_has_its_own_marking() {
        for tlp in Tlp::ALL {
            assert_eq!(crate::stix::built_in_tlp(tlp_marking(tlp)), Some(tlp));
        }
    }
}
