//! What a partner's MISP reads: the index, events, attributes.
//!
//! Every read is in the log before its answer leaves.

use super::Visit;
use super::library::{Head, Library, PARTS};
use crate::http::errors::Problem;
use crate::http::limits::{MISP_ANSWER_BYTES_MAX, MISP_EVENTS_MAX, MISP_INDEX_MAX};
use serde_json::{Map, Value, json};
use wire::misp::{Scope, Search};

/// A body as JSON that can be read in one way only.
///
/// # Errors
/// It is not.
pub fn json(body: &[u8]) -> Result<Value, Problem> {
    wire::json::parse_strict(body).map_err(|problem| {
        let help = "send JSON in UTF-8, as application/json";
        Problem::of("bad_request").at(format!("the body is not JSON: {problem}")).hinting(help)
    })
}

/// A search as the body asks it.
///
/// # Errors
/// A filter is not understood.
pub fn search(visit: &Visit, scope: Scope, body: &[u8]) -> Result<Search, Problem> {
    Search::read(scope, body, visit.now)
        .map_err(|e| Problem::of("bad_request").at(e.to_string()).hinting(e.help()))
}

/// Rows of an answer, with their bounds.
pub struct Rows {
    skip: usize,
    left: Option<usize>,
    size_bytes: usize,
    /// What goes.
    pub rows: Vec<Value>,
}

impl Rows {
    /// Rows as a search pages them.
    #[must_use]
    pub fn of(search: &Search) -> Self {
        Self { skip: search.skipped(), left: search.limit, size_bytes: 0, rows: Vec::new() }
    }

    /// Whether the next row belongs to an earlier page.
    fn skips(&mut self) -> bool {
        let skips = self.skip > 0;
        self.skip = self.skip.saturating_sub(1);
        skips
    }

    /// Adds a row; whether there is room for another.
    ///
    /// # Errors
    /// The answer becomes too large.
    pub fn add(&mut self, row: Value) -> Result<bool, Problem> {
        if self.skips() {
            return Ok(true);
        }
        self.size_bytes = self.size_bytes.saturating_add(row.to_string().len());
        if self.size_bytes > MISP_ANSWER_BYTES_MAX {
            let cause = format!("more than {MISP_ANSWER_BYTES_MAX} bytes");
            return Err(Problem::of("answer_too_large").at(cause));
        }
        self.rows.push(row);
        self.left = self.left.map(|left| left.saturating_sub(1));
        Ok(self.left != Some(0))
    }
}

/// Visits the events whose own members are asked for.
///
/// # Errors
/// More than `count_max` of them, the store failed, or what the visitor answers.
pub fn heads(
    library: &Library<'_>,
    search: &Search,
    count_max: usize,
    visit: &mut dyn FnMut(Head) -> Result<bool, Problem>,
) -> Result<(), Problem> {
    let mut count = 0_usize;
    let mut one = |head: Head| {
        if !search.takes_head(&head.event) {
            return Ok(true);
        }
        count = count.saturating_add(1);
        if count > count_max {
            let cause = format!("more than {count_max} events to look at");
            let help = "narrow it by `timestamp`, `from`, `to`, `org` or `eventid`";
            return Err(Problem::of("answer_too_large").at(cause).hinting(help));
        }
        visit(head)
    };
    let Some(ids) = &search.events else { return library.heads(&mut one) };
    for id in ids {
        if let Some(head) = library.head(id)?
            && !one(head)?
        {
            break;
        }
    }
    Ok(())
}

/// The list of events.
///
/// # Errors
/// A filter is not understood, the answer is too large, or the store failed.
pub fn index(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    let search = search(visit, Scope::Index, body)?;
    let rows = visit.library(|library| {
        let mut rows = Rows::of(&search);
        heads(library, &search, MISP_INDEX_MAX, &mut |head| {
            let taken = match search.needs_parts() {
                true => search.takes_event(&library.whole(&head)?.event),
                false => search.takes_event(&head.event),
            };
            if !taken {
                return Ok(true);
            }
            rows.add(if search.minimal { short(&head.event) } else { listed(head.event) })
        })?;
        Ok(rows.rows)
    })?;
    visit.log(body, rows.len())?;
    Ok(Value::Array(rows))
}

/// What MISP compares to know what to pull.
fn short(event: &Map<String, Value>) -> Value {
    let maker = event.get("Orgc").and_then(|maker| maker.get("uuid"));
    json!({
        "uuid": event.get("uuid"), "timestamp": event.get("timestamp"),
        "sighting_timestamp": "0", "published": true, "orgc_uuid": maker,
    })
}

/// An event of the index. WHY: no count of parts, because nothing was read of them.
fn listed(mut event: Map<String, Value>) -> Value {
    event.remove("attribute_count");
    Value::Object(event)
}

/// Events, whole.
///
/// # Errors
/// See [`index`].
pub fn events(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    let search = search(visit, Scope::Events, body)?;
    let (rows, count) = visit.library(|library| {
        let (mut rows, mut count) = (Rows::of(&search), 0_usize);
        heads(library, &search, MISP_EVENTS_MAX, &mut |head| {
            let mut whole = library.whole(&head)?;
            if !search.takes_event(&whole.event) {
                return Ok(true);
            }
            let before = rows.rows.len();
            shape(&mut whole.event, search.with_deleted(), search.metadata);
            let more = rows.add(json!({"Event": whole.event}))?;
            if rows.rows.len() > before {
                count = count.saturating_add(whole.records.len());
            }
            Ok(more)
        })?;
        Ok((rows.rows, count))
    })?;
    visit.log(body, count)?;
    Ok(json!({"response": rows}))
}

/// One event.
///
/// # Errors
/// There is none for this caller, or the store failed.
pub fn event(visit: &Visit, id: Option<&str>, body: &[u8]) -> Result<Value, Problem> {
    let search = search(visit, Scope::Events, body)?;
    let mut found = visit.library(|library| {
        let head = library.head(id.unwrap_or_default())?;
        head.map(|head| library.whole(&head)).transpose()
    })?;
    visit.log(body, found.as_ref().map_or(0, |whole| whole.records.len()))?;
    if let Some(whole) = &mut found {
        let deleted = visit.address.is_on("deleted[]") || visit.address.is_on("deleted");
        let metadata = search.metadata || visit.address.is_on("metadata");
        shape(&mut whole.event, deleted || search.with_deleted(), metadata);
    }
    let whole = found.ok_or_else(|| Problem::of("not_found"))?;
    Ok(json!({"Event": whole.event}))
}

/// Leaves out what was not asked for: deleted parts, or all parts.
fn shape(event: &mut Map<String, Value>, with_deleted: bool, metadata: bool) {
    if metadata {
        PARTS.iter().for_each(|part| drop(event.remove(*part)));
    }
    if with_deleted {
        return;
    }
    for name in ["Attribute", "Object", "EventReport"] {
        let Some(parts) = event.get_mut(name).and_then(Value::as_array_mut) else { continue };
        parts.retain(|part| part.get("deleted") != Some(&Value::Bool(true)));
        for part in parts.iter_mut() {
            if let Some(inner) = part.get_mut("Attribute").and_then(Value::as_array_mut) {
                inner.retain(|part| part.get("deleted") != Some(&Value::Bool(true)));
            }
        }
    }
}

/// Attributes, each with the event it stands in.
///
/// # Errors
/// See [`index`].
pub fn attributes(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    let search = search(visit, Scope::Attributes, body)?;
    let rows = visit.library(|library| {
        let mut rows = Rows::of(&search);
        heads(library, &search, MISP_EVENTS_MAX, &mut |head| {
            let whole = library.whole(&head)?;
            let within = json!({
                "uuid": head.event.get("uuid"), "info": head.event.get("info"),
                "Orgc": head.event.get("Orgc"), "distribution": head.event.get("distribution"),
                "date": head.event.get("date"), "timestamp": head.event.get("timestamp"),
            });
            for (part, object) in wire::misp::attributes(&whole.event) {
                if !search.takes_attribute(&whole.event, part) {
                    continue;
                }
                let mut part = part.clone();
                part.insert("event_uuid".to_owned(), json!(head.event.get("uuid")));
                if let Some(object) = object {
                    part.insert("object_uuid".to_owned(), json!(object.get("uuid")));
                }
                part.insert("Event".to_owned(), within.clone());
                if !rows.add(Value::Object(part))? {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        Ok(rows.rows)
    })?;
    visit.log(body, rows.len())?;
    Ok(json!({"response": {"Attribute": rows}}))
}

/// Clusters apart from events: none are kept.
///
/// # Errors
/// A filter is not understood.
pub fn clusters(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    search(visit, Scope::Clusters, body)?;
    Ok(json!({"response": []}))
}
