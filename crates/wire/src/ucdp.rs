//! UCDP Georeferenced Event Dataset (CSV) as STIX incidents. Pure.
//!
//! Driven by the header: the official columns and trimmed layouts are known by name, every other
//! column is kept as it is. Bad rows are reported one by one.
//! SOURCE: UCDP GED codebook 25.1 (columns, `type_of_violence`, precision codes).

mod columns;

use crate::limits;
use crate::stix::convert::{Draft, deterministic_id};
use crate::stix::{Fatal, Item, Place, Rejected, StixObject, Summary, Tally};
use columns::{Form, Role, role_of};
use csv::{ByteRecord, ReaderBuilder};
use model::record::SUBJECT_NONE;
use model::time::Timestamp;
use serde_json::{Map, Value, json};
use std::io::{self, Read};
use std::ops::ControlFlow;

/// The name of the source in identifiers and external references.
pub const SOURCE_NAME: &str = "ucdp-ged";

const ROW_CURE: &str = "correct the cell, or compare the row with ucdp.uu.se";
const FILE_CURE: &str = "give the GED CSV with its header row, comma-separated, in UTF-8";

/// Reads a GED file; each object is dated by the event itself.
///
/// # Errors
/// The header lacks what an event needs, or the input is torn.
pub fn read(
    reader: impl Read,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    read_rows(reader, None, visit)
}

/// Reads a GED file of a known edition, whose date every object's `modified` takes: rows that a
/// later edition corrected become later versions of the same objects.
///
/// # Errors
/// The header lacks what an event needs, or the input is torn.
pub fn read_edition(
    reader: impl Read,
    edition: Timestamp,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    read_rows(reader, Some(edition), visit)
}

fn read_rows(
    reader: impl Read,
    edition: Option<Timestamp>,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut tally = Tally::new(visit);
    let metered = Metered { inner: reader, since_row: 0 };
    let mut rows = ReaderBuilder::new().flexible(true).has_headers(false).from_reader(metered);
    let mut record = ByteRecord::new();
    let header = match next_row(&mut rows, &mut record) {
        Ok(true) => Header::read(&record),
        Ok(false) => Err("the file is empty".to_owned()),
        Err(reason) => Err(reason),
    };
    let header = header
        .map_err(|reason| tally.fatal(Place { line: 1, ..Place::default() }, reason, FILE_CURE))?;
    loop {
        let start = rows.position().clone();
        let place =
            Place { offset: start.byte(), line: start.line(), column: 0, pointer: String::new() };
        match next_row(&mut rows, &mut record) {
            Ok(true) => {}
            Ok(false) => return Ok(tally.summary),
            Err(reason) => return Err(tally.fatal(place, reason, FILE_CURE)),
        }
        if is_hxl(&record) {
            continue;
        }
        let flow = match convert(&header, &record, edition) {
            Ok(object) => tally.deliver(Ok(object), place),
            Err(fault) => tally.reject(rejected(fault, &header, &record, place)),
        };
        if flow.is_break() {
            return Ok(tally.summary);
        }
    }
}

fn next_row<R: Read>(
    rows: &mut csv::Reader<Metered<R>>,
    record: &mut ByteRecord,
) -> Result<bool, String> {
    rows.get_mut().since_row = 0;
    rows.read_byte_record(record).map_err(|error| format!("the rows cannot be read: {error}"))
}

/// LIMIT: refuses a row longer than [`limits::OBJECT_BYTES_MAX`], such as one that an open quote
/// would make of the whole file.
struct Metered<R> {
    inner: R,
    since_row: usize,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row > limits::OBJECT_BYTES_MAX {
            return Err(io::Error::other("a row is longer than any object may be"));
        }
        let length = self.inner.read(buffer)?;
        self.since_row = self.since_row.saturating_add(length);
        Ok(length)
    }
}

/// The second row of files from the Humanitarian Data Exchange holds tags such as `#date+start`.
fn is_hxl(record: &ByteRecord) -> bool {
    let mut filled = record.iter().filter(|cell| !cell.is_empty()).peekable();
    filled.peek().is_some() && filled.all(|cell| cell.starts_with(b"#"))
}

/// Why one row was not taken.
struct RowFault {
    column: String,
    reason: String,
}

impl RowFault {
    fn new(column: &str, reason: impl Into<String>) -> Self {
        Self { column: column.to_owned(), reason: reason.into() }
    }
}

fn rejected(fault: RowFault, header: &Header, record: &ByteRecord, place: Place) -> Rejected {
    let id = header.names.iter().position(|name| name == "id").and_then(|at| record.get(at));
    let id = id.map(|cell| String::from_utf8_lossy(cell).chars().take(40).collect());
    let place = Place { pointer: fault.column, ..place };
    Rejected { index: 0, place, id, reason: fault.reason, cure: ROW_CURE.to_owned() }
}

/// The columns of one file.
struct Header {
    names: Vec<String>,
    roles: Vec<Option<Role>>,
}

impl Header {
    fn read(record: &ByteRecord) -> Result<Self, String> {
        let name = |cell: &[u8]| String::from_utf8(cell.trim_ascii().to_vec());
        let names: Result<Vec<String>, _> = record.iter().map(name).collect();
        let names = names.map_err(|_| "the header is not UTF-8".to_owned())?;
        let has = |name: &str| names.iter().any(|n| n == name);
        let needed = [&["id"][..], &["type_of_violence"], &["date_start", "date"], &["best"]];
        let absent: Vec<String> = needed
            .iter()
            .filter(|any| !any.iter().any(|name| has(name)))
            .map(|any| format!("`{}`", any.join("` or `")))
            .collect();
        if !absent.is_empty() {
            return Err(format!("the header has no column {}", absent.join(", ")));
        }
        let mut sorted: Vec<_> = names.iter().filter(|name| !name.is_empty()).collect();
        sorted.sort();
        if let Some(twice) = sorted.windows(2).find(|pair| pair.first() == pair.last()) {
            let twice = twice.first().map_or("", |name| name.as_str());
            return Err(format!("the header has the column `{twice}` twice"));
        }
        let roles = names.iter().map(|name| role_of(name)).collect();
        Ok(Self { names, roles })
    }
}

fn convert(
    header: &Header,
    record: &ByteRecord,
    edition: Option<Timestamp>,
) -> Result<StixObject, RowFault> {
    if record.len() != header.names.len() {
        let reason = format!("{} cells where the header has {}", record.len(), header.names.len());
        return Err(RowFault::new("", reason));
    }
    let mut row = Row { fields: Map::new() };
    let mut id = None;
    for ((name, role), cell) in header.names.iter().zip(&header.roles).zip(record) {
        let text = std::str::from_utf8(cell)
            .map_err(|_| RowFault::new(name, "the bytes of this cell are not UTF-8"))?;
        match (text.trim(), role) {
            ("", _) => {}
            (text, Some(Role { field: "", .. })) => id = Some(text.to_owned()),
            (text, Some(role)) => row.known(name, *role, text)?,
            (text, None) => row.put("event.other", name, json!(text)),
        }
    }
    let id = id.ok_or_else(|| RowFault::new("id", "the row has no id"))?;
    if !id.bytes().all(|b| b.is_ascii_digit()) {
        let shown: String = id.chars().take(40).collect();
        return Err(RowFault::new("id", format!("`{shown}` is not an event id of digits")));
    }
    row.finish(&id, edition)
}

struct Row {
    fields: Map<String, Value>,
}

impl Row {
    fn put(&mut self, field: &str, key: &str, value: Value) {
        let slot = self.fields.entry(field).or_insert_with(|| json!({}));
        if let Some(map) = slot.as_object_mut() {
            map.insert(key.to_owned(), value);
        }
    }

    fn known(&mut self, column: &str, role: Role, text: &str) -> Result<(), RowFault> {
        let wrong = |wanted: &str| {
            let shown: String = text.chars().take(40).collect();
            RowFault::new(column, format!("`{shown}` is not {wanted}"))
        };
        let number = || text.parse::<f64>().ok().filter(|n| n.is_finite());
        let value = match role.form {
            Form::Text => json!(text),
            Form::Whole => json!(whole(text).ok_or_else(|| wrong("a whole number"))?),
            Form::Count => {
                let count = whole(text).filter(|n| *n >= 0);
                json!(count.ok_or_else(|| wrong("a count of zero or more"))?)
            }
            Form::Violence => {
                let code = whole(text).filter(|n| (1..=3).contains(n));
                json!(code.ok_or_else(|| wrong("1 (state-based), 2 (non-state) or 3 (one-sided)"))?)
            }
            Form::Degrees(most) => {
                let degrees = number().filter(|n| n.abs() <= most);
                json!(degrees.ok_or_else(|| wrong("degrees on the globe"))?)
            }
            Form::Date => {
                let date = text.get(..10).filter(|d| midnight(d).is_some());
                json!(date.ok_or_else(|| wrong("a date such as 2016-01-31"))?)
            }
        };
        if self.fields.get(role.field).is_some_and(|field| field.get(role.key).is_some()) {
            // WHY: two columns may have one role; the second must not overwrite the first.
            self.put("event.other", column, json!(text));
            return Ok(());
        }
        self.put(role.field, role.key, value);
        if role.form == Form::Date && text.len() > 10 {
            self.put("event.other", column, json!(text));
        }
        Ok(())
    }

    fn at(&self, field: &str, key: &str) -> Option<&str> {
        self.fields.get(field)?.get(key)?.as_str()
    }

    fn finish(mut self, id: &str, edition: Option<Timestamp>) -> Result<StixObject, RowFault> {
        let day = |row: &Self, key| row.at("when", key).and_then(midnight);
        let start = day(&self, "start");
        let start = start.ok_or_else(|| RowFault::new("date_start", "the row has no date"))?;
        let end = day(&self, "end").unwrap_or(start);
        if end < start {
            return Err(RowFault::new("date_end", "the event ends before it starts"));
        }
        if self.fields.get("event.deaths").and_then(|d| d.get("best")).is_none() {
            return Err(RowFault::new("best", "the row has no count of deaths"));
        }
        let described = self.at("what", "dyad").or_else(|| self.at("what", "conflict"));
        let name = described.map_or_else(|| format!("UCDP event {id}"), str::to_owned);
        let modified = edition.unwrap_or(end);
        self.put("event.source", "dataset", json!(SOURCE_NAME));
        let mut own = Map::new();
        own.insert("name".to_owned(), json!(name));
        let source = json!({"source_name": SOURCE_NAME, "external_id": id});
        own.insert("external_references".to_owned(), json!([source]));
        let draft = Draft {
            kind: "incident",
            id: deterministic_id("incident", SOURCE_NAME, id),
            created: end.min(modified),
            modified,
            own,
            record_type: "event",
            subject: SUBJECT_NONE,
            fields: self.fields,
        };
        draft.finish().map_err(|problem| RowFault::new("", problem.to_string()))
    }
}

/// A whole number, also when a spreadsheet wrote it as `3.0`.
fn whole(text: &str) -> Option<i64> {
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

fn midnight(date: &str) -> Option<Timestamp> {
    format!("{date}T00:00:00Z").parse().ok()
}
