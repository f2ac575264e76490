//! What leaves in a file: the own copy byte for byte, and releases that are decided on and logged.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise"
)]

mod stage;

use serde_json::Value;
use stage::{COALITION, Folder, Site, introduce, scenario};
use std::collections::BTreeMap;

const TO_XB: [&str; 8] = [
    "export",
    "stix",
    "--to",
    "xb.police.ct",
    "--purpose",
    "ct.investigation",
    "--offence",
    "financing",
];

fn path(folder: &Folder, name: &str) -> String {
    folder.0.join(name).display().to_string()
}

/// Entries of each kind in the log of a site.
fn kinds(site: &Site) -> BTreeMap<String, u64> {
    let verified = site.run(&["log", "verify"]);
    serde_json::from_value(verified["audit"]["kinds"].clone()).unwrap()
}

fn number(kinds: &BTreeMap<String, u64>, kind: &str) -> u64 {
    kinds.get(kind).copied().unwrap_or(0)
}

/// Objects that a reader which parses numbers and times, or drops what it does not know, changes.
fn delicate() -> Vec<String> {
    let frame = |kind: &str, last: &str, rest: &str| {
        format!(
            "{{\"type\":\"{kind}\",\"spec_version\":\"2.1\",\
             \"id\":\"{kind}--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a{last}\",\
             \"created\":\"2026-01-01T00:00:00.123456Z\",\
             \"modified\":\"2026-01-01T00:00:00.123456789Z\",{rest}}}"
        )
    };
    vec![
        frame(
            "location",
            "01",
            "\"latitude\":48.200000000000003,\"longitude\":1.6370e1,\"x_big\":\
             123456789012345678901234567890,\"x_float\":-0.0,\"x_exponent\":1E+2,\"x_null\":null",
        ),
        frame("x-vessel", "02", "\"imo\":\"9074729\",\"nested\":{\"a\":[[],{},\"\"]}"),
        frame(
            "identity",
            "03",
            "\"name\":\"caf\\u00e9 \\ud83d\\ude00 \\/ \u{2028}\u{200f}\",\"revoked\":true,\
             \"extensions\":{\"extension-definition--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7aff\":\
             {\"extension_type\":\"property-extension\",\"rank\":5.0}}",
        ),
        frame(
            "report",
            "04",
            "\"name\":\"r\",\"published\":\"2026-01-01T00:00:00Z\",\"report_types\":[\"threat-\
             report\"],\"object_refs\":[\"identity--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a03\"],\
             \"granular_markings\":[{\"lang\":\"de\",\"selectors\":[\"name\",\
             \"report_types.[0]\"]}]",
        ),
        "{\"type\":\"file\",\"spec_version\":\"2.1\",\
         \"id\":\"file--0c7f7b9e-3a52-5f0e-9c1c-2f3f5d2a7a05\",\"name\":\"a.exe\",\
         \"size\":18446744073709551616,\"hashes\":{\"MD5\":\"d41d8cd98f00b204e9800998ecf8427e\"}}"
            .to_owned(),
    ]
}

#[test]
fn the_own_copy_is_what_was_imported_byte_for_byte() {
    let folder = Folder::new();
    let mut xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let mut objects = delicate();
    // More than one portion.
    objects.extend((0..1_200).map(|at| {
        format!(
            "{{\"type\":\"url\",\"id\":\"url--0c7f7b9e-3a52-5f0e-9c1c-2f3f5d2b{at:04x}\",\
             \"value\":\"https://{at}.example\"}}"
        )
    }));
    let file = path(&folder, "in.jsonl");
    std::fs::write(&file, objects.join("\n")).unwrap();
    let said = xa.run(&["import", "stix", &file]);
    assert_eq!(said["stored"], objects.len(), "{said}");
    objects.sort_unstable();
    let export = |site: &Site, name: &str, words: &[&str]| {
        let out = path(&folder, name);
        let mut all = vec!["export", "stix", "--own", "--out", &out];
        all.extend(words);
        let said = site.run(&all);
        assert_eq!(said["objects"], objects.len(), "{said}");
        std::fs::read_to_string(&out).unwrap()
    };
    let lines = export(&xa, "out.jsonl", &["--lines"]);
    let mut found: Vec<&str> = lines.lines().collect();
    found.sort_unstable();
    assert_eq!(found, objects);
    let bundle: Value = serde_json::from_str(&export(&xa, "out.json", &[])).unwrap();
    assert_eq!((&bundle["type"], bundle.get("spec_version")), (&Value::from("bundle"), None));
    assert_eq!(bundle["objects"].as_array().unwrap().len(), objects.len());
    // Through the door of the running node it is the same.
    xa.serve();
    assert_eq!(export(&xa, "door.jsonl", &["--lines"]), lines);
    let read = kinds(&xa);
    assert_eq!(number(&read, "release"), 0, "an own copy is no release");
    assert_eq!(number(&read, "query"), 9, "three portions each time");
}

#[test]
fn a_release_in_a_file_is_decided_on_logged_and_named() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    let file = scenario("records/xa-reports.json");
    xa.run(&["import", "stix", file.to_str().unwrap()]);
    let before = kinds(&xa);
    let dry = xa.run(&[&TO_XB[..], &["--dry-run"]].concat());
    assert_eq!(number(&kinds(&xa), "release"), 0, "a dry run releases nothing");
    let (out, terms) = (path(&folder, "out.json"), path(&folder, "terms.jsonl"));
    let said = xa.run(&[&TO_XB[..], &["--out", &out, "--terms", &terms]].concat());
    assert_eq!(said["tally"], dry["tally"], "a dry run says what then happens");
    let tally = |key: &str| said["tally"][key].as_u64().unwrap();
    let (went, hits) = (tally("released") + tally("redacted"), tally("hit_only"));
    assert!(went > 3 && hits > 0 && tally("redacted") > 0 && tally("refused") > 0, "{said}");
    let after = kinds(&xa);
    assert_eq!(number(&after, "release") - number(&before, "release"), went + hits);
    assert_eq!(number(&after, "refusal") - number(&before, "refusal"), tally("refused"));
    assert_eq!(number(&after, "dispatch"), 0, "nothing is sealed for the link");

    let bundle: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    let objects = bundle["objects"].as_array().unwrap();
    assert_eq!(u64::try_from(objects.len()).unwrap(), went);
    let terms = std::fs::read_to_string(&terms).unwrap();
    let terms: Vec<Value> = terms.lines().map(|t| serde_json::from_str(t).unwrap()).collect();
    assert_eq!(u64::try_from(terms.len()).unwrap(), went + hits);
    assert!(terms.iter().all(|t| !t["basis"].as_array().unwrap().is_empty()));
    let articles = said["articles"].as_object().unwrap();
    assert!(!articles.is_empty() && articles.keys().all(|a| a.contains('#')), "{articles:?}");

    // What a file carried is recalled like anything else, and the link still delivers it.
    let id = objects[0]["id"].as_str().unwrap();
    let share =
        xa.run(&["share", id, "--to", "xb.police.ct", TO_XB[4], TO_XB[5], TO_XB[6], TO_XB[7]]);
    assert_eq!(share["shared"][0]["repeated"], false, "nobody acknowledged the file: {share}");
    let other = objects[1]["id"].as_str().unwrap();
    let told = xa.run(&["recall", other, "--reason", "an error"]);
    assert_eq!(told["told"], serde_json::json!(["xb.police.ct"]));
    let again = xa.run(&[&TO_XB[..], &["--out", &out]].concat());
    assert!(again["objects"].as_u64().unwrap() > 0, "what went goes again: {again}");
    let text = std::fs::read_to_string(&out).unwrap();
    assert!(text.contains(id) && !text.contains(other), "all but what was recalled");
}

#[test]
fn what_cannot_be_exported_says_why_and_how_to_cure_it() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    let file = scenario("records/xa-reports.json");
    xa.run(&["import", "stix", file.to_str().unwrap()]);
    let run = |words: &[&str]| {
        let done = xa.command(words);
        let errors = String::from_utf8(done.stderr).unwrap();
        assert!(!errors.contains("panicked"), "{errors}");
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap(), errors)
    };
    let stranger: Vec<&str> =
        TO_XB.iter().map(|w| if *w == "xb.police.ct" { "xz.nobody" } else { w }).collect();
    let (status, out, errors) = run(&stranger);
    assert_eq!(status, 2, "{errors}");
    assert!(errors.contains("help:") && !out.contains("objects"), "{out} {errors}");
    // Every record refused: the rules refuse.
    let purpose = ["export", "stix", "--to", "xb.police.ct", "--purpose", "evidence.nothing"];
    let (status, out, errors) = run(&purpose);
    assert_eq!((status, out.contains("objects")), (1, false), "{errors}");
    assert!(errors.contains("refused"), "{errors}");
    let bundle: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(bundle.get("objects"), None, "a bundle without objects has no list of them");
    for words in [
        vec!["export", "stix"],
        vec!["export", "stix", "--own", "--to", "xb.police.ct", "--purpose", "p"],
        vec!["export", "stix", "--to", "xb.police.ct"],
        vec!["export", "stix", "--own", "--purpose", "p"],
        vec!["export", "stix", "--own", "--terms", "t"],
        vec!["export", "stix", "--own", "--type", "report", "report--x"],
    ] {
        assert_eq!(run(&words).0, 2, "{words:?}");
    }
    let (status, _, errors) = run(&["export", "stix", "--own", "--out", "/no/such/folder/x"]);
    assert!(status == 2 && errors.contains("/no/such/folder/x"), "{errors}");
    // Only what is asked for.
    let (status, out, _) = run(&["export", "stix", "--own", "--type", "person", "--lines"]);
    assert_eq!(status, 0);
    assert!(out.lines().count() > 0 && out.lines().all(|l| l.contains("\"identity\"")), "{out}");
}

#[test]
fn standing_orders_see_stix_20_once_in_its_21_form() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    let xb = Site::new(&folder, "xb.police.ct", "XB", None);
    introduce(&[&xa, &xb], &COALITION);
    let mut order = vec!["order", "add"];
    order.extend(&TO_XB[2..]);
    xa.run(&order);
    let id = "indicator--0c7f7b9e-3a52-4f0e-9c1c-2f3f5d2a7a01";
    let older = serde_json::json!({"type": "indicator", "id": id, "labels": ["benign"],
        "created": "2017-01-01T00:00:00.000Z", "modified": "2017-01-01T00:00:00.000Z",
        "pattern": "[file:name = 'a']", "valid_from": "2017-01-01T00:00:00Z",
        "object_marking_refs": ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"]});
    let file = path(&folder, "older.json");
    std::fs::write(&file, older.to_string()).unwrap();
    let said = xa.run(&["import", "stix", &file]);
    assert_eq!((&said["stored"], &said["upgraded"]), (&Value::from(2), &Value::from(1)), "{said}");
    assert_eq!(said["shared"].as_array().unwrap().len(), 1, "{said}");
    assert_eq!(said["shared"][0]["outcome"], "release");
    let out = path(&folder, "both.jsonl");
    xa.run(&["export", "stix", "--own", "--every-version", "--lines", "--out", &out]);
    let both = std::fs::read_to_string(&out).unwrap();
    let both: Vec<Value> = both.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert!(both.len() == 2 && both.contains(&older), "the original is there as it came");
    let shown = xa.run(&["show", id]);
    assert_eq!(shown["custody"]["source"]["format"], "stix 2.0, upgraded", "{shown}");
    assert!(shown["content"].as_str().unwrap().contains("indicator_types"));
}
