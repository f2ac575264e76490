//! The gate for a local officer's own screen. Pure.
//!
//! Agreements bind agencies between each other, not an agency with itself; what stays are the
//! markings, the clearance, recall and concealment. SOURCE: 2013/488/EU Annex I (clearance and
//! need to know); FIRST TLP 2.0; ISM.

use super::{Content, Destination, Refusal, Released, finish};
use crate::engine::Engine;
use crate::engine::own_caveats;
use model::decision::{Decision, Outcome, Reason, RefusalMode};
use model::ids::{AgencyId, RecordId};
use model::marking::{Marks, Tlp};
use model::record::Record;
use model::time::Timestamp;
use std::collections::BTreeSet;

/// An officer in front of a screen of this node.
#[derive(Debug, Clone, Copy)]
pub struct Viewer<'a> {
    /// The officer's agency.
    pub agency: &'a AgencyId,
    /// The agency that holds the record: the node's own.
    pub holder: &'a AgencyId,
    /// Highest normalised classification the officer may see.
    pub cleared_to: u8,
    /// What the officer looks for.
    pub purpose: &'a str,
    /// The present.
    pub now: Timestamp,
}

/// Releases a record to a local officer: cleared for it, within its markings, not recalled; a
/// concealed record only to officers of the holder. Nothing is asked of agreements, and nothing
/// but the markings withholds fields. An expired record shows: it is the officer who reviews it.
///
/// # Errors
/// The refusal; of a concealed record it equals "no match".
pub fn show<T: Content>(
    engine: &Engine,
    record: &Record,
    content: &T,
    viewer: Viewer<'_>,
    hidden: &BTreeSet<RecordId>,
) -> Result<Released<T>, Refusal> {
    let decision = decide(engine, record, viewer);
    let to = Destination { recipient: viewer.agency, purpose: viewer.purpose };
    finish(record, content, decision, to, hidden)
}

fn decide(engine: &Engine, record: &Record, viewer: Viewer<'_>) -> Decision {
    let mut failed = BTreeSet::new();
    if record.stops.recalled {
        failed.insert(Reason::Recalled);
    }
    if record.stops.concealed && viewer.agency != viewer.holder {
        failed.insert(Reason::Concealed);
    }
    failed.extend(failures(engine, record, &record.marks, viewer));
    let withheld: BTreeSet<String> = record
        .fields
        .keys()
        .filter(|field| {
            let marks = record.field_marks.get(*field);
            marks.is_some_and(|marks| !failures(engine, record, marks, viewer).is_empty())
        })
        .cloned()
        .collect();
    let all = !withheld.is_empty() && withheld.len() == record.fields.len();
    let (outcome, reason) = match failed.first() {
        Some(first) => (Outcome::Refuse, *first),
        None if all => (Outcome::HitOnly, Reason::HitOnly),
        None if withheld.is_empty() => (Outcome::Release, Reason::Granted),
        None => (Outcome::Redact, Reason::GrantedRedacted),
    };
    let granted = outcome != Outcome::Refuse;
    let concealed = failed.contains(&Reason::Concealed);
    Decision {
        outcome,
        reason,
        failed: failed.into_iter().collect(),
        redacted_fields: if granted { withheld } else { BTreeSet::new() },
        caveats: if granted { own_caveats(record) } else { BTreeSet::new() },
        basis: BTreeSet::new(),
        retention_until: record.provider_limit.filter(|_| granted),
        obligations: BTreeSet::new(),
        deadline: None,
        unmet: BTreeSet::new(),
        denied_by: BTreeSet::new(),
        refusal_mode: if concealed { RefusalMode::AsNoMatch } else { RefusalMode::Stated },
    }
}

/// The marking tests an officer fails. An originator's own people need not stand in the lists
/// its markings name.
fn failures(
    engine: &Engine,
    record: &Record,
    marks: &Marks,
    viewer: Viewer<'_>,
) -> BTreeSet<Reason> {
    let actors = &engine.vocabulary().actors;
    let party = |agency: &AgencyId| actors.get(agency).and_then(|actor| actor.party());
    let (own, origin) = (party(viewer.agency), party(&record.originator));
    let same_agency = *viewer.agency == record.originator;
    let same_party = same_agency || (own.is_some() && own == origin);
    let level = engine.level(marks);
    let mut failed = BTreeSet::new();
    if level.is_none() || !marks.unresolved.is_empty() {
        failed.insert(Reason::UnknownMarking);
    }
    if level.is_none_or(|level| level > viewer.cleared_to) {
        failed.insert(Reason::Clearance);
    }
    if marks.noforn && !same_party {
        failed.insert(Reason::MarkNoforn);
    }
    let listed = |rel: &BTreeSet<_>| own.is_some_and(|party| rel.contains(party));
    if marks.rel_to.as_ref().is_some_and(|rel| !same_party && !listed(rel)) {
        failed.insert(Reason::MarkRel);
    }
    let named = marks.tlp_recipients.contains(viewer.agency)
        || record.marks.tlp_recipients.contains(viewer.agency);
    if marks.tlp == Some(Tlp::Red) && !same_agency && !named {
        failed.insert(Reason::Tlp);
    }
    failed
}
