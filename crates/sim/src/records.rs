//! Records of fictional states: valid STIX 2.1 with markings and Entente's extension. Pure.
//!
//! Every text in a record is drawn for it alone, so that a value found anywhere else says where
//! it leaked from.

use crate::SimError;
use crate::chance::Chance;
use model::custody::{Custody, Holding, Source};
use model::ids::{AgencyId, PartyId, RecordId};
use model::marking::Tlp;
use model::time::Timestamp;
use node::Body;
use serde_json::{Map, Value, json};
use wire::stix::{EXTENSION_ID, KnownMarkings, StixObject, view};

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A technical indicator.
    Indicator,
    /// A person.
    Person,
    /// A report that points to other records.
    Report,
    /// A relationship between two records.
    Link,
}

/// A record to be written.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Its identifier.
    pub id: RecordId,
    /// What it is.
    pub kind: Kind,
    /// When it was first written.
    pub created: Timestamp,
    /// When this version was written, in the originator's own words.
    pub modified: String,
    /// Category of the data subject.
    pub subject: Option<String>,
    /// Normalised classification.
    pub class: Option<u8>,
    /// TLP label.
    pub tlp: Option<Tlp>,
    /// The recipients a TLP:RED label names.
    pub named: Vec<AgencyId>,
    /// Only for these parties.
    pub rel_to: Option<Vec<PartyId>>,
    /// Not for foreign nationals.
    pub noforn: bool,
    /// Its originator permits each release.
    pub orcon: bool,
    /// Its existence is protected.
    pub conceal: bool,
    /// Flags.
    pub flags: Vec<String>,
    /// Caveats of its own.
    pub caveats: Vec<String>,
    /// No longer valid from then on.
    pub valid_until: Option<Timestamp>,
    /// The provider's own limit.
    pub provider_limit: Option<Timestamp>,
    /// A field with a marking of its own: not for foreign nationals.
    pub guarded_field: bool,
    /// Records it points to.
    pub refs: Vec<RecordId>,
    /// Who made it, as a record.
    pub made_by: Option<RecordId>,
    /// Distinguishes the texts of this version.
    pub words: String,
}

impl Sheet {
    /// An unmarked record of this kind.
    ///
    /// # Errors
    /// The identifier is not one.
    pub fn new(kind: Kind, now: Timestamp, chance: &mut Chance) -> Result<Self, SimError> {
        let name = match kind {
            Kind::Indicator => "indicator",
            Kind::Person => "identity",
            Kind::Report => "report",
            Kind::Link => "relationship",
        };
        let id = format!("{name}--{}", uuid(chance)).parse().map_err(SimError::unusable)?;
        Ok(Self {
            id,
            kind,
            created: now,
            modified: now.to_string(),
            subject: (kind == Kind::Person).then(|| "suspect".to_owned()),
            class: None,
            tlp: None,
            named: Vec::new(),
            rel_to: None,
            noforn: false,
            orcon: false,
            conceal: false,
            flags: Vec::new(),
            caveats: Vec::new(),
            valid_until: None,
            provider_limit: None,
            guarded_field: false,
            refs: Vec::new(),
            made_by: None,
            words: format!("{:016x}", chance.number()),
        })
    }

    /// The record as its originator's bytes.
    ///
    /// # Errors
    /// The sheet makes no valid STIX.
    pub fn body(&self) -> Result<Body, SimError> {
        let mut object = self.frame();
        let mut extensions = Map::new();
        extensions.insert(EXTENSION_ID.to_owned(), Value::Object(self.extension()));
        object.insert("extensions".to_owned(), Value::Object(extensions));
        let bytes = serde_json::to_vec(&Value::Object(object)).map_err(SimError::unusable)?;
        StixObject::parse(&bytes).map_err(SimError::unusable)
    }

    /// The record as a local officer's import.
    ///
    /// # Errors
    /// The sheet makes no valid STIX.
    pub fn holding(&self, own: &AgencyId, now: Timestamp) -> Result<Holding<Body>, SimError> {
        let body = self.body()?;
        let seen = view(&body, own, &KnownMarkings::default()).map_err(SimError::unusable)?;
        let content = node::content_digest(&body);
        let version = body.version_text().map_or_else(|| content.to_string(), str::to_owned);
        let custody = Custody {
            id: body.id().clone(),
            kind: seen.kind,
            version,
            originator: own.clone(),
            source: Source::Import { format: "stix".to_owned(), officer: OFFICER.to_owned() },
            stored_at: now,
            content,
            caveats: std::collections::BTreeSet::new(),
            retention_until: None,
            floor: None,
            flagged: false,
        };
        Ok(Holding { custody, body })
    }

    fn word(&self, what: &str) -> String {
        format!("{what} {}", self.words)
    }

    fn frame(&self) -> Map<String, Value> {
        let mut object = Map::new();
        let mut set = |key: &str, value: Value| object.insert(key.to_owned(), value);
        set("type", json!(self.id.as_str().split("--").next()));
        set("spec_version", json!("2.1"));
        set("id", json!(self.id));
        set("created", json!(self.created));
        set("modified", json!(self.modified));
        set("description", json!(self.word("description")));
        if let Some(maker) = &self.made_by {
            set("created_by_ref", json!(maker));
        }
        match self.kind {
            Kind::Indicator => {
                let pattern = format!("[domain-name:value = '{}.example']", self.words);
                set("pattern", json!(pattern));
                set("pattern_type", json!("stix"));
                set("valid_from", json!(self.created));
            }
            Kind::Person => {
                set("name", json!(self.word("name")));
                set("identity_class", json!("individual"));
            }
            Kind::Report => {
                set("name", json!(self.word("title")));
                set("published", json!(self.created));
                set("object_refs", json!(self.refs));
            }
            Kind::Link => {
                set("relationship_type", json!("related-to"));
                set("source_ref", json!(self.refs.first()));
                set("target_ref", json!(self.refs.last()));
            }
        }
        object
    }

    fn extension(&self) -> Map<String, Value> {
        let mut out = Map::new();
        let mut set = |key: &str, value: Value| out.insert(key.to_owned(), value);
        set("extension_type", json!("property-extension"));
        if let Some(subject) = &self.subject {
            set("subject", json!(subject));
        }
        if let Some(class) = self.class {
            set("class", json!({"scheme": "LEVEL", "label": class.to_string()}));
        }
        if let Some(tlp) = self.tlp {
            set("tlp", json!(tlp.label()));
        }
        if !self.named.is_empty() {
            set("tlp_recipients", json!(self.named));
        }
        if let Some(parties) = &self.rel_to {
            set("rel_to", json!(parties));
        }
        let flags = [("noforn", self.noforn), ("orcon", self.orcon), ("conceal", self.conceal)];
        for (key, _) in flags.into_iter().filter(|(_, set)| *set) {
            set(key, json!(true));
        }
        if !self.flags.is_empty() {
            set("flags", json!(self.flags));
        }
        if !self.caveats.is_empty() {
            set("caveats", json!(self.caveats));
        }
        if let Some(until) = self.valid_until {
            set("valid_until", json!(until));
        }
        if let Some(limit) = self.provider_limit {
            set("provider_limit", json!(limit));
        }
        set("fields", self.fields());
        if self.guarded_field {
            set("field_marks", json!({"case.number": {"noforn": true}}));
        }
        out
    }

    fn fields(&self) -> Value {
        let mut fields = Map::new();
        fields.insert("case.number".to_owned(), json!(self.word("case")));
        if self.kind == Kind::Person {
            for (field, word) in
                [("person.religion", "religion"), ("person.dob", "born"), ("person.alias", "alias")]
            {
                fields.insert(field.to_owned(), json!(self.word(word)));
            }
        }
        Value::Object(fields)
    }
}

/// The officer of every node.
pub const OFFICER: &str = "duty officer";

fn uuid(chance: &mut Chance) -> String {
    let (a, b) = (chance.number(), chance.number());
    let hex = format!("{a:016x}{b:016x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    let tail = part(20, 32);
    format!("{}-{}-4{}-8{}-{tail}", part(0, 8), part(8, 12), part(13, 16), part(17, 20))
}

/// A record with whatever markings chance gives it, pointing to some of `known`.
///
/// # Errors
/// The identifier is not one.
pub fn any(
    chance: &mut Chance,
    now: Timestamp,
    known: &[RecordId],
    agencies: &[(AgencyId, PartyId)],
) -> Result<Sheet, SimError> {
    let kinds = [Kind::Indicator, Kind::Indicator, Kind::Person, Kind::Report, Kind::Link];
    let mut kind = chance.pick(&kinds).copied().unwrap_or(Kind::Indicator);
    if known.is_empty() && matches!(kind, Kind::Report | Kind::Link) {
        kind = Kind::Indicator;
    }
    let mut sheet = Sheet::new(kind, now, chance)?;
    for _ in 0..chance.between(1, 3) {
        sheet.refs.extend(chance.pick(known).cloned());
    }
    if chance.often(20) {
        sheet.made_by =
            chance.pick(known).filter(|id| id.as_str().starts_with("identity")).cloned();
    }
    let subjects = ["suspect", "suspect", "convicted", "contact", "victim", "witness"];
    if kind == Kind::Person {
        sheet.subject = chance.pick(&subjects).map(|s| (*s).to_owned());
    }
    if chance.often(60) {
        sheet.class = u8::try_from(chance.below(5).min(chance.below(5))).ok();
    }
    if chance.often(50) {
        let labels = [Tlp::Clear, Tlp::Green, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];
        sheet.tlp = chance.pick(&labels).copied();
        let names: Vec<AgencyId> = agencies.iter().map(|(agency, _)| agency.clone()).collect();
        sheet.named = chance.some(&names, 40);
    }
    if chance.often(10) {
        let parties: Vec<PartyId> = agencies.iter().map(|(_, party)| party.clone()).collect();
        sheet.rel_to = Some(chance.some(&parties, 50));
    }
    sheet.noforn = chance.often(8);
    sheet.orcon = chance.often(12);
    sheet.conceal = chance.often(8);
    sheet.guarded_field = chance.often(15);
    if chance.often(10) {
        sheet.flags.push("expression_only".to_owned());
    }
    if chance.often(15) {
        sheet.caveats.push("SOURCE_AT_RISK".to_owned());
    }
    if chance.often(12) {
        sheet.valid_until = Some(crate::clock::moved(now, days(chance)));
    }
    if chance.often(12) {
        sheet.provider_limit = Some(crate::clock::moved(now, days(chance)));
    }
    Ok(sheet)
}

/// Some days, in seconds.
fn days(chance: &mut Chance) -> i64 {
    chance.between(1, 40).saturating_mul(86_400)
}

/// The next version of a record: new words, perhaps stricter or looser markings.
pub fn revised(sheet: &Sheet, now: Timestamp, chance: &mut Chance) -> Sheet {
    let mut next = sheet.clone();
    next.words = format!("{:016x}", chance.number());
    next.modified = now.to_string();
    if chance.often(30) {
        next.class = u8::try_from(chance.below(5)).ok();
    }
    if chance.often(15) {
        next.noforn = !next.noforn;
    }
    if chance.often(10) {
        next.conceal = !next.conceal;
    }
    if chance.often(10) {
        next.orcon = !next.orcon;
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_chance_writes_is_valid_stix_with_known_markings() {
        let now: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
        let own: AgencyId = "xa.police.ct".parse().unwrap();
        let agencies = vec![(own.clone(), "XA".parse().unwrap())];
        let (mut chance, mut known) = (Chance::new(3), Vec::new());
        for _ in 0..200 {
            let sheet = any(&mut chance, now, &known, &agencies).unwrap();
            let holding = sheet.holding(&own, now).unwrap();
            let seen = view(&holding.body, &own, &KnownMarkings::default()).unwrap();
            assert!(seen.marks.unresolved.is_empty(), "{:?}", seen.marks.unresolved);
            let later = crate::clock::moved(now, 1);
            assert!(revised(&sheet, later, &mut chance).holding(&own, later).is_ok());
            known.push(sheet.id);
        }
    }
}
