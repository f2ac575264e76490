//! Observed data as patterns see it: times, how often, and the observables behind it. Pure.
//!
//! SOURCE: STIX 2.1 section 4.14; STIX 2.0 part 2 section 2.8, where the observables are inside.

use super::super::check::instant;
use model::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// LIMIT: most observed-data in one match.
pub const OBSERVATIONS_MAX: usize = 200_000;

/// Why objects cannot be matched against.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObservationProblem {
    /// A property is missing or malformed.
    #[error("`{id}`: `{property}` is not {wanted}")]
    Property {
        /// The observed-data.
        id: String,
        /// The property.
        property: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
    /// `last_observed` is earlier than `first_observed`.
    #[error("`{0}`: `last_observed` is earlier than `first_observed`")]
    Order(String),
    /// More than `OBSERVATIONS_MAX`.
    #[error("more than {OBSERVATIONS_MAX} observed-data objects")]
    Many,
}

impl ObservationProblem {
    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Property { .. } | Self::Order(_) => {
                "correct the observed-data, or leave it out of what is matched"
            }
            Self::Many => "match fewer at a time, for instance one day",
        }
    }
}

/// One observed-data object with its observables.
#[derive(Debug, Clone)]
pub struct Observation<'a> {
    /// Its identifier.
    pub id: String,
    /// When it was seen first.
    pub first: Timestamp,
    /// When it was seen last; never earlier.
    pub last: Timestamp,
    /// How often it was seen; at least once.
    pub count: u64,
    objects: BTreeMap<&'a str, &'a Value>,
}

impl<'a> Observation<'a> {
    /// The observable with this name: its identifier, or in 2.0 its key.
    pub(super) fn object(&self, name: &str) -> Option<&'a Value> {
        self.objects.get(name).copied()
    }

    /// The observables of one type.
    pub(super) fn of_kind<'s>(
        &'s self,
        kind: &'s str,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> + 's {
        let fits = move |value: &Value| value.get("type").and_then(Value::as_str) == Some(kind);
        self.objects
            .iter()
            .filter(move |(_, value)| fits(value))
            .map(|(name, value)| (*name, *value))
    }
}

/// The observations among STIX objects; of several versions of one, the newest.
///
/// # Errors
/// An observed-data object without what matching needs.
pub fn observations<'a>(
    objects: impl IntoIterator<Item = &'a Value>,
) -> Result<Vec<Observation<'a>>, ObservationProblem> {
    let mut known: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut observed: Vec<(&str, &Map<String, Value>)> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    for value in objects {
        let Value::Object(map) = value else { continue };
        let text = |key| map.get(key).and_then(Value::as_str);
        let (Some(kind), Some(id)) = (text("type"), text("id")) else { continue };
        if kind != "observed-data" {
            known.insert(id, value);
            continue;
        }
        match places.get(id).and_then(|place| observed.get_mut(*place)) {
            Some((_, other)) if newer(map, other) => *other = map,
            Some(_) => {}
            None => {
                places.insert(id, observed.len());
                observed.push((id, map));
            }
        }
        if observed.len() > OBSERVATIONS_MAX {
            return Err(ObservationProblem::Many);
        }
    }
    observed.into_iter().map(|(id, map)| observation(id, map, &known)).collect()
}

fn newer(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let modified =
        |map: &Map<String, Value>| map.get("modified").and_then(Value::as_str).and_then(instant);
    modified(one) > modified(other)
}

fn observation<'a>(
    id: &str,
    map: &'a Map<String, Value>,
    known: &BTreeMap<&'a str, &'a Value>,
) -> Result<Observation<'a>, ObservationProblem> {
    let wrong =
        |property, wanted| ObservationProblem::Property { id: id.to_owned(), property, wanted };
    let time = |property: &'static str| {
        let text = map.get(property).and_then(Value::as_str);
        text.and_then(instant).ok_or_else(|| wrong(property, "a time such as 2026-11-23T12:00:00Z"))
    };
    let (first, last) = (time("first_observed")?, time("last_observed")?);
    if last < first {
        return Err(ObservationProblem::Order(id.to_owned()));
    }
    let count = map.get("number_observed").and_then(Value::as_u64).filter(|count| *count > 0);
    let count = count.ok_or_else(|| wrong("number_observed", "a whole number of at least 1"))?;
    let objects = match (map.get("objects"), map.get("object_refs")) {
        (Some(Value::Object(inside)), _) => {
            inside.iter().map(|(key, value)| (key.as_str(), value)).collect()
        }
        (_, Some(Value::Array(refs))) => refs
            .iter()
            .filter_map(Value::as_str)
            .filter_map(|id| known.get_key_value(id))
            .map(|(id, value)| (*id, *value))
            .collect(),
        _ => return Err(wrong("object_refs", "a list of identifiers")),
    };
    Ok(Observation { id: id.to_owned(), first, last, count, objects })
}
