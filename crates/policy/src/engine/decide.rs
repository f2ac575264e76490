//! The explained answer, and the same verdict over many records or recipients. Pure.

use super::answer::Verdict;
use super::marks::own_caveats;
use super::question::{Candidate, Question, Slots};
use super::record::Prepared;
use super::verdict::{Facts, Weighed, contributing, matching};
use super::{ArticleKey, Engine};
use crate::terms::COMPUTED;
use model::agreement::{Article, Effect};
use model::decision::{Decision, Outcome};
use model::ids::ArticleRef;
use model::record::Record;
use model::request::Ask;
use model::time::Period;
use std::collections::{BTreeMap, BTreeSet};

impl Engine {
    /// Decides and gives every reason. Cost: `prepare`, `put`, `verdict` and the names.
    #[must_use]
    pub fn decide(&self, record: &Record, ask: &Ask) -> Decision {
        let (prepared, question) = (self.prepare(record), self.put(ask));
        let verdict = self.verdict(&prepared, &question);
        let facts = self.facts(&prepared, &question);
        let (_, weighed) = self.weigh(&prepared, &question);
        let mut decision = Decision {
            outcome: verdict.outcome,
            reason: verdict.reason,
            failed: verdict.failed.iter().collect(),
            redacted_fields: self.withheld(record, &verdict),
            caveats: BTreeSet::new(),
            basis: BTreeSet::new(),
            retention_until: verdict.retention_until,
            obligations: BTreeSet::new(),
            deadline: None,
            unmet: self.unmet(&prepared, &question, (&facts, &weighed), ask),
            denied_by: self.denied_by(&prepared, &question, &facts),
            refusal_mode: verdict.refusal_mode,
        };
        if verdict.outcome != Outcome::Refuse {
            decision.caveats = own_caveats(record);
            decision.caveats.extend(self.caveat_names(&verdict.caveats).map(str::to_owned));
            let names = self.obligation_names(&verdict.obligations);
            decision.obligations = names.map(str::to_owned).collect();
            let contributing = contributing(&prepared, &question, &facts, &weighed);
            let chosen = contributing.filter(|c| c.effect != Effect::Oblige);
            let keys: Vec<ArticleKey> = chosen.map(|c| c.key).collect();
            decision.basis = keys.iter().filter_map(|key| self.reference(*key)).collect();
            decision.deadline = self.deadline(&keys);
        }
        decision
    }

    /// The names of the fields a verdict withholds from this record.
    #[must_use]
    pub fn withheld(&self, record: &Record, verdict: &Verdict) -> BTreeSet<String> {
        let (places, _) = self.places(record);
        let fields = record.fields.keys().zip(places);
        fields.filter(|(_, p)| verdict.withheld.contains(*p)).map(|(f, _)| f.clone()).collect()
    }

    /// The records, by position, that a question would get anything of. Cost: the tests of one
    /// verdict each, without what shapes a grant.
    #[must_use]
    pub fn filter(&self, records: &[Prepared], question: &Question) -> Vec<usize> {
        let numbered = records.iter().enumerate();
        numbered.filter(|(_, record)| self.may(record, question)).map(|(n, _)| n).collect()
    }

    /// The questions, by position, that would get anything of a record: its audience. Cost: as
    /// [`Engine::filter`].
    #[must_use]
    pub fn audience(&self, record: &Prepared, questions: &[Question]) -> Vec<usize> {
        let numbered = questions.iter().enumerate();
        numbered.filter(|(_, question)| self.may(record, question)).map(|(n, _)| n).collect()
    }

    /// The shortest deadline of the chosen articles; equal ones go by their text.
    fn deadline(&self, keys: &[ArticleKey]) -> Option<Period> {
        let articles = keys.iter().filter_map(|key| self.article(*key));
        let deadlines = articles.filter_map(|(_, article)| article.deadline.as_ref());
        deadlines
            .min_by(|a, b| {
                (a.seconds_nominal(), a.as_str()).cmp(&(b.seconds_nominal(), b.as_str()))
            })
            .cloned()
    }

    fn denied_by(
        &self,
        record: &Prepared,
        question: &Question,
        facts: &Facts,
    ) -> BTreeSet<ArticleRef> {
        let denials = matching(record, question, facts).filter(|c| c.effect == Effect::Deny);
        denials.filter_map(|c| self.reference(c.key)).collect()
    }

    /// What the blocking agreements miss, each at its article that misses fewest.
    fn unmet(
        &self,
        record: &Prepared,
        question: &Question,
        (facts, weighed): (&Facts, &Weighed),
        ask: &Ask,
    ) -> BTreeSet<String> {
        let mut nearest: BTreeMap<Slots, (usize, &str, BTreeSet<String>)> = BTreeMap::new();
        let blocks = |c: &&Candidate| {
            matches!(c.effect, Effect::Allow(_)) && !c.lifts && weighed.blocking & c.slot != 0
        };
        for candidate in matching(record, question, facts).filter(blocks) {
            let Some((_, article)) = self.article(candidate.key) else { continue };
            let missing = missing(article, ask, facts.lacking);
            let found = (missing.len(), article.id.as_str(), missing);
            match nearest.get(&candidate.slot) {
                Some(known) if (known.0, known.1) <= (found.0, found.1) => {}
                Some(_) | None => {
                    nearest.insert(candidate.slot, found);
                }
            }
        }
        nearest.into_values().flat_map(|(_, _, missing)| missing).collect()
    }
}

/// The requirements of an article that are not met.
fn missing(article: &Article, ask: &Ask, lacking: u8) -> BTreeSet<String> {
    let unmet = |requirement: &&String| {
        let computed = [1_u8, 2, 4, 8].into_iter().zip(COMPUTED).find(|(_, c)| c == requirement);
        match computed {
            Some((bit, _)) => lacking & bit != 0,
            None => !ask.grounds.facts.contains(*requirement),
        }
    };
    article.requires.iter().filter(unmet).cloned().collect()
}
