//! Many records asked under one order, answered from the view: an audience, the rows of a page.

use super::State;
use super::row::{Name, Row};
use crate::error::NodeError;
use crate::facts::Facts;
use crate::query::Audience;
use model::decision::{Outcome, Reason};
use model::ids::RecordId;
use model::request::StandingOrder;
use model::time::Timestamp;
use protocol::{Content, Inquiry, One, Released, Rules, Shared, Short};

/// The audience of everything held.
pub(crate) fn audience(
    facts: &Facts<'_>,
    state: &State,
    order: &StandingOrder,
    (limit, now): (usize, Timestamp),
) -> Result<Audience, NodeError> {
    let mut out = Audience::default();
    let Some(rules) = facts.rules.as_deref() else { return Ok(out) };
    let mut round = Round::new(facts, (rules, state), order.clone(), now);
    state.visit(&mut |name, row| round.one((name, row), limit, &mut out))?;
    let mut others = Audience { tally: out.tally, named: Vec::new() };
    for id in state.others() {
        round.singly(id.clone(), limit, &mut others)?;
    }
    out.tally = others.tally;
    if !others.named.is_empty() {
        out.named.append(&mut others.named);
        out.named.sort_by(|one, other| one.record.cmp(&other.record));
        out.named.truncate(limit);
    }
    Ok(out)
}

/// One order, asked of many rows.
pub(crate) struct Round<'a> {
    facts: &'a Facts<'a>,
    state: &'a State,
    order: StandingOrder,
    now: Timestamp,
    inquiry: Inquiry<'a>,
}

/// What becomes of one row.
pub(crate) enum Goes<T> {
    /// Nothing of it is shown.
    Withheld,
    /// It goes: whole, or what is left of it.
    Out(Box<Released<T>>),
    /// That is found out from the store.
    Unsettled,
}

impl<'a> Round<'a> {
    pub(crate) fn new(
        facts: &'a Facts<'a>,
        (rules, state): (&'a Rules, &'a State),
        order: StandingOrder,
        now: Timestamp,
    ) -> Self {
        let inquiry = Inquiry::new(rules, &state.catalogue, now);
        Self { facts, state, order, now, inquiry }
    }

    /// Releases a row, if its shape and its neighbours' shapes settle that; `content` is asked for
    /// only then, and told whether something is cut out of it.
    pub(crate) fn release<T: Content>(
        &mut self,
        (id, name): (&RecordId, Name),
        row: &Row,
        content: impl FnOnce(Outcome) -> Result<T, NodeError>,
    ) -> Result<Goes<T>, NodeError> {
        let Some(shape) = row.shape else { return Ok(Goes::Unsettled) };
        let Some(short) = self.short(name, row)? else { return Ok(Goes::Unsettled) };
        if matches!(short.outcome(), Outcome::Refuse | Outcome::HitOnly) {
            return Ok(Goes::Withheld);
        }
        let (mut neighbours, mut settled) = (Vec::new(), true);
        for (name, essential) in row.refs() {
            let Some(target) = self.state.find(*name) else { continue };
            let Some(answer) = self.short(*name, target)? else { return Ok(Goes::Unsettled) };
            if answer.outcome() == Outcome::Refuse && *essential {
                return Ok(Goes::Withheld);
            }
            settled &= answer.outcome() != Outcome::Refuse;
            neighbours.push(answer);
        }
        if !settled {
            return Ok(Goes::Unsettled);
        }
        let one = One { id, shape, own: row.own() };
        let released = match (short.outcome(), row.places()) {
            (Outcome::Release, _) => {
                self.inquiry.release(one, &neighbours, content(Outcome::Release)?)
            }
            (Outcome::Redact, Some(places)) => {
                self.inquiry.cut(one, &neighbours, (&content(Outcome::Redact)?, places))
            }
            (Outcome::Redact | Outcome::HitOnly | Outcome::Refuse, _) => None,
        };
        Ok(released.map_or(Goes::Unsettled, |released| Goes::Out(Box::new(released))))
    }

    fn one(
        &mut self,
        (name, row): (Name, &Row),
        limit: usize,
        out: &mut Audience,
    ) -> Result<(), NodeError> {
        let state = self.state;
        let id = || state.id(name).ok_or_else(|| NodeError::damaged("view", "a name is lost"));
        let Some(short) = self.short(name, row)? else { return self.singly(id()?, limit, out) };
        let (mut outcome, mut reason) = (short.outcome(), short.reason());
        if outcome != Outcome::Refuse {
            match self.betrays(row)? {
                None => return self.singly(id()?, limit, out),
                Some(true) => (outcome, reason) = (Outcome::Refuse, Reason::Concealed),
                Some(false) => {}
            }
        }
        let recipient = &self.order.recipient;
        out.add((outcome, limit), || {
            Some(Shared {
                record: state.id(name)?,
                recipient: recipient.clone(),
                outcome,
                reason,
                repeated: false,
                decision: None,
                hindrance: None,
            })
        });
        Ok(())
    }

    /// From the store, with everything the gate looks at.
    fn singly(&self, id: RecordId, limit: usize, out: &mut Audience) -> Result<(), NodeError> {
        for shared in protocol::would_share(self.facts, &[id], &self.order, self.now)? {
            out.add((shared.outcome, limit), || Some(shared));
        }
        Ok(())
    }

    /// The answer for a row; nothing where it has to be found out from the store.
    fn short(&mut self, name: Name, row: &Row) -> Result<Option<Short>, NodeError> {
        let Some(shape) = row.shape else { return Ok(None) };
        if let Some(by) = self.inquiry.asks(shape) {
            let ask = protocol::ask(self.facts, by, &self.order, self.now)?;
            self.inquiry.put(by, ask);
        }
        if !self.inquiry.names_records(shape) {
            return Ok(self.inquiry.short(shape, &row.own()));
        }
        let Some(id) = self.state.id(name) else { return Ok(None) };
        Ok(self.inquiry.answer(One { id: &id, shape, own: row.own() }))
    }

    /// Whether it points to something hidden without which it says nothing; nothing where that
    /// has to be found out from the store.
    fn betrays(&mut self, row: &Row) -> Result<Option<bool>, NodeError> {
        for (name, essential) in row.refs() {
            if !essential {
                continue;
            }
            match self.hidden(*name)? {
                None => return Ok(None),
                Some(true) => return Ok(Some(true)),
                Some(false) => {}
            }
        }
        Ok(Some(false))
    }

    fn hidden(&mut self, name: Name) -> Result<Option<bool>, NodeError> {
        let Some(row) = self.state.find(name) else { return Ok(Some(false)) };
        let short = self.short(name, row)?;
        Ok(short.map(|short| short.outcome() == Outcome::Refuse))
    }
}
