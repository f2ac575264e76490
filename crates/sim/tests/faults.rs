//! Stories the simulator found by itself, each the smallest life in which a rule once broke.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::wildcard_enum_match_arm,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

mod told;

use model::agreement::{Onward, Status};
use model::decision::Outcome;
use model::time::Timestamp;
use sim::chance::Chance;
use sim::life::consent;
use sim::network::Weather;
use sim::records::{Kind, Sheet};
use sim::world::World;
use told::*;

/// Long enough for a message, a proof made anew and the answer.
fn pass(world: &mut World) {
    for _ in 0..6 {
        world.let_pass(60).unwrap();
    }
}

#[test]
fn a_hit_goes_with_its_record() {
    let (mut world, _) = neighbours(4, 2);
    let mut person = Sheet::new(Kind::Person, world.clock.now(), &mut Chance::new(4)).unwrap();
    person.subject = Some("suspect".to_owned());
    world.import(0, &person).unwrap();
    let order = world.order(1, "border.check").unwrap();
    world.share(0, &person.id, &order).unwrap();
    world.let_pass(60).unwrap();
    let hits = |world: &World| {
        let snapshot = world.site(1).unwrap().disk.durable().unwrap();
        node::query::hits(&*snapshot).unwrap().len()
    };
    assert_eq!(hits(&world), 1);
    world.recall(0, &person.id).unwrap();
    sound(&mut world);
    assert_eq!(hits(&world), 0);
}

#[test]
fn an_officer_cannot_write_a_consent_for_another() {
    let (mut world, _) = neighbours(12, 3);
    world.offer_all(0, 1, PURPOSE).unwrap();
    let record = import(&mut world, 0, 120);
    world.let_pass(60).unwrap();
    let mut order = world.order(2, PURPOSE).unwrap();
    let (from, to) = (world.agency(0).unwrap(), world.agency(2).unwrap());
    order.grounds.consents.push(consent(&from, &to, &record));
    world.share(1, &record, &order).unwrap();
    sound(&mut world);
    assert!(!holds(&world, 2, &record));
}

#[test]
fn a_withdrawing_holder_is_always_answered() {
    // Two holders gave the same record to a third; the first withdraws, and is answered.
    let mut world = World::new(15, 4, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1, 2, 3]);
    pact.onward = Onward::WithinAgreement;
    world.conclude(&pact).unwrap();
    let record = import(&mut world, 0, 150);
    for to in [1, 2] {
        share(&mut world, 0, to, &record);
    }
    world.let_pass(60).unwrap();
    for from in [1, 2] {
        share(&mut world, from, 3, &record);
        world.let_pass(60).unwrap();
    }
    assert!(holds(&world, 3, &record));
    pact.version = 2;
    pact.status = Status::Terminated;
    world.adopt(1, &pact).unwrap();
    share(&mut world, 1, 3, &record);
    sound(&mut world);
}

#[test]
fn a_record_is_not_sent_home() {
    // A holder that gives a record back to its originator must not be left waiting by a recall.
    let mut world = World::new(16, 3, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1, 2]);
    pact.onward = Onward::WithinAgreement;
    world.conclude(&pact).unwrap();
    let record = import(&mut world, 0, 160);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    share(&mut world, 1, 2, &record);
    world.let_pass(60).unwrap();
    share(&mut world, 2, 0, &record);
    world.let_pass(60).unwrap();
    world.recall(0, &record).unwrap();
    sound(&mut world);
}

#[test]
fn a_purged_product_is_recalled_where_it_went() {
    let mut world = World::new(17, 3, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1, 2]);
    pact.derived = Some("purge");
    world.conclude(&pact).unwrap();
    let record = import(&mut world, 0, 170);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    let mut product = Sheet::new(Kind::Report, world.clock.now(), &mut Chance::new(171)).unwrap();
    let own = import(&mut world, 1, 172);
    product.refs = vec![own, record.clone()];
    world.import(1, &product).unwrap();
    assert_eq!(share(&mut world, 1, 2, &product.id).0, Outcome::Release);
    world.let_pass(60).unwrap();
    assert!(holds(&world, 2, &product.id));
    world.recall(0, &record).unwrap();
    sound(&mut world);
    assert!(!holds(&world, 1, &product.id) && !holds(&world, 2, &product.id));
}

#[test]
fn a_withdrawal_does_not_bar_the_record_for_good() {
    let (mut world, mut pact) = neighbours(18, 2);
    world.offer_all(0, 1, PURPOSE).unwrap();
    let record = import(&mut world, 0, 180);
    world.let_pass(60).unwrap();
    assert!(holds(&world, 1, &record));
    for (version, status) in [(2, Status::Suspended), (3, Status::InForce)] {
        (pact.version, pact.status) = (version, status);
        world.conclude(&pact).unwrap();
        world.let_pass(60).unwrap();
        assert_eq!(holds(&world, 1, &record), status == Status::InForce, "{status:?}");
    }
    sound(&mut world);
}

#[test]
fn a_refusal_for_a_passing_cause_is_not_for_good() {
    // The recipient has not adopted the new version yet when the record arrives.
    let (mut world, mut pact) = neighbours(19, 2);
    world.offer_all(0, 1, PURPOSE).unwrap();
    pact.version = 2;
    world.adopt(0, &pact).unwrap();
    world.sign(0, &pact).unwrap();
    // The other side's signature exists, its own adoption is a crash behind.
    world.adopt(1, &pact).unwrap();
    world.sign(1, &pact).unwrap();
    while world.unpack(0).unwrap() {}
    world.clock.skew(1, -86_400 * 400);
    let record = import(&mut world, 0, 190);
    pass(&mut world);
    assert!(!holds(&world, 1, &record), "by its clock nothing is in force yet");
    world.clock.skew(1, 0);
    let order = world.order(1, PURPOSE).unwrap();
    world.share(0, &record, &order).unwrap();
    sound(&mut world);
    assert!(holds(&world, 1, &record));
}

#[test]
fn a_newer_version_is_newer_however_finely_it_is_written() {
    let (mut world, _) = neighbours(20, 2);
    world.offer_all(0, 1, PURPOSE).unwrap();
    let mut sheet = sheet(&world, 200);
    let version = |sheet: &Sheet, world: &World| {
        let all = world.held(1, &sheet.id).unwrap();
        all.iter().map(|custody| custody.version.clone()).collect::<Vec<_>>()
    };
    let at: Timestamp = "2026-06-01T00:00:00.500Z".parse().unwrap();
    for (modified, words) in [("2026-06-01T00:00:00Z", "one"), (&at.to_string(), "two")] {
        sheet.modified = modified.to_owned();
        sheet.words = words.to_owned();
        world.import(0, &sheet).unwrap();
        pass(&mut world);
    }
    assert_eq!(version(&sheet, &world).len(), 2, "the version of half a second later is lost");
    sound(&mut world);
}

#[test]
fn a_namesake_is_recalled_alone() {
    // Two originators assert the same identifier, as with entries of a public list.
    let (mut world, _) = neighbours(21, 3);
    for (from, to) in [(0, 2), (1, 2)] {
        world.offer_all(from, to, PURPOSE).unwrap();
    }
    let mut sheet = sheet(&world, 210);
    world.import(0, &sheet).unwrap();
    sheet.words = "another assertion".to_owned();
    world.import(1, &sheet).unwrap();
    world.let_pass(60).unwrap();
    let holders = |world: &World| {
        let all = world.held(2, &sheet.id).unwrap();
        all.iter().map(|custody| custody.originator.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(holders(&world).len(), 2);
    world.recall(0, &sheet.id).unwrap();
    sound(&mut world);
    assert_eq!(holders(&world), [world.agency(1).unwrap().to_string()]);
    assert!(holds(&world, 1, &sheet.id));
}

#[test]
fn a_partners_namesake_does_not_recall_ours() {
    // A partner may recall its own assertion of an identifier; ours stays, and stays recallable.
    let (mut world, _) = neighbours(22, 3);
    for (from, to) in [(0, 1), (1, 2)] {
        world.offer_all(from, to, PURPOSE).unwrap();
    }
    let mut sheet = sheet(&world, 220);
    world.import(1, &sheet).unwrap();
    sheet.words = "another assertion".to_owned();
    world.import(0, &sheet).unwrap();
    world.let_pass(60).unwrap();
    world.recall(0, &sheet.id).unwrap();
    world.let_pass(60).unwrap();
    assert!(holds(&world, 2, &sheet.id), "ours went with the partner's");
    world.recall(1, &sheet.id).unwrap();
    sound(&mut world);
    assert!(!holds(&world, 2, &sheet.id));
}

#[test]
fn what_is_said_twice_in_one_instant_is_one_message() {
    // Two withdrawals of one record that say the same have one digest: one answer settles both.
    let (mut world, mut pact) = neighbours(23, 2);
    let record = import(&mut world, 0, 230);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    pact.version = 2;
    pact.status = Status::Suspended;
    world.conclude(&pact).unwrap();
    share(&mut world, 0, 1, &record);
    pact.version = 3;
    pact.status = Status::InForce;
    world.conclude(&pact).unwrap();
    share(&mut world, 0, 1, &record);
    pact.version = 4;
    pact.status = Status::Terminated;
    world.conclude(&pact).unwrap();
    share(&mut world, 0, 1, &record);
    sound(&mut world);
    assert_eq!(waiting(&world, 0), 0);
    assert!(!holds(&world, 1, &record));
}

#[test]
fn a_consent_that_has_not_arrived_counts_for_nothing() {
    // Two agreements, one of which needs the consent: the originator gave it, the holder does not
    // have it yet, and an officer there writes it into the order. Only the other one counts.
    let mut world = World::new(24, 3, Weather::FAIR).unwrap();
    let mut standing = plain(&world, 1, &[0, 1, 2]);
    standing.onward = Onward::WithinAgreement;
    let asking = plain(&world, 2, &[0, 1, 2]);
    world.conclude(&standing).unwrap();
    world.conclude(&asking).unwrap();
    let record = import(&mut world, 0, 240);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    let (from, to) = (world.agency(0).unwrap(), world.agency(2).unwrap());
    let given = consent(&from, &to, &record);
    world.permit(0, &given).unwrap();
    let mut order = world.order(2, PURPOSE).unwrap();
    order.grounds.consents.push(given);
    world.share(1, &record, &order).unwrap();
    assert!(world.violations.is_empty(), "{}", lines(&world.violations));
    sound(&mut world);
    let held = &world.held(2, &record).unwrap()[0];
    let model::custody::Source::Release { basis, .. } = &held.source else { panic!("{held:?}") };
    assert!(basis.iter().all(|article| article.agreement.as_str() == standing.id));
}

#[test]
fn a_recall_after_a_withdrawal_reaches_what_was_passed_on_and_back() {
    // The first withdraws from the second, which passed the record on; it comes back to the second
    // from the third after the withdrawal. The recall for good must find it there.
    let mut world = World::new(25, 3, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1, 2]);
    pact.onward = Onward::WithinAgreement;
    world.conclude(&pact).unwrap();
    let record = import(&mut world, 0, 250);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    share(&mut world, 1, 2, &record);
    world.let_pass(60).unwrap();
    share(&mut world, 2, 1, &record);
    pact.version = 2;
    pact.status = Status::Suspended;
    world.adopt(0, &pact).unwrap();
    share(&mut world, 0, 1, &record);
    // The withdrawal arrives first, what the third gave back after it.
    world.send(0, usize::MAX).unwrap();
    world.clock.pass(5);
    while world.deliver().unwrap() {}
    assert!(!holds(&world, 1, &record));
    world.recall(0, &record).unwrap();
    sound(&mut world);
    assert!(!holds(&world, 1, &record) && !holds(&world, 2, &record));
}
