//! One STIX object: its bytes as the originator wrote them, and their parsed form. Pure.

use super::check;
use super::intake::Place;
use crate::json::{self, JsonProblem};
use model::ids::RecordId;
use model::time::Timestamp;
use serde_json::Value;

/// The version of STIX an object follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpecVersion {
    /// STIX 2.0: no `spec_version` on a domain or relationship object.
    V20,
    /// STIX 2.1.
    V21,
}

/// Why bytes are not a STIX object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectProblem {
    /// Not strict JSON.
    #[error("{}", .0.reason)]
    Json(JsonProblem),
    /// JSON, but not an object.
    #[error("this is not an object")]
    NotObject,
    /// Longer than one object may be.
    #[error("{0} bytes are more than one object may have")]
    Size(u64),
    /// A required property is absent.
    #[error("the property `{property}` is missing")]
    Missing {
        /// The object, where its identifier could be read.
        id: Option<String>,
        /// What is missing, or a list of alternatives.
        property: String,
    },
    /// A property is there but malformed.
    #[error("`{found}` is not {wanted}")]
    Form {
        /// The object, where its identifier could be read.
        id: Option<String>,
        /// RFC 6901 pointer of the property.
        pointer: String,
        /// The form required, in words.
        wanted: &'static str,
        /// The beginning of what was found.
        found: String,
    },
    /// `modified` is earlier than `created`.
    #[error("`modified` is earlier than `created`")]
    Order {
        /// The object.
        id: Option<String>,
    },
}

impl ObjectProblem {
    /// The identifier of the object, where one could be read.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        match self {
            Self::Json(_) | Self::NotObject | Self::Size(_) => None,
            Self::Missing { id, .. } | Self::Form { id, .. } | Self::Order { id } => id.as_deref(),
        }
    }

    /// How to cure it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json(problem) => problem.help(),
            Self::NotObject => "give an object in braces with `type` and `id`",
            Self::Size(_) => "split it, or send large content as an attachment",
            Self::Missing { .. } => "ask the producer for an object that follows STIX 2.1",
            Self::Form { .. } => "correct the value at this place as STIX 2.1 defines it",
            Self::Order { .. } => "correct the two times; a version cannot precede its creation",
        }
    }

    /// The pointer of the fault inside the object.
    #[must_use]
    pub fn pointer(&self) -> &str {
        match self {
            Self::Json(problem) => &problem.pointer,
            Self::Form { pointer, .. } => pointer,
            Self::Order { .. } => "/modified",
            Self::NotObject | Self::Size(_) | Self::Missing { .. } => "",
        }
    }

    /// The place of the fault, given the place where the object begins.
    #[must_use]
    pub fn within(&self, start: Place) -> Place {
        let mut place = start;
        place.pointer.push_str(self.pointer());
        if let Self::Json(problem) = self {
            place.offset = place.offset.saturating_add(problem.offset as u64);
            place.column = match problem.line {
                1 => place.column.saturating_add(problem.column).saturating_sub(1),
                _ => problem.column,
            };
            place.line = place.line.saturating_add(problem.line).saturating_sub(1);
        }
        place
    }
}

/// A valid STIX object.
///
/// INVARIANT: `value` is what `raw` says; `raw` is never rewritten.
#[derive(Debug, Clone, PartialEq)]
pub struct StixObject {
    id: RecordId,
    kind: String,
    spec: SpecVersion,
    modified: Option<Timestamp>,
    raw: Vec<u8>,
    value: Value,
}

impl StixObject {
    /// Reads one object from all of `raw` (white space around it is dropped) and checks what
    /// STIX demands of it. Custom types and properties are kept.
    ///
    /// # Errors
    /// The first departure from STIX 2.1 (or 2.0, for objects without `spec_version`).
    pub fn parse(raw: &[u8]) -> Result<Self, ObjectProblem> {
        let raw = raw.trim_ascii();
        let value = json::parse_strict(raw).map_err(ObjectProblem::Json)?;
        let Value::Object(map) = &value else { return Err(ObjectProblem::NotObject) };
        let checked = check::check(map)?;
        Ok(Self {
            id: checked.id,
            kind: checked.kind,
            spec: checked.spec,
            modified: checked.modified,
            raw: raw.to_vec(),
            value,
        })
    }

    /// Its identifier.
    #[must_use]
    pub fn id(&self) -> &RecordId {
        &self.id
    }

    /// Its STIX type.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The version of STIX it follows.
    #[must_use]
    pub fn spec(&self) -> SpecVersion {
        self.spec
    }

    /// When this version of it was made: `modified`, else `created`; observables have neither.
    #[must_use]
    pub fn modified(&self) -> Option<Timestamp> {
        self.modified
    }

    /// The same instant exactly as it is written, which may be finer than a microsecond.
    #[must_use]
    pub fn version_text(&self) -> Option<&str> {
        let text = |key| self.value.get(key).and_then(Value::as_str);
        self.modified.and_then(|_| text("modified").or_else(|| text("created")))
    }

    /// The bytes as the originator wrote them.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// Gives up the parsed form and keeps the bytes.
    #[must_use]
    pub fn into_raw(self) -> Vec<u8> {
        self.raw
    }

    /// The parsed form.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// A top-level text.
    #[must_use]
    pub fn text(&self, property: &str) -> Option<&str> {
        self.value.get(property).and_then(Value::as_str)
    }
}
