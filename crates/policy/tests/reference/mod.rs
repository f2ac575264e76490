//! A slow, plain evaluator of the decision rules: strings, sets and one function a step, written
//! from the text of the rules alone. The compiled engine must agree with it everywhere.

use model::agreement::{Agreement, Article, DesignationRule, Effect, Level, Onward, Party};
use model::decision::{Decision, Outcome, Reason, RefusalMode};
use model::grading::Grade;
use model::ids::{AgencyId, ArticleRef, PartyId};
use model::marking::{Marks, Tlp};
use model::record::{Neutrality, Record};
use model::request::Ask;
use model::time::{Period, Timestamp};
use model::vocabulary::{Actor, Risk, Vocabulary};
use std::collections::BTreeSet;

type Set = BTreeSet<String>;

pub fn decide(
    vocabulary: &Vocabulary,
    agreements: &[Agreement],
    record: &Record,
    ask: &Ask,
) -> Decision {
    World { v: vocabulary, all: agreements, r: record, a: ask }.decide()
}

struct World<'a> {
    v: &'a Vocabulary,
    all: &'a [Agreement],
    r: &'a Record,
    a: &'a Ask,
}

/// What one agreement says about this release.
struct Voice<'a> {
    agreement: &'a Agreement,
    granted: Vec<&'a Article>,
    blocked_by: Vec<&'a Article>,
}

/// Whose allow articles count.
enum Scope<'a> {
    All,
    These(Vec<&'a Agreement>),
    OverridesMet,
}

fn party_of<'a>(agreement: &'a Agreement, agency: &AgencyId) -> Option<&'a Party> {
    agreement.parties.iter().find(|p| p.agencies.contains(agency))
}

fn is_override(article: &Article) -> bool {
    article.overrides.contains("ORIGINATOR_CONSENT")
}

fn level_of(article: &Article) -> Option<Level> {
    match article.effect {
        Effect::Allow(level) => Some(level),
        _ => None,
    }
}

impl<'a> World<'a> {
    fn actor(&self, agency: &AgencyId) -> Option<&'a Actor> {
        self.v.actors.get(agency)
    }

    fn party(&self, agency: &AgencyId) -> Option<&'a PartyId> {
        let actor = self.actor(agency)?;
        actor.state.as_ref().or(actor.party.as_ref())
    }

    /// Exact comparison will do: the worlds write labels as the vocabulary does.
    fn level(&self, marks: &Marks) -> Option<u8> {
        match &marks.class {
            None => Some(0),
            Some(class) => self.v.classification.get(&class.scheme)?.get(&class.label).copied(),
        }
    }

    fn fact(&self, fact: &str) -> bool {
        self.a.grounds.facts.contains(fact)
    }

    fn flag(&self, flag: &str) -> bool {
        self.r.flags.contains(flag) || self.a.grounds.flags.contains(flag)
    }

    fn personal(&self) -> bool {
        self.r.kind == "person" || self.r.subject != "none"
    }

    fn mark_failures(&self, marks: &Marks) -> Vec<Reason> {
        let mut out = Vec::new();
        let recipient = self.party(&self.a.recipient);
        let originator = self.party(&self.r.originator);
        if marks.noforn && (recipient.is_none() || originator.is_none() || recipient != originator)
        {
            out.push(Reason::MarkNoforn);
        }
        if let Some(rel) = &marks.rel_to {
            if !recipient.is_some_and(|p| rel.contains(p)) {
                out.push(Reason::MarkRel);
            }
        }
        let cleared = match (self.actor(&self.a.recipient), self.level(marks)) {
            (Some(actor), Some(level)) => level <= actor.cleared_to,
            _ => false,
        };
        if !cleared {
            out.push(Reason::Clearance);
        }
        if marks.tlp == Some(Tlp::Red)
            && !marks.tlp_recipients.contains(&self.a.recipient)
            && !self.r.marks.tlp_recipients.contains(&self.a.recipient)
        {
            out.push(Reason::Tlp);
        }
        out
    }

    fn unknown(&self, marks: &Marks) -> bool {
        self.level(marks).is_none() || !marks.unresolved.is_empty()
    }

    fn effective(&self) -> Vec<&'a Agreement> {
        let signed = |a: &Agreement, agency| party_of(a, agency).is_some_and(|p| p.signed);
        self.all
            .iter()
            .filter(|a| {
                a.in_force(self.a.now) && signed(a, &self.a.holder) && signed(a, &self.a.recipient)
            })
            .collect()
    }

    /// The tests an article fails, by the name of the group they are dropped in; "hard" never is.
    fn misses(&self, agreement: &Agreement, article: &Article) -> BTreeSet<&'static str> {
        let (r, a, w) = (self.r, self.a, &article.when);
        let mut out = BTreeSet::new();
        let listed =
            |list: &Option<Set>, word: &str| list.as_ref().is_none_or(|l| l.contains(word));
        if !listed(&w.object_types, &r.kind) {
            out.insert("hard");
        }
        if !listed(&w.purposes, &a.purpose) {
            out.insert("purpose");
        }
        if !listed(&w.subjects, &r.subject) {
            out.insert("subject");
        }
        if let Some(offences) = &w.offences {
            if !a.grounds.offence.as_ref().is_some_and(|o| offences.contains(o)) {
                out.insert("offence");
            }
        }
        if let Some(flags) = &w.flags {
            if !flags.iter().any(|f| self.flag(f)) {
                out.insert("hard");
            }
        }
        if let Some(max) = w.max_class {
            if self.level(&r.marks).is_none_or(|level| level > max) {
                out.insert("ceiling");
            }
        }
        if let Some(max) = w.max_tlp {
            if r.marks.tlp.unwrap_or(Tlp::Clear) > max {
                out.insert("ceiling");
            }
        }
        if let Some(min) = w.min_grade {
            if !r.grade.unwrap_or(Grade::UNASSESSED).at_least(min) {
                out.insert("grade");
            }
        }
        if let Some(months) = w.min_penalty_months {
            if self.penalty(&a.recipient).is_none_or(|penalty| penalty < months) {
                out.insert("offence");
            }
        }
        let designated_by =
            r.group.as_ref().and_then(|g| self.v.groups.get(g)).map(|g| &g.designated_by);
        let by = |agency| {
            let party = self.party(agency).map(PartyId::as_str);
            designated_by.zip(party).is_some_and(|(by, party)| by.contains(party))
        };
        let met = match w.designation {
            None | Some(DesignationRule::ActOnly) => true,
            Some(DesignationRule::Provider) => by(&a.holder),
            Some(DesignationRule::BothOrUn) => {
                designated_by.is_some_and(|by| by.contains("UN"))
                    || (by(&a.holder) && by(&a.recipient))
            }
        };
        if !met {
            out.insert("designation");
        }
        for (list, agency) in [(&article.from, &a.holder), (&article.to, &a.recipient)] {
            if let Some(list) = list {
                if !party_of(agreement, agency).is_some_and(|p| list.contains(&p.id)) {
                    out.insert("hard");
                }
            }
        }
        if agreement.operation.is_some() && agreement.operation != r.operation {
            out.insert("hard");
        }
        out
    }

    fn penalty(&self, agency: &AgencyId) -> Option<u32> {
        let state = self.actor(agency)?.state.as_ref()?;
        self.v.catalogue.get(state)?.get(self.a.grounds.offence.as_ref()?).copied()
    }

    fn missing(&self, article: &Article) -> Set {
        let convention = self
            .a
            .grounds
            .offence
            .as_ref()
            .and_then(|o| self.v.offences.get(o))
            .is_some_and(|o| o.convention);
        let met = |requirement: &str| match requirement {
            "dual_criminality" => {
                self.penalty(&self.a.holder).is_some() && self.penalty(&self.a.recipient).is_some()
            }
            "not_political_offence" => convention || !self.flag("political_character"),
            "not_discriminatory" => !self.flag("discrimination_grounds"),
            "not_ne_bis_in_idem" => !self.flag("ne_bis_in_idem"),
            stated => self.fact(stated),
        };
        article.requires.iter().filter(|r| !met(r)).cloned().collect()
    }

    fn matches(&self, agreement: &Agreement, article: &Article) -> bool {
        self.misses(agreement, article).is_empty()
    }

    fn specific_consent(&self) -> bool {
        self.fitting().any(|c| c.agreement.is_none())
    }

    /// Agreements to whose articles a fitting consent is limited.
    fn limited_consent(&self) -> Vec<&'a Agreement> {
        let named: BTreeSet<_> = self.fitting().filter_map(|c| c.agreement.clone()).collect();
        self.effective().into_iter().filter(|a| named.contains(&a.id)).collect()
    }

    fn fitting(&self) -> impl Iterator<Item = &model::request::Consent> {
        self.a.grounds.consents.iter().filter(|c| {
            c.originator == self.r.originator
                && c.recipient == self.a.recipient
                && c.object.as_ref().is_none_or(|o| *o == self.r.id)
                && c.purpose.as_ref().is_none_or(|p| *p == self.a.purpose)
                && c.from.is_none_or(|from| from <= self.a.now)
                && c.until.is_none_or(|until| self.a.now < until)
        })
    }

    fn standing_consent(&self) -> Vec<&'a Agreement> {
        if self.r.stops.orcon {
            return Vec::new();
        }
        let covers = |a: &&Agreement| {
            a.defaults.onward == Onward::WithinAgreement
                && a.operation == self.r.operation
                && party_of(a, &self.r.originator).is_some_and(|p| p.signed)
        };
        self.effective().into_iter().filter(covers).collect()
    }

    fn counts(&self, scope: &Scope<'_>, agreement: &Agreement, article: &Article) -> bool {
        match scope {
            Scope::All => true,
            Scope::These(list) => list.iter().any(|a| std::ptr::eq(*a, agreement)),
            Scope::OverridesMet => {
                is_override(article)
                    && self.matches(agreement, article)
                    && self.missing(article).is_empty()
            }
        }
    }

    fn voice(&self, scope: &Scope<'_>, agreement: &'a Agreement) -> Voice<'a> {
        let counting: Vec<&Article> = agreement
            .articles
            .iter()
            .filter(|a| level_of(a).is_some() && self.counts(scope, agreement, a))
            .filter(|a| self.matches(agreement, a))
            .collect();
        let met: Vec<&Article> =
            counting.iter().copied().filter(|a| self.missing(a).is_empty()).collect();
        let top = met.iter().filter_map(|a| level_of(a)).max();
        let granted: Vec<&Article> = met.into_iter().filter(|a| level_of(a) == top).collect();
        let blocked_by = if granted.is_empty() {
            counting.into_iter().filter(|a| !is_override(a)).collect()
        } else {
            Vec::new()
        };
        Voice { agreement, granted, blocked_by }
    }

    fn early_failures(&self) -> Vec<Reason> {
        let (r, a) = (self.r, self.a);
        let state = self.actor(&a.recipient).and_then(|actor| actor.state.as_ref());
        let torture = state.is_some_and(|s| {
            self.v.states.get(s).is_none_or(|known| known.torture_risk == Risk::Serious)
        });
        let capital = state.and_then(|s| self.v.states.get(s)).is_some_and(|known| {
            a.grounds.offence.as_ref().is_some_and(|o| known.death_penalty_for.contains(o))
        });
        let tests = [
            (r.stops.recalled, Reason::Recalled),
            (r.valid_until.is_some_and(|t| t <= a.now), Reason::Expired),
            (self.unknown(&r.marks), Reason::UnknownMarking),
            (r.stops.concealed, Reason::Concealed),
            (r.stops.tainted, Reason::TaintedSource),
            (r.stops.restricted, Reason::RestrictedProcessing),
            (self.personal() && torture, Reason::HrTortureRisk),
            (
                capital
                    && (self.personal() || a.purpose == "prosecution")
                    && !self.fact("assurance_no_death_penalty"),
                Reason::HrDeathPenalty,
            ),
            (
                r.neutrality == Neutrality::Pending || r.neutrality == Neutrality::Failed,
                Reason::Neutrality,
            ),
        ];
        let mut failed: Vec<Reason> =
            tests.into_iter().filter(|(f, _)| *f).map(|(_, r)| r).collect();
        failed.extend(self.mark_failures(&r.marks));
        failed
    }

    fn scope(&self, failed: &mut Vec<Reason>) -> Scope<'a> {
        if self.r.originator == self.a.holder || self.specific_consent() {
            return Scope::All;
        }
        let mut standing = self.standing_consent();
        standing.extend(self.limited_consent());
        if !standing.is_empty() {
            return Scope::These(standing);
        }
        let emergency = self.effective().iter().any(|agreement| {
            agreement.articles.iter().any(|article| {
                level_of(article).is_some() && self.counts(&Scope::OverridesMet, agreement, article)
            })
        });
        if emergency {
            return Scope::OverridesMet;
        }
        failed.push(if self.r.marks.tlp >= Some(Tlp::Amber) {
            Reason::Tlp
        } else {
            Reason::OriginatorConsent
        });
        Scope::All
    }

    fn near_miss(&self, scope: &Scope<'_>) -> Reason {
        let order = [
            ("grade", Reason::GradeTooLow),
            ("offence", Reason::OffenceNotCovered),
            ("designation", Reason::DesignationDiverges),
            ("ceiling", Reason::Ceiling),
            ("subject", Reason::SubjectNotCovered),
            ("purpose", Reason::PurposeNotCovered),
        ];
        for (group, reason) in order {
            for agreement in self.effective() {
                for article in &agreement.articles {
                    if level_of(article).is_some()
                        && !is_override(article)
                        && self.counts(scope, agreement, article)
                        && self.misses(agreement, article) == BTreeSet::from([group])
                    {
                        return reason;
                    }
                }
            }
        }
        Reason::NoArticle
    }

    fn decide(&self) -> Decision {
        let mut failed = self.early_failures();
        let scope = self.scope(&mut failed);
        if self.r.handling.contains("H1")
            && self.a.purpose == "prosecution"
            && !self.fact("evidence_permission")
        {
            failed.push(Reason::HandlingH1);
        }
        let effective = self.effective();
        let mut denied_by = BTreeSet::new();
        let mut unmet = Set::new();
        let mut voices: Vec<Voice<'a>> = Vec::new();
        if effective.is_empty() {
            failed.push(Reason::NoAgreement);
        } else {
            for agreement in &effective {
                for article in &agreement.articles {
                    if article.effect == Effect::Deny && self.matches(agreement, article) {
                        denied_by.insert(cite(agreement, article));
                    }
                }
            }
            if !denied_by.is_empty() {
                failed.push(Reason::DenyArticle);
            }
            let all: Vec<Voice<'a>> = effective.iter().map(|a| self.voice(&scope, a)).collect();
            let displaced = |voice: &Voice<'_>| {
                all.iter().any(|other| {
                    !other.granted.is_empty()
                        && other.agreement.lex_specialis_over.contains(&voice.agreement.id)
                        && !voice.agreement.lex_specialis_over.contains(&other.agreement.id)
                })
            };
            let keep: Vec<bool> = all.iter().map(|voice| !displaced(voice)).collect();
            voices = all.into_iter().zip(keep).filter(|(_, k)| *k).map(|(v, _)| v).collect();
            for voice in &voices {
                let nearest = voice
                    .blocked_by
                    .iter()
                    .min_by_key(|article| (self.missing(article).len(), article.id.clone()));
                unmet.extend(nearest.into_iter().flat_map(|article| self.missing(article)));
            }
            if voices.iter().any(|v| !v.blocked_by.is_empty()) {
                failed.push(Reason::RequirementUnmet);
            } else if voices.iter().all(|v| v.granted.is_empty()) {
                failed.push(self.near_miss(&scope));
            }
        }
        failed.sort();
        failed.dedup();
        if let Some(reason) = failed.first().copied() {
            return self.refusal(reason, failed, unmet, denied_by);
        }
        voices.retain(|v| !v.granted.is_empty());
        self.grant(&voices, unmet, denied_by)
    }

    fn refusal(
        &self,
        reason: Reason,
        failed: Vec<Reason>,
        unmet: Set,
        denied_by: BTreeSet<ArticleRef>,
    ) -> Decision {
        Decision {
            outcome: Outcome::Refuse,
            reason,
            failed,
            redacted_fields: Set::new(),
            caveats: Set::new(),
            basis: BTreeSet::new(),
            retention_until: None,
            obligations: Set::new(),
            deadline: None,
            unmet,
            denied_by,
            refusal_mode: if self.r.stops.concealed {
                RefusalMode::AsNoMatch
            } else {
                RefusalMode::Stated
            },
        }
    }

    fn withheld(&self, voices: &[Voice<'_>]) -> Set {
        let special_allowed = self.fact("necessity_statement") && self.fact("human_review");
        let articles = || voices.iter().flat_map(|v| &v.granted);
        let withheld = |field: &&String| {
            let marks = self.r.field_marks.get(*field);
            articles().any(|a| a.redact.contains(*field))
                || articles().any(|a| a.fields.as_ref().is_some_and(|f| !f.contains(*field)))
                || (self.v.special_categories.contains(*field) && !special_allowed)
                || marks.is_some_and(|m| self.unknown(m) || !self.mark_failures(m).is_empty())
        };
        self.r.fields.keys().filter(withheld).cloned().collect()
    }

    fn grant(&self, voices: &[Voice<'_>], unmet: Set, denied_by: BTreeSet<ArticleRef>) -> Decision {
        let r = self.r;
        let lowest = voices.iter().filter_map(|v| level_of(v.granted[0])).min().unwrap();
        let all: Set = r.fields.keys().cloned().collect();
        let mut withheld = self.withheld(voices);
        let (outcome, reason) = if lowest == Level::HitOnly || (!all.is_empty() && withheld == all)
        {
            withheld = all;
            (Outcome::HitOnly, Reason::HitOnly)
        } else if withheld.is_empty() {
            (Outcome::Release, Reason::Granted)
        } else {
            (Outcome::Redact, Reason::GrantedRedacted)
        };
        let mut caveats: Set = r.caveats.union(&r.handling).cloned().collect();
        if let Some(tlp) = r.marks.tlp.filter(|t| *t != Tlp::Clear) {
            caveats.insert(format!("TLP:{}", tlp.label().to_uppercase()));
        }
        if let Some(rel) = &r.marks.rel_to {
            let list: Vec<String> = rel.iter().map(ToString::to_string).collect();
            caveats.insert(format!("REL:{}", list.join(",")));
        }
        if r.stops.orcon {
            caveats.insert("ORCON".to_owned());
        }
        let mut obligations = Set::new();
        let mut basis = BTreeSet::new();
        let mut until: Vec<Timestamp> = r.provider_limit.into_iter().chain(r.valid_until).collect();
        let mut deadlines: Vec<&Period> = Vec::new();
        for voice in voices {
            let agreement = voice.agreement;
            caveats.extend(agreement.defaults.caveats.iter().cloned());
            match agreement.defaults.onward {
                Onward::Forbidden => caveats.insert("NO_ONWARD".to_owned()),
                Onward::OriginatorConsent => caveats.insert("ONWARD_CONSENT".to_owned()),
                Onward::WithinAgreement => false,
            };
            let obliging = agreement
                .articles
                .iter()
                .filter(|a| a.effect == Effect::Oblige && self.matches(agreement, a));
            for article in voice.granted.iter().copied().chain(obliging) {
                caveats.extend(article.caveats.iter().cloned());
                obligations.extend(article.obligations.iter().cloned());
            }
            for article in &voice.granted {
                basis.insert(cite(agreement, article));
                let period = article.retention.as_ref().or(agreement.defaults.retention.as_ref());
                until.extend(period.map(|p| self.a.now.plus(p).unwrap()));
                deadlines.extend(article.deadline.as_ref());
            }
        }
        deadlines.sort_by_key(|p| (p.seconds_nominal(), p.as_str().to_owned()));
        Decision {
            outcome,
            reason,
            failed: Vec::new(),
            redacted_fields: withheld,
            caveats,
            basis,
            retention_until: until.into_iter().min(),
            obligations,
            deadline: deadlines.first().map(|p| (*p).clone()),
            unmet,
            denied_by,
            refusal_mode: RefusalMode::Stated,
        }
    }
}

fn cite(agreement: &Agreement, article: &Article) -> ArticleRef {
    ArticleRef { agreement: agreement.id.clone(), article: article.id.clone() }
}
