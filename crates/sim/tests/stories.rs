//! Named scenarios that read as stories: what officers do, what the network does, what must be so.
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
use model::entry::EntryKind;
use model::event::Event;
use sim::chance::Chance;
use sim::disk::Crash;
use sim::liar::{LIES, Lie, Scene};
use sim::life::consent;
use sim::network::Weather;
use sim::world::{Ran, World};
use told::*;

#[test]
fn a_revoked_agreement_stops_releases() {
    let (mut world, mut pact) = neighbours(1, 2);
    world.offer_all(0, 1, PURPOSE).unwrap();
    let before = import(&mut world, 0, 10);
    world.let_pass(60).unwrap();
    assert!(holds(&world, 1, &before));
    pact.version = 2;
    pact.status = Status::Terminated;
    world.adopt(0, &pact).unwrap();
    let after = import(&mut world, 0, 11);
    world.let_pass(60).unwrap();
    assert!(!holds(&world, 1, &after));
    assert_eq!(share(&mut world, 0, 1, &after), (Outcome::Refuse, "NoAgreement".to_owned()));
    sound(&mut world);
    assert!(!holds(&world, 1, &before), "what went under it is taken back");
}

#[test]
fn a_recall_overtakes_its_shipment() {
    let (mut world, _) = neighbours(2, 2);
    world.offer_all(0, 1, PURPOSE).unwrap();
    world.network.weather = Weather { loss: 0, twice: 0, delay_seconds_max: 86_400 };
    let mut overtaken = 0;
    for name in 0..12 {
        let record = import(&mut world, 0, 20 + name);
        world.send(0, usize::MAX).unwrap();
        let shipped = world.network.next_due().unwrap();
        world.recall(0, &record).unwrap();
        world.send(0, usize::MAX).unwrap();
        let soonest = world.network.next_due().unwrap();
        overtaken += usize::from(soonest < shipped);
        for _ in 0..90 {
            world.clock.pass(3_600);
            while world.deliver().unwrap() {}
            assert!(!holds(&world, 1, &record) || soonest == shipped);
        }
        assert!(!holds(&world, 1, &record));
    }
    assert!(overtaken > 0, "no recall overtook its shipment");
    sound(&mut world);
}

#[test]
fn a_recall_reaches_the_third_node() {
    let (mut world, _) = neighbours(3, 3);
    world.offer_all(0, 1, PURPOSE).unwrap();
    let record = import(&mut world, 0, 30);
    world.let_pass(60).unwrap();
    let (one, other) = (world.agency(0).unwrap(), world.agency(2).unwrap());
    world.permit(0, &consent(&one, &other, &record)).unwrap();
    world.let_pass(60).unwrap();
    assert_eq!(share(&mut world, 1, 2, &record).0, Outcome::Release);
    world.let_pass(60).unwrap();
    assert!(holds(&world, 2, &record));
    world.recall(0, &record).unwrap();
    sound(&mut world);
    assert!(!holds(&world, 1, &record) && !holds(&world, 2, &record));
    assert!(holds(&world, 0, &record), "the originator keeps it");
    assert_eq!(entries(&world, 2, EntryKind::Recalled), 1);
}

#[test]
fn a_replayed_shipment_gets_the_same_receipt() {
    let (mut world, _) = neighbours(5, 2);
    world.offer_all(0, 1, PURPOSE).unwrap();
    import(&mut world, 0, 50);
    let snapshot = world.site(0).unwrap().disk.durable().unwrap();
    let all = node::outbox::all_waiting(&*snapshot).unwrap();
    let message = node::outbox::ready(&*snapshot, &all[0]).unwrap();
    drop(snapshot);
    let mut answers = Vec::new();
    for _ in 0..5 {
        world.clock.pass(60);
        let ran = world.run(1, |node, now, entropy| node.receive(&message, now, entropy)).unwrap();
        let Ran::Did(answer) = ran else { panic!("{ran:?}") };
        answers.push(answer);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "another receipt for the same shipment");
    assert_eq!(entries(&world, 1, EntryKind::Arrival), 1);
    sound(&mut world);
}

#[test]
fn a_partition_heals_and_everything_arrives() {
    let (mut world, _) = neighbours(6, 3);
    world.network.weather = Weather::FOUL;
    for (from, to) in [(0, 1), (0, 2), (1, 0), (2, 1)] {
        world.offer_all(from, to, PURPOSE).unwrap();
    }
    world.network.part(0, 1);
    world.network.part(1, 2);
    let mut records = Vec::new();
    for name in 0..10 {
        records.push(import(&mut world, 0, 60 + name));
        world.let_pass(600).unwrap();
        assert!(records.iter().all(|record| !holds(&world, 1, record)));
    }
    assert!(waiting(&world, 0) > 0);
    sound(&mut world);
    for record in &records {
        assert!(holds(&world, 1, record) && holds(&world, 2, record));
    }
    assert_eq!(waiting(&world, 0), 0);
}

#[test]
fn a_crash_between_commit_and_send_loses_nothing() {
    for crash in [Crash::Before, Crash::After] {
        for ahead in 0..3 {
            let (mut world, _) = neighbours(7, 2);
            world.offer_all(0, 1, PURPOSE).unwrap();
            let first = import(&mut world, 0, 70);
            world.crash_at(0, ahead, crash);
            let second = sheet(&world, 71);
            world.import(0, &second).unwrap();
            world.stop(0);
            world.start(0).unwrap();
            world.import(0, &second).unwrap();
            world.crash_at(1, 0, crash);
            sound(&mut world);
            assert!(holds(&world, 1, &first) && holds(&world, 1, &second.id));
            assert_eq!(entries(&world, 0, EntryKind::Release), 2, "{crash:?} {ahead}");
            assert_eq!(entries(&world, 1, EntryKind::Arrival), 2, "{crash:?} {ahead}");
        }
    }
}

#[test]
fn a_skewed_clock_never_widens_a_release() {
    let mut world = World::new(8, 2, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1]);
    pact.until = Some(sim::clock::moved(world.clock.now(), 86_400));
    world.conclude(&pact).unwrap();
    world.offer_all(0, 1, PURPOSE).unwrap();
    world.clock.pass(2 * 86_400);
    // The giver's clock is two days slow: by its own clock the agreement still holds.
    world.clock.skew(0, -2 * 86_400);
    let late = import(&mut world, 0, 80);
    world.let_pass(60).unwrap();
    assert!(entries(&world, 0, EntryKind::Release) == 1 && !holds(&world, 1, &late));
    // The recipient's clock is slow and the giver's is right: nothing goes.
    world.clock.skew(0, 0);
    world.clock.skew(1, -2 * 86_400);
    let later = import(&mut world, 0, 81);
    world.let_pass(60).unwrap();
    assert!(entries(&world, 0, EntryKind::Release) == 1 && !holds(&world, 1, &later));
    sound(&mut world);
}

#[test]
fn a_fast_clock_keeps_nothing_longer() {
    let mut world = World::new(9, 2, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1]);
    pact.retention = Some("P2D");
    world.conclude(&pact).unwrap();
    world.offer_all(0, 1, PURPOSE).unwrap();
    let mut sheet = sheet(&world, 90);
    let limit = sim::clock::moved(world.clock.now(), 86_400);
    sheet.provider_limit = Some(limit);
    world.clock.skew(0, 7_200);
    world.import(0, &sheet).unwrap();
    world.let_pass(60).unwrap();
    assert_eq!(world.held(1, &sheet.id).unwrap()[0].retention_until, Some(limit));
    world.clock.pass(86_400);
    world.officer(1, Event::Tick).unwrap();
    assert!(!holds(&world, 1, &sheet.id));
    sound(&mut world);
}

#[test]
fn an_unsigned_agreement_shares_nothing() {
    let mut world = World::new(10, 2, Weather::FAIR).unwrap();
    let pact = plain(&world, 1, &[0, 1]);
    world.adopt(0, &pact).unwrap();
    world.adopt(1, &pact).unwrap();
    world.sign(0, &pact).unwrap();
    world.offer_all(0, 1, PURPOSE).unwrap();
    let record = import(&mut world, 0, 100);
    world.let_pass(60).unwrap();
    assert!(!holds(&world, 1, &record));
    assert_eq!(share(&mut world, 0, 1, &record), (Outcome::Refuse, "NoAgreement".to_owned()));
    // The other signs; once its signature has come, what waited goes by the standing order.
    world.sign(1, &pact).unwrap();
    sound(&mut world);
    assert!(holds(&world, 1, &record));
}

#[test]
fn consent_lets_one_record_through_and_no_other() {
    let (mut world, _) = neighbours(11, 3);
    world.offer_all(0, 1, PURPOSE).unwrap();
    let (one, other) = (import(&mut world, 0, 110), import(&mut world, 0, 111));
    world.let_pass(60).unwrap();
    let refused = (Outcome::Refuse, "OriginatorConsent".to_owned());
    assert_eq!(share(&mut world, 1, 2, &one), refused);
    let (from, to) = (world.agency(0).unwrap(), world.agency(2).unwrap());
    world.permit(0, &consent(&from, &to, &one)).unwrap();
    world.let_pass(60).unwrap();
    assert_eq!(share(&mut world, 1, 2, &other), refused);
    assert_eq!(share(&mut world, 1, 2, &one).0, Outcome::Release);
    sound(&mut world);
    assert!(holds(&world, 2, &one) && !holds(&world, 2, &other));
    let held = &world.held(2, &one).unwrap()[0];
    assert_eq!(held.originator, from, "the originator does not change");
    assert!(held.caveats.contains("ONWARD_CONSENT"));
}

#[test]
fn standing_consent_stays_inside_its_agreement() {
    let mut world = World::new(13, 4, Weather::FAIR).unwrap();
    let mut inner = plain(&world, 1, &[0, 1, 2]);
    inner.onward = Onward::WithinAgreement;
    let outer = plain(&world, 2, &[1, 3]);
    world.conclude(&inner).unwrap();
    world.conclude(&outer).unwrap();
    world.offer_all(0, 1, PURPOSE).unwrap();
    let record = import(&mut world, 0, 130);
    world.let_pass(60).unwrap();
    assert_eq!(share(&mut world, 1, 2, &record).0, Outcome::Release);
    assert_eq!(share(&mut world, 1, 3, &record).0, Outcome::Refuse);
    sound(&mut world);
    assert!(holds(&world, 2, &record) && !holds(&world, 3, &record));
}

/// Three neighbours; the second holds a record of the first, with no right to pass it on but the
/// emergency article.
fn emergency_world(seed: u64) -> (World, model::ids::RecordId, model::request::StandingOrder) {
    let mut world = World::new(seed, 3, Weather::FAIR).unwrap();
    let mut pact = plain(&world, 1, &[0, 1, 2]);
    pact.articles.push(sim::agreements::emergency());
    world.conclude(&pact).unwrap();
    let record = import(&mut world, 0, seed);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    let mut order = world.order(2, PURPOSE).unwrap();
    let facts = ["imminent_threat_to_life", "human_review", "necessity_statement"];
    order.grounds.facts = facts.map(str::to_owned).into();
    (world, record, order)
}

#[test]
fn an_originator_is_told_of_an_emergency_release() {
    let (mut world, record, order) = emergency_world(31);
    world.share(1, &record, &order).unwrap();
    assert_eq!(entries(&world, 1, EntryKind::Notice), 1);
    world.network.weather = Weather { loss: 0, twice: 100, delay_seconds_max: 1 };
    sound(&mut world);
    assert!(holds(&world, 2, &record));
    let snapshot = world.site(0).unwrap().disk.durable().unwrap();
    let taken = node::query::notices_taken(&*snapshot, 10).unwrap();
    assert_eq!(taken.len(), 1, "repetitions change nothing");
    let notice = &taken[0].notice;
    assert_eq!(notice.giver, world.agency(1).unwrap());
    assert_eq!(notice.recipient, world.agency(2).unwrap());
    let passed = &notice.records[&record];
    let facts: Vec<&str> = passed.facts.iter().map(String::as_str).collect();
    assert_eq!(
        facts,
        ["human_review", "imminent_threat_to_life"],
        "what the article asks, no more"
    );
    assert_eq!(passed.articles.len(), 1);
    drop(snapshot);
    assert_eq!(entries(&world, 0, EntryKind::Noticed), 1);
    assert_eq!(entries(&world, 2, EntryKind::Noticed), 0);
    // Sharing on the same terms again releases nothing and tells nothing.
    world.share(1, &record, &order).unwrap();
    assert_eq!(entries(&world, 1, EntryKind::Notice), 1);
}

#[test]
fn what_is_given_up_is_decided_anew_and_a_recall_after_it_holds() {
    let (mut world, _) = neighbours(32, 2);
    let (kept, taken_back) = (import(&mut world, 0, 320), import(&mut world, 0, 321));
    for record in [&kept, &taken_back] {
        share(&mut world, 0, 1, record);
        world.give_up_oldest(0).unwrap();
    }
    assert_eq!((waiting(&world, 0), world.given_up(0).unwrap().len()), (0, 2));
    assert_eq!(entries(&world, 0, EntryKind::Undelivered), 2);
    world.recall(0, &taken_back).unwrap();
    world.let_pass(60).unwrap();
    assert_eq!(waiting(&world, 0), 0, "the recall goes although its shipment never did");
    world.send_again(0).unwrap();
    sound(&mut world);
    assert!(holds(&world, 1, &kept) && !holds(&world, 1, &taken_back));
}

#[test]
fn a_withdrawal_given_up_does_not_take_back_what_went_again() {
    let (mut world, mut pact) = neighbours(33, 2);
    let record = import(&mut world, 0, 330);
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    pact.version = 2;
    pact.status = Status::Suspended;
    world.conclude(&pact).unwrap();
    share(&mut world, 0, 1, &record);
    world.give_up_oldest(0).unwrap();
    world.let_pass(60).unwrap();
    assert!(holds(&world, 1, &record));
    pact.version = 3;
    pact.status = Status::InForce;
    world.conclude(&pact).unwrap();
    share(&mut world, 0, 1, &record);
    world.let_pass(60).unwrap();
    world.send_again(0).unwrap();
    sound(&mut world);
    assert!(holds(&world, 1, &record), "an old withdrawal took back a new release");
}

#[test]
fn a_lying_peer_gains_nothing() {
    let gained: Vec<String> = LIES.into_iter().filter_map(gain).collect();
    assert!(gained.is_empty(), "{}", gained.join("\n"));
}

/// What a lie gained, in words: nothing, if all is well.
fn gain(lie: Lie) -> Option<String> {
    let (mut world, _) = neighbours(14, 3);
    for (from, to) in [(0, 1), (1, 0), (0, 2)] {
        world.offer_all(from, to, PURPOSE).unwrap();
    }
    let mut guarded = Vec::new();
    for name in 0..4 {
        // Not for the liar, only for the other two.
        let mut sheet = sheet(&world, 140 + name);
        sheet.rel_to = Some(vec!["XA".parse().unwrap(), "XB".parse().unwrap()]);
        world.import(0, &sheet).unwrap();
        guarded.push(sheet.id);
    }
    let originator = world.agency(0).unwrap();
    let mut chance = Chance::new(14);
    for record in &guarded {
        world.let_pass(60).unwrap();
        let record = Some((record.clone(), originator.clone()));
        for victim in [0, 1] {
            let scene = Scene { liar: 2, victim, record: record.clone() };
            world.lie(lie, &scene, &mut chance).unwrap();
        }
        world.let_pass(60).unwrap();
    }
    let kept = guarded.iter().all(|record| holds(&world, 1, record));
    let got = guarded.iter().any(|record| holds(&world, 2, record));
    world.recall(0, &guarded[0]).unwrap();
    let last = import(&mut world, 0, 149);
    let found = world.verdict().unwrap();
    let recalled = !holds(&world, 1, &guarded[0]);
    let arrived = holds(&world, 1, &last) && holds(&world, 2, &last);
    let fine = kept && !got && recalled && arrived && found.is_empty();
    (!fine).then(|| {
        format!(
            "{lie:?}: kept {kept}, got {got}, recalled {recalled}, arrived {arrived}; {}",
            lines(&found)
        )
    })
}
