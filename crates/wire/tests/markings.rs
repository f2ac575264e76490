//! Markings of every scheme: understood, or unknown as a whole; and a part that is marked, however
//! deep, never leaves.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests may stop at the first surprise"
)]

use model::marking::Tlp;
use model::record::Record;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use wire::stix::{EXTENSION_ID, KnownMarkings, StixObject, built_in_tlp, view};

const ID: &str = "marking-definition--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a01";
const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
const PAP: &str = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b";
const ACS: &str = "extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce";

fn parse(value: &Value) -> StixObject {
    StixObject::parse(value.to_string().as_bytes()).unwrap()
}

fn definition(rest: Value) -> StixObject {
    let mut all = json!({"type": "marking-definition", "spec_version": "2.1", "id": ID,
        "created": "2026-01-01T00:00:00Z"});
    all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    parse(&all)
}

fn see(object: &Value, known: &KnownMarkings) -> Record {
    view(&parse(object), &"xa.police.ct".parse().unwrap(), known).unwrap()
}

/// A record marked with a definition.
fn marked(rest: Value) -> Record {
    let mut known = KnownMarkings::default();
    known.learn(&definition(rest));
    see(&indicator(json!({"object_marking_refs": [ID]})), &known)
}

fn indicator(rest: Value) -> Value {
    let mut all = json!({"type": "indicator", "spec_version": "2.1",
        "id": "indicator--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a02", "name": "n",
        "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z",
        "pattern": "[url:value = 'x']", "pattern_type": "stix",
        "valid_from": "2026-01-01T00:00:00Z"});
    all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    all
}

fn caveats(record: &Record) -> Vec<&str> {
    record.caveats.iter().map(String::as_str).collect()
}

#[test]
fn pap_is_a_caveat_in_each_of_its_forms() {
    for form in [
        json!({"extensions": {PAP: {"extension_type": "property-extension", "pap": "red"}}}),
        json!({"definition_type": "PAP", "definition": {"PAP": "RED"}}),
        json!({"definition_type": "statement", "definition": {"statement": " PAP:RED "}}),
    ] {
        let record = marked(form);
        assert!(record.marks.unresolved.is_empty());
        assert_eq!(caveats(&record), ["PAP:RED"]);
    }
    let fixed = "marking-definition--740d36e5-7714-4c30-961a-3ae632ceee0e";
    let record =
        see(&indicator(json!({"object_marking_refs": [fixed]})), &KnownMarkings::default());
    assert_eq!(caveats(&record), ["PAP:RED"], "the fixed identifiers need no definition");
    for form in [
        json!({"extensions": {PAP: {"extension_type": "property-extension", "pap": "violet"}}}),
        json!({"extensions": {PAP: {"pap": "red", "and": 1}}}),
        json!({"definition_type": "pap", "definition": {"pap": "red", "tlp": "red"}}),
    ] {
        assert_eq!(marked(form).marks.unresolved, [ID]);
    }
}

#[test]
fn iep_is_read_whole_or_not_at_all() {
    let policy = |more: Value| {
        let mut all = json!({"id": "7d0e6c5e", "name": "p", "iep_version": 2.0, "tlp": "AMBER",
            "encrypt_in_transit": "must", "permitted_actions": "none", "attribution": "may",
            "affected_party_notifications": "must-not", "start_date": "2026-01-01T00:00:00Z",
            "end_date": "2027-01-01T00:00:00Z", "unmodified_resale": "must_not"});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        marked(json!({"definition_type": "iep", "definition": all}))
    };
    let record = policy(json!({}));
    assert!(record.marks.unresolved.is_empty());
    assert_eq!(record.marks.tlp, Some(Tlp::Amber));
    assert_eq!(record.provider_limit, Some("2027-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(
        caveats(&record),
        [
            "IEP:AFFECTED_PARTY_NOTIFICATIONS:MUST_NOT",
            "IEP:ENCRYPT_IN_TRANSIT:MUST",
            "IEP:PERMITTED_ACTIONS:NONE",
            "IEP:UNMODIFIED_RESALE:MUST_NOT"
        ]
    );
    for wrong in [
        json!({"external_reference": "https://e.example/policy"}),
        json!({"permitted_actions": "everything"}),
        json!({"tlp": "blue"}),
        json!({"iep_version": 9}),
        json!({"end_date": "soon"}),
        json!({"secret_clause": "must"}),
        json!({"encrypt_in_transit": true}),
    ] {
        assert_eq!(policy(wrong.clone()).marks.unresolved, [ID], "{wrong}");
    }
}

#[test]
fn acs_narrows_and_never_widens() {
    let everybody = json!({"permitted_nationalities": ["ALL"], "permitted_organizations": ["ALL"],
        "shareability": ["ALL"], "entity": ["ALL"]});
    let acs = |more: Value| {
        let mut all = json!({"extension_type": "property-extension",
            "identifier": "isa:guide.19001.ACS3-e0c28f68-5570-434a-9764-3e8498f0a59a",
            "create_date_time": "2026-01-01T00:00:00Z", "responsible_entity_custodian": "USA.DHS",
            "policy_reference": "urn:isa:policy:acs:ns:v3.0?privdefault=deny&sharedefault=deny",
            "access_privilege": [{"privilege_action": "ALL", "privilege_scope": everybody,
                                  "rule_effect": "permit"}],
            "further_sharing": [{"sharing_scope": ["FOREIGNGOV"], "rule_effect": "permit"}],
            "control_set": {"classification": "U", "formal_determination": ["FOUO"]}});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        marked(json!({"extensions": {ACS: all}}))
    };
    let open = acs(json!({}));
    assert!(open.marks.unresolved.is_empty() && !open.stops.orcon && open.marks.class.is_none());
    assert_eq!(caveats(&open), ["ACS:FORMAL_DETERMINATION:FOUO"]);
    let usg = json!([{"sharing_scope": ["USA.USG"], "rule_effect": "permit"}]);
    assert!(acs(json!({"further_sharing": usg})).stops.orcon);
    assert!(acs(json!({"access_privilege": []})).stops.orcon, "the default is to deny");
    let controls = |set: Value| acs(json!({"control_set": set}));
    let secret = controls(json!({"classification": "S", "formal_determination": ["NF"],
        "permitted_nationalities": ["XA", "XB"]}));
    assert_eq!(secret.marks.class.unwrap().label, "SECRET");
    assert!(secret.marks.noforn && secret.marks.rel_to.unwrap().len() == 2);
    let some = json!({"permitted_organizations": ["USA.DHS"]});
    for wrong in [
        json!({"control_set": {"classification": "X"}}),
        json!({"control_set": {}}),
        json!({"control_set": {"classification": "U", "sci_controls": ["SI"]}}),
        json!({"control_set": {"classification": "U", "shareability": ["LE"]}}),
        json!({"access_privilege": [{"privilege_action": "ALL", "privilege_scope": some,
                                     "rule_effect": "permit"}]}),
        json!({"further_sharing": [{"sharing_scope": ["ALL"], "rule_effect": "deny"}]}),
        json!({"new_rule": []}),
        json!({"resource_disposition": {"disposition_date": "x"}}),
    ] {
        assert_eq!(acs(wrong.clone()).marks.unresolved, [ID], "{wrong}");
    }
}

#[test]
fn handling_codes_and_caveats_stand_in_definitions_too() {
    let record = marked(json!({"extensions": {EXTENSION_ID: {"handling": ["H2"], "orcon": true,
        "caveats": ["EYES"], "provider_limit": "2027-01-01T00:00:00Z"}}}));
    assert!(record.handling.contains("H2") && record.stops.orcon);
    assert_eq!(caveats(&record), ["EYES"]);
    let statement = |text: &str| {
        marked(json!({"definition_type": "statement", "definition": {"statement": text}}))
    };
    assert_eq!(statement("TLP:RED").marks.tlp, Some(Tlp::Red), "a label is a label");
    let copyright = statement("Copyright 2026, no TLP:RED here");
    assert!(copyright.marks.tlp.is_none() && copyright.marks.unresolved.is_empty());
    let other = marked(json!({"definition_type": "house-rule", "definition": {"rule": "quiet"}}));
    assert_eq!(other.marks.unresolved, [ID]);
    assert_eq!(built_in_tlp(RED), Some(Tlp::Red));
}

/// Any content two levels deep, with keys that look like the grammar of selectors.
fn content() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![Just(json!("secret")), Just(json!(7)), Just(json!(null))];
    let key = prop::sample::select(vec!["a", "b.c", "[0]", "a.b", "x y", "é", "a-b", "0", "*"]);
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
            prop::collection::btree_map(key.clone(), inner, 1..4).prop_map(|map| {
                Value::Object(
                    map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

/// Every path below a value: as a selector and as a pointer.
fn paths(value: &Value, selector: &str, pointer: &str, out: &mut Vec<(String, String)>) {
    out.push((selector.to_owned(), pointer.to_owned()));
    match value {
        Value::Object(map) => {
            for (key, child) in map {
                let token = key.replace('~', "~0").replace('/', "~1");
                paths(child, &format!("{selector}.{key}"), &format!("{pointer}/{token}"), out);
            }
        }
        Value::Array(list) => {
            for (at, child) in list.iter().enumerate() {
                paths(child, &format!("{selector}.[{at}]"), &format!("{pointer}/{at}"), out);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// Whatever part is marked: it is a field of its own with that marking, or all of it refuses;
    /// and withholding the field takes the part out.
    #[test]
    fn a_marked_part_is_found_wherever_it_is(
        deep in content(),
        pick in any::<prop::sample::Index>(),
    ) {
        let mut all = Vec::new();
        paths(&deep, "x_deep", "/x_deep", &mut all);
        let (selector, pointer) = pick.get(&all).clone();
        let object = indicator(json!({"x_deep": deep,
            "granular_markings": [{"marking_ref": RED, "selectors": [selector]}]}));
        let record = see(&object, &KnownMarkings::default());
        let marks = record.field_marks.iter();
        let marked: Vec<_> = marks.filter(|(_, m)| m.tlp == Some(Tlp::Red)).collect();
        let refused = record.marks.tlp == Some(Tlp::Red) || !record.marks.unresolved.is_empty();
        prop_assert!(refused || !marked.is_empty(), "{selector}");
        let covers = |p: &String| pointer == *p || pointer.starts_with(&format!("{p}/"));
        let found = marked.iter().any(|(field, _)| record.fields[*field].iter().any(covers));
        prop_assert!(refused || found, "`{selector}` marks {marked:?}, not {pointer}");
        for (field, _) in marked {
            let pointers: Vec<&str> = record.fields[field].iter().map(String::as_str).collect();
            let pointers: Vec<&str> = pointers.iter().copied().filter(|p| {
                !pointers.iter().any(|other| p != other && p.starts_with(&format!("{other}/")))
            }).collect();
            let left = parse(&object).withhold(&pointers).unwrap();
            prop_assert!(left.value().get("granular_markings").is_none());
            // What is left has lost that part and nothing else that was not in it.
            prop_assert!(left.raw().len() < parse(&object).raw().len());
        }
    }
}
