//! Records as a table anybody can open, and the same table read back. Pure.
//!
//! The last column holds each record's own bytes; the others are for people. Read back, the bytes
//! count, and a row whose other cells say something else was changed and is rejected.
//! SOURCE: RFC 4180; OWASP "CSV Injection" for the first signs of formulas.

use super::encoding::{Encoding, Letters};
use super::row::RowFault;
use super::rows::{Rows, texts};
use crate::stix::built_in_tlp;
use crate::stix::{EXTENSION_ID, Fatal, Item, Place, StixObject, Summary, Tally, WITHHELD};
use ::csv::{Terminator, WriterBuilder};
use model::marking::Tlp;
use serde_json::Value;
use std::io::Read;
use std::ops::ControlFlow;

/// The columns, in the order they always have.
pub const COLUMNS: [&str; 20] = [
    "entente_table_1",
    "id",
    "type",
    "record_type",
    "name",
    "value",
    "description",
    "pattern",
    "created",
    "modified",
    "from",
    "until",
    "labels",
    "confidence",
    "tlp",
    "other_markings",
    "caveats",
    "grade",
    "subject",
    "stix",
];
/// What stands in an empty cell of a record that was redacted: withheld, or never said.
pub const NOT_GIVEN: &str = "[not given]";
const WHOLE: &str = "whole";
const REDACTED: &str = "redacted";

/// Whether a spreadsheet would take a text for a formula.
pub(super) fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

/// A text no spreadsheet takes for a formula: one that begins like one gets a `'` before it.
#[must_use]
pub fn safe(text: &str) -> String {
    if is_formula(text) { format!("'{text}") } else { text.to_owned() }
}

/// The first line.
#[must_use]
pub fn header() -> Vec<u8> {
    line(&COLUMNS.map(str::to_owned))
}

/// A record as a line; `redacted` says that something of it was withheld.
#[must_use]
pub fn to_row(object: &StixObject, redacted: bool) -> Vec<u8> {
    line(&cells(object, redacted))
}

fn line(cells: &[String]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    // WHY: a list in memory takes whatever is written, and has one length.
    let _ = writer.write_record(cells);
    writer.into_inner().unwrap_or_default()
}

fn cells(object: &StixObject, redacted: bool) -> [String; 20] {
    let text = |key: &str| object.text(key).unwrap_or_default().to_owned();
    let extension = object.value().get("extensions").and_then(|all| all.get(EXTENSION_ID));
    let said = |key: &str| extension.and_then(|extension| extension.get(key));
    let word = |key: &str| said(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let first = |keys: [&str; 3]| {
        keys.iter().find_map(|key| object.text(key)).unwrap_or_default().to_owned()
    };
    let list = |value: Option<&Value>| {
        let items = value.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
    };
    let (tlp, other) = markings(object, said("tlp"));
    let confidence = object.value().get("confidence").map(ToString::to_string);
    let description = match object.text("description") {
        Some(text) => text.to_owned(),
        None => text("content"),
    };
    let mut cells = [
        if redacted { REDACTED } else { WHOLE }.to_owned(),
        object.id().to_string(),
        object.kind().to_owned(),
        word("record_type"),
        first(["name", "abstract", "relationship_type"]),
        value(object, extension),
        description,
        text("pattern"),
        text("created"),
        text("modified"),
        first(["valid_from", "first_observed", "first_seen"]),
        first(["valid_until", "last_observed", "last_seen"]),
        list(object.value().get("labels")),
        confidence.unwrap_or_default(),
        tlp,
        other,
        list(said("caveats")),
        word("grade"),
        word("subject"),
        String::from_utf8_lossy(object.raw()).into_owned(),
    ];
    for cell in &mut cells {
        if redacted && cell.is_empty() {
            NOT_GIVEN.clone_into(cell);
        }
        if cell.ends_with("withheld.invalid") || cell == "https://withheld.invalid/" {
            WITHHELD.clone_into(cell);
        }
        *cell = safe(cell);
    }
    cells
}

/// The strictest TLP label, and every other marking.
fn markings(object: &StixObject, stated: Option<&Value>) -> (String, String) {
    let refs = object.value().get("object_marking_refs").and_then(Value::as_array);
    let refs: Vec<&str> = refs.into_iter().flatten().filter_map(Value::as_str).collect();
    let stated = stated.and_then(Value::as_str).and_then(Tlp::parse);
    let labels = refs.iter().filter_map(|id| built_in_tlp(id)).chain(stated);
    let tlp = labels.max().map_or("", Tlp::label).to_owned();
    let other: Vec<&str> = refs.iter().copied().filter(|id| built_in_tlp(id).is_none()).collect();
    (tlp, other.join("; "))
}

/// The one value a record is about, where there is one.
fn value(object: &StixObject, extension: Option<&Value>) -> String {
    if let Some(pattern) = object.text("pattern") {
        return compared(pattern).unwrap_or_default();
    }
    let account = extension.and_then(|all| all.get("fields")?.get("account.identifier")?.as_str());
    if let Some(account) = account {
        return account.to_owned();
    }
    let inside = object.value().get("objects").and_then(|objects| objects.get("0"));
    let holder = inside.unwrap_or(object.value());
    let text = |key: &str| holder.get(key).and_then(Value::as_str).map(str::to_owned);
    if let Some(value) = text("value") {
        return value;
    }
    let hashes = holder.get("hashes").and_then(Value::as_object);
    let hash = hashes.and_then(|hashes| hashes.values().find_map(Value::as_str));
    hash.map(str::to_owned).unwrap_or_default()
}

/// The literal of a pattern of one comparison; nothing for any other pattern.
fn compared(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix('[')?.strip_suffix("']")?;
    let (path, literal) = inner.split_once(" = '").or_else(|| inner.split_once(" ISSUBSET '"))?;
    if path.contains([' ', '[', ']']) {
        return None;
    }
    let (mut out, mut escaped) = (String::new(), false);
    for c in literal.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (false, '\'') => return None,
            (_, c) => {
                out.push(c);
                escaped = false;
            }
        }
    }
    (!escaped).then_some(out)
}

const OWN_CURE: &str = "make a map with `entente map FILE` and give it with --map";
const CHANGED_CURE: &str =
    "take the file as it was exported, or read what was changed as a table with a map";

/// Reads a table this program wrote. Each row becomes its record, byte for byte, or is rejected.
///
/// # Errors
/// The header is not that of such a table, or the input is torn.
pub fn read_own(
    reader: impl Read,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut tally = Tally::new(visit);
    let mut rows = Rows::new(Letters::new(reader, Encoding::Utf8), b',');
    let place = Place { line: 1, ..Place::default() };
    match rows.next() {
        Ok(true) if rows.record.iter().eq(COLUMNS.iter().map(|name| name.as_bytes())) => {}
        Ok(_) => {
            let reason =
                "this is not a table this program exported, and no map says how to read it";
            return Err(tally.fatal(place, reason.to_owned(), OWN_CURE));
        }
        Err(reason) => return Err(tally.fatal(place, reason, OWN_CURE)),
    }
    loop {
        let more = rows.next();
        let place = rows.place();
        match more {
            Ok(true) => {}
            Ok(false) => return Ok(tally.summary),
            Err(reason) => return Err(tally.fatal(place, reason, CHANGED_CURE)),
        }
        let object = texts(&rows.record, Some(COLUMNS.len())).and_then(|row| restored(&row));
        let flow = match object {
            Ok(object) => tally.deliver(Ok(object), place),
            Err(fault) => tally.reject(fault.rejected(place)),
        };
        if flow.is_break() {
            return Ok(tally.summary);
        }
    }
}

fn restored(row: &[&str]) -> Result<StixObject, RowFault> {
    let last = COLUMNS.len();
    let changed = |number: usize, name: &str, reason: String| {
        RowFault::new(number, name, reason, CHANGED_CURE)
    };
    let raw = row.last().copied().unwrap_or_default();
    let object = StixObject::parse(raw.as_bytes()).map_err(|problem| {
        let reason =
            format!("the cell is no STIX object (a spreadsheet cuts long cells): {problem}");
        changed(last, "stix", reason)
    })?;
    let redacted = match row.first() {
        Some(&WHOLE) => false,
        Some(&REDACTED) => true,
        Some(_) | None => {
            let reason = format!("the cell is neither `{WHOLE}` nor `{REDACTED}`");
            return Err(changed(1, "entente_table_1", reason));
        }
    };
    let want = cells(&object, redacted);
    let pairs = want.iter().zip(row).zip(COLUMNS).enumerate().take(last.saturating_sub(1));
    for (at, ((want, found), name)) in pairs {
        if want != found {
            let reason = "the cell was changed after the export".to_owned();
            return Err(changed(at.saturating_add(1), name, reason));
        }
    }
    Ok(object)
}
