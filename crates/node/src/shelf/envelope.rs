//! A TAXII envelope read object by object: an object that is no STIX fails alone. Pure.
//!
//! SOURCE: OASIS TAXII 2.1 section 3.7 (envelope resource).

use crate::Body;
use model::posting::StatusItem;
use serde::Deserialize;
use serde_json::value::RawValue;

/// LIMIT: characters of an identifier or version repeated from an object that is no STIX.
const SHOWN_CHARS_MAX: usize = 128;

/// What a client posts, read.
#[derive(Debug, Default)]
pub struct Envelope {
    pub(crate) objects: Vec<Body>,
    pub(crate) unfit: Vec<StatusItem>,
}

/// Why bytes are no envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeProblem {
    /// Not JSON, or not in this shape.
    #[error("the body is not JSON: {0}")]
    Json(String),
    /// JSON of another shape.
    #[error("the body is no envelope: {0}")]
    Shape(String),
}

impl EnvelopeProblem {
    /// What cures it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json(_) => "send one JSON object in UTF-8",
            Self::Shape(_) => "send {\"objects\": [...]} with at least one STIX object",
        }
    }
}

#[derive(Deserialize)]
struct Outside<'a> {
    #[serde(borrow)]
    objects: Option<Vec<&'a RawValue>>,
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
}

impl Envelope {
    /// Reads an envelope. Each object is judged alone; other members of the envelope are ignored.
    ///
    /// # Errors
    /// Not JSON, or no envelope with at least one object.
    pub fn read(bytes: &[u8]) -> Result<Self, EnvelopeProblem> {
        let outside: Outside<'_> = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_data() {
                EnvelopeProblem::Shape(error.to_string())
            } else {
                EnvelopeProblem::Json(error.to_string())
            }
        })?;
        let shape = |why: &str| Err(EnvelopeProblem::Shape(why.to_owned()));
        if outside.kind.is_some() {
            return shape("it has a `type`, so it is a bundle or an object");
        }
        match outside.objects {
            None => shape("`objects` is missing"),
            Some(objects) if objects.is_empty() => shape("`objects` is empty"),
            Some(objects) => Ok(Self::of(objects.iter().map(|raw| raw.get().as_bytes()))),
        }
    }

    /// Reads objects given one by one.
    pub fn of<'a>(objects: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut out = Self::default();
        for (at, raw) in objects.enumerate() {
            let problem = if raw.len() > wire::limits::OBJECT_BYTES_MAX {
                Err(wire::stix::ObjectProblem::Size(u64::try_from(raw.len()).unwrap_or(u64::MAX)))
            } else {
                Body::parse(raw)
            };
            match problem {
                Ok(body) => out.objects.push(body),
                Err(problem) => out.unfit.push(unfit(at, raw, &problem)),
            }
        }
        out
    }

    /// Adds an object that was found unfit before it came here.
    pub fn refuse(&mut self, item: StatusItem) {
        self.unfit.push(item);
    }

    /// How many objects it has, fit or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len().saturating_add(self.unfit.len())
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What can be said of an object that is none: its own words for id and version, else its place.
fn unfit(at: usize, raw: &[u8], problem: &wire::stix::ObjectProblem) -> StatusItem {
    let value: serde_json::Value = serde_json::from_slice(raw).unwrap_or_default();
    let text = |key: &str| {
        let text = value.get(key).and_then(serde_json::Value::as_str)?;
        Some(text.chars().take(SHOWN_CHARS_MAX).collect::<String>()).filter(|text| !text.is_empty())
    };
    let place = format!("/objects/{at}{}", problem.pointer());
    StatusItem {
        id: text("id").unwrap_or_else(|| format!("objects/{at}")),
        version: text("modified").or_else(|| text("created")).unwrap_or_default(),
        message: Some(format!("{problem} (`{place}`); help: {}", problem.help())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_object_fails_alone_and_what_is_no_envelope_is_refused() {
        let good = r#"{"type":"x-a","spec_version":"2.1","id":"x-a--733c5838-34d9-4fbf-949c-62aba761184c","created":"2026-01-01T00:00:00Z","modified":"2026-01-01T00:00:00Z"}"#;
        let text = format!("{{\"objects\":[{good},{{\"id\":\"x--1\"}},7]}}");
        let read = Envelope::read(text.as_bytes()).unwrap();
        assert_eq!((read.objects.len(), read.unfit.len(), read.len()), (1, 2, 3));
        assert_eq!(read.unfit[0].id, "x--1");
        assert_eq!(read.unfit[1].id, "objects/2");
        assert!(read.unfit[1].message.as_ref().unwrap().contains("`/objects/2`"));
        for wrong in ["[]", "{}", "{\"objects\":[]}", good, "{\"type\":\"bundle\",\"objects\":[1]}"]
        {
            assert!(matches!(Envelope::read(wrong.as_bytes()), Err(EnvelopeProblem::Shape(_))));
        }
        assert!(matches!(Envelope::read(b"{\"objects\":["), Err(EnvelopeProblem::Json(_))));
    }
}
