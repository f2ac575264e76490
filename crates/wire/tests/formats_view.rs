//! The view the rules see, and objects with content withheld: the golden bundle and properties.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "tests may stop at the first surprise"
)]

use model::record::Record;
use proptest::prelude::*;
use std::ops::ControlFlow;
use std::path::Path;
use wire::json::parse_strict;
use wire::stix::{
    EXTENSION_ID, FRAME_PROPERTIES, Item, KNOWN_FIELDS, KnownMarkings, StixObject, WITHHELD,
    read_bundle, view,
};

fn golden() -> Vec<StixObject> {
    let mut objects = Vec::new();
    let text = include_bytes!("golden/stix/mixed.json");
    let outcome = read_bundle(&text[..], &mut |item| {
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(problem) => panic!("{problem}"),
        }
        ControlFlow::Continue(())
    });
    assert_eq!(outcome.unwrap().stix_20, 1);
    objects
}

fn look(object: &StixObject) -> Record {
    let mut known = KnownMarkings::default();
    golden().iter().for_each(|object| known.learn(object));
    view(object, &"xa.police.ct".parse().unwrap(), &known).unwrap()
}

fn of_kind(kind: &str) -> StixObject {
    golden().into_iter().find(|o| o.kind() == kind).unwrap()
}

/// Compares with a golden text; `ENTENTE_BLESS=1` writes it.
fn compare(path: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("ENTENTE_BLESS").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(want == found, "{} differs:\n{found}", path.display());
}

#[test]
fn the_golden_bundle_has_the_golden_views() {
    let views: Vec<String> = golden().iter().map(|o| format!("{:#?}\n", look(o))).collect();
    compare("tests/golden/stix/mixed.views.txt", &views.concat());
}

#[test]
fn a_person_stays_a_person_and_unknown_subjects_match_nothing() {
    let person = of_kind("identity");
    let text = String::from_utf8(person.raw().to_vec()).unwrap();
    let disguised = text.replace("\"record_type\": \"person\"", "\"record_type\": \"indicator\"");
    let record = look(&StixObject::parse(disguised.as_bytes()).unwrap());
    assert_eq!(record.kind, "person");
    assert_eq!(record.marks.unresolved.len(), 1);
    let silent = text.replace("\"subject\": \"suspect\",", "");
    let record = look(&StixObject::parse(silent.as_bytes()).unwrap());
    assert_eq!(record.subject, "unknown");
    assert!(look(&of_kind("threat-actor")).is_personal());
}

#[test]
fn every_property_belongs_to_a_field_or_to_the_frame() {
    for object in golden() {
        let record = look(&object);
        let pointers: Vec<_> = record.fields.values().flatten().collect();
        for property in object.value().as_object().unwrap().keys() {
            let pointer = format!("/{property}");
            let frame = FRAME_PROPERTIES.contains(&property.as_str());
            assert!(frame || pointers.contains(&&pointer), "{} {property}", object.id());
        }
    }
}

#[test]
fn withholding_keeps_the_rest_byte_for_byte_and_valid() {
    let person = of_kind("identity");
    let dob = format!("/extensions/{EXTENSION_ID}/fields/person.dob");
    let left = person.withhold(&["/name", &dob, "/contact_information"]).unwrap();
    let text = String::from_utf8(left.raw().to_vec()).unwrap();
    assert!(text.contains("12345678901234567890123") && text.contains("\"person.religion\""));
    for gone in ["Marek", "1988", "person.dob", "contact_information", "Zřídla"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    let record = look(&left);
    assert!(record.marks.unresolved.is_empty());
    assert!(!record.fields.contains_key("person.name") && text.contains(WITHHELD));
    assert!(record.field_marks.contains_key("x_seen_with.[0].on"));
    assert!(!record.field_marks.contains_key("person.dob"));
    assert!(person.withhold(&["/absent"]).is_err());
    let report = of_kind("report");
    assert!(report.withhold(&["/object_refs"]).is_err(), "a report without references is none");
    let fewer = report.withhold(&["/object_refs/0"]).unwrap();
    assert_eq!(fewer.value()["object_refs"].as_array().unwrap().len(), 1);
}

#[test]
fn markings_follow_the_elements_they_mark() {
    let text = r#"{"type":"tool","spec_version":"2.1","id":"tool--00000000-0000-4000-8000-000000000001",
        "created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z","name":"t",
        "aliases":["a","b","c"],"granular_markings":[
        {"marking_ref":"marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed","selectors":["aliases.[0]","aliases.[2]"]}]}"#;
    let tool = StixObject::parse(text.as_bytes()).unwrap();
    let left = tool.withhold(&["/aliases/0", "/aliases/1"]).unwrap();
    let selectors = left.value().pointer("/granular_markings/0/selectors").unwrap();
    assert_eq!(selectors, &serde_json::json!(["aliases.[0]"]));
    assert!(look(&left).marks.unresolved.is_empty());
    let none = tool.withhold(&["/aliases/0", "/aliases/1", "/aliases/2"]).unwrap();
    assert!(none.value().get("granular_markings").is_none());
    assert!(none.value().get("aliases").is_none());
}

#[test]
fn the_reference_page_lists_the_tables() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/stix-fields.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows: String = KNOWN_FIELDS
        .iter()
        .map(|row| format!("| `{}` | `{}` | `{}` |\n", row.kind, row.property, row.field))
        .collect();
    assert!(page.contains(&rows), "docs/reference/stix-fields.md must hold these rows:\n{rows}");
    let frame = FRAME_PROPERTIES.map(|p| format!("`{p}`")).join(", ");
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&page).contains(&words(&frame)), "docs/reference/stix-fields.md: {frame}");
}

proptest! {
    /// Whatever subset of the fields is withheld: the rest is untouched, nothing of it is left,
    /// and nothing becomes visible that was not.
    #[test]
    fn any_subset_of_fields_can_go(chosen in prop::collection::vec(any::<bool>(), 40)) {
        for object in golden() {
            let record = look(&object);
            let gone: Vec<&str> = record.fields.values().zip(&chosen)
                .filter(|(_, go)| **go).flat_map(|(p, _)| p.iter().map(String::as_str)).collect();
            let outermost: Vec<&str> = gone.iter().copied().filter(|p| {
                !gone.iter().any(|q| p.strip_prefix(q).is_some_and(|r| r.starts_with('/')))
            }).collect();
            let Ok(left) = object.withhold(&outermost) else { continue };
            prop_assert_eq!(left.id(), object.id());
            prop_assert_eq!(&parse_strict(left.raw()).unwrap(), left.value());
            let after = look(&left);
            for field in after.fields.keys().filter(|f| !f.contains('[')) {
                prop_assert!(record.fields.contains_key(field), "{} appeared", field);
            }
            let order: Vec<_> = record.fields.keys().zip(&chosen).filter(|(_, go)| **go).collect();
            for (field, _) in order {
                prop_assert!(!after.fields.contains_key(field), "{} is still there", field);
            }
            prop_assert!(after.marks.unresolved.len() <= record.marks.unresolved.len());
        }
    }
}
