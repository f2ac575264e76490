//! Random small worlds: few words, so that conditions meet often.

use model::agreement::*;
use model::grading::Grade;
use model::ids::*;
use model::marking::{Classification, Marks, Tlp};
use model::record::{Neutrality, Record, Stops};
use model::request::{Ask, Consent, Grounds};
use model::time::{Period, Timestamp};
use model::vocabulary::*;
use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::{BTreeMap, BTreeSet};

pub const AGENCIES: [&str; 9] = [
    "xa.police",
    "xb.police",
    "xc.police",
    "xe.court",
    "xa.fiu",
    "xd.police",
    "xf.police",
    "plat.vid",
    "nobody.knows",
];
pub const PARTIES: [&str; 6] = ["XA", "XB", "XC", "XE", "PLAT", "XZ"];
pub const TYPES: [&str; 3] = ["indicator", "person", "report"];
pub const PURPOSES: [&str; 4] = ["ct.prevention", "ct.investigation", "prosecution", "tax"];
pub const OFFENCES: [&str; 4] = ["bombing", "travel", "membership", "unheard"];
pub const SUBJECTS: [&str; 3] = ["none", "suspect", "victim"];
pub const FLAGS: [&str; 5] = [
    "humanitarian_only",
    "political_character",
    "discrimination_grounds",
    "ne_bis_in_idem",
    "ordre_public",
];
pub const FIELDS: [&str; 7] =
    ["name", "dob", "religion", "source", "address", "unnamed.one", "unnamed.two"];
pub const FACTS: [&str; 7] = [
    "human_review",
    "necessity_statement",
    "evidence_permission",
    "match_confirmed",
    "assurance_no_death_penalty",
    "dual_criminality",
    "not_political_offence",
];
pub const REQUIREMENTS: [&str; 7] = [
    "human_review",
    "match_confirmed",
    "evidence_permission",
    "dual_criminality",
    "not_political_offence",
    "not_discriminatory",
    "not_ne_bis_in_idem",
];
pub const CAVEATS: [&str; 4] = ["GRADED", "BOUND", "NO_ONWARD", "SPECIALITY"];
pub const GROUPS: [&str; 4] = ["G-UN", "G-A", "G-AB", "G-UNHEARD"];
pub const NOW: &str = "2026-11-23T12:00:00Z";

pub fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

pub fn now() -> Timestamp {
    id(NOW)
}

fn actor(state: Option<&str>, party: Option<&str>, cleared_to: u8) -> Actor {
    Actor { state: state.map(id), party: party.map(id), kind: "police".into(), cleared_to }
}

pub fn vocabulary() -> Vocabulary {
    let months = |list: &[(&str, u32)]| -> BTreeMap<String, u32> {
        list.iter().map(|(o, m)| ((*o).to_owned(), *m)).collect()
    };
    let state = |torture_risk, kept: &[&str]| State { torture_risk, death_penalty_for: set(kept) };
    let offence = |convention| Offence { label: String::new(), convention, source: String::new() };
    let group = |by: &[&str]| Group { designated_by: set(by) };
    Vocabulary {
        classification: BTreeMap::from([(
            "LEVEL".to_owned(),
            (0..=4_u8).map(|n| (n.to_string(), n)).collect(),
        )]),
        actors: BTreeMap::from([
            (id("xa.police"), actor(Some("XA"), None, 3)),
            (id("xa.fiu"), actor(Some("XA"), None, 1)),
            (id("xb.police"), actor(Some("XB"), None, 2)),
            (id("xc.police"), actor(Some("XC"), None, 3)),
            (id("xd.police"), actor(Some("XD"), None, 2)),
            (id("xe.court"), actor(Some("XE"), None, 2)),
            (id("xf.police"), actor(Some("XF"), None, 3)),
            (id("plat.vid"), actor(None, Some("PLAT"), 1)),
        ]),
        states: BTreeMap::from([
            (id("XA"), state(Risk::Low, &[])),
            (id("XB"), state(Risk::Low, &[])),
            (id("XC"), state(Risk::Low, &[])),
            (id("XE"), state(Risk::Medium, &["bombing"])),
            (id("XF"), state(Risk::Serious, &["bombing"])),
        ]),
        offences: BTreeMap::from([
            ("bombing".to_owned(), offence(true)),
            ("travel".to_owned(), offence(false)),
            ("membership".to_owned(), offence(false)),
        ]),
        catalogue: BTreeMap::from([
            (id("XA"), months(&[("bombing", 240), ("travel", 60)])),
            (id("XB"), months(&[("bombing", 240), ("travel", 10), ("membership", 60)])),
            (id("XE"), months(&[("bombing", 600)])),
        ]),
        groups: BTreeMap::from([
            ("G-UN".to_owned(), group(&["UN"])),
            ("G-A".to_owned(), group(&["XA"])),
            ("G-AB".to_owned(), group(&["XA", "XB"])),
        ]),
        purposes: PURPOSES.iter().map(|p| (*p).to_owned()).collect(),
        special_categories: set(&["religion"]),
    }
}

fn words(list: &'static [&'static str], most: usize) -> BoxedStrategy<BTreeSet<String>> {
    subsequence(list, 0..=most.min(list.len())).prop_map(|w| set(&w)).boxed()
}

/// A condition list: usually absent or nearly everything, so that articles often match.
fn list(all: &'static [&'static str]) -> BoxedStrategy<Option<BTreeSet<String>>> {
    let n = all.len();
    prop_oneof![
        4 => Just(None),
        4 => subsequence(all, n.saturating_sub(1)..=n).prop_map(|w| Some(set(&w))),
        1 => subsequence(all, 0..=n).prop_map(|w| Some(set(&w))),
    ]
    .boxed()
}

fn word(all: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(all).prop_map(str::to_owned)
}

fn grade() -> impl Strategy<Value = Grade> {
    select(vec!["A1", "B2", "C3", "X4"]).prop_map(id::<Grade>)
}

fn tlp() -> impl Strategy<Value = Tlp> {
    select(Tlp::ALL.to_vec())
}

fn period() -> impl Strategy<Value = Period> {
    select(vec!["P30D", "P1Y", "PT48H", "P2D", "P3Y"]).prop_map(id::<Period>)
}

fn parties() -> impl Strategy<Value = BTreeSet<PartyId>> {
    subsequence(&PARTIES[..], 1..=5).prop_map(|p| p.into_iter().map(id).collect())
}

fn when() -> impl Strategy<Value = When> {
    let lists = (list(&TYPES), list(&PURPOSES), list(&OFFENCES), list(&SUBJECTS));
    let limits = (
        weighted(0.4, 0..=4_u8),
        weighted(0.2, tlp()),
        weighted(0.2, grade()),
        weighted(0.2, select(vec![0, 12, 100])),
        weighted(
            0.2,
            select(vec![
                DesignationRule::BothOrUn,
                DesignationRule::Provider,
                DesignationRule::ActOnly,
            ]),
        ),
        weighted(0.1, words(&FLAGS, 3)),
    );
    (lists, limits).prop_map(
        |(
            (object_types, purposes, offences, subjects),
            (max_class, max_tlp, min_grade, min_penalty_months, designation, flags),
        )| When {
            object_types,
            purposes,
            offences,
            subjects,
            flags,
            max_class,
            max_tlp,
            min_grade,
            min_penalty_months,
            designation,
        },
    )
}

pub fn effect() -> impl Strategy<Value = Effect> {
    prop_oneof![
        3 => Just(Effect::Allow(Level::Full)),
        3 => Just(Effect::Allow(Level::Redacted)),
        1 => Just(Effect::Allow(Level::HitOnly)),
        1 => Just(Effect::Deny),
        1 => Just(Effect::Oblige),
    ]
}

pub fn article() -> impl Strategy<Value = Article> {
    let sets = (
        words(&FIELDS[..5], 2),
        weighted(0.2, words(&FIELDS[..5], 5)),
        prop_oneof![2 => Just(BTreeSet::new()), 1 => words(&REQUIREMENTS, 3)],
        words(&CAVEATS, 2),
        words(&["notify", "review"], 1),
    );
    let rest = (
        prop::bool::weighted(0.2),
        weighted(0.15, parties()),
        weighted(0.15, parties()),
        of(period()),
        weighted(0.3, period()),
    );
    (effect(), sets, rest, when()).prop_map(
        |(
            effect,
            (redact, fields, requires, caveats, obligations),
            (lifts, from, to, retention, deadline),
            mut when,
        )| {
            // Denials that match nearly everything would drown all else.
            if effect == Effect::Deny && when.flags.is_none() && when.purposes.is_none() {
                when.purposes = Some(set(&["tax"]));
            }
            Article {
                id: String::new(),
                effect,
                text: String::new(),
                redact,
                fields,
                requires,
                caveats,
                obligations,
                overrides: if lifts { set(&["ORIGINATOR_CONSENT"]) } else { BTreeSet::new() },
                from,
                to,
                retention,
                deadline,
                when,
            }
        },
    )
}

/// Parties as agreements list them: each agency under at most one.
const LISTS: [(&str, &[&str]); 8] = [
    ("XA", &["xa.police", "xa.fiu"]),
    ("XB", &["xb.police"]),
    ("XC", &["xc.police"]),
    ("XD", &["xd.police"]),
    ("XE", &["xe.court"]),
    ("XF", &["xf.police"]),
    ("PLAT", &["plat.vid"]),
    ("XZ", &["nobody.knows"]),
];

fn party_list() -> impl Strategy<Value = Vec<Party>> {
    let party = |(name, agencies): (&'static str, &'static [&'static str])| {
        let listed = subsequence(agencies, 0..=agencies.len());
        let listed = prop_oneof![5 => Just(agencies.to_vec()), 1 => listed];
        (listed, prop::bool::weighted(0.9)).prop_map(move |(agencies, signed)| Party {
            id: id(name),
            agencies: agencies.into_iter().map(id).collect(),
            signed,
        })
    };
    let all: Vec<_> = LISTS.into_iter().map(party).collect();
    (all, vec(prop::bool::weighted(0.85), LISTS.len())).prop_map(|(parties, keep)| {
        parties.into_iter().zip(keep).filter(|(_, k)| *k).map(|(p, _)| p).collect()
    })
}

pub fn agreement(number: usize) -> impl Strategy<Value = Agreement> {
    let onward =
        select(vec![Onward::Forbidden, Onward::OriginatorConsent, Onward::WithinAgreement]);
    let frame = (
        party_list(),
        onward,
        weighted(0.8, period()),
        words(&CAVEATS, 2),
        weighted(0.15, Just("LANTERN".to_owned())),
        prop::bool::weighted(0.95),
        subsequence((0..4_usize).collect::<Vec<_>>(), 0..=1),
        prop_oneof![8 => Just("2030-01-01T00:00:00Z"), 1 => Just(NOW)],
    );
    let fate = prop_oneof![15 => Just(Status::InForce), 1 => Just(Status::Suspended)];
    (frame, fate, vec(article(), 1..=5)).prop_map(
        move |(
            (parties, onward, retention, caveats, operation, begun, lex, until),
            status,
            list,
        )| {
            let from = if begun { "2025-01-01T00:00:00Z" } else { "2027-01-01T00:00:00Z" };
            let numbered = list.into_iter().enumerate();
            Agreement {
                id: id(&format!("urn:a:{number}")),
                version: 1,
                digest: Digest([0; 32]),
                kind: AgreementType::Coalition,
                title: String::new(),
                status,
                text_hash: String::new(),
                valid: Validity {
                    from: id(from),
                    until: Some(id(until)),
                    notice: None,
                    survival: None,
                },
                parties,
                legal_basis: Vec::new(),
                operation,
                defaults: Defaults { onward, retention, caveats },
                lex_specialis_over: lex.iter().map(|n| id(&format!("urn:a:{n}"))).collect(),
                articles: numbered.map(|(n, a)| Article { id: format!("{n}"), ..a }).collect(),
                recall: None,
                supersedes: Vec::new(),
            }
        },
    )
}

pub fn agreements() -> impl Strategy<Value = Vec<Agreement>> {
    (1..=4_usize).prop_flat_map(|n| (0..n).map(agreement).collect::<Vec<_>>())
}

pub fn label(level: u8) -> Option<Classification> {
    Some(Classification { scheme: "LEVEL".to_owned(), label: level.to_string() })
}

pub fn marks() -> impl Strategy<Value = Marks> {
    let class = prop_oneof![
        6 => Just(None),
        8 => (0..=3_u8).prop_map(label),
        1 => Just(label(7)),
    ];
    let agencies = subsequence(&AGENCIES[..], 0..=3);
    (
        class,
        weighted(0.4, tlp()),
        agencies,
        prop::bool::weighted(0.05),
        weighted(0.15, parties()),
        prop::bool::weighted(0.03),
    )
        .prop_map(|(class, tlp, named, noforn, rel_to, unresolved)| Marks {
            class,
            tlp,
            tlp_recipients: named.into_iter().map(id).collect(),
            noforn,
            rel_to,
            unresolved: if unresolved { vec!["marking-x".to_owned()] } else { Vec::new() },
        })
}

fn stops() -> impl Strategy<Value = Stops> {
    let rare = || prop::bool::weighted(0.03);
    (rare(), rare(), rare(), rare(), prop::bool::weighted(0.2)).prop_map(
        |(recalled, concealed, tainted, restricted, orcon)| Stops {
            recalled,
            concealed,
            tainted,
            restricted,
            orcon,
        },
    )
}

fn agency() -> impl Strategy<Value = AgencyId> {
    prop_oneof![
        6 => select(&AGENCIES[..4]),
        1 => select(&AGENCIES[..]),
    ]
    .prop_map(id::<AgencyId>)
}

fn instant() -> impl Strategy<Value = Timestamp> {
    select(vec!["2026-11-01T00:00:00Z", NOW, "2026-12-01T00:00:00Z", "2028-01-01T00:00:00Z"])
        .prop_map(id::<Timestamp>)
}

pub fn record() -> impl Strategy<Value = Record> {
    let kinds = prop_oneof![8 => select(&TYPES[..]), 1 => Just("unheard")];
    let subjects = prop_oneof![3 => Just("none"), 2 => select(&SUBJECTS[..]), 1 => Just("unheard")];
    let neutrality = prop_oneof![
        20 => Just(Neutrality::NotRequired),
        3 => Just(Neutrality::Contested),
        1 => Just(Neutrality::Pending),
        1 => Just(Neutrality::Failed),
    ];
    let core = (kinds, agency(), subjects, words(&FIELDS, 7), marks(), stops());
    let marked = prop::collection::btree_map(word(&FIELDS), marks(), 0..=3);
    let field_marks = prop_oneof![2 => Just(BTreeMap::new()), 1 => marked];
    let sets =
        (words(&["H1", "H2"], 1), words(&CAVEATS, 2), weighted(0.3, words(&FLAGS, 2)), field_marks);
    let rest = (
        weighted(0.5, grade()),
        weighted(0.5, word(&GROUPS)),
        weighted(0.3, select(vec!["LANTERN".to_owned(), "OTHER".to_owned()])),
        neutrality,
        weighted(0.2, instant()),
        weighted(0.2, instant()),
    );
    (core, sets, rest).prop_map(
        |(
            (kind, originator, subject, fields, marks, stops),
            (handling, caveats, flags, field_marks),
            (grade, group, operation, neutrality, valid_until, provider_limit),
        )| {
            let mut record = Record::new(id("record-1"), kind, originator);
            record.subject = subject.to_owned();
            record.fields = fields.into_iter().map(|f| (f, Vec::new())).collect();
            record.marks = marks;
            record.field_marks = field_marks;
            record.stops = stops;
            record.handling = handling;
            record.caveats = caveats;
            record.flags = flags.unwrap_or_default();
            record.grade = grade;
            record.group = group;
            record.operation = operation;
            record.neutrality = neutrality;
            record.valid_until = valid_until;
            record.provider_limit = provider_limit;
            record
        },
    )
}

fn consent() -> impl Strategy<Value = Consent> {
    let object = select(vec!["record-1", "record-2"]).prop_map(id::<RecordId>);
    (
        agency(),
        agency(),
        weighted(0.3, object),
        weighted(0.3, word(&PURPOSES)),
        weighted(0.2, instant()),
        weighted(0.2, instant()),
        weighted(0.4, (0..4_usize).prop_map(|n| id::<AgreementId>(&format!("urn:a:{n}")))),
    )
        .prop_map(|(originator, recipient, object, purpose, from, until, agreement)| Consent {
            originator,
            recipient,
            object,
            purpose,
            from,
            until,
            agreement,
        })
}

pub fn ask() -> impl Strategy<Value = Ask> {
    let purposes =
        prop_oneof![3 => select(&PURPOSES[..3]), 1 => select(&PURPOSES[..]), 1 => Just("unheard")];
    let grounds = (
        weighted(0.8, word(&OFFENCES)),
        words(&FACTS, 7),
        vec(consent(), 0..=4),
        weighted(0.3, words(&FLAGS, 2)),
    );
    (agency(), agency(), purposes, grounds).prop_map(
        |(holder, recipient, purpose, (offence, facts, consents, flags))| Ask {
            holder,
            recipient,
            purpose: purpose.to_owned(),
            grounds: Grounds { offence, facts, consents, flags: flags.unwrap_or_default() },
            now: now(),
        },
    )
}

/// Most questions in which the originator is the holder, as in life.
pub fn world() -> impl Strategy<Value = (Vec<Agreement>, Record, Ask)> {
    (agreements(), record(), ask(), prop::bool::weighted(0.5)).prop_map(
        |(agreements, mut record, ask, own)| {
            if own {
                record.originator = ask.holder.clone();
            }
            (agreements, record, ask)
        },
    )
}
