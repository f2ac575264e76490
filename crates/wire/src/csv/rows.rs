//! The rows of a table, one after the other, within limits. Pure; memory: one row.

use super::encoding::Letters;
use super::map::{Column, Map, Says};
use super::row::{RowFault, convert};
use super::{CELL_BYTES_MAX, CELL_LINES_MAX, COLUMNS_MAX, ROWS_MAX};
use crate::limits;
use crate::stix::{Fatal, Item, Place, Rejected, StixObject, Summary, Tally};
use ::csv::{ByteRecord, Reader, ReaderBuilder};
use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::ops::ControlFlow;
use uuid::Uuid;

/// LIMIT: beginnings of lines kept; more than a reader reads ahead.
const STARTS_MAX: usize = 65_536;

pub(super) const FILE_CURE: &str =
    "compare the file with its map: delimiter, encoding, header; or make a new map";

/// Reads a table by its map. Each row becomes its records, or is rejected alone.
///
/// # Errors
/// The header does not fit the map, or the input is torn.
pub fn read(
    reader: impl Read,
    map: &Map,
    visit: &mut dyn FnMut(Item) -> ControlFlow<()>,
) -> Result<Summary, Fatal> {
    let mut tally = Tally::new(visit);
    let letters = Letters::new(reader, map.file.encoding);
    let mut rows = Rows::new(letters, map.delimiter);
    let mut layout = None;
    if !map.file.header {
        layout = Some(numbered(map));
    }
    let mut seen = Seen::default();
    loop {
        let more = rows.next();
        let place = rows.place();
        match more {
            Ok(true) => {}
            Ok(false) if layout.is_none() => {
                return Err(tally.fatal(place, "the file is empty".to_owned(), FILE_CURE));
            }
            Ok(false) => return Ok(tally.summary),
            Err(reason) => return Err(tally.fatal(place, reason, FILE_CURE)),
        }
        let Some(columns) = &layout else {
            layout = Some(
                named(&rows.record, map).map_err(|reason| tally.fatal(place, reason, FILE_CURE))?,
            );
            continue;
        };
        let taken = texts(&rows.record, columns.width)
            .and_then(|cells| convert(&columns.rows(&cells), map))
            .and_then(|objects| seen.take(objects));
        let flow = match taken {
            Ok(objects) => {
                objects.into_iter().try_for_each(|object| tally.deliver(Ok(object), place.clone()))
            }
            Err(fault) => tally.reject(fault.rejected(place)),
        };
        if flow.is_break() {
            return Ok(tally.summary);
        }
    }
}

impl RowFault {
    pub(super) fn rejected(self, place: Place) -> Rejected {
        let column = u64::try_from(self.number).unwrap_or(u64::MAX);
        let place = Place { column, pointer: self.column, ..place };
        Rejected { index: 0, place, id: None, reason: self.reason, cure: self.cure }
    }
}

/// Which cell is which column of the map.
struct Layout<'m> {
    columns: Vec<(usize, &'m Column)>,
    width: Option<usize>,
}

impl<'m> Layout<'m> {
    fn rows<'c>(&self, cells: &[&'c str]) -> Vec<(usize, &'m Column, &'c str)> {
        let cell = |(at, column): &(usize, &'m Column)| {
            (at.saturating_add(1), *column, cells.get(*at).copied().unwrap_or_default())
        };
        self.columns.iter().map(cell).collect()
    }
}

fn numbered(map: &Map) -> Layout<'_> {
    let place = |column: &Column| column.at.unwrap_or_default().saturating_sub(1);
    let columns: Vec<_> = map.columns.iter().map(|column| (place(column), column)).collect();
    let width = columns.iter().map(|(at, _)| at.saturating_add(1)).max();
    Layout { columns, width }
}

fn named<'m>(header: &ByteRecord, map: &'m Map) -> Result<Layout<'m>, String> {
    let texts = header.iter().map(|cell| std::str::from_utf8(cell).map(str::trim));
    let names: Vec<&str> =
        texts.collect::<Result<_, _>>().map_err(|_| "the header is not UTF-8".to_owned())?;
    let mut left: Vec<bool> = names.iter().map(|name| !name.is_empty()).collect();
    let mut columns = Vec::with_capacity(map.columns.len());
    for column in &map.columns {
        let at = find(&names, column)?;
        match left.get_mut(at) {
            Some(left) => *left = false,
            None => return Err(format!("the header has no column {}", at.saturating_add(1))),
        }
        columns.push((at, column));
    }
    let unnamed = names.iter().zip(&left).filter(|(_, left)| **left).map(|(name, _)| *name);
    let unnamed: Vec<String> = unnamed.take(10).map(|name| format!("`{name}`")).collect();
    if !unnamed.is_empty() {
        let names = unnamed.join(", ");
        return Err(format!(
            "the map says nothing of the column {names}; `as = \"skip\"` leaves one out"
        ));
    }
    Ok(Layout { columns, width: Some(names.len()) })
}

fn find(names: &[&str], column: &Column) -> Result<usize, String> {
    let title = column.title();
    let at = column.at.map(|at| at.saturating_sub(1));
    let Some(name) = column.name.as_deref().map(str::trim) else {
        return at.ok_or_else(|| format!("the column `{title}` has no number"));
    };
    if let Some(at) = at {
        let fits = names.get(at).is_some_and(|found| *found == name);
        let number = at.saturating_add(1);
        let wrong = || format!("column {number} of the header is not `{name}`");
        return fits.then_some(at).ok_or_else(wrong);
    }
    let mut found = names.iter().enumerate().filter(|(_, found)| **found == name);
    match (found.next(), found.next()) {
        (Some((at, _)), None) => Ok(at),
        (Some(_), Some(_)) => {
            Err(format!("the header has the column `{name}` twice; the map must give each an `at`"))
        }
        (None, _) => Err(format!("the header has no column `{name}`")),
    }
}

/// The cells of a row as texts, within limits.
pub(super) fn texts(record: &ByteRecord, width: Option<usize>) -> Result<Vec<&str>, RowFault> {
    if let Some(width) = width.filter(|width| *width != record.len()) {
        let reason = format!("{} cells where the table has {width} columns", record.len());
        let cure = "quote cells with the delimiter or a line break in them; fill short rows";
        return Err(RowFault::new(0, "", reason, cure));
    }
    let mut cells = Vec::with_capacity(record.len());
    for (at, cell) in record.iter().enumerate() {
        let number = at.saturating_add(1);
        let text = std::str::from_utf8(cell).map_err(|_| {
            let cure = "state the file's encoding in the map, or save the file as UTF-8";
            RowFault::new(number, "", "the bytes of this cell are not UTF-8", cure)
        })?;
        cells.push(text);
    }
    Ok(cells)
}

/// Cells that no map may keep.
pub(super) fn within_limits(number: usize, title: &str, cell: &str) -> Result<(), RowFault> {
    if cell.len() > CELL_BYTES_MAX {
        let reason = format!("the cell has more than {CELL_BYTES_MAX} bytes");
        return Err(RowFault::new(number, title, reason, "shorten it, or send it as a document"));
    }
    if cell.contains('\0') {
        let reason = "a NUL stands in this cell";
        return Err(RowFault::new(number, title, reason, "save the file as text again"));
    }
    if memchr::memchr_iter(b'\n', cell.as_bytes()).count() > CELL_LINES_MAX {
        let reason = format!("the cell has more than {CELL_LINES_MAX} lines");
        return Err(RowFault::new(number, title, reason, "look for a quote nobody closed"));
    }
    Ok(())
}

/// What came already: one key must not mean two things in one table.
#[derive(Default)]
struct Seen(BTreeMap<u128, u128>);

impl Seen {
    fn take(&mut self, objects: Vec<StixObject>) -> Result<Vec<StixObject>, RowFault> {
        for object in &objects {
            let uuid = object.id().as_str().split_once("--").map(|(_, uuid)| uuid);
            let Some(Ok(id)) = uuid.map(Uuid::parse_str) else { continue };
            let content = Uuid::new_v5(&Uuid::NAMESPACE_OID, object.raw()).as_u128();
            if *self.0.entry(id.as_u128()).or_insert(content) != content {
                let reason = "an earlier row has the same key and says something else";
                let cure =
                    "correct one of the two rows, or choose key columns that tell them apart";
                return Err(RowFault::new(0, "", reason, cure));
            }
        }
        Ok(objects)
    }
}

/// Rows with their places.
pub(super) struct Rows<R> {
    reader: Reader<Metered<R>>,
    pub(super) record: ByteRecord,
    number: u64,
    /// Byte and line where the row begins.
    start: (u64, u64),
}

impl<R: Read> Rows<R> {
    pub(super) fn new(inner: R, delimiter: u8) -> Self {
        let metered = Metered::new(inner);
        let reader = ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(delimiter)
            .from_reader(metered);
        Self { reader, record: ByteRecord::new(), number: 0, start: (0, 1) }
    }

    /// Where the row that was read last begins.
    pub(super) fn place(&self) -> Place {
        let (offset, line) = self.start;
        Place { offset, line, column: 0, pointer: String::new() }
    }

    /// Reads the next row; false at the end.
    pub(super) fn next(&mut self) -> Result<bool, String> {
        let before = self.reader.position().byte();
        self.reader.get_mut().since_row = 0;
        let more = self.reader.read_byte_record(&mut self.record);
        // WHY here: empty lines before a row are passed over while it is read.
        self.start = self.reader.get_mut().begins(before).unwrap_or(self.start);
        let more = more.map_err(|error| format!("the rows cannot be read: {error}"))?;
        self.number = self.number.saturating_add(1);
        if more && self.number > ROWS_MAX.saturating_add(1) {
            return Err(format!("the table has more than {ROWS_MAX} rows: split it"));
        }
        if more && self.record.len() > COLUMNS_MAX {
            return Err(format!("a row has more than {COLUMNS_MAX} cells"));
        }
        Ok(more)
    }
}

/// LIMIT: refuses a row longer than four objects may be, such as one that an open quote would make
/// of the whole file.
pub(super) struct Metered<R> {
    inner: R,
    since_row: usize,
    offset: u64,
    line: u64,
    last: u8,
    /// Bytes and lines where lines that are not empty begin, as far as read ahead.
    starts: VecDeque<(u64, u64)>,
}

impl<R> Metered<R> {
    fn new(inner: R) -> Self {
        Self { inner, since_row: 0, offset: 0, line: 1, last: b'\n', starts: VecDeque::new() }
    }

    /// Where the first line begins that is not empty and not before `offset`.
    fn begins(&mut self, offset: u64) -> Option<(u64, u64)> {
        while self.starts.front().is_some_and(|(start, _)| *start < offset) {
            self.starts.pop_front();
        }
        self.starts.front().copied()
    }

    fn count(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let ended = matches!(self.last, b'\n' | b'\r');
            if ended && self.offset > 0 && (self.last, *byte) != (b'\r', b'\n') {
                self.line = self.line.saturating_add(1);
            }
            if ended && !matches!(byte, b'\n' | b'\r') {
                // LIMIT: of a row of many lines only its beginning and its end are needed.
                if self.starts.len() > STARTS_MAX {
                    self.starts.remove(1);
                }
                self.starts.push_back((self.offset, self.line));
            }
            self.last = *byte;
            self.offset = self.offset.saturating_add(1);
        }
    }
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.since_row > limits::OBJECT_BYTES_MAX.saturating_mul(4) {
            return Err(io::Error::other("a row is longer than any may be; is a quote left open?"));
        }
        let length = self.inner.read(buffer)?;
        self.since_row = self.since_row.saturating_add(length);
        self.count(buffer.get(..length).unwrap_or_default());
        Ok(length)
    }
}

/// Whether a column's cells are looked at.
pub(super) fn is_read(column: &Column) -> bool {
    column.says != Says::Skip
}
