//! Word to originators whose records a holder passed on under an article that obliges to it. Pure.
//!
//! SOURCE: docs/reference/decisions.md, section 13. The notice is sealed in the commit of the
//! release. An originator that is not a pinned member cannot be told; then it is owed, logged so,
//! and told once it is pinned.

use crate::change::DeliveryChange;
use crate::denial::Denial;
use crate::effects::{Effects, Outgoing, Reply};
use crate::facts::Facts;
use model::entry::{Draft, EntryKind};
use model::ids::{AgencyId, ArticleRef, Digest, RecordId};
use model::release::{PassedOn, Receipt, ReleaseNotice, Terms};
use model::request::StandingOrder;
use model::time::Timestamp;
use policy::terms::NOTIFY_ORIGINATOR;
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: records in one notice. WHY: a signed note holds at most 1 MiB.
pub const NOTICE_RECORDS_MAX: usize = 200;
/// LIMIT: notices owed that one event sends; the clock brings the next.
const SETTLED_MAX: usize = 200;

/// Originator → record → what went.
pub(crate) type Notices = BTreeMap<AgencyId, BTreeMap<RecordId, PassedOn>>;

/// Whether a release on these terms would need word to its originator that was never given.
///
/// For reads of what was offered before: under other rules it may fall under the obligation.
#[must_use]
pub fn unannounced(own: &AgencyId, before: &Terms, now: &Terms) -> bool {
    owes_word(own, (&now.originator, &now.obligations))
        && !before.obligations.contains(NOTIFY_ORIGINATOR)
}

/// Whether a release under these obligations obliges to tell its originator.
#[must_use]
pub fn owes_word(
    own: &AgencyId,
    (originator, obligations): (&AgencyId, &BTreeSet<String>),
) -> bool {
    originator != own && obligations.contains(NOTIFY_ORIGINATOR)
}

/// Notes what its originator must be told of a release, if it must.
pub(crate) fn owe<F: Facts>(
    facts: &F,
    order: &StandingOrder,
    terms: &Terms,
    notices: &mut Notices,
) -> Result<(), Denial> {
    let own = facts.own_agency();
    if terms.originator == *own || !terms.obligations.contains(NOTIFY_ORIGINATOR) {
        return Ok(());
    }
    let (mut articles, mut facts_stated) = (BTreeSet::new(), BTreeSet::new());
    for article in &terms.basis {
        let agreement = facts.agreement(&article.agreement)?;
        let Some(found) = agreement.as_ref().and_then(|a| a.article(&article.article)) else {
            continue;
        };
        if found.obligations.contains(NOTIFY_ORIGINATOR) {
            articles.insert(article.clone());
            facts_stated.extend(found.requires.intersection(&order.grounds.facts).cloned());
        }
    }
    // WHY: an oblige article may add the obligation to what other articles grant.
    let articles = if articles.is_empty() { terms.basis.clone() } else { articles };
    let passed = PassedOn {
        version: terms.version.clone(),
        outcome: terms.outcome,
        articles,
        facts: facts_stated,
    };
    notices.entry(terms.originator.clone()).or_default().insert(terms.record.clone(), passed);
    Ok(())
}

/// Tells each originator in the commit of the releases, or notes that it is owed.
pub(crate) fn tell<F: Facts>(
    facts: &F,
    (order, now): (&StandingOrder, Timestamp),
    notices: Notices,
    effects: &mut Effects<F::Body>,
) -> Result<(), Denial> {
    for (originator, records) in notices {
        let pinned = facts.member(&originator)?.is_some();
        let mut rest = records.into_iter().peekable();
        while rest.peek().is_some() {
            let notice = ReleaseNotice {
                originator: originator.clone(),
                giver: facts.own_agency().clone(),
                recipient: order.recipient.clone(),
                purpose: order.purpose.clone(),
                at: now,
                records: rest.by_ref().take(NOTICE_RECORDS_MAX).collect(),
            };
            if pinned {
                send(notice, effects);
            } else {
                effects.entries.push(entry(&notice, "owed: the originator is not pinned here"));
                effects.change(DeliveryChange::NoticeOwed(notice));
            }
        }
    }
    Ok(())
}

fn send<B>(notice: ReleaseNotice, effects: &mut Effects<B>) {
    effects.entries.push(entry(&notice, "sealed"));
    effects.change(DeliveryChange::NoticeGiven(notice.clone()));
    effects.outgoing.push(Outgoing::Notice(notice));
}

/// Sends what is owed to every originator that is pinned by now.
pub(crate) fn settle<F: Facts>(facts: &F, effects: &mut Effects<F::Body>) -> Result<(), Denial> {
    for originator in facts.creditors()? {
        if facts.member(&originator)?.is_some() {
            pay(facts, &originator, effects)?;
        }
    }
    Ok(())
}

/// Sends what is owed to an originator.
pub(crate) fn pay<F: Facts>(
    facts: &F,
    originator: &AgencyId,
    effects: &mut Effects<F::Body>,
) -> Result<(), Denial> {
    let room = SETTLED_MAX.saturating_sub(effects.outgoing.len());
    for notice in facts.owed(originator, room)? {
        send(notice, effects);
    }
    Ok(())
}

fn entry(notice: &ReleaseNotice, state: &str) -> Draft {
    Draft::new(EntryKind::Notice, count(notice))
        .with(&notice.originator)
        .purpose(&notice.purpose)
        .under(articles(notice).map(|article| &article.agreement))
        .seal("recipient", &notice.recipient)
        .seal("records", records(notice))
        .seal("state", state)
}

fn count(notice: &ReleaseNotice) -> u64 {
    u64::try_from(notice.records.len()).unwrap_or(u64::MAX)
}

fn articles(notice: &ReleaseNotice) -> impl Iterator<Item = &ArticleRef> {
    notice.records.values().flat_map(|passed| &passed.articles)
}

fn records(notice: &ReleaseNotice) -> String {
    notice.records.keys().map(RecordId::as_str).collect::<Vec<_>>().join(" ")
}

/// A holder tells this node that it passed records of it on: logged, kept, answered.
///
/// INVARIANT (law 7): the answer is the same whether this node has such records or not.
pub(crate) fn notified<F: Facts>(
    facts: &F,
    notice: ReleaseNotice,
    document: Digest,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    if notice.originator != *facts.own_agency() {
        return Err(Denial::partner(
            "not_for_us",
            format!("the notice is for `{}`", notice.originator),
            "send it to the originator of the records",
        ));
    }
    if notice.records.is_empty() || notice.records.len() > NOTICE_RECORDS_MAX {
        return Err(Denial::partner(
            "notice_size",
            format!("the notice names {} records", notice.records.len()),
            "name 1 to 200 records in a notice",
        ));
    }
    if let Some(receipt) = facts.receipt_given(&document)? {
        return Ok(Effects::reply(Reply::Receipt(receipt)));
    }
    let receipt = Receipt {
        manifest: document,
        giver: notice.giver.clone(),
        recipient: facts.own_agency().clone(),
        at: now,
        records: BTreeMap::new(),
    };
    let entry = Draft::new(EntryKind::Noticed, count(&notice))
        .with(&notice.giver)
        .purpose(&notice.purpose)
        .under(articles(&notice).map(|article| &article.agreement))
        .seal("recipient", &notice.recipient)
        .seal("records", records(&notice))
        .seal("notice", document);
    let mut effects = Effects::one(DeliveryChange::NoticeTaken { notice, document }, entry);
    effects.change(DeliveryChange::ReceiptGiven(receipt.clone()));
    effects.reply = Reply::Receipt(receipt);
    Ok(effects)
}
