//! Events put together from what a partner may read: a report, and of what it names all that the
//! gate lets through.
//!
//! Cost: one event is a look-up for each record it names; a list is a head for each row of the
//! partner's collections, and the content of each report in them. Where events go whole, the
//! sightings the partner pushed are read once for the answer.
//! INVARIANT: nothing is counted or named that the gate did not let through.
//! LIMIT: a record that no readable report names stands in no event; TAXII shows it.

use super::cards;
use crate::http::errors::Problem;
use crate::http::limits::{MISP_MEMBERS_MAX, MISP_SIGHTINGS_MAX};
use model::ids::AgencyId;
use model::posting::Collection;
use model::time::Timestamp;
use node::facts::Facts;
use node::pages::{Page, Shown, Versions, Wanted};
use serde_json::{Map, Value, json};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use wire::misp::{Distribution, write};
use wire::stix::{EXTENSION_ID, StixObject};

/// Reports read at a time.
const REPORTS_AT_ONCE: usize = 200;
/// Members of an event that the form without parts leaves out.
pub const PARTS: [&str; 4] = ["Attribute", "Object", "EventReport", "Sighting"];

/// The kinds of record a sighting is: seen, contested as false, expired.
pub const SIGHTING_KINDS: [&str; 3] = ["sighting", "opinion", "note"];

/// What one partner may read now.
pub struct Library<'a> {
    facts: &'a Facts<'a>,
    reader: &'a AgencyId,
    readable: Vec<Collection>,
    now: Timestamp,
    pushed: OnceCell<BTreeMap<String, Vec<StixObject>>>,
}

/// An event's report as the partner may read it.
pub struct Head {
    report: StixObject,
    originator: AgencyId,
    /// The event without its parts.
    pub event: Map<String, Value>,
}

/// A whole event.
pub struct Whole {
    /// As MISP writes it.
    pub event: Map<String, Value>,
    /// The records in it, the report among them.
    pub records: BTreeSet<String>,
}

impl<'a> Library<'a> {
    /// The collections the reader may read, in their order: what was released to it, its own
    /// postings, communities.
    ///
    /// # Errors
    /// The store failed.
    pub fn of(facts: &'a Facts<'a>, reader: &'a AgencyId, now: Timestamp) -> Result<Self, Problem> {
        let all = node::shelf::collections(facts, reader, now)?;
        let readable = all.into_iter().filter(|one| one.rights.read);
        let readable = readable.map(|one| one.collection).collect();
        Ok(Self { facts, reader, readable, now, pushed: OnceCell::new() })
    }

    fn page(&self, collection: &Collection, wanted: &Wanted) -> Result<Page, Problem> {
        Ok(node::shelf::page(self.facts, self.reader, collection, wanted, self.now)?)
    }

    fn last(ids: BTreeSet<String>, limit: usize) -> Wanted {
        let versions = Versions::Some { first: false, last: true, at: BTreeSet::new() };
        Wanted { ids: Some(ids), versions, ..Wanted::first(limit) }
    }

    /// These records, as far as they may be read: the newest version of each.
    ///
    /// # Errors
    /// The store failed.
    pub fn records(&self, ids: &BTreeSet<String>) -> Result<Vec<Shown>, Problem> {
        let mut found = BTreeMap::<String, Shown>::new();
        for collection in &self.readable {
            let wanted = Self::last(ids.clone(), ids.len().saturating_mul(8).max(1));
            for shown in self.page(collection, &wanted)?.rows {
                let id = shown.record().to_string();
                let newer = |known: &Shown| known.version_at() < shown.version_at();
                if found.get(&id).is_none_or(newer) {
                    found.insert(id, shown);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// The report of one event; nothing where there is none for this reader.
    ///
    /// # Errors
    /// The store failed.
    pub fn head(&self, uuid: &str) -> Result<Option<Head>, Problem> {
        let ids = BTreeSet::from([format!("report--{uuid}")]);
        self.records(&ids)?.pop().map(|shown| head(shown, self.reader)).transpose()
    }

    /// Visits the reports the reader may read, oldest first in each collection, until the visitor
    /// says `false`.
    ///
    /// # Errors
    /// The store failed, or what the visitor answers.
    pub fn heads(
        &self,
        visit: &mut dyn FnMut(Head) -> Result<bool, Problem>,
    ) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for collection in &self.readable {
            let mut after = None;
            loop {
                let wanted = Wanted {
                    after,
                    kinds: Some(BTreeSet::from(["report".to_owned()])),
                    versions: Versions::Some { first: false, last: true, at: BTreeSet::new() },
                    ..Wanted::first(REPORTS_AT_ONCE)
                };
                let page = self.page(collection, &wanted)?;
                after = page.next();
                for shown in page.rows {
                    if seen.insert(shown.record().to_string()) && !visit(head(shown, self.reader)?)?
                    {
                        return Ok(());
                    }
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// The sightings the reader pushed apart from an event, by what they are of; read once.
    fn pushed(&self) -> Result<&BTreeMap<String, Vec<StixObject>>, Problem> {
        if let Some(known) = self.pushed.get() {
            return Ok(known);
        }
        let (mut pushed, mut count) = (BTreeMap::<String, Vec<StixObject>>::new(), 0_usize);
        let inboxes = self.readable.iter().filter(|one| matches!(one, Collection::Inbox(_)));
        for inbox in inboxes {
            let mut after = None;
            loop {
                let wanted = Wanted {
                    after,
                    kinds: Some(SIGHTING_KINDS.map(str::to_owned).into()),
                    ..Wanted::first(REPORTS_AT_ONCE)
                };
                let page = self.page(inbox, &wanted)?;
                after = page.next();
                count = count.saturating_add(page.rows.len());
                if count > MISP_SIGHTINGS_MAX {
                    let cause = format!("more than {MISP_SIGHTINGS_MAX} sightings of yours");
                    let help = "read them over TAXII, or withdraw old ones there";
                    return Err(Problem::of("answer_too_large").at(cause).hinting(help));
                }
                for shown in page.rows {
                    let object = object(&shown)?;
                    if let Some(of) = sighted(&object) {
                        pushed.entry(of.to_owned()).or_default().push(object);
                    }
                }
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(self.pushed.get_or_init(|| pushed))
    }

    /// Puts an event together.
    ///
    /// # Errors
    /// The store failed, or the event names too many records.
    pub fn whole(&self, head: &Head) -> Result<Whole, Problem> {
        let refs = head.report.value().get("object_refs").and_then(Value::as_array);
        let ids = refs.into_iter().flatten().filter_map(Value::as_str);
        let ids: BTreeSet<String> = ids.map(str::to_owned).collect();
        if ids.len() > MISP_MEMBERS_MAX {
            let cause = format!("an event names more than {MISP_MEMBERS_MAX} records");
            return Err(Problem::of("answer_too_large").at(cause).hinting("read it over TAXII"));
        }
        let mut objects = Vec::with_capacity(ids.len().saturating_add(1));
        let mut records = BTreeSet::from([head.report.id().to_string()]);
        let mut own = BTreeSet::new();
        if head.originator == *self.reader {
            own.insert(head.report.id().to_string());
        }
        for shown in self.records(&ids)? {
            // WHY: a report inside a report is an event of its own.
            if shown.kind() != "report" {
                if shown.originator() == self.reader {
                    own.insert(shown.record().to_string());
                }
                records.insert(shown.record().to_string());
                objects.push(object(&shown)?);
            }
        }
        let pushed = self.pushed()?;
        let mut report = head.report.value().clone();
        for object in records.clone().iter().filter_map(|id| pushed.get(id)).flatten() {
            if records.insert(object.id().to_string()) {
                let refs = report.get_mut("object_refs").and_then(Value::as_array_mut);
                refs.into_iter().for_each(|refs| refs.push(json!(object.id().as_str())));
                objects.push(object.clone());
            }
        }
        objects.push(StixObject::parse(report.to_string().as_bytes()).map_err(damaged)?);
        Ok(Whole {
            event: written(&objects, (head.report.id().as_str(), &head.originator), &own)?,
            records,
        })
    }
}

/// What a sighting, an opinion or a note of a sighting is of.
#[must_use]
pub fn sighted(object: &StixObject) -> Option<&str> {
    match object.kind() {
        "sighting" => object.text("sighting_of_ref"),
        "opinion" | "note" => {
            let refs = object.value().get("object_refs").and_then(Value::as_array);
            refs.and_then(|refs| refs.first()).and_then(Value::as_str)
        }
        _ => None,
    }
}

fn damaged(problem: impl ToString) -> Problem {
    Problem::of("internal").because(problem)
}

fn object(shown: &Shown) -> Result<StixObject, Problem> {
    StixObject::parse(shown.raw()).map_err(damaged)
}

fn head(shown: Shown, reader: &AgencyId) -> Result<Head, Problem> {
    let mut value = object(&shown)?.value().clone();
    // WHY: a report that did not come from MISP is an event too; it is marked in this copy only.
    if let Some(members) = value.as_object_mut() {
        let mut inside = members;
        for name in ["extensions", EXTENSION_ID, "fields"] {
            let next = inside.entry(name).or_insert_with(|| json!({})).as_object_mut();
            inside = next.ok_or_else(|| damaged("an extension that is no object"))?;
        }
        inside.insert("misp.event".to_owned(), json!(true));
    }
    let report = StixObject::parse(value.to_string().as_bytes()).map_err(damaged)?;
    let originator = shown.originator().clone();
    let mut own = BTreeSet::new();
    if originator == *reader {
        own.insert(report.id().to_string());
    }
    let who = (report.id().as_str(), &originator);
    let mut event = written(std::slice::from_ref(&report), who, &own)?;
    PARTS.iter().for_each(|part| drop(event.remove(*part)));
    Ok(Head { report, originator, event })
}

/// The event of one report among these objects; `own` are the reader's own records.
fn written(
    objects: &[StixObject],
    (id, originator): (&str, &AgencyId),
    own: &BTreeSet<String>,
) -> Result<Map<String, Value>, Problem> {
    let uuid = id.trim_start_matches("report--");
    // INVARIANT: what others gave is for the one organisation that takes it; the reader's own word
    // reads as it was said, so that it can be edited.
    let distribution = |object: &StixObject| match own.contains(object.id().as_str()) {
        true => Distribution::Stated,
        false => Distribution::Organisation,
    };
    let events = write(objects, &distribution).events;
    let mut events = events.into_iter().filter_map(|event| match event {
        Value::Object(event) => Some(event),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            None
        }
    });
    let event = events.find(|event| event.get("uuid").and_then(Value::as_str) == Some(uuid));
    let mut event = event.ok_or_else(|| damaged("a report became no event"))?;
    // WHY: the release is the publication; MISP pulls nothing that is not published.
    event.insert("published".to_owned(), json!(true));
    let maker = event.entry("Orgc").or_insert_with(|| cards::organisation(originator.as_str()));
    let maker = maker.clone();
    event.entry("Org").or_insert(maker);
    event.entry("threat_level_id").or_insert_with(|| json!("4"));
    event.entry("analysis").or_insert_with(|| json!("2"));
    if !event.contains_key("publish_timestamp") {
        let at = event.get("timestamp").cloned().unwrap_or_else(|| json!("0"));
        event.insert("publish_timestamp".to_owned(), at);
    }
    let count = wire::misp::attributes(&event).len();
    event.insert("attribute_count".to_owned(), json!(count.to_string()));
    Ok(event)
}
