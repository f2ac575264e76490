//! Links between records about one subject: a named officer makes and unmakes them. Pure.
//!
//! A link is this node's own knowledge: it changes no record, no decision and no release, and it
//! never leaves (law 10: it is somebody's judgement, with a reason, and not a fact).

use crate::change::RecordChange;
use crate::denial::Denial;
use crate::effects::{Effects, Reply};
use crate::facts::Facts;
use model::entry::{Draft, EntryKind};
use model::event::Linking;
use model::ids::RecordId;
use model::same_as::SameAs;
use model::time::Timestamp;
use model::verified::Voucher;
use std::collections::{BTreeMap, BTreeSet};

/// LIMIT: links of one record.
pub const LINKS_MAX: usize = 1_000;
/// LIMIT: records in one answer on a subject.
pub const SUBJECT_MAX: usize = 1_000;
/// LIMIT: bytes of a reason.
const REASON_BYTES_MAX: usize = 2_000;

/// Makes or unmakes a link.
pub(crate) fn link<F: Facts>(
    facts: &F,
    (a, b): (RecordId, RecordId),
    linking: Linking,
    reason: &str,
    (voucher, now): (&Voucher, Timestamp),
) -> Result<Effects<F::Body>, Denial> {
    let Voucher::Officer { name } = voucher else {
        return Err(Denial::partner(
            "not_authorised",
            "only a local officer links records".to_owned(),
            "ask an officer of the node to do it",
        ));
    };
    let reason = reason.trim();
    if reason.is_empty() || reason.len() > REASON_BYTES_MAX {
        return Err(Denial::officer(
            "reason_missing",
            format!("a reason has from 1 to {REASON_BYTES_MAX} bytes, this one {}", reason.len()),
            "say in a sentence why, with --reason",
        ));
    }
    let Some((one, other)) = SameAs::pair(a, b) else {
        return Err(Denial::officer(
            "same_record",
            "the two records are one and the same".to_owned(),
            "name two records",
        ));
    };
    let links = facts.same_as(&one)?;
    let stands = links.iter().any(|link| link.across(&one) == &other);
    if stands == (linking == Linking::Link) {
        return Ok(Effects::reply(Reply::Unchanged));
    }
    if linking == Linking::Link {
        may_link(facts, (&one, &other), links.len())?;
    }
    let entry = Draft::new(EntryKind::SameAs, 2)
        .seal("records", format!("{one} {other}"))
        .seal("officer", name)
        .seal("reason", reason)
        .seal("linked", linking == Linking::Link);
    let change = match linking {
        Linking::Link => RecordChange::Link(Box::new(SameAs {
            one,
            other,
            officer: name.clone(),
            reason: reason.to_owned(),
            at: now,
        })),
        Linking::Unlink => RecordChange::Unlink { one, other },
    };
    Ok(Effects::one(change, entry))
}

fn may_link<F: Facts>(
    facts: &F,
    (one, other): (&RecordId, &RecordId),
    links: usize,
) -> Result<(), Denial> {
    for id in [one, other] {
        if facts.held(id)?.is_none() {
            return Err(Denial::officer(
                "no_such_record",
                format!("no record `{id}` is held here"),
                "list the records held: entente list",
            ));
        }
    }
    let most = links.max(facts.same_as(other)?.len());
    if most >= LINKS_MAX {
        return Err(Denial::officer(
            "too_many_links",
            format!("a record has {most} links, the limit is {LINKS_MAX}"),
            "link it to one of those it is linked to already: links lead on",
        ));
    }
    Ok(())
}

/// What links make of one record: the others of its subject, and the links between them all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The records, the one asked for included.
    pub records: BTreeSet<RecordId>,
    /// The links, in the order of their records.
    pub links: Vec<SameAs>,
    /// Whether more records belong to it than are named.
    pub more: bool,
}

/// Follows the links from one record. Cost: one look a record, at most [`SUBJECT_MAX`].
///
/// # Errors
/// [`Denial`] when the facts cannot be read.
pub fn subject<F: Facts>(facts: &F, id: &RecordId) -> Result<Subject, Denial> {
    let mut found = Subject::default();
    let (mut links, mut open) = (BTreeMap::new(), vec![id.clone()]);
    found.records.insert(id.clone());
    while let Some(at) = open.pop() {
        for link in facts.same_as(&at)? {
            let next = link.across(&at).clone();
            if found.records.contains(&next) || found.records.len() < SUBJECT_MAX {
                if found.records.insert(next.clone()) {
                    open.push(next);
                }
                links.insert((link.one.clone(), link.other.clone()), link);
            } else {
                found.more = true;
            }
        }
    }
    found.links = links.into_values().collect();
    Ok(found)
}
