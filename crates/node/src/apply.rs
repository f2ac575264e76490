//! Turns the changes of a step into rows of one batch, index rows included: none can lag or lie.

use crate::Body;
use crate::error::NodeError;
use crate::facts::Facts;
use crate::listing::{Entry, Listing};
use crate::outbox::{self, Waiting, message_key};
use crate::tables::{self, Table, digest_key, due_key, holding_key, key, pair, put};
use model::custody::{Custody, Deletion, Holding, Tombstone};
use model::ids::{AgencyId, Digest, RecordId};
use model::release::Terms;
use model::request::{Consent, StandingOrder};
use model::time::Timestamp;
use protocol::{Change, CollectionChange, Offered, RecordChange, Released, RuleChange};
use store::{Batch, Operation, Snapshot};
use wire::stix::SpecVersion;

/// Writes changes into a batch.
pub(crate) struct Applier<'a> {
    pub(crate) snapshot: &'a dyn Snapshot,
    pub(crate) own: &'a AgencyId,
    pub(crate) batch: &'a mut Batch,
    /// The present.
    pub(crate) now: Timestamp,
    /// The last instant used in any collection.
    pub(crate) added_at: Timestamp,
    /// The next place in any queue.
    pub(crate) sequence: u64,
    /// Whether the compiled rules are out of date.
    pub(crate) rules_changed: bool,
    /// Records whose answer may change.
    pub(crate) touched: std::collections::BTreeSet<RecordId>,
}

impl Applier<'_> {
    pub(crate) fn apply(&mut self, change: Change<Body>) -> Result<(), NodeError> {
        match change {
            Change::Record(change) => {
                self.touch(&change);
                self.record(change)
            }
            Change::Rule(change) => self.govern(change),
            Change::Collection(change) => self.collect(change),
            Change::Delivery(change) => self.deliver(change),
            Change::Posting(change) => self.posting(change),
            Change::Feed(change) => self.feed(change),
        }
    }

    fn record(&mut self, change: RecordChange<Body>) -> Result<(), NodeError> {
        match change {
            RecordChange::Hold(holding) => {
                self.newest(&holding.custody);
                self.hold(&holding)
            }
            RecordChange::HoldEarlier(holding) => self.hold(&holding),
            RecordChange::Delete { custody, tombstone } => {
                self.delete(&custody)?;
                put(self.batch, stone_key(&tombstone), "tombstone", &tombstone)
            }
            RecordChange::Entomb(stone) => put(self.batch, stone_key(&stone), "tombstone", &stone),
            RecordChange::Flag(custody) => self.flag(&custody),
            RecordChange::Hit { giver, terms } => {
                put(self.batch, hit_key(&giver, &terms.record), "hit", &terms)
            }
            RecordChange::Link(link) => {
                put(self.batch, same_as_key(&link.one, &link.other), "link", &link)?;
                put(self.batch, same_as_key(&link.other, &link.one), "link", &link)
            }
            RecordChange::Unlink { one, other } => {
                self.batch.delete(same_as_key(&one, &other));
                self.batch.delete(same_as_key(&other, &one));
                Ok(())
            }
            RecordChange::DropHit { giver, record } => {
                self.batch.delete(hit_key(&giver, &record));
                Ok(())
            }
        }
    }

    fn collect(&mut self, change: CollectionChange<Body>) -> Result<(), NodeError> {
        match change {
            CollectionChange::Offer { offered, released } => self.offer(&offered, &released),
            CollectionChange::Retract { record, originator, recipient, purpose } => {
                self.retract((&record, &originator), &recipient, purpose.as_deref())
            }
            CollectionChange::Rejected { record, recipient } => self.rejected(&record, &recipient),
        }
    }

    /// Notes a record whose answer may change.
    fn touch(&mut self, change: &RecordChange<Body>) {
        let id = match change {
            RecordChange::Hold(holding) | RecordChange::HoldEarlier(holding) => &holding.custody.id,
            RecordChange::Delete { custody, .. } | RecordChange::Flag(custody) => &custody.id,
            RecordChange::Entomb(stone) => &stone.id,
            RecordChange::Hit { .. }
            | RecordChange::DropHit { .. }
            | RecordChange::Link(_)
            | RecordChange::Unlink { .. } => return,
        };
        self.touched.insert(id.clone());
    }

    fn govern(&mut self, change: RuleChange) -> Result<(), NodeError> {
        match change {
            RuleChange::Pin(member) => {
                let row = key(Table::Member, &[member.agency.as_str().as_bytes()]);
                put(self.batch, row, "member", &member)
            }
            RuleChange::Access { partner, token } => {
                let row = key(Table::Access, &[partner.as_str().as_bytes()]);
                put(self.batch, row, "access", &token)
            }
            RuleChange::Vocabulary(vocabulary) => {
                self.rules_changed = true;
                put(self.batch, key(Table::Vocabulary, &[]), "vocabulary", &vocabulary)
            }
            RuleChange::Agreement { agreement, document } => {
                self.rules_changed = true;
                self.batch
                    .put(key(Table::Agreement, &[agreement.id.as_str().as_bytes()]), document);
                Ok(())
            }
            RuleChange::Signature(signature) => {
                self.rules_changed = true;
                let (id, party) = (signature.agreement.as_str(), signature.party.as_str());
                let parts = [id.as_bytes(), party.as_bytes(), &signature.digest.0];
                put(self.batch, key(Table::Signature, &parts), "signature", &signature)
            }
            RuleChange::Order(order) => put(self.batch, order_key(&order)?, "order", &order),
            RuleChange::DropOrder(order) => {
                self.batch.delete(order_key(&order)?);
                Ok(())
            }
            RuleChange::Consent(consent) => {
                put(self.batch, consent_key(&consent)?, "consent", &consent)
            }
        }
    }

    fn hold(&mut self, holding: &Holding<Body>) -> Result<(), NodeError> {
        let custody = &holding.custody;
        if custody.originator != *self.own
            && let Some(before) = self.before(custody)?.and_then(|c| c.retention_until)
        {
            self.batch.delete(due_key(before, custody));
        }
        let row = tables::pack(custody, holding.body.raw())?;
        self.batch.put(holding_key(custody), row);
        for target in holding.body.references() {
            self.batch.put(referrer_key(target.as_bytes(), custody), Vec::new());
        }
        self.due(custody)
    }

    fn newest(&mut self, custody: &Custody) {
        let row = pair(Table::Newest, &custody.id, &custody.originator);
        self.batch.put(row, custody.version.as_bytes());
    }

    fn due(&mut self, custody: &Custody) -> Result<(), NodeError> {
        let Some(until) = custody.retention_until else { return Ok(()) };
        put(self.batch, due_key(until, custody), "due", &(&custody.id, &custody.originator))
    }

    fn before(&self, custody: &Custody) -> Result<Option<Custody>, NodeError> {
        Facts::new(self.snapshot, self.own, None).newest(&custody.id, &custody.originator)
    }

    fn flag(&mut self, custody: &Custody) -> Result<(), NodeError> {
        let bytes = self.snapshot.get(&holding_key(custody))?;
        let bytes = bytes.ok_or_else(|| NodeError::damaged("holding", "it is missing"))?;
        let (_, content) = tables::unpack(&bytes)?;
        let row = tables::pack(custody, content)?;
        self.batch.put(holding_key(custody), row);
        Ok(())
    }

    fn delete(&mut self, custody: &Custody) -> Result<(), NodeError> {
        let parts = [custody.id.as_str().as_bytes(), custody.originator.as_str().as_bytes()];
        let mut rows = Vec::new();
        self.snapshot.scan(&tables::prefix(Table::Holding, &parts), &mut |key, bytes| {
            rows.push((key.to_vec(), bytes.to_vec()));
            true
        })?;
        for (row, bytes) in rows {
            let (held, content) = tables::unpack(&bytes)?;
            let body = wire::stix::StixObject::parse(content)
                .map_err(|e| NodeError::damaged("holding", e))?;
            for target in body.references() {
                self.batch.delete(referrer_key(target.as_bytes(), &held));
            }
            if let Some(until) = held.retention_until {
                self.batch.delete(due_key(until, &held));
            }
            self.batch.delete(row);
        }
        self.batch.delete(pair(Table::Newest, &custody.id, &custody.originator));
        self.displace_all(custody)?;
        self.unlink(custody)
    }

    /// Forgets the links of a record that nobody's assertion is held of any more.
    fn unlink(&mut self, custody: &Custody) -> Result<(), NodeError> {
        let facts = Facts::new(self.snapshot, self.own, None);
        let links = protocol::Facts::same_as(&facts, &custody.id)
            .map_err(|fault| NodeError::damaged("link", fault))?;
        if links.is_empty() {
            return Ok(());
        }
        let others = facts.assertions(&custody.id)?;
        if others.iter().any(|(other, _)| other.originator != custody.originator) {
            return Ok(());
        }
        for link in links {
            self.batch.delete(same_as_key(&link.one, &link.other));
            self.batch.delete(same_as_key(&link.other, &link.one));
        }
        Ok(())
    }

    fn offer(&mut self, offered: &Offered, released: &Released<Body>) -> Result<(), NodeError> {
        let recipient = released.recipient();
        let terms = &offered.terms;
        self.retract((&terms.record, &terms.originator), recipient, Some(&terms.purpose))?;
        self.next_instant()?;
        let entry = Entry {
            added_at: self.added_at,
            record: terms.record.clone(),
            originator: terms.originator.clone(),
            version: terms.version.clone(),
            spec: released.content().map_or(SpecVersion::V21, Body::spec),
            purpose: terms.purpose.clone(),
            grounds: offered.grounds.clone(),
        };
        Listing::of_partner(recipient).add(self.batch, &entry)?;
        put(self.batch, key(Table::Counter, &[b"added"]), "counter", &self.added_at)?;
        let parts = [terms.record.as_str(), terms.originator.as_str(), recipient.as_str()];
        self.batch.put(key(Table::Went, &parts.map(str::as_bytes)), Vec::new());
        put(self.batch, offered_key(&offered.terms, recipient), "offer", offered)
    }

    /// The next instant of any collection: strictly later than every one before.
    pub(crate) fn next_instant(&mut self) -> Result<(), NodeError> {
        let next = self.added_at.micros().saturating_add(1);
        self.added_at =
            Timestamp::from_micros(next).map_err(|e| NodeError::damaged("collection", e))?;
        put(self.batch, key(Table::Counter, &[b"added"]), "counter", &self.added_at)
    }

    /// Takes a record out of a partner's collection, for one purpose or for all.
    fn retract(
        &mut self,
        (record, originator): (&RecordId, &AgencyId),
        recipient: &AgencyId,
        purpose: Option<&str>,
    ) -> Result<(), NodeError> {
        let facts = Facts::new(self.snapshot, self.own, None);
        let offers = protocol::Facts::offered(&facts, record, originator, recipient)
            .map_err(|fault| NodeError::damaged("offer", fault))?;
        let fits = |terms: &Terms| {
            terms.record == *record
                && terms.originator == *originator
                && purpose.is_none_or(|purpose| terms.purpose == purpose)
        };
        let ending: Vec<&Offered> = offers.iter().filter(|o| fits(&o.terms)).collect();
        if ending.is_empty() {
            return Ok(());
        }
        for offered in ending {
            self.batch.delete(offered_key(&offered.terms, recipient));
        }
        let listing = Listing::of_partner(recipient);
        for entry in listing.entries(self.snapshot, record)? {
            if entry.originator == *originator && purpose.is_none_or(|p| entry.purpose == p) {
                listing.remove(self.batch, &entry);
            }
        }
        Ok(())
    }

    /// Marks what was offered of a record as not taken.
    fn rejected(&mut self, record: &RecordId, recipient: &AgencyId) -> Result<(), NodeError> {
        let rows = tables::prefix(Table::Offered, &[record.as_str().as_bytes()]);
        let offers: Vec<Offered> = tables::read_all(self.snapshot, &rows, "offer")?;
        for mut offered in offers {
            let row = offered_key(&offered.terms, recipient);
            if self.snapshot.get(&row)?.is_some() {
                offered.rejected = true;
                put(self.batch, row, "offer", &offered)?;
            }
        }
        Ok(())
    }

    /// The message leaves the outbox, or what was given up; its partner answers again.
    pub(crate) fn answered(
        &mut self,
        message: &Digest,
        partner: &AgencyId,
    ) -> Result<(), NodeError> {
        self.leave(message, partner)?;
        self.batch.delete(message_key(Table::Undelivered, partner, message));
        if self.snapshot.get(&outbox::row_key(partner))?.is_some() {
            self.batch.delete(outbox::row_key(partner));
        }
        Ok(())
    }

    /// Takes a message out of the outbox.
    pub(crate) fn leave(&mut self, message: &Digest, partner: &AgencyId) -> Result<(), NodeError> {
        if let Some(row) = outbox::row_of(self.snapshot, partner, message)? {
            self.batch.delete(row);
            self.batch.delete(message_key(Table::Place, partner, message));
            self.batch.delete(message_key(Table::Refusal, partner, message));
        }
        Ok(())
    }

    /// Puts a message at the end of the outbox; one that says the very same moves there.
    pub(crate) fn queue(&mut self, waiting: &Waiting) -> Result<(), NodeError> {
        let (partner, place) = (&waiting.recipient, self.sequence);
        let index = message_key(Table::Place, partner, &waiting.digest);
        let earlier = match self.batch.operation(&index) {
            Some(Operation::Put(bytes)) => {
                Some(outbox::row(partner, tables::parse(bytes, "place")?))
            }
            Some(Operation::Delete) => None,
            None => outbox::row_of(self.snapshot, partner, &waiting.digest)?,
        };
        self.drop_row(earlier);
        self.sequence = place.saturating_add(1);
        put(self.batch, outbox::row(partner, place), "outbox", waiting)?;
        put(self.batch, index, "place", &place)
    }

    fn drop_row(&mut self, row: Option<Vec<u8>>) {
        if let Some(row) = row {
            self.batch.delete(row);
        }
    }
}

fn hit_key(giver: &AgencyId, record: &RecordId) -> Vec<u8> {
    key(Table::Hit, &[giver.as_str().as_bytes(), record.as_str().as_bytes()])
}

fn offered_key(terms: &Terms, recipient: &AgencyId) -> Vec<u8> {
    let originator = terms.originator.as_str();
    let parts = [terms.record.as_str(), originator, recipient.as_str(), &terms.purpose];
    key(Table::Offered, &parts.map(str::as_bytes))
}

/// A withdrawal binds its giver only; every other deletion binds the assertion.
fn stone_key(stone: &Tombstone) -> Vec<u8> {
    let (id, originator) = (stone.id.as_str().as_bytes(), stone.originator.as_str().as_bytes());
    match &stone.giver {
        Some(giver) if stone.cause == Deletion::Withdrawn => {
            key(Table::Tombstone, &[id, originator, giver.as_str().as_bytes()])
        }
        Some(_) | None => key(Table::Tombstone, &[id, originator]),
    }
}

pub(crate) fn referrer_key(target: &[u8], custody: &Custody) -> Vec<u8> {
    let (id, originator) = (custody.id.as_str(), custody.originator.as_str());
    key(Table::Referrer, &[target, id.as_bytes(), originator.as_bytes()])
}

fn order_key(order: &StandingOrder) -> Result<Vec<u8>, NodeError> {
    let bytes = serde_json::to_vec(order).map_err(|e| NodeError::damaged("order", e))?;
    Ok(digest_key(Table::Order, &crypto::hash::sha256(&bytes)))
}

fn same_as_key(from: &RecordId, to: &RecordId) -> Vec<u8> {
    key(Table::SameAs, &[from.as_str().as_bytes(), to.as_str().as_bytes()])
}

fn consent_key(consent: &Consent) -> Result<Vec<u8>, NodeError> {
    let bytes = serde_json::to_vec(consent).map_err(|e| NodeError::damaged("consent", e))?;
    let (from, to) = (consent.originator.as_str(), consent.recipient.as_str());
    let digest = crypto::hash::sha256(&bytes);
    Ok(key(Table::Consent, &[from.as_bytes(), to.as_bytes(), &digest.0]))
}
