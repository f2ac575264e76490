//! One reader's pass over rows: the same question put to many records.

use super::{Depth, Release, Shown, Wanted};
use crate::Body;
use crate::error::NodeError;
use crate::facts::Facts;
use crate::listing::{Head, Holds, Listing, version_stem};
use crate::tables::{self, Table, key};
use crate::view::{Cuts, Goes, Kept, Round, State};
use model::decision::Outcome;
use model::ids::AgencyId;
use model::posting::Collection;
use model::release::Terms;
use model::request::StandingOrder;
use model::time::Timestamp;
use protocol::{Held, Offer, offer_held, owes_word, unannounced};
use std::collections::BTreeSet;
use std::sync::Arc;

/// One reader's pass.
pub(super) struct Pass<'a> {
    pub(super) facts: &'a Facts<'a>,
    state: Option<&'a State>,
    rounds: Vec<Option<Round<'a>>>,
    reader: &'a AgencyId,
    /// The collection, where partners write it: each row is its poster's to permit.
    posted: Option<&'a Collection>,
    now: Timestamp,
    /// Orders met, by their bytes.
    orders: Vec<(Vec<u8>, StandingOrder)>,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        (facts, state): (&'a Facts<'a>, Option<&'a State>),
        (reader, posted): (&'a AgencyId, Option<&'a Collection>),
        now: Timestamp,
    ) -> Self {
        Self { facts, state, rounds: Vec::new(), reader, posted, now, orders: Vec::new() }
    }

    /// The answer from the view; nothing where the store has to be asked.
    fn quick(
        &mut self,
        head: &Head<'_>,
        added_at: Timestamp,
        (at, holds, depth): (usize, Holds, Depth),
        wanted: &Wanted,
    ) -> Result<Option<Option<Shown>>, NodeError> {
        let (Some(state), Some(Some(round))) = (self.state, self.rounds.get_mut(at)) else {
            return Ok(None);
        };
        if state.is_other(head.record) {
            return Ok(None);
        }
        let found = state.name(head.record).and_then(|name| Some((name, state.find(name)?)));
        let Some((name, row)) = found else {
            // Not held now, unless the row asks for an older version of another assertion.
            return Ok((holds == Holds::Newest).then_some(None));
        };
        let (version, originator) = (row.version.text(), row.shape);
        let originator = originator.and_then(|shape| state.catalogue.originator(shape));
        let Some(originator) = originator else { return Ok(None) };
        let same = version == head.version && originator.as_str() == head.originator;
        if holds == Holds::Version && !same {
            return Ok(None);
        }
        if !wanted.fits(row.spec, row.version.at().unwrap_or(added_at)) {
            return Ok(Some(None));
        }
        let record = head.record.parse().map_err(|e| NodeError::damaged("collection", e))?;
        let snapshot = self.facts.snapshot;
        let owes = |obligations| owes_word(self.facts.own, (originator, obligations));
        let none = Arc::default();
        let cuts: &Arc<Cuts> = self.facts.view.as_ref().map_or(&none, |view| &view.cuts);
        let content = |outcome: Outcome| {
            if outcome == Outcome::Release && depth == Depth::Head {
                return Ok(Kept::stored(&[], name, cuts));
            }
            let parts =
                [head.record.as_bytes(), originator.as_str().as_bytes(), version.as_bytes()];
            let missing = || NodeError::damaged("holding", "the newest version is missing");
            let bytes = snapshot.get(&key(Table::Holding, &parts))?.ok_or_else(missing)?;
            Ok(Kept::stored(tables::content(&bytes)?, name, cuts))
        };
        Ok(match round.release((&record, name), row, content)? {
            Goes::Unsettled => None,
            Goes::Withheld => Some(None),
            // WHY: passing on what another originated may oblige to tell it; see `unannounced`.
            Goes::Out(released) if owes(&released.decision().obligations) => None,
            Goes::Out(released) => {
                let release = Release::Stored(*released);
                Some(Some(Shown { added_at, version, spec: row.spec, release }))
            }
        })
    }

    /// What the gate lets through of one row now, if it is what is wanted.
    pub(super) fn show(
        &mut self,
        head: &Head<'_>,
        added_at: Timestamp,
        (holds, depth): (Holds, Depth),
        wanted: &Wanted,
    ) -> Result<Option<Shown>, NodeError> {
        if let Some(collection) = self.posted {
            return self.sight(collection, head, added_at, wanted);
        }
        let at = self.order(head.order)?;
        if let Some(settled) = self.quick(head, added_at, (at, holds, depth), wanted)? {
            return Ok(settled);
        }
        let Some((_, order)) = self.orders.get(at) else { return Ok(None) };
        let Some(held) = self.held(head, holds)? else { return Ok(None) };
        let (version, spec) = (held.custody.version.clone(), held.body.spec());
        if !wanted.fits(spec, version_stem(&version).parse().unwrap_or(added_at)) {
            return Ok(None);
        }
        let Offer::Release(release) = offer_held(self.facts, &held, order, self.now)? else {
            return Ok(None);
        };
        let (terms, released) = *release;
        if self.unannounced(&terms)? {
            return Ok(None);
        }
        let shown = released.content().is_some();
        let release = Release::Read(released);
        Ok(shown.then_some(Shown { added_at, version, spec, release }))
    }

    /// What the gate lets through of a row that a partner posted.
    fn sight(
        &self,
        collection: &Collection,
        head: &Head<'_>,
        added_at: Timestamp,
        wanted: &Wanted,
    ) -> Result<Option<Shown>, NodeError> {
        let Some(held) = self.held(head, Holds::Version)? else { return Ok(None) };
        let (version, spec) = (held.custody.version.clone(), held.body.spec());
        let made_at = version_stem(&version).parse().unwrap_or(added_at);
        let released = protocol::sight(self.facts, self.reader, collection, &held, self.now)?;
        let released = released.filter(|_| wanted.fits(spec, made_at)).map(Release::Read);
        Ok(released.map(|release| Shown { added_at, version, spec, release }))
    }

    /// Whether the originator would have to be told of this release and was not.
    ///
    /// WHY: a read cannot tell the originator; only an offer made anew does.
    fn unannounced(&self, terms: &Terms) -> Result<bool, NodeError> {
        let own = self.facts.own;
        let silent = Terms { obligations: BTreeSet::new(), ..terms.clone() };
        if !unannounced(own, &silent, terms) {
            return Ok(false);
        }
        let (id, originator) = (&terms.record, &terms.originator);
        let offers = protocol::Facts::offered(self.facts, id, originator, self.reader)
            .map_err(|fault| NodeError::damaged("offer", fault))?;
        let mut offers = offers.iter().filter(|offer| offer.terms.purpose == terms.purpose);
        Ok(offers.all(|before| unannounced(own, &before.terms, terms)))
    }

    /// The work of a row that is withheld, for an identifier that is not listed.
    pub(super) fn nothing(&mut self, id: &str, listing: &Listing) -> Result<(), NodeError> {
        let snapshot = self.facts.snapshot;
        let _absent = snapshot.get(&listing.start(None))?;
        if self.posted.is_some() {
            // LIMIT: neighbours of a withheld posting are read as well; their number shows.
            let parts = [id.as_bytes(), self.reader.as_str().as_bytes()];
            let _unheld = snapshot.get(&key(Table::Holding, &parts))?;
            snapshot.scan(&tables::prefix(Table::Placed, &parts), &mut |_, _| false)?;
            return Ok(());
        }
        if let Some(state) = self.state {
            let _looked_up = state.name(id).and_then(|name| state.find(name));
        } else if let Ok(id) = id.parse() {
            let _withheld = self.facts.assertion(&id)?;
        }
        Ok(())
    }

    fn order(&mut self, bytes: &[u8]) -> Result<usize, NodeError> {
        if let Some(at) = self.orders.iter().position(|(known, _)| known == bytes) {
            return Ok(at);
        }
        let (purpose, grounds) = tables::parse(bytes, "collection")?;
        let order = StandingOrder { recipient: self.reader.clone(), purpose, grounds };
        let round = self.facts.rules.as_deref().zip(self.state);
        let round = round.map(|both| Round::new(self.facts, both, order.clone(), self.now));
        self.rounds.push(round);
        self.orders.push((bytes.to_vec(), order));
        Ok(self.orders.len().saturating_sub(1))
    }

    fn held(&self, head: &Head<'_>, holds: Holds) -> Result<Option<Held<Body>>, NodeError> {
        let wrong = |e: model::ids::IdError| NodeError::damaged("collection", e);
        let record = head.record.parse().map_err(wrong)?;
        let found = match holds {
            Holds::Newest => self.facts.assertion(&record)?,
            Holds::Version => {
                let originator = head.originator.parse().map_err(wrong)?;
                self.facts.exactly(&record, &originator, head.version)?
            }
        };
        let Some((custody, body)) = found else { return Ok(None) };
        let record = self.facts.view(&custody, &body)?;
        Ok(Some(Held { record, custody, body }))
    }
}
