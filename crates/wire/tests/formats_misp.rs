//! MISP events as records: what each part becomes, and that nothing becomes wider.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use wire::misp::{Audiences, read};
use wire::stix::{Item, KnownMarkings, Rejected, StixObject, view};

const EVENT: &str = include_str!("data/misp/lantern.json");

type Read = (BTreeMap<String, StixObject>, Vec<Rejected>);

fn load(text: &str) -> Read {
    let audiences = Audiences { own: Some("XA".parse().unwrap()), ..Audiences::default() };
    let (mut objects, mut bad) = (BTreeMap::new(), Vec::new());
    let summary = read(text.as_bytes(), &audiences, &mut |item| {
        match item {
            Item::Object(object) => {
                objects.insert(object.id().as_str().to_owned(), *object);
            }
            Item::Rejected(rejected) => bad.push(*rejected),
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(summary.accepted as usize, objects.len());
    (objects, bad)
}

fn record(object: &StixObject) -> model::record::Record {
    view(object, &"xa.police.ct".parse().unwrap(), &KnownMarkings::default()).unwrap()
}

#[test]
fn each_part_of_an_event_is_one_record() {
    let (objects, bad) = load(EVENT);
    let ids: Vec<&str> = objects.keys().map(String::as_str).collect();
    assert_eq!(
        ids,
        [
            "identity--0b5c0de1-6666-4666-8666-000000000006",
            "indicator--0b5c0de1-3333-4333-8333-000000000003",
            "note--0b5c0de1-9999-4999-8999-000000000009",
            "observed-data--0b5c0de1-3333-4333-8333-000000000005",
            "opinion--0b5c0de1-4444-4444-8444-000000000005",
            "relationship--0b5c0de1-8888-4888-8888-000000000008",
            "report--0b5c0de1-1111-4111-8111-000000000001",
            "sighting--0b5c0de1-4444-4444-8444-000000000004",
            "x-misp-attribute--0b5c0de1-3333-4333-8333-000000000004",
        ]
    );
    assert_eq!(bad.len(), 1);
    assert_eq!(bad[0].place.pointer, "/response/0/Event/Attribute/3/uuid");
    let indicator = &objects[ids[1]];
    let pattern = "[domain-name:value = 'pay.harrow.example' AND \
                   domain-name:resolves_to_refs[*].value = '192.0.2.7']";
    assert_eq!(indicator.text("pattern"), Some(pattern));
}

#[test]
fn nothing_becomes_wider() {
    let (objects, _) = load(EVENT);
    for (id, object) in &objects {
        let record = record(object);
        assert!(record.marks.unresolved.is_empty(), "{id}: {:?}", record.marks.unresolved);
        assert_eq!(record.marks.tlp, Some(model::marking::Tlp::Amber), "{id}");
        assert!(record.caveats.contains("NO_ONWARD"), "{id}");
        let narrow = id.starts_with("x-misp-attribute") || id.starts_with("observed-data");
        let nobody = record.marks.rel_to.as_ref().is_some_and(|parties| parties.is_empty());
        assert_eq!((nobody, record.stops.concealed), (narrow, narrow), "{id}");
        assert_eq!(record.grade.map(|g| g.to_string()).as_deref(), Some("B6"), "{id}");
    }
    let report = record(&objects["report--0b5c0de1-1111-4111-8111-000000000001"]);
    for own in ["misp.local", "misp.local_tags"] {
        assert!(report.field_marks[own].rel_to.as_ref().unwrap().is_empty());
    }
    let person = record(&objects["identity--0b5c0de1-6666-4666-8666-000000000006"]);
    assert_eq!((person.kind.as_str(), person.subject.as_str()), ("person", "unknown"));
    assert_eq!(person.fields["person.name"].len(), 2);
    assert!(person.fields.contains_key("person.dob"));
}

#[test]
fn the_same_event_is_the_same_bytes_and_other_containers_say_the_same() {
    let whole: serde_json::Value = serde_json::from_str(EVENT).unwrap();
    let event = &whole["response"][0];
    let bare = event["Event"].to_string();
    for text in [EVENT.to_owned(), event.to_string(), format!("[{event}]"), bare] {
        assert_eq!(load(&text).0, load(EVENT).0);
    }
}

#[test]
fn what_is_no_event_is_refused_with_its_place() {
    let audiences = Audiences::default();
    for wrong in ["", "{}", "7", "{\"a\":1}", "[1]", "{\"Event\":", "{\"Event\":{}}"] {
        let fatal = read(wrong.as_bytes(), &audiences, &mut |_| ControlFlow::Continue(()));
        assert!(!fatal.expect_err(wrong).cure.is_empty());
    }
}
