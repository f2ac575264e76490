//! All small worlds: every combination of a few values of each finite factor, compiled engine
//! against the plain reference.
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::wildcard_enum_match_arm,
    clippy::print_stderr,
    clippy::collapsible_if,
    clippy::too_many_lines,
    reason = "tests may stop at the first surprise"
)]

mod reference;
mod worlds;

use model::agreement::*;
use model::decision::Outcome;
use model::ids::{AgencyId, Digest};
use model::marking::Tlp;
use model::record::Record;
use model::request::{Ask, Consent, Grounds};
use policy::engine::Engine;
use std::collections::BTreeMap;
use worlds::{id, set};

const RECIPIENTS: [&str; 2] = ["xb.police", "xc.police"];

fn article(number: &str, effect: Effect) -> Article {
    Article {
        id: number.to_owned(),
        effect,
        text: String::new(),
        redact: set(&[]),
        fields: None,
        requires: set(&[]),
        caveats: set(&[]),
        obligations: set(&[]),
        overrides: set(&[]),
        from: None,
        to: None,
        retention: None,
        deadline: None,
        when: When::default(),
    }
}

fn agreement(number: usize, onward: Onward, articles: Vec<Article>) -> Agreement {
    let party = |name: &str, agency: &str| Party {
        id: id(name),
        agencies: [id::<AgencyId>(agency)].into(),
        signed: true,
    };
    Agreement {
        id: id(&format!("urn:a:{number}")),
        version: 1,
        digest: Digest([0; 32]),
        kind: AgreementType::Bilateral,
        title: String::new(),
        status: Status::InForce,
        text_hash: String::new(),
        valid: Validity {
            from: id("2025-01-01T00:00:00Z"),
            until: None,
            notice: None,
            survival: None,
        },
        parties: vec![party("XA", "xa.police"), party("XB", "xb.police"), party("XC", "xc.police")],
        legal_basis: Vec::new(),
        operation: None,
        defaults: Defaults { onward, retention: Some(id("P1Y")), caveats: set(&["BOUND"]) },
        lex_specialis_over: [].into(),
        articles,
        recall: None,
        supersedes: Vec::new(),
    }
}

/// Four instruments: bilateral with an emergency door, two-step coalition, task force that takes
/// precedence over it, and a prohibition.
fn instruments() -> Vec<Agreement> {
    use Level::{Full, HitOnly, Redacted};
    let mut whole = article("1", Effect::Allow(Full));
    whole.when.purposes = Some(set(&["ct.prevention", "ct.investigation"]));
    whole.when.subjects = Some(set(&["none", "suspect"]));
    whole.when.max_class = Some(2);
    let mut door = article("9", Effect::Allow(Redacted));
    door.overrides = set(&["ORIGINATOR_CONSENT"]);
    door.requires = set(&["human_review"]);
    door.redact = set(&["source"]);
    door.when.purposes = Some(set(&["ct.prevention"]));
    let mut hit = article("7.1", Effect::Allow(HitOnly));
    hit.when.subjects = Some(set(&["suspect"]));
    let mut core = article("7.2", Effect::Allow(Redacted));
    core.requires = set(&["match_confirmed", "human_review"]);
    core.fields = Some(set(&["name"]));
    core.when.subjects = Some(set(&["suspect", "victim"]));
    core.when.max_tlp = Some(Tlp::Amber);
    let force = article("2", Effect::Allow(Full));
    let mut force = agreement(2, Onward::WithinAgreement, vec![force]);
    force.lex_specialis_over = [id("urn:a:1")].into();
    let mut no = article("11", Effect::Deny);
    no.when.purposes = Some(set(&["tax"]));
    vec![
        agreement(0, Onward::OriginatorConsent, vec![whole, door]),
        agreement(1, Onward::OriginatorConsent, vec![hit, core]),
        force,
        agreement(3, Onward::Forbidden, vec![no]),
    ]
}

fn records() -> Vec<Record> {
    let tlps = [None, Some(Tlp::Green), Some(Tlp::Amber), Some(Tlp::AmberStrict), Some(Tlp::Red)];
    let rels: [Option<&[&str]>; 4] = [None, Some(&[]), Some(&["XA", "XB"]), Some(&["XC"])];
    let mut out = Vec::new();
    for tlp in tlps {
        for class in [None, Some(1), Some(3), Some(9)] {
            for (noforn, rel) in [false, true].iter().flat_map(|n| rels.iter().map(move |r| (n, r)))
            {
                for subject in ["none", "suspect", "victim"] {
                    for originator in ["xa.police", "xc.police"] {
                        let mut record = Record::new(id("r"), "person", id(originator));
                        record.subject = subject.to_owned();
                        record.fields = ["name", "religion", "source"]
                            .map(|f| (f.to_owned(), Vec::new()))
                            .into();
                        record.marks.tlp = tlp;
                        record.marks.tlp_recipients = [id("xb.police")].into();
                        record.marks.class = class.and_then(worlds::label);
                        record.marks.noforn = *noforn;
                        record.marks.rel_to = rel.map(|r| r.iter().map(|p| id(p)).collect());
                        out.push(record);
                    }
                }
            }
        }
    }
    out
}

fn asks() -> Vec<Ask> {
    let facts: [&[&str]; 3] =
        [&[], &["human_review"], &["human_review", "match_confirmed", "necessity_statement"]];
    let mut out = Vec::new();
    for recipient in RECIPIENTS {
        for purpose in ["ct.prevention", "prosecution", "tax"] {
            for facts in facts {
                for consented in [false, true] {
                    let consent = Consent {
                        originator: id("xc.police"),
                        recipient: id(recipient),
                        object: None,
                        purpose: None,
                        from: None,
                        until: None,
                        agreement: None,
                    };
                    out.push(Ask {
                        holder: id("xa.police"),
                        recipient: id(recipient),
                        purpose: purpose.to_owned(),
                        grounds: Grounds {
                            offence: Some("bombing".to_owned()),
                            facts: set(facts),
                            consents: if consented { vec![consent] } else { Vec::new() },
                            flags: set(&[]),
                        },
                        now: worlds::now(),
                    });
                }
            }
        }
    }
    out
}

#[test]
fn every_small_world_is_decided_alike() {
    let (vocabulary, all) = (worlds::vocabulary(), instruments());
    let (records, asks) = (records(), asks());
    let (mut worlds, mut outcomes) = (0_u32, BTreeMap::<Outcome, u32>::new());
    for subset in 0..16_usize {
        let chosen: Vec<Agreement> = all
            .iter()
            .enumerate()
            .filter(|(n, _)| subset >> n & 1 == 1)
            .map(|(_, a)| a.clone())
            .collect();
        let engine = Engine::new(&vocabulary, chosen.clone()).unwrap();
        for record in &records {
            for ask in &asks {
                let compiled = engine.decide(record, ask);
                let plain = reference::decide(&vocabulary, &chosen, record, ask);
                assert_eq!(compiled, plain, "{subset:04b} {record:?} {ask:?}");
                worlds += 1;
                *outcomes.entry(compiled.outcome).or_default() += 1;
            }
        }
    }
    assert_eq!(worlds, 16 * 960 * 36);
    assert_eq!(outcomes.len(), 4, "{outcomes:?}");
}
