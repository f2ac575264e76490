//! Delivery: shipments bounded by bytes, refusals that end in giving up, notices that are owed.
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
use model::decision::Outcome;
use model::event::Event;
use model::ids::{AgencyId, Digest, RecordId};
use model::request::StandingOrder;
use model::time::{Period, Timestamp};
use node::outbox::{self, Subject};
use node::{Body, Node, Reply, Shared, query};
use std::collections::BTreeSet;

/// LIMIT of a partner's door, as `entente` sets it.
const DOOR_BYTES_MAX: usize = 32 * 1024 * 1024;

fn to_b(purpose: &str, facts: &[&str]) -> StandingOrder {
    order("xb.police.ct", purpose, Some("financing"), facts)
}

fn share(node: &mut Node, records: &[RecordId], order: StandingOrder) -> Vec<Shared> {
    let handled = act(node, Event::Share { records: records.to_vec(), order });
    let Reply::Shared(mut shared) = handled.reply else { panic!("{:?}", handled.reply) };
    shared.extend(handled.shared);
    shared
}

/// A report of the exercise with another id, a long text and these caveats.
fn report(number: u64, text_bytes: usize, caveats: &[String]) -> Body {
    let file: serde_json::Value = serde_json::from_str(&text("records/xa-reports.json")).unwrap();
    let objects = file["objects"].as_array().unwrap();
    let id = "report--fab36728-a78b-4b7e-8787-c0de2f960063";
    let mut object = objects.iter().find(|o| o["id"] == id).unwrap().clone();
    object["id"] = format!("report--{number:08x}-a78b-4b7e-8787-c0de2f960063").into();
    object["description"] = "x".repeat(text_bytes).into();
    for (key, extension) in object["extensions"].as_object_mut().unwrap() {
        if key.contains("a8e2d1f0") && !caveats.is_empty() {
            extension["caveats"] = caveats.to_vec().into();
        }
    }
    Body::parse(object.to_string().as_bytes()).unwrap()
}

fn ingest(node: &mut Node, bodies: Vec<Body>) -> Vec<RecordId> {
    let own = node.agency().clone();
    let ids = bodies.iter().map(|body| body.id().clone()).collect();
    for body in bodies {
        act(node, Event::Ingest(vec![holding(&own, body)]));
    }
    ids
}

#[test]
fn shipments_are_bounded_by_bytes_and_everything_arrives() {
    let mut nodes = cast();
    let mut bodies: Vec<Body> = (0..5).map(|n| report(n, 5_000_000, &[])).collect();
    bodies.push(report(5, 8_380_000, &[]));
    let ids = ingest(&mut nodes[0], bodies);
    let shared = share(&mut nodes[0], &ids, to_b("ct.investigation", &[]));
    assert_eq!(shared.len(), 6);
    assert!(shared.iter().all(|s| s.outcome == Outcome::Redact && s.hindrance.is_none()));
    {
        let snapshot = nodes[0].snapshot().unwrap();
        let waiting = outbox::all_waiting(&*snapshot).unwrap();
        assert_eq!(waiting.len(), 4, "two of five million bytes fit, and one of eight");
        for message in &waiting {
            let ready = outbox::ready(&*snapshot, message).unwrap();
            let bytes = serde_json::to_vec(&ready).unwrap().len();
            assert!(bytes < store::limits::VALUE_BYTES_MAX.min(DOOR_BYTES_MAX), "{bytes}");
        }
        // The courier takes them a page at a time.
        let (mut pages, mut after, partner) = (0, None, agency("xb"));
        loop {
            let page = outbox::page(&*snapshot, &partner, after).unwrap();
            let Some((last, _)) = page.last() else { break };
            assert!(page.len() <= 2, "a page holds about sixteen million bytes");
            after = Some(*last);
            pages += 1;
        }
        assert!(pages >= 2, "{pages}");
    }
    deliver(&mut nodes);
    assert!(ids.iter().all(|id| holds(&nodes[1], id)));
    for node in &nodes {
        node::log::audit(&*node.snapshot().unwrap()).unwrap();
    }
}

#[test]
fn a_record_no_shipment_can_hold_is_refused_with_its_reason_and_holds_nothing_up() {
    let mut nodes = cast();
    let caveats: Vec<String> = (0..26_000).map(|n| format!("{n:0>150}")).collect();
    let ids = ingest(&mut nodes[0], vec![report(1, 3_900_000, &caveats), report(2, 10, &[])]);
    let shared = share(&mut nodes[0], &ids, to_b("ct.investigation", &[]));
    let large = &shared[0];
    assert_eq!(large.outcome, Outcome::Refuse);
    let hindrance = large.hindrance.as_deref().unwrap();
    assert!(hindrance.contains("too large to send") && hindrance.contains("split the record"));
    assert_eq!((shared[1].outcome, &shared[1].hindrance), (Outcome::Redact, &None));
    deliver(&mut nodes);
    assert!(!holds(&nodes[1], &ids[0]) && holds(&nodes[1], &ids[1]));
}

struct Refuser {
    to: AgencyId,
    message: Digest,
}

fn oldest(node: &Node) -> Refuser {
    let snapshot = node.snapshot().unwrap();
    let first = outbox::outlines(&*snapshot).unwrap().swap_remove(0);
    Refuser { to: first.recipient, message: first.digest }
}

impl Refuser {
    fn says(&self, node: &mut Node, status: u16, code: Option<&str>, at: Timestamp) -> bool {
        let said = (status, code.map(str::to_owned));
        node.refused((&self.to, &self.message), said, at, &mut Seeded(1)).unwrap()
    }
}

fn figures(node: &Node) -> (u64, u64) {
    let counts = query::counts(&*node.snapshot().unwrap()).unwrap();
    (counts.waiting, counts.undelivered)
}

fn kinds(node: &Node, kind: &str) -> u64 {
    let audit = node::log::audit(&*node.snapshot().unwrap()).unwrap();
    audit.kinds.get(kind).copied().unwrap_or(0)
}

fn later(hours: u64) -> Timestamp {
    now().plus(&format!("PT{hours}H").parse::<Period>().unwrap()).unwrap()
}

/// Three shipments from the first node to the second.
fn three() -> (Vec<Node>, Vec<RecordId>) {
    let mut nodes = cast();
    let ids = ingest(&mut nodes[0], (0..3).map(|n| report(n, 10, &[])).collect());
    for id in &ids {
        share(&mut nodes[0], std::slice::from_ref(id), to_b("ct.investigation", &[]));
    }
    assert_eq!(figures(&nodes[0]), (3, 0));
    (nodes, ids)
}

#[test]
fn a_message_refused_for_good_is_given_up_and_may_go_again() {
    let (mut nodes, ids) = three();
    let refuser = oldest(&nodes[0]);
    let sender = &mut nodes[0];
    // What passes never counts, however often; nor what somebody else says.
    for status in [500, 503, 429, 409, 408, 404] {
        for _ in 0..40 {
            assert!(!refuser.says(sender, status, None, later(100)));
        }
    }
    let other = Refuser { to: agency("xc"), message: refuser.message };
    assert!(!(0..20).any(|_| other.says(sender, 400, Some("not_for_us"), now())));
    let before = kinds(sender, "undelivered");
    assert!(!refuser.says(sender, 400, Some("not_for_us"), now()));
    assert!(!refuser.says(sender, 400, Some("not_for_us"), now()));
    assert_eq!((figures(sender), kinds(sender, "undelivered")), ((3, 0), before));
    assert!(refuser.says(sender, 400, Some("not_for_us"), now()));
    assert_eq!((figures(sender), kinds(sender, "undelivered")), ((2, 1), before + 1));
    assert!(!refuser.says(sender, 400, Some("not_for_us"), now()), "it is gone already");
    let aside = outbox::undelivered(&*sender.snapshot().unwrap()).unwrap().swap_remove(0);
    assert!(aside.given_up.reason.contains("400 not_for_us, 3 times"), "{}", aside.given_up.reason);
    assert!(aside.message.is_none(), "what was sealed is not kept");
    deliver(&mut nodes);
    assert!(!holds(&nodes[1], &ids[0]) && holds(&nodes[1], &ids[1]) && holds(&nodes[1], &ids[2]));
    let again = Event::Again { partner: refuser.to.clone(), message: refuser.message };
    let handled = act(&mut nodes[0], again);
    assert_eq!(handled.shared.len(), 1);
    assert_eq!(figures(&nodes[0]), (1, 0));
    deliver(&mut nodes);
    assert!(holds(&nodes[1], &ids[0]));
}

#[test]
fn a_partner_that_refuses_everything_costs_one_message_in_six_hours() {
    let (mut nodes, _) = three();
    let say = |nodes: &mut [Node], times: usize, at: Timestamp| {
        let refuser = oldest(&nodes[0]);
        (0..times).any(|_| refuser.says(&mut nodes[0], 400, Some("message_refused"), at))
    };
    assert!(!say(&mut nodes, 9, now()) && say(&mut nodes, 1, now()));
    assert_eq!(figures(&nodes[0]), (2, 1));
    assert!(!say(&mut nodes, 100, later(1)), "the next one is given time");
    assert!(!say(&mut nodes, 100, later(6)) && say(&mut nodes, 1, later(7)));
    assert_eq!(figures(&nodes[0]), (1, 2));
    // One answer shows that the partner takes messages; the next refusal is about the message.
    deliver(&mut nodes);
    let id = ingest(&mut nodes[0], vec![report(9, 10, &[])]);
    share(&mut nodes[0], &id, to_b("ct.investigation", &[]));
    assert!(say(&mut nodes, 10, later(8)));
    assert_eq!(figures(&nodes[0]), (0, 3));
}

#[test]
fn an_officer_gives_up_and_sends_again_by_name_and_unknown_messages_are_said_so() {
    let (mut nodes, _) = three();
    let Refuser { to, message } = oldest(&nodes[0]);
    let event = |again: bool, message: Digest| {
        let partner = to.clone();
        if again { Event::Again { partner, message } } else { Event::GiveUp { partner, message } }
    };
    for again in [true, false] {
        let unknown = event(again, Digest([7; 32]));
        let error = nodes[0].act("Ana", unknown, now(), &mut Seeded(1)).unwrap_err();
        assert_eq!(error.code(), "no_such_message");
        assert!(error.help().contains("entente outbox"));
    }
    nodes[0].act("Ana", event(false, message), now(), &mut Seeded(1)).unwrap();
    let aside = outbox::undelivered(&*nodes[0].snapshot().unwrap()).unwrap().swap_remove(0);
    assert_eq!(aside.given_up.reason, "`Ana` gave it up");
    let Subject::Shipment { records, order, .. } = &aside.outline.subject else { panic!() };
    assert_eq!((records.len(), order.purpose.as_str()), (1, "ct.investigation"));
}

#[test]
fn a_late_answer_settles_what_was_given_up() {
    let (mut nodes, ids) = three();
    let answer = {
        let message = {
            let snapshot = nodes[0].snapshot().unwrap();
            let waiting = outbox::all_waiting(&*snapshot).unwrap();
            outbox::ready(&*snapshot, &waiting[0]).unwrap()
        };
        nodes[1].receive(&message, now(), &mut Seeded(11)).unwrap()
    };
    let Refuser { to, message } = oldest(&nodes[0]);
    act(&mut nodes[0], Event::GiveUp { partner: to, message });
    nodes[0].answered(&answer, now(), &mut Seeded(12)).unwrap();
    assert_eq!(figures(&nodes[0]), (2, 0));
    assert!(holds(&nodes[1], &ids[0]));
}

/// The first node holds what the third gave it; an emergency lets it go to the second.
fn emergency(nodes: &mut [Node]) -> BTreeSet<RecordId> {
    let facts = ["human_review", "necessity_statement"];
    let to_a = order("xa.police.ct", "ct.investigation", Some("financing"), &facts);
    act(&mut nodes[2], Event::Order(to_a));
    deliver(nodes);
    let held: BTreeSet<RecordId> = {
        let snapshot = nodes[0].snapshot().unwrap();
        let mut foreign = BTreeSet::new();
        query::custodies(&*snapshot, &mut |custody| {
            if custody.originator == agency("xc") {
                foreign.insert(custody.id);
            }
            true
        })
        .unwrap();
        foreign
    };
    let all: Vec<RecordId> = held.into_iter().collect();
    let stated = ["imminent_threat_to_life", "human_review", "another_fact"];
    let shared = share(&mut nodes[0], &all, to_b("ct.prevention", &stated));
    let obliges = |s: &&Shared| {
        let decision = s.decision.as_ref().unwrap();
        s.outcome != Outcome::Refuse && decision.obligations.contains("notify_originator")
    };
    let granted = shared.iter().filter(|s| s.outcome != Outcome::Refuse).count();
    let gone: BTreeSet<RecordId> =
        shared.iter().filter(obliges).map(|s| s.record.clone()).collect();
    assert!(gone.len() < granted, "another agreement lets one of them go without");
    gone
}

#[test]
fn an_originator_is_told_in_the_commit_of_the_release_and_of_nothing_else() {
    let mut nodes = cast();
    let gone = emergency(&mut nodes);
    assert_eq!(gone.len(), 3);
    let (notices, entries) = (kinds(&nodes[0], "notice"), kinds(&nodes[2], "noticed"));
    assert_eq!((notices, entries), (1, 0));
    deliver(&mut nodes);
    let taken = query::notices_taken(&*nodes[2].snapshot().unwrap(), 10).unwrap();
    assert_eq!((taken.len(), kinds(&nodes[2], "noticed")), (1, 1));
    let notice = &taken[0].notice;
    assert_eq!((&notice.giver, &notice.recipient), (&agency("xa"), &agency("xb")));
    assert_eq!(notice.records.keys().cloned().collect::<BTreeSet<_>>(), gone);
    for passed in notice.records.values() {
        let articles: Vec<String> = passed.articles.iter().map(ToString::to_string).collect();
        assert_eq!(articles, ["urn:entente:agr:xa-xb:police-ct#9"]);
        let facts: Vec<&str> = passed.facts.iter().map(String::as_str).collect();
        assert_eq!(facts, ["human_review", "imminent_threat_to_life"]);
    }
    let given = query::notices_given(&*nodes[0].snapshot().unwrap(), 10).unwrap();
    assert_eq!((given.len(), &given[0]), (1, notice));
    assert_eq!(figures(&nodes[0]), (0, 0), "the receipt cleared the outbox");
}

#[test]
fn a_notice_again_changes_nothing_and_one_for_another_or_by_another_is_refused() {
    let mut nodes = cast();
    emergency(&mut nodes);
    let note = {
        let snapshot = nodes[0].snapshot().unwrap();
        let all = outbox::all_waiting(&*snapshot).unwrap();
        let is = |w: &&outbox::Waiting| matches!(w.subject, Subject::Notice { .. });
        all.iter().find(is).unwrap().message.clone()
    };
    let first = nodes[2].receive(&note, now(), &mut Seeded(3)).unwrap();
    let size = |node: &Node| query::counts(&*node.snapshot().unwrap()).unwrap().entries;
    let entries = size(&nodes[2]);
    assert_eq!(nodes[2].receive(&note, later(1), &mut Seeded(4)).unwrap(), first);
    assert_eq!(size(&nodes[2]), entries);
    let error = nodes[1].receive(&note, now(), &mut Seeded(5)).unwrap_err();
    assert_eq!(error.code(), "not_for_us");
    // The same words under another signature.
    let node::peer::Message::Note(text) = &note else { panic!() };
    let mut body: model::release::ReleaseNotice =
        serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let sign = |body: &model::release::ReleaseNotice, node: &Node| {
        let kind = wire::document::DocumentKind::ReleaseNotice;
        let signed = wire::document::sign(kind, body, &node.identity().secrets.release).unwrap();
        node::peer::Message::note(signed.bytes).unwrap()
    };
    let forged = sign(&body, &nodes[1]);
    assert_eq!(
        nodes[2].receive(&forged, now(), &mut Seeded(6)).unwrap_err().code(),
        "message_refused"
    );
    // A record nobody has is answered like one that is there.
    let passed = body.records.values().next().unwrap().clone();
    body.records = [("report--none".parse().unwrap(), passed)].into();
    let unknown = sign(&body, &nodes[0]);
    let answer = nodes[2].receive(&unknown, now(), &mut Seeded(6)).unwrap();
    assert_eq!(shape(&answer), shape(&first));
    body.records.clear();
    let empty = sign(&body, &nodes[0]);
    let error = nodes[2].receive(&empty, now(), &mut Seeded(6)).unwrap_err();
    assert_eq!(error.code(), "notice_size");
}

/// A receipt without the digest it answers and without its signature.
fn shape(answer: &str) -> (String, serde_json::Value) {
    let mut body: serde_json::Value = serde_json::from_str(answer.lines().nth(1).unwrap()).unwrap();
    body["manifest"] = serde_json::Value::Null;
    (answer.lines().next().unwrap().to_owned(), body)
}

#[test]
fn an_originator_that_is_not_pinned_is_owed_the_notice_and_gets_it_when_it_is() {
    // The first node holds a record of the third without knowing it: it came through the second.
    let mut nodes = cast();
    let member = nodes[2].identity().member.clone();
    let mut lone = node(0, "xa.police.ct", "XA");
    std::mem::swap(&mut nodes[0], &mut lone);
    let known = nodes[1].identity().member.clone();
    let own = nodes[0].identity().member.clone();
    for pinned in [&own, &known] {
        act(&mut nodes[0], Event::Enrol(Box::new(pinned.clone())));
    }
    for document in documents() {
        let agreement = Box::new(wire::agreement::parse(&document).unwrap());
        act(&mut nodes[0], Event::Agree { agreement: agreement.clone(), document });
        for signer in [&own, &known] {
            if agreement.party_of(&signer.agency).is_some() {
                sign(&mut nodes[0], &agreement, signer);
            }
        }
    }
    // WHY: how a foreign record came is not tested here; a holding is as good as a shipment.
    let mut held = holding(&agency("xc"), report(77, 10, &[]));
    held.custody.source = model::custody::Source::Release {
        giver: agency("xb"),
        manifest: Digest([1; 32]),
        purpose: "ct.prevention".to_owned(),
        basis: BTreeSet::new(),
        outcome: Outcome::Release,
        obligations: BTreeSet::new(),
    };
    let id = held.custody.id.clone();
    act(&mut nodes[0], Event::Ingest(vec![held]));
    let stated = ["imminent_threat_to_life", "human_review"];
    let shared = share(&mut nodes[0], std::slice::from_ref(&id), to_b("ct.prevention", &stated));
    assert_eq!(shared[0].outcome, Outcome::Redact, "{:?}", shared[0].reason);
    let owed = query::notices_owed(&*nodes[0].snapshot().unwrap(), None, 10).unwrap();
    assert_eq!((owed.len(), kinds(&nodes[0], "notice")), (1, 1));
    assert!(owed[0].records.contains_key(&id));
    act(&mut nodes[0], Event::Tick);
    assert_eq!(query::counts(&*nodes[0].snapshot().unwrap()).unwrap().notices_owed, 1);
    act(&mut nodes[0], Event::Enrol(Box::new(member)));
    let counts = query::counts(&*nodes[0].snapshot().unwrap()).unwrap();
    assert_eq!((counts.notices_owed, kinds(&nodes[0], "notice")), (0, 2));
    let waiting = outbox::outlines(&*nodes[0].snapshot().unwrap()).unwrap();
    let told = waiting.iter().filter(|w| w.recipient == agency("xc")).count();
    assert_eq!(told, 1);
}

fn sign(node: &mut Node, agreement: &model::agreement::Agreement, signer: &model::member::Member) {
    let signature = model::release::AgreementSignature {
        agreement: agreement.id.clone(),
        version: agreement.version,
        digest: agreement.digest,
        party: signer.party.clone(),
        agency: signer.agency.clone(),
        at: now(),
    };
    let (agency, key) = (signer.agency.clone(), "release".to_owned());
    let voucher = model::verified::Voucher::Signature { agency, key };
    let event = model::verified::Verified::vouch(Event::Sign(signature), voucher, now());
    node.handle(event, now(), &mut Seeded(9)).unwrap();
}
