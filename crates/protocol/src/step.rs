//! The one entrance: checks who vouches for an event and hands it to its verb. Pure.

use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use crate::recall::Signed;
use crate::{
    deliver, feed, govern, ingest, notice, post, recall, receive, retain, same_as, share, takedown,
};
use model::entry::{Draft, EntryKind};
use model::event::Event;
use model::ids::AgencyId;
use model::time::Timestamp;
use model::verified::{Verified, Voucher};

type Answer<F> = Result<Effects<<F as Facts>::Body>, Denial>;

/// Answers one event.
///
/// # Errors
/// A [`Denial`] says who erred; nothing is changed then.
pub fn step<F: Facts>(facts: &F, event: Verified<Event<F::Body>>, now: Timestamp) -> Answer<F> {
    let (event, voucher) = event.into_parts();
    match &event {
        Event::Begin(_)
        | Event::Enrol(_)
        | Event::Adopt(_)
        | Event::Agree { .. }
        | Event::Order(_)
        | Event::Withdraw(_)
        | Event::Ingest(_)
        | Event::Access { .. }
        | Event::Appraise { .. }
        | Event::GiveUp { .. }
        | Event::Again { .. }
        | Event::HandOver { .. }
        | Event::SameAs { .. }
        | Event::FeedSet(_)
        | Event::FeedDrop(_)
        | Event::Recall { .. } => officer(&voucher)?,
        Event::Share { .. } | Event::Pull(_) => officer_or_own(&voucher)?,
        Event::Sign(signature) => signer(facts, &voucher, &signature.agency)?,
        Event::Permit(consent) => signer(facts, &voucher, &consent.originator)?,
        Event::Receive(shipment) => signed_by(&voucher, &shipment.giver)?,
        Event::Acknowledge(receipt) => signed_by(&voucher, &receipt.recipient)?,
        Event::Recalled(notice, _) => signed_by(&voucher, &notice.giver)?,
        Event::RecallDone(receipt) => signed_by(&voucher, &receipt.holder)?,
        Event::Post(posting) => client(facts, &voucher, &posting.partner, now)?,
        Event::TakeDown(takedown) => client(facts, &voucher, &takedown.partner, now)?,
        Event::Notified(notice, _) => signed_by(&voucher, &notice.giver)?,
        Event::Refused { .. } => own(&voucher)?,
        Event::Read { .. } | Event::Tick => {}
    }
    dispatch(facts, event, &voucher, now)
}

fn dispatch<F: Facts>(
    facts: &F,
    event: Event<F::Body>,
    voucher: &Voucher,
    now: Timestamp,
) -> Answer<F> {
    match event {
        Event::Begin(member) => Ok(govern::begin(*member)),
        Event::Enrol(member) => govern::enrol(facts, *member, now),
        Event::Adopt(vocabulary) => govern::adopt(facts, *vocabulary),
        Event::Agree { agreement, document } => govern::agree(facts, *agreement, document),
        Event::Sign(signature) => govern::sign(facts, signature),
        Event::Order(order) => govern::order(facts, order),
        Event::Withdraw(order) => govern::withdraw(facts, order),
        Event::Permit(consent) => govern::permit(facts, consent, voucher),
        Event::Ingest(holdings) => ingest::ingest(facts, holdings),
        Event::Share { records, order } => {
            share::share(facts, &records, (&order, share::Way::Link), now)
        }
        Event::HandOver { records, order } => {
            share::share(facts, &records, (&order, share::Way::File), now)
        }
        Event::Receive(shipment) => receive::receive(facts, shipment, now),
        Event::Acknowledge(receipt) => receive::acknowledge(facts, receipt),
        Event::Access { partner, token } => govern::access(facts, partner, token),
        Event::Post(posting) => post::post(facts, *posting, voucher, now),
        Event::TakeDown(takedown) => takedown::take_down(facts, &takedown, now),
        Event::Appraise { partner, appraisal } => post::appraise(facts, partner, appraisal),
        Event::Recall { record, reason } => recall::recall(facts, &record, &reason, now),
        Event::Recalled(notice, document) => {
            recall::recalled(facts, Signed { notice: &notice, document }, now)
        }
        Event::RecallDone(receipt) => recall::done(facts, receipt),
        Event::Notified(notice, document) => notice::notified(facts, notice, document, now),
        Event::Refused { partner, message, status, code } => {
            let said = deliver::Said { status, code: code.as_deref() };
            deliver::refused(facts, (&partner, &message), &said, now)
        }
        Event::GiveUp { partner, message } => {
            deliver::give_up(facts, (&partner, &message), voucher, now)
        }
        Event::Again { partner, message } => deliver::again(facts, (&partner, &message), voucher),
        Event::Read { reader, partner, query, count } => {
            Ok(read(&reader, partner.as_ref(), &query, count))
        }
        Event::SameAs { one, other, linking, reason } => {
            same_as::link(facts, (one, other), linking, &reason, (voucher, now))
        }
        Event::FeedSet(feed) => feed::set(facts, *feed, voucher),
        Event::FeedDrop(name) => feed::remove(facts, name, voucher),
        Event::Pull(pulled) => feed::pull(facts, *pulled, now),
        Event::Tick => retain::tick(facts, now),
    }
}

/// Somebody looked: the search itself is logged.
fn read<B>(reader: &str, partner: Option<&AgencyId>, query: &str, count: u64) -> Effects<B> {
    let mut entry = Draft::new(EntryKind::Query, count).seal("reader", reader).seal("query", query);
    entry.partner = partner.cloned();
    Effects { entries: vec![entry], reply: Reply::Done, ..Effects::default() }
}

fn officer(voucher: &Voucher) -> Result<(), Denial> {
    match voucher {
        Voucher::Officer { .. } => Ok(()),
        Voucher::Signature { .. } | Voucher::Client { .. } | Voucher::Own => Err(Denial::partner(
            "not_authorised",
            "only a local officer may do this".to_owned(),
            "ask an officer of the node to do it",
        )),
    }
}

/// What only the node's own link can know.
fn own(voucher: &Voucher) -> Result<(), Denial> {
    match voucher {
        Voucher::Own => Ok(()),
        Voucher::Officer { .. } | Voucher::Signature { .. } | Voucher::Client { .. } => {
            Err(Denial::officer(
                "not_authorised",
                "only the node itself notes what a partner's door answered".to_owned(),
                "let the node deliver: entente deliver",
            ))
        }
    }
}

fn officer_or_own(voucher: &Voucher) -> Result<(), Denial> {
    match voucher {
        Voucher::Own => Ok(()),
        Voucher::Officer { .. } | Voucher::Signature { .. } | Voucher::Client { .. } => {
            officer(voucher)
        }
    }
}

fn signed_by(voucher: &Voucher, agency: &AgencyId) -> Result<(), Denial> {
    match voucher {
        Voucher::Signature { agency: signer, .. } if signer == agency => Ok(()),
        Voucher::Signature { .. }
        | Voucher::Officer { .. }
        | Voucher::Client { .. }
        | Voucher::Own => Err(Denial::partner(
            "wrong_signer",
            format!("the message speaks for `{agency}` but is not signed by it"),
            "send the message signed with the release key of that agency",
        )),
    }
}

/// The agency's own signature, or the local officer where the agency is this node's.
fn signer<F: Facts>(facts: &F, voucher: &Voucher, agency: &AgencyId) -> Result<(), Denial> {
    match voucher {
        Voucher::Officer { .. } if facts.own_agency() == agency => Ok(()),
        Voucher::Officer { .. }
        | Voucher::Signature { .. }
        | Voucher::Client { .. }
        | Voucher::Own => signed_by(voucher, agency),
    }
}

/// A client whose credential still counts, of a partner whose membership has not ended. It speaks
/// for that partner only, and only where nothing has to be signed.
fn client<F: Facts>(
    facts: &F,
    voucher: &Voucher,
    agency: &AgencyId,
    now: Timestamp,
) -> Result<(), Denial> {
    let refused = || {
        Denial::partner(
            "not_admitted",
            format!("no client of `{agency}` is admitted with this credential"),
            "ask an officer of the node for a new access token",
        )
    };
    match voucher {
        Voucher::Client { agency: shown, credential } if shown == agency => {
            let member = facts.member(agency)?.filter(|member| now < member.valid_until);
            let known = member.is_some() && *agency != *facts.own_agency();
            if known && facts.admits(agency, credential)? { Ok(()) } else { Err(refused()) }
        }
        Voucher::Client { .. }
        | Voucher::Signature { .. }
        | Voucher::Officer { .. }
        | Voucher::Own => Err(refused()),
    }
}
