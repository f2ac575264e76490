//! What a release decision costs: one record against 1,000 articles, and one question against
//! 100,000 records. Prints our figures, best of several runs on one thread, beside the published
//! ones of a general policy engine.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a benchmark reads the clock, prints its figures and may stop at the first surprise"
)]

use model::agreement::{
    Agreement, AgreementType, Article, Defaults, Effect, Level, Onward, Party, Status, Validity,
    When,
};
use model::ids::{AgencyId, Digest};
use model::marking::{Classification, Tlp};
use model::record::Record;
use model::request::{Ask, Grounds};
use model::vocabulary::{Actor, Risk, State, Vocabulary};
use policy::engine::{Engine, Prepared, Question};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

const STATES: usize = 100;
const AGENCIES_PER_STATE: usize = 2;
const RECORDS: usize = 100_000;
const RUNS: usize = 7;
const TYPES: [&str; 6] = ["indicator", "person", "event", "report", "account", "document"];
const PURPOSES: [&str; 4] = ["ct.prevention", "ct.investigation", "prosecution", "border.check"];
const ACTS: [&str; 8] =
    ["bombing", "hostage", "aviation", "nuclear", "financing", "travel", "recruit", "train"];
const SUBJECTS: [&str; 5] = ["none", "suspect", "convicted", "contact", "victim"];
const FIELDS: [&str; 12] = [
    "person.name",
    "person.alias",
    "person.dob",
    "person.nationality",
    "person.address",
    "person.religion",
    "source.identity",
    "source.method",
    "case.number",
    "pattern",
    "text",
    "first_seen",
];

/// A small generator of repeatable numbers (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn some(&mut self, all: &[&str], least: usize) -> BTreeSet<String> {
        let n = least + self.below(all.len() - least + 1);
        (0..n).map(|_| all[self.below(all.len())].to_owned()).collect()
    }

    fn one(&mut self, all: &[&str]) -> String {
        all[self.below(all.len())].to_owned()
    }
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn agency(n: usize) -> AgencyId {
    id(&format!("s{:03}.a{}", n / AGENCIES_PER_STATE, n % AGENCIES_PER_STATE))
}

fn vocabulary() -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let levels = (0..=4_u8).map(|n| (n.to_string(), n)).collect();
    vocabulary.classification.insert("LEVEL".to_owned(), levels);
    for n in 0..STATES * AGENCIES_PER_STATE {
        let state = id(&format!("S{:03}", n / AGENCIES_PER_STATE));
        let cleared_to = 1 + u8::try_from(n % 3).unwrap();
        let actor = Actor { state: Some(state), party: None, kind: "police".into(), cleared_to };
        vocabulary.actors.insert(agency(n), actor);
    }
    for n in 0..STATES {
        let state = State { torture_risk: Risk::Low, death_penalty_for: BTreeSet::new() };
        vocabulary.states.insert(id(&format!("S{n:03}")), state);
    }
    vocabulary.special_categories = BTreeSet::from(["person.religion".to_owned()]);
    vocabulary
}

fn article(dice: &mut Dice, number: usize) -> Article {
    let effect = match dice.below(10) {
        0..=2 => Effect::Allow(Level::Full),
        3..=6 => Effect::Allow(Level::Redacted),
        7 => Effect::Allow(Level::HitOnly),
        8 => Effect::Oblige,
        _ => Effect::Deny,
    };
    let mut when = When {
        object_types: Some(dice.some(&TYPES, 1)),
        purposes: Some(dice.some(&PURPOSES, 2)),
        ..When::default()
    };
    if effect == Effect::Deny {
        when.flags = Some(BTreeSet::from(["expression_only".to_owned()]));
    } else {
        when.offences = Some(dice.some(&ACTS, 4));
        when.subjects = Some(dice.some(&SUBJECTS, 2));
        when.max_class = Some(3);
    }
    Article {
        id: number.to_string(),
        effect,
        text: String::new(),
        redact: dice.some(&FIELDS[4..8], 1),
        fields: None,
        requires: if dice.below(4) == 0 { dice.some(&["human_review"], 1) } else { [].into() },
        caveats: dice.some(&["GRADED", "EVIDENCE_CLEARED", "VULNERABLE_SUBJECT"], 0),
        obligations: BTreeSet::new(),
        overrides: BTreeSet::new(),
        from: None,
        to: None,
        retention: Some(id("P1Y")),
        deadline: None,
        when,
    }
}

fn agreement(dice: &mut Dice, number: usize, members: &[usize], articles: usize) -> Agreement {
    let parties: BTreeSet<usize> = members.iter().map(|n| n / AGENCIES_PER_STATE).collect();
    let party = |state: &usize| Party {
        id: id(&format!("S{state:03}")),
        agencies: members.iter().filter(|n| *n / 2 == *state).map(|n| agency(*n)).collect(),
        signed: true,
    };
    Agreement {
        id: id(&format!("urn:bench:{number}")),
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
        parties: parties.iter().map(party).collect(),
        legal_basis: Vec::new(),
        operation: None,
        defaults: Defaults {
            onward: Onward::OriginatorConsent,
            retention: Some(id("P3Y")),
            caveats: BTreeSet::from(["PURPOSE_BOUND".to_owned()]),
        },
        lex_specialis_over: BTreeSet::new(),
        articles: (0..articles).map(|n| article(dice, n)).collect(),
        recall: None,
        supersedes: Vec::new(),
    }
}

/// A hub with a bilateral agreement to each other state, and coalitions of ten: 1,000 articles.
fn network(dice: &mut Dice) -> Vec<Agreement> {
    let mut all: Vec<Agreement> =
        (1..STATES).map(|n| agreement(dice, n, &[0, n * 2, n * 2 + 1], 9)).collect();
    for n in 0..10 {
        let members: Vec<usize> =
            (0..10).map(|m| if m == 0 { 0 } else { n * 20 + m * 2 }).collect();
        all.push(agreement(dice, 1_000 + n, &members, 10));
    }
    let articles = all.iter().map(|a| a.articles.len()).sum::<usize>();
    all[0].articles.extend((articles..1_000).map(|n| article(dice, n)));
    all
}

fn record(dice: &mut Dice, number: usize) -> Record {
    let kind = dice.one(&TYPES);
    let mut record = Record::new(id(&format!("record--{number}")), &kind, agency(0));
    record.fields = dice.some(&FIELDS, 4).into_iter().map(|f| (f, Vec::new())).collect();
    record.subject = if kind == "person" { dice.one(&SUBJECTS[1..]) } else { "none".to_owned() };
    let label = dice.below(3).to_string();
    record.marks.class = Some(Classification { scheme: "LEVEL".into(), label });
    record.marks.tlp = Some([Tlp::Clear, Tlp::Green, Tlp::Amber][dice.below(3)]);
    record
}

fn ask(dice: &mut Dice, recipient: usize) -> Ask {
    Ask {
        holder: agency(0),
        recipient: agency(recipient),
        purpose: dice.one(&PURPOSES[..2]),
        grounds: Grounds {
            offence: Some(dice.one(&ACTS)),
            facts: dice.some(&["human_review"], 0),
            ..Grounds::default()
        },
        now: id("2026-11-23T12:00:00Z"),
    }
}

/// Seconds of the fastest run.
fn best(mut work: impl FnMut()) -> f64 {
    let run = |_| {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    (0..RUNS).map(run).fold(f64::INFINITY, f64::min)
}

fn rate(engine: &Engine, records: &[Prepared], questions: &[Question], title: &str) {
    let mut dice = Dice(7);
    let pairs: Vec<(usize, usize)> = (0..1_000_000)
        .map(|_| (dice.below(records.len().min(4_096)), dice.below(questions.len())))
        .collect();
    let mut granted = 0_u32;
    let seconds = best(|| {
        granted = 0;
        for (record, question) in &pairs {
            let verdict = black_box(engine.verdict(&records[*record], &questions[*question]));
            granted += u32::from(verdict.failed.is_empty());
        }
    });
    let per_second = pairs.len() as f64 / seconds;
    println!(
        "  {title}: {:.2} million/s ({:.0} ns each; {:.0} % granted)",
        per_second / 1e6,
        seconds * 1e9 / pairs.len() as f64,
        f64::from(granted) * 100.0 / pairs.len() as f64
    );
}

fn main() {
    let mut dice = Dice(1);
    let vocabulary = vocabulary();
    let agreements = network(&mut dice);
    let articles: usize = agreements.iter().map(|a| a.articles.len()).sum();
    assert_eq!(articles, 1_000);
    let start = Instant::now();
    let engine = Engine::new(&vocabulary, agreements).unwrap();
    let compiled = start.elapsed();
    let source: Vec<Record> = (0..RECORDS).map(|n| record(&mut dice, n)).collect();
    let start = Instant::now();
    let records: Vec<Prepared> = source.iter().map(|r| engine.prepare(r)).collect();
    let prepared = start.elapsed();
    let asks: Vec<Ask> = (2..STATES * AGENCIES_PER_STATE).map(|n| ask(&mut dice, n)).collect();
    let start = Instant::now();
    let questions: Vec<Question> = asks.iter().map(|a| engine.put(a)).collect();
    let put = start.elapsed();
    let shared = questions.iter().map(Question::agreements).sum::<usize>();

    println!("policy: decisions/s at 1,000 articles (one thread, best of {RUNS})");
    println!(
        "  {} agencies, {} agreements, {:.2} agreements a pair; compile {:.1} ms, \
         prepare {:.2} us a record, put {:.1} us a question",
        STATES * AGENCIES_PER_STATE,
        engine.agreements().len(),
        shared as f64 / questions.len() as f64,
        compiled.as_secs_f64() * 1e3,
        prepared.as_secs_f64() * 1e6 / RECORDS as f64,
        put.as_secs_f64() * 1e6 / questions.len() as f64
    );
    rate(&engine, &records, &questions, "verdicts, any recipient");
    let seconds = best(|| {
        for (record, ask) in source.iter().zip(asks.iter().cycle()).take(10_000) {
            black_box(engine.decide(record, ask));
        }
    });
    println!("  explained decisions, nothing prepared: {:.0}/s", 10_000.0 / seconds);
    crowded(&vocabulary, &source);
    println!("  peer: Cedar 4.14.1 at 1,000 policies: 1,150/s, sliced by recipient 5,950/s");

    println!("policy: audience of 100,000 records (one question, one thread, best of {RUNS})");
    let mut most = (0, f64::INFINITY);
    for question in questions.iter().step_by(20) {
        let mut found = 0;
        let seconds = best(|| found = engine.filter(&records, question).len());
        if found >= most.0 {
            most = (found, seconds);
        }
    }
    println!("  filter: {:.1} ms ({} of {RECORDS} may go)", most.1 * 1e3, most.0);
    let seconds = best(|| {
        black_box(engine.audience(&records[0], &questions));
    });
    println!("  audience of one record among {}: {:.1} us", questions.len(), seconds * 1e6);
    println!("  peer: Cedar query_resource at 1,000 policies: 41.8 s (50 policies: 4.6 s)");
    println!(
        "peer figures are taken from the policy reference, sections 5.1 and 5.2; they were not \
         measured in this run"
    );
}

/// The worst shape: all 1,000 articles between the same two agencies.
fn crowded(vocabulary: &Vocabulary, source: &[Record]) {
    let mut dice = Dice(3);
    let agreements = (0..10).map(|n| agreement(&mut dice, n, &[0, 2], 100)).collect();
    let engine = Engine::new(vocabulary, agreements).unwrap();
    let records: Vec<Prepared> = source.iter().take(4_096).map(|r| engine.prepare(r)).collect();
    let questions: Vec<Question> = (0..16).map(|_| engine.put(&ask(&mut dice, 2))).collect();
    rate(&engine, &records, &questions, "worst case, all 1,000 articles between one pair");
}
