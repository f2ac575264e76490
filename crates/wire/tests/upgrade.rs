//! STIX 2.0 as 2.1: what is renamed, what becomes an object of its own, and what never gets wider.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "tests may stop at the first surprise"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use wire::stix::{KnownMarkings, SpecVersion, StixObject, UpgradeProblem, upgrade, view};

const RED: &str = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
const GREEN: &str = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";

fn object(kind: &str, rest: Value) -> StixObject {
    let mut all = json!({"type": kind, "id": format!("{kind}--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a01"),
        "created": "2017-01-01T00:00:00.000Z", "modified": "2017-01-02T00:00:00.123456789Z"});
    all.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    StixObject::parse(all.to_string().as_bytes()).unwrap()
}

fn observed(objects: Value) -> StixObject {
    object(
        "observed-data",
        json!({"first_observed": "2017-01-01T00:00:00Z", "last_observed": "2017-01-01T00:00:00Z",
            "number_observed": 1, "objects": objects}),
    )
}

fn upgraded(object: &StixObject) -> Vec<StixObject> {
    upgrade(object).unwrap().unwrap()
}

#[test]
fn labels_become_types_and_what_2_1_requires_is_there() {
    let indicator = object(
        "indicator",
        json!({"labels": ["malicious-activity", "x"], "pattern": "[file:name = 'a']",
            "valid_from": "2017-01-01T00:00:00Z",
            "granular_markings": [{"marking_ref": RED, "selectors": ["labels.[1]", "labels"]}]}),
    );
    assert_eq!(indicator.spec(), SpecVersion::V20);
    let [found] = &upgraded(&indicator)[..] else { panic!("one object") };
    let value = found.value();
    assert_eq!(found.spec(), SpecVersion::V21);
    assert_eq!(value["indicator_types"], json!(["malicious-activity", "x"]));
    assert_eq!(value.get("labels"), None);
    assert_eq!(
        (&value["pattern_type"], &value["pattern_version"]),
        (&json!("stix"), &json!("2.0"))
    );
    let selectors = &value["granular_markings"][0]["selectors"];
    assert_eq!(selectors, &json!(["indicator_types.[1]", "indicator_types"]));
    assert_eq!(found.version_text(), indicator.version_text(), "the version is written the same");
    let malware = object("malware", json!({"name": "m", "labels": ["trojan"]}));
    let [found] = &upgraded(&malware)[..] else { panic!("one object") };
    assert_eq!(found.value()["is_family"], false);
    assert_eq!(found.value()["malware_types"], json!(["trojan"]));
    // Labels of other types are labels still.
    let identity = object("identity", json!({"name": "i", "identity_class": "x", "labels": ["l"]}));
    assert_eq!(upgraded(&identity)[0].value()["labels"], json!(["l"]));
    assert!(upgrade(&upgraded(&identity)[0]).unwrap().is_none(), "2.1 stays as it is");
}

#[test]
fn observables_become_objects_with_the_ids_the_standard_computes() {
    let data = observed(json!({
        "0": {"type": "ipv4-addr", "value": "198.51.100.3"},
        "1": {"type": "network-traffic", "src_ref": "0", "protocols": ["tcp"],
              "extensions": {"socket-ext": {"address_family": "AF_INET", "protocol_family": "PF"}}},
        "2": {"type": "file", "name": "a", "created": "2016-01-01T00:00:00Z", "size": 1,
              "parent_directory_ref": "3", "is_encrypted": true, "hashes": {"ssdeep": "3:a:b"}},
        "3": {"type": "directory", "path": "/tmp", "contains_refs": ["2"]},
        "4": {"type": "process", "pid": 7, "name": "sh", "binary_ref": "2",
              "environment_variables": {"home_ref": "/root"}},
        "5": {"type": "x-thing", "x_seen_ref": "nowhere", "big": 12}
    }));
    let all = upgraded(&data);
    assert_eq!(all.len(), 7);
    let of = |kind: &str| all.iter().find(|o| o.kind() == kind).unwrap();
    let ip = of("ipv4-addr").id().as_str();
    assert_eq!(ip, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4");
    let traffic = of("network-traffic").value();
    assert_eq!(traffic["src_ref"], ip);
    assert_eq!(traffic["extensions"]["socket-ext"]["x_protocol_family"], "PF");
    let (file, folder, process) = (of("file"), of("directory"), of("process"));
    assert_eq!(file.value()["parent_directory_ref"], folder.id().as_str());
    assert_eq!(folder.value()["contains_refs"], json!([file.id().as_str()]));
    assert_eq!(
        (&file.value()["ctime"], file.value().get("created")),
        (&json!("2016-01-01T00:00:00Z"), None)
    );
    assert_eq!(file.value()["hashes"]["SSDEEP"], "3:a:b");
    assert_eq!(process.value()["image_ref"], file.id().as_str());
    assert_eq!(process.value()["x_name"], "sh");
    assert_eq!(process.value()["environment_variables"]["home_ref"], "/root");
    assert!(all.iter().all(|o| o.other_computed_id().is_none() && o.spec() == SpecVersion::V21));
    let main = all.last().unwrap();
    assert_eq!(main.value()["object_refs"].as_array().unwrap().len(), 6);
    assert_eq!(main.value().get("objects"), None);
    let again = upgraded(&data);
    let raws = |all: &[StixObject]| all.iter().map(|o| o.raw().to_vec()).collect::<Vec<_>>();
    assert_eq!(raws(&all), raws(&again), "the same input gives the same bytes");
}

#[test]
fn circles_and_long_chains_end_and_broken_references_are_named() {
    let circle = observed(json!({
        "0": {"type": "file", "name": "a", "extensions": {"archive-ext": {"contains_refs": ["1"]}}},
        "1": {"type": "file", "name": "b", "extensions": {"archive-ext": {"contains_refs": ["0"]}}}
    }));
    assert_eq!(upgraded(&circle).len(), 3);
    let mut chain = serde_json::Map::new();
    for at in 0..20_000 {
        let next = (at + 1) % 20_000;
        chain.insert(
            at.to_string(),
            json!({"type": "file", "name": at.to_string(),
            "extensions": {"archive-ext": {"contains_refs": [next.to_string()]}}}),
        );
    }
    assert_eq!(upgraded(&observed(Value::Object(chain))).len(), 20_001);
    let broken =
        observed(json!({"0": {"type": "network-traffic", "src_ref": "9", "protocols": ["x"]}}));
    let problem = upgrade(&broken).unwrap_err();
    let UpgradeProblem::Dangling { pointer, key } = &problem else { panic!("{problem}") };
    assert_eq!((pointer.as_str(), key.as_str()), ("/objects/0/src_ref", "9"));
    assert!(upgrade(&observed(json!({"0": {"value": "a"}}))).is_err());
    let mut lost = observed(json!({"0": {"type": "mutex", "name": "m"}})).value().clone();
    lost["granular_markings"] = json!([{"marking_ref": RED, "selectors": ["objects.7"]}]);
    let lost = StixObject::parse(lost.to_string().as_bytes()).unwrap();
    assert_eq!(upgrade(&lost), Err(UpgradeProblem::Selector("objects.7".into())));
    let bad = observed(json!({"0": {"type": "ipv4-addr"}}));
    assert!(matches!(upgrade(&bad), Err(UpgradeProblem::Result(_))));
}

proptest! {
    /// Whatever is marked, and where: no observable and no observed-data is marked less strictly.
    #[test]
    fn nothing_becomes_wider(
        whole in prop::option::of(0..2usize),
        part in prop::option::of(0..2usize),
        place in 0..5usize,
    ) {
        let marks = [GREEN, RED];
        let places = ["objects", "objects.0.value", "objects.1.name", "type", "number_observed"];
        let mut data = observed(json!({"0": {"type": "ipv4-addr", "value": "198.51.100.3"},
            "1": {"type": "mutex", "name": "m"}})).value().clone();
        if let Some(mark) = whole {
            data["object_marking_refs"] = json!([marks[mark]]);
        }
        if let Some(mark) = part {
            data["granular_markings"] =
                json!([{"marking_ref": marks[mark], "selectors": [places[place]]}]);
        }
        let data = StixObject::parse(data.to_string().as_bytes()).unwrap();
        let agency = "xa.police.ct".parse().unwrap();
        let label = |object: &StixObject| view(object, &agency, &KnownMarkings::default()).unwrap();
        let before = label(&data);
        prop_assert!(before.marks.unresolved.is_empty());
        let strictest = before.field_marks.values().filter_map(|m| m.tlp).max();
        for made in upgraded(&data) {
            let after = label(&made);
            prop_assert!(after.marks.unresolved.is_empty(), "{:?}", after.marks.unresolved);
            prop_assert!(after.marks.tlp >= before.marks.tlp);
            if part.is_some() && place < 4 {
                let parts = after.field_marks.values().filter_map(|m| m.tlp).max();
                prop_assert!(after.marks.tlp.max(parts) >= strictest, "{}", made.kind());
            }
        }
    }
}
