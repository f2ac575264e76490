//! A question compiled for one engine: who asks whom, for what, on which grounds, when. Pure.
//!
//! What the question alone settles (effective agreements, purposes, acts, stated facts, retention
//! instants) is settled here once, so that a verdict looks only at the record.

use super::compile::{Posting, Rule, Rules};
use super::marks::Recipient;
use super::tables::{Name, Table, WordMask};
use super::{ArticleKey, Engine};
use crate::terms as t;
use model::agreement::{DesignationRule, Effect};
use model::ids::{AgencyId, AgreementId, RecordId};
use model::request::{Ask, Consent};
use model::time::{Period, Timestamp};
use model::vocabulary::Risk;

/// One bit for each effective agreement of a question.
pub(super) type Slots = u128;

/// What an article misses, one bit for each group of conditions, in the order they are dropped.
pub(super) mod miss {
    pub(in super::super) const GRADE: u8 = 1;
    pub(in super::super) const OFFENCE: u8 = 2;
    pub(in super::super) const DESIGNATION: u8 = 4;
    pub(in super::super) const CEILING: u8 = 8;
    pub(in super::super) const SUBJECT: u8 = 16;
    pub(in super::super) const PURPOSE: u8 = 32;
    /// Type, parties, operation, flags: never dropped.
    pub(in super::super) const HARD: u8 = 64;
}

/// Bit of `dual_criminality` in a mask of computed requirements.
pub(super) const DUAL: u8 = 1;
/// Bit of `not_political_offence`.
pub(super) const POLITICAL: u8 = 2;
/// Bit of `not_discriminatory`.
pub(super) const DISCRIMINATION: u8 = 4;
/// Bit of `not_ne_bis_in_idem`.
pub(super) const NE_BIS: u8 = 8;

/// An article that the question does not rule out.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) key: ArticleKey,
    pub(super) slot: Slots,
    pub(super) effect: Effect,
    pub(super) lifts: bool,
    /// The one group of conditions the question itself misses, if any.
    pub(super) misses: u8,
    pub(super) facts_missing: bool,
    pub(super) computed: u8,
    pub(super) operation: u32,
    pub(super) max_class: u16,
    pub(super) max_tlp: u8,
    pub(super) min_grade: (u8, u8),
    pub(super) designation: Option<DesignationRule>,
    pub(super) subjects: Option<WordMask>,
    pub(super) flags: Option<WordMask>,
    pub(super) keep_until: Option<Timestamp>,
}

/// One effective agreement.
#[derive(Debug)]
pub(super) struct Effective {
    pub(super) slot: Slots,
    pub(super) agreement: u32,
    pub(super) displaces: Slots,
    pub(super) standing: bool,
}

/// A consent that fits the recipient, the purpose and the day.
#[derive(Debug)]
pub(super) struct Permission {
    pub(super) originator: Name,
    pub(super) object: Option<RecordId>,
    /// Only the articles of this agreement count by it.
    pub(super) agreement: Option<AgreementId>,
}

/// A question as the engine sees it. Valid only for the engine that made it; any other engine
/// refuses it.
#[derive(Debug)]
pub struct Question {
    pub(super) stamp: u64,
    pub(super) now: Timestamp,
    pub(super) holder: Name,
    pub(super) holder_party: Option<u32>,
    pub(super) to: Recipient,
    pub(super) torture: bool,
    pub(super) capital: bool,
    pub(super) prosecution: bool,
    pub(super) evidence_permission: bool,
    pub(super) special_allowed: bool,
    pub(super) convention: bool,
    pub(super) dual: bool,
    pub(super) flags: WordMask,
    pub(super) facts: WordMask,
    pub(super) permissions: Vec<Permission>,
    pub(super) effective: Vec<Effective>,
    candidates: Vec<Candidate>,
    /// Record type → candidates that name it; the last row is for every type.
    by_type: Vec<Vec<u32>>,
}

impl Question {
    /// Candidates that can concern a record of this type.
    pub(super) fn candidates(&self, kind: u32) -> impl Iterator<Item = &Candidate> {
        let own = self.by_type.get(kind as usize).filter(|_| self.knows(kind));
        let any = self.by_type.last();
        let numbers = own.into_iter().chain(any).flatten();
        numbers.filter_map(|n| self.candidates.get(*n as usize))
    }

    fn knows(&self, kind: u32) -> bool {
        (kind as usize) < self.by_type.len().saturating_sub(1)
    }

    /// How many agreements are effective between the two agencies at the instant asked for.
    #[must_use]
    pub fn agreements(&self) -> usize {
        self.effective.len()
    }
}

impl Engine {
    /// Compiles a question. Cost: linear in the articles of the agreements between holder and
    /// recipient.
    #[must_use]
    pub fn put(&self, ask: &Ask) -> Question {
        let facts = &ask.grounds.facts;
        let mut question = Question {
            stamp: self.stamp,
            now: ask.now,
            holder: self.tables.agency(&ask.holder),
            holder_party: self.party_number(&ask.holder),
            to: self.recipient(&ask.recipient),
            torture: self.torture_risk(&ask.recipient),
            capital: self.capital(ask),
            prosecution: ask.purpose == t::PURPOSE_PROSECUTION,
            evidence_permission: facts.contains(t::FACT_EVIDENCE_PERMISSION),
            special_allowed: facts.contains(t::FACT_NECESSITY)
                && facts.contains(t::FACT_HUMAN_REVIEW),
            convention: self.convention(ask),
            dual: self.dual_criminality(ask),
            flags: self.tables.flags.mask(&ask.grounds.flags),
            facts: self.tables.facts.mask(facts),
            permissions: self.permissions(ask),
            effective: Vec::new(),
            candidates: Vec::new(),
            by_type: vec![Vec::new(); self.tables.types.len().saturating_add(1)],
        };
        self.resolve(ask, &mut question);
        question
    }

    pub(super) fn recipient(&self, agency: &AgencyId) -> Recipient {
        Recipient {
            name: self.tables.agency(agency),
            party: self.party_number(agency),
            cleared_to: self.vocabulary.actors.get(agency).map(|a| u16::from(a.cleared_to)),
        }
    }

    fn torture_risk(&self, agency: &AgencyId) -> bool {
        let actor = self.vocabulary.actors.get(agency);
        actor.and_then(|a| a.state.as_ref()).is_some_and(|state| {
            let known = self.vocabulary.states.get(state);
            known.is_none_or(|s| s.torture_risk == Risk::Serious)
        })
    }

    fn capital(&self, ask: &Ask) -> bool {
        let actor = self.vocabulary.actors.get(&ask.recipient);
        let state = actor.and_then(|a| a.state.as_ref());
        let record = state.and_then(|s| self.vocabulary.states.get(s));
        let kept = record.zip(ask.grounds.offence.as_ref());
        kept.is_some_and(|(s, offence)| s.death_penalty_for.contains(offence))
            && !ask.grounds.facts.contains(t::FACT_NO_DEATH_PENALTY)
    }

    fn convention(&self, ask: &Ask) -> bool {
        let offence = ask.grounds.offence.as_ref();
        offence.and_then(|o| self.vocabulary.offences.get(o)).is_some_and(|o| o.convention)
    }

    /// The maximum penalty for the act under the law of an agency's state, in months.
    fn penalty_months(&self, agency: &AgencyId, offence: Option<&String>) -> Option<u32> {
        let state = self.vocabulary.actors.get(agency)?.state.as_ref()?;
        self.vocabulary.catalogue.get(state)?.get(offence?).copied()
    }

    fn dual_criminality(&self, ask: &Ask) -> bool {
        let offence = ask.grounds.offence.as_ref();
        self.penalty_months(&ask.holder, offence).is_some()
            && self.penalty_months(&ask.recipient, offence).is_some()
    }

    fn permissions(&self, ask: &Ask) -> Vec<Permission> {
        let fits = |c: &&Consent| {
            c.recipient == ask.recipient
                && c.purpose.as_ref().is_none_or(|p| *p == ask.purpose)
                && c.from.is_none_or(|from| from <= ask.now)
                && c.until.is_none_or(|until| ask.now < until)
        };
        let permission = |c: &Consent| Permission {
            originator: self.tables.agency(&c.originator),
            object: c.object.clone(),
            agreement: c.agreement.clone(),
        };
        ask.grounds.consents.iter().filter(fits).map(permission).collect()
    }

    /// Agreements in force in which both agencies take part through signed parties.
    fn resolve(&self, ask: &Ask, question: &mut Question) {
        let none: &[Posting] = &[];
        let list = |agency| self.postings.get(agency).map_or(none, Vec::as_slice);
        let (holder, recipient) = (list(&ask.holder), list(&ask.recipient));
        let mut pairs: Vec<(u32, u32, u32)> = Vec::new();
        for one in holder {
            let at = recipient.binary_search_by_key(&one.agreement, |p| p.agreement);
            let other = at.ok().and_then(|n| recipient.get(n));
            let agreement = self.agreements.get(one.agreement as usize);
            if let Some(other) = other
                && agreement.is_some_and(|a| a.in_force(ask.now))
            {
                pairs.push((one.agreement, one.party, other.party));
            }
        }
        let slot = |n: u32| 1_u128.wrapping_shl(n);
        for (n, (agreement, from, to)) in (0_u32..).zip(&pairs) {
            let Some(rules) = self.rules.get(*agreement as usize) else { continue };
            let hit = |(_, (other, _, _)): &(u32, &(u32, u32, u32))| {
                rules.displaces.binary_search(other).is_ok()
            };
            let displaced = (0_u32..).zip(&pairs).filter(hit);
            question.effective.push(Effective {
                slot: slot(n),
                agreement: *agreement,
                displaces: displaced.fold(0, |mask, (m, _)| mask | slot(m)),
                standing: rules.standing,
            });
            let place = Place { agreement: *agreement, slot: slot(n), from: *from, to: *to };
            self.enlist(ask, rules, place, question);
        }
    }

    fn enlist(&self, ask: &Ask, rules: &Rules, place: Place, question: &mut Question) {
        let purpose = self.tables.purposes.id(&ask.purpose);
        let offence = ask.grounds.offence.as_ref();
        let act = offence.map_or(super::tables::UNKNOWN, |o| self.tables.offences.id(o));
        let penalty = self.penalty_months(&ask.recipient, offence);
        for (article, rule) in (0_u32..).zip(&rules.articles) {
            let side = |list: &Option<WordMask>, id| list.is_none_or(|l| l.contains(id));
            if !side(&rule.from, place.from) || !side(&rule.to, place.to) {
                continue;
            }
            let mut misses = 0_u8;
            let enough = rule.min_penalty_months.is_none_or(|n| penalty.is_some_and(|p| p >= n));
            if !side(&rule.offences, act) || !enough {
                misses |= miss::OFFENCE;
            }
            if !side(&rule.purposes, purpose) {
                misses |= miss::PURPOSE;
            }
            // Two missed groups can never be cured by dropping one, and only plain allow
            // articles are looked at for near misses.
            let plain = matches!(rule.effect, Effect::Allow(_)) && !rule.lifts;
            if misses == miss::OFFENCE | miss::PURPOSE || (misses != 0 && !plain) {
                continue;
            }
            let key = ArticleKey { agreement: place.agreement, article };
            let candidate = self.candidate(rule, key, question, (place.slot, misses));
            enroll(question, candidate, rule.types.as_ref(), &self.tables.types);
        }
    }

    fn candidate(
        &self,
        rule: &Rule,
        key: ArticleKey,
        question: &Question,
        (slot, misses): (Slots, u8),
    ) -> Candidate {
        let operation = self.rules.get(key.agreement as usize).map(|r| r.operation);
        let period = self.article(key).and_then(|(agreement, article)| {
            article.retention.as_ref().or(agreement.defaults.retention.as_ref())
        });
        Candidate {
            key,
            slot,
            effect: rule.effect,
            lifts: rule.lifts,
            misses,
            facts_missing: !rule.requires.minus(&question.facts).is_empty(),
            computed: rule.computed,
            operation: operation.unwrap_or(super::tables::UNKNOWN),
            max_class: rule.max_class,
            max_tlp: rule.max_tlp,
            min_grade: rule.min_grade,
            designation: rule.designation,
            subjects: rule.subjects,
            flags: rule.flags,
            keep_until: period.map(|p| keep_until(question.now, p)),
        }
    }
}

#[derive(Clone, Copy)]
struct Place {
    agreement: u32,
    slot: Slots,
    from: u32,
    to: u32,
}

fn enroll(question: &mut Question, candidate: Candidate, types: Option<&WordMask>, all: &Table) {
    let Ok(number) = u32::try_from(question.candidates.len()) else { return };
    match types {
        Some(types) => {
            for kind in types.iter() {
                if let Some(row) = question.by_type.get_mut(kind as usize) {
                    row.push(number);
                }
            }
        }
        None => {
            if let Some(row) = question.by_type.get_mut(all.len()) {
                row.push(number);
            }
        }
    }
    question.candidates.push(candidate);
}

/// The last instant the calendar knows, in microseconds.
const CALENDAR_END_MICROS: i64 = 253_402_207_200_999_999;

/// `now` plus a period; a period that runs past the calendar ends with it.
pub(crate) fn keep_until(now: Timestamp, period: &Period) -> Timestamp {
    let end = || Timestamp::from_micros(CALENDAR_END_MICROS).unwrap_or(now);
    now.plus(period).unwrap_or_else(|_| end())
}
