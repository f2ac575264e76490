//! Explanations, findings and differences, as sentences people read.
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

mod small;
mod worlds;

use model::agreement::*;
use model::marking::Marks;
use policy::diff::{ChangeKind, diff, examples};
use policy::engine::{CompileError, Engine};
use policy::explain::{LineKind, explain, utc};
use policy::lint::{self, Severity};
use worlds::{id, set};

fn lines(engine: &Engine, record: &model::record::Record, ask: &model::request::Ask) -> String {
    let decision = engine.decide(record, ask);
    let lines = explain(engine, record, ask, &decision);
    lines.iter().map(|l| format!("{:?}: {}\n", l.kind, l.text)).collect()
}

#[test]
fn a_grant_is_explained_field_by_field() {
    let mut article = small::article("4.2", Effect::Allow(Level::Redacted));
    article.redact = set(&["source"]);
    article.deadline = Some(id("PT48H"));
    article.obligations = set(&["notify_originator"]);
    let agreement = small::agreement(1, vec![article]);
    let engine = Engine::new(&worlds::vocabulary(), vec![agreement]).unwrap();
    let mut record = small::record();
    record.fields.insert("religion".to_owned(), vec!["/religion".to_owned()]);
    record.fields.insert("dob".to_owned(), vec!["/dob".to_owned()]);
    record.field_marks.insert("dob".to_owned(), Marks { noforn: true, ..Marks::default() });
    let text = lines(&engine, &record, &small::ask());
    assert_eq!(
        text,
        "Outcome: `report--1` may go to xb.police for ct.prevention: the record goes without the \
         withheld fields.\n\
         Released: Released: name.\n\
         Withheld: Withheld: dob, by its own marking (MARK_NOFORN).\n\
         Withheld: Withheld: religion, as special category data, which go only when necessity is \
         stated and a person has reviewed it.\n\
         Withheld: Withheld: source, withheld by article 4.2 of Agreement 1.\n\
         Basis: Article 4.2 of Agreement 1 allows it: \u{201c}Words of article 4.2.\u{201d}\n\
         Caveat: ONWARD_CONSENT: to be passed on only with the originator's consent.\n\
         Caveat: PURPOSE_BOUND: to be used for the stated purpose only.\n\
         Retention: The recipient deletes it by 2027-11-23 12:00 UTC.\n\
         Obligation: To be done: notify originator.\n\
         Deadline: The answer is due within PT48H of the request.\n"
    );
}

#[test]
fn a_refusal_names_every_failing_test_and_its_cure() {
    let mut article = small::article("1", Effect::Allow(Level::Full));
    article.requires = set(&["human_review"]);
    let mut denial = small::article("11", Effect::Deny);
    denial.when = When { purposes: Some(set(&["ct.prevention"])), ..When::default() };
    let agreement = small::agreement(1, vec![article, denial]);
    let engine = Engine::new(&worlds::vocabulary(), vec![agreement]).unwrap();
    let mut record = small::record();
    record.marks.noforn = true;
    let ask = small::ask();
    let decision = engine.decide(&record, &ask);
    let found = explain(&engine, &record, &ask, &decision);
    let of = |kind| found.iter().filter(|l| l.kind == kind).count();
    assert_eq!((of(LineKind::Failed), of(LineKind::Denied), of(LineKind::Cure)), (3, 1, 3));
    assert!(found.iter().any(|l| l.text.contains("a named person has reviewed the release")));
    assert_eq!(utc(worlds::now()), "2026-11-23 12:00 UTC");
}

fn keys(agreements: &[Agreement]) -> Vec<(Severity, Option<String>, String)> {
    let mut vocabulary = worlds::vocabulary();
    vocabulary.special_categories = set(&["religion"]);
    let found = lint::set(agreements, &vocabulary, worlds::now());
    assert!(found.iter().all(|f| !f.message.is_empty() && !f.cure.is_empty()));
    found.into_iter().map(|f| (f.severity, f.article, f.key)).collect()
}

#[test]
fn a_sound_agreement_has_no_findings() {
    let agreement = small::agreement(1, vec![small::article("1", Effect::Allow(Level::Full))]);
    assert_eq!(keys(&[agreement]), []);
}

#[test]
fn what_is_wrong_with_the_frame_is_found() {
    let mut bad = small::agreement(1, vec![small::article("1", Effect::Allow(Level::Full))]);
    bad.valid.until = Some(id("2024-01-01T00:00:00Z"));
    bad.text_hash = "sha256:short".to_owned();
    bad.recall = None;
    bad.legal_basis.clear();
    bad.parties[0].agencies.clear();
    bad.parties[1].signed = false;
    bad.lex_specialis_over = [id("urn:a:9")].into();
    let found = keys(&[bad]);
    for (severity, key) in [
        (Severity::Error, "valid.until"),
        (Severity::Error, "text_hash"),
        (Severity::Error, "party.agencies"),
        (Severity::Warning, "recall"),
        (Severity::Warning, "legal_basis"),
        (Severity::Warning, "party.signed"),
        (Severity::Warning, "lex_specialis_over"),
    ] {
        assert!(found.contains(&(severity, None, key.to_owned())), "{key}: {found:?}");
    }
    let mut ended = small::agreement(1, vec![small::article("1", Effect::Allow(Level::Full))]);
    ended.valid.until = Some(worlds::now());
    ended.parties[0].agencies = [id("xb.police")].into();
    let found = keys(&[ended]);
    assert!(found.contains(&(Severity::Warning, None, "valid.until".to_owned())));
    assert!(found.contains(&(Severity::Error, None, "party.agencies".to_owned())));
}

#[test]
fn what_is_wrong_with_articles_is_found() {
    let allow = |number: &str| small::article(number, Effect::Allow(Level::Full));
    let mut empty = allow("empty");
    empty.when.purposes = Some(set(&[]));
    let mut persons = allow("persons");
    persons.when.object_types = Some(set(&["person"]));
    persons.when.subjects = None;
    let mut court = allow("court");
    court.when.purposes = Some(set(&["prosecution"]));
    let mut group = allow("group");
    group.when.offences = Some(set(&["membership"]));
    let mut words = allow("words");
    words.when.purposes = Some(set(&["watchlisting"]));
    words.when.offences = Some(set(&["sorcery"]));
    words.requires = set(&["magic"]);
    words.overrides = set(&["MARK_NOFORN"]);
    let mut fields = allow("fields");
    fields.fields = Some(set(&["name", "religion"]));
    fields.redact = set(&["name"]);
    let mut parties = allow("parties");
    parties.to = Some([id("XC")].into());
    let mut lower = allow("lower");
    lower.effect = Effect::Allow(Level::HitOnly);
    let mut oblige = small::article("oblige", Effect::Oblige);
    oblige.requires = set(&["human_review"]);
    let mut denial = small::article("denial", Effect::Deny);
    denial.when = group.when.clone();
    let all = vec![
        allow("whole"),
        empty,
        persons,
        court,
        group,
        words,
        fields,
        parties,
        lower,
        oblige,
        denial,
    ];
    let mut agreement = small::agreement(1, all);
    agreement.defaults.retention = None;
    let found = keys(&[agreement]);
    for (severity, article, key) in [
        (Severity::Error, "empty", "when.purposes"),
        (Severity::Warning, "persons", "when.subjects"),
        (Severity::Warning, "court", "requires"),
        (Severity::Warning, "group", "when.designation"),
        (Severity::Error, "group", "when"),
        (Severity::Warning, "words", "when.purposes"),
        (Severity::Warning, "words", "when.offences"),
        (Severity::Warning, "words", "requires"),
        (Severity::Error, "words", "overrides"),
        (Severity::Warning, "fields", "fields"),
        (Severity::Error, "parties", "to"),
        (Severity::Warning, "lower", "level"),
        (Severity::Warning, "oblige", "requires"),
        (Severity::Warning, "whole", "retention"),
    ] {
        let wanted = (severity, Some(article.to_owned()), key.to_owned());
        assert!(found.contains(&wanted), "{article} {key}: {found:?}");
    }
}

#[test]
fn agreements_that_narrow_forbid_or_circle_each_other_are_found() {
    let full = small::agreement(1, vec![small::article("1", Effect::Allow(Level::Full))]);
    let mut hit = small::agreement(2, vec![small::article("7", Effect::Allow(Level::HitOnly))]);
    let found = keys(&[full.clone(), hit.clone()]);
    assert_eq!(found, [(Severity::Note, Some("1".to_owned()), "level".to_owned())]);
    hit.articles[0].effect = Effect::Deny;
    let found = keys(&[full.clone(), hit]);
    assert_eq!(found, [(Severity::Note, Some("1".to_owned()), "when".to_owned())]);
    let ring: Vec<Agreement> = (0..3)
        .map(|n| {
            let mut one = small::agreement(n, full.articles.clone());
            one.lex_specialis_over = [id(&format!("urn:a:{}", (n + 1) % 3))].into();
            one
        })
        .collect();
    let found = keys(&ring);
    let circle = |f: &&(Severity, Option<String>, String)| {
        f.0 == Severity::Error && f.2 == "lex_specialis_over"
    };
    assert_eq!(found.iter().filter(circle).count(), 3);
}

#[test]
fn a_new_version_is_told_in_sentences_and_examples() {
    let mut article = small::article("1", Effect::Allow(Level::Full));
    article.redact = set(&["source"]);
    let old = small::agreement(1, vec![article.clone(), small::article("2", Effect::Deny)]);
    let mut new = old.clone();
    new.version = 2;
    new.valid.until = Some(id("2030-01-01T00:00:00Z"));
    new.parties[1].agencies.insert(id("xb.customs"));
    new.defaults.retention = Some(id("P30D"));
    new.articles.pop();
    let first = &mut new.articles[0];
    first.when.purposes = Some(set(&["ct.prevention", "tax"]));
    first.when.max_class = Some(1);
    first.requires = set(&["human_review"]);
    first.redact = set(&["name"]);
    let changes = diff(&old, &new);
    let texts: Vec<&str> = changes.iter().map(|c| c.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "It applies until 2030-01-01 00:00 UTC instead of without end.",
            "xb.customs newly takes part for XB.",
            "The retention by default is P30D instead of P1Y.",
            "Article 1 newly covers the purpose tax.",
            "Article 1: the highest classification is 1 instead of none.",
            "Article 1 newly requires human_review.",
            "Article 1 newly withholds name.",
            "Article 1 no longer withholds source.",
            "Article 2 goes: it forbids for report, for the purposes ct.prevention \
             (\u{201c}Words of article 2.\u{201d}).",
        ]
    );
    assert_eq!(changes[3].kind, ChangeKind::Allowed);
    assert_eq!(changes[4].kind, ChangeKind::NoLongerAllowed);
    assert_eq!(changes[8].kind, ChangeKind::Allowed);
    assert_eq!(diff(&old, &old), []);

    let engine = |agreement: &Agreement| {
        Engine::new(&worlds::vocabulary(), vec![agreement.clone()]).unwrap()
    };
    let mut open = old.clone();
    open.articles.pop();
    let mut person = small::record();
    person.kind = "person".to_owned();
    let records = [small::record(), person];
    let found = examples(&engine(&old), &engine(&open), &records, &[small::ask()], 10);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].before.reason, model::decision::Reason::DenyArticle);
    assert_eq!(found[0].after.reason, model::decision::Reason::GrantedRedacted);
}

#[test]
fn agreements_beyond_the_limits_do_not_compile() {
    let compile = |agreements| Engine::new(&worlds::vocabulary(), agreements).unwrap_err();
    let mut wide = small::article("1", Effect::Allow(Level::Full));
    wide.redact = (0..500).map(|n| format!("field.{n}")).collect();
    let error = compile(vec![small::agreement(1, vec![wide])]);
    assert_eq!(error, CompileError::Limit { what: "fields", limit: 448 });
    assert!(error.to_string().contains("448") && !error.help().is_empty());
    let one = small::agreement(1, vec![small::article("1", Effect::Deny)]);
    assert!(matches!(
        compile(vec![one.clone(), one.clone()]),
        CompileError::AgreementTwice { version: 1, .. }
    ));
    let twice = small::agreement(1, vec![one.articles[0].clone(), one.articles[0].clone()]);
    assert!(matches!(compile(vec![twice]), CompileError::ArticleTwice { .. }));
    let mut listed = one.clone();
    listed.parties[1].agencies = [id("xa.police")].into();
    assert!(matches!(compile(vec![listed]), CompileError::AgencyTwice { .. }));
    let many = (0..129).map(|n| small::agreement(n, Vec::new())).collect();
    assert!(matches!(compile(many), CompileError::PairLimit { limit: 128, .. }));
    let most = (0..128).map(|n| small::agreement(n, one.articles.clone())).collect();
    let engine = Engine::new(&worlds::vocabulary(), most).unwrap();
    assert_eq!(engine.decide(&small::record(), &small::ask()).denied_by.len(), 128);
}
