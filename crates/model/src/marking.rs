//! Markings: who may hold a record or a field, as the originator wrote it. Pure.
//!
//! SOURCE: FIRST TLP 2.0; ISM (NOFORN, REL TO); Council Decision 2013/488/EU for classification.

use crate::ids::{AgencyId, PartyId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// Traffic Light Protocol 2.0, least strict first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tlp {
    /// Free to pass on.
    #[serde(rename = "clear")]
    Clear,
    /// The community, no public channel.
    #[serde(rename = "green")]
    Green,
    /// The recipient's organisation and its clients.
    #[serde(rename = "amber")]
    Amber,
    /// The recipient's organisation only.
    #[serde(rename = "amber+strict")]
    AmberStrict,
    /// Named recipients only.
    #[serde(rename = "red")]
    Red,
}

impl Tlp {
    /// All labels, least strict first.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The label in the standard's lower-case form.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// Reads a label in any letter case; TLP 1's `white` is today's `clear`.
    #[must_use]
    pub fn parse(label: &str) -> Option<Self> {
        match label.to_ascii_lowercase().as_str() {
            "clear" | "white" => Some(Self::Clear),
            "green" => Some(Self::Green),
            "amber" => Some(Self::Amber),
            "amber+strict" => Some(Self::AmberStrict),
            "red" => Some(Self::Red),
            _ => None,
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.label().to_ascii_uppercase())
    }
}

/// A classification as written: a scheme (`EU`, `RO`, `LEVEL` …) and its label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Classification {
    /// Whose table the label belongs to.
    pub scheme: String,
    /// The label exactly as the originator wrote it.
    pub label: String,
}

/// The markings of a record, or of one of its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Marks {
    /// Classification, absent when none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Classification>,
    /// TLP label, absent when none was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
    /// The recipients a TLP:RED record names.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tlp_recipients: BTreeSet<AgencyId>,
    /// Not for anyone outside the originator's state.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub noforn: bool,
    /// Only for these parties; an empty list is nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rel_to: Option<BTreeSet<PartyId>>,
    /// Marking references or labels that nobody here can resolve; any entry means refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unresolved: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_read_back_and_order_by_strictness() {
        for tlp in Tlp::ALL {
            assert_eq!(Tlp::parse(tlp.label()), Some(tlp));
        }
        assert!(Tlp::Amber < Tlp::AmberStrict);
        assert_eq!(Tlp::parse("ultraviolet"), None);
        assert_eq!(Tlp::AmberStrict.to_string(), "TLP:AMBER+STRICT");
    }
}
