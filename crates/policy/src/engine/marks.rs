//! Markings compiled, and the marking tests for one recipient. Pure.
//!
//! SOURCE: FIRST TLP 2.0; ISM (NOFORN, REL TO); docs/reference/decisions.md step 3.

use super::Engine;
use super::answer::Failures;
use super::labels::{LEVEL_UNKNOWN, Labels};
use super::tables::{Name, Tables, WordMask};
use crate::terms::{CAVEAT_ORCON, CAVEAT_REL_PREFIX};
use model::decision::Reason;
use model::ids::AgencyId;
use model::marking::{Marks, Tlp};
use model::record::Record;
use std::collections::BTreeSet;

/// The markings of a record or a field, compiled.
#[derive(Debug, Clone)]
pub(super) struct Seal {
    pub(super) unknown: bool,
    pub(super) level: u16,
    pub(super) red: bool,
    pub(super) noforn: bool,
    pub(super) rel: Option<WordMask>,
    pub(super) named: Box<[Name]>,
}

/// Who would receive, as far as markings look at it.
#[derive(Debug, Clone)]
pub(super) struct Recipient {
    pub(super) name: Name,
    pub(super) party: Option<u32>,
    /// Highest level it may hold; nothing for an agency the vocabulary does not know.
    pub(super) cleared_to: Option<u16>,
}

impl Seal {
    pub(super) fn new(marks: &Marks, tables: &Tables, labels: &Labels) -> Self {
        let level = labels.level(marks.class.as_ref());
        Self {
            unknown: level == LEVEL_UNKNOWN || !marks.unresolved.is_empty(),
            level,
            red: marks.tlp == Some(Tlp::Red),
            noforn: marks.noforn,
            rel: marks.rel_to.as_ref().map(|list| tables.parties.parties(list)),
            named: marks.tlp_recipients.iter().map(|a| tables.agency(a)).collect(),
        }
    }

    /// The failing marking tests; `also_named` are the recipients the whole record names.
    pub(super) fn failures(
        &self,
        to: &Recipient,
        originator_party: Option<u32>,
        also_named: &[Name],
    ) -> Failures {
        let mut failed = Failures::NONE;
        failed.note_if(self.unknown, Reason::UnknownMarking);
        let abroad = to.party.is_none() || to.party != originator_party;
        failed.note_if(self.noforn && abroad, Reason::MarkNoforn);
        let listed = |rel: &WordMask| to.party.is_some_and(|party| rel.contains(party));
        failed.note_if(self.rel.as_ref().is_some_and(|rel| !listed(rel)), Reason::MarkRel);
        let cleared = to.cleared_to.is_some_and(|level| self.level <= level);
        failed.note_if(!cleared, Reason::Clearance);
        let named = || self.named.contains(&to.name) || also_named.contains(&to.name);
        failed.note_if(self.red && !named(), Reason::Tlp);
        failed
    }
}

impl Engine {
    /// The marking tests one field fails for a recipient; none for an unmarked field.
    #[must_use]
    pub fn field_failures(&self, record: &Record, field: &str, recipient: &AgencyId) -> Failures {
        let Some(marks) = record.field_marks.get(field) else { return Failures::NONE };
        let seal = |marks| Seal::new(marks, &self.tables, &self.labels);
        let to = self.recipient(recipient);
        let named = seal(&record.marks).named;
        seal(marks).failures(&to, self.party_number(&record.originator), &named)
    }
}

/// The caveats a record carries by itself: its own, handling codes, TLP, REL and ORCON.
pub(crate) fn own_caveats(record: &Record) -> BTreeSet<String> {
    let mut caveats: BTreeSet<String> = record.caveats.union(&record.handling).cloned().collect();
    if let Some(tlp) = record.marks.tlp.filter(|tlp| *tlp != Tlp::Clear) {
        caveats.insert(tlp.to_string());
    }
    if let Some(rel) = &record.marks.rel_to {
        let list: Vec<&str> = rel.iter().map(model::ids::PartyId::as_str).collect();
        caveats.insert(format!("{CAVEAT_REL_PREFIX}{}", list.join(",")));
    }
    if record.stops.orcon {
        caveats.insert(CAVEAT_ORCON.to_owned());
    }
    caveats
}
