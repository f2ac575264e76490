//! MISP events as a file. An event is one object, so that all records wait in memory for its end.

use super::folder::Folder;
use super::sheet::{Output, Sheet};
use crate::failure::Failure;
use model::ids::RecordId;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use wire::misp::{Distribution, EVENT_BYTES_MAX, feed, write};
use wire::stix::StixObject;

/// Records until they are events.
pub struct Events {
    place: Place,
    objects: Vec<StixObject>,
    ours: BTreeSet<RecordId>,
    size_bytes: u64,
}

/// Where events go.
enum Place {
    /// In one `response`.
    Response(Output),
    /// An event a line.
    Lines(Output),
    /// A file an event.
    Feed(Folder),
}

impl Events {
    /// Events in one `response`, or an event a line.
    pub fn file(lines: bool, out: Output) -> Self {
        Self::at(if lines { Place::Lines(out) } else { Place::Response(out) })
    }

    /// Events as the files of a feed.
    ///
    /// # Errors
    /// The folder cannot be made, or holds something else.
    pub fn feed(path: &Path) -> Result<Self, Failure> {
        Ok(Self::at(Place::Feed(Folder::open(path)?)))
    }

    fn at(place: Place) -> Self {
        Self { place, objects: Vec::new(), ours: BTreeSet::new(), size_bytes: 0 }
    }
}

impl Sheet for Events {
    fn object(&mut self, stix: &str) -> Result<(), Failure> {
        let length = u64::try_from(stix.len()).unwrap_or(u64::MAX);
        self.size_bytes = self.size_bytes.saturating_add(length);
        // LIMIT: as large as what this program reads as one event.
        if self.size_bytes > EVENT_BYTES_MAX {
            return Err(Failure::input(
                "export_too_large",
                format!("the records for one file of events are more than {EVENT_BYTES_MAX} bytes"),
                "name records or a --type; releases up to there are in the log, no file was made",
            ));
        }
        let object = StixObject::parse(stix.as_bytes()).map_err(|e| {
            Failure::node("record_damaged", format!("a record held is damaged: {e}"), e.help())
        })?;
        self.objects.push(object);
        Ok(())
    }

    fn ours(&mut self, records: &[RecordId]) {
        self.ours.extend(records.iter().cloned());
    }

    fn end(self: Box<Self>) -> Result<(), Failure> {
        // INVARIANT: what others gave, and what goes to others, is for one organisation.
        let written = write(&self.objects, &|object| match self.ours.contains(object.id()) {
            true => Distribution::Stated,
            false => Distribution::Organisation,
        });
        match self.place {
            Place::Response(out) => response(written.events, out),
            Place::Lines(out) => lines(written.events, out),
            Place::Feed(folder) => folder.write(feed(written.events)),
        }
    }
}

fn response(events: Vec<Value>, mut out: Output) -> Result<(), Failure> {
    out.write(b"{\"response\":[")?;
    let mut before: &[u8] = b"\n";
    for event in events {
        out.write(before)?;
        out.write(json!({ "Event": event }).to_string().as_bytes())?;
        before = b",\n";
    }
    out.write(b"\n]}\n")?;
    out.end()
}

fn lines(events: Vec<Value>, mut out: Output) -> Result<(), Failure> {
    for event in events {
        out.line(&json!({ "Event": event }).to_string())?;
    }
    out.end()
}
