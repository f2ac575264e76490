//! One question put to many records: each shape is weighed once, each record still answered by
//! its own limits. Pure.
//!
//! INVARIANT: an answer given here is the one [`release`](super::release) gives; what cannot be
//! told from the shape (a consent that names the record, a reference to something hidden) is not
//! answered here but left to it. Tested in `tests/inquiry.rs`.

use super::{Content, Released, strip};
use crate::engine::{Engine, Question};
use crate::shapes::{Catalogue, Own, ShapeNumber};
use model::decision::{Decision, Outcome, Reason, RefusalMode};
use model::ids::{AgencyId, RecordId};
use model::request::Ask;
use model::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What the gate answers for one record, without its reasons in words.
///
/// Only an [`Inquiry`] makes one, so that it vouches for what it says of a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short {
    outcome: Outcome,
    reason: Reason,
    refusal_mode: RefusalMode,
}

impl Short {
    /// What the recipient gets.
    #[must_use]
    pub fn outcome(self) -> Outcome {
        self.outcome
    }

    /// The first failing test, or the kind of grant.
    #[must_use]
    pub fn reason(self) -> Reason {
        self.reason
    }
}

/// The question as it is put for the records of one originator.
struct Put {
    ask: Ask,
    question: Question,
    /// Records a consent names: these are decided on by themselves.
    named: BTreeSet<RecordId>,
}

/// One record of a shape.
#[derive(Debug, Clone, Copy)]
pub struct One<'a> {
    /// The record.
    pub id: &'a RecordId,
    /// Its shape.
    pub shape: ShapeNumber,
    /// Its own limits.
    pub own: Own,
}

/// One question to many records.
pub struct Inquiry<'a> {
    engine: &'a Engine,
    catalogue: &'a Catalogue,
    now: Timestamp,
    put: BTreeMap<AgencyId, Put>,
    /// By shape: while it is valid, and once its validity has ended.
    valid: Vec<Option<Short>>,
    ended: Vec<Option<Short>>,
    decided: BTreeMap<ShapeNumber, Arc<Decision>>,
}

impl<'a> Inquiry<'a> {
    /// An inquiry at this instant, into the records of a catalogue compiled for this engine.
    #[must_use]
    pub fn new(engine: &'a Engine, catalogue: &'a Catalogue, now: Timestamp) -> Self {
        let (valid, ended) = (vec![None; catalogue.len()], vec![None; catalogue.len()]);
        let (put, decided) = (BTreeMap::new(), BTreeMap::new());
        Self { engine, catalogue, now, put, valid, ended, decided }
    }

    /// The originator for whose records the question must be put before this shape is answered.
    #[must_use]
    pub fn asks(&self, shape: ShapeNumber) -> Option<&'a AgencyId> {
        let originator = self.catalogue.originator(shape)?;
        (!self.put.contains_key(originator)).then_some(originator)
    }

    /// Puts the question for the records of one originator, with that originator's consents.
    pub fn put(&mut self, originator: &AgencyId, mut ask: Ask) {
        ask.now = self.now;
        let question = self.engine.put(&ask);
        let named = ask.grounds.consents.iter().filter_map(|c| c.object.clone()).collect();
        self.put.insert(originator.clone(), Put { ask, question, named });
    }

    /// Whether the records of this shape are answered one by one where a consent names them.
    #[must_use]
    pub fn names_records(&self, shape: ShapeNumber) -> bool {
        let originator = self.catalogue.originator(shape);
        originator.and_then(|o| self.put.get(o)).is_none_or(|put| !put.named.is_empty())
    }

    /// The answer for a record that no consent names; nothing where the question was not put, or
    /// the catalogue was compiled for another engine. Cost: a look-up, after the first of a shape.
    pub fn short(&mut self, shape: ShapeNumber, own: &Own) -> Option<Short> {
        let ended = own.valid_until.is_some_and(|until| until <= self.now);
        let known = if ended { &self.ended } else { &self.valid };
        if let Some(answer) = known.get(shape.index()).copied().flatten() {
            return Some(answer);
        }
        let found = self.catalogue.shape(shape).filter(|_| self.catalogue.is_for(self.engine))?;
        let put = self.put.get(&found.record.originator)?;
        let verdict = match ended {
            false => self.engine.verdict(&found.prepared, &put.question),
            true => self.engine.verdict(&found.prepared.ended(self.now), &put.question),
        };
        let (outcome, reason, refusal_mode) =
            (verdict.outcome, verdict.reason, verdict.refusal_mode);
        let answer = Short { outcome, reason, refusal_mode };
        let known = if ended { &mut self.ended } else { &mut self.valid };
        *known.get_mut(shape.index())? = Some(answer);
        Some(answer)
    }

    /// As [`Inquiry::short`] for a record with its name: nothing where a consent names it.
    pub fn answer(&mut self, one: One<'_>) -> Option<Short> {
        if self.names_records(one.shape) && self.is_named(one) {
            return None;
        }
        self.short(one.shape, &one.own)
    }

    fn is_named(&self, one: One<'_>) -> bool {
        let originator = self.catalogue.originator(one.shape);
        originator.and_then(|o| self.put.get(o)).is_none_or(|put| put.named.contains(one.id))
    }

    /// Releases a record whole. `neighbours` are the answers of this inquiry for everything it
    /// points to that is held. Nothing where anything else than the whole record may go, or where
    /// its shape does not settle it: then [`release`](super::release) decides.
    pub fn release<T>(
        &mut self,
        one: One<'_>,
        neighbours: &[Short],
        content: T,
    ) -> Option<Released<T>> {
        let decision = self.settled(one, neighbours, Outcome::Release)?;
        self.made(one, content, decision)
    }

    /// As [`Inquiry::release`] for a record of which parts are withheld; `fields` are the places of
    /// its fields, as JSON pointers into its content. Nothing also where they cannot be cut out.
    pub fn cut<T: Content>(
        &mut self,
        one: One<'_>,
        neighbours: &[Short],
        (content, fields): (&T, &BTreeMap<String, Vec<String>>),
    ) -> Option<Released<T>> {
        let decision = self.settled(one, neighbours, Outcome::Redact)?;
        let content = strip(content, &decision, fields, BTreeSet::new()).ok()?;
        self.made(one, content, decision)
    }

    /// The decision on a record, where it is this outcome and the shapes alone settle it.
    fn settled(
        &mut self,
        one: One<'_>,
        neighbours: &[Short],
        outcome: Outcome,
    ) -> Option<Arc<Decision>> {
        let answer = self.answer(one)?;
        let hides = |short: &Short| short.outcome == Outcome::Refuse;
        if answer.outcome != outcome || neighbours.iter().any(hides) {
            return None;
        }
        self.decision(one)
    }

    fn made<T>(&self, one: One<'_>, content: T, decision: Arc<Decision>) -> Option<Released<T>> {
        let found = self.catalogue.shape(one.shape)?;
        let ask = &self.put.get(&found.record.originator)?.ask;
        Some(Released {
            content: Some(content),
            record: one.id.clone(),
            kind: found.record.kind.clone(),
            originator: found.record.originator.clone(),
            recipient: ask.recipient.clone(),
            purpose: ask.purpose.clone(),
            decision,
        })
    }

    /// The whole decision on a record that goes.
    fn decision(&mut self, one: One<'_>) -> Option<Arc<Decision>> {
        let known = self.decided.get(&one.shape).cloned();
        let decision = match known {
            Some(decision) => decision,
            None => {
                let found = self.catalogue.shape(one.shape)?;
                let put = self.put.get(&found.record.originator)?;
                let decision = Arc::new(self.engine.decide(&found.record, &put.ask));
                self.decided.insert(one.shape, Arc::clone(&decision));
                decision
            }
        };
        let limits = [decision.retention_until, one.own.valid_until, one.own.provider_limit];
        let retention_until = limits.into_iter().flatten().min();
        if retention_until == decision.retention_until {
            return Some(decision);
        }
        Some(Arc::new(Decision { retention_until, ..Decision::clone(&decision) }))
    }
}
