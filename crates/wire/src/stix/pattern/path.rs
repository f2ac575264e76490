//! Follows an object path from one observable to its values. Pure.
//!
//! A reference is replaced by what it names in the same observation; one that names nothing there
//! has no value.
//! LIMIT: each step keeps every place once, so that a path costs no more than its steps times the
//! size of the observation, however the references run in circles.

use super::observe::Observation;
use super::parse::{BASE64, hex};
use super::syntax::Step;
use base64::Engine;
use serde_json::Value;
use std::collections::BTreeSet;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found<'a> {
    /// A value of the observation.
    Json(&'a Value),
    /// The observables a list of references names.
    Objects(Vec<&'a Value>),
    /// The content of a property written in hexadecimal or Base64.
    Bytes(Vec<u8>),
}

/// Everything the steps lead to from `root`.
pub(super) fn follow<'a>(
    observation: &Observation<'a>,
    root: &'a Value,
    steps: &[Step],
) -> Vec<Found<'a>> {
    let mut places = vec![Found::Json(root)];
    for step in steps {
        let mut seen = BTreeSet::new();
        let mut next = Vec::new();
        for place in &places {
            forward(observation, place, step, &mut |found| {
                let new = match &found {
                    Found::Json(value) => seen.insert(std::ptr::from_ref::<Value>(value) as usize),
                    Found::Objects(_) | Found::Bytes(_) => true,
                };
                if new {
                    next.push(found);
                }
            });
        }
        places = next;
        if places.is_empty() {
            break;
        }
    }
    places
}

fn forward<'a>(
    observation: &Observation<'a>,
    place: &Found<'a>,
    step: &Step,
    push: &mut dyn FnMut(Found<'a>),
) {
    match (step, place) {
        (Step::Key(key), Found::Json(Value::Object(map))) => {
            if let Some(value) = map.get(key) {
                property(observation, key, value, push);
            }
        }
        (Step::Index(index), Found::Json(Value::Array(list))) => {
            let index = usize::try_from(*index).ok();
            if let Some(value) = index.and_then(|index| list.get(index)) {
                push(Found::Json(value));
            }
        }
        (Step::Index(index), Found::Objects(list)) => {
            let index = usize::try_from(*index).ok();
            if let Some(value) = index.and_then(|index| list.get(index)) {
                push(Found::Json(value));
            }
        }
        (Step::Every, Found::Json(Value::Array(list))) => {
            list.iter().for_each(|value| push(Found::Json(value)));
        }
        (Step::Every, Found::Objects(list)) => {
            list.iter().for_each(|value| push(Found::Json(value)));
        }
        (Step::Key(_) | Step::Index(_) | Step::Every, _) => {}
    }
}

/// The value of a property, read as its name says (STIX 2.1 sections 2.1, 2.8 and 3.1).
fn property<'a>(
    observation: &Observation<'a>,
    key: &str,
    value: &'a Value,
    push: &mut dyn FnMut(Found<'a>),
) {
    if key.ends_with("_refs") {
        let names = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        let objects: Vec<_> = names.filter_map(|name| observation.object(name)).collect();
        if !objects.is_empty() {
            push(Found::Objects(objects));
        }
    } else if key.ends_with("_ref") {
        if let Some(object) = value.as_str().and_then(|name| observation.object(name)) {
            push(Found::Json(object));
        }
    } else if key.ends_with("_hex") {
        if let Some(bytes) = value.as_str().and_then(from_hex) {
            push(Found::Bytes(bytes));
        }
    } else if key.ends_with("_bin") {
        if let Some(bytes) = value.as_str().and_then(|text| BASE64.decode(text).ok()) {
            push(Found::Bytes(bytes));
        }
    } else {
        push(Found::Json(value));
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let good = text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit());
    good.then(|| hex(text))
}
