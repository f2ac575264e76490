//! Verbs the stories share.
#![allow(dead_code, reason = "each test file tells other stories")]

use model::decision::Outcome;
use model::entry::EntryKind;
use model::ids::RecordId;
use node::Reply;
use sim::agreements::{Pact, hit, persons, whole};
use sim::chance::Chance;
use sim::checkers::Violation;
use sim::network::Weather;
use sim::records::{Kind, Sheet};
use sim::world::{Ran, World};

pub const ALL: [&str; 3] = ["indicator", "report", "relationship"];
pub const PURPOSE: &str = "ct.investigation";

/// Neighbours with one agreement that lets indicators and reports go up to level 3.
pub fn neighbours(seed: u64, count: usize) -> (World, Pact) {
    let mut world = World::new(seed, count, Weather::FAIR).unwrap();
    let pact = plain(&world, 1, &(0..count).collect::<Vec<_>>());
    world.conclude(&pact).unwrap();
    (world, pact)
}

pub fn plain(world: &World, number: usize, sites: &[usize]) -> Pact {
    let all = world.agencies();
    let parties: Vec<_> = sites.iter().map(|site| all[*site].clone()).collect();
    let mut pact = Pact::new(number, world.clock.now(), &parties);
    pact.articles = vec![whole(&ALL, 3), persons(3), hit()];
    pact
}

pub fn sheet(world: &World, name: u64) -> Sheet {
    Sheet::new(Kind::Indicator, world.clock.now(), &mut Chance::new(name)).unwrap()
}

pub fn import(world: &mut World, site: usize, name: u64) -> RecordId {
    let sheet = sheet(world, name);
    world.import(site, &sheet).unwrap();
    sheet.id
}

pub fn holds(world: &World, site: usize, record: &RecordId) -> bool {
    !world.held(site, record).unwrap().is_empty()
}

pub fn share(world: &mut World, from: usize, to: usize, record: &RecordId) -> (Outcome, String) {
    let order = world.order(to, PURPOSE).unwrap();
    match world.share(from, record, &order).unwrap() {
        Ran::Did(handled) => match handled.reply {
            Reply::Shared(shared) => (shared[0].outcome, format!("{:?}", shared[0].reason)),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub fn sound(world: &mut World) {
    let found = world.verdict().unwrap();
    assert!(found.is_empty(), "{}", lines(&found));
}

pub fn lines(found: &[Violation]) -> String {
    found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub fn entries(world: &World, site: usize, kind: EntryKind) -> u64 {
    let snapshot = world.site(site).unwrap().disk.durable().unwrap();
    let word = serde_json::to_value(kind).unwrap();
    let audit = node::log::audit(&*snapshot).unwrap();
    audit.kinds.get(word.as_str().unwrap()).copied().unwrap_or(0)
}

pub fn waiting(world: &World, site: usize) -> usize {
    let snapshot = world.site(site).unwrap().disk.durable().unwrap();
    node::outbox::all_waiting(&*snapshot).unwrap().len()
}
