//! The bundled exercise against its golden outcomes, which were worked out by a separate reading of
//! the rules; and the same releases delivered, held, refused onward and recalled.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

mod cast;

use cast::*;
use model::decision::Outcome;
use model::event::Event;
use model::ids::RecordId;
use model::request::Consent;
use node::Reply;
use std::collections::BTreeSet;

fn words(table: &toml::Table, key: &str) -> BTreeSet<String> {
    let items = table.get(key).and_then(toml::Value::as_array).into_iter().flatten();
    items.map(|v| v.as_str().unwrap().to_owned()).collect()
}

#[test]
fn every_record_and_order_has_its_golden_outcome() {
    let nodes = cast();
    let story: toml::Table = text("story.toml").parse().unwrap();
    let expected: toml::Table = text("expected.toml").parse().unwrap();
    let rows = expected["expected"].as_array().unwrap();
    assert_eq!(rows.len(), 112);
    let mut wrong = Vec::new();
    for row in rows {
        let row = row.as_table().unwrap();
        let get = |key: &str| row[key].as_str().unwrap();
        let at = CAST.iter().position(|(name, _, _)| *name == get("node")).unwrap();
        let story_node = story["node"].as_array().unwrap()[at].as_table().unwrap();
        let given = story_node["order"].as_array().unwrap().iter().find(|o| {
            o["recipient"].as_str() == row["recipient"].as_str()
                && o["purpose"].as_str() == row["purpose"].as_str()
        });
        let given = given.unwrap().as_table().unwrap();
        let facts = words(given, "facts");
        let facts: Vec<&str> = facts.iter().map(String::as_str).collect();
        let offence = given.get("offence").and_then(toml::Value::as_str);
        let order = order(get("recipient"), get("purpose"), offence, &facts);
        let id: RecordId = get("record").parse().unwrap();
        let snapshot = nodes[at].snapshot().unwrap();
        let facts = nodes[at].facts(&*snapshot);
        let shared = node::query::would_share(&facts, &[id], &order, now()).unwrap();
        let decision = shared[0].decision.as_ref().unwrap();
        let outcome = serde_json::to_value(decision.outcome).unwrap();
        let reason = serde_json::to_value(decision.reason).unwrap();
        let basis: BTreeSet<String> = decision.basis.iter().map(ToString::to_string).collect();
        let same = outcome == get("outcome")
            && reason == get("reason")
            && basis == words(row, "basis")
            && decision.redacted_fields == words(row, "withheld")
            && (decision.outcome == Outcome::Refuse || decision.caveats == words(row, "caveats"));
        if !same {
            wrong.push(format!(
                "{} {}: {decision:?}\n  wanted {row:?}",
                get("handle"),
                order.purpose
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn the_view_answers_as_the_store_does() {
    use node::pages::{Release, Wanted};
    let mut nodes = cast();
    let (mut whole, mut asked) = (0, 0);
    for (offence, purpose) in [(Some("financing"), "ct.investigation"), (None, "ct.prevention")] {
        let order = order(CAST[1].1, purpose, offence, &[]);
        act(&mut nodes[0], Event::Order(order.clone()));
        let snapshot = nodes[0].snapshot().unwrap();
        let facts = nodes[0].facts(&*snapshot);
        let plain = node::facts::Facts::new(&*snapshot, nodes[0].agency(), nodes[0].rules());
        let told = |facts| {
            let all = node::query::audience(facts, &order, (1_000, now())).unwrap();
            let named: Vec<_> =
                all.named.into_iter().map(|s| (s.record, s.outcome, s.reason)).collect();
            assert_eq!(named.len() as u64 + all.tally.refused, all.tally.total());
            (all.tally, named)
        };
        asked += told(&facts).0.total();
        assert_eq!(told(&facts), told(&plain));
        let read = |facts| {
            let all = Wanted::first(1_000);
            node::query::collection(facts, &order.recipient, &all, now()).unwrap().rows
        };
        let (quick, slow) = (read(&facts), read(&plain));
        let bytes = |rows: &[node::pages::Shown]| -> Vec<Vec<u8>> {
            rows.iter().map(|row| row.raw().to_vec()).collect()
        };
        assert_eq!(bytes(&quick), bytes(&slow));
        assert!(slow.iter().all(|row| matches!(row.release, Release::Read(_))));
        whole += quick.iter().filter(|row| matches!(row.release, Release::Stored(_))).count();
    }
    assert!(whole > 3 && asked > 20, "{whole} whole of {asked}: the scenario lost its point");
}

#[test]
fn a_record_travels_with_consent_and_its_recall_reaches_the_third_node() {
    let mut nodes = cast();
    let id: RecordId = "report--fab36728-a78b-4b7e-8787-c0de2f960063".parse().unwrap();
    let to_b = order("xb.police.ct", "ct.investigation", Some("financing"), &[]);
    let to_c = order("xc.police.ncb", "ct.investigation", Some("financing"), &[]);
    act(&mut nodes[0], Event::Share { records: vec![id.clone()], order: to_b });
    deliver(&mut nodes);
    assert!(holds(&nodes[1], &id));
    let share = Event::Share { records: vec![id.clone()], order: to_c.clone() };
    let Reply::Shared(shared) = act(&mut nodes[1], share.clone()).reply else { panic!() };
    assert_eq!(shared[0].outcome, Outcome::Refuse, "onward needs the originator's consent");
    let consent = Consent {
        originator: agency("xa"),
        recipient: agency("xc"),
        object: Some(id.clone()),
        purpose: Some("ct.investigation".to_owned()),
        from: None,
        until: None,
        agreement: None,
    };
    act(&mut nodes[0], Event::Permit(consent));
    deliver(&mut nodes);
    let Reply::Shared(shared) = act(&mut nodes[1], share).reply else { panic!() };
    assert_eq!(shared[0].outcome, Outcome::Redact);
    deliver(&mut nodes);
    assert!(holds(&nodes[2], &id));
    act(&mut nodes[0], Event::Recall { record: id.clone(), reason: "wrong".to_owned() });
    deliver(&mut nodes);
    assert!(!holds(&nodes[1], &id) && !holds(&nodes[2], &id), "the recall reaches every holder");
    for node in &nodes {
        node::log::audit(&*node.snapshot().unwrap()).unwrap();
    }
}

#[test]
fn a_reader_with_older_rules_weighs_a_snapshot_by_its_own() {
    let mut node = node(0, CAST[0].1, CAST[0].2);
    let before = node.compiled();
    let document = documents().remove(0);
    let agreement = Box::new(wire::agreement::parse(&document).unwrap());
    act(&mut node, Event::Agree { agreement, document });
    let snapshot = node.snapshot().unwrap();
    let count =
        |compiled: &node::Compiled| compiled.at(&*snapshot).unwrap().unwrap().agreements().len();
    assert_eq!(before.rules().unwrap().agreements().len(), 0);
    assert_eq!((count(&before), count(&node.compiled())), (1, 1));
}
