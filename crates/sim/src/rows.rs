//! What one durable commit wrote, read back from its rows.

use crypto::body::open_body;
use crypto::hash::base64_decode;
use crypto::seal::{RecipientSecret, unwrap_key};
use model::custody::{Custody, Tombstone};
use model::entry::Entry;
use model::ids::{AgencyId, Digest, RecordId};
use model::release::{Manifest, RecallReceipt, Receipt, ReleaseNotice, Terms};
use node::log::Openings;
use node::outbox::{Outline, Subject, Waiting};
use node::peer::Message;
use node::tables::{Table, parse, unpack};
use protocol::Offered;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use store::{Batch, Operation};

/// A log entry with what stands behind its commitments.
pub(crate) struct Logged {
    pub(crate) entry: Entry,
    pub(crate) sealed: BTreeMap<String, String>,
}

/// A shipment queued for a partner.
pub(crate) struct Queued {
    pub(crate) waiting: Waiting,
    pub(crate) manifest: Manifest,
    pub(crate) body: String,
}

/// A release as it is inside the seal: terms and content.
pub(crate) type Sealed = (Terms, Vec<u8>);

impl Queued {
    /// What is inside the seal, by the recipient's own secret.
    pub(crate) fn opened(&self, secret: &RecipientSecret) -> Result<Vec<Sealed>, String> {
        let items = &self.manifest.items;
        let wrapped = base64_decode(&self.manifest.wrapped_key).map_err(|e| e.to_string())?;
        let sealed = base64_decode(&self.body).map_err(|e| e.to_string())?;
        let key = unwrap_key(secret, items, &wrapped).map_err(|e| e.to_string())?;
        let plain = open_body(&key, &items.0, &sealed).map_err(|e| e.to_string())?;
        unframe(&plain).ok_or_else(|| "the sealed content ends early".to_owned())
    }
}

/// Terms and content of each release, length-prefixed.
fn unframe(mut rest: &[u8]) -> Option<Vec<Sealed>> {
    let mut out = Vec::new();
    while !rest.is_empty() {
        let (terms, after) = part(rest)?;
        let (content, after) = part(after)?;
        out.push((serde_json::from_slice(terms).ok()?, content.to_vec()));
        rest = after;
    }
    Some(out)
}

fn part(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (size, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*size)).ok()?)
}

/// The rows the checkers look at.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) offers: Vec<(AgencyId, Offered)>,
    pub(crate) logged: Vec<Logged>,
    pub(crate) shipments: Vec<Queued>,
    pub(crate) holdings: Vec<(Custody, Vec<u8>)>,
    pub(crate) gone: Vec<(RecordId, AgencyId)>,
    pub(crate) hits: Vec<(AgencyId, Terms)>,
    pub(crate) stones: Vec<Tombstone>,
    pub(crate) receipts: Vec<Receipt>,
    /// Notices sealed into the outbox.
    pub(crate) told: Vec<ReleaseNotice>,
    /// Notices noted as owed.
    pub(crate) owed: Vec<ReleaseNotice>,
    /// Notices no longer owed, by key.
    pub(crate) paid: Vec<Vec<u8>>,
    /// Messages put into the outbox.
    pub(crate) queued: BTreeSet<Digest>,
    /// Messages answered: by a receipt or a recall receipt kept.
    pub(crate) answered: BTreeSet<Digest>,
    /// Messages set aside as undelivered.
    pub(crate) aside: BTreeSet<Digest>,
    /// Rows of the outbox and of what was given up that went, by key.
    pub(crate) left: Vec<Vec<u8>>,
    /// Follow-ups queued.
    pub(crate) follow_ups: usize,
    pub(crate) unreadable: Vec<String>,
}

impl Rows {
    /// Reads a batch; what cannot be read is named.
    pub(crate) fn of(batch: &Batch) -> Self {
        let mut rows = Self::default();
        let (mut entries, mut openings) = (BTreeMap::new(), BTreeMap::<_, Openings>::new());
        for (key, operation) in batch.operations() {
            let Some((letter, rest)) = key.split_first() else { continue };
            match operation {
                Operation::Delete => rows.deleted(*letter, key, rest),
                Operation::Put(value) if *letter == Table::Entry as u8 => {
                    let found = rows.parsed::<Entry>("entry", value);
                    entries.extend(found.map(|entry| (rest.to_vec(), entry)));
                }
                Operation::Put(value) if *letter == Table::Salt as u8 => {
                    let found = rows.parsed("salt", value);
                    openings.extend(found.map(|sealed| (rest.to_vec(), sealed)));
                }
                Operation::Put(value) => rows.put(*letter, rest, value),
            }
        }
        for (at, entry) in entries {
            let sealed = openings.remove(&at).unwrap_or_default();
            let sealed = sealed.into_iter().map(|(field, o)| (field, o.value)).collect();
            rows.logged.push(Logged { entry, sealed });
        }
        rows
    }

    fn parsed<T: DeserializeOwned>(&mut self, table: &'static str, value: &[u8]) -> Option<T> {
        match parse(value, table) {
            Ok(value) => Some(value),
            Err(error) => {
                self.unreadable.push(error.to_string());
                None
            }
        }
    }

    fn put(&mut self, letter: u8, rest: &[u8], value: &[u8]) {
        let is = |table: Table| letter == table as u8;
        if letter == Table::Queue as u8 {
            self.follow_ups = self.follow_ups.saturating_add(1);
        } else if is(Table::NoticeOwed) {
            let found = self.parsed("notice", value);
            self.owed.extend(found);
        } else if is(Table::Undelivered) {
            let found = self.parsed::<Outline>("undelivered", value);
            self.aside.extend(found.map(|outline| outline.digest));
        } else if is(Table::RecallTaken) {
            let found = self.parsed::<RecallReceipt>("recall receipt", value);
            self.answered.extend(found.map(|receipt| receipt.notice));
        } else if is(Table::Offered) {
            // WHY: a row that only notes a rejection is no new offer.
            let found = self.parsed::<Offered>("offer", value).filter(|o| !o.rejected);
            let to = rest.split(|byte| *byte == 0).nth(2).and_then(id);
            self.offers.extend(to.zip(found));
        } else if is(Table::Outbox) {
            let found = self.parsed::<Waiting>("outbox", value);
            self.queued.extend(found.iter().map(|waiting| waiting.digest));
            self.told.extend(found.iter().filter_map(notice));
            self.shipments.extend(found.and_then(shipment));
        } else if is(Table::Holding) {
            match unpack(value) {
                Ok((custody, content)) => self.holdings.push((custody, content.to_vec())),
                Err(error) => self.unreadable.push(error.to_string()),
            }
        } else if is(Table::Hit) {
            let found = self.parsed::<Terms>("hit", value);
            self.hits.extend(first(rest).zip(found));
        } else if is(Table::Tombstone) {
            let found = self.parsed("tombstone", value);
            self.stones.extend(found);
        } else if is(Table::ReceiptTaken) {
            let found = self.parsed::<Receipt>("receipt", value);
            self.answered.extend(found.iter().map(|receipt| receipt.manifest));
            self.receipts.extend(found);
        }
    }

    fn deleted(&mut self, letter: u8, key: &[u8], rest: &[u8]) {
        let is = |table: Table| letter == table as u8;
        if is(Table::Holding) {
            self.gone(rest);
        } else if is(Table::Outbox) || is(Table::Undelivered) {
            self.left.push(key.to_vec());
        } else if is(Table::NoticeOwed) {
            self.paid.push(key.to_vec());
        }
    }

    fn gone(&mut self, rest: &[u8]) {
        let mut parts = rest.split(|byte| *byte == 0);
        let (id_part, by) = (parts.next(), parts.next());
        let id = id_part.and_then(|p| std::str::from_utf8(p).ok()?.parse().ok());
        self.gone.extend(id.zip(by.and_then(self::id)));
    }
}

fn id(part: &[u8]) -> Option<AgencyId> {
    std::str::from_utf8(part).ok()?.parse().ok()
}

fn first(rest: &[u8]) -> Option<AgencyId> {
    rest.split(|byte| *byte == 0).next().and_then(id)
}

fn shipment(waiting: Waiting) -> Option<Queued> {
    match (&waiting.message, &waiting.subject) {
        (Message::Shipment(envelope), Subject::Shipment { .. }) => {
            let (manifest, body) = (manifest(&envelope.manifest)?, envelope.body.clone());
            Some(Queued { waiting, manifest, body })
        }
        (
            Message::Shipment(_) | Message::Note(_),
            Subject::Shipment { .. }
            | Subject::Recall { .. }
            | Subject::Consent
            | Subject::Notice { .. },
        ) => None,
    }
}

/// The notice inside a waiting message: the second line of the document.
fn notice(waiting: &Waiting) -> Option<ReleaseNotice> {
    match (&waiting.message, &waiting.subject) {
        (Message::Note(text), Subject::Notice { .. }) => {
            serde_json::from_str(text.lines().nth(1)?).ok()
        }
        (Message::Note(_) | Message::Shipment(_), _) => None,
    }
}

/// The manifest's body: the second line of the document.
fn manifest(text: &str) -> Option<Manifest> {
    serde_json::from_str(text.lines().nth(1)?).ok()
}
