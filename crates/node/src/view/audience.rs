//! Many records asked under one order, answered from the view: an audience, the rows of a page.

use super::State;
use super::row::{Name, Row};
use crate::error::NodeError;
use crate::facts::Facts;
use model::decision::{Outcome, Reason};
use model::ids::RecordId;
use model::request::StandingOrder;
use model::time::Timestamp;
use protocol::{Inquiry, One, Released, Rules, Shared, Short};

/// The audience of everything held, by id.
pub(crate) fn audience(
    facts: &Facts<'_>,
    state: &State,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Vec<Shared>, NodeError> {
    let Some(rules) = facts.rules.as_deref() else { return Ok(Vec::new()) };
    let mut round = Round::new(facts, (rules, state), order.clone(), now);
    let mut out = Vec::with_capacity(state.len());
    state.visit(&mut |name, row| {
        let Some(id) = state.id(name) else { return Ok(()) };
        out.extend(round.one(id, row)?);
        Ok(())
    })?;
    for id in state.others() {
        out.extend(round.singly(id.clone())?);
    }
    if state.others().next().is_some() {
        out.sort_by(|one, other| one.record.cmp(&other.record));
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
    /// It goes whole.
    Whole(Box<Released<T>>),
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

    /// Releases a row whole, if its shape and its neighbours' shapes settle that; `content` is
    /// asked for only then.
    pub(crate) fn release<T>(
        &mut self,
        id: &RecordId,
        row: &Row,
        content: impl FnOnce() -> Result<T, NodeError>,
    ) -> Result<Goes<T>, NodeError> {
        let Some(shape) = row.shape else { return Ok(Goes::Unsettled) };
        let Some(short) = self.short(id, row)? else { return Ok(Goes::Unsettled) };
        if matches!(short.outcome(), Outcome::Refuse | Outcome::HitOnly) {
            return Ok(Goes::Withheld);
        }
        let (mut neighbours, mut settled) = (Vec::new(), short.outcome() == Outcome::Release);
        for (name, essential) in row.refs() {
            let Some(target) = self.state.find(*name) else { continue };
            let answer = match self.state.id(*name) {
                Some(id) => self.short(&id, target)?,
                None => None,
            };
            let Some(answer) = answer else { return Ok(Goes::Unsettled) };
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
        let released = self.inquiry.release(one, &neighbours, content()?);
        Ok(released.map_or(Goes::Unsettled, |released| Goes::Whole(Box::new(released))))
    }

    fn one(&mut self, id: RecordId, row: &Row) -> Result<Vec<Shared>, NodeError> {
        let Some(short) = self.short(&id, row)? else { return self.singly(id) };
        let (mut outcome, mut reason) = (short.outcome(), short.reason());
        if outcome != Outcome::Refuse {
            match self.betrays(row)? {
                None => return self.singly(id),
                Some(true) => (outcome, reason) = (Outcome::Refuse, Reason::Concealed),
                Some(false) => {}
            }
        }
        Ok(vec![Shared {
            record: id,
            recipient: self.order.recipient.clone(),
            outcome,
            reason,
            repeated: false,
            decision: None,
            hindrance: None,
        }])
    }

    /// From the store, with everything the gate looks at.
    fn singly(&self, id: RecordId) -> Result<Vec<Shared>, NodeError> {
        Ok(protocol::would_share(self.facts, &[id], &self.order, self.now)?)
    }

    fn short(&mut self, id: &RecordId, row: &Row) -> Result<Option<Short>, NodeError> {
        let Some(shape) = row.shape else { return Ok(None) };
        if let Some(by) = self.inquiry.asks(shape) {
            let ask = protocol::ask(self.facts, by, &self.order, self.now)?;
            self.inquiry.put(by, ask);
        }
        Ok(self.inquiry.answer(One { id, shape, own: row.own() }))
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
        let Some(id) = self.state.id(name) else { return Ok(None) };
        let short = self.short(&id, row)?;
        Ok(short.map(|short| short.outcome() == Outcome::Refuse))
    }
}
