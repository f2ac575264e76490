//! The United Nations Security Council consolidated list (XML) as STIX identities. Pure.
//!
//! Each entry becomes one identity that says who lists it, when and under which reference
//! (house law 9); every text of the entry is kept. Bad entries are reported one by one.
//! SOURCE: scsanctions.un.org consolidated XML; schema sc-sanctions.xsd (read from the files).

mod cutter;
mod element;

use crate::stix::convert::{Draft, deterministic_id};
use crate::stix::{Fatal, Item, Place, Rejected, StixObject, Summary, Tally};
use cutter::{Cut, Cutter, Entry};
use element::{Element, EntryFault};
use model::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::io::Read;
use std::ops::ControlFlow;

/// Whose list it is, as `listing.by` says.
pub const LISTED_BY: &str = "UNSC";
/// The name of the source in identifiers and external references.
pub const SOURCE_NAME: &str = "un-sc-consolidated-list";
/// The data-subject category of a listed person.
pub const SUBJECT_LISTED: &str = "listed";

const ENTRY_CURE: &str = "compare the entry with the list at scsanctions.un.org and fetch it again";

/// Reads the consolidated list; memory holds one entry and one chunk.
///
/// # Errors
/// The input is not the list, is torn, declares entities or is not UTF-8.
pub fn read(
    reader: impl Read,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut tally = Tally::new(visit);
    let mut cutter = Cutter::new(reader);
    let mut seen = BTreeSet::new();
    loop {
        let entry = match cutter.next() {
            Ok(Cut::Entry(entry)) => entry,
            Ok(Cut::End) => return Ok(tally.summary),
            Err(torn) => {
                let cure = torn.help();
                return Err(tally.fatal(cutter.place(), torn.to_string(), cure));
            }
        };
        let flow = match convert(&entry, &mut seen) {
            Ok(object) => tally.deliver(Ok(object), entry.place),
            Err(fault) => tally.reject(rejected(fault, &entry)),
        };
        if flow.is_break() {
            return Ok(tally.summary);
        }
    }
}

fn rejected(fault: EntryFault, entry: &Entry) -> Rejected {
    let before = entry.bytes.get(..fault.at).unwrap_or_default();
    let lines = before.iter().filter(|b| **b == b'\n').count() as u64;
    let place = Place {
        offset: entry.place.offset.saturating_add(fault.at as u64),
        line: entry.place.line.saturating_add(lines),
        column: 0,
        pointer: fault.element,
    };
    let id = fault.reference.or_else(|| reference_in(&entry.bytes));
    Rejected { index: 0, place, id, reason: fault.reason, cure: ENTRY_CURE.into() }
}

/// The reference number in the bytes of an entry that cannot be read.
///
/// WHY: whoever imports a damaged list must see who is missing from it.
fn reference_in(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let (_, after) = text.split_once("<REFERENCE_NUMBER>")?;
    let reference = after.split('<').next()?.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    (!reference.is_empty() && reference.chars().all(plain))
        .then(|| reference.chars().take(40).collect())
}

fn convert(entry: &Entry, seen: &mut BTreeSet<String>) -> Result<StixObject, EntryFault> {
    let person = match entry.name.as_str() {
        "INDIVIDUAL" => true,
        "ENTITY" => false,
        name => return Err(EntryFault::of(name, "an unknown kind of entry")),
    };
    if entry.oversized {
        return Err(EntryFault::of(&entry.name, "the entry is larger than one object may be"));
    }
    let root = element::parse(&entry.bytes)?;
    let reference = required(&root, "REFERENCE_NUMBER")?.to_owned();
    let within = |fault: EntryFault| fault.about(&reference);
    if !seen.insert(reference.clone()) {
        let fault = EntryFault::of("REFERENCE_NUMBER", "a second entry with this reference");
        return Err(within(fault));
    }
    draft(&root, person, &reference)
        .map_err(within)?
        .finish()
        .map_err(|problem| within(EntryFault::of(&entry.name, &problem.to_string())))
}

fn required<'a>(root: &'a Element, name: &str) -> Result<&'a str, EntryFault> {
    let text = root.child_text(name);
    text.ok_or_else(|| EntryFault::of(name, "this element is missing or empty"))
}

fn draft(root: &Element, person: bool, reference: &str) -> Result<Draft, EntryFault> {
    let listed_on = required(root, "LISTED_ON")?;
    let created = day(listed_on)
        .ok_or_else(|| EntryFault::of("LISTED_ON", "this is not a date such as 2014-01-03"))?;
    let updates = root.children_named("LAST_DAY_UPDATED").flat_map(Element::values);
    let modified = updates.filter_map(|text| day(&text)).fold(created, Timestamp::max);
    let parts = ["FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME"];
    let name: Vec<_> = parts.iter().filter_map(|part| root.child_text(part)).collect();
    if name.is_empty() {
        return Err(EntryFault::of("FIRST_NAME", "the entry has no name"));
    }
    let class = if person { "individual" } else { "organization" };
    let mut own = Map::new();
    own.insert("name".to_owned(), json!(name.join(" ")));
    own.insert("identity_class".to_owned(), json!(class));
    let source = json!({"source_name": SOURCE_NAME, "external_id": reference});
    own.insert("external_references".to_owned(), json!([source]));
    Ok(Draft {
        kind: "identity",
        id: deterministic_id("identity", SOURCE_NAME, reference),
        created,
        modified,
        own,
        record_type: if person { "person" } else { "organisation" },
        subject: if person { SUBJECT_LISTED } else { model::record::SUBJECT_NONE },
        fields: fields(root, if person { "person" } else { "organisation" }),
    })
}

/// Midnight UTC of a date, which may carry a zone after it.
fn day(text: &str) -> Option<Timestamp> {
    format!("{}T00:00:00Z", text.get(..10)?).parse().ok()
}

/// How an element of the list is kept.
enum Kept {
    /// As one text.
    Text(&'static str),
    /// As the list of its `VALUE`s.
    Values(&'static str),
    /// As one object in a list, by its children.
    Objects(&'static str),
    /// As a part of the name.
    Name(&'static str),
}

/// Where each element goes; `listing.*` says who asserts what, the rest describes the subject.
fn kept(name: &str) -> Option<Kept> {
    Some(match name {
        "FIRST_NAME" => Kept::Name("first"),
        "SECOND_NAME" => Kept::Name("second"),
        "THIRD_NAME" => Kept::Name("third"),
        "FOURTH_NAME" => Kept::Name("fourth"),
        "NAME_ORIGINAL_SCRIPT" => Kept::Name("original_script"),
        "UN_LIST_TYPE" => Kept::Text("listing.list"),
        "REFERENCE_NUMBER" => Kept::Text("listing.reference"),
        "LISTED_ON" => Kept::Text("listing.listed_on"),
        "COMMENTS1" => Kept::Text("listing.narrative"),
        "DATAID" => Kept::Text("listing.data_id"),
        "VERSIONNUM" => Kept::Text("listing.version"),
        "SUBMITTED_BY" => Kept::Text("listing.submitted_by"),
        "SUBMITTED_ON" => Kept::Text("listing.submitted_on"),
        "DELISTED_ON" => Kept::Text("listing.delisted_on"),
        "LIST_TYPE" => Kept::Values("listing.list_type"),
        "LAST_DAY_UPDATED" => Kept::Values("listing.updated_on"),
        "GENDER" => Kept::Text("gender"),
        "TITLE" => Kept::Values("title"),
        "DESIGNATION" => Kept::Values("designation"),
        "NATIONALITY" => Kept::Values("nationality"),
        "INDIVIDUAL_ALIAS" | "ENTITY_ALIAS" => Kept::Objects("alias"),
        "INDIVIDUAL_ADDRESS" | "ENTITY_ADDRESS" => Kept::Objects("address"),
        "INDIVIDUAL_DATE_OF_BIRTH" => Kept::Objects("dob"),
        "INDIVIDUAL_PLACE_OF_BIRTH" => Kept::Objects("pob"),
        "INDIVIDUAL_DOCUMENT" => Kept::Objects("document"),
        _ => return None,
    })
}

fn fields(root: &Element, subject: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("listing.by".to_owned(), json!(LISTED_BY));
    let full = |name: &str| {
        if name.starts_with("listing.") { name.to_owned() } else { format!("{subject}.{name}") }
    };
    for child in &root.children {
        match kept(&child.name) {
            Some(Kept::Text(name)) if child.is_plain() => {
                if let Some(text) = child.text() {
                    // WHY: a second element of the same name must not overwrite the first.
                    match fields.get(&full(name)) {
                        None => fields.insert(full(name), json!(text)),
                        Some(_) => {
                            append(&mut fields, "listing.other", child.other());
                            None
                        }
                    };
                }
            }
            Some(Kept::Name(part)) if child.is_plain() => {
                let names = fields.entry(full("name")).or_insert_with(|| json!({}));
                let slot = names.as_object_mut().map(|map| map.entry(part));
                match (slot, child.text()) {
                    (Some(serde_json::map::Entry::Vacant(slot)), Some(text)) => {
                        slot.insert(json!(text));
                    }
                    (_, None) => {}
                    (_, Some(_)) => append(&mut fields, "listing.other", child.other()),
                }
            }
            Some(Kept::Values(name)) => {
                child.values().for_each(|text| append(&mut fields, &full(name), json!(text)));
            }
            Some(Kept::Objects(name)) => {
                child.object().into_iter().for_each(|o| append(&mut fields, &full(name), o));
            }
            Some(Kept::Text(_) | Kept::Name(_)) | None if child.has_text() => {
                append(&mut fields, "listing.other", child.other());
            }
            Some(Kept::Text(_) | Kept::Name(_)) | None => {}
        }
    }
    fields
}

/// Adds to a list, which is made with its first element.
fn append(fields: &mut Map<String, Value>, name: &str, value: Value) {
    let list = fields.entry(name).or_insert_with(|| json!([]));
    if let Some(list) = list.as_array_mut() {
        list.push(value);
    }
}
