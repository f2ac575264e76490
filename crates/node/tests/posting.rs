//! Partners' clients post to their inbox and to communities: rights, duplicates, variants,
//! originator control, takedown and what a hostile poster gets.
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

use model::event::Event;
use model::ids::{AgencyId, RecordId};
use model::posting::{Appraisal, Collection, Pick, PostStatus, Takedown};
use model::release::AgreementSignature;
use model::request::{Consent, Grounds, StandingOrder};
use model::time::Timestamp;
use model::verified::{Verified, Voucher};
use node::access::{Admitted, Certificates, admit, admit_certified};
use node::identity::{Introduction, Secrets, token_digest};
use node::shelf::{Envelope, Wanted, collections, page, status};
use node::{Body, Entropy, Identity, Node, NodeError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

struct Seeded(u64);

impl Entropy for Seeded {
    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (self.0 >> 33) as u8;
        }
    }
}

const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
const CAST: [(&str, &str); 3] =
    [("xa.police.ct", "XA"), ("xb.police.ct", "XB"), ("xc.police.ncb", "XC")];

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

fn agency(at: usize) -> AgencyId {
    CAST[at].0.parse().unwrap()
}

fn identity(which: usize) -> Identity {
    let secrets = Secrets::generate(&agency(which), &mut Seeded(which as u64 + 1)).unwrap();
    let introduction = Introduction {
        agency: agency(which),
        party: CAST[which].1.parse().unwrap(),
        endpoint: "http://x.example".to_owned(),
        valid_from: now(),
        valid_until: at("2034-06-01T00:00:00Z"),
    };
    Identity::new(introduction, secrets)
}

fn act(node: &mut Node, event: Event<Body>) {
    node.act("test", event, now(), &mut Seeded(7)).unwrap();
}

/// xa's node with xb and xc pinned, each with a token, and these agreements signed by all.
fn host(agreements: &[&str]) -> Node {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/lantern");
    let store = Box::new(store::memory::Memory::new());
    let mut node = Node::open(store, identity(0), now(), &mut Seeded(3)).unwrap();
    let text = std::fs::read(dir.join("vocabulary.json")).unwrap();
    act(&mut node, Event::Adopt(Box::new(wire::vocabulary::parse(&text).unwrap())));
    for which in [1, 2] {
        act(&mut node, Event::Enrol(Box::new(identity(which).member)));
        let token = token_digest(CAST[which].0);
        act(&mut node, Event::Access { partner: agency(which), token });
    }
    for name in agreements {
        let document = std::fs::read(dir.join("agreements").join(name)).unwrap();
        let agreement = Box::new(wire::agreement::parse(&document).unwrap());
        act(&mut node, Event::Agree { agreement: agreement.clone(), document });
        for (which, (_, party)) in CAST.iter().enumerate() {
            let agency = agency(which);
            if agreement.party_of(&agency).is_none() {
                continue;
            }
            let signature = AgreementSignature {
                agreement: agreement.id.clone(),
                version: agreement.version,
                digest: agreement.digest,
                party: party.parse().unwrap(),
                agency: agency.clone(),
                at: now(),
            };
            let key = Voucher::Signature { agency, key: "release".to_owned() };
            let event = Verified::vouch(Event::Sign(signature), key, now());
            node.handle(event, now(), &mut Seeded(9)).unwrap();
        }
    }
    node
}

const BILATERAL: &str = "1_bilateral.toml";
const MERIDIAN: &str = "2_coalition.toml";

fn community() -> Collection {
    Collection::Community("urn:entente:agr:meridian".parse().unwrap())
}

fn inbox(which: usize) -> Collection {
    Collection::Inbox(agency(which))
}

fn client(node: &Node, which: usize, now: Timestamp) -> Admitted {
    let snapshot = node.snapshot().unwrap();
    admit(&*snapshot, Some(CAST[which].0), CAST[which].0, now).unwrap().unwrap()
}

fn id(number: u8) -> String {
    format!("indicator--5e1f0a9c-7a3e-4c55-9d6e-0000000000{number:02}")
}

fn indicator(number: u8, modified: &str, name: &str, marking: &str) -> String {
    format!(
        r#"{{"type":"indicator","spec_version":"2.1","id":"{}","created":"2026-01-01T00:00:00.000Z","modified":"{modified}","name":"{name}","pattern":"[url:value = 'http://h.example/']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z","object_marking_refs":["{marking}"]}}"#,
        id(number)
    )
}

const V1: &str = "2026-01-01T00:00:00.000Z";
const V2: &str = "2026-02-01T00:00:00.000Z";

fn post(
    node: &mut Node,
    which: usize,
    to: &Collection,
    objects: &[String],
) -> Result<PostStatus, NodeError> {
    let client = client(node, which, now());
    let text = format!("{{\"objects\":[{}]}}", objects.join(","));
    let envelope = Envelope::read(text.as_bytes()).unwrap();
    node.post(&client, (to, envelope), now(), &mut Seeded(21))
}

fn counts(status: &PostStatus) -> (usize, usize) {
    (status.successes.len(), status.failures.len())
}

fn seen(node: &Node, which: usize, of: &Collection, now: Timestamp) -> Vec<(String, String)> {
    let snapshot = node.snapshot().unwrap();
    let all = page(&node.facts(&*snapshot), &agency(which), of, &Wanted::first(100), now).unwrap();
    let text = |raw: &[u8]| String::from_utf8(raw.to_vec()).unwrap();
    all.rows.iter().map(|row| (row.record().to_string(), text(row.raw()))).collect()
}

fn take_down(
    node: &mut Node,
    which: usize,
    of: &Collection,
    number: u8,
    pick: Pick,
) -> Result<usize, NodeError> {
    let client = client(node, which, now());
    let record: RecordId = id(number).parse().unwrap();
    let takedown = Takedown {
        collection: of.clone(),
        partner: agency(which),
        record,
        versions: BTreeSet::from([pick]),
        specs: None,
    };
    node.take_down(&client, takedown, now(), &mut Seeded(22))
}

fn code<T: std::fmt::Debug>(result: Result<T, NodeError>) -> &'static str {
    let error = result.unwrap_err();
    let NodeError::Denied(denial) = error else { panic!("{error}") };
    denial.code
}

fn size(node: &Node) -> u64 {
    node::log::frontier(&*node.snapshot().unwrap()).unwrap().size()
}

#[test]
fn rights_follow_from_the_agreements_in_force() {
    let node = host(&[BILATERAL, MERIDIAN]);
    let rights = |which: usize, now: Timestamp| -> Vec<(String, bool, bool)> {
        let snapshot = node.snapshot().unwrap();
        let mut all: Vec<_> = collections(&node.facts(&*snapshot), &agency(which), now)
            .unwrap()
            .into_iter()
            .map(|c| (c.alias, c.rights.read, c.rights.write))
            .collect();
        all.sort();
        all
    };
    let row = |alias: &str, read, write| (alias.to_owned(), read, write);
    let meridian = "urn:entente:agr:meridian";
    let all = [row("inbox", true, true), row("outbox", true, false), row(meridian, true, true)];
    assert_eq!(rights(1, now()), all);
    assert_eq!(rights(2, now()), all);
    let ended = at("2036-06-01T00:00:00Z");
    assert_eq!(rights(2, ended), [row("inbox", false, false), row("outbox", true, false)]);
    assert_eq!(rights(0, now())[0], row("inbox", false, false), "a node is not its own partner");
    let mut bare = host(&[]);
    let one = [indicator(1, V1, "a", AMBER)];
    assert_eq!(code(post(&mut bare, 1, &inbox(1), &one)), "collection_unknown");
    let mut node = node;
    assert_eq!(code(post(&mut node, 1, &inbox(2), &one)), "collection_unknown");
    let outbox = Collection::Outbox(agency(1));
    assert_eq!(code(post(&mut node, 1, &outbox, &one)), "not_writable");
    let mut two = host(&[BILATERAL]);
    assert_eq!(code(post(&mut two, 1, &community(), &one)), "collection_unknown");
    assert_eq!(code(post(&mut two, 2, &inbox(2), &one)), "collection_unknown");
}

#[test]
fn an_inbox_gives_back_the_posters_own_bytes_to_nobody_else() {
    let mut node = host(&[BILATERAL, MERIDIAN]);
    let object = indicator(1, V1, "a", AMBER);
    let done = post(&mut node, 1, &inbox(1), std::slice::from_ref(&object)).unwrap();
    assert_eq!(counts(&done), (1, 0));
    assert!(done.is_complete());
    assert_eq!(seen(&node, 1, &inbox(1), now()), [(id(1), object)]);
    assert!(seen(&node, 2, &inbox(1), now()).is_empty());
    assert!(seen(&node, 2, &community(), now()).is_empty());
    let snapshot = node.snapshot().unwrap();
    assert_eq!(status(&*snapshot, &agency(1), &done.id).unwrap(), Some(done.clone()));
    assert_eq!(status(&*snapshot, &agency(2), &done.id).unwrap(), None);
}

#[test]
fn a_duplicate_changes_nothing_and_a_differing_copy_fails() {
    let mut node = host(&[BILATERAL]);
    let one = indicator(1, V1, "a", AMBER);
    post(&mut node, 1, &inbox(1), std::slice::from_ref(&one)).unwrap();
    let before = size(&node);
    assert_eq!(counts(&post(&mut node, 1, &inbox(1), &[one.clone(), one]).unwrap()), (2, 0));
    assert_eq!(size(&node), before);
    assert_eq!(seen(&node, 1, &inbox(1), now()).len(), 1);
    let other = indicator(1, V1, "b", AMBER);
    let newer = indicator(1, V2, "c", AMBER);
    let done = post(&mut node, 1, &inbox(1), &[other, newer]).unwrap();
    assert_eq!(counts(&done), (1, 1));
    assert!(done.failures[0].message.as_ref().unwrap().contains("raise `modified`"));
    assert_eq!(seen(&node, 1, &inbox(1), now()).len(), 2, "both versions stand");
}

#[test]
fn hostile_objects_fail_alone() {
    let mut node = host(&[BILATERAL]);
    let unknown = "marking-definition--00000000-0000-4000-8000-000000000000";
    let objects = [
        indicator(1, V1, "a", unknown),
        "{\"type\":\"indicator\",\"id\":\"indicator--x\"}".to_owned(),
        "[1]".to_owned(),
        indicator(2, V1, "b", AMBER),
    ];
    let done = post(&mut node, 1, &inbox(1), &objects).unwrap();
    assert_eq!(counts(&done), (1, 3));
    assert_eq!(done.total(), 4);
    assert!(done.failures.iter().all(|f| f.message.as_ref().unwrap().contains("help: ")));
    assert_eq!(seen(&node, 1, &inbox(1), now()).len(), 1);
}

#[test]
fn a_community_posting_reaches_its_parties_until_it_is_taken_down() {
    let mut node = host(&[MERIDIAN]);
    let object = indicator(1, V1, "a", AMBER);
    post(&mut node, 1, &community(), &[object]).unwrap();
    assert_eq!(seen(&node, 2, &community(), now()).len(), 1);
    assert!(seen(&node, 2, &community(), at("2036-06-01T00:00:00Z")).is_empty());
    assert_eq!(code(take_down(&mut node, 2, &community(), 1, Pick::All)), "object_unknown");
    assert_eq!(code(take_down(&mut node, 1, &community(), 9, Pick::All)), "object_unknown");
    assert_eq!(take_down(&mut node, 1, &community(), 1, Pick::All).unwrap(), 1);
    assert!(seen(&node, 2, &community(), now()).is_empty());
    assert!(seen(&node, 1, &community(), now()).is_empty());
    assert_eq!(code(take_down(&mut node, 1, &community(), 1, Pick::All)), "object_unknown");
}

#[test]
fn a_takedown_of_one_version_leaves_the_other() {
    let mut node = host(&[BILATERAL]);
    let both = [indicator(1, V1, "a", AMBER), indicator(1, V2, "b", AMBER)];
    post(&mut node, 1, &inbox(1), &both).unwrap();
    assert_eq!(take_down(&mut node, 1, &inbox(1), 1, Pick::At(V2.to_owned())).unwrap(), 1);
    assert_eq!(seen(&node, 1, &inbox(1), now()), [(id(1), both[0].clone())]);
    assert_eq!(take_down(&mut node, 1, &inbox(1), 1, Pick::All).unwrap(), 1);
    assert!(seen(&node, 1, &inbox(1), now()).is_empty());
}

#[test]
fn nothing_goes_on_without_consent_and_a_takedown_follows_what_did() {
    let mut node = host(&[BILATERAL, MERIDIAN]);
    let order = StandingOrder {
        recipient: agency(2),
        purpose: "ct.prevention".to_owned(),
        grounds: Grounds::default(),
    };
    act(&mut node, Event::Order(order));
    let waiting =
        |node: &Node| node::outbox::waiting(&*node.snapshot().unwrap(), &agency(2)).unwrap().len();
    post(&mut node, 1, &inbox(1), &[indicator(1, V1, "a", AMBER)]).unwrap();
    assert_eq!(waiting(&node), 0, "an inbox posting gives no onward right");
    let consent = Consent {
        originator: agency(1),
        recipient: agency(2),
        object: None,
        purpose: None,
        from: None,
        until: None,
        agreement: None,
    };
    let signed = Voucher::Signature { agency: agency(1), key: "release".to_owned() };
    let event = Verified::vouch(Event::Permit(consent), signed, now());
    node.handle(event, now(), &mut Seeded(9)).unwrap();
    post(&mut node, 1, &inbox(1), &[indicator(2, V1, "b", AMBER)]).unwrap();
    assert_eq!(waiting(&node), 1, "with consent the standing order reaches it");
    take_down(&mut node, 1, &inbox(1), 2, Pick::All).unwrap();
    assert_eq!(waiting(&node), 2, "the withdrawal follows");
}

#[test]
fn posting_to_a_community_is_no_consent_for_an_orcon_record() {
    let mut node = host(&[BILATERAL, MERIDIAN]);
    let purpose = "ct.prevention".to_owned();
    let order = StandingOrder { recipient: agency(2), purpose, grounds: Grounds::default() };
    act(&mut node, Event::Order(order));
    let orcon = r#""extensions":{"extension-definition--a8e2d1f0-5c3b-4e7a-9d64-1b2f7c90e6a3":{"extension_type":"property-extension","orcon":true}},"name""#;
    let free = indicator(2, V1, "b", AMBER);
    let bound = indicator(1, V1, "a", AMBER).replace("\"name\"", orcon);
    assert_eq!(counts(&post(&mut node, 1, &community(), &[bound, free]).unwrap()), (2, 0));
    let ids: Vec<String> = seen(&node, 2, &community(), now()).into_iter().map(|s| s.0).collect();
    assert_eq!(ids, [id(2)], "the community shows what is free");
    let released = seen(&node, 2, &Collection::Outbox(agency(2)), now());
    let released: Vec<String> = released.into_iter().map(|s| s.0).collect();
    assert_eq!(released, [id(2)], "and so does what was shipped under the order");
}

#[test]
fn a_pinned_certificate_admits_its_partner_only_while_it_is_pinned() {
    let mut node = host(&[BILATERAL]);
    let shown = token_digest("a certificate");
    let pinned = Certificates::from([(shown, agency(1))]);
    let admitted = |node: &Node, digest| {
        admit_certified(&*node.snapshot().unwrap(), &pinned, digest, now()).unwrap()
    };
    assert_eq!(admitted(&node, token_digest("another")), None);
    let client = admitted(&node, shown).unwrap();
    let object = indicator(1, V1, "a", AMBER);
    let envelope = || Envelope::read(format!("{{\"objects\":[{object}]}}").as_bytes()).unwrap();
    let unpinned = node.post(&client, (&inbox(1), envelope()), now(), &mut Seeded(21));
    assert_eq!(code(unpinned), "not_admitted");
    node.pin_certificates(Arc::new(pinned.clone()));
    let done = node.post(&client, (&inbox(1), envelope()), now(), &mut Seeded(21)).unwrap();
    assert_eq!(counts(&done), (1, 0));
}

#[test]
fn a_replaced_token_admits_nobody_and_statuses_end() {
    let mut node = host(&[BILATERAL]);
    let old = client(&node, 1, now());
    let done = post(&mut node, 1, &inbox(1), &[indicator(1, V1, "a", AMBER)]).unwrap();
    act(&mut node, Event::Access { partner: agency(1), token: token_digest("new") });
    let text = format!("{{\"objects\":[{}]}}", indicator(2, V1, "b", AMBER));
    let envelope = Envelope::read(text.as_bytes()).unwrap();
    let late = node.post(&old, (&inbox(1), envelope), now(), &mut Seeded(5));
    assert_eq!(code(late), "not_admitted");
    let kept =
        |node: &Node| status(&*node.snapshot().unwrap(), &agency(1), &done.id).unwrap().is_some();
    node.own(Event::Tick, at("2026-11-24T12:00:00Z"), &mut Seeded(6)).unwrap();
    assert!(kept(&node), "kept for 24 hours");
    node.own(Event::Tick, at("2026-11-24T12:00:01Z"), &mut Seeded(6)).unwrap();
    assert!(!kept(&node));
}

#[test]
fn an_appraisal_is_logged_once_and_only_for_partners() {
    let mut node = host(&[BILATERAL]);
    let before = size(&node);
    let appraisal = Appraisal { floor: model::marking::Tlp::Red, grade: "B3".parse().ok() };
    act(&mut node, Event::Appraise { partner: agency(1), appraisal });
    act(&mut node, Event::Appraise { partner: agency(1), appraisal });
    assert_eq!(size(&node), before + 1);
    let own = Event::Appraise { partner: agency(0), appraisal };
    assert_eq!(code(node.act("test", own, now(), &mut Seeded(1))), "member_unknown");
}

/// What two posters should find, worked out beside the node.
#[derive(Default)]
struct Expected {
    contents: BTreeMap<(usize, u8, &'static str), String>,
    places: BTreeSet<(Collection, usize, u8, &'static str)>,
}

impl Expected {
    /// Successes, failures, and how many places are new.
    fn post(
        &mut self,
        which: usize,
        to: &Collection,
        objects: &[(u8, &'static str, String)],
    ) -> (usize, usize, usize) {
        let (mut good, mut bad, mut fresh) = (0, 0, 0);
        for (number, version, text) in objects {
            let held = self.contents.entry((which, *number, version)).or_insert(text.clone());
            if held == text {
                good += 1;
                let place = (to.clone(), which, *number, *version);
                fresh += usize::from(self.places.insert(place));
            } else {
                bad += 1;
            }
        }
        (good, bad, fresh)
    }

    fn take_down(&mut self, which: usize, of: &Collection, number: u8) -> usize {
        let before = self.places.len();
        self.places.retain(|(at, who, n, _)| (at, *who, *n) != (of, which, number));
        let places = &self.places;
        self.contents.retain(|(who, n, version), _| {
            places.iter().any(|(_, w, m, v)| (w, m, v) == (who, n, version))
        });
        before - self.places.len()
    }

    fn read(&self, of: &Collection) -> BTreeSet<(String, String)> {
        let here = self.places.iter().filter(|(at, ..)| at == of);
        here.map(|(_, who, n, version)| (id(*n), self.contents[&(*who, *n, *version)].clone()))
            .collect()
    }
}

#[test]
fn in_random_lives_of_posters_nothing_doubles_and_every_posting_is_logged_once() {
    for seed in 0..12_u64 {
        let mut node = host(&[BILATERAL, MERIDIAN]);
        let (mut expected, mut chance) = (Expected::default(), Seeded(seed + 100));
        let mut pick = |of: u8| {
            let mut byte = [0_u8];
            chance.fill(&mut byte);
            byte[0] % of
        };
        for step in 0..60 {
            let which = usize::from(pick(2)) + 1;
            let (before, place) = (size(&node), format!("seed {seed}, step {step}"));
            if pick(8) == 0 {
                let one = [indicator(1, V1, "x", AMBER)];
                assert_eq!(
                    code(post(&mut node, which, &inbox(3 - which), &one)),
                    "collection_unknown"
                );
                assert_eq!(size(&node), before, "{place}: a refusal leaves no trace");
                continue;
            }
            let to = if pick(2) == 0 { inbox(which) } else { community() };
            if pick(4) == 0 {
                let number = pick(4) + 1;
                let gone = expected.take_down(which, &to, number);
                match take_down(&mut node, which, &to, number, Pick::All) {
                    Ok(count) => assert_eq!(count, gone, "{place}"),
                    Err(error) => assert_eq!((gone, code::<()>(Err(error))), (0, "object_unknown")),
                }
                assert_eq!(size(&node), before + u64::from(gone > 0), "{place}: takedown");
            } else {
                let objects: Vec<(u8, &'static str, String)> = (0..=pick(3))
                    .map(|_| {
                        let (number, version) = (pick(4) + 1, [V1, V2][usize::from(pick(2))]);
                        let name = format!("{which}{}", ["a", "b"][usize::from(pick(5) / 4)]);
                        (number, version, indicator(number, version, &name, AMBER))
                    })
                    .collect();
                let (good, bad, fresh) = expected.post(which, &to, &objects);
                let texts: Vec<String> = objects.into_iter().map(|(_, _, text)| text).collect();
                let done = post(&mut node, which, &to, &texts).unwrap();
                assert_eq!(counts(&done), (good, bad), "{place}: {done:?}");
                let logged = u64::from(fresh > 0 || bad > 0);
                assert_eq!(size(&node), before + logged, "{place}: one entry a posting");
            }
            for reader in [1, 2] {
                for of in [inbox(reader), community()] {
                    let read = seen(&node, reader, &of, now());
                    let distinct: BTreeSet<(String, String)> = read.iter().cloned().collect();
                    assert_eq!(read.len(), distinct.len(), "{place}: nothing stands twice");
                    assert_eq!(distinct, expected.read(&of), "{place}: {reader} reads the {of}");
                }
                assert!(seen(&node, reader, &inbox(3 - reader), now()).is_empty(), "{place}");
            }
        }
    }
}
