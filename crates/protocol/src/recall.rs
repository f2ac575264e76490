//! Recall: an originator takes a record back, and every holder down the line follows. Pure.

use crate::change::{CollectionChange, DeliveryChange, RecordChange};
use crate::denial::Denial;
use crate::effects::{Effects, Outgoing, Reply};
use crate::facts::Facts;
use model::agreement::Derived;
use model::custody::{Custody, Deletion, Tombstone};
use model::entry::{Draft, EntryKind};
use model::ids::{AgencyId, Digest, RecordId};
use model::release::{RecallNotice, RecallReceipt};
use model::time::Timestamp;
use std::collections::BTreeSet;

/// When a recipient must have acted and what happens to products, under what was offered to it.
pub(crate) fn terms<F: Facts>(
    facts: &F,
    (record, originator): (&RecordId, &AgencyId),
    recipient: &AgencyId,
    now: Timestamp,
) -> Result<(Option<Timestamp>, Derived), Denial> {
    let (mut by, mut derived) = (None, Derived::Flag);
    let offers = facts.offered(record, originator, recipient)?;
    for article in offers.iter().flat_map(|offered| &offered.terms.basis) {
        let Some(agreement) = facts.agreement(&article.agreement)? else { continue };
        let Some(recall) = agreement.recall else { continue };
        let due = now.plus(&recall.complete).map_err(|error| {
            Denial::officer("calendar", error.to_string(), "correct the recall terms")
        })?;
        by = Some(by.map_or(due, |earlier: Timestamp| earlier.min(due)));
        // WHY: purge is the stricter of the two, and Purge sorts first.
        derived = derived.min(recall.derived);
    }
    Ok((by, derived))
}

/// An officer takes a record of this node back from everyone it went to.
pub(crate) fn recall<F: Facts>(
    facts: &F,
    record: &RecordId,
    reason: &str,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let own = facts.own_agency();
    if facts.custody(record, own)?.is_none() {
        return Err(Denial::officer(
            "not_ours",
            format!("`{record}` is not a record of `{own}`"),
            "only the originator recalls; ask the originator",
        ));
    }
    if facts.tombstone(record, own)?.is_some_and(|t| t.cause == Deletion::Recalled) {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    let mut effects = notices(facts, (record, own), (reason, Deletion::Recalled), now, None)?;
    let told = told(&effects);
    effects.change(RecordChange::Entomb(tombstone(record, own, now)));
    let entry = Draft::new(EntryKind::Recall, u64::try_from(told.len()).unwrap_or(0))
        .seal("record", record)
        .seal("reason", reason);
    effects.entries.push(entry);
    effects.reply = Reply::Recalling(told);
    Ok(effects)
}

/// One notice to each recipient, and its copy leaves the partner's collection.
pub(crate) fn notices<F: Facts>(
    facts: &F,
    (record, originator): (&RecordId, &AgencyId),
    (reason, cause): (&str, Deletion),
    now: Timestamp,
    except: Option<&AgencyId>,
) -> Result<Effects<F::Body>, Denial> {
    let mut effects = Effects::default();
    // WHY: what was withdrawn may still be on its way, or with those it was passed on to; a recall
    // for good goes wherever the record ever went.
    let recipients = match cause {
        Deletion::Recalled => facts.ever(record, originator)?,
        Deletion::Withdrawn | Deletion::Expired => facts.recipients(record, originator)?,
    };
    for recipient in recipients {
        if Some(&recipient) == except {
            continue;
        }
        let (complete_by, derived) = terms(facts, (record, originator), &recipient, now)?;
        effects.change(CollectionChange::Retract {
            record: record.clone(),
            originator: originator.clone(),
            recipient: recipient.clone(),
            purpose: None,
        });
        effects.outgoing.push(Outgoing::Recall(RecallNotice {
            record: record.clone(),
            originator: originator.clone(),
            giver: facts.own_agency().clone(),
            recipient,
            cause,
            reason: reason.to_owned(),
            at: now,
            complete_by,
            derived,
        }));
    }
    Ok(effects)
}

fn told<B>(effects: &Effects<B>) -> BTreeSet<AgencyId> {
    effects
        .outgoing
        .iter()
        .filter_map(|message| match message {
            Outgoing::Recall(notice) => Some(notice.recipient.clone()),
            Outgoing::Shipment { .. }
            | Outgoing::File(_)
            | Outgoing::Consent { .. }
            | Outgoing::Notice(_) => None,
        })
        .collect()
}

fn tombstone(record: &RecordId, originator: &AgencyId, at: Timestamp) -> Tombstone {
    let cause = Deletion::Recalled;
    Tombstone { id: record.clone(), originator: originator.clone(), cause, at, giver: None }
}

/// A notice with the digest of its signed document.
#[derive(Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) notice: &'a RecallNotice,
    pub(crate) document: Digest,
}

/// A partner takes back what it gave: delete, leave a tombstone, tell those further on, confirm.
pub(crate) fn recalled<F: Facts>(
    facts: &F,
    signed: Signed<'_>,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let notice = signed.notice;
    if notice.recipient != *facts.own_agency() {
        return Err(Denial::partner(
            "not_for_us",
            format!("the recall is for `{}`", notice.recipient),
            "send it to its recipient",
        ));
    }
    // WHY: nobody takes a record back from its originator; the sender is answered and can rest.
    if notice.originator == *facts.own_agency() {
        return Ok(Effects::reply(Reply::RecallReceipt(receipt(facts, signed, now))));
    }
    let held = facts.custody(&notice.record, &notice.originator)?;
    if settled(facts, notice)? {
        return Ok(Effects::reply(Reply::RecallReceipt(receipt(facts, signed, now))));
    }
    // WHY: what others gave us too is not the giver's to take. It gets its answer all the same,
    // and what it sealed before this notice is not taken any more.
    if held.as_ref().is_some_and(|custody| !may_recall(custody, notice)) {
        let stone = Tombstone { cause: Deletion::Withdrawn, ..stone(notice) };
        let entry = Draft::new(EntryKind::Recalled, 1)
            .with(&notice.giver)
            .seal("record", &notice.record)
            .seal("deleted", false);
        let mut effects = Effects::one(RecordChange::Entomb(stone), entry);
        effects.reply = Reply::RecallReceipt(receipt(facts, signed, now));
        return Ok(effects);
    }
    honour(facts, signed, held, now)
}

/// Whether an earlier notice already says as much: an exact repetition only repeats the answer.
fn settled<F: Facts>(facts: &F, notice: &RecallNotice) -> Result<bool, Denial> {
    let RecallNotice { record, originator, giver, .. } = notice;
    let stone = facts.tombstone(record, originator)?;
    if stone.is_some_and(|stone| stone.cause == Deletion::Recalled) {
        return Ok(facts.custody(record, originator)?.is_none());
    }
    let withdrawn = facts.withdrawn(record, originator, giver)?;
    let later = withdrawn.is_some_and(|stone| stone.at >= notice.at);
    Ok(notice.cause == Deletion::Withdrawn && later)
}

/// What stays of a record its giver took back.
fn stone(notice: &RecallNotice) -> Tombstone {
    Tombstone {
        id: notice.record.clone(),
        originator: notice.originator.clone(),
        cause: notice.cause,
        at: notice.at,
        giver: Some(notice.giver.clone()),
    }
}

fn may_recall(custody: &Custody, notice: &RecallNotice) -> bool {
    notice.giver == notice.originator
        || matches!(&custody.source,
            model::custody::Source::Release { giver, .. } if *giver == notice.giver)
}

fn honour<F: Facts>(
    facts: &F,
    signed: Signed<'_>,
    held: Option<Custody>,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let notice = signed.notice;
    let pair = (&notice.record, &notice.originator);
    let mut effects =
        notices(facts, pair, (&notice.reason, notice.cause), now, Some(&notice.giver))?;
    let mut answer = receipt(facts, signed, now);
    answer.passed_to = told(&effects);
    let stone = stone(notice);
    effects.change(RecordChange::DropHit {
        giver: notice.giver.clone(),
        record: notice.record.clone(),
    });
    match held {
        Some(custody) => {
            answer.deleted = Some(notice.cause);
            derive(facts, notice, &mut effects, &mut answer.derived, now)?;
            effects.change(RecordChange::Delete { custody: Box::new(custody), tombstone: stone });
        }
        // INVARIANT: a recall that overtakes its shipment still stops it.
        None => effects.change(RecordChange::Entomb(stone)),
    }
    let entry = Draft::new(EntryKind::Recalled, 1)
        .with(&notice.giver)
        .seal("record", &notice.record)
        .seal("deleted", answer.deleted.is_some());
    effects.entries.push(entry);
    effects.reply = Reply::RecallReceipt(answer);
    Ok(effects)
}

/// LIMIT: products followed from one recall.
const PRODUCTS_MAX: usize = 10_000;

/// Products of our own that rest on the record, and products of those: purged, and recalled where
/// they went, or flagged, as the agreement says.
pub(crate) fn derive<F: Facts>(
    facts: &F,
    notice: &RecallNotice,
    effects: &mut Effects<F::Body>,
    named: &mut BTreeSet<RecordId>,
    now: Timestamp,
) -> Result<(), Denial> {
    let mut next = vec![notice.record.clone()];
    while let Some(record) = next.pop() {
        for mut custody in facts.referrers(&record)? {
            if named.len() >= PRODUCTS_MAX || !named.insert(custody.id.clone()) {
                continue;
            }
            let own = custody.originator == *facts.own_agency();
            if own && notice.derived == Derived::Purge {
                let pair = (&custody.id, &custody.originator);
                let onward = notices(facts, pair, (&notice.reason, Deletion::Recalled), now, None)?;
                effects.changes.extend(onward.changes);
                effects.outgoing.extend(onward.outgoing);
                let stone = tombstone(&custody.id, &custody.originator, now);
                next.push(custody.id.clone());
                effects
                    .change(RecordChange::Delete { custody: Box::new(custody), tombstone: stone });
            } else {
                custody.flagged = true;
                effects.change(RecordChange::Flag(Box::new(custody)));
            }
        }
    }
    Ok(())
}

fn receipt<F: Facts>(facts: &F, signed: Signed<'_>, now: Timestamp) -> RecallReceipt {
    let notice = signed.notice;
    RecallReceipt {
        notice: signed.document,
        record: notice.record.clone(),
        originator: notice.originator.clone(),
        holder: facts.own_agency().clone(),
        giver: notice.giver.clone(),
        at: now,
        deleted: None,
        derived: BTreeSet::new(),
        passed_to: BTreeSet::new(),
    }
}

/// A partner confirms a recall of ours.
pub(crate) fn done<F: Facts>(
    facts: &F,
    receipt: RecallReceipt,
) -> Result<Effects<F::Body>, Denial> {
    if receipt.giver != *facts.own_agency() {
        return Err(Denial::partner(
            "not_ours",
            format!("the confirmation is for `{}`", receipt.giver),
            "send it to the node that recalled",
        ));
    }
    if !facts.awaits(&receipt.notice, &receipt.holder)? {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    let entry = Draft::new(EntryKind::RecallReceipt, 1)
        .with(&receipt.holder)
        .seal("record", &receipt.record)
        .seal("deleted", receipt.deleted.is_some());
    Ok(Effects::one(DeliveryChange::RecallTaken(receipt), entry))
}
