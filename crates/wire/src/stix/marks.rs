//! What markings mean: TLP 1 and 2, PAP, IEP, ACS, statements and Entente's own definitions. Pure.
//!
//! SOURCE: STIX 2.1 section 7.2.1 (TLP 1, statements); OASIS TLP 2.0 extension
//! `extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d`; `schemes` for the others.

mod schemes;

use super::check::one_spelling;
use super::extension::{EXTENSION_ID, read_terms};
use super::object::StixObject;
use model::ids::{AgencyId, PartyId};
use model::marking::{Classification, Marks, Tlp};
use model::time::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The property extension that carries a TLP 2.0 label in a marking definition.
const TLP2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// Restrictions somebody stated; what is absent was not said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// Classification.
    pub class: Option<Classification>,
    /// TLP label.
    pub tlp: Option<Tlp>,
    /// Recipients a TLP:RED label names.
    pub tlp_recipients: Option<BTreeSet<AgencyId>>,
    /// Not outside the originator's state.
    pub noforn: bool,
    /// Only for these parties.
    pub rel_to: Option<BTreeSet<PartyId>>,
    /// Only with the originator's advance permission.
    pub orcon: bool,
    /// Caveats that travel with the record.
    pub caveats: BTreeSet<String>,
    /// Handling codes.
    pub handling: BTreeSet<String>,
    /// How long a recipient may keep the record.
    pub provider_limit: Option<Timestamp>,
}

/// What one marking definition means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marking {
    /// A label of the Traffic Light Protocol.
    Tlp(Tlp),
    /// A statement for human readers, such as a copyright notice; restricts nothing by itself.
    Statement(String),
    /// Restrictions: Entente's own, or what PAP, IEP and ACS say in these words.
    Restrictions(Box<Terms>),
}

/// Resolves marking definitions by their identifier.
pub trait Markings {
    /// What the definition means; nothing if it is unknown here, which means refuse.
    fn definition(&self, id: &str) -> Option<Marking>;
}

/// The TLP label behind one of the fixed identifiers of TLP 1 and TLP 2.
#[must_use]
pub fn built_in_tlp(id: &str) -> Option<Tlp> {
    match id.strip_prefix("marking-definition--")? {
        "613f2e26-407d-48c7-9eca-b8e91df99dc9" | "94868c89-83c2-464b-929b-a1a8aa3c8487" => {
            Some(Tlp::Clear)
        }
        "34098fce-860f-48ae-8e50-ebd3cc5e41da" | "bab4a63c-aed9-4cf5-a766-dfca5abac2bb" => {
            Some(Tlp::Green)
        }
        "f88d31f6-486f-44da-b317-01333bde0b82" | "55d920b0-5e8b-4f79-9ee9-91f868d9b421" => {
            Some(Tlp::Amber)
        }
        "939a9414-2ddd-4d32-a0cd-375ea402b003" => Some(Tlp::AmberStrict),
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed" | "e828b379-4e03-4974-9ac4-e53a884c97c1" => {
            Some(Tlp::Red)
        }
        _ => None,
    }
}

/// A statement; one that is nothing but a label is that label.
fn statement(text: &str) -> Marking {
    let label = text.trim().to_ascii_lowercase();
    let tlp = label.strip_prefix("tlp:").and_then(|label| Tlp::parse(label.trim()));
    let pap = label.strip_prefix("pap:").and_then(|label| schemes::pap(label.trim()));
    match (tlp, pap) {
        (Some(tlp), _) => Marking::Tlp(tlp),
        (None, Some(terms)) => Marking::restrictions(terms),
        (None, None) => Marking::Statement(text.to_owned()),
    }
}

/// What one of the fixed identifiers of TLP and PAP means.
fn built_in(id: &str) -> Option<Marking> {
    let tlp = built_in_tlp(id).map(Marking::Tlp);
    tlp.or_else(|| schemes::built_in_pap(id).map(Marking::restrictions))
}

impl Marking {
    /// What a marking-definition object means; nothing if nobody here can say.
    #[must_use]
    pub fn from_object(object: &StixObject) -> Option<Self> {
        if object.kind() != "marking-definition" {
            return None;
        }
        if let Some(known) = built_in(object.id().as_str()) {
            return Some(known);
        }
        let value = object.value();
        let extensions = value.get("extensions").and_then(Value::as_object);
        if let Some(extensions) = extensions {
            // INVARIANT: a definition with an extension nobody here knows is unknown as a whole.
            let [(id, content)] = extensions.iter().collect::<Vec<_>>().try_into().ok()?;
            return match id.as_str() {
                TLP2_EXTENSION => Tlp::parse(content.get("tlp_2_0")?.as_str()?).map(Self::Tlp),
                EXTENSION_ID => read_terms(content.as_object()?).ok().map(Self::restrictions),
                other => schemes::extension(other, content).map(Self::restrictions),
            };
        }
        let definition = value.get("definition")?;
        match value.get("definition_type")?.as_str()? {
            "tlp" => Tlp::parse(definition.get("tlp")?.as_str()?).map(Self::Tlp),
            "statement" => Some(statement(definition.get("statement")?.as_str()?)),
            other => schemes::definition(other, definition).map(Self::restrictions),
        }
    }

    fn restrictions(terms: Terms) -> Self {
        Self::Restrictions(Box::new(terms))
    }
}

/// Marking definitions met so far.
#[derive(Debug, Clone, Default)]
pub struct KnownMarkings {
    /// INVARIANT: nothing for an identifier that was defined in two different ways.
    definitions: BTreeMap<String, Option<Marking>>,
}

impl KnownMarkings {
    /// Learns a marking-definition object; other objects are passed over. Two definitions of one
    /// identifier that disagree leave it unknown.
    pub fn learn(&mut self, object: &StixObject) {
        if object.kind() != "marking-definition" {
            return;
        }
        let meaning = Marking::from_object(object);
        let known = self.definitions.entry(object.id().as_str().to_owned());
        let known = known.or_insert_with(|| meaning.clone());
        if *known != meaning {
            *known = None;
        }
    }
}

impl Markings for KnownMarkings {
    fn definition(&self, id: &str) -> Option<Marking> {
        self.definitions.get(id).cloned().flatten()
    }
}

/// Unites markings: the strictest label, all restrictions.
#[derive(Debug, Clone, Default)]
pub(super) struct Union {
    marks: Marks,
    recipients: Option<BTreeSet<AgencyId>>,
    beyond: Beyond,
}

/// What markings say of a record as a whole, also where they mark a part of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Beyond {
    pub(super) orcon: bool,
    pub(super) caveats: BTreeSet<String>,
    pub(super) handling: BTreeSet<String>,
    pub(super) provider_limit: Option<Timestamp>,
}

impl Union {
    pub(super) fn reference(&mut self, id: &str, markings: &dyn Markings) {
        let id = &*one_spelling(id);
        match built_in(id).or_else(|| markings.definition(id)) {
            Some(Marking::Tlp(tlp)) => self.tlp(tlp),
            Some(Marking::Statement(_)) => {}
            Some(Marking::Restrictions(terms)) => self.terms(&terms),
            None => self.unresolved(id.to_owned()),
        }
    }

    pub(super) fn terms(&mut self, terms: &Terms) {
        if let Some(tlp) = terms.tlp {
            self.tlp(tlp);
        }
        self.marks.noforn |= terms.noforn;
        self.beyond.orcon |= terms.orcon;
        self.beyond.caveats.extend(terms.caveats.iter().cloned());
        self.beyond.handling.extend(terms.handling.iter().cloned());
        let limits = [self.beyond.provider_limit, terms.provider_limit];
        self.beyond.provider_limit = limits.into_iter().flatten().min();
        narrow(&mut self.marks.rel_to, terms.rel_to.as_ref());
        narrow(&mut self.recipients, terms.tlp_recipients.as_ref());
        match (&self.marks.class, &terms.class) {
            (_, None) => {}
            (None, Some(class)) => self.marks.class = Some(class.clone()),
            (Some(known), Some(class)) if known == class => {}
            // WHY: which of two labels is higher is the vocabulary's business, not the reader's.
            (Some(known), Some(class)) => self.unresolved(format!(
                "two classifications: {} {} and {} {}",
                known.scheme, known.label, class.scheme, class.label
            )),
        }
    }

    pub(super) fn unresolved(&mut self, what: String) {
        if !self.marks.unresolved.contains(&what) {
            self.marks.unresolved.push(what);
        }
    }

    /// What it says of the record as a whole.
    pub(super) fn beyond(&mut self) -> Beyond {
        std::mem::take(&mut self.beyond)
    }

    pub(super) fn finish(self) -> Marks {
        let mut marks = self.marks;
        marks.tlp_recipients = self.recipients.unwrap_or_default();
        marks
    }

    fn tlp(&mut self, tlp: Tlp) {
        self.marks.tlp = self.marks.tlp.max(Some(tlp));
    }
}

/// Two audiences together are those in both.
fn narrow<T: Ord + Clone>(known: &mut Option<BTreeSet<T>>, more: Option<&BTreeSet<T>>) {
    let Some(more) = more else { return };
    *known = Some(match known.take() {
        Some(known) => known.intersection(more).cloned().collect(),
        None => more.clone(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strictest_label_and_the_smallest_audience_win() {
        let parties = |list: &[&str]| list.iter().map(|p| p.parse().unwrap()).collect();
        let mut union = Union::default();
        union.reference(
            "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
            &KnownMarkings::default(),
        );
        union.terms(&Terms { tlp: Some(Tlp::Red), ..Terms::default() });
        union.terms(&Terms { rel_to: Some(parties(&["XA", "XB"])), ..Terms::default() });
        union.terms(&Terms { rel_to: Some(parties(&["XB", "XC"])), ..Terms::default() });
        union.reference(
            "marking-definition--00000000-0000-4000-8000-000000000000",
            &KnownMarkings::default(),
        );
        let marks = union.finish();
        assert_eq!(marks.tlp, Some(Tlp::Red));
        assert_eq!(marks.rel_to, Some(parties(&["XB"])));
        assert_eq!(marks.unresolved.len(), 1);
    }
}
