//! A feed of events: the manifest that says what there is, and hashes of the values. Pure.
//!
//! SOURCE: MISP feed format: `manifest.json`, `hashes.csv` (MD5 of each value, then the event's
//! UUID) and `{uuid}.json` an event. A composite value is hashed part by part.

use super::SOURCE_NAME;
use super::members::{list, text};
use crate::stix::convert::deterministic_id;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The members of an event that the manifest repeats, and what MISP takes for granted.
const SUMMARY: [(&str, &str); 5] = [
    ("analysis", "0"),
    ("date", "1970-01-01"),
    ("info", ""),
    ("threat_level_id", "4"),
    ("timestamp", "0"),
];
/// The members of a tag that the manifest repeats.
const TAG: [&str; 4] = ["name", "colour", "local", "relationship_type"];

/// A feed, file by file.
#[derive(Debug, Clone, PartialEq)]
pub struct Feed {
    /// By UUID, what stands in `{uuid}.json`.
    pub events: Vec<(String, Value)>,
    /// What stands in `manifest.json`.
    pub manifest: Value,
    /// What stands in `hashes.csv`: a line a value and event, each once.
    pub hashes: String,
}

/// Puts events, each the content of an `Event` member, together as a feed. An event without a UUID
/// is none and is left out; [`super::write`] makes no such event.
///
/// Cost: linear in the events.
#[must_use]
pub fn feed(events: Vec<Value>) -> Feed {
    let (mut out, mut manifest, mut hashes) = (Vec::new(), Map::new(), String::new());
    for event in events {
        let Value::Object(mut event) = event else { continue };
        let Some(uuid) = text(&event, "uuid") else { continue };
        event.entry("Orgc".to_owned()).or_insert_with(unknown);
        manifest.insert(uuid.clone(), summary(&event));
        let mut seen = BTreeSet::new();
        let inner = list(&event, "Object").iter().filter_map(Value::as_object);
        let inner = inner.flat_map(|object| list(object, "Attribute"));
        for attribute in list(&event, "Attribute").iter().chain(inner) {
            for value in values(attribute) {
                let hash = crypto::hash::md5_hex(value.as_bytes());
                if !seen.contains(&hash) {
                    hashes.push_str(&format!("{hash},{uuid}\n"));
                    seen.insert(hash);
                }
            }
        }
        out.push((uuid, json!({ "Event": event })));
    }
    Feed { events: out, manifest: Value::Object(manifest), hashes }
}

/// Whoever made an event that says nothing of it. WHY: readers of feeds refuse one without.
fn unknown() -> Value {
    let id = deterministic_id("identity", SOURCE_NAME, "unknown organisation");
    let uuid = id.split_once("--").map_or(id.as_str(), |(_, uuid)| uuid);
    json!({"uuid": uuid, "name": "unknown organisation"})
}

fn summary(event: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    for (name, fallback) in SUMMARY {
        let value = event.get(name).filter(|value| !value.is_null());
        out.insert(name.to_owned(), value.cloned().unwrap_or_else(|| json!(fallback)));
    }
    let orgc = event.get("Orgc").and_then(Value::as_object);
    let tags = list(event, "Tag").iter().filter_map(Value::as_object);
    out.insert("Orgc".to_owned(), orgc.map_or(Value::Null, |orgc| of(orgc, &["name", "uuid"])));
    out.insert("Tag".to_owned(), tags.map(|tag| of(tag, &TAG)).collect());
    Value::Object(out)
}

/// Only these members.
fn of(map: &Map<String, Value>, names: &[&str]) -> Value {
    let known = names.iter().filter_map(|name| Some(((*name).to_owned(), map.get(*name)?.clone())));
    Value::Object(known.collect())
}

/// What is looked up of an attribute.
fn values(attribute: &Value) -> Vec<String> {
    let Some(attribute) = attribute.as_object() else { return Vec::new() };
    let Some(value) = text(attribute, "value") else { return Vec::new() };
    let kind = text(attribute, "type").unwrap_or_default();
    match kind.contains('|') || kind == "malware-sample" {
        true => value.split('|').map(str::to_owned).collect(),
        false => vec![value],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0b5c0de1-1111-4111-8111-000000000001";

    #[test]
    fn a_feed_names_its_events_and_hashes_the_parts_of_values() {
        let event = json!({
            "uuid": UUID, "info": "Transfers", "date": "2026-11-01", "timestamp": "1793491200",
            "analysis": 1, "threat_level_id": null, "distribution": "0",
            "Tag": [{"name": "tlp:amber", "colour": "#fc0", "id": "7", "local": false}],
            "Attribute": [
                {"type": "domain|ip", "value": "pay.harrow.example|192.0.2.7"},
                {"type": "domain", "value": "pay.harrow.example"},
                {"type": "comment", "value": "a|b"},
                {"type": "comment"},
            ],
            "Object": [{"Attribute": [{"type": "text", "value": "Ivo Marsh"}]}],
        });
        let made = feed(vec![event, json!({"info": "no uuid"}), json!(3)]);
        let entry = &made.manifest[UUID];
        assert_eq!(made.manifest.as_object().unwrap().len(), 1);
        assert_eq!(entry["Tag"], json!([{"name": "tlp:amber", "colour": "#fc0", "local": false}]));
        assert_eq!((&entry["threat_level_id"], &entry["analysis"]), (&json!("4"), &json!(1)));
        assert_eq!(entry["Orgc"]["name"], "unknown organisation");
        assert_eq!(made.events[0].1["Event"]["Orgc"], entry["Orgc"]);
        // Computed with md5sum(1).
        let wanted = [
            "b03bada36e049921c5752898ae34ef5a",
            "e9cc93d8ae23cfc5941cec7cc4ee788a",
            "d0726241020676b14aa6298ce6a18b21",
            "980ee778c9a70d94fe1253648620ee3b",
        ];
        let lines: Vec<String> = wanted.iter().map(|hash| format!("{hash},{UUID}\n")).collect();
        assert_eq!(made.hashes, lines.concat());
    }
}
