//! Objects of an event: persons and organisations as one identity each, others as
//! `x-misp-object` that names the records of its attributes; references as relationships. Pure.
//!
//! INVARIANT: an identity has the narrowest audience of its object and attributes, because one
//! record cannot have two.

use super::attribute::{self, SUBJECT_UNKNOWN};
use super::draft::{Draft, part_id};
use super::event::{Fault, Frame, Out, attribute_with_more};
use super::members::{flag, list, seconds, text, uuid};
use super::tags::{self, Seal};
use super::types::relation_field;
use crate::stix::Place;
use model::record::KIND_PERSON;
use serde_json::{Map, Value, json};
use std::ops::ControlFlow;

const SAID: &[&str] = &[
    "uuid",
    "name",
    "meta-category",
    "comment",
    "timestamp",
    "deleted",
    "Attribute",
    "ObjectReference",
    "Tag",
];
/// What stands for a name nobody stated.
const NO_NAME: &str = "[not named]";

/// Whether an object becomes one record with its attributes inside.
pub(super) fn is_whole(map: &Map<String, Value>) -> bool {
    matches!(text(map, "name").as_deref(), Some("person" | "organization" | "legal-entity"))
}

fn is_person(map: &Map<String, Value>) -> bool {
    text(map, "name").as_deref() == Some("person")
}

/// The identifier an object's record will have.
pub(super) fn record_id(map: &Map<String, Value>, event: &str) -> String {
    part_id(if is_whole(map) { "identity" } else { "x-misp-object" }, map, event)
}

/// Delivers an object, its attributes and its references.
pub(super) fn convert(
    value: &Value,
    place: &Place,
    frame: &Frame<'_>,
    out: &mut Out<'_, '_>,
) -> ControlFlow<()> {
    let Some(map) = value.as_object() else {
        let fault = Fault::new("", "an object that is no JSON object", "export the event again");
        return out.put(Err(fault), place, None);
    };
    let stated = text(map, "uuid");
    if let Err(fault) = check(map) {
        return out.put(Err(fault), place, stated.as_deref());
    }
    let tags = tags::read(map);
    let own = Seal { reach: frame.audiences.reach(map), ..tags.seal.clone() };
    let seal = frame.seal.and(&own);
    let id = record_id(map, &frame.event);
    let modified = seconds(map, "timestamp").unwrap_or(frame.modified);
    let mut draft = Draft::new(id.clone(), frame.created, modified);
    draft.tags(tags);
    if flag(map, "deleted") {
        draft.own("revoked", json!(true));
    }
    let inner = frame.inside(seal.clone());
    let seal = if is_whole(map) {
        whole(map, &mut draft, &inner)
    } else {
        parts(map, &mut draft, &inner, (place, out))?;
        seal
    };
    draft.field("misp.name", json!(text(map, "name")));
    if let Some(category) = text(map, "meta-category") {
        draft.field("misp.meta-category", json!(category));
    }
    if let Some(comment) = text(map, "comment") {
        draft.field("misp.comment", json!(comment));
    }
    draft.concealed = seal.reach.is_nobody() && !frame.seal.reach.is_nobody();
    let left = references(map, &id, &frame.inside(seal.clone()), (place, out))?;
    if !left.is_empty() {
        draft.field("misp.ObjectReference", Value::Array(left));
    }
    draft.keep(map, SAID);
    out.put(Ok((draft, seal)), place, stated.as_deref())
}

fn check(map: &Map<String, Value>) -> Result<(), Fault> {
    attribute::check_uuid(map)?;
    match text(map, "name") {
        Some(_) => Ok(()),
        None => Err(Fault::new("/name", "the object has no name", "state its template's name")),
    }
}

/// An object whose attributes are records of their own.
fn parts(
    map: &Map<String, Value>,
    draft: &mut Draft,
    frame: &Frame<'_>,
    (place, out): (&Place, &mut Out<'_, '_>),
) -> ControlFlow<()> {
    let mut refs = Vec::new();
    for (at, inner) in list(map, "Attribute").iter().enumerate() {
        let mut below = place.clone();
        below.pointer.push_str(&format!("/Attribute/{at}"));
        if let Some(attribute) = inner.as_object() {
            refs.push(json!(attribute::record_id(attribute, &frame.event)));
        }
        attribute_with_more(inner, &below, frame, out)?;
    }
    if !refs.is_empty() {
        draft.own("x_misp_attribute_refs", Value::Array(refs));
    }
    ControlFlow::Continue(())
}

/// A person or organisation with everything its attributes say, in the fields the rules know.
fn whole(map: &Map<String, Value>, draft: &mut Draft, frame: &Frame<'_>) -> Seal {
    let kind = if is_person(map) { KIND_PERSON } else { "organisation" };
    let (mut seal, mut rows) = (frame.seal.clone(), Vec::new());
    for attribute in list(map, "Attribute").iter().filter_map(Value::as_object) {
        let tags = tags::read(attribute);
        let own = Seal { reach: frame.audiences.reach(attribute), ..tags.seal };
        seal = seal.and(&own);
        let Some(value) = attribute::value(attribute) else { continue };
        let relation = text(attribute, "object_relation").unwrap_or_default();
        let kind_of_value = text(attribute, "type").unwrap_or_default();
        let name = format!("{kind}.{}", relation_field(&relation, &kind_of_value));
        let values = draft.fields.entry(name.clone()).or_insert_with(|| json!([]));
        let Some(values) = values.as_array_mut() else { continue };
        let mut row = attribute.clone();
        for said in ["value", "value1", "value2"] {
            row.remove(said);
        }
        row.retain(|_, member| !super::members::says_nothing(member));
        row.insert("at".to_owned(), json!([name, values.len()]));
        values.push(json!(value));
        rows.push(Value::Object(row));
    }
    draft.own("name", json!(name_of(map)));
    draft.own("identity_class", json!(if is_person(map) { "individual" } else { "organization" }));
    draft.subject = is_person(map).then_some(SUBJECT_UNKNOWN);
    if !rows.is_empty() {
        draft.field("misp.attributes", Value::Array(rows));
    }
    seal
}

/// The full name, or the parts of one.
fn name_of(map: &Map<String, Value>) -> String {
    let said = |relation: &str| {
        let fits = |attribute: &&Value| {
            attribute.get("object_relation").and_then(Value::as_str) == Some(relation)
        };
        let found = list(map, "Attribute").iter().find(fits)?;
        attribute::value(found.as_object()?)
    };
    if let Some(full) = said("full-name").or_else(|| said("name")) {
        return full;
    }
    let parts = ["first-name", "middle-name", "last-name"].into_iter().filter_map(said);
    let parts: Vec<String> = parts.collect();
    if parts.is_empty() { NO_NAME.to_owned() } else { parts.join(" ") }
}

/// References to parts of this event as relationships; the others are returned.
fn references(
    map: &Map<String, Value>,
    source: &str,
    frame: &Frame<'_>,
    (place, out): (&Place, &mut Out<'_, '_>),
) -> ControlFlow<(), Vec<Value>> {
    let mut left = Vec::new();
    for (at, reference) in list(map, "ObjectReference").iter().enumerate() {
        let target = reference.as_object().and_then(|reference| {
            let id = text(reference, "referenced_uuid").or_else(|| {
                Some(
                    reference
                        .get("Object")
                        .or_else(|| reference.get("Attribute"))?
                        .get("uuid")?
                        .as_str()?
                        .to_owned(),
                )
            })?;
            Some((reference, frame.known.get(&uuid(&id)?)?))
        });
        let Some((reference, target)) = target else {
            left.push(reference.clone());
            continue;
        };
        let mut below = place.clone();
        below.pointer.push_str(&format!("/ObjectReference/{at}"));
        out.put(one_reference(reference, (source, target), frame), &below, None)?;
    }
    ControlFlow::Continue(left)
}

fn one_reference(
    reference: &Map<String, Value>,
    (source, target): (&str, &str),
    frame: &Frame<'_>,
) -> Result<(Draft, Seal), Fault> {
    attribute::check_uuid(reference)?;
    let modified = seconds(reference, "timestamp").unwrap_or(frame.modified);
    let within = format!("{}\u{0}{source}", frame.event);
    let mut draft =
        Draft::new(part_id("relationship", reference, &within), frame.created, modified);
    let kind = text(reference, "relationship_type").unwrap_or_else(|| "related-to".to_owned());
    draft.own("relationship_type", json!(kind));
    draft.own("source_ref", json!(source));
    draft.own("target_ref", json!(target));
    if let Some(comment) = text(reference, "comment") {
        draft.own("description", json!(comment));
    }
    if flag(reference, "deleted") {
        draft.own("revoked", json!(true));
    }
    draft.field("misp.object_reference", json!(true));
    let said = [
        "uuid",
        "relationship_type",
        "comment",
        "timestamp",
        "deleted",
        "object_uuid",
        "referenced_uuid",
        "source_uuid",
        "Object",
        "Attribute",
        "referenced_type",
    ];
    draft.keep(reference, &said);
    Ok((draft, frame.seal.clone()))
}
