//! Claim: a partner's client posts at least 10,000 objects a second in envelopes of 1,000 and 3,000
//! a second in envelopes of 100, into the embedded store, log and durability on, on one core.
//!
//! `taskset -c 0 cargo run --release -p benches --bin post`. The envelope is read, judged,
//! stored and logged as the door does it; the network is left out.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a measurement: it reads the clock and prints"
)]

use model::event::Event;
use model::ids::AgencyId;
use model::posting::Collection;
use model::release::AgreementSignature;
use model::time::Timestamp;
use node::access::admit;
use node::identity::{Introduction, Secrets, token_digest};
use node::peer::Message;
use node::shelf::{Envelope, Wanted, page};
use node::{Entropy, Identity, Node};
use std::error::Error;
use std::path::Path;
use std::time::Instant;

const OBJECTS: usize = 50_000;
const AGREEMENT: &str = "scenarios/lantern/agreements/2_coalition.toml";
const CAST: [(&str, &str); 3] =
    [("xa.police.ct", "XA"), ("xb.police.ct", "XB"), ("xc.police.ncb", "XC")];

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = u8::try_from(self.0 >> 56).unwrap_or(0);
        }
    }
}

fn identity(at: usize, now: Timestamp) -> Result<Identity, Box<dyn Error>> {
    let (agency, party) = CAST.get(at).ok_or("no such agency")?;
    let secrets = Secrets::generate(&agency.parse()?, &mut Counter(u64::try_from(at)? + 1))?;
    let introduction = Introduction {
        agency: agency.parse()?,
        party: party.parse()?,
        endpoint: "http://127.0.0.1:1".to_owned(),
        valid_from: now,
        valid_until: "2035-01-01T00:00:00Z".parse()?,
    };
    Ok(Identity::new(introduction, secrets))
}

/// A node with two partners and an agreement of all three.
fn host(place: &Path, now: Timestamp) -> Result<Node, Box<dyn Error>> {
    let store = Box::new(store::embedded::Embedded::open(place)?);
    let mut node = Node::open(store, identity(0, now)?, now, &mut Counter(9))?;
    let vocabulary = std::fs::read("scenarios/lantern/vocabulary.json")?;
    let adopt =
        Event::Adopt(Box::new(wire::vocabulary::parse(&vocabulary).map_err(|e| format!("{e:?}"))?));
    node.act("bench", adopt, now, &mut Counter(9))?;
    for (at, (agency, _)) in CAST.iter().enumerate().skip(1) {
        let enrol = Event::Enrol(Box::new(identity(at, now)?.member));
        node.act("bench", enrol, now, &mut Counter(9))?;
        let access = Event::Access { partner: agency.parse()?, token: token_digest(agency) };
        node.act("bench", access, now, &mut Counter(9))?;
    }
    let document = std::fs::read(AGREEMENT)?;
    let agreement = Box::new(wire::agreement::parse(&document).map_err(|e| format!("{e:?}"))?);
    let (id, version, digest) = (agreement.id.clone(), agreement.version, agreement.digest);
    node.act("bench", Event::Agree { agreement, document }, now, &mut Counter(9))?;
    for (at, (agency, party)) in CAST.iter().enumerate() {
        let (agency, party) = (agency.parse()?, party.parse()?);
        let agreement = id.clone();
        let signature = AgreementSignature { agreement, version, digest, party, agency, at: now };
        if at == 0 {
            node.act("bench", Event::Sign(signature), now, &mut Counter(9))?;
            continue;
        }
        let theirs = Box::new(store::memory::Memory::new());
        let theirs = Node::open(theirs, identity(at, now)?, now, &mut Counter(9))?;
        let note = Message::Note(theirs.sign_agreement(&signature)?);
        node.receive(&note, now, &mut Counter(9))?;
    }
    Ok(node)
}

/// Bodies of POSTs, each object about 1 kB.
fn envelopes(size: usize, first: usize) -> Vec<Vec<u8>> {
    let words =
        "The consignment was seen at the quay and its papers named another port. ".repeat(8);
    let object = |at: usize| {
        format!(
            "{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--5e1f0a9c-7a3e-4c55-9d6e-{at:012x}\",\
             \"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\
             \"name\":\"Invented indicator {at}\",\"description\":\"{words}\",\"pattern\":\"[url:value = 'http://host{at}.example/']\",\
             \"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"indicator_types\":[\"anomalous-activity\"],\
             \"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]}}"
        )
    };
    let numbers: Vec<usize> = (first..first + OBJECTS).collect();
    let body = |part: &[usize]| {
        let objects: Vec<String> = part.iter().map(|at| object(*at)).collect();
        format!("{{\"objects\":[{}]}}", objects.join(",")).into_bytes()
    };
    numbers.chunks(size).map(body).collect()
}

/// Objects a second; every one must be taken.
fn posted(
    node: &mut Node,
    to: &Collection,
    bodies: &[Vec<u8>],
    now: Timestamp,
) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let mut taken = 0_usize;
    for body in bodies {
        let client = admit(&*node.snapshot()?, Some(CAST[1].0), CAST[1].0, now)?;
        let client = client.ok_or("the client is not admitted")?;
        let status = node.post(&client, (to, Envelope::read(body)?), now, &mut Counter(5))?;
        taken += status.successes.len();
    }
    let seconds = start.elapsed().as_secs_f64();
    if taken != OBJECTS {
        return Err(format!("{taken} of {OBJECTS} objects were taken").into());
    }
    Ok(f64::from(u32::try_from(taken)?) / seconds)
}

fn main() -> Result<(), Box<dyn Error>> {
    let now: Timestamp = "2026-11-24T12:00:00Z".parse()?;
    let place = std::env::temp_dir().join(format!("entente-bench-post-{}", std::process::id()));
    let mut node = host(&place, now)?;
    let partner: AgencyId = CAST[1].0.parse()?;
    let inbox = Collection::Inbox(partner.clone());
    let community = Collection::Community("urn:entente:agr:meridian".parse()?);
    let mut first = 0;
    for (to, size) in [(&inbox, 1_000), (&inbox, 100), (&community, 1_000), (&community, 100)] {
        let bodies = envelopes(size, first);
        let rate = posted(&mut node, to, &bodies, now)?;
        println!("POST to the {to}, envelopes of {size}: {rate:.0} objects/s");
        first += OBJECTS;
    }
    let start = Instant::now();
    for _ in 0..100_000_u32 {
        admit(&*node.snapshot()?, Some(CAST[1].0), CAST[1].0, now)?.ok_or("not admitted")?;
    }
    println!("admitting a client: {:.1} µs", start.elapsed().as_secs_f64() * 10.0);
    let reader: AgencyId = CAST[2].0.parse()?;
    for (who, to) in [(&partner, &inbox), (&reader, &community)] {
        let snapshot = node.snapshot()?;
        let start = Instant::now();
        let shown = page(&node.facts(&*snapshot), who, to, &Wanted::first(100), now)?.rows.len();
        let milliseconds = start.elapsed().as_secs_f64() * 1_000.0;
        println!("first page of the {to}, {shown} objects: {milliseconds:.2} ms");
    }
    drop(node);
    std::fs::remove_dir_all(&place)?;
    Ok(())
}
