//! Members, vocabulary, agreements, signatures, orders and consents. Pure.

use crate::change::RuleChange;
use crate::denial::Denial;
use crate::effects::{Effects, Outgoing, Reply};
use crate::facts::Facts;
use crate::{notice, share};
use model::agreement::Agreement;
use model::entry::{Draft, EntryKind};
use model::event::Event;
use model::ids::{AgencyId, Digest};
use model::member::Member;
use model::release::AgreementSignature;
use model::request::{Consent, StandingOrder};
use model::time::Timestamp;
use model::verified::Voucher;
use model::vocabulary::Vocabulary;

type Answer<F> = Result<Effects<<F as Facts>::Body>, Denial>;

/// Leaf 0: the node's own member document.
pub(crate) fn begin<B>(member: Member) -> Effects<B> {
    let entry = Draft::new(EntryKind::Genesis, 1)
        .seal("agency", &member.agency)
        .seal("release_key", &member.keys.release)
        .seal("log_key", &member.keys.log);
    Effects::one(RuleChange::Pin(Box::new(member)), entry)
}

/// Pins a partner's member document; a successor must be newer and keep its root key.
pub(crate) fn enrol<F: Facts>(facts: &F, member: Member, now: Timestamp) -> Answer<F> {
    crate::feed::no_outsider(&member.agency)?;
    if member.valid_until <= now {
        return Err(Denial::officer(
            "member_expired",
            format!("the member document of `{}` ended at {}", member.agency, member.valid_until),
            "ask the member for its present document",
        ));
    }
    if let Some(known) = facts.member(&member.agency)? {
        if known == member {
            return Ok(Effects::reply(Reply::Unchanged));
        }
        if member.version <= known.version {
            return Err(Denial::officer(
                "member_version",
                format!(
                    "version {} of `{}` is pinned; version {} does not replace it",
                    known.version, member.agency, member.version
                ),
                "use the newest document",
            ));
        }
        if member.keys.root != known.keys.root {
            return Err(Denial::officer(
                "member_root",
                format!("the new document of `{}` carries another root key", member.agency),
                "a change of root key needs a new ceremony with both nodes' officers",
            ));
        }
    }
    let entry = Draft::new(EntryKind::Member, 1)
        .with(&member.agency)
        .seal("version", member.version)
        .seal("release_key", &member.keys.release);
    let agency = member.agency.clone();
    let mut effects = Effects::one(RuleChange::Pin(Box::new(member)), entry);
    notice::pay(facts, &agency, &mut effects)?;
    effects.then = backfill(facts)?;
    Ok(effects)
}

/// Gives a pinned partner's client a new token; the earlier one ends.
pub(crate) fn access<F: Facts>(facts: &F, partner: AgencyId, token: Digest) -> Answer<F> {
    if facts.member(&partner)?.is_none() {
        return Err(Denial::officer(
            "member_unknown",
            format!("no member document of `{partner}` is pinned here"),
            "exchange member documents first: entente member add FILE --fingerprint DIGEST",
        ));
    }
    let entry = Draft::new(EntryKind::Access, 1).with(&partner);
    Ok(Effects::one(RuleChange::Access { partner, token }, entry))
}

/// Adopts the vocabulary.
pub(crate) fn adopt<F: Facts>(facts: &F, vocabulary: Vocabulary) -> Answer<F> {
    let entry = Draft::new(EntryKind::Vocabulary, 1)
        .seal("actors", vocabulary.actors.len())
        .seal("states", vocabulary.states.len());
    let mut effects = Effects::one(RuleChange::Vocabulary(Box::new(vocabulary)), entry);
    effects.then = backfill(facts)?;
    Ok(effects)
}

/// Adopts an agreement; versions only go up.
pub(crate) fn agree<F: Facts>(facts: &F, agreement: Agreement, document: Vec<u8>) -> Answer<F> {
    if let Some(known) = facts.agreement(&agreement.id)? {
        if known.digest == agreement.digest {
            return Ok(Effects::reply(Reply::Unchanged));
        }
        if agreement.version <= known.version {
            return Err(Denial::officer(
                "agreement_version",
                format!(
                    "version {} of `{}` is adopted; a different document of version {} does not \
                     replace it",
                    known.version, agreement.id, agreement.version
                ),
                "raise `version` in the document and have it signed anew",
            ));
        }
    }
    let entry = Draft::new(EntryKind::Agreement, 1)
        .under([&agreement.id])
        .seal("digest", agreement.digest)
        .seal("version", agreement.version);
    let mut effects =
        Effects::one(RuleChange::Agreement { agreement: Box::new(agreement), document }, entry);
    effects.then = backfill(facts)?;
    Ok(effects)
}

/// Stores a party's signature on the adopted version.
pub(crate) fn sign<F: Facts>(facts: &F, signature: AgreementSignature) -> Answer<F> {
    let Some(agreement) = facts.agreement(&signature.agreement)? else {
        return Err(Denial::partner(
            "agreement_unknown",
            format!("no agreement `{}` is adopted here", signature.agreement),
            "adopt the agreement first: entente agreement add FILE",
        ));
    };
    if agreement.digest != signature.digest {
        return Err(Denial::partner(
            "agreement_differs",
            format!(
                "the signature is on another document of `{}` than the one adopted here",
                signature.agreement
            ),
            "compare the two documents: entente agreement show and agreement diff",
        ));
    }
    let member = facts.member(&signature.agency)?;
    let listed = agreement
        .parties
        .iter()
        .any(|p| p.id == signature.party && p.agencies.contains(&signature.agency));
    if !listed || member.is_none_or(|m| m.party != signature.party) {
        return Err(Denial::partner(
            "not_a_party",
            format!(
                "`{}` cannot sign `{}` for `{}`",
                signature.agency, signature.agreement, signature.party
            ),
            "a party signs through an agency the agreement lists and whose member document is \
             pinned",
        ));
    }
    if facts.signatures(&signature.agreement)?.contains(&signature) {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    let entry = Draft::new(EntryKind::Signature, 1)
        .under([&signature.agreement])
        .with(&signature.agency)
        .seal("digest", signature.digest);
    let mut effects = Effects::one(RuleChange::Signature(signature), entry);
    effects.then = backfill(facts)?;
    Ok(effects)
}

/// Gives a standing order and offers what is already held.
pub(crate) fn order<F: Facts>(facts: &F, order: StandingOrder) -> Answer<F> {
    if facts.orders()?.contains(&order) {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    let entry = Draft::new(EntryKind::Order, 1)
        .with(&order.recipient)
        .purpose(&order.purpose)
        .seal("change", "given");
    let mut effects = Effects::one(RuleChange::Order(order.clone()), entry);
    effects.then = share::in_portions(&facts.own_records()?, &order);
    Ok(effects)
}

/// Withdraws a standing order.
pub(crate) fn withdraw<F: Facts>(facts: &F, order: StandingOrder) -> Answer<F> {
    if !facts.orders()?.contains(&order) {
        return Err(Denial::officer(
            "order_unknown",
            format!("there is no such order to `{}` for `{}`", order.recipient, order.purpose),
            "list the orders: entente order list",
        ));
    }
    let entry = Draft::new(EntryKind::Order, 1)
        .with(&order.recipient)
        .purpose(&order.purpose)
        .seal("change", "withdrawn");
    Ok(Effects::one(RuleChange::DropOrder(order), entry))
}

/// Stores a consent; the originator's node also sends it to the holders.
pub(crate) fn permit<F: Facts>(facts: &F, consent: Consent, voucher: &Voucher) -> Answer<F> {
    let mut effects = Effects::default();
    let known = facts.consents(&consent.originator, &consent.recipient)?.contains(&consent);
    if !known {
        let entry = Draft::new(EntryKind::Consent, 1)
            .with(&consent.recipient)
            .seal("originator", &consent.originator)
            .seal("object", consent.object.as_ref().map_or("any", |o| o.as_str()));
        effects = Effects::one(RuleChange::Consent(consent.clone()), entry);
    }
    match voucher {
        Voucher::Officer { .. } if known => effects.reply = Reply::Unchanged,
        Voucher::Officer { .. } => {
            let holders = match &consent.object {
                Some(record) => facts.recipients(record, &consent.originator)?,
                None => Vec::new(),
            };
            effects.outgoing = holders
                .into_iter()
                .filter(|holder| *holder != consent.recipient)
                .map(|recipient| Outgoing::Consent { recipient, consent: consent.clone() })
                .collect();
        }
        Voucher::Signature { .. } | Voucher::Client { .. } | Voucher::Own => {}
    }
    Ok(effects)
}

/// Every standing order, over everything of our own; repetitions are suppressed when shared.
fn backfill<F: Facts>(facts: &F) -> Result<Vec<Event<F::Body>>, Denial> {
    let orders = facts.orders()?;
    if orders.is_empty() {
        return Ok(Vec::new());
    }
    let records = facts.own_records()?;
    Ok(orders.iter().flat_map(|order| share::in_portions(&records, order)).collect())
}
