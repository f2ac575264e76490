//! Both gates: what goes is stripped, what is hidden is not betrayed, a refusal says no more than
//! it may.
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

use model::agreement::{Effect, Level};
use model::decision::{Outcome, Reason, RefusalMode};
use model::ids::RecordId;
use model::marking::Tlp;
use model::record::Record;
use policy::engine::Engine;
use policy::release::{Content, Refusal, Viewer, release, show};
use std::collections::BTreeSet;
use worlds::{id, set};

/// Content as the set of pointers it has values at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Paper(BTreeSet<String>);

impl Content for Paper {
    type Error = String;
    fn without(&self, pointers: &[&str]) -> Result<Self, String> {
        let mut left = self.0.clone();
        for pointer in pointers {
            if !left.remove(*pointer) {
                return Err(format!("`{pointer}` leads nowhere"));
            }
        }
        Ok(Self(left))
    }
    fn size_bytes(&self) -> usize {
        self.0.iter().map(String::len).sum()
    }
}

fn paper() -> Paper {
    Paper(set(&["/name", "/source", "/source_ref", "/object_refs/0", "/text"]))
}

fn engine(redact: &[&str], level: Level) -> Engine {
    let mut article = small::article("1", Effect::Allow(level));
    article.redact = set(redact);
    Engine::new(&worlds::vocabulary(), vec![small::agreement(1, vec![article])]).unwrap()
}

fn nobody() -> BTreeSet<RecordId> {
    BTreeSet::new()
}

#[test]
fn withheld_fields_are_taken_out_of_the_content() {
    let engine = engine(&["source"], Level::Redacted);
    let released = release(&engine, &small::record(), &paper(), &small::ask(), &nobody()).unwrap();
    // The pointer inside another one is not given to the content twice.
    assert_eq!(
        released.content(),
        Some(&Paper(set(&["/name", "/source_ref", "/object_refs/0", "/text"])))
    );
    assert_eq!(released.decision().outcome, Outcome::Redact);
    assert_eq!(released.recipient().as_str(), "xb.police");
    assert_eq!((released.kind(), released.purpose()), ("report", "ct.prevention"));
}

#[test]
fn a_hit_carries_no_content() {
    let engine = engine(&[], Level::HitOnly);
    let released = release(&engine, &small::record(), &paper(), &small::ask(), &nobody()).unwrap();
    assert!(released.content().is_none());
    assert_eq!(released.originator().as_str(), "xa.police");
}

#[test]
fn references_to_hidden_records_go_and_edges_to_them_do_not_exist() {
    let engine = engine(&[], Level::Full);
    let hidden: BTreeSet<RecordId> = [id("person--hidden")].into();
    let mut record = small::record();
    record.refs = [(id("person--hidden"), vec!["/object_refs/0".to_owned()])].into();
    let released = release(&engine, &record, &paper(), &small::ask(), &hidden).unwrap();
    assert!(!released.content().unwrap().0.contains("/object_refs/0"));
    record.refs = [(id("person--hidden"), vec!["/source_ref".to_owned()])].into();
    let refusal = release(&engine, &record, &paper(), &small::ask(), &hidden).unwrap_err();
    assert_eq!(refusal.decision().reason, Reason::Concealed);
    assert_eq!(refusal.public(), Refusal::no_match());
    assert!(refusal.decision().caveats.is_empty() && refusal.decision().basis.is_empty());
    assert!(release(&engine, &record, &paper(), &small::ask(), &nobody()).is_ok());
}

#[test]
fn a_concealed_record_is_refused_as_no_match_and_others_with_code_and_cure() {
    let engine = engine(&[], Level::Full);
    let mut record = small::record();
    record.stops.concealed = true;
    record.stops.recalled = true;
    let refusal = release(&engine, &record, &paper(), &small::ask(), &nobody()).unwrap_err();
    assert_eq!(refusal.decision().refusal_mode, RefusalMode::AsNoMatch);
    assert_eq!(refusal.public(), Refusal::no_match());
    record.stops.concealed = false;
    let refusal = release(&engine, &record, &paper(), &small::ask(), &nobody()).unwrap_err();
    assert_eq!(refusal.public().code, "RECALLED");
    assert!(!refusal.public().cure.is_empty());
}

#[test]
fn a_missing_fact_is_named_in_the_cure() {
    let mut article = small::article("1", Effect::Allow(Level::Full));
    article.requires = set(&["human_review"]);
    let agreement = small::agreement(1, vec![article]);
    let engine = Engine::new(&worlds::vocabulary(), vec![agreement]).unwrap();
    let refused = release(&engine, &small::record(), &paper(), &small::ask(), &nobody());
    let public = refused.unwrap_err().public();
    assert_eq!(public.code, "REQUIREMENT_UNMET");
    assert!(public.cure.contains("`human_review`"), "{}", public.cure);
}

#[test]
fn content_that_cannot_be_stripped_does_not_go() {
    let engine = engine(&["source"], Level::Redacted);
    let bare = Paper(set(&["/name"]));
    let refusal = release(&engine, &small::record(), &bare, &small::ask(), &nobody()).unwrap_err();
    assert_eq!(refusal.decision().reason, Reason::UnknownMarking);
    assert!(refusal.fault().unwrap().contains("/source"));
    let mut record = small::record();
    record.fields.insert("source".to_owned(), Vec::new());
    let refusal = release(&engine, &record, &paper(), &small::ask(), &nobody()).unwrap_err();
    assert!(refusal.fault().unwrap().contains("names no place"));
}

fn seen(record: &Record, agency: &str, cleared_to: u8) -> Result<Outcome, Reason> {
    let engine = Engine::new(&worlds::vocabulary(), Vec::new()).unwrap();
    let (agency, holder) = (id(agency), id("xa.police"));
    let now = worlds::now();
    let viewer = Viewer { agency: &agency, holder: &holder, cleared_to, purpose: "work", now };
    show(&engine, record, &paper(), viewer, &nobody())
        .map(|released| released.decision().outcome)
        .map_err(|refusal| refusal.decision().reason)
}

#[test]
fn an_officer_sees_what_marks_and_clearance_allow() {
    let mut record = small::record();
    record.valid_until = Some(worlds::now());
    assert_eq!(seen(&record, "xa.police", 0), Ok(Outcome::Release));
    record.marks.class = worlds::label(2);
    assert_eq!(seen(&record, "xa.police", 1), Err(Reason::Clearance));
    assert_eq!(seen(&record, "xa.police", 2), Ok(Outcome::Release));
    record.stops.concealed = true;
    assert_eq!(seen(&record, "xa.police", 2), Ok(Outcome::Release));
    assert_eq!(seen(&record, "xa.fiu", 2), Err(Reason::Concealed));
    record.stops.recalled = true;
    assert_eq!(seen(&record, "xa.police", 2), Err(Reason::Recalled));
}

#[test]
fn lists_bind_others_than_the_originators_own_people() {
    let mut record = small::record();
    record.marks.tlp = Some(Tlp::Red);
    record.marks.rel_to = Some([id("XB")].into());
    record.marks.tlp_recipients = [id("xb.police")].into();
    assert_eq!(seen(&record, "xa.police", 2), Ok(Outcome::Release));
    assert_eq!(seen(&record, "xa.fiu", 2), Err(Reason::Tlp));
    assert_eq!(seen(&record, "xb.police", 2), Ok(Outcome::Release));
    assert_eq!(seen(&record, "xc.police", 2), Err(Reason::MarkRel));
    record.field_marks.insert(
        "source".to_owned(),
        model::marking::Marks { class: worlds::label(3), ..Default::default() },
    );
    assert_eq!(seen(&record, "xa.police", 2), Ok(Outcome::Redact));
    record.marks.unresolved.push("marking-x".to_owned());
    assert_eq!(seen(&record, "xa.police", 4), Err(Reason::UnknownMarking));
}
