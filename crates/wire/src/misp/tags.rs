//! What tags mean to the rules: TLP, PAP, grades, classifications, dissemination, retention. Pure.
//!
//! INVARIANT: a tag of a restricting taxonomy that nobody here understands becomes a marking
//! nobody can resolve, which means refuse. Tags of other taxonomies restrict nothing.
//! SOURCE: MISP taxonomies tlp, PAP, admiralty-scale, nato, euci, dni-ism, retention.

use super::audience::Reach;
use super::members::{flag, list, shown};
use crate::stix::convert::deterministic_id;
use model::grading::Grade;
use model::marking::{Classification, Tlp};
use model::time::{Period, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// LIMIT: tags of one part.
const TAGS_MAX: usize = 1_000;

/// The tags of one part of an event.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// Names, for the labels of the record.
    pub(super) names: Vec<String>,
    /// What else MISP says of them, by name.
    pub(super) details: Map<String, Value>,
    /// Tags the instance keeps to itself.
    pub(super) local: Vec<Value>,
    pub(super) seal: Seal,
}

/// Everything that restricts a record.
#[derive(Debug, Clone, Default)]
pub(super) struct Seal {
    pub(super) reach: Reach,
    pub(super) tlp: Option<Tlp>,
    pub(super) noforn: bool,
    pub(super) orcon: bool,
    pub(super) caveats: BTreeSet<String>,
    pub(super) classes: BTreeSet<Classification>,
    pub(super) source: Option<char>,
    pub(super) information: Option<char>,
    pub(super) keep: Option<Period>,
    pub(super) unknown: BTreeSet<String>,
}

impl Seal {
    /// Both restrictions; the inner part's own grade comes first.
    #[must_use]
    pub(super) fn and(&self, inner: &Self) -> Self {
        let unite = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.union(b).cloned().collect();
        Self {
            reach: self.reach.and(&inner.reach),
            tlp: self.tlp.max(inner.tlp),
            noforn: self.noforn || inner.noforn,
            orcon: self.orcon || inner.orcon,
            caveats: unite(&self.caveats, &inner.caveats),
            classes: self.classes.union(&inner.classes).cloned().collect(),
            source: inner.source.or(self.source),
            information: inner.information.or(self.information),
            keep: shorter(self.keep.as_ref(), inner.keep.as_ref()),
            unknown: unite(&self.unknown, &inner.unknown),
        }
    }

    /// The grade; a half that was not given counts as the worst.
    pub(super) fn grade(&self) -> Option<Grade> {
        if self.source.is_none() && self.information.is_none() {
            return None;
        }
        let text = format!("{}{}", self.source.unwrap_or('F'), self.information.unwrap_or('6'));
        text.parse().ok()
    }

    /// When a recipient must delete it, counted from its last change.
    pub(super) fn provider_limit(&self, modified: Timestamp) -> Option<Timestamp> {
        self.keep.as_ref().and_then(|period| modified.plus(period).ok())
    }
}

/// Reads the list of tags.
pub(super) fn read(map: &Map<String, Value>) -> Tags {
    let mut tags = Tags::default();
    for tag in list(map, "Tag").iter().chain(list(map, "EventTag")).take(TAGS_MAX) {
        let inner = tag.get("Tag").unwrap_or(tag);
        let Some(name) = inner.get("name").and_then(Value::as_str).filter(|n| !n.is_empty()) else {
            continue;
        };
        tags.seal.learn(name);
        if inner.as_object().is_some_and(|map| flag(map, "local")) {
            tags.local.push(inner.clone());
            continue;
        }
        if tags.names.iter().any(|known| known == name) {
            continue;
        }
        tags.names.push(name.to_owned());
        let details = details(inner);
        if !details.is_empty() {
            tags.details.insert(name.to_owned(), Value::Object(details));
        }
    }
    if list(map, "Tag").len() > TAGS_MAX {
        tags.seal.unknown.insert(format!("more than {TAGS_MAX} tags"));
    }
    tags
}

/// What a tag says beside its name; local numbers stay behind.
fn details(tag: &Value) -> Map<String, Value> {
    let own = |key: &str| !matches!(key, "name" | "id" | "org_id" | "user_id" | "local");
    let members = tag.as_object().into_iter().flatten();
    members
        .filter(|(key, value)| own(key) && !value.is_null())
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Namespace, predicate and value of a machine tag.
fn parts(name: &str) -> (String, String, String) {
    let (space, rest) = name.split_once(':').unwrap_or(("", name));
    let (predicate, value) = rest.split_once('=').unwrap_or((rest, ""));
    let value = value.trim().trim_matches('"');
    let lower = |text: &str| text.trim().to_ascii_lowercase();
    (lower(space), lower(predicate), value.to_owned())
}

impl Seal {
    fn learn(&mut self, name: &str) {
        let (space, predicate, value) = parts(name);
        let known = match space.as_str() {
            "tlp" => self.learn_tlp(&predicate),
            "pap" => self.learn_pap(&predicate),
            "admiralty-scale" => self.learn_grade(&predicate, &value),
            "nato" => self.learn_class("NATO", nato(&value)),
            "euci" => self.learn_class("EU", euci(&predicate)),
            "dni-ism" => self.learn_ism(&predicate, &value),
            "fr-classif" => self.learn_class("FR", Some(value.as_str()).filter(|v| !v.is_empty())),
            "retention" => self.learn_retention(&predicate),
            _ => true,
        };
        if !known {
            self.unknown.insert(shown(name));
        }
    }

    fn learn_tlp(&mut self, label: &str) -> bool {
        let Some(tlp) = Tlp::parse(label) else { return false };
        self.tlp = self.tlp.max(Some(tlp));
        true
    }

    /// PAP says what a recipient may do; it travels as a caveat.
    fn learn_pap(&mut self, label: &str) -> bool {
        let known = matches!(label, "red" | "amber" | "green" | "clear" | "white");
        if known && !matches!(label, "clear" | "white") {
            self.caveats.insert(format!("PAP:{}", label.to_ascii_uppercase()));
        }
        known
    }

    /// WHY: `g` is deliberate deception in MISP only; it counts as worse than any letter.
    fn learn_grade(&mut self, predicate: &str, value: &str) -> bool {
        let mark = value.chars().next().filter(|_| value.chars().count() == 1);
        match (predicate, mark.map(|c| c.to_ascii_uppercase())) {
            ("source-reliability", Some(letter @ 'A'..='F')) => {
                self.source = self.source.max(Some(letter));
            }
            ("source-reliability", Some('G')) => self.source = Some('X'),
            ("information-credibility", Some(digit @ '1'..='6')) => {
                self.information = self.information.max(Some(digit));
            }
            (_, _) => return false,
        }
        true
    }

    fn learn_class(&mut self, scheme: &str, label: Option<&str>) -> bool {
        let Some(label) = label else { return false };
        self.classes.insert(Classification { scheme: scheme.to_owned(), label: label.to_owned() });
        true
    }

    fn learn_ism(&mut self, predicate: &str, value: &str) -> bool {
        match (predicate, value.to_ascii_uppercase().as_str()) {
            ("classification:all" | "classification:us", "U") => true,
            ("classification:all" | "classification:us", label) => {
                self.learn_class("US", ism(label))
            }
            ("dissem", "NF") | ("nonic", "SBU-NF" | "LES-NF") => {
                self.noforn = true;
                true
            }
            ("dissem", "OC" | "OC-USGOV") => {
                self.orcon = true;
                true
            }
            // WHY: REL without its list names nobody (ISM roll-up: the lists intersect).
            ("dissem", "REL" | "RELIDO" | "DISPLAYONLY" | "RS") => {
                self.reach = self.reach.and(&Reach::nobody());
                true
            }
            ("dissem", "FOUO" | "IMC" | "PR" | "DSEN" | "FISA") | ("notice", _) => {
                self.caveats.insert(format!("ISM:{}", shown(value).to_ascii_uppercase()));
                true
            }
            ("complies:with", _) => true,
            (_, _) => false,
        }
    }

    fn learn_retention(&mut self, predicate: &str) -> bool {
        if predicate == "expired" {
            self.unknown.insert("retention:expired".to_owned());
            return true;
        }
        let Some(unit) = predicate.chars().last() else { return false };
        let number = predicate.strip_suffix(unit).and_then(|n| n.parse::<u16>().ok());
        let text = match (number, unit) {
            (Some(number), 'w') => format!("P{}D", number.saturating_mul(7)),
            (Some(number), 'd' | 'm' | 'y') => format!("P{number}{}", unit.to_ascii_uppercase()),
            (_, _) => return false,
        };
        let Ok(period) = text.parse::<Period>() else { return false };
        self.keep = shorter(self.keep.as_ref(), Some(&period));
        true
    }

    /// The identifiers nobody can resolve, for what was not understood.
    pub(super) fn unknown_markings(&self) -> Vec<Value> {
        let id = |what: &String| json!(deterministic_id("marking-definition", "misp-tag", what));
        self.unknown.iter().map(id).collect()
    }
}

/// Retention only shortens.
fn shorter(a: Option<&Period>, b: Option<&Period>) -> Option<Period> {
    a.into_iter().chain(b).min_by_key(|period| period.seconds_nominal()).cloned()
}

fn nato(value: &str) -> Option<&'static str> {
    Some(match value.to_ascii_uppercase().as_str() {
        "CTS" => "COSMIC TOP SECRET",
        "CTS-B" => "COSMIC TOP SECRET BOHEMIA",
        "CTS-A" => "COSMIC TOP SECRET ATOMAL",
        "NS" => "NATO SECRET",
        "NS-A" => "NATO SECRET ATOMAL",
        "NC" => "NATO CONFIDENTIAL",
        "NC-A" => "NATO CONFIDENTIAL ATOMAL",
        "NR" => "NATO RESTRICTED",
        "NU" => "NATO UNCLASSIFIED",
        _ => return None,
    })
}

fn euci(predicate: &str) -> Option<&'static str> {
    Some(match predicate {
        "ts-ue/eu-ts" => "TRÈS SECRET UE/EU TOP SECRET",
        "s-ue/eu-s" => "SECRET UE/EU SECRET",
        "c-ue/eu-c" => "CONFIDENTIEL UE/EU CONFIDENTIAL",
        "r-ue/eu-r" => "RESTREINT UE/EU RESTRICTED",
        _ => return None,
    })
}

fn ism(label: &str) -> Option<&'static str> {
    Some(match label {
        "R" => "RESTRICTED",
        "C" => "CONFIDENTIAL",
        "S" => "SECRET",
        "TS" => "TOP SECRET",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(names: &[&str]) -> Seal {
        let tags: Vec<Value> = names.iter().map(|name| json!({"name": name})).collect();
        read(json!({ "Tag": tags }).as_object().unwrap()).seal
    }

    #[test]
    fn the_strictest_label_and_the_worst_grade_count() {
        let seal = seal(&[
            "tlp:green",
            "TLP:AMBER+STRICT",
            "PAP:RED",
            "admiralty-scale:source-reliability=\"b\"",
            "admiralty-scale:information-credibility=\"2\"",
            "dni-ism:dissem=\"NF\"",
            "osint:source-type=\"blog-post\"",
        ]);
        assert_eq!(seal.tlp, Some(Tlp::AmberStrict));
        assert_eq!(seal.grade().unwrap().to_string(), "B2");
        assert!(seal.noforn && seal.caveats.contains("PAP:RED") && seal.unknown.is_empty());
    }

    #[test]
    fn a_restriction_nobody_understands_is_not_passed_over() {
        for name in [
            "tlp:ultraviolet",
            "tlp:ex:chr",
            "PAP:BLUE",
            "nato:classification=\"ZZ\"",
            "dni-ism:sci=\"HCS\"",
            "retention:forever",
            "retention:expired",
        ] {
            assert_eq!(seal(&[name]).unknown.len(), 1, "{name}");
            assert_eq!(seal(&[name]).unknown_markings().len(), 1);
        }
        assert_eq!(seal(&["retention:2w"]).keep, "P14D".parse().ok());
    }
}
