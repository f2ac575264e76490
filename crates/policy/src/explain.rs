//! A decision in sentences, as a good clerk would write it. Pure.
//!
//! For the holder's own officers: a refusal of a concealed record is explained here too, and must
//! not be sent on (see [`crate::release::Refusal::public`]).

mod words;

use crate::engine::Engine;
use crate::reasons;
use model::agreement::{Agreement, Article};
use model::decision::{Decision, Outcome, Reason, RefusalMode};
use model::ids::ArticleRef;
use model::record::Record;
use model::request::Ask;
use model::time::Timestamp;

pub use words::{caveat, fact};

/// What a line speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineKind {
    /// The answer in one sentence.
    Outcome,
    /// What goes.
    Released,
    /// A field that stays, and why.
    Withheld,
    /// The article that lets it go, in its own words.
    Basis,
    /// A caveat that travels with it.
    Caveat,
    /// How long the recipient may keep it.
    Retention,
    /// What somebody must do.
    Obligation,
    /// When the answer is due.
    Deadline,
    /// A test that failed.
    Failed,
    /// The article that forbids, in its own words.
    Denied,
    /// What would change the answer.
    Cure,
}

/// One sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What it speaks of.
    pub kind: LineKind,
    /// The sentence.
    pub text: String,
}

fn line(kind: LineKind, text: impl Into<String>) -> Line {
    Line { kind, text: text.into() }
}

/// An instant for people, in UTC.
#[must_use]
pub fn utc(instant: Timestamp) -> String {
    let text = instant.to_string();
    let text = text.strip_suffix('Z').unwrap_or(&text);
    match text.split_once('T') {
        Some((day, hour)) => format!("{day} {} UTC", hour.strip_suffix(":00").unwrap_or(hour)),
        None => format!("{text} UTC"),
    }
}

/// Puts a decision of this engine into sentences.
#[must_use]
pub fn explain(engine: &Engine, record: &Record, ask: &Ask, decision: &Decision) -> Vec<Line> {
    let mut out = Vec::new();
    match decision.outcome {
        Outcome::Refuse => refusal(engine, record, ask, decision, &mut out),
        Outcome::HitOnly | Outcome::Redact | Outcome::Release => {
            grant(engine, record, ask, decision, &mut out);
        }
    }
    out
}

fn grant(engine: &Engine, record: &Record, ask: &Ask, decision: &Decision, out: &mut Vec<Line>) {
    let row = reasons::of(decision.reason);
    let (to, what) = (&ask.recipient, &record.id);
    out.push(line(
        LineKind::Outcome,
        format!("`{what}` may go to {to} for {}: {}", ask.purpose, lower(row.sentence)),
    ));
    let goes: Vec<&str> = record
        .fields
        .keys()
        .filter(|field| !decision.redacted_fields.contains(*field))
        .map(String::as_str)
        .collect();
    if decision.outcome == Outcome::HitOnly {
        let contact = &record.originator;
        let text = format!("The recipient gets the reference and the contact point, {contact}.");
        out.push(line(LineKind::Released, text));
    } else if !goes.is_empty() {
        out.push(line(LineKind::Released, format!("Released: {}.", goes.join(", "))));
    }
    let basis: Vec<(&Agreement, &Article)> =
        decision.basis.iter().filter_map(|b| cited(engine, b)).collect();
    for field in &decision.redacted_fields {
        let why = causes(engine, record, ask, field, &basis);
        let why = if why.is_empty() && decision.outcome == Outcome::HitOnly {
            vec!["only the hit is released".to_owned()]
        } else {
            why
        };
        out.push(line(LineKind::Withheld, format!("Withheld: {field}, {}.", why.join("; "))));
    }
    for (agreement, article) in &basis {
        out.push(line(LineKind::Basis, quote(agreement, article, "allows it")));
    }
    for name in &decision.caveats {
        out.push(line(LineKind::Caveat, format!("{name}: {}", caveat(name))));
    }
    conditions(decision, out);
}

/// What the parties must do and by when.
fn conditions(decision: &Decision, out: &mut Vec<Line>) {
    out.push(match decision.retention_until {
        Some(until) => {
            let text = format!("The recipient deletes it by {}.", utc(until));
            line(LineKind::Retention, text)
        }
        None => line(LineKind::Retention, "No limit of retention is agreed."),
    });
    for obligation in &decision.obligations {
        let text = format!("To be done: {}.", obligation.replace('_', " "));
        out.push(line(LineKind::Obligation, text));
    }
    if let Some(deadline) = &decision.deadline {
        let text = format!("The answer is due within {deadline} of the request.");
        out.push(line(LineKind::Deadline, text));
    }
}

fn refusal(engine: &Engine, record: &Record, ask: &Ask, decision: &Decision, out: &mut Vec<Line>) {
    let row = reasons::of(decision.reason);
    let (to, what) = (&ask.recipient, &record.id);
    out.push(line(
        LineKind::Outcome,
        format!("`{what}` does not go to {to} for {}: {}", ask.purpose, lower(row.sentence)),
    ));
    if decision.refusal_mode == RefusalMode::AsNoMatch {
        let text = "The asker gets the same answer as if nothing had been found.";
        out.push(line(LineKind::Outcome, text));
    }
    for reason in &decision.failed {
        let row = reasons::of(*reason);
        out.push(line(LineKind::Failed, format!("{}: {}", row.code, row.sentence)));
        if *reason == Reason::DenyArticle {
            for (agreement, article) in decision.denied_by.iter().filter_map(|d| cited(engine, d)) {
                out.push(line(LineKind::Denied, quote(agreement, article, "forbids it")));
            }
        }
        if *reason == Reason::RequirementUnmet && !decision.unmet.is_empty() {
            for missing in &decision.unmet {
                let text = format!("Needed: {} (`{missing}`).", fact(missing));
                out.push(line(LineKind::Cure, text));
            }
            continue;
        }
        let consent = matches!(reason, Reason::OriginatorConsent | Reason::Tlp);
        let text = if consent && record.originator != ask.holder {
            format!("{} The originator is {}.", row.cure, record.originator)
        } else {
            row.cure.to_owned()
        };
        out.push(line(LineKind::Cure, text));
    }
}

/// Every reason a field stays.
fn causes(
    engine: &Engine,
    record: &Record,
    ask: &Ask,
    field: &str,
    basis: &[(&Agreement, &Article)],
) -> Vec<String> {
    let mut why = Vec::new();
    for (agreement, article) in basis {
        let named = article.redact.contains(field);
        let unlisted = article.fields.as_ref().is_some_and(|list| !list.contains(field));
        if named {
            why.push(format!("withheld by {}", place(agreement, article)));
        } else if unlisted {
            let place = place(agreement, article);
            why.push(format!("not among the fields that {place} lets go"));
        }
    }
    for reason in engine.field_failures(record, field, &ask.recipient).iter() {
        why.push(format!("by its own marking ({})", reasons::of(reason).code));
    }
    let special = engine.vocabulary().special_categories.contains(field);
    let facts = &ask.grounds.facts;
    let cleared = facts.contains(crate::terms::FACT_NECESSITY)
        && facts.contains(crate::terms::FACT_HUMAN_REVIEW);
    if special && !cleared {
        why.push(
            "as special category data, which go only when necessity is stated and a person has \
             reviewed it"
                .to_owned(),
        );
    }
    why
}

fn cited<'a>(engine: &'a Engine, cite: &ArticleRef) -> Option<(&'a Agreement, &'a Article)> {
    let same = engine.agreements().iter().filter(|a| a.id == cite.agreement);
    same.filter_map(|a| a.article(&cite.article).map(|article| (a, article))).next_back()
}

fn place(agreement: &Agreement, article: &Article) -> String {
    format!("article {} of {}", article.id, title(agreement))
}

fn title(agreement: &Agreement) -> &str {
    if agreement.title.is_empty() { agreement.id.as_str() } else { &agreement.title }
}

fn quote(agreement: &Agreement, article: &Article, verb: &str) -> String {
    let (id, title, text) = (&article.id, title(agreement), &article.text);
    format!("Article {id} of {title} {verb}: \u{201c}{text}\u{201d}")
}

fn lower(sentence: &str) -> String {
    let mut chars = sentence.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}
