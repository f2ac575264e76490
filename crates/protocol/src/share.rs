//! Offering records: the policy decides, each release gets its entry, one shipment a recipient.
//!
//! Pure. A record that points to one the recipient may not know of loses the pointer (a withheld
//! record is not betrayed by its neighbours).

use crate::change::CollectionChange;
use crate::denial::Denial;
use crate::effects::{Effects, Offered, Outgoing, Reply, Shared};
use crate::facts::{Facts, Held};
use crate::ingest::PORTION_MAX;
use crate::notice;
use model::custody::Deletion;
use model::decision::{Decision, Outcome, Reason};
use model::entry::{Draft, EntryKind};
use model::event::Event;
use model::ids::{AgencyId, AgreementId, Digest, RecordId};
use model::release::{RecallNotice, Terms};
use model::request::{Ask, Grounds, StandingOrder};
use model::time::Timestamp;
use policy::release::{Content, Refusal, Released};
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

/// LIMIT: bytes of terms and contents in one shipment. WHY: sealed and in base64 it is a third
/// larger, and must fit a value of the store (16 MiB) and a partner's door (32 MiB).
pub const SHIPMENT_BYTES_MAX: usize = 11 * 1024 * 1024;

/// Bytes of the two lengths before terms and content.
const LENGTHS_BYTES: usize = 8;

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

/// As [`offer`], for what the caller read from these facts, such as one version of a record.
///
/// # Errors
/// See [`offer`].
pub fn offer_held<F: Facts>(
    facts: &F,
    held: &Held<F::Body>,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Offer<F::Body>, Denial> {
    decide(facts, held, order, now)
}

/// The question for one record, with the consents stored here.
///
/// # Errors
/// [`Denial`] when the facts cannot be read.
pub fn ask<F: Facts>(
    facts: &F,
    originator: &AgencyId,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Ask, Denial> {
    let mut grounds = order.grounds.clone();
    // INVARIANT: only consents stored here count; nobody writes one into an order.
    grounds.consents.clear();
    if originator != facts.own_agency() {
        grounds.consents.extend(facts.consents(originator, &order.recipient)?);
    }
    Ok(Ask {
        holder: facts.own_agency().clone(),
        recipient: order.recipient.clone(),
        purpose: order.purpose.clone(),
        grounds,
        now,
    })
}

/// As [`ask`], with what the originator permitted by posting this very version to a community.
pub(crate) fn ask_for<F: Facts>(
    facts: &F,
    held: &Held<F::Body>,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Ask, Denial> {
    let mut question = ask(facts, &held.custody.originator, order, now)?;
    let consents = crate::shelf::consents(facts, held, &order.recipient, now)?;
    question.grounds.consents.extend(consents);
    Ok(question)
}

fn decide<F: Facts>(
    facts: &F,
    held: &Held<F::Body>,
    order: &StandingOrder,
    now: Timestamp,
) -> Result<Offer<F::Body>, Denial> {
    let rules = facts.rules()?;
    let question = ask_for(facts, held, order, now)?;
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
        let question = ask_for(facts, &target, order, now)?;
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

/// How releases travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Sealed, over the link; what went before on the same terms does not go again.
    Link,
    /// In a file that an officer carries; nobody acknowledges it, so that all of it goes again.
    File,
}

/// Offers records under one order.
pub(crate) fn share<F: Facts>(
    facts: &F,
    records: &[RecordId],
    (order, way): (&StandingOrder, Way),
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
    let mut round = Round::new(order, way, now);
    for (at, record) in records.iter().enumerate() {
        match facts.held(record)? {
            Some(held) => round.one(facts, &held)?,
            None => round.unknown(record),
        }
        if round.full && way == Way::File {
            // WHY: whoever writes the file asks for the rest when it has room for it.
            break;
        }
        if round.full {
            // WHY: what does not fit goes in the next commit, with its own shipment.
            let rest = records.get(at..).unwrap_or_default();
            round.effects.then = in_portions(rest, order);
            break;
        }
    }
    round.finish(facts)
}

/// One pass over records for one recipient.
struct Round<'a, B> {
    order: &'a StandingOrder,
    way: Way,
    now: Timestamp,
    effects: Effects<B>,
    shared: Vec<Shared>,
    releases: Vec<(Terms, Released<B>)>,
    size_bytes: usize,
    /// Whether the record at hand must wait for the next shipment.
    full: bool,
    notices: notice::Notices,
}

impl<'a, B: Clone + Content> Round<'a, B> {
    fn new(order: &'a StandingOrder, way: Way, now: Timestamp) -> Self {
        let (shared, releases, notices) = (Vec::new(), Vec::new(), notice::Notices::new());
        let effects = Effects::default();
        Self { order, way, now, effects, shared, releases, size_bytes: 0, full: false, notices }
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
            Offer::Release(release) => self.release(facts, held, *release, &before)?,
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

    /// Takes a release into this shipment, leaves it for the next, or says that none can hold it.
    fn release<F: Facts<Body = B>>(
        &mut self,
        facts: &F,
        held: &Held<B>,
        (terms, released): (Terms, Released<B>),
        before: &[Offered],
    ) -> Result<(), Denial> {
        let decision = released.decision();
        let offered = Offered {
            terms: terms.clone(),
            content: held.custody.content,
            withheld: decision.redacted_fields.clone(),
            grounds: own_grounds(self.order),
            // WHY: a file may be lost on its way; the next offer by the link is made anew.
            rejected: self.way == Way::File,
        };
        let repeated = before.iter().any(|b| same_offer(b, &offered));
        let goes = !repeated || self.way == Way::File;
        if goes {
            let size_bytes = size_bytes(&terms, &released)?;
            match room(self.size_bytes, size_bytes) {
                Room::Here => self.size_bytes = self.size_bytes.saturating_add(size_bytes),
                Room::Next => {
                    self.full = true;
                    return Ok(());
                }
                Room::Nowhere => {
                    self.hindered(&terms.record, decision, size_bytes);
                    return Ok(());
                }
            }
        }
        self.note(&terms.record, (decision.outcome, decision.reason), repeated, Some(decision));
        if !repeated {
            notice::owe(facts, self.order, &terms, &mut self.notices)?;
        }
        if goes {
            self.take((offered, released), repeated);
        }
        Ok(())
    }

    /// The rules let it go and the link does not: said, logged, and nothing else.
    fn hindered(&mut self, record: &RecordId, decision: &Decision, size_bytes: usize) {
        let hindrance = format!(
            "too large to send: {size_bytes} bytes with its terms, a shipment holds \
             {SHIPMENT_BYTES_MAX}; split the record or leave large parts out"
        );
        self.note(record, (Outcome::Refuse, decision.reason), false, Some(decision));
        if let Some(shared) = self.shared.last_mut() {
            shared.hindrance = Some(hindrance);
        }
        self.refusal_entry(record, "too large for a shipment");
    }

    fn take(&mut self, (offered, released): (Offered, Released<B>), repeated: bool) {
        let (terms, decision) = (offered.terms.clone(), released.decision());
        let withheld: Vec<&str> = decision.redacted_fields.iter().map(String::as_str).collect();
        let mut entry = Draft::new(EntryKind::Release, 1)
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
        if self.way == Way::File {
            entry = entry.seal("way", "file");
        }
        self.effects.entries.push(entry);
        if !repeated {
            self.effects.change(CollectionChange::Offer {
                offered: Box::new(offered),
                released: Box::new(released.clone()),
            });
        }
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
        self.effects.change(CollectionChange::Retract {
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
            hindrance: None,
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
        if self.way == Way::File {
            self.effects.outgoing.push(Outgoing::File(std::mem::take(&mut self.releases)));
        }
        if !self.releases.is_empty() {
            let order = StandingOrder { grounds: own_grounds(self.order), ..self.order.clone() };
            self.effects.outgoing.push(Outgoing::Shipment {
                recipient: self.order.recipient.clone(),
                order,
                agreements: digests(facts, &self.releases)?,
                releases: self.releases,
            });
        }
        let when = (self.order, self.now);
        notice::tell(facts, when, self.notices, &mut self.effects)?;
        self.effects.reply = Reply::Shared(self.shared);
        Ok(self.effects)
    }
}

/// The grounds an officer can state: a consent is the originator's to give.
fn own_grounds(order: &StandingOrder) -> Grounds {
    Grounds { consents: Vec::new(), ..order.grounds.clone() }
}

/// Where a release goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Here,
    Next,
    Nowhere,
}

fn room(used_bytes: usize, size_bytes: usize) -> Room {
    if size_bytes > SHIPMENT_BYTES_MAX {
        Room::Nowhere
    } else if used_bytes.saturating_add(size_bytes) > SHIPMENT_BYTES_MAX {
        Room::Next
    } else {
        Room::Here
    }
}

/// Bytes of a release inside the seal: terms and content, each with its length.
fn size_bytes<B: Content>(terms: &Terms, released: &Released<B>) -> Result<usize, Denial> {
    let terms = serde_json::to_vec(terms).map_err(|error| {
        Denial::node("terms_unwritable", error.to_string(), "report this as a fault")
    })?;
    let content = released.content().map_or(0, Content::size_bytes);
    Ok(terms.len().saturating_add(content).saturating_add(LENGTHS_BYTES))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_goes_here_or_with_the_next_shipment_or_nowhere() {
        assert_eq!(room(0, SHIPMENT_BYTES_MAX), Room::Here);
        assert_eq!(room(1, SHIPMENT_BYTES_MAX), Room::Next);
        assert_eq!(room(SHIPMENT_BYTES_MAX, 1), Room::Next);
        assert_eq!(room(SHIPMENT_BYTES_MAX - 1, 1), Room::Here);
        assert_eq!(room(0, SHIPMENT_BYTES_MAX + 1), Room::Nowhere);
    }
}
