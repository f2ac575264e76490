//! The published decision cases, read from their files and decided: 48 of 48.
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

use model::agreement::Agreement;
use model::vocabulary::Vocabulary;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../policy/tests/data/policy")
}

fn vocabulary() -> Vocabulary {
    wire::vocabulary::parse(&std::fs::read(folder().join("vocab.json")).unwrap()).unwrap()
}

fn agreements() -> Vec<Agreement> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder().join("agreements"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    names.sort();
    assert_eq!(names.len(), 5);
    names
        .iter()
        .map(|path| wire::agreement::parse(&std::fs::read(path).unwrap()).unwrap())
        .collect()
}

/// Lists compare as sets, as the checker beside the cases does.
fn same(expected: &Value, got: &Value) -> bool {
    match (expected.as_array(), got.as_array()) {
        (Some(a), Some(b)) => {
            let set = |list: &[Value]| list.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            set(a) == set(b)
        }
        _ => expected == got,
    }
}

#[test]
fn every_published_case_is_decided_as_written() {
    let bytes = std::fs::read(folder().join("decision_cases.public.json")).unwrap();
    let read = wire::cases::parse(&bytes).unwrap();
    assert_eq!((read.cases.len(), read.problems.len()), (48, 0));
    assert!(read.cases.iter().all(|case| case.warnings.is_empty()));
    let decisions = wire::cases::decide(&read.cases, &vocabulary(), &agreements());
    let file: Value = serde_json::from_slice(&bytes).unwrap();
    let mut wrong = Vec::new();
    for case in file["cases"].as_array().unwrap() {
        let id = case["id"].as_str().unwrap();
        let answer = wire::cases::answer(decisions[id].as_ref().unwrap());
        for (key, expected) in case["expected"].as_object().unwrap() {
            if !same(expected, &answer[key]) {
                wrong.push(format!("{id} {key}: expected {expected}, got {}", answer[key]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
