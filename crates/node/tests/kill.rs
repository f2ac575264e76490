//! The power goes at every commit of the exercise, once before and once after it became durable:
//! nothing acknowledged is lost, follow-ups go on, and the story ends as it does without a fault.
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
use model::agreement::Agreement;
use model::event::Event;
use model::ids::{AgencyId, RecordId};
use model::member::Member;
use model::release::AgreementSignature;
use model::request::{Consent, StandingOrder};
use model::verified::{Verified, Voucher};
use node::peer::Message;
use node::tables::{Table, key};
use node::{Body, Node, NodeError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use store::memory::Memory;
use store::{Batch, Reader, Snapshot, Store};

/// Where the power goes: at a commit, counted over all nodes, before or after it is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    Before(u64),
    After(u64),
}

#[derive(Default)]
struct Power {
    commits: u64,
    cut: Option<Cut>,
}

/// A store whose power goes at a chosen commit.
struct Fragile {
    memory: Arc<Mutex<Memory>>,
    reader: Arc<dyn Reader>,
    power: Arc<Mutex<Power>>,
}

fn power_cut() -> store::Error {
    let source = std::io::Error::other("the power went");
    store::Error::Io { place: "test".into(), action: "write", source }
}

impl Store for Fragile {
    fn snapshot(&self) -> store::Result<Box<dyn Snapshot + '_>> {
        self.reader.snapshot()
    }

    fn commit(&mut self, batch: Batch) -> store::Result<()> {
        let (at, cut) = {
            let mut power = self.power.lock().unwrap();
            power.commits += 1;
            (power.commits - 1, power.cut)
        };
        if cut == Some(Cut::Before(at)) {
            return Err(power_cut());
        }
        self.memory.lock().unwrap().commit(batch)?;
        if cut == Some(Cut::After(at)) { Err(power_cut()) } else { Ok(()) }
    }

    fn reader(&self) -> Arc<dyn Reader> {
        Arc::clone(&self.reader)
    }
}

struct Place {
    memory: Arc<Mutex<Memory>>,
    node: Option<Node>,
    /// The newest checkpoint that somebody was answered under.
    acknowledged: Option<String>,
}

struct Stage {
    power: Arc<Mutex<Power>>,
    places: Vec<Place>,
    cuts: u64,
}

impl Stage {
    fn new(cut: Option<Cut>) -> Self {
        let place = |_| Place { memory: Arc::default(), node: None, acknowledged: None };
        let places = CAST.iter().map(place).collect();
        let power = Arc::new(Mutex::new(Power { commits: 0, cut }));
        let mut stage = Self { power, places, cuts: 0 };
        for site in 0..CAST.len() {
            stage.start(site);
        }
        stage
    }

    /// Opens a node over what is durable; the power may go again while it opens.
    fn start(&mut self, site: usize) {
        let (_, agency, party) = CAST[site];
        for _ in 0..2 {
            let place = &self.places[site];
            let memory = Arc::clone(&place.memory);
            let reader = memory.lock().unwrap().reader();
            let store = Box::new(Fragile { memory, reader, power: Arc::clone(&self.power) });
            let identity = identity(site as u64, agency, party);
            match Node::open(store, identity, now(), &mut Seeded(site as u64 + 1)) {
                Ok(node) => {
                    self.places[site].node = Some(node);
                    self.keeps(site);
                    return;
                }
                Err(NodeError::Store(_)) => self.cuts += 1,
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the power went twice");
    }

    /// What was acknowledged is still in the log, and nothing was written over it.
    fn keeps(&self, site: usize) {
        let place = &self.places[site];
        let Some(checkpoint) = &place.acknowledged else { return };
        let node = place.node.as_ref().unwrap();
        let snapshot = node.snapshot().unwrap();
        let found = node::log::against(&*snapshot, node.identity(), checkpoint).unwrap();
        assert!(found.holds, "an acknowledged entry was lost at {}", node.agency());
        let queue = key(Table::Queue, &[]);
        assert!(snapshot.last(&queue).unwrap().is_none(), "a follow-up was left behind");
    }

    /// Does something at a node; if the power goes there, starts it again and repeats it, as
    /// whoever asked would.
    fn act<T>(
        &mut self,
        site: usize,
        work: impl Fn(&mut Node) -> Result<T, NodeError>,
    ) -> Result<T, NodeError> {
        for _ in 0..2 {
            let done = work(self.places[site].node.as_mut().unwrap());
            if matches!(done, Err(NodeError::Store(_))) {
                self.cuts += 1;
                self.places[site].node = None;
                self.start(site);
                continue;
            }
            let node = self.places[site].node.as_ref().unwrap();
            let checkpoint = node::log::checkpoint(&*node.snapshot().unwrap()).unwrap();
            self.places[site].acknowledged = checkpoint;
            return done;
        }
        panic!("the power went twice");
    }

    fn officer(&mut self, site: usize, event: &Event<Body>) {
        self.act(site, |node| node.act("test", event.clone(), now(), &mut Seeded(7))).unwrap();
    }

    /// As an officer who repeats what may have been done: that it was done already is fine.
    fn once(&mut self, site: usize, event: &Event<Body>) {
        let done = self.act(site, |node| node.act("test", event.clone(), now(), &mut Seeded(7)));
        assert!(matches!(done, Ok(_) | Err(NodeError::Denied(_))), "{:?}", done.err());
    }

    fn ready(&self, from: usize) -> Vec<(AgencyId, model::ids::Digest, Message)> {
        let snapshot = self.places[from].node.as_ref().unwrap().snapshot().unwrap();
        let waiting = node::outbox::all_waiting(&*snapshot).unwrap();
        let ready = |w: &node::outbox::Waiting| node::outbox::ready(&*snapshot, w).unwrap();
        waiting.iter().map(|w| (w.recipient.clone(), w.digest, ready(w))).collect()
    }

    /// Carries every waiting message until nothing waits.
    fn deliver(&mut self) {
        for _ in 0..20 {
            let mut moved = false;
            for from in 0..CAST.len() {
                for (to, digest, message) in self.ready(from) {
                    moved = true;
                    let at = CAST.iter().position(|(_, agency, _)| *agency == to.as_str()).unwrap();
                    match self.act(at, |node| node.receive(&message, now(), &mut Seeded(11))) {
                        Ok(answer) => {
                            self.act(from, |n| n.answered(&answer, now(), &mut Seeded(12)))
                                .unwrap();
                        }
                        Err(NodeError::Conflict { size }) => {
                            self.act(from, |node| node.seen_by(&to, size)).unwrap();
                        }
                        Err(error) => panic!("{digest}: {error}"),
                    }
                }
            }
            if !moved {
                return;
            }
        }
        panic!("messages never end");
    }
}

/// The documents of the story, read once: reading them is not what is tested.
struct Script {
    vocabulary: Box<model::vocabulary::Vocabulary>,
    members: Vec<Member>,
    agreements: Vec<(Box<Agreement>, Vec<u8>)>,
    records: Vec<Vec<model::custody::Holding<Body>>>,
}

fn script() -> Script {
    let read = |document: Vec<u8>| (Box::new(wire::agreement::parse(&document).unwrap()), document);
    let member = |(at, (_, agency, party)): (usize, &(&str, &str, &str))| {
        identity(at as u64, agency, party).member
    };
    let records = |(name, _, _): &(&str, &str, &str)| {
        let file = text(&format!("records/{name}-reports.json"));
        holdings(&agency(name), file.as_bytes())
    };
    Script {
        vocabulary: Box::new(wire::vocabulary::parse(text("vocabulary.json").as_bytes()).unwrap()),
        members: CAST.iter().enumerate().map(member).collect(),
        agreements: documents().into_iter().map(read).collect(),
        records: CAST.iter().map(records).collect(),
    }
}

fn set_up(stage: &mut Stage, script: &Script) {
    for site in 0..CAST.len() {
        stage.officer(site, &Event::Adopt(script.vocabulary.clone()));
        for member in &script.members {
            stage.officer(site, &Event::Enrol(Box::new(member.clone())));
        }
        for (agreement, document) in &script.agreements {
            let (agreement, document) = (agreement.clone(), document.clone());
            stage.officer(site, &Event::Agree { agreement: agreement.clone(), document });
            for member in &script.members {
                if agreement.party_of(&member.agency).is_none() {
                    continue;
                }
                let signature = AgreementSignature {
                    agreement: agreement.id.clone(),
                    version: agreement.version,
                    digest: agreement.digest,
                    party: member.party.clone(),
                    agency: member.agency.clone(),
                    at: now(),
                };
                let (agency, key) = (member.agency.clone(), "release".to_owned());
                let voucher = Voucher::Signature { agency, key };
                let event = Verified::vouch(Event::Sign(signature), voucher, now());
                stage.act(site, |n| n.handle(event.clone(), now(), &mut Seeded(9))).unwrap();
            }
        }
        stage.officer(site, &Event::Ingest(script.records[site].clone()));
    }
}

fn all(script: &Script, site: usize) -> Vec<RecordId> {
    script.records[site].iter().map(|holding| holding.custody.id.clone()).collect()
}

/// Orders, releases, a consent, an onward release, an emergency, a refusal, recalls, the clock.
fn play(stage: &mut Stage, script: &Script) {
    let facts = ["human_review", "necessity_statement"];
    let to = |name: &str, facts: &[&str]| {
        order(agency(name).as_str(), "ct.investigation", Some("financing"), facts)
    };
    let report: RecordId = "report--fab36728-a78b-4b7e-8787-c0de2f960063".parse().unwrap();
    stage.officer(0, &Event::Order(to("xb", &facts)));
    stage.officer(1, &Event::Order(to("xa", &facts)));
    stage.officer(2, &Event::Order(to("xa", &facts)));
    stage.deliver();
    let consent = Consent {
        originator: agency("xa"),
        recipient: agency("xc"),
        object: Some(report.clone()),
        purpose: Some("ct.investigation".to_owned()),
        from: None,
        until: None,
        agreement: None,
    };
    stage.officer(0, &Event::Permit(consent));
    stage.deliver();
    let share = |records: &[RecordId], order: StandingOrder| Event::Share {
        records: records.to_vec(),
        order,
    };
    stage.officer(1, &share(std::slice::from_ref(&report), to("xc", &[])));
    stage.deliver();
    // An emergency: what the third agency gave the first goes on to the second.
    let mut emergency = to("xb", &["imminent_threat_to_life", "human_review"]);
    emergency.purpose = "ct.prevention".to_owned();
    stage.officer(0, &share(&all(script, 2), emergency));
    refuse(stage, 0);
    stage.deliver();
    let aside = {
        let snapshot = stage.places[0].node.as_ref().unwrap().snapshot().unwrap();
        node::outbox::undelivered(&*snapshot).unwrap()
    };
    assert_eq!(aside.len(), 1);
    let (partner, message) = (aside[0].outline.recipient.clone(), aside[0].outline.digest);
    stage.once(0, &Event::Again { partner, message });
    stage.deliver();
    for record in [report, all(script, 0)[0].clone()] {
        stage.officer(0, &Event::Recall { record, reason: "wrong".to_owned() });
    }
    stage.deliver();
    for site in 0..CAST.len() {
        stage.officer(site, &Event::Tick);
    }
    stage.deliver();
}

/// The oldest waiting message is refused until it is given up.
fn refuse(stage: &mut Stage, from: usize) {
    let (to, digest, _) = stage.ready(from).swap_remove(0);
    let given_up = |stage: &Stage| {
        let snapshot = stage.places[from].node.as_ref().unwrap().snapshot().unwrap();
        !node::outbox::undelivered(&*snapshot).unwrap().is_empty()
    };
    for _ in 0..3 {
        if !given_up(stage) {
            let said = (400, Some("not_for_us".to_owned()));
            stage
                .act(from, |n| n.refused((&to, &digest), said.clone(), now(), &mut Seeded(8)))
                .unwrap();
        }
    }
    assert!(given_up(stage));
}

/// What matters at the end of a story: rows by table, and what the log counts.
type Ending = Vec<(BTreeMap<char, BTreeSet<String>>, BTreeMap<String, u64>)>;

fn ending(stage: &Stage) -> Ending {
    let mut out = Vec::new();
    for place in &stage.places {
        let snapshot = place.node.as_ref().unwrap().snapshot().unwrap();
        let mut rows: BTreeMap<char, BTreeSet<String>> = BTreeMap::new();
        snapshot
            .scan(&[], &mut |key, _| {
                let of = |table: Table| key[0] == table as u8;
                // Numbers of entries and places in collections move where something was repeated;
                // digests of messages hold the number of their log entry or of an instant.
                let moves = of(Table::Entry) || of(Table::Hash) || of(Table::Salt);
                let text = if of(Table::Collection)
                    || of(Table::ReceiptGiven)
                    || of(Table::ReceiptTaken)
                    || of(Table::NoticeTaken)
                {
                    String::new()
                } else {
                    String::from_utf8_lossy(key).into_owned()
                };
                if !moves {
                    rows.entry(char::from(key[0])).or_default().insert(text);
                }
                true
            })
            .unwrap();
        let mut kinds = node::log::audit(&*snapshot).unwrap().kinds;
        // An officer who repeats an adoption, a tick or a refused release is logged again.
        for again in ["vocabulary", "refusal", "query"] {
            kinds.remove(again);
        }
        out.push((rows, kinds));
    }
    out
}

fn story(script: &Script, cut: Option<Cut>) -> (Ending, u64, u64) {
    let mut stage = Stage::new(cut);
    set_up(&mut stage, script);
    play(&mut stage, script);
    for site in 0..CAST.len() {
        stage.keeps(site);
    }
    let commits = stage.power.lock().unwrap().commits;
    (ending(&stage), commits, stage.cuts)
}

#[test]
fn the_power_may_go_at_every_commit_of_the_exercise() {
    let script = script();
    let (whole, commits, cuts) = story(&script, None);
    assert_eq!(cuts, 0);
    assert!(commits > 100, "only {commits} commits: the story proves little");
    let told = |kind: &str| {
        whole.iter().map(|(_, kinds)| kinds.get(kind).copied().unwrap_or(0)).sum::<u64>()
    };
    for kind in [
        "release",
        "dispatch",
        "arrival",
        "receipt",
        "consent",
        "notice",
        "noticed",
        "undelivered",
        "recall",
        "recalled",
        "recall_receipt",
    ] {
        assert!(told(kind) > 0, "the story has no {kind}");
    }
    let mut stopped = 0;
    for at in 0..commits {
        for cut in [Cut::Before(at), Cut::After(at)] {
            let (ended, _, cuts) = story(&script, Some(cut));
            stopped += cuts;
            for (site, (one, other)) in whole.iter().zip(&ended).enumerate() {
                assert_eq!(one, other, "{cut:?} at {}", CAST[site].1);
            }
        }
    }
    assert_eq!(stopped, 2 * commits, "every commit was hit, before and after");
    println!("{stopped} power cuts at {commits} commits");
}
