//! Words to numbers: one table for each finite domain, each with its limit. Pure.

use super::CompileError;
use super::bits::Bits;
use model::agreement::Agreement;
use model::ids::{AgencyId, PartyId};
use model::vocabulary::Vocabulary;
use std::collections::BTreeMap;

/// LIMIT: most field names the agreements and the vocabulary may name together.
pub const FIELDS_MAX: usize = 448;
/// LIMIT: most distinct words in each other finite domain (types, purposes, acts, subjects, flags,
/// facts, caveats, obligations, parties).
pub const WORDS_MAX: usize = 256;
/// LIMIT: most agreements in force between one pair of agencies.
pub const AGREEMENTS_PER_PAIR_MAX: usize = 128;

/// Bits for fields: 448 known names and 64 places for names only the record knows.
pub type FieldMask = Bits<8>;
/// Bits for every other domain.
pub type WordMask = Bits<4>;

/// A word no table knows; it is in no set.
pub(super) const UNKNOWN: u32 = u32::MAX - 1;
/// No word was given.
pub(super) const ABSENT: u32 = u32::MAX;

/// Words of one domain, numbered from 0.
#[derive(Debug, Default)]
pub(super) struct Table {
    ids: BTreeMap<String, u32>,
    names: Vec<String>,
}

impl Table {
    fn intern(&mut self, word: &str, what: &'static str, max: usize) -> Result<(), CompileError> {
        if self.ids.contains_key(word) {
            return Ok(());
        }
        let limit = CompileError::Limit { what, limit: max };
        if self.names.len() >= max {
            return Err(limit);
        }
        let id = u32::try_from(self.names.len()).map_err(|_| limit)?;
        self.ids.insert(word.to_owned(), id);
        self.names.push(word.to_owned());
        Ok(())
    }

    /// The number of a word, or [`UNKNOWN`].
    pub(super) fn id(&self, word: &str) -> u32 {
        self.ids.get(word).copied().unwrap_or(UNKNOWN)
    }

    pub(super) fn name(&self, id: u32) -> Option<&str> {
        self.names.get(id as usize).map(String::as_str)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn mask<'a, const N: usize>(
        &self,
        words: impl IntoIterator<Item = &'a String>,
    ) -> Bits<N> {
        let mut bits = Bits::EMPTY;
        for word in words {
            bits.insert(self.id(word));
        }
        bits
    }

    pub(super) fn parties<'a>(&self, ids: impl IntoIterator<Item = &'a PartyId>) -> WordMask {
        let mut bits = WordMask::EMPTY;
        for id in ids {
            bits.insert(self.id(id.as_str()));
        }
        bits
    }
}

/// An agency by number, or by name where no table knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Known(u32),
    Other(AgencyId),
}

/// All tables of one engine.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) fields: Table,
    pub(super) types: Table,
    pub(super) purposes: Table,
    pub(super) offences: Table,
    pub(super) subjects: Table,
    pub(super) flags: Table,
    pub(super) facts: Table,
    pub(super) caveats: Table,
    pub(super) obligations: Table,
    pub(super) parties: Table,
    pub(super) operations: Table,
    pub(super) agencies: Table,
}

impl Tables {
    /// Numbers every word of the vocabulary and the agreements, in their order.
    pub(super) fn new(
        vocabulary: &Vocabulary,
        agreements: &[Agreement],
    ) -> Result<Self, CompileError> {
        let mut tables = Self::default();
        tables.reserve()?;
        for (id, actor) in &vocabulary.actors {
            tables.agencies.intern(id.as_str(), "agencies", usize::MAX)?;
            if let Some(party) = actor.party() {
                tables.parties.intern(party.as_str(), "parties", WORDS_MAX)?;
            }
        }
        for field in &vocabulary.special_categories {
            tables.fields.intern(field, "fields", FIELDS_MAX)?;
        }
        for agreement in agreements {
            tables.agreement(agreement)?;
        }
        Ok(tables)
    }

    fn reserve(&mut self) -> Result<(), CompileError> {
        use crate::terms as t;
        for flag in [t::FLAG_POLITICAL, t::FLAG_DISCRIMINATION, t::FLAG_NE_BIS_IN_IDEM] {
            self.flags.intern(flag, "flags", WORDS_MAX)?;
        }
        for caveat in [t::CAVEAT_ONWARD_CONSENT, t::CAVEAT_NO_ONWARD] {
            self.caveats.intern(caveat, "caveats", WORDS_MAX)?;
        }
        Ok(())
    }

    fn agreement(&mut self, agreement: &Agreement) -> Result<(), CompileError> {
        for party in &agreement.parties {
            self.parties.intern(party.id.as_str(), "parties", WORDS_MAX)?;
            for agency in &party.agencies {
                self.agencies.intern(agency.as_str(), "agencies", usize::MAX)?;
            }
        }
        if let Some(operation) = &agreement.operation {
            self.operations.intern(operation, "operations", usize::MAX)?;
        }
        words(&mut self.caveats, "caveats", &agreement.defaults.caveats)?;
        for article in &agreement.articles {
            let when = &article.when;
            words(&mut self.types, "record types", when.object_types.iter().flatten())?;
            words(&mut self.purposes, "purposes", when.purposes.iter().flatten())?;
            words(&mut self.offences, "acts", when.offences.iter().flatten())?;
            words(&mut self.subjects, "data subjects", when.subjects.iter().flatten())?;
            words(&mut self.flags, "flags", when.flags.iter().flatten())?;
            words(&mut self.facts, "facts", &article.requires)?;
            words(&mut self.caveats, "caveats", &article.caveats)?;
            words(&mut self.obligations, "obligations", &article.obligations)?;
            let fields = article.redact.iter().chain(article.fields.iter().flatten());
            for field in fields {
                self.fields.intern(field, "fields", FIELDS_MAX)?;
            }
            for party in article.from.iter().chain(&article.to).flatten() {
                self.parties.intern(party.as_str(), "parties", WORDS_MAX)?;
            }
        }
        Ok(())
    }

    pub(super) fn agency(&self, id: &AgencyId) -> Name {
        match self.agencies.id(id.as_str()) {
            UNKNOWN => Name::Other(id.clone()),
            known => Name::Known(known),
        }
    }
}

fn words<'a>(
    table: &mut Table,
    what: &'static str,
    list: impl IntoIterator<Item = &'a String>,
) -> Result<(), CompileError> {
    list.into_iter().try_for_each(|word| table.intern(word, what, WORDS_MAX))
}
