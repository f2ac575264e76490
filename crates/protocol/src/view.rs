//! Reading through the gate: what an officer's screen may show, and what would be shared. Pure.

use crate::denial::Denial;
use crate::effects::Shared;
use crate::facts::{Facts, Held};
use crate::share::{Offer, ask_for, offer};
use model::custody::{Custody, Source};
use model::decision::{Decision, Outcome, Reason};
use model::ids::{AgencyId, ArticleRef, RecordId};
use model::request::StandingOrder;
use model::time::Timestamp;
use policy::release::{Refusal, Released, Viewer};
use std::collections::BTreeSet;

/// A record on an officer's screen.
#[derive(Debug)]
pub struct Seen<B> {
    /// What binds it.
    pub custody: Custody,
    /// What the gate lets through.
    pub released: Released<B>,
    /// The articles it was received under, in their own words.
    pub articles: Vec<(ArticleRef, String)>,
    /// Whether its originator took it back.
    pub recalled: bool,
}

/// What an officer of this node may see of a record; `None` when it is not held.
///
/// # Errors
/// [`Denial`] when the gate refuses or the facts cannot be read.
pub fn officer_view<F: Facts>(
    facts: &F,
    id: &RecordId,
    now: Timestamp,
) -> Result<Option<Seen<F::Body>>, Denial> {
    let Some(held) = facts.held(id)? else { return Ok(None) };
    officer_view_held(facts, held, now).map(Some)
}

/// As [`officer_view`], for what the caller read from these facts.
///
/// # Errors
/// See [`officer_view`].
pub fn officer_view_held<F: Facts>(
    facts: &F,
    held: Held<F::Body>,
    now: Timestamp,
) -> Result<Seen<F::Body>, Denial> {
    let own = facts.own_agency();
    let rules = facts.rules()?;
    let cleared_to = rules.vocabulary().actors.get(own).map_or(0, |actor| actor.cleared_to);
    let viewer = Viewer { agency: own, holder: own, cleared_to, purpose: "", now };
    let shown = policy::release::show(rules, &held.record, &held.body, viewer, &BTreeSet::new());
    let released = shown.map_err(|refusal| not_shown(&held.record.id, &refusal))?;
    let articles = words(facts, &held)?;
    let recalled = held.record.stops.recalled;
    Ok(Seen { custody: held.custody, released, articles, recalled })
}

fn not_shown(id: &RecordId, refusal: &Refusal) -> Denial {
    let row = policy::reasons::of(refusal.decision().reason);
    Denial::officer(
        "not_cleared",
        format!("`{id}` is not shown on this screen: {}", row.sentence),
        row.cure,
    )
}

fn words<F: Facts>(facts: &F, held: &Held<F::Body>) -> Result<Vec<(ArticleRef, String)>, Denial> {
    let mut out = Vec::new();
    let Source::Release { basis, .. } = &held.custody.source else { return Ok(out) };
    for article in basis {
        let agreement = facts.agreement(&article.agreement)?;
        let found = agreement.and_then(|a| a.article(&article.article).map(|a| a.text.clone()));
        out.push((article.clone(), found.unwrap_or_default()));
    }
    Ok(out)
}

/// What sharing these records would do; nothing is sent or logged.
///
/// # Errors
/// [`Denial`] when the facts cannot be read.
pub fn would_share<F: Facts>(
    facts: &F,
    records: &[RecordId],
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Vec<Shared>, Denial> {
    let mut out = Vec::with_capacity(records.len());
    for record in records {
        let decision = match offer(facts, record, order, now)? {
            Offer::Release(release) => Some(Box::new(release.1.decision().clone())),
            Offer::Refuse(refusal) => Some(Box::new(refusal.decision().clone())),
            Offer::Unknown => None,
        };
        let (outcome, reason) = decision
            .as_ref()
            .map_or((Outcome::Refuse, Reason::NoArticle), |d| (d.outcome, d.reason));
        out.push(Shared {
            record: record.clone(),
            recipient: order.recipient.clone(),
            outcome,
            reason,
            repeated: false,
            hindrance: None,
            decision,
        });
    }
    Ok(out)
}

/// The full decision on one record, with its explanation line by line; `None` when not held.
///
/// # Errors
/// [`Denial`] when the facts cannot be read.
pub fn explain<F: Facts>(
    facts: &F,
    record: &RecordId,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Option<(Decision, Vec<String>)>, Denial> {
    let Some(held) = facts.held(record)? else { return Ok(None) };
    let question = ask_for(facts, &held, order, now)?;
    let rules = facts.rules()?;
    let decision = rules.decide(&held.record, &question);
    let lines = policy::explain::explain(rules, &held.record, &question, &decision);
    Ok(Some((decision, lines.into_iter().map(|line| line.text).collect())))
}

/// A stored record that would fare otherwise under other rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The record.
    pub record: RecordId,
    /// The recipient of the standing order.
    pub recipient: AgencyId,
    /// The purpose of the standing order.
    pub purpose: String,
    /// What it gets now.
    pub before: Outcome,
    /// What it would get.
    pub after: Outcome,
}

/// LIMIT: examples named.
const EXAMPLES_MAX: usize = 20;

/// Own records whose outcome under a standing order differs between two sets of rules.
///
/// # Errors
/// [`Denial`] when the facts cannot be read.
pub fn examples<F: Facts>(
    facts: &F,
    before: &crate::Rules,
    after: &crate::Rules,
    now: Timestamp,
) -> Result<Vec<Example>, Denial> {
    let mut out = Vec::new();
    let orders = facts.orders()?;
    for record in facts.own_records()? {
        let Some(held) = facts.held(&record)? else { continue };
        for order in &orders {
            let question = ask_for(facts, &held, order, now)?;
            let outcome = |rules: &crate::Rules| rules.decide(&held.record, &question).outcome;
            let (was, would) = (outcome(before), outcome(after));
            if was != would {
                out.push(Example {
                    record: record.clone(),
                    recipient: order.recipient.clone(),
                    purpose: order.purpose.clone(),
                    before: was,
                    after: would,
                });
            }
        }
        if out.len() >= EXAMPLES_MAX {
            break;
        }
    }
    out.truncate(EXAMPLES_MAX);
    Ok(out)
}
