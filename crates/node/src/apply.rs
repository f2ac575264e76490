//! Turns the changes of a step into rows of one batch, index rows included: none can lag or lie.

use crate::Body;
use crate::error::NodeError;
use crate::facts::Facts;
use crate::tables::{
    self, Table, digest_key, due_key, holding_key, key, numbered_under, pair, put,
};
use model::custody::{Custody, Deletion, Holding, Tombstone};
use model::ids::{AgencyId, RecordId};
use model::release::Terms;
use model::request::{Consent, StandingOrder};
use model::time::Timestamp;
use protocol::{Change, Offered, Released};
use serde::{Deserialize, Serialize};
use store::{Batch, Snapshot};

/// One row of a partner's collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listed {
    /// The terms it was offered on.
    pub terms: Terms,
    /// The grounds it went on, to decide again at every read.
    pub grounds: model::request::Grounds,
    /// When it was added: strictly increasing.
    pub added_at: Timestamp,
}

/// Writes changes into a batch.
pub(crate) struct Applier<'a> {
    pub(crate) snapshot: &'a dyn Snapshot,
    pub(crate) own: &'a AgencyId,
    pub(crate) batch: &'a mut Batch,
    /// The last instant used in any collection.
    pub(crate) added_at: Timestamp,
    /// Whether the compiled rules are out of date.
    pub(crate) rules_changed: bool,
}

impl Applier<'_> {
    pub(crate) fn apply(&mut self, change: Change<Body>) -> Result<(), NodeError> {
        match change {
            Change::Hold(holding) => {
                self.newest(&holding.custody);
                self.hold(&holding)
            }
            Change::HoldEarlier(holding) => self.hold(&holding),
            Change::Delete { custody, tombstone } => {
                self.delete(&custody)?;
                put(self.batch, stone_key(&tombstone), "tombstone", &tombstone)
            }
            Change::Entomb(stone) => put(self.batch, stone_key(&stone), "tombstone", &stone),
            Change::Flag(custody) => self.flag(&custody),
            Change::Hit { giver, terms } => {
                let parts = [giver.as_str().as_bytes(), terms.record.as_str().as_bytes()];
                put(self.batch, key(Table::Hit, &parts), "hit", &terms)
            }
            Change::Offer { offered, released } => self.offer(&offered, &released),
            Change::Retract { record, originator, recipient, purpose } => {
                self.retract((&record, &originator), &recipient, purpose.as_deref())
            }
            Change::Rejected { record, recipient } => self.rejected(&record, &recipient),
            Change::DropHit { giver, record } => {
                let parts = [giver.as_str().as_bytes(), record.as_str().as_bytes()];
                self.batch.delete(key(Table::Hit, &parts));
                Ok(())
            }
            Change::Answered { message, partner } => self.answered(&message, &partner),
            Change::RecallTaken(receipt) => {
                let row = pair(Table::RecallTaken, &receipt.record, &receipt.holder);
                put(self.batch, row, "recall receipt", &receipt)?;
                self.answered(&receipt.notice, &receipt.holder)
            }
            Change::ReceiptGiven(receipt) => {
                let row = digest_key(Table::ReceiptGiven, &receipt.manifest);
                put(self.batch, row, "receipt", &receipt)
            }
            Change::ReceiptTaken(receipt) => {
                let row = digest_key(Table::ReceiptTaken, &receipt.manifest);
                put(self.batch, row, "receipt", &receipt)
            }
            Change::Place(..)
            | Change::Displace(..)
            | Change::DropVersion { .. }
            | Change::Status { .. }
            | Change::DropStatus { .. }
            | Change::Appraise { .. } => self.posting(change),
            Change::Pin(_)
            | Change::Access { .. }
            | Change::Vocabulary(_)
            | Change::Agreement { .. }
            | Change::Signature(_)
            | Change::Order(_)
            | Change::DropOrder(_)
            | Change::Consent(_) => self.govern(change),
        }
    }

    fn govern(&mut self, change: Change<Body>) -> Result<(), NodeError> {
        match change {
            Change::Pin(member) => {
                let row = key(Table::Member, &[member.agency.as_str().as_bytes()]);
                put(self.batch, row, "member", &member)
            }
            Change::Access { partner, token } => {
                let row = key(Table::Access, &[partner.as_str().as_bytes()]);
                put(self.batch, row, "access", &token)
            }
            Change::Vocabulary(vocabulary) => {
                self.rules_changed = true;
                put(self.batch, key(Table::Vocabulary, &[]), "vocabulary", &vocabulary)
            }
            Change::Agreement { agreement, document } => {
                self.rules_changed = true;
                self.batch
                    .put(key(Table::Agreement, &[agreement.id.as_str().as_bytes()]), document);
                Ok(())
            }
            Change::Signature(signature) => {
                self.rules_changed = true;
                let (id, party) = (signature.agreement.as_str(), signature.party.as_str());
                let parts = [id.as_bytes(), party.as_bytes(), &signature.digest.0];
                put(self.batch, key(Table::Signature, &parts), "signature", &signature)
            }
            Change::Order(order) => put(self.batch, order_key(&order)?, "order", &order),
            Change::DropOrder(order) => {
                self.batch.delete(order_key(&order)?);
                Ok(())
            }
            Change::Consent(consent) => {
                put(self.batch, consent_key(&consent)?, "consent", &consent)
            }
            Change::Hold(_)
            | Change::HoldEarlier(_)
            | Change::Delete { .. }
            | Change::Entomb(_)
            | Change::Flag(_)
            | Change::Hit { .. }
            | Change::Offer { .. }
            | Change::Retract { .. }
            | Change::Rejected { .. }
            | Change::DropHit { .. }
            | Change::Answered { .. }
            | Change::ReceiptGiven(_)
            | Change::ReceiptTaken(_)
            | Change::Place(..)
            | Change::Displace(..)
            | Change::DropVersion { .. }
            | Change::Status { .. }
            | Change::DropStatus { .. }
            | Change::Appraise { .. }
            | Change::RecallTaken(_) => self.apply(change),
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
        self.displace_all(custody)
    }

    fn offer(&mut self, offered: &Offered, released: &Released<Body>) -> Result<(), NodeError> {
        let recipient = released.recipient();
        let terms = &offered.terms;
        self.retract((&terms.record, &terms.originator), recipient, Some(&terms.purpose))?;
        self.next_instant()?;
        let listed = Listed {
            terms: offered.terms.clone(),
            grounds: offered.grounds.clone(),
            added_at: self.added_at,
        };
        let place = u64::from_be_bytes(tables::instant(self.added_at));
        put(
            self.batch,
            numbered_under(Table::Collection, recipient, place),
            "collection",
            &listed,
        )?;
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
        let rows = tables::prefix(Table::Collection, &[recipient.as_str().as_bytes()]);
        let (mut found, mut failure) = (Vec::new(), None);
        self.snapshot.scan(&rows, &mut |row, bytes| {
            match tables::parse::<Listed>(bytes, "collection") {
                Ok(listed) if fits(&listed.terms) => found.push(row.to_vec()),
                Ok(_) => {}
                Err(error) => failure = Some(error),
            }
            failure.is_none()
        })?;
        for row in found {
            self.batch.delete(row);
        }
        failure.map_or(Ok(()), Err)
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

    fn answered(
        &mut self,
        message: &model::ids::Digest,
        partner: &AgencyId,
    ) -> Result<(), NodeError> {
        let found = crate::outbox::find(self.snapshot, partner, |m| m.digest == *message)?;
        self.drop_row(found.map(|(row, _)| row));
        Ok(())
    }

    fn drop_row(&mut self, row: Option<Vec<u8>>) {
        if let Some(row) = row {
            self.batch.delete(row);
        }
    }
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

fn consent_key(consent: &Consent) -> Result<Vec<u8>, NodeError> {
    let bytes = serde_json::to_vec(consent).map_err(|e| NodeError::damaged("consent", e))?;
    let (from, to) = (consent.originator.as_str(), consent.recipient.as_str());
    let digest = crypto::hash::sha256(&bytes);
    Ok(key(Table::Consent, &[from.as_bytes(), to.as_bytes(), &digest.0]))
}
