//! The compiled engine against the plain reference evaluator, in thousands of random worlds.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    clippy::collapsible_if,
    clippy::too_many_lines,
    reason = "tests may stop at the first surprise"
)]

mod reference;
mod small;
mod worlds;

use model::decision::{Outcome, Reason};
use policy::engine::Engine;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

#[test]
fn compiled_and_plain_agree_in_every_field() {
    let vocabulary = worlds::vocabulary();
    let seen: RefCell<BTreeMap<Reason, u32>> = RefCell::default();
    let config = ProptestConfig { cases: 20_000, failure_persistence: None, ..Default::default() };
    proptest!(config, |((agreements, record, ask) in worlds::world())| {
        let engine = Engine::new(&vocabulary, agreements.clone()).unwrap();
        let compiled = engine.decide(&record, &ask);
        let plain = reference::decide(&vocabulary, &agreements, &record, &ask);
        prop_assert_eq!(&compiled, &plain);
        *seen.borrow_mut().entry(compiled.reason).or_default() += 1;
        let verdict = engine.verdict(&engine.prepare(&record), &engine.put(&ask));
        prop_assert_eq!(verdict.outcome, compiled.outcome);
        let goes = engine.filter(&[engine.prepare(&record)], &engine.put(&ask));
        prop_assert_eq!(goes.is_empty(), compiled.outcome == Outcome::Refuse);
        prop_assert_eq!(engine.audience(&engine.prepare(&record), &[engine.put(&ask)]), goes);
        prop_assert_eq!(verdict.failed.iter().collect::<Vec<_>>(), compiled.failed);
        prop_assert_eq!(verdict.chosen.count() as usize, compiled.basis.len());
    });
    // Every reason occurs, or the worlds would prove little.
    let seen = seen.into_inner();
    eprintln!("{seen:?}");
    for reason in policy::reasons::ALL {
        assert!(seen.contains_key(&reason), "{reason:?} never was the reason");
    }
}

#[test]
fn a_question_of_another_engine_is_refused() {
    let vocabulary = worlds::vocabulary();
    let one = Engine::new(&vocabulary, Vec::new()).unwrap();
    let mut wider = vocabulary.clone();
    wider.special_categories.insert("address".to_owned());
    let other = Engine::new(&wider, Vec::new()).unwrap();
    let record = model::record::Record::new(worlds::id("r"), "report", worlds::id("xa.police"));
    let ask = model::request::Ask {
        holder: worlds::id("xa.police"),
        recipient: worlds::id("xb.police"),
        purpose: "tax".to_owned(),
        grounds: Default::default(),
        now: worlds::now(),
    };
    let verdict = one.verdict(&one.prepare(&record), &other.put(&ask));
    assert_eq!((verdict.outcome, verdict.reason), (Outcome::Refuse, Reason::UnknownMarking));
}

#[test]
fn more_marked_fields_than_places_are_withheld_rather_than_shown() {
    use model::agreement::{Effect, Level};
    let article = small::article("1", Effect::Allow(Level::Full));
    let agreements = vec![small::agreement(1, vec![article])];
    let vocabulary = worlds::vocabulary();
    let engine = Engine::new(&vocabulary, agreements.clone()).unwrap();
    let mut record = small::record();
    for n in 0..200_usize {
        let name = format!("own.{n}");
        // Each mark names another agency, so that no two are equal; every third is out of reach.
        let marks = model::marking::Marks {
            tlp_recipients: [worlds::id(&format!("agency.{n}"))].into(),
            noforn: n % 3 == 0,
            ..Default::default()
        };
        record.fields.insert(name.clone(), Vec::new());
        record.field_marks.insert(name, marks);
    }
    let compiled = engine.decide(&record, &small::ask());
    let plain = reference::decide(&vocabulary, &agreements, &record, &small::ask());
    assert!(compiled.redacted_fields.is_superset(&plain.redacted_fields));
    assert!(!compiled.redacted_fields.contains("name"));
    assert!(compiled.redacted_fields.len() < 200);
}
