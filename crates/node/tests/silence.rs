//! Law 7: what is withheld and what was never here are answered alike, and after the same work.
//!
//! Time itself is not measured in a test: what is compared is every question put to the store.
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
use model::event::Event;
use model::ids::RecordId;
use model::request::Consent;
use model::time::Timestamp;
use node::pages::Wanted;
use std::sync::{Arc, Mutex};
use store::{Result, Snapshot, Visit};

/// What was asked of a store: the operation and the first byte of the key, its table.
type Trace = Vec<(&'static str, u8)>;

/// A snapshot that notes what it is asked.
struct Watched<'a> {
    inner: Box<dyn Snapshot + 'a>,
    asked: Arc<Mutex<Trace>>,
}

impl Watched<'_> {
    fn note(&self, operation: &'static str, key: &[u8]) {
        self.asked.lock().unwrap().push((operation, key.first().copied().unwrap_or_default()));
    }
}

impl Snapshot for Watched<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        self.note("get", key);
        self.inner.get(key)
    }

    fn scan_from(&self, prefix: &[u8], start: &[u8], visit: &mut Visit<'_>) -> Result<()> {
        self.note("scan", prefix);
        self.inner.scan_from(prefix, start, visit)
    }

    fn scan_back(&self, prefix: &[u8], end: Option<&[u8]>, visit: &mut Visit<'_>) -> Result<()> {
        self.note("back", prefix);
        self.inner.scan_back(prefix, end, visit)
    }
}

/// What a partner's question for one record costs, and that nothing comes of it.
fn silence(node: &node::Node, reader: &str, id: &str, at: Timestamp) -> Trace {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let snapshot = Watched { inner: node.snapshot().unwrap(), asked: Arc::clone(&asked) };
    let facts = node.facts(&snapshot);
    let mut wanted = Wanted::first(10);
    wanted.ids = Some([id.to_owned()].into());
    let page = node::query::collection(&facts, &reader.parse().unwrap(), &wanted, at).unwrap();
    assert!(page.rows.is_empty() && !page.more && page.next().is_none(), "{id}");
    asked.lock().unwrap().clone()
}

/// Everything one partner is shown, with the view in place.
fn given(node: &node::Node, reader: &str) -> Vec<RecordId> {
    let snapshot = node.snapshot().unwrap();
    let facts = node.facts(&*snapshot);
    node.view().warm(&facts).unwrap();
    let all = Wanted::first(1_000);
    let page = node::query::collection(&facts, &reader.parse().unwrap(), &all, now()).unwrap();
    page.rows.iter().map(|row| row.record().clone()).collect()
}

fn held(node: &node::Node) -> Vec<RecordId> {
    let mut held = Vec::new();
    node::query::custodies(&*node.snapshot().unwrap(), &mut |custody| {
        held.push(custody.id);
        true
    })
    .unwrap();
    held
}

const UNKNOWN: &str = "indicator--00000000-0000-4000-8000-000000000000";

/// When no agreement of the exercise holds any more.
fn later() -> Timestamp {
    "2045-01-01T00:00:00Z".parse().unwrap()
}

#[test]
fn a_record_withheld_costs_what_one_that_was_never_here_costs() {
    let mut nodes = cast();
    let reader = CAST[1].1;
    act(&mut nodes[0], Event::Order(order(reader, "ct.investigation", Some("financing"), &[])));
    let (given, held) = (given(&nodes[0], reader), held(&nodes[0]));
    let nothing = silence(&nodes[0], reader, UNKNOWN, later());
    assert!(given.len() > 3 && nothing.len() > 1, "the scenario lost its point");
    for id in &given {
        assert_eq!(silence(&nodes[0], reader, id.as_str(), later()), nothing, "withheld {id}");
    }
    let other: Vec<_> = held.iter().filter(|id| !given.contains(id)).collect();
    assert!(other.len() > 5, "the scenario lost its point");
    for id in other {
        assert_eq!(silence(&nodes[0], reader, id.as_str(), now()), nothing, "not offered {id}");
    }
}

#[test]
fn a_record_of_another_originator_costs_its_consents_more_and_no_record() {
    let mut nodes = cast();
    let reader = CAST[2].1;
    let to_b = order(CAST[1].1, "ct.investigation", Some("financing"), &[]);
    act(&mut nodes[0], Event::Order(to_b));
    let consent = Consent {
        originator: agency("xa"),
        recipient: agency("xc"),
        object: None,
        purpose: None,
        from: None,
        until: None,
        agreement: None,
    };
    act(&mut nodes[0], Event::Permit(consent));
    deliver(&mut nodes);
    let onward = order(reader, "ct.investigation", Some("financing"), &[]);
    let records = held(&nodes[1]);
    act(&mut nodes[1], Event::Share { records, order: onward });
    let own =
        held(&nodes[1]).into_iter().filter(|id| !held(&nodes[0]).contains(id)).collect::<Vec<_>>();
    let foreign: Vec<_> =
        given(&nodes[1], reader).into_iter().filter(|id| !own.contains(id)).collect();
    assert!(!foreign.is_empty(), "the scenario lost its point");
    let nothing = silence(&nodes[1], reader, UNKNOWN, later());
    for id in foreign {
        let asked = silence(&nodes[1], reader, id.as_str(), later());
        let more: Vec<_> = asked.iter().skip(nothing.len()).collect();
        assert_eq!(asked[..nothing.len()], nothing, "{id}");
        assert_eq!(more, [&("scan", b'c')], "{id}");
    }
}
