//! The laws of decisions as properties over random worlds.
//!
//! Which monotony holds, precisely. Conditions of articles look at class, TLP, grade, subject,
//! flags and so on, and an agreement whose articles no longer match falls silent: it neither
//! grants nor limits. So *conditions* are not monotone (the last test shows it on purpose), and
//! the laws are about what is not a condition:
//!
//! 1. NOFORN, a REL list (new or shorter), fewer named recipients, an unresolved marking, a stop:
//!    never raise the outcome, never remove a caveat or a withheld field of what still goes.
//! 2. Class and TLP: the same, where no article carries a ceiling (`max_class`, `max_tlp`).
//! 3. A denial more: the decision stays as it is, or becomes a refusal.
//! 4. A caveat more on the record or an article: outcome and withheld fields stay, caveats grow.
//! 5. A field mark more, or tighter by 1: never shows a field that was withheld.
//! 6. A provider limit or an end of validity more: retention never later.
//! 7. An agreement taken away that granted whole records without limits, or was silent, never
//!    widens what goes; for the silent one, where it held no standing consent (a standing consent
//!    closes the emergency door, see 4 of the order of tests).
//! 8. No effective agreement: refused. Unknown label, actor or state record: refused.
//! 9. The order of agreements, articles, parties and consents never matters.
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

mod worlds;

use model::agreement::{Agreement, Effect, Level};
use model::decision::{Decision, Outcome, Reason};
use model::marking::{Classification, Marks, Tlp};
use model::record::Record;
use model::request::Ask;
use policy::engine::Engine;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use worlds::{id, set};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 4_000, failure_persistence: None, ..Default::default() }
}

fn decide(agreements: &[Agreement], record: &Record, ask: &Ask) -> Decision {
    Engine::new(&worlds::vocabulary(), agreements.to_vec()).unwrap().decide(record, ask)
}

/// `after` shows no more than `before`.
fn no_wider(before: &Decision, after: &Decision) -> bool {
    after.outcome == Outcome::Refuse
        || (after.outcome <= before.outcome
            && after.redacted_fields.is_superset(&before.redacted_fields))
}

fn tightened(record: &Record, how: u8) -> Record {
    let mut record = record.clone();
    match how {
        0 => record.marks.noforn = true,
        1 => {
            let list = record.marks.rel_to.take();
            let shorter = list.map(|l| l.into_iter().skip(1).collect());
            record.marks.rel_to = Some(shorter.unwrap_or([id("XB")].into()));
        }
        2 => record.marks.tlp_recipients = [].into(),
        3 => record.marks.unresolved.push("marking-y".to_owned()),
        4 => record.stops.restricted = true,
        5 => record.stops.concealed = true,
        _ => record.stops.orcon = true,
    }
    record
}

#[test]
fn marks_that_no_condition_reads_only_tighten() {
    proptest!(config(), |((agreements, record, ask) in worlds::world(), how in 0..=6_u8)| {
        // ORCON takes a standing consent away, and with it the bar on the emergency door.
        prop_assume!(how != 6 || record.originator == ask.holder);
        let before = decide(&agreements, &record, &ask);
        let after = decide(&agreements, &tightened(&record, how), &ask);
        prop_assert!(no_wider(&before, &after), "{:?} {:?}", before, after);
        let rel = |c: &&String| !c.starts_with("REL:");
        if after.outcome != Outcome::Refuse {
            prop_assert!(before.caveats.iter().filter(rel).all(|c| after.caveats.contains(c)));
        }
    });
}

#[test]
fn class_and_tlp_only_tighten_where_no_article_has_a_ceiling() {
    proptest!(config(), |((mut agreements, record, ask) in worlds::world(), level in 0..=4_u8)| {
        for article in agreements.iter_mut().flat_map(|a| &mut a.articles) {
            article.when.max_class = None;
            article.when.max_tlp = None;
        }
        let before = decide(&agreements, &record, &ask);
        let mut tighter = record.clone();
        let now: u8 = match &record.marks.class {
            None => 0,
            Some(class) => class.label.parse().unwrap(),
        };
        if now <= level {
            tighter.marks.class = worlds::label(level);
        }
        tighter.marks.tlp = record.marks.tlp.max(Some(Tlp::AmberStrict));
        let after = decide(&agreements, &tighter, &ask);
        prop_assert!(no_wider(&before, &after), "{:?} {:?}", before, after);
        let tlp = |c: &&String| !c.starts_with("TLP:");
        if after.outcome != Outcome::Refuse {
            prop_assert!(before.caveats.iter().filter(tlp).all(|c| after.caveats.contains(c)));
        }
    });
}

#[test]
fn a_denial_more_changes_nothing_or_refuses() {
    proptest!(config(), |(
        (agreements, record, ask) in worlds::world(),
        mut article in worlds::article(),
        at in 0..4_usize,
    )| {
        let before = decide(&agreements, &record, &ask);
        let mut more = agreements.clone();
        let at = at % more.len();
        article.id = "denial".to_owned();
        article.effect = Effect::Deny;
        more[at].articles.push(article);
        let after = decide(&more, &record, &ask);
        prop_assert!(after.outcome == Outcome::Refuse || after == before);
    });
}

#[test]
fn caveats_only_accumulate() {
    proptest!(config(), |((agreements, record, ask) in worlds::world())| {
        let before = decide(&agreements, &record, &ask);
        let mut more = agreements.clone();
        let mut marked = record.clone();
        marked.caveats.insert("NEW_ON_RECORD".to_owned());
        for agreement in &mut more {
            agreement.defaults.caveats.insert("NEW_DEFAULT".to_owned());
            for article in &mut agreement.articles {
                article.caveats.insert("NEW_ON_ARTICLE".to_owned());
            }
        }
        let after = decide(&more, &marked, &ask);
        prop_assert_eq!(before.outcome, after.outcome);
        prop_assert_eq!(&before.redacted_fields, &after.redacted_fields);
        prop_assert!(after.caveats.is_superset(&before.caveats));
        if after.outcome != Outcome::Refuse {
            let new = set(&["NEW_ON_RECORD", "NEW_DEFAULT", "NEW_ON_ARTICLE"]);
            prop_assert!(after.caveats.is_superset(&new));
        }
    });
}

#[test]
fn a_field_mark_never_shows_more() {
    proptest!(config(), |(
        (agreements, record, ask) in worlds::world(),
        field in 0..7_usize,
        mut marks in worlds::marks(),
    )| {
        let before = decide(&agreements, &record, &ask);
        let name = worlds::FIELDS[field].to_owned();
        let mut marked = record.clone();
        if let Some(old) = record.field_marks.get(&name) {
            marks = Marks { noforn: true, ..old.clone() };
        }
        marked.field_marks.insert(name, marks);
        let after = decide(&agreements, &marked, &ask);
        prop_assert!(no_wider(&before, &after), "{:?} {:?}", before, after);
        prop_assert_eq!(before.outcome == Outcome::Refuse, after.outcome == Outcome::Refuse);
    });
}

#[test]
fn retention_only_shortens() {
    proptest!(config(), |((agreements, record, ask) in worlds::world(), days in 1..2_000_i64)| {
        let before = decide(&agreements, &record, &ask);
        let later = ask.now.micros() + days * 86_400_000_000;
        let limit = model::time::Timestamp::from_micros(later).unwrap();
        for which in 0..2 {
            let mut limited = record.clone();
            let slot =
                if which == 0 { &mut limited.provider_limit } else { &mut limited.valid_until };
            *slot = Some(slot.map_or(limit, |old| old.min(limit)));
            let after = decide(&agreements, &limited, &ask);
            if after.outcome != Outcome::Refuse {
                let until = after.retention_until.unwrap();
                prop_assert!(until <= limit && before.retention_until.is_none_or(|b| until <= b));
            }
        }
    });
}

fn unlimited(agreement: &Agreement, decision: &Decision) -> bool {
    decision.basis.iter().filter(|b| b.agreement == agreement.id).all(|b| {
        let article = agreement.article(&b.article).unwrap();
        article.effect == Effect::Allow(Level::Full)
            && article.redact.is_empty()
            && article.fields.is_none()
    })
}

#[test]
fn taking_away_an_agreement_that_did_not_limit_never_widens() {
    proptest!(config(), |((agreements, record, ask) in worlds::world(), at in 0..4_usize)| {
        let at = at % agreements.len();
        let mut fewer = agreements.clone();
        let gone = fewer.remove(at);
        let before = decide(&agreements, &record, &ask);
        let after = decide(&fewer, &record, &ask);
        if before.outcome != Outcome::Refuse && unlimited(&gone, &before) {
            prop_assert!(no_wider(&before, &after), "{:?} {:?}", before, after);
        }
        let alone = decide(std::slice::from_ref(&gone), &record, &ask);
        let silent = alone.basis.is_empty() && alone.denied_by.is_empty() && alone.unmet.is_empty()
            && !alone.failed.iter().any(|r| *r < Reason::GradeTooLow);
        if silent && record.originator == ask.holder {
            prop_assert!(no_wider(&before, &after), "{:?} {:?}", before, after);
        }
    });
}

#[test]
fn without_an_effective_agreement_nothing_goes() {
    proptest!(config(), |((agreements, record, ask) in worlds::world())| {
        let effective = agreements.iter().any(|a| {
            let signed = |agency| a.party_of(agency).is_some_and(|p| p.signed);
            a.in_force(ask.now) && signed(&ask.holder) && signed(&ask.recipient)
        });
        let decision = decide(&agreements, &record, &ask);
        if !effective {
            prop_assert_eq!(decision.outcome, Outcome::Refuse);
            prop_assert!(decision.failed.contains(&Reason::NoAgreement));
        }
        prop_assert_eq!(decision.failed.is_empty(), decision.outcome != Outcome::Refuse);
    });
}

#[test]
fn the_unknown_is_refused() {
    proptest!(config(), |((agreements, record, ask) in worlds::world())| {
        let mut odd = record.clone();
        odd.marks.class = Some(Classification { scheme: "LEVEL".into(), label: "high".into() });
        prop_assert_eq!(decide(&agreements, &odd, &ask).outcome, Outcome::Refuse);
        let mut stranger = ask.clone();
        stranger.recipient = id("nobody.knows");
        prop_assert_eq!(decide(&agreements, &record, &stranger).outcome, Outcome::Refuse);
        let mut unassessed = ask.clone();
        unassessed.recipient = id("xd.police");
        let mut person = record.clone();
        person.kind = "person".to_owned();
        prop_assert_eq!(decide(&agreements, &person, &unassessed).outcome, Outcome::Refuse);
    });
}

#[test]
fn order_never_matters() {
    proptest!(config(), |((agreements, record, ask) in worlds::world())| {
        let before = decide(&agreements, &record, &ask);
        let mut turned = agreements.clone();
        turned.reverse();
        for agreement in &mut turned {
            agreement.articles.reverse();
            agreement.parties.reverse();
        }
        let mut asked = ask.clone();
        asked.grounds.consents.reverse();
        prop_assert_eq!(before, decide(&turned, &record, &asked));
    });
}

/// Not a law, and why: a higher class takes the record out of a limiting agreement's reach.
#[test]
fn a_higher_class_can_silence_a_limit() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let sample = worlds::agreement(0).new_tree(&mut runner).unwrap().current();
    let make = |number: usize, level, max_class| {
        let mut agreement = sample.clone();
        agreement.id = id(&format!("urn:b:{number}"));
        agreement.status = model::agreement::Status::InForce;
        agreement.valid.from = id("2025-01-01T00:00:00Z");
        agreement.valid.until = None;
        agreement.operation = None;
        agreement.lex_specialis_over.clear();
        agreement.parties = ["XA", "XB"]
            .into_iter()
            .zip(["xa.police", "xb.police"])
            .map(|(party, agency)| model::agreement::Party {
                id: id(party),
                agencies: [id(agency)].into(),
                signed: true,
            })
            .collect();
        let mut article = agreement.articles[0].clone();
        article.effect = Effect::Allow(level);
        article.redact.clear();
        article.fields = None;
        article.requires.clear();
        article.from = None;
        article.to = None;
        article.when = model::agreement::When { max_class, ..Default::default() };
        agreement.articles = vec![article];
        agreement
    };
    let agreements = [make(1, Level::Full, None), make(2, Level::HitOnly, Some(1))];
    let ask = Ask {
        holder: id("xa.police"),
        recipient: id("xb.police"),
        purpose: "ct.prevention".to_owned(),
        grounds: Default::default(),
        now: worlds::now(),
    };
    let mut record = Record::new(id("r"), "report", id("xa.police"));
    record.fields.insert("name".to_owned(), Vec::new());
    assert_eq!(decide(&agreements, &record, &ask).outcome, Outcome::HitOnly);
    record.marks.class = worlds::label(2);
    assert_eq!(decide(&agreements, &record, &ask).outcome, Outcome::Release);
}
