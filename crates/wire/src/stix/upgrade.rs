//! STIX 2.0 objects as STIX 2.1: renamed and removed properties, observables of their own. Pure.
//!
//! What is made here is the importer's derived version; the original is kept beside it
//! (docs/decisions/0006-stix-20.md). Top-level values keep their bytes.
//! SOURCE: STIX 2.1 appendix on changes from 2.0; STIX 2.0 parts 2 to 4; the observed behaviour of
//! the OASIS tool stix2-elevator 4.1 (`stix_stepper`).
//! INVARIANT: nothing becomes wider: an observable carries every marking of its observed-data and
//! of any part of its content.

mod observables;

use super::extension::EXTENSION_ID;
use super::object::{ObjectProblem, SpecVersion, StixObject};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Why a STIX 2.0 object has no 2.1 form; the original stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeProblem {
    /// An observable points to one that is not there.
    #[error("`{pointer}` names the observable `{key}`, which is not among the objects")]
    Dangling {
        /// Where, in the observed-data.
        pointer: String,
        /// What it names.
        key: String,
    },
    /// A granular marking marks something that is not there.
    #[error("the selector `{0}` of a marking names nothing, so that nobody knows what it protects")]
    Selector(String),
    /// An observable is malformed.
    #[error("the observable `{0}` has no type")]
    Untyped(String),
    /// The result does not follow STIX 2.1.
    #[error("in 2.1 it would not be valid: {0}")]
    Result(ObjectProblem),
    /// A value could not be written.
    #[error("a value cannot be written: {0}")]
    Written(String),
}

impl UpgradeProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Dangling { .. } | Self::Untyped(_) => {
                "ask the producer for observed-data whose references are complete"
            }
            Self::Selector(_) => "ask the producer what the marking is meant to protect",
            Self::Result(_) => "ask the producer for STIX 2.1, or correct the object",
            Self::Written(_) => "report this with the object",
        }
    }
}

/// The members of an object, each in its own bytes.
type Members = BTreeMap<String, Box<RawValue>>;

/// The STIX 2.1 form of a 2.0 object: itself, after the observables it held, if any. Nothing for
/// what is 2.1 already, and for what carries Entente's extension, which no 2.0 producer writes.
///
/// # Errors
/// What keeps the object from having a 2.1 form.
pub fn upgrade(object: &StixObject) -> Result<Option<Vec<StixObject>>, UpgradeProblem> {
    let own = object.value().get("extensions").and_then(|all| all.get(EXTENSION_ID));
    if object.spec() != SpecVersion::V20 || own.is_some() {
        return Ok(None);
    }
    let mut members: Members = serde_json::from_slice(object.raw()).map_err(written)?;
    let mut made = Vec::new();
    types(object.kind(), &mut members)?;
    match object.kind() {
        "indicator" => {
            put(&mut members, "pattern_type", &json!("stix"))?;
            // WHY: paths of 2.0 are kept as they are written; the version says how to read them.
            put(&mut members, "pattern_version", &json!("2.0"))?;
        }
        "malware" => put(&mut members, "is_family", &json!(false))?,
        "observed-data" if members.contains_key("objects") => {
            made = observables::split(object, &mut members)?;
        }
        _ => {}
    }
    made.push(finish(&members)?);
    Ok(Some(made))
}

/// `labels` of these types say in 2.0 what `*_types` say in 2.1.
fn types(kind: &str, members: &mut Members) -> Result<(), UpgradeProblem> {
    let property = match kind {
        "indicator" => "indicator_types",
        "malware" => "malware_types",
        "report" => "report_types",
        "threat-actor" => "threat_actor_types",
        "tool" => "tool_types",
        _ => return Ok(()),
    };
    if members.contains_key(property) {
        return Ok(());
    }
    let Some(labels) = members.remove("labels") else { return Ok(()) };
    members.insert(property.to_owned(), labels);
    selectors(members, &|selector| match selector.strip_prefix("labels") {
        Some("") => property.to_owned(),
        Some(rest) if rest.starts_with('.') => format!("{property}{rest}"),
        Some(_) | None => selector.to_owned(),
    })
}

/// Rewrites each selector of the granular markings.
fn selectors(members: &mut Members, rename: &dyn Fn(&str) -> String) -> Result<(), UpgradeProblem> {
    let Some(raw) = members.get("granular_markings") else { return Ok(()) };
    let mut markings: Value = serde_json::from_str(raw.get()).map_err(written)?;
    for entry in markings.as_array_mut().into_iter().flatten() {
        let Some(Value::Array(list)) = entry.get_mut("selectors") else { continue };
        let mut renamed: Vec<Value> = Vec::with_capacity(list.len());
        for selector in list.iter() {
            let selector = selector.as_str().map_or_else(|| selector.clone(), |s| json!(rename(s)));
            if !renamed.contains(&selector) {
                renamed.push(selector);
            }
        }
        *list = renamed;
    }
    put(members, "granular_markings", &markings)
}

fn put(members: &mut Members, key: &str, value: &Value) -> Result<(), UpgradeProblem> {
    members.insert(key.to_owned(), to_raw_value(value).map_err(written)?);
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err as it is")]
fn written(error: serde_json::Error) -> UpgradeProblem {
    UpgradeProblem::Written(error.to_string())
}

/// The object, with what says its type and version first.
fn finish(members: &Members) -> Result<StixObject, UpgradeProblem> {
    let mut text = String::from("{");
    let mut write = |key: &str, value: &str| {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&Value::from(key).to_string());
        text.push(':');
        text.push_str(value);
    };
    let head = ["type", "spec_version", "id"];
    for key in head {
        match (key, members.get(key)) {
            ("spec_version", _) => write(key, "\"2.1\""),
            (_, Some(value)) => write(key, value.get()),
            (_, None) => {}
        }
    }
    for (key, value) in members.iter().filter(|(key, _)| !head.contains(&key.as_str())) {
        write(key, value.get());
    }
    text.push('}');
    StixObject::parse(text.as_bytes()).map_err(UpgradeProblem::Result)
}
