//! Offering records: the policy decides, each release gets its entry, one shipment a recipient.
//!
//! Pure. A record that points to one the recipient may not know of loses the pointer (a withheld
//! record is not betrayed by its neighbours).

use crate::denial::Denial;
use crate::effects::{Change, Effects, Offered, Outgoing, Reply, Shared};
use crate::facts::{Facts, Held};
use crate::ingest::PORTION_MAX;
use model::custody::{Custody, Deletion};
use model::decision::{Decision, Outcome, Reason};
use model::entry::{Draft, EntryKind};
use model::event::Event;
use model::ids::{AgreementId, Digest, RecordId};
use model::release::{RecallNotice, Terms};
use model::request::{Ask, StandingOrder};
use model::time::Timestamp;
use policy::release::{Refusal, Released};
use std::collections::{BTreeMap, BTreeSet};

/// What one recipient may have of one record now.
#[derive(Debug)]
pub enum Offer<B> {
    /// It goes, on these terms.
    Release(Box<(Terms, Released<B>)>),
    /// It stays.
    Refuse(Box<Refusal>),
    /// No such record is held.
    Unknown,
}

/// Splits records into follow-up events of at most [`PORTION_MAX`].
pub(crate) fn in_portions<B>(records: &[RecordId], order: &StandingOrder) -> Vec<Event<B>> {
    records
        .chunks(PORTION_MAX)
        .map(|part| Event::Share { records: part.to_vec(), order: order.clone() })
        .collect()
}

/// Decides on one record for one recipient; used to share, to explain and at every read.
///
/// # Errors
/// [`Denial`] when the facts cannot be read or the content cannot be redacted.
pub fn offer<F: Facts>(
    facts: &F,
    record: &RecordId,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Offer<F::Body>, Denial> {
    match facts.held(record)? {
        Some(held) => decide(facts, &held, order, now),
        None => Ok(Offer::Unknown),
    }
}

/// The question for one record, with the consents stored here.
pub(crate) fn ask<F: Facts>(
    facts: &F,
    custody: &Custody,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Ask, Denial> {
    let originator = &custody.originator;
    let mut grounds = order.grounds.clone();
    // INVARIANT: only consents stored here count; nobody writes one into an order.
    grounds.consents.clear();
    if originator != facts.own_agency() {
        grounds.consents.extend(facts.consents(originator, &order.recipient)?);
        grounds.consents.extend(crate::shelf::consents(facts, custody, &order.recipient, now)?);
    }
    Ok(Ask {
        holder: facts.own_agency().clone(),
        recipient: order.recipient.clone(),
        purpose: order.purpose.clone(),
        grounds,
        now,
    })
}

fn decide<F: Facts>(
    facts: &F,
    held: &Held<F::Body>,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Offer<F::Body>, Denial> {
    let rules = facts.rules()?;
    let question = ask(facts, &held.custody, order, now)?;
    let hidden = hidden(facts, held, order, now)?;
    let answer = policy::release::release(rules, &held.record, &held.body, &question, &hidden);
    Ok(match answer {
        Ok(released) => {
            Offer::Release(Box::new((terms(held, released.decision(), order), released)))
        }
        Err(refusal) => Offer::Refuse(Box::new(refusal)),
    })
}

/// The records this one points to that the recipient may not know of.
fn hidden<F: Facts>(
    facts: &F,
    held: &Held<F::Body>,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<BTreeSet<RecordId>, Denial> {
    let mut hidden = BTreeSet::new();
    for id in held.record.refs.keys() {
        let Some(target) = facts.held(id)? else { continue };
        let question = ask(facts, &target.custody, order, now)?;
        if facts.rules()?.decide(&target.record, &question).outcome == Outcome::Refuse {
            hidden.insert(id.clone());
        }
    }
    Ok(hidden)
}

fn terms<B>(held: &Held<B>, decision: &Decision, order: &StandingOrder) -> Terms {
    Terms {
        record: held.record.id.clone(),
        kind: held.record.kind.clone(),
        version: held.custody.version.clone(),
        originator: held.custody.originator.clone(),
        outcome: decision.outcome,
        purpose: order.purpose.clone(),
        basis: decision.basis.clone(),
        caveats: decision.caveats.clone(),
        obligations: decision.obligations.clone(),
        retention_until: decision.retention_until,
        deadline: decision.deadline.clone(),
    }
}

/// Offers records under one order.
pub(crate) fn share<F: Facts>(
    facts: &F,
    records: &[RecordId],
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    if records.len() > PORTION_MAX {
        return Err(Denial::officer(
            "portion_too_large",
            format!("{} records in one request, the limit is {PORTION_MAX}", records.len()),
            "share in smaller portions",
        ));
    }
    if order.recipient == *facts.own_agency() {
        return Err(Denial::officer(
            "own_agency",
            format!("`{}` is this node itself", order.recipient),
            "name a partner's agency with --to",
        ));
    }
    if facts.member(&order.recipient)?.is_none() {
        return Err(Denial::officer(
            "member_unknown",
            format!("no member document of `{}` is pinned here", order.recipient),
            "exchange member documents first: entente member add FILE --fingerprint DIGEST",
        ));
    }
    let mut round = Round::new(order, now);
    for record in records {
        match facts.held(record)? {
            Some(held) => round.one(facts, &held)?,
            None => round.unknown(record),
        }
    }
    round.finish(facts)
}

/// One pass over records for one recipient.
struct Round<'a, B> {
    order: &'a StandingOrder,
    now: Timestamp,
    effects: Effects<B>,
    shared: Vec<Shared>,
    releases: Vec<(Terms, Released<B>)>,
}

impl<'a, B: Clone> Round<'a, B> {
    fn new(order: &'a StandingOrder, now: Timestamp) -> Self {
        let (shared, releases) = (Vec::new(), Vec::new());
        Self { order, now, effects: Effects::default(), shared, releases }
    }

    fn unknown(&mut self, record: &RecordId) {
        self.note(record, (Outcome::Refuse, Reason::NoArticle), false, None);
        self.refusal_entry(record, "no such record");
    }

    fn one<F: Facts<Body = B>>(&mut self, facts: &F, held: &Held<B>) -> Result<(), Denial> {
        let record = &held.record.id;
        if held.custody.originator == self.order.recipient {
            self.note(record, (Outcome::Refuse, Reason::NoArticle), false, None);
            self.refusal_entry(record, "it is the recipient's own record");
            return Ok(());
        }
        let originator = &held.custody.originator;
        let before = facts.offered(record, originator, &self.order.recipient)?;
        match decide(facts, held, self.order, self.now)? {
            Offer::Release(release) => self.release(held, *release, &before),
            Offer::Refuse(refusal) => {
                let reason = refusal.decision().reason;
                let why = (Outcome::Refuse, reason);
                self.note(record, why, false, Some(refusal.decision()));
                self.refusal_entry(record, &format!("{reason:?}"));
                let (same, other): (Vec<_>, Vec<_>) =
                    before.iter().partition(|b| b.terms.purpose == self.order.purpose);
                if !same.is_empty() {
                    self.take_back(facts, held, other.is_empty())?;
                }
            }
            Offer::Unknown => self.unknown(record),
        }
        Ok(())
    }

    fn release(
        &mut self,
        held: &Held<B>,
        (terms, released): (Terms, Released<B>),
        before: &[Offered],
    ) {
        let decision = released.decision();
        let offered = Offered {
            terms: terms.clone(),
            content: held.custody.content,
            withheld: decision.redacted_fields.clone(),
            grounds: self.order.grounds.clone(),
            rejected: false,
        };
        let repeated = before.iter().any(|b| same_offer(b, &offered));
        self.note(&terms.record, (decision.outcome, decision.reason), repeated, Some(decision));
        if repeated {
            return;
        }
        let withheld: Vec<&str> = decision.redacted_fields.iter().map(String::as_str).collect();
        let entry = Draft::new(EntryKind::Release, 1)
            .with(&self.order.recipient)
            .purpose(&self.order.purpose)
            .under(decision.basis.iter().map(|a| &a.agreement))
            .seal("record", &terms.record)
            .seal("version", &terms.version)
            .seal("originator", &terms.originator)
            .seal("outcome", format!("{:?}", decision.outcome))
            .seal("basis", join(&decision.basis))
            .seal("caveats", join(&decision.caveats))
            .seal("withheld", withheld.join(" "));
        self.effects.entries.push(entry);
        self.effects.changes.push(Change::Offer {
            offered: Box::new(offered),
            released: Box::new(released.clone()),
        });
        self.releases.push((terms, released));
    }

    /// What went earlier for this purpose may no longer be had for it; where it went for no other
    /// purpose, the recipient may no longer hold it.
    fn take_back<F: Facts<Body = B>>(
        &mut self,
        facts: &F,
        held: &Held<B>,
        wholly: bool,
    ) -> Result<(), Denial> {
        let recipient = self.order.recipient.clone();
        let record = held.record.id.clone();
        let originator = held.custody.originator.clone();
        let complete = crate::recall::terms(facts, (&record, &originator), &recipient, self.now)?;
        self.effects.changes.push(Change::Retract {
            record: record.clone(),
            originator: originator.clone(),
            recipient: recipient.clone(),
            purpose: Some(self.order.purpose.clone()),
        });
        if !wholly {
            return Ok(());
        }
        let entry = Draft::new(EntryKind::Recall, 1)
            .with(&recipient)
            .seal("record", &record)
            .seal("reason", "no longer covered");
        self.effects.entries.push(entry);
        self.effects.outgoing.push(Outgoing::Recall(RecallNotice {
            record,
            originator,
            giver: facts.own_agency().clone(),
            recipient,
            cause: Deletion::Withdrawn,
            reason: "the record is no longer covered for this purpose".to_owned(),
            at: self.now,
            complete_by: complete.0,
            derived: complete.1,
        }));
        Ok(())
    }

    fn note(
        &mut self,
        record: &RecordId,
        (outcome, reason): (Outcome, Reason),
        repeated: bool,
        decision: Option<&Decision>,
    ) {
        self.shared.push(Shared {
            record: record.clone(),
            recipient: self.order.recipient.clone(),
            outcome,
            reason,
            repeated,
            decision: decision.cloned().map(Box::new),
        });
    }

    fn refusal_entry(&mut self, record: &RecordId, reason: &str) {
        let entry = Draft::new(EntryKind::Refusal, 1)
            .with(&self.order.recipient)
            .purpose(&self.order.purpose)
            .seal("record", record)
            .seal("reason", reason);
        self.effects.entries.push(entry);
    }

    fn finish<F: Facts<Body = B>>(mut self, facts: &F) -> Result<Effects<B>, Denial> {
        if !self.releases.is_empty() {
            self.effects.outgoing.push(Outgoing::Shipment {
                recipient: self.order.recipient.clone(),
                agreements: digests(facts, &self.releases)?,
                releases: self.releases,
            });
        }
        self.effects.reply = Reply::Shared(self.shared);
        Ok(self.effects)
    }
}

/// Everything but the retention instant, which moves with the clock and only shortens.
fn same_offer(before: &Offered, after: &Offered) -> bool {
    let mut moved = after.terms.clone();
    moved.retention_until = before.terms.retention_until;
    !before.rejected
        && before.terms == moved
        && before.content == after.content
        && before.withheld == after.withheld
}

fn digests<F: Facts>(
    facts: &F,
    releases: &[(Terms, Released<F::Body>)],
) -> Result<BTreeMap<AgreementId, Digest>, Denial> {
    let mut out = BTreeMap::new();
    for id in releases.iter().flat_map(|(terms, _)| terms.basis.iter().map(|a| &a.agreement)) {
        if let Some(agreement) = facts.agreement(id)? {
            out.insert(id.clone(), agreement.digest);
        }
    }
    Ok(out)
}

fn join<T: ToString>(items: &BTreeSet<T>) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
