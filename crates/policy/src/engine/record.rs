//! A record compiled for one engine. Pure.

use super::Engine;
use super::labels::{LEVEL_UNKNOWN, Labels};
use super::marks::Seal;
use super::tables::{ABSENT, FIELDS_MAX, FieldMask, Name, Tables, UNKNOWN, WordMask};
use crate::terms::{DESIGNATOR_UN, HANDLING_H1};
use model::grading::Grade;
use model::ids::{AgencyId, RecordId};
use model::marking::{Marks, Tlp};
use model::record::{Neutrality, Record};
use model::time::Timestamp;
use model::vocabulary::Vocabulary;

/// The place of fields no table knows and no marking touches: they always fare alike.
const PLACE_PLAIN: u32 = FIELDS_MAX as u32;
/// LIMIT: distinct field markings kept apart in one record; fields beyond share the last place
/// and are withheld when any of their markings fails.
const GROUPS_MAX: usize = 62;

/// A record as the engine sees it: numbers and masks. Valid only for the engine that made it; any
/// other engine refuses it.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) stamp: u64,
    pub(super) id: RecordId,
    pub(super) kind: u32,
    pub(super) subject: u32,
    pub(super) operation: u32,
    pub(super) grade: (u8, u8),
    pub(super) tlp: u8,
    pub(super) stops: Stops,
    pub(super) flags: WordMask,
    pub(super) group: Option<Designators>,
    pub(super) originator: Name,
    pub(super) originator_party: Option<u32>,
    pub(super) seal: Seal,
    pub(super) fields: FieldMask,
    pub(super) field_seals: Box<[(Seal, FieldMask)]>,
    pub(super) valid_until: Option<Timestamp>,
    pub(super) provider_limit: Option<Timestamp>,
}

/// The yes-or-no properties of a record that tests look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stops {
    pub(super) recalled: bool,
    pub(super) concealed: bool,
    pub(super) tainted: bool,
    pub(super) restricted: bool,
    pub(super) orcon: bool,
    pub(super) personal: bool,
    pub(super) neutrality_open: bool,
    pub(super) h1: bool,
}

/// Who designates the group a record concerns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Designators {
    pub(super) un: bool,
    pub(super) parties: WordMask,
}

impl Prepared {
    /// The record it was made from.
    #[must_use]
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// The same with its validity ended at this instant.
    pub(crate) fn ended(&self, now: Timestamp) -> Self {
        Self { valid_until: Some(now), ..self.clone() }
    }
}

impl Engine {
    /// Compiles a record. Cost: linear in its fields and markings.
    #[must_use]
    pub fn prepare(&self, record: &Record) -> Prepared {
        let tables = &self.tables;
        let (places, field_seals) = self.places(record);
        let mut fields = FieldMask::EMPTY;
        places.iter().for_each(|place| fields.insert(*place));
        Prepared {
            stamp: self.stamp,
            id: record.id.clone(),
            kind: tables.types.id(&record.kind),
            subject: tables.subjects.id(&record.subject),
            operation: record.operation.as_ref().map_or(ABSENT, |o| tables.operations.id(o)),
            grade: record.grade.unwrap_or(Grade::UNASSESSED).parts(),
            tlp: record.marks.tlp.unwrap_or(Tlp::Clear) as u8,
            stops: stops(record),
            flags: tables.flags.mask(&record.flags),
            group: record.group.as_ref().and_then(|g| designators(g, &self.vocabulary, tables)),
            originator: tables.agency(&record.originator),
            originator_party: self.party_number(&record.originator),
            seal: Seal::new(&record.marks, tables, &self.labels),
            fields,
            field_seals,
            valid_until: record.valid_until,
            provider_limit: record.provider_limit,
        }
    }

    /// The level a record's own label resolves to; nothing when it does not resolve.
    #[must_use]
    pub fn level(&self, marks: &Marks) -> Option<u8> {
        let level = self.labels.level(marks.class.as_ref());
        u8::try_from(level).ok().filter(|_| level != LEVEL_UNKNOWN)
    }

    /// The number of the party an agency acts for, as the vocabulary has it.
    pub(super) fn party_number(&self, agency: &AgencyId) -> Option<u32> {
        let party = self.vocabulary.actors.get(agency)?.party()?;
        Some(self.tables.parties.id(party.as_str())).filter(|id| *id != UNKNOWN)
    }

    /// The mask place of each field, in the record's own order, and the marked places.
    pub(super) fn places(&self, record: &Record) -> (Vec<u32>, Box<[(Seal, FieldMask)]>) {
        let plain = Marks::default();
        let mut distinct: Vec<&Marks> = Vec::new();
        let mut seals: Vec<(Seal, FieldMask)> = Vec::new();
        let mut places = Vec::with_capacity(record.fields.len());
        for field in record.fields.keys() {
            let known = self.tables.fields.id(field);
            let marks = record.field_marks.get(field).filter(|marks| **marks != plain);
            let Some(marks) = marks else {
                places.push(if known == UNKNOWN { PLACE_PLAIN } else { known });
                continue;
            };
            let group = distinct.iter().position(|other| *other == marks).unwrap_or_else(|| {
                if distinct.len() < GROUPS_MAX {
                    distinct.push(marks);
                }
                seals.push((seal(marks, &self.tables, &self.labels), FieldMask::EMPTY));
                seals.len().saturating_sub(1)
            });
            let own = u32::try_from(group.min(GROUPS_MAX)).unwrap_or(0).saturating_add(1);
            let place = if known == UNKNOWN { PLACE_PLAIN.saturating_add(own) } else { known };
            if let Some((_, mask)) = seals.get_mut(group) {
                mask.insert(place);
            }
            places.push(place);
        }
        (places, seals.into_boxed_slice())
    }
}

fn seal(marks: &Marks, tables: &Tables, labels: &Labels) -> Seal {
    Seal::new(marks, tables, labels)
}

fn stops(record: &Record) -> Stops {
    Stops {
        recalled: record.stops.recalled,
        concealed: record.stops.concealed,
        tainted: record.stops.tainted,
        restricted: record.stops.restricted,
        orcon: record.stops.orcon,
        personal: record.is_personal(),
        neutrality_open: matches!(record.neutrality, Neutrality::Pending | Neutrality::Failed),
        h1: record.handling.contains(HANDLING_H1),
    }
}

fn designators(group: &str, vocabulary: &Vocabulary, tables: &Tables) -> Option<Designators> {
    let by = &vocabulary.groups.get(group)?.designated_by;
    Some(Designators { un: by.contains(DESIGNATOR_UN), parties: tables.parties.mask(by) })
}
