//! An event with everything in it as records: the report that names them, and one record each.
//! Pure.

use super::SOURCE_NAME;
use super::attribute;
use super::audience::Audiences;
use super::draft::{Draft, part_id};
use super::galaxy;
use super::members::{day, epoch, flag, list, seconds, text, uuid, whole};
use super::object;
use super::tags::{self, Seal};
use crate::stix::convert::deterministic_id;
use crate::stix::{Place, Rejected, Tally};
use model::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// Members an event's record says in a place of their own.
const SAID: &[&str] = &[
    "uuid",
    "info",
    "timestamp",
    "Tag",
    "EventTag",
    "Galaxy",
    "Attribute",
    "Object",
    "EventReport",
    "Sighting",
    "deleted",
];

/// Why a part is not taken.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) pointer: String,
    pub(super) reason: String,
    pub(super) cure: &'static str,
}

impl Fault {
    pub(super) fn new(pointer: &str, reason: &str, cure: &'static str) -> Self {
        Self { pointer: pointer.to_owned(), reason: reason.to_owned(), cure }
    }
}

/// The parts of an event as they were read.
#[derive(Default)]
pub(super) struct Parts {
    pub(super) place: Place,
    pub(super) head: Map<String, Value>,
    pub(super) attributes: Vec<(Place, Value)>,
    pub(super) objects: Vec<(Place, Value)>,
}

/// What the parts of an event need to know of it.
pub(super) struct Frame<'a> {
    pub(super) event: String,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) seal: Seal,
    pub(super) audiences: &'a Audiences,
    /// UUID of a part → identifier of its record.
    pub(super) known: &'a BTreeMap<String, String>,
}

impl<'a> Frame<'a> {
    /// The frame inside a part.
    pub(super) fn inside(&self, seal: Seal) -> Frame<'a> {
        Frame {
            event: self.event.clone(),
            created: self.created,
            modified: self.modified,
            seal,
            audiences: self.audiences,
            known: self.known,
        }
    }
}

/// Delivers records and remembers which were taken.
pub(super) struct Out<'t, 'v> {
    pub(super) tally: &'t mut Tally<'v>,
    pub(super) refs: Vec<String>,
}

impl Out<'_, '_> {
    /// Delivers one part; the flow says whether to go on.
    pub(super) fn put(
        &mut self,
        made: Result<(Draft, Seal), Fault>,
        place: &Place,
        stated: Option<&str>,
    ) -> ControlFlow<()> {
        let refuse = |fault: Fault| {
            let mut place = place.clone();
            place.pointer.push_str(&fault.pointer);
            let (id, cure) = (stated.map(str::to_owned), fault.cure.to_owned());
            Rejected { index: 0, place, id, reason: fault.reason, cure }
        };
        match made {
            Ok((draft, seal)) => {
                let id = draft.id.clone();
                let finished = draft.finish(&seal);
                if finished.is_ok() && !self.refs.contains_last(&id) {
                    self.refs.push(id);
                }
                self.tally.deliver(finished, place.clone())
            }
            Err(fault) => self.tally.reject(refuse(fault)),
        }
    }
}

/// The last references pushed, where a repetition would stand.
trait ContainsLast {
    fn contains_last(&self, id: &str) -> bool;
}

impl ContainsLast for Vec<String> {
    fn contains_last(&self, id: &str) -> bool {
        self.last().is_some_and(|last| last == id)
    }
}

fn below(place: &Place, pointer: &str) -> Place {
    let mut place = place.clone();
    place.pointer.push_str(pointer);
    place
}

/// Converts one event and delivers its records, the report last.
pub(super) fn convert(
    parts: &Parts,
    audiences: &Audiences,
    tally: &mut Tally<'_>,
) -> ControlFlow<()> {
    let head = &parts.head;
    let known = known_parts(parts);
    let frame = match frame(head, audiences, &known) {
        Ok(frame) => frame,
        Err(fault) => {
            let mut out = Out { tally, refs: Vec::new() };
            return out.put(Err(fault), &parts.place, text(head, "uuid").as_deref());
        }
    };
    let mut out = Out { tally, refs: Vec::new() };
    for (place, value) in &parts.attributes {
        attribute_with_more(value, place, &frame, &mut out)?;
    }
    for (place, value) in &parts.objects {
        object::convert(value, place, &frame, &mut out)?;
    }
    let (galaxies, clusters) = galaxy::convert(head, &frame);
    for (made, pointer) in clusters {
        out.put(made, &below(&parts.place, &pointer), None)?;
    }
    sightings(head, &frame, &report_id(&frame), (&parts.place, &mut out))?;
    event_reports(head, &frame, (&parts.place, &mut out))?;
    let refs = std::mem::take(&mut out.refs);
    let made = report(head, galaxies, &frame, refs);
    out.put(made, &parts.place, text(head, "uuid").as_deref())
}

/// The UUIDs of all attributes and objects with the identifiers their records will have.
fn known_parts(parts: &Parts) -> BTreeMap<String, String> {
    let event = text(&parts.head, "uuid").unwrap_or_default().to_ascii_lowercase();
    let mut known = BTreeMap::new();
    let mut learn = |map: &Map<String, Value>, id: String| {
        if let Some(part) = text(map, "uuid").and_then(|text| uuid(&text)) {
            known.insert(part, id);
        }
    };
    for (_, value) in &parts.attributes {
        if let Some(map) = value.as_object() {
            learn(map, attribute::record_id(map, &event));
        }
    }
    for (_, value) in &parts.objects {
        let Some(map) = value.as_object() else { continue };
        let id = object::record_id(map, &event);
        for inner in list(map, "Attribute").iter().filter_map(Value::as_object) {
            let own = object::is_whole(map).then(|| id.clone());
            learn(inner, own.unwrap_or_else(|| attribute::record_id(inner, &event)));
        }
        learn(map, id);
    }
    known
}

fn frame<'a>(
    head: &Map<String, Value>,
    audiences: &'a Audiences,
    known: &'a BTreeMap<String, String>,
) -> Result<Frame<'a>, Fault> {
    attribute::check_uuid(head)?;
    let start = epoch().ok_or_else(|| Fault::new("", "no time", "report this"))?;
    if head.get("date").is_some_and(|d| !d.is_null()) && day(head, "date").is_none() {
        let shown = super::members::shown(&text(head, "date").unwrap_or_default());
        let reason = format!("`{shown}` is not a day such as 2026-03-01");
        return Err(Fault::new("/date", &reason, "correct the date of the event"));
    }
    let (at, on) = (seconds(head, "timestamp"), day(head, "date"));
    let modified = at.or(on).unwrap_or(start);
    let mut seal = tags::read(head).seal;
    seal.reach = seal.reach.and(&audiences.event_reach(head));
    let event = match text(head, "uuid") {
        Some(text) => text.to_ascii_lowercase(),
        None => {
            let name = json!([head.get("info"), head.get("date"), head.get("Orgc")]).to_string();
            let id = deterministic_id("event", SOURCE_NAME, &name);
            id.trim_start_matches("event--").to_owned()
        }
    };
    Ok(Frame { event, created: on.unwrap_or(modified), modified, seal, audiences, known })
}

fn report_id(frame: &Frame<'_>) -> String {
    format!("report--{}", frame.event)
}

/// One attribute with its clusters and sightings.
pub(super) fn attribute_with_more(
    value: &Value,
    place: &Place,
    frame: &Frame<'_>,
    out: &mut Out<'_, '_>,
) -> ControlFlow<()> {
    let Some(map) = value.as_object() else {
        let fault = Fault::new("", "an attribute that is no object", "export the event again");
        return out.put(Err(fault), place, None);
    };
    let stated = text(map, "uuid");
    let (mut draft, seal) = match attribute::convert(map, frame) {
        Ok(made) => made,
        Err(fault) => return out.put(Err(fault), place, stated.as_deref()),
    };
    let (galaxies, clusters) = galaxy::convert(map, frame);
    if let Some(galaxies) = galaxies {
        draft.field("misp.Galaxy", galaxies);
    }
    let id = draft.id.clone();
    let inner = frame.inside(seal.clone());
    out.put(Ok((draft, seal)), place, stated.as_deref())?;
    for (made, pointer) in clusters {
        out.put(made, &below(place, &pointer), None)?;
    }
    sightings(map, &inner, &id, (place, out))
}

/// Sightings of a part: seen, or contested as false, or expired.
fn sightings(
    part: &Map<String, Value>,
    frame: &Frame<'_>,
    of: &str,
    (place, out): (&Place, &mut Out<'_, '_>),
) -> ControlFlow<()> {
    for (at, sighting) in list(part, "Sighting").iter().enumerate() {
        let made = sighting
            .as_object()
            .ok_or_else(|| Fault::new("", "a sighting that is no object", "export it again"))
            .and_then(|map| one_sighting(map, frame, of));
        out.put(made, &below(place, &format!("/Sighting/{at}")), None)?;
    }
    ControlFlow::Continue(())
}

/// WHY: a false positive is an opinion and an expiry a note; counted as sightings, they would
/// raise the alarm they are meant to end.
fn one_sighting(
    map: &Map<String, Value>,
    frame: &Frame<'_>,
    of: &str,
) -> Result<(Draft, Seal), Fault> {
    attribute::check_uuid(map)?;
    let at = seconds(map, "date_sighting").ok_or_else(|| {
        let cure = "state `date_sighting` as seconds since 1970";
        Fault::new("/date_sighting", "the sighting has no date", cure)
    })?;
    let within = format!("{}\u{0}{of}", frame.event);
    let kind = whole(map, "type").unwrap_or(0);
    let mut draft = match kind {
        0 => {
            let mut draft = Draft::new(part_id("sighting", map, &within), at, at);
            draft.own("sighting_of_ref", json!(of));
            draft.own("first_seen", json!(at.to_string()));
            draft.own("last_seen", json!(at.to_string()));
            draft.own("count", json!(1));
            draft
        }
        1 => {
            let mut draft = Draft::new(part_id("opinion", map, &within), at, at);
            draft.own("opinion", json!("strongly-disagree"));
            draft.own("object_refs", json!([of]));
            draft.own("explanation", json!("sighted as a false positive"));
            draft
        }
        2 => {
            let mut draft = Draft::new(part_id("note", map, &within), at, at);
            draft.own("abstract", json!("expiration"));
            draft.own("content", json!("sighted as expired"));
            draft.own("object_refs", json!([of]));
            draft
        }
        _ => {
            let cure = "0 is seen, 1 a false positive, 2 expired";
            return Err(Fault::new("/type", "an unknown kind of sighting", cure));
        }
    };
    draft.field("misp.sighting", json!(kind));
    draft.keep(map, &["uuid", "date_sighting", "type", "attribute_uuid"]);
    Ok((draft, frame.seal.clone()))
}

fn event_reports(
    head: &Map<String, Value>,
    frame: &Frame<'_>,
    (place, out): (&Place, &mut Out<'_, '_>),
) -> ControlFlow<()> {
    for (at, report) in list(head, "EventReport").iter().enumerate() {
        let made = report
            .as_object()
            .ok_or_else(|| Fault::new("", "a report that is no object", "export it again"))
            .and_then(|map| one_report(map, frame));
        out.put(made, &below(place, &format!("/EventReport/{at}")), None)?;
    }
    ControlFlow::Continue(())
}

fn one_report(map: &Map<String, Value>, frame: &Frame<'_>) -> Result<(Draft, Seal), Fault> {
    attribute::check_uuid(map)?;
    let modified = seconds(map, "timestamp").unwrap_or(frame.modified);
    let mut draft = Draft::new(part_id("note", map, &frame.event), frame.created, modified);
    draft.own("abstract", json!(text(map, "name").unwrap_or_default()));
    draft.own("content", json!(text(map, "content").unwrap_or_default()));
    draft.own("object_refs", json!([report_id(frame)]));
    draft.field("misp.event_report", json!(true));
    if flag(map, "deleted") {
        draft.own("revoked", json!(true));
    }
    draft.keep(map, &["uuid", "name", "content", "timestamp", "deleted"]);
    let own = Seal { reach: frame.audiences.reach(map), ..Seal::default() };
    let seal = frame.seal.and(&own);
    draft.concealed = seal.reach.is_nobody() && !frame.seal.reach.is_nobody();
    Ok((draft, seal))
}

/// The report that stands for the event.
fn report(
    head: &Map<String, Value>,
    galaxies: Option<Value>,
    frame: &Frame<'_>,
    refs: Vec<String>,
) -> Result<(Draft, Seal), Fault> {
    let info = text(head, "info").ok_or_else(|| {
        Fault::new("/info", "the event has no `info`", "give the event a title in MISP")
    })?;
    let mut draft = Draft::new(report_id(frame), frame.created, frame.modified);
    draft.own("name", json!(info));
    let published = seconds(head, "publish_timestamp").filter(|at| Some(*at) != epoch());
    draft.own("published", json!(published.unwrap_or(frame.modified).to_string()));
    let organisation = head.get("Orgc").and_then(|o| o.get("uuid")).and_then(Value::as_str);
    let organisation = organisation.and_then(uuid).map(|id| format!("identity--{id}"));
    // WHY: a report must name something; an event without parts names who made it.
    let maker = organisation
        .clone()
        .unwrap_or_else(|| deterministic_id("identity", SOURCE_NAME, "unknown organisation"));
    let refs = if refs.is_empty() { vec![maker] } else { refs };
    draft.own("object_refs", json!(refs));
    if let Some(organisation) = organisation {
        draft.own("created_by_ref", json!(organisation));
    }
    draft.tags(tags::read(head));
    if let Some(galaxies) = galaxies {
        draft.field("misp.Galaxy", galaxies);
    }
    if flag(head, "deleted") {
        draft.own("revoked", json!(true));
    }
    draft.field("misp.event", json!(true));
    draft.keep(head, SAID);
    Ok((draft, frame.seal.clone()))
}
