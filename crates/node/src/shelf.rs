//! Collections that partners write: postings in, pages and status resources out.
//!
//! Two of the three kinds of collection are here: a partner's inbox and the communities of
//! multilateral agreements. What was released to a partner is read by [`crate::query::collection`].
//! Rights come from [`protocol::rights`], what is shown from [`protocol::sight`]: no rule is here.
//!
//! INVARIANT: `more`, counts and places come from rows that are shown; a row that the gate
//! withholds leaves no trace in a page (law 7).

mod envelope;

pub use crate::pages::{Page, Wanted};
pub use envelope::{Envelope, EnvelopeProblem};

use crate::Body;
use crate::access::Admitted;
use crate::error::NodeError;
use crate::facts::{Facts, Scoped};
use crate::handle::Node;
use crate::listing::Listing;
use crate::tables;
use crypto::entropy::{Entropy, random_array};
use model::event::Event;
use model::ids::{AgencyId, StatusId};
use model::posting::{Collection, PostStatus, Posted, Posting, Rights, StatusItem, Takedown};
use model::time::Timestamp;
use model::verified::Verified;
use protocol::Reply;
use store::Snapshot;
use wire::stix::{KnownMarkings, Marking, Markings, StixObject};

/// A collection as one partner sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Which.
    pub collection: Collection,
    /// Its UUID: the same on every day; that of an inbox or outbox is its partner's alone.
    pub id: String,
    /// Another name it answers to: `inbox`, `outbox`, or the agreement's identifier.
    pub alias: String,
    /// What the partner may do with it now.
    pub rights: Rights,
}

/// The collections a partner sees now, in the order of their identifiers.
///
/// # Errors
/// None today; the rights may come to need the store.
pub fn collections(
    facts: &Facts<'_>,
    partner: &AgencyId,
    now: Timestamp,
) -> Result<Vec<Described>, NodeError> {
    let own = facts.own;
    let mut all: Vec<Described> = protocol::collections(facts, partner, now)
        .into_iter()
        .map(|(collection, rights)| described(own, collection, rights))
        .collect();
    all.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(all)
}

/// The collection a partner means by an identifier or alias; nothing where it sees none.
///
/// # Errors
/// See [`collections`].
pub fn find(
    facts: &Facts<'_>,
    partner: &AgencyId,
    name: &str,
    now: Timestamp,
) -> Result<Option<Described>, NodeError> {
    let all = collections(facts, partner, now)?;
    Ok(all.into_iter().find(|one| one.id == name || one.alias == name))
}

fn described(own: &AgencyId, collection: Collection, rights: Rights) -> Described {
    let (key, alias) = match &collection {
        // WHY: the outbox keeps the identifier it had when it was the only collection.
        Collection::Outbox(partner) => (partner.to_string(), "outbox".to_owned()),
        Collection::Inbox(partner) => (format!("inbox/{partner}"), "inbox".to_owned()),
        Collection::Community(id) => (format!("community/{id}"), id.to_string()),
    };
    let id = wire::stix::convert::deterministic_id("collection", own.as_str(), &key);
    let id = id.trim_start_matches("collection--");
    // WHY: collections are listed in the order of their identifiers, and a client that looks at
    // the first alone shall find what was released to it. SOURCE: RFC 9562 section 5.8 (version 8).
    let late = |first: &str| {
        let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
        format!("{first}-{}-8{}-{}", part(9, 13), part(15, 18), part(19, 36))
    };
    let id = match &collection {
        Collection::Outbox(_) => id.to_owned(),
        Collection::Inbox(_) => late("fffffffe"),
        Collection::Community(_) => late("ffffffff"),
    };
    Described { collection, id, alias, rights }
}

/// Reads a page of a collection for a partner, each row through the gate. A collection the partner
/// may not read has nothing in it.
///
/// # Errors
/// See [`crate::pages::page`].
pub fn page(
    facts: &Facts<'_>,
    reader: &AgencyId,
    collection: &Collection,
    wanted: &Wanted,
    now: Timestamp,
) -> Result<Page, NodeError> {
    if !protocol::rights(facts, reader, collection, now).read {
        return Ok(Page { rows: Vec::new(), visited: None, more: false });
    }
    crate::pages::page(facts, reader, &Listing::of(collection), wanted, now)
}

/// The status resource of one of a partner's postings, while it is kept.
///
/// # Errors
/// The store failed or the row is damaged.
pub fn status(
    snapshot: &dyn Snapshot,
    partner: &AgencyId,
    id: &StatusId,
) -> Result<Option<PostStatus>, NodeError> {
    tables::read(snapshot, &tables::status_key(partner, id), "status")
}

impl Node {
    /// Posts an envelope to a collection in the name of an admitted client: one commit. Cost:
    /// O(objects). Reading the envelope needs no node; see [`Envelope::read`].
    ///
    /// # Errors
    /// A denial (`collection_unknown`, `not_writable`, `not_admitted`, `posting_too_large`), or the
    /// store failed; nothing is stored then.
    pub fn post(
        &mut self,
        client: &Admitted,
        (collection, envelope): (&Collection, Envelope),
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<PostStatus, NodeError> {
        let status = status_id(entropy)?;
        let (objects, unfit) = {
            let snapshot = self.snapshot()?;
            let facts = self.facts(&*snapshot);
            viewed(&facts, client.partner(), envelope, now)
        };
        let partner = client.partner().clone();
        let collection = collection.clone();
        let posting = Posting { collection, partner, status, objects, unfit };
        let event = Verified::vouch(Event::Post(Box::new(posting)), client.voucher(), now);
        let reply = self.handle(event, now, entropy)?.reply;
        if let Reply::Posted(status) = reply { Ok(*status) } else { Err(unexpected(&reply)) }
    }

    /// Takes back what a client's partner posted to a collection; the count of versions that went.
    /// The takedown must name the client's own partner.
    ///
    /// # Errors
    /// A denial (`collection_unknown`, `not_writable`, `not_admitted`, `object_unknown`), or the
    /// store failed; nothing is changed then.
    pub fn take_down(
        &mut self,
        client: &Admitted,
        takedown: Takedown,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<usize, NodeError> {
        let event = Verified::vouch(Event::TakeDown(takedown), client.voucher(), now);
        let reply = self.handle(event, now, entropy)?.reply;
        if let Reply::TakenDown(count) = reply { Ok(count) } else { Err(unexpected(&reply)) }
    }
}

fn unexpected(reply: &Reply) -> NodeError {
    NodeError::damaged("status", format!("a posting was answered with {reply:?}"))
}

/// A fresh random UUID (version 4).
fn status_id(entropy: &mut dyn Entropy) -> Result<StatusId, NodeError> {
    let mut bytes = random_array::<16>(entropy);
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut *bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let hex = crypto::hash::hex_encode(bytes.as_slice());
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    parts.join("-").parse().map_err(NodeError::seal)
}

/// The objects of an envelope as the rules see them, with the poster as originator.
fn viewed(
    facts: &Facts<'_>,
    partner: &AgencyId,
    envelope: Envelope,
    now: Timestamp,
) -> (Vec<Posted<Body>>, Vec<StatusItem>) {
    let mut beside = KnownMarkings::default();
    envelope.objects.iter().for_each(|body| beside.learn(body));
    let markings = Together { beside, stored: Scoped { facts, reader: partner } };
    let (mut objects, mut unfit) = (Vec::with_capacity(envelope.objects.len()), envelope.unfit);
    for item in &mut unfit {
        if item.version.is_empty() {
            item.version = now.to_string();
        }
    }
    for body in envelope.objects {
        match wire::stix::view(&body, partner, &markings) {
            Ok(record) => objects.push(Posted {
                record,
                stated: body.version_text().map(str::to_owned),
                spec: crate::pages::spec_name(body.spec()).to_owned(),
                content: crate::content_digest(&body),
                body,
            }),
            Err(problem) => unfit.push(unviewed(&body, &problem.to_string(), now)),
        }
    }
    (objects, unfit)
}

fn unviewed(body: &StixObject, problem: &str, now: Timestamp) -> StatusItem {
    StatusItem {
        id: body.id().to_string(),
        version: body.version_text().map_or_else(|| now.to_string(), str::to_owned),
        message: Some(format!("{problem}; help: split the object")),
    }
}

/// Definitions in the envelope beside those held; two that differ mean nothing.
struct Together<'f, 'a> {
    beside: KnownMarkings,
    stored: Scoped<'f, 'a>,
}

impl Markings for Together<'_, '_> {
    fn definition(&self, id: &str) -> Option<Marking> {
        match (self.beside.definition(id), self.stored.definition(id)) {
            (Some(one), Some(other)) => Some(one).filter(|one| *one == other),
            (one, other) => one.or(other),
        }
    }
}
