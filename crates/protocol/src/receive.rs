//! A partner's shipment arrives, or its receipt for ours. Pure.

use crate::change::{CollectionChange, DeliveryChange, RecordChange};
use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use model::custody::{Custody, Deletion, Holding, Source, version_order};
use model::decision::Outcome;
use model::entry::{Draft, EntryKind};
use model::event::Shipment;
use model::ids::{AgencyId, AgreementId, Digest};
use model::release::{Receipt, Reception, Terms};
use model::time::Timestamp;
use std::collections::BTreeMap;

/// LIMIT: releases in one shipment.
pub const RELEASES_MAX: usize = 1_000;

/// Stores what may be stored, on the giver's terms; a repetition gets the same receipt.
pub(crate) fn receive<F: Facts>(
    facts: &F,
    shipment: Shipment<F::Body>,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    if let Some(receipt) = facts.receipt_given(&shipment.manifest)? {
        return Ok(Effects::reply(Reply::Receipt(receipt)));
    }
    if shipment.releases.len() > RELEASES_MAX {
        return Err(Denial::partner(
            "shipment_too_large",
            format!("{} releases in one shipment", shipment.releases.len()),
            "send at most 1000 releases in a shipment",
        ));
    }
    let mut effects = Effects::default();
    let mut records = BTreeMap::new();
    let (giver, manifest) = (shipment.giver, shipment.manifest);
    for (terms, body) in shipment.releases {
        let word = Word {
            giver: &giver,
            sealed_at: shipment.sealed_at,
            agreements: &shipment.agreements,
            now,
        };
        let reception = match objection(facts, &word, &terms)? {
            Some(reason) => Reception::Rejected { reason },
            None => {
                take(facts, &mut effects, Origin { giver: &giver, manifest, now }, &terms, body)?
            }
        };
        records.insert(terms.record.clone(), reception);
    }
    let receipt =
        Receipt { manifest, giver, recipient: facts.own_agency().clone(), at: now, records };
    let stored = receipt.records.values().filter(|r| **r == Reception::Stored).count();
    let entry = Draft::new(EntryKind::Arrival, u64::try_from(receipt.records.len()).unwrap_or(0))
        .with(&receipt.giver)
        .under(shipment.agreements.keys())
        .seal("manifest", manifest)
        .seal("stored", stored);
    effects.entries.push(entry);
    effects.change(DeliveryChange::ReceiptGiven(receipt.clone()));
    effects.reply = Reply::Receipt(receipt);
    Ok(effects)
}

/// What the giver says of a shipment as a whole.
struct Word<'a> {
    giver: &'a AgencyId,
    sealed_at: Timestamp,
    agreements: &'a BTreeMap<AgreementId, Digest>,
    now: Timestamp,
}

/// Why a release is not taken: terms that this node cannot stand behind.
fn objection<F: Facts>(
    facts: &F,
    word: &Word<'_>,
    terms: &Terms,
) -> Result<Option<String>, Denial> {
    let Word { giver, sealed_at, agreements, now } = *word;
    if terms.originator == *facts.own_agency() {
        return Ok(Some("it is this node's own record".to_owned()));
    }
    if let Some(stone) = facts.tombstone(&terms.record, &terms.originator)?
        && stone.cause == Deletion::Recalled
    {
        return Ok(Some(format!("it was taken back at {}", stone.at)));
    }
    // WHY: both instants are the giver's, so its clock orders them whatever ours says.
    if let Some(stone) = facts.withdrawn(&terms.record, &terms.originator, giver)?
        && sealed_at <= stone.at
    {
        return Ok(Some(format!("it was withdrawn at {}", stone.at)));
    }
    if terms.retention_until.is_some_and(|until| until <= now) {
        return Ok(Some("its retention has ended".to_owned()));
    }
    if terms.basis.is_empty() {
        return Ok(Some("it names no article".to_owned()));
    }
    for article in &terms.basis {
        let Some(agreement) = facts.agreement(&article.agreement)? else {
            return Ok(Some(format!("agreement `{}` is not adopted here", article.agreement)));
        };
        if agreements.get(&article.agreement) != Some(&agreement.digest) {
            return Ok(Some(format!("another document of `{}` is adopted here", agreement.id)));
        }
        if agreement.article(&article.article).is_none() {
            return Ok(Some(format!("`{}` has no article {}", agreement.id, article.article)));
        }
        let lists = |agency: &AgencyId| agreement.party_of(agency).is_some();
        if !agreement.in_force(now) || !lists(giver) || !lists(facts.own_agency()) {
            return Ok(Some(format!("`{}` is not in force between us", agreement.id)));
        }
    }
    Ok(None)
}

/// The shipment a release came with.
#[derive(Clone, Copy)]
struct Origin<'a> {
    giver: &'a AgencyId,
    manifest: Digest,
    now: Timestamp,
}

fn take<F: Facts>(
    facts: &F,
    effects: &mut Effects<F::Body>,
    origin: Origin<'_>,
    terms: &Terms,
    body: Option<(F::Body, Digest)>,
) -> Result<Reception, Denial> {
    let Some((body, content)) = body else {
        return Ok(if terms.outcome == Outcome::HitOnly {
            effects.change(RecordChange::Hit {
                giver: origin.giver.clone(),
                terms: Box::new(terms.clone()),
            });
            Reception::Stored
        } else {
            Reception::Rejected { reason: "the content is missing".to_owned() }
        });
    };
    let fresh = custody(origin, terms, content);
    let held = facts.custody(&terms.record, &terms.originator)?;
    let custody = match held {
        Some(held) if version_order(&held.version, &fresh.version).is_gt() => {
            return Ok(Reception::Unchanged);
        }
        Some(held) => merged(held, fresh),
        None => fresh,
    };
    effects.change(RecordChange::Hold(Box::new(Holding { custody, body })));
    Ok(Reception::Stored)
}

fn custody(origin: Origin<'_>, terms: &Terms, content: Digest) -> Custody {
    Custody {
        id: terms.record.clone(),
        kind: terms.kind.clone(),
        version: terms.version.clone(),
        originator: terms.originator.clone(),
        source: Source::Release {
            giver: origin.giver.clone(),
            manifest: origin.manifest,
            purpose: terms.purpose.clone(),
            basis: terms.basis.clone(),
            outcome: terms.outcome,
            obligations: terms.obligations.clone(),
        },
        stored_at: origin.now,
        content,
        caveats: terms.caveats.clone(),
        retention_until: terms.retention_until,
        floor: None,
        flagged: false,
    }
}

/// INVARIANT (law 8): caveats only accumulate, retention only shortens.
pub(crate) fn merged(held: Custody, mut fresh: Custody) -> Custody {
    fresh.caveats.extend(held.caveats);
    fresh.retention_until = match (held.retention_until, fresh.retention_until) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    };
    fresh.floor = fresh.floor.max(held.floor);
    fresh.flagged = held.flagged || fresh.flagged;
    fresh
}

/// A partner's word on a message of ours: the message leaves the outbox.
pub(crate) fn acknowledge<F: Facts>(
    facts: &F,
    receipt: Receipt,
) -> Result<Effects<F::Body>, Denial> {
    if receipt.giver != *facts.own_agency() {
        return Err(Denial::partner(
            "not_ours",
            format!("the receipt is for a message of `{}`", receipt.giver),
            "send it to the giver",
        ));
    }
    if !facts.awaits(&receipt.manifest, &receipt.recipient)? {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    let rejected =
        receipt.records.values().filter(|r| matches!(r, Reception::Rejected { .. })).count();
    let entry = Draft::new(EntryKind::Receipt, u64::try_from(receipt.records.len()).unwrap_or(0))
        .with(&receipt.recipient)
        .seal("manifest", receipt.manifest)
        .seal("rejected", rejected);
    let answered =
        DeliveryChange::Answered { message: receipt.manifest, partner: receipt.recipient.clone() };
    let mut effects = Effects::one(answered, entry);
    for (record, reception) in &receipt.records {
        if matches!(reception, Reception::Rejected { .. }) {
            let (record, recipient) = (record.clone(), receipt.recipient.clone());
            effects.change(CollectionChange::Rejected { record, recipient });
        }
    }
    effects.change(DeliveryChange::ReceiptTaken(receipt));
    Ok(effects)
}
