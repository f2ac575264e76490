//! Claim: importing STIX into the embedded store, log and durability on, takes at least 50,000
//! objects a second on one core, and memory does not grow with the file.
//!
//! `cargo run --release -p benches --bin import [FILE]`: FILE is any STIX bundle or lines of
//! objects; without one, 200,000 invented indicators of about 1 kB are made. Pin to one core with
//! `taskset -c 0` for the one-core figure.
#![allow(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    reason = "a measurement: it reads the clock, files and prints"
)]

use model::custody::{Custody, Holding, Source};
use model::event::Event;
use model::time::Timestamp;
use node::identity::{Introduction, Secrets};
use node::{Body, Entropy, Identity, Node};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::time::Instant;

const OBJECTS: u64 = 200_000;
const PORTION: usize = 1_000;

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

fn invented() -> Vec<u8> {
    let mut out = String::from(
        "{\"type\":\"bundle\",\"id\":\"bundle--5e1f0a9c-7a3e-4c55-9d6e-000000000000\",\"objects\":[",
    );
    let words =
        "The consignment was seen at the quay and its papers named another port. ".repeat(8);
    for at in 0..OBJECTS {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&format!(
            "{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--5e1f0a9c-7a3e-4c55-9d6e-{at:012x}\",\
             \"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\
             \"name\":\"Invented indicator {at}\",\"description\":\"{words}\",\"pattern\":\"[url:value = 'http://host{at}.example/']\",\
             \"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"indicator_types\":[\"anomalous-activity\"],\
             \"object_marking_refs\":[\"marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421\"]}}"
        ));
    }
    out.push_str("]}");
    out.into_bytes()
}

fn rss_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0_u64) / 1024
}

/// User and system seconds of this process, all threads.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn open(place: &std::path::Path, now: Timestamp) -> Result<Node, Box<dyn Error>> {
    let agency: model::ids::AgencyId = "xa.police.ct".parse()?;
    let secrets = Secrets::generate(&agency, &mut Counter(1))?;
    let introduction = Introduction {
        agency,
        party: "XA".parse()?,
        endpoint: "http://127.0.0.1:1".to_owned(),
        valid_from: now,
        valid_until: "2036-01-01T00:00:00Z".parse()?,
    };
    let store = Box::new(store::embedded::Embedded::open(place)?);
    Ok(Node::open(store, Identity::new(introduction, secrets), now, &mut Counter(2))?)
}

fn holding(node: &Node, body: Body, now: Timestamp) -> Holding<Body> {
    let content = node::content_digest(&body);
    let custody = Custody {
        id: body.id().clone(),
        kind: body.record_type().to_owned(),
        version: body.version_text().map_or_else(|| content.to_string(), str::to_owned),
        originator: node.agency().clone(),
        source: Source::Import { format: "stix".to_owned(), officer: "bench".to_owned() },
        stored_at: now,
        content,
        caveats: BTreeSet::new(),
        retention_until: None,
        floor: None,
        flagged: false,
    };
    Holding { custody, body }
}

fn ingest(
    node: &mut Node,
    portion: Vec<Holding<Body>>,
    now: Timestamp,
) -> Result<(), Box<dyn Error>> {
    node.act("bench", Event::Ingest(portion), now, &mut Counter(3))?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let now: Timestamp = "2026-11-23T12:00:00Z".parse()?;
    let bytes = match std::env::args().nth(1) {
        Some(path) => {
            let mut bytes = Vec::new();
            std::fs::File::open(path)?.read_to_end(&mut bytes)?;
            bytes
        }
        None => invented(),
    };
    let place = tempfile::tempdir()?;
    let mut node = open(place.path(), now)?;
    let before = rss_mib();
    let (started, cpu) = (Instant::now(), cpu_seconds());
    let (mut count, mut rejected) = (0_u64, 0_u64);
    let mut portion: Vec<Holding<Body>> = Vec::with_capacity(PORTION);
    let mut failure = None;
    let size_bytes = bytes.len();
    wire::stix::read(Cursor::new(bytes), &mut |item| {
        match item {
            wire::stix::Item::Object(body) => {
                count += 1;
                portion.push(holding(&node, *body, now));
            }
            wire::stix::Item::Rejected(_) => rejected += 1,
        }
        if portion.len() >= PORTION
            && let Err(error) = ingest(&mut node, std::mem::take(&mut portion), now)
        {
            failure = Some(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failure {
        return Err(error);
    }
    ingest(&mut node, portion, now)?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = count as f64 / seconds;
    println!("import: {count} objects, {rejected} rejected, {} MiB", size_bytes / 1_048_576);
    println!(
        "  ours   {rate:>10.0} objects/s   ({seconds:.2} s, peak memory +{} MiB)",
        rss_mib().saturating_sub(before)
    );
    let per_core = count as f64 / (cpu_seconds() - cpu);
    println!("  ours   {per_core:>10.0} objects a CPU second, all threads counted");
    println!(
        "  target     50000 objects/s   ratio {:.2} by the clock, {:.2} by CPU",
        rate / 50_000.0,
        per_core / 50_000.0
    );
    println!(
        "  peers      57 to 72 objects/s (darwis-taxii, OpenTAXII, as published with the load script; not measured in this run)"
    );
    Ok(())
}
