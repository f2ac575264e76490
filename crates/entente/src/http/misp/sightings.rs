//! Sightings apart from their events: searched, and pushed onto parts of events the caller reads.

use super::library::{SIGHTING_KINDS, Whole, sighted};
use super::push;
use super::read::{Rows, heads, search as asked};
use super::{Visit, cards};
use crate::http::errors::Problem;
use crate::http::limits::MISP_EVENTS_MAX;
use model::posting::StatusItem;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use wire::misp::Scope;
use wire::stix::StixObject;

fn inside(map: &Map<String, Value>) -> impl Iterator<Item = &Map<String, Value>> {
    let all = map.get("Sighting").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_object)
}

/// The sightings of an event, each with the part it is of.
fn all(event: &Map<String, Value>) -> Vec<(&Map<String, Value>, Option<&Value>)> {
    let own = inside(event).map(|sighting| (sighting, None));
    let parts = wire::misp::attributes(event)
        .into_iter()
        .flat_map(|(part, _)| inside(part).map(move |sighting| (sighting, part.get("uuid"))));
    own.chain(parts).collect()
}

/// Sightings, each with the event and the part they are of.
///
/// # Errors
/// A filter is not understood, the answer is too large, or the store failed.
pub fn search(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    let search = asked(visit, Scope::Sightings, body)?;
    let rows = visit.library(|library| {
        let mut rows = Rows::of(&search);
        heads(library, &search, MISP_EVENTS_MAX, &mut |head| {
            let whole = library.whole(&head)?;
            for (sighting, of) in all(&whole.event) {
                if !search.takes_sighting(sighting) {
                    continue;
                }
                let mut row = sighting.clone();
                row.insert("event_uuid".to_owned(), json!(whole.event.get("uuid")));
                if let Some(of) = of {
                    row.insert("attribute_uuid".to_owned(), of.clone());
                }
                row.entry("type").or_insert_with(|| json!("0"));
                if !rows.add(json!({"Sighting": row}))? {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        Ok(rows.rows)
    })?;
    visit.log(body, rows.len())?;
    Ok(json!({"response": rows}))
}

/// An event the caller reads.
fn event(visit: &Visit, id: Option<&str>) -> Result<Whole, Problem> {
    let found = visit.library(|library| {
        let head = library.head(id.unwrap_or_default())?;
        head.map(|head| library.whole(&head)).transpose()
    })?;
    found.ok_or_else(|| Problem::of("not_found"))
}

/// Which of these sightings of an event are wanted: those the caller cannot read here.
///
/// # Errors
/// There is no such event for this caller, the body is no list of UUIDs, or the store failed.
pub fn filter(visit: &Visit, id: Option<&str>, body: &[u8]) -> Result<Value, Problem> {
    event(visit, id)?;
    let stated = push::list(body)?;
    let uuids = stated.iter().enumerate().map(|(at, one)| {
        let help = "send a list of the sightings' UUIDs";
        let wrong = || Problem::of("bad_request").at(format!("`/{at}`: no UUID")).hinting(help);
        push::uuid(Some(one)).ok_or_else(wrong)
    });
    let uuids = uuids.collect::<Result<Vec<_>, _>>()?;
    let ids =
        uuids.iter().flat_map(|id| SIGHTING_KINDS.map(|kind| format!("{kind}--{id}"))).collect();
    let held = visit.library(|library| library.records(&ids))?;
    visit.log(body, held.len())?;
    let held: BTreeSet<&str> = held
        .iter()
        .filter_map(|shown| shown.record().as_str().split_once("--").map(|(_, id)| id))
        .collect();
    Ok(json!(uuids.iter().filter(|id| !held.contains(id.as_str())).collect::<Vec<_>>()))
}

/// Takes sightings of parts of an event the caller reads.
///
/// # Errors
/// There is no such event for this caller, none could be saved, or the store failed.
pub fn save(visit: &Visit, id: Option<&str>, body: &[u8]) -> Result<Value, Problem> {
    let whole = event(visit, id)?;
    let (mut of, mut unfit) = (BTreeMap::<String, Vec<Value>>::new(), Vec::new());
    for (at, one) in push::list(body)?.into_iter().enumerate() {
        let sighting = one.get("Sighting").cloned().unwrap_or(one);
        match push::uuid(sighting.get("attribute_uuid")) {
            Some(part) => of.entry(part).or_default().push(sighting),
            None => unfit.push(fault(visit, at, "no `attribute_uuid`")),
        }
    }
    let (objects, more) = placed(visit, &whole, &mut of)?;
    unfit.extend(more);
    for at in of.keys() {
        unfit.push(StatusItem {
            id: at.clone(),
            version: visit.now.to_string(),
            message: Some("no such part of this event is here; help: push the event first".into()),
        });
    }
    let asked = objects.len();
    let status = push::post(visit, &objects, unfit)?;
    if status.successes.is_empty() && !status.failures.is_empty() {
        let first = status.failures.first().and_then(|item| item.message.clone());
        return Err(Problem::of("event_refused").at(first.unwrap_or_default()));
    }
    let said = format!("{} sightings added.", status.successes.len().min(asked));
    let failures: Vec<Value> = status
        .failures
        .iter()
        .map(|item| json!({"id": item.id, "message": item.message}))
        .collect();
    Ok(json!({"saved": true, "success": true, "name": said, "message": said,
        "url": visit.address.route, "failures": failures}))
}

fn fault(visit: &Visit, at: usize, cause: &str) -> StatusItem {
    StatusItem {
        id: format!("sightings/{at}"),
        version: visit.now.to_string(),
        message: Some(format!(
            "`/{at}`: {cause}; help: state `attribute_uuid` and `date_sighting`"
        )),
    }
}

/// The records of sightings that are of parts of this event; what was placed leaves `of`.
///
/// WHY: a sighting is read beside the part it is of, so that it gets the part's markings and the
/// identifier of its record; of all that is read again only the sightings go on.
fn placed(
    visit: &Visit,
    whole: &Whole,
    of: &mut BTreeMap<String, Vec<Value>>,
) -> Result<(Vec<StixObject>, Vec<StatusItem>), Problem> {
    let mut event = whole.event.clone();
    unsee(&mut event);
    let place = |part: &mut Map<String, Value>, of: &mut BTreeMap<String, Vec<Value>>| {
        unsee(part);
        if let Some(seen) = push::uuid(part.get("uuid")).and_then(|id| of.remove(&id)) {
            part.insert("Sighting".to_owned(), Value::Array(seen));
        }
    };
    for part in parts(&mut event, "Attribute") {
        place(part, of);
    }
    for object in parts(&mut event, "Object") {
        unsee(object);
        parts(object, "Attribute").for_each(|part| place(part, of));
    }
    event.remove("EventReport");
    event.entry("Orgc").or_insert_with(|| cards::organisation(visit.caller.partner().as_str()));
    let (objects, unfit) = push::records(visit, &event)?;
    let is_sighting = |object: &StixObject| {
        sighted(object).is_some_and(|of| whole.records.contains(of))
            && !whole.records.contains(object.id().as_str())
    };
    Ok((objects.into_iter().filter(is_sighting).collect(), unfit))
}

fn parts<'m>(
    map: &'m mut Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'m mut Map<String, Value>> + use<'m> {
    let all = map.get_mut(name).and_then(Value::as_array_mut);
    all.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// Takes away what was seen before and how far the written copy reaches.
fn unsee(map: &mut Map<String, Value>) {
    map.remove("Sighting");
    map.remove("distribution");
}
