//! An object without some of its content, still valid STIX and otherwise byte for byte the same.
//! Pure.
//!
//! A required text gives way to [`WITHHELD`], or to the value of its form that means nothing
//! ([`stand_in`]), so that any STIX reader still takes the object; the view does not count those
//! as fields. Granular markings and field markings of what went go too, and selectors behind it
//! move up.
//! INVARIANT: an identifier that is computed from content (STIX 2.1 section 2.9) never leaves
//! without that content: whoever guesses it could check the guess.

use super::extension::EXTENSION_ID;
use super::object::{ObjectProblem, SpecVersion, StixObject};
use super::observable::contributing;
use super::shapes::{Form, required_in_20, shape};
use super::view::{field_pointers, select};
use crate::json::{CutProblem, Edit, Plan, apply_raw, remove, tokens};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What stands in place of a required text that is withheld.
pub const WITHHELD: &str = "[withheld]";

/// A pattern that matches nothing: no observable has this type.
const PATTERN_WITHHELD: &str = "[x-withheld:value = '[withheld]']";

/// What stands in place of a required text that is withheld; nothing where no value of its form
/// means nothing, so that the object cannot leave without it.
///
/// SOURCE: RFC 2606 section 2: names below `.invalid` are nobody's.
fn stand_in(object: &Map<String, Value>, property: &str) -> Option<&'static str> {
    let text = |key: &str| object.get(key).and_then(Value::as_str);
    match (text("type"), property) {
        (Some("indicator"), "pattern") if text("pattern_type").is_none_or(|t| t == "stix") => {
            Some(PATTERN_WITHHELD)
        }
        (Some("domain-name"), "value") => Some("withheld.invalid"),
        (Some("email-addr"), "value") => Some("withheld@withheld.invalid"),
        (Some("url"), "value") => Some("https://withheld.invalid/"),
        (Some("ipv4-addr" | "ipv6-addr" | "mac-addr"), "value") => None,
        (_, _) => Some(WITHHELD),
    }
}

/// Whether a property holds what stands in place of a withheld text.
pub(super) fn is_stand_in(object: &Map<String, Value>, property: &str, value: &Value) -> bool {
    let Some(text) = value.as_str() else { return false };
    text == WITHHELD || (text.contains("withheld") && stand_in(object, property) == Some(text))
}

/// Why content could not be withheld; nothing may leave then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WithholdProblem {
    /// A pointer is malformed or points at nothing.
    #[error(transparent)]
    Cut(#[from] CutProblem),
    /// Its identifier is computed from what is withheld.
    #[error("the id is computed from `{0}`, so that whoever guesses that could check the guess")]
    Telling(String),
    /// What would be left is no STIX object.
    #[error("what is left without the withheld content is no STIX object: {0}")]
    Left(ObjectProblem),
    /// The markings of what is left could not be written.
    #[error("the markings of what is left cannot be written")]
    Markings,
}

impl StixObject {
    /// A copy without the content at `pointers` (RFC 6901).
    ///
    /// # Errors
    /// A pointer that points at nothing, or a remainder that is no STIX object.
    pub fn withhold(&self, pointers: &[&str]) -> Result<Self, WithholdProblem> {
        if pointers.is_empty() {
            return Ok(self.clone());
        }
        let mut plan = Plan::cutting(self.value(), pointers)?;
        self.tells(pointers)?;
        let texts = self.required_texts();
        let (mut cuts, mut replaced) = (Vec::new(), Vec::new());
        for path in pointers.iter().filter_map(|p| tokens(p)) {
            let required = match path.as_slice() {
                [property] if texts.contains(property.as_str()) => {
                    self.map().and_then(|map| stand_in(map, property))
                }
                _ => None,
            };
            match required {
                Some(text) => {
                    plan.add(&path, Edit::Put(Value::from(text).to_string().into_bytes()));
                    replaced.push(path);
                }
                None => cuts.push(path),
            }
        }
        let mut gone = vanished(self.value(), &cuts)?;
        gone.extend(replaced);
        self.plan_markings(&gone, &mut plan)?;
        self.plan_field_marks(&gone, &mut plan)?;
        let raw = apply_raw(self.raw(), &plan)?;
        Self::parse(&raw).map_err(WithholdProblem::Left)
    }

    /// Refuses where the identifier would tell what is withheld.
    fn tells(&self, pointers: &[&str]) -> Result<(), WithholdProblem> {
        let makes_id = contributing(self.kind());
        let paths = pointers.iter().filter_map(|p| tokens(p));
        let mut first = paths.filter_map(|path| path.into_iter().next());
        match first.find(|p| makes_id.contains(&p.as_str())) {
            Some(property) if self.id_tells_content() => Err(WithholdProblem::Telling(property)),
            Some(_) | None => Ok(()),
        }
    }

    fn map(&self) -> Option<&Map<String, Value>> {
        self.value().as_object()
    }

    fn required_texts(&self) -> BTreeSet<&'static str> {
        let older = (self.spec() == SpecVersion::V20).then(|| required_in_20(self.kind()));
        let required = older.flatten().or(shape(self.kind()).map(|s| s.required));
        let text = |(name, form): &(&'static str, Form)| (*form == Form::Text).then_some(*name);
        required.into_iter().flatten().filter_map(text).collect()
    }

    /// Rewrites the selectors of granular markings to what they name after the cuts.
    fn plan_markings(&self, gone: &Gone, plan: &mut Plan) -> Result<(), WithholdProblem> {
        let place = ["granular_markings".to_owned()];
        let Some(map) = self.map().filter(|_| !gone.contains(place.as_slice())) else {
            return Ok(());
        };
        let Some(entries) = map.get("granular_markings").and_then(Value::as_array) else {
            return Ok(());
        };
        let mut left = Vec::new();
        for entry in entries {
            let selectors = entry.get("selectors").and_then(Value::as_array);
            let selectors: BTreeSet<String> = selectors
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .flat_map(|selector| moved(map, selector, gone))
                .collect();
            if selectors.is_empty() {
                continue;
            }
            let mut entry = entry.clone();
            let Some(slot) = entry.get_mut("selectors") else {
                return Err(WithholdProblem::Markings);
            };
            *slot = selectors.into_iter().map(Value::String).collect();
            left.push(entry);
        }
        if &left == entries {
            return Ok(());
        }
        let edit = if left.is_empty() {
            Edit::Cut
        } else {
            Edit::Put(serde_json::to_vec(&left).map_err(|_| WithholdProblem::Markings)?)
        };
        plan.add(&place, edit);
        Ok(())
    }

    /// Cuts Entente's markings of fields that went, which would name them.
    fn plan_field_marks(&self, gone: &Gone, plan: &mut Plan) -> Result<(), WithholdProblem> {
        let marked = self.value().get("extensions").and_then(|e| e.get(EXTENSION_ID));
        let marked = marked.and_then(|e| e.get("field_marks")).and_then(Value::as_object);
        let Some(marked) = marked else { return Ok(()) };
        let fields = field_pointers(self).map_err(|_| WithholdProblem::Markings)?;
        let went = |pointer: &String| {
            let path = tokens(pointer).unwrap_or_default();
            (1..=path.len()).any(|n| path.get(..n).is_some_and(|p| gone.contains(p)))
        };
        for field in marked.keys() {
            if fields.get(field).is_some_and(|pointers| pointers.iter().all(went)) {
                let path = ["extensions", EXTENSION_ID, "field_marks", field].map(str::to_owned);
                plan.add(&path, Edit::Cut);
            }
        }
        Ok(())
    }
}

/// Paths of everything that went.
type Gone = BTreeSet<Vec<String>>;

/// The cuts, and the containers they leave empty.
fn vanished(value: &Value, cuts: &[Vec<String>]) -> Result<Gone, WithholdProblem> {
    let mut gone: Gone = cuts.iter().cloned().collect();
    let pointer = |path: &[String]| -> String {
        path.iter().map(|token| format!("/{}", crate::json::escape(token))).collect()
    };
    let pointers: Vec<String> = cuts.iter().map(|cut| pointer(cut)).collect();
    let pointers: Vec<&str> = pointers.iter().map(String::as_str).collect();
    for cut in cuts {
        let mut parent = cut.clone();
        while parent.pop().is_some() && !parent.is_empty() {
            let Some(inside) = value.pointer(&pointer(&parent)) else { break };
            let prefix = pointer(&parent);
            let below: Vec<&str> = pointers
                .iter()
                .filter_map(|p| p.strip_prefix(prefix.as_str()).filter(|r| r.starts_with('/')))
                .collect();
            let left = remove(inside, &below)?;
            let empty = left.as_array().is_some_and(Vec::is_empty)
                || left.as_object().is_some_and(Map::is_empty);
            if !empty {
                break;
            }
            gone.insert(parent.clone());
        }
    }
    Ok(gone)
}

/// The selector again, with the indexes its paths have after the cuts; nothing if they went.
fn moved(map: &Map<String, Value>, selector: &str, gone: &Gone) -> Vec<String> {
    let paths = select(map, selector);
    if paths.is_empty() {
        // WHY: a marking that nobody can place must stay, so that it goes on meaning refuse.
        return vec![selector.to_owned()];
    }
    let mut out = Vec::new();
    for path in paths {
        let prefixes = 1..=path.len();
        if prefixes.clone().any(|n| path.get(..n).is_some_and(|p| gone.contains(p))) {
            continue;
        }
        let mut tokens = Vec::new();
        for depth in prefixes {
            let (Some(parents), Some(token)) =
                (path.get(..depth.saturating_sub(1)), path.get(depth.saturating_sub(1)))
            else {
                continue;
            };
            tokens.push(match (is_list(map, parents), token.parse::<usize>()) {
                (true, Ok(index)) => {
                    let before = |cut: &&Vec<String>| {
                        cut.split_last().is_some_and(|(last, above)| {
                            above == parents && last.parse::<usize>().is_ok_and(|i| i < index)
                        })
                    };
                    let removed = gone.iter().filter(before).count();
                    format!("[{}]", index.saturating_sub(removed))
                }
                (_, _) => token.clone(),
            });
        }
        out.push(tokens.join("."));
    }
    out
}

fn is_list(map: &Map<String, Value>, path: &[String]) -> bool {
    let Some((first, rest)) = path.split_first() else { return false };
    let step = |value: &Value, token: &String| match value {
        Value::Object(map) => map.get(token).cloned(),
        Value::Array(list) => token.parse::<usize>().ok().and_then(|i| list.get(i)).cloned(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    let mut value = map.get(first).cloned();
    for token in rest {
        value = value.and_then(|v| step(&v, token));
    }
    value.is_some_and(|v| v.is_array())
}
