//! An inquiry answers shape by shape; the gate, asked record by record, must say the same.
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

mod small;
mod worlds;

use model::decision::Outcome;
use model::ids::{AgencyId, RecordId};
use model::record::Record;
use model::request::Ask;
use policy::engine::Engine;
use policy::release::{Content, Inquiry, One, Short, release};
use policy::shapes::{Catalogue, Own, SHAPES_MAX, ShapeNumber};
use proptest::collection::vec;
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use worlds::id;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Blank(Vec<String>);

impl Content for Blank {
    type Error = String;
    fn size_bytes(&self) -> usize {
        0
    }

    fn without(&self, pointers: &[&str]) -> Result<Self, String> {
        // A place that cannot be cut out: what is left would not be whole.
        if pointers.contains(&"/2") {
            return Err("blank".to_owned());
        }
        Ok(Self(pointers.iter().map(|p| (*p).to_owned()).collect()))
    }
}

fn blank() -> Blank {
    Blank(Vec::new())
}

/// Records alike but for their names, limits and places of fields.
fn alike(record: &Record, own: &[(Option<u8>, Option<u8>)]) -> Vec<Record> {
    let times = ["2026-11-01T00:00:00Z", worlds::NOW, "2026-12-01T00:00:00Z"];
    let at = |n: u8| id(times[usize::from(n) % times.len()]);
    let make = |(n, (valid, limit)): (usize, &(Option<u8>, Option<u8>))| {
        let mut one = record.clone();
        one.id = id(&format!("record-{n}"));
        one.valid_until = valid.map(at);
        one.provider_limit = limit.map(at);
        one.fields.values_mut().for_each(|places| places.push(format!("/{n}")));
        one
    };
    own.iter().enumerate().map(make).collect()
}

/// The consents that count for records of this originator, as the node puts them.
fn ask_for(ask: &Ask, originator: &AgencyId) -> Ask {
    let mut ask = ask.clone();
    ask.grounds.consents.retain(|consent| consent.originator == *originator);
    ask
}

#[test]
fn an_inquiry_answers_as_the_gate_does_record_by_record() {
    let vocabulary = worlds::vocabulary();
    let seen: RefCell<BTreeMap<String, u32>> = RefCell::default();
    let config = ProptestConfig { cases: 6_000, failure_persistence: None, ..Default::default() };
    let limits = (prop::option::of(0..3_u8), prop::option::of(0..3_u8));
    let world = (worlds::world(), vec(worlds::record(), 2), vec(limits, 4));
    proptest!(config, |(((agreements, record, ask), others, own) in world)| {
        let engine = Engine::new(&vocabulary, agreements.clone()).unwrap();
        let mut catalogue = Catalogue::new(&engine, id("any"));
        let all: Vec<Record> =
            [&record, &others[0], &others[1]].iter().flat_map(|r| alike(r, &own)).collect();
        let entered: Vec<(ShapeNumber, Own)> =
            all.iter().map(|r| catalogue.enter(&engine, r.clone()).unwrap()).collect();
        prop_assert!(catalogue.len() <= 3);
        let mut inquiry = Inquiry::new(&engine, &catalogue, ask.now);
        for (one, (shape, own)) in all.iter().zip(entered) {
            prop_assert_eq!(catalogue.originator(shape), Some(&one.originator));
            if let Some(by) = inquiry.asks(shape) {
                prop_assert!(inquiry.short(shape, &own).is_none());
                inquiry.put(by, ask_for(&ask, by));
            }
            let asked = ask_for(&ask, &one.originator);
            let plain = release(&engine, one, &blank(), &asked, &BTreeSet::new());
            let decision = engine.decide(one, &asked);
            let part = One { id: &one.id, shape, own };
            let named = asked.grounds.consents.iter().any(|c| c.object.as_ref() == Some(&one.id));
            let Some(short) = inquiry.answer(part) else {
                prop_assert!(named);
                *seen.borrow_mut().entry("named".to_owned()).or_default() += 1;
                continue;
            };
            prop_assert!(!named);
            prop_assert_eq!((short.outcome(), short.reason()), (decision.outcome, decision.reason));
            *seen.borrow_mut().entry(format!("{:?}", short.outcome())).or_default() += 1;
            let whole = inquiry.release(part, &[], blank());
            let cut = inquiry.cut(part, &[], (&blank(), &one.fields));
            let went = match &plain {
                Ok(_) => decision.outcome,
                Err(_) => Outcome::Refuse,
            };
            prop_assert_eq!(whole.is_some(), went == Outcome::Release);
            prop_assert_eq!(cut.is_some(), went == Outcome::Redact);
            let Some(quick) = whole.or(cut) else { continue };
            let plain = plain.unwrap();
            prop_assert_eq!(quick.decision(), plain.decision());
            prop_assert_eq!(quick.content(), plain.content());
            prop_assert_eq!(quick.record(), plain.record());
            prop_assert_eq!(quick.kind(), plain.kind());
            prop_assert_eq!(quick.originator(), plain.originator());
            prop_assert_eq!(quick.recipient(), plain.recipient());
            prop_assert_eq!(quick.purpose(), plain.purpose());
            let kind = if quick.content() == Some(&blank()) { "went whole" } else { "went cut" };
            *seen.borrow_mut().entry(kind.to_owned()).or_default() += 1;
        }
    });
    let seen = seen.into_inner();
    for outcome in ["Refuse", "HitOnly", "Redact", "Release", "named", "went whole", "went cut"] {
        assert!(seen.get(outcome).is_some_and(|n| *n > 100), "{outcome} is too rare: {seen:?}");
    }
}

fn refused(inquiry: &mut Inquiry<'_>, shape: ShapeNumber) -> Short {
    let own = Own { valid_until: Some(worlds::now()), provider_limit: None };
    inquiry.short(shape, &own).unwrap()
}

#[test]
fn a_refused_neighbour_stops_the_short_way() {
    let article =
        small::article("1", model::agreement::Effect::Allow(model::agreement::Level::Full));
    let engine =
        Engine::new(&worlds::vocabulary(), vec![small::agreement(1, vec![article])]).unwrap();
    let mut catalogue = Catalogue::new(&engine, id("any"));
    let (shape, own) = catalogue.enter(&engine, small::record()).unwrap();
    let mut inquiry = Inquiry::new(&engine, &catalogue, worlds::now());
    let by = inquiry.asks(shape).unwrap();
    inquiry.put(by, small::ask());
    let name: RecordId = id("report--1");
    let one = One { id: &name, shape, own };
    let good = inquiry.answer(one).unwrap();
    assert!(inquiry.release(one, &[good, good], blank()).is_some());
    let bad = refused(&mut inquiry, shape);
    assert_eq!(bad.outcome(), Outcome::Refuse);
    assert!(inquiry.release(one, &[good, bad], blank()).is_none());
    assert!(inquiry.cut(one, &[good], (&blank(), &BTreeMap::new())).is_none());
}

#[test]
fn a_catalogue_serves_one_engine_and_is_recompiled_for_another() {
    let vocabulary = worlds::vocabulary();
    let one = Engine::new(&vocabulary, Vec::new()).unwrap();
    let other = Engine::new(&vocabulary, vec![small::agreement(1, Vec::new())]).unwrap();
    let mut catalogue = Catalogue::new(&one, id("any"));
    let (shape, own) = catalogue.enter(&one, small::record()).unwrap();
    assert!(catalogue.enter(&other, small::record()).is_none());
    let mut inquiry = Inquiry::new(&other, &catalogue, worlds::now());
    inquiry.put(&small::record().originator, small::ask());
    assert!(inquiry.short(shape, &own).is_none());
    let mut again = catalogue.compiled_for(&other);
    assert!(again.is_for(&other) && !again.is_for(&one));
    assert_eq!(again.enter(&other, small::record()), Some((shape, own)));
    let mut inquiry = Inquiry::new(&other, &again, worlds::now());
    inquiry.put(&small::record().originator, small::ask());
    assert!(inquiry.short(shape, &own).is_some());
}

#[test]
fn a_full_catalogue_takes_no_further_shape() {
    let engine = Engine::new(&worlds::vocabulary(), Vec::new()).unwrap();
    let mut catalogue = Catalogue::new(&engine, id("any"));
    let mut record = small::record();
    for n in 0..SHAPES_MAX {
        record.caveats = [format!("C{n}")].into();
        assert!(catalogue.enter(&engine, record.clone()).is_some());
    }
    record.caveats = ["one more".to_owned()].into();
    assert!(catalogue.enter(&engine, record.clone()).is_none());
    record.caveats = ["C7".to_owned()].into();
    assert!(catalogue.enter(&engine, record).is_some());
}
