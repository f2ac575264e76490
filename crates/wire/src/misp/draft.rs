//! A record in the making: what STIX says, what the extension keeps, what restricts it. Pure.

use super::SOURCE_NAME;
use super::members::{says_nothing, uuid};
use super::tags::{Seal, Tags};
use crate::stix::convert::deterministic_id;
use crate::stix::{EXTENSION_ID, ObjectProblem, StixObject};
use model::marking::Tlp;
use model::time::Timestamp;
use serde_json::{Map, Value, json};

/// Members that are numbers of one database: they mean nothing anywhere else.
const LOCAL_MEMBERS: &[&str] = &[
    "attribute_id",
    "event_id",
    "galaxy_cluster_id",
    "galaxy_id",
    "id",
    "object_id",
    "org_id",
    "orgc_id",
    "referenced_id",
    "sharing_group_id",
    "source_uuid_id",
    "user_id",
];
/// Members that name who said it; they stand in the field of the source.
const SOURCE_MEMBERS: &[&str] =
    &["Org", "Organisation", "Orgc", "authors", "event_creator_email", "org_uuid", "orgc_uuid"];
/// Members that concern one instance and never leave it: who shares with whom, what else it knows.
const OWN_MEMBERS: &[&str] =
    &["RelatedAttribute", "RelatedEvent", "ShadowAttribute", "SharingGroup", "Feed", "SightingOf"];
/// The field of the source.
pub(super) const SOURCE_FIELD: &str = "source.identity";
/// The field of local numbers.
pub(super) const LOCAL_FIELD: &str = "misp.local";
/// The field of tags the instance keeps to itself.
pub(super) const LOCAL_TAGS_FIELD: &str = "misp.local_tags";
/// The field of members with names no field can have.
pub(super) const OTHER_FIELD: &str = "misp.other";
/// The field of what tags say beside their names.
pub(super) const TAGS_FIELD: &str = "misp.Tag";

/// A record in the making.
pub(super) struct Draft {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) own: Map<String, Value>,
    pub(super) fields: Map<String, Value>,
    pub(super) record_type: Option<&'static str>,
    pub(super) subject: Option<&'static str>,
    pub(super) concealed: bool,
    private: Vec<String>,
}

/// The identifier of a part: its UUID where it has one.
pub(super) fn part_id(kind: &str, part: &Map<String, Value>, within: &str) -> String {
    let stated = part.get("uuid").and_then(Value::as_str).and_then(uuid);
    stated.map_or_else(
        || deterministic_id(kind, SOURCE_NAME, &format!("{within}\u{0}{}", json!(part))),
        |id| format!("{kind}--{id}"),
    )
}

impl Draft {
    pub(super) fn new(id: String, created: Timestamp, modified: Timestamp) -> Self {
        Self {
            id,
            created: created.min(modified),
            modified,
            own: Map::new(),
            fields: Map::new(),
            record_type: None,
            subject: None,
            concealed: false,
            private: Vec::new(),
        }
    }

    /// Sets a property.
    pub(super) fn own(&mut self, property: &str, value: Value) {
        self.own.insert(property.to_owned(), value);
    }

    /// Sets a field of the extension.
    pub(super) fn field(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    /// Sets a field that nobody else may have.
    pub(super) fn private(&mut self, name: &str, value: Value) {
        self.field(name, value);
        self.private.push(name.to_owned());
    }

    /// Keeps every member that is not in `said` and says something.
    pub(super) fn keep(&mut self, members: &Map<String, Value>, said: &[&str]) {
        let (mut local, mut source, mut other) = (Map::new(), Map::new(), Map::new());
        for (key, value) in members {
            if said.contains(&key.as_str()) || says_nothing(value) {
                continue;
            }
            let value = value.clone();
            if LOCAL_MEMBERS.contains(&key.as_str()) {
                local.insert(key.clone(), value);
            } else if SOURCE_MEMBERS.contains(&key.as_str()) {
                source.insert(key.clone(), value);
            } else if OWN_MEMBERS.contains(&key.as_str()) {
                self.private(&format!("misp.{key}"), value);
            } else if is_plain(key) {
                self.field(&format!("misp.{key}"), value);
            } else {
                other.insert(key.clone(), value);
            }
        }
        if !local.is_empty() {
            self.private(LOCAL_FIELD, Value::Object(local));
        }
        if !source.is_empty() {
            self.field(SOURCE_FIELD, Value::Object(source));
        }
        if !other.is_empty() {
            self.field(OTHER_FIELD, Value::Object(other));
        }
    }

    /// Says the tags.
    pub(super) fn tags(&mut self, tags: Tags) {
        if !tags.names.is_empty() {
            self.own("labels", json!(tags.names));
        }
        if !tags.details.is_empty() {
            self.field(TAGS_FIELD, Value::Object(tags.details));
        }
        if !tags.local.is_empty() {
            self.private(LOCAL_TAGS_FIELD, Value::Array(tags.local));
        }
    }

    /// The record, restricted by `seal`.
    pub(super) fn finish(self, seal: &Seal) -> Result<StixObject, ObjectProblem> {
        let kind = self.id.split_once("--").map_or("", |(kind, _)| kind).to_owned();
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(kind));
        object.insert("spec_version".to_owned(), json!("2.1"));
        object.insert("id".to_owned(), json!(self.id));
        object.insert("created".to_owned(), json!(version_text(self.created)));
        object.insert("modified".to_owned(), json!(version_text(self.modified)));
        object.extend(self.own);
        let mut markings: Vec<Value> =
            seal.tlp.map(|tlp| json!(tlp_marking(tlp))).into_iter().collect();
        markings.extend(seal.unknown_markings());
        if !markings.is_empty() {
            object.insert("object_marking_refs".to_owned(), Value::Array(markings));
        }
        let mut extension = Map::new();
        let mut say = |key: &str, value: Value| extension.insert(key.to_owned(), value);
        say("extension_type", json!("property-extension"));
        if let Some(record_type) = self.record_type {
            say("record_type", json!(record_type));
        }
        if let Some(subject) = self.subject {
            say("subject", json!(subject));
        }
        if self.concealed {
            say("conceal", json!(true));
        }
        for (key, value) in restrictions(seal, self.modified) {
            say(key, value);
        }
        if !self.fields.is_empty() {
            say("fields", Value::Object(self.fields));
        }
        let nobody = |name: String| (name, json!({"rel_to": []}));
        let marks: Map<String, Value> = self.private.into_iter().map(nobody).collect();
        if !marks.is_empty() {
            say("field_marks", Value::Object(marks));
        }
        object.insert("extensions".to_owned(), json!({ EXTENSION_ID: extension }));
        StixObject::parse(Value::Object(object).to_string().as_bytes())
    }
}

/// An instant as an object states its version: with three decimals. MISP counts whole seconds.
///
/// SOURCE: STIX 2.1 section 3.2, `created` and `modified`.
fn version_text(at: Timestamp) -> String {
    let text = at.to_string();
    if text.contains('.') { text } else { text.replace('Z', ".000Z") }
}

/// The restrictions in the keys of Entente's extension.
fn restrictions(seal: &Seal, modified: Timestamp) -> Vec<(&'static str, Value)> {
    let mut out = Vec::new();
    if let Some(parties) = &seal.reach.parties {
        out.push(("rel_to", json!(parties)));
    }
    if let Some(agencies) = &seal.reach.agencies {
        out.push(("tlp", json!("red")));
        out.push(("tlp_recipients", json!(agencies)));
    }
    let mut caveats = seal.caveats.clone();
    if seal.reach.no_onward {
        caveats.insert(policy::terms::CAVEAT_NO_ONWARD.to_owned());
    }
    if !caveats.is_empty() {
        out.push(("caveats", json!(caveats)));
    }
    if seal.noforn {
        out.push(("noforn", json!(true)));
    }
    if seal.orcon {
        out.push(("orcon", json!(true)));
    }
    if let Some(grade) = seal.grade() {
        out.push(("grade", json!(grade)));
    }
    // WHY: two classifications are one nobody can resolve; the joined label says both.
    let schemes: Vec<&str> = seal.classes.iter().map(|c| c.scheme.as_str()).collect();
    let labels: Vec<&str> = seal.classes.iter().map(|c| c.label.as_str()).collect();
    if !schemes.is_empty() {
        let class = json!({"scheme": schemes.join(" and "), "label": labels.join(" and ")});
        out.push(("class", class));
    }
    if let Some(limit) = seal.provider_limit(modified) {
        out.push(("provider_limit", json!(limit.to_string())));
    }
    out
}

/// The TLP 2.0 marking of a label.
pub(super) fn tlp_marking(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        Tlp::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    }
}

fn is_plain(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    !key.is_empty()
        && key.len() <= 100
        && key.chars().all(plain)
        && !matches!(key, "local" | "local_tags" | "other" | "Tag")
}
