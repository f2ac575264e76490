//! Rules broken on purpose, from outside the product: a checker must notice each, by name, and
//! the same world with the rule kept must pass.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests may stop at the first surprise"
)]

use model::event::Event;
use model::ids::{AgencyId, RecordId};
use model::release::AgreementSignature;
use node::tables::{Table, digest_key, key};
use sim::agreements::{Pact, whole};
use sim::chance::Chance;
use sim::checkers::{Checker, Violation};
use sim::life::consent;
use sim::network::Weather;
use sim::records::{Kind, Sheet};
use sim::world::World;
use store::{Batch, Operation};

const PURPOSE: &str = "ct.investigation";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Kept,
    Broken,
}

/// Lives a small world with the rule kept and with the rule broken.
#[track_caller]
fn notices(checker: Checker, world: impl Fn(Rule) -> World) {
    let verdict = |rule| -> Vec<Violation> { world(rule).verdict().unwrap() };
    let kept = verdict(Rule::Kept);
    assert!(kept.is_empty(), "with the rule kept: {}", kept[0]);
    let broken = verdict(Rule::Broken);
    let first = broken.first().expect("no checker noticed");
    assert_eq!(first.checker.name(), checker.name(), "{first}");
}

fn agreed(count: usize, max_class: u8) -> (World, Pact) {
    let mut world = World::new(1, count, Weather::FAIR).unwrap();
    let mut pact = Pact::new(1, world.clock.now(), &world.agencies());
    pact.articles = vec![whole(&["indicator", "report"], max_class)];
    world.conclude(&pact).unwrap();
    (world, pact)
}

fn import(world: &mut World, site: usize, class: u8) -> RecordId {
    let mut chance = Chance::new(u64::from(class) + 7);
    let mut sheet = Sheet::new(Kind::Indicator, world.clock.now(), &mut chance).unwrap();
    sheet.class = Some(class);
    world.import(site, &sheet).unwrap();
    sheet.id
}

fn agency(world: &World, site: usize) -> AgencyId {
    world.agency(site).unwrap()
}

fn restart(world: &mut World, site: usize) {
    world.stop(site);
    world.start(site).unwrap();
}

/// One node is given another text of the agreement, with signatures that nobody gave.
fn forge_agreement(world: &mut World, site: usize, pact: &Pact) {
    let agreement = pact.agreement().unwrap();
    let mut batch = Batch::new();
    batch.put(key(Table::Agreement, &[pact.id.as_bytes()]), pact.document());
    for (agency, party) in world.agencies() {
        let signature = AgreementSignature {
            agreement: agreement.id.clone(),
            version: agreement.version,
            digest: agreement.digest,
            party: party.clone(),
            agency,
            at: world.clock.now(),
        };
        let parts = [pact.id.as_bytes(), party.as_str().as_bytes(), &agreement.digest.0];
        batch.put(key(Table::Signature, &parts), serde_json::to_vec(&signature).unwrap());
    }
    world.site(site).unwrap().disk.forge(batch).unwrap();
    restart(world, site);
}

#[test]
fn a_ceiling_ignored_is_noticed() {
    notices(Checker::OnlyWhereAgreed, |rule| {
        let (mut world, mut pact) = agreed(2, 1);
        if rule == Rule::Broken {
            pact.articles = vec![whole(&["indicator", "report"], 4)];
            forge_agreement(&mut world, 0, &pact);
        }
        world.offer_all(0, 1, PURPOSE).unwrap();
        import(&mut world, 0, 2);
        world.let_pass(60).unwrap();
        world
    });
}

#[test]
fn a_clearance_raised_is_noticed_where_it_is_held() {
    notices(Checker::OnlyWhereAgreed, |rule| {
        let (mut world, _) = agreed(2, 4);
        let mut words = world.vocabulary.clone();
        let receiver = agency(&world, 1);
        words.actors.get_mut(&receiver).unwrap().cleared_to = 1;
        for site in 0..2 {
            let at = agency(&world, site);
            world.watch.lock().unwrap().truth.looked_up(&at, &words).unwrap();
            world.officer(site, Event::Adopt(Box::new(words.clone()))).unwrap();
        }
        if rule == Rule::Broken {
            words.actors.get_mut(&receiver).unwrap().cleared_to = 9;
            world.officer(0, Event::Adopt(Box::new(words))).unwrap();
        }
        world.offer_all(0, 1, PURPOSE).unwrap();
        let record = import(&mut world, 0, 3);
        world.let_pass(60).unwrap();
        let held = !world.held(1, &record).unwrap().is_empty();
        assert_eq!(held, rule == Rule::Broken);
        if held {
            let blamed = world.violations.iter().any(|v| v.agency == receiver);
            assert!(blamed, "the copy at the recipient was not noticed");
        }
        world
    });
}

#[test]
fn duplicate_suppression_switched_off_is_noticed() {
    fn forgets(key: &[u8], _: &Operation) -> bool {
        key.first() != Some(&(Table::ReceiptGiven as u8))
    }
    notices(Checker::OneEntryPerRelease, |rule| {
        let (mut world, _) = agreed(2, 3);
        if rule == Rule::Broken {
            world.site(1).unwrap().disk.keep_only(forgets);
        }
        world.network.weather = Weather { loss: 0, twice: 100, delay_seconds_max: 1 };
        world.offer_all(0, 1, PURPOSE).unwrap();
        import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        world
    });
}

#[test]
fn onward_consent_ignored_is_noticed() {
    notices(Checker::OnwardOnlyWithConsent, |rule| {
        let (mut world, _) = agreed(3, 3);
        world.offer_all(0, 1, PURPOSE).unwrap();
        let record = import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        let (from, to) = (agency(&world, 0), agency(&world, 2));
        let consent = consent(&from, &to, &record);
        match rule {
            Rule::Kept => drop(world.permit(0, &consent).unwrap()),
            Rule::Broken => {
                let bytes = serde_json::to_vec(&consent).unwrap();
                let digest = crypto::hash::sha256(&bytes);
                let parts = [from.as_str().as_bytes(), to.as_str().as_bytes(), &digest.0];
                let mut batch = Batch::new();
                batch.put(key(Table::Consent, &parts), bytes);
                world.site(1).unwrap().disk.forge(batch).unwrap();
            }
        }
        world.let_pass(60).unwrap();
        let order = world.order(2, PURPOSE).unwrap();
        world.share(1, &record, &order).unwrap();
        world.let_pass(60).unwrap();
        assert!(!world.held(2, &record).unwrap().is_empty());
        world
    });
}

#[test]
fn standing_consent_written_into_one_copy_is_noticed() {
    notices(Checker::OnwardOnlyWithConsent, |rule| {
        let (mut world, mut pact) = agreed(3, 3);
        world.offer_all(0, 1, PURPOSE).unwrap();
        let record = import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        if rule == Rule::Broken {
            pact.onward = model::agreement::Onward::WithinAgreement;
            forge_agreement(&mut world, 1, &pact);
        }
        let order = world.order(2, PURPOSE).unwrap();
        world.share(1, &record, &order).unwrap();
        world.let_pass(60).unwrap();
        world
    });
}

#[test]
fn an_entry_dropped_is_noticed() {
    fn unlogged(key: &[u8], operation: &Operation) -> bool {
        let Operation::Put(value) = operation else { return true };
        let text = String::from_utf8_lossy(value);
        key.first() != Some(&(Table::Entry as u8)) || !text.contains("\"kind\":\"release\"")
    }
    notices(Checker::OneEntryPerRelease, |rule| {
        let (mut world, _) = agreed(2, 3);
        if rule == Rule::Broken {
            world.site(0).unwrap().disk.keep_only(unlogged);
        }
        world.offer_all(0, 1, PURPOSE).unwrap();
        import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        world
    });
}

#[test]
fn a_recall_ignored_is_noticed() {
    notices(Checker::RecallReachesAll, |rule| {
        let (mut world, _) = agreed(2, 3);
        world.site_mut(1).unwrap().forges_recall_receipts = rule == Rule::Broken;
        world.offer_all(0, 1, PURPOSE).unwrap();
        let record = import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        world.recall(0, &record).unwrap();
        world
    });
}

#[test]
fn a_log_cut_back_is_noticed() {
    notices(Checker::LogOnlyGrows, |rule| {
        let (mut world, _) = agreed(2, 3);
        let rows = [key(Table::Frontier, &[]), key(Table::Checkpoint, &[])];
        let disk = world.site(0).unwrap().disk.clone();
        let earlier: Vec<Vec<u8>> = {
            let durable = disk.durable().unwrap();
            rows.iter().map(|row| durable.get(row).unwrap().unwrap()).collect()
        };
        import(&mut world, 0, 1);
        if rule == Rule::Broken {
            let mut batch = Batch::new();
            for (row, value) in rows.into_iter().zip(earlier) {
                batch.put(row, value);
            }
            disk.forge(batch).unwrap();
            restart(&mut world, 0);
        }
        import(&mut world, 0, 2);
        world
    });
}

#[test]
fn a_message_never_answered_is_noticed() {
    // The giver's disk never lets a message leave the outbox.
    fn keeps_waiting(key: &[u8], operation: &Operation) -> bool {
        key.first() != Some(&(Table::Outbox as u8)) || *operation != Operation::Delete
    }
    notices(Checker::EveryMessageEnds, |rule| {
        let (mut world, _) = agreed(2, 3);
        if rule == Rule::Broken {
            world.site(0).unwrap().disk.keep_only(keeps_waiting);
        }
        world.offer_all(0, 1, PURPOSE).unwrap();
        import(&mut world, 0, 1);
        world
    });
}

#[test]
fn a_caveat_or_term_loosened_at_a_holder_is_noticed() {
    notices(Checker::Law8, |rule| {
        let (mut world, _) = agreed(3, 3);
        world.offer_all(0, 1, PURPOSE).unwrap();
        let record = import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        if rule == Rule::Broken {
            // The holder's copy forgets its retention; the next version arrives on top of it.
            let mut custody = world.held(1, &record).unwrap().remove(0);
            let row = node::tables::holding_key(&custody);
            let disk = world.site(1).unwrap().disk.clone();
            let stored = disk.durable().unwrap().get(&row).unwrap().unwrap();
            let (_, content) = node::tables::unpack(&stored).unwrap();
            custody.retention_until = None;
            custody.caveats.clear();
            let mut batch = Batch::new();
            batch.put(row, node::tables::pack(&custody, content).unwrap());
            disk.forge(batch).unwrap();
        }
        let (from, to) = (agency(&world, 0), agency(&world, 2));
        world.permit(0, &consent(&from, &to, &record)).unwrap();
        world.let_pass(60).unwrap();
        let order = world.order(2, PURPOSE).unwrap();
        world.share(1, &record, &order).unwrap();
        world.let_pass(60).unwrap();
        world
    });
}

#[test]
fn keys_of_the_tables_are_as_forged_here() {
    let digest = crypto::hash::sha256(b"x");
    assert_eq!(digest_key(Table::ReceiptGiven, &digest)[0], Table::ReceiptGiven as u8);
}

#[test]
fn a_notice_not_sent_is_noticed() {
    fn silent(_: &[u8], operation: &Operation) -> bool {
        let Operation::Put(value) = operation else { return true };
        !String::from_utf8_lossy(value).contains("\"about\":\"notice\"")
    }
    notices(Checker::OriginatorTold, |rule| {
        let (mut world, mut pact) = agreed(3, 3);
        pact.version = 2;
        pact.articles.push(sim::agreements::emergency());
        world.conclude(&pact).unwrap();
        world.offer_all(0, 1, PURPOSE).unwrap();
        let record = import(&mut world, 0, 1);
        world.let_pass(60).unwrap();
        if rule == Rule::Broken {
            world.site(1).unwrap().disk.keep_only(silent);
        }
        let mut order = world.order(2, PURPOSE).unwrap();
        order.grounds.facts = ["imminent_threat_to_life", "human_review"].map(str::to_owned).into();
        world.share(1, &record, &order).unwrap();
        world.let_pass(60).unwrap();
        assert_eq!(world.held(2, &record).unwrap().len(), 1);
        world
    });
}

#[test]
fn a_message_that_vanishes_is_noticed() {
    fn careless(key: &[u8], _: &Operation) -> bool {
        key.first() != Some(&(Table::Undelivered as u8))
    }
    notices(Checker::NoMessageVanishes, |rule| {
        let (mut world, _) = agreed(2, 3);
        let record = import(&mut world, 0, 1);
        let order = world.order(1, PURPOSE).unwrap();
        world.share(0, &record, &order).unwrap();
        if rule == Rule::Broken {
            world.site(0).unwrap().disk.keep_only(careless);
        }
        world.give_up_oldest(0).unwrap();
        world
    });
}
