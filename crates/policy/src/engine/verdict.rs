//! The hot path: one record, one question, every test, no allocation. Pure.
//!
//! INVARIANT: every failing test is noted, whatever failed before; the first in the order of
//! [`Reason`] is the reason. SOURCE: docs/reference/decisions.md steps 1 to 12.

use super::answer::{Chosen, Failures, Levels, Verdict};
use super::question::{Candidate, Question, Slots, miss};
use super::question::{DISCRIMINATION, DUAL, NE_BIS, POLITICAL};
use super::record::Prepared;
use super::tables::{ABSENT, FieldMask, WordMask};
use super::{ArticleKey, Engine};
use crate::terms::{FLAG_DISCRIMINATION, FLAG_NE_BIS_IN_IDEM, FLAG_POLITICAL};
use model::agreement::{DesignationRule, Effect, Level};
use model::decision::{Outcome, Reason, RefusalMode};
use model::ids::AgreementId;
use model::marking::Tlp;
use model::time::Timestamp;

/// What the record and the question make of conditions, apart from single articles.
pub(super) struct Facts {
    flags: WordMask,
    /// Computed requirements that are not met.
    pub(super) lacking: u8,
    both_or_un: bool,
    provider: bool,
}

/// Which allow articles count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope {
    pub(super) slots: Slots,
    pub(super) lifting_only: bool,
}

/// What the articles say, before they are weighed.
#[derive(Debug, Default)]
struct Scan {
    denied: bool,
    matched: Slots,
    granted: Levels,
    lifted: Levels,
    near: u8,
}

/// What is left after weighing: whose articles grant, and at which level each.
pub(super) struct Weighed {
    pub(super) scope: Scope,
    pub(super) granting: Levels,
    pub(super) blocking: Slots,
}

impl Engine {
    /// Answers. Cost: linear in the articles of the pair that can concern the record's type;
    /// allocates nothing. A record or question of another engine is refused.
    #[must_use]
    pub fn verdict(&self, record: &Prepared, question: &Question) -> Verdict {
        match self.tried(record, question) {
            Ok(weighed) => self.grant(record, question, &weighed),
            Err(failed) => refusal(record, failed),
        }
    }

    /// Whether anything may go: every test of a verdict, without what shapes a grant.
    pub(super) fn may(&self, record: &Prepared, question: &Question) -> bool {
        self.tried(record, question).is_ok()
    }

    /// What grants, or every failing test.
    fn tried(&self, record: &Prepared, question: &Question) -> Result<Weighed, Failures> {
        if record.stamp != self.stamp || question.stamp != self.stamp {
            let mut failed = Failures::NONE;
            failed.note(Reason::UnknownMarking);
            return Err(failed);
        }
        let (failed, weighed) = self.weigh(record, question);
        if failed.is_empty() { Ok(weighed) } else { Err(failed) }
    }

    /// Runs every test up to the choice of articles.
    pub(super) fn weigh(&self, record: &Prepared, question: &Question) -> (Failures, Weighed) {
        let mut failed = floors(record, question);
        failed.add(record.seal.failures(&question.to, record.originator_party, &[]));
        let facts = self.facts(record, question);
        let consented = self.consented(record, question);
        let mut scope = Scope { slots: consented.unwrap_or(Slots::MAX), lifting_only: false };
        let scan = scan(record, question, &facts, scope.slots);
        if consented.is_none() {
            scope.lifting_only = scan.lifted.any() != 0;
            if !scope.lifting_only {
                let strict = record.tlp >= Tlp::Amber as u8;
                failed.note(if strict { Reason::Tlp } else { Reason::OriginatorConsent });
            }
        }
        let h1 = record.stops.h1 && question.prosecution && !question.evidence_permission;
        failed.note_if(h1, Reason::HandlingH1);
        let (mut granting, mut blocking) =
            if scope.lifting_only { (scan.lifted, 0) } else { (scan.granted, scan.matched) };
        blocking &= !granting.any();
        if question.effective.is_empty() {
            failed.note(Reason::NoAgreement);
        } else {
            failed.note_if(scan.denied, Reason::DenyArticle);
            let displaced = displaced(question, granting.any());
            granting = granting.only(!displaced);
            blocking &= !displaced;
            if blocking != 0 {
                failed.note(Reason::RequirementUnmet);
            } else if granting.any() == 0 {
                failed.note(near_miss(scan.near));
            }
        }
        (failed, Weighed { scope, granting: granting.highest(), blocking })
    }

    pub(super) fn facts(&self, record: &Prepared, question: &Question) -> Facts {
        let flags = record.flags.union(&question.flags);
        let flagged = |flag| flags.contains(self.tables.flags.id(flag));
        let mut lacking = 0;
        if !question.dual {
            lacking |= DUAL;
        }
        if !question.convention && flagged(FLAG_POLITICAL) {
            lacking |= POLITICAL;
        }
        if flagged(FLAG_DISCRIMINATION) {
            lacking |= DISCRIMINATION;
        }
        if flagged(FLAG_NE_BIS_IN_IDEM) {
            lacking |= NE_BIS;
        }
        let by = |party: Option<u32>| {
            record.group.zip(party).is_some_and(|(group, p)| group.parties.contains(p))
        };
        let provider = by(question.holder_party);
        let un = record.group.is_some_and(|group| group.un);
        Facts { flags, lacking, both_or_un: un || (provider && by(question.to.party)), provider }
    }

    /// The agreements whose articles count by the originator's consent; nothing without consent.
    fn consented(&self, record: &Prepared, question: &Question) -> Option<Slots> {
        if record.originator == question.holder {
            return Some(Slots::MAX);
        }
        let mut slots = self.standing(record, question);
        for permission in &question.permissions {
            let object = permission.object.as_ref().is_none_or(|object| *object == record.id);
            if permission.originator != record.originator || !object {
                continue;
            }
            match &permission.agreement {
                None => return Some(Slots::MAX),
                Some(agreement) => slots |= self.slots_of(agreement, question),
            }
        }
        Some(slots).filter(|slots| *slots != 0)
    }

    /// The effective versions of one agreement.
    fn slots_of(&self, agreement: &AgreementId, question: &Question) -> Slots {
        let is = |number: u32| {
            self.agreements.get(number as usize).is_some_and(|known| known.id == *agreement)
        };
        let effective = question.effective.iter().filter(|e| is(e.agreement));
        effective.fold(0, |slots, e| slots | e.slot)
    }

    /// Agreements whose standing consent covers this record.
    fn standing(&self, record: &Prepared, question: &Question) -> Slots {
        let super::tables::Name::Known(originator) = record.originator else { return 0 };
        if record.stops.orcon {
            return 0;
        }
        let covers = |agreement: u32| {
            self.rules.get(agreement as usize).is_some_and(|rules| {
                rules.operation == record.operation
                    && rules.signed.binary_search(&originator).is_ok()
            })
        };
        let standing = question.effective.iter().filter(|e| e.standing && covers(e.agreement));
        standing.fold(0, |slots, e| slots | e.slot)
    }

    fn grant(&self, record: &Prepared, question: &Question, weighed: &Weighed) -> Verdict {
        let mut verdict = Verdict {
            outcome: Outcome::Release,
            reason: Reason::Granted,
            refusal_mode: RefusalMode::Stated,
            failed: Failures::NONE,
            withheld: FieldMask::EMPTY,
            caveats: WordMask::EMPTY,
            obligations: WordMask::EMPTY,
            chosen: Chosen::default(),
            retention_until: earlier(record.provider_limit, record.valid_until),
        };
        for effective in &question.effective {
            let rules = self.rules.get(effective.agreement as usize);
            if let Some(rules) = rules.filter(|_| weighed.granting.any() & effective.slot != 0) {
                verdict.caveats.add(&rules.caveats);
            }
        }
        let facts = self.facts(record, question);
        for candidate in contributing(record, question, &facts, weighed) {
            self.contribute(candidate, &mut verdict);
        }
        self.withhold(record, question, &mut verdict);
        let all = verdict.withheld == record.fields && !record.fields.is_empty();
        if all || weighed.granting.lowest() == Level::HitOnly {
            verdict.withheld = record.fields;
            (verdict.outcome, verdict.reason) = (Outcome::HitOnly, Reason::HitOnly);
        } else if !verdict.withheld.is_empty() {
            (verdict.outcome, verdict.reason) = (Outcome::Redact, Reason::GrantedRedacted);
        }
        verdict
    }

    fn contribute(&self, candidate: &Candidate, verdict: &mut Verdict) {
        let ArticleKey { agreement, article } = candidate.key;
        let rules = self.rules.get(agreement as usize);
        let Some(rule) = rules.and_then(|r| r.articles.get(article as usize)) else { return };
        verdict.caveats.add(&rule.caveats);
        verdict.obligations.add(&rule.obligations);
        if rule.effect == Effect::Oblige {
            return;
        }
        verdict.withheld.add(&rule.redact);
        if let Some(fields) = &rule.fields {
            verdict.withheld.add_all_but(fields);
        }
        verdict.chosen.push(candidate.key);
        verdict.retention_until = earlier(verdict.retention_until, candidate.keep_until);
    }

    /// Adds what markings and special categories withhold, and keeps to the record's fields.
    fn withhold(&self, record: &Prepared, question: &Question, verdict: &mut Verdict) {
        if !question.special_allowed {
            verdict.withheld.add(&self.special);
        }
        for (seal, fields) in &record.field_seals {
            let named = &record.seal.named;
            if !seal.failures(&question.to, record.originator_party, named).is_empty() {
                verdict.withheld.add(fields);
            }
        }
        verdict.withheld.keep(&record.fields);
    }
}

/// Steps 1 and 2: the record's own state, and the floors no agreement lifts.
fn floors(record: &Prepared, question: &Question) -> Failures {
    let stops = &record.stops;
    let mut failed = Failures::NONE;
    failed.note_if(stops.recalled, Reason::Recalled);
    failed.note_if(record.valid_until.is_some_and(|t| t <= question.now), Reason::Expired);
    failed.note_if(stops.concealed, Reason::Concealed);
    failed.note_if(stops.tainted, Reason::TaintedSource);
    failed.note_if(stops.restricted, Reason::RestrictedProcessing);
    failed.note_if(stops.personal && question.torture, Reason::HrTortureRisk);
    let capital = question.capital && (stops.personal || question.prosecution);
    failed.note_if(capital, Reason::HrDeathPenalty);
    failed.note_if(stops.neutrality_open, Reason::Neutrality);
    failed
}

/// What a candidate misses for this record.
#[inline]
fn misses(candidate: &Candidate, record: &Prepared, facts: &Facts) -> u8 {
    let flag = |missed: bool, bit: u8| if missed { bit } else { 0 };
    let (source, information) = candidate.min_grade;
    let designated = match candidate.designation {
        None | Some(DesignationRule::ActOnly) => true,
        Some(DesignationRule::BothOrUn) => facts.both_or_un,
        Some(DesignationRule::Provider) => facts.provider,
    };
    let subject = candidate.subjects.as_ref().is_none_or(|s| s.contains(record.subject));
    let operation = candidate.operation == ABSENT || candidate.operation == record.operation;
    let flagged = candidate.flags.as_ref().is_none_or(|f| f.meets(&facts.flags));
    candidate.misses
        | flag(record.grade.0 > source || record.grade.1 > information, miss::GRADE)
        | flag(!designated, miss::DESIGNATION)
        | flag(
            record.seal.level > candidate.max_class || record.tlp > candidate.max_tlp,
            miss::CEILING,
        )
        | flag(!subject, miss::SUBJECT)
        | flag(!operation || !flagged, miss::HARD)
}

fn granted(candidate: &Candidate, facts: &Facts) -> bool {
    !candidate.facts_missing && candidate.computed & facts.lacking == 0
}

fn scan(record: &Prepared, question: &Question, facts: &Facts, counted: Slots) -> Scan {
    let mut out = Scan::default();
    for candidate in question.candidates(record.kind) {
        let missed = misses(candidate, record, facts);
        match candidate.effect {
            Effect::Deny => out.denied |= missed == 0,
            Effect::Oblige => {}
            Effect::Allow(_) if candidate.slot & counted == 0 => {}
            Effect::Allow(level) if missed == 0 => {
                if !candidate.lifts {
                    out.matched |= candidate.slot;
                }
                if granted(candidate, facts) {
                    out.granted.note(level, candidate.slot);
                    if candidate.lifts {
                        out.lifted.note(level, candidate.slot);
                    }
                }
            }
            Effect::Allow(_) => {
                if !candidate.lifts && missed.is_power_of_two() {
                    out.near |= missed;
                }
            }
        }
    }
    out
}

/// The articles that shape a grant: chosen allow articles and matching oblige articles.
pub(super) fn contributing<'a>(
    record: &'a Prepared,
    question: &'a Question,
    facts: &'a Facts,
    weighed: &'a Weighed,
) -> impl Iterator<Item = &'a Candidate> {
    question.candidates(record.kind).filter(move |candidate| {
        let counts = match candidate.effect {
            Effect::Deny => false,
            Effect::Oblige => weighed.granting.any() & candidate.slot != 0,
            Effect::Allow(level) => {
                weighed.granting.has(level, candidate.slot)
                    && (candidate.lifts || !weighed.scope.lifting_only)
                    && granted(candidate, facts)
            }
        };
        counts && misses(candidate, record, facts) == 0
    })
}

/// Articles of one effect that match, and allow articles that count but lack a requirement.
pub(super) fn matching<'a>(
    record: &'a Prepared,
    question: &'a Question,
    facts: &'a Facts,
) -> impl Iterator<Item = &'a Candidate> {
    question.candidates(record.kind).filter(move |c| misses(c, record, facts) == 0)
}

/// Agreements whose outcome another granting agreement takes precedence over.
fn displaced(question: &Question, granting: Slots) -> Slots {
    let active = question.effective.iter().filter(|e| e.slot & granting != 0);
    active.fold(0, |slots, e| slots | e.displaces)
}

/// The first group of conditions that, dropped alone, would have made an article match.
fn near_miss(near: u8) -> Reason {
    let order = [
        (miss::GRADE, Reason::GradeTooLow),
        (miss::OFFENCE, Reason::OffenceNotCovered),
        (miss::DESIGNATION, Reason::DesignationDiverges),
        (miss::CEILING, Reason::Ceiling),
        (miss::SUBJECT, Reason::SubjectNotCovered),
        (miss::PURPOSE, Reason::PurposeNotCovered),
    ];
    order.into_iter().find(|(bit, _)| near & bit != 0).map_or(Reason::NoArticle, |(_, r)| r)
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// A refusal carries nothing but its reasons.
fn refusal(record: &Prepared, failed: Failures) -> Verdict {
    let concealed = record.stops.concealed;
    Verdict {
        outcome: Outcome::Refuse,
        reason: failed.first().unwrap_or(Reason::NoArticle),
        refusal_mode: if concealed { RefusalMode::AsNoMatch } else { RefusalMode::Stated },
        failed,
        withheld: FieldMask::EMPTY,
        caveats: WordMask::EMPTY,
        obligations: WordMask::EMPTY,
        chosen: Chosen::default(),
        retention_until: None,
    }
}
