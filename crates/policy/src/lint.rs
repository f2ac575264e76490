//! What is wrong or doubtful in agreements, before they are signed. Pure.
//!
//! [`agreement`] looks at one document, [`set`] at all of them together. Nothing here decides a
//! release; an error means that an article, or the whole agreement, cannot do what it says.
//!
//! SOURCE: policy reference section 7 (linter on signature).

mod article;
mod together;

use model::agreement::{Agreement, Party, Status};
use model::ids::{AgencyId, AgreementId, Digest};
use model::time::Timestamp;
use model::vocabulary::Vocabulary;
use std::collections::BTreeSet;

/// LIMIT: most findings returned.
pub const FINDINGS_MAX: usize = 10_000;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It cannot do what it says.
    Error,
    /// It probably does what nobody meant.
    Warning,
    /// Worth knowing before signing.
    Note,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// The agreement.
    pub agreement: AgreementId,
    /// The article, if it is about one.
    pub article: Option<String>,
    /// The key, such as `when.purposes`.
    pub key: String,
    /// What was found.
    pub message: String,
    /// What cures it.
    pub cure: String,
}

/// Collects findings about one agreement.
pub(crate) struct Notes<'a> {
    agreement: &'a AgreementId,
    article: Option<&'a str>,
    findings: &'a mut Vec<Finding>,
}

impl<'a> Notes<'a> {
    fn of<'b>(&'b mut self, article: &'b str) -> Notes<'b>
    where
        'a: 'b,
    {
        Notes { agreement: self.agreement, article: Some(article), findings: self.findings }
    }

    fn add(&mut self, severity: Severity, key: &str, message: String, cure: &str) {
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                severity,
                agreement: self.agreement.clone(),
                article: self.article.map(str::to_owned),
                key: key.to_owned(),
                message,
                cure: cure.to_owned(),
            });
        }
    }

    fn error(&mut self, key: &str, message: String, cure: &str) {
        self.add(Severity::Error, key, message, cure);
    }

    fn warning(&mut self, key: &str, message: String, cure: &str) {
        self.add(Severity::Warning, key, message, cure);
    }

    fn note(&mut self, key: &str, message: String, cure: &str) {
        self.add(Severity::Note, key, message, cure);
    }
}

/// Findings on one agreement, errors first.
#[must_use]
pub fn agreement(agreement: &Agreement, vocabulary: &Vocabulary, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    one(agreement, vocabulary, now, &mut findings);
    sorted(findings)
}

/// Findings on each agreement and on all of them together, errors first. Cost: quadratic in the
/// articles of agreements that share parties.
#[must_use]
pub fn set(agreements: &[Agreement], vocabulary: &Vocabulary, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    for agreement in agreements {
        one(agreement, vocabulary, now, &mut findings);
    }
    for agreement in agreements {
        let mut notes = Notes { agreement: &agreement.id, article: None, findings: &mut findings };
        together::look(agreement, agreements, &mut notes);
    }
    sorted(findings)
}

fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by(|a, b| {
        (a.severity, &a.agreement, &a.article).cmp(&(b.severity, &b.agreement, &b.article))
    });
    findings
}

fn one(agreement: &Agreement, vocabulary: &Vocabulary, now: Timestamp, out: &mut Vec<Finding>) {
    let mut notes = Notes { agreement: &agreement.id, article: None, findings: out };
    frame(agreement, now, &mut notes);
    parties(agreement, vocabulary, &mut notes);
    article::look(agreement, vocabulary, &mut notes);
}

fn frame(agreement: &Agreement, now: Timestamp, notes: &mut Notes<'_>) {
    let valid = &agreement.valid;
    if valid.until.is_some_and(|until| until <= valid.from) {
        let message = "the agreement ends before it begins".to_owned();
        notes.error("valid.until", message, "set `until` after `from`");
    } else if let Some(until) = valid.until.filter(|until| *until <= now) {
        let message = format!("the agreement ended at {until}");
        notes.warning("valid.until", message, "prolong it, or set its status to `terminated`");
    }
    if agreement.status != Status::InForce {
        let message = "the agreement is not in force and lets nothing go".to_owned();
        notes.note("status", message, "set `in_force` once it is signed");
    }
    if agreement.text_hash.parse::<Digest>().is_err() {
        let message = format!("`{}` is not the digest of a signed text", agreement.text_hash);
        notes.error("text_hash", message, "write sha256: and 64 hexadecimal digits");
    }
    if agreement.recall.is_none() {
        let message = "nothing is agreed on recall".to_owned();
        notes.warning("recall", message, "add [recall] with ack, complete and derived");
    }
    if agreement.valid.survival.is_none() {
        let message = "nothing says how long caveats and recall outlive the agreement".to_owned();
        notes.note("valid.survival", message, "add `survival`");
    }
    if agreement.legal_basis.is_empty() {
        let message = "no legal basis is named".to_owned();
        notes.warning("legal_basis", message, "add [[legal_basis]] with `ref`");
    }
    if agreement.lex_specialis_over.contains(&agreement.id) {
        let message = "the agreement takes precedence over itself".to_owned();
        notes.error("lex_specialis_over", message, "remove its own id");
    }
    if agreement.articles.is_empty() {
        let message = "the agreement has no articles".to_owned();
        notes.error("article", message, "add articles");
    }
}

fn parties(agreement: &Agreement, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    if agreement.parties.len() < 2 {
        let message = "an agreement needs two parties".to_owned();
        notes.error("party", message, "list both parties");
    }
    let mut listed: BTreeSet<&AgencyId> = BTreeSet::new();
    for party in &agreement.parties {
        if party.agencies.is_empty() {
            let message = format!("party `{}` names no agency, which is nobody", party.id);
            notes.error("party.agencies", message, "list its agencies by name");
        }
        if !party.signed {
            let message =
                format!("party `{}` has not signed: nothing binds or benefits it", party.id);
            notes.warning("party.signed", message, "obtain the signature");
        }
        for agency in &party.agencies {
            if !listed.insert(agency) {
                let message = format!("agency `{agency}` is listed under two parties");
                notes.error("party.agencies", message, "list it under one party");
            }
            agency_known(party, agency, vocabulary, notes);
        }
    }
}

fn agency_known(party: &Party, agency: &AgencyId, vocabulary: &Vocabulary, notes: &mut Notes<'_>) {
    match vocabulary.actors.get(agency) {
        None => {
            let message = format!("agency `{agency}` is not in the vocabulary and gets nothing");
            notes.warning(
                "party.agencies",
                message,
                "add it to the vocabulary, with its clearance",
            );
        }
        Some(actor) if actor.party() != Some(&party.id) => {
            let own = actor.party().map_or("nobody", |own| own.as_str());
            let message = format!("agency `{agency}` acts for `{own}`, not for `{}`", party.id);
            notes.warning("party.agencies", message, "list it under its own party");
        }
        Some(_) => {}
    }
}
