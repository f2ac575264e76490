//! Other schemes of marking in Entente's words: PAP, IEP of FIRST, ACS 3.0. Pure.
//!
//! INVARIANT: a key or value that is not understood makes the whole definition unknown, which means
//! refuse; what is understood in part is never taken for the whole.
//! SOURCE: OASIS common objects, PAP extension (CISA, 2022); FIRST Information Exchange Policy 2.0;
//! ACS 3.0 extension as stix2-elevator and misp-stix write it.

use super::super::extension::time;
use super::Terms;
use model::marking::Classification;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

const PAP_EXTENSION: &str = "extension-definition--f8d78575-edfd-406e-8e84-6162a8450f5b";
const ACS_EXTENSION: &str = "extension-definition--3a65884d-005a-4290-8335-cb2d778a83ce";
/// LIMIT: longest word of a scheme that becomes a caveat, in bytes.
const WORD_BYTES_MAX: usize = 100;

/// What a marking extension of another scheme means.
pub(super) fn extension(id: &str, content: &Value) -> Option<Terms> {
    let content = content.as_object()?;
    let kind = content.get("extension_type");
    if kind.is_some_and(|kind| kind.as_str() != Some("property-extension")) {
        return None;
    }
    match id {
        PAP_EXTENSION => {
            let known = |key: &String| matches!(key.as_str(), "extension_type" | "pap");
            let label = content.get("pap")?.as_str()?;
            if content.keys().all(known) { pap(label) } else { None }
        }
        ACS_EXTENSION => acs(content),
        _ => None,
    }
}

/// What a definition of another type means.
pub(super) fn definition(kind: &str, definition: &Value) -> Option<Terms> {
    let content = definition.as_object()?;
    match kind.to_ascii_lowercase().as_str() {
        "pap" => match content.iter().collect::<Vec<_>>().as_slice() {
            [(key, label)] if key.eq_ignore_ascii_case("pap") => pap(label.as_str()?),
            _ => None,
        },
        "iep" => iep(content),
        _ => None,
    }
}

/// One of the fixed identifiers of PAP.
pub(super) fn built_in_pap(id: &str) -> Option<Terms> {
    pap(match id.strip_prefix("marking-definition--")? {
        "ad15a0cd-55b6-4588-a14c-a66105329b92" => "clear",
        "a3bea94c-b469-41dc-9cfe-d6e7daba7730" => "white",
        "c43594d1-4b11-4c59-93ab-1c9b14d53ce9" => "green",
        "60f8932b-e51e-4458-b265-a2e8be9a80ab" => "amber",
        "740d36e5-7714-4c30-961a-3ae632ceee0e" => "red",
        _ => return None,
    })
}

/// PAP says what a recipient may do with a record; it travels as a caveat.
pub(super) fn pap(label: &str) -> Option<Terms> {
    let label = label.to_ascii_uppercase();
    let label = label.strip_prefix("PAP:").unwrap_or(&label);
    match label {
        "CLEAR" | "WHITE" => Some(Terms::default()),
        "GREEN" | "AMBER" | "RED" => Some(with_caveat(Terms::default(), format!("PAP:{label}"))),
        _ => None,
    }
}

fn with_caveat(mut terms: Terms, caveat: String) -> Terms {
    terms.caveats.insert(caveat);
    terms
}

/// A word that may stand in a caveat.
fn word(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = !text.is_empty() && text.len() <= WORD_BYTES_MAX;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    (good && text.chars().all(plain)).then(|| text.replace(' ', "_").to_ascii_uppercase())
}

fn words(value: &Value) -> Option<BTreeSet<String>> {
    value.as_array()?.iter().map(word).collect()
}

/// FIRST's Information Exchange Policy.
fn iep(policy: &Map<String, Value>) -> Option<Terms> {
    let mut terms = Terms::default();
    let version = ["iep_version", "version"].iter().find_map(|key| policy.get(*key))?;
    let version = version.as_f64().or_else(|| version.as_str()?.parse().ok())?;
    if !(1.0..3.0).contains(&version) {
        return None;
    }
    for (key, value) in policy {
        let said = value.as_str().unwrap_or_default().to_ascii_lowercase().replace(['-', ' '], "_");
        let harmless: &[&str] = match key.as_str() {
            "id" | "name" | "description" | "iep_version" | "version" => continue,
            "tlp" => {
                terms.tlp = Some(model::marking::Tlp::parse(said.trim_start_matches("tlp:"))?);
                continue;
            }
            // WHY: when a policy begins or ends says nothing of what holds before or after.
            "start_date" if value.is_null() || time(value).is_some() => continue,
            "end_date" if value.is_null() => continue,
            "end_date" => {
                terms.provider_limit = Some(time(value)?);
                continue;
            }
            "encrypt_in_transit" | "encrypt_at_rest" => &["may", "must"],
            "permitted_actions" => &[
                "none",
                "contact_for_instruction",
                "internally_visible",
                "internally_visible_actions",
                "externally_visible_indirect",
                "externally_visible_indirect_actions",
                "externally_visible_direct",
                "externally_visible_direct_actions",
            ],
            "affected_party_notifications" | "unmodified_resale" => &["may", "must_not"],
            "attribution" | "provider_attribution" => &["may", "must", "must_not"],
            "obfuscate_affected_parties" => &["may", "must", "must_not"],
            // A policy that stands somewhere else cannot be read here.
            "external_reference" if value.is_null() || said.is_empty() => continue,
            _ => return None,
        };
        if !harmless.contains(&said.as_str()) {
            return None;
        }
        if said != "may" && !said.starts_with("externally_visible_direct") {
            let caveat = format!("IEP:{key}:{said}").to_ascii_uppercase();
            terms.caveats.insert(caveat);
        }
    }
    Some(terms)
}

/// The Access Control Specification of the United States' sharing architecture.
fn acs(marking: &Map<String, Value>) -> Option<Terms> {
    let mut terms = Terms::default();
    let policy = marking.get("policy_reference").and_then(Value::as_str).unwrap_or_default();
    let (mut privileged, mut shared) =
        (policy.contains("privdefault=permit"), policy.contains("sharedefault=permit"));
    for (key, value) in marking {
        match key.as_str() {
            "extension_type"
            | "name"
            | "identifier"
            | "create_date_time"
            | "responsible_entity_custodian"
            | "responsible_entity_originator"
            | "authority_reference"
            | "policy_reference"
            | "original_classification"
            | "derivative_classification"
            | "declassification"
            | "public_release" => {}
            "resource_disposition" => disposition(value.as_object()?, &mut terms)?,
            "access_privilege" => privileged |= open_to_all(value)?,
            "further_sharing" => shared |= may_be_shared(value)?,
            "control_set" => controls(value.as_object()?, &mut terms)?,
            _ => return None,
        }
    }
    // WHY: whoever may not pass it on asks its originator first; without a privilege nobody may.
    terms.orcon = !shared || !privileged;
    let classified = marking.get("control_set")?.get("classification").is_some();
    classified.then_some(terms)
}

fn disposition(wanted: &Map<String, Value>, terms: &mut Terms) -> Option<()> {
    for (key, value) in wanted {
        match key.as_str() {
            "disposition_date" => terms.provider_limit = Some(time(value)?),
            "disposition_process" => {
                terms.caveats.insert(format!("ACS:DISPOSITION:{}", word(value)?));
            }
            _ => return None,
        }
    }
    Some(())
}

/// Whether a privilege is permitted to everybody; nothing where a rule is for some or denies.
fn open_to_all(rules: &Value) -> Option<bool> {
    let mut open = false;
    for rule in rules.as_array()? {
        let rule = rule.as_object()?;
        let known = |k: &String| {
            matches!(k.as_str(), "privilege_action" | "privilege_scope" | "rule_effect")
        };
        let permit = rule.get("rule_effect")?.as_str() == Some("permit");
        let scope = rule.get("privilege_scope")?.as_object()?;
        let all = |list: &Value| words(list).is_some_and(|l| l.len() == 1 && l.contains("ALL"));
        if !rule.keys().all(known) || !permit || !scope.values().all(all) {
            return None;
        }
        open = true;
    }
    Some(open)
}

/// Whether recipients may pass it on to foreign governments.
fn may_be_shared(rules: &Value) -> Option<bool> {
    let mut shared = false;
    for rule in rules.as_array()? {
        let scope = words(rule.get("sharing_scope")?)?;
        let abroad = scope.contains("ALL") || scope.contains("FOREIGNGOV");
        match rule.get("rule_effect")?.as_str()? {
            "permit" => shared |= abroad,
            // A denial to some is none to others; who they are cannot be resolved here.
            _ => return None,
        }
    }
    Some(shared)
}

fn controls(set: &Map<String, Value>, terms: &mut Terms) -> Option<()> {
    for (key, value) in set {
        match key.as_str() {
            "classification" => {
                let label = match value.as_str()? {
                    "U" => continue,
                    "C" => "CONFIDENTIAL",
                    "S" => "SECRET",
                    "TS" => "TOP SECRET",
                    _ => return None,
                };
                let (scheme, label) = ("US".to_owned(), label.to_owned());
                terms.class = Some(Classification { scheme, label });
            }
            "formal_determination" | "caveat" | "sensitivity" | "logical_authority_category" => {
                for said in words(value)? {
                    terms.noforn |= matches!(said.as_str(), "NF" | "NOFORN");
                    terms.caveats.insert(format!("ACS:{}:{said}", key.to_ascii_uppercase()));
                }
            }
            "permitted_nationalities" => {
                let named = words(value)?;
                if !named.contains("ALL") {
                    let parties: Option<_> = named.iter().map(|n| n.parse().ok()).collect();
                    terms.rel_to = Some(parties?);
                }
            }
            // WHY: which of our partners these words mean is not known here.
            "permitted_organizations" | "shareability" | "entity" => {
                if !words(value)?.contains("ALL") {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(())
}
