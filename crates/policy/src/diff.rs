//! What changes between two versions of an agreement, in sentences and in examples. Pure.

mod article;
mod examples;

pub use examples::{Example, examples};

use crate::explain::utc;
use model::agreement::{Agreement, Derived, Onward, Party, Status};
use model::time::Period;
use std::collections::BTreeSet;
use std::fmt::Display;

/// Which way a change goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// More may go.
    Allowed,
    /// Less may go.
    NoLongerAllowed,
    /// A fact, a caveat or an obligation more.
    Required,
    /// A fact, a caveat or an obligation less.
    NoLongerRequired,
    /// A field more stays.
    Withheld,
    /// A field less stays.
    NoLongerWithheld,
    /// Dates and periods.
    Dates,
    /// Parties, agencies and signatures.
    Parties,
    /// Anything else in the text.
    Terms,
}

/// One change in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which way it goes.
    pub kind: ChangeKind,
    /// The article concerned.
    pub article: Option<String>,
    /// The sentence.
    pub text: String,
}

/// The changes, in the order of the document.
#[derive(Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn add(&mut self, kind: ChangeKind, article: Option<&str>, text: String) {
        self.0.push(Change { kind, article: article.map(str::to_owned), text });
    }
}

/// What changes from one version to the next.
#[must_use]
pub fn diff(before: &Agreement, after: &Agreement) -> Vec<Change> {
    let mut out = Changes::default();
    if before.id != after.id {
        let text = format!("These are two agreements: {} and {}.", before.id, after.id);
        out.add(ChangeKind::Terms, None, text);
    }
    status(before, after, &mut out);
    dates(before, after, &mut out);
    parties(before, after, &mut out);
    defaults(before, after, &mut out);
    article::articles(before, after, &mut out);
    out.0
}

fn status(before: &Agreement, after: &Agreement, out: &mut Changes) {
    if before.status != after.status {
        let (kind, text) = match after.status {
            Status::InForce => (ChangeKind::Allowed, "The agreement comes into force."),
            Status::Draft => (ChangeKind::NoLongerAllowed, "The agreement becomes a draft."),
            Status::Suspended => (ChangeKind::NoLongerAllowed, "The agreement is suspended."),
            Status::Terminated => (ChangeKind::NoLongerAllowed, "The agreement is terminated."),
        };
        out.add(kind, None, text.to_owned());
    }
    if before.text_hash != after.text_hash {
        out.add(ChangeKind::Terms, None, "The signed text is another one.".to_owned());
    }
    if before.title != after.title {
        let text = format!("The title becomes \u{201c}{}\u{201d}.", after.title);
        out.add(ChangeKind::Terms, None, text);
    }
    for basis in removed(&before.legal_basis, &after.legal_basis) {
        out.add(ChangeKind::Terms, None, format!("It no longer rests on {basis}."));
    }
    for basis in removed(&after.legal_basis, &before.legal_basis) {
        out.add(ChangeKind::Terms, None, format!("It now rests on {basis}."));
    }
}

fn removed<'a>(from: &'a [String], than: &'a [String]) -> impl Iterator<Item = &'a String> {
    from.iter().filter(move |entry| !than.contains(entry))
}

fn dates(before: &Agreement, after: &Agreement, out: &mut Changes) {
    let (old, new) = (&before.valid, &after.valid);
    if old.from != new.from {
        let text = format!("It applies from {} instead of {}.", utc(new.from), utc(old.from));
        out.add(ChangeKind::Dates, None, text);
    }
    if old.until != new.until {
        let end =
            |t: Option<_>| t.map_or("without end".to_owned(), |t| format!("until {}", utc(t)));
        let text = format!("It applies {} instead of {}.", end(new.until), end(old.until));
        out.add(ChangeKind::Dates, None, text);
    }
    period("The notice for termination", &old.notice, &new.notice, None, out);
    let survival = "The time caveats and recall outlive the agreement";
    period(survival, &old.survival, &new.survival, None, out);
    let terms = |a: &Agreement| {
        let fate = |derived| match derived {
            Derived::Purge => "products are deleted",
            Derived::Flag => "products are flagged",
        };
        let recall = a.recall.as_ref();
        recall.map(|r| format!("answer {}, done {}, {}", r.ack, r.complete, fate(r.derived)))
    };
    let (old, new) = (terms(before), terms(after));
    if old != new {
        let none = || "nothing".to_owned();
        let (old, new) = (old.unwrap_or_else(none), new.unwrap_or_else(none));
        let text = format!("On recall: {new}; before: {old}.");
        out.add(ChangeKind::Dates, None, text);
    }
}

/// A period that appears, goes or changes.
fn period(
    what: &str,
    before: &Option<Period>,
    after: &Option<Period>,
    article: Option<&str>,
    out: &mut Changes,
) {
    if before != after {
        let word = |p: &Option<Period>| p.as_ref().map_or("not set".to_owned(), Period::to_string);
        let text = format!("{what} is {} instead of {}.", word(after), word(before));
        out.add(ChangeKind::Dates, article, text);
    }
}

fn parties(before: &Agreement, after: &Agreement, out: &mut Changes) {
    let find = |list: &[Party], party: &Party| list.iter().find(|p| p.id == party.id).cloned();
    for party in &before.parties {
        if find(&after.parties, party).is_none() {
            out.add(ChangeKind::Parties, None, format!("{} is no longer a party.", party.id));
        }
    }
    for party in &after.parties {
        let Some(old) = find(&before.parties, party) else {
            let agencies = join(&party.agencies);
            let text = format!("{} becomes a party, with {agencies}.", party.id);
            out.add(ChangeKind::Parties, None, text);
            continue;
        };
        for agency in old.agencies.difference(&party.agencies) {
            let text = format!("{agency} no longer takes part for {}.", party.id);
            out.add(ChangeKind::Parties, None, text);
        }
        for agency in party.agencies.difference(&old.agencies) {
            let text = format!("{agency} newly takes part for {}.", party.id);
            out.add(ChangeKind::Parties, None, text);
        }
        if old.signed != party.signed {
            let verb = if party.signed { "has signed" } else { "is no longer a signatory" };
            out.add(ChangeKind::Parties, None, format!("{} {verb}.", party.id));
        }
    }
}

fn join<T: Display>(list: &BTreeSet<T>) -> String {
    if list.is_empty() {
        return "nothing".to_owned();
    }
    list.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn defaults(before: &Agreement, after: &Agreement, out: &mut Changes) {
    let (old, new) = (&before.defaults, &after.defaults);
    let rank = |onward| match onward {
        Onward::Forbidden => (0, "is forbidden"),
        Onward::OriginatorConsent => (1, "needs the originator's consent"),
        Onward::WithinAgreement => (2, "is free among the signatories"),
    };
    if old.onward != new.onward {
        let kind = if rank(new.onward).0 > rank(old.onward).0 {
            ChangeKind::Allowed
        } else {
            ChangeKind::NoLongerAllowed
        };
        let (new, old) = (rank(new.onward).1, rank(old.onward).1);
        out.add(kind, None, format!("Passing on now {new}; before, it {old}."));
    }
    period("The retention by default", &old.retention, &new.retention, None, out);
    for caveat in new.caveats.difference(&old.caveats) {
        let text = format!("Everything that goes newly carries the caveat {caveat}.");
        out.add(ChangeKind::Required, None, text);
    }
    for caveat in old.caveats.difference(&new.caveats) {
        let text = format!("What goes no longer carries the caveat {caveat} by default.");
        out.add(ChangeKind::NoLongerRequired, None, text);
    }
    if before.operation != after.operation {
        let word = |o: &Option<String>| o.clone().unwrap_or("no operation in particular".into());
        let (new, old) = (word(&after.operation), word(&before.operation));
        out.add(ChangeKind::Terms, None, format!("It is about {new} instead of {old}."));
    }
    for id in after.lex_specialis_over.difference(&before.lex_specialis_over) {
        let text = format!("It newly takes precedence over {id}.");
        out.add(ChangeKind::Allowed, None, text);
    }
    for id in before.lex_specialis_over.difference(&after.lex_specialis_over) {
        let text = format!("It no longer takes precedence over {id}.");
        out.add(ChangeKind::NoLongerAllowed, None, text);
    }
}
