//! The tables decisions look things up in: actors, states, acts, groups, labels. Pure.

use crate::ids::{AgencyId, PartyId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// An agency and what it may hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Its state, absent for companies.
    pub state: Option<PartyId>,
    /// Its party where that is not a state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub party: Option<PartyId>,
    /// `police`, `fiu`, `judicial`, `private` …
    pub kind: String,
    /// Highest normalised classification it may hold, 0 to 4.
    pub cleared_to: u8,
}

impl Actor {
    /// The party it acts for: its state, or its company.
    #[must_use]
    pub fn party(&self) -> Option<&PartyId> {
        self.state.as_ref().or(self.party.as_ref())
    }
}

/// Assessed risk of torture in a state (OSJA-style record).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Low.
    Low,
    /// Medium: a senior person approves.
    Medium,
    /// Serious: personal data does not go there.
    Serious,
}

/// What is recorded of a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Risk of torture.
    pub torture_risk: Risk,
    /// Acts for which it keeps the death penalty.
    pub death_penalty_for: BTreeSet<String>,
}

/// A neutral act code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offence {
    /// What the act is.
    pub label: String,
    /// Whether a universal convention defines it (no political-offence exception).
    pub convention: bool,
    /// Instrument and article.
    pub source: String,
}

/// Who designates a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// `UN` or parties.
    pub designated_by: BTreeSet<String>,
}

/// Everything a decision may look up, frozen for its duration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Scheme → label → normalised level 0 to 4.
    pub classification: BTreeMap<String, BTreeMap<String, u8>>,
    /// Agencies.
    pub actors: BTreeMap<AgencyId, Actor>,
    /// States.
    pub states: BTreeMap<PartyId, State>,
    /// Acts.
    pub offences: BTreeMap<String, Offence>,
    /// State → act → maximum penalty in months.
    pub catalogue: BTreeMap<PartyId, BTreeMap<String, u32>>,
    /// Groups.
    pub groups: BTreeMap<String, Group>,
    /// Purposes known.
    pub purposes: Vec<String>,
    /// Fields that are special categories of data (LED Art 10).
    pub special_categories: BTreeSet<String>,
}
