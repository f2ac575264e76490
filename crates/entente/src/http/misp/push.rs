//! What a partner's MISP pushes: events, posted to its inbox as any client's postings are.
//!
//! Originator and giver are the partner, whatever an event says of its author. Who "this
//! community" is was never agreed over MISP: it means this node's own party, sharing groups nobody.

use super::library::Library;
use super::read;
use super::{Visit, cards};
use crate::edge::SystemEntropy;
use crate::http::errors::Problem;
use model::posting::{Collection, PostStatus, StatusItem};
use node::shelf::Envelope;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use wire::misp::Audiences;
use wire::stix::{Item, StixObject};

/// LIMIT: events or sightings in one question before a push.
pub const ASKED_MAX: usize = 10_000;

/// A text or number member as a whole number.
fn whole(map: &Map<String, Value>, name: &str) -> Option<i64> {
    match map.get(name)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A UUID in lower case.
#[must_use]
pub fn uuid(value: Option<&Value>) -> Option<String> {
    let text = value?.as_str()?;
    let form = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let good = text.len() == 36 && text.bytes().enumerate().all(form);
    good.then(|| text.to_ascii_lowercase())
}

/// A list in a body, bounded.
///
/// # Errors
/// No list, or too long a one.
pub fn list(body: &[u8]) -> Result<Vec<Value>, Problem> {
    let wrong = |cause: &str| Problem::of("bad_request").at(cause.to_owned());
    let Value::Array(all) = read::json(body)? else {
        return Err(wrong("a list is missing").hinting("send a JSON list"));
    };
    if all.len() > ASKED_MAX {
        return Err(wrong("a list of more than 10000 entries").hinting("send it in portions"));
    }
    Ok(all)
}

/// Which of these events are wanted: those the caller cannot read here, or only older.
///
/// INVARIANT: an event that is withheld from the caller is wanted, as one that is not here.
///
/// # Errors
/// The body is not such a list, or the store failed.
pub fn filter(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    let asked: Vec<(String, i64)> = list(body)?
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let event = one.get("Event").unwrap_or(one).as_object();
            let pair = event.and_then(|event| Some((uuid(event.get("uuid"))?, event)));
            let (id, event) = pair.ok_or_else(|| {
                let help = "send a list of {\"Event\": {\"uuid\", \"timestamp\"}}";
                Problem::of("bad_request").at(format!("`/{at}/Event/uuid`: no UUID")).hinting(help)
            })?;
            Ok((id, whole(event, "timestamp").unwrap_or(i64::MAX)))
        })
        .collect::<Result<_, Problem>>()?;
    let ids: BTreeSet<String> = asked.iter().map(|(id, _)| format!("report--{id}")).collect();
    let held = visit.library(|library| library.records(&ids))?;
    visit.log(body, held.len())?;
    let is_held = |id: &str, at: i64| {
        held.iter().any(|shown| {
            let known = shown.version_at().micros().div_euclid(1_000_000);
            shown.record().as_str().trim_start_matches("report--") == id && known >= at
        })
    };
    let wanted = asked.into_iter().filter(|(id, at)| !is_held(id, *at)).map(|(id, _)| id);
    Ok(json!(wanted.collect::<Vec<_>>()))
}

/// Takes a new event.
///
/// # Errors
/// It is no event, the rules refuse it, or the store failed.
pub fn add(visit: &Visit, body: &[u8]) -> Result<Value, Problem> {
    let event = the_event(visit, body, None)?;
    take(visit, event)
}

/// Takes a new version of an event the caller posted before.
///
/// # Errors
/// The caller can read no such event here, it is not newer, or see [`add`].
pub fn edit(visit: &Visit, id: Option<&str>, body: &[u8]) -> Result<Value, Problem> {
    let id = id.unwrap_or_default();
    let held =
        visit.library(|library| library.head(id))?.ok_or_else(|| Problem::of("not_found"))?;
    let held = whole(&held.event, "timestamp").unwrap_or(0);
    let event = the_event(visit, body, Some(held))?;
    if uuid(event.get("uuid")).is_some_and(|stated| stated != id) {
        let cause = "`/Event/uuid` is another than in the address".to_owned();
        return Err(Problem::of("event_refused").at(cause));
    }
    if whole(&event, "timestamp").is_none_or(|at| at <= held) {
        return Err(Problem::of("event_old"));
    }
    take(visit, event)
}

/// The event of a body; what states no time was changed now, as in MISP.
fn the_event(visit: &Visit, body: &[u8], held: Option<i64>) -> Result<Map<String, Value>, Problem> {
    let refused = |cause: &str| Problem::of("event_refused").at(cause.to_owned());
    let mut value = read::json(body)?;
    let inner = value.get_mut("Event").map(Value::take);
    let Value::Object(mut event) = inner.unwrap_or(value) else {
        return Err(refused("the body is no event"));
    };
    if !event.contains_key("info") {
        return Err(refused("`/Event/info` is missing"));
    }
    if uuid(event.get("uuid")).is_none() {
        return Err(refused("`/Event/uuid` is missing or no UUID"));
    }
    let now = visit.now.micros().div_euclid(1_000_000);
    let at = held.map_or(now, |held| now.max(held.saturating_add(1)));
    stamp(&mut event, at);
    Ok(event)
}

fn stamp(map: &mut Map<String, Value>, at: i64) {
    if whole(map, "timestamp").is_none() {
        map.insert("timestamp".to_owned(), json!(at.to_string()));
    }
    for name in ["Attribute", "Object", "EventReport"] {
        let parts = map.get_mut(name).and_then(Value::as_array_mut);
        let parts = parts.into_iter().flatten().filter_map(Value::as_object_mut);
        parts.for_each(|part| stamp(part, at));
    }
}

/// The records of an event, and what of it could not be read.
///
/// # Errors
/// It is no event at all.
pub fn records(
    visit: &Visit,
    event: &Map<String, Value>,
) -> Result<(Vec<StixObject>, Vec<StatusItem>), Problem> {
    let own = Some(visit.site.member.party.clone());
    let audiences = Audiences { own, ..Audiences::default() };
    let (mut objects, mut unfit) = (Vec::new(), Vec::new());
    let text = json!({"Event": event}).to_string();
    let read = wire::misp::read(text.as_bytes(), &audiences, &mut |item| {
        match item {
            Item::Object(object) => objects.push(*object),
            Item::Rejected(bad) => unfit.push(StatusItem {
                id: bad.id.unwrap_or_else(|| bad.place.pointer.clone()),
                version: visit.now.to_string(),
                message: Some(format!(
                    "`{}`: {}; help: {}",
                    bad.place.pointer, bad.reason, bad.cure
                )),
            }),
        }
        ControlFlow::Continue(())
    });
    match read {
        Ok(_) => Ok((objects, unfit)),
        Err(fatal) => Err(Problem::of("event_refused").at(fatal.reason)),
    }
}

/// Posts records to the caller's inbox, in one commit.
///
/// # Errors
/// Too many at once, the rules refuse, or the store failed.
pub fn post(
    visit: &Visit,
    objects: &[StixObject],
    unfit: Vec<StatusItem>,
) -> Result<PostStatus, Problem> {
    let count = objects.len().saturating_add(unfit.len());
    if count > node::POSTED_MAX {
        let cause = format!("{count} parts, and {} are taken", node::POSTED_MAX);
        return Err(Problem::of("posting_too_large").at(cause));
    }
    let mut envelope = Envelope::of(objects.iter().map(StixObject::raw));
    unfit.into_iter().for_each(|item| envelope.refuse(item));
    let inbox = Collection::Inbox(visit.caller.partner().clone());
    let done = visit
        .site
        .write(|node| node.post(&visit.caller, (&inbox, envelope), visit.now, &mut SystemEntropy));
    Ok(done.map_err(Problem::from)??)
}

fn take(visit: &Visit, mut event: Map<String, Value>) -> Result<Value, Problem> {
    let maker = cards::organisation(visit.caller.partner().as_str());
    event.entry("Orgc").or_insert(maker);
    let id = uuid(event.get("uuid")).unwrap_or_default();
    let (objects, unfit) = records(visit, &event)?;
    let status = post(visit, &objects, unfit)?;
    let report = format!("report--{id}");
    if let Some(fault) = status.failures.iter().find(|item| item.id == report || item.id == id) {
        let cause = fault.message.clone().unwrap_or_default();
        return Err(Problem::of("event_refused").at(cause));
    }
    let metadata = visit.address.is_on("metadata");
    let mut said = visit.library(|library| answer(library, &id, metadata))?;
    if let (false, Some(members)) = (status.failures.is_empty(), said.as_object_mut()) {
        let failures = status.failures.iter();
        let failures = failures.map(|item| json!({"id": item.id, "message": item.message}));
        members.insert("errors".to_owned(), failures.collect());
    }
    Ok(said)
}

/// The event as it is held now, which is the caller's own.
fn answer(library: &Library<'_>, id: &str, metadata: bool) -> Result<Value, Problem> {
    let Some(head) = library.head(id)? else {
        return Ok(json!({"saved": true, "name": "Event saved", "Event": {"uuid": id}}));
    };
    let event = if metadata { head.event } else { library.whole(&head)?.event };
    Ok(json!({"Event": event}))
}
