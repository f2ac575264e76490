//! Agreement, vocabulary and case documents: strict, all problems at once, never a panic.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "tests may stop at the first surprise"
)]

use model::agreement::{AgreementType, Effect, Level};
use model::record::Neutrality;
use std::path::PathBuf;

fn read(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../policy/tests/data/policy");
    std::fs::read(folder.join(name)).unwrap()
}

fn bilateral() -> String {
    String::from_utf8(read("agreements/1_bilateral.toml")).unwrap()
}

#[test]
fn an_agreement_reads_as_written_and_is_named_by_its_bytes() {
    let bytes = read("agreements/1_bilateral.toml");
    let agreement = wire::agreement::parse(&bytes).unwrap();
    assert_eq!(agreement.id.as_str(), "urn:entente:agr:xa-xb:police-ct");
    assert_eq!((agreement.version, agreement.kind), (2, AgreementType::Bilateral));
    assert_eq!(agreement.digest, crypto::hash::sha256(&bytes));
    assert_eq!((agreement.parties.len(), agreement.articles.len()), (2, 6));
    let article = agreement.article("5").unwrap();
    assert_eq!(article.effect, Effect::Allow(Level::Redacted));
    assert_eq!(article.retention.as_ref().unwrap().as_str(), "P1Y");
    let force = wire::agreement::parse(&read("agreements/3_task_force.toml")).unwrap();
    assert_eq!(force.operation.as_deref(), Some("LANTERN"));
    assert_eq!(force.lex_specialis_over.len(), 1);
    let moved = String::from_utf8(read("agreements/3_task_force.toml")).unwrap();
    let line = "lex_specialis_over = [\"urn:entente:agr:meridian\"]";
    let moved =
        moved.replacen(line, "", 1).replacen("version = 1", &format!("version = 1\n{line}"), 1);
    let top = wire::agreement::parse(moved.as_bytes()).unwrap();
    assert_eq!(top.lex_specialis_over, force.lex_specialis_over);
    assert_ne!(top.digest, force.digest);
}

#[test]
fn all_problems_come_at_once_with_line_key_and_cure() {
    let text = bilateral()
        .replacen("type    = \"bilateral\"", "type = \"bilatral\"", 1)
        .replacen("version = 2", "version = 0", 1)
        .replacen("signed = true", "signed = \"yes\"", 1)
        .replacen("level = \"full\"", "level = \"ful\"", 1)
        .replacen("max_class = 3", "max_clas = 3", 1)
        .replacen("id = \"4.2\"", "id = \"4.1\"", 1)
        .replacen("retention = \"P3Y\"", "retention = \"3 years\"", 1)
        .replacen("overrides = [\"ORIGINATOR_CONSENT\"]", "overrides = [\"TLP\"]", 1)
        .replacen("from     = \"2025-01-01T00:00:00Z\"", "", 1)
        .replacen("derived = \"flag\"", "derived = \"flag\"\nsurprise = 1", 1);
    let problems = wire::agreement::parse(text.as_bytes()).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|p| p.key.as_str()).collect();
    let expected = [
        "version",
        "type",
        "valid.from",
        "party[1].signed",
        "defaults.retention",
        "article[1].level",
        "article[1].when.max_clas",
        "article[5].overrides",
        "recall.surprise",
    ];
    assert_eq!(keys, expected, "{problems:#?}");
    assert!(problems.windows(2).all(|pair| pair[0].line <= pair[1].line));
    let cure = |key: &str| problems.iter().find(|p| p.key == key).unwrap().cure.clone();
    assert_eq!(cure("type"), "did you mean `bilateral`?");
    assert_eq!(cure("article[1].when.max_clas"), "did you mean `max_class`?");
    let line = problems.iter().find(|p| p.key == "article[1].when.max_clas").unwrap().line;
    assert!(text.lines().nth(line - 1).unwrap().contains("max_clas"));
}

#[test]
fn what_says_a_thing_twice_is_refused() {
    let ids = bilateral().replacen("id = \"4.2\"", "id = \"4.1\"", 1);
    let problems = wire::agreement::parse(ids.as_bytes()).unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].message.contains("`4.1` is already on line"));
    let keys = bilateral().replacen("version = 2", "version = 2\nversion = 3", 1);
    assert!(wire::agreement::parse(keys.as_bytes()).is_err());
    let agencies = bilateral().replacen("[\"xb.police.ct\"]", "[\"xa.police.ct\"]", 1);
    assert!(wire::agreement::parse(agencies.as_bytes()).is_err());
    let level = bilateral().replacen("effect = \"deny\"", "effect = \"deny\"\nlevel = \"full\"", 1);
    assert!(wire::agreement::parse(level.as_bytes()).is_err());
    assert!(wire::agreement::parse(&[0xff, 0xfe]).is_err());
    assert!(!wire::agreement::parse(b"").unwrap_err().is_empty());
}

#[test]
fn damaged_documents_are_refused_without_a_panic() {
    let bytes = read("agreements/2_coalition.toml");
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut cut = bytes.clone();
        cut.remove(at);
        refused += u32::from(wire::agreement::parse(&cut).is_err());
        if at % 16 == 0 {
            refused += u32::from(wire::agreement::parse(&bytes[..at]).is_err());
        }
    }
    assert!(refused > 500, "{refused}");
    let nested = format!("x = {}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(wire::agreement::parse(nested.as_bytes()).is_err());
}

#[test]
fn the_published_agreements_have_no_error_to_find() {
    let vocabulary = wire::vocabulary::parse(&read("vocab.json")).unwrap();
    assert_eq!((vocabulary.actors.len(), vocabulary.classification.len()), (13, 30));
    let names = ["1_bilateral", "2_coalition", "3_task_force", "4_public_private", "5_mla_treaty"];
    let agreements: Vec<_> = names
        .iter()
        .map(|name| wire::agreement::parse(&read(&format!("agreements/{name}.toml"))).unwrap())
        .collect();
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let found = policy::lint::set(&agreements, &vocabulary, now);
    let errors: Vec<_> =
        found.iter().filter(|f| f.severity == policy::lint::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(found.iter().any(|f| f.key == "party.signed"), "XD has not signed");
}

const FILE: &str = r#"{"now":"2026-11-23T12:00:00Z","cases":[
 {"id":"A","agreements":[],"holder":"xa.a","recipient":"xb.b","purpose":"p",
  "object":{"id":"o","type":"report","originator":"xa.a","tlp":"ultraviolet","grade":"very good",
   "neutrality":"perhaps","provider_limit":"P30D","colour":"blue","fields":["f"],
   "field_marks":{"f":{"secret":true}}},
  "request":{"now":"2026-12-01T00:00:00Z","consents":[
   {"originator":"xa.a","recipient":"xb.b","conditions":["by hand"]},
   {"originator":"xa.a","recipient":"xb.b"}]}},
 {"id":"B","agreements":[],"holder":"xa.a","recipient":7,"purpose":"p",
  "object":{"id":"o","type":"report"}},
 {"id":"C","agreements":["urn:x"],"holder":"xa.a","recipient":"xb.b","purpose":"p",
  "object":{"id":"o","type":"report","originator":"xa.a"}}]}"#;

#[test]
fn a_case_that_does_not_read_is_reported_and_the_others_go_on() {
    let read = wire::cases::parse(FILE.as_bytes()).unwrap();
    let ids: Vec<&str> = read.cases.iter().map(|case| case.id.as_str()).collect();
    assert_eq!(ids, ["A", "C"]);
    let pointers: Vec<&str> = read.problems.iter().map(|p| p.pointer.as_str()).collect();
    assert_eq!(pointers, ["/cases/1/recipient", "/cases/1/object/originator"]);
    let case = &read.cases[0];
    assert_eq!(case.record.marks.unresolved, ["tlp:ultraviolet"]);
    assert_eq!(case.record.neutrality, Neutrality::Pending);
    assert_eq!(case.record.grade, None);
    assert_eq!(case.record.subject, "none");
    assert_eq!(case.record.field_marks["f"].unresolved, ["secret"]);
    assert_eq!(case.ask.now.to_string(), "2026-12-01T00:00:00Z");
    assert_eq!(case.record.provider_limit.unwrap().to_string(), "2026-12-31T00:00:00Z");
    assert_eq!(case.ask.grounds.consents.len(), 1);
    assert_eq!(case.warnings.len(), 5, "{:?}", case.warnings);
    let decided = wire::cases::decide(&read.cases, &Default::default(), &[]);
    let answer = wire::cases::answer(decided["A"].as_ref().unwrap());
    assert_eq!(answer["decision"], "refuse");
    assert_eq!(answer["reason"], "UNKNOWN_MARKING");
    assert!(answer.get("refusal_mode").is_none());
    assert!(decided["C"].as_ref().unwrap_err().message.contains("not loaded"));
    assert!(wire::cases::parse(br#"{"cases":[],"cases":[]}"#).is_err());
}
