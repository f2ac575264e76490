//! Records as MISP events: what came from MISP comes back, and nothing becomes wider.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use wire::misp::{Audiences, Distribution, read, write};
use wire::stix::{Item, KnownMarkings, StixObject, view};

const EVENT: &str = include_str!("data/misp/lantern.json");

fn load(text: &str) -> BTreeMap<String, StixObject> {
    let audiences = Audiences { own: Some("XA".parse().unwrap()), ..Audiences::default() };
    let mut objects = BTreeMap::new();
    read(text.as_bytes(), &audiences, &mut |item| {
        if let Item::Object(object) = item {
            objects.insert(object.id().as_str().to_owned(), *object);
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    objects
}

fn written(objects: &BTreeMap<String, StixObject>, distribution: Distribution) -> String {
    let objects: Vec<StixObject> = objects.values().cloned().collect();
    let written = write(&objects, &|_| distribution);
    let events: Vec<Value> = written.events.into_iter().map(|e| json!({ "Event": e })).collect();
    json!({ "response": events }).to_string()
}

fn values(objects: &BTreeMap<String, StixObject>) -> BTreeMap<&str, Value> {
    objects.iter().map(|(id, object)| (id.as_str(), object.value().clone())).collect()
}

fn same(text: &str) {
    let first = load(text);
    let out = written(&first, Distribution::Stated);
    let second = load(&out);
    assert_eq!(values(&first), values(&second), "{out}");
}

/// Whether everything read from `text` reaches nobody here.
fn reaches_nobody(text: &str) -> bool {
    load(text).values().filter(|object| !is_cluster(object)).all(|object| {
        let own = "xa.police.ct".parse().unwrap();
        let record = view(object, &own, &KnownMarkings::default()).unwrap();
        record.marks.rel_to.is_some_and(|parties| parties.is_empty())
    })
}

fn is_cluster(object: &StixObject) -> bool {
    matches!(object.kind(), "threat-actor" | "malware" | "x-misp-galaxy-cluster")
}

#[test]
fn an_event_comes_back_with_everything_it_said() {
    same(EVENT);
}

#[test]
fn members_numbers_tags_and_odd_parts_come_back() {
    let uuid = |n: u32| format!("0b5c0de1-0000-4000-8000-{n:012}");
    let event = json!({"Event": {
        "uuid": uuid(1), "id": "7", "info": "x", "timestamp": "1772452800", "date": "2026-03-01", "distribution": "3",
        "unknown member": {"a": [1, null]}, "org_id": "3", "event_creator_email": "a@b.example",
        "Org": {"id": "1", "name": "Aldria", "uuid": uuid(2)}, "locked": false,
        "Galaxy": [{"uuid": uuid(3), "type": "threat-actor", "name": "Threat Actor",
            "GalaxyCluster": [{"uuid": uuid(4), "value": "Harrow cell", "version": "3",
                "description": "d", "type": "threat-actor", "tag_name": "misp-galaxy:x",
                "meta": {"synonyms": ["Lantern"]}, "GalaxyElement": [{"key": "k", "value": "v"}]}]}],
        "Sighting": [{"uuid": uuid(5), "date_sighting": "1772452900", "type": "2",
            "Organisation": {"name": "o", "uuid": uuid(6)}}],
        "Attribute": [
            {"uuid": uuid(10), "type": "AS", "value": "AS64500", "to_ids": true, "category": "Network activity",
             "timestamp": "1772452801", "Tag": [{"name": "tlp:red", "colour": "#f00"}, {"name": "PAP:RED"}]},
            {"uuid": uuid(11), "type": "AS", "value": "64500", "to_ids": false, "timestamp": "1"},
            {"uuid": uuid(12), "type": "yara", "value": "rule a { condition: true }", "to_ids": true},
            {"uuid": uuid(13), "type": "vulnerability", "value": "CVE-2026-0001", "deleted": true},
            {"uuid": uuid(14), "type": "full-name", "value": "Ivo Marsh"},
            {"uuid": uuid(15), "type": "attachment", "value": "a.bin", "data": "AAAA", "first_seen": "2026-01-01T00:00:00+00:00"},
            {"uuid": uuid(16), "type": "filename|md5", "value": "it's|d41d8cd98f00b204e9800998ecf8427e", "to_ids": false},
            {"type": "ip-dst|port", "value": "2001:db8::1|443", "to_ids": true, "comment": "no uuid"}],
        "Object": [{"uuid": uuid(20), "name": "file", "meta-category": "file", "template_uuid": uuid(21),
            "Attribute": [{"uuid": uuid(22), "type": "filename", "object_relation": "filename", "value": "a", "to_ids": true}],
            "ObjectReference": [{"uuid": uuid(23), "referenced_uuid": uuid(10), "relationship_type": "uses", "comment": "c"},
                {"uuid": uuid(24), "referenced_uuid": uuid(99), "relationship_type": "elsewhere"}]},
          {"uuid": uuid(30), "name": "organization", "distribution": "1", "Attribute": [
            {"uuid": uuid(31), "type": "text", "object_relation": "name", "value": "Harrow Trade",
             "Tag": [{"name": "tlp:amber"}]}]}]}});
    assert_eq!(load(&event.to_string()).len(), 15);
    same(&event.to_string());
}

#[test]
fn stix_that_never_was_in_misp_is_written_whole_and_for_one_organisation() {
    let red = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    let object = |value: Value| StixObject::parse(value.to_string().as_bytes()).unwrap();
    let stamp = "2026-03-01T00:00:00Z";
    let objects = [
        object(
            json!({"type": "indicator", "spec_version": "2.1", "created": stamp, "modified": stamp,
            "id": "indicator--0b5c0de1-0000-4000-8000-000000000001", "valid_from": stamp,
            "pattern_type": "stix", "pattern": "[url:value = 'https://pay.example/']",
            "object_marking_refs": [red]}),
        ),
        object(
            json!({"type": "indicator", "spec_version": "2.1", "created": stamp, "modified": stamp,
            "id": "indicator--0b5c0de1-0000-4000-8000-000000000002", "valid_from": stamp,
            "pattern_type": "stix", "pattern": "[url:value LIKE 'a%']"}),
        ),
        object(
            json!({"type": "campaign", "spec_version": "2.1", "created": stamp, "modified": stamp,
            "id": "campaign--0b5c0de1-0000-4000-8000-000000000003", "name": "c"}),
        ),
        object(
            json!({"type": "indicator", "spec_version": "2.1", "created": stamp, "modified": stamp,
            "id": "indicator--0b5c0de1-0000-4000-8000-000000000004", "valid_from": stamp,
            "pattern_type": "stix", "pattern": "[x-withheld:value = '[withheld]']"}),
        ),
    ];
    let written = write(&objects, &|_| Distribution::Stated);
    assert_eq!((written.events.len(), written.as_text), (1, 2));
    let event = &written.events[0];
    assert_eq!(event["distribution"], "0");
    let attributes = event["Attribute"].as_array().unwrap();
    let kinds: Vec<&str> = attributes.iter().map(|a| a["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["url", "stix2-pattern", "other", "other"]);
    assert_eq!(attributes[0]["value"], "https://pay.example/");
    assert_eq!(attributes[0]["Tag"][0]["name"], "tlp:red");
    let campaign = attributes.iter().find(|a| a["comment"] == "STIX campaign").unwrap();
    assert_eq!(campaign["value"].as_str().unwrap().as_bytes(), objects[2].raw());
    assert!(reaches_nobody(&json!({ "Event": event }).to_string()));
}

#[test]
fn of_two_assertions_of_one_record_neither_is_lost() {
    let objects = load(EVENT);
    let indicator = objects.values().find(|o| o.kind() == "indicator").unwrap().clone();
    let mut older = indicator.value().clone();
    older["modified"] = older["created"].clone();
    let older = StixObject::parse(older.to_string().as_bytes()).unwrap();
    let written = write(&[older, indicator], &|_| Distribution::Organisation);
    assert_eq!(written.as_text, 1);
    assert_eq!(written.events[0]["Attribute"].as_array().unwrap().len(), 2);
}

fn value_of(kind: &'static str) -> BoxedStrategy<String> {
    match kind {
        "ip-dst" => "(10|192)\\.0\\.2\\.[1-9]".boxed(),
        "domain|ip" => "[a-z]{1,8}\\.example\\|192\\.0\\.2\\.[1-9]".boxed(),
        _ => "[^\\x00]{1,30}".boxed(),
    }
}

prop_compose! {
    fn attribute()(kind in prop::sample::select(vec!["ip-dst", "domain|ip", "url", "iban", "text",
        "full-name", "sha256", "filename|sha1", "AS", "comment", "yara", "vulnerability", "mutex"]))
    (value in value_of(kind), kind in Just(kind), to_ids in any::<bool>(), deleted in any::<bool>(),
     uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}",
     distribution in prop::option::of(0_u8..6), comment in prop::option::of(".{1,20}"),
     at in 0_u32..2_000_000_000,
     seen in prop::collection::vec((0_u8..3, 1_u32..2_000_000_000), 0..2),
     tag in prop::option::of(prop::sample::select(vec!["tlp:green", "tlp:red", "PAP:AMBER",
        "a:b=\"c\"",
        "admiralty-scale:source-reliability=\"c\"", "dni-ism:dissem=\"NF\"", "tlp:nonsense"]))) -> Value {
        let seen: Vec<Value> = seen.iter().map(|(kind, at)|
            json!({"type": kind, "date_sighting": at.to_string()})).collect();
        let tags: Vec<Value> = tag.iter().map(|name| json!({ "name": name })).collect();
        json!({"type": kind, "value": value, "to_ids": to_ids, "deleted": deleted, "uuid": uuid,
            "distribution": distribution, "comment": comment, "timestamp": at.to_string(),
            "Sighting": seen, "Tag": tags})
    }
}

prop_compose! {
    fn event()(distribution in prop::option::of(0_u8..6), info in ".{1,40}",
        attributes in prop::collection::vec(attribute(), 0..6),
        inner in prop::collection::vec(attribute(), 0..4),
        name in prop::sample::select(vec!["file", "person", "organization", "case"]),
        tag in prop::sample::select(vec!["tlp:amber", "tlp:clear", "PAP:GREEN", "retention:2w", "x"]))
        -> Value {
        json!({"Event": {"uuid": "0b5c0de1-1111-4111-8111-000000000001", "info": info,
            "timestamp": "1772452800", "date": "2026-03-01", "distribution": distribution, "Attribute": attributes,
            "Tag": [{"name": tag}], "EventReport": [{"name": "n", "content": "c",
            "uuid": "0b5c0de1-1111-4111-8111-000000000003"}],
            "Object": [{"name": name, "uuid": "0b5c0de1-1111-4111-8111-000000000002", "Attribute": inner,
            "distribution": "5", "timestamp": "1772452801"}]}})
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_event_comes_back(event in event()) {
        let first = load(&event.to_string());
        let out = written(&first, Distribution::Stated);
        let second = load(&out);
        prop_assert_eq!(values(&first), values(&second), "{}", out);
    }

    #[test]
    fn what_is_handed_over_is_for_one_organisation(event in event()) {
        let out = written(&load(&event.to_string()), Distribution::Organisation);
        prop_assert!(reaches_nobody(&out), "{}", out);
    }
}
