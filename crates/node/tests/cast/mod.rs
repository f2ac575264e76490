//! Three nodes of the bundled exercise, and what their officers and couriers do.
#![allow(dead_code, reason = "each test uses its part of the cast")]

use model::custody::{Custody, Holding, Source};
use model::event::Event;
use model::ids::{AgencyId, RecordId};
use model::release::AgreementSignature;
use model::request::{Grounds, StandingOrder};
use model::time::Timestamp;
use model::verified::{Verified, Voucher};
use node::identity::{Introduction, Secrets};
use node::{Body, Entropy, Handled, Identity, Node};
use std::collections::BTreeSet;
use std::path::PathBuf;

pub struct Seeded(pub u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 33) as u8;
        }
    }
}

pub fn dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/lantern")
}

pub fn text(name: &str) -> String {
    std::fs::read_to_string(dir().join(name)).unwrap()
}

pub fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

pub fn act(node: &mut Node, event: Event<Body>) -> Handled {
    let officer = Voucher::Officer { name: "test".to_owned() };
    node.handle(Verified::vouch(event, officer, now()), now(), &mut Seeded(7)).unwrap()
}

pub const CAST: [(&str, &str, &str); 3] =
    [("xa", "xa.police.ct", "XA"), ("xb", "xb.police.ct", "XB"), ("xc", "xc.police.ncb", "XC")];

pub fn agency(name: &str) -> AgencyId {
    CAST.iter().find(|(n, _, _)| *n == name).unwrap().1.parse().unwrap()
}

/// The identity of a node, the same each time.
pub fn identity(at: u64, agency: &str, party: &str) -> Identity {
    let agency: AgencyId = agency.parse().unwrap();
    let mut entropy = Seeded(at + 1);
    let secrets = Secrets::generate(&agency, &mut entropy).unwrap();
    let introduction = Introduction {
        agency,
        party: party.parse().unwrap(),
        endpoint: format!("http://{party}.example"),
        valid_from: now(),
        valid_until: "2030-01-01T00:00:00Z".parse().unwrap(),
    };
    Identity::new(introduction, secrets)
}

pub fn node(at: u64, agency: &str, party: &str) -> Node {
    let identity = identity(at, agency, party);
    let mut entropy = Seeded(at + 1);
    let store = Box::new(store::memory::Memory::new());
    let mut node = Node::open(store, identity, now(), &mut entropy).unwrap();
    let vocabulary = wire::vocabulary::parse(text("vocabulary.json").as_bytes()).unwrap();
    act(&mut node, Event::Adopt(Box::new(vocabulary)));
    node
}

/// The agreements of the exercise, by name.
pub fn documents() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = std::fs::read_dir(dir().join("agreements"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// Three nodes that know each other, with every agreement adopted and signed by the parties here.
pub fn cast() -> Vec<Node> {
    let mut nodes: Vec<Node> =
        CAST.iter().enumerate().map(|(at, (_, a, p))| node(at as u64, a, p)).collect();
    let members: Vec<_> = nodes.iter().map(|n| n.identity().member.clone()).collect();
    let documents = documents();
    for node in &mut nodes {
        for member in &members {
            act(node, Event::Enrol(Box::new(member.clone())));
        }
        for document in &documents {
            let document = document.clone();
            let agreement = Box::new(wire::agreement::parse(&document).unwrap());
            act(node, Event::Agree { agreement: agreement.clone(), document });
            for member in &members {
                let lists = agreement.party_of(&member.agency).is_some();
                if !lists {
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
                let key =
                    Voucher::Signature { agency: member.agency.clone(), key: "release".to_owned() };
                let event = Verified::vouch(Event::Sign(signature), key, now());
                node.handle(event, now(), &mut Seeded(9)).unwrap();
            }
        }
    }
    for (node, (name, _, _)) in nodes.iter_mut().zip(CAST) {
        import(node, &format!("records/{name}-reports.json"));
    }
    nodes
}

pub fn import(node: &mut Node, file: &str) {
    let holdings = holdings(node.agency(), text(file).as_bytes());
    act(node, Event::Ingest(holdings));
}

/// The records of a STIX file as an officer of this agency imports them.
pub fn holdings(own: &AgencyId, file: &[u8]) -> Vec<Holding<Body>> {
    let mut holdings = Vec::new();
    wire::stix::read(file, &mut |item| {
        let wire::stix::Item::Object(body) = item else { panic!("{item:?}") };
        holdings.push(holding(own, *body));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    holdings
}

pub fn holding(own: &AgencyId, body: Body) -> Holding<Body> {
    let custody = Custody {
        id: body.id().clone(),
        kind: body.record_type().to_owned(),
        version: body.version_text().unwrap_or("1").to_owned(),
        originator: own.clone(),
        source: Source::Import { format: "stix".to_owned(), officer: "test".to_owned() },
        stored_at: now(),
        content: node::content_digest(&body),
        caveats: BTreeSet::new(),
        retention_until: None,
        floor: None,
        flagged: false,
    };
    Holding { custody, body }
}

pub fn order(
    recipient: &str,
    purpose: &str,
    offence: Option<&str>,
    facts: &[&str],
) -> StandingOrder {
    StandingOrder {
        recipient: recipient.parse().unwrap(),
        purpose: purpose.to_owned(),
        grounds: Grounds {
            offence: offence.map(str::to_owned),
            facts: facts.iter().map(|f| (*f).to_owned()).collect(),
            ..Grounds::default()
        },
    }
}

/// Carries every waiting message to its node until nothing waits.
pub fn deliver(nodes: &mut [Node]) {
    for _ in 0..20 {
        let mut moved = false;
        for from in 0..nodes.len() {
            let ready: Vec<(AgencyId, node::peer::Message)> = {
                let snapshot = nodes[from].snapshot().unwrap();
                let waiting = node::outbox::all_waiting(&*snapshot).unwrap();
                let ready = |w: &node::outbox::Waiting| node::outbox::ready(&*snapshot, w).unwrap();
                waiting.iter().map(|w| (w.recipient.clone(), ready(w))).collect()
            };
            for (to, message) in ready {
                let at = nodes.iter().position(|n| *n.agency() == to).unwrap();
                match nodes[at].receive(&message, now(), &mut Seeded(11)) {
                    Ok(answer) => {
                        nodes[from].answered(&answer, now(), &mut Seeded(12)).unwrap();
                    }
                    Err(node::NodeError::Conflict { size }) => {
                        nodes[from].seen_by(&to, size).unwrap();
                    }
                    Err(error) => panic!("{error}"),
                }
                moved = true;
            }
        }
        if !moved {
            return;
        }
    }
    panic!("messages never end");
}

pub fn holds(node: &Node, id: &RecordId) -> bool {
    let snapshot = node.snapshot().unwrap();
    node::query::record(&node.facts(&*snapshot), id).unwrap().is_some()
}
