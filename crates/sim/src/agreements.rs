//! Agreements between fictional parties, written as their documents and read by the house. Pure.

use crate::SimError;
use crate::chance::Chance;
use model::agreement::{Agreement, Onward, Status};
use model::ids::{AgencyId, PartyId};
use model::time::Timestamp;
use std::fmt::Write as _;

/// Purposes the fictional states know.
pub const PURPOSES: [&str; 4] =
    ["ct.prevention", "ct.investigation", "border.check", "prosecution"];

/// One article to be written.
#[derive(Debug, Clone)]
pub struct Clause {
    /// `allow`, `deny` or `oblige`.
    pub effect: &'static str,
    /// The level of an allow article.
    pub level: Option<&'static str>,
    /// Record types.
    pub types: Vec<&'static str>,
    /// Purposes.
    pub purposes: Vec<&'static str>,
    /// Highest classification.
    pub max_class: Option<u8>,
    /// Further lines of the article, as written.
    pub lines: Vec<String>,
    /// Further lines of its `when`, as written.
    pub when: Vec<String>,
}

/// An agreement to be written.
#[derive(Debug, Clone)]
pub struct Pact {
    /// Its name.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Where it stands.
    pub status: Status,
    /// First instant in force.
    pub from: Timestamp,
    /// First instant no longer in force.
    pub until: Option<Timestamp>,
    /// Parties with their agencies.
    pub parties: Vec<(PartyId, Vec<AgencyId>)>,
    /// Onward rule.
    pub onward: Onward,
    /// Retention.
    pub retention: Option<&'static str>,
    /// Articles.
    pub articles: Vec<Clause>,
    /// `purge` or `flag`, where it has recall terms.
    pub derived: Option<&'static str>,
}

/// An article that lets these record types go whole for prevention and investigation.
#[must_use]
pub fn whole(types: &[&'static str], max_class: u8) -> Clause {
    Clause {
        effect: "allow",
        level: Some("full"),
        types: types.to_vec(),
        purposes: vec!["ct.prevention", "ct.investigation"],
        max_class: Some(max_class),
        lines: Vec::new(),
        when: Vec::new(),
    }
}

/// An article that lets persons go without religion and case number.
#[must_use]
pub fn persons(max_class: u8) -> Clause {
    let redact = "redact = [\"person.religion\", \"case.number\", \"source.identity\"]";
    Clause {
        level: Some("redacted"),
        lines: vec![redact.to_owned()],
        when: vec!["subjects = [\"suspect\", \"convicted\", \"contact\"]".to_owned()],
        ..whole(&["person"], max_class)
    }
}

/// An article that tells only that a person is known.
#[must_use]
pub fn hit() -> Clause {
    Clause { level: Some("hit_only"), purposes: vec!["border.check"], ..persons(3) }
}

/// The emergency article: lifts a missing consent where life is in danger.
#[must_use]
pub fn emergency() -> Clause {
    let lines = [
        "overrides = [\"ORIGINATOR_CONSENT\"]",
        "requires = [\"imminent_threat_to_life\", \"human_review\"]",
        "obligations = [\"notify_originator\"]",
        "retention = \"P10D\"",
        "redact = [\"source.identity\"]",
    ];
    Clause {
        level: Some("redacted"),
        lines: lines.map(str::to_owned).to_vec(),
        ..whole(&["indicator", "person", "report"], 3)
    }
}

impl Pact {
    /// An agreement in force among these parties, with nothing in it yet.
    #[must_use]
    pub fn new(number: usize, from: Timestamp, parties: &[(AgencyId, PartyId)]) -> Self {
        Self {
            id: format!("urn:entente:agr:sim-{number}"),
            version: 1,
            status: Status::InForce,
            from,
            until: None,
            parties: parties.iter().map(|(a, p)| (p.clone(), vec![a.clone()])).collect(),
            onward: Onward::OriginatorConsent,
            retention: Some("P90D"),
            articles: Vec::new(),
            derived: Some("flag"),
        }
    }

    /// An agreement with whatever articles chance gives it.
    pub fn any(
        chance: &mut Chance,
        number: usize,
        from: Timestamp,
        parties: &[(AgencyId, PartyId)],
    ) -> Self {
        let mut pact = Self::new(number, from, parties);
        let onward = [
            Onward::Forbidden,
            Onward::OriginatorConsent,
            Onward::WithinAgreement,
            Onward::WithinAgreement,
        ];
        pact.onward = chance.pick(&onward).copied().unwrap_or(Onward::Forbidden);
        pact.retention =
            chance.pick(&[None, Some("P2D"), Some("P20D"), Some("P1Y")]).copied().flatten();
        pact.derived = chance.pick(&[None, Some("flag"), Some("purge")]).copied().flatten();
        let class = |chance: &mut Chance| u8::try_from(chance.below(5)).unwrap_or(0);
        let most = class(chance).max(3);
        pact.articles.push(whole(&["indicator", "report", "relationship"], most));
        if chance.often(70) {
            let most = class(chance);
            pact.articles.push(persons(most));
        }
        if chance.often(40) {
            pact.articles.push(hit());
        }
        if chance.often(60) {
            pact.articles.push(emergency());
        }
        if chance.often(40) {
            pact.articles.push(deny());
        }
        if chance.often(40) {
            pact.articles.push(oblige());
        }
        pact
    }

    /// The next version: a status, a ceiling, an end, an onward rule or a retention changes.
    pub fn amend(&mut self, chance: &mut Chance, now: Timestamp) {
        self.version = self.version.saturating_add(1);
        match chance.below(6) {
            0 => {
                let other = [Status::Suspended, Status::Terminated];
                self.status = match self.status {
                    Status::InForce => chance.pick(&other).copied().unwrap_or(Status::Suspended),
                    Status::Draft | Status::Suspended | Status::Terminated => Status::InForce,
                };
            }
            1 => {
                if let Some(article) = self.articles.first_mut() {
                    article.max_class = u8::try_from(chance.below(5)).ok();
                }
            }
            2 => {
                let days = chance.between(1, 20).saturating_mul(86_400);
                self.until = Some(crate::clock::moved(now, days));
            }
            3 => self.onward = Onward::Forbidden,
            4 => self.retention = Some("P5D"),
            _ => self.articles.push(persons(3)),
        }
        if chance.often(40) {
            self.status = Status::InForce;
        }
    }

    /// The document.
    #[must_use]
    pub fn document(&self) -> String {
        let status = match self.status {
            Status::Draft => "draft",
            Status::InForce => "in_force",
            Status::Suspended => "suspended",
            Status::Terminated => "terminated",
        };
        let onward = match self.onward {
            Onward::Forbidden => "forbidden",
            Onward::OriginatorConsent => "originator_consent",
            Onward::WithinAgreement => "within_agreement",
        };
        let mut out = String::from("entente = \"agreement/1\"\n");
        let _ =
            writeln!(out, "id = \"{}\"\nversion = {}\ntype = \"coalition\"", self.id, self.version);
        let _ = writeln!(out, "title = \"Exercise\"\nstatus = \"{status}\"");
        let _ = writeln!(out, "text_hash = \"sha256:00\"\n[valid]\nfrom = \"{}\"", self.from);
        if let Some(until) = self.until {
            let _ = writeln!(out, "until = \"{until}\"");
        }
        for (party, agencies) in &self.parties {
            let names: Vec<String> = agencies.iter().map(|a| format!("\"{a}\"")).collect();
            let names = names.join(", ");
            let _ =
                writeln!(out, "[[party]]\nid = \"{party}\"\nagencies = [{names}]\nsigned = true");
        }
        let _ = writeln!(out, "[defaults]\nonward = \"{onward}\"\ncaveats = [\"PURPOSE_BOUND\"]");
        if let Some(retention) = self.retention {
            let _ = writeln!(out, "retention = \"{retention}\"");
        }
        for (number, article) in self.articles.iter().enumerate() {
            article.write(number.saturating_add(1), &mut out);
        }
        if let Some(derived) = self.derived {
            let _ = writeln!(out, "[recall]\nack = \"PT24H\"\ncomplete = \"PT72H\"");
            let _ = writeln!(out, "derived = \"{derived}\"");
        }
        out
    }

    /// The document as the house reads it.
    ///
    /// # Errors
    /// The document has a problem.
    pub fn agreement(&self) -> Result<Agreement, SimError> {
        read(&self.document())
    }
}

/// Reads an agreement document.
///
/// # Errors
/// The document has a problem: the first of them.
pub fn read(document: &str) -> Result<Agreement, SimError> {
    wire::agreement::parse(document.as_bytes()).map_err(|problems| {
        SimError::unusable(problems.first().map(ToString::to_string).unwrap_or_default())
    })
}

fn deny() -> Clause {
    Clause {
        effect: "deny",
        level: None,
        types: Vec::new(),
        purposes: Vec::new(),
        max_class: None,
        lines: Vec::new(),
        when: vec!["flags = [\"expression_only\"]".to_owned()],
    }
}

fn oblige() -> Clause {
    Clause {
        effect: "oblige",
        lines: vec!["caveats = [\"GRADED\"]".to_owned()],
        when: Vec::new(),
        types: vec!["person", "report"],
        ..deny()
    }
}

impl Clause {
    fn write(&self, number: usize, out: &mut String) {
        let list = |words: &[&str]| {
            let quoted: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
            quoted.join(", ")
        };
        let _ = writeln!(out, "[[article]]\nid = \"{number}\"\neffect = \"{}\"", self.effect);
        let _ = writeln!(out, "text = \"As the exercise says.\"");
        if let Some(level) = self.level {
            let _ = writeln!(out, "level = \"{level}\"");
        }
        for line in &self.lines {
            let _ = writeln!(out, "{line}");
        }
        let _ = writeln!(out, "[article.when]");
        if !self.types.is_empty() {
            let _ = writeln!(out, "object_types = [{}]", list(&self.types));
        }
        if !self.purposes.is_empty() {
            let _ = writeln!(out, "purposes = [{}]", list(&self.purposes));
        }
        if let Some(max_class) = self.max_class {
            let _ = writeln!(out, "max_class = {max_class}");
        }
        for line in &self.when {
            let _ = writeln!(out, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_chance_writes_is_read() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let parties: Vec<(AgencyId, PartyId)> = ["a", "b", "c"]
            .iter()
            .map(|l| {
                (format!("x{l}.police.ct").parse().unwrap(), l.to_uppercase().parse().unwrap())
            })
            .collect();
        let mut chance = Chance::new(5);
        for number in 0..50 {
            let mut pact = Pact::any(&mut chance, number, now, &parties);
            for _ in 0..5 {
                let read = pact.agreement().unwrap();
                assert_eq!(read.version, pact.version);
                assert!(read.parties.iter().all(|p| p.signed));
                pact.amend(&mut chance, now);
            }
        }
    }
}
