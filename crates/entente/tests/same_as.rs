//! Records about one subject are linked and unlinked, never merged.
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

use serde_json::{Value, json};
use stage::{Folder, Site, introduce, scenario};

fn code(site: &Site, words: &[&str]) -> (i32, String) {
    let mut all = vec!["--json"];
    all.extend(words);
    let done = site.command(&all);
    let errors: Value = serde_json::from_slice(&done.stderr).unwrap();
    (done.status.code().unwrap(), errors["error"]["code"].as_str().unwrap().to_owned())
}

#[test]
fn a_link_leads_on_and_is_taken_back_without_a_trace_in_the_records() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let file = scenario("records/xa-reports.json");
    xa.run(&["import", "stix", file.to_str().unwrap()]);
    let listed = xa.run(&["list", "--limit", "100"]);
    let id = |at: usize| listed["records"][at]["id"].as_str().unwrap().to_owned();
    let (a, b, c) = (id(0), id(1), id(2));
    let out = folder.0.join("out.jsonl").display().to_string();
    let copy = || {
        xa.run(&["export", "stix", "--own", "--lines", "--out", &out]);
        std::fs::read_to_string(&out).unwrap()
    };
    let before = copy();
    let link = |one: &str, other: &str| {
        xa.run(&["same-as", "link", one, other, "--reason", "the same account number"])
    };
    assert_eq!(link(&b, &a)["changed"], true);
    assert_eq!(link(&a, &b)["changed"], false, "a link has no direction");
    assert_eq!(link(&b, &c)["changed"], true);
    let subject = xa.run(&["same-as", "show", &a]);
    let records: Vec<&str> = subject["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["record"].as_str().unwrap())
        .collect();
    assert_eq!(records, [&a, &b, &c], "links lead on");
    assert_eq!(subject["links"][0]["reason"], "the same account number");
    assert_eq!(subject["links"][0]["officer"], "officer");
    assert_eq!(subject["records"][0]["originators"], json!(["xa.police.ct"]));
    assert_eq!(copy(), before, "no record is changed");
    let unlink = ["same-as", "unlink", &a, &b, "--reason", "another branch of the bank"];
    assert_eq!(xa.run(&unlink)["changed"], true);
    assert_eq!(xa.run(&unlink)["changed"], false);
    let alone = xa.run(&["same-as", "show", &a]);
    assert_eq!((alone["records"].as_array().unwrap().len(), &alone["links"]), (1, &json!([])));
    assert_eq!(xa.run(&["same-as", "show", &c])["links"].as_array().unwrap().len(), 1);
    assert_eq!(copy(), before);
    let kinds = xa.run(&["log", "verify"])["audit"]["kinds"].clone();
    assert_eq!(kinds["same_as"], 3, "each change is logged once");
}

#[test]
fn a_link_needs_two_records_that_are_held_and_a_reason() {
    let folder = Folder::new();
    let xa = Site::new(&folder, "xa.police.ct", "XA", None);
    introduce(&[&xa], &[]);
    let file = scenario("records/xa-reports.json");
    xa.run(&["import", "stix", file.to_str().unwrap()]);
    let listed = xa.run(&["list", "--limit", "100"]);
    let id = |at: usize| listed["records"][at]["id"].as_str().unwrap().to_owned();
    let (a, b) = (id(0), id(1));
    let unknown = "report--00000000-0000-4000-8000-000000000000";
    for (one, other, reason, expected) in [
        (a.as_str(), a.as_str(), "x", "same_record"),
        (&a, unknown, "x", "no_such_record"),
        (&a, &b, "  ", "reason_missing"),
        (&a, "not an id", "x", "bad_argument"),
    ] {
        let found = code(&xa, &["same-as", "link", one, other, "--reason", reason]);
        assert_eq!(found, (2, expected.to_owned()));
    }
    assert_eq!(code(&xa, &["same-as", "show", unknown]), (2, "no_such_record".to_owned()));
    assert_eq!(xa.command(&["same-as", "link", &a, &b]).status.code(), Some(2), "no reason");
}
