//! Records as MISP events: what was read from MISP comes back equal in meaning; other STIX becomes
//! what MISP has a form for, else an attribute that holds the object's text. Pure.
//!
//! INVARIANT: every record given stands in exactly one event; clusters stand wherever they are
//! named. INVARIANT: nothing is wider than it was: where the caller does not say that the stated
//! distribution is ours to state, it is 0, "your organisation only".
//! Cost: memory for everything written, because an event is one object.

mod part;
mod seal;

use super::SOURCE_NAME;
use super::members::{list, text};
use crate::stix::convert::deterministic_id;
use crate::stix::{EXTENSION_ID, StixObject};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The title of what stands in no event.
const LOOSE_TITLE: &str = "records without an event";

/// Whether a record's stated distribution may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// As its originator stated it.
    Stated,
    /// Only the organisation that takes the file.
    Organisation,
}

/// Events, and what had no form in them.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Written {
    /// Each the content of an `Event` member.
    pub events: Vec<Value>,
    /// Records written as an attribute that holds the object's text.
    pub as_text: u64,
}

/// What a record is in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Event,
    Attribute,
    Object,
    Sighting,
    Reference,
    EventReport,
    Cluster,
    Text,
}

/// One record with the parts this module looks at.
struct Row<'a> {
    object: &'a StixObject,
    own: &'a Map<String, Value>,
    extension: &'a Map<String, Value>,
    fields: &'a Map<String, Value>,
    distribution: Distribution,
}

impl Row<'_> {
    fn id(&self) -> &str {
        self.object.id().as_str()
    }

    fn uuid(&self) -> &str {
        uuid_of(self.id())
    }

    fn is(&self, field: &str) -> bool {
        self.fields.get(field) == Some(&Value::Bool(true))
    }

    fn seconds(&self) -> Option<String> {
        let micros = self.object.modified()?.micros();
        Some(micros.div_euclid(MICROS).to_string())
    }
}

const MICROS: i64 = 1_000_000;

fn uuid_of(id: &str) -> &str {
    id.split_once("--").map_or(id, |(_, uuid)| uuid)
}

/// Everything to write, by identifier.
struct Shelf<'a> {
    rows: BTreeMap<&'a str, Row<'a>>,
    clusters: BTreeSet<&'a str>,
    /// Sightings and references by what they are of.
    below: BTreeMap<&'a str, Vec<&'a str>>,
    used: BTreeSet<&'a str>,
    as_text: u64,
}

/// Writes records as events, those of reports first.
#[must_use]
pub fn write(
    objects: &[StixObject],
    distribution: &dyn Fn(&StixObject) -> Distribution,
) -> Written {
    let empty = Map::new();
    let (mut rows, mut others) = (BTreeMap::<&str, Row<'_>>::new(), Vec::new());
    for object in objects {
        let Some(row) = row(object, &empty, distribution(object)) else { continue };
        // WHY: two agencies may assert one record; MISP has one attribute of a UUID.
        match rows.get(row.id()) {
            Some(known) if known.object.modified() >= object.modified() => others.push(object),
            Some(_) | None => {
                let before = rows.insert(object.id().as_str(), row);
                others.extend(before.map(|row| row.object));
            }
        }
    }
    let clusters = rows.values().flat_map(|row| cluster_ids(row.fields)).collect();
    let used = BTreeSet::new();
    let mut shelf = Shelf { rows, clusters, below: BTreeMap::new(), used, as_text: 0 };
    let mut written = Written::default();
    let reports: Vec<&str> = shelf.of_class(Class::Event);
    for id in reports {
        written.events.extend(shelf.event(id));
    }
    let left: Vec<&str> =
        shelf.rows.keys().copied().filter(|id| !shelf.used.contains(id)).collect();
    written.events.extend(shelf.loose(&left, &others));
    written.as_text = shelf.as_text;
    written
}

fn row<'a>(
    object: &'a StixObject,
    empty: &'a Map<String, Value>,
    distribution: Distribution,
) -> Option<Row<'a>> {
    let own = object.value().as_object()?;
    let extension = own.get("extensions").and_then(|all| all.get(EXTENSION_ID));
    let extension = extension.and_then(Value::as_object).unwrap_or(empty);
    let fields = extension.get("fields").and_then(Value::as_object).unwrap_or(empty);
    Some(Row { object, own, extension, fields, distribution })
}

/// The clusters a record's galaxies name.
fn cluster_ids(fields: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let galaxies = list(fields, "misp.Galaxy").iter().filter_map(Value::as_object);
    galaxies.flat_map(|galaxy| list(galaxy, "GalaxyCluster")).filter_map(Value::as_str)
}

impl<'a> Shelf<'a> {
    fn of_class(&self, class: Class) -> Vec<&'a str> {
        self.rows
            .iter()
            .filter(|(id, row)| self.class(id, row) == class)
            .map(|(id, _)| *id)
            .collect()
    }

    fn class(&self, id: &str, row: &Row<'_>) -> Class {
        let kind = row.object.kind();
        if row.is("misp.event") && kind == "report" {
            Class::Event
        } else if row.fields.contains_key("misp.sighting") && part::sighted(row).is_some() {
            Class::Sighting
        } else if row.is("misp.object_reference") && kind == "relationship" {
            Class::Reference
        } else if kind == "note" && text(row.own, "content").is_some() {
            Class::EventReport
        } else if matches!(kind, "x-misp-object" | "identity")
            && row.fields.contains_key("misp.name")
        {
            Class::Object
        } else if self.clusters.contains(id) {
            Class::Cluster
        } else if part::attribute_value(row).is_some() {
            Class::Attribute
        } else {
            Class::Text
        }
    }

    /// The event of a report.
    fn event(&mut self, id: &'a str) -> Option<Value> {
        self.used.insert(id);
        let report = self.rows.get(id)?;
        let own: &'a Map<String, Value> = report.own;
        let mut seen = BTreeSet::new();
        let refs = list(own, "object_refs").iter().filter_map(Value::as_str);
        let ids: Vec<&'a str> = refs
            .filter_map(|id| self.rows.get_key_value(id).map(|(id, _)| *id))
            .filter(|id| !self.used.contains(id) && seen.insert(*id))
            .collect();
        let mut event = Map::new();
        let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
        put("uuid", json!(report.uuid()));
        put("info", json!(text(report.own, "name")));
        put("timestamp", json!(report.seconds()));
        seal::restore(report, &mut event, &["event"]);
        if part::is_revoked(report) {
            event.insert("deleted".to_owned(), json!(true));
        }
        if !event.contains_key("date") {
            let created = text(report.own, "created").unwrap_or_default();
            event.insert("date".to_owned(), json!(created.get(..10)));
        }
        let outer = seal::tags(report, &mut event, None);
        seal::distribution(report, &mut event, "0");
        self.galaxies(report_fields(self, id)?, &mut event);
        self.fill(&mut event, &ids, (id, &outer));
        Some(Value::Object(event))
    }

    /// One event for what stands in none.
    fn loose(&mut self, ids: &[&'a str], others: &[&StixObject]) -> Option<Value> {
        if ids.is_empty() && others.is_empty() {
            return None;
        }
        let times = ids.iter().filter_map(|id| self.rows.get(id)?.object.modified());
        let newest = times.chain(others.iter().filter_map(|object| object.modified())).max();
        let id = deterministic_id("event", SOURCE_NAME, &format!("{ids:?}"));
        let maker = deterministic_id("identity", SOURCE_NAME, "unknown organisation");
        let day = newest.map(|at| at.to_string()).unwrap_or_default();
        let seconds = newest.map_or(0, |at| at.micros().div_euclid(MICROS));
        let Value::Object(mut event) = json!({
            "uuid": uuid_of(&id), "info": LOOSE_TITLE,
            "date": day.get(..10).unwrap_or("1970-01-01"),
            "timestamp": seconds.to_string(), "distribution": "0", "threat_level_id": "4",
            "analysis": "2", "published": false,
            "Orgc": {"uuid": uuid_of(&maker), "name": "unknown organisation"},
        }) else {
            return None;
        };
        let outer = super::tags::Seal::default();
        self.fill(&mut event, ids, ("", &outer));
        let texts: Vec<Value> = others.iter().map(|object| self.text(object)).collect();
        push(&mut event, "Attribute", texts);
        Some(Value::Object(event))
    }

    fn class_of(&self, id: &str) -> Option<Class> {
        self.rows.get(id).map(|row| self.class(id, row))
    }

    /// Puts records into an event.
    fn fill(
        &mut self,
        event: &mut Map<String, Value>,
        ids: &[&'a str],
        (within, outer): (&'a str, &super::tags::Seal),
    ) {
        self.hang(ids);
        let inner: BTreeSet<&str> = ids
            .iter()
            .filter_map(|id| self.rows.get(id))
            .flat_map(|row| list(row.own, "x_misp_attribute_refs"))
            .filter_map(Value::as_str)
            .collect();
        let (mut attributes, mut objects, mut reports) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            match self.class_of(id) {
                Some(Class::Attribute) if !inner.contains(id) => {
                    attributes.extend(self.attribute(id, outer));
                }
                Some(Class::Object) => objects.extend(self.object(id, outer)),
                Some(Class::EventReport) => reports.extend(self.event_report(id, (event, outer))),
                Some(_) | None => {}
            }
        }
        let sightings = self.sightings(within);
        // WHY: what found no place, because what it hangs on was not released, is not lost.
        for id in ids {
            if !self.used.contains(id) && self.class_of(id) != Some(Class::Event) {
                self.used.insert(id);
                let object = self.rows.get(id).map(|row| row.object);
                attributes.extend(object.map(|object| self.text(object)));
            }
        }
        push(event, "Attribute", attributes);
        push(event, "Object", objects);
        push(event, "EventReport", reports);
        push(event, "Sighting", sightings);
    }

    /// Notes what sightings and references are of.
    fn hang(&mut self, ids: &[&'a str]) {
        self.below.clear();
        for id in ids {
            let Some(row) = self.rows.get(id) else { continue };
            let of = match self.class(id, row) {
                Class::Sighting => part::sighted(row),
                Class::Reference => row.own.get("source_ref").and_then(Value::as_str),
                Class::Event
                | Class::Attribute
                | Class::Object
                | Class::EventReport
                | Class::Cluster
                | Class::Text => None,
            };
            if let Some((of, _)) = of.and_then(|of| self.rows.get_key_value(of)) {
                self.below.entry(*of).or_default().push(*id);
            }
        }
    }

    fn attribute(&mut self, id: &'a str, outer: &super::tags::Seal) -> Option<Value> {
        if !self.used.insert(id) {
            return None;
        }
        let row = self.rows.get(id)?;
        let mut attribute = part::attribute(row)?;
        seal::tags(row, &mut attribute, Some(outer));
        seal::distribution(row, &mut attribute, "5");
        self.galaxies(report_fields(self, id)?, &mut attribute);
        push(&mut attribute, "Sighting", self.sightings(id));
        Some(Value::Object(attribute))
    }

    fn object(&mut self, id: &'a str, outer: &super::tags::Seal) -> Option<Value> {
        self.used.insert(id);
        let row = self.rows.get(id)?;
        let mut object = part::object(row);
        let mut inner = seal::tags(row, &mut object, Some(outer));
        if row.object.kind() == "identity" {
            inner = outer.clone();
        }
        seal::distribution(row, &mut object, "5");
        let own: &'a Map<String, Value> = row.own;
        let refs = list(own, "x_misp_attribute_refs").iter().filter_map(Value::as_str);
        let refs: Vec<&'a str> =
            refs.filter_map(|id| self.rows.get_key_value(id).map(|(id, _)| *id)).collect();
        let parts = refs
            .into_iter()
            .filter(|id| self.class_of(id) == Some(Class::Attribute))
            .collect::<Vec<_>>();
        let parts = parts.into_iter().filter_map(|id| self.attribute(id, &inner)).collect();
        push(&mut object, "Attribute", parts);
        let references = self.references(id);
        push(&mut object, "ObjectReference", references);
        Some(Value::Object(object))
    }

    fn event_report(
        &mut self,
        id: &'a str,
        (event, outer): (&mut Map<String, Value>, &super::tags::Seal),
    ) -> Option<Value> {
        self.used.insert(id);
        let row = self.rows.get(id)?;
        let mut report = part::event_report(row);
        seal::distribution(row, &mut report, "5");
        // WHY: MISP's reports have no tags, so that the event says what restricts them.
        seal::names(row, outer, event);
        Some(Value::Object(report))
    }

    fn sightings(&mut self, of: &str) -> Vec<Value> {
        let ids = self.below.get(of).cloned().unwrap_or_default();
        let mut out = Vec::new();
        for id in ids {
            let Some(row) = self.rows.get(id) else { continue };
            if self.class(id, row) == Class::Sighting && !self.used.contains(id) {
                out.extend(part::sighting(row).map(Value::Object));
                self.used.insert(id);
            }
        }
        out
    }

    fn references(&mut self, source: &str) -> Vec<Value> {
        let ids = self.below.get(source).cloned().unwrap_or_default();
        let mut out = Vec::new();
        for id in ids {
            let Some(row) = self.rows.get(id) else { continue };
            if self.class(id, row) == Class::Reference && !self.used.contains(id) {
                out.push(Value::Object(part::reference(row, source)));
                self.used.insert(id);
            }
        }
        out
    }

    /// The galaxies of a record, with the clusters that are here.
    fn galaxies(&mut self, fields: &'a Map<String, Value>, into: &mut Map<String, Value>) {
        let mut galaxies = Vec::new();
        for galaxy in list(fields, "misp.Galaxy").iter().filter_map(Value::as_object) {
            let ids = list(galaxy, "GalaxyCluster").iter().filter_map(Value::as_str);
            let mut clusters = Vec::new();
            for id in ids {
                let Some((id, row)) = self.rows.get_key_value(id) else { continue };
                let mut cluster = part::cluster(row);
                if row.distribution == Distribution::Organisation {
                    seal::distribution(row, &mut cluster, "0");
                }
                clusters.push(Value::Object(cluster));
                self.used.insert(*id);
            }
            let mut galaxy = galaxy.clone();
            galaxy.insert("GalaxyCluster".to_owned(), Value::Array(clusters));
            galaxies.push(Value::Object(galaxy));
        }
        push(into, "Galaxy", galaxies);
    }

    /// A record MISP has no form for, as its text.
    fn text(&mut self, object: &StixObject) -> Value {
        self.as_text = self.as_text.saturating_add(1);
        let raw = String::from_utf8_lossy(object.raw());
        let id = deterministic_id("attribute", SOURCE_NAME, &raw);
        let seconds = object.modified().map_or(0, |at| at.micros().div_euclid(MICROS));
        json!({"uuid": uuid_of(&id), "type": "other", "category": "Other", "to_ids": false,
            "distribution": "0", "timestamp": seconds.to_string(), "value": raw,
            "comment": format!("STIX {}", object.kind())})
    }
}

fn report_fields<'a>(shelf: &Shelf<'a>, id: &str) -> Option<&'a Map<String, Value>> {
    shelf.rows.get(id).map(|row| row.fields)
}

/// Adds to a list member; an empty list says nothing and is left out.
fn push(map: &mut Map<String, Value>, key: &str, items: Vec<Value>) {
    if items.is_empty() {
        return;
    }
    let list = map.entry(key.to_owned()).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.extend(items);
    }
}
