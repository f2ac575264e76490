//! One entity, and its form in JSON. Pure.

use super::{ID_BYTES_MAX, NAME_BYTES_MAX};
use crate::json::{escape, parse_strict};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const NAME_CURE: &str = "use the name the FollowTheMoney model gives it: letters and digits only";
const TEXT_CURE: &str = "write a text here";
const TEXTS_CURE: &str = "write a list of texts here";

/// A thing, or a relation between things, that datasets speak of.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Entity {
    /// Its identifier, unique within its datasets.
    pub id: String,
    /// What kind it is: `Person`, `Company`, `Ownership`, …
    pub schema: String,
    /// What to call it on a screen; nothing where the file leaves that to the reader.
    pub caption: Option<String>,
    /// Values by property, in the order of the file, each value once; no empty lists.
    pub properties: BTreeMap<String, Vec<String>>,
    /// The datasets that speak of it.
    pub datasets: BTreeSet<String>,
    /// Other identifiers of the same thing.
    pub referents: BTreeSet<String>,
    /// Whether its datasets are about it, or only mention it; nothing where the file is silent.
    pub target: Option<bool>,
    /// Members without a place above, as they were (`first_seen`, `last_change`, …).
    pub other: Map<String, Value>,
}

/// Why a text is not an entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{reason}", if pointer.is_empty() { String::new() } else { format!("`{pointer}` ") })]
pub struct Fault {
    /// RFC 6901 pointer of the value at fault; empty for the whole.
    pub pointer: String,
    /// Byte of the text at fault, from 1, where its syntax is wrong.
    pub column: Option<u64>,
    /// What is wrong.
    pub reason: String,
    /// How to cure it.
    pub cure: &'static str,
}

fn fault<T>(pointer: &str, reason: impl Into<String>, cure: &'static str) -> Result<T, Fault> {
    Err(Fault { pointer: pointer.to_owned(), column: None, reason: reason.into(), cure })
}

impl Entity {
    /// Reads one entity.
    ///
    /// # Errors
    /// The text is not strict JSON, or not one flat entity; the first fault with its place.
    pub fn parse(text: &[u8]) -> Result<Self, Fault> {
        let value = parse_strict(text).map_err(|problem| Fault {
            pointer: problem.pointer.clone(),
            column: Some(problem.column),
            reason: problem.reason.to_string(),
            cure: problem.help(),
        })?;
        let Value::Object(members) = value else {
            return fault("", "is not an object", "give one entity a line");
        };
        let mut entity = Self::default();
        for (key, value) in members {
            entity.member(key, value)?;
        }
        if entity.id.is_empty() {
            return fault("/id", "is missing", "give the entity its identifier");
        }
        if entity.schema.is_empty() {
            return fault("/schema", "is missing", "say what kind of entity it is, as `Person`");
        }
        Ok(entity)
    }

    fn member(&mut self, key: String, value: Value) -> Result<(), Fault> {
        match key.as_str() {
            "id" => self.id = identifier(value)?,
            "schema" => {
                self.schema = text("/schema", value)?;
                name("/schema", &self.schema)?;
            }
            "properties" => self.properties = properties(value)?,
            "caption" if !value.is_null() => self.caption = Some(text("/caption", value)?),
            "datasets" => self.datasets = texts("/datasets", value)?.into_iter().collect(),
            "referents" => self.referents = texts("/referents", value)?.into_iter().collect(),
            "target" => match value {
                Value::Bool(target) => self.target = Some(target),
                Value::Null => {}
                Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                    return fault("/target", "is neither true nor false", "write true or false");
                }
            },
            "caption" => {}
            _ => {
                self.other.insert(key, value);
            }
        }
        Ok(())
    }

    /// The values of a property; none where it has none.
    #[must_use]
    pub fn values(&self, property: &str) -> &[String] {
        self.properties.get(property).map_or(&[], Vec::as_slice)
    }

    /// The entity as one line of JSON, without its end: the same entity, the same bytes.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut out = self.other.clone();
        let mut say = |key: &str, value: Value| out.insert(key.to_owned(), value);
        say("id", json!(self.id));
        say("schema", json!(self.schema));
        say("properties", json!(self.properties));
        if let Some(caption) = &self.caption {
            say("caption", json!(caption));
        }
        if !self.datasets.is_empty() {
            say("datasets", json!(self.datasets));
        }
        if !self.referents.is_empty() {
            say("referents", json!(self.referents));
        }
        if let Some(target) = self.target {
            say("target", json!(target));
        }
        Value::Object(out).to_string()
    }
}

fn identifier(value: Value) -> Result<String, Fault> {
    let id = text("/id", value)?;
    if id.len() > ID_BYTES_MAX {
        let reason = format!("is longer than {ID_BYTES_MAX} bytes");
        return fault("/id", reason, "give the entity a shorter identifier");
    }
    Ok(id)
}

fn name(pointer: &str, name: &str) -> Result<(), Fault> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric());
    if name.is_empty() || !plain || name.len() > NAME_BYTES_MAX {
        return fault(pointer, "is not a name of the model", NAME_CURE);
    }
    Ok(())
}

fn text(pointer: &str, value: Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            fault(pointer, "is not a text", TEXT_CURE)
        }
    }
}

/// A list of texts, each once; one text alone is a list of one.
fn texts(pointer: &str, value: Value) -> Result<Vec<String>, Fault> {
    let list = match value {
        Value::Array(list) => list,
        Value::String(text) => return Ok(vec![text]),
        Value::Null => return Ok(Vec::new()),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            return fault(pointer, "is not a list of texts", TEXTS_CURE);
        }
    };
    let mut seen = BTreeSet::new();
    let mut out = Vec::with_capacity(list.len());
    for (at, value) in list.into_iter().enumerate() {
        let below = format!("{pointer}/{at}");
        if value.is_object() {
            let cure = "give the flat file of entities, not the one with entities inside others";
            return fault(&below, "is an entity inside another", cure);
        }
        let text = text(&below, value)?;
        if seen.insert(text.clone()) {
            out.push(text);
        }
    }
    Ok(out)
}

fn properties(value: Value) -> Result<BTreeMap<String, Vec<String>>, Fault> {
    let Value::Object(members) = value else {
        return fault("/properties", "is not an object", "write lists of values by property");
    };
    let mut out = BTreeMap::new();
    for (key, value) in members {
        let pointer = format!("/properties/{}", escape(&key));
        name(&pointer, &key)?;
        let values = texts(&pointer, value)?;
        if !values.is_empty() {
            out.insert(key, values);
        }
    }
    Ok(out)
}
