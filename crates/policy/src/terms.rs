//! The words the rules themselves know, in one place. Pure.
//!
//! SOURCE: docs/reference/decisions.md; Europol handling codes (Council document 6243/18).

/// The rule an emergency article may lift.
pub const ORIGINATOR_CONSENT: &str = "ORIGINATOR_CONSENT";
/// Obligation: who passes a record on under the article tells its originator at once.
pub const NOTIFY_ORIGINATOR: &str = "notify_originator";
/// Caveat added where onward transfer needs the originator's consent.
pub const CAVEAT_ONWARD_CONSENT: &str = "ONWARD_CONSENT";
/// Caveat added where onward transfer is forbidden.
pub const CAVEAT_NO_ONWARD: &str = "NO_ONWARD";
/// Caveat of originator-controlled records.
pub const CAVEAT_ORCON: &str = "ORCON";
/// Prefix of the caveat that carries a REL list.
pub const CAVEAT_REL_PREFIX: &str = "REL:";
/// The purpose that handling code H1 and the death-penalty floor look at.
pub const PURPOSE_PROSECUTION: &str = "prosecution";
/// Handling code: not in judicial proceedings without the provider's permission.
pub const HANDLING_H1: &str = "H1";
/// Fact: the provider permits use as evidence.
pub const FACT_EVIDENCE_PERMISSION: &str = "evidence_permission";
/// Fact: sufficient assurance that the death penalty is not imposed or carried out.
pub const FACT_NO_DEATH_PENALTY: &str = "assurance_no_death_penalty";
/// Fact: why the data are strictly necessary.
pub const FACT_NECESSITY: &str = "necessity_statement";
/// Fact: a named person has reviewed the release.
pub const FACT_HUMAN_REVIEW: &str = "human_review";
/// The designator that counts for every party.
pub const DESIGNATOR_UN: &str = "UN";
/// Flag: the act or the case has a political character.
pub const FLAG_POLITICAL: &str = "political_character";
/// Flag: grounds to fear persecution.
pub const FLAG_DISCRIMINATION: &str = "discrimination_grounds";
/// Flag: the person has been finally judged for the same facts.
pub const FLAG_NE_BIS_IN_IDEM: &str = "ne_bis_in_idem";

/// Requirements that are computed from the vocabulary and the flags, never taken from the facts.
pub const COMPUTED: [&str; 4] =
    ["dual_criminality", "not_political_offence", "not_discriminatory", "not_ne_bis_in_idem"];

/// Facts a person can state, as the house knows them; others are accepted and pointed out by the
/// linter.
pub const FACTS: [&str; 16] = [
    "after_action_review_agreed",
    "assurance_no_death_penalty",
    "assurance_no_torture",
    "evidence_permission",
    "facts_and_offence_stated",
    "human_review",
    "imminent_threat_to_life",
    "judicial_authorisation",
    "legal_review",
    "match_confirmed",
    "necessity_statement",
    "originator_informed",
    "proportionality_statement",
    "request_complete",
    "speciality_undertaking",
    "victim_consent",
];

/// Categories of data subject, as the house knows them.
pub const SUBJECTS: [&str; 10] = [
    "none",
    "suspect",
    "convicted",
    "contact",
    "victim",
    "witness",
    "minor",
    "informant",
    "missing",
    "other",
];
