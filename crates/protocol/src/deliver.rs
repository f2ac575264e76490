//! Messages a partner refuses: counted, given up in the end, sent again when an officer says so.
//! Pure.
//!
//! SOURCE: docs/reference/envelope.md, "Refusals". What fails for a while never counts: no answer,
//! a busy or broken node, a log proof from elsewhere. A refusal is not signed: it ends nothing but
//! the sending.

use crate::change::{CollectionChange, DeliveryChange};
use crate::denial::Denial;
use crate::effects::{Effects, GivenUp, Refusals, Reply, Subject};
use crate::facts::Facts;
use crate::share;
use model::custody::Deletion;
use model::entry::{Draft, EntryKind};
use model::ids::{AgencyId, Digest, RecordId};
use model::time::Timestamp;
use model::verified::Voucher;

/// Refusals that say what is wrong with the message itself, before it is given up.
pub const FINAL_REFUSALS_MAX: u32 = 3;
/// Refusals that do not say, before the message is given up.
pub const REFUSALS_MAX: u32 = 10;
/// How long a message is refused without explanation before it is given up, where the one before
/// it was given up so too. WHY: a partner that refuses everything has another trouble than this
/// message (a document that ended, a node put back); it passes.
pub const PATIENCE_SECONDS: i64 = 6 * 60 * 60;

/// What a partner's door said when it refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) status: u16,
    pub(crate) code: Option<&'a str>,
}

/// How a refusal counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It passes; the message waits on.
    Passing,
    /// It says what is wrong with this message: no repetition mends it.
    Final,
    /// The door does not say why, so that it tells a stranger nothing.
    Unexplained,
}

/// Codes of a node's door about the message itself.
const FINAL: [&str; 9] = [
    "wrong_signer",
    "not_for_us",
    "not_ours",
    "not_ours_to_lose",
    "not_the_giver",
    "not_authorised",
    "notice_size",
    "shipment_too_large",
    "too_large",
];

fn kind(said: &Said<'_>) -> Kind {
    match (said.status, said.code) {
        // Sign in at a proxy, too slow, conflict, locked, too early, too many: all of them pass.
        (401 | 407 | 408 | 409 | 421 | 423 | 425 | 429, _) => Kind::Passing,
        (400..=499, Some(code)) if FINAL.contains(&code) => Kind::Final,
        (413 | 414 | 431, _) => Kind::Final,
        // WHY: without a code of ours nobody of ours is at that address, or nobody now.
        (404 | 405, None) => Kind::Passing,
        (400..=499, _) => Kind::Unexplained,
        _ => Kind::Passing,
    }
}

/// Whether a message refused so often is given up now.
fn is_enough(kind: Kind, refusals: &Refusals, in_a_row: u64, now: Timestamp) -> bool {
    let patience = PATIENCE_SECONDS.saturating_mul(1_000_000);
    let waited = now.micros().saturating_sub(refusals.since.micros()) >= patience;
    match kind {
        Kind::Passing => false,
        Kind::Final => refusals.count >= FINAL_REFUSALS_MAX,
        Kind::Unexplained => refusals.count >= REFUSALS_MAX && (in_a_row == 0 || waited),
    }
}

/// A partner's door refused a waiting message.
pub(crate) fn refused<F: Facts>(
    facts: &F,
    (partner, message): (&AgencyId, &Digest),
    said: &Said<'_>,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let kind = kind(said);
    let stays = || Effects::reply(Reply::Refused { given_up: false });
    let Some((subject, before)) = facts.waits(message, partner)? else { return Ok(stays()) };
    if kind == Kind::Passing {
        return Ok(stays());
    }
    let last = format!("{} {}", said.status, said.code.unwrap_or("without a code"));
    let (count, since) = before.map_or((0, now), |b| (b.count, b.since));
    let refusals = Refusals { count: count.saturating_add(1), since, last };
    if is_enough(kind, &refusals, facts.given_up_in_a_row(partner)?, now) {
        let Refusals { count, since, last } = &refusals;
        let reason = format!("it answered {last}, {count} times since {since}");
        let given_up = GivenUp { at: now, reason };
        let mut effects = set_aside((partner, message), &subject, given_up, "node");
        effects.reply = Reply::Refused { given_up: true };
        return Ok(effects);
    }
    let (partner, message) = (partner.clone(), *message);
    let mut effects = stays();
    effects.change(DeliveryChange::Refusal { partner, message, refusals });
    Ok(effects)
}

/// Out of the outbox, in one commit with its entry. What it offered counts as not taken, so that
/// the next offer is made anew.
fn set_aside<B>(
    (partner, message): (&AgencyId, &Digest),
    subject: &Subject,
    given_up: GivenUp,
    by: &str,
) -> Effects<B> {
    let entry = entry((partner, message), subject, "given up")
        .seal("reason", &given_up.reason)
        .seal("by", by);
    let (partner, message) = (partner.clone(), *message);
    let change = DeliveryChange::GiveUp { partner: partner.clone(), message, given_up };
    let mut effects = Effects::one(change, entry);
    if let Subject::Shipment { records, .. } = subject {
        for record in records {
            let (record, recipient) = (record.clone(), partner.clone());
            effects.change(CollectionChange::Rejected { record, recipient });
        }
    }
    effects
}

fn entry((partner, message): (&AgencyId, &Digest), subject: &Subject, change: &str) -> Draft {
    let (about, count) = match subject {
        Subject::Shipment { records, .. } => ("shipment", records.len()),
        Subject::Recall { .. } => ("recall", 1),
        Subject::Consent => ("consent", 1),
        Subject::Notice { records } => ("notice", records.len()),
    };
    Draft::new(EntryKind::Undelivered, u64::try_from(count).unwrap_or(u64::MAX))
        .with(partner)
        .seal("message", message)
        .seal("about", about)
        .seal("change", change)
}

/// An officer gives a waiting message up.
pub(crate) fn give_up<F: Facts>(
    facts: &F,
    (partner, message): (&AgencyId, &Digest),
    voucher: &Voucher,
    now: Timestamp,
) -> Result<Effects<F::Body>, Denial> {
    let Some((subject, _)) = facts.waits(message, partner)? else {
        return Err(unknown("waits for", (partner, message)));
    };
    let by = name(voucher);
    let given_up = GivenUp { at: now, reason: format!("`{by}` gave it up") };
    Ok(set_aside((partner, message), &subject, given_up, &by))
}

/// An officer has a message sent again that was given up.
///
/// WHY: a shipment was decided on and sealed in the past; its records are decided on anew. A
/// recall, a consent or a notice is what it was, and goes again as it was signed.
pub(crate) fn again<F: Facts>(
    facts: &F,
    (partner, message): (&AgencyId, &Digest),
    voucher: &Voucher,
) -> Result<Effects<F::Body>, Denial> {
    let Some(subject) = facts.undelivered(message, partner)? else {
        return Err(unknown("was given up for", (partner, message)));
    };
    let place = (partner.clone(), *message);
    let drop = DeliveryChange::Drop { partner: place.0.clone(), message: place.1 };
    let entry = |change| entry((partner, message), &subject, change).seal("by", name(voucher));
    match &subject {
        Subject::Shipment { order, records, .. } => {
            let mut effects = Effects::one(drop, entry("offered anew"));
            effects.then = share::in_portions(records, order);
            Ok(effects)
        }
        Subject::Recall { record, originator, cause }
            if is_overtaken(facts, (record, originator), partner, *cause)? =>
        {
            Ok(Effects::one(drop, entry("dropped: the record may be had again")))
        }
        Subject::Recall { .. } | Subject::Consent | Subject::Notice { .. } => {
            let (partner, message) = place;
            Ok(Effects::one(DeliveryChange::SendAgain { partner, message }, entry("sent again")))
        }
    }
}

/// A withdrawal that was given up must not take back what was released again since.
fn is_overtaken<F: Facts>(
    facts: &F,
    (record, originator): (&RecordId, &AgencyId),
    partner: &AgencyId,
    cause: Deletion,
) -> Result<bool, Denial> {
    let offered = facts.offered(record, originator, partner)?;
    Ok(cause == Deletion::Withdrawn && offered.iter().any(|o| !o.rejected))
}

fn name(voucher: &Voucher) -> String {
    match voucher {
        Voucher::Officer { name } => name.clone(),
        Voucher::Signature { agency, .. } | Voucher::Client { agency, .. } => agency.to_string(),
        Voucher::Own => "node".to_owned(),
    }
}

fn unknown(what: &str, (partner, message): (&AgencyId, &Digest)) -> Denial {
    Denial::officer(
        "no_such_message",
        format!("no message `{message}` {what} `{partner}`"),
        "list the messages with their digests: entente outbox",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_never_given_up_and_what_is_final_soon_is() {
        let of = |status, code| kind(&Said { status, code });
        for status in [200, 301, 401, 404, 405, 408, 409, 425, 429, 500, 502, 503, 504, 599] {
            assert_eq!(of(status, None), Kind::Passing, "{status}");
        }
        assert_eq!(of(409, Some("split_view")), Kind::Passing);
        assert_eq!(of(500, Some("not_for_us")), Kind::Passing);
        for (status, code) in [(413, None), (400, Some("not_for_us")), (403, Some("not_the_giver"))]
        {
            assert_eq!(of(status, code), Kind::Final, "{status}");
        }
        for (status, code) in
            [(400, None), (400, Some("message_refused")), (404, Some("x")), (422, None)]
        {
            assert_eq!(of(status, code), Kind::Unexplained, "{status}");
        }
    }

    #[test]
    fn patience_grows_where_a_partner_refuses_everything() {
        let at = |hours: i64| Timestamp::from_micros(hours * 3_600_000_000).unwrap();
        let refusals = |count| Refusals { count, since: at(0), last: String::new() };
        let enough = |kind, count, row, hours| is_enough(kind, &refusals(count), row, at(hours));
        assert!(!enough(Kind::Passing, u32::MAX, 0, 1_000));
        assert!(!enough(Kind::Final, 2, 9, 1_000) && enough(Kind::Final, 3, 9, 0));
        assert!(!enough(Kind::Unexplained, 9, 0, 1_000) && enough(Kind::Unexplained, 10, 0, 0));
        assert!(!enough(Kind::Unexplained, 1_000, 1, 5) && enough(Kind::Unexplained, 10, 1, 6));
    }
}
