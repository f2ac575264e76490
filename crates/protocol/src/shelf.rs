//! Collections that partners write: who may read and post, and what each reader sees. Pure.
//!
//! Rights are never stored. They follow, each time anew, from the agreements in force and signed.
//! INVARIANT: a reader passes the gate for each version at the time of reading; what a version
//! may do is its poster's markings, the agreement's articles and nothing of this node's.

use crate::denial::Denial;
use crate::facts::{Facts, Held};
use crate::share::ask_for;
use model::agreement::{Agreement, Effect};
use model::decision::Outcome;
use model::ids::{AgencyId, AgreementId, RecordId};
use model::posting::{Collection, Rights};
use model::request::{Ask, Consent, Grounds, StandingOrder};
use model::time::Timestamp;
use policy::release::Released;
use std::collections::BTreeSet;

/// Fewest parties of an agreement that has a community collection.
const COMMUNITY_PARTIES_MIN: usize = 3;

/// Whether each of these agencies is under a signed party of an agreement in force.
pub(crate) fn binds(agreement: &Agreement, agencies: &[&AgencyId], now: Timestamp) -> bool {
    let signed = |agency: &&AgencyId| agreement.party_of(agency).is_some_and(|p| p.signed);
    agreement.in_force(now) && agencies.iter().all(signed)
}

/// The agreements in force that bind this node and a partner; none where there is no vocabulary.
pub(crate) fn between<'f, F: Facts>(
    facts: &'f F,
    partner: &AgencyId,
    now: Timestamp,
) -> impl Iterator<Item = &'f Agreement> {
    let (own, partner) = (facts.own_agency().clone(), partner.clone());
    // WHY: without a vocabulary nothing is compiled, so no agreement has effect.
    let all = facts.rules().map_or(&[][..], |rules| rules.agreements());
    let ours = own == partner;
    all.iter().filter(move |agreement| !ours && binds(agreement, &[&own, &partner], now))
}

/// The agreement behind a community collection, as far as it is one for this partner now.
pub(crate) fn community<'f, F: Facts>(
    facts: &'f F,
    partner: &AgencyId,
    id: &AgreementId,
    now: Timestamp,
) -> Option<&'f Agreement> {
    between(facts, partner, now).find(|agreement| agreement.id == *id && has_community(agreement))
}

fn has_community(agreement: &Agreement) -> bool {
    agreement.parties.len() >= COMMUNITY_PARTIES_MIN
}

/// What a partner may do with a collection now; nothing for a collection it may not know of.
#[must_use]
pub fn rights<F: Facts>(
    facts: &F,
    partner: &AgencyId,
    collection: &Collection,
    now: Timestamp,
) -> Rights {
    let both = |given: bool| Rights { read: given, write: given };
    match collection {
        // WHY: what the outbox shows is decided record by record; without an agreement, nothing.
        Collection::Outbox(of) => Rights { read: of == partner, write: false },
        Collection::Inbox(of) => {
            both(of == partner && between(facts, partner, now).next().is_some())
        }
        Collection::Community(id) => both(community(facts, partner, id, now).is_some()),
    }
}

/// The collections a partner sees: its outbox, its inbox, and the communities both belong to.
#[must_use]
pub fn collections<F: Facts>(
    facts: &F,
    partner: &AgencyId,
    now: Timestamp,
) -> Vec<(Collection, Rights)> {
    let mut all = vec![Collection::Outbox(partner.clone()), Collection::Inbox(partner.clone())];
    let communities = between(facts, partner, now).filter(|agreement| has_community(agreement));
    let mut ids: Vec<AgreementId> = communities.map(|agreement| agreement.id.clone()).collect();
    ids.sort();
    ids.dedup();
    all.extend(ids.into_iter().map(Collection::Community));
    let with = |collection: Collection| {
        let rights = rights(facts, partner, &collection, now);
        (collection, rights)
    };
    all.into_iter().map(with).collect()
}

/// What a poster permits by posting: a version in a community goes to that agreement's parties,
/// under its articles, for as long as the poster is one of them. ORCON records need more.
///
/// SOURCE: docs/decisions/0005-posting-without-a-signature.md.
pub(crate) fn consents<F: Facts>(
    facts: &F,
    held: &Held<F::Body>,
    recipient: &AgencyId,
    now: Timestamp,
) -> Result<Vec<Consent>, Denial> {
    let (custody, mut out) = (&held.custody, Vec::new());
    // INVARIANT: for an ORCON record only a consent that its originator signed counts.
    if custody.originator == *facts.own_agency() || held.record.stops.orcon {
        return Ok(out);
    }
    for (collection, placed) in facts.placements(&custody.id, &custody.originator)? {
        let Collection::Community(id) = collection else { continue };
        let agreement = community(facts, recipient, &id, now);
        let bound = agreement.is_some_and(|a| binds(a, &[&custody.originator], now));
        if bound && placed.version == custody.version {
            out.push(Consent {
                originator: custody.originator.clone(),
                recipient: recipient.clone(),
                object: Some(custody.id.clone()),
                purpose: None,
                from: None,
                until: None,
                agreement: Some(id),
            });
        }
    }
    Ok(out)
}

/// What a reader sees of one version that stands in a collection, read from these facts; nothing
/// where the gate holds it back.
///
/// # Errors
/// [`Denial`] when the facts cannot be read.
pub fn sight<F: Facts>(
    facts: &F,
    reader: &AgencyId,
    collection: &Collection,
    held: &Held<F::Body>,
    now: Timestamp,
) -> Result<Option<Released<F::Body>>, Denial> {
    if held.custody.originator == *reader {
        let own = policy::release::give_back(&held.record, &held.body, reader, "read back");
        return Ok(own.ok());
    }
    let Collection::Community(id) = collection else { return Ok(None) };
    let Some(agreement) = community(facts, reader, id, now) else { return Ok(None) };
    for purpose in purposes(facts, agreement)? {
        let reading = Reading { facts, agreement, reader, purpose, now };
        if let Some(released) = reading.release(held)? {
            return Ok(Some(released));
        }
    }
    Ok(None)
}

/// The purposes an agreement's permissions name, in the vocabulary's order.
fn purposes<'f, F: Facts>(
    facts: &'f F,
    agreement: &Agreement,
) -> Result<impl Iterator<Item = &'f str>, Denial> {
    let allows = |effect: Effect| matches!(effect, Effect::Allow(_));
    let articles = || agreement.articles.iter().filter(|article| allows(article.effect));
    let any = articles().any(|article| article.when.purposes.is_none());
    let named: BTreeSet<String> =
        articles().filter_map(|article| article.when.purposes.clone()).flatten().collect();
    let known = facts.rules()?.vocabulary().purposes.iter().map(String::as_str);
    Ok(known.filter(move |purpose| any || named.contains(*purpose)))
}

/// One reader of a community, for one purpose.
struct Reading<'a, F> {
    facts: &'a F,
    agreement: &'a Agreement,
    reader: &'a AgencyId,
    purpose: &'a str,
    now: Timestamp,
}

impl<F: Facts> Reading<'_, F> {
    fn release(&self, held: &Held<F::Body>) -> Result<Option<Released<F::Body>>, Denial> {
        let question = self.question(held)?;
        let rules = self.facts.rules()?;
        let record = self.within(held);
        if rules.decide(&record, &question).outcome == Outcome::Refuse {
            return Ok(None);
        }
        let hidden = self.hidden(held)?;
        let released =
            policy::release::release(rules, &record, &held.body, &question, &hidden).ok();
        Ok(released.filter(|released| released.content().is_some()))
    }

    /// A record in the collection of an operation belongs to it unless it names another.
    fn within(&self, held: &Held<F::Body>) -> model::record::Record {
        let mut record = held.record.clone();
        record.operation = record.operation.or_else(|| self.agreement.operation.clone());
        record
    }

    fn question(&self, held: &Held<F::Body>) -> Result<Ask, Denial> {
        let order = StandingOrder {
            recipient: self.reader.clone(),
            purpose: self.purpose.to_owned(),
            grounds: Grounds::default(),
        };
        let mut question = ask_for(self.facts, held, &order, self.now)?;
        // INVARIANT: here only the consent of having posted it to this very collection counts.
        let own = Some(&self.agreement.id);
        question.grounds.consents.retain(|c| c.agreement.as_ref() == own);
        Ok(question)
    }

    /// The poster's own records that this one points to and the reader may not know of.
    ///
    /// WHY: what others assert here is not looked at, or a poster and a reader together could find
    /// out what this node conceals (law 7).
    fn hidden(&self, held: &Held<F::Body>) -> Result<BTreeSet<RecordId>, Denial> {
        let mut hidden = BTreeSet::new();
        for id in held.record.refs.keys() {
            let poster = &held.custody.originator;
            let Some(newest) = self.facts.custody(id, poster)? else { continue };
            let target = self.facts.assertion(id, poster, &newest.version)?;
            let Some(target) = target else { continue };
            let question = self.question(&target)?;
            let decision = self.facts.rules()?.decide(&self.within(&target), &question);
            if decision.outcome == Outcome::Refuse {
                hidden.insert(id.clone());
            }
        }
        Ok(hidden)
    }
}
