//! From agreement documents to rules: words become bits, agencies become an index. Pure.

use super::labels::Labels;
use super::tables::{ABSENT, AGREEMENTS_PER_PAIR_MAX, FieldMask, Tables, UNKNOWN, WordMask};
use super::{CompileError, Engine};
use crate::terms::{CAVEAT_NO_ONWARD, CAVEAT_ONWARD_CONSENT, COMPUTED, ORIGINATOR_CONSENT};
use model::agreement::{Agreement, Article, DesignationRule, Effect, Onward, Status};
use model::ids::AgencyId;
use model::vocabulary::Vocabulary;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hasher as _};

/// A maximum that every value passes, known or not.
pub(super) const NO_CEILING: u16 = u16::MAX;

/// One agreement in force in which an agency takes part through a signed party.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    pub(super) agreement: u32,
    pub(super) party: u32,
}

/// One agreement, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) standing: bool,
    pub(super) operation: u32,
    pub(super) caveats: WordMask,
    pub(super) displaces: Vec<u32>,
    /// Agencies of signed parties, ascending.
    pub(super) signed: Vec<u32>,
    pub(super) articles: Vec<Rule>,
}

/// One article, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) effect: Effect,
    pub(super) lifts: bool,
    pub(super) types: Option<WordMask>,
    pub(super) purposes: Option<WordMask>,
    pub(super) offences: Option<WordMask>,
    pub(super) subjects: Option<WordMask>,
    pub(super) flags: Option<WordMask>,
    pub(super) from: Option<WordMask>,
    pub(super) to: Option<WordMask>,
    pub(super) max_class: u16,
    pub(super) max_tlp: u8,
    pub(super) min_grade: (u8, u8),
    pub(super) min_penalty_months: Option<u32>,
    pub(super) designation: Option<DesignationRule>,
    pub(super) redact: FieldMask,
    pub(super) fields: Option<FieldMask>,
    pub(super) requires: WordMask,
    /// Bit n is set when [`COMPUTED`] requirement n is asked for.
    pub(super) computed: u8,
    pub(super) caveats: WordMask,
    pub(super) obligations: WordMask,
}

pub(super) fn engine(
    vocabulary: &Vocabulary,
    mut agreements: Vec<Agreement>,
) -> Result<Engine, CompileError> {
    agreements.sort_by(|a, b| (&a.id, a.version).cmp(&(&b.id, b.version)));
    well_formed(&agreements)?;
    let tables = Tables::new(vocabulary, &agreements)?;
    let rules = agreements.iter().map(|a| rules(a, &agreements, &tables)).collect();
    let postings = postings(&agreements, &tables);
    pair_limit(&agreements, &postings)?;
    let special = tables.fields.mask(&vocabulary.special_categories);
    Ok(Engine {
        stamp: stamp(vocabulary, &agreements),
        vocabulary: vocabulary.clone(),
        labels: Labels::new(vocabulary),
        agreements,
        rules,
        postings,
        tables,
        special,
    })
}

fn well_formed(agreements: &[Agreement]) -> Result<(), CompileError> {
    for (one, next) in agreements.iter().zip(agreements.iter().skip(1)) {
        if one.id == next.id && one.version == next.version {
            let (agreement, version) = (one.id.clone(), one.version);
            return Err(CompileError::AgreementTwice { agreement, version });
        }
    }
    for agreement in agreements {
        let mut ids = BTreeSet::new();
        if let Some(article) = agreement.articles.iter().find(|a| !ids.insert(&a.id)) {
            let (agreement, article) = (agreement.id.clone(), article.id.clone());
            return Err(CompileError::ArticleTwice { agreement, article });
        }
        let mut listed = BTreeSet::new();
        let all = agreement.parties.iter().flat_map(|p| &p.agencies);
        for agency in all {
            if !listed.insert(agency) {
                let (agreement, agency) = (agreement.id.clone(), agency.clone());
                return Err(CompileError::AgencyTwice { agreement, agency });
            }
        }
    }
    Ok(())
}

/// INVARIANT: equal stamps mean equal numbering, so that a record or question compiled by another
/// engine is noticed and refused.
fn stamp(vocabulary: &Vocabulary, agreements: &[Agreement]) -> u64 {
    struct Feed(DefaultHasher);
    impl std::fmt::Write for Feed {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut feed = Feed(DefaultHasher::new());
    match write!(feed, "{vocabulary:?}{agreements:?}") {
        Ok(()) | Err(std::fmt::Error) => feed.0.finish(),
    }
}

fn rules(agreement: &Agreement, all: &[Agreement], tables: &Tables) -> Rules {
    let mut caveats: WordMask = tables.caveats.mask(&agreement.defaults.caveats);
    match agreement.defaults.onward {
        Onward::Forbidden => caveats.insert(tables.caveats.id(CAVEAT_NO_ONWARD)),
        Onward::OriginatorConsent => caveats.insert(tables.caveats.id(CAVEAT_ONWARD_CONSENT)),
        Onward::WithinAgreement => {}
    }
    let displaces = (0_u32..)
        .zip(all)
        .filter(|(_, other)| {
            let mutual = other.lex_specialis_over.contains(&agreement.id);
            agreement.lex_specialis_over.contains(&other.id) && !mutual
        })
        .map(|(n, _)| n)
        .collect();
    let signed_parties = agreement.parties.iter().filter(|p| p.signed);
    let mut signed: Vec<u32> = signed_parties
        .flat_map(|p| &p.agencies)
        .map(|agency| tables.agencies.id(agency.as_str()))
        .collect();
    signed.sort_unstable();
    Rules {
        standing: agreement.defaults.onward == Onward::WithinAgreement,
        operation: agreement.operation.as_ref().map_or(ABSENT, |o| tables.operations.id(o)),
        caveats,
        displaces,
        signed,
        articles: agreement.articles.iter().map(|a| rule(a, tables)).collect(),
    }
}

fn rule(article: &Article, tables: &Tables) -> Rule {
    let when = &article.when;
    let mut computed = 0_u8;
    for (bit, name) in [1_u8, 2, 4, 8].into_iter().zip(COMPUTED) {
        if article.requires.contains(name) {
            computed |= bit;
        }
    }
    let stated = article.requires.iter().filter(|r| !COMPUTED.contains(&r.as_str()));
    Rule {
        effect: article.effect,
        lifts: article.overrides.contains(ORIGINATOR_CONSENT),
        types: when.object_types.as_ref().map(|w| tables.types.mask(w)),
        purposes: when.purposes.as_ref().map(|w| tables.purposes.mask(w)),
        offences: when.offences.as_ref().map(|w| tables.offences.mask(w)),
        subjects: when.subjects.as_ref().map(|w| tables.subjects.mask(w)),
        flags: when.flags.as_ref().map(|w| tables.flags.mask(w)),
        from: article.from.as_ref().map(|p| tables.parties.parties(p)),
        to: article.to.as_ref().map(|p| tables.parties.parties(p)),
        max_class: when.max_class.map_or(NO_CEILING, u16::from),
        max_tlp: when.max_tlp.map_or(u8::MAX, |tlp| tlp as u8),
        min_grade: when.min_grade.map_or((u8::MAX, u8::MAX), model::grading::Grade::parts),
        min_penalty_months: when.min_penalty_months,
        designation: when.designation,
        redact: tables.fields.mask(&article.redact),
        fields: article.fields.as_ref().map(|f| tables.fields.mask(f)),
        requires: tables.facts.mask(stated),
        computed,
        caveats: tables.caveats.mask(&article.caveats),
        obligations: tables.obligations.mask(&article.obligations),
    }
}

fn postings(agreements: &[Agreement], tables: &Tables) -> BTreeMap<AgencyId, Vec<Posting>> {
    let mut out: BTreeMap<AgencyId, Vec<Posting>> = BTreeMap::new();
    let in_force = (0_u32..).zip(agreements).filter(|(_, a)| a.status == Status::InForce);
    for (number, agreement) in in_force {
        for party in agreement.parties.iter().filter(|p| p.signed) {
            let posting =
                Posting { agreement: number, party: tables.parties.id(party.id.as_str()) };
            debug_assert_ne!(posting.party, UNKNOWN);
            for agency in &party.agencies {
                out.entry(agency.clone()).or_default().push(posting);
            }
        }
    }
    out
}

/// LIMIT: a decision keeps its agreements in one 128-bit word.
fn pair_limit(
    agreements: &[Agreement],
    postings: &BTreeMap<AgencyId, Vec<Posting>>,
) -> Result<(), CompileError> {
    for (one, list) in postings.iter().filter(|(_, l)| l.len() > AGREEMENTS_PER_PAIR_MAX) {
        let mut shared: BTreeMap<&AgencyId, usize> = BTreeMap::new();
        let all = list.iter().filter_map(|p| agreements.get(p.agreement as usize));
        for other in all.flat_map(|a| &a.parties).filter(|p| p.signed).flat_map(|p| &p.agencies) {
            let count = shared.entry(other).or_default();
            *count = count.saturating_add(1);
        }
        let over = shared.into_iter().find(|(o, n)| *n > AGREEMENTS_PER_PAIR_MAX && *o != one);
        if let Some((other, _)) = over {
            let (one, other) = (one.clone(), other.clone());
            return Err(CompileError::PairLimit { one, other, limit: AGREEMENTS_PER_PAIR_MAX });
        }
    }
    Ok(())
}
